"""Thousands of variants of the attacks (variants.py), through the gateway and, to see that they are attacks, without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest
from harness.gateway import Gateway
from harness.postgres import PostgresServer

from bypass import twins, variants
from bypass.conftest import POLICY
from bypass.tally import TALLY
from bypass.twins import Attack
from bypass.variants import Variant

COUNT = 2000
OF_THE_CORPUS = 500
SEED = 20

CONTROL = 500
"""So many of them are run without a gateway."""
MUST_LEAK = 0.97
"""Of those: the others fail with an error, because an expression and a nesting do not go together."""

MUST_BE_ANSWERED = 0.6
"""Through the gateway: a gateway that refuses everything keeps secrets, too, and is no use."""


@pytest.fixture(scope="module")
def pair(postgres: PostgresServer) -> Iterator[twins.Twins]:
    with twins.twins(postgres) as pair:
        yield pair


@pytest.fixture(scope="module")
def masked(pair: twins.Twins) -> Iterator[Attack]:
    with Gateway(policy=POLICY + twins.RULES) as gateway, Attack(pair, twins.behind(gateway, pair)) as attack:
        yield attack


def run(attack: Attack, all_of_them: Iterable[Variant]) -> tuple[list[str], list[str], Counter[str]]:
    """Those that leak, those that do not, and the SQLSTATEs of their first errors."""
    leaks, quiet, outcomes = [], [], Counter()
    for variant in all_of_them:
        seen = attack.both("svc", variant.run, again=True)
        outcomes[seen[0].error.sqlstate] += 1
        found = list(attack.confirmed(seen, lambda variant=variant: attack.both("svc", variant.run, again=True)))[:3]
        (leaks if found else quiet).append(f"{variant}\n    {found or seen[0].error or seen[0].rows}")
    return leaks, quiet, outcomes


@pytest.mark.parametrize("make", [variants.variants, variants.of_the_corpus])
def test_they_leak_without_a_gateway(make: Callable[[int, int], Iterator[Variant]], pair: twins.Twins) -> None:
    with Attack(pair, twins.directly(pair)) as attack:
        _, quiet, _ = run(attack, make(CONTROL, SEED))
    assert len(quiet) <= (1 - MUST_LEAK) * CONTROL, "\n".join(quiet)


def test_no_variant_leaks(masked: Attack, request: pytest.FixtureRequest) -> None:
    leaks, _, outcomes = run(masked, variants.variants(COUNT, SEED))
    TALLY.count(request.node.nodeid, COUNT, len(leaks))
    assert not leaks, f"{len(leaks)} leaks\n" + "\n".join(leaks[:20])
    assert outcomes[""] >= MUST_BE_ANSWERED * COUNT, outcomes


def test_no_variant_of_the_corpus_leaks(masked: Attack, request: pytest.FixtureRequest) -> None:
    leaks, _, _ = run(masked, variants.of_the_corpus(OF_THE_CORPUS, SEED))
    TALLY.count(request.node.nodeid, OF_THE_CORPUS, len(leaks))
    assert not leaks, f"{len(leaks)} leaks\n" + "\n".join(leaks[:20])
