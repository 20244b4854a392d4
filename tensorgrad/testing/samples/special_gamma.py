"""Rows of the gamma, beta, zeta and Bessel functions."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ...ops import special
from ...ops.special.bessel import bessel_i
from ...ops.special.beta import polygamma_rise
from ...ops.special.incomplete import beta_density, betainc_slope, gamma_density, gammainc_slope
from ...ops.special.zeta import hurwitz_slope
from .elementwise import broadcasting, simple
from .row import Fails, OpSamples, at, between, each, kink, row

INF = math.inf


def real_only(name: str, op: Callable[..., Any], count: int = 1, **params: Any) -> Fails:
    """A call with complex numbers."""
    return Fails(lambda: op(*[np.array([1j])] * count, **params), DtypeError, f"{name}: .*complex128")


def misfit(op: Callable[..., Any], **params: Any) -> Fails:
    """A call with shapes that do not broadcast."""
    return Fails(
        lambda: op(np.ones(2), np.ones((2, 3)), **params), ShapeError, r"\(2,\) and .* \(2, 3\) do not broad"
    )


def _positive(*shape: int, seed: int = 0) -> Any:
    return between(0.5, 4, *shape, seed=seed)


def _above_1(*shape: int, seed: int = 0) -> Any:
    return between(3, 5, *shape, seed=seed)


# ---- references


def _hurwitz(s: Any, q: float) -> Any:
    """Of a complex ``s``: the sum of 300 terms, and three of Euler and Maclaurin's for the rest."""
    a = q + 300
    total: complex = sum(cmath.exp(-s * math.log(q + k)) for k in range(299, -1, -1))
    tail = a / (s - 1) + 0.5 + s / (12 * a) - s * (s + 1) * (s + 2) / (720 * a**3)
    return total + cmath.exp(-s * math.log(a)) * tail


def _hurwitz_slope(order: int) -> Callable[[float, float], float]:
    """By Cauchy's integral around the point."""

    def slope(s: float, q: float) -> float:
        radius, count = (s - 1) / 2, 48
        around = [cmath.exp(2j * math.pi * i / count) for i in range(count)]
        values = [_hurwitz(s + radius * z, q) * z**-order for z in around]
        return math.factorial(order) * math.fsum(v.real for v in values) / count / radius**order

    return slope


def _digamma(x: float) -> float:
    if x <= 0:
        return _digamma(1 - x) - math.pi / math.tan(math.pi * x)
    far = x + 300
    tail = math.log(far) - 1 / (2 * far) - 1 / (12 * far**2) + 1 / (120 * far**4)
    return math.fsum([tail, *[-1 / (x + k) for k in range(300)]])


def _polygamma(n: int, x: float) -> float:
    return float((-1) ** (n + 1) * math.factorial(n) * _hurwitz(n + 1, x).real) if n else _digamma(x)


def _bessel(order: int, scaled: bool) -> Callable[[float], float]:
    """The mean of ``exp(x cos(t)) cos(n t)`` over a turn."""

    def value(x: float) -> float:
        turns = [2 * math.pi * i / 200 for i in range(200)]
        return math.fsum(
            math.exp(x * math.cos(t) - (abs(x) if scaled else 0)) * math.cos(order * t) / 200 for t in turns
        )

    return value


def _cauchy(f: Callable[..., Any], point: tuple[Any, ...], orders: tuple[int, ...]) -> Any:
    """The derivative of orders in the first variables, by Cauchy's integral in one after the other."""
    if not any(orders):
        return f(*point)
    i = next(i for i, order in enumerate(orders) if order)
    order, radius, total = orders[i], 0.3 * abs(point[i]), 0j
    others = tuple([0 if j == i else n for j, n in enumerate(orders)])
    for z in [cmath.exp(2j * math.pi * k / 24) for k in range(24)]:
        moved = tuple([p + radius * z if j == i else p for j, p in enumerate(point)])
        total += _cauchy(f, moved, others) * z**-order
    return total / 24 / radius**order * math.factorial(order)


def _real_cauchy(f: Callable[..., Any], *orders: int) -> Callable[..., Any]:
    return each(lambda *point: complex(_cauchy(f, point, orders)).real)


