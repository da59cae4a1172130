"""A refusal behaves as an error of the server: transactions fail, pipelines are skipped and rolled back, the status is true."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from harness import documents, wire
from harness.gateway import Login
from harness.postgres import Database
from harness.wire import Client

POLICY = documents.MEMBERS

REFUSED = "DELETE FROM notes"


@pytest.fixture
def client(ana: Login) -> Iterator[Client]:
    with ana.wire() as connected:
        yield connected


def insert(number: int) -> str:
    return f"INSERT INTO notes VALUES ({number}, 1, 'x')"


def stored(database: Database, number: int) -> bool:
    with database.connect() as direct:
        (there,) = direct.execute("SELECT EXISTS (SELECT FROM notes WHERE id = %s)", [number]).fetchone()
        direct.execute("DELETE FROM notes WHERE id >= 1000")
        return there


def test_refusal_fails_the_transaction(client: Client, documents_database: Database) -> None:
    """Status E, further statements are refused by the server, COMMIT rolls back: nothing of it is left."""
    assert client.query("BEGIN").status == "T"
    assert client.query(insert(1000)).status == "T"
    refused = client.query(REFUSED)
    assert refused.error.sqlstate == "42501"
    assert refused.status == "E"
    assert client.query("SELECT 1").error.sqlstate == "25P02"
    ended = client.query("COMMIT")
    assert ended.tags == ["ROLLBACK"]
    assert ended.status == "I"
    assert not stored(documents_database, 1000)


def test_savepoint_heals_a_refusal(client: Client, documents_database: Database) -> None:
    """As with any other error."""
    client.query("BEGIN")
    client.query(insert(1001))
    client.query("SAVEPOINT s")
    assert client.query(REFUSED).status == "E"
    assert client.query("ROLLBACK TO s").status == "T"
    assert client.query("COMMIT").tags == ["COMMIT"]
    assert stored(documents_database, 1001)


def test_refusal_outside_of_a_transaction(client: Client, documents_database: Database) -> None:
    client.query(insert(1002))
    assert client.query(REFUSED).status == "I"
    assert stored(documents_database, 1002)


def test_string_of_statements_is_one_transaction(client: Client, documents_database: Database) -> None:
    """None of them runs: not even the part before."""
    reply = client.query(f"{insert(1003)}; {REFUSED}; {insert(1004)}")
    assert reply.error.sqlstate == "42501"
    assert reply.tags == []
    assert not stored(documents_database, 1003)


def test_refusal_in_a_pipeline_rolls_it_back(client: Client, documents_database: Database) -> None:
    """Everything from one Sync to the next is one transaction; what follows the refusal is skipped."""
    reply = client.exchange(
        wire.parse(insert(1005)),
        wire.bind(),
        wire.execute(),
        wire.parse(REFUSED),
        wire.bind(),
        wire.execute(),
        wire.parse(insert(1006), "later"),
        wire.bind(statement="later"),
        wire.execute(),
    )
    assert reply.types == "12CEZ"
    assert reply.error.sqlstate == "42501"
    assert reply.status == "I"
    assert not stored(documents_database, 1005)
    assert client.exchange(wire.bind(statement="later"), wire.execute()).error.sqlstate == "26000"


def test_next_pipeline_runs(client: Client, documents_database: Database) -> None:
    """Skipping ends at the Sync, also when both came in one write."""
    client.send_all(
        wire.parse(REFUSED), wire.bind(), wire.execute(), wire.SYNC,
        wire.parse(insert(1007)), wire.bind(), wire.execute(), wire.SYNC,
    )  # fmt: skip
    assert client.read_until(b"Z").types == "EZ"
    assert client.read_until(b"Z").types == "12CZ"
    assert stored(documents_database, 1007)


def test_refusal_in_a_pipeline_inside_of_a_transaction(client: Client) -> None:
    client.query("BEGIN")
    assert client.extended(REFUSED).status == "E"
    assert client.extended("SELECT 1").error.sqlstate == "25P02"
    assert client.query("ROLLBACK").status == "I"


def test_begin_in_the_same_pipeline(client: Client, documents_database: Database) -> None:
    """The transaction that the pipeline has opened is failed when the refusal is answered."""
    reply = client.exchange(
        wire.parse("BEGIN"), wire.bind(), wire.execute(),
        wire.parse(insert(1008)), wire.bind(), wire.execute(),
        wire.parse(REFUSED), wire.bind(), wire.execute(),
    )  # fmt: skip
    assert reply.status == "E"
    assert client.query("COMMIT").tags == ["ROLLBACK"]
    assert not stored(documents_database, 1008)


def test_refusal_of_the_gateways_own_checks(client: Client) -> None:
    """Also what never gets to a decision: names that do not exist, a syntax error, too many commands."""
    for messages, code in [
        ((wire.bind(statement="no such"), wire.execute()), "26000"),
        ((wire.execute("no such"),), "34000"),
        ((wire.describe(b"S", "no such"),), "26000"),
        ((wire.parse("SELEC 1"),), "42601"),
        ((wire.parse("SELECT 1; SELECT 2"),), "42601"),
    ]:
        client.query("BEGIN")
        reply = client.exchange(*messages)
        assert reply.error.sqlstate == code
        assert reply.status == "E"
        client.query("ROLLBACK")
        reply = client.exchange(*messages)
        assert reply.error.sqlstate == code
        assert reply.status == "I"


def test_server_errors_in_a_pipeline(client: Client, documents_database: Database) -> None:
    """The same books for the server's own errors."""
    reply = client.exchange(
        wire.parse(insert(1009)), wire.bind(), wire.execute(),
        wire.parse("SELECT 1/0"), wire.bind(), wire.execute(),
        wire.parse("SELECT 2"), wire.bind(), wire.execute(),
    )  # fmt: skip
    assert reply.error.sqlstate == "22012"
    assert reply.status == "I"
    assert not stored(documents_database, 1009)
    assert client.extended("SELECT 2").rows == [[b"2"]]


