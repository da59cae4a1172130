#include "systems/postgres/catalogue/view.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/crypto.h"

namespace sluice::postgres {
namespace {

constexpr std::string_view kSystemSchema = "pg_catalog";
constexpr std::string_view kInformationSchema = "information_schema";
constexpr std::string_view kExpandsArray = "_pg_expandarray";

// Feeds every field with its length in front, so that no two contents give the same bytes.
class ContentDigest {
 public:
  ContentDigest& text(std::string_view value) {
    number(value.size());
    sha_.update(value);
    return *this;
  }
  template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  ContentDigest& number(T value) {
    auto wide = static_cast<std::uint64_t>(value);
    sha_.update(Bytes(reinterpret_cast<const std::uint8_t*>(&wide), sizeof wide));
    return *this;
  }
  template <class T>
  ContentDigest& numbers(const std::vector<T>& values) {
    number(values.size());
    for (auto value : values) number(value);
    return *this;
  }
  ContentDigest& texts(const std::vector<std::string>& values) {
    number(values.size());
    for (const std::string& value : values) text(value);
    return *this;
  }
  std::uint64_t finish() {
    Digest digest = sha_.finish();
    std::uint64_t head = 0;
    std::ranges::copy_n(digest.begin(), sizeof head, reinterpret_cast<std::uint8_t*>(&head));
    return head == 0 ? 1 : head;
  }

