"""`tg.attribute` by path: parts are what enumerating the paths one by one gives; random programs for all ways."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad._tape import Leaf
from tensorgrad.inspect import attribute_walk

NAMES = "abcdefgh"


def enumerated(loss: Any, param: Any, places: dict[Any, str]) -> dict[tuple[str, ...], Any]:
    """The gradient along each path, one path of single operations after the other."""
    found: dict[tuple[str, ...], Any] = defaultdict(float)
    todo = [(loss._node, np.ones(loss.shape)[()], ())]
    while todo:
        node, g, path = todo.pop()
        if node in places and (not path or path[0] != places[node]):
            path = (places[node], *path)
        if node is param._node:
            found[path] = found[path] + g
        if type(node) is Leaf:
            continue
        for edge, c in zip(
            node.edges, node.prim.pullback(g, node.edges, node.saved, node.shape), strict=True
        ):
            if edge is not None and c is not None:
                todo.append((edge, c, path))
    return dict(found)


def random_program(choices: list[tuple[int, int, int]]) -> tuple[Any, list[Any], Any]:
    """A parameter, the values made from it and from each other, and the loss."""
    w = tg.tensor(np.array([0.5, -1.5, 0.8]), requires_grad=True)
    values = [w, w.T]
    for op, i, j in choices:
        a, b = values[i % len(values)], values[j % len(values)]
        made = (
            a + b, a * b, tg.tanh(a), a - 0.5 * b, tg.flip(a), a[::-1] * 2.0, tg.exp(-a * a), a.reshape(3, 1).sum(axis=1),
        )[op % 8]  # fmt: skip
        values.append(made)
    return w, values[2:], (values[-1] * 0.7).sum() + (values[len(values) // 2] ** 2).mean()


programs = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=7
)


@settings(max_examples=40, deadline=None)
@given(programs, st.sets(st.integers(0, 6), min_size=1, max_size=4))
def test_paths_are_those_of_enumeration(choices: list[tuple[int, int, int]], picked: set[int]) -> None:
    w, values, loss = random_program(choices)
    through = {NAMES[i % len(values)]: values[i % len(values)] for i in picked}
    places = {x._node: name for name, x in through.items()}
    through = {name: x for name, x in through.items() if places[x._node] == name}
    expected = enumerated(loss, w, places)
    if not all(x._node in attribute_walk.Tape([loss], [w]).leading for x in through.values()):
        with pytest.raises(tg.GradientError, match="is not on a way"):
            tg.attribute(loss, w, "path", through=through)
        return
    found = tg.attribute(loss, w, "path", through=through)
    assert {part.key for part in found.parts} == set(expected)
    for part in found.parts:
        np.testing.assert_allclose(part.gradient, expected[part.key], rtol=1e-9, atol=1e-12)
        assert part.label == (" → ".join(part.key) or "direct")


@settings(max_examples=40, deadline=None)
@given(programs, st.sampled_from(["term", "use", "path", "path of few", "sample"]))
def test_parts_and_remainder_sum_to_the_whole(choices: list[tuple[int, int, int]], by: str) -> None:
    w, values, loss = random_program(choices)
    options: dict[str, Any] = {}
    on_the_way = [x for x in values if x._node in attribute_walk.Tape([loss], [w]).leading]
    if by.startswith("path"):
        options = {"through": on_the_way, **({"limit": 2, "top": 3} if by != "path" else {})}
    elif by == "sample":
        options = {"samples": on_the_way[-1]}
    found = tg.attribute(loss, w, by.partition(" ")[0], **options)
    (g,) = tg.autograd.grad(loss, w)
    parts = [*found.parts, *([found.remainder] if found.remainder else [])]
    size = sum(part.norm for part in parts) + 1e-300
    np.testing.assert_allclose(sum(part.gradient for part in parts), g.numpy(), rtol=0, atol=1e-12 * size)  # type: ignore[union-attr]
    assert found.residue <= 1e-12 * size


# ---- networks


class Residual(nn.Module):
    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.stem = nn.Linear(3, 4)
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(blocks)])

    def forward(self, x: Any) -> Any:
        h = self.stem(x)
        for block in self.blocks:
            h = h + block(h)
        return h


def residual(blocks: int) -> tuple[Any, Any]:
    tg.manual_seed(0)
    model = Residual(blocks)
    return model, (model(tg.ones((2, 3))) ** 2).mean()


def test_skip_and_block_of_residual_connections() -> None:
    model, loss = residual(3)
    found = tg.attribute(loss, model.stem.weight, "path", through=list(model.blocks))
    assert len(found) == 8 and found.remainder is None and found.residue < 1e-6
    assert {part.label for part in found.parts} >= {"direct", "blocks.0", "blocks.0 → blocks.1 → blocks.2"}
    with tg.record() as run:
        loss = (model(tg.ones((2, 3))) ** 2).mean()
    recorded = tg.attribute(loss, model.stem.weight, "path", through=list(model.blocks))
    named = tg.attribute(loss, model.stem.weight, "path", through=["blocks.0", "blocks.1", "blocks.2"])
    default = tg.attribute(loss, model.stem.weight, "path")
    assert run is not None
    for one in (recorded, named):
        assert [part.key for part in one.parts] == [part.key for part in found.parts]
        assert [part.norm for part in one.parts] == pytest.approx(
            [part.norm for part in found.parts], rel=1e-5
        )
    assert {part.key for part in default.parts} == {("stem", *part.key) for part in found.parts}


def test_variables_are_the_places_by_default() -> None:
    w = tg.tensor(np.array([0.3, 0.7]), requires_grad=True)
    hidden = tg.tanh(w)
    loss = (hidden * w).sum() + (hidden**2).sum()
    found = tg.attribute(loss, w, "path")
    assert {part.label for part in found.parts} == {"hidden", "direct"}
    assert {part.label for part in tg.attribute(loss, w, "path", through="hidden").parts} == {
        "hidden",
        "direct",
    }
    assert {part.label for part in tg.attribute(loss, w, "path", through={"tanh": hidden}).parts} == {
        "tanh",
        "direct",
    }


def test_many_paths_are_not_enumerated() -> None:
    """Of a million paths the strongest are found in one pass, and the others are one remainder."""
    w = tg.tensor(np.array([1.0, 0.5]), requires_grad=True)
    h, through = w * 1.0, {}
    for i in range(20):
        block = 0.1 * h
        through[f"b{i}"] = block
        h = h + block
    loss = h.sum()
    found = tg.attribute(loss, w, "path", through=through, limit=50, top=21)
    assert found.parts[0].label == "direct" and found.parts[0].gradient == pytest.approx(1.0)
    assert sorted(len(part.key) for part in found.parts)[:2] == [0, 1]
    assert all(part.gradient == pytest.approx(0.1 ** len(part.key)) for part in found.parts)
    assert found.remainder is not None and found.remainder.label == "more paths"
    assert found.total.gradient == pytest.approx(1.1**20) and found.residue < 1e-12


def test_what_is_added_up_on_the_way_is_said_to_be() -> None:
    w = tg.tensor(1.0, requires_grad=True)
    a = 2.0 * w
    b = 3.0 * w
    c = 5.0 * w
    loss = a + b + c
    found = tg.attribute(loss, w, "path", through=[a, b, c], top=1)
    assert [(part.label, float(part.gradient)) for part in found.parts] == [("c", 5.0)]
    assert found.remainder is not None and (found.remainder.label, found.remainder.gradient) == (
        "2 more paths",
        5.0,
    )


def test_errors_say_which_places_there_are() -> None:
    model, loss = residual(1)
    w = model.stem.weight
    with pytest.raises(
        tg.GradientError, match=r"nothing on the way is called 'blocks.0'.*record the computation"
    ):
        tg.attribute(loss, w, "path", through=["blocks.0"])
    with pytest.raises(tg.GradientError, match=r"Tanh has no parameters"):
        tg.attribute(loss, w, "path", through=[model.blocks[0][1]])
    with pytest.raises(tg.GradientError, match=r"through\[0\] is not on a way"):
        tg.attribute(loss, w, "path", through=[tg.exp(w)])
    with pytest.raises(tg.DtypeError, match=r"through\[0\] is a int"):
        tg.attribute(loss, w, "path", through=[3])
    with pytest.raises(tg.GradientError, match=r"no variable here holds a value on the way"):
        tg.attribute(loss, w, "path")
    with pytest.raises(tg.GradientError, match=r"limit is 0"):
        tg.attribute(loss, w, "path", limit=0)


def test_a_place_that_is_passed_unseen_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    model, loss = residual(2)
    from tensorgrad.inspect import attribute_paths

    monkeypatch.setattr(
        attribute_paths, "_longer", lambda path, place: path if place == "blocks.1" else (*path, place)
    )
    found = tg.attribute(loss, model.stem.weight, "path", through=list(model.blocks))
    assert len(found) != 4
