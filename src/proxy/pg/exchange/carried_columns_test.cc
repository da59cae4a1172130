#include "proxy/pg/exchange/carried_columns.h"

#include <gtest/gtest.h>

#include "core/byte_writer.h"
#include "wire/pg/backend.h"

namespace sluice::proxy::pg {
namespace {

using namespace std::string_literals;

std::string row(const std::vector<std::optional<std::string>>& cells) {
  std::string out;
  ByteWriter writer{out};
  writer.u16(static_cast<std::uint16_t>(cells.size()));
  for (const auto& cell : cells) {
    writer.u32(cell ? static_cast<std::uint32_t>(cell->size()) : 0xFFFFFFFF);
    if (cell) out.append(*cell);
  }
  return out;
}

std::string message(char type, const std::string& payload) {
  std::string out(1, type);
  ByteWriter{out}.u32(static_cast<std::uint32_t>(4 + payload.size()));
  return out + payload;
}

std::string without(const std::string& payload, std::uint16_t carried) {
  const auto found = row_without(as_bytes(payload), payload.size(), carried);
  return found ? found->header + payload.substr(found->skip) : "malformed";
}

TEST(CarriedColumns, LeaveARow) {
  EXPECT_EQ(without(row({"7", "title", std::nullopt}), 1), message('D', row({"title", std::nullopt})));
  EXPECT_EQ(without(row({std::nullopt, "", "x"}), 2), message('D', row({"x"})));
  EXPECT_EQ(without(row({"7", "8"}), 2), message('D', row({})));
}

TEST(CarriedColumns, LeaveTheBeginningOfARow) {
  const auto whole = row({"7", std::string(5000, 'x')});
  const auto beginning = as_bytes(whole).first(100);
  const auto found = row_without(beginning, whole.size(), 1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->header + whole.substr(found->skip), message('D', row({std::string(5000, 'x')})));
}

TEST(CarriedColumns, AreMissedWhereTheyAreNot) {
  EXPECT_EQ(without(row({"7"}), 2), "malformed");
  EXPECT_EQ(without(row({"7", "8"}).substr(0, 6), 1), "malformed");
  EXPECT_EQ(without("", 1), "malformed");
  EXPECT_EQ(without("\0\1\x7f\xff\xff\xff"s, 1), "malformed");
}

TEST(CarriedColumns, LeaveADescription) {
  const auto field = [](std::string name) { return name + '\0' + std::string(18, '\1'); };
  std::string out;
  ASSERT_TRUE(description_without(out, as_bytes("\0\3"s + field("slc_key_1") + field("a") + field("b")), 1));
  EXPECT_EQ(out, message('T', "\0\2"s + field("a") + field("b")));
  EXPECT_FALSE(description_without(out, as_bytes("\0\3"s + field("slc_key_1")), 2));
  EXPECT_FALSE(description_without(out, as_bytes("\0\1"s + field("slc_key_1")), 2));
}

TEST(CarriedColumns, AreTextAmongFormatsThatAreGivenOneByOne) {
  EXPECT_EQ(formats_with(as_bytes("\0\0"s), 2), "\0\0"s);
  EXPECT_EQ(formats_with(as_bytes("\0\1\0\1"s), 2), "\0\1\0\1"s);
  EXPECT_EQ(formats_with(as_bytes("\0\2\0\1\0\0"s), 2), "\0\4\0\0\0\0\0\1\0\0"s);
}

}  // namespace
}  // namespace sluice::proxy::pg
