"""The admin API and the command line: who may do what, what is described, what is measured."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import struct
import subprocess
from pathlib import Path

import pytest
import requests
from harness import wire
from harness.certificates import Certificates
from harness.gateway import Gateway, Login, binary, wait_until
from harness.postgres import Database
from harness.process import Child, free_port

_ROUTES = Path(__file__).resolve().parents[2] / "src" / "admin" / "routes.cc"


def route_table() -> list[tuple[str, str, str]]:
    """Method, path and who, as the source has them: a route that is added is tested without further ado."""
    found = re.findall(r"Route\{(\w+),\s*\"([^\"]+)\",\s*Who::(\w+)", _ROUTES.read_text())
    assert len(found) > 40
    return [("DELETE" if method == "remove" else method.upper(), path, who) for method, path, who in found]


@pytest.fixture(scope="module")
def tokens(gateway: Gateway) -> dict[str, str]:
    """One token for each role of the API."""
    made = {}
    for role in ("member", "approver", "auditor"):
        gateway.add_principal(f"api-{role}", [], roles=[role])
        made[role] = gateway.issue_token(f"api-{role}")
    return made


def call(gateway: Gateway, method: str, path: str, token: str | None) -> int:
    path = re.sub(r"\{\w+\}", "0000000000000000", path)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"json": {}} if method in ("POST", "PATCH") else {}
    return requests.request(method, gateway.admin_url + path, headers=headers, timeout=60, **body).status_code


MAY = {
    "open": {"nobody", "member", "approver", "auditor"},
    "metrics": {"nobody", "member", "approver", "auditor"},  # clients on loopback need no token
    "member": {"member", "approver", "auditor"},
    "reader": {"auditor"},
    "admin": set(),
}


@pytest.mark.parametrize(("method", "path", "who"), route_table(), ids=lambda value: value)
def test_authorization_of_every_route(
    gateway: Gateway, tokens: dict[str, str], method: str, path: str, who: str
) -> None:
    """Nobody gets further than the route table says; a wrong token is told apart from a role that is not enough."""
    for role in ("nobody", "member", "approver", "auditor"):
        status = call(gateway, method, path, tokens.get(role))
        if role in MAY[who]:
            assert status not in (401, 403), role
        else:
            assert status == (401 if role == "nobody" else 403), role
    if who not in ("open", "metrics"):
        assert call(gateway, method, path, "slc_" + "x" * 51) == 401


def test_unknown_routes_and_methods(gateway: Gateway) -> None:
    assert gateway.api("GET", "/api/v1/nothing").status_code == 404
    assert gateway.api("GET", "/api/v1/principals/").status_code == 404
    assert gateway.api("PUT", "/api/v1/principals").status_code in (404, 405)
    assert gateway.api("GET", "/api/v1/../v1/status").status_code in (200, 404)  # clients may normalise it


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"name": "x", "name": "y"}', '{"nam": "x"}', '{"name": 7}', '{"name": "a/b"}', "\x00", "9" * 100]
)
def test_bodies_that_make_no_sense(gateway: Gateway, body: str) -> None:
    """Refused with a problem in JSON, and nothing is made of them."""
    answer = gateway.api("POST", "/api/v1/principals", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"]


def test_body_over_the_limit(gateway: Gateway) -> None:
    answer = gateway.api("POST", "/api/v1/principals", data="x" * (2 << 20))
    assert answer.status_code == 413


def test_openapi_describes_every_route(gateway: Gateway) -> None:
    """What the gateway serves is the whole table, in OpenAPI 3.1, and the same as the committed document."""
    document = requests.get(gateway.admin_url + "/api/v1/openapi.json", timeout=30).json()
    assert document["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert {(method, path) for method, path, _ in route_table()} <= described
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["responses"]
    references = set(re.findall(r'"\$ref": ?"#/components/schemas/(\w+)"', str(document).replace("'", '"')))
    assert references <= set(document["components"]["schemas"])


def test_metrics_are_prometheus_text(gateway: Gateway, ana: Login) -> None:
    """Names begin with sluice_; sessions and operations are counted."""
    with ana.wire() as client:
        client.query("SELECT 1")
        text = requests.get(gateway.admin_url + "/metrics", timeout=30).text
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line and not line.startswith("#")}
    assert names
    assert all(name.startswith("sluice_") for name in names)
    assert {
        "sluice_build_info",
        "sluice_operation_seconds_count",
        "sluice_operations_total",
        "sluice_policy_errors",
        "sluice_record_entries",
        "sluice_record_free_bytes",
        "sluice_record_writable",
        "sluice_records_total",
        "sluice_refusals_total",
        "sluice_reviews_pending",
        "sluice_sessions",
        "sluice_sessions_total",
    } <= names


def metric(gateway: Gateway, name: str, *labels: str) -> float:
    """The sum of all series of this name that have these labels."""
    lines = gateway.api("GET", "/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name and all(label in line for label in labels))  # fmt: skip


def test_metrics_count_what_happens(gateway: Gateway, ana: Login) -> None:
    """A permitted and a refused operation, a refused log-in."""
    permitted = metric(gateway, "sluice_operations_total", 'decision="permit"', 'verb="scroll"')
    logins = metric(gateway, "sluice_logins_refused_total", 'cause="malformed"')
    records = metric(gateway, "sluice_records_total")
    with ana.wire() as client:
        client.query("SELECT id FROM docs ORDER BY id LIMIT 9")
        refused = metric(gateway, "sluice_refusals_total", 'reason="not_understood"')
        client.query("SELECT no_such_function_anywhere(1)")
        assert metric(gateway, "sluice_sessions_total") >= 1
    with pytest.raises(wire.Refused):
        ana.wire(password="slc_")
    assert metric(gateway, "sluice_operations_total", 'decision="permit"', 'verb="scroll"') == permitted + 1
    assert metric(gateway, "sluice_records_total") == records + 9
    assert metric(gateway, "sluice_refusals_total", 'reason="not_understood"') == refused + 1
    assert metric(gateway, "sluice_logins_refused_total", 'cause="malformed"') == logins + 1


def test_threads_have_names(gateway: Gateway) -> None:
    """For top, gdb and perf."""
    threads = Path(f"/proc/{gateway.process.pid}/task").glob("*/comm")
    names = {thread.read_text().strip() for thread in threads}
    assert {"worker-0", "worker-1", "control-0", "upkeep", "indexer"} <= names


def test_health(gateway: Gateway) -> None:
    assert requests.get(gateway.admin_url + "/healthz", timeout=30).json() == {"status": "ok"}
    assert requests.get(gateway.admin_url + "/readyz", timeout=30).json()["ready"] is True


def test_status_and_me(gateway: Gateway, ana: Login) -> None:
    """A member sees who he is and what he may use."""
    me = gateway.ask("GET", "/api/v1/me", token=ana.token)
    assert (me["name"], me["groups"]) == ("ana", ["members"])
    assert {"name": "docs", "system": "postgres", "roles": ["reader"]} in me["connections"]
    assert gateway.cli_json("status")["ready"] is True


def test_life_of_a_connection(gateway: Gateway, ana: Login, documents_database: Database) -> None:
    """Registered, tested, edited with a guard against others' edits, disabled, deleted: all by the command line."""
    server = documents_database.server
    gateway.cli(
        "connection", "add", "life", "--host", server.host, "--port", str(server.port), "--database",
        documents_database.name, "--tls", "disable", "--role", "reader=app:none", "--role", "boss=postgres:none",
        "--group", "members", "--group", "boss:admins",
    )  # fmt: skip
    shown = gateway.cli_json("connection", "show", "life")
    assert [role["alias"] for role in shown["roles"]] == ["reader", "boss"]
    tested = gateway.cli_json("connection", "test", "life")
    assert tested["ok"] is True
    assert tested["roles"].keys() == {"reader", "boss"}
    with ana.wire(database="life") as client:
        assert client.query("SELECT current_user").rows == [[b"app"]]
    etag = gateway.api("GET", "/api/v1/connections/life").headers["ETag"]
    gateway.cli("connection", "update", "life", "--database", "postgres")
    late = gateway.api(
        "PATCH", "/api/v1/connections/life", json={"database": "template1"}, headers={"If-Match": etag}
    )
    assert late.status_code in (409, 412)
    with ana.wire(database="life") as client:
        assert client.query("SELECT current_database()").rows == [[b"postgres"]]
    assert gateway.run("connection", "add", "life", "--host", "x", "--database", "y", "--role", "a=b").returncode == 6
    gateway.cli("connection", "delete", "life")
    assert gateway.run("connection", "show", "life").returncode == 5


