#include "proxy/pg/planning/statement_size.h"

#include "systems/postgres/sql/tokens.h"

namespace sluice::proxy::pg {

bool is_large(std::string_view sql) {
  if (sql.size() <= kLoopTokens) return false;  // a token has at least one byte
  if (sql.size() > kLoopBytes) return true;
  // A run of operator characters is read again and again; as many steps as bytes of the longest text are few.
  const auto cost = postgres::sql::scan_cost(sql, {.tokens = kLoopTokens, .operator_steps = kLoopBytes});
  return cost.tokens > kLoopTokens || cost.operator_steps > kLoopBytes;
}

}  // namespace sluice::proxy::pg
