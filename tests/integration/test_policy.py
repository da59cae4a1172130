"""What a policy says, clients get: denials, limits, clamps, and bounds where a statement has no LIMIT."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import documents, wire
from harness.gateway import Gateway, Login
from harness.wire import Client, Exchange

POLICY = f"""
rules:
  - name: members-read
    match:
      principal: {{groups: [members]}}
      verb: [search, fetch, scroll, count, aggregate, write]
      except: {{principal: {{groups: [readers, writers]}}}}
    allow: true
  {documents.CONNECT.strip()}
  - name: top-k
    match: {{verb: search}}
    limit: {{max_records: 100, message: No search needs more than 100 neighbours.}}
  - name: notes-are-clamped
    match: {{collection: public.notes, verb: [scroll, search]}}
    limit: {{max_records: 5, over: clamp}}
  - name: events-are-bounded
    match: {{collection: public.events, verb: [scroll, fetch]}}
    limit: {{max_records: 10, message: Ten events are enough.}}
  - name: no-export
    match: {{verb: [export, admin]}}
    deny: {{message: Exports go through data-security., hint: "https://wiki.example.org/exports"}}
  - name: loaders-may-remove
    match: {{principal: {{groups: [loaders]}}, verb: remove}}
    allow: true
  - name: readers-only-read
    match: {{principal: {{groups: [readers]}}, verb: [search, fetch, scroll]}}
    allow: true
  - name: writers-only-write
    match: {{principal: {{groups: [writers]}}, verb: write}}
    allow: true
vouch:
  - {{connection: docs, functions: [public.linger]}}
