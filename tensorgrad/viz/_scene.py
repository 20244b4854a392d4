"""A recorded graph as boxes and links, before any drawing: what the SVG and the DOT writer share."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tensorgrad.ir.graph import Equation, Graph, Var
from tensorgrad.viz._draw import shorten
from tensorgrad.viz._ranks import layers

BoxKind = Literal["input", "captured", "constant", "forward", "backward", "output", "write", "reference"]
LinkKind = Literal["forward", "backward", "saved"]

KINDS: dict[BoxKind, str] = {
    "input": "input",
    "captured": "captured tensor",
    "constant": "constant",
    "forward": "forward operation",
    "backward": "backward operation",
    "output": "output",
    "write": "value or gradient written",
    "reference": "value from further up",
}
NODE_LIMIT = 600
NEAR, LONG = 2, 5  # layers that a line from a constant, or from another value, may pass
SPINE = 4


@dataclass(frozen=True, slots=True)
class Box:
    """One node of a picture.

    Args:
        key: a name that is unique in the picture and safe as an identifier.
        kind: what it stands for.
        name: its first line.
        detail: its second line.
        tip: what to show on hovering, by lines.
    """

    key: str
    kind: BoxKind
    name: str
    detail: str
    tip: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A value on its way from one box to another, both by their place in the scene.

    Values that operations of one pass hand on weigh more than parameters, constants and saved values,
    so that each pass is a straight line with the rest beside it.
    """

    source: int
    target: int
    kind: LinkKind
    var: Var
    weight: int


@dataclass(frozen=True, slots=True)
class Scene:
    """The boxes in the order of the program, and the links between them."""

    boxes: tuple[Box, ...]
    links: tuple[Link, ...]


def box_count(graph: Graph) -> int:
    """How many boxes the scene of a graph has."""
    leaves = {*graph.inputs, *graph.captured, *graph.constants}
    return len(leaves) + len(graph.equations) + len(graph.outputs) + len(graph.writes)


def scene(graph: Graph) -> Scene:
    """All of a graph: each input, captured tensor, constant and equation once, then outputs and writes."""
    boxes: list[Box] = []
    links: list[Link] = []
    home: dict[int, int] = {}

    def place(box: Box, inputs: tuple[Var, ...], outputs: tuple[Var, ...] = ()) -> None:
        for var in dict.fromkeys(inputs):
            source = boxes[home[var.index]].kind
            kind = _link_kind(source, box.kind)
            weight = SPINE if source in {"forward", "backward"} and kind != "saved" else 1
            links.append(Link(home[var.index], len(boxes), kind, var, weight))
        home.update((var.index, len(boxes)) for var in outputs)
        boxes.append(box)

    for var in dict.fromkeys((*graph.inputs, *graph.captured, *graph.constants)):
        place(_leaf(var, graph.values.get(var.index)), (), (var,))
    for index, equation in enumerate(graph.equations):
        place(_operation(index, equation), equation.inputs, equation.outputs)
    for index, var in enumerate(graph.outputs):
        name = var.label or ("output" if len(graph.outputs) == 1 else f"output {index}")
        tip = (f"output {index} is {var}", type_text(var))
        place(Box(f"o{index}", "output", name, f"{var} {shape_text(var)}", tip), (var,))
    for index, write in enumerate(graph.writes):
        name = write.target.label or str(write.target)
        name, role = (f"{name}.grad", "gradient") if write.slot == "grad" else (f"new {name}", "value")
        new = "none" if write.value is None else str(write.value)
        tip = (f"{new} becomes the {role} of {write.target}", type_text(write.target))
        box = Box(f"w{index}", "write", name, f"{new} {shape_text(write.target)}", tip)
        place(box, () if write.value is None else (write.value,))
    return Scene(tuple(boxes), tuple(links))


