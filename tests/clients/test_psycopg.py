"""psycopg 3 (sync, async, pipeline, binary, server cursors, COPY, prepared) and psycopg2."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import psycopg
import psycopg2
import psycopg2.extras
import psycopg_pool
import pytest
from harness import documents
from harness.gateway import Login
from harness.postgres import Database
from pgvector.psycopg import register_vector, register_vector_async
from pgvector.psycopg2 import register_vector as register_vector_2
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb


@pytest.fixture
def connection(ana: Login) -> Iterator[psycopg.Connection]:
    with ana.psycopg() as connected:
        yield connected


def test_parameters_and_types(connection: psycopg.Connection) -> None:
    """Numbers, text, dates, JSON, arrays, bytes and null go there and come back."""
    values = (7, 2**40, 1.5, "it's", None, True, [1, 2, 3], b"\x00\xff", Jsonb({"a": [1, None]}))
    row = connection.execute("SELECT %s, %s, %s, %s, %s::text, %s, %s, %s, %s", values).fetchone()
    assert row == (7, 2**40, 1.5, "it's", None, True, [1, 2, 3], b"\x00\xff", {"a": [1, None]})


@pytest.mark.parametrize("binary", [False, True])
def test_binary_and_text(connection: psycopg.Connection, binary: bool) -> None:
    cursor = connection.cursor(binary=binary)
    cursor.execute("SELECT id, title, now(), numrange(1, 5), gen_random_uuid() FROM docs WHERE id = ANY(%b)", ([3, 4],))
    assert [row[0] for row in cursor] == [3, 4]
    assert cursor.description[0].name == "id"


def test_vectors(connection: psycopg.Connection) -> None:
    """pgvector's adapter: registration reads the catalogue; vectors go as parameters and come back, in both formats."""
    register_vector(connection)
    query = np.array([7, 0, 7, 1])
    rows = connection.execute("SELECT id, embedding FROM docs ORDER BY embedding <-> %s LIMIT 3", (query,)).fetchall()
    assert rows[0][0] == 7
    assert np.allclose(rows[0][1], query)
    binary = connection.cursor(binary=True).execute(
        "SELECT embedding, embedding <-> %b FROM docs ORDER BY embedding <-> %b LIMIT 1", (query, query)
    )
    vector, distance = binary.fetchone()
    assert np.allclose(vector, query)
    assert distance == 0


def test_prepared_statements(connection: psycopg.Connection, documents_database: Database) -> None:
    """psycopg prepares by itself, and drops the oldest beyond its limit: through the gateway as without."""
    with documents_database.connect(user="app") as direct:
        left = []
        for one in (connection, direct):
            one.prepared_max = 3
            one.prepare_threshold = 0
            for number in range(1, 40):
                row = one.execute(f"SELECT id + {number % 6} FROM docs WHERE id = %s", (number,)).fetchone()
                assert row == (number + number % 6,)
            left.append(one.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0])
        assert left[0] == left[1]


def test_pipeline(connection: psycopg.Connection) -> None:
    with connection.pipeline():
        cursors = [connection.execute("SELECT id FROM docs WHERE id = %s", (n,)) for n in range(1, 101)]
        results = [cursor.fetchone()[0] for cursor in cursors]
    assert results == list(range(1, 101))


def test_error_in_a_pipeline(connection: psycopg.Connection) -> None:
    """What follows the error is aborted until the next sync, as the driver expects."""
    later: list[psycopg.Cursor] = []
    with connection.pipeline() as pipeline:
        connection.execute("SELECT 1")
        connection.execute("SELECT 1/0")
        with pytest.raises(psycopg.errors.DivisionByZero):  # by whichever call its news has come
            later.append(connection.execute("SELECT 2"))
            pipeline.sync()
        for cursor in later:
            with pytest.raises(psycopg.Error):
                cursor.fetchone()
        if not later:
            pipeline.sync()
        assert connection.execute("SELECT 3").fetchone() == (3,)


