"""What a client makes itself tells nothing about what is stored: relations and columns whose names a hash covers, and
statements that have PostgreSQL compute stored values anew (another type for a column, REFRESH, an index's expression).

Hashes: the hash of a guess is never that of a stored value. The rest: two databases that differ in masked cells only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness.corpus import Case
from harness.gateway import Gateway
from harness.postgres import Database, PostgresServer

from bypass import twins
from bypass.twins import Attack, Twins

GUESS = "bob@corp.example"
NUMBER = 4711

SETUP = """
DO $$ BEGIN CREATE ROLE svc LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT ALL ON SCHEMA public TO svc;
SET ROLE svc;
CREATE SEQUENCE numbers;
CREATE TABLE people (id int PRIMARY KEY, mail text DEFAULT 'nobody@corp.example', phone bigint, place text, drawn bigint DEFAULT nextval('numbers'), ref bigint);
CREATE TABLE more (CHECK (id > 1000)) INHERITS (people);
CREATE VIEW contacts AS SELECT id, mail AS contact FROM people;
CREATE VIEW both_mails AS SELECT mail AS contact FROM people UNION ALL SELECT place FROM people;
CREATE MATERIALIZED VIEW kept AS SELECT id, mail AS contact FROM people;
CREATE TABLE texts (id int PRIMARY KEY, body text);
CREATE TABLE nums (n int);
CREATE TABLE codes (code bigint PRIMARY KEY);
CREATE TABLE coded (id int PRIMARY KEY, phone bigint REFERENCES codes ON UPDATE CASCADE ON DELETE SET DEFAULT, opened int);
ALTER TABLE coded ALTER phone SET DEFAULT 0;
CREATE DOMAIN mailbox AS text DEFAULT 'nobody@corp.example';
CREATE TABLE boxes (id int PRIMARY KEY, mail mailbox);
INSERT INTO nums VALUES (1);
RESET ROLE;
"""

FILL = f"""
INSERT INTO people VALUES (1, '{GUESS}', {NUMBER}, 'x', {NUMBER}, {NUMBER}), (2, 'ana@corp.example', 1, 'y', 1, 1);
INSERT INTO more VALUES (1001, '{GUESS}', {NUMBER}, 'z', {NUMBER}, {NUMBER});
INSERT INTO texts VALUES (1, 'x {GUESS} y');
INSERT INTO codes VALUES ({NUMBER}), (0), (5);
INSERT INTO coded VALUES (1, {NUMBER}, 1), (2, 5, 1), (3, 5, 1);
INSERT INTO boxes VALUES (1, '{GUESS}'), (2, DEFAULT);
REFRESH MATERIALIZED VIEW kept;
"""

POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: pseudonyms
    match: {collection: "*"}
    mask:
      - {fields: [mail, contact, phone, drawn], with: hash}
      - {detect: [email], with: hash}
"""

STORED = [
    "SELECT mail, phone, drawn FROM people ORDER BY id",
    "SELECT contact FROM contacts",
    "SELECT contact FROM kept",
    "SELECT phone FROM coded",
    "SELECT mail FROM boxes",
    "SELECT body FROM texts",
]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer("pg0") as running:
        yield running


@pytest.fixture(scope="module")
def database(server: PostgresServer) -> Iterator[Database]:
    with server.fresh_database(SETUP + FILL) as made:
        yield made


@pytest.fixture(scope="module")
def gateway(database: Database) -> Iterator[Gateway]:
    with Gateway(policy=POLICY) as running:
        running.add_connection("docs", database, {"svc": "svc"})
        running.login("mallory", connection="docs")
        yield running


@pytest.fixture
def client(gateway: Gateway) -> Iterator[psycopg.Connection[Any]]:
    with gateway.login("mallory", connection="docs").psycopg(user="svc") as connected:
        yield connected


def hashes(cells: Any) -> set[str]:
    """What looks like a hash, in whatever cells: of texts, numbers and findings."""
    found: set[str] = set()
    for row in cells:
        for cell in row:
            if isinstance(cell, int) and cell > 10**9:
                found.add(str(cell))
            found.update(re.findall("[0-9a-f]{16,}", str(cell)))
    return found


@pytest.fixture
def stored(client: psycopg.Connection[Any]) -> set[str]:
    """Hashes of all that is stored. Something must be hashed, or the tests below would show nothing."""
    shown = {sql: hashes(client.execute(sql).fetchall()) for sql in STORED}
    assert all(shown.values()), shown
    return set().union(*shown.values())


