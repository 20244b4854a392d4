"""Drawings of graphs on file, and how to renew them.

`tests/data/graphs/*.txt` hold what `graph_text` drew. Where a change of the drawing is meant, look at it and keep it:

    python -m tests.viz.golden          # shows what would change, and changes nothing
    python -m tests.viz.golden --write  # shows it, and writes the files
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.ir import Graph
from tensorgrad.viz import graph_text

FOLDER = Path(__file__).parents[1] / "data" / "graphs"
HOW = "If this is meant: python -m tests.viz.golden --write"


class MLP(tg.nn.Module):
    """Two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = tg.nn.Linear(4, 8)
        self.fc2 = tg.nn.Linear(8, 3)
        for parameter, start in zip(self.parameters(), (0.1, -0.2, 0.3, 0.4), strict=True):
            values = start * np.cos(np.arange(parameter.size)).reshape(parameter.shape)
            with tg.no_grad():
                parameter[...] = values.astype("float32")

    def forward(self, x: Any) -> Any:
        """Logits."""
        return self.fc2(tg.relu(self.fc1(x)))


def mlp_run() -> Any:
    model = MLP()
    x = tg.tensor(np.sin(np.arange(20.0)).reshape(5, 4).astype("float32"))
    labels = np.array([0, 1, 2, 0, 1])
    with tg.record(statistics=True) as run:
        logits = model(x)
        loss = tg.nn.functional.cross_entropy(logits, labels)
        loss.backward()
    return timeless(run.graph)


def timeless(graph: Graph) -> Graph:
    """What is different on another machine left out: times."""
    passes = [
        replace(one, steps=tuple([replace(s, seconds=None) for s in one.steps])) for one in graph.passes
    ]
    return replace(
        graph, equations=tuple([replace(e, seconds=None) for e in graph.equations]), passes=tuple(passes)
    )


def mlp_forward() -> str:
    model = MLP()
    graph = tg.trace(model, tg.ones((5, 4)), names=dict(model.named_parameters()))
    return graph_text(graph, 80)


def lstm_step() -> str:
    cell = tg.nn.LSTMCell(3, 4)
    names = dict(cell.named_parameters())
    return graph_text(
        tg.trace(
            lambda x, h, c: cell(x, (h, c)), tg.ones((2, 3)), tg.ones((2, 4)), tg.ones((2, 4)), names=names
        ),
        90,
    )


def scalar_expression() -> str:
    a, b = tg.tensor(2.0, requires_grad=True), tg.tensor(0.5, requires_grad=True)
    with tg.record(statistics=True) as run:
        c = tg.sin(a) * b
        loss = c * c + a / b
        loss.backward()
    return graph_text(timeless(run.graph), 90)


def detached() -> str:
    x, w = tg.tensor([1.0, -2.0, 0.5]), tg.tensor([0.1, 0.2, 0.3], requires_grad=True)
    with tg.record(statistics=True) as run:
        target = (x * w).detach()
        loss = ((x - w - target) ** 2).mean()
        loss.backward()
        float(loss)
    return graph_text(timeless(run.graph), 100)


GRAPHS: dict[str, Callable[[], str]] = {
    "mlp-forward": mlp_forward,
    "mlp-run": lambda: graph_text(mlp_run(), 120),
    "mlp-both": lambda: graph_text(mlp_run(), 140, passes="both"),
    "mlp-both-ascii-narrow": lambda: graph_text(mlp_run(), 70, passes="both", ascii=True),
    "mlp-folded": lambda: graph_text(mlp_run(), 80, passes="both", depth=0),
    "lstm-step": lstm_step,
    "scalar-expression": scalar_expression,
    "detached": detached,
}


def drawn(name: str) -> str:
    """What is drawn now."""
    return GRAPHS[name]() + "\n"


def path(name: str) -> Path:
    """Where it is kept."""
    return FOLDER / f"{name}.txt"


def difference(name: str) -> str:
    """What has changed; the empty string if nothing has."""
    kept = path(name).read_text(encoding="utf-8") if path(name).exists() else ""
    lines = difflib.unified_diff(
        kept.split("\n"), drawn(name).split("\n"), f"{name} on file", f"{name} now", lineterm=""
    )
    return "\n".join(lines)


def main() -> None:
    """Show all differences, and with ``--write`` keep what is drawn now."""
    changed = [name for name in GRAPHS if difference(name)]
    print(*map(difference, changed), sep="\n", end="\n" if changed else "")
    if "--write" in sys.argv[1:]:
        FOLDER.mkdir(exist_ok=True)
        for name in changed:
            path(name).write_text(drawn(name), encoding="utf-8", newline="\n")
    print(f"{len(changed)} of {len(GRAPHS)} differ", "and were written" if "--write" in sys.argv[1:] else "")


if __name__ == "__main__":
    main()
