#include "app/connection_tester.h"

#include <boost/asio/co_spawn.hpp>

#include "core/clock.h"

namespace sluice::app {

std::map<std::string, admin::ConnectionTest> ConnectionTestPort::test(const Connection& connection) {
  const auto shared = std::make_shared<const Connection>(connection);
  std::map<std::string, admin::ConnectionTest> results;
  for (const auto& role : connection.roles) results[role.alias] = test_role(shared, role);
  return results;
}

admin::ConnectionTest ConnectionTestPort::test_role(const std::shared_ptr<const Connection>& connection,
                                                    const ConnectionRole& role) {
  const SystemClock clock;
  const auto began = clock.steady();
  admin::ConnectionTest out;
  auto secret = resolve_(role.credential);
  if (!secret) {
    out.problem = secret.error().message();
    return out;
  }
  // A loop of its own: the test runs on a thread of its own, and takes no session's time.
  net::Loop loop;
  net::asio::thread_pool pool{1};
  proxy::pg::SaltedPasswords passwords{pool};
  std::optional<Result<proxy::pg::Upstream>> answer;
  proxy::pg::UpstreamLogin login{connection,
                                 role.upstream_user,
                                 std::move(*secret),
                                 {{"application_name", "sluice connection test"}},
                                 limit_()};
  net::asio::co_spawn(loop, proxy::pg::log_in(std::move(login), passwords),
                      [&](std::exception_ptr, Result<proxy::pg::Upstream> result) {
                        answer = std::move(result);
                        loop.stop();
                      });
  loop.run();
  out.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady() - began);
  if (!answer || !*answer) {
    out.problem = answer ? answer->error().message() : "the login did not end";
    return out;
  }
  out.ok = true;
  for (const auto& [name, value] : (*answer)->status) {
    if (name == "server_version") out.server_version = value;
  }
  return out;
}

}  // namespace sluice::app
