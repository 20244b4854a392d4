"""What a card says about its op, as text: its first line, and its formulas from their source.

The source of a formula is a part of a line in some file, so it is found again in the file's syntax tree. A file
that cannot be read, or has changed, costs the text and nothing else.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from tensorgrad._primitive import FORMULA_OF_KIND, Formula
from tensorgrad.viz._draw import clean, shorten

MOST_LINES = 24  # of a formula that is a function


def card_facts(name: str, card: Any) -> dict[str, Any]:
    """An op in words and formulas, for the page.

    Args:
        name: the op.
        card: its card, or None where it is not known.

    Returns:
        Its name, kind, the first line of its docstring, the names of its inputs, and for each input
        that has one the formula: what it is called, its source, and the source of functions that it calls.

    Example:
        >>> import tensorgrad as tg
        >>> facts = card_facts("tanh", tg.tanh.card)
        >>> facts["doc"], facts["formulas"]["x"]
        ('Hyperbolic tangent of each element.', ['1 - y * y', ''])
    """
    if card is None:
        return {"name": clean(shorten(name, 200)), "kind": "", "doc": "", "inputs": [], "formulas": {}}
    doc = inspect.getdoc(card.forward) or ""
    return {
        "name": clean(shorten(name, 200)),
        "kind": card.kind,
        "doc": clean(shorten(doc.partition("\n")[0], 400)),
        "inputs": [clean(one) for one in card.inputs],
        "variadic": card.variadic,
        "formula": FORMULA_OF_KIND.get(card.kind, ""),
        "formulas": {clean(one): list(formula_text(given)) for one, given in card.formulas.items()},
    }


def formula_text(formula: Formula) -> tuple[str, str]:
    """A formula as an expression, and the source of the helper functions in it.

    Returns:
        Two texts; each is empty where there is nothing to show.
    """
    if formula.constant is not None:
        return f"{formula.constant:g}", ""
    try:
        function = inspect.unwrap(formula.function)
        body = _lambda(function) if function.__name__ == "<lambda>" else None
        if body is None:
            return f"{function.__name__}({', '.join(formula.names)})", _source(function)
        called = {
            node.id for node in ast.walk(body) if isinstance(node, ast.Name) and node.id.startswith("_")
        }
        helpers = [function.__globals__.get(name) for name in sorted(called)]
        return clean(shorten(ast.unparse(body), 600)), "\n\n".join(_source(one) for one in helpers if one)
    except (OSError, TypeError, SyntaxError, ValueError, AttributeError, RecursionError):
        return "", ""


def _lambda(function: Callable[..., Any]) -> ast.expr | None:
    """The body of a lambda, found by its line, the names that it asks for, and where its instructions come from."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    spots = [
        (line, column) for line, _, column, end in code.co_positions() if line and column is not None and end
    ]
    for node in _lambdas(inspect.getsourcefile(function) or ""):
        if node.lineno == code.co_firstlineno and tuple(one.arg for one in node.args.args) == names:
            first = (node.body.lineno, node.body.col_offset)
            last = (node.body.end_lineno or 0, node.body.end_col_offset or 0)
            if all(first <= spot < last for spot in spots):
                return node.body
    raise OSError("the source is not there")


@functools.lru_cache(maxsize=64)
def _lambdas(file: str) -> tuple[ast.Lambda, ...]:
    with open(file, encoding="utf-8") as stream:
        tree = ast.parse(stream.read())
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.Lambda))


def _source(function: Any) -> str:
    """A function of a card's file, unless it is long or no function."""
    if not inspect.isfunction(function):
        return ""
    try:
        text = textwrap.dedent(inspect.getsource(function)).rstrip()
    except (OSError, TypeError, SyntaxError):
        return ""
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], "…"]
    return "\n".join(clean(shorten(line, 160)) for line in lines)
