"""Two programs side by side as HTML: rows in, a page out. `tensorgrad.diff` makes the rows.

Stretches without a difference are folded, by elements that need no script; the page's script only jumps from
difference to difference. Nothing is loaded from elsewhere.
"""

from __future__ import annotations

import difflib
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ._draw import FONT, clean, css

CONTEXT = 3
"""So many rows around a difference are not folded."""

MOST = 1_000
"""Of a folded stretch at most so many rows are in the page: its first and its last ones."""

SIGNS = {"same": ("", ""), "changed": ("~", "~"), "added": ("", "+"), "removed": ("−", "")}

MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"


@dataclass(frozen=True)
class Cell:
    """One side of a row: a statement, the path of modules it is in, and ``file:line``."""

    text: str
    scope: str = ""
    place: str = ""


@dataclass(frozen=True)
class Row:
    """A statement on both sides, or on one.

    Args:
        kind: ``"same"``, ``"changed"``, ``"added"`` or ``"removed"``.
        left: as it is in the first program, None if it is not there.
        right: as it is in the second.
        what: what changed, in words.
        marks: what is to be said under it, such as that its value is the first to differ.
    """

    kind: str
    left: Cell | None
    right: Cell | None
    what: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


_SCOPE = ".tg-diff.tg-diff"  # twice the same class weighs more than a notebook's rules

_RULES = {
    "": f"font-family:{FONT};font-size:14px;line-height:1.5;color:$ink;background:$paper;padding:16px 20px",
    "h1": "font-size:18px;font-weight:600;margin:0 0 4px;color:$ink",
    "p": "margin:2px 0;overflow-wrap:anywhere",
    ".faint": "color:$faint",
    ".found": "margin:6px 0;padding:4px 12px;border-left:4px solid $violet;background:$violet-fill;color:$ink",
    ".row,.heads": "display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);column-gap:2px",
    ".heads": "font-weight:600;background:$paper;border-bottom:1px solid $line;margin-top:12px",
    ".heads div": "padding:4px 10px",
    ".rows": f"font-family:{MONO};font-size:12.5px;line-height:1.55;border-bottom:1px solid $grid",
    ".cell": (
        "display:grid;grid-template-columns:1.6em minmax(0,1fr) auto;padding:1px 10px;background:$paper;color:$ink"
    ),
    ".cell code": (
        f"font-family:{MONO};font-size:12.5px;white-space:pre-wrap;overflow-wrap:anywhere;padding:0;"
        "background:none;color:inherit"
    ),
    ".place": "color:$faint;font-size:11.5px;padding-left:14px;text-align:right;overflow-wrap:anywhere",
    ".none": "background:$grey-fill",
    ".old": "background:$red-fill",
    ".new": "background:$green-fill",
    ".old .place,.new .place": "color:$ink",
    ".old .sign": "color:$red;font-weight:700",
    ".new .sign": "color:$green;font-weight:700",
    "mark": "background:none;color:inherit;font-weight:700;text-decoration:underline 2px;text-underline-offset:3px",
    ".old mark": "text-decoration-color:$red",
    ".new mark": "text-decoration-color:$green",
    ".what": f"font-family:{FONT};font-size:12px;color:$faint;padding:0 10px 2px calc(10px + 1.6em);background:$paper",
    ".marks": (
        f"font-family:{FONT};font-size:13px;padding:4px 12px;border-left:4px solid $violet;background:$violet-fill;"
        "color:$ink;overflow-wrap:anywhere"
    ),
    "summary": (
        f"font-family:{FONT};font-size:12.5px;cursor:pointer;padding:3px 10px;color:$faint;background:$grey-fill"
    ),
    ".stop:focus": "outline:2px solid $blue;outline-offset:-1px",
    "a,button": f"font-family:{FONT};font-size:13px;color:$blue",
    "button": "border:1px solid $line;border-radius:5px;background:$paper;color:$ink;padding:3px 10px;cursor:pointer",
    "button:focus-visible,summary:focus-visible,a:focus-visible": "outline:2px solid $blue;outline-offset:1px",
    ".bar": "position:sticky;top:0;display:flex;gap:8px;align-items:center;padding:8px 0;background:$paper;z-index:1",
    ".hidden": "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap",
}

