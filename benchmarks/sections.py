"""Pages of figures: each program writes its own part of a page, between two marks, and leaves the others."""

from __future__ import annotations

from pathlib import Path


def fill(page: Path, name: str, text: str) -> None:
    """Put the text between the marks of ``name``, at the end of the page where they are not there yet."""
    first, last = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    whole = page.read_text(encoding="utf-8")
    if first not in whole:
        whole = f"{whole.rstrip()}\n\n{first}{last}"
    before, rest = whole.split(first)
    page.write_text(f"{before}{first}\n{text.strip()}\n\n{last}{rest.split(last)[1]}", encoding="utf-8")
