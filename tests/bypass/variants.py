"""Variants of the attacks: one expression, one way to name the table, one nesting, one spelling, one form of the protocol each.

    for variant in variants(2000, seed=1):
        attack.both("svc", variant.run, again=True)

Deterministic: the same number and seed give the same variants. Each carries a masked value out of `docs`, if nobody stops it.
"""

from __future__ import annotations

import itertools
import random
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness import corpus, wire
from harness.corpus import Case
from harness.postgres import Database
from harness.wire import Client, Exchange

COLUMNS = ("email", "ssn", "salary", "note", "embedding")

# What makes another value of a masked column `{c}`, of the row `{t}` or of any value; what it yields has type text.
EXPRESSIONS = [
    "{c}::text",
    "CAST({c} AS varchar(99))::text",
    "upper({c}::text)",
    "reverse({c}::text)",
    "encode({c}::text::bytea, 'hex')",
    "encode(convert_to({c}::text, 'UTF8'), 'base64')",
    "translate({c}::text, '-', '~')",
    "coalesce({c}::text, 'none')",
    "CASE WHEN {c} IS NOT NULL THEN {c}::text ELSE 'none' END",
    "greatest({c}::text, '')",
    "nullif({c}::text, '')",
    "concat_ws('/', 'a', {c})",
    "format('%s|%L', 1, {c})",
    "'<' || {c}::text || '>'",
    "to_json({c})::text",
    "to_jsonb({t}) ->> '{c}'",
    "row_to_json({t})::text",
    "{t}::text",
    "ROW({c}, 1)::text",
    "ROW({t}.*)::text",
    "ARRAY[{c}]::text",
    "(ARRAY[{c}::text])[1]",
    "array_to_string(ARRAY[{c}::text, 'x'], ',')",
    "json_build_object('a', {c})::text",
    "jsonb_build_array({c}, {t})::text",
    "json_build_object('a', {t}) #>> '{{a,{c}}}'",
    "lpad({c}::text, 60, '.')",
    "left({c}::text, 20) || right({c}::text, 20)",
    "regexp_replace({c}::text, '^(.)(.*)$', '\\2\\1')",
    "quote_literal({c}::text)",
    "md5({c}::text)",
    "encode(sha256({c}::text::bytea), 'hex')",
    "xmlelement(name x, {c}::text)::text",
    "xmlforest({c}::text AS y)::text",
    "hstore('k', {c}::text)::text",
    "(hstore({t}) -> '{c}')",
    "string_to_array({c}::text, NULL)::text",
    "({t}).{c}::text",
    "to_tsvector('simple', replace({c}::text, '@', ' '))::text",
    "(SELECT {c}::text)",
    "(SELECT max(z.v) FROM (VALUES ({c}::text)) z(v))",
    "array_agg({c}) OVER ()::text",
    "first_value({c}::text) OVER ()",
    "jsonb_path_query_first(to_jsonb({t}), '$.{c}')::text",
    "to_char(length({c}::text), '000') || {c}::text",
    "E'\\x41' || {c}::text",
]

# Those that only one column has.
PARTICULAR = {
    "salary": [
        "(salary + 1)::text", "(salary - 7)::text", "(salary * 3)::text", "to_hex(salary)", "salary::numeric::text", "(-salary)::text",
        "to_char(salary, 'FM999,999')", "(salary::bigint << 3)::text", "sqrt(salary)::text", "salary::bit(20)::text", "(salary / 7.0)::text",
        "int4range(0, salary)::text", "(DATE '2000-01-01' + salary)::text", "make_interval(days => salary)::text", "(salary % 90001)::text",
    ],
    "embedding": [
        "(embedding::real[])[2]::text", "(embedding::real[])::text", "embedding::halfvec::text", "embedding::sparsevec::text",
        "(embedding + embedding)::text", "(embedding * '[2,2,2,2]')::text", "(embedding || '[1]')::text", "vector_norm(embedding)::text",
        "l2_normalize(embedding)::text", "subvector(embedding, 1, 2)::text", "(embedding <-> '[0,0,0,0]')::text",
        "(embedding <#> '[1,0,0,0]')::text", "(embedding <=> '[0,1,0,0]')::text", "(embedding <+> '[0,0,0,0]')::text",
        "inner_product(embedding, '[0,0,0,1]')::text", "encode(vector_send(embedding), 'hex')", "binary_quantize(embedding)::text",
        "(SELECT sum(u) FROM unnest(embedding::real[]) u)::text", "to_json(embedding::real[])::text",
    ],
    "note": ["(note ->> 'k') || note::text", "jsonb_pretty(note)", "(note -> 'k')::text", "(note #>> '{k}')", "(note || '{\"z\":1}')::text"],
    "email": ["split_part(email, '@', 1)", "initcap(email)", "overlay(email placing '_' from 7 for 1)", "email::name::text", "soundex(email) || email"],
    "ssn": ["replace(ssn, '-', '')", "(replace(ssn, '-', '')::bigint + 1)::text", "substr(ssn, 1, 7)", "regexp_replace(ssn, '\\D', '', 'g')"],
}  # fmt: skip

