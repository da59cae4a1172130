"""Modules that come with PostgreSQL while masks are in force: what only computes from its arguments passes and sees masked values;
what runs SQL, reads relations by name or changes the session is refused."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from harness.gateway import Gateway
from harness.postgres import Database, PostgresServer

PASS = {
    "btree_gin": ["SELECT count(*) FROM docs WHERE id = 1"],
    "btree_gist": ["SELECT 3 <-> 5", "SELECT DATE '2020-01-01' <-> DATE '2020-01-04'"],
    "citext": ["SELECT 'A'::citext = 'a'", "SELECT replace('AbC'::citext, 'b', 'x')", "SELECT title::citext = 'FIRST' FROM docs"],
    "cube": ["SELECT cube(ARRAY[1.0, 2.0]) <-> cube(ARRAY[1.0, 3.0])", "SELECT cube_dim('(1,2)'::cube)"],
    "dict_int": ["SELECT ts_lexize('intdict', '12345678')"],
    "earthdistance": ["SELECT geo_distance('(0,0)'::point, '(1,1)'::point)", "SELECT '(0,0)'::point <@> '(1,1)'::point"],
    "fuzzystrmatch": [
        "SELECT soundex('robert'), difference('a', 'b'), metaphone('thumb', 5), dmetaphone('gumbo')",
        "SELECT levenshtein(title, 'frst'), levenshtein_less_equal('a', 'bcd', 2) FROM docs",
    ],
    "hstore": ["SELECT 'a=>1'::hstore -> 'a', akeys('b=>2'::hstore)", "SELECT key, value FROM each('a=>1,b=>2'::hstore)", "SELECT hstore(title, 'x') FROM docs"],
    "intarray": ["SELECT sort(ARRAY[3, 1, 2]), uniq(ARRAY[1, 1]), ARRAY[1, 2] & ARRAY[2]", "SELECT ARRAY[1, 2] @@ '1&2'::query_int"],
    "isn": ["SELECT isbn('978-0-393-04002-9'), is_valid('978-0-393-04002-9'::isbn13)"],
    "ltree": ["SELECT 'a.b'::ltree <@ 'a'::ltree, subpath('a.b.c', 1), nlevel('a.b')"],
    "pg_trgm": ["SELECT similarity('word', 'words'), show_trgm('ab'), word_similarity('a', 'b'), 'abc' % 'abd'", "SELECT title <-> 'frist' FROM docs"],
    "pgcrypto": [
        "SELECT digest('a', 'sha256'), hmac('a', 'k', 'md5'), digest(title, 'sha1') FROM docs",
        "SELECT length(gen_random_bytes(8)), length(gen_salt('bf')), length(public.gen_random_uuid()::text)",
        "SELECT crypt('secret', '$1$abcdefgh') = crypt('secret', crypt('secret', '$1$abcdefgh'))",
        "SELECT decrypt(encrypt('text', 'sixteen bytes ok', 'aes'), 'sixteen bytes ok', 'aes')",
        "SELECT decrypt_iv(encrypt_iv('text', 'sixteen bytes ok', '1234', 'aes'), 'sixteen bytes ok', '1234', 'aes')",
        "SELECT pgp_sym_decrypt(pgp_sym_encrypt('text', 'key'), 'key'), pgp_key_id(pgp_sym_encrypt('text', 'key'))",
        "SELECT dearmor(armor('text')), key FROM pgp_armor_headers(armor('x', ARRAY['Version'], ARRAY['1']))",
    ],
    "seg": ["SELECT '1 .. 2'::seg && '2 .. 3'::seg, seg_size('1 .. 2'::seg)"],
    "tablefunc": ["SELECT count(*) FROM normal_rand(5, 1, 1)"],
    "unaccent": ["SELECT unaccent('Hôtel'), unaccent(title) FROM docs"],
    "uuid-ossp": ["SELECT uuid_nil(), uuid_generate_v5(uuid_ns_dns(), 'example.org'), uuid_generate_v4() IS NULL, uuid_generate_v1() IS NULL"],
    "xml2": ["SELECT xpath_string('<a>1</a>', '/a')"],
}  # fmt: skip

REFUSED = {
    "amcheck": ["SELECT bt_index_check('docs_pkey')"],
    "citext": ["SELECT regexp_replace('abc'::citext, 'B', 'x')"],  # written in SQL, without schemas
    "earthdistance": ["SELECT earth_distance(ll_to_earth(0, 0), ll_to_earth(1, 1))"],  # the same
    "dblink": ["SELECT * FROM dblink('dbname=x', 'SELECT email FROM docs') AS t(email text)"],
    "lo": ["SELECT lo_oid(1::oid)"],
    "pageinspect": ["SELECT get_raw_page('docs', 0)"],
    "pg_trgm": ["SELECT set_limit(0.5)"],
    "pgrowlocks": ["SELECT * FROM pgrowlocks('docs')"],
    "pgstattuple": ["SELECT * FROM pgstattuple('docs')"],
    "tablefunc": [
        "SELECT * FROM crosstab('SELECT id, id, email FROM docs') AS t(id int, a text)",
        "SELECT * FROM crosstab2('SELECT title, title, email FROM docs')",
        "SELECT * FROM connectby('docs', 'email', 'title', 'x', 0) AS t(a text, b text, level int)",
    ],
    "tsm_system_rows": ["SELECT id FROM docs TABLESAMPLE system_rows(1)"],
    "tsm_system_time": ["SELECT id FROM docs TABLESAMPLE system_time(1000)"],
    "xml2": ["SELECT * FROM xpath_table('id', 'email', 'docs', '/a', 'true') AS t(id int, a text)"],
}  # fmt: skip

# Functions of a masked column: they get its masked value.
OF_MASKED = {
    "fuzzystrmatch": ("SELECT levenshtein(email, '***') FROM docs", 0),
    "pg_trgm": ("SELECT show_trgm(email) FROM docs", []),
    "pgcrypto": ("SELECT digest(email, 'md5') = digest('***', 'md5') FROM docs", True),
    "unaccent": ("SELECT unaccent(email) FROM docs", "***"),
    "citext": ("SELECT email::citext = 'A@CORP.EXAMPLE' FROM docs", False),
    "hstore": ("SELECT hstore('email', email) -> 'email' FROM docs", "***"),
}

SETUP = """
CREATE TABLE docs (id int PRIMARY KEY, title text, email text);
INSERT INTO docs VALUES (1, 'first', 'a@corp.example');
"""

POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: hide
    match: {collection: docs}
    mask:
      - {fields: [email], with: redact}
"""

