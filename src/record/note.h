// Checkpoints: signed statements of how large the log is and what its root hash is, in the C2SP forms
// (https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint), so that any witness or verifier of those
// can read them.
//
//   sluice/9f2c…/shard-0001
//   1523
//   <root hash, base64>
//   time 2026-01-01T00:00:00.000Z
//   segment 3
//
//   — sluice <base64 of key id and Ed25519 signature>
//
// The public key travels as a verifier key, "sluice+<key id, 8 hex>+<base64 of 0x01 and the key>".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/crypto.h"
#include "core/result.h"

namespace sluice::record {

inline constexpr std::size_t kMaxNoteBytes = 4096;  // ours are about 300; with room for witnesses' signatures

struct Checkpoint {
  std::string origin;  // "<name>/<log id>/shard-<n>"
  std::uint64_t size = 0;
  Digest root{};
  std::string time;           // RFC 3339
  std::uint64_t segment = 0;  // the one in use
  bool operator==(const Checkpoint&) const = default;
};

struct VerifierKey {
  std::string name;
  std::array<std::uint8_t, 4> id{};
  std::array<std::uint8_t, 32> key{};
};

VerifierKey verifier_key(std::string name, Bytes public_key);
std::string format_verifier_key(const VerifierKey& key);
Result<VerifierKey> parse_verifier_key(std::string_view text);

std::string format_origin(std::string_view name, Bytes log_id, std::uint16_t shard);
std::string sign_checkpoint(const Checkpoint& checkpoint, std::string_view name, const SigningKey& key);

// What a note says, whoever may have signed it. Errc::malformed: not a checkpoint.
Result<Checkpoint> parse_checkpoint(std::string_view note);
// Errc::malformed: not a checkpoint. Errc::forbidden: not signed by `key`.
Result<Checkpoint> open_checkpoint(std::string_view note, const VerifierKey& key);

// Cuts a file of notes, one after the other, apart. `unfinished` is what follows the last whole note: a note
// that a killed writer did not complete.
struct NoteFile {
  std::vector<std::string_view> notes;
  std::string_view unfinished;
};
NoteFile split_notes(std::string_view file);

}  // namespace sluice::record
