-- Statements that a rewrite must not change the meaning of, one a line: their results, names and types of columns are
-- compared before and after, with nothing masked. `docs`, `other`, `types`, `generated`: see conftest.py.
select 1, 'a', true, false, null, 1.5, -3, -2.5, 1e10, 12345678901234, B'101', X'1F', $$dollar$$, E'a\\b\n', 'it''s'
select 1+1, 2*3-4, -(5), 2^3, 5%3, |/4.0, @ -5, 10/3, 'a'||'b', not true, 1<2 and 2<3 or false
select id from docs where id in (1,2,3) and id not in (5,6) and title like 'Q%' and title not like '%x' escape '\' and title ilike 'q%' and title similar to 'Q%' and id between 1 and 5 and id not between symmetric 9 and 7
select id is null, id is not null, (id=1) is true, (id=1) is not unknown, id is distinct from 3, nullif(id,2), coalesce(null,id), greatest(1,id), least(id,3) from docs order by 1
select case when id=1 then 'one' else 'other' end, case id when 1 then 'x' when 2 then 'y' end from docs order by id
select extract(year from date '2020-05-05'), position('b' in 'abc'), substring('abcdef' from 2 for 3), substring('abc' from 'b.'), trim(both 'x' from 'xax'), trim(' a '), ltrim('aa','a'), overlay('abcdef' placing 'ZZ' from 2 for 2), timestamp '2020-01-01' at time zone 'UTC', (date '2020-01-01', date '2020-02-01') overlaps (date '2020-01-15', interval '1 day'), collation for ('a' collate "C"), normalize('a'), 'a' is normalized
select current_date = current_date, current_user, session_user, user, current_schema, current_catalog, current_role
select current_timestamp(0) is not null, localtime is not null, localtimestamp(2) is not null
select (select id from docs where id=1), exists(select 1 from docs), id = any(array[1,2]), id <> all(select 5), (id,1) in (select id,1 from docs) from docs order by id
select d.id, s.n from docs d left join other s on s.id=d.id order by 1
select * from docs d join other o using (id) order by id
select * from docs natural join other order by id
select * from docs d full join other o on o.id=d.id where o.id<4 order by o.id
select * from (docs d join other o using (id)) as j order by j.id
select x from other o right join (select 1 as x) q on q.x=o.id
select d.*, o.n from docs d cross join other o where o.id=1 order by 1
select * from docs d, lateral (select d.id+1 as nx) l order by id
select * from generate_series(1,3)
select g from generate_series(1,3) as g(g)
select * from generate_series(1,3) with ordinality as t(a,b)
select * from rows from (generate_series(1,2), generate_series(5,7)) as t(a,b)
select * from unnest(array[1,2],array['a','b']) u(x,y)
select * from json_to_recordset('[{"a":1,"b":"x"}]') as t(a int, b text)
select * from jsonb_each('{"a":1,"b":2}') order by key
select e.key from docs, jsonb_each(note) e order by 1
select tenant, count(*) from docs group by tenant having count(*)>0 order by 2
select tenant, title, count(*) from docs group by rollup(tenant,title) order by 1,2
select tenant, title, grouping(tenant,title) from docs group by grouping sets ((tenant),(title),()) order by 1,2
select tenant, title from docs group by cube(tenant,title) order by 1,2
select id, row_number() over (order by id desc), rank() over w, lag(id,1) over w, sum(id) over (partition by tenant order by id rows between 1 preceding and current row), first_value(id) over (w range between unbounded preceding and unbounded following exclude current row) from docs window w as (order by id) order by id
select sum(id) over (order by id groups between current row and 1 following) from docs
select distinct tenant from docs
select distinct on (tenant) tenant, id from docs order by tenant, id desc
select id from docs union select 5 union all select 6 order by 1
(select id from docs order by id limit 1) union all (select 9) order by 1 desc
select id from docs intersect select 1 except select 2
values (1,'a'),(2,'b') order by 1 desc limit 1
select * from (values (1,'x'),(2,'y')) v(a,b) where a=2
with a as (select 1 as x), b(y) as materialized (select x+1 from a) select * from a,b
with recursive r(n) as (select 1 union all select n+1 from r where n<5) select sum(n) from r
with docs as (select 42 as id) select * from docs
select id from docs order by id offset 1 limit 1
select id from docs order by title nulls first, id desc nulls last
select id from docs order by id using >
select id from docs limit all
select id from only docs order by 1
select count(*) > -1 from docs tablesample bernoulli(50) repeatable (1)
select (d).title, (d).id from docs d order by 2
select (x.d).title from (select d from docs d) x order by 1
select row_to_json(d) from docs d order by id
select d::text from docs d order by 1
select to_jsonb(d.*) -> 'title' from docs d order by 1
select note->>'k', note #> '{k}', note @> '{"k":"v"}', note ? 'k' from docs order by 1
select id from docs order by embedding <-> '[1,2,3,4]' limit 1
select id, embedding <=> '[1,2,3,4]', l2_distance(embedding,'[1,2,3,4]'), embedding + embedding, vector_dims(embedding) from docs order by 1
select avg(embedding), sum(embedding) from docs
select embedding::real[] from docs order by id
select "id" as "We ird", title "select" from docs order by 1
select docs.id, public.docs.title from public.docs order by docs.id
select docs from docs order by id
select t.c from docs t(a,b,c) order by 1
select make_interval(days => 3), format('%s %s', variadic array['a','b'])
select 'a' < 'b' collate "C", 'x' || 1 || null
select xmlelement(name foo, xmlattributes('a' as b), 'c'), xmlforest(1 as a), xmlconcat('<a/>'::xml)
select generate_series(1,2), unnest(array['a','b'])
select 1 where false
select from docs
select not exists (select 1 from docs where id=99), id > some (select 0) from docs order by 2
select id, (select count(*) from other o where o.id <= d.id) from docs d order by 1
select id from docs d where exists (select * from other o where o.id=d.id and o.n like 'n%') order by 1
select c.relname, n.nspname, pg_catalog.pg_get_userbyid(c.relowner) from pg_catalog.pg_class c left join pg_catalog.pg_namespace n on n.oid=c.relnamespace where c.relkind in ('r','p','v','m','S','f','') and n.nspname <> 'pg_catalog' and n.nspname !~ '^pg_toast' and n.nspname <> 'information_schema' and pg_catalog.pg_table_is_visible(c.oid) order by 1,2
select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (select substring(pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) for 128) from pg_catalog.pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum and a.atthasdef), a.attnotnull from pg_catalog.pg_attribute a where a.attrelid = 'docs'::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum
select t.typname, cast(t.typnotnull as int) from pg_type t where t.typname ~ '^(int4|text)$' order by 1
select 'abc' ~ 'b', 'abc' !~* 'B', 'abc' ~~ 'a%', 5 operator(pg_catalog.+) 3, 5 << 1, ~1, 5 # 1, 3 & 1
select date_trunc('day', timestamp '2020-01-01 10:00'), age(timestamp '2020-01-02', timestamp '2020-01-01'), now() is not null, to_char(date '2020-01-01','YYYY'), '2020-01-01'::date + 1
select id from docs where (id, title) = (1, 'Q3 plan')
select id from docs where row(id, tenant) < row(2, 'zzz') order by 1
select sum(x) from (select id as x from docs union all select 10) q
select q.* from (select id, title from docs) as q(a) order by 1
select b from generated
select * from types
select m, d, comp from types
select max(id) - min(id) as diff, bool_and(id>0), bit_or(id) from docs
select text 'x', float8 '1.5', bool 't', '1'::text::int::numeric
select jsonb_build_object('a',1,'b',array[1,2]), json_build_array(1,'x'), jsonb_path_query('{"a":[1,2]}','$.a[*]')
select string_to_array('a,b',','), array_to_string(array[1,2],','), array_length(array[1,2],1), cardinality(array[1]), 1 = any('{1,2}')
select to_tsvector('english','hello world') @@ to_tsquery('hello'), ts_rank(to_tsvector('a b'), to_tsquery('a'))
select int4range(1,5) @> 3, int4range(1,5) && int4range(4,8), lower(int4range(1,5))
select (array['a','b','c'])[-1], (array[1,2,3])[:2], (array[1,2,3])[2:]
select a.id from docs a, docs b where a.id=b.id order by 1
select coalesce((select max(id) from docs), 0) as m, nullif('a','b')
select case when true then 1 end, case when true then id else 3 end, cast(1 as text), (1)::int4, array[1], row(1,2), exists(select 1), (select 1), (select 1 as q) from docs limit 1
select public.vector_dims('[1,2]'), '[1,2]'::vector <-> '[2,3]', '[1,2]'::public.vector(2)
select (array[1,2,3])[2], (array[1,2,3])[1:2], (array[[1,2],[3,4]])[2][1], array(select id from docs order by id), row(1,2), (1,2)=(1,2), array[]::int[]
select id from docs where id = 1 for update
select * from docs order by id limit 2 for no key update skip locked
select d.id, o.n from docs d join other o on o.id = d.id order by d.id for share of d nowait
with recursive r(n, p) as (select 1, null::int union all select id, 1 from docs where id > 1) search depth first by n set path select n, path from r order by path
with recursive r(n) as (select 1 union all select d.id from docs d, r where d.id = 3 - r.n) cycle n set looped to 'y' default 'n' using path select * from r
with recursive r(n) as (select 1 union all select d.id from docs d, r where d.id = r.n + 1) search breadth first by n set o cycle n set looped using path select n, looped from r order by o
