"""Muon: steps that are nearly orthogonal matrices."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .._errors import ShapeError
from .._tensor import Tensor
from .optimizer import Group, check_range
from .tensorwise import Tensorwise, norm


class Muon(Tensorwise):
    """Momentum whose step is brought near an orthogonal matrix: all singular values of about one.

    ::

        b += (1 - momentum) * (g - b)
        d = (1 - momentum) * g + momentum * b          # without nesterov: d = b
        x = d / norm(d), wide;  ns_steps times:  s = x @ x.T;  x = a * x + (b * s + c * s @ s) @ x
        p *= 1 - lr * weight_decay
        p -= lr * ratio * x

    where ``ratio`` is ``sqrt(max(1, rows / columns))``, or by ``adjust_lr_fn="match_rms_adamw"``
    ``0.2 * sqrt(max(rows, columns))``. For the weight matrices of hidden layers; biases, embeddings and
    the last layer are better trained by AdamW. PyTorch iterates in bfloat16, here it is the parameter's dtype.

    Args:
        params: matrices, pairs of a name and a matrix, or dicts of groups.
        lr: the learning rate.
        weight_decay: the share of a parameter that is taken away, times ``lr``.
        momentum: how much of the previous step is kept.
        nesterov: look ahead along the momentum.
        ns_coefficients: the numbers ``(a, b, c)`` of the iteration, a polynomial of degree five.
        eps: the least norm to divide by.
        ns_steps: how many iterations, below 100.
        adjust_lr_fn: "original", which None means, or "match_rms_adamw".

    Raises:
        ValueError: an option is out of its range.
        ShapeError: a parameter is not a matrix.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter(tg.zeros((2, 2)))
        >>> optimizer = tg.optim.Muon([w], lr=1.0, ns_coefficients=(1.5, -0.5, 0.0), ns_steps=20)
        >>> (w * tg.tensor([[0.0, 2.0], [-1.0, 0.0]])).sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([[ 0., -1.],
                [ 1.,  0.]])

    Source: Jordan and others, Muon: an optimizer for hidden layers in neural networks, 2024; the second
    ratio: Liu and others, Muon is scalable for LLM training, arXiv:2502.16982.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, weight_decay=0, momentum=0, eps=0, ns_steps=0)
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Muon: adjust_lr_fn is {group['adjust_lr_fn']!r}; 'original' and 'match_rms_adamw' are possible"
            )
        if len(group["ns_coefficients"]) != 3 or group["ns_steps"] >= 100:
            raise ValueError("Muon: three ns_coefficients and fewer than 100 ns_steps are needed")

    def accept(self, p: Tensor) -> None:
        """Raise an error if a parameter is not a real matrix."""
        super().accept(p)
        if p.ndim != 2:
            raise ShapeError(
                f"Muon: a parameter has shape {p.shape}, and only matrices can be orthogonalized; give the others "
                "to AdamW"
            )

    def begin(self, p: Any) -> dict[str, Any]:
        """The momentum."""
        return {"momentum_buffer": np.zeros_like(p)}

    def updated(self, p: Any, g: Any, state: dict[str, Any], group: Group) -> Any:
        """The new value of a parameter."""
        momentum, lr = group["momentum"], group["lr"]
        buffer = state["momentum_buffer"]
        buffer += (1 - momentum) * (g - buffer)
        step = g + momentum * (buffer - g) if group["nesterov"] else buffer
        rows, columns = p.shape
        ratio = (
            0.2 * math.sqrt(max(rows, columns))
            if group["adjust_lr_fn"] == "match_rms_adamw"
            else math.sqrt(max(1.0, rows / max(1, columns)))
        )
        wanted = orthogonalized(step, group["ns_coefficients"], group["ns_steps"], group["eps"])
        return p * (1 - lr * group["weight_decay"]) - lr * ratio * wanted


def orthogonalized(matrix: Any, coefficients: tuple[float, float, float], steps: int, eps: float) -> Any:
    """A matrix with its singular values brought near one by Newton and Schulz's iteration."""
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / max(norm(x), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x
