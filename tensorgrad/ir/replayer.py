"""Run a recorded program on other arguments."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from .._config import no_grad
from .._data import as_data
from .._errors import ShapeError, TraceError
from .._primitive import Value
from .._specialise import ARRAYS
from .._tree import flatten_like, unflatten
from .graph import Graph, Var


def replay(graph: Graph, *args: Any) -> Any:
    """Run ``graph`` on ``args``, and write to what it captured what it wrote when it was recorded.

    Args:
        graph: the program.
        args: as many arguments as the examples had leaves, of their shapes and dtypes.

    Returns:
        The outputs, in the structure that the recorded function returned. Arrays give arrays.

    Raises:
        TraceError: the arguments do not have the shapes and dtypes that it was recorded for, or the graph is no
            program that could be run.
    """
    if graph.input_tree is None:
        raise TraceError(
            "replay: only traced programs can be run; one that was read from a file only if all its ops are this "
            "library's and all its arrays were written, which to_json(graph, values=...) with a larger number does"
        )
    if len(args) != len(graph.input_tree.children):
        raise TraceError(f"replay: {len(args)} arguments given, {len(graph.input_tree.children)} recorded")
    try:
        leaves = flatten_like(graph.input_tree, args, "replay")
    except ShapeError as error:
        raise TraceError(str(error)) from None
    given = [leaf if isinstance(leaf, Value) or type(leaf) in ARRAYS else as_data(leaf) for leaf in leaves]
    for var, value in zip(graph.inputs, given, strict=True):
        if tuple(value.shape) != var.shape or str(value.dtype) != var.dtype:
            raise TraceError(
                f"replay: {var} was recorded as {var.dtype}{list(var.shape)}, given {value.dtype}{list(value.shape)}; "
                "trace again for other shapes or dtypes"
            )
    # A program with updates of its own is a whole step: its results have no history, as in the original.
    with no_grad() if graph.writes else nullcontext():
        values = _run(graph, given)
    with no_grad():
        for write in graph.writes:
            target = graph.values[write.target.index]
            value = None if write.value is None else values[write.value.index]
            if write.slot == "grad":
                target.grad = value
            else:
                target[...] = value
    return unflatten(graph.result_tree, [values[var.index] for var in graph.outputs])


def _run(graph: Graph, given: list[Any]) -> dict[int, Any]:
    """The values that remain when all equations were applied."""
    values: dict[int, Any] = dict(zip([var.index for var in graph.inputs], given, strict=True))
    values |= {var.index: graph.values[var.index] for var in (*graph.captured, *graph.constants)}
    dead_after = _last_uses(graph)
    for number, equation in enumerate(graph.equations):
        results = equation.primitive.op(*[values[v.index] for v in equation.inputs], **equation.params)
        # What stands for a fused op inside of a transformation leaves out what the op notes for its own pullback.
        whole = equation.primitive.composite is None
        for var, value in zip(
            equation.outputs, results if equation.primitive.several else (results,), strict=whole
        ):
            values[var.index] = value
        for index in dead_after.get(number, ()):
            values.pop(index, None)
    return values


def _last_uses(graph: Graph) -> dict[int, list[int]]:
    """After which equation each result may be dropped: a program holds no more than it still needs."""
    kept = {var.index for var in graph.outputs} | {
        write.value.index for write in graph.writes if write.value is not None
    }
    last: dict[Var, int] = {}
    for number, equation in enumerate(graph.equations):
        for var in (*equation.inputs, *equation.outputs):
            if var.role == "result" and var.index not in kept:
                last[var] = number
    dropped: dict[int, list[int]] = {}
    for var, number in last.items():
        dropped.setdefault(number, []).append(var.index)
    return dropped
