"""Many sessions of one worker at one time, without TLS: they are received, handled and sent for together (ADR 0017)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from harness import wire
from harness.gateway import Gateway, Login, wait_until
from harness.wire import Client

SETTINGS = {"workers": 1, "postgres.0.tls": "allowed_on_loopback"}
SESSIONS = 40  # more than go through one turn together


@pytest.fixture
def clients(ana: Login) -> Iterator[list[Client]]:
    with ExitStack() as stack:
        yield [stack.enter_context(ana.wire(tls=False, timeout=30)) for _ in range(SESSIONS)]


def test_each_gets_its_own_answers(clients: list[Client]) -> None:
    for turn in range(20):
        for i, client in enumerate(clients):
            client.send(b"Q", wire.text(f"SELECT {i}, {turn}, repeat('x', {i * turn})"))
        for i, client in enumerate(clients):
            (row,) = client.read_until(b"Z").rows
            assert row == [str(i).encode(), str(turn).encode(), b"x" * (i * turn)]


def test_each_operation_is_in_the_record(gateway: Gateway, clients: list[Client]) -> None:
    """Once, with its outcome, though many were written between one look at the sockets and the next."""
    for i, client in enumerate(clients):
        client.send_all(wire.parse(f"SELECT 'recorded', {i}"), wire.bind(), wire.execute(), wire.SYNC)
    for client in clients:
        assert client.read_until(b"Z").errors == []
    found = gateway.operations(principal="ana", text="recorded", limit="1000")
    assert len(found) == SESSIONS
    assert {operation["status"] for operation in found} == {"ok"}
    assert len({operation["session"] for operation in found}) == SESSIONS


def test_sessions_may_end_among_others(gateway: Gateway, ana: Login, clients: list[Client]) -> None:
    """Some hang up in the middle of a request, some are refused, some ask: nobody gets another's lot."""
    for i, client in enumerate(clients):
        if i % 4 == 0:
            client.send(b"Q", wire.text("SELECT 1"))
            client.abort()
        elif i % 4 == 1:
            client.send_raw(b"Q\x00\x00\x00\xffSELECT")
            client.abort()
        elif i % 4 == 2:
            client.send(b"Q", wire.text("SELECT no_such_column"))
        else:
            client.send(b"Q", wire.text(f"SELECT {i}"))
    for i, client in enumerate(clients):
        if i % 4 == 2:
            assert client.read_until(b"Z").error.sqlstate == "42703"
        elif i % 4 == 3:
            assert client.read_until(b"Z").rows == [[str(i).encode()]]
    wait_until(lambda: len(gateway.live("ana")) == SESSIONS // 2, "those that hung up have ended")


def test_a_client_that_does_not_read_gets_everything_later(ana: Login, clients: list[Client]) -> None:
    """Small answers until no socket takes more. Meanwhile others are served, and afterwards nothing is missing."""
    asked = 4_000
    others = clients[:4]
    with ana.wire(tls=False, timeout=60) as slow:
        for i in range(asked):
            slow.send(b"Q", wire.text(f"SELECT {i}, repeat('x', 1800)"))
            if i % 500 == 0:
                assert others[i // 500 % len(others)].query("SELECT 'served'").rows == [[b"served"]]
            time.sleep(0.0002)  # so that most answers are small ones of their own; what is right does not hang on it
        for i in range(asked):
            (row,) = slow.read_until(b"Z").rows
            assert row == [str(i).encode(), b"x" * 1800]
        assert slow.query("SELECT 'still there'").rows == [[b"still there"]]


def test_a_client_that_never_reads_is_cut_with_its_session(gateway: Gateway, ana: Login, clients: list[Client]) -> None:
    """It hangs up while answers wait for it: its session ends, and nobody else's."""
    slow = ana.wire(tls=False, timeout=60)
    for i in range(4_000):
        slow.send(b"Q", wire.text(f"SELECT {i}, repeat('x', 1800)"))
        time.sleep(0.0002)
    slow.abort()
    wait_until(lambda: len(gateway.live("ana")) == SESSIONS, "its session has ended")
    for i, client in enumerate(clients):
        assert client.query(f"SELECT {i}").rows == [[str(i).encode()]]
