-- Statements that change data on masked relations, one a line: the rewritten statement must return, count and store what the
-- statement itself does. None reads a masked column.
insert into docs(id, tenant, title) values (10, 'a', 'b'), (11, default, 'c') returning id, tenant, title || 'x' as t
insert into docs values (12, 'a', 'b')
insert into docs as d (id, title) select o.id + 100, o.n from other o where o.id < 5 order by o.id returning d.id, d.title
insert into docs(id, title) with w as (select 200 as id) select w.id, 'w' from w union all select 201, 'x'
insert into docs(id, title) values (1, 'new'), (300, 'x') on conflict (id) do update set title = excluded.title || docs.title where docs.tenant = 'acme' returning id, title
insert into docs(id) values (1) on conflict do nothing returning id
insert into docs(id) values (1), (40) on conflict on constraint docs_pkey do nothing returning id
insert into other(id, n) select id + 1000, title from docs returning *
insert into generated(id, a) values (5, 'QQ') returning *
update docs set title = upper(title), tenant = default where id = 1 returning id, title, tenant
update only docs as d set (title, tenant) = (d.tenant, d.title) where d.id in (1, 2) returning d.id, d.title, d.tenant
update docs set (title, tenant) = (select n, 'sub' from other where other.id = docs.id) returning id, title, tenant
update docs d set title = o.n from other o join docs e on e.id = o.id where o.id = d.id and e.title like 'Q%' returning d.id, o.*
update docs set title = v.t from (values (1, 'one'), (2, 'two')) as v(id, t) where v.id = docs.id returning docs.id, title, v.t
update other set n = d.title from docs d where d.id = other.id returning other.*, d.tenant
update docs set title = 'x' from generate_series(1, 2) g where g = id returning id, g
update types set arr[1] = 'changed', comp.title = 'q' where id = 1 returning arr, (comp).title
delete from docs where id = 2 returning id, title
delete from docs using other o where o.id = docs.id and o.n = 'n1' returning docs.id, o.n
delete from other where exists (select * from docs d where d.id = other.id) returning id
delete from other where id in (select id from docs where title like 'Q%' order by title limit 1)
with gone as (delete from docs where id = 1 returning id, title) insert into other(id, n) select id + 500, title from gone returning id, n
with a as (insert into docs(id, title) values (60, 'sixty') returning *), b as (update other set n = 'b' where id = 3 returning id) select a.id, a.title, b.id from a, b
merge into docs d using (values (1, 'm'), (70, 'n')) v(id, t) on d.id = v.id when matched then update set title = v.t when not matched then insert (id, title) values (v.id, v.t)
merge into other o using docs d on o.id = d.id when matched and d.title like 'Q3%' then delete when matched then update set n = d.title || o.n
merge into docs d using other o on d.id = o.id when matched then do nothing when not matched and o.id < 9 then insert (id, title) values (o.id, default)
create table made as select id, title from docs
create temp table made (a) on commit drop as select id from docs with no data
select id, tenant into made from docs
create view made as select id, upper(title) from docs where tenant = 'acme'
create materialized view made as select id from docs
truncate docs
lock table docs
create index on docs (title, lower(tenant)) where id > 0
