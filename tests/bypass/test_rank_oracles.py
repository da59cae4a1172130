"""What rank alone tells of a masked vector (V5, V7): whoever asks often enough recovers it, so such questions are counted.

The procedures recover the vector from a database within 300 searches. Through the gateway they are cut off; who searches for
what there is to read never is.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest
from harness import corpus
from harness.gateway import Gateway
from harness.postgres import Database, PostgresServer
from harness.wire import Client

from bypass.conftest import POLICY

DIMENSION = 8
RECORDS = 2000
_RANDOM = random.Random(7)
SECRET = [_RANDOM.uniform(-1, 1) for _ in range(DIMENSION)]
KNOWN = [_RANDOM.uniform(-1, 1) for _ in range(DIMENSION)]

RULES = """
  - name: hide-kb
    match: {collection: [kb, fresh, parted, dated, owned]}
    mask: [{vectors: remove, scores: rank}]
"""

CONFINED = ["WHERE id IN (1, 2)", "WHERE tenant = 'x'", ""]
"""Two records by their keys, two by another column, and none of it: the victim and a known vector are far from all others."""


def literal(vector: list[float]) -> str:
    return "'[" + ",".join(f"{x:.9g}" for x in vector) + "]'"


class Prober:
    """Asks which of two records is nearer, and counts."""

    def __init__(self, client: Client, where: str) -> None:
        self.client, self.where = client, where
        self.answered = self.refused = 0

    def victim_is_nearer(self, query: list[float]) -> bool:
        reply = self.client.query(f"SELECT id FROM kb {self.where} ORDER BY embedding <-> {literal(query)} LIMIT 1")
        if reply.errors:
            assert reply.error.sqlstate == "42501", reply
            self.refused += 1
            return False
        self.answered += 1
        return reply.rows == [[b"1"]]


def recovered(prober: Prober) -> list[float]:
    """From half-spaces: known + t u is nearer to the victim iff t < -|d|^2 / (2 u.d), where d = known - victim."""
    ratios = []
    for axis in range(DIMENSION):
        ratio = 0.0
        for sign in (1.0, -1.0):

            def query(t: float, axis: int = axis, sign: float = sign) -> list[float]:
                return [x + (sign * t if axis == j else 0.0) for j, x in enumerate(KNOWN)]

            if not prober.victim_is_nearer(query(1e3)):
                continue
            low, high = 0.0, 1e3
            for _ in range(34):
                middle = (low + high) / 2
                low, high = (low, middle) if prober.victim_is_nearer(query(middle)) else (middle, high)
            ratio = -sign / (2 * high)
        ratios.append(ratio)
    square = sum(x * x for x in ratios)
    if square == 0:
        return [math.inf] * DIMENSION
    return [k - x / square for k, x in zip(KNOWN, ratios, strict=True)]


def ask_near_the_known(prober: Prober) -> None:
    """Sixty questions that each count as one, whose answer is the known vector itself."""
    for number in range(60):
        prober.victim_is_nearer([x + number / 100 for x in KNOWN])


def error_of(vector: list[float]) -> float:
    return max(abs(a - b) for a, b in zip(vector, SECRET, strict=True))


@pytest.fixture(scope="module")
def kb(postgres: PostgresServer) -> Iterator[Database]:
    with corpus.prepared(postgres) as database:
        with database.connect() as direct:
            direct.execute(f"CREATE TABLE kb (id int PRIMARY KEY, tenant text, embedding vector({DIMENSION}))")
            direct.execute(f"INSERT INTO kb VALUES (1, 'x', {literal(SECRET)}), (2, 'x', {literal(KNOWN)})")
            direct.execute(
                "INSERT INTO kb SELECT i, 'y', (SELECT array_agg(random() * 100 + 1000)"
                f" FROM generate_series(1, {DIMENSION}) WHERE i > 0)::vector FROM generate_series(3, {RECORDS}) i"
            )
            direct.execute("ALTER TABLE kb OWNER TO svc")
            direct.execute(
                "CREATE VIEW kb_v AS SELECT id, tenant AS title, embedding FROM kb; ALTER VIEW kb_v OWNER TO svc"
            )
            setup_of_more(direct)
            direct.execute("ANALYZE kb")
        yield database


@pytest.fixture(scope="module")
def gateway(kb: Database) -> Iterator[Gateway]:
    with Gateway(policy=POLICY + RULES) as running:
        running.add_connection("docs", kb, {"svc": "svc"})
        yield running


@pytest.mark.parametrize("where", CONFINED)
def test_rank_recovers_a_vector_from_a_database(kb: Database, where: str) -> None:
    """Else cutting it off would prove nothing."""
    with Client.connect(kb.server.port, user="svc", database=kb.name, timeout=30) as client:
        assert error_of(recovered(Prober(client, where))) < 1e-3


@pytest.mark.parametrize("where", CONFINED)
def test_rank_recovers_nothing_through_the_gateway(gateway: Gateway, where: str) -> None:
    """Fifty a day on each of two records, beside what looked ordinary at first; what that gives is no vector."""
    with gateway.login(f"mallory{CONFINED.index(where)}", role="svc").wire(timeout=30) as client:
        prober = Prober(client, where)
        assert error_of(recovered(prober)) > 0.3
        assert prober.refused > 0
        assert prober.answered <= 150


FORMS = [
    "SELECT id FROM kb ORDER BY l2_distance(embedding, {}) LIMIT 3",
    "SELECT id FROM kb ORDER BY row_number() OVER (ORDER BY embedding <-> {}) LIMIT 3",
    "WITH near AS (SELECT id FROM kb ORDER BY embedding <=> {} LIMIT 3) SELECT kb.id FROM kb JOIN near USING (id)",
    "SELECT id, title FROM kb_v ORDER BY embedding <-> {} LIMIT 3",
]
"""In which a search may be written: ordinary questions pass in each, and those that go along an axis are counted."""


@pytest.mark.parametrize(
    "form",
    [
        "SELECT id FROM kb_v WHERE id IN (1, 2) ORDER BY embedding <-> {} LIMIT 1",
        "SELECT max(id) FROM (SELECT id FROM kb WHERE id IN (1, 2) ORDER BY embedding <-> {} LIMIT 1) q",
    ],
)
def test_records_that_are_not_known_are_no_way_round(gateway: Gateway, form: str) -> None:
    """A view has no key, and a group is no record: fifty such searches of two records a day, whatever they answer."""
    with gateway.login(f"hidden{'max' in form}", role="svc").wire(timeout=30) as client:
        replies = [client.query(form.format(literal([x + number / 100 for x in KNOWN]))) for number in range(60)]
        assert sum(not reply.errors for reply in replies) == 50


NEAREST = "(SELECT id FROM kb WHERE id IN (1, 2) ORDER BY embedding <-> {} LIMIT 1)"
WITHOUT_ROWS = {
    "a condition": f"SELECT id FROM {NEAREST} q WHERE id = 7",
    "another table's condition": f"SELECT id FROM kb WHERE id = 5 AND 1 = {NEAREST}",
    "one of two errors": f"SELECT 1 / (id - 1) + ('x' || id)::int FROM {NEAREST} q",
    "an error or none": f"SELECT 1 FROM {NEAREST} q WHERE 1 / (id - 1) = 5",
    "EXISTS": f"SELECT 1 WHERE EXISTS (SELECT FROM {NEAREST} q WHERE id = 7)",
    "COPY": f"COPY (SELECT id FROM {NEAREST} q) TO STDOUT",
    "MOVE": f"BEGIN; DECLARE c CURSOR FOR SELECT id FROM {NEAREST} q WHERE id = 7; MOVE ALL IN c; ROLLBACK",
    "EXECUTE": f"PREPARE p AS SELECT id FROM {NEAREST} q WHERE id = 7; EXECUTE p; DEALLOCATE p",
    "EXPLAIN": f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT id FROM {NEAREST} q WHERE id = 7",
    "a set operation": f"SELECT 3 UNION ALL SELECT id FROM {NEAREST} q WHERE id = 7",
    "rows of a list": "SELECT generate_series(1, (id = 1 AND row_number() OVER (ORDER BY embedding <-> {}) = 1)::int)"
    " FROM kb WHERE id IN (1, 2) ORDER BY embedding <-> {} LIMIT 5",
    "a number of rows": f"SELECT generate_series(1, 3) LIMIT {NEAREST}",
}
"""Whether the victim was nearer shows in what does not come."""


def was_answered(reply) -> bool:
    """An error of the database's own is an answer too."""
    return not any("asked about too often" in error.message for error in reply.errors)


