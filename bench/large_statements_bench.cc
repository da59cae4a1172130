// What large statements take, for families of statements that grow in one direction each.
//
// plan/FAMILY/BYTES: parsing, describing and rewriting one, with masks on what it names.
// loop/FAMILY/BYTES: the longest turn of a worker's loop while such a statement is handled, from the client's
// bytes to those for the server and back, in CPU time: what is done aside (planning/errands.h) is not in it,
// and neither are the sockets, which are read and written in parts (session/session_pumps.cc). `largest`:
// the longest statement that is planned on the loop itself. No turn may take longer than 5 ms.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <thread>

#include "masked_database.h"
#include "path.h"
#include "proxy/pg/planning/planner.h"

namespace sluice {
namespace {

using proxy::pg::Pause;

constexpr std::size_t kShort = 16 << 10;  // bytes
constexpr std::size_t kLong = 1 << 20;
constexpr std::size_t kLongest = 16 << 20;

// `piece(i)` again and again between two texts, up to a size or a number of times.
std::string repeat(std::string_view before, const std::function<std::string(std::size_t)>& piece,
                   std::string_view after, std::size_t size, std::size_t most = SIZE_MAX) {
  std::string out{before};
  for (std::size_t i = 0; out.size() + after.size() < size && i < most; ++i) out += piece(i);
  return out.append(after);
}

std::string nest(std::string_view open, std::string_view core, std::string_view close, std::size_t size,
                 std::size_t most) {
  std::string out;
  const auto levels = std::min(most, size / (open.size() + close.size()));
  for (std::size_t i = 0; i < levels; ++i) out += open;
  out += core;
  for (std::size_t i = 0; i < levels; ++i) out += close;
  return out;
}

struct Family {
  const char* name;
  std::function<std::string(std::size_t size)> text;
  bool also_longest = false;  // a statement of the longest text is handled too
  bool several = false;       // statements, between semicolons
  bool once = false;          // it gives names, which a session does not give twice

