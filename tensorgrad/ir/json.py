"""A graph as a JSON text, and back: to keep it, to send it, to look at it with other programs.

The schema is described in ``docs/graph-schema.md``. It follows the classes of `tensorgrad.ir.graph`: an object
for each variable and each equation, a field for each attribute that is not at its default. The text is strict
JSON in ASCII, the same for the same graph.

A file may come from anybody, so reading believes nothing: every field is checked, and what a file names is
looked up among the library's own cards and never imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args

from .._errors import DtypeError, FileFormatError
from .._primitive import registry
from ._programs import cannot_run, card_for, program_node, program_of
from ._values import (
    Node,
    Refused,
    array_of,
    boolean,
    count,
    decoded,
    each,
    encoded,
    entry,
    entry_of,
    field,
    is_data,
    known_dtype,
    number,
    number_of,
    object_of,
    pair_of,
    shape_of,
    short,
    string,
    tuple_of,
)
from .graph import Contribution, Equation, Graph, Pass, Position, Role, Stats, Step, Var, Write

FORMAT = "tensorgrad-graph"
VERSION = 1

VALUES = 10_000
"""Elements of the greatest array that is written with its values."""


def to_json(graph: Graph, indent: int | None = None, *, values: int = VALUES) -> str:
    """Write a graph as JSON text.

    Parameters and constants are written with their values, so whoever gets the text gets these. What JSON has no
    words for (NaN, tuples, dtypes) is marked; what is no data (a function, a generator) is described.

    Args:
        graph: what to write.
        indent: how many spaces to indent by; None for everything on one line.
        values: arrays and tensors of at most that many elements are written with their values. A graph that has
            all of them, and only ops of the library, can be run again when it is read.

    Returns:
        The text, in ASCII and without ``<``, ``>`` and ``&``, so that it can stand in a page. The same graph gives
        the same text.

    Example:
        >>> import tensorgrad as tg
        >>> text = to_json(tg.trace(lambda x: (x * x).sum(), tg.ones(3)))
        >>> text[:52]
        '{"format":"tensorgrad-graph","version":1,"variables"'
        >>> from_json(text)(tg.tensor([1.0, 2.0, 3.0]))
        tensor(14.)

    Source:
        IETF RFC 8259, "The JavaScript Object Notation (JSON) Data Interchange Format".
    """
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(_Schema(values).write(graph), indent=indent, separators=separators, allow_nan=False)
    # These stand in strings only.
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def from_json(text: str) -> Graph:
    """Read a graph that `to_json` wrote.

    Args:
        text: what it wrote.

    Returns:
        The graph, equal to the one written if that has only data. It can be run if all its ops are the library's
        and all its constants and captured tensors were written with their values; these are tensors of its own.

    Raises:
        FileFormatError: the text is no graph, damaged, or of another version; the message names the place.
        DtypeError: ``text`` is no string.

    Example:
        >>> from_json('{"format": "tensorgrad-graph", "version": 99}')
        Traceback (most recent call last):
        tensorgrad._errors.FileFormatError: from_json: version 99 of the format; this version of tensorgrad reads 1
    """
    if not isinstance(text, str):
        raise DtypeError(
            f"from_json: a {type(text).__name__} given; give the text itself, as by Path.read_text()"
        )
    try:
        whole = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise FileFormatError("from_json: the text is nested too deeply to be a graph") from None
    except (ValueError, Refused) as error:
        raise FileFormatError(f"from_json: the text is no JSON: {error}") from None
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise FileFormatError(f'from_json: the text is no graph; one begins with {{"format": "{FORMAT}"')
    if whole.get("version") != VERSION or type(whole["version"]) is not int:
        found = short(whole.get("version"))
        raise FileFormatError(
            f"from_json: version {found} of the format; this version of tensorgrad reads {VERSION}"
        )
    try:
        return _Schema().read(whole)
    except Refused as refusal:
        place = refusal.place.lstrip(".")
        raise FileFormatError(f"from_json: {place + ': ' if place else ''}{refusal}") from None


# ---- the schema: for each class its fields; how one is written, how it is read, and its default

REQUIRED = ("variables", "inputs", "captured", "constants", "equations", "outputs")
OPTIONAL = ("writes", "values", "program", "stats", "passes")


class _Record:
    """How one class is written and read: ``name=(write, read)``, or ``(write, read, default)``."""

    def __init__(self, make: Callable[..., Any], **fields: tuple[Any, ...]) -> None:
        self.make = make
        self.fields = fields

    def write(self, thing: Any) -> dict[str, Node]:
        """The fields that are not at their defaults."""
        found = {}
        for name, (write, _, *default) in self.fields.items():
            value = getattr(thing, name)
            if not default or value != default[0]:
                found[name] = write(value)
        return found

    def read(self, node: Node, **more: Any) -> Any:
        """The thing itself; ``more`` are attributes that are no fields."""
        if extra := sorted(object_of(node).keys() - self.fields.keys()):
            raise Refused(f"{short(extra[0])} is no field here; known are {', '.join(self.fields)}")
        for name, (_, read, *default) in self.fields.items():
            more[name] = default[0] if default and name not in node else field(node, name, read)
        return self.make(**more)


class _Schema:
    """The records of all classes, and what holds a graph together.

    Args:
        most: elements of the greatest array that is written with its values.
    """

    def __init__(self, most: int = 0) -> None:
        self.most = most
        self.variables: dict[int, Var] = {}  # filled first when a graph is read; the other records look here
        var, known = (_index, self._known), (_indices, tuple_of(self._known))
        self.variable = _Record(
            Var,
            index=COUNT,
            shape=SHAPE,
            dtype=DTYPE,
            role=_one_of(Role),
            label=(*TEXT, ""),
            tracked=(*FLAG, False),
        )
        position = _Record(Position, file=TEXT, line=COUNT, function=(*TEXT, ""))
        self.equation = _Record(
            Equation, op=TEXT, inputs=known, outputs=known, params=(self._write_params, _read_params, {}),
            scope=(*TEXT, ""), direction=(*_one_of(Literal["forward", "backward"]), "forward"), taped=(*FLAG, True),
            position=(position.write, position.read, None), seconds=(*NUMBER, None), flops=(*COUNT, None),
            saved_bytes=(*COUNT, None),
        )  # fmt: skip
        self.write_ = _Record(
            Write, target=var, value=_or_null(var), slot=(*_one_of(Literal["data", "grad"]), "data"),
            after=(*COUNT, None),
        )  # fmt: skip
        self.stats = _Record(
            Stats, shape=SHAPE, dtype=DTYPE, nans=(*COUNT, 0), infs=(*COUNT, 0), zeros=(*COUNT, 0), low=(*NUMBER, None),
            high=(*NUMBER, None), mean=(*NUMBER, None), std=(*NUMBER, None), norm=(*NUMBER, 0.0),
            histogram=(*_listed(*COUNT), ()), values=(*_listed(entry, entry_of), None),
        )  # fmt: skip
        stats = _or_null((self.stats.write, self.stats.read))
        contribution = _Record(Contribution, position=COUNT, target=var, stats=(*stats, None))
        step = _Record(
            Step, equation=COUNT, cotangents=_listed(*stats),
            contributions=_listed(contribution.write, contribution.read), seconds=(*NUMBER, None),
        )  # fmt: skip
        self.pass_ = _Record(
            Pass, seeds=_listed(*_pair(var, stats)), steps=_listed(step.write, step.read),
            gradients=(lambda found: _write_map(found, stats[0]), lambda node: self._read_map(node, stats[1])),
            replaced=(sorted, lambda node: frozenset(tuple_of(count)(node)), frozenset()),
        )  # fmt: skip

    # ---- writing

    def write(self, graph: Graph) -> Node:
        """All of a graph."""
        values = {index: encoded(graph.values[index], self.most) for index in sorted(graph.values)}
        # What is too large is left out, not described: the variable says all that a description would.
        values = {index: node for index, node in values.items() if is_data(node)}
        equations = [self._write_equation(equation) for equation in graph.equations]
        whole = {
            "format": FORMAT,
            "version": VERSION,
            "variables": [self.variable.write(var) for var in _everything(graph)],
            "inputs": _indices(graph.inputs),
            "captured": _indices(graph.captured),
            "constants": _indices(graph.constants),
            "equations": equations,
            "outputs": _indices(graph.outputs),
            "writes": [self.write_.write(write) for write in graph.writes],
            "values": {str(index): node for index, node in values.items()},
            "program": program_node(graph, equations, values),
            "stats": _write_map(graph.stats, self.stats.write),
            "passes": [self.pass_.write(one) for one in graph.passes],
        }
        return {name: node for name, node in whole.items() if node or name not in OPTIONAL}

    def _write_equation(self, equation: Equation) -> Node:
        ours = equation.primitive is not None and registry.get(equation.op) is equation.primitive
        return {**self.equation.write(equation), **({"library": True} if ours else {})}

    def _write_params(self, params: Mapping[str, Any]) -> Node:
        return {name: encoded(value, self.most) for name, value in params.items()}

    # ---- reading

    def read(self, whole: Node) -> Graph:
        """All of a graph, checked: every value is there once, before it is used."""
        for name in REQUIRED:
            field(whole, name, lambda node: None)
        if extra := sorted(whole.keys() - {*REQUIRED, *OPTIONAL, "format", "version"}):
            raise Refused(f"{short(extra[0])} is no field of a graph")
        self.defined: set[int] = set()
        field(whole, "variables", lambda nodes: each(array_of(nodes), self._read_variable))
        leaves = {
            name: field(whole, name, tuple_of(self._read_leaf))
            for name in ("inputs", "captured", "constants")
        }
        equations = field(whole, "equations", tuple_of(self._read_equation))
        optional = {
            "outputs": tuple_of(self._defined),
            "writes": tuple_of(self._read_write),
            "values": lambda node: self._read_map(node, decoded),
            "program": program_of,
            "stats": lambda node: self._read_map(node, self.stats.read),
            "passes": tuple_of(lambda node: self._read_pass(node, equations)),
        }
        more = {name: field(whole, name, read) for name, read in optional.items() if name in whole}
        input_tree, result_tree = more.pop("program", (None, None))
        graph = Graph(**leaves, equations=equations, input_tree=input_tree, result_tree=result_tree, **more)
        if input_tree is not None and (why := cannot_run(graph)):
            raise Refused(why).inside("program")
        return graph

    def _read_variable(self, node: Node) -> None:
        var = self.variable.read(node)
        if var.index in self.variables:
            raise Refused(f"there are two variables with the number {var.index}").inside("index")
        self.variables[var.index] = var

    def _read_leaf(self, node: Node) -> Var:
        var = self._known(node)
        self.defined.add(var.index)
        return var

    def _read_equation(self, node: Node) -> Equation:
        ours = field(node, "library", boolean) if "library" in object_of(node) else False
        equation: Equation = self.equation.read(
            {name: one for name, one in node.items() if name != "library"}
        )
        for place, var in enumerate(equation.inputs):
            self._check_defined(var, "inputs", place)
        for place, var in enumerate(equation.outputs):
            if var.index in self.defined:
                raise Refused(f"variable {var.index} has a value already").inside(place).inside("outputs")
            self.defined.add(var.index)
        object.__setattr__(
            equation, "primitive", card_for(equation) if ours else None
        )  # it is ours alone still
        return equation

    def _read_write(self, node: Node) -> Write:
        write: Write = self.write_.read(node)
        for name in ("target", "value"):
            if (var := getattr(write, name)) is not None:
                self._check_defined(var, name)
        return write

    def _read_pass(self, node: Node, equations: tuple[Equation, ...]) -> Pass:
        one: Pass = self.pass_.read(node)
        for place, step in enumerate(one.steps):
            if step.equation >= len(equations):
                raise Refused(f"there is no equation {step.equation}").inside(place).inside("steps")
            inputs = equations[step.equation].inputs
            for item in step.contributions:
                if item.position >= len(inputs) or inputs[item.position] != item.target:
                    what = f"input {item.position} of equation {step.equation} is not variable {item.target.index}"
                    raise Refused(what).inside(place).inside("steps")
        return one

    def _read_map(self, node: Node, read: Callable[[Node], Any]) -> dict[int, Any]:
        """Something for each of some variables."""
        found = {}
        for key in object_of(node):
            if not (key.isascii() and key.isdigit() and len(key) < 20 and str(int(key)) == key):
                raise Refused(f"{short(key)} is no number of a variable")
            self._known(int(key))
            found[int(key)] = field(node, key, read)
        return found

    def _known(self, node: Node) -> Var:
        if (var := self.variables.get(count(node))) is None:
            raise Refused(f"there is no variable {node}")
        return var

    def _defined(self, node: Node) -> Var:
        var = self._known(node)
        self._check_defined(var)
        return var

    def _check_defined(self, var: Var, *place: str | int) -> None:
        if var.index not in self.defined and var.role != "unknown":
            refusal = Refused(f"variable {var.index} has no value yet; equations stand in the order they ran")
            for step in reversed(place):
                refusal.inside(step)
            raise refusal


# ---- parts of records


def _listed(write: Callable[[Any], Node], read: Callable[[Node], Any]) -> tuple[Any, Any]:
    return (lambda values: list(map(write, values))), tuple_of(read)


def _or_null(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    return tuple([lambda one, way=way: None if one is None else way(one) for way in pair])  # type: ignore[return-value]


def _pair(first: tuple[Any, Any], second: tuple[Any, Any]) -> tuple[Any, Any]:
    return (lambda pair: [first[0](pair[0]), second[0](pair[1])]), pair_of(first[1], second[1])


def _one_of(words: Any) -> tuple[Any, Any]:
    def read(node: Node) -> str:
        if type(node) is not str or node not in get_args(words):
            raise Refused(f"{short(node)} is none of {', '.join(get_args(words))}")
        return node

    return str, read


def _dtype(node: Node) -> str:
    """The dtype of a variable; that of an unknown value is empty."""
    if string(node):
        known_dtype(node)
    return str(node)


def _index(var: Var) -> int:
    return int(var.index)


def _indices(variables: Iterable[Var]) -> list[int]:
    return [int(var.index) for var in variables]


def _write_map(found: Mapping[int, Any], write: Callable[[Any], Node]) -> Node:
    return {str(index): write(found[index]) for index in sorted(found)}


def _read_params(node: Node) -> dict[str, Any]:
    return {name: field(node, name, decoded) for name in object_of(node)}


COUNT, NUMBER = (int, count), (number, number_of)
TEXT, FLAG, DTYPE = (str, string), (bool, boolean), (str, _dtype)
SHAPE = (lambda shape: [int(length) for length in shape]), shape_of


def _everything(graph: Graph) -> list[Var]:
    """Every variable that is named anywhere, by number."""
    found = {var.index: var for var in graph.variables}
    more = [var for equation in graph.equations for var in equation.inputs]
    more += [var for write in graph.writes for var in (write.target, write.value) if var is not None]
    for one in graph.passes:
        more += [var for var, _ in one.seeds]
        more += [item.target for step in one.steps for item in step.contributions]
    for var in (*graph.outputs, *more):
        found.setdefault(var.index, var)
    return [found[index] for index in sorted(found)]


# ---- strict JSON


def _object(pairs: list[tuple[str, Node]]) -> dict[str, Node]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("an object has the same field twice")
    return found


def _no_constant(name: str) -> Node:
    raise Refused(f"{name} is no JSON; it is written as a string")
