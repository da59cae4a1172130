-- What the cases of sql_more.json want beside the tables of sql_setup.sql: objects that were there before the attacker.
CREATE FUNCTION f_imm(int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT email FROM public.docs WHERE id = $1';
CREATE FUNCTION f_pay(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT salary FROM public.docs WHERE id = $1';
CREATE FUNCTION f_all() RETURNS SETOF docs LANGUAGE sql STABLE AS 'SELECT * FROM public.docs';
CREATE FUNCTION f_definer() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT string_agg(email, '' '') FROM public.docs';
CREATE FUNCTION f_variadic(VARIADIC text[]) RETURNS text LANGUAGE sql AS 'SELECT email FROM public.docs WHERE id = 1';
CREATE FUNCTION f_default(a int DEFAULT 1) RETURNS text LANGUAGE sql AS 'SELECT email FROM public.docs WHERE id = a';
CREATE FUNCTION f_cursor(refcursor) RETURNS refcursor LANGUAGE plpgsql AS
  $$BEGIN OPEN $1 FOR SELECT email AS t FROM public.docs WHERE id = 1; RETURN $1; END$$;
CREATE FUNCTION f_row(docs) RETURNS text LANGUAGE sql AS 'SELECT email FROM public.docs WHERE id = $1.id';
CREATE FUNCTION f_compare(text, text) RETURNS bool LANGUAGE plpgsql AS
  $$BEGIN RAISE NOTICE '%', (SELECT email FROM public.docs WHERE id = 1); RETURN true; END$$;
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = f_compare);
CREATE FUNCTION f_prefix(text) RETURNS text LANGUAGE sql AS 'SELECT email FROM public.docs WHERE id = 1';
CREATE OPERATOR ~~~~ (RIGHTARG = text, FUNCTION = f_prefix);
-- Overloads of built-in names that fit some arguments better.
CREATE FUNCTION upper(varchar) RETURNS text LANGUAGE sql AS 'SELECT email FROM public.docs WHERE id = 1';
CREATE FUNCTION lower(int) RETURNS text LANGUAGE sql AS 'SELECT email FROM public.docs WHERE id = $1';
CREATE FUNCTION length(jsonb) RETURNS int LANGUAGE sql AS 'SELECT salary FROM public.docs WHERE id = 1';
CREATE FUNCTION f_join(text, int) RETURNS text LANGUAGE sql AS 'SELECT email FROM public.docs WHERE id = $2';
CREATE OPERATOR || (LEFTARG = text, RIGHTARG = int, FUNCTION = f_join);
-- A domain, a cast, an aggregate, a procedure that tell.
CREATE FUNCTION f_check(text) RETURNS bool LANGUAGE plpgsql SECURITY DEFINER AS
  $$BEGIN RAISE NOTICE '%', (SELECT string_agg(email, ' ') FROM public.docs); RETURN true; END$$;
CREATE DOMAIN loud AS text CHECK (f_check(value));
CREATE TABLE dtab (id int PRIMARY KEY, a loud);
INSERT INTO dtab VALUES (1, 'x');
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE FUNCTION f_mood(mood) RETURNS json LANGUAGE sql AS 'SELECT to_json(email) FROM public.docs WHERE id = 1';
CREATE CAST (mood AS json) WITH FUNCTION f_mood(mood);
CREATE TABLE moods (id int, m mood);
INSERT INTO moods VALUES (1, 'good');
CREATE FUNCTION f_step(text, int) RETURNS text LANGUAGE sql AS 'SELECT email FROM public.docs WHERE id = $2';
CREATE AGGREGATE steal(int) (SFUNC = f_step, STYPE = text);
CREATE PROCEDURE p_tell() LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE '%', (SELECT email FROM public.docs WHERE id = 1); END$$;
CREATE PROCEDURE p_out(INOUT x text) LANGUAGE plpgsql AS $$BEGIN SELECT email INTO x FROM public.docs WHERE id = 1; END$$;
-- Views on views, with a function, with masked values in their conditions.
CREATE VIEW v_chain AS SELECT contact AS c FROM docs_v;
CREATE VIEW v_call AS SELECT id, f_email(id) AS x FROM sink UNION ALL SELECT 1, f_email(1);
CREATE VIEW v_rich AS SELECT id, title FROM docs WHERE salary > 60000;
CREATE VIEW v_sorted AS SELECT id, title FROM docs ORDER BY salary;
CREATE VIEW v_text AS SELECT 'contact: ' || email AS line FROM docs;
CREATE VIEW v_group AS SELECT count(*) AS n FROM docs GROUP BY salary > 60000;
CREATE VIEW v_barrier WITH (security_barrier) AS SELECT id, email AS e FROM docs;
CREATE VIEW v_xml AS SELECT xmlelement(name d, email) AS x FROM docs;
CREATE VIEW v_cte AS WITH q AS (SELECT email AS z FROM docs) SELECT z FROM q;
-- Rows elsewhere that are rows of docs, too; and relations that hold copies under the control of the policy.
CREATE TABLE docs_kid (extra text) INHERITS (docs);
CREATE TABLE open_table (id int PRIMARY KEY, line text, doc int);
INSERT INTO open_table VALUES (1, 'one', 1), (2, 'two', 2);
CREATE TABLE staff (id int PRIMARY KEY, name text, salary int, email text, level int);
INSERT INTO staff SELECT i, 'person ' || i, (i * 7919) % 1000, 's3cr3t.' || i || '@corp.example', i % 50 FROM generate_series(1, 1000) i;
ALTER TABLE staff ADD COLUMN metas jsonb[];
CREATE TABLE plans (id int PRIMARY KEY);
INSERT INTO plans VALUES (1), (2);
ALTER TABLE plans ADD COLUMN plan text DEFAULT 's3cr3t.plan';
ALTER TABLE plans ALTER plan DROP DEFAULT;
UPDATE staff SET metas = ARRAY[jsonb_build_object('email', email)];
CREATE INDEX ON staff (level, salary, id);
CREATE INDEX ON staff (salary) INCLUDE (id);
CREATE STATISTICS staff_stats (mcv, ndistinct) ON level, salary, email FROM staff;
CREATE SEQUENCE counter;
ANALYZE staff;
DO $$ DECLARE r text; BEGIN
  FOR r IN SELECT format('ALTER %s %s OWNER TO svc', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, oid::regclass)
    FROM pg_class WHERE relname IN ('dtab','moods','v_chain','v_call','v_rich','v_sorted','v_text','v_group','v_barrier','v_xml',
                                    'v_cte','docs_kid','open_table','staff','plans','counter')
  LOOP EXECUTE r; END LOOP;
END $$;