def test_connection_test_says_what_is_wrong(gateway: Gateway, documents_database: Database) -> None:
    """A user that does not exist and a port where nobody listens are told apart."""
    gateway.add_connection("wrong-user", documents_database, {"reader": "no_such_user"})
    said = gateway.run("connection", "test", "wrong-user", "-o", "json")
    assert "no_such_user" in said.stdout + said.stderr
    gateway.add_connection("wrong-port", documents_database, {"reader": "app"}, port=9)
    said = gateway.run("connection", "test", "wrong-port", "-o", "json")
    assert "refused" in (said.stdout + said.stderr).lower()


def test_credential_files_cannot_be_the_gateways_own(gateway: Gateway, documents_database: Database) -> None:
    """Whoever registers connections must not read keys through them."""
    body = {
        "name": "thief",
        "host": "127.0.0.1",
        "port": documents_database.server.port,
        "database": "postgres",
        "tls": "disable",
        "roles": [
            {"alias": "a", "upstream_user": "app", "groups": ["members"],
             "credential": {"kind": "file", "reference": "../keys/record.key"}},
        ],
    }  # fmt: skip
    answer = gateway.api("POST", "/api/v1/connections", json=body)
    if answer.ok:
        tested = gateway.api("POST", "/api/v1/connections/thief/test").text
        assert "own files" in tested or "forbidden" in tested
    commands = body | {"name": "runner"}
    commands["roles"] = [body["roles"][0] | {"credential": {"kind": "command", "reference": "touch /tmp/x"}}]
    answer = gateway.api("POST", "/api/v1/connections", json=commands)
    assert not answer.ok or "forbidden" in gateway.api("POST", "/api/v1/connections/runner/test").text.lower()


