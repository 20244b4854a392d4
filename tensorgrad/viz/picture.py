"""A picture of a computation: the frozen graph, what to show of it, and every form it can be written in."""

from __future__ import annotations

import inspect
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from tensorgrad._errors import NoGraphError
from tensorgrad._tensor import Tensor
from tensorgrad._tree import flatten
from tensorgrad._where import user_frame
from tensorgrad.ir.graph import Graph
from tensorgrad.ir.recorder import Run, named, named_locals, run_of
from tensorgrad.ir.tape import of_tape
from tensorgrad.ir.tracer import trace
from tensorgrad.viz._scene import headline
from tensorgrad.viz._select import selected
from tensorgrad.viz.dot import graph_dot
from tensorgrad.viz.engines import Engine, render
from tensorgrad.viz.options import Options, changed
from tensorgrad.viz.svg import graph_svg
from tensorgrad.viz.svgfile import SVG


def graph(what: Any, /, *examples: Any, names: Any = None, **options: Any) -> Picture:
    """Look at a computation: a picture of what led to a tensor, of what a block ran, or of a function.

    Args:
        what: a tensor, or a list or dict of them (the operations that led to them); what `tensorgrad.record` gave
            (all that ran in the block); a function or a module, with examples (what it does to them, see
            `tensorgrad.trace`); an `ir.Graph`; or another picture, to see it with other options.
        *examples: arguments for a function or a module.
        names: a nested container of tensors, such as ``{"w": w, "b": b}``, or a module; the picture calls them by
            their keys. Tensors in your local variables have those names anyway.
        **options: what to show, see `Options`. Without ``show``, the boxes show shapes, and of a computation with
            numbers only, where shapes say nothing, values and gradients.

    Returns:
        The picture. A notebook shows it; ``to_text()`` is for a terminal, ``to_html("graph.html")`` for a browser,
        ``render("graph.svg")`` for a file.

    Raises:
        TypeError: ``what`` is something else, or there is no such option.
        NoGraphError: a tensor has no history, or a backward pass has freed it, and no run has seen it.
        ValueError: an option does not have this value, or the graph does not have what it asks for.

    Example:
        >>> import tensorgrad as tg
        >>> tg.graph(lambda x: (x * x).sum(), tg.ones(3))
        <Picture of 2 operations: to_svg, to_dot, to_mermaid, to_text, to_html, to_json, render>
    """
    found, usual = _graph_of(what, examples, names, named_locals(user_frame(2)))
    if "show" not in options and usual is None and _is_scalar(found):
        options["show"] = {"values", "gradients"}
    return Picture(found, changed(usual, options))


