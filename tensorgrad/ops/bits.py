"""Bits and divisors of integers: ops without derivatives. Floating numbers are refused, as by NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compare import each

# ---- bit by bit; of booleans, the logic


@each
def bitwise_and(a: Any, b: Any, /) -> Any:
    """The bits that are set in both integers of each pair; also ``a & b``."""
    return np.bitwise_and(a, b)


@each
def bitwise_or(a: Any, b: Any, /) -> Any:
    """The bits that are set in one integer of each pair, or in both; also ``a | b``."""
    return np.bitwise_or(a, b)


@each
def bitwise_xor(a: Any, b: Any, /) -> Any:
    """The bits that are set in just one integer of each pair; also ``a ^ b``."""
    return np.bitwise_xor(a, b)


@each
def bitwise_invert(x: Any, /) -> Any:
    """Each integer with all of its bits turned over; also ``~x``."""
    return np.bitwise_invert(x)


@each
def bitwise_left_shift(a: Any, b: Any, /) -> Any:
    """The bits of each ``a`` moved up by ``b`` places; also ``a << b``."""
    return np.bitwise_left_shift(a, b)


@each
def bitwise_right_shift(a: Any, b: Any, /) -> Any:
    """The bits of each ``a`` moved down by ``b`` places, the sign kept; also ``a >> b``."""
    return np.bitwise_right_shift(a, b)


@each
def bitwise_count(x: Any, /) -> Any:
    """How many bits are set in the absolute value of each integer."""
    return np.bitwise_count(x)


# ---- divisors


@each
def gcd(a: Any, b: Any, /) -> Any:
    """The greatest common divisor of each pair; of two zeros it is 0."""
    return np.gcd(a, b)


@each
def lcm(a: Any, b: Any, /) -> Any:
    """The least common multiple of each pair; beside a zero it is 0."""
    return np.lcm(a, b)
