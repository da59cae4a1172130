#include "core/value_digest.h"

#include <string>

namespace sluice {
namespace {

struct Remembered {
  std::string value;
  Digest digest{};
};

}  // namespace

Digest value_digest(Bytes value) {
  if (value.size() < kMinRemembered || value.size() > kMaxRemembered) return sha256(value);
  thread_local Remembered last;
  if (last.value != as_text(value)) {
    last.digest = sha256(value);
    last.value = as_text(value);
  }
  return last.digest;
}

}  // namespace sluice
