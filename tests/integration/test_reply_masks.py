"""Masks that show something of a value: `hash`, `partial` and `detect`, in text and in binary, by every way to a row."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import documents, wire
from harness.gateway import Gateway, Login
from harness.postgres import Database
from harness.wire import Client

SETUP = """
CREATE TABLE people (
  id int PRIMARY KEY,
  customer text,
  badge uuid,
  account bigint,
  email text NOT NULL,
  born date,
  seen timestamptz,
  host inet,
  card varchar(19),
  code varchar(32)
);
INSERT INTO people VALUES
  (1, 'acme', '0189f7e2-3c4d-7a6b-8c9d-0e1f2a3b4c5d', 4711, 'ana@corp.example', '1987-06-05', '2024-05-06 07:08:09+00', '192.0.2.17', '4111111111111111', 'k1'),
  (2, 'acme', '0189f7e2-3c4d-7a6b-8c9d-0e1f2a3b4c5d', 4711, 'bea@corp.example', '1990-01-01', '2023-01-01 00:00:00+00', '198.51.100.3', '5555555555554444', 'k2'),
  (3, 'zeta', NULL, -1, 'not an address', NULL, NULL, NULL, NULL, NULL);
CREATE TABLE chats (id int PRIMARY KEY, body text, meta jsonb, tags text[], words tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED);
INSERT INTO chats VALUES
  (1, 'write to ana@corp.example, card 4111 1111 1111 1111', '{"from": "bea@corp.example", "card": 4111111111111111, "topic": "billing"}',
   ARRAY['cy@corp.example', 'two words', NULL]),
  (2, 'nothing to see', '{"topic": "weather"}', NULL);
ALTER TABLE people OWNER TO app;
ALTER TABLE chats OWNER TO app;
"""

POLICY = (
    documents.EVERYTHING
    + """
  - name: pseudonyms
    match: {collection: public.people}
    mask:
      - {fields: [customer, badge, account, code], with: hash}
      - {fields: [email, born, seen, host, card], with: partial}
  - name: what-people-write
    match: {collection: public.chats}
    mask:
      - {detect: [email, credit_card], with: partial}
"""
)

SECRETS = [b"acme", b"0189f7e2", b"4711", b"ana@corp", b"bea@corp", b"cy@corp", b"1987-06", b"07:08:09", b"192.0.2.17", b"41111111", b"4111 1111"]


@pytest.fixture
def client(ana: Login) -> Iterator[Client]:
    with ana.wire(timeout=30) as connected:
        yield connected
        assert [secret for secret in SECRETS if secret in connected.received] == []


@pytest.fixture
def driver(ana: Login) -> Iterator[psycopg.Connection[Any]]:
    with ana.psycopg() as connected:
        yield connected


@pytest.mark.parametrize("binary", [False, True])
def test_hashes_keep_type_and_equality(driver: psycopg.Connection[Any], binary: bool) -> None:
    """Equal values have equal hashes of the column's own type; null has one too."""
    with driver.cursor(binary=binary) as cursor:
        rows = cursor.execute("SELECT customer, badge, account, code FROM people ORDER BY id").fetchall()
    assert rows[0][:3] == rows[1][:3]
    assert rows[0][0] != rows[2][0]
    assert re.fullmatch("[0-9a-f]{32}", rows[0][0])
    assert isinstance(rows[0][1], uuid.UUID)
    assert rows[0][1].version == 8
    assert isinstance(rows[0][2], int)
    assert rows[0][2] != 4711
    assert None not in [value for row in rows for value in row]


def test_text_and_binary_agree(driver: psycopg.Connection[Any]) -> None:
    """The same values by both, and by a star."""
    text = driver.execute("SELECT * FROM people ORDER BY id").fetchall()
    with driver.cursor(binary=True) as cursor:
        assert cursor.execute("SELECT * FROM people ORDER BY id").fetchall() == text
        described = cursor.description
    assert described is not None
    assert [column.name for column in described] == [
        "id", "customer", "badge", "account", "email", "born", "seen", "host", "card", "code"]  # fmt: skip


