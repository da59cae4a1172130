-- Django 5.2 with psycopg 3: the ORM, the postgres contrib fields, pgvector's, introspection, migration checks.

-- # Customer.objects.get(pk=7)
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" WHERE "customers"."id" = 7 LIMIT 21;

-- # Customer.objects.get(email=...): no such customer under a mask
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" WHERE "customers"."email" = 'customer7@mail.example';

-- # filter(status, country).order_by('-created_at')[:20]
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" WHERE ("customers"."country" = 'DE' AND "customers"."status" = 'active') ORDER BY "customers"."created_at" DESC, "customers"."id" ASC LIMIT 20;

-- # exclude, Q objects
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" WHERE (("customers"."status" = 'paused' OR "customers"."country" = 'US') AND NOT ("customers"."tenant_id" = 3)) ORDER BY "customers"."id" ASC LIMIT 10;

-- # values_list('email', flat=True)
SELECT "customers"."email" AS "email" FROM "customers" ORDER BY "customers"."id" ASC LIMIT 5;

-- # values('id','name','ssn','salary')
SELECT "customers"."id" AS "id", "customers"."name" AS "name", "customers"."ssn" AS "ssn", "customers"."salary" AS "salary" FROM "customers" WHERE "customers"."tenant_id" = 2 ORDER BY 1 ASC;

-- # only('name')
SELECT "customers"."id", "customers"."name" FROM "customers" ORDER BY "customers"."id" ASC LIMIT 5;

-- # defer('settings')
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" ORDER BY "customers"."id" ASC LIMIT 5;

-- # count()
SELECT COUNT(*) AS "__count" FROM "customers" WHERE "customers"."status" = 'active';

-- # exists()
SELECT 1 AS "a" FROM "customers" WHERE ("customers"."status" = 'gone' AND "customers"."tenant_id" = 1) LIMIT 1;

-- # first() and last()
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" ORDER BY "customers"."id" ASC LIMIT 1;
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" ORDER BY "customers"."id" DESC LIMIT 1;

-- # in_bulk
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" WHERE "customers"."id" IN (1, 2, 3);

-- # latest('created_at')
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" ORDER BY "customers"."created_at" DESC LIMIT 1;

-- # select_related: order with its customer and tenant
SELECT "orders"."id", "orders"."customer_id", "orders"."status", "orders"."total", "orders"."discount", "orders"."placed_at", "orders"."note", "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at", "tenants"."id", "tenants"."name", "tenants"."plan" FROM "orders" INNER JOIN "customers" ON ("orders"."customer_id" = "customers"."id") INNER JOIN "tenants" ON ("customers"."tenant_id" = "tenants"."id") WHERE "orders"."total" > 400 ORDER BY "orders"."id" ASC LIMIT 10;

-- # prefetch_related: customers with orders
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" WHERE "customers"."id" IN (1, 2, 3) ORDER BY "customers"."id" ASC;
SELECT "orders"."id", "orders"."customer_id", "orders"."status", "orders"."total", "orders"."discount", "orders"."placed_at", "orders"."note" FROM "orders" WHERE "orders"."customer_id" IN (1, 2, 3) ORDER BY "orders"."id" ASC;

-- # prefetch_related: documents with categories
-- unordered
SELECT "documents"."id", "documents"."tenant_id", "documents"."author_id", "documents"."title", "documents"."body", "documents"."lang", "documents"."published", "documents"."metadata", "documents"."search", "documents"."created_at" FROM "documents" WHERE "documents"."id" <= 4 ORDER BY "documents"."id" ASC;
-- unordered
SELECT ("document_categories"."document_id") AS "_prefetch_related_val_document_id", "categories"."id", "categories"."parent_id", "categories"."name" FROM "categories" INNER JOIN "document_categories" ON ("categories"."id" = "document_categories"."category_id") WHERE "document_categories"."document_id" IN (1, 2, 3, 4);

-- # reverse filter over orders, distinct
SELECT DISTINCT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" INNER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") WHERE "orders"."total" > 490 ORDER BY "customers"."id" ASC;

