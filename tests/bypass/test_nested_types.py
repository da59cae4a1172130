"""Values within values: attributes that are arrays, vectors in composites, texts of unusual types. What a mask covers stays covered in
all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.gateway import Gateway
from harness.postgres import PostgresServer
from harness.wire import Client

SETUP = """
DO $$ BEGIN CREATE ROLE svc LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT ALL ON SCHEMA public TO svc;
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS hstore;
SET ROLE svc;
CREATE TYPE addr AS (street text, zip text);
CREATE DOMAIN addrs AS addr[];
CREATE TYPE with_array AS (name text, homes addr[]);
CREATE TYPE with_domain AS (name text, homes addrs);
CREATE TYPE with_json AS (name text, doc jsonb[]);
CREATE TYPE deeper AS (name text, inside with_array[]);
CREATE TABLE people (id int PRIMARY KEY, a with_array, b with_domain, c with_json, d deeper, e with_array[]);
INSERT INTO people VALUES (1,
  ROW('n', ARRAY[ROW('topsecret', '1')::addr]), ROW('n', ARRAY[ROW('topsecret', '1')::addr]),
  ROW('n', ARRAY['{"street": "topsecret"}'::jsonb]), ROW('n', ARRAY[ROW('n', ARRAY[ROW('topsecret', '1')::addr])::with_array]),
  ARRAY[ROW('n', ARRAY[ROW('topsecret', '1')::addr])::with_array]);
CREATE TYPE labelled AS (label text, e vector(3));
CREATE TYPE labels AS (name text, all_of labelled[]);
CREATE TABLE things (id int PRIMARY KEY, a labelled, b labelled[], c labels, d vector(3)[]);
INSERT INTO things VALUES (1, ROW('x', '[0.771,0.772,0.773]'), ARRAY[ROW('x', '[0.771,0.772,0.773]')::labelled],
  ROW('x', ARRAY[ROW('x', '[0.771,0.772,0.773]')::labelled]), ARRAY['[0.771,0.772,0.773]'::vector]);
CREATE DOMAIN words AS text;
CREATE TABLE texts (id int PRIMARY KEY, a name, b jsonpath, c refcursor, d tsquery, e tsvector, f hstore, g bytea, h words[], i addr[], j with_json);
INSERT INTO texts VALUES (1, 'topsecret@corp.test', '$."topsecret@corp.test"', 'topsecret@corp.test', '''topsecret@corp.test''',
  '''topsecret@corp.test''', 'a=>topsecret@corp.test', 'topsecret@corp.test', '{{topsecret@corp.test}}',
  ARRAY[ROW('topsecret@corp.test', '')::addr], ROW('topsecret@corp.test', '{}'));
CREATE TABLE plain (id int PRIMARY KEY, a numeric, b date, c uuid, d inet, e int4range, f bit(3), g vector(2), h int[], i interval);
INSERT INTO plain VALUES (1, 1.5, '2020-01-01', '00000000-0000-0000-0000-000000000001', '10.0.0.1', '[1,2)', '101', '[1,2]', '{1}', '1 day');
RESET ROLE;
"""

POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: streets
    match: {collection: people}
    mask:
      - {fields: [street, "*.street", "*.homes.street"], with: redact}
  - name: vectors
    match: {collection: things}
    mask:
      - {vectors: remove, scores: rank}
  - name: mails
    match: {collection: [texts, plain]}
    mask:
      - {detect: [email], with: redact}
"""


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with PostgresServer("pg0") as server:
        database = server.fresh_database(SETUP.replace("{{", "{").replace("}}", "}"))
        with Gateway(policy=POLICY) as gateway:
            gateway.add_connection("docs", database, {"svc": "svc"})
            with gateway.login("mallory", role="svc").wire(timeout=30) as connected:
                yield connected


@pytest.mark.parametrize("column", "abcde")
def test_attributes_of_elements_are_covered(client: Client, column: str) -> None:
    reply = client.query(f"SELECT {column} FROM people")
    assert reply.errors == [] and b"topsecret" not in bytes(client.received)


@pytest.mark.parametrize(
    "sql",
    [
        *(f"SELECT {column} FROM things" for column in "abcd"),
        "SELECT (a).e FROM things",
        "SELECT (b[1]).e FROM things",
        "SELECT (a).e <-> '[0,0,0]' FROM things",
        "SELECT id FROM things ORDER BY (a).e <-> '[0,0,0]' LIMIT 1",
        "SELECT to_json(things) FROM things",
    ],
)
def test_vectors_within_composites_are_covered(client: Client, sql: str) -> None:
    before = len(client.received)
    reply = client.query(sql)
    assert b"77" not in bytes(client.received)[before:], reply
    assert b"1.337" not in bytes(client.received)[before:], reply


@pytest.mark.parametrize("column", "abcdefghij")
def test_detectors_leave_no_text_unread(client: Client, column: str) -> None:
    reply = client.query(f"SELECT {column} FROM texts")
    assert reply.errors == [] and b"topsecret" not in bytes(client.received)


def test_what_holds_no_text_is_shown(client: Client) -> None:
    reply = client.query("SELECT * FROM plain")
    assert reply.rows == [
        [b"1", b"1.5", b"2020-01-01", b"00000000-0000-0000-0000-000000000001", b"10.0.0.1", b"[1,2)", b"101", b"[1,2]", b"{1}", b"1 day"]
    ]
