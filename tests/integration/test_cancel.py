"""CancelRequest: with keys of the gateway's, to the statement that is meant, and to no other."""

from __future__ import annotations

import struct
import threading
import time

import psycopg
import pytest
from harness import wire
from harness.gateway import Gateway, Login, wait_until
from harness.wire import Client, Exchange


def cancel_once_running(gateway: Gateway, ana: Login, client: Client) -> Exchange:
    """Starts a statement of 60 seconds, cancels it as soon as it runs; what came back."""
    client.socket.settimeout(30)
    client.query("SELECT 1")  # so that the gateway has read the catalogue: it is active while it does that, too
    client.send(b"Q", wire.text("SELECT linger(60)"))
    wait_until(lambda: any(s["state"] == "active" for s in gateway.live("ana")), "the statement runs")
    client.cancel()
    return client.read_until(b"Z")


def test_cancel_stops_the_statement(gateway: Gateway, ana: Login) -> None:
    """The server's own error comes back, and the session goes on."""
    with ana.wire() as client:
        reply = cancel_once_running(gateway, ana, client)
        assert reply.error.sqlstate == "57014"
        assert reply.status == "I"
        assert client.query("SELECT 1").rows == [[b"1"]]


def test_cancelled_operation_is_recorded_as_such(gateway: Gateway, ana: Login) -> None:
    with ana.wire() as client:
        cancel_once_running(gateway, ana, client)
        newest = gateway.operations(principal="ana", text="linger")[0]
    assert (newest["status"], newest["error_class"]) == ("cancelled", "57014")


def test_psycopg_cancels_over_tls(gateway: Gateway, ana: Login) -> None:
    """libpq 17 encrypts its cancel requests; the thread that waits gets QueryCanceled."""
    with ana.psycopg() as connection:
        seen: list[BaseException] = []

        def run() -> None:
            try:
                connection.execute("SELECT linger(60)")
            except psycopg.Error as error:
                seen.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        wait_until(lambda: any(s["state"] == "active" for s in gateway.live("ana")), "the statement runs")
        connection.cancel_safe(timeout=20)
        thread.join(30)
        assert [type(error) for error in seen] == [psycopg.errors.QueryCanceled]
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_wrong_key_cancels_nothing(ana: Login) -> None:
    """Neither a guessed secret nor a guessed process number reaches the statement; the answer is silence."""
    with ana.wire(timeout=30) as client:
        (key,) = client.startup.of(b"K")
        process = struct.unpack("!i", key[:4])[0]
        wrong = bytes([key[4] ^ 1]) + key[5:]
        client.send(b"Q", wire.text("SELECT linger(2)"))
        for number, secret in [(process, wrong), (process + 1, key[4:]), (process, key[4:] + b"\0" * 28)]:
            with Client(ana.gateway.port) as other:
                other.send_raw(wire.cancel_message(number, secret))
                assert other.read_to_end() == []
        assert client.read_until(b"Z").rows == [[b"1"]]


def test_late_cancel_does_not_hit_the_next_statement(ana: Login) -> None:
    """A request that comes after its statement is over has nothing left to cancel."""
    with ana.wire(timeout=30) as client:
        assert client.query("SELECT 1").rows == [[b"1"]]
        client.cancel()
        time.sleep(0.3)
        assert client.query("SELECT linger(1)").rows == [[b"1"]]


def test_key_of_an_ended_session_is_forgotten(ana: Login) -> None:
    with ana.wire() as first:
        (key,) = first.startup.of(b"K")
    with ana.wire(timeout=30) as second:
        second.send(b"Q", wire.text("SELECT linger(1)"))
        with Client(ana.gateway.port) as other:
            other.send_raw(wire.cancel_message(struct.unpack("!i", key[:4])[0], key[4:]))
            other.read_to_end()
        assert second.read_until(b"Z").rows == [[b"1"]]


def test_keys_are_the_gateways_own(ana: Login) -> None:
    """The database's key does not leave: with it, its holder could cancel around the gateway."""
    with ana.wire() as client:
        shown = struct.unpack("!i", client.startup.of(b"K")[0][:4])[0]
        ((real,),) = client.query("SELECT pg_backend_pid()").rows
        assert shown != int(real)


@pytest.mark.parametrize("what", ["pg_cancel_backend", "pg_terminate_backend"])
def test_the_functions_that_cancel_others_are_denied(ana: Login, what: str) -> None:
    """As SQL, the same power would reach every session of that user."""
    with ana.wire() as client:
        assert client.query(f"SELECT {what}(1)").error.sqlstate == "42501"
