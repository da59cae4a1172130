"""The servers start, are what they claim to be, and do not outlive the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from harness.postgres import PostgresServer

SERVERS = ["postgres", "secure_postgres", "postgres16", "postgres17"]


@pytest.fixture(params=SERVERS)
def any_server(request: pytest.FixtureRequest) -> PostgresServer:
    return request.getfixturevalue(request.param)


def test_has_pgvector(any_server: PostgresServer) -> None:
    with any_server.fresh_database("CREATE EXTENSION vector") as database, database.connect() as connection:
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,4]'").fetchone() == (2.0,)
        (version,) = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
        assert version.startswith("0.8.")
        assert connection.info.server_version // 10000 == any_server.version


def test_says_which_extensions_it_has(any_server: PostgresServer) -> None:
    with any_server.connect() as connection:
        offered = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}
    assert offered == any_server.extensions


def test_contrib_modules_load(postgres: PostgresServer, postgres17: PostgresServer) -> None:
    modules = ["pgcrypto", "hstore", "dblink", "postgres_fdw", "xml2", "pg_stat_statements", "pageinspect"]
    for server in (postgres, postgres17):
        with server.fresh_database(*(f"CREATE EXTENSION {name}" for name in modules)):
            pass


def test_tls_and_scram_are_enforced(secure_postgres: PostgresServer, postgres17: PostgresServer) -> None:
    for server in (secure_postgres, postgres17):
        with server.connect() as connection:
            assert connection.pgconn.ssl_in_use
            assert connection.pgconn.used_password
        with pytest.raises(psycopg.OperationalError, match="no encryption"):
            server.connect(sslmode="disable")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            server.connect(password="wrong")


def test_fresh_databases_share_nothing(postgres: PostgresServer) -> None:
    setup = "CREATE TABLE t (n int); INSERT INTO t VALUES (1)"
    with postgres.fresh_database(setup) as first, postgres.fresh_database(setup) as second:
        with first.connect() as connection:
            connection.execute("DELETE FROM t")
        with second.connect() as connection:
            assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]


def test_fresh_database_is_quick(postgres: PostgresServer) -> None:
    with postgres.fresh_database("CREATE EXTENSION vector"):
        pass
    began = time.monotonic()
    with postgres.fresh_database("CREATE EXTENSION vector"):
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_dies_with_the_tests(how: signal.Signals, tmp_path: Path) -> None:
    """A process that started a server is ended without a chance to stop it: the server goes too."""
    script = (
        "import sys, time; from harness.postgres import PostgresServer; server = PostgresServer('pgserver');"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as parent:
        server = int(parent.stdout.readline())
        os.kill(server, 0)
        parent.send_signal(how)
    deadline = time.monotonic() + 10
    while _is_running(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(server)


def _is_running(pid: int) -> bool:
    """Whether it is there and no zombie (a container's first process may not reap what it inherits)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
