"""A graph as a picture file: by Graphviz where it is installed, else by the layout of this package."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Literal, get_args

from tensorgrad.ir.graph import Graph
from tensorgrad.viz.dot import graph_dot
from tensorgrad.viz.options import Options, changed
from tensorgrad.viz.svg import graph_svg

Engine = Literal["dot", "pygraphviz", "builtin"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
FORMATS = ("svg", "png", "pdf")


def render(
    graph: Graph,
    path: str | os.PathLike[str],
    options: Options | None = None,
    *,
    engine: Engine | None = None,
    **changes: Any,
) -> Path:
    """Draw a recorded graph into a file.

    The first engine that is there draws it: the ``dot`` program of Graphviz, the package pygraphviz, or
    the layout of this package, which writes SVG only, but follows the reader's light or dark setting.

    Args:
        graph: what to draw.
        path: the file to write; its ending (.svg, .png or .pdf) says in which format.
        options: what to show.
        engine: the one to use, ``"dot"``, ``"pygraphviz"`` or ``"builtin"``; None for the first that can.
        **changes: fields of `Options` by name, such as ``title="a step"``, instead of or besides ``options``.

    Returns:
        The path written.

    Raises:
        ValueError: the ending or the engine is another one, or the engine cannot write this format.
        RuntimeError: the engine that is asked for, or any that the format needs, is not installed, or it
            failed.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "empty.svg"
        >>> render(Graph((), (), (), (), ()), file, engine="builtin").name
        'empty.svg'
    """
    options = changed(options, changes)
    target = Path(path)
    kind = target.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise ValueError(f"render: cannot write {target.name!r}; let the name end in .svg, .png or .pdf")
    if engine is not None and engine not in ENGINES:
        raise ValueError(f"render: engine takes {', '.join(map(repr, ENGINES))} or None, not {engine!r}")
    if engine == "builtin" and kind != "svg":
        raise ValueError(
            f"render: engine='builtin' writes .svg only, not .{kind}; "
            "leave engine out, or pip install 'tensorgrad[viz]' for engine='pygraphviz'"
        )
    for one in ENGINES if engine is None else [engine]:
        drawn = _drawn(graph, options, kind, one)
        if drawn is not None:
            target.write_bytes(drawn)
            return target
    if engine is None:
        raise RuntimeError(
            f"render: a .{kind} file needs Graphviz, which is not installed; "
            "pip install 'tensorgrad[viz]', or apt-get install graphviz, or write an .svg file"
        )
    raise RuntimeError(f"render: {_ABSENT[engine]}, or leave engine out")


_ABSENT = {
    "dot": "engine='dot' needs the dot program, which is not installed; apt-get install graphviz",
    "pygraphviz": "engine='pygraphviz' needs pygraphviz, which is not installed; pip install 'tensorgrad[viz]'",
}


def _drawn(graph: Graph, options: Options, kind: str, engine: Engine) -> bytes | None:
    """The file's content, None if the engine is not installed or cannot write this format."""
    if engine == "dot":
        return _by_program(graph, options, kind)
    if engine == "pygraphviz":
        return _by_library(graph, options, kind)
    return graph_svg(graph, options).encode() if kind == "svg" else None


def _by_program(graph: Graph, options: Options, kind: str) -> bytes | None:
    if shutil.which("dot") is None:
        return None
    from graphviz import CalledProcessError, Source

    try:
        return bytes(Source(graph_dot(graph, options)).pipe(format=kind, quiet=True))
    except CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip()
        raise RuntimeError(
            f"render: dot failed on the .{kind} file: {said or error}; try engine='builtin'"
        ) from error


def _by_library(graph: Graph, options: Options, kind: str) -> bytes | None:
    try:
        from pygraphviz import AGraph
    except ImportError:
        return None
    return bytes(AGraph(string=graph_dot(graph, options)).draw(format=kind, prog="dot"))
