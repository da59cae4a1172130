// Commands that speak to a running gateway, over its API only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/api_client.h"
#include "app/output.h"

namespace sluice::app::commands {

struct Remote {
  ContextFlags flags;
  Output output = Output::table;
};

int status(const Remote& remote);
int me(const Remote& remote);

struct PrincipalOptions {
  std::string name;
  std::string kind;
  std::vector<std::string> groups;
  std::vector<std::string> roles;
  std::vector<std::string> claims;  // "name=value"
  std::string owner;
  bool no_groups = false;  // on update: an empty list
  bool no_roles = false;
};
int principal_create(const Remote& remote, const PrincipalOptions& options);
int principal_update(const Remote& remote, const PrincipalOptions& options);
int principal_list(const Remote& remote, const std::string& group);
int principal_act(const Remote& remote, const std::string& name,
                  const std::string& action);  // show, disable, ...

struct TokenOptions {
  std::string principal;
  std::string label;
  std::string ttl;  // "30d"; "never"; empty: the gateway's default
};
int token_create(const Remote& remote, const TokenOptions& options);
int token_list(const Remote& remote, const std::string& principal);
int token_revoke(const Remote& remote, const std::string& id);

struct ConnectionOptions {
  std::string name;
  std::string system;
  std::string host;
  std::optional<std::uint16_t> port;
  std::string database;
  std::string tls;
  std::string ca_file;
  std::vector<std::string> roles;   // "alias=upstream_user:kind:reference"
  std::vector<std::string> groups;  // of every role; "alias:group" for one
};
int connection_add(const Remote& remote, const ConnectionOptions& options);
int connection_update(const Remote& remote, const ConnectionOptions& options);
int connection_list(const Remote& remote);
int connection_act(const Remote& remote, const std::string& name, const std::string& action);
int connection_names(const Remote& remote, const std::string& name, const std::string& forget);
int connection_rotate(const Remote& remote, const std::string& name, const std::string& role,
                      const std::string& credential, bool end_sessions);

int review_list(const Remote& remote, const std::string& state);
int review_show(const Remote& remote, const std::string& id);
int review_decide(const Remote& remote, const std::string& id, bool approve, const std::string& comment);

int policy_show(const Remote& remote);
int policy_reload(const Remote& remote);
struct ExplainOptions {
  std::string principal;
  std::string connection;
  std::string role;
  std::string client;
  std::string statement;
};
int policy_explain(const Remote& remote, const ExplainOptions& options);

struct SearchOptions {
  Query query;  // keys of the API
  std::size_t limit = 100;
};
int sessions_live(const Remote& remote);
int sessions_list(const Remote& remote, const SearchOptions& options);
int sessions_search(const Remote& remote, const SearchOptions& options);
int sessions_show(const Remote& remote, const std::string& id);
int sessions_replay(const Remote& remote, const std::string& id, std::size_t limit);
int sessions_export(const Remote& remote, const std::string& id, const std::string& file);
int sessions_kill(const Remote& remote, const std::string& id, const std::string& reason);

int record_status(const Remote& remote);
int record_events(const Remote& remote, const std::string& kind, std::size_t limit);
int record_verify(const Remote& remote);

}  // namespace sluice::app::commands
