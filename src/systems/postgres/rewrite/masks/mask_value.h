// What a masked column yields: an SQL expression of the column's own type, so that clients decode it,
// expressions over it keep working and RowDescription keeps its type and length. The value never depends on
// what is stored, not even on whether it is null.
//
// Type by mask, where `n` is the column's length and a domain counts as the type under it:
//
//   redact   text, varchar(n), char(n), name, citext   '***'          boolean  false        uuid   zeros
//            integers, floats, numeric, money, oid     0              json     {}           arrays empty
//            date, time, timestamps (1970-01-01), interval 0          ranges   empty        bit     zeros
//            enumerations: the first label             bytea, tsvector, hstore: empty       inet   0.0.0.0
//            vectors, composites and everything else   NULL
//   remove   NULL; for a NOT NULL column as `redact`, because drivers and ORMs count on a value; but vectors
//            always NULL
//   constant the operator's text in the column's type, refused when the plan is made if the type cannot
//            read it
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres::rewrite {

// "pg_catalog"."varchar"(20), "public"."vector"(4), "pg_catalog"."int4"[]; domains as the type under them.
// Empty when the catalogue does not know the type.
std::string type_sql(const Catalogue& catalogue, Oid type, std::int32_t typmod);

std::string redacted_value(const Catalogue& catalogue, const Column& column);
std::string removed_value(const Catalogue& catalogue, const Column& column);
// An error says why the column's type cannot hold the text.
Result<std::string> constant_value(const Catalogue& catalogue, const Column& column, std::string_view text);

// A type that pgvector brings (vector, halfvec, sparsevec), also under a domain or in an array.
bool is_vector(const Catalogue& catalogue, Oid type);
// The type under domains, with the length that the column or the outermost domain states; nullptr: unknown.
struct BareType {
  const Type* type = nullptr;
  std::int32_t typmod = -1;
};
BareType bare_type(const Catalogue& catalogue, const Column& column);
// The n of varchar(n) and char(n); 0: none.
std::uint32_t max_characters(const BareType& type);

// Whether values of the type have, at whatever depth (elements of arrays, attributes of composites, under
// domains), values of a type that passes the test. What is not known passes.
bool holds_within(const Catalogue& catalogue, Oid type, const std::function<bool(const Type&)>& test);

// json or jsonb, also under a domain.
bool is_json(const Catalogue& catalogue, Oid type);
// A type whose values are or hold text that a detector would read: all but those that are known to hold none.
bool is_text_like(const Catalogue& catalogue, Oid type);

}  // namespace sluice::postgres::rewrite
