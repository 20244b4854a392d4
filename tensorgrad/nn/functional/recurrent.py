"""Recurrent networks over whole sequences: layers, directions, packed batches; and single steps.

Names and arguments are those of ``torch.lstm``, ``torch.lstm_cell`` and so on. One layer and direction is one
fused op of `ops.fused`; here is what lies around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import ops
from ..._errors import ShapeError
from ...ops.fused import elman
from ...ops.fused import gru as gru_op
from ...ops.fused import lstm as lstm_op
from ...ops.fused.gru import gated as gru_gated
from ...ops.fused.lstm import gated as lstm_gated
from ...ops.index import take_at
from ...ops.shape import lifted, matrix_transpose
from ..utils.rnn import PackedSequence
from .dropout import dropout as drop

if TYPE_CHECKING:
    Generator = np.random.Generator


def rnn_tanh(
    input: Any, hx: Any, params: Sequence[Any], has_biases: bool = True, num_layers: int = 1, dropout: float = 0.0,
    train: bool = False, bidirectional: bool = False, batch_first: bool = False, *, generator: Generator | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """A simple recurrent network, ``h' = tanh(W x + b + V h + a)``; the arguments are those of `lstm`.

    Returns:
        The outputs, and the last ``h``.

    Source: J. Elman, Finding Structure in Time, Cognitive Science 14 (1990).
    """
    settings = (has_biases, num_layers, dropout, train, bidirectional, batch_first, generator)
    return _run("rnn_tanh", _with(elman, nonlinearity="tanh"), 1, input, (hx,), params, *settings)


def rnn_relu(
    input: Any, hx: Any, params: Sequence[Any], has_biases: bool = True, num_layers: int = 1, dropout: float = 0.0,
    train: bool = False, bidirectional: bool = False, batch_first: bool = False, *, generator: Generator | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """A simple recurrent network, ``h' = relu(W x + b + V h + a)``; the arguments are those of `lstm`.

    Returns:
        The outputs, and the last ``h``.
    """
    settings = (has_biases, num_layers, dropout, train, bidirectional, batch_first, generator)
    return _run("rnn_relu", _with(elman, nonlinearity="relu"), 1, input, (hx,), params, *settings)


def lstm(
    input: Any, hx: Any, params: Sequence[Any], has_biases: bool = True, num_layers: int = 1, dropout: float = 0.0,
    train: bool = False, bidirectional: bool = False, batch_first: bool = False, *, generator: Generator | None = None,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Long short-term memory over whole sequences.

    ``i, f, o = sigmoid(W x + b + V h + a)``, ``g = tanh(W x + b + V h + a)``, each with rows of its own of the weights,
    which are in the order i, f, g, o; ``c' = f c + i g`` and ``h' = o tanh(c')``, times a projection if there is one.

    Args:
        input: (steps, batch, input), without the batch axis for one sequence, or a `PackedSequence`.
        hx: the pair (h, c) at the start, (layers * directions, batch, size) each; None for zeros.
        params: for each layer, and in it for each direction, ``W`` (4 hidden, input), ``V`` (4 hidden, output), the
            biases ``b`` and ``a`` (4 hidden), and the projection (output, hidden) if there is one.
        has_biases: whether the biases are among the parameters.
        num_layers: how many layers, each of which reads the outputs of the one before.
        dropout: the probability with which an output that goes to the next layer is zeroed in training.
        train: whether dropout is done.
        bidirectional: whether each layer also runs backwards in time, and puts its outputs beside the others.
        batch_first: whether input and outputs are (batch, steps, ...).
        generator: the source of the dropout, by default that of this thread.

    Returns:
        The outputs of the last layer for all steps, packed if the input was; the last ``h`` and the last ``c``.

    Raises:
        ShapeError: the input or a state does not fit the weights, or there are no steps.

    Source: S. Hochreiter and J. Schmidhuber, Long Short-Term Memory, Neural Computation 9 (1997).
    """
    settings = (has_biases, num_layers, dropout, train, bidirectional, batch_first, generator)
    return _run("lstm", lstm_op, 4, input, (None, None) if hx is None else tuple(hx), params, *settings)


