"""The figures of the proof, in one JSON file.

    from proof.report import record
    record(benign_statements=412, benign_pass_rate=0.985)

Each suite writes its own keys and leaves those of the others. The file is the one that the environment variable
SLUICE_PROOF names, or else proof.json beside the gateway that is tested. `tools/run_tests.py` prints it.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path

from harness.gateway import binary

KEYS = (
    "bypass_cases",
    "bypass_leaks",
    "noninterference_statements",
    "noninterference_differences",
    "benign_statements",
    "benign_pass_rate",
)


def path() -> Path:
    return Path(os.environ.get("SLUICE_PROOF") or binary().parent / "proof.json")


def record(**figures: float) -> None:
    """Puts these figures into the file. Test processes that run at the same time do not lose each other's."""
    unknown = sorted(figures.keys() - set(KEYS))
    if unknown:
        raise ValueError(f"no such figures: {', '.join(unknown)}")
    place = path()
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(place.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
        known = figures_so_far(place) | figures
        beside = place.with_suffix(".new")
        beside.write_text(json.dumps({key: known[key] for key in KEYS if key in known}, indent=2) + "\n")
        beside.rename(place)


def figures_so_far(place: Path) -> dict[str, float]:
    """What the file holds; nothing when there is none."""
    with suppress(FileNotFoundError):
        return json.loads(place.read_text())
    return {}
