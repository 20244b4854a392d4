"""A table of a model: every module with its shapes, parameters and arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

from .._config import no_grad
from .._creation import zeros
from .._errors import ShapeError
from .._tensor import Tensor
from .._tree import flatten
from .._watch import Watcher, watching
from ..ir.cost import flops_of
from .module import Module


@dataclass
class Row:
    """One call of a module.

    Attributes:
        name: its name in the module that holds it.
        kind: its class.
        depth: how many modules it is inside of.
        inputs: the shapes of its inputs.
        outputs: those of its results.
        params: the parameters of the module and all below, those of an earlier row not again.
        flops: the additions, multiplications and functions of elements in its call.
    """

    name: str
    kind: str
    depth: int
    inputs: list[tuple[int, ...]]
    outputs: list[tuple[int, ...]] = field(default_factory=list)
    params: int = 0
    flops: int = 0


@dataclass(frozen=True)
class Summary:
    """What `summary` found; print it, or read its rows.

    Attributes:
        rows: one for each call of a module, in the order of the calls.
        params: the number of parameters.
        trainable: of those, how many require a gradient.
        flops: the arithmetic of one forward pass.
    """

    rows: list[Row]
    params: int
    trainable: int
    flops: int

    def __str__(self) -> str:
        head = ["module", "input", "output", "parameters", "flops"]
        cells = [head, *[_cells(row) for row in self.rows]]
        widths = [max(len(row[i]) for row in cells) for i in range(5)]
        lines = [
            "  ".join(
                c.rjust(w) if i > 2 else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        rule = "-" * max(map(len, lines))
        frozen = f", {self.params - self.trainable:,} frozen" if self.params != self.trainable else ""
        total = f"{self.params:,} parameters{frozen}; {_short(self.flops)}FLOP forward"
        return "\n".join([lines[0], rule, *lines[1:], rule, total])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def summary(model: Module, inputs: Any, *, dtype: Any = None) -> Summary:
    """Call a model once and list every module with shapes, parameters and FLOPs.

    Args:
        model: what to look at; it is the same afterwards, except that lazy layers are made.
        inputs: the shape of the input, batch axis first, such as ``(1, 28, 28)`` with a batch of 1; or an
            example, or a list of shapes and examples for several inputs.
        dtype: of inputs that are given as shapes; the default float if None.

    Returns:
        A `Summary`. A multiplication and an addition count as two, a function of an element as one, and views and
        copies as nothing.

    Raises:
        ShapeError: the inputs are neither shapes nor tensors, or do not fit the model.

    Example:
        >>> import tensorgrad as tg
        >>> model = tg.nn.Sequential(tg.nn.Linear(4, 8), tg.nn.Linear(8, 2))
        >>> tg.nn.summary(model, (1, 4))
        module       input   output  parameters  flops
        ----------------------------------------------
        Sequential   (1, 4)  (1, 2)          58    106
          0: Linear  (1, 4)  (1, 8)          40     72
          1: Linear  (1, 8)  (1, 2)          18     34
        ----------------------------------------------
        58 parameters; 106 FLOP forward
    """
    args = [_example(one, dtype) for one in (inputs if isinstance(inputs, list) else [inputs])]
    counter = _Counter()
    names = {id(module): path.rpartition(".")[2] for path, module in model.named_modules()}
    modes = [(module, module.training) for module in model.modules()]
    handles = []
    for module in model.modules():
        handles.append(module.register_forward_pre_hook(counter.entering(names[id(module)])))
        handles.append(module.register_forward_hook(counter.leaving))
    try:
        with no_grad(), watching(counter):
            model.eval()(*args)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes:
            module.training = mode
    params = list(model.parameters())
    trainable = sum(p.size for p in params if p.requires_grad)
    return Summary(counter.rows, sum(p.size for p in params), trainable, counter.rows[0].flops)


class _Counter(Watcher):
    """Watches one call: which modules are open, and what the operations in them cost."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.open: list[Row] = []
        self.counted: set[int] = set()

    def entering(self, name: str) -> Any:
        def enter(module: Module, args: tuple[Any, ...]) -> None:
            row = Row(name, type(module).__name__, len(self.open), _shapes(args))
            self.rows.append(row)
            self.open.append(row)

        return enter

    def leaving(self, module: Module, args: tuple[Any, ...], result: Any) -> None:
        row = self.open.pop()
        row.kind = type(module).__name__  # a lazy layer is another one by now
        row.outputs = _shapes(result)
        new = [p for p in module.parameters() if id(p) not in self.counted]
        row.params += sum(p.size for p in new)
        self.counted |= {id(p) for p in new}
        if self.open:
            self.open[-1].params += row.params

    def op(
        self, primitive: Any, args: tuple[Any, ...], params: tuple[Any, ...], result: Any, seconds: float
    ) -> None:
        cost = flops_of(primitive, args, params, result)
        for row in self.open:
            row.flops += cost


# ---- helpers


def _shapes(value: Any) -> list[tuple[int, ...]]:
    return [leaf.shape for leaf in flatten(value)[0] if hasattr(leaf, "shape")]


def _example(given: Any, dtype: Any) -> Any:
    if isinstance(given, tuple) and all(isinstance(n, int) and n >= 0 for n in given):
        return zeros(given, dtype=dtype)
    if isinstance(given, Tensor) or hasattr(given, "shape"):
        return given
    raise ShapeError(
        f"summary: {given!r} given; a shape with the batch axis first such as (1, 28, 28), an example, or a list of these "
        "is needed"
    )


def _cells(row: Row) -> list[str]:
    name = "  " * row.depth + (f"{row.name}: {row.kind}" if row.name else row.kind)
    shapes = [", ".join(map(str, shapes)) for shapes in (row.inputs, row.outputs)]
    return [
        name,
        *shapes,
        f"{row.params:,}" if row.params else "",
        _short(row.flops).strip() if row.flops else "",
    ]


def _short(count: int) -> str:
    """A number with three digits and its unit: 12.3 M."""
    value, unit = float(count), ""
    for bigger in ("k", "M", "G", "T"):
        if value < 999.5:
            break
        value, unit = value / 1000, bigger
    digits = f"{value:.3g}" if unit else str(count)
    return f"{digits} {unit}"
