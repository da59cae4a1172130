"""Temporary tables: a session's own, read and written beside masked relations, never in front of another relation."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from harness import documents
from harness.gateway import Gateway, Login, wait_until
from harness.postgres import Database

POLICY = f"""{documents.EVERYTHING}
  - name: hide-mail
    match: {{collection: public.docs}}
    mask: [{{fields: [email], with: redact}}]
"""


@pytest.fixture
def client(ana: Login) -> Iterator[psycopg.Connection]:
    with ana.psycopg() as connection:
        yield connection


def rows(client: psycopg.Connection, sql: str) -> list[tuple]:
    return client.execute(sql).fetchall()


def test_made_filled_read_and_dropped(client: psycopg.Connection) -> None:
    client.execute("CREATE TEMP TABLE picked AS SELECT id, title FROM docs WHERE id < 4")
    assert rows(client, "SELECT count(*) FROM picked") == [(3,)]
    client.execute("INSERT INTO picked VALUES (4, 'mine') RETURNING id")
    client.execute("UPDATE picked SET title = upper(title) WHERE id = 4")
    client.execute("DELETE FROM picked WHERE id = 1")
    assert rows(client, "TABLE picked ORDER BY id") == [(2, "Title 2"), (3, "Title 3"), (4, "MINE")]
    assert rows(client, "SELECT d.id, d.email, p.title FROM docs d JOIN picked p USING (id) ORDER BY id LIMIT 1") == [(2, "***", "Title 2")]
    assert rows(client, "SELECT p FROM pg_temp.picked p WHERE id = 2")[0][0]
    client.execute("CREATE INDEX ON picked (title)")
    client.execute("DROP TABLE picked")
    with pytest.raises(psycopg.errors.UndefinedTable):
        client.execute("SELECT * FROM picked")


def test_copied_into(ana: Login) -> None:
    with ana.psycopg(autocommit=False) as client:
        client.execute("CREATE TEMP TABLE ids (id int PRIMARY KEY) ON COMMIT DROP")
        with client.cursor() as cursor, cursor.copy("COPY ids FROM STDIN") as copy:
            for number in (1, 5, 9):
                copy.write_row((number,))
        assert rows(client, "SELECT id, email FROM docs JOIN ids USING (id) ORDER BY id") == [(1, "***"), (5, "***"), (9, "***")]
        client.commit()
        with pytest.raises(psycopg.errors.UndefinedTable):
            client.execute("SELECT * FROM ids")


@pytest.mark.parametrize("end", ["DROP TABLE made", "DISCARD TEMP", "DISCARD ALL", "ROLLBACK"])
def test_the_ways_in_which_they_go(client: psycopg.Connection, end: str) -> None:
    if end == "ROLLBACK":
        client.execute("BEGIN")
    client.execute("CREATE TEMP TABLE made (id int)")
    assert rows(client, "SELECT * FROM made") == []
    client.execute(end)
    with pytest.raises(psycopg.errors.UndefinedTable):
        client.execute("SELECT * FROM made")
    assert rows(client, "SELECT email FROM docs WHERE id = 1") == [("***",)]


def test_nobody_elses(client: psycopg.Connection, ana: Login) -> None:
    client.execute("CREATE TEMP TABLE private AS SELECT 1 AS id")
    with ana.psycopg() as other:
        with pytest.raises(psycopg.errors.UndefinedTable):
            other.execute("SELECT * FROM private")
        other.execute("CREATE TEMP TABLE private AS SELECT 2 AS id")
        assert rows(other, "SELECT * FROM private") == [(2,)]
    assert rows(client, "SELECT * FROM private") == [(1,)]


@pytest.mark.parametrize("name", ["events", "notes", "pg_class"])
def test_none_stands_before_another_relation(client: psycopg.Connection, name: str) -> None:
    """Which of the two is meant could change between the decision and the statement. Before a masked one it is not made at all."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        client.execute("CREATE TEMP TABLE docs AS SELECT 1 AS id, 'mine'::text AS email")
    client.execute(f"CREATE TEMP TABLE {name} AS SELECT 1 AS id, 'mine'::text AS email")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"stands before .*write pg_temp.{name}"):
        client.execute(f"SELECT email FROM {name}")
    assert rows(client, f"SELECT email FROM pg_temp.{name}") == [("mine",)]
    client.execute(f"DROP TABLE pg_temp.{name}")
    assert rows(client, "SELECT email FROM docs WHERE id = 1") == [("***",)]


def test_masked_values_do_not_get_in(client: psycopg.Connection) -> None:
    for sql in ("CREATE TEMP TABLE stolen AS SELECT email FROM docs", "SELECT email INTO TEMP stolen FROM docs"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.execute(sql)
    client.execute("CREATE TEMP TABLE sink (id int, email text)")
    for sql in ("INSERT INTO sink SELECT id, email FROM docs", "MERGE INTO sink s USING docs d ON d.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (d.id, d.email)"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.execute(sql)


def test_prepared_statements(client: psycopg.Connection) -> None:
    client.execute("CREATE TEMP TABLE kept AS SELECT id FROM docs WHERE id < 10")
    for number in range(1, 8):
        assert client.execute("SELECT id FROM kept WHERE id = %s", (number,), prepare=True).fetchall() == [(number,)]
    client.execute("PREPARE by_name AS SELECT count(*) FROM kept")
    assert rows(client, "EXECUTE by_name") == [(9,)]


def test_changes_of_others_are_seen_beside_them(client: psycopg.Connection, documents_database: Database) -> None:
    client.execute("CREATE TEMP TABLE mine (id int)")
    with documents_database.connect() as owner:
        owner.execute("CREATE TABLE arrived AS SELECT 1 AS id; ALTER TABLE arrived OWNER TO app")
        try:
            assert rows(client, "SELECT * FROM arrived") == [(1,)]
            owner.execute("ALTER TABLE arrived ADD COLUMN late int DEFAULT 7")

            def late() -> object:
                client.execute("SELECT count(*) FROM mine")
                return rows(client, "SELECT * FROM arrived") == [(1, 7)]

            wait_until(late, "the new column", timeout=10)
        finally:
            owner.execute("DROP TABLE arrived")


def test_in_one_query_string(ana: Login) -> None:
    with ana.wire(timeout=30) as wire:
        reply = wire.query("CREATE TEMP TABLE quick AS SELECT 1 AS id; SELECT * FROM quick; DROP TABLE quick")
        assert reply.errors == [] and reply.rows == [[b"1"]]


def test_the_record_names_them(client: psycopg.Connection, gateway: Gateway) -> None:
    client.execute("CREATE TEMP TABLE named AS SELECT 1 AS id")
    client.execute("SELECT id FROM named")
    wait_until(lambda: gateway.operations(principal="ana", collection="pg_temp.named"), "the record has it")