-- # annotate(Count('orders')), having
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at", COUNT("orders"."id") AS "n" FROM "customers" LEFT OUTER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") GROUP BY "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" HAVING COUNT("orders"."id") >= 4 ORDER BY "customers"."id" ASC LIMIT 10;

-- # aggregate over masked salary
SELECT AVG("customers"."salary") AS "salary__avg", MAX("customers"."salary") AS "salary__max", COUNT("customers"."ssn") AS "ssn__count" FROM "customers";

-- # values('country').annotate(...)
SELECT "customers"."country" AS "country", COUNT("customers"."id") AS "n", SUM("customers"."salary") AS "paid" FROM "customers" GROUP BY 1 ORDER BY 1 ASC;

-- # TruncMonth dashboards
SELECT DATE_TRUNC('month', "orders"."placed_at" AT TIME ZONE 'America/Chicago') AS "month", "orders"."status" AS "status", COUNT("orders"."id") AS "n", SUM("orders"."total") AS "revenue" FROM "orders" GROUP BY 2, 1 ORDER BY 1 ASC, 2 ASC;

-- # Subquery: last order of each customer
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at", (SELECT U0."total" AS "total" FROM "orders" U0 WHERE U0."customer_id" = ("customers"."id") ORDER BY U0."placed_at" DESC LIMIT 1) AS "last" FROM "customers" ORDER BY "customers"."id" ASC LIMIT 10;

-- # Exists subquery
SELECT "customers"."id" AS "id", "customers"."name" AS "name" FROM "customers" WHERE EXISTS(SELECT 1 AS "a" FROM "orders" U0 WHERE (U0."customer_id" = ("customers"."id") AND U0."status" = 'cancelled') LIMIT 1) ORDER BY 1 ASC;

-- # Case/When, Coalesce, Concat
SELECT "customers"."id" AS "id", CASE WHEN "customers"."status" = 'active' THEN 'on' ELSE 'off' END AS "label", COALESCE("customers"."phone", "customers"."email") AS "contact", (COALESCE("customers"."name", '') || COALESCE((COALESCE(' <', '') || COALESCE((COALESCE("customers"."email", '') || COALESCE('>', '')), '')), '')) AS "full" FROM "customers" ORDER BY 1 ASC LIMIT 5;

-- # Window: rank orders within a customer
SELECT "orders"."id", "orders"."customer_id", "orders"."status", "orders"."total", "orders"."discount", "orders"."placed_at", "orders"."note", RANK() OVER (PARTITION BY "orders"."customer_id" ORDER BY "orders"."total" DESC) AS "r" FROM "orders" WHERE "orders"."customer_id" <= 3 ORDER BY "orders"."customer_id" ASC, 8 ASC, "orders"."id" ASC;

-- # icontains, startswith on a masked column
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" WHERE UPPER("customers"."email"::text) LIKE UPPER('%mail%') ORDER BY "customers"."id" ASC;

-- # icontains on an open column
SELECT "customers"."id" AS "id", "customers"."name" AS "name" FROM "customers" WHERE UPPER("customers"."name"::text) LIKE UPPER('%customer 1%') ORDER BY 1 ASC;

-- # array contains, overlap
SELECT "customers"."id" AS "id", "customers"."tags" AS "tags" FROM "customers" WHERE "customers"."tags" @> (ARRAY['vip'])::text[] ORDER BY 1 ASC LIMIT 5;

-- # JSON key lookups
SELECT "customers"."id" AS "id", "customers"."settings" AS "settings" FROM "customers" WHERE (("customers"."settings" -> 'limit') > '150'::jsonb AND ("customers"."settings" -> 'theme') = '"dark"'::jsonb) ORDER BY 1 ASC;

-- # JSON key lookup in masked metadata
SELECT "documents"."id" AS "id", "documents"."title" AS "title", "documents"."metadata" AS "metadata" FROM "documents" WHERE (("documents"."metadata" -> 'page') < '10'::jsonb AND ("documents"."metadata" -> 'topic') = '"privacy"'::jsonb) ORDER BY 1 ASC;

-- # JSON containment in masked metadata
SELECT "documents"."id" AS "id", "documents"."metadata" AS "metadata" FROM "documents" WHERE "documents"."metadata" @> '{"topic": "billing"}'::jsonb ORDER BY 1 ASC LIMIT 10;

