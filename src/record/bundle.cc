#include "record/bundle.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "core/encoding.h"
#include "record/note_reader.h"
#include "record/recovery.h"

namespace sluice::record {
namespace {

namespace fs = std::filesystem;

// What of the log a session needs: its own entries and those that they name.
class Selection {
 public:
  explicit Selection(SessionId session) : session_(session) {}

  // False: the session is over.
  Result<bool> take(const Entry& entry, std::uint64_t segment) {
    TRY(auto payload, context_.take(entry, segment));
    auto seq = entry.header.seq;
    if (std::holds_alternative<StatementPart>(payload)) parts_.push_back(seq);
    if (const auto* statement = std::get_if<StatementEntry>(&payload)) {
      auto& needs = needs_[seq];
      needs.assign(parts_.end() - std::min<std::ptrdiff_t>(statement->parts, std::ssize(parts_)),
                   parts_.end());
      parts_.clear();
    }
    if (const auto* masks = std::get_if<MaskSetEntry>(&payload)) {
      if (masks->continues) needs_[seq] = {seq - 1};
    }
    if (const auto* ruling = std::get_if<RulingEntry>(&payload)) {
      if (ruling->mask_set) needs_[seq] = {*ruling->mask_set};
    }
    if (entry.header.session != session_) return true;
    want(seq);
    if (const auto* intent = std::get_if<IntentEntry>(&payload)) {
      want(intent->statement);
      want(intent->ruling);
    }
    if (const auto* denial = std::get_if<DenialEntry>(&payload)) {
      if (denial->statement) want(*denial->statement);
      if (denial->ruling) want(*denial->ruling);
    }
    return entry.header.kind != Kind::session_end;
  }

  const std::set<std::uint64_t>& wanted() const { return wanted_; }

 private:
  // With all that it needs in turn; references only ever go back, so this ends.
  void want(std::uint64_t seq) {
    std::vector<std::uint64_t> todo{seq};
    while (!todo.empty()) {
      auto next = todo.back();
      todo.pop_back();
      if (!wanted_.insert(next).second) continue;
      if (auto needs = needs_.find(next); needs != needs_.end()) {
        todo.insert(todo.end(), needs->second.begin(), needs->second.end());
      }
    }
  }

  SessionId session_;
  SegmentContext context_;
  std::vector<std::uint64_t> parts_;
  std::map<std::uint64_t, std::vector<std::uint64_t>> needs_;
  std::set<std::uint64_t> wanted_;
};

struct SignedNote {
  std::string text;
  Checkpoint checkpoint;
};

// What the second line of a note says, signed or not.
std::uint64_t claimed_size(std::string_view note) {
  const auto line = note.find('\n') + 1;  // 0 when there is none: not a number then either
  std::uint64_t size = 0;
  std::from_chars(note.data() + line, note.data() + note.size(), size);
  return size;
}

// The first checkpoint that covers `entries`, or the last one.
Result<SignedNote> choose_checkpoint(const fs::path& shard_folder, std::uint64_t entries,
                                     const VerifierKey& key) {
  const auto path = shard_folder / kCheckpointsName;
  TRY(auto notes, NoteReader::open(path));
  for (;;) {
    TRY(auto note, notes.next());
    if (!note) break;
    if (claimed_size(*note) < entries) continue;  // not worth looking at the signature
    auto checkpoint = open_checkpoint(*note, key);
    if (checkpoint && checkpoint->size >= entries) return SignedNote{std::string{*note}, *checkpoint};
  }
  TRY(auto last,
      find_last_note(path, [&](std::string_view note) { return open_checkpoint(note, key).has_value(); }));
  if (!last.note) return fail(Errc::unavailable, "no checkpoint is signed by this key yet");
  TRY(auto checkpoint, open_checkpoint(*last.note, key));
  return SignedNote{std::move(*last.note), std::move(checkpoint)};
}

std::string base64_text(Bytes bytes) {
  return to_base64(bytes);
}

// Reads exactly what export_session writes.
class BundleText {
 public:
  explicit BundleText(std::string_view text) : rest_(text) {}

