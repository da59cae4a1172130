"""A second person decides: hold and approve, reject, approve later, and what an approval does not fit."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from harness import documents, wire
from harness.gateway import Gateway, Login, wait_until
from harness.wire import Client, Exchange

POLICY = (
    documents.MEMBERS
    + """
  - name: bulk
    match: {collection: public.docs, verb: [scroll, search], records: {over: 50}}
    review: {by: ["group:approvers"], approvals: 1, uses: 1, valid_for: 30m, hold: 30s}
  - name: notes-need-a-word
    match: {collection: public.notes, verb: scroll, records: {over: 10}}
    review: {by: ["group:approvers"], approvals: 1, uses: 2, valid_for: 30m}
  - name: events-need-two
    match: {collection: public.events, verb: [scroll, search], records: {over: 10}}
    review: {by: ["group:approvers"], approvals: 2, uses: 1}
"""
)

HOOK_KEY = "a key that both sides know"


class Hook:
    """Where the gateway announces reviews: keeps bodies and headers."""

    def __init__(self) -> None:
        self.seen: list[tuple[bytes, dict]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.seen.append((body, dict(self.headers)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


@pytest.fixture(scope="module")
def gateway(hook: Hook, documents_database: object) -> Iterator[Gateway]:
    os.environ["ITEST_HOOK_KEY"] = HOOK_KEY
    settings = {"webhook.url": hook.url, "webhook.secret": "env:ITEST_HOOK_KEY"}
    with Gateway(policy=POLICY, settings=settings) as running:
        running.add_connection("docs", documents_database, {"reader": "app"})
        yield running
    del os.environ["ITEST_HOOK_KEY"]


@pytest.fixture(scope="module")
def ben(gateway: Gateway) -> Login:
    """An approver."""
    return gateway.login("ben", groups=["approvers"])


@pytest.fixture(scope="module")
def cleo(gateway: Gateway) -> Login:
    """A second approver, who also works with the data."""
    return gateway.login("cleo", groups=["approvers", "members"])


@pytest.fixture
def client(ana: Login) -> Iterator[Client]:
    with ana.wire(timeout=45) as connected:
        yield connected


def pending(gateway: Gateway, approver: Login) -> list[dict]:
    return gateway.cli_json("review", "list", "--state", "pending", token=approver.token)


def decide(gateway: Gateway, approver: Login, review: str, verdict: str = "approve") -> None:
    gateway.cli("review", verdict, review, "--comment", "seen", token=approver.token)


def named_review(reply: Exchange) -> str:
    """The id that an error or a notice names."""
    said = " ".join(str(fields) for fields in [*reply.errors, *reply.notices])
    found = re.search(r"review (?:approve )?(\S+?)[\s):;,]", said + " ")
    assert found, said
    return found[1]


# -- hold ------------------------------------------------------------------------------------------------------


def test_hold_and_approve(gateway: Gateway, client: Client, ben: Login, hook: Hook) -> None:
    """The client waits, a NOTICE tells for what; after the approval its reply comes as if nothing had been."""
    client.send(b"Q", wire.text("SELECT id FROM docs ORDER BY id LIMIT 60"))
    told = client.read_until(b"N")
    review = named_review(told)
    assert f"sluice review approve {review}" in told.notices[0].hint
    (live,) = [session for session in gateway.live("ana") if session["state"] == "in review"]
    assert live["review"] == review
    shown = gateway.cli_json("review", "show", review, token=ben.token)
    assert (shown["principal"], shown["connection"], shown["rule"]) == ("ana", "docs", "bulk")
    assert "FROM docs" in shown["statement"]
    assert shown["max_records"] == 60
    assert shown["estimated_records"] == 60, "what it says itself"
    decide(gateway, ben, review)
    rest = client.read_until(b"Z")
    assert len(rest.rows) == 60
    assert rest.errors == []
    assert gateway.cli_json("review", "show", review, token=ben.token)["state"] == "used"

    def told() -> list[tuple[bytes, dict]]:
        return [(body, headers) for body, headers in hook.seen if json.loads(body)["review"]["id"] == review]

    wait_until(lambda: len(told()) >= 2, "the hook is told that it is asked for, and that it is given")
    assert [json.loads(body)["event"] for body, _ in told()][:2] == ["review.pending", "review.approved"]
    for body, headers in told():
        at, signature = re.fullmatch(r"t=(\d+),v1=([0-9a-f]+)", headers["Sluice-Signature"]).groups()
        assert hmac.new(HOOK_KEY.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest() == signature


def test_hold_and_reject(gateway: Gateway, client: Client, ben: Login) -> None:
    client.send(b"Q", wire.text("SELECT id FROM docs ORDER BY id LIMIT 61"))
    review = named_review(client.read_until(b"N"))
    decide(gateway, ben, review, "reject")
    rest = client.read_until(b"Z")
    assert rest.rows == []
    assert rest.error.sqlstate == "42501"
    assert review in str(rest.error)
    assert rest.status == "I"
    assert client.query("SELECT 1").rows == [[b"1"]]


def test_hold_in_the_extended_protocol(gateway: Gateway, client: Client, ben: Login) -> None:
    client.send_all(
        wire.parse("SELECT id FROM docs ORDER BY id LIMIT $1"), wire.bind([b"62"]), wire.execute(), wire.SYNC
    )
    review = named_review(client.read_until(b"N"))
    decide(gateway, ben, review)
    rest = client.read_until(b"Z")
    assert len(rest.rows) == 62
    assert rest.errors == []


def test_reply_without_limit_waits_at_its_bound(gateway: Gateway, client: Client, ben: Login, hook: Hook) -> None:
    """Nobody knew beforehand: fifty records come, then the notice, and the rest after the approval, each once."""
    client.send(b"Q", wire.text("SELECT id FROM docs ORDER BY id"))
    begun = client.read_until(b"N")
    assert len(begun.rows) <= 50
    review = named_review(begun)
    shown = gateway.cli_json("review", "show", review, token=ben.token)
    assert (shown["max_records"], shown["estimated_records"]) == (None, 500), "by the database's statistics"
    wait_until(lambda: [b for b, _ in hook.seen if json.loads(b)["review"]["id"] == review], "the hook is told")
    (body,) = [json.loads(b)["review"] for b, _ in hook.seen if json.loads(b)["review"]["id"] == review]
    assert (body["max_records"], body["estimated_records"]) == (None, 500)
    decide(gateway, ben, review)
    rest = client.read_until(b"Z")
    assert rest.errors == []
    assert [int(row[0]) for row in begun.rows + rest.rows] == list(range(1, 501))


def test_cancel_while_held(gateway: Gateway, client: Client) -> None:
    """The client need not wait it out."""
    client.send(b"Q", wire.text("SELECT id FROM docs ORDER BY id LIMIT 63"))
    client.read_until(b"N")
    client.cancel()
    rest = client.read_until(b"Z")
    assert rest.error.sqlstate == "57014"
    assert client.query("SELECT 1").rows == [[b"1"]]


def test_client_that_leaves_while_held(gateway: Gateway, ana: Login) -> None:
    """Its session ends; the review stays for when it comes back."""
    with ana.wire() as client:
        client.send(b"Q", wire.text("SELECT id FROM docs ORDER BY id LIMIT 64"))
        client.read_until(b"N")
        client.abort()
    wait_until(lambda: not [s for s in gateway.live("ana") if s["state"] == "in review"], "the session has ended")


# -- without hold ----------------------------------------------------------------------------------------------


def test_approve_later_and_send_again(gateway: Gateway, client: Client, ben: Login) -> None:
    """An error that names the review; after the approval the same statement passes, as often as the rule says."""
    sql = "SELECT id, text FROM notes ORDER BY id LIMIT 15"
    reply = client.query(sql)
    assert reply.error.sqlstate == "42501"
    review = named_review(reply)
    assert f"sluice review approve {review}" in reply.error.hint
    assert named_review(client.query(sql)) == review  # asking again opens no second one
    decide(gateway, ben, review)
    assert len(client.query(sql).rows) == 15
    assert gateway.cli_json("review", "show", review, token=ben.token)["uses_left"] == 1
    assert len(client.query(sql).rows) == 15
    spent = client.query(sql)
    assert spent.error.sqlstate == "42501"
    assert named_review(spent) != review


def test_approval_is_used_from_another_session(gateway: Gateway, ana: Login, ben: Login) -> None:
    """It is the principal's, not the session's."""
    sql = "SELECT id FROM notes ORDER BY id LIMIT 14"
    with ana.wire() as first:
        review = named_review(first.query(sql))
    decide(gateway, ben, review)
    with ana.wire() as second:
        assert len(second.query(sql).rows) == 14


def test_approval_does_not_fit_another_statement(gateway: Gateway, client: Client, ben: Login) -> None:
    """Another limit, another column, another order, another filter: each would need an approval of its own."""
    sql = "SELECT id FROM notes ORDER BY id LIMIT 12"
    decide(gateway, ben, named_review(client.query(sql)))
    for other in (
        "SELECT id FROM notes ORDER BY id LIMIT 13",
        "SELECT id, text FROM notes ORDER BY id LIMIT 12",
        "SELECT id FROM notes ORDER BY text LIMIT 12",
        "SELECT id FROM notes WHERE id > 1 ORDER BY id LIMIT 12",
        "SELECT id FROM notes ORDER BY id OFFSET 1 LIMIT 12",
    ):
        refused = client.query(other)
        assert refused.error.sqlstate == "42501", other
        assert refused.rows == []
    assert len(client.query(sql).rows) == 12


def test_approval_does_not_fit_other_parameters(gateway: Gateway, client: Client, ben: Login) -> None:
    sql = "SELECT id FROM notes WHERE id > $1 ORDER BY id LIMIT 11"
    review = named_review(client.extended(sql, [b"3"]))
    decide(gateway, ben, review)
    assert client.extended(sql, [b"2"]).error.sqlstate == "42501"
    assert len(client.extended(sql, [b"3"]).rows) == 11


def test_approval_does_not_fit_another_person(gateway: Gateway, ana: Login, cleo: Login, ben: Login) -> None:
    sql = "SELECT text FROM notes ORDER BY id LIMIT 16"
    with ana.wire() as hers, cleo.wire() as other:
        review = named_review(hers.query(sql))
        decide(gateway, ben, review)
        assert other.query(sql).error.sqlstate == "42501"
        assert len(hers.query(sql).rows) == 16


def test_approval_does_not_fit_another_table_of_that_name(
    gateway: Gateway, client: Client, ben: Login, documents_database: object
) -> None:
    """The objects that names resolved to are part of what was approved."""
    with documents_database.connect() as direct:
        direct.execute("CREATE SCHEMA IF NOT EXISTS other; GRANT USAGE ON SCHEMA other TO app")
        direct.execute("CREATE TABLE IF NOT EXISTS other.notes AS SELECT * FROM public.notes")
        direct.execute("GRANT SELECT ON other.notes TO app")
    sql = "SELECT id FROM notes ORDER BY id LIMIT 17"
    review = named_review(client.query(sql))
    decide(gateway, ben, review)
    client.query("SET search_path TO other, public")
    elsewhere = client.query(sql)
    assert "review" not in gateway.operations(principal="ana")[0] or elsewhere.error
    client.query("RESET search_path")
    assert len(client.query(sql).rows) == 17


# -- who -------------------------------------------------------------------------------------------------------


def test_requester_cannot_approve(gateway: Gateway, cleo: Login, ben: Login) -> None:
    """Not even one who is an approver."""
    with cleo.wire() as client:
        review = named_review(client.query("SELECT id FROM notes ORDER BY id LIMIT 18"))
    done = gateway.run("review", "approve", review, token=cleo.token)
    assert done.returncode == 4, done.stderr
    assert gateway.cli_json("review", "show", review, token=ben.token)["state"] == "pending"


def test_who_is_not_named_cannot_approve(gateway: Gateway, client: Client, ben: Login) -> None:
    """Nor see it: for others a review does not exist. The administrator sees, and cannot approve either."""
    review = named_review(client.query("SELECT id FROM notes ORDER BY id LIMIT 19"))
    dan = gateway.login("dan")
    assert gateway.run("review", "show", review, token=dan.token).returncode == 5
    assert gateway.run("review", "approve", review, token=dan.token).returncode in (4, 5)
    assert gateway.run("review", "approve", review).returncode == 4
    assert gateway.cli_json("review", "show", review, token=ben.token)["state"] == "pending"


def test_two_approvals_are_two_people(gateway: Gateway, ana: Login, ben: Login, cleo: Login) -> None:
    sql = "SELECT id FROM events ORDER BY id LIMIT 20"
    with ana.wire() as client:
        review = named_review(client.query(sql))
        decide(gateway, ben, review)
        again = gateway.run("review", "approve", review, token=ben.token)
        assert again.returncode != 0
        assert client.query(sql).error.sqlstate == "42501"
        decide(gateway, cleo, review)
        assert len(client.query(sql).rows) == 20


def test_rejected_for_good(gateway: Gateway, client: Client, ben: Login) -> None:
    sql = "SELECT id FROM events ORDER BY id LIMIT 21"
    review = named_review(client.query(sql))
    decide(gateway, ben, review, "reject")
    assert gateway.run("review", "approve", review, token=ben.token).returncode != 0
    assert client.query(sql).rows == []


# -- transactions ----------------------------------------------------------------------------------------------


def test_no_hold_after_a_write(gateway: Gateway, client: Client) -> None:
    """A transaction that has written holds locks: it gets the error at once."""
    client.query("BEGIN; UPDATE notes SET text = text WHERE id = 1")
    reply = client.query("SELECT id FROM docs ORDER BY id LIMIT 65")
    assert reply.error.sqlstate == "42501"
    assert reply.notices == []
    assert reply.status == "E"
    assert client.query("ROLLBACK").status == "I"


def test_hold_inside_a_transaction_that_has_only_read(gateway: Gateway, client: Client, ben: Login) -> None:
    client.query("BEGIN; SELECT 1")
    client.send(b"Q", wire.text("SELECT id FROM docs ORDER BY id LIMIT 66"))
    review = named_review(client.read_until(b"N"))
    decide(gateway, ben, review)
    rest = client.read_until(b"Z")
    assert len(rest.rows) == 66
    assert rest.status == "T"


def test_reviews_survive_a_restart(gateway: Gateway, ana: Login, ben: Login) -> None:
    """Approved before, used after."""
    sql = "SELECT text, id FROM notes ORDER BY id LIMIT 12"
    with ana.wire() as client:
        review = named_review(client.query(sql))
    decide(gateway, ben, review)
    gateway.end()
    gateway.start()
    with ana.wire() as client:
        assert len(client.query(sql).rows) == 12


def test_every_step_is_in_the_record(gateway: Gateway, ana: Login, ben: Login) -> None:
    """Asked for, used: both are entries of the session; the operation names the review that let it pass."""
    sql = "SELECT text FROM notes ORDER BY id DESC LIMIT 13"
    with ana.wire() as client:
        review = named_review(client.query(sql))
        decide(gateway, ben, review)
        client.query(sql)
        session = gateway.live("ana")[0]["id"]
    entries = gateway.replay(session)
    kinds = [(entry["kind"], entry["facts"].get("review")) for entry in entries]
    assert ("review_requested", review) in kinds
    (used,) = [entry["facts"] for entry in entries if entry["kind"] == "review_used"]
    left = gateway.cli_json("review", "show", review, token=ben.token)["uses_left"]
    assert (used["review"], used["uses_left"]) == (review, left) == (review, 1)
    (refused,) = [entry["facts"] for entry in entries if entry["kind"] == "denial"]
    assert (refused["reason"], refused["verb"]) == ("review_required", "scroll")
    assert gateway.operations(principal="ana", decision="review", text="DESC")
    votes = gateway.ask("GET", "/api/v1/record/events", params={"kind": "review_decided"})["items"]
    (vote,) = [event["facts"] for event in votes if event["facts"]["review"] == review]
    assert (vote["approver"], vote["verdict"], vote["final"]) == ("ben", "approved", True)
    assert gateway.operations(principal="ana", decision="permit", text="DESC")[0]["review"] == review
