"""What losses refuse: labels that name no class, shapes that would broadcast, numbers out of range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F

X = np.zeros((3, 4))
V = np.zeros(3)
ROW = np.array([0, 1, 2])

BY_LABELS: dict[str, Callable[[Any], Any]] = {
    "cross_entropy": lambda labels: F.cross_entropy(X, labels),
    "nll_loss": lambda labels: F.nll_loss(X, labels),
    "categorical_cross_entropy": lambda labels: F.categorical_cross_entropy(X + 0.25, labels),
    "softmax_focal_loss": lambda labels: F.softmax_focal_loss(X, labels),
    "multi_margin_loss": lambda labels: F.multi_margin_loss(X, labels),
}


@pytest.mark.parametrize("name", BY_LABELS)
@pytest.mark.parametrize("lift", [np.asarray, tg.tensor, list])
def test_labels_must_name_a_class(name: str, lift: Any) -> None:
    for bad in (4, -1, -101):
        with pytest.raises(
            tg.IndexingError, match=f"{name}: label {bad} at 1; there are 4 classes, from 0 to 3"
        ):
            BY_LABELS[name](lift([0, bad, 1]))
    with pytest.raises(tg.DtypeError, match=f"{name}: labels of dtype float(32|64) given; .* from 0 to 3"):
        BY_LABELS[name](lift([0.0, 1.0, 1.0]))
    with pytest.raises(tg.DtypeError, match=f"{name}: labels of dtype bool"):
        BY_LABELS[name](lift([True, False, True]))
    with pytest.raises(tg.ShapeError, match=rf"{name}: target has shape \(2,\); .* \(3,\)"):
        BY_LABELS[name](lift([0, 1]))


def test_a_label_out_of_range_is_refused_before_anything_is_recorded() -> None:
    x = tg.tensor(X, requires_grad=True)
    with pytest.raises(tg.IndexingError):
        F.cross_entropy(x, np.array([0, 4, 1]))
    assert x.grad is None
    F.cross_entropy(x, ROW).backward()
    assert x.grad is not None


def test_minus_one_is_a_label_only_where_it_is_ignored() -> None:
    assert F.cross_entropy(X, [0, -1, 1], ignore_index=-1) == F.cross_entropy(X[:2], [0, 1])
    with pytest.raises(tg.IndexingError, match="label -100"):
        F.cross_entropy(X, [0, -100, 1], ignore_index=-1)
    with pytest.raises(tg.IndexingError, match=r"multilabel_margin_loss: label -2 at \(0, 1\)"):
        F.multilabel_margin_loss(X[:1], [[0, -2, -1, -1]])


def test_labels_in_the_shape_of_the_scores() -> None:
    with pytest.raises(tg.DtypeError, match=r"cross_entropy: target has the shape .* probabilities .* int64"):
        F.cross_entropy(X, np.zeros((3, 4), int))


PAIRS: dict[str, Callable[..., Any]] = {
    name: getattr(F, name)
    for name in (
        "mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "log_cosh_loss", "kl_div", "poisson_nll_loss",
        "binary_cross_entropy", "binary_cross_entropy_with_logits", "clipped_binary_cross_entropy",
        "multilabel_soft_margin_loss", "sigmoid_focal_loss", "dice_loss", "hinge_embedding_loss",
        "soft_margin_loss",
    )
}  # fmt: skip
PAIRS["gaussian_nll_loss"] = lambda x, t: F.gaussian_nll_loss(x, t, 1.0)
PAIRS["margin_ranking_loss"] = lambda x, t: F.margin_ranking_loss(x, np.zeros_like(x), t)


@pytest.mark.parametrize("name", PAIRS)
def test_shapes_do_not_broadcast(name: str) -> None:
    """The classic: predictions (N, 1) beside targets (N,) are N * N differences."""
    with pytest.raises(
        tg.ShapeError, match=rf"{name}: input \(3, 1\), target \(3,\); their shapes must be equal"
    ):
        PAIRS[name](np.zeros((3, 1)), np.ones(3))
    with pytest.raises(tg.DtypeError, match=f"{name}: input has dtype int64; floating numbers are needed"):
        PAIRS[name](ROW, V)
    with pytest.raises(tg.DtypeError, match=f"{name}: target has dtype complex128; real numbers are needed"):
        PAIRS[name](V, V * 1j)


@pytest.mark.parametrize(
    "name",
    ["binary_cross_entropy", "binary_cross_entropy_with_logits", "sigmoid_focal_loss", "dice_loss",
     "multilabel_soft_margin_loss", "clipped_binary_cross_entropy"],
)  # fmt: skip
def test_decisions_are_between_0_and_1(name: str) -> None:
    for bad in (-1.0, 2.0):
        with pytest.raises(
            tg.ShapeError, match=rf"{name}: target {bad} at \(0, 2\); each is between 0 and 1"
        ):
            PAIRS[name](np.full((1, 3), 0.5), np.array([[0.0, 1.0, bad]]))
    PAIRS[name](np.full((1, 1), 0.5), np.array([[1 + 1e-15]]))  # a mixture of ones, rounded


@pytest.mark.parametrize("name", ["hinge_embedding_loss", "soft_margin_loss", "margin_ranking_loss"])
def test_signs_are_1_and_minus_1(name: str) -> None:
    with pytest.raises(tg.ShapeError, match=f"{name}: target 0.0 at 1; targets are 1 and -1"):
        PAIRS[name](V, np.array([1.0, 0.0, -1.0]))


FRAMES = np.zeros((5, 2, 3))
CALLS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: F.mse_loss(V, V, reduction="average"), tg.ShapeError, "mse_loss: reduction is 'average'"),
    (lambda: F.kl_div(V, V - 1), tg.ShapeError, "kl_div: target -1.0 at 0; each is at least 0"),
    (
        lambda: F.mse_loss(V, V, weight=np.ones(2)),
        tg.ShapeError,
        r"mse_loss: weight \(2,\) does not broadcast",
    ),
    (lambda: F.mse_loss(V, V, weight=np.ones((2, 3))), tg.ShapeError, r"weight \(2, 3\) does not"),
    (lambda: F.huber_loss(V, V, delta=0.0), tg.ShapeError, "huber_loss: delta is 0.0"),
    (lambda: F.smooth_l1_loss(V, V, beta=-1.0), tg.ShapeError, "smooth_l1_loss: beta is -1.0"),
    (lambda: F.gaussian_nll_loss(V, V, V - 1), tg.ShapeError, "gaussian_nll_loss: var -1.0 at 0"),
    (
        lambda: F.gaussian_nll_loss(X, X, np.ones(4)),
        tg.ShapeError,
        r"gaussian_nll_loss: var \(4,\) for input",
    ),
    (lambda: F.gaussian_nll_loss(V, V, 1.0, eps=0.0), tg.ShapeError, "gaussian_nll_loss: eps is 0.0"),
    (lambda: F.cross_entropy(X, ROW, np.ones(3)), tg.ShapeError, r"weight has shape \(3,\); .* 4 classes"),
    (lambda: F.cross_entropy(X, ROW, label_smoothing=1.5), tg.ShapeError, "label_smoothing is 1.5"),
    (lambda: F.cross_entropy(X, X - 1), tg.ShapeError, r"cross_entropy: target -1.0 at \(0, 0\)"),
    (lambda: F.cross_entropy(X.astype(int), ROW), tg.DtypeError, "cross_entropy: input has dtype int64"),
    (lambda: F.cross_entropy(np.zeros(()), 0), tg.ShapeError, r"input has shape \(\); \(N, C\)"),
    (lambda: F.cross_entropy(np.zeros((2, 0)), [0, 0]), tg.ShapeError, r"input has shape \(2, 0\)"),
    (lambda: F.categorical_cross_entropy(X + 2, ROW), tg.ShapeError, "probabilities 2.0 at"),
    (lambda: F.categorical_cross_entropy(X, ROW, clip=0.5), tg.ShapeError, "clip is 0.5"),
    (lambda: F.softmax_focal_loss(X, ROW, -1.0), tg.ShapeError, "softmax_focal_loss: gamma is -1.0"),
    (lambda: F.sigmoid_focal_loss(V, V, 1.5), tg.ShapeError, "sigmoid_focal_loss: alpha is 1.5"),
    (lambda: F.binary_cross_entropy(V + 2, V), tg.ShapeError, "binary_cross_entropy: input 2.0 at 0"),
    (lambda: F.binary_cross_entropy_with_logits(V, V, pos_weight=V[:2]), tg.ShapeError, "pos_weight"),
    (lambda: F.dice_loss(V, V), tg.ShapeError, r"dice_loss: input has shape \(3,\)"),
    (lambda: F.multi_margin_loss(X, ROW, 3), tg.ShapeError, "multi_margin_loss: p is 3"),
    (lambda: F.multi_margin_loss(X[None], ROW), tg.ShapeError, r"input has shape \(1, 3, 4\)"),
    (lambda: F.multilabel_margin_loss(X, ROW), tg.ShapeError, r"input \(3, 4\), target \(3,\)"),
    (lambda: F.cosine_embedding_loss(X, X, 1), tg.ShapeError, r"target has shape \(\); .* \(3,\)"),
    (lambda: F.cosine_embedding_loss(X, V, [1, 1, 1]), tg.ShapeError, r"input1 \(3, 4\), input2 \(3,\)"),
    (
        lambda: F.cosine_embedding_loss(X, X, [1, 0, 1]),
        tg.ShapeError,
        "cosine_embedding_loss: target 0.0 at 1",
    ),
    (lambda: F.triplet_margin_loss(X, X, V), tg.ShapeError, r"negative \(3,\)"),
    (lambda: F.triplet_margin_loss(X, X, X, 0.0), tg.ShapeError, "margin is 0.0"),
    (lambda: F.info_nce_loss(X, X, temperature=0.0), tg.ShapeError, "temperature is 0.0"),
    (lambda: F.info_nce_loss(X, X, V), tg.ShapeError, r"info_nce_loss: negatives \(3,\)"),
    (
        lambda: F.pairwise_distance(X, np.zeros((2, 4))),
        tg.ShapeError,
        "pairwise_distance: .* do not broadcast",
    ),
    (lambda: F.cosine_similarity(X, 1.0), tg.ShapeError, r"cosine_similarity: x1 .* and x2 \(\)"),
    (lambda: F.ctc_loss(FRAMES, [[1, 3]] * 2, [5, 5], [1, 2]), tg.IndexingError, r"label 3 at \(1, 1\)"),
    (
        lambda: F.ctc_loss(FRAMES, [[1, 0]] * 2, [5, 5], [1, 2]),
        tg.IndexingError,
        r"label 0 .* 0 is the blank",
    ),
    (
        lambda: F.ctc_loss(FRAMES, [[1, 2]] * 2, [5, 6], [1, 2]),
        tg.ShapeError,
        "input_lengths run from 5 to 6",
    ),
    (lambda: F.ctc_loss(FRAMES, [[1, 2]] * 2, [5, 5], [1, -1]), tg.ShapeError, "target_lengths run from -1"),
    (lambda: F.ctc_loss(FRAMES, [[1, 2]] * 2, [5, 5], [1, 3]), tg.ShapeError, "a target length is 3"),
    (lambda: F.ctc_loss(FRAMES, [1, 2], [5, 5], [1, 2]), tg.ShapeError, "2 targets in a row .* sum 3"),
    (lambda: F.ctc_loss(FRAMES, [[1, 2]], [5, 5], [1, 2]), tg.ShapeError, r"targets has shape \(1, 2\)"),
    (lambda: F.ctc_loss(FRAMES, [[1, 2]] * 2, [5], [1, 2]), tg.ShapeError, r"input_lengths has shape \(1,\)"),
    (lambda: F.ctc_loss(FRAMES, [[1.0, 2]] * 2, [5, 5], [1, 2]), tg.DtypeError, "targets has dtype float64"),
    (lambda: F.ctc_loss(FRAMES, [[1, 2]] * 2, [5, 5], [1, 2], 3), tg.IndexingError, "blank is 3"),
    (lambda: F.ctc_loss(V, [1], 1, 1), tg.ShapeError, r"log_probs has shape \(3,\)"),
]


@pytest.mark.parametrize(("call", "error", "message"), CALLS, ids=range(len(CALLS)))
def test_a_call_that_is_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_the_mean_of_nothing_is_nan() -> None:
    assert np.isnan(F.mse_loss(V[:0], V[:0])) and F.mse_loss(V[:0], V[:0], reduction="sum") == 0
    assert np.isnan(F.cross_entropy(X[:0], ROW[:0])) and F.cross_entropy(X[:0], ROW[:0], reduction="sum") == 0


def test_the_adaptive_softmax_refuses() -> None:
    for cutoffs in ([], [0], [2, 2], [5, 3], [10], [2.5]):
        with pytest.raises(tg.ShapeError, match="AdaptiveLogSoftmaxWithLoss: cutoffs"):
            tg.nn.AdaptiveLogSoftmaxWithLoss(4, 10, cutoffs)
    layer = tg.nn.AdaptiveLogSoftmaxWithLoss(4, 10, [2, 5])
    with pytest.raises(tg.IndexingError, match="AdaptiveLogSoftmaxWithLoss: label 10 at 1"):
        layer(tg.tensor(X), [0, 10, 2])
    with pytest.raises(tg.ShapeError, match=r"target \(2,\); \(N, 4\) and \(N,\)"):
        layer(tg.tensor(X), [0, 1])
