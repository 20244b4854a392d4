"""The command line: ``python -m tensorgrad env`` and ``python -m tensorgrad demo``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ._version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        argv: the words after the program's name; those that the program was started with if None.

    Example:
        >>> main(["env"])
        tensorgrad ...
        0
    """
    arguments = _parser().parse_args(argv)
    # A command imports what it needs itself, so that `env` works where something else is broken.
    if arguments.command == "env":
        from ._environment import report

        print(report())
    else:
        from . import demo

        demo.main(arguments.out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tensorgrad", description="Automatic differentiation on NumPy arrays.")
    parser.add_argument("--version", action="version", version=f"tensorgrad {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "env",
        help="print versions, BLAS, threads and extras: paste it into a bug report",
        description="Print what results and speed depend on; paste it into a bug report.",
    )
    demo = commands.add_parser(
        "demo",
        help="train on real digits, draw the graph of a step, check a custom op (under a minute)",
        description="Train a classifier on the UCI digits, draw the graph of one training step, check a "
        "custom op against finite differences, and show what was learned.",
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("tensorgrad-demo"),
        metavar="FOLDER",
        help="where to write the pictures (default: %(default)s)",
    )
    return parser
