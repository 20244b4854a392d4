"""Functions with derivatives of their own under every transformation, and under two at once."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg
from tensorgrad.transforms.vmap import looped
from tests.transforms.custom_ways import ByFunction, by_jvp, by_vjp, plain

X = np.array([0.3, -0.7, 1.1])
Y = np.array([1.5, 0.5, -0.4])
XS = np.stack([X, Y, -X, 2 * X])

WAYS = {"custom_vjp": by_vjp, "custom_jvp": by_jvp, "Function": ByFunction.apply}
every_way = pytest.mark.parametrize("f", WAYS.values(), ids=WAYS.keys())


def total(f: Any) -> Any:
    return lambda a: f(a, Y).sum()


def direction(f: Any) -> Any:
    return lambda a: tg.jvp(f, (a,), (tg.cos(a),))[1]


def batch(f: Any) -> Any:
    return lambda a: tg.vmap(f)(tg.stack([a, 2 * a, a * a]))


def gradient(f: Any) -> Any:
    return tg.grad(lambda a: (f(a) ** 2).sum())


STEPS = {"grad": gradient, "jvp": direction, "vmap": batch}
PAIRS = [(a, b, c) for a in STEPS for b in STEPS for c in STEPS if (a, b, c).count("vmap") < 3]


@every_way
@pytest.mark.parametrize("names", PAIRS, ids="-".join)
def test_three_transformations_in_any_order(f: Any, names: tuple[str, ...]) -> None:
    def composed(h: Any) -> Any:
        return functools.reduce(lambda g, name: STEPS[name](g), names, lambda a: tg.sin(h(a, a * Y)))

    with tg.no_grad():
        found = composed(f)(X)
    assert_allclose(found, composed(plain)(X), rtol=1e-9, atol=1e-12)


@every_way
def test_batches_are_not_looped(f: Any) -> None:
    before = dict(looped)
    tg.vmap(tg.grad(total(f)))(XS)
    tg.grad(lambda a: tg.vmap(f, (0, None))(a, Y).sum())(XS)
    tg.jvp(tg.vmap(f), (XS, XS), (XS, XS))
    tg.vmap(tg.vmap(f, (0, None)), (None, 0))(XS, XS)
    assert looped == before


@every_way
def test_what_examples_share_gets_the_sum_of_their_gradients(f: Any) -> None:
    def loss(h: Any) -> Any:
        return tg.grad(lambda a, b: (tg.vmap(h, (0, None))(a, b) ** 2).sum(), argnums=(0, 1))(XS, Y)

    for found, expected in zip(loss(f), loss(plain), strict=True):
        assert_allclose(found, expected, rtol=1e-12)
    w = tg.tensor(Y, requires_grad=True)
    tg.vmap(lambda a: f(a, w).sum())(XS).sum().backward()
    assert_allclose(w.grad, (XS**2 * np.cos(Y)).sum(0), rtol=1e-12)


def test_a_gradient_that_is_the_same_for_all_examples_is_counted_for_each() -> None:
    f = tg.custom_vjp(lambda x, w: x * w)
    f.defvjp(lambda x, w: (x * w, w.shape), lambda shape, g: (None, tg.ones(shape, dtype="float64")))
    assert_array_equal(tg.grad(lambda w: tg.vmap(f, (0, None))(XS, w).sum())(Y), [4, 4, 4])


def test_an_empty_batch_and_constant_results() -> None:
    f = tg.custom_vjp(lambda x: (x * 2, np.array([1.0, 2.0])))
    f.defvjp(lambda x: ((x * 2, np.array([1.0, 2.0])), None), lambda _, g: (g[0] * 2,))
    assert tg.vmap(f)(np.zeros((0, 3)))[0].shape == (0, 3)
    assert_array_equal(tg.vmap(f)(XS)[1], [[1, 2]] * 4)


# ---- what a function takes from elsewhere


def closing_over(w: Any) -> list[Any]:
    by_pass = tg.custom_vjp(lambda x: x * w)
    by_pass.defvjp(lambda x: (x * w, None), lambda _, g: (g * w,))
    by_rule = tg.custom_jvp(lambda x: x * w)
    by_rule.defjvp(lambda xs, ts: (xs[0] * w, ts[0] * w))

    class Scaled(tg.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * w

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * w

    return [by_pass, by_rule, Scaled.apply]


@pytest.mark.parametrize("which", [0, 1, 2], ids=list(WAYS))
def test_a_captured_value_with_a_derivative_is_an_error_not_a_zero(which: int) -> None:
    def use(w: Any) -> Any:
        return closing_over(w)[which](X).sum()

    found = "pass it as an argument"
    with pytest.raises(tg.GradientError, match=found):
        use(tg.tensor(Y, requires_grad=True))
    with pytest.raises(tg.GradientError, match=found):
        tg.grad(use)(Y)
    with pytest.raises(tg.GradientError, match=found):
        tg.grad(lambda s: tg.grad(use)(s * Y).sum())(1.0)
    with pytest.raises(tg.GradientError, match=found):
        tg.jvp(use, (Y,), (Y,))
    with pytest.raises(tg.GradientError, match=found):
        tg.vmap(use)(XS)
    with pytest.raises(tg.GradientError, match=found):
        tg.vmap(closing_over(tg.tensor(Y, requires_grad=True))[which])(XS)
    with pytest.raises(tg.TraceError, match=found):
        tg.trace(lambda w: use(w * 2), tg.tensor(Y))
    with tg.no_grad():
        assert use(tg.tensor(Y, requires_grad=True)) == (X * Y).sum()
    assert use(tg.tensor(Y, requires_grad=True).detach()) == (X * Y).sum()
    assert_array_equal(tg.grad(lambda w: use(tg.stop_gradient(w)) * w.sum())(Y), [(X * Y).sum()] * 3)
    assert use(tg.tensor(Y)) == (X * Y).sum()


def test_nested_custom_functions() -> None:
    outer = tg.custom_vjp(lambda a, b: by_jvp(a, b) * by_vjp(b, a))
    outer.defvjp(
        lambda a, b: (by_jvp(a, b) * by_vjp(b, a), (a, b)),
        lambda kept, g: tg.grad(lambda a, b: (plain(a, b) * plain(b, a) * g).sum(), (0, 1))(*kept),
    )

    def third(h: Any) -> Any:
        return tg.grad(lambda a: tg.jvp(tg.grad(lambda b: h(a, b).sum()), (Y,), (X,))[1].sum())(X)

    assert_allclose(third(outer), third(lambda a, b: plain(a, b) * plain(b, a)), rtol=1e-11)


# ---- arguments


def test_nondiff_arguments_come_first_in_the_passes() -> None:
    @tg.custom_vjp(nondiff_argnums=(0, 2))
    def powered(how: str, x: Any, n: int, y: Any) -> Any:
        assert how == "twice"
        return x**n * y

    powered.defvjp(
        lambda how, x, n, y: (x**n * y, (x, y)),
        lambda how, n, kept, g: (n * kept[0] ** (n - 1) * kept[1] * g, kept[0] ** n * g),
    )

    @functools.partial(tg.custom_jvp, nondiff_argnums=1)
    def raised(x: Any, n: int) -> Any:
        return x**n

    raised.defjvp(lambda n, xs, ts: (xs[0] ** n, n * xs[0] ** (n - 1) * ts[0]))
    assert_allclose(tg.grad(lambda x: powered("twice", x, 3, Y).sum())(X), 3 * X**2 * Y)
    assert_allclose(tg.vmap(tg.grad(lambda x: powered("twice", x, n=3, y=Y).sum()))(XS), 3 * XS**2 * Y)
    assert_allclose(tg.grad(lambda x: tg.grad(lambda x: raised(x, 3).sum())(x).sum())(X), 6 * X)
    assert_allclose(tg.jvp(lambda x: raised(x, n=2), (X,), (Y,))[1], 2 * X * Y)
    with pytest.raises(tg.GradientError, match="nondiff_argnums"):
        tg.custom_vjp(lambda x: x, nondiff_argnums=3)
    with pytest.raises(tg.GradientError, match="pass it as an argument"):
        tg.grad(lambda n: raised(X, n).sum())(2.0)


def test_methods() -> None:
    class Layer:
        factor = 3.0

        @tg.custom_vjp
        def scaled(self, x: Any, by: float = 1.0) -> Any:
            return x * self.factor * by

        scaled.defvjp(
            lambda self, x, by: (x * self.factor * by, by),
            lambda by, g: (None, g * 10 * by, None),
        )

    layer = Layer()
    assert_allclose(layer.scaled(X), 3 * X)
    assert_allclose(tg.grad(lambda x: layer.scaled(x, by=2.0).sum())(X), [20, 20, 20])
    assert isinstance(Layer.scaled, tg.custom_vjp)

    @dataclass
    class Affine:
        w: Any

        @tg.custom_jvp
        def __call__(self, x: Any) -> Any:
            return x * self.w

        __call__.defjvp(lambda xs, ts: (xs[1] * xs[0].w, ts[1] * xs[0].w + xs[1] * ts[0].w))

    assert_allclose(tg.grad(lambda a: a(X).sum())(Affine(Y)).w, X)


def test_keyword_only_arguments_are_settings() -> None:
    @tg.custom_vjp
    def f(x: Any, *, power: int = 2) -> Any:
        return x**power

    f.defvjp(lambda x, *, power: (x**power, (x, power)), lambda k, g: (k[1] * k[0] ** (k[1] - 1) * g,))

    @tg.custom_jvp
    def h(x: Any, *, power: int = 2) -> Any:
        return x**power

    h.defjvp(lambda xs, ts, *, power: (xs[0] ** power, power * xs[0] ** (power - 1) * ts[0]))
    for one in (f, h):
        assert_allclose(tg.grad(lambda x, one=one: one(x, power=3).sum())(X), 3 * X**2)
        assert_allclose(tg.grad(lambda x, one=one: one(x).sum())(X), 2 * X)


def test_integer_arguments_none_and_nothing_to_differentiate() -> None:
    @tg.custom_vjp
    def take(x: Any, i: Any, mask: Any, how: Any) -> Any:
        return x[i]

    take.defvjp(
        lambda x, i, mask, how: (x[i], (x.shape[0], i)),
        lambda kept, g: (tg.one_hot(kept[1], kept[0], dtype="float64") * g, None, None, None),
    )
    i = np.array(1)
    assert_array_equal(tg.grad(lambda x: take(x, i, None, str))(X), [0, 1, 0])
    assert_array_equal(
        tg.vmap(lambda x, i: take(x, i, None, str))(XS[:3], np.array([0, 1, 2])), [0.3, 0.5, -1.1]
    )
    assert_allclose(tg.jvp(lambda x: take(x, i, None, str), (X,), (Y,))[1], Y[1])
    constant = tg.custom_vjp(lambda n: tg.ones(n))
    constant.defvjp(lambda n: (tg.ones(n), None), lambda kept, g: (None,))
    assert constant(2).tolist() == [1, 1]


def test_dictionaries_of_gradients_go_by_their_keys() -> None:
    f = tg.custom_vjp(lambda p: p["a"] * 2 + p["b"] * 3)
    f.defvjp(lambda p: (p["a"] * 2 + p["b"] * 3, None), lambda _, g: ({"b": g * 3, "a": g * 2},))
    found = tg.grad(lambda p: f(p).sum())({"a": X, "b": Y})
    assert_array_equal(found["a"], [2, 2, 2])
    assert_array_equal(found["b"], [3, 3, 3])
    bad = tg.custom_vjp(lambda p: p["a"])
    bad.defvjp(lambda p: (p["a"] * 1, None), lambda _, g: ({"c": g},))
    with pytest.raises(tg.GradientError, match=r"argument p.*\['c'\].*\['a'\]"):
        tg.grad(lambda p: bad(p).sum())({"a": X})


def test_unused_results_get_zeros_and_messages_name_the_argument() -> None:
    seen = []
    f = tg.custom_vjp(lambda x: {"a": x * 2, "b": (x * 3, x.sum())})
    f.defvjp(
        lambda x: ({"a": x * 2, "b": (x * 3, x.sum())}, None), lambda _, g: (seen.append(g) or g["a"] * 2,)
    )
    assert_array_equal(tg.grad(lambda x: f(x)["a"].sum())(X), [2, 2, 2])
    assert_array_equal(seen[0]["b"][0], [0, 0, 0])
    assert seen[0]["b"][1] == 0
    g = tg.custom_vjp(lambda x, rate: x * rate["r"])
    g.defvjp(lambda x, rate: (x * rate["r"], None), lambda _, g: (g, {"r": g}))
    with pytest.raises(tg.ShapeError, match=r"gradient of rate\['r'\] has shape \(3,\), the input has \(\)"):
        tg.grad(lambda r: g(X, {"r": r}).sum())(np.float64(2.0))


# ---- rules that are not derivatives


def test_a_rule_that_is_not_linear_is_an_error() -> None:
    bent = tg.custom_jvp(lambda x: x * 2)
    bent.defjvp(lambda xs, ts: (xs[0] * 2, ts[0] * ts[0]))
    with pytest.raises(tg.GradientError, match=r"lambda.*rule is not linear in the tangents \(multiply"):
        tg.grad(lambda x: bent(x).sum())(X)
    for wrong in (lambda g: tg.abs(g), lambda g: g / (1 + g * g), tg.relu, lambda g: tg.softmax(g)):
        f = tg.custom_vjp(lambda x: x * 2)
        f.defvjp(lambda x: (x * 2, None), lambda _, g, wrong=wrong: (wrong(g),))
        tg.grad(lambda x, f=f: f(x).sum())(X)
        with pytest.raises(tg.GradientError, match="backward is not linear in g"):
            tg.jvp(f, (X,), (Y,))
    for right in (
        lambda g: g[::-1] / Y,
        lambda g: tg.where(Y > 1, g, -g),
        lambda g: tg.linalg.solve(np.eye(3), g),
    ):
        f.defvjp(lambda x: (x * 2, None), lambda _, g, right=right: (right(g),))
        tg.jvp(f, (X,), (Y,))


def test_rules_by_argument() -> None:
    f = tg.custom_jvp(plain)
    f.defjvps(lambda t, y, a, b: 2 * a * tg.sin(b) * t, lambda t, y, a, b: a * a * tg.cos(b) * t)

    def second(h: Any) -> Any:
        return tg.grad(lambda a, b: (tg.grad(lambda a: h(a, b).sum())(a) ** 2).sum(), (0, 1))(X, Y)

    assert_allclose(second(f), second(plain), rtol=1e-12)
    half = tg.custom_jvp(lambda a, n: (a * n, a + n))
    half.defjvps(lambda t, y, a, n: (t * n, t), None)
    assert_array_equal(tg.jvp(lambda a: half(a, 2), (X,), (Y,))[1][0], 2 * Y)
    with pytest.raises(tg.GradientError, match="1 rules"):
        half.defjvps(None)


def test_wrong_rules_name_the_function_and_the_fix() -> None:
    f = tg.custom_jvp(lambda x: {"y": x})
    f.defjvp(lambda xs, ts: ({"y": xs[0]}, ts[0]))
    with pytest.raises(tg.ShapeError, match="the rule's tangent"):
        tg.jvp(f, (X,), (Y,))
    f.defjvp(lambda xs, ts: ts[0])
    with pytest.raises(tg.GradientError, match="must return a pair"):
        tg.grad(lambda x: f(x)["y"].sum())(X)
    text = tg.custom_vjp(lambda x: "text")
    text.defvjp(lambda x: ("text", None), lambda _, g: (g,))
    with pytest.raises(tg.DtypeError, match="forward returned"):
        text(X)


# ---- programs


def test_a_program_sees_one_op_and_can_use_numpy_inside() -> None:
    class Outside(tg.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.factor = float(np.linalg.norm(x.numpy()))
            return x * ctx.factor

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.factor

    program = tg.trace(Outside.apply, tg.tensor(X))
    assert [e.op for e in program.equations] == ["Outside"]
    assert_allclose(program(Y), Y * np.linalg.norm(Y))
    w = tg.tensor(Y, requires_grad=True)
    for _ in range(3):
        w.grad = None
        program(w).sum().backward()
        assert_allclose(w.grad, [np.linalg.norm(Y)] * 3)


def test_forward_without_the_context() -> None:
    class Cube(tg.Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return x**3

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(inputs[0], output)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = ctx.saved_tensors
            return 3 * y / x * g

    assert_allclose(tg.grad(lambda x: tg.grad(lambda x: Cube.apply(x).sum())(x).sum())(X), 6 * X)
    assert_allclose(tg.vmap(tg.grad(lambda x: Cube.apply(x).sum()))(XS), 3 * XS**2)
