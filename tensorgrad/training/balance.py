"""Weights for classes of which there are more and fewer examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._config import get_default_dtype
from .._errors import DtypeError, ShapeError
from .._tensor import Tensor, tensor


def balanced_weights(labels: Any, classes: int | None = None) -> Tensor:
    """A weight for each class so that all classes count the same: ``n / (k * count)``.

    With n examples in k classes, the weights of all examples add up to n. It is what scikit-learn calls
    "balanced".

    Args:
        labels: of the training examples, integers from 0.
        classes: how many there are; one more than the greatest label if None.

    Returns:
        Of shape (classes,) and the default float, for ``nn.CrossEntropyLoss(weight=...)``.

    Raises:
        DtypeError: the labels are no integers.
        ShapeError: there are none, one is out of range, or a class has no example.

    Example:
        >>> balanced_weights([0, 0, 0, 1])
        tensor([0.6666667, 2.       ])

    Source:
        G. King and L. Zeng, "Logistic regression in rare events data", Political Analysis 9 (2001).
    """
    found = np.asarray(labels).ravel()
    if not found.size:
        raise ShapeError("balanced_weights: there are no labels; at least one for each class is needed")
    if found.dtype.kind not in "iu":
        raise DtypeError(f"balanced_weights: labels of dtype {found.dtype}; integers from 0 are needed")
    least, most = int(found.min()), int(found.max())
    count = most + 1 if classes is None else classes
    if least < 0 or most >= count:
        raise ShapeError(
            f"balanced_weights: labels from {least} to {most}; from 0 to {count - 1} is possible"
        )
    counts = np.bincount(found, minlength=count)
    if not counts.all():
        absent = ", ".join(map(str, np.flatnonzero(counts == 0)))
        raise ShapeError(
            f"balanced_weights: no example of class {absent}, for which there is no such weight then"
        )
    return tensor(found.size / (count * counts), dtype=get_default_dtype())
