"""The re-created bugs are what they say: the right derivative is right, the faulty one is wrong as published."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.gradcheck_mutants.published import PUBLISHED, Published
from tensorgrad.testing.differences import central, step_for
from tensorgrad.testing.report import LABELS

SEEDS = range(3)
VALUES_RIGHT = {"upstream mutated", "wrong dtype", "stale value"}
every_bug = pytest.mark.parametrize("bug", PUBLISHED, ids=lambda bug: bug.name)
every_seed = pytest.mark.parametrize("seed", SEEDS)


def drawn(bug: Published, seed: int):
    """Inputs, the result and an upstream gradient."""
    rng = np.random.default_rng(seed)
    inputs = bug.inputs(rng)
    y = bug.f(*inputs)
    return inputs, y, np.asarray(rng.standard_normal(np.shape(y)), dtype=y.dtype)


def by_differences(bug: Published, inputs, g):
    exact = [x.astype(np.float64) for x in inputs]
    slopes = (
        central(lambda *a: (bug.f(*a),), exact, i, step_for(np.dtype(float))) for i in range(len(exact))
    )
    return [(np.ravel(g).astype(float) @ s).reshape(x.shape) for s, x in zip(slopes, exact, strict=True)]


def distance(found, expected) -> float:
    """How far the gradients are apart, relative to the largest entry; infinite where they cannot be compared."""
    if any(np.shape(a) != np.shape(b) for a, b in zip(found, expected, strict=True)):
        return np.inf
    size = max(np.abs(e).max() for e in expected)
    off = max(np.abs(a - b).max() for a, b in zip(found, expected, strict=True)) / size
    return float(np.nan_to_num(off, nan=np.inf))


@every_seed
@every_bug
def test_the_right_derivative_agrees_with_differences(bug: Published, seed: int) -> None:
    inputs, y, g = drawn(bug, seed)
    upstream = g.copy()
    found = bug.right_vjp(inputs, y, g)
    accuracy = 1e-5 if inputs[0].dtype == np.float32 else 1e-7
    assert distance(found, by_differences(bug, inputs, g)) < accuracy
    assert [a.dtype for a in found] == [x.dtype for x in inputs]
    np.testing.assert_array_equal(g, upstream)


@every_seed
@every_bug
def test_the_fault_shows(bug: Published, seed: int) -> None:
    inputs, y, g = drawn(bug, seed)
    given, upstream = [x.copy() for x in inputs], g.copy()
    expected = by_differences(bug, inputs, g)
    bug.f(*inputs)
    found = bug.f_vjp(inputs, y, g)
    off = distance(found, expected)
    for x, before in zip(inputs, given, strict=True):
        np.testing.assert_array_equal(x, before)
    assert (
        off < 1e-5 if bug.label in VALUES_RIGHT else off > (1e-7 if bug.label == "precision loss" else 1e-4)
    )
    assert np.array_equal(g, upstream) == (bug.label != "upstream mutated")
    if not np.isinf(off):
        assert (found[0].dtype == inputs[0].dtype) == (bug.label != "wrong dtype")
        assert np.sum(np.abs(found[0] - expected[0]) > 1e-4) == 1 or bug.label != "single entry"
    if bug.label == "not finite":
        assert np.isfinite(expected[0]).all() and not np.isfinite(found[0]).all()
    if bug.label == "stale value":
        bug.f(*(x + 1 for x in inputs))
        assert distance(bug.f_vjp(inputs, y, g), expected) > 1e-4


@every_bug
def test_it_names_its_thread_and_a_diagnosis(bug: Published) -> None:
    assert re.match(r"^[\w.-]+(/[\w.-]+)?#\d+$", bug.issue)
    assert bug.label in LABELS
    assert bug.order in (1, 2)
    assert 4 <= sum(x.size for x in bug.inputs(np.random.default_rng(0))) <= 60


def test_there_are_many_and_they_differ() -> None:
    assert len(PUBLISHED) >= 30
    assert len({bug.name for bug in PUBLISHED}) == len({bug.issue for bug in PUBLISHED}) == len(PUBLISHED)
    assert {bug.label for bug in PUBLISHED} == set(LABELS) - {"nondeterministic", "unknown"}
