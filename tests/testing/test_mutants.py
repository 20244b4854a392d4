"""The mutation suite, a small one: its instances are what they say, and the checker finds, names and explains them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.gradcheck_mutants import generator, judge, points, tables
from benchmarks.gradcheck_mutants.generator import Instance, clean, mutant
from benchmarks.gradcheck_mutants.judge import Verdict
from benchmarks.gradcheck_mutants.operators import OPERATORS
from tensorgrad._primitive import registry
from tensorgrad.testing import check
from tensorgrad.testing.case import random_like
from tensorgrad.testing.report import LABELS

SEED = 20261121
DEEPEST = 6
"""Layers; the whole suite goes to 50."""
EACH = 2
CLEAN = 25


@pytest.fixture(scope="module")
def instances() -> list[Instance]:
    return [mutant(SEED, k, DEEPEST) for k in range(EACH * len(OPERATORS))]


@pytest.fixture(scope="module")
def verdicts(instances: list[Instance]) -> list[Verdict]:
    return [judge.judge(one, check) for one in instances]


def test_every_kind_of_fault_has_a_label_of_reports() -> None:
    labels = [operator.label for operator in OPERATORS]
    assert len(set(labels)) == len(labels) >= 14
    assert set(labels) <= set(LABELS) - {"unknown"}


def test_every_differentiable_card_takes_part() -> None:
    """All but the fused: tests/laws/test_fused.py holds each of those to its composite, whose ops take part."""
    assert set(points.names()) == {
        n for n, card in registry.items() if card.formulas and card.composite is None
    }


def test_kinds_of_fault_come_in_turn_and_cards_differ(instances: list[Instance]) -> None:
    for k, operator in enumerate(OPERATORS):
        mine = instances[k :: len(OPERATORS)]
        assert {one.operator for one in mine} == {operator}
        assert len({one.card for one in mine}) == EACH
    assert all(1 <= one.graph.depth <= DEEPEST for one in instances)


def test_an_instance_follows_from_seed_and_number() -> None:
    for k in range(len(OPERATORS)):
        one, two = mutant(SEED + 1, k, DEEPEST), mutant(SEED + 1, k, DEEPEST)
        assert (one.card, one.graph.depth, one.graph.place) == (two.card, two.graph.depth, two.graph.place)
        for a, b in zip(one.inputs, two.inputs, strict=True):
            np.testing.assert_array_equal(a, b)
    others = [mutant(SEED + 2, k, DEEPEST).card for k in range(6)]
    assert others != [mutant(SEED + 1, k, DEEPEST).card for k in range(6)]


@pytest.mark.parametrize("label", ["sign flipped", "factor", "transposed", "single entry", "not finite"])
def test_the_gradient_of_a_mutant_is_wrong_and_the_one_of_its_graph_right(
    instances: list[Instance], label: str
) -> None:
    for one in instances:
        if one.operator is None or one.operator.label != label:
            continue
        right = one.graph.function(one.graph.point.card.op)
        gs = [random_like(np.asarray(y), 9) for y in generator._listed(right(*one.inputs))]
        with np.errstate(all="ignore"):
            wrong = generator.pulled(one.function, one.inputs, gs)
        expected = generator.pulled(right, one.inputs, gs)
        assert all(np.isfinite(c).all() for c in expected)
        assert not all(np.allclose(w, c, rtol=1e-7, atol=0) for w, c in zip(wrong, expected, strict=True))


def test_as_a_pair_of_functions_on_arrays(instances: list[Instance]) -> None:
    for one in instances[:8]:
        f, f_vjp = one.pair()
        y = f(*one.inputs)
        gs = tuple([np.ones(part.shape) for part in (y if isinstance(y, tuple) else (y,))])
        found = f_vjp(tuple(one.inputs), y, gs if isinstance(y, tuple) else gs[0])
        assert [c.shape for c in found] == [x.shape for x in one.inputs]


def test_faults_are_found_named_and_explained(verdicts: list[Verdict]) -> None:
    have = tables.shares(verdicts)
    lines = tables.misses(verdicts, SEED)
    assert have["found"] >= 0.98, lines
    assert have["named"] >= 0.94, lines
    assert have["diagnosed"] >= 0.85, lines


def test_clean_graphs_are_not_accused() -> None:
    accused = [one for k in range(CLEAN) if (one := judge.judge(clean(SEED, k, DEEPEST), check)).found]
    assert not accused, tables.misses(accused, SEED)


def test_a_check_that_breaks_finds_nothing_and_accuses_the_clean() -> None:
    def breaks(f: object, inputs: object) -> None:
        raise ZeroDivisionError("no")

    assert not judge.judge(mutant(SEED, 0, DEEPEST), breaks).found  # type: ignore[arg-type]
    assert judge.judge(clean(SEED, 0, DEEPEST), breaks).found  # type: ignore[arg-type]


def test_limits_that_are_missed_are_said(verdicts: list[Verdict]) -> None:
    assert tables.missed([], verdicts[:2], ()) == ["2 clean graphs accused, required 0"]
    assert "| all" in tables.mutants(verdicts, {})