_NARROW = (
    f"@media (max-width:720px){{{_SCOPE} .row,{_SCOPE} .heads{{grid-template-columns:minmax(0,1fr)}}"
    f"{_SCOPE} .row .none,{_SCOPE} .row.same .cell+.cell{{display:none}}}}"
)

# ElementTree escapes <, > and &, which a script may not have escaped: there are none in it.
_SCRIPT = """
var stops = Array.from(document.querySelectorAll('.stop')), at = -1;
function go(step) {
  if (stops.length === 0) return;
  at = at === -1 ? (step === 1 ? 0 : stops.length - 1) : (at + step + stops.length) % stops.length;
  stops[at].focus({preventScroll: true});
  stops[at].scrollIntoView({block: 'center'});
  document.getElementById('at').textContent = 'difference ' + (at + 1) + ' of ' + stops.length;
}
document.getElementById('next').onclick = function () { go(1); };
document.getElementById('back').onclick = function () { go(-1); };
document.getElementById('fold').onclick = function () {
  var open = this.getAttribute('aria-pressed') !== 'true';
  this.setAttribute('aria-pressed', open);
  document.querySelectorAll('details').forEach(function (one) { one.open = open; });
};
document.addEventListener('keydown', function (event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'n' || event.key === 'j') go(1);
  if (event.key === 'p' || event.key === 'k') go(-1);
});
"""


def page(
    rows: Sequence[Row], summary: Sequence[str], left: str, right: str, *, title: str = "What differs"
) -> str:
    """A page of its own.

    Args:
        rows: what to show.
        summary: what to say first, a line each.
        left: what the left side is called.
        right: what the right side is called.
        title: the title of the page.

    Returns:
        The page. It follows the reader's light or dark setting. The keys n and p go to the next difference and
        to the one before.
    """
    html = ET.Element("html", {"lang": "en"})
    head = ET.SubElement(html, "head")
    ET.SubElement(head, "meta", {"charset": "utf-8"})
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    ET.SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": policy})
    ET.SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    ET.SubElement(head, "meta", {"name": "color-scheme", "content": "light dark"})
    ET.SubElement(head, "link", {"rel": "icon", "href": "data:,"})
    _put(head, "title", title)
    _put(head, "style", css([("body", "margin:0;background:$paper")]))
    body = ET.SubElement(html, "body")
    body.append(_whole(rows, summary, left, right, title, bar=True))
    script = ET.SubElement(body, "script")
    script.text = _SCRIPT
    return "<!doctype html>\n" + _text_of(html)


def fragment(rows: Sequence[Row], summary: Sequence[str], left: str, right: str) -> str:
    """The same for a notebook: no script, and all of its style confined to the class ``tg-diff``."""
    return _text_of(_whole(rows, summary, left, right, "", bar=False))


def around(differs: Sequence[bool], reach: int) -> bytearray:
    """1 for each place that is at most ``reach`` from one that differs, else 0.

    Example:
        >>> list(around([False, False, False, True, False], 1))
        [0, 0, 1, 1, 1]
    """
    near = bytearray(len(differs))
    end = 0
    for i, one in enumerate(differs):
        if one:
            first, end = max(i - reach, end), min(i + reach + 1, len(differs))
            near[first:end] = b"\x01" * (end - first)
    return near


# ---- parts


def _whole(
    rows: Sequence[Row], summary: Sequence[str], left: str, right: str, title: str, *, bar: bool
) -> ET.Element:
    root = ET.Element("main" if bar else "div", {"class": "tg-diff"})
    style = css(
        (",".join(f"{_SCOPE} {one}".strip() for one in selector.split(",")), rule)
        for selector, rule in _RULES.items()
    )
    ET.SubElement(root, "style").text = f"{style}\n{_NARROW}"
    if title:
        _put(root, "h1", title)
    _put(root, "p", summary[0] if summary else "")
    for line in summary[1:]:
        _put(root, "p", line, "found")
    _put(root, "p", "Numbers of variables are those of the right side; %a3 is %3 of the left alone.", "faint")
    if bar:
        _bar(root, rows)
    heads = _put(root, "div", "", "heads")
    _put(heads, "div", left)
    _put(heads, "div", right)
    table = _put(root, "div", "", "rows")
    for folded, first, end in _stretches(rows):
        if folded:
            _folded(table, rows[first:end])
        else:
            for i in range(first, end):
                stop = _differs(rows[i]) and (i == first or not _differs(rows[i - 1]))
                _row(table, rows[i], stop=stop)
    return root


