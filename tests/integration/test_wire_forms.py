"""Statements that come by another door: prepared here and executed there, under one name twice, in pipelines, by the fast path.

Each is a way in which a gateway that looks at texts alone was passed by. The masked column is docs.email; in what any of them
brings back, no byte may show it. (P03 to P14; P15 to P20 are refused at start-up, see test_login.py.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from harness import documents, wire
from harness.gateway import Login
from harness.wire import Client, Exchange, Message

POLICY = (
    documents.EVERYTHING
    + """
  - name: no-events
    match: {collection: public.events}
    deny: Events are closed.
  - name: hide-mail
    match: {collection: public.docs}
    mask: [{fields: [email], with: redact}]
"""
)

SETUP = """
CREATE FUNCTION mail(int) RETURNS text LANGUAGE sql AS 'SELECT email FROM docs WHERE id = $1';
"""

EVIL = "SELECT email FROM docs WHERE id = 1"
SECRET = b"person1@"


@pytest.fixture
def client(ana: Login) -> Iterator[Client]:
    with ana.wire() as connected:
        yield connected
        assert SECRET not in connected.received
        assert b"corp.example" not in connected.received


def masked(reply: Exchange) -> bool:
    """It was answered, and without the value."""
    return reply.errors == [] and len(reply.rows) == 1 and reply.rows[0][0] == b"***"


def test_control(client: Client) -> None:
    """The mask works at all, in both protocols."""
    assert masked(client.query(EVIL))
    assert masked(client.extended(EVIL))


def test_p01_several_statements(client: Client) -> None:
    """Each of a string is seen; one denied stops all."""
    reply = client.query(f"SELECT 1; {EVIL}; SELECT email FROM docs WHERE id = 2")
    assert [row[0] for row in reply.rows] == [b"1", b"***", b"***"]
    assert client.query(f"{EVIL}; SELECT * FROM events").rows == []


def test_p03_binary_results(client: Client) -> None:
    """A whole row as a binary record holds the masked value as well."""
    assert masked(client.extended(EVIL, result_formats=[1]))
    reply = client.extended("SELECT d FROM docs d WHERE id = 1", result_formats=[1])
    assert reply.error or b"***" in reply.bytes


def test_p04_sql_prepare_and_wire_bind(client: Client) -> None:
    assert client.query(f"PREPARE sp AS {EVIL}").errors == []
    reply = client.exchange(wire.bind(statement="sp"), wire.describe(b"P"), wire.execute())
    assert masked(reply)
    assert client.exchange(wire.bind(statement="unknown"), wire.execute()).error.sqlstate == "26000"


def test_p05_wire_parse_and_sql_execute(client: Client) -> None:
    client.exchange(wire.parse(EVIL, "wp"))
    assert masked(client.query("EXECUTE wp"))
    assert client.query("EXECUTE unknown").error.sqlstate == "26000"


def test_p06_sql_declare_and_wire_execute(client: Client) -> None:
    client.query("BEGIN")
    client.query(f"DECLARE cu CURSOR FOR {EVIL}")
    reply = client.exchange(wire.describe(b"P", "cu"), wire.execute("cu"))
    assert masked(reply)
    client.query("ROLLBACK")


def test_p07_wire_bind_and_sql_fetch(client: Client) -> None:
    client.query("BEGIN")
    client.exchange(wire.parse(EVIL, "s"), wire.bind(portal="po", statement="s"))
    assert masked(client.query("FETCH ALL FROM po"))
    client.query("ROLLBACK")


def test_p08_suspended_portal(client: Client) -> None:
    """Later pages come without a description, and are masked all the same."""
    reply = client.exchange(
        wire.parse("SELECT email FROM docs ORDER BY id"),
        wire.bind(portal="p"),
        wire.execute("p", max_rows=1),
        wire.execute("p", max_rows=1),
    )
    assert [row[0] for row in reply.rows] == [b"***", b"***"]
    assert reply.types == "12DsDsZ"


def test_p09_pipeline_without_descriptions(client: Client) -> None:
    """Answers come in order, each under its own plan."""
    reply = client.exchange(
        wire.parse("SELECT title FROM docs WHERE id = 1", "a"),
        wire.parse(EVIL, "b"),
        wire.bind(portal="pb", statement="b"),
        wire.bind(portal="pa", statement="a"),
        wire.execute("pb"),
        wire.execute("pa"),
        wire.execute("pb"),
    )
    assert [row[0] for row in reply.rows[:2]] == [b"***", b"Title 1"]


def test_p10_fast_path(client: Client) -> None:
    """FunctionCall is refused, whatever the function; the session goes on."""
    for oid in (764, 1, 2**31 - 1):  # lo_creat among them
        client.send(b"F", struct.pack("!Ihhh", oid, 0, 0, 0))
        reply = client.read_until(b"Z")
        assert reply.of(b"V") == []
        assert reply.error.sqlstate in ("42501", "0A000")
        assert reply.status == "I"
    assert client.query("SELECT 1").rows == [[b"1"]]


def test_p11_function_that_reads_the_table(client: Client) -> None:
    """Nobody vouched for it: what it reads is not known."""
    assert client.query("SELECT mail(1)").error.sqlstate == "42501"
    assert client.extended("SELECT mail($1)", [b"1"]).error.sqlstate == "42501"


def test_p12_second_parse_of_a_name(client: Client) -> None:
    """As with the server: an error, and the first stays what the name means."""
    client.exchange(wire.parse("SELECT title FROM docs WHERE id = 1", "n"))
    again = client.exchange(wire.parse(EVIL, "n"))
    assert again.error.sqlstate == "42P05"
    assert client.exchange(wire.bind(statement="n"), wire.execute()).rows == [[b"Title 1"]]


def test_p12_parse_that_fails_on_the_server(client: Client) -> None:
    """A name exists only once the server has confirmed it; the pipeline behind is not run."""
    failed = client.exchange(
        wire.parse("SELECT nothing FROM docs", "f"), wire.bind(statement="f"), wire.execute()
    )
    assert failed.error.sqlstate == "42703"
    assert client.exchange(wire.bind(statement="f"), wire.execute()).error.sqlstate == "26000"
    assert client.exchange(wire.parse("SELECT 1", "f"), wire.bind(statement="f"), wire.execute()).rows == [[b"1"]]


def test_p13_name_given_to_another_statement(client: Client) -> None:
    """Dropped by SQL, made again by SQL, bound by the wire."""
    client.exchange(wire.parse("SELECT title FROM docs WHERE id = 1", "n2"))
    client.query("DEALLOCATE n2")
    client.query(f"PREPARE n2 AS {EVIL}")
    assert masked(client.exchange(wire.bind(statement="n2"), wire.describe(b"P"), wire.execute()))
    client.query("DISCARD ALL")
    assert client.exchange(wire.bind(statement="n2"), wire.execute()).error.sqlstate == "26000"


def test_p14_name_given_to_another_portal(client: Client) -> None:
    client.query("BEGIN")
    client.exchange(wire.parse("SELECT title FROM docs WHERE id = 1"), wire.bind(portal="pp"))
    client.query("CLOSE pp")
    client.query(f"DECLARE pp CURSOR FOR {EVIL}")
    assert masked(client.exchange(wire.describe(b"P", "pp"), wire.execute("pp")))
    client.query("ROLLBACK")


def test_names_after_a_rollback(client: Client) -> None:
    """Prepared statements outlive a rollback and cursors do not, as with the server."""
    client.query("BEGIN")
    client.query(f"PREPARE kept AS {EVIL}")
    client.query("DECLARE gone CURSOR FOR SELECT 1")
    client.query("ROLLBACK")
    assert masked(client.query("EXECUTE kept"))
    assert client.query("FETCH 1 FROM gone").error.sqlstate == "34000"


def test_statement_prepared_before_a_column_is_added(client: Client, documents_database: object) -> None:
    """The catalogue has changed under a prepared statement: it is planned anew before it runs."""
    client.exchange(wire.parse("SELECT * FROM docs WHERE id = 1", "star"))
    before = client.exchange(wire.bind(statement="star"), wire.describe(b"P"), wire.execute())
    assert before.rows[0][3] == b"***"
    with documents_database.connect() as direct:
        direct.execute("ALTER TABLE docs ADD COLUMN IF NOT EXISTS email_2 text DEFAULT 'person1@x'")
    try:
        after = client.exchange(wire.bind(statement="star"), wire.describe(b"P"), wire.execute())
        assert after.error or after.rows[0][3] == b"***"
    finally:
        with documents_database.connect() as direct:
            direct.execute("ALTER TABLE docs DROP COLUMN email_2")


def test_table_renamed_under_the_session(client: Client, documents_database: object) -> None:
    """The mask is on the name; a table that takes another's place is looked up before it is read."""
    assert masked(client.query(EVIL))
    with documents_database.connect() as direct:
        direct.execute("CREATE TABLE swap AS SELECT * FROM docs; GRANT SELECT ON swap TO app")
        direct.execute("ALTER TABLE docs RENAME TO docs_old; ALTER TABLE swap RENAME TO docs")
    try:
        reply = client.query(EVIL)
        assert reply.error or masked(reply)
    finally:
        with documents_database.connect() as direct:
            direct.execute("DROP TABLE docs; ALTER TABLE docs_old RENAME TO docs")


