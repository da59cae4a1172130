"""The schema that statements are made over, with its masks. A column whose name begins with `h_` is masked whole, one
with `p_` in part; RELATIONS marks all that are. `rows.py` fills it."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = """
DO $$ BEGIN CREATE ROLE app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE scans LOGIN IN ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE sorts LOGIN IN ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
ALTER ROLE app SET statement_timeout = '4s';
ALTER ROLE scans SET statement_timeout = '4s';
ALTER ROLE sorts SET statement_timeout = '4s';
ALTER ROLE scans SET enable_seqscan = off;
ALTER ROLE scans SET enable_bitmapscan = off;
ALTER ROLE sorts SET enable_seqscan = off;
ALTER ROLE sorts SET enable_hashagg = off;
ALTER ROLE sorts SET enable_hashjoin = off;
ALTER ROLE sorts SET enable_nestloop = off;
ALTER ROLE sorts SET enable_sort = off;
GRANT ALL ON SCHEMA public TO app;
"""
"""`app` owns everything, the hardest case for a gateway. For the others PostgreSQL uses an index wherever there is one that it can
use, so that rows come in an index's order: on tables of this size it would seldom do so by itself."""

TYPES = """
CREATE TYPE mood AS ENUM ('calm', 'glad', 'grim', 'wild');
CREATE TYPE place AS (street text, zip int);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN code AS varchar(12);
"""

FAMILIES = {
    "int2": ("int", "int2"), "int4": ("int", "int4"), "int8": ("int", "int8"), "positive": ("int", "positive"),
    "numeric": ("num", "numeric(12,4)"), "float4": ("num", "float4"), "float8": ("num", "float8"),
    "money": ("money", "money"), "bool": ("bool", "bool"),
    "text": ("text", "text"), "varchar": ("text", "varchar(40)"), "char": ("text", "char(12)"),
    "citext": ("text", "citext"), "name": ("text", "name"), "code": ("text", "code"),
    "date": ("date", "date"), "time": ("time", "time"), "timetz": ("time", "timetz"), "ts": ("ts", "timestamp"),
    "tstz": ("ts", "timestamptz"), "interval": ("interval", "interval"), "uuid": ("uuid", "uuid"),
    "bytea": ("bytea", "bytea"), "inet": ("inet", "inet"), "cidr": ("inet", "cidr"), "macaddr": ("mac", "macaddr"),
    "json": ("json", "json"), "jsonb": ("jsonb", "jsonb"), "xml": ("xml", "xml"),
    "ints": ("intarr", "int[]"), "texts": ("textarr", "text[]"), "range": ("range", "int4range"),
    "dates": ("daterange", "daterange"), "multirange": ("multirange", "int4multirange"), "mood": ("enum", "mood"),
    "place": ("comp", "place"), "bit": ("bit", "bit(16)"), "varbit": ("bit", "varbit(20)"), "tsv": ("tsv", "tsvector"),
    "hstore": ("hstore", "hstore"), "point": ("point", "point"), "box": ("box", "box"), "lsn": ("lsn", "pg_lsn"),
}  # fmt: skip
"""Of the wide tables: the end of a column's name, the family of its expressions, its type."""


def _wide(constraint: str) -> str:
    pairs = (f"o_{name} {kind}, h_{name} {kind}{constraint}" for name, (_, kind) in FAMILIES.items())
    return ", ".join(pairs)


