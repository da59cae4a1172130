"""Who gets in, and with what: the start of a connection, message by message."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import struct
import time
from collections.abc import Iterator

import psycopg
import pytest
from harness import documents, wire
from harness.certificates import Certificates
from harness.gateway import Gateway, Login, wait_until
from harness.postgres import Database
from harness.wire import Client


def refusal(login: Login, **options: object) -> wire.Fields:
    with pytest.raises(wire.Refused) as refused:
        login.wire(**options)
    return refused.value.error


def closed_without_a_word(client: Client) -> bool:
    """The gateway hung up, and told nothing: for what no client in good faith does."""
    try:
        return client.socket.recv(1) == b""
    except ConnectionResetError:
        return True


# -- the way in ------------------------------------------------------------------------------------------------


def test_token_over_tls_opens_a_session(ana: Login) -> None:
    """The client sees a PostgreSQL that is ready, and can use it."""
    with ana.wire() as client:
        assert client.startup.status == "I"
        assert {b"server_version", b"client_encoding"} <= {body.split(b"\0")[0] for body in client.startup.of(b"S")}
        assert client.query("SELECT 1").rows == [[b"1"]]


def test_certificate_is_verified_by_a_strict_client(ana: Login) -> None:
    """The self-signed certificate serves as its own root: verify-full, the strictest mode of libpq, is content."""
    with ana.psycopg() as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_token_does_not_pass_without_tls(ana: Login) -> None:
    """The token is not even asked for."""
    with pytest.raises(wire.Refused) as refused:
        ana.wire(tls=False)
    assert refused.value.error.sqlstate == "28000"
    assert "TLS is required" in refused.value.error.message
    assert refused.value.seen.of(b"R") == []


def test_direct_tls_with_alpn(ana: Login) -> None:
    """PostgreSQL 17's way: TLS from the first byte, the protocol named by ALPN."""
    with ana.wire(tls="direct") as client:
        assert client.socket.selected_alpn_protocol() == "postgresql"
        assert client.query("SELECT 1").rows == [[b"1"]]


def test_direct_tls_without_alpn_is_cut(gateway: Gateway) -> None:
    """Without the protocol's name another protocol's traffic could be passed off as ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", gateway.port), 10) as plain:
        try:
            with context.wrap_socket(plain) as tls:
                assert tls.recv(1) == b""
        except (ssl.SSLError, ConnectionResetError):
            pass  # cut within the handshake: as good


def test_plaintext_behind_ssl_request_is_cut(gateway: Gateway) -> None:
    """Bytes before the handshake would count as sent through TLS (CVE-2021-23214)."""
    with Client(gateway.port) as client:
        hello = wire.startup_message({"user": "reader", "database": "docs"})
        client.send_raw(struct.pack("!ii", 8, wire.SSL_REQUEST) + hello)
        assert closed_without_a_word(client)


def test_gss_encryption_is_declined_and_tls_still_taken(ana: Login) -> None:
    """libpq asks for GSSAPI first where Kerberos is set up."""
    with Client(ana.gateway.port) as client:
        assert client.ask_for(wire.GSS_REQUEST) == b"N"
        client.start_tls()
        client.send_raw(wire.startup_message({"user": ana.role, "database": ana.connection}))
        assert client.read().type == b"R"


def test_newer_protocol_is_negotiated_down(ana: Login) -> None:
    """A client of PostgreSQL 18 that asks for 3.2 and an unknown option hears what it gets, and then works."""
    with ana.wire(protocol=wire.PROTOCOL_3_2, parameters={"_pq_.odd": "1"}) as client:
        assert wire.negotiation(client.startup.of(b"v")[0]) == (wire.PROTOCOL_3_0, ["_pq_.odd"])
        assert len(client.startup.of(b"K")[0]) == 8
        assert client.query("SELECT 1").rows == [[b"1"]]


def test_older_protocols_are_refused(gateway: Gateway) -> None:
    with Client(gateway.port) as client:
        client.start_tls()
        client.send_raw(wire.startup_message({"user": "reader"}, protocol=0x00020000))
        assert client.read_to_end().error.sqlstate == "0A000"


# -- who -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["", "postgres", "slc_", "slc_" + "a" * 51, "slc_" + "é" * 30], ids=repr)
def test_wrong_token(ana: Login, password: str) -> None:
    """All that is not a token of somebody's is refused alike."""
    error = refusal(ana, password=password)
    assert error.sqlstate == "28P01"
    assert error.severity == "FATAL"


