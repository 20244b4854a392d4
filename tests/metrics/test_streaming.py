"""Batches, in any cut and in parts that are joined, say what all data at once says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import metrics as M

Data = tuple[np.ndarray, np.ndarray]


def scores(rng: np.random.Generator, n: int) -> Data:
    return rng.integers(0, 5, (n, 4)) / 4, np.concatenate([np.arange(4), rng.integers(0, 4, n - 4)])


def chances(rng: np.random.Generator, n: int) -> Data:
    made, true = scores(rng, n)
    return (made + 0.1) / (made + 0.1).sum(1, keepdims=True), true


def numbers(rng: np.random.Generator, n: int) -> Data:
    return rng.normal(1e3, 1, (n, 2)), rng.normal(1e3, 1, (n, 2))


CASES: dict[str, tuple[Callable[[], Any], Callable[..., Any], Callable[..., Data], bool]] = {
    "accuracy": (M.Accuracy, M.accuracy, scores, True),
    "top 2": (lambda: M.Accuracy(top_k=2), lambda p, t: M.accuracy(p, t, top_k=2), scores, True),
    "confusion": (M.ConfusionMatrix, M.confusion_matrix, scores, True),
    "precision": (
        lambda: M.Precision(average="macro"), lambda p, t: M.precision(p, t, average="macro"), scores, True
    ),
    "recall": (lambda: M.Recall(average="weighted"), lambda p, t: M.recall(p, t, average="weighted"), scores, True),
    "f1": (lambda: M.F1(average="micro"), lambda p, t: M.f1(p, t, average="micro"), scores, True),
    "f1 of labels": (
        lambda: M.F1(average=None), lambda p, t: M.f1(p, t, average=None),
        lambda rng, n: (rng.integers(0, 6, n), rng.integers(0, 6, n)), True,
    ),
    "roc auc": (M.ROCAUC, M.roc_auc, scores, True),
    "average precision": (M.AveragePrecision, M.average_precision, scores, True),
    "log-loss": (M.LogLoss, M.log_loss, chances, False),
    "perplexity": (M.Perplexity, M.perplexity, chances, False),
    "mae": (M.MeanAbsoluteError, M.mean_absolute_error, numbers, False),
    "mse": (M.MeanSquaredError, M.mean_squared_error, numbers, False),
    "rmse": (M.RootMeanSquaredError, M.root_mean_squared_error, numbers, False),
    "r2": (M.R2, M.r2_score, numbers, False),
    "regression accuracy": (M.RegressionAccuracy, M.regression_accuracy, numbers, True),
    "near": (
        lambda: M.RegressionAccuracy(tolerance=0.5),
        lambda p, t: M.regression_accuracy(p, t, tolerance=0.5), numbers, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 40), max_size=6), joined=st.integers(0, 6))
@settings(max_examples=25, deadline=None)
def test_batches_are_the_whole(name: str, seed: int, cuts: list[int], joined: int) -> None:
    make, function, data, exact = CASES[name]
    prediction, target = data(np.random.default_rng(seed), 40)
    parts = [make(), make()]
    for index, rows in enumerate(np.split(np.arange(40), sorted(cuts))):
        parts[index >= joined].update(prediction[rows], target[rows])
    both = parts[0] + parts[1]
    whole = function(prediction, target)
    np.testing.assert_allclose(both.compute(), whole, rtol=0 if exact else 1e-12)
    # Joining has left the parts alone; joining in place is the same.
    parts[1].merge(parts[0])
    np.testing.assert_allclose(parts[1].compute(), whole, rtol=0 if exact else 1e-12)
    both.reset()
    with pytest.raises(ValueError, match="there is no data"):
        both.compute()
    both.update(prediction, target)
    np.testing.assert_array_equal(both.compute(), whole)


def test_a_batch_that_is_refused_changes_nothing() -> None:
    for make, _, data, _ in CASES.values():
        metric = make()
        prediction, target = data(np.random.default_rng(0), 12)
        metric.update(prediction, target)
        before = np.array(metric.compute())
        with pytest.raises((ValueError, IndexError)):
            metric.update(np.concatenate([prediction, prediction]), target)
        np.testing.assert_array_equal(metric.compute(), before)


def test_what_was_taken_in_is_ones_own_to_change() -> None:
    metric, scores = M.ROCAUC(), np.array([0.1, 0.9])
    metric.update(scores, [0, 1])
    scores[:] = 0
    assert metric.compute() == 1
    matrix = M.ConfusionMatrix()
    matrix.update([0], [0])
    matrix.compute()[0, 0] = 9
    assert matrix.compute().tolist() == [[1]]


def test_only_the_same_kind_is_joined() -> None:
    with pytest.raises(TypeError, match=r"Accuracy\(threshold=0.5, top_k=1.*give metrics of one kind"):
        M.Accuracy() + M.Accuracy(top_k=2)
    with pytest.raises(TypeError, match="cannot take in"):
        M.MeanSquaredError() + M.RootMeanSquaredError()
    with pytest.raises(TypeError):
        M.Mean() + 1


def test_any_function_over_batches() -> None:
    metric = M.Collected(M.roc_curve, drop_intermediate=False)
    metric.update([0.1, 0.2], [0, 1])
    metric.update([0.3], [1])
    assert len(metric.compute()[0]) == 4
    with pytest.raises(ValueError, match="only the first axis may change"):
        metric.update([[0.3]], [1])


def test_a_state_goes_on_in_another() -> None:
    for make, function, data, _ in CASES.values():
        prediction, target = data(np.random.default_rng(3), 30)
        first, second = make(), make()
        first.update(prediction[:20], target[:20])
        state = first.state_dict()
        second.load_state_dict(state)
        first.update(prediction, target)  # the state is a copy
        second.update(prediction[20:], target[20:])
        np.testing.assert_allclose(second.compute(), function(prediction, target), rtol=1e-12)
        before = second.compute()
        with pytest.raises(tg.StateDictError, match="of another metric"):
            second.load_state_dict({"other": 1})
        np.testing.assert_array_equal(second.compute(), before)
