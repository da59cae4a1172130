"""What is measured against each other: the database itself, PgBouncer before it, Sluice before it.

All on 127.0.0.1, without TLS, all logging in to the database as the same role.
"""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dataset import ROLE, client_environment
from harness.postgres import Database
from harness.process import Child, Scratch, free_port, unprivileged_account


@dataclass(frozen=True)
class Peer:
    """Where a client connects, and whose CPU time and memory count."""

    name: str
    port: int
    user: str
    password: str
    database: str
    pid: int | None = None  # None: nothing stands between

    def environment(self) -> dict[str, str]:
        """For libpq programs."""
        own = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": self.user, "PGDATABASE": self.database}
        return client_environment(self.password) | own


def direct(database: Database) -> Peer:
    return Peer("direct", database.server.port, ROLE, "", database.name)


class PgBouncer:
    """Debian's PgBouncer: session pooling, one process with one thread, clients log in with a cleartext password."""

    _PASSWORD = "bench"

    def __init__(self, database: Database) -> None:
        program = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if program is None:
            raise FileNotFoundError("PgBouncer is missing: tools/setup/debian.sh bench installs it")
        account = unprivileged_account()  # it refuses to run as root
        self._scratch = Scratch(account)
        try:
            port = free_port()
            self._child = Child(
                [program, self._configuration(database, port)],
                log=self._scratch.path / "pgbouncer.log",
                account=account,
            )
            self._child.wait_until(lambda: _listens(port), timeout=10, what="PgBouncer")
        except BaseException:
            self.stop()
            raise
        self.peer = Peer("pgbouncer", port, ROLE, self._PASSWORD, database.name, self._child.pid)

    def _configuration(self, database: Database, port: int) -> Path:
        users = self._scratch.path / "users.txt"
        users.write_text(f'"{ROLE}" "{self._PASSWORD}"\n')
        ini = self._scratch.path / "pgbouncer.ini"
        ini.write_text(
            f"""[databases]
{database.name} = host={database.server.host} port={database.server.port} dbname={database.name}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {users}
pool_mode = session
default_pool_size = 200
max_client_conn = 1000
log_connections = 0
log_disconnections = 0
stats_period = 3600
"""
        )
        return ini

    def stop(self) -> None:
        if hasattr(self, "_child"):
            self._child.stop()
        self._scratch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
