"""The demo's data loads, finds what it should, and holds nobody who exists."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from harness.postgres import PostgresServer

DATA = Path(__file__).resolve().parents[2] / "demo" / "data"

PRODUCT_FOUND = {
    "double-charge": "Quay",
    "lost-phone": "Harbor",
    "spam": "Pigeon",
    "ransom": "Breakwater",
    "stale-report": "Currents",
    "offline": "Gull",
    "leaver": "Harbor",
    "pager": "Lantern",
}


@pytest.fixture(scope="module")
def demo(postgres: PostgresServer) -> Iterator[psycopg.Connection]:
    with postgres.fresh_database() as database:
        subprocess.run([sys.executable, DATA / "load.py", database.conninfo()], check=True)
        with database.connect() as connection:
            yield connection


def test_loads_with_psql_too(postgres: PostgresServer) -> None:
    with postgres.fresh_database() as database:
        done = postgres.run_program("psql", "-X", "-d", database.conninfo(), "-f", "load.sql", cwd=DATA)
        assert done.returncode == 0, done.stderr
        with database.connect() as connection:
            assert connection.execute("SELECT count(*) FROM support_docs").fetchone() == (343,)


def test_searches_find_the_right_product(demo: psycopg.Connection) -> None:
    queries = json.loads((DATA / "queries.json").read_text())["queries"]
    nearest = "SELECT product FROM support_docs ORDER BY embedding <=> %s::vector LIMIT 1"
    found = {query["name"]: demo.execute(nearest, [query["embedding"]]).fetchone()[0] for query in queries}
    assert found == PRODUCT_FOUND


def test_nobody_in_it_exists(demo: psycopg.Connection) -> None:
    people = demo.execute("SELECT email, phone, ssn FROM support_docs").fetchall()
    for email, phone, ssn in people:
        assert re.fullmatch(r"[a-z.]+@[a-z]+\.example\.com", email)
        assert re.fullmatch(r"\+1 \d{3} 555 01\d\d", phone)
        assert re.fullmatch(r"9\d\d-[0-4]\d-\d{4}", ssn)  # no such area and group is ever issued


def test_texts_hold_no_personal_values(demo: psycopg.Connection) -> None:
    """A mask on the columns must be enough to hide these people."""
    shown = "title || body || metadata::text"
    personal = ["customer_name", "user_id", "email", "phone", "ssn"]
    hits = " OR ".join(f"strpos({shown}, {column}) > 0" for column in personal)
    assert demo.execute(f"SELECT count(*) FROM support_docs WHERE {hits}").fetchone() == (0,)


def test_every_document_is_another_one(demo: psycopg.Connection) -> None:
    assert demo.execute("SELECT count(*) - count(DISTINCT body) FROM support_docs").fetchone() == (0,)
