"""The way to the database: TLS and SCRAM, credentials that stay where they are, a database that goes away."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from harness import documents, wire
from harness.certificates import Certificates
from harness.gateway import Gateway, Login, wait_until
from harness.hostile import HostileServer
from harness.postgres import Database, PostgresServer


@contextmanager
def before(server: PostgresServer, policy: str = documents.EVERYTHING) -> Iterator[tuple[Gateway, Login, Database]]:
    with server.fresh_database(documents.SETUP) as database, Gateway(policy=policy) as gateway:
        gateway.add_connection("docs", database, {"reader": "postgres"})
        yield gateway, gateway.login("ana"), database


@pytest.fixture(params=["secure_postgres", "postgres17"], scope="module")
def secure(request: pytest.FixtureRequest) -> Iterator[tuple[Gateway, Login, Database]]:
    with before(request.getfixturevalue(request.param)) as made:
        yield made


def test_tls_and_scram(secure: tuple[Gateway, Login, Database]) -> None:
    """The session upstream is encrypted, its certificate checked against the given root, its password never in clear."""
    gateway, ana, _ = secure
    with ana.wire() as client:
        answer = client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert answer.rows == [[b"t"]] or answer.error.sqlstate == "42501"
        assert client.query("SELECT count(*) FROM docs").rows == [[b"500"]]
        assert len(client.query(documents.KNN.format(5)).rows) == 5
    assert "true" in gateway.cli("connection", "test", "docs", "-o", "json").lower()


def test_cancel_over_tls(secure: tuple[Gateway, Login, Database]) -> None:
    gateway, ana, _ = secure
    with ana.wire(timeout=30) as client:
        client.send(b"Q", wire.text("SELECT linger(60)"))
        wait_until(lambda: any(s["state"] == "active" for s in gateway.live("ana")), "the statement runs")
        client.cancel()
        assert client.read_until(b"Z").error.sqlstate == "57014"


def test_wrong_password_upstream(secure: tuple[Gateway, Login, Database]) -> None:
    """The client hears that the gateway could not get in, and no more; the log says why; the password is in neither."""
    gateway, ana, database = secure
    secret = gateway.data / "credentials" / "docs"
    secret.write_text("not-the-password")
    try:
        with pytest.raises(wire.Refused) as refused:
            ana.wire()
        assert refused.value.error.sqlstate == "08006"
        assert "password" not in refused.value.error.message
        assert "28P01" in gateway.log
        assert "not-the-password" not in gateway.log
    finally:
        secret.write_text(database.server.password)
    ana.wire().close()


def test_rotation_of_a_credential(secure: tuple[Gateway, Login, Database]) -> None:
    """A new password in the database and in another file: `connection rotate` switches. New sessions use it, open ones
    go on, unless they are to end."""
    gateway, ana, database = secure
    with database.connect() as direct:
        direct.execute("DROP ROLE IF EXISTS rotated")
        direct.execute("CREATE ROLE rotated LOGIN PASSWORD 'first-secret'")
    for name, text in (("first", "first-secret"), ("second", "second-secret")):
        file = gateway.data / "credentials" / name
        file.touch(mode=0o600)
        file.write_text(text)
    body = gateway.ask("GET", "/api/v1/connections/docs")
    roles = [{"alias": "r", "upstream_user": "rotated", "groups": ["members"],
              "credential": {"kind": "file", "reference": "first"}}]  # fmt: skip
    fresh = {key: body[key] for key in ("host", "port", "database", "tls", "tls_ca_file")}
    gateway.ask("POST", "/api/v1/connections", json=fresh | {"name": "rotating", "roles": roles})
    with ana.wire(database="rotating", user="r") as before:
        assert before.query("BEGIN").status == "T"
        with database.connect() as direct:
            direct.execute("ALTER ROLE rotated PASSWORD 'second-secret'")
        gateway.cli("connection", "rotate", "rotating", "--role", "r", "--credential", "file:second")
        with ana.wire(database="rotating", user="r") as after:
            assert after.query("SELECT 1").rows == [[b"1"]]
            assert before.query("SELECT 1").rows == [[b"1"]], "its transaction is still there"
            assert before.query("COMMIT").status == "I"
            gateway.cli("connection", "rotate", "rotating", "--role", "r", "--end-sessions")
            for client in (before, after):
                assert client.read_until(b"E").error.sqlstate == "57P01"
    ana.wire(database="rotating", user="r").close()
    everything = b"".join(p.read_bytes() for p in gateway.record_folder.rglob("*") if p.is_file()) + gateway.log.encode()
    for word in (b"first-secret", b"second-secret", database.server.password.encode()):
        assert word not in everything
    events = gateway.ask("GET", "/api/v1/record/events?kind=admin_action&limit=10")["items"]
    rotations = [event["facts"] for event in events if event["facts"]["action"] == "connection.rotate"]
    assert [json.loads(facts["detail"].split(" -> ")[1])["end_sessions"] for facts in rotations] == [True, False]


def test_certificate_of_another_authority(secure_postgres: PostgresServer, tmp_path: object) -> None:
    """The gateway does not speak to a server whose certificate it cannot check, nor without TLS where it is demanded."""
    with secure_postgres.fresh_database(documents.SETUP) as database, Gateway(policy=documents.EVERYTHING) as gateway:
        gateway.add_connection("docs", database, {"reader": "postgres"})
        ana = gateway.login("ana")
        ana.wire().close()
        stranger = Certificates.make(tmp_path)
        gateway.cli("connection", "update", "docs", "--tls-ca-file", os.fspath(stranger.authority))
        with pytest.raises(wire.Refused) as refused:
            ana.wire()
        assert refused.value.error.sqlstate == "08006"
        gateway.cli("connection", "update", "docs", "--tls", "require")
        ana.wire().close()


def test_a_server_without_tls_where_tls_is_demanded(gateway: Gateway, ana: Login, documents_database: Database) -> None:
    gateway.add_connection("plain", documents_database, {"reader": "app"})
    gateway.cli("connection", "update", "plain", "--tls", "require")
    with pytest.raises(wire.Refused) as refused:
        ana.wire(database="plain")
    assert refused.value.error.sqlstate == "08006"


@pytest.mark.parametrize("tls", ["verify_full", "require"])
def test_plaintext_before_tls_from_the_server(
    gateway: Gateway, ana: Login, documents_database: Database, tls: str
) -> None:
    """Somebody on the way injects a reply before the handshake (CVE-2021-23222): the connection is given up."""
    with HostileServer(documents_database.server.port) as hostile:
        hostile.greeting = b"S" + wire.Message(b"R", b"\0\0\0\0").bytes
        name = "inject-" + tls.replace("_", "-")
        gateway.add_connection(name, documents_database, {"reader": "app"}, port=hostile.port)
        gateway.cli("connection", "update", name, "--tls", tls)
        with pytest.raises(wire.Refused):
            ana.wire(database=name)


def test_credential_from_the_environment(documents_database: Database, secure_postgres: PostgresServer) -> None:
    """A variable of the gateway's own process."""
    os.environ["ITEST_DB_PASSWORD"] = secure_postgres.password
    try:
        with Gateway(policy=documents.EVERYTHING) as gateway:
            gateway.cli(
                "connection", "add", "docs", "--host", "127.0.0.1", "--port", str(secure_postgres.port), "--database",
                "postgres", "--tls-ca-file", str(secure_postgres.certificates.authority),
                "--role", "reader=postgres:env:ITEST_DB_PASSWORD", "--group", "members",
            )  # fmt: skip
            with gateway.login("ana").wire() as client:
                assert client.query("SELECT current_user").rows == [[b"postgres"]]
    finally:
        del os.environ["ITEST_DB_PASSWORD"]


