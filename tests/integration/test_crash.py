"""kill -9 in the middle of traffic: what a client has seen is in the record, whatever the moment."""

from __future__ import annotations

import hashlib
import random
import threading
import time

import pytest
from harness import wire
from harness.gateway import Gateway, wait_until
from harness.postgres import Database
from harness.wire import Client, Closed


class Traffic(threading.Thread):
    """One client that asks for a record at a time, and keeps what it was told."""

    def __init__(self, client: Client, number: int) -> None:
        super().__init__()
        self.client = client
        self.number = number
        self.answered: list[int] = []
        self.asked = 0

    def run(self) -> None:
        chance = random.Random(self.number)
        while True:
            self.asked = chance.randrange(1, 501)
            try:
                if self.number % 2:
                    reply = self.client.query(f"SELECT id, title FROM docs WHERE id = {self.asked}")
                else:
                    reply = self.client.extended("SELECT id, title FROM docs WHERE id = $1", [str(self.asked).encode()])
            except (OSError, Closed):
                return
            if reply.rows:
                self.answered.append(int(reply.rows[0][0]))
            if reply.closed:
                return


@pytest.mark.parametrize("round_", range(3))
def test_kill_in_the_middle_of_traffic(documents_database: Database, round_: int) -> None:
    """Every answer that arrived stands in the record with its record id; the record verifies; the gateway starts again
    by itself, marks what was unfinished, ends the sessions, and goes on."""
    with Gateway(policy='rules: [{name: all, match: {verb: "*"}, allow: true}]') as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        names = [f"p{number}" for number in range(4)]
        traffic = [Traffic(gateway.login(name).wire(timeout=30), i) for i, name in enumerate(names)]
        for client in traffic:
            client.start()
        wait_until(lambda: all(len(client.answered) > 3 for client in traffic), "answers for every client", timeout=60)
        time.sleep(0.13 * round_)
        gateway.kill()
        for client in traffic:
            client.join(30)
            client.client.abort()

        offline = gateway.verify_offline()
        assert offline.returncode == 0, offline.stdout + offline.stderr

        gateway.start()
        for client, name in zip(traffic, names, strict=True):
            operations: list[dict] = []
            cursor = ""
            while True:
                page = gateway.ask(
                    "GET", "/api/v1/operations", params={"principal": name, "verb": "fetch", "limit": "1000", "cursor": cursor}
                )
                operations += page["items"]
                if not (cursor := page.get("next_cursor") or ""):
                    break
            done = [o for o in operations if o["status"] == "ok" and o["records"] == 1]
            assert len(done) >= len(client.answered)
            assert {o["status"] for o in operations} <= {"ok", "unfinished"}
            assert len([o for o in operations if o["status"] == "unfinished"]) <= 1
            (session,) = gateway.ask("GET", "/api/v1/sessions", params={"principal": name})["items"]
            assert session["end_reason"] == "gateway_lost"
            recorded: list[int] = []
            after = ""
            while True:
                page = gateway.ask(
                    "GET", f"/api/v1/sessions/{session['id']}/replay", params={"limit": "1000", "cursor": after}
                )
                for entry in page["items"]:
                    if entry["kind"] == "outcome" and "record_ids" in entry["facts"]:
                        recorded.append(int(entry["facts"]["record_ids"][0]["id"]))
                if not (after := page.get("next_cursor") or ""):
                    break
            assert recorded[: len(client.answered)] == client.answered
            assert len(recorded) - len(client.answered) <= 1  # written before it is sent: one may not have arrived
        assert gateway.cli_json("record", "verify")["intact"] is True
        with gateway.login("p0").wire() as client:
            assert client.query("SELECT 1").rows == [[b"1"]]


def test_kill_in_the_middle_of_a_result(documents_database: Database) -> None:
    """All bytes of a long reply that the client has received are covered by recorded chunks."""
    with Gateway(policy='rules: [{name: all, match: {verb: "*"}, allow: true}]') as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        with gateway.login("reader").wire(timeout=30) as client:
            client.send(b"Q", wire.text("SELECT a.id, a.payload FROM events a, events b"))
            seen = 0
            while seen < 3_000_000:
                seen += len(client.socket.recv(1 << 16))
            gateway.kill()
            try:
                while more := client.socket.recv(1 << 16):
                    seen += len(more)
            except OSError:
                pass
        offline = gateway.verify_offline()
        assert offline.returncode == 0, offline.stdout + offline.stderr
        gateway.start()
        (session,) = gateway.ask("GET", "/api/v1/sessions", params={"principal": "reader"})["items"]
        entries: list[dict] = []
        after = ""
        while True:
            page = gateway.ask("GET", f"/api/v1/sessions/{session['id']}/replay", params={"limit": "1000", "cursor": after})
            entries += page["items"]
            if not (after := page.get("next_cursor") or ""):
                break
        chunks = [entry["facts"]["bytes"] for entry in entries if entry["kind"] == "chunk"]
        assert sum(chunks) >= seen
        assert "unfinished" in [entry["kind"] for entry in entries]


def test_digest_of_chunks_is_that_of_what_the_client_has(documents_database: Database) -> None:
    """The first chunk's digest is over the first bytes that the client received of the reply."""
    with Gateway(policy='rules: [{name: all, match: {verb: "*"}, allow: true}]') as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        with gateway.login("reader").wire(timeout=30) as client:
            client.query("SELECT 1")
            before = len(client.received)
            client.query("SELECT id, payload FROM events ORDER BY id")
            received = bytes(client.received)[before:]
            session = gateway.live("reader")[0]["id"]
        chunks = [entry["facts"] for entry in gateway.replay(session) if entry["kind"] == "chunk"]
        assert len(chunks) > 1
        at = 0
        for chunk in chunks:
            part = received[at : at + chunk["bytes"]]
            assert hashlib.sha256(part).hexdigest() == chunk["digest"]
            at += chunk["bytes"]
