"""The graph of a result's tape, and backward passes as equations."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import ir, nn
from tensorgrad.nn import functional as F


def leaf(values: Any, dtype: Any = np.float64) -> Any:
    return tg.tensor(np.array(values, dtype), requires_grad=True)


# ---- the tape


def test_what_a_tape_keeps_is_known_and_the_rest_is_said_to_be_unknown() -> None:
    w, x = leaf([1.0, 2.0]), tg.tensor([3.0, 4.0], np.float64)
    y = w * x + tg.tensor([1.0, 1.0], np.float64)
    graph = ir.of_tape(y, names={w._node: "w"})
    product, total = graph.equations
    assert (
        product.inputs[0].label == "w" and product.inputs[0].role == "captured" and product.inputs[0].tracked
    )
    assert product.inputs[1].role == "input" and graph.stats[product.inputs[1].index].values == (3.0, 4.0)
    assert total.inputs[1].role in ("unknown", "constant") and not total.inputs[1].tracked
    assert graph.stats[graph.outputs[0].index].values == (4.0, 9.0)
    assert product.saved_bytes == 16 and product.flops == 2


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64])
def test_dtypes_are_those_of_the_computation(dtype: Any) -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]], dtype)
    h = tg.exp(x).reshape(-1)
    first, second = tg.split(h, 2)
    real = tg.abs(first * second)
    results = (real.sum(), real.astype(np.float64).sum())
    graph = ir.of_tape(results)
    with tg.record() as run:
        again = tg.split(tg.exp(x).reshape(-1), 2)
        real = tg.abs(again[0] * again[1])
        _ = (real.sum(), real.astype(np.float64).sum())
    seen = {(e.op, tuple((v.shape, v.dtype) for v in e.outputs)) for e in run.graph.equations}
    assert {(e.op, tuple((v.shape, v.dtype) for v in e.outputs)) for e in graph.equations} == seen


@pytest.mark.parametrize("seed", range(20))
def test_the_tape_and_the_run_tell_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xs = [leaf(rng.normal(size=3)) for _ in range(2)]
    with tg.record() as run:
        values = list(xs)
        for _ in range(12):
            a, b = (values[int(i)] for i in rng.integers(len(values), size=2))
            values.append(
                [a * b, a + b, tg.sin(a), tg.where(a > 0, a, b), tg.split(a, [1])[1].sum() * b][
                    int(rng.integers(5))
                ]
            )
        y = values[-1].sum() + values[-2].sum()
    tape = ir.of_tape(y)
    reached = set()
    todo = [run.var(y).index]
    made = {v.index: e for e in run.graph.equations for v in e.outputs}
    for index in todo:
        if index in made and id(made[index]) not in reached:
            reached.add(id(made[index]))
            todo += [v.index for v in made[index].inputs if v.tracked]
    seen = [e.op for e in run.graph.equations if id(e) in reached]
    assert [e.op for e in tape.equations] == seen


@pytest.mark.parametrize("y", [tg.ones(3), tg.tensor([1, 2])])
def test_a_result_without_history_is_refused(y: Any) -> None:
    with pytest.raises(tg.NoGraphError, match=r"graph: the result has no history.*with tg\.record"):
        ir.of_tape(y)


def test_a_history_that_was_freed_is_refused() -> None:
    w = leaf([1.0])
    y = (w * w).sum()
    y.backward()
    with pytest.raises(tg.NoGraphError, match=r"has freed the history.*retain_graph=True"):
        ir.of_tape(y)


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_long_tape(count: int) -> None:
    x = leaf(1.0)
    y = x
    for _ in range(count // 2):
        y = y * 1.0001 - 0.0001
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(300)
    try:
        graph = ir.with_backward(ir.of_tape(y))
    finally:
        sys.setrecursionlimit(limit)
    assert len(graph.equations) == 2 * count


# ---- the backward pass as equations


def test_the_equations_of_a_pass_read_what_the_pass_made() -> None:
    w, x = leaf([1.0, 2.0]), tg.tensor([3.0, 4.0], np.float64)
    with tg.record() as run:
        h = tg.tanh(w * x)
        loss = (h * h + w).sum()
        loss.backward()
    assert str(ir.with_backward(run.graph)) == (
        "program(%1 x: float64[2]):\n"
        "  captured %0 w: float64[2]\n"
        "  %2: float64[2] = multiply(%0, %1)\n"
        "  %3 h: float64[2] = tanh(%2)\n"
        "  %4: float64[2] = multiply(%3, %3)\n"
        "  %5: float64[2] = add(%4, %0)\n"
        "  %6 loss: float64[] = sum(%5)\n"
        "  %8: float64[2] = sum'(1.0)\n"
        "  %9: float64[2], %10: float64[2] = add'(%8)\n"
        "  %11: float64[2], %12: float64[2] = multiply'(%9, %3)\n"
        "  %13 h.grad: float64[2] = add'(%11, %12)\n"
        "  %14: float64[2] = tanh'(%13, %3)\n"
        "  %15: float64[2] = multiply'(%14, %1)\n"
        "  %16 w.grad: float64[2] = add'(%10, %15)\n"
        "  %0.grad <- %16\n"
        "  return %6"
    )
    written = ir.with_backward(run.graph)
    assert written.stats[16].values == pytest.approx(w.grad.numpy())


@pytest.mark.parametrize("source", ["run", "tape"])
def test_every_value_is_there_before_it_is_read(source: str) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.LayerNorm(4), nn.Linear(4, 3))
    x, labels = tg.random.normal(size=(5, 3)), tg.tensor([0, 1, 2, 0, 1])
    with tg.record() as run:
        loss = F.cross_entropy(model(x), labels)
        tape = ir.of_tape(loss)
        loss.backward()
    forward = run.graph if source == "run" else tape
    graph = ir.with_backward(forward)
    known = {v.index for v in (*graph.inputs, *graph.captured, *graph.constants)}
    for equation in graph.equations:
        assert {v.index for v in equation.inputs} <= known, equation.op
        new = {v.index for v in equation.outputs}
        assert not new & known
        known |= new
    assert {w.target.label for w in graph.writes if w.slot == "grad"} == (
        {name for name, _ in model.named_parameters()} if source == "run" else {""}
    )
    assert [e.scope for e in graph.equations if e.op == "linear"] == (
        ["Sequential/0", "Sequential/3", "Sequential/3", "Sequential/0"] if source == "run" else [""] * 4
    )


def test_a_trace_with_a_backward_pass_stays_as_it_is() -> None:
    graph = tg.trace(tg.grad(lambda x: (x * x).sum()), tg.ones(3))
    assert ir.with_backward(graph) is graph


def test_one_of_several_passes_is_chosen() -> None:
    w = leaf([1.0])
    with tg.record() as run:
        (w * 2).sum().backward()
        (w * w).sum().backward()
    assert [e.op for e in ir.with_backward(run.graph, 0).equations[4:]] == ["sum", "multiply"]
    assert [e.op for e in ir.with_backward(run.graph, 1).equations[4:]] == ["sum", "multiply", "add"]
    with pytest.raises(tg.TraceError, match="pass 2 of 2"):
        ir.with_backward(run.graph, 2)
