"""What recurrent layers share: walking over the steps of a batch, one direction of one layer at a time.

The elements of all sequences lie in rows, step by step, as in a packed batch; ``sizes`` says how many rows
each step has, and never grows. A padded batch is the case where all steps have as many. Row ``i`` of each
step belongs to sequence ``i``. Backwards in time, a sequence starts where its last element is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..._errors import ShapeError
from ..shape import concat

Sizes = tuple[int, ...]


def check_fit(op: str, gates: int, states: int, operands: Sequence[Any], sizes: Sizes) -> None:
    """Raise if operands do not fit together: inputs, states, weights of both, biases, a projection."""
    shapes = [one.shape for one in operands]
    hidden = 0
    if all(len(shape) == 2 for shape in shapes[: states + 3]):
        (_, size), (_, out), (_, hidden) = shapes[0], shapes[1], shapes[states]
        more = len(shapes) - states - 3
        batch, rows = sizes[0] if sizes else 0, gates * hidden
        expected = [
            (sum(sizes), size), (batch, out), *[(batch, hidden)] * (states - 1), (rows, size), (rows, out),
            *[(rows,)] * (more // 2 * 2), *[(out, hidden)] * (more % 2),
        ]  # fmt: skip
        falling = all(a >= b for a, b in pairwise(sizes)) and sizes[-1:] > (0,)
        if shapes == expected and falling and (more % 2 or out == hidden):
            return
    steps = f"{list(sizes[:8])}{' ...' if len(sizes) > 8 else ''}"
    raise ShapeError(
        f"{op}: operands {shapes} and steps of {steps} rows, which must not grow, do not fit together, "
        f"with {gates} x {hidden} gates"
    )


def walk(sizes: Sizes, reverse: bool) -> Iterator[tuple[int, int]]:
    """The first row and the number of rows of each step, in the order in which time runs."""
    begins = np.cumsum((0, *sizes[:-1])).tolist()
    pairs = list(zip(begins, sizes, strict=True))
    return iter(pairs[::-1] if reverse else pairs)


def scanned(
    step: Callable[..., tuple[Any, ...]], rows: Any, states: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """Outputs of all steps in rows, and the last states, of ``step(rows, *states) -> states``.

    The first state is the output.
    """
    outputs, ended = [], []
    now = tuple([one[: sizes[-1]] for one in states]) if reverse and sizes[-1] < sizes[0] else states
    for begin, n in walk(sizes, reverse):
        active = now[0].shape[0]
        if n < active:
            ended.append([one[n:] for one in now])
            now = tuple([one[:n] for one in now])
        elif n > active:
            now = tuple([concat([one, start[active:n]]) for one, start in zip(now, states, strict=True)])
        now = step(rows[begin : begin + n], *now)
        outputs.append(now[0])
    last = [concat([one, *parts]) if parts else one for one, *parts in zip(now, *ended[::-1], strict=True)]
    return concat(outputs[::-1] if reverse else outputs), *last


# ---- on arrays, for the fast passes


def before(y: Any, start: Any, sizes: Sizes, reverse: bool) -> Any:
    """The state that each row came from, given the states ``y`` after each row and those at the start."""
    found = np.empty_like(y)
    previous, previous_n = start, 0
    for begin, n in walk(sizes, reverse):
        kept = min(n, previous_n)
        found[begin : begin + kept] = previous[:kept]
        found[begin + kept : begin + n] = start[kept:n]
        previous, previous_n = y[begin : begin + n], n
    return found


def carried(h: Any, start: Any, n: int) -> Any:
    """The states with which a step of ``n`` rows begins."""
    active = h.shape[0]
    return h if n == active else h[:n] if n < active else np.concatenate((h, start[active:n]))


def last(y: Any, sizes: Sizes, reverse: bool) -> Any:
    """The state of each sequence when time has run, from the states after each row."""
    batch = sizes[0]
    if reverse:
        return y[:batch].copy()
    if sizes[-1] == batch:
        return y[len(y) - batch :].copy()
    ends = np.empty(batch, np.intp)
    for begin, n in walk(sizes, False):
        ends[:n] = range(begin, begin + n)
    return y[ends]
