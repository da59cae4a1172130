"""SIGTERM: nobody new comes in, what runs may finish, the rest is told, and the record is closed in good order."""

from __future__ import annotations

import os
import signal

import pytest
from harness import wire
from harness.gateway import Gateway, wait_until
from harness.postgres import Database

POLICY = """
rules: [{name: all, match: {verb: "*"}, allow: true}]
vouch: [{connection: docs, functions: [public.linger]}]
"""


def test_running_statement_may_finish(documents_database: Database) -> None:
    """A query of two seconds gets its answer, then its session is told and ends; an idle one at once."""
    with Gateway(policy=POLICY, settings={"drain_timeout": "20s"}) as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        login = gateway.login("ana")
        with login.wire(timeout=30) as busy, login.wire(timeout=30) as idle:
            idle.query("SELECT 1")
            busy.send(b"Q", wire.text("SELECT linger(2)"))
            wait_until(lambda: any(s["state"] == "active" for s in gateway.live()), "the statement runs")
            os.kill(gateway.process.pid, signal.SIGTERM)
            assert idle.read_to_end().error.sqlstate == "57P01"
            assert busy.read_until(b"Z").rows == [[b"1"]]
            assert busy.read_to_end().error.sqlstate == "57P01"
            with pytest.raises((OSError, wire.Closed)):
                login.wire()
        assert gateway.process.wait(30) == 0
        assert gateway.verify_offline().returncode == 0


def test_open_transaction_is_ended_at_the_limit(documents_database: Database) -> None:
    """It may go on until the limit, then it is cut, and the database has rolled it back."""
    with Gateway(policy=POLICY, settings={"drain_timeout": "3s"}) as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        with gateway.login("ana").wire(timeout=30) as client:
            client.query("BEGIN; INSERT INTO notes VALUES (800, 1, 'x')")
            os.kill(gateway.process.pid, signal.SIGTERM)
            assert client.query("SELECT count(*) FROM notes WHERE id = 800").rows == [[b"1"]]
            assert client.read_to_end().error.sqlstate == "57P01"
        assert gateway.process.wait(30) == 0
    with documents_database.connect() as direct:
        assert direct.execute("SELECT count(*) FROM notes WHERE id = 800").fetchone() == (0,)


def test_stop_and_start_keeps_everything(documents_database: Database) -> None:
    """Principals, tokens, connections and policy are there again, and the record goes on."""
    with Gateway(policy=POLICY) as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        login = gateway.login("ana")
        with login.wire() as client:
            client.query("SELECT 'before'")
        gateway.end()
        gateway.start()
        with login.wire() as client:
            client.query("SELECT 'after'")
        assert len(gateway.operations(principal="ana", text="before")) == 1
        assert len(gateway.operations(principal="ana", text="after")) == 1
        assert gateway.cli_json("record", "verify")["intact"] is True
