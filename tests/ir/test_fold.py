"""Folding: modules and repeats become single equations, and the graph around them stays what it was."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.ir import fold, groups, tree
from tensorgrad.ir.graph import Contribution, Equation, Graph, Pass, Stats, Step, Var, Write

SCOPES = ["", "a", "a/b", "a/c", "b", "b/0", "b/1", "b/0/x", "b/1/x"]


@st.composite
def scoped(draw: st.DrawFn) -> Graph:
    """A random program whose scopes are entered and left at random, as no module would."""
    inputs = tuple(Var(i, (), "float32", "input") for i in range(draw(st.integers(1, 3))))
    known, equations = list(inputs), []
    for place in range(draw(st.integers(0, 24))):
        count = draw(st.integers(1, 2))
        read = tuple(known[-1 - draw(st.integers(0, min(len(known), 5) - 1))] for _ in range(count))
        outputs = tuple(Var(len(known) + k, (), "float32", "result") for k in range(draw(st.integers(0, 2))))
        known += outputs
        equations.append(
            Equation(
                draw(st.sampled_from(["sin", "add"])),
                read,
                outputs,
                {},
                draw(st.sampled_from(SCOPES)),
                draw(st.sampled_from(["forward", "forward", "backward"])),
                seconds=float(place),
                flops=draw(st.sampled_from([None, 1, 10])),
                saved_bytes=place,
            )
        )
    outputs = tuple(draw(st.lists(st.sampled_from(known), max_size=3)))
    writes = tuple(
        Write(inputs[0], value, after=len(equations))
        for value in draw(st.lists(st.sampled_from(known), max_size=2))
    )
    return Graph(inputs, (), (), tuple(equations), outputs, writes)


def with_pass(graph: Graph) -> Graph:
    """The graph with a backward pass through all forward equations, from its outputs."""

    def stats(value: float) -> Stats:
        return Stats((), "float32", norm=value)

    steps = tuple(
        Step(
            place,
            tuple(stats(var.index) for var in e.outputs),
            tuple(Contribution(k, var, stats(100 * place + k)) for k, var in enumerate(e.inputs)),
            1.0,
        )
        for place, e in reversed(list(enumerate(graph.equations)))
        if e.direction == "forward"
    )
    gradients = {var.index: stats(var.index) for var in graph.variables}
    one = Pass(tuple((var, None) for var in graph.outputs), steps, gradients, frozenset(gradients))
    return replace(graph, stats=gradients, passes=(one,))


def check(graph: Graph, small: Graph, depth: int | None) -> None:
    """What must hold of every folded graph."""
    known = {*graph.inputs, *graph.captured, *graph.constants}
    for equation in small.equations:
        assert set(equation.inputs) <= known, "a value is read before it is there"
        assert not set(equation.outputs) & known
        known |= set(equation.outputs)
    assert small.outputs == graph.outputs and set(small.outputs) <= known
    assert [(w.target, w.value) for w in small.writes] == [(w.target, w.value) for w in graph.writes]
    for write in small.writes:
        made = {var for e in small.equations[: write.after] for var in e.outputs}
        assert write.value in made or write.value in graph.inputs
    for name in ("flops", "seconds", "saved_bytes"):
        assert sum(getattr(e, name) or 0 for e in small.equations) == sum(
            getattr(e, name) or 0 for e in graph.equations
        )
    assert sum(e.params.get("operations", 1) for e in small.equations) == len(graph.equations)
    for direction in ("forward", "backward"):
        assert sum(e.params.get("operations", 1) for e in small.equations if e.direction == direction) == sum(
            e.direction == direction for e in graph.equations
        )
    assert all(len(e.scope.split("/")) <= max(depth, 1) for e in small.equations if depth is not None)


@given(scoped(), st.sampled_from([None, 0, 1, 2]), st.booleans())
def test_a_folded_graph_is_a_valid_graph_of_the_same_whole(
    graph: Graph, depth: int | None, repeats: bool
) -> None:
    check(graph, fold(graph, depth, repeats), depth)


@given(scoped(), st.booleans())
def test_a_great_depth_folds_nothing(graph: Graph, repeats: bool) -> None:
    assert fold(graph, 3, repeats=False) is graph
    assert fold(graph, None, repeats=False) is graph
    assert fold(graph, 3, repeats) == fold(graph, None, repeats)


@given(scoped(), st.integers(0, 2))
def test_each_equation_is_in_one_group_of_its_own_module(graph: Graph, depth: int) -> None:
    found = groups(graph, depth, repeats=False)
    assert sorted(member for group in found for member in group.members) == list(range(len(graph.equations)))
    for group in found:
        inside = [graph.equations[member] for member in group.members]
        assert len({e.direction for e in inside}) == 1
        if group.params:
            assert len({tuple(e.scope.split("/")[: depth + 1]) for e in inside}) == 1
        else:
            assert len(inside) == 1 and inside[0].scope.count("/") < depth + (inside[0].scope == "")


@given(scoped(), st.integers(0, 2))
def test_folding_a_folded_graph_again_changes_nothing(graph: Graph, depth: int) -> None:
    small = fold(graph, depth, repeats=False)
    assert fold(small, depth, repeats=False) is small


@given(scoped(), st.sampled_from([0, 1, None]))
def test_steps_of_a_pass_keep_all_that_arrives_at_visible_values(graph: Graph, depth: int | None) -> None:
    graph = with_pass(graph)
    small = fold(graph, depth)
    visible = {var.index for var in small.variables}
    home = {member: place for place, group in enumerate(groups(graph, depth)) for member in group.members}
    within = Counter(
        (c.target.index, c.stats.norm if c.stats else -1.0)
        for step in graph.passes[0].steps
        for c in step.contributions
        for maker, equation in enumerate(graph.equations)
        if c.target in equation.outputs and home[maker] == home[step.equation]
    )
    assert set(small.stats) == set(small.gradients) == small.passes[0].replaced == visible

    def arriving(one: Graph) -> Counter[tuple[int, float]]:
        return Counter(
            (c.target.index, c.stats.norm if c.stats else -1.0)
            for step in one.passes[0].steps
            for c in step.contributions
            if c.target.index in visible
        )

    assert arriving(small) == arriving(graph) - within
    places = [step.equation for step in small.passes[0].steps]
    assert places == sorted(set(places), reverse=True)
    for step in small.passes[0].steps:
        equation = small.equations[step.equation]
        assert [s.norm for s in step.cotangents if s] == [var.index for var in equation.outputs]
        assert all(equation.inputs[c.position] == c.target for c in step.contributions)
    assert sum(step.seconds or 0 for step in small.passes[0].steps) == sum(
        step.seconds or 0 for step in graph.passes[0].steps
    )


# ---- modules


def names(graph: Graph) -> list[str]:
    return [f"{e.scope}/{e.op}" if e.scope else e.op for e in graph.equations]


def net(x: Any) -> Any:
    with tg.scope("net"):
        with tg.scope("fc1"):
            x = x * 2 + 1
        x = tg.tanh(x)
        with tg.scope("fc2"):
            x = x * 3 + 1
    return x.sum()


def test_depths_of_a_net() -> None:
    graph = tg.trace(net, tg.ones(3))
    assert names(fold(graph, 0)) == ["net", "sum"]
    assert names(fold(graph, 1)) == ["net/fc1", "net/tanh", "net/fc2", "sum"]
    assert names(fold(graph, 2)) == names(graph)
    module = fold(graph, 1).equations[0]
    assert module.params == {"operations": 2, "ops": "multiply, add"} and module.primitive is None
    assert [var.role for var in module.inputs] == ["input", "constant", "constant"]


def test_forward_and_backward_of_a_module_fold_apart() -> None:
    def step(x: Any) -> Any:
        return tg.grad(net)(x)

    small = fold(tg.trace(step, tg.ones(3)), 0)
    assert [(e.op, e.direction) for e in small.equations if e.op == "net"][:1] == [("net", "forward")]
    assert all(e.direction == "backward" for e in small.equations if e.op not in {"net", "sum"})


def test_a_scope_entered_again_is_one_unless_that_closes_a_cycle() -> None:
    def f(x: Any, inside: Any) -> Any:
        with tg.scope("a"):
            y = tg.sin(x)
        z = tg.cos(y if inside else x)
        with tg.scope("a"):
            return tg.exp(z) + y

    assert names(fold(tg.trace(lambda x: f(x, False), tg.ones(3)), 0)) == ["cos", "a"]
    assert names(fold(tg.trace(lambda x: f(x, True), tg.ones(3)), 0)) == ["a", "cos", "a"]


def test_a_layer_called_twice_is_drawn_twice() -> None:
    def layer(x: Any) -> Any:
        with tg.scope("layer"):
            return tg.tanh(x * 2)

    graph = tg.trace(lambda x, y: tg.sin(layer(x)) + layer(y), tg.ones(3), tg.ones(3))
    assert names(fold(graph, 0)) == ["layer", "sin", "layer", "add"]


def test_two_interleaved_scopes_do_not_wait_for_each_other() -> None:
    # a1 -> b1 and b2 -> a2: each scope alone could be one, both together are a cycle.
    x = Var(0, (), "float32", "input")
    a, b, c, d = (Var(i, (), "float32", "result") for i in range(1, 5))
    plan = [("sin", x, a, "a"), ("sin", x, b, "b"), ("cos", a, c, "b"), ("cos", b, d, "a")]
    graph = Graph((x,), (), (), tuple(Equation(o, (i,), (r,), {}, s) for o, i, r, s in plan), (c, d))
    small = fold(graph, 0)
    check(graph, small, 0)
    assert len(small.equations) == 3


def test_children_that_are_only_numbered_are_called_after_their_container() -> None:
    def f(x: Any) -> Any:
        with tg.scope("layers"), tg.scope("0"):
            return tg.sin(x) * 2

    assert names(fold(tg.trace(f, tg.ones(3)), 1)) == ["layers/layers.0"]


def test_a_negative_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="fold: depth is -1"):
        fold(tg.trace(net, tg.ones(3)), -1)


# ---- repeats


def stack(count: int, scope: str = "", residual: bool = False, width: int = 3) -> Graph:
    """Equal layers with different weights, each in a scope with its number."""
    weights = [tg.tensor(np.full((width, width), i, np.float32)) for i in range(count)]

    def f(x: Any) -> Any:
        for i, w in enumerate(weights):
            before = x
            if scope:
                with tg.scope("stack"), tg.scope(f"{scope}{i}"):
                    x = tg.tanh(x @ w)
            else:
                x = tg.tanh(x @ w)
            x = x + before if residual else x
        return x.sum()

    return tg.trace(f, tg.ones((2, width)))


def test_equal_layers_in_a_chain_become_one() -> None:
    small = fold(stack(12))
    assert names(small) == ["matmul, tanh", "sum"]
    block = small.equations[0]
    assert block.params == {"operations": 24, "ops": "12 matmul, 12 tanh", "times": 12}
    assert len(block.inputs) == 13 and len(block.outputs) == 1


def test_equal_layers_with_a_way_around_become_one() -> None:
    small = fold(stack(7, residual=True))
    assert names(small) == ["matmul, tanh, add", "sum"]
    assert small.equations[0].params["times"] == 7


@pytest.mark.parametrize(
    ("scope", "depth", "name"), [("fc", None, "fc0…4"), ("fc", 1, "fc0…4"), ("", 1, "matmul, tanh")]
)
def test_sibling_modules_become_one(scope: str, depth: int | None, name: str) -> None:
    small = fold(stack(5, scope), depth)
    assert small.equations[0].op == name and small.equations[0].params["times"] == 5
    assert small.equations[0].scope == ("stack" if scope else "")


def test_numbered_modules_are_called_after_their_container() -> None:
    def f(x: Any) -> Any:
        for i in range(4):
            with tg.scope("layers"), tg.scope(str(i)):
                x = tg.sin(x) * 2
        return x

    for depth in (None, 1):
        small = fold(tg.trace(f, tg.ones(3)), depth)
        assert len(small.equations) == 1 and small.equations[0].params["times"] == 4
        assert "0…" in small.equations[0].op and "layers" in small.equations[0].op
    assert names(fold(tg.trace(f, tg.ones(3)), 0)) == ["layers"]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: tg.tanh(tg.tanh(x)),  # only two
        lambda x: sum(tg.tanh(x) for _ in range(1)) + tg.sin(tg.cos(tg.sin(tg.cos(x)))),  # two of two
        lambda x: x * 2.0 * 3.0 * 4.0,  # other numbers
        lambda x: x.sum(0).sum(0).sum(0),  # other shapes
        lambda x: tg.concat([tg.tanh(x), tg.tanh(x), tg.tanh(x), tg.tanh(x)]),  # side by side
    ],
)
def test_what_is_no_repeat(f: Any) -> None:
    graph = tg.trace(f, tg.ones((2, 2, 2)))
    assert fold(graph) is graph


def test_blocks_wired_in_another_way_are_no_repeat() -> None:
    def f(x: Any) -> Any:
        for way in range(6):
            y = tg.sin(x)
            x = x + y if way % 2 else y + x
        return x

    times = [e.params.get("times") for e in fold(tg.trace(f, tg.ones(3))).equations]
    assert times == [3]

    def g(x: Any) -> Any:
        before, x = x, tg.exp(x)
        for _ in range(5):
            before, x = x, tg.sin(x) + before  # reads from two blocks before
        return x

    assert all("times" not in e.params for e in fold(tg.trace(g, tg.ones(3))).equations)


def test_blocks_fed_from_other_places_are_no_repeat() -> None:
    def f(x: Any) -> Any:
        for way in range(5):
            y = tg.sin(x)
            x = (tg.cos(y), y)[way % 2]
        return x

    assert all("times" not in e.params for e in fold(tg.trace(f, tg.ones(3))).equations)


def test_forward_and_backward_repeats_fold_apart() -> None:
    def f(x: Any) -> Any:
        for _ in range(9):
            x = tg.sin(x)
        return x.sum()

    small = fold(tg.trace(tg.grad(f), tg.ones(3)))
    assert {e.direction for e in small.equations if "times" in e.params} == {"forward", "backward"}
    check(tg.trace(tg.grad(f), tg.ones(3)), small, None)
    assert len(small.equations) < 12


@given(st.integers(1, 4), st.integers(1, 9), st.integers(0, 3))
def test_repeats_of_any_length_are_found(period: int, times: int, extra: int) -> None:
    ops = [tg.sin, tg.tanh, lambda x: x.sum(), lambda x: x + 1.5][:period]
    ops = [tg.sin, tg.tanh, tg.exp, tg.cos][:period]

    def f(x: Any) -> Any:
        for _ in range(times):
            for op in ops:
                x = op(x)
        for op in ops[: min(extra, period - 1)]:
            x = op(x)
        return x

    small = fold(tg.trace(f, tg.ones(3)))
    check(tg.trace(f, tg.ones(3)), small, None)
    found = [e.params["times"] for e in small.equations if "times" in e.params]
    assert found == ([times] if times >= 3 else [])


# ---- the tree of scopes


@given(scoped())
def test_the_tree_holds_each_equation_once(graph: Graph) -> None:
    whole = tree(graph)
    parts = list(whole.walk())
    assert sorted(place for part in parts for place in part.equations) == list(range(len(graph.equations)))
    for part in parts:
        assert all(graph.equations[place].scope == part.path for place in part.equations)
        assert all(child.path.rpartition("/")[0] == part.path for child in part.children)
        assert part.path.endswith(part.name)


def test_children_are_in_the_order_in_which_they_ran() -> None:
    assert [(s.path, s.equations) for s in tree(tg.trace(net, tg.ones(3))).walk()] == [
        ("", (5,)),
        ("net", (2,)),
        ("net/fc1", (0, 1)),
        ("net/fc2", (3, 4)),
    ]


# ---- size


def chain(count: int, scope: Any) -> Graph:
    known = [Var(i, (4,), "float32", "result" if i else "input") for i in range(count + 1)]
    ops = ["sin", "cos", "exp", "add", "tanh"]
    equations = tuple(
        Equation(ops[i % 5], (known[i],), (known[i + 1],), {"axis": 0}, scope(i)) for i in range(count)
    )
    return Graph((known[0],), (), (), equations, (known[-1],))


@pytest.mark.parametrize(
    ("scope", "count", "depth", "left"),
    [
        (lambda i: "", 20_000, 0, 1),
        pytest.param(lambda i: f"net/layer{i // 5}/act", 100_000, 1, 1, marks=pytest.mark.slow),
        (lambda i: f"net/layer{i // 5}/act", 10_000, 0, 1),
        (lambda i: f"net/{'ab'[i % 2]}", 10_000, 1, 1),
        (lambda i: f"net/{i * i % 97}", 10_000, 1, None),
    ],
)
def test_a_long_chain(scope: Any, count: int, depth: int, left: int | None) -> None:
    graph = chain(count, scope)
    small = fold(graph, depth)
    assert left is None or len(small.equations) == left
    tree(graph)
