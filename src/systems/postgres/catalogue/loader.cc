#include "systems/postgres/catalogue/loader.h"

#include <algorithm>
#include <charconv>

#include "systems/postgres/catalogue/node_tree.h"
#include "systems/postgres/catalogue/queries.h"

namespace sluice::postgres {

// One query: how many columns its rows have, and what takes them. Without `take` no row is expected.
struct Loader::Step {
  std::string_view query;
  std::size_t columns;
  Result<void> (Loader::*take)(Row);
  enum class Rows { none, one, any } rows;
  std::size_t field_bytes = kMaxFieldBytes;
};

namespace {

template <class T>
Result<T> number(const std::optional<std::string>& field) {
  T value{};
  if (!field) return fail(Errc::malformed, "the catalogue has a null where a number belongs");
  const char* end = field->data() + field->size();
  auto [at, error] = std::from_chars(field->data(), end, value);
  if (error != std::errc{} || at != end) return fail(Errc::malformed, "the catalogue has a bad number");
  return value;
}

Result<bool> boolean(const std::optional<std::string>& field) {
  if (field == "true" || field == "t") return true;
  if (field == "false" || field == "f") return false;
  return fail(Errc::malformed, "the catalogue has a bad boolean");
}

Result<std::string> text(const std::optional<std::string>& field) {
  if (!field) return fail(Errc::malformed, "the catalogue has a null where a name belongs");
  return *field;
}

Result<char> letter(const std::optional<std::string>& field) {
  if (!field || field->size() != 1) return fail(Errc::malformed, "the catalogue has a bad kind");
  return field->front();
}

// "1 2 5"; null is the empty list.
template <class T = std::int16_t>
Result<std::vector<T>> numbers(const std::optional<std::string>& field) {
  std::vector<T> values;
  if (!field) return values;
  const char* at = field->data();
  const char* end = at + field->size();
  while (at != end) {
    T value = 0;
    auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc{}) return fail(Errc::malformed, "the catalogue has a bad list of numbers");
    if (values.size() == Loader::kMaxColumns)
      return fail(Errc::too_large, "the catalogue has an endless list of numbers");
    values.push_back(value);
    at = next;
    if (at != end && *at++ != ' ') return fail(Errc::malformed, "the catalogue has a bad list of numbers");
  }
  return values;
}

// "7473760074697400": each with a NUL behind it; null and the empty text are none.
Result<std::vector<std::string>> arguments(const std::optional<std::string>& field) {
  std::vector<std::string> made;
  if (!field) return made;
  std::string bytes;
  for (std::size_t i = 0; i < field->size(); i += 2) {
    unsigned byte = 0;
    const char* at = field->data() + i;
    const char* end = at + std::min<std::size_t>(2, field->size() - i);
    auto [next, error] = std::from_chars(at, end, byte, 16);
    if (error != std::errc{} || next != at + 2)
      return fail(Errc::malformed, "the catalogue has bad arguments of a trigger");
    if (byte != 0) {
      bytes += static_cast<char>(byte);
      continue;
    }
    made.push_back(std::move(bytes));
    bytes.clear();
  }
  return made;
}

template <class T>
void keep_one_of_each(std::vector<T>& values) {
  std::ranges::sort(values);
  const auto repeated = std::ranges::unique(values);
  values.erase(repeated.begin(), repeated.end());
}

}  // namespace

std::span<const Loader::Step> Loader::steps() {
  namespace q = catalogue_queries;
  using enum Step::Rows;
  static const Step all[] = {
      {q::kBegin, 0, nullptr, none},
      {q::kStaleness, 1, &Loader::add_staleness, one},
      {q::kServer, 4, &Loader::add_server, one},
      {q::kSchemas, 2, &Loader::add_schema, any},
      {q::kRelations, 8, &Loader::add_relation, any},
      {q::kColumns, 12, &Loader::add_column, any},
      {q::kIndexes, 8, &Loader::add_index, any},
      {q::kInheritance, 2, &Loader::add_inheritance, any},
      {q::kViews, 3, &Loader::add_view_part, any},
      {q::kViewTrees, 2, &Loader::add_view_tree, any, NodeTree::kMaxBytes},
      {q::kTypes, 13, &Loader::add_type, any},
      {q::kChecks, 2, &Loader::add_check, any, NodeTree::kMaxBytes},
      {q::kFunctions, 11, &Loader::add_function, any},
      {q::kBuiltinRoutines, 3, &Loader::add_builtin_routine, any},
      {q::kOperators, 6, &Loader::add_operator, any},
      {q::kConstraints, 11, &Loader::add_constraint, any},
      {q::kTriggers, 7, &Loader::add_trigger, any, kMaxArgumentBytes},
      {q::kExpressions, 6, &Loader::add_expression, any},
      {q::kCommit, 0, nullptr, none},
  };
  return all;
}

