#include "app/server.h"

#include <pthread.h>
#include <signal.h>

#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <thread>

#include "admin/control.h"
#include "admin/server.h"
#include "app/audit_port.h"
#include "app/certificates.h"
#include "app/connection_tester.h"
#include "app/credential.h"
#include "app/files.h"
#include "app/former_names.h"
#include "app/index_thread.h"
#include "app/keys.h"
#include "app/live_sessions_port.h"
#include "app/measure.h"
#include "app/open_index.h"
#include "app/policy_port.h"
#include "app/policy_watch.h"
#include "app/record_port.h"
#include "app/record_set.h"
#include "app/settings_reload.h"
#include "app/settings_text.h"
#include "app/webhook.h"
#include "core/log.h"
#include "core/published.h"
#include "core/random.h"
#include "masking/detect.h"
#include "proxy/pg/session/server.h"
#include "store/record_index.h"
#include "store/state.h"

namespace sluice::app {
namespace {

constexpr auto kControlTick = std::chrono::seconds{1};
constexpr auto kLastMessages = std::chrono::seconds{3};  // for webhooks, when the gateway ends
constexpr auto kBudgetsSaved = std::chrono::seconds{5};

log::Level to_log(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return log::Level::debug;
    case LogLevel::info: return log::Level::info;
    case LogLevel::warn: return log::Level::warn;
    case LogLevel::error: return log::Level::error;
    case LogLevel::off: return log::Level::off;
  }
  return log::Level::info;
}

void configure_log(const LogSettings& settings) {
  log::configure(to_log(settings.level), settings.form == LogForm::json ? log::Form::json : log::Form::text);
}

// --- ports that are only a few lines ---

class SettingsPort final : public admin::SettingsView {
 public:
  explicit SettingsPort(const Published<Settings>& settings) : settings_(settings) {}
  std::string effective_json() override { return app::effective_json(*settings_.current()); }

 private:
  const Published<Settings>& settings_;
};

class HealthPort final : public admin::Health {
 public:
  HealthPort(RecordSet& record, PolicyWatch& policy, const std::atomic<bool>& draining)
      : record_(record), policy_(policy), draining_(draining) {}
  admin::Readiness readiness() override {
    admin::Readiness out;
    if (auto problem = record_.problem(); !problem.empty()) out.problems.push_back("record: " + problem);
    if (draining_) out.problems.push_back("draining");
    for (const auto& problem : policy_.current().problems) {
      // An older policy is in force, so the gateway is ready; the operator still sees what is wrong.
      if (problem.severity == policy::Severity::error)
        log::debug("policy", {{"problem", policy::to_string(problem)}});
    }
    out.ready = out.problems.empty();
    return out;
  }

 private:
  RecordSet& record_;
  PolicyWatch& policy_;
  const std::atomic<bool>& draining_;
};

// "file:PATH" or "env:NAME", as settings name a secret.
Result<CredentialSource> parse_secret_source(const std::string& text) {
  const auto colon = text.find(':');
  const auto kind = text.substr(0, colon);
  if (colon == std::string::npos || colon + 1 == text.size() || (kind != "file" && kind != "env")) {
    return fail(Errc::invalid_argument, "webhook.secret must be file:PATH or env:NAME");
  }
  return CredentialSource{kind == "file" ? CredentialSource::Kind::file : CredentialSource::Kind::environment,
                          text.substr(colon + 1)};
}

// --- budgets over restarts ---

Result<void> load_budgets(store::State& state, budget::Ledger& ledger, budget::Probes& probes,
                          const Clock& clock) {
  TRY(const auto rows, state.budgets.load());
  std::vector<budget::AccountState> accounts;
  std::vector<budget::AccountState> probed;
  for (const auto& row : rows) {
    auto& those = budget::Probes::owns(row.account) ? probed : accounts;
    if (those.empty() || those.back().key != row.account) those.push_back({row.account, row.width, {}});
    those.back().steps.push_back({row.index, row.taken});
  }
  const auto lost = ledger.restore(accounts, clock.now()) + probes.restore(probed, clock.now());
  if (lost > 0) log::warn("budgets", {{"not_restored", std::to_string(lost)}});
  return {};
}

Result<void> save_budgets(store::State& state, const budget::Ledger& ledger, const budget::Probes& probes,
                          const Clock& clock) {
  std::vector<store::BudgetStep> rows;
  const auto add = [&](const std::vector<budget::AccountState>& accounts) {
    for (const auto& account : accounts) {
      for (const auto& step : account.steps)
        rows.push_back({account.key, account.step, step.index, step.taken});
    }
  };
  add(ledger.snapshot(clock.now()));
  add(probes.snapshot(clock.now()));
  return state.budgets.replace(rows);
}

// --- the gateway ---

// Members are made in the order in which they need each other, and go in the opposite order.
class Gateway {
 public:
  explicit Gateway(const Settings& settings)
      : settings_(settings), in_force_(std::make_shared<const Settings>(settings)) {}

