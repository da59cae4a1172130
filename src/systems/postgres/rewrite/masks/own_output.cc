#include "systems/postgres/rewrite/masks/own_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>

#include "core/byte_reader.h"
#include "systems/postgres/sql/parse.h"

namespace sluice::postgres::rewrite {
namespace {

using Form = OwnOutput::Form;

constexpr std::int32_t kVarlenaHeader = 4;   // VARHDRSZ
constexpr std::int64_t kEpochDays = 10'957;  // from 1970-01-01 to PostgreSQL's 2000-01-01
constexpr std::int64_t kEpochMicroseconds = 946'684'800'000'000;  // the same
constexpr std::size_t kLongestNumber = 64;  // bytes; what is longer is no number that a mask yields

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\r\f\v";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

Form form_of(const Type& type) {
  if (type.category == 'A' && type.element != 0) return Form::empty;
  if (type.kind == TypeKind::range || type.kind == TypeKind::multirange) return Form::empty;
  if (type.kind == TypeKind::enumeration) return Form::text;
  if (type.extension == "hstore") return Form::empty;
  if (type.schema != "pg_catalog") return Form::text;
  const std::string_view name = type.name;
  if (name == "bool") return Form::boolean;
  if (name == "uuid") return Form::uuid;
  if (name == "json" || name == "jsonb") return Form::json;
  if (name == "date" || name == "timestamp" || name == "timestamptz") return Form::moment;
  if (name == "bytea" || name == "tsvector") return Form::empty;
  if (type.category == 'N' && !name.starts_with("reg")) return Form::number;
  for (std::string_view zero :
       {"time", "timetz", "interval", "inet", "cidr", "macaddr", "macaddr8", "point", "bit", "varbit"}) {
    if (name == zero) return Form::zero;
  }
  return Form::text;
}

// CAST('***' AS "pg_catalog"."text"): its literal. nullopt: it is none.
std::optional<const sql::Constant*> literal_of(const sql::ParsedSql& parsed) {
  if (parsed.statements().size() != 1) return std::nullopt;
  const auto* select = sql::as<sql::SelectStatement>(parsed.statements()[0].body);
  if (select == nullptr || select->targets.size() != 1) return std::nullopt;
  const sql::Expr* expr = select->targets[0].value;
  while (const auto* cast = sql::as<sql::TypeCast>(expr)) expr = cast->arg;
  if (const auto* constant = sql::as<sql::Constant>(expr)) return constant;
  return std::nullopt;
}

// nullopt: NULL.
std::optional<std::string> text_of(const sql::Constant& constant) {
  switch (constant.value_kind) {
    case sql::ConstantKind::null: return std::nullopt;
    case sql::ConstantKind::integer: return fmt::format("{}", constant.integer);
    case sql::ConstantKind::boolean: return constant.integer != 0 ? "true" : "false";
    case sql::ConstantKind::bits: return std::string(constant.text.substr(constant.text.empty() ? 0 : 1));
    case sql::ConstantKind::number:
    case sql::ConstantKind::text: break;
  }
  return std::string(constant.text);
}

std::optional<double> number(std::string_view text) {
  std::string digits;
  for (char c : trimmed(text)) {
    if (c != '$' && c != ',') digits += c;
  }
  if (digits.starts_with('+')) digits.erase(0, 1);
  if (digits.empty() || digits.size() > kLongestNumber) return std::nullopt;
  double value = 0;
  const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (at != digits.data() + digits.size()) return std::nullopt;
  // Too small for a double: as good as the zero that it becomes in a column of floats.
  return error == std::errc{} ? std::optional(value) : std::optional(0.0);
}

bool has_digits_of_zero_only(std::string_view text) {
  // The length of a network's prefix is none of its address.
  const auto slash = text.rfind("/32");
  if (slash != std::string_view::npos && slash + 3 == text.size()) text.remove_suffix(3);
  return text.find('0') != std::string_view::npos &&
         text.find_first_of("123456789") == std::string_view::npos;
}

// Seconds since 1970 of an ISO date with or without time and zone; nullopt: it is none.
std::optional<std::int64_t> seconds(std::string_view text, bool with_zone) {
  text = trimmed(text);
  const char* at = text.data();
  const char* end = at + text.size();
  const auto take = [&](int& into) {
    const auto [next, error] = std::from_chars(at, end, into);
    if (error != std::errc{} || next == at) return false;
    at = next;
    return true;
  };
  const auto skip = [&](char c) { return at != end && *at == c ? (++at, true) : false; };
  int year = 0;
  int month = 0;
  int day = 0;
  if (!take(year) || !skip('-') || !take(month) || !skip('-') || !take(day)) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  std::int64_t total = std::chrono::sys_days{date}.time_since_epoch().count() * std::int64_t{86'400};
  if (at == end) return total;
  if (!skip(' ') && !skip('T')) return std::nullopt;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!take(hour) || !skip(':') || !take(minute)) return std::nullopt;
  if (skip(':') && !take(second)) return std::nullopt;
  if (skip('.')) {
    while (at != end && *at >= '0' && *at <= '9') {
      if (*at++ != '0') return std::nullopt;
    }
  }
  total += hour * 3600 + minute * 60 + second;
  skip(' ');
  if (at == end || skip('Z')) return at == end ? std::optional(total) : std::nullopt;
  const bool minus = *at == '-';
  if (!skip('-') && !skip('+')) return std::nullopt;
  int hours = 0;
  int minutes = 0;
  if (!take(hours)) return std::nullopt;
  if (skip(':') && !take(minutes)) return std::nullopt;
  if (hours >= 100) {  // +0530
    minutes = hours % 100;
    hours /= 100;
  }
  if (at != end) return std::nullopt;
  const int offset = hours * 3600 + minutes * 60;
  return with_zone ? total + (minus ? offset : -offset) : total;
}

bool is_same_moment(std::string_view own, std::string_view text) {
  const bool with_zone = own.find('+') != std::string_view::npos;
  const auto mine = seconds(own, with_zone);
  const auto theirs = seconds(text, with_zone);
  if (mine && theirs) return *mine == *theirs;
  // In another style of dates: the year tells.
  return text.find(own.substr(0, 4)) != std::string_view::npos || text.find("1969") != std::string_view::npos;
}

bool is_same_boolean(std::string_view own, std::string_view text) {
  const auto truth = [](std::string_view word) {
    word = trimmed(word);
    const char c = word.empty() ? ' ' : static_cast<char>(word[0] | 0x20);
    if (c == 'o') return word.size() > 1 && (word[1] | 0x20) == 'n';
    return c == 't' || c == 'y' || word == "1";
  };
  return truth(own) == truth(text);
}

std::string hex_digits(std::string_view text) {
  std::string digits;
  for (char c : text) {
    if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'))
      digits += static_cast<char>(c | 0x20);
  }
  return digits;
}

std::string without_blanks(std::string_view text) {
  std::string out;
  std::ranges::copy_if(text, std::back_inserter(out),
                       [](char c) { return c != ' ' && c != '\n' && c != '\t' && c != '\r'; });
  return out;
}

bool is_empty_value(std::string_view text) {
  const std::string bare = without_blanks(text);
  return bare.empty() || bare == "{}" || bare == "\\x" || bare == "empty" || bare == "''";
}

bool is_zero(Bytes value) {
  return std::ranges::all_of(value, [](std::uint8_t byte) { return byte == 0; });
}

// numeric_send: number of digits, weight, sign, scale, then digits to the base of 10,000.
std::optional<double> numeric(Bytes value) {
  ByteReader in{value};
  const auto digits = in.u16();
  const auto weight = static_cast<std::int16_t>(in.u16());
  const auto sign = in.u16();
  in.u16();
  double total = 0;
  for (int i = 0; i < digits && in.ok(); ++i) total += in.u16() * std::pow(10'000.0, weight - i);
  if (!in.ok() || in.remaining() != 0) return std::nullopt;
  return sign == 0 ? total : -total;
}

bool is_same_number_in_binary(double own, Bytes value) {
  ByteReader in{value};
  switch (value.size()) {
    case 2: return static_cast<std::int16_t>(in.u16()) == own;
    case 4: {
      const auto bits = in.u32();
      return static_cast<std::int32_t>(bits) == own || std::bit_cast<float>(bits) == static_cast<float>(own);
    }
    case 8: {
      const auto high = in.u32();
      const auto bits = std::uint64_t{high} << 32 | in.u32();
      // Also as the number of cents that money is.
      const auto whole = static_cast<std::int64_t>(bits);
      if (static_cast<double>(whole) == own || std::bit_cast<double>(bits) == own) return true;
      if (own == 0) return false;
      [[fallthrough]];
    }
    default: {
      const auto parsed = numeric(value);
      return parsed && *parsed == own;
    }
  }
}

std::int64_t big_endian(Bytes value) {
  std::uint64_t bits = value.empty() || value[0] < 0x80 ? 0 : ~std::uint64_t{0};
  for (std::uint8_t byte : value) bits = bits << 8 | byte;
  return static_cast<std::int64_t>(bits);
}

bool is_same_moment_in_binary(std::string_view own, Bytes value) {
  const auto mine = seconds(own, true);
  if (!mine) return true;
  if (value.size() == 4) return (big_endian(value) + kEpochDays) * 86'400 == *mine;
  return value.size() == 8 && big_endian(value) + kEpochMicroseconds == *mine * 1'000'000;
}

}  // namespace

std::optional<OwnOutput> own_output(const Catalogue& catalogue, const Column& column,
                                    const ColumnMask& mask) {
  const bool in_text = mask.cell != nullptr && mask.cell->detects();
  const Type* bare = catalogue.base_type(column.type);
  if (in_text || (mask.mask == Mask::partial && bare != nullptr && bare->category == 'S'))
    return OwnOutput{.form = OwnOutput::Form::stars, .text = "***"};
  if (mask.pieces.size() != 1) return std::nullopt;
  const auto parsed = sql::parse("SELECT " + mask.pieces.front());
  if (!parsed) return std::nullopt;
  const auto literal = literal_of(*parsed);
  if (!literal) return std::nullopt;
  OwnOutput own;
  const Type* type = catalogue.base_type(column.type);
  if (type != nullptr) own.form = form_of(*type);
  own.text = text_of(**literal);
  if (!own.text) return own;
  // A cast to a length cuts.
  const bool cut = type != nullptr && column.typmod > kVarlenaHeader &&
                   (type->name == "varchar" || type->name == "bpchar");
  if (cut)
    own.text->resize(std::min(own.text->size(), static_cast<std::size_t>(column.typmod - kVarlenaHeader)));
  return own;
}

const sql::Expr* as_it_is(const sql::Expr* value) {
  for (;;) {
    if (const auto* cast = sql::as<sql::TypeCast>(value)) {
      value = cast->arg;
    } else if (const auto* collated = sql::as<sql::CollateExpr>(value)) {
      value = collated->arg;
    } else {
      return value;
    }
  }
}

std::optional<std::optional<std::string>> written_literal(const sql::Expr* value) {
  value = as_it_is(value);
  if (const auto* array = sql::as<sql::ArrayExpr>(value); array != nullptr && array->elements.empty())
    return std::optional<std::string>("{}");
  const auto* constant = sql::as<sql::Constant>(value);
  if (constant == nullptr) return std::nullopt;
  return text_of(*constant);
}

Denial unwritable_denial(std::string_view column, std::string_view rule) {
  return {Reason::masked_use, "", fmt::format("{} is masked (rule {}): it cannot be written", column, rule),
          "Leave the column out (an ORM: save only the fields that have changed), or give its mask write: "
          "allow."};
}

Denial own_output_denial(std::string_view column, std::string_view rule) {
  return {Reason::masked_use, "",
          fmt::format("the value for {} is what its mask (rule {}) yields: it would replace what is stored",
                      column, rule),
          "Leave the column out (an ORM: save only the fields that have changed)."};
}

bool is_own_output(const OwnOutput& own, std::string_view text) {
  if (!own.text) return false;
  switch (own.form) {
    case Form::text: return text == *own.text || trimmed(text) == *own.text;
    case Form::number: {
      const auto mine = number(*own.text);
      const auto theirs = number(text);
      return mine && theirs && *mine == *theirs;
    }
    case Form::zero: return has_digits_of_zero_only(text);
    case Form::moment: return is_same_moment(*own.text, text);
    case Form::boolean: return is_same_boolean(*own.text, text);
    case Form::uuid: return hex_digits(*own.text) == hex_digits(text);
    case Form::json: return without_blanks(*own.text) == without_blanks(text);
    case Form::stars: return text.find(*own.text) != std::string_view::npos;
    case Form::empty: return is_empty_value(text);
  }
  return true;
}

bool is_own_output_in_binary(const OwnOutput& own, Bytes value) {
  if (!own.text) return false;
  switch (own.form) {
    case Form::text:
    case Form::stars: return is_own_output(own, as_text(value));
    case Form::number: {
      const auto mine = number(*own.text);
      return !mine || is_same_number_in_binary(*mine, value) || is_own_output(own, as_text(value));
    }
    // Addresses carry their family and length in front, bit strings their length.
    case Form::zero: return is_zero(value) || (value.size() > 4 && is_zero(value.subspan(4)));
    case Form::moment: return is_same_moment_in_binary(*own.text, value);
    case Form::boolean: return value.size() == 1 && (value[0] != 0) == is_same_boolean(*own.text, "true");
    case Form::uuid: {
      std::string hex;
      for (std::uint8_t byte : value) hex += fmt::format("{:02x}", byte);
      return hex == hex_digits(*own.text);
    }
    // jsonb has its version in front.
    case Form::json:
      return is_own_output(own, as_text(value)) ||
             (!value.empty() && value[0] == 1 && is_own_output(own, as_text(value.subspan(1))));
    // Arrays, hstore and tsvector begin with a count; a range is one byte with a bit for it.
    case Form::empty:
      return value.empty() || (value.size() >= 4 && is_zero(value.first(4))) ||
             (value.size() == 1 && (value[0] & 1) != 0) || is_empty_value(as_text(value));
  }
  return true;
}

}  // namespace sluice::postgres::rewrite
