#include "admin/control.h"

namespace sluice::admin {

Result<void> Control::publish_directory() {
  TRY(auto principals, parts_.principals.principals());
  TRY(auto tokens, parts_.tokens.tokens());
  parts_.directory.replace(
      std::make_shared<identity::DirectorySnapshot>(std::move(principals), std::move(tokens)));
  if (parts_.changed) parts_.changed();
  return {};
}

Result<void> Control::publish_connections() {
  TRY(auto connections, parts_.connection_repository.connections());
  parts_.connections.replace(std::make_shared<ConnectionTable>(std::move(connections)));
  if (parts_.changed) parts_.changed();
  return {};
}

Result<void> Control::report(const Call& call, std::string action, std::string target, std::string before,
                             std::string after, AuditFacts facts) {
  return parts_.audit.report({.at = now(),
                              .actor = call.actor().name,
                              .token_id = call.caller.token.value,
                              .client_address = call.request.client_address,
                              .action = std::move(action),
                              .target = std::move(target),
                              .before = std::move(before),
                              .after = std::move(after),
                              .facts = std::move(facts)});
}

}  // namespace sluice::admin
