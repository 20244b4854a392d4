"""`tg.attribute`: gradients by term and by use, what is measured, how it looks, and errors."""

from __future__ import annotations

import importlib.util
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.inspect import Attribution, attribute_walk
from tensorgrad.inspect.attribute_walk import Tape


def whole(loss: Any, param: Any) -> Any:
    return tg.autograd.grad(loss, param, retain_graph=True)[0].numpy()


def check(found: Attribution, g: Any, rtol: float = 1e-12) -> None:
    """Parts and remainder sum to the gradient, and the numbers say so."""
    parts = [*found.parts, *([found.remainder] if found.remainder is not None else [])]
    total = sum(part.gradient for part in parts)
    size = np.linalg.norm(g)
    np.testing.assert_allclose(total, g, rtol=0, atol=rtol * max(size, 1e-300))
    np.testing.assert_allclose(found.total.gradient, g, rtol=0, atol=rtol * max(size, 1e-300))
    assert found.residue <= rtol * max(size, 1e-300)
    assert sum(part.share for part in parts) == pytest.approx(1.0) or not size
    for part in parts:
        assert part.gradient.shape == g.shape and part.gradient.dtype == g.dtype
        assert part.norm == pytest.approx(np.linalg.norm(part.gradient))
        if part.norm and size:
            along = np.vdot(g, part.gradient).real
            assert part.share == pytest.approx(along / size**2, abs=1e-12)
            assert part.cosine == pytest.approx(along / size / part.norm, abs=1e-12)


def parameter(*shape: int, seed: int = 0) -> tg.Tensor:
    return tg.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


# ---- by term


def test_terms_are_named_by_variables_and_have_their_own_gradients() -> None:
    w = parameter(3, 2)
    fit = ((w - 1.0) ** 2).mean()
    l2 = (w**2).sum()
    loss = fit + 0.1 * l2 - tg.abs(w).sum() / 4
    found = tg.attribute(loss, w)
    assert [part.label for part in found.parts] == ["fit", "l2", "sum#10"]
    check(found, whole(loss, w))
    np.testing.assert_allclose(found.parts[0].gradient, whole(fit, w))
    np.testing.assert_allclose(found.parts[1].gradient, 0.1 * whole(l2, w))
    np.testing.assert_allclose(found.parts[2].gradient, -np.sign(w.numpy()) / 4)
    assert found.remainder is None and found.loss == "loss" and found.parameters == ("w",)


@pytest.mark.parametrize("how", ["stack mean", "python sum", "weights", "negative"])
def test_lists_of_terms_are_taken_apart(how: str) -> None:
    w = parameter(4)
    several = [(w**k).sum() for k in (2, 3, 4)]
    factors = np.array([1.0, 2.0, -3.0])
    if how == "stack mean":
        loss, scale = tg.stack(several).mean(), np.ones(3) / 3
    elif how == "python sum":
        loss, scale = sum(several) * 2.0, np.full(3, 2.0)
    elif how == "weights":
        loss, scale = (tg.stack(several) * factors).sum(), factors
    else:
        loss, scale = -(several[0] - several[1]) + several[2].reshape(1).sum(), np.array([-1.0, 1.0, 1.0])
    found = tg.attribute(loss, w)
    check(found, whole(loss, w))
    assert len(found) == 3
    for part, term, factor in zip(found.parts, several, scale, strict=True):
        np.testing.assert_allclose(part.gradient, factor * whole(term, w), rtol=1e-12)


def test_a_sum_that_a_variable_holds_is_one_term() -> None:
    w = parameter(2)
    data = (w**2).sum() + (w**3).sum()
    loss = data + w.sum()
    assert [part.label for part in tg.attribute(loss, w).parts] == ["data", "sum#6"]
    del data
    assert len(tg.attribute(loss, w).parts) == 3


