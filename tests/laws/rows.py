"""Instructions of random programs made of the table of ops: one for every sample of every row.

An instruction applies its op near the arguments of the sample: the values of the program, squashed to a
short way from there, are added to each floating argument. How short is found by trying, so that a domain
is not left and no kink is crossed. Results are measured from those at the sample, in units of how far
they go; so instructions of any op can be chained, and all that a program computes stays of size about 1.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad._primitive import registry
from tensorgrad.testing.samples import COMPOSED, ROWS, OpSamples, Sample

N = 4
WAYS = (0.03, 3e-3, 3e-4)
"""How far the arguments move, the first that suits."""

NARROW = ("float16", "float32", "complex64")

LEFT_OUT = {
    "random": "it has no inputs: a draw is data to a program",
}
"""Rows that no instruction is made of, and why."""


class Instruction:
    """An op near the arguments of a sample, as a function of two values of a program.

    Attributes:
        way: how far arguments move; 0 where results are not finite or not in double precision.
        smooth: whether the results have derivatives of every order on the way.
        flips: the whole-number arguments whose entries may come in the other order.
    """

    def __init__(self, row: OpSamples, sample: Sample) -> None:
        self.row = row
        self.sample = sample
        self.positions = sample.positions()
        self.flips: list[int] = []
        with np.errstate(all="ignore"):
            self.centre = self.at(0.0)
            self.way, self.smooth = self.explore()
            changes = [
                max(float(np.abs(end - y).max(initial=0.0)) for end in ends)
                for y, *ends in zip(self.centre, self.at(self.way, 1), self.at(self.way, 2), strict=True)
            ]
            for i, a in enumerate(sample.args):
                if np.asarray(a).dtype.kind in "iu" and np.ndim(a) and self.is_defined(0.0, 0, flip=i):
                    self.flips.append(i)
        card = registry.get(row.name)
        if card is not None and card.kind == "constant" and any(y.dtype.kind in "fc" for y in self.centre):
            self.smooth = False  # its derivative is 0 by declaration
        self.units = [change if change > 1e-12 else 1.0 for change in changes]  # less is rounding

    def at(self, way: float, seed: int = 0, flip: int | None = None) -> list[Any]:
        """The results where every argument is moved by chance."""
        generator = np.random.default_rng(seed)
        args = list(self.sample.args)
        if flip is not None:
            args[flip] = np.flip(args[flip])
        for i in self.positions:
            args[i] = args[i] + way * generator.uniform(-1, 1, args[i].shape) * turn(args[i])
        return [np.asarray(y, complex if y.dtype.kind == "c" else float) for y in self.call(args)]

    def call(self, args: list[Any]) -> list[Any]:
        """Apply the op; its results as a list."""
        y = self.row(*args, **self.sample.named())
        return list(y) if isinstance(y, tuple) else [y]

    def explore(self) -> tuple[float, bool]:
        """The first of `WAYS` on which results are nearly linear; or any on which they are finite."""
        if any(y.dtype in NARROW for y in self.call(list(self.sample.args))):
            return 0.0, False
        for way in WAYS if self.sample.smooth else ():
            if all(self.is_defined(way, seed) and self.is_nearly_linear(way, seed) for seed in (1, 2, 3)):
                return way, True
        for way in WAYS:
            if all(self.is_defined(way, seed) for seed in range(5)):
                return way, False
        return 0.0, False

    def is_defined(self, way: float, seed: int, flip: int | None = None) -> bool:
        """Whether the op takes the moved arguments, and its results are finite."""
        try:
            found = self.at(way, seed, flip)
        except (tg.TensorgradError, ValueError, IndexError):
            return False
        return all(
            a.shape == y.shape and np.isfinite(a).all() for a, y in zip(found, self.centre, strict=True)
        )

    def is_nearly_linear(self, way: float, seed: int) -> bool:
        """Whether half of the way leads to half of the change, roughly."""
        for y, half, whole in zip(self.centre, self.at(way / 2, seed), self.at(way, seed), strict=True):
            change = float(np.abs(whole - y).max(initial=0.0))
            if np.abs(whole - 2 * half + y).max(initial=0.0) > 0.2 * change:
                return False
        return True

    def __call__(self, a: Any, b: Any) -> Any:
        args = list(self.sample.args)
        for k, i in enumerate(self.positions):
            moved = self.way * tg.sin(fit((a, b)[k % 2], args[i].shape))
            args[i] = args[i] + (moved * turn(args[i]) if args[i].dtype.kind == "c" else moved)
        for i in self.flips:
            args[i] = tg.where(tg.sum(b) > 0.1, args[i], np.flip(args[i]))
        total = 0.1 * fit(a, (N,))
        for y, centre, unit in zip(self.call(args), self.centre, self.units, strict=True):
            if y.dtype.kind == "c":
                z = (y - centre) / unit
                total = total + fit(tg.real(z), (N,)) + fit(tg.imag(z), (N,))
            elif y.dtype.kind == "f":
                total = total + fit((y - centre) / unit, (N,))
            else:  # a choice, a count, a position: it says how much of a goes on
                total = total + tg.sin(fit(tg.astype(y, "float64"), (N,))) * fit(b, (N,))
        return total


def turn(x: Any) -> Any:
    """The direction in which an argument moves: complex ones in both parts."""
    return 0.8 + 0.6j if x.dtype.kind == "c" else 1.0


def fit(v: Any, shape: tuple[int, ...]) -> Any:
    """A value of any shape in another: entries are repeated, or added up with fixed weights."""
    if v.shape == shape:
        return v
    size = int(np.prod(shape))
    if v.shape == () or size == 0:
        return tg.broadcast_to(tg.sum(v), shape)
    flat = tg.reshape(v, (-1,))
    (n,) = flat.shape
    if n > size or n == 0:
        flat = weights(size, n) @ flat
    elif n < size:
        flat = flat[np.arange(size) % n]
    return tg.reshape(flat, shape)


@functools.cache
def weights(rows: int, columns: int) -> Any:
    return np.cos(np.add.outer(2.0 * np.arange(rows), np.arange(columns))) / np.sqrt(max(columns, 1))


@functools.cache
def instruction(name: str) -> Instruction:
    """The instruction of a name such as ``"sin: 0-d"``."""
    row, _, label = name.partition(": ")
    found = ROWS.get(row) or COMPOSED[row]
    return Instruction(found, next(one for one in found.samples if one.label == label))


def names(row: str) -> list[str]:
    """The instructions of a row."""
    return [f"{row}: {sample.label}" for sample in (ROWS.get(row) or COMPOSED[row]).samples]


def pick(row: str, start: int) -> str:
    """One of the instructions of a row that is smooth, if there is one, else one that is defined."""
    some = names(row)
    turned = some[start % len(some) :] + some[: start % len(some)]
    return next((one for one in turned if instruction(one).smooth), "") or next(
        one for one in turned if instruction(one).way
    )
