"""Attention: by hand, masks, fast as composite, several heads, derivatives of higher order, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad._errors import DtypeError, ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.ops import fused

attend = F.scaled_dot_product_attention


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def inputs(*lead: int, queries: int = 3, keys: int = 4) -> list[Any]:
    return [normal(*lead, n, 2, seed=i) for i, n in enumerate((queries, keys, keys))]


# ---- values


def test_equal_keys_give_the_mean_of_the_values() -> None:
    v = normal(4, 3)
    np.testing.assert_allclose(attend(normal(2, 5), np.ones((4, 5)), v), np.tile(v.mean(0), (2, 1)))


def test_a_key_that_fits_far_better_gives_its_value() -> None:
    q = np.array([[1e4, 0.0]])
    k = np.array([[1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(attend(q, k, np.array([[3.0], [5.0]])), [[3.0]])


def test_causal_is_the_lower_triangle_as_a_mask_and_as_numbers() -> None:
    q, k, v = inputs(2)
    allowed = np.tril(np.ones((3, 4), bool))
    y = attend(q, k, v, is_causal=True)
    np.testing.assert_allclose(attend(q, k, v, allowed), y, atol=1e-15)
    np.testing.assert_allclose(attend(q, k, v, np.where(allowed, 0.0, -np.inf)), y, atol=1e-15)
    np.testing.assert_allclose(y[:, 0], v[:, 0], atol=1e-15)  # the first query has one key


def test_causal_means_the_past_does_not_see_the_future() -> None:
    q, k, v = (tg.tensor(one, requires_grad=True) for one in inputs(keys=3))
    attend(q, k, v, is_causal=True)[1].sum().backward()
    assert k.grad.numpy()[:2].any() and not k.grad.numpy()[2].any()
    assert v.grad.numpy()[1].any() and not v.grad.numpy()[2].any()


def test_a_mask_and_causal_hold_both() -> None:
    q, k, v = inputs()
    mask = normal(3, 4) > -0.5
    np.testing.assert_allclose(
        attend(q, k, v, mask, is_causal=True),
        attend(q, k, v, mask & np.tril(np.ones((3, 4), bool))),
        atol=1e-15,
    )


@pytest.mark.parametrize("kind", ["fast", "composite"])
def test_a_query_without_keys_gets_zeros_and_no_gradient(kind: str) -> None:
    leaves = [tg.tensor(one, requires_grad=True) for one in inputs()]
    bias = np.zeros((3, 4))
    bias[1] = -np.inf
    op = fused.attention if kind == "fast" else fused.attention.card.composite
    y = op(*leaves, tg.tensor(bias), scale=1.0, causal=False, biased=True)
    assert not y.numpy()[1].any() and np.isfinite(y.numpy()).all()
    (y * y).sum().backward()
    assert not leaves[0].grad.numpy()[1].any()
    assert all(np.isfinite(one.grad.numpy()).all() for one in leaves)


def test_no_keys_at_all_give_zeros() -> None:
    assert attend(*inputs(keys=0)).tolist() == [[0, 0]] * 3


def test_dropout_keeps_the_mean_and_follows_its_generator() -> None:
    q, k, v = inputs(keys=400)
    draws = [attend(q, k, v, dropout_p=0.5, generator=np.random.default_rng(s)) for s in (1, 1, 2)]
    assert (draws[0] == draws[1]).all() and (draws[0] != draws[2]).any()
    mean = np.mean(
        [attend(q, k, v, dropout_p=0.5, generator=np.random.default_rng(s)) for s in range(200)], 0
    )
    np.testing.assert_allclose(mean, attend(q, k, v), atol=0.03)


# ---- the fast pair


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("more", [0, 1, 2])
def test_the_fast_pair_is_the_composite(causal: bool, more: int) -> None:
    """Results and all gradients, of heads that lie strided in memory, with a bias and with dropout's factors."""
    for dtype, atol in ((np.float32, 1e-5), (np.float64, 1e-13)):
        buffers = [tg.tensor(normal(3, 2, 8, seed=i).astype(dtype), requires_grad=True) for i in range(3)]
        extra = [
            tg.tensor(normal(2, 1, 1, 3, seed=i + 5).astype(dtype), requires_grad=True) for i in range(more)
        ]
        found = []
        for op in (fused.attention, fused.attention.card.composite):
            heads = [tg.permute_dims(x.reshape((3, 2, 4, 2)), (1, 2, 0, 3)) for x in buffers]
            y = op(*heads, *extra, scale=0.5, causal=causal, biased=more > 0)
            c = normal(*y.shape, seed=9).astype(dtype)
            found.append([y, *tg.autograd.grad((y * c).sum(), [*buffers, *extra])])
        for fast, slow in zip(*found, strict=True):
            assert fast.dtype == dtype
            np.testing.assert_allclose(fast.numpy(), slow.numpy(), atol=atol)


