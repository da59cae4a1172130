"""psql, pgbench and pg_dump, as PostgreSQL ships them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.gateway import Gateway, Login
from harness.postgres import Database, PostgresServer


class Psql:
    """Runs psql through the gateway."""

    def __init__(self, server: PostgresServer, login: Login) -> None:
        self._server = server
        self._login = login

    def run(self, *arguments: str, stdin: str = "", timeout: float = 60) -> subprocess.CompletedProcess[str]:
        program = self._server.installation.bin / "psql"
        env = {**os.environ, **self._server.installation.environment, **self._login.environment, "PGAPPNAME": "psql"}
        return subprocess.run(
            [program, "-X", "-v", "ON_ERROR_STOP=1", *arguments],
            input=stdin, env=env, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """Its standard output; fails when it says anything on standard error."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        return done.stdout


@pytest.fixture(scope="module")
def psql(postgres: PostgresServer, ana: Login) -> Psql:
    return Psql(postgres, ana)


def test_select(psql: Psql) -> None:
    assert psql("-At", "-c", "SELECT id, title FROM docs WHERE id <= 2 ORDER BY id") == "1|Title 1\n2|Title 2\n"


def test_several_statements_in_one_c(psql: Psql) -> None:
    """All results are shown."""
    assert psql("-At", "-c", "SELECT 1; SELECT 2; UPDATE notes SET text = text WHERE id = 1; SELECT 3") == "1\n2\nUPDATE 1\n3\n"


def test_a_script_in_one_transaction(psql: Psql) -> None:
    script = "CREATE TABLE IF NOT EXISTS by_script (id int);\nINSERT INTO by_script VALUES (1), (2);\nSELECT count(*) FROM by_script;\nDROP TABLE by_script;\n"
    assert "2\n" in psql("-At", "-1", "-f", "-", stdin=script)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (r"\d", "docs"),
        (r"\dt", "notes"),
        (r"\dt+", "events"),
        (r"\d docs", "docs_embedding"),
        (r"\d+ docs", "vector(4)"),
        (r"\d notes", "FOREIGN KEY"),
        (r"\di", "docs_pkey"),
        (r"\di+", "hnsw"),
        (r"\dv", "Did not find any"),
        (r"\ds", "Did not find any"),
        (r"\dn", "public"),
        (r"\dn+", "public"),
        (r"\df", "linger"),
        (r"\df linger", "linger"),
        (r"\df+ linger", "volatile"),
        (r"\sf linger", "pg_sleep"),
        (r"\dx", "vector"),
        (r"\du", "app"),
        (r"\dT", "vector"),
        (r"\dp docs", "docs"),
        (r"\l", "template1"),
        (r"\do <->", "vector"),
        (r"\dC vector", "vector"),
        (r"\da", "vector"),
        (r"\conninfo", "docs"),
        (r"\encoding", "UTF8"),
        (r"\timing on", ""),
        (r"\dconfig work_mem", "work_mem"),
        (r"\ddp", ""),
        (r"\dA", "hnsw"),
        (r"\des", ""),
        (r"\dE", ""),
        (r"\dy", ""),
        (r"\dRp", ""),
        (r"\dF", "english"),
        (r"\dO", ""),
        (r"\dL", "plpgsql"),
        (r"\db", "pg_default"),
        (r"\drds", ""),
        (r"\dD", ""),
        (r"\dP", ""),
        (r"\dd", ""),
        (r"\dc", ""),
        (r"\sv nothing", ""),
    ],
)  # fmt: skip
def test_describing_commands(psql: Psql, documents_database: Database, command: str, expected: str) -> None:
    r"""What psql shows through the gateway is what it shows without."""
    through = psql.run("-c", command)
    server = documents_database.server
    direct = server.run_program("psql", "-X", "-c", command, documents_database.conninfo(user="app"))
    assert expected in through.stdout + through.stderr
    if command != r"\conninfo":
        assert (through.stdout, through.stderr) == (direct.stdout, direct.stderr)


def test_gdesc(psql: Psql) -> None:
    r"""\gdesc describes without running."""
    out = psql("-At", "-f", "-", stdin="SELECT id, title, embedding FROM docs \\gdesc\n")
    assert out == "id|integer\ntitle|text\nembedding|vector(4)\n"


def test_gexec_gset_and_bind(psql: Psql) -> None:
    script = (
        "SELECT 'SELECT ' || n || ' * 10' FROM generate_series(1, 3) n \\gexec\n"
        "SELECT 5 AS five \\gset\n"
        "SELECT :five + 1;\n"
        "SELECT $1::int + $2::int \\bind 3 4 \\g\n"
        "SELECT $1::int * 2 \\parse twice\n"
        "\\bind_named twice 21 \\g\n"
        "\\close_prepared twice\n"
    )
    assert psql("-At", "-f", "-", stdin=script) .split() == ["10", "20", "30", "6", "7", "42"]


