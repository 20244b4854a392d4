"""One comparison: build the implementations, see that they agree, time them in turn.

A family of workloads yields `Case` objects. `measure` makes a `Result` of each: implementations that do
not agree on values and gradients are void and are not timed. Otherwise all of them run once per round, so
that whatever else the machine does falls on all of them alike.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Run = Callable[[], Any]
Stopwatch = Callable[[Run, int], float]

ROUNDS = 15
PATIENCE = 4
"""How many times `ROUNDS` a row may get before a verdict that noise decides is taken."""
ROUND_SECONDS = 0.03
"""How long one implementation runs within a round; shorter workloads are repeated until they fill it."""

TOLERANCE = {np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-9}
"""Largest difference, relative to the largest entry. Chains of 200 ops add up rounding errors."""


@dataclass(frozen=True)
class Implementation:
    """What is timed, and what must agree: `check` where that is more than what `run` returns."""

    run: Run
    check: Run | None = None

    def results(self) -> Any:
        return self.run() if self.check is None else self.check()


Maker = Callable[[], Implementation]


def loop(run: Run, repetitions: int) -> float:
    """Seconds that ``repetitions`` calls take; freeing what they return is part of it."""
    start = time.perf_counter()
    for _ in range(repetitions):
        run()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Case:
    """A workload at one shape.

    Args:
        workload: what is computed.
        shape: at which size.
        ours: makes this library's implementation.
        peers: makers of what it is compared with; where there are several, the fastest one counts.
        must: the largest ratio that passes.
        aim: the ratio that is wished for.
        per: times are divided by this, the number of ops.
        stopwatch: runs an implementation a number of times and tells the seconds.
    """

    workload: str
    shape: str
    ours: Maker
    peers: Mapping[str, Maker] = field(default_factory=dict)
    must: float | None = None
    aim: float | None = None
    per: int = 1
    stopwatch: Stopwatch = loop


@dataclass(frozen=True)
class Result:
    """The times of one case: seconds by round, for "ours" and each peer; or why it is void."""

    case: Case
    times: Mapping[str, list[float]] = field(default_factory=dict)
    void: str | None = None

    @property
    def ours(self) -> float | None:
        """Median of our times, divided by `Case.per`."""
        return self._median("ours") if self.times else None

    @property
    def peer_name(self) -> str | None:
        """The peer with the smallest median."""
        return min((name for name in self.times if name != "ours"), key=self._median, default=None)

    @property
    def peer(self) -> float | None:
        """Median of the fastest peer's times, divided by `Case.per`."""
        return None if self.peer_name is None else self._median(self.peer_name)

    @property
    def ratio(self) -> float | None:
        """Median of the ratios of single rounds, ours / the peer's: the figure that the bars are about.

        Where another job slows the machine for a part of the rounds, each round still compares like with
        like, and the two medians may come from different times.
        """
        return statistics.median(self._ratios) if self._ratios else None

    @property
    def quartiles(self) -> tuple[float, float] | None:
        """First and third quartile of the ratios of single rounds: how far to trust `ratio`."""
        if not self._ratios:
            return None
        low, _, high = statistics.quantiles(self._ratios, n=4, method="inclusive")
        return low, high

    @property
    def verdict(self) -> str:
        """``VOID``, ``MISS``, ``ok``, ``ok, aim``; empty for a row without a bar or without a peer."""
        if self.void is not None:
            return "VOID"
        ratio, must, aim = self.ratio, self.case.must, self.case.aim
        if ratio is None or must is None:
            return ""
        if not ratio <= must:
            return "MISS"
        return "ok, aim" if aim is not None and ratio <= aim else "ok"

    @property
    def undecided(self) -> bool:
        """Whether the bar lies between the quartiles: noise decides on which side the ratio falls."""
        quartiles, must = self.quartiles, self.case.must
        return quartiles is not None and must is not None and quartiles[0] <= must <= quartiles[1]

    @property
    def failed(self) -> bool:
        """Whether the row is void or misses its bar."""
        return self.verdict in ("VOID", "MISS")

    @property
    def _ratios(self) -> list[float]:
        if self.peer_name is None:
            return []
        return [a / b for a, b in zip(self.times["ours"], self.times[self.peer_name], strict=True)]

    def _median(self, name: str) -> float:
        return statistics.median(self.times[name]) / self.case.per


