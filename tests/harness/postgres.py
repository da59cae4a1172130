"""A real PostgreSQL with pgvector, started for the tests on 127.0.0.1 and gone after them.

    with PostgresServer() as server:                      # trust authentication, every contrib module
        with server.fresh_database("CREATE EXTENSION vector; CREATE TABLE ...") as database:
            psycopg.connect(database.conninfo(user="svc"))

    PostgresServer("debian13", auth="scram-sha-256", tls=True)     # see installation.py for the servers there are

Starting takes about a second and a fresh database some 50 ms: databases with the same SQL are copies of one template.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import secrets
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import psycopg
import psycopg.conninfo
from psycopg import sql

from harness.installation import installation
from harness.process import Account, Child, Scratch, free_port, unprivileged_account

if TYPE_CHECKING:
    from harness.certificates import Certificates

Auth = Literal["trust", "scram-sha-256", "password"]

# Speed over durability, and plans that do not change while a test runs. Shared memory of parallel queries in files of the
# data folder: a chroot has no /dev/shm, and a killed server leaves nothing there.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",
    "wal_level": "logical",
    "max_connections": "200",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
    "lc_messages": "C",
    "timezone": "UTC",
}


class PostgresServer:
    """One running server. Every attribute is for reading; make another server for another configuration."""

    host = "127.0.0.1"
    superuser = "postgres"

    def __init__(
        self,
        name: str = "pg0",
        *,
        auth: Auth = "trust",
        tls: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`tls=True` refuses TCP connections without TLS. `settings` are added to postgresql.conf."""
        self._account = unprivileged_account()
        self.installation = installation(name)
        if tls and not self.installation.tls:
            raise ValueError(f"the server {name} is built without TLS")
        self.auth: Auth = auth
        self.password = secrets.token_hex(16)
        self.port = 0
        self._numbers = itertools.count(1)
        self._templates: set[str] = set()
        self._template_lock = threading.Lock()

        chroot = self.installation.chroot
        self._scratch = Scratch(self._account, parent=chroot / "tmp" if chroot else None)
        try:
            self._make_readable()
            self.certificates = self._certificates() if tls else None
            self.data = self._scratch.path / "data"
            self.socket_folder = self._scratch.folder("socket", self._account)
            self._exchange_folders: dict[str, Path] = {}
            self._initdb()
            self._configure(settings or {})
            self._child = self._start()
        except BaseException:
            self._scratch.close()
            raise

    # -- life ------------------------------------------------------------------------------------------------

    def exchange_folder(self, database: str) -> Path:
        """A folder that the server may write to, for COPY to files and the like, under the name that the server knows. One for
        each database: what statements in one have written is not there for those in another."""
        if database not in self._exchange_folders:
            self._exchange_folders[database] = self._scratch.folder(f"exchange-{database}", self._account)
        return self.installation.inside(self._exchange_folders[database])

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def log(self) -> str:
        """All that the server has logged so far. With settings={"log_statement": "all"}: what reached it."""
        return self._child.log_path.read_text(errors="replace")

    def stop(self) -> None:
        self._child.stop()  # SIGINT: "fast" shutdown, open sessions are ended
        self._scratch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- use -------------------------------------------------------------------------------------------------

    @property
    def extensions(self) -> frozenset[str]:
        """What CREATE EXTENSION can create."""
        return self.installation.extensions

    @property
    def version(self) -> int:
        """The major version."""
        return int((self.data / "PG_VERSION").read_text())

    def conninfo(self, database: str = "postgres", **parameters: str) -> str:
        """A libpq connection string; the superuser's unless `user` says otherwise."""
        ours = {"host": self.host, "port": str(self.port), "dbname": database}
        if parameters.get("user", self.superuser) == self.superuser:
            ours |= {"user": self.superuser, "password": self.password}
        if self.certificates:
            ours |= {"sslmode": "verify-full", "sslrootcert": os.fspath(self.certificates.authority)}
        else:
            ours |= {"sslmode": "disable"}
        return psycopg.conninfo.make_conninfo("", **(ours | parameters))

    def connect(self, database: str = "postgres", **parameters: str) -> psycopg.Connection:
        """A connection in autocommit mode; the superuser's unless `user` says otherwise."""
        return psycopg.connect(self.conninfo(database, **parameters), autocommit=True)

    def fresh_database(self, *setup: str | Path) -> Database:
        """A new database in which each of `setup` (SQL text, or the path of a file of it) has been run.

        SQL that makes roles belongs here too, although roles are the whole server's: it runs once for all databases with
        the same set-up. It runs in one transaction, so it cannot contain what refuses that, such as VACUUM.
        """
        template = self._template([part.read_text() if isinstance(part, Path) else part for part in setup])
        name = f"test_{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(_template_sql("CREATE DATABASE {} TEMPLATE {}", name, template))
        return Database(self, name)

    def drop_database(self, name: str) -> None:
        with self.connect() as connection:
            connection.execute(_template_sql("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))

    def run_program(self, name: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs one of this PostgreSQL's own client programs (psql, pgbench, pg_dump), where there is no chroot."""
        program = self.installation.bin / name
        env = {**os.environ, **self.installation.environment}
        return subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False, **options)

    # -- inside ----------------------------------------------------------------------------------------------

    def _make_readable(self) -> None:
        """Root's home, with the cache in it, is closed to the user that the server runs as: use a copy."""
        if self._account and not self.installation.chroot and not _everybody_may_enter(self.installation.bin):
            self.installation = self.installation.copied_to(self._scratch.path / "postgresql")

    def _certificates(self) -> Certificates:
        from harness.certificates import Certificates  # here, so that the demo can do without the package behind it

        made = Certificates.make(self._scratch.folder("tls", self._account))
        if self._account:
            os.chown(made.key, self._account.uid, self._account.gid)
        return made

    def _initdb(self) -> None:
        password_file = self._scratch.path / "password"
        password_file.write_text(self.password)
        _give(password_file, self._account)
        inside = self.installation.inside
        child = Child(
            [
                inside(self.installation.bin / "initdb"),
                f"--pgdata={inside(self.data)}",
                f"--username={self.superuser}",
                f"--pwfile={inside(password_file)}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
                "--no-instructions",
            ],
            log=self._scratch.path / "initdb.log",
            **self._how_to_run(),
        )
        try:
            code = child.wait(timeout=60)
        finally:
            child.stop()  # it has ended, unless the wait was interrupted or took too long
        if code != 0:
            raise RuntimeError(f"initdb failed.\n{child.log_tail()}")

    def _configure(self, settings: Mapping[str, str]) -> None:
        own = {
            "listen_addresses": self.host,
            "unix_socket_directories": os.fspath(self.installation.inside(self.socket_folder)),
        }
        if "pg_stat_statements" in self.extensions:
            own["shared_preload_libraries"] = "pg_stat_statements"
        if self.certificates:
            own |= {
                "ssl": "on",
                "ssl_cert_file": os.fspath(self.installation.inside(self.certificates.certificate)),
                "ssl_key_file": os.fspath(self.installation.inside(self.certificates.key)),
            }
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.writelines(f"{key} = '{value}'\n" for key, value in {**_SETTINGS, **own, **settings}.items())
        over_tcp = "hostssl" if self.certificates else "host"
        (self.data / "pg_hba.conf").write_text(
            f"local all all trust\n{over_tcp} all,replication all 127.0.0.1/32 {self.auth}\n"
        )

    def _start(self) -> Child:
        """Starts it on a free port; on another one should somebody have taken that in the meantime."""
        for attempt in range(3):
            self.port = free_port()
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            child = Child(
                [
                    self.installation.inside(self.installation.bin / "postgres"),
                    f"-D{self.installation.inside(self.data)}",
                    f"-p{self.port}",
                ],
                log=self._scratch.path / f"server-{attempt}.log",
                stop_with=signal.SIGINT,
                orphan_signal=signal.SIGQUIT,  # "immediate" shutdown: all its processes end at once
                **self._how_to_run(),
            )
            try:
                child.wait_until(self._is_ready, timeout=60, what=f"PostgreSQL ({self.installation.name})")
                return child
            except BaseException as error:
                child.stop()
                if not (isinstance(error, RuntimeError) and "Address already in use" in str(error)):
                    raise
        raise RuntimeError("found no free port for PostgreSQL in three attempts")

    def _is_ready(self) -> bool:
        """The last line of postmaster.pid tells, without a connection attempt in the server's log."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _how_to_run(self) -> dict:
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", **self.installation.environment}
        return {"env": env, "account": self._account, "chroot": self.installation.chroot}

    def _template(self, setup: list[str]) -> str:
        name = "template_" + hashlib.sha256("\0".join(setup).encode()).hexdigest()[:16]
        with self._template_lock:
            if name not in self._templates:
                with self.connect() as connection:
                    connection.execute(_template_sql("DROP DATABASE IF EXISTS {}", name))
                    connection.execute(_template_sql("CREATE DATABASE {}", name))
                with self.connect(name) as connection:
                    for part in setup:
                        connection.execute(part.encode())
                self._templates.add(name)
        return name


@dataclass(frozen=True)
class Database:
    """A database of its own for one test, dropped on leaving the `with` block."""

    server: PostgresServer
    name: str

    def conninfo(self, **parameters: str) -> str:
        return self.server.conninfo(self.name, **parameters)

    def connect(self, **parameters: str) -> psycopg.Connection:
        return self.server.connect(self.name, **parameters)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(psycopg.OperationalError):  # a test may have stopped the server
            self.server.drop_database(self.name)


def _template_sql(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*map(sql.Identifier, names))


def _give(path: Path, account: Account | None) -> None:
    path.chmod(0o600)
    if account:
        os.chown(path, account.uid, account.gid)


def _everybody_may_enter(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in [path, *path.parents])
