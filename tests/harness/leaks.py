"""Whether what a client received shows a secret, also under another encoding.

`corpus.secrets_in` knows the values as they are. An attacker turns them around, into digits, into rows of one character, or
adds a number that he knows. So this looks at several views of the same messages: as they came, letters and digits only,
decoded from hex, base64, octal, bits and character codes, the cells of each column joined, and backwards. Numbers are held
against those that simple arithmetic makes of the secret ones, in text and in binary.

    oracle = Oracle(texts=["s3cr3t.alice@corp.example"], integers=[98765], vectors=[(0.1234567, ...)])
    oracle.find(exchange)            # what shows and where, in words; empty when nothing does

What no list of encodings can hold (a substitution, an encryption, one bit of an answer), two databases tell: the same
statement against two databases that differ in nothing but the secrets must be answered alike (`apart`).
"""

from __future__ import annotations

import base64
import bisect
import hashlib
import itertools
import math
import re
import struct
from collections.abc import Iterable, Iterator, Sequence

from harness import wire
from harness.wire import Message

_GRAM = 6
"""A piece of a secret text of so many characters counts: shorter ones occur by chance."""

_TOLERANCE = 2e-6
"""Relative: the seven digits of a float4."""

_DECIMAL = re.compile(rb"(?<![0-9A-Za-z.])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![0-9A-Za-z])")
_DIGITS = re.compile(rb"(?<![0-9a-z])[0-9a-f]+(?![0-9a-z])")
_HEX = re.compile(rb"[0-9a-fA-F]{12,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_BITS = re.compile(rb"[01]{40,}")
_OCTAL = re.compile(rb"(?:\\{1,2}[0-7]{3}){4,}")  # COPY doubles backslashes
_NOT_ALNUM = re.compile(rb"[^a-z0-9]+")
_HARMLESS = frozenset(b"example"[i : i + _GRAM] for i in range(len("example") - _GRAM + 1))


class Oracle:
    """Made once for the secrets of a fixture."""

    def __init__(
        self,
        texts: Sequence[str],
        integers: Sequence[int] = (),
        vectors: Sequence[Sequence[float]] = (),
    ) -> None:
        grams = {gram for text in texts for gram in _grams(text)} - _HARMLESS
        self._grams = _any_of(grams | {gram[::-1] for gram in grams} - _HARMLESS)
        self._digests = _any_of(digest for text in texts for digest in _digests(text))
        self._raw_digests = _any_of(bytes.fromhex(digest.decode()) for text in texts for digest in _digests(text))
        numbers = {made for number in integers for made in _arithmetic(number)}
        numbers |= {float(a + b) for a, b in itertools.combinations(integers, 2)}
        numbers |= {(a + b) / 2 for a, b in itertools.combinations(integers, 2)}
        self._bases = _any_of(
            word for number in integers for word in (b"%x" % number, b"%o" % number, f"{number:b}".encode())
        )
        components = {made for vector in vectors for made in _vector_arithmetic(vector)}
        components |= {made for pair in itertools.combinations(vectors, 2) for made in _mixed(*pair)}
        # A round number says nothing about where it comes from.
        self._numbers = sorted(numbers | {n for n in components if abs(n - round(n, 3)) > 1e-5})
        self._packed = _any_of(_packings(integers, vectors))

    def find(self, messages: Iterable[Message]) -> list[str]:
        messages = list(messages)
        found: list[str] = []
        for message in messages:
            kind = wire.BACKEND_MESSAGES.get(message.type, repr(message.type))
            found += [f"{what} in {kind}" for what in self._in_bytes(message.body)]
        rows = [cells for message in messages if (cells := _cells(message))]
        for cell in itertools.chain.from_iterable(rows):
            if cell and (self._packed.search(cell) or any(map(self._is_near, _binary_numbers(cell)))):
                found.append(f"a value in binary, {cell[:40]!r}")
        for column in _joined_cells(rows):
            found += [f"{what} row by row" for what in self._in_bytes(column)]
        return sorted(set(found))

    def _in_bytes(self, data: bytes) -> Iterator[str]:
        for name, view in _views(data):
            if match := self._grams.search(view):
                yield f"{match[0]!r} ({name})"
        if match := self._digests.search(data.lower()):
            yield f"a digest, {match[0][:16]!r}"
        if self._raw_digests.search(data):
            yield "a digest in binary"
        for match in _DIGITS.finditer(data.lower()):
            if self._bases.fullmatch(match[0].lstrip(b"0")):
                yield f"{match[0]!r} (another base)"
        for match in _DECIMAL.finditer(data):
            if self._is_secret_number(match[0]):
                yield f"the number {match[0]!r}"

    def _is_secret_number(self, text: bytes) -> bool:
        if len(text) < 4 or len(text) > 40:
            return False
        value = float(text)
        digits = len(text.split(b"e")[0].strip(b"-0.").replace(b".", b""))
        return digits >= 4 and self._is_near(value, _TOLERANCE if digits > 5 else 1e-9)

    def _is_near(self, value: float, tolerance: float = _TOLERANCE) -> bool:
        if not math.isfinite(value):
            return False
        at = bisect.bisect_left(self._numbers, value)
        near = self._numbers[max(0, at - 1) : at + 1]
        return any(math.isclose(value, one, rel_tol=0 if value.is_integer() else tolerance) for one in near)


def _any_of(words: Iterable[bytes]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(sorted({re.escape(word) for word in words}, key=len, reverse=True)) or rb"(?!)")


def _grams(text: str) -> Iterator[bytes]:
    """Of the text in small letters, and of its letters and digits alone."""
    small = text.lower().encode()
    for version in (small, _NOT_ALNUM.sub(b"", small)):
        for start in range(len(version) - _GRAM + 1):
            yield version[start : start + _GRAM]


def _digests(text: str) -> Iterator[bytes]:
    for version in {text, text.upper(), text.lower()}:
        for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
            yield hashlib.new(name, version.encode()).hexdigest().encode()


def _arithmetic(number: int) -> Iterator[float]:
    """What an attacker could make of a number and undo again."""
    for shift in (0, 1, 2, 7, 10, 42, 100, 1000):
        for sign in (1, -1):
            yield from (float(number + sign * shift), float(-number + sign * shift))
    yield float(number * number)
    for factor in (2, 3, 7, 10, 100, 1000):
        yield float(number * factor)
        yield number / factor
    for function in (
        math.sqrt,
        math.log,
        math.log10,
        math.cbrt,
        lambda n: float(n // 2),
        lambda n: 1 / n,
        lambda n: float(~n),
    ):
        yield function(number)


def _vector_arithmetic(vector: Sequence[float]) -> Iterator[float]:
    norm = math.sqrt(sum(x * x for x in vector))
    yield norm
    yield norm * norm
    yield sum(abs(x) for x in vector)
    for x in vector:
        half = struct.unpack("!e", struct.pack("!e", x))[0]
        for value in (x, half, x / norm):
            yield from (value, -value, 2 * value, value * 10, value * 1000, value * 1e6)
        yield from (x * x, x + 1, x - 1, 1 - x, 1 - x / norm, 1 + x / norm)
        yield math.sqrt(max(0.0, norm * norm + 1 - 2 * x))  # L2 distance to a unit vector


def _mixed(one: Sequence[float], other: Sequence[float]) -> Iterator[float]:
    for a, b in zip(one, other, strict=True):
        yield from (a + b, (a + b) / 2, a - b, b - a, a * b)
    yield math.dist(one, other)
    yield sum(a * b for a, b in zip(one, other, strict=True))


def _packings(integers: Sequence[int], vectors: Sequence[Sequence[float]]) -> Iterator[bytes]:
    """As they lie within arrays, records and vectors."""
    for number in integers:
        yield struct.pack("!i", number)
        yield struct.pack("!q", number)
    for vector in vectors:
        yield struct.pack(f"!{len(vector)}e", *vector)
        for scale in (1, -1, 2):
            yield from (struct.pack("!f", scale * x) for x in vector)


def _binary_numbers(cell: bytes) -> Iterator[float]:
    """What a cell of this length can be: an integer, a float, a numeric."""
    layouts = {2: "h", 4: "if", 8: "qd"}.get(len(cell), "")
    for layout in layouts:
        value = struct.unpack("!" + layout, cell)[0]
        if abs(value) >= (1000 if layout in "hiq" else 1e-6):
            yield float(value)
    if len(cell) >= 8 and struct.unpack("!Hxx", cell[:4])[0] * 4 == len(cell) - 4:  # a vector
        yield from struct.unpack(f"!{len(cell) // 4 - 1}f", cell[4:])
    if len(cell) >= 10 and len(cell) % 2 == 0:
        count, weight, sign, _, *digits = struct.unpack(f"!HhHH{len(cell) // 2 - 4}H", cell)
        if count == len(digits) and sign in (0, 0x4000) and abs(weight) < 20 and all(digit < 10000 for digit in digits):
            value = sum(digit * 10000.0 ** (weight - place) for place, digit in enumerate(digits))
            if value >= 1000:
                yield -value if sign else value


def _views(data: bytes, depth: int = 2) -> Iterator[tuple[str, bytes]]:
    small = data.lower()
    yield "as it is", small
    yield "letters and digits", _NOT_ALNUM.sub(b"", small)
    if depth == 0:
        return
    for name, decoded in _decoded(data):
        for inner, view in _views(decoded, depth - 1):
            yield (name if inner == "as it is" else f"{name}, {inner}"), view


def _decoded(data: bytes) -> Iterator[tuple[str, bytes]]:
    for match in _HEX.finditer(data):
        for start in (0, 1):
            run = match[0][start:]
            yield "hex", bytes.fromhex(run[: len(run) // 2 * 2].decode())
    for match in _BASE64.finditer(data.replace(b"\n", b"")):
        run = match[0].replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):
            piece = run[start:]
            if len(piece) % 4 == 1:
                piece = piece[:-1]
            yield "base64", base64.b64decode(piece + b"=" * (-len(piece) % 4))
    for match in _OCTAL.finditer(data):
        yield "octal", bytes(int(code, 8) & 0xFF for code in re.findall(rb"[0-7]{3}", match[0]))
    for match in _BITS.finditer(data):
        run = match[0]
        for start in range(min(8, len(run) - 7)):
            yield "bits", bytes(int(run[at : at + 8], 2) for at in range(start, len(run) - 7, 8))
    codes = [int(number) for number in re.findall(rb"(?<![\d.])\d{2,3}(?![\d.])", data)]
    if len(codes) >= _GRAM:
        yield "character codes", bytes(code for code in codes if code < 256)


_COPY_HEADER = b"PGCOPY\n\xff\r\n\0"


def _cells(message: Message) -> list[bytes | None]:
    """Of a row: DataRow, or a line or tuple of COPY."""
    if message.type == b"D":
        return wire.cells(message.body)
    if message.type != b"d":
        return []
    tuple_ = message.body[len(_COPY_HEADER) + 8 :] if message.body.startswith(_COPY_HEADER) else message.body
    try:
        return wire.cells(tuple_)
    except (ValueError, struct.error):
        return list(message.body.rstrip(b"\n").split(b"\t"))


def _joined_cells(rows: Sequence[Sequence[bytes | None]]) -> Iterator[bytes]:
    """The cells of each column of all rows after one another; short binary integers as the characters that they may be."""
    for number in range(max(map(len, rows), default=0)):
        column = [row[number] or b"" for row in rows if number < len(row)]
        if len(column) < 2:
            continue
        yield b"".join(column)
        yield b"".join(column[::-1])
        yield b" ".join(column)
        codes = [int.from_bytes(cell, "big") for cell in column if len(cell) in (2, 4, 8)]
        if len(codes) >= _GRAM:
            yield bytes(code for code in codes if code < 256)


# -- two databases -------------------------------------------------------------------------------------------------

_NOT_TO_COMPARE = [
    (re.compile(rb"\btest_\d+\b"), b"database"),
    (re.compile(rb"slc_[a-z0-9]{10}"), b"slc_"),  # names that are random for each statement; EXPLAIN shows them
    (re.compile(rb"[Oo]peration [0-9A-Za-z-]{10,}"), b"operation"),  # the number in a refusal
    (re.compile(rb"(?:actual time=|(?:Planning|Execution) Time: |time=)[0-9.]+(?:\.\.[0-9.]+)?"), b"time"),
    (re.compile(rb"(?:Buffers|I/O Timings|Planning:|Memory(?: Usage)?:).*"), b""),
]


def told(messages: Iterable[Message]) -> list[tuple[bytes, bytes]]:
    """What a client could compare: types and bodies, without what differs from one run to the next."""
    kept = []
    for message in messages:
        body = message.body
        if message.type == b"T":
            body = repr([(c.name, c.type, c.size, c.modifier, c.format) for c in wire.columns(body)]).encode()
        elif message.type in (b"E", b"N"):
            fields = wire.fields(body)
            body = repr(sorted((key, value) for key, value in fields.items() if key not in "FLR")).encode()
        for pattern, instead in _NOT_TO_COMPARE:
            body = pattern.sub(instead, body)
        kept.append((message.type, body))
    return kept


def apart(one: Iterable[Message], other: Iterable[Message]) -> str:
    """The first thing that tells two answers apart; empty when nothing does."""
    here, there = told(one), told(other)
    for mine, theirs in zip(here, there, strict=False):
        if mine != theirs:
            return f"{mine!r} and {theirs!r}"
    return "" if len(here) == len(there) else f"{len(here)} and {len(there)} messages"