Loader::Loader(Transaction transaction) : transaction_(transaction) {
  skip();
}

bool Loader::skipped(const Step& step) const {
  return transaction_ == Transaction::surrounding && step.take == nullptr;
}

void Loader::skip() {
  while (step_ < steps().size() && skipped(steps()[step_])) ++step_;
}

std::optional<std::string_view> Loader::next_query() const {
  if (step_ == steps().size()) return std::nullopt;
  return steps()[step_].query;
}

Result<void> Loader::add_row(Row row) {
  if (step_ == steps().size()) return fail(Errc::malformed, "a row after the catalogue's end");
  const Step& step = steps()[step_];
  if (step.take == nullptr || row.size() != step.columns) {
    return fail(Errc::malformed, "the catalogue answers {} columns instead of {}", row.size(), step.columns);
  }
  if (++rows_ > kMaxRows) return fail(Errc::too_large, "the catalogue has more than {} rows", kMaxRows);
  if (++reply_rows_ > 1 && step.rows == Step::Rows::one) {
    return fail(Errc::malformed, "the catalogue answers more than one row");
  }
  for (const auto& field : row) {
    if (field && field->size() > step.field_bytes)
      return fail(Errc::too_large, "the catalogue has an endless name");
    if (field) bytes_ += field->size();
  }
  if (bytes_ > kMaxBytes) return fail(Errc::too_large, "the catalogue has more than {} bytes", kMaxBytes);
  return (this->*step.take)(row);
}

Result<void> Loader::end_reply() {
  if (step_ == steps().size()) return fail(Errc::internal, "the catalogue has been read already");
  if (steps()[step_].rows == Step::Rows::one && reply_rows_ != 1) {
    return fail(Errc::malformed, "the catalogue answers no row where one belongs");
  }
  reply_rows_ = 0;
  ++step_;
  skip();
  return {};
}

Result<CatalogueContents> Loader::finish() {
  if (step_ != steps().size()) return fail(Errc::internal, "the catalogue has not been read to its end");
  for (Relation& relation : contents_.relations) {
    if (relation.is_view() && relation.view.columns.empty() && relation.view.problem.empty()) {
      relation.view.problem = "its definition is not known";
    }
    keep_one_of_each(relation.reads);
    keep_one_of_each(relation.calls);
  }
  return std::move(contents_);
}

Result<void> Loader::add_staleness(Row row) {
  TRY(contents_.fingerprint, text(row[0]));
  return {};
}

Result<void> Loader::add_server(Row row) {
  TRY(contents_.server_version, number<int>(row[0]));
  TRY(contents_.database, text(row[1]));
  TRY(contents_.role, text(row[2]));
  contents_.vector_schema = row[3].value_or("");
  return {};
}

Result<void> Loader::add_schema(Row row) {
  TRY(std::string name, text(row[1]));
  (row[0] == "path" ? contents_.default_search_path : contents_.schemas).push_back(std::move(name));
  return {};
}

Result<void> Loader::add_relation(Row row) {
  Relation relation;
  TRY(relation.oid, number<Oid>(row[0]));
  TRY(relation.schema, text(row[1]));
  TRY(relation.name, text(row[2]));
  TRY(char kind, letter(row[3]));
  relation.kind = static_cast<RelationKind>(kind);
  TRY(relation.row_estimate, number<std::int64_t>(row[4]));
  TRY(relation.row_security, boolean(row[5]));
  TRY(relation.has_rules, boolean(row[6]));
  TRY(relation.system, boolean(row[7]));
  if (!relation_at_.emplace(relation.oid, contents_.relations.size()).second) {
    return fail(Errc::malformed, "the catalogue has relation {} twice", relation.oid);
  }
  contents_.relations.push_back(std::move(relation));
  return {};
}

Relation* Loader::relation(Oid oid) {
  auto found = relation_at_.find(oid);
  return found == relation_at_.end() ? nullptr : &contents_.relations[found->second];
}

// Without one snapshot for all queries (a surrounding READ COMMITTED transaction) a relation may have come
// after the relations were read: then its parts are of nobody, here and below.
Result<void> Loader::add_column(Row row) {
  TRY(Oid owner, number<Oid>(row[0]));
  Column column;
  TRY(column.attnum, number<std::int16_t>(row[1]));
  TRY(column.name, text(row[2]));
  TRY(column.type, number<Oid>(row[3]));
  TRY(column.typmod, number<std::int32_t>(row[4]));
  TRY(column.not_null, boolean(row[5]));
  TRY(column.generated, boolean(row[6]));
  TRY(column.identity, boolean(row[7]));
  TRY(column.has_default, boolean(row[8]));
  TRY(column.readable, boolean(row[9]));
  TRY(column.computed_from, numbers(row[10]));
  TRY(column.default_moves, boolean(row[11]));
  Relation* to = relation(owner);
  if (to == nullptr) return {};
  if (to->columns.size() == kMaxColumns) {
    return fail(Errc::too_large, "the catalogue has more than {} columns in a relation", kMaxColumns);
  }
  to->columns.push_back(std::move(column));
  return {};
}