def test_a_token_of_one_byte_difference_is_refused(ana: Login) -> None:
    last = "a" if ana.token[-1] != "a" else "b"
    assert refusal(ana, password=ana.token[:-1] + last).sqlstate == "28P01"


def test_expired_token(gateway: Gateway, ana: Login) -> None:
    short = gateway.issue_token("ana", ttl_seconds=1)
    time.sleep(1.2)
    assert refusal(ana, password=short).sqlstate == "28P01"


def test_revoked_token(gateway: Gateway, ana: Login) -> None:
    """Revoked with the CLI, by the whole token as somebody would who finds one leaked."""
    leaked = gateway.issue_token("ana")
    gateway.cli("token", "revoke", leaked)
    assert refusal(ana, password=leaked).sqlstate == "28P01"
    with ana.wire() as client:  # the person's other tokens go on
        assert client.startup.status == "I"


def test_disabled_principal(gateway: Gateway) -> None:
    leaver = gateway.login("leaver")
    leaver.wire().close()
    gateway.cli("principal", "disable", "leaver")
    assert refusal(leaver).sqlstate == "28P01"


@pytest.mark.parametrize("place", ["user", "database", "application_name"])
def test_token_in_the_place_of_a_name(gateway: Gateway, ana: Login, place: str) -> None:
    """A client that is configured wrongly: refused, and the token is in no error, log or record."""
    where = {"parameters": {place: ana.token}} if place == "application_name" else {place: f"x{ana.token}"}
    with pytest.raises(wire.Refused) as refused:
        ana.wire(**where)
    assert refused.value.error.sqlstate == "28000"
    assert ana.token.encode() not in refused.value.seen.bytes
    assert ana.token not in gateway.log

    def record() -> bytes:
        return b"".join(path.read_bytes() for path in gateway.record_folder.rglob("*.segment"))

    wait_until(lambda: b"token_in_parameter" in record(), "it is recorded")
    assert ana.token.encode() not in record()


def test_token_made_by_the_cli(gateway: Gateway, ana: Login) -> None:
    """`token create` prints the token alone on standard output, and it works."""
    token = gateway.cli("token", "create", "--principal", "ana", "--ttl", "1h").strip()
    assert token.startswith("slc_")
    assert len(token) <= 80
    ana.wire(password=token).close()
    assert token not in gateway.cli("token", "list")


# -- where to --------------------------------------------------------------------------------------------------


def test_unknown_connection(ana: Login) -> None:
    error = refusal(ana, database="nowhere")
    assert error.sqlstate == "3D000"
    assert "nowhere" in error.message


def test_unknown_connection_is_told_to_nobody_without_a_token(ana: Login) -> None:
    """Names of connections are for those who are let in: without a token the answer is always the same."""
    there = refusal(ana, password="slc_wrong")
    not_there = refusal(ana, password="slc_wrong", database="nowhere", user="nobody")
    assert there == not_there


def test_unknown_role(ana: Login) -> None:
    assert refusal(ana, user="postgres").sqlstate == "28000"


def test_role_of_another_group(gateway: Gateway) -> None:
    """Being known is not enough: the role names the groups that may use it."""
    assert refusal(gateway.login("outsider", groups=["others"])).sqlstate == "28000"


def test_disabled_connection(gateway: Gateway, ana: Login, documents_database: Database) -> None:
    gateway.add_connection("spare", documents_database, {"reader": "app"})
    ana.wire(database="spare").close()
    gateway.cli("connection", "disable", "spare")
    assert refusal(ana, database="spare").sqlstate == "57P03"
    gateway.cli("connection", "enable", "spare")
    ana.wire(database="spare").close()


