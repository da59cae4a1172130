"""A server that lies: whatever it says, the process lives, the session ends with a clear error, and other sessions go on."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from harness import wire
from harness.gateway import Gateway, Login
from harness.hostile import HostileServer
from harness.postgres import Database
from harness.wire import Message

READY = Message(b"Z", b"I").bytes
ONE_COLUMN = Message(b"T", struct.pack("!h", 1) + b"c\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)).bytes


def row(*cells: bytes) -> bytes:
    return Message(b"D", struct.pack("!h", len(cells)) + b"".join(struct.pack("!i", len(c)) + c for c in cells)).bytes


def message(kind: bytes, body: bytes = b"") -> bytes:
    return Message(kind, body).bytes


LIES = {
    "row before its description": row(b"x") + READY,
    "row after the end": ONE_COLUMN + row(b"x") + message(b"C", b"SELECT 1\0") + row(b"y") + READY,
    "two descriptions": ONE_COLUMN + ONE_COLUMN + row(b"x") + message(b"C", b"SELECT 1\0") + READY,
    "row with too few cells": ONE_COLUMN + row() + message(b"C", b"SELECT 1\0") + READY,
    "row with too many cells": ONE_COLUMN + row(b"a", b"b") + message(b"C", b"SELECT 1\0") + READY,
    "cell longer than its row": ONE_COLUMN + message(b"D", struct.pack("!hi", 1, 1000) + b"x") + READY,
    "cell of length -2": ONE_COLUMN + message(b"D", struct.pack("!hi", 1, -2)) + READY,
    "row with bytes left over": ONE_COLUMN + message(b"D", struct.pack("!hi", 1, 1) + b"xyz") + READY,
    "negative number of cells": ONE_COLUMN + message(b"D", struct.pack("!h", -1)) + READY,
    "description cut short": message(b"T", struct.pack("!h", 3) + b"c\0") + READY,
    "length 3": b"D" + struct.pack("!i", 3),
    "length -1": b"D" + struct.pack("!i", -1),
    "length 2^31-1 for an error": b"E" + struct.pack("!i", 2**31 - 1) + b"x" * 1000,
    "length 2^31-1 for ReadyForQuery": b"Z" + struct.pack("!i", 2**31 - 1) + b"x" * 1000,
    "description of 20 MB": b"T" + struct.pack("!i", 20 << 20) + b"x" * 100_000,
    "unknown message": message(b"?", b"what"),
    "lower case q": message(b"q", b""),
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "noise": bytes(range(256)) * 8,
    "CopyBoth": message(b"W", struct.pack("!bh", 0, 0)),
    "CopyOut for a SELECT": message(b"H", struct.pack("!bh", 0, 1) + b"\0\0") + message(b"d", b"secret\n") + message(b"c"),
    "CopyIn for a SELECT": message(b"G", struct.pack("!bh", 0, 0)),
    "CopyData out of turn": message(b"d", b"secret\n") + READY,
    "FunctionCallResponse": message(b"V", struct.pack("!i", 3) + b"abc") + READY,
    "another login": message(b"R", struct.pack("!i", 3)),
    "another key": message(b"K", b"\0" * 8) + READY,
    "negotiation": message(b"v", struct.pack("!ii", 0x30000, 0)) + READY,
    "BindComplete for a simple query": message(b"2") + READY,
    "ParameterDescription for a simple query": message(b"t", struct.pack("!hi", 1, 25)) + READY,
    "PortalSuspended for a simple query": ONE_COLUMN + row(b"x") + message(b"s") + READY,
    "ReadyForQuery at once": READY,
    "ReadyForQuery with an odd status": ONE_COLUMN + message(b"C", b"SELECT 0\0") + message(b"Z", b"X"),
    "ReadyForQuery of two bytes": ONE_COLUMN + message(b"C", b"SELECT 0\0") + message(b"Z", b"II"),
    "two ends": ONE_COLUMN + message(b"C", b"SELECT 0\0") * 2 + READY,
    "tag without its end": ONE_COLUMN + message(b"C", b"SELECT 1") + READY,
    "error without a field's end": message(b"E", b"SERROR") + READY,
    "notice without a field's end": message(b"N", b"SNOTICE") + READY,
    "parameter without a value": message(b"S", b"TimeZone\0") + READY,
    "standard_conforming_strings off": message(b"S", b"standard_conforming_strings\0off\0") + READY,
    "client_encoding SJIS": message(b"S", b"client_encoding\0SJIS\0") + READY,
}


def resident(gateway: Gateway) -> int:
    """Memory in MiB."""
    with open(f"/proc/{gateway.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


@pytest.fixture(scope="module")
def hostile(gateway: Gateway, documents_database: Database) -> Iterator[HostileServer]:
    with HostileServer(documents_database.server.port) as server:
        gateway.add_connection("hostile", documents_database, {"reader": "app"}, port=server.port)
        yield server


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_lie_ends_the_session(gateway: Gateway, ana: Login, hostile: HostileServer, lie: bytes) -> None:
    """The client hears that the session is over; nothing that is out of turn reaches it."""
    hostile.say(lie, hang_up=False)
    with ana.wire(timeout=20) as bystander, ana.wire(database="hostile", timeout=20) as client:
        client.query("SELECT 1")
        client.send(b"Q", wire.text("SELECT 'mischief'"))
        seen = client.read_to_end()
        assert seen.closed
        assert seen.error.severity == "FATAL", seen
        assert b"secret" not in seen.bytes
        assert seen.of(b"Z") == []
        assert bystander.query("SELECT 1").rows == [[b"1"]]


def test_error_without_a_sqlstate_is_made_whole(ana: Login, hostile: HostileServer) -> None:
    """Drivers rely on a code: one that is missing or malformed is replaced, and the session goes on or ends clearly."""
    for fields in (b"SERROR\0MSomething\0\0", b"SERROR\0Cx\0MSomething\0\0", b"\0"):
        hostile.say(message(b"E", fields) + READY)
        with ana.wire(database="hostile", timeout=20) as client:
            client.query("SELECT 1")
            client.send(b"Q", wire.text("SELECT 'mischief'"))
            seen = client.read_until(b"Z")
            assert len(seen.error.sqlstate) == 5
            assert seen.error.message


def test_more_answers_than_questions(ana: Login, hostile: HostileServer) -> None:
    """A second ReadyForQuery would answer the next statement with what was said before it: the session ends instead."""
    hostile.say(ONE_COLUMN + message(b"C", b"SELECT 0\0") + READY + ONE_COLUMN + row(b"stale") + READY)
    with ana.wire(database="hostile", timeout=20) as client:
        client.query("SELECT 1")
        client.send(b"Q", wire.text("SELECT 'mischief'"))
        assert client.read_until(b"Z").rows == []
        client.send(b"Q", wire.text("SELECT 5"))
        seen = client.read_to_end()
        assert seen.error.severity == "FATAL"
        assert b"stale" not in seen.bytes


def test_floods_need_no_memory(gateway: Gateway, ana: Login, hostile: HostileServer) -> None:
    """Settings without end, of one name or of many, and rows of 30,000 columns."""
    one_row = message(b"D", struct.pack("!h", 30_000) + b"\0\0\0\0" * 30_000)
    wide = message(b"T", struct.pack("!h", 30_000) + (b"c\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)) * 30_000)
    for flood in (
        message(b"S", b"TimeZone\0UTC\0") * 20_000 + ONE_COLUMN,
        b"".join(message(b"S", b"n%d\0" % n + b"v" * 200 + b"\0") for n in range(20_000)) + ONE_COLUMN,
        wide + one_row * 50,
    ):
        hostile.say(flood + message(b"C", b"SELECT 0\0") + READY)
        with ana.wire(database="hostile", timeout=60) as client:
            client.query("SELECT 1")
            before = resident(gateway)
            client.send(b"Q", wire.text("SELECT 'mischief'"))
            assert client.read_until(b"Z").status == "I"
            assert client.query("SELECT 5").rows == [[b"5"]]
            assert resident(gateway) - before < 64


def test_server_that_hangs_up_within_a_message(ana: Login, hostile: HostileServer) -> None:
    hostile.say(ONE_COLUMN + row(b"x" * 1000)[:-100], hang_up=True)
    with ana.wire(database="hostile", timeout=20) as client:
        client.query("SELECT 1")
        client.send(b"Q", wire.text("SELECT 'mischief'"))
        seen = client.read_to_end()
        assert seen.closed
        assert seen.error.sqlstate[:2] in ("08", "57")


def test_endless_notices_need_no_memory(gateway: Gateway, ana: Login, hostile: HostileServer) -> None:
    """100,000 notices of a kilobyte pass or are dropped, but are not kept."""
    notice = message(b"N", b"SNOTICE\0VNOTICE\0C00000\0M" + b"m" * 1000 + b"\0\0")
    hostile.say(notice * 100_000 + ONE_COLUMN + message(b"C", b"SELECT 0\0") + READY)
    with ana.wire(database="hostile", timeout=60) as client:
        client.query("SELECT 1")
        start = resident(gateway)
        client.send(b"Q", wire.text("SELECT 'mischief'"))
        seen = client.read_until(b"Z")
        assert seen.status == "I"
        assert resident(gateway) - start < 128


@pytest.mark.parametrize(
    "greeting",
    [
        b"",
        b"N",
        b"\0" * 100,
        b"HTTP/1.1 200 OK\r\n\r\n",
        message(b"R", struct.pack("!i", 0)) + message(b"Z", b"I") + row(b"x"),
        message(b"R", struct.pack("!i", 2)),  # Kerberos V5
        message(b"R", struct.pack("!i", 5) + b"salt"),  # MD5
        message(b"R", struct.pack("!i", 99)),
        message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-1\0\0"),
        message(b"R", struct.pack("!i", 11) + b"r=x,s=y,i=1"),
        message(b"R", struct.pack("!i", 12) + b"v=x"),
        message(b"R", b""),
        message(b"S", b"a\0b\0") * 5000,
        message(b"D", b"\0\0"),
        message(b"E", b"SFATAL\0MNo\0\0"),
        b"E" + struct.pack("!i", 2**31 - 1),
        message(b"R", struct.pack("!i", 0)) + message(b"K", b"x") + READY,
    ],
    ids=["silence", "N", "zeros", "HTTP", "row behind ready", "Kerberos", "MD5", "method 99", "SCRAM-SHA-1",
         "challenge unasked", "proof unasked", "empty", "endless parameters", "row", "error without code", "huge error",
         "short key"],
)  # fmt: skip
def test_hostile_login(gateway: Gateway, ana: Login, documents_database: Database, greeting: bytes) -> None:
    """Nobody is let in by a server that does not log in as PostgreSQL does; the error is the same for the client."""
    with HostileServer(documents_database.server.port) as server:
        server.greeting = greeting
        gateway.add_connection("greeter", documents_database, {"reader": "app"}, port=server.port)
        try:
            with pytest.raises(wire.Refused) as refused:
                ana.wire(database="greeter", timeout=30)
            assert refused.value.error.sqlstate == "08006"
        finally:
            gateway.cli("connection", "delete", "greeter")


def test_scram_nonce_that_is_not_ours(gateway: Gateway, ana: Login, documents_database: Database) -> None:
    """A challenge that does not extend the client's nonce, or asks for 2 billion iterations, is not answered."""
    for first in (b"r=abcdefgh,s=c2FsdA==,i=4096", b"r=abcdefgh,s=c2FsdA==,i=2147483647", b"r=" + b"x" * 29_000):
        with HostileServer(documents_database.server.port) as server:
            server.greeting = message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0") + message(
                b"R", struct.pack("!i", 11) + first
            )
            gateway.add_connection("scram", documents_database, {"reader": "app"}, port=server.port)
            with pytest.raises(wire.Refused):
                ana.wire(database="scram", timeout=30)
            gateway.cli("connection", "delete", "scram")
