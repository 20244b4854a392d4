"""Recurrent layers over whole sequences, and cells for single steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..._errors import ShapeError
from .. import functional as F
from ..module import Module
from .linear import check_sizes, drawn

if TYPE_CHECKING:
    from numpy.random import Generator

_RUN: dict[str, tuple[Callable[..., Any], int]] = {
    "RNN_TANH": (F.rnn_tanh, 1),
    "RNN_RELU": (F.rnn_relu, 1),
    "LSTM": (F.lstm, 4),
    "GRU": (F.gru, 3),
}
"""What computes each mode, and how many gates its weights have."""


class RNNBase(Module):
    """What `RNN`, `LSTM` and `GRU` share; the parameters are ``weight_ih_l0``, ``weight_hh_l0_reverse`` and so on.

    Args:
        mode: 'RNN_TANH', 'RNN_RELU', 'LSTM' or 'GRU'.
        input_size: features of the input.
        hidden_size: features of the state.
        num_layers: how many layers, each of which reads the outputs of the one before.
        bias: whether there are biases.
        batch_first: whether input and outputs are (batch, steps, features).
        dropout: the probability with which an output that goes to the next layer is zeroed in training.
        bidirectional: whether each layer also runs backwards in time.
        proj_size: for an LSTM, to how many features ``h`` is projected; 0 for no projection.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from, uniform in +-1/sqrt(hidden_size), and the dropout.

    Raises:
        ShapeError: a setting is out of its range.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        kind = type(self).__name__
        check_sizes(kind, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if mode not in _RUN:
            raise ShapeError(f"{kind}: mode is {mode!r}; it is one of {', '.join(_RUN)}")
        if not hidden_size or not num_layers:
            raise ShapeError(
                f"{kind}: hidden_size={hidden_size}, num_layers={num_layers}; at least 1 of each"
            )
        if not 0 <= dropout <= 1:
            raise ShapeError(f"{kind}: dropout={dropout}; a probability is needed")
        if proj_size and (mode != "LSTM" or not 0 < proj_size < hidden_size):
            raise ShapeError(
                f"{kind}: proj_size={proj_size}; an LSTM can have one, less than hidden_size {hidden_size}"
            )
        self.mode, self.input_size, self.hidden_size, self.num_layers = (
            mode,
            input_size,
            hidden_size,
            num_layers,
        )
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size, self.generator = bidirectional, proj_size, generator
        for name, shape in self._shapes().items():
            setattr(self, name, drawn(shape, 1 / math.sqrt(hidden_size), dtype, generator))

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Outputs of the last layer for all steps, and the state after the last step.

        Args:
            input: (steps, batch, features), or as ``batch_first`` says, without the batch axis for one sequence, or
                a packed batch.
            hx: the state at the start, (layers * directions, batch, hidden), a pair of them for an LSTM; zeros if None.
        """
        run, _ = _RUN[self.mode]
        y, *last = run(
            input, hx, [getattr(self, name) for name in self._shapes()], self.bias, self.num_layers, self.dropout,
            self.training, self.bidirectional, self.batch_first, generator=self.generator,
        )  # fmt: skip
        return y, tuple(last) if self.mode == "LSTM" else last[0]

    def flatten_parameters(self) -> None:
        """Do nothing; it is there for code that was written for PyTorch."""

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters, a list for each layer and direction."""
        found = [getattr(self, name) for name in self._shapes()]
        count = len(found) // (self.num_layers * (1 + self.bidirectional))
        return [found[i : i + count] for i in range(0, len(found), count)]

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the usual ones."""
        usual = {
            "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False, "proj_size": 0,
        }  # fmt: skip
        more = [
            f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value
        ]
        return ", ".join([str(self.input_size), str(self.hidden_size), *more])

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """The parameters, in the order in which the functions take them."""
        rows, out = _RUN[self.mode][1] * self.hidden_size, self.proj_size or self.hidden_size
        found: dict[str, tuple[int, ...]] = {}
        for layer in range(self.num_layers):
            size = self.input_size if layer == 0 else out * (1 + self.bidirectional)
            for end in ("", "_reverse")[: 1 + self.bidirectional]:
                found[f"weight_ih_l{layer}{end}"] = rows, size
                found[f"weight_hh_l{layer}{end}"] = rows, out
                if self.bias:
                    found[f"bias_ih_l{layer}{end}"] = found[f"bias_hh_l{layer}{end}"] = (rows,)
                if self.proj_size:
                    found[f"weight_hr_l{layer}{end}"] = out, self.hidden_size
        return found


class RNN(RNNBase):
    """A simple recurrent network, ``h' = tanh(W x + b + V h + a)``; see `RNNBase` and `nn.functional.rnn_tanh`.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        num_layers: how many layers.
        nonlinearity: 'tanh' or 'relu'.
        bias: whether there are biases.
        batch_first: whether input and outputs are (batch, steps, features).
        dropout: the probability with which an output that goes to the next layer is zeroed in training.
        bidirectional: whether each layer also runs backwards in time.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters and the dropout from.

    Example:
        >>> import tensorgrad as tg
        >>> y, h = tg.nn.RNN(3, 4, bidirectional=True)(tg.ones((5, 2, 3)))
        >>> y.shape, h.shape
        ((5, 2, 8), (2, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        check_nonlinearity("RNN", nonlinearity)
        mode = f"RNN_{nonlinearity.upper()}"
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            dtype=dtype, generator=generator,
        )  # fmt: skip
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory; see `RNNBase` and `nn.functional.lstm`.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        num_layers: how many layers.
        bias: whether there are biases.
        batch_first: whether input and outputs are (batch, steps, features).
        dropout: the probability with which an output that goes to the next layer is zeroed in training.
        bidirectional: whether each layer also runs backwards in time.
        proj_size: to how many features ``h`` is projected; 0 for no projection.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters and the dropout from.

    Example:
        >>> import tensorgrad as tg
        >>> y, (h, c) = tg.nn.LSTM(3, 4, num_layers=2)(tg.ones((5, 2, 3)))
        >>> y.shape, h.shape, c.shape
        ((5, 2, 4), (2, 2, 4), (2, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
            dtype=dtype, generator=generator,
        )  # fmt: skip


class GRU(RNNBase):
    """Gated recurrent units; see `RNNBase` and `nn.functional.gru`.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        num_layers: how many layers.
        bias: whether there are biases.
        batch_first: whether input and outputs are (batch, steps, features).
        dropout: the probability with which an output that goes to the next layer is zeroed in training.
        bidirectional: whether each layer also runs backwards in time.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters and the dropout from.

    Example:
        >>> import tensorgrad as tg
        >>> y, h = tg.nn.GRU(3, 4, batch_first=True)(tg.ones((2, 5, 3)))
        >>> y.shape, h.shape
        ((2, 5, 4), (1, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            dtype=dtype, generator=generator,
        )  # fmt: skip


# ---- cells


class RNNCellBase(Module):
    """What the cells share: ``weight_ih``, ``weight_hh``, ``bias_ih``, ``bias_hh``.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        bias: whether there are biases.
        num_chunks: how many gates the weights have.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from, uniform in +-1/sqrt(hidden_size).
    """

    step: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        check_sizes(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        bound, rows = 1 / math.sqrt(hidden_size) if hidden_size else 0.0, num_chunks * hidden_size
        self.weight_ih = drawn((rows, input_size), bound, dtype, generator)
        self.weight_hh = drawn((rows, hidden_size), bound, dtype, generator)
        self.bias_ih = drawn((rows,), bound, dtype, generator) if bias else None
        self.bias_hh = drawn((rows,), bound, dtype, generator) if bias else None

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state, from input (batch, features) and the state (batch, hidden); zeros if None."""
        hx = self.start(input) if hx is None else hx
        return type(self).step(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)

    def start(self, input: Any) -> Any:
        """The state of zeros."""
        return np.zeros((*input.shape[:-1], self.hidden_size), input.dtype)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(RNNCellBase):
    """One step of an `RNN`.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        bias: whether there are biases.
        nonlinearity: 'tanh' or 'relu'.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from, uniform in +-1/sqrt(hidden_size).

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.RNNCell(3, 4)(tg.ones((2, 3))).shape
        (2, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        check_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, 1, dtype=dtype, generator=generator)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state, from input (batch, features) and the state (batch, hidden); zeros if None."""
        hx = self.start(input) if hx is None else hx
        step = F.rnn_tanh_cell if self.nonlinearity == "tanh" else F.rnn_relu_cell
        return step(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)

    def extra_repr(self) -> str:
        """The sizes, and the nonlinearity if it is not the usual one."""
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else ", nonlinearity=relu")


class LSTMCell(RNNCellBase):
    """One step of an `LSTM`; the state is the pair (h, c).

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        bias: whether there are biases.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from, uniform in +-1/sqrt(hidden_size).

    Example:
        >>> import tensorgrad as tg
        >>> h, c = tg.nn.LSTMCell(3, 4)(tg.ones((2, 3)))
        >>> h.shape, c.shape
        ((2, 4), (2, 4))
    """

    step = F.lstm_cell

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, dtype=dtype, generator=generator)

    def start(self, input: Any) -> Any:
        """The state of zeros."""
        return super().start(input), super().start(input)


class GRUCell(RNNCellBase):
    """One step of a `GRU`.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        bias: whether there are biases.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from, uniform in +-1/sqrt(hidden_size).
    """

    step = F.gru_cell

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, dtype=dtype, generator=generator)


def check_nonlinearity(layer: str, nonlinearity: str) -> None:
    """Raise where it is not one that there is."""
    if nonlinearity not in ("tanh", "relu"):
        raise ShapeError(f"{layer}: nonlinearity is {nonlinearity!r}; it is 'tanh' or 'relu'")
