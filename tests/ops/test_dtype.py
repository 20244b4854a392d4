"""Changes of dtype: gradients come back in the dtype they belong to; integers have none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg

FLOATS = ("float16", "float32", "float64")


@pytest.mark.parametrize("to", FLOATS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_the_gradient_comes_back_in_the_dtype_of_the_input(dtype: str, to: str) -> None:
    x = tg.tensor([1.0, 2.0], dtype=dtype, requires_grad=True)
    y = x.astype(to)
    assert y.dtype == np.dtype(to)
    (y * y).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.dtype(dtype)
    assert x.grad.tolist() == [2.0, 4.0]


def test_the_way_through_a_wider_dtype_adds_up_there() -> None:
    x = tg.tensor(np.full(3, 1e-3), dtype="float16", requires_grad=True)
    (x.astype("float64").sum() * 1e-3).backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), 1e-3, rtol=1e-3)


@pytest.mark.parametrize("to", ["int64", "bool", "uint8"])
def test_no_gradient_flows_through_integers(to: str) -> None:
    x = tg.tensor([1.5, 2.5], requires_grad=True)
    y = x.astype(to)
    assert not y.requires_grad
    (x * y.astype("float32")).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == y.astype("float32").tolist()


@pytest.mark.parametrize("dtype", ["object", "U3", "M8[s]"])
def test_dtypes_that_tensors_do_not_have(dtype: str) -> None:
    with pytest.raises(tg.DtypeError):
        tg.ones(2).astype(dtype)


def test_a_real_input_of_a_complex_result_gets_a_real_gradient() -> None:
    x = tg.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    z = x.astype("complex128") * (1 + 2j)
    (tg.real(z) * 3 + tg.imag(z)).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float64
    assert x.grad.tolist() == [5.0, 5.0]


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (tg.real, [1.0, 1.0]),
        (tg.imag, [1j, 1j]),
        (lambda z: tg.real(z * tg.conjugate(z)), [2 + 4j, -6.0]),
        (lambda z: tg.real(z * z), [2 - 4j, -6.0]),
        (lambda z: tg.abs(z), [(1 + 2j) / 5**0.5, -1.0]),
    ],
    ids=["real", "imag", "squared length", "square", "abs"],
)
def test_complex_gradients_point_uphill(f: Any, expected: Any) -> None:
    """The gradient is dL/d(real) + i dL/d(imaginary), so that ``z - lr * grad`` goes down."""
    z = tg.tensor([1 + 2j, -3.0], dtype="complex128", requires_grad=True)
    (g,) = tg.autograd.grad(f(z).sum(), z)
    np.testing.assert_allclose(g.numpy(), expected)


def test_stop_gradient_stops_all_modes() -> None:
    x = np.array([1.0, 2.0])
    assert tg.grad(lambda x: (tg.stop_gradient(x) * x).sum())(x).tolist() == [1.0, 2.0]
    assert tg.jvp(lambda x: tg.stop_gradient(x) * x, (x,), (np.ones(2),))[1].tolist() == [1.0, 2.0]
