-- Statements that change data, one a line. In braces: holes that sequences.py fills.
UPDATE people SET {column} = {value} WHERE {condition}{returning}
UPDATE people SET ({column}, boss) = ({value}, 1) WHERE {condition}{returning}
UPDATE people SET ({column}, boss) = (SELECT {value}, max(id) FROM people) WHERE {condition}
UPDATE people SET name = 'n' WHERE id = {number}
UPDATE people p SET name = a.iban FROM accounts a WHERE a.person = p.id AND {open}{returning}
UPDATE people SET tenant = 'acme' WHERE {open}{returning}
UPDATE people SET id = id + 1000 WHERE {open}{returning}
UPDATE people SET boss = nextval('counter') WHERE {open}
UPDATE people SET active = DEFAULT WHERE {open}
UPDATE sink SET n = p.id FROM people p WHERE p.{open} RETURNING sink.id, n
UPDATE people SET active = NOT active WHERE {open} RETURNING id, name
UPDATE people SET note = note || '{"n": 1}' WHERE id = {number}{returning}
UPDATE people SET email = '***', salary = 7, name = 'saved' WHERE id = {number}
UPDATE accounts SET opened = opened + 1 WHERE person < {number} RETURNING *
UPDATE accounts SET person = 1
UPDATE topics SET weight = (SELECT count(*) FROM people WHERE {condition}) RETURNING *
UPDATE topics SET title = p.{column}::text FROM people p WHERE p.id = topics.weight RETURNING *
UPDATE events SET kind = 'ship' WHERE id < 20 AND amount > {number} RETURNING id, amount
UPDATE events SET day = day + 90 WHERE id < {number}
UPDATE events_1 SET kind = 'open' RETURNING *
UPDATE stuff SET tag = 'tag 1' WHERE id < 9
UPDATE stuff SET tag = 'tag 1' RETURNING id
UPDATE things SET o_int4 = 1, tag = 'x' WHERE id < {number} RETURNING *
UPDATE cars SET label = secret WHERE doors = 3 RETURNING label
UPDATE assets SET label = 'asset 1' WHERE id > 3 RETURNING tableoid::regclass, id
UPDATE chunks SET topic = 'alpha' WHERE person = {number} RETURNING emb, id, meta
UPDATE v_people SET label = 'x' WHERE id = 3 RETURNING *
UPDATE v_open SET name = 'x' WHERE {open} RETURNING *
DELETE FROM accounts WHERE person IN (SELECT id FROM people WHERE {condition})
DELETE FROM chunks USING people WHERE people.id = chunks.person AND {open} RETURNING chunks.*
DELETE FROM people WHERE id = {number}
DELETE FROM people WHERE {open} AND nextval('counter') % 2 = 0
DELETE FROM people WHERE {condition}{returning}
DELETE FROM assets WHERE id < 4 RETURNING tableoid::regclass, *
DELETE FROM ONLY assets WHERE {opencars} RETURNING id
DELETE FROM events WHERE kind = 'edit' RETURNING who, id
DELETE FROM stuff WHERE h_text > 'm' RETURNING id
DELETE FROM topics RETURNING *
INSERT INTO sink (t, n) {query} RETURNING *
INSERT INTO sink (t) SELECT {column}::text FROM people WHERE {condition}
INSERT INTO sink (t) SELECT name FROM people WHERE {open} RETURNING id, t
INSERT INTO sink (n) SELECT id FROM people WHERE {condition} RETURNING n
INSERT INTO sink (v) SELECT emb FROM people ORDER BY emb <-> '[1,2,3,4,0,0,0,0]' LIMIT 3 RETURNING v
INSERT INTO people (id, tenant, name, active, joined, email, salary, grade, note, body, emb) VALUES ({number}, 'acme', 'n', true, '2025-01-01', {email}, {number}, 1, '{}', 'b', '[1,2,3,4,0,0,0,0]'){returning}
INSERT INTO people (id, tenant, name, active, joined, email, salary, grade, note, body, emb) VALUES (900, 'acme', 'n', true, '2025-01-01', 'new@corp.example', 5, 1, '{}', 'b', '[1,2,3,4,0,0,0,0]') ON CONFLICT {conflict}{returning}
INSERT INTO people (id, tenant, name, active, joined, email, salary, grade, note, body, emb) SELECT id + 500, tenant, name, active, joined, 'x' || id || '@corp.example', 5, 1, '{}', 'b', '[1,2,3,4,0,0,0,0]' FROM people ON CONFLICT (email) DO NOTHING RETURNING id
INSERT INTO people (id, tenant, name) VALUES ({number}, 'acme', 'n'){returning}
INSERT INTO topics VALUES ('alpha', 't', 1, NULL) ON CONFLICT (topic) DO UPDATE SET title = (SELECT max({column}::text) FROM people)
INSERT INTO topics VALUES ('alpha', 't', 1, NULL) ON CONFLICT (topic) DO UPDATE SET title = excluded.title RETURNING *
INSERT INTO accounts VALUES ('DE1', {email}, 1, 5, '2025-01-01')
INSERT INTO accounts (iban, owner_email, person, balance, opened) SELECT 'DE' || id, 'x@y', id, 1, joined FROM people WHERE {open}
INSERT INTO things (id, tag, h_text) VALUES ({number}, 'x', 'y') RETURNING *
INSERT INTO things (id, tag) VALUES ({number}, 'x') ON CONFLICT (id) DO UPDATE SET tag = excluded.tag RETURNING id, tag, h_text
INSERT INTO stuff SELECT * FROM stuff WHERE id = {number} ON CONFLICT DO NOTHING
INSERT INTO assets VALUES ({number}, 'l', 's') RETURNING *
INSERT INTO cars (id, label, secret, plate, doors) SELECT id + 500, label, 's', 'p', doors FROM cars WHERE doors = 2 RETURNING id, secret
INSERT INTO events VALUES ({number}, '2025-02-02', 'open', 'w', 1, NULL) RETURNING *
INSERT INTO chunks (id, content, topic, emb, meta) VALUES (800, 'c', 'alpha', '[1,2,3,4,0,0,0,0]', '{"phone": "1"}') RETURNING id, content, meta
MERGE INTO topics USING people p ON p.name = topics.topic WHEN MATCHED THEN UPDATE SET title = p.{column}::text WHEN NOT MATCHED THEN INSERT (topic, title, weight) VALUES (p.name, 'm', 1)
MERGE INTO topics USING people p ON p.id = topics.weight WHEN MATCHED AND p.{open} THEN UPDATE SET title = p.name WHEN NOT MATCHED THEN DO NOTHING
MERGE INTO people p USING topics t ON p.salary = t.weight WHEN MATCHED THEN DELETE
MERGE INTO people p USING topics t ON p.id = t.weight WHEN MATCHED THEN UPDATE SET name = t.title
WITH d AS (DELETE FROM chunks WHERE id < 9 RETURNING *) SELECT * FROM d WHERE content > 'k'
WITH d AS (DELETE FROM chunks WHERE id < 9 RETURNING id, content, emb) SELECT * FROM d
WITH u AS (UPDATE people SET name = name || 'x' WHERE {condition} RETURNING *) SELECT u.email, u.name FROM u
WITH u AS (UPDATE people SET name = name || 'x' WHERE {open} RETURNING id, email) SELECT count(*), max(email) FROM u
WITH i AS (INSERT INTO sink (t) SELECT name FROM people WHERE {open} RETURNING *) SELECT i.t, p.email FROM i JOIN people p ON p.name = i.t
WITH s AS (SELECT id FROM people WHERE {condition}) DELETE FROM chunks WHERE person IN (SELECT id FROM s)
EXPLAIN UPDATE people SET name = 'x' WHERE {condition}
EXPLAIN (ANALYZE, TIMING off, SUMMARY off, BUFFERS off) UPDATE people SET name = 'x' WHERE {open}
EXPLAIN DELETE FROM people WHERE {open}
EXPLAIN INSERT INTO sink (t) SELECT email FROM people WHERE {open}
TRUNCATE chunks
TRUNCATE people CASCADE
LOCK TABLE people IN SHARE MODE
LOCK TABLE people IN ACCESS SHARE MODE
SELECT id, name FROM people WHERE {open} FOR UPDATE
SELECT id, email FROM people WHERE id = {number} FOR NO KEY UPDATE
SELECT id FROM people WHERE {open} ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED
COPY people (id, email) FROM STDIN
COPY topics FROM STDIN
COPY people (id, tenant, name) FROM STDIN
SELECT nextval('counter'), setval('counter', 9)
SELECT setval('counter', {column}::int) FROM people WHERE id = 1
SELECT nextval('counter') FROM people WHERE {condition}
NOTIFY ch, 'x'
LISTEN ch; NOTIFY ch, 'x'
SELECT pg_notify('ch', {column}::text) FROM people
SELECT lo_from_bytea(0, email::bytea) FROM people
SELECT pg_advisory_xact_lock(salary) FROM people
SELECT pg_try_advisory_xact_lock(id) FROM people WHERE {condition}
SELECT set_config('work_mem', '64kB', true) FROM people WHERE {condition}
SELECT pg_logical_emit_message(true, 'x', email) FROM people
CALL nothing({number})
