"""Rows of a table by their numbers: embeddings, one by one and reduced over bags.

The backward adds up the gradients of the rows that were used. A gradient is a dense tensor, so the zeros of
the other rows are cleared memory: that is all that depends on the length of the table.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..._errors import DtypeError, GradientError, ShapeError
from ..._tape import tick
from ..._tensor import Tensor
from ...ops.index import add_at, take_at
from ...ops.positions import as_integers, known, positions_of
from ...ops.shape import lifted


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of ``weight`` that ``input`` names.

    Args:
        input: integers in [0, rows), of any shape.
        weight: the table, (rows, size).
        padding_idx: a row that gets no gradient; negative ones count from the end.
        max_norm: rows that are used and have a greater norm are first scaled down to it, in ``weight`` itself.
        norm_type: which norm, the p of the p-norm.
        scale_grad_by_freq: whether the gradient of a row is divided by how often ``input`` names it.
        sparse: taken for PyTorch's sake; a gradient is a dense tensor, of which only rows that were used cost sums.

    Returns:
        An array of the shape of ``input`` and one more axis.

    Raises:
        IndexingError: a number is not in [0, rows), or ``padding_idx`` is out of range.
        DtypeError: ``input`` is not of integers.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.functional.embedding([2, 0], tg.tensor([[1.0, 1.5], [2.0, 2.5], [3.0, 3.5]]))
        tensor([[3. , 3.5],
                [1. , 1.5]])
    """
    return _rows("embedding", input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq)


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Sums, means or maxima of the rows of ``weight`` over bags of numbers; 0 for an empty bag.

    Args:
        input: integers in [0, rows): (bags, length), or in one row with ``offsets``.
        weight: the table, (rows, size).
        offsets: where each bag begins in a row of numbers, from 0 on; only for such.
        max_norm: see `embedding`.
        norm_type: see `embedding`.
        scale_grad_by_freq: see `embedding`; not for maxima.
        mode: 'sum', 'mean' or 'max'.
        sparse: see `embedding`.
        per_sample_weights: what each row is multiplied with, in the shape of ``input``; only for sums.
        include_last_offset: whether the last of the offsets is the end of the last bag.
        padding_idx: a number that is left out of its bag, and whose row gets no gradient.

    Returns:
        (bags, size).

    Raises:
        IndexingError: a number is not in [0, rows), or ``padding_idx`` is out of range.
        ShapeError: shapes, offsets or mode do not fit.
        DtypeError: ``input`` or ``offsets`` are not integers.

    Example:
        >>> import tensorgrad as tg
        >>> table = tg.tensor([[1.0], [2.0], [4.0]])
        >>> tg.nn.functional.embedding_bag([0, 1, 2], table, [0, 2], mode="sum")
        tensor([[3.],
                [4.]])
    """
    op = "embedding_bag"
    if mode not in ("sum", "mean", "max"):
        raise ShapeError(f"{op}: mode is {mode!r}; it is 'sum', 'mean' or 'max'")
    if mode == "max" and scale_grad_by_freq:
        raise ShapeError(f"{op}: scale_grad_by_freq has no meaning for maxima; it goes with 'sum' and 'mean'")
    input = as_integers(op, input)
    factors = None
    if per_sample_weights is not None:
        factors = lifted(op, per_sample_weights)
        if mode != "sum" or factors.shape != input.shape:
            raise ShapeError(
                f"{op}: per_sample_weights {factors.shape} for input {input.shape} and mode {mode!r}; they go with 'sum' "
                "and have the shape of input"
            )
        factors = ops.reshape(factors, (-1,))
    lengths = _bag_lengths(op, input, offsets, include_last_offset)
    numbers = ops.reshape(input, (-1,))
    rows = _rows(op, numbers, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq)
    kept: Any = np.ones(numbers.shape, bool)
    if padding_idx is not None:
        kept = ops.not_equal(numbers, padding_idx % weight.shape[0])
    if mode == "max":
        return _maxima(rows, kept, lengths)
    bags, pattern = len(lengths), ("array",)
    bag = np.repeat(np.arange(bags), lengths)
    share = ops.astype(kept, rows.dtype)
    if mode == "mean":
        count = add_at(share, bag, pattern=pattern, shape=(bags,))
        share = ops.divide(share, take_at(ops.maximum(count, 1.0), bag, pattern=pattern))
    if factors is not None:
        share = ops.multiply(share, factors)
    if mode == "mean" or factors is not None or padding_idx is not None:
        rows = ops.multiply(rows, ops.expand_dims(share, 1))
    return add_at(rows, bag, pattern=pattern, shape=(bags, rows.shape[1]))


# ---- parts


def _rows(
    op: str, input: Any, weight: Any, padding_idx: int | None, max_norm: float | None, norm_type: float, shared: bool
) -> Any:  # fmt: skip
    weight = lifted(op, weight)
    if weight.ndim != 2:
        raise ShapeError(f"{op}: weight {weight.shape}; a table (rows, size) is needed")
    count = weight.shape[0]
    if padding_idx is not None:
        padding_idx = int(positions_of(op, padding_idx, "0 of weight (by padding_idx)", count))
    place = positions_of(op, input, "0 of weight, its vocabulary,", count, negative=False)
    if max_norm is not None:
        _limit(op, weight, place, max_norm, norm_type)
    rows = take_at(weight, place, pattern=("array",))
    if shared:
        ones = np.ones(place.shape, weight.dtype)
        often = take_at(add_at(ones, place, pattern=("array",), shape=(count,)), place, pattern=("array",))
        value = ops.stop_gradient(rows)  # the difference is 0, and carries the gradient
        rows = ops.add(value, ops.divide(ops.subtract(rows, value), ops.expand_dims(often, -1)))
    if padding_idx is not None:
        is_padding = ops.expand_dims(ops.equal(place, padding_idx), -1)
        rows = ops.where(is_padding, ops.stop_gradient(weight[padding_idx]), rows)
    return rows


def _limit(op: str, weight: Any, place: Any, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are used and too long down to ``max_norm``, where they are."""
    used = np.unique(known(op, place))
    tensor = isinstance(weight, Tensor)
    if tensor and not weight.is_leaf:
        raise GradientError(
            f"{op}: max_norm writes into weight, and this one was computed from other tensors; give a leaf, or scale it "
            "before and leave max_norm out"
        )
    if not tensor and not isinstance(weight, np.ndarray):
        raise GradientError(
            f"{op}: max_norm writes into weight, which cannot be done inside a transformation"
        )
    array = weight._d if tensor else weight
    norms = np.linalg.norm(array[used], norm_type, 1)
    long = norms > max_norm
    if not long.any():
        return
    if not array.flags.writeable:
        if not tensor:
            raise DtypeError(f"{op}: max_norm writes into weight, and this array is read-only")
        weight._d = array = array.copy()
    array[used[long]] *= (max_norm / (norms[long] + 1e-7)).astype(array.dtype)[:, None]
    if tensor and weight.requires_grad:
        weight._node.seq = tick()


