"""Oracles: what the answer to a well-chosen question lets on about a value that is never output (bypass/oracles.py).

On a database each procedure recovers the secret. Through the gateway it is run against two databases of different secrets: it
is told the same by both, so that whatever it concludes it has not learnt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from harness.gateway import Gateway
from harness.postgres import PostgresServer

from bypass import oracles, twins
from bypass.conftest import POLICY
from bypass.oracles import Channel, Vector

T = TypeVar("T")

MAIL = twins.ONE["docs"][0][1]
OTHER_MAIL = twins.OTHER["docs"][0][1]
VECTOR: Vector = tuple(map(float, twins.ONE["docs"][0][5].strip("[]").split(",")))

WAGES = """
CREATE TABLE wages (id int PRIMARY KEY, grade text);
INSERT INTO wages SELECT i, 'grade-' || substr('{letters}', i % 10 + 1, 1) FROM generate_series(1, 500) i;
ALTER TABLE wages OWNER TO svc;
ANALYZE wages;
"""

RULES = (
    twins.RULES
    + """
  - name: hide-wages
    match: {collection: wages}
    mask:
      - {fields: [grade], with: redact}
"""
)


@pytest.fixture(scope="module")
def pair(postgres: PostgresServer) -> Iterator[twins.Twins]:
    with twins.twins(postgres) as pair:
        for database, letters in ((pair.one, "cccccccabd"), (pair.other, "aaaaaaacbd")):
            with database.connect() as direct:
                direct.execute(WAGES.format(letters=letters).encode())
        yield pair


@pytest.fixture(scope="module")
def masked(pair: twins.Twins) -> Iterator[twins.Connect]:
    with Gateway(policy=POLICY + RULES) as gateway:
        yield twins.behind(gateway, pair)


def recovered(connect: twins.Connect, attack: Callable[[Channel], T], *, first: bool = True) -> tuple[T, Channel]:
    with connect("svc", first) as client:
        channel = Channel(client)
        return attack(channel), channel


def learns_nothing(connect: twins.Connect, attack: Callable[[Channel], T]) -> T:
    """What it concludes from the first database; it has been told the same by the other."""
    here, one = recovered(connect, attack)
    there, other = recovered(connect, attack, first=False)
    assert str(here) == str(there)  # as text, because a number that is none does not equal itself
    assert one.transcript == other.transcript
    return here


def o8_guess_list(channel: Channel) -> str:
    return oracles.o8_guess_list(channel, ["nobody@corp.example", MAIL, OTHER_MAIL])


SCALAR = [
    (oracles.o1_rows_of_a_filter, MAIL[: oracles.LENGTH]),
    (oracles.o2_count, MAIL[: oracles.LENGTH]),
    (oracles.o3_presence_of_an_error, MAIL[: oracles.LENGTH]),
    (oracles.o4_affected_rows, MAIL[: oracles.LENGTH]),
    (oracles.o6_bisection, MAIL[: oracles.LENGTH]),
    (oracles.o7_place_in_an_order, MAIL[: oracles.LENGTH]),
    (o8_guess_list, MAIL),
]


@pytest.mark.parametrize(("attack", "secret"), SCALAR, ids=lambda it: getattr(it, "__name__", ""))
def test_scalar(attack: Callable[[Channel], str], secret: str, pair: twins.Twins, masked: twins.Connect) -> None:
    assert recovered(twins.directly(pair), attack)[0] == secret
    assert learns_nothing(masked, attack) != secret


def test_o5_time(pair: twins.Twins, masked: twins.Connect) -> None:
    """Time is not in a transcript: what is concluded from it must be no secret."""
    assert recovered(twins.directly(pair), oracles.o5_time)[0] == MAIL[:2]
    assert recovered(masked, oracles.o5_time)[0] != MAIL[:2]
    assert recovered(masked, oracles.o5_time, first=False)[0] != OTHER_MAIL[:2]


def test_o9_estimates(pair: twins.Twins, masked: twins.Connect) -> None:
    assert recovered(twins.directly(pair), oracles.o9_estimates)[0].startswith("{grade-c")
    assert learns_nothing(masked, oracles.o9_estimates) == ""


def close(found: Vector, tolerance: float, to: Vector = VECTOR) -> bool:
    return len(found) == len(to) and all(math.isclose(a, b, abs_tol=tolerance) for a, b in zip(found, to, strict=True))


NORM = math.sqrt(sum(x * x for x in VECTOR))

VECTORS = [
    (oracles.v1_l2_distances, 1e-5, VECTOR),
    (oracles.v2_inner_products_at_once, 1e-6, VECTOR),
    (oracles.v3_cosine_distances, 1e-6, tuple(x / NORM for x in VECTOR)),
    (oracles.v4_l1_distances, 1e-5, VECTOR),
    (oracles.v5_threshold, 1e-5, VECTOR),
    (oracles.v6_comparison, 1e-7, VECTOR),
    (oracles.v8_rounded_scores, 6e-3, VECTOR),
    (oracles.v9_rounded_scores_of_a_long_query, 1e-4, VECTOR),
    (oracles.v10_signs, 0, tuple(math.copysign(1.0, x) for x in VECTOR)),
]


@pytest.mark.parametrize(("attack", "tolerance", "secret"), VECTORS, ids=lambda it: getattr(it, "__name__", ""))
def test_vector(
    attack: Callable[[Channel], Vector], tolerance: float, secret: Vector, pair: twins.Twins, masked: twins.Connect
) -> None:
    """All but V7, which needs no more than the order of a search."""
    assert close(recovered(twins.directly(pair), attack)[0], tolerance, secret)
    assert not close(learns_nothing(masked, attack), 0.05, secret)
