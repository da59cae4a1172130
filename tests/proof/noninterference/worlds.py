"""The two worlds: a server, a gateway and a client each, alike in everything but the masked cells; and the steps that they take.

with Worlds() as worlds:
    worlds.connect("reader")                    # a new session in both
    a, b = worlds.run(Step("SELECT 1"))         # what either client received
"""

from __future__ import annotations

import enum
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Self

from harness import wire
from harness.gateway import Gateway, Login
from harness.postgres import Database, PostgresServer
from harness.wire import Client, Exchange, Message

from proof.noninterference import rows, schema

NAMES = ("a", "b")

# Role aliases of the gateway, and whom they stand for (schema.py).
_UPSTREAM = {"reader": "app", "scanner": "scans", "sorter": "sorts"}

# A statement may run for 4 s (schema.py), on a machine that is busy.
_TIMEOUT = 60.0


class Form(enum.Enum):
    """How a statement is sent."""

    simple = "simple"
    extended = "extended"  # unnamed statement and portal
    named = "named"  # a named statement, described, bound twice
    paged = "paged"  # a portal that is executed page by page
    parse_only = "parse only"  # Parse and Describe: types are told before anything runs


@dataclass(frozen=True)
class Step:
    """One exchange with the server. `pinned` steps stay when a sequence is shrunk: they undo what others do."""

    sql: str
    form: Form = Form.simple
    parameters: tuple[bytes | None, ...] = ()
    parameter_formats: tuple[int, ...] = ()
    result_formats: tuple[int, ...] = ()
    max_rows: int = 0
    pinned: bool = False

    def messages(self) -> list[Message]:
        bind = {"formats": self.parameter_formats, "result_formats": self.result_formats}
        match self.form:
            case Form.simple:
                return [Message(b"Q", wire.text(self.sql))]
            case Form.extended:
                return [
                    wire.parse(self.sql), wire.bind(self.parameters, **bind), wire.describe(b"P"),
                    wire.execute(max_rows=self.max_rows), wire.SYNC,
                ]  # fmt: skip
            case Form.named:
                twice = [
                    wire.bind(self.parameters, portal="p", statement="s", **bind),
                    wire.execute("p"),
                    wire.close(b"P", "p"),
                ]
                steps = [wire.parse(self.sql, "s"), wire.describe(b"S", "s"), *twice, *twice]
                return [wire.close(b"S", "s"), *steps, wire.SYNC]
            case Form.paged:
                pages = [wire.execute("p", max_rows=self.max_rows or 3) for _ in range(4)]
                return [
                    wire.parse(self.sql), wire.bind(self.parameters, portal="p", **bind), wire.describe(b"P", "p"), *pages,
                    wire.SYNC,
                ]  # fmt: skip
            case Form.parse_only:
                return [wire.parse(self.sql), wire.describe(b"S"), wire.SYNC]

    def __str__(self) -> str:
        how = [self.form.value] if self.form is not Form.simple else []
        how += [f"parameters {list(self.parameters)} {list(self.parameter_formats)}"] if self.parameters else []
        how += [f"results {list(self.result_formats)}"] if self.result_formats else []
        how += [f"{self.max_rows} rows"] if self.max_rows else []
        return self.sql + (f"    -- {'; '.join(how)}" if how else "")


class World:
    """One of the two."""

    def __init__(self, name: str, stack: ExitStack) -> None:
        self.name = name
        self.server = stack.enter_context(PostgresServer("pg0"))
        self.database: Database = self.server.fresh_database(schema.ROLES, schema.TABLES, schema.OWNERSHIP)
        with self.database.connect() as direct:
            for statement in rows.insert_statements(name):
                direct.execute(statement.encode())
            direct.execute(schema.AFTERWARDS)
        self.gateway = stack.enter_context(Gateway(policy=schema.POLICY, settings={"workers": 1}))
        self.gateway.add_connection("docs", self.database, _UPSTREAM)
        self.login: Login = self.gateway.login("ana")
        self.client: Client | None = None

    def connect(self, role: str, *, directly: bool = False) -> Exchange:
        """`directly`: to the server, past the gateway, to show what there is to see."""
        self.disconnect()
        if directly:
            self.client = Client.connect(
                self.server.port, user=_UPSTREAM[role], database=self.database.name, timeout=_TIMEOUT
            )
        else:
            self.client = self.login.wire(user=role, timeout=_TIMEOUT)
        return self.client.startup

    def disconnect(self) -> None:
        if self.client is not None:
            self.client.close()
        self.client = None

    def send(self, step: Step) -> None:
        with suppress(OSError):  # what it has not received is seen on reading
            self.client.send_all(*step.messages())

    def receive(self, step: Step) -> Exchange:
        seen = self.client.read_until(b"ZGW")
        while seen and not seen.closed and seen[-1].type == b"G":  # a COPY that wants data: there is none
            # A Sync that comes during a COPY is passed over, so the extended protocol needs another.
            sync = [] if step.form is Form.simple else [wire.SYNC]
            with suppress(OSError):
                self.client.send_all(Message(b"f", wire.text("no data")), *sync)
            more = self.client.read_until(b"ZGW")
            seen.extend(more)
            seen.closed = more.closed
        return seen


class Worlds:
    def __init__(self) -> None:
        self._stack = ExitStack()
        with self._stack:
            self.a, self.b = (World(name, self._stack) for name in NAMES)
            self._stack = self._stack.pop_all()

    def connect(self, role: str, *, directly: bool = False) -> tuple[Exchange, Exchange]:
        return self.a.connect(role, directly=directly), self.b.connect(role, directly=directly)

    def run(self, step: Step) -> tuple[Exchange, Exchange]:
        """Both at once: the machine has more than one core."""
        for world in (self.a, self.b):
            world.send(step)
        return self.a.receive(step), self.b.receive(step)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for world in (self.a, self.b):
            world.disconnect()
        self._stack.__exit__(*error)