# -- start-up parameters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters",
    [
        {"options": "-c role=postgres"},
        {"options": "-c standard_conforming_strings=off"},
        {"replication": "true"},
        {"replication": "database"},
        {"role": "postgres"},
        {"session_authorization": "postgres"},
        {"local_preload_libraries": "x"},
        {"standard_conforming_strings": "off"},
        {"client_encoding": "SJIS"},
        {"client_encoding": "SQL_ASCII"},
        {"row_security": "off"},
        {"no_such_setting": "1"},
    ],
    ids=lambda parameters: "=".join(*parameters.items()),
)
def test_start_up_parameters_that_are_refused(ana: Login, parameters: dict[str, str]) -> None:
    assert refusal(ana, parameters=parameters).sqlstate == "0A000"


def test_start_up_parameters_that_pass(ana: Login) -> None:
    """What drivers send: settings of presentation take effect, pins may be named with their own value."""
    given = {
        "DateStyle": "SQL, DMY",
        "TimeZone": "Asia/Tokyo",
        "extra_float_digits": "2",
        "client_encoding": "'utf-8'".strip("'"),
        "standard_conforming_strings": "on",
        "search_path": "public",
        "statement_timeout": "30s",
        "replication": "false",
        "options": "",
    }
    with ana.wire(parameters=given) as client:
        assert client.query("SHOW TimeZone").rows == [[b"Asia/Tokyo"]]
        assert client.query("SHOW DateStyle").rows == [[b"SQL, DMY"]]
        assert client.query("SHOW statement_timeout").rows == [[b"30s"]]


def test_application_name_upstream_names_principal_and_session(
    gateway: Gateway, ana: Login, documents_database: Database
) -> None:
    """The database's own log and activity view attribute too; the client sees the name that it gave."""
    with ana.wire(parameters={"application_name": "report"}) as client:
        (live,) = [session for session in gateway.live("ana") if session["state"] == "idle"]
        with documents_database.connect() as direct:
            names = direct.execute(
                "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND usename = 'app'"
            ).fetchall()
        assert (f"sluice:ana:{live['id']} report",) in names
        assert b"application_name\0report\0" in client.startup.of(b"S")


# -- order of messages -----------------------------------------------------------------------------------------


def test_statement_behind_the_password_is_not_run(ana: Login) -> None:
    """A client cannot know yet that it is in."""
    with Client(ana.gateway.port) as client:
        client.start_tls()
        client.send_raw(wire.startup_message({"user": ana.role, "database": ana.connection}))
        assert client.read().type == b"R"
        client.send_all(wire.Message(b"p", wire.text(ana.token)), wire.Message(b"Q", wire.text("SELECT 1")))
        assert client.read_to_end().rows == []


def test_statement_instead_of_the_password(ana: Login) -> None:
    with Client(ana.gateway.port) as client:
        client.start_tls()
        client.send_raw(wire.startup_message({"user": ana.role, "database": ana.connection}))
        assert client.read().type == b"R"
        client.send(b"Q", wire.text("SELECT 1"))
        assert closed_without_a_word(client)


def test_second_start_up_ends_the_session(ana: Login) -> None:
    with ana.wire() as client:
        client.send_raw(wire.startup_message({"user": "postgres"}))
        assert client.read_to_end().closed


def test_parameters_without_a_user(gateway: Gateway) -> None:
    with Client(gateway.port) as client:
        client.start_tls()
        client.send_raw(wire.startup_message({"database": "docs"}))
        assert client.read_to_end().error.sqlstate == "28000"


@pytest.mark.parametrize(
    "packet",
    [
        struct.pack("!i", 3),
        struct.pack("!i", -1),
        struct.pack("!i", 2**31 - 1),
        struct.pack("!ii", 9, wire.PROTOCOL_3_0) + b"x",
        struct.pack("!ii", 16, wire.CANCEL_REQUEST) + b"\0" * 3,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0" * 64,
    ],
    ids=["length 3", "length -1", "length 2^31-1", "no end", "half a cancel", "HTTP", "zeros"],
)
def test_malformed_first_packet_is_cut(gateway: Gateway, ana: Login, packet: bytes) -> None:
    """The connection ends, with an error at most; the gateway goes on."""
    with Client(gateway.port) as client:
        client.send_raw(packet)
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read_to_end().closed
    ana.wire().close()