class Picture:
    """A frozen graph and what to show of it; written as SVG, DOT, Mermaid, text, HTML, JSON, PNG or PDF.

    Args:
        graph: what to show; the attribute ``graph`` is it, whole, whatever the options.
        options: how to show it; `graph` makes pictures with other ones.

    Raises:
        ValueError: the graph does not have what the options ask for.

    Example:
        >>> import tensorgrad as tg
        >>> picture = tg.graph(lambda x: tg.tanh(x), tg.ones(3), title="tanh")
        >>> picture.graph.equations[0].op, picture.options.title
        ('tanh', 'tanh')
        >>> picture.to_svg()
        <SVG of 299 x 336>
    """

    __slots__ = ("_shown", "graph", "options")

    def __init__(self, graph: Graph, options: Options | None = None) -> None:
        self.graph = graph
        self.options = options or Options()
        self._shown = selected(graph, self.options)

    def to_svg(self) -> SVG:
        """The picture as SVG, laid out by this package; it follows the reader's light or dark setting.

        Returns:
            The text of the file; its ``save`` writes it.
        """
        return graph_svg(self.graph, self.options)

    def to_dot(self) -> str:
        """The picture in the DOT language of Graphviz."""
        return graph_dot(self.graph, self.options)

    def to_mermaid(self) -> str:
        """The picture in the language of Mermaid, which many pages of Markdown show."""
        from tensorgrad.viz.mermaid import graph_mermaid

        return graph_mermaid(self.graph, self.options)

    def to_text(self, width: int | None = None) -> str:
        """The picture as text for a terminal.

        Args:
            width: characters in a line; None for the width of the terminal.

        Returns:
            The lines.
        """
        return str(_late("viz.text", "graph_text")(self.graph, width, self.options))

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """A page to explore the graph in a browser, in one file that loads nothing from elsewhere.

        Args:
            path: where to write it, if anywhere.

        Returns:
            The text of the page.
        """
        from tensorgrad.viz.explorer import explorer_html

        page = explorer_html(self.graph, title=self.options.title)
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page

    def to_json(self) -> str:
        """The whole graph as JSON; `tensorgrad.ir.json.from_json` reads it back."""
        from tensorgrad.ir.json import to_json

        return to_json(self.graph)

    def render(self, path: str | os.PathLike[str], engine: Engine | None = None) -> Path:
        """Draw the picture into a file; see `tensorgrad.viz.render`.

        Args:
            path: the file to write; its ending (.svg, .png or .pdf) says in which format.
            engine: ``"dot"``, ``"pygraphviz"`` or ``"builtin"``; None for the first that can.

        Returns:
            The path written.

        Raises:
            ValueError: the ending or the engine is another one, or the engine cannot write this format.
            RuntimeError: the engine is not installed, or it failed.
        """
        return render(self.graph, path, self.options, engine=engine)

    def __repr__(self) -> str:
        ways = "to_svg, to_dot, to_mermaid, to_text, to_html, to_json, render"
        return f"<Picture of {headline(self._shown)}: {ways}>"

    def __str__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the drawing, and where there are no drawings what it is."""
        return {"image/svg+xml": str(self.to_svg()), "text/plain": repr(self)}


def _late(module: str, name: str) -> Any:
    """A function of another module, imported when it is needed."""
    return getattr(import_module(f"tensorgrad.{module}"), name)


def _graph_of(
    what: Any, examples: tuple[Any, ...], names: Any, here: dict[Any, str]
) -> tuple[Graph, Options | None]:
    """The graph of whatever the user has, and the options it came with; ``here`` are the caller's variables."""
    if _is_module(what) or (callable(what) and not isinstance(what, type | Tensor | Graph)):
        return trace(what, *_examples(what, examples), names=_named(what, names)), None
    if examples:
        raise TypeError(
            f"graph: examples are arguments for a function or a module, and this is a {_kind(what)}; "
            "leave them out, or give the function that computes it"
        )
    if isinstance(what, Picture):
        return what.graph, what.options
    if isinstance(what, Graph):
        return what, None
    if isinstance(what, Run):
        return what.graph, None
    leaves, _ = flatten(what)
    if leaves and all(isinstance(leaf, Tensor) for leaf in leaves):
        return _history(leaves, {**here, **named(names)}), None
    raise TypeError(
        f"graph: cannot look at a {_kind(what)}; give a tensor or a list of tensors, the run of "
        "`with tg.record() as run`, an ir.Graph, or a function or module with examples, as in tg.graph(f, x)"
    )


def _history(results: list[Tensor], names: dict[Any, str]) -> Graph:
    """What led to tensors, by their tape; or, where a backward pass has freed it, what a run saw."""
    try:
        return of_tape(results, names=names)
    except NoGraphError:
        run = run_of(results[0])
        if run is None:
            raise
        return run.graph


def _examples(what: Any, examples: tuple[Any, ...]) -> tuple[Any, ...]:
    if not examples:
        try:
            inspect.signature(what.forward if _is_module(what) else what).bind()
        except TypeError:
            raise TypeError(
                f"graph: {getattr(what, '__name__', _kind(what))} takes arguments; give examples of them, "
                "as in tg.graph(f, x)"
            ) from None
        except ValueError:  # a function in C without a signature
            pass
    return examples


def _named(what: Any, names: Any) -> Any:
    """The names of a module's tensors, unless the user has others."""
    if _is_module(what) and names is None:
        return {**dict(what.named_parameters()), **dict(what.named_buffers())}
    return names


def _is_module(what: Any) -> bool:
    """Whether it is a `tensorgrad.nn.Module`, without importing that: pictures of other things need no modules."""
    return hasattr(what, "named_parameters") and not isinstance(what, type)


def _is_scalar(found: Graph) -> bool:
    """Whether all values of a computation are numbers."""
    kept = [var for var in found.variables if var.dtype]
    return bool(kept) and all(var.shape == () for var in kept)


def _kind(what: Any) -> str:
    if isinstance(what, list | tuple | dict):
        inner = sorted({type(leaf).__name__ for leaf in flatten(what)[0]})
        return f"{type(what).__name__} of {' and '.join(inner) if inner else 'nothing'}"
    return f"class {what.__name__}" if isinstance(what, type) else type(what).__name__