def test_the_last_administrator_stays(gateway: Gateway) -> None:
    """Nobody locks everybody out."""
    me = gateway.ask("GET", "/api/v1/me")["name"]
    assert gateway.run("principal", "disable", me).returncode != 0
    assert gateway.run("principal", "delete", me).returncode != 0
    assert gateway.ask("GET", "/api/v1/me")["name"] == me


def test_filters_that_a_list_does_not_have_are_refused(gateway: Gateway) -> None:
    """Sessions have no verb: asked for one, the list says so instead of showing all."""
    assert gateway.api("GET", "/api/v1/sessions", params={"verb": "search"}).status_code == 400
    assert gateway.run("sessions", "list", "--verb", "search").returncode == 2
    assert gateway.run("sessions", "list", "--principal", "ana").returncode == 0


def test_exit_codes(gateway: Gateway, ana: Login) -> None:
    """Scripts go by them."""
    assert gateway.run("principal", "show", "ana").returncode == 0
    assert gateway.run("principal", "shoe", "ana").returncode == 2
    assert gateway.run("principal", "show", "ana", token="slc_" + "x" * 51).returncode == 3
    assert gateway.run("principal", "show", "ana", token=ana.token).returncode == 4
    assert gateway.run("principal", "show", "nobody").returncode == 5
    assert gateway.run("principal", "create", "ana").returncode == 6
    assert gateway.run("--addr", "http://127.0.0.1:1", "status").returncode == 7


