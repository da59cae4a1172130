#include "systems/postgres/describe/calls.h"

#include <algorithm>

#include "systems/postgres/sql/names.h"

namespace sluice::postgres {
namespace {

constexpr std::string_view kSystemSchema = "pg_catalog";

std::string qualified(std::string_view schema, std::string_view name) {
  return schema.empty() ? std::string{name} : fmt::format("{}.{}", schema, name);
}

}  // namespace

FunctionClass Calls::function(const sql::FunctionCall& call) {
  if (call.name.empty() || call.name.size() > 2) {
    refuse(sql::display_name(call.name),
           fmt::format("function {} is not known", sql::display_name(call.name)));
    return FunctionClass::unvouched;
  }
  const auto schema = call.name.size() > 1 ? call.name.front() : std::string_view{};
  const auto name = call.name.back();
  const auto choice = context_.catalogue.find_function(context_.search_path, schema, name);
  const auto cls = choice.facts.cls;
  if (cls != FunctionClass::dangerous && cls != FunctionClass::unvouched) return cls;
  const auto where = choice.schema.empty() ? schema : std::string_view{choice.schema};
  // The server's own set_config is judged by the setting that it names (settings.h).
  if (name == "set_config" && where == kSystemSchema && !choice.ambiguous) return FunctionClass::session;
  if (choice.facts.is_harmless() || is_vouched(where, name)) return cls;
  const auto full = qualified(where, name);
  if (cls == FunctionClass::dangerous) {
    refuse(full, fmt::format("function {} {}", full, explain(choice.facts.danger)));
  } else {
    refuse(definition_of(schema, name).value_or(full), fmt::format("nobody vouches for function {}", full));
  }
  return cls;
}

std::optional<std::string> Calls::definition_of(std::string_view schema, std::string_view name) const {
  for (const auto* entry : context_.catalogue.functions_named(context_.search_path, schema, name)) {
    if (entry->definition.empty() || context_.catalogue.function_facts(entry->oid).is_harmless()) continue;
    return fmt::format("{}#{}", context_.catalogue.signature(*entry), entry->definition);
  }
  return std::nullopt;
}

void Calls::operator_of(const sql::OperatorExpr& operation) {
  switch (operation.form) {
    case sql::OperatorKind::distinct:
    case sql::OperatorKind::not_distinct:
    case sql::OperatorKind::null_if: {
      static constexpr std::string_view kEquals[] = {"="};
      return operator_named(kEquals);
    }
    case sql::OperatorKind::between:
    case sql::OperatorKind::not_between:
    case sql::OperatorKind::between_symmetric:
    case sql::OperatorKind::not_between_symmetric: {
      static constexpr std::string_view kLeast[] = {"<="};
      static constexpr std::string_view kMost[] = {">="};
      operator_named(kLeast);
      return operator_named(kMost);
    }
    default: return operator_named(operation.name);
  }
}

void Calls::operator_named(sql::Names name) {
  if (name.empty() || name.size() > 2) {
    return refuse(sql::display_name(name), fmt::format("operator {} is not known", sql::display_name(name)));
  }
  const auto schema = name.size() > 1 ? name.front() : std::string_view{};
  const auto symbol = name.back();
  const auto choice = context_.catalogue.find_operator(context_.search_path, schema, symbol);
  if (choice.vouched || is_vouched(choice.schema.empty() ? schema : choice.schema, symbol)) return;
  // Unknown to the catalogue: the server's to refuse.
  if (!has_scripted_operator(schema, symbol)) return;
  const auto full = qualified(choice.schema.empty() ? schema : choice.schema, symbol);
  refuse(full, fmt::format("nobody vouches for operator {}", full));
}

bool Calls::has_scripted_operator(std::string_view schema, std::string_view symbol) const {
  return std::ranges::any_of(context_.catalogue.contents().operators, [&](const RoutineEntry& entry) {
    if (entry.name != symbol || entry.c_language) return false;
    return schema.empty()
               ? std::ranges::find(context_.search_path, entry.schema) != context_.search_path.end()
               : entry.schema == schema;
  });
}

// A type outside pg_catalog and the extensions that is not vouched for has a cast by somebody's function, or
// is made of such. A domain's checks return nothing.
void Calls::type(const sql::TypeName& name) {
  if (name.names.empty() || name.names.size() > 2) return;
  const auto schema = name.names.size() > 1 ? name.names.front() : std::string_view{};
  const auto* type = context_.catalogue.find_type(context_.search_path, schema, name.names.back());
  if (type != nullptr) type = context_.catalogue.base_type(type->oid);
  if (type == nullptr || type->vouched || !type->extension.empty()) return;
  if (is_vouched(type->schema, type->name)) return;
  const auto full = qualified(type->schema, type->name);
  refuse(full, fmt::format("nobody vouches for the casts of type {}", full));
}

void Calls::field(std::string_view name) {
  if (!context_.catalogue.names_unvouched_row_function(name)) return;
  for (const auto& schema : context_.search_path) {
    if (is_vouched(schema, name)) return;
  }
  refuse(std::string{name}, fmt::format("nobody vouches for function {}", name));
}

void Calls::refuse(std::string full, std::string reason) {
  reasons_.push_back(std::move(reason));
  functions_.push_back(std::move(full));
}

}  // namespace sluice::postgres
