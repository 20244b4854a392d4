"""Steps in proportion to the norm of each tensor, for large batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .moments import moments
from .optimizer import Group, check_betas, check_range
from .tensorwise import Tensorwise, norm


class LAMB(Tensorwise):
    """Adam's step, made as long for each tensor as the tensor itself is, for large batches.

    ::

        d = m / (1 - beta1**step) / (sqrt(v / (1 - beta2**step)) + eps) + weight_decay * p     # as in Adam
        p -= lr * norm(p) / norm(d) * d                         # the ratio is 1 where a norm is 0

    The paper's algorithm 2, with the identity for its function phi. PyTorch has no LAMB; some
    implementations leave out the correction of the bias or bound ``norm(p)`` by 10.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        betas: how much of the two means is kept.
        eps: added to the root.
        weight_decay: this times the parameter is added to the step.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([3.0, 4.0])
        >>> optimizer = tg.optim.LAMB([w], lr=0.1)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([2.6464, 3.6464])

    Source: You and others, Large batch optimization for deep learning: training BERT in 76 minutes, ICLR 2020.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, eps=0, weight_decay=0)
        check_betas(self, group)

    def begin(self, p: Any) -> dict[str, Any]:
        """The two means."""
        return {"step": 0, "exp_avg": np.zeros_like(p), "exp_avg_sq": np.zeros_like(p)}

    def updated(self, p: Any, g: Any, state: dict[str, Any], group: Group) -> Any:
        """The new value of a parameter."""
        state["step"] += 1
        beta1, beta2 = group["betas"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        moments(group["betas"], g, m, v, np.empty_like(p))
        root = np.sqrt(v / (1 - beta2 ** state["step"])) + group["eps"]
        direction = m / (1 - beta1 ** state["step"]) / root + group["weight_decay"] * p
        return p - group["lr"] * _ratio(norm(p), norm(direction)) * direction


class LARS(Tensorwise):
    """Momentum with a learning rate for each tensor, in proportion to its norm over that of its gradient.

    ::

        rate = lr * trust_coefficient * norm(p) / (norm(g) + weight_decay * norm(p) + eps)   # lr where a norm is 0
        b = momentum * b + rate * (g + weight_decay * p)
        p -= b

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        momentum: how much of the previous step is kept.
        weight_decay: this times the parameter is added to the gradient.
        trust_coefficient: how far a tensor may move, as a share of its norm.
        eps: added to the norms in the denominator.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is negative.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([3.0, 4.0])
        >>> optimizer = tg.optim.LARS([w], lr=1.0, trust_coefficient=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.detach()
        tensor([2.7, 3.6])

    Source: You, Gitman and Ginsburg, Large batch training of convolutional networks, arXiv:1708.03888.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-1,
        momentum: float = 0.9,
        weight_decay: float = 0,
        trust_coefficient: float = 1e-3,
        eps: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust_coefficient": trust_coefficient,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, momentum=0, weight_decay=0, trust_coefficient=0, eps=0)

    def begin(self, p: Any) -> dict[str, Any]:
        """The momentum."""
        return {"momentum_buffer": np.zeros_like(p)}

    def updated(self, p: Any, g: Any, state: dict[str, Any], group: Group) -> Any:
        """The new value of a parameter."""
        decay = group["weight_decay"]
        size, slope = norm(p), norm(g)
        trust = 1.0
        if size > 0 and slope > 0:
            trust = group["trust_coefficient"] * size / (slope + decay * size + group["eps"])
        buffer = state["momentum_buffer"]
        buffer *= group["momentum"]
        buffer += group["lr"] * trust * (g + decay * p)
        return p - buffer


def _ratio(size: float, step: float) -> float:
    return size / step if size > 0 and step > 0 else 1.0
