"""The record: every step is in it, it can be searched and replayed, a session proves itself, and altering it shows."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from pathlib import Path

import pytest
from harness import documents, wire
from harness.gateway import Gateway, Login, wait_until
from harness.postgres import Database

POLICY = (
    documents.MEMBERS
    + """
  - name: hide-mail
    match: {collection: public.docs}
    mask: [{fields: [email], with: redact}]
"""
)

SETTINGS = {"record.sample_records": 5}


def session_of(gateway: Gateway, login: Login, client: wire.Client, marker: str) -> str:
    """The id of the session that this client is."""
    assert client.query(f"SELECT '{marker}'").rows == [[marker.encode()]]
    return gateway.operations(principal=login.principal, text=marker)[0]["session"]


def facts_of(entries: list[dict], kind: str) -> list[dict]:
    return [entry["facts"] for entry in entries if entry["kind"] == kind]


# -- what is in it ---------------------------------------------------------------------------------------------


def test_a_session_from_start_to_end(gateway: Gateway, ana: Login) -> None:
    """Start, intent, outcome and end are there in this order, with who, whence, what, how decided and what came of it."""
    with ana.wire(parameters={"application_name": "notebook"}) as client:
        session = session_of(gateway, ana, client, "m-start")
        client.query("SELECT id, email FROM docs ORDER BY id LIMIT 3")
    wait_until(lambda: facts_of(gateway.replay(session), "session_end"), "the session to end")
    gateway_entries = gateway.replay(session)
    (start,) = facts_of(gateway_entries, "session_start")
    assert {key: start[key] for key in ("principal", "kind", "groups", "connection", "role", "upstream_user")} == {
        "principal": "ana",
        "kind": "human",
        "groups": ["members"],
        "connection": "docs",
        "role": "reader",
        "upstream_user": "app",
    }
    assert start["tls"] is True
    assert start["client"].startswith("127.0.0.1:")
    assert start["client_name"] == "notebook"
    assert start["token_id"] in ana.token
    intents, outcomes = facts_of(gateway_entries, "intent"), facts_of(gateway_entries, "outcome")
    assert len(intents) == len(outcomes)
    intent, outcome = intents[-1], outcomes[-1]
    assert (intent["verb"], intent["effect"]) == ("scroll", "permit")
    assert [use["name"] for use in intent["collections"]] == ["public.docs"]
    assert "members-do" in intent["rules"]
    assert {"collection": "public.docs", "field": "email", "mask": "redact", "rule": "hide-mail"} in intent["masks"] or [
        mask for mask in intent["masks"] if mask["field"] == "email"
    ]
    assert (outcome["status"], outcome["records"]) == ("ok", 3)
    assert facts_of(gateway_entries, "session_end")[0]["reason"] == "client_closed"
    kinds = [entry["kind"] for entry in gateway_entries]
    assert kinds.index("session_start") < kinds.index("intent") < kinds.index("outcome") < kinds.index("session_end")


def test_digest_of_the_reply_is_that_of_the_bytes(gateway: Gateway, ana: Login) -> None:
    """What was recorded is what the client received: the digest over the statement's own messages agrees."""
    with ana.wire() as client:
        session = session_of(gateway, ana, client, "m-digest")
        reply = client.query("SELECT id, title FROM docs ORDER BY id LIMIT 3")
    outcome = facts_of(gateway.replay(session), "outcome")[-1]
    sent = b"".join(message.bytes for message in reply if message.type != b"Z")
    assert outcome["bytes"] == len(sent)
    assert outcome["reply_digest"] == hashlib.sha256(sent).hexdigest()


def test_masked_rows_are_recorded_masked_and_bounded(gateway: Gateway, ana: Login) -> None:
    """Five rows of ten are kept, the rest counted and marked; the masked value stands nowhere in the record."""
    with ana.wire() as client:
        session = session_of(gateway, ana, client, "m-sample")
        reply = client.query("SELECT id, email FROM docs ORDER BY id LIMIT 10")
    outcome = facts_of(gateway.replay(session), "outcome")[-1]
    assert (outcome["rows_recorded"], outcome["rows_seen"], outcome["rows_kept"]) == ("partial", 10, 5)
    (result,) = outcome["rows"]
    assert result["columns"] == ["id", "email"]
    assert [row[0] for row in result["rows"]] == ["1", "2", "3", "4", "5"]
    assert result["rows"][0][1] == reply.rows[0][1].decode() != "person1@corp.example"
    everything = b"".join(path.read_bytes() for path in (gateway.data / "record").rglob("*") if path.is_file())
    assert b"person1@corp.example" not in everything


