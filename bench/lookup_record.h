// For benchmarks: a record in a temporary folder, and what is recorded in it: pgbench's lookup, permitted.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "record/log.h"

namespace sluice::record {

struct LookupRecord {
  // Sessions 1 to `sessions` have begun.
  explicit LookupRecord(std::uint64_t sessions) {
    initialise_crypto();
    std::string name = (std::filesystem::temp_directory_path() / "sluice-bench-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder = name;
    auto opened = Log::open({.folder = folder / "record", .shard = 1, .key = make_signing_key()}, clock);
    if (!opened) std::abort();
    log = std::move(*opened);
    auto principal = std::make_shared<Principal>();
    principal->name = "svc-rag";
    for (std::uint64_t s = 1; s <= sessions; ++s) {
      if (!log->session_start({.id = SessionId{s}, .principal = principal, .connection = "docs"}))
        std::abort();
    }
    ruling.effect = Ruling::Effect::permit;
    ruling.rules = {"members-may-fetch", "top-k", "hide-identity-fields"};
    ruling.obligations.masks = std::make_shared<MaskSet>();
    ruling.policy_version = 1;
  }
  ~LookupRecord() {
    log.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  LookupRecord(const LookupRecord&) = delete;
  LookupRecord& operator=(const LookupRecord&) = delete;

  static std::shared_ptr<Operation> lookup(std::string text) {
    auto operation = std::make_shared<Operation>();
    operation->system = "postgres";
    operation->verb = Verb::fetch;
    operation->statement_class = "SELECT";
    operation->collections = {
        {.name = "public.pgbench_accounts", .output_fields = {"abalance"}, .tested_fields = {"aid"}}};
    operation->text = std::move(text);
    return operation;
  }

  SystemClock clock;
  std::filesystem::path folder;
  std::unique_ptr<Log> log;
  Ruling ruling;
};

}  // namespace sluice::record
