// What is kept of a log-in that did not become a session: a line in the log, an entry in the record, a count.
#pragma once

#include <string>
#include <string_view>

#include "gate/services.h"
#include "net/socket.h"
#include "proxy/pg/login/client_login.h"

namespace sluice::proxy::pg {

// "192.0.2.7"; empty when the client has gone already.
std::string address_of_client(const net::Socket& socket);

// Nothing for a cancel request, which is no log-in.
void report_refused_login(gate::Services& services, const LoginFailure& failure,
                          std::string_view client_address);

// One that was turned away without a word: a count only, because they may come as fast as the network brings
// them.
void count_unheard_client();

}  // namespace sluice::proxy::pg