  Result<void> start() {
    workers_ = settings_.workers == 0 ? std::max(1u, std::thread::hardware_concurrency()) : settings_.workers;
    CHECK_OK(check_folders());
    CHECK_OK(open_record());
    CHECK_OK(open_state());
    CHECK_OK(open_policy());
    CHECK_OK(open_reviews());
    CHECK_OK(open_postgres());
    CHECK_OK(open_admin());
    for (auto& certificate : certificates_) {
      record_->on_upkeep([c = certificate.get()] { c->look(); });
    }
    record_->on_upkeep([this] { policy_->look(); });
    policy_->on_change([this] { postgres_->changed(); });
    record_->start();
    index_thread_->start();
    runtime_->start();
    postgres_->start();
    admin_->start();
    log::info("sluice is ready", {{"admin", fmt::format("{}:{}", settings_.admin.address, admin_->port())},
                                  {"workers", std::to_string(workers_)}});
    return {};
  }

  // SIGHUP. The policy and the certificates look after themselves too; this is for those who do not want to
  // wait.
  void reload() {
    reload_settings();
    if (auto reloaded = policy_->reload(); !reloaded) {
      log::error("policy not reloaded; the older one stays", {{"error", reloaded.error().message()}});
    }
    for (auto& certificate : certificates_) certificate->look();
  }

  void drain() {
    draining_ = true;
    log::info("draining", {{"sessions", std::to_string(postgres_->session_count())}});
    postgres_->stop_accepting();
    postgres_->drain(in_force_.current()->drain_timeout);
    admin_->stop();
    runtime_->stop();
    if (webhook_ && !webhook_->flush(kLastMessages)) log::warn("webhook messages were not delivered", {});
    index_thread_->stop();
    if (auto saved = save_budgets(*state_, ledger_, probes_, clock_); !saved) {
      log::error("budgets not saved", {{"error", saved.error().message()}});
    }
    save_former_names(*state_, context_->catalogues);
    record_->close();
    log::info("stopped", {});
  }

 private:
  void reload_settings() {
    auto fresh = load_settings(settings_.file, process_environment());
    if (!fresh) {
      log::error("settings not reloaded; the older ones stay", {{"error", fresh.error().message()}});
      return;
    }
    auto change = merge_live(*in_force_.current(), *fresh);
    for (const auto& name : change.at_restart) {
      log::warn("setting changed: it takes effect after a restart", {{"setting", name}});
    }
    for (const auto& name : change.applied) log::info("setting applied", {{"setting", name}});
    configure_log(change.in_force.log);
    context_->limits.replace(
        std::make_shared<const proxy::pg::SessionLimits>(session_limits(change.in_force)));
    in_force_.replace(std::make_shared<const Settings>(std::move(change.in_force)));
  }

  static proxy::pg::SessionLimits session_limits(const Settings& settings) {
    proxy::pg::SessionLimits limits;
    limits.login = settings.limits.login_timeout;
    limits.upstream_login = settings.limits.upstream_connect_timeout;
    limits.idle = settings.limits.idle_timeout;
    limits.idle_in_transaction = settings.limits.idle_in_transaction_timeout;
    limits.sessions = settings.limits.sessions;
    limits.sessions_per_principal = settings.limits.sessions_per_principal;
    limits.exchange.message_bytes = settings.limits.message_size.bytes;
    limits.exchange.statement_bytes = settings.limits.statement_size.bytes;
    limits.exchange.sample_rows = settings.record.sample_records;
    limits.exchange.sample_bytes = settings.record.sample_size.bytes;
    return limits;
  }

  // Who can write these decides who may do what, so nobody else may.
  Result<void> check_folders() {
    CHECK_OK(require_own_folder(settings_.data(), false));
    return require_own_folder(settings_.path(settings_.policy_dir), true);
  }

  Result<void> open_record() {
    TRY(key_, load_signing_key(settings_.data()));
    TRY(record_, RecordSet::open(settings_, key_, workers_, clock_));
    TRY(index_,
        open_index(settings_.data() / "record-index.db", settings_.path(settings_.record.dir), *record_));
    index_thread_ = std::make_unique<IndexThread>(settings_.path(settings_.record.dir), *index_, clock_);
    return {};
  }