def _complex_gamma(z: Any) -> Any:
    """By Stirling's series, 20 to the right."""
    far = z + 20
    series = 1 / (12 * far) - 1 / (360 * far**3) + 1 / (1260 * far**5) - 1 / (1680 * far**7)
    value = cmath.exp((far - 0.5) * cmath.log(far) - far + math.log(2 * math.pi) / 2 + series)
    for k in range(20):
        value /= z + k
    return value


def _complex_gammainc(a: Any, x: float) -> Any:
    term = cmath.exp(a * math.log(x) - x) / _complex_gamma(a + 1)
    total = term
    for n in range(1, 120):
        term *= x / (a + n)
        total += term
    return total


def _complex_density(a: Any, x: float) -> Any:
    return cmath.exp((a - 1) * math.log(x) - x) / _complex_gamma(a)


def _complex_front(a: Any, b: Any) -> Any:
    return _complex_gamma(a + b) / _complex_gamma(a) / _complex_gamma(b)


def _complex_betainc(a: Any, b: Any, x: float) -> Any:
    """The hypergeometric series, DLMF 8.17.7."""
    term: Any = 1.0
    total: Any = 1 / a
    for n in range(1, 150):
        term *= (n - b) / n * x
        total += term / (a + n)
    return total * x**a * _complex_front(a, b)


def _complex_beta_density(a: Any, b: Any, x: float) -> Any:
    return x ** (a - 1) * (1 - x) ** (b - 1) * _complex_front(a, b)


def _bessel_row(name: str, order: int, scaled: bool) -> OpSamples:
    op = getattr(special, name)
    return row(
        name,
        *simple(),
        at("edge: small, negative, far", np.array([0.1, -3.0, 7.0, 40.0 if scaled else 9.0])),
        reference=each(_bessel(order, scaled)),
        errors=real_only(name, op),
        op=op,
        kinks=(kink("0", np.array([0.0]), gradients=(np.array([order / 2]),)),),
    )


