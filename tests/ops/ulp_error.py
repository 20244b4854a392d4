"""What `test_ulp` asks of the error functions: everywhere where the result is finite, tails included."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np

from tensorgrad.ops.special import error
from tests.ops.ulp import Ulp

TINY = 2.3e-308
END = 2.0**-53


def erfcx(x: Any) -> Any:
    """By the product, where it can be had, and far out by the continued fraction (DLMF 7.9.1)."""
    if x < 25:
        with mp.workdps(60):
            return mp.exp(x * x) * mp.erfc(x)
    return 1 / mp.sqrt(mp.pi) / (x + fraction(x, 1))


def fraction(x: Any, order: int) -> Any:
    if (
        x < 25
    ):  # the slope of erfcx, and from it upwards; the cancellation costs digits, of which there are enough
        with mp.workdps(80):
            found = 1 / (mp.sqrt(mp.pi) * erfcx(x)) - x
            for m in range(1, order):
                found = mp.mpf(m) / 2 / found - x
            return found
    found = mp.mpf(0)
    for m in range(order + 60, order - 1, -1):
        found = mp.mpf(m) / 2 / (x + found)
    return found


def erfcinv(q: Any) -> Any:
    """By Newton's method on the logarithm of erfc, which is concave; near the middle mpmath's own."""
    if q > 0.4:
        return -erfcinv(2 - q) if q > 1.5 else mp.erfinv(1 - q)
    goal = mp.log(q)
    x = mp.sqrt(max(-goal - mp.log(1 + mp.sqrt(-mp.pi * goal)), mp.mpf(1) / 10))
    for _ in range(60):
        value = erfcx(x)
        step = (mp.log(value) - x * x - goal) * value * mp.sqrt(mp.pi) / 2
        x += step
        if abs(step) < mp.mpf(10) ** -30:
            return x
    raise ArithmeticError(f"no erfcinv at {q}")


def erfinv(y: Any) -> Any:
    return mp.sign(y) * erfcinv(1 - abs(y)) if abs(y) > 0.6 else mp.erfinv(y)


def log_ndtr(x: Any) -> Any:
    if x > 0:
        return mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2)
    return mp.log(erfcx(-x / mp.sqrt(2)) / 2) - x * x / 2


def ndtr_ratio(x: Any) -> Any:
    return mp.sqrt(2 / mp.pi) / erfcx(-x / mp.sqrt(2)) if x < 0 else mp.npdf(x) / mp.ncdf(x)


def kl(a: Any, b: Any) -> Any:
    return a * mp.log(a / b)


def near(centre: float, distance: float = 0.5) -> Any:
    """Points on both sides of one, at distances of all sizes."""

    def draw(rng: np.random.Generator, n: int) -> Any:
        far = np.exp(rng.uniform(np.log(1e-16), np.log(distance), n))
        return centre + rng.choice([-1.0, 1.0], n) * far

    return draw


def pairs(second: Any) -> Any:
    """A first argument of all sizes and both signs, and a second one as given."""

    def draw(rng: np.random.Generator, n: int) -> Any:
        return rng.choice([-1.0, 1.0], n) * np.exp(rng.uniform(-300, 300, n)), second(rng, n)

    return draw


def positive(rng: np.random.Generator, n: int) -> Any:
    return np.exp(rng.uniform(-700, 700, n))


def close_pair(rng: np.random.Generator, n: int) -> Any:
    a = np.exp(rng.uniform(-300, 300, n))
    return a, a * near(1)(rng, n)


CASES = [
    Ulp("erf", mp.erf, [(-6, 6), (TINY, 1, "log"), (-1, -TINY, "log"), (-30, 30)]),
    Ulp("erfc", mp.erfc, [(-6, 6), (0, 26.5), (-1, -TINY, "log"), (-1e300, -1, "log")]),
    Ulp("erfc", mp.erfc, [(26.5, 27.3)], label="subnormal"),
    Ulp("erfcx", erfcx, [(-26.6, 0), (0, 20), (1e-20, 1e300, "log"), (-1, -1e-20, "log")]),
    Ulp("erfinv", erfinv, [(-1, 1), (TINY, 0.1, "log"), (-0.1, -1e-20, "log")]),
    Ulp("erfinv", erfinv, lambda rng, n: 1 - np.exp(rng.uniform(np.log(END), 0, n)), label="near 1"),
    Ulp("erfcinv", erfcinv, [(0, 2), (TINY, 1, "log"), (5e-324, TINY, "log")]),
    Ulp("erfcinv", erfcinv, near(1), label="near 1"),
    Ulp(
        "laplace_fraction",
        lambda x: fraction(x, 1),
        [(0, 4), (0.5, 1e300, "log")],
        bound=16,  # a part of second derivatives; not public
        op=lambda x: error.laplace_fraction(x, order=1),
    ),
    Ulp("ndtr", mp.ncdf, [(-8, 8), (-37.5, -5), (1e-20, 1, "log"), (-1, -1e-20, "log")]),
    Ulp("ndtr", mp.ncdf, [(-38.6, -37.5)], label="subnormal"),
    Ulp("log_ndtr", log_ndtr, [(-8, 8), (-1e154, -1, "log"), (5, 37.5), (-40, 0)]),
    Ulp("ndtri", lambda p: -mp.sqrt(2) * erfcinv(2 * p), [(0, 1), (TINY, 1, "log"), (5e-324, TINY, "log")]),
    Ulp("ndtri", lambda p: -mp.sqrt(2) * erfcinv(2 * p), near(0.5), label="near 1/2"),
    Ulp("ndtr_ratio", ndtr_ratio, [(-8, 8), (-1e150, -1, "log"), (5, 38)], op=error.ndtr_ratio),
    Ulp(
        "logit", lambda p: mp.log(p / (1 - p)), [(0, 1), (TINY, 1, "log"), (5e-324, TINY, "log")], digits=400
    ),
    Ulp("logit", lambda p: mp.log(p / (1 - p)), near(0.5), label="near 1/2"),
    Ulp("expit", lambda x: 1 / (1 + mp.exp(-x)), [(-10, 10), (-708, 708), (-1, -1e-20, "log")]),
    Ulp("log_expit", lambda x: -mp.log1p(mp.exp(-x)), [(-10, 10), (-800, 708), (-1e300, -1, "log")]),
    Ulp("entr", lambda x: -x * mp.log(x), [(0, 3), (TINY, 1e305, "log")]),
    Ulp("entr", lambda x: -x * mp.log(x), near(1), label="near 1"),
    Ulp("rel_entr", kl, lambda rng, n: (np.exp(rng.uniform(-300, 300, n)), positive(rng, n))),
    Ulp("rel_entr", kl, close_pair, label="nearly equal"),
    Ulp("xlogy", lambda x, y: x * mp.log(y), pairs(positive)),
    Ulp("xlogy", lambda x, y: x * mp.log(y), pairs(near(1)), label="near 1"),
    Ulp("xlog1py", lambda x, y: x * mp.log1p(y), pairs(positive)),
    Ulp("xlog1py", lambda x, y: x * mp.log1p(y), pairs(near(0, 0.99)), label="near 0"),
]
