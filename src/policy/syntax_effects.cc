// allow, deny, limit, budget, review, mask: what a rule does.
#include <algorithm>
#include <array>

#include "model/detector.h"
#include "policy/syntax.h"
#include "policy/yaml_reader.h"

namespace sluice::policy {
namespace {

using namespace std::chrono_literals;

constexpr auto kMaxHold = 10min;  // a held client occupies a connection of the database and of the client
constexpr auto kMaxValidity = 24h * 30;  // an approval older than a month is a grant: write a rule
constexpr auto kMaxBudgetWindow = 24h * 31;
constexpr std::uint64_t kMaxApprovals = 16;
constexpr std::uint64_t kMaxUses = 1000;
constexpr std::uint64_t kMostProbes = 100'000;  // a day on one record; more is no bound on anything

constexpr std::array<std::string_view, 3> kOvers = {"deny", "clamp", "review"};

Over over_from(std::string_view word) {
  return word == "clamp" ? Over::clamp : word == "review" ? Over::review : Over::deny;
}

Bounding read_bounding(const YamlNode& node, std::string_view what, bool needs_max, Problems& problems) {
  Bounding bounding;
  Mapping keys{node, what, {"max_records", "over", "message"}, problems};
  const YamlNode* max = needs_max ? keys.need("max_records") : keys.find("max_records");
  if (max) bounding.max_records = read_count(*max, "max_records", 0, kMaxCount, problems);
  if (const YamlNode* over = keys.find("over")) {
    if (auto word = read_word(*over, "over", kOvers, problems)) bounding.over = over_from(*word);
    if (!max) problems.error(over->place, "'over' without 'max_records'");
  }
  if (const YamlNode* message = keys.find("message")) {
    bounding.message = read_text(*message, "message", problems).value_or("");
    if (!max) problems.error(message->place, "'message' without 'max_records'");
  }
  return bounding;
}

std::optional<Bounding> read_allow(const YamlNode& node, Problems& problems) {
  if (node.kind == YamlNode::Kind::mapping) return read_bounding(node, "allow", false, problems);
  if (node.kind == YamlNode::Kind::scalar && node.plain && node.text == "true") return Bounding{};
  problems.error(node.place, "'allow' must be true or a block with 'max_records'",
                 "to refuse something, write 'deny'");
  return Bounding{};
}

DenyEffect read_deny(const YamlNode& node, Problems& problems) {
  DenyEffect deny;
  if (node.kind != YamlNode::Kind::mapping) {
    deny.message = read_text(node, "deny", problems).value_or("");
    if (node.plain && (node.text == "true" || node.text == "false")) {
      problems.error(node.place, "'deny' must be the message that the client gets");
    }
    return deny;
  }
  Mapping keys{node, "deny", {"message", "hint"}, problems};
  if (const YamlNode* message = keys.need("message"))
    deny.message = read_text(*message, "message", problems).value_or("");
  if (const YamlNode* hint = keys.find("hint")) deny.hint = read_text(*hint, "hint", problems).value_or("");
  return deny;
}

BudgetEffect read_budget(const YamlNode& node, Problems& problems) {
  BudgetEffect budget;
  Mapping keys{node, "budget", {"records", "per"}, problems};
  if (const YamlNode* records = keys.need("records")) {
    budget.records = read_count(*records, "records", 1, kMaxCount, problems).value_or(1);
  }
  if (const YamlNode* per = keys.need("per")) {
    budget.per = read_duration(*per, "per", 1s, kMaxBudgetWindow, problems).value_or(1h);
  }
  return budget;
}

bool is_approver(std::string_view text) {
  for (std::string_view prefix : {"group:", "user:", "role:"}) {
    if (text.starts_with(prefix) && text.size() > prefix.size()) return true;
  }
  return false;
}

ReviewTerms read_review(const YamlNode& node, Problems& problems) {
  ReviewTerms terms;
  terms.bind_vectors = true;  // unless the rule says otherwise, another query vector is another operation
  Mapping keys{node, "review", {"by", "approvals", "uses", "valid_for", "hold", "vectors"}, problems};
  if (const YamlNode* by = keys.need("by", "who approves: group:…, role:… or user:…")) {
    for (TextItem& item : read_list(*by, "by", problems)) {
      if (is_approver(item.text)) {
        terms.by.push_back(std::move(item.text));
      } else {
        problems.error(item.place, fmt::format("'{}' is no approver", item.text),
                       "group:…, role:… or user:…");
      }
    }
  }
  auto count = [&](std::string_view key, std::uint64_t max, std::uint32_t& out) {
    if (const YamlNode* value = keys.find(key)) {
      out = static_cast<std::uint32_t>(read_count(*value, key, 1, max, problems).value_or(1));
    }
  };
  count("approvals", kMaxApprovals, terms.approvals);
  count("uses", kMaxUses, terms.uses);
  if (const YamlNode* valid = keys.find("valid_for")) {
    terms.valid_for =
        read_duration(*valid, "valid_for", 1s, kMaxValidity, problems).value_or(terms.valid_for);
  }
  if (const YamlNode* hold = keys.find("hold")) {
    terms.hold = read_duration(*hold, "hold", 0s, kMaxHold, problems).value_or(terms.hold);
  }
  if (const YamlNode* vectors = keys.find("vectors")) {
    static constexpr std::array<std::string_view, 2> kBindings = {"value", "shape"};
    terms.bind_vectors = read_word(*vectors, "vectors", kBindings, problems).value_or("value") == "value";
  }
  if (terms.approvals > 1 && terms.by.size() == 1 && terms.by.front().starts_with("user:")) {
    problems.error(node.place, fmt::format("one user cannot give {} approvals", terms.approvals));
  }
  return terms;
}

constexpr std::array<std::string_view, 5> kMasks = {"redact", "remove", "partial", "hash", "constant"};
constexpr std::array<std::string_view, 2> kWrites = {"deny", "allow"};

void read_field_mask(const Mapping& keys, MaskEffect& mask, Problems& problems) {
  static constexpr std::array<std::string_view, 2> kFilters = {"none", "equality"};
  static constexpr std::array<std::string_view, 2> kOrders = {"hide", "keep"};
  FieldMask form;
  if (const YamlNode* with = keys.need("with", "redact, remove, partial, hash or constant")) {
    if (auto word = read_word(*with, "with", kMasks, problems)) form.mask = *mask_from(*word);
  }
  const YamlNode* value = keys.find("value");
  if (value && form.mask != Mask::constant)
    problems.error(value->place, "'value' belongs to 'with: constant'");
  if (!value && form.mask == Mask::constant) problems.error(keys.place(), "'with: constant' needs a 'value'");
  if (value && value->kind == YamlNode::Kind::scalar && value->text.empty()) {
    form.constant.clear();  // an empty text is a good constant
  } else if (value) {
    form.constant = read_text(*value, "value", problems).value_or("");
  }
  auto word = [&](std::string_view key, std::span<const std::string_view> words) {
    const YamlNode* node = keys.find(key);
    return node ? read_word(*node, key, words, problems) : std::nullopt;
  };
  form.write_allowed = word("write", kWrites) == "allow";
  form.filters = word("filters", kFilters) == "equality" ? Filters::equality : Filters::none;
  form.keep_order = word("order", kOrders) == "keep";
  for (TextItem& item : read_list(*keys.find("fields"), "fields", problems)) {
    form.field = std::move(item.text);
    mask.fields.push_back(form);
  }
}

void read_vector_mask(const Mapping& keys, MaskEffect& mask, Problems& problems) {
  static constexpr std::array<std::string_view, 1> kForms = {"remove"};
  static constexpr std::array<std::string_view, 3> kScores = {"keep", "rank", "remove"};
  VectorMask form;
  (void)read_word(*keys.find("vectors"), "vectors", kForms, problems);
  if (const YamlNode* scores = keys.find("scores")) {
    auto word = read_word(*scores, "scores", kScores, problems).value_or("rank");
    form.scores = word == "keep" ? Scores::keep : word == "remove" ? Scores::remove : Scores::rank;
  }
  if (const YamlNode* write = keys.find("write")) {
    form.write_allowed = read_word(*write, "write", kWrites, problems) == "allow";
  }
  if (const YamlNode* probes = keys.find("probes")) {
    form.probes = read_count(*probes, "probes", 0, kMostProbes, problems).value_or(kProbesPerDay);
  }
  mask.vectors.push_back(std::move(form));
}

void read_detect_mask(const Mapping& keys, MaskEffect& mask, Problems& problems) {
  static constexpr std::array<std::string_view, 3> kForms = {"partial", "redact", "hash"};
  DetectMask form;
  for (TextItem& item : read_list(*keys.find("detect"), "detect", problems)) {
    if (detector_from(item.text)) {
      form.detectors.push_back(std::move(item.text));
      continue;
    }
    std::string hint = did_you_mean(item.text, kDetectorNames);
    problems.error(item.place, fmt::format("unknown detector '{}'", item.text),
                   hint.empty() ? fmt::format("one of: {}", fmt::join(kDetectorNames, ", ")) : hint);
  }
  if (const YamlNode* with = keys.need("with", "partial, redact or hash")) {
    if (auto word = read_word(*with, "with", kForms, problems)) form.mask = *mask_from(*word);
  }
  mask.detects.push_back(std::move(form));
}

void read_mask(const YamlNode& node, MaskEffect& mask, Problems& problems) {
  if (node.kind != YamlNode::Kind::sequence || node.items.empty()) {
    problems.error(node.place, "'mask' must be a list of masks", "- {fields: [email], with: redact}");
    return;
  }
  if (node.items.size() > kMaxItems) {
    problems.error(node.place, fmt::format("'mask' has more than {} items", kMaxItems));
    return;
  }
  for (const YamlNode& item : node.items) {
    if (item.find("fields")) {
      read_field_mask(
          Mapping{item, "a field mask", {"fields", "with", "value", "write", "filters", "order"}, problems},
          mask, problems);
    } else if (item.find("vectors")) {
      read_vector_mask(Mapping{item, "a vector mask", {"vectors", "scores", "write", "probes"}, problems},
                       mask, problems);
    } else if (item.find("detect")) {
      read_detect_mask(Mapping{item, "a detect mask", {"detect", "with"}, problems}, mask, problems);
    } else {
      problems.error(item.place, "a mask needs 'fields', 'vectors' or 'detect'",
                     "- {fields: [email], with: redact}");
    }
  }
}

}  // namespace

void read_effects(const YamlNode& node, Rule& rule, Problems& problems) {
  if (const YamlNode* allow = node.find("allow")) {
    rule.allow_place = allow->place;
    rule.allow = read_allow(*allow, problems);
  }
  if (const YamlNode* deny = node.find("deny")) rule.deny = read_deny(*deny, problems);
  if (const YamlNode* limit = node.find("limit")) rule.limit = read_bounding(*limit, "limit", true, problems);
  if (const YamlNode* budget = node.find("budget")) rule.budget = read_budget(*budget, problems);
  if (const YamlNode* review = node.find("review")) {
    rule.review = read_review(*review, problems);
    rule.review->rule = rule.name;
  }
  if (const YamlNode* mask = node.find("mask")) read_mask(*mask, rule.mask, problems);
}

}  // namespace sluice::policy
