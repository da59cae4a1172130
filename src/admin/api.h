// Api: one request in, one answer out. Authentication, authorization from the route table, and the handlers.
//
// `prepare` says whether the call may run on the control thread or must run beside it; `answer` runs it.
// Neither throws.
#pragma once

#include <variant>

#include "admin/control.h"

namespace sluice::admin {

class Api {
 public:
  explicit Api(Control& control) : control_(control) {}

  // All checks that come before the handler. The Response is the refusal.
  std::variant<Call, Response> admit(const Request& request, const Route** route);

  // Everything in one, for tests and for routes that do not block.
  Response answer(const Request& request);
  Response run(const Route& route, const Call& call);

 private:
  Result<identity::Authenticated> authorize(const Route& route, const Request& request) const;
  Control& control_;
};

}  // namespace sluice::admin
