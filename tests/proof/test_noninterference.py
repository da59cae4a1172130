"""Non-interference: whatever a client sends, it cannot tell two databases apart that differ only in masked cells.

The package `proof.noninterference` says how that is tested. `make noninterference STATEMENTS=... SEED=...` is the long run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from proof.noninterference import builtins
from proof.noninterference.compare import difference
from proof.noninterference.run import Run
from proof.noninterference.sequences import Sequences
from proof.noninterference.worlds import Form, Step, Worlds
from proof.report import record

# In every test run; a minute at most.
_STATEMENTS = int(os.environ.get("NONINTERFERENCE_STATEMENTS", "2000"))
_SEED = int(os.environ.get("NONINTERFERENCE_SEED", "20251"))

# Of the statements sent. A gateway that refuses everything would let no difference through either.
_ANSWERED = 0.40
_WITH_ROWS = 0.22

# Of the searches and selects that follow, sent past the gateway: how many show that the two databases differ.
_DIFFERENT_DIRECTLY = 0.40


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    with Worlds() as both:
        yield both


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_databases_that_differ_in_masked_cells_look_the_same(worlds: Worlds) -> None:
    report = Run(worlds, _SEED).go(_STATEMENTS)
    print(report)
    record(noninterference_statements=report.statements, noninterference_differences=report.differences)
    assert report.findings == [], "\n\n".join(map(str, report.findings))
    assert report.answered >= _ANSWERED * report.statements, report
    assert report.with_rows >= _WITH_ROWS * report.statements, report


def test_past_the_gateway_they_do_not_look_the_same(worlds: Worlds) -> None:
    """The test above can fail: the same generator, without the gateway, tells the two apart in nearly every other statement."""
    queries = Sequences(_SEED, builtins.functions(worlds.a.database)).queries
    worlds.connect("scanner", directly=True)
    seen = [difference(*worlds.run(Step(queries.query()))) for _ in range(200)]
    different = [found for found in seen if found is not None]
    assert len(different) >= _DIFFERENT_DIRECTLY * len(seen), f"{len(different)} of {len(seen)}"


SHOWN = [
    "SELECT {column} FROM {table} ORDER BY {key}",
    "SELECT max(md5({column}::text)) FROM {table}",
    "SELECT {key} FROM {table} ORDER BY md5({column}::text)",
    "SELECT md5(t::text) FROM {table} t ORDER BY {key}",
]


@pytest.mark.parametrize("shape", SHOWN)
@pytest.mark.parametrize(
    ("table", "column", "key"),
    [
        ("people", "email", "id"), ("people", "emb", "id"), ("things", "h_text", "id"), ("stuff", "h_uuid", "id"),
        ("events", "who", "id"), ("cars", "plate", "id"), ("chunks", "content", "id"), ("accounts", "balance", "iban"),
    ],
)  # fmt: skip
def test_each_relation_is_told_apart_directly_and_not_through_the_gateway(
    worlds: Worlds, shape: str, table: str, column: str, key: str
) -> None:
    """The comparison works for every relation and channel: fixed statements, first past the gateway, then through it."""
    step = Step(shape.format(table=table, column=column, key=key), Form.extended)
    worlds.connect("reader", directly=True)
    assert difference(*worlds.run(step)) is not None
    worlds.connect("reader")
    a, b = worlds.run(step)
    assert difference(a, b) is None
    assert a.rows or a.errors
