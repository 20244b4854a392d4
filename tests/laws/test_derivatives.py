"""Laws between derivatives: modes agree with one another and with differences, at every order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose

import tensorgrad as tg
from tests.laws.programs import ALL, SMOOTH, N, Program, each_alone, points, programs, share_of_examples

CLOSE = {"rtol": 1e-9, "atol": 1e-10}


def first(f: Any, x: Any, v: Any) -> dict[str, float]:
    """The derivative of ``f`` at ``x`` along ``v``, in every way there is."""
    w = tg.tensor(x, requires_grad=True)
    f(w).backward()
    ways = {
        "grad": tg.grad(f)(x) @ v,
        "backward": w.grad.numpy() @ v if w.grad is not None else 0.0,
        "jvp": tg.jvp(f, (x,), (v,))[1],
        "autograd.grad": sum(
            np.asarray(g) @ v for g in tg.autograd.grad(f(w), w, allow_unused=True) if g is not None
        ),
        "along a line": tg.grad(lambda s: f(x + s * v))(np.float64(0.0)),
    }
    return {way: float(value) for way, value in ways.items()}


def second(f: Any, x: Any, v: Any) -> dict[str, Any]:
    """The Hessian times ``v``, in every way there is."""

    def along(x: Any) -> Any:
        return (tg.grad(f)(x) * v).sum()

    w = tg.tensor(x, requires_grad=True)
    (g,) = tg.autograd.grad(f(w), w, create_graph=True)
    return {
        "grad of grad": tg.grad(along)(x),
        "grad of jvp": tg.grad(lambda x: tg.jvp(f, (x,), (v,))[1])(x),
        "jvp of grad": tg.jvp(tg.grad(f), (x,), (v,))[1],
        "jvp of jvp": np.stack(
            [np.asarray(tg.jvp(lambda x, e=e: tg.jvp(f, (x,), (e,))[1], (x,), (v,))[1]) for e in np.eye(N)]
        ),
        "columns": tg.vmap(lambda e: tg.jvp(tg.grad(f), (x,), (e,))[1])(np.eye(N)) @ v,
        "rows": v @ tg.vmap(lambda e: tg.grad(lambda x: (tg.grad(f)(x) * e).sum())(x))(np.eye(N)),
        "create_graph": tg.autograd.grad(g, w, grad_outputs=v)[0],
    }


def third(f: Any, x: Any, v: Any) -> dict[str, Any]:
    """The gradient of ``v H v``, in every way there is."""

    def slope(x: Any) -> Any:
        return tg.jvp(f, (x,), (v,))[1]

    def curvature(x: Any) -> Any:
        return tg.jvp(slope, (x,), (v,))[1]

    def product(x: Any) -> Any:
        return tg.grad(lambda y: (tg.grad(f)(y) * v).sum())(x)

    return {
        "grad jvp jvp": tg.grad(curvature)(x),
        "jvp grad jvp": tg.jvp(tg.grad(slope), (x,), (v,))[1],
        "jvp jvp grad": tg.jvp(lambda x: tg.jvp(tg.grad(f), (x,), (v,))[1], (x,), (v,))[1],
        "grad grad grad": tg.grad(lambda x: (product(x) * v).sum())(x),
        "jvp grad grad": tg.jvp(product, (x,), (v,))[1],
        "grad jvp grad": tg.grad(lambda x: (tg.jvp(tg.grad(f), (x,), (v,))[1] * v).sum())(x),
    }


def assert_all_equal(ways: dict[str, Any], expected: Any = None, **tolerance: Any) -> None:
    name, reference = next(iter(ways.items())) if expected is None else ("differences", expected)
    for way, value in ways.items():
        assert_allclose(value, reference, err_msg=f"{way} against {name}", **(tolerance or CLOSE))


def differences(f: Any, x: Any, v: Any, h: float = 1e-5) -> Any:
    """Five-point central differences along ``v``."""
    at = [np.asarray(f(x + k * h * v)) for k in (-2, -1, 1, 2)]
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)


def on_tensors(f: Any) -> Any:
    return lambda x: f(tg.tensor(x))


def check(program: Program, seed: int, *, smooth: bool) -> None:
    x, v, w = points(seed)

    def f(x: Any) -> Any:
        return program(x, w)

    assert_all_equal(first(f, x, v))
    assert_all_equal(second(f, x, v))
    if smooth:
        loose = {"rtol": 1e-6, "atol": 1e-7}
        assert_all_equal(first(f, x, v), differences(on_tensors(f), x, v), **loose)
        assert_all_equal(second(f, x, v), differences(lambda x: tg.grad(f)(x), x, v), **loose)


@pytest.mark.parametrize("program", each_alone(), ids=ALL)
def test_each_instruction(program: Program) -> None:
    check(program, 1, smooth=program.instructions[1][0] in SMOOTH)


@pytest.mark.parametrize("program", each_alone(), ids=ALL)
def test_each_instruction_at_third_order(program: Program) -> None:
    x, v, w = points(2)

    def f(x: Any) -> Any:
        return program(x, w)

    assert_all_equal(third(f, x, v))
    if program.instructions[1][0] in SMOOTH:
        expected = differences(lambda x: tg.grad(lambda y: (tg.grad(f)(y) * v).sum())(x), x, v)
        assert_all_equal(third(f, x, v), expected, rtol=1e-5, atol=1e-6)


@given(programs(SMOOTH))
def test_smooth_programs(program: Program) -> None:
    check(program, 3, smooth=True)


@given(programs())
def test_any_programs(program: Program) -> None:
    check(program, 4, smooth=False)


@given(programs(max_size=4))
@share_of_examples(2)
def test_programs_at_third_order(program: Program) -> None:
    x, v, w = points(5)
    assert_all_equal(third(lambda x: program(x, w), x, v))


@given(programs())
@share_of_examples(2)
def test_hessians_are_symmetric(program: Program) -> None:
    x, _, w = points(6)
    hessian = tg.vmap(lambda e: tg.jvp(tg.grad(lambda x: program(x, w)), (x,), (e,))[1])(np.eye(N))
    assert_allclose(hessian, hessian.T, **CLOSE)


# ---- captured parameters


def mixed(program: Program, seed: int) -> dict[str, Any]:
    """d/dw of (df/dx . v), with ``w`` captured in some ways and an argument in others."""
    x, v, w = points(seed)

    def as_argument(w: Any) -> Any:
        return (tg.grad(program)(x, w) * v).sum()

    def captured(slope: Any) -> Any:
        parameter = tg.tensor(w, requires_grad=True)
        slope(parameter).backward()
        return np.zeros_like(w) if parameter.grad is None else parameter.grad

    return {
        "argument": tg.grad(as_argument)(w),
        "jvp of grad": tg.jvp(lambda x: tg.grad(program, 1)(x, w), (x,), (v,))[1],
        "grad of jvp": tg.grad(lambda w: tg.jvp(lambda x: program(x, w), (x,), (v,))[1])(w),
        "captured by grad": captured(lambda p: (tg.grad(lambda x: program(x, p))(x) * v).sum()),
        "captured by jvp": captured(lambda p: tg.jvp(lambda x: program(x, p), (x,), (v,))[1]),
        "captured by grad in vmap": captured(
            lambda p: (tg.vmap(tg.grad(lambda x: program(x, p)))(np.stack([x, -x]))[0] * v).sum()
        ),
        "captured by jvp of grad of a line": captured(
            lambda p: tg.grad(lambda s: program(x + s * v, p))(np.float64(0.0))
        ),
    }


@pytest.mark.parametrize("program", each_alone(), ids=ALL)
def test_mixed_derivatives_of_each_instruction(program: Program) -> None:
    assert_all_equal(mixed(program, 7))


@given(programs())
@share_of_examples(2)
def test_mixed_derivatives(program: Program) -> None:
    assert_all_equal(mixed(program, 8))


@given(programs())
@share_of_examples(3)
def test_curvature_along_a_direction_of_captured_parameters(program: Program) -> None:
    """Third order with a captured parameter: d/dw of v H v."""
    x, v, w = points(9)

    def curvature(w: Any) -> Any:
        return tg.jvp(lambda x: tg.jvp(lambda x: program(x, w), (x,), (v,))[1], (x,), (v,))[1]

    parameter = tg.tensor(w, requires_grad=True)
    product = tg.grad(lambda x: (tg.grad(lambda x: program(x, parameter))(x) * v).sum())(x)
    (product * v).sum().backward()
    found = np.zeros_like(w) if parameter.grad is None else parameter.grad
    assert_allclose(found, tg.grad(curvature)(w), **CLOSE)
