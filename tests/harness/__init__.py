"""What the tests stand on: real PostgreSQL servers, a raw wire client, the gateway under test, the attack corpus.

Read `process.py` first (how a child process is started and never left behind), then `postgres.py`, `wire.py`.
"""