# -- a listener that is set up otherwise -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def strict(documents_database: Database) -> Iterator[Gateway]:
    """Without TLS on loopback, and with limits that tests can reach."""
    settings = {
        "postgres.0.tls": "allowed_on_loopback",
        "postgres.0.connection": "docs",
        "limits.login_timeout": "3s",
        "limits.sessions_per_principal": 2,
        "limits.idle_timeout": "2s",
    }
    with Gateway(policy='rules: [{name: all, match: {verb: "*"}, allow: true}]', settings=settings) as running:
        running.add_connection("docs", documents_database, {"reader": "app"})
        yield running


def test_plaintext_on_loopback_where_allowed(strict: Gateway) -> None:
    """Only this setting lets a token pass in clear, and only on this machine."""
    with strict.login("plain").wire(tls=False) as client:
        assert client.query("SELECT 1").rows == [[b"1"]]


def test_listener_that_names_its_connection(strict: Gateway) -> None:
    """Whatever dbname the client has, it gets this connection."""
    with strict.login("plain").wire(tls=False, database="whatever") as client:
        assert client.query("SELECT count(*) FROM docs").rows == [[b"500"]]


def test_silent_client_is_cut(strict: Gateway) -> None:
    """A client that does not log in is not kept."""
    with Client(strict.port, timeout=30) as client:
        assert closed_without_a_word(client)


def test_sessions_of_one_principal_are_bounded(strict: Gateway) -> None:
    many = strict.login("many")
    with many.wire(tls=False), many.wire(tls=False):
        assert refusal(many, tls=False).sqlstate == "53300"
        strict.login("plain").wire(tls=False).close()  # others are not concerned
    wait_until(lambda: not strict.live("many"), "the two have ended")
    many.wire(tls=False).close()


@pytest.fixture(scope="module")
def small(documents_database: Database) -> Iterator[Gateway]:
    """Room for two sessions."""
    settings = {"limits.sessions": 2, "workers": 1, "postgres.0.tls": "allowed_on_loopback"}
    with Gateway(policy=documents.EVERYTHING, settings=settings) as running:
        running.add_connection("docs", documents_database, {"reader": "app"})
        yield running


def nobody_in(gateway: Gateway) -> Login:
    """Who may come in, once those before have left."""
    wait_until(lambda: not gateway.live(), "the sessions of the test before have ended")
    return gateway.login("ana")


def test_a_full_gateway_says_so(small: Gateway) -> None:
    """In the client's own protocol, with TLS and without, before it has shown a token."""
    ana = nobody_in(small)
    with ana.wire(), ana.wire():
        for tls in (True, "direct", False):
            said = refusal(ana, tls=tls, password="not-even-looked-at")
            assert (said.sqlstate, said.severity) == ("53300", "FATAL")
            assert "limits.sessions" in said.hint
        with pytest.raises(psycopg.OperationalError, match="as many sessions as it may have"):
            ana.psycopg()
    wait_until(lambda: not small.live("ana"), "the two have ended")
    ana.wire().close()
    assert len(small.ask("GET", "/api/v1/sessions?limit=10")["items"]) == 3, "nobody else got a session"
    assert small.api("GET", "/metrics").text.count('sluice_logins_refused_total{cause="gateway_full"} 4') == 1


def test_a_full_gateway_hears_cancel_requests(small: Gateway) -> None:
    """A statement that never ends is why it is full."""
    ana = nobody_in(small)
    with ana.wire(timeout=30) as client, ana.wire():
        client.send(b"Q", wire.text("SELECT linger(60)"))
        wait_until(lambda: any(s["state"] == "active" for s in small.live("ana")), "the statement runs")
        client.cancel()
        assert client.read_until(b"Z").error.sqlstate == "57014"


def test_a_full_gateway_says_so_to_a_bounded_number(small: Gateway) -> None:
    """Clients that come in crowds and say nothing are closed, and cost those who are in nothing."""
    ana = nobody_in(small)
    with ana.wire() as client, ana.wire():
        crowd = [Client(small.port) for _ in range(60)]
        try:
            at_once = [one for one in crowd if _is_closed(one)]
            assert len(at_once) >= 60 - 16, "sixteen are waited for, the others are closed as they come"
            assert client.query("SELECT 1").rows == [[b"1"]]
            wait_until(lambda: all(_is_closed(one) for one in crowd), "nobody is waited for longer than two seconds")
        finally:
            for one in crowd:
                one.abort()
    wait_until(lambda: not small.live("ana"), "the two have ended")
    ana.wire().close()


