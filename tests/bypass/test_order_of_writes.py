"""The order in which an UPDATE or DELETE of many rows comes to them. Where an index over open and masked columns led to the rows, it
would be that index's order: new rows lie in it, which a numbered column shows, and rows are locked in it, which other sessions see.

The two databases differ in masked cells only. PostgreSQL uses an index where that is worth while, as it does by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from harness import corpus
from harness.corpus import Case
from harness.gateway import Gateway
from harness.postgres import PostgresServer
from harness.wire import Client

from bypass import twins
from bypass.twins import Attack, Connect, Twins

SETUP = """
DO $$ BEGIN CREATE ROLE svc LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT ALL ON SCHEMA public TO svc;
SET ROLE svc;
CREATE TABLE staff (id int PRIMARY KEY, team int, title text, note text, salary int);
CREATE INDEX ON staff (team, salary);
CREATE TABLE keyless (id int, team int, title text, salary int);
CREATE INDEX ON keyless (team, salary);
CREATE TABLE by_expression (id int PRIMARY KEY, team text, title text, salary int);
CREATE INDEX ON by_expression (lower(team), salary);
CREATE TABLE documents (id int PRIMARY KEY, info jsonb, title text);
CREATE INDEX ON documents ((info ->> 'team'), (info ->> 'salary'));
CREATE TABLE years (id int, year int, team int, title text, salary int, PRIMARY KEY (year, id)) PARTITION BY LIST (year);
CREATE TABLE years_1 PARTITION OF years FOR VALUES IN (1);
CREATE INDEX ON years_1 (team, salary);
CREATE TABLE wanted (team int, name text, year int, id int);
INSERT INTO wanted VALUES (7, 'T7', 1, 207);
RESET ROLE;
"""

FILL = """
INSERT INTO staff SELECT i, i % 200, 'title', 'note', (i * {step}) % 100003 FROM generate_series(1, 20000) i;
INSERT INTO keyless SELECT id, team, title, salary FROM staff;
INSERT INTO by_expression SELECT id, 'T' || team, title, salary FROM staff;
INSERT INTO documents SELECT id, jsonb_build_object('team', 'T' || team, 'salary', lpad(salary::text, 6, '0')), title FROM staff;
INSERT INTO years SELECT id, 1, team, title, salary FROM staff;
"""

POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: hide
    match: {collection: "*"}
    mask:
      - {fields: [salary], with: redact}
"""

NUMBERED = "ALTER TABLE {0} ADD COLUMN place bigserial"
SHOWN = "SELECT id FROM {0} WHERE title = 'x' ORDER BY place"

UPDATES = {
    "an open column": ("staff", "UPDATE staff SET title = 'x' WHERE team = 7"),
    "through an alias": ("staff", "UPDATE public.staff AS s SET title = 'x' WHERE s.team = 7 AND note = 'note'"),
    "several values": ("staff", "UPDATE staff SET title = 'x' WHERE team IN (7, 8)"),
    "a range": ("staff", "UPDATE staff SET title = 'x' WHERE team BETWEEN 7 AND 8"),
    "a join": ("staff", "UPDATE staff SET title = 'x' FROM wanted w WHERE w.team = staff.team"),
    "a sub-select": ("staff", "UPDATE staff SET title = 'x' WHERE team = (SELECT team FROM wanted)"),
    "EXISTS": ("staff", "UPDATE staff SET title = 'x' WHERE EXISTS (SELECT 1 FROM wanted w WHERE w.team = staff.team)"),
    "IN": ("staff", "UPDATE staff SET title = 'x' WHERE team IN (SELECT team FROM wanted)"),
    "a row": ("staff", "UPDATE staff SET title = 'x' WHERE (team, note) = (7, 'note')"),
    "MERGE": ("staff", "MERGE INTO staff s USING wanted w ON s.team = w.team WHEN MATCHED THEN UPDATE SET title = 'x'"),
    "in WITH": ("staff", "WITH done AS (UPDATE staff SET title = 'x' WHERE team = 7) SELECT 1"),
    "without a key": ("keyless", "UPDATE keyless SET title = 'x' WHERE team = 7"),
    "an expression": ("by_expression", "UPDATE by_expression SET title = 'x' WHERE lower(team) = 't7'"),
    "an open key of JSON": ("documents", "UPDATE documents SET title = 'x' WHERE info ->> 'team' = 'T7'"),
    "a partition's index": ("years", "UPDATE years SET title = 'x' WHERE team = 7"),
    "a part of a key": ("years", "UPDATE years SET title = 'x' FROM wanted w WHERE w.year = years.year AND w.team = years.team"),
}  # fmt: skip

CASES = [
    Case(name, name, "svc", {}, ["BEGIN", update, NUMBERED.format(table), SHOWN.format(table), "ROLLBACK"], [], None, [], "D")
    for name, (table, update) in UPDATES.items()
]
# Where PostgreSQL by itself does not come to rows in the index's order.
IN_NO_ORDER = {"several values", "a range"}

