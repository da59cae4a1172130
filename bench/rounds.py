"""Rounds, interleaved: in each round every workload runs through every peer, one directly after the other, so that
whatever slows the machine down slows all of them. What is compared is compared within a round."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from peers import Peer
from workloads import Sample, Workload


@dataclass(frozen=True)
class Measured:
    """The rounds of one workload: samples[peer name][round]."""

    name: str
    unit: str
    samples: dict[str, list[Sample]]

    def rate(self, peer: str) -> float:
        return median(sample.rate for sample in self.samples[peer])

    def cpu_each(self, peer: str) -> float:
        """Median CPU seconds for one of the amount."""
        return median(sample.cpu_each for sample in self.samples[peer])

    def system_share(self, peer: str) -> float:
        """What of the CPU time was the kernel's, over all rounds."""
        times = [sample.cpu for sample in self.samples[peer] if sample.cpu]
        split = sum(cpu.user + cpu.system for cpu in times)
        return sum(cpu.system for cpu in times) / split if split else 0.0

    def busiest_share(self, peer: str) -> float:
        """What of the CPU time was one thread's (Sluice has others: indexing, administration), over all rounds."""
        samples = [sample for sample in self.samples[peer] if sample.cpu]
        total = sum(sample.cpu.total for sample in samples if sample.cpu)
        return sum(sample.busiest for sample in samples) / total if total else 0.0

    def growth(self, peer: str) -> int:
        return max(sample.growth for sample in self.samples[peer])

    def rate_ratio(self, peer: str, other: str) -> float:
        return self._ratio(peer, other, lambda sample: sample.rate)

    def cpu_ratio(self, peer: str, other: str) -> float:
        return self._ratio(peer, other, lambda sample: sample.cpu_each)

    def spread(self, peer: str) -> float:
        """Between the slowest and the fastest round, as a share of the median rate: how steady the machine was."""
        rates = [sample.rate for sample in self.samples[peer]]
        return (max(rates) - min(rates)) / median(rates)

    def _ratio(self, peer: str, other: str, of: Callable[[Sample], float]) -> float:
        """The median of the rounds' own ratios."""
        pairs = zip(self.samples[peer], self.samples[other], strict=True)
        return median(of(ours) / of(theirs) for ours, theirs in pairs)


def run_rounds(workloads: Sequence[Workload], peers: Sequence[Peer], rounds: int) -> list[Measured]:
    """One more round than asked for: the first warms up and does not count. Who goes first changes with the round."""
    measured = [Measured(load.name, load.unit, {peer.name: [] for peer in peers}) for load in workloads]
    began = time.monotonic()
    for number in range(rounds + 1):
        for load, result in zip(workloads, measured, strict=True):
            first = number % len(peers)
            for peer in [*peers[first:], *peers[:first]]:
                sample = load.run(peer)
                if number > 0:
                    result.samples[peer.name].append(sample)
        note(f"round {number} of {rounds} done after {time.monotonic() - began:.0f} s")
    return measured


def note(text: str) -> None:
    """A sign of life; results go to standard output."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
