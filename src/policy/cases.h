// Cases: a file of questions to a policy and the answers that its author expects (`sluice policy test`).
//
//   cases:
//     - name: analysts may search
//       as: {principal: ana, groups: [support]}
//       connection: docs
//       operation: {verb: search, collections: [public.support_docs], records: 10}
//       expect: {effect: permit, masks: {email: redact}}
//
// An operation is given as facts, or as `sql:` text which the caller's `mapper` turns into operations;
// without a mapper such a case fails. The form is described in docs/policy.md; texts are checked as strictly
// as policies.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "model/decision.h"
#include "model/operation.h"
#include "model/session.h"
#include "policy/policy_set.h"
#include "policy/problem.h"

namespace sluice::policy {

struct Expectation {
  Ruling::Effect effect = Ruling::Effect::deny;
  std::optional<std::string> rule;  // that decided, bounds or asks for the review
  std::optional<Reason> reason;     // of a denial
  std::optional<std::uint64_t> max_records;
  std::optional<Over> over;
  std::optional<bool> clamp;
  std::optional<std::string> message;              // a part of the denial's message
  std::map<std::string, std::string> masks;        // field -> mask name or "none", on the first collection
  std::optional<std::string> vectors;              // "remove" or "none", on the first collection
  std::optional<std::vector<std::string>> shadow;  // names of shadow rules that would have acted
};

struct Case {
  std::string name;
  std::string file;
  std::uint32_t line = 0;
  SessionFacts session;
  WallTime at;
  Operation operation;  // when `sql` is empty
  std::string sql;
  std::vector<std::string> approved;  // review rules taken as approved
  Expectation expect;
};

struct ReadCases {
  std::vector<Case> cases;
  std::vector<Problem> problems;  // cases are only worth running when there is no error
};
ReadCases read_cases(std::string_view file, std::string_view text);

// One statement may be several operations; the worst ruling counts (deny, then review, then permit).
using SqlMapper = std::function<Result<std::vector<Operation>>(const SessionFacts&, std::string_view sql)>;

struct CaseResult {
  std::string name;
  std::string file;
  std::uint32_t line = 0;
  bool passed = false;
  std::string got;                    // the ruling in one line
  std::vector<std::string> failures;  // one per expectation that did not hold
};
std::vector<CaseResult> run_cases(const std::shared_ptr<const PolicySet>& policy,
                                  const std::vector<Case>& cases, const SqlMapper& mapper = {});

// For people, for prove(1) (TAP 14), and for CI servers (JUnit XML).
std::string render_text(const std::vector<CaseResult>& results);
std::string render_tap(const std::vector<CaseResult>& results);
std::string render_junit(const std::vector<CaseResult>& results);

}  // namespace sluice::policy
