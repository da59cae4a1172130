// Control: the control plane behind the API. Holds the parts that handlers work on, and the two things that
// every change must do: be reported before it takes effect, and be published at once after it was saved.
//
//   Control control{parts};
//   CHECK_OK(control.publish_directory());     // at start: from the store into the snapshot
//   CHECK_OK(control.publish_connections());
//
// Threads: handlers run on the control thread, so changes are serial. Handlers of blocking routes run beside
// it and touch only what is thread-safe: the published snapshots, the tester and the record.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "admin/ports.h"
#include "admin/routes.h"
#include "core/clock.h"
#include "identity/authenticator.h"
#include "identity/repository.h"
#include "model/connection_table.h"
#include "review/repository.h"
#include "review/reviews.h"

namespace sluice::admin {

// Everything must outlive the Control.
struct Parts {
  const Clock& clock;
  identity::PrincipalRepository& principals;
  identity::TokenRepository& tokens;
  identity::ConnectionRepository& connection_repository;
  const identity::Authenticator& authenticator;
  identity::Directory& directory;
  Connections& connections;
  review::Reviews& reviews;
  review::ReviewRepository& review_repository;
  LiveSessions& sessions;
  PolicyControl& policy;
  RecordQuery& record;
  ConnectionTester& tester;
  AuditSink& audit;
  SettingsView& settings;
  Health& health;
  // Called after the directory or the connections have changed, so that live sessions look at once.
  std::function<void()> changed;
  std::vector<std::string> systems;  // that connections may name
  bool credential_commands = false;  // whether a connection may name a command as credential
  bool metrics_without_token = true;
  std::string version;
};

class Control {
 public:
  explicit Control(Parts parts) : parts_(std::move(parts)), started_(parts_.clock.now()) {}

  Parts& parts() { return parts_; }
  WallTime now() const { return parts_.clock.now(); }
  WallTime started() const { return started_; }

  // From the store into the published snapshot, then the `changed` hook.
  Result<void> publish_directory();
  Result<void> publish_connections();

  // Reports a change that is about to happen. `before` and `after` are JSON without secrets; empty: none.
  Result<void> report(const Call& call, std::string action, std::string target, std::string before,
                      std::string after, AuditFacts facts = {});

 private:
  Parts parts_;
  WallTime started_;
};

}  // namespace sluice::admin
