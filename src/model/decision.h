// Decision: the gate's answer to one operation, and the obligations that come with a permit.
//
// A decision is a record, not a bool: it names the rules that made it, so that the record, the client and
// `sluice policy explain` all show the same reason.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "model/ids.h"

namespace sluice {

// Masks by strength, weakest first: where several rules mask one field, the strongest wins (DESIGN §3).
// On-disk values: never renumber.
enum class Mask : std::uint8_t { partial = 1, hash = 2, constant = 3, redact = 4, remove = 5 };
std::string_view to_string(Mask mask);
std::optional<Mask> mask_from(std::string_view name);

// What a rule says about distances and ranks of a masked vector.
enum class Scores : std::uint8_t { keep = 1, rank = 2, remove = 3 };  // strongest last
// How a masked field may be tested in filters.
enum class Filters : std::uint8_t { none = 1, equality = 2 };

struct FieldMask {
  std::string collection;  // glob over collection names
  std::string field;       // column name or JSON path; glob
  Mask mask = Mask::redact;
  std::string constant;  // for Mask::constant
  bool write_allowed = false;
  bool keep_order = false;
  Filters filters = Filters::none;
  std::string rule;
};

struct VectorMask {
  std::string collection;  // glob
  Mask mask = Mask::remove;
  Scores scores = Scores::rank;
  std::string rule;
};

struct DetectMask {
  std::string collection;  // glob
  std::vector<std::string> detectors;
  Mask mask = Mask::partial;
  std::string rule;
};

// All masks in force for one principal on one connection. Immutable, shared by all operations decided under
// one policy version. `id` changes whenever the content does: rewritten statements are cached under it.
struct MaskSet {
  std::vector<FieldMask> fields;
  std::vector<VectorMask> vectors;
  std::vector<DetectMask> detects;
  std::uint64_t id = 0;
  bool empty() const { return fields.empty() && vectors.empty() && detects.empty(); }
};

enum class Over : std::uint8_t { deny = 1, clamp = 2, review = 3 };

struct Obligations {
  std::shared_ptr<const MaskSet> masks;      // never null; may be empty
  std::optional<std::uint64_t> max_records;  // the reply stops at this many; nullopt: unbounded
  Over over = Over::deny;  // what happens at max_records when the request did not say its limit
  bool clamp = false;      // rewrite the request's limit down to max_records
  std::string bound_rule;  // the rule that set max_records
};

// Why a refusal happened; closed list. On-disk values: never renumber.
enum class Reason : std::uint8_t {
  no_rule = 1,  // nothing allowed it
  denied_by_rule = 2,
  over_limit = 3,
  over_budget = 4,
  not_understood = 5,  // Verb::unknown
  masked_use = 6,      // the request cannot be answered without showing a masked value
  review_required = 7,
  review_rejected = 8,
  review_expired = 9,
  revoked = 10,
  record_unavailable = 11,
  protocol = 12,  // a message or setting that Sluice does not let through
};
std::string_view to_string(Reason reason);

struct Denial {
  Reason reason = Reason::no_rule;
  std::string rule;     // name of the deciding rule; empty when none
  std::string message;  // for the client: the operator's text, or ours
  std::string hint;
};

// What a review must find before an operation may pass.
struct ReviewTerms {
  std::string rule;
  std::vector<std::string> by;  // "group:data-security", "user:ana", "role:approver"
  std::uint32_t approvals = 1;
  std::uint32_t uses = 1;
  std::chrono::seconds valid_for{1800};
  std::chrono::seconds hold{0};  // how long a client is kept waiting before it gets the error
  bool bind_vectors = false;     // vector parameters by value (true) or by column and dimension
};

// The evaluator's full answer; the gate turns it into a Permit, a Denial or a hold.
struct Ruling {
  enum class Effect : std::uint8_t { permit = 1, deny = 2, review = 3 };  // on-disk values
  Effect effect = Effect::deny;
  Obligations obligations;           // for permit, and for review once it is approved
  Denial denial;                     // for deny
  ReviewTerms review;                // for review
  std::vector<std::string> rules;    // every enforced rule that took part, in policy order
  std::vector<std::string> shadow;   // "<rule>: <what it would have done>"
  std::vector<std::string> budgets;  // keys into the budget ledger that this operation draws on
  std::uint64_t policy_version = 0;
};

}  // namespace sluice
