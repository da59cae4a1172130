// NoteReader: the signed notes of a file, one after the other and a piece of the file at a time: a gateway in
// use for years has written millions.
//
//   TRY(auto notes, NoteReader::open(shard / kCheckpointsName));       // Errc::not_found: there is none
//   for (;;) { TRY(auto note, notes.next()); if (!note) break; ... }   // views: until the next call
//
// Not thread-safe; may run beside the writer, whose unfinished last note is not returned.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/disk.h"

namespace sluice::record {

class NoteReader {
 public:
  static Result<NoteReader> open(const std::filesystem::path& path);

  // nullopt: there is no further whole note.
  Result<std::optional<std::string_view>> next();
  std::uint64_t bytes() const { return bytes_; }  // of the notes so far
  std::uint64_t file_bytes() const { return file_bytes_; }

 private:
  Result<void> fill();

  File file_;
  std::uint64_t file_bytes_ = 0;  // when it was opened; what came later is not read
  std::uint64_t offset_ = 0;      // of the file, behind the buffer
  std::string buffer_;
  std::vector<std::string_view> notes_;  // whole ones in the buffer
  std::size_t at_ = 0;                   // in notes_
  std::uint64_t bytes_ = 0;
};

// The end of a file of notes: the last note that `wanted` accepts, and how many bytes of the file are whole
// notes. Reads backwards, no more than it takes and at most 64 MiB; Errc::malformed when there is no
// note in them, Errc::not_found when there is no file.
struct LastNote {
  std::optional<std::string> note;
  std::uint64_t whole_bytes = 0;
};
Result<LastNote> find_last_note(const std::filesystem::path& path,
                                const std::function<bool(std::string_view)>& wanted);

}  // namespace sluice::record
