#include "systems/postgres/catalogue/queries.h"

namespace sluice::postgres::catalogue_queries {

// Temporary relations are left out, so that sessions that make and drop them do not make everyone read anew;
// of a session's own, what it does itself tells (proxy/pg/catalogue/catalogue_reader.h).
const std::string_view kStaleness = R"(
SELECT pg_catalog.concat_ws('|',
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(c.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_class c WHERE c.relpersistence OPERATOR(pg_catalog.<>) 't'),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(a.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_attribute a WHERE NOT a.attrelid OPERATOR(pg_catalog.=) ANY (ARRAY(
       SELECT t.oid FROM pg_catalog.pg_class t WHERE t.relpersistence OPERATOR(pg_catalog.=) 't'))),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(t.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_type t WHERE NOT t.typrelid OPERATOR(pg_catalog.=) ANY (ARRAY(
       SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relpersistence OPERATOR(pg_catalog.=) 't'))
     AND t.typelem OPERATOR(pg_catalog.=) 0::pg_catalog.oid),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(i.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_index i WHERE NOT i.indrelid OPERATOR(pg_catalog.=) ANY (ARRAY(
       SELECT t.oid FROM pg_catalog.pg_class t WHERE t.relpersistence OPERATOR(pg_catalog.=) 't'))),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_proc x),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_operator x),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_cast x),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_rewrite x),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_inherits x),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_constraint x),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_trigger x),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_enum x),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_extension x),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_statistic_ext x),
  (SELECT pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8))
     FROM pg_catalog.pg_namespace x WHERE NOT pg_catalog.starts_with(x.nspname::pg_catalog.text, 'pg_t'))))";

const std::string_view kServer = R"(
SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.text,
       pg_catalog.current_database()::pg_catalog.text,
       CURRENT_USER::pg_catalog.text,
       (SELECT n.nspname::pg_catalog.text FROM pg_catalog.pg_extension e
          JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
         WHERE e.extname OPERATOR(pg_catalog.=) 'vector'::pg_catalog.name))";

const std::string_view kSchemas = R"(
SELECT 'path'::pg_catalog.text, p.name::pg_catalog.text
  FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS p(name, place)
UNION ALL
SELECT 'schema'::pg_catalog.text, n.nspname::pg_catalog.text
  FROM pg_catalog.pg_namespace n
 WHERE NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_temp_')
   AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_toast'))";

const std::string_view kRelations = R"(
SELECT c.oid::pg_catalog.text,
       CASE WHEN c.relpersistence OPERATOR(pg_catalog.=) 't'::pg_catalog."char" THEN 'pg_temp'::pg_catalog.text
            ELSE n.nspname::pg_catalog.text END,
       c.relname::pg_catalog.text, c.relkind::pg_catalog.text,
       c.reltuples::pg_catalog.int8::pg_catalog.text, c.relrowsecurity::pg_catalog.text,
       (EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.ev_class OPERATOR(pg_catalog.=) c.oid
          AND r.rulename OPERATOR(pg_catalog.<>) '_RETURN'::pg_catalog.name))::pg_catalog.text,
       (c.oid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid)::pg_catalog.text
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'm', 'f', 'S', 'c']::pg_catalog."char"[])
   AND (c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
        OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
 ORDER BY c.oid)";