def test_temporary_table_in_front(client: Client) -> None:
    """A temporary table of the same name must not be taken for it, nor fill from it."""
    client.query("CREATE TEMP TABLE docs AS SELECT 1 AS id, 'x' AS email")
    client.query(EVIL)
    client.query("INSERT INTO pg_temp.docs SELECT id, email FROM public.docs")
    client.query("SELECT * FROM pg_temp.docs")


def test_a_prepared_statement_under_another_path(client: Client) -> None:
    """The server looks its names up again, so what was planned for it no longer holds."""
    client.query("PREPARE before AS SELECT id FROM docs WHERE id = 1")
    assert client.query("EXECUTE before").rows == [[b"1"]]
    client.query("SET search_path TO pg_catalog, public")
    assert "search_path" in client.query("EXECUTE before").error.message
    client.query("RESET search_path")
    assert client.query("EXECUTE before").rows == [[b"1"]]


def test_search_path_of_the_session(client: Client, documents_database: object) -> None:
    """Names resolve as in the session, not as in the gateway's imagination."""
    with documents_database.connect() as direct:
        direct.execute("CREATE SCHEMA IF NOT EXISTS side; GRANT USAGE ON SCHEMA side TO app")
        direct.execute("CREATE OR REPLACE VIEW side.docs AS SELECT id, title AS email FROM public.docs")
        direct.execute("GRANT SELECT ON side.docs TO app")
    client.query("SET search_path TO side, public")
    reply = client.query(EVIL)
    assert reply.error or reply.rows[0][0] in (b"Title 1", b"***")
    client.query("BEGIN; SET LOCAL search_path TO public")
    assert masked(client.query(EVIL))
    client.query("ROLLBACK")
    client.query("RESET search_path")
    assert masked(client.query(EVIL))