"""


@pytest.fixture
def client(ana: Login) -> Iterator[Client]:
    with ana.wire() as connected:
        yield connected


def ids(reply: Exchange) -> list[int]:
    return [int(row[0]) for row in reply.rows]


# -- denials ---------------------------------------------------------------------------------------------------


def test_denial_says_what_why_and_where(client: Client, gateway: Gateway) -> None:
    """The operator's words, the rule's name, the operation's id, in the client's own protocol; the session goes on."""
    reply = client.query("COPY docs TO STDOUT")
    assert reply.error.sqlstate == "42501"
    assert reply.error.severity == "ERROR"
    assert "Exports go through data-security." in reply.error.message
    assert reply.error.hint == "https://wiki.example.org/exports"
    assert '"no-export"' in reply.error.detail
    recorded = gateway.operations(principal="ana", decision="deny")[0]
    assert recorded["operation"] in reply.error.detail
    assert recorded["rule"] == "no-export"
    assert reply.types == "EZ"
    assert reply.status == "I"
    assert client.query("SELECT count(*) FROM docs").rows == [[b"500"]]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM notes",
        "TRUNCATE notes",
        "DROP TABLE notes",
        "CREATE TABLE more (id int)",
        "ALTER TABLE docs ADD extra text",
        "DO $$ BEGIN DELETE FROM notes; END $$",
        "WITH gone AS (DELETE FROM notes RETURNING id) SELECT count(*) FROM gone",
        "VACUUM docs",
        "ALTER SYSTEM SET work_mem = '1MB'",
        "CREATE ROLE other",
        "GRANT ALL ON docs TO PUBLIC",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "LOAD 'x'",
        "COPY docs TO PROGRAM 'cat'",
        "COPY docs FROM '/etc/passwd'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_sleep(1)",
        "SELECT lower(set_config('search_path', 'x', false))",
        "SELECT lo_import('/etc/passwd')",
        "SELECT query_to_xml('SELECT 1', true, true, '')",
    ],
)
def test_what_no_rule_allows_is_denied(client: Client, sql: str) -> None:
    """Also inside of CTEs, DO blocks and functions, and where a database user could do it."""
    reply = client.query(sql)
    assert reply.error.sqlstate in ("42501", "0A000"), reply
    assert reply.types.endswith("EZ")
    assert client.query("SELECT count(*) FROM notes").rows == [[b"20"]]


def test_a_function_that_nobody_vouched_for_is_denied(client: Client, documents_database: object) -> None:
    with documents_database.connect() as direct:
        direct.execute("CREATE OR REPLACE FUNCTION whatever() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        direct.execute("GRANT EXECUTE ON FUNCTION whatever() TO app")
    reply = client.query("SELECT whatever()")
    assert reply.error.sqlstate == "42501"
    assert "whatever" in str(reply.error)
    assert client.query("SELECT linger(0)").rows == [[b"1"]]


def test_what_does_not_parse_does_not_pass(client: Client, gateway: Gateway) -> None:
    """The error is the server's own kind, with a position for psql's caret; nothing has reached the server."""
    reply = client.query("SELEC 1")
    assert reply.error.sqlstate == "42601"
    assert reply.error["P"] == "1"
    assert reply.status == "I"


def test_one_denied_statement_stops_the_whole_string(client: Client) -> None:
    """Of several statements in one Query none runs when one may not."""
    reply = client.query("INSERT INTO notes VALUES (999, 1, 'x'); DELETE FROM notes; SELECT 1")
    assert reply.error.sqlstate == "42501"
    assert reply.rows == []
    assert client.query("SELECT count(*) FROM notes WHERE id = 999").rows == [[b"0"]]


def test_denied_in_the_extended_protocol(client: Client) -> None:
    """At Parse: what may not run cannot be prepared; the next Sync makes the session usable again."""
    reply = client.extended("DELETE FROM notes WHERE id = $1", [b"1"])
    assert reply.types == "EZ"
    assert reply.error.sqlstate == "42501"
    assert client.extended("SELECT id FROM notes WHERE id = $1", [b"1"]).rows == [[b"1"]]


def test_rules_of_several_groups_add_up(gateway: Gateway) -> None:
    """What one rule does not grant another may, to those whom it names."""
    loader = gateway.login("loader", groups=["loaders", "members"])
    with loader.wire() as client:
        assert client.query("BEGIN; DELETE FROM notes; ROLLBACK").tags == ["BEGIN", "DELETE 20", "ROLLBACK"]


# -- top-k -----------------------------------------------------------------------------------------------------


def test_search_within_top_k(client: Client) -> None:
    assert ids(client.query(documents.KNN.format(100)))[0] == 7
    assert len(client.query(documents.KNN.format(100)).rows) > 90  # HNSW may answer a few less


def test_search_over_top_k(client: Client) -> None:
    reply = client.query(documents.KNN.format(101))
    assert reply.error.sqlstate == "42501"
    assert "No search needs more than 100 neighbours." in reply.error.message
    assert reply.rows == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM docs ORDER BY embedding <-> '[1,1,1,1]' LIMIT 50 + 51",
        "SELECT id FROM docs ORDER BY embedding <-> '[1,1,1,1]' LIMIT ALL",
        "SELECT id FROM docs ORDER BY embedding <-> '[1,1,1,1]' FETCH FIRST 101 ROWS ONLY",
        "SELECT id FROM docs ORDER BY embedding <-> '[1,1,1,1]' FETCH FIRST 100 ROWS WITH TIES",
        "SELECT id FROM docs ORDER BY l2_distance(embedding, '[1,1,1,1]') LIMIT 101",
        "SELECT id FROM docs ORDER BY embedding <=> '[1,1,1,1]', id LIMIT 101",
        "SELECT json_agg(id) FROM (SELECT id FROM docs ORDER BY embedding <-> '[1,1,1,1]' LIMIT 101) q",
        "SELECT array(SELECT id FROM docs ORDER BY embedding <-> '[1,1,1,1]' LIMIT 101)",
        ("(SELECT id FROM docs ORDER BY embedding <-> '[1,1,1,1]' LIMIT 60)"
        " UNION ALL (SELECT id FROM docs ORDER BY embedding <-> '[9,1,1,1]' LIMIT 60)"),
    ],
)
def test_other_ways_to_ask_for_more_than_top_k(client: Client, sql: str) -> None:
    """However it is written, no reply carries more than 100 records."""
    reply = client.query(sql)
    assert reply.error.sqlstate == "42501", reply
    assert len(reply.rows) <= 100
    assert all(len(cell or b"") < 4 * 100 for row in reply.rows for cell in row)


def test_limit_in_a_parameter(client: Client) -> None:
    """Decided when the value is bound."""
    sql = documents.KNN.format("$1")
    assert len(client.extended(sql, [b"20"]).rows) == 20
    reply = client.extended(sql, [b"101"])
    assert reply.error.sqlstate == "42501"
    assert reply.rows == []
    assert client.extended(sql, [None]).error.sqlstate == "42501"  # LIMIT NULL is no limit


def test_limit_in_a_prepared_statement(client: Client) -> None:
    """Prepared once, decided at each execution."""
    client.exchange(wire.parse(documents.KNN.format("$1"), "knn", [20]))
    good = client.exchange(wire.bind([b"10"], statement="knn"), wire.execute())
    bad = client.exchange(wire.bind([b"500"], statement="knn"), wire.execute())
    assert len(good.rows) == 10
    assert bad.error.sqlstate == "42501"
    assert bad.rows == []
    assert client.query("PREPARE other AS " + documents.KNN.format("$1")).tags == ["PREPARE"]
    assert len(client.query("EXECUTE other(10)").rows) == 10
    assert client.query("EXECUTE other(500)").error.sqlstate == "42501"


# -- clamps ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "rows"), [("", 5), ("LIMIT 10", 5), ("LIMIT 5", 5), ("LIMIT 3", 3)])
def test_clamp_lowers_the_limit(client: Client, limit: str, rows: int) -> None:
    """The client gets fewer records and no error, whatever the protocol."""
    sql = f"SELECT id FROM notes WHERE text <> '' ORDER BY id DESC {limit}"
    for reply in (client.query(sql), client.extended(sql)):
        assert reply.errors == []
        assert ids(reply) == list(range(20, 20 - rows, -1))


def test_clamp_of_a_parameter(client: Client) -> None:
    reply = client.extended("SELECT id FROM notes WHERE text <> $1 ORDER BY id LIMIT $2", [b"", b"15"])
    assert ids(reply) == [1, 2, 3, 4, 5]


def test_clamp_keeps_offset_and_comments(client: Client) -> None:
    reply = client.query("SELECT id FROM notes -- all of them\nORDER BY id OFFSET 2 /* LIMIT 1 */ LIMIT 15 -- please")
    assert ids(reply) == [3, 4, 5, 6, 7]


# -- bounds without LIMIT --------------------------------------------------------------------------------------


ALL_EVENTS = "SELECT id FROM events ORDER BY id"


def stopped_after_ten(reply: Exchange) -> None:
    assert ids(reply) == list(range(1, 11))
    assert reply.error.sqlstate == "42501"
    assert "Ten events are enough." in reply.error.message
    assert b"event 11." not in reply.bytes


def test_bound_stops_a_simple_query(client: Client, gateway: Gateway) -> None:
    """Ten records leave, then the error; the session goes on, and the record says `stopped`."""
    reply = client.query("SELECT id, payload FROM events ORDER BY id")
    stopped_after_ten(reply)
    assert reply.status == "I"
    assert client.query("SELECT 1").rows == [[b"1"]]
    newest = gateway.operations(principal="ana", collection="public.events")[0]
    assert (newest["status"], newest["records"]) == ("stopped", 10)


def test_exactly_the_bound_is_no_excess(client: Client) -> None:
    for reply in (
        client.query("SELECT id FROM events WHERE id <= 10 ORDER BY id"),
        client.extended("SELECT id FROM events WHERE id <= 10 ORDER BY id"),
    ):
        assert len(reply.rows) == 10
        assert reply.errors == []


def test_bound_stops_an_extended_query(client: Client) -> None:
    reply = client.extended("SELECT id, payload FROM events ORDER BY id")
    stopped_after_ten(reply)
    assert reply.status == "I"
    assert client.extended("SELECT 1").rows == [[b"1"]]


def test_bound_holds_over_portal_suspension(client: Client) -> None:
    """Pages of a portal add up: 4 + 4 + 2, then the error."""
    reply = client.exchange(
        wire.parse(ALL_EVENTS),
        wire.bind(portal="p"),
        wire.execute("p", max_rows=4),
        wire.execute("p", max_rows=4),
        wire.execute("p", max_rows=4),
    )
    stopped_after_ten(reply)
    assert len(reply.of(b"s")) == 2


def test_bound_holds_over_pages_with_syncs(client: Client) -> None:
    """The way that drivers fetch: a transaction, and a Sync after each page."""
    client.query("BEGIN")
    client.exchange(wire.parse(ALL_EVENTS), wire.bind(portal="p"))
    pages = [client.exchange(wire.execute("p", max_rows=4)) for _ in range(4)]
    assert [len(page.rows) for page in pages] == [4, 4, 2, 0]
    assert pages[2].error.sqlstate == "42501"
    assert pages[2].status == "E"
    assert client.query("ROLLBACK").status == "I"


def test_bound_holds_over_cursor_fetches(client: Client) -> None:
    """A cursor's FETCHes add up, however it is read."""
    client.query("BEGIN; DECLARE c CURSOR FOR " + ALL_EVENTS)
    assert len(client.query("FETCH 4 FROM c").rows) == 4
    assert len(client.query("FETCH FORWARD 4 FROM c").rows) == 4
    third = client.query("FETCH 4 FROM c")
    assert len(third.rows) <= 2
    assert third.error.sqlstate == "42501"
    assert third.status == "E"
    assert client.query("ROLLBACK").status == "I"


