// The grammar that SCRAM messages share (RFC 5802, section 7): attributes "x=value" in a fixed order,
// separated by commas. Internal to this folder.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/encoding.h"

namespace sluice::wire::pg {

// posit-number: no sign, no leading zero, so at least 1.
inline std::optional<std::uint32_t> parse_scram_number(std::string_view digits) {
  std::uint32_t number = 0;
  auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (problem != std::errc{} || end != digits.data() + digits.size() || digits[0] == '0') return std::nullopt;
  return number;
}

// Takes attributes from the front of a message. Failure is sticky, as with ByteReader; `finished` says that
// all was well and nothing is left. Values are views into the message.
class ScramAttributes {
 public:
  explicit ScramAttributes(std::string_view message) : rest_(message) {}

  std::string_view take(char name) {
    if (!ok_ || rest_.size() < 2 || rest_[0] != name || rest_[1] != '=') return failed();
    auto comma = rest_.find(',');
    auto value = rest_.substr(2, comma == rest_.npos ? comma : comma - 2);
    more_ = comma != rest_.npos;
    rest_ = more_ ? rest_.substr(comma + 1) : std::string_view{};
    return value;
  }

  // printable = %x21-2B / %x2D-7E
  std::string_view take_nonce() {
    auto nonce = take('r');
    auto printable = [](char c) { return c >= 0x21 && c <= 0x7E && c != ','; };
    return !nonce.empty() && std::ranges::all_of(nonce, printable) ? nonce : failed();
  }

  ByteVector take_base64(char name) {
    auto bytes = from_base64(take(name));
    if (!bytes) ok_ = false;
    return ok_ ? *std::move(bytes) : ByteVector{};
  }

  // 0 after a failure.
  std::uint32_t take_number(char name) {
    auto number = parse_scram_number(take(name));
    if (!number) ok_ = false;
    return ok_ ? *number : 0;
  }

  std::string_view rest() const { return rest_; }
  bool ok() const { return ok_; }
  bool finished() const { return ok_ && !more_; }

 private:
  std::string_view failed() {
    ok_ = false;
    return {};
  }

  std::string_view rest_;
  bool more_ = true;  // a comma promises another attribute
  bool ok_ = true;
};

// RFC 5802, section 3: what both sides compute. ClientProof = ClientKey xor ClientSignature, and back.
inline Digest scram_xor(Digest a, const Digest& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] ^= b[i];
  return a;
}

}  // namespace sluice::wire::pg
