// `match` and `except`: what a rule is about.
#include <algorithm>
#include <array>

#include "policy/syntax.h"
#include "policy/yaml_reader.h"

namespace sluice::policy {
namespace {

template <class Pattern>
void read_patterns(const YamlNode* node, std::string_view what, std::vector<Pattern>& out,
                   Problems& problems) {
  if (!node) return;
  for (TextItem& item : read_list(*node, what, problems)) out.emplace_back(std::move(item.text));
}

std::vector<std::string> read_words(const YamlNode* node, std::string_view what,
                                    std::span<const std::string_view> words, Problems& problems) {
  std::vector<std::string> found;
  if (!node) return found;
  for (TextItem& item : read_list(*node, what, problems)) {
    if (std::ranges::find(words, item.text) != words.end()) {
      found.push_back(std::move(item.text));
      continue;
    }
    std::string hint = did_you_mean(item.text, words);
    problems.error(item.place, fmt::format("unknown {} '{}'", what, item.text),
                   hint.empty() ? fmt::format("one of: {}", fmt::join(words, ", ")) : hint);
  }
  return found;
}

void read_principal(const YamlNode& node, PrincipalCriteria& principal, Problems& problems) {
  Mapping keys{node, "principal", {"name", "kind", "groups", "roles", "claims", "owner"}, problems};
  if (keys.usable() && node.keys.empty()) {
    problems.error(node.place, "'principal' is empty", "leave the key out to match everybody");
  }
  read_patterns(keys.find("name"), "name", principal.names, problems);
  read_patterns(keys.find("groups"), "groups", principal.groups, problems);
  read_patterns(keys.find("roles"), "roles", principal.roles, problems);
  read_patterns(keys.find("owner"), "owner", principal.owners, problems);
  if (const YamlNode* kind = keys.find("kind")) {
    static constexpr std::array<std::string_view, 2> kKinds = {"human", "machine"};
    if (auto word = read_word(*kind, "kind", kKinds, problems)) {
      principal.kind = *word == "human" ? PrincipalKind::human : PrincipalKind::machine;
    }
  }
  if (const YamlNode* claims = keys.find("claims")) {
    if (claims->kind != YamlNode::Kind::mapping || claims->keys.empty()) {
      problems.error(claims->place, "'claims' must be a block of claim names and values");
      return;
    }
    for (std::size_t i = 0; i < claims->keys.size(); ++i) {
      const std::string& name = claims->keys[i].text;
      principal.claims.emplace_back(name, std::vector<ValuePattern>{});
      read_patterns(&claims->items[i], name, principal.claims.back().second, problems);
    }
  }
}

std::optional<VerbSet> read_verbs(const YamlNode& node, Problems& problems) {
  VerbSet verbs = 0;
  for (const TextItem& item : read_list(node, "verb", problems)) {
    if (item.text == "*") {
      verbs = kAllVerbs;
    } else if (item.text == "unknown") {
      problems.error(item.place, "no rule can match what was not understood", "it is always denied");
    } else if (auto verb = verb_from(item.text)) {
      verbs |= verb_bit(*verb);
    } else {
      std::string hint = did_you_mean(item.text, verb_names());
      problems.error(item.place, fmt::format("unknown verb '{}'", item.text),
                     hint.empty() ? fmt::format("one of: {}", fmt::join(verb_names(), ", ")) : hint);
    }
  }
  return verbs;
}

void read_records(const YamlNode& node, Criteria& criteria, Problems& problems) {
  Mapping keys{node, "records", {"over", "under"}, problems};
  if (const YamlNode* over = keys.find("over"))
    criteria.records_over = read_count(*over, "over", 0, kMaxCount, problems);
  if (const YamlNode* under = keys.find("under")) {
    criteria.records_under = read_count(*under, "under", 1, kMaxCount, problems);
  }
  if (keys.usable() && node.keys.empty()) problems.error(node.place, "'records' needs 'over' or 'under'");
  if (criteria.records_over && criteria.records_under &&
      *criteria.records_under <= *criteria.records_over + 1) {
    problems.error(node.place, fmt::format("no number is over {} and under {}", *criteria.records_over,
                                           *criteria.records_under));
  }
}

void read_vectors(const YamlNode& node, Criteria& criteria, Problems& problems) {
  static constexpr std::array<std::string_view, 6> kMetrics = {"l2", "inner_product", "cosine",
                                                               "l1", "hamming",       "jaccard"};
  Mapping keys{
      node, "vectors", {"searches", "returns_vectors", "returns_scores", "metric", "field"}, problems};
  if (keys.usable() && node.keys.empty()) problems.error(node.place, "'vectors' is empty");
  VectorCriteria vectors;
  auto flag = [&](std::string_view key, std::optional<bool>& out) {
    if (const YamlNode* value = keys.find(key)) out = read_bool(*value, key, problems);
  };
  flag("searches", vectors.searches);
  flag("returns_vectors", vectors.returns_vectors);
  flag("returns_scores", vectors.returns_scores);
  vectors.metrics = read_words(keys.find("metric"), "metric", kMetrics, problems);
  read_patterns(keys.find("field"), "field", vectors.fields, problems);
  if (vectors.searches == false && (!vectors.metrics.empty() || !vectors.fields.empty())) {
    problems.error(node.place, "no operation without a search has a metric or a searched field");
  }
  criteria.vectors = std::move(vectors);
}

void read_time(const YamlNode& node, Criteria& criteria, Problems& problems) {
  Mapping keys{node, "time", {"days", "hours", "timezone"}, problems};
  TimeWindow window;
  const YamlNode* days = keys.find("days");
  const YamlNode* hours = keys.find("hours");
  if (keys.usable() && !days && !hours) problems.error(node.place, "'time' needs 'days' or 'hours'");
  if (days) {
    window.days = 0;
    for (const TextItem& item : read_list(*days, "days", problems)) {
      if (auto day = day_from(item.text)) {
        window.days = static_cast<std::uint8_t>(window.days | 1u << *day);
      } else {
        problems.error(item.place, fmt::format("unknown day '{}'", item.text),
                       "one of: mon, tue, wed, thu, fri, sat, sun");
      }
    }
  }
  if (hours) {
    for (const TextItem& item : read_list(*hours, "hours", problems)) {
      if (auto range = hours_from(item.text)) {
        window.hours.push_back(*range);
      } else {
        problems.error(item.place, fmt::format("'{}' is not a range of hours", item.text),
                       "for example 08:00-18:00");
      }
    }
  }
  if (const YamlNode* zone = keys.find("timezone")) {
    if (auto text = read_text(*zone, "timezone", problems)) {
      if (auto offset = timezone_from(*text)) {
        window.offset = *offset;
      } else {
        problems.error(zone->place, fmt::format("unknown timezone '{}'", *text),
                       "UTC, or a distance from it: +02:00");
      }
    }
  }
  criteria.time = std::move(window);
}

}  // namespace

Criteria read_criteria(const YamlNode& node, std::string_view what, bool is_match, Problems& problems) {
  static constexpr std::array<std::string_view, 11> kKeys = {
      "principal", "connection", "system",  "client_network", "verb",  "collection",
      "fields",    "records",    "vectors", "time",           "except"};
  Criteria criteria;
  Mapping keys{node, what, std::span{kKeys}.first(is_match ? kKeys.size() : kKeys.size() - 1), problems};
  if (!keys.usable()) return criteria;
  if (!is_match && node.keys.empty()) {
    problems.error(node.place, "an empty 'except' exempts everything", "leave it out");
  }
  if (const YamlNode* principal = keys.find("principal"))
    read_principal(*principal, criteria.principal, problems);
  read_patterns(keys.find("connection"), "connection", criteria.connections, problems);
  criteria.systems = read_words(keys.find("system"), "system", known_systems(), problems);
  if (const YamlNode* networks = keys.find("client_network")) {
    for (const TextItem& item : read_list(*networks, "client_network", problems)) {
      if (auto network = Network::parse(item.text)) {
        criteria.networks.push_back(*network);
      } else {
        problems.error(item.place, network.error().detail, "for example 10.0.0.0/8 or 2001:db8::/32");
      }
    }
  }
  if (const YamlNode* verb = keys.find("verb")) criteria.verbs = read_verbs(*verb, problems);
  read_patterns(keys.find("collection"), "collection", criteria.collections, problems);
  read_patterns(keys.find("fields"), "fields", criteria.fields, problems);
  if (const YamlNode* records = keys.find("records")) read_records(*records, criteria, problems);
  if (const YamlNode* vectors = keys.find("vectors")) read_vectors(*vectors, criteria, problems);
  if (const YamlNode* time = keys.find("time")) read_time(*time, criteria, problems);
  return criteria;
}

std::vector<Criteria> read_excepts(const YamlNode& match, Problems& problems) {
  std::vector<Criteria> excepts;
  const YamlNode* node = match.find("except");
  if (!node) return excepts;
  if (node->kind != YamlNode::Kind::sequence) {
    excepts.push_back(read_criteria(*node, "except", false, problems));
    return excepts;
  }
  if (node->items.empty()) problems.error(node->place, "'except' is an empty list", "leave it out");
  if (node->items.size() > kMaxExcepts) {
    problems.error(node->place, fmt::format("more than {} blocks in 'except'", kMaxExcepts));
    return excepts;
  }
  for (const YamlNode& item : node->items) excepts.push_back(read_criteria(item, "except", false, problems));
  return excepts;
}

}  // namespace sluice::policy
