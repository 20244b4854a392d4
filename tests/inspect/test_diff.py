"""`tg.diff` recovers random edit scripts, explains one program by the other, and finds where numbers part."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.inspect.diff import Difference, diff
from tensorgrad.inspect.edit_script import common
from tensorgrad.ir import Equation, Graph, Var
from tests.inspect.edits import EDITS, Draft, Node, draft, edited, explains, reported, truth

HARMLESS = ("reorder", "rename")
SINGLE = tuple(kind for kind in EDITS if kind not in HARMLESS)


# ---- structure


@pytest.mark.parametrize("repeated", [False, True])
def test_order_and_names_are_no_differences(repeated: bool) -> None:
    for seed in range(100):
        before = draft(seed, 30, repeated=repeated)
        after = edited(before, seed + 1, 6, HARMLESS)
        difference = diff(before.graph(), after.graph(first=7))
        assert not difference, f"{seed}\n{difference}"
        assert explains(difference)


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("kind", SINGLE)
def test_one_edit_is_recovered(kind: str, repeated: bool) -> None:
    """Where several single edits lead to the same program (the second of two equal ops is deleted), any will do."""
    exact = 0
    for seed in range(60):
        before = draft(seed, 30, repeated=repeated)
        after = edited(edited(before, seed + 1, 1, (kind,)), seed, 2, HARMLESS)
        difference = diff(before.graph(), after.graph(first=7))
        assert explains(difference), seed
        found, wanted = reported(difference), truth(before, after)
        wanted = Counter({key: n for key, n in wanted.items() if key[1] not in ("input", "captured")})
        exact += found == wanted or sum(found.values()) < sum(wanted.values())
    assert exact >= 57, f"{exact} of 60"


def test_scripts_of_several_edits_are_recovered() -> None:
    good = total = 0
    for seed in range(150):
        before = draft(seed, 40, repeated=seed % 2 == 0)
        after = edited(before, seed + 1, 4, tuple(EDITS))
        difference = diff(before.graph(), after.graph(first=7))
        assert explains(difference), seed
        found, wanted = reported(difference), truth(before, after)
        good += found == wanted or sum(found.values()) <= sum(wanted.values())
        total += 1
    assert good >= 0.95 * total, f"{good} of {total}"


def test_unrelated_programs_are_explained_too() -> None:
    for seed in range(30):
        assert explains(diff(draft(seed, 25).graph(), draft(seed + 500, 25, repeated=True).graph())), seed


def test_the_check_notices_what_is_wrong() -> None:
    before = draft(3, 30)
    difference = diff(before.graph(), edited(before, 4, 3, SINGLE).graph())
    assert explains(difference)
    assert not explains(replace(difference, changed=difference.changed[1:]))
    assert not explains(replace(difference, added=(), changed=())) and not explains(
        replace(difference, matched=difference.matched[1:])
    )
    less = [replace(one, what=one.what[1:]) for one in difference.changed]
    assert not explains(replace(difference, changed=tuple(less)))


def test_exchanged_names_are_no_difference() -> None:
    def program(first: str, second: str) -> Graph:
        a, b, c, d = (Var(i, (2,), "float64", "captured", n) for i, n in enumerate([first, second, "", ""]))
        one = Equation("exp", (a,), (replace(c, role="result"),), {})
        two = Equation("subtract", (one.outputs[0], b), (replace(d, role="result"),), {})
        return Graph((), (a, b), (), (one, two), two.outputs)

    assert not diff(program("u", "v"), program("v", "u"))


def test_parameters_that_are_alike_are_equal() -> None:
    def program(params: dict[str, Any]) -> Graph:
        x, y = Var(0, (2,), "float64", "input"), Var(1, (2,), "float64", "result")
        return Graph((x,), (), (), (Equation("op", (x,), (y,), params),), (y,))

    def made(k: int) -> dict[str, Any]:
        return {"nan": float("nan"), "array": np.arange(k), "list": [{"a": (1, np.float32(2))}], "f": np.sin,
                "generator": np.random.default_rng(), "object": object(), "dtype": np.dtype("float32")}  # fmt: skip

    assert not diff(program(made(3)), program(made(3)))
    assert diff(program(made(3)), program(made(4))).changed[0].what == ("parameters",)
    assert diff(program({"k": 1}), program({"k": 1.0})) and diff(program({"k": 1}), program({"k": True}))


def test_a_number_in_the_code_is_part_of_the_op() -> None:
    graphs = [
        tg.trace(lambda x, k=k: (tg.exp(x) * k + 1.0).sum(), tg.ones(3)) for k in (2.0, 3.0, float("nan"))
    ]
    (change,) = diff(graphs[0], graphs[1]).changed
    assert change.what == ("number",) and change.before.op == "multiply"
    assert not diff(graphs[2], graphs[2])


def test_other_shapes_and_scopes_are_said() -> None:
    def f(x: Any) -> Any:
        with tg.scope("part"):
            return tg.tanh(x).sum()

    small, large = tg.trace(f, tg.ones(3)), tg.trace(f, tg.ones(4))
    assert [one.what for one in diff(small, large).changed] == [("shapes",), ("shapes",)] or [
        one.what for one in diff(small, large).changed
    ] == [("shape",), ("shape",)]
    bare = tg.trace(lambda x: tg.tanh(x).sum(), tg.ones(3))
    assert {one.what for one in diff(small, bare).changed} == {("scope",)}
    double = tg.trace(f, tg.ones(3, dtype="float64"))
    assert {one.what for one in diff(small, double).changed} == {("dtype",)}


def test_common_is_a_longest_common_subsequence() -> None:
    r = np.random.default_rng(0)
    for _ in range(300):
        a, b = (r.integers(0, 4, r.integers(0, 12)).tolist() for _ in range(2))
        found = common(a, b)
        assert all(a[i] == b[j] for i, j in found)
        assert all(p < q and s < t for (p, s), (q, t) in pairwise(found))
        table = np.zeros((len(a) + 1, len(b) + 1), int)
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                table[i + 1, j + 1] = table[i, j] + 1 if x == y else max(table[i, j + 1], table[i + 1, j])
        assert len(found) == table[-1, -1]


def test_large_programs() -> None:
    before = draft(1, 10_000)
    after = edited(before, 2, 6, SINGLE)
    start = time.perf_counter()
    difference = diff(before.graph(), after.graph(first=3))
    seconds = time.perf_counter() - start
    assert reported(difference) == truth(before, after) and explains(difference)
    assert seconds < 20, "near-linear: about 1.5 s on an idle machine"


@pytest.mark.slow
def test_a_long_chain() -> None:
    def chain(length: int, extra: frozenset[int] = frozenset()) -> Graph:
        nodes, order, last = {0: Node("input")}, [], 0
        for i in range(length):
            for op in ("tanh", "exp") if i in extra else ("tanh",):
                order.append(len(nodes))
                nodes[order[-1]] = Node(op, (last,))
                last = order[-1]
        return Draft(nodes, [0], order, [last]).graph()

    plain = chain(100_000)
    assert not diff(plain, chain(100_000))
    difference = diff(plain, chain(100_000, frozenset([100, 50_000, 99_990])))
    assert reported(difference) == {("added", "exp"): 3, ("changed", "tanh"): 3}
    assert str(difference) and difference.to_html()


# ---- what may be compared


def test_runs_pictures_tensors_and_graphs() -> None:
    x = tg.tensor([0.5, 1.0], requires_grad=True)
    with tg.record() as run:
        loss = tg.tanh(x).sum()
        loss.backward(retain_graph=True)
    assert not diff(run, run) and not diff(run, run.graph) and not diff(loss, loss)
    other = tg.exp(x).sum()
    assert [one.what for one in diff(loss, other).changed] == [("op",)]
    picture = tg.graph(tg.tanh, tg.ones(2))
    assert not diff(picture, tg.trace(tg.tanh, tg.ones(2)))
    with pytest.raises(TypeError, match=r"second argument is a function; .* traced with tg.trace"):
        diff(run, lambda: None)
    with pytest.raises(TypeError, match="first argument is a str; give a graph, a run"):
        diff("no", run)


def test_the_name_is_also_numpys() -> None:
    x = tg.tensor([1.0, 4.0, 9.0])
    np.testing.assert_array_equal(tg.diff(x, 2).numpy(), np.diff(x.numpy(), 2))
    np.testing.assert_array_equal(tg.diff(x, 2).numpy(), x.diff(2).numpy())
    np.testing.assert_array_equal(tg.diff(x, n=tg.tensor(2)).numpy(), np.diff(x.numpy(), 2))
    np.testing.assert_array_equal(tg.diff([[1, 2], [3, 5]], axis=0, prepend=0), [[1, 2], [2, 3]])
    assert isinstance(tg.diff(tg.graph(tg.exp, x), tg.graph(tg.sin, x)), Difference)
    with pytest.raises(TypeError, match="second argument is a float"):
        tg.diff(tg.graph(tg.exp, x), 1.0)


# ---- numbers


@tg.elementwise
def faulty(x: Any, /, value: float = 0.0, bend: float = 0.0) -> Any:
    return np.sin(x) + value


faulty.derivative(x=lambda x, bend: tg.cos(x) + bend)


def recorded(seed: int, length: int, value: float = 0.0, bend: float = 0.0, at: int = -1) -> Any:
    """A run of a random program with a fault in one op, which says it has the same parameters."""
    r = np.random.default_rng(seed)
    ops = [tg.tanh, tg.sin, tg.cos, tg.square, lambda x: faulty(x, 0.0, 0.0)]
    x = tg.tensor(r.normal(size=(2, 3)), requires_grad=True)
    w = tg.tensor(r.normal(size=(2, 3)), requires_grad=True)
    with tg.record() as run:
        values = [x, w]
        for n in range(length):
            chosen, first, second = ops[r.integers(len(ops))], *r.integers(len(values), size=2)
            if n == at:
                values.append(faulty(values[-1], value, bend))
            elif r.random() < 0.3:
                values.append(values[first] * values[second])
            else:
                values.append(chosen(values[-1]))
        sum(values[2:], tg.zeros((2, 3), dtype="float64")).sum().backward()
    return run


class Disguised:
    """A run whose faulty op has no parameters, so that structure does not tell."""

    def __init__(self, run: Any) -> None:
        plain = [replace(e, params={}) if e.op == "faulty" else e for e in run.graph.equations]
        self.graph = replace(run.graph, equations=tuple(plain))
        self.arrays, self.gradients, self.contributions = run.arrays, run.gradients, run.contributions

    def without_arrays(self) -> Graph:
        return self.graph


def planted(run: Any) -> Var:
    """The result of the op with the fault."""
    (found,) = [
        e for e in run.graph.equations if e.op == "faulty" and (e.params["value"] or e.params["bend"])
    ]
    return found.outputs[0]


@pytest.mark.parametrize("seed", range(20))
def test_the_first_value_that_differs_is_found(seed: int) -> None:
    for at in range(10):
        sign = 0.01 if at % 2 else -3.0
        sane, ill = recorded(seed, 12, at=at), recorded(seed, 12, value=sign, at=at)
        for left, right in [(sane, Disguised(ill)), (sane, Disguised(ill).graph)]:
            difference = diff(Disguised(left) if right is not left else left, right)
            found = difference.first_value
            assert found is not None and not difference.changed and not difference.added
            assert found.after.outputs[0].index == planted(ill).index
            assert found.error == pytest.approx(abs(sign)) if found.index is not None else found.error > 0
            assert found.positions[1].startswith(__file__ + ":")


@pytest.mark.parametrize("seed", range(20))
def test_the_first_gradient_that_differs_is_found(seed: int) -> None:
    for at in range(10):
        sane, ill = Disguised(recorded(seed, 12, at=at)), recorded(seed, 12, bend=0.01, at=at)
        for right in (Disguised(ill), Disguised(ill).graph):
            difference = diff(sane, right)
            found = difference.first_gradient
            assert difference.first_value is None and not difference.changed
            assert found is not None and found.what == "contribution" and found.place == 0
            assert found.after.outputs[0].index == planted(ill).index, str(found)


def test_a_gradient_that_a_hook_replaced_is_found() -> None:
    def run(factor: float) -> Any:
        x = tg.tensor([0.5, 1.0], requires_grad=True)
        with tg.record() as found:
            y = tg.tanh(x)
            z = tg.exp(y)
            y.register_hook(lambda g: g * factor)
            z.sum().backward()
        return found

    found = diff(run(1.0), run(1.5)).first_gradient
    assert found is not None and (found.what, found.before.op) == ("gradient", "tanh")
    assert "gradient of tanh" in str(found) and "100 % of entries" in str(found)


def test_tolerances_and_nan() -> None:
    def run(values: list[float]) -> Any:
        with tg.record() as found:
            tg.tensor(values, dtype="float64") * 1.0
        return found

    base = [1.0, np.nan, np.inf, 1e-9]
    assert not diff(run(base), run(base))
    assert not diff(run(base), run([1.0 + 1e-14, np.nan, np.inf, 1e-9]))
    assert diff(run(base), run([1.0 + 1e-14, np.nan, np.inf, 1e-9]), rtol=0)
    assert diff(run(base), run([1.001, np.nan, np.inf, 1e-9])).first_value.index == (0,)
    assert not diff(run(base), run([1.001, np.nan, np.inf, 1e-9]), rtol=1e-2)
    assert not diff(run(base), run([1.001, np.nan, np.inf, 1e-9]), rtol=0, atol=1e-2)
    for other in ([1.0, 2.0, np.inf, 0.0], [1.0, np.nan, -np.inf, 0.0], [1.0, np.nan, 5.0, 0.0]):
        found = diff(run(base), run(other)).first_value
        assert found is not None and found.error == np.inf
        assert diff(run(base).graph, run(other).graph).first_value is not None


def test_constants_of_traces_are_compared() -> None:
    graphs = [tg.trace(lambda x, k=k: x * np.array([1.0, k]), tg.ones(2)) for k in (2.0, 3.0)]
    found = diff(*graphs).first_value
    assert found is not None and (found.before.op, found.index, found.values) == (
        "constant",
        (1,),
        (2.0, 3.0),
    )


# ---- text


def test_text_shows_what_is_around_a_difference() -> None:
    before = draft(5, 200)
    after = edited(before, 6, 1, ("parameter",))
    difference = diff(before.graph(), after.graph())
    lines = str(difference).splitlines()
    assert len([line for line in lines if line[:2] in ("- ", "+ ")]) == 2 and len(lines) == 3 + 1 + 8
    assert len(difference.to_text(context=0).splitlines()) == 3 + 1 + 2
    assert str(difference) == str(diff(before.graph(), after.graph())), "deterministic"
    assert "\x1b[" not in str(difference) and "\x1b[31m- " in difference.to_text(colour=True)
    assert str(diff(before.graph(), before.graph())).endswith("no difference")


def test_names_are_inert_in_text() -> None:
    x = Var(0, (2,), "float64", "input", "a\nb\x1b[31m\u202e")
    y = Var(1, (2,), "float64", "result")
    graphs = [Graph((x,), (), (), (Equation(op, (x,), (y,), {}, "s\n+ "),), (y,)) for op in ("exp", "sin")]
    text = str(diff(*graphs))
    assert "\x1b" not in text and "\u202e" not in text and len(text.splitlines()) == 8
