#include "policy/matcher.h"

#include <gtest/gtest.h>

#include "policy/testing.h"

namespace sluice::policy {
namespace {

TEST(Networks, Membership) {
  auto in = [](std::string_view network, std::string_view address) {
    return Network::parse(network).value().contains(parse_address(address).value());
  };
  EXPECT_TRUE(in("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(in("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(in("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(in("192.168.7.0/25", "192.168.7.127"));
  EXPECT_FALSE(in("192.168.7.0/25", "192.168.7.128"));
  EXPECT_TRUE(in("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(in("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(in("::/0", "203.0.113.9"));
  EXPECT_TRUE(in("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(in("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(in("127.0.0.1", "127.0.0.1"));
  EXPECT_TRUE(in("fe80::/10", "fe80::1%eth0"));
}

TEST(Networks, Malformed) {
  for (auto bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "::/129", "10.0.0.1/8",
                   "010.0.0.1/x", "fe80::1%eth0/64", "host", "10.0.0", "1.2.3.4.5"}) {
    EXPECT_FALSE(Network::parse(bad)) << bad;
  }
  EXPECT_FALSE(parse_address("/run/postgresql/.s.PGSQL.5432"));
  EXPECT_FALSE(parse_address(""));
  EXPECT_FALSE(parse_address(std::string(300, '1')));
  EXPECT_FALSE(parse_address(std::string_view{"1.2.3.4\0x", 9}));
}

TEST(TimeWindows, DaysHoursAndZones) {
  using namespace std::chrono_literals;
  TimeWindow monday{.days = 1};
  EXPECT_TRUE(monday.contains(kMonday));
  EXPECT_FALSE(monday.contains(kMonday + 24h));
  EXPECT_FALSE(monday.contains(kMonday - 24h));

  TimeWindow office{.hours = {*hours_from("08:00-12:00"), *hours_from("13:00-18:00")}};
  EXPECT_TRUE(office.contains(kMonday));
  EXPECT_FALSE(office.contains(kMonday + 2h + 30min));  // 12:00, exclusive
  EXPECT_TRUE(office.contains(kMonday + 3h + 30min));

  TimeWindow night{.days = 1, .hours = {*hours_from("22:00-06:00")}};
  EXPECT_FALSE(night.contains(kMonday));
  EXPECT_TRUE(night.contains(kMonday + 13h));   // Monday 22:30
  EXPECT_TRUE(night.contains(kMonday - 4h));    // Monday 05:30
  EXPECT_FALSE(night.contains(kMonday + 18h));  // Tuesday 03:30

  TimeWindow far{.days = 1 << 6, .offset = *timezone_from("-10:00")};
  EXPECT_TRUE(far.contains(kMonday));                            // Sunday 23:30 there
  EXPECT_TRUE(TimeWindow{.days = 1 << 3}.contains(WallTime{}));  // 1970-01-01 was a Thursday
  EXPECT_TRUE(TimeWindow{.days = 1 << 2}.contains(WallTime{} - 1s));
}

TEST(TimeWindows, Malformed) {
  for (auto bad : {"", "08:00", "8:00-9:00", "08:00-08:00", "24:00-25:00", "24:00-08:00", "08:60-09:00",
                   "aa:bb-cc:dd", "08:00-18:00 "}) {
    EXPECT_FALSE(hours_from(bad)) << bad;
  }
  EXPECT_TRUE(hours_from("00:00-24:00"));
  for (auto bad : {"", "utc", "CET", "+2", "+15:00", "+02:60", "02:00"})
    EXPECT_FALSE(timezone_from(bad)) << bad;
}

// One row: a match, an operation that differs from the plain one in one thing, and how both readings come
// out.
struct Row {
  const char* match;
  void (*change)(Operation&, SessionFacts&);
  bool broad;
  bool narrow;
};

class Readings : public ::testing::TestWithParam<Row> {};

TEST_P(Readings, BroadAndNarrow) {
  const Row& row = GetParam();
  auto policy = policy_from("rules:\n  - name: r\n    match: " + std::string{row.match} + "\n    deny: x\n");
  const Rule& rule = policy->rules()[0];
  SessionFacts session = session_of({.groups = {"support"}});
  Operation operation = operation_of(Verb::search, {"public.docs"}, 10);
  operation.collections[0].output_fields = {"id", "metadata.email"};
  operation.searches.push_back({.collection = "public.docs", .field = "embedding", .metric = "cosine"});
  row.change(operation, session);
  SessionView session_view{session};
  OperationView view{operation, kMonday};
  for (Reading reading : {Reading::broad, Reading::narrow}) {
    SessionMatch settled = match_session(rule, session_view, reading);
    bool matched = settled.failed == Clause::none &&
                   match_operation(rule, settled.excepts, view, reading).failed == Clause::none;
    EXPECT_EQ(matched, reading == Reading::broad ? row.broad : row.narrow)
        << row.match << (reading == Reading::broad ? " broadly" : " narrowly");
  }
}

constexpr auto as_is = [](Operation&, SessionFacts&) {};
constexpr auto nowhere = [](Operation& o, SessionFacts&) { o.collections.clear(); };
constexpr auto two = [](Operation& o, SessionFacts&) { o.collections.push_back({.name = "public.kb"}); };
constexpr auto everything = [](Operation& o, SessionFacts&) { o.collections[0].all_fields = true; };
constexpr auto unbounded = [](Operation& o, SessionFacts&) { o.records.max.reset(); };
constexpr auto socket = [](Operation&, SessionFacts& s) { s.client_address = "/run/x"; };
constexpr auto no_search = [](Operation& o, SessionFacts&) { o.searches.clear(); };
constexpr auto two_searches = [](Operation& o, SessionFacts&) {
  o.searches.push_back({.collection = "public.docs", .field = "title_vector", .metric = "l2"});
};

INSTANTIATE_TEST_SUITE_P(
    Table, Readings,
    ::testing::Values(
        Row{"{}", as_is, true, true}, Row{"{}", nowhere, true, true},
        // collections
        Row{"{collection: public.docs}", as_is, true, true}, Row{"{collection: docs}", as_is, true, false},
        Row{"{collection: public.DOCS}", as_is, true, false},
        Row{"{collection: \"*.docs\"}", as_is, true, true}, Row{"{collection: \"do*\"}", as_is, true, false},
        Row{"{collection: other.docs}", as_is, false, false},
        Row{"{collection: public.docs}", two, true, false},
        Row{"{collection: [public.docs, public.kb]}", two, true, true},
        Row{"{collection: \"public.*\"}", two, true, true}, Row{"{collection: \"*\"}", nowhere, true, true},
        Row{"{collection: public.docs}", nowhere, false, false},
        Row{"{collection: \"public.*\"}", nowhere, false, false},
        // except, by collection
        Row{"{collection: \"public.*\", except: {collection: public.kb}}", two, true, false},
        Row{"{collection: \"public.*\", except: {collection: kb}}", two, true, false},
        Row{"{except: {collection: public.docs}}", as_is, false, false},
        Row{"{except: {collection: docs}}", as_is, true, false},
        Row{"{except: {collection: [public.docs, public.kb]}}", two, false, false},
        Row{"{except: {collection: [public.docs, public.kb]}}", nowhere, true, true},
        Row{"{except: [{collection: public.docs}, {collection: public.kb}]}", two, false, false},
        Row{"{except: {collection: public.docs, verb: fetch}}", as_is, true, true},
        Row{"{except: {collection: public.docs, verb: search}}", as_is, false, false},
        // fields
        Row{"{fields: id}", as_is, true, false}, Row{"{fields: email}", as_is, true, false},
        Row{"{fields: EMAIL}", as_is, true, false}, Row{"{fields: [id, \"metadata.*\"]}", as_is, true, true},
        Row{"{fields: [id, metadata]}", as_is, true, false}, Row{"{fields: ssn}", as_is, false, false},
        Row{"{fields: ssn}", everything, true, false}, Row{"{fields: \"*\"}", everything, true, true},
        Row{"{fields: ssn}", nowhere, false, true}, Row{"{fields: id}", two, true, false},
        Row{"{except: {fields: [id, metadata.email]}}", as_is, false, false},
        Row{"{except: {fields: [id]}}", as_is, true, false},
        Row{"{except: {fields: [id]}}", everything, true, false},
        // records
        Row{"{records: {over: 9}}", as_is, true, true}, Row{"{records: {over: 10}}", as_is, false, false},
        Row{"{records: {under: 11}}", as_is, true, true}, Row{"{records: {under: 10}}", as_is, false, false},
        Row{"{records: {over: 9}}", unbounded, true, false},
        Row{"{records: {under: 11}}", unbounded, true, false},
        Row{"{except: {records: {under: 11}}}", as_is, false, false},
        Row{"{except: {records: {under: 11}}}", unbounded, true, false},
        // verbs
        Row{"{verb: [search, fetch]}", as_is, true, true}, Row{"{verb: fetch}", as_is, false, false},
        Row{"{verb: \"*\"}", as_is, true, true}, Row{"{except: {verb: search}}", as_is, false, false},
        // vectors
        Row{"{vectors: {searches: true}}", as_is, true, true},
        Row{"{vectors: {searches: false}}", as_is, false, false},
        Row{"{vectors: {searches: false}}", no_search, true, true},
        Row{"{vectors: {returns_vectors: true}}", as_is, false, false},
        Row{"{vectors: {returns_scores: false}}", as_is, true, true},
        Row{"{vectors: {metric: cosine}}", as_is, true, true},
        Row{"{vectors: {metric: cosine}}", two_searches, true, false},
        Row{"{vectors: {metric: [cosine, l2]}}", two_searches, true, true},
        Row{"{vectors: {metric: cosine}}", no_search, false, false},
        Row{"{vectors: {field: Embedding}}", as_is, true, false},
        Row{"{vectors: {field: embedding}}", as_is, true, true},
        // time
        Row{"{time: {days: mon}}", as_is, true, true}, Row{"{time: {days: tue}}", as_is, false, false},
        // session
        Row{"{principal: {groups: [x, support]}}", as_is, true, true},
        Row{"{principal: {groups: Support}}", as_is, false, false},
        Row{"{principal: {name: \"a*\", kind: human}}", as_is, true, true},
        Row{"{principal: {kind: machine}}", as_is, false, false},
        Row{"{principal: {roles: admin}}", as_is, false, false},
        Row{"{principal: {claims: {d: x}}}", as_is, false, false},
        Row{"{principal: {owner: x}}", as_is, false, false}, Row{"{connection: docs}", as_is, true, true},
        Row{"{connection: doc}", as_is, false, false}, Row{"{system: qdrant}", as_is, false, false},
        Row{"{client_network: 10.0.0.0/8}", as_is, true, true},
        Row{"{client_network: 11.0.0.0/8}", as_is, false, false},
        Row{"{client_network: 11.0.0.0/8}", socket, true, false},
        Row{"{except: {client_network: 10.0.0.0/8}}", as_is, false, false},
        Row{"{except: {client_network: 10.0.0.0/8}}", socket, true, false},
        Row{"{except: {principal: {groups: support}}}", as_is, false, false},
        Row{"{except: {principal: {groups: support}, collection: public.kb}}", as_is, true, true},
        Row{"{except: {principal: {groups: support}, collection: public.kb}}", two, true, false}));

TEST(Matcher, ClaimsAndOwner) {
  auto policy = policy_from(
      "rules:\n  - name: r\n    match: {principal: {claims: {dept: [care, \"sup*\"], region: eu}, owner: "
      "platform}}\n    deny: x\n");
  SessionFacts facts = session_of({});
  auto principal = std::make_shared<Principal>(*facts.principal);
  principal->owner = "platform";
  principal->claims = {{"dept", "support"}, {"region", "eu"}, {"x", "y"}};
  facts.principal = principal;
  EXPECT_EQ(match_session(policy->rules()[0], SessionView{facts}, Reading::narrow).failed, Clause::none);
  principal->claims["region"] = "us";
  EXPECT_EQ(match_session(policy->rules()[0], SessionView{facts}, Reading::narrow).failed,
            Clause::principal_claims);
  principal->claims.erase("region");
  EXPECT_EQ(match_session(policy->rules()[0], SessionView{facts}, Reading::broad).failed,
            Clause::principal_claims);
}

TEST(Matcher, ManyCollections) {
  auto policy = policy_from("rules:\n  - name: r\n    match: {collection: public.t19}\n    deny: x\n");
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) names.push_back("public.t" + std::to_string(i));
  Operation operation = operation_of(Verb::scroll, names);
  OperationView view{operation, kMonday};
  EXPECT_EQ(match_operation(policy->rules()[0], 0, view, Reading::broad).at, 19u);
  EXPECT_EQ(match_operation(policy->rules()[0], 0, view, Reading::narrow).failed, Clause::collection);
}

}  // namespace
}  // namespace sluice::policy
