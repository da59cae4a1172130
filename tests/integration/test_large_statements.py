"""Statements that are planned beside the loop (ADR 0023): they answer right, and nobody else notices."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator

import pytest
from harness import wire
from harness.gateway import Gateway, Login
from harness.wire import Client, Exchange

SETTINGS = {"workers": 1, "limits.statement_size": "16MiB"}
MEBIBYTE = 1 << 20


def numbers(size: int) -> str:
    """A statement of about so many bytes that says how many numbers it holds."""
    count = size // 7
    return f"SELECT cardinality(ARRAY[{','.join(str(100_000 + i % 900_000) for i in range(count))}])"


def literal(size: int) -> str:
    return f"SELECT length('{'x' * size}')"


@pytest.fixture
def client(ana: Login) -> Iterator[Client]:
    with ana.wire(timeout=120) as connected:
        yield connected


def test_large_statements_answer_right(client: Client) -> None:
    assert client.query(literal(8 * MEBIBYTE)).rows == [[str(8 * MEBIBYTE).encode()]]
    assert client.query(numbers(MEBIBYTE)).rows == [[str(MEBIBYTE // 7).encode()]]
    assert client.extended(literal(8 * MEBIBYTE)).rows == [[str(8 * MEBIBYTE).encode()]]
    assert client.extended(numbers(MEBIBYTE)).rows == [[str(MEBIBYTE // 7).encode()]]
    assert client.query("SELECT 1").rows == [[b"1"]]


def test_what_follows_keeps_its_place(client: Client) -> None:
    """A client may send on without waiting: whatever takes how long, answers come in the order of the questions."""
    for sql in ("SELECT 'first'", literal(3 * MEBIBYTE), "SELECT 'second'", numbers(200_000), "SELECT 'last'"):
        client.send(b"Q", wire.text(sql))
    rows = [client.read_until(b"Z").rows for _ in range(5)]
    assert rows == [
        [[b"first"]],
        [[str(3 * MEBIBYTE).encode()]],
        [[b"second"]],
        [[str(200_000 // 7).encode()]],
        [[b"last"]],
    ]


def test_what_follows_in_a_pipeline_keeps_its_place(client: Client) -> None:
    client.send_all(
        *(wire.parse("SELECT 1", "a"), wire.bind(statement="a"), wire.execute()),
        *(wire.parse(numbers(200_000), "b"), wire.bind(statement="b"), wire.execute()),
        *(wire.parse("SELECT 3", "c"), wire.bind(statement="c"), wire.execute(), wire.SYNC),
    )
    assert client.read_until(b"Z").rows == [[b"1"], [str(200_000 // 7).encode()], [b"3"]]


def test_other_sessions_go_on(ana: Login, client: Client) -> None:
    """On the same worker, while several are being planned."""
    answers: list[Exchange] = []

    def ask() -> None:
        with ana.wire(timeout=120) as mine:
            answers.append(mine.query(numbers(MEBIBYTE)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(100):
        assert client.query(f"SELECT {i}").rows == [[str(i).encode()]]
    for thread in threads:
        thread.join()
    assert [answer.rows for answer in answers] == [[[str(MEBIBYTE // 7).encode()]]] * 4


def test_a_syntax_error_at_the_end_is_found(client: Client) -> None:
    sql = f"SELECT id FROM documents WHERE id IN ({'1,' * 200_000}1) FROM"
    reply = client.query(sql)
    assert (reply.error.sqlstate, reply.status) == ("42601", "I")
    assert client.query("SELECT 1").rows == [[b"1"]]


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT {','.join(['1'] * 2000)}",
        f"SELECT id FROM documents ORDER BY {','.join(['id'] * 2000)}",
        f"SELECT id FROM documents GROUP BY {','.join(['id'] * 2000)}",
        f"WITH {','.join(f'a{i} AS (SELECT 1)' for i in range(2000))} SELECT 1",
        f"SELECT {'(' * 12_000}1{')' * 12_000}",
        f"SELECT {'NOT ' * 3000}true",
        f"SELECT '{'x' * (17 * MEBIBYTE)}'",
    ],
    ids=["columns", "order", "groups", "with", "parentheses", "not", "bytes"],
)
def test_what_is_too_much_is_refused(client: Client, sql: str) -> None:
    reply = client.query(sql)
    assert reply.error.sqlstate in ("54000", "54001"), reply
    assert client.query("SELECT 1").rows == [[b"1"]]


def test_it_can_be_cancelled(client: Client) -> None:
    """Whether it is being planned or runs already: it ends with the error, or has ended before."""
    rng = random.Random(7)
    for _ in range(6):
        client.send(b"Q", wire.text(numbers(MEBIBYTE)))
        time.sleep(rng.random() / 5)
        client.cancel()
        reply = client.read_until(b"Z")
        assert reply.rows == [[str(MEBIBYTE // 7).encode()]] or reply.error.sqlstate == "57014"
    assert client.query("SELECT 1").rows == [[b"1"]]


def test_the_client_may_leave_meanwhile(ana: Login, client: Client) -> None:
    rng = random.Random(7)
    for _ in range(8):
        with ana.wire(timeout=60) as leaving:
            leaving.send(b"Q", wire.text(numbers(MEBIBYTE)))
            time.sleep(rng.random() / 5)
            leaving.abort()
    assert client.query("SELECT 1").rows == [[b"1"]]


def test_the_session_may_be_ended_meanwhile(gateway: Gateway, client: Client) -> None:
    """Access is revoked while its statement is being planned: it ends with the reason, and does not run."""
    bo = gateway.login("bo")
    with bo.wire(timeout=60) as ending:
        ending.send(b"Q", wire.text(numbers(2 * MEBIBYTE) + " AS ended"))
        gateway.cli("principal", "disable", "bo")
        seen = ending.read_to_end()
        assert seen.errors[-1].sqlstate == "57P01"
    assert client.query("SELECT 1").rows == [[b"1"]]
