-- Shapes that tell one bit of a value where they are answered truly: order, conditions, errors, counts, estimates.
SELECT id FROM people WHERE {open}
SELECT name FROM people WHERE {open} LIMIT 5
SELECT name FROM people WHERE {open} OFFSET 3
SELECT count(*) FROM people WHERE {condition}
SELECT id FROM people WHERE {open} AND {condition}
SELECT id FROM people WHERE {condition} OR {condition}
SELECT 1 / (CASE WHEN {condition} THEN 0 ELSE 1 END) FROM people
SELECT CASE WHEN {condition} THEN 1 / (id - id) ELSE 1 END FROM people
SELECT array_agg(id) FROM people WHERE {open}
SELECT string_agg(name, ',') FROM people WHERE {open}
SELECT json_agg(p) FROM (SELECT id, name FROM people WHERE {open}) p
SELECT json_object_agg(id, name) FROM people WHERE {open}
SELECT xmlagg(xmlelement(name x, id)) FROM people WHERE {open}
SELECT sum(id::float8 / 7) FROM people WHERE {open}
SELECT avg(id::float4 * 1e7) FROM people
SELECT DISTINCT ON (tenant) tenant, id, name FROM people WHERE {open}
SELECT DISTINCT tenant FROM people WHERE {open}
SELECT DISTINCT name FROM people
SELECT tenant, count(*) FROM people GROUP BY tenant
SELECT tenant, array_agg(name) FROM people GROUP BY tenant
SELECT tenant, salary, count(*) FROM people GROUP BY ROLLUP (tenant, salary)
SELECT id, row_number() OVER () FROM people WHERE {open}
SELECT id, row_number() OVER (ORDER BY tenant) FROM people WHERE {open}
SELECT id, ntile(4) OVER (PARTITION BY active) FROM people
SELECT lag(name) OVER (ORDER BY tenant) FROM people WHERE {open}
SELECT first_value(id) OVER (PARTITION BY tenant) FROM people WHERE {open}
SELECT last_value(id) OVER (ORDER BY tenant ROWS 2 PRECEDING) FROM people
SELECT rank() OVER (ORDER BY {column}), id FROM people
SELECT tenant FROM people WHERE {open} FETCH FIRST 7 ROWS ONLY
SELECT tenant, id FROM people ORDER BY tenant FETCH FIRST 7 ROWS WITH TIES
SELECT id FROM people ORDER BY {column}
SELECT id FROM people ORDER BY {column}, id LIMIT 5
SELECT id FROM people ORDER BY tenant
SELECT id FROM people ORDER BY tenant, {column}
SELECT id FROM people ORDER BY lower(email)
SELECT id FROM people ORDER BY note ->> 'phone'
SELECT id FROM people ORDER BY people
SELECT id FROM people ORDER BY net DESC
SELECT id FROM people WHERE tenant = 'acme' ORDER BY salary
SELECT id FROM people p ORDER BY (SELECT count(*) FROM people q WHERE q.salary < p.salary)
SELECT kind, array_agg(id) FROM events WHERE kind > 'd' GROUP BY kind
SELECT kind, (array_agg(id))[1] FROM events GROUP BY kind ORDER BY kind
SELECT id FROM cars
SELECT secret, id FROM cars WHERE secret > 'a'
SELECT label FROM assets
SELECT label, id FROM assets WHERE label > 'asset 2'
SELECT id FROM ONLY assets WHERE label > 'asset 2'
SELECT opened FROM accounts WHERE opened > '2024-03-01'
SELECT opened, iban FROM accounts
SELECT tag FROM stuff WHERE tag > 'tag 1'
SELECT tag, id FROM stuff
SELECT tag FROM stuff WHERE tag IN ('tag 1', 'tag 2') LIMIT 4
SELECT o_int4 FROM things
SELECT o_text FROM things WHERE o_text > 'h'
SELECT tag FROM things
SELECT tag FROM things WHERE tag > 'tag 2'
SELECT o_date FROM things WHERE o_date > '2015-01-01'
SELECT o_range FROM things WHERE o_range && '[1,30)'
SELECT o_texts FROM things WHERE o_texts && ARRAY['abcde']
SELECT id FROM events WHERE kind = 'open'
SELECT kind FROM events
SELECT kind FROM events_1 WHERE kind > 'a'
SELECT name FROM mv_people
SELECT name FROM mv_people WHERE name > 'M'
SELECT label FROM v_people WHERE tenant = 'acme'
SELECT grade, id FROM people
SELECT id FROM people WHERE tenant > 'a' AND tenant < 'd'
SELECT name FROM people ORDER BY name
SELECT a.id, b.id FROM people a JOIN people b ON a.boss = b.id
SELECT a.id, b.id FROM people a JOIN people b ON a.tenant = b.tenant LIMIT 40
SELECT a.name, c.topic FROM people a JOIN chunks c ON c.person = a.id
SELECT a.opened, p.name FROM accounts a LEFT JOIN people p ON p.id = a.person
SELECT p.id FROM people p WHERE EXISTS (SELECT 1 FROM accounts a WHERE a.owner_email = p.email)
SELECT p.id FROM people p JOIN accounts a ON a.owner_email = p.email
SELECT p.id FROM people p LEFT JOIN accounts a USING (email)
SELECT count(*) FROM people a, people b WHERE a.salary = b.salary
SELECT id, (SELECT array_agg(e.id) FROM events e WHERE e.kind = 'open' AND e.id < p.id) FROM people p WHERE {open}
SELECT id FROM people WHERE {open} UNION ALL SELECT id FROM events WHERE kind = 'edit'
SELECT id FROM people WHERE {open} UNION SELECT id FROM events WHERE kind = 'edit'
SELECT name FROM people WHERE {open} INTERSECT SELECT name FROM people
SELECT salary FROM people EXCEPT SELECT id FROM people
SELECT (SELECT name FROM people WHERE {open} LIMIT 1)
SELECT ARRAY(SELECT name FROM people WHERE {open})
SELECT * FROM generate_series(1, 3) g, LATERAL (SELECT id FROM people WHERE {open} OFFSET g LIMIT 2) l
WITH c AS MATERIALIZED (SELECT id FROM people WHERE {open}) SELECT * FROM c
WITH c AS (SELECT id, {column} AS x FROM people WHERE {open}) SELECT id FROM c ORDER BY x, id
SELECT person FROM chunks WHERE topic = 'beta'
SELECT ctid, xmin FROM people WHERE {open}
SELECT tableoid::regclass, id FROM events
SELECT id FROM people TABLESAMPLE BERNOULLI (40) REPEATABLE (1) WHERE {open}
SELECT id, email::int FROM people WHERE {open}
SELECT id, ('x' || email)::date FROM people
SELECT min(id), max(name) FROM people WHERE {condition}
SELECT width_bucket(salary, 0, 10000, 10), count(*) FROM people GROUP BY 1
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY salary) FROM people
SELECT count(DISTINCT {column}) FROM people
SELECT id FROM people WHERE id = 3 AND emb <-> '[1,0,0,0,0,0,0,0]' < 10
SELECT id FROM people WHERE id = 3 ORDER BY emb <-> '[1,0,0,0,0,0,0,0]' LIMIT 1
SELECT vector_dims(emb), vector_norm(emb), l2_normalize(emb) FROM people
SELECT avg(emb), sum(emb) FROM people
SELECT emb::text, emb::real[], subvector(emb, 1, 2), binary_quantize(emb) FROM people
SELECT a.id FROM people a, people b ORDER BY a.emb <-> b.emb LIMIT 5
SELECT id FROM people ORDER BY emb LIMIT 5
SELECT id FROM chunks ORDER BY emb <-> (SELECT emb FROM topics WHERE topic = 'alpha') LIMIT 3
SELECT id FROM chunks WHERE emb <-> '[1,2,3,4,0,0,0,0]' < 50 ORDER BY emb <-> '[1,2,3,4,0,0,0,0]' LIMIT 3
SELECT id, emb <#> '[0,0,0,0,1,0,0,0]' FROM chunks ORDER BY emb <#> '[0,0,0,0,1,0,0,0]' DESC LIMIT 3
SELECT id FROM chunks ORDER BY sparse <-> '{1:1}/8', id LIMIT 3
SELECT meta ->> 'lang', count(*) FROM chunks GROUP BY 1 ORDER BY 1
SELECT id FROM chunks WHERE meta @> '{"lang": "en"}' ORDER BY emb <=> '[1,2,3,4,0,0,0,0]' LIMIT 4
SELECT id FROM chunks WHERE meta ? 'phone'
SELECT jsonb_object_keys(note) FROM people WHERE id = 5
SELECT jsonb_path_query(note, '$.**') FROM people WHERE id = 5
SELECT note, note - 'n', note #> '{in}' FROM people ORDER BY id
SELECT pg_column_size(body), length(body), octet_length(email) FROM people ORDER BY id
SELECT id FROM people WHERE {condition} IS NOT TRUE
EXPLAIN SELECT name FROM people WHERE {open}
EXPLAIN SELECT name FROM people WHERE {condition}
EXPLAIN SELECT id FROM people WHERE id > 5 AND {open}
EXPLAIN SELECT tenant FROM people
EXPLAIN SELECT id FROM people
EXPLAIN SELECT count(*) FROM people
EXPLAIN SELECT tenant, id FROM people WHERE tenant = 'acme'
EXPLAIN SELECT o_int4 FROM things WHERE o_int4 = 5
EXPLAIN SELECT o_text, tag FROM things WHERE o_text > 'k'
EXPLAIN SELECT kind FROM events WHERE kind = 'open'
EXPLAIN SELECT label FROM assets WHERE label = 'asset 1'
EXPLAIN SELECT id FROM chunks ORDER BY emb <=> '[1,2,3,4,0,0,0,0]' LIMIT 4
EXPLAIN SELECT p.id FROM people p JOIN accounts a ON a.person = p.id WHERE a.opened > '2024-03-01'
EXPLAIN (ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT name FROM people WHERE {open}
EXPLAIN (ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT id FROM people WHERE {condition}
EXPLAIN (ANALYZE, BUFFERS off, TIMING off, SUMMARY off, WAL) SELECT id FROM people WHERE {open}
EXPLAIN (ANALYZE, COSTS off, BUFFERS off, TIMING off, SUMMARY off, WAL) UPDATE chunks SET topic = 'beta' WHERE id = 3
SELECT p_mail, p_card, p_day, p_at, p_made, p_inet, p_uuid, p_code FROM contacts
SELECT d_text, d_doc, d_texts FROM contacts
SELECT * FROM contacts ORDER BY who
SELECT id FROM contacts WHERE p_mail LIKE 'a%'
SELECT id FROM contacts WHERE p_mail > 'c' ORDER BY p_mail
SELECT p_mail, count(*) FROM contacts GROUP BY p_mail
SELECT DISTINCT p_day FROM contacts
SELECT length(p_mail), upper(p_card), reverse(p_mail), p_day + 1, age(p_at, p_made) FROM contacts
SELECT id FROM contacts ORDER BY p_day, p_at
SELECT id FROM contacts WHERE who > 'f' LIMIT 4
SELECT who FROM contacts WHERE who > 'h'
SELECT max(p_mail), min(p_inet), max(p_uuid::text) FROM contacts
SELECT a.id, b.id FROM contacts a JOIN contacts b ON a.p_mail = b.p_mail
SELECT a.id, b.id FROM contacts a JOIN contacts b USING (p_day)
SELECT id FROM contacts WHERE d_text LIKE '%a%@corp%'
SELECT id, d_text || '!' FROM contacts
SELECT upper(d_text), d_doc ->> 'to', d_texts[2] FROM contacts
SELECT d_text FROM contacts UNION SELECT d_text FROM contacts
SELECT array_agg(d_text), string_agg(p_mail, ',') FROM contacts
SELECT contacts FROM contacts
SELECT row_to_json(contacts) FROM contacts
WITH c AS (SELECT d_text AS x, p_mail AS y FROM contacts) SELECT x, y FROM c
SELECT (SELECT d_text FROM contacts c WHERE c.id = p.id), p.id FROM people p LIMIT 5
COPY contacts TO STDOUT
COPY (SELECT d_text, p_mail FROM contacts) TO STDOUT (FORMAT binary)
SELECT p_mail::int FROM contacts
SELECT extract(doy FROM p_day), extract(epoch FROM p_at), p_at AT TIME ZONE 'Asia/Tokyo' FROM contacts
SET LOCAL TimeZone = 'Pacific/Apia'; SELECT p_at, p_at::date, p_made FROM contacts
EXPLAIN SELECT p_mail FROM contacts WHERE p_mail = 'a***@mail1.example'
EXPLAIN SELECT id FROM contacts WHERE p_day = '2020-01-01' AND who > 'c'
EXPLAIN VERBOSE SELECT p_mail, d_text FROM contacts WHERE id = 3
