"""The rewriter, driven as a program: `rewrite_tool` reads the catalogue of a real database through us, and then rewrites
statements on request (src/systems/postgres/rewrite/rewrite_tool.cc says how the two talk).

    with Rewriter(database, ["field public.docs email redact", "vectors public.docs keep"]) as rewriter:
        answer = rewriter.rewrite("SELECT email FROM docs")
        answer.sql                                   # what to send, None when it was denied
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness.gateway import binary
from harness.postgres import Database

CORPUS_MASKS = [
    *(f"field public.docs {column} redact" for column in ("email", "ssn", "salary", "note")),
    "vectors public.docs rank",
]


@dataclass(frozen=True)
class Answer:
    """`kind`: "unchanged", "rewritten", "denied" or "stale"."""

    kind: str
    sql: str | None = None
    message: str = ""


class Rewriter:
    """One process with one catalogue. `user` is the role that reads it."""

    def __init__(self, database: Database, masks: Sequence[str] = (), user: str = "postgres") -> None:
        self._tool = subprocess.Popen(
            [_tool()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="ascii"
        )
        with database.connect(user=user) as connection:
            while (line := self._read()) != "ready":
                query = bytes.fromhex(line.split()[1]).decode()
                cursor = connection.execute(query.encode())
                for row in cursor if cursor.description else ():
                    cells = ("-" if cell is None else "x" + cell.encode().hex() for cell in row)
                    self._write("row " + " ".join(cells))
                self._write("end")
        for mask in masks:
            self._write(mask)

    def rewrite(self, sql: str, clamp: int | None = None) -> Answer:
        self._write(f"sql {sql.encode().hex()}" if clamp is None else f"clamp {clamp} {sql.encode().hex()}")
        kind, *rest = self._read().split()
        texts = [bytes.fromhex(text).decode() for text in rest]
        match kind:
            case "unchanged":
                return Answer(kind, sql)
            case "rewritten":
                return Answer(kind, texts[0])
            case _:
                return Answer(kind, None, texts[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tool.stdin.close()
        self._tool.stdout.close()
        self._tool.wait(timeout=10)

    def _write(self, line: str) -> None:
        self._tool.stdin.write(line + "\n")
        self._tool.stdin.flush()

    def _read(self) -> str:
        line = self._tool.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"rewrite_tool ended with {self._tool.wait(timeout=10)}")
        return line


def statements(name: str) -> list[str]:
    """The statements of a file beside this one, one a line."""
    lines = Path(__file__).with_name(name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("--")]


def _tool() -> Path:
    path = binary().parent / "tools" / "rewrite_tool"
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"no rewrite_tool at {path}: it is built with the gateway")
    return path