def test_executemany(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        cursor = connection.cursor()
        cursor.executemany(
            "INSERT INTO notes VALUES (%s, 1, %s) RETURNING id", [(n, "x") for n in range(3000, 3050)], returning=True
        )
        ids = [cursor.fetchone()[0]]
        while cursor.nextset():
            ids.append(cursor.fetchone()[0])
        assert ids == list(range(3000, 3050))


def test_server_side_cursors(connection: psycopg.Connection) -> None:
    """Named cursors, read in pieces, scrolled, and held over the end of their transaction."""
    with connection.transaction():
        with connection.cursor("named") as cursor:
            cursor.itersize = 123
            cursor.execute("SELECT id FROM events ORDER BY id")
            assert sum(row[0] for row in cursor) == 5000 * 5001 // 2
        with connection.cursor("scrolled", scrollable=True) as cursor:
            cursor.execute("SELECT id FROM docs ORDER BY id")
            assert cursor.fetchmany(3) == [(1,), (2,), (3,)]
            cursor.scroll(100, mode="absolute")
            assert cursor.fetchone() == (101,)
            cursor.scroll(-2)
            assert cursor.fetchone() == (100,)
    held = connection.cursor("held", withhold=True)
    held.execute("SELECT id FROM docs WHERE id <= %s ORDER BY id", (5,))
    assert held.fetchall() == [(1,), (2,), (3,), (4,), (5,)]
    held.close()


def test_streaming(connection: psycopg.Connection) -> None:
    """Single-row mode."""
    assert sum(1 for _ in connection.cursor().stream("SELECT id, payload FROM events")) == 5000


def test_copy_out(connection: psycopg.Connection) -> None:
    with connection.cursor().copy("COPY (SELECT id, title FROM docs ORDER BY id LIMIT 3) TO STDOUT") as copy:
        assert [row for row in copy.rows()] == [("1", "Title 1"), ("2", "Title 2"), ("3", "Title 3")]
    with connection.cursor().copy("COPY (SELECT id, title FROM docs ORDER BY id LIMIT 3) TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(["int4", "text"])
        assert [row for row in copy.rows()] == [(1, "Title 1"), (2, "Title 2"), (3, "Title 3")]


@pytest.mark.parametrize("form", ["", "(FORMAT binary)"])
def test_copy_in(connection: psycopg.Connection, form: str) -> None:
    with connection.transaction(force_rollback=True):
        cursor = connection.cursor()
        with cursor.copy(f"COPY notes (id, doc, text) FROM STDIN {form}") as copy:
            if form:
                copy.set_types(["int4", "int4", "text"])
            for number in range(4000, 6000):
                copy.write_row((number, 1, "y" * 500))
        assert cursor.rowcount == 2000
        assert connection.execute("SELECT count(*) FROM notes WHERE id >= 4000").fetchone() == (2000,)


def test_copy_in_given_up(connection: psycopg.Connection) -> None:
    with pytest.raises(ZeroDivisionError), connection.cursor().copy("COPY notes FROM STDIN") as copy:
        copy.write_row((4000, 1, "y"))
        raise ZeroDivisionError
    assert connection.execute("SELECT count(*) FROM notes WHERE id >= 4000").fetchone() == (0,)


def test_vectors_by_binary_copy(connection: psycopg.Connection) -> None:
    register_vector(connection)
    with connection.transaction(force_rollback=True):
        with connection.cursor().copy("COPY docs (id, tenant, title, embedding) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "text", "vector"])
            for number in range(9000, 9100):
                copy.write_row((number, "t", "x", np.array([number, 1, 2, 3])))
        (vector,) = connection.execute("SELECT embedding FROM docs WHERE id = 9050").fetchone()
        assert np.allclose(vector, [9050, 1, 2, 3])


def test_rows_of_other_kinds(connection: psycopg.Connection) -> None:
    class Doc:
        def __init__(self, id: int, title: str) -> None:
            self.id, self.title = id, title

    assert connection.cursor(row_factory=dict_row).execute("SELECT id FROM docs WHERE id = 1").fetchone() == {"id": 1}
    assert connection.cursor(row_factory=class_row(Doc)).execute("SELECT id, title FROM docs WHERE id = 2").fetchone().id == 2


def test_transactions_and_savepoints(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("INSERT INTO notes VALUES (4001, 1, 'x')")
        with pytest.raises(psycopg.errors.UniqueViolation), connection.transaction():
            connection.execute("INSERT INTO notes VALUES (4001, 1, 'x')")
        assert connection.execute("SELECT count(*) FROM notes WHERE id = 4001").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM notes WHERE id = 4001").fetchone() == (0,)


def test_notices_and_notifications(connection: psycopg.Connection) -> None:
    seen: list[str] = []
    connection.add_notice_handler(lambda diagnostic: seen.append(diagnostic.message_primary))
    connection.execute("DROP TABLE IF EXISTS nothing_here")
    assert seen == ['table "nothing_here" does not exist, skipping']
    connection.execute("LISTEN news")
    connection.execute("NOTIFY news, 'hello'")
    assert [(note.channel, note.payload) for note in connection.notifies(timeout=5, stop_after=1)] == [("news", "hello")]


def test_pool(ana: Login) -> None:
    """Connections are taken, given back, reset and checked."""
    with psycopg_pool.ConnectionPool(
        ana.conninfo(), min_size=2, max_size=4, open=True, check=psycopg_pool.ConnectionPool.check_connection
    ) as pool:
        pool.wait(60)
        for _ in range(12):
            with pool.connection() as one:
                assert one.execute("SELECT 1").fetchone() == (1,)


def test_async(ana: Login) -> None:
    """Ten at a time, with pipelines and server cursors."""

    async def work(number: int) -> int:
        async with await psycopg.AsyncConnection.connect(ana.conninfo(), autocommit=True) as connection:
            await register_vector_async(connection)
            async with connection.pipeline():
                cursor = await connection.execute("SELECT id FROM docs WHERE id = %s", (number,))
                other = await connection.execute(documents.KNN.format(2))
            assert (await other.fetchone()) == (7,)
            async with connection.transaction(), connection.cursor("c") as named:
                await named.execute("SELECT id FROM events ORDER BY id LIMIT 300")
                assert len(await named.fetchall()) == 300
            return (await cursor.fetchone())[0]

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(work(number) for number in range(1, 11)))

    assert asyncio.run(all_of_them()) == list(range(1, 11))


# -- psycopg2 --------------------------------------------------------------------------------------------------


@pytest.fixture
def old(ana: Login) -> Iterator[psycopg2.extensions.connection]:
    connected = psycopg2.connect(ana.conninfo())
    yield connected
    connected.close()


def test_psycopg2(old: psycopg2.extensions.connection) -> None:
    """Client-side parameters, named cursors, COPY, execute_values and vectors."""
    with old, old.cursor() as cursor:
        cursor.execute("SELECT id, title FROM docs WHERE title = %s", ("Title 9",))
        assert cursor.fetchall() == [(9, "Title 9")]
        psycopg2.extras.execute_values(cursor, "INSERT INTO notes VALUES %s", [(n, 1, "it's") for n in range(3500, 3600)])
        cursor.execute("SELECT count(*) FROM notes WHERE id >= 3500")
        assert cursor.fetchone() == (100,)
        old.rollback()
    with old, old.cursor("named") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT id FROM events")
        assert sum(1 for _ in cursor) == 5000
    with old, old.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute("SELECT 1 AS one")
        assert cursor.fetchone() == {"one": 1}


def test_psycopg2_vectors_and_copy(old: psycopg2.extensions.connection) -> None:
    import io

    register_vector_2(old)
    with old, old.cursor() as cursor:
        cursor.execute("SELECT embedding FROM docs ORDER BY embedding <-> %s LIMIT 1", (np.array([7, 0, 7, 1]),))
        assert np.allclose(cursor.fetchone()[0], [7, 0, 7, 1])
        out = io.StringIO()
        cursor.copy_expert("COPY (SELECT id FROM docs ORDER BY id LIMIT 3) TO STDOUT", out)
        assert out.getvalue() == "1\n2\n3\n"
        cursor.copy_expert("COPY notes FROM STDIN", io.StringIO("3700\t1\tx\n3701\t1\ty\n"))
        cursor.execute("SELECT count(*) FROM notes WHERE id >= 3700")
        assert cursor.fetchone() == (2,)
        old.rollback()