def test_ids_of_the_records_are_recorded(gateway: Gateway, ana: Login) -> None:
    """By the primary key, of the relation that each column came from."""
    with ana.wire() as client:
        session = session_of(gateway, ana, client, "m-ids")
        client.query("SELECT id, title FROM docs WHERE id IN (17, 230) ORDER BY id")
    outcome = facts_of(gateway.replay(session), "outcome")[-1]
    assert outcome["ids"] == "complete"
    assert outcome["record_ids"] == [
        {"collection": "public.docs", "id": "17"},
        {"collection": "public.docs", "id": "230"},
    ]


def test_ids_without_the_key_column(gateway: Gateway, ana: Login) -> None:
    """The client did not ask for the key, and gets no further column; the record knows all the same who it was about."""
    with ana.wire() as client:
        session = session_of(gateway, ana, client, "m-hidden-key")
        reply = client.query("SELECT title FROM docs WHERE id IN (18, 231) ORDER BY title")
    assert [column.name for column in reply.columns] == ["title"]
    outcome = facts_of(gateway.replay(session), "outcome")[-1]
    assert outcome["ids"] == "complete"
    assert [found["id"] for found in outcome["record_ids"]] == ["18", "231"]


def test_parameters_are_recorded_and_vectors_only_as_digest(gateway: Gateway, ana: Login) -> None:
    """A query vector can be turned back into text: it is kept as digest and dimension, as a parameter and in the text."""
    vector = b"[7.125,0.5,7.25,1.75]"
    with ana.wire() as client:
        session = session_of(gateway, ana, client, "m-params")
        client.extended("SELECT id FROM notes WHERE text = $1", [b"note 9"])
        client.extended("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 2", [vector])
        client.query("SELECT id FROM docs ORDER BY embedding <-> '[7.125,0.5,7.25,1.75]' LIMIT 2")
    entries = gateway.replay(session)
    params = [facts["params"] for facts in facts_of(entries, "intent") if "params" in facts]
    assert ["note 9"] in params
    assert any(p[0].get("vector") == 4 for p in params if isinstance(p[0], dict))
    searches = [facts["searches"] for facts in facts_of(entries, "intent") if "searches" in facts]
    assert all(s[0]["metric"] == "l2" and s[0]["field"] == "embedding" for s in searches)
    assert len(searches) == 2
    assert "7.125" not in json.dumps(entries)


def test_literals_of_masked_columns_are_not_recorded(gateway: Gateway, ana: Login) -> None:
    with ana.wire() as client:
        session = session_of(gateway, ana, client, "m-literal")
        client.query("SELECT id FROM docs WHERE email = 'hidden.person@corp.example'")
        client.extended("SELECT id FROM docs WHERE email = $1", [b"hidden.other@corp.example"])
    said = json.dumps(gateway.replay(session))
    assert "hidden.person" not in said
    assert "hidden.other" not in said


def test_failed_and_refused_operations_are_recorded(gateway: Gateway, ana: Login) -> None:
    with ana.wire() as client:
        session = session_of(gateway, ana, client, "m-failed")
        client.query("SELECT 1/0 AS nothing")
        client.query("DROP TABLE docs")
        client.query("SELEC nonsense")
    entries = gateway.replay(session)
    assert ("upstream_error", "22012") in [(f["status"], f.get("error_class")) for f in facts_of(entries, "outcome")]
    denials = facts_of(entries, "denial")
    assert {"no_rule", "not_understood"} <= {denial["reason"] for denial in denials}
    assert any("nonsense" in denial.get("request", "") for denial in denials)


