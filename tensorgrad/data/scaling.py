"""Columns brought to a common scale, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._config import get_default_dtype
from .._data import as_data
from .._errors import ShapeError
from .._specialise import plain
from .._tensor import Tensor, fresh


class Scaler:
    """``(x - shift) / scale`` for each column; `fit` finds the two numbers of each.

    Arrays in, arrays out; tensors in, tensors out. Floats keep their dtype, whole numbers become the
    default float.
    """

    shift: NDArray[np.float64] | None = None
    scale: NDArray[np.float64] | None = None

    def _find(self, columns: NDArray[np.float64]) -> tuple[Any, Any]:
        raise NotImplementedError(f"{type(self).__name__} lacks _find, which gives shift and scale")

    def fit(self, x: Any) -> Scaler:
        """Take shift and scale from the columns of ``x``, over its first axis, and return this scaler.

        Raises:
            ShapeError: ``x`` has no rows, or a number is not finite.
        """
        columns = np.asarray(as_data(x), np.float64)
        if not columns.ndim or not len(columns):
            raise ShapeError(f"{type(self).__name__}.fit: x of shape {columns.shape} has no rows")
        if not np.isfinite(columns).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(columns))[0])
            raise ShapeError(
                f"{type(self).__name__}.fit: x{list(place)} is {columns[place]}; fill or drop such rows"
            )
        shift, scale = self._find(columns)
        self.shift, self.scale = (
            np.asarray(shift),
            np.where(scale == 0, 1.0, scale),
        )  # constant columns stay whole
        return self

    def transform(self, x: Any) -> Any:
        """The columns of ``x`` on the common scale."""
        return self._apply("transform", x, lambda raw, shift, scale: (raw - shift) / scale)

    def inverse_transform(self, x: Any) -> Any:
        """The reverse of `transform`."""
        return self._apply("inverse_transform", x, lambda raw, shift, scale: raw * scale + shift)

    def fit_transform(self, x: Any) -> Any:
        """`fit`, then `transform`."""
        return self.fit(x).transform(x)

    def _apply(self, method: str, x: Any, formula: Any) -> Any:
        if self.shift is None or self.scale is None:
            raise ShapeError(f"{type(self).__name__}.{method}: call fit first")
        raw = np.asarray(as_data(x))
        if raw.shape[1:] != self.shift.shape:
            raise ShapeError(
                f"{type(self).__name__}.{method}: x of shape {raw.shape}; it was fitted to rows of shape {self.shift.shape}"
            )
        made = formula(raw, self.shift, self.scale)
        made = made.astype(raw.dtype if raw.dtype.kind == "f" else get_default_dtype())
        return fresh(plain(made)) if isinstance(x, Tensor) else made


class StandardScaler(Scaler):
    """Columns with mean 0 and standard deviation 1; constant ones become 0.

    Example:
        >>> scaler = StandardScaler().fit([[1.0, 5.0], [3.0, 5.0]])
        >>> scaler.transform(np.array([[3.0, 5.0], [5.0, 6.0]]))
        array([[1., 0.],
               [3., 1.]])
    """

    def _find(self, columns: NDArray[np.float64]) -> tuple[Any, Any]:
        return columns.mean(axis=0), columns.std(axis=0)


class MinMaxScaler(Scaler):
    """Columns between two numbers; constant ones become the lower one.

    Args:
        low: what the least of each column becomes.
        high: what the largest becomes.

    Example:
        >>> MinMaxScaler(-1, 1).fit_transform(np.array([0.0, 5.0, 10.0]))
        array([-1.,  0.,  1.])
    """

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        if not low < high:
            raise ShapeError(f"MinMaxScaler: low={low} and high={high} given; low must be less")
        self.low, self.high = low, high

    def _find(self, columns: NDArray[np.float64]) -> tuple[Any, Any]:
        least = columns.min(axis=0)
        scale = (columns.max(axis=0) - least) / (self.high - self.low)
        return least - self.low * np.where(scale == 0, 1.0, scale), scale
