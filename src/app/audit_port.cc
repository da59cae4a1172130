#include "app/audit_port.h"

#include "core/log.h"

namespace sluice::app {

Result<void> AuditPort::report(const admin::AuditEntry& entry) {
  const auto detail = entry.before.empty() ? entry.after : entry.before + " -> " + entry.after;
  return record_.control([&](record::Log& log) -> Result<record::Receipt> {
    TRY(auto receipt, log.append(record::AdminAction{.actor = entry.actor,
                                                     .action = entry.action,
                                                     .subject = entry.target,
                                                     .detail = detail,
                                                     .client_address = entry.client_address,
                                                     .succeeded = true}));
    if (const auto* token = std::get_if<admin::TokenFacts>(&entry.facts)) {
      return log.append(record::TokenEvent{.revoked = token->revoked,
                                           .token_id = token->id,
                                           .principal = token->principal,
                                           .actor = entry.actor,
                                           .reason = token->label,
                                           .expires = token->expires});
    }
    if (const auto* vote = std::get_if<admin::VoteFacts>(&entry.facts)) {
      return log.append(record::ReviewDecided{
          .review = vote->review,
          .approver = entry.actor,
          .verdict = vote->approve ? record::ReviewVerdict::approved : record::ReviewVerdict::rejected,
          .comment = vote->comment,
          .final = vote->final});
    }
    return receipt;
  });
}

void ReviewNews::review_changed(const review::Review& review) {
  if (review.state == review::ReviewState::expired) {
    const auto recorded = record_.note([&](record::Log& log) {
      return log.append(record::ReviewDecided{.review = review.id.value,
                                              .verdict = record::ReviewVerdict::expired,
                                              .comment = {},
                                              .final = true});
    });
    if (!recorded) {
      log::error("expired review not recorded",
                 {{"review", review.id.value}, {"error", recorded.error().message()}});
    }
  }
  if (next_ != nullptr) next_->review_changed(review);
}

}  // namespace sluice::app