  std::size_t statements(std::string_view made) const {
    return several ? static_cast<std::size_t>(std::ranges::count(made, ';')) + 1 : 1;
  }
};

const std::vector<Family>& families() {
  using std::to_string;
  static const std::vector<Family> all = {
      {"literal", [](auto n) { return "SELECT id FROM docs WHERE title = '" + std::string(n, 'x') + "'"; },
       true},
      {"quotes",
       [](auto n) {
         return repeat("SELECT id FROM docs WHERE title = '", [](auto) { return "''"; }, "'", n);
       }},
      {"comment", [](auto n) { return "SELECT id FROM docs /*" + std::string(n, '*') + "*/"; }},
      {"in_list",
       [](auto n) {
         return repeat(
             "SELECT id FROM docs WHERE id IN (0", [](auto i) { return "," + to_string(i % 10); }, ")", n);
       },
       true},
      {"in_params",
       [](auto n) {
         return repeat("SELECT id FROM docs WHERE id IN ($1", [](auto) { return ",$1"; }, ")", n);
       }},
      {"array",
       [](auto n) {
         return repeat(
             "SELECT id FROM docs ORDER BY embedding <-> ARRAY[0",
             [](auto i) { return "," + to_string(i % 10); }, "]::vector LIMIT 5", n);
       }},
      {"insert_rows",
       [](auto n) {
         return repeat("INSERT INTO other_1(id) VALUES (1)", [](auto) { return ",(1)"; }, "", n);
       }},
      {"insert_masked",
       [](auto n) {
         return repeat("INSERT INTO docs(id, title) VALUES (1,'')", [](auto) { return ",(1,'')"; }, "", n);
       }},
      {"insert_strings",
       [](auto n) {
         return repeat(
             "INSERT INTO other_1(id, name) VALUES (1, 'x')",
             [](auto i) { return ",(" + to_string(i) + ", 'name of " + to_string(i) + "')"; }, "", n);
       },
       true},
      {"and_chain",
       [](auto n) {
         return repeat("SELECT id FROM docs WHERE id=1", [](auto) { return " AND id=1"; }, "", n);
       },
       true},
      {"or_parentheses",
       [](auto n) {
         return repeat("SELECT id FROM docs WHERE (id=1)", [](auto) { return "OR(id=1)"; }, "", n);
       }},
      {"targets", [](auto n) { return repeat("SELECT id", [](auto) { return ",id"; }, " FROM docs", n); }},
      {"masked_targets",
       [](auto n) { return repeat("SELECT ssn", [](auto) { return ",ssn"; }, " FROM docs", n); }},
      {"stars", [](auto n) { return repeat("SELECT *", [](auto) { return ",*"; }, " FROM docs", n); }},
      {"stars_of_knn",
       [](auto n) {
         return repeat(
             "SELECT *", [](auto) { return ",*"; }, " FROM docs ORDER BY embedding <-> $1 LIMIT 5", n);
       }},
      {"stars_of_joins",
       [](auto n) {
         return repeat(
             repeat(
                 "SELECT *", [](auto) { return ",*"; }, " FROM docs", n / 2),
             [](auto i) { return ",docs d" + to_string(i); }, "", n);
       }},
      {"names_of_joins",
       [](auto n) {
         return repeat(
             repeat(
                 "SELECT 1", [](auto) { return ",zz"; }, " FROM docs d", n / 2),
             [](auto i) { return ",docs d" + to_string(i); }, "", n);
       }},
      {"rows_of_joins",
       [](auto n) {
         return repeat(
             repeat(
                 "SELECT 1", [](auto) { return ",d0.id"; }, " FROM docs d", n / 2),
             [](auto i) { return ",docs d" + to_string(i); }, "", n);
       }},
      {"group_by",
       [](auto n) {
         return repeat(
             repeat(
                 "SELECT id", [](auto) { return ",id"; }, " FROM docs GROUP BY id", n / 2),
             [](auto) { return ",id"; }, "", n);
       }},
      {"order_by",
       [](auto n) {
         return repeat(
             repeat(
                 "SELECT id AS a", [](auto) { return ",id"; }, " FROM docs ORDER BY a", n / 2),
             [](auto) { return ",id"; }, "", n);
       }},
      {"order_by_numbers",
       [](auto n) {
         return repeat(
             repeat(
                 "SELECT id", [](auto) { return ",id"; }, " FROM docs ORDER BY 1", n / 2),
             [](auto) { return ",1"; }, "", n);
       }},
      {"joins",
       [](auto n) {
         return repeat("SELECT 1 FROM docs", [](auto i) { return ",docs d" + to_string(i); }, "", n);
       }},
      {"joins_using",
       [](auto n) {
         return repeat(
             "SELECT 1 FROM docs", [](auto i) { return " JOIN docs d" + to_string(i) + " USING(id)"; }, "", n,
             400);
       }},
      {"many_relations",
       [](auto n) {
         return repeat(
             "SELECT 1 FROM docs",
             [](auto i) { return ",other_" + to_string(i % 200) + " d" + to_string(i); }, "", n);
       }},
      {"with_chain",
       [](auto n) {
         return repeat(
             "WITH a AS (SELECT id FROM docs)",
             [](auto i) {
               return ",a" + to_string(i) + " AS (SELECT id FROM " + (i == 0 ? "a" : "a" + to_string(i - 1)) +
                      ")";
             },
             " SELECT 1", n);
       }},
      {"with_doubling",
       [](auto n) {
         return repeat(
             "WITH a AS (SELECT * FROM docs)",
             [](auto i) {
               const auto before = i == 0 ? std::string{"a"} : "a" + to_string(i - 1);
               return ",a" + to_string(i) + " AS (SELECT * FROM " + before + " x," + before + " y)";
             },
             " SELECT 1", n);
       }},
      {"with_many",
       [](auto n) {
         return repeat(
             "WITH a AS (SELECT 1)", [](auto i) { return ",a" + to_string(i) + " AS (SELECT 1)"; },
             " SELECT id FROM docs", n);
       }},
      {"unions",
       [](auto n) {
         return repeat("SELECT id FROM docs", [](auto) { return " UNION SELECT id FROM docs"; }, "", n, 400);
       }},
      {"nested_from", [](auto n) { return nest("SELECT * FROM (", "SELECT * FROM docs", ") a", n, 150); }},
      {"nested_exists",
       [](auto n) { return nest("SELECT id FROM docs WHERE EXISTS(", "SELECT 1", ")", n, 150); }},
      {"nested_scalars",
       [](auto n) {
         return repeat("SELECT 1", [](auto) { return ",(SELECT id FROM docs LIMIT 1)"; }, "", n);
       }},
      {"nested_parentheses",
       [](auto n) {
         return repeat(
             "SELECT 1", [](auto) { return "," + nest("(", "1", ")", 1 << 20, 400); }, " FROM docs", n);
       }},
      {"nested_not",
       [](auto n) {
         return repeat(
             "SELECT 1", [](auto) { return "," + nest("NOT ", "true", "", 1 << 20, 200); }, " FROM docs", n);
       }},
      {"operators",
       [](auto n) {
         return repeat(
             "SELECT id FROM docs WHERE id=1", [](auto i) { return i % 200 ? "+1" : " OR id=1"; }, "", n);
       }},
      {"functions",
       [](auto n) { return repeat("SELECT abs(1)", [](auto) { return ",abs(1)"; }, " FROM docs", n); }},
      {"casts",
       [](auto n) { return repeat("SELECT 1::int", [](auto) { return ",1::int"; }, " FROM docs", n); }},
      {"cases",
       [](auto n) {
         return repeat("SELECT CASE", [](auto) { return " WHEN id=1 THEN 1"; }, " END FROM docs", n);
       }},
      {"windows",
       [](auto n) {
         return repeat(
             "SELECT sum(id) OVER w FROM docs WINDOW w AS (ORDER BY id)",
             [](auto i) { return ",w" + to_string(i) + " AS (w)"; }, "", n);
       }},
      {"statements", [](auto n) { return repeat("SELECT 1", [](auto) { return ";SELECT 1"; }, "", n, 999); },
       false, true},
      {"statements_masked",
       [](auto n) {
         return repeat("SELECT * FROM docs", [](auto) { return ";SELECT * FROM docs"; }, "", n, 999);
       },
       false, true},
      {"prepares",
       [](auto n) {
         return repeat(
             "SELECT 1", [](auto i) { return ";PREPARE p" + to_string(i) + " AS SELECT * FROM docs"; }, "", n,
             999);
       },
       false, true, true},
      {"syntax_error",
       [](auto n) {
         return repeat("SELECT id FROM docs WHERE id IN (0", [](auto) { return ",1"; }, " FROM", n);
       },
       true},
  };
  return all;
}

void plan(benchmark::State& state, const std::string& sql, const bench::Masked& masked) {
  proxy::pg::Planner planner;
  planner.set_catalogue(masked.catalogue);
  planner.set_search_path(masked.path);
  proxy::pg::Names names;
  const std::vector<std::string> vouched;
  const proxy::pg::PlanContext context{names, masked.masks, vouched, "ana", "0000000000000001"};
  std::string outcome;
  for (auto _ : state) {
    auto plans = planner.plan(sql, context);
    state.PauseTiming();
    outcome = !plans                   ? plans.error().sqlstate + " " + plans.error().message
              : plans->front()->denial ? plans->front()->denial->message
                                       : "planned";
    plans = {};
    state.ResumeTiming();
  }
  state.SetLabel(outcome.substr(0, 60));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * sql.size()));
}

