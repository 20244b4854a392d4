"""Where random numbers of this package come from: ``generator=`` as a seed, a generator, or left out."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._errors import DtypeError, ShapeError
from .._random import default_generator

Draws = np.random.Generator | int | None


def as_generator(generator: Draws) -> np.random.Generator:
    """A generator: the one given, one of the seed given, or the default of this thread."""
    if generator is None:
        return default_generator()
    if isinstance(generator, np.random.Generator):
        return generator
    return np.random.default_rng(checked_seed(generator))


def as_seed(generator: Draws) -> int:
    """A seed: the one given, or one drawn from the generator given or the default one."""
    if generator is None or isinstance(generator, np.random.Generator):
        return int(as_generator(generator).integers(2**63))
    return checked_seed(generator)


def stream(seed: int, *place: int) -> np.random.Generator:
    """The generator that belongs to a seed and a place, such as an epoch and a batch in it."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=place))


def checked_seed(seed: Any) -> int:
    """``seed`` as an int of Python, if it is one of 0 or more."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool):
        raise DtypeError(
            f"generator: a {type(seed).__name__} given; a seed or np.random.default_rng(seed) is needed"
        )
    if seed < 0:
        raise ShapeError(f"generator: the seed {seed} is negative; it must be 0 or more")
    return int(seed)
