"""How much one run measures: the full run takes some 15 minutes, the quick one two and shows only that everything works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: int  # of each pgbench run
    clients: tuple[int, ...]  # of pgbench
    pgbench_scale: int
    vectors: int  # rows of public.documents
    dimensions: int
    large_rows: int  # of public.large_rows, some 9 KB each
    idle_sessions: int


FULL = Plan(
    rounds=7,
    seconds=4,
    clients=(8, 32),
    pgbench_scale=10,
    vectors=100_000,
    dimensions=768,
    large_rows=100_000,
    idle_sessions=10_000,
)

QUICK = Plan(
    rounds=2,
    seconds=1,
    clients=(8, 32),
    pgbench_scale=1,
    vectors=2_000,
    dimensions=768,
    large_rows=10_000,
    idle_sessions=500,
)
