// For the tests of the record: a folder that goes away, and examples of everything that is recorded.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "record/log.h"
#include "record/note.h"
#include "record/record_ids.h"
#include "record/reply_sample.h"
#include "record/verifier.h"

namespace sluice::record::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-record-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline const SigningKey& test_key() {
  static const SigningKey key = [] {
    initialise_crypto();
    return make_signing_key();
  }();
  return key;
}

inline Digest digest_of(std::string_view text) {
  return sha256(as_bytes(text));
}

inline SessionFacts example_session(std::uint64_t id) {
  auto principal = std::make_shared<Principal>();
  principal->name = "ana";
  principal->kind = PrincipalKind::human;
  principal->groups = {"rag", "support"};
  principal->roles = {"auditor"};
  principal->claims = {{"department", "support"}, {"email", "ana@example.org"}};
  principal->epoch = 3;
  return {.id = SessionId{id},
          .principal = principal,
          .connection = "docs",
          .system = "postgres",
          .role = "reader",
          .upstream_user = "docs_reader",
          .database = "kb",
          .client_address = "127.0.0.1",
          .client_port = 50123,
          .client_name = "psql",
          .token_id = "tok12345",
          .tls = true,
          .started = WallTime{std::chrono::seconds{1767225600}}};
}

inline std::shared_ptr<Operation> example_operation(std::string text =
                                                        "SELECT id, title FROM docs ORDER BY embedding "
                                                        "<-> $1 LIMIT 10") {
  auto op = std::make_shared<Operation>();
  op->system = "postgres";
  op->verb = Verb::search;
  op->statement_class = "SELECT";
  op->collections = {{.name = "public.docs",
                      .access = Access::read,
                      .output_fields = {"id", "title"},
                      .tested_fields = {"embedding"}}};
  op->searches = {{.collection = "public.docs", .field = "embedding", .metric = "l2"}};
  op->records.max = 10;
  op->text = std::move(text);
  op->fingerprint = 0x1234567890abcdef;
  return op;
}

inline Ruling example_ruling() {
  auto masks = std::make_shared<MaskSet>();
  masks->id = 77;
  masks->fields = {
      {.collection = "*", .field = "email", .mask = Mask::redact, .rule = "hide-identity-fields"}};
  masks->vectors = {{.collection = "*", .rule = "hide-vectors"}};
  masks->detects = {{.collection = "public.docs", .detectors = {"phone"}, .rule = "hide-identity-fields"}};
  Ruling ruling;
  ruling.effect = Ruling::Effect::permit;
  ruling.obligations.masks = masks;
  ruling.obligations.max_records = 100;
  ruling.obligations.bound_rule = "top-k";
  ruling.rules = {"rag-may-search", "top-k", "hide-identity-fields"};
  ruling.shadow = {"stricter: deny"};
  ruling.budgets = {"rag-may-search"};
  ruling.policy_version = 4;
  return ruling;
}

inline VerifierKey test_verifier_key() {
  return verifier_key("sluice", test_key().public_key);
}

inline VerifyReport verify(const std::filesystem::path& folder, std::vector<std::string> known = {}) {
  auto key = test_verifier_key();
  return verify_record(folder, std::span{&key, 1}, known);
}

inline LogOptions small_log(const std::filesystem::path& folder, std::uint16_t shard = 0) {
  return {.folder = folder, .shard = shard, .key = test_key(), .segment_bytes = kMinSegmentBytes};
}

// A log in use, as one worker of the gateway has it.
class Scribe {
 public:
  explicit Scribe(const std::filesystem::path& folder) : Scribe(small_log(folder)) {}
  explicit Scribe(LogOptions options) {
    auto opened = Log::open(std::move(options), clock);
    if (!opened) ADD_FAILURE() << opened.error().message();
    log = opened ? std::move(*opened) : nullptr;
  }

  void start_session(std::uint64_t id) {
    auto receipt = log->session_start(example_session(id));
    ASSERT_TRUE(receipt) << receipt.error().message();
  }
  Result<Receipt> intent(std::uint64_t session, std::uint64_t operation) {
    clock.advance(std::chrono::milliseconds{1});
    return log->intent({.session = SessionId{session},
                        .operation = OperationId{operation},
                        .op = op,
                        .ruling = &ruling,
                        .policy_digest = digest_of("policy"),
                        .limit = 10,
                        .params_digest = digest_of("params")});
  }
  Result<Receipt> outcome(std::uint64_t session, std::uint64_t operation) {
    clock.advance(std::chrono::milliseconds{1});
    return log->outcome({.session = SessionId{session},
                         .operation = OperationId{operation},
                         .records = 10,
                         .bytes = 4000,
                         .reply_digest = digest_of("reply"),
                         .duration = std::chrono::milliseconds{1}});
  }
  void run(std::uint64_t session, std::uint64_t first, std::uint64_t count) {
    for (auto n = first; n < first + count; ++n) {
      auto began = intent(session, n);
      ASSERT_TRUE(began) << began.error().message();
      auto ended = outcome(session, n);
      ASSERT_TRUE(ended) << ended.error().message();
    }
  }
  void checkpoint() {
    log->request_checkpoint();
    log->tick();
    auto written = log->maintain();
    ASSERT_TRUE(written) << written.error().message();
  }

  ManualClock clock;
  std::shared_ptr<const Operation> op = example_operation();
  Ruling ruling = example_ruling();
  std::unique_ptr<Log> log;
};

}  // namespace sluice::record::testing
