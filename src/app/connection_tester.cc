#include "app/connection_tester.h"

#include <boost/asio/co_spawn.hpp>

#include "core/clock.h"
#include "systems/postgres/catalogue/least_privilege.h"

namespace sluice::app {

std::map<std::string, admin::ConnectionTest> ConnectionTestPort::test(const Connection& connection) {
  const auto shared = std::make_shared<const Connection>(connection);
  std::map<std::string, admin::ConnectionTest> results;
  for (const auto& role : connection.roles) results[role.alias] = test_role(shared, role);
  return results;
}

std::map<std::string, admin::RoleAdvice> ConnectionTestPort::advise(const Connection& connection) {
  const auto shared = std::make_shared<const Connection>(connection);
  const bool masked = masked_(connection.name);
  std::map<std::string, admin::RoleAdvice> results;
  for (const auto& role : connection.roles) {
    auto& out = results[role.alias];
    out.user = role.upstream_user;
    const auto looked = visit(shared, role, std::string{postgres::kExcessPrivileges}, [&](const Visit& seen) {
      std::vector<postgres::PrivilegeAdvice> all;
      for (const auto& row : seen.rows) postgres::add_least_privilege(all, row, masked);
      for (auto& [statement, reason] : all) {
        out.statements.push_back({std::move(statement), std::move(reason)});
      }
    });
    if (!looked) out.problem = looked.error().message();
  }
  return results;
}

admin::ConnectionTest ConnectionTestPort::test_role(const std::shared_ptr<const Connection>& connection,
                                                    const ConnectionRole& role) {
  const SystemClock clock;
  const auto began = clock.steady();
  admin::ConnectionTest out;
  const auto visited = visit(connection, role, {}, [&](const Visit& seen) {
    for (const auto& [name, value] : seen.upstream.status) {
      if (name == "server_version") out.server_version = value;
    }
  });
  out.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady() - began);
  out.ok = visited.has_value();
  if (!visited) out.problem = visited.error().message();
  return out;
}

Result<void> ConnectionTestPort::visit(const std::shared_ptr<const Connection>& connection,
                                       const ConnectionRole& role, const std::string& sql,
                                       const std::function<void(const Visit&)>& look) {
  TRY(auto secret, resolve_(role.credential));
  // A loop of its own: the test runs on a thread of its own, and takes no session's time.
  net::Loop loop;
  net::asio::thread_pool pool{1};
  proxy::pg::SaltedPasswords passwords{pool};
  std::optional<Result<Visit>> answer;
  const auto limit = limit_();
  proxy::pg::UpstreamLogin login{connection,
                                 role.upstream_user,
                                 std::move(secret),
                                 {{"application_name", "sluice connection test"}},
                                 limit};
  const auto go = [&](proxy::pg::UpstreamLogin with) -> net::Task<Result<Visit>> {
    Visit made;
    CO_TRY(made.upstream, co_await proxy::pg::log_in(std::move(with), passwords));
    if (!sql.empty()) {
      CO_TRY(made.rows, co_await proxy::pg::query_upstream(made.upstream, sql, limit));
    }
    co_return made;
  };
  net::asio::co_spawn(loop, go(std::move(login)), [&](std::exception_ptr, Result<Visit> result) {
    answer = std::move(result);
    loop.stop();
  });
  loop.run();
  if (!answer) return fail(Errc::unavailable, "the login did not end");
  if (!*answer) return std::unexpected(answer->error());
  look(**answer);
  return {};
}

}  // namespace sluice::app
