"""A server that stands between the gateway and PostgreSQL, relays everything, and at a marked statement says what a test wants.

    with HostileServer(postgres.port) as hostile:
        gateway.add_connection("hostile", database, {"reader": "app"}, port=hostile.port)
        hostile.script = lambda upstream: [wire.Message(b"D", b"...")]
        client.query("SELECT 'mischief'")          # answered by the script, and never seen by PostgreSQL

Relaying the rest means that the gateway's own catalogue reads work as ever. `greeting` replaces the answer to the start of a
connection. `hang_up` closes after the script. Nothing here speaks TLS.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Sequence
from typing import Self

MARK = b"mischief"


class HostileServer:
    """One listener; a thread for each direction of each connection."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self.greeting: bytes | None = None
        self.script: bytes = b""
        self.hang_up = False
        self.cancels = 0
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closing = False
        self._spawn(self._accept)

    def say(self, *messages: Sequence[bytes] | bytes, hang_up: bool = False) -> None:
        """What answers the next marked statements: messages, or raw bytes."""
        self.script = b"".join(m if isinstance(m, bytes) else m.bytes for m in messages)  # type: ignore[attr-defined]
        self.hang_up = hang_up

    def drop_all(self) -> None:
        """Hangs up on everybody."""
        with self._lock:
            for one in self._sockets:
                _cut(one)
            self._sockets.clear()

    def close(self) -> None:
        self._closing = True
        _cut(self._listener)
        self.drop_all()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inside ----------------------------------------------------------------------------------------------

    def _spawn(self, job: object, *arguments: object) -> None:
        thread = threading.Thread(target=job, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with self._lock:
                self._sockets.append(client)
            self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        try:
            hello = _startup_packet(client)
            if hello[4:8] == struct.pack("!i", 80877102):
                self.cancels += 1
            if self.greeting is not None:
                client.sendall(self.greeting)
                while client.recv(4096):
                    pass
                return
            server = socket.create_connection(("127.0.0.1", self._upstream_port))
            with self._lock:
                self._sockets.append(server)
            server.sendall(hello)
            self._spawn(_relay, server, client)
            self._read_client(client, server)
        except (OSError, EOFError):
            pass
        finally:
            _cut(client)

    def _read_client(self, client: socket.socket, server: socket.socket) -> None:
        swallowing = False
        while True:
            header = _exactly(client, 5)
            body = _exactly(client, struct.unpack("!i", header[1:])[0] - 4)
            marked = header[:1] in (b"Q", b"P") and MARK in body
            if marked:
                client.sendall(self.script)
                swallowing = header[:1] == b"P"
                if self.hang_up:
                    _cut(server)
                    return
            elif swallowing:  # what belongs to the marked Parse
                swallowing = header[:1] != b"S"
            else:
                server.sendall(header + body)


def _startup_packet(client: socket.socket) -> bytes:
    length = _exactly(client, 4)
    return length + _exactly(client, struct.unpack("!i", length)[0] - 4)


def _relay(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass
    _cut(target)


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _cut(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    one.close()
