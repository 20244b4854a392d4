"""MNIST, and Fashion-MNIST in the same format: 28x28 bytes, ten classes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._errors import DataError
from .idx import read_idx
from .places import find_folder

Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]
FOUR = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
# SHA-256 of the four files uncompressed. The pixels of the first have mean 72.94035 and deviation 90.02118.
FASHION_CONTENT = {
    FOUR[0]: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    FOUR[1]: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    FOUR[2]: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    FOUR[3]: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


class ImageSets(NamedTuple):
    """Images and labels for training and for testing, and the names of the classes.

    ``train`` and ``test`` are pairs: images, uint8, and labels, int64, which count in ``classes``.
    """

    train: Labelled
    test: Labelled
    classes: tuple[str, ...]


def load_mnist(folder: str | os.PathLike[str] | None = None, *, download: bool = False) -> ImageSets:
    """Load MNIST, or another set of its family, from its four files.

    Args:
        folder: where the files are, compressed or not. By default the folder ``mnist`` of
            `tensorgrad.data.data_folder`.
        download: fetch what is missing there first.

    Returns:
        Images of shape (N, 28, 28), and their digits.

    Raises:
        FileNotFoundError: a file is missing; the message says how to fetch it.
        DataError: a file is damaged, or images and labels do not go together.

    Source:
        Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-based learning applied to document recognition, 1998.
    """
    return _load("load_mnist", "mnist", folder, download, {}, tuple("0123456789"))


def load_fashion_mnist(
    folder: str | os.PathLike[str] | None = None, *, download: bool = False, verify: bool = True
) -> ImageSets:
    """Load Fashion-MNIST: 60,000 and 10,000 pictures of clothes from its four files.

    Args:
        folder: where the files are, compressed or not. By default the folder ``fashion-mnist`` of
            `tensorgrad.data.data_folder`.
        download: fetch what is missing there first.
        verify: compare the uncompressed content with its SHA-256; False for a set of one's own.

    Returns:
        Images of shape (N, 28, 28) with 0 for background, and their classes.

    Raises:
        FileNotFoundError: a file is missing; the message says how to fetch it.
        DataError: a file is damaged or another one, or images and labels do not go together.

    Source:
        H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, 2017. MIT licence, Zalando SE.
    """
    checksums = FASHION_CONTENT if verify else {}
    return _load("load_fashion_mnist", "fashion-mnist", folder, download, checksums, FASHION_CLASSES)


def _load(
    what: str,
    name: str,
    folder: str | os.PathLike[str] | None,
    download: bool,
    checksums: dict[str, str],
    classes: tuple[str, ...],
) -> ImageSets:
    place = find_folder(what, name, folder, [_spellings(file) for file in FOUR], download)
    arrays = [read_idx(_file(what, place, file), checksums.get(file)) for file in FOUR]
    parts = []
    for images, labels in (arrays[:2], arrays[2:]):
        if (images.ndim, labels.ndim) != (3, 1) or len(images) != len(labels) or images.dtype != np.uint8:
            raise DataError(
                f"{what}: images of shape {images.shape} of {images.dtype} and labels of shape {labels.shape} in {place}; "
                "(N, H, W) of uint8 and (N,) are needed"
            )
        if labels.size and not 0 <= labels.min() <= labels.max() < len(classes):
            raise DataError(
                f"{what}: a label is {labels.max()} in {place}; they go from 0 to {len(classes) - 1}"
            )
        parts.append((images, labels.astype(np.int64)))
    return ImageSets(parts[0], parts[1], classes)


def _spellings(file: str) -> tuple[str, ...]:
    """What the file is called: compressed, not compressed, and as some unpack it."""
    return f"{file}.gz", file, file.replace("-idx", ".idx")


def _file(what: str, place: Path, file: str) -> Path:
    for spelling in _spellings(file):
        if (place / spelling).exists():
            return place / spelling
    raise FileNotFoundError(f"{what}: no {file}.gz in {place}")