def test_parts(driver: psycopg.Connection[Any]) -> None:
    """A part that helps: a domain, a year, a network, the last digits."""
    rows = driver.execute("SELECT email, born::text, date_trunc('day', seen AT TIME ZONE 'UTC')::date::text, host::text, card FROM people ORDER BY id")
    assert rows.fetchall() == [
        ("a***@corp.example", "1987-01-01", "2024-01-01", "192.0.0.0/16", "***1111"),
        ("b***@corp.example", "1990-01-01", "2023-01-01", "198.51.0.0/16", "***4444"),
        ("***ress", "1970-01-01", "1970-01-01", "0.0.0.0/32", "***"),
    ]


def test_findings_are_replaced_in_the_text(driver: psycopg.Connection[Any]) -> None:
    """What detectors find is replaced where it stands; JSON stays JSON, arrays arrays."""
    expected = [
        ("write to a***@corp.example, card ***1111", {"from": "b***@corp.example", "card": 0, "topic": "billing"},
         ["c***@corp.example", "two words", None]),
        ("nothing to see", {"topic": "weather"}, None),
    ]  # fmt: skip
    for binary in (False, True):
        with driver.cursor(binary=binary) as cursor:
            assert cursor.execute("SELECT body, meta, tags FROM chats ORDER BY id").fetchall() == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT upper(body), meta ->> 'from', tags[1], words FROM chats ORDER BY id",
        "SELECT c FROM chats c ORDER BY id",
        "SELECT DISTINCT body FROM chats",
        "SELECT body FROM (SELECT * FROM chats) c",
        "SELECT string_agg(body, ',') FROM chats",
        "SELECT id FROM chats WHERE body LIKE '%ana@corp%'",
        "SELECT customer FROM people UNION SELECT code FROM people",
        "SELECT array_agg(customer), max(account) FROM people",
        "SELECT to_jsonb(p) FROM people p",
        "COPY people TO STDOUT",
        "COPY (SELECT body, customer FROM chats, people) TO STDOUT (FORMAT binary)",
        "EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM people WHERE email = 'x'",
    ],
)
def test_elsewhere_they_are_redacted(client: Client, sql: str) -> None:
    """The fixture looks for the values in everything that came."""
    reply = client.query(sql)
    assert reply.errors == [], reply


def test_a_sort_by_a_hash_tells_nothing(client: Client) -> None:
    """All sort alike, so the second key decides."""
    by_name = client.query("SELECT customer, id FROM people ORDER BY customer, id DESC")
    by_number = client.query("SELECT customer, id FROM people ORDER BY 1, 2 DESC")
    for reply in (by_name, by_number):
        assert [row[1] for row in reply.rows] == [b"3", b"2", b"1"]


@pytest.mark.parametrize("formats", [[], [1], [0, 1]])
def test_by_all_ways_of_the_protocol(client: Client, formats: list[int]) -> None:
    """Portals page by page, without Describe, PREPARE and EXECUTE, cursors."""
    sql = "SELECT customer, body FROM people, chats ORDER BY people.id, chats.id"
    pages = [wire.execute("p", max_rows=1) for _ in range(3)]
    paged = client.exchange(wire.parse(sql, "s"), wire.bind(portal="p", statement="s", result_formats=formats), *pages)
    assert paged.errors == []
    rows = list(paged.rows)
    assert len(rows) == 3
    client.query(f"PREPARE q AS {sql}")
    assert client.query("EXECUTE q").rows[:3] == rows
    client.query("BEGIN")
    client.query(f"DECLARE c SCROLL CURSOR FOR {sql}")
    assert client.query("FETCH 3 FROM c").rows == rows
    assert client.extended("FETCH BACKWARD 1 FROM c", result_formats=formats[:1]).rows == rows[1:2]
    client.query("COMMIT")


def test_outer_joins_keep_their_nulls(driver: psycopg.Connection[Any]) -> None:
    """A row that is not there has no hash."""
    rows = driver.execute("SELECT d.id, p.customer FROM docs d LEFT JOIN people p ON p.id = d.id - 2 WHERE d.id < 5 ORDER BY d.id").fetchall()
    assert [row[1] is None for row in rows] == [True, True, False, False]


