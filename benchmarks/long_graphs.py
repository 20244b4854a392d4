"""A chain of 100,000 operations through everything that looks at graphs: `python -m benchmarks.long_graphs`.

Each row is one run in this process. *must* is the time that the row may take on an idle machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import tensorgrad as tg
from tensorgrad import ir
from tensorgrad.ir.fold import fold

OPS = 100_000
MUST = 20.0


def main() -> int:
    """Print the seconds of each step; the exit status is 1 if one takes longer than it may."""
    x = tg.tensor(0.5, requires_grad=True)
    rows: list[tuple[str, float, str]] = []

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        rows.append(
            (
                name,
                time.perf_counter() - start,
                f"{len(result) / 1e6:.1f} MB" if isinstance(result, str) else "",
            )
        )
        return result

    with tg.record(statistics=False) as run:
        y = timed("record, forward", lambda: _chain(x))
        timed("record, backward", y.backward)
    graph = timed("the graph of the run", lambda: run.graph)
    tape = timed("the graph of a tape", lambda: ir.of_tape(_chain(x)))
    picture = tg.graph(run, node_limit=10 * OPS)
    timed("text", lambda: picture.to_text(100))
    timed("DOT, every box", picture.to_dot)
    timed("HTML, folded", picture.to_html)
    timed("JSON", lambda: ir.to_json(graph))
    timed("both passes as equations", lambda: ir.with_backward(tape))
    timed("fold", lambda: fold(graph, 0))
    timed("why", lambda: str(tg.why(x, of=run)))
    timed("diff with itself", lambda: str(tg.diff(run, run)))
    for name, seconds, size in rows:
        print(f"{name:26} {seconds:6.2f} s  {size:>9}  {'MISS' if seconds > MUST else 'ok'}")
    return int(any(seconds > MUST for _, seconds, _ in rows))


def _chain(x: Any) -> Any:
    """50,000 times ``0.999 * tanh(y)``."""
    for _ in range(OPS // 2):
        x = tg.tanh(x) * 0.999
    return x


if __name__ == "__main__":
    sys.exit(main())
