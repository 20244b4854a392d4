"""What all pictures share: safe text, text widths, colours for light and dark, SVG elements.

Pictures are built as ElementTree elements, so that text is escaped in one place, and hold no link
to anything outside themselves.
"""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad._tensor import Tensor
from tensorgrad.viz.svgfile import SVG

FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"

# Name: (on light paper, on dark paper). Text has a contrast of at least 4.5 on its ground, lines 3.
COLOURS = {
    "paper": ("#ffffff", "#14171c"),
    "ink": ("#1a1f26", "#e8ebf0"),
    "faint": ("#5b6470", "#9ba6b4"),
    "grid": ("#e4e7ec", "#2a303a"),
    "ground": ("#f8f9fb", "#191d24"),  # of a module
    "frame": ("#d3d8df", "#39414d"),
    "line": ("#8a94a1", "#6f7b8a"),
    "blue-fill": ("#e3efff", "#16304f"),
    "blue": ("#2f6fc4", "#6aa9f4"),
    "orange-fill": ("#ffedd9", "#47290c"),
    "orange": ("#c05f0c", "#f0a050"),
    "green-fill": ("#e0f5e8", "#123a26"),
    "green": ("#1f8350", "#57c48d"),
    "grey-fill": ("#f1f3f6", "#232931"),
    "grey": ("#7c8692", "#8793a2"),
    "violet-fill": ("#f1e8fd", "#33214f"),
    "violet": ("#7d4cc2", "#b794f0"),
    "red-fill": ("#fde8ec", "#4a1b28"),
    "red": ("#c02f4d", "#fb7d96"),
    "teal": ("#0f7f8c", "#4cc3cf"),
    # Grounds for text in ink, from cold to hot, a step for each factor ten.
    "heat-0": ("#7db3f2", "#1f66bd"),
    "heat-1": ("#a9cdf7", "#1c4a85"),
    "heat-2": ("#d3e5fb", "#1a3355"),
    "heat-3": ("#eceff3", "#232931"),
    "heat-4": ("#ffe3c4", "#4a2a12"),
    "heat-5": ("#ffbd8a", "#7d3610"),
    "heat-6": ("#ff8f6b", "#b03a1c"),
}

_WIDTHS = {
    0.222: "ijl'",
    0.28: " !,./:;I[]\\ft|",
    0.34: '()-`r"{}',
    0.39: "*",
    0.5: "Jcksvxyz^",
    0.584: "+<=>~",
    0.61: "FTZ",
    0.667: "ABEKPSVXY&",
    0.722: "CDHNRUw",
    0.778: "GOQ",
    0.833: "Mm",
    0.944: "W%",
    1.015: "@",
}
_WIDTH_OF = {char: width for width, chars in _WIDTHS.items() for char in chars}
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff]"
)


def clean(text: str) -> str:
    r"""Make a text safe to show: control, formatting and unpaired surrogate characters become visible.

    Example:
        >>> clean("a\x00b\u202ec")
        'a␀b�c'
    """
    return _UNSAFE.sub(lambda found: chr(0x2400 + ord(found[0])) if found[0] < " " else "\ufffd", text)


def shorten(text: str, most: int) -> str:
    """Cut a text to at most `most` characters, with an ellipsis where something is missing.

    Example:
        >>> shorten("transposed", 6)
        'trans…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is in pixels, from a table of the Helvetica and Arial widths.

    Example:
        >>> round(text_width("matmul", 13))
        43
    """
    return sum(map(_char_width, text)) * size * (1.09 if bold else 1.02)


def _char_width(char: str) -> float:
    if char.isascii():
        return _WIDTH_OF.get(char, 0.556)
    if unicodedata.combining(char):
        return 0.0
    return 1.25 if unicodedata.east_asian_width(char) in "WF" else 0.75


def number(value: float) -> str:
    """A coordinate as short text, to a hundredth of a pixel.

    Example:
        >>> number(12.5), number(3.0), number(-0.001)
        ('12.5', '3', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def css(rules: Iterable[tuple[str, str]]) -> str:
    """Rules for light paper, and the same again for dark.

    Args:
        rules: pairs (selector, declarations); ``$name`` in a declaration is a colour of `COLOURS`,
            and a declaration without one is written only once.

    Example:
        >>> print(css([(".tg text", "fill:$ink;stroke:none")]))
        .tg text{fill:#1a1f26;stroke:none}
        @media (prefers-color-scheme:dark){
        .tg text{fill:#e8ebf0}
        }
    """
    light, dark = [], []
    for selector, declarations in rules:
        light.append(f"{selector}{{{_coloured(declarations, 0)}}}")
        changing = ";".join(one for one in declarations.split(";") if "$" in one)
        if changing:
            dark.append(f"{selector}{{{_coloured(changing, 1)}}}")
    return "\n".join([*light, "@media (prefers-color-scheme:dark){", *dark, "}"])


def _coloured(declarations: str, paper: int) -> str:
    return re.sub(r"\$([a-z]+(?:-[a-z0-9]+)?)", lambda found: COLOURS[found[1]][paper], declarations)


def picture(
    width: float, height: float, title: str, description: str, rules: Iterable[tuple[str, str]]
) -> ET.Element:
    """An empty picture: its size, its title and description for screen readers, its style, its paper."""
    size = {"width": number(width), "height": number(height)}
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            **size,
            "viewBox": f"0 0 {size['width']} {size['height']}",
            "role": "img",
            "class": "tg",
            "style": "max-width:100%;height:auto",
        },
    )
    add(root, "title", title)
    add(root, "desc", description)
    base = [
        (".tg text", f"font-family:{FONT};fill:$ink"),
        (".tg .paper", "fill:$paper"),
        (".tg .faint", "fill:$faint"),
    ]
    add(root, "style", *css([*base, *rules]).split("\n"))
    add(root, "rect", class_="paper", **size)
    return root


def add(parent: ET.Element, tag: str, *lines: str, **attributes: str | float) -> ET.Element:
    """Append an element with safe lines of text; ``class_`` and ``font_size`` give those attributes."""
    plain = {
        name.rstrip("_").replace("_", "-"): clean(value) if isinstance(value, str) else number(value)
        for name, value in attributes.items()
    }
    element = ET.SubElement(parent, tag, plain)
    element.text = "\n".join(map(clean, lines)) or None
    return element


def written(root: ET.Element) -> SVG:
    """The picture as text."""
    ET.indent(root, " ")
    return SVG(ET.tostring(root, encoding="unicode") + "\n")


def as_array(value: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """A tensor's numbers, or a list's."""
    return value.numpy() if isinstance(value, Tensor) else np.asarray(value)
