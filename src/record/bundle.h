// A bundle: one session, exported as a file that proves itself to someone who has nothing but the public key.
//
//   TRY(auto text, export_session(folder, place, id, key));
//   TRY(auto report, verify_bundle(text, key));      // elsewhere, later
//
// It holds the session's entries in their canonical form, those that they refer to (statements, rulings,
// masks), for each a Merkle path, and a signed checkpoint that covers them. `complete` says that no entry of
// the session is left out: its end, which is among the entries, tells how many there must be. The form is
// JSON, specified in docs/record.md; `events` of the report shows what it says.
#pragma once

#include <filesystem>
#include <string>

#include "record/note.h"
#include "record/replay.h"

namespace sluice::record {

inline constexpr std::size_t kMaxBundleBytes = 256
                                               << 20;  // read back; a session of about a million operations

// Entries that no checkpoint covers yet are left out (the session is then not complete). Errc::unavailable
// when none is covered: ask again after the next checkpoint.
Result<std::string> export_session(const std::filesystem::path& folder, SessionPlace place, SessionId session,
                                   const VerifierKey& key);

struct BundleReport {
  SessionId session;
  Checkpoint checkpoint;
  std::uint64_t entries = 0;  // of the session
  bool complete = false;
  std::vector<Event> events;
};

// Errc::forbidden: the checkpoint is not signed by `key`. Errc::malformed: an entry is not what was signed,
// or the bundle is not one.
Result<BundleReport> verify_bundle(std::string_view text, const VerifierKey& key);

}  // namespace sluice::record
