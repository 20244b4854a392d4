"""Recurrent layers: by hand, packed as padded, fast as composite, derivatives of higher order, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad._errors import DtypeError, IndexingError, ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.nn.utils import rnn
from tensorgrad.ops import fused

MODES = ["RNN", "LSTM", "GRU"]


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def layer(name: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(nn, name)(*args, **kwargs, dtype=np.float64, generator=np.random.default_rng(1))


def states_of(last: Any) -> tuple[Any, ...]:
    return last if isinstance(last, tuple) else (last,)


# ---- values


def test_one_number_by_hand() -> None:
    """An LSTM with all weights 1 and no biases, from 0, for one step with input 1."""
    s, t = 1 / (1 + np.exp(-1.0)), np.tanh(1.0)
    y, h, c = F.lstm(np.ones((1, 1, 1)), None, [np.ones((4, 1)), np.ones((4, 1))], has_biases=False)
    assert c.item() == pytest.approx(s * t)
    assert y.item() == h.item() == pytest.approx(s * np.tanh(s * t))


@pytest.mark.parametrize("name", MODES)
def test_cells_one_after_the_other_are_the_layer(name: str) -> None:
    whole = layer(name, 3, 4)
    cell = layer(f"{name}Cell", 3, 4)
    cell.load_state_dict({key.removesuffix("_l0"): value for key, value in whole.state_dict().items()})
    x = tg.tensor(normal(5, 2, 3))
    y, last = whole(x)
    state = None
    for t in range(5):
        state = cell(x[t], state)
        np.testing.assert_allclose(states_of(state)[0].numpy(), y[t].numpy(), atol=1e-14)
    for a, b in zip(states_of(state), states_of(last), strict=True):
        np.testing.assert_allclose(a.numpy(), b[0].numpy(), atol=1e-14)


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("ordered", [True, False])
def test_a_packed_batch_is_each_sequence_by_itself(name: str, ordered: bool) -> None:
    model = layer(name, 3, 4, num_layers=2, bidirectional=True, batch_first=True)
    lengths = [4, 2, 1] if ordered else [2, 1, 4]
    x = tg.tensor(normal(3, 4, 3), requires_grad=True)
    packed = rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=ordered)
    y, last = model(packed)
    y, ends = rnn.pad_packed_sequence(y, batch_first=True)
    assert ends.tolist() == lengths
    for i, n in enumerate(lengths):
        alone, alone_last = model(x[i, :n])
        np.testing.assert_allclose(y[i, :n].numpy(), alone.numpy(), atol=1e-14)
        assert not y[i, n:].numpy().any()
        for a, b in zip(states_of(last), states_of(alone_last), strict=True):
            np.testing.assert_allclose(a[:, i].numpy(), b.numpy(), atol=1e-14)
    y.sum().backward()
    for i, n in enumerate(lengths):  # what is padding has no part in anything
        assert not x.grad.numpy()[i, n:].any()
        assert x.grad.numpy()[i, :n].all()


def test_arrays_give_arrays() -> None:
    weights = [normal(3, 2), normal(3, 1), normal(3), normal(3)]
    y, last = F.gru(normal(4, 2, 2), None, weights)
    assert type(y) is type(last) is np.ndarray
    assert type(F.gru_cell(normal(2, 2), normal(2, 1), *weights)) is np.ndarray


def test_dropout_is_between_layers_and_in_training_only() -> None:
    x = tg.tensor(normal(3, 2, 4))
    one, two = (nn.LSTM(4, 5, n, dropout=0.5, dtype=np.float64) for n in (1, 2))
    assert (one(x)[0].numpy() == one(x)[0].numpy()).all()
    assert (two(x)[0].numpy() != two(x)[0].numpy()).any()
    two.eval()
    assert (two(x)[0].numpy() == two(x)[0].numpy()).all()
    cut = nn.LSTM(4, 5, 2, dropout=1.0, dtype=np.float64)
    cut(x)[0].sum().backward()
    assert not cut.weight_ih_l0.grad.numpy().any()


def test_the_same_generator_gives_the_same_layer_and_dropout() -> None:
    x = tg.tensor(normal(3, 2, 4), dtype=np.float32)
    a, b = (nn.GRU(4, 5, 2, dropout=0.5, generator=np.random.default_rng(3))(x)[0] for _ in range(2))
    assert (a.numpy() == b.numpy()).all()


def test_weights_are_within_one_over_the_root_of_the_state() -> None:
    for p in nn.LSTM(3, 16, 2).parameters():
        assert 0.15 < np.abs(p.numpy()).max() <= 0.25
        assert p.dtype == np.float32


def test_looks() -> None:
    assert repr(nn.LSTM(3, 4, 2, proj_size=2)) == "LSTM(3, 4, num_layers=2, proj_size=2)"
    assert repr(nn.RNNCell(3, 4, False, "relu")) == "RNNCell(3, 4, bias=False, nonlinearity=relu)"
    assert [len(one) for one in nn.LSTM(3, 4, 2, bidirectional=True).all_weights] == [4] * 4


# ---- derivatives


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("reverse", [False, True])
def test_the_fast_pair_is_the_composite(name: str, reverse: bool) -> None:
    """Results and all gradients, in float32 and float64, with a batch that shrinks."""
    op, gates, states = {"RNN": (fused.elman, 1, 1), "LSTM": (fused.lstm, 4, 2), "GRU": (fused.gru, 3, 1)}[
        name
    ]
    more = {"nonlinearity": "tanh"} if name == "RNN" else {}
    shapes = [(7, 3), *[(3, 4)] * states, (gates * 4, 3), (gates * 4, 4), (gates * 4,), (gates * 4,)]
    for dtype, atol in ((np.float32, 3e-6), (np.float64, 1e-14)):
        leaves = [
            tg.tensor(normal(*shape, seed=i).astype(dtype), requires_grad=True)
            for i, shape in enumerate(shapes)
        ]
        found = []
        for function in (op, op.card.composite):
            ys = function(*leaves, sizes=(3, 2, 2), reverse=reverse, **more)
            sums = [(y * normal(*y.shape, seed=9).astype(dtype)).sum() for y in ys]
            found.append([*ys, *tg.autograd.grad(sum(sums[1:], sums[0]), leaves)])
        for fast, slow in zip(*found, strict=True):
            assert fast.dtype == dtype
            np.testing.assert_allclose(fast.numpy(), slow.numpy(), atol=atol * 30)


@pytest.mark.parametrize("name", MODES)
def test_only_what_is_wanted_gets_a_gradient(name: str) -> None:
    """Frozen weights, or an input without a gradient: the others are the same."""
    model, x = layer(name, 2, 3), normal(3, 2, 2)
    model(tg.tensor(x))[0].sum().backward()
    expected = model.weight_hh_l0.grad.numpy().copy()
    model.zero_grad()
    model.requires_grad_(False)
    model.weight_hh_l0.requires_grad = True
    model(tg.tensor(x))[0].sum().backward()
    np.testing.assert_allclose(model.weight_hh_l0.grad.numpy(), expected, atol=1e-14)
    assert model.weight_ih_l0.grad is None


@pytest.mark.parametrize("name", MODES)
def test_higher_orders_forward_mode_and_batches(name: str) -> None:
    model = layer(name, 1, 2, bidirectional=True)

    def f(x: Any) -> Any:
        y, last = model(x)
        return y.sum() + sum((one * one).sum() for one in states_of(last))

    x = tg.tensor(normal(2, 1, 1))
    assert tg.testing.gradcheck(f, (x,), check_forward_ad=True, check_batched_grad=True)
    assert tg.testing.gradgradcheck(f, (x,))
    many = tg.tensor(normal(4, 2, 1, 1))
    np.testing.assert_allclose(
        tg.vmap(lambda x: model(x)[0])(many).numpy(),
        np.stack([model(one)[0].numpy() for one in many]),
        atol=1e-13,
    )


def test_a_backward_twice_gives_twice_the_gradient() -> None:
    """What the fast pass keeps is not used up."""
    model = layer("LSTM", 2, 3)
    y = model(tg.tensor(normal(3, 2, 2)))[0].sum()
    y.backward(retain_graph=True)
    once = model.weight_ih_l0.grad.numpy().copy()
    y.backward()
    np.testing.assert_allclose(model.weight_ih_l0.grad.numpy(), 2 * once)


# ---- packing


def test_packing_and_padding_are_inverses_and_pass_gradients() -> None:
    x = tg.tensor(normal(4, 3, 2), requires_grad=True)
    packed = rnn.pack_padded_sequence(x, tg.tensor([1, 4, 2]), enforce_sorted=False)
    assert packed.batch_sizes.tolist() == [3, 2, 1, 1] and packed.sorted_indices.tolist() == [1, 2, 0]
    y, lengths = rnn.pad_packed_sequence(packed, padding_value=5.0, total_length=6)
    assert lengths.tolist() == [1, 4, 2] and y.shape == (6, 3, 2)
    inside = np.arange(6)[:, None] < lengths
    assert (y.numpy()[~inside] == 5).all()
    (y * y).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.where(inside[:4, :, None], 2 * x.numpy(), 0))


def test_lists_of_sequences() -> None:
    parts = [normal(n, 2) for n in (2, 3, 1)]
    for back, one in zip(rnn.unpack_sequence(rnn.pack_sequence(parts, False)), parts, strict=True):
        np.testing.assert_array_equal(back, one)
    left = rnn.pad_sequence([np.ones(1), np.ones(2)], batch_first=True, padding_value=7, padding_side="left")
    assert left.tolist() == [[7, 1], [1, 1]]


# ---- bad input


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: nn.LSTM(3, 4)(tg.ones((5, 2, 6))), ShapeError, "lstm: the input has 6 features.* take 3"),
        (lambda: nn.GRU(3, 4)(tg.ones((0, 2, 3))), ShapeError, "no steps"),
        (lambda: nn.RNN(3, 4)(tg.ones(3)), ShapeError, r"rnn_tanh: input \(3,\)"),
        (
            lambda: nn.GRU(3, 4)(tg.ones((5, 2, 3)), tg.ones((1, 3, 4))),
            ShapeError,
            r"\(1, 3, 4\).*\(1, 2, 4\)",
        ),
        (lambda: nn.GRU(3, 4)(tg.ones((5, 3)), tg.ones((1, 1, 4))), ShapeError, "without a batch axis"),
        (lambda: nn.GRUCell(3, 4)(tg.ones((2, 5))), ShapeError, "gru_cell: the input has 5 features"),
        (lambda: nn.GRUCell(3, 4)(tg.ones((2, 3)), tg.ones((3, 4))), ShapeError, r"the state is \(3, 4\)"),
        (
            lambda: nn.LSTMCell(3, 4)(tg.ones((2, 3)), (tg.ones((2, 4)), tg.ones((2, 3)))),
            ShapeError,
            "one shape",
        ),
        (lambda: F.gru(normal(2, 2, 3), None, [normal(3, 3)] * 3), ShapeError, "3 parameters for 1 layers"),
        (lambda: nn.RNN(3, 4, nonlinearity="sin"), ShapeError, "'sin'"),
        (lambda: nn.LSTM(3, 4, proj_size=4), ShapeError, "proj_size=4"),
        (lambda: nn.LSTM(3, 4, dropout=2), ShapeError, "dropout=2"),
        (lambda: nn.LSTM(3, 0), ShapeError, "hidden_size=0"),
        (lambda: nn.RNNBase("GNU", 3, 4), ShapeError, "'GNU'"),
        (
            lambda: rnn.pack_padded_sequence(tg.ones((4, 2, 1)), [2, 3]),
            ShapeError,
            r"\[2, 3\] are not sorted",
        ),
        (lambda: rnn.pack_padded_sequence(tg.ones((4, 2, 1)), [5, 3]), ShapeError, "a length is 5.*4 steps"),
        (lambda: rnn.pack_padded_sequence(tg.ones((4, 2, 1)), [2, 0]), ShapeError, "a length is 0"),
        (
            lambda: rnn.pack_padded_sequence(tg.ones((4, 2, 1)), [2]),
            ShapeError,
            r"lengths \(1,\) for a batch of 2",
        ),
        (lambda: rnn.pack_padded_sequence(tg.ones((4, 2, 1)), [2.0, 1.0]), DtypeError, "float64"),
        (
            lambda: rnn.pad_packed_sequence(rnn.pack_sequence([np.ones(3)]), total_length=2),
            ShapeError,
            "total_length 2",
        ),
        (lambda: rnn.pad_sequence([]), ShapeError, "no sequences"),
        (lambda: rnn.pad_sequence([np.ones((1, 2)), np.ones((1, 3))]), ShapeError, "first axis only"),
    ],
)
def test_bad_input(call: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("sizes", [[1, 2, 1], [2, 1], [3, 1, 0]])
def test_steps_of_a_packed_batch_are_checked(sizes: Any) -> None:
    packed = rnn.pack_sequence([np.ones((3, 2)), np.ones((1, 2))])
    with pytest.raises(ShapeError, match="which must not grow"):
        nn.GRU(2, 3, dtype=np.float64)(packed._replace(batch_sizes=np.array(sizes)))


def test_indices_of_packed_batches_are_checked() -> None:
    with pytest.raises(IndexingError):
        nn.GRU(2, 3)(
            rnn.pack_sequence([np.ones((2, 2))])._replace(sorted_indices=np.array([3])), tg.ones((1, 1, 3))
        )
