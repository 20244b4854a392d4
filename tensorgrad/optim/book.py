"""The optimizers of "Neural networks from scratch", form by form.

All of them let the learning rate fall with the steps, ``lr / (1 + decay * iterations)``, and add
``epsilon`` to roots, 1e-7 by default. The momentum of `SGD` holds learning rates of earlier steps;
that of `tensorgrad.optim.SGD` does not. The other updates are those of `tensorgrad.optim`.

Source: Kinsley and Kukiela, Neural networks from scratch in Python, 2020, chapter 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from . import adagrad, adam
from .arena import Array
from .elementwise import Elementwise, State, Update
from .optimizer import Closure, Group, check_range


class Decaying(Elementwise):
    """Base of the book's optimizers: it counts iterations and lets the learning rate fall."""

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, decay=0)
        group.setdefault("iterations", 0)

    @property
    def iterations(self) -> int:
        """How many steps were made."""
        return int(self.param_groups[0]["iterations"])

    @property
    def current_learning_rate(self) -> float:
        """The learning rate of the next step."""
        return rate(self.param_groups[0])

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters once by their gradients.

        Args:
            closure: clears the gradients, computes the loss, calls backward and returns the loss.

        Returns:
            What the closure returned, or None.
        """
        loss = super().step(closure)
        for group in self.param_groups:
            group["iterations"] += 1
        return loss


class SGD(Decaying):
    """Gradient descent whose momentum holds the steps: ``v = momentum * v - lr * g`` and ``p += v``.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the first learning rate.
        decay: how fast it falls.
        momentum: how much of the previous step is kept.

    Raises:
        ValueError: an option is negative.

    Example:
        >>> import tensorgrad as tg
        >>> from tensorgrad.optim import book
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = book.SGD([w], lr=0.1, decay=1.0)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.detach(), optimizer.current_learning_rate
        (tensor([0.8, 1.6]), 0.05)
    """

    optional: ClassVar = frozenset({"momentum"})

    def __init__(
        self, params: Iterable[Any], lr: float = 1.0, decay: float = 0.0, momentum: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "decay": decay, "momentum": momentum})

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        super().check(group)
        check_range(self, group, momentum=0)

    def arrays(self, group: Group) -> dict[str, float]:
        """The previous step, where there is momentum."""
        return {"momentum": 0.0} if group["momentum"] else {}

    def numbers(self, group: Group) -> dict[str, float]:
        """None: the group counts the steps."""
        return {}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        lr, momentum = rate(group), group["momentum"]

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            a = np.multiply(g, lr, out=work[0])
            if momentum:
                v = state["momentum"]
                v *= momentum
                v -= a
                p += v
            else:
                p -= a

        return update


class Adagrad(Decaying, adagrad.Adagrad):
    """Gradients over the root of the sum of their squares: ``p -= lr * g / (sqrt(sum) + epsilon)``.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the first learning rate.
        decay: how fast it falls.
        epsilon: added to the root.

    Raises:
        ValueError: an option is negative.

    Example:
        >>> import tensorgrad as tg
        >>> from tensorgrad.optim import book
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = book.Adagrad([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.detach()
        tensor([0.5, 1.5])
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1.0, decay: float = 0.0, epsilon: float = 1e-7
    ) -> None:
        Elementwise.__init__(self, params, {"lr": lr, "decay": decay, "epsilon": epsilon})

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        Decaying.check(self, group)
        check_range(self, group, epsilon=0)

    def arrays(self, group: Group) -> dict[str, float]:
        """The sum of squares."""
        return {"sum": 0.0}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        return super().rule({"lr": rate(group), "lr_decay": 0, "eps": group["epsilon"]}, numbers, held)


class RMSprop(Decaying, adagrad.RMSprop):
    """Gradients over the root of a running mean of their squares, of which ``rho`` is kept.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the first learning rate.
        decay: how fast it falls.
        epsilon: added to the root.
        rho: how much of the mean is kept.

    Raises:
        ValueError: an option is negative.

    Example:
        >>> import tensorgrad as tg
        >>> from tensorgrad.optim import book
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = book.RMSprop([w], lr=0.01, rho=0.99)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([0.9, 1.9])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        rho: float = 0.9,
    ) -> None:
        Elementwise.__init__(self, params, {"lr": lr, "decay": decay, "epsilon": epsilon, "rho": rho})

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        Decaying.check(self, group)
        check_range(self, group, epsilon=0, rho=0)

    def arrays(self, group: Group) -> dict[str, float]:
        """The mean of squares."""
        return {"square_avg": 0.0}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        options = {"lr": rate(group), "alpha": group["rho"], "eps": group["epsilon"]}
        return super().rule({**options, "momentum": 0, "centered": False}, numbers, held)


class Adam(Decaying, adam.Adam):
    """Running means of gradient and square, freed of their bias by ``1 - beta**(iterations + 1)``.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the first learning rate.
        decay: how fast it falls.
        epsilon: added to the root of the corrected mean of squares.
        beta_1: how much of the mean is kept.
        beta_2: how much of the mean of squares is kept.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> from tensorgrad.optim import book
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = book.Adam([w], lr=0.1, decay=1e-3)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([0.9, 1.9])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
    ) -> None:
        defaults = {"lr": lr, "decay": decay, "epsilon": epsilon, "beta_1": beta_1, "beta_2": beta_2}
        Elementwise.__init__(self, params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        Decaying.check(self, group)
        check_range(self, group, epsilon=0, beta_1=0, beta_2=0)
        if not max(group["beta_1"], group["beta_2"]) < 1:
            raise ValueError(f"Adam: the betas are {group['beta_1']} and {group['beta_2']}; both are below 1")

    def arrays(self, group: Group) -> dict[str, float]:
        """The two means."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        betas = group["beta_1"], group["beta_2"]
        return super().rule({"lr": rate(group), "betas": betas, "eps": group["epsilon"]}, numbers, held)


def rate(group: Group) -> float:
    """The learning rate of a group as it has fallen."""
    return float(group["lr"] / (1 + group["decay"] * group["iterations"]))
