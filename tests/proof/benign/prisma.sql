-- Prisma-like: its query engine's SELECTs with every column named twice, relations joined by LATERAL and JSON, and introspection.

-- # findUnique
-- bind: ["7", "1", "0"]
SELECT "public"."customers"."id", "public"."customers"."tenant_id", "public"."customers"."name", "public"."customers"."email", "public"."customers"."phone", "public"."customers"."salary", "public"."customers"."status"::text
FROM "public"."customers" WHERE ("public"."customers"."id" = $1 AND 1=1) LIMIT $2 OFFSET $3;

-- # findUnique in binary
-- bind: ["7", "1", "0"]
-- binary
SELECT "public"."customers"."id", "public"."customers"."email", "public"."customers"."salary", "public"."customers"."created_at", "public"."customers"."settings"
FROM "public"."customers" WHERE ("public"."customers"."id" = $1 AND 1=1) LIMIT $2 OFFSET $3;

-- # findMany with where, orderBy, take and skip
-- bind: ["active", "DE", "10", "20"]
SELECT "public"."customers"."id", "public"."customers"."name", "public"."customers"."email" FROM "public"."customers"
WHERE ("public"."customers"."status" = $1 AND "public"."customers"."country" = $2) ORDER BY "public"."customers"."created_at" DESC LIMIT $3 OFFSET $4;

-- # findMany by a cursor
-- bind: ["25", "10", "0"]
SELECT "public"."customers"."id", "public"."customers"."name" FROM "public"."customers",
(SELECT "public"."customers"."id" AS "customers_id_0" FROM "public"."customers" WHERE ("public"."customers"."id") = ($1)) AS "order_cmp"
WHERE "public"."customers"."id" >= "order_cmp"."customers_id_0" ORDER BY "public"."customers"."id" ASC LIMIT $2 OFFSET $3;

-- # relation loaded by a second query
SELECT "public"."orders"."id", "public"."orders"."customer_id", "public"."orders"."total", "public"."orders"."status"::text FROM "public"."orders"
WHERE "public"."orders"."customer_id" IN (1, 2, 3) OFFSET 0;

-- # some relation filter
-- bind: ["480", "0"]
SELECT "public"."customers"."id", "public"."customers"."email" FROM "public"."customers"
WHERE ("public"."customers"."id") IN (SELECT "t1"."customer_id" FROM "public"."orders" AS "t1" WHERE ("t1"."total" > $1 AND "t1"."customer_id" IS NOT NULL)) ORDER BY "public"."customers"."id" OFFSET $2;

-- # none relation filter
SELECT "public"."customers"."id" FROM "public"."customers"
WHERE ("public"."customers"."id") NOT IN (SELECT "t1"."customer_id" FROM "public"."orders" AS "t1" WHERE ("t1"."status" = 'paid'::"public"."order_status" AND "t1"."customer_id" IS NOT NULL)) ORDER BY 1;

-- # relationLoadStrategy join: to many
-- bind: ["3"]
SELECT "t0"."id", "t0"."name", "t0"."email", "Customer_orders"."__prisma_data__" AS "orders" FROM "public"."customers" AS "t0"
LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (
SELECT "t3"."__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT('id', "t2"."id", 'total', "t2"."total", 'status', "t2"."status") AS "__prisma_data__", "t2"."id" FROM (
SELECT "t1".* FROM "public"."orders" AS "t1" WHERE "t0"."id" = "t1"."customer_id") AS "t2" ORDER BY "t2"."id" ASC) AS "t3") AS "t4") AS "Customer_orders" ON TRUE
WHERE "t0"."id" <= $1 ORDER BY "t0"."id" ASC;

-- # relationLoadStrategy join: to one
-- bind: ["5"]
SELECT "t0"."id", "t0"."total", "Order_customer"."__prisma_data__" AS "customer" FROM "public"."orders" AS "t0"
LEFT JOIN LATERAL (SELECT JSONB_BUILD_OBJECT('id', "t1"."id", 'name', "t1"."name", 'email', "t1"."email", 'salary', "t1"."salary") AS "__prisma_data__" FROM (
SELECT "t0_inner".* FROM "public"."customers" AS "t0_inner" WHERE "t0"."customer_id" = "t0_inner"."id" LIMIT 1) AS "t1") AS "Order_customer" ON TRUE
WHERE "t0"."id" <= $1 ORDER BY "t0"."id";

-- # count
SELECT COUNT(*) FROM (SELECT "public"."customers"."id" FROM "public"."customers" WHERE "public"."customers"."status" = 'active' OFFSET 0) AS "sub";

-- # aggregate
SELECT COUNT(*), AVG("total"), MIN("placed_at") FROM (SELECT "public"."orders"."total", "public"."orders"."placed_at" FROM "public"."orders" WHERE 1=1 OFFSET 0) AS "sub";

