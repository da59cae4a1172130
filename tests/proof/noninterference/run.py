"""The loop: sequences from a seed through both worlds, until so many statements have run.

report = Run(worlds, seed=7).go(2000)
report.differences, report.answered, report.refused, report.failed
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from harness.wire import Exchange

from proof.noninterference import builtins
from proof.noninterference.compare import Difference, difference
from proof.noninterference.sequences import PER_SESSION, Sequence, Sequences
from proof.noninterference.shrink import shrink
from proof.noninterference.worlds import Step, Worlds

# Statements between two lines on how far it is.
_TELL_EVERY = 10_000

# More than that is one fault many times over.
_MOST_DIFFERENCES = 40

# What the server says then: a matter of time and not of data.
_TIMED_OUT = ("57014", "canceling statement due to statement timeout")


@dataclass
class Finding:
    """A difference, with the fewest steps that still show it."""

    number: int
    sequence: Sequence
    difference: Difference

    def __str__(self) -> str:
        steps = "\n".join(f"    {step}" for step in self.sequence.steps)
        return f"after statement {self.number}, as {self.sequence.role}:\n{steps}\n{self.difference}"


@dataclass
class Report:
    seed: int
    statements: int = 0
    answered: int = 0  # without an error
    with_rows: int = 0  # of those: that returned some
    refused: int = 0  # by the gateway
    failed: int = 0  # by the server
    timed_out: int = 0  # not compared
    findings: list[Finding] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    @property
    def differences(self) -> int:
        return len(self.findings)

    def __str__(self) -> str:
        share = 100 * self.answered / max(self.statements, 1)
        return (
            f"non-interference, seed {self.seed}: {self.statements} statements, {self.answered} answered ({share:.0f} %),"
            f" {self.with_rows} of them with rows, {self.refused} refused by Sluice, {self.failed} errors of the server,"
            f" {self.timed_out} timed out; {self.differences} differences"
        )


class Run:
    def __init__(self, worlds: Worlds, seed: int) -> None:
        self._worlds = worlds
        self._sequences = Sequences(seed, builtins.functions(worlds.a.database))
        self._role = ""
        self._served = 0
        self._history: list[Step] = []  # of this session
        self.report = Report(seed)

    def go(self, statements: int) -> Report:
        told = 0
        while self.report.statements < statements and self.report.differences < _MOST_DIFFERENCES:
            self._run(self._sequences.next())
            if self.report.statements >= told + _TELL_EVERY:
                told = self.report.statements
                print(self.report, flush=True)
        return self.report

    # -- inside ------------------------------------------------------------------------------------------------

    def _run(self, sequence: Sequence) -> None:
        if self._served == PER_SESSION or self._role != sequence.role:
            self._connect(sequence.role)
        self._served += 1
        for step in sequence.steps:
            a, b = self._worlds.run(step)
            self._count(sequence.kind, step, a)
            if _timed_out(a) or _timed_out(b):
                self.report.timed_out += 1
                self._served = PER_SESSION  # a new session: what else has happened by then may differ
                return
            if found := difference(a, b):
                self._report(sequence, found)
                return
            if a.closed:
                self._served = PER_SESSION
                return
        self._history += sequence.steps

    def _connect(self, role: str) -> None:
        a, b = self._worlds.connect(role)
        if found := difference(a, b):
            self.report.findings.append(Finding(self.report.statements, Sequence(role, ()), found))
        self._role, self._served = role, 0
        self._history.clear()

    def _report(self, sequence: Sequence, seen: Difference) -> None:
        smallest, found = shrink(self._worlds, sequence, tuple(self._history), seen)
        finding = Finding(self.report.statements, smallest, found)
        print(finding, flush=True)
        self.report.findings.append(finding)
        self._served = PER_SESSION

    def _count(self, kind: str, step: Step, seen: Exchange) -> None:
        report = self.report
        if step.pinned:
            return
        report.statements += 1
        kinds = report.kinds[kind]
        kinds["statements"] += 1
        if not seen.errors:
            report.answered += 1
            kinds["answered"] += 1
            if seen.of(b"D") or seen.of(b"d"):
                report.with_rows += 1
                kinds["with rows"] += 1
        elif seen.error.message.startswith("sluice: "):
            report.refused += 1
            kinds["refused"] += 1
            report.reasons[seen.error.message[:90]] += 1
        else:
            report.failed += 1
            report.reasons[f"{seen.error.sqlstate} {seen.error.message[:70]}"] += 1


def _timed_out(seen: Exchange) -> bool:
    return any((error.sqlstate, error.message) == _TIMED_OUT for error in seen.errors)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proof.noninterference", description=__doc__.splitlines()[0])
    parser.add_argument("--statements", type=int, default=int(os.environ.get("STATEMENTS", "50000")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", str(time.time_ns() % 10**9))))
    parser.add_argument("--reasons", type=int, default=0, help="print so many of the most frequent errors")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with Worlds() as worlds:
        report = Run(worlds, arguments.seed).go(arguments.statements)
    for reason, count in report.reasons.most_common(arguments.reasons):
        print(f"{count:6} {reason}")
    for kind, counts in sorted(report.kinds.items()):
        print(f"{kind:12}", ", ".join(f"{count} {what}" for what, count in counts.items()))
    print(report)
    return 1 if report.differences else 0
