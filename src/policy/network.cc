#include "policy/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sluice::policy {
namespace {

constexpr std::size_t kMaxAddressText = 64;  // INET6_ADDRSTRLEN and a zone
constexpr std::uint8_t kMappedBits = 96;     // ::ffff:0:0/96

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  text = text.substr(0, text.find('%'));
  if (text.empty() || text.size() > kMaxAddressText || text.contains('\0')) return std::nullopt;
  std::string copy{text};
  Address address{};
  if (inet_pton(AF_INET6, copy.c_str(), address.data()) == 1) return address;
  in_addr v4{};
  if (inet_pton(AF_INET, copy.c_str(), &v4) != 1) return std::nullopt;
  address[10] = address[11] = 0xff;
  std::memcpy(address.data() + 12, &v4, 4);
  return address;
}

bool Network::contains(const Address& address) const {
  std::size_t whole = bits / 8;
  if (!std::equal(base.begin(), base.begin() + static_cast<std::ptrdiff_t>(whole), address.begin()))
    return false;
  if (bits % 8 == 0) return true;
  auto mask = static_cast<std::uint8_t>(0xff00u >> (bits % 8));
  return (base[whole] & mask) == (address[whole] & mask);
}

Result<Network> Network::parse(std::string_view text) {
  std::size_t slash = text.find('/');
  auto base = parse_address(text.substr(0, slash));
  if (!base || text.contains('%')) {
    return fail(Errc::invalid_argument, "'{}' is not an IP address or network", text);
  }
  bool v4 = text.substr(0, slash).find(':') == text.npos;
  unsigned width = v4 ? 32 : 128;
  unsigned bits = width;
  if (slash != text.npos) {
    std::string_view digits = text.substr(slash + 1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc{} || end != digits.data() + digits.size() || bits > width) {
      return fail(Errc::invalid_argument, "'{}' has no prefix length from 0 to {}", text, width);
    }
  }
  Network network{*base, static_cast<std::uint8_t>(v4 ? bits + kMappedBits : bits)};
  for (std::size_t i = network.bits; i < 128; ++i) {
    if ((network.base[i / 8] >> (7 - i % 8)) & 1) {
      return fail(Errc::invalid_argument, "'{}' has bits set beyond its prefix length", text);
    }
  }
  return network;
}

}  // namespace sluice::policy
