"""What no value comes out of, and still tells: the order in which rows are come upon, what becomes of rows that refer to others,
how much is logged, hashes of guesses, names that lead around a mask.

The two databases differ in masked cells only. PostgreSQL uses an index wherever it can, and logs as it does by default
(wal_level=replica): the servers of the other tests log more, which hides how much of a row has changed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.corpus import Case

from bypass import twins
from bypass.twins import Attack, Twins

SETUP = """
DO $$ BEGIN CREATE ROLE svc LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT ALL ON SCHEMA public TO svc;
SET ROLE svc;
CREATE TABLE staff (id int PRIMARY KEY, team text, title text, salary int, place int DEFAULT 0);
CREATE INDEX ON staff (team, salary, id);
CREATE TABLE keyless (id int, team text, title text, salary int);
CREATE INDEX ON keyless (team, salary) INCLUDE (id);
CREATE VIEW v_first AS SELECT id FROM staff WHERE team = 't1' LIMIT 1;
CREATE VIEW v_distinct AS SELECT DISTINCT ON (team) team, id FROM staff ORDER BY team;
CREATE VIEW v_array AS SELECT team, (array_agg(id))[1:3] AS ids FROM staff WHERE team = 't1' GROUP BY team;
CREATE VIEW v_window AS SELECT id, row_number() OVER (PARTITION BY team) AS place FROM staff;
CREATE VIEW v_inner AS SELECT t.id, (SELECT s.id FROM staff s WHERE s.team = 't1' LIMIT 1) AS first FROM staff t WHERE id < 5;
CREATE SEQUENCE of_view;
CREATE VIEW v_numbers AS SELECT id, nextval('of_view') % 200 AS place FROM staff WHERE team = 't1';
CREATE VIEW v_of_view AS SELECT id FROM v_first;
CREATE MATERIALIZED VIEW m_window AS SELECT id, row_number() OVER () AS place FROM staff WHERE team = 't1';
CREATE TABLE sink (id serial PRIMARY KEY, line text, n int);
CREATE SEQUENCE counter;
CREATE TABLE owners (id int PRIMARY KEY, mail text UNIQUE);
CREATE TABLE things (id int PRIMARY KEY, owner text REFERENCES owners (mail));
CREATE TABLE owners2 (id int PRIMARY KEY, mail text UNIQUE);
CREATE TABLE things2 (id int PRIMARY KEY, owner text REFERENCES owners2 (mail) ON DELETE CASCADE);
CREATE TABLE pay (id int PRIMARY KEY, salary int, level int);
CREATE TABLE notes (id int PRIMARY KEY, before text, mail text, behind text);
CREATE TABLE allowed (id int PRIMARY KEY, before text, mail text, behind text);
CREATE TYPE address AS (street text, zip text);
CREATE TABLE homes (id int PRIMARY KEY, home address);
CREATE TABLE streets OF address;
CREATE TABLE users (id int PRIMARY KEY, mail text, body text, folded text GENERATED ALWAYS AS (lower(mail)) STORED);
CREATE VIEW v_users AS SELECT id, mail AS contact FROM users;
RESET ROLE;
"""

FILL = """
INSERT INTO staff SELECT i, 't' || i % 3, 'title ' || i, (i * {step}) % 100003 FROM generate_series(1, 600) i;
INSERT INTO keyless SELECT id, team, title, salary FROM staff;
INSERT INTO owners VALUES (1, '{mail}'), (2, '{other}');
INSERT INTO owners2 VALUES (1, '{mail}'), (2, '{other}');
INSERT INTO things VALUES (1, 'alice@corp.example');
INSERT INTO things2 VALUES (1, 'alice@corp.example');
INSERT INTO pay VALUES (1, {pay}, 1);
ALTER TABLE pay ADD CHECK (salary < 50000) NOT VALID;
INSERT INTO notes VALUES (1, 'x', '{mail}', 'tail');
INSERT INTO allowed VALUES (1, 'x', '{mail}', 'tail');
INSERT INTO homes VALUES (1, ROW('{mail}', '1'));
INSERT INTO streets VALUES ('{mail}', '1');
INSERT INTO users VALUES (1, '{mail}', 'write to {mail}'), (2, 'own@corp.example', 'mine');
REFRESH MATERIALIZED VIEW m_window;
"""

POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: hide
    match: {collection: [staff, keyless, owners, owners2, pay, notes, streets]}
    mask:
      - {fields: [salary, mail, street], with: redact}
  - name: hide-and-let-write
    match: {collection: allowed}
    mask:
      - {fields: [mail], with: redact, write: allow}
  - name: hide-a-path
    match: {collection: homes}
    mask:
      - {fields: [home.street], with: redact}
  - name: hash
    match: {collection: users}
    mask:
      - {fields: [mail], with: redact, write: allow}
      - {fields: [folded], with: hash}
      - {detect: [email], with: hash}
  - name: hash-what-the-view-shows
    match: {collection: v_users}
    mask:
      - {fields: [contact], with: hash}
"""