def test_origin_is_told(client: Client) -> None:
    """RowDescription names the table and column that a masked column is of."""
    reply = client.query("SELECT customer, email, id FROM people LIMIT 1")
    origins = [(column.table, column.number) for column in reply.columns]
    assert origins[0][0] == origins[1][0] == origins[2][0] != 0
    assert [number for _, number in origins] == [2, 5, 1]


def test_the_record_has_what_left(ana: Login, gateway: Gateway) -> None:
    """The masked values, and nothing of the others."""
    with ana.wire(timeout=30) as client:
        assert client.query("SELECT 'm-cells'").rows == [[b"m-cells"]]
        session = gateway.operations(principal=ana.principal, text="m-cells")[0]["session"]
        (row,) = client.query("SELECT customer, email FROM people WHERE id = 1").rows
    said = json.dumps(gateway.replay(session))
    assert row[0] is not None
    assert row[0].decode() in said
    assert "a***@corp.example" in said
    assert [secret for secret in SECRETS if secret.decode() in said] == []


def test_long_rows_are_refused(ana: Login, documents_database: Database) -> None:
    """A row that is too long to be held cannot be masked, so it is not sent."""
    with documents_database.connect() as direct:
        direct.execute("INSERT INTO chats VALUES (99, 'ana@corp.example ' || repeat('x', 2000000))")
    try:
        with ana.wire(timeout=60) as client:
            reply = client.query("SELECT body FROM chats WHERE id = 99")
            assert reply.error.sqlstate == "54000"
            assert b"ana@corp" not in client.received
            assert client.query("SELECT body FROM chats WHERE id = 2").rows == [[b"nothing to see"]]
    finally:
        with documents_database.connect() as direct:
            direct.execute("DELETE FROM chats WHERE id = 99")


def test_rows_that_are_relayed_in_pieces_are_masked_whole(ana: Login, documents_database: Database) -> None:
    """Long enough not to be copied as a matter of course, many in one turn."""
    with documents_database.connect() as direct:
        direct.execute("INSERT INTO chats SELECT n, 'ana@corp.example ' || repeat('x', 20000) || ' bea@corp.example' FROM generate_series(200, 260) n")
    try:
        with ana.wire(timeout=60) as client:
            rows = client.query("SELECT body FROM chats WHERE id >= 200 ORDER BY id").rows
            assert {row[0] for row in rows} == {b"a***@corp.example " + b"x" * 20000 + b" b***@corp.example"}
            assert len(rows) == 61
            assert b"ana@corp" not in client.received
    finally:
        with documents_database.connect() as direct:
            direct.execute("DELETE FROM chats WHERE id >= 200")


@pytest.mark.parametrize("outer", ["CREATE TABLE taken AS", "CREATE TEMP TABLE taken AS", "EXPLAIN ANALYZE CREATE TABLE taken AS"])
def test_a_guessed_name_of_the_gateway_stores_nothing(client: Client, outer: str) -> None:
    """Statements carry names of the gateway towards the server; one of the client's by that name must not lead there."""
    client.query("PREPARE shown AS SELECT customer, body FROM people, chats")
    for number in range(1, 6):
        client.query(f"PREPARE slc_s{number} AS SELECT 1")
        reply = client.query(f"{outer} EXECUTE slc_s{number}")
        assert "EXECUTE within CREATE TABLE AS" in reply.error.message


@pytest.mark.parametrize("explain", ["EXPLAIN", "EXPLAIN ANALYZE", "explain (analyze, format json)", "EXPLAIN /* EXECUTE x */ (COSTS OFF)"])
def test_explain_execute_means_the_clients_own_names(client: Client, explain: str) -> None:
    client.query("PREPARE shown AS SELECT customer, body FROM people, chats")
    for number in range(1, 6):
        client.query(f'PREPARE "slc_s{number}" (int) AS SELECT {number} + $1 AS sum')
        reply = client.query(f'{explain} EXECUTE "slc_s{number}" (1)')
        assert reply.errors == [] and b"Result" in reply.bytes
    assert "of a statement on masked relations" in client.query(f"{explain} EXECUTE shown").error.message
    assert client.query(f"{explain} EXECUTE nobody").error.sqlstate == "26000"
    client.query("DEALLOCATE ALL")
