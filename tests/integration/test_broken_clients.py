"""Clients that do not keep to the protocol, by accident or not: a clear end, a live process, bounded memory."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Iterator

import pytest
from harness import wire
from harness.gateway import Gateway, Login
from harness.wire import Client, Message


@pytest.fixture
def client(ana: Login) -> Iterator[Client]:
    with ana.wire(timeout=30) as connected:
        yield connected


def resident(gateway: Gateway) -> int:
    """MB."""
    with open(f"/proc/{gateway.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


def ends_clearly(client: Client) -> None:
    """FATAL with a code, and the end; no row, no ReadyForQuery."""
    seen = client.read_to_end()
    assert seen.closed
    assert seen.error.severity == "FATAL", seen
    assert seen.error.sqlstate in ("08P01", "54000", "53200"), seen
    assert seen.of(b"Z") == []


BROKEN = {
    "L1 length 3": b"Q" + struct.pack("!i", 3),
    "L2 length -1": b"Q" + struct.pack("!i", -1),
    "L3 length 2^31-1": b"Q" + struct.pack("!i", 2**31 - 1) + b"SELECT 1\0",
    "length 0": b"Q" + struct.pack("!i", 0),
    "length -2^31": b"P" + struct.pack("!i", -(2**31)),
    "L4 unknown type": Message(b"y", b"\0").bytes,
    "type of a server": Message(b"T", b"\0\0").bytes,
    "type zero": Message(b"\0", b"").bytes,
    "L5 Query without its end": Message(b"Q", b"SELECT 1").bytes,
    "L6 Query with bytes behind its end": Message(b"Q", b"SELECT 1\0SELECT 2\0").bytes,
    "empty Query": Message(b"Q", b"").bytes,
    "Sync with a body": Message(b"S", b"x").bytes,
    "Sync of 20 kB": Message(b"S", b"x" * 20_000).bytes,
    "Flush with a body": Message(b"H", b"x").bytes,
    "Parse without parameters": Message(b"P", b"s\0SELECT 1\0").bytes,
    "Parse with fewer types than it says": Message(b"P", b"s\0SELECT 1\0" + struct.pack("!hI", 9, 23)).bytes,
    "Parse with -1 types": Message(b"P", b"s\0SELECT 1\0" + struct.pack("!h", -1)).bytes,
    "Bind cut short": Message(b"B", b"\0\0\0").bytes,
    "Bind with a value longer than itself": Message(b"B", b"\0\0" + struct.pack("!hhi", 0, 1, 1000) + b"x").bytes,
    "Bind with a value of length -2": Message(b"B", b"\0\0" + struct.pack("!hhih", 0, 1, -2, 0)).bytes,
    "Bind with format 7": Message(b"B", b"\0\0" + struct.pack("!hhhh", 1, 7, 0, 0)).bytes,
    "Describe of nothing": Message(b"D", b"X\0").bytes,
    "Describe without a name's end": Message(b"D", b"Sx").bytes,
    "Close of nothing": Message(b"C", b"?\0").bytes,
    "Execute without a limit": Message(b"E", b"\0").bytes,
    "password again": Message(b"p", b"x\0").bytes,
    "Terminate with a body": Message(b"X", b"bye").bytes,
    "SSLRequest in the session": struct.pack("!ii", 8, wire.SSL_REQUEST),
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
def test_broken_message(ana: Login, client: Client, raw: bytes) -> None:
    """Strict decoding: the session ends, nothing of the message is guessed, others go on."""
    client.query("SELECT 1")
    client.send_raw(raw)
    seen = client.read_to_end()
    assert seen.closed
    assert seen.rows == []
    if raw[:1] != b"X":
        assert seen.error.severity == "FATAL", seen
        assert seen.error.sqlstate == "08P01" or seen.error.sqlstate.startswith("5"), seen
    with ana.wire() as other:
        assert other.query("SELECT 1").rows == [[b"1"]]


def test_bytes_after_terminate_are_not_read(gateway: Gateway, client: Client) -> None:
    client.query("SELECT 1")
    client.send_all(wire.TERMINATE, Message(b"Q", wire.text("SELECT 'after the end'")))
    assert client.read_to_end() == []
    assert gateway.operations(text="after the end") == []


@pytest.mark.parametrize(
    "sql",
    [b"SELECT '\xff'", b"SELECT '\xc3'", b"SELECT '\xed\xa0\x80'", b"SELECT '\xc0\xaf'", b"SELECT '\xf4\x90\x80\x80'",
     b"SELECT \"\x80\"", b"-- \xfe\nSELECT 1"],
    ids=lambda sql: sql.hex(),
)  # fmt: skip
def test_invalid_utf8(client: Client, sql: bytes) -> None:
    """Bytes that two parsers could read differently pass nowhere, as the server would say; the session goes on."""
    for reply in (client.query(sql), client.extended(sql)):
        assert reply.error.sqlstate == "22021", reply
        assert reply.status == "I"
    assert client.query("SELECT 1").rows == [[b"1"]]


def test_invalid_utf8_in_names(client: Client) -> None:
    """Of statements and portals: refused or passed as they are, but nothing ends but the pipeline."""
    reply = client.exchange(wire.parse("SELECT 1", b"\xff".decode("latin-1")), wire.SYNC)
    assert reply.types[-1] == "Z" or reply.closed


DEEP = {
    "parentheses": "SELECT " + "(" * 100_000 + "1" + ")" * 100_000,
    "additions": "SELECT " + "1+" * 100_000 + "1",
    "negations": "SELECT " + "NOT " * 100_000 + "true",
    "minus": "SELECT " + "- " * 100_000 + "1",
    "and": "SELECT 1 WHERE " + "true AND " * 50_000 + "true",
    "or": "SELECT 1 WHERE " + "1=1 OR " * 50_000 + "1=1",
    "unions": "SELECT 1" + " UNION ALL SELECT 1" * 30_000,
    "sub-selects": "SELECT * FROM (" * 20_000 + "SELECT 1" + ") q" * 20_000,
    "casts": "SELECT 1" + "::int" * 100_000,
    "indirection": "SELECT a" + "[1]" * 100_000 + " FROM docs",
    "cases": "SELECT " + "CASE WHEN true THEN " * 20_000 + "1" + " END" * 20_000,
    "joins": "SELECT 1 FROM docs" + " JOIN docs USING (id)" * 20_000,
    "arrays": "SELECT " + "ARRAY[" * 50_000 + "1" + "]" * 50_000,
    "function calls": "SELECT " + "abs(" * 50_000 + "1" + ")" * 50_000,
    "ctes": "WITH x AS (" * 10_000 + "SELECT 1" + ") SELECT 1" * 10_000,
    "explains": "EXPLAIN " * 50_000 + "SELECT 1",
    "row": "SELECT " + "ROW(" * 50_000 + "1" + ")" * 50_000,
    "open parentheses": "SELECT " + "(" * 500_000,
    "open comments": "/*" * 250_000,
}


@pytest.mark.parametrize("sql", DEEP.values(), ids=DEEP.keys())
def test_deep_statement(gateway: Gateway, client: Client, sql: str) -> None:
    """No depth brings the process down, or takes the server with it: an error, and the session goes on."""
    reply = client.query(sql)
    assert reply.error or reply.rows, reply
    assert not reply.closed
    assert client.query("SELECT 1").rows == [[b"1"]]
    assert gateway.process.exit_code() is None


WIDE = {
    "values": "VALUES " + ",".join(["(1)"] * 100_000),
    "targets": "SELECT " + ",".join(["1"] * 1600),
    "in list": "SELECT count(*) FROM docs WHERE id IN (" + ",".join(map(str, range(100_000))) + ")",
    "long literal": "SELECT length('" + "x" * 900_000 + "')",
    "long name": 'SELECT 1 AS "' + "n" * 500_000 + '"',
    "long number": "SELECT " + "9" * 100_000,
    "many statements": "SELECT 1;" * 20_000,
    "comment": "SELECT 1 /* " + "x" * 900_000 + " */",
    "white space": "SELECT" + " " * 900_000 + "1",
}


@pytest.mark.parametrize("sql", WIDE.values(), ids=WIDE.keys())
def test_wide_statement(client: Client, sql: str) -> None:
    """Passes as the server would take it, or is refused; the session goes on."""
    reply = client.query(sql)
    assert reply.error or reply.rows, reply
    assert not reply.closed
    assert client.query("SELECT 1").rows == [[b"1"]]


def test_statement_over_the_limit(client: Client) -> None:
    """Longer than limits.statement_size (1 MiB): refused, and the session goes on."""
    sql = "SELECT '" + "x" * (1 << 20) + "'"
    for reply in (client.query(sql), client.extended(sql)):
        assert reply.error.sqlstate == "54000", reply
        assert reply.status == "I"
    assert client.query("SELECT 1").rows == [[b"1"]]


def test_message_over_the_limit_is_not_waited_for(gateway: Gateway, client: Client) -> None:
    """A length beyond limits.message_size ends the session by its header; no memory is set aside for it."""
    client.query("SELECT 1")
    before = resident(gateway)
    client.send_raw(b"Q" + struct.pack("!i", 1 << 30) + b"x" * 10_000)
    ends_clearly(client)
    assert resident(gateway) - before < 64


def test_large_message_that_never_comes(gateway: Gateway, ana: Login) -> None:
    """Announcing much costs nothing: forty sessions that promise 60 MB each and send a little."""
    before = resident(gateway)
    clients = [ana.wire() for _ in range(40)]
    for client in clients:
        client.send_raw(b"Q" + struct.pack("!i", 60 << 20) + b"x" * 1000)
    with ana.wire() as other:
        assert other.query("SELECT 1").rows == [[b"1"]]
    assert resident(gateway) - before < 200
    for client in clients:
        client.abort()


def test_parameter_of_many_megabytes(client: Client) -> None:
    """30 MB in one Bind pass to the server."""
    value = b"y" * (30 << 20)
    reply = client.extended("SELECT length($1::text)", [value])
    assert not reply.error, reply
    assert reply.rows == [[str(len(value)).encode()]]


def test_a_byte_at_a_time(client: Client) -> None:
    """Messages may come in any pieces."""
    for byte in wire.Message(b"Q", wire.text("SELECT 41 + 1")).bytes:
        client.send_raw(bytes([byte]))
    assert client.read_until(b"Z").rows == [[b"42"]]


def test_a_pipeline_that_pauses(client: Client) -> None:
    """The gateway looks at the catalogue now and then, for which all answers must be in: also when the client, which has
    sent no Sync yet, will not make the server send them."""
    client.query("SELECT 1")
    question = [wire.parse("SELECT 7"), wire.bind(), wire.execute()]
    client.send_all(*question)
    time.sleep(2.5)  # longer than the catalogue is taken for current
    client.send_all(*question, wire.SYNC)
    assert client.read_until(b"Z").rows == [[b"7"], [b"7"]]


def test_looking_at_the_catalogue_takes_nothing_from_the_client(client: Client) -> None:
    """What the gateway asks between two messages leaves the unnamed statement alone, and does not end the pipeline's
    transaction."""
    client.query("SELECT 1")
    client.exchange(wire.parse("SELECT 7"))
    time.sleep(2.5)  # longer than the catalogue is taken for current
    assert client.exchange(wire.bind(), wire.execute()).rows == [[b"7"]]
    client.send_all(wire.parse("INSERT INTO notes VALUES (4711, 1, 'x')"), wire.bind(), wire.execute())
    time.sleep(2.5)
    client.send_all(wire.parse("SELECT 1/0"), wire.bind(), wire.execute(), wire.SYNC)
    assert client.read_until(b"Z").error.sqlstate == "22012"
    assert client.query("SELECT count(*) FROM notes WHERE id = 4711").rows == [[b"0"]]
    client.query("BEGIN")
    time.sleep(2.5)
    assert not client.query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").error
    client.query("ROLLBACK")


def test_thousands_of_messages_in_one_write(client: Client) -> None:
    """A long pipeline is answered in order and in full, although the gateway keeps only so many outstanding."""
    client.socket.settimeout(90)
    count = 3000
    messages = []
    for number in range(count):
        messages += [wire.parse("SELECT $1::int"), wire.bind([str(number).encode()]), wire.execute()]

    client.send_all(*messages, wire.SYNC)  # not from another thread: Python's TLS sockets are one thread's at a time
    reply = client.read_until(b"Z")
    assert not reply.error, reply
    assert [int(row[0]) for row in reply.rows] == list(range(count))


def test_a_hundred_thousand_syncs(gateway: Gateway, client: Client) -> None:
    """Each is answered; memory does not grow with them."""
    client.socket.settimeout(90)
    before = resident(gateway)
    count = 100_000
    chunk = 20_000  # two of them are more than the gateway keeps outstanding, and less than sockets hold
    client.send_raw(wire.SYNC.bytes * chunk)
    for sent in range(chunk, count + chunk, chunk):
        if sent < count:
            client.send_raw(wire.SYNC.bytes * chunk)
        for _ in range(chunk):
            assert client.read().type == b"Z"
    assert resident(gateway) - before < 64


def test_names_without_end(client: Client) -> None:
    """Prepared statements are bounded in number; beyond, an error and no growth without limit."""
    errors = 0
    for start in range(0, 12_000, 1000):
        reply = client.exchange(*[wire.parse("SELECT 1", f"s{start + i}") for i in range(1000)])
        errors += len(reply.errors)
        if errors:
            assert reply.error.sqlstate == "54000"
            break
    assert client.query("SELECT 1").rows == [[b"1"]]


@pytest.mark.parametrize("seed", range(20))
def test_noise(ana: Login, client: Client, seed: int) -> None:
    """Random messages with types of clients and random bodies: the gateway outlives them all."""
    chance = random.Random(seed)
    raw = b""
    for _ in range(200):
        kind = bytes([chance.choice(b"QPBDECSHdcfFpX")]) if chance.random() < 0.95 else bytes([chance.randrange(256)])
        body = bytes(chance.choices(b"\0\0\0\x01SELECT 1;xyz\xff", k=chance.randrange(40)))
        raw += Message(kind, body).bytes
    client.send_raw(raw)
    client.socket.shutdown(1)
    client.read_to_end()
    with ana.wire() as other:
        assert other.query("SELECT 1").rows == [[b"1"]]
