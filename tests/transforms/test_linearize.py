"""Linear programs: the same as jvp, without running the function again."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg

RNG = np.random.default_rng(7)
X = np.array([0.5, 1.5, 2.0])
W = RNG.normal(size=(3, 3)) + 3 * np.eye(3)


@tg.primitive
def counted(x):  # type: ignore[no-untyped-def]
    """x^2, which counts its calls; forward mode is derived from its vjp."""
    CALLS.append(1)
    return x * x


counted.vjp(x=lambda g, x: 2 * g * x)
CALLS: list[int] = []


def network(p: Any) -> Any:
    h = tg.tanh(p["w"] @ p["x"] + 0.5)
    return {"out": h.sum(), "soft": tg.softmax(h * p["x"]), "count": 3}


FUNCTIONS = {
    "elementwise": lambda x: tg.sin(x) * tg.exp(-x) + x**3,
    "contractions": lambda x: tg.einsum("ij,j,k->ik", W, x, x),
    "indexing": lambda x: tg.concat([x[::-1], tg.sort(x)[:2], x[[0, 0]]]),
    "linalg": lambda x: tg.linalg.solve(W + tg.diag(x), x),
    "several results": lambda x: tg.linalg.eigh(W + W.T + tg.diag(x))[0],
    "scalar": lambda x: (x * x).sum(),
    "vjp only": lambda x: counted(tg.sin(x)),
    "gradient": tg.grad(lambda x: (tg.exp(x) * x).sum()),
    "in place": lambda x: in_place(x),
    "a constant": lambda x: np.ones(2),
    "branches": lambda x: x * 2 if x[0] < 1 else x * 3,
}


def in_place(x: Any) -> Any:
    y = x * 2
    y += x
    y[0] = y[1] * x[2]
    return y


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_program_gives_what_jvp_gives(name: str) -> None:
    f = FUNCTIONS[name]
    y, f_jvp = tg.linearize(f, X)
    for t in (np.ones(3), np.array([0.0, -1.0, 2.0])):
        want_y, want = tg.jvp(f, (X,), (t,))
        assert_allclose(y, want_y)
        assert type(f_jvp(t)) is type(want)
        assert_allclose(f_jvp(t), want, atol=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_transpose_gives_what_vjp_gives(name: str) -> None:
    y, f_jvp = tg.linearize(FUNCTIONS[name], X)
    _, pull = tg.vjp(FUNCTIONS[name], X)
    for ct in (np.ones(np.shape(y)), RNG.normal(size=np.shape(y))):
        assert_allclose(f_jvp.transpose(ct)[0], pull(ct)[0], atol=1e-13)


def test_containers_and_aux() -> None:
    p = {"w": W, "x": X}
    t = {"x": np.ones(3), "w": np.eye(3)}  # in another order
    y, f_jvp, aux = tg.linearize(lambda p: (network(p), p["x"] + 1), p, has_aux=True)
    want_y, want = tg.jvp(network, (p,), (t,))
    found = f_jvp(t)
    assert found.keys() == y.keys() == want.keys()
    for key in want:
        assert_allclose(y[key], want_y[key])
        assert_allclose(found[key], want[key])
    assert type(aux) is np.ndarray
    assert_allclose(aux, X + 1)


def test_the_second_evaluation_does_not_run_the_function() -> None:
    del CALLS[:]
    runs = []

    def f(x: Any) -> Any:
        runs.append(1)
        return counted(counted(x)).sum()

    _, f_jvp = tg.linearize(f, X)
    assert len(runs) == 1 and len(CALLS) == 2
    assert_allclose(f_jvp(np.ones(3)), (4 * X**3).sum())
    f_jvp(X), f_jvp.transpose(1.0), tg.vmap(f_jvp)(np.eye(3)), tg.grad(f_jvp)(X)
    assert len(runs) == 1 and len(CALLS) == 2


def test_an_infinite_slope_is_no_warning_before_a_tangent_is_known() -> None:
    with np.errstate(divide="ignore"):
        _, f_jvp = tg.linearize(lambda x: tg.sqrt(x), np.array([0.0, 4.0]))
    assert_array_equal(f_jvp(np.ones(2)), [np.inf, 0.25])


# ---- what it keeps


def test_equations_that_lead_nowhere_are_dropped() -> None:
    def f(x: Any) -> Any:
        tg.exp(x) * tg.sin(x)  # computed and thrown away
        return x * 2

    _, f_jvp = tg.linearize(f, X)
    assert repr(f_jvp) == "<linear function with 1 equation: float64[3] -> float64[3]>"
    assert str(f_jvp).splitlines()[1:] == ["  t1 = multiply(t0, 2)", "  return t1"]


def test_intermediate_values_go_when_nobody_needs_them() -> None:
    alive: list[Any] = []

    @tg.primitive
    def noted(x):  # type: ignore[no-untyped-def]
        alive.append(weakref.ref(x if x.base is None else x.base))
        return x + 0

    noted.vjp(x=lambda g: g)
    _, f_jvp = tg.linearize(lambda x: noted(x + 1) * X, X)  # linear: x + 1 is not needed
    gc.collect()
    assert alive[0]() is None

    counts: list[int] = []

    @tg.linear
    def look(x):  # type: ignore[no-untyped-def]
        alive.append(weakref.ref(x if x.base is None else x.base))
        counts.append(sum(one() is not None for one in alive))
        return x * 1

    look.transpose(x=lambda g: g)
    _, f_jvp = tg.linearize(lambda x: look(look(look(x * 2) * 3) * 4), X)
    del alive[:], counts[:]
    f_jvp(X)
    assert counts == [1, 1, 1]  # while it runs, one tangent is alive at a time


def test_constants_keep_their_values() -> None:
    held, array = tg.tensor(X), X.copy()
    _, f_jvp = tg.linearize(lambda x: x * held * array, X)
    want = f_jvp(np.ones(3))
    held[...] = 0.0
    array[:] = 0.0
    assert_allclose(f_jvp(np.ones(3)), want)
    w = tg.tensor(X, requires_grad=True)
    _, f_jvp = tg.linearize(lambda x: x * w, X)
    with tg.no_grad():
        w[...] = 0.0
    with pytest.raises(tg.MutatedError, match=r"linearize: a tensor .* was written to"):
        f_jvp(X)


# ---- inside of everything


def squares(x: Any) -> Any:
    """3 x^2 by a linear program."""
    return tg.linearize(lambda z: z**3, x)[1](tg.ones_like(x))


WAYS = {
    "grad": lambda f, x: tg.grad(lambda x: f(x).sum())(x),
    "jvp": lambda f, x: tg.jvp(f, (x,), (np.ones_like(x),))[1],
    "vjp": lambda f, x: tg.vjp(f, x)[1](np.ones_like(x))[0],
    "linearize": lambda f, x: tg.linearize(f, x)[1](np.ones_like(x)),
    "transpose": lambda f, x: tg.linearize(f, x)[1].transpose(np.ones_like(x))[0],
    "vmap of grad": lambda f, x: tg.vmap(tg.grad(f))(x),
    "grad of vmap": lambda f, x: tg.grad(lambda x: tg.vmap(f)(x).sum())(x),
    "jvp of vmap": lambda f, x: tg.jvp(tg.vmap(f), (x,), (np.ones_like(x),))[1],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", [tg.enable_grad, tg.no_grad])
def test_linearize_inside_any_transformation(way: str, mode: Any) -> None:
    with mode():
        assert_allclose(np.asarray(WAYS[way](squares, X)), 6 * X)


@pytest.mark.parametrize("way", WAYS)
def test_a_program_takes_tangents_of_any_transformation(way: str) -> None:
    _, f_jvp = tg.linearize(tg.sin, np.float64(0.3) if "vmap" in way else np.full(3, 0.3))
    assert_allclose(np.asarray(WAYS[way](lambda t: f_jvp(t) ** 2, X)), 2 * X * np.cos(0.3) ** 2)


def test_gradients_by_captured_tensors() -> None:
    w = tg.tensor(X, requires_grad=True)
    x = tg.tensor(X, requires_grad=True)
    y, f_jvp = tg.linearize(lambda x: x * x * w, x)
    assert isinstance(y, tg.Tensor)
    (y.sum() + f_jvp(tg.ones(3)).sum()).backward()
    assert_allclose(x.grad, 2 * X * X + 2 * X)
    assert_allclose(w.grad, X * X + 2 * X)


def test_custom_rules() -> None:
    @tg.custom_jvp
    def scaled(x: Any) -> Any:
        return x * 1.0

    scaled.defjvp(lambda xs, ts: (scaled(xs[0]), 5.0 * ts[0]))
    _, f_jvp = tg.linearize(lambda x: scaled(x) * x, X)
    assert_allclose(f_jvp(np.ones(3)), X + 5 * X)
    assert_allclose(f_jvp.transpose(np.ones(3))[0], X + 5 * X)

    @tg.custom_jvp
    def decides(x: Any) -> Any:
        return x * 1.0

    decides.defjvp(lambda xs, ts: (xs[0], ts[0] if (ts[0] > 0).all() else -ts[0]))
    with pytest.raises(tg.TraceError, match="must be linear in its tangents"):
        tg.linearize(decides, X)


def test_errors_say_what_is_wanted() -> None:
    _, f_jvp = tg.linearize(lambda a, b: a["x"] * b, {"x": X}, 2.0)
    with pytest.raises(tg.ShapeError, match="linearize: 1 tangents were given for 2 arguments"):
        f_jvp({"x": X})
    with pytest.raises(
        tg.ShapeError, match=r"the tangent at \[0\]\['x'\] has shape \(2,\), the primal \(3,\)"
    ):
        f_jvp({"x": np.ones(2)}, 1.0)
    with pytest.raises(tg.DtypeError, match=r"the tangent at \[1\] has dtype complex64"):
        f_jvp({"x": X}, 1j)
    with pytest.raises(tg.DtypeError, match=r"linearize: primal \[1\] is 2 \(int\)"):
        tg.linearize(lambda x, n: x * n, X, 2)
    with pytest.raises(tg.ShapeError, match="the cotangent has shape"):
        f_jvp.transpose(np.ones(2))
