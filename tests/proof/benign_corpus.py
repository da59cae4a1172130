"""The statements of benign/*.sql: what honest clients send, by family (the file's name).

    -- # Customer.find(7)                     a case begins, with its name
    -- bind: ["7", 1]                         the next statement's parameters: it goes by the extended protocol
    SELECT "customers".* FROM "customers" WHERE "customers"."id" = $1 LIMIT $2;

A case may have several statements, each ended by a semicolon at the end of a line. Further remarks before a statement:

    -- binary                   its results are asked for in binary (with `bind`)
    -- rows: 10                 it is fetched in pages of so many rows (with `bind`)
    -- copy: ["1\\ta\\n"]       what is sent after COPY FROM STDIN
    -- plan: documents_search   EXPLAIN of it shows this index; the rest of a plan is not compared
    -- shape                    only columns and tags are compared: values depend on the time or on the connection
    -- unordered                its rows may come in any order, although ORDER BY stands in it

and for all statements from there on to the next case (before the first case: of the whole file):

    -- against: true            which database is asked what is right (benign_databases.py); `masked` is the default
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).with_name("benign")
NO_CASES = {"schema", "masked", "vectors"}

_READS = re.compile(r"(SELECT|WITH|VALUES|TABLE|SHOW|EXPLAIN)\b", re.IGNORECASE)
_CHANGES = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE|INTO|setval|nextval|set_config)\b", re.IGNORECASE)
_ALONE = re.compile(r"(BEGIN|START|DISCARD|VACUUM)\b", re.IGNORECASE)
_ORDERED = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)


@dataclass
class Step:
    """One statement. `bind` is None in the simple protocol."""

    sql: str = ""
    bind: list[bytes | None] | None = None
    binary: bool = False
    rows: int = 0
    copy: list[bytes] = field(default_factory=list)
    plan: str = ""
    shape: bool = False
    unordered: bool = False

    @property
    def only_reads(self) -> bool:
        return bool(_READS.match(self.sql)) and not _CHANGES.search(self.sql)

    @property
    def alone(self) -> bool:
        return bool(_ALONE.match(self.sql))

    @property
    def ordered(self) -> bool:
        return bool(_ORDERED.search(self.sql)) and not self.unordered


@dataclass
class Case:
    family: str
    name: str
    against: str
    steps: list[Step] = field(default_factory=list)

    @property
    def only_reads(self) -> bool:
        return all(step.only_reads for step in self.steps)

    @property
    def alone(self) -> bool:
        """It cannot run within a transaction: it has one of its own, or cannot be in one."""
        return any(step.alone for step in self.steps)

    @property
    def plans(self) -> bool:
        """It asks for a plan, which it gets where the planner prefers indexes to whatever is quicker on so few rows."""
        return any(step.plan for step in self.steps)


def cases() -> list[Case]:
    return [case for path in sorted(FOLDER.glob("*.sql")) if path.stem not in NO_CASES for case in _read(path)]


def _read(path: Path) -> Iterator[Case]:
    against = "masked"
    case: Case | None = None
    step, lines = Step(), []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("-- # "):
            if case is not None:
                yield case
            if lines:
                raise ValueError(f"{path.name}:{number}: the statement before has no end")
            case, step = Case(path.stem, line[5:], against), Step()
        elif line.startswith("-- ") and not lines:
            key, _, value = line[3:].partition(": ")
            if key == "against":
                if case is None:
                    against = value
                else:
                    case.against = value
            elif case is not None:
                _remark(step, key, value, f"{path.name}:{number}")
        elif line.strip():
            if case is None:
                raise ValueError(f"{path.name}:{number}: a statement before the first case")
            lines.append(line)
            if line.endswith(";"):
                step.sql = "\n".join(lines).removesuffix(";")
                case.steps.append(step)
                step, lines = Step(), []
    if lines:
        raise ValueError(f"{path.name}: the last statement has no end")
    if case is not None:
        yield case


def _remark(step: Step, key: str, value: str, where: str) -> None:
    match key:
        case "bind":
            step.bind = [None if each is None else _text(each) for each in json.loads(value)]
        case "copy":
            step.copy = [each.encode() for each in json.loads(value)]
        case "rows":
            step.rows = int(value)
        case "plan":
            step.plan = value
        case "binary" | "shape" | "unordered":
            setattr(step, key, True)
        case _:
            raise ValueError(f"{where}: no such remark: {key}")


def _text(value: object) -> bytes:
    """A parameter as text; lists and objects as JSON."""
    return (value if isinstance(value, str) else json.dumps(value)).encode()
