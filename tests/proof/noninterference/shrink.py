"""The fewest steps and the shortest statements that still show a difference: parts are left out as long as it stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from proof.noninterference.compare import Difference, difference
from proof.noninterference.sequences import Sequence
from proof.noninterference.worlds import Step, Worlds

# A statement of many words takes some hundred attempts of a few milliseconds.
_MOST_ATTEMPTS = 600

_WORDS = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\$\w*\$|[A-Za-z_][\w.]*|\d+(?:\.\d+)?|\s+|[^\sA-Za-z_\d]")


def shrink(
    worlds: Worlds, sequence: Sequence, history: tuple[Step, ...], seen: Difference
) -> tuple[Sequence, Difference]:
    """In sessions of their own. `history`: what came before in the session, for when that matters. Where the difference does not
    show again, all of it is returned with the difference as it was `seen`."""
    found = _differs(worlds, sequence)
    if found is None:
        sequence = replace(sequence, steps=(*history, *sequence.steps))
        found = _differs(worlds, sequence)
    if found is None:
        return sequence, replace(seen, where=f"{seen.where} (seen once and not again)")
    left = _MOST_ATTEMPTS

    def still(steps: tuple[Step, ...]) -> bool:
        nonlocal left, found
        left -= 1
        again = _differs(worlds, replace(sequence, steps=steps)) if left > 0 else None
        found = again or found
        return again is not None

    steps = _without(sequence.steps, lambda step: step.pinned, still)
    for at, step in enumerate(steps):
        before, after = steps[:at], steps[at + 1 :]
        if not step.pinned:
            shorter = _shortest(step, lambda step, before=before, after=after: still((*before, step, *after)))
            steps = (*before, shorter, *after)
    return replace(sequence, steps=steps), found


def _differs(worlds: Worlds, sequence: Sequence) -> Difference | None:
    worlds.connect(sequence.role)
    for step in sequence.steps:
        a, b = worlds.run(step)
        if found := difference(a, b):
            return found
        if a.closed:
            return None
    return None


def _without(
    steps: tuple[Step, ...], keep: Callable[[Step], bool], still: Callable[[tuple[Step, ...]], bool]
) -> tuple[Step, ...]:
    at = len(steps)
    while at > 0:
        at -= 1
        fewer = steps[:at] + steps[at + 1 :]
        if not keep(steps[at]) and still(fewer):
            steps = fewer
    return steps


def _shortest(step: Step, still: Callable[[Step], bool]) -> Step:
    words = tuple(_WORDS.findall(step.sql))
    return replace(step, sql="".join(_shortened(words, lambda words: still(replace(step, sql="".join(words))))))


def _shortened(words: tuple[str, ...], keeps: Callable[[tuple[str, ...]], bool]) -> tuple[str, ...]:
    """Leaves out runs of words, long ones first."""
    length = max(len(words) // 2, 1)
    while length >= 1:
        at = 0
        while at < len(words):
            fewer = words[:at] + words[at + length :]
            if fewer and keeps(fewer):
                words = fewer
            else:
                at += max(length // 2, 1)
        length //= 2
    for bracketed in _brackets(words):
        if keeps(bracketed):
            return _shortened(bracketed, keeps)
    return words


def _brackets(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words with one pair of brackets, or all that it holds, left out."""
    opened: list[int] = []
    for at, word in enumerate(words):
        if word == "(":
            opened.append(at)
        elif word == ")" and opened:
            begin = opened.pop()
            yield words[:begin] + words[begin + 1 : at] + words[at + 1 :]
            yield words[:begin] + ("NULL",) + words[at + 1 :]
