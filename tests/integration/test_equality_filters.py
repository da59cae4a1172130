"""`filters: equality`: what people know they may look up, and each value that is tried is counted."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from harness import documents
from harness.gateway import Gateway

POLICY = f"""{documents.EVERYTHING}
  - name: hide-mail
    match: {{collection: docs}}
    mask: [{{fields: [email], with: redact, filters: equality}}]
"""


@pytest.fixture
def client(gateway: Gateway, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """Each test as somebody else, because counts are kept over sessions."""
    with gateway.login(f"user{abs(hash(request.node.name)) % 10**6}").psycopg() as connection:
        yield connection


LOOKUPS = [
    ("SELECT id, email FROM docs WHERE email = %s", ["person7@corp.example"], [(7, "***")]),
    ("SELECT count(*) FROM docs WHERE email IN (%s, 'person8@corp.example') AND tenant = 'tenant-1'", ["person7@corp.example"], [(1,)]),
    ("SELECT title FROM docs d JOIN notes n ON n.doc = d.id WHERE d.email = %s", ["person3@corp.example"], [("Title 3",)]),
    ("SELECT id FROM docs WHERE email = %s", ["nobody@corp.example"], []),
    ("WITH found AS (SELECT id FROM docs WHERE email = %s) SELECT * FROM found", ["person9@corp.example"], [(9,)]),
]


@pytest.mark.parametrize(("sql", "values", "rows"), LOOKUPS)
@pytest.mark.parametrize("prepare", [False, True])
def test_known_values_are_found(client: psycopg.Connection, sql: str, values: list, rows: list, prepare: bool) -> None:
    told = []
    client.add_notice_handler(lambda notice: told.append(notice.message_primary))
    assert client.execute(sql, values, prepare=prepare).fetchall() == rows
    assert told == []


def test_everything_else_sees_the_mask(client: psycopg.Connection) -> None:
    for condition in ("email LIKE 'person7%'", "email > 'person7'", "lower(email) = 'person7@corp.example'", "NOT email = 'x'"):
        seen = client.execute(f"SELECT count(*) FROM docs WHERE {condition}").fetchone()
        assert seen in [(0,), (500,)], condition
    plan = client.execute("EXPLAIN SELECT id FROM docs WHERE email = 'person7@corp.example'").fetchall()
    assert "rows=" not in str(plan)


def test_guesses_at_one_record_end_after_fifty(client: psycopg.Connection) -> None:
    for number in range(50):
        client.execute("SELECT 1 FROM docs WHERE id = 7 AND email = %s", [f"guess{number}@corp.example"])
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="asked about too often"):
        client.execute("SELECT 1 FROM docs WHERE id = 7 AND email = 'person7@corp.example'")
    assert client.execute("SELECT count(*) FROM docs WHERE id = 7").fetchone() == (1,)


def test_guesses_at_a_table_end_after_a_thousand(client: psycopg.Connection, gateway: Gateway) -> None:
    values = ", ".join(f"'guess{number}'" for number in range(20))
    for _ in range(50):
        client.execute(f"SELECT id FROM docs WHERE email IN ({values})")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="values were tried"):
        client.execute("SELECT id FROM docs WHERE email = 'person7@corp.example'")
    with gateway.login("another").psycopg() as other:
        assert other.execute("SELECT id FROM docs WHERE email = 'person7@corp.example'").fetchall() == [(7,)]
