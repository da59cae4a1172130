// For tests of the API: a control plane on an in-memory store with ports that remember what they were asked.
#pragma once

#include <set>

#include <gtest/gtest.h>
#include "admin/api.h"
#include "admin/json.h"

#include "identity/token.h"
#include "store/state.h"

#include <boost/json/parse.hpp>

namespace sluice::admin::testing {

struct FakeSessions final : LiveSessions {
  std::vector<LiveSession> list() override { return live; }
  Result<void> kill(SessionId id, const std::string& reason) override {
    if (id != SessionId{0xabc}) return fail(Errc::not_found, "there is no live session {}", to_string(id));
    killed.push_back(reason);
    return {};
  }
  std::vector<LiveSession> live{
      {.id = SessionId{0xabc}, .principal = "ana", .connection = "docs", .state = "idle"}};
  std::vector<std::string> killed;
};

struct FakePolicy final : PolicyControl {
  PolicyState current() override {
    return {.version = 3, .digest = "d3", .rules = {{.name = "r", .effect = "allow"}}};
  }
  Result<PolicyState> reload() override {
    if (broken) return fail(Errc::malformed, "policy/a.yaml:3:1: nonsense");
    return current();
  }
  std::vector<PolicyProblem> validate(const std::string& text) override {
    if (text == "good") return {};
    return {{.file = "text", .line = 1, .column = 2, .severity = "error", .message = "bad"}};
  }
  Result<Explanation> explain(const ExplainRequest& request) override {
    return Explanation{
        .effect = "deny", .rule = "r", .message = request.statement, .steps = {{"r", true, "matched"}}};
  }
  Result<std::vector<ListedFunction>> functions(const Connection& connection) override {
    if (connection.name == "unused") return fail(Errc::conflict, "not known yet");
    return std::vector<ListedFunction>{{.signature = "public.a(int4)", .sha256 = "aa", .state = "vouched"},
                                       {.signature = "public.b()", .sha256 = "bb", .state = "not vouched"}};
  }
  std::vector<FormerName> former_names(const Connection&) override {
    std::vector<FormerName> all{{"app", "public.docs", "public.papers"},
                                {"app", "public.docs.contact", "email"}};
    std::erase_if(all, [&](const auto& name) { return forgotten == name.now; });
    return all;
  }
  Result<void> forget_names(const Connection&, std::string_view now) override {
    forgotten = now;
    return {};
  }
  std::string forgotten;
  std::string schema() override { return R"({"type":"object"})"; }
  bool broken = false;
};

struct FakeRecord final : RecordQuery {
  Result<RecordPage> search(const RecordFilter& filter) override {
    asked = filter;
    return RecordPage{{R"({"operation":"1"})"}, "next"};
  }
  Result<RecordPage> sessions(const RecordFilter& filter) override {
    asked = filter;
    return RecordPage{};
  }
  Result<std::string> session(SessionId) override { return std::string(R"({"id":"1"})"); }
  Result<RecordPage> replay(SessionId, const std::string&, std::size_t) override { return RecordPage{}; }
  Result<RecordPage> events(const std::string& kind, const std::string&, std::size_t) override {
    return RecordPage{{fmt::format(R"({{"kind":"{}"}})", kind)}, ""};
  }
  Result<std::string> export_session(SessionId) override { return std::string(R"({"bundle":1})"); }
  Result<VerifyReport> verify() override { return VerifyReport{.intact = true, .entries = 5}; }
  RecordStatus status() override {
    return {.writable = true,
            .entries = 5,
            .shards = {{.shard = 0, .log_id = "00ff", .segments = 1, .entries = 5}}};
  }
  RecordFilter asked;
};

struct FakeTester final : ConnectionTester {
  std::map<std::string, RoleAdvice> advise(const Connection& connection) override {
    std::map<std::string, RoleAdvice> out;
    for (const auto& role : connection.roles) {
      out[role.alias] = {.user = role.upstream_user, .statements = {{"REVOKE a FROM b;", "because"}}};
    }
    return out;
  }
  std::map<std::string, ConnectionTest> test(const Connection& connection) override {
    std::map<std::string, ConnectionTest> out;
    for (const auto& role : connection.roles) out[role.alias] = {.ok = true, .server_version = "15.4"};
    return out;
  }
};

struct FakeAudit final : AuditSink {
  Result<void> report(const AuditEntry& entry) override {
    if (failing) return fail(Errc::storage_failed, "the record cannot be written");
    entries.push_back(entry);
    return {};
  }
  std::vector<AuditEntry> entries;
  bool failing = false;
};

struct FakeSettings final : SettingsView {
  std::string effective_json() override { return R"({"data_dir":"."})"; }
};
struct FakeHealth final : Health {
  Readiness readiness() override { return {problems.empty(), problems}; }
  std::vector<std::string> problems;
};

// One installation: administrator "root", auditor "aud", member "ana" in group "rag", each with a token.
struct Plane {
  Plane() {
    initialise_crypto();
    add("root", {"admin"}, {});
    add("aud", {"auditor"}, {});
    add("ana", {}, {"rag"});
    add("sec", {"approver"}, {"data-security"});
    EXPECT_TRUE(control.publish_directory());
    EXPECT_TRUE(control.publish_connections());
    changes = 0;
  }

