"""The wire as an attacker sees it: every known way round a gateway by the protocol itself, and the test that walks it.

Those of one statement by another door, of broken framing and of the handshake are where the rest of their subject is; what is
tried here is the attack itself, on the secrets of the corpus.

====  ==================================================================  ==================================================
id    technique                                                           test
====  ==================================================================  ==================================================
P01   several statements in one Query                                     integration/test_wire_forms.py::test_p01_several_statements
P02   the extended protocol, unnamed; decided again at each step          bypass/test_wire_attacks.py::test_p02_decided_at_every_step
P03   binary results, whole rows                                          integration/test_wire_forms.py::test_p03_binary_results
P04   SQL PREPARE, wire Bind                                              integration/test_wire_forms.py::test_p04_sql_prepare_and_wire_bind
P05   wire Parse, SQL EXECUTE                                             integration/test_wire_forms.py::test_p05_wire_parse_and_sql_execute
P06   SQL DECLARE, wire Execute                                           integration/test_wire_forms.py::test_p06_sql_declare_and_wire_execute
P07   wire Bind, SQL FETCH                                                integration/test_wire_forms.py::test_p07_wire_bind_and_sql_fetch
P08   a suspended portal goes on without a description                    integration/test_wire_forms.py::test_p08_suspended_portal
P09   a pipeline without descriptions                                     integration/test_wire_forms.py::test_p09_pipeline_without_descriptions
P10   FunctionCall of any function                                        integration/test_wire_forms.py::test_p10_fast_path
P11   FunctionCall of one that reads the table, of lo_get                 bypass/test_wire_attacks.py::test_p11_fast_path_to_the_secret
P12   a name parsed twice, or by a statement that fails                   integration/test_wire_forms.py::test_p12_parse_that_fails_on_the_server
P13   a statement's name given to another                                 integration/test_wire_forms.py::test_p13_name_given_to_another_statement
P14   a portal's name given to another                                    integration/test_wire_forms.py::test_p14_name_given_to_another_portal
P15   standard_conforming_strings off at start-up                         bypass/test_wire_attacks.py::test_p15_to_p18_start_up
P16   an encoding in which a byte hides a backslash                       bypass/test_wire_attacks.py::test_p16_bytes_that_hide_a_backslash
P17   another role at start-up                                            bypass/test_wire_attacks.py::test_p15_to_p18_start_up
P18   a walsender that takes SQL                                          bypass/test_wire_attacks.py::test_p15_to_p18_start_up
P19   START_REPLICATION                                                   bypass/test_wire_attacks.py::test_p19_p20_replication_commands
P20   BASE_BACKUP                                                         bypass/test_wire_attacks.py::test_p19_p20_replication_commands
L1    length 3                                                            integration/test_broken_clients.py::test_broken_message
L2    length -1                                                           integration/test_broken_clients.py::test_broken_message
L3    length 2^31-1                                                       integration/test_broken_clients.py::test_message_over_the_limit_is_not_waited_for
L4    unknown type                                                        integration/test_broken_clients.py::test_broken_message
L5    Query without its end                                               integration/test_broken_clients.py::test_broken_message
L6    Query with bytes behind its end                                     bypass/test_wire_attacks.py::test_l6_a_second_statement_behind_the_end
W1    plaintext before TLS, from the client                               integration/test_login.py::test_plaintext_behind_ssl_request_is_cut
W1    plaintext before TLS, from the server                               integration/test_upstream.py::test_plaintext_before_tls_from_the_server
W2    a second start-up, before and after login                           bypass/test_wire_attacks.py::test_w2_start_up_as_another
W3    lengths that wrap around; a cell of negative length                 bypass/test_wire_attacks.py::test_w3_statements_within_a_parameter
W3    the same from the server                                            integration/test_hostile_upstream.py::test_lie_ends_the_session
W4    a server that lies about rows and errors                            bypass/test_wire_attacks.py::test_w4_rows_that_no_mask_fits
W4    a nonce or a number of iterations that costs                        integration/test_hostile_upstream.py::test_scram_nonce_that_is_not_ours
W5    cancel with a guessed key                                           integration/test_cancel.py::test_wrong_key_cancels_nothing
W5    cancel with an old key                                              integration/test_cancel.py::test_key_of_an_ended_session_is_forgotten
W6    protocol 3.2, options of the protocol                               integration/test_login.py::test_newer_protocol_is_negotiated_down
W7    a client that demands channel binding                               bypass/test_wire_attacks.py::test_w7_channel_binding_is_not_pretended
W8    Flush instead of Sync while a mask comes into force                 bypass/test_wire_attacks.py::test_w8_without_a_sync
====  ==================================================================  ==================================================
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from harness import corpus, wire
from harness.gateway import Gateway, Login
from harness.hostile import HostileServer
from harness.postgres import Database
from harness.wire import COPY_DONE, FLUSH, SYNC, Client, Message, Refused

from bypass.conftest import POLICY

EVIL = "SELECT email, ssn FROM docs WHERE id = 1"
OPEN = "SELECT title FROM docs WHERE id = 1"
TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def client(attacker: Login) -> Iterator[Client]:
    with attacker.wire(timeout=30) as connected:
        yield connected
        assert corpus.secrets_in(connected.received) == []


def test_every_technique_has_its_test() -> None:
    """The table above names them all, and tests that exist."""
    rows = re.findall(r"^([PLW]\d+) .* (\S+\.py)::(\w+)$", __doc__, re.MULTILINE)
    expected = {f"P{n:02}" for n in range(1, 21)} | {f"L{n}" for n in range(1, 7)} | {f"W{n}" for n in range(1, 9)}
    assert {name for name, _, _ in rows} == expected
    for _, file, test in rows:
        assert f"def {test}(" in (TESTS / file).read_text(), f"{file}::{test}"


def test_p02_decided_at_every_step(client: Client) -> None:
    """Nothing of Parse, Bind, Describe or Execute shows more than the last; also when the statement is parsed again."""
    for _ in range(2):
        reply = client.exchange(
            wire.parse(EVIL),
            wire.describe(b"S"),
            wire.bind(),
            wire.describe(b"P"),
            wire.execute(),
            wire.bind(result_formats=[1]),
            wire.execute(),
        )
        assert reply.errors == []
        assert reply.rows == [[b"***", b"***"]] * 2
    denied = client.exchange(wire.parse("SELECT f_email(1)"), wire.bind(), wire.execute())
    assert denied.types == "EZ"


@pytest.mark.parametrize(
    "function", ["f_email(int4)", "lo_get(oid)", "pg_read_file(text)", "query_to_xml(text,bool,bool,text)"]
)
def test_p11_fast_path_to_the_secret(client: Client, prepared: Database, function: str) -> None:
    with prepared.connect() as direct:
        ((number,),) = direct.execute("SELECT %s::regprocedure::oid::int", (function,)).fetchall()
    argument = struct.pack("!i", 1) if "(int4)" in function or "(oid)" in function else b"SELECT email FROM docs"
    client.send(
        b"F", struct.pack("!Ihhh", number, 1, 1, 1) + struct.pack("!i", len(argument)) + argument + struct.pack("!h", 0)
    )
    reply = client.read_until(b"Z")
    assert reply.error.sqlstate in ("42501", "0A000")
    assert reply.of(b"V") == []
    assert client.query("SELECT 1").rows == [[b"1"]]


@pytest.mark.parametrize(
    "parameters",
    [
        {"options": "-c standard_conforming_strings=off"},
        {"options": "--standard-conforming-strings=off"},
        {"options": "-cstandard_conforming_strings=off"},
        {"options": "-c\\ standard_conforming_strings=off"},
        {"Standard_Conforming_Strings": "off"},
        {"standard_conforming_strings": "FALSE"},
        {"client_encoding": "SJIS"},
        {"CLIENT_ENCODING": "gbk"},
        {"options": "-c client_encoding=BIG5"},
        {"options": "-c role=svc2"},
        {"role": "svc2"},
        {"ROLE": "postgres"},
        {"session_authorization": "postgres"},
        {"options": "-c session_authorization=postgres"},
        {"options": "-c session_preload_libraries=auto_explain"},
        {"replication": "database"},
        {"replication": "true"},
        {"replication": "on"},
        {"replication": "1"},
        {"REPLICATION": "database"},
        {"options": "-c log_min_messages=debug5 -c client_min_messages=debug5"},
        {"options": "-c search_path=evil -c enable_seqscan=off"},
    ],
    ids=lambda parameters: "=".join(*parameters.items()),
)
def test_p15_to_p18_start_up(attacker: Login, parameters: dict[str, str]) -> None:
    """Refused; or, should it be let in, of no use."""
    try:
        with attacker.wire(parameters=parameters, timeout=30) as client:
            client.query("SELECT '\\', (SELECT 1) --' , email FROM docs")
            client.query(EVIL)
            client.query("IDENTIFY_SYSTEM")
            assert client.query("SHOW standard_conforming_strings").rows == [[b"on"]]
            assert client.query("SHOW client_encoding").rows == [[b"UTF8"]]
            assert client.query("SELECT current_user").rows == [[b"svc"]]
            assert corpus.secrets_in(client.received) == []
    except Refused as refused:
        assert refused.error.sqlstate == "0A000"


@pytest.mark.parametrize(
    "lead",
    [b"\x95\x5c", b"\xd5\x5c", b"\x81\x5c", b"\xa4\x5c", b"\xc0\x27", b"\xe0\x80\xa7", b"\xf0\x80\x80\xa7"],
    ids=lambda lead: lead.hex(),
)
@pytest.mark.parametrize(
    "before", ["", "SET client_encoding = 'SJIS'", "SET NAMES 'GBK'", "SET client_encoding TO DEFAULT"]
)
def test_p16_bytes_that_hide_a_backslash(client: Client, lead: bytes, before: str) -> None:
    """In Shift-JIS, GBK or as an overlong form the second byte is no backslash, and the literal ends elsewhere."""
    if before:
        client.query(before)
    sql = b"SELECT E'" + lead + b"', (SELECT 1) --' , email FROM docs WHERE id = 1\n"
    for reply in (
        client.query(sql),
        client.extended(sql),
        client.exchange(wire.parse(b"SELECT $1"), wire.bind([lead]), wire.execute()),
    ):
        assert corpus.secrets_in(reply.bytes) == []
    assert client.query("SELECT 1").rows == [[b"1"]]


@pytest.mark.parametrize("role", ["svc", "postgres"])
@pytest.mark.parametrize(
    "command",
    ["IDENTIFY_SYSTEM", "START_REPLICATION SLOT s LOGICAL 0/0", "START_REPLICATION 0/0", "BASE_BACKUP", "BASE_BACKUP (LABEL 'x', TARGET 'server')",
     "READ_REPLICATION_SLOT s", "CREATE_REPLICATION_SLOT s LOGICAL test_decoding", "TIMELINE_HISTORY 1", "UPLOAD_MANIFEST"],
)  # fmt: skip
def test_p19_p20_replication_commands(attacker: Login, command: str, role: str) -> None:
    with attacker.wire(user=role, timeout=30) as client:
        for reply in (client.query(command), client.extended(command)):
            assert reply.error
            assert reply.of(b"W") == reply.of(b"H") == reply.of(b"d") == []
        assert client.query("SELECT 1").rows == [[b"1"]]


@pytest.mark.parametrize("tail", [EVIL.encode() + b"\0", b"\0", b"x", b"\0" * 8])
@pytest.mark.parametrize("kind", [b"Q", b"P"])
def test_l6_a_second_statement_behind_the_end(attacker: Login, kind: bytes, tail: bytes) -> None:
    """What one parser ends at a NUL another reads on."""
    with attacker.wire(timeout=30) as client:
        head = b"SELECT 1\0" if kind == b"Q" else b"\0SELECT 1\0" + struct.pack("!h", 0)
        client.send(kind, head + tail)
        client.send_all(SYNC)
        seen = client.read_to_end()
        assert seen.closed
        assert seen.error.sqlstate == "08P01"
        assert seen.rows == []


@pytest.mark.parametrize("when", ["before the password", "with the password", "after login", "within a pipeline"])
def test_w2_start_up_as_another(attacker: Login, when: str) -> None:
    """Whoever starts up twice is not let in as the second, nor with a second connection's masks."""
    second = wire.startup_message({"user": "postgres", "database": attacker.connection, "options": "-c role=postgres"})
    with Client(attacker.gateway.port) as client:
        client.start_tls()
        first = wire.startup_message({"user": attacker.role, "database": attacker.connection})
        password = Message(b"p", wire.text(attacker.token)).bytes
        match when:
            case "before the password":
                client.send_raw(first + second + password)
            case "with the password":
                client.send_raw(first)
                client.read_until(b"R")
                client.send_raw(password + second)
            case "after login":
                client.send_raw(first + password)
                client.read_until(b"Z")
                client.send_raw(second)
            case _:
                client.send_raw(first + password)
                client.read_until(b"Z")
                client.send_raw(wire.parse(EVIL).bytes + second + wire.bind().bytes + wire.execute().bytes + SYNC.bytes)
        seen = client.read_to_end()
        assert seen.closed
        assert seen.rows == []
        assert corpus.secrets_in(client.received) == []


