// Reading case files.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "policy/cases.h"
#include "policy/syntax.h"
#include "policy/yaml_reader.h"

namespace sluice::policy {
namespace {

constexpr std::size_t kMaxCaseFileBytes = 8u << 20;
constexpr std::size_t kMaxCases = 10'000;

constexpr std::array<std::string_view, 3> kEffects = {"permit", "deny", "review"};
constexpr std::array<std::string_view, 12> kReasons = {
    "no_rule",         "denied_by_rule",  "over_limit",     "over_budget", "not_understood",     "masked_use",
    "review_required", "review_rejected", "review_expired", "revoked",     "record_unavailable", "protocol"};
constexpr std::array<std::string_view, 3> kOvers = {"deny", "clamp", "review"};

class CaseReader {
 public:
  explicit CaseReader(Problems& problems) : problems_(problems) {}

  Case read(const YamlNode& node) {
    Case read;
    read.file = problems_.file();
    read.line = node.place.line;
    Mapping keys{node,
                 "a case",
                 {"name", "as", "connection", "system", "at", "operation", "sql", "approved", "expect"},
                 problems_};
    if (!keys.usable()) return read;
    if (const YamlNode* name = keys.need("name")) read.name = text(*name, "name");
    read.session.system = "postgres";
    if (const YamlNode* system = keys.find("system")) {
      if (auto word = read_word(*system, "system", known_systems(), problems_)) read.session.system = *word;
    }
    if (const YamlNode* connection = keys.need("connection"))
      read.session.connection = text(*connection, "connection");
    if (const YamlNode* as = keys.need("as", "who asks: {principal: ana, groups: [support]}"))
      read_session(*as, read.session);
    read.at = WallTime{std::chrono::seconds{1767605400}};  // a Monday, 2026-01-05T09:30:00Z
    if (const YamlNode* at = keys.find("at")) read_time(*at, read.at);
    if (const YamlNode* approved = keys.find("approved")) read.approved = texts(*approved, "approved");
    const YamlNode* operation = keys.find("operation");
    const YamlNode* sql = keys.find("sql");
    if ((operation == nullptr) == (sql == nullptr)) {
      problems_.error(node.place, "a case needs either 'operation' or 'sql'");
    } else if (sql) {
      read.sql = text(*sql, "sql");
    } else {
      read.operation.system = read.session.system;
      read_operation(*operation, read.operation);
    }
    if (const YamlNode* expect = keys.need("expect")) read_expectation(*expect, read.expect);
    return read;
  }

 private:
  std::string text(const YamlNode& node, std::string_view what) {
    return read_text(node, what, problems_).value_or("");
  }

  std::vector<std::string> texts(const YamlNode& node, std::string_view what) {
    std::vector<std::string> all;
    for (TextItem& item : read_list(node, what, problems_)) all.push_back(std::move(item.text));
    return all;
  }

  void read_session(const YamlNode& node, SessionFacts& session) {
    Mapping keys{
        node, "as", {"principal", "kind", "groups", "roles", "claims", "owner", "client"}, problems_};
    auto principal = std::make_shared<Principal>();
    if (const YamlNode* name = keys.need("principal")) principal->name = text(*name, "principal");
    if (const YamlNode* kind = keys.find("kind")) {
      static constexpr std::array<std::string_view, 2> kKinds = {"human", "machine"};
      if (read_word(*kind, "kind", kKinds, problems_) == "machine") principal->kind = PrincipalKind::machine;
    }
    if (const YamlNode* groups = keys.find("groups")) principal->groups = texts(*groups, "groups");
    if (const YamlNode* roles = keys.find("roles")) principal->roles = texts(*roles, "roles");
    if (const YamlNode* owner = keys.find("owner")) principal->owner = text(*owner, "owner");
    if (const YamlNode* claims = keys.find("claims")) {
      if (claims->kind != YamlNode::Kind::mapping)
        problems_.error(claims->place, "'claims' must be a block of keys");
      for (std::size_t i = 0; i < claims->keys.size(); ++i) {
        principal->claims.emplace(claims->keys[i].text, text(claims->items[i], claims->keys[i].text));
      }
    }
    session.client_address = "127.0.0.1";
    if (const YamlNode* client = keys.find("client")) session.client_address = text(*client, "client");
    session.principal = std::move(principal);
  }

