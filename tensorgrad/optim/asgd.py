"""Averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .arena import Array
from .elementwise import Elementwise, State, Update
from .optimizer import Group, check_range


class ASGD(Elementwise):
    """Gradient descent with a falling step, and the average of the parameters beside it.

    ::

        p = p * (1 - lambd * eta) - eta * g
        ax += mu * (p - ax)
        eta = lr / (1 + lambd * lr * step)**alpha
        mu = 1 / max(1, step - t0)

    with ``eta = lr`` and ``mu = 1`` at first. The average is ``optimizer.state[p]["ax"]``.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        lambd: the decay of the parameters.
        alpha: the power of the step's fall.
        t0: after how many steps averaging begins.
        weight_decay: this times the parameter is added to the gradient.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is negative.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.ASGD([w], lr=0.1, lambd=0.0)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.detach()
        tensor([0.8, 1.6])

    Source: Polyak and Juditsky, Acceleration of stochastic approximation by averaging, SIAM J. Control
    Optim. 30, 1992; the schedule: Xu, Towards optimal one pass large scale learning with averaged
    stochastic gradient descent, arXiv:1107.2490.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, weight_decay=0)

    def arrays(self, group: Group) -> dict[str, float]:
        """The average."""
        return {"ax": 0.0}

    def numbers(self, group: Group) -> dict[str, float]:
        """The count of steps, the step length and the share of the newest value in the average."""
        return {"step": 0, "eta": float(group["lr"]), "mu": 1.0}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        lr, lambd = group["lr"], group["lambd"]
        numbers["step"] += 1
        step, eta, mu = numbers["step"], numbers["eta"], numbers["mu"]
        numbers["eta"] = lr / (1 + lambd * lr * step) ** group["alpha"]
        numbers["mu"] = 1 / max(1, step - group["t0"])

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            average, a = state["ax"], work[0]
            p *= 1 - lambd * eta
            p -= np.multiply(g, eta, out=a)
            if mu == 1:
                np.copyto(average, p)
            else:
                np.subtract(p, average, out=a)
                a *= mu
                average += a

        return update
