-- Transactions, cursors, prepared statements, settings, notifications, temporary tables, and statements that change data.

-- # transaction, read only, repeatable read
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT count(*) FROM customers;
COMMIT;

-- # START TRANSACTION and ROLLBACK
START TRANSACTION;
UPDATE customers SET status = 'paused' WHERE id = 3;
SELECT status FROM customers WHERE id = 3;
ROLLBACK;

-- # savepoints
BEGIN;
SAVEPOINT a;
UPDATE tenants SET plan = 'x' WHERE id = 1;
ROLLBACK TO SAVEPOINT a;
SELECT plan FROM tenants WHERE id = 1;
RELEASE SAVEPOINT a;
COMMIT;

-- # SET TRANSACTION
BEGIN;
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
SHOW transaction_isolation;
COMMIT;

-- # settings of a session
SET statement_timeout = '30s';
SHOW statement_timeout;
SET LOCAL lock_timeout = '5s';
RESET statement_timeout;
SET TIME ZONE 'UTC';
SET DateStyle = 'ISO, MDY';
SET search_path TO public;

-- # SHOW ALL answers
-- shape
SHOW ALL;

-- # current_setting and pg_settings
SELECT current_setting('hnsw.ef_search', true);
SELECT name, setting FROM pg_settings WHERE name IN ('max_connections', 'server_version_num', 'TimeZone') ORDER BY name;

-- # cursor: FETCH, MOVE
BEGIN;
DECLARE c CURSOR FOR SELECT id, name, email FROM customers ORDER BY id;
FETCH 3 FROM c;
MOVE FORWARD 10 FROM c;
FETCH NEXT FROM c;
CLOSE c;
COMMIT;

-- # scrollable cursor
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id, ssn FROM customers ORDER BY id;
FETCH LAST FROM c;
FETCH PRIOR FROM c;
FETCH ABSOLUTE 5 FROM c;
FETCH BACKWARD 2 FROM c;
COMMIT;

-- # cursor WITH HOLD
DECLARE h CURSOR WITH HOLD FOR SELECT id, salary FROM customers ORDER BY id;
FETCH 2 FROM h;
CLOSE h;

-- # PREPARE with parameters
PREPARE by_tenant (int, text) AS SELECT id, name, email FROM customers WHERE tenant_id = $1 AND status = $2 ORDER BY id;
EXECUTE by_tenant (1, 'active');
EXECUTE by_tenant (2, 'gone');
DEALLOCATE by_tenant;

-- # EXPLAIN EXECUTE
PREPARE q (int) AS SELECT name FROM customers WHERE id = $1;
EXPLAIN EXECUTE q (4);
DEALLOCATE ALL;

-- # pages by the extended protocol
-- bind: ["1"]
-- rows: 7
SELECT id, name, email FROM customers WHERE tenant_id = $1 ORDER BY id LIMIT 20;

-- # parameters of many types
-- bind: ["7", "{DE,FR}", "2024-01-01", "true", "{\"theme\": \"dark\"}"]
SELECT id, email FROM customers WHERE id > $1::bigint AND country = ANY ($2::text[]) AND created_at > $3::timestamptz AND $4::boolean AND settings @> $5::jsonb ORDER BY id LIMIT 10;

-- # all types of customers in binary
-- bind: []
-- binary
SELECT * FROM customers ORDER BY id LIMIT 5;

-- # all types of documents in binary
-- bind: []
-- binary
SELECT * FROM documents ORDER BY id LIMIT 3;

-- # LISTEN, NOTIFY, UNLISTEN
LISTEN customers_changed;
UNLISTEN customers_changed;
NOTIFY nobody_listens, 'x';

-- # several statements at once
SELECT 1 AS a; SELECT id, email FROM customers WHERE id = 3; SELECT count(*) FROM orders;

-- # temporary table from open columns
CREATE TEMP TABLE picked AS SELECT id, name FROM customers WHERE tenant_id = 1;
SELECT count(*) FROM picked;
SELECT c.id, c.email FROM customers c JOIN picked p ON p.id = c.id ORDER BY c.id;
DROP TABLE picked;

-- # temporary table by SELECT INTO
SELECT id, title INTO TEMP picked FROM documents WHERE published;
SELECT count(*) FROM picked;