MODULES = sorted({*PASS, *REFUSED})


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with Gateway(policy=POLICY) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def databases(postgres: PostgresServer) -> Iterator[dict[str, Database]]:
    yield {}


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest, postgres: PostgresServer, databases: dict[str, Database]) -> str:
    """A module of this machine's server, made in a database of its own."""
    name = request.param
    with postgres.connect() as direct:
        there = direct.execute("SELECT 1 FROM pg_available_extensions WHERE name = %s", (name,)).fetchone()
    if there is None:
        pytest.skip(f"this server has no {name}")
    database = databases[name] = postgres.fresh_database(SETUP)
    with database.connect() as direct:
        try:
            direct.execute(f'CREATE EXTENSION "{name}" CASCADE'.encode())
        except psycopg.errors.UndefinedFile as error:
            pytest.skip(f"its library cannot be loaded: {error}")
    return name


def _ask(connection: psycopg.Connection, sql: str) -> list[tuple]:
    return connection.execute(sql.encode()).fetchall()


def test_a_module(module: str, databases: dict[str, Database], gateway: Gateway) -> None:
    database = databases[module]
    name = module.replace("-", "")
    gateway.add_connection(name, database, {"postgres": "postgres"})
    login = gateway.login(f"user-{name}", connection=name, role="postgres")
    with database.connect() as direct, login.psycopg() as client:
        for sql in PASS.get(module, []):
            assert _ask(client, sql) == _ask(direct, sql), sql
        for sql in REFUSED.get(module, []):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                _ask(client, sql)
        if module in OF_MASKED:
            sql, expected = OF_MASKED[module]
            assert _ask(client, sql) == [(expected,)]


NAMES = [
    "SELECT st.relname, d.description FROM pg_catalog.pg_statio_all_tables AS st JOIN pg_catalog.pg_description d ON d.objoid = st.relid WHERE st.schemaname = 'public'",
    "SELECT relname FROM pg_stat_user_tables ORDER BY relid",
    "SELECT count(*) FROM pg_stat_user_indexes WHERE indexrelname LIKE '%pkey' AND relname = 'docs'",
    "SELECT n FROM (SELECT relname AS n FROM pg_stat_all_tables t) AS q WHERE n = 'docs'",
]  # fmt: skip
COUNTERS = [
    "SELECT seq_scan FROM pg_stat_user_tables",
    "SELECT relname FROM pg_stat_user_tables WHERE idx_tup_fetch > 1",
    "SELECT relname FROM pg_stat_user_indexes ORDER BY idx_tup_read",
    "SELECT * FROM pg_statio_all_tables",
    "TABLE pg_stat_user_tables",
    "SELECT t.* FROM pg_stat_user_tables t",
    "SELECT t FROM pg_stat_user_tables t",
    "SELECT row_to_json(pg_stat_user_tables) FROM pg_stat_user_tables",
    "SELECT (t).seq_scan FROM pg_stat_user_tables t",
    "SELECT seq_scan(t) FROM pg_stat_user_tables t",
    "SELECT d FROM pg_stat_user_tables AS t(a, b, c, d)",
    "SELECT j FROM (pg_stat_user_tables t CROSS JOIN docs) AS j",
    "SELECT relname FROM pg_stat_user_tables NATURAL JOIN (SELECT 1 AS seq_scan) AS s",
    "SELECT relname FROM pg_stat_user_tables JOIN (SELECT 1 AS seq_scan) AS s USING (seq_scan)",
    "SELECT relname, (SELECT max(heap_blks_read) FROM pg_statio_user_tables) FROM pg_stat_user_tables",
    "WITH q AS (SELECT * FROM pg_stat_user_tables) SELECT relname FROM q",
    "COPY (SELECT n_tup_upd FROM pg_stat_user_tables) TO STDOUT",
    "SELECT count(t) FROM pg_stat_user_tables t",
    "SELECT relname FROM pg_stat_xact_user_tables",
    "SELECT relname FROM pg_stat_progress_vacuum JOIN pg_class ON relid = pg_class.oid",
]  # fmt: skip


@pytest.fixture(scope="module")
def counted(postgres: PostgresServer, gateway: Gateway) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    database = postgres.fresh_database(SETUP)
    gateway.add_connection("counted", database, {"postgres": "postgres"})
    login = gateway.login("reader", connection="counted", role="postgres")
    with database.connect() as direct, login.psycopg() as client:
        yield direct, client


@pytest.mark.parametrize("sql", NAMES)
def test_names_beside_counters_are_shown(sql: str, counted: tuple[psycopg.Connection, psycopg.Connection]) -> None:
    direct, client = counted
    assert _ask(client, sql) == _ask(direct, sql)


@pytest.mark.parametrize("sql", COUNTERS)
def test_counters_are_not(sql: str, counted: tuple[psycopg.Connection, psycopg.Connection]) -> None:
    _, client = counted
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        client.execute(sql.encode())
