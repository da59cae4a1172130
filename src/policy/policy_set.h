// PolicySet: a whole policy, read and checked, immutable from then on.
//
//   auto loaded = load_folder("/etc/sluice/policy", version);
//   for (auto& p : loaded.problems) report(to_string(p));
//   if (loaded.policy) swap it in;                       // null when there was any error: keep the old one
//
// A policy is a folder of *.yaml files, taken in order of their names. Rules keep that order; it decides
// nothing but which of several equal answers is named first. The language is described in docs/policy.md.
//
// Thread-safe once loaded. Sessions do not evaluate a PolicySet: they compile a Scope from it
// (policy/scope.h), which keeps it alive.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto.h"
#include "policy/problem.h"

namespace sluice::policy {

struct Rule;         // policy/rule.h
class MaskInterner;  // policy/mask_sets.h
class RuleHits;      // policy/rule_hits.h

// A policy of this size is read in a fraction of a second; more is a mistake or an attack.
inline constexpr std::size_t kMaxFiles = 256;
inline constexpr std::size_t kMaxFileBytes = 1u << 20;
inline constexpr std::size_t kMaxRules = 10'000;

// A rule as people see it: in the UI, in `sluice policy explain`, in the API.
struct RuleSummary {
  std::string name;
  std::string description;
  std::string file;
  std::uint32_t line = 0;
  std::string effects;  // "allow up to 5000 records, budget 20000 per 1h"
  std::string text;     // the rule's own lines of YAML
  bool shadow = false;
  std::uint64_t hits = 0;  // decisions that it took part in since this policy was loaded
};

class PolicySet {
 public:
  ~PolicySet();
  PolicySet(const PolicySet&) = delete;
  PolicySet& operator=(const PolicySet&) = delete;

  std::uint64_t version() const { return version_; }  // given by the loader's caller; rises with each load
  const Digest& digest() const { return digest_; }    // over names and bytes of all files
  const std::vector<Rule>& rules() const { return rules_; }
  std::vector<RuleSummary> summaries() const;
  const Rule* find(std::string_view name) const;

  // Functions ("schema.name") and definitions ("schema.name(types)#<SHA-256>") that operators vouch for on
  // this connection, sorted, without duplicates. An operation that calls any other function outside of the
  // systems' own lists is denied; while masks are in force, only definitions count.
  std::vector<std::string> vouched_functions(std::string_view connection) const;

  // Whether a rule masks something of it for somebody; shadow rules do not.
  bool masks_on(std::string_view connection) const;

  // For scope.cc: sessions with equal masks share one MaskSet, and every decision counts its rules, by their
  // number in rules().
  MaskInterner& masks() const { return *masks_; }
  RuleHits& hits() const { return *hits_; }

 private:
  friend struct PolicyLoader;
  PolicySet();

  struct Vouch;
  std::uint64_t version_ = 0;
  Digest digest_{};
  std::vector<Rule> rules_;
  std::vector<Vouch> vouches_;
  std::map<std::string, std::string, std::less<>> texts_;
  std::unique_ptr<MaskInterner> masks_;
  std::unique_ptr<RuleHits> hits_;
};

struct Loaded {
  std::shared_ptr<const PolicySet> policy;  // null: there were errors
  std::vector<Problem> problems;            // may hold warnings beside a policy
};

// Reads *.yaml of `folder`, not below it. A file that ends in .yml is an error rather than overlooked; hidden
// files are skipped (a Kubernetes ConfigMap is a folder of links beside hidden ones).
Loaded load_folder(const std::filesystem::path& folder, std::uint64_t version);
// The same from texts by file name.
Loaded load_texts(const std::map<std::string, std::string>& texts, std::uint64_t version);

}  // namespace sluice::policy