// Of a default, the stored tree is read by its words, as for kViews. What it calls moves unless it is
// immutable, or one of those that nobody steers.
const std::string_view kColumns = R"(
SELECT a.attrelid::pg_catalog.text, a.attnum::pg_catalog.text, a.attname::pg_catalog.text,
       a.atttypid::pg_catalog.oid::pg_catalog.text, a.atttypmod::pg_catalog.text, a.attnotnull::pg_catalog.text,
       (a.attgenerated OPERATOR(pg_catalog.<>) ''::pg_catalog."char")::pg_catalog.text,
       (a.attidentity OPERATOR(pg_catalog.<>) ''::pg_catalog."char")::pg_catalog.text,
       a.atthasdef::pg_catalog.text,
       (CASE WHEN a.attrelid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid THEN true
             ELSE pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT') END)::pg_catalog.text,
       CASE WHEN a.attgenerated OPERATOR(pg_catalog.<>) ''::pg_catalog."char" THEN
         (SELECT pg_catalog.string_agg(DISTINCT d.refobjsubid::pg_catalog.text, ' ')
            FROM pg_catalog.pg_depend d
           WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
             AND d.refobjid OPERATOR(pg_catalog.=) a.attrelid
             AND d.refobjsubid OPERATOR(pg_catalog.>) 0
             AND d.refobjsubid OPERATOR(pg_catalog.<>) a.attnum
             AND ((d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
                   AND d.objid OPERATOR(pg_catalog.=) a.attrelid AND d.objsubid OPERATOR(pg_catalog.=) a.attnum)
               OR (d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass::pg_catalog.oid
                   AND d.objid OPERATOR(pg_catalog.=)
                       (SELECT f.oid FROM pg_catalog.pg_attrdef f WHERE f.adrelid OPERATOR(pg_catalog.=) a.attrelid
                         AND f.adnum OPERATOR(pg_catalog.=) a.attnum))))
       END,
       (a.attidentity OPERATOR(pg_catalog.<>) ''::pg_catalog."char"
        OR (a.atthasdef AND a.attgenerated OPERATOR(pg_catalog.=) ''::pg_catalog."char" AND EXISTS (
          SELECT 1 FROM pg_catalog.pg_attrdef f
           CROSS JOIN LATERAL pg_catalog.regexp_matches(f.adbin::pg_catalog.text,
                   ':(funcid|opfuncid) ([0-9]+)|[{](SQLVALUEFUNCTION|NEXTVALUEEXPR)', 'g') AS m(word)
            LEFT JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) m.word[2]::pg_catalog.oid
           WHERE f.adrelid OPERATOR(pg_catalog.=) a.attrelid AND f.adnum OPERATOR(pg_catalog.=) a.attnum
             AND (p.oid IS NULL OR NOT (p.provolatile OPERATOR(pg_catalog.=) 'i'::pg_catalog."char"
                  OR p.proname OPERATOR(pg_catalog.=) ANY (ARRAY['clock_timestamp', 'gen_random_uuid', 'now', 'random',
                       'statement_timestamp', 'transaction_timestamp', 'uuid_generate_v1', 'uuid_generate_v1mc',
                       'uuid_generate_v4', 'uuidv4', 'uuidv7']::pg_catalog.name[]))))))::pg_catalog.text
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) a.attrelid
 WHERE a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped
   AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'm', 'f', 'S', 'c']::pg_catalog."char"[])
   AND (c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
        OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
 ORDER BY a.attrelid, a.attnum)";

const std::string_view kIndexes = R"(
SELECT i.indrelid::pg_catalog.text, i.indexrelid::pg_catalog.text, c.relname::pg_catalog.text,
       m.amname::pg_catalog.text,
       (i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL)
         ::pg_catalog.text,
       i.indisprimary::pg_catalog.text,
       (SELECT pg_catalog.string_agg(k.attnum::pg_catalog.text, ' ' ORDER BY k.place)
          FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k(attnum, place)
         WHERE k.place OPERATOR(pg_catalog.<=) i.indnkeyatts),
       pg_catalog.concat_ws(' ', i.indkey::pg_catalog.text,
         (SELECT pg_catalog.string_agg(DISTINCT d.refobjsubid::pg_catalog.text, ' ')
            FROM pg_catalog.pg_depend d
           WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
             AND d.objid OPERATOR(pg_catalog.=) i.indexrelid
             AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
             AND d.refobjid OPERATOR(pg_catalog.=) i.indrelid))
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_am m ON m.oid OPERATOR(pg_catalog.=) c.relam
 WHERE i.indrelid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
   AND (c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
        OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
 ORDER BY i.indrelid, i.indexrelid)";

const std::string_view kInheritance = R"(
SELECT h.inhrelid::pg_catalog.text, h.inhparent::pg_catalog.text
  FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) h.inhrelid
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'f']::pg_catalog."char"[])
   AND (c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
        OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
 ORDER BY h.inhrelid, h.inhseqno)";

