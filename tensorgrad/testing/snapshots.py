"""Graphs as golden files: a test fails when a computation changes, and shows what changed.

The files are meant to be read in reviews. Variables are named after their op and counted for each op, so that an op
put in renames few others; what a computation is made of is there, and nothing that changes from run to run.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import sys
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ..inspect.diff import graph_of
from ..inspect.statements import Labels, Program, written
from ..ir import Graph, Var
from ..viz._draw import clean
from .plugged import plugin

FOLDER = "__graphs__"
VARIABLE = "TENSORGRAD_UPDATE_GRAPHS"
HOW = f"to accept it: pytest --update-graphs, or {VARIABLE}=1"

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._\-]{0,99}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*\.", re.IGNORECASE)


def assert_graph_matches(
    what: Any,
    name: str,
    *,
    update: bool | None = None,
    folder: str | os.PathLike[str] | None = None,
    include: Collection[str] = (),
) -> None:
    """Fail the test if a computation is not the one that was accepted.

    The accepted one is a text file, by default ``__graphs__/<test module>/<name>.txt`` beside the test; commit it.
    As with Jest's snapshots, a file that is missing is written and the test passes, except where the environment
    variable ``CI`` is set: there it fails, for nobody would see the file. An accepted file is changed only when asked
    for, by ``pytest --update-graphs``, by the environment variable ``TENSORGRAD_UPDATE_GRAPHS=1``, or by ``update``.
    ``pytest --unused-graphs`` lists the files of the test modules that ran which no test has asked for.

    Args:
        what: a graph, a run, a picture, or a tensor, of which the tape is read.
        name: what to call it, once in a module; characters that a file name may not have are replaced.
        update: whether to accept the computation as it is now; by default as the command line says.
        folder: where the file is, in place of the folder beside the test.
        include: what to compare besides ops, parameters, shapes, dtypes, wiring and scopes: ``"positions"`` (file and
            line), ``"values"`` (the norm of each value, to five digits; of a recorded run).

    Raises:
        AssertionError: the computation is another one; the message is the unified diff. Or there is no file, in CI.
        TypeError: ``what`` is none of these.
        ValueError: ``include`` has another word.

    Example:
        >>> import tempfile
        >>> import tensorgrad as tg
        >>> place = tempfile.mkdtemp()
        >>> assert_graph_matches(tg.trace(tg.exp, tg.ones(2)), "model", folder=place, update=True)
        >>> assert_graph_matches(tg.trace(tg.exp, tg.ones(2)), "model", folder=place)
        >>> assert_graph_matches(tg.trace(tg.sin, tg.ones(2)), "model", folder=place)
        Traceback (most recent call last):
        AssertionError: the graph 'model' is not the accepted one
        ...
    """
    __tracebackhide__ = True
    if unknown := set(include) - {"positions", "values"}:
        raise ValueError(
            f"assert_graph_matches: include has {sorted(unknown)}; it may have 'positions', 'values'"
        )
    new = snapshot(graph_of(what, "what", "assert_graph_matches"), include)
    path = (Path(folder) if folder is not None else _folder()) / f"{file_name(name)}.txt"
    run = plugin()
    if run is not None:
        run.asked_for(path)
    if update is None:
        update = bool(run is not None and run.update_graphs) or _set(VARIABLE)
    old = path.read_text(encoding="utf-8") if path.exists() else None
    if old == new:
        return
    if update or (old is None and not _set("CI")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(new, encoding="utf-8", newline="\n")
        return
    if old is None:
        raise AssertionError(
            f"the graph {name!r} has no accepted file, and in CI none is written: {path}\n{HOW}, and commit the file"
        )
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), f"{path.name} (accepted)", f"{path.name} (now)", lineterm=""
    )
    raise AssertionError("\n".join([f"the graph {name!r} is not the accepted one", *lines, f"{HOW}; {path}"]))


def snapshot(graph: Graph, include: Collection[str] = ()) -> str:
    """A graph as the text of a golden file.

    Example:
        >>> import tensorgrad as tg
        >>> print(snapshot(tg.trace(lambda x: (2 * tg.exp(x)).sum(), tg.ones(3))), end="")
        x: float32[3] = input
        exp1: float32[3] = exp(x)
        multiply1: float32[3] = multiply(2, exp1)
        sum1: float32[] = sum(multiply1)
        return sum1
    """
    program = Program(graph, Labels())
    names = _names(program)
    lines = []
    for i, statement in enumerate(program.statements):
        arguments = [
            program.numbers[v.index] if source is None else names[v.index]
            for v, source in zip(statement.inputs, program.sources[i], strict=True)
        ]
        text = written(statement, program.part(i), lambda v: names[v.index], arguments, labels=False)
        notes = [statement.scope] if statement.scope else []
        if "positions" in include and statement.position is not None:
            notes.append(f"{os.path.basename(statement.position.file)}:{statement.position.line}")
        if "values" in include:
            norms = [graph.stats[v.index].norm for v in statement.outputs if v.index in graph.stats]
            notes += [f"norm {norm:.5g}" for norm in norms]
        notes += [] if statement.taped else ["not taped"]
        lines.append(clean(f"{text}  # {', '.join(notes)}" if notes else text))
    return "\n".join(lines) + "\n"


def file_name(name: str) -> str:
    """A name as part of a file name; names that had to be changed are told apart by a number.

    Example:
        >>> file_name("attention, 2 heads"), file_name("attention/2 heads"), file_name("mlp.v2")
        ('attention--2-heads-57882010', 'attention-2-heads-c8b0bc9f', 'mlp.v2')
    """
    if _SAFE.fullmatch(name) and not _RESERVED.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_]', '-', name)[:80]}-{digest}"


def unused(asked: Collection[Path]) -> list[Path]:
    """Files beside those that were asked for which nobody asked for."""
    folders = {path.parent for path in asked if path.parent.parent.name == FOLDER}
    return sorted({file for folder in folders for file in folder.glob("*.txt")} - set(asked))


# ---- helpers


def _names(program: Program) -> dict[int, str]:
    """What each variable is called: a leaf by its label if no other has it, results by op and count."""
    labels = Counter(s.outputs[0].label for s in program.statements[: program.leaves])
    taken: set[str] = {label for label in labels if label}
    counts: Counter[str] = Counter()
    names = {}

    def fresh(base: str) -> str:
        while True:
            counts[base] += 1
            if (name := f"{base}{counts[base]}") not in taken:
                return name

    for i, statement in enumerate(program.statements):
        for var in statement.outputs:
            names[var.index] = _label(var, labels) if i < program.leaves else ""
            if not names[var.index]:
                names[var.index] = fresh(statement.op)
    return names


def _label(var: Var, labels: Counter[str]) -> str:
    return var.label if labels[var.label] == 1 else ""


def _folder() -> Path:
    """``__graphs__/<test module>`` beside the test that runs, else beside the file that calls."""
    run = plugin()
    item = run.item if run is not None else None
    if item is not None:
        test = Path(item.path)
    else:
        frame = sys._getframe(2)
        test = Path(frame.f_code.co_filename)
    return test.resolve().parent / FOLDER / test.stem


def _set(variable: str) -> bool:
    return os.environ.get(variable, "").lower() not in ("", "0", "false", "no")
