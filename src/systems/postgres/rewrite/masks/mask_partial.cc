#include "systems/postgres/rewrite/masks/mask_partial.h"

#include <fmt/format.h>

#include <string_view>

#include "systems/postgres/rewrite/masks/mask_value.h"

namespace sluice::postgres::rewrite {
namespace {

// Splits at the places where the column stands.
std::vector<std::string> pieces_of(std::string_view expression) {
  constexpr std::string_view kColumn = "@column@";
  std::vector<std::string> pieces;
  for (auto at = expression.find(kColumn); at != std::string_view::npos; at = expression.find(kColumn)) {
    pieces.emplace_back(expression.substr(0, at));
    expression.remove_prefix(at + kColumn.size());
  }
  pieces.emplace_back(expression);
  return pieces;
}

// 254 is the longest address that SMTP carries (RFC 5321, 4.5.3.1.3), and bounds the work of the pattern.
constexpr std::string_view kText = R"(
CASE WHEN pg_catalog.length(@column@::pg_catalog.text) OPERATOR(pg_catalog.<=) 254
      AND @column@::pg_catalog.text OPERATOR(pg_catalog.~) '^[^[:space:]@]+@[^[:space:]@]+$'
     THEN pg_catalog."left"(@column@::pg_catalog.text, 1) OPERATOR(pg_catalog.||) '***'::pg_catalog.text
      OPERATOR(pg_catalog.||) pg_catalog.substr(@column@::pg_catalog.text, pg_catalog.strpos(@column@::pg_catalog.text, '@'))
     WHEN pg_catalog.length(@column@::pg_catalog.text) OPERATOR(pg_catalog.>=) 8
     THEN '***'::pg_catalog.text OPERATOR(pg_catalog.||) pg_catalog."right"(@column@::pg_catalog.text, 4)
     ELSE '***'::pg_catalog.text END)";

constexpr std::string_view kInet = R"(
COALESCE(pg_catalog.network(pg_catalog.set_masklen(@column@,
  CASE pg_catalog.family(@column@) WHEN 4 THEN 16 ELSE 32 END))::pg_catalog.inet, '0.0.0.0'::pg_catalog.inet))";

constexpr std::string_view kUuid = R"(
COALESCE(('00000000-0000-0000-0000-00000000'::pg_catalog.text OPERATOR(pg_catalog.||)
  pg_catalog."right"(@column@::pg_catalog.text, 4))::pg_catalog.uuid,
  '00000000-0000-0000-0000-000000000000'::pg_catalog.uuid))";

std::string one_line(std::string_view text) {
  std::string line;
  for (char c : text) {
    if (c == '\n') c = ' ';
    if (c == ' ' && (line.empty() || line.back() == ' ')) continue;
    line += c;
  }
  return line;
}

// In UTC whatever the session's time zone: one that is days away would tell what lies how near to a new year.
std::string first_of_year(std::string_view type) {
  return fmt::format(
      "COALESCE(pg_catalog.date_trunc('year', @column@{1})::pg_catalog.{0}, '1970-01-01'::pg_catalog.{0})",
      type, type == "timestamptz" ? ", 'UTC'" : "");
}

std::string expression_for(const Type& type) {
  if (type.category == 'S' && (type.schema == "pg_catalog" || type.extension == "citext")) {
    // "char" is one byte, and names are not data.
    return type.name == "char" || type.name == "name" ? "" : one_line(kText);
  }
  if (type.schema != "pg_catalog") return "";
  if (type.name == "inet") return one_line(kInet);
  if (type.name == "uuid") return one_line(kUuid);
  if (type.name == "date") return first_of_year("date");
  if (type.name == "timestamp" || type.name == "timestamptz") return first_of_year(type.name);
  return "";
}

}  // namespace

std::vector<std::string> partial_value(const Catalogue& catalogue, const Column& column) {
  const BareType bare = bare_type(catalogue, column);
  const std::string expression = bare.type == nullptr ? "" : expression_for(*bare.type);
  if (expression.empty()) return {redacted_value(catalogue, column)};
  return pieces_of(
      fmt::format("CAST({} AS {})", expression, type_sql(catalogue, column.type, column.typmod)));
}

}  // namespace sluice::postgres::rewrite
