"""`make demo`, without the waiting: every scene shows what it promises, and nothing is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.gateway import binary, wait_until

DEMO = Path(__file__).resolve().parents[2] / "demo" / "demo.py"


def start(tmp: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "TMPDIR": os.fspath(tmp),
        "PGHOST": "elsewhere.invalid",
        "SLUICE_TOKEN": "not this one",
    }
    return subprocess.Popen(
        [sys.executable, DEMO, "--binary", binary(), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if text in line:
            return printed
    raise AssertionError(f"the demo ended before it said {text!r}:\n{printed}")


@pytest.fixture
def tmp() -> Iterator[Path]:
    """Not tmp_path: that one is closed to the user that PostgreSQL runs as when the tests run as root."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def shown() -> str:
    """All that the demo prints, run once for the tests below."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        process = start(Path(folder), "--once")
        printed, _ = process.communicate(timeout=300)
        assert process.returncode == 0, printed
        assert list(Path(folder).iterdir()) == [], "the demo left something behind"
    return printed


def scene(shown: str, title: str) -> str:
    found = re.search(rf"^── \d+  {title}.*?(?=^── |\Z)", shown, re.MULTILINE | re.DOTALL)
    assert found, f"no scene {title!r} in:\n{shown}"
    return found[0]


def recorded(text: str) -> dict[str, str]:
    """What a scene shows of the record, without the statement."""
    facts = re.findall(r'^ +"(\w+)": "?([^",]*)"?,?$', text, re.MULTILINE)
    return {name: value for name, value in facts if name != "statement"}


def test_a_search_is_masked_and_keeps_its_scores(shown: str) -> None:
    text = scene(shown, "A search is answered")
    assert re.search(r"\| 0\.\d+ \| \*\*\* +\| \*\*\* ", text)
    assert "(5 rows)" in text
    assert "example.com" not in text
    assert recorded(text) == {
        "verb": "search",
        "decision": "permit",
        "rule": "support-reads",
        "records": "5",
        "ids": "complete",
    }


def test_another_person_sees_the_same_unmasked(shown: str) -> None:
    assert re.search(r"\| 0\.\d+ \| [^*|]+ \| \S+@\w+\.example\.com", scene(shown, "The same search"))


def test_a_large_search_is_refused_with_rule_and_hint(shown: str) -> None:
    text = scene(shown, "A top-k of 5,000")
    assert "ERROR:  sluice: A search returns at most 100 documents." in text
    assert re.search(r'DETAIL:  Rule "top-k" refused \(over_limit\): search on public.support_docs', text)
    assert "HINT:" in text
    assert recorded(text) | {"verb": "search", "decision": "deny", "rule": "top-k"} == recorded(text)


def test_a_bulk_read_waits_for_a_second_person(shown: str) -> None:
    text = scene(shown, "A bulk read")
    notice = re.search(r"NOTICE:  sluice: review (\S+) is needed", text)
    assert notice
    assert f"ben$ sluice review approve {notice[1]}" in text
    assert "(300 rows)" in text
    assert text.index("ben$ sluice review approve") < text.index("(300 rows)")
    assert recorded(text) | {"decision": "permit", "review": notice[1], "records": "300"} == recorded(text)


def test_an_export_is_blocked(shown: str) -> None:
    text = scene(shown, "An export")
    assert "ERROR:  sluice: Exports go through data-security." in text
    assert recorded(text) | {"verb": "export", "decision": "deny", "rule": "no-export"} == recorded(text)


def test_ways_around_the_mask(shown: str) -> None:
    text = scene(shown, "Ways around")
    assert "example.com |" not in text
    assert "WARNING:" in text
    assert "ERROR:  invalid text representation\n" in text


def test_a_changed_policy_holds_in_an_open_session(shown: str) -> None:
    text = scene(shown, "A changed policy")
    assert re.search(r"\(\d+, '\w+', '\*\*\*'\)", text)
    assert re.search(r"30-titles.yaml:1:\d+: error", text)


def test_a_revoked_token_ends_its_session(shown: str) -> None:
    over = re.search(r"over (\d+\.\d) s after", scene(shown, "A revoked token"))
    assert over
    # A second is what is promised; the command itself and a busy machine come on top.
    assert float(over[1]) < 5


def test_the_record_is_intact_and_a_changed_byte_is_found(shown: str) -> None:
    text = scene(shown, "The record proves")
    assert re.search(r"intact: +true", text)
    assert "altered" in text


def test_who_was_sent_a_record(shown: str) -> None:
    text = scene(shown, "Who has ever")
    assert all(who in text for who in ["ana", "dora", "svc-rag"])


def test_prints_no_token_and_no_colour(shown: str) -> None:
    assert not re.search(r"slc_\w{12}", shown)
    assert "\x1b" not in shown


@pytest.mark.parametrize("moment", ["starting PostgreSQL", "setting up Sluice", "── 4 "])
def test_ends_in_order_on_sigterm(tmp: Path, moment: str) -> None:
    process = start(tmp)
    try:
        read_until(process, moment)
        children = children_of(process.pid)
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 128 + signal.SIGTERM, printed
    assert "everything has been stopped" in printed
    wait_until(lambda: not any(map(is_running, children)), "its children are gone")
    assert list(tmp.iterdir()) == []


def test_stays_up_for_looking_around_until_ctrl_c(tmp: Path) -> None:
    process = start(tmp)
    try:
        printed = read_until(process, "Ctrl-C ends it")
        folder = re.search(r"you\$ cd (\S+)", printed)
        assert folder
        look = f"cd {folder[1]} && . ./ana.env && psql --no-psqlrc -Atc 'SELECT count(*), min(email) FROM support_docs'"
        seen = subprocess.run(["sh", "-c", look], capture_output=True, text=True, timeout=60, check=False)
        assert seen.stdout == "343|***\n", seen.stderr
        children = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, printed
    assert children
    assert not any(map(is_running, children))
    assert list(tmp.iterdir()) == []


def test_says_what_to_do_without_a_binary(tmp: Path) -> None:
    done = subprocess.run(
        [sys.executable, DEMO, "--binary", tmp / "sluice"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "make build" in done.stdout
