#!/usr/bin/env python3
"""Sluice at work, step by step, in front of a real PostgreSQL with pgvector.

    make demo                                             sets up everything, builds, and runs this
    demo.py --binary build/release/sluice                 with the packages of demo/requirements.txt
    demo.py --binary build/release/sluice --once          ends after the last scene

Everything it starts and writes is its own, and gone when it ends: on Ctrl-C, on SIGTERM, on an error.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(1, os.fspath(_HERE.parent / "tests"))  # the harness that starts PostgreSQL

try:
    import psycopg
    from scenes import Play
    from screen import Screen
    from stage import Stage, Unexpected
except ImportError as missing:
    sys.exit(f"error: {missing}. Run `make demo`, which sets up the Python environment of demo/requirements.txt.")


class Ended(Exception):
    """Ctrl-C, SIGTERM, or the terminal is gone."""


def main() -> int:
    arguments = _arguments()
    sys.stdout.reconfigure(errors="replace")  # a terminal that knows no “ and → shows a ? instead
    screen = Screen(sys.stdout)
    if not os.access(arguments.binary, os.X_OK) or arguments.binary.is_dir():
        screen.error(
            f"error: there is no program {arguments.binary}. Build it with `make build`, or name one with --binary."
        )
        return 2
    for number in _SIGNALS:
        signal.signal(number, _end)
    try:
        with Stage(arguments.binary.resolve(), screen) as stage:
            Play(stage, screen).run()
            if not arguments.once:
                _stay(stage, screen)
        return 0
    except Ended as end:
        screen.blank()
        screen.note("everything has been stopped and removed")
        number = end.args[0]
        return 0 if number == signal.SIGINT else 128 + number
    except (Unexpected, psycopg.Error, subprocess.SubprocessError) as problem:
        screen.error(f"error: {problem}\nThis is a bug in Sluice or in its demo: please report it with this output.")
    except (RuntimeError, TimeoutError, OSError) as problem:
        screen.error(f"error: {problem}")
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, required=True, help="the sluice to show")
    parser.add_argument("--once", action="store_true", help="end after the last scene instead of waiting for Ctrl-C")
    return parser.parse_args()


def _stay(stage: Stage, screen: Screen) -> None:
    screen.title("Over to you")
    screen.say("All of this is still running. In other terminals, be one of the four:")
    screen.blank()
    screen.command("you", f"cd {stage.folder}")
    screen.command("you", ". ./ana.env && psql")
    screen.command("you", ". ./dora.env && psql")
    screen.command("you", ". ./ben.env && sluice review list")
    screen.blank()
    screen.say("Or be the administrator, and edit the policy while you are at it:")
    screen.blank()
    screen.command("you", ". ./admin.env && sluice --help")
    screen.command("you", "sluice sessions live; sluice sessions search --text ssn; sluice status")
    explain = "sluice policy explain --as ana --connection docs --role app 'SELECT * FROM support_docs LIMIT 500'"
    screen.command("you", explain)
    screen.command("you", '"$EDITOR" sluice/policy/20-masks.yaml')
    screen.blank()
    screen.say(f"The admin API is at {stage.admin_url} (its description: /api/v1/openapi.json, metrics: /metrics).")
    screen.blank()
    screen.note("Ctrl-C ends it and removes everything.")
    while True:
        time.sleep(1)
        stage.check_alive()


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _end(number: int, _: object) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # what follows is bounded in time, and must not be cut short
    raise Ended(number)


if __name__ == "__main__":
    sys.exit(main())
