"""Rows of pooling and interpolation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..._errors import DtypeError, IndexingError, ShapeError
from ...ops.window import adaptive, along, average, pool
from ...ops.window.along import Window
from .row import Fails, OpSamples, at, between, complex_normal, kink, normal, row, rows_along, spread

NAN = math.nan
Found = list[tuple[Any, int]]
"""The elements of a window, each with its position in the plane."""

# ---- along one axis


def _along(
    x: Any, axis: int, numbers: tuple[int, ...], f: Callable[..., list[Any]], *others: Any, dtype: Any = None
) -> Any:
    """Replace each row or plane by so many numbers: a function of it, and of those of others beside it."""
    first = axis + x.ndim
    shape = (*x.shape[:first], *numbers, *x.shape[first + len(numbers) :])
    x, *beside = [a.reshape((*a.shape[:first], -1, *a.shape[first + len(numbers) :])) for a in (x, *others)]
    out = np.zeros((*x.shape[:first], math.prod(numbers), *x.shape[first + 1 :]), dtype or x.dtype)
    for place, values in rows_along(x, first):
        out[place] = f(values, *[other[place].tolist() for other in beside])
    return out.reshape(shape)


def _members(windows: tuple[Window, ...], lengths: tuple[int, ...]) -> list[list[tuple[int, int]]]:
    """Of each window the places that lie in the array: which of the window, which of the row or plane."""
    found = [[(0, 0)]]
    for (size, stride, before, dilation, number), n in zip(windows, lengths, strict=True):
        every = [[(k, j * stride + k * dilation - before) for k in range(size)] for j in range(number)]
        found = [
            [(k * size + m, p * n + q) for k, p in some for m, q in own if 0 <= q < n]
            for some in found
            for own in every
        ]
    return found


def _lengths(x: Any, axis: int, windows: tuple[Window, ...]) -> tuple[int, ...]:
    return tuple(x.shape[axis + x.ndim :][: len(windows)])


def _numbers(windows: tuple[Window, ...]) -> tuple[int, ...]:
    return tuple([window.number for window in windows])


def _largest(x: Any, axis: int, windows: tuple[Window, ...]) -> Any:
    members = _members(windows, _lengths(x, axis, windows))
    return _along(x, axis, _numbers(windows), lambda row: [max(row[p] for _, p in some) for some in members])


def _leader(x: Any, top: Any, axis: int, windows: tuple[Window, ...]) -> Any:
    members = _members(windows, _lengths(x, axis, windows))

    def first(row: Any, tops: Any) -> list[int]:
        same = [
            [k for k, p in some if row[p] == t or (t != t and row[p] != row[p])]
            for some, t in zip(members, tops, strict=True)
        ]
        return [some[0] if some else math.prod([window.size for window in windows]) for some in same]

    return _along(x, axis, _numbers(windows), first, top, dtype=np.uint8)


def _read(x: Any, leader: Any, axis: int, windows: tuple[Window, ...]) -> Any:
    members = _members(windows, _lengths(x, axis, windows))
    return _along(
        leader,
        axis,
        _numbers(windows),
        lambda which, row: [
            sum(row[p] for k, p in some if k == w) for some, w in zip(members, which, strict=True)
        ],
        x,
        dtype=x.dtype,
    )


def _added(x: Any, leader: Any, axis: int, windows: tuple[Window, ...], lengths: tuple[int, ...]) -> Any:
    members = _members(windows, lengths)

    def add(row: Any, which: Any) -> list[Any]:
        pairs = list(zip(row, members, which, strict=True))
        return [sum(v for v, some, w in pairs if (w, p) in some) for p in range(math.prod(lengths))]

    return _along(x, axis, lengths, add, leader)


def _summed(x: Any, axis: int, window: Window) -> Any:
    members = _members((window,), (x.shape[axis],))
    return _along(x, axis, (window.number,), lambda row: [sum(row[p] for _, p in some) for some in members])


def _spread_out(x: Any, axis: int, window: Window, length: int) -> Any:
    places = [[p for _, p in some] for some in _members((window,), (length,))]

    def add(row: Any) -> list[Any]:
        return [sum(v for v, some in zip(row, places, strict=True) if p in some) for p in range(length)]

    return _along(x, axis, (length,), add)


def _off_axis(name: str, call: Callable[[], Any]) -> Fails:
    return Fails(call, ShapeError, rf"{name}: axis 0 is out of range")


ONE, PAIRS = Window(1, 1, 0, 1, 1), Window(2, 2, 0, 1, 2)
PADDED, GAPS = Window(3, 2, 1, 1, 3), Window(2, 1, 1, 2, 4)
WHICH, WHICH_OF_GAPS = np.array([[0, 2, 1], [1, 0, 0]]), np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
PLANE = (Window(2, 1, 1, 1, 3), Window(2, 2, 0, 1, 2))
WHICH_OF_PLANE = np.array([[2, 3], [1, 0], [3, 2]])

ROWS: list[OpSamples] = [
    row(
        "window_max",
        at("size 1", normal(1), axis=-1, windows=(ONE,)),
        at("axes", spread(2, 4), axis=-1, windows=(PAIRS,)),
        at("axes, first, padded gaps", spread(4, 2), axis=-2, windows=(GAPS,)),
        at("edge: overlap and padding", spread(2, 5), axis=-1, windows=(PADDED,)),
        at("axes, two at once", spread(2, 3, 4), axis=-2, windows=PLANE),
        reference=_largest,
        errors=(
            _off_axis("window_max", lambda: along.window_max(np.ones(2), 0, (ONE,))),
            Fails(lambda: along.window_max(np.ones(2, complex), -1, (ONE,)), DtypeError, "have no order"),
        ),
        kinks=(
            kink(
                "a tie",
                np.array([2.0, 2.0]),
                axis=-1,
                windows=(Window(2, 2, 0, 1, 1),),
                gradients=(np.array([1.0, 0.0]),),
            ),
        ),
    ),
    row(
        "window_leader",
        at("size 1", np.ones(1), np.ones(1), axis=-1, windows=(ONE,)),
        at("axes", spread(2, 4), np.array([[-1.0, 0.2], [0.1, 0.3]]), axis=-1, windows=(PAIRS,)),
        at(
            "edge: ties and NaN",
            np.array([1.0, 1.0, NAN, NAN, 3.0]),
            np.array([1.0, NAN, NAN]),
            axis=-1,
            windows=(PADDED,),
        ),
        at(
            "axes, two at once",
            np.array([[[1.0, 2.0, 0.0, 2.0], [2.0, 0.0, 3.0, 3.0], [2.0, 2.0, 3.0, 1.0]]]),
            np.array([[[2.0, 3.0], [2.0, 3.0], [2.0, 3.0]]]),
            axis=-2,
            windows=PLANE,
        ),
        reference=_leader,
        errors=_off_axis("window_leader", lambda: along.window_leader(np.ones(2), np.ones(2), 0, (ONE,))),
    ),
    row(
        "window_read",
        at("size 1", normal(1), np.array([0]), axis=-1, windows=(ONE,)),
        at("axes", normal(2, 5), WHICH, axis=-1, windows=(PADDED,)),
        at("axes, first, padded gaps", normal(4, 2), WHICH_OF_GAPS, axis=-2, windows=(GAPS,)),
        at(
            "edge: infinite",
            np.array([[1.0, math.inf, 2.0, 3.0]]),
            np.array([[0, 1]]),
            axis=-1,
            windows=(PAIRS,),
            smooth=False,
        ),
        at("axes, two at once", normal(3, 4), WHICH_OF_PLANE, axis=-2, windows=PLANE),
        reference=_read,
        errors=_off_axis("window_read", lambda: along.window_read(np.ones(2), np.zeros(2, int), 0, (ONE,))),
    ),
    row(
        "window_add",
        at("size 1", normal(1), np.array([0]), axis=-1, windows=(ONE,), lengths=(1,)),
        at("axes", normal(2, 3), WHICH, axis=-1, windows=(PADDED,), lengths=(5,)),
        at("axes, first, padded gaps", normal(4, 2), WHICH_OF_GAPS, axis=-2, windows=(GAPS,), lengths=(4,)),
        at(
            "edge: infinite",
            np.array([[1.0, math.inf]]),
            np.array([[0, 1]]),
            axis=-1,
            windows=(PAIRS,),
            lengths=(5,),
            smooth=False,
        ),
        at("axes, two at once", normal(3, 2), WHICH_OF_PLANE, axis=-2, windows=PLANE, lengths=(3, 4)),
        reference=_added,
        errors=_off_axis(
            "window_add", lambda: along.window_add(np.ones(2), np.zeros(2, int), 0, (ONE,), (1,))
        ),
    ),
    row(
        "window_sum",
        at("size 1", normal(1), axis=-1, window=ONE),
        at("axes", normal(2, 5), axis=-1, window=PADDED),
        at("axes, first, padded gaps", normal(4, 2), axis=-2, window=GAPS),
        at("edge: an element left over", normal(5), axis=-1, window=PAIRS),
        at("complex", complex_normal(4), axis=-1, window=PAIRS),
        reference=_summed,
        errors=_off_axis("window_sum", lambda: along.window_sum(np.ones(2), 0, ONE)),
    ),
    row(
        "window_spread",
        at("size 1", normal(1), axis=-1, window=ONE, length=1),
        at("axes", normal(2, 3), axis=-1, window=PADDED, length=5),
        at("axes, first, padded gaps", normal(4, 2), axis=-2, window=GAPS, length=4),
        at("edge: an element left over", normal(2), axis=-1, window=PAIRS, length=5),
        reference=_spread_out,
        errors=_off_axis("window_spread", lambda: along.window_spread(np.ones(2), 0, ONE, 1)),
    ),
    row(
        "plane_positions",
        at("0-d", np.array(3), function="max_unpool1d", plane=4),
        at("axes", np.array([[0, 3], [2, 2]]), function="max_unpool2d", plane=4),
        at("edge: none", np.zeros((0, 2), int), function="max_unpool2d", plane=4),
        reference=lambda indices, function, plane: indices,
        errors=Fails(
            lambda: pool.plane_positions(np.array([4]), "max_unpool1d", 4), IndexingError, "max_unpool1d: ind"
        ),
    ),
]


# ---- pooling


def _sizes(value: Any, rank: int) -> list[int]:
    return [value] * rank if isinstance(value, int) else list(value)


def _starts(n: int, extent: int, stride: int, pad: int, ceil_mode: bool) -> list[int]:
    """Where windows start: as long as they fit, or in ceil mode until one has reached the end."""
    found, start = [], -pad
    while start + extent <= n + pad or (ceil_mode and start < n and start - stride + extent < n + pad):
        found.append(start)
        start += stride
    return found


def _pooled(x: Any, lines: list[list[list[int]]], f: Callable[[Found, int], Any]) -> Any:
    """A function of the elements of each window; ``lines`` has the places of all windows of each axis.

    It also gets how many places there are, and those outside are left out of the elements.
    """
    rank = len(lines)
    plane = x.shape[-rank:]
    out = np.empty((*x.shape[:-rank], *map(len, lines)), object)
    for index in np.ndindex(out.shape):
        chosen = [line[j] for line, j in zip(lines, index[-rank:], strict=True)]
        found: Found = []
        for k in np.ndindex(*map(len, chosen)):
            place = tuple([some[j] for some, j in zip(chosen, k, strict=True)])
            if all(0 <= p < n for p, n in zip(place, plane, strict=True)):
                flat = int(np.ravel_multi_index(place, plane))
                found.append((x[(*index[:-rank], *place)].item(), flat))
        out[index] = f(found, math.prod(map(len, chosen)))
    return out


def _sliding(rank: int, f: Callable[..., Any]) -> Callable[..., Any]:
    def reference(
        x: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        **settings: Any,
    ) -> Any:
        kernel = _sizes(kernel_size, rank)
        steps = _sizes(kernel if stride is None else stride, rank)
        lines = []
        for n, k, s, p, d in zip(
            x.shape[-rank:], kernel, steps, _sizes(padding, rank), _sizes(dilation, rank), strict=True
        ):
            starts = _starts(n, (k - 1) * d + 1, s, p, ceil_mode)
            lines.append([[start + j * d for j in range(k) if start + j * d < n + p] for start in starts])
        return f(x, lines, full=math.prod(kernel), **settings)

    return reference


def _even(rank: int, f: Callable[..., Any]) -> Callable[..., Any]:
    def reference(x: Any, output_size: Any, **settings: Any) -> Any:
        counts = output_size if isinstance(output_size, tuple) else (output_size,) * rank
        lines = []
        for n, m in zip(x.shape[-rank:], counts, strict=True):
            m = n if m is None else m
            lines.append([list(range(i * n // m, math.ceil((i + 1) * n / m))) for i in range(m)])
        return f(x, lines, full=0, **settings)

    return reference


def _maxima(x: Any, lines: Any, full: int, return_indices: bool = False) -> Any:
    def first(found: Found, size: int) -> int:
        best = max(v for v, _ in found)
        return next(position for v, position in found if v == best)

    positions = _pooled(x, lines, first).astype(np.int64)
    flat = x.reshape((*x.shape[: -len(lines)], -1))
    picked = np.take_along_axis(flat, positions.reshape((*flat.shape[:-1], -1)), -1).reshape(positions.shape)
    return (picked, positions) if return_indices else picked


def _means(
    x: Any, lines: Any, full: int, count_include_pad: bool = True, divisor_override: Any = None
) -> Any:
    def mean(found: Found, size: int) -> Any:
        return sum(v for v, _ in found) / (divisor_override or (size if count_include_pad else len(found)))

    return _pooled(x, lines, mean).astype(x.dtype)


def _norms(rank: int) -> Callable[..., Any]:
    def reference(x: Any, norm_type: float, kernel_size: Any, **settings: Any) -> Any:
        def norms(x: Any, lines: Any, full: int) -> Any:
            def norm(found: Found, size: int) -> Any:
                return (sum(v**norm_type for v, _ in found) * full / size) ** (1 / norm_type)

            return _pooled(x, lines, norm).astype(x.dtype)

        return _sliding(rank, norms)(x, kernel_size, **settings)

    return reference


def _unpooled(rank: int) -> Callable[..., Any]:
    def reference(
        x: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
    ) -> Any:
        k = _sizes(kernel_size, rank)
        sizes = [
            (n - 1) * s - 2 * p + a
            for n, a, s, p in zip(
                x.shape[-rank:], k, _sizes(stride or k, rank), _sizes(padding, rank), strict=True
            )
        ]
        sizes = list(output_size)[-rank:] if output_size else sizes
        out = np.zeros((*x.shape[:-rank], math.prod(sizes)))
        for index in np.ndindex(x.shape):
            out[(*index[:-rank], indices[index])] = x[index]
        return out.reshape((*x.shape[:-rank], *sizes))

    return reference


def _shape(rank: int, *lead: int) -> tuple[int, ...]:
    """A small shape to pool, with axes of different lengths."""
    return (*lead, *((3,), (3, 4), (2, 3, 2))[rank - 1])


def _unfit(name: str, op: Any, rank: int, *before: Any) -> Fails:
    """Fails of windows that do not fit, for functions with ``kernel_size`` after ``before``."""
    return Fails(lambda: op(np.ones((1, *[2] * rank)), *before, 3), ShapeError, rf"{name}: .*extent 3.*fit 2")


def _max_row(rank: int) -> OpSamples:
    name = f"max_pool{rank}d"
    op = getattr(pool, name)
    return row(
        name,
        at("size 1", normal(*[1] * (rank + 2)), kernel_size=1),
        at("axes, with positions", spread(*_shape(rank, 1, 2)), kernel_size=2, stride=1, return_indices=True),
        at("edge: padded, rounded up", spread(*_shape(rank, 1)), kernel_size=2, padding=1, ceil_mode=True),
        *[at("axes, gaps", spread(1, 4, 5), kernel_size=(2, 3), stride=1, padding=1, dilation=(3, 1))] * (rank == 2),
        reference=_sliding(rank, _maxima),
        errors=(
            _unfit(name, op, rank),
            Fails(lambda: op(np.ones((1, *[2] * rank)), 2, padding=2), ShapeError, "more than half"),
            Fails(lambda: op(np.ones((1, *[2] * rank)), 2, stride=0), ShapeError, "stride is 0; at least 1"),
            Fails(lambda: op(np.ones(2), 2), ShapeError, rf"{name}: x has shape \(2,\)"),
            Fails(lambda: op(np.ones((1, *[2] * rank), complex), 2), DtypeError, "have no order"),
            Fails(
                lambda: op(np.ones((1, *[1] * rank)), 2, padding=3, dilation=5), ShapeError, "padding alone"
            ),
        ),
        kinks=(
            kink("a tie", np.full((1, *[2] * rank), 3.0), kernel_size=2,
                 gradients=(np.eye(1, 2**rank).reshape((1, *[2] * rank)),)),
            kink("NaN", np.array([9.0] * (2**rank - 1) + [NAN]).reshape((1, *[2] * rank)), kernel_size=2,
                 gradients=(np.eye(1, 2**rank, 2**rank - 1).reshape((1, *[2] * rank)),)),
        ),
        op=op,
    )  # fmt: skip


def _unpool_row(rank: int) -> OpSamples:
    name = f"max_unpool{rank}d"
    op = getattr(pool, name)
    ones, zero = np.ones((1, *[1] * rank)), np.zeros((1, *[1] * rank), int)
    pair = np.array([[3, 1], [0, 2]]).reshape((1, 2, *[1] * (rank - 1), 2))
    return row(
        name,
        at("size 1", normal(*ones.shape), zero, kernel_size=1),
        at("axes", normal(*pair.shape), pair, kernel_size=2),
        at("edge: another size", normal(*ones.shape), zero + 2, kernel_size=2, output_size=[3] * rank),
        reference=_unpooled(rank),
        errors=(
            Fails(lambda: op(ones, zero + 2**rank, 2), IndexingError, rf"{name}: indices run from"),
            Fails(lambda: op(ones, zero - 1, 2), IndexingError, rf"{name}: indices run from -1"),
            Fails(lambda: op(ones, zero[..., :0], 2), ShapeError, "an integer for each element"),
            Fails(lambda: op(ones, zero, 2, output_size=[4] * rank), ShapeError, "output_size"),
        ),
        op=op,
    )


def _avg_row(rank: int) -> OpSamples:
    name = f"avg_pool{rank}d"
    op = getattr(average, name)
    override = [at("edge: another divisor", normal(*_shape(rank, 1)), kernel_size=2, divisor_override=3)]
    return row(
        name,
        at("size 1", normal(*[1] * (rank + 2)), kernel_size=1),
        at("axes", normal(*_shape(rank, 1, 2)), kernel_size=2, stride=1),
        at("edge: padded, rounded up", normal(*_shape(rank, 1)), kernel_size=2, padding=1, ceil_mode=True),
        at("edge: padding does not count", normal(*_shape(rank, 1)), kernel_size=2, padding=1,
           ceil_mode=True, count_include_pad=False),
        *override[: rank > 1],
        reference=_sliding(rank, _means),
        errors=(
            _unfit(name, op, rank),
            Fails(lambda: op(np.ones((1, *[2] * rank)), 2, padding=2), ShapeError, "more than half"),
            *[Fails(lambda: op(np.ones((1, *[2] * rank)), 2, divisor_override=0), ShapeError, "is 0")][: rank > 1],
        ),
        op=op,
    )  # fmt: skip


def _lp_row(rank: int) -> OpSamples:
    name = f"lp_pool{rank}d"
    op = getattr(average, name)
    return row(
        name,
        at("size 1", between(0.5, 2, *[1] * (rank + 2)), norm_type=2, kernel_size=1),
        at("axes", between(0.5, 2, *_shape(rank, 2)), norm_type=1.5, kernel_size=2, stride=1),
        at("edge: negative, a sum", normal(*_shape(rank, 1)), norm_type=1, kernel_size=2),
        at("edge: rounded up", between(0.5, 2, *_shape(rank, 1)), norm_type=3, kernel_size=2, ceil_mode=True),
        reference=_norms(rank),
        errors=(
            _unfit(name, op, rank, 2),
            Fails(lambda: op(np.ones((1, *[2] * rank)), math.inf, 2), DtypeError, "norm_type is inf"),
            Fails(lambda: op(np.ones((1, *[2] * rank), complex), 2, 2), DtypeError, f"{name}: x has dtype complex"),
        ),
        kinks=(
            kink("zeros", np.zeros((1, *[2] * rank)), norm_type=2, kernel_size=2,
                 gradients=(np.zeros((1, *[2] * rank)),)),
        ),
        op=op,
    )  # fmt: skip


def _adaptive_row(rank: int, what: str) -> OpSamples:
    name = f"adaptive_{what}_pool{rank}d"
    op = getattr(adaptive, name)
    some = spread if what == "max" else normal
    flags: dict[str, Any] = {"return_indices": True} if what == "max" else {}
    return row(
        name,
        at("size 1", normal(*[1] * (rank + 2)), output_size=1),
        at("axes, uneven", some(*_shape(rank, 2)), output_size=2, **flags),
        at("edge: larger than x", some(*_shape(rank, 1)), output_size=4),
        *[at("axes, one as it is", some(1, 4, 3), output_size=(2, None))][: rank == 2],
        reference=_even(rank, _maxima if what == "max" else _means),
        errors=(
            Fails(lambda: op(np.ones((1, *[2] * rank)), 0), ShapeError, rf"{name}: output_size is 0"),
            Fails(lambda: op(np.ones((1, *[2] * rank)), 1.5), DtypeError, "integers are needed"),
            Fails(lambda: op(np.ones((1, *[2] * rank)), (1,) * 4), ShapeError, "has 4 numbers"),
        ),
        op=op,
    )


COMPOSED: list[OpSamples] = [
    *[make(rank) for make in (_max_row, _unpool_row, _avg_row, _lp_row) for rank in (1, 2, 3)],
    *[_adaptive_row(rank, what) for what in ("avg", "max") for rank in (1, 2, 3)],
]