TABLES = f"""
CREATE EXTENSION vector; CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gist;
{TYPES}
CREATE TABLE things (id int PRIMARY KEY, tag text NOT NULL, {_wide("")});
CREATE TABLE stuff (id int PRIMARY KEY, tag text NOT NULL, {_wide(" NOT NULL")});
CREATE INDEX ON things (h_int4, o_int4); CREATE INDEX ON things (o_text, h_text); CREATE INDEX ON things USING gin (h_jsonb);
CREATE INDEX ON things USING gin (o_jsonb); CREATE INDEX ON things USING gist (h_range); CREATE INDEX ON things USING hash (h_uuid);
CREATE INDEX ON things USING brin (h_date, o_date); CREATE INDEX ON things USING gin (h_texts, o_texts);
CREATE INDEX ON things USING gist (h_int4, o_range); CREATE INDEX ON things (tag) INCLUDE (h_int8);
CREATE INDEX ON stuff (tag, h_mood, id); CREATE UNIQUE INDEX ON stuff (h_text, tag); CREATE INDEX ON stuff USING gin (h_tsv);
CREATE INDEX ON stuff USING gist (h_text gist_trgm_ops); CREATE INDEX ON stuff USING spgist (h_inet);

CREATE TABLE people (
  id int PRIMARY KEY,
  tenant text NOT NULL,
  name text NOT NULL,
  active bool NOT NULL,
  joined date NOT NULL,
  boss int REFERENCES people (id),
  email text NOT NULL UNIQUE CHECK (email LIKE '%@%'),
  ssn char(11),
  salary int NOT NULL CHECK (salary > 0),
  bonus int,
  grade int NOT NULL,
  net numeric GENERATED ALWAYS AS (salary * 0.5) STORED,
  note jsonb NOT NULL,
  body text NOT NULL,
  body_tsv tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED,
  emb vector(8) NOT NULL,
  CHECK (salary < 1000000 OR active)
);
CREATE INDEX people_salary_id ON people (salary, id); CREATE INDEX people_tenant_salary ON people (tenant, salary);
CREATE INDEX people_active_salary ON people (salary) WHERE active; CREATE INDEX people_lower ON people (lower(email));
CREATE INDEX people_lower_tenant ON people (lower(email), tenant); CREATE INDEX people_note ON people USING gin (note);
CREATE INDEX people_key ON people ((note ->> 'phone'), tenant); CREATE UNIQUE INDEX people_ssn ON people (ssn);
CREATE INDEX people_body ON people USING gin (body_tsv); CREATE INDEX people_emb ON people USING hnsw (emb vector_l2_ops);
CREATE INDEX people_grade ON people (grade, tenant); CREATE INDEX people_bonus ON people (bonus NULLS FIRST, name);
CREATE INDEX people_name ON people (name) WHERE salary > 5000; CREATE STATISTICS people_st ON tenant, salary FROM people;

CREATE TABLE accounts (
  iban text PRIMARY KEY,
  owner_email text NOT NULL REFERENCES people (email) ON UPDATE CASCADE,
  person int NOT NULL REFERENCES people (id),
  balance numeric(12,2) NOT NULL,
  opened date NOT NULL,
  EXCLUDE USING gist (balance WITH =, person WITH =)
);
CREATE INDEX accounts_balance ON accounts (balance DESC, opened);

CREATE TABLE events (id int NOT NULL, day date NOT NULL, kind text NOT NULL, who text NOT NULL, amount numeric(10,2) NOT NULL,
  meta jsonb, PRIMARY KEY (id, day, kind)) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2025-04-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2025-04-01') TO ('2025-07-01') PARTITION BY LIST (kind);
CREATE TABLE events_2a PARTITION OF events_2 FOR VALUES IN ('open', 'edit'); CREATE TABLE events_2b PARTITION OF events_2 DEFAULT;
CREATE TABLE events_3 PARTITION OF events DEFAULT;
CREATE INDEX events_kind_amount ON events (kind, amount);

CREATE TABLE assets (id int PRIMARY KEY, label text NOT NULL, secret text NOT NULL);
CREATE TABLE cars (plate text NOT NULL, doors int NOT NULL) INHERITS (assets);
CREATE INDEX cars_secret ON cars (secret, id); CREATE INDEX assets_label ON assets (label, secret);

CREATE TABLE chunks (id int PRIMARY KEY, person int REFERENCES people (id), content text NOT NULL, topic text NOT NULL,
  emb vector(8), half halfvec(8), sparse sparsevec(8), meta jsonb NOT NULL);
CREATE INDEX chunks_emb ON chunks USING hnsw (emb vector_cosine_ops);
CREATE INDEX chunks_half ON chunks USING ivfflat (half halfvec_l2_ops) WITH (lists = 1);

CREATE TABLE contacts (id int PRIMARY KEY, who text NOT NULL, p_mail text NOT NULL UNIQUE, p_card varchar(19), p_day date,
  p_at timestamptz, p_made timestamp, p_inet inet, p_uuid uuid, p_code char(10), d_text text, d_doc jsonb, d_texts text[],
  CHECK (length(p_card) > 3));
CREATE INDEX contacts_who_day ON contacts (who, p_day); CREATE INDEX contacts_mail_who ON contacts (p_mail, who);
CREATE INDEX contacts_partial ON contacts (p_uuid) WHERE who > 'h'; CREATE INDEX contacts_text ON contacts (d_text, id);

CREATE TABLE topics (topic text PRIMARY KEY, title text NOT NULL, weight int NOT NULL, emb vector(8));
CREATE TABLE sink (id serial PRIMARY KEY, t text, n numeric, v vector(8), j jsonb);

CREATE VIEW v_people AS SELECT id, tenant, name AS label, email AS contact, salary, emb FROM people;
CREATE VIEW v_open AS SELECT id, tenant, name, joined FROM people WHERE active;
CREATE VIEW v_rich AS SELECT id, name FROM people WHERE salary > 5000;
CREATE VIEW v_join AS SELECT p.id, p.name, a.opened, a.balance * 2 AS doubled FROM people p JOIN accounts a ON a.person = p.id;
CREATE VIEW v_sums AS SELECT tenant, count(*) AS n, sum(salary) AS total FROM people GROUP BY tenant;
CREATE VIEW v_nested AS SELECT contact || '!' AS loud, label FROM v_people;
CREATE VIEW v_topics AS SELECT topic, title FROM topics;
CREATE MATERIALIZED VIEW mv_people AS SELECT id, name, email AS contact, salary FROM people;
CREATE INDEX ON mv_people (salary, name);
CREATE FUNCTION peek(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM public.people WHERE id = $1';
CREATE SEQUENCE counter;
"""

