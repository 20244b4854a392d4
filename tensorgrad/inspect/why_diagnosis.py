"""What `why` answers: a verdict, the op to blame and the way out, as data and as a few lines of text."""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass
from html import escape

from ..ir import Equation, Position


@dataclass(frozen=True)
class Diagnosis:
    """Why a gradient is what it is.

    Printed, it is a few lines that name the op, ``file:line`` with the text of the line, the share of entries
    concerned and the way out. It is true where nothing is wrong: ``assert tg.why(model)``.

    Args:
        verdict: ``"ok"``, ``"none"``, ``"zero"``, ``"partly zero"``, ``"nan"``, ``"inf"``, ``"vanishing"`` or
            ``"exploding"``.
        cause: the kind of cause, a key of `CAUSES`; empty where nothing is wrong.
        name: what the tensor is called.
        finding: one sentence: what the gradient is.
        reason: one sentence: what made it so.
        equation: the operation to blame, None where it is none.
        index: its place among the equations of the graph.
        position: where in the code it is.
        share: the fraction of entries concerned, from 0 to 1.
        path: operations from the cause to the tensor, shortened.
        advice: one sentence, the way out.
        others: for a module, the diagnoses of its other parameters that something is wrong with.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor([1.0, 2.0])
        >>> print(tg.why(x))
        none: x has no gradient
          because gradients of x are not wanted: its requires_grad is False
          way out: create it with requires_grad=True, or call x.requires_grad_() before it is used
    """

    verdict: str
    cause: str = ""
    name: str = "x"
    finding: str = ""
    reason: str = ""
    equation: Equation | None = None
    index: int | None = None
    position: Position | None = None
    share: float | None = None
    path: tuple[str, ...] = ()
    advice: str = ""
    others: tuple[Diagnosis, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.verdict == "ok"

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return "\n".join(
            [f"{self.verdict}: {self.finding}", *[f"  {label} {text}" for label, text in self._rows()]]
        )

    def _repr_markdown_(self) -> str:
        rows = [f"- *{label.rstrip(':')}* {_code(text)}" for label, text in self._rows()]
        return "\n".join([f"**{self.verdict}**: {_code(self.finding)}", "", *rows])

    def _repr_html_(self) -> str:
        colour = "#2ea043" if self.ok else "#d9730d" if self.verdict in MILD else "#e5484d"
        label = 'style="opacity:.65;padding:0 .8em 0 0;text-align:left;vertical-align:top;white-space:nowrap"'
        rows = "".join(
            f'<tr><td {label}>{escape(name.rstrip(":"))}</td><td style="text-align:left">{escape(text)}</td></tr>'
            for name, text in self._rows()
        )
        return (
            f'<div style="border-left:3px solid {colour};padding-left:.7em"><div><b style="color:{colour}">'
            f'{escape(self.verdict)}</b> {escape(self.finding)}</div><table style="font-size:inherit">{rows}</table></div>'
        )

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("because", self.reason)] if self.reason else []
        if self.position is not None:
            text = source_line(self.position)
            scope = f" in {self.equation.scope}" if self.equation is not None and self.equation.scope else ""
            rows.append(("at", f"{self.position}{scope}{':  ' + text if text else ''}"))
        if len(self.path) > 1:
            rows.append(("on the way", " -> ".join(self.path)))
        if self.advice:
            rows.append(("way out:", self.advice))
        if self.others:
            rows.append(("the same holds for" if self._alike() else "also", _listed(self.others)))
        return rows

    def _alike(self) -> bool:
        return all(
            (o.verdict, o.cause, o.index) == (self.verdict, self.cause, self.index) for o in self.others
        )


MILD = ("partly zero", "vanishing", "exploding")


def source_line(position: Position) -> str:
    """The text of the line, stripped; empty where the file cannot be read."""
    return linecache.getline(position.file, position.line).strip()


def assigns(position: Position, *names: str) -> str:
    """The name that the line assigns and that its right side reads: ``w`` in ``w = w * 2``; empty if it is none."""
    try:
        statement = ast.parse(source_line(position)).body[0]
    except (SyntaxError, IndexError):
        return ""
    if not isinstance(statement, ast.Assign):
        return ""
    read = {ast.unparse(node) for node in ast.walk(statement.value) if isinstance(node, ast.expr)}
    targets = [ast.unparse(target) for target in statement.targets]
    return next((target for target in targets if target in read and (not names or target in names)), "")


def _code(text: str) -> str:
    """Text as Markdown shows it unchanged: as code."""
    return f"`{text.replace('`', chr(0x2BC))}`"


def _listed(others: tuple[Diagnosis, ...], most: int = 6) -> str:
    shown = [f"{one.name} ({one.verdict})" for one in others[:most]]
    more = f" and {len(others) - most} more" if len(others) > most else ""
    return ", ".join(shown) + more
