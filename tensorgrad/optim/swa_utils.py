"""Averages of a model's weights along its training: stochastic weight averaging, and moving averages."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .._config import no_grad
from .._errors import ShapeError
from .._tensor import Tensor, tensor
from .lr_scheduler.swa import SWALR as SWALR

Average = Callable[[Tensor, Tensor, int], Any]
Averages = Callable[[Sequence[Tensor], Sequence[Tensor], int], None]


class AveragedModel:
    """A copy of a model whose parameters are averages of those that the model went through.

    Call it as the model. The first `update_parameters` copies the parameters, each later one averages.

    Args:
        model: what is averaged; it is copied.
        avg_fn: gives the new average from ``(average, parameter, count)``; by default all count alike.
        multi_avg_fn: changes a list of averages in place, from ``(averages, parameters, count)``.
        use_buffers: average the buffers as well; otherwise the model's are copied.

    Raises:
        ValueError: both functions are given.

    Example:
        >>> import tensorgrad as tg
        >>> from tensorgrad.optim.swa_utils import AveragedModel, get_ema_avg_fn
        >>> class Scale:
        ...     def __init__(self): self.weight = tg.nn.Parameter([4.0])
        ...     def parameters(self): return [self.weight]
        ...     def buffers(self): return []
        ...     def __call__(self, x): return self.weight * x
        >>> model = Scale()
        >>> averaged = AveragedModel(model, avg_fn=get_ema_avg_fn(0.5))
        >>> averaged.update_parameters(model)
        >>> with tg.no_grad():
        ...     model.weight[...] = 8.0
        >>> averaged.update_parameters(model)
        >>> averaged(tg.tensor([1.0])).detach()
        tensor([6.])

    Source: Izmailov and others, Averaging weights leads to wider optima and better generalization, UAI 2018;
    moving averages: Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992.
    """

    def __init__(
        self,
        model: Any,
        avg_fn: Average | None = None,
        multi_avg_fn: Averages | None = None,
        use_buffers: bool = False,
    ) -> None:
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: give avg_fn or multi_avg_fn, not both")
        self.module = copy.deepcopy(model)
        self.n_averaged = 0
        self.avg_fn = avg_fn or get_swa_avg_fn()
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model computes."""
        return self.module(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        # parameters(), train(), eval() and the rest are the averaged model's.
        if name.startswith("__") or name == "module":
            raise AttributeError(name)
        return getattr(self.module, name)

    def update_parameters(self, model: Any) -> None:
        """Take the present parameters of a model into the average.

        Args:
            model: the one that was copied, or one of the same shape.
        """
        averages, present = list(self.module.parameters()), list(model.parameters())
        kept, others = list(self.module.buffers()), list(model.buffers())
        for mine, new in itertools.zip_longest([*averages, *kept], [*present, *others]):
            if mine is None or new is None or mine.shape != new.shape:
                raise ShapeError(
                    "AveragedModel.update_parameters: the model is not of the shape of the one averaged"
                )
        if self.use_buffers:
            averages, present, kept, others = [*averages, *kept], [*present, *others], [], []
        with no_grad():
            if self.n_averaged == 0:
                kept, others = [*averages, *kept], [*present, *others]
            elif self.multi_avg_fn is not None:
                self.multi_avg_fn(averages, [p.detach() for p in present], self.n_averaged)
            else:
                for mine, new in zip(averages, present, strict=True):
                    mine[...] = _cast(self.avg_fn(mine.detach(), new.detach(), self.n_averaged), mine)
            for mine, new in zip(kept, others, strict=True):
                mine[...] = new.detach()
        self.n_averaged += 1

    def state_dict(self) -> dict[str, Any]:
        """The state of the averaged model under "module.", and the count, as PyTorch names them."""
        state = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        return {"n_averaged": tensor(self.n_averaged), **state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state.

        Args:
            state_dict: what `state_dict` gave.
        """
        count = int(state_dict["n_averaged"])
        self.module.load_state_dict({
            name.removeprefix("module."): value for name, value in state_dict.items() if name != "n_averaged"
        })  # fmt: skip
        self.n_averaged = count


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The moving average ``decay * average + (1 - decay) * parameter``, for ``avg_fn``.

    Args:
        decay: how much of the average is kept, from 0 to 1.

    Example:
        >>> from tensorgrad.optim.swa_utils import get_ema_avg_fn
        >>> get_ema_avg_fn(0.75)(4.0, 8.0, 1)
        5.0
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_avg_fn: decay is {decay!r}; a number from 0 to 1 is needed")
    return lambda average, parameter, count: decay * average + (1 - decay) * parameter


def get_swa_avg_fn() -> Average:
    """The mean of all: ``average + (parameter - average) / (count + 1)``, for ``avg_fn``.

    Example:
        >>> from tensorgrad.optim.swa_utils import get_swa_avg_fn
        >>> get_swa_avg_fn()(4.0, 8.0, 3)
        5.0
    """
    return lambda average, parameter, count: average + (parameter - average) / (count + 1)


def get_ema_multi_avg_fn(decay: float = 0.999) -> Averages:
    """The moving average over lists of tensors, for ``multi_avg_fn``.

    Args:
        decay: how much of the average is kept, from 0 to 1.
    """
    return _multi(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Averages:
    """The mean of all over lists of tensors, for ``multi_avg_fn``."""
    return _multi(get_swa_avg_fn())


def update_bn(loader: Iterable[Any], model: Any) -> None:
    """Compute the running statistics of the batch normalisations of a model anew, by one pass over data.

    Averaged weights need it: nobody has run the model with them.

    Args:
        loader: batches; of a tuple or a list the first item is the input.
        model: the model, or an `AveragedModel`.
    """
    module = model.module if isinstance(model, AveragedModel) else model
    norms = {
        one: one.momentum
        for one in module.modules()
        if hasattr(one, "running_mean") and hasattr(one, "momentum")
    }
    if not norms:
        return
    training = module.training
    for one in norms:
        one.reset_running_stats()
        one.momentum = None  # a mean over all batches
    module.train()
    try:
        with no_grad():
            for batch in loader:
                model(batch[0] if isinstance(batch, list | tuple) else batch)
    finally:
        for one, momentum in norms.items():
            one.momentum = momentum
        module.train(training)


def _multi(average: Average) -> Averages:
    def update(averages: Sequence[Tensor], parameters: Sequence[Tensor], count: int) -> None:
        with no_grad():
            for mine, new in zip(averages, parameters, strict=True):
                mine[...] = _cast(average(mine.detach(), new.detach(), count), mine)

    return update


def _cast(value: Any, like: Tensor) -> Any:
    data = value.numpy() if isinstance(value, Tensor) else np.asarray(value)
    return data.astype(like.dtype)
