"""Adafactor: second moments of matrices by row and column."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Group, check_range
from .tensorwise import Tensorwise, norm


class Adafactor(Tensorwise):
    """Adam without momentum, whose mean of squares is kept as one number for each row and each column.

    ::

        share = step**beta2_decay
        row, column: running means of g * g along the last axis and the one before, moved by ``share``
        v = row @ column / max(mean(row), eps1)        # vectors: a running mean of g * g
        d = g / sqrt(max(v, eps1**2))
        p *= 1 - lr * weight_decay
        p -= max(eps2, rms(p)) * min(lr, 1 / sqrt(step)) / max(1, rms(d) / d_max) * d

    PyTorch's form, in which ``lr`` bounds the paper's relative step. ``rms`` is the root of the mean
    square, and that of ``p`` is taken before the decay.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the largest relative step.
        beta2_decay: the power with which the means slow down.
        eps: ``(eps1, eps2)``; None for the first is the machine epsilon of the dtype.
        d: ``d_max``, above which a step is cut.
        weight_decay: the share of a parameter that is taken away, times ``lr``.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([[1.0, 2.0], [3.0, 4.0]])
        >>> optimizer = tg.optim.Adafactor([w], lr=0.1)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([[0.7261, 1.7261],
                [2.7261, 3.7261]])

    Source: Shazeer and Stern, Adafactor: adaptive learning rates with sublinear memory cost, ICML 2018.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, d=1, weight_decay=0)
        if not group["beta2_decay"] <= 0:
            raise ValueError(f"Adafactor: beta2_decay is {group['beta2_decay']!r}; at most 0 is possible")
        first, second = group["eps"]
        if not (first is None or first >= 0) or not second >= 0:
            raise ValueError(
                f"Adafactor: eps is {group['eps']!r}; a number of at least 0 or None, and a number"
            )

    def begin(self, p: Any) -> dict[str, Any]:
        """The means of the rows and of the columns, or of a vector's elements."""
        if p.ndim < 2:
            return {"step": 0, "variance": np.zeros_like(p)}
        row, column = (*p.shape[:-1], 1), (*p.shape[:-2], 1, p.shape[-1])
        return {"step": 0, "row_var": np.zeros(row, p.dtype), "col_var": np.zeros(column, p.dtype)}

    def updated(self, p: Any, g: Any, state: dict[str, Any], group: Group) -> Any:
        """The new value of a parameter."""
        state["step"] += 1
        if not p.size:
            return p
        low = np.finfo(p.dtype).eps.item() if group["eps"][0] is None else group["eps"][0]
        share = state["step"] ** group["beta2_decay"]
        length = max(group["eps"][1], _rms(p)) * min(group["lr"], 1 / math.sqrt(state["step"]))
        square = g * g
        if p.ndim > 1:
            row, column = state["row_var"], state["col_var"]
            row += share * (square.mean(axis=-1, keepdims=True) - row)
            column += share * (square.mean(axis=-2, keepdims=True) - column)
            variance = row @ column / np.maximum(row.mean(axis=-2, keepdims=True), low)
        else:
            state["variance"] += share * (square - state["variance"])
            variance = state["variance"]
        step = g / np.sqrt(np.maximum(variance, low * low))
        p = p * (1 - group["lr"] * group["weight_decay"])
        return p - length / max(1.0, _rms(step) / group["d"]) * step


def _rms(x: Any) -> float:
    return norm(x) / math.sqrt(max(1, x.size))
