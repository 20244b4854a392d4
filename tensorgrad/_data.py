"""Plain data: what users give, as arrays and NumPy scalars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._config import get_default_dtype
from ._errors import DtypeError, GradientError
from ._primitive import Value
from ._specialise import plain
from .ops.dtype import numeric_dtype


def as_data(value: Any, dtype: Any = None, *, copy: bool | None = None) -> Any:
    """Plain data of what a user gave: an array, or a NumPy scalar where it has no axes.

    Python floats become the default float; an array or a NumPy scalar keeps its dtype.

    Raises:
        DtypeError: it is not numeric, is masked, or is a list with tensors in it that have a history.
    """
    if isinstance(value, Value):
        if value.level > 0:
            raise DtypeError(
                "a value inside a transformation (tg.grad, tg.vmap, tg.jvp) cannot become plain data, nor a tensor or "
                "parameter of its own; use it as it is, or x.clone()"
            )
        if getattr(value, "_node", None) is not None:
            raise GradientError(
                "a tensor with a history was given, which a copy would lose; use it as it is, x.clone() to copy it with "
                "its history, or x.detach() without"
            )
        value = value._leave("a copy")  # type: ignore[attr-defined]
    elif isinstance(value, np.ma.MaskedArray) or _any_item(
        value, lambda one: isinstance(one, np.ma.MaskedArray)
    ):
        raise DtypeError("a masked array was given, and its mask would be lost; fill it first: a.filled(0)")
    elif _any_item(
        value,
        lambda one: isinstance(one, Value) and (one.level > 0 or getattr(one, "_node", one) is not None),
    ):
        raise GradientError(
            "a list of tensors was given, and their history would be lost; use tg.stack(list)"
        )
    try:
        dtype = None if dtype is None else numeric_dtype(dtype, "dtype")
        made = np.array(value, dtype, copy=copy, order="C" if copy else "K")
    except (ValueError, TypeError, OverflowError) as error:
        what = "a tensor" if dtype is None else f"a tensor of {dtype}"
        raise DtypeError(f"{type(value).__name__} cannot become {what}: {first_line(error)}") from None
    numeric_dtype(made.dtype, type(value).__name__)
    if dtype is None and made.dtype.kind in "fc" and _python_numbers(value):
        default = get_default_dtype()
        made = made.astype(default if made.dtype.kind == "f" else np.result_type(default, np.complex64))
    if not made.dtype.isnative:
        if copy is False:
            raise ValueError(f"{made.dtype} in another byte order cannot be used without a copy")
        made = made.astype(made.dtype.newbyteorder("="))
    return plain(made)


def as_data_like(value: Any, dtype: Any) -> Any:
    """A private copy of plain data. Python's numbers take the dtype of the tensor that they are for, if they fit."""
    if _python_numbers(value):
        found = np.asarray(value).dtype
        if "biufc".index(np.dtype(dtype).kind) >= "biufc".find(found.kind) >= 0:
            return as_data(value, dtype, copy=True)
    return as_data(value, copy=True)


def read_only(data: Any) -> Any:
    """A view that cannot be written to; NumPy scalars as they are."""
    if type(data) is not np.ndarray:
        return data
    seen = data.view()
    seen.flags.writeable = False
    return seen


def keep(data: Any) -> Any:
    """What a node may save of an array that the user holds: a copy, which later writes do not reach."""
    return data.copy() if type(data) is np.ndarray else data


def zero_like(value: Any) -> Any:
    """Zeros of the shape and dtype of an array or value; for a Python number a number."""
    return plain(np.zeros(value.shape, value.dtype)) if hasattr(value, "shape") else type(value)(0)


def _any_item(value: Any, test: Callable[[Any], bool]) -> bool:
    """Whether some item of a nested list passes the test."""
    return isinstance(value, list | tuple) and any(_any_item(item, test) or test(item) for item in value)


def _python_numbers(value: Any) -> bool:
    """Whether a number or a nested list holds Python's numbers only, whose dtype is ours to choose."""
    if isinstance(value, list | tuple):
        return all(_python_numbers(item) for item in value)
    return isinstance(value, bool | int | float | complex) and not isinstance(value, np.generic)


def first_line(error: Exception) -> str:
    """The first line of another library's message."""
    return str(error).partition("\n")[0]
