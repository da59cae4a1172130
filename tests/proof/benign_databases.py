"""Whether a statement passes: a gateway with masks answers it as a database does that truly holds the masked values.

There are three databases, copies of one template (so that OIDs are equal too):

    true      what the gateway stands before
    masked    each masked cell holds what its mask yields, and no vector is there
    search    the same, but vectors are there: what is right for nearest neighbours. Vectors in its answers count as NULL.

`true` is also what is right where nothing masked is in the answer but something masked is in what it comes from: the catalogue
shows a UNIQUE constraint that a database full of '***' cannot have.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness import wire
from harness.gateway import Gateway, Login
from harness.postgres import Database, PostgresServer
from harness.wire import Client, Exchange

from proof.benign_corpus import FOLDER, Case, Step

USER = "app"
PLANNER = "app_planner"
"""As USER, with settings that let an index be used on a few hundred rows. They are not the client's to change."""
REFERENCES = ("true", "masked", "search")
RESET_SEQUENCES = """
SELECT setval('tenants_id_seq', 1000), setval('customers_id_seq', 1000), setval('orders_id_seq', 1000),
  setval('documents_id_seq', 1000), setval('data_handbook_id_seq', 1000), setval('django_migrations_id_seq', 1000)
"""
"""So that new rows get the same keys everywhere."""


@dataclass(frozen=True)
class Answer:
    """What a client sees of a statement's result, as far as it is compared."""

    columns: list[tuple[str, int, int]]  # name, type, type modifier
    rows: list[list[bytes | None]]
    tags: list[str]
    copied: bytes
    error: str


@dataclass
class Databases:
    """The gateway's login, the databases by name, and connections to all of them."""

    login: Login
    databases: dict[str, Database]
    vectors: frozenset[int]  # type OIDs

    def __post_init__(self) -> None:
        self._clients: dict[tuple[str, str], Client] = {}

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def check(self, case: Case) -> str:
        """Why the case does not pass; empty when it does."""
        expected = self._run(case, case.against)
        seen = self._run(case, "gateway")
        for step, theirs, ours in zip(case.steps, expected, seen, strict=True):
            if why := difference(step, self._known(theirs, case.against), self._known(ours, "gateway")):
                return f"{why}\n    {step.sql}"
        return ""

    def differs_without_masks(self, case: Case) -> str:
        """How the database that the gateway stands before answers otherwise than it should answer through it."""
        expected, seen = (self._run(case, where) for where in (case.against, "true"))
        found = (difference(*each) for each in zip(case.steps, expected, seen, strict=True))
        return next(filter(None, found), "")

    # -- inside ----------------------------------------------------------------------------------------------

    def _run(self, case: Case, where: str) -> list[Answer]:
        if not case.only_reads:
            database = self.databases["true" if where == "gateway" else where]
            with database.connect() as owner:
                owner.execute(RESET_SEQUENCES)
        client = self._client(where, PLANNER if case.plans else USER)
        wrapped = not case.only_reads and not case.alone
        if wrapped:
            client.query("BEGIN")
        answers = []
        for step in case.steps:
            seen = run_step(client, step)
            answers.append(answer(seen))
            if seen.closed:
                self._clients = {key: other for key, other in self._clients.items() if other is not client}
                return answers + [Answer([], [], [], b"", "the connection was closed")] * (
                    len(case.steps) - len(answers)
                )
        if wrapped or client_in_transaction(client):
            client.query("ROLLBACK")
        if not case.only_reads and (reset := answer(client.query("DISCARD ALL"))).error:
            raise AssertionError(f"{where}: DISCARD ALL after {case.name}: {reset.error}")
        return answers

    def _client(self, where: str, user: str) -> Client:
        if (where, user) not in self._clients:
            if where == "gateway":
                made = self.login.wire(user=user, timeout=30)
            else:
                database = self.databases[where]
                made = Client.connect(database.server.port, user=user, database=database.name, timeout=30)
            self._clients[where, user] = made
        return self._clients[where, user]

    def _known(self, seen: Answer, where: str) -> Answer:
        """Without what differs by design: the database's name, and vectors in the database for searches."""
        own = self.databases["true" if where == "gateway" else where].name.encode()
        hidden = {n for n, column in enumerate(seen.columns) if column[1] in self.vectors and where == "search"}
        rows = [
            [None if n in hidden or cell is None else cell.replace(own, b"<database>") for n, cell in enumerate(row)]
            for row in seen.rows
        ]
        return Answer(seen.columns, rows, seen.tags, seen.copied, seen.error)


