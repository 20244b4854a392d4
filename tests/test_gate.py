"""The gate: an op that is not the library's own cannot corrupt values or hand out misfitting gradients."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg


def leaf(data, dtype=None):
    return tg.tensor(data, dtype, requires_grad=True)


def op_of(kind, forward=lambda x: x * 2, rule="derivative", **formulas):
    def named(x):
        return forward(x)

    named.__name__ = "mine"
    made = kind(named)
    getattr(made, rule)(**formulas)
    return made


X = np.array([1.0, 2.0], np.float32)

BAD_GRADIENTS = {
    "elementwise, other shape": (tg.elementwise, "derivative", lambda x: np.ones(3), ValueError),
    "elementwise, more axes": (tg.elementwise, "derivative", lambda x: np.ones((2, 2)), ValueError),
    "elementwise, text": (tg.elementwise, "derivative", lambda x: "a", TypeError),
    "elementwise, None": (tg.elementwise, "derivative", lambda x: None, TypeError),
    "elementwise, complex": (tg.elementwise, "derivative", lambda x: x * 1j, TypeError),
    "linear, shape": (tg.linear, "transpose", lambda g: g[:1], ValueError),
    "linear, broadcast shape": (tg.linear, "transpose", lambda g: g[None], ValueError),
    "linear, dtype": (tg.linear, "transpose", lambda g: np.asarray(g, np.float64), TypeError),
    "linear, integers": (tg.linear, "transpose", lambda g: np.ones(2, int), TypeError),
    "linear, list": (tg.linear, "transpose", lambda g: [1.0, 2.0], TypeError),
    "linear, number": (tg.linear, "transpose", lambda g: 1.0, ValueError),
    "general, shape": (tg.primitive, "vjp", lambda g, x: g.sum(), ValueError),
    "general, dtype": (tg.primitive, "vjp", lambda g, x: (g * x).astype("float64"), TypeError),
    "general, a pair": (tg.primitive, "vjp", lambda g, x: (g, g), TypeError),
    "general, object array": (tg.primitive, "vjp", lambda g, x: np.array([1, 2], object), TypeError),
    "general, masked": (
        tg.primitive,
        "vjp",
        lambda g, x: np.ma.array([1, 2], g.dtype, mask=[0, 1]),
        TypeError,
    ),
}


@pytest.mark.parametrize(("kind", "rule", "formula", "error"), BAD_GRADIENTS.values(), ids=BAD_GRADIENTS)
@pytest.mark.parametrize("second_order", [False, True])
def test_a_misfitting_gradient_is_an_error_that_names_the_op(kind, rule, formula, error, second_order):
    mine, x = op_of(kind, rule=rule, x=formula), leaf(X)
    y = mine(x).sum()
    with pytest.raises(error, match="mine") as found:
        tg.autograd.grad(y, x, create_graph=second_order)
    assert isinstance(found.value, tg.TensorgradError)
    with pytest.raises(error, match="mine"):
        mine(x).sum().backward()
    assert x.grad is None


def test_the_message_names_shapes_and_the_way_out():
    with pytest.raises(
        tg.ShapeError, match=r"gradient of x has shape \(1, 2\), the input has \(2,\).*sum_to"
    ):
        op_of(tg.linear, rule="transpose", x=lambda g: g[None])(leaf(X)).sum().backward()
    mine = op_of(tg.linear, rule="transpose", x=lambda g: np.asarray(g, np.float64))
    with pytest.raises(tg.DtypeError, match=r"float64.*float32.*astype"):
        mine(leaf(X)).sum().backward()


def test_numbers_of_gradients():
    @tg.linear
    def joined(*arrays):
        return np.concatenate(arrays)

    for returned in (lambda g: (g[:2],), lambda g: (g[:2], g[2:], g), lambda g: g[:2], lambda g: None):
        joined.transpose(arrays=returned)
        x = leaf(X)
        with pytest.raises(tg.TensorgradError, match="joined"):
            joined(x, leaf(X)).sum().backward()
        assert x.grad is None


@pytest.mark.parametrize("count", [0, 1, 3])
def test_custom_vjp_and_function_count_their_gradients(count):
    product = tg.custom_vjp(lambda a, b: a * b)
    product.defvjp(lambda a, b: (a * b, None), lambda kept, g: (g,) * count)

    class Product(tg.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * b

        @staticmethod
        def backward(ctx, g):
            return (g,) * count

    for f in (product, Product.apply):
        a = leaf(X)
        with pytest.raises(tg.GradientError, match=f"returned {count} for 2"):
            f(a, leaf(X)).sum().backward()
        assert a.grad is None


@pytest.mark.parametrize(
    "wrong", [lambda g: g.sum(), lambda g: g.astype("float64"), lambda g: "a", lambda g: [g, g]]
)
def test_custom_vjp_gradients_pass_the_gate(wrong):
    f = tg.custom_vjp(lambda x: x * 2)
    f.defvjp(lambda x: (x * 2, None), lambda kept, g: (wrong(g),))
    x = leaf(X)
    with pytest.raises(tg.TensorgradError):
        f(x).sum().backward()
    assert x.grad is None


# ---- an op cannot write to what it is given


def test_a_forward_that_writes_to_its_input_fails_and_changes_nothing():
    def spoil(x):
        x *= 2
        return x

    array, x = X.copy(), leaf(X)
    for kind, rule in ((tg.elementwise, "derivative"), (tg.primitive, "vjp"), (tg.linear, "transpose")):
        mine = (
            op_of(kind, spoil, rule, x=lambda **names: 1) if rule != "derivative" else op_of(kind, spoil, x=1)
        )
        for data in (array, x, tg.tensor(X)):
            with pytest.raises(ValueError, match="read-only"):
                mine(data)
    assert array.tolist() == x.tolist() == [1, 2]


def test_a_formula_that_writes_to_what_it_is_given_cannot_change_other_gradients():
    def spoil_g(g):
        g *= 10
        return g

    def spoil_x(g, x):
        x *= 0
        return g

    def spoil_y(g, y):
        y[...] = 7
        return g

    for formula in (spoil_g, spoil_x, spoil_y):
        mine, x = op_of(tg.primitive, lambda x: x * 2, "vjp", x=formula), leaf(X)
        other = x * 1
        y = mine(other)
        try:
            (y + other + y * x).sum().backward()
        except (ValueError, tg.TensorgradError):
            assert x.grad is None
        else:
            assert x.tolist() == [1, 2] and y.tolist() == [2, 4]
            wanted = {spoil_g: 10, spoil_x: 1, spoil_y: 1}[formula]
            assert x.grad.tolist() == [1 + wanted * 2 + 2, 1 + wanted * 3 + 4]


def test_a_custom_function_cannot_write_to_its_arguments_or_cotangents():
    class Spoils(tg.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            y = x * 2
            x *= 100
            x[0] = 5.0
            return y

        @staticmethod
        def backward(ctx, g):
            out = g * 2
            g *= 100
            g[0] = 5.0
            return out

    x = leaf(X)
    h = x * 1
    y = Spoils.apply(h) + h
    y.sum().backward()
    assert x.tolist() == h.tolist() == [1, 2] and x.grad.tolist() == [3, 3]


def test_what_a_formula_keeps_is_not_changed_by_the_engine():
    kept = np.array([3.0, 4.0], np.float32)
    mine, x = op_of(tg.primitive, lambda x: x * 2, "vjp", x=lambda g: kept), leaf(X)
    for _ in range(3):
        (mine(x) + mine(x)).sum().backward()
    assert kept.tolist() == [3, 4] and x.grad.tolist() == [18, 24]
    assert not np.shares_memory(kept, x.grad.numpy())


def test_a_formula_that_returns_its_cotangent_shares_nothing():
    mine, x, z = op_of(tg.linear, lambda x: x + 0, "transpose", x=lambda g: g), leaf(X), leaf(X)
    seed = np.ones(2, np.float32)
    (mine(x) + mine(z)).backward(seed)
    x.backward(seed)
    assert x.grad.tolist() == [2, 2] and z.grad.tolist() == seed.tolist() == [1, 1]


# ---- results of a forward


@pytest.mark.parametrize(
    "result",
    [
        lambda x: "a",
        lambda x: None,
        lambda x: [1.0, 2.0],
        lambda x: (x, x),
        lambda x: tg.tensor(x),
        lambda x: np.array([1, "a"], object),
        lambda x: np.ma.array([1.0, 2.0], mask=[0, 1]),
        lambda x: np.array(["a"]),
    ],
)
def test_a_forward_must_return_an_array_of_numbers(result):
    mine = op_of(tg.elementwise, result, x=1)
    for data in (X, leaf(X), tg.tensor(X)):
        with pytest.raises(tg.DtypeError, match="mine"):
            mine(data)


def test_a_result_never_shares_memory_with_an_input_or_a_buffer_of_the_op():
    buffer = np.zeros(2, np.float32)
    for forward in (lambda x: x, lambda x: x[::-1], lambda x: np.multiply(x, 2, out=buffer)):
        mine, array = op_of(tg.primitive, forward, "vjp", x=lambda g: g), X.copy()
        from_array, from_tensor = mine(array), mine(leaf(X))
        first = from_tensor.tolist(), from_array.tolist()
        array[:] = 50
        mine(leaf(X * 7))
        assert (from_tensor.tolist(), from_array.tolist()) == first


def test_errors_inside_a_custom_op_come_through_and_leave_the_engine_usable():
    class Own(Exception):
        pass

    def fail(x):
        raise Own("inside")

    x = leaf(X)
    with pytest.raises(Own, match="inside"):
        op_of(tg.elementwise, fail, x=1)(x)

    def fail_backward(g):
        raise Own("formula")

    y = op_of(tg.primitive, lambda x: x * 2, "vjp", x=fail_backward)(x)
    with pytest.raises(Own, match="formula"):
        (y + x).sum().backward()
    assert x.grad is None and tg.is_grad_enabled()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_declarations_are_checked_when_they_are_made():
    mine = tg.elementwise(lambda x: x * 2)
    for declare in (
        lambda: mine.derivative(y=1),
        lambda: mine.derivative(x=lambda q: q),
        lambda: mine.transpose(x=lambda g: g),
        lambda: mine.vjp(x=lambda g: g),
        lambda: tg.constant(lambda x: x).derivative(x=1),
        lambda: tg.elementwise(lambda x, **rest: x),
        lambda: tg.elementwise(lambda n_: n_),
        lambda: tg.elementwise(lambda g: g),
    ):
        with pytest.raises(tg.GradientError):
            declare()


def test_an_op_without_a_formula_says_so():
    half = tg.bilinear(lambda a, b: a * b)
    half.transpose(a=lambda g, b: g * b)
    assert half(leaf(X), X).requires_grad
    for use in (
        lambda: tg.elementwise(lambda x: x * 2)(leaf(X)),
        lambda: half(X, leaf(X)),
        lambda: half(leaf(X), leaf(X)),
    ):
        with pytest.raises(tg.RuleMissingError, match=r"derivative|transpose"):
            use().sum().backward()


def test_the_slope_of_a_complex_number_without_axes_is_conjugated() -> None:
    """NumPy's complex128 is a Python complex, and took the way of constants."""

    @tg.elementwise
    def cube(x):
        return x * x * x

    cube.derivative(x=lambda x: 3 * x * x)
    z = np.array(0.5 + 0.25j)
    alone, among = [tg.tensor(a, requires_grad=True) for a in (z, z.reshape(1))]
    tg.real(cube(alone)).sum().backward()
    tg.real(cube(among)).sum().backward()
    assert alone.grad is not None
    assert among.grad is not None
    assert alone.grad.item() == among.grad.numpy()[0] == np.conj(3 * z * z)
