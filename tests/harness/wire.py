"""A PostgreSQL client that hides nothing: every message of the protocol, version 3, as it came over the wire.

Drivers tidy up what a server says. An attack test must not: a masked value has leaked when it stands in *any* byte that the
client received, be that a row, an error's detail, a notice or a parameter. So this client keeps each message as
(type, body), and decoding is a separate step.

    with Client.connect(port, user="svc", database="docs", password=token, tls=True) as client:
        reply = client.query("SELECT 1")           # an Exchange: a list of Messages
        reply.rows, reply.error, reply.notices, reply.tags
        client.extended("SELECT $1::int", [b"7"])  # Parse, Bind, Describe, Execute, Sync
        client.send(b"Q", b"SELECT 1\\0")           # anything at all
        client.send_raw(b"\\x00" * 9)
        client.read_until(b"Z")
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from harness.scram import Scram

PROTOCOL_3_0 = 0x00030000
PROTOCOL_3_2 = 0x00030002
SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102


class Message(NamedTuple):
    """One message: its type, one byte (empty for what the start of a connection sends without), and its body."""

    type: bytes
    body: bytes

    @property
    def bytes(self) -> bytes:
        return self.type + struct.pack("!i", len(self.body) + 4) + self.body

    def __repr__(self) -> str:
        return f"<{self.type.decode('latin-1')} {BACKEND_MESSAGES.get(self.type, '?')} {self.body[:200]!r}>"


BACKEND_MESSAGES = {
    b"1": "ParseComplete", b"2": "BindComplete", b"3": "CloseComplete", b"A": "NotificationResponse",
    b"C": "CommandComplete", b"D": "DataRow", b"E": "ErrorResponse", b"G": "CopyInResponse",
    b"H": "CopyOutResponse", b"I": "EmptyQueryResponse", b"K": "BackendKeyData", b"N": "NoticeResponse",
    b"R": "Authentication", b"S": "ParameterStatus", b"T": "RowDescription", b"V": "FunctionCallResponse",
    b"W": "CopyBothResponse", b"Z": "ReadyForQuery", b"c": "CopyDone", b"d": "CopyData", b"n": "NoData",
    b"s": "PortalSuspended", b"t": "ParameterDescription", b"v": "NegotiateProtocolVersion",
}  # fmt: skip


# -- decoding: the body of a message -> what it says -------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """One field of a RowDescription."""

    name: str
    table: int
    number: int
    type: int
    size: int
    modifier: int
    format: int


class CopyResponse(NamedTuple):
    """CopyInResponse, CopyOutResponse or CopyBothResponse."""

    format: int
    column_formats: tuple[int, ...]


class Fields(dict[str, str]):
    """The fields of an ErrorResponse or NoticeResponse by their letters; the ones asked for most also by name."""

    @property
    def severity(self) -> str:
        return self.get("V", self.get("S", ""))

    @property
    def sqlstate(self) -> str:
        return self.get("C", "")

    @property
    def message(self) -> str:
        return self.get("M", "")

    @property
    def detail(self) -> str:
        return self.get("D", "")

    @property
    def hint(self) -> str:
        return self.get("H", "")

    def __str__(self) -> str:
        return f"{self.severity} {self.sqlstate}: {self.message} {self.detail} {self.hint}".rstrip()


class Reader:
    """Reads a message's body from front to back; raises ValueError where it is too short."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise ValueError(f"message too short: wanted {count} bytes at {self._at} of {len(self._data)}")
        self._at += count
        return self._data[self._at - count : self._at]

    def integers(self, layout: str) -> tuple[int, ...]:
        return struct.unpack("!" + layout, self.take(struct.calcsize("!" + layout)))

    def text(self) -> str:
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise ValueError("string without its end in a message")
        value = self._data[self._at : end].decode("utf-8", "surrogateescape")
        self._at = end + 1
        return value


def columns(body: bytes) -> list[Column]:
    """RowDescription."""
    reader = Reader(body)
    (count,) = reader.integers("h")
    return [Column(reader.text(), *reader.integers("ihihih")) for _ in range(count)]