# What the client makes; the last statement shows it.
MADE = {
    "table as": [f"CREATE TABLE g AS SELECT '{GUESS}'::text AS mail, {NUMBER}::bigint AS phone", "SELECT * FROM g"],
    "temporary table": [f"CREATE TEMP TABLE g AS SELECT '{GUESS}'::text AS mail", "SELECT mail FROM g"],
    "many": ["CREATE TABLE g AS SELECT 'b' || chr(n) || 'b@corp.example' AS mail FROM generate_series(97, 122) n", "SELECT mail FROM g"],
    "select into": [f"SELECT '{GUESS}'::text AS mail INTO g", "SELECT mail FROM g"],
    "view": [f"CREATE VIEW g AS SELECT '{GUESS}'::text AS mail", "SELECT mail FROM g"],
    "view of an own table": [f"CREATE TABLE t AS SELECT '{GUESS}'::text AS x", "CREATE VIEW g AS SELECT x AS mail FROM t", "SELECT mail FROM g"],
    "materialised view": [f"CREATE MATERIALIZED VIEW g AS SELECT '{GUESS}'::text AS mail", "SELECT mail FROM g"],
    "default": [f"CREATE TABLE g (id int, mail text DEFAULT '{GUESS}')", "INSERT INTO g (id) VALUES (1)", "SELECT mail FROM g"],
    "renamed": ["CREATE TABLE g (x text)", f"INSERT INTO g VALUES ('{GUESS}')", "ALTER TABLE g RENAME x TO mail", "SELECT mail FROM g"],
    "added": [f"ALTER TABLE nums ADD COLUMN mail text DEFAULT '{GUESS}'", "SELECT mail FROM nums"],
    "added to the masked table": [f"ALTER TABLE people ADD COLUMN contact text DEFAULT '{GUESS}'", "SELECT contact FROM people"],
    "generated": ["CREATE TABLE g (x text, mail text GENERATED ALWAYS AS (x) STORED)", f"INSERT INTO g VALUES ('{GUESS}')", "SELECT mail FROM g"],
    "generated in the masked table": ["ALTER TABLE people ADD COLUMN contact text GENERATED ALWAYS AS (place) STORED", f"UPDATE people SET place = '{GUESS}' WHERE id = 2", "SELECT contact FROM people"],
    "text": [f"CREATE TABLE g AS SELECT 'x {GUESS} y'::text AS body", "SELECT body FROM g"],
    "schema": ["CREATE SCHEMA mine", f"CREATE TABLE mine.people AS SELECT 1 AS id, '{GUESS}'::text AS mail", "SELECT mail FROM mine.people"],
    "several origins": [f"UPDATE people SET place = '{GUESS}' WHERE id = 2", "SELECT contact FROM both_mails"],
    "dropped and made anew": ["DROP TABLE people CASCADE", f"CREATE TABLE people AS SELECT 1 AS id, '{GUESS}'::text AS mail", "SELECT mail FROM people"],
}  # fmt: skip

