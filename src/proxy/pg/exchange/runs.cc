// One operation on the server, from its permit to its outcome.
#include "proxy/pg/exchange/exchange.h"

#include "proxy/pg/exchange/counting.h"
#include "proxy/pg/exchange/refusal.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

Run Exchange::make_run(std::shared_ptr<const Plan> plan, gate::Permit permit) {
  Run run;
  run.plan = std::move(plan);
  run.permit.emplace(std::move(permit));
  run.meter.emplace(gate_, *run.permit);
  if (!must_count(*run.plan, run.permit->operation(), run.permit->obligations())) run.meter->lift_bound();
  return run;
}

// It has been sent, or is about to be.
void Exchange::begin_run(Run& run) {
  if (const auto& warning = run.plan->warning; !warning.empty()) {
    encode_notice_response(to_client_.own(), render_warning(warning));
    to_client_.commit();
  }
  effects_.begin(run);
}

// Not before those before it are over: only then is it known what they have sent.
void Exchange::resume(Run& run) {
  if (!run.counted || std::exchange(run.resumed, true)) return;
  run.meter->resume_at(run.counted->records);
}

// False when the outcome could not be recorded: then nothing of this part may be sent.
bool Exchange::finish_run(Run& run, record::OutcomeStatus status, std::string_view error_class,
                          std::optional<std::uint64_t> affected) {
  if (!run.meter || run.finished) return true;
  records_sent_ += run.meter->records();
  if (run.counted) run.counted->records += run.meter->records();
  const bool records = returns_records(run.permit->operation());
  auto written = run.meter->finish({.status = status,
                                    .error_class = error_class,
                                    .affected = affected,
                                    .masked = records ? run.plan->masked_fields * run.meter->rows() : 0,
                                    .ids = records && run.observed ? &reply_.ids() : nullptr,
                                    .rows = run.observed ? &reply_.rows() : nullptr});
  run.finished = true;
  if (!written) {
    record_failed(written.error());
    return false;
  }
  return true;
}

}  // namespace sluice::proxy::pg
