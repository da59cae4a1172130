"""Non-interference: two databases that differ only in masked cells look the same to a client behind the gateway.

The proof method (docs/masking.md): two servers of the same build with the same schema, the same roles and the same rows,
except that every masked cell holds another value of the same stored length; a gateway with the same policy before each;
a seeded generator of statements and of whole sequences; and a comparison of every byte that the two clients receive:
message types and counts, row descriptions, cells, errors, notices, command tags. Whatever differs is something that a
client has learnt about a masked cell, or an instability that a client could mistake for it.

    python -m proof.noninterference --statements 50000 --seed 7        (make noninterference STATEMENTS=50000 SEED=7)

* `schema.py` and `rows.py`: the schema, its masks, the rows of either world; `statements/`: statements with holes.
* `worlds.py`: the two worlds, and what a step of a sequence is on the wire.
* `expressions.py`, `queries.py`, `builtins.py`, `sequences.py`: the generator.
* `compare.py`: what counts as equal; `shrink.py`: the smallest sequence that still differs; `run.py`: the loop.

What a policy gives away is equal in both worlds by construction; that is what the test takes as declassified:

* the lengths of masked cells, and so the sizes of tables and indexes; which cells are null, except people.bonus;
* which partition a row is in, and how many rows a partial index holds;
* scores where a rule says `scores: keep`, the ranking where it says `rank`: for query vectors whose second half is zero (see
  `rows.py` for why others would differ in truth);
* the order of rows by a column with `order: keep`;
* the parts that `partial` masks show, and the text around what detectors find;
* which of two indexes over masked columns the planner takes, where either would do: that depends on their statistics, and EXPLAIN
  shows it (no relation here has two such);
* the physical order of rows: both worlds insert the same rows in the same order.
"""
