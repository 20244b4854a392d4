"""Mutation suite of the gradient checker: faults planted in random graphs of every op, and published bugs.

Run it by ``python -m benchmarks.gradcheck_mutants``. The parts, from the bottom up: `points` (where each
op of the library can be called, and how far around), `faults` (a card whose derivative has a fault),
`operators` (the kinds of fault), `graphs` (random functions around an op), `generator` (instances of all
this by seed and number), `published` (bugs of other libraries), `judge` (what the checker says of an
instance), `runs`, `tables`.
"""
