"""Dtypes, constants and questions about dtypes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg


@pytest.mark.parametrize("kind", ["bool", "int8", "uint16", "float16", "float32", "float64", "complex64"])
def test_dtypes_are_numpys(kind: str) -> None:
    dtype = getattr(tg, kind)
    assert tg.zeros(2, dtype=dtype).dtype == dtype == np.dtype(kind)
    assert {dtype: 1}[tg.zeros((), dtype=kind).dtype] == 1


def test_constants() -> None:
    assert (tg.pi, tg.e, tg.inf) == (math.pi, math.e, math.inf) and tg.nan != tg.nan
    assert tg.ones(2)[:, tg.newaxis].shape == (2, 1)


def test_limits_of_dtypes_and_of_what_has_them() -> None:
    x = tg.ones(2, dtype="float16")
    assert tg.finfo(x).max == tg.finfo("float16").max == 65504
    assert tg.finfo(tg.complex64).bits == 32
    assert tg.iinfo(tg.ones(2, dtype="uint8")).max == tg.iinfo(np.uint8(3)).max == 255
    assert tg.vmap(lambda row: row * tg.finfo(row).eps)(tg.ones((2, 2))).shape == (2, 2)


def test_types_of_results() -> None:
    x = tg.ones(2, dtype="float16")
    assert tg.result_type(x, 2.5, tg.int8) == tg.float16 == (x * 2.5).dtype
    assert tg.result_type(x, np.ones(2)) == tg.float64
    assert tg.can_cast(x, tg.float32) and not tg.can_cast(tg.float32, x.dtype)


def test_kinds() -> None:
    assert tg.isdtype(tg.int8, "integral") and not tg.isdtype(tg.bool, "numeric")
    assert tg.isdtype(tg.complex64, (tg.bool, "complex floating"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tg.finfo(tg.int8), "finfo: int8 is not floating; use tg.iinfo"),
        (lambda: tg.iinfo(tg.ones(2)), "iinfo: float32 is not a dtype of integers; use tg.finfo"),
        (lambda: tg.isdtype(tg.int8, "whole"), "isdtype: kind is 'whole'"),
        (lambda: tg.can_cast("number", tg.int8), "can_cast: 'number' is no dtype"),
        (lambda: tg.result_type(), "result_type: "),
    ],
)
def test_errors(call: object, message: str) -> None:
    with pytest.raises(tg.DtypeError, match=message):
        call()  # type: ignore[operator]


def test_arrays_of_others_come_by_dlpack() -> None:
    array = np.ones(2, "float32")
    copied, shared = tg.from_dlpack(array), tg.from_dlpack(array, copy=False)
    array[0] = 5
    assert copied.tolist() == [1, 1] and shared.tolist() == [5, 1]
