"""Recorded runs: what ran, where, how its gradients came about, and that nothing else changes."""

from __future__ import annotations

import gc
import inspect
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import ir, nn
from tensorgrad.nn import functional as F
from tests.ir.sums import check_sums


def leaf(values: Any, dtype: Any = np.float64) -> Any:
    return tg.tensor(np.array(values, dtype), requires_grad=True)


def line_of(needle: str, function: Callable[..., Any]) -> int:
    """The line of this file on which ``needle`` stands in ``function``."""
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if needle in line)


# ---- what is written down


def test_a_run_as_text() -> None:
    w, x = leaf([1.0, 2.0]), tg.tensor([3.0, 4.0], np.float64)
    with tg.record() as run:
        h = w * x + 1
        loss = h.sum()
        loss.backward()
    assert str(run.graph) == (
        "program(%1 x: float64[2]):\n"
        "  captured %0 w: float64[2]\n"
        "  %2: float64[2] = multiply(%0, %1)\n"
        "  %4 h: float64[2] = add(%2, 1.0)\n"
        "  %5 loss: float64[] = sum(%4)\n"
        "  return %5"
    )
    assert repr(run).startswith("<Run of ") and "1 backward pass" in repr(run)


def test_positions_are_those_of_the_user() -> None:
    w = leaf([1.0, 2.0], np.float32)
    layer = nn.Linear(2, 3)
    with tg.record() as run:
        h = w * 2  # the product
        F.relu(layer(h))  # the layer
    here = test_positions_are_those_of_the_user
    where = {e.op: e.position for e in run.graph.equations}
    assert where["multiply"].line == line_of("# the product", here)
    assert where["linear"].line == where["relu"].line == line_of("# the layer", here)
    assert where["multiply"].file == __file__ and where["multiply"].function == here.__name__


def test_modules_give_scopes_and_names() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            self.first = nn.Linear(2, 3)
            self.tail = nn.Sequential(nn.ReLU(), nn.Linear(3, 1))

        def forward(self, x: Any) -> Any:
            return self.tail(self.first(x))

    net = Net()
    with tg.record() as run:
        net(tg.ones((4, 2))).sum().backward()
    assert [(e.op, e.scope) for e in run.graph.equations] == [
        ("linear", "Net/first"),
        ("relu", "Net/tail/0"),
        ("linear", "Net/tail/1"),
        ("sum", ""),
    ]
    assert [v.label for v in run.graph.captured] == [
        "first.weight",
        "first.bias",
        "tail.1.weight",
        "tail.1.bias",
    ]


def test_names_come_from_the_caller_from_modules_or_from_variables() -> None:
    given, mine = leaf([1.0]), leaf([2.0])
    with tg.record(names={"weights": [given]}) as run:
        (given * mine).sum()
    assert [v.label for v in run.graph.captured] == ["weights.0", "mine"]
    model = nn.Linear(1, 1)
    with tg.record(names=model) as run:
        (model.weight * 2).sum()
    assert run.graph.captured[0].label == "weight"


def test_no_grad_detach_and_leaving_are_seen() -> None:
    w = leaf([1.0, 2.0])
    with tg.record() as run:
        h = w * 2
        d = h.detach()  # cut
        with tg.no_grad():
            w * 3
        float((h * d).sum())  # gone
    here = test_no_grad_detach_and_leaving_are_seen
    by_op = {e.op: e for e in run.graph.equations}
    assert by_op["detach"].position.line == line_of("# cut", here)
    assert by_op["detach"].inputs[0].label == "h" and by_op["detach"].outputs[0].label == "d"
    assert not by_op["detach"].outputs[0].tracked and by_op["detach"].inputs[0].tracked
    assert by_op["leave"].position.line == line_of("# gone", here) and not by_op["leave"].outputs
    assert [e.taped for e in run.graph.equations if e.op == "multiply"] == [True, False, True]


def test_a_tensor_detached_before_the_run_is_seen_as_detached() -> None:
    w = leaf([1.0, 2.0])
    h = w * 2
    d = h.detach()
    with tg.record() as run:
        (h * d).sum()
    assert [e.op for e in run.graph.equations] == ["detach", "multiply", "sum"]


def test_updates_are_writes() -> None:
    w = leaf([1.0, 2.0])
    with tg.record() as run:
        (w * w).sum().backward()
        with tg.no_grad():
            w -= 0.5 * w.grad
        (w * 3).sum()
    (write,) = run.graph.writes
    assert write.target.label == "w" and write.value == run.graph.equations[3].outputs[0] and write.after == 4
    assert run.graph.equations[3].op == "subtract"
    assert run.arrays[write.value.index].tolist() == [0.0, 0.0]
    # After the write, the same leaf is another value.
    assert run.graph.equations[4].inputs[0] != write.target and run.graph.equations[4].inputs[0].tracked


