"""Losses: the sources' figures, closed forms, edges where textbook forms break, gradients of both orders."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg
from tensorgrad.nn import functional as F

PROBABILITIES = np.array([[0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.02, 0.9, 0.08]])
TARGETS = np.array([0, 1, 1])
ONE_HOT = np.eye(3)[TARGETS]
generator = np.random.default_rng(3)


def normal(*shape: int) -> Any:
    return generator.normal(size=shape)


def uniform(*shape: int) -> Any:
    return generator.uniform(0.1, 0.9, size=shape)


# ---- the sources' figures


@pytest.mark.parametrize("target", [TARGETS, ONE_HOT, tg.tensor(TARGETS), TARGETS.tolist()])
def test_cross_entropy_of_the_sources(target: Any) -> None:
    assert float(F.categorical_cross_entropy(PROBABILITIES, target)) == 0.38506088005216804
    assert float(F.cross_entropy(np.log(PROBABILITIES), target)) == pytest.approx(
        0.38506088005216804, abs=1e-15
    )


def test_gradient_of_softmax_and_cross_entropy_of_the_sources() -> None:
    found = tg.grad(F.cross_entropy)(np.log(PROBABILITIES), TARGETS)
    printed = [[-0.1, 0.03333333, 0.06666667], [0.03333333, -0.16666667, 0.13333333]]
    printed += [[0.00666667, -0.03333333, 0.02666667]]
    assert (np.round(found, 8) == printed).all()


def test_gradient_of_the_clipped_form_is_that_of_the_book() -> None:
    found = tg.grad(F.categorical_cross_entropy)(PROBABILITIES, TARGETS)
    assert_allclose(found, -ONE_HOT / PROBABILITIES / 3, rtol=1e-15)


def test_clipping() -> None:
    certain = np.array([[1.0, 0.0], [1.0, 0.0]])
    losses = F.categorical_cross_entropy(certain, [0, 1], reduction="none")
    assert_allclose(losses, [-math.log(1 - 1e-7), -math.log(1e-7)], rtol=1e-12)
    assert not tg.grad(F.categorical_cross_entropy)(certain, [0, 1]).any()
    assert_allclose(F.clipped_binary_cross_entropy(np.array([0.0]), [1.0]), -math.log(1e-7), rtol=1e-12)


# ---- closed forms


def test_cross_entropy_in_every_shape() -> None:
    """A picture is its pixels, one by one."""
    x, labels = normal(2, 4, 3, 2), generator.integers(0, 4, size=(2, 3, 2))
    rows = np.moveaxis(x, 1, -1).reshape(-1, 4)
    expected = F.cross_entropy(rows, labels.reshape(-1), reduction="none").reshape(2, 3, 2)
    assert_allclose(F.cross_entropy(x, labels, reduction="none"), expected, rtol=1e-14)
    assert_allclose(F.cross_entropy(x[0, :, 0, 0], labels[0, 0, 0]), expected[0, 0, 0], rtol=1e-14)


def test_labels_and_one_hot_rows_are_the_same() -> None:
    x, labels = normal(5, 4), np.array([0, 3, 1, 1, 2])
    for options in ({}, {"label_smoothing": 0.2}):
        found = F.cross_entropy(x, np.eye(4)[labels], **options)
        assert_allclose(F.cross_entropy(x, labels, **options), found, rtol=1e-14)


def test_ignored_labels_count_nothing() -> None:
    x, labels = normal(5, 4), np.array([0, 9, 1, 9, 2])
    x[1] = -np.inf, 0, 0, 0  # a score that would make NaN of 0 times the loss
    kept = [0, 2, 4]
    for options in ({}, {"weight": np.array([1.0, 2, 3, 4])}):
        found = F.cross_entropy(x, labels, ignore_index=9, **options)
        assert_allclose(found, F.cross_entropy(x[kept], labels[kept], **options), rtol=1e-14)
    gradient = tg.grad(F.cross_entropy)(x, labels, ignore_index=9)
    assert not gradient[[1, 3]].any() and gradient[kept].all()
    nothing = np.full(5, 9)
    assert np.isnan(F.cross_entropy(x, nothing, ignore_index=9))
    assert F.cross_entropy(x, nothing, ignore_index=9, reduction="sum") == 0


def test_focal_losses_without_focus_are_cross_entropy() -> None:
    x, labels, weight = normal(5, 4), np.array([0, 3, 1, 1, 2]), uniform(4)
    found = F.softmax_focal_loss(x, labels, 0.0, weight)
    assert_allclose(found, F.cross_entropy(x, labels, weight), rtol=1e-14)
    t = np.array([[0.0, 1, 1, 0]] * 5)
    found = F.sigmoid_focal_loss(x, t, alpha=-1, gamma=0)
    assert_allclose(found, F.binary_cross_entropy_with_logits(x, t), rtol=1e-14)


def test_focal_losses_are_the_formula() -> None:
    x, t = normal(6), np.array([0.0, 1, 1, 0, 1, 0])
    p = 1 / (1 + np.exp(-x))
    right = np.where(t == 1, p, 1 - p)
    expected = -np.where(t == 1, 0.25, 0.75) * (1 - right) ** 2 * np.log(right)
    assert_allclose(F.sigmoid_focal_loss(x, t, reduction="none"), expected, rtol=1e-12)
    scores = np.stack([np.zeros(6), x], axis=1)
    expected = -((1 - right) ** 1.5) * np.log(right)
    assert_allclose(F.softmax_focal_loss(scores, t.astype(int), 1.5, reduction="none"), expected, rtol=1e-12)


@pytest.mark.parametrize("squared", [True, False])
def test_dice(squared: bool) -> None:
    p, t = uniform(2, 3, 4), np.round(uniform(2, 3, 4))
    sizes = (p**2 + t**2 if squared else p + t).sum((1, 2))
    expected = 1 - (2 * (p * t).sum((1, 2)) + 0.5) / (sizes + 0.5)
    found = F.dice_loss(p, t, smooth=0.5, squared=squared, reduction="none")
    assert_allclose(found, expected, rtol=1e-14)
    assert F.dice_loss(np.zeros((1, 3)), np.zeros((1, 3))) == 0


def test_info_nce() -> None:
    q, k, n = normal(3, 4), normal(3, 4), normal(3, 5, 4)

    def unit(x: Any) -> Any:
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    def expected(others: Any) -> list[float]:
        out = []
        for i in range(3):
            right = unit(q[i]) @ unit(k[i]) / 0.2
            out.append(np.log(np.exp(right) + np.exp(unit(others(i)) @ unit(q[i]) / 0.2).sum()) - right)
        return out

    def found(*negatives: Any) -> Any:
        return F.info_nce_loss(q, k, *negatives, temperature=0.2, reduction="none")

    assert_allclose(found(), expected(lambda i: np.delete(k, i, 0)), rtol=1e-12)
    assert_allclose(found(n[0]), expected(lambda i: n[0]), rtol=1e-12)
    assert_allclose(found(n), expected(lambda i: n[i]), rtol=1e-12)


def test_ctc_sums_every_path() -> None:
    x, labels = tg.log_softmax(normal(4, 3)), np.array([1, 2])
    total = 0.0
    for path in itertools.product(range(3), repeat=4):
        if [c for c, _ in itertools.groupby(path) if c] == labels.tolist():
            total += math.exp(sum(x[t, c] for t, c in enumerate(path)))
    assert_allclose(F.ctc_loss(x, labels, 4, 2, reduction="sum"), -math.log(total), rtol=1e-13)
    assert_allclose(F.ctc_loss(x, labels, 4, 2), -math.log(total) / 2, rtol=1e-13)


def test_ctc_is_blind_to_what_is_behind_the_lengths() -> None:
    x, labels = normal(6, 2, 4), np.array([[1, 3, 2], [2, 2, 2]])
    longer, wider = x.copy(), labels.copy()
    longer[4:, 0] = np.nan
    wider[0, 1:] = -7
    used, counts = [4, 6], [1, 3]
    a = tg.value_and_grad(lambda x: F.ctc_loss(x, labels, used, counts))(x)
    b = tg.value_and_grad(lambda x: F.ctc_loss(x, wider, used, counts))(longer)
    for y, z in zip(a, b, strict=True):
        assert_allclose(y, z, rtol=1e-14)


def test_ctc_of_impossible_classes() -> None:
    """Probabilities of 0 are no NaN, neither in the value nor in the gradient."""
    x = np.log(np.array([[0.5, 0.5, 0], [0, 1, 0], [0.5, 0.5, 0]]), where=[[1, 1, 0], [0, 1, 0], [1, 1, 0]],
               out=np.full((3, 3), -np.inf))  # fmt: skip
    value, gradient = tg.value_and_grad(lambda x: F.ctc_loss(x, [1], 3, 1))(x)
    assert_allclose(value, 0, atol=1e-15)
    assert_allclose(gradient, -np.exp(x), rtol=1e-14)
    value, gradient = tg.value_and_grad(lambda x: F.ctc_loss(x, [2], 3, 1))(x)
    assert value == np.inf and not gradient.any()


# ---- where textbook forms break


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_of_huge_scores_are_exact(dtype: Any) -> None:
    x, t = np.array([1e3, -1e3, 1e3, -1e3], dtype), np.array([0, 1, 1, 0], dtype)
    pull = tg.value_and_grad(lambda x: F.binary_cross_entropy_with_logits(x, t, reduction="sum"))
    value, gradient = pull(x)
    assert value == 2e3 and (gradient == [1, -1, 0, 0]).all() and gradient.dtype == dtype
    weighted = F.binary_cross_entropy_with_logits(x, t, pos_weight=dtype(3), reduction="none")
    assert (weighted == [1e3, 3e3, 0, 0]).all()

    value, gradient = tg.value_and_grad(lambda x: F.sigmoid_focal_loss(x, t, -1.0, reduction="sum"))(x)
    assert value == 2e3 and (gradient == [1, -1, 0, 0]).all()
    for gamma in (0.5, 1.0, 2.0):
        value, gradient = tg.value_and_grad(
            lambda x, gamma=gamma: F.softmax_focal_loss(
                x[:, None] * [1, 0], [1, 1, 0, 0], gamma, reduction="sum"
            )
        )(x)
        assert np.isfinite(gradient).all() and value == 2e3

    value, gradient = tg.value_and_grad(lambda x: F.soft_margin_loss(x, t * 2 - 1, reduction="sum"))(x)
    assert value == 2e3 and (gradient == [1, -1, 0, 0]).all()

    value, gradient = tg.value_and_grad(lambda x: F.log_cosh_loss(x, t * 0, reduction="sum"))(x)
    assert_allclose(value, 4 * (1e3 - math.log(2)), rtol=1e-6)
    assert (gradient == [1, -1, 1, -1]).all()

    rows = np.stack([x, -x], axis=1)
    value, gradient = tg.value_and_grad(lambda x: F.cross_entropy(x, [0, 0, 1, 1], reduction="sum"))(rows)
    assert value == 4e3 and (gradient == [[0, 0], [-1, 1], [1, -1], [0, 0]]).all()


def test_small_errors_keep_their_digits() -> None:
    x = np.array([1e-9, -1e-5, 0.0])
    assert_allclose(F.log_cosh_loss(x, np.zeros(3), reduction="none"), x**2 / 2, rtol=1e-9)
    p = F.binary_cross_entropy_with_logits(np.array([-40.0, 40.0]), np.array([0.0, 1.0]), reduction="none")
    assert_allclose(p, math.exp(-40), rtol=1e-15)
    weighted = F.binary_cross_entropy_with_logits(
        np.array([-40.0]), np.array([0.0]), pos_weight=np.array([2.0])
    )
    assert_allclose(weighted, math.exp(-40), rtol=1e-15)


def test_certain_probabilities_are_finite() -> None:
    p, t = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])
    assert (F.binary_cross_entropy(p, t, reduction="none") == [0, 0, 100, 100]).all()
    gradient = tg.grad(lambda p: F.binary_cross_entropy(p, t, reduction="sum"))(p)
    assert_allclose(gradient, [0, 0, -1e12, 1e12])


def test_equal_points_have_a_gradient() -> None:
    x = np.ones((2, 3))
    for f in (
        lambda x: F.pairwise_distance(x, np.ones((2, 3)), eps=0.0).sum(),
        lambda x: F.cosine_similarity(x * 0, np.ones((2, 3))).sum(),
        lambda x: F.l1_loss(x, np.ones((2, 3))),
        lambda x: F.mse_loss(x, np.ones((2, 3))),
    ):
        assert not tg.grad(f)(x).any()


# ---- gradients

LABELS = np.array([0, 2, 1])
SIGNS = np.array([1, -1, 1])
WEIGHT = np.array([0.5, 1.0, 2.0])
LISTED = np.array([[2, 0, -1], [1, -1, 0], [0, 1, 2]])
A, B, C, P, Q = normal(3, 3), normal(3, 3), normal(3, 3), uniform(3, 3), uniform(3, 3)

SMOOTH: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "mse": (lambda x, t: F.mse_loss(x, t, weight=P), [A, B]),
    "log_cosh": (F.log_cosh_loss, [A, B]),
    "kl_div": (F.kl_div, [A, P]),
    "kl_div of logarithms": (lambda x, t: F.kl_div(x, t, log_target=True, reduction="batchmean"), [A, B]),
    "poisson": (lambda x: F.poisson_nll_loss(x, LISTED + 3, full=True), [A]),
    "gaussian": (lambda x, t, v: F.gaussian_nll_loss(x, t, v, full=True), [A, B, P]),
    "cross_entropy": (lambda x: F.cross_entropy(x, LABELS), [A]),
    "cross_entropy, options": (
        lambda x, w: F.cross_entropy(x, LABELS, w, ignore_index=2, label_smoothing=0.2), [A, WEIGHT],
    ),
    "cross_entropy of probabilities": (
        lambda x, t: F.cross_entropy(x, t, WEIGHT, label_smoothing=0.2, reduction="none"), [A, P],
    ),
    "nll": (lambda x, w: F.nll_loss(x, LABELS, w), [A, WEIGHT]),
    "categorical": (lambda p: F.categorical_cross_entropy(p, LABELS), [P]),
    "softmax_focal": (lambda x: F.softmax_focal_loss(x, LABELS, 1.5), [A]),
    "sigmoid_focal": (F.sigmoid_focal_loss, [A, P]),
    "bce": (F.binary_cross_entropy, [P, Q]),
    "bce, clipped": (F.clipped_binary_cross_entropy, [P, Q]),
    "bce with logits": (F.binary_cross_entropy_with_logits, [A, P]),
    "bce with logits, weights": (
        lambda x, t, w, v: F.binary_cross_entropy_with_logits(x, t, w, pos_weight=v), [A, P, WEIGHT, Q],
    ),
    "multilabel_soft_margin": (lambda x: F.multilabel_soft_margin_loss(x, np.round(P), WEIGHT), [A]),
    "dice": (lambda p: F.dice_loss(p, np.round(Q)), [P]),
    "soft_margin": (lambda x: F.soft_margin_loss(x, np.sign(B)), [A]),
    "cosine_similarity": (F.cosine_similarity, [A, B]),
    "pairwise_distance": (lambda a, b: F.pairwise_distance(a, b, p=3.0), [A, B]),
    "info_nce": (F.info_nce_loss, [A[:2], B[:2]]),
    "info_nce with negatives": (F.info_nce_loss, [A[:1], B[:1], C[:2]]),
    "ctc": (lambda x: F.ctc_loss(x, [[1, 1], [2, 0]], [4, 3], [2, 1]), [normal(4, 2, 3)]),
}  # fmt: skip
KINKED: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "l1": (F.l1_loss, [A, B]),
    "huber": (lambda x, t: F.huber_loss(x, t, delta=0.7), [A, B]),
    "smooth_l1": (lambda x, t: F.smooth_l1_loss(x, t, beta=0.4), [A, B]),
    "hinge_embedding": (lambda x: F.hinge_embedding_loss(x, np.sign(B)), [A]),
    "margin_ranking": (lambda a, b: F.margin_ranking_loss(a, b, np.sign(C), 0.3), [A, B]),
    "multi_margin": (lambda x, w: F.multi_margin_loss(x, LABELS, 2, 0.8, w), [A, WEIGHT]),
    "multilabel_margin": (lambda x: F.multilabel_margin_loss(x, LISTED), [A]),
    "cosine_embedding": (lambda a, b: F.cosine_embedding_loss(a, b, SIGNS, -0.9), [A, B]),
    "triplet": (lambda a, b, c: F.triplet_margin_loss(a, b, c, swap=True), [A, B, C]),
}


@pytest.mark.parametrize("name", [*SMOOTH, *KINKED])
def test_gradients(name: str) -> None:
    f, inputs = {**SMOOTH, **KINKED}[name]
    assert tg.testing.gradcheck(f, inputs, check_forward_ad=True, check_batched_grad=True)


@pytest.mark.parametrize("name", SMOOTH)
def test_second_order(name: str) -> None:
    f, inputs = SMOOTH[name]
    assert tg.testing.gradgradcheck(f, inputs)


def test_huber_is_curved_where_the_error_is_0() -> None:
    """Written with absolute values, its second derivative there would be 0."""
    bend = tg.grad(tg.grad(lambda x: F.huber_loss(x, np.zeros(()), "sum")))
    assert bend(np.array(0.0)) == 1
    assert tg.grad(tg.grad(lambda x: F.smooth_l1_loss(x, np.zeros(()), beta=0.5)))(np.array(0.0)) == 2


# ---- as parts of programs


def test_losses_of_examples() -> None:
    """Under vmap a row is an example with one label."""
    x, labels = normal(4, 3), np.array([0, 2, -100, 1])
    found = tg.vmap(lambda x, label: F.cross_entropy(x, label, reduction="sum"))(x, labels)
    assert_allclose(found, F.cross_entropy(x, labels, reduction="none"), rtol=1e-14)
    with pytest.raises(tg.IndexingError, match="cross_entropy: label 3"):
        tg.vmap(F.cross_entropy)(x, np.array([0, 1, 2, 3]))


def test_a_recorded_loss_knows_other_labels() -> None:
    """Also that some are ignored, which in the example none is."""
    x = tg.tensor(normal(3, 4))
    graph = tg.trace(F.cross_entropy, x, tg.tensor([0, 1, 2]))
    labels = tg.tensor([3, -100, 0])
    assert_allclose(graph(x, labels), F.cross_entropy(x, labels), rtol=1e-15)
    with pytest.raises(tg.IndexingError, match="label 4"):
        graph(x, tg.tensor([0, 4, 1]))


def test_the_common_case_is_one_node_and_its_mean() -> None:
    graph = tg.trace(
        lambda x: F.cross_entropy(x, np.array([0, 1, 2])), tg.tensor(normal(3, 4), dtype=tg.float32)
    )
    assert [e.primitive.name for e in graph.equations] == ["softmax_cross_entropy", "sum", "divide"]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_integers_and_lists_as_targets_keep_the_dtype(kind: Any) -> None:
    x = np.ones((2, 2), kind)
    for y in (
        F.mse_loss(x, [[1, 0], [0, 1]]),
        F.binary_cross_entropy_with_logits(x, np.eye(2, dtype=bool)),
        F.cross_entropy(x, np.array([0, 1], np.uint8), np.array([1, 2])),
        F.hinge_embedding_loss(x, np.array([[1, -1], [-1, 1]], np.int8)),
        F.ctc_loss(x, [1], 2, 1),
    ):
        assert y.dtype == kind


# ---- modules


def test_weights_are_part_of_the_state() -> None:
    loss = tg.nn.CrossEntropyLoss(weight=[1.0, 2.0, 3.0])
    assert list(loss.state_dict()) == ["weight"] and not list(tg.nn.CrossEntropyLoss().state_dict())
    other = tg.nn.CrossEntropyLoss(weight=tg.ones(3))
    other.load_state_dict(loss.state_dict())
    assert other(tg.tensor(A), LABELS) == loss(tg.tensor(A), LABELS) != tg.nn.CrossEntropyLoss()(A, LABELS)


def test_inputs_by_name_and_settings_that_change() -> None:
    loss = tg.nn.GaussianNLLLoss()
    assert loss(A, target=B, var=P) == F.gaussian_nll_loss(A, B, P)
    loss.reduction = "sum"
    assert loss(A, B, P) == F.gaussian_nll_loss(A, B, P, reduction="sum")


def test_modules_show_their_settings() -> None:
    assert (
        repr(tg.nn.MultiMarginLoss(2, weight=WEIGHT)) == "MultiMarginLoss(p=2, margin=1.0, reduction='mean')"
    )


@pytest.mark.parametrize(
    ("module", "function", "inputs"),
    [
        (tg.nn.CategoricalCrossEntropyLoss(clip=0.2), lambda *a: F.categorical_cross_entropy(*a, clip=0.2), (P, LABELS)),
        (tg.nn.ClippedBCELoss(clip=0.2), lambda *a: F.clipped_binary_cross_entropy(*a, clip=0.2), (P, Q)),
        (tg.nn.SoftmaxFocalLoss(1.0), lambda *a: F.softmax_focal_loss(*a, 1.0), (A, LABELS)),
        (tg.nn.SigmoidFocalLoss(0.5, 1.0), lambda *a: F.sigmoid_focal_loss(*a, 0.5, 1.0), (A, P)),
        (tg.nn.DiceLoss(smooth=2.0), lambda *a: F.dice_loss(*a, smooth=2.0), (P, Q)),
        (tg.nn.LogCoshLoss(reduction="sum"), lambda *a: F.log_cosh_loss(*a, reduction="sum"), (A, B)),
        (tg.nn.InfoNCELoss(temperature=0.5), lambda *a: F.info_nce_loss(*a, temperature=0.5), (A, B)),
    ],
    ids=lambda x: type(x).__name__,
)  # fmt: skip
def test_modules_that_pytorch_does_not_have(module: Any, function: Any, inputs: Any) -> None:
    assert module(*inputs) == function(*inputs)
