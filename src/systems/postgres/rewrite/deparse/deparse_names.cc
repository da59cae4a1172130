// Names of operators, functions and types: each with its schema where there is one answer.
#include <fmt/format.h>

#include <array>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

std::string_view schema_of(Names name) {
  return name.size() == 2 ? name.front() : std::string_view{};
}

}  // namespace

// The type of an operand, where it can be told without knowing how PostgreSQL resolves functions; nullptr
// otherwise.
const Type* Deparser::known_type(const Expr* node, const Scope& scope) const {
  if (node == nullptr) return nullptr;
  if (const auto* cast = as<TypeCast>(node)) {
    if (cast->type->names.empty() || cast->type->names.size() > 2 || !cast->type->array_bounds.empty())
      return nullptr;
    return catalogue_.find_type(path_, schema_of(cast->type->names), cast->type->names.back());
  }
  if (const auto* literal = as<Constant>(node)) {
    if (literal->value_kind == ConstantKind::integer) return catalogue_.find_type({}, "pg_catalog", "int4");
    if (literal->value_kind == ConstantKind::number) return catalogue_.find_type({}, "pg_catalog", "numeric");
    return nullptr;
  }
  const auto* ref = as<ColumnRef>(node);
  if (ref == nullptr) return nullptr;
  Meaning meaning = resolve(*ref, scope);
  if (meaning.kind != Meaning::Kind::column || !meaning.certain || meaning.entry->relation == nullptr)
    return nullptr;
  return catalogue_.base_type(meaning.entry->relation->columns[meaning.index].type);
}

// The schema is written where there is one answer. Where pg_catalog and pgvector both have such an operator
// (`=`, `+`, `<->`), an operand of a known type tells: pgvector's take vectors on both sides, and no scalar
// becomes a vector by itself. What is left is decided by the operand types as in the client's text; all
// candidates are vouched for.
void Deparser::operator_symbol(Names name, const Type* left, const Type* right) {
  if (name.empty() || name.size() > 2) return refuse("an operator is not understood");
  constexpr std::string_view kCharacters = "+-*/<>=~!@#%^&|`?";
  if (name.back().find_first_not_of(kCharacters) != std::string_view::npos) {
    return refuse("an operator is not understood");
  }
  if (name.size() == 2) {
    out_ += qualified_operator(name.front(), name.back());
    return;
  }
  OperatorChoice choice = catalogue_.find_operator(path_, "", name.back());
  if (choice.schema.empty() && choice.vouched && choice.vector && is_builtin_operator(name.back())) {
    auto scalar = [](const Type* type) {
      return type != nullptr && type->schema == "pg_catalog" && type->category != 'A' &&
             type->category != 'V';
    };
    auto vector = [](const Type* type) {
      return type != nullptr && type->extension == "vector" && type->element == 0;
    };
    auto fits = [](const Type* type, auto test) { return type == nullptr || test(type); };
    if ((scalar(left) || scalar(right)) && fits(left, scalar) && fits(right, scalar))
      choice.schema = "pg_catalog";
    if (vector(left) || vector(right)) choice.schema = catalogue_.vector_schema();
  }
  out_ += choice.schema.empty() ? std::string(name.back()) : qualified_operator(choice.schema, name.back());
}

void Deparser::function_name(Names name) {
  if (name.empty() || name.size() > 2) return refuse("a function name is not understood");
  if (name.size() == 2) {
    out_ += quote_qualified(name.front(), name.back());
    return;
  }
  FunctionChoice choice = catalogue_.find_function(path_, "", name.back());
  out_ += quote_qualified(choice.schema, name.back());
}

std::optional<FunctionClass> Deparser::function_class(Names name) const {
  if (name.empty() || name.size() > 2) return std::nullopt;
  return catalogue_.find_function(path_, schema_of(name), name.back()).facts.cls;
}

std::string Deparser::type_name(const TypeName& name) {
  if (name.names.empty() || name.names.size() > 2 || name.setof || name.percent_type) {
    refuse(fmt::format("type {} is not understood", display_name(name.names)));
    return "";
  }
  const Type* found = catalogue_.find_type(path_, schema_of(name.names), name.names.back());
  // What the catalogue does not know is the server's to refuse, as the client wrote it.
  std::string text = found == nullptr ? quote_qualified(schema_of(name.names), name.names.back())
                                      : quote_qualified(found->schema, found->name);
  if (!name.typmods.empty()) {
    text += '(';
    for (std::size_t i = 0; i < name.typmods.size(); ++i) {
      if (i > 0) text += ", ";
      const auto* number = as<Constant>(name.typmods[i]);
      if (number == nullptr || number->value_kind != ConstantKind::integer) {
        refuse(fmt::format("the modifier of type {} is not understood", display_name(name.names)));
        return "";
      }
      text += fmt::format("{}", number->integer);
    }
    text += ')';
  }
  for (std::int32_t bound : name.array_bounds) text += bound < 0 ? "[]" : fmt::format("[{}]", bound);
  return text;
}

void Deparser::type(const TypeName& name) {
  out_ += type_name(name);
}

}  // namespace sluice::postgres::rewrite