  void add(const std::string& name, std::vector<std::string> roles, std::vector<std::string> groups) {
    Principal principal;
    principal.name = name;
    principal.roles = std::move(roles);
    principal.groups = std::move(groups);
    EXPECT_TRUE(state->principals.add_principal(principal));
    auto minted = identity::make_token();
    EXPECT_TRUE(state->tokens.add_token({.id = minted.id,
                                         .hash = minted.hash,
                                         .principal = name,
                                         .created = clock.now(),
                                         .created_by = "test"}));
    tokens[name] = std::string(minted.text.reveal());
  }

  Response call(Method method, std::string path, const std::string& who = "root", std::string body = {},
                std::map<std::string, std::string> query = {}, std::string if_match = {}) {
    Request request;
    request.method = method;
    request.path = std::move(path);
    request.query = std::move(query);
    request.body = std::move(body);
    request.content_type = request.body.empty() ? "" : "application/json";
    request.token = tokens.contains(who) ? tokens[who] : who;
    request.if_match = std::move(if_match);
    request.client_address = "127.0.0.1";
    return api.answer(request);
  }
  static json::object parse(const Response& response) {
    boost::system::error_code code;
    auto value = json::parse(response.body, code);
    EXPECT_FALSE(code) << response.body;
    return value.is_object() ? value.get_object() : json::object{};
  }

  ManualClock clock;
  std::unique_ptr<store::State> state = std::move(*store::State::open({}, store::Durable::process));
  identity::Directory directory;
  identity::TokenAuthenticator authenticator{directory};
  Connections connections;
  review::Reviews reviews{clock, state->reviews,
                          [this](std::string_view name) { return directory.current()->find(name); }, nullptr};
  FakeSessions sessions;
  FakePolicy policy;
  FakeRecord record;
  FakeTester tester;
  FakeAudit audit;
  FakeSettings settings;
  FakeHealth health;
  int changes = 0;
  std::map<std::string, std::string> tokens;
  Control control{Parts{.clock = clock,
                        .principals = state->principals,
                        .tokens = state->tokens,
                        .connection_repository = state->connections,
                        .authenticator = authenticator,
                        .directory = directory,
                        .connections = connections,
                        .reviews = reviews,
                        .review_repository = state->reviews,
                        .sessions = sessions,
                        .policy = policy,
                        .record = record,
                        .tester = tester,
                        .audit = audit,
                        .settings = settings,
                        .health = health,
                        .changed = [this] { ++changes; },
                        .systems = {"postgres"},
                        .version = "test"}};
  Api api{control};
};

inline constexpr const char* kDocs =
    R"({"name":"docs","host":"db.example","database":"app","roles":[{"alias":"reader","upstream_user":"app_ro",)"
    R"("groups":["rag"],"credential":{"kind":"file","reference":"app_ro"}}]})";

}  // namespace sluice::admin::testing
