"""What a name means is what the server takes it for when it looks it up, however the search_path got there.

Schema `trap` has a function `upper` that reads the masked column, and a table `open` in front of the one that everybody may
read. Each conversation leads the server to these while it looks as if the built-in function and the open table were meant.
"""

from __future__ import annotations

import pytest
from harness import corpus, wire
from harness.gateway import Login
from harness.postgres import Database
from harness.wire import Client, Exchange, Message

RULES = """
  - name: not-the-trap
    match: {collection: trap.open}
    deny: "Nobody reads this."
"""

SETUP = """
CREATE TABLE open (line text);
INSERT INTO open VALUES ('open to all');
CREATE SCHEMA trap;
CREATE TABLE trap.open (line text);
INSERT INTO trap.open VALUES ('of the trap');
CREATE FUNCTION trap.upper(text) RETURNS text LANGUAGE sql SECURITY DEFINER
  AS 'SELECT string_agg(email || ssn, '','') FROM public.docs';
CREATE FUNCTION trap.set_config(text, text, bool) RETURNS text LANGUAGE sql SECURITY DEFINER
  AS 'SELECT string_agg(email || ssn, '','') FROM public.docs';
CREATE VIEW trap.pg_settings AS SELECT trap.upper('') AS name;
CREATE FUNCTION trap.equal(text, text) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.equal);
GRANT ALL ON SCHEMA trap TO svc;
GRANT ALL ON trap.open, open TO svc;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO svc', current_database()); END $$;
"""

TRAP = "SET search_path = trap, pg_catalog, public"
PLAIN = "SET search_path = pg_catalog, public"
LOCAL = "SET LOCAL search_path = pg_catalog, public"
SYNC = Message(b"S", b"")


def now(sql: str) -> list[Message]:
    """By the extended protocol, without its Sync."""
    return [wire.parse(sql), wire.bind(), wire.execute()]


def bound(sql: str) -> list[Message]:
    return [wire.parse(sql, "late"), wire.bind(statement="late", portal="late")]


Step = str | list[Message]

READS = ["SELECT upper('x')", "SELECT line FROM open"]


def conversations(read: str) -> dict[str, list[Step]]:
    """A text is a simple query; messages are sent at once, and need their own Sync."""
    failed: list[Step] = [TRAP, "BEGIN", "SAVEPOINT s", PLAIN, "SELECT 1", "SELECT 1/0"]
    return {
        "rollback to": [TRAP, "BEGIN", "SAVEPOINT s", PLAIN, "SELECT 1", "ROLLBACK TO s", read],
        "rollback to, local": [TRAP, "BEGIN", "SAVEPOINT s", LOCAL, "SELECT 1", "ROLLBACK TO s", read],
        "rollback to, in one text": [TRAP, "BEGIN", "SAVEPOINT s", PLAIN, "SELECT 1", f"ROLLBACK TO s; {read}"],
        "rollback to, after an error": [*failed, "ROLLBACK TO s", read],
        "rollback to, after an error, in one text": [*failed, f"ROLLBACK TO s; {read}"],
        "rollback to, after an error, in a pipeline": [*failed, [*now("ROLLBACK TO s"), *now(read), SYNC]],
        "rollback, after an error, in a pipeline": [*failed, [*now("ROLLBACK"), *now(read), SYNC]],
        "commit and chain": [TRAP, "BEGIN", LOCAL, "SELECT 1", "COMMIT AND CHAIN", read],
        "rollback and chain": [TRAP, "BEGIN", PLAIN, "SELECT 1", "ROLLBACK AND CHAIN", read],
        "commit, in one text": [TRAP, "BEGIN", LOCAL, "SELECT 1", f"COMMIT; {read}"],
        "rollback, in one text": [TRAP, "BEGIN", PLAIN, "SELECT 1", f"ROLLBACK; {read}"],
        "the next transaction is open already": [TRAP, "BEGIN", LOCAL, "SELECT 1", "COMMIT; BEGIN", read],
        "commit, in a pipeline": [TRAP, "BEGIN", LOCAL, "SELECT 1", [*now("COMMIT"), *now(read), SYNC]],
        "parsed before, bound behind a commit": [
            TRAP, "BEGIN", LOCAL, [wire.parse(read, "r"), SYNC],
            [*now("COMMIT"), wire.bind(statement="r"), wire.execute(), SYNC],
        ],
        "parsed before, bound behind a SET": [
            PLAIN, [wire.parse(read, "r"), SYNC],
            [*now(TRAP), wire.bind(statement="r"), wire.execute(), SYNC],
        ],
        "an implicit transaction that fails": [
            TRAP, [*now(PLAIN), *now("SELECT 1"), *now("SELECT 1/0"), SYNC, *now(read), SYNC],
        ],
        "a COPY that is bound": [
            PLAIN, "BEGIN", [*bound(f"COPY ({read}) TO STDOUT"), SYNC], TRAP, [wire.execute("late"), SYNC],
        ],
        "an EXECUTE that is bound": [
            PLAIN, f"PREPARE q AS {read}", "BEGIN", [*bound("EXECUTE q"), SYNC], TRAP, [wire.execute("late"), SYNC],
        ],
        "a COPY, behind a SET in the same pipeline": [
            PLAIN, "BEGIN",
            [wire.parse(TRAP, "t"), wire.bind(statement="t", portal="t"), *bound(f"COPY ({read}) TO STDOUT"),
             wire.execute("t"), wire.execute("late"), SYNC],
        ],
    }  # fmt: skip


