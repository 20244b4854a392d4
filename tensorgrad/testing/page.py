"""Reports for people, as text: what is wrong and where first, how it was found below."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable

from .._source import shortened, shown, source_line
from .report import Finding, Report

WIDTH = 100
CALLS = 5
"""Up to so many calls are shown as culprits."""

NOTES = 6
"""Up to so many kinds of notes are printed."""

MARKS = " .:+#"
"""In a map of errors: of an entry that is right, and of errors below each of `BELOW` and above."""

BELOW = (0.01, 0.1, 1.0)

STYLES = {"good": "1;32", "bad": "1;31", "title": "1", "code": "36", "faint": "2"}
"""The codes of a terminal for each kind of line."""

Line = tuple[str, str]
"""A kind of line, a key of `STYLES` or the empty string, and its text."""

PLACE = re.compile(r"[^\s\[]+\[[\d, ]*\](?: \((?:real|imaginary) part\))?")
"""An entry, such as ``x[0, 2]``."""


def summary(report: Report) -> str:
    """What was found, in a few lines.

    The first finding in full, the inputs that are wrong besides it, and the op that is to blame.
    """
    first = report.findings[0]
    lines = [f"{first.op}: {first.message}", *details(first)]
    also = [one.input for one in report.findings[1:] if one.clause == first.clause and one.input]
    if also:
        lines.append(f"also       {', '.join(dict.fromkeys(also))}")
    for one in [one for one in report.culprits[:1] if one.op != report.name]:
        lines.append(f"culprit    {one.op}, called at {one.where}: {one.message}")
        if one.diagnosis and one.diagnosis != first.diagnosis:
            lines.append(f"           {one.diagnosis}: {one.hint}")
    return "\n  ".join(lines)


def details(one: Finding) -> list[str]:
    """The numbers of a finding and what they suggest, a line each."""
    return [f"{name:<11}{value}" for name, value in facts(one) if name != "allowed"]


def facts(one: Finding) -> list[tuple[str, str]]:
    """The numbers of a finding and what they suggest, by name."""
    found = []
    if one.place:
        analytic, numeric = told_apart(one.analytic, one.numeric)
        found = [
            ("worst", one.place),
            ("analytic", analytic),
            ("numeric", numeric),
            ("ratio", f"{one.ratio:.6g}" if abs(one.numeric) > one.bound else "none, the numeric one is 0"),
        ]
        if math.isfinite(one.bound):
            found.append(("allowed", f"a difference of {one.bound:.2g}"))
    said = ": ".join(part for part in (one.diagnosis, one.hint) if part and part != "unknown")
    return [*found, *([("diagnosis", said)] if said else [])]


def told_apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers in as many digits as it takes to tell them apart, six at least.

    Example:
        >>> told_apart(1.0, 2.0), told_apart(1.0, 1.0000000012)
        (('1', '2'), ('1', '1.0000000012'))
    """
    for digits in (6, 9, 12):
        found = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if found[0] != found[1]:
            return found
    return repr(float(a)), repr(float(b))


def text(report: Report, *, width: int = WIDTH, colour: bool = False) -> str:
    """The whole report as text.

    Args:
        report: what was found.
        width: where lines are broken, if they can be.
        colour: whether to write the codes with which terminals change colours.
    """
    lines = [*_head(report, width), *_causes(report, width), *_clauses(report, width), *_notes(report, width)]
    how = f"{report.mode} mode, {report.evaluations} evaluations, {report.seconds:.2f} s, seed {report.seed}"
    lines += [("", ""), ("faint", how)]
    if report.reproducer and not report.ok:
        lines += [("", ""), ("title", "repeat it:"), *_indented(report.reproducer.split("\n"))]
    if not colour:
        return "\n".join(line for _, line in lines)
    return "\n".join(f"\x1b[{STYLES[kind]}m{line}\x1b[0m" if kind and line else line for kind, line in lines)


def verdict(report: Report) -> str:
    """Whether the function is right, in a few words."""
    ran = sum(one.verdict != "skipped" for one in report.clauses)
    if report.ok:
        return f"right in {_count(ran, 'clause')}" if ran else "nothing was checked"
    broken = len({one.clause for one in report.findings})
    return f"wrong in {broken} of {_count(max(ran, broken), 'clause')}"


def own_culprits(report: Report) -> list[Finding]:
    """The culprits that say more than the findings do: those inside of the function."""
    said = {(one.op, one.clause, one.input) for one in report.findings}
    return [one for one in report.culprits if (one.op, one.clause, one.input) not in said]


def accused_calls(report: Report) -> list[tuple[str, list[Finding]]]:
    """Each call of a culprit, op and place, with what was found there."""
    groups: dict[str, list[Finding]] = {}
    for one in own_culprits(report):
        call = one.op + (f", called at {shown(one.where)}" if one.where else "")
        groups.setdefault(call, []).append(one)
    return list(groups.items())


def grouped_skips(report: Report) -> list[tuple[str, list[str]]]:
    """Why clauses were skipped, each reason with the clauses."""
    groups: dict[str, list[str]] = {}
    for one in report.clauses:
        if one.verdict == "skipped":
            groups.setdefault(one.detail, []).append(one.name)
    return list(groups.items())


