"""Adam: steps from running means of gradients and of their squares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from .arena import Array
from .elementwise import Elementwise, State, Update
from .moments import moments
from .optimizer import Group, check_betas, check_range


class Adam(Elementwise):
    """Running means of the gradient over the root of that of its square, both freed of their bias.

    ::

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        p -= lr * m / (1 - beta1**step) / (sqrt(v / (1 - beta2**step)) + eps)

    With ``amsgrad`` the largest ``v`` so far takes the place of ``v``. Weight decay is part of the gradient
    here and apart from it in `AdamW`. PyTorch and the paper's algorithm 1 add ``eps`` to the root of the
    corrected ``v``, as here; TensorFlow adds it to the root of the plain one, which is larger by
    ``1 / sqrt(1 - beta2**step)``. `tensorgrad.optim.book.Adam` has ``eps = 1e-7`` and a decay of ``lr``.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        betas: how much of the two means is kept.
        eps: added to the root.
        weight_decay: this times the parameter is added to the gradient.
        amsgrad: divide by the largest mean of squares so far.
        maximize: ascend instead of descend.
        decoupled_weight_decay: multiply the parameter by ``1 - lr * weight_decay`` instead.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.Adam([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([0.9, 1.9])

    Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015; amsgrad: Reddi, Kale and
    Kumar, On the convergence of Adam and beyond, ICLR 2018.
    """

    optional: ClassVar = frozenset({"max_exp_avg_sq"})

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, eps=0, weight_decay=0)
        check_betas(self, group)

    def arrays(self, group: Group) -> dict[str, float]:
        """The two means, and the largest square."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0, **({"max_exp_avg_sq": 0.0} if group["amsgrad"] else {})}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        betas = group["betas"]
        numbers["step"] += 1
        # The corrections of the bias, moved from the arrays to two numbers.
        root = math.sqrt(1 - betas[1] ** numbers["step"])
        eps, rate = group["eps"] * root, group["lr"] * root / (1 - betas[0] ** numbers["step"])

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            m, v, a = state["exp_avg"], state["exp_avg_sq"], work[0]
            moments(betas, g, m, v, a)
            if "max_exp_avg_sq" in state:
                v = np.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
            np.sqrt(v, out=a)
            a += eps
            np.divide(m, a, out=a)
            a *= rate
            p -= a

        return update


class AdamW(Adam):
    """Adam with weight decay apart from the gradient.

    ::

        p *= 1 - lr * weight_decay
        the rest as in Adam

    The decay is multiplied by ``lr``, as in PyTorch; the paper's is not, but by the schedule's factor.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        betas: how much of the two means is kept.
        eps: added to the root.
        weight_decay: the share of a parameter that is taken away, times ``lr``.
        amsgrad: divide by the largest mean of squares so far.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.AdamW([w], lr=0.1, weight_decay=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.detach()
        tensor([0.85, 1.8 ])

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True
        )
