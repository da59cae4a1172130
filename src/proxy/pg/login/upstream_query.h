// One query of the gateway's own on a server connection that serves no session: for `sluice doctor`.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "proxy/pg/login/upstream_login.h"

namespace sluice::proxy::pg {

using TextRow = std::vector<std::optional<std::string>>;

// The rows of all statements of `sql`, in text, until the server is ready again. `limit`: for all of it. An
// error names the server's SQLSTATE and message.
net::Task<Result<std::vector<TextRow>>> query_upstream(Upstream& upstream, std::string sql,
                                                       std::chrono::nanoseconds limit);

}  // namespace sluice::proxy::pg
