"""Make the picture of docs/attribute.md; run it from the repository root.

The page itself is the program: its Python blocks run in order, and the picture is that of its paths.
"""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"
PICTURE = DOCS / "images" / "attribution.svg"


def drawn() -> str:
    """The picture of ``paths`` on the page."""
    page = (DOCS / "attribute.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page.partition("## Errors")[0], re.MULTILINE | re.DOTALL)
    space: dict[str, Any] = {"__name__": "__main__"}
    for example in doctest.DocTestParser().get_examples("\n".join(blocks)):
        if "print(" not in example.source:
            exec(compile(example.source, "attribute.md", "single"), space)
    return str(space["paths"].to_svg())


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
