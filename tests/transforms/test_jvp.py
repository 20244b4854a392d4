"""Forward mode: each kind of card, containers, and agreement with the reverse mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg

generator = np.random.default_rng(7)
A, B = generator.normal(size=(3, 4)), generator.normal(size=(3, 4))
POSITIVE = np.abs(A) + 0.5
DA, DB = generator.normal(size=(3, 4)), generator.normal(size=(3, 4))
M = generator.normal(size=(4, 2))
DM = generator.normal(size=(4, 2))

# One case or more for each kind: elementwise, linear, view, bilinear, general with a jvp and without,
# constant, several results, a list of inputs.
UNARY: dict[str, Any] = {
    "sin": tg.sin,
    "tanh": tg.tanh,
    "sqrt": lambda x: tg.sqrt(x * x + 1),
    "power by a number": lambda x: (x * x + 1) ** 1.5,
    "number to a power": lambda x: 2.0**x,
    "abs": tg.abs,
    "relu": tg.relu,
    "maximum with a number": lambda x: tg.maximum(x, 0.1),
    "where with numbers": lambda x: tg.where(x > 0, x, 0.0) + tg.where(x > 0, 1.0, x),
    "sum of an axis": lambda x: x.sum(0),
    "mean": lambda x: x.mean(-1, keepdims=True),
    "var": lambda x: x.var(1),
    "std": lambda x: x.std(),
    "max": lambda x: x.max(1),
    "min": lambda x: x.min(),
    "softmax": lambda x: tg.softmax(x, 0),
    "log_softmax": tg.log_softmax,
    "logsumexp": lambda x: tg.logsumexp(x, axis=1, keepdims=True),
    "reshape": lambda x: x.reshape(2, 6),
    "transpose": lambda x: x.T,
    "broadcast": lambda x: tg.broadcast_to(x, (2, 3, 4)),
    "basic index": lambda x: x[1:, None, ::-2],
    "integer index": lambda x: x[[0, 0, 2], [1, 1, 3]],
    "mask": lambda x: x[np.arange(12).reshape(3, 4) % 2 == 0],
    "concat with a constant": lambda x: tg.concat([x, np.ones((1, 4)), 2 * x]),
    "stack": lambda x: tg.stack([x, x * x], axis=1),
    "sort": lambda x: tg.sort(x, axis=0, descending=True),
    "take_along_axis": lambda x: tg.take_along_axis(x, np.array([[0], [3], [3]]), axis=1),
    "astype": lambda x: x.astype("float32").astype("float64"),
    "written to": lambda x: tg.concat([written(x), x]),
    "constants": lambda x: tg.sign(x) * x + (x > 0) * x,
    "einsum of one": lambda x: tg.einsum("ij,kj->ik", x, x),
    "conv2d": lambda x: tg.nn.functional.conv2d(x.reshape(1, 1, 3, 4), x.reshape(2, 1, 2, 3), padding=1),
}


def written(x: Any) -> Any:
    y = x * 1
    y[0] = 3.0
    y[1, [0, 2]] = x[0, :2] * 2
    return y


def finite(f: Any, primals: Any, tangents: Any, h: float = 1e-6) -> Any:
    plus = f(*[p + h * t for p, t in zip(primals, tangents, strict=True)])
    minus = f(*[p - h * t for p, t in zip(primals, tangents, strict=True)])
    return (np.asarray(plus) - np.asarray(minus)) / (2 * h)


@pytest.mark.parametrize("name", UNARY)
def test_the_tangent_is_the_directional_derivative(name: str) -> None:
    def on_tensors(x: Any) -> Any:
        return UNARY[name](tg.tensor(x))

    y, t = tg.jvp(UNARY[name], (A,), (DA,))
    assert type(y) is np.ndarray or isinstance(y, np.floating)
    assert_allclose(y, on_tensors(A), rtol=1e-12)
    loose = 3e-2 if name == "astype" else 1e-6
    assert t.shape == y.shape and t.dtype == y.dtype
    assert_allclose(
        t, finite(on_tensors, (A,), (DA,), 1e-3 if name == "astype" else 1e-6), rtol=loose, atol=loose
    )


@pytest.mark.parametrize("name", UNARY)
def test_adjoint_identity(name: str) -> None:
    """<g, J t> = <J* g, t>: forward and reverse mode are transposes of one another."""
    _, t = tg.jvp(UNARY[name], (A,), (DA,))
    g = generator.normal(size=t.shape)
    pulled = tg.grad(lambda x: (UNARY[name](x) * g).sum())(A)
    assert np.sum(g * np.asarray(t)) == pytest.approx(
        np.sum(pulled * DA), rel=1e-6 if name == "astype" else 1e-10
    )


@pytest.mark.parametrize(
    ("f", "second"),
    [
        (lambda a, b: a * b, (B, DB)),
        (lambda a, b: a / (b * b + 1), (B, DB)),
        (lambda a, b: tg.where(a > b, a, b * 2), (B, DB)),
        (lambda a, b: tg.maximum(a, b), (B, DB)),
        (lambda a, b: (a * a + 1) ** b, (B, DB)),
        (lambda a, b: a + b, (B[0], DB[0])),
        (lambda a, b: a * b, (B[:, :1], DB[:, :1])),
        (lambda a, b: a @ b, (M, DM)),
        (lambda a, b: a @ b, (M[:, 0], DM[:, 0])),
        (lambda a, b: tg.einsum("ij,jk->ki", a, b), (M, DM)),
        (lambda a, b: tg.concat([a, b, a]), (B, DB)),
    ],
)
@pytest.mark.parametrize("which", ["both", "first", "second"])
def test_two_inputs(f: Any, second: Any, which: str) -> None:
    b, db = second

    def run(a: Any, b: Any) -> Any:
        return f(tg.tensor(a), tg.tensor(b))

    da, db = (DA, db) if which == "both" else (DA, 0 * db) if which == "first" else (0 * DA, db)
    expected = finite(run, (A, b), (da, db))
    if which == "both":
        _, t = tg.jvp(f, (A, b), (da, db))
    elif which == "first":
        _, t = tg.jvp(lambda a: f(a, b), (A,), (da,))
    else:
        _, t = tg.jvp(lambda b: f(A, b), (b,), (db,))
    assert_allclose(t, expected, rtol=1e-6, atol=1e-8)


def test_several_results_and_containers() -> None:
    def f(p: Any, x: Any) -> Any:
        left, right = tg.split(p["w"] * x, 2, axis=1)
        return {"left": left, "rest": [right * 2, None], "constant": 3.0}

    y, t = tg.jvp(f, ({"w": A}, B), ({"w": DA}, DB))
    whole = DA * B + A * DB
    assert_allclose(y["left"], (A * B)[:, :2])
    assert_allclose(t["left"], whole[:, :2])
    assert_allclose(t["rest"][0], 2 * whole[:, 2:])
    assert t["rest"][1] is None and y["constant"] == 3.0 and t["constant"] == 0.0


def test_lists_of_primals_and_python_numbers() -> None:
    assert tg.jvp(lambda a, b: a * b, [2.0, 3.0], [1.0, 0.5]) == (6.0, 4.0)
    _, t = tg.jvp(tg.sin, (0.5,), (2.0,))
    assert float(t) == pytest.approx(2 * np.cos(0.5), rel=1e-6)


def test_tensors_in_tensors_out() -> None:
    y, t = tg.jvp(tg.sin, (tg.tensor(A),), (tg.tensor(DA),))
    assert type(y) is tg.Tensor and type(t) is tg.Tensor
    assert_allclose(t, np.cos(A) * DA)


def test_a_result_that_does_not_depend_on_the_primals_has_zero_tangent() -> None:
    y, t = tg.jvp(lambda x: np.ones(2), (A,), (DA,))
    assert_array_equal(y, [1, 1])
    assert_array_equal(t, [0, 0])
    _, t = tg.jvp(lambda x: x > 0, (A,), (DA,))
    assert t.shape == A.shape and not t.any()


def test_the_tangent_of_a_primal_may_have_another_floating_dtype() -> None:
    _, t = tg.jvp(lambda x: x * x, (np.ones(2, np.float32),), (np.ones(2),))
    assert t.dtype == np.float32


def test_stop_gradient_stops_the_tangent() -> None:
    _, t = tg.jvp(lambda x: tg.stop_gradient(x) * x, (A,), (DA,))
    assert_allclose(t, A * DA)


def test_a_number_to_the_power_keeps_the_precision_of_the_array() -> None:
    _, t = tg.jvp(lambda x: 2.0**x, (A,), (DA,))
    assert type(t) is np.ndarray
    assert_allclose(t, 2.0**A * np.log(2.0) * DA, rtol=1e-14)
    x = tg.tensor(0.3, dtype="float64", requires_grad=True)
    (2.0**x).backward()
    assert x.grad.item() == pytest.approx(2.0**0.3 * np.log(2.0), rel=1e-14)


def test_mixed_dtypes_inside() -> None:
    half = A.astype(np.float32)
    y, t = tg.jvp(lambda x: x * B, (half,), (DA.astype(np.float32),))
    assert y.dtype == t.dtype == np.float64
    y, t = tg.jvp(lambda x: B * x.sum(), (half,), (DA.astype(np.float32),))
    assert_allclose(t, B * DA.astype(np.float32).sum(), rtol=1e-5)


def test_complex_functions() -> None:
    z, dz = A + 1j * B, DA - 2j * DB
    assert_allclose(tg.jvp(lambda z: z * z * 2j, (z,), (dz,))[1], 4j * z * dz)
    assert_allclose(tg.jvp(lambda z: tg.exp(z), (z,), (dz,))[1], np.exp(z) * dz)
    assert_allclose(
        tg.jvp(lambda z: tg.conjugate(z) @ z.T, (z,), (dz,))[1], dz.conj() @ z.T + z.conj() @ dz.T
    )
    assert_allclose(tg.jvp(lambda x: (x * 1j).imag, (A,), (DA,))[1], DA)


def test_control_flow_follows_the_values() -> None:
    def f(x: Any) -> Any:
        return x * x if x > 1 else x * 3

    assert tg.jvp(f, (2.0,), (1.0,))[1] == 4.0
    assert tg.jvp(f, (0.5,), (1.0,))[1] == 3.0


def test_values_may_be_looked_at() -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append((x.shape, x.dtype, x.ndim, len(x), repr(x)[:4]))
        return x.detach() * x + sum(x[0]) + x.clone()

    _, t = tg.jvp(f, (A,), (DA,))
    assert_allclose(t, A * DA + DA[0].sum() + DA)
    assert seen[0][:4] == ((3, 4), np.dtype(float), 2, 3)


@pytest.mark.parametrize(
    "take",
    [lambda x: x.numpy(), lambda x: x.item(), float, np.asarray],
    ids=["numpy", "item", "float", "asarray"],
)
def test_a_number_cannot_be_taken_out(take: Any) -> None:
    with pytest.raises(tg.TensorgradError):
        tg.jvp(lambda x: take(x) * x, (2.0,), (1.0,))


def test_lists_beside_duals() -> None:
    x, v = A[0, :2], DA[0, :2]
    assert_allclose(tg.jvp(lambda r: tg.concat([r, [1.0, 2.0]]), (x,), (v,))[1], [*v, 0, 0])
    assert_allclose(tg.jvp(lambda r: tg.where([True, False], r, [1.0, 2.0]), (x,), (v,))[1], [v[0], 0])
    assert_allclose(tg.jvp(lambda r: tg.matmul([3.0, 2.0], r), (x,), (v,))[1], 3 * v[0] + 2 * v[1])


def test_value_and_tangent_are_of_one_kind() -> None:
    for f in (lambda x: tg.zeros_like(x) + x, lambda x: x + tg.ones(4), lambda x: tg.tensor(B) * x):
        y, t = tg.jvp(f, (A,), (DA,))
        assert type(y) is type(t)


# ---- captured tensors and modes


def test_captured_tensors_are_constants_and_keep_their_graph() -> None:
    w = tg.tensor(B, requires_grad=True)
    _, t = tg.jvp(lambda x: tg.tanh(x * w), (A,), (DA,))
    assert_allclose(t, (1 - np.tanh(A * B) ** 2) * B * DA)
    t.sum().backward()
    h = 1e-6
    u = generator.normal(size=B.shape)
    plus, minus = [((1 - np.tanh(A * b) ** 2) * b * DA).sum() for b in (B + h * u, B - h * u)]
    assert (w.grad.numpy() * u).sum() == pytest.approx((plus - minus) / (2 * h), rel=1e-6)


def test_primals_and_tangents_with_a_history() -> None:
    """Reverse over forward: the tangent is linear in the direction, and its gradient arrives there."""
    x, v = tg.tensor(A, requires_grad=True), tg.tensor(DA, requires_grad=True)
    _, t = tg.jvp(lambda x: x**3, (x,), (v,))
    t.sum().backward()
    assert_allclose(v.grad, 3 * A * A)
    assert_allclose(x.grad, 6 * A * DA)


@tg.primitive
def cube(x: Any) -> Any:
    return x**3


cube.vjp(x=lambda g, x: g * 3 * x * x)


def test_under_no_grad() -> None:
    with tg.no_grad():
        for f in (lambda x: x**3, cube, lambda x: tg.softmax(cube(x))):
            assert_allclose(
                tg.jvp(f, (A,), (DA,))[1],
                finite(lambda x, f=f: f(tg.tensor(x)), (A,), (DA,)),
                rtol=1e-6,
                atol=1e-8,
            )


def test_no_grad_does_not_cut_tangents() -> None:
    """`no_grad` is about recording; forward mode records nothing."""

    def f(x: Any) -> Any:
        with tg.no_grad():
            return x * x

    assert_allclose(tg.jvp(f, (A,), (DA,))[1], 2 * A * DA)


# ---- errors


def test_errors() -> None:
    with pytest.raises(tg.ShapeError, match=r"\(3, 4\).*\(4,\)"):
        tg.jvp(tg.sin, (A,), (DA[0],))
    with pytest.raises(tg.DtypeError, match="int64"):
        tg.jvp(lambda x: x * 2, (np.arange(3),), (np.arange(3),))
    with pytest.raises(tg.ShapeError, match="structure"):
        tg.jvp(lambda p: p["a"], ({"a": A},), ({"b": A},))
    with pytest.raises(tg.ShapeError, match="structure"):
        tg.jvp(lambda a, b: a, (A, B), (A,))


@pytest.mark.parametrize("primals", [1.0, A, tg.tensor(A), {"x": A}])
def test_primals_are_given_as_a_sequence(primals: Any) -> None:
    with pytest.raises(tg.TensorgradError, match=r"jvp.*(tuple|sequence)"):
        tg.jvp(tg.sin, primals, primals)


def test_a_missing_formula_is_named() -> None:
    @tg.primitive
    def pair(a: Any, b: Any, /) -> Any:
        return a * b

    pair.jvp(a=lambda t, b: t * b)
    pair.vjp(a=lambda g, b: g * b, b=lambda g, a: g * a)
    with pytest.raises(tg.RuleMissingError, match="pair"):
        tg.jvp(pair, (A, B), (DA, DB))


def test_has_aux_is_handed_on_without_its_tangent() -> None:
    x = np.array([1.0, 2.0])
    y, t, aux = tg.jvp(lambda x: (x * x, {"seen": x + 1, "n": 3}), (x,), (np.ones(2),), has_aux=True)
    assert_allclose(y, x * x)
    assert_allclose(t, 2 * x)
    assert_allclose(aux["seen"], x + 1)
    assert type(aux["seen"]) is np.ndarray and aux["n"] == 3
    with pytest.raises(tg.GradientError, match=r"jvp: with has_aux=True .* \(result, aux\)"):
        tg.jvp(lambda x: x, (x,), (x,), has_aux=True)
