"""The database of the attack corpus behind a gateway whose policy allows everything else, so that nothing is safe merely
because it is forbidden. Masked: docs.email, ssn, salary, note (redact) and embedding (vectors: remove).

A module adds to it by SETUP (SQL, run by the database's owner) and RULES (of the policy).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import corpus
from harness.gateway import Gateway, Login
from harness.postgres import Database, PostgresServer
from proof.report import record

from bypass import twins
from bypass.tally import TALLY
from bypass.twins import Attack, Twins

POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: hide-identity-fields
    match: {collection: docs}
    mask:
      - {fields: [email, ssn, salary, note], with: redact}
      - {vectors: remove, scores: rank}
"""


@pytest.fixture(scope="module")
def prepared(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[Database]:
    with corpus.prepared(postgres) as database:
        if setup := getattr(request.module, "SETUP", None):
            with database.connect() as direct:
                direct.execute(setup)
        yield database


@pytest.fixture(scope="module")
def attacker(request: pytest.FixtureRequest, prepared: Database) -> Iterator[Login]:
    with Gateway(policy=POLICY + getattr(request.module, "RULES", "")) as gateway:
        gateway.add_connection("docs", prepared, {"svc": "svc", "postgres": "postgres"})
        yield gateway.login("mallory", role="svc")


@pytest.fixture(scope="module")
def direct(pair: Twins) -> Iterator[Attack]:
    """What a module's `pair` tells without a gateway."""
    with Attack(pair, twins.directly(pair)) as attack:
        yield attack


@pytest.fixture(scope="module")
def masked(request: pytest.FixtureRequest, pair: Twins) -> Iterator[Attack]:
    """And behind one with the module's POLICY."""
    with Gateway(policy=request.module.POLICY) as gateway, Attack(pair, twins.behind(gateway, pair)) as attack:
        yield attack


# Tests of the wire elsewhere that belong to the suite's figures (test_wire_attacks.py has the table).
_OF_THE_WIRE = (
    "integration/test_wire_forms.py",
    "integration/test_broken_clients.py",
    "integration/test_hostile_upstream.py",
)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Each test here is an attack, unless it counts for itself; one that fails is taken for a leak."""
    if (
        report.when != "call"
        or not report.nodeid.startswith(("bypass/", *_OF_THE_WIRE))
        or report.nodeid in TALLY.counted
    ):
        return
    if report.outcome != "skipped" and "without_a_gateway" not in report.nodeid:
        TALLY.count(report.nodeid, 1, int(report.failed))


def pytest_sessionfinish() -> None:
    if TALLY.cases:
        record(bypass_cases=TALLY.cases, bypass_leaks=TALLY.leaks)
