#include "proxy/pg/exchange/recorded_parameters.h"

#include <algorithm>

#include "core/byte_writer.h"
#include "core/encoding.h"
#include "core/value_digest.h"
#include "proxy/pg/planning/planner.h"
#include "systems/postgres/describe/recorded_text.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;

constexpr std::size_t kMinVectorText = 8;   // "[1,2,3]" may be data
constexpr std::uint32_t kMinDimension = 3;  // and so may what is shorter than this
constexpr std::uint32_t kNullValue = 0xFFFFFFFF;

// The dimension of a vector in pgvector's text form; 0 when it is not one.
std::uint32_t text_dimension(std::string_view text) {
  if (text.size() < kMinVectorText || text.front() != '[' || text.back() != ']') return 0;
  return postgres::vector_text_dimension(text).value_or(0);
}

// pgvector's binary form of vector: int16 dimension, int16 zero, that many float4.
std::uint32_t binary_dimension(Bytes value) {
  ByteReader in{value};
  const auto dimension = in.u16();
  const auto unused = in.u16();
  return in.ok() && unused == 0 && in.remaining() == std::size_t{dimension} * 4 ? dimension : 0;
}

struct Section {
  FormatCodes formats;
  Values values;
};

Section read_section(Bytes section) {
  ByteReader in{section};
  Section out;
  out.formats = FormatCodes::read(in);
  const auto count = in.u16();
  out.values = Values::read(in, count);
  return out;
}

// Whether a value is to be taken for a vector, and of what dimension; 0: no. What looks like one is treated
// as one: a false guess keeps a digest where a value could have stood.
std::uint32_t vector_dimension(Format format, Bytes value) {
  const auto dimension = format == Format::binary ? binary_dimension(value) : text_dimension(as_text(value));
  return dimension >= kMinDimension ? dimension : 0;
}

}  // namespace

std::vector<record::Param> recorded_parameters(Bytes section, const Plan& plan) {
  std::vector<record::Param> out;
  const auto [formats, values] = read_section(section);
  std::size_t i = 0;
  for (const auto& value : values) {
    if (out.size() == record::kMaxParams) break;
    record::Param param;
    if (value) {
      const bool binary = formats.of(i) == Format::binary;
      const auto dimension = vector_dimension(formats.of(i), *value);
      if (dimension > 0) {
        param.form = record::ParamForm::vector;
        param.dimension = dimension;
        param.digest = value_digest(*value);
      } else if (plan.touches_masked) {
        param.form = record::ParamForm::hidden;
        param.digest = value_digest(*value);
      } else {
        param.form = binary ? record::ParamForm::bytes : record::ParamForm::text;
        param.value = as_text(value->first(std::min(value->size(), record::kMaxParamBytes)));
      }
    }
    out.push_back(param);
    ++i;
  }
  return out;
}

std::vector<review::BoundParameter> reviewed_parameters(Bytes section, const Plan& plan,
                                                        const std::vector<std::uint32_t>& types) {
  std::vector<review::BoundParameter> out;
  const auto [formats, values] = read_section(section);
  std::size_t i = 0;
  for (const auto& value : values) {
    review::BoundParameter parameter;
    parameter.type = i < types.size() ? types[i] : 0;
    parameter.format = static_cast<std::uint16_t>(formats.of(i));
    parameter.value = value;
    const auto dimension = value ? vector_dimension(formats.of(i), *value) : 0;
    if (dimension > 0) {
      review::VectorShape shape;
      if (!plan.operation->searches.empty()) {
        shape.collection = plan.operation->searches.front().collection;
        shape.field = plan.operation->searches.front().field;
      }
      shape.dimension =
          formats.of(i) == Format::binary ? binary_dimension(*value) : text_dimension(as_text(*value));
      parameter.vector = std::move(shape);
    }
    out.push_back(std::move(parameter));
    ++i;
  }
  return out;
}

Digest parameters_digest(Bytes section) {
  const auto [formats, values] = read_section(section);
  std::string text;
  ByteWriter out{text};
  out.u16(static_cast<std::uint16_t>(formats.size())).bytes(formats.raw());
  for (const auto& value : values) {
    out.u32(value ? static_cast<std::uint32_t>(value->size()) : kNullValue);
    if (!value) continue;
    if (value->size() <= kWholeInDigest) {
      out.bytes(*value);
    } else {
      out.bytes(value_digest(*value));
    }
  }
  return sha256(as_bytes(text));
}

std::vector<BoundValue> bound_values(Bytes section, const std::vector<std::uint32_t>& types) {
  std::vector<BoundValue> out;
  const auto [formats, values] = read_section(section);
  std::size_t i = 0;
  for (const auto& value : values) {
    out.push_back({i < types.size() ? types[i] : 0, formats.of(i), value});
    ++i;
  }
  return out;
}

}  // namespace sluice::proxy::pg
