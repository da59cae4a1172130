"""Random expressions, by family: what a value is for the functions that take it. Each family has literals, and templates with
holes of other families; a column of a relation in scope fills a hole most of the time.

    Expressions(rng).make("text", scope)      # "upper((p.email) || 'abc')"

Typed well on the whole, so that most statements run; what still fails, such as a cast of a text to a number, is wanted: errors
must not tell anything either.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from proof.noninterference.schema import Column, Relation


@dataclass
class Source:
    """A relation in scope, under the name that the statement gives it."""

    alias: str
    columns: tuple[Column, ...]
    relation: Relation | None = None


@dataclass
class Scope:
    """What an expression may refer to. `subqueries` is how many levels of queries it may still open."""

    sources: list[Source]
    subqueries: int = 1
    parameters: list[str] | None = None  # families of $1, $2, ...; None: parameters are not allowed
    outer: Scope | None = None
    aggregates: bool = False
    grouped: list[tuple[str, str]] = field(default_factory=list)  # (family, expression) to use in place of columns


LITERALS: dict[str, tuple[str, ...]] = {
    "int": ("0", "1", "2", "7", "12", "40", "-3", "5000", "NULL::int"),
    "num": ("0.5", "1.25", "-7", "12.34", "3e2", "NULL::numeric"),
    "money": ("'12.50'::money", "0::money"),
    "bool": ("true", "false", "NULL::bool"),
    "text": ("'***'", "'a'", "'s%'", "''", "'corp.example'", "'12'", "'x'::text", "U&'\\0061b'", "E'q\\tz'", "$$d$$", "NULL"),
    "date": ("date '2025-03-14'", "'2024-01-01'::date", "current_date - current_date + date '2020-02-29'"),
    "time": ("time '12:34'", "'23:59:59'::time"),
    "ts": ("timestamp '2025-03-14 10:00'", "'2024-01-01 00:00+02'::timestamptz", "'infinity'::timestamp"),
    "interval": ("interval '3 days'", "'1 month 2 hours'::interval"),
    "uuid": ("'00000000-0000-0000-0000-000000000000'::uuid", "'123e4567-e89b-12d3-a456-426614174000'::uuid"),
    "bytea": ("'\\x0102'::bytea", "''::bytea"),
    "inet": ("'10.1.2.3'::inet", "'10.0.0.0/8'::cidr"),
    "mac": ("'08:00:2b:01:02:03'::macaddr",),
    "json": ("'{\"a\": 1, \"phone\": \"2\"}'::json", "'[1, null]'::json"),
    "jsonb": ("'{\"n\": 123}'::jsonb", "'{\"a\": {\"phone\": 1}}'::jsonb", "'[]'::jsonb"),
    "xml": ("'<a>1</a>'::xml",),
    "intarr": ("ARRAY[1, 2, 3]", "'{}'::int[]", "ARRAY[NULL, 7]"),
    "textarr": ("ARRAY['a', 'b']", "'{x,NULL}'::text[]"),
    "range": ("int4range(1, 10)", "'empty'::int4range", "'[5,)'::int4range"),
    "daterange": ("daterange('2025-01-01', '2025-02-01')",),
    "multirange": ("'{[1,3),[7,9)}'::int4multirange",),
    "enum": ("'calm'::mood", "'wild'::mood"),
    "comp": ("ROW('s', 1)::place",),
    "bit": ("B'1010'", "B'0'::varbit"),
    "tsv": ("to_tsvector('simple', 'a b c')", "'x:1'::tsvector"),
    "hstore": ("'a=>1, phone=>2'::hstore",),
    "point": ("point(1, 2)",),
    "box": ("box(point(0, 0), point(9, 9))",),
    "lsn": ("'0/16B3748'::pg_lsn",),
    "vector": ("'[1,2,3,4,0,0,0,0]'::vector",),
    "rankvector": ("'[1,2,3,4,0,0,0,0]'::vector",),
    "halfvec": ("'[1,2,3,4,0,0,0,0]'::halfvec",),
    "sparse": ("'{1:1,3:2}/8'::sparsevec",),
}  # fmt: skip

# {any} is any family; {same} one family for all of its holes.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "int": (
        "length({text})", "{int} + {int}", "{int} % nullif({int}, 0)", "{int} / {int}", "ascii({text})", "-({int})",
        "position({text} in {text})", "array_length({intarr}, 1)", "cardinality({textarr})", "extract(year from {date})::int",
        "({text})::int", "({jsonb} ->> 'n')::int", "({jsonb} -> 'n')::int", "octet_length({bytea})", "abs({int})", "lower({range})",
        "sign({num})::int", "({intarr})[1]", "pg_column_size({any})", "num_nulls({any}, {any})", "bit_count({bytea})::int",
        "strpos({text}, {text})", "masklen({inet})", "({comp}).zip", "{date} - {date}", "char_length({text})", "hashtext({text})",
        "width_bucket({num}, 0, 9, 3)", "jsonb_array_length({jsonb} -> 'tags')", "nullif({int}, {int})", "greatest({int}, {int})",
        "{bool}::int", "get_byte({bytea}, 0)", "regexp_count({text}, 'a')", "floor({num})::int", "{int} # 5", "{int} << 1",
    ),
    "num": (
        "{int}::numeric", "{num} * {num}", "round({num}, 1)", "({text})::numeric", "{num} / {num}", "sqrt(abs({num}))", "ln({num})",
        "extract(epoch from {ts})", "({money})::numeric", "power({int}, 2)", "similarity({text}, {text})", "area({box})",
        "{point} <-> {point}", "ts_rank({tsv}, 'a'::tsquery)", "to_number({text}, '99')", "least({num}, {num})", "mod({num}, 3)",
        "pg_lsn_mi({lsn}, '0/0')", "random() * 0", "date_part('day', {interval})",
    ),
    "money": ("{money} + {money}", "{money} * 2", "{int}::money"),
    "text": (
        "upper({text})", "({text}) || ({text})", "({int})::text", "({any})::text", "left({text}, 3)", "substr({text}, 2, 4)",
        "md5({text})", "format('%s-%L', {any}, {any})", "concat_ws('/', {any}, {any})", "replace({text}, 'a', {text})",
        "regexp_replace({text}, '[a-m]', '#', 'g')", "reverse({text})", "coalesce({text}, {text})", "({jsonb} ->> 'phone')",
        "({jsonb} #>> '{{in,city}}')", "encode({bytea}, 'hex')", "to_char({ts}, 'YYYY')", "quote_literal({text})", "({comp}).street",
        "(ARRAY[{text}, {text}])[1]", "array_to_string({textarr}, ',')", "host({inet})", "({hstore} -> 'k')", "trim({text})",
        "({text})::varchar(4)", "({text})::name", "({text})::citext", "({text}) COLLATE \"C\"", "translate({text}, 'ab', 'ba')",
        "nullif({text}, {text})", "CASE WHEN {bool} THEN {text} ELSE {text} END", "to_json({any})::text", "({xml})::text",
        "split_part({text}, '@', 2)", "lpad({text}, 12, '*')", "initcap({text})", "chr(65 + abs({int}) % 26)", "pg_typeof({any})::text",
        "json_build_object('k', {any})::text", "overlay({text} placing 'x' from 2)", "greatest({text}, {text})", "row({any}, {any})::text",
        "quote_nullable({any})", "convert_from({bytea}, 'LATIN1')", "ts_headline({text}, 'a'::tsquery)", "to_hex({int})",
    ),
    "bool": (
        "{same} = {same}", "{same} <> {same}", "{int} < {int}", "{num} >= {num}", "{text} LIKE {text}", "{text} ~ '^[a-k]'",
        "{any} IS NULL", "{any} IS NOT NULL", "NOT ({bool})", "({bool}) AND ({bool})", "({bool}) OR ({bool})",
        "{int} BETWEEN {int} AND {int}", "{text} IN ({text}, {text})", "{jsonb} ? 'phone'", "{jsonb} @> '{{\"n\": 123}}'",
        "{jsonb} @? '$.in.phone'", "{jsonb} @@ '$.n > 400'", "{intarr} && {intarr}", "{textarr} @> {textarr}", "{range} @> {int}",
        "{range} && {range}", "{tsv} @@ 'a | b'::tsquery", "{same} IS DISTINCT FROM {same}", "{inet} << '10.0.0.0/8'",
        "{int} = ANY ({intarr})", "{text} = ALL ({textarr})", "({same}, {int}) > ({same}, {int})", "starts_with({text}, {text})",
        "({text})::bool", "{box} @> {point}", "{date} > {date}", "{ts} < {ts}", "{text} % {text}", "{hstore} ? 'phone'",
        "{text} SIMILAR TO '(a|b)%'", "{text} > {text}", "({int} > 3) IS TRUE", "{multirange} @> {int}", "isempty({range})",
        "{enum} < {enum}", "{bytea} < {bytea}", "{uuid} < {uuid}", "xml_is_well_formed({text})", "{text} ILIKE '%A%'",
        "{lsn} > {lsn}", "({comp}) = ({comp})", "{time} < {time}", "{money} > {money}", "{bit} = {bit}",
    ),
    "date": ("{date} + {int}", "({ts})::date", "({text})::date", "lower({daterange})", "make_date(2020, 1, abs({int}) % 28 + 1)"),
    "time": ("({ts})::time", "{time} + {interval}"),
    "ts": ("{date} + {time}", "{ts} + {interval}", "date_trunc('month', {ts})", "({date})::timestamp", "to_timestamp({num})",
           "greatest({ts}, {ts})"),
    "interval": ("{ts} - {ts}", "{interval} * 2", "age({ts}, {ts})", "justify_hours({interval})", "make_interval(days => {int})"),
    "uuid": ("({text})::uuid", "coalesce({uuid}, {uuid})"),
    "bytea": ("convert_to({text}, 'UTF8')", "sha256({bytea})", "{bytea} || {bytea}", "substring({bytea} from 2)", "decode({text}, 'hex')"),
    "inet": ("({text})::inet", "network({inet})", "{inet} + 1", "set_masklen({inet}, 16)"),
    "mac": ("trunc({mac})", "~{mac}"),
    "json": ("to_json({any})", "json_build_array({any}, {any})", "({json} -> 'in')", "json_object(ARRAY[{text}, {text}])",
             "json_strip_nulls({json})", "array_to_json({intarr})", "json_build_object({text}, {any})"),
    "jsonb": ("to_jsonb({any})", "jsonb_set({jsonb}, '{{phone}}', '1')", "({jsonb} -> 'in')", "{jsonb} || {jsonb}", "{jsonb} - 'n'",
              "jsonb_path_query_array({jsonb}, '$.**.phone')", "jsonb_path_query_first({jsonb}, '$.*')", "jsonb_strip_nulls({jsonb})",
              "({json})::text::jsonb", "({jsonb} #> '{{tags,0}}')", "jsonb_build_object({text}, {any})", "{jsonb} #- '{{in,phone}}'"),
    "xml": ("xmlelement(name e, {any})", "xmlforest({any} AS f)", "({text})::xml", "xmlconcat({xml}, {xml})", "xmlcomment({text})"),
    "intarr": ("ARRAY[{int}, {int}]", "array_append({intarr}, {int})", "{intarr} || {intarr}", "({intarr})[1:2]",
               "array_remove({intarr}, {int})", "array_positions({intarr}, {int})"),
    "textarr": ("ARRAY[{text}, {text}]", "string_to_array({text}, 'a')", "regexp_split_to_array({text}, '[aeiou]')",
                "array_cat({textarr}, {textarr})", "akeys({hstore})", "avals({hstore})", "tsvector_to_array({tsv})",
                "regexp_match({text}, '(.)(.)')", "show_trgm({text})"),
    "range": ("int4range({int}, 100000)", "{range} * {range}", "range_merge({range}, {range})"),
    "daterange": ("daterange({date}, NULL)", "{daterange} * {daterange}"),
    "multirange": ("int4multirange({range})", "{multirange} + {multirange}"),
    "enum": ("({text})::mood", "coalesce({enum}, {enum})", "(enum_range(NULL::mood))[abs({int}) % 4 + 1]"),
    "comp": ("ROW({text}, {int})::place", "coalesce({comp}, {comp})"),
    "bit": ("{bit} & {bit}", "~({bit})", "({int})::bit(8)", "substring({bit} from 1 for 3)"),
    "tsv": ("to_tsvector('simple', {text})", "{tsv} || {tsv}", "setweight({tsv}, 'A')", "strip({tsv})", "jsonb_to_tsvector('simple', {jsonb}, '\"all\"')"),
    "hstore": ("hstore({text}, {text})", "{hstore} || {hstore}", "delete({hstore}, 'k')"),
    "point": ("center({box})", "point({num}, {num})"),
    "box": ("box({point}, {point})",),
    "lsn": ("{lsn} + 1",),
}  # fmt: skip

FAMILIES = tuple(LITERALS)
_VECTORS = ("vector", "rankvector", "halfvec", "sparse")
# Families whose values PostgreSQL can compare, sort and group by.
ORDERED = (
    "int", "num", "money", "bool", "text", "date", "time", "ts", "interval", "uuid", "bytea", "inet", "mac", "jsonb", "intarr",
    "textarr", "range", "daterange", "multirange", "enum", "bit", "tsv", "lsn",
)  # fmt: skip
AGGREGATES = (
    "count(*)", "count({any})", "count(DISTINCT {ordered})", "min({minmax})", "max({minmax})", "sum({int})", "avg({num})",
    "array_agg({any} ORDER BY {ordered})", "string_agg({text}, ',')", "string_agg({text}, ',' ORDER BY {text})", "json_agg({any})",
    "jsonb_agg({any})", "jsonb_object_agg({int}, {any}) FILTER (WHERE {int} IS NOT NULL)", "bool_and({bool})", "every({bool})",
    "count(*) FILTER (WHERE {bool})", "percentile_disc(0.5) WITHIN GROUP (ORDER BY {ordered})", "stddev({num})", "bit_or({int})",
    "percentile_cont(0.3) WITHIN GROUP (ORDER BY {num})", "mode() WITHIN GROUP (ORDER BY {ordered})", "corr({num}, {num})",
    "rank({int}) WITHIN GROUP (ORDER BY {int})", "regr_slope({num}, {num})", "xmlagg({xml})", "any_value({any})",
    "range_agg({range})", "array_agg(DISTINCT {ordered})", "max({minmax}) FILTER (WHERE {bool})", "json_object_agg({text}, {any}) FILTER (WHERE {text} IS NOT NULL)",
)  # fmt: skip
_MINMAX = ("int", "num", "text", "date", "ts", "interval", "inet", "intarr", "enum", "bytea", "lsn", "money")
WINDOWS = (
    "row_number() OVER ({window})", "rank() OVER ({window})", "dense_rank() OVER ({window})", "lag({any}) OVER ({window})",
    "lead({any}, 2) OVER ({window})", "first_value({any}) OVER ({window})", "last_value({any}) OVER ({window})",
    "nth_value({any}, 2) OVER ({window})", "sum({int}) OVER ({window})", "count(*) OVER ({window})", "ntile(3) OVER ({window})",
    "cume_dist() OVER ({window})", "percent_rank() OVER ({window})", "array_agg({any}) OVER ({window})",
    "max({minmax}) OVER ({window} ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
)  # fmt: skip
_WHOLE_ROWS = {
    "text": ("{row}::text", "row_to_json({row})::text", "to_jsonb({row}) ->> 'email'", "to_jsonb({row}) ->> 'h_text'",
             "md5({row}::text)", "format('%s', {row})", "hstore({row})::text", "json_build_object('r', {row})::text"),
    "json": ("row_to_json({row})", "to_json({row})"),
    "jsonb": ("to_jsonb({row})",),
    "bool": ("{row} IS NULL", "{row} IS NOT NULL", "{row} = {row}", "{row}.* IS DISTINCT FROM {row}.*", "ROW({row}.*) IS NOT NULL"),
    "int": ("num_nulls({row}.*)", "pg_column_size({row})", "length({row}::text)"),
    "hstore": ("hstore({row})",),
    "textarr": ("avals(hstore({row}))",),
}  # fmt: skip


class Expressions:
    """`subquery`: makes a query with one output column of a family, for a scope (queries.py)."""

    def __init__(self, rng: random.Random, subquery: Callable[[str, Scope], str]) -> None:
        self.rng = rng
        self._subquery = subquery

    def make(self, family: str, scope: Scope, depth: int = 2) -> str:
        rng = self.rng
        if scope.grouped:
            return self._grouped(family, scope, depth)
        roll = rng.random()
        if (roll < 0.55 or depth <= 0) and (column := self._column(family, scope)):
            return column
        if depth <= 0 or roll < 0.62:
            return self._literal(family, scope)
        if roll < 0.65 and scope.subqueries > 0:
            return f"({self._subquery(family, scope)})"
        if roll < 0.68 and family in _WHOLE_ROWS and (row := self._row(scope)):
            return rng.choice(_WHOLE_ROWS[family]).format(row=row)
        if roll < 0.72:
            return f"CASE WHEN {self.make('bool', scope, depth - 1)} THEN {self.make(family, scope, depth - 1)} END"
        templates = TEMPLATES.get(family)
        if not templates:
            return self._column(family, scope) or self._literal(family, scope)
        return self._filled(rng.choice(templates), scope, depth)

    def aggregate(self, scope: Scope) -> str:
        return self._filled(self.rng.choice(AGGREGATES), scope, 2)

    def window(self, scope: Scope) -> str:
        return self._filled(self.rng.choice(WINDOWS), scope, 1)

    def any(self, scope: Scope, depth: int = 2) -> str:
        return self.make(self._any_family(scope), scope, depth)

    def condition(self, scope: Scope) -> str:
        if scope.subqueries > 0 and self.rng.random() < 0.1:
            return self._subquery_condition(scope)
        return self.make("bool", scope, 2)

    def output(self, scope: Scope) -> str:
        """One of the columns as it is, most of the time: what most statements read."""
        if not scope.grouped and self.rng.random() < 0.5:
            source = self.rng.choice(scope.sources)
            if source.columns:
                return f"{source.alias}.{self.rng.choice(source.columns).name}"
        return self.any(scope)

    # -- inside ------------------------------------------------------------------------------------------------

    def _subquery_condition(self, scope: Scope) -> str:
        family = self.rng.choice(("int", "text", "date"))
        return self.rng.choice(
            ("EXISTS ({q})", "{e} IN ({q})", "{e} = ANY ({q})", "{e} NOT IN ({q})", "{e} > ALL ({q})")
        ).format(e=self.make(family, scope, 1), q=self._subquery(family, scope))

    def _any_family(self, scope: Scope, among: Sequence[str] = ()) -> str:
        present = [c.family for s in scope.sources for c in s.columns if not among or c.family in among]
        if present and self.rng.random() < 0.8:
            return self.rng.choice(present)
        return self.rng.choice(tuple(among) or tuple(f for f in FAMILIES if f not in _VECTORS))

    def _column(self, family: str, scope: Scope) -> str | None:
        if scope.outer is not None and self.rng.random() < 0.15:
            return self._column(family, scope.outer)
        found = [(s, c) for s in scope.sources for c in s.columns if c.family == family]
        masked = [pair for pair in found if pair[1].masked]
        if masked and self.rng.random() < 0.5:
            found = masked
        if not found:
            return None
        source, column = self.rng.choice(found)
        return f"{source.alias}.{column.name}"

    def _row(self, scope: Scope) -> str | None:
        rows = [source.alias for source in scope.sources if source.relation is not None]
        return self.rng.choice(rows) if rows else None

    def _grouped(self, family: str, scope: Scope, depth: int) -> str:
        found = [text for kind, text in scope.grouped if kind == family]
        if found and self.rng.random() < 0.8:
            return self.rng.choice(found)
        if self.rng.random() < 0.7 and depth > 0 and family in TEMPLATES:
            return self._filled(self.rng.choice(TEMPLATES[family]), scope, depth)
        return self._literal(family, scope)

    def _literal(self, family: str, scope: Scope) -> str:
        if (
            scope.parameters is not None
            and family in _PARAMETERS
            and self.rng.random() < 0.4
            and len(scope.parameters) < 6
        ):
            scope.parameters.append(family)
            return f"${len(scope.parameters)}::{_PARAMETERS[family]}"
        return self.rng.choice(LITERALS[family])

    def _filled(self, template: str, scope: Scope, depth: int) -> str:
        same = self._any_family(scope, ORDERED)
        parts: list[str] = []
        rest = template.replace("{{", "\1").replace("}}", "\2")
        while "{" in rest:
            before, _, rest = rest.partition("{")
            hole, _, rest = rest.partition("}")
            match hole:
                case "any":
                    made = self.any(scope, depth - 1)
                case "same":
                    made = self.make(same, scope, depth - 1)
                case "ordered":
                    made = self.make(self._any_family(scope, ORDERED), scope, depth - 1)
                case "minmax":
                    made = self.make(self._any_family(scope, _MINMAX), scope, depth - 1)
                case "window":
                    made = self._window_body(scope)
                case _:
                    made = self.make(hole, scope, depth - 1)
            parts += [before, made]
        return ("".join(parts) + rest).replace("\1", "{").replace("\2", "}")

    def _window_body(self, scope: Scope) -> str:
        partition = self.make(self._any_family(scope, ORDERED), scope, 0)
        order = ", ".join(self.make(self._any_family(scope, ORDERED), scope, 0) for _ in range(self.rng.randint(1, 2)))
        return f"PARTITION BY {partition} ORDER BY {order}" if self.rng.random() < 0.6 else f"ORDER BY {order}"


_PARAMETERS = {
    "int": "int",
    "text": "text",
    "num": "numeric",
    "bool": "bool",
    "date": "date",
    "jsonb": "jsonb",
    "uuid": "uuid",
}
