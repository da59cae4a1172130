"""Several statements in one query string, where earlier ones decide what the names in later ones mean.

PostgreSQL is the reference: what a string does directly and through the gateway is compared message by message. Then what
a gateway could get wrong: names that are looked up in the wrong place.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from harness import documents, wire
from harness.gateway import Gateway, Login
from harness.postgres import Database
from harness.wire import Client, Exchange

POLICY = (
    documents.EVERYTHING
    + """
  - name: no-events
    match: {collection: public.events}
    deny: Events are closed.
  - name: few-notes
    match: {collection: public.notes, verb: scroll}
    limit: {max_records: 5}
  - name: hide-mail
    match: {collection: [public.docs, public.moved]}
    mask: [{fields: [email], with: redact}]
"""
)

SETUP = """
CREATE SCHEMA side;
CREATE TABLE side.docs AS SELECT id, title, title AS email FROM public.docs;
GRANT ALL ON SCHEMA side TO app;
ALTER TABLE side.docs OWNER TO app;
"""

EVIL = "SELECT email FROM docs WHERE id = 1"
SECRET = b"person1@"


@pytest.fixture
def client(ana: Login) -> Iterator[Client]:
    with ana.wire(timeout=30) as connected:
        yield connected
        assert SECRET not in connected.received


@pytest.fixture
def direct(documents_database: Database) -> Iterator[Client]:
    server = documents_database.server
    with Client.connect(server.port, user="app", database=documents_database.name, timeout=30) as connected:
        yield connected


def shown(reply: Exchange) -> list[object]:
    """What a client is told, without what differs from run to run."""
    out: list[object] = []
    for message in reply:
        match message.type:
            case b"T":
                out.append(("columns", [column.name for column in wire.columns(message.body)]))
            case b"D":
                out.append(("row", wire.cells(message.body)))
            case b"C":
                out.append(("tag", message.body))
            case b"E":
                fields = wire.fields(message.body)
                # Names that do not exist are the gateway's to tell, and it tells no position.
                out.append(("error", fields.sqlstate, fields.get("P") if fields.sqlstate != "42P01" else None))
            case b"N":
                out.append(("notice", wire.fields(message.body).sqlstate))
            case b"S":
                pass
            case other:
                out.append((other, message.body))
    return out


STRINGS = {
    "create, fill and read": "CREATE TABLE q (id int PRIMARY KEY, t text); INSERT INTO q VALUES (1, 'a'), (2, 'b'); "
    "SELECT * FROM q ORDER BY id; DROP TABLE q",
    "an error takes all of it back": "CREATE TABLE q (id int); INSERT INTO q VALUES (1); SELECT 1/0; SELECT id FROM q",
    "a position in the whole string": "/* ä */ CREATE TABLE q (id int);\n  SELECT 'ö', nothing FROM q",
    "a position in what was put in": "CREATE TABLE q (id int PRIMARY KEY, t text);  SELECT t, nothing FROM q",
    "its own transaction": "CREATE TABLE q (id int); BEGIN; INSERT INTO q VALUES (1); COMMIT; INSERT INTO q VALUES (2); "
    "SELECT count(*) FROM q",
    "an error behind its own transaction": "CREATE TABLE q (id int); BEGIN; INSERT INTO q VALUES (1); COMMIT; "
    "INSERT INTO q VALUES (2); SELECT 1/(count(*) - count(*)) FROM q",
    "a transaction that stays open": "BEGIN; CREATE TABLE q (id int); INSERT INTO q VALUES (1); SELECT id FROM q",
    "a transaction that fails": "BEGIN; CREATE TABLE q (id int); SELECT nothing FROM q; COMMIT",
    "rolled back": "BEGIN; CREATE TABLE q (id int); INSERT INTO q VALUES (1); ROLLBACK; SELECT id FROM notes WHERE id = 1",
    "read after it was rolled back": "BEGIN; CREATE TABLE q (id int); ROLLBACK; SELECT id FROM q",
    "a part rolled back": "BEGIN; CREATE TABLE q (id int); SAVEPOINT s; ALTER TABLE q RENAME TO r; ROLLBACK TO s; "
    "INSERT INTO q VALUES (1); SELECT id FROM q; COMMIT",
    "isolation": "BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; CREATE TABLE q (id int); SELECT id FROM q; COMMIT",
    "VACUUM behind": "CREATE TABLE q (id int); VACUUM q; SELECT id FROM q",
    "VACUUM in front": "VACUUM notes; CREATE TABLE q (id int); SELECT id FROM q",
    "VACUUM behind a COMMIT": "CREATE TABLE q (id int); INSERT INTO q VALUES (1); COMMIT; VACUUM q; SELECT id FROM q",
    "LOCK in front": "LOCK TABLE notes; CREATE TABLE q (id int); INSERT INTO q VALUES (1)",
    "SAVEPOINT without BEGIN": "CREATE TABLE q (id int); SAVEPOINT s; SELECT id FROM q",
    "search_path": "SET search_path TO pg_catalog, public; SELECT title FROM docs WHERE id = 1; RESET search_path",
    "search_path of the transaction": "SET LOCAL search_path TO side; SELECT title FROM docs WHERE id = 1",
    "set_config": "SELECT set_config('search_path', 'side', false); SELECT title FROM docs WHERE id = 1; RESET search_path",
    "a cursor": "CREATE TABLE q AS SELECT generate_series(1, 3) AS id; DECLARE c CURSOR FOR SELECT id FROM q; "
    "FETCH 2 FROM c; CLOSE c; SELECT count(*) FROM q",
    "a prepared statement": "CREATE TABLE q AS SELECT 1 AS id; PREPARE p AS SELECT id FROM q; EXECUTE p; DEALLOCATE p",
    "COPY out": "CREATE TABLE q AS SELECT 1 AS id; COPY q TO STDOUT; SELECT id FROM q",
    "nothing between semicolons": ";; CREATE TABLE q (id int);; SELECT id FROM q; -- the end",
    "renamed and back": "ALTER TABLE notes RENAME TO notes_2; SELECT id FROM notes_2 WHERE id = 1; "
    "ALTER TABLE notes_2 RENAME TO notes",
    "no such table": "CREATE TABLE q (id int); SELECT id FROM q_2",
    "a notice": "CREATE TABLE q (id int); DROP TABLE IF EXISTS q_2; SELECT id FROM q",
    "returning": "CREATE TABLE q (id int GENERATED ALWAYS AS IDENTITY, t text); INSERT INTO q (t) VALUES ('a') RETURNING id",
}


@pytest.mark.parametrize("sql", STRINGS.values(), ids=STRINGS.keys())
def test_as_the_server_does_it(client: Client, direct: Client, sql: str) -> None:
    """The same messages, and the same state afterwards."""
    answers = []
    for side in (direct, client):
        answers.append((shown(side.query(sql)), shown(side.query("SELECT 1")), shown(side.query("ROLLBACK"))))
        direct.query("DROP TABLE IF EXISTS q, r")
    assert answers[1] == answers[0]


def test_a_constraint_that_is_checked_at_the_end(client: Client) -> None:
    """The commit fails, and with it the string. (The server would keep the last tag back.)"""
    reply = client.query(
        "CREATE TABLE q (id int PRIMARY KEY, parent int REFERENCES q DEFERRABLE INITIALLY DEFERRED); "
        "INSERT INTO q VALUES (1, 99); SELECT id FROM q WHERE id = 1"
    )
    assert (reply.error.sqlstate, reply.status) == ("23503", "I")
    assert client.query("SELECT id FROM q").error.sqlstate == "42P01"


@pytest.mark.parametrize("data", [[b"1\n", b"2\n"], [b"1\n", b"x\n"]], ids=["good", "bad"])
def test_copy_in_between(client: Client, direct: Client, data: list[bytes]) -> None:
    answers = []
    for side in (direct, client):
        reply = side.copy_in("CREATE TABLE q (id int); COPY q FROM STDIN; SELECT sum(id) FROM q", data)
        answers.append((shown(reply), shown(side.query("SELECT 1"))))
        direct.query("DROP TABLE IF EXISTS q")
    assert answers[1] == answers[0]


def test_a_failed_transaction_is_left_behind(client: Client, direct: Client) -> None:
    answers = []
    for side in (direct, client):
        side.query("BEGIN")
        side.query("SELECT 1/0")
        still = side.query("CREATE TABLE q (id int); INSERT INTO q VALUES (1)")
        reply = side.query("ROLLBACK; CREATE TABLE q (id int); INSERT INTO q VALUES (1); SELECT id FROM q")
        answers.append((shown(still), shown(reply)))
        direct.query("DROP TABLE IF EXISTS q")
    assert answers[1] == answers[0]


def test_psycopg_runs_a_script(ana: Login) -> None:
    """What migration tools send: a file of statements, without parameters, in one execute()."""
    with ana.psycopg() as connection:
        connection.execute("""
            CREATE TABLE q (id bigserial PRIMARY KEY, title text NOT NULL);
            CREATE INDEX ON q (title);
            COMMENT ON TABLE q IS 'made by a script';
            INSERT INTO q (title) SELECT text FROM notes WHERE id <= 3;
        """)
        assert connection.execute("SELECT count(*) FROM q").fetchone() == (3,)
        connection.execute("DROP TABLE q")


def test_each_statement_is_recorded(gateway: Gateway, ana: Login, client: Client) -> None:
    client.query("CREATE TABLE q (id int); INSERT INTO q VALUES (41); DROP TABLE q")
    found = [(o["verb"], o["status"]) for o in gateway.operations(principal="ana", collection="public.q")[:3]]
    assert found == [("schema", "ok"), ("write", "ok"), ("schema", "ok")]


# -- decisions -------------------------------------------------------------------------------------------------


def test_a_refusal_takes_all_of_it_back(client: Client) -> None:
    reply = client.query("CREATE TABLE q (id int); INSERT INTO q VALUES (1); SELECT * FROM events; SELECT id FROM q")
    assert reply.tags == ["CREATE TABLE", "INSERT 0 1"]
    assert (reply.error.sqlstate, reply.status) == ("42501", "I")
    assert "Events are closed" in reply.error.message
    assert client.query("SELECT id FROM q").error.sqlstate == "42P01"


def test_a_refusal_within_its_own_transaction_fails_it(client: Client) -> None:
    reply = client.query("BEGIN; CREATE TABLE q (id int); SELECT * FROM events; COMMIT")
    assert (reply.error.sqlstate, reply.status) == ("42501", "E")
    assert client.query("ROLLBACK").status == "I"


def test_a_bound_holds_within_it(client: Client) -> None:
    """The read is cut at its fifth record, and what came before it is taken back."""
    reply = client.query("CREATE TABLE q (id int); SELECT q.id, n.id FROM notes n LEFT JOIN q ON true; DROP TABLE q")
    assert len(reply.rows) <= 5
    assert (reply.error.sqlstate, reply.status) == ("42501", "I")
    assert client.query("SELECT id FROM q").error.sqlstate == "42P01"


@pytest.mark.parametrize(
    "sql",
    [
        f"SET search_path TO pg_catalog, public; {EVIL}; RESET search_path",
        f"SET search_path TO side; RESET ALL; {EVIL}",
        f"SET search_path TO side; SELECT set_config('search_path', 'public', false); {EVIL}; RESET search_path",
        f"BEGIN; SET LOCAL search_path TO side; COMMIT; {EVIL}",
        f"BEGIN; SET LOCAL search_path TO side; ROLLBACK; {EVIL}",
        f"BEGIN; SAVEPOINT s; SET LOCAL search_path TO side; ROLLBACK TO s; {EVIL}; COMMIT",
        "ALTER TABLE docs RENAME TO moved; SELECT email FROM moved WHERE id = 1; ALTER TABLE moved RENAME TO docs",
        f"BEGIN; ALTER TABLE docs RENAME TO free; ALTER TABLE side.docs SET SCHEMA public; ROLLBACK; {EVIL}",
        "CREATE TABLE q AS SELECT * FROM docs WHERE id = 1; SELECT email FROM q WHERE id = 1; DROP TABLE q",
    ],
)
def test_masks_follow_the_names(client: Client, sql: str) -> None:
    """However the name got there: the value stays (the fixture looks at every byte)."""
    reply = client.query(sql)
    rows = [row[0] for row in reply.rows if row != [b"public"]]
    assert rows == [b"***"] or reply.error.sqlstate == "42501", reply
    client.query("ROLLBACK")
    assert client.query(EVIL).rows == [[b"***"]]


# -- names that move between messages --------------------------------------------------------------------------


@pytest.fixture
def elsewhere(client: Client) -> Client:
    """`docs` means side.docs, whose e-mail is a title and nobody's secret."""
    client.query("SET search_path TO side")
    assert client.query(EVIL).rows == [[b"Title 1"]]
    return client


