"""The printed derivations of random programs, read back and worked out, are their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.inspect._notation import latex, text
from tensorgrad.inspect._symbols import Expr, Name, Slope

from .reading import latex_value, text_value

PROGRAMS, BATCH = 1000, 100

ONE = ["sin", "cos", "tanh", "sigmoid", "exp", "relu", "square", "negative", "abs", "sqrt", "log", "halved", "shifted",
       "reciprocal", "cubed"]  # fmt: skip
TWO = ["add", "subtract", "multiply", "divide", "maximum", "minimum"]
MOVE = [
    "sum",
    "sum0",
    "sum1k",
    "mean1",
    "T",
    "reshape",
    "first",
    "rows",
    "logsumexp",
    "softmax",
    "max",
    "stack",
    "where",
]

Op = tuple[str, tuple[int, ...]]


def apply(op: str, xs: list[Any]) -> Any:
    """One operation of a random program; arguments are kept where functions are smooth and small."""
    x = xs[0]
    match op:
        case "exp":
            return tg.exp(tg.tanh(x))
        case "sqrt":
            return tg.sqrt(x * x + 1)
        case "log":
            return tg.log(1 + tg.exp(x))
        case "halved":
            return 0.5 * x
        case "shifted":
            return 1.25 - x
        case "reciprocal":
            return 1 / (2 + tg.cos(x))
        case "cubed":
            return x**3
        case "divide":
            return x / (xs[1] ** 2 + 1)
        case "sum":
            return x.sum()
        case "sum0":
            return x.sum(0)
        case "sum1k":
            return x.sum(-1, keepdims=True)
        case "mean1":
            return x.mean(-1)
        case "T":
            return x.T
        case "reshape":
            return x.reshape(-1)
        case "first":
            return x[0]
        case "rows":
            return x[..., 1:]
        case "logsumexp":
            return tg.logsumexp(x, -1)
        case "softmax":
            return tg.nn.functional.softmax(x, -1)
        case "max":
            return tg.max(x, -1)
        case "stack":
            return tg.stack([x, 2 * x])
        case "where":
            return tg.where(x > 0.1, x, 0.3 * x)
    return getattr(tg, op)(*xs)


def program(rng: np.random.Generator) -> tuple[Callable[..., Any], list[Any]]:
    """A function of one to three arrays, with up to six operations, and the arrays."""
    shapes: list[tuple[int, ...]] = [(), (3,), (2, 3), (3, 2), (1, 3), (3, 3)]
    inputs = [rng.normal(size=shapes[rng.integers(len(shapes))]) for _ in range(rng.integers(1, 4))]
    scalars = rng.random() < 0.3
    if scalars:
        inputs = [rng.normal() for _ in inputs]
    values: list[Any] = [tg.tensor(np.array(x)) for x in inputs]
    ops: list[Op] = []
    for _ in range(rng.integers(1, 7)):
        for _attempt in range(20):
            kind = rng.random()
            names = (
                ONE if scalars or kind < 0.35 else MOVE if kind < 0.6 else TWO if kind < 0.85 else ["matmul"]
            )
            if scalars and kind > 0.5:
                names = TWO
            name = names[rng.integers(len(names))]
            count = 2 if name in TWO or name == "matmul" else 1
            # Recent values more often, so that programs are deep; any value again, so that they share.
            where = tuple([int(max(0, len(values) - 1 - rng.geometric(0.5) + 1)) for _ in range(count)])
            try:
                made = apply(name, [values[i] for i in where])
            except (tg.TensorgradError, ValueError, IndexError):
                continue
            if made.ndim <= 3 and 0 < made.size <= 60:
                values.append(made)
                ops.append((name, where))
                break

    def f(*xs: Any) -> Any:
        known = list(xs)
        for name, where in ops:
            known.append(apply(name, [known[i] for i in where]))
        y = known[-1]
        return y.sum() if y.ndim else y * 1.5

    return f, inputs


def worked_out(
    explained: Any, inputs: dict[str, Any], show: Callable[[Expr], str], value: Callable[..., Any]
) -> dict[str, Any]:
    """The gradients that an explanation arrives at: every line is evaluated from those before it."""
    known = dict(inputs)
    found: dict[str, Any] = {}
    for line in (
        *explained.given,
        *explained.forward,
        *explained.local,
        *explained.chain,
        *explained.simplified,
    ):
        if line.linear or not line.forms:
            continue
        results = [value(show(form), known) for form in line.forms if not refers_to(form, line.name)]
        known.setdefault(show(line.name), np.broadcast_to(results[0], line.name.shape))
        for result in results:
            assert_close(result, known[show(line.name)], lambda line=line: f"{line} of\n{explained}")
        if isinstance(line.name, Slope) and line.name.of == explained.result:
            found[line.name.by] = known[show(line.name)]
    return found


def refers_to(form: Expr, name: Any) -> bool:
    return form == name


def assert_close(a: Any, b: Any, what: Callable[[], str]) -> None:
    scale = max(1.0, float(np.max(np.abs(b), initial=0)))
    assert np.max(np.abs(a - b), initial=0) <= 1e-10 * scale, f"{what()}\n{a}\n{b}"


def check(f: Callable[..., Any], inputs: list[Any]) -> None:
    names = ["a", "b", "c"][: len(inputs)]
    tensors = [tg.tensor(np.array(x)) for x in inputs]
    graph = tg.trace(eval(f"lambda {', '.join(names)}: f({', '.join(names)})", {"f": f}), *tensors)
    explained = tg.explain(graph)
    wanted = tg.grad(f, tuple(range(len(inputs))))(*tensors)
    for show, value in ((text, text_value), (latex, latex_value)):
        given = {show(Name(n)): np.array(x) for n, x in zip(names, inputs, strict=True)}
        given |= {show(one.name): np.asarray(one.value) for one in explained.given if one.value is not None}
        found = worked_out(explained, given, show, value)
        for name, g in zip(names, wanted, strict=True):
            if name in found:
                assert_close(
                    found[name], g.numpy(), lambda name=name: f"gradient of {name}, in\n{explained}\n{graph}"
                )
            else:
                assert not np.any(g.numpy()), f"no gradient of {name} in\n{explained}\n{graph}"


@pytest.mark.parametrize("start", range(0, PROGRAMS, BATCH))
def test_derivations_read_back_are_the_gradients(start: int) -> None:
    for seed in range(start, start + BATCH):
        check(*program(np.random.default_rng(seed)))
