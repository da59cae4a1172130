"""pg_dump through the gateway: of a schema, of everything where exports are allowed, of masked tables with masked values."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from harness import documents
from harness.gateway import Gateway
from harness.postgres import Database, PostgresServer

POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: no-exports-of-events
    match: {collection: public.events, verb: export}
    deny: Events are not exported.
  - name: hide-mail
    match: {collection: public.docs, principal: {groups: [masked]}}
    mask: [{fields: [email], with: redact}, {vectors: remove}]
vouch:
  - {connection: "*", functions: [pg_catalog.pg_get_sequence_data]}
"""

ROW_SECURITY = "--enable-row-security"
OPTIONS = (ROW_SECURITY, "--no-subscriptions")  # the others' secrets are none of a dump's business

SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'content');
CREATE TABLE people (id bigserial PRIMARY KEY, name text NOT NULL CHECK (name <> ''), mood mood DEFAULT 'sad');
INSERT INTO people (name) SELECT 'person ' || n FROM generate_series(1, 30) n;
CREATE VIEW names AS SELECT name FROM people;
CREATE INDEX people_name ON people (lower(name));
"""


@contextmanager
def before(server: PostgresServer) -> Iterator[tuple[Gateway, Database]]:
    with server.fresh_database(documents.SETUP, SETUP) as database, Gateway(policy=POLICY) as gateway:
        gateway.add_connection("docs", database, {"reader": "postgres"})
        yield gateway, database


@pytest.fixture(scope="module")
def dumps(postgres: PostgresServer) -> Iterator[tuple[Gateway, Database]]:
    with before(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def dumps16(postgres16: PostgresServer) -> Iterator[tuple[Gateway, Database]]:
    with before(postgres16) as made:
        yield made


def pg_dump(server: PostgresServer, conninfo: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return server.run_program("pg_dump", *arguments, conninfo, timeout=60)


def text_of(dump: subprocess.CompletedProcess[str]) -> str:
    """Without what differs from one dump to the next."""
    assert dump.returncode == 0, dump.stderr
    return "\n".join(line for line in dump.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


@pytest.mark.parametrize(
    "arguments",
    [("--schema-only",), ("--exclude-table-data=public.events",), ("--inserts", "--table=public.people"), ("--data-only", "-t", "docs")],
    ids=["schema", "everything", "inserts", "one table"],
)
def test_as_without_the_gateway(
    postgres: PostgresServer, dumps: tuple[Gateway, Database], arguments: tuple[str, ...]
) -> None:
    gateway, database = dumps
    through, direct = (
        text_of(pg_dump(postgres, to.conninfo(), *OPTIONS, *arguments)) for to in (gateway.login("ana"), database)
    )
    assert through == direct


@pytest.mark.parametrize("form", [(), ("--inserts",)], ids=["copy", "inserts"])
def test_masked_columns_are_dumped_masked(
    postgres: PostgresServer, dumps16: tuple[Gateway, Database], form: tuple[str, ...]
) -> None:
    """The server is PostgreSQL 16; its own pg_dump came without TLS, and a newer one serves as well."""
    masked = dumps16[0].login("mia", groups=["members", "masked"])
    dump = text_of(pg_dump(postgres, masked.conninfo(), *OPTIONS, "--table=public.docs", *form))
    assert "corp.example" not in dump
    assert "Title 500" in dump
    assert dump.count("***") == 500


def test_where_masks_are_in_force(postgres: PostgresServer, dumps: tuple[Gateway, Database]) -> None:
    """The schema is no secret. PostgreSQL 18's pg_dump reads sequences by a function that nobody vouches for under masks:
    it is refused, and says so."""
    masked = dumps[0].login("mia", groups=["members", "masked"])
    assert "CREATE TABLE public.docs" in text_of(pg_dump(postgres, masked.conninfo(), *OPTIONS, "--schema-only"))
    data = pg_dump(postgres, masked.conninfo(), *OPTIONS)
    assert data.returncode != 0
    assert "pg_get_sequence_data" in data.stderr


def test_an_export_that_policy_denies(postgres: PostgresServer, dumps: tuple[Gateway, Database]) -> None:
    dump = pg_dump(postgres, dumps[0].login("ana").conninfo(), *OPTIONS, "--table=public.events")
    assert dump.returncode != 0
    assert "Events are not exported" in dump.stderr


def test_row_level_security_stays_on(postgres: PostgresServer, dumps: tuple[Gateway, Database]) -> None:
    """What pg_dump asks for otherwise is refused, and the error says what to do."""
    dump = pg_dump(postgres, dumps[0].login("ana").conninfo(), "--schema-only")
    assert dump.returncode != 0
    assert ROW_SECURITY in dump.stderr
