"""CIFAR-10: 32x32 colour pictures in ten classes, from either form in which it is published.

The "python version" is pickled. Its files are read without running anything that they name: only the steps by which
NumPy's arrays were written are known, and these lead to stand-ins that hold plain bytes.
"""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import DataError
from .mnist import ImageSets, Labelled
from .places import find_folder

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PICTURE = 3 * 32 * 32
# Folders and archives by the way their files are read. The folder itself may have been given, too.
FORMS = {"cifar-10-batches-bin": ".bin", "cifar-10-batches-py": ""}
ARCHIVES = {"cifar-10-binary.tar.gz": "cifar-10-batches-bin", "cifar-10-python.tar.gz": "cifar-10-batches-py"}


def load_cifar10(folder: str | os.PathLike[str] | None = None, *, download: bool = False) -> ImageSets:
    """Load CIFAR-10 from its files, binary or pickled, unpacked or in the archive as published.

    Args:
        folder: where the files, their folder or the archive is. By default the folder ``cifar-10`` of
            `tensorgrad.data.data_folder`.
        download: fetch the archive there first, if it is missing.

    Returns:
        Images of shape (50000, 3, 32, 32) and (10000, 3, 32, 32), and their classes.

    Raises:
        FileNotFoundError: no file of it is there; the message says how to fetch it.
        DataError: a file is damaged, or pickles something else than arrays.

    Source:
        A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """
    files = [f"data_batch_1{ending}" for ending in FORMS.values()]
    place = find_folder("load_cifar10", "cifar-10", folder, [[*ARCHIVES, *FORMS, *files]], download)
    for form, ending in FORMS.items():
        for inside in (place / form, place):
            if (inside / f"data_batch_1{ending}").exists():
                return _load(lambda name, inside=inside: (inside / name).read_bytes(), ending, inside)  # type: ignore[misc]
    for archive, form in ARCHIVES.items():
        if (place / archive).exists():
            content = _members(place / archive)
            return _load(lambda name: content[name], FORMS[form], place / archive)  # noqa: B023
    raise FileNotFoundError(f"load_cifar10: no data_batch_1.bin or data_batch_1 in {place}")


def _load(read: Callable[[str], bytes], ending: str, where: Path) -> ImageSets:
    parse = _binary if ending else _pickled

    def part(name: str) -> Labelled:
        try:
            content = read(name + ending)
        except (KeyError, FileNotFoundError):
            raise FileNotFoundError(
                f"load_cifar10: no {name}{ending} in {where}, where data_batch_1 is"
            ) from None
        images, labels = parse(content, f"{where}: {name}{ending}")
        if labels.size and labels.max() >= len(CLASSES):
            raise DataError(f"{where}: {name}{ending}: a label is {labels.max()}; they go from 0 to 9")
        return images.reshape(-1, 3, 32, 32).copy(), labels.astype(np.int64)

    parts = [part(f"data_batch_{number}") for number in range(1, 6)]
    train = np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])
    return ImageSets(train, part("test_batch"), CLASSES)


def _members(archive: Path) -> dict[str, bytes]:
    """The files of an archive by their names without folders; nothing is written anywhere."""
    try:
        with tarfile.open(archive) as tar:
            found = {}
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                if file is not None:
                    found[Path(member.name).name] = file.read()
            return found
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise DataError(f"{archive}: cut short or damaged: {error}") from None


def _binary(content: bytes, where: str) -> Labelled:
    """Records of a label and a picture."""
    if not content or len(content) % (PICTURE + 1):
        raise DataError(f"{where}: has {len(content)} bytes; records of {PICTURE + 1} are needed")
    records = np.frombuffer(content, np.uint8).reshape(-1, PICTURE + 1)
    return records[:, 1:], records[:, 0].astype(np.int64)


# ---- pickles, without unpickling code


class _Dtype:
    """Stands for a dtype: what it was made of."""

    def __init__(self, name: Any = "", *_: Any) -> None:
        self.name = name

    def __setstate__(self, state: Any) -> None:
        pass


class _Bytes:
    """Stands for an array: the state that it was written with."""

    state: Any = None

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state


KNOWN = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Bytes,
    ("numpy.core.multiarray", "_reconstruct"): _Bytes,
    ("numpy._core.multiarray", "_reconstruct"): _Bytes,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no part of an array")
        return KNOWN[module, name]


def _pickled(content: bytes, where: str) -> Labelled:
    """The dict of a batch: rows of bytes under ``data``, a list under ``labels``."""
    try:
        batch = _Reader(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle may raise anything
        raise DataError(f"{where}: cannot be read as a pickled batch: {error}") from None
    if not isinstance(batch, dict):
        raise DataError(f"{where}: holds a {type(batch).__name__}; a dict is needed")
    images = _array(batch.get(b"data", batch.get("data")), where)
    labels = batch.get(b"labels", batch.get("labels"))
    if not isinstance(labels, list) or not all(type(label) is int and label >= 0 for label in labels):
        raise DataError(f"{where}: labels are no list of whole numbers of 0 or more")
    if images.shape != (len(labels), PICTURE):
        raise DataError(
            f"{where}: data of shape {images.shape} for {len(labels)} labels; ({len(labels)}, {PICTURE}) is needed"
        )
    return images, np.array(labels, np.int64)


def _array(found: Any, where: str) -> NDArray[np.uint8]:
    try:
        _, shape, dtype, by_columns, content = found.state
        rows, columns = map(int, shape)
        if dtype.name in ("u1", b"u1") and not by_columns and len(content) == rows * columns:
            return np.frombuffer(content, np.uint8).reshape(rows, columns)
    except (AttributeError, TypeError, ValueError):
        pass
    raise DataError(f"{where}: data is no array of bytes with rows and columns")
