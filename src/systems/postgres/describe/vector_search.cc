#include "systems/postgres/describe/vector_search.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/byte_reader.h"
#include "core/value_digest.h"
#include "systems/postgres/describe/recorded_text.h"
#include "systems/postgres/sql/expr_parts.h"

namespace sluice::postgres {
namespace {

constexpr std::array<std::string_view, 5> kVectorTypes = {"bit", "halfvec", "sparsevec", "varbit", "vector"};

bool is_vector_type(std::string_view name) {
  return std::ranges::binary_search(kVectorTypes, name);
}

const Type* element_type(const Catalogue& catalogue, Oid oid) {
  const auto* type = catalogue.base_type(oid);
  return type != nullptr && type->element != 0 ? catalogue.base_type(type->element) : type;
}

// pgvector's own binary form: vector_send has four bytes for each element, halfvec_send two.
std::optional<std::uint32_t> binary_dimension(std::string_view bytes) {
  ByteReader in{as_bytes(bytes)};
  const std::uint32_t dimension = in.u16();
  const auto unused = in.u16();
  if (!in.ok() || unused != 0 || dimension == 0) return std::nullopt;
  const bool fits =
      in.remaining() == std::size_t{dimension} * 4 || in.remaining() == std::size_t{dimension} * 2;
  return fits ? std::optional(dimension) : std::nullopt;
}

// The numbers of vector_send, halfvec_send, and array_send of float4 or float8 (all big-endian).
std::optional<QuerySketch> sketch_of_binary(std::string_view bytes) {
  ByteReader in{as_bytes(bytes)};
  std::vector<float> numbers;
  const std::uint32_t dimension = in.u16();
  if (in.u16() == 0 && in.ok() && dimension > 0 && in.remaining() == std::size_t{dimension} * 4) {
    for (std::uint32_t i = 0; i < dimension; ++i) numbers.push_back(std::bit_cast<float>(in.u32()));
    return sketch_of(numbers);
  }
  if (in.ok() && dimension > 0 && in.remaining() == std::size_t{dimension} * 2) {
    for (std::uint32_t i = 0; i < dimension; ++i)
      numbers.push_back(static_cast<float>(std::bit_cast<_Float16>(in.u16())));
    return sketch_of(numbers);
  }
  constexpr std::uint32_t kFloat4 = 700;
  constexpr std::uint32_t kFloat8 = 701;
  ByteReader array{as_bytes(bytes)};
  const auto dimensions = array.u32();
  array.u32();  // flags
  const auto element = array.u32();
  const auto count = array.u32();
  array.u32();  // lower bound
  const std::uint32_t width = element == kFloat4 ? 4 : element == kFloat8 ? 8 : 0;
  if (!array.ok() || dimensions != 1 || width == 0 || array.remaining() != std::size_t{count} * (4 + width))
    return std::nullopt;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (array.u32() != width) return std::nullopt;
    numbers.push_back(width == 4 ? std::bit_cast<float>(array.u32())
                                 : static_cast<float>(std::bit_cast<double>(array.u64())));
  }
  return sketch_of(numbers);
}

enum class Kind : std::uint8_t { unknown, vector, other };

// One side of a distance: a column, a literal, a parameter, under casts and pgvector's functions.
class Side {
 public:
  Side(std::span<const Binding> bindings, const DescribeContext& context)
      : bindings_(bindings), context_(context) {}

  Kind kind = Kind::unknown;
  const Relation* relation = nullptr;
  std::string_view field;
  std::optional<std::uint32_t> dimension;
  std::optional<Digest> digest;
  std::shared_ptr<const QuerySketch> sketch;

  void read(const sql::Expr* expr) {
    while (expr != nullptr) {
      if (const auto* cast = sql::as<sql::TypeCast>(expr)) {
        if (!cast->type->names.empty() && is_vector_type(cast->type->names.back())) kind = Kind::vector;
        expr = cast->arg;
      } else if (const auto* call = sql::as<sql::FunctionCall>(expr);
                 call != nullptr && !call->name.empty()) {
        if (call->args.empty() || !is_vector_function(*call)) return;
        kind = Kind::vector;
        expr = call->args.front();
      } else {
        return read_end(*expr);
      }
    }
  }

 private:
  bool is_vector_function(const sql::FunctionCall& call) const {
    const auto schema = call.name.size() > 1 ? call.name[call.name.size() - 2] : std::string_view{};
    return context_.catalogue.find_function(context_.search_path, schema, call.name.back()).facts.cls ==
           FunctionClass::vector;
  }

  void read_end(const sql::Expr& expr) {
    if (const auto* column = sql::as<sql::ColumnRef>(&expr)) return read_column(*column);
    if (const auto* constant = sql::as<sql::Constant>(&expr)) return read_constant(*constant);
    const auto* reference = sql::as<sql::ParamRef>(&expr);
    if (reference == nullptr || reference->number < 1) return;
    const auto at = static_cast<std::size_t>(reference->number) - 1;
    if (at >= context_.parameters.size()) return;
    const auto& parameter = context_.parameters[at];
    if (parameter.state == Parameter::State::text) {
      digest_of(parameter.bytes, vector_text_dimension(parameter.bytes));
      if (context_.sketches) keep(sketch_of_text(parameter.bytes));
    } else if (parameter.state == Parameter::State::binary) {
      digest_of(parameter.bytes, binary_dimension(parameter.bytes));
      if (context_.sketches) keep(sketch_of_binary(parameter.bytes));
    }
  }

