"""SQLAlchemy with pgvector, and LangChain's PGVector: tables made, reflected, filled and searched by the frameworks alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import sqlalchemy as sa
from harness import documents
from harness.gateway import Gateway, Login
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_postgres import PGVector
from pgvector.sqlalchemy import Vector
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "orm_authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), unique=True)
    texts: Mapped[list[Text]] = relationship(back_populates="author", cascade="all, delete-orphan")


class Text(Base):
    __tablename__ = "orm_texts"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("orm_authors.id"))
    body: Mapped[str]
    tags: Mapped[dict] = mapped_column(sa.JSON)
    embedding: Mapped[np.ndarray] = mapped_column(Vector(3))
    author: Mapped[Author] = relationship(back_populates="texts")


DRIVERS = ["postgresql+psycopg", "postgresql+psycopg2"]


@pytest.fixture(params=DRIVERS)
def engine(request: pytest.FixtureRequest, ana: Login) -> Iterator[sa.Engine]:
    made = sa.create_engine(ana.url(request.param))
    yield made
    made.dispose()


@pytest.fixture
def tables(engine: sa.Engine) -> Iterator[sa.Engine]:
    Base.metadata.create_all(engine)
    yield engine
    Base.metadata.drop_all(engine)


def test_reflection(engine: sa.Engine) -> None:
    """Columns, keys, indexes and foreign keys of tables that SQLAlchemy did not make."""
    inspector = sa.inspect(engine)
    assert {"docs", "events", "notes"} <= set(inspector.get_table_names())
    assert inspector.get_pk_constraint("docs")["constrained_columns"] == ["id"]
    assert inspector.get_foreign_keys("notes")[0]["referred_table"] == "docs"
    assert "docs_embedding" in {index["name"] for index in inspector.get_indexes("docs")}
    metadata = sa.MetaData()
    metadata.reflect(engine)
    docs = metadata.tables["docs"]
    assert isinstance(docs.c.embedding.type, Vector)
    assert "public" in inspector.get_schema_names()
    assert inspector.get_view_names() == []
    assert inspector.get_columns("docs")[1]["nullable"] is False


def test_create_all_twice(tables: sa.Engine) -> None:
    """The second finds everything there."""
    Base.metadata.create_all(tables)
    assert sa.inspect(tables).has_table("orm_texts")


def test_orm_insert_select_update_delete(tables: sa.Engine) -> None:
    with Session(tables) as session:
        author = Author(name="Ana", texts=[Text(body=f"body {n}", tags={"n": n}, embedding=[n, 1, 2]) for n in range(25)])
        session.add(author)
        session.commit()
        assert author.id is not None
        loaded = session.scalars(sa.select(Author).options(selectinload(Author.texts)).where(Author.name == "Ana")).one()
        assert len(loaded.texts) == 25
        loaded.texts[3].body = "changed"
        session.commit()
        session.expire_all()
        assert session.scalars(sa.select(Text).where(Text.body == "changed")).one().tags == {"n": 3}
        session.execute(sa.update(Text).where(Text.id > 20).values(body="bulk"))
        session.delete(loaded)
        session.commit()
        assert session.scalar(sa.select(sa.func.count()).select_from(Text)) == 0


def test_errors_are_mapped(tables: sa.Engine) -> None:
    with Session(tables) as session:
        session.add_all([Author(name="twice"), Author(name="twice")])
        with pytest.raises(sa.exc.IntegrityError, match="orm_authors_name_key"):
            session.commit()
        session.rollback()
        with pytest.raises(sa.exc.ProgrammingError):
            session.execute(sa.text("SELECT * FROM nowhere"))


def test_nearest_neighbours(tables: sa.Engine) -> None:
    """pgvector's comparator: order by distance, and the distance as a column."""
    with Session(tables) as session:
        author = Author(name="Ana", texts=[Text(body=str(n), tags={}, embedding=[n, 0, 0]) for n in range(10)])
        session.add(author)
        session.commit()
        distance = Text.embedding.l2_distance([6.2, 0, 0])
        rows = session.execute(sa.select(Text.body, distance).order_by(distance).limit(3)).all()
        assert [row[0] for row in rows] == ["6", "7", "5"]
        assert np.isclose(rows[0][1], 0.2, atol=1e-6)
        by_cosine = sa.select(Text).order_by(Text.embedding.cosine_distance([1, 0, 0])).limit(5)
        assert len(session.scalars(by_cosine).all()) == 5
        near = sa.select(sa.func.count()).select_from(Text).where(Text.embedding.l2_distance([0, 0, 0]) < 2.5)
        assert session.scalar(near) == 3


