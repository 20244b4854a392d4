"""What the functions of this folder have in common: arrays of what was given, and results of the same kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._data import as_data
from ..._errors import DtypeError, ShapeError
from ..._specialise import plain
from ..._tensor import Tensor, fresh

Size = int | tuple[int, int]


def raw_of(x: Any) -> NDArray[Any]:
    """The array of what was given; a tensor with a gradient to follow is refused."""
    return np.asarray(as_data(x))


def like(x: Any, made: NDArray[Any]) -> Any:
    """``made`` as a tensor, if ``x`` was one."""
    return fresh(plain(made)) if isinstance(x, Tensor) else made


def images_of(what: str, x: Any, least: int = 3) -> NDArray[Any]:
    """The array of images, if it has as many axes as images need."""
    raw = raw_of(x)
    if raw.ndim < least:
        raise ShapeError(
            f"{what}: x of shape {raw.shape}; images ({'N, ' * (least > 2)}..., H, W) are needed"
        )
    return raw


def height_width(what: str, size: Size) -> tuple[int, int]:
    """Height and width of a size that may be given as one side."""
    height, width = (size, size) if isinstance(size, int | np.integer) else size
    if height < 1 or width < 1:
        raise ShapeError(f"{what}: size {size} given; sides of at least 1 are needed")
    return int(height), int(width)


def checked_fill(what: str, raw: NDArray[Any], fill: float) -> float:
    """``fill``, if the images' dtype holds it."""
    if raw.dtype.kind != "f":
        low, high = (0, 1) if raw.dtype == np.bool_ else (np.iinfo(raw.dtype).min, np.iinfo(raw.dtype).max)
        if not float(fill).is_integer() or not low <= fill <= high:
            raise DtypeError(f"{what}: fill={fill} does not fit images of {raw.dtype}")
    return fill
