"""The file of the proof's figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proof import report


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "below" / "proof.json"
    monkeypatch.setenv("SLUICE_PROOF", str(path))
    return path


def test_suites_add_to_each_other_and_replace_their_own(place: Path) -> None:
    report.record(bypass_cases=3, bypass_leaks=0)
    report.record(benign_statements=300, benign_pass_rate=0.98)
    report.record(bypass_cases=5, bypass_leaks=1)
    assert json.loads(place.read_text()) == {
        "bypass_cases": 5, "bypass_leaks": 1, "benign_statements": 300, "benign_pass_rate": 0.98,
    }  # fmt: skip


def test_a_misspelt_figure_is_an_error(place: Path) -> None:
    with pytest.raises(ValueError, match="bypass_leak"):
        report.record(bypass_leak=0)
    assert not place.exists()
