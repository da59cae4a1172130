#include "policy/rule.h"

#include <algorithm>
#include <string_view>

#include "policy/yaml_reader.h"

namespace sluice::policy {
namespace {

std::string describe(const Bounding& bounding) {
  if (!bounding.max_records) return "";
  std::string text = fmt::format(" up to {} records", *bounding.max_records);
  if (bounding.over == Over::clamp) text += ", more is clamped";
  if (bounding.over == Over::review) text += ", more needs a review";
  return text;
}

std::string describe(const MaskEffect& mask) {
  std::string text = "mask";
  std::string_view separator = " ";
  auto add = [&](std::string part) {
    text += separator;
    text += part;
    separator = ", ";
  };
  for (const FieldMask& m : mask.fields) add(fmt::format("{} ({})", m.field, to_string(m.mask)));
  if (!mask.vectors.empty()) add("vectors (remove)");
  for (const DetectMask& m : mask.detects) {
    add(fmt::format("detected {} ({})", fmt::join(m.detectors, ", "), to_string(m.mask)));
  }
  return text;
}

}  // namespace

std::string describe_effects(const Rule& rule) {
  std::vector<std::string> parts;
  if (rule.deny) parts.push_back(fmt::format("deny: {}", rule.deny->message));
  if (rule.allow) parts.push_back(fmt::format("allow{}", describe(*rule.allow)));
  if (rule.limit) parts.push_back(fmt::format("limit{}", describe(*rule.limit)));
  if (rule.budget) {
    parts.push_back(
        fmt::format("budget {} records per {}", rule.budget->records, format_duration(rule.budget->per)));
  }
  if (rule.review) {
    parts.push_back(
        fmt::format("{}review by {}",
                    rule.review->approvals > 1 ? fmt::format("{} × ", rule.review->approvals) : std::string{},
                    fmt::join(rule.review->by, " or ")));
  }
  if (!rule.mask.empty()) parts.push_back(describe(rule.mask));
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace sluice::policy
