"""Nested containers: taken apart, put together, mapped."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad._tree import LEAF, flatten, map_leaves, unflatten

Point = namedtuple("Point", "x y")


@dataclass
class Layer:
    weight: object
    bias: object = None


@dataclass(frozen=True, slots=True)
class Frozen:
    a: object
    b: list


@dataclass
class Guarded:
    a: float
    twice: float = field(init=False)

    def __post_init__(self):
        self.twice = 2 * self.a


leaves = st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
trees = st.recursive(
    leaves | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.builds(Point, inner, inner)
        | st.builds(Layer, inner, inner)
    ),
    max_leaves=12,
)


@given(trees)
def test_unflatten_undoes_flatten(value):
    found, tree = flatten(value)
    again = unflatten(tree, found)
    assert again == value and type(again) is type(value)
    assert tree.size == len(found) == len(tree.paths()) == len(set(tree.paths()))
    assert map_leaves(lambda leaf: leaf, value) == value
    assert flatten(map_leaves(lambda leaf: (leaf,), value))[0] == found


@pytest.mark.parametrize(
    "value",
    [
        {"b": 1, "a": [2, (3,)]},
        Point(1, [2]),
        Layer(1, {"x": 2}),
        Frozen(1, [2, 3]),
        OrderedDict(b=1, a=2),
        (),
        [],
        {},
        None,
        [None, 1, None],
        {1: "a", (2, 3): "b", None: "c"},
    ],
    ids=repr,
)
def test_every_container_comes_back_as_it_was(value):
    found, tree = flatten(value)
    again = unflatten(tree, found)
    assert again == value and type(again) is type(value)
    if isinstance(value, dict):
        assert list(again) == list(value)


@pytest.mark.parametrize("value", [defaultdict(list, a=1, b=[2]), Counter("aab")])
def test_other_dictionaries_come_back_as_plain_ones(value):
    found, tree = flatten(value)
    again = unflatten(tree, found)
    assert type(again) is dict and again == dict(value)


def test_what_is_no_container_is_a_leaf():
    for leaf in (
        1,
        "text",
        b"bytes",
        np.ones(3),
        tg.ones(3),
        {1, 2},
        range(3),
        object(),
        Layer,
        np.float64(1),
    ):
        found, tree = flatten(leaf)
        assert found[0] is leaf and tree == LEAF and tree.size == 1


def test_a_dataclass_is_rebuilt_without_running_its_checks():
    made = map_leaves(lambda leaf: leaf * 10, Guarded(1.0))
    assert type(made) is Guarded and (made.a, made.twice) == (10, 20)


def test_paths_are_python_expressions():
    value = {"layers": [Layer(1, 2)], "p": Point(3, 4), 5: (6,)}
    found, tree = flatten(value)
    assert [eval(f"value{path}", {"value": value}) for path in tree.paths()] == found
    assert tree.paths()[0] == "['layers'][0].weight"


def test_trees_compare_and_hash_by_structure():
    a, b, c = [flatten(v)[1] for v in ([1, {"k": 2}], [5, {"k": "x"}], [1, {"j": 2}])]
    assert a == b != c and hash(a) == hash(b)
    assert flatten([1])[1] != flatten((1,))[1] and flatten(None)[1] != flatten([])[1]


def test_map_leaves_over_several():
    assert map_leaves(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]}) == {"x": [11, 22]}
    assert map_leaves(lambda a, b: a - b, {"x": 1, "y": 2}, {"y": 20, "x": 10}) == {"x": -9, "y": -18}
    for other in ([1], {"x": 1}, (1, 2, 3), [1, [2]], None):
        with pytest.raises(tg.ShapeError, match="container"):
            map_leaves(lambda a, b: a, [1, 2], other)


def test_gradients_have_the_structure_of_the_argument():
    value = {"a": [np.array([1.0, 2.0]), Point(np.array(3.0), None)], "b": Layer(np.array([4.0]))}
    grads = tg.grad(lambda v: (v["a"][0] ** 2).sum() + v["a"][1].x * 5 + (v["b"].weight * 7).sum())(value)
    assert list(grads) == ["a", "b"] and type(grads["a"][1]) is Point and grads["a"][1].y is None
    assert grads["a"][0].tolist() == [2, 4] and grads["a"][1].x == 5 and grads["b"].weight.tolist() == [7]
    with pytest.raises(tg.DtypeError, match=r"\['b'\]"):
        tg.grad(lambda v: v["a"])({"a": 1.0, "b": np.arange(3)})
