"""What the losses share: how targets must fit, how weights enter, how many losses become one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ...ops import astype, losses, maximum, mean, multiply, sum
from ...ops.rounding import clip
from ...ops.shape import lifted


def floating(loss: str, name: str, x: Any) -> Any:
    """``x`` as a tensor or array, which must be of real floating numbers."""
    x = lifted(loss, x)
    if x.dtype.kind != "f":
        raise DtypeError(f"{loss}: {name} has dtype {x.dtype}; floating numbers are needed")
    return x


def like(loss: str, name: str, t: Any, x: Any) -> Any:
    """``t`` as a tensor or array of real numbers; integers and booleans become the dtype of ``x``.

    An int64 beside a float32 would make everything float64.
    """
    t = lifted(loss, t)
    if t.dtype.kind not in "fbiu":
        raise DtypeError(f"{loss}: {name} has dtype {t.dtype}; real numbers are needed")
    return t if t.dtype.kind == "f" else astype(t, x.dtype)


def pair(loss: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Input and target of one shape: (N, 1) and (N,) would broadcast to (N, N) without a word."""
    x = floating(loss, "input", input)
    t = like(loss, "target", target, x)
    same_shape(loss, input=x, target=t)
    return x, t


def same_shape(loss: str, **given: Any) -> None:
    """Raise if the named arguments differ in shape."""
    if len({x.shape for x in given.values()}) > 1:
        shapes = ", ".join(f"{name} {x.shape}" for name, x in given.items())
        raise ShapeError(f"{loss}: {shapes}; their shapes must be equal, reshape one of them")


def weighted(loss: str, each: Any, weight: Any, name: str = "weight") -> Any:
    """Losses times their weight, if there is one, which must broadcast to them."""
    return each if weight is None else multiply(each, fitting(loss, name, weight, each))


def fitting(loss: str, name: str, weight: Any, x: Any) -> Any:
    """A weight that broadcasts to the shape of ``x``, and not beyond."""
    w = like(loss, name, weight, x)
    try:
        fits = np.broadcast_shapes(w.shape, x.shape) == x.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{loss}: {name} {w.shape} does not broadcast to {x.shape}")
    return w


def class_weight(loss: str, weight: Any, num_classes: int, x: Any) -> Any:
    """A weight for each class."""
    w = like(loss, "weight", weight, x)
    if w.shape != (num_classes,):
        raise ShapeError(
            f"{loss}: weight has shape {w.shape}; one number for each of {num_classes} classes is needed"
        )
    return w


def probabilities(loss: str, name: str, p: Any) -> None:
    """Raise if an element is no probability; rounding may have put one above 1 by some units in the last place."""
    above = 8 * float(np.finfo(p.dtype).eps)
    losses.within(p, 0, 1, above, loss, name)


def clipped(loss: str, p: Any, least: float) -> Any:
    """Probabilities kept away from 0 and 1."""
    if not 0 <= least < 0.5:
        raise ShapeError(f"{loss}: clip is {least}; it is in [0, 0.5)")
    probabilities(loss, "probabilities", p)
    return clip(p, least, 1 - least)


def exponent(loss: str, gamma: float) -> float:
    """The exponent of a focal loss."""
    if not gamma >= 0:
        raise ShapeError(f"{loss}: gamma is {gamma}; it must not be negative")
    return gamma


def positive(x: Any) -> Any:
    """``x``, which is not negative, and above 0: a power of 0 may have an infinite slope."""
    return maximum(x, float(np.finfo(x.dtype).tiny))


def reduced(loss: str, each: Any, reduction: str) -> Any:
    """All losses, their mean or their sum; the mean of none is NaN, as in PyTorch."""
    if reduction == "mean":
        return mean(each) if each.size else sum(each) * np.nan
    if reduction == "sum":
        return sum(each)
    if reduction != "none":
        raise ShapeError(f"{loss}: reduction is {reduction!r}; it is 'none', 'mean' or 'sum'")
    return each