ROWS: list[OpSamples] = [
    row(
        "lgamma",
        *simple(_positive),
        at("edge: near the zeros, large", np.array([1 + 1e-9, 2 - 1e-9, 30.0])),
        at("edge: negative", np.array([-0.4, -1.6, -3.7]), complex_step=False),
        at("edge: poles, infinity", np.array([0.0, -2.0, INF]), smooth=False),
        reference=each(lambda x: INF if x <= 0 and x == int(x) else math.lgamma(x)),
        errors=real_only("lgamma", special.lgamma),
    ),
    row(
        "gamma",
        *simple(_positive),
        at("edge: small, negative", np.array([0.1, -0.4, -2.6, 6.5])),
        at("edge: large", np.array([171.5, -170.5, 1e-300]), smooth=False),
        reference=each(math.gamma),
        errors=real_only("gamma", special.gamma),
    ),
    row(
        "digamma",
        *simple(_positive),
        at("edge: near the zero, large", np.array([1.4616321449683622, 30.0])),
        at("edge: negative", np.array([-0.4, -1.6, -3.7])),
        reference=each(_digamma),
        errors=real_only("digamma", special.digamma),
    ),
    row(
        "_polygamma",
        at("0-d", 1, 0.7),
        at("axes", np.array([[0, 1, 2], [3, 1, 4]]), _positive(2, 3)),
        at("broadcast (3) (2, 1)", np.array([0, 1, 2]), _positive(2, 1)),
        at("edge: large", np.array([1, 2, 3]), np.array([30.0, 12.0, 7.0])),
        reference=each(_polygamma),
        errors=Fails(lambda: special.polygamma(-1, np.ones(2)), DtypeError, "polygamma: n .* whole numbers"),
    ),
    row(
        "hurwitz_slope",
        at("0-d", 3.0, 0.7, order=0),
        at("axes, first order", _above_1(2, 3), _positive(2, 3), order=1),
        at("broadcast, second order", _above_1(3), _positive(2, 1), order=2),
        at("edge: large", np.array([3.0, 2.5]), np.array([25.0, 9.0]), order=0),
        reference=lambda x, q, order: each(_hurwitz_slope(order))(x, q),
        errors=(
            misfit(hurwitz_slope, order=0),
            real_only("zeta", hurwitz_slope, 2, order=0),
        ),
    ),
    row(
        "bessel_i",
        at("0-d", 0.7, order=0, scaled=False),
        at("axes", between(-3, 3, 2, 3), order=2, scaled=False),
        at("size 1, scaled", np.array([1.5]), order=1, scaled=True),
        at("edge: 0, far", np.array([0.0, 35.0, -1.0]), order=5, scaled=True),
        reference=lambda x, order, scaled: each(_bessel(order, scaled))(x),
        errors=real_only("i1e", bessel_i, order=1, scaled=True),
    ),
    row(
        "beta",
        *broadcasting(_positive, _positive),
        at("edge: small, far apart", np.array([0.1, 30.0]), np.array([0.2, 0.5])),
        reference=each(lambda a, b: math.gamma(a) * math.gamma(b) / math.gamma(a + b)),
        errors=(misfit(special.beta), real_only("beta", special.beta, 2)),
    ),
    row(
        "betaln",
        *broadcasting(_positive, _positive),
        at("edge: small, large", np.array([0.1, 30.0, 40.0]), np.array([0.2, 0.5, 120.0])),
        reference=each(lambda a, b: math.fsum([math.lgamma(a), math.lgamma(b), -math.lgamma(a + b)])),
        errors=(misfit(special.betaln), real_only("betaln", special.betaln, 2)),
    ),
    row(
        "polygamma_rise",
        at("0-d", 0.7, 1.2, order=0),
        at("axes, first order", _positive(2, 3), _positive(2, 3, seed=1), order=1),
        at("broadcast, second order", _positive(3), _positive(2, 1), order=2),
        at("edge: small, large", np.array([0.1, 30.0]), np.array([40.0, 0.01]), order=0),
        reference=lambda a, b, order: each(lambda a, b: _polygamma(order, a + b) - _polygamma(order, a))(
            a, b
        ),
        errors=(
            misfit(polygamma_rise, order=0),
            real_only("polygamma_rise", polygamma_rise, 2, order=0),
        ),
    ),
    row(
        "gammainc_slope",
        at("0-d", 1.5, 0.7, order=0, upper=False),
        at("axes, upper", _positive(2, 2), _positive(2, 2, seed=1), order=0, upper=True),
        at("broadcast, first order", _positive(2), _positive(2, 1, seed=1), order=1, upper=False),
        at(
            "edge: near 0, far", np.array([0.1, 12.0, 2.0]), np.array([0.1, 11.0, 20.0]), order=0, upper=False
        ),
        reference=lambda a, x, order, upper: (
            (upper and order == 0) + (-1) ** upper * _real_cauchy(_complex_gammainc, order)(a, x)
        ),
        errors=(
            misfit(gammainc_slope, order=0, upper=False),
            real_only("gammaincc", gammainc_slope, 2, order=0, upper=True),
        ),
    ),
    row(
        "gamma_density",
        at("0-d", 1.5, 0.7, order=0),
        at("broadcast, first order", _positive(2), _positive(2, 1, seed=1), order=1),
        at("edge: near 0, far", np.array([0.1, 12.0]), np.array([0.1, 11.0]), order=2),
        reference=lambda a, x, order: _real_cauchy(_complex_density, order)(a, x),
        errors=(misfit(gamma_density, order=0), real_only("gamma_density", gamma_density, 2, order=0)),
    ),
    row(
        "betainc_slope",
        at("0-d", 1.5, 2.5, 0.4, orders=(0, 0)),
        at("broadcast", _positive(2), _positive(2, 1), np.array([0.3]), orders=(0, 0)),
        at(
            "size 1, mixed orders",
            np.array([1.5]),
            np.array([0.7]),
            np.array([0.6]),
            orders=(1, 1),
            smooth=False,
        ),
        at("edge: near 0", np.array([0.3]), np.array([4.0]), np.array([0.02]), orders=(0, 1)),
        reference=lambda a, b, x, orders: _real_cauchy(_complex_betainc, *orders)(a, b, x),
        errors=real_only("betainc", betainc_slope, 3, orders=(0, 0)),
    ),
    row(
        "beta_density",
        at("0-d", 1.5, 2.5, 0.4, orders=(0, 0)),
        at("broadcast", _positive(2), _positive(2, 1), np.array([0.3]), orders=(0, 0)),
        at(
            "size 1, mixed orders",
            np.array([1.5]),
            np.array([0.7]),
            np.array([0.6]),
            orders=(1, 1),
            smooth=False,
        ),
        at("edge: near 0", np.array([0.3]), np.array([4.0]), np.array([0.02]), orders=(0, 1)),
        reference=lambda a, b, x, orders: _real_cauchy(_complex_beta_density, *orders)(a, b, x),
        errors=real_only("beta_density", beta_density, 3, orders=(0, 0)),
    ),
]

