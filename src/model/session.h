// Facts about one session that do not change while it lives: what policy matches on beside the operation, and
// what the record says once at its start.
#pragma once

#include <memory>
#include <string>

#include "core/clock.h"
#include "model/ids.h"
#include "model/principal.h"

namespace sluice {

struct SessionFacts {
  SessionId id;
  std::shared_ptr<const Principal> principal;
  std::string connection;     // operator-given name: "docs"
  std::string system;         // "postgres"
  std::string role;           // the role alias asked for
  std::string upstream_user;  // whom the database sees
  std::string database;
  std::string client_address;  // "127.0.0.1"
  std::uint16_t client_port = 0;
  std::string client_name;  // application_name or user agent; data from the client
  std::string token_id;     // which token, never the token
  bool tls = false;
  WallTime started;
};

}  // namespace sluice