@pytest.mark.parametrize("claimed", [0, 2**31 - 1, -1, -2, -(2**31), 2**16, 1 << 30])
def test_w3_statements_within_a_parameter(attacker: Login, claimed: int) -> None:
    """A value holds whole messages; a length that wraps around would make them the gateway's own (CVE-2024-27304)."""
    smuggled = Message(b"Q", wire.text(EVIL)).bytes * 4
    with attacker.wire(timeout=30) as client:
        body = b"\0\0" + struct.pack("!hh", 0, 1) + struct.pack("!i", claimed) + smuggled + struct.pack("!h", 0)
        client.send_all(wire.parse("SELECT length($1::text)"), Message(b"B", body), wire.execute(), SYNC)
        seen = client.read_until(b"Z")
        assert seen.rows == []
        assert seen.error
        assert corpus.secrets_in(client.received) == []
    with attacker.wire(timeout=30) as client:  # of honest length it is a value
        assert client.extended("SELECT length($1::bytea)", [smuggled], formats=[1]).rows == [
            [str(len(smuggled)).encode()]
        ]


def test_w3_a_message_longer_than_its_sum_in_32_bits(attacker: Login) -> None:
    """Many parameters whose lengths add up to 2^32 and a little."""
    with attacker.wire(timeout=30) as client:
        lengths = struct.pack("!i", 2**31 - 1) + b"x" * 100 + struct.pack("!i", 2**31 - 1) + b"x" * 100
        client.send(
            b"B",
            b"\0\0" + struct.pack("!hh", 0, 3) + lengths + struct.pack("!i", 40) + Message(b"Q", wire.text(EVIL)).bytes,
        )
        seen = client.read_to_end()
        assert seen.closed
        assert seen.rows == []


