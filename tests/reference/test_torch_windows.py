"""Windows of any geometry against PyTorch: sizes, strides, padding, dilation, groups, scales; and first gradients.

Hypothesis draws the numbers. Whether PyTorch refuses a geometry is compared as well, except where `more_than`
says that it is accepted here, or an empty batch hides the fault from PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad._errors import TensorgradError
from tests.reference.peer import torch

ours, theirs = tg.nn.functional, torch.nn.functional
GEOMETRY = settings(max_examples=60, derandomize=True, deadline=None)
RANKS = st.integers(1, 3)


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def numbers(rank: int, low: int, high: int) -> Any:
    """One number, or one for each axis."""
    one = st.integers(low, high)
    return one | st.tuples(*[one] * rank)


@st.composite
def images(draw: Any, rank: int, channels: int | None = None) -> Any:
    lead = draw(st.sampled_from([(), (1,), (2,)]))
    lengths = [draw(st.integers(1, 6)) for _ in range(rank)]
    return normal(*lead, draw(st.integers(1, 2)) if channels is None else channels, *lengths)


def agree(f: Callable[..., Any], g: Callable[..., Any], *xs: Any, more_than: str = "nothing") -> None:
    """Both raise; or values, shapes and gradients are equal."""
    tensors = [torch.tensor(x, requires_grad=True) for x in xs]
    try:
        expected = g(*tensors)
    except (RuntimeError, ValueError) as error:
        if more_than not in str(error):
            with pytest.raises(TensorgradError):
                f(*xs)
        return
    try:
        y = f(*xs)
    except TensorgradError as error:
        if "a window lies in the padding alone" in str(error):  # its maximum is -inf in PyTorch
            return
        raise
    assert y.shape == tuple(expected.shape)
    np.testing.assert_allclose(y, expected.detach().numpy(), atol=1e-11)
    c = normal(*y.shape, seed=1)
    found = tg.grad(lambda *xs: tg.sum(f(*xs) * c), tuple(range(len(xs))))(*xs)
    for slope, exact in zip(found, torch.autograd.grad(expected, tensors, torch.tensor(c)), strict=True):
        np.testing.assert_allclose(slope, exact.numpy(), atol=1e-10)


def both(name: str, rank: int) -> tuple[Any, Any]:
    return getattr(ours, f"{name}{rank}d"), getattr(theirs, f"{name}{rank}d")


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # of even kernels, which PyTorch copies for
@GEOMETRY
@given(st.data(), RANKS)
def test_convolutions(data: Any, rank: int) -> None:
    groups, more, filters = (data.draw(st.integers(1, n)) for n in (3, 2, 2))
    x = data.draw(images(rank, groups * more))
    kernel = [data.draw(st.integers(1, 3)) for _ in range(rank)]
    w, b = normal(groups * filters, more, *kernel, seed=2), normal(groups * filters)
    padding = data.draw(numbers(rank, 0, 2) | st.sampled_from(["same", "valid"]))
    given = (data.draw(numbers(rank, 1, 3)), padding, data.draw(numbers(rank, 1, 2)), groups)
    f, g = both("conv", rank)
    agree(lambda x, w, b: f(x, w, b, *given), lambda x, w, b: g(x, w, b, *given), x, w, b)


@GEOMETRY
@given(st.data(), RANKS)
def test_transposed_convolutions(data: Any, rank: int) -> None:
    groups, more, filters = (data.draw(st.integers(1, n)) for n in (3, 2, 2))
    x = data.draw(images(rank, groups * more))
    kernel = [data.draw(st.integers(1, 3)) for _ in range(rank)]
    w, b = normal(groups * more, filters, *kernel, seed=2), normal(groups * filters)
    draw = data.draw
    given = (draw(numbers(rank, 1, 3)), draw(numbers(rank, 0, 2)), draw(numbers(rank, 0, 2)), groups)
    dilation = draw(numbers(rank, 1, 2))
    f, g = both("conv_transpose", rank)
    agree(lambda x, w, b: f(x, w, b, *given, dilation), lambda x, w, b: g(x, w, b, *given, dilation), x, w, b)


@GEOMETRY
@given(st.data(), RANKS)
def test_pools(data: Any, rank: int) -> None:
    x, ceil = data.draw(images(rank)), data.draw(st.booleans())
    kernel, stride = data.draw(numbers(rank, 1, 3)), data.draw(st.none() | numbers(rank, 1, 3))
    padding, dilation = data.draw(numbers(rank, 0, 1)), data.draw(numbers(rank, 1, 2))
    f, g = both("max_pool", rank)
    given: tuple[Any, ...] = (kernel, stride, padding, dilation, ceil)
    agree(lambda x: f(x, *given), lambda x: g(x, *given), x, more_than="half of")
    f, g = both("avg_pool", rank)
    given = (kernel, stride, padding, ceil, data.draw(st.booleans()))
    given += () if rank == 1 else (data.draw(st.sampled_from([None, 3])),)
    agree(lambda x: f(x, *given), lambda x: g(x, *given), x, more_than="smaller than kernel size")
    if rank > 1 or isinstance(kernel, int):
        f, g = both("lp_pool", rank)
        given = (data.draw(st.sampled_from([1.0, 2.0, 2.5])), kernel, stride, ceil)
        agree(
            lambda x: f(abs(x), *given), lambda x: g(abs(x), *given), x, more_than="smaller than kernel size"
        )


@GEOMETRY
@given(st.data(), RANKS)
def test_adaptive_pools(data: Any, rank: int) -> None:
    x, size = data.draw(images(rank)), data.draw(numbers(rank, 1, 7))
    for kind in ("adaptive_avg_pool", "adaptive_max_pool"):
        f, g = both(kind, rank)
        agree(lambda x, f=f: f(x, size), lambda x, g=g: g(x, size), x)


@GEOMETRY
@given(st.data(), RANKS)
def test_interpolation(data: Any, rank: int) -> None:
    x = data.draw(images(rank).filter(lambda x: x.ndim == rank + 2))
    mode = data.draw(
        st.sampled_from(["nearest", "nearest-exact", ["linear", "bilinear", "trilinear"][rank - 1]])
    )
    mode = data.draw(st.sampled_from([mode, "bicubic"])) if rank == 2 else mode
    corners = None if mode.startswith("nearest") else data.draw(st.sampled_from([None, True, False]))
    scale = st.sampled_from([0.5, 0.7, 1.3, 2.0, 3.0])
    scales = data.draw(st.none() | scale | st.tuples(*[scale] * rank))
    again = None if scales is None else data.draw(st.sampled_from([None, True]))
    if again is None and scales is not None and mode in ("nearest", "bicubic"):
        again = (
            True  # if lengths stay or double, PyTorch has other scales in some ranks, or in gradients alone
        )
    given = (data.draw(numbers(rank, 1, 8)) if scales is None else None, scales, mode, corners, again)
    agree(lambda x: ours.interpolate(x, *given), lambda x: theirs.interpolate(x, *given), x)


@GEOMETRY
@given(st.data())
def test_folds(data: Any) -> None:
    x = data.draw(images(2))
    sizes = [data.draw(numbers(2, low, high)) for low, high in ((1, 3), (1, 2), (0, 2), (1, 3))]
    agree(lambda x: ours.unfold(x, *sizes), lambda x: theirs.unfold(x, *sizes), x)
    try:
        columns = normal(*theirs.unfold(torch.tensor(x), *sizes).shape)
    except RuntimeError:
        return
    lengths = x.shape[-2:]
    agree(lambda c: ours.fold(c, lengths, *sizes), lambda c: theirs.fold(c, lengths, *sizes), columns)


@GEOMETRY
@given(st.data())
def test_maxima_put_back(data: Any) -> None:
    x = data.draw(images(2))
    # Of windows that overlap several may have one maximum; PyTorch's gradient counts it several times.
    kernel, stride = data.draw(numbers(2, 1, 2)), data.draw(st.none() | numbers(2, 2, 3))
    try:
        y, places = theirs.max_pool2d(torch.tensor(x), kernel, stride, return_indices=True)
    except RuntimeError:
        return
    found = ours.max_pool2d(x, kernel, stride, return_indices=True)[1]
    np.testing.assert_array_equal(found, places.numpy())
    size = x.shape[-2:]
    agree(
        lambda y: ours.max_unpool2d(y, found, kernel, stride, output_size=size),
        lambda y: theirs.max_unpool2d(y, places, kernel, stride, output_size=size),
        y.numpy(),
        more_than="output_size",
    )
