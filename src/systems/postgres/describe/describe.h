// describe(): what one SQL statement does, as an Operation (model/operation.h). README.md beside this folder
// has the whole table of statement to verb, and the rules by which records are counted.
//
//   DescribeContext context{.catalogue = *catalogue, .search_path = path};
//   Operation operation = describe(statement, context);
//   if (operation.verb == Verb::unknown) ... operation.unknown_reason
//
// The description never understates: what cannot be proved is unlimited, what cannot be resolved or is not
// known makes the operation unknown, with the first reason found. It depends on nothing but its arguments, so
// one description serves every execution of a prepared statement, unless `records.from_parameter` or an
// EXECUTE or FETCH is in it: then describe again when values are bound.
//
// Temporary tables are not in the catalogue: a name that one of them would shadow is taken for the permanent
// one.
//
// Thread-safe: no state. Recursion is bounded by the parser's depth limit.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "model/operation.h"
#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/sql/parse.h"

namespace sluice::postgres {

// A parameter ($1 is the first) as far as it is known. Bytes are as on the wire and borrowed.
struct Parameter {
  enum class State : std::uint8_t { unbound, null, text, binary };
  State state = State::unbound;
  Oid type = 0;  // as declared by the client; 0: inferred by the server
  std::string_view bytes;
};
using Parameters = std::span<const Parameter>;

// What a name of PREPARE or DECLARE (or of the wire) stands for.
struct NamedStatement {
  const sql::Statement* body = nullptr;  // of PREPARE and DECLARE: the inner statement
  sql::List<sql::Unknown> unknowns;
  Parameters parameters;  // of a cursor: its bound values; of a prepared statement: types only
};

class StatementNames {
 public:
  virtual ~StatementNames() = default;
  virtual std::optional<NamedStatement> prepared(std::string_view name) const = 0;
  virtual std::optional<NamedStatement> cursor(std::string_view name) const = 0;
};

// Functions outside the catalogue's own lists that the operator vouches for: "schema.name".
class VouchedFunctions {
 public:
  virtual ~VouchedFunctions() = default;
  virtual bool contains(std::string_view schema, std::string_view name) const = 0;
};

struct DescribeContext {
  const Catalogue& catalogue;
  SearchPath search_path;
  Parameters parameters = {};
  const StatementNames* names = nullptr;      // null: EXECUTE and FETCH are unknown
  const VouchedFunctions* vouched = nullptr;  // null: none
  bool sketches = false;                      // of query vectors (VectorSearch::sketch)
};

Operation describe(const sql::ParsedStatement& statement, const DescribeContext& context);

}  // namespace sluice::postgres
