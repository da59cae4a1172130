"""`sluice doctor`: what makes the database itself one more wall, for the roles that the gateway logs in with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import documents
from harness.gateway import Gateway
from harness.postgres import Database

MASKS = """
  - name: hide-mail
    match: {collection: docs, connection: docs}
    mask: [{fields: [email], with: redact}]
"""

WALL = """
DO $$ BEGIN
  CREATE ROLE wall_groups; CREATE ROLE wall_ops; CREATE ROLE "Wall app" LOGIN;
  ALTER ROLE "Wall app" SUPERUSER REPLICATION BYPASSRLS CREATEROLE CREATEDB;
  GRANT pg_read_all_data, pg_signal_backend, pg_read_server_files TO "Wall app";
  GRANT pg_monitor, pg_execute_server_program TO wall_ops;
  GRANT wall_ops TO wall_groups;
  GRANT wall_groups TO "Wall app";
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
ALTER ROLE "Wall app" SET search_path = "its own";
CREATE TABLE docs (id int PRIMARY KEY, email text);
GRANT SELECT ON docs TO "Wall app";
CREATE SCHEMA "its own" AUTHORIZATION "Wall app";
CREATE SCHEMA ours;
CREATE FUNCTION "its own".starts_with(name, text) RETURNS bool LANGUAGE sql AS 'SELECT true';
GRANT CREATE ON SCHEMA public TO PUBLIC;
GRANT CREATE ON SCHEMA ours TO wall_ops;
GRANT UPDATE, DELETE ON pg_catalog.pg_proc TO "Wall app";
GRANT UPDATE ON pg_catalog.pg_class TO wall_groups;
GRANT EXECUTE ON FUNCTION pg_catalog.lo_export(oid, text), pg_catalog.pg_read_file(text) TO "Wall app";
"""


@pytest.fixture(params=["postgres", "postgres16"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with request.getfixturevalue(request.param).fresh_database(WALL) as fresh:
        with fresh.connect() as owner:
            owner.execute(f'GRANT CREATE ON DATABASE "{fresh.name}" TO "Wall app"')
            if request.param == "postgres":
                owner.execute("CREATE EXTENSION dblink SCHEMA public")
        yield fresh


def statements(said: str) -> list[str]:
    """What it says to do, each with its reason."""
    lines = [line for line in said.splitlines() if "  -- " in line]
    assert all(len(line.split("  -- ")[1]) > 10 for line in lines), said
    return [line.strip().split("  -- ")[0] for line in lines]


def test_what_it_says_leaves_the_role_no_more_than_it_needs(database: Database) -> None:
    with Gateway(policy=documents.EVERYTHING + MASKS) as gateway:
        gateway.add_connection("docs", database, {"reader": "Wall app"})
        told = statements(gateway.cli("doctor"))
        expected = {
            *(f'ALTER ROLE "Wall app" NO{each};' for each in ("SUPERUSER", "REPLICATION", "BYPASSRLS", "CREATEROLE", "CREATEDB")),
            *(f'REVOKE {each} FROM "Wall app";' for each in ("pg_read_all_data", "pg_signal_backend", "pg_read_server_files")),
            'REVOKE wall_groups FROM "Wall app";',
            'ALTER SCHEMA "its own" OWNER TO CURRENT_USER; GRANT USAGE ON SCHEMA "its own" TO "Wall app";',
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
            "REVOKE CREATE ON SCHEMA ours FROM wall_ops;",
            f'REVOKE CREATE ON DATABASE {database.name} FROM "Wall app";',
            f"REVOKE TEMPORARY ON DATABASE {database.name} FROM PUBLIC;",
            'REVOKE EXECUTE ON FUNCTION pg_catalog.lo_export(oid, text) FROM "Wall app";',
            'REVOKE EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) FROM "Wall app";',
            'REVOKE DELETE, UPDATE ON TABLE pg_catalog.pg_proc FROM "Wall app";',
            "REVOKE UPDATE ON TABLE pg_catalog.pg_class FROM wall_groups;",
        }
        assert {each for each in told if "dblink" not in each} == expected
        with database.connect() as owner:
            if dblink := [each for each in told if "dblink" in each]:
                assert len(dblink) == 1
                assert "public.dblink_exec(text, text)" in dblink[0]
            assert bool(dblink) == bool(owner.execute("SELECT 1 FROM pg_extension WHERE extname = 'dblink'").fetchone())
            try:
                for each in told:
                    owner.execute(each)
                said = gateway.cli("doctor")
                assert statements(said) == []
                assert "ok    role reader of docs (Wall app in the database) has no more rights there than a client needs" in said
                with gateway.login("ana").psycopg() as client:
                    assert client.execute("SELECT count(*) FROM public.docs").fetchone() == (0,)
            finally:  # the role is the whole server's
                owner.execute('ALTER ROLE "Wall app" SUPERUSER REPLICATION BYPASSRLS CREATEROLE CREATEDB')
                owner.execute('GRANT pg_read_all_data, pg_signal_backend, pg_read_server_files, wall_groups TO "Wall app"')


def test_temporary_tables_are_no_matter_where_nothing_is_masked(documents_database: Database) -> None:
    with Gateway(policy=documents.EVERYTHING + MASKS) as gateway:
        gateway.add_connection("elsewhere", documents_database, {"reader": "app"})
        assert not any("TEMPORARY" in each for each in statements(gateway.cli("doctor")))
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        assert [each for each in statements(gateway.cli("doctor")) if "TEMPORARY" in each] == [
            f"REVOKE TEMPORARY ON DATABASE {documents_database.name} FROM PUBLIC;"
        ]


def test_the_first_superuser_cannot_be_made_less(documents_database: Database) -> None:
    with documents_database.connect() as owner:
        [(first,)] = owner.execute("SELECT rolname FROM pg_roles WHERE oid = 10").fetchall()
    with Gateway(policy=documents.EVERYTHING) as gateway:
        gateway.add_connection("docs", documents_database, {"reader": first})
        assert statements(gateway.cli("doctor")) == ["CREATE ROLE gateway LOGIN;"]


def test_who_is_no_administrator_and_servers_that_are_gone(documents_database: Database) -> None:
    with Gateway(policy=documents.EVERYTHING) as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app", "gone": "nobody-of-that-name"})
        said = gateway.run("doctor")
        assert said.returncode == 1
        assert "WRONG role gone of docs (nobody-of-that-name in the database)" in said.stdout
        assert "role reader of docs (app in the database)" in said.stdout
        gateway.add_principal("ana")
        said = gateway.run("doctor", token=gateway.issue_token("ana"))
        assert said.returncode == 0
        assert statements(said.stdout) == []
