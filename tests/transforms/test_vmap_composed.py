"""Batches beside, inside and outside of the other transformations, along any axes, in chunks, on whole models."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg
from tensorgrad import nn
from tests.laws.programs import N, Program, programs, share_of_examples

CLOSE = {"rtol": 1e-9, "atol": 1e-10}
generator = np.random.default_rng(6)
X = generator.normal(size=(5, 3))


def f(x: Any, w: Any) -> Any:
    return (tg.tanh(x * w) * x).sum() + x[0] ** 3 * w[1]


# ---- axes


@given(st.data())
def test_any_axes(data: Any) -> None:
    """A function of an array and a dict, with batch axes anywhere or nowhere, in and out, equals its loop."""
    axis = st.one_of(st.none(), st.integers(-3, 2))
    in_axes = (data.draw(axis), data.draw(st.one_of(axis, st.fixed_dictionaries({"a": axis, "b": axis}))))
    places = tuple(data.draw(st.integers(-3, 2)) for _ in range(2))
    chunk = data.draw(st.sampled_from([None, 1, 2, 3, 9]))
    spread = in_axes[1] if isinstance(in_axes[1], dict) else dict.fromkeys("ab", in_axes[1])
    axes = [in_axes[0], spread["a"], spread["b"]]
    if axes == [None] * 3:
        return
    size = data.draw(st.integers(0, 4))
    examples = generator.normal(size=(3, size, 2, 3))
    shared = generator.normal(size=(3, 2, 3))
    x, a, b = [
        shared[i] if axis is None else np.moveaxis(examples[i], 0, axis) for i, axis in enumerate(axes)
    ]

    def g(x: Any, p: Any) -> Any:
        return x @ p["a"].T + p["b"][0, 0], {"y": p["b"] * x.sum()}

    first, rest = tg.vmap(g, in_axes, (places[0], {"y": places[1]}), chunk_size=chunk)(x, {"a": a, "b": b})
    each = [
        g(*[p if isinstance(p, np.ndarray) else {"a": p[0], "b": p[1]} for p in (vs[0], vs[1:])])
        for k in range(size)
        for vs in [[shared[i] if axis is None else examples[i, k] for i, axis in enumerate(axes)]]
    ]
    for found, place, one in ((first, places[0], 0), (rest["y"], places[1], 1)):
        expected = np.array([e[0] if one == 0 else e[1]["y"] for e in each]).reshape(size, 2, (2, 3)[one])
        assert_allclose(found, np.moveaxis(expected, 0, place), **CLOSE)


def test_ways_to_write_it() -> None:
    @tg.vmap
    def total(x: Any) -> Any:
        """Of one row."""
        return x.sum()

    @tg.vmap(in_axes=1, out_axes=-1)
    def column(x: Any) -> Any:
        return x * 2

    assert_allclose(total(X), X.sum(1))
    assert total.__name__ == "total" and total.__doc__ == "Of one row."
    assert_array_equal(column(X), 2 * X)
    assert_allclose(functools.partial(tg.vmap, in_axes=1)(tg.sum)(X), X.sum(0))
    assert_array_equal(tg.vmap(tg.sin, in_axes=[np.int64(1)], out_axes=-1)(X), np.sin(X))
    assert_allclose(tg.vmap(lambda x, *, by: x @ by)(X, by=X[0]), X @ X[0])  # keywords are shared


MISUSES: dict[str, tuple[Any, str]] = {
    "a number": (lambda: tg.vmap(tg.multiply)(X, 2.0), r"argument \[1\] has shape \(\).*None in in_axes"),
    "a text": (lambda: tg.vmap(lambda x, how: x)(X, "sum"), r"argument \[1\].*None in in_axes"),
    "keywords only": (lambda: tg.vmap(lambda x: x)(x=X), "keywords are shared"),
    "axes of the dict itself": (lambda: tg.vmap(f, {"a": 0})({"a": X}), "an entry for each argument"),
    "no function": (lambda: tg.vmap(X), r"vmap\(f\)\(x\)"),
    "a truth value": (lambda: tg.vmap(f, True)(X, X), "in_axes is True"),
    "a place that is not there": (lambda: tg.vmap(tg.sum, 0, 1)(X), "out_axes is 1 for result 0"),
    "a place in a container": (lambda: tg.vmap(lambda x: {"y": x}, 0, {"y": 2})(X), r"result \['y'\]"),
    "another key": (lambda: tg.vmap(lambda x: {"y": x}, 0, {"z": 0})(X), "entries \\['y'\\]"),
}


@pytest.mark.parametrize("name", MISUSES)
def test_misuses(name: str) -> None:
    call, words = MISUSES[name]
    with pytest.raises(tg.TensorgradError, match=words):
        call()


@pytest.mark.parametrize("chunk", [1, 2, 5, 100])
def test_chunks(chunk: int) -> None:
    seen = []

    def g(x: Any, w: Any) -> Any:
        seen.append(x.batch.shape[0])
        return {"y": x * w, "same": w}, x.sum()

    w = tg.tensor(X[0], requires_grad=True)
    (first, total) = tg.vmap(g, (0, None), ({"y": 1, "same": None}, 0), chunk_size=chunk)(tg.tensor(X), w)
    assert_allclose(first["y"], (X * X[0]).T)
    assert_allclose(first["same"], X[0])
    assert_allclose(total, X.sum(1))
    assert sum(seen) == 5 and max(seen) == min(chunk, 5) and len(seen) == -(-5 // chunk)
    first["y"].sum().backward()
    assert_allclose(w.grad, X.sum(0))
    slopes = tg.vmap(tg.grad(f), (0, None), chunk_size=chunk)(X, X[0])
    assert_allclose(slopes, tg.vmap(tg.grad(f), (0, None))(X, X[0]), rtol=1e-14)


# ---- transformations of transformations


def loop(g: Any, *stacks: Any) -> Any:
    return np.stack([np.asarray(g(*row)) for row in zip(*stacks, strict=True)])


def directional(g: Any) -> Any:
    """The derivative along 1 of a function of ``(x, w)`` in ``x``."""
    return lambda x, w: tg.jvp(lambda x: g(x, w), (x,), (np.ones(3),))[1]


def gradient(g: Any) -> Any:
    return lambda x, w: (tg.grad(lambda x: g(x, w))(x) * np.arange(1.0, 4.0)).sum()


def batch(g: Any) -> Any:
    """The sum over a batch of multiples of ``x``."""
    return lambda x, w: tg.vmap(lambda s: g(s * x, w))(np.array([1.0, 0.5, -0.7])).sum()


def program(g: Any) -> Any:
    """The recorded program of ``g``."""
    return tg.trace(lambda x, w: g(x, w), tg.tensor(X[0]), tg.tensor(X[1]))


WAYS = {"vmap": batch, "grad": gradient, "jvp": directional}
DEEP = [way for way in itertools.product(WAYS, repeat=3) if "vmap" in way]


@pytest.mark.parametrize("way", DEEP, ids="-".join)
def test_three_deep(way: tuple[str, str, str]) -> None:
    """Batched over all of it: four levels, against a loop over the examples and over the inner batch."""
    outer, middle, inner = [WAYS[name] for name in way]
    g = outer(middle(inner(f)))
    ws = X[::-1].copy()
    expected = loop(lambda x, w: g(tg.tensor(x), tg.tensor(w)), X, ws)
    assert_allclose(tg.vmap(g)(X, ws), expected, **CLOSE)
    assert_allclose(tg.vmap(program(g))(X, ws), expected, **CLOSE)
    by_hand = functools.reduce(lambda g, name: UNBATCHED.get(name, WAYS[name])(g), way[::-1], f)
    assert_allclose(by_hand(tg.tensor(X[0]), tg.tensor(ws[0])), expected[0], **CLOSE)


UNBATCHED = {"vmap": lambda g: lambda x, w: sum([g(s * x, w) for s in (1.0, 0.5, -0.7)], start=0.0)}


def test_vmap_three_deep_makes_all_pairs() -> None:
    a, b, c = generator.normal(size=(2, 3)), generator.normal(size=(4, 3)), generator.normal(size=(5, 3))
    pairs = tg.vmap(lambda x: tg.vmap(lambda y: tg.vmap(lambda z: (x * y * z).sum())(c))(b))(a)
    assert_allclose(pairs, np.einsum("ai,bi,ci->abc", a, b, c))
    turned = tg.vmap(
        lambda x: tg.vmap(lambda y: tg.vmap(lambda z: (x * y * z).sum())(c), out_axes=1)(b), out_axes=-1
    )(a)
    assert_allclose(turned, np.einsum("ai,bi,ci->cba", a, b, c))


@given(programs())
@share_of_examples(4)
def test_random_programs_in_chunks_and_twice(one: Program) -> None:
    xs, ws = generator.normal(size=(3, N)), generator.normal(size=(3, N, N))
    expected = loop(lambda x, w: one(tg.tensor(x), tg.tensor(w)), xs, ws)
    assert_allclose(tg.vmap(one, (1, 2), chunk_size=2)(xs.T, np.moveaxis(ws, 0, 2)), expected, **CLOSE)
    assert_allclose(tg.vmap(tg.vmap(one), 1, 1)(xs[:, None], ws[:, None])[:, 0], expected, **CLOSE)


def test_custom_derivatives() -> None:
    @tg.custom_vjp
    def clipped(x: Any) -> Any:
        return x * 1

    clipped.defvjp(lambda x: (x * 1, x), lambda kept, g: (tg.clip(g, -1.0, 1.0) * tg.sign(kept),))
    slopes = tg.vmap(tg.grad(lambda x: (5 * clipped(x)).sum()))(X)
    assert_array_equal(slopes, np.sign(X))
    assert_array_equal(tg.grad(lambda x: tg.vmap(lambda r: (5 * clipped(r)).sum())(x).sum())(X), np.sign(X))


# ---- whole models


def test_gradients_of_each_example_of_a_model() -> None:
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, generator=rng), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5),
        nn.LayerNorm(8), nn.Linear(8, 3, generator=rng),
    ).eval()  # fmt: skip
    weights = dict(model.named_parameters())
    images = rng.normal(size=(4, 1, 6, 6)).astype(np.float32)
    labels = np.array([0, 2, 1, 1])

    def loss(weights: Any, image: Any, label: Any) -> Any:
        return nn.functional.cross_entropy(nn.functional_call(model, weights, image[None]), label[None])

    each = tg.vmap(tg.grad(loss), (None, 0, 0))(weights, tg.tensor(images), labels)
    for k in range(4):
        alone = tg.grad(loss)(weights, tg.tensor(images[k]), labels[k])
        for name, g in alone.items():
            assert_allclose(each[name][k], g, rtol=1e-4, atol=1e-6, err_msg=name)
    model.train()
    with pytest.raises(tg.TraceError, match="randomness"):
        tg.vmap(tg.grad(loss), (None, 0, 0))(weights, images, labels)
    each = tg.vmap(tg.grad(loss), (None, 0, 0), randomness="different")(weights, images, labels)
    assert all(g.shape == (4, *weights[name].shape) for name, g in each.items())


def test_an_ensemble_of_models() -> None:
    """One input, many weights: the model is mapped over its parameters."""
    models = [nn.Linear(3, 2, generator=np.random.default_rng(seed)) for seed in range(4)]
    stacked = {
        name: np.stack([dict(m.named_parameters())[name].numpy() for m in models])
        for name, _ in models[0].named_parameters()
    }
    x = X.astype(np.float32)
    y = tg.vmap(lambda weights: nn.functional_call(models[0], weights, tg.tensor(x)))(stacked)
    assert_allclose(y, np.stack([m(tg.tensor(x)).numpy() for m in models]), rtol=1e-5)
