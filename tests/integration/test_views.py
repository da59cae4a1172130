"""Views of masked relations, through the gateway: what they hand on is masked, what tells by its rows is refused."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import psycopg.sql
import pytest
from harness import documents
from harness.gateway import Gateway, Login, wait_until
from harness.installation import NotAvailable
from harness.postgres import Database, PostgresServer

SETUP = """
CREATE VIEW contacts AS SELECT id, email AS contact, title FROM docs;
CREATE VIEW of_contacts AS SELECT c.id AS n, c.contact, lower(c.contact) AS low, length(c.contact) AS size FROM contacts c;
CREATE VIEW joined AS SELECT n.id, n.text, d.email FROM notes n JOIN docs d ON d.id = n.doc;
CREATE VIEW counted AS SELECT tenant, count(*) AS n, max(email) AS last FROM docs GROUP BY tenant;
CREATE VIEW whole AS SELECT d.id, d AS doc, to_jsonb(d) AS j FROM docs d;
CREATE VIEW searched AS SELECT id, title, embedding FROM docs;
CREATE VIEW guarded WITH (security_barrier) AS SELECT id, email FROM docs WHERE tenant = 'tenant-1';
CREATE VIEW all_mail AS SELECT id, email AS mail FROM docs UNION ALL SELECT id, text FROM notes;
CREATE VIEW with_query AS WITH w AS (SELECT id, email FROM docs) SELECT id, email FROM w;
CREATE VIEW latest AS SELECT DISTINCT ON (tenant) tenant, id, email FROM docs ORDER BY tenant, id DESC;
CREATE MATERIALIZED VIEW stored_as_it_is AS SELECT id, email FROM docs;
CREATE MATERIALIZED VIEW stored AS SELECT id, email, upper(email) AS up FROM docs;
CREATE VIEW open_columns AS SELECT id, title FROM docs;
CREATE VIEW elsewhere AS SELECT id, text FROM notes;
CREATE VIEW renamed AS SELECT id, email FROM docs;

CREATE VIEW filtered AS SELECT id FROM docs WHERE email LIKE 'person1%';
CREATE VIEW grouped AS SELECT email, count(*) AS n FROM docs GROUP BY email;
CREATE VIEW having_mask AS SELECT tenant FROM docs GROUP BY tenant HAVING max(email) > 'p';
CREATE VIEW different AS SELECT DISTINCT tenant, email FROM docs;
CREATE VIEW united AS SELECT email FROM docs UNION SELECT text FROM notes;
CREATE VIEW by_mail AS SELECT id FROM docs ORDER BY email LIMIT 3;
CREATE VIEW ranked AS SELECT id, rank() OVER (ORDER BY email) AS r FROM docs;
CREATE VIEW matched AS SELECT n.id FROM notes n JOIN docs d ON d.email = n.text;
CREATE VIEW natural_match AS SELECT a.id FROM docs a NATURAL JOIN (SELECT email FROM docs) b;
CREATE VIEW there AS SELECT id FROM notes n WHERE EXISTS (SELECT 1 FROM docs d WHERE d.email = n.text);
CREATE VIEW split AS SELECT id, regexp_split_to_table(email, '') AS c FROM docs;
CREATE VIEW failing AS WITH w AS (SELECT id, 1 / (length(email) - 20) AS q FROM docs) SELECT id FROM w;
CREATE VIEW rolled AS SELECT id, random() < length(email) AS q FROM docs;
CREATE VIEW sampled AS SELECT id FROM docs TABLESAMPLE SYSTEM (50);
CREATE VIEW of_filtered AS SELECT id FROM filtered;
CREATE FUNCTION tell(int) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT email FROM docs WHERE id = $1';
CREATE VIEW telling AS SELECT id, tell(id) AS t FROM notes;
CREATE VIEW statistics AS SELECT tablename, most_common_freqs FROM pg_stats;
CREATE MATERIALIZED VIEW stored_filter AS SELECT id FROM docs WHERE email LIKE 'person1%';
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace LOOP
    EXECUTE format('ALTER TABLE public.%I OWNER TO app', name);
  END LOOP; END $$;
