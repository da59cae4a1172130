// Planning, at once or aside: what a large statement takes is done on another thread, and the message of the
// client is looked at again when it has been (errands.h).
#include "proxy/pg/exchange/exchange.h"

#include "proxy/pg/exchange/recorded_parameters.h"
#include "proxy/pg/exchange/refusal.h"
#include "proxy/pg/exchange/written_back.h"
#include "systems/postgres/describe/recorded_text.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

namespace {

using Kind = Errands::Kind;

// What planning looks at, owned, for another thread.
struct View {
  View(Planner& of, const PlanContext& context, std::weak_ptr<PlanningPool> pool)
      : planner(of.aside(context, std::move(pool))),
        names(context.names),
        masks(context.masks),
        vouched(context.vouched_functions),
        principal(context.principal),
        session(context.session),
        moved(context.moved_in_transaction) {}
  PlanContext context() { return {names, masks, vouched, principal, session, moved}; }

  Planner planner;
  Names names;
  std::shared_ptr<const MaskSet> masks;
  std::vector<std::string> vouched;
  std::string principal;
  std::string session;
  bool moved;
};

// A search may be stopped when it is over, and nothing behind it may have been run by then.
bool goes_one_by_one(const Planner::Plans& plans) {
  return plans.size() > 1 &&
         std::ranges::any_of(plans, [](const auto& plan) { return plan->search != nullptr; });
}

ErrorFields too_many_wait() {
  return render_error("53400", "sluice: too many large statements are being planned", {},
                      "Send the statement again in a moment, or in smaller pieces.");
}

}  // namespace

Errands::Stamp Exchange::stamp() {
  return {planner_.basis_now(plan_context()), gate_.policy_version(), names_.version(),
          catalogue_.has_looked_again(), catalogue_.moved_in_transaction()};
}

std::optional<Exchange::Planned> Exchange::plan_text(std::string_view sql, Templates templates) {
  planner_.set_fresh(catalogue_.has_looked_again());
  if (is_large(sql)) return plan_aside(sql);
  const auto context = plan_context();
  Planned planned{
      templates == Templates::yes ? planner_.plan_query(sql, context) : planner_.plan(sql, context),
      planner_.names_moved(),
      {},
      {}};
  if (planned.plans) {
    if (goes_one_by_one(*planned.plans)) planned.parts = Planner::parts(sql);
    return planned;
  }
  if (planner_.met_large()) return plan_aside(sql);
  if (planned.names_moved) planned.parts = Planner::parts(sql);
  planned.unread = unread_text(sql);
  return planned;
}

std::optional<Exchange::Planned> Exchange::plan_aside(std::string_view sql) {
  if (errands_.has_no_room()) return Planned{std::unexpected(too_many_wait()), false, {}, {}};
  struct Aside {
    Planned planned;
    Names names;  // with the gateway's names that the plans use
  };
  const auto aside = errands_.ask<Aside>({Kind::plan, nullptr, 0}, stamp(), [&] {
    return [view = std::make_unique<View>(planner_, plan_context(), pool_), text = KeptText{sql},
            keeps = message_, pool = pool_] {
      auto made = std::make_shared<Aside>();
      auto& planned = made->planned;
      planned.plans = view->planner.plan(text.get(), view->context());
      planned.names_moved = view->planner.names_moved();
      if (planned.plans) {
        if (goes_one_by_one(*planned.plans)) planned.parts = Planner::parts(text.get());
        for (auto& plan : *planned.plans) plan = PlanningPool::held(pool, std::move(plan));
      } else if (planned.names_moved) {
        planned.parts = Planner::parts(text.get());
      } else {
        using postgres::Literals;
        planned.unread =
            postgres::recorded_text(text.get(), view->masks->empty() ? Literals::shown : Literals::hidden);
      }
      made->names = std::move(view->names);
      return made;
    };
  });
  if (!aside) return std::nullopt;
  names_.go_on_from(aside->names);
  return aside->planned;
}

std::optional<Exchange::Clamped> Exchange::clamp(const std::shared_ptr<const Plan>& plan,
                                                 std::uint64_t records) {
  if (!plan->large) return planner_.clamp(*plan, records, plan_context());
  const auto clamped = errands_.ask<Clamped>({Kind::clamp, plan.get(), records}, stamp(), [&] {
    return [view = std::make_unique<View>(planner_, plan_context(), pool_), plan, records, pool = pool_] {
      auto made = std::make_shared<Clamped>(view->planner.clamp(*plan, records, view->context()));
      if (*made) **made = PlanningPool::held(pool, std::move(**made));
      return made;
    };
  });
  return clamped ? std::optional{*clamped} : std::nullopt;
}

std::shared_ptr<Exchange::Encoded> Exchange::encode(const std::shared_ptr<const Plan>& about,
                                                    std::size_t bytes, MakeMessage make) {
  if (bytes <= kLoopBytes) return std::make_shared<Encoded>(make());
  return errands_.ask<Encoded>({Kind::encode, about.get(), 0}, stamp(), [&] {
    return [about, make = std::move(make), keeps = message_]() mutable {
      return std::make_shared<Encoded>(make());
    };
  });
}

// The operation with the bound and the query vectors of these values; null: Pause::errand.
std::shared_ptr<const Operation> Exchange::bind_values(const Prepared& prepared, const Bind& bind) {
  const auto& plan = prepared.plan;
  if (!plan->parsed) return plan->operation;
  if (!plan->large && bind.parameter_section.size() <= kLoopBinding) {
    return planner_.bind(*plan, bound_values(bind.parameter_section, prepared.parameter_types),
                         plan_context());
  }
  struct Bound {
    std::shared_ptr<const Operation> operation;
  };
  const auto bound = errands_.ask<Bound>({Kind::bind, plan.get(), 0}, stamp(), [&] {
    return [view = std::make_unique<View>(planner_, plan_context(), pool_), plan,
            section = KeptText{as_text(bind.parameter_section)}, types = prepared.parameter_types] {
      return std::make_shared<Bound>(
          view->planner.bind(*plan, bound_values(as_bytes(section.get()), types), view->context()));
    };
  });
  return bound ? bound->operation : nullptr;
}

std::optional<Exchange::LookedAt> Exchange::look_at_values(const Prepared& prepared, const Bind& bind) {
  const auto look = [](const Plan& plan, Bytes section, const std::vector<std::uint32_t>& types) {
    LookedAt looked{parameters_digest(section), std::nullopt};
    if (!plan.written.empty() && !plan.denial)
      looked.denial = refuse_written_back(plan.written, bound_values(section, types));
    return looked;
  };
  const auto& plan = prepared.plan;
  if (bind.parameter_section.size() <= kLoopBinding)
    return look(*plan, bind.parameter_section, prepared.parameter_types);
  const auto looked = errands_.ask<LookedAt>({Kind::look, plan.get(), 0}, stamp(), [&] {
    return
        [look, plan, section = KeptText{as_text(bind.parameter_section)}, types = prepared.parameter_types] {
          return std::make_shared<LookedAt>(look(*plan, as_bytes(section.get()), types));
        };
  });
  return looked ? std::optional{*looked} : std::nullopt;
}

}  // namespace sluice::proxy::pg