PASS = [
    ("UPDATE staff SET title = 'x' WHERE team = 7", b"UPDATE 100"),
    ("UPDATE staff SET title = 'x' WHERE id = 7 AND team = 7 RETURNING id", b"UPDATE 1"),
    ("UPDATE staff s SET title = v.title FROM (VALUES (1, 'a'), (2, 'b')) AS v(id, title) WHERE s.id = v.id", b"UPDATE 2"),
    ("DELETE FROM staff WHERE team = 7 AND id < 1000", b"DELETE 5"),
    ("DELETE FROM staff s USING wanted w WHERE s.team = w.team AND s.id = w.id", b"DELETE 1"),
    ("DELETE FROM documents WHERE info ->> 'team' IN ('T7', 'T8')", b"DELETE 200"),
    ("UPDATE years SET title = 'x' WHERE year = 1 AND team = 7", b"UPDATE 100"),
    ("MERGE INTO staff s USING wanted w ON s.id = w.id WHEN MATCHED THEN UPDATE SET title = 'x'", b"MERGE 1"),
]  # fmt: skip


@pytest.fixture(scope="module")
def pair() -> Iterator[Twins]:
    with PostgresServer("pg0") as server:
        one, other = server.fresh_database(SETUP), server.fresh_database(SETUP)
        for database, step in ((one, 7919), (other, 6007)):
            with database.connect() as direct:
                direct.execute(FILL.format(step=step).encode())
                direct.execute("VACUUM ANALYZE")
                direct.execute(f"ALTER DATABASE {database.name} SET enable_bitmapscan = off".encode())
                direct.execute(f"ALTER DATABASE {database.name} SET random_page_cost = 1".encode())
        yield Twins(one, other)


@pytest.fixture(scope="module")
def behind(pair: Twins) -> Iterator[Connect]:
    with Gateway(policy=POLICY) as gateway:
        yield twins.behind(gateway, pair)


@pytest.fixture(scope="module")
def direct(pair: Twins) -> Iterator[Attack]:
    with Attack(pair, twins.directly(pair)) as attack:
        yield attack


@pytest.fixture(scope="module")
def masked(pair: Twins, behind: Connect) -> Iterator[Attack]:
    with Attack(pair, behind) as attack:
        yield attack


@pytest.mark.parametrize("case", [case for case in CASES if case.name not in IN_NO_ORDER], ids=lambda case: case.id)
def test_it_leaks_without_a_gateway(case: Case, direct: Attack) -> None:
    assert any(direct.case(case)), case.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_no_leak(case: Case, masked: Attack) -> None:
    assert list(masked.case(case)) == [], f"{case.name}: {case.steps}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_and_it_passes(case: Case, masked: Attack) -> None:
    seen, _ = masked.both("svc", lambda client, database: case.run(client, corpus.places(database.server, database)), again=False)
    assert not seen.error, seen.error
    assert len(seen.rows) >= 100


@pytest.mark.parametrize(("sql", "tag"), PASS)
def test_writes_do_what_they_say(sql: str, tag: bytes, masked: Attack) -> None:
    def run(client: Client, _):
        client.query("BEGIN")
        answer = client.query(sql)
        client.query("ROLLBACK")
        return answer

    for seen in masked.both("svc", run, again=False):
        assert [message.body.rstrip(b"\0") for message in seen if message.type == b"C"] == [tag], seen


@pytest.mark.parametrize("statement", ["UPDATE staff SET title = 'x' WHERE team = 7", "DELETE FROM staff WHERE team = 7"])
@pytest.mark.parametrize("attacked", ["direct", "gateway"])
def test_locks_of_a_statement_that_waits(statement: str, attacked: str, pair: Twins, behind: Connect) -> None:
    """One session holds a row; what another one has locked before it came to that is seen by a third."""
    connect = behind if attacked == "gateway" else twins.directly(pair)
    free = []
    for first in (True, False):
        holder, writer, looker = (connect("svc", first) for _ in range(3))
        holder.query("BEGIN")
        holder.query("SELECT id FROM staff WHERE id = 10007 FOR UPDATE")
        waits = threading.Thread(target=writer.query, args=(statement,))
        writer.query("BEGIN")
        waits.start()
        time.sleep(0.5)
        seen = looker.query("SELECT id FROM staff WHERE note = 'note' AND title = 'title' ORDER BY id FOR UPDATE SKIP LOCKED")
        free.append({row[0] for row in seen.rows})
        holder.query("ROLLBACK")
        waits.join()
        for client in (writer, holder, looker):
            client.close()
    assert all(19000 < len(each) < 20000 for each in free), [len(each) for each in free]
    assert (free[0] != free[1]) == (attacked == "direct")
