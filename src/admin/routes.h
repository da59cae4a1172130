// The route table: every route with its method, path, authorization, handler and description. Dispatch, the
// OpenAPI document and the tests of authorization all read this one table; a path that is not in it does not
// exist.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "admin/message.h"
#include "identity/directory.h"

namespace sluice::admin {

class Control;

// Who may call a route. Everything but `open` needs a valid token of a principal that is not disabled.
enum class Who : std::uint8_t {
  open,     // no token: health, and documents that hold nothing of this installation
  metrics,  // no token on loopback where the settings allow it; else as `reader`
  member,   // every principal; the handler narrows what they see
  reader,   // roles admin or auditor
  admin,    // role admin
};

// One call: the request, the parts of its path, and who calls.
struct Call {
  const Request& request;
  std::map<std::string, std::string, std::less<>> path;  // "{name}" → its text
  identity::Authenticated caller;                        // `principal` is null on open routes

  const Principal& actor() const { return *caller.principal; }
};

using Handler = Result<Response> (*)(Control& control, const Call& call);

struct Route {
  Method method;
  std::string_view path;  // "/api/v1/tokens/{id}"
  Who who;
  Handler handler;
  std::string_view summary;
  std::string_view query;   // known query keys, comma separated
  std::string_view body;    // schema of the request body (admin/schemas.cc); empty: no body
  std::string_view answer;  // schema of the answer; empty: see `summary`
  bool blocking = false;    // takes long (dials, reads the whole record): runs beside the control thread
};

std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;  // null: none
  bool path_exists = false;      // with another method: 405
  std::map<std::string, std::string, std::less<>> path;
};
Match find_route(Method method, std::string_view path);

}  // namespace sluice::admin
