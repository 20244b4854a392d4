"""Far out and next to 0: values and slopes against mpmath, and no floating-point error where they are finite.

At +-1e3, +-1e300, subnormals and the like, under ``np.errstate`` that raises, each elementwise function must give
its value and its derivatives wherever these can be written as a float64, and raise nothing on the way.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import tensorgrad as tg
from tensorgrad._primitive import registry

SIZES = [1.0, 0.3, 30.0, 1e3, 1e300, 1e-310, 1e-8]
POINTS = [0.0, *SIZES, *[-x for x in SIZES]]
LEAST = mpf(5e-324)
LARGEST = mpf(np.finfo(float).max)
DIGITS = 1000  # differences at 1e-310, beside 1

UNARY: dict[str, Callable[[Any], Any]] = {
    "exp": mp.exp, "exp2": lambda x: mpf(2) ** x, "expm1": mp.expm1, "log": mp.log, "log1p": mp.log1p,
    "log2": lambda x: mp.log(x, 2), "log10": mp.log10, "sqrt": mp.sqrt, "square": lambda x: x * x,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)), "reciprocal": lambda x: 1 / x, "rsqrt": lambda x: 1 / mp.sqrt(x),
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh,
    "asin": mp.asin, "acos": mp.acos, "atan": mp.atan, "asinh": mp.asinh, "acosh": mp.acosh, "atanh": mp.atanh,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)), "sinc": lambda x: mp.sincpi(x), "abs": abs,
    "deg2rad": lambda x: x * mp.pi / 180, "rad2deg": lambda x: x * 180 / mp.pi, "negative": lambda x: -x,
}  # fmt: skip

# Special functions, with fewer digits: these take mpmath long.
SPECIAL: dict[str, Callable[[Any], Any]] = {
    "erf": mp.erf, "erfc": mp.erfc, "erfcx": lambda x: scaled_erfc(x), "expit": UNARY["sigmoid"],
    "logit": lambda x: mp.log(x / (1 - x)), "log_expit": lambda x: -mp.log1p(mp.exp(-x)),
    "ndtr": lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, "log_ndtr": lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2),
    "entr": lambda x: -x * mp.log(x), "erfinv": mp.erfinv,
    "lgamma": lambda x: mp.log(abs(mp.gamma(x))) if abs(x) < 100 else mp.re(mp.loggamma(x)),
    "digamma": mp.digamma, "i0e": lambda x: mp.besseli(0, x) * mp.exp(-abs(x)),
    "i1e": lambda x: mp.besseli(1, x) * mp.exp(-abs(x)),
}  # fmt: skip

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b, "hypot": lambda a, b: mp.sqrt(a * a + b * b), "atan2": mp.atan2,
    "logaddexp": lambda a, b: log_of_sum(a, b), "logaddexp2": lambda a, b: log_of_sum(a * mp.ln2, b * mp.ln2) / mp.ln2,
}  # fmt: skip

# Of the slopes only. From the result, y (1 - y) and 1 - y ** 2, have the digits of 1, not of what is left: they save the
# input, and a second exponential in every backward pass.
ABSOLUTE = {"sigmoid": 1e-15, "tanh": 1e-15}


def log_of_sum(a: Any, b: Any) -> Any:
    gap = abs(a - b)
    return max(a, b) if gap > 10 * DIGITS else max(a, b) + mp.log1p(mp.exp(-gap))


ORDERS = {1: [(0,), (1,), (2,)], 2: [(0, 0), (1, 0), (0, 1)]}


def fits(z: Any) -> bool:
    """Whether a number of mpmath's is real and can be written as a float64."""
    return isinstance(z, mpf) and bool(mp.isfinite(z)) and abs(z) <= LARGEST


def exact(f: Callable[..., Any], point: tuple[float, ...], order: tuple[int, ...]) -> Any:
    """The value or a derivative of ``f``, None where there is none."""
    at = [mpf(x) for x in point]
    try:
        return mp.diff(f, tuple(at), order) if any(order) else f(*at)
    except (ZeroDivisionError, ValueError, OverflowError):
        return None


def ours(op: Callable[..., Any], order: tuple[int, ...]) -> Callable[..., Any]:
    """The op or one of its derivatives, as a function of numbers."""
    f = op
    for argument, times in enumerate(order):
        for _ in range(times):
            f = tg.grad(f, argument)
    return f


CASES = [(name, f, 1) for name, f in UNARY.items()] + [(name, f, 2) for name, f in BINARY.items()]


@pytest.mark.parametrize(("name", "reference", "inputs"), CASES, ids=[name for name, _, _ in CASES])
def test_values_and_slopes_far_out(name: str, reference: Callable[..., Any], inputs: int) -> None:
    wrong = []
    f = registry[name].op
    with mp.workdps(DIGITS):
        for point in itertools.product(POINTS, repeat=inputs):
            for order in ORDERS[inputs]:
                z = exact(reference, point, order)
                if z is None or not fits(z):
                    break  # there are no derivatives of what is not finite itself
                try:
                    with np.errstate(over="raise", divide="raise", invalid="raise"):
                        y = float(ours(f, order)(*[np.float64(x) for x in point]))
                except FloatingPointError as error:
                    wrong.append(f"order {order} at {point}: {error}, but the result is {mp.nstr(z, 5)}")
                    continue
                if (
                    not abs(mpf(y) - z)
                    <= 1e-13 * abs(z) + (ABSOLUTE.get(name, 0) if any(order) else 0) + 4 * LEAST
                ):
                    wrong.append(f"order {order} at {point}: {y}, not {mp.nstr(z, 17)}")
    assert not wrong, "\n".join(wrong)
