"""Batching: run a function written for one example on many at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

import numpy as np

from .. import ops
from .._data import as_data
from .._draws import Kept, new_batch
from .._errors import DtypeError, ShapeError, TensorgradError
from .._primitive import Value
from .._tensor import watched
from .._tree import Tree, flatten, unflatten
from .batched import Batched as Batched
from .batched import looped as looped

Randomness = Literal["error", "different", "same"]
RANDOMNESS = ("error", "different", "same")


@overload
def vmap(
    f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0, randomness: Randomness = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]: ...  # fmt: skip
@overload
def vmap(
    f: None = None, in_axes: Any = 0, out_axes: Any = 0, randomness: Randomness = "error",
    chunk_size: int | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...  # fmt: skip
def vmap(
    f: Callable[..., Any] | None = None,
    in_axes: Any = 0,
    out_axes: Any = 0,
    randomness: Randomness = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function that applies ``f`` to each example of a batch, all at once.

    Args:
        f: written for one example. Without it a decorator is returned: ``@tg.vmap(in_axes=1)``.
        in_axes: the batch axis of the arguments that are given by position: one for all, or a tuple with one for
            each, which may go on into containers; negative axes count from the last. None is for what all
            examples share, and may be anything. What is given by keyword is shared.
        out_axes: where to put the batch axis in the results, likewise; None for a result that is the
            same for all examples.
        randomness: what a random draw inside of ``f``, such as the mask of dropout, means: ``"different"``, each
            example has its own; ``"same"``, one for all; ``"error"``, a draw is refused, since either may be meant.
        chunk_size: run so many examples at a time, to bound the memory; all at once if None.

    Returns:
        A function of the same arguments, each with a batch axis. Arrays give arrays and tensors give tensors; a
        result that no example has a part in is repeated.

    Raises:
        ShapeError: the batch axes have different lengths, or there is none.
        TraceError: ``f`` draws and ``randomness`` does not say what that means, or it decides by the value of an
            example (``if``, ``while``, ``and``); write ``tg.where``.
        DtypeError: ``f`` takes a number out of an example (``float``, ``.item()``, ``.numpy()``).

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
        >>> tg.vmap(tg.grad(lambda row: (row ** 2).sum()))(x)
        array([[2., 4.],
               [6., 8.]])
        >>> tg.vmap(tg.matmul, in_axes=(0, None))(x, np.array([1.0, 10.0]))
        array([21., 43.])
    """
    if randomness not in RANDOMNESS:
        raise ShapeError(f"vmap: randomness is {randomness!r}; choose one of {RANDOMNESS}")
    if chunk_size is not None and (not isinstance(chunk_size, int | np.integer) or chunk_size < 1):
        raise ShapeError(f"vmap: chunk_size is {chunk_size!r}; a count of 1 or more is needed, or None")
    if f is None:
        return functools.partial(
            vmap, in_axes=in_axes, out_axes=out_axes, randomness=randomness, chunk_size=chunk_size
        )
    if isinstance(in_axes, np.ndarray | Value):
        raise ShapeError(
            "vmap: in_axes is an array, and an axis or None for each argument is needed. The arguments of the function "
            "come after: tg.vmap(f)(x)"
        )
    if not callable(f):
        raise DtypeError(
            f"vmap: {type(f).__name__} given; the first argument is the function, vmap(f)(x) applies it to x"
        )

    @functools.wraps(f)
    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = flatten(args)
        axes = spread_axes(in_axes, tree, "in_axes")
        values = _batches(leaves, axes, tree)
        size = _batch_size(values, axes, tree)
        step = chunk_size or max(size, 1)
        kept = Kept() if randomness == "same" and step < size else None
        parts = []
        for start in range(0, max(size, 1), step):
            here = slice(start, start + step)
            chunk = [
                v if axis is None or step >= size else v[here] for v, axis in zip(values, axes, strict=True)
            ]
            with new_batch(min(size - start, step), randomness, Batched, kept) as level:
                examples = [
                    v if axis is None else Batched(watched(v), level)
                    for v, axis in zip(chunk, axes, strict=True)
                ]
                results, result_tree = flatten(f(*unflatten(tree, examples), **kwargs))
                places = spread_axes(out_axes, result_tree, "out_axes")
                parts.append(
                    [
                        _unbatch(r, level, min(size - start, step), p)
                        for r, p in zip(results, places, strict=True)
                    ]
                )
            if kept is not None:
                kept.rewind()
        joined = parts[0] if len(parts) == 1 else _joined(parts, places)
        paths = result_tree.paths()
        found = [_placed(r, p, path) for r, p, path in zip(joined, places, paths, strict=True)]
        return unflatten(result_tree, found)

    return batched


