#include "record/note_reader.h"

#include <gtest/gtest.h>

#include <fstream>

#include "record/note.h"
#include "record/testing.h"

namespace sluice::record {
namespace {

using namespace testing;

std::string note_of(std::uint64_t size, const SigningKey& key = test_key()) {
  return sign_checkpoint(
      {.origin = "sluice/00/shard-0001", .size = size, .root = digest_of("root"), .time = "T", .segment = 1},
      "sluice", key);
}

class NoteReaderTest : public ::testing::Test {
 protected:
  void write(std::string_view text) {
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
  }
  std::vector<std::string> read() {
    std::vector<std::string> all;
    auto reader = NoteReader::open(path);
    EXPECT_TRUE(reader) << reader.error().message();
    for (;;) {
      auto note = reader->next();
      EXPECT_TRUE(note) << note.error().message();
      if (!note || !*note) break;
      all.emplace_back(**note);
    }
    bytes = reader->bytes();
    return all;
  }
  Result<LastNote> last_by(const SigningKey& key) {
    const auto verifier = verifier_key("sluice", key.public_key);
    return find_last_note(path,
                          [&](std::string_view note) { return open_checkpoint(note, verifier).has_value(); });
  }

  TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "checkpoints";
  std::uint64_t bytes = 0;
};

TEST_F(NoteReaderTest, AFileOfManyPiecesLosesNothing) {
  // A second signature on each, so that pieces also end between signatures. The signatures need not be right.
  const auto one = note_of(7) + "\u2014 witness.example AAAA\n";
  std::string file;
  std::size_t count = 0;
  while (file.size() < (3u << 20)) {
    file += one;
    ++count;
  }
  for (const std::size_t torn : {std::size_t{0}, std::size_t{1}, one.size() / 2}) {
    write(file + one.substr(0, torn));
    const auto notes = read();
    ASSERT_EQ(notes.size(), count);
    EXPECT_TRUE(std::ranges::all_of(notes, [&](const auto& note) { return note == one; }));
    EXPECT_EQ(bytes, file.size());
  }
}

TEST_F(NoteReaderTest, WhatIsNoNoteEndsIt) {
  write(note_of(1) + std::string(5u << 20, 'x'));
  EXPECT_EQ(read().size(), 1u);
  write("");
  EXPECT_TRUE(read().empty());
  EXPECT_EQ(NoteReader::open(folder.path() / "none").error().code, Errc::not_found);
}

TEST_F(NoteReaderTest, TheLastOneIsFoundFromTheEnd) {
  const auto other = make_signing_key();
  std::string file = note_of(1) + note_of(2);
  const auto theirs = note_of(3, other);
  while (file.size() < (2u << 20)) file += theirs;
  write(file + theirs.substr(0, 20));
  const auto mine = last_by(test_key());  // far before the last piece
  ASSERT_TRUE(mine && mine->note);
  EXPECT_EQ(*mine->note, note_of(2));
  EXPECT_EQ(mine->whole_bytes, file.size());
  EXPECT_EQ(*last_by(other)->note, theirs);
  const auto nobody = last_by(make_signing_key());
  ASSERT_TRUE(nobody);
  EXPECT_FALSE(nobody->note);
  EXPECT_EQ(nobody->whole_bytes, file.size());
}

// A file that was made huge (without taking any room) is not read into memory.
TEST_F(NoteReaderTest, AnEndWithoutNotesIsNotReadForEver) {
  write(note_of(7));
  std::filesystem::resize_file(path, std::uint64_t{1} << 40);
  const auto last = last_by(test_key());
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, Errc::malformed);
}

}  // namespace
}  // namespace sluice::record
