"""asyncpg, which prepares everything and speaks binary only."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Awaitable, Callable

import asyncpg
import numpy as np
import pytest
from harness.gateway import Login
from pgvector.asyncpg import register_vector


def context(ana: Login) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ana.gateway.certificate)


def run(ana: Login, work: Callable[[asyncpg.Connection], Awaitable[None]], **options: object) -> None:
    """Connects, runs, closes."""

    async def whole() -> None:
        connection = await asyncpg.connect(
            host=ana.gateway.host, port=ana.gateway.port, user=ana.role, password=ana.token, database=ana.connection,
            ssl=context(ana), timeout=30, **options,
        )  # fmt: skip
        try:
            await work(connection)
        finally:
            await connection.close(timeout=20)

    asyncio.run(whole())


def test_queries_and_types(ana: Login) -> None:
    """It asks the catalogue for types that it does not know, with its own recursive query."""

    async def work(connection: asyncpg.Connection) -> None:
        assert await connection.fetchval("SELECT count(*) FROM docs") == 500
        row = await connection.fetchrow("SELECT $1::int8, $2::text, $3::float8[], $4::jsonb, $5::bytea", 2**40, "it's", [1.5], '{"a": 1}', b"\0\xff")
        assert tuple(row) == (2**40, "it's", [1.5], '{"a": 1}', b"\0\xff")
        assert await connection.execute("UPDATE notes SET text = text WHERE id <= 3") == "UPDATE 3"
        rows = await connection.fetch("SELECT id, embedding::text FROM docs WHERE id = ANY($1::int[]) ORDER BY id", [3, 5])
        assert [row["id"] for row in rows] == [3, 5]

    run(ana, work)


def test_types_of_their_own(ana: Login) -> None:
    """Enums, composites and domains are looked up by introspection."""

    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a int, b mood)")
        try:
            assert await connection.fetchval("SELECT 'happy'::mood") == "happy"
            assert tuple(await connection.fetchval("SELECT ROW(1, 'sad')::pair")) == (1, "sad")
            assert await connection.fetchval("SELECT ARRAY['sad']::mood[]") == ["sad"]
        finally:
            await connection.execute("DROP TYPE pair; DROP TYPE mood")

    run(ana, work)


def test_vectors_in_binary(ana: Login) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        await register_vector(connection)
        query = np.array([7, 0, 7, 1], dtype=np.float32)
        rows = await connection.fetch("SELECT id, embedding FROM docs ORDER BY embedding <-> $1 LIMIT 3", query)
        assert rows[0]["id"] == 7
        assert np.allclose(rows[0]["embedding"].to_numpy() if hasattr(rows[0]["embedding"], "to_numpy") else rows[0]["embedding"], query)

    run(ana, work)


def test_prepared_statements_and_cursors(ana: Login) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        statement = await connection.prepare("SELECT id FROM docs WHERE id = $1")
        assert [await statement.fetchval(number) for number in (1, 2, 3)] == [1, 2, 3]
        assert [a.name for a in statement.get_attributes()] == ["id"]
        async with connection.transaction():
            seen = [row["id"] async for row in connection.cursor("SELECT id FROM events ORDER BY id", prefetch=250)]
            assert seen == list(range(1, 5001))
            cursor = await connection.cursor("SELECT id FROM docs ORDER BY id")
            await cursor.forward(10)
            assert [row["id"] for row in await cursor.fetch(2)] == [11, 12]

    run(ana, work)


def test_statement_cache_over_a_change_of_schema(ana: Login) -> None:
    """asyncpg forgets its prepared statement on 0A000 "cached plan must not change result type", and goes on."""

    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute("CREATE TABLE IF NOT EXISTS changing (a int)")
        await connection.execute("INSERT INTO changing VALUES (1)")
        try:
            assert len(await connection.fetchrow("SELECT * FROM changing")) == 1
            await connection.execute("ALTER TABLE changing ADD b text")
            assert len(await connection.fetchrow("SELECT * FROM changing")) == 2
        finally:
            await connection.execute("DROP TABLE changing")

    run(ana, work)


def test_copy(ana: Login) -> None:
    """Binary COPY of records, text COPY from and to streams."""

    async def work(connection: asyncpg.Connection) -> None:
        transaction = connection.transaction()
        await transaction.start()
        records = [(number, 1, f"text {number}") for number in range(2000, 3000)]
        assert await connection.copy_records_to_table("notes", records=records) == "COPY 1000"
        source = io.BytesIO(b"3001\t1\tx\n3002\t1\ty\n")
        assert await connection.copy_to_table("notes", source=source) == "COPY 2"
        out = io.BytesIO()
        assert await connection.copy_from_query("SELECT id FROM notes WHERE id >= $1", 2999, output=out) == "COPY 3"
        assert out.getvalue() == b"2999\n3001\n3002\n"
        table = io.BytesIO()
        await connection.copy_from_table("notes", output=table, format="csv")
        assert len(table.getvalue().splitlines()) == 1022
        await transaction.rollback()

    run(ana, work)


def test_executemany_and_errors(ana: Login) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            await connection.executemany("INSERT INTO notes VALUES ($1, 1, $2)", [(n, "x") for n in range(2000, 2100)])
            await connection.execute("DELETE FROM notes WHERE id >= 2000")
        with pytest.raises(asyncpg.UniqueViolationError) as duplicate:
            await connection.execute("INSERT INTO docs (id, tenant, title) VALUES (1, 't', 't')")
        assert duplicate.value.constraint_name == "docs_pkey"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT pg_sleep(1)")
        assert await connection.fetchval("SELECT 1") == 1

    run(ana, work)


def test_cancel_by_timeout(ana: Login) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await connection.fetchval("SELECT linger(30)", timeout=1)
        assert await connection.fetchval("SELECT 1", timeout=20) == 1

    run(ana, work)


def test_listen(ana: Login) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        seen: asyncio.Queue[str] = asyncio.Queue()
        await connection.add_listener("news", lambda *arguments: seen.put_nowait(arguments[-1]))
        await connection.execute("NOTIFY news, 'hello'")
        assert await asyncio.wait_for(seen.get(), 10) == "hello"
        await connection.remove_listener("news", lambda *_: None)

    run(ana, work)


def test_pool(ana: Login) -> None:
    """Resets its connections with asyncpg's own RESET statement when they come back."""

    async def whole() -> None:
        async with asyncpg.create_pool(
            host=ana.gateway.host, port=ana.gateway.port, user=ana.role, password=ana.token, database=ana.connection,
            ssl=context(ana), min_size=2, max_size=4,
        ) as pool:  # fmt: skip
            results = await asyncio.gather(*(pool.fetchval("SELECT $1::int", number) for number in range(20)))
        assert results == list(range(20))

    asyncio.run(whole())


def test_direct_tls(ana: Login) -> None:
    """asyncpg can begin with TLS at once."""

    async def work(connection: asyncpg.Connection) -> None:
        assert await connection.fetchval("SELECT 1") == 1

    tls = context(ana)
    tls.set_alpn_protocols(["postgresql"])
    asyncio.run(_direct(ana, tls, work))


async def _direct(ana: Login, tls: ssl.SSLContext, work: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
    try:
        connection = await asyncpg.connect(
            host=ana.gateway.host, port=ana.gateway.port, user=ana.role, password=ana.token, database=ana.connection,
            ssl=tls, direct_tls=True, timeout=30,
        )  # fmt: skip
    except TypeError:
        pytest.skip("this asyncpg has no direct_tls")
    await work(connection)
    await connection.close(timeout=20)
