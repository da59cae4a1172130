-- Rails-like: what ActiveRecord's PostgreSQL adapter sends, with its prepared statements and its reading of the schema.

-- # start of a connection
SET client_min_messages TO 'warning';
SET standard_conforming_strings = on;
SET SESSION timezone TO 'UTC';
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype
FROM pg_type AS t LEFT JOIN pg_range AS r ON t.oid = r.rngtypid
WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'numeric', 'bool') ORDER BY t.oid;

-- # types by OID
SELECT t.oid, t.typname FROM pg_type AS t WHERE t.typname IN ('int2', 'text', 'jsonb', 'vector', 'citext', 'order_status') ORDER BY 1;

-- # enumerations
-- against: true
SELECT type.typname AS name, type.oid AS oid, n.nspname AS schema, array_agg(enum.enumlabel ORDER BY enum.enumsortorder) AS value
FROM pg_enum AS enum JOIN pg_type AS type ON type.oid = enum.enumtypid JOIN pg_namespace n ON type.typnamespace = n.oid
WHERE n.nspname = ANY (current_schemas(false)) GROUP BY type.oid, n.nspname, type.typname ORDER BY name;

-- # schema_migrations
SELECT "schema_migrations"."version" FROM "schema_migrations" ORDER BY "schema_migrations"."version" ASC;

-- # advisory lock around migrations
SELECT pg_try_advisory_lock(4242424242);
SELECT pg_advisory_unlock(4242424242);

-- # data sources
-- against: true
SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r', 'v', 'm', 'p', 'f') ORDER BY 1;

-- # columns of customers
-- against: true
SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname,
  col_description(a.attrelid, a.attnum) AS comment, a.attidentity AS identity, a.attgenerated
FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum
LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation
WHERE a.attrelid = '"customers"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- # primary key of customers
-- against: true
SELECT a.attname FROM (SELECT indrelid, indkey, generate_subscripts(indkey, 1) idx FROM pg_index WHERE indrelid = '"customers"'::regclass AND indisprimary) i
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[i.idx] ORDER BY i.idx;

-- # indexes of documents
-- against: true
SELECT DISTINCT i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), pg_catalog.obj_description(i.oid, 'pg_class') AS comment, d.indisvalid
FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f' AND t.relname = 'documents' AND n.nspname = ANY (current_schemas(false)) ORDER BY i.relname;

-- # foreign keys of orders
-- against: true
SELECT t2.oid::regclass::text AS to_table, a1.attname AS column, a2.attname AS primary_key, c.conname AS name, c.confupdtype AS on_update,
  c.confdeltype AS on_delete, c.convalidated AS valid, c.condeferrable AS deferrable, c.condeferred AS deferred, c.conkey, c.confkey
FROM pg_constraint c JOIN pg_class t1 ON c.conrelid = t1.oid JOIN pg_class t2 ON c.confrelid = t2.oid
JOIN pg_attribute a1 ON a1.attnum = c.conkey[1] AND a1.attrelid = t1.oid JOIN pg_attribute a2 ON a2.attnum = c.confkey[1] AND a2.attrelid = t2.oid
JOIN pg_namespace t3 ON c.connamespace = t3.oid
WHERE c.contype = 'f' AND t1.relname = 'orders' AND t3.nspname = ANY (current_schemas(false)) ORDER BY c.conname;

-- # check constraints of customers
-- against: true
SELECT conname, pg_get_constraintdef(c.oid, true) AS constraintdef, c.convalidated AS valid FROM pg_constraint c JOIN pg_class t ON c.conrelid = t.oid
JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.contype = 'c' AND t.relname = 'customers' AND n.nspname = ANY (current_schemas(false));

-- # Customer.find(7)
-- bind: ["7", "1"]
SELECT "customers".* FROM "customers" WHERE "customers"."id" = $1 LIMIT $2;

-- # Customer.find(7) in binary
-- bind: ["7", "1"]
-- binary
SELECT "customers".* FROM "customers" WHERE "customers"."id" = $1 LIMIT $2;

-- # find_by(email:) finds nobody
-- bind: ["customer7@mail.example", "1"]
SELECT "customers".* FROM "customers" WHERE "customers"."email" = $1 LIMIT $2;

-- # where(status:).order(created_at: :desc).limit(10)
-- bind: ["active", "10"]
SELECT "customers".* FROM "customers" WHERE "customers"."status" = $1 ORDER BY "customers"."created_at" DESC LIMIT $2;

-- # where.not, or
SELECT "customers".* FROM "customers" WHERE ("customers"."country" != 'DE' OR "customers"."tenant_id" IN (1, 2)) AND "customers"."phone" IS NOT NULL ORDER BY "customers"."id" ASC;

-- # includes(:orders)
-- bind: ["1", "3"]
SELECT "customers".* FROM "customers" WHERE "customers"."tenant_id" = $1 ORDER BY "customers"."id" ASC LIMIT $2;
SELECT "orders".* FROM "orders" WHERE "orders"."customer_id" IN (4, 8, 12);

-- # eager_load(:customer)
SELECT "orders"."id" AS t0_r0, "orders"."customer_id" AS t0_r1, "orders"."total" AS t0_r2, "customers"."id" AS t1_r0, "customers"."name" AS t1_r1, "customers"."email" AS t1_r2, "customers"."salary" AS t1_r3
FROM "orders" LEFT OUTER JOIN "customers" ON "customers"."id" = "orders"."customer_id" WHERE "customers"."country" = 'DE' ORDER BY "orders"."id" ASC LIMIT 25;

