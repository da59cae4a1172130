"""The database that is measured: pgbench's tables, vectors with an HNSW index, a large table, and tables that are masked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
from harness.postgres import Database, PostgresServer
from plan import Plan

ROLE = "bench"
"""Whom all peers are towards the database: the owner of the tables, no superuser."""

SERVER_SETTINGS = {
    "shared_buffers": "1GB",
    "maintenance_work_mem": "1GB",
    "max_connections": "400",
    "max_wal_size": "8GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}

MASKED_TABLES = 40
"""crm.customers_00 and on: what the masking rules of the policy are about, and no workload reads."""

_CLUSTERS = 200
_BATCH = 5_000
_QUERIES = 32


def prepare(server: PostgresServer, plan: Plan) -> Database:
    """Makes it all; returns the database. The same numbers in every run."""
    with server.connect() as connection:
        connection.execute(f"CREATE ROLE {ROLE} LOGIN")
        connection.execute(f"CREATE DATABASE bench OWNER {ROLE}")
    database = Database(server, "bench")
    with database.connect() as connection:
        connection.execute("CREATE EXTENSION vector")
    _pgbench_tables(server, database, plan)
    with database.connect(user=ROLE) as connection:
        _vectors(connection, plan)
        _large_rows(connection, plan)
        _masked_tables(connection)
        connection.execute("VACUUM ANALYZE")
    with database.connect() as connection:
        connection.execute("CHECKPOINT")
    return database


def query_vectors(plan: Plan) -> list[str]:
    """Texts of vectors to search with: near the data, none of it."""
    rng = np.random.default_rng(2)
    near = _points(rng, _QUERIES, plan.dimensions)
    return ["[" + ",".join(f"{value:.6f}" for value in vector) + "]" for vector in near]


def _pgbench_tables(server: PostgresServer, database: Database, plan: Plan) -> None:
    arguments = ["-i", "-q", "-s", str(plan.pgbench_scale), database.conninfo(user=ROLE)]
    done = server.run_program("pgbench", *arguments)
    if done.returncode != 0:
        raise RuntimeError(f"pgbench -i failed:\n{done.stderr}")


def _points(rng: np.random.Generator, count: int, dimensions: int) -> np.ndarray:
    """Unit vectors in clusters, as embeddings of documents about so many subjects are."""
    centres = np.random.default_rng(1).standard_normal((_CLUSTERS, dimensions), dtype=np.float32)
    points = centres[rng.integers(_CLUSTERS, size=count)]
    points = points + 0.6 * rng.standard_normal((count, dimensions), dtype=np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def _vectors(connection: psycopg.Connection, plan: Plan) -> None:
    connection.execute(
        f"CREATE TABLE documents (id int4 PRIMARY KEY, title text NOT NULL, embedding vector({plan.dimensions}) NOT NULL)"
    )
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY documents (id, title, embedding) FROM STDIN (FORMAT binary)") as copy,
    ):
        for chunk in _binary_copy(plan):
            copy.write(chunk)
    # The smallest graph that still finds its way: half of pgvector's defaults, because building is not what we measure.
    connection.execute(
        "CREATE INDEX documents_embedding ON documents USING hnsw (embedding vector_cosine_ops) "
        "WITH (m = 8, ef_construction = 32)"
    )


def _binary_copy(plan: Plan) -> Iterator[bytes]:
    """The rows in COPY's binary format: pgvector's own is the dimension, two bytes of nothing, and big-endian floats."""
    row = np.dtype(
        [
            ("fields", ">i2"),
            ("id_length", ">i4"),
            ("id", ">i4"),
            ("title_length", ">i4"),
            ("title", "S14"),
            ("vector_length", ">i4"),
            ("dimension", ">i2"),
            ("unused", ">i2"),
            ("values", ">f4", (plan.dimensions,)),
        ]
    )
    yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
    rng = np.random.default_rng(0)
    for first in range(0, plan.vectors, _BATCH):
        count = min(_BATCH, plan.vectors - first)
        rows = np.zeros(count, row)
        rows["fields"] = 3
        rows["id_length"] = 4
        rows["id"] = np.arange(first + 1, first + count + 1)
        rows["title_length"] = 14
        rows["title"] = [b"document%06d" % number for number in rows["id"]]
        rows["vector_length"] = 4 + 4 * plan.dimensions
        rows["dimension"] = plan.dimensions
        rows["values"] = _points(rng, count, plan.dimensions)
        yield rows.tobytes()
    yield b"\xff\xff"


def _large_rows(connection: psycopg.Connection, plan: Plan) -> None:
    """Rows of 9,000 bytes of text that are small on the server's side, so that the server is fast and the way is measured."""
    connection.execute("CREATE TABLE large_rows (id int4 PRIMARY KEY, body text NOT NULL)")
    connection.execute(
        "INSERT INTO large_rows SELECT n, repeat(md5(n::text) || '-0123456789-', 9000 / 44) "
        f"FROM generate_series(1, {plan.large_rows}) AS n"
    )


def _masked_tables(connection: psycopg.Connection) -> None:
    connection.execute("CREATE SCHEMA crm")
    for number in range(MASKED_TABLES):
        connection.execute(
            f"CREATE TABLE crm.customers_{number:02} "
            "(id int8 PRIMARY KEY, name text, email text NOT NULL, phone text, ssn text, embedding vector(16))"
        )


def client_environment(password: str) -> dict[str, str]:
    """For libpq programs: nothing but what we say, and no attempt at TLS or GSSAPI, which no peer here has."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**kept, "PGPASSWORD": password, "PGSSLMODE": "disable", "PGGSSENCMODE": "disable"}


def pgbench_program(server: PostgresServer) -> tuple[Path, dict[str, str]]:
    """pgbench of the server's own version, and what it needs in its environment."""
    return server.installation.bin / "pgbench", server.installation.environment
