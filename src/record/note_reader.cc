#include "record/note_reader.h"

#include <algorithm>
#include <functional>

#include "record/note.h"

namespace sluice::record {
namespace {

constexpr std::size_t kPiece = 1 << 20;  // some 3,000 notes, and far more than kMaxNoteBytes
static_assert(kPiece >= 16 * kMaxNoteBytes);
// Of a file's end, read at once in search of a note: three weeks of a note every ten seconds. A key that
// signed none of them is a new one.
constexpr std::uint64_t kMaxTail = 64 << 20;

Result<std::string> read_piece(const File& file, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  TRY(const auto n, read_at(file, offset, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  text.resize(n);
  return text;
}

}  // namespace

Result<NoteReader> NoteReader::open(const std::filesystem::path& path) {
  NoteReader reader;
  TRY(reader.file_, open_for_reading(path));
  TRY(reader.file_bytes_, file_size(reader.file_));
  return reader;
}

Result<void> NoteReader::fill() {
  std::size_t used = 0;
  for (const auto note : notes_) used += note.size();
  std::string rest = buffer_.substr(used);
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, file_bytes_ - offset_));
  TRY(const auto piece, read_piece(file_, offset_, size));
  offset_ += piece.size();
  if (piece.size() < size) file_bytes_ = offset_;  // cut under us: the end
  buffer_ = std::move(rest) + piece;
  auto split = split_notes(buffer_);
  // A note that ends with the piece may have further signatures behind it.
  if (offset_ < file_bytes_ && split.unfinished.empty() && !split.notes.empty()) split.notes.pop_back();
  notes_ = std::move(split.notes);
  at_ = 0;
  return {};
}

Result<std::optional<std::string_view>> NoteReader::next() {
  // A piece without a whole note is longer than any note: what follows is none.
  while (at_ == notes_.size() && offset_ < file_bytes_ && buffer_.size() < 2 * kPiece) CHECK_OK(fill());
  if (at_ == notes_.size()) return std::optional<std::string_view>{};
  const auto note = notes_[at_++];
  bytes_ += note.size();
  return std::optional{note};
}

Result<LastNote> find_last_note(const std::filesystem::path& path,
                                const std::function<bool(std::string_view)>& wanted) {
  TRY(const auto file, open_for_reading(path));
  TRY(const auto size, file_size(file));
  for (std::uint64_t window = kPiece;; window = std::min(window * 8, kMaxTail)) {
    const auto from = size > window ? size - window : 0;
    TRY(const auto text, read_piece(file, from, static_cast<std::size_t>(size - from)));
    // A window that begins inside of a note makes of it one that nobody has signed.
    const auto split = split_notes(text);
    LastNote found{.note = {}, .whole_bytes = size - split.unfinished.size()};
    const auto last = std::find_if(split.notes.rbegin(), split.notes.rend(), wanted);
    if (last != split.notes.rend()) found.note = std::string{*last};
    if (found.note || from == 0) return found;
    if (window >= kMaxTail) {
      if (!split.notes.empty()) return found;
      return fail(Errc::malformed, "the last {} bytes of {} hold no signed note", window, path.native());
    }
  }
}

}  // namespace sluice::record
