"""Random queries: joins, sub-selects, common tables, grouping, windows, set operations, searches for nearest neighbours."""

from __future__ import annotations

import random

from proof.noninterference.expressions import ORDERED, Expressions, Scope, Source
from proof.noninterference.rows import QUERY_RANGE
from proof.noninterference.schema import BY_NAME, RELATIONS, Column, Relation

# Twice: those that most of what is interesting is about.
_DRAWN = [
    *RELATIONS,
    *(
        BY_NAME[name]
        for name in (
            "people",
            "people",
            "people",
            "things",
            "stuff",
            "events",
            "chunks",
            "accounts",
            "cars",
            "contacts",
        )
    ),
]
_SEARCHED = (
    ("people", "emb", "vector", ("<->", "<=>", "<#>", "<+>"), True),
    ("chunks", "emb", "vector", ("<->", "<=>", "<#>", "<+>"), False),
    ("chunks", "half", "halfvec", ("<->", "<=>", "<#>", "<+>"), False),
    ("chunks", "sparse", "sparsevec", ("<->", "<=>", "<#>", "<+>"), False),
    ("topics", "emb", "vector", ("<->", "<=>"), True),
)
_FUNCTIONS = {
    "<->": "l2_distance",
    "<=>": "cosine_distance",
    "<+>": "l1_distance",
    "<#>": "vector_negative_inner_product",
}


