// What Sluice knows about functions, aggregates and window functions by name: the allow-list, and the list of
// those that are known to be dangerous, with the reason.
//
// PostgreSQL has more than 3,000 functions; several run SQL given as text (query_to_xml, ts_stat, dblink),
// read files or statistics, or change the session. A name that no table here holds is `unvouched`, whoever
// wrote it. The tables are sorted by theme in functions.cc; a test proves that they are sorted and disjoint.
// Facts: PostgreSQL 13 to 18, "Functions and Operators", and the appendix on contrib modules; pgvector 0.8's
// README.
//
// These are facts about names inside one schema. Which schema an unqualified name means is answered by
// `Catalogue::find_function` (view.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::postgres {

enum class FunctionClass : std::uint8_t {
  plain,            // computes from its arguments (or the clock, or randomness) and does nothing else
  set_returning,    // the same, and returns rows: unnest, generate_series, jsonb_each
  aggregate,        // an aggregate whose result is not one of its inputs: count, sum, avg, stddev
  value_aggregate,  // an aggregate whose result holds inputs: array_agg, string_agg, json_agg, min, max
  window,           // row_number, rank, ntile: a position, no value
  value_window,     // lag, lead, first_value: hand on a value of another row
  catalogue,  // tells about the schema, for \d and drivers: format_type, pg_get_indexdef, has_table_privilege
  session,    // about the own session: current_database, version, pg_backend_pid, nextval, advisory locks
  vector,     // pgvector's own
  extension,  // of an extension on the known-safe list, written in C
  dangerous,  // known, and never harmless: see Danger
  unvouched,  // everything else: all user-defined functions
};
std::string_view to_string(FunctionClass cls);

// Why a function is `dangerous`; shown to the client.
enum class Danger : std::uint8_t {
  none,
  runs_sql,        // takes SQL text, or the name of a cursor, and runs it
  reads_relation,  // takes the name of a relation and reads its rows
  reads_file,      // files of the server, also raw pages of relations
  writes_file,
  changes_session,   // set_config, advisory locks, sequences set, notify
  changes_server,    // reload, switch WAL, terminate back ends, replication slots
  reads_statistics,  // statistics hold values of columns; activity views hold other people's statements
  large_object,
  sleeps,           // holds a back end and makes time an answer
  reaches_network,  // dblink and its like
};
std::string_view explain(Danger danger);  // "runs SQL given as text"

struct FunctionFacts {
  FunctionClass cls = FunctionClass::unvouched;
  Danger danger = Danger::none;
  // An operator vouches for its definition: it may be called, and nothing else is known about it.
  bool vouched = false;

  // May be called while masks are in force.
  bool is_harmless() const {
    return cls != FunctionClass::dangerous && (cls != FunctionClass::unvouched || vouched);
  }
};

// Facts about a function of schema pg_catalog; nullopt when no table holds the name (then it is unvouched).
std::optional<FunctionFacts> builtin_function(std::string_view name);

// Of the value aggregates, those whose result is one input or made of all, not a list of them: min, max,
// mode, bit_and. Their result carries at most one record for each row of output.
bool keeps_one_value(std::string_view aggregate);

// Functions, built in or of vouched extensions, whose calls tell in which order they were made: they answer
// something else each time (nextval, random after setseed, the clock), or leave a mark (advisory locks,
// notifications). Not those that nobody can foresee (gen_random_uuid).
bool tells_order_of_calls(std::string_view function);
// Of extensions, volatile ones that tell nothing.
bool is_unforeseeable(std::string_view function);

// Whether pg_catalog has an operator of that symbol. All of those are harmless.
bool is_builtin_operator(std::string_view symbol);

// Facts about a function that belongs to an extension and is written in C. Functions of extensions that are
// not on the list of vouched ones are unvouched.
FunctionFacts extension_function(std::string_view extension, std::string_view name);

// Extensions whose types, operators and casts (when written in C) are taken as harmless.
bool is_vouched_extension(std::string_view extension);

// pgvector's distances, as operators ("<->") and as the functions that compute the same ("l2_distance"). The
// metric names are those of model/operation.h. All operators answer with less for what is nearer, as indexes
// need it.
struct VectorDistance {
  std::string_view metric;
  std::string_view operator_name;  // the operator that computes the same (or its negation, see `negated`)
  bool negated = false;            // inner_product(a, b) = -(a <#> b)
};
std::optional<VectorDistance> distance_function(std::string_view name);
std::optional<VectorDistance> distance_operator(
    std::string_view name);  // "<->", "<#>", "<=>", "<+>", "<~>", "<%>"

// Relations of pg_catalog and information_schema that hold values of user columns, texts of statements,
// secrets or the server's files: nullopt when the relation is harmless.
std::optional<Danger> dangerous_system_relation(std::string_view schema, std::string_view name);

}  // namespace sluice::postgres