def test_credential_from_a_command(secure_postgres: PostgresServer, tmp_path: object) -> None:
    """Where the operator has turned that on."""
    file = tmp_path / "password"
    file.write_text(secure_postgres.password + "\n")
    with Gateway(policy=documents.EVERYTHING, settings={"admin.credential_commands": "true"}) as gateway:
        gateway.cli(
            "connection", "add", "docs", "--host", "127.0.0.1", "--port", str(secure_postgres.port), "--database",
            "postgres", "--tls-ca-file", str(secure_postgres.certificates.authority),
            "--role", f"reader=postgres:command:cat {file}", "--group", "members",
        )  # fmt: skip
        with gateway.login("ana").wire() as client:
            assert client.query("SELECT current_user").rows == [[b"postgres"]]


def test_cleartext_password_upstream() -> None:
    """An old server that asks for the password in clear gets it, on a way that the operator declared as plain."""
    with PostgresServer("pgserver", auth="password") as server, before(server) as (_, ana, _), ana.wire() as client:
        assert client.query("SELECT count(*) FROM docs").rows == [[b"500"]]


def test_an_older_server(postgres16: PostgresServer) -> None:
    """PostgreSQL 16, whose catalogue differs."""
    with before(postgres16) as (_, ana, _), ana.psycopg() as connection:
        assert connection.execute("SELECT count(*) FROM docs").fetchone() == (500,)
        assert connection.execute(documents.KNN.format(1)).fetchone() == (7,)


# -- a database that goes away ---------------------------------------------------------------------------------


@pytest.fixture
def fragile(gateway: Gateway, ana: Login, documents_database: Database) -> Iterator[HostileServer]:
    """A way to the database that a test can cut; connection `fragile`."""
    with HostileServer(documents_database.server.port) as way:
        gateway.add_connection("fragile", documents_database, {"reader": "app"}, port=way.port)
        yield way
        gateway.cli("connection", "delete", "fragile")


def test_nobody_listens(gateway: Gateway, ana: Login, documents_database: Database) -> None:
    gateway.add_connection("nobody", documents_database, {"reader": "app"}, port=9)
    with pytest.raises(wire.Refused) as refused:
        ana.wire(database="nobody")
    assert refused.value.error.sqlstate == "08006"
    assert "127.0.0.1" not in str(refused.value.error)  # where the database is, is none of the client's business