 private:
  Sha256 sha_;
};

void digest_columns(ContentDigest& digest, const std::vector<ViewColumn>& columns) {
  digest.number(columns.size());
  for (const ViewColumn& column : columns) {
    digest.number(column.bare).numbers(column.functions).number(column.origins.size());
    for (const ColumnOrigin& origin : column.origins) digest.number(origin.relation).number(origin.attnum);
  }
}

void digest_lineage(ContentDigest& digest, const ViewLineage& view) {
  digest.text(view.problem)
      .numbers(view.types)
      .number(view.picks)
      .number(view.repeats)
      .number(view.rows.size());
  for (const RowOrigin& row : view.rows) {
    digest.number(row.origin.relation).number(row.origin.attnum).number(row.use);
  }
  digest_columns(digest, view.columns);
  digest_columns(digest, view.always_read);
}

void digest_relation(ContentDigest& digest, const Relation& relation) {
  digest.number(relation.oid).text(relation.schema).text(relation.name).number(relation.kind);
  digest.number(relation.columns.size());
  for (const Column& column : relation.columns) {
    digest.number(column.attnum).text(column.name).number(column.type).number(column.typmod);
    digest.number(column.not_null)
        .number(column.generated)
        .number(column.identity)
        .number(column.has_default);
    digest.number(column.readable).numbers(column.computed_from).texts(column.former_names);
  }
  digest.number(relation.indexes.size());
  for (const Index& index : relation.indexes) {
    digest.number(index.oid).text(index.name).text(index.method).number(index.unique).number(index.primary);
    digest.numbers(index.key).numbers(index.columns);
  }
  digest.numbers(relation.parents).numbers(relation.children).numbers(relation.reads).numbers(relation.calls);
  digest_lineage(digest, relation.view);
  digest.numbers(relation.primary_key).number(relation.system).number(relation.row_security);
  digest.texts(relation.former_names);
  digest.number(relation.has_rules).number(relation.constraints.size());
  for (const Constraint& constraint : relation.constraints) {
    digest.text(constraint.name).number(constraint.kind).numbers(constraint.columns);
    digest.numbers(constraint.plain).number(constraint.nulls_are_equal).number(constraint.validated);
    digest.number(constraint.referenced);
    digest.number(constraint.foreseeable).numbers(constraint.calls);
    digest.numbers(constraint.referenced_columns).number(constraint.on_delete).number(constraint.on_update);
  }
  digest.number(relation.triggers.size());
  for (const Trigger& trigger : relation.triggers) {
    digest.text(trigger.name).number(trigger.function).number(trigger.events).number(trigger.enabled);
    digest.texts(trigger.arguments).numbers(trigger.condition_columns).numbers(trigger.condition_calls);
  }
  // row_estimate is left out: it informs people and changes with every ANALYZE.
}

void digest_routines(ContentDigest& digest, const std::vector<RoutineEntry>& routines) {
  digest.number(routines.size());
  for (const RoutineEntry& entry : routines) {
    digest.number(entry.oid)
        .text(entry.schema)
        .text(entry.name)
        .text(entry.extension)
        .number(entry.c_language);
    digest.number(entry.takes_row).number(entry.is_volatile).numbers(entry.arguments).text(entry.definition);
    digest.numbers(entry.made_of).number(entry.vouched);
  }
}

std::uint64_t digest_contents(const CatalogueContents& contents) {
  ContentDigest digest;
  digest.number(contents.server_version)
      .text(contents.database)
      .text(contents.role)
      .text(contents.vector_schema);
  for (const auto& schema : contents.default_search_path) digest.text(schema);
  digest.number(contents.relations.size());
  for (const Relation& relation : contents.relations) digest_relation(digest, relation);
  digest.number(contents.types.size());
  for (const Type& type : contents.types) {
    digest.number(type.oid).text(type.schema).text(type.name).number(type.kind).number(type.category);
    digest.number(type.base).number(type.base_typmod).number(type.element).number(type.relation);
    digest.number(type.not_null).number(type.vouched).text(type.extension).text(type.first_label);
  }
  digest_routines(digest, contents.functions);
  digest_routines(digest, contents.operators);
  return digest.finish();
}

// A composite, array, domain or range is no better than what it is made of. One look at each type, however
// they are made of each other.
void spread_distrust(CatalogueContents& contents) {
  std::vector<Oid> distrusted;
  for (const Type& type : contents.types) {
    if (!type.vouched) distrusted.push_back(type.oid);
  }
  if (distrusted.empty()) return;
  std::unordered_map<Oid, const Relation*> relations;
  for (const Relation& relation : contents.relations) relations.emplace(relation.oid, &relation);
  std::vector<std::pair<Oid, Type*>> made_of;  // a part, and what is made of it
  for (Type& type : contents.types) {
    if (type.element != 0) made_of.emplace_back(type.element, &type);
    if (type.base != 0) made_of.emplace_back(type.base, &type);
    for (Oid part : type.check_types) made_of.emplace_back(part, &type);
    if (auto row = relations.find(type.relation); type.relation != 0 && row != relations.end()) {
      for (const Column& column : row->second->columns) made_of.emplace_back(column.type, &type);
    }
  }
  constexpr auto kPart = &std::pair<Oid, Type*>::first;
  std::ranges::sort(made_of, {}, kPart);
  while (!distrusted.empty()) {
    const auto wholes = std::ranges::equal_range(made_of, distrusted.back(), {}, kPart);
    distrusted.pop_back();
    for (auto& [part, whole] : wholes) {
      if (std::exchange(whole->vouched, false)) distrusted.push_back(whole->oid);
    }
  }
}

FunctionFacts facts_of(const RoutineEntry& entry) {
  const FunctionFacts own{FunctionClass::unvouched, Danger::none, entry.vouched};
  if (entry.extension.empty()) return own;
  FunctionFacts facts = extension_function(entry.extension, entry.name);
  if (facts.cls == FunctionClass::dangerous) return facts;
  // What is not written in C may have been added by whoever owns the extension.
  return entry.c_language && facts.cls != FunctionClass::unvouched ? facts : own;
}

int consequence(FunctionFacts facts) {
  if (facts.cls == FunctionClass::unvouched && !facts.vouched) return 11;
  switch (facts.cls) {
    case FunctionClass::dangerous: return 12;
    case FunctionClass::unvouched: return 10;
    case FunctionClass::value_aggregate: return 9;
    case FunctionClass::set_returning: return 8;
    case FunctionClass::aggregate: return 7;
    case FunctionClass::value_window: return 6;
    case FunctionClass::window: return 5;
    case FunctionClass::vector: return 4;
    case FunctionClass::session: return 3;
    case FunctionClass::catalogue: return 2;
    case FunctionClass::extension: return 1;
    case FunctionClass::plain: return 0;
  }
  return 10;
}

bool on_path(SearchPath path, std::string_view schema) {
  return schema == kSystemSchema || std::ranges::find(path, schema) != path.end();
}

// The first schema of the path (pg_catalog before all others unless it is named) for which `find` answers.
template <class Find>
auto search(SearchPath path, Find find) -> decltype(find(kSystemSchema)) {
  if (std::ranges::find(path, kSystemSchema) == path.end()) {
    if (auto found = find(kSystemSchema)) return found;
  }
  for (const std::string& schema : path) {
    if (schema.empty() || Catalogue::is_temporary_schema(schema)) continue;
    if (auto found = find(std::string_view(schema))) return found;
  }
  return nullptr;
}

template <class T>
const T* in_schema(const std::unordered_map<std::string, std::vector<const T*>>& by_name,
                   const std::string& name, std::string_view schema) {
  auto found = by_name.find(name);
  if (found == by_name.end()) return nullptr;
  auto at = std::ranges::find_if(found->second, [&](const T* each) { return each->schema == schema; });
  return at == found->second.end() ? nullptr : *at;
}

}  // namespace

const Column* Relation::column(std::string_view column_name) const {
  auto at = std::ranges::find(columns, column_name, &Column::name);
  return at == columns.end() ? nullptr : &*at;
}

const Column* Relation::column(std::int16_t attnum) const {
  auto at = std::ranges::find(columns, attnum, &Column::attnum);
  return at == columns.end() ? nullptr : &*at;
}

std::shared_ptr<const Catalogue> Catalogue::make(CatalogueContents contents) {
  return std::shared_ptr<const Catalogue>(new Catalogue(std::move(contents)));
}

std::shared_ptr<const Catalogue> Catalogue::with_vouches(const Catalogue& base,
                                                         std::span<const Vouch> vouches) {
  CatalogueContents contents = base.contents_;
  for (std::size_t type : base.distrusted_) contents.types[type].vouched = true;
  for (RoutineEntry& entry : contents.functions) {
    if (entry.definition.empty()) continue;
    const Vouch wanted{base.signature(entry), entry.definition};
    entry.vouched = std::ranges::find(vouches, wanted) != vouches.end();
  }
  return make(std::move(contents));
}

Catalogue::Catalogue(CatalogueContents contents) : contents_(std::move(contents)) {
  for (const RoutineEntry& entry : contents_.functions) {
    function_by_oid_.emplace(entry.oid, &entry);
    functions_by_name_[entry.name].push_back(&entry);
  }
  judge_routines();
  judge_types();
  find_made_columns();
  version_ = digest_contents(contents_);
  has_temporary_ = std::ranges::any_of(contents_.relations, &Relation::is_temporary);
  for (const Relation& relation : contents_.relations) {
    relation_by_oid_.emplace(relation.oid, &relation);
    relations_by_name_[relation.name].push_back(&relation);
  }
  for (const Type& type : contents_.types) {
    type_by_oid_.emplace(type.oid, &type);
    types_by_name_[type.name].push_back(&type);
  }
  for (const RoutineEntry& entry : contents_.operators) operators_by_name_[entry.name].push_back(&entry);
  for (const auto& [oid, name] : contents_.builtin_routines) builtin_function_names_.insert(name);
}

// A function that something is made of: an operator vouches for it, or it is a built-in one on the lists.
bool Catalogue::is_part_harmless(Oid function) const {
  if (auto found = function_by_oid_.find(function); found != function_by_oid_.end())
    return facts_of(*found->second).is_harmless();
  auto name = contents_.builtin_routines.find(function);
  if (name == contents_.builtin_routines.end()) return false;
  auto facts = builtin_function(name->second);
  return facts && facts->is_harmless();
}

void Catalogue::judge_routines() {
  for (RoutineEntry& entry : contents_.functions) {
    if (entry.made_of.empty()) continue;
    entry.vouched = std::ranges::all_of(entry.made_of, [&](Oid part) { return is_part_harmless(part); });
  }
  // Unlike an aggregate, an operator is not called by name: somebody has to stand for it. And what is known
  // about a symbol of PostgreSQL's or pgvector's must be true of whatever hides under it.
  std::unordered_set<std::string_view> known_symbols;
  for (const RoutineEntry& entry : contents_.operators) {
    if (is_vouched_extension(entry.extension)) known_symbols.insert(entry.name);
  }
  for (RoutineEntry& entry : contents_.operators) {
    entry.vouched = !is_builtin_operator(entry.name) && !known_symbols.contains(entry.name) &&
                    !entry.made_of.empty() && std::ranges::all_of(entry.made_of, [&](Oid part) {
                      auto found = function_by_oid_.find(part);
                      return found != function_by_oid_.end() && found->second->vouched;
                    });
  }
}

void Catalogue::judge_types() {
  std::vector<std::size_t> as_read;
  for (std::size_t i = 0; i < contents_.types.size(); ++i) {
    Type& type = contents_.types[i];
    if (!type.vouched) continue;
    as_read.push_back(i);
    const auto harmless = [&](Oid part) { return function_facts(part).is_harmless(); };
    type.vouched =
        std::ranges::all_of(type.check_calls, harmless) && std::ranges::all_of(type.cast_calls, harmless);
  }
  spread_distrust(contents_);
  for (std::size_t i : as_read) {
    if (!contents_.types[i].vouched) distrusted_.push_back(i);
  }
}

void Catalogue::find_made_columns() {
  for (Relation& relation : contents_.relations) {
    for (const Trigger& trigger : relation.triggers) {
      if (action_of(trigger) == TriggerAction::makes_lexemes) note_made_columns(relation, trigger);
    }
  }
}

TriggerAction Catalogue::action_of(const Trigger& trigger) const {
  if (auto found = function_by_oid_.find(trigger.function); found != function_by_oid_.end()) {
    const RoutineEntry& entry = *found->second;
    return entry.c_language ? trigger_action(entry.extension, entry.name, trigger.arguments.size())
                            : TriggerAction::other;
  }
  const auto builtin = contents_.builtin_routines.find(trigger.function);
  if (builtin == contents_.builtin_routines.end()) return TriggerAction::other;
  return trigger_action("", builtin->second, trigger.arguments.size());
}

const Relation* Catalogue::relation(Oid oid) const {
  auto found = relation_by_oid_.find(oid);
  return found == relation_by_oid_.end() ? nullptr : found->second;
}

const Relation* Catalogue::find_relation(SearchPath path, std::string_view schema,
                                         std::string_view name) const {
  std::string key(name);
  if (!schema.empty()) return in_schema(relations_by_name_, key, schema);
  if (has_temporary_) {
    const auto named = std::ranges::find_if(path, is_temporary_schema);
    const SearchPath before = path.first(static_cast<std::size_t>(named - path.begin()));
    const Relation* own = in_schema(relations_by_name_, key, kTemporarySchema);
    if (own != nullptr && (named == path.end() || find_permanent(before, key) == nullptr)) return own;
  }
  return find_permanent(path, key);
}

const Relation* Catalogue::find_permanent(SearchPath path, const std::string& name) const {
  return search(path, [&](std::string_view each) { return in_schema(relations_by_name_, name, each); });
}

const Relation* Catalogue::shadowed(SearchPath path, std::string_view name) const {
  const Relation* meant = find_relation(path, "", name);
  return meant != nullptr && meant->is_temporary() ? find_permanent(path, std::string(name)) : nullptr;
}

std::span<const Relation* const> Catalogue::relations_named(std::string_view name) const {
  auto found = relations_by_name_.find(std::string(name));
  if (found == relations_by_name_.end()) return {};
  return found->second;
}

const Type* Catalogue::type(Oid oid) const {
  auto found = type_by_oid_.find(oid);
  return found == type_by_oid_.end() ? nullptr : found->second;
}

const Type* Catalogue::find_type(SearchPath path, std::string_view schema, std::string_view name) const {
  std::string key(name);
  if (!schema.empty()) return in_schema(types_by_name_, key, schema);
  return search(path, [&](std::string_view each) { return in_schema(types_by_name_, key, each); });
}

const Type* Catalogue::base_type(Oid oid) const {
  const Type* at = type(oid);
  // A chain of domains is as long as people made it, and never a circle in a healthy catalogue: bounded all
  // the same.
  for (std::size_t steps = contents_.types.size(); at != nullptr && at->kind == TypeKind::domain; --steps) {
    if (steps == 0) return nullptr;
    at = type(at->base);
  }
  return at;
}

std::string Catalogue::type_name(Oid oid) const {
  const Type* found = type(oid);
  if (found == nullptr) return "?";
  if (found->element != 0 && found->category == 'A') {
    const Type* element = type(found->element);
    if (element != nullptr) return element->schema + "." + element->name + "[]";
  }
  return found->schema + "." + found->name;
}

FunctionChoice Catalogue::find_function(SearchPath path, std::string_view schema,
                                        std::string_view name) const {
  FunctionChoice choice;
  bool found_any = false;
  auto consider = [&](FunctionFacts facts, std::string_view in) {
    if (!found_any || consequence(facts) > consequence(choice.facts)) choice.facts = facts;
    if (found_any && choice.schema != in) choice.ambiguous = true;
    if (!found_any) choice.schema = in;
    found_any = true;
  };
  std::string key(name);
  if (schema.empty() || schema == kSystemSchema) {
    auto builtin = builtin_function(name);
    if (builtin || builtin_function_names_.contains(key))
      consider(builtin.value_or(FunctionFacts{}), kSystemSchema);
  }
  // The places and elements of an array, as initdb makes it: JDBC's metadata queries call it.
  if (schema == kInformationSchema && name == kExpandsArray) {
    consider({FunctionClass::set_returning, Danger::none}, kInformationSchema);
  }
  if (auto entries = functions_by_name_.find(key); entries != functions_by_name_.end()) {
    for (const RoutineEntry* entry : entries->second) {
      if (schema.empty() ? on_path(path, entry->schema) : entry->schema == schema) {
        consider(facts_of(*entry), entry->schema);
      }
    }
  }
  if (choice.ambiguous) choice.schema.clear();
  return choice;
}

OperatorChoice Catalogue::find_operator(SearchPath path, std::string_view schema,
                                        std::string_view name) const {
  OperatorChoice choice;
  bool found_any = false;
  auto consider = [&](bool vouched, std::string_view in) {
    if (found_any && choice.schema != in) choice.ambiguous = true;
    choice.vouched = vouched && (choice.vouched || !found_any);
    if (!found_any) choice.schema = in;
    found_any = true;
  };
  if ((schema.empty() || schema == kSystemSchema) && is_builtin_operator(name)) consider(true, kSystemSchema);
  if (auto entries = operators_by_name_.find(std::string(name)); entries != operators_by_name_.end()) {
    for (const RoutineEntry* entry : entries->second) {
      if (schema.empty() ? !on_path(path, entry->schema) : entry->schema != schema) continue;
      consider(entry->vouched || (entry->c_language && is_vouched_extension(entry->extension)),
               entry->schema);
      choice.vector = choice.vector || entry->extension == "vector";
    }
  }
  if (choice.ambiguous) choice.schema.clear();
  return choice;
}

std::string Catalogue::signature(const RoutineEntry& function) const {
  std::string text = fmt::format("{}.{}(", function.schema, function.name);
  for (std::size_t i = 0; i < function.arguments.size(); ++i) {
    if (i > 0) text += ", ";
    std::string name = type_name(function.arguments[i]);
    if (name.starts_with("pg_catalog.")) name.erase(0, kSystemSchema.size() + 1);
    text += name;
  }
  return text + ")";
}

std::vector<const RoutineEntry*> Catalogue::functions_named(SearchPath path, std::string_view schema,
                                                            std::string_view name) const {
  std::vector<const RoutineEntry*> found;
  auto entries = functions_by_name_.find(std::string(name));
  if (entries == functions_by_name_.end()) return found;
  for (const RoutineEntry* entry : entries->second) {
    if (schema.empty() ? on_path(path, entry->schema) : entry->schema == schema) found.push_back(entry);
  }
  return found;
}

FunctionFacts Catalogue::function_facts(Oid oid) const {
  if (auto found = function_by_oid_.find(oid); found != function_by_oid_.end())
    return facts_of(*found->second);
  auto name = contents_.builtin_routines.find(oid);
  if (name == contents_.builtin_routines.end()) return {};
  if (auto facts = builtin_function(name->second)) return *facts;
  bool inner = name->second.starts_with("pg_") || name->second.starts_with("binary_upgrade_");
  return inner ? FunctionFacts{} : FunctionFacts{FunctionClass::plain, Danger::none};
}

bool Catalogue::is_volatile(Oid function) const {
  if (auto found = function_by_oid_.find(function); found != function_by_oid_.end())
    return found->second->is_volatile;
  return !contents_.builtin_routines.contains(function) || contents_.volatile_builtins.contains(function);
}

bool Catalogue::tells_order(std::string_view function) const {
  if (tells_order_of_calls(function)) return true;
  auto entries = functions_by_name_.find(std::string(function));
  if (entries == functions_by_name_.end() || is_unforeseeable(function)) return false;
  return std::ranges::any_of(entries->second, &RoutineEntry::is_volatile);
}

bool Catalogue::names_unvouched_row_function(std::string_view name) const {
  auto entries = functions_by_name_.find(std::string(name));
  if (entries == functions_by_name_.end()) return false;
  return std::ranges::any_of(entries->second, [](const RoutineEntry* entry) {
    return entry->takes_row && !facts_of(*entry).is_harmless();
  });
}

namespace {

// Everything reachable from `start` over `next`, `start` first.
template <class Next>
std::vector<Oid> reachable(Oid start, Next next) {
  std::vector<Oid> order{start};
  std::unordered_set<Oid> seen{start};
  for (std::size_t i = 0; i < order.size(); ++i) {
    next(order[i], [&](Oid oid) {
      if (seen.insert(oid).second) order.push_back(oid);
    });
  }
  return order;
}

}  // namespace

std::vector<Oid> Catalogue::family(Oid oid) const {
  return reachable(oid, [&](Oid at, auto visit) {
    const Relation* each = relation(at);
    if (each == nullptr) return;
    for (Oid parent : each->parents) visit(parent);
    for (Oid child : each->children) visit(child);
  });
}

std::vector<Oid> Catalogue::lineage(Oid oid) const {
  return reachable(oid, [&](Oid at, auto visit) {
    const Relation* each = relation(at);
    if (each == nullptr || !each->is_view()) return;
    for (Oid source : each->reads) visit(source);
  });
}

bool Catalogue::is_temporary_schema(std::string_view schema) {
  return schema == "pg_temp" || schema.starts_with("pg_temp_") || schema.starts_with("pg_toast_temp_");
}

}  // namespace sluice::postgres