@pytest.mark.parametrize(
    "sql",
    [
        "SET standard_conforming_strings TO off",
        "SET LOCAL standard_conforming_strings TO off",
        "SET client_encoding TO 'SJIS'",
        "SET NAMES 'GBK'",
        "SET backslash_quote TO on",
        "SET row_security TO off",
        "SET session_replication_role TO replica",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION DEFAULT",
        "SELECT set_config('standard_conforming_strings', 'off', false)",
        "UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'",
        "ALTER ROLE app SET standard_conforming_strings TO off",
        "SET jit_provider TO 'x'",
        "BEGIN; SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; SET standard_conforming_strings = off; COMMIT",
    ],
)
def test_settings_that_stay(client: Client, sql: str) -> None:
    """What would make two parsers read differently, or steer the planner where masks are in force."""
    reply = client.query(sql)
    if client.query("SHOW standard_conforming_strings").rows != [[b"on"]]:
        client.query("ROLLBACK")
    assert reply.error, reply
    assert client.query("SHOW standard_conforming_strings").rows == [[b"on"]]
    assert client.query("SHOW client_encoding").rows == [[b"UTF8"]]


@pytest.mark.parametrize(("setting", "value"), [("enable_seqscan", "off"), ("plan_cache_mode", "force_generic_plan")])
def test_the_planner_is_not_steered(client: Client, setting: str, value: str) -> None:
    """Where masks are in force it stays as it is, and a warning says so: libraries that set it go on."""
    before = client.query(f"SHOW {setting}").rows
    reply = client.query(f"SET {setting} TO {value}")
    assert reply.tags == ["SET"], reply
    assert [notice.severity for notice in reply.notices] == ["WARNING"]
    assert client.query(f"SHOW {setting}").rows == before
    assert client.query(f"SELECT set_config('{setting}', '{value}', false)").error


