"""Functions of users while masks are in force: refused, unless the policy vouches for the very definition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from harness import documents
from harness.gateway import Gateway, Login, wait_until
from harness.postgres import Database

JOINED = """CREATE FUNCTION joined(so_far text, more text) RETURNS text LANGUAGE sql
  AS $$ SELECT coalesce(so_far || ',', '') || more $$"""
INITIALS = "CREATE FUNCTION initials(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN left(t, 1); END $$"

PEEK = "SELECT email FROM public.docs WHERE id = $1"
VARIANTS = {
    "plain": f"(n int) RETURNS text LANGUAGE sql AS '{PEEK}'",
    "twin": f"(n int) RETURNS text LANGUAGE sql AS '{PEEK}'",
    "dear": f"(n int) RETURNS text LANGUAGE sql COST 5 AS '{PEEK}'",
    "body": f"(n int) RETURNS text LANGUAGE sql AS '{PEEK} + 0'",
    "language": f"(n int) RETURNS text LANGUAGE plpgsql AS '{PEEK}'",
    "standard": f"(n int) RETURNS text LANGUAGE sql BEGIN ATOMIC {PEEK}; END",
    "standard_body": f"(n int) RETURNS text LANGUAGE sql BEGIN ATOMIC {PEEK} + 0; END",
    "stable": f"(n int) RETURNS text LANGUAGE sql STABLE AS '{PEEK}'",
    "immutable": f"(n int) RETURNS text LANGUAGE sql IMMUTABLE AS '{PEEK}'",
    "definer": f"(n int) RETURNS text LANGUAGE sql SECURITY DEFINER AS '{PEEK}'",
    "definer_owner": f"(n int) RETURNS text LANGUAGE sql SECURITY DEFINER AS '{PEEK}'",
    "strict": f"(n int) RETURNS text LANGUAGE sql STRICT AS '{PEEK}'",
    "leakproof": f"(n int) RETURNS text LANGUAGE sql LEAKPROOF AS '{PEEK}'",
    "parallel": f"(n int) RETURNS text LANGUAGE sql PARALLEL SAFE AS '{PEEK}'",
    "path": f"(n int) RETURNS text LANGUAGE sql SET search_path = public AS '{PEEK}'",
    "another_path": f"(n int) RETURNS text LANGUAGE sql SET search_path = elsewhere AS '{PEEK}'",
    "default_2": f"(n int DEFAULT 2) RETURNS text LANGUAGE sql AS '{PEEK}'",
    "default_3": f"(n int DEFAULT 3) RETURNS text LANGUAGE sql AS '{PEEK}'",
    "argument": f"(m int) RETURNS text LANGUAGE sql AS '{PEEK}'",
    "result": f"(n int) RETURNS varchar LANGUAGE sql AS '{PEEK}'",
    "rows": f"(n int) RETURNS SETOF text LANGUAGE sql AS '{PEEK}'",
    "out": f"(n int, OUT t text) LANGUAGE sql AS '{PEEK}'",
    "internal": "(int) RETURNS text LANGUAGE internal AS 'int4out'",
    "another_internal": "(int) RETURNS text LANGUAGE internal AS 'int4abs'",
}
"""Functions `peek` that differ in one thing each, in schemas of their own."""

SETUP = """
SET check_function_bodies = off;
CREATE SCHEMA elsewhere;
GRANT USAGE ON SCHEMA elsewhere TO app;
CREATE FUNCTION tidy(t text) RETURNS text LANGUAGE sql AS $$ SELECT trim(t) $$;
CREATE FUNCTION elsewhere.tidy(t text) RETURNS text LANGUAGE sql AS $$ SELECT email FROM public.docs LIMIT 1 $$;
CREATE TABLE stamped (id int PRIMARY KEY, note text, email text);
ALTER TABLE stamped OWNER TO app;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := OLD.email; RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE FUNCTION slugify(title text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(replace(title, ' ', '-')) $$;
CREATE FUNCTION slugify(title text, sign text) RETURNS text LANGUAGE sql IMMUTABLE
  AS $$ SELECT lower(replace(title, ' ', sign)) $$;
CREATE FUNCTION peek(n int) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT email FROM public.docs WHERE id = n $$;
CREATE AGGREGATE all_of(text) (SFUNC = joined, STYPE = text);
CREATE AGGREGATE gathered(int) (SFUNC = array_append, STYPE = int[]);
CREATE FUNCTION same_start(a text, b text) RETURNS bool LANGUAGE sql IMMUTABLE AS $$ SELECT left(a, 3) = left(b, 3) $$;
CREATE OPERATOR =~= (FUNCTION = same_start, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION is_slug(t text) RETURNS bool LANGUAGE sql IMMUTABLE AS $$ SELECT t = lower(t) $$;
CREATE DOMAIN slug AS text CHECK (is_slug(VALUE));
CREATE DOMAIN through_slug AS text CHECK (VALUE::slug IS NOT NULL);
CREATE TYPE with_slug AS (name text, slug slug);
CREATE DOMAIN in_a_row AS text CHECK (jsonb_populate_record(NULL::with_slug, jsonb_build_object('slug', VALUE)) IS NOT NULL);
CREATE DOMAIN short AS text CHECK (length(VALUE) < 20 AND VALUE ~ '^[a-z]');
CREATE VIEW slugs AS SELECT id, slugify(title) AS slug, email FROM docs;
GRANT SELECT ON slugs TO app;
CREATE PROCEDURE note(t text) LANGUAGE sql AS $$ SELECT 1 $$;
"""
SETUP = SETUP.replace("CREATE AGGREGATE all_of", f"{JOINED};\n{INITIALS};\nCREATE AGGREGATE all_of", 1) + "".join(
    f"CREATE SCHEMA {name}; CREATE FUNCTION {name}.peek{rest};\n" for name, rest in VARIANTS.items()
)
SETUP += f"CREATE FUNCTION plain.peek(n int8) RETURNS text LANGUAGE sql AS '{PEEK}'; ALTER FUNCTION definer_owner.peek(int) OWNER TO app;"

MASKS = """
  - name: hide-mail
    match: {collection: docs}
    mask: [{fields: [email], with: redact}]
  - name: hide-mail-of-the-stamped
    match: {collection: stamped}
    mask: [{fields: [email], with: redact}]
"""

POLICY = documents.EVERYTHING + MASKS


def vouch(*entries: tuple[str, str]) -> str:
    lines = "".join(f'  - {{function: "{name}", sha256: "{sha}", connection: [docs]}}\n' for name, sha in entries)
    return POLICY.replace("rules:", lines + "rules:", 1)


@pytest.fixture
def client(ana: Login) -> Iterator[psycopg.Connection]:
    with ana.psycopg() as connection:
        yield connection


@pytest.fixture
def hashes(gateway: Gateway, client: psycopg.Connection) -> dict[str, str]:
    client.execute("SELECT 1 FROM docs LIMIT 1")
    listed = gateway.ask("GET", "/api/v1/connections/docs/functions?limit=1000")["items"]
    return {each["function"]: each["sha256"] for each in listed}


def refuses(client: psycopg.Connection, sql: str, why: str = "vouche[sd] for") -> psycopg.errors.InsufficientPrivilege:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=why) as refusal:
        client.execute(sql)
    return refusal.value


USES = [
    "SELECT slugify('A B')",
    "SELECT slugify(email, '-') FROM docs WHERE id = 1",
    "SELECT all_of(email) FROM docs",
    "SELECT 'abcd' =~= 'abce'",
    "SELECT 'x'::slug",
    "SELECT 'x'::through_slug",
    "SELECT 'x'::in_a_row",
    "SELECT slug FROM slugs WHERE id = 1",
    "SELECT peek(1)",
]


def test_nothing_of_users_runs_without_somebody_who_vouches(gateway: Gateway, client: psycopg.Connection) -> None:
    gateway.write_policy(POLICY)
    for sql in USES:
        wait_until(lambda sql=sql: _is_refused(client, sql), f"the refusal of {sql}", timeout=5)


def _is_refused(client: psycopg.Connection, sql: str, values: Sequence[object] | None = None) -> bool:
    try:
        client.execute(sql, values, prepare=True if values else None)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


def _works(client: psycopg.Connection, sql: str) -> list[tuple] | None:
    try:
        return client.execute(sql).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        return None


def test_what_is_built_of_built_in_functions_alone_passes(client: psycopg.Connection) -> None:
    assert client.execute("SELECT gathered(id) FROM docs WHERE id < 3").fetchone() == ([1, 2],)
    assert client.execute("SELECT 'abc'::short").fetchone() == ("abc",)


def test_a_refusal_has_the_line_that_an_operator_needs(gateway: Gateway, client: psycopg.Connection, hashes: dict[str, str]) -> None:
    refusal = refuses(client, "SELECT public.peek(1) FROM docs")
    line = re.search(r'function: "([^"]+)", sha256: "([0-9a-f]{64})"', refusal.diag.message_hint or "")
    assert line, refusal.diag.message_hint
    assert line[1] == "public.peek(int4)"
    assert hashes[line[1]] == line[2]


def test_a_definition_passes_until_it_changes(
    gateway: Gateway, client: psycopg.Connection, documents_database: Database, hashes: dict[str, str]
) -> None:
    both = [(name, hashes[name]) for name in ("public.slugify(text)", "public.slugify(text, text)")]
    gateway.load_policy(vouch(both[0]))
    refuses(client, "SELECT slugify('A B')")  # which of the two is meant is the server's to say
    gateway.load_policy(vouch(*both))
    assert wait_until(lambda: _works(client, "SELECT slugify('A B')"), "the function") == [("a-b",)]
    assert client.execute("SELECT slugify(email, '-') FROM docs WHERE id = 1").fetchall() == [("***",)]
    assert client.execute("SELECT slug, email FROM slugs WHERE id = 1").fetchall() == [("title-1", "***")]
    listed = {each["function"]: each["state"] for each in gateway.ask("GET", "/api/v1/connections/docs/functions?limit=1000")["items"]}
    assert listed["public.slugify(text)"] == "vouched"
    assert listed["public.peek(int4)"] == "not vouched"
    assert "public.slugify(text)" in gateway.cli("connection", "functions", "docs")

    with documents_database.connect() as owner:
        owner.execute(
            "CREATE OR REPLACE FUNCTION slugify(title text) RETURNS text LANGUAGE sql SECURITY DEFINER "
            "AS $$ SELECT email FROM public.docs LIMIT 1 $$"
        )
    wait_until(lambda: _is_refused(client, "SELECT slugify('A B')"), "the refusal", timeout=5)
    listed = {each["function"]: each["state"] for each in gateway.ask("GET", "/api/v1/connections/docs/functions?limit=1000")["items"]}
    assert listed["public.slugify(text)"] == "changed"
    with documents_database.connect() as owner:
        owner.execute(
            "CREATE OR REPLACE FUNCTION slugify(title text) RETURNS text LANGUAGE sql IMMUTABLE "
            "AS $$ SELECT lower(replace(title, ' ', '-')) $$"
        )
    assert wait_until(lambda: _works(client, "SELECT slugify('A B')"), "the function again", timeout=5) == [("a-b",)]
    gateway.load_policy(POLICY)
    wait_until(lambda: _is_refused(client, "SELECT slugify('A B')"), "the refusal", timeout=5)


@pytest.mark.parametrize(
    ("function", "sql", "rows"),
    [
        ("public.joined(text, text)", "SELECT all_of(email) FROM (SELECT email FROM docs WHERE id < 3) d", [("***,***",)]),
        ("public.same_start(text, text)", "SELECT 'abcd' =~= 'abce'", [(True,)]),
        ("public.same_start(text, text)", "SELECT count(*) FROM docs WHERE email =~= 'person'", [(0,)]),
        ("public.is_slug(text)", "SELECT 'x'::slug", [("x",)]),
        ("public.is_slug(text)", "SELECT 'x'::through_slug", [("x",)]),
        ("public.peek(int4)", "SELECT left(peek(1), 6)", [("person",)]),
    ],
)
def test_vouching_for_a_function_vouches_for_what_is_built_on_it(
    gateway: Gateway, client: psycopg.Connection, hashes: dict[str, str], function: str, sql: str, rows: list[tuple]
) -> None:
    gateway.load_policy(vouch((function, hashes[function])))
    assert wait_until(lambda: _works(client, sql), sql, timeout=5) == rows
    gateway.load_policy(POLICY)
    wait_until(lambda: _is_refused(client, sql), "the refusal", timeout=5)


def test_all_that_says_what_a_function_does_is_in_its_hash(hashes: dict[str, str]) -> None:
    of = {name: hashes[f"{name}.peek(int4)"] for name in VARIANTS}
    assert of.pop("twin") == of["plain"] == of.pop("dear"), "the same on whatever schema, at whatever cost"
    assert len(set(of.values())) == len(of), sorted(of.items(), key=lambda each: each[1])
    assert hashes["plain.peek(int8)"] not in of.values()


def test_a_prepared_statement_is_refused_once_the_function_is_another(
    gateway: Gateway, client: psycopg.Connection, documents_database: Database, hashes: dict[str, str]
) -> None:
    gateway.load_policy(vouch(*((name, hashes[name]) for name in ("public.initials(text)", "public.joined(text, text)"))))
    runs = ["SELECT initials(title) FROM docs WHERE id = %s", "SELECT all_of(email) FROM docs WHERE id = %s"]

    def works() -> list[list[tuple]]:
        return [client.execute(sql, [1], prepare=True).fetchall() for sql in runs]

    assert works() == works() == [[("T",)], [("***",)]]
    with documents_database.connect() as owner:
        owner.execute(INITIALS.replace("left(t, 1)", "(SELECT email FROM public.docs LIMIT 1)").replace("CREATE", "CREATE OR REPLACE"))
        owner.execute(
            "CREATE OR REPLACE FUNCTION joined(so_far text, more text) RETURNS text LANGUAGE sql "
            "AS $$ SELECT email FROM public.docs LIMIT 1 $$"
        )
    for sql in runs:
        wait_until(lambda sql=sql: _is_refused(client, sql, [1]), f"the refusal of {sql}", timeout=5)
    problems = [each["message"] for each in gateway.ask("GET", "/api/v1/policy")["problems"]]
    assert "vouch: public.initials(text) on docs has another definition by now, and is refused" in problems
    with documents_database.connect() as owner:
        owner.execute(INITIALS.replace("CREATE", "CREATE OR REPLACE"))
        owner.execute(JOINED.replace("CREATE", "CREATE OR REPLACE"))
    wait_until(lambda: not any(_is_refused(client, sql, [1]) for sql in runs), "the functions as they were", timeout=5)
    gateway.load_policy(POLICY)
    for sql in runs:
        wait_until(lambda sql=sql: _is_refused(client, sql, [1]), f"the refusal of {sql}", timeout=5)


def test_a_vouch_is_for_one_schema(gateway: Gateway, ana: Login, hashes: dict[str, str]) -> None:
    gateway.load_policy(vouch(("public.tidy(text)", hashes["public.tidy(text)"])))
    with ana.psycopg() as client:
        assert wait_until(lambda: _works(client, "SELECT tidy(' a ')"), "the function", timeout=5) == [("a",)]
        client.execute("SET search_path = elsewhere, public")
        refuses(client, "SELECT tidy(' a ')", "elsewhere.tidy")
        refuses(client, "SELECT elsewhere.tidy(' a ')")
        assert client.execute("SELECT public.tidy(' a ')").fetchall() == [("a",)]
    gateway.load_policy(POLICY)


def test_triggers_are_not_vouched_for(gateway: Gateway, client: psycopg.Connection, hashes: dict[str, str]) -> None:
    """Their functions get rows as they are stored."""
    write = "UPDATE stamped SET note = 'x' WHERE id = 1"
    refuses(client, write, "trigger")
    gateway.load_policy(vouch(("public.stamp()", hashes["public.stamp()"])))
    refuses(client, write, "trigger")
    gateway.load_policy(POLICY)


def test_a_policy_that_vouches_for_nothing_that_is_there(gateway: Gateway, client: psycopg.Connection) -> None:
    gateway.load_policy(vouch(("public.gone(int4)", "0" * 64)))
    client.execute("SELECT 1 FROM docs LIMIT 1")
    listed = {each["function"]: each["state"] for each in gateway.ask("GET", "/api/v1/connections/docs/functions?limit=1000")["items"]}
    assert listed["public.gone(int4)"] == "missing"
    [problem] = gateway.ask("GET", "/api/v1/policy")["problems"]
    assert problem["severity"] == "warning"
    assert problem["message"] == "vouch: there is no function public.gone(int4) on docs"
    gateway.load_policy(POLICY)
