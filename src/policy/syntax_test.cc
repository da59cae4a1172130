#include "policy/syntax.h"

#include <gtest/gtest.h>

#include "policy/testing.h"
#include "policy/yaml_reader.h"

namespace sluice::policy {
namespace {

// The problems of one text, as they are shown.
std::string problems_of(const std::string& text) {
  Loaded loaded = load_texts({{"p.yaml", text}}, 1);
  EXPECT_EQ(loaded.policy == nullptr, has_errors(loaded.problems));
  return all_of(loaded.problems);
}

// A rule around an effect or a match, at known places: `match` value starts in 3:12, further keys in line 4,
// column 5.
std::string rule(const std::string& match, const std::string& rest) {
  return "rules:\n  - name: r\n    match: " + match + "\n" + rest;
}
const std::string kAllow = "    allow: true\n";

struct Refusal {
  const char* what;
  std::string text;
  std::string problem;
};

class Refused : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refused, WithPlaceAndHint) {
  std::string problems = problems_of(GetParam().text);
  EXPECT_TRUE(problems.contains(GetParam().problem))
      << GetParam().what << "\nwanted: " << GetParam().problem << "\ngot:    " << problems;
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, Refused,
    ::testing::Values(
        Refusal{"empty", "", "p.yaml: error: the file is empty"},
        Refusal{"comment only", "# nothing\n", "p.yaml: error: the file is empty"},
        Refusal{"not a mapping", "- a\n",
                "p.yaml:1:1: error: a policy file must be a block of keys, not a list"},
        Refusal{"bad YAML", "rules:\n  - name: [a\n", "error: not valid YAML"},
        Refusal{"bad indentation", "rules:\n  - name: a\n   match: {}\n", "p.yaml:3:"},
        Refusal{"anchor", "rules: &a\n  - name: r\n", "p.yaml:1:8: error: anchors are not allowed"},
        Refusal{"alias", "rules:\n  - &x {name: r}\n  - *x\n", "p.yaml:3:5: error: aliases are not allowed"},
        Refusal{"tag", "rules: !!seq\n  - name: r\n", "error: tags are not allowed"},
        Refusal{"custom tag", rule("{}", "    deny: !secret x\n"),
                "p.yaml:4:11: error: tags are not allowed"},
        Refusal{"merge", "rules:\n  - <<: {name: r}\n    name: r\n",
                "p.yaml:2:5: error: merge keys are not allowed"},
        Refusal{"duplicate", "rules:\n  - name: r\n    name: s\n",
                "p.yaml:3:5: error: duplicate key 'name' (first given in line 2)"},
        Refusal{"two documents", rule("{verb: fetch}", kAllow) + "---\nrules: []\n",
                "error: more than one document in the file"},
        Refusal{"control character", "rules:\n  - name: \"a\x01\"\n",
                "p.yaml:2:13: error: control characters"},
        Refusal{"utf-8", "rules:\n  - name: \"\xff\"\n", "p.yaml: error: not valid UTF-8"},
        Refusal{"utf-16", std::string("\xff\xfer\0u\0", 6), "p.yaml: error: not valid UTF-8"},
        Refusal{"complex key", "? [a, b]\n: c\n", "error: a key must be a word"},
        Refusal{"deep", "rules: " + std::string(40, '[') + std::string(40, ']'),
                "nested deeper than 16 levels"},
        Refusal{"very deep", "rules: " + std::string(200'000, '['), "p.yaml"},
        Refusal{"large", "rules: []\n#" + std::string(1u << 20, 'x'),
                "p.yaml: error: larger than 1048576 bytes"}));

INSTANTIATE_TEST_SUITE_P(
    Keys, Refused,
    ::testing::Values(
        Refusal{"unknown top key", "rule: []\n",
                "p.yaml:1:1: error: unknown key 'rule' in a policy file (did you mean 'rules'?)"},
        Refusal{"no list", "rules: {}\n", "p.yaml:1:8: error: 'rules' must be a list of rules"},
        Refusal{"rule is a word", "rules: [a]\n",
                "p.yaml:1:9: error: a rule must be a block of keys, not a single value"},
        Refusal{"unknown key", rule("{}", "    alow: true\n"),
                "p.yaml:4:5: error: unknown key 'alow' in a rule (did you mean 'allow'?)"},
        Refusal{"unknown match key", rule("{verbs: fetch}", kAllow),
                "p.yaml:3:13: error: unknown key 'verbs' in match (did you mean 'verb'?)"},
        Refusal{"far off", rule("{zzzzzzz: 1}", kAllow),
                "unknown key 'zzzzzzz' in match (keys: principal, connection"},
        Refusal{"no name", "rules:\n  - match: {}\n    deny: x\n", "p.yaml:2:5: error: a rule needs 'name'"},
        Refusal{"bad name", "rules:\n  - name: a b\n    match: {}\n    deny: x\n",
                "p.yaml:2:11: error: 'a b' is not a rule name"},
        Refusal{"no match", "rules:\n  - name: r\n    deny: x\n",
                "p.yaml:2:5: error: a rule needs 'match' ('match: {}' applies"},
        Refusal{"when", rule("{}", "    when: \"true\"\n    deny: x\n"),
                "p.yaml:4:11: error: 'when' (conditions in CEL) comes later"},
        Refusal{"verb", rule("{verb: serach}", kAllow),
                "p.yaml:3:19: error: unknown verb 'serach' (did you mean 'search'?)"},
        Refusal{"verb unknown", rule("{verb: [fetch, unknown]}", kAllow),
                "p.yaml:3:27: error: no rule can match what was not understood"},
        Refusal{"empty list", rule("{verb: []}", kAllow),
                "p.yaml:3:19: error: 'verb' is an empty list, which matches nothing"},
        Refusal{"null", rule("{verb: fetch, connection: }", kAllow),
                "error: 'connection' must be a text, not nothing"},
        Refusal{"system", rule("{verb: fetch, system: postgress}", kAllow),
                "unknown system 'postgress' (did you mean 'postgres'?)"},
        Refusal{"kind", rule("{verb: fetch, principal: {kind: robot}}", kAllow),
                "'kind' cannot be 'robot' (one of: human, machine)"},
        Refusal{"empty principal", rule("{verb: fetch, principal: {}}", kAllow),
                "p.yaml:3:37: error: 'principal' is empty"},
        Refusal{"claims", rule("{verb: fetch, principal: {claims: [a]}}", kAllow),
                "'claims' must be a block of claim names"},
        Refusal{"network", rule("{verb: fetch, client_network: 10.0.0.1/8}", kAllow),
                "p.yaml:3:42: error: '10.0.0.1/8' has bits set beyond"},
        Refusal{"network name", rule("{verb: fetch, client_network: localhost}", kAllow),
                "'localhost' is not an IP address or network"},
        Refusal{"records", rule("{verb: fetch, records: {over: ten}}", kAllow),
                "'over' must be a whole number from 0 to"},
        Refusal{"negative", rule("{verb: fetch, records: {over: -1}}", kAllow),
                "'over' must be a whole number"},
        Refusal{"quoted number", rule("{verb: fetch, records: {over: \"1\"}}", kAllow),
                "'over' must be a whole number"},
        Refusal{"huge number", rule("{verb: fetch, records: {over: 99999999999999999999}}", kAllow),
                "'over' must be a whole number"},
        Refusal{"contradiction", rule("{verb: fetch, records: {over: 10, under: 11}}", kAllow),
                "no number is over 10 and under 11"},
        Refusal{"yes is no boolean", rule("{verb: fetch, vectors: {searches: yes}}", kAllow),
                "'searches' must be true or false"},
        Refusal{"quoted boolean", rule("{verb: fetch}", kAllow + "    shadow: \"true\"\n"),
                "p.yaml:5:13: error: 'shadow' must be true or false"},
        Refusal{"day", rule("{verb: fetch, time: {days: monday}}", kAllow), "unknown day 'monday'"},
        Refusal{"hours", rule("{verb: fetch, time: {hours: 8-18}}", kAllow),
                "'8-18' is not a range of hours"},
        Refusal{"no hours", rule("{verb: fetch, time: {timezone: UTC}}", kAllow),
                "'time' needs 'days' or 'hours'"},
        Refusal{"zone", rule("{verb: fetch, time: {days: mon, timezone: CET}}", kAllow),
                "unknown timezone 'CET'"},
        Refusal{"empty except", rule("{verb: fetch, except: {}}", kAllow),
                "p.yaml:3:34: error: an empty 'except' exempts everything"},
        Refusal{"nested except", rule("{verb: fetch, except: {except: {verb: fetch}}}", kAllow),
                "unknown key 'except' in except"},
        Refusal{"nine excepts",
                rule("{verb: fetch, except: [{system: milvus},{system: milvus},{system: milvus},{system: "
                     "milvus},{system: milvus},{system: milvus},{system: milvus},{system: milvus},{system: "
                     "milvus}]}",
                     kAllow),
                "more than 8 blocks in 'except'"}));

INSTANTIATE_TEST_SUITE_P(
    Effects, Refused,
    ::testing::Values(
        Refusal{"none", rule("{}", ""), "p.yaml:2:5: error: rule 'r' has no effect"},
        Refusal{"allow false", rule("{verb: fetch}", "    allow: false\n"),
                "p.yaml:4:12: error: 'allow' must be true or a block"},
        Refusal{"allow without verb", rule("{connection: docs}", kAllow),
                "p.yaml:3:12: error: rule 'r' allows without naming verbs"},
        Refusal{"over alone", rule("{verb: fetch}", "    allow: {over: clamp}\n"),
                "p.yaml:4:19: error: 'over' without 'max_records'"},
        Refusal{"over", rule("{verb: fetch}", "    allow: {max_records: 1, over: clam}\n"),
                "'over' cannot be 'clam' (did you mean 'clamp'?)"},
        Refusal{"over review", rule("{verb: fetch}", "    allow: {max_records: 1, over: review}\n"),
                "rule 'r' says 'over: review' but not who reviews"},
        Refusal{"limit", rule("{}", "    limit: {over: clamp}\n"),
                "p.yaml:4:12: error: limit needs 'max_records'"},
        Refusal{"allow and deny", rule("{verb: fetch}", kAllow + "    deny: x\n"),
                "rule 'r' denies, so it can do nothing else"},
        Refusal{"deny true", rule("{}", "    deny: true\n"),
                "'deny' must be the message that the client gets"},
        Refusal{"deny empty", rule("{}", "    deny: \"\"\n"), "p.yaml:4:11: error: 'deny' is empty"},
        Refusal{"deny block", rule("{}", "    deny: {hint: x}\n"), "deny needs 'message'"},
        Refusal{"budget", rule("{}", "    budget: {records: 5}\n"), "budget needs 'per'"},
        Refusal{"duration", rule("{}", "    budget: {records: 5, per: 1 hour}\n"),
                "'per' must be a duration from 1s to 31d"},
        Refusal{"duration without unit", rule("{}", "    budget: {records: 5, per: 60}\n"),
                "'per' must be a duration"},
        Refusal{"too long", rule("{}", "    budget: {records: 5, per: 32d}\n"),
                "'per' must be a duration from 1s to 31d"},
        Refusal{"nobody reviews", rule("{}", "    review: {approvals: 1}\n"), "review needs 'by'"},
        Refusal{"approver", rule("{}", "    review: {by: [data-security]}\n"),
                "p.yaml:4:19: error: 'data-security' is no approver"},
        Refusal{"lonely approver", rule("{}", "    review: {by: \"user:ana\", approvals: 2}\n"),
                "one user cannot give 2 approvals"},
        Refusal{"hold", rule("{}", "    review: {by: \"group:a\", hold: 1h}\n"),
                "'hold' must be a duration from 0s to 10m"},
        Refusal{"mask no list", rule("{}", "    mask: {fields: a, with: redact}\n"),
                "'mask' must be a list of masks"},
        Refusal{"mask nothing", rule("{}", "    mask: [{with: redact}]\n"),
                "a mask needs 'fields', 'vectors' or 'detect'"},
        Refusal{"mask with", rule("{}", "    mask: [{fields: a}]\n"), "a field mask needs 'with'"},
        Refusal{"mask typo", rule("{}", "    mask: [{fields: a, with: redcat}]\n"),
                "'with' cannot be 'redcat' (did you mean 'redact'?)"},
        Refusal{"mask key", rule("{}", "    mask: [{vectors: remove, with: redact}]\n"),
                "unknown key 'with' in a vector mask"},
        Refusal{"probes", rule("{}", "    mask: [{vectors: remove, probes: 100001}]\n"),
                "'probes' must be a whole number from 0 to 100000"},
        Refusal{"constant", rule("{}", "    mask: [{fields: a, with: constant}]\n"),
                "'with: constant' needs a 'value'"},
        Refusal{"value", rule("{}", "    mask: [{fields: a, with: redact, value: x}]\n"),
                "'value' belongs to 'with: constant'"},
        Refusal{"detector", rule("{}", "    mask: [{detect: [emial], with: partial}]\n"),
                "unknown detector 'emial' (did you mean 'email'?)"},
        Refusal{"mask by verb", rule("{verb: fetch}", "    mask: [{fields: a, with: redact}]\n"),
                "p.yaml:3:12: error: masks of rule 'r' would depend on the operation"},
        Refusal{"mask by time in except",
                rule("{except: {time: {days: mon}}}", "    mask: [{fields: a, with: redact}]\n"),
                "would depend on the operation"},
        Refusal{"except covers match", rule("{verb: fetch, except: {verb: [fetch, scroll]}}", kAllow),
                "rule 'r' can never apply"},
        Refusal{"except covers principal",
                rule("{principal: {groups: [a]}, except: {principal: {groups: [\"*\"]}}}", "    deny: x\n"),
                "rule 'r' can never apply"},
        Refusal{"vouch glob", "vouch:\n  - {connection: docs, functions: [\"public.*\"]}\n",
                "p.yaml:2:36: error: 'public.*' does not name one function"},
        Refusal{"vouch bare", "vouch:\n  - {connection: docs, functions: [f]}\n",
                "'f' does not name one function"},
        Refusal{"vouch without hash", "vouch:\n  - {connection: docs, function: public.f(int4)}\n", "sha256"},
        Refusal{"vouch with a short hash",
                "vouch:\n  - {connection: docs, function: public.f(int4), sha256: abc}\n",
                "'sha256' is not 64 hexadecimal digits"},
        Refusal{"vouch without arguments",
                "vouch:\n  - {connection: docs, function: public.f, sha256: abc}\n",
                "'public.f' is not the signature of a function"},
        Refusal{
            "vouch twice",
            "vouch:\n  - {connection: docs, function: public.f(int4), sha256: abc, functions: [public.f]}\n",
            "are two entries"},
        Refusal{"vouch by name with a hash",
                "vouch:\n  - {connection: docs, functions: [public.f], sha256: abc}\n",
                "'sha256' goes with 'function'"}));

TEST(Syntax, AllProblemsOfAFileAreReportedInOrder) {
  EXPECT_EQ(problems_of("rules:\n"
                        "  - name: one\n"
                        "    match: {verb: [serach, fetch], conection: docs}\n"
                        "    allow: {max_records: lots}\n"
                        "  - name: one\n"
                        "    match: {}\n"
                        "    dney: x\n"),
            "p.yaml:3:20: error: unknown verb 'serach' (did you mean 'search'?)\n"
            "p.yaml:3:36: error: unknown key 'conection' in match (did you mean 'connection'?)\n"
            "p.yaml:4:26: error: 'max_records' must be a whole number from 0 to 1000000000000\n"
            "p.yaml:5:5: error: rule 'one' has no effect (give it one of: allow, deny, limit, budget, "
            "review, mask)\n"
            "p.yaml:5:5: error: there is already a rule named 'one' (at p.yaml:2)\n"
            "p.yaml:7:5: error: unknown key 'dney' in a rule (did you mean 'deny'?)\n");
}

TEST(Syntax, ColumnsCountCharacters) {
  EXPECT_TRUE(problems_of("rules:\n  - {name: r, description: \"Füße\", match: {verb: fetch}, alow: true}\n")
                  .contains("p.yaml:2:60: error: unknown key 'alow'"));
}

TEST(Syntax, ProblemsAreBounded) {
  std::string text = "rules:\n";
  for (int i = 0; i < 5000; ++i) text += "  - x\n";
  Loaded loaded = load_texts({{"p.yaml", text}}, 1);
  EXPECT_LE(loaded.problems.size(), 2 * kMaxProblems + 2);
  EXPECT_EQ(loaded.policy, nullptr);
  ParsedFile parsed = parse_policy("p.yaml", text);
  EXPECT_EQ(parsed.problems.size(), kMaxProblems + 1);
}

TEST(Syntax, WordsAreWordsAndNotBooleans) {
  auto policy = policy_from(rule("{verb: fetch, principal: {groups: [no, on, 7, null-x]}}", kAllow));
  const auto& groups = policy->rules()[0].match.principal.groups;
  EXPECT_EQ(groups[0].text(), "no");
  EXPECT_EQ(groups[1].text(), "on");
  EXPECT_EQ(groups[2].text(), "7");
}

TEST(Syntax, EverythingIsRead) {
  auto policy = policy_from(R"(
rules:
  - name: all
    description: of it
    match:
      principal: {name: ana, kind: machine, groups: [a, b], roles: r, claims: {x: [1, 2]}, owner: o}
      connection: docs
      system: [postgres, qdrant]
      client_network: 10.0.0.0/8
      verb: [search, export]
      collection: public.docs
      fields: [a, b]
      records: {over: 1, under: 9}
      vectors: {searches: true, returns_vectors: false, returns_scores: true, metric: l2, field: e}
      time: {days: [mon, sun], hours: ["08:00-12:00", "22:00-06:00"], timezone: "-05:30"}
      except: [{verb: search}, {records: {under: 2}}]
    allow: {max_records: 10, over: review, message: m}
    limit: {max_records: 5, over: clamp}
    budget: {records: 7, per: 90s}
    review: {by: ["group:g", "user:u"], approvals: 2, uses: 3, valid_for: 1h, hold: 60s, vectors: shape}
    shadow: true
)");
  const Rule& r = policy->rules()[0];
  EXPECT_EQ(r.description, "of it");
  EXPECT_EQ(r.match.principal.kind, PrincipalKind::machine);
  EXPECT_EQ(r.match.principal.claims.at(0).second.size(), 2u);
  EXPECT_EQ(*r.match.verbs, verb_bit(Verb::search) | verb_bit(Verb::export_));
  EXPECT_EQ(r.match.records_over, 1u);
  EXPECT_EQ(r.match.records_under, 9u);
  EXPECT_EQ(r.match.vectors->searches, true);
  EXPECT_EQ(r.match.vectors->returns_vectors, false);
  EXPECT_EQ(r.match.time->days, 0x41);
  EXPECT_EQ(r.match.time->offset, -330);
  EXPECT_EQ(r.match.time->hours.at(1).from, 22 * 60);
  EXPECT_EQ(r.except.size(), 2u);
  EXPECT_EQ(r.allow->over, Over::review);
  EXPECT_EQ(r.limit->over, Over::clamp);
  EXPECT_EQ(r.budget->per, std::chrono::seconds{90});
  EXPECT_EQ(r.review->rule, "all");
  EXPECT_EQ(r.review->approvals, 2u);
  EXPECT_EQ(r.review->uses, 3u);
  EXPECT_EQ(r.review->valid_for, std::chrono::hours{1});
  EXPECT_EQ(r.review->hold, std::chrono::seconds{60});
  EXPECT_FALSE(r.review->bind_vectors);
  EXPECT_TRUE(r.shadow);
  EXPECT_EQ(r.place.line, 3u);
  EXPECT_EQ(r.last_line, 21u);
}

TEST(Syntax, ReviewBindsVectorValuesUnlessToldOtherwise) {
  auto policy = policy_from(rule("{}", "    review: {by: \"group:g\"}\n"));
  EXPECT_TRUE(policy->rules()[0].review->bind_vectors);
}

TEST(Syntax, WarningsDoNotKeepThePolicyOut) {
  Loaded loaded = load_texts({{"p.yaml",
                               "rules:\n"
                               "  - name: never\n"
                               "    match: {verb: export, connection: docs}\n"
                               "    allow: true\n"
                               "  - name: no-export\n"
                               "    match: {verb: [export, admin]}\n"
                               "    deny: no\n"}},
                             1);
  EXPECT_TRUE(loaded.policy);
  EXPECT_EQ(
      all_of(loaded.problems),
      "p.yaml:4:12: warning: rule 'never' can never grant: rule 'no-export' denies all that it matches\n");
  EXPECT_TRUE(problems_of(rule("{}", "    deny: x\n")).contains("warning: no rule allows anything"));
  EXPECT_TRUE(problems_of(rule("{verb: fetch, records: {over: 5}}", kAllow))
                  .contains("p.yaml:3:12: warning: rule 'r' allows only"));
}

TEST(Durations, Forms) {
  EXPECT_EQ(format_duration(std::chrono::seconds{90}), "90s");
  EXPECT_EQ(format_duration(std::chrono::seconds{3600}), "1h");
  EXPECT_EQ(format_duration(std::chrono::seconds{0}), "0s");
  EXPECT_EQ(duration_from("7d"), std::chrono::seconds{604800});
  for (auto bad : {"", "s", "1", "-1s", "1.5h", "1w", "99999999999999999999s", "9999999999h", " 1s"}) {
    EXPECT_FALSE(duration_from(bad)) << bad;
  }
}

}  // namespace
}  // namespace sluice::policy
