"""The order in which an index over masked columns has rows, where nothing shows it but an error, a join, or the index itself.

The two databases differ in masked cells only. PostgreSQL uses an index wherever it can.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.corpus import Case
from harness.wire import Client

from bypass import twins
from bypass.twins import Attack, Twins

SETUP = """
DO $$ BEGIN CREATE ROLE svc LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT ALL ON SCHEMA public TO svc;
CREATE EXTENSION IF NOT EXISTS vector;
SET ROLE svc;
CREATE TABLE wide (id int PRIMARY KEY, team text, salary int, pad text);
CREATE INDEX ON wide (team, salary, id);
CREATE TABLE parted (id int, salary int, note text) PARTITION BY RANGE (salary);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (50000);
CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (50000) TO (MAXVALUE);
CREATE TABLE near (id int PRIMARY KEY, team int, salary int, embedding vector(3));
CREATE INDEX ON near (team, salary);
CREATE TABLE big (id int PRIMARY KEY, note text);
CREATE TABLE sink (n int);
CREATE TABLE hashed (id int PRIMARY KEY, mail text, pad text);
CREATE INDEX ON hashed (mail);
CREATE VIEW v_hashed AS SELECT id, mail AS contact FROM hashed;
CREATE VIEW v_mails AS SELECT mail AS contact FROM hashed;
CREATE TABLE part (id int PRIMARY KEY, mail text, pad text);
CREATE INDEX ON part (mail);
CREATE TABLE inc (id int PRIMARY KEY, salary int, mail text, pad text);
CREATE INDEX ON inc (salary) INCLUDE (mail);
CREATE TABLE pages (id int PRIMARY KEY, n int, metadata jsonb);
CREATE INDEX ON pages ((metadata ->> 'topic'));
CREATE INDEX ON pages USING gin (metadata);
CREATE TABLE bank (id int PRIMARY KEY, mail text, pad text);
CREATE INDEX ON bank (mail);
RESET ROLE;
"""

FILL = """
INSERT INTO wide SELECT i, 't' || i % 3, (i * {step}) % 100003, repeat('x', 500) FROM generate_series(1, 600) i;
INSERT INTO parted SELECT i, (i * {step}) % 100003, 'n' FROM generate_series(1, 40) i;
INSERT INTO near SELECT i, i / 10, (i * {step}) % 100003, NULL FROM generate_series(1, 1000) i;
INSERT INTO big SELECT i, 'n' FROM generate_series(1, 20000) i;
INSERT INTO hashed SELECT i, 's' || lpad(((i * {step}) % 9973)::text, 5, '0') || '@corp.test', repeat('x', 900) FROM generate_series(1, 400) i;
INSERT INTO part SELECT i, 's' || lpad(((i * {step}) % 9973)::text, 5, '0') || '@d' || i % 40 || '.test', repeat('x', 900) FROM generate_series(1, 400) i;
INSERT INTO inc SELECT i, (i * {step}) % 100003, 'someone' || i || '@d' || i % 40 || '.test', repeat('x', 900) FROM generate_series(1, 400) i;
INSERT INTO sink VALUES (0);
INSERT INTO pages SELECT i, i, jsonb_build_object('topic', 't' || i % 7, 'email', 'x' || i) FROM generate_series(1, 1000) i;
INSERT INTO pages VALUES (1001, 1001, '{{"topic": "{topic}", "deep": {{"email": "a"}}}}');
INSERT INTO bank VALUES (1, '{mail}', 'x');
"""

POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: hide
    match: {collection: [wide, "parted*"]}
    mask:
      - {fields: [salary], with: redact}
  - name: hide-near
    match: {collection: near}
    mask:
      - {fields: [salary], with: redact}
      - {vectors: remove, scores: rank}
  - name: hash
    match: {collection: [hashed, v_hashed, v_mails]}
    mask:
      - {fields: [mail, contact], with: hash}
  - name: part
    match: {collection: [part, inc]}
    mask:
      - {fields: [mail], with: partial}
      - {fields: [salary], with: redact}
  - name: keys
    match: {collection: pages}
    mask:
      - {fields: [email], with: redact}
  - name: bank
    match: {collection: bank}
    mask:
      - {fields: [mail], with: redact, write: allow}
"""

TWO_ERRORS = "CASE WHEN id = 7 THEN 1 / (id - 7) WHEN id = 100 THEN ('x' || id)::int END"
UNIT = "date_part(CASE WHEN id = 7 THEN 'foo' END, now())"
STAFF = "SELECT id FROM wide WHERE team = 't1' AND id % 20 = 1"

