// UpstreamWriter: the only way to put bytes on their way to the server; it takes nothing without a permit.
// GatewayTraffic: the only maker of the gateway's own permits, and the list of what the gateway says of its
// own accord: protocol upkeep with no client content (Sync, Flush, Close of gateway-owned names), and
// constant SQL texts.
#pragma once

#include <string>
#include <string_view>

#include "gate/permit.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg {

class UpstreamWriter {
 public:
  // One message, or several, of an operation that may run.
  void send(const gate::Permit&, Bytes message) { out_.append(as_text(message)); }
  // Parse, Bind and Describe of a statement whose execution is decided later.
  void send(const gate::PreparePermit&, Bytes message) { out_.append(as_text(message)); }
  void send(const gate::GatewayPermit&, Bytes message) { out_.append(as_text(message)); }
  // The same of a message that is given away: one of megabytes is mostly the only one, and not copied.
  void send(const gate::Permit&, std::string&& message) { take(std::move(message)); }
  void send(const gate::PreparePermit&, std::string&& message) { take(std::move(message)); }

  bool empty() const { return out_.empty(); }
  std::string_view pending() const { return std::string_view{out_}.substr(sent_); }
  void consumed(std::size_t n) {
    sent_ += n;
    if (sent_ < out_.size()) return;
    out_.clear();
    sent_ = 0;
    if (out_.capacity() > kKeptCapacity) out_.shrink_to_fit();
  }

 private:
  void take(std::string&& message) {
    if (out_.empty()) {
      out_ = std::move(message);
    } else {
      out_.append(message);
    }
  }

  static constexpr std::size_t kKeptCapacity = 16 * 1024;  // an idle session must not keep a large buffer
  std::string out_;
  std::size_t sent_ = 0;  // of it
};

class GatewayTraffic {
 public:
  explicit GatewayTraffic(UpstreamWriter& out) : out_(out) {}

  void sync();
  void flush();
  void terminate();
  void close(wire::pg::NamedObject object, std::string_view gateway_name);
  void describe(wire::pg::NamedObject object, std::string_view gateway_name);
  // A constant query of the gateway (catalogue reads): `text` must come from the code, never from a client.
  // By the extended protocol and under names of its own, because a simple Query would take the client's
  // unnamed statement away, and, within a pipeline, end its implicit transaction. `within_pipeline`: without
  // a Sync, for the same reason; the answer then ends with the second CloseComplete.
  void query(std::string_view text, bool within_pipeline);
  // A first statement of the gateway's own in a transaction of several: with one before it, the server treats
  // the client's first as it does in a query string (VACUUM is refused, LOCK is not). It takes no snapshot,
  // so that SET TRANSACTION may follow. Answers as a query() within a pipeline.
  void open_transaction();
  // Makes the server fail the running transaction exactly where a refused message stood, so that its state is
  // what the client is told. The text does not parse.
  void fail_in_query();     // as a simple Query
  void fail_in_pipeline();  // as a Parse
  // The rest of a CopyData of which the client's beginning has gone, once the server no longer listens:
  // zeros.
  void fill_copy(std::size_t bytes);
  // The end of a COPY that the gateway stops.
  void copy_fail(std::string_view reason);

 private:
  UpstreamWriter& out_;
  std::string scratch_;
};

}  // namespace sluice::proxy::pg
