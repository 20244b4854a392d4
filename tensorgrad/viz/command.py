"""``python -m tensorgrad graph``: run a function by its name, and draw what it computed."""

from __future__ import annotations

import argparse
import inspect
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad._errors import TensorgradError
from tensorgrad._target import UsageError, find, literal, said, shape
from tensorgrad._tensor import Tensor
from tensorgrad._tree import flatten
from tensorgrad.ir.graph import Graph
from tensorgrad.ir.recorder import Run, record
from tensorgrad.nn import Module
from tensorgrad.viz._scene import headline
from tensorgrad.viz.picture import Picture, graph

DRAWN, REFUSED = 0, 2
"""Exit statuses."""

WRITERS: dict[str, Callable[[Picture], str]] = {
    ".html": lambda picture: picture.to_html(),
    ".dot": lambda picture: picture.to_dot(),
    ".gv": lambda picture: picture.to_dot(),
    ".mmd": lambda picture: picture.to_mermaid(),
    ".txt": lambda picture: picture.to_text(width=120),
    ".json": lambda picture: picture.to_json(),
}
RENDERED = (".svg", ".png", ".pdf")


def run(arguments: argparse.Namespace) -> int:
    """Draw what the command line names.

    Args:
        arguments: as `tensorgrad.cli` parses them.

    Returns:
        0 if it was drawn, 2 if the arguments cannot be used or the function failed.
    """
    try:
        check_ending(arguments.out)
        picture = drawn(arguments)
        said_where = write(picture, arguments)
    except (UsageError, TensorgradError, TypeError, ValueError, RuntimeError, OSError) as error:
        print(f"tensorgrad graph: {error}", file=sys.stderr)
        return REFUSED
    try:
        print(said_where, flush=True)
    except BrokenPipeError:  # the reader had enough; what is still buffered goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DRAWN


def drawn(arguments: argparse.Namespace) -> Picture:
    """The picture of what the target computes.

    Raises:
        UsageError: the target cannot be found, needs inputs, or raises.
    """
    target = find(arguments.target)
    options = {
        "passes": arguments.passes, "depth": arguments.depth, "fold_repeats": arguments.fold_repeats,
        "colour": arguments.colour, "title": arguments.title or "",
    }  # fmt: skip
    if arguments.show:
        options["show"] = arguments.show.split(",")
    given = {name: value for name, value in options.items() if value not in (None, False, "")}
    return graph(
        target if isinstance(target, Tensor | Picture | Run | Graph) else recorded(target, arguments), **given
    )


def recorded(target: Any, arguments: argparse.Namespace) -> Any:
    """What the target computes on its inputs, recorded; with its backward pass, if it gives one number."""
    f = function(target, arguments.target)
    inputs = arguments_for(f, arguments)
    with record() as run:
        try:
            result = f(*inputs)
            outputs = [x for x in flatten(result)[0] if isinstance(x, Tensor)] if result is not None else []
            alone = len(outputs) == 1 and outputs[0].size == 1 and outputs[0].requires_grad
            if alone and not arguments.forward and not run.graph.passes:
                outputs[0].backward()
        except Exception as error:
            raise UsageError(f"{arguments.target} raised {said(error)}") from error
    if isinstance(result, Picture | Run | Graph):
        return result
    if not run.graph.equations:
        raise UsageError(
            f"{arguments.target} ran no operation on tensors; arrays in, arrays out is not recorded"
        )
    return run


def function(target: Any, name: str) -> Callable[..., Any]:
    """What to call: a function, a module, or the model of a class of modules.

    Raises:
        UsageError: it cannot be called.
    """
    if isinstance(target, type) and issubclass(target, Module):
        try:
            return target()
        except TypeError as error:
            raise UsageError(
                f"{name} is a class whose objects need arguments ({error}); name a function that makes and calls one"
            ) from error
    if isinstance(target, type) or not callable(target):
        kind = "class" if isinstance(target, type) else type(target).__name__
        raise UsageError(f"{name} is a {kind}; name a function, a model, a tensor, a run or a graph")
    made: Callable[..., Any] = target
    return made


def arguments_for(f: Callable[..., Any], arguments: argparse.Namespace) -> list[Any]:
    """The inputs that the command line gives, one shape for all included.

    Raises:
        UsageError: they are fewer or more than the function takes.
    """
    if arguments.input and arguments.shape:
        raise UsageError("give either --input for each input, or --shape")
    called = f.forward if isinstance(f, Module) else f
    parameters = [
        one
        for one in inspect.signature(called).parameters.values()
        if one.kind not in (one.VAR_KEYWORD, one.KEYWORD_ONLY)
    ]
    needed = [
        one.name for one in parameters if one.default is one.empty and one.kind is not one.VAR_POSITIONAL
    ]
    if arguments.input:
        inputs = [np.array(literal(word), arguments.dtype) for word in arguments.input]
    else:
        rng = np.random.default_rng(arguments.seed)
        shapes = [shape(word) for word in arguments.shape]
        shapes = shapes * len(needed) if len(shapes) == 1 and len(needed) > 1 else shapes
        inputs = [rng.standard_normal(size).astype(arguments.dtype or np.float32) for size in shapes]
    many = any(one.kind is one.VAR_POSITIONAL for one in parameters)
    if len(inputs) < len(needed) or (len(inputs) > len(parameters) and not many):
        raise UsageError(
            f"{arguments.target} takes {', '.join(needed) or 'no arguments'}, and {len(inputs)} given; "
            "give --shape 3,4 for each, or once for all, or --input with the numbers"
        )
    return [Tensor(one, requires_grad=one.dtype.kind in "fc" and not isinstance(f, Module)) for one in inputs]


def write(picture: Picture, arguments: argparse.Namespace) -> str:
    """Write the picture where it shall go; what to print about it."""
    if arguments.out is None:
        return picture.to_text(shutil.get_terminal_size((100, 24)).columns)
    out: Path = arguments.out
    if out.suffix.lower() in RENDERED:
        picture.render(out, engine=arguments.engine)
    else:
        out.write_text(WRITERS[out.suffix.lower()](picture), encoding="utf-8")
    return f"wrote {out}: {headline(picture.graph)}"


def check_ending(out: Path | None) -> None:
    """Refuse a file name whose ending says nothing, before anything runs."""
    if out is not None and out.suffix.lower() not in (*WRITERS, *RENDERED):
        known = ", ".join([".html", *RENDERED, *list(WRITERS)[1:]])
        raise UsageError(f"-o {out}: the ending says what to write; it is one of {known}")
