"""`diff`: what differs between two computations, op by op, and where their numbers part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import Any

from .._tensor import Tensor
from ..ir import Equation, Graph
from ..viz import compare
from .difference_text import rows_of, summary, titles, unified
from .divergence import Backward, Divergence, Source, Tolerance, first_gradient, first_value
from .matching import FREE, matched
from .statements import Labels, Program

_WORDS = {
    "parameters": "parameters",
    "numbers": "number",
    "shapes": "shape",
    "dtypes": "dtype",
}


@dataclass(frozen=True)
class Change:
    """A statement that is in the same place on both sides, and is not the same.

    Args:
        before: as it is in the first computation.
        after: as it is in the second.
        what: what differs: ``"op"``, ``"parameters"``, ``"number"`` (one that stands among the arguments),
            ``"shape"``, ``"dtype"``, ``"scope"``, ``"direction"``, ``"taped"``, ``"inputs"``.
    """

    before: Equation
    after: Equation
    what: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """What differs between two computations. True if anything does; printed as a unified diff.

    Equations here are those of the graphs, and besides one without arguments for each leaf (its op is
    the role, ``"input"``, ``"captured"``, ``"constant"`` or ``"unknown"``), ``write`` for each write and ``return``.

    Args:
        a: the first graph.
        b: the second.
        added: what only the second has, in its order.
        removed: what only the first has, in its order.
        changed: what is in the same place, and other.
        matched: all pairs, changed or not, in the order of the first.
        first_value: the first op whose value differs, in the order of the first program.
        first_gradient: the first whose gradient differs, in the order of the last backward pass.
    """

    a: Graph
    b: Graph
    added: tuple[Equation, ...]
    removed: tuple[Equation, ...]
    changed: tuple[Change, ...]
    matched: tuple[tuple[Equation, Equation], ...] = field(repr=False)
    first_value: Divergence | None
    first_gradient: Divergence | None
    programs: tuple[Program, Program] = field(repr=False, compare=False)
    mates: tuple[int, ...] = field(repr=False, compare=False)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.first_value or self.first_gradient)

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, *, context: int = 3, colour: bool = False) -> str:
        """A unified diff: what is removed behind ``-``, what is added behind ``+``, and where numbers part.

        Args:
            context: how many lines around a difference are shown.
            colour: whether to colour it, for terminals.

        Returns:
            The text. Variables have the numbers of the second program; ``%a3`` is ``%3`` of the first.

        Example:
            >>> import tensorgrad as tg
            >>> f, g = lambda x: tg.exp(x).sum(axis=0), lambda x: tg.exp(x).sum(axis=1)
            >>> print(tg.diff(tg.trace(f, tg.ones((2, 2))), tg.trace(g, tg.ones((2, 2)))).to_text(context=0))
            --- a: 2 ops
            +++ b: 2 ops
            1 changed
            @@ -3,1 +3,1 @@
            - %2: float32[2] = sum(%1, axis=0)
            + %2: float32[2] = sum(%1, axis=1)    <- parameters
        """
        rows = self.rows if context <= compare.MOST else rows_of(self, context)
        return unified(self, rows, context=context, colour=colour)

    def to_html(self, path: str | PathLike[str] | None = None) -> str:
        """Both programs side by side as one page that needs nothing from elsewhere.

        Args:
            path: where to write it, if anywhere.

        Returns:
            The page.

        Example:
            >>> import tensorgrad as tg
            >>> graph = tg.trace(tg.exp, tg.ones(2))
            >>> tg.diff(graph, graph).to_html().startswith("<!doctype html>")
            True
        """
        text = compare.page(self.rows, summary(self), *titles(self))
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return text

    def _repr_html_(self) -> str:
        return compare.fragment(self.rows, summary(self), *titles(self))

    @cached_property
    def rows(self) -> tuple[compare.Row, ...]:
        """Both programs line by line, for those who draw them."""
        return rows_of(self)


def diff(a: Any, b: Any, /, *, rtol: float | None = None, atol: float | None = None) -> Difference:
    """What differs between two computations: ops, wiring, and where their numbers part.

    Numbers of variables, names of leaves, and the order of ops that do not depend on each other are no
    differences. Ops are matched by what they are and by what they are tied to, so that one op put in
    near the start is one difference, not a thousand.

    Args:
        a: an `ir.Graph` (as `trace` gives), a run (as `record` gives), a picture, or a tensor, of which the
            tape is read.
        b: the other.
        rtol: how far values may be apart, relative to them; by default two thirds of the digits of their dtype.
        atol: how far besides; by default ``rtol`` times the greatest entry, and 0 if ``rtol`` is given.

    Returns:
        The difference: true if there is any; print it, or write it with ``to_html``. Values and gradients are
        compared where both sides were recorded: entry by entry if the run kept the arrays, else by statistics.
        Constants of traces are compared, too. NaN equals NaN.

    Raises:
        TypeError: an argument is none of these.

    Example:
        >>> import tensorgrad as tg
        >>> old = tg.trace(lambda x, w: tg.tanh(x @ w).sum(), tg.ones((2, 3)), tg.ones(3))
        >>> new = tg.trace(lambda x, w: tg.relu(tg.tanh(x @ w)).sum(), tg.ones((2, 3)), tg.ones(3))
        >>> difference = tg.diff(old, new)
        >>> [one.op for one in difference.added], difference.removed, difference.changed[0].what
        (['relu'], (), ('inputs',))
        >>> print(difference)
        --- a: 3 ops
        +++ b: 4 ops
        1 added, 1 changed
        @@ -2,5 +2,6 @@
          %1 w: float32[3] = input
          %2: float32[2] = matmul(%0, %1)
          %3: float32[2] = tanh(%2)
        + %4: float32[2] = relu(%3)
        - %5: float32[] = sum(%3)
        + %5: float32[] = sum(%4)    <- inputs
          return %5
    """
    graphs = graph_of(a, "the first argument"), graph_of(b, "the second argument")
    labels = Labels()
    programs = Program(graphs[0], labels), Program(graphs[1], labels)
    mates = matched(*programs, labels)
    statements = programs[0].statements, programs[1].statements
    taken = set(mates)
    pairs = [(i, j) for i, j in enumerate(mates) if j != FREE]
    changed = [(i, j, differing(*programs, mates, i, j)) for i, j in pairs]
    tolerance = Tolerance(rtol, atol)
    return Difference(
        *graphs,
        added=tuple([s for j, s in enumerate(statements[1]) if j not in taken]),
        removed=tuple([s for s, j in zip(statements[0], mates, strict=True) if j == FREE]),
        changed=tuple([Change(statements[0][i], statements[1][j], what) for i, j, what in changed if what]),
        matched=tuple([(statements[0][i], statements[1][j]) for i, j in pairs]),
        first_value=first_value(
            ((statements[0][i], statements[1][j]) for i, j in pairs), _values(a, graphs[0]), _values(b, graphs[1]),
            tolerance,
        ),
        first_gradient=_first_gradient((a, b), programs, mates, tolerance),
        programs=programs,
        mates=tuple(mates),
    )  # fmt: skip


def graph_of(what: Any, name: str = "the argument", function: str = "diff") -> Graph:
    """The graph of a run, a picture or a tensor.

    Args:
        what: one of these, or a graph.
        name: what to call it in an error.
        function: who asks, for an error.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(what, Graph):
        return what
    found = getattr(what, "graph", None)
    if isinstance(found, Graph):
        return found
    if isinstance(what, Tensor):
        from .. import ir

        tape: Graph = ir.of_tape(what)  # type: ignore[attr-defined,unused-ignore]
        return tape
    hint = "; a function is traced with tg.trace(f, *examples)" if callable(what) else ""
    raise TypeError(
        f"{function}: {name} is a {type(what).__name__}; give a graph, a run, a picture or a tensor{hint}"
    )


