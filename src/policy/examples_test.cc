// Everything that is written for people is loaded: the language's page, the starter policy, the demo's, the
// schema.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "policy/cases.h"
#include "policy/explain.h"
#include "policy/schema.h"
#include "policy/starter.h"
#include "policy/testing.h"

namespace sluice::policy {
namespace {

using ::testing::HasSubstr;

struct Block {
  std::string text;
  std::size_t line;
};

std::vector<Block> yaml_blocks(const std::string& page) {
  std::vector<Block> blocks;
  std::istringstream in{page};
  std::string line;
  bool inside = false;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line == "```yaml") {
      inside = true;
      blocks.push_back({{}, number});
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

void expect_all_pass(const std::shared_ptr<const PolicySet>& policy, const std::string& file,
                     const std::string& text) {
  ReadCases read = read_cases(file, text);
  ASSERT_FALSE(has_errors(read.problems)) << all_of(read.problems);
  ASSERT_FALSE(read.cases.empty());
  auto results = run_cases(policy, read.cases);
  EXPECT_TRUE(std::ranges::all_of(results, &CaseResult::passed)) << render_text(results);
}

TEST(Examples, PageIsTrue) {
  ASSERT_FALSE(repository().empty());
  auto blocks = yaml_blocks(text_of(repository() / "docs" / "policy.md"));
  EXPECT_GT(blocks.size(), 20u);
  std::shared_ptr<const PolicySet> policy;
  std::size_t cases = 0;
  for (const Block& block : blocks) {
    std::string name = "docs/policy.md block in line " + std::to_string(block.line);
    SCOPED_TRACE(name);
    if (block.text.starts_with("cases:")) {
      // Cases belong to the policy before them.
      expect_all_pass(policy, name, block.text);
      ++cases;
      continue;
    }
    Loaded loaded = load_texts({{name, block.text}}, 1);
    EXPECT_TRUE(loaded.policy) << all_of(loaded.problems);
    policy = loaded.policy;
  }
  EXPECT_GE(cases, 6u);
}

TEST(Examples, PageNamesEveryKeyOfTheSchema) {
  std::string page = text_of(repository() / "docs" / "policy.md");
  std::regex key{"\"([a-z_]+)\": \\{"};
  std::string schema{policy_schema()};
  for (std::sregex_iterator match{schema.begin(), schema.end(), key}, end; match != end; ++match) {
    std::string word = (*match)[1];
    static const std::vector<std::string> structural = {"properties", "defs", "items", "then",
                                                        "else",       "not",  "if"};
    if (std::ranges::find(structural, word) != structural.end() || word.ends_with("_mask")) continue;
    EXPECT_THAT(page, HasSubstr(word));
  }
}

TEST(Examples, SchemaIsTheOneThatIsPublished) {
  EXPECT_EQ(policy_schema(), text_of(repository() / "docs" / "schema" / "policy.schema.json"))
      << "src/policy/schema.inc is docs/schema/policy.schema.json between R\"json( and )json\"";
}

std::shared_ptr<const PolicySet> load_demo() {
  Loaded loaded = load_folder(repository() / "demo" / "policy", 1);
  EXPECT_TRUE(loaded.problems.empty()) << all_of(loaded.problems);
  return loaded.policy;
}

TEST(Examples, DemoAnswersItsCases) {
  expect_all_pass(load_demo(), "demo.yaml",
                  text_of(repository() / "demo" / "policy" / "cases" / "demo.yaml"));
}

TEST(Starter, LoadsWithoutAWarning) {
  Loaded loaded = load_texts({{"starter.yaml", std::string{starter_policy()}}}, 1);
  EXPECT_TRUE(loaded.problems.empty()) << all_of(loaded.problems);
  ASSERT_TRUE(loaded.policy);
}

TEST(Starter, CommentedRulesLoadWhenUncommented) {
  std::string text =
      std::regex_replace(std::string{starter_policy()}, std::regex{"\n( *)# (- |  |vouch:)"}, "\n$1$2");
  Loaded loaded = load_texts({{"starter.yaml", text}}, 1);
  ASSERT_TRUE(loaded.policy) << all_of(loaded.problems);
  EXPECT_TRUE(loaded.policy->find("vectors-stay-inside"));
  EXPECT_TRUE(loaded.policy->find("bulk-needs-a-second-person"));
  EXPECT_FALSE(loaded.policy->vouched_functions("docs").empty());
}

TEST(Starter, Answers) {
  expect_all_pass(policy_from(std::string{starter_policy()}), "starter_cases", R"(
cases:
  - {name: search, as: {principal: ana, groups: [members]}, connection: x, operation: {verb: search, collections: [public.docs], records: 10}, expect: permit}
  - {name: big search, as: {principal: ana, groups: [members]}, connection: x, operation: {verb: search, collections: [public.docs], records: 500}, expect: {effect: permit, clamp: true, max_records: 200}}
  - {name: scroll, as: {principal: ana, groups: [members]}, connection: x, operation: {verb: scroll, collections: [public.docs]}, expect: {effect: permit, max_records: 1000, over: deny}}
  - {name: huge scroll, as: {principal: ana, groups: [members]}, connection: x, operation: {verb: scroll, collections: [public.docs], records: 1001}, expect: {effect: deny, reason: over_limit}}
  - {name: psql, as: {principal: ana, groups: [members]}, connection: x, operation: {verb: metadata, collections: [pg_catalog.pg_class]}, expect: permit}
  - {name: begin, as: {principal: ana, groups: [members]}, connection: x, operation: {verb: session, records: 0}, expect: permit}
  - {name: select 1, as: {principal: ana, groups: [members]}, connection: x, operation: {verb: scroll, records: 1}, expect: permit}
  - {name: count, as: {principal: ana, groups: [members]}, connection: x, operation: {verb: count, collections: [public.docs], records: 0}, expect: permit}
  - {name: write, as: {principal: ana, groups: [members]}, connection: x, operation: {verb: write, collections: [public.docs], records: 0}, expect: {effect: deny, reason: no_rule}}
  - {name: export, as: {principal: ana, groups: [members]}, connection: x, operation: {verb: export, collections: [public.docs]}, expect: {effect: deny, rule: no-export}}
  - {name: ddl, as: {principal: ana, groups: [members]}, connection: x, operation: {verb: schema, collections: [public.docs], records: 0}, expect: {effect: deny, rule: no-export}}
  - {name: stranger, as: {principal: eve}, connection: x, operation: {verb: session, records: 0}, expect: {effect: deny, reason: no_rule}}
)");
}

TEST(Cases, FailuresSayWhatWasExpected) {
  auto policy = policy_from("rules:\n  - {name: a, match: {verb: fetch}, allow: {max_records: 5}}\n");
  ReadCases read = read_cases("c.yaml", R"(cases:
  - {name: good, as: {principal: ana}, connection: x, operation: {verb: fetch, records: 1}, expect: permit}
  - {name: "bad <1>", as: {principal: ana}, connection: x, operation: {verb: fetch, records: 9}, expect: {effect: permit, rule: b}}
  - {name: sql, as: {principal: ana}, connection: x, sql: SELECT 1, expect: permit}
)");
  ASSERT_TRUE(read.problems.empty()) << all_of(read.problems);
  auto results = run_cases(policy, read.cases);
  EXPECT_TRUE(results[0].passed);
  EXPECT_THAT(results[1].failures,
              ::testing::ElementsAre("effect: expected permit, got deny", "rule: expected b, got a"));
  EXPECT_THAT(results[2].failures, ::testing::ElementsAre(HasSubstr("cannot be run here")));
  EXPECT_THAT(render_text(results), HasSubstr("3 cases, 2 failed"));
  EXPECT_THAT(
      render_tap(results),
      HasSubstr("1..3\nok 1 - good\nnot ok 2 - bad <1>\n# c.yaml:3: effect: expected permit, got deny\n"));
  std::string junit = render_junit(results);
  EXPECT_THAT(junit, HasSubstr("tests=\"3\" failures=\"2\""));
  EXPECT_THAT(junit, HasSubstr("name=\"bad &lt;1&gt;\""));
}

TEST(Cases, SqlGoesThroughTheMapperAndTheWorstOperationCounts) {
  auto policy = policy_from("rules:\n  - {name: a, match: {verb: fetch}, allow: true}\n");
  ReadCases read = read_cases("c.yaml", R"(cases:
  - {name: both, as: {principal: ana}, connection: x, sql: "SELECT; DELETE", expect: {effect: deny, message: remove}}
  - {name: none, as: {principal: ana}, connection: x, sql: "--", expect: permit}
  - {name: broken, as: {principal: ana}, connection: x, sql: "!", expect: permit}
)");
  auto results = run_cases(
      policy, read.cases, [](const SessionFacts&, std::string_view sql) -> Result<std::vector<Operation>> {
        if (sql == "!") return fail(Errc::malformed, "no SQL");
        std::vector<Operation> operations;
        if (sql.starts_with("SELECT"))
          operations = {operation_of(Verb::fetch, {"t"}, 1), operation_of(Verb::remove, {"t"}, 0)};
        return operations;
      });
  EXPECT_TRUE(results[0].passed) << render_text(results);
  EXPECT_THAT(results[1].failures, ::testing::ElementsAre(HasSubstr("no statement")));
  EXPECT_THAT(results[2].failures, ::testing::ElementsAre(HasSubstr("no SQL")));
}

TEST(Cases, AreReadStrictly) {
  auto problems = [](const std::string& text) { return all_of(read_cases("c.yaml", text).problems); };
  EXPECT_THAT(problems("case: []\n"),
              HasSubstr("c.yaml:1:1: error: unknown key 'case' in a file of cases (did you mean 'cases'?)"));
  EXPECT_THAT(problems("cases:\n  - {name: a}\n"), HasSubstr("a case needs 'expect'"));
  EXPECT_THAT(problems("cases:\n  - {name: a}\n"), HasSubstr("a case needs either 'operation' or 'sql'"));
  EXPECT_THAT(problems("cases:\n  - {name: a, expect: allow}\n"), HasSubstr("'effect' cannot be 'allow'"));
  EXPECT_THAT(problems("cases:\n  - {name: a, at: yesterday, expect: deny}\n"),
              HasSubstr("'at' must be a time in UTC"));
  EXPECT_THAT(problems("cases:\n  - {name: a, at: 2026-02-30T00:00:00Z, expect: deny}\n"),
              HasSubstr("'at' must be a time in UTC"));
  EXPECT_THAT(problems("cases:\n  - {name: a, operation: {verb: serach}, expect: deny}\n"),
              HasSubstr("did you mean 'search'?"));
}

TEST(Explaining, NamesTheDecisionAndEachRule) {
  auto policy = load_demo();
  Operation operation = operation_of(Verb::search, {"public.support_docs"}, 10);
  operation.collections[0].output_fields = {"title", "email"};
  SessionFacts session = session_of({.groups = {"support"}});
  Trace trace;
  Ruling ruling = Scope::compile(policy, session)->evaluate(operation, kMonday, &trace);
  std::string text = explain(ruling, trace, operation, session);
  EXPECT_THAT(text, HasSubstr("search on public.support_docs, up to 10 records, by ana over docs\npermit"));
  EXPECT_THAT(text, HasSubstr("masked: public.support_docs.email (redact, rule hide-identity-fields)"));
  EXPECT_THAT(text, HasSubstr("support-reads"));
  EXPECT_THAT(text, HasSubstr("no: verb"));
  session.connection = "other";
  trace.steps.clear();
  ruling = Scope::compile(policy, session)->evaluate(operation, kMonday, &trace);
  text = explain(ruling, trace, operation, session);
  EXPECT_THAT(text, HasSubstr("deny (no_rule): no rule allows"));
  EXPECT_THAT(text, HasSubstr("and 8 about other principals, connections or networks"));
}

}  // namespace
}  // namespace sluice::policy
