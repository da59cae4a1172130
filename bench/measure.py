"""What a process costs, from /proc: CPU time and resident memory."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class CpuTime:
    """Seconds that a process, with all its threads, has run.

    `total` comes from the kernel's CPU clock of the process and is exact. The split into user and system comes from
    /proc/PID/stat, in hundredths of a second: good enough once added up over rounds.
    """

    total: float
    user: float
    system: float

    @classmethod
    def of(cls, pid: int) -> CpuTime:
        # The clock id of another process's CPU time: see clock_getcpuclockid(3) and the kernel's posix-timers.h.
        total = time.clock_gettime((~pid << 3) | 2)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return cls(total, int(fields[11]) * _TICK, int(fields[12]) * _TICK)

    def __sub__(self, other: CpuTime) -> CpuTime:
        return CpuTime(self.total - other.total, self.user - other.user, self.system - other.system)


def wait_until_idle(pid: int, limit: float = 10.0) -> None:
    """Until the process uses less than a twentieth of a CPU, for `limit` seconds at most."""
    step = 0.1
    deadline = time.monotonic() + limit
    before = CpuTime.of(pid).total
    while time.monotonic() < deadline:
        time.sleep(step)
        now = CpuTime.of(pid).total
        if now - before < step / 20:
            return
        before = now


def thread_times(pid: int) -> dict[int, float]:
    """CPU seconds of each thread that runs now, by its id."""
    times = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it may just have ended
            times[int(task.name)] = int((task / "schedstat").read_text().split()[0]) / 1e9
    return times


@dataclass(frozen=True)
class Memory:
    """Resident memory of a process in bytes: now, at its peak, and what of it (now) is no file and not shared."""

    resident: int
    peak: int
    anonymous: int

    @classmethod
    def of(cls, pid: int) -> Memory:
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())

        def in_bytes(key: str) -> int:
            return int(lines[key].split()[0]) * 1024

        return cls(in_bytes("VmRSS"), in_bytes("VmHWM"), in_bytes("RssAnon"))


def reset_peak(pid: int) -> None:
    """Lets `Memory.peak` start again from what is resident now; see clear_refs in proc(5)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
