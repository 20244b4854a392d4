"""A recorded graph as boxes and links, before any drawing: what the SVG and the DOT writer share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from tensorgrad.ir.graph import Equation, Graph, Step, Var
from tensorgrad.viz._absorb import Parts, is_folded
from tensorgrad.viz._details import (
    MOST_OUTPUTS,
    Row,
    cost_rows,
    described,
    parameter,
    plain,
    stats_text,
    totals,
    type_text,
    value_rows,
    value_stats,
)
from tensorgrad.viz._heat import alarm, gradients_of, heat_of, norm_of
from tensorgrad.viz._ranks import layers
from tensorgrad.viz.options import Options

BoxKind = Literal[
    "input", "captured", "constant", "value", "forward", "backward", "cut", "output", "write", "reference"
]
LinkKind = Literal["forward", "untracked", "backward", "saved", "order"]

KINDS: dict[BoxKind, str] = {
    "input": "input",
    "captured": "captured tensor",
    "constant": "constant",
    "value": "value from elsewhere",
    "forward": "forward operation",
    "backward": "backward operation",
    "cut": "gradient stops here",
    "output": "output",
    "write": "value or gradient written",
    "reference": "value from further up",
}
LINKS: dict[LinkKind, str] = {
    "untracked": "no gradient flows back here",
    "saved": "forward value read by the backward pass",
}
LEAVES = frozenset[BoxKind]({"input", "captured", "constant", "value"})
OPERATIONS = frozenset[BoxKind]({"forward", "backward", "cut"})
LONGEST = 30  # characters of a name
CUTS = frozenset({"detach", "leave", "stop_gradient"})
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
        rows: further lines, each of a word and what it is.
        alarm: what is wrong with a value or gradient in it, such as "NaN in gradient".
        heat: its gradient on the scale of `_heat.Heat`, empty where boxes have the colour of their kind.
        folded: whether it stands for several operations.
        scope: the module that it is in, None where it goes with whatever reads it.
    """

    key: str
    kind: BoxKind
    name: str
    detail: str
    tip: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    alarm: str = ""
    heat: str = ""
    folded: bool = False
    scope: str | None = None


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
    """The boxes in the order of the program, the links between them, and the usual norm of a gradient."""

    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    usual: float | None = None


def box_count(graph: Graph) -> int:
    """How many boxes the scene of a graph has."""
    made = {var for equation in graph.equations for var in equation.outputs}
    leaves = {*_leaves(graph)} | (_read(graph) - made)
    return len(leaves) + len(graph.equations) + len(graph.outputs) + len(graph.writes)


def scene(graph: Graph, options: Options | None = None) -> Scene:
    """All of a graph: each input, captured tensor, constant and equation once, then outputs and writes."""
    maker = _Maker(graph, options or Options())
    boxes: list[Box] = []
    links: list[Link] = []
    home: dict[int, int] = {}

    def place(box: Box, inputs: tuple[Var, ...], outputs: tuple[Var, ...] = ()) -> None:
        there: set[tuple[int, LinkKind]] = set()
        for var in dict.fromkeys(inputs):
            if var.index not in home:
                place(maker.leaf(var), (), (var,))
            source = boxes[home[var.index]]
            kind = maker.link_kind(source.kind, box.kind, var)
            # Folded boxes hand each other many values; one line stands for all.
            if (home[var.index], kind) not in there or not (source.folded or box.folded):
                there.add((home[var.index], kind))
                weight = SPINE if source.kind in {"forward", "backward"} and kind != "saved" else 1
                links.append(Link(home[var.index], len(boxes), kind, var, weight))
        home.update((var.index, len(boxes)) for var in outputs)
        boxes.append(box)

    for var in _leaves(graph):
        place(maker.leaf(var), (), (var,))
    for index, equation in enumerate(graph.equations):
        place(maker.operation(index, equation), equation.inputs, equation.outputs)
    for index, var in enumerate(graph.outputs):
        name = var.label or ("output" if len(graph.outputs) == 1 else f"output {index}")
        tip = (f"output {index} is {var}", type_text(var))
        place(Box(f"o{index}", "output", name, maker.described(var), tip, scope=""), (var,))
    for index, write in enumerate(graph.writes):
        name = write.target.label or (write.value.label if write.value else "") or str(write.target)
        name, role = (f"{name}.grad", "gradient") if write.slot == "grad" else (f"new {name}", "value")
        new = "none" if write.value is None else str(write.value)
        tip = (f"{new} becomes the {role} of {write.target}", type_text(write.target))
        detail = "none" if write.value is None else maker.described(write.value)
        scope = boxes[home[write.value.index]].scope if write.value and write.value.index in home else ""
        place(
            Box(f"w{index}", "write", name, detail, tip, scope=scope), (write.value,) if write.value else ()
        )
    # A backward pass begins below what it starts from; a line that is not drawn sees to that.
    for target, seed in _seeds(graph):
        if target.index in home and seed.index in home:
            links.append(Link(home[target.index], home[seed.index], "order", target, SPINE))
    return Scene(tuple(boxes), tuple(links), maker.heat.usual if maker.heat else None)


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
        if link.kind != "order" and span >= (
            NEAR if origin.kind == "constant" else LONG if link.weight == 1 else 3 * LONG
        ):
            source = len(boxes)
            name = origin.name if origin.kind in LEAVES or origin.folded else link.var.label or str(link.var)
            tip = (f"{link.var} from {origin.name}, further up", type_text(link.var))
            boxes.append(Box(f"r{source}", "reference", f"↑ {name}", "", tip))
        links.append(Link(source, link.target, link.kind, link.var, link.weight))
    return replace(whole, boxes=tuple(boxes), links=tuple(links))


