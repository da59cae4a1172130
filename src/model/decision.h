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

// Masks by strength, weakest first: where several rules mask one field, the strongest wins (docs/policy.md).
// On-disk values: never renumber.
enum class Mask : std::uint8_t { partial = 1, hash = 2, constant = 3, redact = 4, remove = 5 };
std::string_view to_string(Mask mask);
std::optional<Mask> mask_from(std::string_view name);

// What a rule says about distances and ranks of a masked vector.
enum class Scores : std::uint8_t { keep = 1, rank = 2, remove = 3 };  // strongest last
// How a masked field may be tested in filters.
enum class Filters : std::uint8_t { none = 1, equality = 2 };

// The patterns in a mask are read broadly (model/pattern.h): `covers_name` for collections, `covers_path` for
// fields. Ask the lookups of MaskSet rather than the lists: they combine what several rules say.
struct FieldMask {
  std::string collection;  // glob over collection names
  std::string field;       // column name or JSON path; glob
  Mask mask = Mask::redact;
  std::string constant;                         // for Mask::constant
  std::vector<std::string> except_collections;  // globs, read narrowly: not these
  bool write_allowed = false;
  bool keep_order = false;
  Filters filters = Filters::none;
  std::string rule;
};

// Searches that could tell where a record's vector lies: so many of one principal on one record and day.
inline constexpr std::uint64_t kProbesPerDay = 50;

struct VectorMask {
  std::string collection;  // glob
  Mask mask = Mask::remove;
  Scores scores = Scores::rank;
  std::uint64_t probes = kProbesPerDay;  // a day; 0: none at all (budget/probes.h)
  std::vector<std::string> except_collections;
  std::string rule;
  bool write_allowed = false;
};

struct DetectMask {
  std::string collection;  // glob
  std::vector<std::string> detectors;
  Mask mask = Mask::partial;
  std::vector<std::string> except_collections;
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

  // What holds for one field (column or JSON path "metadata.email"), all rules combined: the strongest mask
  // wins; a permission (write, order, equality) holds only where every mask on that field gives it. `rule` is
  // the winner's.
  std::optional<FieldMask> field_mask(std::string_view collection, std::string_view field) const;
  // The same for the collection's vectors. Whether a field is a vector only the system knows.
  std::optional<VectorMask> vector_mask(std::string_view collection) const;
  // Probes of one record of the collection. A view may have its vectors, and their mask, from a collection
  // that it is not named after: then the least that any vector mask says.
  std::uint64_t probes_per_day(std::string_view collection) const;
  // Detectors that run over the collection's text fields, one entry per rule, in policy order.
  std::vector<const DetectMask*> detect_masks(std::string_view collection) const;
  // Whether any mask names this collection at all: the cheap first question.
  bool touches(std::string_view collection) const;
};

enum class Over : std::uint8_t { deny = 1, clamp = 2, review = 3 };

struct Obligations {
  std::shared_ptr<const MaskSet> masks;      // never null; may be empty
  std::optional<std::uint64_t> max_records;  // the reply stops at this many; nullopt: unbounded
  Over over = Over::deny;  // what happens at max_records when the request did not say its limit
  bool clamp = false;  // the request's limit is lowered (or one is added) to max_records before it is sent; a
                       // system that cannot do that refuses
  std::string bound_rule;     // the rule that set max_records
  std::string bound_message;  // that rule's own text for the client, when it has one
  std::string bound_hint;
};

// A quota that an operation draws on: so many records per window, for one rule, principal and connection,
// over all sessions. Made once per policy scope; drawn on in budget/ledger.h.
struct Budget {
  std::string key;            // "<rule>\n<principal>\n<connection>": the account's name, stable over restarts
  std::uint64_t account = 0;  // budget_account(key): the first 64 bits of its SHA-256
  std::string rule;
  std::uint64_t records = 0;  // per window
  std::chrono::seconds window{0};
};
// `Budget::account` for a key.
std::uint64_t budget_account(std::string_view key);

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
//
// Lifetime: `quotas` point into the policy that made the Ruling, and `source` keeps that alive; the rest is
// owned.
struct Ruling {
  enum class Effect : std::uint8_t { permit = 1, deny = 2, review = 3 };  // on-disk values
  Effect effect = Effect::deny;
  Obligations obligations;            // for permit, and for review once it is approved
  Denial denial;                      // for deny
  ReviewTerms review;                 // for review, and for a permit whose reply is bounded with Over::review
  std::vector<std::string> rules;     // every enforced rule that took part, in policy order
  std::vector<std::string> shadow;    // "<rule>: <what it would have done>"
  std::vector<std::string> budgets;   // rules whose quotas this operation draws on, as recorded
  std::vector<const Budget*> quotas;  // the same, for the ledger
  std::shared_ptr<const void> source;  // keeps what `quotas` point to
  std::uint64_t policy_version = 0;
};

}  // namespace sluice
