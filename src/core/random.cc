#include "core/random.h"

#include <sodium.h>

#include <algorithm>
#include <array>

namespace sluice {

void fill_random(MutableBytes out) {
  randombytes_buf(out.data(), out.size());
}

std::string random_identifier(std::size_t n) {
  static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  // Bytes from here on would make the first characters likelier than the others. One in 64 is thrown away; a
  // byte more for every four is nearly always enough, and asking the system once is what costs.
  constexpr std::size_t kEven = 256 / kAlphabet.size() * kAlphabet.size();
  std::string id;
  id.reserve(n);
  std::array<std::uint8_t, 64> random;
  while (id.size() < n) {
    const auto left = n - id.size();
    const auto some = MutableBytes{random}.first(std::min(random.size(), left + left / 4 + 1));
    randombytes_buf(some.data(), some.size());
    for (const auto byte : some) {
      if (byte < kEven && id.size() < n) id.push_back(kAlphabet[byte % kAlphabet.size()]);
    }
  }
  return id;
}

std::uint64_t random_u64() {
  std::uint64_t value;
  randombytes_buf(&value, sizeof value);
  return value;
}

}  // namespace sluice
