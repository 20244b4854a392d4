"""``python -m tensorgrad gradcheck``: check a function by its name."""

from __future__ import annotations

import argparse
import difflib
import functools
import inspect
import os
import shlex
import shutil
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TextIO

import numpy as np

from .._errors import TensorgradError
from .._target import UsageError, find, literal, shape
from .check import check
from .choose import Choice, Unusable, Wish, chosen, refusal, required
from .contracts import CLAUSES
from .page import text
from .report import Report
from .subject import Pair
from .target import checkable

RIGHT, WRONG, REFUSED = 0, 1, 2
"""Exit statuses."""


def run(arguments: argparse.Namespace) -> int:
    """Check what the command line names, and print the report.

    Args:
        arguments: as `tensorgrad.cli` parses them.

    Returns:
        0 if the gradients are right, 1 if one is wrong, 2 if it could not be checked.
    """
    if arguments.list_clauses:
        print(clauses())
        return RIGHT
    try:
        report = checked(arguments)
    except (UsageError, TensorgradError) as error:
        print(f"tensorgrad gradcheck: {error}", file=sys.stderr)
        return REFUSED
    except Exception:
        traceback.print_exc()
        print("tensorgrad gradcheck: the check itself failed", file=sys.stderr)
        return REFUSED
    try:
        print(report.to_json(indent=2) if arguments.json else said(report, sys.stdout), flush=True)
    except BrokenPipeError:  # the reader had enough; what is still buffered goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return RIGHT if report.ok else WRONG


def checked(arguments: argparse.Namespace) -> Report:
    """The report on what the command line names.

    Raises:
        UsageError: it cannot be imported, is no function, or refuses its inputs.
    """
    if not arguments.target:
        raise UsageError("name a function: package.module:function or path/to/file.py:function")
    for name in arguments.clause:
        if name not in CLAUSES:
            near = difflib.get_close_matches(name, CLAUSES, n=1, cutoff=0.3)
            raise UsageError(
                f"there is no clause {name!r}{f'; did you mean {near[0]!r}?' if near else ''} (--list-clauses)"
            )
    f = bound(checkable(find(arguments.target), arguments.target), arguments.set)
    host, inputs, choice = prepared(f, arguments)
    report = check(
        host,
        inputs,
        fast_mode=arguments.fast_mode,
        atol=arguments.atol,
        rtol=arguments.rtol,
        clauses=arguments.clause or None,
        seed=arguments.seed,
    )
    if choice is None:
        return report
    note = f"no --shape was given, so the inputs were chosen: {choice}, seed {arguments.seed}"
    return replace(
        report,
        reproducer=f"{report.reproducer}\n\n# or: {command_line(arguments, choice)}",
        notes=report.notes if arguments.shape else (note, *report.notes),
    )


def prepared(f: Any, arguments: argparse.Namespace) -> tuple[Any, Any, Choice | None]:
    """What is checked, its inputs, and how they were chosen unless they were given."""
    given = given_inputs(arguments)
    if given is not None:
        host = paired(f, arguments, len(given))
        if problem := refusal(host, given):
            raise UsageError(f"{arguments.target} refuses its inputs: {problem}")
        return host, given, None
    shapes = tuple(map(shape, arguments.shape))
    wish = Wish(shapes, dtype(arguments) or "float64", arguments.low, arguments.high, arguments.seed)
    try:
        host = paired(f, arguments, len(required(f)))
        choice = chosen(f, wish, host=host)
    except Unusable as error:
        raise UsageError(f"{arguments.target}: {error}") from error
    return host, choice.arrays, choice


def given_inputs(arguments: argparse.Namespace) -> list[Any] | None:
    """The inputs by ``--input`` or ``--inputs``, if there are any."""
    if not (arguments.input or arguments.inputs):
        return None
    if arguments.shape or arguments.low is not None or arguments.high is not None:
        raise UsageError("give either the inputs themselves, or --shape, --low and --high, not both")
    if arguments.input and arguments.inputs:
        raise UsageError("give either --input for each, or --inputs for all, not both")
    if arguments.input:
        values = map(literal, arguments.input)
        return [np.array(v, dtype(arguments) or (complex if np.iscomplexobj(v) else float)) for v in values]
    value = find(arguments.inputs)
    if callable(value):
        try:
            value = value()
        except Exception as error:
            raise UsageError(f"{arguments.inputs}() raised {type(error).__name__}: {error}") from error
    return list(value) if isinstance(value, list | tuple) else [value]


def paired(f: Any, arguments: argparse.Namespace, count: int) -> Any:
    """``f``, or with ``--vjp`` the pair of it and its derivative."""
    if not arguments.vjp:
        return f
    name = arguments.vjp
    module = arguments.target.rpartition(":")[0]
    vjp = find(name if ":" in name else f"{module}:{name}")
    if not callable(vjp):
        raise UsageError(f"{name} is of type {type(vjp).__name__}, not a function")
    return Pair(f, vjp, count)


def bound(f: Any, settings: Sequence[str]) -> Any:
    """``f`` with parameters set by ``NAME=VALUE``."""
    if not settings:
        return f
    pairs = [one.partition("=") for one in settings]
    for name, equals, _ in pairs:
        if not (name.isidentifier() and equals):
            raise UsageError(f"--set takes NAME=VALUE, not {name!r}")
    part = functools.partial(f, **{name: literal(value) for name, _, value in pairs})
    part.__name__ = getattr(f, "__name__", type(f).__name__)  # type: ignore[attr-defined]
    return part


# ---- words of the command line


def dtype(arguments: argparse.Namespace) -> str:
    """The dtype that is asked for, or the empty string."""
    name = arguments.dtype or ""
    try:
        known = not name or np.dtype(name).kind in "fc"
    except TypeError:
        known = False
    if not known:
        raise UsageError(f"--dtype {name}: gradients belong to floating and complex dtypes, such as float32")
    return name


def command_line(arguments: argparse.Namespace, choice: Choice) -> str:
    """The command that checks the same at the same inputs, nothing left to be chosen."""
    words = ["python", "-m", "tensorgrad", "gradcheck", arguments.target]
    span = choice.span or (None, None)
    options = {
        "--vjp": arguments.vjp, "--dtype": arguments.dtype, "--low": span[0], "--high": span[1],
        "--atol": arguments.atol, "--rtol": arguments.rtol, "--seed": arguments.seed,
    }  # fmt: skip
    for size in choice.shapes:
        words += ["--shape", ",".join(map(str, size)) or "()"]
    for name, value in options.items():
        words += [name, f"{value}"] if value is not None else []
    for name, values in {"--set": arguments.set, "--clause": arguments.clause}.items():
        words += [word for value in values for word in (name, value)]
    if arguments.fast_mode is not None:
        words.append("--fast" if arguments.fast_mode else "--full")
    return shlex.join(words)


# ---- what is printed


def clauses() -> str:
    """The clauses, and what each says."""
    width = max(map(len, CLAUSES)) + 2
    return "\n".join(
        f"{name:<{width}}{(inspect.getdoc(f) or '').splitlines()[0]}" for name, f in CLAUSES.items()
    )


def coloured(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose user did not ask for no colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def said(report: Report, stream: TextIO) -> str:
    """The report as it fits a stream: its width, its colours, its characters."""
    width = shutil.get_terminal_size((100, 24)).columns
    page = text(report, width=width, colour=coloured(stream))
    encoding = stream.encoding or "utf-8"
    return page.encode(encoding, "backslashreplace").decode(encoding)
