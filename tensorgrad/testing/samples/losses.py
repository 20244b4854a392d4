"""Rows of the losses of single elements, of the gates of targets, and of the loss of sequences."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..._errors import DtypeError, IndexingError, ShapeError
from ...ops import fused, losses
from .row import Fails, OpSamples, Sample, at, between, each, normal, row

INF = math.inf


def _log(p: float) -> float:
    return max(math.log(p), -100.0) if p > 0 else -100.0


def _cross_entropy(p: float, t: float) -> float:
    return -t * _log(p) - (1 - t) * _log(1 - p)


def _of_logits(x: float, t: float) -> float:
    return t * (math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x)) - x) + (1 - t) * (
        math.log1p(math.exp(-x)) + x if x > 0 else math.log1p(math.exp(x))
    )


def _log_cosh(x: float) -> float:
    if abs(x) > 1:
        return abs(x) + math.log1p(math.exp(-2 * abs(x))) - math.log(2)
    return math.log1p(2 * math.sinh(x / 2) ** 2)


def _share(*shape: int, seed: int = 0) -> Any:
    return between(0.1, 0.9, *shape, seed=seed)


def _pairs(a: Any, b: Any) -> tuple[Sample, ...]:
    return (
        at("0-d", a(), b(seed=1)),
        at("axes", a(2, 3), b(2, 3, seed=1)),
        at("broadcast (2,1,3) (4,1)", a(2, 1, 3), b(4, 1, seed=1)),
        at("empty", a(0, 3), b(3, seed=1)),
    )


def _positions(labels: Any, num_classes: int, ignore_index: int | None, loss: str) -> Any:
    return each(lambda label: 0 if label == ignore_index else label, int)(labels)


def _said(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    return tuple([label for label, _ in itertools.groupby(path) if label != blank])


def _ctc(labels: Any, input_lengths: Any, target_lengths: Any, x: Any, blank: int) -> Any:
    """The sum over every path there is."""
    out = []
    for n, (row_, used, length) in enumerate(zip(labels, input_lengths, target_lengths, strict=True)):
        wanted = tuple(row_[:length].tolist())
        total = 0.0
        for path in itertools.product(range(x.shape[2]), repeat=int(used)):
            if _said(path, blank) == wanted:
                total += math.exp(sum(x[t, n, c] for t, c in enumerate(path)))
        out.append(-math.log(total) if total else INF)
    return np.array(out)


def _needs_numbers(op: Any, *others: Any) -> Fails:
    return Fails(lambda: op(np.array([1j]), *others), DtypeError, f"{op.__name__}: .*complex128")


CLASSES: dict[str, Any] = {"num_classes": 3, "ignore_index": -100, "loss": "loss"}

ROWS: list[OpSamples] = [
    row(
        "binary_cross_entropy",
        *_pairs(_share, _share),
        at("edge: certain", np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0]), smooth=False),
        reference=each(_cross_entropy),
        op=losses.binary_cross_entropy,
        errors=(
            Fails(
                lambda: losses.binary_cross_entropy(np.array([0.5, 1.5]), np.ones(2)),
                ShapeError,
                "binary_cross_entropy: input 1.5 at 1; each is between 0 and 1",
            ),
            _needs_numbers(losses.binary_cross_entropy, np.ones(1)),
        ),
    ),
    row(
        "binary_cross_entropy_with_logits",
        *_pairs(normal, _share),
        at("edge: far apart", np.array([500.0, -500.0, 40.0, -40.0]), np.array([0.0, 1.0, 1.0, 0.0])),
        reference=each(_of_logits),
        op=losses.binary_cross_entropy_with_logits,
        errors=_needs_numbers(losses.binary_cross_entropy_with_logits, np.ones(1)),
    ),
    row(
        "log_cosh",
        at("0-d", normal()),
        at("size 1", normal(1, 1)),
        at("axes", normal(2, 3)),
        at("empty", normal(3, 0)),
        at("edge: near 0 and far away", np.array([0.0, 1e-9, -1e-5, 1e3, -1e3])),
        reference=each(_log_cosh),
        op=losses.log_cosh,
        errors=_needs_numbers(losses.log_cosh),
    ),
    row(
        "class_positions",
        at("0-d", np.array(1), **CLASSES),
        at("axes", np.array([[0, 2], [1, -100]]), **CLASSES),
        at("edge: none", np.zeros(0, int), **CLASSES),
        reference=_positions,
        op=losses.class_positions,
        errors=(
            Fails(
                lambda: losses.class_positions(np.array([[0, 3]]), **CLASSES),
                IndexingError,
                r"loss: label 3 at \(0, 1\); there are 3 classes, from 0 to 2",
            ),
            Fails(lambda: losses.class_positions(np.array(-1), **CLASSES), IndexingError, "loss: label -1;"),
            Fails(
                lambda: losses.class_positions(np.array([1.0]), **CLASSES),
                DtypeError,
                "loss: labels of dtype float64 given; they are integers from 0 to 2",
            ),
        ),
        keeps_dtype=False,
    ),
    row(
        "within",
        at("0-d", np.array(0.5), low=0, high=1, slack=0.0, loss="loss", what="target"),
        at("axes", _share(2, 3), low=0, high=1, slack=0.0, loss="loss", what="target"),
        at(
            "edge: just above",
            np.array([1 + 1e-9]),
            low=0,
            high=1,
            slack=1e-8,
            loss="loss",
            what="target",
            smooth=False,
        ),
        reference=lambda x, **_: np.ones(x.shape, bool),
        op=losses.within,
        errors=Fails(
            lambda: losses.within(np.array([-0.5]), low=0, high=INF, slack=0.0, loss="loss", what="var"),
            ShapeError,
            "loss: var -0.5 at 0; each is at least 0",
        ),
        keeps_dtype=False,
    ),
    row(
        "signs",
        at("0-d", np.array(-1), loss="loss"),
        at("axes", np.array([[1, -1]]), loss="loss"),
        at("edge: none", np.zeros(0), loss="loss"),
        reference=lambda x, loss: x == 1,
        op=losses.signs,
        errors=Fails(
            lambda: losses.signs(np.array([1.0, 0.0]), loss="loss"),
            ShapeError,
            "loss: target 0.0 at 1; targets are 1 and -1",
        ),
        keeps_dtype=False,
    ),
    row(
        "ctc",
        at("size 1", np.array([[1]]), np.array([1]), np.array([1]), normal(1, 1, 2), blank=0),
        at(
            "axes, repeated labels, lengths",
            np.array([[1, 1], [2, 1], [1, 0], [0, 0]]),
            np.array([3, 4, 2, 1]),
            np.array([2, 2, 1, 0]),
            normal(4, 4, 3),
            blank=0,
            complex_step=False,
        ),
        at(
            "edge: too few frames, blank last",
            np.array([[1, 1], [0, 1]]),
            np.array([2, 2]),
            np.array([2, 2]),
            normal(2, 2, 3),
            blank=2,
            smooth=False,
        ),
        reference=_ctc,
        op=fused.ctc,
        errors=Fails(
            lambda: fused.ctc(np.array([[3]]), np.array([1]), np.array([1]), normal(1, 1, 3), blank=0),
            IndexingError,
            "ctc",
        ),
    ),
]
