// ProtocolState: where the session stands with the server, as far as the gateway's own queries care.
#pragma once

#include "wire/pg/backend.h"

namespace sluice::proxy::pg {

struct ProtocolState {
  wire::pg::TransactionStatus transaction =
      wire::pg::TransactionStatus::idle;  // as of the last ReadyForQuery
  bool in_pipeline = false;  // messages of the extended protocol have been sent since the last Sync

  bool between_transactions() const {
    return transaction == wire::pg::TransactionStatus::idle && !in_pipeline;
  }
};

}  // namespace sluice::proxy::pg
