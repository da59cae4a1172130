// Effects: what statements do to the session's own state beside their results: the names of prepared
// statements and cursors, the search_path and the schema, and whether the open transaction has written.
//
// Each is in force as soon as its statement is sent (`begin`), because later messages of the same pipeline
// refer to it; what depends on the server's agreement waits for that (`complete`), or is taken back (`undo`).
//
// Belongs to one session.
#pragma once

#include "proxy/pg/catalogue/catalogue_reader.h"
#include "proxy/pg/exchange/names.h"
#include "proxy/pg/exchange/requests.h"

namespace sluice::proxy::pg {

class Effects {
 public:
  // Both must outlive it.
  Effects(Names& names, CatalogueReader& catalogue) : names_(names), catalogue_(catalogue) {}

  // The statement has been sent, or is about to be.
  void begin(Run& run);
  // The server has confirmed it.
  void complete(Run& run);
  // The server has failed the request: what it has changed is as it was before.
  void undo(Request& request);
  void undo(Run& run) { names_.undo(run.changes); }

  void sync() { written_since_sync_ = false; }
  // The server is outside of a transaction.
  void end_transaction();

  bool written_in_transaction() const { return written_in_transaction_; }
  bool written_since_sync() const { return written_since_sync_; }

 private:
  Names& names_;
  CatalogueReader& catalogue_;
  bool written_in_transaction_ = false;
  bool written_since_sync_ = false;
};

}  // namespace sluice::proxy::pg