def test_each_execution_has_an_entry_of_its_own(gateway: Gateway, ana: Login) -> None:
    with ana.wire() as client:
        session = session_of(gateway, ana, client, "m-each")
        client.exchange(wire.parse("SELECT id FROM docs WHERE id = $1", "s", [23]))
        for number in (1, 2, 3):
            client.exchange(wire.bind([struct.pack("!i", number)], statement="s", formats=[1]), wire.execute())
    entries = gateway.replay(session)
    outcomes = facts_of(entries, "outcome")[-3:]
    assert [outcome["record_ids"][0]["id"] for outcome in outcomes] == ["1", "2", "3"]


def test_a_large_result_is_recorded_part_by_part(gateway: Gateway, ana: Login) -> None:
    """Chunks add up to the outcome, and cover all bytes."""
    with ana.wire(timeout=60) as client:
        session = session_of(gateway, ana, client, "m-large")
        reply = client.query("SELECT id, payload FROM events")
    entries = gateway.replay(session)
    last = entries[-2]["operation"]
    chunks = [entry["facts"] for entry in entries if entry["kind"] == "chunk" and entry["operation"] == last]
    outcome = facts_of(entries, "outcome")[-1]
    assert outcome["records"] == 5000
    assert len(chunks) > 1
    assert sum(chunk["records"] for chunk in chunks) == 5000
    assert sum(chunk["bytes"] for chunk in chunks) == outcome["bytes"]
    sent = b"".join(message.bytes for message in reply if message.type != b"Z")
    assert outcome["bytes"] == len(sent)


def test_masked_values_are_counted(gateway: Gateway, ana: Login) -> None:
    """Of each record, the masked columns that the reply asks for; those that are only compared are not values that leave."""
    with ana.wire() as client:
        session = session_of(gateway, ana, client, "m-masked")
        client.query("SELECT id, email FROM docs ORDER BY id LIMIT 7")
        client.query("SELECT * FROM docs ORDER BY id LIMIT 3")
        client.query("SELECT id FROM docs ORDER BY id LIMIT 4")
        client.query("SELECT count(*) FROM docs WHERE email = 'x'")
    outcomes = facts_of(gateway.replay(session), "outcome")
    assert [outcome.get("masked", 0) for outcome in outcomes[1:]] == [7, 3, 0, 0]


def test_session_end_counts_operations(gateway: Gateway, ana: Login) -> None:
    """Permitted and refused ones, each once: a statement that is prepared and then executed twice is two operations."""
    with ana.psycopg() as connection:
        connection.execute("SELECT 'm-count'")
        for _ in range(2):
            connection.execute("SELECT id FROM docs WHERE id = %s", [1], prepare=True)
        with pytest.raises(Exception, match="sluice"):
            connection.execute("DROP TABLE docs")
    session = gateway.operations(principal="ana", text="m-count")[0]["session"]
    wait_until(lambda: facts_of(gateway.replay(session), "session_end"), "the session to end")
    entries = gateway.replay(session)
    (end,) = facts_of(entries, "session_end")
    recorded = [entry for entry in entries if entry["kind"] in ("intent", "denial")]
    assert len(recorded) == 4
    assert end["operations"] == 4
    assert end["entries"] == sum("session" in entry for entry in entries)


def test_writes_record_what_they_affected(gateway: Gateway, ana: Login) -> None:
    with ana.wire() as client:
        session_of(gateway, ana, client, "m-write")
        client.query("BEGIN; UPDATE notes SET text = 'x' WHERE id <= 7; ROLLBACK")
        newest = gateway.operations(principal="ana", verb="write")[0]
    assert newest["records"] == 7
    assert newest["collections"] == ["public.notes"]


def test_copy_is_recorded(gateway: Gateway, ana: Login) -> None:
    with ana.wire() as client:
        client.query("BEGIN")
        client.copy_in("COPY notes (id, doc, text) FROM STDIN", [b"900\t1\tone\n901\t1\ttwo\n"])
        client.query("ROLLBACK")
    newest = gateway.operations(principal="ana", verb="write")[0]
    assert (newest["status"], newest["records"]) == ("ok", 2)