def test_higher_orders_forward_mode_and_batches() -> None:
    q, k, v = (tg.tensor(one) for one in inputs())

    def f(q: Any, k: Any, v: Any) -> Any:
        return attend(q, k, v, is_causal=True)

    assert tg.testing.gradcheck(f, (q, k, v), check_forward_ad=True, check_batched_grad=True)
    assert tg.testing.gradgradcheck(f, (q, k, v))
    batch = [tg.tensor(one) for one in inputs(5)]
    np.testing.assert_allclose(tg.vmap(f)(*batch).numpy(), f(*batch).numpy(), atol=1e-15)


def test_only_what_is_wanted_gets_a_gradient() -> None:
    arrays = inputs(2)
    whole = [tg.tensor(one, requires_grad=True) for one in arrays]
    attend(*whole).sum().backward()
    for i in range(3):
        some = [tg.tensor(one, requires_grad=i == j) for j, one in enumerate(arrays)]
        attend(*some).sum().backward()
        np.testing.assert_allclose(some[i].grad.numpy(), whole[i].grad.numpy(), atol=1e-15)


# ---- several heads


def multihead(**settings: Any) -> Any:
    draws = np.random.default_rng(0)
    return nn.MultiheadAttention(4, 2, **settings, dtype=np.float64, generator=draws)


@pytest.mark.parametrize("batch_first", [False, True])
def test_weights_are_the_same_result_and_sum_to_one(batch_first: bool) -> None:
    layer, x = multihead(batch_first=batch_first), tg.tensor(normal(2, 3, 4))
    y, weights = layer(x, x, x)
    fast, none = layer(x, x, x, need_weights=False)
    assert none is None
    np.testing.assert_allclose(y.numpy(), fast.numpy(), atol=1e-14)
    np.testing.assert_allclose(weights.sum(-1).numpy(), 1)
    _, each = layer(x, x, x, average_attn_weights=False)
    np.testing.assert_allclose(each.mean(1).numpy(), weights.numpy(), atol=1e-15)


def test_a_padded_key_has_no_part() -> None:
    layer, x = multihead(), normal(3, 2, 4)
    padding = np.zeros((2, 3), bool)
    padding[:, 2] = True
    y, weights = layer(tg.tensor(x), tg.tensor(x), tg.tensor(x), padding)
    other = x.copy()
    other[2] = 99
    z, _ = layer(tg.tensor(x), tg.tensor(other), tg.tensor(other), padding)
    np.testing.assert_allclose(y.numpy(), z.numpy(), atol=1e-14)
    assert not weights.numpy()[:, :, 2].any()


@pytest.mark.parametrize("weights", [False, True])
def test_a_row_of_padding_alone_gives_zeros_before_the_last_projection(weights: bool) -> None:
    layer, x = multihead(bias=False), tg.tensor(normal(3, 2, 4), requires_grad=True)
    y, _ = layer(x, x, x, np.array([[True] * 3, [False] * 3]), need_weights=weights)
    assert not y.numpy()[:, 0].any() and y.numpy()[:, 1].all()
    y.sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_causal_needs_no_mask() -> None:
    layer, x = multihead(), tg.tensor(normal(3, 2, 4))
    mask = np.triu(np.full((3, 3), -np.inf), 1)
    expected = layer(x, x, x, attn_mask=mask)[0].numpy()
    np.testing.assert_allclose(layer(x, x, x, is_causal=True)[0].numpy(), expected, atol=1e-15)
    fast = layer(x, x, x, need_weights=False, attn_mask=mask, is_causal=True)[0]
    np.testing.assert_allclose(fast.numpy(), expected, atol=1e-14)


def test_dropout_is_in_training_only() -> None:
    layer, x = multihead(dropout=0.5), tg.tensor(normal(3, 2, 4))
    for weights in (False, True):
        layer.train()
        assert (
            layer(x, x, x, need_weights=weights)[0].numpy() != layer(x, x, x, need_weights=weights)[0].numpy()
        ).any()
        layer.eval()
        assert (
            layer(x, x, x, need_weights=weights)[0].numpy() == layer(x, x, x, need_weights=weights)[0].numpy()
        ).all()


