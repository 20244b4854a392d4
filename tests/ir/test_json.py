"""Graphs as JSON: what is written comes back, the same each time; what is damaged is refused, and why."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import tensorgrad as tg
from tensorgrad import ir
from tensorgrad._errors import FileFormatError, TraceError
from tensorgrad.ir import Graph, from_json, to_json
from tests.ir.random_graphs import Awkward, graphs

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def program(x: Any, p: Any) -> Any:
    """Slices, dtypes, an ellipsis, None, several outputs, constants and a backward pass."""
    w = p["w"]
    with tg.scope("net"), tg.scope("layer"):
        a, b = tg.split(tg.tanh(x @ w)[..., None, ::-1] * np.arange(2.0), 2, axis=2)
    loss = (a.astype("float32") * 2 + b.sum(axis=(0, 1))).sum()
    return {"loss": loss, "grad": tg.grad(lambda v: (v * v).sum())(w)}


def traced() -> Graph:
    return tg.trace(program, tg.tensor(X), {"w": tg.tensor(np.ones((3, 2)))})


# ---- what is written comes back


def test_a_traced_program_comes_back_equal_and_runs() -> None:
    graph = traced()
    again = from_json(to_json(graph))
    assert again == graph and again is not graph
    args = tg.tensor(2 * X), {"w": tg.tensor(X[:, :2].T @ X[:, :3] / 30).T}
    for name in ("loss", "grad"):
        assert_array_equal(again(*args)[name].numpy(), graph(*args)[name].numpy())
    assert [e.primitive for e in again.equations] == [e.primitive for e in graph.equations]


def test_a_training_step_comes_back_with_its_tensors() -> None:
    w = tg.tensor(np.ones(3), requires_grad=True)

    def step(x: Any) -> Any:
        w.grad = None
        loss = ((x * w) ** 2).sum()
        loss.backward()
        with tg.no_grad():
            w.sub_(0.1 * w.grad) if hasattr(w, "sub_") else w.__isub__(0.1 * w.grad)
        return loss

    graph = tg.trace(step, tg.tensor(X[0]))
    before = w.numpy().copy()
    again = from_json(to_json(graph))
    assert again == graph
    assert_array_equal(again(tg.tensor(X[1])).numpy(), ((X[1] * before) ** 2).sum())
    assert_array_equal(w.numpy(), before)  # the copy has a tensor of its own
    (own,) = [value for value in again.values.values() if isinstance(value, tg.Tensor)]
    assert own.requires_grad and not np.array_equal(own.numpy(), before)


@given(graphs(only_data=True))
def test_graphs_of_data_come_back_equal(graph: Graph) -> None:
    assert from_json(to_json(graph)) == graph


@given(graphs())
def test_what_was_read_is_written_the_same(graph: Graph) -> None:
    text = to_json(graph)
    assert to_json(from_json(text)) == text
    assert to_json(from_json(to_json(graph, indent=2))) == text


@given(graphs())
def test_it_is_strict_ascii_and_inert(graph: Graph) -> None:
    text = to_json(graph)
    assert text.isascii() and text.isprintable() and not set("<>&") & set(text)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    "value",
    [
        (1, [2, (3,)]), {"a": (1,), 2: [None]}, slice(None, 2, -1), ..., 1.5, -0.0, 2**100, 1 + 2j, "é\ud800",
        np.dtype("float32"), np.dtype(">i4"), np.float32(0.1), np.float16(1), np.uint64(2**64 - 1), np.bool_(True),
        np.complex64(1 - 2j), frozenset({"b", "a", 1}), float("inf"), {}, (), [],
    ],
    ids=lambda value: "set" if isinstance(value, frozenset) else repr(value),
)  # fmt: skip
def test_parameters_keep_value_and_type(value: Any) -> None:
    again = through(value)
    assert again == value and type(again) is type(value)
    assert repr(again) == repr(value) or isinstance(value, frozenset)  # whose order is by chance


def through(value: Any) -> Any:
    return from_json(to_json(with_parameter(value))).equations[0].params["p"]


def with_parameter(value: Any) -> Graph:
    return Graph((), (), (), (ir.Equation("op", (), (), {"p": value}),), ())


@pytest.mark.parametrize(
    "array",
    [X, X.T, np.array(5), np.array([np.nan, -np.inf, -0.0]), np.array([1 + 2j, complex("nan-infj")]), np.zeros((0, 3)),
     np.array([2**64 - 1], "u8"), np.array([True]), np.float16([65504])],
    ids=lambda one: f"{one.dtype}{one.shape}",
)  # fmt: skip
def test_arrays_keep_bits_shape_and_dtype(array: Any) -> None:
    again = through(array)
    assert again.dtype == array.dtype and again.shape == array.shape
    assert again.tobytes() == np.ascontiguousarray(array).tobytes()


def test_what_is_no_data_is_described_without_addresses() -> None:
    texts = [
        repr(through(one)) for one in (len, np.random.default_rng(), Awkward("w"), Awkward("end"), object())
    ]
    assert texts == ["builtins.len", "Generator(PCG64)", "w", "Awkward", "<object object>"]
    assert repr(through(np.zeros(20_000))) == "float64 array (20000,)"
    assert repr(through(test_arrays_keep_bits_shape_and_dtype)).endswith(
        "test_arrays_keep_bits_shape_and_dtype"
    )
    nested: Any = ()
    for _ in range(100):
        nested = (nested,)
    assert "(((" in str(through(nested))


def test_large_arrays_are_left_out_and_the_program_says_so() -> None:
    graph = tg.trace(lambda x: x + np.ones((2, 3)), tg.tensor(X))
    again = from_json(to_json(graph, values=5))
    assert again == graph and not again.values and again.constants == graph.constants
    with pytest.raises(TraceError, match=r"replay: .*values=.*larger"):
        again(tg.tensor(X))
    assert_array_equal(from_json(to_json(graph, values=6))(tg.tensor(X)).numpy(), X + 1)


def test_somebody_elses_op_is_not_taken_for_the_librarys() -> None:
    @tg.elementwise
    def sin(x):  # type: ignore[no-untyped-def]
        return x * 0 + 7

    graph = tg.trace(lambda x: sin(x), tg.tensor(X))
    again = from_json(to_json(graph))
    assert again == graph and again.equations[0].primitive is None
    with pytest.raises(TraceError, match="replay"):
        again(tg.tensor(X))


def test_arguments_of_other_kinds_are_described_by_their_entries() -> None:
    Pair = namedtuple("Pair", "a b")

    @dataclass
    class Both:
        a: Any
        b: Any

    graph = tg.trace(
        lambda p, q: Both(p.a * q.a, [p.b, None]), Pair(tg.tensor(X), tg.tensor(X)), Both(tg.tensor(X), 2.0)
    )
    again = from_json(to_json(graph))
    found = again(Pair(tg.tensor(X), tg.tensor(X)), Both(tg.tensor(X), 2.0))
    assert_array_equal(found["a"].numpy(), X * X)
    assert_array_equal(found["b"][0].numpy(), X) and found["b"][1] is None


def test_a_card_that_was_not_loaded_yet_is_found() -> None:
    code = (
        "import sys; from tensorgrad import ir; import tensorgrad as tg;"
        "graph = ir.from_json(sys.stdin.read()); print(graph(tg.ones((1, 1, 2, 2))).shape)"
    )
    text = to_json(tg.trace(lambda x: tg.nn.functional.max_pool2d(x, 2), tg.ones((1, 1, 2, 2))))
    done = subprocess.run(
        [sys.executable, "-c", code], input=text, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "(1, 1, 1, 1)\n"


# ---- the same text each time


def test_two_processes_write_the_same() -> None:
    code = (
        "import numpy as np; from tensorgrad.ir import *; "
        "words = frozenset('some words in a set'.split()); "
        "params = {'s': words, 'g': np.random.default_rng(), 'f': to_json, 'o': object()}; "
        "print(to_json(Graph((), (), (), (Equation('op', (), (), params),), ())))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(texts) == 1 and "Generator(PCG64)" in next(iter(texts))


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_long_chains_need_no_recursion(count: int) -> None:
    graph = chain(count)
    assert from_json(to_json(graph)) == graph


def chain(length: int) -> Graph:
    variables = [ir.Var(i, (3,), "float32", "result" if i else "input") for i in range(length + 1)]
    equations = [ir.Equation("sin", (a,), (b,), {}) for a, b in pairwise(variables)]
    return Graph((variables[0],), (), (), tuple(equations), (variables[-1],))


# ---- the page


PAGE = (Path(__file__).parents[2] / "docs" / "graph-schema.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_is_what_is_written() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    graph = from_json(example)
    assert json.loads(to_json(graph)) == json.loads(example)
    assert graph(tg.tensor([[1.0, 2.0]])).item() == 4.5


@pytest.mark.parametrize(
    "name", ["Var", "Equation", "Position", "Stats", "Write", "Pass", "Step", "Contribution"]
)
def test_the_page_has_every_field(name: str) -> None:
    section = PAGE.split(f"(`{name}`)\n")[1].split("\n#")[0]
    written = set(re.findall(r"^\| `(\w+)` \|", section, re.M))
    attributes = {one.name for one in fields(getattr(ir, name))}
    assert written == (attributes - {"primitive"} | {"library"} if name == "Equation" else attributes)


def test_the_page_has_every_kind_of_value() -> None:
    from tensorgrad.ir import _values

    section = PAGE.split("## Values\n")[1].split("\n#")[0]
    assert set(re.findall(r'"kind": "(\w+)"', section)) == {*_values._READERS, *_values._records()}


# ---- what is damaged is refused


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("[]", "no graph"),
        ("null", "no graph"),
        ('{"format": "other"}', "no graph"),
        ('{"format": "tensorgrad-graph"}', "version None"),
        ('{"format": "tensorgrad-graph", "version": true}', "version True"),
        ('{"format": "tensorgrad-graph", "version": 2}', "version 2 .* reads 1"),
        ('{"format": "tensorgrad-graph", "version": 1}', "'variables' is missing"),
        ('{"format": 1, "format": 2}', "same field twice"),
        ('{"format": NaN}', "NaN is no JSON"),
        ('{"format": ' + "9" * 5000 + "}", "no JSON"),
    ],
)
def test_what_is_no_graph(text: str, match: str) -> None:
    with pytest.raises(FileFormatError, match=f"^from_json: .*{match}"):
        from_json(text)


def test_only_text_is_read() -> None:
    with pytest.raises(TypeError, match="from_json: a bytes given"):
        from_json(b"{}")  # type: ignore[arg-type]


def change(path: str, value: Any) -> Callable[[Any], None]:
    """Set, or with `...` remove, what stands at a path such as ``equations.0.op``."""

    def apply(whole: Any) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in steps:
            whole = whole[step if isinstance(whole, list) else str(step)]
        if value is ...:
            del whole[last]
        elif isinstance(whole, list) and last == len(whole):
            whole.append(value)
        else:
            whole[last if isinstance(whole, list) else str(last)] = value

    return apply


def array_node(shape: list[int], values: list[Any]) -> dict[str, Any]:
    return {"kind": "array", "dtype": "float32", "shape": shape, "values": values}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("surprise", 1, r"'surprise' is no field of a graph"),
        ("variables", {}, r"variables: \{\} stands where an array should"),
        ("variables.0", [], r"variables\[0\]: \[\] stands where an object should"),
        ("variables.0.index", -1, r"variables\[0\]\.index: -1 stands where an integer"),
        ("variables.0.index", 1, r"variables\[1\]\.index: there are two variables with the number 1"),
        ("variables.0.index", 10**30, r"variables\[0\]\.index: 10+\.?.* stands where|a long integer"),
        ("variables.0.shape", [1.5], r"variables\[0\]\.shape\[0\]: 1\.5 stands where"),
        ("variables.0.shape", [1] * 65, r"variables\[0\]\.shape: a shape has 65 axes"),
        ("variables.0.dtype", "O", r"variables\[0\]\.dtype: 'O' is no dtype of numbers"),
        ("variables.0.dtype", "object", r"'object' is no dtype"),
        ("variables.0.dtype", "f4,f4", r"is no dtype"),
        ("variables.0.role", "god", r"variables\[0\]\.role: 'god' is none of input, captured"),
        ("variables.0.label", None, r"variables\[0\]\.label: None stands where a string should"),
        ("variables.0.tracked", 1, r"variables\[0\]\.tracked: 1 stands where true or false"),
        ("variables.0.surprise", 1, r"variables\[0\]: 'surprise' is no field here; known are index"),
        ("variables.0.dtype", ..., r"variables\[0\]: the field 'dtype' is missing"),
        ("inputs.0", 77, r"inputs\[0\]: there is no variable 77"),
        ("inputs.0", True, r"inputs\[0\]: True stands"),
        ("equations.0.inputs.0", 99, r"equations\[0\]\.inputs\[0\]: there is no variable 99"),
        ("equations.0.inputs.0", 3, r"equations\[0\]\.inputs\[0\]: variable 3 has no value yet"),
        ("equations.0.outputs.0", 0, r"equations\[0\]\.outputs\[0\]: variable 0 has a value already"),
        ("equations.1.outputs.0", 2, r"equations\[1\]\.outputs\[0\]: variable 2 has a value already"),
        ("equations.0.op", 3, r"equations\[0\]\.op: 3 stands where a string"),
        ("equations.0.direction", "up", r"equations\[0\]\.direction: 'up' is none of"),
        ("equations.0.library", "yes", r"equations\[0\]\.library: 'yes' stands"),
        ("equations.0.seconds", "soon", r"equations\[0\]\.seconds: 'soon' stands where a number"),
        ("equations.0.seconds", None, r"equations\[0\]\.seconds: None stands where a number"),
        ("equations.0.position", {"file": "f"}, r"equations\[0\]\.position: the field 'line' is missing"),
        ("equations.0.params", {"p": {"kind": "code"}}, r"equations\[0\]\.params\.p\.kind: 'code' is no kind of value"),
        ("equations.0.params", {"p": {"kind": []}}, r"params\.p\.kind: \[\] is no kind"),
        ("equations.0.params", {"p": {}}, r"params\.p\.kind: None is no kind"),
        ("equations.0.params", {"p": 2**60}, r"params\.p: an integer beyond"),
        ("equations.0.params", {"p": {"kind": "tuple"}}, r"params\.p: the field 'items' is missing"),
        ("equations.0.params", {"p": {"kind": "tuple", "items": [1, {"kind": "x"}]}}, r"p\.items\[1\]\.kind: 'x'"),
        ("equations.0.params", {"p": {"kind": "dtype", "name": "os.system"}}, r"p\.name: 'os.system' is no dtype"),
        ("equations.0.params", {"p": {"kind": "slice", "items": [1]}}, r"p: 1 items stand where 3 should"),
        ("equations.0.params", {"p": {"kind": "Window", "items": [1]}}, r"p: 1 items stand where 5 should"),
        ("equations.0.params", {"p": {"kind": "Primitive", "items": []}}, r"'Primitive' is no kind"),
        ("equations.0.params", {"p": {"kind": "dict", "items": [[[1], 2]]}}, r"where a key should"),
        ("equations.0.params", {"p": {"kind": "dict", "items": [[1]]}}, r"not a pair"),
        ("equations.0.params", {"p": {"kind": "set", "items": [[1]]}}, r"in a set"),
        ("equations.0.params", {"p": {"kind": "int", "value": "1" * 5000}}, r"is no integer"),
        ("equations.0.params", {"p": {"kind": "float", "value": "1"}}, r"'1' stands where a number"),
        ("equations.0.params", {"p": {"kind": "scalar", "dtype": "int8", "value": 300}}, r"no array of int8"),
        ("equations.0.params", {"p": {"kind": "scalar", "dtype": "bool", "value": 1}}, r"1 is no entry of an array of bool"),
        ("values", {"1": array_node([2**62, 2**62], [])}, r"values\.1: 0 values"),
        ("values", {"1": array_node([0, 2**62, 2**62], [])}, r"values\.1: no array"),
        ("values", {"1": array_node([1], ["x"])}, r"values\.1\.values\[0\]: 'x'"),
        ("values", {"01": 1}, r"values: '01' is no number of a variable"),
        ("values", {"77": 1}, r"values: there is no variable 77"),
        ("values", {}, r"program: the value of variable 1 is missing"),
        ("program.arguments", {"kind": "leaf"}, None),
        ("program.arguments", {"kind": "list", "items": []}, r"program: there are 1 inputs, and arguments for 0"),
        ("program.results", {"kind": "code"}, r"program\.results: 'code' is no structure"),
        ("outputs.1", 55, r"outputs\[1\]: there is no variable 55"),
        ("outputs", [99], r"outputs\[0\]: there is no variable 99"),
        ("writes", [{"target": 0, "value": 98}], r"writes\[0\]\.value: there is no variable 98"),
        ("stats", {"0": {"shape": [], "dtype": "float32", "nans": -1}}, r"stats\.0\.nans: -1 stands"),
        ("stats", {"0": {"shape": [], "dtype": "float32", "values": [[1, 2, 3]]}}, r"stats\.0\.values\[0\]: a pair should"),
        ("passes", [{"seeds": [[0]], "steps": [], "gradients": {}}], r"passes\[0\]\.seeds\[0\]: a pair should"),
        ("passes", [{"seeds": [], "steps": [{"equation": 9, "cotangents": [], "contributions": []}], "gradients": {}}],
         r"passes\[0\]\.steps\[0\]: there is no equation 9"),
        ("passes", [{"seeds": [], "steps": [{"equation": 0, "cotangents": [],
         "contributions": [{"position": 0, "target": 2}]}], "gradients": {}}], r"input 0 of equation 0 is not variable 2"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(path: str, value: Any, message: str | None) -> None:
    w = tg.tensor([[0.5], [1.0]])
    whole = json.loads(to_json(tg.trace(lambda x: (x @ w).sum(), tg.ones((1, 2)))))
    change(path, value)(whole)
    if message is None:
        from_json(json.dumps(whole))
        return
    with pytest.raises(FileFormatError) as caught:
        from_json(json.dumps(whole))
    assert re.search(message, str(caught.value)), caught.value
    assert str(caught.value).startswith("from_json: ") and len(str(caught.value)) < 300


def test_values_nested_without_end_are_refused() -> None:
    deep: Any = 1
    for _ in range(60):
        deep = {"kind": "tuple", "items": [deep]}
    whole = json.loads(to_json(with_parameter(1)))
    whole["equations"][0]["params"]["p"] = deep
    with pytest.raises(FileFormatError, match="more than 32 levels"):
        from_json(json.dumps(whole))


@given(graphs(most=2), st.data())
def test_any_damage_is_refused_or_read_never_worse(graph: Graph, data: Any) -> None:
    """One place of a file replaced by anything: either a graph comes of it, or an error of ours."""
    whole = json.loads(to_json(graph))
    places = list(positions(whole))
    container, key = data.draw(st.sampled_from(places))
    junk = [
        None,
        True,
        -1,
        0,
        7,
        1.5,
        "x",
        "",
        [],
        {},
        [[]],
        {"kind": "tuple", "items": [1]},
        10**40,
        "NaN",
        [0],
        {"0": None},
    ]
    container[key] = data.draw(st.sampled_from(junk))
    try:
        found = from_json(json.dumps(whole))
    except FileFormatError:
        return
    assert to_json(from_json(to_json(found))) == to_json(found)


def positions(node: Any) -> Any:
    for key in range(len(node)) if isinstance(node, list) else list(node):
        yield node, key
        if isinstance(node[key], list | dict):
            yield from positions(node[key])
