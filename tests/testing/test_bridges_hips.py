"""Functions of HIPS autograd as subjects of checks, sound ones and faulty ones."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import bridges, check, from_autograd
from tests.testing.slopes_of import forward_agrees, second_order_wrong, wrong

pytest.importorskip("autograd", exc_type=ImportError)

import autograd.numpy as anp
from autograd.extend import defjvp, defvjp, primitive

X = np.array([0.5, 1.5, -0.75])


def cube(vjp=lambda g, x: 3 * g * x**2):
    """A primitive that cubes, with this derivative."""

    @primitive
    def cubed(x):
        return x**3

    defvjp(cubed, lambda y, x: lambda g: vjp(g, x))
    return cubed


def test_primitives_and_functions_of_its_numpy_are_found():
    subject = bridges.subject_of(cube(), [X])
    assert (subject.name, subject.names) == ("cubed", ("x",))
    assert wrong(subject, [X]) == []
    for f in (anp.tanh, anp.linalg.norm):
        assert wrong(bridges.subject_of(f, [X]), [X]) == []
    assert wrong(from_autograd(lambda x, y: (anp.exp(x) * y, [y.sum()])), [X, X]) == []


def test_an_input_that_is_used_twice_collects_both():
    subject = from_autograd(lambda x: x * anp.sin(x) + x, [X])
    assert wrong(subject, [X]) == [] and second_order_wrong(subject, [X]) == []


def test_results_that_are_not_used_or_do_not_depend_on_an_input():
    subject = from_autograd(lambda x, y: (x * 2.0, np.ones(2), y * x), [X, X])
    ys, pull = subject.pullback(X, X)
    assert len(ys) == 3
    assert [g if g is None else g.tolist() for g in pull([np.ones(3), None, None])] == [[2.0] * 3, None]
    assert pull([None, np.ones(2), None]) == [None, None]
    twice = from_autograd(lambda x: (lambda y: (y, y))(x * 3.0), [X])
    assert wrong(twice, [X]) == []


def test_a_primitive_with_several_results():
    @primitive
    def both(x):
        return x**2, np.sin(x)

    defvjp(both, lambda y, x: lambda g: 2 * x * g[0] + np.cos(x) * g[1])
    subject = bridges.subject_of(both, [X])
    assert len(subject.results(X)) == 2 and wrong(subject, [X]) == []


def test_writing_into_the_upstream_gradient_is_seen():
    def doubling(g, x):
        g *= 2
        return 3 * g * x**2

    g = np.ones(3)
    bridges.subject_of(cube(doubling), [X]).pullback(X)[1]([g])
    assert g.tolist() == [2.0] * 3


def test_dtype_and_shape_of_a_gradient_are_seen():
    (g,) = bridges.subject_of(cube(lambda g, x: (3 * g * x**2).astype("f")), [X]).pullback(X)[1]([np.ones(3)])
    assert g.dtype == np.float32
    (g,) = bridges.subject_of(cube(lambda g, x: g.sum()), [X]).pullback(X)[1]([np.ones(3)])
    assert g.shape == ()


def test_a_faulty_primitive_in_a_composite_is_a_step_of_its_own():
    faulty = cube(lambda g, x: 2 * g * x**2)

    def composite(x):
        a = anp.exp(x)
        b = faulty(a)  # this line
        return anp.tanh(b * x).sum()

    subject = from_autograd(composite, [X])
    assert wrong(subject, [X]) == ["x"]
    steps = subject.steps(X)
    assert [s.subject.name for s in steps] == ["exp", "cubed", "multiply", "tanh", "sum"]
    assert [s.subject.name for s in steps if wrong(s.subject, s.arrays)] == ["cubed"]
    file, line = steps[1].where.rsplit(":", 1)
    assert file == __file__ and int(line) == composite.__code__.co_firstlineno + 2
    assert [len(s.arrays) for s in steps] == [1, 1, 2, 1, 1]


def test_the_check_names_the_faulty_primitive():
    faulty = cube(lambda g, x: 2 * g * x**2)
    report = check(from_autograd(lambda x: anp.tanh(faulty(anp.exp(x))).sum()), X - 1)
    assert (report.cause.op, report.cause.diagnosis) == ("cubed", "factor")
    assert report.cause.where.startswith(f"{__file__}:")
    assert check(cube(), [X]) and check(from_autograd(lambda x: anp.tanh(anp.exp(x)).sum()), X - 1)


def test_what_it_can_do_with_a_function_is_there():
    with_jvp = cube()
    defjvp(with_jvp, lambda g, y, x: 3 * g * x**2)
    assert forward_agrees(bridges.subject_of(with_jvp, [X]), [X])
    assert second_order_wrong(bridges.subject_of(with_jvp, [X]), [X]) == []
    assert forward_agrees(bridges.subject_of(cube(), [X]), [X]) is None
    assert forward_agrees(from_autograd(lambda x, y: anp.sin(x) * y, [X, X]), [X, X])
    assert bridges.subject_of(cube(), [X]).batched([np.stack([X, X])], [np.stack([X, X])]) is None


def test_a_derivative_that_it_cannot_trace_has_no_second_order():
    in_floats = cube(lambda g, x: np.array([3 * float(a) * float(b) ** 2 for a, b in zip(g, x, strict=True)]))
    subject = bridges.subject_of(in_floats, [X])
    assert wrong(subject, [X]) == [] and subject.derived(1) is None


def test_complex_gradients_have_the_convention_of_this_library():
    z = X * (1 + 2j)
    for f in (lambda z: anp.exp(z) * z, lambda z: anp.conj(z) * z * z, lambda z: anp.real(z) * anp.imag(z)):
        assert wrong(from_autograd(f, [z]), [z]) == []


@pytest.mark.parametrize(
    "x", [np.array(0.5), np.ones((0, 2)), np.ones((3, 2))[::-1, ::-1]], ids=["0-d", "empty", "reversed"]
)
def test_layouts(x):
    assert wrong(bridges.subject_of(cube(), [x]), [x]) == []


def test_peers_are_found_and_compared():
    assert bridges.peer_of(tg.sin, "autograd") is anp.sin
    assert bridges.peer_of(tg.linalg.inv, "autograd") is anp.linalg.inv
    ours = from_autograd(lambda x: anp.sin(x), [X])
    assert bridges.compare(ours, bridges.peer_subject(tg.sin, "autograd", [X]), [X]) == []
    (found,) = bridges.compare(ours, bridges.peer_subject(tg.tan, "autograd", [X]), [X])
    assert found.wrong == 3
