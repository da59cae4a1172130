// What Sluice itself does for one transaction, without sockets: the client's bytes go into the Exchange, the
// server's canned answer too, and what comes out is thrown away. Identity, the policy of bench/policy (200
// rules) and recording are on. The whole cost of a transaction is this and what the kernel takes for two
// reads and two writes.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "core/byte_writer.h"
#include "proxy/pg/exchange.h"
#include "review/testing.h"
#include "systems/postgres/catalogue/testing.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;

constexpr std::uint64_t kUpkeepEvery = 20'000;  // iterations; another thread does it in the gateway

[[noreturn]] void fail(std::string_view what) {
  fmt::print(stderr, "exchange_bench: {}\n", what);
  std::abort();
}

template <class T>
T expect(Result<T> result, std::string_view what) {
  if (!result) fail(fmt::format("{}: {}", what, result.error().message()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Masks of the relation that is searched, beside those of other relations in bench/policy.
constexpr std::string_view kMasksDocuments = R"(
rules:
  - name: hide-documents
    match: {collection: public.documents}
    mask: [{fields: [owner], with: redact}, {vectors: remove}]
)";

enum class Documents : std::uint8_t { open, masked };

std::shared_ptr<const policy::PolicySet> load_policy(Documents documents) {
  std::map<std::string, std::string> texts;
  for (const auto& file : std::filesystem::directory_iterator(SLUICE_SOURCE_DIR "/bench/policy")) {
    std::ifstream in(file.path());
    texts[file.path().filename().string()] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  if (documents == Documents::masked) texts["60-masked.yaml"] = kMasksDocuments;
  auto loaded = policy::load_texts(texts, 1);
  if (!loaded.policy) fail("bench/policy does not load: sluice policy check says why");
  return loaded.policy;
}

SessionFacts session_facts() {
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

// pgbench's accounts, and documents with an embedding.
std::shared_ptr<const postgres::Catalogue> tables() {
  return postgres::testing::catalogue(R"(
    public.pgbench_accounts(aid int4 pk, bid int4 null, abalance int4 null, filler bpchar(84) null)
    public.pgbench_branches(bid int4 pk, bbalance int4 null, filler bpchar(88) null)
    public.documents(id int4 pk, title text, owner text null, embedding vector(768))
    public.large_rows(id int4 pk, body text)
    index public.documents hnsw(embedding)
  )");
}

// A session that has logged in and knows the catalogue.
class Path {
 public:
  explicit Path(Documents masks = Documents::open) {
    initialise_crypto();
    std::string name = (std::filesystem::temp_directory_path() / "sluice-exchange-bench-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) fail("no temporary folder");
    folder_ = name;
    log_ =
        expect(record::Log::open({.folder = folder_, .shard = 1, .key = make_signing_key()}, clock_), "log");
    policies_.replace(load_policy(masks));
    services_.emplace(gate::Services{clock_, *log_, policies_, budgets_, reviews_});
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
  const std::string& client(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto step = exchange_->on_client(as_bytes(bytes));
      bytes.remove_prefix(step.consumed);
      if (step.pause == Pause::none && step.consumed > 0) continue;
      if (step.pause != Pause::catalogue) fail("the client's messages were not taken: " + told());
      if (exchange_->begin_catalogue_read()) server(search_path_);
    }
    return exchange_->to_server().pending();
  }

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
  review::testing::MemoryRepository repository_;  // no rule asks for a review of what is run here
  review::Reviews reviews_{clock_, repository_,
                           [](std::string_view) { return std::shared_ptr<const Principal>{}; }, nullptr};
  std::optional<gate::Services> services_;
  std::optional<gate::Gate> gate_;
  Planner planner_;
  CatalogueStore store_;
  std::shared_ptr<const postgres::Catalogue> catalogue_ = tables();
  std::optional<Exchange> exchange_;
};

// What a server answers to a select, message by message.
struct Server {
  std::vector<FieldDescription> fields;
  std::vector<std::vector<std::string>> rows;

  std::string answer(std::string_view requests) const {
    std::string out;
    while (!requests.empty()) {
      const auto frame = frame_frontend(as_bytes(requests), kDefaultMaxFrontendMessage);
      if (!frame || !frame->complete()) fail("the gateway sends what is no message");
      requests.remove_prefix(frame->size);
      switch (frame->type) {
        case FrontendType::parse: encode_parse_complete(out); break;
        case FrontendType::bind: encode_bind_complete(out); break;
        case FrontendType::describe: description(out); break;
        case FrontendType::execute: result(out); break;
        case FrontendType::sync: encode_ready_for_query(out, TransactionStatus::idle); break;
        case FrontendType::query:
          description(out);
          result(out);
          encode_ready_for_query(out, TransactionStatus::idle);
          break;
        default: fail("a message that this server does not know");
      }
    }
    return out;
  }

 private:
  void description(std::string& out) const { expect(encode_row_description(out, fields), "answer"); }
  void result(std::string& out) const {
    std::vector<Value> values;
    for (const auto& row : rows) {
      values.clear();
      for (const auto& text : row) values.emplace_back(as_bytes(text));
      expect(encode_data_row(out, values), "answer");
    }
    expect(encode_command_complete(out, fmt::format("SELECT {}", rows.size())), "answer");
  }
};

FieldDescription field(const Path& path, std::string_view table, std::string_view name, std::uint16_t number,
                       std::uint32_t type) {
  return {.name = name,
          .table_oid = path.oid(table),
          .column_number = static_cast<std::int16_t>(number),
          .type_oid = type};
}

Server accounts(const Path& path) {
  return {{field(path, "pgbench_accounts", "abalance", 3, 23)}, {{"-1234"}}};
}

Server documents(const Path& path) {
  Server server{{field(path, "documents", "id", 1, 23), field(path, "documents", "title", 2, 25)}, {}};
  for (int i = 0; i < 10; ++i) server.rows.push_back({std::to_string(1000 + i), "document001000"});
  return server;
}

void prepare(Path& path, std::string_view sql) {
  std::string parse;
  expect(encode_parse(parse, "P0_1", sql), "parse");
  encode_sync(parse);
  path.client(parse);
  std::string answer;
  encode_parse_complete(answer);
  encode_ready_for_query(answer, TransactionStatus::idle);
  path.server(answer);
}

// What libpq sends for a prepared statement: Bind, Describe, Execute, Sync.
std::string execution(std::string_view parameter) {
  std::string out;
  expect(encode_bind(out, "", "P0_1", {}, std::array<Value, 1>{as_bytes(parameter)}, {}), "bind");
  expect(encode_describe(out, NamedObject::portal, ""), "describe");
  expect(encode_execute(out, "", 0), "execute");
  encode_sync(out);
  return out;
}

void run(benchmark::State& state, Path& path, const std::string& request, const Server& server) {
  path.server(server.answer(path.client(request)));  // the first one: what it looks up stays known
  const auto sent = path.client(request);
  const auto answer = server.answer(sent);
  path.server(answer);
  std::uint64_t n = 0;
  for (auto _ : state) {
    if (path.client(request).size() != sent.size()) fail("the gateway sends something else now");
    if (path.server(answer) == 0) fail("nothing for the client");
    if (++n % kUpkeepEvery == 0) {
      state.PauseTiming();
      path.upkeep();
      state.ResumeTiming();
    }
  }
}

// What the kernel and a database on the same processor leave of the caches between two parts of a
// transaction.
class Others {
 public:
  void run() {
    for (std::size_t i = 0; i < memory_.size(); i += 64 / sizeof memory_[0]) memory_[i] += i;
    benchmark::DoNotOptimize(memory_.data());
  }

 private:
  std::vector<std::uint64_t> memory_ =
      std::vector<std::uint64_t>(512 * 1024);  // 4 MiB: several second caches
};

// The same with nothing of it in the first two caches: the time of both parts, without what is between them.
void run_cold(benchmark::State& state, Path& path, const std::string& request, const Server& server) {
  using Clock = std::chrono::steady_clock;
  path.server(server.answer(path.client(request)));
  const auto answer = server.answer(path.client(request));
  path.server(answer);
  Others others;
  std::uint64_t n = 0;
  for (auto _ : state) {
    others.run();
    const auto asked = Clock::now();
    path.client(request);
    const auto sent = Clock::now();
    others.run();
    const auto answered = Clock::now();
    path.server(answer);
    state.SetIterationTime(std::chrono::duration<double>((sent - asked) + (Clock::now() - answered)).count());
    if (++n % kUpkeepEvery == 0) path.upkeep();
  }
}

void transaction_prepared_cold(benchmark::State& state) {
  Path path;
  prepare(path, "SELECT abalance FROM pgbench_accounts WHERE aid = $1;");
  run_cold(state, path, execution("471100"), accounts(path));
}
BENCHMARK(transaction_prepared_cold)->UseManualTime();

void transaction_prepared(benchmark::State& state) {
  Path path;
  prepare(path, "SELECT abalance FROM pgbench_accounts WHERE aid = $1;");
  run(state, path, execution("471100"), accounts(path));
}
BENCHMARK(transaction_prepared);

void transaction_simple(benchmark::State& state) {
  Path path;
  std::string query;
  expect(encode_query(query, "SELECT abalance FROM pgbench_accounts WHERE aid = 471100;"), "query");
  run(state, path, query, accounts(path));
}
BENCHMARK(transaction_simple);

std::string query_vector() {
  std::string out = "[";
  for (int i = 0; i < 768; ++i) out += fmt::format("{}0.0{:05}", i == 0 ? "" : ",", (i * 7919) % 100'000);
  return out + "]";
}

void search_prepared(benchmark::State& state) {
  Path path;
  prepare(path, "SELECT id, title FROM documents ORDER BY embedding <=> $1 LIMIT 10;");
  run(state, path, execution(query_vector()), documents(path));
}
BENCHMARK(search_prepared);

// The same with masks on what is searched: it was rewritten when it was prepared, and costs no more now.
void search_prepared_masked(benchmark::State& state) {
  Path path{Documents::masked};
  prepare(path, "SELECT id, title FROM documents ORDER BY embedding <=> $1 LIMIT 10;");
  run(state, path, execution(query_vector()), documents(path));
}
BENCHMARK(search_prepared_masked);

void search_simple_of(benchmark::State& state, Documents masks) {
  Path path{masks};
  std::string query;
  expect(encode_query(query, "SELECT id, title FROM documents ORDER BY embedding <=> '" + query_vector() +
                                 "' LIMIT 10;"),
         "query");
  run(state, path, query, documents(path));
}
void search_simple(benchmark::State& state) {
  search_simple_of(state, Documents::open);
}
BENCHMARK(search_simple);
void search_simple_masked(benchmark::State& state) {
  search_simple_of(state, Documents::masked);
}
BENCHMARK(search_simple_masked);

// A result of 9 MB in rows of 9 KB; the rate is what counts.
void large_result(benchmark::State& state) {
  Path path;
  Server server{{field(path, "large_rows", "id", 1, 23), field(path, "large_rows", "body", 2, 25)}, {}};
  for (int i = 0; i < 1000; ++i) server.rows.push_back({std::to_string(i), std::string(8976, 'x')});
  std::string query;
  expect(encode_query(query, "SELECT id, body FROM large_rows"), "query");
  const auto answer = server.answer(path.client(query));
  path.server_in_parts(answer);
  std::uint64_t n = 0;
  for (auto _ : state) {
    path.client(query);
    path.server_in_parts(answer);
    if (++n % 100 == 0) {
      state.PauseTiming();
      path.upkeep();
      state.ResumeTiming();
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * answer.size()));
}
BENCHMARK(large_result)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice::proxy::pg
