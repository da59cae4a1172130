"""Programs and drivers as they are, in place of statements written down: psql's commands, pg_dump, asyncpg, psycopg, psycopg2,
SQLAlchemy's reflection. Each runs through the gateway and against the database, and what comes out is the same."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import psycopg
import psycopg2
import sqlalchemy as sa
from harness.gateway import Login
from harness.postgres import Database, PostgresServer
from pgvector.psycopg import register_vector

from proof.benign_corpus import FOLDER
from proof.benign_databases import USER, Databases

CONNINFO = "\\conninfo"

FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    psycopg.Error,
    psycopg2.Error,
    sa.exc.SQLAlchemyError,
    RuntimeError,
    OSError,
)
"""What a driver raises is why its program does not pass."""


@dataclass(frozen=True)
class Place:
    """Where a program connects to: the gateway, or a database itself."""

    server: PostgresServer
    conninfo: str
    environment: dict[str, str]
    url: Callable[[str], str]
    asyncpg: dict[str, Any]


def through(login: Login, server: PostgresServer) -> Place:
    tls = ssl.create_default_context(cafile=login.gateway.certificate)
    own = {
        "host": login.gateway.host, "port": login.gateway.port, "user": login.role, "password": login.token,
        "database": login.connection, "ssl": tls,
    }  # fmt: skip
    return Place(server, login.conninfo(), login.environment, login.url, own)


def direct(database: Database) -> Place:
    server = database.server
    variables = {
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGDATABASE": database.name,
        "PGUSER": USER,
        "PGSSLMODE": "disable",
    }
    own = {"host": server.host, "port": server.port, "user": USER, "database": database.name, "ssl": False}
    return Place(
        server,
        database.conninfo(user=USER),
        variables,
        lambda scheme: f"{scheme}://{USER}@{server.host}:{server.port}/{database.name}?sslmode=disable",
        own,
    )


def check_all(databases: Databases) -> Iterator[tuple[str, str, str]]:
    """Family, name, and why it does not pass; empty when it does."""
    true = databases.databases["true"]
    gateway = through(databases.login, true.server)
    yield from _check_psql(gateway, direct(true))
    for name, (reference, program) in PROGRAMS.items():
        try:
            expected = program(direct(databases.databases[reference]))
            seen = program(gateway)
        except FAILURES as error:
            yield "programs", name, f"{type(error).__name__}: {error}"
            continue
        yield "programs", name, "" if seen == expected else f"{seen!r}\n    expected {expected!r}"[:3000]


# -- psql --------------------------------------------------------------------------------------------------------


def _check_psql(gateway: Place, true: Place) -> Iterator[tuple[str, str, str]]:
    commands = (FOLDER / "psql.txt").read_text().splitlines()
    for command, seen, expected in zip(commands, _psql(gateway, commands), _psql(true, commands), strict=True):
        if command == CONNINFO:  # it shows where it is connected to
            seen, expected = ("", seen[1]), ("", expected[1])
        why = "" if seen == expected else f"{seen[0]}{seen[1]}\n    expected {expected[0]}{expected[1]}"
        yield "psql", command, why[:3000]


def _psql(place: Place, commands: list[str]) -> list[tuple[str, str]]:
    """One psql for all; what each command wrote to standard output and to standard error."""
    mark = "@@@ next @@@"
    script = "".join(f"{command}\n\\echo {mark}\n\\warn {mark}\n" for command in commands)
    done = _run(place, "psql", "-X", stdin=script)
    shown, said = (text.split(mark + "\n")[:-1] for text in (done.stdout, done.stderr))
    if not len(shown) == len(said) == len(commands):
        raise AssertionError(f"psql ended early: {done.stderr[-2000:]}")
    return list(zip(shown, said, strict=True))


def _run(place: Place, program: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    installation = place.server.installation
    env = {**os.environ, **installation.environment, **place.environment, "PGAPPNAME": "proof"}
    return subprocess.run(
        [installation.bin / program, *arguments],
        input=stdin,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# -- pg_dump -----------------------------------------------------------------------------------------------------


def _dump(*arguments: str) -> Callable[[Place], str]:
    def run(place: Place) -> str:
        done = _run(place, "pg_dump", "--enable-row-security", "--no-subscriptions", *arguments)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return "\n".join(
            line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))
        )

    return run


# -- drivers -----------------------------------------------------------------------------------------------------


def _with_asyncpg(work: Callable[[asyncpg.Connection], Any]) -> Callable[[Place], Any]:
    def run(place: Place) -> Any:
        async def whole() -> Any:
            connection = await asyncpg.connect(timeout=30, **place.asyncpg)
            try:
                return await work(connection)
            finally:
                await connection.close(timeout=20)

        return asyncio.run(whole())

    return run


async def _asyncpg_rows(connection: asyncpg.Connection) -> Any:
    """Enumerations and arrays make it ask for types."""
    sql = "SELECT o.id, o.status, o.discount, c.tags, c.email, c.settings, c.salary FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id < $1 ORDER BY o.id"
    return [tuple(row) for row in await connection.fetch(sql, 20)]


async def _asyncpg_records(connection: asyncpg.Connection) -> Any:
    """A whole row: the composite type is looked up."""
    return [tuple(row["t"]) for row in await connection.fetch("SELECT t FROM tenants t ORDER BY id")]


async def _asyncpg_statement(connection: asyncpg.Connection) -> Any:
    statement = await connection.prepare("SELECT id, name, email, salary, created_at FROM customers WHERE id = $1")
    described = [(a.name, a.type.name) for a in statement.get_attributes()]
    return described, [tuple(row) for number in (1, 2, 3) for row in await statement.fetch(number)]


async def _asyncpg_cursor(connection: asyncpg.Connection) -> Any:
    async with connection.transaction():
        return [
            tuple(row) async for row in connection.cursor("SELECT id, email FROM customers ORDER BY id", prefetch=30)
        ]


async def _asyncpg_reset(connection: asyncpg.Connection) -> Any:
    await connection.reset()
    return await connection.fetchval("SELECT count(*) FROM customers")


def _psycopg_rows(binary: bool) -> Callable[[Place], Any]:
    def run(place: Place) -> Any:
        with psycopg.connect(place.conninfo, autocommit=True) as connection:
            cursor = connection.cursor(binary=binary)
            cursor.execute("SELECT * FROM customers WHERE tenant_id = %s ORDER BY id LIMIT 20", (2,))
            return [(c.name, c.type_code) for c in cursor.description], cursor.fetchall()

    return run


def _psycopg_pipeline(place: Place) -> Any:
    with psycopg.connect(place.conninfo, autocommit=True) as connection, connection.pipeline():
        cursors = [connection.execute("SELECT name, email FROM customers WHERE id = %s", (n,)) for n in range(1, 40)]
        return [cursor.fetchone() for cursor in cursors]


def _psycopg_server_cursor(place: Place) -> Any:
    with psycopg.connect(place.conninfo) as connection, connection.cursor("named") as cursor:
        cursor.execute("SELECT id, phone FROM customers ORDER BY id")
        return [cursor.fetchmany(15), cursor.fetchall()]


def _psycopg_copy(place: Place) -> Any:
    copied = "COPY (SELECT id, email, salary FROM customers ORDER BY id) TO STDOUT"
    with psycopg.connect(place.conninfo) as connection, connection.cursor() as cursor, cursor.copy(copied) as copy:
        return list(copy.rows())


def _psycopg_transactions(place: Place) -> Any:
    with psycopg.connect(place.conninfo) as connection:
        with connection.transaction():
            connection.execute("SELECT 1")
            with connection.transaction():
                rows = connection.execute("SELECT id, status FROM customers ORDER BY id LIMIT 3").fetchall()
        return rows


def _pgvector_search(place: Place) -> Any:
    """pgvector's adapter looks its types up and sends the vector in binary."""
    with psycopg.connect(place.conninfo, autocommit=True) as connection:
        register_vector(connection)
        vector = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0]
        return connection.execute(
            "SELECT id, title FROM documents ORDER BY embedding <=> %s::vector LIMIT 5", (vector,)
        ).fetchall()