@pytest.mark.parametrize("form", WITHOUT_ROWS)
def test_an_answer_without_rows_counts(gateway: Gateway, form: str) -> None:
    with gateway.login(f"silent{list(WITHOUT_ROWS).index(form)}", role="svc").wire(timeout=30) as client:
        answered = 0
        for number in range(60):
            reply = client.query(WITHOUT_ROWS[form].replace("{}", literal([x + number / 100 for x in KNOWN])))
            answered += was_answered(reply)
            if reply.errors:
                client.query("ROLLBACK")
                client.query("DEALLOCATE ALL")
        assert answered == 50


def test_a_lock_that_is_not_had_counts(gateway: Gateway) -> None:
    """An error about another session is an answer, where that is one's own."""
    login = gateway.login("locking", role="svc")
    with login.wire(timeout=30) as holder, login.wire(timeout=30) as client:
        holder.query("BEGIN")
        assert holder.query("SELECT id FROM locked FOR UPDATE").errors == []
        answered = 0
        for number in range(60):
            near = literal([x + number / 100 for x in KNOWN])
            reply = client.query(f"SELECT id FROM locked WHERE id = {NEAREST.format(near)} FOR UPDATE NOWAIT")
            answered += was_answered(reply)
        holder.query("ROLLBACK")
        assert answered == 50


