"""The error functions at special points and extremes, their symmetries and identities, and their slopes far out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import special
from tensorgrad.ops.special import error
from tests.ops import ulp_error

INF, NAN = math.inf, math.nan
TINY, LEAST = float(np.finfo(float).tiny), 5e-324

ONE_INPUT = [
    "erf", "erfc", "erfcx", "erfinv", "erfcinv", "expit", "logit", "log_expit", "entr", "ndtr", "log_ndtr", "ndtri",
]  # fmt: skip
TWO_INPUTS = ["rel_entr", "xlogy", "xlog1py"]


def values(name: str, *xs: Any) -> Any:
    return getattr(special, name)(*[np.array(x, float) for x in xs])


def same(found: Any, expected: Any) -> None:
    """Equal, NaN to NaN and -0.0 to -0.0."""
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


def derivatives(f: Callable[[Any], Any], x: Any, order: int) -> Any:
    for _ in range(order):
        f = tg.grad(lambda x, f=f: f(x).sum())
    return f(np.array(x, float))


# ---- special points


@pytest.mark.parametrize(
    ("name", "points", "expected"),
    [
        ("erf", [0.0, -0.0, INF, -INF], [0.0, -0.0, 1.0, -1.0]),
        ("erfc", [0.0, -0.0, INF, -INF], [1.0, 1.0, 0.0, 2.0]),
        ("erfcx", [0.0, -0.0, INF, -INF], [1.0, 1.0, 0.0, INF]),
        ("erfinv", [0.0, -0.0, 1.0, -1.0], [0.0, -0.0, INF, -INF]),
        ("erfcinv", [1.0, 0.0, -0.0, 2.0], [0.0, INF, INF, -INF]),
        ("expit", [0.0, -0.0, INF, -INF], [0.5, 0.5, 1.0, 0.0]),
        ("logit", [0.5, 0.0, -0.0, 1.0], [0.0, -INF, -INF, INF]),
        ("log_expit", [INF, -INF], [0.0, -INF]),
        ("entr", [0.0, -0.0, 1.0, INF, -LEAST, -INF], [0.0, 0.0, 0.0, -INF, -INF, -INF]),
        ("ndtr", [0.0, -0.0, INF, -INF], [0.5, 0.5, 1.0, 0.0]),
        ("log_ndtr", [INF, -INF], [0.0, -INF]),
        ("ndtri", [0.5, 0.0, -0.0, 1.0], [0.0, -INF, -INF, INF]),
    ],
)
def test_special_points(name: str, points: list[float], expected: list[float]) -> None:
    with np.errstate(all="ignore"):
        found = values(name, points)
    same(found, expected)


@pytest.mark.parametrize("name", ONE_INPUT + TWO_INPUTS)
def test_nan_gives_nan(name: str) -> None:
    x = np.array([NAN, 0.3, NAN])
    others = [np.array([0.3, NAN, NAN])] if name in TWO_INPUTS else []
    found = values(name, x, *others)
    assert np.isnan(found).tolist() == ([True] * 3 if others else [True, False, True])


@pytest.mark.parametrize(
    ("name", "outside"),
    [
        ("erfinv", [1 + 1e-15, -2.0, INF, -INF]),
        ("erfcinv", [-LEAST, 2 + 1e-15, INF, -INF]),
        ("ndtri", [-LEAST, 1 + 1e-15, INF, -INF]),
        ("logit", [-LEAST, 1 + 1e-15, INF, -INF]),
    ],
)
def test_outside_of_the_domain_is_nan(name: str, outside: list[float]) -> None:
    assert np.isnan(values(name, outside)).all()


def test_zero_times_an_infinite_logarithm_is_zero() -> None:
    b = [0.0, -1.0, -5.0, INF, 1.0]
    for name in ("xlogy", "xlog1py"):
        assert values(name, np.zeros(5), b).tolist() == [0.0] * 5
    assert values("rel_entr", [0.0, 0.0, -1.0, 1.0, 1.0], [0.0, 2.0, 1.0, 0.0, -1.0]).tolist() == [
        0,
        0,
        INF,
        INF,
        INF,
    ]


# ---- nothing overflows, and nothing is NaN, where the result is finite


FAR = [-1e300, -1e154, -1e3, -40.0, -1.0, -1e-300, -LEAST, 0.0, LEAST, 1e-300, 1.0, 40.0, 1e3, 1e154, 1e300]
UNIT = [TINY, 1e-300, 1e-17, 0.1, 0.5, 0.9, 1 - 2.0**-53]


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("erf", FAR), ("erfc", FAR), ("erfcx", [x for x in FAR if x >= -26]), ("ndtr", FAR),
        ("log_ndtr", FAR[1:]), ("expit", FAR), ("log_expit", FAR), ("erfinv", [-x for x in UNIT] + UNIT),
        ("erfcinv", [1e-300, *UNIT[2:], 1.0, 1.5]), ("ndtri", [1e-300, *UNIT[2:]]), ("logit", UNIT[1:]),
        ("entr", [x for x in FAR if x > 0]),
    ],
)  # fmt: skip
def test_no_exception_and_no_nan(name: str, points: list[float]) -> None:
    f = getattr(special, name)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert np.isfinite(f(np.array(points))).all()
        if name != "entr":  # its slope at a subnormal number is finite as well, the next ones are not
            assert np.isfinite(derivatives(f, points, 1)).all()


@pytest.mark.parametrize("name", ["erf", "erfc", "ndtr", "expit", "log_expit", "log_ndtr"])
def test_second_derivatives_far_out(name: str) -> None:
    points = [x for x in FAR if abs(x) < 1e200]
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert np.isfinite(derivatives(getattr(special, name), points, 2)).all()


def test_pairs_far_out() -> None:
    a, b = (m.ravel() for m in np.meshgrid([LEAST, 1e-300, 1.0, 1e300], [LEAST, 1e-300, 1.0, 1e300]))
    for name in ("xlogy", "xlog1py", "rel_entr"):
        keep = (a < 1e300) | (np.abs(np.log(a) - np.log(b)) < 1) if name == "rel_entr" else a < 1e300
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            assert np.isfinite(values(name, a[keep], b[keep])).all()


# ---- slopes of higher order far out, where the textbook's formula is a difference of equals


def exact_slopes_of_erfcx(x: float) -> list[float]:
    with mp.workdps(120):
        z = mp.mpf(x)
        y = mp.exp(z * z) * mp.erfc(z)
        found = [y, 2 * z * y - 2 / mp.sqrt(mp.pi)]
        for n in (2, 3):
            found.append(2 * z * found[-1] + 2 * (n - 1) * found[-2])
        return [float(v) for v in found]


@pytest.mark.parametrize("x", [-3.0, -1e-9, 0.0, 0.5, 0.999, 1.001, 3.0, 30.0, 200.0])
def test_slopes_of_erfcx(x: float) -> None:
    for order, exact in enumerate(exact_slopes_of_erfcx(x)):
        assert float(derivatives(special.erfcx, x, order)) == pytest.approx(exact, rel=5e-13)


def exact_slopes_of_log_ndtr(x: float) -> list[float]:
    with mp.workdps(80):
        z = mp.mpf(x)
        r = ulp_error.ndtr_ratio(z) if z > -20 else mp.sqrt(2 / mp.pi) / _erfcx_at(-z / mp.sqrt(2))
        second = -r * (z + r)
        return [float(v) for v in (r, second, -second * (z + r) - r * (1 + second))]


def _erfcx_at(x: Any) -> Any:
    tail = mp.mpf(0)
    for m in range(3000, 0, -1):
        tail = mp.mpf(m) / 2 / (x + tail)
    return 1 / mp.sqrt(mp.pi) / (x + tail)


@pytest.mark.parametrize("x", [-1e6, -1e3, -50.0, -10.0, -2.0, -0.5, -1e-9, 0.0, 1e-9, 0.5, 2.0, 10.0, 30.0])
def test_slopes_of_log_ndtr(x: float) -> None:
    for order, exact in enumerate(exact_slopes_of_log_ndtr(x), 1):
        assert float(derivatives(special.log_ndtr, x, order)) == pytest.approx(exact, rel=1e-11)


def test_slopes_of_inverses_at_the_ends_are_infinite() -> None:
    for name, end, slope in [
        ("erfinv", -1, INF),
        ("erfcinv", 0, -INF),
        ("erfcinv", 2, -INF),
        ("ndtri", 1, INF),
    ]:
        with np.errstate(divide="ignore"):
            assert derivatives(getattr(special, name), end, 1) == slope


# ---- dtypes


@pytest.mark.parametrize("name", ONE_INPUT + TWO_INPUTS)
def test_narrow_dtypes_are_rounded_from_double(name: str) -> None:
    f, count = getattr(special, name), 2 if name in TWO_INPUTS else 1
    for dtype in (np.float32, np.float16):
        xs = [np.linspace(0.01 + i / 9, 0.99, 50).astype(dtype) for i in range(count)]
        y = f(*xs)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, f(*[x.astype(float) for x in xs]).astype(dtype))


@pytest.mark.parametrize("name", ONE_INPUT + TWO_INPUTS)
def test_integers_are_taken_as_double(name: str) -> None:
    f, count = getattr(special, name), 2 if name in TWO_INPUTS else 1
    for dtype in (np.int8, np.uint8, np.int64, bool):
        with np.errstate(divide="ignore"):
            xs = [np.array([0, 1], dtype)] * count
            y = f(*xs)
            assert y.dtype == np.float64
            np.testing.assert_array_equal(y, f(*[x.astype(float) for x in xs]))


def test_numbers_are_weak_beside_arrays() -> None:
    x = np.ones(2, np.float32)
    assert special.xlogy(x, 2.0).dtype == special.xlogy(2.0, x).dtype == np.float32
    assert tg.xlogy(1.0, 2.0).dtype == tg.erf(1.0).dtype == np.float32


@pytest.mark.parametrize("name", ONE_INPUT + TWO_INPUTS)
def test_complex_numbers_are_refused(name: str) -> None:
    xs = [np.array([1j])] * (2 if name in TWO_INPUTS else 1)
    with pytest.raises(tg.DtypeError, match=rf"{name}: .*complex128.*real numbers"):
        getattr(special, name)(*xs)


# ---- laws


numbers = st.floats(-30, 30)
parts = st.floats(1e-300, 1, exclude_max=True)


def close(a: Any, b: Any, rel: float = 3e-15) -> None:
    assert float(a) == pytest.approx(float(b), rel=rel, abs=1e-320)


@given(numbers)
def test_symmetries(x: float) -> None:
    assert values("erf", -x) == -values("erf", x)
    close(values("erfc", -x) + values("erfc", x), 2)
    close(values("ndtr", -x) + values("ndtr", x), 1)
    close(values("expit", -x) + values("expit", x), 1)
    assert float(values("log_expit", x) - values("log_expit", -x)) == pytest.approx(x, abs=1e-14)


@given(st.floats(-1, 1))
def test_symmetries_of_inverses(y: float) -> None:
    with np.errstate(divide="ignore"):
        assert values("erfinv", -y) == -values("erfinv", y)
        if y >= 0.5:  # 1 - y is exact
            close(values("erfcinv", 1 - y), values("erfinv", y))


@given(parts)
def test_inverses(p: float) -> None:
    # The relative error of the tail grows by x**2 of that of x.
    x = values("erfcinv", p)
    close(values("erfc", x), p, 1e-15 * (3 + 3 * float(x) ** 2))
    x = values("ndtri", p)
    close(values("ndtr", x), p, 1e-15 * (3 + 3 * float(x) ** 2))
    x = values("logit", p)
    close(values("expit", x), p, 1e-15 * (3 + abs(float(x))))


@given(numbers)
def test_the_functions_fit_together(x: float) -> None:
    close(values("ndtr", x), 0.5 * values("erfc", -x / math.sqrt(2)), 1e-15 * (3 + x * x))
    if abs(x) < 20:
        close(values("erfcx", x) * math.exp(-x * x), values("erfc", x), 1e-15 * (4 + x * x))
    if -30 < x < 5:
        close(np.exp(values("log_ndtr", x)), values("ndtr", x), 1e-15 * (4 + x * x))
    close(np.exp(values("log_expit", x)), values("expit", x), 1e-15 * (4 + abs(x)))
    close(
        error.ndtr_ratio(np.array(x)),
        np.exp(-x * x / 2 - values("log_ndtr", x)) / math.sqrt(2 * math.pi),
        1e-12,
    )


@given(st.floats(1e-100, 1e100), st.floats(1e-100, 1e100))
def test_entropies(a: float, b: float) -> None:
    close(values("entr", a), -values("xlogy", a, a))
    if abs(math.log(a / b)) > 0.1:
        close(values("rel_entr", a, b), values("xlogy", a, a / b), 1e-13)
    close(values("rel_entr", a, a), 0)


@given(st.lists(numbers, min_size=1, max_size=8))
def test_they_rise_and_fall(points: list[float]) -> None:
    x = np.sort(np.array(points))
    for name, sign in (
        ("erf", 1),
        ("erfc", -1),
        ("ndtr", 1),
        ("log_ndtr", 1),
        ("expit", 1),
        ("log_expit", 1),
    ):
        y = values(name, x)
        # Neighbouring numbers may trade places by their last digits.
        assert (sign * np.diff(y) >= -1e-15 * np.abs(y[1:])).all(), name
