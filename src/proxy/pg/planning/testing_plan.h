// For tests: one statement as a plan, as far as the planner has come before it looks at settings, masks and
// names of statements:
//
//   auto plan = described("SET search_path = x", *catalogue);
//   check_settings(*plan, ...);
#pragma once

#include <fmt/format.h>

#include <cstdlib>

#include "proxy/pg/planning/plan.h"
#include "systems/postgres/describe/describe.h"

namespace sluice::proxy::pg::testing {

// `sql`: one statement (another text aborts the test program), its names resolved along the search_path
// `public`.
inline std::shared_ptr<Plan> described(std::string_view sql, const postgres::Catalogue& catalogue,
                                       const postgres::StatementNames* names = nullptr) {
  static const std::vector<std::string> path{"public"};
  auto plan = std::make_shared<Plan>();
  auto parsed = postgres::sql::parse(sql);
  if (!parsed || parsed->statements().size() != 1) {
    fmt::print(stderr, "not one statement: {}\n", sql);
    std::abort();
  }
  auto shared = std::make_shared<const postgres::sql::ParsedSql>(std::move(*parsed));
  plan->statement = &shared->statements()[0];
  plan->parsed = std::move(shared);
  plan->body = plan->statement->body;
  plan->source = plan->statement->text;
  plan->text = plan->source;
  auto operation = std::make_shared<Operation>(
      postgres::describe(*plan->statement, {.catalogue = catalogue, .search_path = path, .names = names}));
  plan->kind = kind_of(*plan->body, *operation);
  plan->writes = may_write(*operation);
  plan->operation = std::move(operation);
  return plan;
}

}  // namespace sluice::proxy::pg::testing