def queries(*texts: str) -> list[wire.Message]:
    return [wire.Message(b"Q", wire.text(text)) for text in texts]


def run(*texts: str) -> list[wire.Message]:
    messages: list[wire.Message] = []
    for text in texts:
        messages += [wire.parse(text), wire.bind(), wire.execute()]
    return messages


@pytest.mark.parametrize(
    "back", ["RESET search_path", "SET search_path TO public", "RESET ALL", "SELECT set_config('search_path', 'public', false)"]
)
@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
def test_a_path_that_is_still_on_its_way(elsewhere: Client, back: str, extended: bool) -> None:
    """The client does not wait for one answer before it sends on; the gateway must, before it looks names up."""
    if extended:
        elsewhere.send_all(*run(back, EVIL), wire.SYNC)
        reply = elsewhere.read_until(b"Z")
    else:
        elsewhere.send_all(*queries(back, EVIL))
        elsewhere.read_until(b"Z")
        reply = elsewhere.read_until(b"Z")
    assert reply.rows[-1:] == [[b"***"]]


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
@pytest.mark.parametrize("end", ["ROLLBACK TO s", "ROLLBACK", "COMMIT"])
def test_a_path_that_is_taken_back(client: Client, end: str, extended: bool) -> None:
    client.query("BEGIN; SAVEPOINT s")
    client.query("SET LOCAL search_path TO side")
    assert client.query(EVIL).rows == [[b"Title 1"]]
    if extended:
        client.send_all(*run(end, EVIL), wire.SYNC)
        reply = client.read_until(b"Z")
    else:
        client.query(end)
        reply = client.query(EVIL)
    assert reply.rows == [[b"***"]]


