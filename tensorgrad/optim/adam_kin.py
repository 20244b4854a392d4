"""Kin of Adam: by the largest gradient, with Nesterov's momentum, and with a rectified beginning."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .arena import Array
from .elementwise import Elementwise, State, Update
from .moments import approach, moments
from .optimizer import Group, check_betas, check_range


class Adamax(Elementwise):
    """Adam by the largest gradient instead of the mean of squares.

    ::

        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, abs(g) + eps)
        p -= lr / (1 - beta1**step) * m / u

    ``eps`` is added before the maximum, as in PyTorch; the paper has none, and Keras adds it to ``u``.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        betas: how much of the mean and of the maximum is kept.
        eps: added to the absolute gradient.
        weight_decay: this times the parameter is added to the gradient.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.Adamax([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([0.9, 1.9])

    Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, section 7.1.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
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

    def arrays(self, group: Group) -> dict[str, float]:
        """The mean and the maximum."""
        return {"exp_avg": 0.0, "exp_inf": 0.0}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        (beta1, beta2), eps = group["betas"], group["eps"]
        numbers["step"] += 1
        rate = group["lr"] / (1 - beta1 ** numbers["step"])

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            m, u, a = state["exp_avg"], state["exp_inf"], work[0]
            approach(m, g, 1 - beta1, a)
            u *= beta2
            np.abs(g, out=a)
            a += eps
            np.maximum(u, a, out=u)
            np.divide(m, u, out=a)
            a *= rate
            p -= a

        return update


class NAdam(Elementwise):
    """Adam with Nesterov's momentum.

    ::

        mu = beta1 * (1 - 0.96**(step * momentum_decay) / 2), and the next one likewise
        product *= mu
        m, v as in Adam
        p -= lr * ((1 - mu) / (1 - product) * g + next / (1 - product * next) * m)
                / (sqrt(v / (1 - beta2**step)) + eps)

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        betas: how much of the two means is kept.
        eps: added to the root.
        weight_decay: this times the parameter is added to the gradient.
        momentum_decay: how fast the momentum comes to ``beta1``.
        decoupled_weight_decay: multiply the parameter by ``1 - lr * weight_decay`` instead.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.NAdam([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([0.8944, 1.8944])

    Source: Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, eps=0, weight_decay=0, momentum_decay=0)
        check_betas(self, group)

    def arrays(self, group: Group) -> dict[str, float]:
        """The two means."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def numbers(self, group: Group) -> dict[str, float]:
        """The count of steps, and the product of the momenta so far."""
        return {"step": 0, "mu_product": 1.0}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        betas, lr, eps = group["betas"], group["lr"], group["eps"]
        numbers["step"] += 1
        step = numbers["step"]
        mu, following = [
            betas[0] * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1)
        ]
        numbers["mu_product"] *= mu
        correction = 1 - betas[1] ** step
        of_gradient = lr * (1 - mu) / (1 - numbers["mu_product"])
        of_mean = lr * following / (1 - numbers["mu_product"] * following)

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            m, v = state["exp_avg"], state["exp_avg_sq"]
            a, b, c = work[:3]
            moments(betas, g, m, v, a)
            np.divide(v, correction, out=a)
            np.sqrt(a, out=a)
            a += eps
            np.multiply(g, of_gradient, out=b)
            b += np.multiply(m, of_mean, out=c)
            b /= a
            p -= b

        return update


class RAdam(Elementwise):
    """Adam that waits with dividing by the mean of squares until its variance is tractable.

    ::

        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / (1 - beta2**step)
        r = sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
        m, v as in Adam
        p -= lr * m / (1 - beta1**step) * (r * sqrt(1 - beta2**step) / (sqrt(v) + eps) if length > 5 else 1)

    ``eps`` is added to the root of the plain ``v``, as in PyTorch.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        betas: how much of the two means is kept.
        eps: added to the root.
        weight_decay: this times the parameter is added to the gradient.
        decoupled_weight_decay: multiply the parameter by ``1 - lr * weight_decay`` instead.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.RAdam([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.detach()
        tensor([0.8, 1.6])

    Source: Liu and others, On the variance of the adaptive learning rate and beyond, ICLR 2020.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, eps=0, weight_decay=0)
        check_betas(self, group)

    def arrays(self, group: Group) -> dict[str, float]:
        """The two means."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        betas, eps = group["betas"], group["eps"]
        numbers["step"] += 1
        step = numbers["step"]
        rate, correction = group["lr"] / (1 - betas[0] ** step), 1 - betas[1] ** step
        longest = 2 / (1 - betas[1]) - 1
        length = longest - 2 * step * betas[1] ** step / correction
        tractable = length > 5
        if tractable:
            gain = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            rate *= math.sqrt(gain * correction)

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            m, v, a = state["exp_avg"], state["exp_avg_sq"], work[0]
            moments(betas, g, m, v, a)
            if tractable:
                np.sqrt(v, out=a)
                a += eps
                np.divide(m, a, out=a)
                a *= rate
            else:
                np.multiply(m, rate, out=a)
            p -= a

        return update
