// Adapters from the admin API's ports (admin/ports.h) to the running gateway. One class per port; each owns
// nothing.
#pragma once

#include "admin/ports.h"
#include "proxy/pg/session/server.h"

namespace sluice::app {

class LiveSessionsPort final : public admin::LiveSessions {
 public:
  explicit LiveSessionsPort(proxy::pg::Server& postgres) : postgres_(postgres) {}
  std::vector<admin::LiveSession> list() override;
  Result<void> kill(SessionId id, const std::string& reason) override;

 private:
  proxy::pg::Server& postgres_;
};

}  // namespace sluice::app