def measure(case: Case, rounds: int = ROUNDS) -> Result:
    """Check that all implementations of ``case`` agree, then time them round by round.

    An implementation that raises makes the row void as well: the other rows are still worth seeing. A row
    that is undecided after ``rounds`` gets as many again, up to `PATIENCE` times, and all of them count.
    """
    runs: dict[str, Run] = {}
    results: dict[str, Any] = {}
    for name, make in {"ours": case.ours, **case.peers}.items():
        try:
            implementation = make()
            results[name] = arrays(implementation.results())
        except Exception as error:
            return Result(case, void=f"{name} raised {type(error).__name__}: {error}")
        runs[name] = implementation.run
    for name in case.peers:
        if (reason := difference(results["ours"], results[name])) is not None:
            return Result(case, void=f"ours and {name} disagree: {reason}")
    del results
    result = Result(case, times={name: [] for name in runs})
    gc.collect()
    repetitions = {name: _repetitions(run, case.stopwatch) for name, run in runs.items()}
    for _ in range(PATIENCE):
        _add_rounds(result, runs, repetitions, rounds)
        if not result.undecided:
            break
    return result


def gate(results: list[Result]) -> int:
    """The exit status: 1 if a row is void or misses its bar."""
    return int(any(result.failed for result in results))


# ---- agreement


def arrays(value: Any) -> list[np.ndarray[Any, Any]]:
    """Tensors of any of the libraries, in tuples, lists or dicts or alone, as a list of arrays."""
    return list(_leaves(value))


def difference(a: list[np.ndarray[Any, Any]], b: list[np.ndarray[Any, Any]]) -> str | None:
    """Why two lists of results are not the same up to rounding, or None."""
    if len(a) != len(b):
        return f"{len(a)} results and {len(b)}"
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        where = f"result {i} of {len(a)}"
        if x.shape != y.shape:
            return f"{where}: shapes {x.shape} and {y.shape}"
        if x.dtype != y.dtype:
            return f"{where}: dtypes {x.dtype} and {y.dtype}"
        if not x.size:
            continue
        wide = np.float64 if x.dtype.kind in "fiub" else np.complex128
        apart = float(np.max(np.abs(x.astype(wide) - y.astype(wide))))
        allowed = TOLERANCE.get(x.dtype, 0.0) * float(np.max(np.abs(y)))
        if not apart <= allowed:  # a NaN must not pass
            return f"{where}, {x.dtype}: largest difference {apart:.3g}, allowed {allowed:.3g}"
    return None


def _leaves(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, tuple | list):
        for one in value:
            yield from _leaves(one)
    else:
        yield np.array(value.detach().numpy() if hasattr(value, "detach") else value)


# ---- timing


def _add_rounds(result: Result, runs: Mapping[str, Run], repetitions: Mapping[str, int], rounds: int) -> None:
    order = list(runs)
    for _ in range(rounds):
        for name in order:
            seconds = result.case.stopwatch(runs[name], repetitions[name])
            result.times[name].append(seconds / repetitions[name])
        order.reverse()  # who goes second finds other things in the caches


def _repetitions(run: Run, stopwatch: Stopwatch) -> int:
    """How many runs fill a round; finding out, and one round that is thrown away, are the warm-up."""
    fastest = min(stopwatch(run, 1) for _ in range(3))
    repetitions = max(1, math.ceil(ROUND_SECONDS / max(fastest, 1e-9)))
    stopwatch(run, repetitions)
    return repetitions
