"""The oracle sees a secret under every encoding that it claims to know, and none where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import corpus
from harness.leaks import Oracle, apart
from harness.postgres import Database, PostgresServer
from harness.wire import Client

ORACLE = Oracle(
    ["s3cr3t.alice@corp.example", "731-22-9944", "b0bby@corp.example", "642-11-8833"],
    [98765, 54321],
    [(0.1234567, -0.7654321, 0.3333333, 0.9876543), (0.9, 0.1, -0.2, 0.05)],
)

SHOWN = [
    "email",
    "upper(email)",
    "initcap(email)",
    "reverse(email)",
    "left(email, 7)",
    "right(email, 10)",
    "encode(email::bytea, 'hex')",
    "upper(encode(email::bytea, 'hex'))",
    "encode(reverse(email)::bytea, 'hex')",
    "'0' || encode(email::bytea, 'hex')",
    "encode(email::bytea, 'base64')",
    "encode(('x' || email)::bytea, 'base64')",
    "translate(encode(('xy' || email)::bytea, 'base64'), '+/', '-_')",
    "encode(encode(email::bytea, 'base64')::bytea, 'hex')",
    "string_to_array(email, NULL)",
    "array_to_string(string_to_array(email, NULL), ' ')",
    "array_to_json(string_to_array(email, NULL))",
    "(SELECT array_agg(ascii(c)) FROM string_to_table(email, NULL) c)",
    "(SELECT string_agg(get_bit(email::bytea, i - i % 8 + 7 - i % 8)::text, '' ORDER BY i) FROM generate_series(0, 199) i)",
    "(SELECT string_agg('\\' || lpad(to_oct(ascii(c)), 3, '0'), '') FROM string_to_table(email, NULL) c)",
    "md5(email)",
    "sha256(upper(email)::bytea)",
    "encode(sha512(email::bytea), 'hex')",
    "replace(ssn, '-', '')",
    "replace(ssn, '-', '/')",
    "salary",
    "salary::text",
    "salary + 1",
    "salary - 42",
    "-salary",
    "~salary",
    "salary * 3",
    "salary / 7.0",
    "sqrt(salary)",
    "ln(salary)",
    "to_hex(salary)",
    "salary::bit(32)",
    "salary::numeric",
    "salary::float4",
    "salary::float8",
    "to_char(salary, 'FM999999.00')",
    "embedding",
    "embedding::text",
    "embedding::real[]",
    "(embedding::real[])[2]",
    "(embedding::real[])[1]::float8",
    "embedding::halfvec",
    "embedding::sparsevec",
    "embedding * '[2,2,2,2]'",
    "embedding + '[1,1,1,1]'",
    "l2_normalize(embedding)",
    "vector_norm(embedding)",
    "-(embedding <#> '[1,0,0,0]')",
    "embedding <-> '[0,0,0,0]'",
    "embedding <=> '[0,1,0,0]'",
    "embedding <-> '[0,0,1,0]'",
    "(SELECT sum(embedding) FROM docs)",
    "(SELECT avg(embedding) FROM docs)",
]

BY_ROWS = [
    "SELECT c FROM docs, string_to_table(email, NULL) c WHERE id = 1",
    "SELECT ascii(c) FROM docs, string_to_table(email, NULL) c WHERE id = 1",
    "SELECT ascii(c)::int2, 7 FROM docs, string_to_table(email, NULL) c WHERE id = 1",
    "SELECT substr(email, 26 - i, 1) FROM docs, generate_series(1, 25) i WHERE id = 1",
    "SELECT substr(email, 1 + 3 * i, 3) FROM docs, generate_series(0, 8) i WHERE id = 1 ORDER BY i",
    "SELECT c, c FROM docs, unnest(embedding::real[]) c WHERE id = 1",
]

NOT_SHOWN = [
    "SELECT id, tenant, title, '***', 0, '{}', NULL FROM docs",
    "SELECT md5(i::text), i, i * 1.5, sqrt(i), random() FROM generate_series(1, 300) i",
    "SELECT 'for example: person' || i || '@company.com', encode(sha256(i::text::bytea), 'base64') FROM generate_series(1, 300) i",
    "SELECT * FROM pg_class ORDER BY oid LIMIT 200",
    "SELECT oid, proname, proargtypes FROM pg_proc ORDER BY oid LIMIT 1000",
    "EXPLAIN (ANALYZE, VERBOSE) SELECT count(*) FROM pg_class a JOIN pg_attribute b ON b.attrelid = a.oid",
    "SELECT 'x'::int",
    "SELECT no_such_column FROM docs",
]


@pytest.fixture(scope="module")
def prepared(postgres: PostgresServer) -> Iterator[Database]:
    with corpus.prepared(postgres) as database:
        yield database


@pytest.fixture(scope="module")
def client(prepared: Database) -> Iterator[Client]:
    with Client.connect(prepared.server.port, user="svc", database=prepared.name) as connected:
        yield connected


@pytest.mark.parametrize("expression", SHOWN)
def test_sees_it_in_text_and_in_binary(client: Client, expression: str) -> None:
    sql = f"SELECT {expression} FROM docs WHERE id = 1"
    assert client.query(sql).errors == []
    assert ORACLE.find(client.query(sql))
    assert ORACLE.find(client.query(f"COPY ({sql}) TO STDOUT"))
    assert ORACLE.find(client.extended(sql, result_formats=[1]))


@pytest.mark.parametrize("sql", BY_ROWS)
def test_sees_it_row_by_row(client: Client, sql: str) -> None:
    assert ORACLE.find(client.query(sql))
    assert ORACLE.find(client.extended(sql, result_formats=[1]))
    assert ORACLE.find(client.query(f"COPY ({sql}) TO STDOUT"))


def test_sees_it_in_other_messages(client: Client) -> None:
    for sql in (
        "SELECT email::int FROM docs WHERE id = 1",
        "DO $$BEGIN RAISE NOTICE '%', (SELECT reverse(email) FROM docs WHERE id = 1); END$$",
        "DO $$BEGIN EXECUTE format('CREATE VIEW told AS SELECT 1 AS %I', (SELECT email FROM docs WHERE id = 1)); END$$; SELECT * FROM told",
    ):
        assert ORACLE.find(message for message in client.query(sql) if message.type in (b"E", b"N", b"T"))


@pytest.mark.parametrize("sql", NOT_SHOWN)
def test_sees_nothing_where_there_is_nothing(client: Client, sql: str) -> None:
    assert ORACLE.find(client.query(sql)) == []
    assert ORACLE.find(client.extended(sql, result_formats=[1])) == []


def test_tells_answers_apart(client: Client) -> None:
    """By value, by number, by error; but not by what differs each time."""
    one = client.query("SELECT id FROM docs ORDER BY id")
    assert apart(one, client.query("SELECT id FROM docs ORDER BY id")) == ""
    for other in (
        "SELECT id FROM docs ORDER BY id DESC",
        "SELECT id FROM docs WHERE id = 1",
        "SELECT 1/0",
        "SELECT id AS i FROM docs ORDER BY id",
    ):
        assert apart(one, client.query(other))
    explained = "EXPLAIN (ANALYZE) SELECT count(*) FROM generate_series(1, 1000)"
    assert apart(client.query(explained), client.query(explained)) == ""