def test_an_array_that_the_user_changes_later_is_kept_as_it_was() -> None:
    w, mask = leaf([1.0, 2.0]), np.array([1.0, 0.0])
    with tg.record() as run:
        (w * mask).sum()
        mask[:] = 7
    (constant,) = run.graph.constants
    assert run.arrays[constant.index].tolist() == [1.0, 0.0]
    assert run.graph.stats[constant.index].values == (1.0, 0.0)


def test_a_list_of_inputs_and_several_results() -> None:
    a, b = leaf([1.0, 2.0]), leaf([3.0])
    with tg.record() as run:
        first, rest = tg.split(tg.concatenate([a, b, np.ones(1)]), [1])
        (first * rest.sum()).sum().backward()
    concat, split = run.graph.equations[:2]
    assert [v.label for v in concat.inputs] == ["a", "b", ""] and [v.label for v in split.outputs] == [
        "first",
        "rest",
    ]
    assert run.gradients()[concat.inputs[0].index].tolist() == a.grad.numpy().tolist() == [6.0, 1.0]
    assert run.gradients()[split.outputs[1].index].tolist() == [1.0, 1.0, 1.0]
    step = next(s for s in run.graph.passes[0].steps if run.graph.equations[s.equation].op == "split")
    assert all(stats is not None for stats in step.cotangents)


def test_costs_are_counted() -> None:
    x, layer = tg.ones((5, 4)), nn.Linear(4, 3)
    with tg.record() as run:
        h = layer(x)
        loss = F.cross_entropy(h * x.sum(), tg.tensor([0, 1, 2, 0, 1])) + (h * h).sum()
        loss.backward()
    linear = run.graph.equations[0]
    assert linear.flops == 2 * 5 * 4 * 3 + 5 * 3
    assert all(e.seconds is not None and e.seconds > 0 for e in run.graph.equations if e.primitive)
    one, square = (e for e in run.graph.equations if e.op == "multiply")
    assert one.saved_bytes == 0 and square.saved_bytes == 4 * 5 * 3  # the factor is a number; h, once
    fused = next(e for e in run.graph.equations if e.op == "softmax_cross_entropy")
    assert fused.flops is not None and fused.flops > 2 * 5 * 3
    assert all(step.seconds is not None and step.seconds > 0 for step in run.graph.passes[0].steps)


# ---- backward passes


UNARY = [tg.sin, tg.tanh, tg.exp, lambda v: v * v, lambda v: v.reshape(-1)[::-1].reshape(v.shape), tg.cumsum]


@pytest.mark.parametrize("seed", range(60))
def test_contributions_sum_to_the_gradient_of_every_value(seed: int) -> None:
    rng = np.random.default_rng(seed)
    leaves = [leaf(rng.normal(size=(3,) if rng.random() < 0.7 else (2, 3))) for _ in range(3)]
    with tg.record(values=1000) as run:
        values = list(leaves)
        for _ in range(int(rng.integers(1, 25))):
            a, b = (values[int(i)] for i in rng.integers(len(values), size=2))
            kind = int(rng.integers(5))
            if kind == 0:
                made = [a + b]
            elif kind == 1:
                made = [a * b]
            elif kind == 2:
                f = UNARY[int(rng.integers(len(UNARY)))]
                made = [f(a) * 0.5 if f is not tg.cumsum else tg.cumsum(a, axis=0)]
            elif kind == 3:
                made = list(tg.split(tg.concatenate([a.reshape(-1), b.reshape(-1)]), [3]))
                made = [part[:3] for part in made]
            else:
                made = [tg.where(a > 0, a, b)]
            values += made
        loss = tg.sum(tg.stack([v.sum() for v in values[-3:]]))
        loss.backward(retain_graph=True)
        if seed % 3 == 0:
            (loss * 2).backward()
    assert check_sums(run) >= 4
    for x in leaves:
        if x.grad is not None and seed % 3:
            np.testing.assert_allclose(
                run.gradients()[run.var(x).index], x.grad.numpy(), rtol=1e-12, atol=1e-12
            )


def test_a_wrong_contribution_would_be_noticed() -> None:
    w = leaf([1.0, 2.0])
    with tg.record() as run:
        (w * w).sum().backward()
    run.contributions()[1][0][...] += 1
    with pytest.raises(AssertionError):
        check_sums(run)