ATTACKS = {
    # Which of two errors comes first.
    "errors in the list": [f"SELECT {TWO_ERRORS} FROM wide WHERE team = 't1'"],
    "errors in a condition": [f"SELECT count(*) FROM wide WHERE team = 't1' AND {TWO_ERRORS} IS NULL"],
    "errors in an aggregate": [f"SELECT sum({TWO_ERRORS}) FROM wide WHERE team = 't1'"],
    "an error or an end": ["SELECT EXISTS (SELECT 1 FROM wide WHERE team = 't1' AND (id = 7 OR 1 / (id - 100) = 5))"],
    "errors above a sub-select": [f"SELECT {TWO_ERRORS} FROM (SELECT id FROM wide WHERE team = 't1') q"],
    "errors above WITH": [f"WITH q AS (SELECT id FROM wide WHERE team = 't1') SELECT {TWO_ERRORS} FROM q"],
    "errors of a join": [f"SELECT b.id FROM big b JOIN wide w ON w.id = b.id AND w.team = 't1' AND {TWO_ERRORS.replace('id', 'w.id')} IS NULL"],
    "errors of an UPDATE ... FROM": [f"UPDATE sink SET n = {TWO_ERRORS} FROM wide WHERE team = 't1'"],
    "errors of INSERT ... SELECT": [f"INSERT INTO sink SELECT {TWO_ERRORS} FROM wide WHERE team = 't1'"],
    # What fails for one row only, by types and arguments.
    "units": [f"SELECT count(*) FROM wide WHERE team = 't1' AND ({UNIT} IS NULL AND ((CASE WHEN id = 100 THEN 1e400 END) < 1.5::float8) IS NULL)"],
    "dimensions": [f"SELECT {UNIT}, (CASE WHEN id = 100 THEN '[1,2,3]'::vector END) <-> '[1]'::vector FROM wide WHERE team = 't1'"],
    "conditions beside AND": [("SELECT count(*) FROM wide WHERE team = 't1' AND NOT (id = 7 AND now()::text::int = 1)"
                              " AND NOT (id = 100 AND date_part(version(), now()) = 1)")],
    "conditions of FILTER": [("SELECT count(*) FILTER (WHERE id = 7 AND now()::text::int = 1), count(*) FILTER (WHERE id = 100 AND date_part(version(), now()) = 1)"
                             " FROM wide WHERE team = 't1'")],
    "filtered arguments": [("SELECT count(now()::text::int) FILTER (WHERE id = 7), count(date_part(version(), now())) FILTER (WHERE id = 100)"
                           " FROM wide WHERE team = 't1'")],
    "LATERAL": [("SELECT w.id FROM wide w LEFT JOIN LATERAL (SELECT now()::text::int WHERE w.id = 7) a ON true"
                " LEFT JOIN LATERAL (SELECT date_part(version(), now()) WHERE w.id = 100) b ON true WHERE w.team = 't1'")],
    "sums of money": [("SELECT sum(CASE WHEN id = 7 THEN '90000000000000000'::money WHEN id = 100 THEN '90000000000000000'::money"
                      " WHEN id = 13 THEN '-90000000000000000'::money END) FROM wide WHERE team = 't1'")],
    "weights": [("SELECT ts_rank(CASE WHEN id = 7 THEN '{1,2,3,4}'::float4[] WHEN id = 100 THEN '{1,1,NULL,1}'::float4[] END,"
                " 'a'::tsvector, 'a'::tsquery) FROM wide WHERE team = 't1'")],
    "conversions": [f"SELECT COALESCE(CASE WHEN id = 100 THEN '5874897-12-31'::date END, '2020-01-01'::timestamp), {UNIT} FROM wide WHERE team = 't1'"],
    "topic and a unit": ["SELECT id FROM pages WHERE metadata ->> 'topic' = 'alpha1' AND date_part(CASE WHEN id = 1001 THEN 'foo' END, now()) IS NULL"],
    # Records that are as far away as each other.
    "a search among records without a vector": ["SELECT id FROM near WHERE team = 17 ORDER BY embedding <-> '[1,1,1]' LIMIT 10"],
    "their places": ["SELECT id, row_number() OVER (ORDER BY embedding <-> '[1,1,1]') FROM near WHERE team = 17 ORDER BY embedding <-> '[1,1,1]' LIMIT 10"],
    # Partitions are gone through one by one.
    "rows of partitions": ["SELECT id FROM parted"],
    "rows of one partition": ["SELECT id FROM parted_low"],
    "a count of one partition": ["SELECT count(*) FROM parted_low WHERE id < 20"],
    "an UPDATE of one partition": ["BEGIN", "UPDATE parted_low SET note = 'x' WHERE id < 20", "ROLLBACK"],
    "a partition copied": ["COPY parted_low (id) TO STDOUT"],
    "rows of partitions in an array": ["SELECT array_agg(id) FROM parted"],
    "errors of partitions": ["SELECT CASE WHEN id = 7 THEN 1 / (id - 7) WHEN id = 31 THEN ('x' || id)::int END FROM parted"],
    # A sub-select becomes a join, which is driven by its rows.
    "IN": [f"SELECT n.id FROM big n WHERE n.id IN ({STAFF})"],
    "EXISTS": ["SELECT n.id FROM big n WHERE EXISTS (SELECT FROM wide w WHERE w.team = 't1' AND w.id % 20 = 1 AND w.id = n.id)"],
    "ANY": [f"SELECT n.id FROM big n WHERE n.id = ANY ({STAFF})"],
    "array_agg over IN": [f"SELECT array_agg(n.id) FROM big n WHERE n.id IN ({STAFF})"],
    "COPY": [f"COPY (SELECT n.id FROM big n WHERE n.id IN ({STAFF})) TO STDOUT"],
    "INSERT ... RETURNING": ["BEGIN", f"INSERT INTO sink (n) SELECT n.id FROM big n WHERE n.id IN ({STAFF}) RETURNING n", "ROLLBACK"],
    # An index that has all that is read.
    "parts in an array": ["SELECT array_agg(mail) FROM part"],
    "parts in a sub-select": ["SELECT mail FROM (SELECT mail FROM part) q"],
    "parts that an index includes": ["SELECT (array_agg(mail))[1:5] FROM inc"],
    "parts united": ["SELECT mail FROM part UNION ALL SELECT 'x'"],
    "parts copied": ["COPY (SELECT mail FROM part) TO STDOUT"],
    "one part of each": ["SELECT DISTINCT ON (substr(mail, 1, 1)) mail FROM part"],
    # A condition on stored JSON, beside one that fails.
    "topic and an error": ["SELECT id FROM pages WHERE metadata ->> 'topic' = 'alpha1' AND 1 / (n - 1001) = 7"],
    "document and an error": ["SELECT id FROM pages WHERE metadata @> '{\"topic\": \"alpha1\"}' AND 1 / (n - 1001) = 7"],
    "DELETE and an error": ["BEGIN", "DELETE FROM pages WHERE metadata ->> 'topic' = 'alpha1' AND 1 / (n - 1001) = 7", "ROLLBACK"],
    "UPDATE and an error": ["BEGIN", "UPDATE pages SET n = 1 WHERE metadata ->> 'topic' = 'alpha1' AND 1 / (n - 1001) = 7", "ROLLBACK"],
    "counts of a DELETE": ["BEGIN", "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) DELETE FROM pages WHERE metadata ->> 'topic' = 'alpha1'", "ROLLBACK"],
}  # fmt: skip

