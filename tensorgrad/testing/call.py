"""Code that repeats a check: what `tensorgrad.testing.opcheck` prints is what it ran."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .layouts import expression, written
from .subject import argument_names

INDENT = "    "


class Call:
    """A call of `check` or `check_vjp`, as text and to be run.

    Args:
        f: takes tensors, or arrays if ``vjp`` is given.
        vjp: the derivative of a NumPy function.
        inputs: its arguments.
        layouts: for each of them a key of `LAYOUTS`: how ``f`` is to find it in memory.

    Example:
        >>> call = Call(np.sum, lambda inputs, y, g: g, [np.ones(2)], ["reversed"])
        >>> print(call.functions_written[0])
        lambda a: sum(np.flip(np.flip(a).copy()))
    """

    def __init__(
        self,
        f: Callable[..., Any],
        vjp: Callable[..., Any] | None,
        inputs: Sequence[Any],
        layouts: Sequence[str],
    ) -> None:
        self.given = [f] if vjp is None else [f, vjp]
        self.inputs, self.layouts = list(inputs), layouts
        self.words, self.origins = zip(*[_name(one) for one in self.given], strict=True)
        taken = {*self.words, "np", "tg"}
        names = argument_names(f, len(inputs))
        self.names = [
            x if x.isidentifier() and x not in taken else f"x{i}" for i, x in enumerate(names)
        ]  # fmt: skip

    @property
    def plain(self) -> bool:
        """Whether all inputs are to be in C order."""
        return all(layout == "C" for layout in self.layouts)

    @property
    def functions_written(self) -> list[str]:
        """The functions to check, which lay out their inputs first if that is asked for."""
        if self.plain:
            return list(self.words)
        listed = ", ".join(self._laid_out(self.names))
        found = [f"lambda {', '.join(self.names)}: {self.words[0]}({listed})"]
        for word in self.words[1:]:
            listed = ", ".join(self._laid_out([f"inputs[{i}]" for i in range(len(self.inputs))]))
            found.append(f"lambda inputs, y, g: {word}(({listed},), y, g)")
        return found

    def _laid_out(self, names: Sequence[str]) -> list[str]:
        tensors = len(self.given) == 1
        return [
            expression(name, layout, np.shape(x), tensors=tensors)
            for name, layout, x in zip(names, self.layouts, self.inputs, strict=True)
        ]

    @property
    def functions(self) -> list[Callable[..., Any]]:
        """What `functions_written` says, to be called."""
        import tensorgrad

        space = {"np": np, "tg": tensorgrad, **dict(zip(self.words, self.given, strict=True))}
        found = [eval(text, space) for text in self.functions_written]
        for one, given in zip(found, self.given, strict=True):
            if one is not given:
                one.__name__ = _title(given)
        return found

    def code(self, options: dict[str, Any]) -> str:
        """Lines that repeat the check, indented for a message."""
        check = "check" if len(self.given) == 1 else "check_vjp"
        functions = ", ".join(self.functions_written)
        inputs = ", ".join(written(x) if isinstance(x, np.ndarray) else repr(x) for x in self.inputs)
        words = "".join(f", {key}={value!r}" for key, value in options.items())
        own = ["import tensorgrad as tg"] if "tg." in functions else []
        lines = ["import numpy as np", *own, f"from tensorgrad.testing import {check}"]
        lines += [*self.origins, "", f"print({check}({functions}, [{inputs}]{words}))"]
        return "\n".join(f"{INDENT}{line}".rstrip() for line in lines)


def _title(f: Any) -> str:
    return str(getattr(f, "__name__", type(f).__name__))


def _name(f: Any) -> tuple[str, str]:
    """What to call a function in code, and the line that makes the name known, if there is one."""
    title, module = _title(f), getattr(f, "__module__", None)
    if (
        title.isidentifier()
        and module != "__main__"
        and getattr(sys.modules.get(module or ""), title, None) is f
    ):
        return title, f"from {module} import {title}"
    word = title if title.isidentifier() else "f"
    return word, f"# {word} is your function {getattr(f, '__qualname__', title)}"
