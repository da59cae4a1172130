// The functions of schema pg_catalog that Sluice knows, by theme: names only, because what a name may do is the same for
// all its overloads here. functions.cc searches them; functions_test.cc proves that they are sorted and disjoint.
//
// Left out on purpose, so unvouched: the functions behind operators (int4pl), input and output functions, transition
// functions of aggregates, statistics counters (pg_stat_get_*), anything that is for extensions and back ends only.
// Source: pg_proc of PostgreSQL 15, 16 and 18, and the chapter "Functions and Operators" of each.
#pragma once

#include <span>
#include <string_view>

#include "systems/postgres/catalogue/functions.h"

namespace sluice::postgres::builtin {

// Arithmetic. Randomness too: it tells nothing about rows.
inline constexpr std::string_view kMath[] = {
    "abs", "acos", "acosd", "acosh", "asin", "asind", "asinh", "atan", "atan2", "atan2d", "atand", "atanh",
    "cbrt", "ceil", "ceiling", "cos", "cosd", "cosh", "cot", "cotd", "degrees", "div", "erf", "erfc", "exp",
    "factorial", "floor", "gamma", "gcd", "lcm", "lgamma", "ln", "log", "log10", "min_scale", "mod",
    "num_nonnulls", "num_nulls", "pi", "pow", "power", "radians", "random", "random_normal", "round",
    "scale", "setseed", "sign", "sin", "sind", "sinh", "sqrt", "tan", "tand", "tanh", "trim_scale", "trunc",
    "width_bucket"};

// Strings and bytes, with what the grammar turns LIKE, SIMILAR TO, TRIM, SUBSTRING and POSITION into.
inline constexpr std::string_view kText[] = {
    "ascii", "bit_count", "bit_length", "btrim", "casefold", "char_length", "character_length", "chr",
    "concat", "concat_ws", "convert", "convert_from", "convert_to", "crc32", "crc32c", "decode", "encode",
    "format", "get_bit", "get_byte", "icu_unicode_version", "initcap", "is_normalized", "left", "length",
    "like", "like_escape", "lower", "lpad", "ltrim", "md5", "normalize", "notlike", "octet_length",
    "overlay", "parse_ident", "pg_size_bytes", "pg_size_pretty", "position", "quote_ident", "quote_literal",
    "quote_nullable", "regexp_count", "regexp_instr", "regexp_like", "regexp_match", "regexp_replace",
    "regexp_split_to_array", "regexp_substr", "repeat", "replace", "reverse", "right", "rpad", "rtrim",
    "set_bit", "set_byte", "sha224", "sha256", "sha384", "sha512", "similar_escape", "similar_to_escape",
    "split_part", "starts_with", "string_to_array", "strpos", "substr", "substring", "textlen", "to_ascii",
    "to_bin", "to_char", "to_hex", "to_number", "to_oct", "translate", "unicode_assigned",
    "unicode_version", "unistr", "upper"};

// Casts written as functions: date(x), text(x).
inline constexpr std::string_view kConversion[] = {
    "bit", "bool", "bpchar", "bytea", "char", "date", "float4", "float8", "int2", "int4", "int8",
    "interval", "macaddr", "macaddr8", "money", "name", "numeric", "oid", "pg_lsn", "regclass", "text",
    "time", "timestamp", "timestamptz", "timetz", "varbit", "varchar", "xid"};

// Dates and times.
inline constexpr std::string_view kDateTime[] = {
    "age", "clock_timestamp", "date_add", "date_bin", "date_part", "date_subtract", "date_trunc", "extract",
    "isfinite", "justify_days", "justify_hours", "justify_interval", "make_date", "make_interval",
    "make_time", "make_timestamp", "make_timestamptz", "now", "overlaps", "statement_timestamp",
    "timeofday", "timezone", "to_date", "to_timestamp", "transaction_timestamp"};

// JSON that is computed from the arguments.
inline constexpr std::string_view kJson[] = {
    "array_to_json", "json_array_length", "json_build_array", "json_build_object", "json_extract_path",
    "json_extract_path_text", "json_object", "json_populate_record", "json_strip_nulls", "json_to_record",
    "json_typeof", "jsonb_array_length", "jsonb_build_array", "jsonb_build_object", "jsonb_extract_path",
    "jsonb_extract_path_text", "jsonb_insert", "jsonb_object", "jsonb_path_exists", "jsonb_path_exists_tz",
    "jsonb_path_match", "jsonb_path_match_tz", "jsonb_path_query_array", "jsonb_path_query_array_tz",
    "jsonb_path_query_first", "jsonb_path_query_first_tz", "jsonb_populate_record",
    "jsonb_populate_record_valid", "jsonb_pretty", "jsonb_set", "jsonb_set_lax", "jsonb_strip_nulls",
    "jsonb_to_record", "jsonb_typeof", "row_to_json", "to_json", "to_jsonb"};

// Arrays and enumerations.
inline constexpr std::string_view kArray[] = {
    "array_append", "array_cat", "array_dims", "array_fill", "array_length", "array_lower", "array_ndims",
    "array_position", "array_positions", "array_prepend", "array_remove", "array_replace", "array_reverse",
    "array_sample", "array_shuffle", "array_sort", "array_to_string", "array_to_tsvector", "array_upper",
    "cardinality", "enum_first", "enum_last", "enum_range", "trim_array"};

// Ranges and multiranges.
inline constexpr std::string_view kRanges[] = {
    "datemultirange", "daterange", "int4multirange", "int4range", "int8multirange", "int8range", "isempty",
    "lower_inc", "lower_inf", "multirange", "nummultirange", "numrange", "range_merge", "tsmultirange",
    "tsrange", "tstzmultirange", "tstzrange", "upper_inc", "upper_inf"};

// Text search, without those that take SQL text (ts_stat, ts_rewrite).
inline constexpr std::string_view kTextSearch[] = {
    "get_current_ts_config", "json_to_tsvector", "jsonb_to_tsvector", "numnode", "phraseto_tsquery",
    "plainto_tsquery", "querytree", "setweight", "strip", "to_tsquery", "to_tsvector", "ts_delete",
    "ts_filter", "ts_headline", "ts_lexize", "ts_rank", "ts_rank_cd", "tsquery_phrase", "tsvector_to_array",
    "websearch_to_tsquery"};

// Network addresses, geometry, XML over values.
inline constexpr std::string_view kNetworkGeometryXml[] = {
    "abbrev", "area", "box", "broadcast", "center", "circle", "diagonal", "diameter", "family", "height",
    "host", "hostmask", "inet_merge", "inet_same_family", "isclosed", "ishorizontal", "isopen",
    "isparallel", "isperp", "isvertical", "line", "lseg", "macaddr8_set7bit", "masklen", "netmask",
    "network", "npoints", "path", "pclose", "point", "polygon", "popen", "radius", "set_masklen", "slope",
    "width", "xml", "xml_is_well_formed", "xml_is_well_formed_content", "xml_is_well_formed_document",
    "xmlcomment", "xmlconcat2", "xmlexists", "xmltext", "xpath", "xpath_exists"};

// UUIDs.
inline constexpr std::string_view kUuid[] = {
    "gen_random_uuid", "uuid_extract_timestamp", "uuid_extract_version", "uuidv4", "uuidv7"};

// About a value, not about a row.
inline constexpr std::string_view kValueFacts[] = {
    "pg_collation_for", "pg_column_compression", "pg_column_size", "pg_typeof", "pg_wal_lsn_diff"};

// Rows computed from the arguments.
inline constexpr std::string_view kSetReturning[] = {
    "generate_series", "generate_subscripts", "json_array_elements", "json_array_elements_text",
    "json_each", "json_each_text", "json_object_keys", "json_populate_recordset", "json_to_recordset",
    "jsonb_array_elements", "jsonb_array_elements_text", "jsonb_each", "jsonb_each_text",
    "jsonb_object_keys", "jsonb_path_query", "jsonb_path_query_tz", "jsonb_populate_recordset",
    "jsonb_to_recordset", "regexp_matches", "regexp_split_to_table", "string_to_table", "ts_debug",
    "ts_parse", "ts_token_type", "unnest"};

// Aggregates whose result is not one of the inputs.
inline constexpr std::string_view kAggregates[] = {
    "avg", "bool_and", "bool_or", "corr", "count", "covar_pop", "covar_samp", "every", "regr_avgx",
    "regr_avgy", "regr_count", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy",
    "regr_syy", "stddev", "stddev_pop", "stddev_samp", "sum", "var_pop", "var_samp", "variance"};

// Aggregates whose result holds inputs: they count their inputs as records.
inline constexpr std::string_view kValueAggregates[] = {
    "any_value", "array_agg", "bit_and", "bit_or", "bit_xor", "json_agg", "json_agg_strict",
    "json_object_agg", "json_object_agg_strict", "json_object_agg_unique", "json_object_agg_unique_strict",
    "jsonb_agg", "jsonb_agg_strict", "jsonb_object_agg", "jsonb_object_agg_strict",
    "jsonb_object_agg_unique", "jsonb_object_agg_unique_strict", "max", "min", "mode", "percentile_cont",
    "percentile_disc", "range_agg", "range_intersect_agg", "string_agg", "xmlagg"};

// Positions within a window; as hypothetical-set aggregates too.
inline constexpr std::string_view kWindow[] = {
    "cume_dist", "dense_rank", "ntile", "percent_rank", "rank", "row_number"};

// Values of other rows of the window.
inline constexpr std::string_view kValueWindow[] = {
    "first_value", "lag", "last_value", "lead", "nth_value"};

// About the schema: what psql's backslash commands, drivers and ORMs ask.
inline constexpr std::string_view kCatalogue[] = {
    "acldefault", "aclexplode", "col_description", "format_type", "has_any_column_privilege",
    "has_column_privilege", "has_database_privilege", "has_foreign_data_wrapper_privilege",
    "has_function_privilege", "has_language_privilege", "has_parameter_privilege", "has_schema_privilege",
    "has_sequence_privilege", "has_server_privilege", "has_table_privilege", "has_tablespace_privilege",
    "has_type_privilege", "makeaclitem", "mxid_age", "obj_description", "oidvectortypes",
    "pg_available_extension_versions", "pg_available_extensions", "pg_basetype", "pg_char_to_encoding",
    "pg_collation_actual_version", "pg_collation_is_visible", "pg_column_is_updatable",
    "pg_conversion_is_visible", "pg_database_collation_actual_version", "pg_database_size",
    "pg_describe_object", "pg_encoding_max_length", "pg_encoding_to_char", "pg_extension_update_paths",
    "pg_function_is_visible", "pg_get_acl", "pg_get_catalog_foreign_keys", "pg_get_constraintdef",
    "pg_get_expr", "pg_get_function_arg_default", "pg_get_function_arguments",
    "pg_get_function_identity_arguments", "pg_get_function_result", "pg_get_function_sqlbody",
    "pg_get_functiondef", "pg_get_indexdef", "pg_get_keywords", "pg_get_object_address",
    "pg_get_partition_constraintdef", "pg_get_partkeydef", "pg_get_publication_tables",
    "pg_get_replica_identity_index", "pg_get_ruledef", "pg_get_serial_sequence", "pg_get_statisticsobjdef",
    "pg_get_statisticsobjdef_columns", "pg_get_statisticsobjdef_expressions", "pg_get_triggerdef",
    "pg_get_userbyid", "pg_get_viewdef", "pg_has_role", "pg_identify_object",
    "pg_identify_object_as_address", "pg_index_column_has_property", "pg_index_has_property",
    "pg_indexam_has_property", "pg_indexes_size", "pg_opclass_is_visible", "pg_operator_is_visible",
    "pg_opfamily_is_visible", "pg_options_to_table", "pg_partition_ancestors", "pg_partition_root",
    "pg_partition_tree", "pg_relation_is_publishable", "pg_relation_is_updatable", "pg_relation_size",
    "pg_sequence_last_value", "pg_sequence_parameters", "pg_settings_get_flags", "pg_show_all_settings",
    "pg_statistics_obj_is_visible", "pg_table_is_visible", "pg_table_size", "pg_tablespace_location",
    "pg_tablespace_size", "pg_timezone_abbrevs", "pg_timezone_abbrevs_abbrevs", "pg_timezone_abbrevs_zone",
    "pg_timezone_names", "pg_total_relation_size", "pg_ts_config_is_visible", "pg_ts_dict_is_visible",
    "pg_ts_parser_is_visible", "pg_ts_template_is_visible", "pg_type_is_visible", "row_security_active",
    "satisfies_hash_partition", "shobj_description", "to_regclass", "to_regcollation", "to_regnamespace",
    "to_regoper", "to_regoperator", "to_regproc", "to_regprocedure", "to_regrole", "to_regtype",
    "to_regtypemod"};

// About the own session and server, and the session's own locks and sequences (langchain-postgres takes an advisory
// lock to create the extension; ORMs draw keys with nextval).
inline constexpr std::string_view kSession[] = {
    "current_catalog", "current_database", "current_query", "current_role", "current_schema",
    "current_schemas", "current_setting", "current_user", "currval", "getdatabaseencoding", "getpgusername",
    "inet_client_addr", "inet_client_port", "inet_server_addr", "inet_server_port", "lastval", "nextval",
    "pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_unlock", "pg_advisory_unlock_all",
    "pg_advisory_unlock_shared", "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared", "pg_backend_pid",
    "pg_client_encoding", "pg_conf_load_time", "pg_current_snapshot", "pg_current_wal_flush_lsn",
    "pg_current_wal_insert_lsn", "pg_current_wal_lsn", "pg_current_xact_id",
    "pg_current_xact_id_if_assigned", "pg_is_in_recovery", "pg_is_other_temp_schema", "pg_jit_available",
    "pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn", "pg_last_xact_replay_timestamp",
    "pg_listening_channels", "pg_my_temp_schema", "pg_postmaster_start_time", "pg_snapshot_xip",
    "pg_snapshot_xmax", "pg_snapshot_xmin", "pg_trigger_depth", "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared", "pg_try_advisory_xact_lock", "pg_try_advisory_xact_lock_shared",
    "pg_xact_status", "session_user", "system_user", "txid_current", "txid_current_if_assigned",
    "txid_current_snapshot", "txid_snapshot_xip", "txid_snapshot_xmax", "txid_snapshot_xmin", "txid_status",
    "version"};

// What must never run while masks are in force, by the reason that the client is told.
inline constexpr std::string_view kRunsSql[] = {
    "cursor_to_xml", "cursor_to_xmlschema", "pg_input_error_info", "pg_input_is_valid", "query_to_xml",
    "query_to_xml_and_xmlschema", "query_to_xmlschema", "ts_rewrite", "ts_stat"};

inline constexpr std::string_view kReadsRelation[] = {
    "currtid2", "database_to_xml", "database_to_xml_and_xmlschema", "database_to_xmlschema",
    "pg_column_toast_chunk_id", "pg_get_sequence_data", "pg_logical_slot_get_binary_changes",
    "pg_logical_slot_get_changes", "pg_logical_slot_peek_binary_changes", "pg_logical_slot_peek_changes",
    "schema_to_xml", "schema_to_xml_and_xmlschema", "schema_to_xmlschema", "table_to_xml",
    "table_to_xml_and_xmlschema", "table_to_xmlschema"};

inline constexpr std::string_view kReadsFile[] = {
    "pg_available_wal_summaries", "pg_config", "pg_current_logfile", "pg_filenode_relation",
    "pg_hba_file_rules", "pg_ident_file_mappings", "pg_ls_archive_statusdir", "pg_ls_dir", "pg_ls_logdir",
    "pg_ls_logicalmapdir", "pg_ls_logicalsnapdir", "pg_ls_replslotdir", "pg_ls_summariesdir",
    "pg_ls_tmpdir", "pg_ls_waldir", "pg_read_binary_file", "pg_read_file", "pg_read_file_old",
    "pg_relation_filenode", "pg_relation_filepath", "pg_show_all_file_settings", "pg_stat_file",
    "pg_wal_summary_contents"};

inline constexpr std::string_view kChangesSession[] = {
    "pg_export_snapshot", "pg_notify", "set_config", "setval"};

inline constexpr std::string_view kChangesServer[] = {
    "brin_desummarize_range", "brin_summarize_new_values", "brin_summarize_range", "gin_clean_pending_list",
    "pg_backup_start", "pg_backup_stop", "pg_cancel_backend", "pg_clear_attribute_stats",
    "pg_clear_relation_stats", "pg_copy_logical_replication_slot", "pg_copy_physical_replication_slot",
    "pg_create_logical_replication_slot", "pg_create_physical_replication_slot", "pg_create_restore_point",
    "pg_drop_replication_slot", "pg_extension_config_dump", "pg_import_system_collations",
    "pg_log_backend_memory_contexts", "pg_log_standby_snapshot", "pg_logical_emit_message", "pg_promote",
    "pg_reload_conf", "pg_replication_origin_advance", "pg_replication_origin_create",
    "pg_replication_origin_drop", "pg_replication_origin_session_reset",
    "pg_replication_origin_session_setup", "pg_replication_origin_xact_reset",
    "pg_replication_origin_xact_setup", "pg_replication_slot_advance", "pg_restore_attribute_stats",
    "pg_restore_relation_stats", "pg_rotate_logfile", "pg_rotate_logfile_old", "pg_start_backup",
    "pg_stat_clear_snapshot", "pg_stat_reset", "pg_stat_reset_backend_stats",
    "pg_stat_reset_replication_slot", "pg_stat_reset_shared", "pg_stat_reset_single_function_counters",
    "pg_stat_reset_single_table_counters", "pg_stat_reset_slru", "pg_stat_reset_subscription_stats",
    "pg_stop_backup", "pg_switch_wal", "pg_sync_replication_slots", "pg_terminate_backend",
    "pg_wal_replay_pause", "pg_wal_replay_resume"};

inline constexpr std::string_view kReadsStatistics[] = {
    "pg_blocking_pids", "pg_cursor", "pg_get_backend_memory_contexts", "pg_lock_status",
    "pg_mcv_list_items", "pg_prepared_statement", "pg_prepared_xact", "pg_stat_get_activity",
    "pg_stat_get_backend_activity", "pg_stat_get_wal_senders"};

inline constexpr std::string_view kLargeObject[] = {
    "has_largeobject_privilege", "lo_close", "lo_creat", "lo_create", "lo_export", "lo_from_bytea",
    "lo_get", "lo_import", "lo_lseek", "lo_lseek64", "lo_open", "lo_put", "lo_tell", "lo_tell64",
    "lo_truncate", "lo_truncate64", "lo_unlink", "loread", "lowrite"};

inline constexpr std::string_view kSleeps[] = {
    "pg_sleep", "pg_sleep_for", "pg_sleep_until"};

struct Theme {
  std::span<const std::string_view> names;
  FunctionFacts facts;
};
inline constexpr Theme kThemes[] = {
    {kMath, {FunctionClass::plain, Danger::none}},
    {kText, {FunctionClass::plain, Danger::none}},
    {kConversion, {FunctionClass::plain, Danger::none}},
    {kDateTime, {FunctionClass::plain, Danger::none}},
    {kJson, {FunctionClass::plain, Danger::none}},
    {kArray, {FunctionClass::plain, Danger::none}},
    {kRanges, {FunctionClass::plain, Danger::none}},
    {kTextSearch, {FunctionClass::plain, Danger::none}},
    {kNetworkGeometryXml, {FunctionClass::plain, Danger::none}},
    {kUuid, {FunctionClass::plain, Danger::none}},
    {kValueFacts, {FunctionClass::plain, Danger::none}},
    {kSetReturning, {FunctionClass::set_returning, Danger::none}},
    {kAggregates, {FunctionClass::aggregate, Danger::none}},
    {kValueAggregates, {FunctionClass::value_aggregate, Danger::none}},
    {kWindow, {FunctionClass::window, Danger::none}},
    {kValueWindow, {FunctionClass::value_window, Danger::none}},
    {kCatalogue, {FunctionClass::catalogue, Danger::none}},
    {kSession, {FunctionClass::session, Danger::none}},
    {kRunsSql, {FunctionClass::dangerous, Danger::runs_sql}},
    {kReadsRelation, {FunctionClass::dangerous, Danger::reads_relation}},
    {kReadsFile, {FunctionClass::dangerous, Danger::reads_file}},
    {kChangesSession, {FunctionClass::dangerous, Danger::changes_session}},
    {kChangesServer, {FunctionClass::dangerous, Danger::changes_server}},
    {kReadsStatistics, {FunctionClass::dangerous, Danger::reads_statistics}},
    {kLargeObject, {FunctionClass::dangerous, Danger::large_object}},
    {kSleeps, {FunctionClass::dangerous, Danger::sleeps}},
};

// Symbols that pg_catalog has operators for. All of them compute from their operands.
inline constexpr std::string_view kOperators[] = {
    "!!", "!~", "!~*", "!~~", "!~~*", "#", "##", "#-", "#>", "#>>", "%", "&", "&&", "&<", "&<|", "&>", "*",
    "*<", "*<=", "*<>", "*=", "*>", "*>=", "+", "-", "->", "->>", "-|-", "/", "<", "<->", "<<", "<<=",
    "<<|", "<=", "<>", "<@", "<^", "=", ">", ">=", ">>", ">>=", ">^", "?", "?#", "?&", "?-", "?-|", "?|",
    "?||", "@", "@-@", "@>", "@?", "@@", "@@@", "^", "^@", "|", "|&>", "|/", "|>>", "||", "||/", "~", "~*",
    "~<=~", "~<~", "~=", "~>=~", "~>~", "~~", "~~*"};

}  // namespace sluice::postgres::builtin
