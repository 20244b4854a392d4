"""docs/names.md as tables: what a library's names are here, and which are left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import tensorgrad as tg

PAGE = Path(__file__).parent.parent / "docs" / "names.md"
CODE = re.compile(r"`([^`]+)`")
PLACES: dict[str, Any] = {
    "tg": tg,
    "tg.fft": tg.fft,
    "tg.linalg": tg.linalg,
    "tg.special": tg.special,
    "tg.random": tg.random,
    "tg.nn": tg.nn,
    "tg.nn.functional": tg.nn.functional,
    "tg.nn.init": tg.nn.init,
    "tg.nn.utils": tg.nn.utils,
    "tg.nn.utils.parametrizations": tg.nn.utils.parametrizations,
    "tg.nn.utils.parametrize": tg.nn.utils.parametrize,
    "tg.nn.utils.rnn": tg.nn.utils.rnn,
    "tg.optim": tg.optim,
    "tg.optim.lr_scheduler": tg.optim.lr_scheduler,
    "tg.data": tg.data,
}


@dataclass
class Section:
    """What the page says of one library: which names are renamed, and how; which are left out."""

    title: str
    places: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    called: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    here: list[str] = field(default_factory=list)
    two_meanings: list[str] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Whether the name is in one of the places."""
        found = [getattr(PLACES[place], name) for place in self.places if name in dir(PLACES[place])]
        return any(not isinstance(one, ModuleType) for one in found)

    def complaints(self, names: Iterable[str]) -> list[str]:
        """What the tables get wrong, when the library has these names."""
        names, listed = set(names), self.renamed + self.left_out
        return [
            *[f"{n}: neither here nor listed" for n in sorted(names - set(listed)) if not self.has(n)],
            *[f"{n}: listed, but it is here; take it off the page" for n in listed if self.has(n)],
            *[f"{n}: listed twice" for n in sorted(set(listed)) if listed.count(n) > 1],
            *[f"{n}: listed, but {self.title} has no such name" for n in sorted(set(listed) - names)],
            *[f"{n}: said to have another meaning here" for n in self.two_meanings if not self.has(n)],
        ]


def read(text: str) -> dict[str, Section]:
    """The sections of a page by their titles; those that say where the same names are."""
    sections: dict[str, Section] = {}
    section, column = Section(""), ""
    for line in text.splitlines():
        if line.startswith("#"):
            section = sections.setdefault(line.lstrip("# "), Section(line.lstrip("# ")))
            assert not section.places, f"two sections {section.title}"
        elif line.startswith("Same name in: "):
            section.places = CODE.findall(line)
        elif not line.startswith("|"):
            column = ""
        elif not column:
            first, *others = [cell.strip() for cell in line.strip("| ").split(" | ")]
            column = "two meanings" if first.startswith("Same name") else others[0]
        elif not line.startswith("|---"):
            names, *_, cell = line.strip("|").split(" | ")
            if column == "two meanings":
                section.two_meanings += CODE.findall(names)
            elif column == "here":
                assert CODE.search(cell), f"no code that says what to write here: {line}"
                section.renamed += CODE.findall(names)
                section.called |= dict.fromkeys(CODE.findall(names), cell)
                section.here += CODE.findall(cell)
            else:
                assert column.startswith("left out") and cell.strip(), line
                section.left_out += CODE.findall(names)
    return {title: section for title, section in sections.items() if section.places}


@cache
def page() -> dict[str, Section]:
    """The sections of docs/names.md."""
    return read(PAGE.read_text(encoding="utf-8"))