# Relations that differ in their one index. What holds a masked column must not show by the order of rows or the cost of a plan.
INDEXED = {
    "i_hidden": "CREATE INDEX ON {} (h_int)",
    "i_partial": "CREATE INDEX ON {} (h_int) WHERE flag",
    "i_partial_text": "CREATE INDEX ON {} (h_text) WHERE flag AND n > 0",
    "i_partial_hidden": "CREATE INDEX ON {} (open) WHERE h_int > 20",
    "i_expression": "CREATE INDEX ON {} (lower(h_text))",
    "i_expression_partial": "CREATE INDEX ON {} (lower(h_text)) WHERE flag",
    "i_expression_mixed": "CREATE INDEX ON {} (open, lower(h_text))",
    "i_expression_open": "CREATE INDEX ON {} ((n % 3), h_int)",
    "i_expression_both": "CREATE INDEX ON {} ((n + h_int), flag)",
    "i_include": "CREATE INDEX ON {} (h_int) INCLUDE (open, id, flag)",
    "i_included": "CREATE INDEX ON {} (flag, n) INCLUDE (h_int)",
    "i_mixed": "CREATE INDEX ON {} (h_int DESC, open, flag, n, id)",
    "i_second": "CREATE INDEX ON {} (flag, h_int)",
    "i_unique": "CREATE UNIQUE INDEX ON {} (h_text)",
    "i_unique_partial": "CREATE UNIQUE INDEX ON {} (h_text) WHERE flag",
    "i_gist": "CREATE INDEX ON {} USING gist (h_int, n)",
    "i_gist_partial": "CREATE INDEX ON {} USING gist (h_int) WHERE flag",
    "i_spgist_partial": "CREATE INDEX ON {} USING spgist (h_text) WHERE flag",
    "i_brin": "CREATE INDEX ON {} USING brin (h_int, n)",
    "i_hash": "CREATE INDEX ON {} USING hash (h_text)",
    "i_statistics": "CREATE STATISTICS i_st (ndistinct, dependencies, mcv) ON flag, h_int, n FROM {}",
    "i_expression_statistics": "CREATE STATISTICS i_st2 ON (h_int + n), flag FROM {}",
    "i_nothing": "",
    "i_keyless": "ALTER TABLE {0} DROP CONSTRAINT {0}_pkey; CREATE INDEX ON {0} (flag, h_int)",
    "i_keyless_partial": "ALTER TABLE {0} DROP CONSTRAINT {0}_pkey; CREATE INDEX ON {0} (h_int) WHERE flag",
    "i_masked_key": "ALTER TABLE {0} DROP CONSTRAINT {0}_pkey; ALTER TABLE {0} ADD PRIMARY KEY (h_text, id); CREATE INDEX ON {0} (flag, id)",
}  # fmt: skip


def _indexed() -> str:
    made = (
        f"CREATE TABLE {name} (id int PRIMARY KEY, open text NOT NULL, flag bool NOT NULL, n int NOT NULL, f float8 NOT NULL,"
        f" h_int int, h_text text NOT NULL);\n{index.format(name)};\n"
        for name, index in INDEXED.items()
    )
    return "".join(made)


TABLES += _indexed()

AFTERWARDS = """
REFRESH MATERIALIZED VIEW mv_people;
ANALYZE;
"""

OWNERSHIP = """
DO $$ DECLARE r record; BEGIN
  FOR r IN SELECT c.oid::regclass AS name, relkind FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
           WHERE nspname = 'public' AND relkind IN ('r', 'p', 'v', 'm', 'S')
             AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND (d.deptype = 'e' OR (d.deptype = 'a' AND relkind = 'S'))) ORDER BY c.oid LOOP
    EXECUTE format('ALTER %s %s OWNER TO app',
      CASE r.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, r.name);
  END LOOP;
  ALTER TYPE mood OWNER TO app; ALTER TYPE place OWNER TO app; ALTER FUNCTION peek OWNER TO app;
END $$;
"""

