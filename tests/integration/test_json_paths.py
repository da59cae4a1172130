"""Paths and keys inside of JSON columns, removed at the source: what LangChain and LlamaIndex keep beside their vectors, and
documents of any shape."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness import documents
from harness.gateway import Login
from harness.postgres import Database

SECRET = "s3cr3t-in-here"
SHAPES = 400
_DICE = random.Random(20)

KEYS = ["customer", "email", "Customer", "city", "customer.email", "note", "tags", "EMAIL"]


def shape(depth: int) -> Any:
    """A JSON value whose keys are often those of the paths."""
    kind = _DICE.random()
    if depth == 0 or kind < 0.25:
        return _DICE.choice([1, True, None, "plain", "s3cr3t-is not this", [], {}, '{"other": 1}'])
    if kind < 0.45:
        return [shape(depth - 1) for _ in range(_DICE.randint(0, 3))]
    return {_DICE.choice(KEYS): shape(depth - 1) for _ in range(_DICE.randint(0, 4))}


def with_secrets(value: Any, path: tuple[str, ...] = ()) -> Any:
    """Puts the secret wherever the path customer.email leads to, through arrays, whatever the spelling of its keys."""
    steps = ".".join(path).lower().split(".") if path else []
    if steps[:2] == ["customer", "email"] and not isinstance(value, dict | list):
        return SECRET
    if isinstance(value, dict):
        return {key: with_secrets(each, (*path, key)) for key, each in value.items()}
    if isinstance(value, list):
        return [with_secrets(each, path) for each in value]
    return value


DOCUMENTS = [with_secrets(shape(5)) for _ in range(SHAPES)]

NODE = {"id_": "n1", "text": "", "metadata": {"topic": "x", "customer": {"email": SECRET}}, "class_name": "TextNode"}

EXACT: list[tuple[Any, Any]] = [
    ({"customer": {"email": SECRET, "city": "Bern"}, "topic": "x"}, {"customer": {"city": "Bern"}, "topic": "x"}),
    ({"customer": {"email": {"home": SECRET, "work": SECRET}}}, {"customer": {}}),
    ({"customer.email": SECRET, "customer": {"city": "Bern"}}, {"customer": {"city": "Bern"}}),
    ({"email": "mine", "customer": "Meier"}, {"email": "mine", "customer": "Meier"}),
    ({"customer": None, "email": 1}, {"customer": None, "email": 1}),
    ({"supplier": {"customer": {"email": "elsewhere"}}}, {"supplier": {"customer": {"email": "elsewhere"}}}),
    ({"Customer": {"EMail": SECRET}, "topic": "x"}, {}),
    ({"customer": [{"email": SECRET}, {"city": "Bern"}]}, {}),
    ({"customer": [[[{"email": SECRET}]]]}, {}),
    ({"customer": [{"city": "Bern"}]}, {"customer": [{"city": "Bern"}]}),
    # Keys in texts may be spelled with escapes, as json.dumps() does of what is not ASCII.
    ({"payload": '{"\\u0065mail": "' + SECRET + '"}'}, {}),
    ({"payload": json.dumps('{"customer": {"\\u0065m\\u0061il": "' + SECRET + '"}}')}, {}),
    ({"payload": json.dumps({"name": "Müller", "n": 1})}, {"payload": json.dumps({"name": "Müller", "n": 1})}),
    ([{"customer": {"email": SECRET}}], {}),
    ([[[[1]]]], {}),
    ({"topic": "x", "_node_content": json.dumps(NODE), "_node_type": "TextNode"}, {"topic": "x", "_node_type": "TextNode"}),
    ({"copy": json.dumps(NODE)}, {}),
    ({"copy": json.dumps({"inner": json.dumps(NODE)})}, {}),
    ({"copy": json.dumps({"topic": "x"})}, {"copy": json.dumps({"topic": "x"})}),
    ("just a text", "just a text"),
    (None, {}),
]
"""What is stored, and what is shown. SQL's null too becomes {}: whether there is a value is hidden."""

POLICY = f"""{documents.EVERYTHING}
  - name: hide-addresses
    match: {{collection: [notes_b, notes_t, shapes]}}
    mask: [{{fields: [note.customer.email], with: redact}}]
  - name: hide-mail
    match: {{collection: [langchain, llama]}}
    mask: [{{fields: [email, metadata_.customer.phone, cmetadata.customer.phone], with: redact}}]
"""

SETUP = f"""
CREATE TABLE notes_b (id int PRIMARY KEY, note jsonb);
CREATE TABLE notes_t (id int PRIMARY KEY, note json);
CREATE TABLE shapes (id int PRIMARY KEY, note jsonb);
CREATE TABLE langchain (id varchar PRIMARY KEY, document varchar, cmetadata jsonb, embedding vector(3));
CREATE INDEX ON langchain USING gin (cmetadata jsonb_path_ops);
CREATE TABLE llama (id bigserial PRIMARY KEY, text varchar NOT NULL, metadata_ json, node_id varchar, embedding vector(3));
INSERT INTO langchain SELECT 'c' || n, 'text ' || n, jsonb_build_object('topic', 't' || n % 1000, 'email', '{SECRET}',
  'customer', jsonb_build_object('phone', '{SECRET}', 'city', 'Bern')), ARRAY[n, 1, 0]::real[]::vector FROM generate_series(1, 5000) n;
INSERT INTO llama (text, metadata_, node_id, embedding) SELECT 'text ' || n, json_build_object('topic', 't' || n % 5, 'email', '{SECRET}',
  'customer', json_build_object('phone', '{SECRET}'), '_node_type', 'TextNode', '_node_content',
  json_build_object('metadata', json_build_object('email', '{SECRET}'))::text), 'n' || n, ARRAY[n, 1, 0]::real[]::vector
  FROM generate_series(1, 50) n;
"""


