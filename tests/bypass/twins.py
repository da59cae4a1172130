"""Two databases that differ in nothing but the masked values: what is told apart through the gateway has leaked.

The corpus' byte strings and the oracle of harness/leaks.py see a value that comes out. This sees one that only decides
something: an order, a count, whether there is an error. Rows are written anew in both alike, so that they lie alike. The
vectors keep their order by distance from the origin, which a search may tell.

    with twins(server) as pair, Gateway(policy=...) as gateway:
        attack = Attack(pair, behind(gateway, pair))      # or directly(pair), to see what a database tells by itself
        found = list(attack.case(case))                   # what leaks, in words
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness import corpus
from harness.corpus import FOLDER, Case
from harness.gateway import Gateway
from harness.leaks import Oracle, apart
from harness.postgres import Database, PostgresServer
from harness.wire import Client, Exchange

ONE = {
    "docs": [
        (
            1,
            "s3cr3t.alice@corp.example",
            "731-22-9944",
            98765,
            '{"k":"v"}',
            "[0.1234567,-0.7654321,0.3333333,0.9876543]",
        ),
        (2, "b0bby@corp.example", "642-11-8833", 54321, '{"k":"w"}', "[0.9,0.1,-0.2,0.05]"),
    ],
    "staff": ("(id * 7919) % 1000", "'s3cr3t.' || id || '@corp.example'"),
}
OTHER = {
    "docs": [
        (
            1,
            "az7wxy.mario@firm.invalid",
            "205-61-7788",
            11223,
            '{"k":"z"}',
            "[0.8123456,0.4321765,-0.2222222,0.9111111]",
        ),
        (2, "q0hnn@firm.invalid", "918-45-3366", 12345, '{"k":"q"}', "[-0.21,0.2,0.25,-0.1]"),
    ],
    "staff": ("(id * 6007) % 37", "'az7wxy.' || id || '@firm.invalid'"),
}

# What an operator would write beside the rule for docs: the views show its columns under other names, staff has its own.
RULES = """
  - name: hide-what-views-show
    match: {collection: [docs_v, docs_mv]}
    mask:
      - {fields: [contact], with: redact}
      - {vectors: remove, scores: rank}
  - name: hide-pay
    match: {collection: [staff, plans]}
    mask:
      - {fields: [email, salary, plan], with: redact}