Result<void> Loader::add_index(Row row) {
  TRY(Oid owner, number<Oid>(row[0]));
  Index index;
  TRY(index.oid, number<Oid>(row[1]));
  TRY(index.name, text(row[2]));
  TRY(index.method, text(row[3]));
  TRY(index.unique, boolean(row[4]));
  TRY(index.primary, boolean(row[5]));
  TRY(index.key, numbers(row[6]));
  TRY(index.columns, numbers(row[7]));
  keep_one_of_each(index.columns);
  std::erase(index.columns, std::int16_t{0});
  Relation* to = relation(owner);
  if (to == nullptr) return {};
  if (index.primary) to->primary_key = index.key;
  to->indexes.push_back(std::move(index));
  return {};
}

Result<void> Loader::add_inheritance(Row row) {
  TRY(Oid child, number<Oid>(row[0]));
  TRY(Oid parent, number<Oid>(row[1]));
  Relation* below = relation(child);
  Relation* above = relation(parent);
  if (below != nullptr) below->parents.push_back(parent);
  if (above != nullptr) above->children.push_back(child);
  return {};
}

Result<void> Loader::add_view_part(Row row) {
  TRY(Oid view, number<Oid>(row[0]));
  TRY(std::string word, text(row[1]));
  TRY(Oid target, number<Oid>(row[2]));
  Relation* to = relation(view);
  if (to == nullptr || target == 0 || target == view) return {};
  (word == "relid" ? to->reads : to->calls).push_back(target);  // the same again is left out at the end
  return {};
}

Result<void> Loader::add_view_tree(Row row) {
  TRY(Oid view, number<Oid>(row[0]));
  Relation* to = relation(view);
  if (to == nullptr) return {};
  if (!to->view.problem.empty() || !to->view.columns.empty()) {
    return fail(Errc::malformed, "the catalogue has view {} twice", view);
  }
  definition_bytes_ += row[1] ? row[1]->size() : 0;
  if (!row[1] || definition_bytes_ > kMaxDefinitionBytes) {
    to->view.problem = "its definition is too long";
  } else {
    to->view = read_lineage(*row[1]);
  }
  return {};
}

Result<void> Loader::add_type(Row row) {
  Type type;
  TRY(type.oid, number<Oid>(row[0]));
  TRY(type.schema, text(row[1]));
  TRY(type.name, text(row[2]));
  TRY(char kind, letter(row[3]));
  type.kind = static_cast<TypeKind>(kind);
  TRY(type.category, letter(row[4]));
  TRY(type.base, number<Oid>(row[5]));
  TRY(type.base_typmod, number<std::int32_t>(row[6]));
  TRY(type.element, number<Oid>(row[7]));
  TRY(type.relation, number<Oid>(row[8]));
  TRY(type.not_null, boolean(row[9]));
  type.extension = row[10].value_or("");
  TRY(type.cast_calls, numbers<Oid>(row[11]));
  type.first_label = row[12].value_or("");
  // A domain, enumeration, composite or array is as good as its parts and what its checks run
  // (Catalogue::make looks at those); a base type or range brings functions of its own.
  bool brings_code =
      type.kind == TypeKind::base || type.kind == TypeKind::range || type.kind == TypeKind::multirange;
  bool known = type.oid < kFirstNormalOid || is_vouched_extension(type.extension) || type.element != 0;
  type.vouched = known || !brings_code;
  type_at_.emplace(type.oid, contents_.types.size());
  contents_.types.push_back(std::move(type));
  return {};
}

Result<void> Loader::add_check(Row row) {
  TRY(Oid domain, number<Oid>(row[0]));
  auto at = type_at_.find(domain);
  if (at == type_at_.end()) return {};
  Type& type = contents_.types[at->second];
  definition_bytes_ += row[1] ? row[1]->size() : 0;
  auto parts = !row[1] || definition_bytes_ > kMaxDefinitionBytes ? std::nullopt : read_expression(*row[1]);
  if (!parts) {
    type.vouched = false;
    return {};
  }
  type.check_calls.insert(type.check_calls.end(), parts->functions.begin(), parts->functions.end());
  type.check_types.insert(type.check_types.end(), parts->types.begin(), parts->types.end());
  return {};
}

