#include "review/digest.h"

#include <algorithm>

#include "core/byte_writer.h"

namespace sluice::review {
namespace {

// Every variable part is preceded by its length, every list by its count, every optional by a presence byte:
// the encoding can be read back in one way only, so it is the value.
class Canonical {
 public:
  explicit Canonical(std::string_view domain) : out_(text_) { string(domain); }

  Canonical& string(std::string_view value) {
    out_.u64(value.size()).text(value);
    return *this;
  }
  Canonical& number(std::uint64_t value) {
    out_.u64(value);
    return *this;
  }
  Canonical& digest(const Digest& value) {
    out_.bytes(value);
    return *this;
  }
  Canonical& optional(const std::optional<std::uint64_t>& value) {
    out_.u8(value.has_value() ? 1 : 0).u64(value.value_or(0));
    return *this;
  }
  Canonical& strings(const std::vector<std::string>& values) {
    number(values.size());
    for (const auto& value : values) string(value);
    return *this;
  }
  Canonical& shape(const VectorShape& shape) {
    return string(shape.collection).string(shape.field).number(shape.dimension);
  }
  Digest finish() const { return sha256(as_bytes(text_)); }

 private:
  std::string text_;
  ByteWriter out_;
};

}  // namespace

Digest digest_parameters(const std::vector<BoundParameter>& parameters, bool bind_vectors) {
  Canonical out{"sluice/review-parameters/1"};
  out.number(parameters.size());
  for (const auto& parameter : parameters) {
    out.number(parameter.type);
    if (parameter.vector && !bind_vectors && parameter.value) {
      // The format is left out: the same vector in text or binary has the same shape.
      out.string("vector").shape(*parameter.vector);
    } else if (parameter.value) {
      // Hashed one by one, so that a large parameter is not copied.
      out.string("value").number(parameter.format).digest(sha256(*parameter.value));
    } else {
      out.string("null");
    }
  }
  return out.finish();
}

Digest digest_operation(const ReviewedOperation& operation) {
  auto objects = operation.objects;
  std::ranges::sort(objects);
  Canonical out{"sluice/review/1"};
  out.string(operation.principal)
      .string(operation.connection)
      .string(operation.role)
      .string(operation.database)
      .string(operation.search_path)
      .number(operation.fingerprint)
      .digest(operation.statement);
  out.number(operation.literal_vectors.size());
  for (const auto& vector : operation.literal_vectors) out.shape(vector);
  out.digest(operation.parameters)
      .strings(objects)
      .strings(operation.rules)
      .digest(operation.policy)
      .optional(operation.max_records);
  return out.finish();
}

}  // namespace sluice::review
