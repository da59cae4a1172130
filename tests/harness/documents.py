"""A small database that most tests share: documents with vectors, and something long to stream.

`docs` has 500 rows; the vector of document n is [n, n % 7, n % 13, 1], so that the neighbours of [n, ...] are known.
`notes` has 20 rows that refer to documents, `events` 5,000 rows of about 200 bytes. The role `app` may do everything here.
"""

from __future__ import annotations

DOCUMENTS = 500
EVENTS = 5000

SETUP = """
CREATE EXTENSION IF NOT EXISTS vector;
DO $$ BEGIN CREATE ROLE app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE TABLE docs (
  id int PRIMARY KEY,
  tenant text NOT NULL,
  title text NOT NULL,
  email text,
  embedding vector(4)
);
INSERT INTO docs
  SELECT n, 'tenant-' || n % 3, 'Title ' || n, 'person' || n || '@corp.example', ARRAY[n, n % 7, n % 13, 1]::real[]::vector
  FROM generate_series(1, 500) n;
CREATE INDEX docs_embedding ON docs USING hnsw (embedding vector_l2_ops);
CREATE TABLE notes (id int PRIMARY KEY, doc int REFERENCES docs (id), text text NOT NULL);
INSERT INTO notes SELECT n, n, 'note ' || n FROM generate_series(1, 20) n;
CREATE TABLE events (id int PRIMARY KEY, payload text NOT NULL);
INSERT INTO events SELECT n, rpad('event ' || n, 200, '.') FROM generate_series(1, 5000) n;
CREATE FUNCTION linger(seconds float8) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1 FROM pg_sleep($1)';
ALTER TABLE docs OWNER TO app;
ALTER TABLE notes OWNER TO app;
ALTER TABLE events OWNER TO app;
GRANT ALL ON SCHEMA public TO app;
ANALYZE docs, notes, events;
"""

KNN = "SELECT id FROM docs ORDER BY embedding <-> '[7,0,7,1]' LIMIT {}"
"""Finds document 7 first."""

CONNECT = """
  - name: members-connect
    match: {principal: {groups: [members]}, verb: [metadata, session]}
    allow: true
"""
"""The rule that lets clients start up, for policies that tests write."""

MEMBERS = f"""
rules:
  - name: members-do
    match: {{principal: {{groups: [members]}}, verb: [search, fetch, scroll, count, aggregate, write]}}
    allow: true
{CONNECT.strip(chr(10))}
"""
"""A policy for members, to which tests add rules."""

EVERYTHING = """
vouch:
  - {connection: "*", functions: [public.linger]}
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
"""
"""A policy that allows whatever is understood; tests add rules."""