constexpr const char* kPolicy = R"(
rules:
  - name: all
    match: {connection: bench, verb: [search, fetch, scroll, count, aggregate, write, session, metadata]}
    allow: true
  - name: hide
    match: {collection: public.docs}
    mask: [{fields: [email, ssn, note], with: redact}, {vectors: remove}]
)";

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// The largest of a family that is planned on the loop.
std::string largest_on_loop(const Family& family) {
  std::size_t low = 100;
  std::size_t high = proxy::pg::kLoopBytes;
  while (low + 16 < high) {
    const auto middle = (low + high) / 2;
    (proxy::pg::is_large(family.text(middle)) ? high : low) = middle;
  }
  return family.text(low);
}

// `statements`: of the text, which the server answers one by one.
void longest_turn(benchmark::State& state, const std::string& sql, std::size_t statements) {
  bench::Path path{{{"policy.yaml", kPolicy}}, bench::database()};
  auto pool = std::make_shared<proxy::pg::PlanningPool>();
  auto& exchange = path.exchange();
  exchange.let_go_on(pool);
  std::string begin;
  bench::expect(wire::pg::encode_query(begin, "BEGIN"), "query");
  path.client(begin);  // the search path is read
  std::string answer;
  bench::expect(wire::pg::encode_command_complete(answer, "BEGIN"), "answer");
  wire::pg::encode_ready_for_query(answer, wire::pg::TransactionStatus::idle);
  path.server(answer);
  std::string message;
  bench::expect(wire::pg::encode_query(message, sql), "query");
  std::string complete;
  for (std::size_t i = 0; i < statements; ++i)
    bench::expect(wire::pg::encode_command_complete(complete, "SELECT 0"), "answer");
  wire::pg::encode_ready_for_query(complete, wire::pg::TransactionStatus::idle);

  int errands = 0;
  std::size_t sent = 0;
  for (auto _ : state) {
    double longest = 0;
    const auto turn = [&](auto part) {
      const auto begun = cpu_seconds();
      part();
      longest = std::max(longest, cpu_seconds() - begun);
    };
    Bytes left = as_bytes(message);
    errands = 0;
    while (!left.empty()) {
      auto pause = Pause::none;
      turn([&] {
        const auto step = exchange.on_client(left);
        left = left.subspan(step.consumed);
        pause = step.pause;
      });
      if (pause == Pause::errand) {
        std::thread{[errand = exchange.errand()] { errand->run(); }}.join();
        exchange.errand_over();
        ++errands;
      } else if (pause == Pause::catalogue) {
        if (exchange.begin_catalogue_read()) path.answer_catalogue();
      } else if (pause != Pause::none) {
        bench::fail("the statement is not taken");
      }
    }
    sent = exchange.to_server().pending().size();
    turn([&] { exchange.to_server().consumed(sent); });
    exchange.to_client().clear();
    if (!exchange.idle()) turn([&] { (void)exchange.on_server(as_bytes(complete)); });
    exchange.to_client().clear();
    state.SetIterationTime(longest);
  }
  state.SetLabel(fmt::format("{} bytes, {} errands, {}", sql.size(), errands, sent > 0 ? "sent" : "refused"));
}