"""

ROLES = {"svc": "svc", "postgres": "postgres"}


@dataclass(frozen=True)
class Twins:
    one: Database
    other: Database


MORE_SETUP = FOLDER / "sql_more_setup.sql"


@contextmanager
def twins(server: PostgresServer, *setup: Path) -> Iterator[Twins]:
    """The tables of the corpus, and what each of `setup` adds."""
    with corpus.prepared(server) as one, corpus.prepared(server) as other:
        for database, secrets in ((one, ONE), (other, OTHER)):
            with database.connect() as direct:
                for script in setup:
                    direct.execute(script.read_text().encode())
            _fill(database, secrets)
        yield Twins(one, other)


def oracle() -> Oracle:
    """For the secrets of the first."""
    texts = [text for row in ONE["docs"] for text in (row[1], row[2])]
    vectors = [tuple(map(float, row[5].strip("[]").split(","))) for row in ONE["docs"]]
    return Oracle(texts, [row[3] for row in ONE["docs"]], vectors)


Connect = Callable[[str, bool], Client]
"""A connection as this role, to the first database or to the other."""


@contextmanager
def told_by_indexes(setup: str, fill: str, one: dict[str, object], other: dict[str, object]) -> Iterator[Twins]:
    """Filled with what differs; PostgreSQL uses an index wherever it can, and logs as it does by default (the servers of the other
    tests log more, which hides how much of a row has changed)."""
    with PostgresServer("pg0", settings={"wal_level": "replica", "max_wal_senders": "0"}) as server:
        pair = Twins(server.fresh_database(setup), server.fresh_database(setup))
        for database, secrets in ((pair.one, one), (pair.other, other)):
            with database.connect() as direct:
                direct.execute(fill.format(**secrets).encode())
                direct.execute("VACUUM ANALYZE")
                for setting in ("enable_seqscan", "enable_bitmapscan"):
                    direct.execute(f"ALTER DATABASE {database.name} SET {setting} = off".encode())
        yield pair


def directly(pair: Twins) -> Connect:
    def connect(role: str, first: bool) -> Client:
        database = pair.one if first else pair.other
        return Client.connect(database.server.port, user=role, database=database.name, timeout=30)

    return connect


def behind(gateway: Gateway, pair: Twins) -> Connect:
    gateway.add_connection("one", pair.one, ROLES)
    gateway.add_connection("other", pair.other, ROLES)
    mallory = gateway.login("mallory", connection="one")

    def connect(role: str, first: bool) -> Client:
        return dataclasses.replace(mallory, connection="one" if first else "other").wire(user=role, timeout=30)

    return connect


Answers = tuple[Exchange, Exchange]
"""Of the first and of the other."""

_DIFFER = "the answers differ"


class Attack:
    """Runs the same on both. A session is used again for what leaves no trace in it."""

    def __init__(self, pair: Twins, connect: Connect) -> None:
        self._pair = pair
        self._connect = connect
        self._open: dict[tuple[str, bool], Client] = {}
        self._oracle = oracle()
        self._at_once = ThreadPoolExecutor(2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._open.values():
            client.close()
        self._at_once.shutdown()

    def case(self, case: Case) -> Iterator[str]:
        """What a case of the corpus leaks by the simple protocol; what one statement can say, by the extended one in binary, too."""
        alone = len(case.steps) == 1 and case.steps[0].split()[0] in (
            "SELECT",
            "VALUES",
            "TABLE",
            "WITH",
            "COPY",
            "EXPLAIN",
        )

        def simple(client: Client, database: Database) -> Exchange:
            return case.run(client, corpus.places(database.server, database))

        def binary(client: Client, database: Database) -> Exchange:
            (sql,) = case.statements(corpus.places(database.server, database))
            return client.extended(sql, result_formats=[1])

        for act, again in ((simple, alone), *([(binary, True)] if alone else [])):
            seen = self.both(case.as_role, act, again)
            yield from case.leaks(seen[0])
            yield from self.confirmed(seen, lambda act=act, again=again: self.both(case.as_role, act, again))

    def confirmed(self, seen: Answers, once_more: Callable[[], Answers]) -> Iterator[str]:
        """What leaks. A difference alone must show twice: on a busy machine one of the two may meet a timeout."""
        found = list(self.leaks(*seen))
        if all(one.startswith(_DIFFER) for one in found) and found:
            found = list(self.leaks(*once_more()))
        yield from found

    def leaks(self, one: Exchange, other: Exchange) -> Iterator[str]:
        """What the first has been told of its secrets, or the two differently."""
        if difference := apart(one, other):
            yield f"{_DIFFER}: {difference[:500]}"
        if one.closed:
            yield "the session has ended"
        yield from self._oracle.find(one)

    def both(self, role: str, act: Callable[[Client, Database], Exchange], again: bool) -> Answers:
        """What `act` gets from both, at the same time. `again`: it leaves nothing behind in the session."""

        def run(first: bool) -> Exchange:
            client = self._session(role, first) if again else self._connect(role, first)
            try:
                seen = act(client, self._pair.one if first else self._pair.other)
            except BaseException:
                self._forget(role, first)
                raise
            finally:
                if not again:
                    client.close()
            if again and (seen.closed or seen.status != "I"):
                self._forget(role, first)
            return seen

        here, there = self._at_once.map(run, (True, False))
        return here, there

    def _session(self, role: str, first: bool) -> Client:
        if (role, first) not in self._open:
            self._open[role, first] = self._connect(role, first)
        return self._open[role, first]

    def _forget(self, role: str, first: bool) -> None:
        if client := self._open.pop((role, first), None):
            client.abort()


def _fill(database: Database, secrets: dict) -> None:
    rows: Sequence[tuple] = secrets["docs"]
    pay, mail = secrets["staff"]
    with database.connect() as direct:
        for row in rows:
            direct.execute(
                "UPDATE docs SET email = %s, ssn = %s, salary = %s, note = %s, embedding = %s WHERE id = %s",
                (*row[1:], row[0]),
            )
        if direct.execute("SELECT to_regclass('staff')").fetchone() != (None,):
            direct.execute(f"UPDATE staff SET salary = {pay}, email = {mail}")
        direct.execute("VACUUM ANALYZE")
        direct.execute("REFRESH MATERIALIZED VIEW docs_mv")
        direct.execute(f"GRANT CREATE, TEMPORARY ON DATABASE {database.name} TO svc")