def test_a_term_used_twice_and_a_product_of_two_terms() -> None:
    w = parameter(2)
    a, b = (w**2).sum(), (w**3).sum()
    loss = a + a + a * b
    found = tg.attribute(loss, w)
    assert [part.label for part in found.parts] == ["a", "multiply#6"]
    check(found, whole(loss, w))
    np.testing.assert_allclose(found.parts[0].gradient, 2 * whole(a, w))


def test_terms_that_are_given_and_the_remainder() -> None:
    w = parameter(2)
    inner = (w**2).sum()
    outer = tg.exp(inner)
    loss = outer + inner + w.sum()
    found = tg.attribute(loss, w, terms={"inner": inner, "outer": outer})
    check(found, whole(loss, w))
    np.testing.assert_allclose(found.parts[0].gradient, whole(inner, w))  # not again what came through outer
    np.testing.assert_allclose(found.parts[1].gradient, whole(outer, w))
    assert found.remainder is not None and found.remainder.label == "through no term"
    np.testing.assert_allclose(found.remainder.gradient, np.ones(2))
    assert [part.label for part in tg.attribute(loss, w, terms=[outer]).parts] == ["outer"]


def test_several_losses_are_terms() -> None:
    w = parameter(2)
    a, b = (w**2).sum(), (w**3).sum()
    found = tg.attribute({"square": a, "cube": b}, w)
    assert [part.label for part in found.parts] == ["square", "cube"]
    check(found, whole(a + b, w))
    check(tg.attribute([a, b, a], w), whole(a + b + a, w))
    assert found.loss == "the sum of square, cube"


def test_the_parameter_itself_is_a_term() -> None:
    w = tg.tensor(2.0, requires_grad=True)
    found = tg.attribute(w * 3 + w * w, w)
    assert sorted(float(part.gradient) for part in found.parts) == [3.0, 4.0]
    same = tg.attribute(w, w)
    assert same.total.gradient == 1.0 and len(same) == 1


def test_conflicts_are_cosines() -> None:
    w = parameter(5)
    a, b, c = (w**2).sum(), -(w * w).sum(), w[0] * 1.0
    loss = a + b + c + 0 * (w**3).sum()
    conflicts = tg.attribute(loss, w).conflicts()
    i, j = conflicts.labels.index("a"), conflicts.labels.index("b")
    assert conflicts.cosines[i, i] == pytest.approx(1) and conflicts.cosines[i, j] == pytest.approx(-1)
    assert conflicts.worst is not None and set(conflicts.worst[:2]) == {"a", "b"}
    assert np.isnan(conflicts.cosines[-1]).all() and "–" in str(conflicts)
    assert "<td" in conflicts._repr_html_()
    alone = tg.attribute(a, w).conflicts()
    assert alone.worst is None and "no two" in str(alone)


# ---- by use


def test_tied_weights_through_views_have_a_part_for_each_use() -> None:
    table = parameter(5, 3)
    ids = np.array([0, 2, 2, 4])
    h = table[ids]
    logits = tg.tanh(h) @ table.T
    loss = (logits**2).mean()
    found = tg.attribute(loss, table, "use")
    check(found, whole(loss, table))
    assert [part.label for part in found.parts] == ["1. take", "2. matmul"] or len(found) == 2
    other = tg.tensor(table.numpy(), requires_grad=True)
    untied = ((tg.tanh(table[ids]) @ other.T) ** 2).mean()
    np.testing.assert_allclose(found.parts[0].gradient, whole(untied, table))
    np.testing.assert_allclose(found.parts[1].gradient, whole(untied, other))
    assert found.parts[1].note.startswith("op ")


def test_a_cell_over_time_has_a_part_for_each_step() -> None:
    w, h = parameter(3, 3), tg.tensor(np.ones((2, 3)))
    copies = [tg.tensor(w.numpy(), requires_grad=True) for _ in range(5)]
    k = h
    turned = w.T  # one view, used five times
    with tg.record() as run:
        for copy in copies:
            h, k = tg.tanh(h @ turned), tg.tanh(k @ copy.T)
        loss, apart = (h**2).sum(), (k**2).sum()
    found = tg.attribute(loss, w, "use")
    check(found, whole(loss, w))
    assert [part.key for part in found.parts] == [1, 2, 3, 4, 5]
    for part, copy in zip(found.parts, copies, strict=True):
        np.testing.assert_allclose(part.gradient, whole(apart, copy), rtol=1e-12)
        assert "test_attribute.py:" in part.note
    assert run is not None