// pg_depend does not hold dependencies on what initdb made (a view over pg_statistic, or one that calls
// query_to_xml), so the stored tree of the definition is read. Names inside of it are escaped; a false match
// can only add.
const std::string_view kViews = R"(
SELECT DISTINCT r.ev_class::pg_catalog.text, m.word[1], m.word[2]
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) r.ev_class
 CROSS JOIN LATERAL pg_catalog.regexp_matches(r.ev_action::pg_catalog.text,
       ':(relid|funcid|opfuncid|aggfnoid|winfnoid) ([0-9]+)', 'g') AS m(word)
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['v', 'm']::pg_catalog."char"[])
   AND r.ev_class OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid)";

// The number is NodeTree::kMaxBytes.
const std::string_view kViewTrees = R"(
SELECT r.ev_class::pg_catalog.text,
       CASE WHEN pg_catalog.octet_length(r.ev_action::pg_catalog.text) OPERATOR(pg_catalog.<=) 1048576
            THEN r.ev_action::pg_catalog.text END
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) r.ev_class
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['v', 'm']::pg_catalog."char"[])
   AND (c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
        OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
   AND r.ev_type OPERATOR(pg_catalog.=) '1'::pg_catalog."char"
   AND r.ev_class OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
 ORDER BY r.ev_class)";

const std::string_view kTypes = R"(
SELECT t.oid::pg_catalog.text, n.nspname::pg_catalog.text, t.typname::pg_catalog.text, t.typtype::pg_catalog.text,
       t.typcategory::pg_catalog.text, t.typbasetype::pg_catalog.oid::pg_catalog.text, t.typtypmod::pg_catalog.text,
       (CASE WHEN t.typcategory OPERATOR(pg_catalog.=) 'A'::pg_catalog."char" THEN t.typelem
             ELSE 0::pg_catalog.oid END)::pg_catalog.text,
       t.typrelid::pg_catalog.oid::pg_catalog.text, t.typnotnull::pg_catalog.text, e.extname::pg_catalog.text,
       (SELECT pg_catalog.string_agg(DISTINCT p.oid::pg_catalog.text, ' ') FROM pg_catalog.pg_cast k
                  JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) k.castfunc
                 WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
                   AND NOT p.prolang OPERATOR(pg_catalog.=) ANY (ARRAY[12, 13]::pg_catalog.oid[])
                   AND (k.castsource OPERATOR(pg_catalog.=) t.oid OR k.casttarget OPERATOR(pg_catalog.=) t.oid)
                   AND (t.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
                        OR (k.castsource OPERATOR(pg_catalog.<) 16384::pg_catalog.oid
                            AND k.casttarget OPERATOR(pg_catalog.<) 16384::pg_catalog.oid))),
       (SELECT l.enumlabel::pg_catalog.text FROM pg_catalog.pg_enum l
         WHERE l.enumtypid OPERATOR(pg_catalog.=) t.oid ORDER BY l.enumsortorder LIMIT 1)
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
  LEFT JOIN pg_catalog.pg_depend d
         ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid
        AND d.objid OPERATOR(pg_catalog.=) t.oid
        AND d.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char"
  LEFT JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
 WHERE NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_t')
 ORDER BY t.oid)";

// The number is NodeTree::kMaxBytes.
const std::string_view kChecks = R"(
SELECT k.contypid::pg_catalog.text,
       CASE WHEN pg_catalog.octet_length(k.conbin::pg_catalog.text) OPERATOR(pg_catalog.<=) 1048576
            THEN k.conbin::pg_catalog.text END
  FROM pg_catalog.pg_constraint k
 WHERE k.contypid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
   AND k.contype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char"
 ORDER BY k.contypid, k.oid)";

