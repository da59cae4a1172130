// What the admin API needs from the rest of the gateway, as interfaces that the composition root plugs in.
// The API itself holds no session, no policy and no record; it asks for them here, so that it can be tested
// with fakes.
//
// Threads: every function is called on the control thread (the admin server's). They may block for local disk
// work but not for a client or an upstream; ConnectionTester is the exception and is called on a thread of
// its own. They do not throw. Text in answers is data: the API escapes it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "model/connection.h"
#include "model/ids.h"
#include "model/operation.h"

namespace sluice::admin {

// ---------------------------------------------------------------- live sessions

struct LiveSession {
  SessionId id;
  std::string principal;
  std::string connection;
  std::string system;
  std::string role;
  std::string upstream_user;
  std::string client_address;  // "127.0.0.1:51234"
  std::string client_name;
  std::string token_id;
  bool tls = false;
  WallTime started;
  std::uint64_t operations = 0;
  std::uint64_t records = 0;  // sent to the client
  std::string state;          // "idle", "active", "in review", "draining"
  std::string review;         // the review that it waits for; empty: none
};

class LiveSessions {
 public:
  virtual ~LiveSessions() = default;
  virtual std::vector<LiveSession> list() = 0;
  // Ends it at once and cancels its upstream query. Errc::not_found.
  virtual Result<void> kill(SessionId id, const std::string& reason) = 0;
};

// ---------------------------------------------------------------- policy

struct PolicyProblem {
  std::string file;
  std::uint32_t line = 0;  // from 1; 0: the file as a whole
  std::uint32_t column = 0;
  std::string severity;  // "error" or "warning"
  std::string message;
  std::string hint;
};

struct PolicyRule {
  std::string name;
  std::string file;
  std::uint32_t line = 0;
  std::string effect;  // "allow", "deny", "review", "limit", "mask", "budget"; several: comma separated
  bool shadow = false;
  std::uint64_t hits = 0;  // decisions that it took part in since the policy was loaded
};

struct PolicyState {
  std::uint64_t version = 0;
  std::string digest;  // hex
  WallTime loaded;
  std::vector<PolicyRule> rules;
  std::vector<std::string> files;
  // Of the last attempt to load; with an error the older policy stays in force. And of what it vouches for,
  // as the databases are now.
  std::vector<PolicyProblem> problems;
};

// The facts to explain a decision for; what is empty is unknown.
struct ExplainRequest {
  std::string principal;
  std::string connection;
  std::string role;
  std::string client_address;
  std::string statement;               // for connections that speak SQL: mapped to an operation
  std::optional<Operation> operation;  // or the operation itself
};

struct ExplainStep {
  std::string rule;
  bool matched = false;
  std::string reason;  // which clause did not match, or what the rule contributed
};

struct Explanation {
  std::string effect;  // "permit", "deny", "review"
  std::string rule;
  std::string message;
  std::vector<std::string>
      obligations;  // "clamp to 100 (top-k)", "redact public.docs.email (hide-identity-fields)"
  std::vector<ExplainStep> steps;  // in policy order
  std::uint64_t policy_version = 0;
};

// A function of the connection's database that is not the server's own.
struct ListedFunction {
  std::string signature;  // "public.slugify(text)"
  std::string sha256;     // of its definition; empty: it has none of its own (an aggregate), or is not there
  std::string language;
  bool is_volatile = false;
  std::string extension;
  // "known" (the gateway knows what it does), "vouched", "not vouched", "changed" (the policy vouches for
  // another definition), "missing" (it vouches for one that is not there)
  std::string state;
};

// Something that was called otherwise, and is masked under that name too.
struct FormerName {
  std::string database;
  std::string now;     // "public.docs" or "public.docs.contact"
  std::string former;  // "archive.docs" or "email"
};

class PolicyControl {
 public:
  virtual ~PolicyControl() = default;
  virtual PolicyState current() = 0;
  // Reads the folder again. An error in it keeps the older policy: then `problems` says why and the answer is
  // an Error.
  virtual Result<PolicyState> reload() = 0;
  // Checks one policy file's text without loading it.
  virtual std::vector<PolicyProblem> validate(const std::string& text) = 0;
  virtual Result<Explanation> explain(const ExplainRequest& request) = 0;
  // By signature. Errc::conflict: nobody has used the connection yet, so its catalogue is not known.
  virtual Result<std::vector<ListedFunction>> functions(const Connection& connection) = 0;
  // By what they are called now.
  virtual std::vector<FormerName> former_names(const Connection& connection) = 0;
  // Masks hold no more because of what this was called before. Errc::not_found: it has no former name.
  virtual Result<void> forget_names(const Connection& connection, std::string_view now) = 0;
  virtual std::string schema() = 0;  // JSON Schema of policy files
};

// ---------------------------------------------------------------- record

// All conditions hold together; empty means any.
struct RecordFilter {
  std::string principal;
  std::string connection;
  std::string collection;
  std::string verb;
  std::string decision;  // "permit", "deny", "review"
  std::string text;      // full-text query over statements
  std::string record_id;
  std::string session;
  std::optional<WallTime> from;
  std::optional<WallTime> to;
  std::string cursor;  // opaque, from the page before
  std::size_t limit = 100;
};

// JSON objects as text, made by the record layer, which owns their form; the API passes them on as they are.
struct RecordPage {
  std::vector<std::string> items;
  std::string next_cursor;  // empty: that was all
};

// One log of the record: an append-only Merkle tree with signed checkpoints.
struct RecordShard {
  std::uint16_t shard = 0;
  std::string log_id;  // hex
  std::uint64_t segments = 0;
  std::uint64_t entries = 0;
  std::uint64_t signed_entries = 0;  // under the last checkpoint
  std::string signed_root;           // of these, base64 as in the checkpoint; empty: nothing is signed yet
};

struct RecordStatus {
  bool writable = false;
  std::string problem;  // why not
  std::string dir;
  std::string durability;
  std::uint64_t segments = 0;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::string public_key;           // a verifier key: "sluice+<id>+<base64>"
  std::vector<RecordShard> shards;  // the control plane's first, then one of each worker
};

struct VerifyReport {
  bool intact = false;
  std::uint64_t segments = 0;
  std::uint64_t entries = 0;
  std::uint64_t unfinished = 0;  // operations without an outcome
  std::vector<std::string> problems;
};

class RecordQuery {
 public:
  virtual ~RecordQuery() = default;
  virtual Result<RecordPage> search(const RecordFilter& filter) = 0;    // operations, newest first
  virtual Result<RecordPage> sessions(const RecordFilter& filter) = 0;  // recorded sessions, newest first
  virtual Result<std::string> session(SessionId id) = 0;                // one session, JSON object
  // Every entry of a session in order: JSON objects, from `cursor` on.
  virtual Result<RecordPage> replay(SessionId id, const std::string& cursor, std::size_t limit) = 0;
  // The control plane's entries, newest first; `kind` as the record names them, empty: all.
  virtual Result<RecordPage> events(const std::string& kind, const std::string& cursor,
                                    std::size_t limit) = 0;
  // A bundle that proves itself to someone with the public key only: JSON text.
  virtual Result<std::string> export_session(SessionId id) = 0;
  virtual Result<VerifyReport> verify() = 0;
  virtual RecordStatus status() = 0;
};

// ---------------------------------------------------------------- connections

struct ConnectionTest {
  bool ok = false;
  std::string server_version;
  std::string problem;
  std::chrono::milliseconds took{0};
};

// What a role of the database may do that no client needs, as statements that take it away.
struct RoleAdvice {
  struct Statement {
    std::string statement;
    std::string reason;
  };
  std::string user;     // of the database
  std::string problem;  // why it could not be looked at; empty: it was
  std::vector<Statement> statements;
};

class ConnectionTester {
 public:
  virtual ~ConnectionTester() = default;
  // Logs in with each role's credential, and reads what the role may do. As `test` otherwise.
  virtual std::map<std::string, RoleAdvice> advise(const Connection& connection) = 0;
  // Dials, logs in with each role's credential and hangs up. Called on a thread of its own; bounded in time.
  virtual std::map<std::string, ConnectionTest> test(const Connection& connection) = 0;  // by role alias
};

// ---------------------------------------------------------------- audit

// What the record has entries of its own for, beside the general one.
struct TokenFacts {
  bool revoked = false;  // false: issued
  std::string id;
  std::string principal;
  std::string label;
  std::optional<WallTime> expires;
};
struct VoteFacts {
  std::string review;
  bool approve = false;
  bool final = false;  // the vote decides; false: more are needed
  std::string comment;
};
using AuditFacts = std::variant<std::monostate, TokenFacts, VoteFacts>;

// One change made over the API, before it takes effect. `before` and `after` are JSON objects without
// secrets.
struct AuditEntry {
  WallTime at;
  std::string actor;     // principal name
  std::string token_id;  // with which token
  std::string client_address;
  std::string action;  // "token.create", "connection.update", "review.approve"
  std::string target;  // "connection:docs"
  std::string before;
  std::string after;
  AuditFacts facts;
};

class AuditSink {
 public:
  virtual ~AuditSink() = default;
  // Durable when it answers. An Error stops the change.
  virtual Result<void> report(const AuditEntry& entry) = 0;
};

// ---------------------------------------------------------------- settings

class SettingsView {
 public:
  virtual ~SettingsView() = default;
  virtual std::string effective_json() = 0;  // without secrets
};

// Gateway facts for /status, /readyz.
struct Readiness {
  bool ready = false;
  std::vector<std::string> problems;
};

class Health {
 public:
  virtual ~Health() = default;
  virtual Readiness readiness() = 0;
};

}  // namespace sluice::admin
