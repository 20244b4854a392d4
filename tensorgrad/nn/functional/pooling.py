"""Pooling over windows of random places: fractional max pooling."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from ..._primitive import Value
from ..._random import host_generator
from ...ops.shape import lifted

if TYPE_CHECKING:
    from ..._random import Generator


def fractional_max_pool2d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
    *,
    generator: Generator | None = None,
) -> Any:
    """The largest element in windows whose places are drawn, so that any size of the output can be had.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        kernel_size: of the windows: a number, or one for each axis.
        output_size: of the result, likewise.
        output_ratio: of the output's size to the input's, between 0 and 1, likewise; instead of ``output_size``.
        return_indices: also return the position of each maximum in its flattened image, as int64.
        generator: the source of one number for each image, channel and axis.

    Raises:
        ShapeError: the windows do not fit, or not exactly one of size and ratio is given.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.fractional_max_pool2d(tg.ones((1, 7, 7)), 2, output_ratio=0.6).shape
        (1, 4, 4)

    Source:
        B. Graham, "Fractional max-pooling", arXiv:1412.6071.
    """
    given = (kernel_size, output_size, output_ratio, return_indices, _random_samples, generator)
    return _pooled("fractional_max_pool2d", 2, input, *given)


def fractional_max_pool3d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
    *,
    generator: Generator | None = None,
) -> Any:
    """`fractional_max_pool2d` for ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""
    given = (kernel_size, output_size, output_ratio, return_indices, _random_samples, generator)
    return _pooled("fractional_max_pool3d", 3, input, *given)


def _pooled(
    op: str,
    rank: int,
    input: Any,
    kernel_size: Any,
    output_size: Any,
    output_ratio: Any,
    return_indices: bool,
    samples: Any,
    generator: Generator | None,
) -> Any:
    x = lifted(op, input)
    if x.ndim not in (rank + 1, rank + 2):
        raise ShapeError(f"{op}: an input of shape {x.shape} given; {rank + 1} or {rank + 2} axes are needed")
    if x.dtype.kind == "c":
        raise DtypeError(f"{op}: the input has dtype {x.dtype}; complex numbers have no order")
    lead, lengths = x.shape[:-rank], x.shape[-rank:]
    kernel = [operator.index(n) for n in _each(op, "kernel_size", kernel_size, rank)]
    if (output_size is None) == (output_ratio is None):
        raise ShapeError(f"{op}: give one of output_size and output_ratio")
    if output_size is None:
        ratios = _each(op, "output_ratio", output_ratio, rank)
        if not all(0 < r < 1 for r in ratios):
            raise ShapeError(f"{op}: output_ratio is {output_ratio}; between 0 and 1 is needed")
        outputs = [int(n * r) for n, r in zip(lengths, ratios, strict=True)]
    else:
        outputs = [operator.index(n) for n in _each(op, "output_size", output_size, rank)]
    if any(k < 1 or o < 1 or o + k - 1 > n for n, k, o in zip(lengths, kernel, outputs, strict=True)):
        raise ShapeError(f"{op}: {outputs} windows of {kernel} do not fit into an input of shape {x.shape}")
    draws = _samples(op, samples, lead, rank, generator)
    places = np.zeros((*lead, *[1] * 2 * rank), np.int64)
    for i, (n, k, o) in enumerate(zip(lengths, kernel, outputs, strict=True)):
        # In the plane PyTorch takes the first number for the width.
        starts = _starts(draws[..., rank - 1 - i if rank == 2 else i], n, k, o)
        along = (starts[..., None] + np.arange(k)).reshape(*lead, *[o if j == i else 1 for j in range(rank)],
                                                           *[k if j == i else 1 for j in range(rank)])  # fmt: skip
        places = places * n + along
    flat = ops.reshape(x, (*lead, math.prod(lengths)))
    windows = places.reshape(*lead, math.prod(outputs), math.prod(kernel))
    seen = ops.take_along_axis(ops.stop_gradient(flat), windows.reshape(*lead, -1), -1)
    best = ops.argmax(ops.reshape(seen, windows.shape), -1)
    chosen = ops.take_along_axis(windows, ops.expand_dims(best, -1), -1)[..., 0]
    y = ops.reshape(ops.take_along_axis(flat, chosen, -1), (*lead, *outputs))
    return (y, ops.reshape(chosen, y.shape)) if return_indices else y


def _samples(op: str, given: Any, lead: tuple[int, ...], rank: int, generator: Generator | None) -> Any:
    """A number in [0, 1) for each image, channel and axis."""
    if given is None:
        return host_generator(op, generator).random((*lead, rank))
    array = np.asarray(given.numpy() if isinstance(given, Value) else given)  # type: ignore[attr-defined]
    if array.size != math.prod(lead) * rank:
        raise ShapeError(f"{op}: random samples of shape {array.shape} given; {(*lead, rank)} is needed")
    if not ((array >= 0) & (array < 1)).all():
        raise ShapeError(f"{op}: random samples from {array.min()} to {array.max()} given; [0, 1) is needed")
    return array.reshape(*lead, rank)


def _starts(u: Any, n: int, k: int, count: int) -> Any:
    """Where ``count`` windows of length ``k`` begin on an axis of length ``n``, the last at its end."""
    if count == 1:
        return np.full((*u.shape, 1), n - k)
    step = (n - k) / (count - 1)
    u = u[..., None]
    starts = ((np.arange(count) + u) * step).astype(np.int64) - (u * step).astype(np.int64)
    starts[..., -1] = n - k
    return starts


def _each(op: str, name: str, given: Any, rank: int) -> list[Any]:
    each = [given] * rank if np.ndim(given) == 0 else list(given)
    if len(each) != rank:
        raise ShapeError(f"{op}: {name} is {given}; one number, or {rank}, are needed")
    return each
