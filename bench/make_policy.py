"""Writes bench/policy: a policy of 200 rules such as a company of 24 teams has, on whose gateway the benchmark is one more
team. Run it after a change, and commit what it writes.

Roughly a third of the rules can apply to the benchmark's session (its connection is shared by eight teams, and masks, limits,
reviews and denials are mostly everybody's); the masks are about relations that no workload reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "policy"
RULES = 200

_TEAMS = 24
_CONNECTIONS = ("bench", "kb", "warehouse")
_MASKED = 40  # dataset.MASKED_TABLES


def bench() -> Iterator[str]:
    """What the benchmark itself needs."""
    tables = '["public.pgbench_*", public.documents, public.large_rows]'
    yield rule(
        "bench-reads",
        f"principal: {{groups: [bench]}}, connection: bench, verb: {READS}, collection: {tables}",
        "allow: true",
    )
    yield rule(
        "bench-connects", "principal: {groups: [bench]}, connection: bench, verb: [metadata, session]", "allow: true"
    )


def teams() -> Iterator[str]:
    """Each reads its own schema, connects, has a budget and a bound."""
    for number in range(_TEAMS):
        who = f"principal: {{groups: [team-{number:02}]}}, connection: {_CONNECTIONS[number % len(_CONNECTIONS)]}"
        own = f'collection: ["team_{number:02}.*"]'
        yield rule(f"team-{number:02}-reads", f"{who}, verb: {READS}, {own}", "allow: {max_records: 5000}")
        yield rule(f"team-{number:02}-connects", f"{who}, verb: [metadata, session]", "allow: true")
        yield rule(
            f"team-{number:02}-budget", f"{who}, verb: [search, fetch, scroll]", "budget: {records: 20000, per: 1h}"
        )
        yield rule(f"team-{number:02}-top-k", f"{own}, verb: search", "limit: {max_records: 100, over: clamp}")


def masks() -> Iterator[str]:
    for number in range(_MASKED):
        yield rule(
            f"hide-customers-{number:02}",
            f"collection: crm.customers_{number:02}, except: {{principal: {{groups: [dpo]}}}}",
            "mask: [{fields: [email, phone, ssn], with: redact}, {vectors: remove}]",
        )


def bounds() -> Iterator[str]:
    yield rule("top-k", "verb: search", "limit: {max_records: 1000, over: deny}")
    yield rule("no-export", "verb: [export, admin, schema]", "deny: Exports go through data-security.")
    yield rule(
        "machines-do-not-write",
        "principal: {kind: machine}, verb: [write, remove], except: {principal: {groups: [loaders]}}",
        "deny: Write with a loader's account.",
    )
    for number in range(_TEAMS):
        yield rule(
            f"bulk-{number:02}",
            f'collection: ["team_{number:02}.*"], verb: [scroll, search], records: {{over: 1000}}',
            f'review: {{by: ["group:team-{number:02}-owners"], approvals: 1, uses: 1, valid_for: 30m, hold: 60s}}',
        )


def denials(count: int) -> Iterator[str]:
    """What has been closed over the years: archives, places, hours."""
    for number in range(count):
        match number % 3:
            case 0:
                yield rule(
                    f"sealed-{number:02}", f"collection: archive.year_{number:02}", "deny: This archive is sealed."
                )
            case 1:
                yield rule(
                    f"office-only-{number:02}",
                    f"collection: hr.staff_{number:02}, verb: {READS}, except: {{client_network: [10.{number}.0.0/16]}}",
                    "deny: From the office only.",
                )
            case _:
                yield rule(
                    f"not-at-night-{number:02}",
                    f'principal: {{name: "batch-{number:02}-*"}}, verb: scroll, time: {{hours: "08:00-18:00"}}',
                    "deny: Batches run at night.",
                )


READS = "[search, fetch, scroll, count]"


def rule(name: str, match: str, effect: str) -> str:
    return f"  - name: {name}\n    match: {{{match}}}\n    {effect}\n"


def main() -> None:
    files = {
        "10-bench.yaml": list(bench()),
        "20-teams.yaml": list(teams()),
        "30-masks.yaml": list(masks()),
        "40-bounds.yaml": list(bounds()),
    }
    files["50-denials.yaml"] = list(denials(RULES - sum(len(rules) for rules in files.values())))
    FOLDER.mkdir(exist_ok=True)
    for name, rules in files.items():
        (FOLDER / name).write_text("# Written by bench/make_policy.py. Do not edit.\nrules:\n" + "".join(rules))


if __name__ == "__main__":
    main()
