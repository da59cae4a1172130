"""The rows of either world. Open cells come from one generator of random numbers, masked cells from another that is seeded with the
world's name: they differ between the worlds and have the same stored length.

Vectors have eight components: the first half is the same in both worlds, the second is not. The generator asks only with
query vectors whose second half is zero. Then, with w and h for the halves of a stored vector and q for the query,

* people.emb (`scores: keep`): h is the same four numbers with other signs and in another order in each cell, so that all four
  distances, which see q·w, |w|, |h| and the sum of |h|, are equal.
* chunks (`scores: rank`): |w| is the same in all rows, |h| the same in all rows of a world, and another in the other world: the
  distances differ between the worlds and rank the rows equally.

All components are integers small enough for sums of squares to be exact (below 2**24 with those of queries, QUERY_RANGE), and
spread enough that two rows are seldom equally far: an approximate index breaks ties as its graph happens to lie.
"""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable

from proof.noninterference.schema import FAMILIES, INDEXED

PEOPLE = 48
WIDE = 24
INDEXED_ROWS = 30
CONTACTS = 26
EVENTS = 60
ASSETS = 16
CHUNKS = 40

QUERY_RANGE = 1500
"""Components of query vectors are between minus this and this."""

TENANTS = ("acme", "blue", "cobalt")
TOPICS = ("alpha", "beta", "gamma", "delta")
KINDS = ("open", "edit", "close", "ship")


def insert_statements(world: str) -> list[str]:
    """SQL that fills the empty tables of schema.py for the world of this name."""
    return _Rows(world).statements()


def _word(rng: random.Random, length: int) -> str:
    return "".join(rng.choice(string.ascii_lowercase) for _ in range(length))


def _digits(rng: random.Random, length: int) -> str:
    """No leading and no trailing zero, so that numerics of so many digits have one stored length."""
    return "".join(rng.choice("123456789") for _ in range(length))


def _document(rng: random.Random, secret: random.Random | None = None) -> str:
    """With `secret`, only the values under the key `phone` come from there."""
    secret = secret or rng
    return (
        f'{{"phone": "+1 555 {_digits(secret, 4)}", "n": {_digits(rng, 3)}, "tags": ["{_word(rng, 4)}", "{_word(rng, 5)}"],'
        f' "in": {{"phone": "{_digits(secret, 6)}", "city": "{_word(rng, 6)}"}}}}'
    )


def _bits(rng: random.Random, length: int) -> str:
    return "".join(rng.choice("01") for _ in range(length))


