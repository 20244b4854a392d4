"""The trained runs of the sources: several seeds each, and the band of what comes out beside their figures.

``python -m benchmarks.source_runs`` runs all and puts the table into docs/results.md; ``--only adam`` runs those
whose title has the word, ``--seeds 3`` fewer seeds, ``--results FILE`` keeps what was run and goes on from there.

A seed is that of the sources' one stream of numbers: first the training data, then the weights layer by layer,
then the test data, drawn in float32. So seed 0 starts from the very numbers that the sources start from; from
there on float32 sums in another order part within some hundred epochs, and a final figure is a draw from the band.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad import data, nn
from tensorgrad.metrics import regression_accuracy
from tensorgrad.optim import Optimizer, book, regularise

from .sections import fill

PAGE = Path(__file__).parent.parent / "docs" / "results.md"
SECTION = "source runs"
TURN = ", trained on"
EPOCHS = 10_001
FIGURES = "accuracy", "loss", "test accuracy", "test loss"
ABOUT = """## The runs of the sources

`python -m benchmarks.source_runs`: {epochs:,} epochs of full batches in float32, spirals of 100 points a class and
2-64-3 neurons where nothing else is said, seed 0 and up. Each cell has the least, the middle and the largest figure,
and in parentheses the source's, of one seed on one machine. Programs that are equal on paper part in float32 within
some hundred epochs, so what can be asked is that the source's figure lies in the band.

Where it does not, the source seems to have trained one network on, by one optimizer after another: with decay 0.01
all the steps add up to 461 of rate 1, and a new network is not off its start by then. `--in-turn` does that once,
with seed 0; the order is that of the rows, the source's before them is not known.

"""
Make = Callable[[Iterable[Any]], Optimizer]


@dataclass(frozen=True)
class Run:
    """One configuration: data, layers, optimizer, and what the source says came out."""

    title: str
    optimizer: Make
    said: tuple[float, ...] = ()
    kind: str = "classes"
    samples: int = 100
    sizes: tuple[int, ...] = (2, 64, 3)
    start: float = 0.01
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0


SGD, ADAM = book.SGD, book.Adam
RUNS = [
    Run("SGD, rate 1", partial(SGD, lr=1.0), (0.870, 0.361)),
    Run("SGD, rate 0.85", partial(SGD, lr=0.85), (0.773, 0.541)),
    Run("SGD, rate 1, decay 0.01", partial(SGD, lr=1.0, decay=1e-2), (0.810, 0.462)),
    Run("SGD, rate 1, decay 0.001", partial(SGD, lr=1.0, decay=1e-3), (0.870, 0.327)),
    Run(
        "SGD, rate 1, decay 0.001, momentum 0.9",
        partial(SGD, lr=1.0, decay=1e-3, momentum=0.9),
        (0.757, 0.445),
    ),
    Run("Adagrad, rate 1, decay 0.0001", partial(book.Adagrad, lr=1.0, decay=1e-4), (0.830, 0.336)),
    Run("RMSprop, rate 0.001, decay 0.0001", partial(book.RMSprop, decay=1e-4), (0.793, 0.521)),
    Run("Adam, rate 0.02, decay 0.00001", partial(ADAM, lr=0.02, decay=1e-5), (0.960, 0.098, 0.823, 1.143)),
    Run("Adam, rate 0.05, decay 0.0000005", partial(ADAM, lr=0.05, decay=5e-7)),
    Run("Adam with L2 0.0005", partial(ADAM, lr=0.02, decay=5e-7), l2=5e-4),
    Run("Adam with L1 0.0005", partial(ADAM, lr=0.02, decay=5e-7), l1=5e-4),
    Run(
        "Adam with L2 and dropout 0.1, 1000 a class",
        partial(ADAM, lr=0.05, decay=5e-5),
        samples=1000,
        l2=5e-4,
        dropout=0.1,
    ),
    Run("binary, Adam with L2 0.0005", partial(ADAM, decay=5e-7), kind="binary", sizes=(2, 64, 1), l2=5e-4),
    Run(
        "sine 1-64-64-1, Adam",
        partial(ADAM, lr=0.005, decay=1e-3),
        kind="sine",
        samples=1000,
        sizes=(1, 64, 64, 1),
        start=0.1,
    ),
]


# ---- one run


def train(run: Run, seed: int, epochs: int = EPOCHS, model: nn.Sequential | None = None) -> dict[str, float]:
    """What comes out of one seed: the figures of the last epoch before its step, as the sources print them.

    A model that is given is trained on; without, there is a new one.
    """
    stream = np.random.RandomState(seed)
    X, y = drawn(run, stream)
    fresh = network(run, stream)
    model = fresh if model is None else model
    X_test, y_test = drawn(run, stream)
    optimizer = run.optimizer(model.parameters())
    penalty = regularise.Penalty(weight_l1=run.l1, bias_l1=run.l1, weight_l2=run.l2, bias_l2=run.l2)
    for _ in range(epochs):
        scores = model(X)
        error = loss(run, scores, y)
        optimizer.zero_grad()
        (error + penalty(model.named_parameters()) if run.l1 or run.l2 else error).backward()
        optimizer.step()
    with tg.no_grad():
        unseen = model.eval()(X_test)
        figures = (
            accuracy(run, scores, y),
            error.item(),
            accuracy(run, unseen, y_test),
            loss(run, unseen, y_test).item(),
        )
    return dict(zip(FIGURES, figures, strict=True))


def drawn(run: Run, stream: np.random.RandomState) -> tuple[Any, Any]:
    """The data set, float32 as the sources' is."""
    if run.kind == "sine":
        X, y = data.sine_data(run.samples)
        return X.astype(np.float32), y.astype(np.float32)
    classes = 3 if run.kind == "classes" else 2
    X, y = data.spiral_data(run.samples, classes, generator=stream, dtype=np.float32)
    return X, y.astype(np.int64) if run.kind == "classes" else y.reshape(-1, 1).astype(np.float32)


