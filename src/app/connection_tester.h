// Tries a connection out: dials, logs in with each role's credential, perhaps reads what the role may do, and
// hangs up.
#pragma once

#include "admin/ports.h"
#include "proxy/pg/login/upstream_login.h"
#include "proxy/pg/login/upstream_query.h"

namespace sluice::app {

class ConnectionTestPort final : public admin::ConnectionTester {
 public:
  // `limit`: how long one login may take, asked at each test. `masked`: whether masks hold on a connection.
  // Thread-safe.
  ConnectionTestPort(proxy::pg::CredentialResolver resolve, std::function<std::chrono::nanoseconds()> limit,
                     std::function<bool(const std::string& connection)> masked)
      : resolve_(std::move(resolve)), limit_(std::move(limit)), masked_(std::move(masked)) {}
  std::map<std::string, admin::ConnectionTest> test(const Connection& connection) override;
  std::map<std::string, admin::RoleAdvice> advise(const Connection& connection) override;

 private:
  struct Visit {
    proxy::pg::Upstream upstream;
    std::vector<proxy::pg::TextRow> rows;
  };
  // Logs in and asks `sql`, if there is any; then calls `look` while the connection is still open.
  Result<void> visit(const std::shared_ptr<const Connection>& connection, const ConnectionRole& role,
                     const std::string& sql, const std::function<void(const Visit&)>& look);

  admin::ConnectionTest test_role(const std::shared_ptr<const Connection>& connection,
                                  const ConnectionRole& role);
  proxy::pg::CredentialResolver resolve_;
  std::function<std::chrono::nanoseconds()> limit_;
  std::function<bool(const std::string&)> masked_;
};

}  // namespace sluice::app