-- # joins(:orders).distinct
SELECT DISTINCT "customers".* FROM "customers" INNER JOIN "orders" ON "orders"."customer_id" = "customers"."id" WHERE "orders"."total" > 480.0;

-- # pluck(:id, :email)
-- bind: ["2"]
SELECT "customers"."id", "customers"."email" FROM "customers" WHERE "customers"."tenant_id" = $1;

-- # ids
SELECT "customers"."id" FROM "customers" ORDER BY "customers"."id" ASC LIMIT 1000;

-- # count, count(distinct), count(:email)
SELECT COUNT(*) FROM "customers";
SELECT COUNT(DISTINCT "customers"."country") FROM "customers";
SELECT COUNT("customers"."email") FROM "customers" WHERE "customers"."status" = 'active';

-- # group(:status).count
SELECT COUNT(*) AS "count_all", "customers"."status" AS "customers_status" FROM "customers" GROUP BY "customers"."status";

-- # exists?
-- bind: ["7", "1"]
SELECT 1 AS one FROM "customers" WHERE "customers"."id" = $1 LIMIT $2;

-- # maximum(:created_at), sum(:salary)
SELECT MAX("customers"."created_at") FROM "customers";
SELECT SUM("customers"."salary") FROM "customers";

-- # find_in_batches
-- bind: ["50"]
SELECT "customers".* FROM "customers" ORDER BY "customers"."id" ASC LIMIT $1;
-- bind: ["50", "50"]
SELECT "customers".* FROM "customers" WHERE "customers"."id" > $1 ORDER BY "customers"."id" ASC LIMIT $2;

-- # first, last, take
-- bind: ["1"]
SELECT "customers".* FROM "customers" ORDER BY "customers"."id" ASC LIMIT $1;
-- bind: ["1"]
SELECT "customers".* FROM "customers" ORDER BY "customers"."id" DESC LIMIT $1;

-- # having, group and joins
SELECT "customers"."id", "customers"."name", SUM("orders"."total") AS spent FROM "customers" INNER JOIN "orders" ON "orders"."customer_id" = "customers"."id"
GROUP BY "customers"."id" HAVING SUM("orders"."total") > 1500 ORDER BY "spent" DESC, "customers"."id";

-- # has_neighbors: nearest_neighbors
-- against: search
SELECT "documents"."id", "documents"."title", "documents"."embedding" <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' AS neighbor_distance FROM "documents"
WHERE "documents"."embedding" IS NOT NULL ORDER BY "documents"."embedding" <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 5;

-- # create
-- bind: ["1", "New", "new@mail.example", "active", "2024-05-01 00:00:00", "2024-05-01 00:00:00"]
INSERT INTO "customers" ("tenant_id", "name", "email", "status", "created_at", "updated_at") VALUES ($1, $2, $3, $4, $5, $6) RETURNING "id";

-- # insert_all
INSERT INTO "orders" ("customer_id", "total", "placed_at") VALUES (1, 10.0, '2024-05-01 00:00:00'), (2, 11.0, '2024-05-01 00:00:00') ON CONFLICT DO NOTHING RETURNING "id";

-- # update of changed attributes only
-- bind: ["paused", "2024-06-01 00:00:00", "7"]
UPDATE "customers" SET "status" = $1, "updated_at" = $2 WHERE "customers"."id" = $3;

-- # touch
-- bind: ["2024-06-01 00:00:00", "7"]
UPDATE "customers" SET "updated_at" = $1 WHERE "customers"."id" = $2;

-- # optimistic locking
-- bind: ["paused", "1", "7", "0"]
UPDATE "customers" SET "status" = $1, "lock_version" = $2 WHERE "customers"."id" = $3 AND "customers"."lock_version" = $4;

-- # update_counters
UPDATE "customers" SET "lock_version" = COALESCE("lock_version", 0) + 1 WHERE "customers"."id" = 7;

-- # lock!
-- bind: ["7", "1"]
SELECT "customers".* FROM "customers" WHERE "customers"."id" = $1 LIMIT $2 FOR UPDATE;

-- # destroy
-- bind: ["12"]
DELETE FROM "orders" WHERE "orders"."id" = $1;

-- # delete_all by a sub-select
DELETE FROM "comments" WHERE "comments"."id" IN (SELECT "comments"."id" FROM "comments" INNER JOIN "customers" ON "customers"."id" = "comments"."customer_id" WHERE "customers"."status" = 'gone' AND "comments"."id" > 200);

-- # upsert_all
-- against: true
INSERT INTO "customers" ("id", "tenant_id", "name", "email") VALUES (5, 2, 'Five', 'five@mail.example')
ON CONFLICT ("id") DO UPDATE SET "name" = excluded."name", "updated_at" = CURRENT_TIMESTAMP RETURNING "id";

-- # validates uniqueness of a name
-- bind: ["Acme", "1"]
SELECT 1 AS one FROM "tenants" WHERE "tenants"."name" = $1 LIMIT $2;

-- # transaction with a savepoint
BEGIN;
SAVEPOINT active_record_1;
UPDATE "customers" SET "status" = 'paused' WHERE "customers"."id" = 9;
RELEASE SAVEPOINT active_record_1;
SELECT "customers"."status" FROM "customers" WHERE "customers"."id" = 9;
ROLLBACK;

-- # explain
EXPLAIN SELECT "customers".* FROM "customers" WHERE "customers"."tenant_id" = 1;
