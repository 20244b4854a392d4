"""Derivatives of the user's own: whole functions, PyTorch's protocol, and cards of each kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg
from tests.transforms.custom_ways import WAYS, by_elementwise, by_jvp, plain

pytestmark = pytest.mark.filterwarnings("ignore::tensorgrad.LoopWarning")  # of primitives without a rule

X = np.array([0.3, -0.7, 1.1])
Y = np.array([1.5, 0.5, -0.4])


every_way = pytest.mark.parametrize("f", WAYS.values(), ids=WAYS.keys())


@every_way
def test_values(f: Any) -> None:
    assert_allclose(f(X, Y), X * X * np.sin(Y))
    made = f(tg.tensor(X), tg.tensor(Y))
    assert type(made) is tg.Tensor and not made.requires_grad
    assert_allclose(f(tg.tensor(X), Y), made)
    assert f(0.5, 0.25).item() == pytest.approx(0.25 * np.sin(0.25), rel=1e-6)


@every_way
def test_backward(f: Any) -> None:
    a, b = tg.tensor(X, requires_grad=True), tg.tensor(Y, requires_grad=True)
    f(a, b).sum().backward()
    assert_allclose(a.grad, 2 * X * np.sin(Y), rtol=1e-14)
    assert_allclose(b.grad, X * X * np.cos(Y), rtol=1e-14)
    a.grad = None
    f(a, Y).sum().backward()
    assert_allclose(a.grad, 2 * X * np.sin(Y), rtol=1e-14)


@every_way
@pytest.mark.parametrize("argnum", [0, 1])
def test_first_second_and_third_order(f: Any, argnum: int) -> None:
    def once(h: Any) -> Any:
        return tg.grad(lambda a, b: h(a, b).sum(), argnum)

    def twice(h: Any) -> Any:
        return tg.grad(lambda a, b: (once(h)(a, b) ** 2).sum(), argnum)

    def thrice(h: Any) -> Any:
        return tg.grad(lambda a, b: tg.sin(twice(h)(a, b)).sum(), 1 - argnum)

    for order in (once, twice, thrice):
        assert_allclose(order(f)(X, Y), order(plain)(X, Y), rtol=1e-12)


@every_way
def test_forward_mode(f: Any) -> None:
    da, db = np.cos(X), np.sin(X)
    y, t = tg.jvp(f, (X, Y), (da, db))
    expected = 2 * X * np.sin(Y) * da + X * X * np.cos(Y) * db
    assert_allclose(y, X * X * np.sin(Y))
    assert_allclose(t, expected, rtol=1e-12)
    assert_allclose(tg.jvp(lambda b: f(X, b), (Y,), (db,))[1], X * X * np.cos(Y) * db, rtol=1e-12)
    with tg.no_grad():
        assert_allclose(tg.jvp(f, (X, Y), (da, db))[1], expected, rtol=1e-12)


@every_way
def test_forward_over_forward_over_reverse(f: Any) -> None:
    def first(h: Any) -> Any:
        return lambda a: tg.jvp(lambda a: h(a, Y), (a,), (np.cos(Y),))[1]

    def third(h: Any) -> Any:
        return lambda a: tg.jvp(first(h), (a,), (X,))[1]

    assert_allclose(third(f)(X), third(plain)(X), rtol=1e-12)
    reverse = [tg.jvp(tg.grad(lambda b, h=h: h(X, b).sum()), (Y,), (X,))[1] for h in (f, plain)]
    assert_allclose(*reverse, rtol=1e-12)
    forward = [tg.grad(lambda a, h=h: (first(h)(a) ** 2).sum())(X) for h in (f, plain)]
    assert_allclose(*forward, rtol=1e-12)


@every_way
def test_batches(f: Any) -> None:
    a, b = np.stack([X, Y, X]), np.stack([Y, X, X])
    assert_allclose(tg.vmap(f)(a, b), a * a * np.sin(b))
    assert_allclose(tg.vmap(f, (0, None))(a, Y), a * a * np.sin(Y))
    assert_allclose(tg.vmap(tg.grad(lambda a, b: f(a, b).sum()))(a, b), 2 * a * np.sin(b))
    assert_allclose(tg.grad(lambda a: tg.vmap(f)(a, b).sum())(a), 2 * a * np.sin(b))
    assert_allclose(tg.jvp(lambda a: tg.vmap(f)(a, b), (a,), (b,))[1], 2 * a * np.sin(b) * b)
    assert_allclose(tg.vmap(tg.vmap(f))(a, b), a * a * np.sin(b))
    w = tg.tensor(Y, requires_grad=True)
    tg.vmap(lambda a: f(a, w).sum())(a).sum().backward()
    assert_allclose(w.grad, (a * a * np.cos(Y)).sum(0))


@every_way
def test_recorded_and_replayed(f: Any) -> None:
    w = tg.tensor(Y, requires_grad=True)

    def step(a: Any) -> Any:
        w.grad = None
        f(a, w).sum().backward()
        return tg.grad(lambda a: f(a, w).sum())(a)

    graph = tg.trace(step, tg.tensor(X))
    assert_allclose(graph(2 * X), 4 * X * np.sin(Y))
    assert_allclose(w.grad, 4 * X * X * np.cos(Y))


@every_way
def test_zero_dimensional_and_empty(f: Any) -> None:
    assert_allclose(tg.grad(f)(np.float64(0.5), np.float64(2.0)), np.sin(2.0))
    assert tg.grad(lambda a: f(a, a).sum())(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("f", [by_jvp, by_elementwise], ids=["custom_jvp", "elementwise"])
def test_complex_arguments(f: Any) -> None:
    """The cotangent of a holomorphic function is g times the conjugate of the derivative.

    Where a formula says what the derivative is, the library conjugates; a formula for the cotangent
    itself, as in the other ways, must do that on its own.
    """
    z = X + 1j * Y
    w = tg.tensor(z, requires_grad=True)
    f(w, tg.tensor(z)).backward(np.ones(3) + 0j)
    assert_allclose(w.grad, np.conj(2 * z * np.sin(z)))


# ---- kept values at second order: compared with the plain function


@tg.custom_vjp
def softplus(x: Any) -> Any:
    return tg.log(1 + tg.exp(x))


# What is kept is an intermediate value of the forward, not an input.
softplus.defvjp(
    lambda x: (lambda e: (tg.log(1 + e), e))(tg.exp(x)),
    lambda e, g: (g * e / (1 + e),),
)


def test_kept_intermediate_values_are_differentiated_at_higher_order() -> None:
    def f(x: Any) -> Any:
        return tg.log(1 + tg.exp(x))

    for depth in range(1, 5):
        first, second = softplus, f
        for _ in range(depth):
            first, second = tg.grad(first), tg.grad(second)
        assert first(np.float64(0.3)) == pytest.approx(second(np.float64(0.3)), rel=1e-10)


def test_create_graph_through_a_custom_function() -> None:
    w = tg.tensor(X, requires_grad=True)
    (g,) = tg.autograd.grad(softplus(w).sum(), w, create_graph=True)
    (h,) = tg.autograd.grad((g * g).sum(), w)
    s = 1 / (1 + np.exp(-X))
    assert_allclose(h, 2 * s * s * (1 - s))


def test_the_custom_derivative_is_the_one_that_is_used() -> None:
    @tg.custom_vjp
    def clipped(x: Any) -> Any:
        return x

    clipped.defvjp(lambda x: (x, None), lambda kept, g: (tg.minimum(g, 1.0),))
    assert_array_equal(tg.grad(lambda x: (clipped(x) * np.array([0.5, 2.0, 3.0])).sum())(X), [0.5, 1, 1])
    assert_array_equal(tg.vmap(tg.grad(lambda x: 5 * clipped(x)))(X), [1, 1, 1])
    with pytest.raises(
        tg.GradientError, match=r"clipped: the backward is not linear in g.*minimum.*custom_jvp"
    ):
        tg.jvp(clipped, (np.float64(1.0),), (np.float64(1.0),))  # a clipped cotangent has no transpose


# ---- containers, other arguments, several results


@tg.custom_vjp
def layer(params: Any, x: Any, activation: Any, mask: Any = None) -> Any:
    return {"out": activation(x @ params["w"]) + params["b"][0], "sum": x.sum()}


def _layer_forward(params: Any, x: Any, activation: Any, mask: Any = None) -> Any:
    hidden = activation(x @ params["w"])
    return {"out": hidden + params["b"][0], "sum": x.sum()}, (params["w"], x, hidden, params["b"])


def _layer_backward(kept: Any, g: Any) -> Any:
    w, x, hidden, _ = kept
    d = g["out"] * (1 - hidden * hidden)
    return {"w": tg.transpose(x) @ d, "b": [g["out"].sum(0), None]}, d @ w.T + g["sum"], None, None


layer.defvjp(_layer_forward, _layer_backward)


def layer_plain(params: Any, x: Any, activation: Any, mask: Any = None) -> Any:
    return {"out": activation(x @ params["w"]) + params["b"][0], "sum": x.sum()}


def loss(f: Any, params: Any, x: Any) -> Any:
    y = f(params, x, tg.tanh, [1, "two", np.array([True])])
    return (y["out"] ** 2).sum() * y["sum"]


def test_nested_containers_and_arguments_without_gradients() -> None:
    generator = np.random.default_rng(3)
    params = {"w": generator.normal(size=(3, 2)), "b": [generator.normal(size=2), None]}
    x = generator.normal(size=(4, 3))

    def both(f: Any) -> Any:
        return tg.grad(lambda p, x: loss(f, p, x), argnums=(0, 1))(params, x)

    for (p, dx), (q, ex) in [(both(layer), both(layer_plain))]:
        assert_allclose(p["w"], q["w"], rtol=1e-12)
        assert_allclose(p["b"][0], q["b"][0], rtol=1e-12)
        assert p["b"][1] is None
        assert_allclose(dx, ex, rtol=1e-12)

    def second(f: Any) -> Any:
        return tg.grad(lambda p: (tg.grad(lambda x: loss(f, p, x))(x) ** 2).sum())(params)

    assert_allclose(second(layer)["w"], second(layer_plain)["w"], rtol=1e-10)
    assert_allclose(second(layer)["b"][0], second(layer_plain)["b"][0], rtol=1e-10)


def test_an_unused_result_gets_a_zero_cotangent() -> None:
    generator = np.random.default_rng(3)
    params = {"w": generator.normal(size=(3, 2)), "b": [generator.normal(size=2), None]}
    x = generator.normal(size=(4, 3))
    found = tg.grad(lambda x: (layer(params, x, tg.tanh, None)["out"]).sum())(x)
    assert_allclose(found, tg.grad(lambda x: layer_plain(params, x, tg.tanh)["out"].sum())(x), rtol=1e-12)
    found = tg.grad(lambda x: layer(params, x, tg.tanh, None)["sum"])(x)
    assert_allclose(found, np.ones_like(x))


def test_none_gradients_are_zeros() -> None:
    @tg.custom_vjp
    def first_only(a: Any, b: Any) -> Any:
        return a * b

    first_only.defvjp(lambda a, b: (a * b, b), lambda b, g: (g * b, None))
    da, db = tg.grad(lambda a, b: first_only(a, b).sum(), argnums=(0, 1))(X, Y)
    assert_array_equal(da, Y)
    assert_array_equal(db, [0, 0, 0])
    assert_array_equal(tg.vmap(tg.grad(first_only, 1))(X, Y), [0, 0, 0])
    assert_array_equal(tg.jvp(lambda b: first_only(X, b), (Y,), (X,))[1], [0, 0, 0])


class TwoResults(tg.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, times: int, how: str) -> Any:
        ctx.save_for_backward(x)
        ctx.times = times
        assert how == "both" and type(times) is int
        return x * times, x * x

    @staticmethod
    def backward(ctx: Any, g: Any, h: Any) -> Any:
        (x,) = ctx.saved_tensors
        assert ctx.needs_input_grad == (True, False, False)
        return g * ctx.times + h * 2 * x, None, None


def test_function_with_several_results_and_other_arguments() -> None:
    def f(x: Any) -> Any:
        left, right = TwoResults.apply(x, 3, "both")
        return (left * right).sum()

    assert_allclose(tg.grad(f)(X), 9 * X * X)
    assert_allclose(tg.grad(lambda x: tg.grad(f)(x).sum())(X), 18 * X)
    assert_allclose(tg.grad(lambda x: TwoResults.apply(x, 3, "both")[1].sum())(X), 2 * X)
    assert_allclose(tg.vmap(tg.grad(f))(np.stack([X, Y])), 9 * np.stack([X, Y]) ** 2)


def test_function_sees_tensors_and_python_numbers_as_they_are() -> None:
    seen = []

    class Look(tg.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, rate: float) -> Any:
            seen.append((type(x), type(rate), tg.is_grad_enabled(), x.requires_grad))
            return x * rate

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            seen.append(type(g))
            return g * 0.5, None

    tg.grad(lambda x: Look.apply(x, 0.5).sum())(X)
    # Recording is on, by which a tensor that is no argument is noticed; the arguments are not tracked.
    assert seen == [(tg.Tensor, float, True, False), tg.Tensor]


def test_randomness_is_drawn_once_at_first_order() -> None:
    @tg.custom_vjp
    def dropout(x: Any) -> Any:
        return dropout_forward(x)[0]

    def dropout_forward(x: Any) -> Any:
        mask = tg.rand(1000, dtype="float64") > 0.5
        return tg.where(mask, x, 0.0), mask

    dropout.defvjp(dropout_forward, lambda mask, g: (tg.where(mask, g, 0.0),))
    x = tg.tensor(np.ones(1000), requires_grad=True)
    y = dropout(x)
    y.backward(np.ones(1000))
    assert_array_equal(x.grad, y)


def test_integer_and_boolean_results() -> None:
    @tg.custom_vjp
    def top(x: Any) -> Any:
        return x.max(), x.argmax()

    top.defvjp(
        lambda x: ((x.max(), x.argmax()), (x.argmax(), x.shape)),
        lambda kept, g: (g[0] * tg.one_hot(kept[0], kept[1][0], dtype="float64"),),
    )

    def f(x: Any) -> Any:
        value, _ = top(x)
        return value * 2

    assert_array_equal(tg.grad(f)(X), [0, 0, 2])
    assert top(tg.tensor(X))[1].dtype == np.int64


@pytest.mark.parametrize("name", ["slope", "gate", "guarded", "fill", "shape", "tick", "conjugate"])
def test_a_parameter_may_have_the_name_of_what_the_generated_text_uses(name):
    space = {"np": np, "tg": tg}
    exec(
        "@tg.elementwise\n"
        f"def leaky(x, /, {name}=0.5):\n"
        "    '''Leaky.'''\n"
        f"    return np.where(x > 0, x, {name} * x)\n"
        f"leaky.derivative(x=lambda x, {name}: tg.where(x > 0, 1.0, {name}))\n",
        space,
    )
    x = tg.tensor([1.0, -2.0], requires_grad=True)
    space["leaky"](x, **{name: 0.25}).sum().backward()
    assert x.grad.tolist() == [1.0, 0.25]
