"""Images side by side in one picture: misclassified ones with what was read, or the filters of a layer."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad._errors import ShapeError
from tensorgrad.viz._draw import add, as_array, clean, picture, shorten, text_width, written
from tensorgrad.viz.images import png
from tensorgrad.viz.svgfile import SVG

Array = np.ndarray[Any, np.dtype[Any]]

MARGIN = 20.0
GAP = 10.0
SIDE = 76.0  # of an image in pixels
SMALL = 10.5
LINES = 2  # of a caption, at most

_RULES = [
    (".tg .title", "font-size:16px;font-weight:600"),
    (".tg .note", "font-size:12px;fill:$faint"),
    (".tg .caption", f"font-size:{SMALL}px;text-anchor:middle"),
    (".tg .frame", "fill:none;stroke:$grid;stroke-width:1"),
]


def image_sheet(
    images: Any,
    captions: Sequence[str] | None = None,
    *,
    columns: int = 8,
    title: str = "",
    note: str = "",
    low: float | None = None,
    high: float | None = None,
    side: float = SIDE,
) -> SVG:
    r"""Show small images side by side, each pixel a crisp square.

    Args:
        images: of shape (N, H, W) or (N, 1, H, W) for grey, (N, 3, H, W) for red, green and blue.
        captions: the text under each; a ``"\n"`` in one begins its second line.
        columns: how many stand side by side.
        title: a heading.
        note: a line under it.
        low: the value shown as black; by default the least of all images.
        high: the value shown as white; by default the greatest.
        side: the width of an image in pixels.

    Returns:
        The picture, for light and dark.

    Raises:
        ShapeError: the images have another shape, or there are not as many captions.
        ValueError: `columns` is less than 1, or a value is NaN or infinite.

    Example:
        >>> picture = image_sheet(np.eye(8)[None], ["an eye"])
        >>> picture.count("<image"), "an eye" in picture
        (1, True)
    """
    stack = _stack("image_sheet", images)
    if captions is not None and len(captions) != len(stack):
        raise ShapeError(f"image_sheet: there are {len(stack)} images and {len(captions)} captions")
    if columns < 1:
        raise ValueError(f"image_sheet: columns is {columns}; give at least 1")
    black = float(stack.min(initial=np.inf)) if low is None else low
    white = float(stack.max(initial=-np.inf)) if high is None else high
    return _laid(_bytes(stack, black, white), captions, columns, title, note, side)


def filter_sheet(
    weight: Any, *, columns: int | None = None, title: str = "", note: str = "", side: float = SIDE
) -> SVG:
    """Show the filters of a convolution: zero is mid-grey, the strongest weight black or white.

    Args:
        weight: of shape (filters, inputs, H, W). Filters of one input are grey, of three in colour; of
            other numbers each input stands by itself, a row for each filter.
        columns: how many stand side by side; by default 8, or the number of inputs.
        title: a heading.
        note: a line under it.
        side: the width of a filter in pixels.

    Returns:
        The picture, for light and dark.

    Raises:
        ShapeError: the weight has another shape.
        ValueError: a weight is NaN or infinite.

    Example:
        >>> filter_sheet(np.ones((32, 1, 3, 3))).count("<image")
        32
    """
    values = as_array(weight)
    if values.ndim != 4 or not values.size:
        raise ShapeError(
            f"filter_sheet: weight has shape {values.shape}; make it (filters, inputs, height, width)"
        )
    filters, inputs, *window = values.shape
    if inputs not in (1, 3):
        columns = columns or inputs
        values = values.reshape(filters * inputs, 1, *window)
    stack = _stack("filter_sheet", values)
    strongest = float(np.abs(stack).max()) or 1.0
    return _laid(_bytes(stack, -strongest, strongest), None, columns or 8, title, note, side)


def _stack(what: str, images: Any) -> Array:
    """Images of shape (N, H, W, 1 or 3)."""
    stack = as_array(images)
    stack = stack[:, None] if stack.ndim == 3 else stack
    if stack.ndim != 4 or stack.shape[1] not in (1, 3) or 0 in stack.shape[2:]:
        raise ShapeError(
            f"{what}: images have shape {np.shape(images)}; give (N, H, W), (N, 1, H, W) or (N, 3, H, W)"
        )
    if not np.isfinite(stack).all():
        raise ValueError(f"{what}: an image has NaN or infinite values")
    return np.moveaxis(stack, 1, -1).astype(np.float64)


def _bytes(stack: Array, black: float, white: float) -> Array:
    span = (white - black) or 1.0
    made: Array = np.rint(255 * np.clip((stack - black) / span, 0, 1)).astype(np.uint8)
    return made


def _laid(
    images: Array, captions: Sequence[str] | None, columns: int, title: str, note: str, side: float
) -> SVG:
    lines = [_lines(caption, side) for caption in captions] if captions is not None else []
    tall = side * images.shape[1] / images.shape[2]
    below = 14.0 * max(map(len, lines), default=0) + (4 if lines else 0)
    heading, under = shorten(clean(title), 90), shorten(clean(note), 120)
    top = MARGIN + (26 if title else 0) + (20 if note else 0)
    columns = min(columns, max(len(images), 1))
    rows = -(-len(images) // columns)
    width = max(
        2 * MARGIN + columns * (side + GAP) - GAP,
        2 * MARGIN + text_width(heading, 16, bold=True),
        2 * MARGIN + text_width(under, 12),
    )
    height = top + rows * (tall + below + GAP) - GAP + MARGIN
    root = picture(width, max(height, top + MARGIN), title or "images", f"{len(images)} images.", _RULES)
    if title:
        add(root, "text", heading, class_="title", x=MARGIN, y=MARGIN + 14)
    if note:
        add(root, "text", under, class_="note", x=MARGIN, y=top - 8)
    for index, image in enumerate(images):
        x, y = MARGIN + index % columns * (side + GAP), top + index // columns * (tall + below + GAP)
        data = "data:image/png;base64," + base64.b64encode(png(_enlarged(image, side))).decode()
        place = {"x": x, "y": y, "width": side, "height": tall}
        shown = add(root, "image", href=data, preserveAspectRatio="none", **place)
        add(root, "rect", class_="frame", **place)
        if lines:
            add(shown, "title", str(captions[index]) if captions else "")
            for line, text in enumerate(lines[index]):
                add(root, "text", text, class_="caption", x=x + side / 2, y=y + tall + 13 + 14 * line)
    return written(root)


def _enlarged(image: Array, side: float) -> Array:
    """So many pixels for each one that a viewer's smoothing is not seen."""
    times = max(1, -(-int(2 * side) // image.shape[1]))
    return image.repeat(times, 0).repeat(times, 1)


def _lines(caption: str, side: float) -> list[str]:
    """A caption as lines that are no wider than its image with the gap."""
    found = []
    for line in str(caption).split("\n")[:LINES]:
        text = clean(line)
        while len(text) > 1 and text_width(text, SMALL) > side + GAP - 3:
            text = shorten(text, len(text) - 1) if not text.endswith("…") else text[:-2] + "…"
        found.append(text)
    return found
