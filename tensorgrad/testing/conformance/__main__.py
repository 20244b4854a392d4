"""``python -m tensorgrad.testing.conformance``: print the table, or write the page."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .page import markdown
from .running import conformance


def main(argv: Sequence[str] | None = None) -> int:
    """Run the checks and return the exit status: 1 where a cell is failed or missing.

    Args:
        argv: the words after the program's name; those that the program was started with if None.

    Example:
        >>> main(["negative"])
        op        kind         samples  dtype   shape  order  layout  programs  kinks  errors
        negative  elementwise  ...
        0
    """
    parser = argparse.ArgumentParser(
        "python -m tensorgrad.testing.conformance",
        description="Check ops in every class of dtypes, shapes, orders and layouts, and print the table.",
    )
    parser.add_argument("names", nargs="*", metavar="OP", help="the ops to check (default: all)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page here, for all ops")
    parser.add_argument("--json", action="store_true", help="print the table for machines instead")
    arguments = parser.parse_args(argv)
    if arguments.write and arguments.names:
        parser.error("--write is for the table of all ops; name none")
    start = time.perf_counter()
    try:
        table = conformance(arguments.names or None)
    except KeyError as error:
        parser.error(str(error.args[0]))
    print(table.to_json() if arguments.json else table)
    if arguments.write:
        arguments.write.write_text(markdown(table), encoding="utf-8")
        print(f"wrote {arguments.write} after {time.perf_counter() - start:.0f} s")
    return 0 if table.ok else 1


if __name__ == "__main__":
    sys.exit(main())
