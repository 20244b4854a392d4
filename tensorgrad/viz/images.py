"""Small images as a page: a grid of crisp pictures with a caption under each."""

from __future__ import annotations

import base64
import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad._errors import ShapeError
from tensorgrad.viz._draw import FONT, clean, css

Array = np.ndarray[Any, np.dtype[Any]]

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_RULES = [
    ("body", f"margin:0;padding:24px;font:14px/1.4 {FONT};color:$ink;background:$paper"),
    ("h1", "font-size:20px;margin:0 0 4px"),
    ("p", "margin:0 0 20px;color:$faint"),
    (".grid", "display:grid;gap:18px 14px"),
    ("figure", "margin:0;min-width:0"),
    ("img", "display:block;width:100%;height:auto;image-rendering:pixelated"),
    ("img", "border-radius:4px;outline:1px solid $grid;background:$grey-fill"),
    ("figcaption", "margin-top:5px;font-size:13px;text-align:center;overflow-wrap:anywhere"),
]


def image_grid(
    images: Any,
    captions: Sequence[str],
    *,
    columns: int = 8,
    title: str = "",
    note: str = "",
    low: float | None = None,
    high: float | None = None,
) -> str:
    """Show small greyscale images on one HTML page, each pixel a crisp square.

    Args:
        images: images of shape (H, W), all in one array of shape (N, H, W) or in a sequence. The
            lowest value is black and the highest white; a NaN is transparent.
        captions: the text under each image, as many as there are images.
        columns: how many images stand side by side.
        title: a heading.
        note: a line under the heading.
        low: the value shown as black; the least finite value of all images by default.
        high: the value shown as white; the greatest by default. Less than `low`, it inverts.

    Returns:
        The text of an HTML page that loads nothing from elsewhere, for light and dark.

    Raises:
        ShapeError: an image is not two-dimensional or is empty, or the captions are too few or many.
        ValueError: `columns` is less than 1.

    Example:
        >>> page = image_grid(np.eye(8)[None], ["an eye"], title="Eyes")
        >>> page.startswith("<!DOCTYPE html>"), page.count("<img")
        (True, 1)
    """
    arrays = [np.asarray(image, dtype=np.float64) for image in images]
    for index, array in enumerate(arrays):
        if array.ndim != 2 or not array.size:
            raise ShapeError(f"image_grid: image {index} has shape {array.shape}; make it (height, width)")
    if len(arrays) != len(captions):
        count = f"{len(arrays)} images and {len(captions)} captions"
        raise ShapeError(f"image_grid: there are {count}; give one caption for each image")
    if columns < 1:
        raise ValueError(f"image_grid: columns is {columns}; give at least 1")
    finite = [array[np.isfinite(array)] for array in arrays]
    values = np.concatenate(finite) if any(part.size for part in finite) else np.array([0.0, 1.0])
    black = float(values.min()) if low is None else low
    white = float(values.max()) if high is None else high
    page = ET.Element("html", {"lang": "en"})
    head = ET.SubElement(page, "head")
    ET.SubElement(head, "meta", {"charset": "utf-8"})
    ET.SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    ET.SubElement(head, "meta", {"name": "color-scheme", "content": "light dark"})
    ET.SubElement(head, "title").text = clean(title) or "images"
    ET.SubElement(head, "style").text = css(_RULES)
    body = ET.SubElement(page, "body")
    if title:
        ET.SubElement(body, "h1").text = clean(title)
    if note:
        ET.SubElement(body, "p").text = clean(note)
    layout = f"grid-template-columns:repeat({columns},minmax(0,1fr));max-width:{columns * 126}px"
    grid = ET.SubElement(body, "div", {"class": "grid", "style": layout})
    for array, caption in zip(arrays, captions, strict=True):
        figure = ET.SubElement(grid, "figure")
        data = base64.b64encode(png(_grey(array, black, white))).decode()
        shape = {"width": str(array.shape[1]), "height": str(array.shape[0])}
        ET.SubElement(figure, "img", {"src": f"data:image/png;base64,{data}", "alt": clean(caption), **shape})
        ET.SubElement(figure, "figcaption").text = clean(caption)
    ET.indent(page, " ")
    return "<!DOCTYPE html>\n" + ET.tostring(page, encoding="unicode", method="html") + "\n"


def png(pixels: Array) -> bytes:
    r"""Write an image as a PNG file.

    Args:
        pixels: unsigned bytes of shape (H, W) for grey, or (H, W, C) with C = 1 for grey, 2 for grey
            and alpha, 3 for red, green and blue, 4 for those and alpha.

    Returns:
        The bytes of the file.

    Raises:
        ShapeError: the shape or dtype is another one.

    Example:
        >>> png(np.zeros((2, 2), np.uint8))[:8]
        b'\x89PNG\r\n\x1a\n'

    Source:
        W3C, "Portable Network Graphics (PNG) Specification", third edition, 2025.
    """
    deep = pixels[..., None] if pixels.ndim == 2 else pixels
    if deep.ndim != 3 or deep.shape[2] not in _COLOUR_TYPES or not deep.size or pixels.dtype != np.uint8:
        raise ShapeError(
            f"png: pixels have shape {pixels.shape} and dtype {pixels.dtype}; "
            "give uint8 of shape (height, width) or (height, width, 1 to 4)"
        )
    height, width, channels = deep.shape
    unfiltered = np.zeros((height, 1 + width * channels), np.uint8)
    unfiltered[:, 1:] = deep.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(unfiltered.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _grey(image: Array, black: float, white: float) -> Array:
    """Grey levels as bytes, with an alpha channel where a value is NaN."""
    missing = np.isnan(image)
    within = np.clip(np.where(missing, black, image), min(black, white), max(black, white))
    level = (within - black) / ((white - black) or 1.0)
    grey = np.rint(255 * level).astype(np.uint8)
    if not missing.any():
        return grey
    return np.stack([grey, np.where(missing, 0, 255).astype(np.uint8)], axis=-1)
