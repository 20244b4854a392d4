"""Choosing elements by positions, masks and conditions.

All of it is made of the reads of `index`: where positions repeat, the element gets the gradients of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from .._errors import DtypeError, ShapeError
from .._specialise import SCALARS
from .dtype import astype
from .elementwise import where
from .index import check_fits, take_along_axis, take_at
from .positions import as_integers, known, lead_to, moded, one_axis, positions_of, same_rank
from .shape import broadcast_to, lifted, normalise_axis, ravel, stack

# ---- reading


def take(x: Any, indices: Any, /, axis: SupportsIndex | None = None, *, mode: str = "raise") -> Any:
    """The elements of ``x`` at integer positions along an axis.

    Args:
        x: an array or tensor.
        indices: integers of any shape, which takes the place of the axis in the result; negative ones
            count from the end.
        axis: the axis; None takes from the flattened ``x``.
        mode: what becomes of indices out of range: 'raise', 'wrap' around, or 'clip' to the first and last
            (then negative ones become 0).

    Raises:
        IndexingError: an index is out of range.
        DtypeError: the indices are not integers.

    Example:
        >>> import tensorgrad as tg
        >>> tg.take(tg.tensor([10.0, 20.0, 30.0]), [0, -1])
        tensor([10., 30.])
    """
    x = lifted("take", x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalise_axis("take", axis, x.ndim)
    return take_at(x, moded("take", indices, axis, x.shape[axis], mode), pattern=lead_to(axis))


def index_select(x: Any, axis: SupportsIndex, index: Any, /) -> Any:
    """The parts of ``x`` at the positions of a 1-D ``index`` along an axis: `take` in PyTorch's words."""
    x = lifted("index_select", x)
    axis = normalise_axis("index_select", axis, x.ndim)
    place = positions_of("index_select", index, axis, x.shape[axis])
    one_axis("index_select", place)
    return take_at(x, place, pattern=lead_to(axis))


def gather(x: Any, axis: SupportsIndex, index: Any, /) -> Any:
    """The elements of ``x`` at positions along an axis, one position for each place of the result.

    In two dimensions ``y[i, j] = x[index[i, j], j]`` for axis 0.

    Args:
        x: an array or tensor.
        axis: the axis that the positions are along.
        index: integers with as many axes as ``x``; along the others it may be shorter than ``x``, and
            then the rest of ``x`` is not read. Negative ones count from the end.

    Raises:
        IndexingError: an index is out of range.
        ShapeError: ``index`` has other axes than ``x``, or is longer along another axis.

    Example:
        >>> import tensorgrad as tg
        >>> tg.gather(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, [[1], [0]])
        tensor([[2.],
                [3.]])
    """
    x = lifted("gather", x)
    axis, index = place_of("gather", x, axis, index)
    return take_along_axis(cut_to(x, index.shape, axis), index, axis)


def masked_select(x: Any, mask: Any, /) -> Any:
    """The elements of ``x`` where ``mask`` is true, in one row; the two broadcast together.

    Raises:
        DtypeError: the mask is not boolean.
        TraceError: in a recorded program, or IndexingError under `vmap`, since the mask decides the shape.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor([1.0, -2.0, 3.0])
        >>> tg.masked_select(x, x > 0)
        tensor([1., 3.])
    """
    x, mask = lifted("masked_select", x), _boolean("masked_select", mask)
    shape = _together("masked_select", x, mask) or (1,)
    places = np.nonzero(np.broadcast_to(known("masked_select", mask), shape))
    return take_at(broadcast_to(x, shape), *places, pattern=("array",) * len(shape))


