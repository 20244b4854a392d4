"""IDX files, the format of the MNIST family: two zero bytes, a type, the sizes, and the numbers, big-endian."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from .._errors import FileFormatError

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP = b"\x1f\x8b"


def read_idx(path: str | os.PathLike[str], checksum: str | None = None) -> NDArray[Any]:
    """Read an array from an IDX file, compressed by gzip or not.

    Args:
        path: the file.
        checksum: the SHA-256 of the uncompressed content in hexadecimal digits, to be compared. An archive
            may be compressed anew; its content stays.

    Returns:
        An array of the dtype and shape that the file states, yours to change.

    Raises:
        FileFormatError: the file is of another format, cut short, too long, damaged or another one than meant.

    Source:
        Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten digits, "File formats".
    """
    path = Path(path)
    try:
        with open_payload(path) as file:
            start = file.read(4)
            if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
                raise FileFormatError(
                    f"{path}: starts with {start!r}; an IDX file has two zero bytes and a known type"
                )
            dtype, sizes = np.dtype(TYPES[start[2]]), file.read(4 * start[3])
            if len(sizes) < 4 * start[3]:
                raise FileFormatError(f"{path}: ends within the sizes of its {start[3]} axes")
            shape = tuple(np.frombuffer(sizes, ">u4").tolist())
            wanted = math.prod(shape) * dtype.itemsize
            content = file.read(wanted + 1)  # at the end gzip compares its own checksum
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{path}: the compressed data is cut short or damaged: {error}") from None
    if len(content) < wanted:
        raise FileFormatError(
            f"{path}: cut short: {len(content)} bytes for shape {shape} of {dtype.name}, which has {wanted}"
        )
    if len(content) > wanted:
        raise FileFormatError(
            f"{path}: goes on after shape {shape} of {dtype.name}, which has {wanted} bytes"
        )
    if checksum is not None:
        found = sha256(start + sizes + content).hexdigest()
        if found != checksum:
            raise FileFormatError(
                f"{path}: the content has SHA-256 {found}, not {checksum}; it is another file than meant"
            )
    return np.frombuffer(content, dtype).astype(dtype.newbyteorder("=")).reshape(shape)


def open_payload(path: Path) -> IO[bytes]:
    """Open a file for reading its content, uncompressed if it is compressed by gzip, whatever its name is."""
    with path.open("rb") as file:
        compressed = file.read(2) == GZIP
    return cast("IO[bytes]", gzip.open(path)) if compressed else path.open("rb")
