"""Memory of gradients, and what it costs to need less: `python -m benchmarks.memory`.

Peaks are those of `tracemalloc` over one forward and one backward pass, in bytes besides what was there before.
*predicted* is what `tensorgrad.plan_checkpoints` says before the pass; it must be within 10 % of the peak. Times are
medians of runs that take turns in this process, without tracing.
"""

from __future__ import annotations

import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad import nn

WITHIN = 0.1
STEPS, WIDTH = 10_000, 32


class Residual(nn.Module):
    """Two linear layers beside the identity."""

    def __init__(self, n: int) -> None:
        self.a, self.b = nn.Linear(n, n), nn.Linear(n, n)

    def forward(self, x: Any) -> Any:
        """Add the branch to what comes in."""
        return x + self.b(tg.tanh(self.a(x)))


def models() -> Iterator[tuple[str, Any, Any]]:
    """Chains of blocks, each with an input."""
    yield (
        "MLP, 8 x (Linear 256, ReLU)",
        nn.Sequential(*[part for _ in range(8) for part in (nn.Linear(256, 256), nn.ReLU())]),
        tg.randn(1000, 256),
    )
    yield (
        "feed-forward blocks, 8 x 128-512-128",
        nn.Sequential(*[
            nn.Sequential(nn.Linear(128, 512), nn.GELU(), nn.Linear(512, 128), nn.LayerNorm(128)) for _ in range(8)
        ]),
        tg.randn(500, 128),
    )  # fmt: skip
    yield "residual blocks, 12 x 200", nn.Sequential(*[Residual(200) for _ in range(12)]), tg.randn(800, 200)
    parts = [
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
    ]
    parts += [nn.MaxPool2d(2), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5)]
    yield "CNN", nn.Sequential(*parts, nn.Linear(16 * 14 * 14, 10)), tg.randn(16, 3, 28, 28)
    functions = [
        tg.sin,
        tg.exp,
        tg.tanh,
        lambda x: x * x,
        tg.cos,
        lambda x: tg.sqrt(x * x + 1),
        tg.sin,
        tg.tanh,
    ]
    yield "functions of 200,000 elements", functions, tg.randn(200_000).requires_grad_()


def main() -> int:
    """Print the tables; the exit status is 1 if a prediction or the time of a scan is too far off."""
    tg.manual_seed(0)
    print(f"{'chain':<38} {'cuts':<14} {'predicted':>10} {'peak':>10} {'ratio':>6} {'time':>6}")
    worst = 0.0
    for name, model, x in models():
        plan = tg.plan_checkpoints(model, x)
        half = tg.plan_checkpoints(model, x, (plan.peak + plan.peak_kept) / 2)
        runs = {"none": _plainly(model), "half the way": half, "least memory": plan}
        times = _times({key: _pass(run, x) for key, run in runs.items()})
        for key, predicted in zip(runs, (plan.peak_kept, half.peak, plan.peak), strict=True):
            peak = _peak(_pass(runs[key], x))
            worst = max(worst, abs(predicted / peak - 1))
            print(
                f"{name:<38} {key:<14} {predicted / 1e6:>7.2f} MB {peak / 1e6:>7.2f} MB {predicted / peak:>6.3f} "
                f"{times[key] / times['none']:>6.2f}"
            )
    slow = _scans()
    print(f"\npredictions within {worst:.1%}; scan {slow:.2f} times the loop")
    return int(worst > WITHIN or slow > 2)


def _scans() -> float:
    """A recurrent cell over many steps: the loop, and scans."""
    rng = np.random.default_rng(0)
    w, u = [
        tg.tensor(rng.standard_normal((WIDTH, WIDTH)) * 0.1, np.float32, requires_grad=True) for _ in range(2)
    ]
    print(f"\n{'steps of tanh(h @ w + x @ u), 1 x 32':<38} {'peak':>10} {'time':>6}")
    worst = 0.0
    for steps in (STEPS // 16, STEPS // 4, STEPS):
        xs = rng.standard_normal((steps, 1, WIDTH)).astype(np.float32)

        def cell(h: Any, x: Any) -> Any:
            return tg.tanh(h @ w + x @ u), None

        def loop(xs: Any = xs) -> Any:
            h = tg.zeros((1, WIDTH))
            for x in xs:
                h, _ = cell(h, x)
            h.sum().backward()

        def scan(size: Any, xs: Any = xs) -> Callable[[], None]:
            return lambda: tg.scan(cell, tg.zeros((1, WIDTH)), xs, checkpoint=size)[0].sum().backward()

        runs = {
            "loop": loop,
            "scan, nothing forgotten": scan(None),
            "scan": scan("auto"),
            "scan of 1000": scan(1000),
        }
        times = _times(runs, rounds=5)
        worst = max(worst, times["scan"] / times["loop"])
        for key, run in runs.items():
            print(f"{f'{steps:>6} {key}':<38} {_peak(run) / 1e6:>7.2f} MB {times[key] / times['loop']:>6.2f}")
    return worst


def _plainly(model: Any) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for block in model:
            x = block(x)
        return x

    return run


def _pass(run: Callable[[Any], Any], x: Any) -> Callable[[], None]:
    def both() -> None:
        y = run(x)
        y.sum().backward()

    return both


def _peak(run: Callable[[], None]) -> int:
    run()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _times(runs: dict[str, Callable[[], None]], rounds: int = 7) -> dict[str, float]:
    """The median seconds of the processor for each, of rounds in which they take turns."""
    found: dict[str, list[float]] = {key: [] for key in runs}
    for _ in range(rounds):
        for key, run in runs.items():
            began = time.process_time()
            run()
            found[key].append(time.process_time() - began)
    return {key: statistics.median(one) for key, one in found.items()}


if __name__ == "__main__":
    sys.exit(main())