# Ways to put a value of the client's choice into the very column that is hashed.
INTO = {
    "set default": [f"ALTER TABLE people ALTER mail SET DEFAULT '{GUESS}'", "INSERT INTO people (id) VALUES (3)"],
    "set default of the child": [f"ALTER TABLE more ALTER mail SET DEFAULT '{GUESS}'", "INSERT INTO more (id) VALUES (1003)"],
    "default of the domain": [f"ALTER DOMAIN mailbox SET DEFAULT '{GUESS}'", "INSERT INTO boxes (id) VALUES (3)"],
    "sequence": [f"SELECT setval('numbers', {NUMBER}, false)", "INSERT INTO people (id) VALUES (3)"],
    "sequence restarted": [f"ALTER SEQUENCE numbers RESTART WITH {NUMBER}", "INSERT INTO people (id) VALUES (3)"],
    "own child": ["CREATE TABLE child () INHERITS (people)", f"INSERT INTO child (id, mail) VALUES (3, '{GUESS}')"],
    "own child with a default": [f"CREATE TABLE child (mail text DEFAULT '{GUESS}') INHERITS (people)", "INSERT INTO child (id) VALUES (3)"],
    "child of the child": ["CREATE TABLE child () INHERITS (more)", f"INSERT INTO child (id, mail) VALUES (1003, '{GUESS}')"],
    "inherit": ["CREATE TABLE child AS SELECT 3 AS id, 'x'::text AS mail, 1::bigint AS phone, 'x'::text AS place, 1::bigint AS drawn, 1::bigint AS ref", "ALTER TABLE child INHERIT people"],
    "inherit by the masked one": ["CREATE TABLE parent (id int, mail text)", f"INSERT INTO parent VALUES (3, '{GUESS}')", "ALTER TABLE people INHERIT parent"],
    "attach the masked one": ["CREATE TABLE parent (id int, mail text) PARTITION BY LIST (id)", "ALTER TABLE parent ATTACH PARTITION people DEFAULT"],
    "like": ["CREATE TABLE g (LIKE people INCLUDING ALL)", f"INSERT INTO g (id, mail) VALUES (3, '{GUESS}')"],
    "type": [f"ALTER TABLE people ALTER mail TYPE text USING '{GUESS}'"],
    "expression": [f"ALTER TABLE people ALTER mail SET EXPRESSION AS ('{GUESS}')"],
    "update": [f"UPDATE people SET mail = '{GUESS}' WHERE id = 2"],
    "update to another column": [f"UPDATE people SET place = '{GUESS}' WHERE id = 2", "UPDATE people SET mail = place WHERE id = 2"],
    "update by a view": [f"UPDATE contacts SET contact = '{GUESS}' WHERE id = 2"],
    "insert by a view": [f"INSERT INTO contacts VALUES (3, '{GUESS}')"],
    "insert": [f"INSERT INTO people (id, mail) VALUES (3, '{GUESS}')"],
    "on conflict": [f"INSERT INTO people (id, place) VALUES (2, '{GUESS}') ON CONFLICT (id) DO UPDATE SET mail = excluded.place"],
    "on conflict, itself": [f"INSERT INTO people (id) VALUES (2) ON CONFLICT (id) DO UPDATE SET mail = excluded.mail || '{GUESS}'"],
    "merge": [f"MERGE INTO people p USING (SELECT 2 AS i, '{GUESS}' AS g) q ON p.id = q.i WHEN MATCHED THEN UPDATE SET mail = q.g"],
    "merge, not matched": [f"MERGE INTO people p USING (SELECT 3 AS i, '{GUESS}' AS g) q ON p.id = q.i WHEN NOT MATCHED THEN INSERT (id, mail) VALUES (q.i, q.g)"],
    "with": [f"WITH w AS (UPDATE people SET mail = '{GUESS}' WHERE id = 2 RETURNING id) SELECT * FROM w"],
    "cascade": [f"UPDATE codes SET code = {NUMBER + 1} WHERE code = {NUMBER}"],
    "set default by a reference": ["DELETE FROM codes WHERE code = 5"],
    "type of what is referred to": ["ALTER TABLE codes ALTER code TYPE bigint USING code + 1"],
    "rule": [f"CREATE RULE r AS ON INSERT TO nums DO ALSO UPDATE people SET mail = '{GUESS}' WHERE id = 2", "INSERT INTO nums VALUES (2)"],
    "trigger": ["CREATE TRIGGER t BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(mail, 'pg_catalog.simple', place)", f"UPDATE people SET place = '{GUESS}' WHERE id = 2"],
    "replaced view": [f"CREATE OR REPLACE VIEW contacts AS SELECT id, '{GUESS}'::text AS contact FROM people"],
    "swapped names": ["ALTER TABLE people RENAME mail TO was", "ALTER TABLE people RENAME place TO mail"],
}  # fmt: skip


def act(client: psycopg.Connection[Any], steps: list[str]) -> list[Any]:
    """The rows of the last; none where something was refused. Nothing of it stays."""
    rows: list[Any] = []
    client.execute("BEGIN")
    try:
        for sql in steps:
            cursor = client.execute(sql.encode())
            rows = cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        assert error.sqlstate in ("42501", "0A000", "42601", "42P16", "428C9"), error
        rows = []
    finally:
        client.execute("ROLLBACK")
    return rows


@pytest.mark.parametrize("steps", MADE.values(), ids=MADE)
def test_no_hash_of_a_guess_is_one_of_a_stored_value(
    steps: list[str], client: psycopg.Connection[Any], stored: set[str]
) -> None:
    assert hashes(act(client, steps)) & stored == set()


def test_a_made_column_is_hashed_with_its_own_key(client: psycopg.Connection[Any], stored: set[str]) -> None:
    """So that what the tests above see is a hash, and two columns differ."""
    shown = hashes(act(client, MADE["table as"]))
    assert len(shown) == 2
    assert shown & stored == set()