-- # temporary table filled by INSERT ... SELECT of open columns
CREATE TEMP TABLE totals (customer_id bigint PRIMARY KEY, total numeric);
INSERT INTO totals SELECT customer_id, sum(total) FROM orders GROUP BY customer_id;
SELECT c.name, t.total FROM totals t JOIN customers c ON c.id = t.customer_id ORDER BY t.total DESC, c.id LIMIT 5;

-- # temporary table ON COMMIT DROP
BEGIN;
CREATE TEMP TABLE ids (id bigint) ON COMMIT DROP;
INSERT INTO ids VALUES (1), (5), (9);
SELECT c.id, c.name, c.phone FROM customers c JOIN ids USING (id) ORDER BY c.id;
COMMIT;

-- # INSERT ... SELECT between open tables
INSERT INTO comments (id, document_id, customer_id, text) SELECT id + 1000, document_id, customer_id, text FROM comments WHERE id < 5 RETURNING id;

-- # INSERT of a customer with DEFAULT
INSERT INTO customers (tenant_id, name, email, phone) VALUES (1, 'A', 'a@mail.example', '+49 1'), (2, 'B', 'b@mail.example', DEFAULT) RETURNING id, name;

-- # upsert: DO NOTHING on the primary key
-- against: true
INSERT INTO customers (id, tenant_id, name, email) VALUES (1, 1, 'A', 'again@mail.example') ON CONFLICT (id) DO NOTHING;

-- # upsert by an address that is written and not read
-- against: true
INSERT INTO customers (tenant_id, name, email) VALUES (1, 'A', 'customer9@mail.example') ON CONFLICT (email) DO UPDATE SET name = excluded.name RETURNING id;

-- # upsert with DO UPDATE ... WHERE
INSERT INTO tenants (id, name, plan) VALUES (1, 'Acme', 'pro') ON CONFLICT (id) DO UPDATE SET plan = excluded.plan WHERE tenants.plan <> excluded.plan RETURNING id, plan;

-- # UPDATE ... FROM
UPDATE customers SET status = 'paused' FROM tenants t WHERE t.id = customers.tenant_id AND t.plan = 'free' AND customers.status = 'gone';

-- # UPDATE with a sub-select
UPDATE customers SET updated_at = (SELECT max(placed_at) FROM orders WHERE orders.customer_id = customers.id) WHERE id < 10 RETURNING id, updated_at;

-- # UPDATE of an address
UPDATE customers SET email = 'moved@mail.example', phone = '+49 2' WHERE id = 11;

-- # UPDATE of JSON that is not masked
UPDATE customers SET settings = jsonb_set(settings, '{theme}', '"blue"') WHERE id = 12 RETURNING id, settings;

-- # UPDATE of arrays
UPDATE customers SET tags = array_append(tags, 'new') WHERE id = 12 RETURNING tags;

-- # UPDATE of an open table by masked rows' open columns
UPDATE orders SET note = 'vip' WHERE customer_id IN (SELECT id FROM customers WHERE 'vip' = ANY (tags) AND tenant_id = 3);

-- # DELETE ... USING
DELETE FROM comments USING customers WHERE customers.id = comments.customer_id AND customers.status = 'gone' AND comments.id > 200;

-- # DELETE of a customer's events
DELETE FROM events WHERE customer_id = 5 AND at < '2024-01-20';

-- # DELETE ... RETURNING of masked rows
DELETE FROM events WHERE id < 4 RETURNING id, kind, ip;

-- # MERGE into an open table
MERGE INTO tenants t USING (VALUES (1, 'Acme', 'pro'), (9, 'New', 'free')) AS s (id, name, plan) ON t.id = s.id
WHEN MATCHED THEN UPDATE SET plan = s.plan WHEN NOT MATCHED THEN INSERT (id, name, plan) VALUES (s.id, s.name, s.plan);

-- # MERGE into a masked table by its key
MERGE INTO customers c USING (VALUES (1::bigint, 'paused'), (2, 'gone')) AS s (id, status) ON c.id = s.id WHEN MATCHED THEN UPDATE SET status = s.status;

-- # data-modifying CTE
WITH moved AS (DELETE FROM orders WHERE status = 'cancelled' AND customer_id < 20 RETURNING customer_id) SELECT customer_id, count(*) FROM moved GROUP BY 1 ORDER BY 1;

-- # data-modifying CTE joined to masked rows
WITH paid AS (UPDATE orders SET status = 'paid' WHERE id < 4 RETURNING id, customer_id) SELECT paid.id, c.name, c.email FROM paid JOIN customers c ON c.id = paid.customer_id ORDER BY 1;

