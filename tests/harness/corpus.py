"""The attack corpus: statements that try to get masked values past a gateway.

`tests/bypass/corpus/sql_bypass.json` holds the cases and says in its "about" how to read them; `sql_setup.sql` makes the
tables with the secrets. `sql_more.json` holds cases of our own, which bypass/twins.py runs. A test does, for each case:

    with corpus.prepared(server) as database:
        seen = case.run(client, corpus.places(server, database))      # everything that the client received
        assert not case.leaks(seen)
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness import wire
from harness.postgres import Database, PostgresServer
from harness.wire import Client, Exchange

FOLDER = Path(__file__).resolve().parents[1] / "bypass" / "corpus"

MASKED_COLUMNS = ("email", "ssn", "salary", "note", "embedding")
"""The columns of `docs` that the policy of the corpus masks."""


@dataclass(frozen=True)
class Case:
    """One attack. `expected`: M masked rows, F cell null, D denied, X class of statement refused, R error reduced; what would
    serve users best. Any outcome without a leak passes."""

    id: str
    name: str
    as_role: str
    startup: Mapping[str, str]
    steps: Sequence[str]
    patterns: Sequence[bytes]
    longest_cell: int | None
    leaks_through: Sequence[str]
    expected: str

    def statements(self, places: Mapping[str, str]) -> list[str]:
        """The steps with the names of this server filled in."""
        return [_fill_in(step, places) for step in self.steps]

    def run(self, client: Client, places: Mapping[str, str]) -> Exchange:
        """Sends each step by the simple protocol; returns all messages that came back."""
        seen = Exchange()
        for statement in self.statements(places):
            reply = client.query(statement)
            seen += reply
            if reply.closed:
                seen.closed = True
                break
            if reply[-1].type == b"G":  # a COPY that waits for data: there is none
                client.send(b"f", wire.text("no data"))
                seen += client.read_until(b"Z")
        return seen

    def leaks(self, seen: Exchange) -> list[str]:
        """What has leaked, in words: empty when nothing has."""
        found = []
        for message in seen:
            kind = wire.BACKEND_MESSAGES.get(message.type, repr(message.type))
            found += [f"{pattern!r} in {kind}" for pattern in self.patterns if pattern in message.body]
            if self.longest_cell is not None and message.type == b"D":
                longest = max((len(cell or b"") for cell in wire.cells(message.body)), default=0)
                if longest > self.longest_cell:
                    found.append(f"a cell of {longest} bytes in {kind}")
        return found


@cache
def cases(file: str = "sql_bypass.json") -> tuple[Case, ...]:
    """All cases of a file of the corpus, in their order."""
    corpus = json.loads((FOLDER / file).read_text())
    default = [pattern.encode("latin-1") for pattern in corpus["default_leak_patterns"]]
    return tuple(_case(case, default) for case in corpus["cases"])


def prepared(server: PostgresServer) -> Database:
    """A fresh database with the tables of the corpus."""
    return server.fresh_database(setup_sql(server.extensions))


def setup_sql(extensions: frozenset[str]) -> str:
    """The set-up without the extensions that a server does not have."""
    script = (FOLDER / "sql_setup.sql").read_text()

    def keep(match: re.Match[str]) -> str:
        return match[0] if match[1] in extensions else ""

    return re.sub(r"CREATE EXTENSION IF NOT EXISTS (\w+);", keep, script)


def secrets_in(data: bytes | bytearray) -> list[bytes]:
    """Which values of the masked columns are in it: in text, in capitals, one more, or in binary."""
    texts = [
        b"s3cr3t",
        b"b0bby@",
        b"731-22",
        b"642-11",
        b"98765",
        b"54321",
        b"0.1234567",
        b"S3CR3T",
        b"98766",
        b"54322",
    ]
    numbers = [struct.pack("!i", 98765), struct.pack("!i", 98766)]
    vectors = [struct.pack("!f", 0.1234567), struct.pack("!f", -0.7654321)]
    return [secret for secret in texts + numbers + vectors if secret in data]


def missing_extensions(server: PostgresServer) -> frozenset[str]:
    """What the corpus wants and this server does not have: cases that use it prove nothing here."""
    script = (FOLDER / "sql_setup.sql").read_text()
    return frozenset(re.findall(r"CREATE EXTENSION IF NOT EXISTS (\w+);", script)) - server.extensions


def places(server: PostgresServer, database: Database) -> dict[str, str]:
    """What the names in the steps stand for, as the server knows these places."""
    return {
        "TMP": str(server.exchange_folder(database.name)),
        "SOCKET_DIR": str(server.installation.inside(server.socket_folder)),
        "PORT": str(server.port),
        "DATABASE": database.name,
    }


def _fill_in(step: str, places: Mapping[str, str]) -> str:
    for name in ("TMP", "SOCKET_DIR", "PORT", "DATABASE"):
        step = step.replace("${" + name + "}", places[name])
    # One case reaches the server from within and names the database that the corpus was written in.
    return step.replace("dbname 'postgres'", f"dbname '{places['DATABASE']}'")


def _case(case: dict, default: Sequence[bytes]) -> Case:
    own = case["leaked_if_any_of"]
    return Case(
        id=case["id"],
        name=case["name"],
        as_role=case["as_role"],
        startup=case["startup"],
        steps=tuple(case["steps"]),
        patterns=tuple(default) if own is None else tuple(pattern.encode("latin-1") for pattern in own),
        longest_cell=case.get("leaked_if_cell_longer_than"),
        leaks_through=tuple(case["leaks_through"]),
        expected=case["expected"],
    )