def grouped_notes(notes: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Notes that differ only in the entry that they speak of: the first of each kind, and the other entries.

    Example:
        >>> grouped_notes(["a kink at x[0]: 1 or 2", "a kink at x[7]: 1 or 2", "a jump at x[1]"])
        [('a kink at x[0]: 1 or 2', ['x[7]']), ('a jump at x[1]', [])]
    """
    groups: dict[str, tuple[str, list[str]]] = {}
    for note in notes:
        key = PLACE.sub("[]", note)
        if key not in groups:
            groups[key] = note, []
        elif place := PLACE.search(note):
            groups[key][1].append(place[0])
    return list(groups.values())


def level(error: float) -> int:
    """How large a relative error is, from 0 (there is none) to 4 (the number says nothing).

    Example:
        >>> [level(error) for error in (0.0, 0.001, 0.05, 0.3, 2.0, float("inf"))]
        [0, 1, 2, 3, 4, 4]
    """
    return 0 if error == 0 else 1 + sum(error >= one for one in BELOW)


def telling(one: Finding) -> bool:
    """Whether a map of the errors would show a pattern: some entries are right, or some are worse than others."""
    return len({level(error) for row in one.error_map for error in row}) > 1


# ---- parts


def _head(report: Report, width: int) -> list[Line]:
    look = "".join(f"; look at {one.op}, {shown(one.where)}" for one in own_culprits(report)[:1])
    head = ("good" if report.ok else "bad", f"{report.name}: {verdict(report)}{look}")
    joined = ", ".join(report.inputs)
    if len(joined) + 2 <= width:
        return [head, ("", f"  {joined}")]
    return [head, *_indented(report.inputs)]


def _causes(report: Report, width: int) -> list[Line]:
    lines: list[Line] = []
    before = ""
    calls = accused_calls(report)
    for number, (call, some) in enumerate(calls[:CALLS]):
        lines += [("", ""), ("title", f"{'then' if number else 'culprit'}: {call}")]
        if source := source_line(some[0].where):
            lines.append(("code", f"    {shortened(source, width - 4)}"))
        for one in some:
            lines += _finding(one, width, before, mapped=one is calls[0][1][0])
            before = one.diagnosis + one.hint
    if len(calls) > CALLS:
        lines.append(("", f"and {len(calls) - CALLS} more calls, in .culprits"))
    if report.findings:
        lines += [("", ""), ("title", f"found in {report.name}:" if calls else "found:")]
    for number, one in enumerate(report.findings):
        lines += _finding(one, width, before, f"{one.clause}: ", mapped=not number and not calls)
        before = one.diagnosis + one.hint
    return lines


def _finding(one: Finding, width: int, before: str, title: str = "", *, mapped: bool = False) -> list[Line]:
    lines: list[Line] = [("", line) for line in _wrapped(f"  {title}{one.message}", width, "      ")]
    if one.place and one.diagnosis + one.hint == before:
        numbers = ", ".join(f"{name} {value}" for name, value in facts(one)[1:4])
        return [*lines, *[("", line) for line in _wrapped(f"    {one.place}: {numbers}", width, "      ")]]
    for name, value in facts(one):
        lines += [("", line) for line in _wrapped(f"    {name:<11}{value}", width, " " * 15)]
    if mapped and telling(one):
        lines += _map(one)
    return lines


def _map(one: Finding) -> list[Line]:
    """Where the gradient is wrong, and what the marks mean that are used."""
    levels = [[level(error) for error in row] for row in one.error_map]
    used = {i for row in levels for i in row}
    meaning = [
        "blank: right",
        *[f"{mark} < {100 * b:.0f} %" for mark, b in zip(MARKS[1:], BELOW, strict=False)],
    ]
    meaning.append(f"{MARKS[-1]} >= {100 * BELOW[-1]:.0f} %")
    legend = ", ".join(said for i, said in enumerate(meaning) if i in used)
    rows = ["".join(MARKS[i] for i in row) for row in levels]
    return [
        *[("", f"    {'errors' if not i else '':<11}|{row}|") for i, row in enumerate(rows)],
        ("faint", f"    {'':<11}{legend}"),
    ]


def _clauses(report: Report, width: int) -> list[Line]:
    right = "; ".join(one.name for one in report.clauses if one.verdict == "ok")
    rows = [("", f"ok       {right}")] if right else []
    rows += [("faint", f"skipped  {'; '.join(names)} ({why})") for why, names in grouped_skips(report)]
    lines = [(kind, line) for kind, row in rows for line in _wrapped(row, width, " " * 9)]
    return [("", ""), *lines] if lines else []


def _notes(report: Report, width: int) -> list[Line]:
    groups = grouped_notes(report.notes)
    lines: list[Line] = [("", ""), ("title", "notes:")] if groups else []
    for note, places in groups[:NOTES]:
        lines += [("", line) for line in _wrapped(f"  {note}", width, "    ")]
        if places:
            more = f", and {len(places) - 4} more" if len(places) > 4 else ""
            lines += [("", f"    the same at {', '.join(places[:4])}{more}")]
    if len(groups) > NOTES:
        lines.append(("", f"  and {_count(len(groups) - NOTES, 'more')} in .notes"))
    return lines


# ---- helpers


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("s" if n != 1 and what != "more" else "")


def _indented(lines: Iterable[str]) -> list[Line]:
    return [("", f"  {line}".rstrip()) for line in lines]


def _wrapped(line: str, width: int, indent: str) -> list[str]:
    head = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line.lstrip(), max(width, 40), initial_indent=head, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
