"""Every loss with every reduction and option against PyTorch: values and gradients in float64."""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg
from tensorgrad.nn import functional as F
from tests.reference.peer import torch

T = torch.nn.functional
CLOSE = {"rtol": 1e-9, "atol": 1e-11}
generator = np.random.default_rng(7)


def normal(*shape: int) -> Any:
    return generator.normal(size=shape)


def uniform(*shape: int) -> Any:
    return generator.uniform(0.05, 0.95, size=shape)


def signs(*shape: int) -> Any:
    return generator.choice([-1.0, 1.0], size=shape)


def bits(*shape: int) -> Any:
    return generator.integers(0, 2, size=shape).astype(float)


def theirs_of(value: Any, grad: bool) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return torch.from_numpy(value.copy()).requires_grad_(grad and value.dtype.kind == "f")


def ours_of(value: Any, grad: bool) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return tg.tensor(value.copy(), requires_grad=grad and value.dtype.kind == "f")


def agree(
    ours: Callable[..., Any],
    theirs: Callable[..., Any],
    args: tuple[Any, ...],
    options: dict[str, Any],
    wrt: tuple[int, ...],
) -> None:
    a = [ours_of(x, i in wrt) for i, x in enumerate(args)]
    b = [theirs_of(x, i in wrt) for i, x in enumerate(args)]
    y = ours(*a, **{name: ours_of(x, False) for name, x in options.items()})
    z = theirs(*b, **{name: theirs_of(x, False) for name, x in options.items()})
    assert y.shape == tuple(z.shape)
    assert_allclose(y.numpy(), z.detach().numpy(), **CLOSE)
    up = np.cos(np.arange(y.size)).reshape(y.shape)  # a gradient that differs from element to element
    (y * up).sum().backward()
    (z * torch.from_numpy(np.array(up))).sum().backward()
    for i in wrt:
        assert_allclose(a[i].grad.numpy(), b[i].grad.numpy(), **CLOSE)


LABELS = generator.integers(0, 4, size=5)
IGNORED = np.where(np.arange(5) % 2, LABELS, -100)
WEIGHT = generator.uniform(0.2, 2, size=4)
PIXELS = generator.integers(0, 4, size=(3, 2, 2))
SOFT = np.abs(normal(5, 4)) / np.abs(normal(5, 4)).sum() / 4
LISTED = np.array([[2, 0, -1, 1], [1, -1, 3, 3], [-1, 0, 0, 0], [3, 2, 1, 0], [2, 2, -1, 0]])