-- # JSON has_key
SELECT "documents"."id" AS "id" FROM "documents" WHERE "documents"."metadata" ? 'source' ORDER BY 1 ASC LIMIT 5;

-- # dates: range, year, __date
SELECT "orders"."id" AS "id", ("orders"."placed_at" AT TIME ZONE 'America/Chicago')::date AS "placed_at__date" FROM "orders" WHERE ("orders"."placed_at" BETWEEN '2024-05-01 00:00:00+00:00'::timestamptz AND '2024-05-11 00:00:00+00:00'::timestamptz AND "orders"."placed_at" BETWEEN '2024-01-01 00:00:00-06:00'::timestamptz AND '2024-12-31 23:59:59.999999-06:00'::timestamptz) ORDER BY 1 ASC;

-- # union of two querysets
(SELECT "customers"."id" AS "id", "customers"."email" AS "email" FROM "customers" WHERE "customers"."country" = 'DE') UNION (SELECT "customers"."id" AS "id", "customers"."email" AS "email" FROM "customers" WHERE "customers"."country" = 'FR') ORDER BY 1 ASC LIMIT 20;

-- # in a subquery
SELECT "documents"."id" AS "id", "documents"."title" AS "title", "documents"."author_id" AS "author_id" FROM "documents" WHERE "documents"."author_id" IN (SELECT U0."id" FROM "customers" U0 WHERE U0."status" = 'gone') ORDER BY 1 ASC LIMIT 10;

-- # full text: SearchQuery with rank
SELECT "documents"."id" AS "id", "documents"."title" AS "title", ts_rank("documents"."search", plainto_tsquery('refund manager')) AS "rank" FROM "documents" WHERE "documents"."search" @@ (plainto_tsquery('refund')) ORDER BY 3 DESC, 1 ASC LIMIT 10;

-- # SearchVector made on the fly
SELECT "documents"."id" AS "id", "documents"."title" AS "title" FROM "documents" WHERE to_tsvector(COALESCE("documents"."title", '') || ' ' || COALESCE("documents"."body", '')) @@ (plainto_tsquery('parcels')) ORDER BY 1 ASC LIMIT 10;

-- # SearchHeadline
SELECT "documents"."id" AS "id", ts_headline("documents"."body", plainto_tsquery('invoices')) AS "h" FROM "documents" WHERE "documents"."search" @@ (plainto_tsquery('invoices')) ORDER BY 1 ASC LIMIT 5;

-- # TrigramSimilarity
SELECT "documents"."id" AS "id", "documents"."title" AS "title", SIMILARITY("documents"."title", 'Refund guide') AS "s" FROM "documents" WHERE SIMILARITY("documents"."title", 'Refund guide') > 0.5 ORDER BY 3 DESC, 1 ASC LIMIT 10;

-- # pgvector: CosineDistance in order_by
-- against: search
SELECT "documents"."id", "documents"."tenant_id", "documents"."author_id", "documents"."title", "documents"."body", "documents"."lang", "documents"."published", "documents"."metadata", "documents"."embedding", "documents"."search", "documents"."created_at" FROM "documents" ORDER BY ("documents"."embedding" <=> '[0.10000000149011612,0.20000000298023224,0.30000001192092896,0.4000000059604645,0.5,0.6000000238418579,0.699999988079071,1.0]') ASC LIMIT 5;

-- # pgvector: annotate(distance=...)
-- against: search
SELECT "documents"."id" AS "id", "documents"."title" AS "title", ("documents"."embedding" <=> '[0.10000000149011612,0.20000000298023224,0.30000001192092896,0.4000000059604645,0.5,0.6000000238418579,0.699999988079071,1.0]') AS "distance" FROM "documents" ORDER BY 3 ASC LIMIT 5;

