// Carried keys: primary keys that a query's result lacks, put in front of its columns, so that the record can
// say which records an answer held ("who has ever been sent record X?"). Whoever sends the statement takes
// them off the reply again; they stand in front, so that a row of any size can be passed on while it arrives.
//
//   auto keys = missing_keys(select, *catalogue, path, &plan);
//   keys.empty()                  -> every key is there already, or none can be carried: the text stays
//   with_keys(statement, keys)    -> the client's text with them
//   RewriteInput::keys            -> the same of a text that is rewritten
//
// Carried are the keys of tables that stand in the outermost FROM by themselves or in joins. Not carried,
// because the result would be another one: where rows are grouped, made distinct or united. Not carried
// either, because nobody could read them: a key of which a column is masked or not the role's to read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/rewrite/masks/mask_plan.h"
#include "systems/postgres/sql/parse.h"

namespace sluice::postgres::rewrite {

// One column of a key.
struct CarriedKey {
  const sql::RangeVar* var = nullptr;  // of the statement
  std::string_view alias;              // by which the statement's expressions refer to it
  std::string_view column;             // of the catalogue
  std::int16_t attnum = 0;
};

// More are not carried: a result has at most 1,664 columns (MaxTupleAttributeNumber in
// access/htup_details.h), and composite keys of many joined tables would outweigh what was asked for.
inline constexpr std::size_t kMostCarriedKeys = 16;

// The select whose rows the statement answers with, now or when its name is run: of SELECT, DECLARE CURSOR
// and PREPARE.
const sql::SelectStatement* answering_select(const sql::Statement& statement);

// Views into `select`, `catalogue` and nothing else.
std::vector<CarriedKey> missing_keys(const sql::SelectStatement& select, const Catalogue& catalogue,
                                     SearchPath path, const MaskPlan* masks);

// Where in a text something was put, in characters, to tell positions in the text before.
struct Insertion {
  std::uint32_t at = 0;      // characters before it
  std::uint32_t length = 0;  // characters put in; 0: nothing, or in several places
  // The position (from 1) in the text before, of one in the text after; 0: it has none there.
  std::uint32_t before(std::uint32_t position) const;
};

struct TextWithKeys {
  std::string sql;
  Insertion insertion;
};
TextWithKeys with_keys(const sql::ParsedStatement& statement, const std::vector<CarriedKey>& keys);

// `ORDER BY 2` counts the columns of the result: with keys in front it has to count further.
bool is_ordinal(const sql::SortItem& item);

// The item as it stands in front of the others: "docs"."id" AS "slc_key_1". The name keeps it out of what
// ORDER BY can mean.
std::string carried_item(const CarriedKey& key, std::size_t number);

}  // namespace sluice::postgres::rewrite
