"""The record's folder in the hands of somebody who can write it and has no key: what is missing is missed, at the start too."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import documents
from harness.gateway import Gateway, wait_until
from harness.postgres import Database

Attack = Callable[[Path], None]


class Scene:
    """A gateway that is stopped, with sessions of two workers in its record; `restore()` puts everything back."""

    def __init__(self, gateway: Gateway, aside: Path) -> None:
        self.gateway = gateway
        self.record = gateway.record_folder
        self._aside = aside
        shutil.copytree(gateway.data, aside, symlinks=True)

    def restore(self) -> None:
        shutil.rmtree(self.record)
        shutil.copytree(self._aside / "record", self.record)
        for name in ("record-index.db", "record-index.db-wal", "record-index.db-shm"):
            (self.gateway.data / name).unlink(missing_ok=True)
            if (self._aside / name).exists():
                shutil.copy2(self._aside / name, self.gateway.data / name)

    def refused_start(self) -> str:
        """What the gateway says when it does not start."""
        with pytest.raises(RuntimeError) as refused:
            self.gateway.start()
        return str(refused.value)


@pytest.fixture(scope="module")
def attacked(documents_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Gateway(policy=documents.EVERYTHING) as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        login = gateway.login("ana")

        def both_have_sessions() -> bool:  # the kernel chooses the worker
            with login.wire() as client:
                client.query("SELECT id FROM docs WHERE id = 7")
            return {session["shard"] for session in gateway.cli_json("sessions", "list")} == {1, 2}

        wait_until(both_have_sessions, "both workers have had sessions")
        gateway.end()
        yield Scene(gateway, tmp_path_factory.mktemp("aside") / "data")


@pytest.fixture
def scene(attacked: Scene) -> Iterator[Scene]:
    yield attacked
    attacked.restore()


def remove_shard(number: int) -> Attack:
    return lambda record: shutil.rmtree(record / f"shard-{number:04}")


def exchange_shards(record: Path) -> None:
    (record / "shard-0001").rename(record / "aside")
    (record / "shard-0002").rename(record / "shard-0001")
    (record / "aside").rename(record / "shard-0002")


def pipe(name: str) -> Attack:
    def put(record: Path) -> None:
        (record / "shard-0001" / name).unlink()
        os.mkfifo(record / "shard-0001" / name)

    return put


def huge_checkpoints(record: Path) -> None:
    os.truncate(record / "shard-0001" / "checkpoints", 1 << 40)


@pytest.mark.parametrize(
    ("attack", "codes", "words"),
    [
        (remove_shard(1), (27,), "shard 1"),
        (remove_shard(0), (27,), "shard 0"),
        (exchange_shards, (21, 27), "shard"),
        (pipe("00000001.segment"), (28,), "is not a file"),
        (pipe("checkpoints"), (28,), "is not a file"),
        (pipe("head"), (28,), "is not a file"),
        (huge_checkpoints, (0,), "no signed note"),
    ],
    ids=["worker's shard", "control shard", "exchanged", "pipe: segment", "pipe: checkpoints", "pipe: head", "huge"],
)
def test_the_gateway_does_not_start_on_it(scene: Scene, attack: Attack, codes: tuple[int, ...], words: str) -> None:
    """It would make a new and empty log in the old one's place; the verifier says what is wrong, before and after."""
    attack(scene.record)
    before = scene.gateway.verify_offline()
    assert before.returncode in codes, before.stdout
    assert words in scene.refused_start()
    assert scene.gateway.verify_offline().returncode == before.returncode


def test_a_shard_of_somebody_elses(scene: Scene) -> None:
    """Its sessions are not passed off as this gateway's; and a search says that it cannot answer, not that there is nothing."""
    shutil.copytree(scene.record / "shard-0001", scene.record / "shard-0003")
    assert scene.gateway.verify_offline().returncode == 21
    scene.gateway.start()
    for path in ("/api/v1/sessions", "/api/v1/operations"):
        answer = scene.gateway.api("GET", path)
        assert answer.status_code >= 500
        assert "shard-0003" in answer.json()["detail"]
    shutil.rmtree(scene.record / "shard-0003")
    assert scene.gateway.cli_json("sessions", "list")
    scene.gateway.end()


def test_a_record_that_was_set_back(scene: Scene) -> None:
    """The folder alone cannot show it; the index has seen more, and the gateway says so for good."""
    gateway = scene.gateway
    older = scene.record.with_name("older")
    shutil.copytree(scene.record, older)
    gateway.start()
    for _ in range(8):
        with gateway.login("ana").wire() as client:
            client.query("SELECT id FROM docs WHERE title = 'the-deed'")
    assert len(gateway.operations(text="the-deed")) == 8
    gateway.end()
    shutil.rmtree(scene.record)
    older.rename(scene.record)
    assert gateway.verify_offline().returncode == 0
    gateway.start()
    said = gateway.ask("GET", "/api/v1/record/events", params={"kind": "incident"})["items"]
    assert {event["facts"]["code"] for event in said} == {"record_set_back"}
    assert gateway.operations(text="the-deed") == []
    with gateway.login("ana").wire() as client:
        client.query("SELECT id FROM docs WHERE title = 'afterwards'")
    assert len(gateway.operations(text="afterwards")) == 1, "what came after it is found"
    gateway.end()


def test_an_index_that_is_damaged(scene: Scene) -> None:
    """It is made from the record, so it is made anew."""
    index = scene.gateway.data / "record-index.db"
    scene.gateway.start()
    before = scene.gateway.cli_json("sessions", "list", "--principal", "ana")
    scene.gateway.end()
    index.write_bytes(os.urandom(100_000))
    scene.gateway.start()
    assert scene.gateway.cli_json("sessions", "list", "--principal", "ana") == before
    scene.gateway.end()


def test_folders_that_others_can_write(scene: Scene) -> None:
    """Whoever can write the policy or the state decides who may do what."""
    for folder in (scene.gateway.data, scene.gateway.data / "policy"):
        before = folder.stat().st_mode
        folder.chmod(0o777)
        try:
            assert f"{folder} can be written by others" in scene.refused_start()
        finally:
            folder.chmod(before)
    scene.gateway.start()
    scene.gateway.end()
