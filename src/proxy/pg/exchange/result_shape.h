// ResultShape: what the columns of a result are, as far as the record needs it: their names, their formats,
// and which of them identify records (primary keys, by the provenance that RowDescription gives).
// RecordedReply (recorded_reply.h) reads rows with it.
//
// Immutable; made once per RowDescription and kept with a prepared statement.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/operation.h"
#include "record/record_ids.h"
#include "record/reply_sample.h"
#include "systems/postgres/catalogue/view.h"
#include "wire/pg/backend.h"

namespace sluice::proxy::pg {

struct ResultColumn {
  std::string name;
  std::uint32_t type = 0;
  wire::pg::Format format = wire::pg::Format::text;
};

// The columns of a result that hold one relation's primary key, in key order.
struct KeyColumns {
  std::string collection;
  std::vector<std::uint16_t> columns;
};

struct ResultShape {
  std::vector<ResultColumn> columns;
  std::uint16_t carried = 0;  // of these, so many from the first on are not the client's (carried_columns.h)
  std::vector<KeyColumns> keys;
  bool all_known = false;  // every collection that the operation reads values from has its key in the result

  // What it was made from, beside the operation: the same again is the same shape.
  std::string described;  // RowDescription's payload
  std::uint64_t catalogue_version = 0;
  bool is_of(Bytes description, std::uint16_t keys_carried, const postgres::Catalogue* catalogue) const {
    return catalogue != nullptr && catalogue_version == catalogue->version() && carried == keys_carried &&
           described == as_text(description);
  }

  // `described` is what `description` was read from.
  static std::shared_ptr<const ResultShape> make(Bytes described, const wire::pg::RowDescription& description,
                                                 const Operation& operation, std::uint16_t carried,
                                                 const postgres::Catalogue* catalogue);
};

// A value as text: binary numbers and uuids are written out, other binary values stay bytes ("\x…" as an id).
std::string value_text(const ResultColumn& column, Bytes value);

}  // namespace sluice::proxy::pg