def shown(client: Client) -> list[bytes]:
    """What of that which nobody may see the client has received."""
    return corpus.secrets_in(client.received) + [secret for secret in [b"of the trap"] if secret in client.received]


def say(client: Client, step: Step) -> Exchange:
    if isinstance(step, str):
        return client.query(step)
    client.send_all(*step)
    seen = Exchange()
    for _ in range(sum(message.type == b"S" for message in step)):
        seen += client.read_until(b"Z")
    return seen


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("how", conversations(""))
def test_names_are_the_servers(attacker: Login, how: str, read: str) -> None:
    with attacker.wire(timeout=30) as client:
        for step in conversations(read)[how]:
            say(client, step)
        assert shown(client) == [], bytes(client.received[-600:])


@pytest.mark.parametrize("read", READS)
def test_what_is_meant_is_answered(attacker: Login, read: str) -> None:
    """The same reads, where the search_path is what it seems to be: after savepoints, in pipelines, bound early."""
    with attacker.wire(timeout=30) as client:
        for step in (PLAIN, "BEGIN", "SAVEPOINT s", TRAP, "ROLLBACK TO s", read, "COMMIT AND CHAIN", read, "COMMIT", f"BEGIN; {read}; COMMIT; {read}"):
            assert say(client, step).errors == [], step
        steps: list[Step] = [
            [*now("BEGIN"), *now(PLAIN), *now(read), *now("COMMIT"), *now(read), SYNC],
            [wire.parse(f"COPY ({read}) TO STDOUT", "c"), wire.bind(statement="c", portal="c"), wire.execute("c"), SYNC],
            [*now(read), SYNC],
        ]
        for step in steps:
            assert say(client, step).errors == [], step


def test_a_schema_of_the_path_that_comes_later(attacker: Login, prepared: Database) -> None:
    """What another session creates in front of the path is what a name means from then on."""
    with attacker.wire(timeout=30) as client, attacker.wire(timeout=30) as other:
        client.query("SET search_path = early, public")
        assert client.query("SELECT line FROM open").rows == [[b"open to all"]]
        other.query("CREATE SCHEMA early")
        assert other.query("CREATE TABLE early.open (line text)").errors == []
        assert other.query("SELECT line FROM early.open").rows == []
        assert client.query("SELECT line FROM open").rows == []


@pytest.mark.parametrize(
    "call",
    [
        "SELECT set_config('work_mem', '4MB', false)",
        "SELECT set_config(name, '4MB', false) FROM pg_settings WHERE name = 'work_mem'",
        "SELECT pg_catalog.set_config(name, '4MB', false) FROM pg_settings WHERE name = 'work_mem'",
        "SELECT pg_catalog.set_config(name, '4MB', false) FROM pg_catalog.pg_settings WHERE name = 'work_mem'",
    ],
)
def test_settings_are_set_by_the_servers_own_function(attacker: Login, call: str) -> None:
    with attacker.wire(timeout=30) as client:
        client.query(TRAP)
        client.query(call)
        client.extended(call)
        assert shown(client) == [], bytes(client.received[-600:])
