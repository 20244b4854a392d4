"""Where windows lie over padded images, and how much of them is worked on at a time."""

from __future__ import annotations

from collections.abc import Iterator

Lengths = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

ALL = slice(None)


def places_of(
    lengths: Lengths, extents: Lengths, stride: Lengths, padding: Pads, dilation: Lengths
) -> Lengths:
    """How many places a filter has along each axis."""
    spans = [d * (k - 1) + 1 for k, d in zip(extents, dilation, strict=True)]
    room = [n + sum(p) - s for n, p, s in zip(lengths, padding, spans, strict=True)]
    if min(room) < 0 or min(extents) < 1:
        raise ValueError(
            f"a window of {tuple(spans)} does not fit lengths {tuple(lengths)} padded by {padding}"
        )
    return tuple([r // s + 1 for r, s in zip(room, stride, strict=True)])


def overlap(
    place: Lengths,
    stride: Lengths,
    padding: Pads,
    dilation: Lengths,
    lengths: Lengths,
    starts: Lengths,
    counts: Lengths,
) -> tuple[list[slice], list[slice]]:
    """Which of some places see the image, and not its padding, through one element of the filter; and where."""
    seen, lie = [], []
    for k, s, (before, _), d, length, first, count in zip(
        place, stride, padding, dilation, lengths, starts, counts, strict=True
    ):
        offset = first * s + k * d - before
        start = max(0, -(offset // s))
        stop = max(start, min(count, (length - 1 - offset) // s + 1))
        seen.append(slice(start, stop))
        begin = start * s + offset
        lie.append(slice(begin, begin + max(0, (stop - start - 1) * s + 1), s))
    return seen, lie


def parts(size: int, images: int, rows: int, limit: int) -> Iterator[tuple[slice, slice]]:
    """Slices of the images, and of the first axis of places, with at most ``limit`` bytes of windows each.

    They are of several images, or of rows of one; the first is the largest.
    """
    if size <= limit:
        yield ALL, slice(0, rows)
        return
    some = max(1, images * limit // size)
    few = max(1, min(rows, rows * images * limit // size))
    for i in range(0, images, some):
        for r in range(0, rows, few):
            yield slice(i, i + some), slice(r, min(r + few, rows))