ATTACKS = {
    # Functions that answer something else at each call see rows in the order in which an index has them.
    "nextval in WHERE": ["SELECT id FROM staff WHERE team = 't1' AND nextval('counter') % 200 = 1"],
    "random in WHERE": ["SELECT setseed(0.5)", "SELECT id FROM staff WHERE team = 't1' AND random() < 0.05"],
    "random in ORDER BY": ["SELECT setseed(0.5)", "SELECT id FROM staff WHERE team = 't1' ORDER BY random() LIMIT 3"],
    "nextval in FILTER": ["SELECT count(*) FILTER (WHERE nextval('counter') % 200 < 100 AND id < 300) FROM staff WHERE team = 't1'"],
    "nextval in an aggregate": ["SELECT sum(id * (nextval('counter') % 7)::int) FROM staff WHERE team = 't1'"],
    "nextval in a sub-select": ["SELECT id FROM (SELECT id, nextval('counter') AS k FROM staff WHERE team = 't1' OFFSET 0) q ORDER BY k LIMIT 3"],
    "nextval in LATERAL": ["SELECT id FROM staff s, LATERAL (SELECT nextval('counter') + s.id * 0 AS k) q WHERE team = 't1' ORDER BY k LIMIT 3"],
    "notifications": ["LISTEN ch", "SELECT count(pg_notify('ch', id::text)) FROM staff WHERE team = 't1'"],
    "nextval in SET": ["BEGIN", "UPDATE staff SET place = nextval('counter') WHERE team = 't1'", "SELECT id FROM staff WHERE team = 't1' ORDER BY place LIMIT 3", "ROLLBACK"],
    "random in DELETE": ["SELECT setseed(0.5)", "BEGIN", "DELETE FROM staff WHERE team = 't1' AND random() < 0.5 AND id + place < 300", "ROLLBACK"],
    # Which of several rows is taken.
    "UPDATE FROM takes the first": ["BEGIN", "INSERT INTO sink (line) VALUES ('k')", "UPDATE sink SET n = s.id FROM staff s WHERE s.team = 't1'", "SELECT n FROM sink", "ROLLBACK"],
    "DELETE USING returns the first": ["BEGIN", "INSERT INTO sink (line) VALUES ('k')", "DELETE FROM sink USING staff s WHERE s.team = 't1' RETURNING s.id", "ROLLBACK"],
    # Rows that an UPDATE has written lie in the order in which it came to them.
    "order after an UPDATE, without a key": ["BEGIN", "UPDATE keyless SET title = 'x' WHERE team = 't1'", "SELECT id FROM keyless WHERE team = 't1' LIMIT 3", "ROLLBACK"],
    "sample after an UPDATE": ["BEGIN", "UPDATE staff SET title = 'x' WHERE team = 't1'", "SELECT id FROM staff TABLESAMPLE BERNOULLI (5) REPEATABLE (7) WHERE team = 't1' ORDER BY id", "ROLLBACK"],
    # Views that show more than their own order.
    "view with LIMIT": ["SELECT * FROM v_first"],
    "view with DISTINCT ON": ["SELECT * FROM v_distinct"],
    "view with array_agg": ["SELECT ids FROM v_array"],
    "view with a window": ["SELECT * FROM v_window ORDER BY id LIMIT 5"],
    "view with LIMIT in a sub-select": ["SELECT * FROM v_inner"],
    "view with a sequence": ["SELECT id FROM v_numbers WHERE place = 1"],
    "view of such a view": ["SELECT * FROM v_of_view"],
    "materialised view with a window": ["SELECT * FROM m_window ORDER BY id LIMIT 5"],
    "own view": ["CREATE VIEW mine AS SELECT id FROM staff WHERE team = 't1' LIMIT 1", "SELECT * FROM mine", "DROP VIEW mine"],
    "own materialised view": ["CREATE MATERIALIZED VIEW mine AS SELECT id FROM staff WHERE team = 't1' LIMIT 1", "SELECT * FROM mine", "DROP MATERIALIZED VIEW mine"],
    # Rows that refer to a masked value.
    "removed although referred to": ["BEGIN", "DELETE FROM owners WHERE id = 1", "ROLLBACK"],
    "removed with what refers to it": ["BEGIN", "DELETE FROM owners2 WHERE id = 1", "SELECT count(*) FROM things2", "ROLLBACK"],
    # A constraint that stored rows may break.
    "NOT VALID": ["BEGIN", "UPDATE pay SET level = 2 WHERE id = 1", "ROLLBACK"],
    # How much of a row has changed.
    "logged bytes": ["UPDATE notes SET before = 'alice@corp.example', behind = 'tail' WHERE id = 1", "BEGIN",
                     "EXPLAIN (ANALYZE, WAL, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) UPDATE notes SET before = NULL, behind = 'zzzz' WHERE id = 1", "ROLLBACK"],
    "logged bytes of a guess": ["UPDATE notes SET behind = 'tail' WHERE id = 1", "BEGIN",
                                "EXPLAIN (ANALYZE, WAL, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) UPDATE allowed SET mail = 'alice@corp.exampl_' WHERE id = 1", "ROLLBACK"],
    # Names that lead around a mask.
    "attribute of a type renamed": ["BEGIN", "ALTER TYPE address RENAME ATTRIBUTE street TO lane CASCADE", "SELECT * FROM streets", "SELECT home FROM homes", "ROLLBACK"],
}  # fmt: skip

