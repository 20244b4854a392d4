"""What stands above a drawn graph: its title, its size in a line, and what colours and lines mean."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from tensorgrad.viz._details import plain
from tensorgrad.viz._draw import add, clean, number, shorten, text_width
from tensorgrad.viz._heat import DECADES, MARKS, STEPS
from tensorgrad.viz._scene import KINDS, LINKS, OPERATIONS, BoxKind, LinkKind, Scene

MARGIN = 24.0
SMALL = 11.0
CELL = 50.0
LONGEST_TITLE = 120


class Heading:
    """Grows line by line: the element to draw, and how much room it takes so far."""

    def __init__(self, title: str, line: str, width: float) -> None:
        self.element = ET.Element("g")
        self.limit = width
        self.wide = text_width(line, 12)
        self.y = MARGIN
        self.x = MARGIN
        if title:
            text = shorten(clean(title), LONGEST_TITLE)
            add(self.element, "text", text, class_="title", x=MARGIN, y=self.y + 14)
            self.y, self.wide = self.y + 26, max(self.wide, text_width(text, 17, bold=True))
        add(self.element, "text", line, class_="faint", x=MARGIN, y=self.y + 12, font_size=12.0)
        self.y += 28

    def legend(self, shown: Scene, *, heat: bool) -> None:
        """The kinds of box and of line that a drawing has, and the scale of its gradients."""
        for kind in KINDS:
            if any(box.kind == kind for box in shown.boxes):
                self.kind(kind)
        if any(box.folded for box in shown.boxes):
            entry, x = self._entry(24, "several operations", "folded")
            add(entry, "rect", class_="inner", x=x, y=self.y, width=18.0, height=12.0, rx=3.0)
            add(entry, "rect", class_="inner", x=x + 2.5, y=self.y + 2.5, width=13.0, height=7.0, rx=2.0)
        for link in LINKS:
            if any(one.kind == link for one in shown.links):
                self.link(link)
        if heat:
            self.scale(shown)

    def kind(self, kind: BoxKind) -> None:
        entry, x = self._entry(24, KINDS[kind], kind)
        radius = 3.0 if kind in OPERATIONS else 6.0
        add(entry, "rect", class_="box", x=x, y=self.y, width=18.0, height=12.0, rx=radius)

    def link(self, kind: LinkKind) -> None:
        entry, x = self._entry(28, LINKS[kind], kind)
        add(entry, "path", class_="link", d=f"M{number(x)} {number(self.y + 6)}h22")

    def scale(self, shown: Scene) -> None:
        """The colours from vanishing to exploding gradients, and the marks of those without a norm."""
        self.y, self.x = self.y + 26, MARGIN
        usual = "" if shown.usual is None else f", which is {plain(shown.usual, 3)}"
        text = f"norm of the gradient, as a multiple of the median near the result{usual}"
        add(self.element, "text", text, class_="detail", x=self.x, y=self.y + 10)
        self.wide = max(self.wide, text_width(text, SMALL))
        self.y += 18
        for step in range(STEPS):
            power = step - DECADES
            label = ("≤ " if step == 0 else "≥ " if step == STEPS - 1 else "") + plain(10.0**power)
            cell = add(self.element, "g", class_=f"scale heat-{step}")
            add(cell, "rect", class_="box", x=self.x, y=self.y, width=CELL, height=18.0)
            middle_of = self.x + CELL / 2
            add(cell, "text", label, class_="detail", x=middle_of, y=self.y + 13, text_anchor="middle")
            self.x += CELL
        self.x += 18
        self.wide = max(self.wide, self.x - MARGIN)
        self.y += 3
        for mark, text in MARKS.items():
            if any(box.heat == f"heat-{mark}" for box in shown.boxes):
                entry, x = self._entry(24, text, f"heat-{mark}")
                add(entry, "rect", class_="box", x=x, y=self.y, width=18.0, height=12.0, rx=3.0)
        self.y += 3

    @property
    def bottom(self) -> float:
        """Where the drawing may begin."""
        return self.y + 12 + MARGIN

    def _entry(self, indent: float, text: str, name: str) -> tuple[ET.Element, float]:
        """A group with its text, on the next line if this one is full; and where its sign goes."""
        step = indent + text_width(text, SMALL) + 18
        if self.x + step > MARGIN + self.limit and self.x > MARGIN:
            self.x, self.y = MARGIN, self.y + 20
        x = self.x
        entry = add(self.element, "g", class_=name)
        add(entry, "text", text, class_="detail", x=x + indent, y=self.y + 10)
        self.x += step
        self.wide = max(self.wide, self.x - 18 - MARGIN)
        return entry, x
