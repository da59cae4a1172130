"""Policy is live: a saved file holds for open sessions within a second, in the middle of a result too."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from harness import documents, wire
from harness.gateway import Gateway, Login, wait_until

OPEN = documents.EVERYTHING

NO_EVENTS = (
    OPEN
    + """
  - name: no-events
    match: {collection: public.events}
    deny: Events are closed for today.
"""
)

MASKED = (
    OPEN
    + """
  - name: hide-mail
    match: {collection: public.docs}
    mask: [{fields: [email], with: redact}]
"""
)

POLICY = OPEN


@pytest.fixture(autouse=True)
def back_to_open(gateway: Gateway) -> Iterator[None]:
    yield
    if (gateway.policy_folder / "10-test.yaml").read_text() != OPEN or len(list(gateway.policy_folder.glob("*.yaml"))) > 1:
        gateway.load_policy(OPEN)


def test_open_session_gets_the_new_policy(gateway: Gateway, ana: Login) -> None:
    with ana.wire() as client:
        assert client.query("SELECT id FROM events WHERE id = 1").rows == [[b"1"]]
        gateway.load_policy(NO_EVENTS)
        assert client.query("SELECT id FROM events WHERE id = 1").error.message.endswith("Events are closed for today.")
        assert client.query("SELECT id FROM docs WHERE id = 1").rows == [[b"1"]]
        gateway.load_policy(OPEN)
        assert client.query("SELECT id FROM events WHERE id = 1").rows == [[b"1"]]


def test_change_takes_effect_without_a_restart_or_a_command(gateway: Gateway, ana: Login) -> None:
    """Saving the file is enough. (The bound is generous: this is no benchmark.)"""
    with ana.wire() as client:
        gateway.write_policy(NO_EVENTS)
        began = time.monotonic()
        wait_until(lambda: client.query("SELECT id FROM events WHERE id = 1").error, "it is denied", timeout=10)
        assert time.monotonic() - began < 5


def test_reload_by_command(gateway: Gateway, ana: Login) -> None:
    gateway.write_policy(NO_EVENTS)
    gateway.cli("policy", "reload")
    with ana.wire() as client:
        assert client.query("SELECT id FROM events WHERE id = 1").error.sqlstate == "42501"


def test_prepared_statement_is_decided_again(gateway: Gateway, ana: Login) -> None:
    """Prepared while it was allowed, refused when executed after the change, and allowed again after the next."""
    with ana.wire() as client:
        client.exchange(wire.parse("SELECT id FROM events WHERE id = $1", "s", [23]))
        run = (wire.bind([b"5"], statement="s"), wire.execute())
        assert client.exchange(*run).rows == [[b"5"]]
        gateway.load_policy(NO_EVENTS)
        refused = client.exchange(*run)
        assert refused.rows == []
        assert refused.error.sqlstate == "42501"
        gateway.load_policy(OPEN)
        assert client.exchange(*run).rows == [[b"5"]]


def test_prepared_statement_is_masked_after_the_change(gateway: Gateway, ana: Login) -> None:
    """What was prepared without masks is prepared anew with them, and the client notices only the values."""
    with ana.wire() as client:
        client.exchange(wire.parse("SELECT email FROM docs WHERE id = $1", "s", [23]))
        run = (wire.bind([b"5"], statement="s"), wire.describe(b"P"), wire.execute())
        assert client.exchange(*run).rows == [[b"person5@corp.example"]]
        gateway.load_policy(MASKED)
        masked = client.exchange(*run)
        assert masked.errors == []
        assert len(masked.rows) == 1
        assert b"person5" not in masked.bytes
        assert b"corp.example" not in masked.bytes


def test_open_cursor_does_not_outlive_a_mask(gateway: Gateway, ana: Login) -> None:
    """A cursor was opened on bare values: after the change it shows no more of them."""
    with ana.wire() as client:
        client.query("BEGIN; DECLARE c CURSOR FOR SELECT email FROM docs ORDER BY id")
        assert client.query("FETCH 1 FROM c").rows == [[b"person1@corp.example"]]
        gateway.load_policy(MASKED)
        after = client.query("FETCH 1 FROM c")
        assert after.error
        assert b"corp.example" not in after.bytes


def test_suspended_portal_does_not_outlive_a_mask(gateway: Gateway, ana: Login) -> None:
    with ana.wire() as client:
        client.query("BEGIN")
        first = client.exchange(
            wire.parse("SELECT email FROM docs ORDER BY id"), wire.bind(portal="p"), wire.execute("p", max_rows=1)
        )
        assert first.rows == [[b"person1@corp.example"]]
        gateway.load_policy(MASKED)
        after = client.exchange(wire.execute("p", max_rows=1))
        assert after.error
        assert b"corp.example" not in after.bytes


def test_result_on_its_way_is_cut(gateway: Gateway, ana: Login, documents_database: object) -> None:
    """A reply that would take minutes ends soon after the rule that allowed it has gone, and so does its query upstream."""
    with ana.wire(timeout=40) as client:
        client.send(b"Q", wire.text("SELECT id, linger(0.02), payload FROM events ORDER BY id"))
        client.read_until(b"D")
        gateway.load_policy(NO_EVENTS)
        rest = client.read_until(b"Z")
        assert rest.error or rest.closed
        assert len(rest.rows) < 4000

        def nothing_runs() -> bool:
            with documents_database.connect() as direct:
                return direct.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE usename = 'app' AND state = 'active' AND datname = current_database()"
                ).fetchone() == (0,)

        wait_until(nothing_runs, "the query upstream has been cancelled")


def test_a_bad_file_keeps_the_old_policy(gateway: Gateway, ana: Login) -> None:
    """It is named with line and column in the API, and nothing changes for clients; the good file then loads."""
    before = gateway.ask("GET", "/api/v1/policy")
    bad = NO_EVENTS.replace("verb:", "verbs:")
    gateway.write_policy(bad)
    problems = wait_until(lambda: gateway.ask("GET", "/api/v1/policy")["problems"], "the mistake is noticed")
    assert next((p["file"], p["line"] > 0, p["column"] > 0, p["severity"]) for p in problems) == (
        "10-test.yaml",
        True,
        True,
        "error",
    )
    after = gateway.ask("GET", "/api/v1/policy")
    assert (after["digest"], after["version"]) == (before["digest"], before["version"])
    assert gateway.api("GET", "/readyz").ok
    with ana.wire() as client:
        assert client.query("SELECT id FROM events WHERE id = 1").rows == [[b"1"]]
    checked = gateway.run("policy", "check", str(gateway.policy_folder))
    assert checked.returncode == 1
    assert "10-test.yaml:" in checked.stderr
    refused = gateway.run("policy", "reload")
    assert refused.returncode != 0
    gateway.load_policy(NO_EVENTS)
    assert gateway.ask("GET", "/api/v1/policy")["problems"] == []


def test_a_second_bad_file_spoils_the_whole(gateway: Gateway, ana: Login) -> None:
    """Files make one policy: a good one is not loaded beside a bad one."""
    gateway.write_policy({"10-test.yaml": NO_EVENTS, "20-more.yaml": "rules: [{name: x}]"})
    wait_until(lambda: gateway.ask("GET", "/api/v1/policy")["problems"], "the mistake is noticed")
    with ana.wire() as client:
        assert client.query("SELECT id FROM events WHERE id = 1").rows == [[b"1"]]


def test_shadow_rules_only_write_down(gateway: Gateway, ana: Login) -> None:
    """A shadow deny changes nothing for the client; the record says what it would have done."""
    gateway.load_policy(NO_EVENTS.replace("today.", "today.\n    shadow: true"))
    with ana.wire() as client:
        assert client.query("SELECT id FROM events WHERE id = 1").rows == [[b"1"]]
        session = gateway.live("ana")[0]["id"]
    intents = [entry for entry in gateway.replay(session) if entry["kind"] == "intent"]
    assert any("no-events" in said for entry in intents for said in entry["facts"].get("shadow", []))


def test_hits_of_rules(gateway: Gateway, ana: Login) -> None:
    """Every decision counts for each rule that took part, since the policy was loaded."""

    def hits() -> dict[str, int]:
        return {rule["name"]: rule["hits"] for rule in gateway.ask("GET", "/api/v1/policy")["rules"]}

    gateway.load_policy(NO_EVENTS)
    assert hits() == {"everything": 0, "no-events": 0}
    with ana.wire() as client:
        client.query("SELECT 'hit' WHERE false")
        before = hits()
        assert client.query("SELECT id FROM events WHERE id = 1").error
    after = hits()
    assert before["everything"] > 0
    assert (before["no-events"], after["no-events"]) == (0, 1)
    assert after["everything"] == before["everything"] + 1


def test_the_api_shows_what_is_in_force(gateway: Gateway) -> None:
    before = gateway.ask("GET", "/api/v1/policy")
    gateway.load_policy(NO_EVENTS)
    after = gateway.ask("GET", "/api/v1/policy")
    assert after["version"] > before["version"]
    assert [rule["name"] for rule in after["rules"]] == ["everything", "no-events"]
