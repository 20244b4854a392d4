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
from tensorgrad import special
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

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b, "hypot": lambda a, b: mp.sqrt(a * a + b * b), "atan2": mp.atan2,
    "logaddexp": lambda a, b: log_of_sum(a, b), "logaddexp2": lambda a, b: log_of_sum(a * mp.ln2, b * mp.ln2) / mp.ln2,
}  # fmt: skip

# Of slopes only. Those from the result, y (1 - y) and 1 - y ** 2, have the digits of 1, not of what is left: they
# save the input, and a second exponential in every backward pass. So has the curvature, with 1 - 2 y, of expit.
ABSOLUTE = {"sigmoid": 1e-15, "tanh": 1e-15, "expit": 1e-16}


def log_of_sum(a: Any, b: Any) -> Any:
    gap = abs(a - b)
    return max(a, b) if gap > 10 * DIGITS else max(a, b) + mp.log1p(mp.exp(-gap))


ORDERS = {1: [(0,), (1,), (2,)], 2: [(0, 0), (1, 0), (0, 1)]}


def normal_density(x: Any) -> Any:
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def normal_share(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def logistic(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def erfcx(x: Any, order: int = 0) -> Any:
    """Derivatives of ``exp(x * x) * erfc(x)``; far out, by what is left of it there."""
    if x > 1e4:
        terms = [(-1) ** k * mp.fac2(2 * k - 1) * mp.ff(-2 * k - 1, order) / mpf(2) ** k for k in range(20)]
        return sum(a / x ** (2 * k + 1 + order) for k, a in enumerate(terms)) / mp.sqrt(mp.pi)
    if x < -1e4:
        return None
    y = mp.exp(x * x) * mp.erfc(x)
    slope = 2 * x * y - 2 / mp.sqrt(mp.pi)
    return (y, slope, 2 * y + 2 * x * slope)[order]


def mills(x: Any, order: int = 0) -> Any:
    """Derivatives of the logarithm of the normal share below ``x``, from the first."""
    if x < -1e4:
        a = -x / mp.sqrt(2)
        y = erfcx(a)
        return mp.sqrt(2 / mp.pi) / y if order == 0 else erfcx(a, 1) / mp.sqrt(mp.pi) / y**2
    y = normal_density(x) / normal_share(x)
    return y if order == 0 else -y * (x + y)


def log_of_normal_share(x: Any) -> Any:
    if x < -1e4:
        return mp.log(erfcx(-x / mp.sqrt(2)) / 2) - x * x / 2
    return mp.log1p(-normal_share(-x)) if x > 0 else mp.log(normal_share(x))


def bessel(x: Any, order: int) -> Any:
    return mp.besseli(order, x) if abs(x) < 1e4 else mp.inf


def scaled_bessel(x: Any, order: int) -> Any:
    """Far out, by the first terms of the series in ``1 / x``."""
    if abs(x) < 1e4:
        return mp.besseli(order, x) * mp.exp(-abs(x))
    correction = (
        1 - (4 * order**2 - 1) / (8 * abs(x)) + (4 * order**2 - 1) * (4 * order**2 - 9) / (128 * x * x)
    )
    return mp.sign(x) ** order * correction / mp.sqrt(2 * mp.pi * abs(x))


SPECIAL: dict[str, tuple[Callable[[Any], Any], ...]] = {
    "digamma": (mp.digamma, lambda x: mp.psi(1, x), lambda x: mp.psi(2, x)),
    "entr": (lambda x: -x * mp.log(x), lambda x: -1 - mp.log(x), lambda x: -1 / x),
    "erf": (mp.erf, lambda x: 2 * mp.exp(-x * x) / mp.sqrt(mp.pi), lambda x: -4 * x * mp.exp(-x * x) / mp.sqrt(mp.pi)),
    "erfc": (mp.erfc, lambda x: -2 * mp.exp(-x * x) / mp.sqrt(mp.pi), lambda x: 4 * x * mp.exp(-x * x) / mp.sqrt(mp.pi)),
    "erfcx": (erfcx, lambda x: erfcx(x, 1), lambda x: erfcx(x, 2)),
    "expit": (logistic, lambda x: logistic(x) * logistic(-x),
              lambda x: logistic(x) * logistic(-x) * (logistic(-x) - logistic(x))),
    "i0": (lambda x: bessel(x, 0), lambda x: bessel(x, 1), lambda x: (bessel(x, 0) + bessel(x, 2)) / 2),
    "i1": (lambda x: bessel(x, 1), lambda x: (bessel(x, 0) + bessel(x, 2)) / 2,
           lambda x: (bessel(x, 3) + 3 * bessel(x, 1)) / 4),
    "i0e": (lambda x: scaled_bessel(x, 0),),
    "i1e": (lambda x: scaled_bessel(x, 1),),
    "lgamma": (lambda x: mp.re(mp.loggamma(x)), mp.digamma, lambda x: mp.psi(1, x)),
    "log_expit": (lambda x: -mp.log1p(mp.exp(-x)), lambda x: logistic(-x), lambda x: -logistic(x) * logistic(-x)),
    "log_ndtr": (log_of_normal_share, mills, lambda x: mills(x, 1)),
    "logit": (lambda x: mp.log(x / (1 - x)), lambda x: 1 / (x * (1 - x)), lambda x: (2 * x - 1) / (x * (1 - x)) ** 2),
    "ndtr": (normal_share, normal_density, lambda x: -x * normal_density(x)),
}  # fmt: skip
"""Value, slope and curvature in closed form: mpmath's differences would take minutes."""


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
                wrong += complaints(name, ours(f, order), point, order, z)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions_far_out(name: str) -> None:
    wrong = []
    with mp.workdps(100):
        for point in [*POINTS, 0.5, 0.999999, 1.4616321449683623, 2.0, 5.0, -2.5, -27.5, -38.0]:
            for order, reference in enumerate(SPECIAL[name]):
                z = exact(reference, (point,), (0,))
                if z is None or not fits(z):
                    break
                wrong += complaints(
                    name, ours(getattr(special, name), (order,)), (point,), (order,), z, 3e-13
                )
    assert not wrong, "\n".join(wrong)


def complaints(
    name: str, f: Callable[..., Any], point: Any, order: Any, z: Any, allowed: float = 1e-13
) -> list[str]:
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            y = float(f(*[np.float64(x) for x in point]))
    except FloatingPointError as error:
        return [f"order {order} at {point}: {error}, but the result is {mp.nstr(z, 5)}"]
    absolute = ABSOLUTE.get(name, 0) if any(order) else 0
    if abs(mpf(y) - z) <= allowed * abs(z) + absolute + 4 * LEAST:
        return []
    return [f"order {order} at {point}: {y}, not {mp.nstr(z, 17)}"]
