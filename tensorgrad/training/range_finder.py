"""Which learning rate to train with: try rising ones for a few steps, and see where the loss falls."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._config import no_grad
from .._errors import ShapeError
from .._tensor import Tensor
from ..nn.module import Module
from ..viz.chart import line_chart
from ..viz.svgfile import SVG
from .batches import as_batches, split
from .checkpoint import generators_of
from .evaluation import in_mode

FALL = 0.05  # of the loss, which is more than chance


@dataclass(frozen=True, slots=True)
class RangeTest:
    """What a range test found; a notebook shows its chart.

    Args:
        rates: the learning rates that were tried, rising.
        losses: the loss of a batch before the step with each.
        smoothed: the mean of the losses so far, the newer the more it counts.
        diverged: whether the test ended because the loss grew.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    diverged: bool

    @property
    def suggestion(self) -> float | None:
        """A tenth of the rate at which the smoothed loss is least; None if the loss hardly falls.

        The mean lags behind the losses, so the least is seen late, and where it is the steps are too long
        already. Where the loss falls fastest, the other usual choice, was too high by more in our runs.
        """
        if not self.smoothed or min(self.smoothed) > (1 - FALL) * self.smoothed[0]:
            return None
        return self.rates[int(np.argmin(self.smoothed))] / 10

    def chart(self, *, title: str = "Learning-rate range test") -> SVG:
        """Draw the smoothed loss over the rate, and mark the suggestion.

        Args:
            title: a heading.
        """
        powers = np.log10(self.rates)
        series: dict[str, Any] = {"loss": (powers, self.smoothed)}
        if self.suggestion is not None:
            where = math.log10(self.suggestion)
            there = float(np.interp(where, powers, self.smoothed))
            series[f"suggested {self.suggestion:.2g}, loss"] = ([where], [there])
        return line_chart(
            series, title=title, x_label="learning rate, as a power of 10", y_label="smoothed loss"
        )

    def _repr_svg_(self) -> str:
        return str(self.chart())


def lr_range_test(
    model: Callable[..., Any],
    data: Any,
    loss: Callable[..., Any],
    optimizer: Any,
    *,
    start: float = 1e-6,
    end: float = 10.0,
    steps: int = 100,
    smoothing: float = 0.9,
    diverge: float = 4.0,
    batch_size: int = 32,
    seed: Any = 0,
) -> RangeTest:
    """Train a few steps with rates that rise from `start` to `end`, then put everything back as it was.

    The model's parameters, buffers and modes, the optimizer, gradients, the generators that draw in the
    model, and a loader's position are afterwards what they were before, bit for bit, also after an error.
    Where parameter groups have different rates, they keep their proportions, and the greatest is the one
    that is tried.

    Args:
        model: takes the inputs of a batch.
        data: a `DataLoader`, a data set, a pair of arrays ``(inputs, targets)``, or a list of batches; it is
            gone through as often as it takes.
        loss: ``loss(prediction, target)`` -> a tensor with one number.
        optimizer: of the parameters; a new one like that of the training to come.
        start: the first rate, greater than 0.
        end: the last one, greater than `start`.
        steps: how many rates there are, at least 2.
        smoothing: how much of the mean so far stays at each step, from 0 to less than 1.
        diverge: the test ends when the smoothed loss is this many times its least, greater than 1, or
            when the loss is not finite.
        batch_size: for arrays and data sets.
        seed: of their shuffling.

    Returns:
        The rates and losses; ``.suggestion`` is a rate to begin with, ``.chart()`` the picture.

    Raises:
        ValueError: an argument is out of its range.
        ShapeError: the loss is no single number, or the data is empty.

    Example:
        >>> import tensorgrad as tg
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(256, 2)).astype(np.float32)
        >>> y = (x[:, :1] > x[:, 1:]).astype(np.float32)
        >>> model = tg.nn.Linear(2, 1, generator=rng)
        >>> optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
        >>> test = tg.training.lr_range_test(model, (x, y), tg.nn.BCEWithLogitsLoss(), optimizer)
        >>> 0.1 < test.suggestion < 2
        True

    Source:
        L. N. Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3.
    """
    if not 0 < start < end < math.inf:
        raise ValueError(f"lr_range_test: start is {start}, end is {end}; give rates that rise from above 0")
    if steps < 2 or not 0 <= smoothing < 1 or not diverge > 1:
        raise ValueError(
            f"lr_range_test: steps={steps}, smoothing={smoothing}, diverge={diverge}; "
            "give at least 2 steps, a smoothing from 0 to below 1, and more than 1 to diverge"
        )
    batches = as_batches("lr_range_test", data, batch_size, True, seed)
    shares = _shares(optimizer)
    rates, losses, smoothed = [], list[float](), list[float]()
    mean, diverged = 0.0, False
    with _kept(model, optimizer, batches):
        source = _endless(batches)
        for rate in np.geomspace(start, end, steps).tolist():
            for group, share in zip(optimizer.param_groups, shares, strict=True):
                group["lr"] = rate * share
            value = _step(model, loss, optimizer, next(source))
            if not math.isfinite(value):
                diverged = True
                break
            mean = smoothing * mean + (1 - smoothing) * value
            rates.append(rate)
            losses.append(value)
            smoothed.append(mean / (1 - smoothing ** len(losses)))
            if smoothed[-1] > diverge * min(smoothed) > 0:
                diverged = True
                break
    return RangeTest(rates, losses, smoothed, diverged)


def _step(model: Callable[..., Any], loss: Callable[..., Any], optimizer: Any, batch: Any) -> float:
    """The loss of a batch before the step on it."""
    inputs, target = split(batch)
    first: list[float] = []

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss(model(*inputs), target)
        if not isinstance(value, Tensor) or value.size != 1:
            shape = getattr(value, "shape", type(value).__name__)
            raise ShapeError(f"lr_range_test: the loss is {shape}; a tensor with one number is needed")
        first.append(float(value))
        value.backward()
        return value

    with np.errstate(all="ignore"):  # it is driven until it diverges
        optimizer.step(closure)
    return first[0]


def _endless(batches: Any) -> Iterator[Any]:
    while True:
        empty = True
        for batch in batches:
            empty = False
            yield batch
        if empty:
            raise ShapeError("lr_range_test: the data is empty")


def _shares(optimizer: Any) -> list[float]:
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    return [rate / max(rates) for rate in rates] if max(rates) > 0 else [1.0] * len(rates)


@contextmanager
def _kept(model: Any, optimizer: Any, batches: Any) -> Iterator[None]:
    """In training mode, and afterwards all as it was."""
    module = model if isinstance(model, Module) else Module()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    values, grads = [p.numpy().copy() for p in parameters], [p.grad for p in parameters]
    held = {name: np.array(value) for name, value in module.state_dict().items()}
    state, stepped = optimizer.state_dict(), getattr(optimizer, "_stepped", False)
    generators = list(generators_of(module).values())
    drawn = [generator.bit_generator.state for generator in generators]
    position = batches.state_dict() if hasattr(batches, "state_dict") else None
    for p in parameters:
        p.grad = None
    try:
        with in_mode(module, training=True):
            yield
    finally:
        optimizer.load_state_dict(state)
        optimizer._stepped = stepped
        module.load_state_dict(held)
        with no_grad():
            for p, value, grad in zip(parameters, values, grads, strict=True):
                p[...] = value
                p.grad = grad
        for generator, before in zip(generators, drawn, strict=True):
            generator.bit_generator.state = before
        if position is not None:
            batches.load_state_dict(position)
