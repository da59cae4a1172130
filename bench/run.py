"""`make bench`: Sluice against PgBouncer and against nothing in between, on this machine, in one run.

    $(tools/setup/python.sh tests/requirements.txt) bench/run.py --build build/release [--quick]

Prints a table, writes bench/results.json. bench/RESULTS.md says what is measured and how.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE.parent / "tests"))  # for the harness of the tests

import report
from dataset import SERVER_SETTINGS, prepare
from harness.postgres import PostgresServer
from harness.process import Scratch
from idle import IdleSessions, StubUpstream, measure_idle, raise_file_limit
from micro import run_micro
from peers import Peer, PgBouncer, direct
from plan import FULL, QUICK, Plan
from rounds import Measured, note, run_rounds
from sluice_peer import SluicePeer
from workloads import all_workloads

_PEERS = ("direct", "pgbouncer", "sluice")


def main() -> None:
    options = _options()
    # By an exception, so that everything that was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended by SIGTERM"))
    os.environ["SLUICE_BIN"] = str(options.build / "sluice")
    raise_file_limit()
    plan = QUICK if options.quick else FULL

    wanted = re.compile(options.only)
    measured = _rounds(options, plan, wanted)
    idle = _idle(plan) if "sluice" in options.peers and wanted.search("idle") else None
    micro = run_micro(options.build / "bench", quick=options.quick) if wanted.search("micro") else []

    found = report.results(measured, idle, micro)
    table = report.table(measured, found)
    print(table)
    report.write_json(options.output, found)
    if not options.quick and not options.only and tuple(options.peers) == _PEERS:
        report.write_page(_HERE / "RESULTS.md", table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures Sluice against PgBouncer and direct connections.")
    parser.add_argument("--build", type=Path, default=_HERE.parent / "build" / "release", help="where the programs are")
    parser.add_argument("--quick", action="store_true", help="little data and two rounds: shows that it works")
    parser.add_argument(
        "--peers", type=lambda text: text.split(","), default=_PEERS, help="some of " + ",".join(_PEERS)
    )
    parser.add_argument("--only", default="", help="regular expression over the workloads' names, idle and micro")
    parser.add_argument("--output", type=Path, default=_HERE / "results.json", help="where the results go")
    options = parser.parse_args()
    options.build = options.build.resolve()
    return options


def _rounds(options: argparse.Namespace, plan: Plan, wanted: re.Pattern[str]) -> list[Measured]:
    with ExitStack() as stack:
        scratch = stack.enter_context(Scratch()).path
        server = stack.enter_context(PostgresServer(settings=SERVER_SETTINGS))
        loads = all_workloads(server, plan, scratch, options.build / "bench" / "bench_sink")
        loads = [load for load in loads if wanted.search(load.name)]
        if not loads:
            return []
        note("loading the data")
        database = prepare(server, plan)
        peers: list[Peer] = []
        for name in options.peers:
            if name == "direct":
                peers.append(direct(database))
            elif name == "pgbouncer":
                peers.append(stack.enter_context(PgBouncer(database)).peer)
            else:
                peers.append(stack.enter_context(SluicePeer(database.server.port, database.name)).peer)
        return run_rounds(loads, peers, plan.rounds)


def _idle(plan: Plan) -> IdleSessions:
    note(f"logging in {plan.idle_sessions:,} idle sessions")
    with StubUpstream() as upstream, SluicePeer(upstream.port, "bench") as sluice:
        return measure_idle(sluice.peer, plan.idle_sessions)


if __name__ == "__main__":
    main()