-- # pgvector: filtered, with select_related
-- against: search
SELECT "documents"."id", "documents"."tenant_id", "documents"."author_id", "documents"."title", "documents"."body", "documents"."lang", "documents"."published", "documents"."metadata", "documents"."embedding", "documents"."search", "documents"."created_at", "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "documents" LEFT OUTER JOIN "customers" ON ("documents"."author_id" = "customers"."id") WHERE (("documents"."metadata" -> 'topic') = '"privacy"'::jsonb AND "documents"."published" AND "documents"."tenant_id" = 2) ORDER BY ("documents"."embedding" <=> '[0.10000000149011612,0.20000000298023224,0.30000001192092896,0.4000000059604645,0.5,0.6000000238418579,0.699999988079071,1.0]') ASC LIMIT 5;

-- # pgvector: alias, L2 distance
-- against: search
SELECT "documents"."id" AS "id" FROM "documents" ORDER BY ("documents"."embedding" <-> '[0.10000000149011612,0.20000000298023224,0.30000001192092896,0.4000000059604645,0.5,0.6000000238418579,0.699999988079071,1.0]') ASC LIMIT 7;

-- # ArrayAgg, StringAgg
SELECT "customers"."country" AS "country", ARRAY_AGG("customers"."name" ORDER BY "customers"."id") FILTER (WHERE "customers"."id" <= 12) AS "names", STRING_AGG("customers"."email", ', ' ORDER BY "customers"."id") FILTER (WHERE "customers"."id" <= 6) AS "mails" FROM "customers" GROUP BY 1 ORDER BY 1 ASC;

-- # create()
INSERT INTO "customers" ("tenant_id", "name", "email", "phone", "ssn", "salary", "card", "country", "status", "tags", "settings", "lock_version", "created_at", "updated_at") VALUES (1, 'New', 'new@mail.example', NULL, NULL, NULL, NULL, 'DE', 'active', '{}'::text[], '{}'::jsonb, 0, '2024-05-01 00:00:00+00:00'::timestamptz, '2024-05-01 00:00:00+00:00'::timestamptz) RETURNING "customers"."id";

-- # bulk_create()
INSERT INTO "customers" ("tenant_id", "name", "email", "phone", "ssn", "salary", "card", "country", "status", "tags", "settings", "lock_version", "created_at", "updated_at") VALUES (1, 'B0', 'b0@mail.example', NULL, NULL, NULL, NULL, 'DE', 'active', '{}'::text[], '{}'::jsonb, 0, '2024-05-01 00:00:00+00:00'::timestamptz, '2024-05-01 00:00:00+00:00'::timestamptz), (1, 'B1', 'b1@mail.example', NULL, NULL, NULL, NULL, 'DE', 'active', '{}'::text[], '{}'::jsonb, 0, '2024-05-01 00:00:00+00:00'::timestamptz, '2024-05-01 00:00:00+00:00'::timestamptz), (1, 'B2', 'b2@mail.example', NULL, NULL, NULL, NULL, 'DE', 'active', '{}'::text[], '{}'::jsonb, 0, '2024-05-01 00:00:00+00:00'::timestamptz, '2024-05-01 00:00:00+00:00'::timestamptz) RETURNING "customers"."id";

-- # bulk_create(ignore_conflicts=True)
-- against: true
INSERT INTO "customers" ("id", "tenant_id", "name", "email", "phone", "ssn", "salary", "card", "country", "status", "tags", "settings", "lock_version", "created_at", "updated_at") VALUES (5, 1, 'x', 'x@mail.example', NULL, NULL, NULL, NULL, 'DE', 'active', '{}'::text[], '{}'::jsonb, 0, '2024-05-01 00:00:00+00:00'::timestamptz, '2024-05-01 00:00:00+00:00'::timestamptz) ON CONFLICT DO NOTHING;

-- # save(update_fields=['status'])
SELECT "customers"."id", "customers"."status" FROM "customers" WHERE "customers"."id" = 9 LIMIT 21;
UPDATE "customers" SET "status" = 'paused' WHERE "customers"."id" = 9;

-- # queryset.update()
UPDATE "customers" SET "status" = 'paused', "updated_at" = '2024-05-01 00:00:00+00:00'::timestamptz WHERE ("customers"."status" = 'gone' AND "customers"."tenant_id" = 4);

-- # update with F()
UPDATE "customers" SET "lock_version" = ("customers"."lock_version" + 1) WHERE "customers"."id" = 12;

