"""The gamma, beta, zeta and Bessel functions: extremes, poles, dtypes, identities, and PyTorch's values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import special

INF = math.inf
EXTREMES = np.array([1e3, 1e300, 1e-300, 5e-324, 2.0**-1074 * 3, 170.0, 1.0, 2.0])
ONE_ARGUMENT: dict[str, Callable[..., Any]] = {
    "lgamma": special.lgamma,
    "gamma": special.gamma,
    "digamma": special.digamma,
    "polygamma": lambda x: special.polygamma(2, x),
    "zeta": lambda x: special.zeta(3.0, x),
    "Riemann's zeta": lambda x: special.zeta(x),
    "i0": special.i0,
    "i1": special.i1,
    "i0e": special.i0e,
    "i1e": special.i1e,
}
TWO_ARGUMENTS: dict[str, Callable[..., Any]] = {
    "beta": special.beta,
    "betaln": special.betaln,
    "gammainc": special.gammainc,
    "gammaincc": special.gammaincc,
}
POSITIVE = st.floats(1e-3, 1e3)


def close(a: Any, b: Any, rtol: float = 1e-13, atol: float = 0.0) -> None:
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def value(op: Callable[..., Any], *args: float) -> float:
    return float(op(*[np.array(a) for a in args]))


# ---- extremes and poles


@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_nothing_is_raised_at_extremes(name: str) -> None:
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for sign in (1, -1):
            y = ONE_ARGUMENT[name](sign * EXTREMES)
            assert y.shape == EXTREMES.shape
            assert not np.isnan(y[:4] if name in ("i0", "i1", "i0e", "i1e") else 0.0).any()


@pytest.mark.parametrize("name", TWO_ARGUMENTS)
def test_pairs_of_extremes(name: str) -> None:
    small = np.array([1e-300, 1e-10, 0.5, 1.0, 30.0, 1e3, 1e300])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        y = TWO_ARGUMENTS[name](small[:6, None], small)
    assert not np.isnan(y).any()
    if "inc" in name:
        assert ((y >= 0) & (y <= 1)).all()


def test_gradients_at_extremes() -> None:
    x = np.array([1e-100, 1e-3, 1e3, 1e300])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for op in (special.lgamma, special.digamma, special.i0e, special.i1e):
            assert np.isfinite(tg.grad(lambda x, op=op: op(x).sum())(x)).all()


def test_poles() -> None:
    with np.errstate(all="raise"):
        at = np.array([0.0, -0.0, -1.0, -2.0, -1e17])
        np.testing.assert_array_equal(special.lgamma(at), [INF] * 5)
        np.testing.assert_array_equal(special.gamma(at)[:2], [INF, -INF])
        np.testing.assert_array_equal(special.digamma(at)[:2], [-INF, INF])
        assert np.isnan(special.gamma(at)[2:]).all() and np.isnan(special.digamma(at)[2:]).all()
        np.testing.assert_array_equal(special.polygamma(1, at), [INF] * 5)
        np.testing.assert_array_equal(special.polygamma(2, at)[:2], [-INF, INF])
        np.testing.assert_array_equal(
            special.zeta(np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0, -0.0]))[:2], INF
        )
        assert np.isnan(special.zeta(np.array([0.5, -2.0]))).all()
        assert np.isnan(special.zeta(2.5, np.array([-0.5]))).all()


def test_infinities_and_nan() -> None:
    x = np.array([INF, -INF, math.nan])
    np.testing.assert_array_equal(special.lgamma(x), [INF, INF, math.nan])
    np.testing.assert_array_equal(special.gamma(x), [INF, math.nan, math.nan])
    np.testing.assert_array_equal(special.digamma(x), [INF, math.nan, math.nan])
    np.testing.assert_array_equal(special.polygamma(1, x), [0, math.nan, math.nan])
    np.testing.assert_array_equal(special.i0(x), [INF, INF, math.nan])
    np.testing.assert_array_equal(special.i1(x), [INF, -INF, math.nan])
    np.testing.assert_array_equal(special.i0e(x), [0, 0, math.nan])
    np.testing.assert_array_equal(special.zeta(x, 2.0), [0, math.nan, math.nan])
    assert special.zeta(INF, np.array([1.0]))[0] == 1
    for op in (special.beta, special.betaln, special.gammainc, special.gammaincc):
        assert np.isnan(op(np.array([math.nan, 1.0]), np.array([1.0, math.nan]))).all()


def test_what_over_and_underflows_only_on_the_way() -> None:
    assert value(special.gamma, 171.6) == pytest.approx(1.5858969096673e308, rel=1e-12)
    assert value(special.gamma, 171.62437695630272) < INF == value(special.gamma, 171.62437695630275)
    assert value(special.gamma, -170.5) == pytest.approx(-3.3127395215e-308, rel=1e-9)
    assert value(lambda x: special.polygamma(100, x), 1873.8) == pytest.approx(-5.11939e-172, rel=1e-5, abs=0)
    assert value(lambda x: special.polygamma(201, x), -0.7) == INF
    half = math.exp(356.5)
    assert value(special.i0, 713.0) == pytest.approx(half * value(special.i0e, 713.0) * half, rel=1e-13)
    assert value(special.betaln, 1e10, 1.0) == pytest.approx(-math.log(1e10), rel=1e-14)
    assert value(special.lgamma, 1e305) == pytest.approx(1e305 * (math.log(1e305) - 1), rel=1e-14)


def test_whole_numbers() -> None:
    n = np.arange(1, 30)
    close(special.gamma(n), [math.gamma(k) for k in n.tolist()], 9e-16)
    assert special.lgamma(np.array([1, 2])).tolist() == [0, 0]
    assert special.gamma(np.arange(1, 24)).tolist() == [math.factorial(k) for k in range(23)]
    close(special.zeta(np.array([2.0, 4.0])), [math.pi**2 / 6, math.pi**4 / 90], 4e-16)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_narrow_results_are_rounded_once(dtype: str) -> None:
    x = np.linspace(0.1, 6, 50).astype(dtype)
    for op in ONE_ARGUMENT.values():
        y = op(x)
        assert y.dtype == dtype
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(y, op(x.astype(np.float64)).astype(dtype))


def test_python_numbers_take_the_dtype_of_the_array() -> None:
    x = np.array([0.25, 0.5], np.float32)
    assert special.betainc(2.0, 3.0, x).dtype == special.betainc(2, 3, x).dtype == np.float32
    assert special.gammainc(2.0, x).dtype == special.zeta(x + 2, 3.0).dtype == np.float32


def test_top_level_names_and_aliases() -> None:
    assert tg.lgamma is special.lgamma is special.gammaln
    assert tg.digamma is special.digamma is special.psi
    assert tg.polygamma is special.polygamma and tg.i0 is special.i0


def test_bad_arguments() -> None:
    for n in (-1, 1001):
        with pytest.raises(tg.DtypeError, match="whole numbers from 0 to 1000"):
            special.polygamma(n, np.ones(2))
    with pytest.raises(tg.DtypeError, match="integers from 0 to 1000"):
        tg.grad(lambda n: special.polygamma(n, np.array([1.5])).sum())(np.array([1.0]))
    for p in (0, 1.5, True):
        with pytest.raises(tg.DtypeError, match="multigammaln: p is"):
            special.multigammaln(np.ones(2), p)
    with pytest.raises(tg.DtypeError, match="complex"):
        special.lgamma(np.array([1j]))


def test_outside_of_the_domain() -> None:
    for op in (special.gammainc, special.gammaincc):
        assert np.isnan(op(np.array([-1.0, 2.0]), np.array([1.0, -1.0]))).all()
    assert np.isnan(special.betainc(1.0, 2.0, np.array([-0.1, 1.1]))).all()
    assert np.isnan(special.multigammaln(np.array([0.9]), 3)).all()


# ---- derivatives


def test_bessel_derivatives_at_zero_are_the_power_series() -> None:
    # I0 = 1 + x**2/4 + x**4/64, so that its derivatives at 0 are 1, 0, 1/2, 0, 3/8.
    f: Any = lambda x: special.i0(x).sum()
    found = []
    for _ in range(5):
        found.append(float(f(tg.tensor(0.0, dtype=np.float64))))
        f = tg.grad(f)
    assert found == [1, 0, 0.5, 0, 0.375]


def test_the_slope_of_zeta_in_its_exponent() -> None:
    # zeta'(2) by the Glaisher-Kinkelin constant: pi**2 / 6 (euler + log(2 pi) - 12 log(A)).
    known = -0.93754825431584375370
    assert float(tg.grad(lambda s: special.zeta(s))(np.array(2.0))) == pytest.approx(known, rel=1e-14)


def test_the_slope_of_gammainc_in_its_parameter() -> None:
    # Of a exponential law: d/da P(a, x) at a = 1 by differences in a.
    slope = tg.grad(lambda a, x: special.gammainc(a, x), argnums=0)
    for a, x in ((1.0, 0.5), (3.0, 9.0), (50.0, 45.0)):
        up, down = (value(special.gammainc, a + h, x) for h in (1e-5, -1e-5))
        assert float(slope(np.array(a), np.array(x))) == pytest.approx((up - down) / 2e-5, rel=1e-8)


# ---- where a promise is not in units of the result: near zeros below 0, and where betaln is near 0


def units(found: Any, exact: list[Any], sizes: list[Any]) -> float:
    """The largest error in units of the last place of ``sizes``."""
    pairs = zip(found.tolist(), exact, sizes, strict=True)
    return max(float(abs(y - z)) / float(np.spacing(float(size))) for y, z, size in pairs)


def test_errors_below_zero() -> None:
    x = np.random.default_rng(0).uniform(-60, -2, 300)
    points = [mpmath.mpf(one) for one in x.tolist()]
    with mpmath.workdps(40):
        sizes = [mpmath.loggamma(-one) + 4 for one in points]
        assert units(special.lgamma(x), [mpmath.log(abs(mpmath.gamma(one))) for one in points], sizes) < 4
        sizes = [abs(mpmath.digamma(-one)) + abs(mpmath.pi * mpmath.cot(mpmath.pi * one)) for one in points]
        assert units(special.digamma(x), [mpmath.digamma(one) for one in points], sizes) < 4


def test_errors_of_betaln() -> None:
    a, b = np.exp(np.random.default_rng(0).uniform(np.log(0.1), np.log(1e8), (2, 300)))
    with mpmath.workdps(60):
        pairs = [(mpmath.mpf(x), mpmath.mpf(y)) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
        exact = [mpmath.loggamma(x) + mpmath.loggamma(y) - mpmath.loggamma(x + y) for x, y in pairs]
        assert units(special.betaln(a, b), exact, [1 + abs(z) for z in exact]) < 4


# ---- PyTorch


def test_values_that_pytorch_has_without_derivatives() -> None:
    torch = pytest.importorskip("torch")
    a, x = np.meshgrid(np.array([0.3, 1.0, 4.0, 30.0]), np.array([0.1, 1.0, 5.0, 40.0]))
    for ours, theirs in (
        (special.gammainc(a, x), torch.special.gammainc),
        (special.gammaincc(a, x), torch.special.gammaincc),
        (special.zeta(a + 1, x), lambda a, x: torch.special.zeta(a + 1, x)),
    ):
        close(ours, theirs(torch.from_numpy(a), torch.from_numpy(x)).numpy(), 1e-11, 1e-13)
    close(
        special.zeta(3.0, -np.array([0.5, 2.3])),
        torch.special.zeta(3.0, -torch.tensor([0.5, 2.3]).double()),
        1e-6,
    )


# ---- identities


@given(POSITIVE)
def test_recurrence(x: float) -> None:
    assert value(special.lgamma, x + 1) == pytest.approx(
        value(special.lgamma, x) + math.log(x), rel=1e-13, abs=1e-14
    )
    assert value(special.digamma, x + 1) == pytest.approx(
        value(special.digamma, x) + 1 / x, rel=1e-12, abs=1e-13
    )
    later = value(lambda x: special.polygamma(1, x), x + 1)
    assert value(lambda x: special.polygamma(1, x), x) == pytest.approx(later + 1 / x**2, rel=1e-13)
    assert value(special.zeta, 2.5, x) == pytest.approx(value(special.zeta, 2.5, x + 1) + x**-2.5, rel=1e-13)


@given(st.floats(-20, 20).filter(lambda x: abs(x - round(x)) > 1e-3))
def test_reflection(x: float) -> None:
    product = value(special.gamma, x) * value(special.gamma, 1 - x)
    assert product == pytest.approx(math.pi / math.sin(math.pi * (x - 2 * round(x / 2))), rel=1e-10)
    difference = value(special.digamma, 1 - x) - value(special.digamma, x)
    assert difference == pytest.approx(math.pi / math.tan(math.pi * (x - round(x))), rel=1e-9, abs=1e-10)


@given(st.floats(0.01, 80))
def test_duplication(x: float) -> None:
    product = value(special.gamma, x) * value(special.gamma, x + 0.5)
    expected = 2 ** (1 - 2 * x) * math.sqrt(math.pi) * value(special.gamma, 2 * x)
    assert product == pytest.approx(expected, rel=1e-12)


@given(POSITIVE, POSITIVE)
def test_beta_is_symmetric_and_made_of_gammas(a: float, b: float) -> None:
    assert value(special.betaln, a, b) == value(special.betaln, b, a)
    logs = [math.lgamma(a), math.lgamma(b), -math.lgamma(a + b)]
    size = max(map(abs, logs)) + 1
    assert value(special.betaln, a, b) == pytest.approx(math.fsum(logs), abs=1e-14 * size)


@given(POSITIVE, POSITIVE)
def test_shares_add_up(a: float, x: float) -> None:
    assert value(special.gammainc, a, x) + value(special.gammaincc, a, x) == pytest.approx(1, abs=1e-14)
    share = x / (1 + x)
    total = value(special.betainc, a, 2.0, share) + value(special.betainc, 2.0, a, 1 - share)
    assert total == pytest.approx(1, abs=1e-12)


@given(st.floats(-300, 300))
def test_bessel_functions_do_not_cross(x: float) -> None:
    assert abs(value(special.i1e, x)) < value(special.i0e, x) <= 1
    assert value(special.i0, x) == value(special.i0, -x) and value(special.i1, x) == -value(special.i1, -x)