# Ways to name the table, and what the row is called then. Without a name of its own in the last ones.
TABLES = [
    ("docs", "docs"),
    ("public.docs", "docs"),
    ("docs AS d", "d"),
    ("docs d", "d"),
    ('public."docs" "D x"', '"D x"'),
    ("ONLY docs d", "d"),
    ("docs * d", "d"),
    ("docs AS d(id, tenant, title, email, ssn, salary, note, embedding)", "d"),
    ("(docs d CROSS JOIN (VALUES (1)) one(n))", "d"),
    ("(docs d LEFT JOIN sink s ON s.id = d.id)", "d"),
    ("(SELECT * FROM docs) d", "d"),
    ("(SELECT x.* FROM public.docs x OFFSET 0) d", "d"),
    ("LATERAL (SELECT * FROM docs) d", "d"),
    ("(TABLE docs) d", "d"),
    ("docs d TABLESAMPLE BERNOULLI (100)", "d"),
    ("(docs d JOIN (VALUES (1), (2)) v(id) USING (id))", "d"),
    ("(SELECT * FROM docs UNION ALL SELECT * FROM docs WHERE false) d", "d"),
    ('U&"d\\006Fcs" d', "d"),
]

# `{e}`: an expression of type text; `{f}`: FROM and WHERE that go with it.
NESTINGS = [
    "SELECT {e} AS v {f}",
    "SELECT {e} {f}",
    "SELECT 1 AS id, {e} AS title {f}",
    "SELECT v FROM (SELECT {e} AS v {f}) q",
    "SELECT q.v || '' FROM (SELECT {e} AS v {f} OFFSET 0) q",
    "WITH q AS (SELECT {e} AS v {f}) SELECT v FROM q",
    "WITH q(v) AS MATERIALIZED (SELECT {e} {f}) SELECT reverse(v) FROM q",
    "WITH q AS NOT MATERIALIZED (SELECT {e} AS v {f}) SELECT a.v FROM q a, q b",
    "WITH RECURSIVE r(n, v) AS (SELECT 1, {e} {f} UNION ALL SELECT n + 1, v FROM r WHERE n < 2) SELECT v FROM r",
    "SELECT (SELECT {e} {f} LIMIT 1)",
    "SELECT ARRAY(SELECT {e} {f})",
    "SELECT x.v FROM (VALUES (1)) o(i), LATERAL (SELECT {e} AS v {f}) x",
    "SELECT string_agg(v, ',') FROM (SELECT {e} AS v {f}) q",
    "SELECT array_agg(v) FROM (SELECT {e} AS v {f}) q",
    "SELECT json_agg(q) FROM (SELECT {e} AS v {f}) q",
    "SELECT max(v), min(v) FROM (SELECT {e} AS v {f}) q",
    "SELECT DISTINCT v FROM (SELECT {e} AS v {f}) q",
    "SELECT v, count(*) FROM (SELECT {e} AS v {f}) q GROUP BY GROUPING SETS ((v), ())",
    "SELECT title FROM docs WHERE false UNION ALL SELECT {e} {f}",
    "(SELECT {e} AS v {f}) UNION (SELECT {e} AS v {f}) ORDER BY 1",
    "SELECT lag(v, 0) OVER (ORDER BY v) FROM (SELECT {e} AS v {f}) q",
    "SELECT row_to_json(q) FROM (SELECT {e} AS v {f}) q",
    "SELECT q FROM (SELECT {e} AS v {f}) q",
    "SELECT unnest(string_to_array(v, NULL)) FROM (SELECT {e} AS v {f}) q",
    "SELECT substr(v, i, 1) FROM (SELECT {e} AS v {f}) q, generate_series(1, length(v)) i",
    "SELECT ascii(substr(v, i, 1)) FROM (SELECT {e} AS v {f}) q, generate_series(1, length(v)) i",
    "VALUES ((SELECT {e} {f} LIMIT 1))",
    "SELECT CASE WHEN v IS NULL THEN 'none' ELSE v END FROM (SELECT {e} AS v {f}) q",
    "SELECT a.v FROM (SELECT {e} AS v {f}) a JOIN (SELECT {e} AS v {f}) b USING (v)",
    "SELECT v FROM (SELECT {e} AS v {f}) a NATURAL FULL JOIN (SELECT {e} AS v {f}) b",
    "SELECT v::bytea FROM (SELECT {e} AS v {f}) q WHERE v !~ '\\\\'",
    'SELECT * FROM (SELECT {e} {f}) AS q("any ""name")',
    "SELECT sum(ascii(substr(v, i, 1)) * i) FROM (SELECT {e} AS v {f}) q, generate_series(1, length(v)) i",
    "SELECT count(*) FILTER (WHERE substr(v, i, 1) > '5'), sum(i) FILTER (WHERE substr(v, i, 1) < 'n') FROM (SELECT {e} AS v {f}) q, generate_series(1, length(v)) i",
]

