"""Where tools/setup keeps what is slow to make, and those of its scripts that the tests call."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_SETUP = Path(__file__).resolve().parents[2] / "tools" / "setup"


def cache_folder() -> Path:
    """The same folder as in tools/setup/lib.sh."""
    if own := os.environ.get("SLUICE_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice"


def run_setup(script: str) -> Path:
    """Runs a script of tools/setup that prints a path; its messages go to the terminal."""
    done = subprocess.run([_SETUP / script], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"tools/setup/{script} failed with exit code {done.returncode}; see above")
    return Path(done.stdout.strip())
