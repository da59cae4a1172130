"""The npm clients `pg` and `postgres`, by the scripts in tests/node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from harness.gateway import Login

_SCRIPTS = Path(__file__).resolve().parents[1] / "node"


def run(script: str, ana: Login, node_modules: Path) -> dict:
    """What the script prints: one JSON object."""
    node = shutil.which("node")
    assert node, "node is missing: tools/setup/debian.sh test installs it"
    env = {**os.environ, **ana.environment, "NODE_PATH": os.fspath(node_modules), "CA_FILE": os.fspath(ana.gateway.certificate)}
    for libpq_only in ("PGSSLMODE", "PGSSLROOTCERT"):
        env.pop(libpq_only)
    done = subprocess.run([node, _SCRIPTS / script], env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def pg(ana: Login, node_modules: Path) -> dict:
    return run("pg_client.js", ana, node_modules)


@pytest.fixture(scope="module")
def postgres_js(ana: Login, node_modules: Path) -> dict:
    return run("postgres_client.js", ana, node_modules)


EXPECTED = {
    "simple": [{"id": 1, "title": "Title 1"}],
    "parameters": [{"id": 9}],
    "prepared": [1, 2, 3],
    "nearest": 7,
    "vector": [7, 0, 7, 1],
    "transaction": 0,
    "cursor": 5000,
    "error": "23505",
    "refused": "42501",
    "after": 1,
    "pool": 20,
    "notification": "hello",
}


@pytest.mark.parametrize("what", [*EXPECTED, "types", "many"])
def test_pg(pg: dict, what: str) -> None:
    """npm pg: simple and parameterised queries, named statements, vectors, transactions, pool, LISTEN, errors."""
    expected = {"types": {"n": 42, "j": {"a": [1]}, "b": True, "d": "2026-01-02"}, "many": [1, 2]}
    assert pg[what] == (EXPECTED | expected)[what]


@pytest.mark.parametrize("what", [*EXPECTED, "copy_in", "copy_out", "pipeline"])
def test_postgres_js(postgres_js: dict, what: str) -> None:
    """npm postgres: tagged templates, which are pipelined and prepared; cursors, COPY streams, transactions, LISTEN."""
    expected = {"copy_in": 2, "copy_out": "1\n2\n3\n", "pipeline": list(range(50))}
    assert postgres_js[what] == (EXPECTED | expected)[what]
