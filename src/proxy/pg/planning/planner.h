// Planner: from SQL text to plans (plan.h), for one session. It binds names against the catalogue, maps
// statements to Operations (systems/postgres/describe), rewrites what touches masked relations
// (statement_masks.h), resolves SQL-level names of statements and cursors (text_names.h), and refuses
// settings that are not the client's (statement_settings.h) and names that move within a text
// (moved_names.h).
//
// Pure: no sockets and no policy; what it needs of those comes in as `PlanContext`. The catalogue is handed
// in by the exchange, which reads it on the session's own connection.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/pg/planning/mask_plans.h"
#include "proxy/pg/planning/plan.h"
#include "proxy/pg/planning/plan_context.h"
#include "proxy/pg/planning/plan_templates.h"
#include "proxy/pg/planning/planning_pool.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg {

// What a parameter is bound to, as far as planning needs it.
struct BoundValue {
  std::uint32_t type = 0;
  wire::pg::Format format = wire::pg::Format::text;
  std::optional<Bytes> value;
};

// A statement of a query string.
struct QueryPart {
  std::shared_ptr<const std::string> parse;  // the message that prepares it
  std::uint32_t characters_before = 0;       // in the whole string, as positions of errors count
};

class Planner {
 public:
  void set_catalogue(std::shared_ptr<const postgres::Catalogue> catalogue);
  const std::shared_ptr<const postgres::Catalogue>& catalogue() const { return catalogue_; }
  // Where sessions share what they compile; must outlive the planner. Without it each compiles its own.
  void share_mask_plans(MaskPlans& plans) { mask_plans_ = &plans; }

  // The session's search_path as the client has set it; empty: the role's default.
  void set_search_path(std::vector<std::string> path) { search_path_ = std::move(path); }
  const std::vector<std::string>& search_path() const;

  // One plan per statement; an empty text gives one of PlanKind::empty. The error is for the client: a syntax
  // error, a limit, a name that does not exist.
  using Plans = std::vector<std::shared_ptr<const Plan>>;
  std::expected<Plans, wire::pg::ErrorFields> plan(std::string_view sql, const PlanContext& context);

  // The same for a simple query: one that differs from an earlier one in a number only is not parsed again
  // (plan_templates.h).
  std::expected<Plans, wire::pg::ErrorFields> plan_query(std::string_view sql, const PlanContext& context);

  // The last text failed because a statement of it changes what names mean for a later one: as a whole it
  // cannot be planned, but statement by statement, each when those before it have run.
  bool names_moved() const { return names_moved_; }
  // The statements of a text that has parsed, without what is none between its semicolons.
  static std::vector<QueryPart> parts(std::string_view sql);

  // Types of parameters that the wire names by number: a value that becomes one may run code, as the check of
  // a domain does, and while masks are in force that code could read masked values.
  std::optional<Denial> refuse_types(std::span<const std::uint32_t> types, const MaskSet& masks);

  bool is_current(const Plan& plan, const PlanContext& context) const;

  // The plan's operation with the bound and the query vectors that these values give it; the plan's own when
  // no parameter bears on it.
  std::shared_ptr<const Operation> bind(const Plan& plan, std::span<const BoundValue> values,
                                        const PlanContext& context) const;

  // The catalogue has just been read for the statement that is planned next: a name that it does not know
  // does not exist.
  void set_fresh(bool fresh) { fresh_ = fresh; }

  // One with the same view of the database and nothing of this one's own, for a large text on another thread
  // (errands.h). What it plans is Plan::large; its trees are let go on the pool.
  Planner aside(const PlanContext& context, std::weak_ptr<PlanningPool> pool);
  // What a plan that is made now is made from.
  Basis basis_now(const PlanContext& context);
  // The last text was short, and names a prepared statement or cursor that is large: it has to be planned
  // aside too.
  bool met_large() const { return met_large_; }

  // The same statement with its limit lowered to as many rows as carry at most `records`, or with one added.
  std::expected<std::shared_ptr<const Plan>, Denial> clamp(const Plan& plan, std::uint64_t records,
                                                           const PlanContext& context);

 private:
  class Work;
  const postgres::rewrite::MaskPlan& masking(const MaskSet& masks);
  Basis basis(const PlanContext& context) const;
  std::vector<postgres::rewrite::CarriedKey> carried_keys(const Plan& plan, const MaskSet& masks);
  // Makes `catalogue_` the one with what a policy vouches for.
  void vouch(std::vector<std::string> vouched);
  std::shared_ptr<const postgres::Catalogue> as_read_;
  std::vector<std::string> vouched_;  // what `catalogue_` has been made with
  std::shared_ptr<const postgres::Catalogue> catalogue_;
  std::vector<std::string> search_path_;
  std::shared_ptr<const postgres::rewrite::MaskPlan> masking_;  // of the last (catalogue, masks)
  MaskPlans* mask_plans_ = nullptr;
  PlanTemplates templates_;
  bool fresh_ = false;
  bool names_moved_ = false;
  bool aside_ = false;
  std::weak_ptr<PlanningPool> pool_;
  bool met_large_ = false;
};

}  // namespace sluice::proxy::pg