@pytest.fixture(scope="module", autouse=True)
def stored(documents_database: Database) -> None:
    with documents_database.connect() as owner:
        for number, document in enumerate(DOCUMENTS):
            owner.execute("INSERT INTO shapes VALUES (%s, %s)", (number, json.dumps(document)))
        for number, (value, _) in enumerate(EXACT):
            text = None if value is None else json.dumps(value)
            owner.execute("INSERT INTO notes_b VALUES (%s, %s)", (number, text))
            owner.execute("INSERT INTO notes_t VALUES (%s, %s)", (number, text))
        for table in ("notes_b", "notes_t", "shapes", "langchain", "llama"):
            owner.execute(f"ALTER TABLE {table} OWNER TO app; ANALYZE {table}")


@pytest.fixture
def client(ana: Login) -> Iterator[psycopg.Connection]:
    with ana.psycopg() as connection:
        yield connection


def test_the_shapes_hold_secrets_and_others(client: psycopg.Connection) -> None:
    """Else the next test would prove nothing."""
    assert sum(SECRET in json.dumps(document) for document in DOCUMENTS) > SHAPES / 20
    assert sum(SECRET not in json.dumps(document) for document in DOCUMENTS) > SHAPES / 3


@pytest.mark.parametrize(
    "item", ["note", "note::text", "shapes", "to_jsonb(shapes)", "jsonb_path_query_array(note, '$.**')", "note #>> '{}'", "note -> 'customer'"]
)
def test_no_shape_shows_what_the_path_leads_to(ana: Login, item: str) -> None:
    with ana.wire(timeout=30) as wire:
        reply = wire.query(f"SELECT {item} FROM shapes ORDER BY id")
    assert reply.errors == [] and len(reply.rows) == SHAPES
    assert SECRET.encode() not in reply.bytes


def test_what_holds_no_secret_is_mostly_kept(client: psycopg.Connection) -> None:
    """Only what is nested too deep in arrays, or is JSON in a text, may go with it."""
    shown = [row[0] for row in client.execute("SELECT note FROM shapes ORDER BY id").fetchall()]
    clean = [(stored, seen) for stored, seen in zip(DOCUMENTS, shown, strict=True) if SECRET not in json.dumps(stored)]
    kept = sum(stored == seen for stored, seen in clean)
    assert kept >= 0.8 * len(clean), (kept, len(clean))


@pytest.mark.parametrize("table", ["notes_b", "notes_t"])
@pytest.mark.parametrize("binary", [False, True])
def test_each_shape_of_document(client: psycopg.Connection, table: str, binary: bool) -> None:
    rows = client.execute(f"SELECT note FROM {table} ORDER BY id", binary=binary).fetchall()
    for (stored, shown), (seen,) in zip(EXACT, rows, strict=True):
        assert seen == shown, stored


@pytest.mark.parametrize("text", [r'{"a": "\u0000"}', r'{"a": "\ud800"}', '{"a": 1e131073}', '{"a": ' + "9" * 132000 + "}"])
def test_json_that_is_no_jsonb_is_no_error(client: psycopg.Connection, documents_database: Database, text: str) -> None:
    """Whose error would tell that the value is such a one."""
    with documents_database.connect() as owner:
        with pytest.raises(psycopg.Error):
            owner.execute("SELECT %s::json::jsonb", (text,))
        owner.execute("INSERT INTO notes_t VALUES (1000, %s)", (text,))
        try:
            assert client.execute("SELECT note FROM notes_t WHERE id = 1000").fetchall() == [({},)]
        finally:
            owner.execute("DELETE FROM notes_t WHERE id = 1000")


def test_conditions_see_what_is_shown(client: psycopg.Connection) -> None:
    count = "SELECT count(*) FROM notes_b WHERE {}"
    for condition in [
        f"note #>> '{{customer,email}}' = '{SECRET}'",
        f"""note @> '{{"customer": {{"email": "{SECRET}"}}}}'""",
        f"note @@ '$.customer.email == \"{SECRET}\"'",
        "jsonb_path_exists(note, '$.customer.email')",
        f"note::text LIKE '%{SECRET}%'",
    ]:
        assert client.execute(count.format(condition)).fetchone() == (0,), condition
    assert client.execute(count.format("""note @> '{"customer": {"city": "Bern"}}'""")).fetchone() == (2,)


def test_langchain_rows(client: psycopg.Connection) -> None:
    row = client.execute("SELECT document, cmetadata FROM langchain WHERE cmetadata @> '{\"topic\": \"t3\"}' ORDER BY embedding <=> '[3,1,0]' LIMIT 1")
    assert row.fetchone() == ("text 3", {"topic": "t3", "customer": {"city": "Bern"}})


def test_llama_index_rows(client: psycopg.Connection) -> None:
    """Its reader takes the text and the metadata as they stand where there is no serialised node."""
    row = client.execute("SELECT text, metadata_ FROM llama WHERE metadata_ ->> 'topic' = 't3' ORDER BY embedding <=> '[3,1,0]' LIMIT 1")
    assert row.fetchone() == ("text 3", {"topic": "t3", "customer": {}, "_node_type": "TextNode"})


def test_indexes_on_open_keys_serve(client: psycopg.Connection) -> None:
    plan = client.execute("EXPLAIN SELECT id FROM langchain WHERE cmetadata @> '{\"topic\": \"t3\"}'").fetchall()
    assert "langchain_cmetadata_idx" in str(plan)
