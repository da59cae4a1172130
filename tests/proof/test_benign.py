"""Usefulness: what honest clients send to masked relations is answered, with the results of a database that truly holds the
masked values.

Nothing in here is marked as expected to fail: the rate is over all of it. What fails is printed with its reason. The corpus is
benign/*.sql, benign/psql.txt and the programs of benign_programs.py; benign_databases.py says how an answer is judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from harness.postgres import PostgresServer

from proof.benign_corpus import Step, cases
from proof.benign_databases import Answer, Databases, databases, difference
from proof.benign_programs import check_all
from proof.report import record

FEWEST_STATEMENTS = 300
PASS_RATE = 0.97
"""The share that must pass, as promised."""


@pytest.fixture(scope="module")
def prepared(postgres: PostgresServer) -> Iterator[Databases]:
    with databases(postgres) as made:
        yield made


def test_benign_statements_pass(prepared: Databases) -> None:
    passed, failed = Counter[str](), Counter[str]()
    reasons: list[str] = []

    def count(family: str, name: str, why: str) -> None:
        if not why:
            passed[family] += 1
            return
        failed[family] += 1
        reasons.append(f"{family}: {name}\n    {why}")

    for case in cases():
        count(case.family, case.name, prepared.check(case))
    for family, name, why in check_all(prepared):
        count(family, name, why)

    total = passed.total() + failed.total()
    rate = passed.total() / total
    record(benign_statements=total, benign_pass_rate=round(rate, 4))
    print("\n".join(reasons))
    for family in sorted(passed | failed):
        print(f"{family}: {passed[family]} of {passed[family] + failed[family]} pass")
    print(f"{passed.total()} of {total} benign statements pass: {rate:.1%}")
    assert total >= FEWEST_STATEMENTS
    assert rate >= PASS_RATE, f"{failed.total()} of {total} benign statements do not pass; they are printed above"


def test_masks_matter_to_the_corpus(prepared: Databases) -> None:
    """Many statements show masked cells: asked of the database before the masks, they answer something else."""
    shown = 0
    for case in cases():
        if case.against == "masked" and case.only_reads:
            shown += bool(prepared.differs_without_masks(case))
    assert shown >= 60


ANSWER = Answer(columns=[("id", 23, -1)], rows=[[b"1"], [b"2"]], tags=["SELECT 2"], copied=b"", error="")


@pytest.mark.parametrize(
    "other",
    [
        replace(ANSWER, columns=[("no", 23, -1)]),
        replace(ANSWER, columns=[("id", 20, -1)]),
        replace(ANSWER, rows=[[b"1"], [b"3"]]),
        replace(ANSWER, rows=[[b"2"], [b"1"]]),
        replace(ANSWER, rows=[[b"1"], [None]]),
        replace(ANSWER, rows=[[b"1"]]),
        replace(ANSWER, tags=["SELECT 3"]),
        replace(ANSWER, copied=b"1\n"),
        replace(ANSWER, error="42501"),
    ],
)
def test_a_difference_is_seen(other: Answer) -> None:
    step = Step(sql="SELECT id FROM docs ORDER BY id")
    assert difference(step, ANSWER, ANSWER) == ""
    assert difference(step, ANSWER, other) != ""
    assert difference(step, other, ANSWER) != ""
