"""Random tensors: reproducible, of the right law and dtype, and never from NumPy's global state."""

from __future__ import annotations

import asyncio
import contextvars

import numpy as np
import pytest

import tensorgrad as tg

DRAWS = {
    "rand": lambda **k: tg.rand(3, 2, **k),
    "randn": lambda **k: tg.randn(3, 2, **k),
    "uniform": lambda **k: tg.uniform(-1, 1, (3, 2), **k),
    "normal": lambda **k: tg.normal(5, 0.1, (3, 2), **k),
    "randint": lambda **k: tg.randint(0, 1000, (3, 2), **k),
    "permutation": lambda **k: tg.permutation(50, **k),
}
every_draw = pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)


@every_draw
def test_a_seed_reproduces_and_a_generator_overrides(draw):
    tg.manual_seed(3)
    a, b = draw(), draw()
    tg.manual_seed(3)
    assert draw().tolist() == a.tolist() != b.tolist()
    made = draw(generator=np.random.default_rng(3))
    assert made.tolist() == a.tolist()
    state = tg.default_generator().bit_generator.state
    draw(generator=np.random.default_rng(9))
    assert tg.default_generator().bit_generator.state == state
    assert type(a) is tg.Tensor and not a.requires_grad and a.is_leaf


@every_draw
def test_numpys_global_state_is_not_touched_and_does_not_matter(draw):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    tg.manual_seed(1)
    first = draw().tolist()
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    tg.manual_seed(1)
    assert draw().tolist() == first


def test_manual_seed_returns_the_generator_and_its_state_can_be_restored():
    generator = tg.manual_seed(7)
    assert generator is tg.default_generator() and isinstance(generator, np.random.Generator)
    state = generator.bit_generator.state
    a = tg.randn(5)
    generator.bit_generator.state = state
    assert tg.randn(5).tolist() == a.tolist()


def test_shapes():
    for shape, wanted in (
        ((((),)), ()),
        ((((2, 3),)), (2, 3)),
        ((2, 3), (2, 3)),
        ((4,), (4,)),
        ((0,), (0,)),
        (([2, 1],), (2, 1)),
    ):
        assert tg.rand(*shape).shape == tg.randn(*shape).shape == wanted
    assert tg.randn().shape == tg.uniform().shape == tg.normal().shape == tg.randint(0, 5).shape == ()
    assert tg.randn(np.int64(2), np.int64(3)).shape == tg.randn(np.array([2, 3])).shape == (2, 3)
    assert tg.permutation(0).shape == (0,) and sorted(tg.permutation(6).tolist()) == list(range(6))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_draws_keep_dtype_and_range(dtype):
    tg.manual_seed(0)
    u, n = tg.rand(20_000, dtype=dtype).numpy(), tg.randn(20_000, dtype=dtype).numpy()
    assert u.dtype == n.dtype == np.dtype(dtype)
    assert u.min() >= 0 and u.max() < 1 and abs(u.astype(float).mean() - 0.5) < 0.01
    assert abs(n.astype(float).mean()) < 0.03 and abs(n.astype(float).std() - 1) < 0.03
    high = tg.uniform(0, 1e-3, (20_000,), dtype=dtype).numpy()
    assert high.max() < np.dtype(dtype).type(1e-3)
    assert tg.uniform(2, 2, (3,), dtype=dtype).tolist() == [2, 2, 2]
    assert tg.normal(3, 0, (2,), dtype=dtype).tolist() == [3, 3]


def test_integers_cover_the_range_evenly():
    found = np.bincount(tg.randint(-2, 3, (10_000,)).numpy() + 2, minlength=5)
    assert len(found) == 5 and found.min() > 1800
    assert tg.randint(0, 5, (3,)).dtype == np.int64


def test_requires_grad_and_default_dtype():
    x = tg.randn(3, requires_grad=True)
    (x * 2).sum().backward()
    assert x.is_leaf and x.grad.tolist() == [2, 2, 2] and x.dtype == np.float32
    assert (
        tg.rand(2, requires_grad=True).requires_grad
        and tg.normal(0, 1, (2,), requires_grad=True).requires_grad
    )


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        (lambda: tg.randn(-1), "randn|normal"),
        (lambda: tg.rand((2, -1)), "rand|uniform"),
        (lambda: tg.rand("a"), "rand|uniform|shape"),
        (lambda: tg.rand(2.5), "rand|uniform|shape"),
        (lambda: tg.randn(2, dtype=int), "int64"),
        (lambda: tg.randn(2, dtype=complex), "complex"),
        (lambda: tg.randn(2, generator=5), "generator"),
        (lambda: tg.randn(2, generator=np.random), "generator"),
        (lambda: tg.randint(3, 3), "randint"),
        (lambda: tg.normal(0, -1, (2,)), "normal"),
        (lambda: tg.uniform(2, 1), "uniform"),
        (lambda: tg.uniform(float("nan"), 1), "uniform"),
        (lambda: tg.permutation(-1), "permutation"),
        (lambda: tg.manual_seed(-1), "seed"),
        (lambda: tg.manual_seed("a"), "seed"),
        (lambda: tg.manual_seed(1.5), "seed"),
    ],
)
def test_bad_calls_are_errors_of_ours_and_draw_nothing(bad, match):
    state = tg.default_generator().bit_generator.state
    with pytest.raises(tg.TensorgradError, match=match):
        bad()
    assert tg.default_generator().bit_generator.state == state


def test_contexts_have_generators_of_their_own():
    tg.manual_seed(5)
    mine = tg.default_generator()

    def inside():
        tg.manual_seed(5)
        return tg.randn(2).tolist()

    assert contextvars.copy_context().run(inside) == contextvars.Context().run(inside)
    assert tg.default_generator() is mine

    async def draws(seed):
        tg.manual_seed(seed)
        out = []
        for _ in range(3):
            out.append(tg.randn(1).item())
            await asyncio.sleep(0)
        return out

    async def both():
        return await asyncio.gather(draws(1), draws(2), draws(1))

    a, b, c = asyncio.run(both())
    assert a == c != b


def test_a_traced_draw_draws_again():
    graph = tg.trace(lambda x: x + tg.randn(3), tg.zeros(3))
    a, b = tg.ir.replay(graph, tg.zeros(3)), tg.ir.replay(graph, tg.zeros(3))
    assert np.asarray(a).tolist() != np.asarray(b).tolist()
