"""Random training programs as source text, for `benchmarks.why_pathologies`: each statement has a line of its own.

A program makes data and parameters, and computes in a recorded block a chain of layers and a loss. It is run as
a file that `linecache` knows, so that a position in it is the line that a reader would see. A pathology is a
statement, or a few, put between two layers; its line is the one to be named.
"""

from __future__ import annotations

import linecache
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tensorgrad as tg

ACTIVATIONS = (
    "tg.tanh(h)",
    "tg.sigmoid(h)",
    "F.gelu(h)",
    "F.silu(h)",
    "F.softplus(h)",
    "F.elu(h)",
    "tg.sin(h)",
)
CALM = (  # statements that do no harm
    "h = h * 1.1",
    "h = h + 0.1",
    "h = h + tg.sin(h)",
    "h = 0.5 * h + 0.5 * tg.tanh(h)",
    "h = h.reshape(-1, {d}).reshape({n}, {d})",
    "h = h.T.T",
    "h = tg.concat([h, h], axis=1)[:, :{d}]",
    "h = F.layer_norm(h, ({d},))",
    "h = F.dropout(h, 0.2)",
    "h = tg.maximum(h, -30.0)",
    "h = tg.where(h > -40, h, 0.0)",
    "h = tg.flip(h, axis=1)",
)
MARK = "  # here"


@dataclass
class Plan:
    """What a pathology may ask for and change before the program is written.

    Args:
        rng: the source of all choices.
        n: examples.
        widths: of the layers, the input's first.
        place: the number of the layer that the statements come behind.
        dtype: of data and parameters.
        plant: the statements, the one to blame marked; ``h`` is the value between the layers.
        before: statements before the recorded block.
        loss: the statement of the loss, or of several.
        after: statements in the block behind the loss.
        ask: what `why` is asked about, an expression.
        calm: whether harmless statements come between the layers.
    """

    rng: np.random.Generator
    n: int
    widths: list[int]
    place: int
    dtype: str = "float64"
    plant: Sequence[str] = ()
    before: list[str] = field(default_factory=list)
    loss: Sequence[str] = ("loss = (h ** 2).mean()",)
    after: Sequence[str] = ("loss.backward()",)
    ask: str = ""
    calm: bool = True
    modules: bool = False
    activations: Sequence[str] = ACTIVATIONS
    gain: float = 1.0

    @property
    def width(self) -> int:
        """The number of features where the statements are."""
        return self.widths[self.place + 1]

    def upstream(self) -> str:
        """A parameter that is used before the statements."""
        k = int(self.rng.integers(self.place + 1))
        return f"net.fc{k}.weight" if self.modules else f"w{k}"


@dataclass(frozen=True)
class Program:
    """A program that can be run.

    Args:
        file: its name.
        text: its source.
        line: the line to be named, 0 if it has none.
        ask: what to ask about.
    """

    file: str
    text: str
    line: int
    ask: str

    def run(self) -> tuple[Any, dict[str, Any]]:
        """What the program asks about, and all its variables, which keep the recording alive."""
        linecache.cache[self.file] = (len(self.text), None, self.text.splitlines(keepends=True), self.file)
        space: dict[str, Any] = {"np": np, "tg": tg, "F": tg.nn.functional, "__name__": self.file}
        with np.errstate(all="ignore"), warnings.catch_warnings(), suppress(tg.NoGraphError):
            warnings.simplefilter("ignore")
            exec(compile(self.text, self.file, "exec"), space)
        return eval(self.ask, space), space


def plan(rng: np.random.Generator) -> Plan:
    """A random architecture."""
    layers = int(rng.integers(2, 7))
    widths = [int(w) for w in rng.integers(3, 9, layers + 1)]
    return Plan(
        rng,
        int(rng.integers(4, 12)),
        widths,
        place=int(rng.integers(layers - 1)),
        modules=bool(rng.random() < 0.4),
    )


def written(made: Plan, file: str, choose: Callable[[Sequence[str]], str] | None = None) -> Program:
    """The program of a plan as text."""
    rng, n, widths = made.rng, made.n, made.widths
    pick = choose or (lambda options: str(options[int(rng.integers(len(options)))]))
    layers = range(len(widths) - 1)
    seed = int(rng.integers(2**31))
    lines = [f"data = np.random.default_rng({seed})", f"tg.manual_seed({seed})"]
    lines.append(f"x = tg.tensor(data.standard_normal(({n}, {widths[0]})).astype({made.dtype!r}))")
    body = [line for k in layers for line in _layer(made, k, pick)]
    if made.modules:
        lines += ["class Net(tg.nn.Module):", "    def __init__(self):", "        super().__init__()"]
        lines += [
            f"        self.fc{k} = tg.nn.Linear({widths[k]}, {widths[k + 1]}, dtype={made.dtype!r})"
            for k in layers
        ]
        lines += [
            "    def forward(self, h):",
            *[f"        {line}" for line in body],
            "        return h",
            "net = Net()",
        ]
        if made.gain != 1:
            lines += ["with tg.no_grad():", "    for p in net.parameters():", f"        p *= {made.gain}"]
        body = ["h = net(x)"]
    else:
        for k in layers:
            scale = round(made.gain / widths[k] ** 0.5, 3)
            shape = (widths[k], widths[k + 1])
            lines.append(
                f"w{k} = tg.tensor({scale} * data.standard_normal({shape}).astype({made.dtype!r}), requires_grad=True)"
            )
            lines.append(
                f"b{k} = tg.tensor(0.1 * data.standard_normal({shape[1]}).astype({made.dtype!r}), requires_grad=True)"
            )
        body = ["h = x", *body]
    lines += made.before
    lines += ["with tg.record() as run:", *[f"    {line}" for line in (*body, *made.loss, *made.after)]]
    lines = "\n".join(lines).splitlines()
    at = next((number for number, line in enumerate(lines, 1) if line.endswith(MARK)), 0)
    return Program(file, "\n".join(lines).replace(MARK, "") + "\n", at, made.ask)


def _layer(made: Plan, k: int, pick: Callable[[Sequence[str]], str]) -> list[str]:
    """One layer, what harmless statements follow it, and the pathology if this is its place."""
    lines = [f"h = self.fc{k}(h)" if made.modules else f"h = h @ w{k} + b{k}"]
    if made.calm and made.rng.random() < 0.3:
        lines.append(pick(CALM).format(n=made.n, d=made.widths[k + 1]))
    if k < len(made.widths) - 2 or made.place == k:
        lines.append(f"h = {pick(made.activations)}")
    if made.place == k:
        lines += [line.format(n=made.n, d=made.width) for line in made.plant]
    return lines