# name: lists of (positional arguments, options, positions to differentiate in)
CASES: dict[str, list[tuple[tuple[Any, ...], dict[str, Any], tuple[int, ...]]]] = {
    "mse_loss": [
        ((normal(3, 2), normal(3, 2)), {}, (0, 1)),
        ((normal(3, 2), normal(3, 2)), {"weight": uniform(3, 2)}, (0, 1)),
    ],
    "l1_loss": [
        ((normal(3, 2), normal(3, 2)), {}, (0, 1)),
        ((normal(3, 2), normal(3, 2)), {"weight": uniform(3, 2)}, (0, 1)),
    ],
    "huber_loss": [
        ((normal(3, 2) * 3, normal(3, 2)), {}, (0, 1)),
        ((normal(3, 2) * 3, normal(3, 2)), {"delta": 0.7, "weight": uniform(3, 2)}, (0, 1)),
    ],
    "smooth_l1_loss": [
        ((normal(3, 2) * 3, normal(3, 2)), {}, (0, 1)),
        ((normal(3, 2) * 3, normal(3, 2)), {"beta": 0.4}, (0, 1)),
        ((normal(3, 2) * 3, normal(3, 2)), {"beta": 0.0}, (0, 1)),
    ],
    "kl_div": [
        ((normal(3, 2), uniform(3, 2)), {}, (0, 1)),
        ((normal(3, 2), np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])), {}, (0,)),
        ((normal(3, 2), normal(3, 2)), {"log_target": True}, (0, 1)),
    ],
    "poisson_nll_loss": [
        ((normal(6), np.array([0.0, 1, 2, 3, 7, 0.5])), {"full": full}, (0,)) for full in (False, True)
    ]
    + [((uniform(4), np.array([0.0, 1, 2, 9])), {"log_input": False, "eps": 1e-3}, (0,))],
    "gaussian_nll_loss": [
        ((normal(3, 2), normal(3, 2), uniform(3, 2)), {}, (0, 1, 2)),
        ((normal(3, 2), normal(3, 2), uniform(3)), {"full": True}, (0, 1, 2)),
        ((normal(3, 2), normal(3, 2), uniform(3, 1)), {}, (0, 1, 2)),
        ((normal(3, 2), normal(3, 2), 0.7), {"full": True}, (0, 1)),
        ((normal(3, 2), normal(3, 2), uniform(3, 2) * [1, 1e-3]), {"eps": 1e-2}, (0, 1, 2)),
    ],
    "cross_entropy": [
        ((normal(5, 4), LABELS), {}, (0,)),
        ((normal(4), LABELS[0:1].reshape(())), {}, (0,)),
        ((normal(4), LABELS[0:1].reshape(())), {"weight": WEIGHT, "label_smoothing": 0.2}, (0,)),
        ((normal(5, 4) * 400, LABELS), {}, (0,)),
        ((normal(3, 4, 2, 2), PIXELS), {"weight": WEIGHT, "ignore_index": 1, "label_smoothing": 0.1}, (0,)),
        *[
            ((normal(5, 4), labels), {"weight": weight, "label_smoothing": smoothing}, (0,))
            for labels in (LABELS, IGNORED)
            for weight in (None, WEIGHT)
            for smoothing in (0.0, 0.3)
        ],
        *[
            ((normal(5, 4), SOFT), {"weight": weight, "label_smoothing": smoothing}, (0, 1))
            for weight in (None, WEIGHT)
            for smoothing in (0.0, 0.3)
        ],
        ((normal(3, 4, 2), uniform(3, 4, 2)), {"weight": WEIGHT, "label_smoothing": 0.3}, (0, 1)),
        ((normal(4), SOFT[0]), {}, (0, 1)),
    ],
    "nll_loss": [
        ((normal(5, 4), LABELS), {}, (0,)),
        ((normal(4), LABELS[0:1].reshape(())), {"weight": WEIGHT}, (0,)),
        ((normal(5, 4), IGNORED), {"weight": WEIGHT}, (0,)),
        ((normal(3, 4, 2, 2), PIXELS), {"weight": WEIGHT, "ignore_index": 2}, (0,)),
    ],
    "binary_cross_entropy": [
        ((uniform(3, 2), uniform(3, 2)), {}, (0, 1)),
        ((uniform(3, 2), bits(3, 2)), {"weight": uniform(2)}, (0,)),
        ((np.array([0.0, 1.0, 1e-5]), np.array([0.0, 1.0, 1.0])), {}, (0,)),
    ],
    "binary_cross_entropy_with_logits": [
        ((normal(3, 2), uniform(3, 2)), {}, (0, 1)),
        ((normal(3, 2), bits(3, 2)), {"weight": uniform(3, 1)}, (0,)),
        ((normal(3, 2), bits(3, 2)), {"pos_weight": uniform(2)}, (0,)),
        ((normal(3, 2), uniform(3, 2)), {"pos_weight": uniform(2), "weight": uniform(2)}, (0, 1)),
        ((np.array([1e3, -1e3, 1e3, -1e3]), np.array([0.0, 1.0, 1.0, 0.0])), {}, (0,)),
    ],
    "multilabel_soft_margin_loss": [
        ((normal(3, 4), bits(3, 4)), {}, (0,)),
        ((normal(3, 4), bits(3, 4)), {"weight": WEIGHT}, (0,)),
    ],
    "hinge_embedding_loss": [((normal(9), signs(9)), {"margin": margin}, (0,)) for margin in (1.0, 0.3)],
    "soft_margin_loss": [((normal(3, 3), signs(3, 3)), {}, (0,))],
    "margin_ranking_loss": [
        ((normal(9), normal(9), signs(9)), {"margin": margin}, (0, 1)) for margin in (0.0, 0.5)
    ],
    "multi_margin_loss": [
        ((normal(5, 4), LABELS), {"p": p, "margin": margin, "weight": weight}, (0,))
        for p in (1, 2)
        for margin in (1.0, 0.4)
        for weight in (None, WEIGHT)
    ],
    "multilabel_margin_loss": [
        ((normal(5, 4), LISTED), {}, (0,)),
        ((normal(4), LISTED[0]), {}, (0,)),
    ],
    "cosine_embedding_loss": [
        ((normal(6, 3), normal(6, 3), signs(6)), {"margin": margin}, (0, 1)) for margin in (0.0, 0.3)
    ]
    + [((normal(3), normal(3), np.array(1.0)), {}, (0, 1))],
    "triplet_margin_loss": [
        ((normal(6, 3), normal(6, 3), normal(6, 3)), {"p": p, "swap": swap, "margin": 1.5}, (0, 1, 2))
        for p in (1.0, 2.0, 3.0)
        for swap in (False, True)
    ]
    + [((normal(3), normal(3), normal(3)), {"eps": 1e-3}, (0, 1, 2))],
    "triplet_margin_with_distance_loss": [
        ((normal(6, 3), normal(6, 3), normal(6, 3)), {"swap": swap}, (0, 1, 2)) for swap in (False, True)
    ],
}
FLAT = [
    pytest.param(name, case, reduction, id=f"{name}-{i}-{reduction}")
    for name, cases in CASES.items()
    for (i, case), reduction in itertools.product(
        enumerate(cases), ["none", "mean", "sum", *(["batchmean"] if name == "kl_div" else [])]
    )
]


