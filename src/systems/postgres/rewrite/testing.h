// For the tests of this folder: rewriting with masks given in a line.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "systems/postgres/catalogue/testing.h"
#include "systems/postgres/rewrite/rewrite.h"

namespace sluice::postgres::rewrite::testing {

// "public.docs email redact", "public.docs city constant Springfield", "public.docs vectors keep",
// "public.docs detect"; one mask a line, rules named after the line's number ("r1"). "write" at the end of a
// line: write: allow.
MaskSet masks(std::string_view lines);

// The masks of the attack corpus: email, ssn, salary, note and embedding of public.docs.
MaskSet corpus_masks(std::string_view scores = "rank");

// Parses and rewrites one statement; hidden names are shortened to "slc".
struct Session {
  std::shared_ptr<const Catalogue> catalogue;
  std::shared_ptr<const MaskPlan> plan;
  std::vector<std::string> path{"public"};
  bool fresh = true;
  std::optional<std::uint64_t> clamp;
  bool carry = false;  // with the keys that the result lacks
  VouchOptions vouch;

  Session(std::shared_ptr<const Catalogue> with, const MaskSet& set);
  RewriteResult run(std::string_view sql) const;
  // The rewritten text; "unchanged"; "denied: <message>"; "stale: <relation>".
  std::string text(std::string_view sql) const;
  bool denies(std::string_view sql) const;
};

// A session on the corpus' catalogue with its masks.
Session corpus_session(std::string_view scores = "rank");

}  // namespace sluice::postgres::rewrite::testing
