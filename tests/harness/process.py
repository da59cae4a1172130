"""Child processes that cannot outlive the tests, and scratch folders that are cleared away even after a crash.

A test run may end in three ways: normally, by Ctrl-C or SIGTERM (fixtures are still unwound), or by SIGKILL (nothing is).
For the last one the kernel helps: a child asks for a signal when its parent dies, and a scratch folder carries a lock
that the kernel lets go, so that the next run knows whose folders nobody needs any more.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Account:
    """A user of this system to run a child as."""

    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """Whom to become when we are root (PostgreSQL refuses to run as root); None when we are not root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Scratch:
    """A new folder directly below the system's temporary folder, removed on `close()` or by a later run.

    Not below pytest's `tmp_path`: that one is closed to the other user that a server runs as when we are root.
    """

    _PREFIX = "sluice-test-"

    def __init__(self, owner: Account | None = None, parent: Path | None = None) -> None:
        parent = parent or Path(tempfile.gettempdir())
        self._sweep(parent)
        self.path = Path(tempfile.mkdtemp(prefix=self._PREFIX, dir=parent))
        self._lock = os.open(self.path / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if owner:
            os.chown(self.path, owner.uid, owner.gid)

    def folder(self, name: str, owner: Account | None = None) -> Path:
        """A new folder inside, readable by its owner only."""
        path = self.path / name
        path.mkdir(mode=0o700)
        if owner:
            os.chown(path, owner.uid, owner.gid)
        return path

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def _sweep(cls, parent: Path) -> None:
        """Removes folders of runs that are gone: those whose lock nobody holds."""
        for folder in parent.glob(cls._PREFIX + "*"):
            try:
                if time.time() - folder.stat().st_mtime < 60:
                    continue  # it may be so new that its lock is not taken yet
                lock = os.open(folder / ".lock", os.O_RDWR | os.O_CLOEXEC)
            except OSError:
                continue  # not ours to judge
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            except OSError:
                pass  # in use
            finally:
                os.close(lock)


class Child:
    """A running process that ends with us.

    `stop_with` is the signal that makes the program stop in order, `orphan_signal` the one that the kernel sends it
    should we die without having stopped it.
    """

    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        account: Account | None = None,
        chroot: Path | None = None,
        stop_with: signal.Signals = signal.SIGTERM,
        orphan_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.argv = [os.fspath(arg) for arg in argv]
        self.log_path = log
        self._stop_with = stop_with
        with open(log, "ab") as output:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                # A session of its own, so that Ctrl-C in the terminal reaches the tests, which stop their servers in order.
                start_new_session=True,
                preexec_fn=_become(account, chroot, orphan_signal),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def wait(self, timeout: float) -> int:
        """Waits for it to end by itself; returns its exit code."""
        return self._process.wait(timeout)

    def stop(self, timeout: float = 15) -> int:
        """Asks it to stop, insists after `timeout` seconds; returns its exit code. Harmless when it has ended."""
        if self._process.poll() is None:
            self._process.send_signal(self._stop_with)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL, for tests of what survives that."""
        self._process.kill()
        return self._process.wait()

    def wait_until(self, ready: Callable[[], bool], timeout: float, what: str) -> None:
        """Waits until `ready()`; says what the process printed if it ends before that, or takes too long."""
        deadline = time.monotonic() + timeout
        while not ready():
            code = self.exit_code()
            if code is not None:
                raise RuntimeError(f"{what} ended with exit code {code} before it was ready.\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} was not ready after {timeout} s.\n{self.log_tail()}")
            time.sleep(0.01)

    def log_tail(self, lines: int = 40) -> str:
        text = self.log_path.read_text(errors="replace").splitlines()
        return "\n".join([f"Last lines of {self.log_path}:", *text[-lines:]])


def _become(account: Account | None, chroot: Path | None, orphan_signal: signal.Signals) -> Callable[[], None]:
    """What the child does between fork and exec. The order matters: a change of user clears the parent-death signal."""
    parent = os.getpid()

    def become() -> None:
        if chroot:
            os.chroot(chroot)
            os.chdir("/")
        if account:
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
        # Note that the kernel watches the thread that forked: start servers from the main thread.
        _libc.prctl(_PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(127)

    return become
