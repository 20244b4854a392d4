"""Where the gamma, beta, zeta and Bessel functions are compared with mpmath, and what is promised there."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np

from tests.ops.ulp import Ulp

Points = Any


def lgamma(x: Any) -> Any:
    return mp.loggamma(x) if x > 0 else mp.log(abs(mp.gamma(x)))


def zeta(s: Any, q: Any) -> Any:
    """By Euler and Maclaurin's formula; mpmath's own has an absolute tolerance, and results may be tiny."""
    a = q + 30
    factor = s / a ** (s + 1)
    total = mp.fsum([*[(q + k) ** -s for k in range(30)], a ** (1 - s) / (s - 1), a**-s / 2])
    for j in range(1, 100):
        term = mp.bernoulli(2 * j) / mp.factorial(2 * j) * factor
        total += term
        if abs(term) < total * mp.eps:
            break
        factor *= (s + 2 * j - 1) * (s + 2 * j) / a**2
    return total


def polygamma(n: Any, x: Any) -> Any:
    return (-1) ** (int(n) + 1) * mp.factorial(n) * zeta(n + 1, x)


def lower(a: Any, x: Any) -> Any:
    return mp.gammainc(a, 0, x, regularized=True)


def upper(a: Any, x: Any) -> Any:
    return mp.gammainc(a, x, mp.inf, regularized=True)


def betainc(a: Any, b: Any, x: Any) -> Any:
    return mp.betainc(a, b, 0, x, regularized=True)


def spread(*ranges: tuple[float, float]) -> Points:
    """Points for several arguments, evenly over the orders of magnitude."""

    def draw(rng: np.random.Generator, n: int) -> Points:
        return tuple([np.exp(rng.uniform(np.log(a), np.log(b), n)) for a, b in ranges])

    return draw


def around(zero: float) -> Points:
    """Points on both sides of a zero, evenly over the orders of magnitude of their distance from it."""

    def draw(rng: np.random.Generator, n: int) -> Points:
        return zero + rng.choice([-1, 1], n) * np.exp(rng.uniform(np.log(1e-15), np.log(0.1), n))

    return draw


def orders(*ns: int) -> Points:
    """Orders of polygamma, and positive points."""

    def draw(rng: np.random.Generator, n: int) -> Points:
        return rng.choice(ns, n), np.exp(rng.uniform(np.log(1e-3), np.log(1e5), n))

    return draw


def beside(low: float, high: float, least: float, most: float, above: float) -> Points:
    """``a`` within bounds, and ``x`` within a part of ``a``, from ``above`` beyond it."""

    def draw(rng: np.random.Generator, n: int) -> Points:
        a = np.exp(rng.uniform(np.log(low), np.log(high), n))
        return a, a * rng.uniform(least, most, n) + above

    return draw


def below_the_mean(low: float, high: float) -> Points:
    """``a`` and ``b`` within bounds, and ``x`` below the mean of the beta law."""

    def draw(rng: np.random.Generator, n: int) -> Points:
        a, b = np.exp(rng.uniform(np.log(low), np.log(high), (2, n)))
        return a, b, a / (a + b) * rng.uniform(0.5, 1, n)

    return draw


CASES = [
    Ulp("lgamma", lgamma, [(1e-300, 1, "log"), (0.3, 20), (20, 1e305, "log")], label="positive"),
    Ulp("lgamma", lgamma, around(1.0), label="near 1"),
    Ulp("lgamma", lgamma, around(2.0), label="near 2"),
    Ulp("lgamma", lgamma, [(-2, 0), (-1e-300, -1e-2, "log")], label="from -2 to 0"),
    Ulp("gamma", mp.gamma, [(1e-300, 1, "log"), (0, 12), (12, 171.6)], label="positive"),
    Ulp("gamma", mp.gamma, [(-12, 0), (-170, -12)], label="negative"),
    Ulp("digamma", mp.digamma, [(1e-300, 1, "log"), (0.3, 20), (20, 1e300, "log")], label="positive"),
    Ulp("digamma", mp.digamma, around(1.4616321449683622), label="near the zero"),
    Ulp("polygamma", polygamma, orders(1), label="1"),
    Ulp("polygamma", polygamma, orders(2, 3, 4, 5, 10, 30, 100), label="of higher orders"),
    Ulp("zeta", zeta, spread((1.0001, 200), (1e-2, 1e3))),
    Ulp("zeta", lambda s: zeta(s, mp.mpf(1)), [(1.000001, 1.1), (1.1, 60)], label="Riemann's"),
    *[
        Ulp(f"i{n}{'e' if scaled else ''}", f, [(1e-300, 1, "log"), (-8, 8), (8, 700)])
        for n in (0, 1)
        for scaled, f in (
            (False, lambda x, n=n: mp.besseli(n, x)),
            (True, lambda x, n=n: mp.besseli(n, x) * mp.exp(-abs(x))),
        )
    ],
    Ulp("beta", lambda a, b: mp.gamma(a) * mp.gamma(b) / mp.gamma(a + b), spread((1e-20, 60), (1e-20, 60))),
    Ulp("gammainc", lower, beside(1e-3, 1e3, 0.9, 1, 0), bound=50, label="below"),
    Ulp("gammaincc", upper, beside(1e-3, 1e3, 1, 1.1, 1), bound=200, label="above"),
    Ulp("betainc", betainc, below_the_mean(1e-2, 100), bound=2500),
]
