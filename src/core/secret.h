// Secret: a string that is wiped when it goes, is never printed (there is no operator<< and no fmt
// formatter), and is compared in constant time. Move-only, so that copies of a credential do not spread.
// `reveal()` is the one way to the bytes; grep for it to see every place where a credential is used.
#pragma once

#include <string>
#include <string_view>

#include "core/bytes.h"

namespace sluice {

// Overwrites bytes in a way that the compiler does not remove.
void wipe(MutableBytes bytes);

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  std::string_view reveal() const { return value_; }
  Secret clone() const { return Secret{value_}; }  // explicit, for handing one to another owner
  bool empty() const { return value_.empty(); }
  bool equals(std::string_view other) const;  // constant time for equal lengths

 private:
  void wipe();
  std::string value_;
};

}  // namespace sluice
