"""Limited-memory BFGS: second-order steps from the last few gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .._errors import DtypeError
from .._tape import Leaf
from .line_search import strong_wolfe
from .optimizer import Closure, Group, Optimizer, check_range


class LBFGS(Optimizer):
    """Limited-memory BFGS, for losses without noise: whole batches and small models.

    ::

        y, s = change of the gradient, change of the parameters, the last ``history_size`` of them
        d = -H g, where H is the inverse Hessian that they imply (two loops over the history)
        p += t * d

    with ``t = lr``, or as a line search finds it; the first step is ``min(1, 1 / sum(abs(g))) * lr`` long.
    One call of `step` makes up to ``max_iter`` iterations, and stops early as PyTorch does.

    Args:
        params: real or complex parameters, in one group.
        lr: the step length, or the first one that the line search tries.
        max_iter: the most iterations of one `step`.
        max_eval: the most evaluations of the closure in one `step`; by default ``max_iter * 5 // 4``.
        tolerance_grad: stop where no element of the gradient is larger.
        tolerance_change: stop where the loss or the parameters change less.
        history_size: how many pairs are kept.
        line_search_fn: None or "strong_wolfe".

    Raises:
        ValueError: an option is out of its range, or there are several groups.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.nn.Parameter([1.0, 2.0])
        >>> optimizer = tg.optim.LBFGS([w], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = ((w - tg.tensor([3.0, -1.0])) ** 4).sum()
        ...     loss.backward()
        ...     return loss
        >>> _ = optimizer.step(closure)
        >>> tg.round(w.detach(), 1)
        tensor([ 3., -1.])

    Source: Liu and Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical
    Programming 45, 1989; Nocedal and Wright, Numerical optimization, 2006, algorithms 3.5, 3.6 and 7.4.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""
        check_range(
            self, group, lr=0, max_iter=1, max_eval=1, tolerance_grad=0, tolerance_change=0, history_size=1
        )
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(
                f"LBFGS: line_search_fn is {group['line_search_fn']!r}; None and 'strong_wolfe' are possible"
            )

    def add_param_group(self, param_group: Group) -> None:
        """Take the one group of parameters; a second one is an error.

        Args:
            param_group: a dict with the key "params" and options.
        """
        if self.param_groups:
            raise ValueError("LBFGS: all parameters make one vector, so there can be one group only")
        super().add_param_group(param_group)
        dtypes = {p.dtype for p in self._all()}
        if len(dtypes) > 1:
            self.param_groups.clear()
            raise DtypeError(
                f"LBFGS: all parameters make one vector, and they have {sorted(map(str, dtypes))}"
            )

    def step(self, closure: Closure | None = None) -> Any:
        """Minimize for up to ``max_iter`` iterations.

        Args:
            closure: clears the gradients, computes the loss, calls backward and returns the loss.

        Returns:
            What the closure returned first.
        """
        if closure is None:
            raise ValueError(
                "LBFGS.step: a closure is needed, which computes the loss and its gradients anew"
            )
        group = self.param_groups[0]
        state = self.state[group["params"][0]]
        evaluate = self._evaluator(closure)
        first = self._evaluate(closure)
        loss, g = _number(first), self._gradient()
        state["func_evals"] = state.get("func_evals", 0) + 1
        state.setdefault("n_iter", 0)
        if np.abs(g).max(initial=0) <= group["tolerance_grad"]:
            return first
        evaluations = 1
        memory = _Memory(state, group["history_size"])
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            d = memory.direction(g)
            memory.before, before = g.copy(), loss
            t = group["lr"] * (min(1.0, 1.0 / float(np.abs(g).sum())) if state["n_iter"] == 1 else 1)
            slope = float(g @ d)
            memory.step = d, t
            if slope > -group["tolerance_change"]:
                break
            spent = 0
            if group["line_search_fn"]:
                start = self._values()

                def trial(length: float, start: Any = start, d: Any = d) -> tuple[float, Any]:
                    self._set(start + length * d)
                    return evaluate()

                loss, g, t, spent = strong_wolfe(
                    trial, t, d, loss, g, slope,
                    evaluations=group["max_eval"] - evaluations, tolerance=group["tolerance_change"],
                )  # fmt: skip
                self._set(start + t * d)
                memory.step = d, t
            else:
                self._set(self._values() + t * d)
                if iteration < group["max_iter"]:  # what follows would not be used
                    loss, g = evaluate()
                    spent = 1
            evaluations += spent
            state["func_evals"] += spent
            if (
                evaluations >= group["max_eval"]
                or np.abs(g).max() <= group["tolerance_grad"]
                or np.abs(t * d).max() <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        state["prev_loss"] = before
        memory.save(state)
        return first

    # ---- all parameters as one real vector

    def _evaluator(self, closure: Closure) -> Callable[[], tuple[float, Any]]:
        def evaluate() -> tuple[float, Any]:
            return _number(self._evaluate(closure)), self._gradient()

        return evaluate

    def _gradient(self) -> Any:
        parts = []
        for p in self._all():
            g = p._node.grad if type(p._node) is Leaf else None
            parts.append(np.zeros(p.size, p.dtype) if g is None else np.ravel(g._d))
        return _real(np.concatenate(parts))

    def _values(self) -> Any:
        return _real(np.concatenate([np.ravel(p._d) for p in self._all()]))

    def _set(self, values: Any) -> None:
        start = 0
        for p in self._all():
            width = 2 if p.dtype.kind == "c" else 1
            part = values[start : start + p.size * width]
            start += part.size
            if p._node is not None:
                self.write(p, part.astype(_real(np.empty(0, p.dtype)).dtype).view(p.dtype).reshape(p.shape))


class _Memory:
    """The last pairs of changes, and the direction that they imply; in ``state`` under PyTorch's names."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.size = size
        self.changes = list(state.get("old_dirs") or [])  # of the gradient
        self.moves = list(state.get("old_stps") or [])  # of the parameters
        self.inverses = [float(one) for one in state.get("ro") or []]
        self.scale = float(state.get("H_diag", 1.0))
        self.before: Any = state.get("prev_flat_grad")
        self.step: Any = (state.get("d"), float(state.get("t", 0.0)))

    def direction(self, g: Any) -> Any:
        if self.before is None:
            return -g
        d, t = self.step
        y, s = g - self.before, d * t
        curvature = float(y @ s)
        if curvature > 1e-10:
            if len(self.changes) == self.size:
                for kept in (self.changes, self.moves, self.inverses):
                    kept.pop(0)
            self.changes.append(y)
            self.moves.append(s)
            self.inverses.append(1.0 / curvature)
            self.scale = curvature / float(y @ y)
        pairs = list(zip(self.changes, self.moves, self.inverses, strict=True))
        d, weights = -g, []
        for y, s, inverse in reversed(pairs):
            weights.append(inverse * float(s @ d))
            d -= weights[-1] * y
        d *= self.scale
        for (y, s, inverse), weight in zip(pairs, reversed(weights), strict=True):
            d += s * (weight - inverse * float(y @ d))
        return d

    def save(self, state: dict[str, Any]) -> None:
        d, t = self.step
        state.update(
            d=d, t=t, old_dirs=self.changes, old_stps=self.moves, ro=self.inverses, H_diag=self.scale,
            prev_flat_grad=self.before,
        )  # fmt: skip


def _real(values: Any) -> Any:
    return values.view(values.real.dtype) if values.dtype.kind == "c" else values


def _number(loss: Any) -> float:
    return float(loss.item() if hasattr(loss, "item") else loss)
