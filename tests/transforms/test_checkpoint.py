"""`tg.checkpoint`: the same gradients, bit by bit, from a tape that keeps only what went in."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad._tape import collect
from tests.transforms.saved import saved_bytes

RNG = np.random.default_rng(0)
X, V = RNG.standard_normal((6, 4)), RNG.standard_normal((6, 4))
plain: Callable[..., Any] = lambda f: f


@dataclass
class Pair:
    first: Any
    second: Any


def mlp(wrap: Any, x: Any) -> Any:
    model = nn.Sequential(nn.Linear(4, 5, dtype=float), nn.Tanh(), nn.Linear(5, 2, dtype=float))
    return wrap(model)(x), list(model.parameters())


def noisy(wrap: Any, x: Any) -> Any:
    model = nn.Sequential(nn.Linear(4, 5, dtype=float), nn.BatchNorm1d(5, dtype=float), nn.Dropout(0.5))
    y = wrap(model)(x) + wrap(lambda v: v * tg.rand(5, dtype=float))(x[:, :1])
    return y, [*model.parameters(), *model.buffers(), tg.rand(3)]


def own_generator(wrap: Any, x: Any) -> Any:
    source = np.random.default_rng(3)
    y = wrap(lambda v: nn.functional.dropout(v, 0.5, generator=source))(x)
    return y, [tg.tensor(source.random(2))]


def given_generator(wrap: Any, x: Any) -> Any:
    source = np.random.default_rng(3)
    return wrap(lambda v, draw: v * draw.random(4))(x, source), [tg.tensor(source.random(2))]


def containers(wrap: Any, x: Any) -> Any:
    w = tg.tensor(V[0], requires_grad=True)

    def f(parts: Any, *, scale: float, pair: Pair) -> Any:
        h = tg.sin(parts["x"] * w) * scale
        return {"h": [h, None, pair.first * h], "same": parts["x"], "text": "text"}

    found = wrap(f)({"x": x, "n": 3}, scale=2.0, pair=Pair(x * 2, "second"))
    assert found["text"] == "text" and found["h"][1] is None
    return found["h"][0] * found["h"][2] + found["same"], [w]


def unused_results(wrap: Any, x: Any) -> Any:
    a, _, c = wrap(lambda v: (tg.sin(v), v * 2, tg.split(v, 2, axis=1)))(x)
    return tg.concat([a, c[1]], axis=1), []


def nested(wrap: Any, x: Any) -> Any:
    w = tg.tensor(V[1], requires_grad=True)
    inner = wrap(lambda v: tg.exp(tg.sin(v * w)) * tg.rand(4, dtype=float))
    outer = wrap(lambda v: inner(inner(v) + tg.rand(4, dtype=float)) * w)
    return outer(outer(x)), [w, tg.rand(2)]


def captured_results(wrap: Any, x: Any) -> Any:
    w = tg.tensor(V[2], requires_grad=True)
    h = tg.sin(w) * x
    return wrap(lambda: h * tg.exp(h * w))(), [w]


def used_again(wrap: Any, x: Any) -> Any:
    w = tg.tensor(V[3], requires_grad=True)
    for _ in range(3):
        x = wrap(lambda v: tg.tanh(v * w) * w + w)(x) * w
    return x, [w]


def writes_inside(wrap: Any, x: Any) -> Any:
    def f(v: Any) -> Any:
        out = tg.zeros((6, 4), dtype=float)
        out[:, 0] = v[:, 1]
        out[:, 1:] = tg.sin(v[:, 1:])
        out *= v
        return out

    return wrap(f)(x), []


def writes_outside(wrap: Any, x: Any) -> Any:
    state, seen = tg.tensor(V[4]), tg.zeros((), dtype=np.int64)

    def f(v: Any) -> Any:
        y = v * state
        state.__iadd__(1.0)
        seen.__iadd__(1)
        return y * state

    return wrap(f)(wrap(f)(x)), [state, seen]


def writes_to_argument(wrap: Any, x: Any) -> Any:
    h = x * 2

    def f(v: Any) -> Any:
        v *= v
        v[0] = 1.0
        return tg.sin(v)

    return wrap(f)(h) + h, []


def backward_inside(wrap: Any, x: Any) -> Any:
    w = tg.tensor(V[5], requires_grad=True)

    def f(v: Any) -> Any:
        (w * w).sum().backward()
        return v * w

    return wrap(f)(x), [w]


def gradient_inside(wrap: Any, x: Any) -> Any:
    w = tg.tensor(V[5], requires_grad=True)
    return wrap(tg.grad(lambda v: (tg.sin(v * w) ** 2).sum()))(x), [w]


def gradient_of_captured(wrap: Any, x: Any) -> Any:
    h = tg.sin(x)
    return wrap(lambda: tg.grad(lambda u: (tg.sin(u * h) ** 2).sum())(V))(), []


def tangent_inside(wrap: Any, x: Any) -> Any:
    w = tg.tensor(V[5], requires_grad=True)
    return wrap(lambda v: tg.jvp(lambda u: tg.sin(u * w), (v,), (v * v,))[1])(x), [w]


def batch_inside(wrap: Any, x: Any) -> Any:
    w = tg.tensor(V[5], requires_grad=True)
    return wrap(tg.vmap(lambda row: tg.sin(row * w).sum()))(x), [w]


def forgotten(wrap: Any, x: Any) -> Any:
    return wrap(lambda v: (tg.stop_gradient(tg.exp(v)), v.detach() * 2, np.sin(v.numpy())))(x)[1] * x, []


PROGRAMS = [
    mlp, noisy, own_generator, given_generator, containers, unused_results, nested, captured_results, used_again,
    writes_inside, writes_outside, backward_inside, gradient_inside, tangent_inside,
    batch_inside, gradient_of_captured, forgotten,
]  # fmt: skip


def outcome(program: Any, wrap: Any) -> list[Any]:
    tg.manual_seed(7)
    x = tg.tensor(X, requires_grad=True)
    y, others = program(wrap, x)
    y.backward(V[:, : y.shape[1]] if y.ndim == 2 and y.shape[1] < 5 else np.ones(y.shape))
    return [
        y.numpy(),
        x.grad.numpy(),
        *[o.numpy() for o in others],
        *[o.grad.numpy() for o in others if o.grad is not None],
    ]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.__name__)
def test_everything_is_the_same_bit_by_bit(program: Any) -> None:
    kept, computed_again = outcome(program, plain), outcome(program, tg.checkpoint)
    assert len(kept) == len(computed_again)
    for a, b in zip(kept, computed_again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_writes_to_an_argument_reach_the_caller() -> None:
    for a, b in zip(
        outcome(writes_to_argument, plain), outcome(writes_to_argument, tg.checkpoint), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-14)


def under_grad(program: Any, wrap: Any) -> Any:
    tg.manual_seed(7)
    return tg.grad(lambda x: (program(wrap, x)[0] ** 2).sum())(X)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.__name__)
def test_under_grad_everything_is_the_same(program: Any) -> None:
    """Its variables are closed when the functions run again."""
    np.testing.assert_array_equal(under_grad(program, plain), under_grad(program, tg.checkpoint))


def twice_under_grad(program: Any, wrap: Any) -> Any:
    return tg.grad(lambda s: (under_grad(lambda wrap, x: program(wrap, s * x), wrap) ** 2).sum())(0.7)


@pytest.mark.parametrize(
    "program", [one for one in PROGRAMS if one.__name__ != "forgotten"], ids=lambda one: one.__name__
)
def test_second_derivatives_of_everything(program: Any) -> None:
    kept, computed_again = twice_under_grad(program, plain), twice_under_grad(program, tg.checkpoint)
    np.testing.assert_allclose(computed_again.numpy(), kept.numpy(), rtol=1e-10)


@pytest.mark.parametrize("program", PROGRAMS[:4] + PROGRAMS[6:8], ids=lambda one: one.__name__)
def test_twice_with_retain_graph(program: Any) -> None:
    def twice(wrap: Any) -> Any:
        tg.manual_seed(7)
        x = tg.tensor(X, requires_grad=True)
        y = program(wrap, x)[0]
        y.sum().backward(retain_graph=True)
        once = x.grad.numpy()
        y.sum().backward()
        return once, x.grad.numpy()

    (a, aa), (b, bb) = twice(plain), twice(tg.checkpoint)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(aa, bb)


# ---- with the transformations


W = tg.tensor(RNG.standard_normal(4), requires_grad=True)


def f(x: Any) -> Any:
    return (tg.sin(W * x) * tg.exp(0.3 * x)).sum()


c = tg.checkpoint(f)
WAYS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda f: tg.grad(f)(X[0]),
    "value_and_grad": lambda f: tg.value_and_grad(f)(X[0])[1],
    "grad of grad": lambda f: tg.grad(lambda x: (tg.grad(f)(x) ** 2).sum())(X[0]),
    "third": lambda f: tg.grad(lambda x: tg.grad(lambda x: (tg.grad(f)(x) ** 2).sum())(x).sum())(X[0]),
    "jvp": lambda f: tg.jvp(f, (X[0],), (V[0],))[1],
    "jvp of grad": lambda f: tg.jvp(tg.grad(f), (X[0],), (V[0],))[1],
    "grad of jvp": lambda f: tg.grad(lambda x: tg.jvp(f, (x,), (V[0],))[1])(X[0]),
    "jvp of jvp": lambda f: tg.jvp(lambda x: tg.jvp(f, (x,), (V[0],))[1], (X[0],), (V[1],))[1],
    "vmap": lambda f: tg.vmap(f)(X),
    "vmap of grad": lambda f: tg.vmap(tg.grad(f))(X),
    "vmap of vmap of grad": lambda f: tg.vmap(tg.vmap(tg.grad(f)))(X.reshape(2, 3, 4)),
    "grad of vmap": lambda f: tg.grad(lambda xs: (tg.vmap(f)(xs) ** 2).sum())(X),
    "hessians": lambda f: tg.vmap(lambda x: tg.vmap(lambda v: tg.jvp(tg.grad(f), (x,), (v,))[1])(np.eye(4)))(X),
    "grad over a captured parameter": lambda f: tg.autograd.grad(f(tg.tensor(X[0])), W)[0],
    "second order over a captured parameter": lambda f: tg.autograd.grad(
        (tg.autograd.grad(f(tg.tensor(X[0])), W, create_graph=True)[0] ** 2).sum(), W
    )[0],
    "grad over per-example gradients": lambda f: tg.grad(lambda s: (tg.vmap(tg.grad(f))(s * X) ** 2).sum())(1.5),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("inner", ["one", "nested"])
def test_under_transformations(way: str, inner: str) -> None:
    g = c if inner == "one" else tg.checkpoint(lambda x: tg.checkpoint(c)(x) * 1.0)
    np.testing.assert_allclose(np.asarray(WAYS[way](g)), np.asarray(WAYS[way](f)), rtol=1e-13, atol=1e-13)


def test_a_variable_of_an_outer_transformation_is_captured() -> None:
    def loss(g: Any, x: Any) -> Any:
        return tg.grad(lambda w: g(lambda x: tg.sin(w * x).sum())(x))(np.ones(4))

    for way in (
        lambda g: tg.vmap(lambda x: loss(g, x))(X),
        lambda g: tg.jvp(lambda x: loss(g, x), (X[0],), (V[0],))[1],
    ):
        np.testing.assert_allclose(way(tg.checkpoint), way(plain), rtol=1e-14)


# ---- memory


def chain(x: Any) -> Any:
    for _ in range(10):
        x = tg.sin(x) * tg.exp(0.1 * x)
    return x


def test_only_the_input_is_kept() -> None:
    x = tg.tensor(np.ones(1000), requires_grad=True)
    kept, cut = chain(x), tg.checkpoint(chain)(x)
    assert saved_bytes(kept) > 20 * 8000
    assert saved_bytes(cut) == 8000
    cut.sum().backward()
    assert saved_bytes(cut) == 0


def test_of_blocks_the_inputs_are_kept() -> None:
    y = tg.tensor(np.ones(1000), requires_grad=True)
    for _ in range(5):
        y = tg.checkpoint(chain)(y)
    assert saved_bytes(y) == 5 * 8000


def test_per_example_gradients_forget_too() -> None:
    most: list[int] = []

    def loss(wrap: Any, x: Any) -> Any:
        y = wrap(chain)(x)
        most.append(saved_bytes(y))
        return y.sum()

    for wrap in (plain, tg.checkpoint):
        tg.vmap(tg.grad(lambda x, wrap=wrap: loss(wrap, x)))(np.ones((3, 100)))
    assert most[1] * 15 < most[0]


def test_without_a_tape_there_is_no_node() -> None:
    with tg.no_grad():
        assert not tg.checkpoint(f)(tg.tensor(X[0])).requires_grad
    assert type(tg.checkpoint(np.sin)(X)) is np.ndarray
    x = tg.tensor(X[0], requires_grad=True)
    assert tg.checkpoint(lambda v: v)(x) is x


# ---- what changed in between


def leaf_changed() -> Any:
    w = tg.tensor(V[0], requires_grad=True)
    y = tg.checkpoint(lambda: (w * w).sum())()
    with tg.no_grad():
        w += 1
    return y


def argument_changed() -> Any:
    w = tg.tensor(V[0], requires_grad=True)
    y = tg.checkpoint(lambda w: (w * w).sum())(w)
    with tg.no_grad():
        w[0] = 1
    return y


def buffer_changed() -> Any:
    w, buffer = tg.tensor(V[0], requires_grad=True), tg.tensor(X[0])
    y = tg.checkpoint(lambda: (w * buffer).sum())()
    buffer[1] += 1e-6
    return y


def array_changed() -> Any:
    w, array = tg.tensor(V[0], requires_grad=True), X[0].copy()
    y = tg.checkpoint(lambda: w * array)()
    array[2] = 0
    return y.sum()


def setting_changed() -> Any:
    w, dropout = tg.tensor(np.ones(100), requires_grad=True), nn.Dropout(0.5)
    y = tg.checkpoint(dropout)(w)
    dropout.eval()
    return y.sum()


def drawn_elsewhere() -> Any:
    w, source = tg.tensor(V[0], requires_grad=True), np.random.default_rng(0)
    return tg.checkpoint(lambda: (w * source.random(4)).sum())()


def changed_under_transformations() -> Any:
    scale = [1.0]

    def g(x: Any) -> Any:
        y = tg.checkpoint(lambda v: tg.sin(v * scale[0]).sum())(x)
        scale[0] = 2.0
        return y

    return tg.vmap(tg.grad(g))(X)


def other_structure() -> Any:
    w, many = tg.tensor(V[0], requires_grad=True), [1]
    y = tg.checkpoint(lambda: [w * 2 for _ in many])()
    many.append(2)
    return y[0].sum()


CHANGES = [
    leaf_changed, argument_changed, buffer_changed, array_changed, setting_changed, drawn_elsewhere, other_structure,
    changed_under_transformations,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)
def test_a_change_in_between_is_noticed(change: Any) -> None:
    with pytest.raises(tg.MutatedError, match="checkpoint"):
        change().backward()


def test_what_is_passed_may_be_changed_afterwards() -> None:
    w, array, t = tg.tensor(V[0], requires_grad=True), X[0].copy(), tg.tensor(X[1])
    h = w * 2
    y = tg.checkpoint(lambda a, b, h: w * a * b * h)(array, t, h).sum()
    array[...] = 0
    t[...] = 0
    h += 1
    y.backward()
    np.testing.assert_allclose(w.grad.numpy(), 4 * V[0] * X[0] * X[1])


def test_results_of_all_kinds_are_compared() -> None:
    w = tg.tensor(V[0] + 1j, requires_grad=True)
    y, h, empty, infinite = tg.checkpoint(
        lambda: (
            w * w,
            tg.real(w).astype("float16"),
            w[:0],
            tg.concat([tg.real(w), tg.tensor([np.inf, np.nan], dtype=float)]),
        )
    )()
    (tg.real(y).sum() + h.sum().astype(float) + tg.real(empty).sum() + infinite[0]).backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * np.conj(V[0] + 1j) + [2, 1, 1, 1], rtol=1e-3)


def test_gradients_of_leaves_are_arrays_of_their_own() -> None:
    a, b = tg.tensor(V[0], requires_grad=True), tg.tensor(V[1], requires_grad=True)
    y = tg.checkpoint(lambda: a + b)()
    y.backward(np.ones(4), retain_graph=True)
    y.backward(np.ones(4))
    np.testing.assert_array_equal([a.grad.numpy(), b.grad.numpy()], np.full((2, 4), 2.0))


def test_parameters_written_inside_are_not_stale_afterwards() -> None:
    w = tg.tensor(V[0], requires_grad=True)

    def g() -> Any:
        with tg.no_grad():
            w.__iadd__(1.0)
        return w * w

    y = tg.checkpoint(g)() + w * w
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), 8 * (V[0] + 1))


def test_an_error_in_the_second_run_leaves_everything_in_place() -> None:
    w, state, wrong = tg.tensor(V[0], requires_grad=True), tg.zeros(()), []

    def g() -> Any:
        state.__iadd__(1.0)
        if wrong:
            raise ValueError("wrong")
        return (w * tg.rand(4, dtype=float)).sum()

    tg.manual_seed(0)
    y = tg.checkpoint(g)()
    wrong.append(1)
    with pytest.raises(ValueError, match="wrong"):
        y.backward()
    drawn = tg.rand(2).numpy()
    tg.manual_seed(0)
    tg.rand(4, dtype=float)
    np.testing.assert_array_equal(drawn, tg.rand(2).numpy())
    assert float(state) == 1 and w.grad is None


# ---- hooks, and those who look


def test_hooks_run_once() -> None:
    w, x = tg.tensor(V[0], requires_grad=True), tg.tensor(X[0], requires_grad=True)
    seen: list[str] = []
    w.register_hook(lambda g: seen.append("w"))

    def g(x: Any) -> Any:
        x.register_hook(lambda g: seen.append("x") or g * 2)
        h = tg.sin(x * w)
        h.register_hook(lambda g: seen.append("h") or g * 3)
        return h

    y = tg.checkpoint(g)(x)
    y.register_hook(lambda g: seen.append("y"))
    y.sum().backward()
    assert seen == ["y", "h", "x", "w"] or seen == ["y", "h", "w", "x"]
    np.testing.assert_allclose(x.grad.numpy(), 6 * V[0] * np.cos(X[0] * V[0]))


def test_the_context_of_the_call_is_that_of_the_second_run() -> None:
    setting = contextvars.ContextVar("setting", default=1.0)
    w = tg.tensor(V[0], requires_grad=True)
    token = setting.set(3.0)
    y = tg.checkpoint(lambda: (w * setting.get() * tg.tensor(1.0, dtype=float)).sum())()
    setting.reset(token)
    y.backward()
    np.testing.assert_allclose(w.grad.numpy(), 3.0)


def test_traced_and_recorded_nothing_is_forgotten() -> None:
    def g(x: Any) -> Any:
        return tg.value_and_grad(tg.checkpoint(lambda v: (v * v * (tg.rand(3) < 0.5)).sum()))(x)

    program = tg.trace(g, tg.ones(3))
    assert [one.op for one in program.equations].count("random") == 1
    value, gradient = program(tg.tensor([1.0, 2.0, 3.0]))
    np.testing.assert_allclose((gradient * tg.tensor([1.0, 2.0, 3.0]) / 2).sum().numpy(), value.numpy())
    with tg.record() as run:
        tg.checkpoint(f)(tg.tensor(X[0])).backward()
    assert "sin" in str(run.graph) and "checkpoint" not in str(run.graph)


def test_the_pass_alone_can_be_recorded() -> None:
    y = tg.checkpoint(f)(tg.tensor(X[0]))
    with tg.record() as run:
        y.backward()
    assert "checkpoint" in str(run.graph)
    assert "checkpoint" in str(tg.graph(tg.checkpoint(f)(tg.tensor(X[0]))))


def test_anomalies_are_found_in_the_second_run() -> None:
    x = tg.tensor([0.0, 1.0], requires_grad=True)
    with tg.detect_anomaly():
        y = tg.checkpoint(lambda v: tg.sqrt(v).sum())(x)
        with pytest.raises(tg.AnomalyError, match=r"backward of sqrt.*test_checkpoint\.py"):
            y.backward()


def test_the_tape_is_not_held_by_a_cycle() -> None:
    x = tg.tensor(X, requires_grad=True)
    y = tg.checkpoint(chain)(x)
    order, leaves = collect([y._node])
    assert [node.prim.name for node in order] == ["checkpoint", "pick"] and leaves == {x._node}


# ---- how it is called


def test_both_forms() -> None:
    x = tg.tensor(X[0], requires_grad=True)

    @tg.checkpoint
    def g(x: Any, scale: float = 1.0) -> Any:
        """Doc."""
        return (x * x).sum() * scale

    class Block(nn.Module):
        @tg.checkpoint
        def forward(self, x: Any) -> Any:
            return x * x

    assert (g.__name__, g.__doc__) == ("g", "Doc.")
    results = [g(x), g(x, scale=1.0), tg.checkpoint(g, x), tg.checkpoint(g, x=x), Block()(x).sum()]
    assert {float(one.detach()) for one in results} == {float((x * x).sum().detach())}
    assert all("checkpoint" in str(tg.graph(one)) for one in results)


@pytest.mark.parametrize("option", ["use_reentrant", "static_argnums"])
def test_options_of_others_are_refused(option: str) -> None:
    with pytest.raises(tg.GradientError, match=f"{option}.*leave it out"):
        tg.checkpoint(f, tg.tensor(X[0]), **{option: False})
    assert tg.checkpoint(lambda x, use_reentrant: x, 1, use_reentrant=2) == 1


def test_something_else_given() -> None:
    with pytest.raises(tg.GradientError, match="checkpoint: a Tensor given; the function comes first"):
        tg.checkpoint(tg.tensor(X), f)
