#include "systems/postgres/catalogue/functions.h"

#include <algorithm>
#include <span>
#include <string>
#include <unordered_map>

#include "systems/postgres/catalogue/builtin_tables.h"

namespace sluice::postgres {
namespace {

using Names = std::span<const std::string_view>;

bool holds(Names sorted, std::string_view name) {
  return std::ranges::binary_search(sorted, name);
}

using BuiltinIndex = std::unordered_map<std::string_view, FunctionFacts>;

const BuiltinIndex& builtin_index() {
  static const BuiltinIndex index = [] {
    BuiltinIndex all;
    for (const auto& theme : builtin::kThemes) {
      for (auto name : theme.names) all.emplace(name, theme.facts);
    }
    return all;
  }();
  return index;
}

// Contrib modules and pgvector whose C functions compute from their arguments and nothing else. What an
// extension of this list has beside that is in kExtensionDangers.
constexpr std::string_view kVouchedExtensions[] = {
    "btree_gin",     "btree_gist", "citext",   "cube",      "dict_int", "dict_xsyn", "earthdistance",
    "fuzzystrmatch", "hstore",     "intarray", "isn",       "ltree",    "pg_trgm",   "pgcrypto",
    "seg",           "tablefunc",  "unaccent", "uuid-ossp", "vector",   "xml2",
};

struct ExtensionDanger {
  std::string_view extension;
  std::string_view name;  // empty: every function of the extension
  Danger danger;
};

constexpr ExtensionDanger kExtensionDangers[] = {
    {"adminpack", "", Danger::reads_file},
    {"amcheck", "", Danger::reads_relation},
    {"dblink", "", Danger::reaches_network},
    {"file_fdw", "", Danger::reads_file},
    {"lo", "", Danger::large_object},
    {"pageinspect", "", Danger::reads_file},
    {"pg_buffercache", "", Danger::reads_statistics},
    {"pg_freespacemap", "", Danger::reads_relation},
    {"pg_prewarm", "", Danger::reads_relation},
    {"pg_stat_statements", "", Danger::reads_statistics},
    {"pg_surgery", "", Danger::reads_relation},
    {"pg_visibility", "", Danger::reads_relation},
    {"pg_walinspect", "", Danger::reads_file},
    {"pgrowlocks", "", Danger::reads_relation},
    {"pgstattuple", "", Danger::reads_relation},
    {"pg_trgm", "set_limit", Danger::changes_session},
    {"postgres_fdw", "", Danger::reaches_network},
    {"tablefunc", "connectby", Danger::reads_relation},
    {"tablefunc", "crosstab", Danger::runs_sql},
    {"tablefunc", "crosstab2", Danger::runs_sql},
    {"tablefunc", "crosstab3", Danger::runs_sql},
    {"tablefunc", "crosstab4", Danger::runs_sql},
    {"tablefunc", "crosstab_hash", Danger::runs_sql},
    {"xml2", "xpath_table", Danger::runs_sql},
};

constexpr std::string_view kVectorAggregates[] = {"avg", "sum"};

struct NamedDistance {
  std::string_view function;
  VectorDistance distance;
};

// pgvector 0.8, README, "Distances". <~> and <%> take bit strings.
constexpr NamedDistance kDistances[] = {
    {"l2_distance", {"l2", "<->", false}},
    {"inner_product", {"inner_product", "<#>", true}},
    {"vector_negative_inner_product", {"inner_product", "<#>", false}},
    {"halfvec_negative_inner_product", {"inner_product", "<#>", false}},
    {"sparsevec_negative_inner_product", {"inner_product", "<#>", false}},
    {"cosine_distance", {"cosine", "<=>", false}},
    {"l1_distance", {"l1", "<+>", false}},
    {"hamming_distance", {"hamming", "<~>", false}},
    {"jaccard_distance", {"jaccard", "<%>", false}},
};

// Relations of pg_catalog that tell about the schema and the own session. Any other is refused while masks
// are in force: statistics hold values, activity views hold other people's statements, and counters tell how
// many rows went through an index until there was an answer.
constexpr std::string_view kHarmlessSystemRelations[] = {
    "pg_aggregate",
    "pg_am",
    "pg_amop",
    "pg_amproc",
    "pg_attrdef",
    "pg_attribute",
    "pg_auth_members",
    "pg_available_extension_versions",
    "pg_available_extensions",
    "pg_cast",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_conversion",
    "pg_database",
    "pg_db_role_setting",
    "pg_default_acl",
    "pg_depend",
    "pg_description",
    "pg_enum",
    "pg_event_trigger",
    "pg_extension",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_foreign_table",
    "pg_group",
    "pg_index",
    "pg_indexes",
    "pg_inherits",
    "pg_init_privs",
    "pg_language",
    "pg_largeobject_metadata",
    "pg_matviews",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_parameter_acl",
    "pg_partitioned_table",
    "pg_policies",
    "pg_policy",
    "pg_proc",
    "pg_publication",
    "pg_publication_namespace",
    "pg_publication_rel",
    "pg_publication_tables",
    "pg_range",
    "pg_rewrite",
    "pg_roles",
    "pg_rules",
    "pg_seclabel",
    "pg_seclabels",
    "pg_sequence",
    "pg_sequences",
    "pg_settings",
    "pg_shdepend",
    "pg_shdescription",
    "pg_shseclabel",
    "pg_statistic_ext",
    "pg_tables",
    "pg_tablespace",
    "pg_timezone_abbrevs",
    "pg_timezone_names",
    "pg_transform",
    "pg_trigger",
    "pg_ts_config",
    "pg_ts_config_map",
    "pg_ts_dict",
    "pg_ts_parser",
    "pg_ts_template",
    "pg_type",
    "pg_user",
    "pg_views",
};

constexpr std::string_view kSecretInformationSchema[] = {"_pg_user_mappings", "user_mapping_options"};

}  // namespace

std::string_view to_string(FunctionClass cls) {
  switch (cls) {
    case FunctionClass::plain: return "plain";
    case FunctionClass::set_returning: return "set_returning";
    case FunctionClass::aggregate: return "aggregate";
    case FunctionClass::value_aggregate: return "value_aggregate";
    case FunctionClass::window: return "window";
    case FunctionClass::value_window: return "value_window";
    case FunctionClass::catalogue: return "catalogue";
    case FunctionClass::session: return "session";
    case FunctionClass::vector: return "vector";
    case FunctionClass::extension: return "extension";
    case FunctionClass::dangerous: return "dangerous";
    case FunctionClass::unvouched: return "unvouched";
  }
  return "unvouched";
}

std::string_view explain(Danger danger) {
  switch (danger) {
    case Danger::none: return "does nothing dangerous";
    case Danger::runs_sql: return "runs SQL that it is given as text";
    case Danger::reads_relation: return "reads a relation that it is given by name";
    case Danger::reads_file: return "reads files of the server";
    case Danger::writes_file: return "writes files of the server";
    case Danger::changes_session: return "changes settings or state behind the gateway's back";
    case Danger::changes_server: return "changes the state of the server";
    case Danger::reads_statistics: return "shows statistics or activity, which hold values of rows";
    case Danger::large_object: return "reads or writes large objects";
    case Danger::sleeps: return "holds the connection, so that time becomes an answer";
    case Danger::reaches_network: return "reaches other servers";
  }
  return "is not vouched for";
}

std::optional<FunctionFacts> builtin_function(std::string_view name) {
  const auto& index = builtin_index();
  auto found = index.find(name);
  if (found == index.end()) return std::nullopt;
  return found->second;
}

bool keeps_one_value(std::string_view aggregate) {
  constexpr std::string_view kNames[] = {
      "any_value", "bit_and", "bit_or",          "bit_xor",         "max",
      "min",       "mode",    "percentile_cont", "percentile_disc", "range_intersect_agg"};
  return holds(kNames, aggregate);
}

bool is_unforeseeable(std::string_view function) {
  constexpr std::string_view kNames[] = {"gen_random_bytes",      "gen_random_uuid",       "gen_salt",
                                         "pgp_pub_encrypt",       "pgp_pub_encrypt_bytea", "pgp_sym_encrypt",
                                         "pgp_sym_encrypt_bytea", "uuid_generate_v4"};
  return holds(kNames, function);
}

bool tells_order_of_calls(std::string_view function) {
  constexpr std::string_view kNames[] = {
      "array_sample", "array_shuffle", "clock_timestamp", "currval", "lastval",   "nextval", "normal_rand",
      "pg_notify",    "random",        "random_normal",   "setseed", "timeofday", "uuidv7"};
  return function.starts_with("pg_advisory_") || function.starts_with("pg_try_advisory_") ||
         function.starts_with("uuid_generate_v1") || holds(kNames, function);
}

bool is_builtin_operator(std::string_view symbol) {
  return holds(builtin::kOperators, symbol);
}

FunctionFacts extension_function(std::string_view extension, std::string_view name) {
  for (const auto& entry : kExtensionDangers) {
    if (entry.extension != extension) continue;
    if (entry.name.empty() || entry.name == name) return {FunctionClass::dangerous, entry.danger};
  }
  if (!is_vouched_extension(extension)) return {FunctionClass::unvouched, Danger::none};
  if (extension == "vector") {
    return {holds(kVectorAggregates, name) ? FunctionClass::aggregate : FunctionClass::vector, Danger::none};
  }
  return {FunctionClass::extension, Danger::none};
}

bool is_vouched_extension(std::string_view extension) {
  return holds(kVouchedExtensions, extension);
}

std::optional<VectorDistance> distance_function(std::string_view name) {
  for (const auto& entry : kDistances) {
    if (entry.function == name) return entry.distance;
  }
  return std::nullopt;
}

std::optional<VectorDistance> distance_operator(std::string_view name) {
  for (const auto& entry : kDistances) {
    if (entry.distance.operator_name == name && !entry.distance.negated) return entry.distance;
  }
  return std::nullopt;
}

std::optional<Danger> dangerous_system_relation(std::string_view schema, std::string_view name) {
  if (schema == "information_schema") {
    if (holds(kSecretInformationSchema, name)) return Danger::reads_statistics;
    return std::nullopt;
  }
  if (schema == "pg_catalog") {
    if (holds(kHarmlessSystemRelations, name)) return std::nullopt;
    if (name.starts_with("pg_largeobject")) return Danger::large_object;
    return Danger::reads_statistics;
  }
  if (schema.starts_with("pg_toast")) return Danger::reads_relation;
  return std::nullopt;
}

}  // namespace sluice::postgres