def _psycopg2_rows(place: Place) -> Any:
    connection = psycopg2.connect(place.conninfo)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, name, email, settings, tags, salary FROM customers WHERE id = ANY(%s) ORDER BY id",
                ([1, 5, 9],),
            )
            return cursor.fetchall()
    finally:
        connection.close()


def _sqlalchemy(work: Callable[[sa.Engine], Any]) -> Callable[[Place], Any]:
    def run(place: Place) -> Any:
        engine = sa.create_engine(place.url("postgresql+psycopg"))
        try:
            return work(engine)
        finally:
            engine.dispose()

    return run


def _reflected(engine: sa.Engine) -> Any:
    metadata = sa.MetaData()
    metadata.reflect(engine, views=True)
    return {
        name: [(c.name, str(c.type), c.nullable, c.primary_key) for c in table.columns]
        for name, table in metadata.tables.items()
    }


def _reflected_keys(engine: sa.Engine) -> Any:
    inspector = sa.inspect(engine)
    tables = inspector.get_table_names()
    return {
        table: (inspector.get_pk_constraint(table), inspector.get_foreign_keys(table), inspector.get_indexes(table),
                inspector.get_unique_constraints(table), inspector.get_check_constraints(table))
        for table in tables
    }  # fmt: skip


def _streamed(engine: sa.Engine) -> Any:
    with engine.connect() as connection:
        streamed = connection.execution_options(stream_results=True, yield_per=20)
        return [tuple(row) for row in streamed.execute(sa.text("SELECT id, name, email FROM customers ORDER BY id"))]


