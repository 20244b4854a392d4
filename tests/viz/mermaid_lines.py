"""Reads the part of Mermaid's flowchart language that `graph_mermaid` writes, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

ID = r"[veowr]\d+|more"
TEXT = r"(?:[^\W_]|[ ,()=+._]|(?<!%)%(?=\d)|#\d+;|<br/>)*"
COLOUR = r"#[0-9a-f]{6}(?:[0-9a-f]{2})?|none"
LOOK = rf"(?:(?:fill|stroke|color):(?:{COLOUR})|stroke-width:\dpx|stroke-dasharray:\d \d)"
BOX = re.compile(rf'({ID})(?:\["({TEXT})"\]|\(\["({TEXT})"\]\)|\{{\{{"({TEXT})"\}}\}})')
FRAME = re.compile(rf'subgraph (s\d+|heading)\["({TEXT})"\]')
LINK = re.compile(rf"({ID}) (-->|-\.->|~~~) ({ID})")
REST = re.compile(
    rf"direction TB|classDef [a-z]+ {LOOK}(?:,{LOOK})*|class (?:\w+)(?:,\w+)* [a-z]+"
    rf"|style (?:more|heading) {LOOK}(?:,{LOOK})*|linkStyle \d+(?:,\d+)* stroke:{COLOUR}"
)


@dataclass
class Chart:
    """What was read: labels by box, links, and for each frame its label and the frame around it."""

    boxes: dict[str, str] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)
    frames: dict[str, tuple[str, str]] = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)


def read(source: str) -> Chart:
    """The chart; an AssertionError at the first line that is anything else."""
    first, *lines = source.split("\n")
    assert first == "flowchart TD", first
    chart, open_frames = Chart(), [""]
    for line in lines:
        text = line.strip(" ")
        if found := FRAME.fullmatch(text):
            assert found[1] not in chart.frames
            chart.frames[found[1]] = (shown(found[2]), open_frames[-1])
            open_frames.append(found[1])
        elif text == "end":
            open_frames.pop()
        elif found := BOX.fullmatch(text):
            assert found[1] not in chart.boxes
            chart.boxes[found[1]] = shown(next(label for label in found.groups()[1:] if label is not None))
            chart.home[found[1]] = open_frames[-1]
        elif found := LINK.fullmatch(text):
            assert found[1] in chart.boxes and found[3] in chart.boxes
            chart.links.append((found[1], found[3]))
        else:
            assert REST.fullmatch(text), line
    assert open_frames == [""]
    return chart


def shown(label: str) -> str:
    """What a reader sees of a label."""
    return re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label.replace("<br/>", "\n"))
