#include "proxy/pg/login/refused_login.h"

#include "core/log.h"
#include "core/metrics.h"

namespace sluice::proxy::pg {
namespace {

void count(std::string_view cause) {
  metrics::counter("sluice_logins_refused_total", "Log-ins that did not become a session",
                   {{"cause", std::string{cause}}})
      .increment();
}

}  // namespace

std::string address_of_client(const net::Socket& socket) {
  boost::system::error_code unknown;
  const auto peer = socket.remote_endpoint(unknown);
  return unknown ? std::string{} : peer.address().to_string();
}

void report_refused_login(gate::Services& services, const LoginFailure& failure,
                          std::string_view client_address) {
  if (failure.cancel_request) return;
  log::info("login refused", {{"cause", failure.cause},
                              {"detail", failure.detail},
                              {"principal", failure.principal},
                              {"client", std::string{client_address}}});
  const auto recorded = services.log.append(record::SessionRefused{.connection = failure.connection,
                                                                   .principal = failure.principal,
                                                                   .client_address = client_address,
                                                                   .client_name = {},
                                                                   .reason = failure.cause});
  count(failure.cause);
  if (!recorded) log::error("refused login not recorded", {{"error", recorded.error().message()}});
}

void count_unheard_client() {
  count("gateway_full_unheard");
}

}  // namespace sluice::proxy::pg
