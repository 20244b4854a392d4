"""Updates that look at whole tensors: factored and matrix-valued ones, and trust ratios."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .._errors import DtypeError, ShapeError
from .._tensor import Tensor
from .moments import moments
from .optimizer import Closure, Group, Optimizer, check_betas, check_range


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
        return p - group["lr"] * _ratio(_norm(p), _norm(direction)) * direction


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
        size, slope = _norm(p), _norm(g)
        trust = 1.0
        if size > 0 and slope > 0:
            trust = group["trust_coefficient"] * size / (slope + decay * size + group["eps"])
        buffer = state["momentum_buffer"]
        buffer *= group["momentum"]
        buffer += group["lr"] * trust * (g + decay * p)
        return p - buffer


class Adafactor(Tensorwise):
    """Adam without momentum, whose mean of squares is kept as one number for each row and each column.

    ::

        share = step**beta2_decay
        row, column: running means of g * g along the last axis and the one before, moved by ``share``
        v = row @ column / max(mean(row), eps1)        # vectors: a running mean of g * g
        d = g / sqrt(max(v, eps1**2))
        p *= 1 - lr * weight_decay
        p -= max(eps2, rms(p)) * min(lr, 1 / sqrt(step)) / max(1, rms(d) / d_max) * d

    PyTorch's form, in which ``lr`` bounds the paper's relative step. ``rms`` is the root of the mean
    square, and that of ``p`` is taken before the decay.

    Args:
        params: parameters, pairs of a name and a parameter, or dicts of groups.
        lr: the largest relative step.
        beta2_decay: the power with which the means slow down.
        eps: ``(eps1, eps2)``; None for the first is the machine epsilon of the dtype.
        d: ``d_max``, above which a step is cut.
        weight_decay: the share of a parameter that is taken away, times ``lr``.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option is out of its range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([[1.0, 2.0], [3.0, 4.0]])
        >>> optimizer = tg.optim.Adafactor([w], lr=0.1)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([[0.7261, 1.7261],
                [2.7261, 3.7261]])

    Source: Shazeer and Stern, Adafactor: adaptive learning rates with sublinear memory cost, ICML 2018.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, d=1, weight_decay=0)
        if not group["beta2_decay"] <= 0:
            raise ValueError(f"Adafactor: beta2_decay is {group['beta2_decay']!r}; at most 0 is possible")
        first, second = group["eps"]
        if not (first is None or first >= 0) or not second >= 0:
            raise ValueError(
                f"Adafactor: eps is {group['eps']!r}; a number of at least 0 or None, and a number"
            )

    def begin(self, p: Any) -> dict[str, Any]:
        """The means of the rows and of the columns, or of a vector's elements."""
        if p.ndim < 2:
            return {"step": 0, "variance": np.zeros_like(p)}
        row, column = (*p.shape[:-1], 1), (*p.shape[:-2], 1, p.shape[-1])
        return {"step": 0, "row_var": np.zeros(row, p.dtype), "col_var": np.zeros(column, p.dtype)}

    def updated(self, p: Any, g: Any, state: dict[str, Any], group: Group) -> Any:
        """The new value of a parameter."""
        state["step"] += 1
        low = np.finfo(p.dtype).eps.item() if group["eps"][0] is None else group["eps"][0]
        share = state["step"] ** group["beta2_decay"]
        length = max(group["eps"][1], _rms(p)) * min(group["lr"], 1 / math.sqrt(state["step"]))
        square = g * g
        if p.ndim > 1:
            row, column = state["row_var"], state["col_var"]
            row += share * (square.mean(axis=-1, keepdims=True) - row)
            column += share * (square.mean(axis=-2, keepdims=True) - column)
            variance = row @ column / np.maximum(row.mean(axis=-2, keepdims=True), low)
        else:
            state["variance"] += share * (square - state["variance"])
            variance = state["variance"]
        step = g / np.sqrt(np.maximum(variance, low * low))
        p = p * (1 - group["lr"] * group["weight_decay"])
        return p - length / max(1.0, _rms(step) / group["d"]) * step


