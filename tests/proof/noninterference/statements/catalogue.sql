-- Reads of the catalogue, one a line. {relation} is a name, {regclass} its OID. (Counters of pg_stat_* are
-- not read: they come late, by the clock.)
SELECT attname, atttypid::regtype, attnotnull, pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = {regclass} ORDER BY attnum
SELECT attname, attmissingval FROM pg_attribute WHERE attrelid = {regclass} ORDER BY attnum
SELECT relname, relpages, reltuples, relallvisible FROM pg_class WHERE oid = {regclass} OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = {regclass}) ORDER BY 1
SELECT pg_relation_size({regclass}), pg_total_relation_size({regclass}), pg_indexes_size({regclass}), pg_table_size({regclass})
SELECT indexrelid::regclass, pg_get_indexdef(indexrelid), pg_relation_size(indexrelid) FROM pg_index WHERE indrelid = {regclass} ORDER BY 1
SELECT indexrelid::regclass, pg_relation_size(indexrelid, 'fsm'), pg_relation_size(indexrelid, 'vm') FROM pg_index WHERE indrelid = {regclass} ORDER BY 1
SELECT * FROM pg_stats WHERE tablename = '{relation}'
SELECT * FROM pg_statistic WHERE starelid = {regclass}
SELECT * FROM pg_statistic_ext_data
SELECT * FROM pg_stats_ext
SELECT * FROM pg_stats_ext_exprs
SELECT stxname, stxkeys FROM pg_statistic_ext
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = {regclass} ORDER BY 1
SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1
SELECT matviewname, definition, ispopulated FROM pg_matviews
SELECT * FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position
SELECT * FROM information_schema.table_constraints WHERE table_schema = 'public' ORDER BY constraint_name
SELECT * FROM information_schema.sequences
SELECT * FROM information_schema.views WHERE table_schema = 'public' ORDER BY table_name
SELECT query FROM pg_stat_activity
SELECT locktype, mode, relation::regclass FROM pg_locks
SELECT last_value FROM counter
SELECT * FROM counter
SELECT * FROM pg_sequences
SELECT name, setting FROM pg_settings WHERE name LIKE 'w%' ORDER BY 1
SELECT typname, enumlabel FROM pg_enum JOIN pg_type t ON t.oid = enumtypid ORDER BY enumsortorder
SELECT * FROM pg_cursors
SELECT name, statement FROM pg_prepared_statements
SELECT obj_description({regclass}), col_description({regclass}, 2), has_table_privilege({regclass}, 'SELECT')
SELECT partexprs, pg_get_partkeydef(partrelid) FROM pg_partitioned_table ORDER BY 2
SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition ORDER BY 1
SELECT reltoastrelid::regclass FROM pg_class WHERE oid = {regclass}
SELECT count(*) FROM pg_toast.pg_toast_16384
SELECT brin_summarize_new_values('things_h_date_o_date_idx')
SELECT gin_clean_pending_list('people_note')
SELECT * FROM pg_stat_statements
SELECT * FROM pg_publication_tables
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1
SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosrc LIKE '%email%'
SELECT relfilenode > 0, relfrozenxid IS NULL, relacl FROM pg_class WHERE oid = {regclass}
SELECT * FROM pg_partition_tree('events'), pg_partition_ancestors('events_2a')
SELECT to_regclass('{relation}'), pg_describe_object('pg_class'::regclass, {regclass}, 0)
SELECT amname, opcname FROM pg_opclass JOIN pg_am ON opcmethod = pg_am.oid WHERE opcname LIKE 'vector%' ORDER BY 2
SELECT * FROM pg_largeobject
SELECT * FROM pg_backend_memory_contexts
SELECT * FROM pg_hba_file_rules
SELECT rolname, rolpassword FROM pg_authid
SELECT usename, passwd FROM pg_shadow
SELECT rolname FROM pg_roles ORDER BY 1
SELECT version(), current_user, session_user, current_database(), current_schemas(true)
SHOW search_path
SHOW server_version
