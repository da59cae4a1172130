// Tries a connection out: dials, logs in with each role's credential, and hangs up.
#pragma once

#include "admin/ports.h"
#include "proxy/pg/upstream_login.h"

namespace sluice::app {

class ConnectionTestPort final : public admin::ConnectionTester {
 public:
  // `limit`: how long one login may take, asked at each test. Thread-safe.
  ConnectionTestPort(proxy::pg::CredentialResolver resolve, std::function<std::chrono::nanoseconds()> limit)
      : resolve_(std::move(resolve)), limit_(std::move(limit)) {}
  std::map<std::string, admin::ConnectionTest> test(const Connection& connection) override;

 private:
  admin::ConnectionTest test_role(const std::shared_ptr<const Connection>& connection,
                                  const ConnectionRole& role);
  proxy::pg::CredentialResolver resolve_;
  std::function<std::chrono::nanoseconds()> limit_;
};

}  // namespace sluice::app