  Result<void> open_state() {
    const bool host = settings_.record.durability == Durability::host;
    TRY(state_, store::State::open(settings_.data() / "state.db",
                                   host ? store::Durable::host : store::Durable::process));
    return load_budgets(*state_, ledger_, probes_, clock_);
  }

  Result<void> open_policy() {
    TRY(policy_, PolicyWatch::start(settings_.path(settings_.policy_dir), *record_, clock_));
    return {};
  }

  Result<void> open_reviews() {
    if (!settings_.webhook.url.empty()) {
      Webhook::Options options;
      options.url = settings_.webhook.url;
      options.timeout = settings_.webhook.timeout;
      options.attempts = settings_.webhook.attempts;
      if (!settings_.webhook.secret.empty()) {
        TRY(const auto source, parse_secret_source(settings_.webhook.secret));
        TRY(options.key, resolve_credential(source, credential_rules()));
      }
      webhook_ = std::make_unique<Webhook>(std::move(options), clock_);
    }
    review_news_ = std::make_unique<ReviewNews>(*record_, webhook_.get());
    const review::Reviews::Limits limits{
        .pending_for =
            std::chrono::duration_cast<std::chrono::seconds>(settings_.limits.pending_review_timeout),
        .pending_per_principal = settings_.limits.pending_reviews_per_principal};
    reviews_ = std::make_unique<review::Reviews>(
        clock_, state_->reviews, [this](std::string_view name) { return directory_.current()->find(name); },
        review_news_.get(), limits);
    return reviews_->restore();
  }

  Result<void> open_postgres() {
    runtime_ = std::make_unique<net::Runtime>(workers_);
    std::vector<gate::Services*> services;
    for (std::size_t i = 0; i < workers_; ++i) {
      services_.push_back(std::make_unique<gate::Services>(gate::Services{
          clock_, record_->worker(i), policy_->published(), ledger_, *reviews_, probes_,
          settings_.record.durability == Durability::host, gate::Measures{std::to_string(i)}}));
      services.push_back(services_.back().get());
    }
    context_ = std::make_unique<proxy::pg::ServerContext>(
        clock_, authenticator_, directory_, connections_, *reviews_,
        [rules = credential_rules()](const CredentialSource& source) {
          return resolve_credential(source, rules);
        },
        blocking_, session_limits(settings_));
    CHECK_OK(masking::prepare_detectors());
    TRY(context_->hash_key, load_hash_key(settings_.data()));
    CHECK_OK(load_former_names(*state_, context_->catalogues));
    context_->epoch = static_cast<std::uint32_t>(random_u64());
    postgres_ = std::make_unique<proxy::pg::Server>(*runtime_, *context_, services);
    for (const auto& listener : settings_.postgres) CHECK_OK(listen(listener));
    return {};
  }

  Result<void> listen(const PostgresListener& listener) {
    proxy::pg::ListenAddress address;
    address.address = listener.address;
    address.port = listener.port;
    address.options.connection = listener.connection;
    address.options.plaintext_on_loopback = listener.tls == ClientTls::allowed_on_loopback;
    TRY(auto certificate, Certificate::load(settings_.path(listener.certificate),
                                            settings_.path(listener.key), {"postgresql"}));
    address.options.tls = [c = certificate.get()] { return c->current(); };
    certificates_.push_back(std::move(certificate));
    TRY(const auto port, postgres_->listen(address));
    const auto place = fmt::format("{}:{}", listener.address, port);
    log::info("listening", {{"protocol", "postgres"},
                            {"listener", listener.name.empty() ? place : listener.name},
                            {"address", place},
                            {"connection", listener.connection.empty() ? "by dbname" : listener.connection}});
    return {};
  }

