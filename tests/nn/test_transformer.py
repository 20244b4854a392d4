"""Transformers: parts put together by hand, masks, copies, dropout, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad._errors import ShapeError
from tensorgrad.nn import functional as F


def normal(*shape: int, seed: int = 0) -> Any:
    return tg.tensor(np.random.default_rng((seed, *shape)).standard_normal(shape))


def made(name: str, *args: Any, **kwargs: Any) -> Any:
    kwargs = {"dtype": np.float64, "generator": np.random.default_rng(0), **kwargs}
    return getattr(nn, name)(*args, **kwargs)


@pytest.mark.parametrize("norm_first", [False, True])
def test_an_encoder_layer_by_its_parts(norm_first: bool) -> None:
    layer, x = made("TransformerEncoderLayer", 4, 2, 6, 0.0, norm_first=norm_first), normal(3, 2, 4)

    def attended(x: Any) -> Any:
        return layer.self_attn(x, x, x)[0]

    def fed(x: Any) -> Any:
        return layer.linear2(tg.relu(layer.linear1(x)))

    if norm_first:
        z = x + attended(layer.norm1(x))
        expected = z + fed(layer.norm2(z))
    else:
        z = layer.norm1(x + attended(x))
        expected = layer.norm2(z + fed(z))
    np.testing.assert_allclose(layer(x).numpy(), expected.numpy(), atol=1e-13)


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_decoder_layer_by_its_parts(norm_first: bool) -> None:
    layer = made("TransformerDecoderLayer", 4, 2, 6, 0.0, "gelu", norm_first=norm_first)
    x, memory = normal(3, 2, 4), normal(5, 2, 4)
    parts = [
        lambda x: layer.self_attn(x, x, x)[0],
        lambda x: layer.multihead_attn(x, memory, memory)[0],
        lambda x: layer.linear2(F.gelu(layer.linear1(x))),
    ]
    expected = x
    for part, norm in zip(parts, (layer.norm1, layer.norm2, layer.norm3), strict=True):
        expected = expected + part(norm(expected)) if norm_first else norm(expected + part(expected))
    np.testing.assert_allclose(layer(x, memory).numpy(), expected.numpy(), atol=1e-13)


def test_a_stack_begins_with_equal_copies_that_are_trained_apart() -> None:
    layer = made("TransformerEncoderLayer", 4, 2, 6, 0.0)
    stack = nn.TransformerEncoder(layer, 2, nn.LayerNorm(4, dtype=np.float64))
    first, second = (dict(one.named_parameters()) for one in stack.layers)
    for name, p in first.items():
        assert p is not second[name] and (p.numpy() == second[name].numpy()).all()
    x = normal(3, 2, 4)
    y = stack(x)
    np.testing.assert_allclose(y.numpy(), stack.norm(layer(layer(x))).numpy(), atol=1e-14)
    (y * normal(3, 2, 4, seed=1)).sum().backward()
    assert (first["linear1.weight"].grad.numpy() != second["linear1.weight"].grad.numpy()).any()


def test_copies_draw_their_dropout_one_after_the_other() -> None:
    """Copies of a generator would drop the same places in every layer."""
    generator = np.random.default_rng(0)
    stack = nn.TransformerEncoder(made("TransformerEncoderLayer", 4, 2, generator=generator), 3)
    found = {id(m.generator) for m in stack.modules() if isinstance(m, nn.Dropout | nn.MultiheadAttention)}
    assert found == {id(generator)}


def test_masks_reach_the_attention() -> None:
    model, src, tgt = made("Transformer", 4, 2, 1, 1, 6, 0.0), normal(5, 2, 4), normal(3, 2, 4)
    mask = nn.Transformer.generate_square_subsequent_mask(3, np.float64)
    padding = np.zeros((2, 5), bool)
    padding[:, 4] = True
    masks = {"tgt_mask": mask, "src_key_padding_mask": padding, "memory_key_padding_mask": padding}
    y = model(src, tgt, **masks).numpy()
    other_src, other_tgt = src.numpy().copy(), tgt.numpy().copy()
    other_src[4], other_tgt[2] = 9, 9  # padding, and the future of positions 0 and 1
    z = model(tg.tensor(other_src), tg.tensor(other_tgt), **masks).numpy()
    np.testing.assert_allclose(z[:2], y[:2], atol=1e-13)
    assert (np.abs(z[2] - y[2]) > 1e-3).any()
    assert (np.abs(model(src, tgt).numpy() - y) > 1e-6).any()
    np.testing.assert_allclose(
        model(src, tgt, tgt_is_causal=True).numpy(), model(src, tgt, tgt_mask=mask).numpy(), atol=1e-14
    )


def test_batch_first_is_the_same_with_axes_exchanged() -> None:
    a, b = (made("Transformer", 4, 2, 1, 1, 6, 0.0, batch_first=first) for first in (False, True))
    src, tgt = normal(5, 2, 4), normal(3, 2, 4)
    y = b(src.swapaxes(0, 1), tgt.swapaxes(0, 1))
    np.testing.assert_allclose(a(src, tgt).numpy(), y.swapaxes(0, 1).numpy(), atol=1e-14)
    np.testing.assert_allclose(a(src[:, 0], tgt[:, 0]).numpy(), a(src, tgt)[:, 0].numpy(), atol=1e-13)


def test_dropout_is_in_training_only_and_follows_its_generator() -> None:
    x = normal(3, 2, 4)
    a, b = (made("TransformerEncoderLayer", 4, 2, 6, 0.5)(x).numpy() for _ in range(2))
    assert (a == b).all()
    layer = made("TransformerEncoderLayer", 4, 2, 6, 0.5)
    assert (layer(x).numpy() != layer(x).numpy()).any()
    layer.eval()
    assert (layer(x).numpy() == layer(x).numpy()).all()


def test_matrices_are_drawn_by_xaviers_rule() -> None:
    model = nn.Transformer(16, 2, 1, 1, 32, generator=np.random.default_rng(0))
    for p in model.parameters():
        if p.ndim > 1:
            bound = np.sqrt(6 / sum(p.shape))
            assert 0.9 * bound < np.abs(p.numpy()).max() <= bound
    first, second = made("Transformer", 4, 2, 2, 0).encoder.layers
    assert (first.linear1.weight.numpy() != second.linear1.weight.numpy()).any()


def test_derivatives() -> None:
    model = made("TransformerDecoderLayer", 2, 1, 3, 0.0, "gelu")
    assert tg.testing.gradcheck(
        lambda x, m: model(x, m, tgt_is_causal=True), (normal(2, 1, 2), normal(2, 1, 2))
    )


def test_the_causal_mask() -> None:
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    assert mask.dtype == np.float32
    assert mask.tolist() == [[0, -np.inf, -np.inf], [0, 0, -np.inf], [0, 0, 0]]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: nn.TransformerEncoderLayer(5, 2), "embed_dim=5, num_heads=2"),
        (lambda: nn.TransformerEncoderLayer(4, 2, activation="sin"), "activation is 'sin'"),
        (lambda: nn.Transformer(4, 2, 1, 1, 6)(tg.ones((3, 2, 4)), tg.ones((3, 1, 4))), "one batch"),
        (
            lambda: nn.Transformer(4, 2, 1, 1, 6)(tg.ones((3, 2, 4)), tg.ones((3, 2, 5))),
            "d_model features, 4",
        ),
        (lambda: nn.TransformerEncoderLayer(4, 2)(tg.ones((3, 2, 5))), r"query \(3, 2, 5\)"),
    ],
)
def test_bad_input(call: Any, says: str) -> None:
    with pytest.raises(ShapeError, match=says):
        call()


def test_dropout_of_attention_is_drawn_anew_by_each_replay() -> None:
    tg.manual_seed(0)
    layer, x = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5, batch_first=True), tg.ones((1, 3, 8))
    program = tg.trace(layer, x)
    assert [one.op for one in program.equations].count("random_mask") == 4
    assert not np.allclose(program(x).numpy(), program(x).numpy())
