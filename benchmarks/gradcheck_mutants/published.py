"""Gradient bugs of other libraries, each with the thread that reported it, re-created in our own code.

Left out on purpose: what happens exactly at a kink, where the derivative is a convention and no value between
the slopes of both sides is a bug (the gradient of a norm at 0, of relu at 0, of max-pooling at ties).
"""

from __future__ import annotations

from .published_arrays import ARRAYS
from .published_contracts import CONTRACTS
from .published_formulas import FORMULAS
from .published_pair import Published
from .published_points import POINTS

PUBLISHED: tuple[Published, ...] = (*FORMULAS, *POINTS, *ARRAYS, *CONTRACTS)

__all__ = ["PUBLISHED", "Published"]
