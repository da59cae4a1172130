"""The attacks work: without a gateway in between every one of them shows a secret.

An attack that leaks nothing here would pass any gateway, and so prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import corpus
from harness.corpus import Case
from harness.postgres import Database, PostgresServer
from harness.wire import Client


@pytest.fixture(scope="module")
def prepared(postgres: PostgresServer) -> Iterator[Database]:
    with corpus.prepared(postgres) as database:
        yield database


@pytest.mark.parametrize("case", corpus.cases(), ids=lambda case: case.id)
def test_leaks_without_a_gateway(case: Case, prepared: Database) -> None:
    server = prepared.server
    with Client.connect(server.port, user=case.as_role, database=prepared.name, parameters=case.startup) as client:
        seen = case.run(client, corpus.places(server, prepared))
    assert case.leaks(seen), f"{case.name}: {seen}"


def test_says_what_a_server_lacks(postgres: PostgresServer, postgres16: PostgresServer) -> None:
    assert corpus.missing_extensions(postgres) == frozenset()
    assert "dblink" in corpus.missing_extensions(postgres16)
    with corpus.prepared(postgres16) as database, database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM docs").fetchone() == (2,)