@pytest.mark.parametrize(("name", "case", "reduction"), FLAT)
def test_a_loss(name: str, case: Any, reduction: str) -> None:
    args, options, wrt = case
    if name == "kl_div" and reduction == "mean":
        theirs = lambda *a, **k: T.kl_div(*a, **{**k, "reduction": "none"}).mean()  # theirs warns of 'mean'
    else:
        theirs = getattr(T, name)
    agree(getattr(F, name), theirs, args, {**options, "reduction": reduction}, wrt)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("keepdim", [False, True])
def test_pairwise_distance(p: float, keepdim: bool) -> None:
    args = (normal(4, 3), normal(1, 3))
    agree(F.pairwise_distance, T.pairwise_distance, args, {"p": p, "keepdim": keepdim}, (0, 1))


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_cosine_similarity(dim: int) -> None:
    agree(F.cosine_similarity, T.cosine_similarity, (normal(2, 3, 4), normal(3, 4)), {"dim": dim}, (0, 1))


def test_all_labels_ignored() -> None:
    labels = np.full(5, -100)
    for reduction in ("none", "mean", "sum"):
        x = normal(5, 4)
        y = F.cross_entropy(tg.tensor(x), labels, reduction=reduction).numpy()
        z = T.cross_entropy(torch.from_numpy(x), torch.from_numpy(labels), reduction=reduction).numpy()
        assert_allclose(y, z)


# ---- ctc: compared behind log_softmax, where both gradients are the same

