"""Jacobians: shapes and structures, both modes against each other and against differences, batched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg

RNG = np.random.default_rng(3)
X = np.array([0.5, 1.5, -2.0])
A = RNG.normal(size=(2, 3))
MODES = {"jacfwd": tg.jacfwd, "jacrev": tg.jacrev, "jacobian": tg.jacobian}


def differences(f: Any, x: Any) -> Any:
    """The Jacobian of a function of one real array by central differences."""
    columns = []
    for i in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[i] = 1e-6
        columns.append((np.asarray(f(x + step)) - np.asarray(f(x - step))) / 2e-6)
    return np.stack(columns, -1).reshape((*columns[0].shape, *x.shape))


FUNCTIONS = {
    "vector to vector": (lambda x: tg.tanh(A @ x) * x[:2], X),
    "matrix to matrix": (lambda m: tg.linalg.inv(m) @ m.T, A @ A.T + np.eye(2)),
    "vector to number": (lambda x: (x**3).sum(), X),
    "number to vector": (lambda t: tg.stack([tg.sin(t), t * t, 3 * t]), np.array(0.7)),
    "number to number": (tg.exp, np.array(0.7)),
    "matrix to vector": (lambda m: tg.sort(m.sum(0))[::-1], A),
    "independent": (lambda x: np.array([1.0, 2.0]), X),
    "branches": (lambda x: x * 2 if x[0] > 0 else -x, X),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("chunk_size", [None, 1, 2], ids=["all", "one", "two"])
def test_against_differences(name: str, mode: str, chunk_size: int | None) -> None:
    f, x = FUNCTIONS[name]
    found = MODES[mode](f, chunk_size=chunk_size)(x)
    want = differences(f, x)
    assert type(found) in (np.ndarray, np.float64)
    assert found.shape == want.shape == np.shape(f(x)) + x.shape
    assert_allclose(found, want, atol=1e-8)


@pytest.mark.parametrize("mode", MODES)
def test_containers_give_outputs_of_inputs(mode: str) -> None:
    def f(p: Any, s: Any) -> Any:
        return {"a": p["w"] @ p["x"] * s, "b": [(p["x"] ** 2).sum()]}

    p = {"w": A, "x": X}
    found = MODES[mode](f)(p, 2.0)
    assert found["a"].keys() == found["b"][0].keys() == {"w", "x"}
    assert_allclose(found["a"]["x"], 2 * A)
    assert_allclose(found["a"]["w"], 2 * np.einsum("ij,k->ijk", np.eye(2), X))
    assert_allclose(found["b"][0]["x"], 2 * X)
    assert_allclose(found["b"][0]["w"], np.zeros((2, 3)))
    both = MODES[mode](f, argnums=(1, 0), chunk_size=3)(p, 2.0)
    assert type(both["a"]) is tuple
    assert_allclose(both["a"][0], A @ X)
    assert_allclose(both["a"][1]["x"], 2 * A)


@pytest.mark.parametrize("mode", MODES)
def test_kinds_dtypes_aux_and_keywords(mode: str) -> None:
    jac = MODES[mode]
    found = jac(lambda x: x * x)(tg.tensor(X, dtype=np.float32))
    assert type(found) is tg.Tensor and found.dtype == np.float32
    assert type(jac(lambda x: x * x)(3.0)) is tg.Tensor
    assert jac(lambda x: x * x)(X.astype(np.float32)).dtype == np.float32
    found, aux = jac(lambda x, n: (x * n, {"n": n, "x": x}), has_aux=True)(X, n=2)
    assert_allclose(found, 2 * np.eye(3))
    assert aux["n"] == 2 and type(aux["x"]) is np.ndarray
    assert_allclose(aux["x"], X)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(0,), (2, 0)], ids=["(0,)", "(2,0)"])
def test_nothing_at_all(mode: str, shape: tuple[int, ...]) -> None:
    x = np.zeros(shape)
    assert MODES[mode](lambda x: x * 2)(x).shape == shape + shape
    assert MODES[mode](lambda x: x.sum())(x).shape == shape


# ---- batched, and the cheaper mode


@tg.primitive
def counted(x):  # type: ignore[no-untyped-def]
    """2 x, which notes the shape that it was called with."""
    CALLS.append(x.shape)
    return 2 * x


counted.vjp(x=lambda g: 2 * g)
counted.batching(lambda size, batched, args: counted(args[0]))
CALLS: list[tuple[int, ...]] = []


@pytest.mark.parametrize(
    ("mode", "inputs", "outputs", "runs"),
    [("forward", 5, 9, 1), ("reverse", 5, 9, 1), ("auto", 5, 5, 1), ("auto", 9, 5, 1), ("auto", 5, 9, 2)],
)
def test_the_function_runs_once_and_not_for_each_direction(
    mode: Any, inputs: int, outputs: int, runs: int
) -> None:
    a = RNG.normal(size=(outputs, inputs))
    for chunk_size in (None, 2):
        del CALLS[:]
        found = tg.jacobian(lambda x: a @ counted(x), mode=mode, chunk_size=chunk_size)(np.ones(inputs))
        assert_allclose(found, 2 * a)
        assert [(inputs,)] * runs == CALLS


@pytest.mark.filterwarnings("ignore::tensorgrad.LoopWarning")  # `spread` has no rule
@pytest.mark.parametrize(("inputs", "outputs", "forward"), [(3, 4, True), (4, 3, False), (3, 3, False)])
def test_auto_takes_the_mode_with_fewer_directions(inputs: int, outputs: int, forward: bool) -> None:
    batches: list[int] = []

    @tg.linear
    def spread(x):  # type: ignore[no-untyped-def]
        return x * 1

    def back(g: Any) -> Any:
        batches.append(1)
        return g * 1

    spread.transpose(x=back)
    spread.batching(lambda size, batched, args: spread(args[0]))
    a = RNG.normal(size=(outputs, inputs))
    assert_allclose(tg.jacobian(lambda x: a @ spread(x))(np.ones(inputs)), a)
    assert bool(batches) is not forward


def test_chunks_bound_the_batch() -> None:
    sizes: list[int] = []

    @tg.linear
    def look(x):  # type: ignore[no-untyped-def]
        return x * 1

    def rule(size: int, batched: Any, args: Any) -> Any:
        sizes.append(size)
        return args[0]

    look.transpose(x=lambda g: look(g))
    look.batching(rule)
    for jac in (tg.jacfwd, tg.jacrev):
        del sizes[:]
        assert_allclose(jac(look, chunk_size=3)(np.ones(7)), np.eye(7))
        assert sizes == [3, 3, 1]


# ---- complex numbers

Z = X[:2] + 1j * X[1:]


@pytest.mark.parametrize("mode", MODES)
def test_complex_conventions(mode: str) -> None:
    jac = MODES[mode]
    # real to complex: dy/dx
    assert_allclose(jac(lambda x: x * x * (2 + 3j))(X), np.diag(2 * X * (2 + 3j)))
    # complex to real: as grad
    f = lambda z: (z * tg.conj(z)).real + z.imag
    assert_allclose(jac(f)(Z), np.diag(2 * Z + 1j))
    assert_allclose(jac(lambda z: f(z).sum())(Z), tg.grad(lambda z: f(z).sum())(Z))
    # complex to complex: the complex derivative
    assert_allclose(jac(lambda z: tg.exp(z) * z[0], holomorphic=True)(Z),
                    np.diag(np.exp(Z) * Z[0]) + np.outer(np.exp(Z), [1, 0]))  # fmt: skip
    with pytest.raises(tg.DtypeError, match=f"{mode}: an argument is complex.*holomorphic=True"):
        jac(lambda z: z * z)(Z)


@pytest.mark.parametrize("mode", MODES)
def test_real_and_complex_leaves_together(mode: str) -> None:
    def f(p: Any) -> Any:
        return [p["x"] * (1 + 2j), (p["z"] * tg.conj(p["z"])).real * p["x"][:2]]

    def g(p: Any) -> Any:
        return p["z"] * p["x"][:2]

    jac = MODES[mode](g, holomorphic=True)({"x": X, "z": Z})
    assert_allclose(jac["z"], np.diag(X[:2]))
    assert_allclose(jac["x"], np.pad(np.diag(Z), [(0, 0), (0, 1)]))
    assert jac["x"].dtype == np.complex128
    found = MODES[mode](lambda p: f(p)[1])({"x": X, "z": Z})
    assert_allclose(found["z"], np.diag(2 * Z * X[:2]))
    assert found["x"].dtype == np.float64
    assert_allclose(found["x"], np.pad(np.diag(abs(Z) ** 2), [(0, 0), (0, 1)]))


# ---- with other transformations

F = FUNCTIONS["vector to vector"][0]


def norm_of_jacobian(jac: Any) -> Any:
    return lambda x: (jac(F)(x) ** 2).sum()


@pytest.mark.parametrize("mode", MODES)
def test_a_jacobian_can_be_differentiated_and_batched(mode: str) -> None:
    f = norm_of_jacobian(MODES[mode])
    want = differences(norm_of_jacobian(tg.jacrev), X)
    assert_allclose(tg.grad(f)(X), want, atol=1e-6)
    assert_allclose(tg.grad(f)(tg.tensor(X)), want, atol=1e-6)
    assert_allclose(tg.jvp(f, (X,), (np.ones(3),))[1], want.sum(), atol=1e-6)
    assert_allclose(tg.vmap(tg.grad(f))(np.stack([X, X])), [want, want], atol=1e-6)
    batch = np.stack([X, 2 * X])
    assert_allclose(tg.vmap(MODES[mode](F))(batch), [tg.jacrev(F)(x) for x in batch])
    assert_allclose(MODES[mode](tg.vmap(F))(batch)[1, :, 1], tg.jacrev(F)(2 * X))
    with tg.no_grad():
        assert_allclose(MODES[mode](F)(X), tg.jacrev(F)(X))


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_jacobians_of_jacobians(outer: str, inner: str) -> None:
    found = MODES[outer](MODES[inner](lambda x: x[:2] ** 3 * x[2]))(X)
    want = np.zeros((2, 3, 3))
    for i in range(2):
        want[i, i, i] = 6 * X[i] * X[2]
        want[i, i, 2] = want[i, 2, i] = 3 * X[i] ** 2
    assert_allclose(found, want)


@pytest.mark.parametrize("mode", MODES)
def test_gradients_by_captured_tensors(mode: str) -> None:
    w = tg.tensor(X, requires_grad=True)
    MODES[mode](lambda x: x * x * w)(X).sum().backward()
    assert_allclose(w.grad, 2 * X)


# ---- errors


def test_errors_say_what_is_wanted() -> None:
    with pytest.raises(tg.GradientError, match="mode is 'backwards'; 'auto', 'forward', 'reverse' are known"):
        tg.jacobian(F, mode="backwards")  # type: ignore[arg-type]
    for bad in (0, -1, 2.5):
        with pytest.raises(tg.ShapeError, match=r"jacrev: chunk_size is .*; a positive integer"):
            tg.jacrev(F, chunk_size=bad)  # type: ignore[arg-type]
    with pytest.raises(tg.DtypeError, match=r"jacfwd: argument \[0\] has dtype int64"):
        tg.jacfwd(F)(np.arange(3))
    with pytest.raises(tg.DtypeError, match=r"jacrev: the result at \['n'\] has dtype int64.*has_aux=True"):
        tg.jacrev(lambda x: {"y": x, "n": tg.argmax(x)})(X)
    with pytest.raises(tg.GradientError, match="jacobian: argnums names argument 2, but 1 were given"):
        tg.jacobian(F, argnums=2)(X)
    with pytest.raises(tg.GradientError, match=r"jacfwd: with has_aux=True"):
        tg.jacfwd(F, has_aux=True)(X)
