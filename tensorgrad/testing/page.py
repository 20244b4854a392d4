"""Reports for people: as text, and as HTML for notebooks."""

from __future__ import annotations

from html import escape

from .report import Finding, Report

MARKS = {"ok": "ok", "failed": "FAILED", "skipped": "-"}


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
    lines = []
    if one.place:
        lines += [
            f"worst      {one.place}",
            f"analytic   {one.analytic:.6g}",
            f"numeric    {one.numeric:.6g}",
            "ratio      "
            + (f"{one.ratio:.6g}" if abs(one.numeric) > one.bound else "none, the numeric one is 0"),
        ]
    said = ": ".join(part for part in (one.diagnosis, one.hint) if part and part != "unknown")
    return [*lines, *([f"diagnosis  {said}"] if said else [])]


def text(report: Report) -> str:
    """The whole report as text."""
    verdict = "all right" if report.ok else f"{len({one.clause for one in report.findings})} clauses broken"
    lines = [f"{report.name}: {verdict}", ""]
    lines += [f"  {one}" for one in report.inputs]
    lines += [
        "",
        *[f"  {one.name:<34}{MARKS[one.verdict]:<8}{one.detail}".rstrip() for one in report.clauses],
    ]
    for title, some in (("found", report.findings), ("culprits", report.culprits)):
        if some:
            lines += ["", f"{title}:"]
        for one in some:
            place = f" ({one.where})" if one.where else ""
            lines += [f"  {one.op}: {one.message}{place}", *[f"    {line}" for line in details(one)]]
    if report.notes:
        lines += ["", "notes:", *[f"  {one}" for one in report.notes[:8]]]
        if len(report.notes) > 8:
            lines.append(f"  and {len(report.notes) - 8} more")
    lines += [
        "",
        f"{report.mode} mode, {report.evaluations} evaluations, {report.seconds:.2f} s, seed {report.seed}",
    ]
    return "\n".join(lines)


def html(report: Report) -> str:
    """The whole report as HTML, without scripts and without anything from elsewhere."""
    return f"<pre>{escape(text(report))}</pre>"
