"""The UCI optical digits: 1,797 real handwritten digits of 8x8 pixels, small enough to ship.

They are the test part (13 writers) of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
C. Kaynak (1998), UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, licensed under
CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/). The numbers are unchanged; only the file
format is ours (``tools/make_digits.py`` makes it from scikit-learn's copy).
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray


def load_digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Load the UCI optical digits.

    A digit was scanned as a bitmap of 32x32 black or white pixels; each of the 8x8 numbers counts the
    black pixels in one block of 4x4. The order is that of the original file. It does not say who wrote a
    digit, so a held-out part measures new digits of known writers, not new writers.

    Returns:
        ``images``, uint8 of shape (1797, 8, 8) with values from 0 (paper) to 16 (ink), and ``labels``,
        int64 of shape (1797,) with values from 0 to 9. Both are fresh arrays, yours to change.

    Example:
        >>> images, labels = load_digits()
        >>> images.shape, images.max(), labels[:5]
        ((1797, 8, 8), np.uint8(16), array([0, 1, 2, 3, 4]))

    Source:
        E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
        Repository, 1998. Licence: CC BY 4.0.
    """
    with files("tensorgrad.data").joinpath("digits.npz").open("rb") as file, np.load(file) as archive:
        return archive["images"], archive["labels"].astype(np.int64)
