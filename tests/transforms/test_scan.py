"""`tg.scan`: the loop, its gradient bit by bit, and the memory of a few of its states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tests.transforms.saved import saved_bytes

RNG = np.random.default_rng(0)
SIZES = [None, 1, 3, 7, 20, "auto"]


class State(NamedTuple):
    h: Any
    count: Any


def cell(w: Any, u: Any, carry: Any, x: Any) -> Any:
    h = tg.tanh(w * carry.h + u * x["a"] * x["b"])
    return State(h, carry.count + 1), {"h": [h, h.sum()], "nothing": None}


def steps(n: int) -> Any:
    return {"a": RNG.standard_normal((n, 3)), "b": RNG.standard_normal(n)}


def by_loop(f: Any, init: Any, xs: Any, reverse: bool) -> Any:
    carry, ys = init, [None] * len(xs["b"])
    for t in reversed(range(len(ys))) if reverse else range(len(ys)):
        carry, ys[t] = f(carry, {"a": xs["a"][t], "b": xs["b"][t]})
    return carry, {
        "h": [tg.stack([y["h"][0] for y in ys]), tg.stack([y["h"][1] for y in ys])],
        "nothing": None,
    }


def outcome(way: Callable[..., Any], reverse: bool, n: int = 7) -> list[Any]:
    global RNG
    RNG = np.random.default_rng(1)
    w, u, h = [tg.tensor(RNG.standard_normal(3), requires_grad=True) for _ in range(3)]
    xs = {key: tg.tensor(value, requires_grad=True) for key, value in steps(n).items()}
    carry, ys = way(lambda c, x: cell(w, u, c, x), State(h, np.int64(0)), xs, reverse)
    assert type(carry) is State and carry.count == n and ys["nothing"] is None
    ((carry.h * ys["h"][0] ** 2).sum() + (ys["h"][1] ** 3).sum()).backward()
    return [carry.h.numpy(), ys["h"][0].numpy(), *[one.grad.numpy() for one in (w, u, h, *xs.values())]]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("reverse", [False, True], ids=["forth", "back"])
def test_the_loop_and_its_gradient(size: Any, reverse: bool) -> None:
    def scan(f: Any, init: Any, xs: Any, reverse: bool) -> Any:
        return tg.scan(f, init, xs, reverse=reverse, checkpoint=size)

    for a, b in zip(outcome(scan, reverse), outcome(by_loop, reverse), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    for a, b in zip(outcome(scan, reverse, 18), outcome(by_loop, reverse, 18), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_parameters_have_the_same_gradient_bit_by_bit() -> None:
    found = []
    for size in (None, 4, "auto"):
        w = tg.tensor(np.eye(3) * 0.5, requires_grad=True)
        xs = np.linspace(0, 1, 60).reshape(20, 3)
        tg.scan(lambda h, x, w=w: (tg.tanh(h @ w + x), None), np.zeros(3), xs, checkpoint=size)[
            0
        ].sum().backward()
        found.append(w.grad.numpy())
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_memory_grows_with_the_square_root() -> None:
    def kept(n: int, size: Any) -> int:
        w = tg.tensor(np.eye(32), requires_grad=True)
        h, _ = tg.scan(lambda h, _: (tg.tanh(h @ w), None), np.zeros((8, 32)), None, n, checkpoint=size)
        assert (size is None) == (len(str(tg.graph(h)).splitlines()) > n)
        return saved_bytes(h) - w.numpy().nbytes

    state = 8 * 32 * 8
    assert kept(100, None) == 100 * state + state
    assert kept(100, "auto") <= 10 * state
    assert kept(400, "auto") <= 20 * state
    assert kept(100, 25) <= 4 * state


# ---- what people write first


def test_arrays_in_arrays_out() -> None:
    carry, ys = tg.scan(lambda c, x: (c + x, c), 0.0, np.array([1.0, 2.0, 3.0]))
    assert type(carry) is np.float64 and type(ys) is np.ndarray
    np.testing.assert_array_equal(ys, [0.0, 1.0, 3.0])
    assert carry == 6.0


def test_numbers_take_the_dtype_of_what_they_are_scanned_with() -> None:
    carry, ys = tg.scan(lambda c, x: (c * 0.5 + x, 1.0), 0.0, tg.ones(3))
    assert carry.dtype == np.float32 and ys.shape == (3,)
    assert tg.scan(lambda c, x: (c + 1, c), 0, length=3)[1].tolist() == [0, 1, 2]
    assert tg.scan(lambda c, x: (c * 1j, c), 1j, length=3)[0] == 1


def test_without_xs() -> None:
    w = tg.tensor(2.0, dtype=float, requires_grad=True)
    carry, ys = tg.scan(lambda c, x: (c * w, None), np.float64(1.0), length=20)
    assert ys is None
    carry.backward()
    assert float(w.grad) == 20 * 2.0**19


@pytest.mark.parametrize("size", [None, "auto"], ids=str)
def test_no_steps(size: Any) -> None:
    state = tg.zeros(())

    def step(c: Any, x: Any) -> Any:
        state.__iadd__(1.0)
        return c * x["a"].sum(), {"y": c + x["b"] * tg.ones(2, dtype=float), "n": None}

    xs = {"a": np.ones((0, 3)), "b": tg.ones(0, dtype=float)}
    carry, ys = tg.scan(step, 1.5, xs, checkpoint=size)
    assert carry == 1.5 and ys["y"].shape == (0, 2) and ys["n"] is None and float(state) == 0
    assert tg.scan(lambda c, x: (c, c), np.ones(2), None, 0)[1].shape == (0, 2)


def test_a_recurrent_layer() -> None:
    tg.manual_seed(0)
    layer = nn.GRUCell(3, 4)
    xs = tg.randn(20, 2, 3)
    grads = []
    for size in (None, "auto"):
        layer.zero_grad()
        _, ys = tg.scan(lambda h, x: (layer(x, h),) * 2, tg.zeros((2, 4)), xs, checkpoint=size)
        (ys**2).sum().backward()
        grads.append([p.grad.numpy() for p in layer.parameters()])
    for a, b in zip(*grads, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_dropout_inside_is_drawn_again() -> None:
    found = []
    for size in (None, 3, "auto"):
        tg.manual_seed(0)
        w = tg.tensor(np.ones(5), requires_grad=True)
        h, _ = tg.scan(
            lambda h, x, w=w: (nn.functional.dropout(tg.sin(h * w), 0.5), None),
            np.ones(5),
            length=20,
            checkpoint=size,
        )
        h.sum().backward()
        found.append((w.grad.numpy(), tg.rand(1).numpy()))
    for a, b in found[1:]:
        np.testing.assert_array_equal(a, found[0][0])
        np.testing.assert_array_equal(b, found[0][1])


# ---- with the transformations


def loss(size: Any) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        h, ys = tg.scan(lambda h, t: (tg.sin(h * x + t), h.sum()), x, np.linspace(0, 1, 18), checkpoint=size)
        return (h * h).sum() + (ys**2).sum()

    return f


X, V = np.array([0.3, -0.7]), np.array([1.0, 2.0])
WAYS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda f: tg.grad(f)(X),
    "jvp": lambda f: tg.jvp(f, (X,), (V,))[1],
    "vmap": lambda f: tg.vmap(f)(np.stack([X, V])),
    "vmap of grad": lambda f: tg.vmap(tg.grad(f))(np.stack([X, V])),
    "grad of vmap": lambda f: tg.grad(lambda xs: tg.vmap(f)(xs).sum())(np.stack([X, V])),
    "jvp of grad": lambda f: tg.jvp(tg.grad(f), (X,), (V,))[1],
    "grad of jvp": lambda f: tg.grad(lambda x: tg.jvp(f, (x,), (V,))[1])(X),
    "grad of grad": lambda f: tg.grad(lambda x: (tg.grad(f)(x) * V).sum())(X),
    "trace": lambda f: tg.trace(tg.grad(f), X)(X),
    "no_grad": lambda f: tg.no_grad()(f)(tg.tensor(X, requires_grad=True)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [5, "auto"], ids=str)
def test_under_transformations(way: str, size: Any) -> None:
    np.testing.assert_allclose(
        np.asarray(WAYS[way](loss(size))), np.asarray(WAYS[way](loss(None))), rtol=1e-11
    )


def test_batches_of_steps_and_states() -> None:
    xs = RNG.standard_normal((4, 20, 3))
    run = lambda xs: tg.scan(lambda h, x: (tg.tanh(h + x), h), np.zeros(3), xs)[1].sum()
    np.testing.assert_allclose(tg.vmap(run)(xs), [run(one) for one in xs])
    np.testing.assert_allclose(tg.vmap(tg.grad(run))(xs), np.stack([tg.grad(run)(one) for one in xs]))


# ---- what is refused


ONES = np.ones(3)
WRONG: dict[str, tuple[Callable[[], Any], Any, str]] = {
    "shape": (
        lambda: tg.scan(lambda c, x: ({"h": [c["h"][0][:1]]}, x), {"h": [ONES]}, ONES),
        tg.ShapeError,
        r"carry\['h'\]\[0\] of shape \(1,\), and it was \(3,\) before",
    ),
    "dtype": (
        lambda: tg.scan(lambda c, x: (c + x, c), 0, ONES),
        tg.DtypeError,
        r"carry of dtype float64, and it was int64 before; begin with init of dtype float64",
    ),
    "structure": (
        lambda: tg.scan(lambda c, x: ((c[0],), x), (ONES, ONES), ONES),
        tg.ShapeError,
        r"a carry with a tuple of \['\[0\]'\], and init has a tuple of \['\[0\]', '\[1\]'\]",
    ),
    "no pair": (lambda: tg.scan(lambda c, x: c, 0.0, ONES), tg.ShapeError, r"a pair is needed, \(carry, y\)"),
    "no array": (
        lambda: tg.scan(lambda c, x: ("h", None), 0.0, ONES),
        tg.DtypeError,
        "returned a str as carry",
    ),
    "init": (lambda: tg.scan(lambda c, x: (c, x), {"h": "h"}, ONES), tg.DtypeError, r"init\['h'\] is a str"),
    "lengths": (
        lambda: tg.scan(lambda c, x: (c, x), 0.0, {"a": ONES, "b": np.ones(4)}),
        tg.ShapeError,
        r"3 by xs\['a'\], 4 by xs\['b'\]; all must agree",
    ),
    "length": (lambda: tg.scan(lambda c, x: (c, x), 0.0, ONES, 4), tg.ShapeError, "4 by length, 3 by xs"),
    "no length": (lambda: tg.scan(lambda c, x: (c, x), 0.0), tg.ShapeError, "without xs give length"),
    "negative": (lambda: tg.scan(lambda c, x: (c, x), 0.0, length=-1), tg.ShapeError, "length is -1"),
    "no axis": (
        lambda: tg.scan(lambda c, x: (c, x), 0.0, [ONES, 2.0]),
        tg.ShapeError,
        r"xs\[1\] has no axis",
    ),
    "function": (lambda: tg.scan(0.0, None, ONES), tg.GradientError, "the step comes first"),
    "segment": (
        lambda: tg.scan(lambda c, x: (c, x), 0.0, ONES, checkpoint=0),
        tg.ShapeError,
        "checkpoint is 0",
    ),
    "kept structure": (
        lambda: tg.scan(lambda c, x: (c + 1, c if c < 1 else (c,)), 0, ONES),
        tg.ShapeError,
        "all steps must return the same structure",
    ),
    "kept shape": (
        lambda: tg.scan(lambda c, x: (c + 1, np.ones(int(c))), 0, ONES),
        tg.ShapeError,
        "what the steps returned to keep cannot be joined",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_refused(what: str) -> None:
    call, error, text = WRONG[what]
    with pytest.raises(error, match=f"scan: .*{text}"):
        call()


def test_a_parameter_changed_in_between_is_noticed() -> None:
    w = tg.tensor(V, requires_grad=True)
    h, _ = tg.scan(lambda h, x: (tg.sin(h * w), None), X, length=20)
    with tg.no_grad():
        w -= 0.1
    with pytest.raises(tg.MutatedError):
        h.sum().backward()
