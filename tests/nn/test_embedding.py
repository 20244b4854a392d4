"""Embeddings: rows and their gradients, bags, norms that are kept, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad._errors import DtypeError, GradientError, IndexingError, ShapeError
from tensorgrad.nn import functional as F


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


def leaf(*shape: int) -> Any:
    return tg.tensor(normal(*shape), requires_grad=True)


# ---- rows


def test_rows_and_the_sums_of_their_gradients() -> None:
    table, numbers = leaf(5, 2), np.array([[1, 3], [1, 1]])
    y = F.embedding(numbers, table)
    np.testing.assert_array_equal(y.numpy(), table.numpy()[numbers])
    c = normal(2, 2, 2)
    (y * c).sum().backward()
    expected = np.zeros((5, 2))
    for place in np.ndindex(2, 2):
        expected[numbers[place]] += c[place]
    np.testing.assert_allclose(table.grad.numpy(), expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 3])
def test_sums_over_many_repeated_rows(dtype: Any, width: int) -> None:
    """A half precision sum that stopped at 2048 would be found, and so would one that lost a row."""
    table = tg.tensor(np.zeros((3, width), dtype), requires_grad=True)
    F.embedding(np.repeat([0, 2, 2], 1500), table).sum().backward()
    assert table.grad.dtype == dtype
    assert table.grad.numpy().tolist() == [[1500] * width, [0] * width, [3000] * width]


def test_a_number_a_list_and_no_numbers() -> None:
    table = leaf(3, 2)
    assert F.embedding(1, table).tolist() == table.numpy()[1].tolist()
    assert F.embedding([2, 0], table).tolist() == table.numpy()[[2, 0]].tolist()
    y = F.embedding([], table)
    assert y.shape == (0, 2)
    y.sum().backward()
    assert not table.grad.numpy().any()
    assert type(F.embedding(np.array([1]), table.numpy())) is np.ndarray


def test_derivatives_and_batches() -> None:
    numbers = np.array([[1, 0, 1], [2, 2, 2]])
    table = tg.tensor(normal(3, 2))

    def f(table: Any) -> Any:
        return F.embedding(numbers, table, padding_idx=1) ** 2

    one_row = F.embedding(1, table)
    np.testing.assert_array_equal(f(table).numpy()[0, 0], (one_row * one_row).numpy())
    slope, tangent = tg.grad(lambda t: f(t).sum())(table), normal(3, 2, seed=1)
    assert not slope.numpy()[1].any()
    np.testing.assert_allclose(
        tg.jvp(lambda t: f(t).sum(), (table,), (tg.tensor(tangent),))[1].numpy(),
        (slope.numpy() * tangent).sum(),
    )
    assert tg.testing.gradgradcheck(lambda t: F.embedding(numbers, t) ** 3, (table,))
    np.testing.assert_array_equal(
        tg.vmap(lambda i: F.embedding(i, table))(tg.tensor(numbers)).numpy(), table.numpy()[numbers]
    )


def test_a_recorded_lookup_replays_with_other_numbers_and_checks_them() -> None:
    table = tg.tensor(normal(4, 2))
    program = tg.trace(lambda i: F.embedding(i, table), tg.tensor([0, 1]))
    np.testing.assert_array_equal(program(tg.tensor([3, 2])).numpy(), table.numpy()[[3, 2]])
    with pytest.raises(IndexingError, match="index 4"):
        program(tg.tensor([0, 4]))


@pytest.mark.parametrize("padding", [1, -3])
def test_padding_gets_no_gradient_and_begins_with_zeros(padding: int) -> None:
    layer = nn.Embedding(4, 2, padding_idx=padding)
    assert layer.padding_idx == 1
    assert not layer.weight.numpy()[1].any() and layer.weight.numpy()[0].all()
    layer(tg.tensor([0, 1, 1, 2])).sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1], [0, 0], [1, 1], [0, 0]]


def test_gradients_shared_among_repetitions() -> None:
    table = leaf(3, 1)
    y = F.embedding([0, 0, 0, 2], table, scale_grad_by_freq=True)
    np.testing.assert_array_equal(y.numpy(), table.numpy()[[0, 0, 0, 2]])
    y.sum().backward()
    np.testing.assert_allclose(table.grad.numpy().ravel(), [1, 0, 1])


# ---- norms


@pytest.mark.parametrize("p", [1.0, 2.0, np.inf])
def test_rows_that_are_used_are_scaled_down_where_they_are(p: float) -> None:
    layer = nn.Embedding(
        4, 3, max_norm=0.5, norm_type=p, dtype=np.float64, generator=np.random.default_rng(0)
    )
    before = layer.weight.numpy().copy()
    y = layer([1, 3, 3])
    after = layer.weight.numpy()
    np.testing.assert_array_equal(after[[0, 2]], before[[0, 2]])
    np.testing.assert_allclose(np.linalg.norm(after[[1, 3]], p, 1), 0.5, rtol=1e-6)
    np.testing.assert_array_equal(y.numpy(), after[[1, 3, 3]])
    np.testing.assert_allclose(after[1] / after[1, 0], before[1] / before[1, 0])
    y.sum().backward()
    assert layer.weight.grad.numpy().any()


def test_a_graph_from_before_the_scaling_is_stale() -> None:
    table = leaf(3, 2)
    y = (table * table).sum()
    F.embedding([0], table, max_norm=1e-3)
    with pytest.raises(tg.MutatedError):
        y.backward()


def test_norms_of_arrays_and_of_what_cannot_be_written_to() -> None:
    array = np.ones((2, 2))
    F.embedding([0], array, max_norm=1.0)
    assert array[0].tolist() == pytest.approx([0.5**0.5] * 2) and array[1].tolist() == [1, 1]
    array.flags.writeable = False
    with pytest.raises(DtypeError, match="read-only"):
        F.embedding([1], array, max_norm=1.0)
    with pytest.raises(GradientError, match="computed from other tensors"):
        F.embedding([1], leaf(2, 2) * 2, max_norm=1.0)


# ---- bags


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_by_hand_with_an_empty_one(mode: str) -> None:
    table, numbers, offsets = leaf(5, 2), np.array([4, 1, 1, 0, 3]), [0, 2, 2]
    y = F.embedding_bag(numbers, table, offsets, mode=mode)
    reduce = getattr(np, mode)
    expected = [reduce(table.numpy()[numbers[:2]], 0), np.zeros(2), reduce(table.numpy()[numbers[2:]], 0)]
    np.testing.assert_allclose(y.numpy(), expected)
    same = F.embedding_bag(numbers, table, [*offsets, 5], mode=mode, include_last_offset=True)
    np.testing.assert_array_equal(same.numpy(), y.numpy())
    rows = F.embedding_bag(numbers[:4].reshape(2, 2), table, mode=mode)
    np.testing.assert_allclose(rows.numpy()[0], expected[0])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_padding_is_left_out_of_bags(mode: str) -> None:
    table = leaf(5, 2)
    y = F.embedding_bag([[0, 2, 2], [2, 2, 2]], table, mode=mode, padding_idx=2)
    np.testing.assert_allclose(y.numpy(), [table.numpy()[0], [0, 0]])
    y.sum().backward()
    assert table.grad.numpy()[0].tolist() == [1, 1] and not table.grad.numpy()[1:].any()


def test_bags_without_numbers() -> None:
    for mode in ("sum", "mean", "max"):
        table = leaf(3, 2)
        y = F.embedding_bag(np.zeros(0, int), table, [0, 0], mode=mode)
        assert y.tolist() == [[0, 0], [0, 0]]
        y.sum().backward()
        assert not table.grad.numpy().any()


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_derivatives_of_bags(mode: str) -> None:
    def f(table: Any, factors: Any) -> Any:
        more = {"per_sample_weights": factors} if mode == "sum" else {}
        return F.embedding_bag([1, 0, 1, 2], table, [0, 3], mode=mode, **more)

    assert tg.testing.gradcheck(f, (tg.tensor(normal(3, 2)), tg.tensor(normal(4))))


# ---- layers


def test_pretrained_tables() -> None:
    table = tg.tensor(normal(3, 2))
    for kind in (nn.Embedding, nn.EmbeddingBag):
        frozen, free = kind.from_pretrained(table), kind.from_pretrained(table, freeze=False)
        assert not frozen.weight.requires_grad and free.weight.requires_grad
        assert (frozen.weight.numpy() == table.numpy()).all() and frozen.weight.dtype == np.float64
    assert nn.Embedding.from_pretrained(table, padding_idx=0).weight.numpy()[0].all()


def test_looks_and_seeds() -> None:
    assert repr(nn.Embedding(3, 4, padding_idx=0)) == "Embedding(3, 4, padding_idx=0)"
    assert repr(nn.EmbeddingBag(3, 4, max_norm=1)) == "EmbeddingBag(3, 4, max_norm=1, mode='mean')"
    a, b = (nn.Embedding(3, 4, generator=np.random.default_rng(5)).weight.numpy() for _ in range(2))
    assert (a == b).all() and a.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: nn.Embedding(5, 2)([1, 7]), IndexingError, "embedding: index 7 .*vocabulary.* of length 5"),
        (lambda: nn.Embedding(5, 2)([1, -1]), IndexingError, "index -1 .*vocabulary.* of length 5; it must not be neg"),
        (lambda: nn.EmbeddingBag(5, 2)([[5]]), IndexingError, "embedding_bag: index 5 .*vocabulary.* of length 5"),
        (lambda: nn.Embedding(5, 2)([1.0]), DtypeError, "float64; integers"),
        (lambda: nn.Embedding(5, 2, padding_idx=5), IndexingError, "index 5 .*padding_idx"),
        (lambda: F.embedding([0], tg.ones(3)), ShapeError, r"weight \(3,\)"),
        (lambda: nn.Embedding(5, 2, _weight=tg.ones((2, 5))), ShapeError, r"_weight \(2, 5\)"),
        (lambda: nn.Embedding(-1, 2), ShapeError, "num_embeddings=-1"),
        (lambda: nn.Embedding.from_pretrained(tg.ones(3)), ShapeError, r"\(3,\)"),
        (lambda: nn.EmbeddingBag(5, 2, mode="prod"), ShapeError, "'prod'"),
        (lambda: nn.EmbeddingBag(5, 2)([1, 2]), ShapeError, "one row of numbers with offsets"),
        (lambda: nn.EmbeddingBag(5, 2)([[1, 2]], [0]), ShapeError, "offsets go with one row"),
        (lambda: nn.EmbeddingBag(5, 2)([1, 2], [1]), ShapeError, "run from 1 to 1"),
        (lambda: nn.EmbeddingBag(5, 2)([1, 2], [0, 3]), ShapeError, "run from 0 to 3"),
        (lambda: nn.EmbeddingBag(5, 2)([1, 2, 3], [0, 2, 1]), ShapeError, "do not fall"),
        (lambda: nn.EmbeddingBag(5, 2)([1, 2], [0.0]), DtypeError, "offsets have dtype float64"),
        (lambda: nn.EmbeddingBag(5, 2, include_last_offset=True)([1, 2], [0, 1]), ShapeError, "the last offset is 1"),
        (lambda: nn.EmbeddingBag(5, 2)([[1, 2]], None, tg.ones((1, 2))), ShapeError, "mode 'mean'"),
        (lambda: nn.EmbeddingBag(5, 2, mode="sum")([[1, 2]], None, tg.ones(2)), ShapeError, "shape of input"),
        (lambda: nn.EmbeddingBag(5, 2, mode="max", scale_grad_by_freq=True)([[1]]), ShapeError, "no meaning for maxima"),
    ],
)  # fmt: skip
def test_bad_input(call: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        call()