# -- finding ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told(gateway: Gateway) -> None:
    """Two people do different things."""
    with gateway.login("ida").wire() as client:
        client.query("SELECT id, title FROM docs WHERE id = 77")
        client.query(documents.KNN.format(3))
        client.query("SELECT count(*) FROM events")
    with gateway.login("jan").wire() as client:
        client.query("SELECT id, text FROM notes WHERE id = 7 AND text <> 'zebra'")
        client.query("DROP TABLE notes")


def test_search_by_principal(gateway: Gateway, told: None) -> None:
    assert {operation["principal"] for operation in gateway.operations(principal="ida")} == {"ida"}


def test_search_by_relation_and_verb(gateway: Gateway, told: None) -> None:
    assert {o["principal"] for o in gateway.operations(collection="public.notes", principal="jan")} == {"jan"}
    assert [o["verb"] for o in gateway.operations(principal="ida", verb="search")] == ["search"]
    assert [o["verb"] for o in gateway.operations(principal="ida", verb="count")] == ["count"]


def test_search_by_text(gateway: Gateway, told: None) -> None:
    assert [o["principal"] for o in gateway.operations(text="zebra")] == ["jan"]
    assert gateway.operations(text="zebra", principal="ida") == []


def test_search_by_record_id(gateway: Gateway, told: None) -> None:
    """Who has ever been sent document 77?"""
    found = gateway.operations(record_id="77", collection="public.docs")
    assert [operation["principal"] for operation in found] == ["ida"]
    assert gateway.operations(record_id="7777777") == []


def test_search_by_decision_connection_and_time(gateway: Gateway, told: None) -> None:
    (denied,) = gateway.operations(principal="jan", decision="deny")
    assert denied["verb"] == "schema"
    assert gateway.operations(principal="jan", connection="elsewhere") == []
    assert gateway.operations(principal="jan", to="2020-01-01T00:00:00Z") == []
    assert len(gateway.operations(principal="jan", **{"from": "2020-01-01T00:00:00Z"})) == 2


def test_answers_are_in_order_of_time_over_all_workers(gateway: Gateway, ana: Login) -> None:
    """Newest first, whichever worker's shard they stand in; sessions too."""
    for _ in range(12):
        with ana.wire() as client:
            client.query("SELECT 'm-order'")
    found = gateway.operations(principal="ana", text="m-order", limit="1000")
    assert len({operation["shard"] for operation in found}) > 1, "all sessions fell to one worker"
    for items, key in ((found, "time"), (gateway.cli_json("sessions", "list", "--limit", "1000"), "started")):
        times = [item[key] for item in items]
        assert times == sorted(times, reverse=True)
    table = gateway.cli("sessions", "search", "--text", "m-order").splitlines()[1:]
    assert table == sorted(table, key=lambda line: line.split()[0], reverse=True)


def test_search_by_the_cli(gateway: Gateway, told: None) -> None:
    """The command line finds the same as the API."""
    found = gateway.cli_json("sessions", "search", "--principal", "ida", "--verb", "search")
    assert [operation["principal"] for operation in found] == ["ida"]
    table = gateway.cli("sessions", "search", "--principal", "jan", "--decision", "deny")
    assert "DROP TABLE notes" in table
    (session,) = gateway.cli_json("sessions", "list", "--principal", "jan")
    assert session["operations"] >= 2
    shown = gateway.cli_json("sessions", "show", session["id"])
    assert shown["principal"] == "jan"


def test_pages_of_a_search(gateway: Gateway, told: None) -> None:
    """Pages lead through everything, once each."""
    whole = [o["operation"] for o in gateway.operations(limit="1000")]
    paged: list[str] = []
    cursor = ""
    while True:
        page = gateway.ask("GET", "/api/v1/operations", params={"limit": "7", "cursor": cursor})
        paged += [o["operation"] for o in page["items"]]
        cursor = page.get("next_cursor") or ""
        if not cursor:
            break
    assert paged == whole
    assert len(set(paged)) == len(paged)


