"""An op of our own, its derivative checked, and what the checker says when the derivative is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorgrad as tg


@tg.elementwise
def swish(x: Any, /) -> Any:
    """``x`` times the logistic function of ``x``: a smooth relu."""
    return x / (1 + np.exp(-x))


swish.derivative(x=lambda x, y: y + (1 - y) * tg.sigmoid(x))


@tg.elementwise
def wrong_swish(x: Any, /) -> Any:
    """The same function, with a slip in its derivative."""
    return x / (1 + np.exp(-x))


wrong_swish.derivative(x=lambda x, y: y - (1 - y) * tg.sigmoid(x))  # the sign is wrong


def check(op: Any) -> str:
    """What the checker says of an op: the empty string if its derivative holds.

    The checker compares the derivative, at each entry, with the difference quotient of the op itself.
    """
    x = np.linspace(-3.0, 3.0, 7)
    try:
        tg.testing.gradcheck(op, [x])
    except tg.GradcheckError as error:
        return str(error)
    return ""
