#!/usr/bin/env python3
"""clang-tidy over the C++ sources, each at most once for what it says.

    tidy.py --build build/dev               all sources; what has passed as it is now is not looked at again
    tidy.py --build build/dev --minutes 10  the same for ten minutes; the next run goes on where this one ends
    tidy.py --build build/dev --since main  only what is compiled from a file that has changed since it left main
    tidy.py --build build/dev --all         also what has passed before

A source has passed as long as its bytes, those of every header of the checkout that it includes, .clang-tidy and the
version of clang-tidy are the same; that is kept in the cache, for every clone, from when it passes. What was changed
last comes first. Needs a finished build: for the compile commands, the precompiled header, and the lists of included
headers.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = "clang-tidy-19"
KEPT = 20_000  # passes that are remembered: some sixty versions of each source
# Compiled with PostgreSQL's own headers, whose C no check of ours is meant for.
LEFT_OUT = re.compile(r"/pg_tree[^/]*\.cc$")
FINDING = re.compile(r"^(/[^:]+):\d+:\d+: (?:warning|error): ", re.MULTILINE)
# The static analyzer does not know that a coroutine's frame has its thread before it runs: it sees Asio read a pointer that
# nobody has set, at a co_await of ours that looks like any other.
NOT_FOLLOWED = re.compile(r"/boost/asio/impl/(use_)?awaitable\.hpp$")


def output_of(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def sources_newest_first() -> list[Path]:
    tracked = {line for line in output_of("git", "ls-files", "src/*.cc").splitlines() if not LEFT_OUT.search(line)}
    order = output_of("git", "diff", "--name-only", "HEAD").splitlines()
    order += output_of("git", "log", "--format=", "--name-only", "--", "src").splitlines()
    order += sorted(tracked)  # of a shallow clone the log does not know all
    return [Path(name) for name in dict.fromkeys(order) if name in tracked]


def includes(build: Path) -> dict[Path, list[Path]]:
    """Of each source, the files of the checkout that it was compiled from, by its path in the checkout."""
    lists: dict[Path, list[Path]] = {}
    files: list[Path] = []
    for line in output_of("ninja", "-C", str(build), "-t", "deps").splitlines():
        if not line.startswith(" "):  # src/CMakeFiles/sluice_core.dir/core/clock.cc.o: #deps 12, ...
            compiled = re.search(r"\.dir/(.*)\.o:", line)
            files = lists.setdefault(Path("src") / compiled[1], []) if compiled else []
            continue
        path = Path(os.path.normpath(build / line.strip()))
        if path.is_relative_to(ROOT) and not path.is_relative_to(build):
            files.append(path)
    return lists


def changed_since(revision: str) -> set[Path]:
    """What differs from where this branch left `revision`, committed or not."""
    fork = output_of("git", "merge-base", revision, "HEAD").strip()
    return {Path(name) for name in output_of("git", "diff", "--name-only", fork).splitlines()}


class Passed:
    """What has passed, as digests, one a line. Runs of several clones may add to it at the same time."""

    def __init__(self) -> None:
        cache = os.environ.get("SLUICE_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "sluice")
        self._file = Path(cache) / "tidy-passed"
        self._file.parent.mkdir(parents=True, exist_ok=True)
        known = list(dict.fromkeys(self._file.read_text().split())) if self._file.exists() else []
        if len(known) > KEPT:
            draft = self._file.with_name(f"tidy-passed.{os.getpid()}")
            draft.write_text("".join(f"{digest}\n" for digest in known[-KEPT:]))
            draft.replace(self._file)
        self._known = set(known)
        common = (ROOT / ".clang-tidy", ROOT / "cmake" / "pch.h")
        self._base = b"".join(file.read_bytes() for file in common) + output_of(TOOL, "--version").encode()

    def digest(self, files: list[Path]) -> str:
        sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.exists()]
        return hashlib.sha256(self._base + "".join(sums).encode()).hexdigest()

    def __contains__(self, digest: str) -> bool:
        return digest in self._known

    def add(self, digest: str) -> None:
        with self._file.open("a") as file:
            file.write(f"{digest}\n")


def findings(said: str) -> list[str]:
    """What clang-tidy found, each with the notes that explain it, but for what it cannot follow."""
    found: list[str] = []
    for line in said.splitlines():
        if at := FINDING.match(line):
            found.append("" if NOT_FOLLOWED.search(at[1]) else line)
        elif found and found[-1]:
            found[-1] += f"\n{line}"
    return [finding for finding in found if finding]


def check(build: Path, source: Path, until: float) -> tuple[bool | None, str]:
    """Whether it passed, None when the time was up, and what clang-tidy said."""
    if time.monotonic() > until:
        return None, ""
    run = subprocess.run(
        [TOOL, "-p", str(build), "--quiet", str(source)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    found = findings(run.stdout)
    if run.returncode != 0 and not FINDING.search(run.stdout):  # it did not get to look
        found.append(f"{source}: clang-tidy ended with {run.returncode}\n{run.stdout}{run.stderr}")
    return not found, "\n".join(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="build folder, for example build/dev")
    parser.add_argument("--minutes", type=float, help="begin nothing more after so many")
    parser.add_argument("--since", metavar="REVISION", help="only what is compiled from a file changed since then")
    parser.add_argument("--all", action="store_true", help="also what has passed before")
    arguments = parser.parse_args()
    build = (ROOT / arguments.build).resolve()
    until = time.monotonic() + arguments.minutes * 60 if arguments.minutes else float("inf")

    passed = Passed()
    compiled_from = includes(build)
    sources = sources_newest_first()
    for source in sources:
        if source not in compiled_from:
            sys.exit(f"error: {source} has not been compiled in {arguments.build}: build it first")
    if arguments.since:
        changed = {ROOT / path for path in changed_since(arguments.since)}
        sources = [source for source in sources if not changed.isdisjoint(compiled_from[source])]
    wanted = {source: passed.digest(compiled_from[source]) for source in sources}
    if not arguments.all:
        wanted = {source: digest for source, digest in wanted.items() if digest not in passed}

    failed, left = [], 0
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS") or os.cpu_count() or 2)) as pool:
        checks = [(source, pool.submit(check, build, source, until)) for source in wanted]
        for source, result in checks:
            good, said = result.result()
            if said:
                print(said, flush=True)
            if good is None:
                left += 1
            elif not good:
                failed.append(source)
            elif passed.digest(compiled_from[source]) == wanted[source]:  # not edited in the meantime
                passed.add(wanted[source])
    tail = f", {left} left for the next run" if left else ""
    print(f"clang-tidy: {len(wanted) - left} of {len(sources)} sources looked at, {len(failed)} with findings{tail}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