def cells(body: bytes) -> list[bytes | None]:
    """DataRow: each cell's bytes, None for NULL."""
    reader = Reader(body)
    (count,) = reader.integers("h")
    row: list[bytes | None] = []
    for _ in range(count):
        (length,) = reader.integers("i")
        row.append(None if length < 0 else reader.take(length))
    return row


def fields(body: bytes) -> Fields:
    """ErrorResponse and NoticeResponse."""
    reader = Reader(body)
    found = Fields()
    while (letter := reader.take(1)) != b"\0":
        found[letter.decode("latin-1")] = reader.text()
    return found


def copy_response(body: bytes) -> CopyResponse:
    reader = Reader(body)
    overall, count = reader.integers("bh")
    return CopyResponse(overall, reader.integers(f"{count}h"))


def parameter_types(body: bytes) -> tuple[int, ...]:
    """ParameterDescription: the type of each parameter."""
    reader = Reader(body)
    (count,) = reader.integers("h")
    return reader.integers(f"{count}I")


def notification(body: bytes) -> tuple[int, str, str]:
    """NotificationResponse: process, channel, payload."""
    reader = Reader(body)
    return reader.integers("i")[0], reader.text(), reader.text()


def negotiation(body: bytes) -> tuple[int, list[str]]:
    """NegotiateProtocolVersion: the newest minor version, the options not understood."""
    reader = Reader(body)
    version, count = reader.integers("ii")
    return version, [reader.text() for _ in range(count)]


# -- what came back ----------------------------------------------------------------------------------------------


class Exchange(list[Message]):
    """The messages that answered one request, in their order. `closed`: the server hung up instead of finishing."""

    closed = False

    @property
    def bytes(self) -> bytes:
        return b"".join(message.bytes for message in self)

    @property
    def types(self) -> str:
        """The types as a string, for asserts on the order: 'TDDCZ'."""
        return b"".join(message.type for message in self).decode("latin-1")

    def of(self, kind: bytes) -> list[bytes]:
        """The bodies of the messages of a type."""
        return [message.body for message in self if message.type == kind]

    @property
    def columns(self) -> list[Column]:
        """Of the first row description."""
        descriptions = self.of(b"T")
        return columns(descriptions[0]) if descriptions else []

    @property
    def rows(self) -> list[list[bytes | None]]:
        return [cells(body) for body in self.of(b"D")]

    @property
    def tags(self) -> list[str]:
        return [body[:-1].decode() for body in self.of(b"C")]

    @property
    def errors(self) -> list[Fields]:
        return [fields(body) for body in self.of(b"E")]

    @property
    def error(self) -> Fields:
        """The first error; without fields, and so false, when there was none."""
        return next(iter(self.errors), Fields())

    @property
    def notices(self) -> list[Fields]:
        return [fields(body) for body in self.of(b"N")]

    @property
    def copied(self) -> bytes:
        """What COPY TO sent, all of it."""
        return b"".join(self.of(b"d"))

    @property
    def status(self) -> str:
        """Of the last ReadyForQuery: I idle, T in a transaction, E in a failed one; empty when there was none."""
        ready = self.of(b"Z")
        return ready[-1].decode() if ready else ""


class Closed(ConnectionError):
    """The server hung up. `seen`: the messages before that, of the step that was under way."""

    def __init__(self, seen: Exchange) -> None:
        super().__init__(f"the server closed the connection after {seen!r}")
        seen.closed = True
        self.seen = seen


class Refused(ConnectionError):
    """The server answered the start of the connection with an error."""

    def __init__(self, seen: Exchange) -> None:
        super().__init__(str(seen.error))
        self.seen = seen
        self.error = seen.error


# -- the messages of a client --------------------------------------------------------------------------------------


def text(value: str | bytes) -> bytes:
    """A string of the protocol: with the NUL at its end."""
    return (value.encode() if isinstance(value, str) else value) + b"\0"