POLICY = """
rules:
  - name: everything
    match: {verb: "*"}
    allow: true
  - name: hide-redact
    match: {collection: [public.things, public.accounts, "public.events*"]}
    mask:
      - {fields: ["h_*", owner_email, balance, who, amount, phone], with: redact}
  - name: hide-remove
    match: {collection: public.stuff}
    mask:
      - {fields: ["h_*"], with: remove}
  - name: hide-contacts
    match: {collection: public.contacts}
    mask:
      - {fields: ["p_*"], with: partial}
      - {detect: [email], with: redact}
  - name: hide-indexed
    match: {collection: "public.i_*"}
    mask:
      - {fields: ["h_*"], with: redact}
  - name: hide-people
    match: {collection: public.people}
    mask:
      - {fields: [email, body], with: redact}
      - {fields: [ssn, bonus, phone], with: remove}
      - {fields: [salary], with: constant, value: "7"}
      - {fields: [grade], with: redact, order: keep}
      - {vectors: remove, scores: keep}
  - name: hide-views
    match: {collection: [public.v_people, public.mv_people]}
    mask:
      - {fields: [contact, salary], with: redact}
      - {vectors: remove, scores: keep}
  - name: hide-assets
    match: {collection: [public.assets, public.cars]}
    mask:
      - {fields: [secret, plate], with: redact}
  - name: hide-chunks
    match: {collection: public.chunks}
    mask:
      - {fields: [content, phone], with: redact}
      - {vectors: remove, scores: rank}
"""


@dataclass(frozen=True)
class Column:
    """`family` is that of its expressions (expressions.py)."""

    name: str
    family: str
    masked: bool


@dataclass(frozen=True)
class Relation:
    name: str
    columns: tuple[Column, ...]

    @property
    def masked(self) -> bool:
        return any(column.masked for column in self.columns)


def _relation(name: str, columns: str) -> Relation:
    """`columns`: name:family, with a * behind those that are masked."""
    made = []
    for word in columns.split():
        column, family = word.removesuffix("*").split(":")
        made.append(Column(column, family, word.endswith("*")))
    return Relation(name, tuple(made))


_PEOPLE = (
    "id:int tenant:text name:text active:bool joined:date boss:int email:text* ssn:text* salary:int* bonus:int* grade:int*"
    " net:num* note:jsonb* body:text* body_tsv:tsv* emb:vector*"
)
_EVENTS = "id:int day:date kind:text who:text* amount:num* meta:jsonb*"
_FAMILIES = " ".join(f"o_{name}:{family} h_{name}:{family}*" for name, (family, _) in FAMILIES.items())

RELATIONS = (
    _relation("people", _PEOPLE),
    _relation("things", f"id:int tag:text {_FAMILIES}"),
    _relation("stuff", f"id:int tag:text {_FAMILIES}"),
    _relation("accounts", "iban:text owner_email:text* person:int balance:num* opened:date"),
    _relation("events", _EVENTS),
    _relation("events_1", _EVENTS),
    _relation("events_2", _EVENTS),
    _relation("events_2a", _EVENTS),
    _relation("assets", "id:int label:text secret:text*"),
    _relation("cars", "id:int label:text secret:text* plate:text* doors:int"),
    _relation("chunks", "id:int person:int content:text* topic:text emb:rankvector* half:halfvec* sparse:sparse* meta:jsonb*"),
    _relation(
        "contacts",
        "id:int who:text p_mail:text* p_card:text* p_day:date* p_at:ts* p_made:ts* p_inet:inet* p_uuid:uuid* p_code:text*"
        " d_text:text* d_doc:jsonb* d_texts:textarr*",
    ),
    _relation("topics", "topic:text title:text weight:int emb:vector"),
    *(_relation(name, "id:int open:text flag:bool n:int f:num h_int:int* h_text:text*") for name in INDEXED),
    _relation("v_people", "id:int tenant:text label:text contact:text* salary:int* emb:vector*"),
    _relation("v_open", "id:int tenant:text name:text joined:date"),
    _relation("v_rich", "id:int name:text"),
    _relation("v_join", "id:int name:text opened:date doubled:num*"),
    _relation("v_sums", "tenant:text n:int total:int*"),
    _relation("v_nested", "loud:text* label:text"),
    _relation("v_topics", "topic:text title:text"),
    _relation("mv_people", "id:int name:text contact:text* salary:int*"),
)  # fmt: skip

BY_NAME = {relation.name: relation for relation in RELATIONS}
