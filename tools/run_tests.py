#!/usr/bin/env python3
"""Runs the unit tests, then each benchmark once, then the integration tests, and ends with two lines: what the proof of
masking came to (also in build/proof.json), and `N passed, N failed`.

    run_tests.py --build build/dev [pytest arguments]

Unit tests are the gtest programs of the build; a benchmark passes when it comes to its end (what it measures here means
nothing); integration tests are those of tests/, with the gateway of the same build.
Sanitizer findings fail the program that made them, and so the test. Output of what passes stays short.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
PROOF = ROOT / "build" / "proof.json"  # written by tests/proof/report.py


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __iadd__(self, other: Count) -> Self:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self


def unit_tests(build: Path) -> Count:
    total = Count()
    for program in sorted((build / "src").glob("sluice_*_test")):
        report = build / f"{program.name}.json"
        report.unlink(missing_ok=True)
        began = time.monotonic()
        run = subprocess.run([program, "--gtest_brief=1", f"--gtest_output=json:{report}"], cwd=ROOT, check=False,
                             timeout=600, capture_output=True, text=True)  # fmt: skip
        count = Count()
        if report.exists():
            summary = json.loads(report.read_text(encoding="utf-8"))
            count.failed = summary["failures"] + summary["errors"]
            count.skipped = summary["disabled"]
            count.passed = summary["tests"] - count.failed - count.skipped
        if run.returncode != 0:  # a crash or a sanitizer's finding also fails, whatever was counted
            count.failed = max(count.failed, 1)
            print(run.stdout[-8000:], run.stderr[-8000:], sep="\n")
        print(f"{program.name}: {count.passed} passed, {count.failed} failed ({time.monotonic() - began:.1f} s)", flush=True)
        total += count
    return total


def benchmarks(build: Path) -> Count:
    total = Count()
    for program in sorted(path for path in (build / "bench").glob("*_bench") if path.is_file()):
        run = subprocess.run([program, "--benchmark_min_time=0.0001"], cwd=ROOT, check=False, timeout=600,
                             capture_output=True, text=True)  # fmt: skip
        if run.returncode == 0 and "ERROR OCCURRED" not in run.stdout:
            total += Count(passed=1)
            continue
        total += Count(failed=1)
        print(f"{program.name} failed:", run.stdout[-4000:], run.stderr[-4000:], sep="\n", flush=True)
    if not total.passed and not total.failed:  # they are part of every build that has tests
        total += Count(failed=1)
    print(f"benchmarks: {total.passed} run to their end, {total.failed} failed", flush=True)
    return total


def integration_tests(build: Path, arguments: list[str]) -> Count:
    report = build / "pytest.xml"
    report.unlink(missing_ok=True)
    PROOF.unlink(missing_ok=True)  # the figures are those of this run
    environment = os.environ | {
        "SLUICE_BIN": str(build / "sluice"),
        "SLUICE_PROOF": str(PROOF),
        "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "TSAN_OPTIONS": "halt_on_error=1:exitcode=99:second_deadlock_stack=1",
    }
    subprocess.run([sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *arguments],
                   cwd=ROOT / "tests", env=environment, check=False)  # fmt: skip
    if not report.exists():
        return Count(failed=1)
    suite = ElementTree.parse(report).getroot().find("testsuite")
    if suite is None:
        return Count(failed=1)
    number = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
    failed = number["failures"] + number["errors"]
    return Count(number["tests"] - failed - number["skipped"], failed, number["skipped"])


def proof() -> str:
    """The six figures of the proof in one line; "not run" for what was left out."""
    figures = json.loads(PROOF.read_text(encoding="utf-8")) if PROOF.exists() else {}

    def figure(key: str, form: str = "{}") -> str:
        return form.format(figures[key]) if key in figures else "not run"

    return (
        f"proof: bypass cases {figure('bypass_cases')}, leaks {figure('bypass_leaks')}; "
        f"non-interference statements {figure('noninterference_statements')}, "
        f"differences {figure('noninterference_differences')}; "
        f"benign statements {figure('benign_statements')}, pass rate {figure('benign_pass_rate', '{:.1%}')}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="build folder, for example build/dev")
    parser.add_argument("--only", choices=["unit", "integration"], help="one half only (benchmarks go with the unit tests)")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest")
    arguments = parser.parse_args()
    build = (ROOT / arguments.build).resolve()

    total = Count()
    if arguments.only != "integration":
        total += unit_tests(build)
        total += benchmarks(build)
    if arguments.only != "unit":
        total += integration_tests(build, arguments.pytest)
        print(proof())
    tail = f", {total.skipped} skipped" if total.skipped else ""
    print(f"{total.passed} passed, {total.failed} failed{tail}")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
