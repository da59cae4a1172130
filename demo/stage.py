"""The demo's stage: PostgreSQL with the support documents, Sluice in front of it, and people with tokens.

    with Stage(binary, screen) as stage:
        stage.psql("ana", "SELECT ...")          # what psql prints, refusals included
        stage.connect("svc-rag")                 # a psycopg connection
        stage.sluice("admin", "sessions", "list")

Everything lives in scratch folders and child processes that go when the `with` block is left, however that happens
(tests/harness/process.py says how).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg
from data.load import load
from harness.postgres import PostgresServer
from harness.process import Child, Scratch, free_port
from screen import Screen

_HERE = Path(__file__).resolve().parent
_HIDDEN_COLUMNS = ["customer_name", "email", "phone", "ssn"]  # what demo/policy hides from all but the group dpo

UPSTREAM_USER = "support_reader"
DATABASE = "support"


class Unexpected(Exception):
    """Something did not go as the demo says; the message says what and what to do."""


@dataclass(frozen=True)
class Person:
    """Who takes part. `options` are those of `sluice principal create`."""

    name: str
    is_: str
    options: tuple[str, ...]
    may_see_people: bool = False


CAST = [
    Person("ana", "an analyst", ("--group", "support")),
    Person("ben", "of data security", ("--group", "data-security", "--role", "approver")),
    Person("dora", "the data protection officer", ("--group", "dpo"), may_see_people=True),
    Person(
        "svc-rag", "a service that answers questions", ("--kind", "machine", "--owner", "ana", "--group", "support")
    ),
]


def short(token: str) -> str:
    """The public half of a token: its id without its secret."""
    return token[:12] + "…"


class Stage:
    def __init__(self, binary: Path, screen: Screen) -> None:
        self.binary = binary
        self.screen = screen
        self._stack = ExitStack()
        self._tokens: dict[str, str] = {}
        self._people = {person.name: person for person in CAST}
        self._hidden = _hidden_values()
        self.question = queries()["double-charge"]
        try:
            scratch = self._stack.enter_context(Scratch())
            self.folder = scratch.path
            self.data = self.folder / "sluice"
            self.desk = scratch.folder("desk")  # where the clients' own files would go
            self._start_database()
            self._start_gateway()
            self._register()
        except BaseException:
            self._stack.close()
            raise

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- use -------------------------------------------------------------------------------------------------

    def sluice(self, who: str, *arguments: str, status: int = 0) -> str:
        """A command of `who`'s; what it printed. `status` is the exit code that it must end with."""
        done = subprocess.run(
            [self.binary, *arguments],
            env=self._environment(who),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != status:
            command = shlex.join(["sluice", *arguments])
            raise Unexpected(
                f"`{command}` ended with exit code {done.returncode} where {status} was expected:\n{done.stdout}"
            )
        return done.stdout

    def psql_process(self, who: str, statements: str, **variables: str) -> subprocess.Popen[str]:
        """psql, running, as `who`; standard error goes where standard output goes, as in a terminal."""
        settings = [f"--set={name}={value}" for name, value in variables.items()]
        process = subprocess.Popen(
            [*self._psql_command, "--no-psqlrc", *settings],
            env=self._environment(who),
            cwd=self.desk,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdin
        process.stdin.write(statements)
        process.stdin.close()
        process.stdin = None  # communicate() must not touch it again
        return process

    def psql(self, who: str, statements: str, **variables: str) -> str:
        process = self.psql_process(who, statements, **variables)
        try:
            printed, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
        return self.seen_by(who, printed)

    def connect(self, who: str, token: str | None = None) -> psycopg.Connection:
        own = {"password": token} if token else {}
        settings = self._client_settings(who)
        return psycopg.connect(
            host=settings["PGHOST"],
            port=settings["PGPORT"],
            dbname=settings["PGDATABASE"],
            user=settings["PGUSER"],
            sslmode=settings["PGSSLMODE"],
            sslrootcert=settings["PGSSLROOTCERT"],
            **{"password": settings["PGPASSWORD"], **own},
            autocommit=True,
            connect_timeout=20,
        )

    def seen_by(self, who: str, text: str) -> str:
        """`text`, once it is certain that nothing in it was to be hidden from `who`."""
        person = self._people.get(who)
        if not (person and person.may_see_people):
            for value in self._hidden:
                if value in text:
                    raise Unexpected(f"{who} was shown {value!r}, which the policy hides. This must never happen.")
        return text

    def token(self, who: str) -> str:
        return self._tokens[who]

    def check_alive(self) -> None:
        """Raises when Sluice has ended by itself."""
        code = self.gateway.exit_code()
        if code is not None:
            raise Unexpected(f"Sluice has ended with exit code {code}.\n{self.gateway.log_tail()}")

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    # -- setting up ------------------------------------------------------------------------------------------

    def _start_database(self) -> None:
        self.screen.note("starting PostgreSQL with pgvector (the first time it is unpacked, which takes a few seconds)")
        self.postgres = self._stack.enter_context(PostgresServer("pg0", auth="scram-sha-256"))
        with self.postgres.connect() as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        with self.postgres.connect(DATABASE) as connection:
            load(connection)
            self.password = os.urandom(12).hex()
            # The only credential that reaches the documents. Clients never get it.
            connection.execute(f"CREATE ROLE {UPSTREAM_USER} LOGIN PASSWORD '{self.password}'".encode())
            connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {UPSTREAM_USER}".encode())
        self._psql_command = self._find_psql()

    def _find_psql(self) -> list[str]:
        if found := shutil.which("psql"):
            return [found]
        wheel = self.postgres.installation
        return ["env", *(f"{name}={value}" for name, value in wheel.environment.items()), os.fspath(wheel.bin / "psql")]

    def _start_gateway(self) -> None:
        self.screen.note("setting up Sluice")
        self.port = free_port()
        self.admin_port = free_port()
        made = json.loads(
            self.sluice(
                "nobody",
                *["init", "--data", os.fspath(self.data), "--output", "json"],
                *["--port", str(self.port), "--admin-port", str(self.admin_port)],
            )
        )
        self.certificate = made["certificate"]
        self._tokens["admin"] = made["token"]
        for starter in self.policy_folder.glob("*.yaml"):
            starter.unlink()
        for file in (_HERE / "policy").glob("*.yaml"):
            shutil.copy(file, self.policy_folder)
        credential = self.data / "credentials" / UPSTREAM_USER
        credential.touch(mode=0o600)
        credential.write_text(self.password)

        self.gateway = Child(
            [self.binary, "serve", "--config", self.data / "sluice.yaml"],
            log=self.folder / "sluice.log",
            # Segments are allocated in full when they are begun; small ones are enough here.
            # And when the demo ends, nobody waits for long until those who look around have finished.
            env={**self._environment("nobody"), "SLUICE__RECORD__SEGMENT_SIZE": "4MiB", "SLUICE__DRAIN_TIMEOUT": "2s"},
        )
        self._stack.callback(self.gateway.stop)
        self.gateway.wait_until(self._is_ready, timeout=30, what="Sluice")
        self._stack.callback(self._stop_gateway)

    def _stop_gateway(self) -> None:
        code = self.gateway.stop()
        if code != 0:
            raise Unexpected(f"Sluice did not stop in good order: exit code {code}.\n{self.gateway.log_tail()}")

    def _is_ready(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.admin_url}/readyz", timeout=5) as answer:
            return answer.status == 200
        return False

    def _register(self) -> None:
        """The connection, the people and their tokens, all with the command line."""
        self.sluice("admin", *self.connection_command())
        for person in CAST:
            self.sluice("admin", "principal", "create", person.name, *person.options)
            self._tokens[person.name] = self.new_token(person.name)
        for who in self._tokens:
            self._write_env_file(who)

    def connection_command(self) -> list[str]:
        return [
            *["connection", "add", "docs", "--system", "postgres", "--host", self.postgres.host],
            *["--port", str(self.postgres.port), "--database", DATABASE, "--tls", "disable"],
            *["--role", f"app={UPSTREAM_USER}:file:{UPSTREAM_USER}"],
            *["--group", "support", "--group", "data-security", "--group", "dpo"],
        ]

    def new_token(self, who: str, label: str = "demo") -> str:
        made = self.sluice(
            "admin",
            *["token", "create", "--principal", who, "--ttl", "12h", "--label", label, "--output", "json"],
        )
        return json.loads(made)["token"]

    @property
    def policy_folder(self) -> Path:
        return self.data / "policy"

    # -- what clients are told -------------------------------------------------------------------------------

    def _client_settings(self, who: str) -> dict[str, str]:
        """What psql and all other PostgreSQL clients read."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGDATABASE": "docs",
            "PGUSER": "app",
            "PGPASSWORD": self._tokens.get(who, ""),
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": self.certificate,
        }

    def _sluice_settings(self, who: str) -> dict[str, str]:
        return {"SLUICE_ADDR": self.admin_url, "SLUICE_TOKEN": self._tokens.get(who, "")}

    def _environment(self, who: str) -> dict[str, str]:
        """The caller's environment without settings of its own for PostgreSQL and Sluice."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "SLUICE_", "LC_"))}
        clean |= {
            "LC_ALL": "C.UTF-8",
            "PAGER": "",
            "SLUICE_CONTEXT": os.fspath(self.folder / "context.yaml"),  # not the one of whoever runs the demo
        }
        if who not in self._tokens:
            return clean
        return clean | self._client_settings(who) | self._sluice_settings(who)

    def _write_env_file(self, who: str) -> None:
        """For a terminal of one's own: `. ana.env`, and everything that the demo shows can be typed there."""
        file = self.folder / f"{who}.env"
        file.touch(mode=0o600)
        settings = {**self._client_settings(who), **self._sluice_settings(who), "question": self.question["embedding"]}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
        lines.append(f'export PATH={shlex.quote(os.fspath(self.binary.parent))}:"$PATH"')
        file.write_text("\n".join(lines) + "\n")


def queries() -> dict[str, dict[str, Any]]:
    """The questions that the demo asks, by name: `text` and `embedding`."""
    known = json.loads((_HERE / "data" / "queries.json").read_text())["queries"]
    return {query["name"]: query for query in known}


def _hidden_values() -> set[str]:
    text = gzip.decompress((_HERE / "data" / "support_docs.csv.gz").read_bytes()).decode()
    return {row[column] for row in csv.DictReader(io.StringIO(text)) for column in _HIDDEN_COLUMNS}