def test_keys_and_values_given_by_head() -> None:
    """``static_k`` and ``static_v`` take the place of the projections."""
    layer, x = multihead(bias=False), tg.tensor(normal(3, 1, 4))
    projected = F.linear(x, layer.in_proj_weight)
    k, v = (tg.permute_dims(one.reshape((3, 2, 2)), (1, 0, 2)) for one in tg.split(projected, 3, axis=-1)[1:])
    y, _ = F.multi_head_attention_forward(
        x, x, x, 4, 2, layer.in_proj_weight, None, None, None, False, 0.0, layer.out_proj.weight, None, static_k=k,
        static_v=v,
    )  # fmt: skip
    np.testing.assert_allclose(y.numpy(), layer(x, x, x)[0].numpy(), atol=1e-15)


# ---- positions


def test_sinusoids_by_the_formula() -> None:
    table = F.sinusoidal_positions(7, 6, dtype=np.float64).numpy()
    for p in range(7):
        for i in range(3):
            angle = p / 10000 ** (2 * i / 6)
            assert table[p, 2 * i : 2 * i + 2].tolist() == pytest.approx([np.sin(angle), np.cos(angle)])
    assert F.sinusoidal_positions(2, 3).shape == (2, 3)


@pytest.mark.parametrize("interleaved", [True, False])
def test_rotated_products_depend_on_the_distance(interleaved: bool) -> None:
    q, k = normal(1, 6), normal(1, 6, seed=1)

    def product(m: int, n: int) -> float:
        a, b = (F.rotary_embedding(x, [p], interleaved=interleaved) for x, p in ((q, m), (k, n)))
        return float((a @ b.T).item())

    assert product(5, 2) == pytest.approx(product(13, 10)) == pytest.approx(product(3, 0))
    assert product(0, 0) == pytest.approx(float((q @ k.T).item()))
    assert product(5, 2) != pytest.approx(product(5, 3))


def test_rotation_keeps_lengths_and_starts_with_position_0() -> None:
    x = normal(2, 3, 5, 4)
    y = F.rotary_embedding(x)
    np.testing.assert_allclose(np.linalg.norm(y, axis=-1), np.linalg.norm(x, axis=-1))
    np.testing.assert_array_equal(y[..., 0, :], x[..., 0, :])
    np.testing.assert_allclose(F.rotary_embedding(x[..., 2:, :], np.arange(2, 5)), y[..., 2:, :])
    assert tg.testing.gradcheck(F.rotary_embedding, (tg.tensor(normal(2, 4)),))


# ---- bad input


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: attend(normal(3, 2), normal(4, 3), normal(4, 3)), ShapeError, r"query \(3, 2\), key \(4, 3\)"),
        (lambda: attend(normal(3, 2), normal(4, 2), normal(5, 2)), ShapeError, "as many rows"),
        (lambda: attend(normal(2), normal(4, 2), normal(4, 2)), ShapeError, r"query \(2,\)"),
        (lambda: attend(*inputs(), np.ones((3, 4), int)), DtypeError, "a mask has dtype int64"),
        (lambda: attend(*inputs(), np.ones((4, 3), bool)), ShapeError, r"mask \(4, 3\)"),
        (lambda: attend(*inputs(), np.ones((2, 3, 4), bool)), ShapeError, r"mask \(2, 3, 4\)"),
        (lambda: attend(normal(3, 2, 2), *inputs(2)[1:], enable_gqa=True), ShapeError, "divide"),
        (lambda: nn.MultiheadAttention(5, 2), ShapeError, "embed_dim=5, num_heads=2"),
        (lambda: multihead()(*[tg.ones((3, 2, 5))] * 3), ShapeError, r"query \(3, 2, 5\), embedding 4"),
        (lambda: multihead()(tg.ones((3, 2, 4)), *[tg.ones((3, 4))] * 2), ShapeError, r"key \(3, 4\)"),
        (lambda: multihead()(tg.ones((3, 2, 4)), *[tg.ones((3, 1, 4))] * 2), ShapeError, "all one batch"),
        (lambda: multihead()(*[tg.ones((3, 2, 4))] * 3, np.ones((3, 2), bool)), ShapeError, r"key_padding_mask \(3, 2\)"),
        (lambda: multihead()(*[tg.ones((3, 2, 4))] * 3, attn_mask=np.ones((2, 2), bool)), ShapeError, r"attn_mask \(2, 2\)"),
        (lambda: F.rotary_embedding(normal(2, 3)), ShapeError, "even number"),
        (lambda: F.rotary_embedding(normal(2, 4), [1]), ShapeError, r"positions \(1,\)"),
        (lambda: F.sinusoidal_positions(2, 0), ShapeError, "dim 0"),
    ],
)  # fmt: skip
def test_bad_input(call: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        call()
