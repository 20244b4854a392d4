"""Metrics agree with scikit-learn's, on data with ties, missing classes and imbalance."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from tensorgrad import metrics as M

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    theirs = pytest.importorskip("sklearn.metrics")

SEEDS = range(12)
same = np.testing.assert_allclose


def labels(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    odds = rng.dirichlet(np.ones(6) * 0.5)
    return rng.choice(6, 60, p=odds), rng.choice(6, 60, p=odds)


def ranked(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 2, 80)
    return np.round(rng.normal(true * 0.7, 1.0), seed % 3), true


def chances(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(4), 50), np.concatenate([np.arange(4), rng.integers(0, 4, 46)])


@pytest.mark.parametrize("seed", SEEDS)
def test_classes(seed: int) -> None:
    made, true = labels(seed)
    assert M.accuracy(made, true) == theirs.accuracy_score(true, made)
    same(M.confusion_matrix(made, true, num_classes=6), theirs.confusion_matrix(true, made, labels=range(6)))
    pairs = ((M.precision, theirs.precision_score), (M.recall, theirs.recall_score), (M.f1, theirs.f1_score))
    for mine, peer in pairs:
        for zero in (0.0, 1.0, math.nan):
            for average in ("micro", "macro", "weighted"):
                wanted = peer(true, made, average=average, zero_division=zero)
                same(mine(made, true, average=average, zero_division=zero), wanted, rtol=1e-12)
            wanted = peer(true, made, average=None, labels=range(6), zero_division=zero)
            same(mine(made, true, average=None, num_classes=6, zero_division=zero), wanted, rtol=1e-12)
            two = made > 2, true > 4
            wanted = peer(two[1], two[0], zero_division=zero)
            same(mine(*two, zero_division=zero), wanted, rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_top_k(seed: int) -> None:
    made, true = chances(seed)
    for k in (1, 2, 3):
        assert M.accuracy(made, true, top_k=k) == pytest.approx(theirs.top_k_accuracy_score(true, made, k=k))


@pytest.mark.parametrize("seed", SEEDS)
def test_curves(seed: int) -> None:
    made, true = ranked(seed)
    for drop in (True, False):
        for mine, peer in zip(
            M.roc_curve(made, true, drop_intermediate=drop),
            theirs.roc_curve(true, made, drop_intermediate=drop),
            strict=True,
        ):
            same(mine, peer, rtol=1e-12)
    for mine, peer in zip(
        M.precision_recall_curve(made, true), theirs.precision_recall_curve(true, made), strict=True
    ):
        same(mine, peer, rtol=1e-12)
    same(M.roc_auc(made, true), theirs.roc_auc_score(true, made), rtol=1e-12)
    same(M.average_precision(made, true), theirs.average_precision_score(true, made), rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_several_classes(seed: int) -> None:
    made, true = chances(seed)
    average: Any
    for average in ("macro", "weighted", None):
        wanted = theirs.roc_auc_score(true, made, multi_class="ovr", average=average)
        same(M.roc_auc(made, true, average=average), wanted, rtol=1e-12)
        wanted = theirs.average_precision_score(true, made, average=average)
        same(M.average_precision(made, true, average=average), wanted, rtol=1e-12)
    same(M.log_loss(made, true), theirs.log_loss(true, made), rtol=1e-12)
    same(M.log_loss(made[:, 0], true > 1), theirs.log_loss(true > 1, made[:, 0]), rtol=1e-12)


@pytest.mark.parametrize("shape", [(30,), (30, 3)])
@pytest.mark.parametrize("seed", SEEDS)
def test_numbers(seed: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    true = rng.normal(5, 2, shape)
    made = true + rng.normal(0, 3, shape)
    if seed == 0:
        true[...] = 3.0
    for name in ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2_score"):
        same(getattr(M, name)(made, true), getattr(theirs, name)(true, made), rtol=1e-12, err_msg=name)
        same(getattr(M, name)(true, true), getattr(theirs, name)(true, true), err_msg=name)