Result<void> Loader::add_function(Row row) {
  RoutineEntry entry;
  TRY(entry.oid, number<Oid>(row[0]));
  TRY(entry.schema, text(row[1]));
  TRY(entry.name, text(row[2]));
  entry.extension = row[3].value_or("");
  TRY(entry.c_language, boolean(row[4]));
  TRY(entry.takes_row, boolean(row[5]));
  TRY(entry.is_volatile, boolean(row[6]));
  TRY(entry.arguments, numbers<Oid>(row[7]));
  TRY(entry.language, text(row[8]));
  TRY(entry.made_of, numbers<Oid>(row[9]));
  std::erase(entry.made_of, Oid{0});
  entry.definition = row[10].value_or("");
  contents_.functions.push_back(std::move(entry));
  return {};
}

Result<void> Loader::add_builtin_routine(Row row) {
  TRY(Oid oid, number<Oid>(row[0]));
  TRY(contents_.builtin_routines[oid], text(row[1]));
  TRY(bool is_volatile, boolean(row[2]));
  if (is_volatile) contents_.volatile_builtins.insert(oid);
  return {};
}

Result<void> Loader::add_operator(Row row) {
  RoutineEntry entry;
  TRY(entry.oid, number<Oid>(row[0]));
  TRY(entry.schema, text(row[1]));
  TRY(entry.name, text(row[2]));
  entry.extension = row[3].value_or("");
  TRY(entry.c_language, boolean(row[4]));
  TRY(Oid function, number<Oid>(row[5]));
  entry.made_of = {function};
  contents_.operators.push_back(std::move(entry));
  return {};
}

Result<void> Loader::add_constraint(Row row) {
  TRY(Oid owner, number<Oid>(row[0]));
  Constraint constraint;
  TRY(constraint.name, text(row[1]));
  TRY(char kind, letter(row[2]));
  constraint.kind = static_cast<ConstraintKind>(kind);
  TRY(constraint.columns, numbers(row[3]));
  TRY(constraint.plain, numbers(row[4]));
  TRY(constraint.nulls_are_equal, boolean(row[5]));
  TRY(constraint.referenced, number<Oid>(row[6]));
  TRY(constraint.referenced_columns, numbers(row[7]));
  TRY(char on_delete, letter(row[8]));
  TRY(char on_update, letter(row[9]));
  constraint.on_delete = static_cast<ForeignKeyAction>(on_delete);
  constraint.on_update = static_cast<ForeignKeyAction>(on_update);
  TRY(constraint.validated, boolean(row[10]));
  constraint.foreseeable = constraint.kind != ConstraintKind::check;  // unless kExpressions says that it is
  if (constraint.referenced_columns.size() > constraint.columns.size()) {
    return fail(Errc::malformed, "the catalogue has a foreign key of more columns than it has");
  }
  // What stands behind an expression of an index is listed beside its 0.
  if (constraint.kind == ConstraintKind::key) {
    keep_one_of_each(constraint.columns);
    std::erase(constraint.columns, std::int16_t{0});
  }
  Relation* to = relation(owner);
  if (to != nullptr) to->constraints.push_back(std::move(constraint));
  return {};
}

Result<void> Loader::add_trigger(Row row) {
  TRY(Oid owner, number<Oid>(row[0]));
  Trigger trigger;
  TRY(trigger.name, text(row[1]));
  TRY(trigger.function, number<Oid>(row[2]));
  TRY(trigger.events, number<std::int16_t>(row[3]));
  TRY(trigger.enabled, boolean(row[4]));
  TRY(bool has_condition, boolean(row[5]));
  if (has_condition) {  // not known, unless kExpressions tells about it
    trigger.condition_columns = {0};
    trigger.condition_calls = {0};
  }
  TRY(trigger.arguments, arguments(row[6]));
  Relation* to = relation(owner);
  if (to != nullptr) to->triggers.push_back(std::move(trigger));
  return {};
}

Result<void> Loader::add_expression(Row row) {
  TRY(Oid owner, number<Oid>(row[0]));
  TRY(char kind, letter(row[1]));
  TRY(std::string name, text(row[2]));
  TRY(auto columns, numbers(row[3]));
  TRY(auto calls, numbers<Oid>(row[4]));
  TRY(bool foreseeable, boolean(row[5]));
  Relation* of = relation(owner);
  if (of == nullptr) return {};
  if (kind == 't') {
    const auto trigger = std::ranges::find(of->triggers, name, &Trigger::name);
    if (trigger == of->triggers.end()) return {};
    trigger->condition_columns = std::move(columns);
    trigger->condition_calls = std::move(calls);
    if (!foreseeable) trigger->condition_calls.push_back(0);
    return {};
  }
  const auto is_it = [&](const Constraint& each) {
    return each.kind == ConstraintKind::check && each.name == name;
  };
  const auto check = std::ranges::find_if(of->constraints, is_it);
  if (check == of->constraints.end()) return {};
  check->foreseeable = foreseeable;
  std::erase_if(calls, [](Oid function) { return function < kFirstNormalOid; });
  check->calls = std::move(calls);
  return {};
}

}  // namespace sluice::postgres