def test_index_is_made_anew_from_the_segments(gateway: Gateway, told: None) -> None:
    """The segments are the truth: without its index the gateway finds the same after a restart."""
    before = [o["operation"] for o in gateway.operations(principal="ida")]
    gateway.end()
    for file in gateway.data.glob("record-index.db*"):
        file.unlink()
    gateway.start()
    assert [o["operation"] for o in gateway.operations(principal="ida")] == before


# -- replay, export, verify --------------------------------------------------------------------------------------


def test_replay_by_the_cli(gateway: Gateway, told: None) -> None:
    """Prints every entry of the session in order, and runs nothing."""
    (session,) = gateway.cli_json("sessions", "list", "--principal", "jan")
    printed = gateway.cli("sessions", "replay", session["id"])
    assert printed.index("session_start") < printed.index("zebra") < printed.index("DROP TABLE notes")


def test_replay_escapes_what_a_terminal_would_obey(gateway: Gateway, ana: Login) -> None:
    with ana.wire() as client:
        session = session_of(gateway, ana, client, "m-escape")
        client.query("SELECT E'\x1b[2J' AS clear, 'x\u009b2J'")
    printed = gateway.cli("sessions", "replay", session)
    assert "\x1b" not in printed
    assert "\u009b" not in printed


def test_verify_says_intact(gateway: Gateway, told: None) -> None:
    """By the running gateway, and offline with nothing but folder and public key."""
    report = gateway.cli_json("record", "verify")
    assert report["intact"] is True
    assert report["entries"] > 20
    assert gateway.cli_json("record", "status")["writable"] is True
    gateway.end()
    offline = gateway.verify_offline()
    assert offline.returncode == 0, offline.stdout + offline.stderr
    gateway.start()


def test_one_altered_byte_shows(gateway: Gateway, told: None, tmp_path: Path) -> None:
    """In a copy, a name is changed in one place."""
    gateway.end()
    copy = tmp_path / "record"
    shutil.copytree(gateway.data / "record", copy)
    gateway.start()
    for path in sorted(copy.rglob("*")):
        if path.is_file() and b"zebra" in (content := path.read_bytes()):
            path.write_bytes(content.replace(b"zebra", b"zEbra", 1))
            break
    else:
        pytest.fail("no segment holds the statement")
    done = gateway.run("record", "verify", "--dir", str(copy), "--key", str(gateway.data / "keys" / "record.pub"))
    assert done.returncode == 20, done.stdout + done.stderr


def test_export_proves_itself(gateway: Gateway, told: None, tmp_path: Path) -> None:
    """A session's bundle holds its entries and what proves them, and goes to a file that only its owner reads."""
    (session,) = gateway.cli_json("sessions", "list", "--principal", "jan")
    file = tmp_path / "bundle.json"
    gateway.cli("sessions", "export", session["id"], "--file", str(file))
    assert file.stat().st_mode & 0o077 == 0
    assert "zebra" in file.read_text() or len(json.loads(file.read_text())) > 0


def test_an_exported_session_is_checked_by_the_cli(gateway: Gateway, told: None, tmp_path: Path) -> None:
    """With nothing but the file and the public key; another session's end or an altered entry shows."""
    (session,) = gateway.cli_json("sessions", "list", "--principal", "jan")
    file = tmp_path / "bundle.json"
    gateway.cli("sessions", "export", session["id"], "--file", str(file))
    key = ["--key", str(gateway.data / "keys" / "record.pub")]
    checked = gateway.run("record", "verify", "--bundle", str(file), "--events", *key)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "session_start" in checked.stdout
    assert checked.stdout.endswith("intact\n")
    lines = file.read_text().splitlines(keepends=True)
    entries = [number for number, line in enumerate(lines) if line.startswith('{"seq"')]
    without_end = [*lines[: entries[-1]], lines[entries[-1] + 1]]
    without_end[entries[-1] - 1] = without_end[entries[-1] - 1].replace("},", "}")
    file.write_text("".join(without_end))
    assert gateway.run("record", "verify", "--bundle", str(file), *key).returncode == 23
    line = lines[entries[2]]
    at = line.index('"entry":"') + 60  # somewhere inside
    altered = line[:at] + ("B" if line[at] == "A" else "A") + line[at + 1 :]
    file.write_text("".join([*lines[: entries[2]], altered, *lines[entries[2] + 1 :]]))
    assert gateway.run("record", "verify", "--bundle", str(file), *key).returncode == 20
    assert gateway.run("record", "verify", "--bundle", str(file)).returncode == 2