def test_both_sides_of_one_operation_are_two_uses() -> None:
    w = parameter(3, 3)
    loss = (w @ w).sum()
    found = tg.attribute(loss, w, "use")
    check(found, whole(loss, w))
    assert [part.label for part in found.parts] == ["1. matmul (a)", "2. matmul (b)"]


def test_uses_know_the_module_and_the_parameter() -> None:
    layer = nn.Linear(3, 3)
    with tg.record() as run:
        loss = (layer(tg.tanh(layer(tg.ones((2, 3))))) ** 2).mean()
    found = tg.attribute(loss, layer, "use")
    assert [part.label for part in found.parts] == [
        "weight 1. linear", "weight 2. linear", "bias 1. linear", "bias 2. linear",
    ]  # fmt: skip
    assert all(part.note.startswith("Linear at test_attribute.py:") for part in found.parts) and run
    both = np.hypot(*[np.linalg.norm(found.total.gradient[name]) for name in ("weight", "bias")])
    assert found.total.norm == pytest.approx(both)


# ---- what is given


def test_one_of_several_parameters() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    model[2].bias.requires_grad = False
    a = (model(tg.ones((2, 3))) ** 2).mean()
    loss = a + sum((p**2).sum() for p in model.parameters())
    found = tg.attribute(loss, model)
    assert found.parameters == ("0.weight", "0.bias", "2.weight")
    one = found["0.bias"]
    g = whole(loss, model[0].bias)
    np.testing.assert_allclose(one.total.gradient, g, rtol=1e-5)
    alone = tg.attribute(loss, model[0].bias)
    assert [p.share for p in one.parts] == pytest.approx([p.share for p in alone.parts], rel=1e-5)
    assert alone.parameters == ("model.0.bias",)
    with pytest.raises(tg.GradientError, match=r"there is no parameter 'bias'; there are 0.weight"):
        found["bias"]


@pytest.mark.parametrize("by", ["term", "use", "path"])
def test_a_parameter_may_be_a_result_or_complex(by: str) -> None:
    x = parameter(3)
    z = tg.tensor(np.array([1 + 2j, 0.5j, -1.0]), requires_grad=True)
    h = x * z
    u, v = tg.abs(h).sum(), (h * h).real.sum()
    loss = u + v
    through = {"through": [u, v]} if by == "path" else {}
    for param in (x, z, h):
        check(tg.attribute(loss, param, by, **through), whole(loss, param))  # type: ignore[arg-type]


def test_ops_with_several_results_and_custom_ops() -> None:
    w = parameter(4, 2)

    @tg.primitive
    def double(x):  # type: ignore[no-untyped-def]
        return 2 * x

    double.vjp(x=lambda g: 2 * np.asarray(g))
    top, bottom = tg.split(w, 2)
    a, b = (double(top) ** 2).sum(), (bottom * top).sum()
    loss = a + b
    for by in ("term", "use", "path"):
        found = tg.attribute(loss, w, by, **({"through": [a, b, top]} if by == "path" else {}))
        check(found, whole(loss, w))
        assert len(found) == {"term": 2, "use": 3, "path": 3}[by]


# ---- what stays as it is


def test_nothing_changes() -> None:
    w = parameter(3)
    h = tg.tanh(w)
    h.retain_grad()
    loss = (h**2).sum() + h.sum()
    loss.backward(retain_graph=True)
    before, calls = w.grad.numpy().copy(), []
    handle = w.register_hook(calls.append)
    h.register_hook(lambda g: 100 * g)
    with tg.record() as run:
        found = tg.attribute(loss, w)
        tg.attribute(loss, w, "path", through=[h])
    assert not run.graph.equations and not run.graph.passes  # whoever records is not shown any of it
    assert not calls and np.array_equal(w.grad.numpy(), before)
    np.testing.assert_allclose(found.total.gradient, before)  # hooks are left out
    handle.remove()
    loss.backward()


