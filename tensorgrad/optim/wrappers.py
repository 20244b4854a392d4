"""Optimizers around an optimizer: sharpness-aware steps, and slow weights that follow fast ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._errors import ShapeError
from .._tape import Leaf
from .._tensor import Tensor
from .optimizer import Closure, Group, Optimizer, copied, fitted


class Wrapper(Optimizer):
    """Base of the optimizers that pass their gradients to another one, whose groups and state are theirs.

    Args:
        optimizer: the one that makes the steps.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._prepare()
        self.optimizer = optimizer
        self.defaults = optimizer.defaults

    @property
    def param_groups(self) -> list[Group]:  # type: ignore[override]
        """The groups of the optimizer within."""
        return self.optimizer.param_groups

    @property
    def state(self) -> Any:
        """The state of the optimizer within."""
        return self.optimizer.state

    def add_param_group(self, param_group: Group) -> None:
        """Optimize more parameters, with options of their own.

        Args:
            param_group: a dict with the key "params"; options that it lacks are the defaults.
        """
        self.optimizer.add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        """A copy of the state of the optimizer within."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state.

        Args:
            state_dict: what `state_dict` gave.
        """
        self.optimizer.load_state_dict(state_dict)

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and deepcopy: no hooks."""
        return {name: value for name, value in vars(self).items() if name not in self.unsaved}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._prepare()
        vars(self).update(state)


class SAM(Wrapper):
    """Sharpness-aware minimization: the gradient from the worst point nearby.

    ::

        e = rho * g / norm(g)                           # adaptive: e = rho * p**2 * g / norm(abs(p) * g)
        the wrapped optimizer steps from p, by the gradient at p + e

    The norm is over all parameters. A step evaluates the closure twice.

    Args:
        optimizer: the one that makes the steps.
        rho: how far the worst point may be.
        adaptive: measure distances in units of the parameters.

    Raises:
        ValueError: ``rho`` is negative, or a step is made without a closure.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([3.0, 4.0])
        >>> optimizer = tg.optim.SAM(tg.optim.SGD([w], lr=0.1), rho=0.5)
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = (w * w).sum() / 2
        ...     loss.backward()
        ...     return loss
        >>> loss = optimizer.step(closure)
        >>> w.detach()
        tensor([2.67, 3.56])

    Source: Foret and others, Sharpness-aware minimization for efficiently improving generalization, ICLR
    2021; adaptive: Kwon and others, ASAM, ICML 2021.
    """

    def __init__(self, optimizer: Optimizer, rho: float = 0.05, adaptive: bool = False) -> None:
        if not rho >= 0:
            raise ValueError(f"SAM: rho is {rho!r}; a number of at least 0 is needed")
        super().__init__(optimizer)
        self.rho = rho
        self.adaptive = adaptive

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters once, by the gradient at the worst point nearby.

        Args:
            closure: clears the gradients, computes the loss, calls backward and returns the loss.

        Returns:
            The loss at the parameters, which the closure returned first.
        """
        if closure is None:
            raise ValueError("SAM.step: a closure is needed, which computes the loss and its gradients anew")
        loss = self._evaluate(closure)
        found = [(p, p._d, np.array(g)) for p, g, _, _ in self._gradients()]
        scaled = [np.abs(d) * g if self.adaptive else g for _, d, g in found]
        norm = float(np.sqrt(sum(float(np.sum(np.abs(one) ** 2)) for one in scaled)))
        length = self.rho / norm if norm > 0 else 0.0
        try:
            for p, d, g in found:
                self.write(p, d + length * (np.abs(d) ** 2 * g if self.adaptive else g))
            self._evaluate(closure)
        finally:
            for p, d, _ in found:
                self.write(p, d)
        self.optimizer.step()
        return loss

    def _gradients(self) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                if type(p._node) is Leaf and p._node.grad is not None:
                    g = p._node.grad._d
                    yield p, (-g if group.get("maximize") else g), None, group


class Lookahead(Wrapper):
    """Slow weights that move, after every ``k`` steps, a part of the way to the fast ones, which start anew there.

    ::

        every k steps:  slow += alpha * (p - slow);  p = slow

    Args:
        optimizer: the one that makes the steps.
        k: how many steps it makes in between.
        alpha: which part of the way.

    Raises:
        ValueError: ``k`` is below 1, or ``alpha`` not between 0 and 1.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.Lookahead(tg.optim.SGD([w], lr=0.1), k=1, alpha=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.detach()
        tensor([0.9, 1.8])

    Source: Zhang, Lucas, Hinton and Ba, Lookahead optimizer: k steps forward, 1 step back, NeurIPS 2019.
    """

    def __init__(self, optimizer: Optimizer, k: int = 5, alpha: float = 0.5) -> None:
        if k < 1 or not 0 <= alpha <= 1:
            raise ValueError(f"Lookahead: k is {k!r} and alpha {alpha!r}; at least 1, and from 0 to 1")
        super().__init__(optimizer)
        self.k = k
        self.alpha = alpha
        self.steps = 0
        self.slow: dict[Tensor, Any] = {}

    def step(self, closure: Closure | None = None) -> Any:
        """Let the wrapped optimizer step; every ``k`` steps bring the slow weights along.

        Args:
            closure: clears the gradients, computes the loss, calls backward and returns the loss.

        Returns:
            What the closure returned, or None.
        """
        for p in self._all():
            if p not in self.slow:
                self.slow[p] = np.array(p._d)
        loss = self.optimizer.step(closure)
        self.steps += 1
        if self.steps % self.k == 0:
            for p in self._all():
                if p._node is not None:
                    self.slow[p] = self.slow[p] + self.alpha * (p._d - self.slow[p])
                    self.write(p, self.slow[p].copy())
        return loss

    def state_dict(self) -> dict[str, Any]:
        """A copy of the state of the optimizer within, the slow weights and the count of steps."""
        slow = {i: copied(self.slow[p]) for i, p in enumerate(self._all()) if p in self.slow}
        return {**self.optimizer.state_dict(), "slow": slow, "steps": self.steps}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state.

        Args:
            state_dict: what `state_dict` gave.

        Raises:
            ValueError: it does not fit. Nothing has changed then.
        """
        parameters, slow = self._all(), {}
        for i, value in state_dict["slow"].items():
            value, p = fitted(value, parameters[i].dtype), parameters[i]
            if value.shape != p.shape:
                raise ShapeError(
                    f"Lookahead.load_state_dict: slow weights {i} have shape {value.shape}, and the parameter {p.shape}"
                )
            slow[p] = value
        self.optimizer.load_state_dict(state_dict)
        self.slow, self.steps = slow, int(state_dict["steps"])