def _bag_lengths(op: str, input: Any, offsets: Any, include_last_offset: bool) -> Any:
    """How many numbers each bag has."""
    if input.ndim == 2:
        if offsets is not None:
            raise ShapeError(f"{op}: input {input.shape} has a row for each bag; offsets go with one row")
        return np.full(input.shape[0], input.shape[1])
    if input.ndim != 1 or offsets is None:
        raise ShapeError(f"{op}: input {input.shape}; (bags, length), or one row of numbers with offsets")
    start = np.asarray(known(op, as_integers(op, offsets)))
    if start.dtype.kind not in "iu":
        raise DtypeError(f"{op}: the offsets have dtype {start.dtype}; integers are needed")
    n = input.shape[0]
    if start.ndim != 1 or (include_last_offset and not start.size):
        raise ShapeError(f"{op}: offsets {start.shape}; a row of them is needed, with an end at least one")
    if start.size and (start[0] != 0 or (start[1:] < start[:-1]).any() or start[-1] > n):
        raise ShapeError(
            f"{op}: the offsets run from {start[0]} to {start[-1]}; they begin with 0, do not fall, and end at {n} at most"
        )
    if include_last_offset and start[-1] != n:
        raise ShapeError(f"{op}: the last offset is {start[-1]}; with include_last_offset it is the end, {n}")
    return np.diff(start) if include_last_offset else np.diff(np.append(start, n))


def _maxima(rows: Any, kept: Any, lengths: Any) -> Any:
    """Maxima over bags that lie in rows one after the other."""
    bags, longest = len(lengths), int(lengths.max(initial=0))
    if not longest:
        return ops.multiply(
            add_at(rows, np.zeros(0, int), pattern=("array",), shape=(bags, rows.shape[1])), 0
        )
    column = np.arange(longest)
    inside = column < lengths[:, None]
    place = np.where(inside, (np.cumsum(lengths) - lengths)[:, None] + column, 0)
    counted = ops.expand_dims(ops.logical_and(take_at(kept, place, pattern=("array",)), inside), -1)
    least = np.full((), -np.inf, rows.dtype)
    found = ops.max(ops.where(counted, take_at(rows, place, pattern=("array",)), least), axis=1)
    return ops.where(ops.any(counted, axis=1), found, np.zeros((), rows.dtype))
