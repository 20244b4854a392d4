"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from .arena import Array
from .elementwise import Elementwise, State, Update
from .optimizer import Group, check_range


class SGD(Elementwise):
    """Stochastic gradient descent, with momentum or Nesterov's momentum.

    ::

        b = momentum * b + (1 - dampening) * g      # b = g at the first step
        p -= lr * b                                 # nesterov: p -= lr * (g + momentum * b)

    The learning rate multiplies the buffer, as in PyTorch. Where it is inside the buffer, as in the
    original papers, in Keras and in `tensorgrad.optim.book.SGD`, a change of ``lr`` acts later.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        momentum: how much of the previous step is kept.
        dampening: how much of the gradient is left out of the buffer.
        weight_decay: this times the parameter is added to the gradient.
        nesterov: look ahead along the momentum.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is negative, or ``nesterov`` without momentum or with dampening.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.SGD([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.detach()
        tensor([0.8, 1.6])

    Source: Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep
    learning, ICML 2013.
    """

    optional: ClassVar = frozenset({"momentum_buffer"})

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, momentum=0, weight_decay=0)
        if group["nesterov"] and (not group["momentum"] or group["dampening"]):
            raise ValueError("SGD: nesterov needs a momentum, and no dampening")

    def arrays(self, group: Group) -> dict[str, float]:
        """The momentum buffer, where there is momentum."""
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def numbers(self, group: Group) -> dict[str, float]:
        """None: steps are not counted."""
        return {}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        lr, momentum, nesterov = group["lr"], group["momentum"], group["nesterov"]
        fresh = 1 - group["dampening"] if "momentum_buffer" in held else 1

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            a = work[0]
            if momentum:
                buffer = state["momentum_buffer"]
                buffer *= momentum
                buffer += g if fresh == 1 else np.multiply(g, fresh, out=a)
                if nesterov:
                    np.multiply(buffer, momentum, out=a)
                    a += g
                    g = a
                else:
                    g = buffer
            np.multiply(g, lr, out=a)
            p -= a

        return update
