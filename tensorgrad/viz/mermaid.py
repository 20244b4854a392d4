"""A recorded graph in the language of Mermaid, which many places that show Markdown draw by themselves."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

from tensorgrad.ir.graph import Graph
from tensorgrad.viz._draw import COLOURS, clean, shorten
from tensorgrad.viz._scene import LEAVES, LONGEST, OPERATIONS, Box, Scene, box_count, headline, scene
from tensorgrad.viz._select import selected
from tensorgrad.viz._style import FILL
from tensorgrad.viz.options import Options, changed

MOST_LINKS, MOST_TEXT = 500, 50_000
"""Links and characters beyond which Mermaid refuses to draw, unless the page sets other limits."""

BACK = "#cf7520"
"""An orange that is seen as a thin line on white and on black."""

_PLAIN = re.compile(r"[^\W_]|[ ,()=+]|(?<=[^\W_])_(?=[^\W_])|(?<=\w)\.(?=\w)|(?<!%)%(?=\d)")
# What Mermaid or its formula writer reads even when it is written as a code gets a sign that looks alike.
_ALIKE = str.maketrans({"\\": "⧵", "$": "＄"})
_DASHED = ("saved", "untracked")


def graph_mermaid(graph: Graph, options: Options | None = None, **changes: Any) -> str:
    """Write a recorded graph as a Mermaid flowchart, from top to bottom, with a frame around each module.

    All labels are plain text: whatever could mean something to Mermaid, to Markdown or to HTML is written as a
    code. Its colours are readable on light and dark pages. Mermaid draws 500 arrows at most; of a larger graph
    the first operations are written, and a sentence that says so.

    Args:
        graph: what to write.
        options: what to show.
        **changes: fields of `Options` by name, such as ``depth=1``, instead of or besides ``options``.

    Returns:
        The source, the same for the same graph. On a code host it belongs between the lines
        ```` ```mermaid ```` and ```` ``` ````.

    Raises:
        TypeError: there is no such option.
        ValueError: an option does not have this value, or the graph does not have what it asks for.

    Example:
        >>> import tensorgrad as tg
        >>> print(graph_mermaid(tg.trace(lambda x: tg.sin(x), tg.ones(3))))
        flowchart TD
            v0(["x<br/>%0 (3,)"])
            e0["sin<br/>%1 (3,)"]
            o0(["output<br/>%1 (3,)"])
            v0 --> e0
            e0 --> o0
            classDef input fill:#f1e8fd,stroke:#7d4cc2,color:#1a1f26
            class v0 input
            classDef forward fill:#e3efff,stroke:#2f6fc4,color:#1a1f26
            class e0 forward
            classDef output fill:#f1e8fd,stroke:#7d4cc2,color:#1a1f26,stroke-width:2px
            class o0 output

    Source:
        The Mermaid project, "Flowcharts: Basic Syntax", https://mermaid.js.org/syntax/flowchart.html
    """
    options = changed(options, changes)
    graph = selected(graph, options)
    size = len(graph.equations)
    # Leaves, outputs and writes count too, but what they add is small and the loop below sees it.
    shown = size if box_count(graph) <= options.node_limit else min(size, options.node_limit)
    while True:
        part = graph if shown == size else _beginning(graph, shown)
        whole = scene(part, options)
        if len(whole.links) < MOST_LINKS and (len(whole.boxes) <= options.node_limit or shown == 0):
            text = _Writer(part, whole, options).text(size, headline(graph, options))
            if len(text) <= MOST_TEXT or shown == 0:
                return text
        shown = min(shown - 1, int(shown * 0.9)) if shown else 0


class _Writer:
    """Writes one scene line by line."""

    def __init__(self, graph: Graph, whole: Scene, options: Options) -> None:
        self.graph, self.whole, self.options = graph, whole, options
        self.lines: list[str] = []

    def text(self, size: int, line: str) -> str:
        """The whole source; ``size`` and ``line`` are of the graph that this one is the beginning of."""
        title = self.options.title
        if title:
            # Without a direction of its own, a frame that no arrow leaves would be turned on its side.
            self.lines += [f'    subgraph heading["{_label(f"{title}: {line}")}"]', "    direction TB"]
        frames = self._boxes()
        shown = len(self.graph.equations)
        if shown < size:
            text = f"These are the first {shown:,} of {size:,} operations,"
            self.lines.append(f'    more["{_label(text, "for Mermaid draws no more than that.")}"]')
        if title:
            self.lines.append("    end")
        self._links()
        if 0 < shown < size:
            self.lines.append(f"    e{shown - 1} -.-> more")
        self._looks(frames, shown < size)
        if title:
            self.lines.append("    style heading fill:none,stroke:none")
        return "\n".join(["flowchart TD", *self.lines])

    def _boxes(self) -> int:
        """Each box in the frames of its scope; how many frames there are."""
        inside: dict[tuple[str, ...], list[Box]] = defaultdict(list)
        for box, path in zip(self.whole.boxes, self._paths(), strict=True):
            inside[path].append(box)
        # A frame opens where its first box stands, and its own boxes come before the frames in it.
        order: dict[tuple[str, ...], None] = {}
        for path in inside:
            order.update(dict.fromkeys(path[: depth + 1] for depth in range(len(path))))
        children: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
        for path in order:
            children[path[:-1]].append(path)
        todo: list[tuple[str, tuple[str, ...]]] = [("open", ())]
        count = 0
        while todo:
            what, path = todo.pop()
            margin = "    " * (len(path) + 1)
            if what == "close":
                self.lines.append(f"{margin[4:]}end")
                continue
            if path:
                self.lines.append(f'{margin[4:]}subgraph s{count}["{_label(_unmarked(path[-1]))}"]')
                count += 1
            self.lines += [f"{margin}{box.key}{_drawn(box)}" for box in inside.get(path, ())]
            todo += [("close", path)] if path else []
            todo += [("open", child) for child in reversed(children[path])]
        return count

    def _paths(self) -> list[tuple[str, ...]]:
        """The frames that each box is in; what was made for one operation only stands beside it."""
        paths: list[tuple[str, ...]] = []
        for box in self.whole.boxes:
            path: tuple[str, ...] = ()
            if box.kind in OPERATIONS:
                equation = self.graph.equations[int(box.key[1:])]
                mark = "\x00" if equation.direction == "backward" else ""
                path = tuple([mark + name for name in equation.scope.split("/")]) if equation.scope else ()
            paths.append(path)
        for link in reversed(self.whole.links):
            box = self.whole.boxes[link.source]
            if box.kind in LEAVES and box.kind != "input" and link.kind != "saved":
                paths[link.source] = paths[link.target]
        return paths

    def _links(self) -> None:
        for link in self.whole.links:
            source, target = self.whole.boxes[link.source].key, self.whole.boxes[link.target].key
            # A line that only says what comes first is not drawn.
            arrow = "~~~" if link.kind == "order" else "-.->" if link.kind in _DASHED else "-->"
            self.lines.append(f"    {source} {arrow} {target}")

    def _looks(self, frames: int, cut: bool) -> None:
        ink = COLOURS["ink"][0]
        keys: dict[str, list[str]] = defaultdict(list)
        for box in self.whole.boxes:
            keys[box.kind].append(box.key)
            if box.alarm:
                keys["alarm"].append(box.key)
        for kind, members in keys.items():
            if kind == "alarm":
                look = f"fill:{COLOURS['paper'][0]},stroke:{COLOURS['red'][0]},color:{ink},stroke-width:4px"
            else:
                fill, stroke = FILL[kind]  # type: ignore[index]
                look = f"fill:{COLOURS[fill][0]},stroke:{COLOURS[stroke][0]},color:{ink}"
                look += ",stroke-width:2px" if kind in {"output", "write"} else ""
                look += ",stroke-dasharray:6 3" if kind in {"cut", "value"} else ""
            self.lines += [f"    classDef {kind} {look}", f"    class {','.join(members)} {kind}"]
        if frames:
            names = ",".join(f"s{number}" for number in range(frames))
            # Half transparent, so that it is a shade of whatever the page has.
            self.lines += ["    classDef frame fill:#7c86921f,stroke:#7c8692", f"    class {names} frame"]
        if cut:
            self.lines.append("    style more fill:none,stroke:none")
        back = [str(n) for n, link in enumerate(self.whole.links) if link.kind in {"backward", "saved"}]
        if back:
            self.lines.append(f"    linkStyle {','.join(back)} stroke:{BACK}")


def _drawn(box: Box) -> str:
    rows = [f"{word} {value}" for word, value in box.rows]
    label = _label(box.name, box.detail, *rows, f"! {box.alarm}" if box.alarm else "")
    if box.kind == "cut":
        return f'{{{{"{label}"}}}}'
    return f'["{label}"]' if box.kind in OPERATIONS else f'(["{label}"])'


def _label(*lines: str) -> str:
    """Lines as a label that is nothing but text: all that is no letter or digit, with few exceptions, is a code."""
    return "<br/>".join(_inert(shorten(clean(line), 2 * LONGEST)) for line in lines if line)


def _inert(line: str) -> str:
    # A word that Mermaid might take for one of its own is harmless between quotes.
    line = line.translate(_ALIKE)
    plain = {found.start() for found in _PLAIN.finditer(line)}
    return "".join(char if place in plain else f"#{ord(char)};" for place, char in enumerate(line))


def _unmarked(name: str) -> str:
    """The name of a frame; those of the backward pass are told apart from those of the forward pass."""
    return f"{name[1:]} (backward)" if name.startswith("\x00") else name


def _beginning(graph: Graph, count: int) -> Graph:
    """The graph up to an equation, with the leaves that it needs."""
    equations = graph.equations[:count]
    read = {var for equation in equations for var in equation.inputs}
    return replace(
        graph,
        inputs=tuple([var for var in graph.inputs if var in read]),
        captured=tuple([var for var in graph.captured if var in read]),
        constants=tuple([var for var in graph.constants if var in read]),
        equations=equations,
        outputs=(),
        writes=(),
        passes=tuple(
            [replace(one, steps=tuple([s for s in one.steps if s.equation < count])) for one in graph.passes]
        ),
    )
