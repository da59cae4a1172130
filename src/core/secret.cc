#include "core/secret.h"

#include <sodium.h>

#include <utility>

namespace sluice {

void wipe(MutableBytes bytes) {
  sodium_memzero(bytes.data(), bytes.size());
}

Secret::Secret(Secret&& other) noexcept : value_(other.value_) {
  other.wipe();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    value_ = other.value_;  // copied, then wiped: moving a short string would leave its bytes behind
    other.wipe();
  }
  return *this;
}

Secret::~Secret() {
  wipe();
}

bool Secret::equals(std::string_view other) const {
  return value_.size() == other.size() && sodium_memcmp(value_.data(), other.data(), other.size()) == 0;
}

void Secret::wipe() {
  sodium_memzero(value_.data(), value_.capacity());
  value_.clear();
}

}  // namespace sluice