// Languages 12 and 13 are internal and C; only a superuser makes functions in them. Those of citext are SQL;
// these four name everything with its schema, and stand for built-in ones that everybody calls. A function
// can be called as `row.function` when one argument is enough and the first is a row type, a domain (over
// one) or polymorphic.
//
// The definition is all that says what a function does, as one JSON array, so that nothing in it can pass for
// something else: kind, language, SECURITY DEFINER and then whose, LEAKPROOF, STRICT, whether it returns a
// set, volatility, parallel safety, types of the arguments and of what it returns (by name), modes and names
// of the arguments, defaults, source (of a C function: symbol and library), settings, a body in standard SQL,
// the planner's support function and the types of TRANSFORM; not cost and rows, which only steer plans.
// Defaults and such a body hold oids, so they differ between databases. pg_get_functiondef would depend on
// the search path. The text stays in the database's encoding: converting it may fail, and all that is read
// here with it.
const std::string_view kFunctions = R"(
SELECT p.oid::pg_catalog.text, n.nspname::pg_catalog.text, p.proname::pg_catalog.text, e.extname::pg_catalog.text,
       (p.prolang OPERATOR(pg_catalog.=) ANY (ARRAY[12, 13]::pg_catalog.oid[])
        OR (e.extname OPERATOR(pg_catalog.=) 'citext'::pg_catalog.name
            AND p.proname OPERATOR(pg_catalog.=) ANY (ARRAY['replace', 'split_part', 'strpos', 'translate']::pg_catalog.name[])
            AND EXISTS (SELECT 1 FROM pg_catalog.pg_roles r
                         WHERE r.oid OPERATOR(pg_catalog.=) p.proowner AND r.rolsuper)))::pg_catalog.text,
       (p.pronargs OPERATOR(pg_catalog.>=) 1::pg_catalog.int2
        AND (p.pronargs OPERATOR(pg_catalog.-) p.pronargdefaults) OPERATOR(pg_catalog.<=) 1
        AND EXISTS (SELECT 1 FROM pg_catalog.pg_type t WHERE t.oid OPERATOR(pg_catalog.=) p.proargtypes[0]
                     AND t.typtype OPERATOR(pg_catalog.=) ANY (ARRAY['c', 'd', 'p']::pg_catalog."char"[])))
         ::pg_catalog.text,
       (p.provolatile OPERATOR(pg_catalog.=) 'v'::pg_catalog."char")::pg_catalog.text,
       (SELECT pg_catalog.string_agg(a.type::pg_catalog.text, ' ' ORDER BY a.place)
          FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) WITH ORDINALITY AS a(type, place)),
       l.lanname::pg_catalog.text,
       (SELECT pg_catalog.concat_ws(' ', a.aggtransfn::pg_catalog.oid, a.aggfinalfn::pg_catalog.oid,
                 a.aggcombinefn::pg_catalog.oid, a.aggserialfn::pg_catalog.oid, a.aggdeserialfn::pg_catalog.oid,
                 a.aggmtransfn::pg_catalog.oid, a.aggminvtransfn::pg_catalog.oid, a.aggmfinalfn::pg_catalog.oid)
          FROM pg_catalog.pg_aggregate a WHERE a.aggfnoid::pg_catalog.oid OPERATOR(pg_catalog.=) p.oid),
       CASE WHEN p.prokind OPERATOR(pg_catalog.<>) 'a'::pg_catalog."char" THEN
         pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.jsonb_build_array(
           p.prokind, l.lanname, p.prosecdef,
           CASE WHEN p.prosecdef THEN pg_catalog.pg_get_userbyid(p.proowner) END,
           p.proleakproof, p.proisstrict, p.proretset, p.provolatile, p.proparallel,
           (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(tn.nspname, t.typname) ORDER BY a.place)
              FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[] OPERATOR(pg_catalog.||) p.proallargtypes
                     OPERATOR(pg_catalog.||) p.prorettype) WITH ORDINALITY AS a(type, place)
              JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.type
              JOIN pg_catalog.pg_namespace tn ON tn.oid OPERATOR(pg_catalog.=) t.typnamespace),
           p.proargmodes, p.proargnames, p.proargdefaults::pg_catalog.text, p.prosrc, p.probin, p.proconfig,
           pg_catalog.to_jsonb(p) OPERATOR(pg_catalog.->>) 'prosqlbody',
           (SELECT pg_catalog.jsonb_build_array(sn.nspname, s.proname) FROM pg_catalog.pg_proc s
              JOIN pg_catalog.pg_namespace sn ON sn.oid OPERATOR(pg_catalog.=) s.pronamespace
             WHERE s.oid OPERATOR(pg_catalog.=) p.prosupport::pg_catalog.oid),
           (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(tn.nspname, t.typname) ORDER BY a.place)
              FROM pg_catalog.unnest(p.protrftypes) WITH ORDINALITY AS a(type, place)
              JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.type
              JOIN pg_catalog.pg_namespace tn ON tn.oid OPERATOR(pg_catalog.=) t.typnamespace))::pg_catalog.text,
           pg_catalog.getdatabaseencoding())), 'hex')
       END
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
  LEFT JOIN pg_catalog.pg_depend d
         ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
        AND d.objid OPERATOR(pg_catalog.=) p.oid
        AND d.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char"
  LEFT JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
 WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
 ORDER BY p.oid)";

