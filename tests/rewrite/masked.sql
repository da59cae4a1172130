-- Statements on masked relations, one a line: the rewritten statement must answer on the true rows what the statement
-- itself answers on a copy of the table that holds the masked values.
select id, email, ssn, salary, note, embedding from docs order by id
select email||'x', length(ssn), salary+1, note->>'k' from docs order by 1
select id from docs where email='s3cr3t.alice@corp.example'
select id from docs where email like 's%' or salary > 1000
select id from docs where embedding is not null
select d.id, e.id from docs d join docs e using (email, salary) order by 1,2
select * from docs a natural join docs b order by id
select * from docs a natural left join other b order by id
select id, tenant, title from docs group by id order by id
select d.id, d.title, d.email, count(*) from docs d join other o on o.id=d.id group by d.id order by 1
select tenant, max(email), min(salary), sum(salary), array_agg(ssn order by id), json_agg(d order by id) from docs d group by tenant
select q.c4 from docs as q(c1,c2,c3,c4,c5,c6,c7,c8) where c1=1
select q.* from docs as q(a,b) order by 1
select j.* from (docs d join other o using (id)) as j order by 1
select * from docs where email in (select email from docs) order by id
select salary, row_number() over (order by salary, id), sum(salary) over () from docs order by id
select email from docs union select title from docs order by 1
select (select d.email from docs d where d.id=o.id) from other o where id<3 order by o.id
select o.id, (select count(*) from docs d where d.salary > o.id) from other o where id < 3 order by 1
with recursive r(n,v) as (select 1,email from docs where id=1 union all select n+1,v from r where n<2) select v from r
select count(*) from docs d, docs e where d.salary < e.salary
select id from docs order by salary desc, id
select * from (select *, row_number() over (partition by tenant order by id) rn from docs) q where rn=1
select distinct email, salary from docs
select d.tenant, o.n from docs d left join lateral (select n from other where id=d.id) o on true order by o.n
select * from docs d right join other o on o.id=d.id and d.salary=0 where o.id<4 order by o.id
select coalesce(d.email,'none') from other o left join docs d on d.id=o.id where o.id<4 order by o.id
select exists(select * from docs where salary>5), (select bool_or(email='***') from docs)
select case when salary>5 then 'rich' else email end from docs
select email::varchar(2), salary::text, note::text from docs order by id
select u from docs, unnest(string_to_array(email,'*')) u
select key, value from docs, jsonb_each(to_jsonb(docs)) where key in ('email','title') order by 1,2
select d from docs d where d is not null
select (d.*) is null from docs d
select row(d.*) from docs d order by 1
select min(d::text) from docs d
select docs.email from docs order by docs.id
select public.docs.email from public.docs
select id from docs where docs.* is distinct from null order by 1
select email as title, title as email from docs order by id
select id as email from docs order by email
select upper(tenant) t, count(*) from docs group by t having max(salary)=0
select id, email from docs where id = 1 for update
select * from docs order by id limit 2 for share
with recursive r(id, email) as (select id, email from docs where id = 1 union all select d.id, d.email from docs d join r on d.id = r.id + 1) search breadth first by id set o select id, email, o from r order by o
