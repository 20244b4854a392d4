"""The command line: ``python -m tensorgrad env``, ``demo``, ``train``, ``graph`` and ``gradcheck``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    elif arguments.command == "gradcheck":
        from .testing.command import run

        return run(arguments)
    elif arguments.command == "graph":
        from .viz.command import run as draw

        return draw(arguments)
    elif arguments.command == "train":
        from .training import command

        return command.run(arguments)
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
    _add_train(commands)
    _add_graph(commands)
    _add_gradcheck(commands)
    return parser


def _add_train(commands: Any) -> None:
    parser = commands.add_parser(
        "train",
        help="train a classifier of images and write a report",
        description="Train a classifier of images, with checkpoints, test it once, and write a report page about it.",
        epilog="Exit status: 0 all right, 2 the arguments or the data cannot be used.",
    )
    add = parser.add_argument
    add(
        "--data",
        default="digits",
        metavar="DIR|NAME",
        help="digits (comes with the package), fashion-mnist or mnist (in TENSORGRAD_DATA or the user cache), or a "
        "folder with the four files of such a set (default: %(default)s)",
    )
    add(
        "--model",
        default="mlp",
        choices=("mlp", "cnn", "book"),
        help="mlp: 1,024 and 512 hidden units; cnn: 4 convolutions; book: 128 and 128 hidden units, trained as the "
        "sources do (default: %(default)s)",
    )
    add("--epochs", type=int, help="how often to go through the data (default: the model's)")
    add("--batch-size", type=int, metavar="N", help="images in a batch (default: the model's)")
    add("--lr", type=float, help="the learning rate (default: the model's)")
    add(
        "--seed",
        type=int,
        default=0,
        help="of weights, order and all else that is drawn (default: %(default)s)",
    )
    add("--limit", type=int, metavar="N", help="learn from the first N images only")
    add("--download", action="store_true", help="fetch the data first, if it is not there")
    add(
        "--out",
        type=Path,
        default=Path("tensorgrad-run"),
        metavar="FOLDER",
        help="for checkpoints, weights and the report (default: %(default)s)",
    )
    add("--resume", action="store_true", help="go on from the newest checkpoint in that folder")


def _add_graph(commands: Any) -> None:
    parser = commands.add_parser(
        "graph",
        help="run a function and draw what it computes",
        description="Run a function, and draw the operations that it ran. If it gives one number that requires a "
        "gradient, its backward pass runs too. Without -o the graph is printed.",
        epilog="Exit status: 0 it was drawn, 2 it could not be.",
    )
    add = parser.add_argument
    add(
        "target",
        metavar="MODULE:FUNCTION",
        help="package.module:function or path/to/file.py:function; a model, a tensor, a run or a graph will do too",
    )
    add(
        "-o",
        "--out",
        type=Path,
        metavar="FILE",
        help="where to: .html is a page to explore, .svg, .png and .pdf are pictures, .dot, .mmd, .txt and .json text",
    )
    add(
        "--shape",
        action="append",
        default=[],
        metavar="3,4",
        help="of an input, which is drawn from the normal distribution; once for all, or once for each",
    )
    add("--input", action="append", default=[], metavar="LITERAL", help='an input itself: "[[1.0, 2.0]]"')
    add("--dtype", metavar="NAME", help="of the inputs (default: float32, or that of the numbers given)")
    add("--seed", type=int, default=0, help="of inputs that are drawn (default: %(default)s)")
    add("--forward", action="store_true", help="do not run a backward pass")
    add("--passes", choices=("forward", "backward", "both"), help="which to draw (default: as recorded)")
    add("--depth", type=int, metavar="N", help="fold modules nested deeper than this")
    add("--fold-repeats", action="store_true", help="draw equal modules in a row once, with their number")
    add(
        "--show",
        metavar="WHAT,...",
        help="in the boxes: shapes, dtypes, values, gradients, memory, time, flops, or all",
    )
    add("--colour", choices=("kind", "gradient"), help="by kind of box, or by the size of gradients")
    add("--title", metavar="TEXT", help="a heading")
    add("--engine", choices=("dot", "pygraphviz", "builtin"), help="what draws (default: the first there is)")


def _add_gradcheck(commands: Any) -> None:
    parser = commands.add_parser(
        "gradcheck",
        help="check the gradients of a function and name the op that is wrong",
        description="Check the gradients of a function, clause by clause, and name the op that is wrong.",
        epilog="Exit status: 0 all right, 1 a gradient is wrong, 2 it could not be checked.",
    )
    parser.add_argument(
        "target",
        nargs="?",
        metavar="MODULE:FUNCTION",
        help="package.module:function or path/to/file.py:function; a subclass of tensorgrad.Function will do too",
    )
    inputs = parser.add_argument_group(
        "inputs", "Without any, shapes are tried until the function takes one."
    )
    add = inputs.add_argument
    add(
        "--shape",
        action="append",
        default=[],
        metavar="3,4",
        help="of an input; once for all, or once for each",
    )
    add("--dtype", help="of the inputs (default: float64)")
    add("--low", type=float, help="draw numbers from here on, instead of normal ones")
    add("--high", type=float, help="draw numbers up to here")
    add("--input", action="append", default=[], metavar="LITERAL", help='an input itself: "[[1.0, 2.0]]"')
    add("--inputs", metavar="MODULE:NAME", help="a list of all inputs, or a function that returns it")
    add(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter that is no input: axis=1",
    )
    checks = parser.add_argument_group("checks")
    add = checks.add_argument
    add(
        "--vjp",
        metavar="MODULE:FUNCTION",
        help="the derivative f_vjp(inputs, y, g) of a function of NumPy arrays",
    )
    add("--fast", dest="fast_mode", action="store_const", const=True, help="compare random projections")
    add("--full", dest="fast_mode", action="store_const", const=False, help="compare each entry")
    add(
        "--clause",
        action="append",
        default=[],
        metavar="NAME",
        help="check this clause only; may be repeated",
    )
    add("--list-clauses", action="store_true", help="print the clauses and what they say")
    add("--atol", type=float, help="absolute tolerance (default: from the dtype and the gradients)")
    add("--rtol", type=float, help="relative tolerance (default: two thirds of the digits)")
    add("--seed", type=int, default=0, help="of everything random (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
