"""``python -m benchmarks.gradcheck_limits``: what checks of gradients cost, beside PyTorch's where it is installed.

Each line is the median of a few runs in one process. The limits are those that the checker promises: a full check
of an op with 400 entries under 1 s, the op to blame among 200 under 5 s, and one error of 1e-4 in 10,000 entries
found by at most 20 evaluations, whatever the seed. The exit status is 1 where a limit is missed.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.testing import check, check_vjp, gradcheck

from . import conditions

ROUNDS = 5
SEEDS = 100
X = np.random.default_rng(0).standard_normal((20, 20))


def main() -> int:
    """Measure, print the table, and return the exit status."""
    torch = conditions.load_torch()
    for name, value in conditions.header(torch, ROUNDS):
        print(f"{name:<9}{value}")
    print()
    missed = 0
    for what, limit, run in LIMITS:
        seconds = timed(run)
        missed += seconds > limit
        print(f"{what:<64}{seconds * 1e3:>9.1f} ms   limit {limit:g} s")
    for what, run in COMPARED:
        print(f"{what:<64}{timed(run) * 1e3:>9.1f} ms")
    for what, run in _of_torch(torch) if torch else ():
        print(f"{what:<64}{timed(run) * 1e3:>9.1f} ms")
    found, most = one_in_10_000()
    missed += found < SEEDS or most > 20
    print(
        f"\none error of 1e-4 in 10,000 entries: found for {found} of {SEEDS} seeds, by {most} evaluations at most"
    )
    return int(missed > 0)


def timed(run: Callable[[], Any]) -> float:
    """The median time of a run, in seconds; the first is not counted."""
    run()
    spent = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def one_in_10_000() -> tuple[int, int]:
    """For how many seeds the wrong entry is found, and the most evaluations until it looked wrong."""
    found = most = 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        x, wrong = rng.standard_normal(10_000), int(rng.integers(10_000))

        def rule(inputs: Any, y: Any, g: Any, wrong: int = wrong) -> Any:
            slope = g * (1 - y * y)
            slope[wrong] *= 1 + 1e-4
            return slope

        report = check_vjp(np.tanh, rule, x, fast_mode=True, clauses=["derivative"], seed=seed)
        found += not report.ok
        most = max(most, report.suspected_after)
    return found, most


@tg.elementwise
def wobble(x: Any) -> Any:
    """A cube whose derivative is wrong."""
    return x * x * x


wobble.derivative(x=lambda x: 2.9 * x * x)
TURN = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]


def deep(x: Any) -> Any:
    """200 ops, one of them wrong."""
    for i in range(200):
        x = wobble(x) + 1.0 if i == 120 else (tg.tanh, tg.sin, lambda x: x @ TURN, tg.arctan)[i % 4](x) * 1.3
    return x


def blamed() -> None:
    """Find the op to blame."""
    report = check(deep, np.random.default_rng(1).standard_normal((3, 4)), clauses=["derivative"])
    assert report.cause is not None and report.cause.op == "wobble"


LIMITS: tuple[tuple[str, float, Callable[[], Any]], ...] = (
    ("full check of sin, 400 entries, all clauses", 1.0, lambda: check(tg.sin, X, fast_mode=False)),
    (
        "full check of a NumPy pair, 400 entries, all clauses",
        1.0,
        lambda: check_vjp(np.tanh, lambda i, y, g: g * (1 - y * y), X, fast_mode=False),
    ),
    ("check of 200 ops, the wrong one named", 5.0, blamed),
)
COMPARED: tuple[tuple[str, Callable[[], Any]], ...] = (
    ("gradcheck of tanh, 400 entries", lambda: gradcheck(tg.tanh, X, fast_mode=False)),
    ("gradcheck of tanh, 400 entries, fast", lambda: gradcheck(tg.tanh, X, fast_mode=True)),
)


def _of_torch(torch: Any) -> list[tuple[str, Callable[[], Any]]]:
    x = torch.tensor(X, requires_grad=True)
    theirs = torch.autograd.gradcheck
    return [
        ("torch.autograd.gradcheck of tanh, 400 entries", lambda: theirs(torch.tanh, x)),
        ("torch.autograd.gradcheck of tanh, fast", lambda: theirs(torch.tanh, x, fast_mode=True)),
    ]


if __name__ == "__main__":
    sys.exit(main())
