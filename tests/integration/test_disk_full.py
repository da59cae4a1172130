"""When the record cannot be written, nothing passes: no statement runs, no row leaves, nobody new comes in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import wire
from harness.gateway import Gateway
from harness.postgres import Database

_LIMIT_MB = 5  # each of two shards has a segment in use and one prepared; the rest is for small files


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(  # noqa: PLW1510  the exit code is not looked at
        ["mount", "-t", "tmpfs", "-o", f"size={_LIMIT_MB}m,mode=0700", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> None:
    with open(folder / "ballast", "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(b"\0" * 4096)
        except OSError:
            pass


def run_until_full(client: wire.Client) -> wire.Exchange:
    """Statements until one fails; what it answered."""
    for number in range(3000):
        reply = client.query(f"SELECT id, payload, '{'x' * 400}{number}' FROM events ORDER BY id LIMIT 20")
        if reply.error or reply.closed:
            return reply
    raise AssertionError("the disk never became full")


def test_full_disk(small_disk: Path, documents_database: Database) -> None:
    """Segments are preallocated: the disk is full when the next cannot be made. Then statements fail with 58030, no row
    leaves, logins are refused and the gateway says that it is not ready. With space again, it starts and goes on."""
    settings = {"record.dir": str(small_disk / "record"), "record.segment_size": "1MiB", "workers": 1}
    with Gateway(policy='rules: [{name: all, match: {verb: "*"}, allow: true}]', settings=settings) as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        login = gateway.login("ana")
        with login.wire(timeout=60) as client:
            assert client.query("SELECT 1").rows == [[b"1"]]
            fill(small_disk)
            failed = run_until_full(client)
            assert failed.error.sqlstate in ("58030", "57P01"), failed
            assert "record" in failed.error.message
            assert failed.of(b"C") == []  # what was recorded in time may have come; no end of a reply did
        # What is left of the last segment takes small entries for a while: as long as they are kept, statements may pass.
        with pytest.raises((wire.Refused, wire.Closed)):
            for _ in range(500):
                login.wire().abort()
        answer = gateway.api("GET", "/readyz")
        assert answer.status_code == 503
        assert "record" in answer.text
        assert gateway.ask("GET", "/api/v1/record")["writable"] is False

        with documents_database.connect() as direct:
            assert direct.execute("SELECT count(*) FROM notes").fetchone() == (20,)

        # More than the ballast: what was recorded until the disk was full stays, and two shards want four segments.
        (small_disk / "ballast").unlink()
        subprocess.run(["mount", "-o", f"remount,size={4 * _LIMIT_MB}m", small_disk], check=True)
        gateway.kill()
        offline = gateway.verify_offline()
        assert offline.returncode == 0, offline.stdout + offline.stderr
        gateway.start()
        with login.wire(timeout=60) as client:
            again = client.query("SELECT 1")
            assert again.rows == [[b"1"]], again


def test_a_write_does_not_happen_unrecorded(small_disk: Path, documents_database: Database) -> None:
    """The intent comes first: a statement whose intent cannot be recorded does not reach the server."""
    settings = {"record.dir": str(small_disk / "record"), "record.segment_size": "1MiB", "workers": 1}
    with Gateway(policy='rules: [{name: all, match: {verb: "*"}, allow: true}]', settings=settings) as gateway:
        gateway.add_connection("docs", documents_database, {"reader": "app"})
        done = 0
        with gateway.login("ana").wire(timeout=60) as client:
            fill(small_disk)
            for number in range(1000, 9000):
                reply = client.query(f"INSERT INTO notes VALUES ({number}, 1, '{'y' * 900}')")
                if reply.error or reply.closed:
                    break
                done += 1
        with documents_database.connect() as direct:
            (stored,) = direct.execute("SELECT count(*) FROM notes WHERE id >= 1000").fetchone()
            direct.execute("DELETE FROM notes WHERE id >= 1000")
        # The last may have been recorded and done, and its outcome not: then the client was cut without an answer.
        assert stored in (done, done + 1)
        gateway.kill()
        offline = gateway.verify_offline()
        assert offline.returncode == 0, offline.stdout + offline.stderr
