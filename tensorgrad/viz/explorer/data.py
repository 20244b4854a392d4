"""A recorded graph as the compact JSON that the explorer's scripts read.

Tables (operations, scopes, shapes, source lines) are written once and named by number; what most equations
lack is left out. Statistics are most of the size, so they are rounded, and kept values are the first to go
where the page would grow beyond its budget. `model.js` reads what is written here, field by field.
"""

from __future__ import annotations

import json
import linecache
import math
import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np

from tensorgrad._primitive import registry
from tensorgrad.ir.graph import Equation, Graph, Pass, Stats, Var
from tensorgrad.viz._draw import clean, shorten
from tensorgrad.viz.explorer.cards import card_facts

FORMAT = 1
ROLES = ("input", "captured", "constant", "result", "unknown")
NODE_BYTES, LEAST_BYTES, MOST_BYTES = 780, 250_000, 30_000_000
"""What the data may take: for each node, for a small graph, and in all."""

DETAIL = ((64, 7), (64, 4), (16, 4), (4, 4), (0, 3))
"""How many values are kept and to how many digits, from the most generous to the most frugal."""

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The bars of a histogram as one letter each: heights from 0 to 61."""


def explorer_json(graph: Graph, *, title: str = "") -> str:
    """What the explorer knows about a graph, as JSON that is inert inside a page.

    Args:
        graph: any graph; a recorded one has more to show.
        title: the name of the page.

    Returns:
        The tables; values are kept as far as the budget of 780 bytes a node allows.

    Example:
        >>> import tensorgrad as tg
        >>> data = json.loads(explorer_json(tg.trace(lambda x: (x * x).sum(), tg.ones(3))))
        >>> [data["ops"][op]["name"] for op in data["equations"]["op"]]
        ['multiply', 'sum']
    """
    nodes = len(graph.equations) + len(graph.inputs) + len(graph.captured) + len(graph.constants)
    budget = min(max(LEAST_BYTES, NODE_BYTES * nodes), MOST_BYTES)
    sizes = list(_measured_sizes(graph))
    for most, digits in DETAIL:
        if most and _likely(nodes, sizes, most, digits) > budget:
            continue
        text = as_json(_Writer(graph, most, digits).data(title))
        if len(text) <= budget:
            break
    return text


def as_json(data: Any) -> str:
    r"""JSON that is inert inside a page: ASCII only, no character that means anything in HTML.

    Example:
        >>> as_json({"a": "</script> \u2028"})
        '{"a":"\\u003c/script\\u003e \\u2028"}'
    """
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.translate(_HTML)


_HTML = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}


def _measured_sizes(graph: Graph) -> Iterator[int]:
    """The size of every array whose statistics the page holds; what is written as the whole gradient is not."""
    yield from (one.size for one in graph.stats.values())
    for each in graph.passes:
        yield from (one.size for one in each.gradients.values() if one is not None)
        targets = Counter(c.target.index for step in each.steps for c in step.contributions)
        for step in each.steps:
            yield from (c.stats.size for c in step.contributions if c.stats and targets[c.target.index] > 1)


def _likely(nodes: int, sizes: list[int], most: int, digits: int) -> int:
    """About how many bytes a level of detail takes, so that most graphs are written once."""
    number = digits + 3
    return 150 * nodes + sum(40 + 5 * number + (size * number if size <= most else 0) for size in sizes)


class _Table:
    """Distinct things in the order of their first use."""

    def __init__(self) -> None:
        self.place: dict[Any, int] = {}

    def __call__(self, thing: Hashable) -> int:
        return self.place.setdefault(thing, len(self.place))


class _Writer:
    """Writes one graph, keeping at most ``most`` values of an array to ``digits`` digits."""

    def __init__(self, graph: Graph, most: int, digits: int) -> None:
        self.graph, self.most, self.digits = graph, most, digits
        self.ops, self.scopes, self.shapes, self.dtypes, self.lines = (_Table() for _ in range(5))
        self.cards: dict[str, Any] = {}
        self.itemsizes: dict[str, int] = {}
        self.variables = list(_every_variable(graph))
        self.place = {var.index: i for i, var in enumerate(self.variables)}

    def data(self, title: str) -> dict[str, Any]:
        graph, at = self.graph, self.at
        data = {
            "format": FORMAT,
            "title": clean(title),
            "vars": self.vars(),
            "equations": self.equations(),
            "inputs": [at(var) for var in graph.inputs],
            "outputs": [at(var) for var in graph.outputs],
            "writes": [
                [at(w.target), None if w.value is None else at(w.value), int(w.slot == "grad")]
                for w in graph.writes
            ],
            "constants": self.constants(),
            "stats": self.of_vars(graph.stats),
            "passes": [self.backward(one) for one in graph.passes],
        }
        data["ops"] = [card_facts(name, self.cards[name]) for name in self.ops.place]
        data["scopes"] = [clean(shorten(scope, 2000)) for scope in self.scopes.place]
        data["shapes"] = [list(shape) for shape in self.shapes.place]
        data["dtypes"] = [clean(name) for name in self.dtypes.place]
        data["lines"] = [_line(*key) for key in self.lines.place]
        return data

    def at(self, var: Var) -> int:
        return self.place[var.index]

    def vars(self) -> dict[str, Any]:
        every = self.variables
        return {
            "index": [var.index for var in every],
            "shape": [self.shapes(var.shape) for var in every],
            "dtype": [self.dtypes(var.dtype) for var in every],
            "bytes": [var.size * self.itemsize(var.dtype) for var in every],
            "role": [ROLES.index(var.role) for var in every],
            "tracked": [int(var.tracked) for var in every],
            "label": {i: clean(shorten(var.label, 300)) for i, var in enumerate(every) if var.label},
        }

    def itemsize(self, dtype: str) -> int:
        if dtype not in self.itemsizes:
            self.itemsizes[dtype] = np.dtype(dtype).itemsize if dtype else 0
        return self.itemsizes[dtype]

    def equations(self) -> dict[str, Any]:
        every = self.graph.equations
        for equation in every:
            if equation.op not in self.cards:
                self.cards[equation.op] = equation.primitive or registry.get(equation.op)
        table: dict[str, Any] = {
            "op": [self.ops(equation.op) for equation in every],
            "inputs": [[self.at(var) for var in equation.inputs] for equation in every],
            "outputs": [[self.at(var) for var in equation.outputs] for equation in every],
            "scope": [self.scopes(equation.scope) for equation in every],
            "params": {
                i: [[clean(str(name)), clean(words(value))] for name, value in equation.params.items()]
                for i, equation in enumerate(every)
                if equation.params
            },
        }
        sparse: dict[str, list[Any]] = {
            "backward": [int(equation.direction == "backward") for equation in every],
            "untaped": [int(not equation.taped) for equation in every],
            "line": [self.line(equation) for equation in every],
            "ns": [None if e.seconds is None else round(e.seconds * 1e9) for e in every],
            "flops": [equation.flops for equation in every],
            "saved": [equation.saved_bytes for equation in every],
        }
        return table | {name: column for name, column in sparse.items() if any(column)}

    def line(self, equation: Equation) -> int | None:
        where = equation.position
        return None if where is None else self.lines((where.file, where.line, where.function))

    def constants(self) -> dict[int, str]:
        """Constants of one number, as text: the page writes them into the operation that uses them."""
        found = {}
        for var in self.graph.constants:
            value = self.graph.values.get(var.index)
            array = np.asarray(value) if isinstance(value, np.generic | np.ndarray | int | float) else None
            if array is not None and array.size == 1 and array.dtype.kind in "biufc":
                found[self.at(var)] = f"{array.item():.6g}" if array.dtype.kind in "fc" else str(array.item())
        return found

    def of_vars(self, stats: Mapping[int, Stats | None]) -> dict[int, Any]:
        return {self.place[i]: self.stats(one) for i, one in stats.items() if i in self.place}

    def backward(self, one: Pass) -> dict[str, Any]:
        """A pass. A contribution that is all of a gradient is written as 1 and not twice."""
        gradients = self.of_vars(one.gradients)
        steps: list[Any] = [
            [
                step.equation,
                [
                    [c.position, self.at(c.target), self.stats(c.stats)]
                    for c in step.contributions
                    if c.target.index in self.place
                ],
                None if step.seconds is None else round(step.seconds * 1e9),
            ]
            for step in one.steps
        ]
        for _, contributions, _ in steps:
            for contribution in contributions:
                whole = gradients.get(contribution[1])
                if whole is not None and contribution[2] == whole:
                    contribution[2] = 1
        return {
            "seeds": [
                [self.at(var), self.stats(stats)] for var, stats in one.seeds if var.index in self.place
            ],
            "steps": steps,
            "gradients": gradients,
            "replaced": sorted(self.place[i] for i in one.replaced if i in self.place),
        }

    def stats(self, one: Stats | None) -> list[Any] | None:
        """Numbers in a fixed order; empty ones at the end are left out."""
        if one is None:
            return None
        floats = [self.number(v) for v in (one.norm, one.mean, one.std, one.low, one.high)]
        row = [*floats, one.zeros, one.nans, one.infs, self.shapes(one.shape), bars(one.histogram), []]
        if one.values is not None and len(one.values) <= self.most:
            row[-1] = [self.number(value) for value in one.values]
        while not row[-1] and len(row) > 9:
            row.pop()
        return row

    def number(self, value: Any) -> Any:
        """A number that JSON can hold: rounded, or a word."""
        if value is None:
            return None
        if isinstance(value, complex | np.complexfloating):
            return clean(f"{complex(value):.{self.digits}g}")
        if isinstance(value, bool | np.bool_ | int | np.integer):
            return int(value)
        try:
            value = float(value)
        except (TypeError, ValueError):
            return clean(shorten(str(value), 40))
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
        value = float(f"{value:.{self.digits}g}")
        return int(value) if value.is_integer() and abs(value) < 1e6 else value


def bars(histogram: tuple[int, ...]) -> str:
    """A histogram as one letter a bar, 0 to 61 of the highest; what is not empty is seen.

    Example:
        >>> bars((0, 1, 1000, 500))
        '01Zu'
    """
    most = max(histogram, default=0)
    return "".join(DIGITS[max(count > 0, round(61 * count / most))] if most else "0" for count in histogram)


def words(value: Any, depth: int = 0) -> str:
    """A parameter in a few words, the same in every run.

    Example:
        >>> words((1, None, "a"))
        "(1, None, 'a')"
    """
    if isinstance(value, tuple | list) and depth < 3:
        inner = ", ".join(words(item, depth + 1) for item in value[:8]) + (", …" if len(value) > 8 else "")
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, np.generic):
        return f"{value.dtype} array {tuple(value.shape)}"
    if callable(value):
        return str(getattr(value, "__qualname__", type(value).__name__))
    try:
        said = repr(value)
    except Exception:  # somebody's own object, whose words may fail
        said = type(value).__name__
    return shorten(re.sub(r" at 0x[0-9a-fA-F]+", "", said), 120)


def _every_variable(graph: Graph) -> list[Var]:
    """Every variable that anything names; a tape's graph may use values that no list of it has."""
    used = [var for equation in graph.equations for var in equation.inputs]
    written = [var for write in graph.writes for var in (write.target, write.value) if var is not None]
    every = {var.index: var for var in (*used, *written, *graph.outputs)}
    every |= {var.index: var for var in graph.variables}
    return [every[index] for index in sorted(every)]


def _line(file: str, line: int, function: str) -> list[Any]:
    """A place in the code with the text that stands there now, if the file can be read."""
    try:
        text = linecache.getline(file, line).strip()
    except (OSError, SyntaxError, UnicodeError, ValueError):
        text = ""
    return [clean(file), line, clean(function), clean(shorten(text, 200))]
