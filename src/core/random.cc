#include "core/random.h"

#include <sodium.h>

namespace sluice {

void fill_random(MutableBytes out) {
  randombytes_buf(out.data(), out.size());
}

std::string random_identifier(std::size_t n) {
  static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string id(n, '\0');
  for (auto& c : id) c = kAlphabet[randombytes_uniform(kAlphabet.size())];
  return id;
}

std::uint64_t random_u64() {
  std::uint64_t value;
  randombytes_buf(&value, sizeof value);
  return value;
}

}  // namespace sluice
