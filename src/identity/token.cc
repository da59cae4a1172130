#include "identity/token.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/encoding.h"
#include "core/random.h"

namespace sluice::identity {
namespace {

std::string crc_text(std::string_view body) {
  const auto crc = crc32(as_bytes(body));
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  return to_base64url(bytes);
}

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_base64url_character(char c) {
  return is_id_character(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

}  // namespace

MintedToken make_token() {
  std::array<std::uint8_t, 32> secret;
  fill_random(secret);
  auto id = random_identifier(kTokenIdLength);
  const Secret encoded{to_base64url(secret)};
  wipe(secret);
  std::string text;
  text.reserve(kTokenLength);
  text.append(kTokenPrefix).append(id).append("_").append(encoded.reveal());
  text.append(crc_text(text));
  auto hash = hash_token(text);
  return {TokenId{std::move(id)}, Secret{std::move(text)}, hash};
}

Result<TokenId> parse_token(std::string_view text) {
  if (text.size() != kTokenLength || !text.starts_with(kTokenPrefix)) {
    return fail(Errc::malformed, "not a Sluice token");
  }
  const auto id = text.substr(kTokenPrefix.size(), kTokenIdLength);
  const auto separator = kTokenPrefix.size() + kTokenIdLength;
  const auto rest = text.substr(separator + 1);
  if (!std::ranges::all_of(id, is_id_character) || text[separator] != '_' ||
      !std::ranges::all_of(rest, is_base64url_character)) {
    return fail(Errc::malformed, "not a Sluice token");
  }
  // Not secret, so an ordinary comparison does: anybody can compute a CRC.
  const auto body = text.substr(0, text.size() - kTokenCrcLength);
  if (crc_text(body) != text.substr(body.size())) {
    return fail(Errc::malformed, "the token is mistyped or cut off");
  }
  return TokenId{std::string(id)};
}

bool holds_token(std::string_view text) {
  for (auto at = text.find(kTokenPrefix); at != std::string_view::npos;
       at = text.find(kTokenPrefix, at + 1)) {
    if (parse_token(text.substr(at, kTokenLength))) return true;
  }
  return false;
}

Digest hash_token(std::string_view text) {
  return sha256(as_bytes(text));
}

}  // namespace sluice::identity
