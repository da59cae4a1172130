#include "proxy/pg/exchange/recorded_reply.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "core/byte_writer.h"

namespace sluice::proxy::pg {
namespace {

using namespace std::string_literals;
using wire::pg::Format;

constexpr std::uint32_t kInt4 = 23;
constexpr std::uint32_t kText = 25;

using Cells = std::vector<std::optional<std::string>>;

// The payload of a DataRow.
std::string payload(const Cells& cells) {
  std::string out;
  ByteWriter{out}.u16(static_cast<std::uint16_t>(cells.size()));
  for (const auto& cell : cells) {
    ByteWriter{out}.u32(cell ? static_cast<std::uint32_t>(cell->size()) : 0xFFFFFFFF);
    if (cell) out.append(*cell);
  }
  return out;
}

class RecordedReplyTest : public ::testing::Test {
 protected:
  RecordedReplyTest() {
    shape.columns = {{"id", kText, Format::text}, {"title", kText, Format::text}};
    shape.all_known = true;
  }

  void take(const Cells& cells) {
    const auto taken = reply.take_row(shape, as_bytes(payload(cells)));
    EXPECT_TRUE(taken) << taken.error().message();
  }
  // What the record gets: "id|title", then the rows.
  std::vector<std::string> sampled() const {
    std::vector<std::string> lines;
    const auto read = record::read_rows(
        reply.rows().encoded(),
        {.columns = [&](auto names) { lines.push_back(fmt::format("{}", fmt::join(names, "|"))); },
         .row =
             [&](auto cells) {
               std::vector<std::string> texts;
               for (const auto& cell : cells) {
                 const char* mark = cell.form == record::CellForm::bytes ? "bytes:" : "";
                 texts.push_back(cell.form == record::CellForm::null ? "(null)"
                                                                     : fmt::format("{}{}", mark, cell.value));
               }
               lines.push_back(fmt::format("{}", fmt::join(texts, "|")));
             }});
    EXPECT_TRUE(read);
    return lines;
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> lines;
    EXPECT_TRUE(record::read_ids(reply.ids().encoded(), [&](auto collection, auto id) {
      lines.push_back(fmt::format("{} {}", collection, id));
    }));
    return lines;
  }