MULTIPLIED = [
    "SELECT k.id FROM kb k, generate_series(1, 600) g WHERE k.id IN (1, 2) ORDER BY k.embedding <-> {} LIMIT 1",
    "SELECT k.id FROM kb k JOIN kb o ON o.id > 900 WHERE k.id BETWEEN 1 AND 2 ORDER BY k.embedding <-> {} LIMIT 1",
    "SELECT v.id FROM kb_v v, generate_series(1, 600) g WHERE v.id IN (1, 2) ORDER BY v.embedding <-> {} LIMIT 1",
]


@pytest.mark.parametrize("form", MULTIPLIED)
def test_a_join_makes_no_more_candidates(gateway: Gateway, form: str) -> None:
    """Two records, each a thousand times."""
    with gateway.login(f"joining{MULTIPLIED.index(form)}", role="svc").wire(timeout=30) as client:
        dice = random.Random(3)
        replies = [client.query(form.format(literal([dice.gauss(0, 1) for _ in KNOWN]))) for _ in range(60)]
        assert sum(not reply.errors for reply in replies) == 50


def test_a_record_left_out_is_counted(gateway: Gateway) -> None:
    """That the known vector is nearer tells about the victim, which is not in the answer."""
    with gateway.login("omitting", role="svc").wire(timeout=30) as client:
        near_the_known = [
            client.query(
                f"SELECT id FROM kb WHERE id IN (1, 2) ORDER BY embedding <-> {literal([x + n / 1e4 for x in KNOWN])} LIMIT 1"
            )
            for n in range(60)
        ]
        assert all(reply.rows in ([[b"2"]], []) for reply in near_the_known)
        assert sum(not reply.errors for reply in near_the_known) == 50
        reply = client.query(f"SELECT id FROM kb WHERE id IN (1, 5) ORDER BY embedding <-> {literal(KNOWN)} LIMIT 1")
        assert was_answered(reply) is False


def setup_of_more(direct) -> None:
    """Tables of few records that look like many."""
    vectors = "ARRAY(SELECT random() FROM generate_series(1, 8) WHERE i > 0)::vector"
    direct.execute(f"CREATE TABLE fresh (id int PRIMARY KEY, embedding vector({DIMENSION}))")
    direct.execute(f"CREATE TABLE parted (id int PRIMARY KEY, embedding vector({DIMENSION})) PARTITION BY RANGE (id)")
    direct.execute("CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000)")
    direct.execute(f"CREATE TABLE dated (id int, at timestamptz, embedding vector({DIMENSION}), PRIMARY KEY (id, at))")
    direct.execute(f"CREATE TABLE owned (id int PRIMARY KEY, who text, embedding vector({DIMENSION}))")
    for table, rows in (("fresh", 5), ("parted", 20)):
        direct.execute(f"INSERT INTO {table} SELECT i, {vectors} FROM generate_series(1, {rows}) i")
    direct.execute(f"INSERT INTO dated SELECT i, '2020-01-01Z', {vectors} FROM generate_series(1, 30) i")
    direct.execute(
        f"INSERT INTO owned SELECT i, CASE WHEN i < 3 THEN 'svc' ELSE 'x' END, {vectors} FROM generate_series(1, 2000) i"
    )
    direct.execute("ALTER TABLE owned ENABLE ROW LEVEL SECURITY; ALTER TABLE owned FORCE ROW LEVEL SECURITY")
    direct.execute("CREATE POLICY own ON owned USING (who = current_user)")
    direct.execute(
        "CREATE TABLE locked (id int PRIMARY KEY); INSERT INTO locked VALUES (1), (2); ALTER TABLE locked OWNER TO svc"
    )
    direct.execute("CREATE SEQUENCE counter; GRANT ALL ON SEQUENCE counter TO svc")
    direct.execute("ANALYZE owned; ANALYZE dated")
    for table in ("fresh", "parted", "parted_1", "dated", "owned"):
        direct.execute(f"ALTER TABLE {table} OWNER TO svc")


