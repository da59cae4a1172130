"""The Google Benchmarks: parts of the path by themselves, on one thread and without a socket."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rounds import note

_TO_NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


@dataclass(frozen=True)
class Micro:
    program: str  # "policy_bench"
    name: str  # "decide/200"
    nanoseconds: float  # of CPU time, median


def run_micro(folder: Path, *, quick: bool) -> list[Micro]:
    """Runs every *_bench that was built."""
    return [
        result
        for program in sorted(folder.glob("*_bench"))
        if program.is_file()
        for result in _run(program, quick=quick)
    ]


def _run(program: Path, *, quick: bool) -> list[Micro]:
    note(f"running {program.name}")
    repetitions = 1 if quick else 3
    done = subprocess.run(
        [
            program,
            "--benchmark_format=json",
            f"--benchmark_repetitions={repetitions}",
            f"--benchmark_min_time={0.05 if quick else 0.3}",
        ],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{program.name} failed:\n{done.stderr[-2000:]}")
    wanted = "iteration" if repetitions == 1 else "median"
    results = []
    for run in json.loads(done.stdout)["benchmarks"]:
        if run.get("error_occurred"):
            raise RuntimeError(f"{program.name}: {run['name']}: {run.get('error_message')}")
        if run.get("aggregate_name", run["run_type"]) == wanted:
            # One that measures parts of its loop says how long those took.
            time = run["real_time" if run["run_name"].endswith("/manual_time") else "cpu_time"]
            results.append(Micro(program.name, run["run_name"], time * _TO_NANOSECONDS[run["time_unit"]]))
    return results
