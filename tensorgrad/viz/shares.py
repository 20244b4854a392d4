"""Shares of a whole as bars: to the right what adds to it, to the left what pulls against it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tensorgrad.viz._draw import add, clean, picture, shorten, text_width, written
from tensorgrad.viz.svgfile import SVG

MARGIN = 20.0
ROW = 24.0
THICK = 14.0
LENGTH = 320.0  # of all bars, from the least share to the greatest
SMALL = 11.5
GAP = 10.0
LONGEST = 46

_RULES = [
    (".tg .title", "font-size:15px;font-weight:600"),
    (".tg .label", f"font-size:{SMALL}px;text-anchor:end"),
    (".tg .said", f"font-size:{SMALL}px"),
    (".tg .note", "font-size:11px;fill:$faint"),
    (".tg .zero", "stroke:$line;stroke-width:1"),
    (".tg .along", "fill:$blue"),
    (".tg .against", "fill:$orange"),
    (".tg .rest", "fill:$grey"),
    (".tg .rest-label", "fill:$faint"),
]


@dataclass(frozen=True, slots=True)
class Bar:
    """One share.

    Args:
        label: what it is a share of.
        share: 1 is the whole; negative for what pulls against it; NaN if there is no whole.
        said: text behind the share.
        note: shown when the mouse is on it.
        rest: whether it is what belongs to nothing else.
    """

    label: str
    share: float
    said: str = ""
    note: str = ""
    rest: bool = False


def share_chart(bars: Sequence[Bar], *, title: str = "", note: str = "") -> SVG:
    """Draw shares of one whole as bars, one under the other.

    Args:
        bars: from top to bottom.
        title: a heading.
        note: a line below.

    Returns:
        The text of an SVG file, for light and dark.

    Example:
        >>> picture = share_chart([Bar("data", 1.2), Bar("penalty", -0.2)], title="by term")
        >>> picture.count('class="along"'), picture.count('class="against"')
        (1, 1)
    """
    labels = [shorten(clean(bar.label), LONGEST) for bar in bars]
    shares = [bar.share if math.isfinite(bar.share) else 0.0 for bar in bars]
    texts = [_said(bar) for bar in bars]
    low, high = min([0.0, *shares]), max([0.0, *shares])
    scale = LENGTH / ((high - low) or 1.0)
    wide = max([text_width(label, SMALL) for label in labels], default=0.0)
    left = MARGIN + wide + GAP
    zero = left - low * scale
    heading = shorten(clean(title), 90)
    after = max([text_width(text, SMALL) for text in texts], default=0.0)
    below = shorten(clean(note), 110)
    width = max(
        left + LENGTH + GAP + after + MARGIN,
        2 * MARGIN + text_width(heading, 15, bold=True),
        2 * MARGIN + text_width(below, 11),
    )
    top = MARGIN + (28 if heading else 0)
    height = top + ROW * len(bars) + (24 if below else 0) + MARGIN / 2
    words = "; ".join(f"{label} {text}" for label, text in zip(labels, texts, strict=True))
    root = picture(width, height, heading or "Shares of the whole", words, _RULES)
    if heading:
        add(root, "text", heading, class_="title", x=MARGIN, y=MARGIN + 12)
    for i, (bar, label, share, text) in enumerate(zip(bars, labels, shares, texts, strict=True)):
        y = top + i * ROW
        middle = y + ROW / 2 + 4
        group = add(root, "g")
        add(group, "title", f"{bar.label}: {text}{' · ' + bar.note if bar.note else ''}")
        add(group, "text", label, class_="label rest-label" if bar.rest else "label", x=left - GAP, y=middle)
        kind = "rest" if bar.rest else "along" if share >= 0 else "against"
        long = max(abs(share) * scale, 0.8)
        start = zero if share >= 0 else zero - long
        add(group, "rect", class_=kind, x=start, y=y + (ROW - THICK) / 2, width=long, height=THICK, rx=2.0)
        add(group, "text", text, class_="said", x=left + LENGTH + GAP, y=middle)
    add(root, "line", class_="zero", x1=zero, x2=zero, y1=top, y2=top + ROW * len(bars))
    if below:
        add(root, "text", below, class_="note", x=MARGIN, y=top + ROW * len(bars) + 18)
    return written(root)


def _said(bar: Bar) -> str:
    share = f"{100 * bar.share:.1f} %" if math.isfinite(bar.share) else "–"
    return share.replace("-", "−") + (f"  ·  {bar.said}" if bar.said else "")
