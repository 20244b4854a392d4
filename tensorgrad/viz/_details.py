"""What a box says about its values: numbers, gradients, bytes, times, in few characters."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tensorgrad._tensor import Tensor
from tensorgrad.ir.graph import Equation, Graph, Stats, Step, Var
from tensorgrad.ir.stats import stats_of
from tensorgrad.viz._draw import as_array, shorten
from tensorgrad.viz.options import Options

Row = tuple[str, str]
SMALL = 4  # entries that are written out
MOST_OUTPUTS = 3  # of one equation that have rows of their own
_WIDE = 26  # characters of a row's value


def shape_text(var: Var) -> str:
    """A shape as people read it."""
    return str(var.shape) if var.shape else "scalar" if var.dtype else "not kept"


def type_text(var: Var) -> str:
    """The dtype and shape of a variable."""
    return f"{var.dtype} {shape_text(var)}".lstrip()


def described(var: Var, options: Options, name: str = "") -> str:
    """The line under a box's name: which value it is, and its type as far as it is to be shown."""
    parts = [] if name == str(var) else [str(var)]
    if "dtypes" in options.show:
        parts.append(var.dtype)
    if "shapes" in options.show and var.dtype:
        parts.append(shape_text(var))
    return " ".join(filter(None, parts)) if options.show & {"shapes", "dtypes"} else ""


def value_rows(graph: Graph, var: Var, options: Options, suffix: str = "") -> list[Row]:
    """What is to be shown of one value: itself, its gradient, its bytes."""
    found: list[Row] = []
    if "values" in options.show and (stats := value_stats(graph, var)):
        found.append((f"value{suffix}", stats_text(stats)))
    if "gradients" in options.show and graph.passes:
        gradient = graph.gradients.get(var.index)
        if gradient is not None:
            found.append((f"grad{suffix}", stats_text(gradient)))
        elif var.tracked:
            found.append((f"grad{suffix}", "none"))
    if "memory" in options.show and var.dtype:
        found.append((f"memory{suffix}", amount(var.nbytes, "B")))
    return found


def cost_rows(equation: Equation, step: Step | None, options: Options) -> list[Row]:
    """What an equation cost, and its pullback."""
    found: list[Row] = []
    if "memory" in options.show and equation.saved_bytes:
        found.append(("kept for backward", amount(equation.saved_bytes, "B")))
    if "time" in options.show and equation.seconds is not None:
        found.append(("time", duration(equation.seconds)))
    if "time" in options.show and step is not None and step.seconds is not None:
        found.append(("time backward", duration(step.seconds)))
    if "flops" in options.show and equation.flops is not None:
        found.append(("FLOPs", amount(equation.flops)))
    return found


def totals(graph: Graph, options: Options) -> list[str]:
    """What all equations together cost, as far as it is to be shown and known."""
    said = []
    if "time" in options.show:
        spent = {"forward": 0.0, "backward": 0.0}
        for equation in graph.equations:
            spent[equation.direction] += equation.seconds or 0.0
        steps = sum(step.seconds or 0.0 for step in graph.passes[-1].steps) if graph.passes else 0.0
        spent["backward"] = steps or spent["backward"]
        said += [f"{duration(seconds)} {name}" for name, seconds in spent.items() if seconds]
    kept = sum(equation.saved_bytes or 0 for equation in graph.equations)
    if "memory" in options.show and kept:
        said.append(f"{amount(kept, 'B')} kept for backward")
    flops = [equation.flops for equation in graph.equations if equation.flops is not None]
    if "flops" in options.show and flops:
        said.append(f"{amount(sum(flops))} FLOPs")
    return said


def value_stats(graph: Graph, var: Var) -> Stats | None:
    """The numbers of a value: as recorded, or of an array that the graph holds."""
    if var.index in graph.stats:
        return graph.stats[var.index]
    held = graph.values.get(var.index)
    if not isinstance(held, Tensor | np.ndarray | np.generic | bool | int | float | complex):
        return None  # nothing, or what a file had instead of numbers
    array = as_array(held)
    return stats_of(array) if array.dtype.kind in "biufc" else None


def stats_text(stats: Stats) -> str:
    """A value in few characters: its entries if they are few, else their mean and range.

    Example:
        >>> stats_text(Stats((), "float32", values=(0.70711,)))
        '0.7071'
        >>> stats_text(Stats((100,), "float32", low=-1.0, high=2.0, mean=0.125, nans=3))
        '3 of 100 NaN'
    """
    if stats.values is not None and 0 < len(stats.values) <= SMALL:
        written = [plain(value) for value in stats.values]
        text = f"[{', '.join(written)}]" if stats.shape else written[0]
        if len(text) <= _WIDE:
            return text
    bad = [f"{n:,} of {stats.size:,} {what}" for n, what in ((stats.nans, "NaN"), (stats.infs, "inf")) if n]
    if bad:
        return ", ".join(bad)
    if stats.low is None or stats.high is None or stats.mean is None:
        return "empty"
    if stats.low == stats.high:
        return f"all {plain(stats.low, 3)}"
    return f"mean {plain(stats.mean, 2)} ({plain(stats.low, 2)} to {plain(stats.high, 2)})"


def plain(value: Any, digits: int = 4) -> str:
    """A number to a few digits.

    Example:
        >>> plain(1 / 3), plain(-0.0), plain(True), plain(1e-9), plain(1 - 2j)
        ('0.3333', '0', 'True', '1e-9', '1-2j')
    """
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer) and abs(int(value)) < 1_000_000:
        return str(value)
    if isinstance(value, complex | np.complexfloating):
        return f"{value:.{digits}g}"
    if value != value:
        return "NaN"
    text = re.sub(r"e([+-])0*(\d+)", lambda e: f"e{e[1].strip('+')}{e[2]}", f"{float(value):.{digits}g}")
    return "0" if text == "-0" else text


def duration(seconds: float) -> str:
    """A time to three digits.

    Example:
        >>> duration(12.3e-6), duration(0.5), duration(0)
        ('12.3 µs', '500 ms', '0 s')
    """
    if seconds <= 0:
        return "0 s"
    for unit, scale in (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3)):
        if seconds < 999.5 * scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds:,.3g} s" if seconds < 999.5 else f"{seconds:,.0f} s"


def amount(count: float, unit: str = "") -> str:
    """A count to three digits with a decimal prefix.

    Example:
        >>> amount(160, "B"), amount(4096, "B"), amount(2_000_000)
        ('160 B', '4.1 kB', '2 M')
    """
    for prefix, scale in (("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9)):
        if count < 999.5 * scale:
            return f"{count / scale:.3g} {prefix}{unit}".rstrip()
    return f"{count / 1e12:,.3g} T{unit}"


def parameter(value: Any, depth: int = 0) -> str:
    """A parameter in a few words, the same in every run."""
    if isinstance(value, tuple | list) and depth < 3:
        inner = ", ".join(parameter(item, depth + 1) for item in value[:8]) + (
            ", …" if len(value) > 8 else ""
        )
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, np.generic):
        return f"{value.dtype} array {tuple(value.shape)}"
    if callable(value):
        return str(getattr(value, "__qualname__", type(value).__name__))
    try:
        words = repr(value)
    except Exception:  # somebody's own object, whose words may fail
        words = type(value).__name__
    return shorten(re.sub(r" at 0x[0-9a-fA-F]+", "", words), 80)
