"""Fourier transforms: every function against NumPy's, and what rows of samples cannot say."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

LINES = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
GRIDS = ["fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2"]
REAL_ONLY = {"rfft", "ihfft", "rfftn", "rfft2"}
DTYPES = "?", "u1", "i4", "i8", "f2", "f4", "f8", "c8", "c16"
LINE_SETTINGS: list[dict[str, Any]] = [
    {},
    {"n": 3},
    {"n": 6, "axis": 0},
    {"axis": -2, "norm": "ortho"},
    {"n": 5, "norm": "forward"},
    {"n": 0},
    {"axis": 2},
    {"norm": "none"},
    {"n": 1, "norm": None},
]
GRID_SETTINGS: list[dict[str, Any]] = [
    {},
    {"axes": (0,)},
    {"axes": (1, 0), "norm": "ortho"},
    {"s": (3, -1), "axes": (0, -1), "norm": "forward"},
    {"s": (2, 6), "axes": (-1, -2)},
    {"s": (3,), "axes": (0, 1)},
    {"axes": (0, 2)},
    {"axes": ()},
]
SHAPES: list[tuple[int, ...]] = [(3, 4), (1, 1), (4,), (0, 3), (3, 0), ()]


def some(shape: tuple[int, ...], dtype: str) -> Any:
    rng = np.random.default_rng(shape)
    x = rng.standard_normal(shape) * 3
    if dtype == "?":
        return x > 0
    if dtype in ("c8", "c16"):
        x = x + 1j * rng.standard_normal(shape)
    return (abs(x) if dtype == "u1" else x).astype(dtype)


@pytest.mark.parametrize("name", LINES + GRIDS)
def test_every_function_is_numpys(name: str) -> None:
    settings = LINE_SETTINGS if name in LINES else GRID_SETTINGS
    for dtype, shape, how in itertools.product(DTYPES, SHAPES, settings):
        x = some(shape, dtype)
        if (len(shape) == 1 and how.get("axes") in ((0, -1), (-1, -2))) or 0 in shape:
            continue  # the same axis twice, and memory that NumPy does not set: other tests
        try:
            expected: Any = getattr(np.fft, name)(x, **how)
        except (ValueError, TypeError, IndexError):
            with pytest.raises(tg.TensorgradError, match=f"^{name}: "):
                getattr(tg.fft, name)(x, **how)
            continue
        y = getattr(tg.fft, name)(x, **how)
        if how.get("axes", None if shape else ()) == ():  # then NumPy leaves real numbers real
            assert y.dtype.kind == "c"
        else:
            assert y.dtype == expected.dtype, (dtype, shape, how)
        assert y.shape == expected.shape
        tolerance = 1e-3 if dtype == "f2" else {"f": 1e-5, "F": 1e-5}.get(expected.dtype.char, 1e-12)
        np.testing.assert_allclose(
            y, expected, rtol=tolerance, atol=tolerance * 50, err_msg=f"{dtype} {shape} {how}"
        )


@pytest.mark.parametrize("name", LINES + GRIDS)
def test_nothing_becomes_zeros(name: str) -> None:
    """No rows give no rows; a row without points gives zeros, if it is told how many, or an error."""
    f, line = getattr(tg.fft, name), name in LINES
    assert f(np.ones((0, 3)), **({} if line else {"axes": (1,)})).shape[0] == 0
    y = f(np.ones((3, 0)), *([4] if line else [(4,), (1,)]))
    assert y.shape == ((3, 3) if name in REAL_ONLY else (3, 4)) and not y.any()
    with pytest.raises(tg.ShapeError, match=f"^{name}: -?[02] points to transform"):
        f(np.ones((3, 0)))


@pytest.mark.parametrize("name", sorted(REAL_ONLY))
def test_real_only(name: str) -> None:
    with pytest.raises(
        tg.DtypeError, match=rf"^{name}: x has dtype complex64; .*tg\.fft\.i?fft[n2]? for complex"
    ):
        getattr(tg.fft, name)(np.ones((2, 2), np.complex64))


@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_frequencies_are_numpys(n: int) -> None:
    for d in (1.0, 0.25, -3):
        for name in ("fftfreq", "rfftfreq"):
            made = getattr(tg.fft, name)(n, d, dtype="float64")
            np.testing.assert_allclose(made.numpy(), getattr(np.fft, name)(n, d), rtol=1e-15)
    assert tg.fft.fftfreq(n).dtype == tg.get_default_dtype()
    assert tg.fft.fftfreq(np.int64(n), requires_grad=True).requires_grad


def test_frequencies_say_what_is_wrong() -> None:
    for call, error, match in (
        (lambda: tg.fft.fftfreq(2.0), tg.DtypeError, "fftfreq: n is 2.0; a whole number"),
        (lambda: tg.fft.rfftfreq(0), tg.ShapeError, "rfftfreq: n is 0 and d is 1.0; n must be 1 or more"),
        (lambda: tg.fft.fftfreq(4, 0.0), tg.ShapeError, "fftfreq: n is 4 and d is 0.0; .*d not 0"),
        (lambda: tg.fft.fftfreq(4, dtype="int64"), tg.DtypeError, "fftfreq: frequencies of dtype int64"),
        (
            lambda: tg.fft.fftfreq(4, tg.tensor(2.0)),
            tg.DtypeError,
            r"d is a Tensor; .*tg.fft.fftfreq\(n\) / d",
        ),
    ):
        with pytest.raises(error, match=match):
            call()


@pytest.mark.parametrize(("n", "last"), [(6, True), (7, False)], ids=["even", "odd"])
def test_imaginary_parts_that_no_real_signal_has_get_no_gradient(n: int, last: bool) -> None:
    rng = np.random.default_rng(n)
    x = rng.standard_normal(n // 2 + 1) + 1j * rng.standard_normal(n // 2 + 1)
    found = tg.grad(lambda x: (tg.fft.irfft(x, n) ** 3).sum())(x)
    assert found.imag[0] == 0 and (found.imag[-1] == 0) == last and (found.imag[1:-1] != 0).all()
    moved = x.copy()
    moved[[0, -1] if last else [0]] += 5j
    np.testing.assert_array_equal(tg.fft.irfft(moved, n), tg.fft.irfft(x, n))


@pytest.mark.parametrize("n", [5, 6])
@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
def test_transforms_undo_each_other(n: int, norm: str) -> None:
    x = np.random.default_rng(n).standard_normal((3, n))
    z = x + 1j * x[::-1]
    f = tg.fft
    for y, expected in (
        (f.ifft(f.fft(z, norm=norm), norm=norm), z),
        (f.irfft(f.rfft(x, norm=norm), n, norm=norm), x),
        (f.hfft(f.ihfft(x, norm=norm), n, norm=norm), x),
        (f.ifftn(f.fftn(z, norm=norm), norm=norm), z),
        (f.irfftn(f.rfftn(x, norm=norm), x.shape, norm=norm), x),
        (f.hfftn(f.ihfftn(x, norm=norm), x.shape, norm=norm), x),
        (f.ifftshift(f.fftshift(z)), z),
    ):
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-13)


def test_derivatives_of_the_energy_are_those_that_parseval_says() -> None:
    """The sum of squares changes by n: so does its gradient, and so does its curvature, whatever the program."""
    x = np.random.default_rng(0).standard_normal(5)

    def energy(x: Any) -> Any:
        return (tg.abs(tg.fft.fft(x)) ** 2).sum()

    np.testing.assert_allclose(tg.grad(energy)(x), 10 * x, rtol=1e-12)
    v = np.ones(5)
    _, curvature = tg.jvp(tg.grad(energy), (x,), (v,))
    np.testing.assert_allclose(curvature, 10 * v, rtol=1e-12)
    batch = np.stack([x, 2 * x])
    np.testing.assert_allclose(tg.vmap(tg.grad(energy))(batch), 10 * batch, rtol=1e-12)


def test_a_filter_is_learned_from_what_it_does() -> None:
    """Gradient descent on complex parameters: the convention is the one that descends."""
    rng = np.random.default_rng(0)
    x, true = rng.standard_normal((20, 8)), rng.standard_normal(5) + 1j * rng.standard_normal(5)
    true[[0, -1]] = true[[0, -1]].real
    wanted = tg.fft.irfft(tg.fft.rfft(x) * true, 8)

    def loss(h: Any) -> Any:
        return ((tg.fft.irfft(tg.fft.rfft(x) * h, 8) - wanted) ** 2).mean()

    h = np.zeros(5, complex)
    for _ in range(200):
        h = h - tg.grad(loss)(h)
    np.testing.assert_allclose(h, true, atol=1e-6)


def test_no_finite_result_overflows_on_the_way() -> None:
    with np.errstate(all="raise"):
        assert np.isfinite(tg.fft.fft(np.full(2, 8e307))).all()
        assert tg.grad(lambda x: tg.fft.rfft(x)[0].real)(np.full(4, 1e300)).tolist() == [1, 1, 1, 1]