"""

POLICY = f"""{documents.EVERYTHING}
  - name: hide-mail
    match: {{collection: docs}}
    mask:
      - {{fields: [email], with: redact}}
      - {{vectors: remove, scores: rank}}
"""

SECRET = "@corp.example"


@pytest.fixture
def client(ana: Login) -> Iterator[psycopg.Connection]:
    with ana.psycopg() as connection:
        yield connection


READABLE = [
    ("SELECT contact, title FROM contacts WHERE id = 7", [("***", "Title 7")]),
    ("SELECT * FROM of_contacts WHERE n = 7", [(7, "***", "***", 0)]),
    ("SELECT count(*) FROM contacts WHERE contact LIKE 'person%'", [(0,)]),
    ("SELECT text, email FROM joined WHERE id = 3", [("note 3", "***")]),
    ("SELECT tenant, n, last FROM counted ORDER BY tenant LIMIT 1", [("tenant-0", 166, "***")]),
    ("SELECT id, doc IS NULL, j FROM whole WHERE id = 7", [(7, True, None)]),
    ("SELECT email FROM guarded WHERE id = 4", [("***",)]),
    ("SELECT mail FROM all_mail WHERE id = 5", [("***",), ("***",)]),
    ("SELECT email FROM with_query WHERE id = 5", [("***",)]),
    ("SELECT tenant, id, email FROM latest ORDER BY tenant", [("tenant-0", 498, "***"), ("tenant-1", 499, "***"), ("tenant-2", 500, "***")]),
    ("SELECT email, up FROM stored WHERE id = 9", [("***", "***")]),
    ("SELECT title FROM open_columns WHERE id = 9", [("Title 9",)]),
    ("SELECT text FROM elsewhere WHERE id = 9", [("note 9",)]),
    ("SELECT v.contact FROM contacts v JOIN stored s ON s.id = v.id AND s.email = v.contact WHERE v.id = 2", [("***",)]),
    ("SELECT row_to_json(c)->>'contact' FROM contacts c WHERE c.id = 2", [("***",)]),
]


@pytest.mark.parametrize(("sql", "rows"), READABLE)
def test_columns_are_masked_by_where_they_come_from(client: psycopg.Connection, sql: str, rows: list[tuple]) -> None:
    assert client.execute(sql).fetchall() == rows
    assert client.execute(sql, prepare=True, binary=True).fetchall() == rows


REFUSED = {
    "filtered": "depends on public.docs.email, which is masked, through a condition",
    "grouped": "through GROUP BY",
    "having_mask": "through a condition",
    "different": "through DISTINCT",
    "united": "through a set operation",
    "by_mail": "through ORDER BY or LIMIT",
    "ranked": "through a window",
    "matched": "through a condition",
    "natural_match": "through a condition",
    "there": "through a condition",
    "split": "through a function that returns rows",
    "failing": "whatever is read of it",
    "rolled": "with a volatile function",
    "sampled": "TABLESAMPLE",
    "of_filtered": "is a view of public.filtered, which cannot be read",
    "telling": "calls a function that is not vouched for",
    "statistics": "shows values of rows",
    "stored_filter": "through a condition",
}


@pytest.mark.parametrize("view", REFUSED)
def test_views_that_tell_by_their_rows_are_refused(client: psycopg.Connection, view: str) -> None:
    for sql in (f"SELECT 1 FROM {view}", f"SELECT count(*) FROM {view} WHERE false", f"COPY {view} TO STDOUT",
                f"TABLE {view}", f"WITH x AS (SELECT * FROM {view}) SELECT 1"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=REFUSED[view]):
            client.execute(sql)


def test_a_search_through_a_view_uses_the_index(ana: Login, documents_database: Database) -> None:
    with documents_database.connect() as owner:
        owner.execute(f"ALTER DATABASE {documents_database.name} SET enable_seqscan = off")
    client = ana.psycopg()
    sql = "SELECT id FROM searched ORDER BY embedding <-> '[7,0,7,1]' LIMIT 3"
    assert client.execute(sql).fetchone() == (7,)
    plan = "\n".join(row[0] for row in client.execute("EXPLAIN " + sql))
    assert "docs_embedding" in plan, plan
    assert client.execute("SELECT embedding FROM searched WHERE id = 7").fetchone() == (None,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        client.execute("SELECT embedding <-> '[7,0,7,1]' FROM searched WHERE id = 7")


def test_what_is_stored_may_be_refreshed_and_nothing_written(client: psycopg.Connection) -> None:
    client.execute("REFRESH MATERIALIZED VIEW stored_as_it_is")
    for sql in ("REFRESH MATERIALIZED VIEW stored",  # computing upper(email) anew might be an error
                "REFRESH MATERIALIZED VIEW CONCURRENTLY stored_as_it_is",
                "UPDATE contacts SET contact = 'x' WHERE id = 1", "INSERT INTO open_columns VALUES (1000, 'x')",
                "DELETE FROM open_columns WHERE id = 1000", "CREATE OR REPLACE VIEW contacts AS SELECT 1 AS id",
                "CREATE VIEW mine AS SELECT contact FROM contacts", "ALTER VIEW contacts RENAME contact TO c"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            client.execute(sql)


def test_a_definition_that_changes_elsewhere_is_seen(client: psycopg.Connection, documents_database: Database) -> None:
    assert client.execute("SELECT * FROM renamed WHERE id = 7").fetchall() == [(7, "***")]
    with documents_database.connect() as owner:
        owner.execute("CREATE OR REPLACE VIEW renamed AS SELECT id, title AS email FROM docs")

    def answers() -> object:
        return client.execute("SELECT email FROM renamed WHERE id = 7").fetchone() == ("Title 7",)

    wait_until(answers, "the new definition", timeout=5)
    with documents_database.connect() as owner:
        owner.execute("CREATE OR REPLACE VIEW renamed AS SELECT id, email FROM docs WHERE email > 'a'")

    def refused() -> object:
        try:
            client.execute("SELECT id FROM renamed LIMIT 1")
        except psycopg.errors.InsufficientPrivilege as reason:
            return "through a condition" in str(reason)
        return False

    wait_until(refused, "the refusal", timeout=5)


def test_nothing_of_a_masked_value_is_ever_sent(ana: Login) -> None:
    views = [*REFUSED, "contacts", "of_contacts", "joined", "counted", "whole", "guarded", "all_mail", "with_query", "latest", "stored"]
    with ana.wire(timeout=30) as wire:
        for view in views:
            for sql in (f"SELECT * FROM {view}", f"SELECT v FROM {view} v", f"SELECT * FROM {view} ORDER BY 1 DESC LIMIT 2",
                        f"SELECT json_agg(v) FROM {view} v", f"EXPLAIN (VERBOSE, ANALYZE) SELECT * FROM {view}",
                        f"DECLARE c CURSOR WITH HOLD FOR SELECT * FROM {view}; FETCH ALL c; CLOSE c"):
                wire.query(sql)
        assert SECRET.encode() not in wire.received, "a masked value"


@pytest.mark.parametrize("server", ["pgserver", "debian13"])
def test_older_servers_store_definitions_that_are_read_as_well(server: str) -> None:
    tls = server == "debian13"
    try:
        running = PostgresServer(server, auth="scram-sha-256" if tls else "trust", tls=tls)
    except NotAvailable as reason:
        pytest.skip(str(reason))
    with (
        running,
        running.fresh_database(documents.SETUP, SETUP) as database,
        Gateway(policy=POLICY) as gateway,
    ):
        with database.connect() as owner:
            owner.execute(psycopg.sql.SQL("ALTER ROLE app PASSWORD {}").format(running.password))
        gateway.add_connection("docs", database, {"reader": "app"})
        with gateway.login("ana").psycopg() as client:
            for sql, rows in READABLE:
                assert client.execute(sql).fetchall() == rows, sql
            for view, reason in REFUSED.items():
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match=reason):
                    client.execute(f"SELECT 1 FROM {view}")