@pytest.mark.parametrize("end", ["ROLLBACK TO s", "ROLLBACK", "COMMIT"])
def test_a_path_that_is_taken_back_within_the_string(client: Client, end: str) -> None:
    client.query("BEGIN; SAVEPOINT s")
    client.query("SET LOCAL search_path TO side")
    assert client.query(f"{end}; {EVIL}").rows == [[b"***"]]


def test_a_schema_that_is_taken_back(client: Client) -> None:
    """For a while `docs` was another table, which has no e-mail to hide."""
    client.query("BEGIN; SAVEPOINT s")
    client.query("ALTER TABLE docs RENAME TO was; ALTER TABLE side.docs SET SCHEMA public")
    client.query("ROLLBACK TO s")
    assert client.query(EVIL).rows == [[b"***"]]
    assert client.query("SELECT email FROM side.docs WHERE id = 1").rows == [[b"Title 1"]]
    client.query("ROLLBACK")


def test_an_error_at_commit_is_no_end(client: Client) -> None:
    """A deferred constraint fails when Sync commits: the client hears so, and goes on."""
    client.query("CREATE TABLE q (id int PRIMARY KEY, parent int REFERENCES q DEFERRABLE INITIALLY DEFERRED)")
    reply = client.extended("INSERT INTO q VALUES (1, 99)")
    assert (reply.error.sqlstate, reply.status) == ("23503", "I")
    assert client.query("SELECT count(*) FROM q").rows == [[b"0"]]
    client.query("DROP TABLE q")


def test_a_cancel_in_the_middle(ana: Login) -> None:
    with ana.wire(timeout=30) as client:
        client.send(b"Q", wire.text("CREATE TABLE q (id int); INSERT INTO q SELECT 1 FROM pg_sleep(30); SELECT id FROM q"))
        client.read_until(b"C")
        client.cancel()
        reply = client.read_until(b"Z")
        assert (reply.error.sqlstate, reply.status) == ("57014", "I")
        assert client.query("SELECT id FROM q").error.sqlstate == "42P01"


def test_a_message_of_another_kind_during_its_copy(ana: Login) -> None:
    with ana.wire() as client:
        client.send(b"Q", wire.text("CREATE TABLE q (id int); COPY q FROM STDIN; SELECT id FROM q"))
        client.read_until(b"G")
        client.send_raw(b"Q" + struct.pack("!i", 13) + b"SELECT 1\0")
        assert client.read_to_end().error.sqlstate == "08P01"
    with ana.wire() as client:
        assert client.query("SELECT id FROM q").error.sqlstate == "42P01"
