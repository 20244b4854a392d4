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
    found = tg.grad(lambda x, how, n, f: (f(x) * n).sum() if how == "yes" else x.sum())(
        X, "yes", 3, tg.square
    )
    assert_allclose(found, 6 * X)


def test_value_and_grad() -> None:
    value, found = tg.value_and_grad(lambda x: (x**2).sum())(X)
    assert isinstance(value, np.floating) and value == 14.0
    assert_array_equal(found, 2 * X)
    value, (a, b) = tg.value_and_grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(
        tg.tensor(X), tg.tensor(2 * X)
    )
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
    _, b = tg.grad(lambda a, b: (a * 2).sum(), argnums=(0, 1))(X, np.ones((2, 1), np.float32))
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
    with pytest.raises(tg.ShapeError, match=r"one number|lack a return"):
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

    expected = [0, 200 * 2 + 8 * 2, 8 * 3]  # of (10 x1)^2 + (2 x1)^2 + (2 x2)^2 at x1 = 2, x2 = 3
    leaf = tg.tensor(X, requires_grad=True)
    assert_allclose(tg.grad(f)(leaf), expected)
    assert_array_equal(leaf, X)
    assert_allclose(tg.grad(f)(leaf * 1), expected)
    try:  # of an array it is a leaf, which may refuse the write, but not answer wrongly
        found = tg.grad(f)(X)
    except tg.GradientError:
        return
    assert_allclose(found, expected)


# ---- complex


def test_complex_arguments_follow_the_convention_of_steepest_ascent() -> None:
    """The gradient of |z|^2 is 2 z, and that of Re(z^2) is 2 conj(z)."""
    z = np.array([1 + 2j, -0.5j])
    assert_allclose(tg.grad(lambda z: (tg.abs(z) ** 2).sum())(z), 2 * z)
    assert_allclose(tg.grad(lambda z: tg.real(z * z).sum())(z), 2 * z.conj())


def test_a_mixed_second_derivative_of_arrays_is_an_array() -> None:
    """What the inner gradient leaves behind is its own variable, and no reason to record the outer one."""
    a, x = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    mixed = tg.grad(lambda a, x: tg.grad(lambda a, x: (tg.sin(a) * x * x).sum())(a, x).sum(), 1)(a, x)
    assert type(mixed) is np.ndarray
    np.testing.assert_allclose(mixed, 2 * x * np.cos(a))
    third = tg.grad(tg.grad(tg.grad(lambda a, x: tg.sin(a) * x * x), 1), 0)(np.float64(1.0), np.float64(3.0))
    assert type(third) is np.float64 and third == pytest.approx(-6 * np.sin(1.0))
