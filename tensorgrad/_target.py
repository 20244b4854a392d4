"""Functions by the names that a command line has for them: ``package.module:function``, ``file.py:Class.method``."""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from ._source import shown

FORMS = "package.module:function or path/to/file.py:function"

_PACKAGE = str(Path(__file__).parent) + os.sep


class UsageError(Exception):
    """What was asked for cannot be done; the message says what to change."""


def find(target: str) -> Any:
    """The object of a name such as ``package.module:function`` or ``path/to/file.py:Class.method``.

    Raises:
        UsageError: it cannot be imported, or there is no such object.

    Example:
        >>> find("tensorgrad.ops:tanh").__name__
        'tanh'
    """
    place, colon, path = target.rpartition(":")
    if not colon:
        place, path = target, ""
    if not place:
        raise UsageError(f"{target!r} names no module; write {FORMS}")
    value: Any = load(place)
    if not path:
        names = ", ".join(functions(value)) or "none"
        raise UsageError(f"{target!r} names no function; write {place}:function. Its functions are: {names}")
    for name in path.split("."):
        try:
            value = getattr(value, name)
        except AttributeError:
            near = difflib.get_close_matches(
                name, [one for one in dir(value) if callable(getattr(value, one, None))]
            )
            hint = (
                f"did you mean {' or '.join(near)}?"
                if near
                else f"it has {', '.join(functions(value)) or 'none'}"
            )
            what = (
                place if isinstance(value, ModuleType) else getattr(value, "__name__", type(value).__name__)
            )
            raise UsageError(f"{what} has no {name!r}: {hint}") from None
    return value


def load(place: str) -> ModuleType:
    """A module by its name or its file.

    Raises:
        UsageError: there is none, or it raises as it is imported.
    """
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    name = place
    if place.endswith(".py") or os.sep in place:
        if not Path(place).is_file():
            raise UsageError(f"there is no file {place}")
        name, folder = _module_of(Path(place).resolve())
        if folder not in sys.path:
            sys.path.insert(0, folder)
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            raise UsageError(
                f"there is no module {error.name}; run this where it can be imported from, or write {FORMS}"
            ) from None
        raise UsageError(f"{place} cannot be imported: {said(error)}") from error
    if name != place and Path(module.__file__ or "").resolve() != Path(place).resolve():
        return _by_path(name, place)
    return module


def functions(value: Any) -> list[str]:
    """The names of the functions that a module or class defines itself."""
    own = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
    return [
        name
        for name, one in vars(value).items()
        if not name.startswith("_") and callable(one) and getattr(one, "__module__", own) == own
    ]


def said(error: BaseException) -> str:
    """What an exception says, and the line of the user's code that it comes from."""
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, SyntaxError):
        return f"{message} ({shown(f'{error.filename}:{error.lineno}')})"
    frames = [
        one
        for one in traceback.extract_tb(error.__traceback__)
        if not one.filename.startswith((_PACKAGE, "<")) and os.sep + "importlib" + os.sep not in one.filename
    ]
    return f"{message} ({shown(f'{frames[-1].filename}:{frames[-1].lineno}')})" if frames else message


# ---- words of a command line


def shape(word: str) -> tuple[int, ...]:
    """A shape such as ``3,4``; that of a number is empty, or ``()``.

    Example:
        >>> shape("3,4"), shape("(5,)"), shape("()")
        ((3, 4), (5,), ())
    """
    sizes = [one for one in word.strip().strip("()[]").replace("x", ",").split(",") if one.strip()]
    if not all(one.strip().isdecimal() for one in sizes):
        raise UsageError(f"--shape takes sizes such as 3,4 (or () for a number), not {word!r}")
    return tuple(map(int, sizes))


def literal(word: str) -> Any:
    """A number, list, tuple, string, bool or None, as Python writes it."""
    try:
        return ast.literal_eval(word)
    except (ValueError, SyntaxError):
        raise UsageError(f"{word!r} is no literal; write numbers and lists such as [[1.0, 2.0]]") from None


# ---- helpers


def _module_of(file: Path) -> tuple[str, str]:
    """The dotted name of a file, with the packages around it, and the folder that it is imported from."""
    names = [] if file.name == "__init__.py" else [file.stem]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names), str(folder)


def _by_path(name: str, place: str) -> ModuleType:
    """The module of a file whose name another module has."""
    spec = importlib.util.spec_from_file_location(f"{name}_", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UsageError(f"{place} cannot be imported: {said(error)}") from error
    return module