  // RFC 3339 in UTC, to the second.
  void read_time(const YamlNode& node, WallTime& at) {
    using namespace std::chrono;
    int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, end = 0;
    std::string value = text(node, "at");
    int fields = std::sscanf(value.c_str(), "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &y, &mo, &d, &h, &mi, &s, &end);
    year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
    bool good = fields == 6 && static_cast<std::size_t>(end) == value.size() && date.ok() && y >= 1970 &&
                y < 2200 && h >= 0 && h < 24 && mi >= 0 && mi < 60 && s >= 0 && s < 60;
    if (!good) {
      problems_.error(node.place, "'at' must be a time in UTC", "for example 2026-01-05T09:30:00Z");
      return;
    }
    at = WallTime{sys_days{date}.time_since_epoch() + hours{h} + minutes{mi} + seconds{s}};
  }

  void read_operation(const YamlNode& node, Operation& operation) {
    Mapping keys{node,
                 "operation",
                 {"verb", "also", "collections", "records", "searches", "returns_vectors", "returns_scores",
                  "functions", "unknown_reason"},
                 problems_};
    if (const YamlNode* verb = keys.need("verb")) operation.verb = read_verb(*verb, "verb");
    if (const YamlNode* also = keys.find("also")) {
      if (also->kind != YamlNode::Kind::sequence)
        problems_.error(also->place, "'also' must be a list of verbs");
      for (const YamlNode& item : also->items) operation.also.push_back(read_verb(item, "also"));
    }
    if (const YamlNode* collections = keys.find("collections")) {
      if (collections->kind != YamlNode::Kind::sequence)
        problems_.error(collections->place, "'collections' must be a list");
      for (const YamlNode& item : collections->items) operation.collections.push_back(read_collection(item));
    }
    const YamlNode* records = keys.find("records");
    if (records && records->text != "unbounded") {
      operation.records.max = read_count(*records, "records", 0, kMaxCount, problems_);
    }
    if (const YamlNode* searches = keys.find("searches")) {
      if (searches->kind != YamlNode::Kind::sequence)
        problems_.error(searches->place, "'searches' must be a list");
      for (const YamlNode& item : searches->items) operation.searches.push_back(read_search(item));
    }
    if (const YamlNode* flag = keys.find("returns_vectors")) {
      operation.returns_vectors = read_bool(*flag, "returns_vectors", problems_).value_or(false);
    }
    if (const YamlNode* flag = keys.find("returns_scores")) {
      operation.returns_scores = read_bool(*flag, "returns_scores", problems_).value_or(false);
    }
    if (const YamlNode* functions = keys.find("functions"))
      operation.functions = texts(*functions, "functions");
    if (const YamlNode* reason = keys.find("unknown_reason"))
      operation.unknown_reason = text(*reason, "unknown_reason");
  }

  Verb read_verb(const YamlNode& node, std::string_view what) {
    std::string word = text(node, what);
    const auto known = verb_from(word);
    if (!known) {
      problems_.error(node.place, fmt::format("unknown verb '{}'", word), did_you_mean(word, verb_names()));
    }
    return known.value_or(Verb::unknown);
  }

  // A name alone, or {name, output, tested, all_fields, access}.
  CollectionUse read_collection(const YamlNode& node) {
    CollectionUse use;
    if (node.kind == YamlNode::Kind::scalar) {
      use.name = text(node, "collections");
      return use;
    }
    Mapping keys{node, "a collection", {"name", "output", "tested", "all_fields"}, problems_};
    if (const YamlNode* name = keys.need("name")) use.name = text(*name, "name");
    if (const YamlNode* output = keys.find("output")) use.output_fields = texts(*output, "output");
    if (const YamlNode* tested = keys.find("tested")) use.tested_fields = texts(*tested, "tested");
    if (const YamlNode* all = keys.find("all_fields")) {
      use.all_fields = read_bool(*all, "all_fields", problems_).value_or(false);
    }
    return use;
  }

  VectorSearch read_search(const YamlNode& node) {
    VectorSearch search;
    Mapping keys{node, "a search", {"collection", "field", "metric", "returns_score"}, problems_};
    if (const YamlNode* collection = keys.find("collection"))
      search.collection = text(*collection, "collection");
    if (const YamlNode* field = keys.find("field")) search.field = text(*field, "field");
    if (const YamlNode* metric = keys.find("metric")) search.metric = text(*metric, "metric");
    if (const YamlNode* score = keys.find("returns_score")) {
      search.returns_score = read_bool(*score, "returns_score", problems_).value_or(false);
    }
    return search;
  }

  Ruling::Effect effect(const YamlNode& node) {
    auto word = read_word(node, "effect", kEffects, problems_).value_or("deny");
    return word == "permit"   ? Ruling::Effect::permit
           : word == "review" ? Ruling::Effect::review
                              : Ruling::Effect::deny;
  }

  void read_expectation(const YamlNode& node, Expectation& expect) {
    if (node.kind == YamlNode::Kind::scalar) {
      expect.effect = effect(node);
      return;
    }
    Mapping keys{
        node,
        "expect",
        {"effect", "rule", "reason", "max_records", "over", "clamp", "message", "masks", "vectors", "shadow"},
        problems_};
    if (const YamlNode* value = keys.need("effect", "permit, deny or review")) expect.effect = effect(*value);
    if (const YamlNode* rule = keys.find("rule")) expect.rule = text(*rule, "rule");
    if (const YamlNode* reason = keys.find("reason")) {
      if (auto word = read_word(*reason, "reason", kReasons, problems_)) {
        expect.reason = static_cast<Reason>(std::ranges::find(kReasons, *word) - kReasons.begin() + 1);
      }
    }
    if (const YamlNode* max = keys.find("max_records")) {
      expect.max_records = read_count(*max, "max_records", 0, kMaxCount, problems_);
    }
    if (const YamlNode* over = keys.find("over")) {
      if (auto word = read_word(*over, "over", kOvers, problems_)) {
        expect.over = *word == "clamp" ? Over::clamp : *word == "review" ? Over::review : Over::deny;
      }
    }
    if (const YamlNode* clamp = keys.find("clamp")) expect.clamp = read_bool(*clamp, "clamp", problems_);
    if (const YamlNode* message = keys.find("message")) expect.message = text(*message, "message");
    if (const YamlNode* masks = keys.find("masks")) {
      if (masks->kind != YamlNode::Kind::mapping)
        problems_.error(masks->place, "'masks' must be fields and masks");
      static constexpr std::array<std::string_view, 6> kMasks = {"none",    "redact", "remove",
                                                                 "partial", "hash",   "constant"};
      for (std::size_t i = 0; i < masks->keys.size(); ++i) {
        if (auto word = read_word(masks->items[i], masks->keys[i].text, kMasks, problems_)) {
          expect.masks.emplace(masks->keys[i].text, *word);
        }
      }
    }
    if (const YamlNode* vectors = keys.find("vectors")) {
      static constexpr std::array<std::string_view, 2> kVectors = {"none", "remove"};
      if (auto word = read_word(*vectors, "vectors", kVectors, problems_)) expect.vectors = *word;
    }
    if (const YamlNode* shadow = keys.find("shadow")) expect.shadow = texts(*shadow, "shadow");
  }

  Problems& problems_;
};

}  // namespace

ReadCases read_cases(std::string_view file, std::string_view text) {
  ReadCases read;
  Problems problems{file};
  if (auto root = read_yaml(text, kMaxCaseFileBytes, problems)) {
    Mapping keys{*root, "a file of cases", {"cases"}, problems};
    const YamlNode* cases = keys.need("cases");
    if (cases && cases->kind != YamlNode::Kind::sequence) {
      problems.error(cases->place, "'cases' must be a list");
    } else if (cases && cases->items.size() > kMaxCases) {
      problems.error(cases->place, fmt::format("more than {} cases", kMaxCases));
    } else if (cases) {
      CaseReader reader{problems};
      for (const YamlNode& item : cases->items) read.cases.push_back(reader.read(item));
    }
  }
  read.problems = problems.take();
  return read;
}

}  // namespace sluice::policy
