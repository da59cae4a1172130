// A client's stream after start-up: framing, every parser, and encoding again what was parsed.
#include <cstdlib>
#include <vector>

#include "wire/pg/exercise.h"

namespace {
void require(bool law) {
  if (!law) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using namespace sluice::wire::pg;
  Bytes input{data, size};
  while (true) {
    auto frame = frame_frontend(input, 1 << 20);
    if (!frame) return 0;
    if (!frame->complete()) {
      require(frame->missing > 0);
      return 0;
    }
    // A body of its own, so that a read behind it is seen even where another message follows.
    const std::vector<std::uint8_t> body(frame->payload.begin(), frame->payload.end());
    auto again = exercise(frame->type, body);
    if (again && *again) require(**again == as_text(input.first(frame->size)));
    if (!again) require(again.error().code != Errc::internal);
    input = input.subspan(frame->size);
  }
}
