"""Results against their targets: results.json for machines, a table for people."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from idle import IdleSessions
from micro import Micro
from rounds import Measured

_MIB = 1024 * 1024

# The bounds to reach, each held against what was measured: at most for costs, at least for speeds.
_CPU_TARGETS = {"simple": 1.25, "prepared": 1.05}  # of pgbench: our CPU per transaction / PgBouncer's
_LARGE_RATE_TARGET = 1.0  # our MB/s / PgBouncer's
_LARGE_GROWTH_TARGET = 16.0  # MiB
_IDLE_TARGET = 300.0  # MiB, and this many sessions:
_IDLE_SESSIONS = 10_000

# Google Benchmarks that have a bound, by their names; the others are printed without one.
_DECISION = re.compile(r"policy_decision_.*")
_DECISION_TARGET = 1000.0  # ns


@dataclass(frozen=True)
class Result:
    name: str
    value: float
    unit: str
    target: str | None = None  # "<= 1.05"
    met: bool | None = None
    machine: str = ""


def at_most(name: str, value: float, unit: str, bound: float) -> Result:
    return Result(name, value, unit, f"<= {bound:g}", value <= bound)


def at_least(name: str, value: float, unit: str, bound: float) -> Result:
    return Result(name, value, unit, f">= {bound:g}", value >= bound)


def results(measured: Sequence[Measured], idle: IdleSessions | None, micro: Sequence[Micro]) -> list[Result]:
    found: list[Result] = []
    for load in measured:
        found += _of_rounds(load)
    if idle:
        found += _of_idle(idle)
    found += _of_micro(micro)
    here = machine()
    return [Result(r.name, float(f"{r.value:.5g}"), r.unit, r.target, r.met, here) for r in found]


def _of_rounds(load: Measured) -> Iterator[Result]:
    """Rates, costs, and ratios within a round."""
    large = load.unit == "MB"
    rate_unit = "MB/s" if large else "transactions/s"
    cost_unit, cost_scale = ("CPU s/GB", 1e3) if large else ("CPU us/transaction", 1e6)
    for peer in load.samples:
        yield Result(f"{load.name}: {peer}", load.rate(peer), rate_unit)
        if peer != "direct":
            yield Result(f"{load.name}: {peer}, CPU", load.cpu_each(peer) * cost_scale, cost_unit)
    if "sluice" not in load.samples:
        return
    if "direct" in load.samples:
        yield Result(f"{load.name}: rate, sluice / direct", load.rate_ratio("sluice", "direct"), "ratio")
    if "pgbouncer" in load.samples:
        name = f"{load.name}: rate, sluice / pgbouncer"
        ratio = load.rate_ratio("sluice", "pgbouncer")
        yield at_least(name, ratio, "ratio", _LARGE_RATE_TARGET) if large else Result(name, ratio, "ratio")
        name = f"{load.name}: CPU, sluice / pgbouncer"
        ratio = load.cpu_ratio("sluice", "pgbouncer")
        bound = _CPU_TARGETS.get(load.name.split(",")[0])
        yield at_most(name, ratio, "ratio", bound) if bound else Result(name, ratio, "ratio")
    if large:
        yield at_most(f"{load.name}: growth of sluice", load.growth("sluice") / _MIB, "MiB", _LARGE_GROWTH_TARGET)


def _of_idle(idle: IdleSessions) -> Iterator[Result]:
    resident = idle.resident_for(_IDLE_SESSIONS) / _MIB
    scaled = "" if idle.sessions == _IDLE_SESSIONS else f" (from {idle.sessions:,} measured)"
    yield at_most(f"{_IDLE_SESSIONS:,} idle sessions{scaled}", resident, "MiB", _IDLE_TARGET)
    each = (idle.resident - idle.before) / idle.sessions
    yield Result("one idle session", each / 1024, "KiB")
    yield Result("one log-in", idle.login_cpu / idle.sessions * 1e6, "CPU us")
    yield Result(f"idling with {idle.sessions:,} sessions", idle.idle_cpu * 100, "% of a CPU")


def _of_micro(micro: Sequence[Micro]) -> Iterator[Result]:
    for run in micro:
        name = f"{run.program}: {run.name}"
        if _DECISION.fullmatch(run.name):
            yield at_most(name, run.nanoseconds, "ns", _DECISION_TARGET)
        else:
            yield Result(name, run.nanoseconds, "ns")


def machine() -> str:
    """The class of this machine: what a reader has to know to compare, and no name."""
    with open("/proc/meminfo") as meminfo:
        memory = int(re.search(r"MemTotal:\s+(\d+)", meminfo.read())[1]) / (1024 * 1024)
    release = platform.freedesktop_os_release()
    kernel = ".".join(platform.release().split(".")[:2])
    return (
        f"{os.cpu_count()} CPUs ({platform.machine()}), {memory:.0f} GiB, "
        f"{release.get('NAME', 'Linux').split()[0]} {release.get('VERSION_ID', '')}, Linux {kernel}"
    )


def write_json(path: Path, found: Sequence[Result]) -> None:
    path.write_text(json.dumps([asdict(result) for result in found], indent=1) + "\n")


def write_page(path: Path, text: str) -> None:
    """Puts the tables of a full run in their place on the page."""
    begin, end = "<!-- tables: written by a full run -->\n", "<!-- end of tables -->"
    before, _, rest = path.read_text().partition(begin)
    after = rest.partition(end)[2]
    path.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")


def table(measured: Sequence[Measured], found: Sequence[Result]) -> str:
    """Markdown, as bench/RESULTS.md has it."""
    lines: list[str] = []
    if measured:
        lines += _comparison(measured)
    lines += ["", "| | value | target | |", "|---|---:|---:|---|"]
    for result in found:  # those of the comparison are in its table
        alone = result.target or not re.search(r": (direct|pgbouncer|sluice|rate|CPU)\b", result.name)
        if alone:
            met = {True: "met", False: "**not met**", None: ""}[result.met]
            lines.append(f"| {result.name} | {result.value:,.4g} {result.unit} | {result.target or ''} | {met} |")
    return "\n".join([f"Machine: {machine()}", "", *lines])


def _comparison(measured: Sequence[Measured]) -> list[str]:
    peers = list(measured[0].samples)
    proxies = [peer for peer in peers if peer != "direct"]
    both = {"sluice", "pgbouncer"} <= set(peers)
    head = [
        "workload",
        *(f"{peer}, rate" for peer in peers),
        *(f"{peer}, CPU (kernel; busiest thread)" for peer in proxies),
    ]
    if both:
        head += ["rate, sluice / pgbouncer", "CPU, sluice / pgbouncer"]
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    for load in measured:
        large = load.unit == "MB"
        row = [load.name]
        row += [f"{load.rate(peer):,.0f}{' MB/s' if large else '/s'} ±{load.spread(peer) * 50:.0f} %" for peer in peers]
        for peer in proxies:
            cost = f"{load.cpu_each(peer) * 1e3:.2f} s/GB" if large else f"{load.cpu_each(peer) * 1e6:.1f} µs"
            row.append(f"{cost} ({load.system_share(peer):.0%}; {load.busiest_share(peer):.0%})")
        if both:
            row.append(f"{load.rate_ratio('sluice', 'pgbouncer'):.2f}")
            row.append(f"{load.cpu_ratio('sluice', 'pgbouncer'):.2f}")
        rows.append(row)
    return ["| " + " | ".join(row) + " |" for row in rows]