@pytest.mark.parametrize("how", ["FETCH ALL FROM c", "FETCH FORWARD ALL FROM c", "FETCH 5000 FROM c"])
def test_bound_holds_for_a_whole_cursor(client: Client, how: str) -> None:
    client.query("BEGIN; DECLARE c CURSOR FOR " + ALL_EVENTS)
    reply = client.query(how)
    assert len(reply.rows) <= 10
    assert reply.error.sqlstate == "42501"
    client.query("ROLLBACK")


def test_bound_holds_for_cursors_with_hold(client: Client) -> None:
    client.query("BEGIN; DECLARE held CURSOR WITH HOLD FOR " + ALL_EVENTS + "; COMMIT")
    assert len(client.query("FETCH 8 FROM held").rows) == 8
    rest = client.query("FETCH 8 FROM held")
    assert len(rest.rows) <= 2
    assert rest.error.sqlstate == "42501"
    client.query("CLOSE held")


ONE_BY_ONE = ", ".join(f"(SELECT payload FROM events WHERE id = {n})" for n in range(1, 13))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT array_agg(id) FROM events",
        "SELECT json_agg(e) FROM events e",
        "SELECT string_agg(payload, ',') FROM events",
        "SELECT array(SELECT id FROM events)",
        "SELECT (SELECT string_agg(id::text, ' ') FROM events)",
        "SELECT jsonb_object_agg(id, payload) FROM events",
        "SELECT xmlagg(xmlelement(name e, id)) FROM events",
        "SELECT id % 2, array_agg(id) FROM events GROUP BY 1",
        "SELECT array_agg(id) OVER () FROM events LIMIT 1",
        "SELECT lag(payload, 20) OVER (ORDER BY id), lead(payload, 20) OVER (ORDER BY id) FROM events LIMIT 9",
        f"SELECT concat({ONE_BY_ONE})",
        f"VALUES ({ONE_BY_ONE})",
        f"SELECT g, {ONE_BY_ONE} FROM generate_series(1, 9) g",
        "SELECT percentile_disc(ARRAY(SELECT g / 50.0 FROM generate_series(1, 50) g)) WITHIN GROUP (ORDER BY payload) FROM events",
        (
            "WITH RECURSIVE r(n, acc) AS (SELECT 0, '' UNION ALL SELECT n + 1, acc || (SELECT payload FROM events WHERE id = n + 1)"
            " FROM r WHERE n < 1000) SELECT acc FROM r WHERE n = 1000"
        ),
        (
            "WITH RECURSIVE r(n, acc) AS (SELECT 0, '' UNION ALL SELECT n + 1, acc || e.payload FROM r JOIN events e ON e.id = n + 1"
            " WHERE n < 1000) SELECT acc FROM r ORDER BY n DESC LIMIT 1"
        ),
    ],
)
def test_records_are_not_rows(client: Client, sql: str) -> None:
    """A row that carries the values of thousands of records counts as thousands."""
    reply = client.query(sql)
    assert reply.error.sqlstate == "42501", reply
    assert sum(len(cell or b"") for row in reply.rows for cell in row) < 2500


