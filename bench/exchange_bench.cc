// What Sluice itself does for one transaction, without sockets: the client's bytes go into the Exchange, the
// server's canned answer too, and what comes out is thrown away. Identity, the policy of bench/policy (200
// rules) and recording are on. The whole cost of a transaction is this and what the kernel takes for two
// reads and two writes.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "path.h"
#include "systems/postgres/catalogue/testing.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;
using bench::expect;
using bench::fail;

constexpr std::uint64_t kUpkeepEvery = 20'000;  // iterations; another thread does it in the gateway

// Masks of the relation that is searched, beside those of other relations in bench/policy.
constexpr std::string_view kMasksDocuments = R"(
rules:
  - name: hide-documents
    match: {collection: public.documents}
    mask: [{fields: [owner], with: redact}, {vectors: remove}]
)";

enum class Documents : std::uint8_t { open, masked };

std::map<std::string, std::string> load_policy(Documents documents) {
  std::map<std::string, std::string> texts;
  for (const auto& file : std::filesystem::directory_iterator(SLUICE_SOURCE_DIR "/bench/policy")) {
    std::ifstream in(file.path());
    texts[file.path().filename().string()] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  if (documents == Documents::masked) texts["60-masked.yaml"] = kMasksDocuments;
  return texts;
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

// A session of the benchmarks.
class Path : public bench::Path {
 public:
  explicit Path(Documents masks = Documents::open) : bench::Path(load_policy(masks), tables()) {}
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
