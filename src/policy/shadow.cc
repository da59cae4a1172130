#include "policy/shadow.h"

#include <fmt/format.h>

#include "policy/yaml_reader.h"

namespace sluice::policy {
namespace {

std::string bounded(std::uint64_t max, Over over, std::optional<std::uint64_t> asked) {
  if (asked && *asked <= max) return {};
  std::string what = over == Over::deny    ? std::string{"refuse"}
                     : over == Over::clamp ? fmt::format("clamp to {}", max)
                                           : std::string{"ask for a review of"};
  if (over == Over::clamp) return what + (asked ? fmt::format(" what asks for {}", *asked) : std::string{});
  return asked ? fmt::format("{} a request for {} records (limit {})", what, *asked, max)
               : fmt::format("{} what exceeds {} records", what, max);
}

}  // namespace

void add_shadow(const Rule& rule, bool grants, bool restricts, std::optional<std::uint64_t> asked,
                std::vector<std::string>& out) {
  auto add = [&](const std::string& text) {
    if (!text.empty()) out.push_back(fmt::format("{}: would {}", rule.name, text));
  };
  if (grants && rule.allow->max_records) {
    add(fmt::format("allow up to {} records", *rule.allow->max_records));
  } else if (grants) {
    add("allow");
  }
  if (!restricts) return;
  bool later = !asked && rule.match.records_over;
  if (rule.deny) {
    add(later
            ? fmt::format("stop the reply above {} records: {}", *rule.match.records_over, rule.deny->message)
            : fmt::format("deny: {}", rule.deny->message));
  }
  if (rule.limit && rule.limit->max_records) add(bounded(*rule.limit->max_records, rule.limit->over, asked));
  if (rule.budget)
    add(fmt::format("draw on {} records per {}", rule.budget->records, format_duration(rule.budget->per)));
  if (rule.review && !rule.review_is_terms_only()) {
    add(fmt::format("ask for a review by {}{}", fmt::join(rule.review->by, " or "),
                    later ? fmt::format(" above {} records", *rule.match.records_over) : std::string{}));
  }
  if (!rule.mask.empty()) {
    std::vector<std::string> parts;
    for (const FieldMask& mask : rule.mask.fields) parts.push_back(mask.field);
    if (!rule.mask.vectors.empty()) parts.push_back("vectors");
    for (const DetectMask& mask : rule.mask.detects)
      parts.push_back(fmt::format("detected {}", fmt::join(mask.detectors, ", ")));
    add(fmt::format("mask {}", fmt::join(parts, ", ")));
  }
}

}  // namespace sluice::policy