def _is_closed(client: Client) -> bool:
    client.socket.settimeout(0.05)
    try:
        return closed_without_a_word(client)
    except TimeoutError:
        return False


def test_idle_session_ends(strict: Gateway) -> None:
    with strict.login("idler").wire(tls=False, timeout=30) as client:
        assert client.read_to_end().error.sqlstate == "57P05"


def test_session_idle_in_a_transaction_ends(documents_database: Database) -> None:
    """Only there: outside of a transaction another setting holds. The database has rolled back. Read again on SIGHUP."""
    with Gateway(policy=documents.EVERYTHING) as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        login = gateway.login("ana")
        with login.wire(timeout=30) as outside, login.wire(timeout=30) as inside:
            inside.query("BEGIN; INSERT INTO notes VALUES (801, 1, 'x')")
            set_in_file(gateway, "limits", "idle_in_transaction_timeout: 1s", "sessions_per_principal: 2")
            os.kill(gateway.process.pid, signal.SIGHUP)
            assert inside.read_to_end().error.sqlstate == "25P03"
            assert outside.query("SELECT count(*) FROM notes WHERE id = 801").rows == [[b"0"]]
            wait_until(lambda: not [s for s in gateway.live("ana") if s["state"] != "idle"], "the session has ended")
            with login.wire():
                assert refusal(login).sqlstate == "53300"
        shown = gateway.ask("GET", "/api/v1/config")["limits"]
        assert (shown["idle_in_transaction_timeout"], shown["sessions_per_principal"]) == ("1s", 2)
        set_in_file(gateway, "limits", "sessions_per_principal: 0")
        os.kill(gateway.process.pid, signal.SIGHUP)
        wait_until(lambda: "settings not reloaded" in gateway.log, "the mistake is noticed")
        assert gateway.ask("GET", "/api/v1/config")["limits"]["sessions_per_principal"] == 2


def test_settings_that_need_a_restart_are_named(documents_database: Database) -> None:
    with Gateway(policy=documents.EVERYTHING) as gateway:
        set_in_file(gateway, "limits", "message_size: 1MiB")
        os.kill(gateway.process.pid, signal.SIGHUP)
        wait_until(lambda: "takes effect after a restart" in gateway.log, "it is said")
        assert "limits.message_size" in gateway.log
        assert gateway.ask("GET", "/api/v1/config")["limits"]["message_size"] == "64MiB"


def set_in_file(gateway: Gateway, section: str, *lines: str) -> None:
    """Replaces a section of the settings file."""
    file = gateway.data / "sluice.yaml"
    kept = re.sub(rf"(?ms)^{section}:.*?(?=^\S|\Z)", "", file.read_text())
    file.write_text(kept + f"\n{section}:\n" + "".join(f"  {line}\n" for line in lines))


# -- last: it changes the certificate ---------------------------------------------------------------------------


def test_certificate_is_reloaded_when_its_files_change(gateway: Gateway, ana: Login, tmp_path: object) -> None:
    """A renewed certificate is served to new connections within seconds; those that are open stay."""
    made = Certificates.make(tmp_path)
    key = gateway.data / "tls" / "server.key"
    for problem, spoil in (("server.key: error", lambda: key.write_text("no key")), ("read by others", lambda: key.chmod(0o644))):
        kept = key.read_bytes()
        spoil()
        os.utime(key)
        wait_until(lambda said=problem: re.search(f"the older one stays.*{said}", gateway.log), "it is said")
        with ana.wire() as client:  # the older one
            assert client.query("SELECT 1").rows == [[b"1"]]
        key.chmod(0o600)
        key.write_bytes(kept)
    with ana.wire() as before:
        shutil.copy(made.key, gateway.data / "tls" / "server.key")
        shutil.copy(made.certificate, gateway.certificate)

        def new_one_is_served() -> bool:
            try:
                psycopg.connect(ana.conninfo(sslrootcert=str(made.authority))).close()
            except psycopg.OperationalError:
                return False
            return True

        wait_until(new_one_is_served, "the new certificate is served")
        assert before.query("SELECT 1").rows == [[b"1"]]
