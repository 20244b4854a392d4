"""Complex numbers: the convention, cuts and far-out places, and what must not be constant."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad._errors import TensorgradError
from tensorgrad._primitive import registry
from tensorgrad.testing import checks
from tensorgrad.testing.conformance import variants
from tensorgrad.testing.samples import COMPOSED, ROWS, OpSamples

DOCS = Path(__file__).parents[2] / "docs"

# ---- functions with cuts


def slope(f: Callable[[Any], Any], z: complex, dtype: Any = np.complex128) -> complex:
    """dy/dz; forward and reverse mode must agree on it."""
    z = dtype(z)
    _, t = tg.jvp(f, (z,), (dtype(1),))
    g = tg.grad(lambda z: f(z).real)(z)
    np.testing.assert_allclose(np.conj(g), t, rtol=1e-6)
    return complex(t)


CUTS: dict[str, tuple[tuple[complex, complex], ...]] = {
    # the name, and for each cut a point on it, and the direction in which it runs
    "sqrt": ((-2, 1),),
    "rsqrt": ((-2, 1),),
    "log": ((-2, 1),),
    "log2": ((-2, 1),),
    "log10": ((-2, 1),),
    "log1p": ((-3, 1),),
    "asin": ((2, 1), (-2, 1)),
    "acos": ((2, 1), (-2, 1)),
    "atan": ((2j, 1j), (-2j, 1j)),
    "asinh": ((2j, 1j), (-2j, 1j)),
    "acosh": ((-2, 1), (0.5, 1)),
    "atanh": ((2, 1), (-2, 1)),
}


@pytest.mark.parametrize("name", CUTS)
def test_on_a_cut_the_slope_is_that_of_the_side_whose_value_it_is(name: str) -> None:
    """A zero has a sign there, which says from which side a number is looked at."""
    f = getattr(tg, name)
    for point, along in CUTS[name]:
        for zero in (0.0, -0.0):
            r, step = (point.real if along == 1 else point.imag), 1e-6
            z, up, down = [
                complex(v, zero) if along == 1 else complex(zero, v) for v in (r, r + step, r - step)
            ]
            expected = (f(np.complex128(up)) - f(np.complex128(down))) / (2 * step * along)
            np.testing.assert_allclose(slope(f, z), expected, rtol=1e-7, err_msg=f"{name} at {z}")


FAR: dict[str, Callable[[complex], complex]] = {
    # slopes where abs(z) is huge, to the last digits
    "asin": lambda z: 1j / z if z.imag >= 0 else -1j / z,
    "acos": lambda z: -1j / z if z.imag >= 0 else 1j / z,
    "atan": lambda z: 0,
    "asinh": lambda z: 1 / z if z.real >= 0 else -1 / z,
    "acosh": lambda z: 1 / z,
    "atanh": lambda z: 0,
    "log": lambda z: 1 / z,
    "log1p": lambda z: 1 / z,
}


@pytest.mark.parametrize("name", FAR)
def test_far_out_nothing_overflows(name: str) -> None:
    for z in (1e200 + 1e200j, -1e200 + 2e200j, 3e300 - 1e300j, -1e250 - 1e200j):
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            assert slope(getattr(tg, name), z) == pytest.approx(FAR[name](z), rel=1e-12, abs=0)


@pytest.mark.parametrize(("f", "z"), [(tg.tanh, 800 + 1j), (tg.tanh, -800 + 1j), (tg.tan, 1 + 800j), (tg.sigmoid, 800 + 2j)],
                         ids=["tanh", "tanh, left", "tan", "sigmoid"])  # fmt: skip
def test_flat_ends(f: Any, z: complex) -> None:
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert slope(f, z) == 0 and abs(abs(complex(f(np.complex128(z)))) - 1) < 1e-15


def test_small_numbers_keep_their_digits() -> None:
    z = np.complex128(1e-12 + 2e-13j)
    assert complex(tg.log1p(z)) == pytest.approx(z - z**2 / 2, rel=1e-15, abs=0)
    assert complex(tg.sigmoid(np.complex128(-400 + 1j))) == pytest.approx(np.exp(-400 + 1j), rel=1e-14, abs=0)
    assert tg.sinc(np.complex128(1e-310 + 1e-310j)) == 1 and slope(tg.sinc, 0) == 0
    assert np.signbit(tg.log1p(np.complex128(complex(0.1, -0.0))).imag)


def test_powers() -> None:
    for p, expected in ((0, 0), (1, 1), (2, 0), (3, 0)):
        assert slope(lambda z, p=p: z**p, 0) == expected
    for z in (0j, 1 + 2j, -1 + 0j, 1e200 + 1e200j):
        assert complex(np.complex128(z) ** 0) == complex(tg.power(np.complex128(z), 0)) == 1
        assert slope(lambda z: tg.power(z, 0), z) == 0
    assert slope(lambda b: tg.power(np.complex128(0), b), 2 + 1j) == 0


@pytest.mark.parametrize("zeros", [1, 2, 3])
def test_products_with_zeros(zeros: int) -> None:
    x = np.array([1 + 2j, 3j, 2 - 1j])
    x[:zeros] = 0
    found = tg.grad(lambda x: tg.prod(x).real)(x)
    expected = [np.conj(np.prod(np.delete(x, i))) for i in range(3)]
    np.testing.assert_allclose(found, expected, atol=1e-15)
    found = tg.grad(lambda x: tg.cumprod(x)[-1].real)(x)
    np.testing.assert_allclose(found, expected, atol=1e-15)


# ---- what is not complex-differentiable


def test_the_direction_of_a_number_turns() -> None:
    """Moving away from 0 leaves it as it is; moving around 0 turns it, the faster the nearer."""
    z = np.array([3 + 4j, 1e-3j, 0, 1e300 + 0j])
    along, across = z * 1.0, z * 1j
    np.testing.assert_allclose(tg.jvp(tg.sign, (z,), (along,))[1], 0, atol=1e-15)
    np.testing.assert_allclose(tg.jvp(tg.sign, (z,), (across,))[1], 1j * np.sign(z), rtol=1e-14)
    np.testing.assert_array_equal(tg.grad(lambda z: tg.sign(z).real.sum())(z[2:3]), 0)
    assert not tg.tensor([1.0], requires_grad=True).sign().requires_grad
    assert tg.tensor([1j], requires_grad=True).sign().requires_grad
    assert np.sign(tg.tensor([2j], requires_grad=True)).requires_grad


@pytest.mark.parametrize(
    "row",
    # `sign` of complex numbers is another card
    [
        row
        for name, row in ROWS.items()
        if registry[name].kind == "constant" and hasattr(tg, name) and name != "sign"
    ],
    ids=lambda row: row.name,
)
def test_what_has_no_gradient_is_constant_for_complex_numbers_too(row: OpSamples) -> None:
    """`stop_gradient` apart, which says that it is not."""
    for sample in variants.complex_numbers(row):
        case = checks.Case(row, sample)
        if not sample.smooth or row.name == "stop_gradient":
            continue
        try:
            results = case.call(*sample.args)
        except TensorgradError:
            continue
        if not any(y.dtype.kind in "fc" for y in results):
            return
        moved = case.call(*[a * (1 + 1e-9j) if a.dtype.kind == "c" else a for a in sample.args])
        for y, z in zip(results, moved, strict=True):
            np.testing.assert_array_equal(y, z)


def test_nan_is_left_out_and_replaced_by_parts() -> None:
    nan, inf = np.nan, np.inf
    z = np.array([complex(nan, 1), 2 - 2j, complex(0, nan), 1j])
    assert tg.nanmax(z) == 2 - 2j and tg.nanmin(z) == 1j and tg.nanargmax(z) == 1 and tg.nanargmin(z) == 3
    assert tg.nanmedian(z) == np.nanmedian(z) == 1 - 0.5j
    assert np.isnan(tg.nanmax(z[:1])) and np.isnan(tg.median(z))
    np.testing.assert_array_equal(tg.nan_to_num(z), np.nan_to_num(z))
    w = np.array([complex(-inf, nan)])
    np.testing.assert_array_equal(tg.nan_to_num(w, nan=1.0, neginf=-2.0), [-2 + 1j])
    g = tg.grad(lambda z: (tg.nan_to_num(z) * (3 - 4j)).real.sum())(z)
    np.testing.assert_array_equal(g, [4j, 3 + 4j, 3, 3 + 4j])


def test_order_is_by_the_real_part_then_by_the_imaginary_one_as_in_numpy() -> None:
    z = np.array([1 + 1j, 1 - 1j, -2 + 5j, 0])
    assert tg.sort(z).tolist() == sorted(z.tolist(), key=lambda v: (v.real, v.imag)) == np.sort(z).tolist()
    assert (
        tg.max(z) == np.max(z) == 1 + 1j
        and tg.argmin(z) == 2
        and bool(z[1] < z[0]) == bool(tg.less(z[1], z[0]))
    )
    np.testing.assert_array_equal(tg.grad(lambda z: tg.max(z).real)(z), [1, 0, 0, 0])
    for f in (tg.relu, tg.floor, tg.cbrt, lambda z: tg.quantile(z, 0.5), lambda z: tg.remainder(z, 2)):
        with pytest.raises(tg.DtypeError):
            f(z)


def test_complex_geometric_steps_are_numpys() -> None:
    for ends in ((1j, -1 + 0j), (1 + 1j, 8 + 0j), (-1.0, -8j)):
        np.testing.assert_allclose(
            tg.geomspace(*[np.array(v) for v in ends], 4), np.geomspace(*ends, 4), rtol=1e-12
        )
    with np.errstate(invalid="ignore"):
        assert np.isnan(tg.geomspace(np.array(1.0), np.array(-8.0), 3)).all()


# ---- the convention


def test_the_gradient_of_a_real_function_is_where_it_rises_most() -> None:
    z = np.array([1 + 2j, -0.5j])

    def f(z: Any) -> Any:
        return (tg.abs(z) ** 2).sum() + (z * z).real.sum()

    g = tg.grad(f)(z)
    h = 1e-6
    parts = [[(f(z + h * u * e) - f(z - h * u * e)) / (2 * h) for u in (1, 1j)] for e in np.eye(2)]
    np.testing.assert_allclose(g, [a + 1j * b for a, b in parts], rtol=1e-8)
    rises = [f(z + 1e-4 * np.exp(1j * angle) * g) for angle in np.linspace(0, 6, 13)]
    assert np.argmax(rises) == 0 and f(z - 1e-3 * g) < f(z)


def test_gradients_fit_their_inputs() -> None:
    """A real input gets a real gradient, in its dtype, whatever is complex in between."""
    x, z = np.array([1.0, 2.0], np.float32), np.array([1j, 2.0], np.complex64)
    g, h = tg.grad(lambda x, z: tg.abs(x * z + x).sum(), argnums=(0, 1))(x, z)
    assert g.dtype == np.float32 and h.dtype == np.complex64
    _, t = tg.jvp(lambda x: x * z, (x,), (np.ones(2, np.float32),))
    assert t.dtype == np.complex64 and t.tolist() == z.tolist()


# ---- the page


def test_the_page_names_what_takes_no_complex_numbers() -> None:
    """The table of docs/complex.md against docs/conformance.md, which the checks themselves have written."""
    conformance, page = [(DOCS / f"{name}.md").read_text("utf-8") for name in ("conformance", "complex")]
    cells = re.findall(r"^\| `([^`]+)` \| \w+ \| \d+[^|]*\| `([^`]+)` \|", conformance, re.M)
    assert len(cells) == len(ROWS) + len(COMPOSED)
    refused = {name for name, dtype in cells if dtype[4] == "-"}
    table = re.findall(r"^\| [^|]+ \| (`.+`) \|$", page, re.M)
    named = [name for line in table for name in re.findall("`([^`]+)`", line)]
    assert len(named) == len(set(named)) and set(named) == refused
    taken = [name for name, dtype in cells if dtype[4] == "c"]
    assert f"{len(taken)} ops" in page
