"""Taken away is taken away: sessions of a revoked token end at once, and what they ran upstream is cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from harness import wire
from harness.gateway import Gateway, Login, wait_until
from harness.postgres import Database

# Promised is a second; machines that run tests are slow.
_SOON = 8.0


def running_upstream(database: Database) -> int:
    with database.connect() as direct:
        return direct.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE usename = 'app' AND state = 'active' AND datname = current_database()"
        ).fetchone()[0]


def revoke_token(gateway: Gateway, login: Login) -> None:
    gateway.cli("token", "revoke", login.token)


def disable_principal(gateway: Gateway, login: Login) -> None:
    gateway.cli("principal", "disable", login.principal)


def delete_principal(gateway: Gateway, login: Login) -> None:
    gateway.cli("principal", "delete", login.principal)


def take_out_of_group(gateway: Gateway, login: Login) -> None:
    gateway.cli("principal", "update", login.principal, "--no-groups")


WAYS = [revoke_token, disable_principal, delete_principal, take_out_of_group]


@pytest.mark.parametrize("how", WAYS, ids=lambda how: how.__name__)
def test_idle_session_ends(gateway: Gateway, how: Callable[[Gateway, Login], None]) -> None:
    """A client that says nothing is told and cut."""
    login = gateway.login("idle-" + how.__name__)
    with login.wire() as client:
        client.query("SELECT 1")
        began = time.monotonic()
        how(gateway, login)
        ended = client.read_to_end()
        assert time.monotonic() - began < _SOON
        assert ended.error.sqlstate == "57P01"
    with pytest.raises(wire.Refused):
        login.wire()


@pytest.mark.parametrize("how", WAYS[:2], ids=lambda how: how.__name__)
def test_running_query_is_cancelled_upstream(
    gateway: Gateway, documents_database: Database, how: Callable[[Gateway, Login], None]
) -> None:
    """The client is cut, and the database no longer works for it."""
    login = gateway.login("busy-" + how.__name__)
    with login.wire(timeout=30) as client:
        client.send(b"Q", wire.text("SELECT linger(60)"))
        wait_until(lambda: running_upstream(documents_database) == 1, "the statement runs")
        began = time.monotonic()
        how(gateway, login)
        ended = client.read_to_end()
        assert ended.error.sqlstate == "57P01"
        assert ended.rows == []
        wait_until(lambda: running_upstream(documents_database) == 0, "it is cancelled upstream", timeout=_SOON)
        assert time.monotonic() - began < _SOON


def test_stream_is_cut(gateway: Gateway, documents_database: Database) -> None:
    """In the middle of a result: no further row leaves."""
    login = gateway.login("streaming")
    with login.wire(timeout=30) as client:
        client.send(b"Q", wire.text("SELECT id, linger(0.02), payload FROM events"))
        client.read_until(b"D")
        revoke_token(gateway, login)
        rest = client.read_to_end()
        assert rest.error.sqlstate == "57P01"
        assert len(rest.rows) < 2000
    wait_until(lambda: running_upstream(documents_database) == 0, "it is cancelled upstream")


def test_other_sessions_go_on(gateway: Gateway, ana: Login) -> None:
    """Of the same principal with another token, and of others."""
    two = gateway.login("two-tokens")
    other_token = gateway.issue_token("two-tokens")
    with two.wire() as first, two.wire(password=other_token) as second, ana.wire() as third:
        revoke_token(gateway, two)
        assert first.read_to_end().error.sqlstate == "57P01"
        assert second.query("SELECT 1").rows == [[b"1"]]
        assert third.query("SELECT 1").rows == [[b"1"]]


def test_token_that_expires_ends_its_session(gateway: Gateway, ana: Login) -> None:
    with ana.wire(password=gateway.issue_token("ana", ttl_seconds=3), timeout=30) as client:
        assert client.query("SELECT 1").rows == [[b"1"]]
        assert client.read_to_end().error.sqlstate == "57P01"


def test_group_change_that_keeps_the_role_keeps_the_session(gateway: Gateway) -> None:
    """The session goes on with the new groups: policy sees them at the next statement."""
    login = gateway.login("promoted")
    with login.wire() as client:
        client.query("SELECT 1")
        gateway.cli("principal", "update", "promoted", "--group", "members", "--group", "dpo")
        assert client.query("SELECT 1").rows == [[b"1"]]


def test_session_ended_by_command(gateway: Gateway, ana: Login) -> None:
    """`sessions kill` ends one session with a reason that its client sees; the principal may come back."""
    with ana.wire() as client:
        client.query("SELECT 1")
        (live,) = gateway.live("ana")
        gateway.cli("sessions", "kill", live["id"], "--reason", "too much noise")
        ended = client.read_to_end()
        assert ended.error.sqlstate == "57P01"
        assert "too much noise" in ended.error.message
    ana.wire().close()


def test_disabled_connection_ends_its_sessions(gateway: Gateway, ana: Login, documents_database: Database) -> None:
    gateway.add_connection("spare", documents_database, {"reader": "app"})
    with ana.wire(database="spare") as client, ana.wire() as other:
        client.query("SELECT 1")
        gateway.cli("connection", "disable", "spare")
        assert client.read_to_end().error.sqlstate == "57P01"
        assert other.query("SELECT 1").rows == [[b"1"]]


def test_end_is_recorded_with_its_reason(gateway: Gateway) -> None:
    login = gateway.login("recorded")
    with login.wire() as client:
        client.query("SELECT 1")
        revoke_token(gateway, login)
        client.read_to_end()

    def ended() -> dict | None:
        (session,) = gateway.ask("GET", "/api/v1/sessions", params={"principal": "recorded"})["items"]
        return session if session["ended"] else None

    assert wait_until(ended, "the end is recorded")["end_reason"] == "revoked"
