"""Pictures as arrays: PGM and PPM by ourselves, all other formats by Pillow (extra ``images``)."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._errors import FileFormatError, ShapeError
from .transforms import resize
from .transforms._arrays import Size

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
GREY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
# Magic, then width, height and maximum, between which comments may stand, then one white space.
PNM = re.compile(rb"P([56])" + rb"(?:\s|#[^\n]*\n)+(\d+)" * 3 + rb"\s")


class LabelledImages(NamedTuple):
    """Images, their labels, which count in ``classes``, and the names of the classes."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


def load_image(
    path: str | os.PathLike[str], size: Size | None = None, *, grey: bool = False
) -> NDArray[np.uint8]:
    """Load a picture, such as a photo of one's own to try a model on.

    Args:
        path: the file. Formats other than PGM and PPM need Pillow.
        size: of the result: a side, or height and width; by default its own.
        grey: one grey value a pixel; by default colours.

    Returns:
        Bytes of shape (H, W) if grey, else (3, H, W). Fashion-MNIST has light things on black: a photo of
        something dark on white is turned round by ``255 - image``.

    Raises:
        FileFormatError: the file is no picture, or is damaged.
        ImportError: the format needs Pillow, which is not installed.
    """
    return _decoded(Path(path), size, grey)


def load_image_folder(
    path: str | os.PathLike[str], size: Size | None = None, *, grey: bool = False, inside: str = ""
) -> LabelledImages:
    """Load pictures that lie in one folder for each class, whose names are those of the folders.

    Args:
        path: the folder with these folders in it, or a ZIP file.
        size: to which all pictures are brought; by default they must have one size.
        grey: one grey value a pixel; by default colours.
        inside: a folder in there to look in, such as ``images/train``.

    Returns:
        Images of shape (N, H, W) if grey, else (N, 3, H, W), in the order of classes and of file names.
        Names of classes that are numbers count as numbers.

    Raises:
        FileFormatError: there are no pictures, a file is none, or they have different sizes.
    """
    root: Any = Path(path)
    if zipfile.is_zipfile(path):
        root = zipfile.Path(path)
    for name in filter(None, inside.split("/")):
        root /= name
    folders = [entry for entry in root.iterdir() if entry.is_dir()] if root.is_dir() else []
    folders.sort(key=lambda folder: folder.name.zfill(20) if folder.name.isdigit() else folder.name)
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for label, folder in enumerate(folders):
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if file.name.lower().endswith(ENDINGS):
                image = _decoded(file, size, grey)
                if images and image.shape != images[0].shape:
                    raise FileFormatError(
                        f"{file}: {image.shape}, but the first picture has {images[0].shape}; give size="
                    )
                images.append(image)
                labels.append(label)
    if not images:
        raise FileFormatError(f"{root}: no pictures in folders of their classes")
    return LabelledImages(np.stack(images), np.array(labels), tuple(folder.name for folder in folders))


def _decoded(file: Any, size: Size | None, grey: bool) -> NDArray[np.uint8]:
    content = file.read_bytes()
    pixels = _portable(content, file) if content[:2] in (b"P5", b"P6") else _by_pillow(content, file)
    if grey and pixels.shape[2] == 3:
        made = np.rint(pixels @ GREY).astype(np.uint8)
    else:
        made = pixels[:, :, 0] if grey else np.broadcast_to(pixels, (*pixels.shape[:2], 3)).transpose(2, 0, 1)
    if not made.size:
        raise ShapeError(f"{file}: the picture has no pixels")
    return np.ascontiguousarray(made if size is None else resize(made, size))


def _portable(content: bytes, file: Any) -> NDArray[np.uint8]:
    """The pixels of a PGM or PPM file, (H, W, 1) or (H, W, 3)."""
    header = PNM.match(content)
    if not header:
        raise FileFormatError(f"{file}: the header of a PGM or PPM file is damaged")
    kind, width, height, most = map(int, header.groups())
    channels = 1 if kind == 5 else 3
    pixels = np.frombuffer(content, np.uint8, offset=header.end())
    if most != 255 or len(pixels) != width * height * channels:
        raise FileFormatError(
            f"{file}: {len(pixels)} bytes for {width}x{height} pixels of {channels} with maximum {most}; "
            "a byte for each, with maximum 255, is needed"
        )
    return pixels.reshape(height, width, channels)


def _by_pillow(content: bytes, file: Any) -> NDArray[np.uint8]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ImportError(
            f"{file}: this format needs Pillow: pip install tensorgrad[images]; PGM and PPM files do not"
        ) from None
    try:
        with Image.open(io.BytesIO(content)) as picture:
            upright = ImageOps.exif_transpose(picture)  # a phone writes down how it was held
            return np.asarray(upright.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise FileFormatError(f"{file}: no picture, or damaged: {error}") from None
