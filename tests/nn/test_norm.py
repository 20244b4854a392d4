"""Normalisation: closed forms, running statistics, fast pairs against their composites in any layout, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F
from tensorgrad.ops import fused
from tensorgrad.testing import gradcheck


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def channels_last(x: Any) -> Any:
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)


def pulled(f: Any, operands: Any, seeds: Any) -> list[Any]:
    """The results of ``f`` and the gradients of their products with ``seeds``."""
    leaves = [tg.tensor(a, requires_grad=True) for a in operands]
    results = f(*leaves)
    results = results if isinstance(results, tuple) else (results,)
    sum([(y * v).sum() for y, v in zip(results, seeds, strict=True)]).backward()
    return [one.numpy() for one in (*[y.detach() for y in results], *[a.grad for a in leaves])]


# ---- the pairs


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    "shape", [(7, 3), (3, 5, 11), (4, 3, 6, 5), (2, 130, 40, 9), (2, 2, 3, 4, 3)], ids=str
)
def test_batch_norm_of_blocks_is_the_composite(shape: Any, last: bool) -> None:
    x = normal(*shape) * 3 + 2
    x = channels_last(x) if last else x
    operands = (x, normal(shape[1], seed=1), normal(shape[1], seed=2))
    seeds = (normal(*shape, seed=3), normal(shape[1], seed=4), normal(shape[1], seed=5))
    for some in (operands, operands[:1]):
        found = pulled(lambda *a: fused.batch_norm(*a, eps=0.01), some, seeds)
        wanted = pulled(lambda *a: fused.batch_norm.card.composite(*a, eps=0.01), some, seeds)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)
    y = fused.batch_norm(*operands, eps=0.01)[0]
    assert (np.moveaxis(y, 1, -1) if last else y).flags.c_contiguous


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize(("shape", "rank"), [((3, 5), 1), ((700, 2, 100), 1), ((4, 3, 6, 5), 3)])
def test_row_norm_of_blocks_is_the_composite(shape: Any, rank: int, centred: bool) -> None:
    sizes = shape[-rank:]
    operands = (normal(*shape) * 3 + 2, normal(*sizes, seed=1), normal(*sizes, seed=2))
    how = {"rank": rank, "eps": 0.01, "centred": centred}
    for count in (1, 2, 3):
        found = pulled(lambda *a: fused.row_norm(*a, **how), operands[:count], [normal(*shape, seed=3)])
        wanted = pulled(
            lambda *a: fused.row_norm.card.composite(*a, **how), operands[:count], [normal(*shape, seed=3)]
        )
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


def test_means_far_from_zero_keep_their_digits() -> None:
    x = (normal(64, 4, 20, 20) + 1000).astype(np.float32)
    for one in (x, channels_last(x)):
        y, centre, variance = fused.batch_norm(one, eps=0.0)
        exact = one.astype(float)
        np.testing.assert_allclose(centre, exact.mean((0, 2, 3)), rtol=1e-6)
        np.testing.assert_allclose(variance, exact.var((0, 2, 3)), rtol=1e-4)
        assert abs(y).max() < 7


@pytest.mark.parametrize("name", ["batch_norm", "instance_norm", "group_norm", "layer_norm", "rms_norm"])
def test_derivatives(name: str) -> None:
    x, w, b = normal(2, 4, 3), normal(4, seed=1), normal(4, seed=2)
    calls: dict[str, Any] = {
        "batch_norm": lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        "instance_norm": lambda x, w, b: F.instance_norm(x, weight=w, bias=b),
        "group_norm": lambda x, w, b: F.group_norm(x, 2, w, b),
        "layer_norm": lambda x, w, b: F.layer_norm(x.swapaxes(1, 2), (4,), w, b),
        "rms_norm": lambda x, w, b: F.rms_norm(x.swapaxes(1, 2), (4,), w) + b,
    }
    assert gradcheck(calls[name], [x, w, b])
    first = tg.grad(lambda x: (calls[name](x, w, b) ** 3).sum())
    assert gradcheck(first, [x])


def test_local_response_norm_is_its_definition() -> None:
    x = normal(2, 5, 3)
    for size in (1, 2, 3, 7):
        padded = np.pad(x**2, [(0, 0), (size // 2, (size - 1) // 2), (0, 0)])
        squares = sum([padded[:, i : i + 5] for i in range(size)]) / size
        found = F.local_response_norm(x, size, alpha=0.3, beta=0.6, k=2.0)
        np.testing.assert_allclose(found, x / (2 + 0.3 * squares) ** 0.6, rtol=1e-12)
    assert gradcheck(lambda x: F.local_response_norm(x, 2, alpha=0.3), [x])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtypes_stay(dtype: str) -> None:
    x = (normal(4, 6, 5) * 1000).astype(dtype)  # squares leave the range of float16
    for f in (
        lambda x: F.batch_norm(x, None, None, training=True),
        F.instance_norm,
        lambda x: F.group_norm(x, 3),
        lambda x: F.layer_norm(x, (5,)),
        lambda x: F.rms_norm(x, 5),
    ):
        y = f(x)
        assert y.dtype == dtype and 0.5 < abs(y.astype(float)).max() < 10


# ---- running statistics


def test_running_statistics_move_by_the_momentum() -> None:
    layer = nn.BatchNorm1d(2, momentum=0.25).double()
    x = np.array([[0.0, 2.0], [4.0, 2.0]])
    layer(x)
    assert layer.running_mean.tolist() == [0.5, 0.5]
    assert layer.running_var.tolist() == [0.75 + 0.25 * 8, 0.75]  # the unbiased variance
    assert layer.num_batches_tracked.item() == 1
    layer.eval()
    np.testing.assert_allclose(layer(x).detach(), (x - 0.5) / np.sqrt([2.75001, 0.75001]), rtol=1e-12)
    assert layer.num_batches_tracked.item() == 1 and layer.running_mean.tolist() == [0.5, 0.5]


def test_without_a_momentum_they_are_the_mean_of_all_batches() -> None:
    layer = nn.BatchNorm1d(1, momentum=None).double()
    batches = [normal(5, 1, seed=i) for i in range(4)]
    for x in batches:
        layer(x)
    np.testing.assert_allclose(layer.running_mean, np.mean(batches, keepdims=False).reshape(1), rtol=1e-12)
    layer.reset_running_stats()
    assert layer.num_batches_tracked.item() == 0
    assert layer.running_mean.tolist() == [0] and layer.running_var.tolist() == [1]


def test_arrays_as_running_statistics_are_written_to() -> None:
    mean, var = np.zeros(3), np.ones(3)
    x = normal(4, 3)
    F.batch_norm(tg.tensor(x, requires_grad=True), mean, var, training=True)
    np.testing.assert_allclose(mean, 0.1 * x.mean(0), rtol=1e-12)
    F.batch_norm(x, mean, var, training=True)
    np.testing.assert_allclose(mean, 0.19 * x.mean(0), rtol=1e-12)


def test_no_gradient_runs_into_the_statistics() -> None:
    layer = nn.BatchNorm2d(3)
    for _ in range(2):
        layer(tg.tensor(normal(2, 3, 4, 4), requires_grad=True)).sum().backward()
    assert layer.running_mean.grad is None and not layer.running_mean.requires_grad
    assert list(layer.state_dict()) == [
        "weight",
        "bias",
        "running_mean",
        "running_var",
        "num_batches_tracked",
    ]


def test_an_error_leaves_everything_as_it_was() -> None:
    layer = nn.BatchNorm1d(3)
    with pytest.raises(tg.ShapeError, match="1 elements for each channel; in training at least 2"):
        layer(np.ones((1, 3)))
    assert layer.num_batches_tracked.item() == 0 and layer.running_mean.tolist() == [0, 0, 0]
    assert layer.eval()(np.ones((1, 3))).shape == (1, 3)


# ---- layers


def test_settings_are_shown() -> None:
    assert repr(nn.BatchNorm2d(3)) == (
        "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)"
    )
    assert repr(nn.LayerNorm((2, 3))) == "LayerNorm((2, 3), eps=1e-05, elementwise_affine=True)"
    assert repr(nn.GroupNorm(2, 4)) == "GroupNorm(2, 4, eps=1e-05, affine=True)"
    assert repr(nn.LocalResponseNorm(2)) == "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)"


def test_parameters_start_again() -> None:
    for layer in (nn.BatchNorm1d(2), nn.LayerNorm(2), nn.GroupNorm(1, 2), nn.RMSNorm(2)):
        with tg.no_grad():
            for p in layer.parameters():
                p[...] = 7.0
        layer.reset_parameters()
        assert layer.weight.tolist() == [1, 1]
        assert getattr(layer, "bias", None) is None or layer.bias.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.BatchNorm2d(3)(np.ones((2, 3, 4))), r"BatchNorm2d: input has shape \(2, 3, 4\); 4 axes"),
        (lambda: nn.BatchNorm1d(3)(np.ones((2, 4))), "3 channels are needed"),
        (lambda: nn.InstanceNorm1d(3)(np.ones((2, 4, 5))), "3 channels are needed"),
        (lambda: F.batch_norm(np.ones((2, 3)), None, None), "running_mean is None"),
        (lambda: F.batch_norm(np.ones((2, 3)), np.ones(2), np.ones(3)), r"running_mean has shape \(2,\)"),
        (lambda: F.batch_norm(np.ones(3), None, None, training=True), r"\(N, C, ...\) is needed"),
        (lambda: F.batch_norm(np.ones((2, 0)), None, None, training=True), "0 elements"),
        (lambda: F.layer_norm(np.ones((2, 3)), (3,), np.ones(2)), r"layer_norm: weight has shape \(2,\)"),
        (lambda: F.layer_norm(np.ones((2, 3)), ()), "the last axes must have these lengths"),
        (lambda: F.instance_norm(np.ones((2, 3, 1))), "1 elements for each channel of an image"),
        (lambda: F.instance_norm(np.ones((2, 3))), "instance_norm: input has shape"),
        (lambda: F.group_norm(np.ones((2, 3)), 2), "groups that divide C"),
        (lambda: nn.GroupNorm(2, 3), "2 groups do not divide 3"),
        (lambda: F.local_response_norm(np.ones((2, 3)), 2), "local_response_norm: input has shape"),
    ],
)
def test_wrong_shapes_are_named(call: Any, message: str) -> None:
    with pytest.raises(tg.ShapeError, match=message):
        call()


def test_integers_are_refused() -> None:
    with pytest.raises(tg.DtypeError, match="layer_norm: input has dtype int64; floats"):
        F.layer_norm(np.ones((2, 3), np.int64), (3,))


# ---- inside transformations


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_replay_keeps_the_running_statistics_as_a_call_does(momentum: float | None) -> None:
    x = np.random.default_rng(0).normal(size=(4, 3))
    called, traced = [nn.BatchNorm1d(3, momentum=momentum, dtype=tg.float64) for _ in range(2)]
    graph = tg.trace(traced, tg.tensor(x))
    called(x)
    for factor in (2.0, 3.0):
        np.testing.assert_allclose(graph(factor * x), called(factor * x))
    for (name, ours), expected in zip(traced.named_buffers(), called.buffers(), strict=True):
        np.testing.assert_allclose(ours, expected, err_msg=name)
    assert traced.num_batches_tracked.item() == 3


def test_running_statistics_are_kept_out_of_a_batch_of_batches() -> None:
    x, layer = np.ones((2, 4, 3), np.float32), nn.BatchNorm1d(3)
    with pytest.raises(tg.GradientError, match=r"batch_norm: running statistics .* inside tg.vmap"):
        tg.vmap(layer)(x)
    assert layer.num_batches_tracked.item() == 0
    assert layer.running_mean.tolist() == [0, 0, 0] and layer.running_var.tolist() == [1, 1, 1]
    assert tg.vmap(nn.BatchNorm1d(3, track_running_stats=False))(x).shape == x.shape
    assert tg.vmap(layer.eval())(x).shape == x.shape