class Muon(Tensorwise):
    """Momentum whose step is brought near an orthogonal matrix: all singular values of about one.

    ::

        b += (1 - momentum) * (g - b)
        d = (1 - momentum) * g + momentum * b          # without nesterov: d = b
        x = d / norm(d), wide;  ns_steps times:  s = x @ x.T;  x = a * x + (b * s + c * s @ s) @ x
        p *= 1 - lr * weight_decay
        p -= lr * ratio * x

    where ``ratio`` is ``sqrt(max(1, rows / columns))``, or by ``adjust_lr_fn="match_rms_adamw"``
    ``0.2 * sqrt(max(rows, columns))``. For the weight matrices of hidden layers; biases, embeddings and
    the last layer are better trained by AdamW. PyTorch iterates in bfloat16, here it is the parameter's dtype.

    Args:
        params: matrices, pairs of a name and a matrix, or dicts of groups.
        lr: the learning rate.
        weight_decay: the share of a parameter that is taken away, times ``lr``.
        momentum: how much of the previous step is kept.
        nesterov: look ahead along the momentum.
        ns_coefficients: the numbers ``(a, b, c)`` of the iteration, a polynomial of degree five.
        eps: the least norm to divide by.
        ns_steps: how many iterations, below 100.
        adjust_lr_fn: "original", which None means, or "match_rms_adamw".

    Raises:
        ValueError: an option is out of its range.
        ShapeError: a parameter is not a matrix.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter(tg.zeros((2, 2)))
        >>> optimizer = tg.optim.Muon([w], lr=1.0, ns_coefficients=(1.5, -0.5, 0.0), ns_steps=20)
        >>> (w * tg.tensor([[0.0, 2.0], [-1.0, 0.0]])).sum().backward()
        >>> optimizer.step()
        >>> tg.round(w.detach(), 4)
        tensor([[ 0., -1.],
                [ 1.,  0.]])

    Source: Jordan and others, Muon: an optimizer for hidden layers in neural networks, 2024; the second
    ratio: Liu and others, Muon is scalable for LLM training, arXiv:2502.16982.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(self, group, lr=0, weight_decay=0, momentum=0, eps=0, ns_steps=0)
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Muon: adjust_lr_fn is {group['adjust_lr_fn']!r}; 'original' and 'match_rms_adamw' are possible"
            )
        if len(group["ns_coefficients"]) != 3 or group["ns_steps"] >= 100:
            raise ValueError("Muon: three ns_coefficients and fewer than 100 ns_steps are needed")

    def accept(self, p: Tensor) -> None:
        """Raise an error if a parameter is not a real matrix."""
        super().accept(p)
        if p.ndim != 2:
            raise ShapeError(
                f"Muon: a parameter has shape {p.shape}, and only matrices can be orthogonalized; give the others "
                "to AdamW"
            )

    def begin(self, p: Any) -> dict[str, Any]:
        """The momentum."""
        return {"momentum_buffer": np.zeros_like(p)}

    def updated(self, p: Any, g: Any, state: dict[str, Any], group: Group) -> Any:
        """The new value of a parameter."""
        momentum, lr = group["momentum"], group["lr"]
        buffer = state["momentum_buffer"]
        buffer += (1 - momentum) * (g - buffer)
        step = g + momentum * (buffer - g) if group["nesterov"] else buffer
        rows, columns = p.shape
        ratio = (
            0.2 * math.sqrt(max(rows, columns))
            if group["adjust_lr_fn"] == "match_rms_adamw"
            else math.sqrt(max(1.0, rows / max(1, columns)))
        )
        wanted = orthogonalized(step, group["ns_coefficients"], group["ns_steps"], group["eps"])
        return p * (1 - lr * group["weight_decay"]) - lr * ratio * wanted


def orthogonalized(matrix: Any, coefficients: tuple[float, float, float], steps: int, eps: float) -> Any:
    """A matrix with its singular values brought near one by Newton and Schulz's iteration."""
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / max(_norm(x), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x


def _norm(x: Any) -> float:
    return float(np.sqrt(np.sum(np.square(x, dtype=np.result_type(x, np.float32)))))


def _rms(x: Any) -> float:
    return _norm(x) / math.sqrt(max(1, x.size))


def _ratio(size: float, step: float) -> float:
    return size / step if size > 0 and step > 0 else 1.0