def test_it_works_without_gradients_switched_on() -> None:
    w = parameter(3)
    loss = (w**2).sum()
    with tg.no_grad():
        check(tg.attribute(loss, w), 2 * w.numpy())
    assert tg.is_grad_enabled()


# ---- results


def some() -> Attribution:
    w = parameter(3)
    loss = tg.stack([(w**k).sum() for k in range(1, 6)]).sum()
    return tg.attribute(loss, w)


def test_top_keeps_the_strongest_and_adds_the_others() -> None:
    found = some()
    top = found.top(2)
    strongest = sorted(found.parts, key=lambda part: -part.norm)[:2]
    assert [part.label for part in top.parts] == [part.label for part in strongest]
    assert top.remainder is not None and top.remainder.label == "3 more terms"
    check(top, found.total.gradient)
    again = top.top(1)
    assert again.remainder is not None and again.remainder.label == "1 more term and 3 more terms"
    check(again, found.total.gradient)
    assert len(found.top(99)) == 5 and found.top(99).remainder is None
    by_share = found.top(1, by="share").parts[0]
    assert abs(by_share.share) == max(abs(part.share) for part in found.parts)
    with pytest.raises(tg.GradientError, match="top by 'size'"):
        found.top(1, by="size")


def test_as_text_html_json_and_picture() -> None:
    found = some()
    lines = found.table().splitlines()
    assert lines[0] == "gradient of loss in w, by term" and lines[1].split() == [
        "term",
        "norm",
        "share",
        "cosine",
    ]
    assert lines[-2].startswith("total") and "100.0 %" in lines[-2] and "less the whole" in lines[-1]
    assert "… 2 more terms" in found.table(limit=3)
    assert "pull against each other" in str(found)
    data = json.loads(found.to_json(gradients=True))
    assert [row["label"] for row in data["parts"]] == [part.label for part in found.parts]
    np.testing.assert_allclose(data["total"]["gradient"]["w"], found.total.gradient)
    picture = found.to_svg()
    assert ET.fromstring(picture).tag.endswith("svg") and "prefers-color-scheme:dark" in picture
    assert picture.count('class="along"') + picture.count('class="against"') == 5
    assert found.to_svg(limit=2).count('class="rest"') == 1
    assert found._repr_html_().startswith("<div><svg")


def test_hostile_names_are_shown_as_text() -> None:
    w = parameter(2)
    a = (w**2).sum()
    found = tg.attribute(a + w.sum(), w, terms={"<script>\x00\n": a})
    assert ET.fromstring(found.to_svg()) is not None and "<script>" not in found._repr_html_()
    assert len(found.table().splitlines()) == 8


def test_a_gradient_of_zero_has_no_shares() -> None:
    w = parameter(2)
    found = tg.attribute((0 * w).sum(), w)
    assert np.isnan(found.parts[0].share) and found.total.norm == 0 and "–" in str(found)
    assert json.loads(found.to_json())["parts"][0]["share"] is None
    assert ET.fromstring(found.to_svg()) is not None


def test_long_chains_need_no_recursion() -> None:
    w = tg.tensor(1.0, requires_grad=True)
    loss = w * 1.0
    for _ in range(3000):
        loss = loss + w * 1e-3
    found = tg.attribute(loss, w, "use")
    assert len(found) == 3001 and found.total.gradient == pytest.approx(4.0, rel=1e-4)


# ---- errors