def test_sessions_of_a_gateway_that_had_more_workers(documents_database: Database, tmp_path: Path) -> None:
    """Their shards have no writer any more; they are replayed and exported all the same."""
    with Gateway(policy=POLICY) as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        for _ in range(30):  # on both workers
            with gateway.login("ana").wire() as client:
                client.query("SELECT id FROM docs WHERE id = 7")
        gateway.end()
        gateway.set("workers", 1)
        gateway.start()
        sessions = gateway.cli_json("sessions", "list", "--principal", "ana")
        assert {session["shard"] for session in sessions} == {1, 2}
        for session in sessions:
            file = tmp_path / f"{session['id']}.json"
            gateway.cli("sessions", "export", session["id"], "--file", str(file))
            key = ["--key", str(gateway.data / "keys" / "record.pub")]
            assert gateway.run("record", "verify", "--bundle", str(file), *key).returncode == 0


def test_status_of_each_shard(gateway: Gateway, told: None) -> None:
    """The control plane's and one for each worker; what is signed has a root."""
    status = gateway.cli_json("record", "status")
    assert [shard["shard"] for shard in status["shards"]] == [0, 1, 2]
    assert sum(shard["entries"] for shard in status["shards"]) == status["entries"]
    assert all(shard["signed_root"] for shard in status["shards"] if shard["signed_entries"])
    assert any(shard["signed_entries"] for shard in status["shards"])


def test_what_the_gateway_itself_did(gateway: Gateway) -> None:
    """Tokens are events of their own kind, with who and whose; policies too. Newest first, over pages, by the CLI."""
    gateway.add_principal("temp", [])
    token = gateway.ask("POST", "/api/v1/tokens", json={"principal": "temp", "label": "laptop"})
    gateway.cli("token", "revoke", token["id"])
    (issued,) = [e for e in events(gateway, "token_issued") if e["facts"]["token_id"] == token["id"]]
    assert (issued["facts"]["principal"], issued["facts"]["actor"]) == ("temp", "admin")
    assert issued["facts"]["expires"] == token["expires"]
    newest = events(gateway, "token_revoked")[0]
    assert (newest["facts"]["token_id"], newest["facts"]["reason"]) == (token["id"], "laptop")
    assert events(gateway, "policy_loaded")
    everything = events(gateway, "")
    assert [e["seq"] for e in everything] == list(range(everything[0]["seq"], -1, -1))
    assert "token_revoked" in gateway.cli("record", "events", "--kind", "token_revoked", "--limit", "1")
    assert gateway.run("record", "events", "--kind", "nonsense").returncode == 2
    assert token["token"] not in str(everything)


def events(gateway: Gateway, kind: str) -> list[dict]:
    """All of a kind, or all, over pages of three."""
    found: list[dict] = []
    query = {"limit": "3"} | ({"kind": kind} if kind else {})
    while True:
        page = gateway.ask("GET", "/api/v1/record/events", params=query)
        found += page["items"]
        if not page["next_cursor"]:
            return found
        query["cursor"] = page["next_cursor"]


def test_looking_is_itself_recorded(gateway: Gateway, told: None) -> None:
    """Replays and exports are administrators' actions that somebody may ask about later."""
    (session,) = gateway.cli_json("sessions", "list", "--principal", "ida")
    gateway.cli("sessions", "replay", session["id"])
    everything = b"".join(path.read_bytes() for path in (gateway.data / "record").rglob("*") if path.is_file())
    assert b"session.replay" in everything


def test_secrets_are_nowhere(gateway: Gateway, ana: Login, told: None) -> None:
    """Neither a token nor the record key's private half stands in record, log, state or the index."""
    files = [path for path in gateway.data.rglob("*") if path.is_file() and "keys" not in path.parts]
    content = b"".join(path.read_bytes() for path in files) + gateway.log.encode()
    for token in (ana.token, gateway.admin_token):
        assert token.encode() not in content