def client_in_transaction(client: Client) -> bool:
    """Asks the server, for a case may have left one open or failed in one."""
    return client.query("").status != "I"


def run_step(client: Client, step: Step) -> Exchange:
    if step.copy:
        return client.copy_in(step.sql, step.copy)
    if step.bind is None:
        return client.query(step.sql)
    formats = [1] if step.binary else []
    if not step.rows:
        return client.extended(step.sql, step.bind, result_formats=formats)
    pages = [wire.execute("page", max_rows=step.rows) for _ in range(3)]
    return client.exchange(
        wire.parse(step.sql),
        wire.bind(step.bind, portal="page", result_formats=formats),
        wire.describe(b"P", "page"),
        *pages,
    )


def answer(seen: Exchange) -> Answer:
    columns = [(column.name, column.type, column.modifier) for column in seen.columns]
    error = str(seen.error) if seen.errors else ""
    return Answer(columns, seen.rows, seen.tags, seen.copied, error)


def difference(step: Step, expected: Answer, seen: Answer) -> str:
    """What is wrong with `seen`, in a sentence; empty when it is as expected."""
    if expected.error:
        return f"the reference itself fails: {expected.error}"
    if seen.error:
        return seen.error
    if seen.columns != expected.columns:
        return f"columns {seen.columns}, expected {expected.columns}"
    if step.plan:
        plan = b"\n".join(row[0] or b"" for row in seen.rows).decode()
        return "" if step.plan in plan else f"the plan has no {step.plan}:\n{plan}"
    if step.sql.upper().startswith("EXPLAIN") or step.shape:
        return ""
    if seen.tags != expected.tags:
        return f"tags {seen.tags}, expected {expected.tags}"
    if step.ordered:
        ours, theirs, copied = seen.rows, expected.rows, seen.copied == expected.copied
    else:
        ours, theirs = sorted(seen.rows, key=repr), sorted(expected.rows, key=repr)
        copied = sorted(seen.copied.splitlines()) == sorted(expected.copied.splitlines())
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
        if mine != other:
            return f"row {number} is {mine}, expected {other}"
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, expected {len(theirs)}"
    return "" if copied else f"COPY sent {seen.copied[:300]!r}, expected {expected.copied[:300]!r}"


@contextmanager
def databases(server: PostgresServer) -> Iterator[Databases]:
    schema = FOLDER / "schema.sql"
    with (
        server.fresh_database(schema) as true,
        server.fresh_database(schema) as masked,
        server.fresh_database(schema) as search,
        Gateway(policy=(FOLDER / "policy.yaml").read_text()) as gateway,
    ):
        for database, files in ((masked, ("masked", "vectors")), (search, ("masked",))):
            with database.connect() as owner:
                for name in files:
                    owner.execute((FOLDER / f"{name}.sql").read_bytes())
        with true.connect() as owner:
            found = owner.execute(
                "SELECT oid FROM pg_type WHERE typname IN ('vector', 'halfvec', 'sparsevec')"
            ).fetchall()
        gateway.add_connection("docs", true, {USER: USER, PLANNER: PLANNER})
        all_of_them = {"true": true, "masked": masked, "search": search}
        made = Databases(gateway.login("ana", role=USER), all_of_them, frozenset(row[0] for row in found))
        try:
            yield made
        finally:
            made.close()