FEW_IN_DISGUISE = {
    "a table that nobody has analysed": ["SELECT id FROM fresh ORDER BY embedding <-> {} LIMIT 1"],
    "a partitioned table": ["SELECT id FROM parted ORDER BY embedding <-> {} LIMIT 1"],
    "keys that are written otherwise": [
        "SET timezone = '<X>{n:+d}:30'",
        "SELECT id, at FROM dated ORDER BY embedding <-> {} LIMIT 1",
    ],
    "a policy's rows": ["SELECT id FROM owned ORDER BY embedding <-> {} LIMIT 1"],
    "rows that are not locked": ["SELECT id FROM kb ORDER BY embedding <-> {} LIMIT 1 FOR UPDATE SKIP LOCKED"],
    "a condition that changes": [
        "SELECT setval('counter', 1)",
        "SELECT id FROM kb WHERE id IN (1, 2) OR nextval('counter') <= 998 ORDER BY embedding <-> {} LIMIT 1",
    ],
    "the order of all": [
        "SELECT id FROM (SELECT id FROM kb ORDER BY embedding <-> {} LIMIT 2000) q WHERE id IN (1, 2) LIMIT 1"
    ],
    "another record's name": [
        "SELECT o.id FROM kb k JOIN kb o ON o.id = 9 + {n} WHERE k.id < 3 ORDER BY k.embedding <-> {} LIMIT 1"
    ],
}


@pytest.mark.parametrize("form", FEW_IN_DISGUISE)
def test_few_candidates_are_few(gateway: Gateway, form: str) -> None:
    """Of records of which a search among twenty or fewer would be answered fifty times; none of them may be asked much more often."""
    dice = random.Random(23)
    with gateway.login(f"disguised{list(FEW_IN_DISGUISE).index(form)}", role="svc").wire(timeout=60) as client:
        answered = 0
        for number in range(160):
            for statement in FEW_IN_DISGUISE[form]:
                vector = literal([dice.gauss(0, 1) for _ in KNOWN])
                reply = client.query(statement.replace("{}", vector).format(n=number % 11 - 5))
            answered += not reply.errors
        assert answered <= 80, answered


HYBRID = [
    "SELECT id, count(*) FROM (SELECT id FROM kb WHERE tenant = '{tenant}' ORDER BY embedding <=> {{}} LIMIT 10) q GROUP BY 1 ORDER BY 2, 1",
    (
        "WITH v AS (SELECT id, row_number() OVER (ORDER BY embedding <=> {{}}) r FROM kb WHERE tenant = '{tenant}' ORDER BY r LIMIT 10),"
        " t AS (SELECT id, row_number() OVER (ORDER BY id) r FROM kb WHERE tenant = '{tenant}' LIMIT 10)"
        " SELECT COALESCE(v.id, t.id) AS id, 1.0 / (60 + v.r) FROM v FULL JOIN t ON v.id = t.id ORDER BY 2 DESC NULLS LAST LIMIT 5"
    ),
    (
        "(SELECT id FROM kb WHERE tenant = '{tenant}' ORDER BY embedding <=> {{}} LIMIT 5)"
        " UNION ALL (SELECT id FROM kb WHERE tenant = '{tenant}' LIMIT 5) ORDER BY 1"
    ),
    "SELECT DISTINCT title FROM (SELECT title FROM kb_v WHERE title = '{tenant}' ORDER BY embedding <=> {{}} LIMIT 10) q",
]


