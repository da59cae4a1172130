// RecordedReply: what of the reply at hand goes into the record, beside counts and digests: a sample of its
// rows as the client got them, and the ids of the records in it.
//
//   reply.begin(shape);                              // once, at the first row of an operation
//   CHECK_OK(reply.take_row(shape, payload));        // each row that leaves, or
//   reply.skip_row();                                // one that nobody looks into
//   outcome.ids = &reply.ids(); outcome.rows = &reply.rows();
//
// A row is taken apart only while the sample wants more, or where ids are in it. A session has one reply at
// hand at a time, and keeps the memory for the next.
#pragma once

#include <span>

#include "core/result.h"
#include "proxy/pg/exchange/result_shape.h"
#include "wire/pg/backend.h"

namespace sluice::proxy::pg {

class RecordedReply {
 public:
  RecordedReply(std::uint64_t sample_rows, std::size_t sample_bytes) : sample_(sample_rows, sample_bytes) {}

  // Null: nobody has said what the columns are.
  void begin(const ResultShape* shape);

  // `payload`: of a whole DataRow with as many cells as the shape has. The Error: it is none.
  Result<void> take_row(const ResultShape& shape, Bytes payload);

  // Which records are in it is not known.
  void skip_row() {
    ids_.set_unknown();
    sample_.count_row();
  }

  const record::RecordIds& ids() const { return ids_; }
  const record::ReplySample& rows() const { return sample_; }

 private:
  void add_to_sample(const ResultShape& shape, std::span<const wire::pg::Value> cells);
  void add_ids(const ResultShape& shape, std::span<const wire::pg::Value> cells);

  record::ReplySample sample_;
  record::RecordIds ids_;
};

}  // namespace sluice::proxy::pg