GATHERED = "(SELECT string_agg(payload, '') FROM events)"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(s) FROM (SELECT string_agg(payload, '')::int AS s FROM events) q",
        "SELECT count(*) FROM events HAVING string_agg(payload, '')::int > 0",
        "SELECT count(*) FROM events ORDER BY string_agg(payload, '')::int",
        f"SELECT count(*) FROM docs WHERE id = {GATHERED}::int",
        f"SELECT 1 LIMIT {GATHERED}::int",
        f"UPDATE notes SET text = 'x' WHERE id = {GATHERED}::int",
        "SELECT sum(payload::int) FROM events",
        "SELECT sum(length(payload::regclass::text)) FROM events",
        "SELECT min(id) FROM (SELECT id FROM events WHERE payload::int > 0 LIMIT 5) q",
    ],
)
@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_errors_carry_no_more_than_replies(client: Client, sql: str, protocol: str) -> None:
    """A failed cast quotes its argument, which may hold thousands of records, to somebody who may only count."""
    reply = client.query(sql) if protocol == "simple" else client.extended(sql)
    assert reply.error.sqlstate[:2] in ("22", "42"), reply
    assert b"event 1" not in reply.bytes
    assert reply.status == "I"


def test_errors_about_the_statement_are_the_databases_own(client: Client) -> None:
    """What the server says before it runs anything quotes the client's own text alone."""
    for sql, words in (
        ("SELECT id FROM events WHERE id = 'abc'", 'invalid input syntax for type integer: "abc"'),
        ("SELECT count(*) FROM events WHERE identifier = 1", 'column "identifier" does not exist'),
        ("SELECT count(*) FROM events WHERE id = 1 GROUP", "syntax error"),
    ):
        assert words in client.query(sql).error.message
        assert words in client.extended(sql).error.message


