#include "admin/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/testing.h"

namespace sluice::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kDocs;
using testing::Plane;
using enum Method;

class ApiTest : public ::testing::Test {
 protected:
  Plane plane;
};

std::string fill(std::string_view pattern) {
  std::string out{pattern};
  for (auto open = out.find('{'); open != std::string::npos; open = out.find('{')) {
    out.replace(open, out.find('}') - open + 1, "x");
  }
  return out;
}

TEST_F(ApiTest, EveryRouteAsksWhoIsThere) {
  for (const auto& route : routes()) {
    const auto path = fill(route.path);
    const auto status = [&](const std::string& who) {
      return plane.call(route.method, path, who, route.body.empty() ? "" : "{}").status;
    };
    const bool open = route.who == Who::open;
    if (route.who != Who::metrics) EXPECT_EQ(status("") != 401, open) << path;
    if (!open) EXPECT_EQ(status("slc_wrong"), 401) << path;
    const auto member = status("ana");
    const auto auditor = status("aud");
    const auto admin = status("root");
    EXPECT_EQ(member == 403 || auditor == 403 || admin == 403,
              route.who == Who::reader || route.who == Who::admin || route.who == Who::metrics)
        << path;
    if (route.who == Who::reader) {
      EXPECT_EQ(member, 403) << path;
      EXPECT_NE(auditor, 403) << path;
    }
    if (route.who == Who::admin) {
      EXPECT_EQ(member, 403) << path;
      EXPECT_EQ(auditor, 403) << path;
      EXPECT_NE(admin, 403) << path;
    }
  }
}

TEST_F(ApiTest, RefusalsAreProblems) {
  auto response = plane.call(get, "/api/v1/nothing");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(Plane::parse(response).at("code").as_string(), "not_found");
  EXPECT_EQ(plane.call(remove, "/api/v1/status").status, 405);
  EXPECT_EQ(plane.call(get, "/api/v1/principals/").status, 404);
  auto stranger = plane.call(get, "/api/v1/me", "");
  EXPECT_EQ(stranger.status, 401);
  EXPECT_EQ(stranger.headers.at(0).first, "WWW-Authenticate");
}

