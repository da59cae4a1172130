#include "proxy/pg/exchange/gateway_traffic.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;

// Shows in the server's log as `syntax error at or near "sluice_refused_this_statement"`.
constexpr std::string_view kUnparsable = "sluice_refused_this_statement";

}  // namespace

// The encoders fail only for a NUL in a name or an oversized message: neither can be in constant text and in
// names that the gateway made. If one did, nothing would be sent, and the session would wait for its own
// time-out.
#define SLUICE_SEND(encode_call)                                           \
  do {                                                                     \
    scratch_.clear();                                                      \
    if (encode_call) out_.send(gate::GatewayPermit{}, as_bytes(scratch_)); \
  } while (false)

void GatewayTraffic::sync() {
  scratch_.clear();
  encode_sync(scratch_);
  out_.send(gate::GatewayPermit{}, as_bytes(scratch_));
}

void GatewayTraffic::flush() {
  scratch_.clear();
  encode_flush(scratch_);
  out_.send(gate::GatewayPermit{}, as_bytes(scratch_));
}

void GatewayTraffic::terminate() {
  scratch_.clear();
  encode_terminate(scratch_);
  out_.send(gate::GatewayPermit{}, as_bytes(scratch_));
}

void GatewayTraffic::close(NamedObject object, std::string_view gateway_name) {
  SLUICE_SEND(encode_close(scratch_, object, gateway_name));
}

void GatewayTraffic::describe(NamedObject object, std::string_view gateway_name) {
  SLUICE_SEND(encode_describe(scratch_, object, gateway_name));
}

void GatewayTraffic::query(std::string_view text, bool within_pipeline) {
  constexpr std::string_view kName = "slc_catalogue";
  SLUICE_SEND(encode_parse(scratch_, kName, text));
  SLUICE_SEND(encode_bind(scratch_, kName, kName, {}, {}, {}));
  SLUICE_SEND(encode_execute(scratch_, kName, 0));
  close(NamedObject::portal, kName);
  close(NamedObject::statement, kName);
  if (within_pipeline) {
    flush();
  } else {
    sync();
  }
}

void GatewayTraffic::open_transaction() {
  query("SHOW server_version_num", true);
}

void GatewayTraffic::fail_in_query() {
  SLUICE_SEND(encode_query(scratch_, kUnparsable));
}

void GatewayTraffic::fail_in_pipeline() {
  SLUICE_SEND(encode_parse(scratch_, "slc_refused", kUnparsable));  // not unnamed: that one is the client's
}

void GatewayTraffic::fill_copy(std::size_t bytes) {
  scratch_.assign(bytes, '\0');
  out_.send(gate::GatewayPermit{}, as_bytes(scratch_));
}

void GatewayTraffic::copy_fail(std::string_view reason) {
  SLUICE_SEND(encode_copy_fail(scratch_, reason));
}

#undef SLUICE_SEND

}  // namespace sluice::proxy::pg
