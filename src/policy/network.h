// IP addresses and networks in CIDR form (RFC 4632, RFC 4291). IPv4 is held as IPv4-mapped IPv6, so that a
// client seen as ::ffff:10.1.2.3 is the client 10.1.2.3.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sluice::policy {

using Address = std::array<std::uint8_t, 16>;
// A zone ("fe80::1%eth0") is ignored. nullopt: not an address, such as a Unix socket's path.
std::optional<Address> parse_address(std::string_view text);

struct Network {
  Address base{};
  std::uint8_t bits = 128;  // of the 128

  bool contains(const Address& address) const;
  // "10.0.0.0/8", "2001:db8::/32", or a lone address. Bits set beyond the prefix are an error: they are a
  // typing mistake in a rule about who may come in.
  static Result<Network> parse(std::string_view text);
};

}  // namespace sluice::policy