FRAMES = normal(12, 5, 6)
ROWS = generator.integers(1, 6, size=(5, 4))
ROWS[0] = [2, 2, 2, 3]  # repeated: a blank must be between
ROWS[1] = 5
COUNTS = np.array([4, 3, 0, 1, 2])


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(
    ("used", "blank", "concatenated"),
    [((12, 12, 12, 12, 12), 0, False), ((12, 9, 5, 7, 10), 0, True), ((8, 9, 2, 1, 12), 0, False)],
)
def test_ctc(used: tuple[int, ...], blank: int, concatenated: bool, reduction: str) -> None:
    labels = np.concatenate([row[:n] for row, n in zip(ROWS, COUNTS, strict=True)]) if concatenated else ROWS
    agree(
        lambda x: F.ctc_loss(tg.log_softmax(x), labels, used, COUNTS, blank, reduction),
        lambda x: T.ctc_loss(
            torch.log_softmax(x, -1), torch.from_numpy(labels), torch.tensor(used), torch.from_numpy(COUNTS),
            blank, reduction,
        ),
        (FRAMES,), {}, (0,),
    )  # fmt: skip


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_ctc_of_what_cannot_be_said(reduction: str) -> None:
    """The first row needs six frames for its labels and the blanks between them."""
    used, counts, blank = (5, 4, 12, 1, 1), np.array([4, 2, 4, 1, 2]), 5
    labels = (ROWS - 1) % 5
    agree(
        lambda x: F.ctc_loss(tg.log_softmax(x), labels, used, counts, blank, reduction, zero_infinity=True),
        lambda x: T.ctc_loss(
            torch.log_softmax(x, -1), torch.from_numpy(labels), torch.tensor(used), torch.from_numpy(counts),
            blank, reduction, zero_infinity=True,
        ),
        (FRAMES,), {}, (0,),
    )  # fmt: skip
    found = F.ctc_loss(FRAMES, labels, used, counts, blank, "none")
    theirs = T.ctc_loss(
        torch.from_numpy(FRAMES), torch.from_numpy(labels), torch.tensor(used), torch.from_numpy(counts),
        blank, "none",
    )  # fmt: skip
    assert_allclose(found, theirs, **CLOSE)
    assert np.isinf(found[[0, 4]]).all()


def test_ctc_of_one_sequence() -> None:
    agree(
        lambda x: F.ctc_loss(tg.log_softmax(x), ROWS[0], 11, 4),
        lambda x: T.ctc_loss(
            torch.log_softmax(x, -1), torch.from_numpy(ROWS[0]), torch.tensor(11), torch.tensor(4)
        ),
        (FRAMES[:, 0],),
        {},
        (0,),
    )


# ---- modules

LOSSES = {
    "L1Loss": {}, "MSELoss": {}, "NLLLoss": {"weight": WEIGHT, "ignore_index": 2},
    "PoissonNLLLoss": {"log_input": False}, "GaussianNLLLoss": {"full": True}, "KLDivLoss": {"log_target": True},
    "BCELoss": {"weight": WEIGHT}, "BCEWithLogitsLoss": {"weight": WEIGHT, "pos_weight": WEIGHT + 1},
    "HingeEmbeddingLoss": {"margin": 0.5}, "MultiLabelMarginLoss": {}, "SmoothL1Loss": {"beta": 0.3},
    "HuberLoss": {"delta": 0.3}, "SoftMarginLoss": {},
    "CrossEntropyLoss": {"weight": WEIGHT, "ignore_index": 2, "label_smoothing": 0.1},
    "MultiLabelSoftMarginLoss": {"weight": WEIGHT}, "CosineEmbeddingLoss": {"margin": 0.2},
    "MarginRankingLoss": {"margin": 0.2}, "MultiMarginLoss": {"p": 2, "margin": 0.5, "weight": WEIGHT},
    "TripletMarginLoss": {"margin": 0.5, "p": 3.0, "swap": True},
    "TripletMarginWithDistanceLoss": {"margin": 0.5, "swap": True}, "CTCLoss": {"blank": 2, "zero_infinity": True},
    "CosineSimilarity": {"dim": 0}, "PairwiseDistance": {"p": 3.0, "keepdim": True},
}  # fmt: skip
INPUTS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(["NLLLoss", "CrossEntropyLoss", "MultiMarginLoss"], (normal(5, 4), LABELS)),
    **dict.fromkeys(
        ["BCELoss", "BCEWithLogitsLoss", "MultiLabelSoftMarginLoss"], (uniform(5, 4), bits(5, 4))
    ),
    **dict.fromkeys(["HingeEmbeddingLoss", "SoftMarginLoss"], (normal(5, 4), signs(5, 4))),
    **dict.fromkeys(
        ["TripletMarginLoss", "TripletMarginWithDistanceLoss"], (normal(5, 4), normal(5, 4), normal(5, 4))
    ),
    "CosineEmbeddingLoss": (normal(5, 4), normal(5, 4), signs(5)),
    "MarginRankingLoss": (normal(5), normal(5), signs(5)),
    "MultiLabelMarginLoss": (normal(5, 4), LISTED),
    "GaussianNLLLoss": (normal(5, 4), normal(5, 4), uniform(5, 4)),
    "CTCLoss": (normal(6, 2, 4), np.array([[1, 1], [3, 3]]), np.array([6, 5]), np.array([2, 2])),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_module(name: str) -> None:
    """The same arguments, the same defaults, the same state, the same value."""
    ours, theirs = getattr(tg.nn, name), getattr(torch.nn, name)
    deprecated = {"size_average", "reduce"}
    expected = {k: p.default for k, p in inspect.signature(theirs).parameters.items() if k not in deprecated}
    assert {k: p.default for k, p in inspect.signature(ours).parameters.items()} == expected
    inputs = INPUTS.get(name, (uniform(5, 4), uniform(5, 4)))
    for options in ({}, LOSSES[name]):
        a = ours(**{k: ours_of(v, False) for k, v in options.items()})
        b = theirs(**{k: theirs_of(v, False) for k, v in options.items()})
        assert list(a.state_dict()) == list(b.state_dict())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what 'mean' means in KLDivLoss
            z = b(*[theirs_of(x, False) for x in inputs])
        if name == "KLDivLoss":
            z = torch.nn.KLDivLoss(**{**options, "reduction": "none"})(*map(torch.from_numpy, inputs)).mean()
        assert_allclose(a(*[ours_of(x, False) for x in inputs]), z, **CLOSE)
        a.load_state_dict({k: v.numpy() for k, v in b.state_dict().items()})


