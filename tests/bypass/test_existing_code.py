"""What a database runs by itself when a row is written, and still tells: triggers that PostgreSQL and its contrib modules bring
along, and constraints that look at the clock, the user or a setting.

The two databases differ in masked cells only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from harness.corpus import Case
from harness.postgres import PostgresServer

from bypass.twins import Attack, Twins

MAKES = "BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION"

SETUP = f"""
DO $$ BEGIN CREATE ROLE svc LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT ALL ON SCHEMA public TO svc;
CREATE EXTENSION moddatetime; CREATE EXTENSION insert_username;
SET ROLE svc;
CREATE TABLE articles (id int PRIMARY KEY, title text, secret text, words tsvector, again text GENERATED ALWAYS AS (words::text) STORED);
CREATE TRIGGER fill {MAKES.format("articles")} tsvector_update_trigger(words, 'pg_catalog.simple', title, secret);
CREATE TABLE by_column (id int PRIMARY KEY, title text, secret text, config regconfig DEFAULT 'pg_catalog.simple', words tsvector);
CREATE TRIGGER fill {MAKES.format("by_column")} tsvector_update_trigger_column(words, config, title, secret);
CREATE TABLE disabled (id int PRIMARY KEY, title text, secret text, words tsvector);
CREATE TRIGGER fill {MAKES.format("disabled")} tsvector_update_trigger(words, 'pg_catalog.simple', secret);
CREATE TABLE renamed (id int PRIMARY KEY, title text, secret text, words tsvector);
CREATE TRIGGER fill {MAKES.format("renamed")} tsvector_update_trigger(words, 'pg_catalog.simple', secret);
CREATE TABLE source_renamed (id int PRIMARY KEY, title text, hidden text, words tsvector);
CREATE TRIGGER fill {MAKES.format("source_renamed")} tsvector_update_trigger(words, 'pg_catalog.simple', hidden);
CREATE TABLE parts (id int, title text, secret text, words tsvector) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TRIGGER fill {MAKES.format("parts_1")} tsvector_update_trigger(words, 'pg_catalog.simple', secret);
CREATE TABLE one_each (id int PRIMARY KEY, title text, secret text, words tsvector UNIQUE);
CREATE TRIGGER fill {MAKES.format("one_each")} tsvector_update_trigger(words, 'pg_catalog.simple', title, secret);
CREATE TABLE checked (id int PRIMARY KEY, title text, secret text, words tsvector, CHECK (NOT words @@ 'zz & alice'::tsquery));
CREATE TRIGGER fill {MAKES.format("checked")} tsvector_update_trigger(words, 'pg_catalog.simple', title, secret);
CREATE VIEW v_articles AS SELECT id, words AS lexemes FROM articles;
CREATE TABLE same (id int PRIMARY KEY, title text, secret text);
CREATE TRIGGER same BEFORE UPDATE ON same FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TABLE stamped (id int PRIMARY KEY, title text, pay int, changed timestamptz);
CREATE TRIGGER stamp BEFORE UPDATE ON stamped FOR EACH ROW WHEN (NEW.pay > 50000) EXECUTE FUNCTION moddatetime(changed);
CREATE TABLE fails (id int PRIMARY KEY, title text, pay int, changed timestamptz);
CREATE TRIGGER stamp BEFORE UPDATE ON fails FOR EACH ROW WHEN (1 / (NEW.pay - 40000) > 1) EXECUTE FUNCTION moddatetime(changed);
CREATE TABLE limits (id int PRIMARY KEY, title text, until timestamptz, changed timestamptz, CHECK (changed < until));
CREATE TRIGGER stamp BEFORE UPDATE ON limits FOR EACH ROW EXECUTE FUNCTION moddatetime(changed);
CREATE TABLE signed (id int PRIMARY KEY, title text, owner text, by text, CHECK (by <> owner));
CREATE TRIGGER sign BEFORE UPDATE ON signed FOR EACH ROW EXECUTE FUNCTION insert_username(by);
CREATE TABLE plain (id int PRIMARY KEY, title text, body text, secret text, words tsvector, changed timestamptz);
CREATE TRIGGER fill {MAKES.format("plain")} tsvector_update_trigger(words, 'pg_catalog.simple', title, body);
CREATE TRIGGER stamp BEFORE UPDATE ON plain FOR EACH ROW WHEN (OLD.title IS DISTINCT FROM NEW.title) EXECUTE FUNCTION moddatetime(changed);
CREATE TABLE expiring (id int PRIMARY KEY, title text, until timestamptz CHECK (until > now()));
CREATE TABLE owned (id int PRIMARY KEY, title text, owner text CHECK (owner <> current_user));
CREATE TABLE hours (id int PRIMARY KEY, title text, born timestamptz CHECK (extract(hour FROM born) < 20));
CREATE TABLE by_text (id int PRIMARY KEY, title text, spare text CHECK (spare::date > current_setting('app.day', true)::date));
CREATE TABLE tops (top int);
INSERT INTO tops VALUES (100000);
CREATE FUNCTION small(n int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT n < (SELECT max(top) FROM tops)';
CREATE TABLE guarded (id int PRIMARY KEY, title text, pay int CHECK (small(pay)));
CREATE TABLE tidy (id int PRIMARY KEY, title text, secret text, spare text, pay int,
  CHECK (secret ~ '^[a-z]+$' AND length(secret) < 10 AND secret IS DISTINCT FROM 'x'), CHECK (spare::int > 0), CHECK (pay BETWEEN 1 AND 99999),
  CHECK (CASE WHEN pay IN (1, 2) THEN false ELSE coalesce(pay, 3) > 2 END), CHECK (title <> current_user));
RESET ROLE;
"""

FILL = """
SET TimeZone = 'UTC';
INSERT INTO articles (id, title, secret) VALUES (1, 'one', '{name}');
INSERT INTO by_column (id, title, secret) VALUES (1, 'one', '{name}');
INSERT INTO disabled (id, title, secret) VALUES (1, 'one', '{name}');
ALTER TABLE disabled DISABLE TRIGGER fill;
INSERT INTO renamed (id, title, secret) VALUES (1, 'one', '{name}');
ALTER TABLE renamed RENAME words TO lexemes;
INSERT INTO source_renamed (id, title, hidden) VALUES (1, 'one', '{name}');
ALTER TABLE source_renamed RENAME hidden TO secret;
INSERT INTO parts (id, title, secret) VALUES (1, 'one', '{name}');
INSERT INTO one_each (id, title, secret) VALUES (1, 'one', 'alice'), (2, 'two', '{name}');
INSERT INTO checked (id, title, secret) VALUES (1, 'one', '{name}');
INSERT INTO same VALUES (1, 'one', '{name}');
INSERT INTO stamped VALUES (1, 'one', {pay}, '2020-01-01');
INSERT INTO fails VALUES (1, 'one', {pay}, '2020-01-01');
INSERT INTO limits VALUES (1, 'one', '{until}', '2019-01-01');
INSERT INTO signed VALUES (1, 'one', '{owner}', 'nobody');
INSERT INTO plain (id, title, body, secret) VALUES (1, 'one', 'text', '{name}');
INSERT INTO expiring VALUES (1, 'one', now() + interval '{left}');
INSERT INTO owned VALUES (1, 'one', '{owner}');
INSERT INTO hours VALUES (1, 'one', '{born}');
INSERT INTO by_text VALUES (1, 'one', '{until}');
INSERT INTO guarded VALUES (1, 'one', {pay});
INSERT INTO tidy VALUES (1, 'one', '{name}', '5', {pay});
"""

POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: hide
    match: {collection: "*"}
    mask:
      - {fields: [secret, pay, until, owner, born, spare], with: redact}
"""

ONE = {
    "name": "alice",
    "pay": 60000,
    "until": "2100-01-01",
    "owner": "svc",
    "left": "1 day",
    "born": "2000-01-01 12:00+00",
}
OTHER = {
    "name": "mario",
    "pay": 40000,
    "until": "2020-01-01",
    "owner": "bob",
    "left": "1 second",
    "born": "2000-01-01 18:00+00",
}

ATTACKS = {
    # What a trigger writes into another column.
    "lexemes": ["SELECT words FROM articles"],
    "lexemes by a configuration of the row": ["SELECT words FROM by_column"],
    "a word that is looked for": ["SELECT id FROM articles WHERE words @@ to_tsquery('simple', 'alice')"],
    "lexemes one by one": ["SELECT u.lexeme FROM articles, unnest(words) AS u"],
    "whole row": ["SELECT articles FROM articles"],
    "generated from lexemes": ["SELECT again FROM articles"],
    "view of lexemes": ["SELECT lexemes FROM v_articles"],
    "copied": ["COPY articles (id, words) TO STDOUT"],
    "returned": ["BEGIN", "UPDATE articles SET id = id WHERE id = 1 RETURNING words", "ROLLBACK"],
    "trigger dropped": ["BEGIN", "DROP TRIGGER fill ON articles", "SELECT words FROM articles", "ROLLBACK"],
    "of a trigger that is disabled": ["SELECT words FROM disabled"],
    "target renamed": ["SELECT lexemes FROM renamed"],
    "source renamed": ["SELECT words FROM source_renamed"],
    "of a partition": ["SELECT words FROM parts_1", "SELECT words FROM parts"],
    "unique lexemes": ["BEGIN", "UPDATE one_each SET title = 'one' WHERE id = 2", "ROLLBACK"],
    "unique lexemes of a new row": ["BEGIN", "INSERT INTO one_each (id, title) VALUES (3, 'two alice')", "ROLLBACK"],
    "checked lexemes": ["BEGIN", "UPDATE checked SET title = 'zz' WHERE id = 1", "ROLLBACK"],
    # What a trigger does tells.
    "WHEN looks at it": ["BEGIN", "UPDATE stamped SET title = 'x'", "SELECT changed > '2021-01-01' FROM stamped", "ROLLBACK"],
    "WHEN fails": ["BEGIN", "UPDATE fails SET title = 'x'", "ROLLBACK"],
    "a stamp that breaks a constraint": ["BEGIN", "UPDATE limits SET title = 'x'", "ROLLBACK"],
    "a signature that breaks a constraint": ["BEGIN", "UPDATE signed SET title = 'x'", "ROLLBACK"],
    # Constraints over a masked column alone that answer something else later.
    "CHECK with the clock": ["BEGIN", "UPDATE expiring SET title = 'x'", "ROLLBACK"],
    "CHECK with the user": ["BEGIN", "UPDATE owned SET title = 'x' WHERE id = 1", "ROLLBACK"],
    "CHECK with the time zone": ["BEGIN", "SET LOCAL TimeZone = 'Asia/Tokyo'", "UPDATE hours SET title = 'x'", "ROLLBACK"],
    "CHECK with a setting": ["BEGIN", "SET LOCAL app.day = '2050-01-01'", "UPDATE by_text SET title = 'x'", "ROLLBACK"],
    "CHECK with a function that reads a table": ["BEGIN", "UPDATE tops SET top = 50000", "UPDATE guarded SET title = 'x'", "ROLLBACK"],
    "upsert of a CHECK with the user": ["BEGIN", "INSERT INTO owned (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET title = 'x'", "ROLLBACK"],
}  # fmt: skip

CASES = [Case(name, name, "svc", {}, steps, [], None, [], "D") for name, steps in ATTACKS.items()]

# What goes on as it does without a mask, in both.
PASS = {
    "SELECT id FROM plain WHERE words @@ to_tsquery('simple', 'text')": [[b"1"]],
    "UPDATE plain SET title = 'two', body = 'text two' WHERE id = 1 RETURNING words, changed > '2021-01-01'": [[b"'text':2 'two':1,3", b"t"]],
    "INSERT INTO plain (id, title, body) VALUES (2, 'three', '') RETURNING words": [[b"'three':1"]],
    "INSERT INTO articles (id, title) VALUES (7, 'seven') RETURNING title, words": [[b"seven", b""]],
    "DELETE FROM articles WHERE id = 1 RETURNING id": [[b"1"]],
    "UPDATE articles SET id = 8 WHERE id = 1 RETURNING id": [[b"8"]],
    "UPDATE tidy SET title = 'x' WHERE id = 1 RETURNING title, secret": [[b"x", b"***"]],
    "UPDATE tidy SET title = title WHERE id = 1 RETURNING pay": [[b"0"]],
    "DELETE FROM owned RETURNING id": [[b"1"]],
    "UPDATE disabled SET title = 'x' RETURNING title": [[b"x"]],
}  # fmt: skip


@pytest.fixture(scope="module")
def pair() -> Iterator[Twins]:
    with PostgresServer("pg0") as server:
        one, other = server.fresh_database(SETUP), server.fresh_database(SETUP)
        for database, secrets in ((one, ONE), (other, OTHER)):
            with database.connect() as direct:
                direct.execute(FILL.format(**secrets).encode())
        time.sleep(1.2)  # the second of `left`
        yield Twins(one, other)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_leaks_without_a_gateway(case: Case, direct: Attack) -> None:
    assert any(direct.case(case)), case.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_no_leak(case: Case, masked: Attack) -> None:
    assert list(masked.case(case)) == [], f"{case.name}: {case.steps}"


@pytest.mark.parametrize("sql", PASS)
def test_other_writes_pass(sql: str, masked: Attack) -> None:
    def run(client, _):
        client.query("BEGIN")
        answer = client.query(sql)
        client.query("ROLLBACK")
        return answer

    seen = masked.both("svc", run, again=False)
    assert [list(one.rows) for one in seen] == [PASS[sql]] * 2, seen