@pytest.mark.parametrize("steps", INTO.values(), ids=INTO)
def test_nothing_of_ones_choice_comes_into_the_column(
    steps: list[str], client: psycopg.Connection[Any], stored: set[str]
) -> None:
    """Rows that are not the stored ones show none of their hashes, and no more rows than before do."""
    before = [client.execute(sql).fetchall() for sql in STORED]
    for sql, rows in zip(STORED, before, strict=True):
        after = act(client, [*steps, sql])
        new = list(after)
        for row in rows:
            if row in new:
                new.remove(row)
        assert hashes(new) & stored == set(), (steps, sql)


def test_equal_values_of_one_column_are_equal_everywhere(client: psycopg.Connection[Any]) -> None:
    """By a view, a materialised view, and a child."""
    ((mail,),) = client.execute("SELECT mail FROM people WHERE id = 1").fetchall()
    assert re.fullmatch("[0-9a-f]{32}", mail)
    for sql in (
        "SELECT contact FROM contacts WHERE id = 1",
        "SELECT contact FROM kept WHERE id = 1",
        "SELECT mail FROM more",
        "SELECT mail FROM people WHERE id = 1001",
        "SELECT mail FROM ONLY people WHERE id = 1",
    ):
        assert client.execute(sql).fetchall() == [(mail,)], sql
    ((phone,),) = client.execute("SELECT phone FROM people WHERE id = 1").fetchall()
    ((drawn,),) = client.execute("SELECT drawn FROM people WHERE id = 1").fetchall()
    ((other,),) = client.execute("SELECT phone FROM coded WHERE id = 1").fetchall()
    assert phone > 10**9
    assert other > 10**9
    assert other != phone, "another column"
    assert drawn == 0, "a sequence can be set"


# -- twins -----------------------------------------------------------------------------------------------------------

TWINS = """
DO $$ BEGIN CREATE ROLE svc LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT ALL ON SCHEMA public TO svc;
SET ROLE svc;
CREATE TABLE pay (id int PRIMARY KEY, salary int, level int, note text);
ALTER TABLE pay ADD CONSTRAINT above CHECK (salary > level);
CREATE TABLE ratio (id int PRIMARY KEY, salary int, level int);
CREATE INDEX ON ratio ((1 / (salary - level)));
CREATE TABLE partly (id int PRIMARY KEY, salary int, level int, note text);
CREATE INDEX ON partly ((1 / level)) WHERE salary > 50000;
CREATE INDEX ON partly (note) WHERE salary > 50000;
CREATE TABLE uniq (id int PRIMARY KEY, salary int, level int, UNIQUE (level, salary));
CREATE TABLE excl (id int PRIMARY KEY, salary int, level int, EXCLUDE USING btree (level WITH =, salary WITH =));
CREATE TABLE estimated (id int PRIMARY KEY, salary int, level int);
CREATE STATISTICS estimate ON (1 / (salary - level)) FROM estimated;
CREATE TABLE owners (id int PRIMARY KEY, mail text UNIQUE);
CREATE TABLE things (id int PRIMARY KEY, owner text);
CREATE TABLE refers (id int PRIMARY KEY, owner text REFERENCES owners (mail));
ALTER TABLE things ADD CONSTRAINT of_owner FOREIGN KEY (owner) REFERENCES owners (mail) NOT VALID;
CREATE TABLE parted (id int, owner text REFERENCES owners (mail)) PARTITION BY LIST (id);
CREATE TABLE source (id int PRIMARY KEY, salary int, level int);
CREATE MATERIALIZED VIEW m_ratio AS SELECT id, 1 / (salary - level) AS r FROM source WITH NO DATA;
CREATE MATERIALIZED VIEW m_case AS WITH w AS MATERIALIZED (SELECT id, 1 / (salary - level) AS r FROM source) SELECT id FROM w WITH NO DATA;
CREATE MATERIALIZED VIEW m_rows AS SELECT id FROM source WHERE 1 / (salary - level) > -9 WITH NO DATA;
CREATE MATERIALIZED VIEW m_unique AS SELECT level, salary FROM source WITH NO DATA;
CREATE UNIQUE INDEX ON m_unique (level, salary);
CREATE TABLE pages (id int PRIMARY KEY, metadata jsonb, plain json, mail text);
RESET ROLE;
"""