def test_token_is_not_sent_in_clear_to_other_machines(gateway: Gateway) -> None:
    done = gateway.run("--addr", "http://192.0.2.1:8640", "status")
    assert done.returncode == 4
    assert "https" in done.stderr


def test_api_over_tls(gateway: Gateway, tmp_path: Path) -> None:
    """With a certificate the API speaks TLS only; a renewed certificate is taken within seconds."""
    data = tmp_path / "data"
    port = free_port()
    token = json.loads(gateway.run("init", "--data", str(data), "--admin-port", str(port), "-o", "json", check=True).stdout)["token"]
    files = {"SLUICE__ADMIN__CERTIFICATE": "tls/server.crt", "SLUICE__ADMIN__KEY": "tls/server.key"}
    env = {**os.environ, **files, "SLUICE__POSTGRES__0__PORT": "0"}
    served = Child([binary(), "serve", "--config", data / "sluice.yaml"], log=tmp_path / "log", env=env)
    try:
        url = f"https://localhost:{port}"
        served.wait_until(lambda: "sluice is ready" in (tmp_path / "log").read_text(), timeout=30, what="the gateway")

        def status(authority: Path) -> subprocess.CompletedProcess[str]:
            return gateway.run("--addr", url, "--ca-file", str(authority), "status", token=token)

        assert status(data / "tls" / "server.crt").returncode == 0
        assert status(gateway.certificate).returncode == 7, "another root does not vouch for it"
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://localhost:{port}/healthz", timeout=10)
        made = Certificates.make(tmp_path)
        shutil.copy(made.key, data / "tls" / "server.key")
        shutil.copy(made.certificate, data / "tls" / "server.crt")
        wait_until(lambda: status(made.authority).returncode == 0, "the new certificate is served")
    finally:
        assert served.stop(timeout=30) == 0


def test_init_refuses_a_folder_in_use(gateway: Gateway) -> None:
    done = gateway.run("init", "--data", str(gateway.data))
    assert done.returncode == 6
    assert done.stdout == ""


def test_files_are_private(gateway: Gateway) -> None:
    """Keys, state, record and settings are for the gateway's user alone."""
    open_to_others = [
        str(path.relative_to(gateway.data))
        for path in gateway.data.rglob("*")
        if path.stat().st_mode & 0o077 and path.name != "server.crt" and "policy" not in path.parts
        and not any((parent.stat().st_mode & 0o077) == 0 for parent in path.parents if gateway.data in [parent, *parent.parents])
    ]  # fmt: skip
    assert open_to_others == []
    keys = [path for path in (gateway.data / "keys").iterdir() if path.suffix != ".pub"]
    assert keys
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys)


def test_settings_are_shown_without_secrets(gateway: Gateway) -> None:
    text = gateway.api("GET", "/api/v1/config").text
    assert str(gateway.admin_port) in text
    assert "slc_" not in text


def test_commands_that_need_no_gateway(tmp_path: Path) -> None:
    """The descriptions are printed by the binary alone."""
    for words in (["openapi"], ["config", "schema"], ["policy", "schema"], ["config", "docs"], ["docs"], ["version"]):
        done = subprocess.run([binary(), *words], capture_output=True, text=True, timeout=60, env={"HOME": os.fspath(tmp_path)})  # noqa: PLW1510  the exit code is not looked at
        assert done.returncode == 0, done.stderr
        assert len(done.stdout) > 5


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"POST /api/v1/principals HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n",
        struct.pack("!ii", 8, 196608),
        bytes(range(256)) * 20,
    ],
    ids=["two lengths", "long path", "many headers", "huge length", "PostgreSQL", "noise"],
)
def test_broken_http(gateway: Gateway, raw: bytes) -> None:
    """Answered with a refusal or cut; the API goes on."""
    with socket.create_connection(("127.0.0.1", gateway.admin_port), 10) as client:
        try:
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
            answer = client.recv(65536)
        except OSError:  # it was cut while we spoke
            answer = b""
    assert answer == b"" or re.match(rb"HTTP/1\.[01] [45]", answer), answer
    assert gateway.api("GET", "/healthz").ok