COMPOSED: list[OpSamples] = [
    row(
        "zeta",
        at("0-d", 3.0),
        *[at(one.label, *one.args) for one in broadcasting(_above_1, _positive)[2:4]],
        at("edge: large", np.array([3.0, 2.5]), np.array([25.0, 9.0])),
        reference=lambda x, *q: each(lambda x, q=1.0: _hurwitz_slope(0)(x, q))(x, *q),
        errors=misfit(special.zeta),
        op=special.zeta,
    ),
    row(
        "polygamma",
        at("0-d", 1, 0.7),
        at("broadcast (3) (2, 1)", np.array([0, 1, 2]), _positive(2, 1)),
        at("edge: large", np.array([1, 2, 3]), np.array([30.0, 12.0, 7.0])),
        reference=each(_polygamma),
        errors=(
            Fails(lambda: special.polygamma(0.5, np.ones(2)), DtypeError, "polygamma: n is of float64"),
            real_only("polygamma", lambda x: special.polygamma(1, x)),
        ),
        op=special.polygamma,
    ),
    row(
        "multigammaln",
        at("0-d", 2.7, p=3),
        at("axes", between(2, 5, 2, 3), p=2),
        at("size 1", np.array([1.5]), p=1),
        at("edge: above the bound", np.array([1.1, 9.0]), p=3),
        reference=lambda x, p: (
            p * (p - 1) / 4 * math.log(math.pi) + sum(each(math.lgamma)(x - j / 2) for j in range(p))
        ),
        errors=Fails(lambda: special.multigammaln(np.ones(2), 0), DtypeError, "multigammaln: p is 0"),
        op=special.multigammaln,
    ),
    row(
        "gammainc",
        at("0-d", 1.5, 0.7),
        at("broadcast", _positive(2), _positive(2, 1, seed=1)),
        at("edge: at 0 and infinity", np.array([2.0, 3.0]), np.array([0.0, INF]), smooth=False),
        reference=each(lambda a, x: 0.0 if x == 0 else 1.0 if x == INF else _complex_gammainc(a, x).real),
        errors=misfit(special.gammainc),
        op=special.gammainc,
    ),
    row(
        "gammaincc",
        at("0-d", 1.5, 0.7),
        at("broadcast", _positive(2), _positive(2, 1, seed=1)),
        at("edge: at 0 and infinity", np.array([2.0, 3.0]), np.array([0.0, INF]), smooth=False),
        reference=each(lambda a, x: 1.0 if x == 0 else 0.0 if x == INF else 1 - _complex_gammainc(a, x).real),
        errors=misfit(special.gammaincc),
        op=special.gammaincc,
    ),
    row(
        "betainc",
        at("0-d", 1.5, 2.5, 0.4),
        at("broadcast", _positive(2), np.array([[1.5], [3.0]]), np.array(0.6), wrt=(2,)),
        at("edge: at 0 and 1", np.array(2.0), np.array(3.0), np.array([0.0, 1.0]), smooth=False),
        reference=each(lambda a, b, x: x if x in (0, 1) else _complex_betainc(a, b, x).real),
        errors=real_only("betainc", special.betainc, 3),
        op=special.betainc,
    ),
    _bessel_row("i0", 0, False),
    _bessel_row("i1", 1, False),
    _bessel_row("i0e", 0, True),
    _bessel_row("i1e", 1, True),
]
