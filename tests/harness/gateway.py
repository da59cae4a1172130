"""The gateway under test: a `sluice` process with a data folder of its own.

    with Gateway(policy=YAML, settings={"record.durability": "host"}) as gateway:
        gateway.add_connection("docs", database, {"reader": "app"})
        ana = gateway.login("ana")                   # a principal of group `members`, with a token
        ana.wire().query("SELECT 1")                 # every byte of the protocol
        ana.psycopg().execute("SELECT 1")            # a real driver
        gateway.cli("review", "approve", review, token=ben.token)
        gateway.api("GET", "/api/v1/sessions")

Stopping it fails when the process did not end in good order: sanitizers report there, and so does a drain that hangs.
The binary is build/release/sluice unless the environment variable SLUICE_BIN names another.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import psycopg
import psycopg.conninfo
import requests

from harness.postgres import Database
from harness.process import Child, Scratch, free_port
from harness.wire import Client

_ROOT = Path(__file__).resolve().parents[2]

_SETTINGS: dict[str, object] = {
    "workers": 2,
    "drain_timeout": "2s",  # a session that a test has left open is ended then
    "record.segment_size": "4MiB",  # preallocated for each worker
}

_SANITIZER_FINDINGS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer")


def binary() -> Path:
    path = Path(os.environ.get("SLUICE_BIN") or _ROOT / "build" / "release" / "sluice")
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"no gateway at {path}: build it, or name one in SLUICE_BIN")
    return path


class Gateway:
    """Made by `sluice init`, running until `stop()`. `start()` runs it again on the same data and the same ports."""

    host = "127.0.0.1"

    def __init__(
        self, *, policy: str | Mapping[str, str] | None = None, settings: Mapping[str, object] | None = None
    ) -> None:
        """`policy`: YAML, or file names and their YAML, in place of the starter policy. `settings`: "record.dir" and so on."""
        self._scratch = Scratch()
        self.data = self._scratch.path / "data"
        self.policy_folder = self.data / "policy"
        self.certificate = self.data / "tls" / "server.crt"
        self.port = free_port()
        self.admin_port = free_port()
        own = {"postgres.0.port": self.port, "admin.port": self.admin_port}
        settings = {**_SETTINGS, **own, **(settings or {})}
        self.record_folder = Path(str(settings.get("record.dir", self.data / "record")))
        self._settings = {_variable(name): str(value) for name, value in settings.items()}
        self._child: Child | None = None
        self._killed = False
        self.admin_token = ""
        self._tokens: dict[str, str] = {}
        try:
            made = self.run("init", "--data", os.fspath(self.data), "--output", "json", check=True)
            self.admin_token = json.loads(made.stdout)["token"]
            if policy is not None:
                self.write_policy(policy)
            self.start()
        except BaseException:
            if self._child is not None:
                self._child.stop()
            self._scratch.close()
            raise

    # -- life ------------------------------------------------------------------------------------------------

    def set(self, setting: str, value: object) -> None:
        """For the next start."""
        self._settings[_variable(setting)] = str(value)

    def start(self, *, prefix: Sequence[str | Path] = ()) -> None:
        """`prefix`: a program that starts the gateway under its conditions, such as prlimit."""
        self._killed = False
        self._child = Child(
            [*prefix, binary(), "serve", "--config", self.data / "sluice.yaml"],
            log=self._scratch.path / "gateway.log",
            env=self._environment(self.admin_token),
        )
        self._child.wait_until(self._is_ready, timeout=60, what="the gateway")

    @property
    def process(self) -> Child:
        """The running process: `pid`, `exit_code()`."""
        if self._child is None:
            raise RuntimeError("the gateway was never started")
        return self._child

    @property
    def log(self) -> str:
        return self.process.log_path.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL, for tests of what survives that."""
        self._killed = True
        self.process.kill()

    def end(self) -> None:
        """SIGTERM, and fails unless it drains and ends in good order; its data stay."""
        if self._child is None or self._killed:
            return
        code = self._child.stop(timeout=30)
        self._killed = True
        findings = [line for line in self.log.splitlines() if any(word in line for word in _SANITIZER_FINDINGS)]
        if code != 0 or findings:
            raise AssertionError(f"the gateway ended with exit code {code}. {findings}\n{self._child.log_tail(120)}")

    def stop(self) -> None:
        try:
            self.end()
        finally:
            self._scratch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.stop()
            return
        with suppress(AssertionError):  # the test's own failure is the one to show
            self.stop()

    # -- use -------------------------------------------------------------------------------------------------

    def run(self, *arguments: str, check: bool = False, token: str | None = None) -> subprocess.CompletedProcess[str]:
        """`sluice` with these arguments, as the administrator unless `token` says otherwise."""
        done = subprocess.run(
            [binary(), *arguments],
            env=self._environment(self.admin_token if token is None else token),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"sluice {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def cli(self, *arguments: str, token: str | None = None) -> str:
        """A command; its standard output. Raises when it fails."""
        return self.run(*arguments, check=True, token=token).stdout

    def cli_json(self, *arguments: str, token: str | None = None) -> Any:
        """A command with `--output json`, decoded."""
        return json.loads(self.cli(*arguments, "--output", "json", token=token))

    def api(self, method: str, path: str, *, token: str | None = None, **options: Any) -> requests.Response:
        """A request to the admin API, the administrator's unless `token` says otherwise."""
        headers = {"Authorization": f"Bearer {self.admin_token if token is None else token}"} | options.pop("headers", {})
        return requests.request(method, self.admin_url + path, headers=headers, timeout=60, **options)

    def ask(self, method: str, path: str, *, token: str | None = None, **options: Any) -> Any:
        """The same, for what must succeed: the decoded answer."""
        answer = self.api(method, path, token=token, **options)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    @property
    def admin_url(self) -> str:
        return f"http://{self.host}:{self.admin_port}"

    # -- policy ----------------------------------------------------------------------------------------------

    def write_policy(self, policy: str | Mapping[str, str]) -> None:
        """Replaces the policy by this; the gateway notices by itself."""
        self.policy_folder.mkdir(exist_ok=True)
        files = {"10-test.yaml": policy} if isinstance(policy, str) else policy
        for old in self.policy_folder.iterdir():
            if old.name not in files:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        for name, yaml in files.items():
            beside = self.policy_folder / f".{name}.new"
            beside.write_text(yaml)
            beside.rename(self.policy_folder / name)  # at once: half a file is never read

    def load_policy(self, policy: str | Mapping[str, str]) -> None:
        """Replaces the policy and waits until the gateway has noticed."""
        before = self.ask("GET", "/api/v1/policy")["version"]
        self.write_policy(policy)
        wait_until(lambda: self.ask("GET", "/api/v1/policy")["version"] != before, "the policy is loaded")

    # -- who and where ---------------------------------------------------------------------------------------

    def add_connection(
        self,
        name: str,
        database: Database,
        roles: Mapping[str, str],
        *,
        groups: Sequence[str] = ("members",),
        port: int | None = None,
    ) -> None:
        """`roles`: aliases and the upstream users that they stand for. `port`: of a server that stands before the database."""
        server = database.server
        if server.auth == "trust":
            credential = {"kind": "none"}
        else:
            secret = self.data / "credentials" / name
            secret.touch(mode=0o600)
            secret.write_text(server.password)
            credential = {"kind": "file", "reference": name}
        body = {
            "name": name,
            "host": server.host,
            "port": port or server.port,
            "database": database.name,
            "tls": "verify_full" if server.certificates else "disable",
            "roles": [
                {"alias": alias, "upstream_user": user, "groups": list(groups), "credential": credential}
                for alias, user in roles.items()
            ],
        }
        if server.certificates:
            body["tls_ca_file"] = os.fspath(server.certificates.authority)
        self.ask("POST", "/api/v1/connections", json=body)

    def add_principal(self, name: str, groups: Sequence[str] = ("members",), **fields: object) -> None:
        self.ask("POST", "/api/v1/principals", json={"name": name, "groups": list(groups), **fields})

    def issue_token(self, principal: str, ttl_seconds: int = 3600) -> str:
        body = {"principal": principal, "ttl_seconds": ttl_seconds}
        return self.ask("POST", "/api/v1/tokens", json=body)["token"]

    def login(
        self, principal: str, groups: Sequence[str] = ("members",), *, connection: str = "docs", role: str = "reader"
    ) -> Login:
        """A principal with a token, made at the first call for this name."""
        if principal not in self._tokens:
            self.add_principal(principal, groups)
            self._tokens[principal] = self.issue_token(principal)
        return Login(self, connection, role, principal, self._tokens[principal])

    # -- the record ------------------------------------------------------------------------------------------

    def operations(self, **filters: str) -> list[dict]:
        """Recorded operations, newest first."""
        return self.ask("GET", "/api/v1/operations", params=filters)["items"]

    def replay(self, session: str) -> list[dict]:
        """Every entry of a session, in order."""
        return self.ask("GET", f"/api/v1/sessions/{session}/replay", params={"limit": "1000"})["items"]

    def live(self, principal: str = "") -> list[dict]:
        """Who is connected now."""
        return self.ask("GET", "/api/v1/sessions/live", params={"principal": principal})["items"]

    def verify_offline(self) -> subprocess.CompletedProcess[str]:
        """`sluice record verify` with nothing but the folder and the public key; also of a gateway that is not running."""
        key = self.data / "keys" / "record.pub"
        return self.run("record", "verify", "--dir", os.fspath(self.record_folder), "--key", os.fspath(key))

    # -- inside ----------------------------------------------------------------------------------------------

    def _environment(self, token: str) -> dict[str, str]:
        """Settings go in as variables; the sanitizers, should they be built in, keep their options."""
        context = self._scratch.path / "context.yaml"  # not that of the person who runs the tests
        ours = {"SLUICE_ADDR": self.admin_url, "SLUICE_TOKEN": token, "SLUICE_CONTEXT": os.fspath(context)}
        # What AddressSanitizer keeps of freed memory would hide what the gateway itself keeps.
        sanitizer = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=32"]))
        return {**os.environ, "ASAN_OPTIONS": sanitizer, **self._settings, **ours}

    def _is_ready(self) -> bool:
        with suppress(requests.ConnectionError, requests.Timeout):
            return requests.get(self.admin_url + "/readyz", timeout=5).ok
        return False


@dataclass(frozen=True)
class Login:
    """What a client is configured with: where the gateway is, the connection, the role alias, and a token as password."""

    gateway: Gateway
    connection: str
    role: str
    principal: str
    token: str

    def wire(self, **options: Any) -> Client:
        """The client that hides nothing, over TLS. `options` are those of Client.connect."""
        given = {"user": self.role, "database": self.connection, "password": self.token, "tls": True}
        return Client.connect(self.gateway.port, **(given | options))

    @property
    def parameters(self) -> dict[str, str]:
        return {
            "host": self.gateway.host,
            "port": str(self.gateway.port),
            "dbname": self.connection,
            "user": self.role,
            "password": self.token,
            "sslmode": "verify-full",
            "sslrootcert": os.fspath(self.gateway.certificate),
            "connect_timeout": "20",
        }

    def conninfo(self, **parameters: str) -> str:
        """For libpq: psql, psycopg, pgbench, pg_dump."""
        return psycopg.conninfo.make_conninfo("", **(self.parameters | parameters))

    def psycopg(self, *, autocommit: bool = True, **options: Any) -> psycopg.Connection:
        return psycopg.connect(self.conninfo(), autocommit=autocommit, **options)

    def url(self, scheme: str) -> str:
        """For SQLAlchemy and whatever else takes one."""
        place = f"{quote(self.role)}:{quote(self.token)}@{self.gateway.host}:{self.gateway.port}/{quote(self.connection)}"
        return f"{scheme}://{place}?sslmode=verify-full&sslrootcert={quote(os.fspath(self.gateway.certificate))}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that libpq reads, and npm's pg."""
        names = {
            "host": "PGHOST",
            "port": "PGPORT",
            "dbname": "PGDATABASE",
            "user": "PGUSER",
            "password": "PGPASSWORD",
            "sslmode": "PGSSLMODE",
            "sslrootcert": "PGSSLROOTCERT",
        }
        return {names[key]: value for key, value in self.parameters.items() if key in names}


def wait_until(ready: Callable[[], Any], what: str, timeout: float = 20) -> Any:
    """Waits until `ready()` answers something true, and returns that."""
    deadline = time.monotonic() + timeout
    while not (found := ready()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout} s until {what}")
        time.sleep(0.05)
    return found


def _variable(setting: str) -> str:
    """The variable of a setting: SLUICE__RECORD__DIR for record.dir."""
    return "SLUICE__" + setting.upper().replace(".", "__")
