#include "record/note.h"

#include <algorithm>
#include <charconv>

#include "core/encoding.h"

namespace sluice::record {
namespace {

constexpr std::string_view kSignatureLine = "\u2014 ";  // em dash and space: signed-note
constexpr std::uint8_t kEd25519 = 0x01;                 // signed-note's signature type

// The next line without its line feed; nullopt when no whole line is left.
std::optional<std::string_view> take_line(std::string_view& text) {
  auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Decimal without sign or leading zeros: one number, one form.
std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || (text.size() > 1 && text[0] == '0')) {
    return std::nullopt;
  }
  return value;
}

bool is_signed_by(std::string_view body, std::string_view signatures, const VerifierKey& key) {
  bool found = false;
  while (!signatures.empty()) {
    auto line = take_line(signatures);
    if (!line || !take_prefix(*line, kSignatureLine)) return false;
    auto space = line->find(' ');
    if (space == std::string_view::npos) return false;
    auto raw = from_base64(line->substr(space + 1));
    if (!raw || raw->size() < 4) return false;
    bool ours = line->substr(0, space) == key.name && std::equal(key.id.begin(), key.id.end(), raw->begin());
    if (!ours) continue;  // another party's, a witness's for example
    if (!verify_signature(key.key, as_bytes(body), Bytes{*raw}.subspan(4))) return false;
    found = true;
  }
  return found;
}

}  // namespace

VerifierKey verifier_key(std::string name, Bytes public_key) {
  VerifierKey out{.name = std::move(name)};
  std::copy_n(public_key.begin(), std::min(public_key.size(), out.key.size()), out.key.begin());
  std::string id = out.name;
  id.push_back('\n');
  id.push_back(static_cast<char>(kEd25519));
  id.append(as_text(out.key));
  auto hash = sha256(as_bytes(id));
  std::copy_n(hash.begin(), 4, out.id.begin());
  return out;
}

std::string format_verifier_key(const VerifierKey& key) {
  std::string typed(1, static_cast<char>(kEd25519));
  typed.append(as_text(key.key));
  return fmt::format("{}+{}+{}", key.name, to_hex(key.id), to_base64(as_bytes(typed)));
}

Result<VerifierKey> parse_verifier_key(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  auto first = text.find('+');
  auto second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (first == 0 || second == std::string_view::npos) {
    return fail(Errc::malformed, "a verifier key is <name>+<key id>+<key>");
  }
  auto raw = from_base64(text.substr(second + 1));
  if (!raw || raw->size() != 33 || raw->front() != kEd25519) {
    return fail(Errc::malformed, "the verifier key does not hold an Ed25519 key");
  }
  auto key = verifier_key(std::string{text.substr(0, first)}, Bytes{*raw}.subspan(1));
  if (to_hex(key.id) != text.substr(first + 1, second - first - 1)) {
    return fail(Errc::malformed, "the verifier key's id does not fit its key");
  }
  return key;
}

std::string format_origin(std::string_view name, Bytes log_id, std::uint16_t shard) {
  return fmt::format("{}/{}/shard-{:04}", name, to_hex(log_id), shard);
}

std::string sign_checkpoint(const Checkpoint& checkpoint, std::string_view name, const SigningKey& key) {
  auto body = fmt::format("{}\n{}\n{}\ntime {}\nsegment {}\n", checkpoint.origin, checkpoint.size,
                          to_base64(checkpoint.root), checkpoint.time, checkpoint.segment);
  auto signature = sign(key, as_bytes(body));
  std::string typed{as_text(verifier_key(std::string{name}, key.public_key).id)};
  typed.append(as_text(signature));
  return fmt::format("{}\n{}{} {}\n", body, kSignatureLine, name, to_base64(as_bytes(typed)));
}

Result<Checkpoint> parse_checkpoint(std::string_view note) {
  auto end = note.find("\n\n");
  if (note.size() > kMaxNoteBytes || end == std::string_view::npos) {
    return fail(Errc::malformed, "a checkpoint is a signed note");
  }
  auto body = note.substr(0, end + 1);
  auto rest = body;
  auto origin = take_line(rest);
  auto size = take_line(rest);
  auto root = take_line(rest);
  auto time = take_line(rest);
  auto segment = take_line(rest);
  if (!segment || !rest.empty() || origin->empty() || !take_prefix(*time, "time ") ||
      !take_prefix(*segment, "segment ")) {
    return fail(Errc::malformed, "a checkpoint has five lines: origin, size, root, time, segment");
  }
  auto count = parse_decimal(*size);
  auto in_segment = parse_decimal(*segment);
  auto hash = from_base64(*root);
  if (!count || !in_segment || !hash || hash->size() != Digest{}.size()) {
    return fail(Errc::malformed, "a checkpoint's size, root or segment is not one");
  }
  Checkpoint out{
      .origin = std::string{*origin}, .size = *count, .time = std::string{*time}, .segment = *in_segment};
  std::copy(hash->begin(), hash->end(), out.root.begin());
  return out;
}

Result<Checkpoint> open_checkpoint(std::string_view note, const VerifierKey& key) {
  TRY(auto checkpoint, parse_checkpoint(note));
  const auto end = note.find("\n\n");
  if (!is_signed_by(note.substr(0, end + 1), note.substr(end + 2), key)) {
    return fail(Errc::forbidden, "checkpoint {} is not signed by {}", checkpoint.size, key.name);
  }
  return checkpoint;
}

NoteFile split_notes(std::string_view file) {
  NoteFile out;
  while (!file.empty()) {
    auto blank = file.find("\n\n");
    if (blank == std::string_view::npos) break;
    auto rest = file.substr(blank + 2);
    std::size_t signatures = 0;
    while (rest.starts_with(kSignatureLine) && take_line(rest)) ++signatures;
    if (signatures == 0 || rest.starts_with(kSignatureLine))
      break;  // none, or the last one lacks its line feed
    auto length = file.size() - rest.size();
    out.notes.push_back(file.substr(0, length));
    file.remove_prefix(length);
  }
  out.unfinished = file;
  return out;
}

}  // namespace sluice::record