FILL_TWINS = """
INSERT INTO pay VALUES (1, {pay}, 1), (2, 90000, 1);
INSERT INTO ratio VALUES (1, {pay}, 1), (2, 90000, 1);
INSERT INTO partly VALUES (1, {pay}, 1), (2, 90000, 1);
INSERT INTO uniq VALUES (1, 60000, 1), (2, {pay}, 2);
INSERT INTO excl VALUES (1, 60000, 1), (2, {pay}, 2);
INSERT INTO estimated VALUES (1, {pay}, 1), (2, 90000, 1);
INSERT INTO owners VALUES (1, '{mail}'), (2, 'both@corp.example');
INSERT INTO refers VALUES (1, 'both@corp.example');
ALTER TABLE things DISABLE TRIGGER ALL;
INSERT INTO things VALUES (1, 'alice@corp.example');
ALTER TABLE things ENABLE TRIGGER ALL;
INSERT INTO source VALUES (1, {pay}, 40001), (2, 60000, 40001);
REFRESH MATERIALIZED VIEW m_ratio;
REFRESH MATERIALIZED VIEW m_case;
REFRESH MATERIALIZED VIEW m_rows;
UPDATE source SET level = 1 + id;
REFRESH MATERIALIZED VIEW m_unique;
INSERT INTO pages SELECT i, jsonb_build_object('topic', 't' || i % 5, 'email', 'u' || (100 + i % {kinds}) || '@corp.example'),
  json_build_object('topic', 't' || i % 5, 'email', 'u' || (100 + i % {kinds}) || '@corp.example'), 'u' || (100 + i % {kinds}) || '@corp.example' FROM generate_series(1, 500) i;
"""

TWIN_POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: hide
    match: {collection: "*", except: {collection: pages}}
    mask:
      - {fields: [salary, mail], with: redact}
  - name: hide-keys
    match: {collection: pages}
    mask:
      - {fields: [email], with: redact}
      - {fields: [mail], with: partial}
