"""A type can run code: the check of a domain is somebody's function. While masks are in force no value becomes one of it."""

from __future__ import annotations

import pytest
from harness import corpus, wire
from harness.gateway import Login
from harness.postgres import Database

SETUP = """
CREATE FUNCTION tell(text) RETURNS bool LANGUAGE plpgsql SECURITY DEFINER AS $$
  BEGIN RAISE NOTICE '%', (SELECT string_agg(email, ' ') FROM public.docs); RETURN true; END $$;
CREATE DOMAIN loud AS text CHECK (tell(value));
"""

STATEMENTS = [
    "SELECT 'x'::loud",
    "SELECT CAST('4MB' AS public.loud)",
    "SELECT ARRAY['x']::loud[]",
    "SELECT * FROM json_to_record('{\"a\":\"x\"}') AS t(a loud)",
    "SELECT set_config('work_mem'::loud, '4MB', false)",
    "SELECT set_config('work_mem', '4MB'::loud, false)",
    "SELECT set_config('work_mem', '4MB', 'f'::loud::text::bool)",
    "SELECT set_config(name, '4MB'::loud, false) FROM pg_settings WHERE name = 'work_mem'",
    "SELECT set_config(name, '4MB', false) FROM pg_settings WHERE name = 'work_mem'::loud",
    "PREPARE p (loud) AS SELECT $1; EXECUTE p ('x')",
    "INSERT INTO sink (data) VALUES ('x'::loud)",
    "SELECT title FROM docs WHERE title = 'x'::loud",
    "EXPLAIN (ANALYZE) SELECT 'x'::loud",
    "COPY (SELECT 'x'::loud) TO STDOUT",
]


@pytest.mark.parametrize("sql", STATEMENTS)
def test_checks_of_domains_do_not_run(attacker: Login, sql: str) -> None:
    with attacker.wire(timeout=30) as client:
        client.query(sql)
        if "; " not in sql:
            client.extended(sql)
        assert corpus.secrets_in(client.received) == [], bytes(client.received[-600:])


def test_nor_by_the_type_of_a_parameter(attacker: Login, prepared: Database) -> None:
    """The wire names types by number."""
    with prepared.connect() as direct:
        ((number,),) = direct.execute("SELECT 'loud'::regtype::oid::int").fetchall()
    with attacker.wire(timeout=30) as client:
        for sql in ("SELECT $1", "SELECT title FROM docs WHERE title = $1", "INSERT INTO sink (data) VALUES ($1)"):
            client.exchange(wire.parse(sql, types=[number]), wire.bind([b"x"]), wire.execute())
        assert corpus.secrets_in(client.received) == [], bytes(client.received[-600:])
