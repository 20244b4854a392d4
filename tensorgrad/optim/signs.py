"""Steps by the sign of the gradient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .arena import Array
from .elementwise import Elementwise, State, Update
from .moments import approach
from .optimizer import Group, check_betas, check_range


class Rprop(Elementwise):
    """A step length for each element, which grows while the sign of its gradient stays and shrinks when it flips.

    ::

        s = clip(s * (etaplus if g * g_before > 0 else etaminus if g * g_before < 0 else 1), *step_sizes)
        g = 0 where the sign flipped
        p -= sign(g) * s

    For whole batches: the noise of mini-batches flips signs.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the first step length.
        etas: the factors ``(etaminus, etaplus)``.
        step_sizes: the shortest and the longest step.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.Rprop([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.detach()
        tensor([0.9, 1.9])

    Source: Riedmiller and Braun, A direct adaptive method for faster backpropagation learning: the RPROP
    algorithm, ICNN 1993.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize})

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0)
        minus, plus = group["etas"]
        if not 0 < minus < 1 < plus:
            raise ValueError(
                f"Rprop: etas are {group['etas']}; the first is between 0 and 1, the second above 1"
            )
        shortest, longest = group["step_sizes"]
        if not 0 <= shortest <= longest:
            raise ValueError(
                f"Rprop: step_sizes are {group['step_sizes']}; the shortest and the longest step"
            )

    def arrays(self, group: Group) -> dict[str, float]:
        """The gradient of the step before, and the step lengths."""
        return {"prev": 0.0, "step_size": group["lr"]}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        (minus, plus), (shortest, longest) = group["etas"], group["step_sizes"]
        numbers["step"] += 1

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            before, lengths, a = state["prev"], state["step_size"], work[0]
            np.multiply(g, before, out=a)
            flipped = a < 0
            np.multiply(lengths, plus, out=lengths, where=a > 0)
            np.multiply(lengths, minus, out=lengths, where=flipped)
            np.clip(lengths, shortest, longest, out=lengths)
            np.copyto(before, g)
            np.copyto(before, 0, where=flipped)
            np.sign(before, out=a)
            a *= lengths
            p -= a

        return update


class Lion(Elementwise):
    """The sign of a mean of the gradient and its momentum: one state, and steps of one length.

    ::

        p *= 1 - lr * weight_decay
        p -= lr * sign(beta1 * m + (1 - beta1) * g)
        m = beta2 * m + (1 - beta2) * g

    Learning rates are 3 to 10 times smaller than for AdamW, and decays as much larger. PyTorch has no
    Lion; this is the paper's program 1, with ``lr`` a factor of the decay.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the learning rate.
        betas: how much momentum is in the step, and how much of the momentum is kept.
        weight_decay: the share of a parameter that is taken away, times ``lr``.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.Lion([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.detach()
        tensor([0.9, 1.9])

    Source: Chen and others, Symbolic discovery of optimization algorithms, NeurIPS 2023.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "decoupled_weight_decay": True,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, weight_decay=0)
        check_betas(self, group)

    def arrays(self, group: Group) -> dict[str, float]:
        """The momentum."""
        return {"exp_avg": 0.0}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step on arrays."""
        lr, (beta1, beta2) = group["lr"], group["betas"]
        numbers["step"] += 1

        def update(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            m, a = state["exp_avg"], work[0]
            np.subtract(g, m, out=a)
            a *= 1 - beta1
            a += m
            np.sign(a, out=a)
            a *= lr
            p -= a
            approach(m, g, 1 - beta2, a)

        return update