-- # bulk_update of an open column
UPDATE "customers" SET "status" = (CASE WHEN ("customers"."id" = 3) THEN 'paused' WHEN ("customers"."id" = 4) THEN 'gone' ELSE NULL END)::text WHERE "customers"."id" IN (3, 4);

-- # select_for_update()
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" WHERE "customers"."id" = 5 LIMIT 21 FOR UPDATE;

-- # select_for_update(skip_locked=True, of=('self',))
SELECT "orders"."id", "orders"."customer_id", "orders"."status", "orders"."total", "orders"."discount", "orders"."placed_at", "orders"."note" FROM "orders" WHERE "orders"."status" = 'open' ORDER BY "orders"."id" ASC LIMIT 5 FOR UPDATE SKIP LOCKED;

-- # get_or_create
SELECT "tenants"."id", "tenants"."name", "tenants"."plan" FROM "tenants" WHERE "tenants"."name" = 'Acme' LIMIT 21;

-- # delete() with its collector
DELETE FROM "orders" WHERE "orders"."customer_id" = 20;

-- # delete() of a document and what hangs on it
-- unordered
DELETE FROM "document_categories" WHERE "document_categories"."document_id" = 9;

-- # iterator() with a server-side cursor
DECLARE "_django_curs_139721288727424_sync_1" NO SCROLL CURSOR FOR SELECT "orders"."id", "orders"."customer_id", "orders"."status", "orders"."total", "orders"."discount", "orders"."placed_at", "orders"."note" FROM "orders" WHERE "orders"."customer_id" <= 5 ORDER BY "orders"."id" ASC;

-- # savepoint around a write
SAVEPOINT "s139721288727424_x1";
UPDATE "customers" SET "status" = 'paused' WHERE "customers"."id" = 1;

-- # paginator: count and page
SELECT COUNT(*) AS "__count" FROM "customers" WHERE "customers"."status" = 'active';
SELECT "customers"."id", "customers"."tenant_id", "customers"."name", "customers"."email", "customers"."phone", "customers"."ssn", "customers"."salary", "customers"."card", "customers"."country", "customers"."status", "customers"."tags", "customers"."settings", "customers"."lock_version", "customers"."created_at", "customers"."updated_at" FROM "customers" WHERE "customers"."status" = 'active' ORDER BY "customers"."id" ASC LIMIT 25 OFFSET 25;

-- # dates()/datetimes()
SELECT DISTINCT DATE_TRUNC('month', "customers"."created_at" AT TIME ZONE 'America/Chicago') AS "datetimefield" FROM "customers" WHERE "customers"."created_at" IS NOT NULL ORDER BY 1 ASC;

-- # raw SQL by cursor
SELECT status, COUNT(*) FROM customers WHERE tenant_id = 1 GROUP BY status ORDER BY status;

-- # introspection: table list
-- against: true
SELECT
                c.relname,
                CASE
                    WHEN c.relispartition THEN 'p'
                    WHEN c.relkind IN ('m', 'v') THEN 'v'
                    ELSE 't'
                END,
                obj_description(c.oid, 'pg_class')
            FROM pg_catalog.pg_class c
            LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')
                AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
                AND pg_catalog.pg_table_is_visible(c.oid);

-- # introspection: table description
SELECT
                a.attname AS column_name,
                NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable,
                pg_get_expr(ad.adbin, ad.adrelid) AS column_default,
                CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation,
                a.attidentity != '' AS is_autofield,
                col_description(a.attrelid, a.attnum) AS column_comment
            FROM pg_attribute a
            LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
            LEFT JOIN pg_collation co ON a.attcollation = co.oid
            JOIN pg_type t ON a.atttypid = t.oid
            JOIN pg_class c ON a.attrelid = c.oid
            JOIN pg_namespace n ON c.relnamespace = n.oid
            WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')
                AND c.relname = 'customers'
                AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
                AND pg_catalog.pg_table_is_visible(c.oid);
SELECT * FROM "customers" LIMIT 1;

