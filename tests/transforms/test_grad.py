"""Gradients of functions: what may be differentiated, what comes back, and what is an error."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg

X = np.array([1.0, 2.0, 3.0])


class Pair(NamedTuple):
    first: Any
    second: Any


@dataclasses.dataclass
class Layer:
    weight: Any
    bias: Any = None


# ---- containers


def quadratic(tree: Any) -> Any:
    """3 a^2 + 5 b over the first two leaves, whatever they lie in."""
    if isinstance(tree, dict):
        a, b = tree["a"], tree["b"]
    elif isinstance(tree, Layer):
        a, b = tree.weight, tree.bias
    else:
        a, b = tree
    return (3 * a * a).sum() + (5 * b).sum()


@pytest.mark.parametrize(
    "make",
    [
        lambda a, b: [a, b],
        lambda a, b: (a, b),
        lambda a, b: {"a": a, "b": b},
        lambda a, b: Pair(a, b),
        lambda a, b: Layer(a, b),
    ],
    ids=["list", "tuple", "dict", "named tuple", "dataclass"],
)
@pytest.mark.parametrize("kind", [np.array, lambda v: tg.tensor(np.array(v))], ids=["arrays", "tensors"])
def test_the_gradient_has_the_structure_of_the_argument(make: Any, kind: Any) -> None:
    argument = make(kind([1.0, 2.0]), kind([3.0]))
    found = tg.grad(quadratic)(argument)
    assert type(found) is type(argument)
    a, b = (found["a"], found["b"]) if isinstance(found, dict) else (
        (found.weight, found.bias) if isinstance(found, Layer) else found
    )  # fmt: skip
    assert type(a) is (np.ndarray if kind is np.array else tg.Tensor)
    assert_array_equal(a, [6.0, 12.0])
    assert_array_equal(b, [5.0])


def test_deeply_nested_containers_and_none() -> None:
    params = {"layers": [Layer(X, None), (X * 2, [X * 3, {}])], "nothing": None}

    def f(p: Any) -> Any:
        return (p["layers"][0].weight ** 2).sum() + (p["layers"][1][1][0] ** 3).sum()

    found = tg.grad(f)(params)
    assert found["nothing"] is None and found["layers"][0].bias is None and found["layers"][1][1][1] == {}
    assert_array_equal(found["layers"][0].weight, 2 * X)
    assert_array_equal(found["layers"][1][0], [0, 0, 0])
    assert_array_equal(found["layers"][1][1][0], 3 * (3 * X) ** 2)


def test_the_same_value_in_two_places_is_two_variables() -> None:
    a = tg.tensor(X, requires_grad=True)
    left, right = tg.grad(lambda p: (p[0] * p[0] * p[1]).sum())([a, a])
    assert_allclose(left, 2 * X * X)
    assert_allclose(right, X * X)


# ---- argnums, keywords, has_aux


def three(a: Any, b: Any, c: Any, *, scale: float = 1.0) -> Any:
    return (a * a * b + c).sum() * scale


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (0, [2 * X * 4 * X]),
        (1, [X * X]),
        (2, [np.ones(3)]),
        (-1, [np.ones(3)]),
        ((0, 2), [2 * X * 4 * X, np.ones(3)]),
        ([1, 0], [X * X, 2 * X * 4 * X]),
        ((1,), [X * X]),
        ((-3, 1), [2 * X * 4 * X, X * X]),
    ],
)
def test_argnums(argnums: Any, expected: Any) -> None:
    found = tg.grad(three, argnums)(X, 4 * X, X)
    if isinstance(argnums, int):
        found = (found,)
    assert type(found) is tuple and len(found) == len(expected)
    for got, want in zip(found, expected, strict=True):
        assert_allclose(got, want)


@pytest.mark.parametrize("argnums", [3, -4, (0, 7)])
def test_argnums_out_of_range(argnums: Any) -> None:
    with pytest.raises(tg.GradientError, match="3 were given by position"):
        tg.grad(three, argnums)(X, X, X)


@pytest.mark.parametrize("argnums", [(0, 0), (0, -3), "a", 1.5, ("a",)])
def test_argnums_that_make_no_sense(argnums: Any) -> None:
    with pytest.raises(tg.TensorgradError, match="argnums"):
        tg.grad(three, argnums)(X, X, X)


def test_keywords_are_passed_on_and_not_differentiated() -> None:
    assert_allclose(tg.grad(three)(X, X, X, scale=10.0), 20 * X * X)
    assert_allclose(tg.grad(three)(X, X, c=X), 2 * X * X)


def test_arguments_that_are_not_differentiated_may_be_anything() -> None:
    found = tg.grad(lambda x, how, n, f: (f(x) * n).sum() if how == "yes" else x.sum())(X, "yes", 3, tg.square)
    assert_allclose(found, 6 * X)


def test_value_and_grad() -> None:
    value, found = tg.value_and_grad(lambda x: (x**2).sum())(X)
    assert isinstance(value, np.floating) and value == 14.0
    assert_array_equal(found, 2 * X)
    value, (a, b) = tg.value_and_grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(tg.tensor(X), tg.tensor(2 * X))
    assert type(value) is tg.Tensor and value.item() == 28.0 and not value.requires_grad
    assert_array_equal(a, 2 * X)
    assert_array_equal(b, X)


def test_has_aux() -> None:
    def f(x: Any) -> Any:
        return (x * x).sum(), {"double": 2 * x, "note": "text", "none": None}

    found, aux = tg.grad(f, has_aux=True)(X)
    assert_array_equal(found, 2 * X)
    assert_array_equal(aux["double"], 2 * X)
    assert aux["note"] == "text" and aux["none"] is None
    (value, aux), found = tg.value_and_grad(f, has_aux=True)(tg.tensor(X))
    assert value.item() == 14.0
    assert_array_equal(found, 2 * X)


@pytest.mark.parametrize("kind", [np.array, tg.tensor], ids=["array", "tensor"])
def test_aux_holds_no_graph_unless_the_gradient_does(kind: Any) -> None:
    _, aux = tg.grad(lambda x: ((x * x).sum(), x * 2), has_aux=True)(kind(X))
    assert type(aux) is type(kind(X))
    assert not getattr(aux, "requires_grad", False)


def test_has_aux_needs_a_pair() -> None:
    with pytest.raises(tg.GradientError, match="has_aux=True the function must return"):
        tg.grad(lambda x: x.sum(), has_aux=True)(X)


# ---- what comes back


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (0, 2)])
def test_shape_and_dtype_are_those_of_the_argument(dtype: Any, shape: Any) -> None:
    x = np.ones(shape, dtype)
    for argument in (x, tg.tensor(x)):
        found = tg.grad(lambda x: (x * x).sum())(argument)
        assert found.shape == shape and found.dtype == dtype
        assert isinstance(found, tg.Tensor) == isinstance(argument, tg.Tensor)


def test_python_numbers_give_tensors_of_the_default_dtype() -> None:
    found = tg.grad(tg.sin)(0.5)
    assert type(found) is tg.Tensor and found.dtype == np.float32
    assert found.item() == pytest.approx(np.cos(0.5), rel=1e-6)


def test_a_gradient_is_an_array_of_its_own() -> None:
    x = np.ones(3)
    first, second = tg.grad(lambda a, b: (a + b).sum(), argnums=(0, 1))(x, x)
    assert first.flags.writeable and not np.shares_memory(first, second)
    first[...] = 7
    assert_array_equal(second, [1, 1, 1])


def test_the_argument_is_not_changed_and_may_be_changed_later() -> None:
    x = X.copy()
    kept = []
    found = tg.grad(lambda v: kept.append(v * 1) or (v * v).sum())(x)
    x[:] = 0
    assert_array_equal(found, 2 * X)
    assert_array_equal(kept[0], X)


def test_zeros_for_what_the_result_does_not_depend_on() -> None:
    a, b = tg.grad(lambda a, b: (a * 2).sum(), argnums=(0, 1))(X, np.ones((2, 1), np.float32))
    assert b.shape == (2, 1) and b.dtype == np.float32
    assert_array_equal(b, np.zeros((2, 1)))
    assert_array_equal(tg.grad(lambda x: tg.tensor(3.0))(X), [0, 0, 0])
    assert_array_equal(tg.grad(lambda x: 3.0)(X), [0, 0, 0])
    assert_array_equal(tg.grad(lambda x: tg.stop_gradient(x * x).sum())(X), [0, 0, 0])
    found = tg.grad(lambda x: tg.tensor(3.0))(tg.tensor(X))
    assert type(found) is tg.Tensor and not found.requires_grad


def test_a_single_element_of_any_rank_may_be_returned() -> None:
    assert_array_equal(tg.grad(lambda x: (x * x).sum(keepdims=True))(X), 2 * X)
    assert_array_equal(tg.grad(lambda x: (x * x).reshape(1, 1))(np.array([3.0])), [6.0])


# ---- errors


@pytest.mark.parametrize("bad", [3, True, np.arange(3), tg.tensor([1, 2]), np.array([True])])
def test_integers_and_booleans_cannot_be_differentiated(bad: Any) -> None:
    with pytest.raises(tg.DtypeError, match="argument"):
        tg.grad(lambda x: 1.0)(bad)


def test_the_error_names_the_place_in_the_container() -> None:
    with pytest.raises(tg.DtypeError, match=r"\['layers'\]\[1\]"):
        tg.grad(lambda p: 1.0)({"layers": [X, np.arange(3)]})
    with pytest.raises(tg.DtypeError, match="argnums"):
        tg.grad(lambda p: 1.0)("text")


@pytest.mark.parametrize("result", [lambda x: x, lambda x: (x.sum(), x), lambda x: None, lambda x: "text"])
def test_the_result_must_be_one_number(result: Any) -> None:
    with pytest.raises(tg.ShapeError, match="one number"):
        tg.grad(result)(X)


def test_the_result_must_be_real() -> None:
    with pytest.raises(tg.DtypeError, match="complex"):
        tg.grad(lambda x: x.sum())(np.array([1 + 2j]))


def test_an_error_in_the_function_leaves_nothing_switched() -> None:
    def f(x: Any) -> Any:
        raise KeyError("mine")

    with tg.no_grad():
        with pytest.raises(KeyError):
            tg.grad(f)(X)
        assert not tg.is_grad_enabled()
    assert tg.is_grad_enabled()
    with pytest.raises(KeyError):
        tg.vmap(tg.grad(f))(X)
    assert_array_equal(tg.grad(lambda x: x.sum())(X), [1, 1, 1])


def test_the_gradient_function_keeps_name_and_docstring() -> None:
    assert tg.grad(three).__name__ == "three"
    assert tg.value_and_grad(quadratic).__doc__ == quadratic.__doc__


# ---- captured parameters


def test_a_captured_parameter_makes_the_gradient_differentiable() -> None:
    w = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    x = np.array([0.5, -1.0], np.float32)
    g = tg.grad(lambda x: ((w @ x) ** 2).sum())(x)  # 2 W^T W x
    assert_allclose(g, 2 * w.numpy().T @ w.numpy() @ x)
    assert g.requires_grad
    (g * g).sum().backward()
    # d/dW |2 W^T W x|^2 = 2 (W h x^T + W x h^T) with h = 2 g
    h = 2 * g.numpy()
    assert_allclose(w.grad, 2 * w.numpy() @ (np.outer(h, x) + np.outer(x, h)), rtol=1e-6)


def test_a_penalty_on_the_input_gradient() -> None:
    """The gradient penalty of a critic: second order through everything captured."""
    generator = np.random.default_rng(0)
    w1 = tg.tensor(generator.normal(size=(3, 4)), requires_grad=True)
    w2 = tg.tensor(generator.normal(size=4), requires_grad=True)
    x = generator.normal(size=3)

    def penalty(w1: Any, w2: Any) -> Any:
        g = tg.grad(lambda x: tg.tanh(x @ w1) @ w2)(x)
        return ((g * g).sum() - 1) ** 2

    penalty(w1, w2).backward()
    for w, position in ((w1, 0), (w2, 1)):
        v = generator.normal(size=w.shape)
        points = [[w1.numpy(), w2.numpy()] for _ in range(2)]
        for sign, point in zip((1, -1), points, strict=True):
            point[position] = point[position] + sign * 1e-6 * v
        with tg.no_grad():
            plus, minus = [penalty(tg.tensor(a), tg.tensor(b)).item() for a, b in points]
        assert (w.grad.numpy() * v).sum() == pytest.approx((plus - minus) / 2e-6, rel=1e-6)


def test_nothing_arrives_at_captured_leaves() -> None:
    w = tg.tensor(X, requires_grad=True)
    tg.grad(lambda x: (w * x).sum())(X)
    assert w.grad is None


def test_an_argument_with_a_history() -> None:
    w = tg.tensor(X, requires_grad=True)
    y = w * 2
    g = tg.grad(lambda v: (v**3).sum())(y)  # 3 y^2 = 12 w^2
    g.sum().backward()
    assert_allclose(w.grad, 24 * X)


# ---- no_grad


def test_gradients_are_computed_under_no_grad_too() -> None:
    with tg.no_grad():
        assert_array_equal(tg.grad(lambda x: (x * x).sum())(X), 2 * X)
        assert not tg.is_grad_enabled()
        assert_allclose(tg.grad(lambda x: tg.grad(lambda y: (y**3).sum())(x).sum())(X), 6 * X)


def test_under_no_grad_the_gradient_carries_no_graph() -> None:
    w = tg.tensor(X, requires_grad=True)
    with tg.no_grad():
        g = tg.grad(lambda x: (w * x * x).sum())(tg.tensor(X))
        value, h = tg.value_and_grad(lambda v: (v * v).sum())(w)
        rows = tg.vmap(tg.grad(lambda x: (w * x * x).sum()))(np.stack([X, X]))
    assert_allclose(g, 2 * X * X)
    assert_allclose(h, 2 * X)
    assert_allclose(rows[1], 2 * X * X)
    assert not any(one.requires_grad for one in (g, h, value, rows))


def test_no_grad_inside_cuts_what_it_covers() -> None:
    def f(x: Any) -> Any:
        with tg.no_grad():
            frozen = x * x
        return (frozen * x).sum()

    assert_allclose(tg.grad(f)(X), X * X)
    assert_allclose(tg.vmap(tg.grad(f))(X), X * X)


def test_a_gradient_taken_inside_no_grad_inside_is_a_constant() -> None:
    def f(x: Any) -> Any:
        with tg.no_grad():
            slope = tg.grad(lambda v: (v**3).sum())(x)
        return (slope * x).sum()

    assert_allclose(tg.grad(f)(X), 3 * X * X)


# ---- backward inside


def test_a_function_that_trains_inside() -> None:
    def fit(x: Any) -> Any:
        w = tg.tensor(np.zeros(3), requires_grad=True)
        for _ in range(3):
            w.grad = None
            ((w - tg.tensor(X)) ** 2).sum().backward()
            with tg.no_grad():
                w -= 0.5 * w.grad
        return (w.detach() * x * x).sum()

    assert_allclose(tg.grad(fit)(X), 2 * X * X)


def test_backward_inside_a_level_says_what_to_use() -> None:
    def f(x: Any) -> Any:
        (x * x).sum().backward()
        return x.sum()

    with pytest.raises(tg.GradientError, match=r"tg\.grad"):
        tg.vmap(tg.grad(f))(np.ones((2, 3)))


# ---- writes


def test_writes_inside_the_function() -> None:
    def f(x: Any) -> Any:
        y = x * 1
        y[0] = 10.0
        y[1:] = y[1:] * x[:2]
        y *= 2
        return (y * y).sum()

    def closed(x: Any) -> Any:
        return 4 * (100 + (x[1] * x[0]) ** 2 + (x[2] * x[1]) ** 2)

    found = tg.grad(f)(X)
    for i in range(3):
        e = np.eye(3)[i] * 1e-6
        assert found[i] == pytest.approx((closed(X + e) - closed(X - e)) / 2e-6, rel=1e-6)


def test_an_argument_that_is_written_to() -> None:
    def f(x: Any) -> Any:
        x *= 2
        x[0] = x[1] * 5
        return (x * x).sum()

    expected = [0, 100 * 2 * 2 * 2 + 8 * 2, 8 * 3]
    leaf = tg.tensor(X, requires_grad=True)
    assert_allclose(tg.grad(f)(leaf), expected)
    assert_array_equal(leaf, X)
    assert_allclose(tg.grad(f)(leaf * 1), expected)
    try:  # of an array it is a leaf, which may refuse the write, but not answer wrongly
        found = tg.grad(f)(X)
    except tg.GradientError:
        return
    assert_allclose(found, expected)


# ---- autograd.grad


def test_autograd_grad_of_values_in_the_middle() -> None:
    x = tg.tensor(X, requires_grad=True)
    y = x * x
    z = (y**3).sum()
    dy, dx = tg.autograd.grad(z, [y, x])
    assert_allclose(dy, 3 * X**4)
    assert_allclose(dx, 6 * X**5)
    assert x.grad is None


def test_autograd_grad_of_an_output_with_respect_to_itself() -> None:
    x = tg.tensor(X, requires_grad=True)
    y = (x * x).sum()
    dy, dx = tg.autograd.grad(y, [y, x])
    assert dy.item() == 1.0
    assert_allclose(dx, 2 * X)


def test_autograd_grad_of_several_outputs_adds_up() -> None:
    x = tg.tensor(X, requires_grad=True)
    (found,) = tg.autograd.grad([x * x, x**3], x, grad_outputs=[np.ones(3), 2 * np.ones(3)])
    assert_allclose(found, 2 * X + 6 * X * X)


def test_autograd_grad_unused() -> None:
    w, v = [tg.tensor(X, requires_grad=True) for _ in range(2)]
    for y in ((w * w).sum(), tg.exp(w).sum(), (w @ w)):
        assert tg.autograd.grad(y, v, retain_graph=True, allow_unused=True) == (None,)
        dw, dv = tg.autograd.grad(y, [w, v], retain_graph=True, allow_unused=True)
        assert dv is None and dw is not None
        with pytest.raises(tg.GradientError, match="allow_unused=True"):
            tg.autograd.grad(y, v)


def test_autograd_grad_keeps_or_frees_the_graph() -> None:
    x = tg.tensor(X, requires_grad=True)
    y = (x * x).sum()
    tg.autograd.grad(y, x, retain_graph=True)
    tg.autograd.grad(y, x)
    with pytest.raises(tg.NoGraphError, match="retain_graph=True"):
        tg.autograd.grad(y, x)


def test_the_cotangents_given_may_have_a_history() -> None:
    """With create_graph the result is linear in grad_outputs, and differentiable in them."""
    w = tg.tensor(X, requires_grad=True)
    v = tg.tensor(np.ones(3), requires_grad=True)
    (g,) = tg.autograd.grad(w * w * w, w, grad_outputs=v, create_graph=True)  # 3 w^2 v
    assert_allclose(g, 3 * X * X)
    dw, dv = tg.autograd.grad(g, [w, v], grad_outputs=np.ones(3))
    assert_allclose(dw, 6 * X)
    assert_allclose(dv, 3 * X * X)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x, y: tg.autograd.grad(y, np.ones(3)), tg.GradientError, "input 0 does not require"),
        (lambda x, y: tg.autograd.grad(y.detach(), x), tg.NoGraphError, "requires_grad=True"),
        (lambda x, y: tg.autograd.grad(y, x), tg.ShapeError, "cotangent"),
        (lambda x, y: tg.autograd.grad(y, x, grad_outputs=np.ones(2)), tg.ShapeError, r"\(2,\)"),
        (lambda x, y: tg.autograd.grad([y, y], x, grad_outputs=[np.ones(3)]), tg.ShapeError, "one for each"),
    ],
)
def test_autograd_grad_errors(call: Any, error: Any, words: str) -> None:
    x = tg.tensor(X, requires_grad=True)
    with pytest.raises(error, match=words):
        call(x, x * x)


# ---- complex


def test_complex_arguments_follow_the_convention_of_steepest_ascent() -> None:
    """The gradient of |z|^2 is 2 z, and that of Re(z^2) is 2 conj(z)."""
    z = np.array([1 + 2j, -0.5j])
    assert_allclose(tg.grad(lambda z: (tg.abs(z) ** 2).sum())(z), 2 * z)
    assert_allclose(tg.grad(lambda z: tg.real(z * z).sum())(z), 2 * z.conj())