def test_streaming_and_core(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        streamed = connection.execution_options(stream_results=True, yield_per=500).execute(sa.text("SELECT id FROM events"))
        assert sum(1 for _ in streamed) == 5000
        assert connection.execute(sa.text("SELECT :a + 1"), {"a": 4}).scalar() == 5
        assert connection.get_isolation_level() == "READ COMMITTED"
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
        assert connection.execute(sa.text("SHOW transaction_isolation")).scalar() == "serializable"


def test_insertmanyvalues(tables: sa.Engine) -> None:
    """SQLAlchemy's own batches with RETURNING."""
    with tables.begin() as connection:
        rows = connection.execute(
            sa.insert(Author).returning(Author.id, sort_by_parameter_order=True), [{"name": f"a{n}"} for n in range(500)]
        ).all()
        assert len({row[0] for row in rows}) == 500


# -- LangChain -------------------------------------------------------------------------------------------------


class Letters(Embeddings):
    """Counts three letters: good enough to be near."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [text.count("a") + 0.1, text.count("b") + 0.1, text.count("c") + 0.1]


@pytest.fixture(scope="module")
def store(ana: Login) -> Iterator[PGVector]:
    made = PGVector(
        embeddings=Letters(),
        collection_name="letters",
        connection=ana.url("postgresql+psycopg"),
        use_jsonb=True,
        create_extension=True,  # IF NOT EXISTS of what exists
    )
    texts = ["aaa", "aab", "bbb", "bbc", "ccc", "abc"]
    made.add_documents(
        [Document(page_content=text, metadata={"first": text[0], "rank": n}) for n, text in enumerate(texts)],
        ids=[f"id-{text}" for text in texts],
    )
    yield made
    made.delete_collection()
    made.drop_tables()


def test_langchain_search(store: PGVector) -> None:
    assert [found.page_content for found in store.similarity_search("aaa", k=2)] == ["aaa", "aab"]


def test_langchain_search_with_score(store: PGVector) -> None:
    (first, score), *_ = store.similarity_search_with_score("ccc", k=3)
    assert first.page_content == "ccc"
    assert abs(score) < 1e-6
    relevant = store.similarity_search_with_relevance_scores("bbb", k=1)
    assert relevant[0][0].page_content == "bbb"


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"first": "b"}, {"bbb", "bbc"}),
        ({"first": {"$in": ["a", "c"]}}, {"aaa", "aab", "abc", "ccc"}),
        ({"rank": {"$gte": 4}}, {"ccc", "abc"}),
        ({"$and": [{"first": "a"}, {"rank": {"$lt": 2}}]}, {"aaa", "aab"}),
        ({"$or": [{"first": "c"}, {"rank": 0}]}, {"ccc", "aaa"}),
        ({"first": {"$ne": "a"}}, {"bbb", "bbc", "ccc"}),
        ({"first": {"$like": "b%"}}, {"bbb", "bbc"}),
        ({"rank": {"$between": (1, 2)}}, {"aab", "bbb"}),
        ({"missing": {"$exists": False}}, {"aaa", "aab", "bbb", "bbc", "ccc", "abc"}),
    ],
    ids=str,
)
def test_langchain_filters(store: PGVector, criteria: dict, expected: set[str]) -> None:
    assert {found.page_content for found in store.similarity_search("abc", k=10, filter=criteria)} == expected


def test_langchain_by_id_update_and_delete(store: PGVector) -> None:
    assert {found.page_content for found in store.get_by_ids(["id-aaa", "id-bbb"])} == {"aaa", "bbb"}
    store.add_documents([Document(page_content="cca", metadata={"first": "c", "rank": 9})], ids=["id-extra"])
    store.add_documents([Document(page_content="caa", metadata={"first": "c", "rank": 9})], ids=["id-extra"])  # upsert
    assert [found.page_content for found in store.get_by_ids(["id-extra"])] == ["caa"]
    store.delete(ids=["id-extra"])
    assert store.get_by_ids(["id-extra"]) == []
    diverse = store.max_marginal_relevance_search("abc", k=3, fetch_k=6)
    assert len(diverse) == 3


def test_starter_policy_lets_frameworks_in(documents_database: object) -> None:
    """Members of a fresh installation connect with every framework and search; they are not asked to write rules first."""
    with Gateway() as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        login = gateway.login("ana")
        engine = sa.create_engine(login.url("postgresql+psycopg"))
        with engine.connect() as connection:
            assert connection.execute(sa.text(documents.KNN.format(3))).first() == (7,)
        assert "docs" in sa.inspect(engine).get_table_names()
        engine.dispose()
        with login.psycopg() as connection:
            assert connection.execute("SELECT title FROM docs WHERE id = %s", (5,)).fetchone() == ("Title 5",)