_VALUES: dict[str, Callable[[random.Random], str]] = {
    "int2": lambda r: str(r.randrange(100, 30000)),
    "int4": lambda r: str(r.randrange(1, 40)),
    "int8": lambda r: str(r.randrange(10**10, 10**12)),
    "positive": lambda r: str(r.randrange(1, 10**6)),
    "numeric": lambda r: f"{_digits(r, 4)}.{_digits(r, 4)}",
    "float4": lambda r: str(r.randrange(-64, 64) / 8),
    "float8": lambda r: repr(r.uniform(-1000, 1000)),
    "money": lambda r: f"{r.randrange(1, 9000)}.{r.randrange(10, 99)}",
    "bool": lambda r: r.choice(("true", "false")),
    "text": lambda r: _word(r, 10),
    "varchar": lambda r: _word(r, 14),
    "char": lambda r: _word(r, 12),
    "citext": lambda r: _word(r, 9).title(),
    "name": lambda r: _word(r, 11),
    "code": lambda r: _word(r, 8).upper(),
    "date": lambda r: f"20{r.randrange(10, 30)}-0{r.randrange(1, 9)}-1{r.randrange(0, 9)}",
    "time": lambda r: f"1{r.randrange(0, 9)}:3{r.randrange(0, 9)}:00",
    "timetz": lambda r: f"1{r.randrange(0, 9)}:3{r.randrange(0, 9)}:00+0{r.randrange(0, 9)}",
    "ts": lambda r: f"20{r.randrange(10, 30)}-0{r.randrange(1, 9)}-1{r.randrange(0, 9)} 12:00:01",
    "tstz": lambda r: f"20{r.randrange(10, 30)}-0{r.randrange(1, 9)}-1{r.randrange(0, 9)} 12:00:01+00",
    "interval": lambda r: f"{r.randrange(1, 30)} days {r.randrange(1, 9)} hours",
    "uuid": lambda r: str(uuid.UUID(int=r.getrandbits(128))),
    "bytea": lambda r: "\\x" + r.randbytes(9).hex(),
    "inet": lambda r: f"10.{r.randrange(1, 250)}.{r.randrange(1, 250)}.{r.randrange(1, 250)}",
    "cidr": lambda r: f"10.{r.randrange(1, 250)}.{r.randrange(1, 250)}.0/24",
    "macaddr": lambda r: ":".join(f"{r.randrange(256):02x}" for _ in range(6)),
    "json": _document,
    "jsonb": _document,
    "xml": lambda r: f"<a b=\"{_word(r, 4)}\">{_word(r, 7)}</a>",
    "ints": lambda r: f"{{{r.randrange(100)},{r.randrange(100)},{r.randrange(100)}}}",
    "texts": lambda r: f"{{{_word(r, 5)},{_word(r, 6)}}}",
    "range": lambda r: f"[{r.randrange(1, 50)},{r.randrange(60, 100)})",
    "dates": lambda r: f"[2025-01-1{r.randrange(9)},2025-03-1{r.randrange(9)})",
    "multirange": lambda r: f"{{[{r.randrange(1, 50)},{r.randrange(60, 100)})}}",
    "mood": lambda r: r.choice(("calm", "glad", "grim", "wild")),
    "place": lambda r: f"({_word(r, 8)},{r.randrange(10000, 99999)})",
    "bit": lambda r: _bits(r, 16),
    "varbit": lambda r: _bits(r, 18),
    "tsv": lambda r: f"{_word(r, 5)}:1 {_word(r, 6)}:2",
    "hstore": lambda r: f"k=>{_word(r, 5)}, phone=>{_digits(r, 6)}",
    "point": lambda r: f"({r.randrange(100)},{r.randrange(100)})",
    "box": lambda r: f"({r.randrange(60, 100)},{r.randrange(60, 100)}),({r.randrange(50)},{r.randrange(50)})",
    "lsn": lambda r: f"0/{r.randrange(2**24, 2**31):X}",
}  # fmt: skip


def _signed_shuffle(rng: random.Random, numbers: tuple[int, ...]) -> list[int]:
    return [rng.choice((-1, 1)) * n for n in rng.sample(numbers, len(numbers))]


def _vector(components: list[int]) -> str:
    return str(components).replace(" ", "")


def _sparse(components: list[int]) -> str:
    return "{" + ",".join(f"{i}:{n}" for i, n in enumerate(components, 1) if n) + f"}}/{len(components)}"


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def _insert(table: str, columns: str, rows: list[list[str | None]]) -> str:
    values = ", ".join("(" + ", ".join(map(_literal, row)) + ")" for row in rows)
    return f"INSERT INTO {table} ({columns}) VALUES {values}"


