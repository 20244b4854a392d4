"""What the strategies draw: everything that they promise, and nothing else; and what it shrinks to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from tensorgrad.testing import Domain, probed, strategies
from tensorgrad.testing.domains import POOLS, marks, pool
from tensorgrad.testing.layouts import LAYOUTS, expression, laid_out, layouts_of, written

BLOCK = np.arange(1.0, 25.0).reshape(2, 3, 4)


def drawn(strategy: Any, n: int = 150) -> list[Any]:
    """Examples of a strategy."""
    seen: list[Any] = []

    @settings(
        max_examples=n,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(x: Any) -> None:
        seen.append(x)

    collect()
    return seen


# ---- numbers and arrays


@pytest.mark.parametrize(
    "domain", [Domain(), Domain(0), Domain(-1, 1), Domain(3, 3.5), Domain(-900, -100), Domain(0, 1e-6)]
)
@pytest.mark.parametrize("kind", POOLS)
def test_values_lie_inside_of_the_domain(domain: Domain, kind: str) -> None:
    values = pool(domain, kind)
    assert values and all(x in domain for x in values)
    assert not any(math.copysign(1, x) < 0 for x in values if x == 0), "no negative zero"


def test_values_lie_close_to_what_is_special() -> None:
    near = pool(Domain(0, 4, exclude=[2], marks=[3]), "near")
    for point in (0, 1, 2, 3, 4):
        distances = [abs(x - point) for x in near if x != point]
        assert 0 < min(distances) < 1e-5
    assert 2 not in near and 3 in near and 1 in near
    tiny, huge = (f(abs(x) for x in pool(Domain(), "magnitudes")) for f in (min, max))
    assert tiny < 1e-3 and huge > 1e3


def test_arrays_have_ties_small_shapes_and_no_elements() -> None:
    seen = drawn(strategies.arrays())
    assert any(x.ndim == 0 for x in seen) and any(x.ndim == 3 for x in seen)
    assert any(x.size == 0 for x in seen) and any(1 in x.shape for x in seen)
    assert any(len(np.unique(x)) < x.size for x in seen)
    assert any(len(np.unique(x)) == x.size > 3 for x in seen)
    assert all(x.dtype == np.float64 and np.isfinite(x).all() for x in seen)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.complex64, np.complex128])
def test_arrays_have_the_dtype(dtype: Any) -> None:
    seen = drawn(strategies.arrays(shape=(2, 2), dtype=dtype), 20)
    assert all(x.dtype == dtype and x.shape == (2, 2) for x in seen)
    if np.dtype(dtype).kind == "c":
        assert any(x.imag.any() for x in seen)


def test_groups_broadcast() -> None:
    seen = drawn(strategies.broadcastable(3))
    for group in seen:
        np.broadcast_shapes(*[x.shape for x in group])
    assert any(len({x.shape for x in group}) == 3 for group in seen)
    assert any(any(x.size == 0 for x in group) for group in seen)
    assert any(a.ndim == b.ndim and a.size and 1 in a.shape and b.size > a.size for a, b, _ in seen)
    low, high = Domain(-5, -4), Domain(4, 5)
    for a, b in drawn(strategies.broadcastable(2, domain=[low, high]), 20):
        assert (a < 0).all() and (b > 0).all()
    with pytest.raises(ValueError, match="2 arrays need 2 domains"):
        strategies.broadcastable(2, domain=[low])


def test_examples_shrink_to_plain_ones() -> None:
    assert find(strategies.arrays(), lambda x: True).tolist() == 1
    assert find(strategies.arrays(), lambda x: x.size > 1).tolist() == [1, 1]
    assert find(strategies.shapes(), lambda shape: 0 in shape) == (0,)


def test_a_kind_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="one of plain, near, magnitudes, not 'odd'"):
        strategies.values(kind="odd")


# ---- axes, indices, layouts


@pytest.mark.parametrize("ndim", [0, 1, 3])
def test_axes_are_valid(ndim: int) -> None:
    x = BLOCK.reshape(BLOCK.shape if ndim == 3 else (-1,))[(0,) if ndim == 0 else ...]
    seen = drawn(strategies.axes(ndim), 60)
    for axis in seen:
        np.sum(x, axis=axis)
    assert None in seen
    assert not ndim or any(isinstance(axis, int) and axis < 0 for axis in seen)


@pytest.mark.parametrize("shape", [(), (0,), (4,), (2, 3), (2, 0, 3), (2, 3, 4)])
def test_indices_are_valid(shape: tuple[int, ...]) -> None:
    x = np.arange(float(math.prod(shape))).reshape(shape)
    kinds = set()
    for index in drawn(strategies.indices(shape)):
        x[index]
        parts = index if isinstance(index, tuple) else (index,)
        arrays = [p for p in parts if isinstance(p, np.ndarray)]
        kinds |= {a.dtype.kind for a in arrays} or {"basic"}
        if arrays and any(isinstance(p, slice) for p in parts):
            kinds.add("mixed")
    expected = {
        "basic",
        "b",
        *(["i"] if shape and 0 not in shape else []),
        *(["mixed"] if len(shape) > 1 and 0 not in shape else []),
    }
    assert kinds >= expected


@pytest.mark.parametrize("shape", [(), (3,), (0, 2), (2, 3), (2, 3, 4)])
def test_layouts_keep_the_values(shape: tuple[int, ...]) -> None:
    x = np.arange(1.0, 1.0 + math.prod(shape)).reshape(shape)
    names = layouts_of(x)
    for name in names:
        y = laid_out(x, name)
        assert y.shape == x.shape and np.array_equal(
            x if name != "broadcast" else np.broadcast_to(x[..., :1], shape), y
        )
    if len(shape) > 1 and x.size:
        assert set(names) == set(LAYOUTS)
        assert laid_out(x, "Fortran").flags.f_contiguous and not laid_out(x, "strided").flags.contiguous
        assert min(laid_out(x, "reversed").strides) < 0 and 0 in laid_out(x, "broadcast").strides
        assert not laid_out(x, "read-only").flags.writeable
        assert {y.strides for y in drawn(strategies.layouts(x), 40)} == {
            laid_out(x, name).strides for name in names
        }


@pytest.mark.parametrize("layout", [name for name, (_, tensors) in LAYOUTS.items() if tensors])
def test_tensors_are_laid_out_like_arrays(layout: str) -> None:
    import tensorgrad as tg

    y = eval(expression("x", layout, BLOCK.shape, tensors=True), {"tg": tg, "x": tg.tensor(BLOCK)})
    assert np.array_equal(y.numpy(), laid_out(BLOCK, layout))
    assert y._d.flags.c_contiguous == (layout == "C")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.complex64])
@pytest.mark.parametrize("shape", [(), (2,), (0, 3), (2, 1)])
def test_arrays_are_written_in_python(shape: tuple[int, ...], dtype: Any) -> None:
    x = (np.arange(1.0, 1.0 + math.prod(shape)).reshape(shape) / 3).astype(dtype)
    y = eval(written(x), {"np": np})
    assert y.shape == shape and (np.array_equal(x, y) and (x.dtype == y.dtype or not x.size))


# ---- domains


@pytest.mark.parametrize(
    ("f", "low", "high"),
    [
        (np.sin, -math.inf, math.inf), (np.log, 0, math.inf), (np.sqrt, 0, math.inf), (np.arcsin, -1, 1),
        (np.arctanh, -1, 1), (np.arccosh, 1, math.inf), (np.log1p, -1, math.inf), (lambda x: np.log(3 - x), -math.inf, 3),
    ],
)  # fmt: skip
def test_ends_of_domains_are_found(f: Any, low: float, high: float) -> None:
    domain = probed(f)
    assert (domain.low, domain.high) == pytest.approx((low, high), abs=1e-9)


def test_poles_gaps_kinks_and_jumps_are_found() -> None:
    assert probed(lambda x: 1 / x).exclude == (0,)
    assert probed(lambda x: np.sqrt(x * x - 1)).marks == (-1, 1)
    assert set(probed(lambda x: max(x, 2.5)).marks) == {2.5}
    assert {0.0, 1.0} <= set(marks(np.floor)) and not marks(np.exp) and not marks(np.tanh)
    assert probed(lambda x: math.nan) == Domain() == probed(lambda x: [][0])


def test_domains_inside_of_a_domain() -> None:
    for domain in drawn(strategies.domains(np.log), 30):
        assert 0 <= domain.low < domain.high
    with pytest.raises(ValueError, match="low must be below high"):
        Domain(1, 1)
