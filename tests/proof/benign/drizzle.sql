-- Drizzle-like: lower-case SQL with quoted names, relations as LATERAL joins that build JSON arrays.

-- # select from where
-- bind: ["7"]
select "id", "tenant_id", "name", "email", "phone", "ssn", "salary" from "customers" where "customers"."id" = $1;

-- # select with and, or, inArray
-- bind: ["active", "DE", "FR", "50"]
select "id", "name", "email" from "customers" where ("customers"."status" = $1 and "customers"."country" in ($2, $3)) order by "customers"."id" asc limit $4;

-- # left join
-- bind: ["20"]
select "orders"."id", "orders"."total", "customers"."name", "customers"."email" from "orders" left join "customers" on "orders"."customer_id" = "customers"."id" order by "orders"."total" desc, "orders"."id" limit $1;

-- # query.customers.findMany({with: {orders: true}})
-- bind: ["4"]
select "customers"."id", "customers"."name", "customers"."email", "customers_orders"."data" as "orders" from "customers" "customers"
left join lateral (select coalesce(json_agg(json_build_array("customers_orders"."id", "customers_orders"."total", "customers_orders"."status") order by "customers_orders"."id"), '[]'::json) as "data" from "orders" "customers_orders" where "customers_orders"."customer_id" = "customers"."id") "customers_orders" on true
order by "customers"."id" limit $1;

-- # findMany with a nested relation of a masked table
-- bind: ["5", "1"]
select "documents"."id", "documents"."title", "documents"."metadata", "documents_author"."data" as "author" from "documents" "documents"
left join lateral (select json_build_array("documents_author"."id", "documents_author"."name", "documents_author"."email", "documents_author"."phone") as "data" from (select * from "customers" "documents_author" where "documents_author"."id" = "documents"."author_id" limit $2) "documents_author") "documents_author" on true
order by "documents"."id" limit $1;

-- # findFirst two levels deep
-- bind: ["3"]
select "tenants"."id", "tenants"."name", "tenants_documents"."data" as "documents" from "tenants" "tenants"
left join lateral (select coalesce(json_agg(json_build_array("tenants_documents"."id", "tenants_documents"."title", "tenants_documents_chunks"."data") order by "tenants_documents"."id"), '[]'::json) as "data"
from (select * from "documents" "tenants_documents" where "tenants_documents"."tenant_id" = "tenants"."id" order by "tenants_documents"."id" limit $1) "tenants_documents"
left join lateral (select coalesce(json_agg(json_build_array("tenants_documents_chunks"."position", "tenants_documents_chunks"."content") order by "tenants_documents_chunks"."position"), '[]'::json) as "data" from "chunks" "tenants_documents_chunks" where "tenants_documents_chunks"."document_id" = "tenants_documents"."id") "tenants_documents_chunks" on true) "tenants_documents" on true
order by "tenants"."id" limit 2;

-- # $count
select count(*) from "customers" where "customers"."status" = 'active';

-- # group by with sum
select "country", cast(count("id") as int), sum("salary") from "customers" group by "customers"."country" order by "country";

-- # prepared with placeholders
PREPARE p1 (int) AS select "id", "name", "email" from "customers" where "customers"."id" = $1;
EXECUTE p1 (7);
EXECUTE p1 (8);
DEALLOCATE p1;

-- # cosineDistance with a threshold
-- against: search
-- bind: ["[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]", "4"]
select "id", "title", 1 - ("documents"."embedding" <=> $1) as "similarity" from "documents" order by "documents"."embedding" <=> $1 limit $2;

-- # insert values returning
-- bind: ["1", "New", "new@mail.example"]
insert into "customers" ("id", "tenant_id", "name", "email", "phone") values (default, $1, $2, $3, default) returning "id", "name";

-- # insert on conflict do nothing
insert into "tenants" ("name", "plan") values ('Acme', 'pro') on conflict do nothing;

-- # update set returning
-- bind: ["paused", "7"]
update "customers" set "status" = $1 where "customers"."id" = $2 returning "id", "status";

-- # delete returning
delete from "orders" where "orders"."id" = 9 returning "id", "total";

-- # with as
with "sq" as (select "id", "name", "email" from "customers" where "customers"."tenant_id" = 2) select "id", "name", "email" from "sq" order by "id";

-- # selectDistinctOn
select distinct on ("customer_id") "customer_id", "id", "total" from "orders" order by "customer_id", "placed_at" desc;

-- # exists
select "id", "name" from "customers" where exists (select "id" from "orders" where ("orders"."customer_id" = "customers"."id" and "orders"."total" > 490)) order by "id";
