"""Metrics: values worked out by hand, exact counts, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import metrics as M

nan = math.nan


def test_accuracy_takes_scores_classes_and_single_scores() -> None:
    assert M.accuracy([[0.1, 0.9], [0.8, 0.2], [0.6, 0.4]], [1, 0, 1]) == 2 / 3
    assert M.accuracy([1, 0, 2], [1, 0, 1]) == 2 / 3
    assert M.accuracy([0.9, 0.5, 0.6], [1, 0, 0]) == 2 / 3
    assert M.accuracy([[0.9], [0.2]], [1, 1]) == M.accuracy([[0.9], [0.2]], [[1], [1]]) == 0.5
    assert M.accuracy([3.0, -0.2], [1, 0], threshold=0.0) == 1
    assert M.accuracy([True, False], [1.0, 1.0]) == 0.5
    assert M.accuracy([[0.1, 0.9], [0.8, 0.2]], [[0, 1], [0, 1]]) == 0.5
    assert M.accuracy(tg.tensor([[0.1, 0.9]], requires_grad=True), tg.tensor([1])) == 1
    maps = np.zeros((2, 3, 4, 5))
    maps[:, 2] = 1
    assert M.accuracy(maps, np.full((2, 4, 5), 2)) == 1
    assert M.accuracy(np.moveaxis(maps, 1, -1), np.full((2, 4, 5), 2), axis=-1) == 1
    assert M.accuracy([[0.1, 0.9], [0.8, 0.2], [0.8, 0.2]], [1, -1, 1], ignore_index=-1) == 0.5
    assert M.accuracy([1, 0, 0], [1, -1, 1], ignore_index=-1) == 0.5


def test_top_k_agrees_with_argmax_where_scores_are_equal() -> None:
    scores = np.array([[0.5, 0.5, 0.5], [0.1, 0.7, 0.7], [0.9, 0.2, 0.9]])
    for true in range(3):
        target = [true] * 3
        shares = [M.accuracy(scores, target, top_k=k) for k in (1, 2, 3)]
        assert shares[0] == np.mean(scores.argmax(1) == true) and shares == sorted(shares)
        assert shares[2] == 1
    assert M.accuracy(scores, [1, 2, 2], top_k=2) == 1


def test_counts_are_exact() -> None:
    """A count in float32 would stop at 2**24."""
    metric = M.Accuracy()
    metric.update(np.ones(3, int), np.ones(3, int))
    metric._right = metric._count = 2**24
    metric.update([1], [0])
    assert metric.compute() == 2**24 / (2**24 + 1) != 1
    assert M.confusion_matrix([0], [0]).dtype == np.int64


def test_confusion_matrix() -> None:
    assert M.confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2]).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert M.confusion_matrix([1], [0], num_classes=3).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert M.confusion_matrix([0.7, 0.2], [0, 0]).tolist() == [[1, 1], [0, 0]]
    growing = M.ConfusionMatrix()
    growing.update([0], [0])
    growing.update([3], [1])
    assert growing.compute().sum() == 2 and growing.compute()[1, 3] == 1


MADE, TRUE = [0, 1, 1, 2, 2, 2], [0, 0, 1, 2, 2, 1]  # class by class: 1 of 1 of 2, 1 of 2 of 2, 2 of 3 of 2


def test_precision_recall_f1() -> None:
    assert M.precision(MADE, TRUE, average=None).tolist() == [1, 1 / 2, 2 / 3]
    assert M.recall(MADE, TRUE, average=None).tolist() == [1 / 2, 1 / 2, 1]
    assert M.f1(MADE, TRUE, average=None).tolist() == pytest.approx([2 / 3, 1 / 2, 4 / 5])
    for name in ("precision", "recall", "f1"):
        assert getattr(M, name)(MADE, TRUE, average="micro") == 4 / 6
        each = getattr(M, name)(MADE, TRUE, average=None)
        assert getattr(M, name)(MADE, TRUE, average="macro") == pytest.approx(each.mean())
    assert M.precision(MADE, TRUE, average="weighted") == pytest.approx((1 + 1 / 2 + 2 / 3) / 3)
    assert (M.precision([1, 1, 0], [1, 0, 1]), M.recall([1, 1, 0, 0], [1, 1, 1, 1])) == (0.5, 0.5)
    with pytest.raises(ValueError, match="3 classes; give average="):
        M.f1(MADE, TRUE)
    with pytest.raises(ValueError, match="average is 'mean'"):
        M.f1(MADE, TRUE, average="mean")  # type: ignore[arg-type]


@pytest.mark.parametrize("zero", [0.0, 1.0, nan])
def test_division_by_zero_is_what_was_asked_for(zero: float) -> None:
    same: Any = pytest.approx(zero, nan_ok=True)
    assert M.precision([0, 0], [1, 0], zero_division=zero) == same
    assert M.recall([1, 0], [0, 0], zero_division=zero) == same
    assert M.f1([0, 0], [0, 0], zero_division=zero) == same
    assert M.f1([0, 0], [1, 0], zero_division=zero) == 0
    macro = M.precision([0, 0], [0, 1], average="macro", zero_division=zero)
    assert macro == (0.5 if zero != zero else (0.5 + zero) / 2)


def test_curves() -> None:
    scores, true = [0.9, 0.8, 0.8, 0.3, 0.1], [1, 0, 1, 1, 0]
    false, hits, at = M.roc_curve(scores, true)
    assert false.tolist() == [0, 0, 0.5, 0.5, 1] and at.tolist() == [math.inf, 0.9, 0.8, 0.3, 0.1]
    assert hits.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert M.roc_auc(scores, true) == pytest.approx((3 + 1.5) / 6)  # of 6 pairs 4 are right, one is tied
    assert M.roc_auc([0.2, 0.2], [0, 1]) == 0.5 and M.roc_auc([0.9, 0.1], [0, 1]) == 0
    precision, recall, _ = M.precision_recall_curve(scores, true)
    assert precision.tolist() == pytest.approx([3 / 5, 3 / 4, 2 / 3, 1, 1])
    assert recall.tolist() == pytest.approx([1, 1, 2 / 3, 1 / 3, 0])
    assert M.average_precision(scores, true) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    straight = M.roc_curve(np.arange(9.0), np.arange(9) > 5)[0]
    assert (
        len(straight) < len(M.roc_curve(np.arange(9.0), np.arange(9) > 5, drop_intermediate=False)[0]) == 10
    )


def test_one_against_the_rest() -> None:
    scores, true = np.eye(3)[[0, 1, 2, 0]] + [[0, 0, 0.5]] * 4, [0, 1, 2, 1]
    each = [M.roc_auc(scores[:, c], np.equal(true, c)) for c in range(3)]
    assert M.roc_auc(scores, true, average=None).tolist() == each
    assert M.roc_auc(scores, true) == pytest.approx(np.mean(each))
    assert M.roc_auc(scores, true, average="weighted") == pytest.approx(np.dot(each, [1, 2, 1]) / 4)
    assert M.roc_auc([[0.3, 0.7], [0.6, 0.4]], [1, 0]) == 1
    assert M.average_precision(np.eye(3), [0, 1, 2]) == 1


def test_likelihoods() -> None:
    # Neural Networks from Scratch, chapter 5
    chances = [[0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.02, 0.9, 0.08]]
    assert M.log_loss(chances, [0, 1, 1]) == pytest.approx(0.38506088005216804, abs=1e-16)
    assert M.log_loss([0.8, 0.4], [1, 0]) == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)
    assert M.log_loss([[0.8], [0.4]], [1, 0]) == M.log_loss([0.8, 0.4], [1, 0])
    assert M.log_loss([0.0], [1]) == pytest.approx(-math.log(2.0**-52))
    assert M.log_loss(np.float32([1, 0]), [0, 1]) == pytest.approx(-math.log(2.0**-23))
    logits = np.log(np.array(chances)) + 7
    assert M.perplexity(logits, [0, 1, 1]) == pytest.approx(math.exp(0.38506088005216804))
    assert M.perplexity(np.zeros((2, 5, 3)), np.zeros((2, 3), int)) == pytest.approx(5)
    assert M.perplexity(np.zeros((2, 3, 5)), [[1, 2, -100], [4, -100, 0]], axis=-1) == pytest.approx(5)
    assert M.perplexity([[0.0, -math.inf]], [1]) == math.inf and M.perplexity([[0.0, 5e3]], [0]) == math.inf
    assert M.perplexity(np.array([[1e30, 0.0]]), [0]) == 1


def test_regression() -> None:
    made, true = [1.0, 2.0, 4.0], [1.0, 2.0, 3.0]
    assert M.mean_absolute_error(made, true) == M.mean_squared_error(made, true) == pytest.approx(1 / 3)
    assert M.root_mean_squared_error(made, true) == pytest.approx(math.sqrt(1 / 3))
    assert M.r2_score(made, true) == 0.5 and M.r2_score(true, true) == 1
    columns = np.array([[1.0, 10.0], [2.0, 30.0]]), np.array([[1.0, 20.0], [4.0, 20.0]])
    assert M.mean_absolute_error(*columns) == pytest.approx((1 + 10) / 2)
    assert M.root_mean_squared_error(*columns) == pytest.approx((math.sqrt(2) + 10) / 2)
    assert M.r2_score(*columns) == pytest.approx((1 - 4 / 4.5 + 0) / 2)
    constant = np.full(7, 0.1)
    assert M.r2_score(constant, constant) == 1 and M.r2_score(constant + 1, constant) == 0


def test_regression_accuracy_of_the_book() -> None:
    true = np.linspace(-1, 1, 101)
    limit = true.std() / 250
    made = true + np.where(np.arange(101) < 40, 0.99, 1.01) * limit
    assert M.regression_accuracy(made, true) == M.regression_accuracy(made, true, tolerance=limit) == 40 / 101
    assert M.regression_accuracy([1.0], [1.0]) == 0  # nothing is nearer than a spread of zero


def test_mean() -> None:
    mean = M.Mean()
    mean.update(tg.tensor(2.0), 3)
    mean.update(4.0)
    mean.update(1e9, 0)
    assert mean.compute() == 2.5
    mean.reset()
    with pytest.raises(ValueError, match="no data"):
        mean.compute()
    with pytest.raises(ValueError, match="weight is -1"):
        mean.update(1.0, -1)
    mean.update(nan)
    assert math.isnan(mean.compute())


# ---- what is refused

CLASSES = [M.accuracy, M.confusion_matrix, M.precision, M.recall, M.f1]
RANKS = [M.roc_curve, M.roc_auc, M.precision_recall_curve, M.average_precision]
NUMBERS = [
    M.mean_absolute_error, M.mean_squared_error, M.root_mean_squared_error, M.r2_score, M.regression_accuracy
]  # fmt: skip


@pytest.mark.parametrize("metric", [*CLASSES, *RANKS, *NUMBERS, M.log_loss])
def test_no_data_other_lengths_nan_and_text(metric: Any) -> None:
    with pytest.raises(ValueError, match="no data"):
        metric(np.zeros(0), np.zeros(0, int))
    with pytest.raises(tg.ShapeError, match=r"prediction has shape \(2,\), target \(3,\)"):
        metric([0.5, 0.5], [1, 0, 1])
    with pytest.raises(ValueError, match="prediction has 1 NaN among 2 values"):
        metric([0.5, nan], [1, 0])
    with pytest.raises(tg.DtypeError, match="prediction has dtype <U1; give real numbers"):
        metric(["a", "b"], [1, 0])


@pytest.mark.parametrize("metric", [*CLASSES, M.log_loss, M.perplexity, M.roc_auc, M.average_precision])
def test_classes_out_of_range(metric: Any) -> None:
    scores = np.full((4, 4), 0.25)
    for wrong, message in ((4, "not one of the 4 classes, 0 to 3"), (-1, "not one of the 4")):
        with pytest.raises(tg.IndexingError, match=f"target {wrong} at position 2 is {message}"):
            metric(scores, [0, 1, wrong, 3])
    with pytest.raises(tg.DtypeError, match="target has fractions"):
        metric(scores, [0.5, 1, 2, 3])
    with pytest.raises(tg.ShapeError, match="target"):
        metric(scores, [[0, 1], [2, 3]])


def test_further_errors() -> None:
    with pytest.raises(tg.IndexingError, match="prediction -2 at position 1 is negative"):
        M.accuracy([1, -2], [0, 0])
    with pytest.raises(tg.IndexingError, match="not one of the 2 classes"):
        M.accuracy([0.5, 0.7], [0, 2])
    with pytest.raises(tg.IndexingError, match="prediction 3 at position 0 is not one of the 2"):
        M.confusion_matrix([3], [0], num_classes=2)
    with pytest.raises(ValueError, match="of 4 classes, and num_classes is 3"):
        M.confusion_matrix(np.eye(4), [0, 1, 2, 2], num_classes=3)
    with pytest.raises(ValueError, match="a single 1"):
        M.accuracy([[0.1, 0.9], [0.8, 0.2]], [[1, 1], [0, 1]])
    with pytest.raises(ValueError, match="top_k is 3, and there are 2"):
        M.accuracy(np.eye(2), [0, 1], top_k=3)
    with pytest.raises(ValueError, match="top_k is 0"):
        M.accuracy(np.eye(2), [0, 1], top_k=0)
    with pytest.raises(tg.ShapeError, match="give scores of shape"):
        M.accuracy([0.5, 0.2], [0, 1], top_k=2)
    with pytest.raises(ValueError, match="of 2 targets none is of class 1"):
        M.roc_auc([0.1, 0.2], [0, 0])
    with pytest.raises(ValueError, match="of 3 targets none is of class 2"):
        M.roc_auc(np.eye(3), [0, 1, 1])
    with pytest.raises(ValueError, match="give probabilities from 0 to 1"):
        M.log_loss([[2.0, -1.0]], [0])
    with pytest.raises(ValueError, match=r"sample 1 sum to 0\.8"):
        M.log_loss([[0.5, 0.5], [0.4, 0.4]], [0, 0])
    with pytest.raises(ValueError, match="one sample"):
        M.r2_score([1.0], [1.0])
    with pytest.raises(tg.ShapeError, match="same shape"):
        M.mean_squared_error(np.zeros((3, 1)), np.zeros(3))
    with pytest.raises(ValueError, match="tolerance is 0"):
        M.regression_accuracy([1.0], [1.0], tolerance=0)
