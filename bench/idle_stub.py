"""Both ends of many idle sessions, each in a process of its own, without anything else of the benchmark in it.

    idle_stub.py upstream PORT                            a server that lets everybody in and is asked nothing
    idle_stub.py clients PORT COUNT USER DATABASE         so many clients that log in and stay; password: PGPASSWORD

Clients print "ready SECONDS" once all are in. Both end with SIGTERM.
"""

from __future__ import annotations

import asyncio
import os
import struct
import sys
import time

_SSL_REQUEST = 80877103
_GSSENC_REQUEST = 80877104
_CANCEL_REQUEST = 80877102
_AT_ONCE = 200  # log-ins under way at one time: less than any listen queue holds


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", 4 + len(body)) + body


def texts(*values: str) -> bytes:
    return b"".join(value.encode() + b"\0" for value in values)


_PARAMETERS = {
    "application_name": "",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "default_transaction_read_only": "off",
    "in_hot_standby": "off",
    "integer_datetimes": "on",
    "IntervalStyle": "postgres",
    "is_superuser": "off",
    "server_encoding": "UTF8",
    "server_version": "17.0",
    "session_authorization": "bench",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
}

_READY = message(b"Z", b"I")

_WELCOME = (
    message(b"R", struct.pack("!I", 0))
    + b"".join(message(b"S", texts(*pair)) for pair in _PARAMETERS.items())
    + message(b"K", struct.pack("!II", 4711, 815))
    + _READY
)

_REFUSAL = message(b"E", b"SERROR\0VERROR\0C0A000\0Mthis server only lets clients in; it has no tables\0\0")


class UpstreamSession(asyncio.Protocol):
    """Lets its client in; answers a simple query with an error, which nobody is expected to send."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._received = b""
        self._started = False

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (length := self._next_length()) and len(self._received) >= length:
            whole, self._received = self._received[:length], self._received[length:]
            self._answer(whole)

    def _next_length(self) -> int:
        header = 1 if self._started else 0
        if len(self._received) < header + 4:
            return 0
        return header + struct.unpack_from("!I", self._received, header)[0]

    def _answer(self, whole: bytes) -> None:
        if self._started:
            if whole[:1] == b"Q":
                self._transport.write(_REFUSAL + _READY)
            elif whole[:1] == b"X":
                self._transport.close()
            return
        code = struct.unpack_from("!I", whole, 4)[0]
        if code in (_SSL_REQUEST, _GSSENC_REQUEST):
            self._transport.write(b"N")
        elif code == _CANCEL_REQUEST:
            self._transport.close()
        else:
            self._started = True
            self._transport.write(_WELCOME)


async def serve_upstream(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(UpstreamSession, "127.0.0.1", port, backlog=4096)
    print("listening", flush=True)
    await server.serve_forever()


class ClientSession(asyncio.Protocol):
    """Logs in with a cleartext password and stays."""

    def __init__(self, hello: bytes, password: str) -> None:
        self._hello = hello
        self._password = password
        self._received = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= 5:
            length = 1 + struct.unpack_from("!I", self._received, 1)[0]
            if len(self._received) < length:
                return
            whole, self._received = self._received[:length], self._received[length:]
            self._on_message(whole)

    def _on_message(self, whole: bytes) -> None:
        kind = whole[:1]
        if kind == b"R" and struct.unpack_from("!I", whole, 5)[0] == 3:
            self._transport.write(message(b"p", texts(self._password)))
        elif kind == b"Z" and not self.ready.done():
            self.ready.set_result(None)
        elif kind == b"E":
            self._fail("the server says " + whole[5:].replace(b"\0", b" ").decode(errors="replace"))

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"the connection ended ({error})")

    def _fail(self, why: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(RuntimeError(why))
        else:
            print(f"an idle session was lost: {why}", flush=True)


async def hold_clients(port: int, count: int, user: str, database: str) -> None:
    loop = asyncio.get_running_loop()
    body = struct.pack("!I", 3 << 16) + texts("user", user, "database", database) + b"\0"
    hello = struct.pack("!I", 4 + len(body)) + body
    password = os.environ.get("PGPASSWORD", "")
    places = asyncio.Semaphore(_AT_ONCE)
    began = time.monotonic()

    async def one() -> asyncio.BaseTransport:
        async with places:
            transport, session = await loop.create_connection(lambda: ClientSession(hello, password), "127.0.0.1", port)
            await asyncio.wait_for(session.ready, 60)
            return transport

    transports = await asyncio.gather(*(one() for _ in range(count)))
    print(f"ready {time.monotonic() - began:.3f}", flush=True)
    await asyncio.Event().wait()
    del transports


def main(arguments: list[str]) -> None:
    match arguments:
        case ["upstream", port]:
            asyncio.run(serve_upstream(int(port)))
        case ["clients", port, count, user, database]:
            asyncio.run(hold_clients(int(port), int(count), user, database))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