def test_a_join_counts_every_relation(client: Client) -> None:
    """Six rows of a join of two tables carry twelve records."""
    join = "SELECT e.id, d.title FROM events e JOIN docs d ON d.id = e.id LIMIT {}"
    assert len(client.query(join.format(5)).rows) == 5
    assert client.query(join.format(6)).error.sqlstate == "42501"
    unbounded = client.query("SELECT e.id, d.title FROM events e JOIN docs d ON d.id = e.id")
    assert len(unbounded.rows) <= 5
    assert unbounded.error.sqlstate == "42501"


def test_a_cursor_over_a_join_counts_every_relation(client: Client) -> None:
    """The parts of a portal add up in records: 3 rows, then 2 of the next 3."""
    reply = client.exchange(
        wire.parse("SELECT e.id, d.title FROM events e JOIN docs d ON d.id = e.id"),
        wire.bind(portal="p"),
        wire.execute("p", max_rows=3),
        wire.execute("p", max_rows=3),
    )
    assert len(reply.rows) == 5
    assert reply.error.sqlstate == "42501"


def test_a_clamp_counts_every_relation(client: Client) -> None:
    """Five records are two rows of a join of two tables."""
    join = "SELECT n.id, d.title FROM notes n JOIN docs d ON d.id = n.doc ORDER BY n.id {}"
    for limit in ("", "LIMIT 10"):
        reply = client.query(join.format(limit))
        assert ids(reply) == [1, 2]
        assert reply.errors == []


# -- several verbs in one statement ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "verb"),
    [
        ("DELETE FROM notes WHERE id = 1 RETURNING id", "remove"),
        ("WITH gone AS (DELETE FROM notes RETURNING id) INSERT INTO notes SELECT id, id, 'x' FROM gone", "remove"),
        ("EXPLAIN ANALYZE DELETE FROM notes", "remove"),
        ("COPY (DELETE FROM notes RETURNING id) TO STDOUT", "export"),
    ],
)
def test_every_verb_of_a_statement_is_decided(client: Client, gateway: Gateway, sql: str, verb: str) -> None:
    """What is allowed to read and write is not allowed to remove, wherever that stands."""
    reply = client.query(sql)
    assert reply.error.sqlstate == "42501"
    assert client.query("SELECT count(*) FROM notes").rows == [[b"20"]]
    said = gateway.cli_json("policy", "explain", "--as", "ana", "--connection", "docs", sql)
    assert said["effect"] == "deny"
    assert verb in said["message"] or said["rule"] == "no-export"


def test_reading_does_not_include_locking(gateway: Gateway) -> None:
    """SELECT ... FOR UPDATE stops writers."""
    with gateway.login("reader", groups=["members", "readers"]).wire() as reader:
        assert reader.query("SELECT id FROM notes WHERE id = 1").rows == [[b"1"]]
        reply = reader.query("SELECT id FROM notes WHERE id = 1 FOR UPDATE")
        assert reply.error.sqlstate == "42501"
        assert "to write on public.notes" in reply.error.message


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO notes SELECT id + 100, doc, text FROM notes",
        "UPDATE notes SET text = 'x' WHERE id = 1 RETURNING text",
        "UPDATE notes SET text = d.email FROM docs d WHERE d.id = 1",
    ],
)
def test_writing_does_not_include_reading(gateway: Gateway, client: Client, sql: str) -> None:
    """INSERT ... SELECT, RETURNING and FROM read, and need it allowed."""
    with gateway.login("writer", groups=["members", "writers"]).wire() as writer:
        assert writer.query("BEGIN; INSERT INTO notes VALUES (997, 1, 'x'); ROLLBACK").errors == []
        reply = writer.query(sql)
        assert reply.error.sqlstate == "42501"
        assert "on public.notes" in reply.error.message
    assert client.query(f"BEGIN; {sql}; ROLLBACK").errors == []


