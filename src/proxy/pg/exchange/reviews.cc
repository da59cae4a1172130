// Operations that need a second person: the client is held with a NOTICE while the review is open, or told at
// once where waiting would hold locks or has lasted enough.
#include "proxy/pg/exchange/exchange.h"

#include "proxy/pg/exchange/recorded_parameters.h"
#include "proxy/pg/exchange/refusal.h"
#include "systems/postgres/describe/recorded_text.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

namespace {

// What of the statement's text an approval holds for: all of it, except that the vector of a search may be
// another of the same dimension unless the rule says otherwise.
Digest digest_for_review(const Plan& plan, bool bind_vectors) {
  const bool whole = bind_vectors || plan.operation->searches.empty();
  if (plan.digests) return (*plan.digests)[whole ? 0 : 1];
  return whole ? sha256(as_bytes(plan.source))
               : sha256(as_bytes(postgres::text_without_vectors(plan.source)));
}

}  // namespace

// The answer while a review is missing: wait, or an error at once where waiting would hold locks or has
// lasted enough.
std::expected<Pause, ErrorFields> Exchange::hold_or_refuse(const gate::Wait& wait, bool running) {
  const bool has_written = effects_.written_in_transaction();
  // What is on its way may be committed by the time that it is answered, or not be.
  if (!running && has_written && !requests_.empty()) return Pause::server;
  std::string why;
  switch (hold_.ask(wait, has_written)) {
    case Hold::Answer::wait:
      if (hold_.is_news(wait.review)) {
        encode_notice_response(to_client_.own(), render_hold(wait.review, wait.terms));
        to_client_.commit();
      }
      return Pause::review;
    case Hold::Answer::cancelled:
      if (!running) {
        (void)gate_.refuse(wait,
                           {Reason::review_required, wait.terms.rule,
                            fmt::format("cancelled while it waited for review {}", wait.review.value), ""});
      }
      return std::unexpected(
          render_error(sqlstate::kQueryCanceled, "canceling statement due to user request"));
    case Hold::Answer::not_now:
      why = fmt::format("review {} is needed and not given yet", wait.review.value);
      break;
    case Hold::Answer::has_written:
      why = fmt::format("review {} is needed; a transaction that has written is not kept waiting",
                        wait.review.value);
      break;
  }
  Denial denial{Reason::review_required, wait.terms.rule, std::move(why),
                fmt::format("Once approved (sluice review approve {}), send the same statement again.",
                            wait.review.value)};
  if (running) return std::unexpected(render_denial(denial, wait.operation.get(), gate_.facts().id, wait.id));
  return std::unexpected(render(gate_.refuse(wait, std::move(denial))));
}

gate::Execution Exchange::execution_of(const Plan& plan, const Portal* portal, const Prepared* prepared,
                                       bool for_review, bool bind_vectors) {
  gate::Execution execution;
  if (portal != nullptr) {
    execution.parameters = portal->parameters_digest;
    params_ = recorded_parameters(as_bytes(portal->parameters), plan);
    execution.params = params_;
  }
  if (!for_review) return execution;
  auto& reviewed = execution.reviewed;
  for (const auto& schema : planner_.search_path()) reviewed.search_path.append(schema).append(",");
  reviewed.statement = digest_for_review(plan, bind_vectors);
  reviewed.objects = plan.objects;
  if (portal != nullptr && prepared != nullptr) {
    reviewed.parameters = review::digest_parameters(
        reviewed_parameters(as_bytes(portal->parameters), plan, prepared->parameter_types), bind_vectors);
  } else {
    reviewed.parameters = review::digest_parameters({}, false);
  }
  return execution;
}

}  // namespace sluice::proxy::pg
