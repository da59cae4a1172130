"""The attacks of sql_more.json, on two databases that differ in nothing but the secrets (twins.py)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import corpus
from harness.corpus import Case
from harness.gateway import Gateway
from harness.postgres import PostgresServer

from bypass import twins
from bypass.conftest import POLICY
from bypass.twins import Attack

CASES = corpus.cases("sql_more.json")


@pytest.fixture(scope="module")
def direct(postgres: PostgresServer) -> Iterator[Attack]:
    with twins.twins(postgres, twins.MORE_SETUP) as pair, Attack(pair, twins.directly(pair)) as attack:
        yield attack


@pytest.fixture(scope="module")
def masked(postgres: PostgresServer) -> Iterator[Attack]:
    with (
        twins.twins(postgres, twins.MORE_SETUP) as pair,
        Gateway(policy=POLICY + twins.RULES) as gateway,
        Attack(pair, twins.behind(gateway, pair)) as attack,
    ):
        yield attack


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_leaks_without_a_gateway(case: Case, direct: Attack) -> None:
    """An attack that tells nothing here would pass any gateway, and so prove nothing."""
    assert any(direct.case(case)), case.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_no_leak(case: Case, masked: Attack) -> None:
    assert list(masked.case(case)) == [], f"{case.name}: {case.steps}"


# COPY FROM runs code for each line that it is given.
COPIES = [
    ("COPY open_table FROM STDIN WHERE f_compare('a', 'b')", b"9\tx\t1\n"),
    ("COPY dtab FROM STDIN", b"9\tx\n"),
    ("COPY dtab (a, id) FROM STDIN (FORMAT csv)", b"x,10\n"),
]


@pytest.mark.parametrize(("sql", "line"), COPIES, ids=lambda it: it[:20])
def test_copying_leaks_without_a_gateway(sql: str, line: bytes, direct: Attack) -> None:
    assert any(direct.leaks(*direct.both("svc", lambda client, _: client.copy_in(sql, [line]), again=False)))


@pytest.mark.parametrize(("sql", "line"), COPIES, ids=lambda it: it[:20])
def test_no_leak_by_copying(sql: str, line: bytes, masked: Attack) -> None:
    assert not list(masked.leaks(*masked.both("svc", lambda client, _: client.copy_in(sql, [line]), again=False)))


def test_names_are_unique() -> None:
    assert len({case.id for case in CASES}) == len({case.name for case in CASES}) == len(CASES)
