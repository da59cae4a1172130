"""Documents of type json that jsonb cannot hold, or that take the server's stack or memory: masking keys of them is no error, on
whatever version. Whoever could store one would otherwise keep everybody from reading the table, and the error would tell about
the masked key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness.gateway import Gateway
from harness.installation import NotAvailable
from harness.postgres import PostgresServer

DEEP = 9_000  # json takes some 14,000 on PostgreSQL 15 and later; below the limits of all that are tested

HOSTILE = {
    "exponent": "1e20000",
    "negative exponent": "1e-20000",
    "negative exponent at the edge": "1e-16384",
    "zero with an exponent": "0e-20000",
    "zeros before the exponent": "1e-00000020000",
    "capital exponent": "1E+200000",
    "huge exponent": "1e99999999999999999999",
    "fraction and exponent": "0." + "1" * 200 + "e-16300",
    "many digits": "1" * 140_000,
    "long fraction": "0." + "1" * 20_000,
    "NUL": r'"\u0000"',
    "NUL behind a backslash": r'"\\\u0000"',
    "first half of a character": r'"\ud83d"',
    "second half of a character": r'"\ude00"',
    "halves in the wrong order": r'"\ude00\ud83d"',
    "half behind half of another": r'"\\ud83d\ude00"',
    "arrays": "[" * DEEP + "]" * DEEP,
    "objects": '{"a":' * DEEP + "1" + "}" * DEEP,
    "arrays with closed ones between": "[[]," * DEEP + "1" + "]" * DEEP,
    "arrays with brackets in texts": '["]",' * DEEP + "1" + "]" * DEEP,
    "arrays beside quotes": r'["\"]",' * DEEP + "1" + "]" * DEEP,
    "long": '"' + "x" * (17 << 20) + '"',
    "long list": "[" + "0," * (9 << 20) + "0]",
}

ORDINARY = {
    "small": {"topic": "t", "n": [1, 2.5, -3e5], "who": {"name": "x", "list": [[1], [2, [3]]]}},
    "letters": {"topic": "ä€漢 \t \\ \"", "n": 1e22},
    "coordinates": {"topic": "t", "rings": [[[i / 7, i / 11] for i in range(4000)], [[1, 2]]]},
    "brackets in texts": {"topic": "[{" * 6000},
    "numbers": {"topic": 12345678901234567890123456789, "small": 1e-300, "zero": 0.0},
}  # fmt: skip

SETUP = """
DO $$ BEGIN CREATE ROLE svc LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT ALL ON SCHEMA public TO svc;
SET ROLE svc;
CREATE TABLE pages (id int PRIMARY KEY, name text, plain json, paths json, binary_ jsonb, binary_paths jsonb);
RESET ROLE;
"""

POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: keys
    match: {collection: pages}
    mask:
      - {fields: [email, paths.who.email, binary_paths.who.email], with: redact}
"""


@pytest.fixture(scope="module", params=["pg0", "pgserver", "debian13"])
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    try:
        with PostgresServer(request.param) as running:
            yield running
    except NotAvailable as why:
        pytest.skip(str(why))


@pytest.fixture(scope="module")
def client(server: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    with server.fresh_database(SETUP) as database:
        with database.connect() as direct:
            for number, (name, value) in enumerate(HOSTILE.items()):
                for place, text in enumerate(
                    ('{"topic":"t","email":%s}', '{"topic":"t","who":{"email":%s}}', '{"topic":"t","who":[%s]}')
                ):
                    row = 10 * number + place
                    direct.execute("INSERT INTO pages (id, name, plain, paths) VALUES (%s, %s, %s, %s)", (row, name, text % value, text % value))
                    if len(text) + len(value) > 1 << 20:
                        continue
                    try:  # what jsonb can hold, which is more than can be walked through
                        direct.execute("UPDATE pages SET binary_ = plain::jsonb, binary_paths = plain::jsonb WHERE id = %s", (row,))
                    except psycopg.Error:
                        pass
            for number, (name, value) in enumerate(ORDINARY.items()):
                for place, secret in enumerate(({}, {"email": "s"})):
                    text = json.dumps({**value, **secret}, ensure_ascii=False)
                    direct.execute("INSERT INTO pages VALUES (%s, %s, %s, %s, %s, %s)", (1000 + 10 * number + place, name, text, text, text, text))
        with Gateway(policy=POLICY) as gateway:
            gateway.add_connection("docs", database, {"svc": "svc"})
            with gateway.login("mallory", connection="docs").psycopg(user="svc") as connected:
                yield connected


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("column", ["plain", "paths", "binary_", "binary_paths"])
def test_hostile_documents_are_no_error(client: psycopg.Connection[Any], column: str, name: str) -> None:
    rows = client.execute(f"SELECT left({column}::text, 100) FROM pages WHERE name = %s ORDER BY id".encode(), (name,)).fetchall()
    assert len(rows) == 3
    for (text,) in rows[:2]:
        assert json.loads(text) in ({}, {"topic": "t"}, {"topic": "t", "who": {}}), text[:200]
    client.execute(f"SELECT count(*) FROM pages WHERE {column} ->> 'topic' = 't' AND name = %s".encode(), (name,))


@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.parametrize("column", ["plain", "paths", "binary_", "binary_paths"])
def test_ordinary_documents_keep_the_rest(client: psycopg.Connection[Any], column: str, name: str) -> None:
    rows = client.execute(f"SELECT {column} FROM pages WHERE name = %s ORDER BY id".encode(), (name,)).fetchall()
    assert [row[0] for row in rows] == [ORDINARY[name]] * 2
