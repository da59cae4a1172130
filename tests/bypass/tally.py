"""How many attacks have run, and how many of them showed a secret: the two figures of the bypass suite in proof.json.

An attack is a case of a corpus, or a variant, by one form of the protocol. Tests that run many report them with `count`; any
other test of this folder, and those of the wire that lie elsewhere, is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Tally:
    cases: int = 0
    leaks: int = 0
    counted: set[str] = field(default_factory=set)
    """The tests that have counted for themselves."""

    def count(self, test: str, cases: int, leaks: int = 0) -> None:
        self.counted.add(test)
        self.cases += cases
        self.leaks += leaks


TALLY = Tally()