class _Rows:
    def __init__(self, world: str) -> None:
        self._world = world
        self._open = random.Random("open")
        self._hidden = random.Random(world)
        # Where masked cells of two tables have to agree within a world.
        self._emails: list[str] = []

    def statements(self) -> list[str]:
        return [
            self._people(), self._wide("things", nullable=True), self._wide("stuff", nullable=False), self._accounts(),
            self._events(), self._assets(), self._cars(), self._chunks(), self._topics(),
            self._contacts(), *map(self._indexed, INDEXED),
        ]  # fmt: skip

    def _unique(self, count: int, make: Callable[[], str]) -> list[str]:
        found: dict[str, None] = {}
        while len(found) < count:
            found[make()] = None
        return list(found)

    def _people(self) -> str:
        hidden, shown = self._hidden, self._open
        self._emails = self._unique(PEOPLE, lambda: f"{_word(hidden, 9)}@corp.example")
        ssns = self._unique(PEOPLE, lambda: f"{_digits(hidden, 3)}-{_digits(hidden, 2)}-{_digits(hidden, 4)}")
        spread = 7 if self._world == "a" else 11  # another scale, the same order: the rule says order: keep
        alphabet = string.ascii_letters + string.digits
        rows: list[list[str | None]] = []
        for n in range(1, PEOPLE + 1):
            length = 2600 if n % 12 == 0 else 30  # some are long enough to be stored out of line, as they are
            body = "".join(hidden.choice(alphabet) for _ in range(length))
            split = length // 2
            w = [shown.randrange(-40, 41) for _ in range(4)]
            rows.append([
                str(n), TENANTS[n % 3], f"{_word(shown, 5).title()} {n}", "true" if n % 4 else "false",
                f"202{n % 5}-0{1 + n % 9}-1{n % 10}", None if n < 4 else str(1 + n // 4), self._emails[n - 1], ssns[n - 1],
                # What is below and above 5,000 is the same in both: an index is partial there.
                str(hidden.randrange(1000, 4999) if n % 3 else hidden.randrange(5001, 9999)),
                str(hidden.randrange(1, 9)) if hidden.random() < 0.5 else None,
                str((n * 29 % 53) * spread), _document(shown, hidden), f"{body[:split]} {body[split:]}",
                _vector(w + _signed_shuffle(hidden, (1, 2, 3, 4))),
            ])  # fmt: skip
        return _insert(
            "people", "id, tenant, name, active, joined, boss, email, ssn, salary, bonus, grade, note, body, emb", rows
        )

    def _wide(self, table: str, *, nullable: bool) -> str:
        names = list(FAMILIES)
        rows: list[list[str | None]] = []
        for n in range(1, WIDE + 1):
            row: list[str | None] = [str(n), f"tag {n % 5}"]
            for at, name in enumerate(names):
                shown, hidden = _VALUES[name](self._open), _VALUES[name](self._hidden)
                null = nullable and (n + at) % 7 == 0
                row += [shown, None if null else hidden]
            rows.append(row)
        return _insert(table, "id, tag, " + ", ".join(f"o_{name}, h_{name}" for name in names), rows)

    def _accounts(self) -> str:
        ibans = self._unique(30, lambda: f"DE{_digits(self._open, 20)}")
        rows: list[list[str | None]] = [
            [
                iban,
                self._emails[n],
                str(n + 1),
                f"{_digits(self._hidden, 4)}.{_digits(self._hidden, 2)}",
                f"2024-0{1 + n % 9}-03",
            ]
            for n, iban in enumerate(ibans)
        ]
        return _insert("accounts", "iban, owner_email, person, balance, opened", rows)

    def _events(self) -> str:
        rows: list[list[str | None]] = [
            [
                str(n), f"2025-0{1 + n % 9}-1{n % 10}", KINDS[n % 4], f"{_word(self._hidden, 8)}@corp.example",
                f"{_digits(self._hidden, 4)}.{_digits(self._hidden, 2)}", _document(self._open, self._hidden) if n % 5 else None,
            ]
            for n in range(1, EVENTS + 1)
        ]  # fmt: skip
        return _insert("events", "id, day, kind, who, amount, meta", rows)

    def _assets(self) -> str:
        rows: list[list[str | None]] = [
            [str(n), f"asset {n % 6}", _word(self._hidden, 12)] for n in range(1, ASSETS + 1)
        ]  # fmt: skip
        return _insert("assets", "id, label, secret", rows)

    def _cars(self) -> str:
        rows: list[list[str | None]] = [
            [str(100 + n), f"asset {n % 6}", _word(self._hidden, 12), _word(self._hidden, 7).upper(), str(2 + n % 4)]
            for n in range(1, ASSETS + 1)
        ]
        return _insert("cars", "id, label, secret, plate, doors", rows)

    def _chunks(self) -> str:
        numbers = (2, 1, 0, 2) if self._world == "a" else (4, 1, 1, 0)
        shown: set[tuple[int, ...]] = set()
        rows: list[list[str | None]] = []
        for n in range(1, CHUNKS + 1):
            while (w := tuple(_signed_shuffle(self._open, (11, 23, 37, 41)))) in shown:
                pass
            shown.add(w)
            vector = [*w] + _signed_shuffle(self._hidden, numbers)
            null = n % 13 == 0
            rows.append([
                str(n), str(1 + n % PEOPLE), " ".join(_word(self._hidden, 6) for _ in range(4)), TOPICS[n % 4],
                None if null else _vector(vector), _vector(vector), _sparse(vector),
                # Only the key `phone` is masked here; the rest is the same in both worlds.
                f'{{"phone": "{_digits(self._hidden, 8)}", "lang": "{self._open.choice(("en", "de", "fr"))}", "page": {n % 9}}}',
            ])  # fmt: skip
        return _insert("chunks", "id, person, content, topic, emb, half, sparse, meta", rows)

    def _contacts(self) -> str:
        """The parts that a `partial` mask shows are the same in both worlds: first letter and domain, last four, year, network."""
        shown, hidden = self._open, self._hidden
        rows: list[list[str | None]] = []
        for n in range(1, CONTACTS + 1):
            letter, year = string.ascii_lowercase[n % 7], 2018 + n % 6
            moment = hidden.choice(
                ("01-01 00:30", "12-31 23:10", f"0{hidden.randrange(1, 10)}-1{hidden.randrange(10)} 12:00")
            )
            found = f"{_word(hidden, 8)}@corp.example"
            rows.append([
                str(n), _word(shown, 5), f"{letter}{_word(hidden, 6)}{hidden.randrange(100, 999)}{n:02}@mail{n % 3}.example",
                f"{_digits(hidden, 12)}{_digits(shown, 4)}", f"{year}-0{hidden.randrange(1, 10)}-1{hidden.randrange(10)}",
                f"{year}-{moment}+00", f"{year}-{moment}", f"10.{n % 5}.{hidden.randrange(1, 250)}.{hidden.randrange(1, 250)}",
                f"{uuid.UUID(int=hidden.getrandbits(128))}"[:-4] + f"{n:04x}", f"{_word(hidden, 6)}{_word(shown, 4)}",
                f"{_word(shown, 4)} {found} {_word(shown, 3)}", f'{{"n": {_digits(shown, 3)}, "to": "{found}"}}',
                f"{{{_word(shown, 4)},{found}}}",
            ])  # fmt: skip
        columns = "id, who, p_mail, p_card, p_day, p_at, p_made, p_inet, p_uuid, p_code, d_text, d_doc, d_texts"
        return _insert("contacts", columns, rows)

    def _indexed(self, table: str) -> str:
        texts = self._unique(INDEXED_ROWS, lambda: _word(self._hidden, 8))
        rows: list[list[str | None]] = [
            [
                str(n), _word(self._open, 6), "true" if n % 3 else "false", str(n * 7 % 11), repr(self._open.uniform(-1e6, 1e6)),
                None if n % 14 == 0 else str(self._hidden.randrange(1, 20) + 20 * (n % 2)), texts[n - 1],
            ]
            for n in range(1, INDEXED_ROWS + 1)
        ]  # fmt: skip
        return _insert(table, "id, open, flag, n, f, h_int, h_text", rows)

    def _topics(self) -> str:
        rows: list[list[str | None]] = [
            [topic, f"About {topic}", str(n), _vector([n, 1, -n, 2, 0, 0, 0, 0])] for n, topic in enumerate(TOPICS, 1)
        ]
        return _insert("topics", "topic, title, weight, emb", rows)