@pytest.mark.parametrize("create", [False, True])
def test_gradients_by_function_and_of_higher_order(create: bool) -> None:
    w = leaf([1.0, 2.0])
    with tg.record() as run:
        y = (w * w * w).sum()
        (g,) = tg.autograd.grad(y, [w], create_graph=create)
        if create:
            (h,) = tg.autograd.grad(g.sum(), [w])
    assert run.gradients(0)[run.var(w).index].tolist() == [3.0, 12.0]
    if create:
        assert run.gradients(1)[run.var(w).index].tolist() == h.numpy().tolist() == [6.0, 12.0]
        assert {e.direction for e in run.graph.equations} == {"forward", "backward"}
    check_sums(run)


def test_an_intermediate_as_the_end_of_a_pass() -> None:
    w = leaf([1.0, 2.0])
    with tg.record() as run:
        h = w * 3
        y = (h * h).sum()
        tg.autograd.grad(y, [h])
    assert run.gradients()[run.var(h).index].tolist() == [6.0, 12.0]
    assert run.var(w).index not in run.gradients()


def test_a_hook_that_replaces_a_gradient_is_said() -> None:
    w = leaf([1.0, 2.0])
    with tg.record() as run:
        h = w * 3
        h.register_hook(lambda g: g * 100)
        h.sum().backward()
    assert run.graph.passes[0].replaced == {run.var(h).index}
    assert run.gradients()[run.var(w).index].tolist() == [300.0, 300.0]
    check_sums(run)


def test_what_ran_before_the_block_is_taken_from_the_tape() -> None:
    w = leaf([1.0, 2.0])
    h = tg.sin(w) * 2
    loss = h.sum()
    with tg.record() as run:
        loss.backward()
    assert [e.op for e in run.graph.equations] == ["sin", "multiply", "sum"]
    np.testing.assert_allclose(run.gradients()[run.var(w).index], 2 * np.cos([1.0, 2.0]))
    check_sums(run)


def test_a_pass_that_is_not_there() -> None:
    w = leaf([1.0])
    with tg.record() as run:
        w * 2
    with pytest.raises(
        tg.TraceError, match=r"pass -1 was asked for and 0 were recorded; call backward inside"
    ):
        run.gradients()


def test_transformations_are_seen_as_what_they_run() -> None:
    w = leaf([1.0, 2.0])
    with tg.record() as run:
        tg.vmap(lambda r: r * r)(w)
        tg.jvp(tg.sin, (w,), (tg.ones(2, dtype=np.float64),))
        tg.grad(lambda v: (v * v).sum())(w)
    ops = [e.op for e in run.graph.equations]
    assert "multiply" in ops and "sin" in ops and "cos" in ops
    check_sums(run)


# ---- that it changes nothing


def test_values_and_gradients_are_the_same_bits() -> None:
    def step() -> Any:
        tg.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
        optimizer = tg.optim.Adam(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(tg.random.normal(size=(6, 4))), tg.tensor([0, 1, 2, 0, 1, 2]))
            loss.backward()
            optimizer.step()
        return [p.numpy().tobytes() for p in (*model.parameters(), *model.buffers())], loss.item()

    alone = step()
    with tg.record():
        assert step() == alone


def test_every_op_of_the_twin_gives_what_the_entry_gives() -> None:
    x, y = leaf([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 1.0], [0.5, 3.0]])
    calls: list[Callable[[], Any]] = [
        lambda: x * y, lambda: y * x, lambda: 2 * x, lambda: x / 3, lambda: x @ y, lambda: tg.maximum(x, y),
        lambda: tg.concatenate([x, y]), lambda: tg.stack([y, x]), lambda: x.sum(axis=0), lambda: x[0], lambda: x > 1,
        lambda: tg.where(x > 2, x, 0.0), lambda: tg.clip(x, 1.5, 3), lambda: tg.split(x, 2), lambda: tg.linalg.eigh(x),
        lambda: tg.multiply(y, y), lambda: tg.concatenate([y, y]), lambda: tg.einsum("ij,jk->ik", x, y),
        lambda: x.astype(np.float32) * x, lambda: tg.argmax(x), lambda: F.linear(x, x), lambda: tg.add([1.0, 2.0], x),
    ]  # fmt: skip
    for call in calls:
        alone = call()
        with tg.record() as run:
            seen = call()
        for a, b in zip(*[r if isinstance(r, tuple | list) else (r,) for r in (alone, seen)], strict=True):
            assert type(a) is type(b) and np.array_equal(np.asarray(a), np.asarray(b))
            assert isinstance(a, np.ndarray) or a.requires_grad == b.requires_grad
        if not isinstance(alone, np.ndarray):
            assert run.graph.equations


