"""``python -m benchmarks [family ...]``: time this library against PyTorch and NumPy."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import (
    array_language,
    batches,
    chains,
    conditions,
    convolutions,
    higher_order,
    import_time,
    live_graph,
    optimizers,
    recording,
    report,
    sequence,
    setitem,
    single_ops,
    structural_zeros,
    training,
    transforms,
)
from .harness import ROUNDS, gate, measure

FAMILIES: dict[str, Any] = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        chains,
        higher_order,
        batches,
        training,
        optimizers,
        live_graph,
        import_time,
        single_ops,
        array_language,
        convolutions,
        sequence,
        setitem,
        recording,
        structural_zeros,
        transforms,
    )
}
README = Path(__file__).with_name("README.md")
MARKS = "<!-- figures: begin -->\n", "<!-- figures: end -->"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the families that were asked for; the exit status is that of the gate."""
    options = _options(arguments)
    torch = conditions.load_torch()
    header = conditions.header(torch, options.rounds)
    for name, value in header:
        print(f"{name:<9}{value}")
    sections = [_measured(name, torch, options.rounds) for name in options.families or FAMILIES]
    results = [result for section in sections for result in section.results]
    print(f"\n{report.summary(results)}")
    if options.json:
        options.json.write_text(json.dumps(report.as_json(header, sections), indent=1) + "\n")
    if options.markdown:
        fill(README, report.markdown(header, sections))
    return 0 if options.no_gate else gate(results)


def fill(page: Path, figures: str) -> None:
    """Put the figures between the two marks of a page."""
    before, rest = page.read_text().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    page.write_text(f"{before}{MARKS[0]}{figures}\n{MARKS[1]}{after}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("families", nargs="*", metavar="family", help=f"of: {', '.join(FAMILIES)} (default: all)")
    add("--rounds", type=int, default=ROUNDS, help="how many the medians are of (default: %(default)s)")
    add("--json", type=Path, metavar="PATH", help="also write everything that was measured to this file")
    add("--markdown", action="store_true", help="put the figures into benchmarks/README.md")
    add("--no-gate", action="store_true", help="exit with 0 even if a row misses its bar or is void")
    options = parser.parse_args(arguments)
    for name in options.families:
        if name not in FAMILIES:
            parser.error(f"no family {name!r}; there are: {', '.join(FAMILIES)}")
    if options.rounds < ROUNDS:
        parser.error(f"--rounds {options.rounds}: a median of fewer than {ROUNDS} rounds says little")
    if options.markdown and options.families:
        parser.error("--markdown replaces all figures of the page, so it goes with a run of all families")
    return options


def _measured(name: str, torch: Any, rounds: int) -> report.Section:
    """Measure a family; each row is printed as soon as it is there."""
    family = FAMILIES[name]
    section = report.Section(f"{name}: {family.__doc__.splitlines()[0].rstrip('.')}")
    print(f"\n{section.title}\n{report.head()}")
    for case in family.cases(torch):
        section.results.append(measure(case, rounds))
        print(report.line(section.results[-1]), flush=True)
    if hasattr(family, "notes"):
        section.notes.extend(family.notes(torch))
        print("\n".join(f"    {note}" for note in section.notes), flush=True)
    return section


if __name__ == "__main__":
    conditions.enter()
    sys.exit(main())
