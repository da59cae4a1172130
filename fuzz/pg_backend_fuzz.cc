// A hostile upstream's stream: framing, every parser, and the sanitiser of errors and notices.
#include <cstdlib>
#include <string>
#include <vector>

#include "wire/pg/diagnostics.h"
#include "wire/pg/exercise.h"

namespace {

using namespace sluice;
using namespace sluice::wire::pg;

void require(bool law) {
  if (!law) std::abort();
}

// Law: what the sanitiser lets through is well-formed, and reduced it quotes nothing but names that are
// vouched for.
void exercise_diagnostics(Bytes body) {
  auto diagnostics = Diagnostics::parse(body);
  if (!diagnostics) return;
  (void)position_of(*diagnostics);
  for (auto level : {DiagnosticLevel::verbatim, DiagnosticLevel::reduced}) {
    std::string out;
    encode_error_response(out, reduce(*diagnostics, level));
    auto frame = frame_backend(as_bytes(out));
    require(frame && frame->complete() && frame->size == out.size());
    auto again = Diagnostics::parse(frame->payload);
    require(again && again->find('C') && again->find('M') && again->find('S') && again->find('V'));
    require(level != DiagnosticLevel::reduced || again->fields.size() == 4);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input{data, size};
  while (true) {
    auto frame = frame_backend(input, 1 << 20);
    if (!frame) return 0;
    if (!frame->complete()) {
      require(frame->missing > 0);
      return 0;
    }
    const std::vector<std::uint8_t> body(frame->payload.begin(), frame->payload.end());
    auto again = exercise(frame->type, body);
    if (again && *again) require(**again == as_text(input.first(frame->size)));
    if (!again) require(again.error().code != Errc::internal);
    if (frame->type == BackendType::error_response || frame->type == BackendType::notice_response) {
      exercise_diagnostics(body);
    }
    input = input.subspan(frame->size);
  }
}