def test_counting_is_not_reading(client: Client) -> None:
    """Aggregates that keep no value return no record."""
    assert client.query("SELECT count(*), avg(id) FROM events").rows[0][0] == b"5000"


def test_a_write_behind_an_uncounted_read_is_refused(client: Client) -> None:
    """In one string it would have run, or stayed, although the read behind or before it is stopped."""
    for sql in (
        "SELECT id FROM events; INSERT INTO notes VALUES (998, 1, 'x')",
        "INSERT INTO notes VALUES (998, 1, 'x'); SELECT id FROM events",
        "BEGIN; INSERT INTO notes VALUES (998, 1, 'x'); SELECT id FROM events; COMMIT",
    ):
        reply = client.query(sql)
        assert reply.error.sqlstate == "42501"
        client.query("ROLLBACK")
    client.query("BEGIN; INSERT INTO notes VALUES (998, 1, 'x')")
    assert client.query("SELECT id FROM events; COMMIT").error.sqlstate == "42501"
    client.query("COMMIT")
    assert client.query("SELECT count(*) FROM notes WHERE id = 998").rows == [[b"0"]]


def test_a_simple_query_behind_a_stopped_read_finds_a_failed_transaction(client: Client) -> None:
    """Even when it was sent before the answer: both came in one write."""
    client.query("BEGIN")
    client.send_all(
        wire.Message(b"Q", wire.text("SELECT id FROM events WHERE id < 50")),
        wire.Message(b"Q", wire.text("INSERT INTO notes VALUES (995, 1, 'x')")),
        wire.Message(b"Q", wire.text("COMMIT")),
    )
    first, second, third = (client.read_until(b"Z") for _ in range(3))
    assert (first.error.sqlstate, first.status) == ("42501", "E")
    assert (second.error.sqlstate, second.status) == ("25P02", "E")
    assert (third.tags, third.status) == (["ROLLBACK"], "I")
    assert client.query("SELECT count(*) FROM notes WHERE id = 995").rows == [[b"0"]]


def test_a_write_piped_behind_a_stopped_read_does_not_happen(client: Client) -> None:
    """Everything up to the Sync is one transaction: when the read is stopped, the write is not done."""
    reply = client.exchange(
        wire.parse(ALL_EVENTS),
        wire.bind(),
        wire.execute(),
        wire.parse("INSERT INTO notes VALUES (997, 1, 'x')", "w"),
        wire.bind(statement="w", portal="w"),
        wire.execute("w"),
    )
    assert reply.error.sqlstate == "42501"
    assert reply.status == "I"
    assert client.query("SELECT count(*) FROM notes WHERE id = 997").rows == [[b"0"]]


def test_a_write_piped_before_a_stopped_read_is_rolled_back(client: Client) -> None:
    """As it would be, had the server itself reported the error."""
    reply = client.exchange(
        wire.parse("INSERT INTO notes VALUES (996, 1, 'x')", "w"),
        wire.bind(statement="w", portal="w"),
        wire.execute("w"),
        wire.parse(ALL_EVENTS),
        wire.bind(),
        wire.execute(),
    )
    assert reply.error.sqlstate == "42501"
    assert reply.status == "I"
    assert client.query("SELECT count(*) FROM notes WHERE id = 996").rows == [[b"0"]]


# -- explain ---------------------------------------------------------------------------------------------------


def test_explain_says_what_would_be_decided(gateway: Gateway, ana: Login, client: Client) -> None:
    """`policy explain` and the client's own experience agree."""
    client.query("SELECT 1")  # the catalogue is read
    said = gateway.cli_json("policy", "explain", "--as", "ana", "--connection", "docs", documents.KNN.format(101))
    assert said["effect"] == "deny"
    assert said["rule"] == "top-k"
    assert {step["rule"]: step["matched"] for step in said["steps"]}["top-k"] is True
    fine = gateway.cli_json("policy", "explain", "--as", "ana", "--connection", "docs", documents.KNN.format(10))
    assert fine["effect"] == "permit"
