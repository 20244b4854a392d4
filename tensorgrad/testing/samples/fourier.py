"""Rows of Fourier transforms, against sums over all pairs of points and frequencies."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import fft
from ..._errors import DtypeError, IndexingError, ShapeError
from ...ops.fft import cards
from .row import Fails, Function, OpSamples, at, complex_normal, normal, row

# ---- references


def _along(x: Any, axis: int, f: Callable[[list[Any]], list[Any]]) -> Any:
    """A function of a list of numbers, applied to each row along an axis."""
    rows = np.moveaxis(x, axis, -1)
    made = np.zeros((*rows.shape[:-1], len(f([0j] * rows.shape[-1]))), complex)
    for index in np.ndindex(rows.shape[:-1]):
        made[index] = f(rows[index].tolist())
    return np.moveaxis(made, -1, axis)


def _sum(x: list[complex], sign: int, norm: str) -> list[complex]:
    n = len(x)
    factor = {"backward": n if sign > 0 else 1, "forward": n if sign < 0 else 1, "ortho": math.sqrt(n)}[norm]
    return [
        sum(x[j] * cmath.exp(sign * 2j * math.pi * (j * k % n) / n) for j in range(n)) / factor
        for k in range(n)
    ]


def _fit(x: list[complex], n: int | None) -> list[complex]:
    return x if n is None else (x + [0j] * n)[:n]


def _mirrored(x: list[complex], n: int) -> list[complex]:
    """The whole of what is its own mirror image, from the half of it."""
    x = _fit(x, n // 2 + 1)
    made = [x[min(k, n - k)] if k <= n - k else x[n - k].conjugate() for k in range(n)]
    return [made[k].real + 0j if 2 * k % n == 0 else made[k] for k in range(n)]


def _line(sign: int, half: bool = False) -> Function:
    def reference(x: Any, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
        y = _along(x, axis, lambda values: _sum(_fit(values, n), sign, norm))
        points = x.shape[axis] if n is None else n
        return np.take(y, range(points // 2 + 1), axis) if half else y

    return reference


def _real_line(sign: int) -> Function:
    def reference(x: Any, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
        n = 2 * (x.shape[axis] - 1) if n is None else n
        return _along(x, axis, lambda values: _sum(_mirrored(values, n), sign, norm)).real

    return reference


def _grid(one: Function, last: Function, real: bool = False, two: bool = False) -> Function:
    """Transforms over several axes by those along one: the last axis first, or at the end if the result is real."""

    def reference(x: Any, s: Any = None, axes: Any = None, norm: str = "backward") -> Any:
        default = (-2, -1) if two else tuple(range(x.ndim))[-len(s or x.shape) :] if x.ndim else ()
        axes = default if axes is None else axes
        lengths = (
            [x.shape[a] if n == -1 else n for n, a in zip(s, axes, strict=True)] if s else [None] * len(axes)
        )
        steps = [*zip([one] * (len(axes) - 1), axes[:-1], lengths[:-1], strict=True)]
        if axes:
            steps.insert(len(steps) if real else 0, (last, axes[-1], lengths[-1]))
        for step, axis, n in steps:
            x = step(x, n, axis, norm)
        return x if real else x + 0j

    return reference


def _over_axes(x: Any, axes: Any, inverse: bool, norm: str) -> Any:
    for axis in axes:
        x = _line(1 if inverse else -1)(x, axis=axis, norm=norm)
    return x


def _rolled(way: int) -> Function:
    def reference(x: Any, axes: Any = None) -> Any:
        axes = range(x.ndim) if axes is None else [axes] if isinstance(axes, int) else axes
        for axis in axes:
            n = x.shape[axis]
            x = np.take(x, [(k - way * (n // 2)) % n for k in range(n)], axis)
        return x

    return reference


# ---- rows

ONE: dict[str, Any] = {"inverse": False, "norm": "backward"}

ROWS: list[OpSamples] = [
    row(
        "dft",
        at("size 1", normal(1), axes=(0,), **ONE),
        at("axes", complex_normal(2, 3), axes=(1, 0), inverse=False, norm="ortho"),
        at("axes, one of them", complex_normal(3, 2), axes=(0,), inverse=True, norm="backward"),
        at("edge: real, odd", normal(2, 3), axes=(-1,), inverse=True, norm="forward"),
        at("edge: no rows", np.zeros((0, 2)), axes=(1,), **ONE),
        reference=_over_axes,
        errors=Fails(lambda: cards.dft(np.ones(2), (1,), False, "backward"), IndexingError, "dft: .*out of"),
    ),
    row(
        "rdft",
        at("size 1", normal(1), axis=0, norm="backward"),
        at("axes, even", normal(2, 4), axis=-1, norm="ortho"),
        at("axes, odd", normal(3, 2), axis=0, norm="forward"),
        at("edge: two points", normal(2), axis=0, norm="backward"),
        at("edge: no rows", np.zeros((0, 2)), axis=1, norm="backward"),
        reference=lambda x, axis, norm: _line(-1, half=True)(x, None, axis, norm),
        errors=Fails(lambda: cards.rdft(np.ones(2) * 1j, 0, "backward"), DtypeError, "rdft: "),
    ),
    row(
        "irdft",
        at("size 1", complex_normal(1), n=1, axis=0, norm="backward"),
        at("axes, even", complex_normal(2, 3), n=4, axis=-1, norm="ortho"),
        at("axes, odd", complex_normal(2, 2), n=3, axis=0, norm="forward"),
        at("edge: two points", complex_normal(2), n=2, axis=0, norm="backward"),
        at("edge: real", normal(3), n=4, axis=0, norm="backward"),
        at("edge: no rows", np.zeros((0, 2)), n=2, axis=1, norm="backward"),
        reference=lambda x, n, axis, norm: _real_line(1)(x, n, axis, norm),
        errors=Fails(lambda: cards.irdft(np.ones(2), 2, 1, "backward"), ShapeError, "irdft: .*out of"),
    ),
]


def _bad(name: str, real: bool) -> tuple[Fails, ...]:
    f = getattr(fft, name)
    line = not name.endswith(("n", "2"))
    bad: list[tuple[Any, type[Exception], str]] = [
        (lambda: f(np.ones((2, 3)), norm="unit"), ShapeError, f"{name}: norm is 'unit'; 'backward', 'ortho'"),
        (lambda: f(np.ones((2, 0))), ShapeError, rf"{name}: -?[012] points to transform; 1 or more"),
    ]
    if line:
        bad += [
            (lambda: f(np.ones(3), axis=1), ShapeError, f"{name}: axis 1 is out of range for 1 axes"),
            (lambda: f(np.ones(3), 2.0), DtypeError, f"{name}: n .*2.0.*; whole numbers"),
            (lambda: f(np.array(1.0)), ShapeError, f"{name}: axis -1 is out of range for 0 axes"),
        ]
    else:
        bad += [
            (lambda: f(np.ones((3, 2)), axes=(0, -2)), ShapeError, f"{name}: axis .* names an axis twice"),
            (
                lambda: f(np.ones((3, 2)), (2,), (0, 1)),
                ShapeError,
                rf"{name}: s is \(2,\) for axes \(0, 1\); one length",
            ),
            (lambda: f(np.ones(2), (2, 2), None), ShapeError, rf"{name}: s is \(2, 2\), for more axes"),
        ]
    if real:
        bad.append(
            (lambda: f(np.ones((2, 2)) * 1j), DtypeError, f"{name}: x has dtype complex128; only real")
        )
    return tuple([Fails(*one) for one in bad])


def _lines(name: str, reference: Function, takes_real: bool = False, gives_real: bool = False) -> OpSamples:
    make = normal if takes_real else complex_normal
    samples = [
        at("size 1", make(1), n=1) if gives_real else at("size 1", make(1)),
        at("axes", make(2, 3), norm="ortho"),
        at("axes, first, cut", make(4, 2), n=3, axis=0),
        at("edge: zeros behind", make(2), n=5, norm="forward"),
        at("edge: no rows", np.zeros((0, 2)), axis=-1),
    ]
    if not takes_real:
        samples.append(at("real", normal(3), n=4))
    return row(
        name,
        *samples,
        reference=reference,
        errors=_bad(name, takes_real),
        numpy=getattr(np.fft, name),
        op=getattr(fft, name),
    )


def _grids(name: str, reference: Function, takes_real: bool = False, two: bool = False) -> OpSamples:
    make = normal if takes_real else complex_normal
    samples = [
        at("size 1", make(1, 1), s=(1, 1), axes=(0, 1)),
        at("axes", make(2, 3), norm="ortho"),
        at("edge: cut and zeros behind", make(2, 3), s=(3, 2), axes=(-1, 0), norm="forward"),
    ]
    if not two:
        samples.append(at("axes, some of them", make(2, 1, 3), s=(-1, 4), axes=(0, 2)))
    return row(
        name,
        *samples,
        reference=reference,
        errors=_bad(name, takes_real),
        numpy=getattr(np.fft, name, None),
        op=getattr(fft, name),
    )


def _shift(name: str, way: int) -> OpSamples:
    return row(
        name,
        at("0-d", 2.5),
        at("axes", complex_normal(2, 3)),
        at("axes, one", normal(3, 2), axes=0),
        at("edge: odd and even", normal(3, 4), axes=(-1, 0)),
        at("edge: empty", np.zeros((2, 0))),
        reference=_rolled(way),
        errors=Fails(
            lambda: getattr(fft, name)(np.ones(2), axes=1), ShapeError, f"{name}: axis 1 is out of range"
        ),
        numpy=lambda x, axes=None: getattr(np.fft, name)(x, axes) if x.ndim else x,  # it fails there
        op=getattr(fft, name),
    )


FORWARD, INVERSE = _line(-1), _line(1)
HALF, REAL = _line(-1, half=True), _real_line(1)
MIRROR, SPECTRUM = _line(1, half=True), _real_line(-1)

COMPOSED: list[OpSamples] = [
    _lines("fft", FORWARD),
    _lines("ifft", INVERSE),
    _lines("rfft", HALF, takes_real=True),
    _lines("irfft", REAL, gives_real=True),
    _lines("hfft", SPECTRUM, gives_real=True),
    _lines("ihfft", MIRROR, takes_real=True),
    *[
        row
        for ending, two in (("n", False), ("2", True))
        for row in (
            _grids(f"fft{ending}", _grid(FORWARD, FORWARD, two=two), two=two),
            _grids(f"ifft{ending}", _grid(INVERSE, INVERSE, two=two), two=two),
            _grids(f"rfft{ending}", _grid(FORWARD, HALF, two=two), takes_real=True, two=two),
            _grids(f"irfft{ending}", _grid(INVERSE, REAL, real=True, two=two), two=two),
            _grids(f"hfft{ending}", _grid(FORWARD, SPECTRUM, real=True, two=two), two=two),
            _grids(f"ihfft{ending}", _grid(INVERSE, MIRROR, two=two), takes_real=True, two=two),
        )
    ],
    _shift("fftshift", 1),
    _shift("ifftshift", -1),
]
