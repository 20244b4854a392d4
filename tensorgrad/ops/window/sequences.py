"""NumPy's `convolve` and `correlate`, of two sequences."""

from __future__ import annotations

from typing import Any

from ..._errors import ShapeError
from ..dtype import conjugate
from ..shape import flip, lifted, reshape
from .correlation import correlation


def convolve(a: Any, v: Any, /, mode: str = "full") -> Any:
    """Convolution of two sequences: ``y[k]`` is the sum of ``a[n] v[k - n]``.

    Args:
        a: a sequence.
        v: a sequence.
        mode: which places count: "full" those where they overlap at all, "same" as many in the middle of
            these as the longer one has elements, "valid" those where they overlap completely.

    Raises:
        ShapeError: one has several axes or no elements, or the mode is another word.

    Example:
        >>> import tensorgrad as tg
        >>> tg.convolve(tg.tensor([1.0, 2.0, 3.0]), tg.tensor([0.0, 1.0, 0.5]))
        tensor([0. , 1. , 2.5, 4. , 1.5])
    """
    a, v = [reshape(x, (1,)) if x.ndim == 0 else x for x in (lifted("convolve", a), lifted("convolve", v))]
    a, v = _sequences("convolve", a, v, mode)
    a, v = (v, a) if len(v) > len(a) else (a, v)
    return _slid(a, flip(v), mode)


def correlate(a: Any, v: Any, /, mode: str = "valid") -> Any:
    """Cross-correlation of two sequences: ``y[k]`` is the sum of ``a[n + k] conj(v[n])``.

    Args:
        a: a sequence.
        v: a sequence, of which the complex conjugate is taken.
        mode: which places count, as for `convolve`.

    Raises:
        ShapeError: one has several axes or no elements, or the mode is another word.

    Example:
        >>> import tensorgrad as tg
        >>> tg.correlate(tg.tensor([1.0, 2.0, 3.0]), tg.tensor([0.0, 1.0, 0.5]), "same")
        tensor([2. , 3.5, 3. ])
    """
    a, v = _sequences("correlate", a, v, mode)
    v = conjugate(v) if v.dtype.kind == "c" else v
    return flip(_slid(v, a, mode)) if len(v) > len(a) else _slid(a, v, mode)


def _sequences(op: str, a: Any, v: Any, mode: str) -> tuple[Any, Any]:
    a, v = lifted(op, a), lifted(op, v)
    if a.ndim != 1 or v.ndim != 1 or not a.shape[0] or not v.shape[0]:
        raise ShapeError(f"{op}: a {a.shape}, v {v.shape}; each needs one axis, and an element on it")
    if mode not in ("full", "same", "valid"):
        raise ShapeError(f"{op}: mode is {mode!r}; 'full', 'same' or 'valid' is meant")
    return a, v


def _slid(a: Any, v: Any, mode: str) -> Any:
    """The shorter sequence ``v`` slid along ``a``, as it stands."""
    n = v.shape[0]
    padding = {"full": (n - 1, n - 1), "same": (n // 2, n - n // 2 - 1), "valid": (0, 0)}[mode]
    y = correlation(reshape(a, (1, 1, -1)), reshape(v, (1, 1, -1)), (1,), (padding,), (1,), 1)
    return reshape(y, (-1,))