PROGRAMS: dict[str, tuple[str, Callable[[Place], Any]]] = {
    "pg_dump --schema-only": ("true", _dump("--schema-only")),
    "pg_dump --schema-only -t customers": ("true", _dump("--schema-only", "-t", "customers")),
    "pg_dump --schema-only --section=pre-data": ("true", _dump("--schema-only", "--section=pre-data")),
    "pg_dump --schema-only --section=post-data": ("true", _dump("--schema-only", "--section=post-data")),
    "asyncpg: rows with enumerations and arrays": ("masked", _with_asyncpg(_asyncpg_rows)),
    "asyncpg: a whole row": ("masked", _with_asyncpg(_asyncpg_records)),
    "asyncpg: a prepared statement": ("masked", _with_asyncpg(_asyncpg_statement)),
    "asyncpg: a cursor": ("masked", _with_asyncpg(_asyncpg_cursor)),
    "asyncpg: reset": ("masked", _with_asyncpg(_asyncpg_reset)),
    "psycopg: rows in text": ("masked", _psycopg_rows(binary=False)),
    "psycopg: rows in binary": ("masked", _psycopg_rows(binary=True)),
    "psycopg: a pipeline": ("masked", _psycopg_pipeline),
    "psycopg: a server-side cursor": ("masked", _psycopg_server_cursor),
    "psycopg: COPY": ("masked", _psycopg_copy),
    "psycopg: nested transactions": ("masked", _psycopg_transactions),
    "psycopg: pgvector's adapter": ("search", _pgvector_search),
    "psycopg2: rows": ("masked", _psycopg2_rows),
    "SQLAlchemy: reflection of columns": ("true", _sqlalchemy(_reflected)),
    "SQLAlchemy: reflection of keys and indexes": ("true", _sqlalchemy(_reflected_keys)),
    "SQLAlchemy: a streamed result": ("masked", _sqlalchemy(_streamed)),
}