  void literal(std::string_view expected) {
    if (rest_.starts_with(expected)) {
      rest_.remove_prefix(expected.size());
    } else {
      ok_ = false;
    }
  }
  bool next_is(std::string_view expected) const { return ok_ && rest_.starts_with(expected); }
  std::string_view quoted() {
    literal("\"");
    auto end = rest_.find('"');
    if (!ok_ || end == std::string_view::npos) {
      ok_ = false;
      return {};
    }
    auto value = rest_.substr(0, end);
    rest_.remove_prefix(end);
    literal("\"");
    return value;
  }
  ByteVector base64() {
    auto bytes = from_base64(quoted());
    if (!bytes) ok_ = false;
    return bytes ? std::move(*bytes) : ByteVector{};
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{}) ok_ = false;
    if (ok_) rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  bool ok() const { return ok_; }
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

Result<std::string> export_session(const fs::path& folder, SessionPlace place, SessionId session,
                                   const VerifierKey& key) {
  auto shard_folder = folder / shard_name(place.shard);
  Selection selection{session};
  TRY(auto reader, ShardReader::open_at(shard_folder, place.segment));
  auto before = reader.header().before;
  for (;;) {
    TRY(auto entry, reader.next());
    if (!entry) break;
    TRY(auto more, selection.take(*entry, reader.segment()));
    if (!more) break;
  }
  if (selection.wanted().empty()) {
    return fail(Errc::not_found, "session {} is not in shard {} from segment {} on", to_string(session),
                place.shard, place.segment);
  }
  TRY(auto note, choose_checkpoint(shard_folder, *selection.wanted().rbegin() + 1, key));
  const auto& checkpoint = note.checkpoint;
  if (*selection.wanted().begin() >= checkpoint.size) {
    return fail(Errc::unavailable, "no checkpoint covers session {} yet", to_string(session));
  }

  // The tree from that segment on; what came before is in the segment's header.
  ProofBuilder proofs{before};
  std::map<std::uint64_t, std::string> entries;
  TRY(auto leaves, ShardReader::open_at(shard_folder, place.segment));
  while (proofs.size() < checkpoint.size) {
    TRY(auto entry, leaves.next());
    if (!entry)
      return fail(Errc::malformed, "the log is shorter than its checkpoint at {} entries", checkpoint.size);
    bool wanted = selection.wanted().contains(entry->header.seq);
    proofs.add(leaves.leaf(), wanted);
    if (wanted) entries[entry->header.seq] = base64_text(entry->canonical);
  }
  if (proofs.finish() != checkpoint.root) {
    return fail(Errc::malformed, "the log does not have the root of its checkpoint at {} entries",
                checkpoint.size);
  }

  auto out = fmt::format(
      "{{\"sluice_bundle\":1,\n\"session\":\"{}\",\n\"key\":\"{}\",\n\"checkpoint\":\"{}\",\n\"entries\":[",
      to_string(session), format_verifier_key(key), base64_text(as_bytes(note.text)));
  bool first = true;
  for (const auto& [seq, entry] : entries) {
    out += fmt::format("{}\n{{\"seq\":{},\"entry\":\"{}\",\"path\":[", first ? "" : ",", seq, entry);
    first = false;
    bool first_hash = true;
    for (const auto& hash : proofs.paths().at(seq)) {
      out += fmt::format("{}\"{}\"", first_hash ? "" : ",", base64_text(hash));
      first_hash = false;
    }
    out += "]}";
  }
  return out + "\n]}\n";
}

Result<BundleReport> verify_bundle(std::string_view text, const VerifierKey& key) {
  if (text.size() > kMaxBundleBytes)
    return fail(Errc::too_large, "a bundle has at most {} bytes", kMaxBundleBytes);
  BundleText in{text};
  in.literal("{\"sluice_bundle\":1,\n\"session\":");
  auto session_text = std::string{in.quoted()};
  in.literal(",\n\"key\":");
  in.quoted();  // who says so; the key that counts is the caller's
  in.literal(",\n\"checkpoint\":");
  auto note = in.base64();
  in.literal(",\n\"entries\":[");
  if (!in.ok()) return fail(Errc::malformed, "this is not a bundle of a session");

  BundleReport report;
  std::uint64_t id = 0;
  auto [end, error] = std::from_chars(session_text.data(), session_text.data() + session_text.size(), id, 16);
  report.session = SessionId{id};
  if (error != std::errc{} || to_string(report.session) != session_text) {
    return fail(Errc::malformed, "this is not a bundle of a session");
  }
  TRY(report.checkpoint, open_checkpoint(as_text(note), key));

  SegmentContext context;
  std::optional<std::uint64_t> last;
  std::optional<std::uint64_t> promised;
  bool started = false;
  std::optional<std::uint16_t> shard;
  while (in.next_is(last ? ",\n{\"seq\":" : "\n{\"seq\":")) {
    in.literal(last ? ",\n{\"seq\":" : "\n{\"seq\":");
    auto seq = in.number();
    in.literal(",\"entry\":");
    auto canonical = in.base64();
    in.literal(",\"path\":[");
    InclusionPath path;
    while (in.next_is(path.empty() ? "\"" : ",\"")) {
      if (!path.empty()) in.literal(",");
      auto hash = in.base64();
      if (hash.size() != Digest{}.size() || path.size() > 64)
        return fail(Errc::malformed, "a path is not one");
      std::ranges::copy(hash, path.emplace_back().begin());
    }
    in.literal("]}");
    if (!in.ok()) return fail(Errc::malformed, "the bundle is damaged after entry {}", last.value_or(0));
    TRY(auto entry, parse_entry(canonical));
    if (entry.header.seq != seq || (last && seq <= *last) || (shard && entry.header.shard != *shard) ||
        !verify_inclusion(leaf_hash(canonical), seq, report.checkpoint.size, path, report.checkpoint.root)) {
      return fail(Errc::malformed, "entry {} is not the one that was signed", seq);
    }
    last = seq;
    shard = entry.header.shard;
    // References keep within a segment; in a bundle all seqs are of one log, so one context does for all.
    TRY(auto payload, context.take(entry, 1));
    if (entry.header.session != report.session) continue;
    ++report.entries;
    started = started || entry.header.kind == Kind::session_start;
    if (const auto* over = std::get_if<SessionEnd>(&payload)) promised = over->entries;
    TRY(auto event, describe(entry, payload, context));
    report.events.push_back(std::move(event));
  }
  in.literal("\n]}\n");
  if (!in.finished()) return fail(Errc::malformed, "the bundle is damaged after entry {}", last.value_or(0));
  report.complete = started && promised == report.entries;
  return report;
}

}  // namespace sluice::record
