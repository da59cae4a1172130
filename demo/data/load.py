"""Loads the demo's data with psycopg, in about a second.

As a program:  python demo/data/load.py "host=127.0.0.1 port=5432 dbname=demo user=postgres"
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import psycopg

_HERE = Path(__file__).resolve().parent


def load(connection: psycopg.Connection) -> None:
    """Makes and fills the tables in one transaction; they must not exist yet."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute((_HERE / "schema.sql").read_bytes())
        _copy(cursor, "support_docs", gzip.decompress((_HERE / "support_docs.csv.gz").read_bytes()))
        _copy(cursor, "products", (_HERE / "products.csv").read_bytes())
        cursor.execute("ANALYZE public.support_docs, public.products")


def _copy(cursor: psycopg.Cursor, table: str, data: bytes) -> None:
    with cursor.copy(f"COPY public.{table} FROM STDIN (FORMAT csv, HEADER match)") as copy:
        copy.write(data)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with psycopg.connect(sys.argv[1]) as target:
        load(target)