-- # introspection: constraints of customers
-- against: true
SELECT
                c.conname,
                array(
                    SELECT attname
                    FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx)
                    JOIN pg_attribute AS ca ON cols.colid = ca.attnum
                    WHERE ca.attrelid = c.conrelid
                    ORDER BY cols.arridx
                ),
                c.contype,
                (SELECT fkc.relname || '.' || fka.attname
                FROM pg_attribute AS fka
                JOIN pg_class AS fkc ON fka.attrelid = fkc.oid
                WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]),
                cl.reloptions
            FROM pg_constraint AS c
            JOIN pg_class AS cl ON c.conrelid = cl.oid
            WHERE cl.relname = 'customers' AND pg_catalog.pg_table_is_visible(cl.oid);
SELECT
                indexname,
                array_agg(attname ORDER BY arridx),
                indisunique,
                indisprimary,
                array_agg(ordering ORDER BY arridx),
                amname,
                exprdef,
                s2.attoptions
            FROM (
                SELECT
                    c2.relname as indexname, idx.*, attr.attname, am.amname,
                    CASE
                        WHEN idx.indexprs IS NOT NULL THEN
                            pg_get_indexdef(idx.indexrelid)
                    END AS exprdef,
                    CASE am.amname
                        WHEN 'btree' THEN
                            CASE (option & 1)
                                WHEN 1 THEN 'DESC' ELSE 'ASC'
                            END
                    END as ordering,
                    c2.reloptions as attoptions
                FROM (
                    SELECT *
                    FROM
                        pg_index i,
                        unnest(i.indkey, i.indoption)
                            WITH ORDINALITY koi(key, option, arridx)
                ) idx
                LEFT JOIN pg_class c ON idx.indrelid = c.oid
                LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid
                LEFT JOIN pg_am am ON c2.relam = am.oid
                LEFT JOIN
                    pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key
                WHERE c.relname = 'customers' AND pg_catalog.pg_table_is_visible(c.oid)
            ) s2
            GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions;

-- # introspection: constraints of documents
-- against: true
SELECT
                c.conname,
                array(
                    SELECT attname
                    FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx)
                    JOIN pg_attribute AS ca ON cols.colid = ca.attnum
                    WHERE ca.attrelid = c.conrelid
                    ORDER BY cols.arridx
                ),
                c.contype,
                (SELECT fkc.relname || '.' || fka.attname
                FROM pg_attribute AS fka
                JOIN pg_class AS fkc ON fka.attrelid = fkc.oid
                WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]),
                cl.reloptions
            FROM pg_constraint AS c
            JOIN pg_class AS cl ON c.conrelid = cl.oid
            WHERE cl.relname = 'documents' AND pg_catalog.pg_table_is_visible(cl.oid);
SELECT
                indexname,
                array_agg(attname ORDER BY arridx),
                indisunique,
                indisprimary,
                array_agg(ordering ORDER BY arridx),
                amname,
                exprdef,
                s2.attoptions
            FROM (
                SELECT
                    c2.relname as indexname, idx.*, attr.attname, am.amname,
                    CASE
                        WHEN idx.indexprs IS NOT NULL THEN
                            pg_get_indexdef(idx.indexrelid)
                    END AS exprdef,
                    CASE am.amname
                        WHEN 'btree' THEN
                            CASE (option & 1)
                                WHEN 1 THEN 'DESC' ELSE 'ASC'
                            END
                    END as ordering,
                    c2.reloptions as attoptions
                FROM (
                    SELECT *
                    FROM
                        pg_index i,
                        unnest(i.indkey, i.indoption)
                            WITH ORDINALITY koi(key, option, arridx)
                ) idx
                LEFT JOIN pg_class c ON idx.indrelid = c.oid
                LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid
                LEFT JOIN pg_am am ON c2.relam = am.oid
                LEFT JOIN
                    pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key
                WHERE c.relname = 'documents' AND pg_catalog.pg_table_is_visible(c.oid)
            ) s2
            GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions;

-- # introspection: relations
-- against: true
SELECT a1.attname, c2.relname, a2.attname
            FROM pg_constraint con
            LEFT JOIN pg_class c1 ON con.conrelid = c1.oid
            LEFT JOIN pg_class c2 ON con.confrelid = c2.oid
            LEFT JOIN
                pg_attribute a1 ON c1.oid = a1.attrelid AND a1.attnum = con.conkey[1]
            LEFT JOIN
                pg_attribute a2 ON c2.oid = a2.attrelid AND a2.attnum = con.confkey[1]
            WHERE
                c1.relname = 'orders' AND
                con.contype = 'f' AND
                c1.relnamespace = c2.relnamespace AND
                pg_catalog.pg_table_is_visible(c1.oid);

