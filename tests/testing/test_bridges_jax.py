"""Functions of JAX as subjects of checks, sound ones and faulty ones."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import bridges, check, from_jax
from tests.testing.slopes_of import batching_agrees, forward_agrees, second_order_wrong, wrong

pytest.importorskip("jax", exc_type=ImportError)

import jax
import jax.numpy as jnp

from tensorgrad.testing.bridges.jax_host import UNCOMPILED

X = np.array([0.5, 1.5, -0.75])


def cube(bwd=lambda x, g: (3 * g * x**2,), name="cube"):
    """A function that cubes, with this derivative."""

    def cubed(x):
        return x**3

    cubed.__name__ = name
    f = jax.custom_vjp(cubed)
    f.defvjp(lambda x: (x**3, x), bwd)
    return f


def test_custom_functions_jitted_ones_and_those_of_jax_are_found():
    subject = bridges.subject_of(cube(), [X])
    assert (subject.name, subject.names) == ("cube", ("x",))
    assert wrong(subject, [X]) == []
    for f in (jnp.tanh, jax.scipy.special.erf, jax.jit(lambda x: cube()(x) * x), jax.nn.softplus):
        assert wrong(bridges.subject_of(f, [X]), [X]) == []
    assert wrong(bridges.subject_of(lambda x: x * x, [jnp.ones(3)]), [X]) == []
    assert wrong(from_jax(lambda x, y: {"a": jnp.exp(x) * y, "n": jnp.arange(3)}), [X, X]) == []


def test_double_precision_is_on_for_double_precision_inputs_only():
    subject = bridges.subject_of(cube(), [X])
    assert subject.results(X)[0].dtype == np.float64
    assert subject.results(X.astype("f"))[0].dtype == np.float32
    assert jnp.ones(1).dtype == jnp.float32


def test_results_that_are_not_used_get_no_cotangent():
    _, pull = from_jax(lambda x: (x * 2, x * 3), [X]).pullback(X)
    assert pull([None, np.ones(3)])[0].tolist() == [3.0] * 3


def test_the_dtype_of_a_gradient_is_seen():
    (g,) = bridges.subject_of(cube(lambda x, g: ((3 * g * x**2).astype("f"),)), [X]).pullback(X)[1](
        [np.ones(3)]
    )
    assert g.dtype == np.float32


def test_a_gradient_of_another_shape_is_refused_by_jax():
    with pytest.raises(ValueError, match="shape"):
        bridges.subject_of(cube(lambda x, g: (g.sum(),)), [X]).pullback(X)[1]([np.ones(3)])


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit, jax.checkpoint], ids=["plain", "jit", "checkpoint"])
def test_a_faulty_function_in_a_composite_is_a_step_of_its_own(wrap):
    sound, faulty = cube(name="sound"), cube(lambda x, g: (2 * g * x**2,), name="faulty")

    def composite(x):
        a = sound(jnp.exp(x))
        b = faulty(jax.nn.relu(a))  # this line
        return jnp.tanh(b * x).sum()

    subject = from_jax(wrap(composite), [X])
    assert wrong(subject, [X]) == ["x"]
    first, second = subject.steps(X)
    assert [first.subject.name, second.subject.name] == ["sound", "faulty"]
    assert wrong(first.subject, first.arrays) == [] and len(wrong(second.subject, second.arrays)) == 1
    file, line = second.where.rsplit(":", 1)
    assert file == __file__ and int(line) == composite.__code__.co_firstlineno + 2
    assert np.allclose(second.arrays[0], np.exp(X) ** 3)


def test_the_check_names_the_faulty_function():
    faulty = cube(lambda x, g: (2 * g * x**2,), name="faulty")
    report = check(from_jax(lambda x: jnp.tanh(faulty(jnp.exp(x))).sum()), X - 1)
    assert (report.cause.op, report.cause.diagnosis) == ("faulty", "factor")
    assert report.cause.where.startswith(f"{__file__}:")
    assert check(cube(), [X])


def test_differences_run_what_jax_compiles_and_the_first_calls_show_a_memory():
    calls = []

    def f(x):
        calls.append(1)
        return x * x

    subject = from_jax(f, [X])
    found = [subject.results(X + i)[0] for i in range(3 * UNCOMPILED)]
    assert len(calls) == UNCOMPILED + 1
    assert all(np.array_equal(y, (X + i) ** 2) for i, y in enumerate(found))
    by_value = from_jax(lambda x: x * x if x[0] > 0 else -x, [X])
    assert all(np.array_equal(by_value.results(X)[0], X**2) for _ in range(2 * UNCOMPILED))
    assert not check(from_jax(lambda x: x * np.random.default_rng().random(), [X]), [X])


def test_an_argument_that_is_not_differentiated_is_constant_in_a_step():
    scaled = jax.custom_vjp(lambda x, c: x * c)
    scaled.defvjp(lambda x, c: (x * c, c), lambda c, g: (g * c, None))
    (step,) = from_jax(lambda x: scaled(x, jnp.array([1.0, 2.0, 3.0])).sum(), [X]).steps(X)
    assert len(step.arrays) == 1 and wrong(step.subject, step.arrays) == []


def test_what_jax_can_do_with_a_function_is_there():
    custom = bridges.subject_of(cube(), [X])
    assert forward_agrees(custom, [X]) is None and batching_agrees(custom, [X])
    assert second_order_wrong(custom, [X]) == []
    native = from_jax(lambda a, b: jnp.arctan2(a, jnp.exp(b)), [X, X])
    assert forward_agrees(native, [X, X]) and batching_agrees(native, [X, X])
    assert second_order_wrong(native, [X, X]) == []


def test_a_derivative_on_the_host_has_neither_second_order_nor_batching():
    def bwd(x, g):
        return (jax.pure_callback(lambda x, g: 3 * g * x**2, jax.ShapeDtypeStruct(x.shape, x.dtype), x, g),)

    subject = bridges.subject_of(cube(bwd), [X])
    assert wrong(subject, [X]) == []
    assert subject.derived(1) is None and batching_agrees(subject, [X]) is None


def test_complex_gradients_have_the_convention_of_this_library():
    z = X * (1 + 2j)
    for f in (lambda z: jnp.exp(z) * z, lambda z: jnp.conj(z) * z * z, lambda z: jnp.real(z) * jnp.imag(z)):
        assert wrong(from_jax(f, [z]), [z]) == []


@pytest.mark.parametrize(
    "x", [np.array(0.5), np.ones((0, 2)), np.ones((3, 2))[::-1, ::-1]], ids=["0-d", "empty", "reversed"]
)
def test_layouts(x):
    assert wrong(bridges.subject_of(cube(), [x]), [x]) == []


def test_peers_are_found_and_compared():
    assert bridges.peer_of(tg.sin, "jax") is jnp.sin
    assert bridges.peer_of(tg.special.erf, "jax") is jax.scipy.special.erf
    assert bridges.compare(from_jax(jnp.sin, [X]), bridges.peer_subject(tg.sin, "jax", [X]), [X]) == []
    (found,) = bridges.compare(from_jax(jnp.sin, [X]), bridges.peer_subject(tg.tan, "jax", [X]), [X])
    assert found.wrong == 3
