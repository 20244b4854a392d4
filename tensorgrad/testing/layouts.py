"""Ways to lay the elements of an array out in memory, and how to write them in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

LAYOUTS = {
    "C": ("{a}", "{a}"),
    "Fortran": ("np.asfortranarray({a})", "tg.transpose(tg.transpose({a}).reshape(-1).reshape({turned}))"),
    "strided": ("np.repeat({a}, 2, axis=-1)[..., ::2]", "tg.repeat({a}, 2, axis=-1)[..., ::2]"),
    "reversed": ("np.flip(np.flip({a}).copy())", "tg.flip(tg.flip({a}).clone())"),
    "read-only": ("np.broadcast_to({a}, {shape})", ""),
    "broadcast": (
        "np.broadcast_to({a}[..., :1], {shape})",
        "tg.broadcast_to({a}[..., :1], {shape})",
    ),
}
"""Names of layouts, each with the expression that lays an array ``{a}`` out so, and that for a tensor.

All have the values of ``{a}``, but for ``"broadcast"`` (stride 0), which repeats the first one along the
last axis.
"""

SAME_VALUES = ("Fortran", "strided", "reversed", "read-only")
"""Layouts other than C that every array with axes can have, values unchanged."""


def laid_out(array: Any, layout: str) -> Any:
    """The array with its elements laid out in memory in another way.

    Args:
        array: an array.
        layout: a key of `LAYOUTS`.

    Example:
        >>> laid_out(np.arange(6.0).reshape(2, 3), "reversed").strides
        (-24, -8)
        >>> laid_out(np.arange(6.0).reshape(2, 3), "broadcast").tolist()
        [[0.0, 0.0, 0.0], [3.0, 3.0, 3.0]]
    """
    return eval(expression("a", layout, array.shape), {"np": np, "a": array})


def expression(text: str, layout: str, shape: tuple[int, ...], *, tensors: bool = False) -> str:
    """Python that lays out what ``text`` stands for.

    Example:
        >>> expression("x", "reversed", (2,), tensors=True)
        'tg.flip(tg.flip(x).clone())'
    """
    return LAYOUTS[layout][tensors].format(a=text, shape=shape, turned=shape[::-1])


def layouts_of(array: Any) -> list[str]:
    """The layouts that say something for this array: those that it can have, the plainest first."""
    if np.ndim(array) == 0:
        return ["C", "read-only"]
    names = [name for name in LAYOUTS if np.ndim(array) > 1 or name != "Fortran"]
    return names if np.size(array) else ["C", "strided", "read-only"]


def written(array: Any) -> str:
    """Python that makes an array of these values.

    Example:
        >>> written(np.array([[1.0, 2.0]], np.float32)), written(np.zeros((0, 2)))
        ('np.array([[1.0, 2.0]], np.float32)', 'np.zeros((0, 2))')
    """
    array = np.asarray(array)
    dtype = "" if array.dtype in (np.float64, np.complex128) else f", np.{array.dtype}"
    return f"np.array({array.tolist()}{dtype})" if array.size else f"np.zeros({array.shape}{dtype})"
