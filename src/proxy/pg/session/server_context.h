// What all PostgreSQL sessions share: the gateway's parts (ServerContext, of the process) and the worker's
// own (WorkerContext, of one thread). Everything in them outlives the sessions.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <unordered_map>

#include <boost/asio/thread_pool.hpp>

#include "core/published.h"
#include "gate/services.h"
#include "masking/cell_masker.h"
#include "net/runtime.h"
#include "proxy/pg/catalogue/catalogue_store.h"
#include "proxy/pg/exchange/exchange.h"
#include "proxy/pg/login/client_login.h"
#include "proxy/pg/login/goodbyes.h"
#include "proxy/pg/planning/planning_pool.h"
#include "proxy/pg/session/cancel_keys.h"
#include "proxy/pg/session/session_counts.h"

namespace sluice::proxy::pg {

class Session;

// Replaced as a whole while sessions run: timeouts hold for all of them from their next tick on, the rest for
// those that begin afterwards.
struct SessionLimits {
  std::chrono::nanoseconds login =
      std::chrono::seconds{20};  // from the first byte to a session that is ready
  std::chrono::nanoseconds upstream_login = std::chrono::seconds{15};
  std::chrono::nanoseconds idle{0};                 // without a statement, outside of a transaction; 0: none
  std::chrono::nanoseconds idle_in_transaction{0};  // the same inside of one
  std::size_t sessions = 20'000;                    // of the gateway
  std::size_t sessions_per_principal = 1'000;
  ExchangeLimits exchange;
};

struct ServerContext {
  ServerContext(const Clock& the_clock, const identity::Authenticator& the_authenticator,
                const Published<identity::DirectorySnapshot>& the_directory,
                const Published<ConnectionTable>& the_connections, review::Reviews& the_reviews,
                CredentialResolver resolver, boost::asio::thread_pool& pool, SessionLimits session_limits)
      : clock(the_clock),
        authenticator(the_authenticator),
        directory(the_directory),
        connections(the_connections),
        reviews(the_reviews),
        resolve_credential(std::move(resolver)),
        blocking(pool),
        salted_passwords(pool),
        limits(std::make_shared<const SessionLimits>(session_limits)) {}

  const Clock& clock;
  const identity::Authenticator& authenticator;
  const Published<identity::DirectorySnapshot>& directory;
  const Published<ConnectionTable>& connections;
  review::Reviews& reviews;
  CredentialResolver resolve_credential;
  boost::asio::thread_pool& blocking;
  SaltedPasswords salted_passwords;
  Published<SessionLimits> limits;
  SessionCounts session_counts;
  CancelKeys cancel_keys;
  CatalogueStores catalogues;
  std::atomic<std::size_t> session_count{0};
  std::atomic<std::size_t> goodbye_count{0};  // clients that are being turned away
  std::atomic<std::uint32_t> next_session{1};
  masking::HashKey hash_key{};  // of keyed hashes in replies
  std::uint32_t epoch = 0;      // random per start: the upper half of session ids
  std::shared_ptr<PlanningPool> planning = std::make_shared<PlanningPool>();
};

struct WorkerContext {
  net::Worker& worker;
  gate::Services& services;
  std::unordered_map<SessionId, std::shared_ptr<Session>> sessions;
  Goodbyes goodbyes;
};

}  // namespace sluice::proxy::pg