@pytest.mark.parametrize("form", HYBRID)
def test_ordinary_searches_in_other_forms_are_never_stopped(gateway: Gateway, form: str) -> None:
    """Three hundred questions among the 1,998 records of a tenant, and the answers are the database's own."""
    dice = random.Random(17)
    with gateway.login(f"hybrid{HYBRID.index(form)}", role="svc").wire(timeout=60) as client:
        for number in range(300):
            question = [dice.gauss(0, 1) for _ in range(DIMENSION)]
            reply = client.query(form.format(tenant="y").format(literal(question)))
            assert reply.errors == [], (number, reply)
            assert reply.rows


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_looked_at(gateway: Gateway, form: str) -> None:
    dice = random.Random(5)
    with gateway.login(f"form{FORMS.index(form)}", role="svc").wire(timeout=30) as client:
        for number in range(80):
            question = [dice.gauss(0, 1) for _ in range(DIMENSION)]
            assert client.query(form.format(literal(question))).errors == [], number
        axis = [1e3 if j == 0 else 0.0 for j in range(DIMENSION)]
        replies = [client.query(form.format(literal([axis[0] + number, *axis[1:]]))) for number in range(80)]
        assert any(reply.errors for reply in replies)


def test_counts_hold_over_sessions(gateway: Gateway) -> None:
    """A new session of the same principal goes on where the last one ended."""
    login = gateway.login("trudy", role="svc")
    answered = 0
    for _ in range(3):
        with login.wire(timeout=30) as client:
            prober = Prober(client, "WHERE id IN (1, 2)")
            recovered(prober)
            answered += prober.answered
    assert answered <= 100
    with gateway.login("ursula", role="svc").wire(timeout=30) as client:
        assert client.query(f"SELECT id FROM kb ORDER BY embedding <-> {literal(KNOWN)} LIMIT 3").errors == []


def test_counts_outlive_a_restart(kb: Database) -> None:
    with Gateway(policy=POLICY + RULES) as running:
        running.add_connection("docs", kb, {"svc": "svc"})
        login = running.login("trudy", role="svc")
        with login.wire(timeout=30) as client:
            ask_near_the_known(Prober(client, "WHERE id IN (1, 2)"))
        running.end()
        running.start()
        with login.wire(timeout=30) as client:
            prober = Prober(client, "WHERE id IN (1, 2)")
            ask_near_the_known(prober)
            assert prober.answered == 0


@pytest.mark.parametrize(("probes", "granted"), [(0, 0), (7, 7), (120, 60)])
def test_a_policy_says_how_many(kb: Database, probes: int, granted: int) -> None:
    with Gateway(policy=POLICY + RULES.replace("scores: rank", f"scores: rank, probes: {probes}")) as running:
        running.add_connection("docs", kb, {"svc": "svc"})
        with running.login("trudy", role="svc").wire(timeout=30) as client:
            prober = Prober(client, "WHERE id IN (1, 2)")
            ask_near_the_known(prober)
            assert prober.answered == granted


def test_one_record_by_its_key_is_no_search(gateway: Gateway) -> None:
    with gateway.login("victor", role="svc").wire(timeout=30) as client:
        reply = client.query(f"SELECT id FROM kb WHERE id = 1 ORDER BY embedding <-> {literal(KNOWN)} LIMIT 1")
        assert "a search within one record" in reply.error.message


@pytest.mark.parametrize("where", ["", "WHERE tenant = 'y'"])
def test_ordinary_searches_are_never_stopped(gateway: Gateway, where: str) -> None:
    """A thousand questions of one principal, among all records and among those of a tenant; one of them asked again and again."""
    dice = random.Random(11)
    favourite = [dice.gauss(0, 1) for _ in range(DIMENSION)]
    with gateway.login(f"rag{len(where)}", role="svc").wire(timeout=60) as client:
        for number in range(1000):
            question = favourite if number % 3 == 0 else [dice.gauss(0, 1) for _ in range(DIMENSION)]
            reply = client.query(f"SELECT id FROM kb {where} ORDER BY embedding <=> {literal(question)} LIMIT 10")
            assert reply.errors == [], (number, reply)
            assert len(reply.rows) == 10
