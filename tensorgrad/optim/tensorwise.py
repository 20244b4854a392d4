"""The updates that look at a whole tensor at a time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._errors import DtypeError, ShapeError
from .._tensor import Tensor
from .optimizer import Closure, Group, Optimizer


class Tensorwise(Optimizer):
    """Base of the optimizers that update one real tensor at a time, by `direction`."""

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters once by their gradients.

        Args:
            closure: clears the gradients, computes the loss, calls backward and returns the loss.

        Returns:
            What the closure returned, or None.
        """
        loss = self._evaluate(closure)
        with np.errstate(all="ignore"):
            for p, g, state, group in self.gradients():
                value = np.asarray(p._d)
                if not state:
                    state.update(self.begin(value))
                self.write(p, self.updated(value, np.asarray(g), state, {**group, "lr": float(group["lr"])}))
        return loss

    @abstractmethod
    def begin(self, p: Any) -> dict[str, Any]:
        """What is remembered of a parameter before its first step: arrays, and "step" where steps count.

        Args:
            p: its value.
        """

    @abstractmethod
    def updated(self, p: Any, g: Any, state: dict[str, Any], group: Group) -> Any:
        """The new value of a parameter.

        Args:
            p: its value; it stays as it is.
            g: its gradient, likewise.
            state: what is remembered of it, changed in place.
            group: the options.
        """

    def accept(self, p: Tensor) -> None:
        """Raise an error if a parameter cannot be optimized in this way."""
        if p.dtype.kind != "f":
            raise DtypeError(
                f"{type(self).__name__}: a parameter of dtype {p.dtype} and shape {p.shape} was given; only real "
                "floating parameters are possible"
            )

    def add_param_group(self, param_group: Group) -> None:
        """Optimize more parameters, with options of their own.

        Args:
            param_group: a dict with the key "params"; options that it lacks are the defaults.
        """
        super().add_param_group(param_group)
        try:
            for p in self.param_groups[-1]["params"]:
                self.accept(p)
        except (DtypeError, ShapeError):
            self.param_groups.pop()
            raise

    def _taken(self, who: str, p: Tensor, group: Group, entry: Mapping[str, Any]) -> dict[str, Any]:
        taken, expected = super()._taken(who, p, group, entry), self.begin(np.asarray(p._d))
        if taken.keys() != expected.keys():
            raise ValueError(
                f"{who} has the state {sorted(taken)}, and {type(self).__name__} keeps {sorted(expected)}"
            )
        for name, value in expected.items():
            if np.shape(taken[name]) != np.shape(value):
                raise ShapeError(
                    f"{who}: the state {name!r} has shape {np.shape(taken[name])} and must have {np.shape(value)}"
                )
        return taken


def norm(x: Any) -> float:
    """The Euclidean norm of all elements, in single precision at least."""
    return float(np.sqrt(np.sum(np.square(x, dtype=np.result_type(x, np.float32)))))