def test_watch_with_a_count(psql: Psql) -> None:
    out = psql("-At", "-f", "-", stdin="SELECT 'seen' \\watch c=3 i=0.2\n")
    assert out.count("seen") == 3


def test_copy_out(psql: Psql, tmp_path: Path) -> None:
    r"""\copy to a file, of a table and of a query, text and CSV."""
    table, query = tmp_path / "notes.tsv", tmp_path / "docs.csv"
    psql("-c", f"\\copy notes TO '{table}'")
    psql("-c", f"\\copy (SELECT id, title FROM docs ORDER BY id LIMIT 3) TO '{query}' (FORMAT csv, HEADER)")
    assert len(table.read_text().splitlines()) == 20
    assert query.read_text() == "id,title\n1,Title 1\n2,Title 2\n3,Title 3\n"


def test_copy_in(psql: Psql, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text("".join(f'{n},1,"a ""quoted"" text, {n}"\n' for n in range(5000, 7000)))
    assert psql("-c", f"\\copy notes FROM '{file}' (FORMAT csv)") == "COPY 2000\n"
    assert psql("-At", "-c", "SELECT text FROM notes WHERE id = 6000") == 'a "quoted" text, 6000\n'
    assert psql("-At", "-c", "DELETE FROM notes WHERE id >= 5000") == "DELETE 2000\n"


def test_copy_between_standard_streams(psql: Psql) -> None:
    assert psql("-c", "COPY notes FROM STDIN", stdin="7001\t1\tone\n7002\t2\ttwo\n\\.\n") == "COPY 2\n"
    assert psql("-c", "COPY (SELECT text FROM notes WHERE id > 7000 ORDER BY id) TO STDOUT") == "one\ntwo\n"
    psql("-c", "DELETE FROM notes WHERE id > 7000")


def test_errors_have_their_caret(psql: Psql) -> None:
    done = psql.run("-c", "SELECT titel FROM docs")
    assert done.returncode == 1
    assert 'ERROR:  column "titel" does not exist' in done.stderr
    assert "               ^" in done.stderr


def test_large_result_by_fetch_count(psql: Psql) -> None:
    """FETCH_COUNT reads in pieces."""
    out = psql("-At", "-v", "FETCH_COUNT=700", "-c", "SELECT id FROM events ORDER BY id")
    assert out.split() == [str(n) for n in range(1, 5001)]


def test_tab_completion_queries(psql: Psql, ana: Login) -> None:
    """What psql asks for when somebody presses TAB; taken from its source."""
    with ana.wire() as client:
        reply = client.query(
            "SELECT pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c WHERE (c.relkind IN"
            " ('r', 'S', 'v', 'm', 'f', 'p')) AND (c.relname) LIKE 'do%' AND pg_catalog.pg_table_is_visible(c.oid)"
            " AND c.relnamespace <> (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog')\nLIMIT 1000"
        )
    assert reply.rows == [[b"docs"]]


# -- pgbench and pg_dump ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(gateway: Gateway, ana: Login, postgres: PostgresServer) -> Iterator[Login]:
    """Its tables, made by pgbench itself through the gateway."""
    with postgres.fresh_database("GRANT ALL ON SCHEMA public TO app") as database:
        gateway.add_connection("bench", database, {"reader": "app"})
        login = gateway.login("ana", connection="bench")
        done = run(postgres, login, "pgbench", "-i", "-q", "-s", "1")
        assert done.returncode == 0, done.stderr
        yield login


def run(server: PostgresServer, login: Login, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **server.installation.environment, **login.environment}
    return subprocess.run(
        [server.installation.bin / program, *arguments], env=env, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
@pytest.mark.parametrize("script", ["-S", "-N", "-b tpcb-like"])
def test_pgbench(postgres: PostgresServer, bench: Login, mode: str, script: str) -> None:
    """In all three protocol modes, with four clients, no transaction fails."""
    done = run(postgres, bench, "pgbench", *script.split(), "-M", mode, "-c", "4", "-t", "15", "-n")
    assert done.returncode == 0, done.stderr
    assert "number of transactions actually processed: 60/60" in done.stdout
    assert "number of failed transactions: 0 " in done.stdout


def test_pgbench_pipeline(postgres: PostgresServer, bench: Login, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.sql"
    file.write_text(
        "\\startpipeline\nSELECT 1;\nSELECT abalance FROM pgbench_accounts WHERE aid = 7;\nSELECT 2;\n\\endpipeline\n"
    )
    done = run(postgres, bench, "pgbench", "-f", str(file), "-M", "extended", "-c", "2", "-t", "20", "-n")
    assert done.returncode == 0, done.stderr
    assert "40/40" in done.stdout
