"""Sluice as it is measured: one worker, a machine principal with a token, the generated policy, recording on, no TLS."""

from __future__ import annotations

from typing import Self

from dataset import ROLE
from harness.gateway import Gateway
from make_policy import FOLDER
from peers import Peer

_CONNECTION = "bench"
_PRINCIPAL = "svc-bench"
_GROUP = "bench"

# What differs from a fresh installation: one thread to compare with PgBouncer's one, no TLS as for the others, and room
# for all the idle sessions of one principal.
_SETTINGS = {
    "workers": 1,
    "postgres.0.tls": "allowed_on_loopback",
    "limits.sessions": 20_000,
    "limits.sessions_per_principal": 20_000,
}


class SluicePeer:
    """A gateway before the server at `port`."""

    def __init__(self, port: int, database: str) -> None:
        policy = {path.name: path.read_text() for path in FOLDER.glob("*.yaml")}
        self._gateway = Gateway(policy=policy, settings=_SETTINGS)
        try:
            self._create("principals", name=_PRINCIPAL, kind="machine", groups=[_GROUP], owner="bench")
            self._create(
                "connections",
                name=_CONNECTION,
                host="127.0.0.1",
                port=port,
                database=database,
                tls="disable",
                roles=[{"alias": ROLE, "groups": [_GROUP], "upstream_user": ROLE, "credential": {"kind": "none"}}],
            )
            token = self._create("tokens", principal=_PRINCIPAL)["token"]
        except BaseException:
            self._gateway.stop()
            raise
        pid = self._gateway.process.pid
        self.peer = Peer("sluice", self._gateway.port, ROLE, token, _CONNECTION, pid)

    def _create(self, resource: str, **fields: object) -> dict:
        answer = self._gateway.api("POST", f"/api/v1/{resource}", json=fields)
        if not answer.ok:
            raise RuntimeError(f"the gateway refused to make one of {resource}: {answer.status_code} {answer.text}")
        return answer.json()

    def stop(self) -> None:
        self._gateway.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