def _bar(root: ET.Element, rows: Sequence[Row]) -> None:
    bar = _put(root, "div", "", "bar")
    for key, text in (("back", "Previous (p)"), ("next", "Next difference (n)")):
        _put(bar, "button", text).set("id", key)
    _put(bar, "button", "Unfold all").set("id", "fold")
    bar[-1].set("aria-pressed", "false")
    if any(row.marks for row in rows):
        _put(bar, "a", "Where numbers part").set("href", "#first")
    _put(bar, "span", "", "faint").set("id", "at")
    bar[-1].set("aria-live", "polite")


def _stretches(rows: Sequence[Row]) -> Iterator[tuple[bool, int, int]]:
    """(whether to fold, first, end) for stretches of rows that are near a difference, and of those that are not."""
    near = around([_differs(row) for row in rows], CONTEXT)
    first = 0
    while first < len(rows):
        end = near.find(1 - near[first], first)
        end = len(rows) if end < 0 else end
        yield (not near[first] and end - first > 1), first, end
        first = end


def _folded(table: ET.Element, rows: Sequence[Row]) -> None:
    box = ET.SubElement(table, "details")
    _put(box, "summary", f"{len(rows):,} rows without a difference")
    half = MOST // 2
    for row in rows if len(rows) <= MOST else rows[:half]:
        _row(box, row)
    if len(rows) > MOST:
        _put(box, "div", f"{len(rows) - 2 * half:,} rows are left out", "what")
        for row in rows[-half:]:
            _row(box, row)


def _row(table: ET.Element, row: Row, *, stop: bool = False) -> None:
    line = _put(table, "div", "", f"row {row.kind}{' stop' if stop else ''}")
    if stop:
        line.set("tabindex", "-1")
    other = row.kind == "changed" and row.left is not None and row.right is not None
    parts = _words(row.left.text, row.right.text) if other and row.left and row.right else (None, None)
    words = {"removed": ("removed: ", ""), "added": ("", "added: "), "changed": ("before: ", "after: ")}
    for side, (cell, part) in enumerate(zip((row.left, row.right), parts, strict=True)):
        colour = ("old", "new")[side] if row.kind != "same" else ""
        box = _put(line, "div", "", f"cell {colour if cell else 'none'}")
        if cell is None:
            continue
        _put(box, "span", SIGNS[row.kind][side], "sign").set("aria-hidden", "true")
        code = _put(box, "code", "")
        if row.kind in words:
            _put(code, "span", words[row.kind][side], "hidden")
        for text, marked in part or [(cell.text, False)]:
            _put(code, "mark" if marked else "span", text)
        place = " · ".join([one for one in (cell.scope, re.split(r"[/\\]", cell.place)[-1]) if one])
        if place:
            _put(box, "span", place, "place").set("title", clean(cell.place))
    if row.what:
        _put(table, "div", f"other {', '.join(row.what)}", "what")
    for mark in row.marks:
        _put(table, "div", f"▶ {mark}", "marks").set("id", "first")


def _words(old: str, new: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Both texts in pieces: (piece, whether it differs)."""
    split = [re.findall(r"%?\w+|\s+|.", text) for text in (old, new)]
    pieces: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for tag, i, k, j, n in difflib.SequenceMatcher(None, split[0], split[1], autojunk=False).get_opcodes():
        for side, (words, first, end) in enumerate(((split[0], i, k), (split[1], j, n))):
            if end > first:
                pieces[side].append(("".join(words[first:end]), tag != "equal"))
    return pieces


def _differs(row: Row) -> bool:
    return row.kind != "same" or bool(row.marks)


def _put(parent: ET.Element, tag: str, text: str = "", class_: str = "") -> ET.Element:
    element = ET.SubElement(parent, tag, {"class": class_.strip()} if class_ else {})
    element.text = clean(text) if tag != "style" else text
    return element


def _text_of(element: ET.Element) -> str:
    """As XML, where < is escaped in attributes too; elements that HTML has no end for are closed at once."""
    text = ET.tostring(element, encoding="unicode", short_empty_elements=False)
    return re.sub(r"></(meta|link)>", ">", text)