def network(run: Run, stream: np.random.RandomState) -> nn.Sequential:
    """Dense layers with ReLU between, their weights small normal numbers of the stream."""
    layers: list[nn.Module] = []
    for n, m in pairwise(run.sizes):
        dense = nn.Linear(n, m)
        weights = np.float32(run.start) * stream.standard_normal((n, m)).astype(np.float32)
        dense.load_state_dict({"weight": weights.T, "bias": np.zeros(m, np.float32)})
        layers += [dense, nn.ReLU(), *([nn.Dropout(run.dropout)] if run.dropout else [])]
    return nn.Sequential(*layers[: -2 if run.dropout else -1])


def loss(run: Run, scores: Any, y: Any) -> Any:
    """The data loss: softmax or sigmoid are part of it, as in the sources' fused form."""
    if run.kind == "sine":
        return nn.functional.mse_loss(scores, y)
    if run.kind == "binary":
        return nn.functional.binary_cross_entropy_with_logits(scores, y)
    return nn.functional.cross_entropy(scores, y)


def accuracy(run: Run, scores: Any, y: Any) -> float:
    """The share of right answers; for the sine, of those nearer than a 250th of its deviation."""
    if run.kind == "sine":
        return float(regression_accuracy(scores.numpy(), y))
    chosen = scores.numpy() > 0 if run.kind == "binary" else scores.numpy().argmax(axis=1)
    return float((chosen == y).mean())


# ---- all of them


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was asked for and is not there yet; write the table."""
    options = _options(arguments)
    chosen = [run for run in RUNS if options.only.lower() in run.title.lower()]
    done: dict[str, dict[str, dict[str, float]]] = {}
    if options.results.exists():
        done = json.loads(options.results.read_text())
    for seed, run in product(range(options.seeds), chosen):
        if str(seed) not in done.setdefault(run.title, {}):
            tg.manual_seed(seed)
            done[run.title][str(seed)] = train(run, seed, options.epochs)
            options.results.write_text(json.dumps(done, indent=1) + "\n")
            print(f"{run.title}, seed {seed}: {done[run.title][str(seed)]}", flush=True)
    if options.in_turn:
        same = [run for run in RUNS if run.said]
        stream = np.random.RandomState(0)
        drawn(same[0], stream)
        model = network(same[0], stream)
        for run in same:
            done[run.title + TURN] = {"0": train(run, 0, options.epochs, model)}
        options.results.write_text(json.dumps(done, indent=1) + "\n")
    page = table({title: list(runs.values()) for title, runs in done.items()}, options.epochs)
    print(page) if options.epochs != EPOCHS else fill(PAGE, SECTION, page)


def table(done: dict[str, list[dict[str, float]]], epochs: int) -> str:
    """A row for each run: the least, the middle and the largest of each figure, and what the source says."""
    lines = [f"| run | seeds | {' | '.join(FIGURES)} |", "|---|---|---|---|---|---|"]
    for title, run in [(run.title + turn, run) for turn in ("", TURN) for run in RUNS]:
        if found := done.get(title):
            said = [f" ({value:.3f})" for value in run.said] + [""] * len(FIGURES)
            bands = [_band([figures[name] for figures in found]) for name in FIGURES]
            cells = [band + source for band, source in zip(bands, said, strict=False)]
            lines.append(f"| {title} | {len(found)} | {' | '.join(cells)} |")
    return ABOUT.format(epochs=epochs) + "\n".join(lines)


def _band(values: list[float]) -> str:
    return " / ".join(f"{value:.3f}" for value in (min(values), median(values), max(values)))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.source_runs", description=__doc__)
    add = parser.add_argument
    add("--only", default="", help="runs whose title has this word (default: all)")
    add("--seeds", type=int, default=10, help="how many (default: %(default)s)")
    add("--in-turn", action="store_true", help="also train one network by one optimizer after another")
    add("--epochs", type=int, default=EPOCHS, help="fewer for a try; the page is left alone then")
    add("--results", type=Path, default=Path("source_runs.json"), help="what was run (default: %(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
