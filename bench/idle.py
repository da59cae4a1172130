"""What sessions cost that do nothing: so many clients logged in through the gateway to a server that is only a stub."""

from __future__ import annotations

import os
import re
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness.process import Child, Scratch, free_port
from measure import CpuTime, Memory
from peers import Peer

_STUB = Path(__file__).with_name("idle_stub.py")
_SPARE_FILES = 200  # descriptors of the gateway that are no session's
_LOGIN_TIMEOUT = 180  # seconds for all of them
_IDLE_SECONDS = 5  # during which the CPU time of doing nothing is counted


@dataclass(frozen=True)
class IdleSessions:
    sessions: int  # as many as this machine let us open
    resident: int  # bytes, of the gateway with all of them
    before: int  # bytes, with none
    login_seconds: float  # until the last was in
    login_cpu: float  # seconds
    idle_cpu: float  # CPU seconds per second of idling

    def resident_for(self, sessions: int) -> float:
        """What so many would take, where the machine allowed fewer."""
        return self.before + (self.resident - self.before) * sessions / self.sessions


def raise_file_limit() -> None:
    """To what this machine allows us; the processes that we start inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def sessions_possible(wanted: int) -> int:
    """A session takes two descriptors of the gateway, and a hard limit may be lower than what was asked for."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if allowed == resource.RLIM_INFINITY else min(wanted, (allowed - _SPARE_FILES) // 2)


class StubUpstream:
    """A server for a gateway to log in to, `port`."""

    def __init__(self) -> None:
        self._scratch = Scratch()
        try:
            self.port = free_port()
            log = self._scratch.path / "upstream.log"
            self._child = Child([sys.executable, _STUB, "upstream", str(self.port)], log=log)
            self._child.wait_until(lambda: "listening" in log.read_text(), timeout=10, what="the stub server")
        except BaseException:
            self._scratch.close()
            raise

    def stop(self) -> None:
        self._child.stop()
        self._scratch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def measure_idle(peer: Peer, wanted: int) -> IdleSessions:
    """Logs in as many clients as wanted and possible, lets them idle, and reads the gateway's memory."""
    if peer.pid is None:
        raise ValueError("nothing stands between: there is no memory to read")
    count = sessions_possible(wanted)
    before, cpu_before = Memory.of(peer.pid).resident, CpuTime.of(peer.pid)
    with Scratch() as scratch:
        log = scratch.path / "clients.log"
        clients = Child(
            [sys.executable, _STUB, "clients", str(peer.port), str(count), peer.user, peer.database],
            log=log,
            env={**os.environ, "PGPASSWORD": peer.password},
        )
        try:
            clients.wait_until(lambda: "ready" in log.read_text(), timeout=_LOGIN_TIMEOUT, what="the idle clients")
            login_cpu = CpuTime.of(peer.pid) - cpu_before
            idle_from = CpuTime.of(peer.pid)
            time.sleep(_IDLE_SECONDS)
            idle_cpu = CpuTime.of(peer.pid) - idle_from
            memory = Memory.of(peer.pid)
            printed = log.read_text()
            if "lost" in printed or clients.exit_code() is not None:
                raise RuntimeError(f"idle sessions were lost:\n{clients.log_tail()}")
        finally:
            clients.stop()
    took = re.search(r"ready ([\d.]+)", printed)
    return IdleSessions(
        sessions=count,
        resident=memory.resident,
        before=before,
        login_seconds=float(took[1]) if took else 0.0,
        login_cpu=login_cpu.total,
        idle_cpu=idle_cpu.total / _IDLE_SECONDS,
    )