def differing(a: Program, b: Program, mates: list[int], i: int, j: int) -> tuple[str, ...]:
    """What differs between two mates."""
    found = []
    if a.exact[i] != b.exact[j]:
        left, right = a.facts(i), b.facts(j)
        found = [_WORDS.get(name, name) for name in left if left[name] != right[name]]
        if len(a.sources[i]) != len(b.sources[j]) and "number" in found:
            found.remove("number")
    if b.sources[j] != tuple([s and (mates[s[0]], s[1]) for s in a.sources[i]]):
        found.append("inputs")
    return tuple(found)


# ---- parts


def _values(what: Any, graph: Graph) -> Source:
    """What is known of the values on one side."""
    constants = {v.index: graph.values[v.index] for v in graph.constants if v.index in graph.values}
    arrays = getattr(what, "arrays", None)
    return Source({**constants, **arrays} if isinstance(arrays, Mapping) else constants, graph.stats)


def _backward(what: Any, graph: Graph) -> Backward | None:
    """The last backward pass of one side."""
    if not graph.passes:
        return None
    known = not isinstance(what, Graph) and hasattr(what, "gradients") and hasattr(what, "contributions")
    arrays = what.gradients() if known else {}
    return Backward(
        graph.passes[-1], Source(arrays, graph.gradients), what.contributions() if known else None
    )


def _first_gradient(
    sides: tuple[Any, Any], programs: tuple[Program, Program], mates: list[int], tolerance: Tolerance
) -> Divergence | None:
    graphs = programs[0].graph, programs[1].graph
    left, right = _backward(sides[0], graphs[0]), _backward(sides[1], graphs[1])
    if left is None or right is None:
        return None
    first = programs[0].leaves, programs[1].leaves

    def mate(equation: int) -> int | None:
        """The number of an equation of the first in the second."""
        j = mates[equation + first[0]]
        return j - first[1] if first[1] <= j < programs[1].ends else None

    leaves = [(i, mates[i]) for i in range(first[0]) if 0 <= mates[i] < first[1]]
    pairs = ((programs[0].statements[i], programs[1].statements[j]) for i, j in leaves)
    return first_gradient(left, right, mate, (graphs[0].equations, graphs[1].equations), pairs, tolerance)
