"""What counts as equal: every message that the two clients received, byte by byte, but for what differs between any two sessions.

Each exception is named here; the generator avoids other sources of chance (random(), now(), process ids) instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness import wire
from harness.wire import Exchange, Message

# The id of the operation that a refusal carries in its DETAIL.
_REFERENCES = re.compile(rb"Operation [0-9a-f]{16}-[0-9]+")
# What rows hold by chance. The id of the session, in the application_name upstream. What EXPLAIN shows: names that a rewritten
# statement has in it, random for each statement; the server's hash of the statement, which covers those names; what was
# measured by the clock; what memory happened to hold.
_CHANCE = (
    re.compile(rb"sluice:ana:[0-9a-f]{16}"),
    re.compile(rb"slc_[0-9a-z]{10}"),
    re.compile(rb"Query Identifier: -?[0-9]+"),
    re.compile(rb"actual time=[0-9.]+\.\.[0-9.]+"),
    re.compile(rb"(Planning|Execution) Time: [0-9.]+ ms"),
    re.compile(rb"Buffers: [^\0\n]*"),
)
_OWN_WARNING = b"\0Msluice: "
# The server process that a notification comes from.
_PROCESS = b"A"


@dataclass(frozen=True)
class Difference:
    """Where two clients saw something else, in words."""

    where: str
    a: str
    b: str

    def __str__(self) -> str:
        return f"{self.where}\n  a: {self.a}\n  b: {self.b}"


def normalised(message: Message) -> Message:
    """The message without what may differ."""
    kind, body = message
    if kind in (b"E", b"N"):
        body = _REFERENCES.sub(b"...", body)
    if kind == b"D" and any(pattern.search(body) for pattern in _CHANCE):
        # The lengths of cells go, being those before the change. A NUL is in no text.
        body = b"\0|".join(b"NULL" if cell is None else _without_chance(cell) for cell in wire.cells(body))
    if kind == b"K":  # the key for cancelling, made anew for each session
        body = b""
    if kind == _PROCESS:
        body = body[4:]
    return Message(kind, body)


def _without_chance(cell: bytes) -> bytes:
    for pattern in _CHANCE:
        cell = pattern.sub(b"...", cell)
    return cell


def difference(one: Exchange, other: Exchange) -> Difference | None:
    if one.closed != other.closed:
        return Difference("one of the sessions was ended", str(one.closed), str(other.closed))
    a, b = _in_order(one), _in_order(other)
    for at, (first, second) in enumerate(zip(a, b, strict=False)):
        if first != second and normalised(first) != normalised(second):
            return Difference(f"message {at + 1}", show(first), show(second))
    if len(a) != len(b):
        return Difference("the number of messages", f"{len(a)}: {one.types}", f"{len(b)}: {other.types}")
    return None


def _in_order(seen: Exchange) -> list[Message]:
    """The gateway's own warnings first: it sends them when it passes a request on, and what the server has to say to requests before
    that may come sooner or later. After an error there is none for what has not been passed on by then."""
    own = [message for message in seen if message.type == b"N" and _OWN_WARNING in message.body]
    others = [message for message in seen if message not in own]
    return others if seen.of(b"E") else own + others


def show(message: Message) -> str:
    name = wire.BACKEND_MESSAGES.get(message.type, repr(message.type))
    match message.type:
        case b"D":
            return f"{name} {wire.cells(message.body)}"
        case b"E" | b"N":
            return f"{name} {dict(wire.fields(message.body))}"
        case b"T":
            return f"{name} {wire.columns(message.body)}"
        case _:
            return f"{name} {message.body!r}"
