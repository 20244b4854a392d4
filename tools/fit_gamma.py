"""Compute the coefficients of the gamma family: writes tensorgrad/ops/special/_gamma_tables.py.

Run it with mpmath installed, ``python tools/fit_gamma.py``, and then ``ruff format``. The polynomials
interpolate in Chebyshev's points, with 60 digits; the series are Stirling's and Euler and Maclaurin's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp

TARGET = Path(__file__).parent.parent / "tensorgrad" / "ops" / "special" / "_gamma_tables.py"
mp.mp.dps = 60


def polynomial(f: Callable[[Any], Any], middle: float, half: float, degree: int) -> list[Any]:
    """Coefficients, lowest first, in ``x - middle`` of the interpolant on ``middle - half .. middle + half``."""
    n = degree + 1
    angles = [mp.pi * (2 * i + 1) / (2 * n) for i in range(n)]
    values = [f(middle + half * mp.cos(angle)) for angle in angles]
    series = [
        2 * mp.fsum(v * mp.cos(k * angle) for v, angle in zip(values, angles, strict=True)) / n
        for k in range(n)
    ]
    series[0] /= 2
    before, now = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]
    total = [mp.mpf(0)] * n
    for weight in series:
        for power, one in enumerate(before):
            total[power] += weight * one
        following = [mp.mpf(0)] + [2 * one for one in now]
        for power, one in enumerate(before):
            following[power] -= one
        before, now = now, following
    return [one / mp.mpf(half) ** power for power, one in enumerate(total)]


def bessel(order: int) -> Callable[[Any], Any]:
    """``exp(-x) I(x)`` of an order."""
    return lambda x: mp.exp(-x) * mp.besseli(order, x)


def parts(value: Any) -> list[Any]:
    """The nearest double, and what is left of the value."""
    return [mp.mpf(float(value)), value - mp.mpf(float(value))]


def main() -> None:
    """Write the module."""
    zero = mp.findroot(mp.digamma, mp.mpf("1.4616321449683623"))
    tables = {
        "PI": ("pi as a sum", parts(mp.pi)),
        "HALF_LOG_TWO_PI": ("log(2 pi) / 2 as a sum", parts(mp.log(2 * mp.pi) / 2)),
        "ROOT_TWO_PI": ("sqrt(2 pi) as a sum", parts(mp.sqrt(2 * mp.pi))),
        "DIGAMMA_ZERO": ("where digamma is 0, as a sum", parts(zero)),
        "LGAMMA_AT_1": (
            "lgamma(1 + u) / u for u in -1/2 .. 1/2",
            polynomial(lambda x: mp.loggamma(1 + x) / x if x else -mp.euler, 0, 0.5, 29),
        ),
        "LGAMMA_AT_2": (
            "lgamma(2 + u) / u for u in -1/2 .. 1/2",
            polynomial(lambda x: mp.loggamma(2 + x) / x if x else 1 - mp.euler, 0, 0.5, 19),
        ),
        "GAMMA_AT_5_HALVES": (
            "gamma(5/2 + u) for u in -1/2 .. 1/2",
            polynomial(mp.gamma, 2.5, 0.5, 18),
        ),
        "GAMMA_5_HALVES": ("gamma(5/2) as a sum", parts(mp.gamma(2.5))),
        "DIGAMMA_AT_2": (
            "digamma(2 + u) / (2 + u - zero) for u in -1 .. 1",
            polynomial(lambda x: mp.digamma(x) / (x - zero), 2, 1, 30),
        ),
        "DIGAMMA_AT_5": ("digamma(5 + u) for u in -2 .. 2", polynomial(mp.digamma, 5, 2, 26)),
        "I0E_NEAR": ("exp(-5 - u) I0(5 + u) for u in -3 .. 3", polynomial(bessel(0), 5, 3, 28)),
        "I1E_NEAR": ("exp(-5 - u) I1(5 + u) for u in -3 .. 3", polynomial(bessel(1), 5, 3, 28)),
        "I0E_MIDDLE": (
            "sqrt(x) exp(-x) I0(x) of u = 1/x - 5/64, for x in 8 .. 32",
            polynomial(lambda u: bessel(0)(1 / u) / mp.sqrt(u), 5 / 64, 3 / 64, 22),
        ),
        "I1E_MIDDLE": (
            "sqrt(x) exp(-x) I1(x) of u = 1/x - 5/64, for x in 8 .. 32",
            polynomial(lambda u: bessel(1)(1 / u) / mp.sqrt(u), 5 / 64, 3 / 64, 22),
        ),
        "STIRLING": (
            "B(2k) / (2k (2k - 1)): lgamma by powers of 1/x**2, over x",
            [mp.bernoulli(2 * k) / (2 * k * (2 * k - 1)) for k in range(1, 13)],
        ),
        "DIGAMMA_FAR": (
            "B(2k) / 2k: what digamma is below log(x) - 1/2x, by powers of 1/x**2, over x**2",
            [mp.bernoulli(2 * k) / (2 * k) for k in range(1, 15)],
        ),
        "EULER_MACLAURIN": (
            "B(2k) / (2k)!",
            [mp.bernoulli(2 * k) / mp.factorial(2 * k) for k in range(1, 14)],
        ),
    }
    lines = ['"""Coefficients of the gamma family; computed and written by tools/fit_gamma.py."""', ""]
    for name, (what, numbers) in tables.items():
        lines += [f"{name} = ({', '.join(repr(float(one)) for one in numbers)})", f'"""{what}."""', ""]
    TARGET.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