  Result<void> open_admin() {
    live_port_ = std::make_unique<LiveSessionsPort>(*postgres_);
    policy_port_ =
        std::make_unique<PolicyPort>(*policy_, directory_, connections_, context_->catalogues, clock_);
    record_port_ = std::make_unique<RecordPort>(
        settings_.path(settings_.record.dir), *index_, [this] { return index_thread_->catch_up(); }, *record_,
        record::verifier_key(kRecordKeyName, key_.public_key),
        settings_.record.durability == Durability::host ? "host" : "process");
    tester_port_ = std::make_unique<ConnectionTestPort>(
        context_->resolve_credential, [this] { return context_->limits.current()->upstream_login; },
        [this](const std::string& connection) { return policy_->current().policy->masks_on(connection); });
    audit_port_ = std::make_unique<AuditPort>(*record_);
    settings_port_ = std::make_unique<SettingsPort>(in_force_);
    health_port_ = std::make_unique<HealthPort>(*record_, *policy_, draining_);
    control_ = std::make_unique<admin::Control>(
        admin::Parts{.clock = clock_,
                     .principals = state_->principals,
                     .tokens = state_->tokens,
                     .connection_repository = state_->connections,
                     .authenticator = authenticator_,
                     .directory = directory_,
                     .connections = connections_,
                     .reviews = *reviews_,
                     .review_repository = state_->reviews,
                     .sessions = *live_port_,
                     .policy = *policy_port_,
                     .record = *record_port_,
                     .tester = *tester_port_,
                     .audit = *audit_port_,
                     .settings = *settings_port_,
                     .health = *health_port_,
                     .changed = [this] { postgres_->changed(); },
                     .systems = {"postgres"},
                     .credential_commands = settings_.admin.credential_commands,
                     .metrics_without_token = settings_.admin.metrics_without_token,
                     .version = SLUICE_VERSION});
    CHECK_OK(control_->publish_directory());
    CHECK_OK(control_->publish_connections());
    admin::ServerSettings server;
    server.address = settings_.admin.address;
    server.port = settings_.admin.port;
    if (!settings_.admin.certificate.empty()) {
      TRY(auto certificate, Certificate::load(settings_.path(settings_.admin.certificate),
                                              settings_.path(settings_.admin.key), {"http/1.1"}));
      server.tls = [c = certificate.get()] { return c->current(); };
      certificates_.push_back(std::move(certificate));
    }
    server.limits.body_bytes = settings_.admin.max_body.bytes;
    server.request_timeout = settings_.admin.request_timeout;
    server.max_connections = settings_.admin.max_connections;
    TRY(admin_, admin::Server::open(server, *control_));
    announce_build();
    const Measured measured{*postgres_, *reviews_, *record_, *policy_, settings_.path(settings_.record.dir)};
    measure(measured);
    admin_->every(kControlTick, [this, measured] {
      reviews_->sweep();
      measure(measured);
      save_former_names(*state_, context_->catalogues);
    });
    admin_->every(kBudgetsSaved, [this] {
      if (auto saved = save_budgets(*state_, ledger_, probes_, clock_); !saved) {
        log::error("budgets not saved", {{"error", saved.error().message()}});
      }
    });
    return {};
  }

  CredentialRules credential_rules() const {
    return {.data = settings_.data(), .commands = settings_.admin.credential_commands};
  }

  const Settings& settings_;      // as they were at start
  Published<Settings> in_force_;  // with the live ones of the last reload
  SystemClock clock_;
  std::size_t workers_ = 1;
  std::atomic<bool> draining_{false};
  SigningKey key_{};
  std::unique_ptr<RecordSet> record_;
  std::unique_ptr<store::RecordIndex> index_;
  std::unique_ptr<IndexThread> index_thread_;
  std::unique_ptr<store::State> state_;
  budget::Ledger ledger_;
  budget::Probes probes_;
  std::unique_ptr<PolicyWatch> policy_;
  identity::Directory directory_;
  identity::TokenAuthenticator authenticator_{directory_};
  Connections connections_;
  std::unique_ptr<Webhook> webhook_;
  std::unique_ptr<ReviewNews> review_news_;
  std::unique_ptr<review::Reviews> reviews_;
  std::unique_ptr<net::Runtime> runtime_;
  boost::asio::thread_pool blocking_{2};  // its jobs answer to the runtime's loops, so it goes first
  std::vector<std::unique_ptr<gate::Services>> services_;
  std::vector<std::unique_ptr<Certificate>> certificates_;
  std::unique_ptr<proxy::pg::ServerContext> context_;
  std::unique_ptr<proxy::pg::Server> postgres_;
  std::unique_ptr<LiveSessionsPort> live_port_;
  std::unique_ptr<PolicyPort> policy_port_;
  std::unique_ptr<RecordPort> record_port_;
  std::unique_ptr<ConnectionTestPort> tester_port_;
  std::unique_ptr<AuditPort> audit_port_;
  std::unique_ptr<SettingsPort> settings_port_;
  std::unique_ptr<HealthPort> health_port_;
  std::unique_ptr<admin::Control> control_;
  std::unique_ptr<admin::Server> admin_;
};

}  // namespace

Result<void> serve(const Settings& settings) {
  configure_log(settings.log);
  // All threads inherit this mask, so that signals come here and nowhere else.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  Gateway gateway{settings};
  CHECK_OK(gateway.start());
  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) break;
    gateway.reload();
  }
  gateway.drain();
  return {};
}

}  // namespace sluice::app