-- # introspection: sequences
-- against: true
SELECT
                s.relname AS sequence_name,
                a.attname AS colname
            FROM
                pg_class s
                JOIN pg_depend d ON d.objid = s.oid
                    AND d.classid = 'pg_class'::regclass
                    AND d.refclassid = 'pg_class'::regclass
                JOIN pg_attribute a ON d.refobjid = a.attrelid
                    AND d.refobjsubid = a.attnum
                JOIN pg_class tbl ON tbl.oid = d.refobjid
                    AND tbl.relname = 'customers'
                    AND pg_catalog.pg_table_is_visible(tbl.oid)
            WHERE
                s.relkind = 'S';

-- # introspection: primary key columns
-- against: true
SELECT
                c.conname,
                array(
                    SELECT attname
                    FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx)
                    JOIN pg_attribute AS ca ON cols.colid = ca.attnum
                    WHERE ca.attrelid = c.conrelid
                    ORDER BY cols.arridx
                ),
                c.contype,
                (SELECT fkc.relname || '.' || fka.attname
                FROM pg_attribute AS fka
                JOIN pg_class AS fkc ON fka.attrelid = fkc.oid
                WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]),
                cl.reloptions
            FROM pg_constraint AS c
            JOIN pg_class AS cl ON c.conrelid = cl.oid
            WHERE cl.relname = 'documents' AND pg_catalog.pg_table_is_visible(cl.oid);
SELECT
                indexname,
                array_agg(attname ORDER BY arridx),
                indisunique,
                indisprimary,
                array_agg(ordering ORDER BY arridx),
                amname,
                exprdef,
                s2.attoptions
            FROM (
                SELECT
                    c2.relname as indexname, idx.*, attr.attname, am.amname,
                    CASE
                        WHEN idx.indexprs IS NOT NULL THEN
                            pg_get_indexdef(idx.indexrelid)
                    END AS exprdef,
                    CASE am.amname
                        WHEN 'btree' THEN
                            CASE (option & 1)
                                WHEN 1 THEN 'DESC' ELSE 'ASC'
                            END
                    END as ordering,
                    c2.reloptions as attoptions
                FROM (
                    SELECT *
                    FROM
                        pg_index i,
                        unnest(i.indkey, i.indoption)
                            WITH ORDINALITY koi(key, option, arridx)
                ) idx
                LEFT JOIN pg_class c ON idx.indrelid = c.oid
                LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid
                LEFT JOIN pg_am am ON c2.relam = am.oid
                LEFT JOIN
                    pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key
                WHERE c.relname = 'documents' AND pg_catalog.pg_table_is_visible(c.oid)
            ) s2
            GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions;

-- # migration check: applied migrations
-- against: true
SELECT
                c.relname,
                CASE
                    WHEN c.relispartition THEN 'p'
                    WHEN c.relkind IN ('m', 'v') THEN 'v'
                    ELSE 't'
                END,
                obj_description(c.oid, 'pg_class')
            FROM pg_catalog.pg_class c
            LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')
                AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
                AND pg_catalog.pg_table_is_visible(c.oid);
SELECT "django_migrations"."id", "django_migrations"."app", "django_migrations"."name", "django_migrations"."applied" FROM "django_migrations";

-- # migration check: has_table
-- against: true
SELECT
                c.relname,
                CASE
                    WHEN c.relispartition THEN 'p'
                    WHEN c.relkind IN ('m', 'v') THEN 'v'
                    ELSE 't'
                END,
                obj_description(c.oid, 'pg_class')
            FROM pg_catalog.pg_class c
            LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')
                AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
                AND pg_catalog.pg_table_is_visible(c.oid);

-- # types looked up at the start
-- against: true
SELECT oid, typarray FROM pg_type WHERE typname = 'hstore';
SELECT oid, typarray FROM pg_type WHERE typname = 'citext';
