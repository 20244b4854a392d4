"""Every op has a tangent and a batch, or a reason; what is looped is counted, said, and right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg
from tensorgrad._primitive import registry
from tensorgrad.testing import checks, rules
from tensorgrad.testing.samples import ROWS
from tensorgrad.transforms.batched import looped, way_of

X = np.random.default_rng(4).normal(size=(4, 3))


@pytest.fixture(autouse=True)
def _count_from_zero() -> Any:
    looped.clear()
    yield
    looped.clear()


def test_every_op_has_a_tangent_and_a_batch_or_a_reason() -> None:
    assert set(ROWS) <= set(registry)
    found = rules.without(registry.values())
    assert all(found.values()), f"give a rule, or a reason in testing/rules.py: {found}"
    assert set(rules.REASONS) == set(found), "reasons for what has a rule"


def test_few_ops_run_example_by_example() -> None:
    ways = [way_of(card) for card in registry.values()]
    assert set(ways) <= set(rules.BATCHES)
    assert ways.count("loop") <= rules.LIMIT * len(ways)


def test_the_table(capsys: Any) -> None:
    assert rules.main([]) == 0
    text = capsys.readouterr().out
    for line in ("matmul  ", "product rule", "random  ", f"of {len(registry)} ops run example by example"):
        assert line in text
    assert rules.main(["sin"]) == 0 and rules.main(["sinn"]) == 2


def test_an_op_without_rules_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: an op that loses its rules is in the table, and the checks of its samples fail."""
    card = registry["running_sum"]
    monkeypatch.setattr(card, "batch", None)
    assert rules.without([card]) == {(card.name, "batch"): ""}
    assert f"{card.name}: no batch: ?" in rules.text([card])
    row = ROWS[card.name]
    with pytest.warns(tg.LoopWarning), pytest.raises(AssertionError, match="example by example"):
        checks.batching(row, row.samples[1])
    norm = next(c for c in registry.values() if rules.tangent_of(c) == "rule")
    monkeypatch.setattr(norm, "tangents", {"other": None})
    assert rules.without([norm]) == {(norm.name, "tangent"): ""}


# ---- the loop


def ragged_op() -> Any:
    @tg.primitive
    def ragged(x: Any) -> Any:
        return x[: 1 + int(x[0] > 0)]

    return ragged


def test_results_of_many_shapes_cannot_be_stacked() -> None:
    with pytest.warns(tg.LoopWarning), pytest.raises(tg.ShapeError, match=r"ragged.*pad them"):
        tg.vmap(ragged_op())(np.array([[1.0, 2.0], [-1.0, 2.0]]))


def test_an_empty_batch_needs_a_rule() -> None:
    with pytest.raises(tg.ShapeError, match=r"ragged has no batching rule.*@ragged\.batching"):
        tg.vmap(ragged_op())(np.zeros((0, 2)))


def test_a_loop_over_several_results_in_every_place() -> None:
    both = tg.primitive(lambda a, b: a * b.sum())
    both.card.name = "both"
    with pytest.warns(tg.LoopWarning, match="both"):
        y = tg.vmap(both)(X, X)
    assert_allclose(y, X * X.sum(1, keepdims=True))
    assert_allclose(tg.vmap(both, (0, None))(X, X[0]), X * X[0].sum())
    assert_allclose(tg.vmap(both, (None, 0))(X[0], X), X[0] * X.sum(1, keepdims=True))
    assert_allclose(tg.vmap(tg.vmap(both, (None, 0)), (0, None))(X, X)[2, 1], X[2] * X[1].sum())
    assert set(looped) == {"both"}


# ---- derived, and fused


def test_users_elementwise_ops_need_no_rule() -> None:
    @tg.elementwise
    def scaled(x: Any, w: Any) -> Any:
        return x * w

    scaled.derivative(x=lambda w: w, w=lambda x: x)
    assert_allclose(tg.vmap(scaled)(X, X[:, 0]), X * X[:, :1])
    assert_allclose(tg.vmap(tg.grad(lambda w, x: scaled(x, w).sum()))(X[:, 0], X), X.sum(1))
    assert not looped


def test_fused_ops_take_their_composite() -> None:
    scores = X.astype(np.float32)
    labels = np.array([0, 2, 1, 1])
    losses = tg.vmap(tg.nn.functional.cross_entropy)(scores, labels)
    expected = tg.nn.functional.cross_entropy(scores, labels, reduction="none")
    assert_allclose(losses, expected, rtol=1e-6)
    normed = tg.vmap(lambda row: tg.nn.functional.layer_norm(row, (3,)))(scores)
    assert_allclose(normed, tg.nn.functional.layer_norm(scores, (3,)), rtol=1e-5)
    assert not looped
