"""Budgets: so many records for one principal and connection, over all sessions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import documents, wire
from harness.gateway import Gateway

POLICY = f"""
rules:
  - name: members-read
    match: {{principal: {{groups: [members]}}, verb: [search, fetch, scroll, count]}}
    allow: true
  {documents.CONNECT.strip()}
  - name: hourly
    match: {{principal: {{groups: [members]}}, verb: [search, fetch, scroll], collection: "public.*"}}
    budget: {{records: 100, per: 1h}}
"""


def test_budget_is_one_over_all_sessions(gateway: Gateway) -> None:
    """60 in one session and 30 in another leave 10 for a third; what asks for more is refused before it runs."""
    dora = gateway.login("dora")
    with dora.wire() as first, dora.wire() as second:
        assert len(first.query("SELECT id FROM docs LIMIT 60").rows) == 60
        assert len(second.query("SELECT id FROM docs LIMIT 30").rows) == 30
        with dora.wire() as third:
            over = third.query("SELECT id FROM docs LIMIT 11")
            assert over.error.sqlstate == "42501"
            assert '"hourly"' in over.error.detail
            assert over.rows == []
            assert len(third.query("SELECT id FROM docs LIMIT 10").rows) == 10
            assert third.query("SELECT id FROM docs WHERE id = 1").error.sqlstate == "42501"
            assert third.query("SELECT count(*) FROM docs").rows == [[b"500"]]  # no record leaves


@pytest.mark.parametrize(
    ("name", "sql"),
    [("kai", "SELECT id FROM docs LIMIT 7"), ("lea", "SELECT id FROM docs"), ("mia", "SELECT a.id, b.id FROM docs a, docs b")],
)
def test_budget_holds_under_sessions_at_one_time(gateway: Gateway, name: str, sql: str) -> None:
    """Eight sessions, on both workers, take from it together: never more than there is, and all of it."""
    login = gateway.login(name)

    def take(_: int) -> int:
        with login.wire(timeout=30) as client:
            return sum(len(row) for _ in range(6) for row in client.query(sql).rows)

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(take, range(8)))
    assert 100 - 7 < taken <= 100


def test_budget_stops_a_reply_without_limit(gateway: Gateway) -> None:
    """A scroll is charged record by record, and cut where the budget ends."""
    emil = gateway.login("emil")
    with emil.wire() as client:
        assert len(client.query("SELECT id FROM docs LIMIT 70").rows) == 70
        reply = client.query("SELECT id FROM events ORDER BY id")
        assert len(reply.rows) == 30
        assert reply.error.sqlstate == "42501"
        assert reply.status == "I"


def test_pages_of_a_portal_are_charged(gateway: Gateway) -> None:
    """Each Execute takes what it sends; the page that would exceed the budget does not come whole."""
    frida = gateway.login("frida")
    with frida.wire() as client:
        reply = client.exchange(
            wire.parse("SELECT id FROM events ORDER BY id"),
            wire.bind(portal="p"),
            *[wire.execute("p", max_rows=30) for _ in range(5)],
        )
        assert len(reply.rows) == 100
        assert reply.error.sqlstate == "42501"


def test_budgets_of_principals_are_apart(gateway: Gateway) -> None:
    with gateway.login("gerd").wire() as client:
        assert len(client.query("SELECT id FROM docs LIMIT 100").rows) == 100
        assert client.query("SELECT id FROM docs LIMIT 1").error.sqlstate == "42501"
    with gateway.login("hans").wire() as client:
        assert len(client.query("SELECT id FROM docs LIMIT 100").rows) == 100


@pytest.mark.parametrize("name", ["inge"])
def test_budget_survives_a_restart(gateway: Gateway, name: str) -> None:
    """Drained, stopped and started again, the gateway remembers what was taken."""
    login = gateway.login(name)
    with login.wire() as client:
        assert len(client.query("SELECT id FROM docs LIMIT 95").rows) == 95
    gateway.end()
    gateway.start()
    with login.wire() as client:
        assert client.query("SELECT id FROM docs LIMIT 6").error.sqlstate == "42501"
        assert len(client.query("SELECT id FROM docs LIMIT 5").rows) == 5
