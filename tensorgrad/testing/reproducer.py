"""A check as lines of Python that repeat it when they are copied."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import sys
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._source import shortened, shown, source_line
from .._tensor import Tensor
from .subject import Pair, Subject, argument_names

NUMBERS = 64
"""Up to so many numbers of an array are written out."""

WIDTH = 100

RANDOM = "# Large arrays are others than those that were checked, of the same mean and spread."


@dataclasses.dataclass
class Script:
    """The lines so far: imports and remarks first, then the arguments.

    Attributes:
        imports: lines that import what the check needs.
        remarks: comments on what cannot be imported.
        inputs: lines that make the arguments.
        random: whether an array was too large to be written out.
    """

    imports: list[str] = dataclasses.field(default_factory=list)
    remarks: list[str] = dataclasses.field(default_factory=list)
    inputs: list[str] = dataclasses.field(default_factory=list)
    random: bool = False

    def __str__(self) -> str:
        head = ["import numpy as np", "import tensorgrad as tg", *dict.fromkeys(self.imports)]
        rng = [RANDOM, "rng = np.random.default_rng(0)"] if self.random else []
        return "\n".join([*head, "", *self.remarks, *rng, *self.inputs])


def reproducer(f: Callable[..., Any] | Subject, inputs: Any, options: Mapping[str, Any]) -> str:
    """Lines of Python that check ``f`` at the same inputs with the same options.

    Arrays of up to `NUMBERS` numbers are written out, and functions that can be imported are imported. For
    what cannot be written a comment says what belongs there.

    Args:
        f: what was checked.
        inputs: as they were given to `check`.
        options: keyword arguments of `check` that are not at their defaults.

    Example:
        >>> import tensorgrad as tg
        >>> print(reproducer(tg.tanh, [np.array([0.5, 1.0])], {"seed": 3}))
        import numpy as np
        import tensorgrad as tg
        <BLANKLINE>
        x = np.array([0.5, 1.0])
        print(tg.testing.check(tg.tanh, [x], seed=3))
    """
    script = Script()
    if isinstance(f, Pair):
        called = "check_vjp"
        functions = [_function(f.f, "f", script), _function(f.f_vjp, "f_vjp", script)]
        given = {"f_jvp": f.f_jvp and _Code(_function(f.f_jvp, "f_jvp", script)), "analytic": f.analytic}
        options = {**{name: value for name, value in given.items() if value}, **options}
        names = list(f.names)
    elif isinstance(f, Subject):
        called, functions, names = "check", ["subject"], list(f.names)
        script.remarks.append(
            f"# subject is the {type(f).__name__} of {f.name}, made as it was for this check"
        )
    else:
        called, functions = "check", [_function(f, "f", script)]
        names = argument_names(f, len(inputs) if isinstance(inputs, list | tuple) else 1)
    if isinstance(inputs, list | tuple):
        arguments = "[" + ", ".join(_arguments(inputs, names, functions, script)) + "]"
    else:
        arguments = _arguments([inputs], names, functions, script)[0]
    words = [*functions, arguments, *[f"{name}={_option(value)}" for name, value in options.items()]]
    script.inputs.append(_call(f"print(tg.testing.{called}", words))
    return str(script)


class _Code(str):
    """A text that is code already."""

    __slots__ = ()


# ---- functions


def _function(f: Callable[..., Any], fallback: str, script: Script) -> str:
    """How to write a function; what makes the name known goes into the script."""
    import tensorgrad

    if isinstance(f, functools.partial):
        script.imports.append("from functools import partial")
        given = [*map(repr, f.args), *[f"{name}={value!r}" for name, value in f.keywords.items()]]
        return f"partial({', '.join([_function(f.func, fallback, script), *given])})"
    name = getattr(f, "__qualname__", "")
    module = getattr(f, "__module__", None) or ""
    if name.isidentifier() and vars(tensorgrad).get(name) is f:
        return f"tg.{name}"
    if name.isidentifier() and vars(np).get(name) is f:
        return f"np.{name}"
    found = _importable(module, name)
    if module != "__main__" and found is not None and (found is f or found == getattr(f, "stands_for", None)):
        script.imports.append(f"from {module} import {name.partition('.')[0]}")
        return name
    where = _position(f)
    at = f", {shown(where)}" if where else ""
    if name.isidentifier():
        script.remarks.append(f"# {name} is defined in the program that was run{at}")
        return name
    what = "a lambda" if name.endswith("<lambda>") else (name or repr(f))[:60].replace("\n", " ")
    line = source_line(where) if name.endswith("<lambda>") else ""
    script.remarks.append(shortened(f"# {fallback} = ...  # {what}{at}{': ' if line else ''}{line}", WIDTH))
    return fallback


def _importable(module: str, name: str) -> Any:
    value: Any = sys.modules.get(module)
    for part in name.split("."):
        value = getattr(value, part, None)
    return value


def _position(f: Any) -> str:
    try:
        code = inspect.unwrap(f).__code__
    except (AttributeError, ValueError):
        return ""
    return f"{code.co_filename}:{code.co_firstlineno}"


# ---- arguments


def _arguments(values: Any, names: list[str], taken: list[str], script: Script) -> list[str]:
    """The arguments by names that are given in the script, or as they are where they are short."""
    words = []
    for i, (value, name) in enumerate(zip(values, names, strict=False)):
        plain = name if name.isidentifier() and name not in (*taken, "np", "tg", "rng") else f"x{i}"
        if isinstance(value, float | int | str | None):
            words.append(repr(value) if not isinstance(value, float) else _number(value))
            continue
        script.inputs.append(f"{plain} = {_value(value, script)}")
        words.append(plain)
    return words


def _value(value: Any, script: Script) -> str:
    if isinstance(value, Tensor):
        grad = ", requires_grad=True" if value.requires_grad else ""
        return f"tg.tensor({_array(np.asarray(value._d), script)}{grad})"
    if isinstance(value, np.ndarray | np.generic):
        return _array(np.asarray(value), script)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_value(one, script)}" for key, one in value.items()) + "}"
    if type(value) in (list, tuple):
        parts = ", ".join(_value(one, script) for one in value)
        return f"[{parts}]" if type(value) is list else f"({parts}{',' * (len(value) == 1)})"
    return _number(value) if isinstance(value, float) else repr(value)


def _array(a: Any, script: Script) -> str:
    plain = a.dtype.name in ("float64", "int64", "bool", "complex128")
    dtype = "" if plain else f', "{a.dtype.name}"'
    if a.size == 0:
        return f'np.zeros({a.shape}, "{a.dtype.name}")'
    if a.size <= NUMBERS:
        text = f"np.array({_nested(a)}{dtype})"
        return text if len(text) < WIDTH - 10 or a.ndim == 0 else _broken(a, dtype)
    if (a == a.flat[0]).all():
        return f'np.full({a.shape}, {_number(a.flat[0])}, "{a.dtype.name}")'
    script.random = True
    if a.dtype.kind not in "fc":
        return f'rng.integers({a.min()}, {int(a.max()) + 1}, {a.shape}).astype("{a.dtype.name}")'
    wide = a.astype(complex).view(float) if a.dtype.kind == "c" else a.astype(float)
    made = f"rng.normal({wide.mean():.3g}, {wide.std():.3g}, {a.shape})"
    if a.dtype.kind == "c":
        made = f"({made} + 1j * rng.normal(0, {wide.std():.3g}, {a.shape}))"
    return made if a.dtype.name == "float64" else f'{made}.astype("{a.dtype.name}")'


def _nested(a: Any) -> str:
    if a.ndim == 0:
        return _number(a[()])
    return "[" + ", ".join(_nested(part) for part in a) + "]"


def _broken(a: Any, dtype: str) -> str:
    """An array with a line for each row."""
    rows = [f"    {_nested(part)}," for part in a]
    lines = [line for row in rows for line in textwrap.wrap(row, WIDTH, subsequent_indent=" " * 8)]
    return "\n".join(["np.array([", *lines, f"]{dtype})"])


def _number(value: Any) -> str:
    if isinstance(value, complex | np.complexfloating):
        text = str(value)
        return f'complex("{text}")' if "n" in text else text
    if isinstance(value, float | np.floating) and not math.isfinite(value):
        return "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    return str(value)


def _option(value: Any) -> str:
    return str(value) if isinstance(value, _Code) else repr(value)


def _call(function: str, words: list[str]) -> str:
    line = f"{function}({', '.join(words)}))"
    if len(line) <= WIDTH:
        return line
    return f"{function}(\n" + "".join(f"    {word},\n" for word in words) + "))"