const bool registered = [] {
  static const bench::Masked masked;
  for (const auto& family : families()) {
    const auto named = [&](const char* what, const std::string& size) {
      return fmt::format("{}/{}/{}", what, family.name, size);
    };
    benchmark::RegisterBenchmark(named("plan", std::to_string(kShort)).c_str(), [&family](auto& state) {
      plan(state, family.text(kShort), masked);
    })->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark(named("plan", std::to_string(kLong)).c_str(),
                                 [&family](auto& state) { plan(state, family.text(kLong), masked); })
        ->Unit(benchmark::kMicrosecond)
        ->Iterations(1);
    // These read the catalogue in between, or go to the server one by one: other conversations than the one below.
    const std::string_view name = family.name;
    if (name == "names_of_joins" || name == "statements_masked") continue;
    auto* loop = benchmark::RegisterBenchmark(named("loop", "largest").c_str(), [&family](auto& state) {
      const std::string text = largest_on_loop(family);
      longest_turn(state, text, family.statements(text));
    });
    loop->Unit(benchmark::kMicrosecond)->UseManualTime();
    if (family.once) loop->Iterations(1);
    if (!family.also_longest) continue;
    benchmark::RegisterBenchmark(
        named("loop", std::to_string(kLongest)).c_str(),
        [&family](auto& state) { longest_turn(state, family.text(kLongest - 64), 1); })
        ->Unit(benchmark::kMicrosecond)
        ->UseManualTime()
        ->Iterations(3);
  }
  return true;
}();

}  // namespace
}  // namespace sluice