@pytest.mark.parametrize("sql", ["RESET ALL", "DISCARD ALL", "SET standard_conforming_strings TO DEFAULT", "RESET client_encoding"])
def test_resets_keep_the_pins(client: Client, sql: str) -> None:
    """Pins travel in the start-up packet, to which a reset goes back."""
    client.query(sql)
    assert client.query("SHOW standard_conforming_strings").rows == [[b"on"]]
    assert client.query("SHOW client_encoding").rows == [[b"UTF8"]]
    assert masked(client.query(EVIL))


def test_backslashes_are_read_as_the_server_reads_them(client: Client) -> None:
    """P15's statement with the standard setting: the backslash ends nothing."""
    reply = client.query(r"SELECT '\', (SELECT 1) --' , email FROM docs")
    assert SECRET not in reply.bytes


def test_database_errors_on_masked_tables_are_reduced(client: Client) -> None:
    """A cast that fails would quote the value."""
    for sql in (
        "SELECT email::int FROM docs WHERE id = 1",
        "SELECT (email || '')::json FROM docs WHERE id = 1",
        "SELECT 1 / (CASE WHEN email LIKE 'person1%' THEN 0 ELSE 1 END) FROM docs WHERE id = 1",
    ):
        for reply in (client.query(sql), client.extended(sql)):
            assert SECRET not in reply.bytes


def test_notifications_do_not_carry_values(ana: Login, client: Client) -> None:
    """A payload is free text of whoever sends it: it does not pass where masks are in force."""
    client.query("LISTEN news")
    client.query("SELECT pg_notify('news', (SELECT email FROM docs WHERE id = 1))")
    client.query("NOTIFY news, 'plain'")
    client.query("SELECT 1")


def test_copy_of_a_query_is_masked(client: Client) -> None:
    reply = client.query(f"COPY ({EVIL}) TO STDOUT")
    assert reply.error or reply.copied == b"***\n"
    client.query("COPY docs TO STDOUT")
    client.query("COPY docs (email) TO STDOUT (FORMAT binary)")
    client.query(f"COPY ({EVIL}) TO STDOUT (FORMAT csv, HEADER)")


def test_row_description_carries_the_true_table(client: Client, documents_database: object) -> None:
    """Drivers and ORMs go by the column's table: a masked relation still shows its own OID and number."""
    with documents_database.connect() as direct:
        (oid,) = direct.execute("SELECT 'docs'::regclass::oid::int8").fetchone()
    columns = client.query("SELECT id, email, title FROM docs WHERE id = 1").columns
    assert [column.name for column in columns] == ["id", "email", "title"]
    assert [(column.table, column.number) for column in columns if column.name != "email"] == [(oid, 1), (oid, 3)]
    assert columns[1].type == 25


def test_copy_with_a_sync_behind_its_execute(ana: Login) -> None:
    """The server ignores the Sync that came along with the COPY, as libpq sends it; the one after the data counts."""
    start = [wire.parse("COPY notes (id, doc, text) FROM STDIN"), wire.bind(), wire.describe(b"P"), wire.execute(), wire.SYNC]
    with ana.wire(timeout=30) as client:
        for number, ending in ((901, [Message(b"c", b"")]), (902, [Message(b"f", b"no\0")])):
            client.query("BEGIN")
            client.send_all(*start)
            assert client.read_until(b"G").types[-1:] == "G"
            client.send_all(Message(b"d", f"{number}\t1\tcopied\n".encode()), *ending, wire.SYNC)
            reply = client.read_until(b"Z")
            assert reply.tags == (["COPY 1"] if number == 901 else [])
            client.query("ROLLBACK")
        assert client.query("SELECT 1").rows == [[b"1"]]


def test_copy_that_does_not_wait(ana: Login) -> None:
    """All in one write: the data comes before anybody has asked for it."""
    with ana.wire(timeout=30) as client:
        client.query("BEGIN")
        client.send_all(
            wire.parse("COPY notes (id, doc, text) FROM STDIN"), wire.bind(), wire.execute(), wire.SYNC,
            Message(b"d", b"903\t1\tcopied\n"), Message(b"c", b""), wire.SYNC)  # fmt: skip
        reply = client.read_until(b"Z")
        assert reply.tags == ["COPY 1"]
        client.query("ROLLBACK")
