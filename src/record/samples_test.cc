#include <gtest/gtest.h>

#include "core/crypto.h"
#include "record/record_ids.h"
#include "record/reply_sample.h"

namespace sluice::record {
namespace {

std::vector<std::string> ids_of(std::string_view encoded) {
  std::vector<std::string> out;
  auto read = read_ids(encoded, [&](std::string_view collection, std::string_view id) {
    out.push_back(std::string{collection} + "/" + std::string{id});
  });
  EXPECT_TRUE(read) << read.error().message();
  return out;
}

TEST(RecordIds, KeepsThemInOrder) {
  RecordIds ids;
  EXPECT_EQ(ids.state(), IdsState::complete);
  ids.add("a", "1");
  ids.add("a", "2");
  ids.add("b", "");
  ids.add("a", "3");
  EXPECT_EQ(ids_of(ids.encoded()), (std::vector<std::string>{"a/1", "a/2", "b/", "a/3"}));
  EXPECT_EQ(ids.seen(), 4u);
  ids.set_unknown();
  EXPECT_EQ(ids.state(), IdsState::unknown);
  ids.clear();
  EXPECT_EQ(ids.state(), IdsState::complete);
  EXPECT_TRUE(ids.encoded().empty());
  ids.add("a", "1");
  EXPECT_EQ(ids_of(ids.encoded()), (std::vector<std::string>{"a/1"}))
      << "the name is written anew after clear()";
}

TEST(RecordIds, StopsAtItsLimitAndCountsOn) {
  RecordIds ids{3};
  for (int i = 0; i < 5; ++i) ids.add("a", std::to_string(i));
  EXPECT_EQ(ids.state(), IdsState::partial);
  EXPECT_EQ(ids.seen(), 5u);
  EXPECT_EQ(ids.kept(), 3u);
  EXPECT_EQ(ids_of(ids.encoded()).size(), 3u);
}

TEST(RecordIds, LongIdsAreFoundByTheirDigest) {
  initialise_crypto();
  RecordIds ids;
  std::string id(1000, 'x');
  ids.add("a", id);
  EXPECT_EQ(ids_of(ids.encoded()).at(0), "a/" + id_search_form(id));
  EXPECT_LT(ids.encoded().size(), 100u);
  EXPECT_EQ(id_search_form("4711"), "4711");
}

TEST(RecordIds, PiecesReadOnTheirOwn) {
  RecordIds ids;
  for (int i = 0; i < 3000; ++i) ids.add(i % 700 < 350 ? "a" : "b", std::to_string(i));
  auto pieces = split_ids(ids.encoded(), 1000);
  ASSERT_TRUE(pieces);
  EXPECT_GT(pieces->size(), 10u);
  std::vector<std::string> all;
  for (const auto& piece : *pieces) {
    EXPECT_LE(piece.size(), 1000u);
    for (auto& id : ids_of(piece)) all.push_back(std::move(id));
  }
  EXPECT_EQ(all, ids_of(ids.encoded()));
}

TEST(RecordIds, BrokenSectionsAreRefused) {
  auto none = [](std::string_view, std::string_view) {};
  using namespace std::string_literals;
  for (const auto& bad : {"\x02\x01\x00x"s, "\x01\x05\x00x"s, "\x09"s, "\x01\x00\x00\x03short"s, "\x01"s}) {
    EXPECT_FALSE(read_ids(bad, none));
  }
}

struct Rows {
  std::vector<std::vector<std::string>> columns;
  std::vector<std::vector<std::string>> cells;
  std::vector<std::uint64_t> sizes;
};
Rows rows_of(std::string_view encoded) {
  Rows out;
  auto read =
      read_rows(encoded, {.columns =
                              [&](std::span<const std::string_view> names) {
                                out.columns.emplace_back(names.begin(), names.end());
                              },
                          .row =
                              [&](std::span<const Cell> cells) {
                                auto& row = out.cells.emplace_back();
                                for (const auto& cell : cells) {
                                  row.emplace_back(cell.form == CellForm::null ? "<null>" : cell.value);
                                  out.sizes.push_back(cell.full_size);
                                }
                              }});
  EXPECT_TRUE(read) << read.error().message();
  return out;
}

TEST(ReplySample, KeepsRowsUntilItIsFull) {
  ReplySample sample{2, 10'000};
  std::vector<std::string_view> names{"id", "title"};
  sample.set_columns(names);
  EXPECT_TRUE(sample.wants_more());
  sample.add_row(std::vector{Cell::text("1"), Cell::null()});
  sample.add_row(std::vector{Cell::text("2"), Cell::text("")});
  EXPECT_FALSE(sample.wants_more());
  EXPECT_TRUE(sample.complete());
  sample.count_row();
  sample.add_row(std::vector{Cell::text("4"), Cell::null()});
  EXPECT_FALSE(sample.complete());
  EXPECT_EQ(sample.seen(), 4u);
  EXPECT_EQ(sample.kept(), 2u);
  auto rows = rows_of(sample.encoded());
  EXPECT_EQ(rows.columns, (std::vector<std::vector<std::string>>{{"id", "title"}}));
  EXPECT_EQ(rows.cells, (std::vector<std::vector<std::string>>{{"1", "<null>"}, {"2", ""}}));
}

TEST(ReplySample, StopsAtItsBytesWithWholeRows) {
  ReplySample sample{1000, 500};
  std::vector<std::string_view> names{"a"};
  sample.set_columns(names);
  std::string value(120, 'v');
  for (int i = 0; i < 10; ++i) sample.add_row(std::vector{Cell::text(value)});
  EXPECT_LE(sample.encoded().size(), 500u);
  EXPECT_EQ(sample.kept(), 3u);
  EXPECT_EQ(rows_of(sample.encoded()).cells.size(), 3u);
}

TEST(ReplySample, CutsLongCellsAndSaysSo) {
  ReplySample sample;
  std::vector<std::string_view> names{"a"};
  sample.set_columns(names);
  std::string value(10'000, 'v');
  sample.add_row(std::vector{Cell::text(value)});
  auto rows = rows_of(sample.encoded());
  EXPECT_EQ(rows.cells.at(0).at(0).size(), kMaxCellBytes);
  EXPECT_EQ(rows.sizes.at(0), 10'000u);
}

TEST(ReplySample, WhatDoesNotFitAnEntryIsCountedOnly) {
  ReplySample sample{1000, 10'000'000};
  std::vector<std::string_view> names(20, "column");
  sample.set_columns(names);
  std::string value(4096, 'v');
  sample.add_row(std::vector<Cell>(20, Cell::text("small")));
  sample.add_row(std::vector<Cell>(20, Cell::text(value)));
  EXPECT_EQ(sample.seen(), 2u);
  EXPECT_EQ(sample.kept(), 1u);
  EXPECT_TRUE(split_rows(sample.encoded(), kMaxColumnsBytes + kMaxRowBytes));
  sample.clear();
  std::string long_name(250, 'n');
  sample.set_columns(std::vector<std::string_view>(1000, long_name));
  EXPECT_FALSE(sample.wants_more());
  EXPECT_TRUE(sample.encoded().empty());
}

TEST(ReplySample, ARowOfAnotherWidthIsCountedOnly) {
  ReplySample sample;
  std::vector<std::string_view> names{"a", "b"};
  sample.set_columns(names);
  sample.add_row(std::vector{Cell::text("1")});
  EXPECT_EQ(sample.seen(), 1u);
  EXPECT_EQ(sample.kept(), 0u);
}

TEST(ReplySample, PiecesReadOnTheirOwn) {
  ReplySample sample{1000, 100'000};
  std::vector<std::string_view> names{"id", "text"};
  sample.set_columns(names);
  std::string text(100, 't');
  for (int i = 0; i < 300; ++i) {
    auto id = std::to_string(i);
    sample.add_row(std::vector{Cell::text(id), Cell::text(text)});
  }
  auto pieces = split_rows(sample.encoded(), 5000);
  ASSERT_TRUE(pieces);
  std::size_t rows = 0;
  for (const auto& piece : *pieces) {
    EXPECT_LE(piece.size(), 5000u);
    auto part = rows_of(piece);
    EXPECT_EQ(part.columns.size(), 1u);
    rows += part.cells.size();
  }
  EXPECT_EQ(rows, 300u);
}

TEST(ReplySample, BrokenSectionsAreRefused) {
  using namespace std::string_literals;
  RowsReader none;
  for (const auto& bad :
       {"\x02\x00"s, "\x01\x01\x00\x05\x00x"s, "\x01\x01\x00\x01\x00x\x02\x07"s, "\x01\xff\xff"s, "\x03"s,
        "\x01\x01\x00\x01\x00x\x02\x80"s, "\x01\x01\x00\x01\x00x\x02\x81\x01\0\0\0\0\0\0\0\x01\x00y"s}) {
    EXPECT_FALSE(read_rows(bad, none));
  }
}

}  // namespace
}  // namespace sluice::record
