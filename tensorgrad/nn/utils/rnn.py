"""Sequences of several lengths: as one padded array, and packed without the padding.

A packed batch holds the elements of all sequences step by step: first those of step 0 of every sequence,
longest sequence first, then those of step 1 of the sequences that have one, and so on. So each step of a
recurrent network is a run of rows, and nothing is computed for padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from ...ops.index import set_at, take_at
from ...ops.positions import known
from ...ops.shape import lifted


class PackedSequence(NamedTuple):
    """A batch of sequences of several lengths without padding; `pack_padded_sequence` makes one.

    Attributes:
        data: the elements, (sum of the lengths, ...), step by step.
        batch_sizes: how many sequences take part in each step, an array of integers that do not grow.
        sorted_indices: the batch in order of falling length, None if it came in that order.
        unsorted_indices: the places of the batch in that order, its inverse.
    """

    data: Any
    batch_sizes: Any
    sorted_indices: Any = None
    unsorted_indices: Any = None


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """A padded batch without its padding.

    Args:
        input: (steps, batch, ...), or (batch, steps, ...) with ``batch_first``.
        lengths: the length of each sequence, 1 or more and no more than the steps there are.
        batch_first: whether the batch is the first axis.
        enforce_sorted: whether the sequences must come longest first; if not, they are sorted here, and
            what is made of them comes back in the order given.

    Raises:
        ShapeError: a length is out of range, there is not one for each sequence, or they are not sorted.
        DtypeError: the lengths are not integers.

    Example:
        >>> import tensorgrad as tg
        >>> from tensorgrad.nn.utils.rnn import pack_padded_sequence
        >>> pack_padded_sequence(tg.tensor([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]]), [3, 1], batch_first=True)[:2]
        (tensor([1., 4., 2., 3.]), array([2, 1, 1]))
    """
    op = "pack_padded_sequence"
    input = lifted(op, input)
    if input.ndim < 2:
        raise ShapeError(f"{op}: input {input.shape}; the axes for steps and batch are needed")
    x = ops.swapaxes(input, 0, 1) if batch_first else input
    steps, batch = x.shape[:2]
    length = np.asarray(known(op, lengths))
    if length.dtype.kind not in "iu":
        raise DtypeError(f"{op}: the lengths have dtype {length.dtype}; integers are needed")
    if length.shape != (batch,) or not batch:
        raise ShapeError(
            f"{op}: lengths {length.shape} for a batch of {batch}; one for each sequence is needed"
        )
    if length.min() < 1 or length.max() > steps:
        wrong = length.min() if length.min() < 1 else length.max()
        raise ShapeError(f"{op}: a length is {wrong}; the input has {steps} steps, and 1 is the least length")
    order = inverse = None
    if enforce_sorted:
        if (length[1:] > length[:-1]).any():
            raise ShapeError(
                f"{op}: the lengths {length.tolist()} are not sorted from longest to shortest; sort the batch, or "
                "give enforce_sorted=False"
            )
    else:
        order = np.argsort(-length, kind="stable")
        inverse = np.argsort(order)
        length = length[order]
    step, place = np.nonzero(np.arange(length[0])[:, None] < length)
    data = take_at(x, step, place if order is None else order[place], pattern=("array", "array"))
    return PackedSequence(data, np.bincount(step), order, inverse)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Any, Any]:
    """A packed batch as a padded one, and the lengths: the inverse of `pack_padded_sequence`.

    Args:
        sequence: the packed batch.
        batch_first: whether the batch becomes the first axis.
        padding_value: what fills the places after the end of a sequence.
        total_length: how many steps the result has, by default those of the longest sequence.

    Returns:
        The padded batch, (steps, batch, ...), and an array of the lengths.

    Raises:
        ShapeError: ``total_length`` is less than the longest sequence has.
    """
    length = sequence_lengths(sequence)
    longest = int(length[0])
    if total_length is not None and total_length < longest:
        raise ShapeError(
            f"pad_packed_sequence: total_length {total_length} is less than the longest sequence has, {longest}"
        )
    steps = longest if total_length is None else total_length
    step, place = np.nonzero(np.arange(steps)[:, None] < length)
    order = sequence.sorted_indices
    data = sequence.data
    whole = (steps, len(length), *data.shape[1:])
    padding = np.full(whole, padding_value, data.dtype)
    column = place if order is None else np.asarray(order)[place]
    padded = set_at(padding, data, step, column, pattern=("array", "array"))
    if order is not None:
        length = length[np.asarray(sequence.unsorted_indices)]
    return ops.swapaxes(padded, 0, 1) if batch_first else padded, length


def pad_sequence(
    sequences: Sequence[Any],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Any:
    """Sequences of several lengths as one array, the shorter ones filled up.

    Args:
        sequences: arrays or tensors (length, ...), alike in all axes but the first.
        batch_first: whether the batch is the first axis of the result, or the second.
        padding_value: what the places beyond a sequence hold.
        padding_side: 'right' fills up at the end, 'left' at the beginning.

    Returns:
        An array (longest, batch, ...), or (batch, longest, ...).

    Raises:
        ShapeError: no sequences, their other axes differ, or the side is another word.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.utils.rnn.pad_sequence([tg.tensor([1.0, 2.0]), tg.tensor([3.0])], batch_first=True)
        tensor([[1., 2.],
                [3., 0.]])
    """
    rows = _sequences("pad_sequence", sequences)
    if padding_side not in ("right", "left"):
        raise ShapeError(f"pad_sequence: padding_side is {padding_side!r}; it is 'right' or 'left'")
    longest = max(one.shape[0] for one in rows)
    filled = []
    for one in rows:
        missing = longest - one.shape[0]
        if missing:
            filling = np.full((missing, *one.shape[1:]), padding_value, one.dtype)
            one = ops.concat([one, filling] if padding_side == "right" else [filling, one])
        filled.append(one)
    return ops.stack(filled, axis=0 if batch_first else 1)


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """A list of sequences as a packed batch; the arguments are those of `pack_padded_sequence`."""
    lengths = [one.shape[0] for one in _sequences("pack_sequence", sequences)]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """A padded batch as a list of sequences of their own lengths."""
    padded = ops.swapaxes(padded_sequences, 0, 1) if batch_first else padded_sequences
    return [padded[:n, i] for i, n in enumerate(np.asarray(known("unpad_sequence", lengths)).tolist())]


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """A packed batch as a list of sequences: the inverse of `pack_sequence`."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences))


def sequence_lengths(sequence: PackedSequence) -> Any:
    """The lengths of the sequences of a packed batch, in the order in which it holds them."""
    sizes = np.asarray(sequence.batch_sizes)
    return (sizes > np.arange(sizes[0])[:, None]).sum(1)


def _sequences(op: str, sequences: Sequence[Any]) -> list[Any]:
    rows = [lifted(op, one) for one in sequences]
    if not rows:
        raise ShapeError(f"{op}: no sequences given; one at least is needed")
    if any(one.ndim < 1 or one.shape[1:] != rows[0].shape[1:] for one in rows):
        raise ShapeError(
            f"{op}: shapes {[one.shape for one in rows]}; they may differ in the length of the first axis only"
        )
    return rows
