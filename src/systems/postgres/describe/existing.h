// CREATE … IF NOT EXISTS of what exists: the server answers with a notice and does nothing. Frameworks send
// it at every start (langchain-postgres, SQLAlchemy).
#pragma once

#include "systems/postgres/describe/describe.h"

namespace sluice::postgres {

bool creates_nothing(const sql::Statement& statement, const DescribeContext& context);

}  // namespace sluice::postgres
