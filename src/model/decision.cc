#include "model/decision.h"

#include <algorithm>
#include <array>

#include "core/crypto.h"
#include "model/pattern.h"

namespace sluice {
namespace {

constexpr std::array<std::string_view, 6> kMaskNames = {"",         "partial", "hash",
                                                        "constant", "redact",  "remove"};
constexpr std::array<std::string_view, 13> kReasonNames = {
    "",           "no_rule",         "denied_by_rule",  "over_limit",     "over_budget", "not_understood",
    "masked_use", "review_required", "review_rejected", "review_expired", "revoked",     "record_unavailable",
    "protocol"};

bool excepted(const std::vector<std::string>& globs, std::string_view collection) {
  return std::ranges::any_of(globs, [&](const std::string& glob) { return glob_matches(glob, collection); });
}

template <class AnyMask>
bool in_force(const AnyMask& mask, std::string_view collection) {
  return covers_name(mask.collection, collection) && !excepted(mask.except_collections, collection);
}

}  // namespace

std::string_view to_string(Mask mask) {
  return kMaskNames[static_cast<std::size_t>(mask)];
}

std::optional<Mask> mask_from(std::string_view name) {
  for (std::size_t i = 1; i < kMaskNames.size(); ++i) {
    if (kMaskNames[i] == name) return static_cast<Mask>(i);
  }
  return std::nullopt;
}

std::uint64_t budget_account(std::string_view key) {
  Digest digest = sha256(as_bytes(key));
  std::uint64_t account = 0;
  for (std::size_t i = 0; i < 8; ++i) account = account << 8 | digest[i];
  return account;
}

std::string_view to_string(Reason reason) {
  return kReasonNames[static_cast<std::size_t>(reason)];
}

std::optional<FieldMask> MaskSet::field_mask(std::string_view collection, std::string_view field) const {
  std::optional<FieldMask> found;
  for (const FieldMask& mask : fields) {
    if (!covers_path(mask.field, field) || !in_force(mask, collection)) continue;
    if (!found) {
      found = mask;
      continue;
    }
    bool write_allowed = found->write_allowed && mask.write_allowed;
    bool keep_order = found->keep_order && mask.keep_order;
    Filters filters = std::min(found->filters, mask.filters);
    if (mask.mask > found->mask) *found = mask;
    found->write_allowed = write_allowed;
    found->keep_order = keep_order;
    found->filters = filters;
  }
  return found;
}

std::optional<VectorMask> MaskSet::vector_mask(std::string_view collection) const {
  std::optional<VectorMask> found;
  for (const VectorMask& mask : vectors) {
    if (!in_force(mask, collection)) continue;
    if (!found) {
      found = mask;
      continue;
    }
    Scores scores = std::max(found->scores, mask.scores);
    std::uint64_t probes = std::min(found->probes, mask.probes);
    bool write_allowed = found->write_allowed && mask.write_allowed;
    if (mask.mask > found->mask) *found = mask;
    found->scores = scores;
    found->probes = probes;
    found->write_allowed = write_allowed;
  }
  return found;
}

std::uint64_t MaskSet::probes_per_day(std::string_view collection) const {
  if (const auto mask = vector_mask(collection)) return mask->probes;
  std::uint64_t least = kProbesPerDay;
  for (const VectorMask& mask : vectors) least = std::min(least, mask.probes);
  return least;
}

std::vector<const DetectMask*> MaskSet::detect_masks(std::string_view collection) const {
  std::vector<const DetectMask*> found;
  for (const DetectMask& mask : detects) {
    if (in_force(mask, collection)) found.push_back(&mask);
  }
  return found;
}

bool MaskSet::touches(std::string_view collection) const {
  auto here = [&](const auto& mask) { return in_force(mask, collection); };
  return std::ranges::any_of(fields, here) || std::ranges::any_of(vectors, here) ||
         std::ranges::any_of(detects, here);
}

}  // namespace sluice