def compress(condition: Any, x: Any, /, axis: SupportsIndex | None = None) -> Any:
    """The parts of ``x`` along an axis where a 1-D condition is true; it may be shorter than the axis.

    Args:
        condition: booleans, or numbers that are not 0 for true.
        x: an array or tensor.
        axis: the axis; None takes from the flattened ``x``.

    Raises:
        IndexingError: the condition is true beyond the end of the axis.
        TraceError: in a recorded program, since the condition decides the shape.
    """
    chosen = known("compress", as_integers("compress", condition))
    if chosen.ndim != 1:
        raise ShapeError(f"compress: the condition has shape {chosen.shape}; one axis is needed")
    x = lifted("compress", x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalise_axis("compress", axis, x.ndim)
    place = positions_of("compress", np.flatnonzero(chosen), axis, x.shape[axis])
    return take_at(x, place, pattern=lead_to(axis))


def extract(condition: Any, x: Any, /) -> Any:
    """The elements of the flattened ``x`` where the flattened condition is true."""
    chosen = as_integers("extract", condition)
    return compress(ravel(chosen), ravel(lifted("extract", x)))


# ---- choosing between arrays


def choose(x: Any, choices: Any, /, *, mode: str = "raise") -> Any:
    """At each place the element of the choice that ``x`` names there: ``choices[x[i]][i]``.

    Args:
        x: integers from 0 to below the number of choices.
        choices: arrays, or one array whose first axis counts them; all broadcast together with ``x``.
        mode: what becomes of other integers: 'raise', 'wrap' or 'clip'.

    Raises:
        IndexingError: an integer is out of range, or negative.

    Example:
        >>> import tensorgrad as tg
        >>> tg.choose(tg.tensor([1, 0]), [tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])])
        tensor([3., 2.])
    """
    parts = [lifted("choose", one) for one in choices]
    if not parts:
        raise ShapeError("choose: no choices given; at least one is needed")
    place = moded("choose", x, "of the choices", len(parts), mode, negative=False)
    shape = _together("choose", place, *parts)
    table = stack([broadcast_to(one, shape) for one in parts])
    return take_along_axis(table, broadcast_to(place, (1, *shape)), 0)[0]


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """At each place the choice of the first condition that is true there.

    Args:
        condlist: boolean arrays.
        choicelist: arrays, one for each condition; all broadcast together.
        default: where no condition is true.

    Raises:
        ShapeError: there are not as many choices as conditions, or there are none.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor([-2.0, 0.5, 3.0])
        >>> tg.select([x < 0, x > 1], [-x, x * x], 0.0)
        tensor([2., 0., 9.])
    """
    if not len(condlist) == len(choicelist) > 0:
        raise ShapeError(
            f"select: {len(condlist)} conditions and {len(choicelist)} choices; one choice for each is needed"
        )
    chosen = [one if type(one) in SCALARS else lifted("select", one) for one in choicelist]
    dtype = np.result_type(default, *[one if type(one) in SCALARS else one.dtype for one in chosen])
    chosen = [one if type(one) in SCALARS else astype(one, dtype) for one in chosen]
    y = default
    for condition, one in zip(reversed(condlist), reversed(chosen), strict=True):
        y = where(_boolean("select", condition), one, y)
    return y


def masked_fill(x: Any, mask: Any, value: Any, /) -> Any:
    """``x`` with ``value`` where ``mask`` is true; both broadcast to the shape of ``x``.

    Raises:
        ShapeError: they do not.
        DtypeError: the mask is not boolean, or the value of a kind that does not fit into ``x``.

    Example:
        >>> import tensorgrad as tg
        >>> tg.masked_fill(tg.tensor([1.0, 2.0]), [True, False], -1.0)
        tensor([-1.,  2.])
    """
    x, mask = lifted("masked_fill", x), _boolean("masked_fill", mask)
    value = value if type(value) in SCALARS else lifted("masked_fill", value)
    check_fits(value, x.dtype, "masked_fill")
    if _together("masked_fill", x, mask, value) != x.shape:
        raise ShapeError(
            f"masked_fill: the mask {mask.shape} or the value {np.shape(value)} does not broadcast to x {x.shape}"
        )
    if type(value) not in SCALARS and value.dtype != x.dtype:
        value = astype(value, x.dtype)
    return where(mask, value, x)


# ---- parts, also of `scattering`


def place_of(caller: str, x: Any, axis: Any, index: Any) -> tuple[int, Any]:
    """The axis and the positions along it, one for each element of a part of ``x`` that starts at 0."""
    axis = normalise_axis(caller, axis, x.ndim)
    index = positions_of(caller, index, axis, x.shape[axis])
    same_rank(caller, x, index)
    if any(i != axis and a > n for i, (a, n) in enumerate(zip(index.shape, x.shape, strict=True))):
        raise ShapeError(
            f"{caller}: index {index.shape} is longer than x {x.shape} along an axis other than {axis}"
        )
    return axis, index


def cut_to(x: Any, shape: Any, but: int = -1) -> Any:
    """The first elements of ``x`` along each axis but one, as many as ``shape`` says."""
    cut = tuple([slice(None) if i == but else slice(n) for i, n in enumerate(shape)])
    return x if all(i == but or n == x.shape[i] for i, n in enumerate(shape)) else x[cut]


def _boolean(caller: str, mask: Any) -> Any:
    mask = as_integers(caller, mask)
    if mask.dtype.kind != "b":
        raise DtypeError(f"{caller}: the mask has dtype {mask.dtype}; booleans are needed, such as x > 0")
    return mask


def _together(caller: str, *arrays: Any) -> tuple[int, ...]:
    shapes = [np.shape(one) if type(one) in SCALARS else one.shape for one in arrays]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(f"{caller}: shapes {shapes} do not broadcast together") from None
