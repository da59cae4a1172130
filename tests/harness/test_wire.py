"""The wire client against a real server: what a test may rely on when it looks at raw messages."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterator

import pytest

from harness import wire
from harness.postgres import Database, PostgresServer
from harness.wire import Client


@pytest.fixture
def client(database: Database) -> Iterator[Client]:
    with Client.connect(database.server.port, user="postgres", database=database.name) as connected:
        yield connected


def test_startup_is_kept(client: Client) -> None:
    assert client.startup.types.startswith("RS")
    assert client.startup.status == "I"
    assert b"server_version" in client.received


def test_simple_query(client: Client) -> None:
    reply = client.query("SELECT 7 AS seven, NULL, 'é'; SELECT 2; UPDATE pg_class SET relname = relname WHERE false")
    assert reply.types == "TDCTDCCZ"
    assert reply.rows == [[b"7", None, "é".encode()], [b"2"]]
    assert [column.name for column in reply.columns] == ["seven", "?column?", "?column?"]
    assert reply.columns[0].type == 23
    assert reply.tags == ["SELECT 1", "SELECT 1", "UPDATE 0"]
    assert bytes(client.received).endswith(reply.bytes)
    assert client.query("").types == "IZ"


def test_errors_and_notices(client: Client) -> None:
    reply = client.query("DO $$ BEGIN RAISE NOTICE 'look: %', 1; END $$; SELECT 1/0")
    assert reply.notices[0].message == "look: 1"
    assert reply.error.sqlstate == "22012"
    assert reply.error.severity == "ERROR"
    assert client.query("BEGIN; SELECT 1/0").status == "E"


def test_extended_query(client: Client) -> None:
    reply = client.extended("SELECT $1::int + 1, $2::text", [struct.pack("!i", 41), None], formats=[1, 0])
    assert reply.types == "12TDCZ"
    assert reply.rows == [[b"42", None]]


def test_named_statements_portals_and_suspension(client: Client) -> None:
    reply = client.exchange(
        wire.parse("SELECT generate_series(1, $1)", "s", [23]),
        wire.describe(b"S", "s"),
        wire.bind([b"3"], portal="p", statement="s"),
        wire.execute("p", max_rows=2),
        wire.execute("p"),
        wire.close(b"P", "p"),
        wire.close(b"S", "s"),
    )
    assert reply.types == "1tT2DDsDC33Z"
    assert wire.parameter_types(reply.of(b"t")[0]) == (23,)


def test_binary_vectors(client: Client) -> None:
    reply = client.extended("SELECT '[1,2,3]'::vector", result_formats=[1])
    assert reply.rows == [[struct.pack("!hh3f", 3, 0, 1, 2, 3)]]


def test_copy_round_trip(client: Client) -> None:
    client.query("CREATE TABLE t (n int, name text)")
    assert client.copy_in("COPY t FROM STDIN", [b"1\tone\n2\t", b"two\n"]).tags == ["COPY 2"]
    out = client.query("COPY t TO STDOUT (FORMAT csv)")
    assert out.types == "HddcCZ"
    assert out.copied == b"1,one\n2,two\n"
    assert wire.copy_response(out.of(b"H")[0]) == (0, (0, 0))
    failed = client.copy_in("COPY t FROM STDIN", [b"no number\tx\n"])
    assert failed.error.sqlstate == "22P02"


def test_notifications(client: Client) -> None:
    reply = client.query("LISTEN news; NOTIFY news, 'hello'")
    assert [wire.notification(body)[1:] for body in reply.of(b"A")] == [("news", "hello")]


def test_cancel(client: Client) -> None:
    def cancel_soon() -> None:
        time.sleep(0.2)
        client.cancel()

    helper = threading.Thread(target=cancel_soon)
    helper.start()
    reply = client.query("SELECT pg_sleep(30)")
    helper.join()
    assert reply.error.sqlstate == "57014"


def test_hang_up_is_not_an_exception(client: Client) -> None:
    reply = client.query("SELECT pg_terminate_backend(pg_backend_pid())")
    assert reply.closed
    assert reply.error.sqlstate == "57P01"


def test_scram_over_tls(secure_postgres: PostgresServer, postgres17: PostgresServer) -> None:
    for server in (secure_postgres, postgres17):
        with Client.connect(server.port, user="postgres", password=server.password, tls=True) as connected:
            assert connected.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").rows == [[b"t"]]
        with pytest.raises(wire.Refused) as refusal:
            Client.connect(server.port, user="postgres", password="wrong", tls=True)
        assert refusal.value.error.sqlstate == "28P01"


def test_direct_tls(secure_postgres: PostgresServer, postgres17: PostgresServer) -> None:
    for server in (secure_postgres, postgres17):
        with Client.connect(server.port, user="postgres", password=server.password, tls="direct") as connected:
            assert connected.socket.selected_alpn_protocol() == "postgresql"


def test_cleartext_password() -> None:
    with (
        PostgresServer("pgserver", auth="password") as server,
        Client.connect(server.port, user="postgres", password=server.password) as connected,
    ):
        assert connected.query("SELECT 1").rows == [[b"1"]]


def test_protocol_negotiation(postgres16: PostgresServer) -> None:
    with Client.connect(
        postgres16.port, user="postgres", protocol=wire.PROTOCOL_3_2, parameters={"_pq_.odd": "1"}
    ) as connected:
        assert wire.negotiation(connected.startup.of(b"v")[0]) == (0x30000, ["_pq_.odd"])


def test_refused_start(postgres: PostgresServer) -> None:
    with pytest.raises(wire.Refused) as refusal:
        Client.connect(postgres.port, user="postgres", database="nowhere")
    assert refusal.value.error.sqlstate == "3D000"


def test_raw_bytes(postgres: PostgresServer) -> None:
    with Client(postgres.port) as raw:
        assert raw.ask_for(wire.SSL_REQUEST) == b"N"
        raw.send_raw(struct.pack("!ii", 8, 0x00070000))
        assert raw.read_to_end().error.sqlstate == "0A000"