const std::string_view kBuiltinRoutines = R"(
SELECT p.oid::pg_catalog.text, p.proname::pg_catalog.text,
       (p.provolatile OPERATOR(pg_catalog.=) 'v'::pg_catalog."char")::pg_catalog.text
  FROM pg_catalog.pg_proc p
 WHERE p.oid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid
 ORDER BY p.oid)";

const std::string_view kOperators = R"(
SELECT o.oid::pg_catalog.text, n.nspname::pg_catalog.text, o.oprname::pg_catalog.text, e.extname::pg_catalog.text,
       COALESCE(p.prolang OPERATOR(pg_catalog.=) ANY (ARRAY[12, 13]::pg_catalog.oid[]), false)::pg_catalog.text,
       (CASE WHEN o.oprrest::pg_catalog.oid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid
              AND o.oprjoin::pg_catalog.oid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid
             THEN o.oprcode::pg_catalog.oid ELSE 0::pg_catalog.oid END)::pg_catalog.text
  FROM pg_catalog.pg_operator o
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
  LEFT JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) o.oprcode
  LEFT JOIN pg_catalog.pg_depend d
         ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_operator'::pg_catalog.regclass::pg_catalog.oid
        AND d.objid OPERATOR(pg_catalog.=) o.oid
        AND d.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char"
  LEFT JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
 WHERE o.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
 ORDER BY o.oid)";

