// The first bytes of a connection, from anybody: framing and the start-up messages.
#include <cstdlib>
#include <string>
#include <vector>

#include "wire/pg/encode.h"
#include "wire/pg/frontend.h"

namespace {

using namespace sluice;
using namespace sluice::wire::pg;

void require(bool law) {
  if (!law) std::abort();
}

void exercise_startup(const StartupFrame& frame, Bytes packet) {
  auto message = StartupMessage::parse(frame.version, frame.payload);
  if (!message) return;
  std::vector<StartupParameter> parameters;
  for (const auto& parameter : message->parameters) {
    require(message->find(parameter.name) == parameter.value);
    parameters.push_back(parameter);
  }
  std::string again;
  require(encode_startup_message(again, message->version, parameters).has_value());
  require(again == as_text(packet));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input{data, size};
  auto whole = frame_startup(input);
  // Law: how the bytes arrive does not change the answer.
  for (std::size_t n = 0; n < size && n < 64; ++n) {
    const std::vector<std::uint8_t> part(data, data + n);
    auto early = frame_startup(part);
    if (!early) {
      require(!whole);
      return 0;
    }
    if (early->complete()) require(whole && whole->kind == early->kind && whole->size == early->size);
    require(early->complete() || early->missing > 0);
  }
  if (!whole || !whole->complete()) return 0;
  require(whole->size <= size && whole->size <= kMaxStartupPacket);
  auto packet = input.first(whole->size);
  switch (whole->kind) {
    case StartupFrame::Kind::startup: exercise_startup(*whole, packet); break;
    case StartupFrame::Kind::cancel_request: {
      auto message = CancelRequest::parse(whole->payload);
      std::string again;
      require(message && encode_cancel_request(again, message->process_id, message->secret_key));
      require(again == as_text(packet));
      break;
    }
    case StartupFrame::Kind::ssl_request:
    case StartupFrame::Kind::gssenc_request: require(whole->payload.empty()); break;
    case StartupFrame::Kind::incomplete: break;
  }
  return 0;
}