-- # aggregate over a masked column
SELECT COUNT(*), AVG("salary"), MAX("email") FROM (SELECT "public"."customers"."salary", "public"."customers"."email" FROM "public"."customers" WHERE 1=1 OFFSET 0) AS "sub";

-- # groupBy
SELECT COUNT("public"."customers"."id"), "public"."customers"."country" FROM "public"."customers" WHERE 1=1 GROUP BY "public"."customers"."country" HAVING COUNT("public"."customers"."id") > 10 ORDER BY "public"."customers"."country" ASC OFFSET 0;

-- # search mode insensitive, contains
-- bind: ["%customer 12%", "0"]
SELECT "public"."customers"."id", "public"."customers"."name", "public"."customers"."ssn" FROM "public"."customers" WHERE "public"."customers"."name"::text ILIKE $1 ORDER BY 1 OFFSET $2;

-- # json path filter
-- bind: ["theme", "\"dark\"", "0"]
SELECT "public"."customers"."id", "public"."customers"."settings" FROM "public"."customers" WHERE ("public"."customers"."settings"#>ARRAY[$1]::text[])::jsonb = $2::jsonb ORDER BY "public"."customers"."id" OFFSET $3;

-- # has of a list
-- bind: ["vip", "0"]
SELECT "public"."customers"."id" FROM "public"."customers" WHERE $1 = ANY("public"."customers"."tags") ORDER BY 1 OFFSET $2;

-- # create returns every column
-- bind: ["1", "New", "new@mail.example", "0"]
INSERT INTO "public"."customers" ("tenant_id", "name", "email", "lock_version") VALUES ($1, $2, $3, $4) RETURNING "public"."customers"."id", "public"."customers"."tenant_id", "public"."customers"."name", "public"."customers"."email", "public"."customers"."salary";

-- # createMany
INSERT INTO "public"."tenants" ("name", "plan") VALUES ('T1', 'free'), ('T2', 'free') ON CONFLICT DO NOTHING;

-- # update returns every column
-- bind: ["paused", "7"]
UPDATE "public"."customers" SET "status" = $1 WHERE ("public"."customers"."id" = $2 AND 1=1) RETURNING "public"."customers"."id", "public"."customers"."name", "public"."customers"."email", "public"."customers"."status";

-- # updateMany
-- bind: ["paused", "FR", "0"]
UPDATE "public"."customers" SET "status" = $1 WHERE ("public"."customers"."country" = $2 AND "public"."customers"."lock_version" = $3);

-- # upsert by id
-- bind: ["7", "1", "Seven", "seven@mail.example", "Seven"]
-- against: true
INSERT INTO "public"."customers" ("id", "tenant_id", "name", "email") VALUES ($1, $2, $3, $4) ON CONFLICT ("id") DO UPDATE SET "name" = $5 WHERE ("public"."customers"."id" = 7 AND 1=1) RETURNING "public"."customers"."id", "public"."customers"."name";

-- # delete
-- bind: ["12"]
DELETE FROM "public"."orders" WHERE ("public"."orders"."id" = $1 AND 1=1) RETURNING "public"."orders"."id", "public"."orders"."total";

-- # deleteMany
DELETE FROM "public"."comments" WHERE ("public"."comments"."parent_id" IS NOT NULL AND 1=1);

-- # nested write in a transaction
BEGIN;
INSERT INTO "public"."customers" ("tenant_id", "name", "email") VALUES (1, 'Nested', 'nested@mail.example') RETURNING "public"."customers"."id";
INSERT INTO "public"."orders" ("customer_id", "total") VALUES (1, 5) RETURNING "public"."orders"."id";
SELECT "public"."customers"."id", "public"."customers"."name" FROM "public"."customers" WHERE "public"."customers"."id" = 1 LIMIT 1 OFFSET 0;
ROLLBACK;

-- # introspection: tables
-- against: true
SELECT tbl.relname AS table_name, namespace.nspname AS namespace, (tbl.relhassubclass AND tbl.relkind = 'p') AS is_partition, tbl.relrowsecurity AS has_row_level_security, tbl.reloptions, description.description
FROM pg_class AS tbl INNER JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace LEFT JOIN pg_description description ON description.objoid = tbl.oid AND description.objsubid = 0
WHERE tbl.relkind IN ('r', 'p') AND namespace.nspname = ANY (ARRAY['public']) ORDER BY namespace, table_name;

-- # introspection: columns
-- against: true
SELECT oid.namespace, info.table_name, info.column_name, format_type(att.atttypid, att.atttypmod) AS formatted_type, info.numeric_precision, info.numeric_scale, info.datetime_precision, info.data_type, info.udt_name AS full_data_type,
  pg_get_expr(attdef.adbin, attdef.adrelid) AS column_default, info.is_nullable, info.is_identity, info.character_maximum_length
FROM information_schema.columns info
JOIN pg_attribute att ON att.attname = info.column_name
JOIN (SELECT pg_class.oid, relname, pg_namespace.nspname AS namespace FROM pg_class JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace WHERE reltype > 0) AS oid
  ON oid.oid = att.attrelid AND relname = info.table_name AND namespace = info.table_schema
LEFT OUTER JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid AND attdef.adnum = att.attnum AND table_schema = namespace
WHERE table_schema = ANY (ARRAY['public']) ORDER BY namespace, table_name, ordinal_position;

-- # introspection: indexes
-- against: true
WITH rawindex AS (
  SELECT indrelid, indexrelid, indisunique, indisprimary, unnest(indkey) AS indkeyid, generate_subscripts(indkey, 1) AS indkeyidx, unnest(indclass) AS indclass, unnest(indoption) AS indoption
  FROM pg_index WHERE indpred IS NULL AND NOT indisexclusion)
SELECT schemainfo.nspname AS namespace, indexinfo.relname AS index_name, tableinfo.relname AS table_name, columninfo.attname AS column_name, rawindex.indisunique AS is_unique, rawindex.indisprimary AS is_primary_key,
  rawindex.indkeyidx AS column_index, opclass.opcname AS opclass, indexaccess.amname AS index_algo, CASE rawindex.indoption & 1 WHEN 1 THEN 'DESC' ELSE 'ASC' END AS column_order
FROM rawindex
INNER JOIN pg_class AS tableinfo ON tableinfo.oid = rawindex.indrelid
INNER JOIN pg_class AS indexinfo ON indexinfo.oid = rawindex.indexrelid
INNER JOIN pg_namespace AS schemainfo ON schemainfo.oid = tableinfo.relnamespace
LEFT JOIN pg_attribute AS columninfo ON columninfo.attrelid = tableinfo.oid AND columninfo.attnum = rawindex.indkeyid
INNER JOIN pg_am AS indexaccess ON indexaccess.oid = indexinfo.relam
LEFT JOIN pg_opclass AS opclass ON opclass.oid = rawindex.indclass
WHERE schemainfo.nspname = ANY (ARRAY['public']) AND rawindex.indkeyid <> 0 ORDER BY namespace, table_name, index_name, column_index;

-- # introspection: foreign keys
-- against: true
SELECT con.oid::bigint AS con_id, att2.attname AS child_column, cl.relname AS parent_table, att.attname AS parent_column, con.confdeltype, con.confupdtype, rel_ns.nspname AS referenced_schema_name, conname AS constraint_name, child, parent
FROM (SELECT unnest(con1.conkey) AS parent, unnest(con1.confkey) AS child, generate_subscripts(con1.conkey, 1) AS colidx, con1.oid, con1.confrelid, con1.conrelid, con1.conname, con1.confdeltype, con1.confupdtype, con1.connamespace
  FROM pg_class cl JOIN pg_constraint con1 ON con1.conrelid = cl.oid WHERE con1.contype = 'f') con
JOIN pg_attribute att ON att.attrelid = con.conrelid AND att.attnum = con.parent JOIN pg_class cl ON cl.oid = con.confrelid
JOIN pg_attribute att2 ON att2.attrelid = con.confrelid AND att2.attnum = con.child JOIN pg_class rel_cl ON con.confrelid = rel_cl.oid JOIN pg_namespace rel_ns ON rel_cl.relnamespace = rel_ns.oid
ORDER BY con_id, con.colidx;

-- # introspection: views, procedures, extensions, enums
-- against: true
SELECT viewname AS view_name, definition AS view_sql, schemaname AS namespace FROM pg_catalog.pg_views WHERE schemaname = ANY (ARRAY['public']) ORDER BY 1;
SELECT p.proname AS name, n.nspname AS namespace, CASE WHEN l.lanname = 'internal' THEN p.prosrc ELSE pg_get_functiondef(p.oid) END AS definition
FROM pg_proc p LEFT JOIN pg_namespace n ON p.pronamespace = n.oid LEFT JOIN pg_language l ON p.prolang = l.oid WHERE n.nspname = 'public' AND p.prokind NOT IN ('a', 'w') AND l.lanname = 'sql';
SELECT ext.extname AS extension_name, ext.extversion AS extension_version, ext.extrelocatable AS extension_relocatable, pn.nspname AS extension_schema FROM pg_extension ext INNER JOIN pg_namespace pn ON ext.extnamespace = pn.oid ORDER BY ext.extname;
SELECT t.typname AS name, e.enumlabel AS value, n.nspname AS namespace FROM pg_type t JOIN pg_enum e ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = ANY (ARRAY['public']) ORDER BY e.enumsortorder;
