"""A graph of 200,000 scalar ops, all tensors kept alive; times are per op.

This is what a long simulation or a recurrent network leaves in memory. Keeping the tensors costs more than
their bytes: the garbage collector, which is on, looks at what is alive again and again. The bar is on
recording plus ``backward``. Peak memory is that of a fresh process for each library, by which the largest
resident set grew over one record and backward.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import tensorgrad as tg

from .harness import Case, Implementation

OPS = 200_000
MUST = 0.6


def cases(torch: Any) -> Iterator[Case]:
    """One row with the bar, one that only records."""
    for what, backward in (("record + backward", True), ("record only", False)):
        yield Case(
            f"{what}, all tensors kept",
            "()",
            partial(_kept, tg, backward),
            {"torch": partial(_kept, torch, backward)} if torch else {},
            must=MUST if backward else None,
            per=OPS,
        )


def notes(torch: Any) -> tuple[str, ...]:
    """Peak memory of each library, a line for each."""
    names = ("tensorgrad", "torch") if torch else ("tensorgrad",)
    return tuple(f"peak memory, record + backward, {name}: {_peak_in_fresh_process(name)}" for name in names)


def record(lib: Any, x: Any, w: Any, ops: int) -> list[Any]:
    """The results of a chain of ``x * w``, ``+ w``, ``tanh``, ``* 0.9``, over and over."""
    kept: list[Any] = []
    keep, tanh = kept.append, lib.tanh
    for _ in range(ops // 4):
        x = x * w
        keep(x)
        x = x + w
        keep(x)
        x = tanh(x)
        keep(x)
        x = x * 0.9
        keep(x)
    return kept


def _kept(lib: Any, backward: bool) -> Implementation:
    x, w = _leaves(lib)

    def run() -> Any:
        x.grad = w.grad = None
        kept = record(lib, x, w, OPS)
        if backward:
            kept[-1].backward()
        return kept

    def check() -> Any:
        kept = run()
        return kept[-1], [x.grad, w.grad] if backward else []

    return Implementation(run, check)


def _leaves(lib: Any) -> list[Any]:
    return [lib.tensor(np.array(value, np.float32), requires_grad=True) for value in (0.3, 0.5)]


def _peak_in_fresh_process(name: str) -> str:
    command = [sys.executable, "-m", "benchmarks.live_graph", name]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    if done.returncode:
        return f"not known ({done.stderr.strip().splitlines()[-1]})"
    return done.stdout.strip()


def _print_peak(name: str) -> None:
    lib = importlib.import_module(name)
    x, w = _leaves(lib)
    record(lib, x, w, 400)[-1].backward()  # what a first call sets up is not part of the graph
    before = _largest_resident_set()
    kept = record(lib, x, w, OPS)
    kept[-1].backward()
    grown = _largest_resident_set() - before
    print(f"{grown / 1e6:.0f} MB, {grown / OPS:.0f} bytes per op")


def _largest_resident_set() -> int:
    """Bytes. Linux's ``ru_maxrss`` would do, if a new process did not begin with its parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    raise OSError("this system does not tell the largest resident set")


if __name__ == "__main__":
    _print_peak(sys.argv[1])