HASHES = ["SELECT contact FROM v_hashed", "SELECT contact FROM v_mails"]
"""Their values are the same in no two databases; only their order may not tell."""

CASES = [Case(name, name, "svc", {}, steps, [], None, [], "D") for name, steps in ATTACKS.items()]


@pytest.fixture(scope="module")
def pair() -> Iterator[Twins]:
    one: dict[str, object] = {"step": 7919, "topic": "alpha1", "mail": "alice@corp.example"}
    other: dict[str, object] = {"step": 6007, "topic": "beta1", "mail": "mario@firm.example"}
    with twins.told_by_indexes(SETUP, FILL, one, other) as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_leaks_without_a_gateway(case: Case, direct: Attack) -> None:
    assert any(direct.case(case)), case.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_no_leak(case: Case, masked: Attack) -> None:
    assert list(masked.case(case)) == [], f"{case.name}: {case.steps}"


@pytest.mark.parametrize("sql", HASHES)
def test_hashed_values_come_in_their_order_without_a_gateway(sql: str, direct: Attack) -> None:
    def contacts(client: Client, _: object) -> object:
        found.append([row[-1] for row in client.query(sql).rows])
        return client.query("SELECT 1")

    found: list[list[bytes]] = []
    direct.both("svc", contacts, again=False)
    assert all(answer == sorted(answer) for answer in found)


@pytest.mark.parametrize(
    "sql", ["SELECT id, contact FROM v_hashed", "SELECT contact, id FROM v_hashed WHERE contact IS NOT NULL"]
)
def test_hashes_come_in_the_order_of_their_keys(sql: str, masked: Attack) -> None:
    def ids(client: Client, _: object) -> object:
        reply = client.query(sql)
        found.append([int(cell) for row in reply.rows for cell in row if cell.isdigit()])
        return client.query("SELECT 1")

    found: list[list[int]] = []
    masked.both("svc", ids, again=False)
    for answer in found:
        assert answer == sorted(answer) and len(answer) == 400


def test_hashes_that_cannot_be_put_in_order_are_not_shown(masked: Attack) -> None:
    seen, _ = masked.both("svc", lambda client, _: client.query("SELECT contact FROM v_mails"), again=True)
    assert {row[0] for row in seen.rows} == {b"***"}


def test_what_a_write_of_a_masked_value_counts_is_not_told(masked: Attack) -> None:
    """The pages that an UPDATE touches tell whether the value was there already."""
    sql = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS) UPDATE bank SET mail = 'alice@corp.example' WHERE id = 1"
    seen, _ = masked.both("svc", lambda client, _: client.query(sql), again=True)
    assert seen.error.sqlstate == "42501"
