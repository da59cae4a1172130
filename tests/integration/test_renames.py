"""Masks hold for what had the name that a policy says, also when somebody renames it beside the gateway."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
from harness import documents
from harness.gateway import Gateway, wait_until
from harness.postgres import Database

POLICY = f"""{documents.EVERYTHING}
  - name: hide-mail
    match: {{collection: people}}
    mask: [{{fields: [email, home.street], with: redact}}]
"""

TABLES = """
CREATE TYPE place AS (city text, street text);
CREATE TABLE people (id int PRIMARY KEY, title text, email text, home place);
INSERT INTO people VALUES (1, 'Dr', 's3cr3t@corp.example', ('Bern', 's3cr3t street'));
CREATE TABLE archive (id int PRIMARY KEY, email text);
INSERT INTO archive VALUES (1, 'open@corp.example');
ALTER TABLE people OWNER TO app;
ALTER TABLE archive OWNER TO app;
ALTER TYPE place OWNER TO app;
CREATE SCHEMA attic AUTHORIZATION app;
"""

CLEAN = """
DROP TABLE IF EXISTS people, persons, attic.people, archive CASCADE;
DROP SCHEMA IF EXISTS attic CASCADE;
DROP TYPE IF EXISTS place CASCADE;
"""


@pytest.fixture
def owner(documents_database: Database) -> Iterator[psycopg.Connection]:
    with documents_database.connect() as connection:
        connection.execute(CLEAN)
        connection.execute(TABLES)
        yield connection
        connection.execute(CLEAN)


@pytest.fixture
def client(gateway: Gateway, owner: psycopg.Connection) -> Iterator[psycopg.Connection]:
    with gateway.login("ana").psycopg() as connection:
        let_it_look(connection)
        assert mail(connection, "SELECT email FROM people") == "***"
        yield connection


def let_it_look(client: psycopg.Connection) -> None:
    """The gateway asks once a second, beside a statement, whether others have changed the schema."""
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        client.execute("SELECT count(*) FROM notes")
        time.sleep(0.1)


def mail(client: psycopg.Connection, sql: str) -> str | None:
    """The first field of the first row; None for what does not exist (yet)."""
    try:
        row = client.execute(sql).fetchone()
    except psycopg.errors.ProgrammingError:
        return None
    return row and row[0]


RENAMES = [
    ("ALTER TABLE people RENAME email TO contact", "SELECT contact FROM people"),
    ("ALTER TABLE people RENAME TO persons", "SELECT email FROM persons"),
    ("ALTER TABLE people SET SCHEMA attic", "SELECT email FROM attic.people"),
    ("ALTER TABLE people RENAME email TO contact; ALTER TABLE people RENAME TO persons", "SELECT contact FROM persons"),
    ("ALTER SCHEMA attic RENAME TO cellar; ALTER TABLE people RENAME email TO contact", "SELECT contact FROM people"),
]


@pytest.mark.parametrize(("ddl", "sql"), RENAMES)
def test_a_new_name_does_not_unmask(client: psycopg.Connection, owner: psycopg.Connection, ddl: str, sql: str) -> None:
    owner.execute(ddl)
    assert wait_until(lambda: mail(client, sql), "the new name is known", timeout=10) == "***"
    owner.execute("DROP SCHEMA IF EXISTS cellar CASCADE")


def test_swapped_names_mask_both(client: psycopg.Connection, owner: psycopg.Connection) -> None:
    """What was the mail address, and what is called so now."""
    owner.execute("ALTER TABLE people RENAME title TO t; ALTER TABLE people RENAME email TO title; ALTER TABLE people RENAME t TO email")
    let_it_look(client)
    assert mail(client, "SELECT title FROM people") == "***"
    assert mail(client, "SELECT email FROM people") == "***"


def test_a_renamed_attribute_of_a_composite(client: psycopg.Connection, owner: psycopg.Connection) -> None:
    assert mail(client, "SELECT home::text FROM people") is None
    owner.execute("ALTER TYPE place RENAME ATTRIBUTE street TO line")
    let_it_look(client)
    assert mail(client, "SELECT home::text FROM people") is None
    assert mail(client, "SELECT (home).line FROM people") is None


def test_a_dropped_column_takes_its_names_along(client: psycopg.Connection, owner: psycopg.Connection) -> None:
    owner.execute("ALTER TABLE people DROP email; ALTER TABLE people ADD contact text DEFAULT 'new'")
    assert wait_until(lambda: mail(client, "SELECT contact FROM people"), "the new column is known", timeout=10) == "new"


def test_another_tables_column_is_not_touched(client: psycopg.Connection, owner: psycopg.Connection) -> None:
    owner.execute("ALTER TABLE archive RENAME TO old_archive")
    assert wait_until(lambda: mail(client, "SELECT email FROM old_archive"), "the new name", timeout=10) == "open@corp.example"
    owner.execute("DROP TABLE old_archive")


def test_an_operator_lets_go_of_a_former_name(client: psycopg.Connection, owner: psycopg.Connection, gateway: Gateway) -> None:
    owner.execute("ALTER TABLE people RENAME email TO contact")
    assert wait_until(lambda: mail(client, "SELECT contact FROM people"), "the new name is known", timeout=10) == "***"
    listed = gateway.cli_json("connection", "names", "docs")
    assert {"name": "public.people.contact", "former": "email", "database": listed[0]["database"]} in listed
    assert "nothing on" in gateway.run("connection", "names", "docs", "--forget", "public.people.email").stderr
    gateway.cli("connection", "names", "docs", "--forget", "public.people.contact")
    shown = wait_until(lambda: mail(client, "SELECT contact FROM people") != "***" and mail(client, "SELECT contact FROM people"), "it is shown")
    assert shown == "s3cr3t@corp.example"
    assert "public.people.contact" not in gateway.cli("connection", "names", "docs")


def test_names_outlive_a_restart(documents_database: Database, owner: psycopg.Connection) -> None:
    """Renamed while nobody watched."""
    with Gateway(policy=POLICY) as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        login = gateway.login("ana")
        with login.psycopg() as client:
            assert mail(client, "SELECT email FROM people") == "***"
        gateway.end()
        owner.execute("ALTER TABLE people RENAME email TO contact")
        gateway.start()
        with login.psycopg() as client:
            assert mail(client, "SELECT contact FROM people") == "***"
