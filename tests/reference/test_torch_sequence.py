"""Recurrent layers, attention, transformers and embeddings against PyTorch: results, all gradients, constructors."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F
from tensorgrad.nn.utils import rnn
from tests.reference.peer import torch

TF = torch.nn.functional
Pair = tuple[Any, Any]

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # what PyTorch says of its fast paths


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def pair(array: Any) -> Pair:
    """The same leaf in both libraries."""
    return tg.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


def layers(name: str, *args: Any, **kwargs: Any) -> Pair:
    """The same layer in both, in float64, with weights that are nowhere 0 or 1."""
    theirs = getattr(torch.nn, name)(*args, **kwargs, dtype=torch.float64)
    ours = getattr(nn, name)(*args, **kwargs, dtype=np.float64)
    with torch.no_grad():
        for i, p in enumerate(theirs.parameters()):
            p.copy_(torch.tensor(normal(*p.shape, seed=i) * 0.5))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs


def agree(
    ours: Sequence[Any], theirs: Sequence[Any], leaves: Sequence[Pair], models: Pair | None = None
) -> None:
    """Results, and the gradients of a weighted sum of them in leaves and parameters."""
    sums = []
    for i, (y, exact) in enumerate(zip(ours, theirs, strict=True)):
        assert y.shape == tuple(exact.shape)
        np.testing.assert_allclose(y.numpy(), exact.detach().numpy(), atol=1e-9)
        c = normal(*y.shape, seed=i + 100)
        sums.append(((y * c).sum(), (exact * torch.tensor(c)).sum()))
    sum(a for a, _ in sums).backward()
    sum(b for _, b in sums).backward()
    if models is not None:
        exact_parameters = dict(models[1].named_parameters())
        leaves = [*leaves, *[(p, exact_parameters[name]) for name, p in models[0].named_parameters()]]
    for a, b in leaves:
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), atol=1e-9)


# ---- recurrent


RECURRENT = [
    {"num_layers": n, "bidirectional": two, "bias": bias, "batch_first": first}
    for n, two, bias, first in itertools.product((1, 2), (False, True), (True, False), (False, True))
]


@pytest.mark.parametrize("settings", RECURRENT, ids=lambda s: "-".join(map(str, map(int, s.values()))))
@pytest.mark.parametrize("kind", ["RNN", "RNN relu", "LSTM", "LSTM projected", "GRU"])
@pytest.mark.parametrize("lengths", ["padded", "sorted", "unsorted"])
def test_recurrent_layers(kind: str, settings: Any, lengths: str) -> None:
    name, _, extra = kind.partition(" ")
    more = {"": {}, "relu": {"nonlinearity": "relu"}, "projected": {"proj_size": 2}}[extra]
    models = layers(name, 3, 4, **settings, **more)
    first, steps, batch = settings["batch_first"], 4, 3
    x = pair(normal(batch, steps, 3) if first else normal(steps, batch, 3))
    cells = settings["num_layers"] * (1 + settings["bidirectional"])
    states = [pair(normal(cells, batch, more.get("proj_size", 4), seed=7))]
    if name == "LSTM":
        states.append(pair(normal(cells, batch, 4, seed=8)))
    given = [[one[i] for one in states] for i in range(2)]
    hx = [tuple(one) if name == "LSTM" else one[0] for one in given]
    if lengths == "padded":
        y, last = models[0](x[0], hx[0])
        exact, exact_last = models[1](x[1], hx[1])
    else:
        sizes, ordered = ([4, 2, 1], True) if lengths == "sorted" else ([2, 4, 1], False)
        packed = rnn.pack_padded_sequence(x[0], sizes, first, ordered)
        exact_packed = torch.nn.utils.rnn.pack_padded_sequence(x[1], sizes, first, ordered)
        y, last = models[0](packed, hx[0])
        exact, exact_last = models[1](exact_packed, hx[1])
        y, ends = rnn.pad_packed_sequence(y, first, -1.0, 5)
        exact, exact_ends = torch.nn.utils.rnn.pad_packed_sequence(exact, first, -1.0, 5)
        assert ends.tolist() == exact_ends.tolist()
    ours = [y, *(last if name == "LSTM" else [last])]
    theirs = [exact, *(exact_last if name == "LSTM" else [exact_last])]
    agree(ours, theirs, [x, *states], models)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_one_sequence_without_a_batch_and_without_a_state(name: str) -> None:
    models, x = layers(name, 3, 4, 2, bidirectional=True), pair(normal(5, 3))
    (y, last), (exact, exact_last) = models[0](x[0]), models[1](x[1])
    ours, theirs = (last, exact_last) if name == "LSTM" else ([last], [exact_last])
    agree([y, *ours], [exact, *theirs], [x], models)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", ["RNNCell", "LSTMCell", "GRUCell", "relu"])
def test_cells(name: str, bias: bool) -> None:
    more = {"nonlinearity": "relu"} if name == "relu" else {}
    name = "RNNCell" if name == "relu" else name
    models, x = layers(name, 3, 4, bias, **more), pair(normal(2, 3))
    states = [pair(normal(2, 4, seed=i)) for i in range(1 + (name == "LSTMCell"))]
    hx = [tuple(s[i] for s in states) if name == "LSTMCell" else states[0][i] for i in range(2)]
    y, exact = models[0](x[0], hx[0]), models[1](x[1], hx[1])
    ours, theirs = (y, exact) if name == "LSTMCell" else ([y], [exact])
    agree(ours, theirs, [x, *states], models)
    row = models[0](x[0][0])  # without batch and state
    exact_row = models[1](x[1][0])
    np.testing.assert_allclose(
        np.asarray(row[0] if name == "LSTMCell" else row),
        (exact_row[0] if name == "LSTMCell" else exact_row).detach().numpy(), atol=1e-12,
    )  # fmt: skip


def test_packing() -> None:
    parts = [normal(n, 2, seed=n) for n in (2, 4, 1)]
    theirs = [torch.tensor(one) for one in parts]
    utils = torch.nn.utils.rnn
    for first, side in itertools.product((False, True), ("right", "left")):
        padded = rnn.pad_sequence(parts, first, 9.0, side)
        np.testing.assert_array_equal(padded, utils.pad_sequence(theirs, first, 9.0, side).numpy())
    ours, exact = rnn.pack_sequence(parts, False), utils.pack_sequence(theirs, False)
    for a, b in zip(ours, exact, strict=True):
        np.testing.assert_array_equal(a, b.numpy())
    for a, b in zip(rnn.unpack_sequence(ours), parts, strict=True):
        np.testing.assert_array_equal(a, b)


# ---- attention


@pytest.mark.parametrize("mask", ["none", "bool", "float", "nothing left"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("lead", [(), (2, 3)])
@pytest.mark.parametrize("sizes", [(3, 5), (5, 3)])
def test_scaled_dot_product_attention(mask: str, causal: bool, lead: Any, sizes: Any) -> None:
    (queries, keys), scale = sizes, 0.3 if causal else None
    q, k, v = (
        pair(normal(*lead, n, d, seed=i)) for i, (n, d) in enumerate([(queries, 4), (keys, 4), (keys, 6)])
    )
    given = {"none": None, "bool": normal(queries, keys) > -0.5, "float": normal(queries, keys)}.get(mask)
    if mask == "nothing left":
        given = np.zeros((queries, keys), bool)
        given[1:, 0] = True
    exact_given = None if given is None else torch.tensor(given)
    if causal and given is not None:  # PyTorch takes one of the two
        lower = torch.ones(queries, keys, dtype=torch.bool).tril()
        exact_given = exact_given & lower if mask != "float" else exact_given.masked_fill(~lower, -np.inf)
    y = F.scaled_dot_product_attention(q[0], k[0], v[0], given, is_causal=causal, scale=scale)
    exact = TF.scaled_dot_product_attention(
        q[1], k[1], v[1], exact_given, is_causal=causal and given is None, scale=scale
    )
    agree([y], [exact], [q, k, v])


def test_heads_that_share_keys_and_a_bias_with_gradients() -> None:
    q, k, v = (pair(normal(2, h, n, 4, seed=i)) for i, (h, n) in enumerate([(4, 3), (2, 5), (2, 5)]))
    bias = pair(normal(4, 1, 5))
    y = F.scaled_dot_product_attention(q[0], k[0], v[0], bias[0], enable_gqa=True)
    agree([y], [TF.scaled_dot_product_attention(q[1], k[1], v[1], bias[1], enable_gqa=True)], [q, k, v, bias])


MASKS = [("none", "none"), ("bool", "bool"), ("float", "float"), ("3d", "none"), ("none", "bool")]


@pytest.mark.parametrize("masks", MASKS, ids="-".join)
@pytest.mark.parametrize("weights", ["averaged", "each", "none"])
@pytest.mark.parametrize("sizes", [None, (5, 7)])
@pytest.mark.parametrize("extra", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_multihead_attention(masks: Any, weights: str, sizes: Any, extra: bool, first: bool) -> None:
    settings: dict[str, Any] = {
        "bias": not first,
        "add_bias_kv": extra,
        "add_zero_attn": extra,
        "batch_first": first,
    }
    if sizes:
        settings |= {"kdim": sizes[0], "vdim": sizes[1]}
    models = layers("MultiheadAttention", 4, 2, **settings)
    batch, queries, keys = 2, 3, 4

    def rows(n: int, d: int) -> Pair:
        return pair(normal(*((batch, n) if first else (n, batch)), d))

    q, k, v = rows(queries, 4), rows(keys, sizes[0] if sizes else 4), rows(keys, sizes[1] if sizes else 4)
    hidden = normal(queries, keys) > 0.3
    hidden[:, 0] = False
    mask = {"bool": hidden, "float": normal(queries, keys), "3d": normal(batch * 2, queries, keys)}.get(
        masks[0]
    )
    last = np.array([[0, 0, 0, 1], [0, 0, 0, 0]], bool)
    padding = {"bool": last, "float": normal(batch, keys)}.get(masks[1])
    ours = (q[0], k[0], v[0], padding, weights != "none", mask, weights == "averaged")
    theirs = (q[1], k[1], v[1], *[torch.tensor(x) if isinstance(x, np.ndarray) else x for x in ours[3:]])
    found, exact = models[0](*ours), models[1](*theirs)
    count = 1 if weights == "none" else 2
    agree(found[:count], exact[:count], [q, k, v], models)


@pytest.mark.parametrize("settings", [{}, {"norm_first": True, "batch_first": True}, {"bias": False}])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_transformer(settings: Any, activation: str) -> None:
    models = layers("Transformer", 4, 2, 2, 2, 6, 0.0, activation, **settings)
    first = settings.get("batch_first", False)
    src, tgt = (pair(normal(*((2, n) if first else (n, 2)), 4, seed=n)) for n in (3, 5))
    mask = nn.Transformer.generate_square_subsequent_mask(5, np.float64)
    exact_mask = torch.nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64)
    np.testing.assert_array_equal(mask.numpy(), exact_mask.numpy())
    padding = np.array([[0, 0, 1], [0, 0, 0]], bool)
    masks = {"src_key_padding_mask": padding, "memory_key_padding_mask": padding}
    y = models[0](src[0], tgt[0], tgt_mask=mask, **masks)
    exact = models[1](src[1], tgt[1], tgt_mask=exact_mask, **{k: torch.tensor(m) for k, m in masks.items()})
    agree([y], [exact], [src, tgt], models)


# ---- embeddings


@pytest.mark.parametrize("padding", [None, 2, -1])
@pytest.mark.parametrize("max_norm", [None, 1.0])
@pytest.mark.parametrize("by_frequency", [False, True])
def test_embedding(padding: Any, max_norm: Any, by_frequency: bool) -> None:
    models = layers("Embedding", 6, 3, padding, max_norm, 2.0, by_frequency)
    numbers = np.array([[2, 0, 5], [5, 2, 2], [1, 5, 0]])
    agree([models[0](numbers)], [models[1](torch.tensor(numbers))], [], models)
    np.testing.assert_allclose(models[0].weight.numpy(), models[1].weight.detach().numpy(), atol=1e-15)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("bags", ["rows", "offsets", "last offset"])
@pytest.mark.parametrize("weighed", [False, True])
def test_embedding_bag(mode: str, padding: Any, bags: str, weighed: bool) -> None:
    if weighed and mode != "sum":
        return
    models = layers(
        "EmbeddingBag",
        6,
        3,
        max_norm=1.0,
        mode=mode,
        padding_idx=padding,
        include_last_offset=bags == "last offset",
    )
    numbers = np.array([[2, 0, 5, 1], [5, 2, 2, 4], [1, 5, 0, 3]])
    offsets = None
    if bags != "rows":
        numbers, offsets = numbers.ravel(), np.array([0, 3, 3, 8] + [12] * (bags == "last offset"))
    factors = pair(normal(*numbers.shape)) if weighed else (None, None)
    exact_offsets = None if offsets is None else torch.tensor(offsets)
    y = models[0](numbers, offsets, factors[0])
    exact = models[1](torch.tensor(numbers), exact_offsets, factors[1])
    agree([y], [exact], [factors] if weighed else [], models)


def test_frequencies_in_bags_differ_from_pytorch_where_it_takes_those_of_others() -> None:
    """PyTorch 2.13 divides row 3 by the count of row 1 (pytorch/pytorch issue 190063); here each by its own."""
    numbers = np.array([1, 1, 3])
    table = pair(np.ones((4, 1)))
    F.embedding_bag(numbers, table[0], [0], mode="sum", scale_grad_by_freq=True).sum().backward()
    TF.embedding_bag(
        torch.tensor(numbers), table[1], torch.tensor([0]), mode="sum", scale_grad_by_freq=True
    ).sum().backward()
    assert table[0].grad.numpy().ravel().tolist() == [0, 1, 0, 1]
    assert table[1].grad.numpy().ravel().tolist() == [0, 1, 0, 0.5]


# ---- constructors and signatures


LAYERS = [
    "RNNBase", "RNNCell", "LSTMCell", "GRUCell", "MultiheadAttention", "TransformerEncoderLayer",
    "TransformerDecoderLayer", "TransformerEncoder", "TransformerDecoder", "Transformer", "Embedding", "EmbeddingBag",
]  # fmt: skip
FUNCTIONS = ["embedding", "embedding_bag", "multi_head_attention_forward"]


def defaults(function: Any) -> list[tuple[str, Any]]:
    """Names and defaults of the arguments, those left out that only one of the libraries has."""
    found = [
        (name, getattr(one.default, "__name__", one.default))
        for name, one in inspect.signature(function).parameters.items()
        if name not in ("self", "device", "dtype") and one.kind is not one.KEYWORD_ONLY
    ]
    return [(name, None if default is inspect.Parameter.empty else default) for name, default in found]


@pytest.mark.parametrize("name", LAYERS)
def test_constructors_and_calls_have_the_same_arguments(name: str) -> None:
    ours, theirs = getattr(nn, name), getattr(torch.nn, name)
    assert defaults(ours.__init__) == defaults(theirs.__init__)
    assert defaults(ours.forward) == defaults(theirs.forward) or "Cell" in name or name == "RNNBase"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_the_same_arguments(name: str) -> None:
    assert defaults(getattr(F, name)) == defaults(getattr(TF, name))


def test_functions_that_pad_and_pack_have_the_same_arguments() -> None:
    names = [
        "pack_padded_sequence", "pad_packed_sequence", "pad_sequence", "pack_sequence", "unpack_sequence", "unpad_sequence",
    ]  # fmt: skip
    for name in names:
        assert defaults(getattr(rnn, name)) == defaults(getattr(torch.nn.utils.rnn, name)), name


DRAWN = [
    ("LSTM", (50, 60)),
    ("GRUCell", (50, 60)),
    ("MultiheadAttention", (64, 4)),
    ("Embedding", (70, 80)),
]


@pytest.mark.parametrize(("name", "args"), DRAWN)
def test_parameters_are_drawn_from_the_same_laws(name: str, args: Any) -> None:
    """Standard deviations and ranges of what is drawn agree within what chance allows."""
    torch.manual_seed(0)
    theirs = dict(getattr(torch.nn, name)(*args).named_parameters())
    ours = dict(getattr(nn, name)(*args, generator=np.random.default_rng(0)).named_parameters())
    assert list(ours) == list(theirs)
    for key, p in ours.items():
        a, b = p.numpy(), theirs[key].detach().numpy()
        assert abs(a.std() - b.std()) <= 0.1 * b.std(), key
        assert np.abs(a).max() == pytest.approx(np.abs(b).max(), rel=0.35), key