# Around a whole statement.
AROUND = [
    "{s}",
    "SELECT q FROM ({s}) q",
    "SELECT row_to_json(q) FROM ({s}) q",
    "SELECT reverse(q::text) FROM ({s}) q",
    "WITH q AS ({s}) SELECT to_jsonb(q) FROM q",
    "WITH q AS MATERIALIZED ({s}) SELECT q.* FROM q",
    "SELECT x.* FROM (VALUES (1)) o(i), LATERAL ({s}) x",
    "SELECT array_agg(q) FROM ({s}) q",
    "SELECT string_agg(q::text, '/') FROM ({s}) q",
    "({s}) LIMIT 5",
    "SELECT EXISTS ({s}), q FROM ({s}) q",
]

# WHERE around the literal `{k}`, and the type that a parameter in its place has.
CONDITIONS = [
    "{t}.id = {k}",
    "{t}.id IN ({k}, 77)",
    "{t}.id BETWEEN {k} AND {k}",
    "{t}.id::text = {k}::text",
    "{t}.id * 2 = 2 * {k}",
]
TYPES = {"": 0, "::int4": 23, "::int8": 20, "::int2": 21, "::numeric": 1700, "::float8": 701}

Form = Callable[[Client, str, "Key | None"], Exchange]


@dataclass(frozen=True)
class Key:
    """A parameter in the place of the literal 1."""

    oid: int
    binary: bool

    @property
    def value(self) -> bytes:
        if not self.binary:
            return b"1"
        match self.oid:
            case 23:
                return struct.pack("!i", 1)
            case 20:
                return struct.pack("!q", 1)
            case 21:
                return struct.pack("!h", 1)
            case 701:
                return struct.pack("!d", 1)
            case _:
                return struct.pack("!hhhhh", 1, 0, 0, 0, 1)  # numeric: one digit of base 10,000

    @property
    def formats(self) -> list[int]:
        return [int(self.binary)]


@dataclass(frozen=True)
class Variant:
    number: int
    sql: str
    form: Form
    key: Key | None

    def run(self, client: Client, _: Database) -> Exchange:
        return self.form(client, self.sql, self.key)

    def __str__(self) -> str:
        return f"#{self.number} {self.form.__name__}{f' with a parameter {self.key}' if self.key else ''}: {self.sql}"