-- # queue: SKIP LOCKED
UPDATE orders SET status = 'shipped' WHERE id = (SELECT id FROM orders WHERE status = 'paid' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id;

-- # row lock by key
SELECT id, status FROM customers WHERE id = 8 FOR UPDATE;

-- # row lock with masked columns
SELECT * FROM customers WHERE id = 8 FOR NO KEY UPDATE;

-- # row lock OF one of two tables
SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id < 4 ORDER BY o.id FOR UPDATE OF o;

-- # row lock OF the masked one of two tables
SELECT o.id, c.name, c.email FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id < 4 ORDER BY o.id FOR SHARE OF c;

-- # row lock SKIP LOCKED with ORDER BY and LIMIT
SELECT id FROM documents WHERE NOT published ORDER BY id LIMIT 5 FOR UPDATE SKIP LOCKED;

-- # row lock NOWAIT
SELECT id, lock_version FROM customers WHERE tenant_id = 1 ORDER BY id FOR KEY SHARE NOWAIT;

-- # COPY FROM into an open table
-- copy: ["5001\t1\t1\thello\t\\N\n", "5002\t2\t2\tworld\t\\N\n"]
COPY comments FROM STDIN;

-- # COPY FROM CSV with columns
-- copy: ["id,name,plan\n77,Seven,free\n"]
COPY tenants (id, name, plan) FROM STDIN (FORMAT csv, HEADER);

-- # COPY FROM of open columns into a masked table
-- copy: ["7\t1\t500\ttext\n"]
COPY chunks (tokens, document_id, position, content) FROM STDIN;

-- # LOCK TABLE
LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE;
LOCK TABLE customers IN ACCESS SHARE MODE;

-- # TRUNCATE of an open table
TRUNCATE comments;

-- # CREATE TABLE, index, drop
CREATE TABLE notes_of_today (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint REFERENCES tenants (id), text text DEFAULT '');
CREATE INDEX ON notes_of_today (customer_id);
ALTER TABLE notes_of_today ADD COLUMN pinned boolean NOT NULL DEFAULT false;
INSERT INTO notes_of_today (text) VALUES ('x') RETURNING id;
DROP TABLE notes_of_today;

-- # index on open columns of a masked table
CREATE INDEX customers_country ON customers (country);

-- # ADD COLUMN to a masked table
ALTER TABLE customers ADD COLUMN nickname text;

-- # COMMENT and ANALYZE
COMMENT ON TABLE customers IS 'people';
ANALYZE orders;

-- # VACUUM hints of a maintenance job
ANALYZE customers;

-- # sequences
SELECT nextval('orders_id_seq') > 0 AS more;
SELECT pg_get_serial_sequence('customers', 'id');
SELECT currval('orders_id_seq') > 0 AS same;

-- # advisory locks
SELECT pg_advisory_lock(42);
SELECT pg_advisory_unlock(42);

-- # sizes and counts of relations
-- against: true
SELECT pg_size_pretty(pg_relation_size('orders')), pg_relation_size('orders') > 0 AS some;

-- # what runs: own activity
-- shape
SELECT pid, state, query FROM pg_stat_activity WHERE pid = pg_backend_pid();

-- # DISCARD ALL and on
DISCARD ALL;
SELECT id, email FROM customers WHERE id = 5;

-- # quoted, mixed-case and Unicode names
SELECT c."id" AS "Customer Id", c.name AS "Größe", U&"c"."email" FROM public."customers" AS c WHERE c.id = 6;

-- # comments, dollar quotes and escapes
/* a /* nested */ comment */ SELECT id, $tag$it's$tag$ AS text, E'a\tb' AS tab -- to the end
FROM customers WHERE id = 6;

-- # casts and types
SELECT id::text, created_at::date, settings::text, tags::text, salary::int, '7'::int + id AS sum FROM customers WHERE id = 6;

-- # whole rows
SELECT c FROM customers c WHERE c.id = 6;

-- # a star of one of two tables
SELECT c.*, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id = 6 ORDER BY o.id;

-- # a star with a k-NN search in a sub-select
-- against: search
SELECT s.*, c.* FROM (SELECT id AS document, author_id FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 3) s JOIN customers c ON c.id = s.author_id ORDER BY s.document;
