"""Fixtures for all tests. A server is started when a test first asks for it and serves the whole session."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import documents
from harness.cache import run_setup
from harness.gateway import Gateway, Login
from harness.installation import NotAvailable
from harness.postgres import Database, PostgresServer


def pytest_configure() -> None:
    """SIGTERM ends the tests as Ctrl-C does, so that fixtures stop what they started."""
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """PostgreSQL 18 with pgvector and all contrib modules; trust, without TLS."""
    with PostgresServer("pg0") as server:
        yield server


@pytest.fixture(scope="session")
def secure_postgres() -> Iterator[PostgresServer]:
    """The same with TLS only, and SCRAM-SHA-256."""
    with PostgresServer("pg0", auth="scram-sha-256", tls=True) as server:
        yield server


@pytest.fixture(scope="session")
def postgres16() -> Iterator[PostgresServer]:
    """PostgreSQL 16 with pgvector and without contrib modules; trust, without TLS."""
    with PostgresServer("pgserver") as server:
        yield server


@pytest.fixture(scope="session")
def postgres17() -> Iterator[PostgresServer]:
    """Debian 13's PostgreSQL 17 with pgvector and contrib modules; TLS only, and SCRAM-SHA-256."""
    try:
        server = PostgresServer("debian13", auth="scram-sha-256", tls=True)
    except NotAvailable as reason:
        pytest.skip(str(reason))
    with server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    """An empty database with pgvector, for one test."""
    with postgres.fresh_database("CREATE EXTENSION vector") as fresh:
        yield fresh


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The npm clients; run node with this folder as NODE_PATH."""
    return run_setup("node.sh")


@pytest.fixture(scope="module")
def documents_database(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[Database]:
    """The documents (harness/documents.py), for one module, with what its SETUP adds."""
    setup = [documents.SETUP, *([request.module.SETUP] if hasattr(request.module, "SETUP") else [])]
    with postgres.fresh_database(*setup) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def gateway(request: pytest.FixtureRequest, documents_database: Database) -> Iterator[Gateway]:
    """A gateway before the documents, with the module's POLICY and SETTINGS; connection `docs`, role alias `reader`."""
    policy = getattr(request.module, "POLICY", documents.EVERYTHING)
    with Gateway(policy=policy, settings=getattr(request.module, "SETTINGS", None)) as running:
        running.add_connection("docs", documents_database, {"reader": "app"})
        yield running


@pytest.fixture(scope="module")
def ana(gateway: Gateway) -> Login:
    """A member, who may use the connection."""
    return gateway.login("ana")
