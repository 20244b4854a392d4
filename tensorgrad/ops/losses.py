"""Losses of single elements whose textbook forms overflow or cancel, and the gates that targets pass.

`tensorgrad.nn.functional` makes its losses of these; they are cards of their own for stability.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import DtypeError, IndexingError, ShapeError
from .._primitive import elementwise
from .compare import each
from .elementwise import log, maximum, sigmoid, tanh, where

FLOOR = -100.0
"""The least logarithm of a probability in `binary_cross_entropy`, as in PyTorch."""

# ---- elements


@elementwise
def binary_cross_entropy(p: Any, target: Any, /) -> Any:
    """``-target log(p) - (1 - target) log(1 - p)``, no logarithm below -100, so that it is finite for p = 0 and 1."""
    p, target = _real("binary_cross_entropy", p, target)
    _gate("binary_cross_entropy", "input", p, 0, 1)
    with np.errstate(divide="ignore"):
        no, yes = np.maximum(np.log1p(-p), FLOOR), np.maximum(np.log(p), FLOOR)
    return -target * yes - (1 - target) * no


@elementwise
def binary_cross_entropy_with_logits(x: Any, target: Any, /) -> Any:
    """`binary_cross_entropy` of ``sigmoid(x)``, with all digits where that would round to 0 or 1."""
    x, target = _real("binary_cross_entropy_with_logits", x, target)
    return np.maximum(x, np.zeros((), x.dtype)) - x * target + np.log1p(np.exp(-np.abs(x)))


@elementwise
def log_cosh(x: Any, /) -> Any:
    """``log(cosh(x))``, where the hyperbolic cosine would overflow and where it is close to 1, too."""
    (x,) = _real("log_cosh", x)
    size = np.abs(x)
    near = np.log1p(2 * np.square(np.sinh(np.minimum(size, 1) / 2)))
    return np.where(size < 1, near, size + np.log1p(np.exp(-2 * size)) - np.log(x.dtype.type(2)))


def _slope(p: Any, target: Any) -> Any:
    least = max(1e-12, float(np.finfo(p.dtype).tiny)) if p.dtype.kind == "f" else 1e-12
    return (p - target) / maximum(p * (1 - p), least)


def _log(p: Any) -> Any:
    some = p > 0
    return where(some, maximum(log(where(some, p, 1)), FLOOR), FLOOR)


binary_cross_entropy.derivative(p=_slope, target=lambda p: _log(1 - p) - _log(p))
binary_cross_entropy_with_logits.derivative(x=lambda x, target: sigmoid(x) - target, target=lambda x: -x)
log_cosh.derivative(x=lambda x: tanh(x))

# ---- gates


@each
def class_positions(labels: Any, /, num_classes: int, ignore_index: int | None, loss: str) -> Any:
    """Labels as positions along the axis of classes, those that are ignored as 0.

    Raises:
        DtypeError: the labels are not integers.
        IndexingError: a label that is not ignored is negative, or not below ``num_classes``.
    """
    if labels.dtype.kind not in "iu":
        raise DtypeError(
            f"{loss}: labels of dtype {labels.dtype} given; they are integers from 0 to {num_classes - 1}"
        )
    outside = (labels < 0) | (labels >= num_classes)
    if not outside.any():
        return labels.astype(np.intp)
    bad = outside if ignore_index is None else outside & (labels != ignore_index)
    if np.any(bad):
        _refuse(loss, "label", labels, bad, f"there are {num_classes} classes, from 0 to {num_classes - 1}")
    return np.where(outside, 0, labels).astype(np.intp)


@each
def within(x: Any, /, low: float, high: float, slack: float, loss: str, what: str) -> Any:
    """True for each element that is between the two bounds, give or take the slack, or NaN.

    Raises:
        ShapeError: an element is not.
    """
    _gate(loss, what, x, low, high, slack)
    return np.ones(x.shape, bool)[()]


@each
def signs(x: Any, /, loss: str) -> Any:
    """Whether each element is 1; the others must be -1.

    Raises:
        ShapeError: an element is not.
    """
    bad = np.abs(x) != 1 if x.dtype.kind in "fi" else x != 1
    if np.any(bad):
        _refuse(loss, "target", x, bad, "targets are 1 and -1", ShapeError)
    return x > 0


def _gate(loss: str, what: str, x: Any, low: float, high: float, slack: float = 0.0) -> None:
    bad = (x < low - slack) | (x > high + slack)
    if np.any(bad):
        bound = f"between {low} and {high}" if high < np.inf else f"at least {low}"
        _refuse(loss, what, x, bad, f"each is {bound}", ShapeError)


def _refuse(
    loss: str, what: str, x: Any, bad: Any, rule: str, error: type[Exception] = IndexingError
) -> None:
    place = tuple([int(i[0]) for i in np.nonzero(np.atleast_1d(bad))])
    where = f" at {place if len(place) > 1 else place[0]}" if np.ndim(x) else ""
    raise error(f"{loss}: {what} {np.atleast_1d(x)[place]}{where}; {rule}")


def _real(loss: str, *xs: Any) -> list[Any]:
    """Arrays of floats; integers become float64."""
    if any(x.dtype.kind not in "fbiu" for x in xs):
        kinds = " and ".join(str(x.dtype) for x in xs)
        raise DtypeError(f"{loss}: cannot be applied to {kinds}; real numbers are needed")
    return [x if x.dtype.kind == "f" else x.astype(np.float64) for x in xs]
