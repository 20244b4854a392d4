"""Running means, as the updates compute them."""

from __future__ import annotations

import numpy as np

from .arena import Array


def approach(mean: Array, value: Array, share: float, work: Array) -> None:
    """Move ``mean`` by ``share`` of the way to ``value``, in place; ``work`` may be ``value``."""
    np.subtract(value, mean, out=work)
    work *= share
    mean += work


def moments(group_betas: tuple[float, float], g: Array, mean: Array, square: Array, work: Array) -> None:
    """Move the running means of a gradient and of its square."""
    approach(mean, g, 1 - group_betas[0], work)
    approach(square, np.multiply(g, g, out=work), 1 - group_betas[1], work)
