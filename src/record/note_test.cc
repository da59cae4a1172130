#include "record/note.h"

#include <gtest/gtest.h>

#include "core/encoding.h"
#include "record/testing.h"

namespace sluice::record {
namespace {

using namespace testing;

Checkpoint example_checkpoint() {
  return {.origin = "sluice/00112233445566778899aabbccddeeff/shard-0001",
          .size = 1523,
          .root = digest_of("root"),
          .time = "2026-01-01T00:00:00.000Z",
          .segment = 3};
}

// The key of Go's checksum database: the best known log that speaks these forms.
TEST(Note, KeyIdsAreThoseOfC2sp) {
  auto key = parse_verifier_key("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8");
  ASSERT_TRUE(key) << key.error().message();
  EXPECT_EQ(key->name, "sum.golang.org");
  EXPECT_EQ(to_hex(key->id), "033de0ae");
}

TEST(Note, SignedCheckpointsOpen) {
  auto note = sign_checkpoint(example_checkpoint(), "sluice", test_key());
  auto opened = open_checkpoint(note, test_verifier_key());
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(*opened, example_checkpoint());
}

TEST(Note, OtherKeysAndNamesDoNotOpen) {
  auto note = sign_checkpoint(example_checkpoint(), "sluice", test_key());
  EXPECT_EQ(open_checkpoint(note, verifier_key("sluice", make_signing_key().public_key)).error().code,
            Errc::forbidden);
  EXPECT_EQ(open_checkpoint(note, verifier_key("other", test_key().public_key)).error().code,
            Errc::forbidden);
}

TEST(Note, AnyChangedByteIsRefused) {
  auto note = sign_checkpoint(example_checkpoint(), "sluice", test_key());
  for (std::size_t i = 0; i < note.size(); ++i) {
    auto changed = note;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(open_checkpoint(changed, test_verifier_key())) << i;
    EXPECT_FALSE(open_checkpoint(std::string_view{note}.substr(0, i), test_verifier_key())) << i;
  }
}

TEST(Note, WitnessesMayAddTheirSignatures) {
  auto note = sign_checkpoint(example_checkpoint(), "sluice", test_key());
  auto witness = make_signing_key();
  auto theirs = sign_checkpoint(example_checkpoint(), "witness.example", witness);
  note += theirs.substr(theirs.find("\n\n") + 2);
  EXPECT_TRUE(open_checkpoint(note, test_verifier_key()));
  EXPECT_TRUE(open_checkpoint(note, verifier_key("witness.example", witness.public_key)));
  EXPECT_EQ(split_notes(note).notes.size(), 1u);
}

TEST(Note, FilesOfNotesComeApart) {
  auto one = sign_checkpoint(example_checkpoint(), "sluice", test_key());
  auto second = example_checkpoint();
  second.size = 1600;
  auto two = sign_checkpoint(second, "sluice", test_key());
  auto file = one + two;
  auto parts = split_notes(file);
  ASSERT_EQ(parts.notes.size(), 2u);
  EXPECT_EQ(parts.notes[0], one);
  EXPECT_EQ(parts.notes[1], two);
  EXPECT_TRUE(parts.unfinished.empty());
  for (std::size_t cut = 1; cut < two.size(); ++cut) {
    auto torn = split_notes(std::string_view{file}.substr(0, one.size() + cut));
    ASSERT_EQ(torn.notes.size(), 1u) << cut;
    EXPECT_EQ(torn.unfinished.size(), cut);
  }
}

TEST(Note, VerifierKeysAreStrict) {
  auto text = format_verifier_key(test_verifier_key());
  auto key = parse_verifier_key(text + "\n");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->key, test_verifier_key().key);
  for (auto wrong :
       {std::string{}, std::string{"sluice"}, "x" + text, text.substr(0, text.size() - 4), text + "AAAA"}) {
    EXPECT_FALSE(parse_verifier_key(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace sluice::record
