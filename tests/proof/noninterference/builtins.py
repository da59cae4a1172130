"""Calls of functions that the server has, drawn at random, with arguments of fitting types: masked columns, names of masked relations,
literals. What a gateway should not have let through is found here, whoever overlooked it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from harness.postgres import Database

from proof.noninterference.schema import RELATIONS

# What tells the time, the process, the session or chance, and so differs between any two sessions.
_CHANCE = frozenset(
    """
    array_sample array_shuffle clock_timestamp gen_random_uuid inet_client_port inet_server_port lastval now pg_backend_pid
    pg_conf_load_time pg_control_checkpoint pg_control_system pg_current_snapshot pg_current_wal_flush_lsn
    pg_current_wal_insert_lsn pg_current_wal_lsn pg_current_xact_id pg_current_xact_id_if_assigned pg_export_snapshot
    pg_is_other_temp_schema pg_my_temp_schema pg_postmaster_start_time pg_snapshot_xip pg_xact_commit_timestamp random
    random_normal statement_timestamp timeofday transaction_timestamp txid_current txid_current_if_assigned
    txid_current_snapshot uuidv4 uuidv7 pg_safe_snapshot_blocking_pids pg_notification_queue_usage age pg_database_size
    pg_tablespace_size pg_relation_filenode pg_relation_filepath pg_filenode_relation
    """.split()
)

# btree_gist's input functions take one argument and read two: their error names a type that happens to be in memory.
_UNINITIALISED = re.compile(r"gbtreekey")

_LITERALS: dict[str, tuple[str, ...]] = {
    "text": ("'people'", "'public.people'", "'email'", "'salary'", "'SELECT email FROM people'", "'a'", "'12'", "'select,on'", "'SELECT'"),
    "name": ("'people'", "'email'", "'postgres'", "'public'"),
    "cstring": ("'people'", "'a'"),
    "oid": tuple(f"'public.{relation}'::regclass::oid" for relation in ("people", "things", "people_salary_id", "mv_people")) + ("1::oid",),
    "regclass": ("'public.people'::regclass", "'public.people_salary_id'::regclass", "'public.chunks_emb'::regclass"),
    "regproc": ("'now'::regproc",), "regtype": ("'int4'::regtype",), "regnamespace": ("'public'::regnamespace",),
    "int2": ("1::int2", "7::int2"), "int4": ("1", "2", "7", "0", "-1"), "int8": ("1::int8", "3::int8"),
    "numeric": ("1.5", "2::numeric"), "float4": ("1.5::float4",), "float8": ("0.5::float8", "2::float8"),
    "bool": ("true", "false"), "char": ("'r'::\"char\"",), "bpchar": ("'ab'::char(2)",), "varchar": ("'ab'::varchar",),
    "date": ("date '2025-02-03'",), "time": ("time '12:00'",), "timestamp": ("timestamp '2025-02-03 10:00'",),
    "timestamptz": ("timestamptz '2025-02-03 10:00+00'",), "interval": ("interval '1 day'",),
    "tid": ("'(0,1)'::tid",), "xid": ("'3'::xid",), "cid": ("'0'::cid",), "_int4": ("ARRAY[1, 2]",), "_text": ("ARRAY['email', 'id']",),
    "_float8": ("ARRAY[1, 2]::float8[]",), "_name": ("ARRAY['email']::name[]",), "_oid": ("ARRAY['public.people'::regclass::oid]",),
    "_char": ("ARRAY['r']::\"char\"[]",), "_bool": ("ARRAY[true]",), "bytea": ("'\\x01'::bytea",), "jsonpath": ("'$.*'::jsonpath",),
    "tsquery": ("'a'::tsquery",), "regconfig": ("'simple'::regconfig",), "regdictionary": ("'simple'::regdictionary",),
    "refcursor": ("'c'::refcursor",), "vector": ("'[1,2,3,4,0,0,0,0]'::vector",), "tsvector": ("'a:1'::tsvector",),
    "halfvec": ("'[1,2,3,4,0,0,0,0]'::halfvec",), "sparsevec": ("'{1:1}/8'::sparsevec",), "xml": ("'<a/>'::xml",),
    "json": ("'{\"a\": 1}'::json",), "jsonb": ("'{\"a\": 1}'::jsonb",), "aclitem": ("'postgres=r/postgres'::aclitem",),
    "_aclitem": ("'{postgres=r/postgres}'::aclitem[]",), "bit": ("B'101'",), "varbit": ("B'101'::varbit",),
    "pg_lsn": ("'0/1'::pg_lsn",), "uuid": ("'00000000-0000-0000-0000-000000000000'::uuid",), "inet": ("'10.0.0.1'::inet",),
    "cidr": ("'10.0.0.0/8'::cidr",), "point": ("point '(1,2)'",), "box": ("box '(1,2),(0,0)'",), "money": ("'3'::money",),
    "int4range": ("int4range(1, 5)",), "hstore": ("'a=>1'::hstore",), "citext": ("'a'::citext",),
}  # fmt: skip

_POLYMORPHIC = {
    "anyelement": "int4", "anynonarray": "text", "anycompatible": "int4", "anycompatiblenonarray": "text", "any": "text",
    "anyarray": "_int4", "anycompatiblearray": "_int4", "anyenum": "mood", "anyrange": "int4range", "anymultirange": "int4multirange",
    "anycompatiblerange": "int4range", "record": "place",
}  # fmt: skip

# Columns of the wide tables, masked and open, by the name of their type.
_COLUMNS = {
    "int2": "int2", "int4": "int4", "int8": "int8", "numeric": "numeric", "float4": "float4", "float8": "float8", "money": "money",
    "bool": "bool", "text": "text", "varchar": "varchar", "bpchar": "char", "citext": "citext", "name": "name", "date": "date",
    "time": "time", "timetz": "timetz", "timestamp": "ts", "timestamptz": "tstz", "interval": "interval", "uuid": "uuid",
    "bytea": "bytea", "inet": "inet", "cidr": "cidr", "macaddr": "macaddr", "json": "json", "jsonb": "jsonb", "xml": "xml",
    "_int4": "ints", "_text": "texts", "int4range": "range", "daterange": "dates", "int4multirange": "multirange", "mood": "mood",
    "place": "place", "bit": "bit", "varbit": "varbit", "tsvector": "tsv", "hstore": "hstore", "point": "point", "box": "box",
    "pg_lsn": "lsn",
}  # fmt: skip


@dataclass(frozen=True)
class Function:
    schema: str
    name: str
    kind: str  # of pg_proc.prokind: f, a, w
    returns_set: bool
    arguments: tuple[str, ...]
    variadic: bool


def functions(database: Database) -> tuple[Function, ...]:
    """All that a statement can call by name, in the order of their OIDs."""
    with database.connect() as direct:
        found = direct.execute(
            """
            SELECT n.nspname, p.proname, p.prokind::text, p.proretset, p.provariadic <> 0,
                   ARRAY(SELECT typname::text FROM unnest(p.proargtypes) WITH ORDINALITY a(oid, at)
                         JOIN pg_type t ON t.oid = a.oid ORDER BY at)
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE p.prokind IN ('f', 'a', 'w') AND n.nspname <> 'information_schema'
              AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
              AND 'internal'::regtype <> ALL (p.proargtypes::oid[])
            ORDER BY p.oid
            """
        ).fetchall()
    made = (
        Function(s, name, kind, sets, tuple(arguments), variadic) for s, name, kind, sets, variadic, arguments in found
    )
    return tuple(
        function for function in made if function.name not in _CHANCE and not _UNINITIALISED.match(function.name)
    )


class Builtins:
    def __init__(self, rng: random.Random, known: tuple[Function, ...]) -> None:
        self.rng = rng
        self._known = known

    def statement(self) -> str:
        rng = self.rng
        function = rng.choice(self._known)
        table = rng.choice(("things", "stuff"))
        arguments = ", ".join(self._argument(kind) for kind in function.arguments)
        call = f'{function.schema}."{function.name}"({arguments or ("*" if function.kind == "a" else "")})'
        if function.kind == "w":
            call += " OVER (ORDER BY t.id)"
        roll = rng.random()
        if function.kind == "a":
            return (
                f"SELECT {call} FROM {table} t" if roll < 0.7 else f"SELECT t.tag, {call} FROM {table} t GROUP BY t.tag"
            )
        if function.returns_set and roll < 0.6:
            return f"SELECT f.* FROM {table} t, LATERAL {call} AS f WHERE t.id < 4 LIMIT 40"
        if roll < 0.8:
            return f"SELECT t.id, {call} FROM {table} t WHERE t.id < 9 ORDER BY t.id LIMIT 40"
        return f"SELECT t.id FROM {table} t WHERE ({call})::text > 'a' ORDER BY t.id"

    def _argument(self, kind: str) -> str:
        rng = self.rng
        kind = _POLYMORPHIC.get(kind, kind)
        if kind in _COLUMNS and (rng.random() < 0.6 or kind not in _LITERALS):
            return f"t.{rng.choice(('h', 'h', 'h', 'o'))}_{_COLUMNS[kind]}"
        if kind == "regclass" and rng.random() < 0.3:
            return f"'public.{rng.choice(RELATIONS).name}'::regclass"
        if kind in _LITERALS:
            return rng.choice(_LITERALS[kind])
        return f"NULL::{_quoted(kind)}"


def _quoted(kind: str) -> str:
    return f'"{kind[1:]}"[]' if kind.startswith("_") else f'"{kind}"'
