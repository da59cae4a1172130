// A session of the benchmarks, without sockets: the client's bytes go into the Exchange, the server's canned
// answers too. Identity, policy and recording are on.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/byte_writer.h"
#include "proxy/pg/exchange/exchange.h"
#include "review/testing.h"
#include "systems/postgres/catalogue/testing.h"
#include "wire/pg/encode.h"

namespace sluice::bench {

using namespace wire::pg;
using proxy::pg::CatalogueStore;
using proxy::pg::Exchange;
using proxy::pg::ExchangeLimits;
using proxy::pg::Pause;
using proxy::pg::Planner;

[[noreturn]] inline void fail(std::string_view what) {
  fmt::print(stderr, "bench: {}\n", what);
  std::abort();
}

template <class T>
T expect(Result<T> result, std::string_view what) {
  if (!result) fail(fmt::format("{}: {}", what, result.error().message()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline SessionFacts session_facts() {
  auto principal = std::make_shared<Principal>();
  principal->name = "svc-bench";
  principal->kind = PrincipalKind::machine;
  principal->groups = {"bench"};
  SessionFacts facts;
  facts.id = SessionId{7};
  facts.principal = principal;
  facts.connection = "bench";
  facts.system = "postgres";
  facts.role = "bench";
  facts.upstream_user = "bench";
  facts.client_address = "127.0.0.1";
  return facts;
}

// A session that has logged in and knows the catalogue.
class Path {
 public:
  Path(const std::map<std::string, std::string>& policy, std::shared_ptr<const postgres::Catalogue> catalogue)
      : catalogue_(std::move(catalogue)) {
    initialise_crypto();
    std::string name = (std::filesystem::temp_directory_path() / "sluice-exchange-bench-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) fail("no temporary folder");
    folder_ = name;
    log_ =
        expect(record::Log::open({.folder = folder_, .shard = 1, .key = make_signing_key()}, clock_), "log");
    auto loaded = policy::load_texts(policy, 1);
    if (!loaded.policy) fail("the policy does not load: sluice policy check says why");
    policies_.replace(loaded.policy);
    services_.emplace(gate::Services{clock_, *log_, policies_, budgets_, reviews_, probes_});
    gate_.emplace(*services_, session_facts());
    expect(gate_->open(), "session");
    store_.publish(catalogue_);
    exchange_.emplace(*gate_, planner_, store_, ExchangeLimits{});
  }
  ~Path() {
    exchange_.reset();
    gate_.reset();
    log_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

  // The client's messages; answers the gateway's own question for the search path before them, if it has one.
  // Returns what goes to the server, valid until the next call.
  std::string_view client(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto step = exchange_->on_client(as_bytes(bytes));
      bytes.remove_prefix(step.consumed);
      if (step.pause == Pause::none && step.consumed > 0) continue;
      if (step.pause != Pause::catalogue) fail("the client's messages were not taken: " + told());
      if (exchange_->begin_catalogue_read()) server(search_path_);
    }
    return exchange_->to_server().pending();
  }

  void answer_catalogue() { server(search_path_); }

  // The server's answer; returns how many bytes of it the client gets.
  std::size_t server(std::string_view bytes) {
    exchange_->to_server().consumed(exchange_->to_server().pending().size());
    const auto step = exchange_->on_server(as_bytes(bytes));
    if (step.consumed != bytes.size() || step.pause != Pause::none)
      fail("the answer was not taken: " + told());
    const auto size = exchange_->to_client().size();
    exchange_->to_client().clear();
    return size;
  }

  // The same in parts of 64 KiB, as a socket would give them.
  void server_in_parts(std::string_view bytes) {
    constexpr std::size_t kPart = 64 * 1024;
    std::size_t at = 0;
    while (at < bytes.size()) {
      const auto part = bytes.substr(at, kPart);
      const auto step = exchange_->on_server(as_bytes(part));
      if (step.consumed == 0 || step.pause != Pause::none) fail("a part was not taken: " + told());
      exchange_->to_client().clear();
      at += step.consumed;
    }
    exchange_->to_server().consumed(exchange_->to_server().pending().size());
  }

  Exchange& exchange() { return *exchange_; }

  void upkeep() {
    log_->tick();
    expect(log_->maintain(), "upkeep");
  }

  postgres::Oid oid(std::string_view relation) const {
    const std::array<std::string, 1> path{"public"};
    const auto* found = catalogue_->find_relation(path, "", relation);
    if (found == nullptr) fail("no such relation");
    return found->oid;
  }

 private:
  std::string told() {
    std::array<iovec, 8> pieces;
    const auto n = exchange_->to_client().gather(0, pieces.data(), pieces.size());
    std::string text = exchange_->closing().detail;
    for (std::size_t i = 0; i < n; ++i)
      text.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
    return text;
  }

  static std::string search_path_answer() {
    std::string out;
    encode_parse_complete(out);
    encode_bind_complete(out);
    expect(encode_data_row(out, std::array<Value, 1>{as_bytes("public")}), "answer");
    expect(encode_command_complete(out, "SELECT 1"), "answer");
    encode_close_complete(out);
    encode_close_complete(out);
    encode_ready_for_query(out, TransactionStatus::idle);
    return out;
  }

  std::string search_path_ = search_path_answer();
  SystemClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<record::Log> log_;
  Published<policy::PolicySet> policies_{nullptr};
  budget::Ledger budgets_;
  budget::Probes probes_;
  review::testing::MemoryRepository repository_;  // no rule asks for a review of what is run here
  review::Reviews reviews_{clock_, repository_,
                           [](std::string_view) { return std::shared_ptr<const Principal>{}; }, nullptr};
  std::optional<gate::Services> services_;
  std::optional<gate::Gate> gate_;
  Planner planner_;
  CatalogueStore store_;
  std::shared_ptr<const postgres::Catalogue> catalogue_;
  std::optional<Exchange> exchange_;
};

}  // namespace sluice::bench
