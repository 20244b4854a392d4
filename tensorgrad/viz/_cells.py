"""Widths of text in a terminal: how many cells it takes, and how to cut it to fit."""

from __future__ import annotations

import re
import unicodedata

from tensorgrad.viz._draw import clean

_NO_SIGN = re.compile("[\ufe00-\ufe0f\U000e0000-\U000e0fff\u00ad\u180e\u115f\u1160\u3164\uffa0]")
"""What is not seen, and what changes how wide its neighbour is drawn: variation selectors, tags, fillers."""

_PLAIN = re.compile(r"[ -~]*")
_WORDS = {"…": "~", "×": "x", "µ": "u", "−": "-"}


def sign(char: str) -> int:
    """How many cells a character takes: 2 for those of East Asia and most emoji, 0 for what stands on others.

    Example:
        >>> sign("a"), sign("中"), sign("\u0301")
        (1, 2, 0)

    Source:
        The Unicode Consortium, "Unicode Standard Annex #11: East Asian Width".
    """
    if unicodedata.category(char) in {"Mn", "Me", "Cf"} or "\u1160" <= char <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cells(text: str) -> int:
    """How many cells a text takes.

    Example:
        >>> cells("abc"), cells("中文")
        (3, 4)
    """
    return len(text) if text.isascii() else sum(map(sign, text))


def fitted(text: str, width: int, *, start: bool = False) -> str:
    """A text cut to so many cells, with a sign where something is missing.

    Args:
        text: of one line.
        width: the most cells it may take.
        start: whether its start is cut off, and not its end.

    Example:
        >>> fitted("softmax_cross_entropy", 10), fitted("network/layers.py:31", 12, start=True)
        ('softmax_c…', '…ayers.py:31')
    """
    if len(text) <= width and cells(text) <= width:
        return text
    if width < 1:
        return ""
    kept, room = "", width - 1
    for char in reversed(text) if start else text:
        room -= sign(char)
        if room < 0:
            break
        kept = char + kept if start else kept + char
    return "…" + kept if start else kept + "…"


def padded(text: str, width: int, *, right: bool = False) -> str:
    """A text with spaces, so that it takes so many cells.

    Example:
        >>> padded("中", 4) + "|", padded("12", 4, right=True) + "|"
        ('中  |', '  12|')
    """
    space = " " * (width - cells(text))
    return space + text if right else text + space


def one_line(text: str) -> str:
    r"""Somebody's text as part of a line: nothing in it moves the cursor, and all of it is seen.

    Example:
        >>> one_line("a\nb\x1b[1m\u202e")
        'a␊b␛[1m�'
    """
    if _PLAIN.fullmatch(text):
        return text
    found = _NO_SIGN.sub("\ufffd", clean(text))
    # Other spaces, what no font has, and what the width of is not known.
    return "".join([char if char.isprintable() else " " if char.isspace() else "\ufffd" for char in found])


def in_ascii(text: str) -> str:
    r"""A text in ASCII, what is not as its number.

    Example:
        >>> in_ascii("12.3 µs, é")
        '12.3 us, \\xe9'
    """
    if text.isascii():
        return text
    for char, word in _WORDS.items():
        text = text.replace(char, word)
    return text.encode("ascii", "backslashreplace").decode()
