#include "policy/matcher.h"

#include <algorithm>

namespace sluice::policy {
namespace {

bool any_value(const std::vector<ValuePattern>& patterns, std::string_view value) {
  return std::ranges::any_of(patterns, [&](const ValuePattern& p) { return p.matches(value); });
}

bool any_of_values(const std::vector<ValuePattern>& patterns, const std::vector<std::string>& values) {
  return std::ranges::any_of(values, [&](const std::string& value) { return any_value(patterns, value); });
}

bool any_path(const std::vector<NamePattern>& patterns, std::string_view path, Reading reading) {
  return std::ranges::any_of(patterns, [&](const NamePattern& p) { return p.matches_path(path, reading); });
}

bool any_wildcard(const std::vector<NamePattern>& patterns) {
  return std::ranges::any_of(patterns, &NamePattern::any);
}

Clause principal_clause(const PrincipalCriteria& criteria, const Principal& principal) {
  if (!criteria.names.empty() && !any_value(criteria.names, principal.name)) return Clause::principal_name;
  if (criteria.kind && *criteria.kind != principal.kind) return Clause::principal_kind;
  if (!criteria.groups.empty() && !any_of_values(criteria.groups, principal.groups))
    return Clause::principal_groups;
  if (!criteria.roles.empty() && !any_of_values(criteria.roles, principal.roles))
    return Clause::principal_roles;
  for (const auto& [name, patterns] : criteria.claims) {
    auto claim = principal.claims.find(name);
    if (claim == principal.claims.end() || !any_value(patterns, claim->second))
      return Clause::principal_claims;
  }
  if (!criteria.owners.empty() && !any_value(criteria.owners, principal.owner))
    return Clause::principal_owner;
  return Clause::none;
}

bool collection_holds(const Criteria& criteria, const OperationView& view, std::size_t at, Reading reading) {
  if (criteria.collections.empty()) return true;
  if (at == kNowhere) return any_wildcard(criteria.collections);
  const Name& name = view.name(at);
  for (const NamePattern& pattern : criteria.collections) {
    if (pattern.matches(name, reading)) return true;
  }
  return false;
}

// Broadly: some field that the operation uses is meant, and `*` may be any. Narrowly: all that it uses are.
bool fields_hold(const Criteria& criteria, const OperationView& view, std::size_t at, Reading reading) {
  if (criteria.fields.empty()) return true;
  if (at == kNowhere) return reading == Reading::narrow || any_wildcard(criteria.fields);
  const CollectionUse& use = view.operation().collections[at];
  auto meant = [&](const std::string& field) { return any_path(criteria.fields, field, reading); };
  if (reading == Reading::broad) {
    return use.all_fields || std::ranges::any_of(use.output_fields, meant) ||
           std::ranges::any_of(use.tested_fields, meant) || any_wildcard(criteria.fields);
  }
  if (use.all_fields) return any_wildcard(criteria.fields);
  return std::ranges::all_of(use.output_fields, meant) && std::ranges::all_of(use.tested_fields, meant);
}

bool records_hold(const Criteria& criteria, const OperationView& view, Reading reading) {
  if (!criteria.records_over && !criteria.records_under) return true;
  const auto& max = view.operation().records.max;
  if (!max) return reading == Reading::broad;  // it may turn out to be any number
  return (!criteria.records_over || *max > *criteria.records_over) &&
         (!criteria.records_under || *max < *criteria.records_under);
}

bool vectors_hold(const VectorCriteria& criteria, const OperationView& view, Reading reading) {
  const Operation& operation = view.operation();
  if (criteria.searches && *criteria.searches == operation.searches.empty()) return false;
  if (criteria.returns_vectors && *criteria.returns_vectors != operation.returns_vectors) return false;
  if (criteria.returns_scores && *criteria.returns_scores != view.returns_scores()) return false;
  if (criteria.metrics.empty() && criteria.fields.empty()) return true;
  auto meant = [&](const VectorSearch& search) {
    return (criteria.metrics.empty() ||
            std::ranges::find(criteria.metrics, search.metric) != criteria.metrics.end()) &&
           (criteria.fields.empty() || any_path(criteria.fields, search.field, reading));
  };
  if (reading == Reading::broad) return std::ranges::any_of(operation.searches, meant);
  return !operation.searches.empty() && std::ranges::all_of(operation.searches, meant);
}

OperationMatch match_at(const Rule& rule, std::uint8_t excepts, const OperationView& view, std::size_t at,
                        Reading reading) {
  if (Clause failed = operation_clause(rule.match, view, at, reading); failed != Clause::none)
    return {failed, at};
  for (std::size_t i = 0; excepts != 0; ++i, excepts = static_cast<std::uint8_t>(excepts >> 1)) {
    if ((excepts & 1) && operation_clause(rule.except[i], view, at, opposite(reading)) == Clause::none) {
      return {Clause::except, at};
    }
  }
  return {Clause::none, at};
}

}  // namespace

SessionView::SessionView(const SessionFacts& session)
    : facts(session), address(parse_address(session.client_address)) {}

OperationView::OperationView(const Operation& operation, WallTime now)
    : operation_(operation),
      verb_(operation.verb),
      now_(now),
      returns_scores_(operation.returns_scores ||
                      std::ranges::any_of(operation.searches, &VectorSearch::returns_score)) {
  std::size_t count = operation.collections.size();
  std::size_t bytes = 0;
  for (const CollectionUse& use : operation.collections) bytes += use.name.size();
  char* out = folded_.data();
  if (bytes > folded_.size()) {
    folded_more_.resize(bytes);
    out = folded_more_.data();
  }
  if (count > kInline) more_.resize(count - kInline);
  for (std::size_t i = 0; i < count; ++i) {
    std::string_view text = operation.collections[i].name;
    fold_to(text, out);
    (i < kInline ? inline_[i] : more_[i - kInline]) = Name{text, {out, text.size()}};
    out += text.size();
  }
}

Clause session_clause(const Criteria& criteria, const SessionView& session, Reading reading) {
  const SessionFacts& facts = session.facts;
  if (Clause failed = principal_clause(criteria.principal, *facts.principal); failed != Clause::none)
    return failed;
  if (!criteria.connections.empty() && !any_value(criteria.connections, facts.connection))
    return Clause::connection;
  if (!criteria.systems.empty() &&
      std::ranges::find(criteria.systems, facts.system) == criteria.systems.end()) {
    return Clause::system;
  }
  if (!criteria.networks.empty()) {
    bool inside = session.address
                      ? std::ranges::any_of(criteria.networks,
                                            [&](const Network& n) { return n.contains(*session.address); })
                      : reading == Reading::broad;
    if (!inside) return Clause::client_network;
  }
  return Clause::none;
}

Clause operation_clause(const Criteria& criteria, const OperationView& view, std::size_t at,
                        Reading reading) {
  if (criteria.verbs && !(*criteria.verbs & verb_bit(view.verb()))) return Clause::verb;
  if (!collection_holds(criteria, view, at, reading)) return Clause::collection;
  if (!fields_hold(criteria, view, at, reading)) return Clause::fields;
  if (!records_hold(criteria, view, reading)) return Clause::records;
  if (criteria.vectors && !vectors_hold(*criteria.vectors, view, reading)) return Clause::vectors;
  if (criteria.time && !criteria.time->contains(view.now())) return Clause::time;
  return Clause::none;
}

SessionMatch match_session(const Rule& rule, const SessionView& session, Reading reading) {
  SessionMatch match{session_clause(rule.match, session, reading)};
  if (match.failed != Clause::none) return match;
  for (std::size_t i = 0; i < rule.except.size(); ++i) {
    if (session_clause(rule.except[i], session, opposite(reading)) != Clause::none) continue;
    if (!rule.except[i].looks_at_operation()) return {Clause::except};  // exempts the session as a whole
    match.excepts = static_cast<std::uint8_t>(match.excepts | 1u << i);
  }
  return match;
}

OperationMatch match_operation(const Rule& rule, std::uint8_t excepts, const OperationView& view,
                               Reading reading) {
  if (view.collections() == 0) return match_at(rule, excepts, view, kNowhere, reading);
  OperationMatch first{};
  for (std::size_t at = 0; at < view.collections(); ++at) {
    OperationMatch match = match_at(rule, excepts, view, at, reading);
    bool holds = match.failed == Clause::none;
    if (holds == (reading == Reading::broad))
      return match;  // one is enough, for holding broadly and failing narrowly
    if (at == 0) first = match;
  }
  return first;
}

}  // namespace sluice::policy