  ResultShape shape;
  RecordedReply reply{3, 64 * 1024};
};

using Lines = std::vector<std::string>;

TEST_F(RecordedReplyTest, SamplesRowsAsTheClientGetsThem) {
  shape.columns = {
      {"slc_key_1", kInt4, Format::text}, {"title", kText, Format::text}, {"v", kInt4, Format::binary}};
  shape.carried = 1;
  reply.begin(&shape);
  take({"7", "first", "\0\0\0\1"s});
  take({"8", "", std::nullopt});
  EXPECT_EQ(sampled(), (Lines{"title|v", "first|bytes:\0\0\0\1"s, "|(null)"}))
      << "carried keys are not the client's";
  EXPECT_TRUE(reply.rows().complete());
}

TEST_F(RecordedReplyTest, CountsRowsBeyondTheSample) {
  reply.begin(&shape);
  for (const char* id : {"1", "2", "3", "4", "5"}) take({id, "x"});
  EXPECT_EQ(sampled(), (Lines{"id|title", "1|x", "2|x", "3|x"}));
  EXPECT_EQ(reply.rows().seen(), 5u);
  EXPECT_FALSE(reply.rows().complete());
}

// Nobody needs to look into it.
TEST_F(RecordedReplyTest, DoesNotTakeARowApartWithoutNeed) {
  reply = RecordedReply{1, 64 * 1024};
  reply.begin(&shape);
  take({"1", "x"});
  EXPECT_TRUE(reply.take_row(shape, as_bytes("this is no row"))) << "full, and no ids are in it";
  EXPECT_EQ(reply.rows().seen(), 2u);
  EXPECT_EQ(reply.ids().state(), record::IdsState::complete);
  shape.all_known = false;
  EXPECT_FALSE(reply.take_row(shape, as_bytes("this is no row")));
}

TEST_F(RecordedReplyTest, FindsTheIdsOfKeys) {
  struct Case {
    const char* what;
    std::vector<ResultColumn> columns;
    std::vector<KeyColumns> keys;
    Cells row;
    Lines ids;
  };
  const ResultColumn text{"a", kText, Format::text};
  const ResultColumn number{"n", kInt4, Format::binary};
  const std::vector<Case> cases = {
      {"one column", {text, text}, {{"public.docs", {0}}}, {"7", "x"}, {"public.docs 7"}},
      {"not the first column", {text, text}, {{"public.docs", {1}}}, {"x", "7"}, {"public.docs 7"}},
      {"binary", {number}, {{"public.docs", {0}}}, {"\0\0\1\0"s}, {"public.docs 256"}},
      {"several columns",
       {text, number},
       {{"public.pairs", {1, 0}}},
       {"x", "\0\0\0\2"s},
       {"public.pairs 2,x"}},
      {"an empty text of a key", {text, text}, {{"public.pairs", {0, 1}}}, {"", "x"}, {"public.pairs ,x"}},
      {"empty texts", {text, text}, {{"public.pairs", {0, 1}}}, {"", ""}, {"public.pairs ,"}},
      {"two relations",
       {text, text},
       {{"public.a", {0}}, {"public.b", {1}}},
       {"1", "2"},
       {"public.a 1", "public.b 2"}},
      {"no record on a side of an outer join",
       {text, text},
       {{"public.a", {0}}, {"public.b", {1}}},
       {"1", std::nullopt},
       {"public.a 1"}},
      {"nor one of several columns",
       {text, text},
       {{"public.pairs", {0, 1}}},
       {std::nullopt, std::nullopt},
       {}},
  };
  for (const auto& one : cases) {
    shape.columns = one.columns;
    shape.keys = one.keys;
    reply.begin(&shape);
    take(one.row);
    EXPECT_EQ(ids(), one.ids) << one.what;
    EXPECT_EQ(reply.ids().state(), record::IdsState::complete) << one.what;
  }
}

// The ids that are there are kept all the same.
TEST_F(RecordedReplyTest, SaysWhenNotEveryRecordIsKnown) {
  shape.keys = {{"public.docs", {0}}};
  shape.all_known = false;
  reply.begin(&shape);
  take({"1", "x"});
  EXPECT_EQ(ids(), Lines{"public.docs 1"});
  EXPECT_EQ(reply.ids().state(), record::IdsState::unknown);
}

TEST_F(RecordedReplyTest, DoesNotGuessAtARowOfAnotherShape) {
  shape.keys = {{"public.docs", {1}}};
  for (const Cells& row : {Cells{"1"}, Cells{"1", "2", "3"}, Cells{}}) {
    reply.begin(&shape);
    take(row);
    EXPECT_EQ(ids(), Lines{}) << row.size();
    EXPECT_EQ(reply.ids().state(), record::IdsState::unknown) << row.size();
    EXPECT_EQ(reply.rows().seen(), 1u) << row.size();
    EXPECT_FALSE(reply.rows().complete()) << row.size();
  }
}

TEST_F(RecordedReplyTest, RefusesWhatIsNoRow) {
  shape.keys = {{"public.docs", {0}}};
  reply.begin(&shape);
  for (const auto& bytes :
       {""s, "\0"s, "\0\2\0\0\0\1"s, payload({"1", "x"}) + "y", "\0\1\xff\xff\xff\xfe"s}) {
    EXPECT_FALSE(reply.take_row(shape, as_bytes(bytes))) << bytes.size();
  }
  EXPECT_EQ(ids(), Lines{});
}

TEST_F(RecordedReplyTest, KnowsNothingOfRowsThatNobodyLookedInto) {
  reply.begin(nullptr);
  reply.skip_row();
  EXPECT_EQ(sampled(), Lines{});
  EXPECT_EQ(reply.rows().seen(), 1u);
  EXPECT_FALSE(reply.rows().complete());
  EXPECT_EQ(reply.ids().state(), record::IdsState::unknown);
}

TEST_F(RecordedReplyTest, BeginsAnew) {
  shape.keys = {{"public.docs", {0}}};
  reply.begin(&shape);
  take({"1", "x"});
  reply.skip_row();
  reply.begin(&shape);
  EXPECT_EQ(sampled(), Lines{"id|title"});
  EXPECT_EQ(ids(), Lines{});
  EXPECT_EQ(reply.ids().state(), record::IdsState::complete);
  EXPECT_TRUE(reply.rows().complete());
}

}  // namespace
}  // namespace sluice::proxy::pg
