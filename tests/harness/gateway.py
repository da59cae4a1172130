"""The gateway under test: a `sluice` process with a data folder of its own.

    with Gateway(settings={"record.durability": "host"}) as gateway:
        gateway.cli("token", "create", "--principal", "svc")
        gateway.api("GET", "/api/v1/sessions")
        Client.connect(gateway.port, user="svc", database="docs", password=token, tls=True)

The binary is build/release/sluice unless the environment variable SLUICE_BIN names another.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import requests

from harness.process import Child, Scratch, free_port

_ROOT = Path(__file__).resolve().parents[2]


def binary() -> Path:
    path = Path(os.environ.get("SLUICE_BIN") or _ROOT / "build" / "release" / "sluice")
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"no gateway at {path}: build it, or name one in SLUICE_BIN")
    return path


class Gateway:
    """Made by `sluice init`, running until `stop()`. `start()` runs it again on the same data and the same ports."""

    host = "127.0.0.1"

    def __init__(
        self, *, policy: Mapping[str, str] | None = None, settings: Mapping[str, object] | None = None
    ) -> None:
        """`policy`: file names and their YAML, in place of the starter policy. `settings`: "record.dir" and the like."""
        self._scratch = Scratch()
        self.data = self._scratch.path / "data"
        self.policy_folder = self.data / "policy"
        self.port = free_port()
        self.admin_port = free_port()
        own = {"postgres.0.port": self.port, "admin.port": self.admin_port}
        self._settings = {_variable(name): str(value) for name, value in {**own, **(settings or {})}.items()}
        self._child: Child | None = None
        try:
            made = self.run("init", "--data", os.fspath(self.data), check=True)
            token = re.search(r"slc_\w+", made.stdout)
            self.admin_token = token[0] if token else ""
            if policy is not None:
                self.write_policy(policy)
            self.start()
        except BaseException:
            self.stop()
            raise

    # -- life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._child = Child(
            [binary(), "serve", "--config", self.data / "sluice.yaml"],
            log=self._scratch.path / "gateway.log",
            env=self._environment(),
        )
        self._child.wait_until(self._is_ready, timeout=30, what="the gateway")

    @property
    def process(self) -> Child:
        """The running process: `pid`, `stop()`, `kill()`, `exit_code()`."""
        if self._child is None:
            raise RuntimeError("the gateway was never started")
        return self._child

    @property
    def log(self) -> str:
        return self.process.log_path.read_text(errors="replace")

    def stop(self) -> None:
        if self._child:
            self._child.stop()
        self._scratch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- use -------------------------------------------------------------------------------------------------

    def run(self, *arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """`sluice` with these arguments."""
        done = subprocess.run(
            [binary(), *arguments], env=self._environment(), capture_output=True, text=True, timeout=60, check=False
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"sluice {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def cli(self, *arguments: str) -> str:
        """A command of the administrator's; its standard output. Raises when it fails."""
        return self.run(*arguments, check=True).stdout

    def api(self, method: str, path: str, *, token: str | None = None, **options: Any) -> requests.Response:
        """A request to the admin API, the administrator's unless `token` says otherwise."""
        headers = {"Authorization": f"Bearer {token or self.admin_token}"}
        return requests.request(method, self.admin_url + path, headers=headers, timeout=30, **options)

    @property
    def admin_url(self) -> str:
        return f"http://{self.host}:{self.admin_port}"

    def write_policy(self, files: Mapping[str, str]) -> None:
        """Replaces the policy by these files; the gateway notices by itself."""
        shutil.rmtree(self.policy_folder, ignore_errors=True)
        self.policy_folder.mkdir()
        for name, yaml in files.items():
            (self.policy_folder / name).write_text(yaml)

    # -- inside ----------------------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        """Settings go in as variables; the sanitizers, should they be built in, keep their options."""
        ours = {"SLUICE_URL": self.admin_url, "SLUICE_TOKEN": getattr(self, "admin_token", "")}
        return {**os.environ, **self._settings, **ours}

    def _is_ready(self) -> bool:
        with suppress(requests.ConnectionError):
            return requests.get(self.admin_url + "/readyz", timeout=5).ok
        return False


def _variable(setting: str) -> str:
    """The variable of a setting: SLUICE__RECORD__DIR for record.dir."""
    return "SLUICE__" + setting.upper().replace(".", "__")