def startup_message(parameters: Mapping[str, str], protocol: int = PROTOCOL_3_0) -> bytes:
    body = struct.pack("!i", protocol)
    body += b"".join(text(key) + text(value) for key, value in parameters.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def cancel_message(process: int, secret: bytes) -> bytes:
    return struct.pack("!iii", 12 + len(secret), CANCEL_REQUEST, process) + secret


def parse(sql: str | bytes, name: str = "", types: Sequence[int] = ()) -> Message:
    return Message(b"P", text(name) + text(sql) + struct.pack(f"!h{len(types)}I", len(types), *types))


def bind(
    parameters: Sequence[bytes | None] = (),
    *,
    portal: str = "",
    statement: str = "",
    formats: Sequence[int] = (),
    result_formats: Sequence[int] = (),
) -> Message:
    """`formats`: none (all text), one for all, or one for each; 0 text, 1 binary."""
    body = text(portal) + text(statement) + struct.pack(f"!h{len(formats)}h", len(formats), *formats)
    body += struct.pack("!h", len(parameters))
    for value in parameters:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return Message(b"B", body + struct.pack(f"!h{len(result_formats)}h", len(result_formats), *result_formats))


def describe(kind: bytes, name: str = "") -> Message:
    """`kind`: b"S" a statement, b"P" a portal."""
    return Message(b"D", kind + text(name))


def execute(portal: str = "", max_rows: int = 0) -> Message:
    return Message(b"E", text(portal) + struct.pack("!i", max_rows))


def close(kind: bytes, name: str = "") -> Message:
    return Message(b"C", kind + text(name))


SYNC = Message(b"S", b"")
FLUSH = Message(b"H", b"")
COPY_DONE = Message(b"c", b"")
TERMINATE = Message(b"X", b"")


# -- the client ----------------------------------------------------------------------------------------------------


class Client:
    """One connection. `startup` holds the messages that answered its start, `received` every byte after TLS."""

    def __init__(self, port: int, host: str = "127.0.0.1", timeout: float = 10) -> None:
        """Opens the socket and says nothing yet; for tests of the very first bytes. Else use `Client.connect`."""
        self.socket: socket.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = (host, port)
        self.received = bytearray()
        self.startup = Exchange()
        self._read = 0  # how much of `received` has been handed out as messages

    @classmethod
    def connect(
        cls,
        port: int,
        *,
        user: str,
        database: str | None = None,
        password: str | None = None,
        tls: bool | str | ssl.SSLContext = False,
        parameters: Mapping[str, str] | None = None,
        protocol: int = PROTOCOL_3_0,
        host: str = "127.0.0.1",
        timeout: float = 10,
    ) -> Client:
        """Connects and authenticates. Raises `Refused` with the server's error, or `Closed`.

        `tls`: True (the certificate is not checked), "direct" (TLS from the first byte, with ALPN), or a context.
        `parameters` are added to the start-up packet.
        """
        client = cls(port, host, timeout)
        try:
            if tls:
                client.start_tls(tls)
            given = {"user": user} | ({"database": database} if database else {}) | dict(parameters or {})
            client.send_raw(startup_message(given, protocol))
            client._authenticate(password)
        except BaseException:
            client.abort()
            raise
        return client

    def start_tls(self, how: bool | str | ssl.SSLContext = True) -> None:
        context = how if isinstance(how, ssl.SSLContext) else _unchecked_context()
        if how == "direct":
            context.set_alpn_protocols(["postgresql"])
        else:
            answer = self.ask_for(SSL_REQUEST)
            if answer != b"S":
                raise ConnectionError(f"the server answered {answer!r} to SSLRequest")
        self.socket = context.wrap_socket(self.socket, server_hostname=self.address[0])

    def ask_for(self, request: int) -> bytes:
        """Sends SSLRequest or GSSENCRequest; returns the one byte that answers it."""
        self.send_raw(struct.pack("!ii", 8, request))
        return self.socket.recv(1)

    # Sending

    def send_raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send(self, kind: bytes, body: bytes = b"") -> None:
        self.send_raw(Message(kind, body).bytes)

    def send_all(self, *messages: Message) -> None:
        """Several messages in one write."""
        self.send_raw(b"".join(message.bytes for message in messages))

    # Receiving

    def read(self) -> Message:
        """The next message. Raises Closed at the end, TimeoutError when none comes."""
        header = self._bytes(5)
        length = struct.unpack("!i", header[1:])[0]
        if length < 4:
            raise ValueError(f"a message of impossible length {length}: {header!r}")
        body = self._bytes(length + 1)[5:]
        self._read += length + 1
        return Message(header[:1], body)

    def read_until(self, kinds: bytes = b"Z") -> Exchange:
        """Messages up to the first of one of these types (each a letter of `kinds`), that one included.

        When the server hangs up before, the exchange ends there and is marked `closed`.
        """
        seen = Exchange()
        while not seen or seen[-1].type not in _letters(kinds):
            try:
                seen.append(self.read())
            except (Closed, ConnectionResetError, ssl.SSLEOFError):
                seen.closed = True
                break
        return seen

    def read_to_end(self) -> Exchange:
        """All messages until the server hangs up."""
        return self.read_until(b"")

    # Whole exchanges

    def query(self, sql: str | bytes) -> Exchange:
        """The simple protocol, up to ReadyForQuery or to a COPY that wants data (CopyInResponse)."""
        self.send(b"Q", text(sql))
        return self.read_until(b"ZGW")

    def exchange(self, *messages: Message) -> Exchange:
        """Sends these and a Sync, and reads up to ReadyForQuery."""
        self.send_all(*messages, SYNC)
        return self.read_until(b"ZGW")

    def extended(
        self,
        sql: str | bytes,
        parameters: Sequence[bytes | None] = (),
        *,
        formats: Sequence[int] = (),
        result_formats: Sequence[int] = (),
        max_rows: int = 0,
    ) -> Exchange:
        """The extended protocol with the unnamed statement and portal."""
        return self.exchange(
            parse(sql),
            bind(parameters, formats=formats, result_formats=result_formats),
            describe(b"P"),
            execute(max_rows=max_rows),
        )

    def copy_in(self, sql: str | bytes, chunks: Iterable[bytes]) -> Exchange:
        """COPY ... FROM STDIN with this data; the whole exchange."""
        begun = self.query(sql)
        if begun and begun[-1].type == b"G":
            self.send_all(*(Message(b"d", chunk) for chunk in chunks), COPY_DONE)
            ended = self.read_until(b"Z")
            begun.extend(ended)
            begun.closed = ended.closed
        return begun

    def cancel(self) -> None:
        """Sends a CancelRequest for what this connection runs, over a connection of its own, without TLS."""
        (key,) = self.startup.of(b"K")
        with Client(self.address[1], self.address[0]) as other:
            other.send_raw(cancel_message(struct.unpack("!i", key[:4])[0], key[4:]))
            other.read_to_end()

    # Its end

    def abort(self) -> None:
        """Closes the socket without a goodbye."""
        self.socket.close()

    def close(self) -> None:
        try:
            self.send_all(TERMINATE)
        except OSError:
            pass  # the server was quicker
        self.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Inside

    def _bytes(self, count: int) -> bytes:
        """`count` bytes from where the next message begins, without taking them."""
        while len(self.received) - self._read < count:
            data = self.socket.recv(1 << 16)
            if not data:
                raise Closed(Exchange())
            self.received += data
        return bytes(self.received[self._read : self._read + count])

    def _authenticate(self, password: str | None) -> None:
        scram: Scram | None = None
        while True:
            try:
                message = self.read()
            except Closed:
                raise Closed(self.startup) from None
            self.startup.append(message)
            if message.type == b"E":
                raise Refused(self.startup)
            if message.type == b"Z":
                return
            if message.type != b"R":
                continue
            method, data = struct.unpack("!i", message.body[:4])[0], message.body[4:]
            if method in (3, 10) and password is None:
                raise ConnectionError("the server wants a password and the test gave none")
            if method == 3:  # cleartext
                self.send(b"p", text(password))
            elif method == 10:  # SASL: a list of mechanisms
                mechanisms = data.rstrip(b"\0").split(b"\0")
                if b"SCRAM-SHA-256" not in mechanisms:
                    raise ConnectionError(f"the server offers only {mechanisms}")
                scram = Scram(password)
                first = scram.first()
                self.send(b"p", text("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first)
            elif method == 11 and scram:  # SASL: its challenge
                self.send(b"p", scram.answer(data))
            elif method == 12 and scram:  # SASL: its proof that it knows the password too
                scram.check(data)
            elif method != 0:
                raise ConnectionError(f"the server asks for authentication method {method}, which this client lacks")


def _letters(kinds: bytes) -> list[bytes]:
    return [bytes([kind]) for kind in kinds]


def _unchecked_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
