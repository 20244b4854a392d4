"""The gates that cotangents pass on their way out of a formula.

The library's own formulas are only held to shapes, and broadcasting is undone here and nowhere else.
What a user's formula returns is checked for its number, type, shape and dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import ops
from ._data import read_only
from ._errors import DtypeError, GradientError, ShapeError
from ._specialise import plain


def refit(card: Any, name: str, c: Any, shape: tuple[int, ...]) -> Any:
    """Bring a cotangent to its input's shape, where the kind broadcasts; else it is an error."""
    if card.broadcasts and broadcasts_to(shape, c.shape):
        return ops.sum_to(c, shape)
    raise ShapeError(_misfit(card, name, c.shape, shape))


def gate(card: Any, name: str, c: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Check a cotangent that a user's formula returned: its type, shape and dtype."""
    if c is None:
        return None
    c = plain(np.asarray(c, dtype)) if isinstance(c, int | float | complex) else _checked(card, name, c)
    if c.shape != shape:
        if (
            card.kind == "elementwise"
            and broadcasts_to(c.shape, shape)
            and isinstance(c, np.ndarray | np.generic)
        ):
            c = np.broadcast_to(c, shape)
        elif card.broadcasts and broadcasts_to(shape, c.shape):
            c = ops.sum_to(c, shape)
        else:
            raise ShapeError(_misfit(card, name, c.shape, shape))
    if c.dtype != dtype:
        if not card.broadcasts or (c.dtype.kind == "c" and dtype.kind != "c"):
            raise DtypeError(
                f"{card.name}: the gradient of {name} has dtype {c.dtype}, the input has {dtype}; "
                f"return g's own dtype, for example by .astype({name}.dtype)"
            )
        c = c.astype(dtype)
    # A user's formula may return g itself, or an array that it keeps: what backward adds up is a copy.
    return own_copy(c)


def slope(card: Any, name: str, d: Any, shape: tuple[int, ...], conj: bool) -> Any:
    """Check a derivative that a user's formula returned: a number, or something of the result's shape."""
    if isinstance(d, int | float | complex):  # NumPy's complex128 is a complex too
        return d.conjugate() if conj else d
    d = _checked(card, name, d)
    if not broadcasts_to(d.shape, shape):
        raise ShapeError(
            f"{card.name}: the derivative in {name} has shape {d.shape}, the result {shape}; it needs that shape"
        )
    return ops.conjugate(d) if conj else d


def listed(card: Any, name: str, cs: Any, count: int) -> None:
    """Check that a user's formula returned one cotangent for each of a list of inputs."""
    if not isinstance(cs, tuple | list) or len(cs) != count:
        got = f"{len(cs)}" if isinstance(cs, tuple | list) else f"a {type(cs).__name__}"
        raise GradientError(
            f"{card.name}: the formula of {name} returned {got} for {count} inputs; return one for each"
        )


def guarded(saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """Saved values as views that cannot be written to: others need them too."""
    return tuple([guarded(one) if type(one) is tuple else read_only(one) for one in saved])


def _checked(card: Any, name: str, c: Any) -> Any:
    if isinstance(c, np.ma.MaskedArray):
        raise DtypeError(f"{card.name}: the gradient of {name} is a masked array; fill it first: a.filled(0)")
    if not hasattr(c, "dtype") or not hasattr(c, "shape") or c.dtype.kind not in "biufc":
        raise DtypeError(
            f"{card.name}: the gradient of {name} is a {type(c).__name__}; return an array or a tensor of numbers "
            "(for several inputs: one per input)"
        )
    return c


def broadcasts_to(small: tuple[int, ...], big: tuple[int, ...]) -> bool:
    """Whether an array of shape ``small`` broadcasts to ``big``."""
    return len(small) <= len(big) and all(
        a in (1, b) for a, b in zip(reversed(small), reversed(big), strict=False)
    )


def _misfit(card: Any, name: str, got: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    hint = "check the formula"
    if broadcasts_to(wanted, got):
        hint = "if the op broadcasts, undo it in the formula by tg.sum_to(g, x_shape)"
    return f"{card.name}: the gradient of {name} has shape {got}, the input has {wanted}; {hint}"


def own_copy(g: Any) -> Any:
    """An array that nobody else holds; NumPy's scalars cannot be written to and stay as they are."""
    return np.array(g, order="C") if type(g) is np.ndarray else g
