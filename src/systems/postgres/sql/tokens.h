// Where SQL's tokens begin and end: the lexical rules of PostgreSQL's scan.l, without its keywords. For
// cutting and splicing text at the locations that the tree gives, and for estimating the size of a text
// before it is parsed. It decides nothing: what a text means is the grammar's to say.
//
// Assumes standard_conforming_strings (pinned by the proxy): a plain '...' has no backslash escapes, E'...'
// has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::postgres::sql {

enum class TokenKind : std::uint8_t {
  end,                // nothing but space and comments up to the end
  word,               // keyword or unquoted identifier
  quoted_identifier,  // "..." and U&"..."
  string,  // '...', E'...', N'...', B'...', X'...', U&'...', $tag$...$tag$; with continuation lines
  number,
  parameter,    // $1
  operator_,    // a run of operator characters
  punctuation,  // one of ( ) [ ] , ; . : and :: := ..
  bad,          // an unterminated string or comment, or a byte that SQL does not know
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The first token at or after `at`, past white space and comments. `end` tokens are at text.size().
Token next_token(std::string_view text, std::size_t at);

// The end of the token that begins at `location`; text.size() when there is none.
std::size_t token_end(std::string_view text, std::size_t location);

// What reading a text takes. The grammar's scanner reads a run of operator characters to its end again and
// again: at each sign of `++++`, and at each comment that begins within one (`/*/*/*`). That is quadratic, so
// it is counted beforehand.
struct ScanCost {
  std::size_t tokens = 0;
  std::size_t operator_steps = 0;  // characters of operators and comment openings, as often as they are read
};
// Stops counting where one of them is past its limit.
ScanCost scan_cost(std::string_view text, const ScanCost& limits);

}  // namespace sluice::postgres::sql
