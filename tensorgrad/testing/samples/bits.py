"""Rows of bits and integers."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError
from .row import Fails, OpSamples, at, each, row

FEW = np.array([[5, 0, 3], [6, 12, 1]])
SMALLEST = np.iinfo(np.int64).min


def _whole_only(name: str, *args: Any) -> Fails:
    op = getattr(ops, name)
    return Fails(lambda: op(np.ones(2), *args), DtypeError, f"{name}: .*float64")


def _pairs(name: str, f: Callable[[Any, Any], Any], edge: Any) -> OpSamples:
    return row(
        name,
        at("0-d", np.array(6), np.array(3)),
        at("broadcast (2,3) (2,1)", FEW, np.array([[3], [2]])),
        at("empty", np.zeros((0, 3), int), np.array([1, 2, 3])),
        at("edge: signs", *edge),
        reference=each(f, int),
        errors=_whole_only(name, 1),
        numpy=getattr(np, name),
    )


SIGNS = np.array([-1, -6, 0, 7]), np.array([3, -4, 0, -7])
PLACES = np.array([-1, -6, 0, 7]), np.array([62, 1, 5, 0])

ROWS: list[OpSamples] = [
    _pairs("bitwise_and", operator.and_, SIGNS),
    _pairs("bitwise_or", operator.or_, SIGNS),
    _pairs("bitwise_xor", operator.xor, SIGNS),
    _pairs("bitwise_left_shift", operator.lshift, PLACES),
    _pairs("bitwise_right_shift", operator.rshift, PLACES),
    _pairs("gcd", math.gcd, SIGNS),
    _pairs("lcm", math.lcm, SIGNS),
    row(
        "bitwise_invert",
        at("0-d", np.array(6)),
        at("axes", FEW),
        at("edge: ends", np.array([0, -1, SMALLEST])),
        reference=each(operator.inv, int),
        errors=_whole_only("bitwise_invert"),
        numpy=np.bitwise_invert,
    ),
    row(
        "bitwise_count",
        at("0-d", np.array(6)),
        at("axes", FEW),
        at("edge: signs", np.array([0, -1, -6])),
        reference=each(int.bit_count, np.uint8),
        errors=_whole_only("bitwise_count"),
        numpy=np.bitwise_count,
    ),
]
