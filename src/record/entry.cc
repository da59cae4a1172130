#include "record/entry.h"

#include <array>

#include "record/record_ids.h"

namespace sluice::record {
namespace {

struct NamedKind {
  Kind kind;
  std::string_view name;
};
constexpr NamedKind kKinds[] = {
    {Kind::opened, "opened"},
    {Kind::closed, "closed"},
    {Kind::carried, "carried"},
    {Kind::clock_stepped, "clock_stepped"},
    {Kind::shard_added, "shard_added"},
    {Kind::session_start, "session_start"},
    {Kind::session_end, "session_end"},
    {Kind::session_refused, "session_refused"},
    {Kind::statement_part, "statement_part"},
    {Kind::statement, "statement"},
    {Kind::mask_set, "mask_set"},
    {Kind::ruling, "ruling"},
    {Kind::intent, "intent"},
    {Kind::chunk, "chunk"},
    {Kind::rows, "rows"},
    {Kind::record_ids, "record_ids"},
    {Kind::outcome, "outcome"},
    {Kind::denial, "denial"},
    {Kind::unfinished, "unfinished"},
    {Kind::review_requested, "review_requested"},
    {Kind::review_decided, "review_decided"},
    {Kind::review_used, "review_used"},
    {Kind::policy_loaded, "policy_loaded"},
    {Kind::policy_rejected, "policy_rejected"},
    {Kind::admin_action, "admin_action"},
    {Kind::token_issued, "token_issued"},
    {Kind::token_revoked, "token_revoked"},
    {Kind::incident, "incident"},
};

template <std::size_t N, class E>
std::string_view name_of(const std::array<std::string_view, N>& names, E value) {
  auto i = static_cast<std::size_t>(value);
  return i < N ? names[i] : std::string_view{};
}

constexpr std::array<std::string_view, 11> kEndNames = {
    "",        "client_closed",      "upstream_closed", "revoked",  "idle",
    "expired", "protocol_violation", "record_failed",   "shutdown", "gateway_lost",
    "failed"};
constexpr std::array<std::string_view, 9> kStatusNames = {
    "",          "ok",    "upstream_error", "stopped", "cancelled", "upstream_lost", "client_lost",
    "suspended", "failed"};
constexpr std::array<std::string_view, 5> kVerdictNames = {"", "approved", "rejected", "expired",
                                                           "withdrawn"};
constexpr std::array<std::string_view, 4> kIdsNames = {"none", "complete", "partial", "unknown"};

}  // namespace

std::string_view to_string(Kind kind) {
  for (const auto& known : kKinds) {
    if (known.kind == kind) return known.name;
  }
  return {};
}

std::optional<Kind> kind_from(std::uint8_t value) {
  for (const auto& known : kKinds) {
    if (static_cast<std::uint8_t>(known.kind) == value) return known.kind;
  }
  return std::nullopt;
}

std::optional<Kind> kind_from_name(std::string_view name) {
  for (const auto& known : kKinds) {
    if (known.name == name) return known.kind;
  }
  return std::nullopt;
}

std::string_view to_string(SessionEndReason reason) {
  return name_of(kEndNames, reason);
}
std::string_view to_string(OutcomeStatus status) {
  return name_of(kStatusNames, status);
}
std::string_view to_string(ReviewVerdict verdict) {
  return name_of(kVerdictNames, verdict);
}
std::string_view to_string(IdsState state) {
  return name_of(kIdsNames, state);
}

}  // namespace sluice::record