# A description of one text column, for what a lying server says.
_COLUMN = Message(b"T", struct.pack("!h", 1) + b"title\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)).bytes
_ROW = Message(b"D", struct.pack("!hi", 1, 12) + b"s3cr3t.alice").bytes
_DONE = Message(b"C", b"SELECT 1\0").bytes + Message(b"Z", b"I").bytes


@pytest.fixture(scope="module")
def liar(attacker: Login, prepared: Database) -> Iterator[HostileServer]:
    with HostileServer(prepared.server.port) as server:
        attacker.gateway.add_connection("liar", prepared, {"svc": "svc"}, port=server.port)
        yield server


@pytest.mark.parametrize(
    "script",
    [
        _ROW + _DONE,
        Message(b"T", struct.pack("!h", 0)).bytes + _ROW + _DONE,
        _COLUMN + Message(b"D", struct.pack("!hi", 2, 12) + b"s3cr3t.alice" + struct.pack("!i", -1)).bytes + _DONE,
        Message(b"H", struct.pack("!bh", 0, 1) + b"\0\0").bytes + Message(b"d", b"s3cr3t.alice\n").bytes + Message(b"c", b"").bytes + _DONE,
        Message(b"V", struct.pack("!i", 12) + b"s3cr3t.alice").bytes + _DONE,
        Message(b"A", struct.pack("!i", 1) + b"s3cr3t.alice\0x\0").bytes + _COLUMN + _DONE,
        Message(b"K", b"s3cr3t.alice").bytes + _DONE,
        Message(b"E", b"SERROR\0Ms3cr3t.alice\0\0").bytes + Message(b"Z", b"I").bytes,
        Message(b"E", b"SERROR\0C22P02\0Mx\0Ds3cr3t.alice\0Hs3cr3t.alice\0Ws3cr3t.alice\0ns3cr3t.alice\0\0").bytes + Message(b"Z", b"I").bytes,
        Message(b"N", b"SNOTICE\0C00000\0Ms3cr3t.alice\0qs3cr3t.alice\0\0").bytes + _COLUMN + _DONE,
        Message(b"S", b"application_name\0s3cr3t.alice\0").bytes + _COLUMN + _DONE,
        Message(b"S", b"my.own\0s3cr3t.alice\0").bytes + _COLUMN + _DONE,
    ],
    ids=["no description", "no columns", "another number of cells", "COPY", "function result", "notification", "key", "error without a code",
         "error", "notice", "setting of ours", "setting of its own"],
)  # fmt: skip
def test_w4_rows_that_no_mask_fits(attacker: Login, liar: HostileServer, script: bytes) -> None:
    """A masked statement's answer, by a server that does not keep to the protocol: no secret passes by another message."""
    liar.say(script)
    with attacker.wire(database="liar", timeout=30) as client:
        client.send(b"Q", wire.text("SELECT email, 'mischief' FROM docs"))
        client.read_until(b"Z")
        assert corpus.secrets_in(client.received) == []


def test_w7_channel_binding_is_not_pretended(attacker: Login) -> None:
    """A client that demands it hears that it is not to be had, before it has shown its token."""
    with pytest.raises(psycopg.OperationalError, match="channel binding"):
        psycopg.connect(attacker.conninfo(channel_binding="require"))
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(attacker.conninfo(require_auth="scram-sha-256"))


def test_w8_without_a_sync(prepared: Database) -> None:
    """The pipeline stays open while a mask comes into force: what runs after that is masked or refused, Sync or not."""
    with Gateway(policy="rules:\n  - name: everything\n    match: {verb: '*'}\n    allow: true\n") as gateway:
        gateway.add_connection("docs", prepared, {"svc": "svc"})
        with gateway.login("ana", role="svc").wire(timeout=30) as client:
            statement = [wire.parse("SELECT email FROM docs ORDER BY id", "s"), wire.bind(portal="p", statement="s")]
            client.send_all(*statement, wire.execute("p", max_rows=1), FLUSH)
            assert client.read_until(b"s").rows == [[b"s3cr3t.alice@corp.example"]]
            gateway.load_policy(POLICY)
            seen = len(client.received)
            client.send_all(
                wire.execute("p", max_rows=1),
                FLUSH,
                wire.bind(portal="q", statement="s"),
                wire.execute("q"),
                FLUSH,
                SYNC,
            )
            client.read_until(b"Z")
            client.exchange(wire.bind(statement="s"), wire.execute())
            assert corpus.secrets_in(client.received[seen:]) == []


def test_w8_copy_that_never_ends(client: Client) -> None:
    """Within COPY FROM the client has the word: what else it says there is not run."""
    begun = client.query("COPY sink (data) FROM STDIN")
    assert begun[-1].type == b"G"
    client.send_all(Message(b"d", b"x\n"), FLUSH, SYNC, Message(b"Q", wire.text(EVIL)), COPY_DONE)
    seen = client.read_until(b"Z")
    assert seen.rows == [] or seen.rows == [[b"***", b"***"]]