CASES = [Case(name, name, "svc", {}, steps, [], None, [], "D") for name, steps in ATTACKS.items()]


@pytest.fixture(scope="module")
def pair() -> Iterator[Twins]:
    one: dict[str, object] = {"step": 7919, "mail": "alice@corp.example", "other": "mario@firm.example", "pay": 60000}
    other: dict[str, object] = {"step": 6007, "mail": "mario@firm.example", "other": "alice@corp.example", "pay": 40000}
    with twins.told_by_indexes(SETUP, FILL, one, other) as made:
        yield made


@pytest.fixture(autouse=True)
def counters_alike(pair: Twins) -> None:
    """Sequences start anew: what has been drawn from them before is no secret."""
    for database in (pair.one, pair.other):
        with database.connect() as direct:
            direct.execute("SELECT setval('counter', 1, false), setval('of_view', 1, false)")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_leaks_without_a_gateway(case: Case, direct: Attack) -> None:
    assert any(direct.case(case)), case.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_no_leak(case: Case, masked: Attack) -> None:
    assert list(masked.case(case)) == [], f"{case.name}: {case.steps}"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_current_wal_lsn()",
        "SELECT pg_catalog.pg_current_wal_insert_lsn()",
        "SELECT * FROM pg_current_wal_flush_lsn()",
    ],
)
def test_the_log_is_not_measured(sql: str, masked: Attack) -> None:
    seen, _ = masked.both("svc", lambda client, _: client.query(sql), again=True)
    assert seen.error.sqlstate == "42501"


GUESSES = [
    "UPDATE users SET mail = 'alice@corp.example' WHERE id = 2",
    "UPDATE users SET body = 'alice@corp.example' WHERE id = 2",
    "INSERT INTO users (id, mail, body) VALUES (3, 'alice@corp.example', 'write to alice@corp.example')",
]


@pytest.mark.parametrize("guess", GUESSES)
@pytest.mark.parametrize("shown", ["folded", "body", "mail"])
def test_hashes_of_guesses_are_not_shown(guess: str, shown: str, masked: Attack) -> None:
    """A hash is compared with that of a value which the client has written."""

    def compare(client, _):
        client.query("BEGIN")
        client.query(guess)
        table = client.query(f"SELECT {shown} FROM users ORDER BY id").rows
        view = client.query("SELECT contact FROM v_users ORDER BY id").rows
        client.query("ROLLBACK")
        answers.append((table, view))
        return client.query("SELECT 1")

    answers: list = []
    masked.both("svc", compare, again=False)
    for table, view in answers:
        written = [row[0] for row in table[1:]] + [row[0] for row in view[1:]]
        stored = {row[0] for row in (*table[:1], *view[:1])} - {b"***", b"redacted", None}
        hashes = {text[-16:] for text in stored}
        assert not [text for text in written if text and text[-16:] in hashes], answers