def counts(graph: Graph) -> list[tuple[str, int, int]]:
    """How often each operation runs, forward and backward; the most frequent first."""
    runs = Counter((equation.op, equation.direction) for equation in graph.equations)
    rows = {op: (runs[op, "forward"], runs[op, "backward"]) for op, _ in runs}
    return [(op, *rows[op]) for op in sorted(rows, key=lambda op: (-sum(rows[op]), op))]


def headline(graph: Graph, options: Options | None = None) -> str:
    """One line on the size of a graph, and what it cost.

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
    return ", ".join(parts + (totals(graph, options) if options else []))


class _Maker:
    """Makes the boxes of one graph, and tells the kinds of its links."""

    def __init__(self, graph: Graph, options: Options) -> None:
        self.graph, self.options = graph, options
        self.heat = heat_of(graph) if options.colour == "gradient" else None
        steps = graph.passes[-1].steps if graph.passes else ()
        self.steps: dict[int, Step] = {step.equation: step for step in steps}
        # A trace does not say which values are tracked; then no line is drawn as if it were not.
        self.tells_tracked = any(var.tracked for var in graph.variables)

    def described(self, var: Var, name: str = "") -> str:
        return described(var, self.options, name)

    def leaf(self, var: Var) -> Box:
        roles: dict[str, BoxKind] = {"input": "input", "captured": "captured", "constant": "constant"}
        kind = roles.get(var.role, "value")
        held = self.graph.values.get(var.index)
        number = _number(held) if kind == "constant" else ""
        name = var.label or number or ("not kept" if var.role == "unknown" else str(var))
        tip = (f"{var}: {KINDS[kind]} {name}", type_text(var))
        rows = value_rows(self.graph, var, self.options)
        if number and name == number:
            rows = [row for row in rows if row[0] != "value"]
        scope = "" if kind == "input" else None
        return self.filled(
            Box(f"v{var.index}", kind, name, self.described(var, name), tip, tuple(rows), scope=scope), var
        )

    def operation(self, index: int, equation: Equation) -> Box:
        outputs = ", ".join(map(str, equation.outputs))
        lines = [f"{outputs} = {equation.op}({', '.join(map(str, equation.inputs))})".removeprefix(" = ")]
        lines += [f"{var}: {type_text(var)}" for var in equation.outputs]
        lines += [f"{name} = {parameter(value)}" for name, value in equation.params.items()]
        if equation.position is not None:
            lines.append(f"at {equation.position}")
        if equation.scope:
            lines.append(f"in {equation.scope}")
        kind: BoxKind = "cut" if equation.op in CUTS else equation.direction
        lines.append(KINDS[kind])
        alone = len(equation.outputs) == 1
        rows: list[Row] = []
        for var in equation.outputs[:MOST_OUTPUTS]:
            rows += value_rows(self.graph, var, self.options, "" if alone else f" {var.label or var}")
        rows += cost_rows(equation, self.steps.get(index), self.options)
        folded = is_folded(equation)
        name = (
            f"{equation.op} × {equation.params['times']}"
            if folded and "times" in equation.params
            else equation.op
        )
        if folded:
            parts = [
                (name, str(value)) for name, value in equation.params.items() if isinstance(value, Parts)
            ]
            many = equation.params["operations"]
            said = (
                ("operations", f"{many:,}")
                if many > 1
                else ("operation", str(equation.params.get("ops", "")))
            )
            rows = [said, *parts, *rows]
        elif alone and equation.outputs[0].label and len(f"{equation.outputs[0].label} = {name}") <= LONGEST:
            name = f"{equation.outputs[0].label} = {name}"
        box = Box(
            f"e{index}",
            kind,
            name,
            self.outcome(equation),
            tuple(lines),
            tuple(rows),
            folded=folded,
            scope=_scope(equation),
        )
        inside = equation.params.get("parameters", ())
        made = equation.outputs or equation.params.get(
            "gradients", ()
        )  # of a folded module at the end of a pass
        return self.filled(box, *made, inside=inside if isinstance(inside, Parts) else ())

    def outcome(self, equation: Equation) -> str:
        """The line under an operation's name."""
        if not equation.outputs:
            return str(equation.params.get("how", ""))
        said = self.described(equation.outputs[0])
        more = len(equation.outputs) - 1
        return f"{said} and {more} more" if said and more else said

    def filled(self, box: Box, *variables: Var, inside: tuple[Var, ...] = ()) -> Box:
        """The box with its alarm and, where gradients give the colours, its heat."""
        tip, said, heat, rows = list(box.tip), "", "", box.rows
        for var in (*variables, *inside):
            value, gradient = value_stats(self.graph, var), self.graph.gradients.get(var.index)
            for what, one in (("value", value), ("gradient", gradient)):
                if one is not None and var not in inside:
                    tip.append(f"{what} of {var}: {stats_text(one)}")
                # Infinite values are common in masks, infinite gradients are not.
                if alarm(one) == "NaN" or (what == "gradient" and alarm(one)):
                    said = f"{alarm(one)} in {what}" + (" of a parameter" if var in inside else "")
        if self.heat and box.kind != "cut":
            found = (
                [self.graph.stats[var.index] for var in variables if var.index in self.graph.stats]
                if box.kind == "backward"
                else gradients_of(self.graph, variables)
            )
            heat = self.heat.mark(found)
            said_already = "gradients" in self.options.show and all(one.shape == () for one in found)
            if found and heat != "heat-bad" and not said_already:
                rows = (*rows, ("gradient norm", plain(norm_of(found), 3)))
            norms = [one.norm for one in gradients_of(self.graph, inside) if not alarm(one)]
            if norms:
                rows = (*rows, ("of parameters", f"{plain(min(norms), 3)} to {plain(max(norms), 3)}"))
        return replace(box, tip=tuple(tip), rows=rows, alarm=said, heat=heat)

    def link_kind(self, source: BoxKind, target: BoxKind, var: Var) -> LinkKind:
        if target == "backward" and source in {"input", "captured", "value", "forward"}:
            return "saved"
        if "backward" in {source, target}:
            return "backward"
        return "untracked" if self.tells_tracked and not var.tracked else "forward"


