"""Make tensorgrad/data/digits.npz from the copy of the digits that scikit-learn ships.

Run it from the repository root, with the extra `sklearn` installed. It has been run once; it is kept so
that anybody can see where the file comes from and make the same bytes again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TARGET = Path(__file__).resolve().parents[1] / "tensorgrad" / "data" / "digits.npz"


def main() -> None:
    digits = load_digits()
    images = digits.images.astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    # Block counts are integers in 0..16, so nothing is lost in a byte.
    if not (np.array_equal(images, digits.images) and np.array_equal(labels, digits.target)):
        raise SystemExit("scikit-learn's digits are not integers from 0 to 255 any more; look at them first")
    np.savez_compressed(TARGET, images=images, labels=labels)
    print(f"{TARGET.name}: {len(images)} images, {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
