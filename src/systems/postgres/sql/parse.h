// Parsing SQL with PostgreSQL's own grammar (libpg_query) into the typed model of sql/ast.h.
//
//   TRY(auto parsed, sql::parse(text));
//   for (const sql::ParsedStatement& statement : parsed.statements()) ...
//
// What does not parse is an error that carries PostgreSQL's message and position. What parses but is not
// understood is in `unknowns`. A text that holds NUL or is not UTF-8 is refused before the grammar sees it;
// so is one that exceeds a limit. Depth is bounded, and nothing here or in the tree's readers recurses deeper
// than `ParseLimits::depth`.
//
// Thread-safe: each call has its own memory. A ParsedSql owns its text (copied) and its tree; it is movable,
// and immutable once made.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "systems/postgres/sql/arena.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::sql {

struct ParseLimits {
  std::size_t text_bytes =
      16 * 1024 * 1024;             // grammar and tree take some 30 times the text: bounds memory and time
  std::uint32_t statements = 1000;  // in one text; each becomes an operation with a record of its own
  std::size_t tokens = 3'000'000;   // the grammar takes some 150 bytes for each before a node can be counted
  std::size_t operator_steps = 100'000'000;  // see tokens.h: some tenths of a second
  std::uint32_t nodes = 2'000'000;           // of all statements: an INSERT of 100,000 rows of 16 values fits
  // Of a select list, GROUP BY, ORDER BY, RETURNING, SET: what the server takes (MaxTupleAttributeNumber).
  std::uint32_t list_items = 1664;
  std::uint32_t common_tables = 1000;  // of one WITH: each is looked for among those before it
  std::uint32_t depth = 500;  // levels of nesting: readers of the tree recurse, and stacks are finite
};

enum class ParseErrorKind : std::uint8_t { syntax, too_large, too_deep, bad_text };

struct ParseError {
  ParseErrorKind kind = ParseErrorKind::syntax;
  std::string message;      // PostgreSQL's own for syntax errors: "syntax error at or near \"FORM\""
  std::int32_t cursor = 0;  // 1-based, in characters as PostgreSQL's error field P; 0: none
};

struct ParsedStatement {
  const Statement* body = nullptr;
  std::string_view text;   // of this statement alone, without the separating semicolon
  Location begin = 0;      // of `text` in the whole: nodes' locations are relative to the whole text
  List<Unknown> unknowns;  // empty: understood in full
  std::uint32_t nodes = 0;
  std::int32_t highest_parameter = 0;  // the largest n of any $n
};

class ParsedSql {
 public:
  ParsedSql() = default;
  std::string_view text() const { return text_; }
  List<ParsedStatement> statements() const { return statements_; }

 private:
  friend class TreeConverter;
  Arena arena_;
  std::string_view text_;
  List<ParsedStatement> statements_;
};

std::expected<ParsedSql, ParseError> parse(std::string_view text, const ParseLimits& limits = {});

}  // namespace sluice::postgres::sql
