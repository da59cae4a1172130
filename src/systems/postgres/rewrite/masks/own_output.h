// A mask's own output, as a client sends it back: `UPDATE ... SET email = '***'`, or a parameter that holds
// what was read before. An ORM that saves a whole object would destroy what is stored, so such a write is
// always refused, also where the column may be written.
//
//   auto own = own_output(catalogue, column, mask);           // nullopt: it depends on what is stored
//   if (own && is_own_output(*own, "***")) refuse
//
// Values are compared as their type has them: 0, 0.00 and +0 are one number, and so are the text and binary
// forms that the wire carries. Where it is not certain, the answer is yes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "model/decision.h"
#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/rewrite/masks/mask_plan.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

struct OwnOutput {
  // How values of the column's type are compared.
  enum class Form : std::uint8_t {
    text,    // byte by byte
    number,  // integers, floats, numeric, money
    zero,    // what has no digit other than 0 is it: dates aside, times, intervals, addresses, bit strings
    moment,  // dates and timestamps
    boolean,
    uuid,
    json,   // without its blanks
    stars,  // a part of a text, or a text in which something was found: whatever holds ***
    empty,  // of arrays, ranges, bytea, tsvector, hstore: the empty value
  };
  Form form = Form::text;
  std::optional<std::string> text;  // as the mask yields it; nullopt: NULL
};

std::optional<OwnOutput> own_output(const Catalogue& catalogue, const Column& column, const ColumnMask& mask);

// What becomes a value as it is: without casts and collations, which do not make another one of it.
const sql::Expr* as_it_is(const sql::Expr* value);
// The text of a literal under casts, of NULL nullopt, of an empty array {}; the outer nullopt: it is
// computed.
std::optional<std::optional<std::string>> written_literal(const sql::Expr* value);

bool is_own_output(const OwnOutput& own, std::string_view text);
// In the binary form of the column's type, or of a text.
bool is_own_output_in_binary(const OwnOutput& own, Bytes value);

// A parameter whose value becomes that of a masked column as it is: refused at Bind when it is what the mask
// yields, or when there is a value that may not be there.
struct WrittenParameter {
  std::int32_t number = 0;  // 1 for $1
  OwnOutput own;
  bool null_is_own = false;  // an UPDATE of a removed column
  std::string column;        // "public.docs.email"
  std::string rule;
  bool must_be_null = false;  // the column may not be written; a new row that has nothing there is none
  std::vector<std::string>
      hidden_keys;  // nor one that has JSON without these (mask_json.h); empty: it has to be null
};
// Why a column cannot be written whose mask does not allow it.
Denial unwritable_denial(std::string_view column, std::string_view rule);
// Why a write is refused that would store what the mask itself has yielded.
Denial own_output_denial(std::string_view column, std::string_view rule);

}  // namespace sluice::postgres::rewrite