def test_every_loss_of_torch_is_here_or_has_a_reason() -> None:
    left_out = {
        "AdaptiveLogSoftmaxWithLoss": "a layer, see below",
        "LinearCrossEntropyLoss": "a Linear and a CrossEntropyLoss",
        "NLLLoss2d": "an old name of NLLLoss",
    }
    names = {name for name in dir(torch.nn) if "Loss" in name}
    assert names - set(LOSSES) == set(left_out)
    functions = {name for name in dir(T) if "loss" in name or "cross_entropy" in name} - {
        "linear_cross_entropy"
    }
    assert {name for name in functions if not hasattr(F, name)} == set()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("labels", [np.array([0, 2, 3, 11, 4, 5, 19]), np.array([0, 1, 2, 0, 0, 0, 0])])
def test_adaptive_softmax(bias: bool, labels: Any) -> None:
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 5], 2.0, head_bias=bias, dtype=torch.float64)
    ours = tg.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 5], 2.0, head_bias=bias, dtype=np.float64)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = normal(7, 8)
    a, b = tg.tensor(x, requires_grad=True), torch.from_numpy(x).requires_grad_()
    y, z = ours(a, tg.tensor(labels)), theirs(b, torch.from_numpy(labels))
    assert_allclose(y.output.detach().numpy(), z.output.detach().numpy(), **CLOSE)
    assert_allclose(y.loss.item(), z.loss.item(), **CLOSE)
    y.loss.backward()
    z.loss.backward()
    assert_allclose(a.grad.numpy(), b.grad.numpy(), **CLOSE)
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert (p.grad is None) == (q.grad is None), name
        if p.grad is not None:
            assert_allclose(p.grad.numpy(), q.grad.numpy(), **CLOSE)
    assert_allclose(ours.log_prob(x).detach().numpy(), theirs.log_prob(b).detach().numpy(), **CLOSE)
    assert (ours.predict(x).numpy() == theirs.predict(b).numpy()).all()
    assert_allclose(ours(x[3], labels[3]).output.item(), z.output[3].item(), **CLOSE)