"""


def rolled_back(*steps: str) -> list[str]:
    return ["BEGIN", *steps, "ROLLBACK"]


ATTACKS = {
    "type under a CHECK": rolled_back("ALTER TABLE pay ALTER level TYPE int USING 50000"),
    "type under a CHECK, one row": rolled_back("ALTER TABLE pay ALTER level TYPE int USING CASE WHEN id = 1 THEN 50000 ELSE -1 END"),
    "type under an index's expression": rolled_back("ALTER TABLE ratio ALTER level TYPE int USING 40000"),
    "type under an index's condition": rolled_back("ALTER TABLE partly ALTER level TYPE int USING id - 1"),
    "type under a unique index": rolled_back("ALTER TABLE uniq ALTER level TYPE int USING 5"),
    "type under an exclusion": rolled_back("ALTER TABLE excl ALTER level TYPE int USING 5"),
    "type under a foreign key": rolled_back("ALTER TABLE refers ALTER owner TYPE text USING 'alice@corp.example'"),
    "VALIDATE CONSTRAINT": rolled_back("ALTER TABLE things VALIDATE CONSTRAINT of_owner"),
    "ATTACH PARTITION": rolled_back("CREATE TABLE part AS SELECT 1 AS id, 'alice@corp.example'::text AS owner", "ALTER TABLE parted ATTACH PARTITION part FOR VALUES IN (1)"),
    "UPDATE under an index's expression": rolled_back("UPDATE ratio SET level = 40000 WHERE id = 1"),
    "UPDATE under an index's condition": rolled_back("UPDATE partly SET level = 0 WHERE id = 1"),
    "a long value under an index's condition": rolled_back("UPDATE partly SET note = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 2000) n) WHERE id = 1"),
    "upsert under an index's expression": rolled_back("INSERT INTO ratio (id, level) VALUES (1, 40000) ON CONFLICT (id) DO UPDATE SET level = excluded.level"),
    "ANALYZE of an expression's statistics": rolled_back("UPDATE estimated SET level = 40000 WHERE id = 1", "ANALYZE estimated"),
    "REFRESH": rolled_back("UPDATE source SET level = 40000", "REFRESH MATERIALIZED VIEW m_ratio"),
    "REFRESH of what nobody reads": rolled_back("UPDATE source SET level = 40000", "REFRESH MATERIALIZED VIEW m_case"),
    "REFRESH of a condition": rolled_back("UPDATE source SET level = 40000", "REFRESH MATERIALIZED VIEW m_rows"),
    "REFRESH under a unique index": rolled_back("INSERT INTO source (id, level) VALUES (3, 9)", "UPDATE source SET level = 5", "REFRESH MATERIALIZED VIEW m_unique"),
    "EXPLAIN of documents": ["EXPLAIN SELECT metadata, count(*) FROM pages GROUP BY metadata"],
    "EXPLAIN of a key": ["EXPLAIN SELECT DISTINCT metadata ->> 'topic', metadata FROM pages"],
    "EXPLAIN of a condition": ["EXPLAIN SELECT id FROM pages WHERE metadata = '{}'"],
    "EXPLAIN of a part": ["EXPLAIN SELECT mail, count(*) FROM pages GROUP BY mail"],
}  # fmt: skip

CASES = [Case(name, name, "svc", {}, steps, [], None, [], "D") for name, steps in ATTACKS.items()]


@pytest.fixture(scope="module")
def pair(server: PostgresServer) -> Iterator[Twins]:
    with server.fresh_database(TWINS) as one, server.fresh_database(TWINS) as other:
        fills = (
            (one, {"pay": 60000, "mail": "alice@corp.example", "kinds": 250}),
            (other, {"pay": 40000, "mail": "mario@firm.example", "kinds": 2}),
        )
        for made, secrets in fills:
            with made.connect() as direct:
                direct.execute(FILL_TWINS.format(**secrets).encode())
                direct.execute("VACUUM ANALYZE")
        yield Twins(one, other)


@pytest.fixture(scope="module")
def masked(pair: Twins) -> Iterator[Attack]:
    with Gateway(policy=TWIN_POLICY) as gateway, Attack(pair, twins.behind(gateway, pair)) as attack:
        yield attack


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_leaks_without_a_gateway(case: Case, direct: Attack) -> None:
    assert any(direct.case(case)), case.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_no_leak(case: Case, masked: Attack) -> None:
    assert list(masked.case(case)) == [], f"{case.name}: {case.steps}"


HARMLESS = [
    "ALTER TABLE pay ALTER note TYPE varchar(99) USING 'x'",
    "ALTER TABLE pay ALTER level SET NOT NULL",
    "ALTER TABLE pay ALTER level SET STATISTICS 10",
    "ALTER TABLE pay ALTER note SET STORAGE EXTERNAL",
    "ALTER TABLE pay ADD COLUMN more int DEFAULT 5",
    "ALTER TABLE pay ADD COLUMN twice int GENERATED ALWAYS AS (level * 2) STORED",
    "REINDEX INDEX ratio_expr_idx",
    "CREATE INDEX ON pay (level) WHERE note IS NULL",
    "INSERT INTO ratio (id, level) VALUES (7, 7)",
    "TRUNCATE owners CASCADE",
]


@pytest.mark.parametrize("sql", HARMLESS)
def test_what_tells_nothing_passes(sql: str, masked: Attack) -> None:
    def act(client, _):
        client.query("BEGIN")
        seen = client.query(sql)
        client.query("ROLLBACK")
        return seen

    one, other = masked.both("svc", act, again=False)
    assert (one.errors, other.errors) == ([], []), sql


REFUSED = [
    "ALTER TABLE pay ALTER salary SET NOT NULL",
    "ALTER TABLE pay ADD COLUMN c int CHECK (salary > 0)",
    "ALTER TABLE pay ADD COLUMN c int GENERATED ALWAYS AS (1 / salary) STORED",
    "ALTER TABLE pay ADD COLUMN c int REFERENCES owners (id)",
    "ALTER TABLE pay ADD CONSTRAINT c CHECK (salary > level) NOT VALID",
    "ALTER TABLE pay VALIDATE CONSTRAINT above",
    "ALTER TABLE pay ALTER level DROP EXPRESSION",
    "ALTER TABLE pay REPLICA IDENTITY FULL",
    "CREATE INDEX CONCURRENTLY ON pay (level) WHERE salary > 5",
    "CREATE STATISTICS s ON (1 / (salary - level)) FROM pay",
    "ALTER DOMAIN information_schema.cardinal_number ADD CHECK (value > 0)",
    "ALTER DOMAIN information_schema.cardinal_number VALIDATE CONSTRAINT c",
    "CLUSTER pay USING pay_pkey",
    "REINDEX INDEX uniq_level_salary_key",
    "REINDEX TABLE uniq",
    "REINDEX SCHEMA public",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY m_unique",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_what_would_tell_is_refused(sql: str, masked: Attack) -> None:
    one, other = masked.both("svc", lambda client, _: client.query(sql), again=False)
    assert (one.error.sqlstate, other.error.sqlstate) == ("42501", "42501"), sql
