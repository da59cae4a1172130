-- Statements that change objects, one a line. In braces: holes that sequences.py fills.
ALTER TABLE people RENAME COLUMN {hidden} TO other
ALTER TABLE people RENAME COLUMN name TO email2
ALTER TABLE people RENAME TO folk
ALTER TABLE people DROP COLUMN {hidden}
ALTER TABLE people DROP COLUMN name
ALTER TABLE people ADD COLUMN g text GENERATED ALWAYS AS ({hidden}::text) STORED
ALTER TABLE people ADD COLUMN plain int DEFAULT 4
ALTER TABLE people ADD COLUMN u int UNIQUE
ALTER TABLE people ALTER COLUMN {hidden} TYPE text USING {hidden}::text || 'x'
ALTER TABLE people ALTER COLUMN name TYPE text USING email
ALTER TABLE people ADD CHECK ({hidden}::text > 'k')
ALTER TABLE people ADD CHECK (id > 0)
ALTER TABLE people ADD UNIQUE ({hidden})
ALTER TABLE people ALTER {hidden} SET DEFAULT NULL
ALTER TABLE people ALTER {hidden} SET NOT NULL
ALTER TABLE people SET SCHEMA pg_catalog
ALTER TABLE people ENABLE ROW LEVEL SECURITY
ALTER TABLE people RENAME CONSTRAINT people_pkey TO pk
ALTER TABLE people CLUSTER ON people_salary_id
ALTER TABLE people SET (fillfactor = 50)
ALTER TABLE topics INHERIT people
ALTER TABLE topics RENAME TO subjects
ALTER TABLE events DETACH PARTITION events_1
ALTER TABLE events_1 RENAME TO e1
ALTER TABLE sink ADD FOREIGN KEY (t) REFERENCES people ({hidden})
ALTER TABLE sink ALTER t SET DEFAULT (SELECT max(email) FROM people)
ALTER VIEW v_people RENAME COLUMN contact TO c2
ALTER VIEW v_people RENAME TO v2
ALTER INDEX people_salary_id ALTER COLUMN 1 SET STATISTICS 10
ALTER TYPE mood ADD VALUE 'new'
ALTER TYPE mood RENAME VALUE 'calm' TO 'cool'
ALTER TYPE place ADD ATTRIBUTE x int
ALTER DOMAIN positive ADD CHECK (VALUE < 500000)
CREATE INDEX ON people ({hidden})
CREATE INDEX ON people (name)
CREATE UNIQUE INDEX ON people ((left({hidden}::text, 2)))
CREATE UNIQUE INDEX ON people (tenant)
CREATE UNIQUE INDEX ON people (id) WHERE {condition}
CREATE VIEW vv AS SELECT {hidden} AS c FROM people
CREATE VIEW vv AS SELECT name AS c FROM people
CREATE OR REPLACE VIEW v_topics AS SELECT topic, title FROM topics WHERE weight > 1
CREATE MATERIALIZED VIEW mm AS SELECT {hidden} FROM people
CREATE MATERIALIZED VIEW mm AS SELECT id, name FROM people
REFRESH MATERIALIZED VIEW mv_people
CREATE TABLE copied AS SELECT {hidden} FROM people
CREATE TABLE copied AS SELECT id, name FROM people WHERE {open}
CREATE TABLE copied (LIKE people INCLUDING ALL)
CREATE TABLE IF NOT EXISTS people (id int)
CREATE TABLE kid () INHERITS (people)
CREATE TABLE events_4 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')
CREATE TABLE s2.people (id int)
CREATE STATISTICS st ON {hidden}, id FROM people
CREATE RULE r AS ON INSERT TO topics DO ALSO SELECT email FROM people
CREATE FUNCTION leak() RETURNS text LANGUAGE sql AS 'SELECT email FROM people LIMIT 1'
CREATE DOMAIN dd AS text CHECK (VALUE <> 'x')
CREATE POLICY p ON people USING (salary > 5000)
CREATE TRIGGER tg AFTER UPDATE ON people EXECUTE FUNCTION suppress_redundant_updates_trigger()
CREATE CAST (text AS int) WITH INOUT AS IMPLICIT
CREATE OPERATOR === (leftarg = text, rightarg = text, function = texteq)
CREATE AGGREGATE agg (text) (sfunc = textcat, stype = text)
CREATE SCHEMA s2
CREATE EXTENSION IF NOT EXISTS pageinspect
DO $$BEGIN RAISE NOTICE '%', (SELECT max({hidden}::text) FROM people); END$$
DO $$BEGIN RAISE NOTICE 'x'; END$$
DROP TABLE people CASCADE
DROP TABLE topics
DROP VIEW v_people CASCADE
DROP INDEX people_salary_id
DROP STATISTICS people_st
DROP TYPE place CASCADE
COMMENT ON COLUMN people.{hidden} IS 'c'
GRANT SELECT ON people TO scans
REVOKE ALL ON people FROM scans
CLUSTER people USING people_salary_id
CLUSTER people USING people_pkey
REINDEX TABLE people
ANALYZE people
ANALYZE VERBOSE people
VACUUM people
SECURITY LABEL ON TABLE people IS 'x'
IMPORT FOREIGN SCHEMA public FROM SERVER s INTO public
CREATE PUBLICATION pub FOR TABLE people
CREATE SUBSCRIPTION sub CONNECTION 'host=localhost' PUBLICATION pub
SET ROLE scans
SET SESSION AUTHORIZATION scans
RESET ROLE
