"""Affine and bilinear maps."""

from __future__ import annotations

from typing import Any

from ..._errors import DtypeError, ShapeError
from ...ops import fused
from ...ops.contract import einsum
from ...ops.shape import lifted


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """Apply ``input @ weight.T + bias``.

    Args:
        input: ``(..., in_features)``.
        weight: ``(out_features, in_features)``, or ``(in_features,)`` for one number each.
        bias: ``(out_features,)``, or none.

    Raises:
        ShapeError: the features do not fit the weight.
        DtypeError: the input is a tuple, such as a recurrent layer returns.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.linear(tg.tensor([[1.0, 2.0]]), tg.tensor([[3.0, 4.0]]), tg.tensor([0.5]))
        tensor([[11.5]])
    """
    if isinstance(input, tuple):
        raise DtypeError(
            "linear: input is a tuple; a recurrent layer returns (output, state), take its output: layer(x)[0]"
        )
    x, w = lifted("linear", input), lifted("linear", weight)
    if not x.ndim or w.ndim not in (1, 2) or x.shape[-1] != w.shape[-1]:
        raise ShapeError(
            f"linear: input {x.shape} and weight {w.shape}; the last axis of input must have the in_features of weight "
            "(out_features, in_features)"
        )
    b = () if bias is None else (lifted("linear", bias),)
    if w.ndim == 1:
        y = x @ w
        return y + b[0] if b else y
    return fused.linear(x, w, *b)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """Apply a form that is linear in two inputs: ``sum_ij x1_i W_kij x2_j + b_k``.

    Args:
        input1: ``(..., in1_features)``.
        input2: ``(..., in2_features)``, with the same leading axes.
        weight: ``(out_features, in1_features, in2_features)``.
        bias: ``(out_features,)``, or none.

    Raises:
        ShapeError: the features do not fit the weight, or the leading axes differ.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.bilinear(tg.ones((4, 2)), tg.ones((4, 3)), tg.ones((5, 2, 3))).shape
        (4, 5)
    """
    a, b, w = lifted("bilinear", input1), lifted("bilinear", input2), lifted("bilinear", weight)
    if w.ndim != 3 or a.shape[:-1] != b.shape[:-1] or (*a.shape[-1:], *b.shape[-1:]) != w.shape[1:]:
        raise ShapeError(
            f"bilinear: input1 {a.shape}, input2 {b.shape} and weight {w.shape}; weight must be (out, in1, in2) and the "
            "leading axes equal"
        )
    y = einsum("...i,kij,...j->...k", a, w, b)
    return y if bias is None else y + bias
