"""Random sequences of steps: one statement in one of many forms, or several that belong together (transactions, cursors, prepared
statements, settings, statements that change data or objects, which are rolled back)."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from proof.noninterference.builtins import Builtins, Function
from proof.noninterference.queries import Queries
from proof.noninterference.schema import INDEXED, RELATIONS
from proof.noninterference.worlds import Form, Step

_ROLES = ("reader", "scanner", "scanner", "sorter")

PER_SESSION = 14
"""So many sequences have the same role and share a session, so that most of the time goes into statements."""


@dataclass(frozen=True)
class Sequence:
    """Steps of one session, for one of the roles."""

    role: str
    steps: tuple[Step, ...]
    kind: str = ""


class Sequences:
    """All that a seed yields. The same seed yields the same sequences with the same functions of the server."""

    def __init__(self, seed: int, functions: tuple[Function, ...]) -> None:
        self.rng = random.Random(seed)
        self.queries = Queries(self.rng)
        self.builtins = Builtins(self.rng, functions)
        self._role = ""
        self._made = 0

    def next(self) -> Sequence:
        makers = {
            self._single: 60, self._builtin: 14, self._cursor: 4, self._prepared: 4, self._explained: 8, self._copied: 4,
            self._changes: 8, self._definitions: 3, self._settings: 3, self._catalogue: 4, self._transaction: 4, self._oracle: 6, self._indexed: 8,
            self._temporary: 2,
        }  # fmt: skip
        (maker,) = self.rng.choices(list(makers), weights=list(makers.values()))
        if self._made % PER_SESSION == 0:
            self._role = self.rng.choice(_ROLES)
        self._made += 1
        return Sequence(self._role, tuple(maker()), maker.__name__.strip("_"))

    # -- one statement -----------------------------------------------------------------------------------------

    def _single(self) -> list[Step]:
        return [self._formed(self.rng.choices(list(Form), weights=(50, 20, 6, 6, 3))[0])]

    def _formed(self, form: Form) -> Step:
        rng = self.rng
        if form is Form.simple:
            sql = self.queries.query()
            if rng.random() < 0.06:
                sql += "; " + self.queries.query()
            return Step(sql)
        families: list[str] = []
        sql = self.queries.query(parameters=families)
        binary = rng.random() < 0.4
        formats = rng.choice(((), (0,), (1,)))
        return Step(
            sql, form, tuple(_parameter(rng, family, binary=binary) for family in families),
            tuple(int(binary and family in _BINARY) for family in families), formats, rng.choice((0, 0, 1, 2, 5)),
        )  # fmt: skip

    def _builtin(self) -> list[Step]:
        form = self.rng.choice((Form.simple, Form.extended))
        return [
            Step(
                self.builtins.statement(),
                form,
                result_formats=self.rng.choice(((), (1,))) if form is Form.extended else (),
            )
        ]

    def _explained(self) -> list[Step]:
        options = self.rng.choice((
            "", "", "", "(VERBOSE)", "(COSTS off)", "(FORMAT json)", "(FORMAT yaml, VERBOSE)", "(FORMAT xml)", "(SETTINGS)",
            "(ANALYZE, TIMING off, SUMMARY off, BUFFERS off)", "(ANALYZE, VERBOSE, TIMING off, SUMMARY off, BUFFERS off)",
            "(ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off, FORMAT json)", "ANALYZE", "(GENERIC_PLAN)",
        ))  # fmt: skip
        return [Step(f"EXPLAIN {options} {self.queries.query()}")]

    def _copied(self) -> list[Step]:
        rng = self.rng
        options = rng.choice(
            ("", " (FORMAT csv, HEADER)", " (FORMAT binary)", " WITH (FORMAT csv, FORCE_QUOTE *)", " CSV")
        )
        if rng.random() < 0.4:
            relation = rng.choice(RELATIONS)
            some = rng.sample(relation.columns, min(len(relation.columns), rng.randint(1, 4)))
            columns = f" ({', '.join(column.name for column in some)})" if rng.random() < 0.6 else ""
            return [Step(f"COPY {relation.name}{columns} TO STDOUT{options}")]
        return [Step(f"COPY ({self.queries.query()}) TO STDOUT{options}")]

    # -- several -----------------------------------------------------------------------------------------------

    def _cursor(self) -> list[Step]:
        rng = self.rng
        how = rng.choice(("", "", " SCROLL", " NO SCROLL", " BINARY"))
        moves = (
            "FETCH 2 FROM c", "FETCH ALL FROM c", "FETCH NEXT FROM c", "MOVE 3 IN c", "FETCH BACKWARD 2 FROM c", "MOVE ALL IN c",
            "FETCH FIRST FROM c", "FETCH LAST FROM c", "FETCH ABSOLUTE 3 FROM c", "FETCH RELATIVE -1 FROM c", "CLOSE c",
            "UPDATE people SET name = 'x' WHERE CURRENT OF c",
        )  # fmt: skip
        steps = [Step(rng.choice(moves)) for _ in range(rng.randint(2, 5))]
        if rng.random() < 0.2:
            held = Step(f"DECLARE c{how} CURSOR WITH HOLD FOR {self.queries.query()}")
            return [_BEGIN, held, Step("COMMIT", pinned=True), *steps, Step("CLOSE ALL")]
        return [_BEGIN, Step(f"DECLARE c{how} CURSOR FOR {self.queries.query()}"), *steps, _ROLLBACK]

    def _prepared(self) -> list[Step]:
        rng = self.rng
        families: list[str] = []
        sql = self.queries.query(parameters=families)
        values = ", ".join(_LITERAL[family][0] for family in families)
        run = Step(f"EXECUTE q({values})" if values else "EXECUTE q")
        others = (
            Step("EXPLAIN EXECUTE q" + (f"({values})" if values else "")), Step("SET search_path = pg_catalog, public"),
            Step("SET search_path = public"), Step("DEALLOCATE q"), Step("DISCARD PLANS"),
            Step("CREATE TEMP TABLE made AS EXECUTE q" + (f"({values})" if values else "")),
        )  # fmt: skip
        steps = [run, *(rng.choice((run, run, rng.choice(others))) for _ in range(rng.randint(1, 3)))]
        return [
            Step(f"PREPARE q AS {sql}"),
            *steps,
            Step("DEALLOCATE ALL"),
            Step("DROP TABLE IF EXISTS pg_temp.made"),
            _RESET,
        ]

    def _transaction(self) -> list[Step]:
        rng = self.rng
        words = ("SAVEPOINT s", "ROLLBACK TO s", "RELEASE s", "SELECT 1/0")
        steps = [
            Step(rng.choice(words)) if rng.random() < 0.4 else self._formed(rng.choice(tuple(Form)))
            for _ in range(rng.randint(2, 5))
        ]
        begin = rng.choice(("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN READ ONLY", "START TRANSACTION"))
        return [Step(begin, pinned=True), *steps, _ROLLBACK]

    def _settings(self) -> list[Step]:
        rng = self.rng
        settings = (
            "work_mem = '64kB'", "hnsw.ef_search = 10", "DateStyle = 'German'", "IntervalStyle = 'iso_8601'", "bytea_output = 'escape'",
            "extra_float_digits = -5", "TimeZone = 'Asia/Tokyo'", "search_path = public", "search_path = pg_catalog",
            "client_min_messages = warning", "enable_seqscan = off", "lc_messages = 'C'", "xmlbinary = hex", "ivfflat.probes = 1",
            "default_transaction_read_only = on", "row_security = off", "debug_print_plan = on", "log_min_messages = debug5",
            "plan_cache_mode = force_generic_plan", "statement_timeout = '3s'", "escape_string_warning = off",
        )  # fmt: skip
        how = rng.choice(("SET", "SET SESSION"))
        return [
            Step(f"{how} {rng.choice(settings)}"),
            Step(f"SHOW {rng.choice(settings).split()[0]}"),
            *self._single(),
            *self._single(),
            _RESET,
        ]

    def _temporary(self) -> list[Step]:
        rng = self.rng
        make = rng.choice((
            f"CREATE TEMP TABLE made AS {self.queries.query()}", f"SELECT * INTO TEMP made FROM ({self.queries.query()}) q",
            "CREATE TEMP TABLE made (id int, email text)", "CREATE TEMP TABLE people (id int, email text)",
            f"CREATE TEMP VIEW made AS {self.queries.query()}", "CREATE TEMP TABLE made (LIKE people)",
        ))  # fmt: skip
        then = [
            Step("TABLE made"), Step("SELECT * FROM people LIMIT 3"), Step("INSERT INTO made SELECT id, email FROM people"),
            Step("SELECT count(*) FROM made"), Step("INSERT INTO made (id) VALUES (1) RETURNING *"), Step("ANALYZE made"),
        ]  # fmt: skip
        return [_BEGIN, Step(make), *rng.sample(then, 3), _ROLLBACK]

    def _changes(self) -> list[Step]:
        steps = [self._change() for _ in range(self.rng.randint(1, 3))]
        after = [
            Step("SELECT id, name, email FROM people ORDER BY id LIMIT 8"),
            Step("SELECT * FROM sink"),
            *self._single(),
        ]
        return [_BEGIN, *steps, self.rng.choice(after), _ROLLBACK]

    def _change(self) -> Step:
        sql = self._filled("changes")
        # Not COPY FROM by the extended protocol: what comes after it in the session is about its Syncs and not about masks.
        forms = (Form.simple,) if sql.startswith("COPY") else (Form.simple, Form.simple, Form.extended)
        return Step(sql, self.rng.choice(forms))

    def _definitions(self) -> list[Step]:
        after = [
            Step("SELECT * FROM people ORDER BY 1 LIMIT 4"), Step("SELECT * FROM copied"), Step("SELECT c FROM vv"), Step("TABLE mm"),
            Step("SELECT other FROM people"), Step(self._filled("oracles")), *self._single(),
        ]  # fmt: skip
        return [_BEGIN, Step(self._filled("definitions")), *self.rng.sample(after, 2), _ROLLBACK, _RESET]

    # -- the catalogue, and the questions of an attacker -----------------------------------------------------------

    def _catalogue(self) -> list[Step]:
        return [Step(self._filled("catalogue"))]

    def _oracle(self) -> list[Step]:
        return [Step(self._filled("oracles"), self.rng.choice((Form.simple, Form.simple, Form.extended)))]

    def _indexed(self) -> list[Step]:
        step = Step(self._filled("indexed"), self.rng.choice((Form.simple, Form.simple, Form.extended)))
        return [_BEGIN, step, _ROLLBACK] if step.sql.startswith(("UPDATE", "DELETE", "INSERT")) else [step]

    def _filled(self, name: str) -> str:
        """A line of a file in `statements/`, its holes filled."""
        rng = self.rng
        value, column = rng.choice(_ASSIGNED)
        relation = rng.choice(RELATIONS).name
        indexed = rng.choice(tuple(INDEXED))
        holes: dict[str, Callable[[], str]] = {
            "column": lambda: column,
            "value": lambda: value,
            "hidden": lambda: rng.choice(("email", "salary", "ssn", "note", "emb", "body_tsv")),
            "condition": lambda: rng.choice(_CONDITIONS),
            "open": lambda: rng.choice(_OPEN_CONDITIONS),
            "opencars": lambda: rng.choice(("true", "label > 'asset 3'", "id < 5")),
            "returning": lambda: rng.choice(_RETURNING),
            "conflict": lambda: rng.choice(_CONFLICTS),
            "email": lambda: rng.choice(_EMAILS),
            "number": lambda: str(rng.choice((1, 3, 7, 12, 40, 2000, 5000))),
            "query": lambda: self.queries.select(families=["text", "num"]),
            "indexed": lambda: indexed,
            "relation": lambda: relation,
            "regclass": lambda: f"'public.{relation}'::regclass",
        }
        return _HOLE.sub(lambda hole: holes[hole[1]](), rng.choice(_lines(name)))


@cache
def _lines(name: str) -> list[str]:
    lines = (Path(__file__).parent / "statements" / f"{name}.sql").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("--")]


_HOLE = re.compile(r"\{([a-z]+)\}(?!')")  # not '{in}', an array
_BEGIN = Step("BEGIN", pinned=True)
_ROLLBACK = Step("ROLLBACK", pinned=True)
_RESET = Step("RESET ALL", pinned=True)
_RETURNING = (
    "", "", " RETURNING id", " RETURNING *", " RETURNING id, email, salary * 2", " RETURNING people", " RETURNING people.*, note",
    " RETURNING old.*, new.*", " RETURNING (SELECT max(email) FROM people)", " RETURNING upper(name), emb",
)  # fmt: skip
_CONFLICTS = (
    "DO NOTHING", "(id) DO NOTHING", "(id) DO UPDATE SET name = excluded.name", "(email) DO NOTHING",
    "(id) DO UPDATE SET email = excluded.email", "(email) DO UPDATE SET name = 'taken'", "(id) DO UPDATE SET name = people.email",
    "(id) DO UPDATE SET name = 'x' WHERE people.salary > 5000", "ON CONSTRAINT people_pkey DO NOTHING",
)  # fmt: skip
_OPEN_CONDITIONS = (
    "active", "tenant = 'acme'", "name > 'K'", "joined > '2022-01-01'", "id < 30", "id > 7", "boss IS NULL", "tenant > 'b'",
    "tenant IN ('acme', 'blue')", "name LIKE 'B%'", "active AND tenant = 'blue'",
)  # fmt: skip
_EMAILS = ("'guess@corp.example'", "'***'", "(SELECT min(email) FROM people)", "NULL")
_ASSIGNED = (
    ("'n'", "name"), ("name || 'y'", "name"), ("email", "name"), ("7", "salary"), ("salary + 1", "salary"), ("'a@b'", "email"),
    ("'***'", "email"), ("NULL", "ssn"), ("lower(tenant)", "tenant"), ("'[0,0,0,0,0,0,0,1]'", "emb"), ("'{}'", "note"), ("'b'", "body"),
)  # fmt: skip
_CONDITIONS = (
    "id = 3", "id < 9", "salary > 5000", "email LIKE 'm%'", "email > 'k'", "ssn < '5'", "note ->> 'phone' > '5'", "net > 2000",
    "bonus IS NULL", "bonus > 4", "left(email, 1) = 'c'", "ascii(substr(email, 2, 1)) >= 109", "emb >= '[0,0,0,0,0,0,0,0]'", "length(body) > 20 AND body > 'M'",
    "emb <-> '[0,0,0,0,1,0,0,0]' < 6", "body_tsv @@ 'a:*'", "note @> '{\"phone\": \"1\"}'", "people::text LIKE '%a%'", "md5(email) < '8'", "salary = 7",
    "note -> 'in' ->> 'phone' > '5'", "id IN (SELECT person FROM accounts WHERE balance > 5000)", "email IN (SELECT owner_email FROM accounts)",
    "(salary, id) > (4000, 5)", "salary BETWEEN 2000 AND 4000", "email = ANY (ARRAY['***', 'x'])", "email SIMILAR TO '(a|b|c)%'", "grade > 100",
    "email = 'guess@corp.example'", "to_jsonb(people) ->> 'email' > 'k'", "salary % 2 = 0", "email COLLATE \"C\" < 'm'", "similarity(email, 'abc') > 0.1",
)  # fmt: skip

_LITERAL = {
    "int": ("3", b"3"), "text": ("'m%'", b"m%"), "num": ("2.5", b"2.5"), "bool": ("true", b"t"), "date": ("'2025-02-01'", b"2025-02-01"),
    "jsonb": ("'{\"n\": 1}'", b'{"n": 1}'), "uuid": ("'00000000-0000-0000-0000-000000000001'", b"00000000-0000-0000-0000-000000000001"),
}  # fmt: skip
_BINARY = {
    "int": struct.pack("!i", 3), "text": b"m%", "bool": b"\1", "date": struct.pack("!i", 9163), "jsonb": b'\1{"n": 1}', "uuid": bytes(15) + b"\1",
}  # fmt: skip


def _parameter(rng: random.Random, family: str, *, binary: bool) -> bytes | None:
    if rng.random() < 0.05:
        return None
    return _BINARY[family] if binary and family in _BINARY else _LITERAL[family][1]