def _leaves(graph: Graph) -> tuple[Var, ...]:
    """Inputs, captured tensors, and the constants that something reads."""
    read = _read(graph)
    constants = (var for var in graph.constants if var in read)
    return tuple(dict.fromkeys((*graph.inputs, *graph.captured, *constants)))


def _read(graph: Graph) -> set[Var]:
    """All values that equations, outputs or writes read."""
    written = {write.value for write in graph.writes if write.value is not None}
    return {var for equation in graph.equations for var in equation.inputs} | {*graph.outputs} | written


def _seeds(graph: Graph) -> list[tuple[Var, Var]]:
    """What a backward pass starts from, each with its cotangent, where that is a value of the graph.

    `tensorgrad.ir.with_backward` makes the cotangents, in the order of the results.
    """
    ahead = {var.index for e in graph.equations if e.direction == "forward" for var in e.inputs}
    seeds = [var for var in graph.constants if var.label == "seed" and var.index not in ahead]
    starts = (
        [var for var, _ in graph.passes[-1].seeds]
        if graph.passes
        else [v for v in graph.outputs if v.tracked]
    )
    return list(zip(starts, seeds, strict=False)) if len(starts) == len(seeds) else []


def _scope(equation: Equation) -> str:
    """The modules that an operation is in; those of the backward pass are others than those of the forward pass."""
    outer, slash, inner = equation.scope.partition("/")
    return (
        f"{outer}, backward{slash}{inner}" if outer and equation.direction == "backward" else equation.scope
    )


def _number(value: Any) -> str:
    """A constant that is one number, or the empty string."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.item() if value.size == 1 else None
    if isinstance(value, bool | int):
        return str(value)
    return f"{value:.6g}" if isinstance(value, float | complex) else ""