def test_flush_shows_what_there_is(client: Client) -> None:
    """Between Flush and Sync a client may wait for answers, and decide on what it has seen."""
    client.send_all(wire.parse("SELECT 7"), wire.bind(), wire.execute(), wire.FLUSH)
    assert client.read_until(b"C").rows == [[b"7"]]
    client.send_all(wire.parse(REFUSED), wire.FLUSH)
    assert client.read_until(b"E").error.sqlstate == "42501"
    client.send_all(wire.parse("SELECT 8"), wire.bind(), wire.execute(), wire.SYNC)
    assert client.read_until(b"Z").types == "Z"


def test_describe_before_bind(client: Client) -> None:
    """What drivers do to learn types."""
    reply = client.exchange(wire.parse("SELECT id, embedding FROM docs WHERE id = $1", "d"), wire.describe(b"S", "d"))
    assert reply.types == "1tTZ"
    assert wire.parameter_types(reply.of(b"t")[0]) == (23,)
    assert [column.name for column in reply.columns] == ["id", "embedding"]


def test_empty_queries(client: Client) -> None:
    assert client.query("").types == "IZ"
    assert client.query(" ; ; -- nothing").types == "IZ"
    assert client.extended("").types == "12nIZ"


def test_isolation_and_read_only(client: Client) -> None:
    """Settings of the transaction are the client's to make."""
    client.query("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY")
    assert client.query("SHOW transaction_isolation").rows == [[b"serializable"]]
    assert client.query(insert(1010)).error.sqlstate == "25006"
    client.query("ROLLBACK")


def test_psycopg_sees_the_same(ana: Login, documents_database: Database) -> None:
    """A driver's transaction block: the refusal is its exception, and the block is rolled back."""
    with ana.psycopg(autocommit=False) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(insert(1011))
            connection.execute(REFUSED)
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not stored(documents_database, 1011)


def test_copy_that_is_refused(client: Client) -> None:
    """No CopyInResponse: the client does not send data into nowhere."""
    reply = client.query("COPY docs TO STDOUT")
    assert reply.types == "EZ"
    client.query("BEGIN")
    assert client.query("COPY notes FROM PROGRAM 'cat'").status == "E"
    client.query("ROLLBACK")


def test_copy_in_that_the_client_gives_up(client: Client, documents_database: Database) -> None:
    reply = client.query("COPY notes FROM STDIN")
    assert reply.types == "G"
    client.send_all(wire.Message(b"d", b"1012\t1\tx\n"), wire.Message(b"f", wire.text("changed my mind")))
    ended = client.read_until(b"Z")
    assert ended.error.sqlstate == "57014"
    assert ended.status == "I"
    assert not stored(documents_database, 1012)


def test_copy_data_that_does_not_wait_for_the_server(client: Client, documents_database: Database) -> None:
    """asyncpg sends the data right behind the statement."""
    copy = wire.Message(b"Q", wire.text("COPY notes FROM STDIN"))
    rows = [wire.Message(b"d", f"{number}\t1\tx\n".encode()) for number in range(5000, 5100)]
    for _ in range(20):
        client.send_all(wire.Message(b"Q", wire.text("BEGIN")), copy, *rows, wire.COPY_DONE, wire.Message(b"Q", wire.text("ROLLBACK")))
        assert client.read_until(b"Z").status == "T"
        copied = client.read_until(b"Z")
        assert copied.of(b"C") == [b"COPY 100\0"], copied
        assert client.read_until(b"Z").status == "I"


def test_copy_in_with_an_error_in_the_middle(client: Client, documents_database: Database) -> None:
    """The server stops listening; what the client still sends is dropped, and the session goes on."""
    reply = client.copy_in("COPY notes FROM STDIN", [b"1013\t1\tx\n", b"not a number\t1\tx\n"] + [b"1014\t1\tx\n"] * 5000)
    assert reply.error.sqlstate == "22P02"
    assert client.query("SELECT 1").rows == [[b"1"]]
    assert not stored(documents_database, 1013)