  void read_column(const sql::ColumnRef& column) {
    if (column.star || column.parts.empty()) return;
    field = column.parts.back();
    const auto qualifier =
        column.parts.size() > 1 ? column.parts[column.parts.size() - 2] : std::string_view{};
    bool other = false;
    for (const auto& binding : bindings_) {
      if (!qualifier.empty() && qualifier != binding.alias) continue;
      const auto* known = binding.column(field);
      if (known == nullptr) continue;
      const auto* type = element_type(context_.catalogue, known->type);
      const bool vector = type == nullptr || is_vector_type(type->name);
      other |= !vector;
      if (!vector && relation != nullptr) continue;
      if (vector) kind = Kind::vector;
      relation = binding.relation;
      field = known->name;
      if (vector) return;
    }
    if (other && kind == Kind::unknown) kind = Kind::other;
  }

  void read_constant(const sql::Constant& constant) {
    if (constant.value_kind == sql::ConstantKind::text) {
      digest_of(constant.text, vector_text_dimension(constant.text));
      if (context_.sketches) keep(sketch_of_text(constant.text));
    } else if (constant.value_kind == sql::ConstantKind::bits && !constant.text.empty()) {
      const std::size_t bits_per_digit = constant.text.front() == 'x' ? 4 : 1;
      digest_of(constant.text, static_cast<std::uint32_t>((constant.text.size() - 1) * bits_per_digit));
    }
  }

  void digest_of(std::string_view bytes, std::optional<std::uint32_t> dimensions) {
    dimension = dimensions;
    digest = value_digest(as_bytes(bytes));
  }

  void keep(const std::optional<QuerySketch>& made) {
    if (made) sketch = std::make_shared<const QuerySketch>(*made);
  }

  std::span<const Binding> bindings_;
  const DescribeContext& context_;
};

}  // namespace

const Column* Binding::column(std::string_view name) const {
  for (std::size_t i = 0; i < columns.size() && i < relation->columns.size(); ++i) {
    if (columns[i] == name) return &relation->columns[i];
  }
  const auto at = std::ranges::find(relation->columns, name, &Column::name);
  if (at == relation->columns.end()) return nullptr;
  return static_cast<std::size_t>(at - relation->columns.begin()) < columns.size() ? nullptr : &*at;
}

bool is_vector_column(const Catalogue& catalogue, const Column& column) {
  const auto* type = element_type(catalogue, column.type);
  return type != nullptr && (type->name == "vector" || type->name == "halfvec" || type->name == "sparsevec");
}

std::optional<DistanceUse> as_distance_use(const sql::Expr& expr, const DescribeContext& context) {
  if (const auto* operation = sql::as<sql::OperatorExpr>(&expr)) {
    const auto distance = distance_operator(operation->symbol());
    if (!distance || operation->left == nullptr) return std::nullopt;
    return DistanceUse{&expr, operation->left, operation->right, distance->metric, false};
  }
  const auto* call = sql::as<sql::FunctionCall>(&expr);
  if (call == nullptr || call->name.empty() || call->args.size() != 2) return std::nullopt;
  const auto distance = distance_function(call->name.back());
  if (!distance) return std::nullopt;
  const auto schema = call->name.size() > 1 ? call->name[call->name.size() - 2] : std::string_view{};
  const auto cls = context.catalogue.find_function(context.search_path, schema, call->name.back()).facts.cls;
  if (cls != FunctionClass::vector) return std::nullopt;
  return DistanceUse{&expr, call->args[0], call->args[1], distance->metric, true};
}

std::optional<VectorSearch> vector_search(const DistanceUse& use, std::span<const Binding> bindings,
                                          const DescribeContext& context) {
  Side left{bindings, context};
  Side right{bindings, context};
  left.read(use.left);
  right.read(use.right);
  const bool vector = use.by_function || left.kind == Kind::vector || right.kind == Kind::vector;
  if (!vector && (left.kind == Kind::other || right.kind == Kind::other)) return std::nullopt;
  VectorSearch search;
  search.metric = use.metric;
  const auto& about = left.relation == nullptr && right.relation != nullptr ? right : left;
  const auto& query = &about == &left ? right : left;
  search.field = about.field.empty() ? query.field : about.field;
  if (about.relation != nullptr) search.collection = about.relation->qualified_name();
  search.dimension = query.dimension;
  search.query_digest = query.digest;
  search.sketch = query.sketch;
  return search;
}

void add_search(std::vector<VectorSearch>& searches, VectorSearch search) {
  for (auto& known : searches) {
    if (known.collection != search.collection || known.field != search.field ||
        known.metric != search.metric || known.query_digest != search.query_digest) {
      continue;
    }
    known.returns_score |= search.returns_score;
    return;
  }
  searches.push_back(std::move(search));
}

}  // namespace sluice::postgres
