"""Learning rates by element from sums and means of squared gradients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from .arena import Array
from .elementwise import Elementwise, State, Update
from .moments import approach
from .optimizer import Group, check_range


class Adagrad(Elementwise):
    """Gradients divided by the root of the sum of their squares so far.

    ::

        s += g * g
        p -= lr / (1 + (step - 1) * lr_decay) * g / (sqrt(s) + eps)

    PyTorch's defaults; Keras begins with ``s = 0.1``, and `tensorgrad.optim.book.Adagrad` has ``eps = 1e-7``.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        lr_decay: how fast the learning rate falls with the steps of a parameter.
        weight_decay: this times the parameter is added to the gradient.
        initial_accumulator_value: what the sum begins with.
        eps: added to the root.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is negative.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.Adagrad([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.detach()
        tensor([0.5, 1.5])

    Source: Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic
    optimization, JMLR 12, 2011.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=0)

    def arrays(self, group: Group) -> dict[str, float]:
        """The sum of squares."""
        return {"sum": group["initial_accumulator_value"]}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        rate, eps = group["lr"] / (1 + numbers["step"] * group["lr_decay"]), group["eps"]
        numbers["step"] += 1

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            total, a = state["sum"], work[0]
            total += np.multiply(g, g, out=a)
            np.sqrt(total, out=a)
            a += eps
            np.divide(g, a, out=a)
            a *= rate
            p -= a

        return update


class Adadelta(Elementwise):
    """Steps in the units of the parameters: the root mean square of past steps over that of gradients.

    ::

        s = rho * s + (1 - rho) * g * g
        d = sqrt(u + eps) / sqrt(s + eps) * g
        u = rho * u + (1 - rho) * d * d
        p -= lr * d

    PyTorch's defaults; the paper has no learning rate, which is ``lr = 1``, and Keras's default is 0.001.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: a factor of the step.
        rho: how much of the means is kept.
        eps: added within the roots.
        weight_decay: this times the parameter is added to the gradient.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.Adadelta([w])
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([0.9968, 1.9968])

    Source: Zeiler, ADADELTA: an adaptive learning rate method, arXiv:1212.5701, 2012.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, rho=0, eps=0, weight_decay=0)
        if group["rho"] > 1:
            raise ValueError(f"Adadelta: rho is {group['rho']}; at most 1 is possible")

    def arrays(self, group: Group) -> dict[str, float]:
        """Means of the squared gradients and of the squared steps."""
        return {"square_avg": 0.0, "acc_delta": 0.0}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        lr, rho, eps = group["lr"], group["rho"], group["eps"]
        numbers["step"] += 1

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            squares, steps = state["square_avg"], state["acc_delta"]
            a, b = work[:2]
            approach(squares, np.multiply(g, g, out=a), 1 - rho, a)
            np.add(squares, eps, out=a)
            np.sqrt(a, out=a)
            np.add(steps, eps, out=b)
            np.sqrt(b, out=b)
            b /= a
            b *= g
            approach(steps, np.multiply(b, b, out=a), 1 - rho, a)
            b *= lr
            p -= b

        return update


class RMSprop(Elementwise):
    """Gradients divided by the root of a running mean of their squares.

    ::

        s = alpha * s + (1 - alpha) * g * g
        m = alpha * m + (1 - alpha) * g             # centered: the variance s - m * m takes the place of s
        d = g / (sqrt(s) + eps)
        p -= lr * d                                 # momentum: b = momentum * b + d and p -= lr * b

    PyTorch's form and defaults. TensorFlow 1 added ``eps`` within the root; Keras and
    `tensorgrad.optim.book.RMSprop` have ``alpha = 0.9`` and ``eps = 1e-7``.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        alpha: how much of the mean is kept.
        eps: added to the root.
        weight_decay: this times the parameter is added to the gradient.
        momentum: how much of the previous step is kept.
        centered: divide by the root of the variance.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is negative.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.RMSprop([w], lr=0.01)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([0.9, 1.9])

    Source: Tieleman and Hinton, lecture 6.5 of Neural networks for machine learning, 2012; centred: Graves,
    Generating sequences with recurrent neural networks, arXiv:1308.0850.
    """

    optional: ClassVar = frozenset({"momentum_buffer", "grad_avg"})

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, alpha=0, eps=0, weight_decay=0, momentum=0)

    def arrays(self, group: Group) -> dict[str, float]:
        """The mean of squares, and what the options need besides."""
        extra = {"momentum_buffer": group["momentum"], "grad_avg": group["centered"]}
        return dict.fromkeys(["square_avg", *[name for name, wanted in extra.items() if wanted]], 0.0)

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        lr, alpha, eps, momentum = group["lr"], group["alpha"], group["eps"], group["momentum"]
        numbers["step"] += 1

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            squares, a = state["square_avg"], work[0]
            approach(squares, np.multiply(g, g, out=a), 1 - alpha, a)
            if group["centered"]:
                mean = state["grad_avg"]
                approach(mean, g, 1 - alpha, a)
                np.multiply(mean, mean, out=a)
                np.subtract(squares, a, out=a)
                np.sqrt(a, out=a)
            else:
                np.sqrt(squares, out=a)
            a += eps
            np.divide(g, a, out=a)
            if momentum:
                buffer = state["momentum_buffer"]
                buffer *= momentum
                buffer += a
                np.multiply(buffer, lr, out=a)
            else:
                a *= lr
            p -= a

        return update