def variants(count: int, seed: int) -> Iterator[Variant]:
    random_ = random.Random(seed)
    # Every expression, table, nesting and form comes up; how they are combined is left to chance.
    expressions = itertools.cycle(
        [(c, e) for e in EXPRESSIONS for c in COLUMNS] + [(c, e) for c, es in PARTICULAR.items() for e in es]
    )
    for number, (column, expression) in zip(range(count), expressions, strict=False):
        form = FORMS[number % len(FORMS)]
        table, row = TABLES[number // len(FORMS) % len(TABLES)]
        nesting = random_.choice(NESTINGS)
        sql, key = _statement(random_, column, expression, table, row, nesting, form in WITH_PARAMETERS)
        yield Variant(number, spelled(random_, sql), form, key)


def of_the_corpus(count: int, seed: int) -> Iterator[Variant]:
    """The corpus' own statements, within others, spelled otherwise, by another form."""
    random_ = random.Random(seed)
    statements = [case.steps[0] for case in corpus.cases() if len(case.steps) == 1 and _may_stand_within(case)]
    for number, sql in zip(range(count), itertools.cycle(statements), strict=False):
        nested = random_.choice(AROUND).replace("{s}", sql)
        yield Variant(number, spelled(random_, nested), FORMS[(number // len(statements) + number) % len(FORMS)], None)


def _may_stand_within(case: Case) -> bool:
    own_words = case.expected.startswith("allow")  # a case that only gets back what it says itself
    return (
        not own_words
        and case.as_role == "svc"
        and case.steps[0].startswith(("SELECT", "WITH"))
        and "set_config" not in case.steps[0]
    )


def _statement(
    random_: random.Random, column: str, expression: str, table: str, row: str, nesting: str, may_bind: bool
) -> tuple[str, Key | None]:
    literal, key = random_.choice(["1", "1", "'1'", "(2 - 1)", "1::int8", "CAST('1' AS int)"]), None
    if may_bind and random_.random() < 0.7:
        cast = random_.choice(list(TYPES))
        oid = TYPES[cast] or 23
        key = Key(oid, random_.random() < 0.5)
        literal = f"$1{cast}" if cast else "$1::int4"
    written = expression.replace("{t}", row).replace("{c}", column if random_.random() < 0.5 else f"{row}.{column}")
    if "'{c}'" in expression or "$.{c}" in expression or ").{c}" in expression or ",{c}}}" in expression:
        written = expression.replace("{t}", row).replace("{c}", column)
    written = written.replace("{{", "{").replace("}}", "}")
    condition = random_.choice(CONDITIONS).format(t=row, k=literal)
    around = f"FROM {table} WHERE {condition}"
    return nesting.replace("{e}", written).replace("{f}", around).replace("{{", "{").replace("}}", "}"), key


# -- spelling --------------------------------------------------------------------------------------------------------

_TOKENS = re.compile(r"""E?'(?:[^'\\]|''|\\.)*'|U&"[^"]*"|"(?:[^"]|"")*"|\$\d+|\w+|\s+|.""", re.DOTALL)
_WORDS = frozenset(
    "select from where as with union all distinct values lateral join on using case when then else end".split()
)
_NAMES = frozenset([*COLUMNS, "docs", "id", "title"])


def spelled(random_: random.Random, sql: str) -> str:
    """The same statement for the server's scanner, another text for everybody else's."""
    how = random_.choice([_as_it_is, _as_it_is, _mixed_case, _quoted, _commented, _escaped, _spread])
    out, previous = [], ""
    for token in _TOKENS.findall(sql):
        out.append(how(random_, token) if previous != "name" else token)  # an XML name is a name as it stands
        previous = token if token.strip() else previous
    return "".join(out)


def _as_it_is(_: random.Random, token: str) -> str:
    return token


def _mixed_case(random_: random.Random, token: str) -> str:
    if token.lower() not in _WORDS | _NAMES:
        return token
    return "".join(random_.choice([c.upper(), c.lower()]) for c in token)


def _quoted(random_: random.Random, token: str) -> str:
    return f'"{token}"' if token in _NAMES and random_.random() < 0.7 else token


def _escaped(random_: random.Random, token: str) -> str:
    if token not in _NAMES or random_.random() < 0.3:
        return token
    at = random_.randrange(len(token))
    return f'U&"{token[:at]}\\{ord(token[at]):04x}{token[at + 1 :]}"'


def _commented(random_: random.Random, token: str) -> str:
    return random_.choice(["/**/", " /* x /* y */ ' */ ", " -- '\n", "\n"]) if token.isspace() else token


def _spread(random_: random.Random, token: str) -> str:
    if token.isspace():
        return random_.choice(["\t", "\n", "\f", "  ", "\r\n"])
    return token


# -- forms of the protocol -------------------------------------------------------------------------------------------


def simple(client: Client, sql: str, _: Key | None) -> Exchange:
    return client.query(sql)


def among_others(client: Client, sql: str, _: Key | None) -> Exchange:
    return client.query(f"SELECT 1; {sql}; SELECT 2")


def extended_text(client: Client, sql: str, key: Key | None) -> Exchange:
    return _extended(client, sql, key, [])


def extended_binary(client: Client, sql: str, key: Key | None) -> Exchange:
    return _extended(client, sql, key, [1])


def _extended(client: Client, sql: str, key: Key | None, results: Sequence[int]) -> Exchange:
    if key is None:
        return client.extended(sql, result_formats=results)
    bind = wire.bind([key.value], formats=key.formats, result_formats=results)
    return client.exchange(wire.parse(sql, types=[key.oid]), bind, wire.describe(b"P"), wire.execute())


def named(client: Client, sql: str, key: Key | None) -> Exchange:
    """A named statement, described, run twice, closed."""
    types, values, formats = ([key.oid], [key.value], key.formats) if key else ([], [], [])
    seen = client.exchange(wire.parse(sql, "vs", types), wire.describe(b"S", "vs"))
    run = [wire.bind(values, statement="vs", formats=formats), wire.execute()]
    seen += client.exchange(*run, *run)
    client.exchange(wire.close(b"S", "vs"))
    return seen


def paged(client: Client, sql: str, key: Key | None) -> Exchange:
    """A portal, a row at a time."""
    types, values, formats = ([key.oid], [key.value], key.formats) if key else ([], [], [])
    pages = [wire.execute("vp", max_rows=1)] * 40
    bind = wire.bind(values, portal="vp", formats=formats)
    return client.exchange(wire.parse(sql, types=types), bind, wire.describe(b"P", "vp"), *pages)


def pipelined(client: Client, sql: str, _: Key | None) -> Exchange:
    """Behind another statement and without a description."""
    before = [wire.parse("SELECT 1"), wire.bind(), wire.execute()]
    return client.exchange(*before, wire.parse(sql), wire.bind(), wire.execute())


def sql_prepare(client: Client, sql: str, _: Key | None) -> Exchange:
    seen = client.query(f"PREPARE vq AS {sql}")
    if not seen.errors:
        seen += client.query("EXECUTE vq")
        client.query("DEALLOCATE vq")
    return seen


def prepared_and_bound(client: Client, sql: str, _: Key | None) -> Exchange:
    """Prepared by SQL, run by the wire."""
    seen = client.query(f"PREPARE vr AS {sql}")
    if not seen.errors:
        seen += client.exchange(wire.bind(statement="vr", result_formats=[1]), wire.describe(b"P"), wire.execute())
        client.query("DEALLOCATE vr")
    return seen


def sql_cursor(client: Client, sql: str, _: Key | None) -> Exchange:
    client.query("BEGIN")
    seen = client.query(f"DECLARE vc SCROLL CURSOR FOR {sql}")
    seen += client.query("FETCH ALL FROM vc")
    seen += client.query("FETCH BACKWARD 1 FROM vc")
    seen += client.query("ROLLBACK")
    return seen


def held_cursor(client: Client, sql: str, _: Key | None) -> Exchange:
    seen = client.query(f"DECLARE vh BINARY CURSOR WITH HOLD FOR {sql}")
    if not seen.errors:
        seen += client.query("FETCH ALL FROM vh")
        client.query("CLOSE vh")
    return seen


def copied(client: Client, sql: str, _: Key | None) -> Exchange:
    return client.query(f"COPY ({sql}) TO STDOUT")


def copied_binary(client: Client, sql: str, _: Key | None) -> Exchange:
    return client.query(f"COPY ({sql}) TO STDOUT (FORMAT binary)")


def copied_csv(client: Client, sql: str, _: Key | None) -> Exchange:
    return client.query(f"COPY ({sql}) TO STDOUT WITH (FORMAT csv, HEADER)")


FORMS: list[Form] = [
    simple, among_others, extended_text, extended_binary, named, paged, pipelined, sql_prepare, prepared_and_bound, sql_cursor,
    held_cursor, copied, copied_binary, copied_csv,
]  # fmt: skip
WITH_PARAMETERS = (extended_text, extended_binary, named, paged)
