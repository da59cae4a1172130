"""What is run through each peer. A workload's `run` is one round of it on one peer."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dataset import pgbench_program, query_vectors
from harness.postgres import PostgresServer
from measure import CpuTime, Memory, reset_peak, thread_times, wait_until_idle
from peers import Peer
from plan import Plan

_TIMEOUT = 120  # seconds for one round: a peer that hangs must not hang the run


@dataclass(frozen=True)
class Sample:
    """One round: how much was done in how many seconds, and what that cost the proxy."""

    amount: float
    seconds: float
    cpu: CpuTime | None  # None: no proxy
    busiest: float = 0.0  # CPU seconds of the proxy's busiest thread
    growth: int = 0  # bytes that the proxy's resident memory grew by

    @property
    def rate(self) -> float:
        return self.amount / self.seconds

    @property
    def cpu_each(self) -> float:
        """CPU seconds for one of the amount."""
        return self.cpu.total / self.amount if self.cpu else 0.0


class _Meter:
    """What a proxy has spent since this was made; nothing for a direct connection."""

    def __init__(self, pid: int | None) -> None:
        self._pid = pid
        if pid:
            self._threads = thread_times(pid)
            self._cpu = CpuTime.of(pid)

    def sample(self, amount: float, seconds: float, growth: int = 0) -> Sample:
        if not self._pid:
            return Sample(amount, seconds, None)
        wait_until_idle(self._pid)  # what is put off until after the reply counts too
        cpu = CpuTime.of(self._pid) - self._cpu
        threads = thread_times(self._pid)
        busiest = max(spent - self._threads.get(thread, 0.0) for thread, spent in threads.items())
        return Sample(amount, seconds, cpu, busiest, growth)


class Workload(Protocol):
    name: str
    unit: str  # of the amount

    def run(self, peer: Peer) -> Sample: ...


def all_workloads(server: PostgresServer, plan: Plan, scratch: Path, sink: Path) -> list[Workload]:
    pgbench = [
        Pgbench(server, f"{mode}, {clients} clients", clients, plan.seconds, ["-S", "-M", mode])
        for mode in ("simple", "prepared")
        for clients in plan.clients
    ]
    searches = [
        Pgbench(server, f"k-NN {mode}, 8 clients", 8, plan.seconds, _search_arguments(mode, plan, scratch))
        for mode in ("simple", "prepared")
    ]
    connects = Pgbench(server, "connect and select, 2 clients", 2, plan.seconds, ["-S", "-C"])
    return [*pgbench, *searches, connects, LargeResult(sink, plan.large_rows)]


class Pgbench:
    """pgbench with one thread; an amount is a transaction, of one statement here."""

    unit = "transaction"

    def __init__(self, server: PostgresServer, name: str, clients: int, seconds: int, script: list[str]) -> None:
        self.name = name
        self._program, self._environment = pgbench_program(server)
        self._arguments = ["-n", "-c", str(clients), "-j", "1", "-T", str(seconds), *script]

    def run(self, peer: Peer) -> Sample:
        meter = _Meter(peer.pid)
        done = subprocess.run(
            [self._program, *self._arguments],
            env={**peer.environment(), **self._environment},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"pgbench ({self.name}) through {peer.name} failed:\n{done.stderr[-4000:]}")
        transactions = _number(r"transactions actually processed: (\d+)", done.stdout)
        return meter.sample(transactions, transactions / _number(r"tps = ([\d.]+)", done.stdout))


class LargeResult:
    """One SELECT of rows of 9 KB, by the simple protocol; an amount is a megabyte (of 1,000,000 bytes)."""

    name = "large result"
    unit = "MB"

    def __init__(self, sink: Path, rows: int) -> None:
        self._sink = sink
        self._rows = rows

    def run(self, peer: Peer) -> Sample:
        resident = 0
        if peer.pid:
            reset_peak(peer.pid)
            resident = Memory.of(peer.pid).resident
        meter = _Meter(peer.pid)
        done = subprocess.run(
            [self._sink, str(peer.port), peer.user, peer.database, "SELECT id, body FROM large_rows"],
            env=peer.environment(),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"the large result through {peer.name} failed: {done.stderr}")
        rows, size, seconds = done.stdout.split()
        if int(rows) != self._rows:
            raise RuntimeError(f"the large result through {peer.name} had {rows} rows instead of {self._rows}")
        growth = Memory.of(peer.pid).peak - resident if peer.pid else 0
        return meter.sample(int(size) / 1e6, float(seconds), growth)


def _search_arguments(mode: str, plan: Plan, scratch: Path) -> list[str]:
    """One script for each query vector, with the vector as a variable: what is prepared has it as a parameter, and what is
    simple as a literal of some 7 KB, as clients without parameters send it."""
    arguments = ["-M", mode]
    for number, vector in enumerate(query_vectors(plan)):
        name = f"q{number:02}"
        script = scratch / f"search-{name}.sql"
        script.write_text(f"SELECT id, title FROM documents ORDER BY embedding <=> :{name} LIMIT 10;\n")
        arguments += ["-f", str(script), "-D", f"{name}='{vector}'" if mode == "simple" else f"{name}={vector}"]
    return arguments


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if not found:
        raise RuntimeError(f"pgbench printed no {pattern!r}:\n{text}")
    return float(found[1])
