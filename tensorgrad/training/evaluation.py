"""Measuring a model: means over the examples, metrics, predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .._config import no_grad
from .._errors import DtypeError, ShapeError
from .._tensor import Tensor, asarray
from ..data import DataLoader, Dataset
from ..nn.module import Module
from ..ops.shape import concat
from .batches import as_batches, is_array, split, to_size


class Running:
    """Means and metrics over the batches so far: each example counts the same, also in a short last batch."""

    def __init__(self, metrics: Mapping[str, Any]) -> None:
        self.metrics = check_metrics(metrics)
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.count = 0
        self.sums: dict[str, float] = {}
        for metric in self.metrics.values():
            metric.reset()

    def update(self, size: int, means: Mapping[str, float], prediction: Any, target: Any) -> None:
        """Take in one batch of ``size`` examples."""
        for metric in self.metrics.values():
            metric.update(prediction, target)
        self.count += size
        for name, value in means.items():
            self.sums[name] = self.sums.get(name, 0.0) + size * value

    def compute(self) -> dict[str, float]:
        """The means, and what the metrics are now."""
        means = {name: total / self.count for name, total in self.sums.items()}
        return means | {name: as_number(metric.compute()) for name, metric in self.metrics.items()}


def evaluate(
    model: Module,
    data: Any,
    loss: Callable[..., Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    *,
    batch_size: int = 256,
) -> dict[str, float]:
    """Measure a model on data: in evaluation mode, without gradients; nothing of it changes.

    Args:
        model: what is measured.
        data: batches ``(input, target)``, a data set, or a pair of arrays.
        loss: ``loss(prediction, target)``, its mean over the examples.
        metrics: by name, objects with ``update``, ``compute`` and ``reset``.
        batch_size: for arrays and data sets.

    Returns:
        ``loss``, if one is given, and each metric by its name.

    Raises:
        ShapeError: there is no data.

    Example:
        >>> import tensorgrad as tg
        >>> model = tg.nn.Linear(2, 1)
        >>> x = tg.ones((3, 2))
        >>> tg.evaluate(model, (x, model(x).detach()), tg.nn.MSELoss())
        {'loss': 0.0}
    """
    running = Running(metrics or {})
    with in_mode(model, training=False), no_grad():
        for batch in as_batches("evaluate", data, batch_size, False, 0):
            inputs, target = split(batch)
            prediction = model(*inputs)
            means = {} if loss is None else {"loss": float(loss(prediction, target))}
            running.update(to_size(target, inputs), means, prediction, target)
    if not running.count:
        raise ShapeError("evaluate: the data has no batches; at least one is needed")
    return running.compute()


def predict(model: Module, inputs: Any, *, batch_size: int = 256) -> Tensor:
    """What a model says to each input: in evaluation mode, without gradients, batch by batch.

    Args:
        model: what is asked.
        inputs: an array, tensor or nested list of inputs; or batches, of inputs or of
            ``(input, target)``, or a data set of such.
        batch_size: for arrays and data sets.

    Returns:
        The predictions of all batches in one tensor.

    Raises:
        ShapeError: there are no inputs.

    Example:
        >>> import tensorgrad as tg
        >>> tg.predict(tg.nn.Linear(2, 3), tg.ones((5, 2)), batch_size=2).shape
        (5, 3)
    """
    if is_array(inputs):
        inputs = asarray(inputs)
        if not inputs.shape or not len(inputs):
            raise ShapeError(
                f"predict: inputs of shape {inputs.shape}; the first axis must count at least one input"
            )
        batches: Any = (inputs[i : i + batch_size] for i in range(0, len(inputs), batch_size))
    else:
        batches = DataLoader(inputs, batch_size, generator=0) if isinstance(inputs, Dataset) else inputs
    with in_mode(model, training=False), no_grad():
        found = [model(*_inputs_of(batch)) for batch in batches]
    if not found:
        raise ShapeError("predict: there are no batches; at least one is needed")
    return concat(found)  # type: ignore[no-any-return]


def _inputs_of(batch: Any) -> tuple[Any, ...]:
    if isinstance(batch, tuple | list) and len(batch) == 2:
        return split(batch)[0]
    return tuple(batch) if isinstance(batch, tuple | list) else (batch,)


def check_metrics(metrics: Any) -> dict[str, Any]:
    """The metrics as a dict of name -> object, or an error that says what is none."""
    if not isinstance(metrics, Mapping):
        raise DtypeError(
            f"metrics: a {type(metrics).__name__} given; a dict is needed, such as {{'accuracy': Accuracy()}}"
        )
    for name, metric in metrics.items():
        if isinstance(metric, type) or not all(
            hasattr(metric, one) for one in ("update", "compute", "reset")
        ):
            what = getattr(metric, "__name__", type(metric).__name__)
            raise DtypeError(
                f"metrics: {name!r} is {what}; an object with update, compute and reset is needed, such as "
                "tg.metrics.Accuracy(), or tg.metrics.Collected(function)"
            )
    return dict(metrics)


@contextmanager
def in_mode(model: Module, *, training: bool) -> Iterator[None]:
    """Set a model to training or evaluation, and each of its modules back to what it was."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


def as_number(value: Any) -> Any:
    """What a metric computed as a plain number, where it is one."""
    return value.item() if hasattr(value, "item") and getattr(value, "size", 0) == 1 else value
