"""What one re-created bug consists of: a function, its faulty derivative, and the right one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Vjp = Callable[[tuple[Any, ...], Any, Any], tuple[Any, ...]]
"""``(inputs, y, g)`` to a gradient for each input: `inputs` gave `y`, and `g` comes from upstream."""


@dataclass(frozen=True)
class Published:
    """A gradient bug that was reported in public, written anew in NumPy.

    Attributes:
        name: the op and the circumstances.
        issue: the thread, as ``owner/repository#number``.
        what: what went wrong there.
        label: the diagnosis that a checker should give, one of `tensorgrad.testing.report.LABELS`.
        f: arrays to an array; right, and smooth at the points that `inputs` draws.
        f_vjp: its derivative, with the published fault.
        right_vjp: the same without it; a checker must not complain.
        inputs: draws a point where the fault shows.
        order: 2 where only the second derivative was wrong; `f` is then the first derivative.
    """

    name: str
    issue: str
    what: str
    label: str
    f: Callable[..., Any]
    f_vjp: Vjp
    right_vjp: Vjp
    inputs: Callable[[np.random.Generator], tuple[Any, ...]]
    order: int = 1
