"""Dropout: elements, channels or units set to 0, or to what keeps mean and variance, at random."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..._errors import DtypeError, ShapeError
from ..._primitive import Value
from ..._random import check_generator, random_mask
from ..._tensor import Tensor
from ...ops import astype, multiply
from ...ops.shape import lifted
from .inplace import settled

if TYPE_CHECKING:
    from ..._random import Generator

# Of SELU: alpha times scale, what its smallest values tend to.
FLOOR = -1.7580993408473766


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """Set each element to 0 with probability ``p``, and divide the others by ``1 - p``.

    Inside `tensorgrad.vmap` its ``randomness`` says whether each example has a mask of its own.

    Args:
        input: of any shape.
        p: the probability, from 0 to 1.
        training: without, the input is returned as it is.
        inplace: give the result to ``input`` itself.
        generator: the source, by default that of this thread or task.

    Raises:
        ShapeError: ``p`` is not from 0 to 1.
        DtypeError: the elements are integers or booleans.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.nn.functional.dropout(tg.ones(5), 0.5, generator=np.random.default_rng(1))
        tensor([0., 2., 0., 2., 0.])

    Source:
        N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15 (2014).
    """
    return _dropped("dropout", input, p, training, inplace, generator)


def dropout1d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """`dropout` of whole channels of ``(N, C, L)`` or ``(C, L)``."""
    return _dropped("dropout1d", input, p, training, inplace, generator, channels={2: 1, 3: 2})


def dropout2d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """`dropout` of whole channels of ``(N, C, H, W)``, or of ``(N, C, L)`` as in PyTorch."""
    return _dropped("dropout2d", input, p, training, inplace, generator, channels={3: 2, 4: 2})


def dropout3d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """`dropout` of whole channels of ``(N, C, D, H, W)`` or ``(C, D, H, W)``."""
    return _dropped("dropout3d", input, p, training, inplace, generator, channels={4: 1, 5: 2})


def alpha_dropout(
    input: Any,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """Set each element with probability ``p`` to the floor of SELU, then restore mean 0 and variance 1.

    Args:
        input: of any shape; meant are activations with mean 0 and variance 1.
        p: the probability, from 0 to 1. With 1, all elements become 0.
        training: without, the input is returned as it is.
        inplace: give the result to ``input`` itself.
        generator: the source, by default that of this thread or task.

    Raises:
        ShapeError: ``p`` is not from 0 to 1.

    Source:
        G. Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.
    """
    return _dropped("alpha_dropout", input, p, training, inplace, generator, floor=FLOOR)


def feature_alpha_dropout(
    input: Any,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """`alpha_dropout` of whole channels of ``(N, C, ...)``."""
    channels = dict.fromkeys(range(2, 33), 2)
    return _dropped("feature_alpha_dropout", input, p, training, inplace, generator, FLOOR, channels)


def _dropped(
    op: str,
    input: Any,
    p: float,
    training: bool,
    inplace: bool,
    generator: Generator | None,
    floor: float = 0.0,
    channels: dict[int, int] | None = None,
) -> Any:
    """``channels`` says, for each number of axes, how many of them come before those that share their fate."""
    if not 0 <= p <= 1:
        raise ShapeError(f"{op}: p is {p}; a probability from 0 to 1 is needed")
    check_generator(generator)
    x = lifted(op, input)
    if channels is not None and x.ndim not in channels:
        raise ShapeError(f"{op}: an input of shape {x.shape} given; {[*channels][:4]} axes can be dealt with")
    if not training or p == 0:
        return x
    if x.dtype.kind not in "fc":
        raise DtypeError(f"{op}: an input of dtype {x.dtype} given; floating elements are needed")
    if p == 1:
        return settled(input, multiply(x, x.dtype.type(0)), inplace)
    own = x.ndim if channels is None else channels[x.ndim]
    size = x.shape[:own] + (1,) * (x.ndim - own)
    kept = random_mask(keep=1 - p, size=size, generator=generator)  # type: ignore[call-overload]
    kept = kept.numpy() if type(kept) is Tensor and not isinstance(x, Value) else kept
    scale = 1 / (1 - p) if not floor else 1 / math.sqrt((1 - p) * (1 + p * floor * floor))
    y = x * multiply(kept, x.dtype.type(scale))
    if floor:  # instead of 0 what is dropped gets the floor, and the mean of all is taken off
        y = y + astype((1 - astype(kept, float)) * (floor * scale) - p * floor * scale, x.dtype)
    return settled(input, y, inplace)