def test_upstream_dies_in_the_middle_of_a_result(gateway: Gateway, ana: Login, fragile: HostileServer) -> None:
    """The client gets a clear error behind the rows that have come, and the record says `upstream_lost`."""
    with ana.wire(database="fragile", timeout=30) as client:
        client.send(b"Q", wire.text("SELECT id, linger(0.01) FROM events ORDER BY id"))
        client.read_until(b"D")
        fragile.drop_all()
        rest = client.read_to_end()
        assert rest.closed
        assert rest.error.sqlstate[:2] in ("08", "57")
        assert rest.tags == []
    newest = wait_until(
        lambda: [o for o in gateway.operations(principal="ana", connection="fragile", text="linger") if o.get("status")],
        "the outcome is recorded",
    )[0]
    assert newest["status"] == "upstream_lost"


def test_upstream_dies_while_idle(gateway: Gateway, ana: Login, fragile: HostileServer) -> None:
    with ana.wire(database="fragile", timeout=30) as client:
        client.query("SELECT 1")
        fragile.drop_all()
        assert client.read_to_end().error.sqlstate[:2] in ("08", "57")


def test_back_end_is_terminated(gateway: Gateway, ana: Login, documents_database: Database) -> None:
    """The server's own farewell reaches the client."""
    with ana.wire(timeout=30) as client:
        ((pid,),) = client.query("SELECT pg_backend_pid()").rows
        with documents_database.connect() as direct:
            direct.execute("SELECT pg_terminate_backend(%s)", [int(pid)])
        ended = client.read_to_end()
        assert ended.error.sqlstate == "57P01"
        assert ended.closed


def test_upstream_that_never_answers(gateway: Gateway, documents_database: Database) -> None:
    """The login upstream has a limit of its own."""
    with (
        Gateway(policy=documents.EVERYTHING, settings={"limits.upstream_connect_timeout": "1s"}) as own,
        HostileServer(documents_database.server.port) as silent,
    ):
        silent.greeting = b""
        own.add_connection("docs", documents_database, {"reader": "app"}, port=silent.port)
        with pytest.raises(wire.Refused) as refused:
            own.login("ana").wire(timeout=30)
        assert refused.value.error.sqlstate == "08006"


def test_client_that_vanishes_cancels_its_query(gateway: Gateway, ana: Login, documents_database: Database) -> None:
    """Nobody is left to read the answer: the database does not go on working for it."""
    client = ana.wire()
    client.send(b"Q", wire.text("SELECT linger(50)"))

    def running() -> int:
        with documents_database.connect() as direct:
            return direct.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%linger(50)%' AND pid <> pg_backend_pid()"
                " AND state = 'active'"
            ).fetchone()[0]

    wait_until(lambda: running() == 1, "the statement runs")
    client.abort()
    wait_until(lambda: running() == 0, "it is cancelled", timeout=15)


def test_slow_client_holds_the_server_and_not_the_gateway(
    gateway: Gateway, ana: Login, documents_database: Database
) -> None:
    """Back-pressure: of 600 MB that nobody reads, the gateway keeps no more than its buffers."""
    def resident() -> int:
        with open(f"/proc/{gateway.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024

    with ana.wire(timeout=60) as client:
        client.query("SELECT 1")
        before_it = resident()
        client.send(b"Q", wire.text("SELECT a.payload, b.payload FROM events a, events b LIMIT 1500000"))
        client.socket.recv(1000)
        waited = threading.Event()
        waited.wait(3)
        grown = resident() - before_it
        assert grown < 64, f"{grown} MB"
        client.abort()


def test_rows_larger_than_any_buffer(gateway: Gateway, ana: Login) -> None:
    """A row of 40 MB passes through in pieces, unchanged."""
    with ana.psycopg() as connection:
        (text,) = connection.execute("SELECT repeat('0123456789abcdef', 2500000)").fetchone()
        assert text == "0123456789abcdef" * 2_500_000
        (data,) = connection.execute("SELECT decode(repeat('00ff', 5000000), 'hex')", binary=True).fetchone()
        assert data == b"\x00\xff" * 5_000_000


def test_errors_of_the_database_pass_unchanged(ana: Login) -> None:
    """Without masks an error is the server's own, with every field that tools go by."""
    with ana.psycopg() as connection:
        with pytest.raises(psycopg.errors.UniqueViolation) as duplicate:
            connection.execute("INSERT INTO docs (id, tenant, title) VALUES (1, 't', 't')")
        said = duplicate.value.diag
        assert (said.constraint_name, said.table_name, said.schema_name) == ("docs_pkey", "docs", "public")
        assert said.message_detail == "Key (id)=(1) already exists."
        with pytest.raises(psycopg.errors.UndefinedColumn) as unknown:
            connection.execute("SELECT titel FROM docs")
        assert unknown.value.diag.statement_position == "8"
        assert 'Perhaps you meant to reference the column "docs.title"' in unknown.value.diag.message_hint