// NULLS NOT DISTINCT came with PostgreSQL 15. An expression of a partition key counts as 0, and that as any
// column.
//
// What an index computes, its expressions only where its condition holds, and then its other columns too
// (of which a long one is an error); what statistics compute, which came with PostgreSQL 14. A column 0: a
// whole row.
const std::string_view kConstraints = R"(
SELECT k.conrelid::pg_catalog.text, k.conname::pg_catalog.text, k.contype::pg_catalog.text,
       pg_catalog.array_to_string(k.conkey, ' '), NULL::pg_catalog.text, 'false'::pg_catalog.text,
       k.confrelid::pg_catalog.oid::pg_catalog.text, pg_catalog.array_to_string(k.confkey, ' '),
       k.confdeltype::pg_catalog.text, k.confupdtype::pg_catalog.text, k.convalidated::pg_catalog.text
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) k.conrelid
 WHERE k.contype OPERATOR(pg_catalog.=) ANY (ARRAY['c', 'f']::pg_catalog."char"[])
   AND k.conrelid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
   AND (c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
        OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
UNION ALL
SELECT i.indrelid::pg_catalog.text, c.relname::pg_catalog.text, 'k'::pg_catalog.text,
       pg_catalog.concat_ws(' ', i.indkey::pg_catalog.text,
         (SELECT pg_catalog.string_agg(DISTINCT d.refobjsubid::pg_catalog.text, ' ')
            FROM pg_catalog.pg_depend d
           WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
             AND d.objid OPERATOR(pg_catalog.=) i.indexrelid
             AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
             AND d.refobjid OPERATOR(pg_catalog.=) i.indrelid
             AND d.refobjsubid OPERATOR(pg_catalog.>) 0)),
       (SELECT pg_catalog.string_agg(n.attnum::pg_catalog.text, ' ' ORDER BY n.place)
          FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS n(attnum, place)
         WHERE n.place OPERATOR(pg_catalog.<=) i.indnkeyatts AND n.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2),
       COALESCE(pg_catalog.to_jsonb(i) OPERATOR(pg_catalog.->>) 'indnullsnotdistinct', 'false')::pg_catalog.text,
       '0'::pg_catalog.text, NULL::pg_catalog.text, 'a'::pg_catalog.text, 'a'::pg_catalog.text, 'true'::pg_catalog.text
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
 WHERE (i.indisunique OR i.indisexclusion) AND i.indrelid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
   AND (c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
        OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
UNION ALL
SELECT p.partrelid::pg_catalog.text, ''::pg_catalog.text, 'p'::pg_catalog.text, p.partattrs::pg_catalog.text,
       NULL::pg_catalog.text, 'false'::pg_catalog.text, '0'::pg_catalog.text, NULL::pg_catalog.text,
       'a'::pg_catalog.text, 'a'::pg_catalog.text, 'true'::pg_catalog.text
  FROM pg_catalog.pg_partitioned_table p
UNION ALL
SELECT i.indrelid::pg_catalog.text, c.relname::pg_catalog.text, 'x'::pg_catalog.text,
       (SELECT pg_catalog.string_agg(DISTINCT all_of.attnum, ' ') FROM (
          SELECT m.word[1] FROM pg_catalog.regexp_matches(
                   pg_catalog.concat(i.indexprs::pg_catalog.text, i.indpred::pg_catalog.text),
                   ':varattno (-?[0-9]+)', 'g') AS m(word)
          UNION ALL
          SELECT k.attnum::pg_catalog.text FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) AS k(attnum)
           WHERE i.indpred IS NOT NULL AND k.attnum OPERATOR(pg_catalog.<>) 0::pg_catalog.int2) AS all_of(attnum)),
       NULL::pg_catalog.text, 'false'::pg_catalog.text, '0'::pg_catalog.text, NULL::pg_catalog.text,
       'a'::pg_catalog.text, 'a'::pg_catalog.text, 'true'::pg_catalog.text
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
 WHERE (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND i.indrelid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
   AND (c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
        OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
UNION ALL
SELECT s.stxrelid::pg_catalog.text, s.stxname::pg_catalog.text, 'x'::pg_catalog.text,
       (SELECT pg_catalog.string_agg(DISTINCT m.word[1], ' ') FROM pg_catalog.regexp_matches(
                 pg_catalog.to_jsonb(s) OPERATOR(pg_catalog.->>) 'stxexprs', ':varattno (-?[0-9]+)', 'g') AS m(word)),
       NULL::pg_catalog.text, 'false'::pg_catalog.text, '0'::pg_catalog.text, NULL::pg_catalog.text,
       'a'::pg_catalog.text, 'a'::pg_catalog.text, 'true'::pg_catalog.text
  FROM pg_catalog.pg_statistic_ext s
 WHERE pg_catalog.to_jsonb(s) OPERATOR(pg_catalog.->>) 'stxexprs' IS NOT NULL
 ORDER BY 1, 3, 2)";

// 'D': disabled; 'R': fires where session_replication_role is replica, which no client may set. Arguments are
// bytes with NULs between them, which no text can hold.
const std::string_view kTriggers = R"(
SELECT t.tgrelid::pg_catalog.text, t.tgname::pg_catalog.text, t.tgfoid::pg_catalog.oid::pg_catalog.text,
       t.tgtype::pg_catalog.text,
       (NOT t.tgenabled OPERATOR(pg_catalog.=) ANY (ARRAY['D', 'R']::pg_catalog."char"[]))::pg_catalog.text,
       (t.tgqual IS NOT NULL)::pg_catalog.text, pg_catalog.encode(t.tgargs, 'hex')
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid
 WHERE NOT t.tgisinternal AND t.tgrelid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
   AND (c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
        OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
 ORDER BY t.tgrelid, t.tgname)";

// The stored trees are read by their words, as for kViews: names inside of them are escaped, and what is
// found in excess only makes an expression less trusted. The kinds of nodes go by the names that they have
// from 13 to 18. A conversion by way of text runs the input and output functions of two types: those listed
// are immutable (those of dates, floating-point numbers and bytea depend on settings).
const std::string_view kExpressions = R"(
SELECT e.relation::pg_catalog.text, e.kind, e.name::pg_catalog.text,
       (SELECT pg_catalog.string_agg(DISTINCT m.word[1], ' ')
          FROM pg_catalog.regexp_matches(e.tree, ':varattno (-?[0-9]+)', 'g') AS m(word)),
       (SELECT pg_catalog.string_agg(DISTINCT m.word[1], ' ')
          FROM pg_catalog.regexp_matches(e.tree, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS m(word)),
       (NOT EXISTS (SELECT 1 FROM pg_catalog.regexp_matches(e.tree, '[{]([A-Z_0-9]+)', 'g') AS m(word)
                     WHERE NOT m.word[1] OPERATOR(pg_catalog.=) ANY (ARRAY[
                       'ARRAY', 'ARRAYEXPR', 'BOOLEANTEST', 'BOOLEXPR', 'CASE', 'CASEEXPR', 'CASETESTEXPR',
                       'CASEWHEN', 'COALESCE', 'COALESCEEXPR', 'COERCEVIAIO', 'COLLATE', 'COLLATEEXPR', 'CONST',
                       'DISTINCTEXPR', 'FIELDSELECT', 'FUNCEXPR', 'MINMAX', 'MINMAXEXPR', 'NAMEDARGEXPR',
                       'NULLIFEXPR', 'NULLTEST', 'OPEXPR', 'RELABELTYPE', 'ROW', 'ROWCOMPARE', 'ROWCOMPAREEXPR',
                       'ROWEXPR', 'SCALARARRAYOPEXPR', 'SUBSCRIPTINGREF', 'VAR', 'WHEN']::pg_catalog.text[]))
        AND NOT EXISTS (SELECT 1 FROM pg_catalog.regexp_matches(e.tree, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS m(word)
                          LEFT JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) m.word[1]::pg_catalog.oid
                         WHERE p.oid IS NULL OR p.provolatile OPERATOR(pg_catalog.<>) 'i'::pg_catalog."char")
        AND (NOT pg_catalog.strpos(e.tree, '{COERCEVIAIO') OPERATOR(pg_catalog.>) 0
             OR NOT EXISTS (SELECT 1 FROM pg_catalog.regexp_matches(e.tree,
                              ':(?:array_typeid|casetype|coalescetype|consttype|funcresulttype|minmaxtype|opresulttype|'
                              'refcontainertype|refelemtype|refrestype|resulttype|row_typeid|vartype) ([0-9]+)', 'g')
                              AS m(word)
                             WHERE NOT m.word[1] OPERATOR(pg_catalog.=) ANY (ARRAY[
                               '16', '19', '20', '21', '23', '25', '26', '1042', '1043', '1700', '2950', '3802']::pg_catalog.text[]))))
         ::pg_catalog.text
  FROM (SELECT k.conrelid, 'c'::pg_catalog.text, k.conname, k.conbin::pg_catalog.text
          FROM pg_catalog.pg_constraint k
         WHERE k.contype OPERATOR(pg_catalog.=) 'c'::pg_catalog."char"
           AND k.conrelid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
        UNION ALL
        SELECT t.tgrelid, 't'::pg_catalog.text, t.tgname, t.tgqual::pg_catalog.text
          FROM pg_catalog.pg_trigger t
         WHERE NOT t.tgisinternal AND t.tgqual IS NOT NULL) AS e(relation, kind, name, tree)
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) e.relation
 WHERE c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
    OR c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
 ORDER BY 1, 2, 3)";

}  // namespace sluice::postgres::catalogue_queries
