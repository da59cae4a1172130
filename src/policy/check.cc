#include "policy/check.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "policy/yaml_tree.h"

namespace sluice::policy {
namespace {

constexpr std::size_t kMaxMasksPerRule = 4096;  // collections × fields; each is matched against each column
constexpr std::size_t kMaxPairsCompared =
    1'000'000;  // deny × allow rules; beyond it the warning is not looked for

class Checker {
 public:
  explicit Checker(const std::vector<Rule>& rules) : rules_(rules) {}

  std::vector<Problem> run() {
    for (const Rule& rule : rules_) {
      check_name(rule);
      check_effects(rule);
      check_mask(rule);
      check_reach(rule);
    }
    if (!has_errors(problems_)) find_dead_allows();
    if (!has_errors(problems_) &&
        std::ranges::none_of(rules_, [](const Rule& rule) { return rule.allow && !rule.shadow; })) {
      problems_.push_back({Severity::warning,
                           rules_.empty() ? std::string{} : rules_.front().file,
                           0,
                           0,
                           "no rule allows anything: every operation is denied",
                           {}});
    }
    return std::move(problems_);
  }

 private:
  void add(Severity severity, const Rule& rule, Place place, std::string message, std::string hint = {}) {
    if (problems_.size() > kMaxProblems) return;
    problems_.push_back({severity, rule.file, place.line, place.column, std::move(message), std::move(hint)});
  }
  void error(const Rule& rule, std::string message, std::string hint = {}) {
    add(Severity::error, rule, rule.place, std::move(message), std::move(hint));
  }

  void check_name(const Rule& rule) {
    if (rule.name.empty()) return;  // reported where it was read
    auto [first, added] = names_.try_emplace(rule.name, &rule);
    if (added) return;
    error(rule, fmt::format("there is already a rule named '{}'", rule.name),
          fmt::format("at {}:{}", first->second->file, first->second->place.line));
  }

  void check_effects(const Rule& rule) {
    bool others = rule.allow || rule.limit || rule.budget || rule.review || !rule.mask.empty();
    if (!rule.deny && !others) {
      error(rule, fmt::format("rule '{}' has no effect", rule.name),
            "give it one of: allow, deny, limit, budget, review, mask");
    }
    if (rule.deny && others) {
      error(rule, fmt::format("rule '{}' denies, so it can do nothing else", rule.name), "make it two rules");
    }
    if (rule.review_is_terms_only() && !rule.review) {
      error(rule, fmt::format("rule '{}' says 'over: review' but not who reviews", rule.name),
            "add review: {by: [group:…]}");
    }
    if (rule.allow && !rule.match.verbs) {
      add(Severity::error, rule, rule.match_place,
          fmt::format("rule '{}' allows without naming verbs", rule.name),
          "name them; verb: \"*\" allows exports, schema and admin, too");
    }
    if (rule.allow && rule.match.records_over) {
      add(Severity::warning, rule, rule.match_place,
          fmt::format("rule '{}' allows only operations above a number of records", rule.name),
          "to allow up to a number, write allow: {max_records: …}");
    }
  }

  // Masks are compiled into one set per session, so that a statement is rewritten the same way whoever sends
  // it how.
  void check_mask(const Rule& rule) {
    if (rule.mask.empty()) return;
    auto session_only = [](const Criteria& c) {
      return !c.verbs && c.fields.empty() && !c.records_over && !c.records_under && !c.vectors && !c.time;
    };
    if (!session_only(rule.match) || !std::ranges::all_of(rule.except, session_only)) {
      add(Severity::error, rule, rule.match_place,
          fmt::format("masks of rule '{}' would depend on the operation", rule.name),
          "a mask rule matches on principal, connection, system, client_network and collection only; "
          "put the mask into a rule of its own");
    }
    std::size_t collections = std::max<std::size_t>(1, rule.match.collections.size());
    if (collections * (rule.mask.fields.size() + rule.mask.vectors.size() + rule.mask.detects.size()) >
        kMaxMasksPerRule) {
      error(rule, fmt::format("rule '{}' makes more than {} masks", rule.name, kMaxMasksPerRule),
            "use globs");
    }
  }

  void check_reach(const Rule& rule) {
    for (const Criteria& except : rule.except) {
      if (covers(except, rule.match)) {
        add(Severity::error, rule, rule.match_place,
            fmt::format("rule '{}' can never apply: its 'except' exempts all that it matches", rule.name));
        return;
      }
    }
  }

  void find_dead_allows() {
    std::vector<const Rule*> denies;
    for (const Rule& rule : rules_) {
      if (rule.deny && !rule.shadow && rule.except.empty()) denies.push_back(&rule);
    }
    if (denies.size() * rules_.size() > kMaxPairsCompared) return;
    for (const Rule& rule : rules_) {
      if (!rule.allow) continue;
      auto by =
          std::ranges::find_if(denies, [&](const Rule* deny) { return covers(deny->match, rule.match); });
      if (by == denies.end()) continue;
      add(Severity::warning, rule, rule.allow_place,
          fmt::format("rule '{}' can never grant: rule '{}' denies all that it matches", rule.name,
                      (*by)->name));
    }
  }

  // Whether everything that `b` matches is surely matched by `a`. Says no when in doubt.
  static bool covers(const Criteria& a, const Criteria& b) {
    if (a.records_over || a.records_under || a.vectors || a.time || !a.fields.empty() ||
        !a.networks.empty()) {
      return false;
    }
    if (a.verbs && (!b.verbs || (*b.verbs & ~*a.verbs) != 0)) return false;
    if (a.principal.kind && a.principal.kind != b.principal.kind) return false;
    if (!a.principal.claims.empty()) return false;
    auto within = [](const auto& outer, const auto& inner, auto same) {
      if (outer.empty()) return true;
      return !inner.empty() && std::ranges::all_of(inner, [&](const auto& item) {
        return std::ranges::any_of(outer, [&](const auto& pattern) { return same(pattern, item); });
      });
    };
    auto value = [](const ValuePattern& pattern, const ValuePattern& item) {
      return pattern.text() == "*" || pattern.text() == item.text() ||
             (item.literal() && pattern.matches(item.text()));
    };
    auto name = [](const NamePattern& pattern, const NamePattern& item) {
      return pattern.any() || pattern.text() == item.text() ||
             (item.literal() && pattern.matches({item.text(), item.text()}, Reading::narrow));
    };
    return within(a.principal.names, b.principal.names, value) &&
           within(a.principal.groups, b.principal.groups, value) &&
           within(a.principal.roles, b.principal.roles, value) &&
           within(a.principal.owners, b.principal.owners, value) &&
           within(a.connections, b.connections, value) &&
           within(a.systems, b.systems, [](const std::string& x, const std::string& y) { return x == y; }) &&
           within(a.collections, b.collections, name);
  }

  const std::vector<Rule>& rules_;
  std::map<std::string_view, const Rule*> names_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> check_rules(const std::vector<Rule>& rules) {
  return Checker{rules}.run();
}

}  // namespace sluice::policy