def gru(
    input: Any, hx: Any, params: Sequence[Any], has_biases: bool = True, num_layers: int = 1, dropout: float = 0.0,
    train: bool = False, bidirectional: bool = False, batch_first: bool = False, *, generator: Generator | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """Gated recurrent units over whole sequences; the arguments are those of `lstm`, ``hx`` is ``h`` alone.

    ``r, z = sigmoid(W x + b + V h + a)``, ``n = tanh(W x + b + r (V h + a))``, ``h' = (1 - z) n + z h``.

    Returns:
        The outputs, and the last ``h``.

    Source: K. Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, EMNLP 2014.
    """
    settings = (has_biases, num_layers, dropout, train, bidirectional, batch_first, generator)
    return _run("gru", gru_op, 3, input, (hx,), params, *settings)


# ---- single steps


def rnn_tanh_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of `rnn_tanh`: the next ``h`` from ``input`` (batch, input) and ``hx`` (batch, hidden)."""
    return ops.tanh(ops.add(*_sums("rnn_tanh_cell", 1, input, hx, w_ih, w_hh, b_ih, b_hh)))


def rnn_relu_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of `rnn_relu`."""
    return ops.relu(ops.add(*_sums("rnn_relu_cell", 1, input, hx, w_ih, w_hh, b_ih, b_hh)))


def lstm_cell(
    input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> tuple[Any, Any]:
    """One step of `lstm`: the next ``h`` and ``c``, from ``input`` (batch, input) and the pair ``hx``."""
    h, c = hx
    if c.shape != h.shape:
        raise ShapeError(f"lstm_cell: h {h.shape} and c {c.shape}; they need one shape")
    return lstm_gated(ops.add(*_sums("lstm_cell", 4, input, h, w_ih, w_hh, b_ih, b_hh)), c)


def gru_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of `gru`: the next ``h``."""
    return gru_gated(*_sums("gru_cell", 3, input, hx, w_ih, w_hh, b_ih, b_hh), hx)


def _sums(op: str, gates: int, x: Any, h: Any, w: Any, v: Any, b: Any, a: Any) -> tuple[Any, Any]:
    _check_features(op, x, w)
    hidden = w.shape[0] // gates
    if h.shape != (*x.shape[:-1], hidden):
        raise ShapeError(f"{op}: the state is {h.shape}; for input {x.shape} it is {(*x.shape[:-1], hidden)}")
    row, product = ops.matmul(x, matrix_transpose(w)), ops.matmul(h, matrix_transpose(v))
    return row if b is None else ops.add(row, b), product if a is None else ops.add(product, a)


# ---- whole sequences


def _with(op: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    return lambda *operands, **params: op(*operands, **params, **more)


def _run(
    op: str, scan: Callable[..., Any], gates: int, input: Any, states: tuple[Any, ...], params: Sequence[Any],
    has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool, batch_first: bool,
    generator: Generator | None,
) -> tuple[Any, ...]:  # fmt: skip
    """The outputs, and the last value of each state."""
    packed = isinstance(input, PackedSequence)
    single = not packed and lifted(op, input).ndim == 2
    if packed:
        rows, sizes = input.data, tuple(np.asarray(input.batch_sizes).tolist())
        order, back = input.sorted_indices, input.unsorted_indices
        states = tuple([one if one is None or order is None else _chosen(one, order) for one in states])
    else:
        x = lifted(op, input)
        if x.ndim not in (2, 3):
            raise ShapeError(
                f"{op}: input {x.shape}; (steps, batch, features) is needed, or (steps, features)"
            )
        x = ops.expand_dims(x, 1) if single else ops.swapaxes(x, 0, 1) if batch_first else x
        if single:
            states = tuple([None if one is None else _lifted_state(op, one) for one in states])
        steps, batch, features = x.shape
        if not steps or not batch:
            raise ShapeError(
                f"{op}: input {input.shape} has no steps or no batch; one of each at least is needed"
            )
        rows, sizes, order = ops.reshape(x, (steps * batch, features)), (batch,) * steps, None
    directions = 1 + bidirectional
    groups = _grouped(op, params, num_layers * directions, has_biases)
    starts = _starts(op, rows, states, groups, gates, sizes[0])
    ends = []
    for layer in range(num_layers):
        outputs = []
        for direction in range(directions):
            place = layer * directions + direction
            group = groups[place]
            _check_features(op, rows, group[0])
            y, *last = scan(
                rows, *[one[place] for one in starts], *group, sizes=sizes, reverse=direction == 1
            )
            outputs.append(y)
            ends.append(last)
        rows = ops.concat(outputs, axis=1) if bidirectional else outputs[0]
        if dropout and train and layer < num_layers - 1:
            rows = drop(rows, dropout, True, generator=generator)
    finals = [ops.stack(list(one)) for one in zip(*ends, strict=True)]
    if packed:
        if order is not None:
            finals = [_chosen(one, back) for one in finals]
        return input._replace(data=rows), *finals
    y = ops.reshape(rows, (len(sizes), sizes[0], rows.shape[1]))
    if single:
        return y[:, 0], *[one[:, 0] for one in finals]
    return ops.swapaxes(y, 0, 1) if batch_first else y, *finals


def _grouped(op: str, params: Sequence[Any], cells: int, has_biases: bool) -> list[list[Any]]:
    """The parameters of each layer and direction."""
    count, rest = divmod(len(params), cells)
    least = 4 if has_biases else 2
    if rest or count not in ((least, least + 1) if op == "lstm" else (least,)):
        raise ShapeError(
            f"{op}: {len(params)} parameters for {cells} layers and directions; each has {least}"
            + (", and one more for a projection" if op == "lstm" else "")
        )
    return [list(params[i : i + count]) for i in range(0, len(params), count)]


def _starts(
    op: str, rows: Any, states: tuple[Any, ...], groups: list[list[Any]], gates: int, batch: int
) -> list[Any]:
    """Each state at the start, zeros where none is given."""
    sizes = groups[0][1].shape[1], groups[0][0].shape[0] // gates  # of h and, with a projection another, of c
    found = []
    for name, one, size in zip("hc", states, sizes, strict=False):
        shape = (len(groups), batch, size)
        if one is None:
            one = np.zeros(shape, rows.dtype)
        elif one.shape != shape:
            raise ShapeError(
                f"{op}: the first {name} has shape {one.shape}; (layers * directions, batch, size) is {shape}"
            )
        found.append(one)
    return found


def _check_features(op: str, x: Any, w: Any) -> None:
    if x.shape[-1] != w.shape[1]:
        raise ShapeError(
            f"{op}: the input has {x.shape[-1]} features, and the weights {w.shape} take {w.shape[1]}"
        )


def _lifted_state(op: str, state: Any) -> Any:
    if state.ndim != 2:
        raise ShapeError(
            f"{op}: for one sequence without a batch axis a state is (layers * directions, size), not {state.shape}"
        )
    return ops.expand_dims(state, 1)


def _chosen(state: Any, order: Any) -> Any:
    """A state with its batch in another order."""
    return take_at(state, np.asarray(order), pattern=(slice(None), "array"))
