"""Hypothesis strategies for what derivatives go wrong at: shapes, ties, kinks, edges, layouts, indices.

Examples shrink to few elements, few axes and plain numbers. Needs the extra ``tensorgrad[testing]``.

>>> from hypothesis import given, settings
>>> from tensorgrad.testing import strategies
>>> @settings(max_examples=20, deadline=None)
... @given(strategies.broadcastable(2))
... def test_addition(pair):
...     a, b = pair
...     assert (a + b).shape == np.broadcast_shapes(a.shape, b.shape)
>>> test_addition()
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .domains import POOLS, Domain, pool, probed
from .layouts import laid_out, layouts_of

try:
    import hypothesis as hypothesis
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp
except ImportError as error:
    raise ImportError(
        "the strategies of tensorgrad.testing need Hypothesis: pip install 'tensorgrad[testing]'"
    ) from error

Shape = tuple[int, ...]
Draw = Callable[[st.SearchStrategy[Any]], Any]

SIDES = (1, 2, 3, 1, 2, 3, 4, 2, 3, 1, 2, 0)
"""Lengths of axes, as often as they are drawn. The first is what they shrink to."""

DIMS = (0, 1, 2, 3, 1, 2, 2)
"""Numbers of axes, likewise."""

KINDS = ("plain", "near", "plain", "near", "ties", "magnitudes")
"""The kinds of values that an array may have, as often as they are drawn."""


# ---- numbers


def values(domain: Domain | None = None, *, kind: str | None = None) -> st.SearchStrategy[float]:
    """Numbers inside of a domain.

    Args:
        domain: where they lie; by default anywhere.
        kind: one of `tensorgrad.testing.domains.POOLS`: ``"plain"``, ``"near"`` or ``"magnitudes"``. By
            default a mixture.

    Raises:
        ValueError: the kind is none of these.

    Example:
        >>> from hypothesis import find
        >>> from tensorgrad.testing import Domain
        >>> find(values(), lambda x: x > 1)
        2.0
        >>> find(values(Domain(0, 1), kind="near"), lambda x: x > 0.99)
        0.999999
    """
    domain = domain or Domain()
    if kind is None:
        return st.one_of(*(values(domain, kind=one) for one in POOLS))
    if kind not in POOLS:
        raise ValueError(f"values: kind must be one of {', '.join(POOLS)}, not {kind!r}")
    return st.sampled_from(pool(domain, kind))


# ---- arrays


def arrays(
    shape: Shape | int | st.SearchStrategy[Shape] | None = None,
    dtype: Any = np.float64,
    domain: Domain | None = None,
    *,
    kind: str | None = None,
) -> st.SearchStrategy[np.ndarray[Any, Any]]:
    """Arrays of numbers inside of a domain.

    Args:
        shape: the shape, or a strategy for it; by default that of `shapes`.
        dtype: a floating or complex dtype.
        domain: where the elements lie; complex ones have real and imaginary parts there.
        kind: as for `values`, or ``"ties"`` for elements that repeat each other. By default each array is
            of a kind drawn for it.

    Example:
        >>> from hypothesis import find
        >>> find(arrays(shape=3), lambda x: len(set(x.tolist())) == 1)
        array([1., 1., 1.])
    """
    domain, dtype = domain or Domain(), np.dtype(dtype)
    if shape is None:
        shape = shapes()
    elif not isinstance(shape, st.SearchStrategy):
        shape = st.just((shape,) if isinstance(shape, int) else tuple(shape))
    kinds = st.sampled_from(KINDS) if kind is None else st.just(kind)
    return _arrays(shape, dtype, domain, kinds)


@st.composite
def _arrays(
    draw: Draw, shape: st.SearchStrategy[Shape], dtype: np.dtype[Any], domain: Domain, kinds: Any
) -> np.ndarray[Any, Any]:
    filled: np.ndarray[Any, Any] = _filled(draw, draw(shape), dtype, domain, draw(kinds))
    return filled


def _filled(draw: Draw, shape: Shape, dtype: np.dtype[Any], domain: Domain, kind: str) -> Any:
    if kind == "ties":
        few = draw(st.lists(st.sampled_from(pool(domain, "plain")), min_size=1, max_size=2))
    else:
        # Plain values beside the others: one special element should not hide among its like.
        few = [*pool(domain, kind), *domain.nice]
    elements = st.sampled_from(few)
    array = _drawn(draw, shape, elements)
    if dtype.kind == "c":
        array = array + 1j * _drawn(draw, shape, elements)
    return array.astype(dtype)


def _drawn(draw: Draw, shape: Shape, elements: st.SearchStrategy[float]) -> Any:
    # Without a fill value: hnp.arrays would repeat one element in most places.
    return draw(hnp.arrays(np.float64, shape, elements=elements, fill=st.nothing()))


def broadcastable(
    n: int,
    dtype: Any = np.float64,
    domain: Domain | Sequence[Domain] | None = None,
    *,
    max_dims: int = 3,
) -> st.SearchStrategy[tuple[np.ndarray[Any, Any], ...]]:
    """Groups of arrays whose shapes broadcast, with axes of length 1 and 0 among them.

    Args:
        n: how many arrays.
        dtype: a floating or complex dtype.
        domain: where the elements lie, for all arrays or a sequence with one for each.
        max_dims: the number of axes of the broadcast shape, at most.

    Raises:
        ValueError: the domains are not as many as the arrays.

    Example:
        >>> from hypothesis import find
        >>> a, b = find(broadcastable(2), lambda group: 0 < group[0].size < group[1].size)
        >>> a.size, b.size
        (1, 2)
    """
    domains = [domain or Domain()] * n if domain is None or isinstance(domain, Domain) else list(domain)
    if len(domains) != n:
        raise ValueError(f"broadcastable: {n} arrays need {n} domains or one for all, not {len(domains)}")
    return _broadcastable(np.dtype(dtype), domains, max_dims)


@st.composite
def _broadcastable(
    draw: Draw, dtype: np.dtype[Any], domains: list[Domain], max_dims: int
) -> tuple[np.ndarray[Any, Any], ...]:
    whole = draw(shapes(max_dims=max_dims))
    kind = draw(st.sampled_from(KINDS))
    group = []
    for domain in domains:
        dropped = draw(st.sampled_from((0, 0, 0, *range(len(whole) + 1))))
        shape = tuple(draw(st.sampled_from((side, side, 1))) for side in whole[dropped:])
        group.append(_filled(draw, shape, dtype, domain, kind))
    return tuple(group)


# ---- shapes, axes, indices, layouts


def shapes(min_dims: int = 0, max_dims: int = 3) -> st.SearchStrategy[Shape]:
    """Shapes of few elements; one axis in twelve has none.

    Example:
        >>> from hypothesis import find
        >>> find(shapes(), lambda shape: 0 in shape), find(shapes(min_dims=2), bool)
        ((0,), (1, 1))
    """
    sides = st.sampled_from(SIDES)
    dims = [n for n in DIMS if min_dims <= n <= max_dims] or list(range(min_dims, max_dims + 1))
    return st.sampled_from(dims).flatmap(lambda n: st.tuples(*[sides] * n))


def axes(ndim: int) -> st.SearchStrategy[Any]:
    """Values for an argument ``axis``: None, an integer of either sign, or a tuple of axes.

    Example:
        >>> from hypothesis import find
        >>> find(axes(2), lambda axis: isinstance(axis, tuple) and len(axis) == 2)
        (0, 1)
    """
    one = [st.integers(-ndim, ndim - 1)] if ndim else []
    return st.one_of(st.none(), *one, hnp.valid_tuple_axes(ndim))


def indices(shape: Shape) -> st.SearchStrategy[Any]:
    """Whatever may stand between the brackets of an array of this shape.

    Basic indices (integers, slices, an ellipsis, new axes), arrays of integers with repeated entries,
    both mixed, and boolean masks.

    Example:
        >>> from hypothesis import find
        >>> x = np.arange(6.0).reshape(2, 3)
        >>> x[find(indices(x.shape), lambda index: x[index].size > 6)].size > 6
        True
    """
    ways = [hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True), _masks(shape)]
    if shape and 0 not in shape:
        few = hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=3)
        ways += [hnp.integer_array_indices(shape, result_shape=few, dtype=np.dtype(np.intp)), _mixed(shape)]
    return st.one_of(*ways)


@st.composite
def _masks(draw: Draw, shape: Shape) -> Any:
    """A boolean array that covers the first axes."""
    covered = draw(st.integers(1, len(shape))) if shape else 0
    return draw(hnp.arrays(np.bool_, shape[:covered]))


@st.composite
def _mixed(draw: Draw, shape: Shape) -> Any:
    """For each of the first axes a slice, an integer, or an array of integers; the arrays have one shape."""
    common = draw(st.sampled_from(((2,), (3,), (2, 1))))
    parts: list[Any] = []
    for side in shape[: draw(st.integers(1, len(shape)))]:
        inside = st.integers(-side, side - 1)
        parts.append(
            draw(
                st.one_of(
                    hnp.arrays(np.intp, common, elements=inside, fill=st.nothing()), st.slices(side), inside
                )
            )
        )
    return tuple(parts)


def layouts(array: Any) -> st.SearchStrategy[np.ndarray[Any, Any]]:
    """The same array in other orders of memory.

    C and Fortran order, strides of two elements and negative ones, swapped axes, and read-only; further
    the first elements of the last axis repeated with a stride of 0.

    Example:
        >>> from hypothesis import find
        >>> x = np.arange(6.0).reshape(2, 3)
        >>> find(layouts(x), lambda a: not a.flags.c_contiguous).flags.f_contiguous
        True
    """
    return st.sampled_from(layouts_of(array)).map(lambda name: laid_out(array, name))


def domains(f: Callable[[float], Any] | None = None) -> st.SearchStrategy[Domain]:
    """Intervals inside of the domain of a function of one number, with what deserves a close look.

    Args:
        f: is evaluated to find where it is finite, see `tensorgrad.testing.probed`. By default all
            numbers.

    Example:
        >>> from hypothesis import find
        >>> find(domains(np.log), lambda domain: domain.high < 5)
        Domain(low=0.0, high=1.0, exclude=(), marks=())
    """
    whole = Domain() if f is None else probed(f)
    return st.one_of(st.just(whole), st.builds(_part, st.just(whole), values(whole), values(whole)))


def _part(whole: Domain, a: float, b: float) -> Domain:
    low, high = (whole.low, b) if a == b else sorted((a, b))
    within = [tuple(x for x in points if low < x < high) for points in (whole.exclude, whole.marks)]
    return Domain(low, high, *within)
