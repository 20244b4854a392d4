"""The cross-entropy of softmax with class indices as one op: the last step of a classifier."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._errors import ShapeError
from ..._fused import fused
from ..index import take_along_axis
from ..normalise import log_softmax
from ..shape import expand_dims


def _composite(labels: Any, *operands: Any) -> Any:
    _check(labels, operands[0])
    return -take_along_axis(log_softmax(operands[0]), expand_dims(labels, -1), -1)[:, 0]


@fused(_composite, public=1)
def softmax_cross_entropy(labels: Any, /, *operands: Any) -> Any:
    """Minus the logarithm of the softmax of ``logits`` (N, C) at ``labels`` (N,), for each row.

    The labels must lie in [0, C); who calls it checks that.
    """
    (logits,) = operands
    _check(labels, logits)
    shifted = logits - np.maximum.reduce(logits, axis=1, keepdims=True)
    picked = shifted[np.arange(len(labels)), labels]
    e = np.exp(shifted, out=shifted)
    total = np.add.reduce(e, axis=1)
    e /= total[:, None]
    return np.log(total) - picked, e


@softmax_cross_entropy.pull
def _(g: Any, labels: Any, operands: Any, y: Any, wanted: Any) -> Any:
    share = y[1] * g[0][:, None]
    share[np.arange(len(labels)), labels] -= g[0]
    return [share]


def _check(labels: Any, logits: Any) -> None:
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ShapeError(
            f"softmax_cross_entropy: labels {labels.shape} and logits {logits.shape}; one label for each row is needed"
        )
