"""Reports as HTML for notebooks: one table of everything, without scripts and without anything from elsewhere.

Elements are built by ElementTree, so that text of the user is escaped in one place. What colours say is said
by marks and words too.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from .._source import source_line
from ..viz._draw import FONT, add, clean, css
from .page import CALLS, accused_calls, facts, grouped_skips, level, telling, verdict
from .report import Finding, Report

MARKS = {"ok": "✓", "failed": "✗", "skipped": "–"}

BLOCKS = ("·", "▂", "▄", "▆", "█")
"""Of an entry that is right, and of errors by their `level`, in a map of errors."""

LEVELS = ("right", "below 1 %", "below 10 %", "below 100 %", "100 % or more")

NOTES = 200
"""Up to so many notes are shown."""

COLUMNS = ("worst", "analytic", "numeric", "ratio")

MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"

SCOPE = ".tg-check.tg-check"
"""Twice the same class weighs more than the rules that notebooks have for tables and lists."""

RULES = {
    "": (
        f"font-family:{FONT};font-size:13px;line-height:1.45;color:$ink;background:$paper;"
        "border:1px solid $grid;border-radius:6px;padding:12px 16px;max-width:60em;overflow-wrap:anywhere"
    ),
    "code,pre": f"font-family:{MONO};font-size:12px;color:$ink;background:transparent",
    "pre": "margin:6px 0;padding:6px 10px;background:$grey-fill;border-radius:4px;white-space:pre-wrap",
    ".head": "margin:0 0 2px;font-size:15px;font-weight:600",
    ".head code": "font-size:15px;font-weight:600",
    ".badge": (
        "display:inline-block;padding:0 8px;margin-right:8px;border:1px solid;border-radius:10px;font-size:13px"
    ),
    ".good": "color:$green;background:$green-fill;border-color:$green",
    ".bad": "color:$red;background:$paper;border-color:$red",
    ".faint": "color:$faint",
    ".title": "margin:12px 0 2px;font-weight:600",
    ".finding": "margin:6px 0 6px;padding:2px 0 2px 12px;border-left:3px solid $red",
    "p": "margin:2px 0",
    "table": "border-collapse:collapse;margin:4px 0;border:0;background:transparent",
    "th,td": (
        "text-align:left;vertical-align:top;padding:1px 14px 1px 0;border:0;background:$paper;color:$ink;"
        "font-size:13px;font-weight:400;white-space:normal"
    ),
    "th": "color:$faint;white-space:nowrap",
    ".number": f"font-family:{MONO};font-size:12px",
    ".rows td,.rows th": "padding:3px 14px 3px 0;border-bottom:1px solid $grid;overflow-wrap:break-word",
    ".rows .number": "white-space:nowrap",
    ".wide": "overflow-x:auto",
    "ul.clauses,ul.notes": "list-style:none;margin:2px 0;padding:0",
    ".clauses li": "display:inline-block;margin:0 16px 1px 0;white-space:nowrap",
    ".mark": "display:inline-block;width:1.2em;font-weight:700",
    ".ok .mark": "color:$green",
    ".failed,.failed .mark": "color:$red;font-weight:600",
    ".skipped": "color:$faint",
    ".map td": (
        f"width:18px;height:18px;padding:0;text-align:center;font-family:{MONO};font-size:12px;line-height:18px;"
        "color:$red;border:1px solid $grid"
    ),
    ".map .e0": "color:$faint",
    "details": "margin:8px 0 0",
    "summary": "cursor:pointer;color:$faint",
}
"""Declarations for each selector inside of the report."""


def html(report: Report) -> str:
    """The whole report as an HTML fragment.

    It follows the reader's light or dark setting; all of its style is confined to the class ``tg-check``.
    """
    root = ET.Element("div", {"class": "tg-check"})
    _text(root, "style", css((scoped(selector), style) for selector, style in RULES.items()))
    _head(root, report)
    calls = accused_calls(report)
    for number, (call, some) in enumerate(calls[:CALLS]):
        op, _, where = call.partition(",")
        title = _text(root, "p", "then: " if number else "culprit: ", class_="title")
        _text(title, "code", op).tail = clean(f",{where}" if where else "")
        for one in some:
            _finding(root, one, source_line(one.where) if one is some[0] else "")
    if len(calls) > CALLS:
        _text(root, "p", f"and {len(calls) - CALLS} more calls, in .culprits")
    first, rest = (0, report.findings) if calls else (1, report.findings[1:])
    for one in report.findings[:first]:
        _text(root, "p", "found", class_="title")
        _finding(root, one)
    if rest:
        title = _text(root, "p", "found in " if calls else "found besides in ", class_="title")
        _text(title, "code", report.name)
        _table(root, rest)
    _clauses(root, report)
    _folded(root, f"notes ({len(report.notes)})", report.notes)
    if report.reproducer:
        box = ET.SubElement(root, "details")
        _text(box, "summary", "repeat it")
        _text(box, "pre", report.reproducer)
    # As XML, because as HTML it would leave < in attributes as it is.
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)


# ---- parts


def _head(root: ET.Element, report: Report) -> None:
    head = _text(root, "p", class_="head")
    _text(
        head, "span", "✓ right" if report.ok else "✗ wrong", class_="badge good" if report.ok else "badge bad"
    )
    _text(head, "code", report.name)
    _, _, where = verdict(report).partition(" ")
    how = f"{where}, {report.mode} mode, {report.evaluations} evaluations, {report.seconds:.2f} s, seed {report.seed}"
    inputs = _text(root, "p")
    for i, one in enumerate(report.inputs):
        _text(inputs, "code", one)
        inputs[-1].tail = ", " if i < len(report.inputs) - 1 else None
    _text(root, "p", how, class_="faint")


def _finding(root: ET.Element, one: Finding, source: str = "") -> None:
    box = _text(root, "div", class_="finding")
    if source:
        _text(box, "pre", source)
    line = _text(box, "p")
    _text(line, "strong", one.clause).tail = clean(f": {one.message}")
    table = ET.SubElement(box, "table") if facts(one) else box
    for name, value in facts(one):
        row = ET.SubElement(table, "tr")
        _text(row, "th", name, scope="row")
        _text(row, "td", value, class_="" if name == "diagnosis" else "number")
    if telling(one):
        _map(ET.SubElement(table, "tr"), one)


def _table(root: ET.Element, findings: tuple[Finding, ...]) -> None:
    """Findings with a row for each."""
    table = _text(_text(root, "div", class_="wide"), "table", class_="rows")
    head = ET.SubElement(table, "tr")
    columns = COLUMNS if any(one.place for one in findings) else ()
    for name in ("found", *columns, "diagnosis"):
        _text(head, "th", name, scope="col")
    for one in findings:
        row, numbers = ET.SubElement(table, "tr"), dict(facts(one))
        _text(_text(row, "td"), "strong", one.clause).tail = clean(f": {one.message}")
        for name in columns:
            _text(row, "td", numbers.get(name, ""), class_="number")
        _text(row, "td", "" if one.diagnosis == "unknown" else one.diagnosis, title=one.hint)


def _map(row: ET.Element, one: Finding) -> None:
    """Where the gradient is wrong; each cell says how much when it is pointed at."""
    _text(row, "th", "errors", scope="row")
    cell = ET.SubElement(row, "td")
    levels = sorted({level(error) for line in one.error_map for error in line})
    legend = ", ".join(f"{BLOCKS[i]} {LEVELS[i]}" for i in levels)
    table = _text(cell, "table", class_="map", aria_label=f"errors of the gradient of {one.input}: {legend}")
    for line in one.error_map:
        cells = ET.SubElement(table, "tr")
        for error in line:
            said = "right" if error == 0 else f"relative error {error:.2g}"
            _text(cells, "td", BLOCKS[level(error)], class_=f"e{level(error)}", title=said)
    _text(cell, "p", f"relative error: {legend}", class_="faint")


def _clauses(root: ET.Element, report: Report) -> None:
    if not report.clauses:
        return
    _text(root, "p", "clauses", class_="title")
    grid = _text(root, "ul", class_="clauses")
    for one in report.clauses:
        cell = _text(grid, "li", class_=one.verdict, title=f"{one.verdict}: {one.detail}".rstrip(": "))
        _text(cell, "span", MARKS[one.verdict], class_="mark").tail = one.name
    for why, names in grouped_skips(report):
        _text(root, "p", f"– {'; '.join(names)}: skipped, {why}", class_="faint")


def _folded(root: ET.Element, title: str, lines: tuple[str, ...]) -> None:
    if not lines:
        return
    box = ET.SubElement(root, "details")
    _text(box, "summary", title)
    some = _text(box, "ul", class_="notes")
    for line in lines[:NOTES]:
        _text(some, "li", line)
    if len(lines) > NOTES:
        _text(some, "li", f"and {len(lines) - NOTES} more")


# ---- helpers


def scoped(selector: str) -> str:
    """A selector that applies inside of reports only.

    Example:
        >>> scoped("th,td"), scoped("")
        ('.tg-check.tg-check th,.tg-check.tg-check td', '.tg-check.tg-check')
    """
    return ",".join(f"{SCOPE} {one}".rstrip() for one in selector.split(","))


def _text(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    given = {name: value for name, value in attributes.items() if value}
    return add(parent, tag, *text.split("\n"), **given)