TEST_F(ApiTest, StrictAboutBodiesAndQueries) {
  const auto detail = [&](std::string body) {
    auto response = plane.call(post, "/api/v1/principals", "root", std::move(body));
    EXPECT_EQ(response.status, 400) << response.body;
    return std::string(Plane::parse(response).at("detail").as_string());
  };
  EXPECT_THAT(detail(R"({"name":"x","colour":"red"})"), HasSubstr("unknown key \"colour\""));
  EXPECT_THAT(detail(R"({"name":"x","name":"y"})"), HasSubstr("appears twice"));
  EXPECT_THAT(detail(R"({"name":1})"), HasSubstr("name: must be text"));
  EXPECT_THAT(detail(R"({"kind":"human"})"), HasSubstr("name: is required"));
  EXPECT_THAT(detail(R"({"name":"x","roles":["king"]})"), HasSubstr("king"));
  EXPECT_THAT(detail(R"({"name":"-x"})"), HasSubstr("letters, digits"));
  EXPECT_THAT(detail(R"({"name":"x","groups":["a\nb"]})"), HasSubstr("control characters"));
  EXPECT_THAT(detail(R"({"name":"x)"), HasSubstr("not valid JSON"));
  EXPECT_THAT(detail("[1]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(detail(std::string(100, '[')), HasSubstr("not valid JSON"));
  EXPECT_EQ(plane.call(get, "/api/v1/principals", "root", "", {{"colour", "red"}}).status, 400);
  EXPECT_EQ(plane.call(get, "/api/v1/principals", "root", "", {{"limit", "0"}}).status, 400);
  EXPECT_EQ(plane.call(get, "/api/v1/principals", "root", "", {{"cursor", "!"}}).status, 400);
  EXPECT_EQ(plane.call(post, "/api/v1/principals/ana/disable", "root", "{}").status, 400) << "takes no body";
}

TEST_F(ApiTest, APrincipalsLife) {
  auto made =
      plane.call(post, "/api/v1/principals", "root", R"({"name":"svc","kind":"machine","groups":["rag"]})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(Plane::parse(made).at("owner").as_string(), "root") << "somebody answers for a machine";
  EXPECT_EQ(plane.call(post, "/api/v1/principals", "root", R"({"name":"svc"})").status, 409);
  auto changed = plane.call(patch, "/api/v1/principals/svc", "root", R"({"groups":[]})");
  EXPECT_EQ(Plane::parse(changed).at("epoch").as_int64(), 2);
  EXPECT_TRUE(plane.directory.current()->find("svc")->groups.empty());
  EXPECT_EQ(plane.call(post, "/api/v1/principals/svc/disable").status, 200);
  EXPECT_TRUE(plane.directory.current()->find("svc")->disabled);
  EXPECT_EQ(plane.call(post, "/api/v1/principals/svc/enable").status, 200);
  EXPECT_EQ(plane.call(remove, "/api/v1/principals/svc").status, 204);
  EXPECT_EQ(plane.call(get, "/api/v1/principals/svc").status, 404);
  EXPECT_EQ(plane.changes, 5);
}

TEST_F(ApiTest, TheLastAdministratorStays) {
  EXPECT_EQ(plane.call(post, "/api/v1/principals/root/disable").status, 409);
  EXPECT_EQ(plane.call(remove, "/api/v1/principals/root").status, 409);
  EXPECT_EQ(plane.call(patch, "/api/v1/principals/root", "root", R"({"roles":[]})").status, 409);
  ASSERT_EQ(plane.call(patch, "/api/v1/principals/aud", "root", R"({"roles":["admin"]})").status, 200);
  EXPECT_EQ(plane.call(remove, "/api/v1/principals/root").status, 204);
  EXPECT_EQ(plane.call(get, "/api/v1/principals").status, 401) << "its token went with it";
}

TEST_F(ApiTest, TokensAreShownOnceAndRevokedAtOnce) {
  auto made =
      plane.call(post, "/api/v1/tokens", "root", R"({"principal":"ana","ttl_seconds":60,"label":"laptop"})");
  ASSERT_EQ(made.status, 201) << made.body;
  auto token = Plane::parse(made);
  const std::string text{token.at("token").as_string()};
  const std::string id{token.at("id").as_string()};
  plane.tokens["again"] = text;
  EXPECT_EQ(plane.call(get, "/api/v1/me", "again").status, 200);
  for (const auto& response : {plane.call(get, "/api/v1/tokens"), plane.call(get, "/api/v1/tokens/" + id)}) {
    EXPECT_EQ(response.body.find(text.substr(13)), std::string::npos) << "a secret was shown again";
    EXPECT_THAT(response.body, HasSubstr(id));
  }
  for (const auto& entry : plane.audit.entries) {
    EXPECT_EQ((entry.before + entry.after).find(text.substr(13)), std::string::npos)
        << "a secret was reported";
  }
  EXPECT_EQ(plane.call(remove, "/api/v1/tokens/" + id).status, 200);
  EXPECT_EQ(plane.call(get, "/api/v1/me", "again").status, 401);
  EXPECT_EQ(plane.call(post, "/api/v1/tokens", "root", R"({"principal":"nobody"})").status, 404);
  EXPECT_EQ(plane.call(post, "/api/v1/tokens", "root", R"({"principal":"ana","ttl_seconds":0})").status, 400);
  auto forever = plane.call(post, "/api/v1/tokens", "root", R"({"principal":"ana","ttl_seconds":null})");
  EXPECT_TRUE(Plane::parse(forever).at("expires").is_null());
}

TEST_F(ApiTest, TokensExpire) {
  auto made = plane.call(post, "/api/v1/tokens", "root", R"({"principal":"ana","ttl_seconds":60})");
  plane.tokens["short"] = std::string(Plane::parse(made).at("token").as_string());
  EXPECT_EQ(plane.call(get, "/api/v1/me", "short").status, 200);
  plane.clock.advance(std::chrono::seconds{60});
  EXPECT_EQ(plane.call(get, "/api/v1/me", "short").status, 401);
}

TEST_F(ApiTest, FunctionsOfAConnectionComeInPages) {
  const std::string path = "/api/v1/connections/docs/functions";
  EXPECT_EQ(plane.call(get, path).status, 404);
  ASSERT_EQ(plane.call(post, "/api/v1/connections", "root", kDocs).status, 201);
  EXPECT_EQ(plane.call(get, path, "ana").status, 403);
  const auto first = Plane::parse(plane.call(get, path, "aud", "", {{"limit", "1"}}));
  ASSERT_EQ(first.at("items").as_array().size(), 1u);
  EXPECT_EQ(first.at("items").at(0).at("function").as_string(), "public.a(int4)");
  EXPECT_EQ(first.at("items").at(0).at("state").as_string(), "vouched");
  const std::string next{first.at("next_cursor").as_string()};
  const auto second = Plane::parse(plane.call(get, path, "aud", "", {{"limit", "1"}, {"cursor", next}}));
  EXPECT_EQ(second.at("items").at(0).at("sha256").as_string(), "bb");
  EXPECT_EQ(second.at("next_cursor").as_string(), "");
}

TEST_F(ApiTest, FormerNamesAreListedAndForgotten) {
  const std::string path = "/api/v1/connections/docs/names";
  EXPECT_EQ(plane.call(get, path).status, 404);
  ASSERT_EQ(plane.call(post, "/api/v1/connections", "root", kDocs).status, 201);
  EXPECT_EQ(plane.call(get, path, "ana").status, 403);
  const auto first = Plane::parse(plane.call(get, path, "aud", "", {{"limit", "1"}}));
  EXPECT_EQ(first.at("items").at(0).at("former").as_string(), "public.papers");
  const std::string next{first.at("next_cursor").as_string()};
  const auto second = Plane::parse(plane.call(get, path, "aud", "", {{"limit", "1"}, {"cursor", next}}));
  EXPECT_EQ(second.at("items").at(0).at("name").as_string(), "public.docs.contact");

  const char* forget = R"({"name": "public.docs.contact"})";
  EXPECT_EQ(plane.call(post, path + "/forget", "aud", forget).status, 403);
  EXPECT_EQ(plane.call(post, path + "/forget", "root", R"({"name": "public.docs.email"})").status, 404);
  EXPECT_EQ(plane.call(post, path + "/forget", "root", forget).status, 204);
  EXPECT_EQ(plane.call(post, path + "/forget", "root", forget).status, 404);
  EXPECT_EQ(Plane::parse(plane.call(get, path)).at("items").as_array().size(), 1u);
}

TEST_F(ApiTest, AConnectionsLife) {
  auto made = plane.call(post, "/api/v1/connections", "root", kDocs);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(Plane::parse(made).at("tls").as_string(), "verify_full");
  EXPECT_EQ(plane.call(post, "/api/v1/connections", "root", kDocs).status, 409);
  ASSERT_TRUE(plane.connections.current()->find("docs"));
  EXPECT_EQ(plane.call(patch, "/api/v1/connections/docs", "root", R"({"port":5433})", {}, "\"7\"").status,
            409);
  auto changed = plane.call(patch, "/api/v1/connections/docs", "root", R"({"port":5433})", {}, "\"1\"");
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(plane.connections.current()->find("docs")->version, 2u);
  EXPECT_EQ(plane.connections.current()->find("docs")->roles.size(), 1u) << "what is not given stays";
  auto rotated = plane.call(post, "/api/v1/connections/docs/rotate", "root",
                            R"({"role":"reader","credential":{"kind":"environment","reference":"RO"}})");
  EXPECT_EQ(rotated.status, 200) << rotated.body;
  EXPECT_EQ(plane.connections.current()->find("docs")->roles[0].credential.reference, "RO");
  EXPECT_EQ(plane.connections.current()->find("docs")->version, 3u);
  EXPECT_EQ(plane.connections.current()->find("docs")->sessions_from, 2u) << "who is in goes on";
  auto ended =
      plane.call(post, "/api/v1/connections/docs/rotate", "root", R"({"role":"reader","end_sessions":true})");
  EXPECT_EQ(ended.status, 200) << ended.body;
  EXPECT_EQ(plane.connections.current()->find("docs")->sessions_from, 4u);
  EXPECT_EQ(plane.call(post, "/api/v1/connections/docs/rotate", "root", R"({"role":"x"})").status, 404);
  EXPECT_THAT(plane.call(post, "/api/v1/connections/docs/test").body, HasSubstr("15.4"));
  EXPECT_EQ(plane.call(post, "/api/v1/connections/docs/advise", "aud").status, 403);
  EXPECT_THAT(plane.call(post, "/api/v1/connections/docs/advise").body,
              HasSubstr(R"("statements":[{"statement":"REVOKE a FROM b;","reason":"because"}])"));
  EXPECT_EQ(plane.call(post, "/api/v1/connections/docs/disable").status, 200);
  EXPECT_TRUE(plane.connections.current()->find("docs")->disabled);
  EXPECT_EQ(plane.call(remove, "/api/v1/connections/docs").status, 204);
  EXPECT_FALSE(plane.connections.current()->find("docs"));
}

TEST_F(ApiTest, ConnectionsThatMakeNoSenseAreRefused) {
  const auto status = [&](std::string_view from, std::string_view to) {
    std::string body{kDocs};
    body.replace(body.find(from), from.size(), to);
    return plane.call(post, "/api/v1/connections", "root", body).status;
  };
  EXPECT_EQ(status("db.example", "db example"), 400);
  EXPECT_EQ(status("db.example", "/run/postgresql"), 400);
  EXPECT_EQ(status("\"database\":\"app\"", "\"database\":\"\""), 400);
  EXPECT_EQ(status("\"host\"", "\"system\":\"oracle\",\"host\""), 400);
  EXPECT_EQ(status("\"host\"", "\"port\":0,\"host\""), 400);
  EXPECT_EQ(status("\"host\"", "\"tls\":\"maybe\",\"host\""), 400);
  EXPECT_EQ(status("\"kind\":\"file\"", "\"kind\":\"none\""), 400) << "none has no reference";
  EXPECT_EQ(status("\"kind\":\"file\"", "\"kind\":\"vault\""), 400);
  EXPECT_EQ(status("\"alias\"", "\"password\":\"hunter2\",\"alias\""), 400)
      << "a credential is never carried";
  EXPECT_EQ(status("\"kind\":\"file\"", "\"kind\":\"command\""), 403) << "off unless the settings allow it";
  EXPECT_TRUE(plane.audit.entries.empty());
}

TEST_F(ApiTest, NothingChangesThatCannotBeReported) {
  plane.audit.failing = true;
  const auto principals = plane.state->principals.principals()->size();
  const auto tokens = plane.state->tokens.tokens()->size();
  EXPECT_EQ(plane.call(post, "/api/v1/principals", "root", R"({"name":"x"})").status, 503);
  EXPECT_EQ(plane.call(post, "/api/v1/tokens", "root", R"({"principal":"ana"})").status, 503);
  EXPECT_EQ(plane.call(post, "/api/v1/connections", "root", kDocs).status, 503);
  EXPECT_EQ(plane.call(remove, "/api/v1/principals/ana").status, 503);
  EXPECT_EQ(plane.call(post, "/api/v1/sessions/abc/kill", "root", "{}").status, 503);
  EXPECT_EQ(plane.call(get, "/api/v1/sessions/abc/replay").status, 503)
      << "nor is read what must be reported";
  EXPECT_EQ(plane.state->principals.principals()->size(), principals);
  EXPECT_EQ(plane.state->tokens.tokens()->size(), tokens);
  EXPECT_TRUE(plane.state->connections.connections()->empty());
  EXPECT_TRUE(plane.sessions.killed.empty());
  EXPECT_EQ(plane.changes, 0);
}

TEST_F(ApiTest, EveryChangeIsReportedWithWhoAndWhat) {
  plane.call(post, "/api/v1/principals", "root", R"({"name":"x"})");
  plane.call(post, "/api/v1/principals/x/disable");
  ASSERT_EQ(plane.audit.entries.size(), 2u);
  const auto& entry = plane.audit.entries[1];
  EXPECT_EQ(entry.actor, "root");
  EXPECT_EQ(entry.action, "principal.disable");
  EXPECT_EQ(entry.target, "principal:x");
  EXPECT_EQ(entry.client_address, "127.0.0.1");
  EXPECT_THAT(entry.before, HasSubstr("\"disabled\":false"));
  EXPECT_THAT(entry.after, HasSubstr("\"disabled\":true"));
}

TEST_F(ApiTest, TokensAreReportedInTheRecordsOwnTerms) {
  auto made =
      plane.call(post, "/api/v1/tokens", "root", R"({"principal":"ana","ttl_seconds":60,"label":"laptop"})");
  const std::string id{Plane::parse(made).at("id").as_string()};
  plane.call(remove, "/api/v1/tokens/" + id);
  ASSERT_EQ(plane.audit.entries.size(), 2u);
  const auto& issued = std::get<TokenFacts>(plane.audit.entries[0].facts);
  EXPECT_FALSE(issued.revoked);
  EXPECT_EQ(issued.id, id);
  EXPECT_EQ(issued.principal, "ana");
  EXPECT_EQ(issued.label, "laptop");
  EXPECT_EQ(issued.expires, plane.clock.now() + std::chrono::seconds{60});
  EXPECT_TRUE(std::get<TokenFacts>(plane.audit.entries[1].facts).revoked);
}

TEST_F(ApiTest, PagesFollowEachOther) {
  for (int i = 0; i < 7; ++i) {
    plane.call(post, "/api/v1/principals", "root", fmt::format(R"({{"name":"p{}","groups":["g"]}})", i));
  }
  std::vector<std::string> seen;
  std::map<std::string, std::string> query{{"limit", "3"}, {"group", "g"}};
  for (int pages = 0; pages < 5; ++pages) {
    auto page = Plane::parse(plane.call(get, "/api/v1/principals", "aud", "", query));
    for (const auto& item : page.at("items").as_array()) seen.emplace_back(item.at("name").as_string());
    query["cursor"] = std::string(page.at("next_cursor").as_string());
    if (query["cursor"].empty()) break;
  }
  EXPECT_THAT(seen, ElementsAre("p0", "p1", "p2", "p3", "p4", "p5", "p6"));
}

class ReviewApiTest : public ApiTest {
 protected:
  ReviewApiTest() {
    plane.add("eve", {}, {"rag"});
    EXPECT_TRUE(plane.control.publish_directory());
  }
  std::string open(const std::string& principal = "ana", std::uint8_t seed = 1) {
    review::ReviewRequest request;
    request.digest.fill(seed);
    request.principal = principal;
    request.connection = "docs";
    request.statement = "SELECT 1";
    request.terms = {.rule = "bulk", .by = {"group:data-security"}};
    return plane.reviews.open_or_find(request)->id.value;
  }
};

TEST_F(ReviewApiTest, TheNamedOnesDecideAndNobodyElse) {
  const auto id = open();
  const auto path = "/api/v1/reviews/" + id;
  EXPECT_EQ(plane.call(post, path + "/approve", "ana", "{}").status, 403) << "their own";
  EXPECT_EQ(plane.call(post, path + "/approve", "root", "{}").status, 403)
      << "an administrator is not an approver";
  EXPECT_TRUE(plane.audit.entries.empty());
  EXPECT_TRUE(Plane::parse(plane.call(get, path, "sec")).at("you_may_decide").as_bool());
  EXPECT_FALSE(Plane::parse(plane.call(get, path, "ana")).at("you_may_decide").as_bool());
  auto approved = plane.call(post, path + "/approve", "sec", R"({"comment":"fine"})");
  ASSERT_EQ(approved.status, 200) << approved.body;
  EXPECT_EQ(Plane::parse(approved).at("state").as_string(), "approved");
  EXPECT_EQ(plane.call(post, path + "/reject", "sec", "{}").status, 409);
  EXPECT_EQ(plane.audit.entries.at(0).action, "review.approve");
}

TEST_F(ReviewApiTest, VotesAreReportedInTheRecordsOwnTerms) {
  plane.add("sec2", {}, {"data-security"});
  ASSERT_TRUE(plane.control.publish_directory());
  review::ReviewRequest request;
  request.principal = "ana";
  request.terms = {.rule = "bulk", .by = {"group:data-security"}, .approvals = 2};
  const auto path = "/api/v1/reviews/" + plane.reviews.open_or_find(request)->id.value;
  EXPECT_EQ(plane.call(post, path + "/approve", "sec", R"({"comment":"fine"})").status, 200);
  EXPECT_EQ(plane.call(post, path + "/approve", "sec", "{}").status, 409) << "one vote each";
  EXPECT_EQ(plane.call(post, path + "/approve", "sec2", "{}").status, 200);
  ASSERT_EQ(plane.audit.entries.size(), 2u) << "a vote that cannot count is not reported as one";
  const auto& first = std::get<VoteFacts>(plane.audit.entries[0].facts);
  EXPECT_TRUE(first.approve);
  EXPECT_FALSE(first.final);
  EXPECT_EQ(first.comment, "fine");
  EXPECT_TRUE(std::get<VoteFacts>(plane.audit.entries[1].facts).final);
}

TEST_F(ReviewApiTest, OthersReviewsDoNotExist) {
  const auto mine = open("ana", 1);
  const auto other = open("eve", 2);
  EXPECT_EQ(plane.call(get, "/api/v1/reviews/" + other, "ana").status, 404);
  EXPECT_EQ(plane.call(get, "/api/v1/reviews/rv_nothere", "ana").status, 404);
  auto list = Plane::parse(plane.call(get, "/api/v1/reviews", "ana")).at("items").as_array();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].at("id").as_string(), mine);
  for (const char* who : {"sec", "aud", "root"}) {
    EXPECT_EQ(Plane::parse(plane.call(get, "/api/v1/reviews", who)).at("items").as_array().size(), 2u) << who;
  }
  EXPECT_EQ(plane.call(get, "/api/v1/reviews", "ana", "", {{"state", "lost"}}).status, 400);
}

TEST_F(ReviewApiTest, PagesSkipWhatOneMayNotSee) {
  for (std::uint8_t i = 0; i < 12; ++i) open(i % 3 == 0 ? "ana" : "eve", static_cast<std::uint8_t>(i + 1));
  std::size_t seen = 0;
  std::map<std::string, std::string> query{{"limit", "3"}};
  while (true) {
    auto page = Plane::parse(plane.call(get, "/api/v1/reviews", "ana", "", query));
    seen += page.at("items").as_array().size();
    query["cursor"] = std::string(page.at("next_cursor").as_string());
    if (query["cursor"].empty()) break;
  }
  EXPECT_EQ(seen, 4u);
}

TEST_F(ApiTest, PolicySessionsRecordAndStatus) {
  EXPECT_EQ(Plane::parse(plane.call(get, "/api/v1/policy")).at("version").as_int64(), 3);
  EXPECT_TRUE(Plane::parse(plane.call(post, "/api/v1/policy/validate", "aud", R"({"text":"good"})"))
                  .at("valid")
                  .as_bool());
  EXPECT_THAT(plane.call(post, "/api/v1/policy/validate", "aud", R"({"text":"x"})").body,
              HasSubstr("\"column\":2"));
  EXPECT_EQ(plane.call(post, "/api/v1/policy/reload").status, 200);
  plane.policy.broken = true;
  auto broken = plane.call(post, "/api/v1/policy/reload");
  EXPECT_EQ(broken.status, 400);
  EXPECT_THAT(broken.body, HasSubstr("policy/a.yaml:3:1"));
  EXPECT_EQ(plane
                .call(post, "/api/v1/policy/explain", "aud",
                      R"({"principal":"ana","connection":"docs","statement":"SELECT 1"})")
                .status,
            200);
  EXPECT_THAT(plane.call(get, "/api/v1/sessions/live").body, HasSubstr("0000000000000abc"));
  EXPECT_EQ(plane.call(post, "/api/v1/sessions/abc/kill", "root", R"({"reason":"left"})").status, 204);
  EXPECT_THAT(plane.sessions.killed, ElementsAre("left"));
  EXPECT_EQ(plane.call(post, "/api/v1/sessions/1/kill", "root", "{}").status, 404);
  EXPECT_EQ(plane.call(post, "/api/v1/sessions/xyz/kill", "root", "{}").status, 400);
  auto found = plane.call(get, "/api/v1/operations", "aud", "",
                          {{"principal", "ana"}, {"from", "2026-01-01T00:00:00Z"}, {"limit", "5"}});
  EXPECT_EQ(found.body, R"({"items":[{"operation":"1"}],"next_cursor":"next"})");
  EXPECT_EQ(plane.record.asked.principal, "ana");
  EXPECT_EQ(plane.record.asked.limit, 5u);
  EXPECT_EQ(plane.record.asked.from, ManualClock{}.now());
  EXPECT_EQ(plane.call(get, "/api/v1/operations", "aud", "", {{"from", "yesterday"}}).status, 400);
  EXPECT_TRUE(Plane::parse(plane.call(post, "/api/v1/record/verify", "aud")).at("intact").as_bool());
  EXPECT_EQ(Plane::parse(plane.call(get, "/api/v1/status", "ana")).at("sessions").as_int64(), 1);
  EXPECT_EQ(plane.call(get, "/readyz", "").status, 200);
  plane.health.problems = {"record: disk full"};
  EXPECT_EQ(plane.call(get, "/readyz", "").status, 503);
}

TEST_F(ApiTest, MeShowsWhatOneMayUse) {
  plane.call(post, "/api/v1/connections", "root", kDocs);
  EXPECT_EQ(Plane::parse(plane.call(get, "/api/v1/me", "ana")).at("connections").as_array().size(), 1u);
  EXPECT_EQ(Plane::parse(plane.call(get, "/api/v1/me", "aud")).at("connections").as_array().size(), 0u);
}

TEST_F(ApiTest, MetricsFromElsewhereNeedAToken) {
  Request request;
  request.path = "/metrics";
  request.client_address = "127.0.0.1";
  for (const auto* host : {"127.0.0.1:9090", "127.0.0.1", "localhost:9090", "[::1]:9090"}) {
    request.host = host;
    EXPECT_EQ(plane.api.answer(request).status, 200) << host;
  }
  for (const auto* host : {"evil.example", "127.0.0.1.evil.example:9090", "127.evil", "10.0.0.1", ""}) {
    request.host = host;
    EXPECT_EQ(plane.api.answer(request).status, 401) << host;
  }
  request.host = "localhost";
  request.token = plane.tokens["ana"];
  EXPECT_EQ(plane.api.answer(request).status, 200) << "a token takes nothing away";
  request.token = "slc_nonsense";
  EXPECT_EQ(plane.api.answer(request).status, 401);
  request.token.clear();
  request.client_address = "10.0.0.1";
  EXPECT_EQ(plane.api.answer(request).status, 401);
  plane.control.parts().metrics_without_token = false;
  request.client_address = "127.0.0.1";
  EXPECT_EQ(plane.api.answer(request).status, 401);
}

}  // namespace
}  // namespace sluice::admin