class Queries:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.expressions = Expressions(rng, self.scalar)

    # -- whole statements --------------------------------------------------------------------------------------

    def query(self, *, parameters: list[str] | None = None) -> str:
        """`parameters`: gets the families of $1, $2, ... where they are wanted."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.14:
            return self.search(parameters)
        if roll < 0.20:
            return self._set_operation(parameters)
        if roll < 0.27:
            return self._with(parameters)
        if roll < 0.29:
            return f"TABLE {rng.choice(_DRAWN).name}"
        return self.select(parameters=parameters)

    def select(
        self, *, families: list[str] | None = None, outer: Scope | None = None, subqueries: int = 1,
        parameters: list[str] | None = None, tables: list[Source] | None = None, limited: bool = True,
    ) -> str:  # fmt: skip
        """`families`: one output column of each, in place of any number of any."""
        rng = self.rng
        scope = Scope([], subqueries, parameters, outer)
        source = self._from(scope, tables or [])
        where = f" WHERE {self.expressions.condition(scope)}" if rng.random() < 0.5 else ""
        if rng.random() < 0.2:
            return self._grouped(scope, source, where, families, limited=limited)
        if families is not None:
            outputs = [self.expressions.make(family, scope) for family in families]
        elif rng.random() < 0.12:
            outputs = [rng.choice(("*", f"{scope.sources[0].alias}.*", scope.sources[0].alias))]
        else:
            outputs = [self.expressions.output(scope) for _ in range(rng.randint(1, 4))]
            if rng.random() < 0.15:
                outputs.append(self.expressions.window(scope))
            if rng.random() < 0.1:
                outputs[0] += " AS email"
        distinct = "DISTINCT " if rng.random() < 0.06 else ""
        text = f"SELECT {distinct}{', '.join(outputs)} FROM {source}{where}"
        return text + self._tail(scope, outputs, distinct=bool(distinct), limited=limited)

    def scalar(self, family: str, scope: Scope) -> str:
        """A query with one column of a family, perhaps correlated."""
        inner = self.select(
            families=[family], outer=scope, subqueries=scope.subqueries - 1, parameters=scope.parameters, limited=False
        )
        return (
            f"SELECT * FROM ({inner}) sub ORDER BY 1 LIMIT 1"
            if family in ORDERED and self.rng.random() < 0.4
            else f"{inner} LIMIT 1"
        )

    def search(self, parameters: list[str] | None = None) -> str:
        """Nearest neighbours, in the forms that are served and in some that are not."""
        rng = self.rng
        table, column, kind, operators, scores = rng.choice(_SEARCHED)
        relation = BY_NAME[table]
        operator = rng.choice(operators)
        vector = self._query_vector(kind)
        distance = f"t.{column} {operator} {vector}"
        if kind == "vector" and rng.random() < 0.2:
            distance = f"{_FUNCTIONS[operator]}(t.{column}, {vector})"
        scope = Scope([Source("t", relation.columns, relation)], 1, parameters)
        outputs = [self.expressions.output(scope) for _ in range(rng.randint(1, 3))]
        if scores or rng.random() < 0.2:
            outputs.append(rng.choice((distance, f"1 - ({distance})", f"{distance} AS d", f"-({distance})")))
        where = f" WHERE {self.expressions.condition(scope)}" if rng.random() < 0.35 else ""
        joined = " JOIN topics x ON x.topic = t.topic" if table == "chunks" and rng.random() < 0.2 else ""
        limit = f" LIMIT {rng.choice((1, 3, 5, 10))}" if rng.random() < 0.92 else ""
        offset = f" OFFSET {rng.choice((1, 4))}" if rng.random() < 0.1 else ""
        order = (
            rng.choice((distance, distance, distance, "d")) if any(o.endswith(" AS d") for o in outputs) else distance
        )
        text = f"SELECT {', '.join(outputs)} FROM {table} t{joined}{where} ORDER BY {order}{limit}{offset}"
        wrapped = rng.random()
        if wrapped < 0.1:
            return f"WITH near AS ({text}) SELECT * FROM near"
        if wrapped < 0.15:
            return f"SELECT count(*) FROM ({text}) near"
        return text

    # -- parts -------------------------------------------------------------------------------------------------

    def _query_vector(self, kind: str) -> str:
        """The second half is zero: rows.py says why."""
        numbers = [self.rng.randrange(-QUERY_RANGE, QUERY_RANGE + 1) for _ in range(4)]
        if kind == "sparsevec":
            return "'{" + ",".join(f"{i}:{n}" for i, n in enumerate(numbers, 1) if n) + "}/8'"
        text = f"'{[*numbers, 0, 0, 0, 0]}'".replace(" ", "")
        return f"{text}::{kind}" if self.rng.random() < 0.3 else text

    def _from(self, scope: Scope, tables: list[Source]) -> str:
        rng = self.rng
        text = self._item(scope, tables)
        while rng.random() < 0.3 and len(scope.sources) < 3:
            text = self._joined(text, scope, tables)
        return text

    def _joined(self, left: str, scope: Scope, tables: list[Source]) -> str:
        rng = self.rng
        first = scope.sources[0]
        if rng.random() < 0.15 and scope.subqueries > 0:
            inner = self.select(outer=scope, subqueries=0, parameters=scope.parameters, families=["int", "text"])
            alias = f"l{len(scope.sources)}"
            scope.sources.append(Source(alias, (Column("c1", "int", False), Column("c2", "text", False))))
            if rng.random() < 0.5:
                return f"{left} CROSS JOIN LATERAL ({inner}) {alias}(c1, c2)"
            return f"{left} LEFT JOIN LATERAL ({inner}) {alias}(c1, c2) ON true"
        right = self._item(scope, tables)
        second = scope.sources[-1]
        roll = rng.random()
        kind = rng.choice(("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"))
        shared = sorted({c.name for c in first.columns} & {c.name for c in second.columns})
        if roll < 0.1:
            return f"{left} NATURAL {kind} {right}"
        if roll < 0.25 and shared:
            return f"{left} {kind} {right} USING ({', '.join(rng.sample(shared, min(len(shared), rng.randint(1, 2))))})"
        if roll < 0.3:
            return f"{left} CROSS JOIN {right}"
        pairs = [(c, d) for c in first.columns for d in second.columns if c.family == d.family and c.family in ORDERED]
        if not pairs:
            return f"{left} CROSS JOIN {right}"
        c, d = rng.choice(pairs)
        return f"{left} {kind} {right} ON {first.alias}.{c.name} = {second.alias}.{d.name}"

    def _item(self, scope: Scope, tables: list[Source]) -> str:
        rng = self.rng
        roll = rng.random()
        alias = f"{rng.choice('abpqt')}{len(scope.sources)}"
        if tables and roll < 0.5:
            chosen = rng.choice(tables)
            scope.sources.append(Source(alias, chosen.columns))
            return f"{chosen.alias} {alias}"
        if roll < 0.06 and scope.subqueries > 0:
            inner = self.select(subqueries=0, parameters=scope.parameters, families=["int", "text", "num"])
            scope.sources.append(
                Source(alias, tuple(Column(f"c{i}", f, False) for i, f in enumerate(("int", "text", "num"), 1)))
            )
            return f"({inner}) {alias}(c1, c2, c3)"
        if roll < 0.09:
            scope.sources.append(Source(alias, (Column("n", "int", False),)))
            return f"generate_series(1, 5) {alias}(n)"
        if roll < 0.11:
            scope.sources.append(Source(alias, (Column("v", "int", False), Column("w", "text", False))))
            return f"(VALUES (1, 'a'), (2, 'b')) {alias}(v, w)"
        relation = rng.choice(_DRAWN)
        return self._table(relation, alias, scope)

    def _table(self, relation: Relation, alias: str, scope: Scope) -> str:
        rng = self.rng
        name = relation.name if rng.random() < 0.8 else f"public.{relation.name}"
        if rng.random() < 0.04:
            name = f"ONLY {name}"
        sample = rng.choice((" TABLESAMPLE BERNOULLI (50) REPEATABLE (3)", " TABLESAMPLE SYSTEM (50) REPEATABLE (3)"))
        sample = sample if rng.random() < 0.02 else ""
        if rng.random() < 0.06:  # other names for the first columns
            renamed = [Column(f"k{i}", c.family, c.masked) for i, c in enumerate(relation.columns[:3])]
            scope.sources.append(Source(alias, (*renamed, *relation.columns[3:]), relation))
            return f"{name} AS {alias}({', '.join(c.name for c in renamed)}){sample}"
        scope.sources.append(Source(alias, relation.columns, relation))
        return f"{name} {alias}{sample}"

    def _grouped(self, scope: Scope, source: str, where: str, families: list[str] | None, *, limited: bool) -> str:
        rng = self.rng
        keys = [(f, self.expressions.make(f, scope, 1)) for f in rng.choices(ORDERED[:6], k=rng.randint(0, 2))]
        keys = [(family, key) for family, key in keys if "." in key and not key.lstrip("(").startswith("SELECT")]
        # Aggregates take their arguments from the columns, the outputs around them from keys and aggregates.
        numbers = [("int", f"count({self.expressions.any(scope, 1)})"), ("text", f"max({self.expressions.make('text', scope, 1)})"),
                   ("num", f"avg({self.expressions.make('num', scope, 1)})"),
                   ("date", f"min({self.expressions.make('date', scope, 1)})"),
                   ("bool", f"bool_or({self.expressions.make('bool', scope, 1)})")]  # fmt: skip
        loose = [self.expressions.aggregate(scope) for _ in range(rng.randint(1, 2))] if families is None else []
        inner = Scope(scope.sources, 0, scope.parameters, grouped=[*keys, *numbers])
        outputs = [self.expressions.make(f, inner, 1) for f in families or rng.choices(("int", "text", "num"), k=1)]
        outputs += [key for _, key in keys] if families is None else []
        outputs += loose
        group = ""
        if keys:
            names = ", ".join(key for _, key in keys)
            group = rng.choice((f" GROUP BY {names}",) * 4 + (f" GROUP BY ROLLUP ({names})", f" GROUP BY CUBE ({names})",
                               f" GROUP BY GROUPING SETS (({names}), ())"))  # fmt: skip
        having = f" HAVING {self.expressions.make('bool', inner, 1)}" if rng.random() < 0.25 else ""
        tail = f" LIMIT {rng.randint(1, 9)}" if limited and rng.random() < 0.2 else ""
        return f"SELECT {', '.join(outputs)} FROM {source}{where}{group}{having}{tail}"

    def _tail(self, scope: Scope, outputs: list[str], *, distinct: bool, limited: bool) -> str:
        rng = self.rng
        text = ""
        if rng.random() < 0.4:
            keys = [str(rng.randint(1, len(outputs))) for _ in range(rng.randint(1, 2))]
            if not distinct and rng.random() < 0.7:
                keys.append(self.expressions.make(rng.choice(("int", "text", "date", "num")), scope, 1))
            way = rng.choice(("", "", " DESC", " NULLS FIRST", " DESC NULLS LAST"))
            text += f" ORDER BY {', '.join(keys)}{way}"
        if limited and rng.random() < 0.3:
            ties = text and rng.random() < 0.1
            text += f" FETCH FIRST {rng.randint(1, 9)} ROWS WITH TIES" if ties else f" LIMIT {rng.randint(0, 12)}"
            text += f" OFFSET {rng.randint(0, 5)}" if rng.random() < 0.3 else ""
        elif limited and len(scope.sources) > 1 and rng.random() < 0.85:
            text += " LIMIT 60"  # what a cross join has more would only take time
        if rng.random() < 0.01:
            text += rng.choice((" FOR UPDATE", " FOR SHARE", " FOR UPDATE SKIP LOCKED"))
        return text

    def _set_operation(self, parameters: list[str] | None) -> str:
        rng = self.rng
        families = rng.choices(("int", "text", "num", "date"), k=rng.randint(1, 3))
        parts = [
            self.select(families=families, parameters=parameters, limited=False) for _ in range(rng.choice((2, 2, 3)))
        ]
        word = rng.choice((" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT ", " UNION ALL "))
        order = " ORDER BY 1" if rng.random() < 0.5 else ""
        return (
            word.join(f"({part})" for part in parts)
            + order
            + (f" LIMIT {rng.randint(1, 20)}" if rng.random() < 0.3 else "")
        )

    def _with(self, parameters: list[str] | None) -> str:
        rng = self.rng
        columns = (Column("x", "int", False), Column("y", "text", False))
        hint = rng.choice(("", "", " MATERIALIZED", " NOT MATERIALIZED"))
        if rng.random() < 0.3:
            start = self.select(families=["int", "text"], parameters=parameters, limited=False)
            step = rng.choice(("x + 1, y", "x + 1, y || 'r'", "x + 1, (SELECT email FROM people WHERE people.id = x)"))
            made = f"WITH RECURSIVE c(x, y) AS (({start}) UNION ALL SELECT {step} FROM c WHERE x BETWEEN -4 AND 3)"
        else:
            made = f"WITH c(x, y) AS{hint} ({self.select(families=['int', 'text'], parameters=parameters)})"
        return f"{made} {self.select(tables=[Source('c', columns)], parameters=parameters)}"