def test_errors_say_what_is_wrong_and_the_way_out() -> None:
    w, v = parameter(3), parameter(3)
    per_sample = w**2
    loss = per_sample.sum()
    raises = [
        (tg.ShapeError, r"per_sample has shape \(3,\).*per_sample.sum\(\)", lambda: tg.attribute(per_sample, w)),
        (tg.DtypeError, r"loss is a float", lambda: tg.attribute(3.0, w)),
        (tg.DtypeError, r"param is a ndarray", lambda: tg.attribute(loss, np.ones(3))),
        (tg.GradientError, r"loss was not computed from v \(3,\).*tg.why", lambda: tg.attribute(loss, v)),
        (tg.GradientError, r"does not require a gradient", lambda: tg.attribute(loss, tg.ones(3))),
        (tg.NoGraphError, r"has no history", lambda: tg.attribute(tg.ones(()), w)),
        (tg.GradientError, r"by is 'layer'; give one of 'term', 'sample'", lambda: tg.attribute(loss, w, "layer")),
        (tg.GradientError, r"terms= belongs to by='term'", lambda: tg.attribute(loss, w, "use", terms=[loss])),
        (tg.GradientError, r"top is 0", lambda: tg.attribute(loss, w, top=0)),
        (tg.DtypeError, r"is complex", lambda: tg.attribute(loss * 1j, w)),
        (tg.NoGraphError, r"terms\[0\] has no history", lambda: tg.attribute(loss, w, terms=[loss.detach()])),
        (tg.GradientError, r"empty container", lambda: tg.attribute(loss, [])),
        (tg.NoGraphError, r"belongs to an open tg", lambda: tg.vmap(lambda x: tg.attribute(x.sum(), w))(w)),
    ]  # fmt: skip
    for kind, message, call in raises:
        with pytest.raises(kind, match=message):
            call()
    with tg.no_grad():
        w[0] = 5.0
    with pytest.raises(tg.MutatedError):
        tg.attribute(loss, w)
    other = (v**2).sum()
    other.backward()
    with pytest.raises(
        tg.NoGraphError, match=r"attribute: the graph of the loss was freed.*retain_graph=True"
    ):
        tg.attribute(other, v)


# ---- planted faults


def test_a_part_that_is_lost_shows_in_the_residue(monkeypatch: pytest.MonkeyPatch) -> None:
    w = parameter(3)
    loss = (w**2).sum() + w.sum()
    monkeypatch.setattr(attribute_walk, "together", lambda families, shape: families[0])
    found = tg.attribute(loss, w)
    assert found.residue > 0.1
    with pytest.raises(AssertionError):
        check(found, whole(loss, w))


def test_batched_and_one_by_one_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.LayerNorm(4), nn.Linear(4, 2))
    loss = nn.functional.cross_entropy(model(tg.tensor(np.random.default_rng(0).random((5, 3)), dtype="float32")),
                                       np.array([0, 1, 1, 0, 1]))  # fmt: skip
    first = tg.attribute(loss, model, "sample")

    def refuse(*args: Any) -> Any:
        raise TypeError

    monkeypatch.setattr(attribute_walk, "_batched", refuse)
    second = tg.attribute(loss, model, "sample")
    assert [part.key for part in first.parts] == [part.key for part in second.parts]
    for a, b in zip(first.parts, second.parts, strict=True):
        for name in first.parameters:
            np.testing.assert_allclose(a.gradient[name], b.gradient[name], rtol=1e-4, atol=1e-7)


def test_a_tape_says_what_leads_to_parameters() -> None:
    w, v = parameter(2), parameter(2)
    loss = (w * v).sum()
    tape = Tape([loss], [w])
    assert [node.prim.name for node in tape.between()] == ["multiply", "sum"]
    assert tape.edges(tape.order[0]) == (w._node, None)


def test_the_picture_of_the_page_is_current() -> None:
    path = Path(__file__).parents[2] / "tools" / "attribution_picture.py"
    spec = importlib.util.spec_from_file_location("attribution_picture", path)
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def without_rounding(text: str) -> str:
        return re.sub(r"less the whole: [^<]*", "", text)

    made = tool.PICTURE.read_text(encoding="utf-8")
    assert without_rounding(tool.drawn()) == without_rounding(made), "run tools/attribution_picture.py"
