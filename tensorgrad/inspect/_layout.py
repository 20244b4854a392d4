"""Explanations on paper: text, Markdown, LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._lines import Line
from ._notation import latex, latex_name, text
from ._symbols import Expr

if TYPE_CHECKING:
    from .explanation import Explanation

WIDTH = 96
"""A line that would be longer is broken at its equals signs."""

SMALL = 9
"""Values of at most so many entries are shown."""

HEADINGS = ("Given", "Forward", "Local derivatives", "Chain rule", "Closed form")


def as_text(one: Explanation) -> str:
    """For a terminal."""
    blocks = [line_text(one.composed)] if one.composed else []
    for heading, lines in _sections(one):
        shown = [line_text(line) for line in lines]
        if one.omitted and heading != "Given":
            shown.insert(_middle(one, heading), _gap(one))
        blocks.append("\n".join([heading, *["  " + s.replace("\n", "\n  ") for s in shown]]))
    if one.patterns:
        blocks.append(
            "\n".join(["Recognised", *[f"  {p.title}, at {p.at} ({p.source})" for p in one.patterns]])
        )
    return "\n\n".join([*blocks, *one.notes])


def as_markdown(one: Explanation) -> str:
    """For a page that renders LaTeX between dollar signs."""
    blocks = [f"$$\n{_aligned([one.composed])}\n$$"] if one.composed else []
    for heading, lines in _sections(one):
        blocks.append(f"**{heading}**")
        blocks.append(f"$$\n{_aligned(lines)}\n$$" if heading != "Given" else _given_markdown(lines))
    if one.omitted:
        blocks.append(_gap(one))
    if one.patterns:
        blocks.append("**Recognised**")
        blocks.append("\n".join([f"- {p.title}, at ${latex_name(p.at)}$ ({p.source})" for p in one.patterns]))
    return "\n\n".join([*blocks, *one.notes])


def as_latex(one: Explanation) -> str:
    """For a document, with amsmath."""
    blocks: list[tuple[str, Any]] = [("", [one.composed])] if one.composed else []
    blocks += [part for part in _sections(one) if part[0] != "Given"]
    return "\n".join([f"$$\n{_aligned(lines)}\n$$" for _, lines in blocks])


def line_text(line: Line) -> str:
    """One line of an explanation as text."""
    name = text(line.name)
    if not line.forms:
        shown = _value(line.value)
        shape = " x ".join(map(str, line.name.shape))
        return f"{name} = {shown}" if shown else f"{name}: {shape or 'a number'}"
    if line.linear:
        return f"{name}: G -> {text(line.forms[0])}"
    forms = _distinct([text(e) for e in (*line.forms, *([line.numbers] if line.numbers is not None else []))])
    forms = _distinct([*forms, *([_value(line.value)] if _value(line.value) else [])])
    whole = " = ".join([name, *forms])
    return (
        whole if len(whole) <= WIDTH else f"\n{' ' * len(name)} = ".join([f"{name} = {forms[0]}", *forms[1:]])
    )


def line_latex(line: Line) -> str:
    """One line of an explanation as rows of an aligned block."""
    name = latex(line.name)
    if line.linear:
        return rf"{name} &: G \mapsto {latex(line.forms[0])}"
    forms = [latex(e) for e in (*line.forms, *([line.numbers] if line.numbers is not None else []))]
    if (value := _latex_value(line.value)) is not None:
        forms.append(value)
    forms = _distinct(forms)
    wide = sum(map(len, forms)) > 160
    return f"{name} &= " + (r" \\" + "\n &= " if wide else " = ").join(forms)


# ---- parts


def _sections(one: Explanation) -> list[tuple[str, tuple[Line, ...]]]:
    parts = (one.given, one.forward, one.local, one.chain, one.simplified)
    return [(heading, lines) for heading, lines in zip(HEADINGS, parts, strict=True) if lines]


def _gap(one: Explanation) -> str:
    return f"... {one.omitted:,} steps between are not shown ..."


def _middle(one: Explanation, heading: str) -> int:
    """Before which line of a section the gap is."""
    lines = dict(_sections(one))[heading]
    return len(lines) // 2


def _aligned(lines: Any) -> str:
    rows = (" \\\\\n").join([line_latex(line) for line in lines])
    return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"


def _given_markdown(lines: tuple[Line, ...]) -> str:
    shown = []
    for line in lines:
        value = _latex_value(line.value)
        shape = r" \times ".join(map(str, line.name.shape))
        name = latex(line.name)
        shown.append(
            f"${name} = {value}$"
            if value
            else rf"${name} \in \mathbb{{R}}" + (f"^{{{shape}}}$" if shape else "$")
        )
    return ", ".join(shown)


def _value(value: Any) -> str:
    if value is None or np.size(value) > SMALL:
        return ""
    return _shown(literal_of(value))


def _shown(e: Expr) -> str:
    return text(e)


def literal_of(value: Any) -> Expr:
    """A value as a formula, rounded."""
    from ._chain import literal

    return literal(value)


def _latex_value(value: Any) -> str | None:
    return None if value is None or np.size(value) > SMALL or np.ndim(value) > 2 else latex(literal_of(value))


def _distinct(forms: list[str]) -> list[str]:
    """Forms without those that repeat the one before."""
    return [one for i, one in enumerate(forms) if i == 0 or one != forms[i - 1]]