def test_errors_are_those_of_the_op_and_leave_nothing_behind() -> None:
    w = leaf([1.0, 2.0])
    recording = tg.record()
    with pytest.raises(tg.ShapeError, match="multiply"), recording as run:
        _ = (w * 2) * tg.ones(3)
    assert [e.op for e in run.graph.equations] == ["multiply"]
    _ = w * 2
    assert len(run.graph.equations) == 1


def test_a_custom_op_is_recorded() -> None:
    @tg.primitive
    def cube(x: Any, /) -> Any:
        """The third power."""
        return x**3

    cube.vjp(x=lambda g, x: g * 3 * x * x)
    w = leaf([1.0, 2.0])
    with tg.record() as run:
        cube(w).sum().backward()
    assert [e.op for e in run.graph.equations] == ["cube", "sum"]
    check_sums(run)


def test_recordings_may_be_nested_and_other_watchers_present() -> None:
    w = leaf([1.0, 2.0])
    with tg.record() as outer:
        w * 2
        with tg.record() as inner:
            w + 1
        with tg.detect_anomaly():
            w - 1
        graph = tg.trace(lambda v: v * 2, w)
        w / 2
    assert [e.op for e in inner.graph.equations] == ["add"]
    mine = [e.op for e in outer.graph.equations if e.op in ("add", "subtract", "divide")]
    assert mine == ["add", "subtract", "divide"]
    assert len(graph.equations) == 1


def test_another_thread_is_not_recorded() -> None:
    w = leaf([1.0])
    with tg.record() as run:
        thread = threading.Thread(target=lambda: w * 2)
        thread.start()
        thread.join()
    assert not run.graph.equations


def test_a_context_serves_once_at_a_time() -> None:
    context = tg.record()
    with context as run, pytest.raises(tg.TraceError, match="open already"), context:
        pass
    assert run is context.run


def test_a_run_goes_away_with_its_last_name() -> None:
    w = leaf([1.0])
    gc.disable()
    try:
        with tg.record() as run:
            (w * 2).sum().backward()
        assert ir.run_of(w) is run and run.graph.equations
        gone = weakref.ref(run)
        del run
        assert gone() is None and ir.run_of(w) is None
    finally:
        gc.enable()


def test_the_users_own_dictionary_of_locals_is_left_alone() -> None:
    first = tg.tensor(2.0, requires_grad=True)
    mine = locals()
    with tg.record() as run:
        second = first * first
    assert run.var(second).label == "second"  # type: ignore[union-attr]
    assert mine["first"] is first


def test_without_statistics() -> None:
    w = leaf([1.0, 2.0])
    with tg.record(statistics=False) as run:
        (w * w).sum().backward()
    assert not run.graph.stats and run.graph.passes[0].steps[0].cotangents == (None,)
    assert run.gradients()[run.var(w).index].tolist() == [2.0, 4.0]


def test_the_graph_may_be_asked_for_inside_the_block() -> None:
    w = leaf([1.0, 2.0])
    with tg.record() as run:
        h = w * 2
        assert [e.outputs[0].label for e in run.graph.equations] == ["h"]
        h + 1
        assert len(run.graph.equations) == 2


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_long_chain(count: int) -> None:
    x = leaf(1.0)
    y = x
    with tg.record(statistics=False) as run:
        for _ in range(count // 2):
            y = y * 1.0001 - 0.0001
        y.backward()
    assert len(run.graph.equations) == count == len(run.graph.passes[0].steps)
    assert len(ir.with_backward(run.graph).equations) == 2 * count


def test_variables_of_functions_that_ran_have_names_too() -> None:
    def layer(v: Any) -> Any:
        hidden = v * 2
        return tg.tanh(hidden)

    w = leaf([1.0, 2.0])
    with tg.record() as run:
        out = layer(w)
    assert out.shape == (2,)
    assert [v.label for v in run.graph.variables if v.role != "constant"] == ["w", "hidden", "out"]
    assert not run._log.frames


def test_a_loop_over_parameters_does_not_rename_the_last_one() -> None:
    model = tg.nn.Linear(2, 1)
    for p in model.parameters():
        assert p.requires_grad
    with tg.record() as run:
        model(tg.ones(2))
    assert {var.label for var in run.graph.captured} == {"weight", "bias"}
