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