def shortened(whole: Scene) -> Scene:
    """The scene with its longest links replaced by references, where long links would swamp it.

    A training step of many layers reads values far above. Where such links are most of the picture,
    each becomes a small box beside its reader that names the value.
    """
    firmly = {(link.source, link.target): 1 if link.weight == 1 else len(whole.links) for link in whole.links}
    layer = layers(len(whole.boxes), firmly)
    spans = [layer[link.target] - layer[link.source] - 1 for link in whole.links]
    if sum(spans) <= 2 * len(whole.boxes):
        return whole
    boxes, links = list(whole.boxes), list[Link]()
    for link, span in zip(whole.links, spans, strict=True):
        source = link.source
        origin = whole.boxes[source]
        if span >= (NEAR if origin.kind == "constant" else LONG if link.weight == 1 else 3 * LONG):
            source = len(boxes)
            name = origin.name if origin.kind in {"input", "captured", "constant"} else str(link.var)
            tip = (f"{link.var} from {origin.name}, further up", type_text(link.var))
            boxes.append(Box(f"r{source}", "reference", f"↑ {name}", "", tip))
        links.append(Link(source, link.target, link.kind, link.var, link.weight))
    return Scene(tuple(boxes), tuple(links))


def counts(graph: Graph) -> list[tuple[str, int, int]]:
    """How often each operation runs, forward and backward; the most frequent first."""
    runs = Counter((equation.op, equation.direction) for equation in graph.equations)
    rows = {op: (runs[op, "forward"], runs[op, "backward"]) for op, _ in runs}
    return [(op, *rows[op]) for op in sorted(rows, key=lambda op: (-sum(rows[op]), op))]


def headline(graph: Graph) -> str:
    """One line on the size of a graph.

    Example:
        >>> headline(Graph((), (), (), (), ()))
        '0 operations'
    """
    total = len(graph.equations)
    backward = sum(equation.direction == "backward" for equation in graph.equations)
    parts = [f"{total:,} operation{'' if total == 1 else 's'}"]
    if backward:
        parts[0] += f" ({total - backward:,} forward, {backward:,} backward)"
    for slot, what, done in (("grad", "gradient", "stored"), ("data", "tensor", "updated")):
        count = sum(write.slot == slot for write in graph.writes)
        if count:
            parts.append(f"{count:,} {what}{'' if count == 1 else 's'} {done}")
    return ", ".join(parts)


def shape_text(var: Var) -> str:
    """A shape as people read it."""
    return str(var.shape) if var.shape else "scalar"


def type_text(var: Var) -> str:
    """The dtype and shape of a variable."""
    return f"{var.dtype} {shape_text(var)}"


def _leaf(var: Var, value: Any) -> Box:
    kind: BoxKind = "input" if var.role == "input" else "captured" if var.role == "captured" else "constant"
    name = var.label or (_number(value) if kind == "constant" else "") or str(var)
    detail = shape_text(var) if name == str(var) else f"{var} {shape_text(var)}"
    tip = (f"{var}: {KINDS[kind]} {name}", type_text(var))
    return Box(f"v{var.index}", kind, name, detail, tip)


def _number(value: Any) -> str:
    """A constant that is one number, or the empty string."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.item() if value.size == 1 else None
    if isinstance(value, bool | int):
        return str(value)
    return f"{value:.6g}" if isinstance(value, float | complex) else ""


def _operation(index: int, equation: Equation) -> Box:
    outputs = ", ".join(map(str, equation.outputs))
    lines = [f"{outputs} = {equation.op}({', '.join(map(str, equation.inputs))})"]
    lines += [f"{var}: {type_text(var)}" for var in equation.outputs]
    lines += [f"{name} = {_short(value)}" for name, value in equation.params.items()]
    if equation.scope:
        lines.append(f"in {equation.scope}")
    lines.append(KINDS[equation.direction])
    detail = f"{outputs} {' '.join(map(shape_text, equation.outputs))}"
    return Box(f"e{index}", equation.direction, equation.op, detail, tuple(lines))


def _link_kind(source: BoxKind, target: BoxKind) -> LinkKind:
    if target == "backward" and source in {"input", "captured", "forward"}:
        return "saved"
    return "backward" if "backward" in {source, target} else "forward"


def _short(value: Any, depth: int = 0) -> str:
    """A parameter in a few words, the same in every run."""
    if isinstance(value, tuple | list) and depth < 3:
        inner = ", ".join(_short(item, depth + 1) for item in value[:8]) + (", …" if len(value) > 8 else "")
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, np.generic):
        return f"{value.dtype} array {tuple(value.shape)}"
    if callable(value):
        return str(getattr(value, "__qualname__", type(value).__name__))
    return shorten(re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value)), 80)