def spread_axes(axes: Any, tree: Tree, what: str) -> list[int | None]:
    """One axis for each leaf of ``tree``: ``axes`` may stop at any depth, and then counts for all below."""
    if axes is None or (isinstance(axes, int | np.integer) and not isinstance(axes, bool)):
        return [axes if axes is None else int(axes)] * tree.size
    keys = (
        tuple(axes)
        if isinstance(axes, dict)
        else range(len(axes))
        if isinstance(axes, tuple | list)
        else None
    )
    if keys is None or tree.kind is None or set(keys) != set(tree.keys):
        entries = "a single value" if tree.kind is None else f"a container with the entries {list(tree.keys)}"
        raise ShapeError(
            f"vmap: {what} is {axes!r}, which does not fit {entries}; give an integer or None for each, or one for all"
            + ("; in_axes has an entry for each argument" if what == "in_axes" else "")
        )
    return [
        axis
        for key, child in zip(tree.keys, tree.children, strict=True)
        for axis in spread_axes(axes[key], child, what)
    ]


# ---- parts


def _batches(leaves: Sequence[Any], axes: Sequence[int | None], tree: Tree) -> list[Any]:
    """The arguments, those with a batch axis as values with it in front."""
    found = []
    for number, (leaf, axis) in enumerate(zip(leaves, axes, strict=True)):
        value = leaf
        if axis is not None:
            if not isinstance(leaf, Value):
                try:
                    value = as_data(leaf, copy=True)
                except TensorgradError as error:
                    raise type(error)(
                        f"vmap: argument {tree.paths()[number]}: {error}; what all examples share has None in in_axes"
                    ) from None
            rank = len(value.shape)
            if not -rank <= axis < rank:
                way_out = (
                    "what all examples share has None in in_axes, and of a list of numbers make an array: np.array(x)"
                    if isinstance(leaf, int | float | complex)
                    else "what all examples share has None in in_axes"
                )
                raise ShapeError(
                    f"vmap: argument {tree.paths()[number]} has shape {value.shape}, so it has no axis {axis}; {way_out}"
                )
            value = value if axis % rank == 0 else ops.moveaxis(value, axis, 0)
        found.append(value)
    return found


def _batch_size(values: Sequence[Any], axes: Sequence[int | None], tree: Tree) -> int:
    sizes: dict[int, int] = {}  # with the first argument of that length
    for number, (value, axis) in enumerate(zip(values, axes, strict=True)):
        if axis is not None:
            sizes.setdefault(value.shape[0], number)
    if not sizes:
        raise ShapeError(
            "vmap: the batch axes must have one length; found none, since no argument that was given by position has "
            "an axis in in_axes, and keywords are shared by all examples"
        )
    if len(sizes) > 1:
        found = ", ".join(f"{n} in argument {tree.paths()[number]}" for n, number in sizes.items())
        raise ShapeError(f"vmap: the batch axes must have one length; found {found}")
    return next(iter(sizes))


def _unbatch(result: Any, level: int, size: int, place: int | None) -> Any:
    """A result as a value with the batch axis in front, or without one where it has no place."""
    if type(result) is Batched and result.level == level:
        if place is None:
            raise ShapeError(
                "vmap: out_axes is None for a result that differs between the examples; give it an axis"
            )
        return result.batch
    try:
        value = result if isinstance(result, Value) else as_data(result)
    except TensorgradError as error:
        raise type(error)(f"vmap: a result: {error}; return arrays, tensors and numbers") from None
    if place is None:
        return value
    repeated = ops.broadcast_to(value, (size, *value.shape))
    # A result that was captured keeps its memory to itself.
    return np.array(repeated) if type(repeated) is np.ndarray else repeated


def _joined(parts: Sequence[Sequence[Any]], places: Sequence[int | None]) -> list[Any]:
    """The results of chunks put together again."""
    if len({len(part) for part in parts}) > 1:
        raise ShapeError("vmap: the function returned another structure for another chunk of the batch")
    return [
        column[0] if place is None else ops.concat(column)
        for place, column in zip(places, zip(*parts, strict=True), strict=True)
    ]


def _placed(batch: Any, place: int | None, path: str) -> Any:
    """A result with the batch axis where it is wanted."""
    if place is None or place == 0:
        return batch
    rank = len(batch.shape)
    if not -rank <= place < rank:
        raise ShapeError(
            f"vmap: out_axes is {place} for result {path or '0'}, which has shape {batch.shape[1:]} for each example; "
            f"its batch axis can stand from {-rank} to {rank - 1}"
        )
    return ops.moveaxis(batch, 0, place)
