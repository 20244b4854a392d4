"""Functions of PyTorch as subjects of checks, sound ones and faulty ones."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import bridges, check, from_torch
from tests.reference.peer import torch
from tests.testing.slopes_of import batching_agrees, forward_agrees, second_order_wrong, wrong

X = np.array([0.5, 1.5, -0.75])


def cube(backward, setup=False, **more):
    """A Function that cubes, with this backward of ctx and g."""

    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    members = {"backward": staticmethod(backward)}
    if setup:
        members |= {"forward": staticmethod(lambda x: x**3), "setup_context": staticmethod(setup_context)}
    else:
        members["forward"] = staticmethod(forward)
    return type("Cube", (torch.autograd.Function,), {**members, **more})


def right(ctx, g):
    (x,) = ctx.saved_tensors
    return 3 * g * x * x


Cube = cube(right)
Modern = cube(
    right, setup=True, generate_vmap_rule=True,
    jvp=staticmethod(lambda ctx, t: 3 * t * ctx.saved_tensors[0] ** 2),
)  # fmt: skip


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor, y, flag=None):
        ctx.save_for_backward(x, y)
        ctx.factor = factor
        return factor * x * y, x + y

    @staticmethod
    def backward(ctx, g, h):
        x, y = ctx.saved_tensors
        return ctx.factor * g * y + h, None, ctx.factor * g * x + h, None


def test_a_function_is_told_by_its_apply_its_class_or_the_tensors_it_gets():
    for f in (Cube.apply, Cube):
        subject = bridges.subject_of(f, [X])
        assert subject.name == "Cube" and subject.names == ("x",) and wrong(subject, [X]) == []
    for f in (lambda x: torch.tanh(Cube.apply(x)), torch.nn.Tanh()):
        assert wrong(bridges.subject_of(f, [torch.tensor(X)]), [X]) == []
    assert wrong(bridges.subject_of(torch.special.erf, [X]), [X]) == []
    assert wrong(from_torch(lambda x: Cube.apply(x).sum()), [X]) == []


def test_what_is_no_floating_array_is_constant():
    subject = bridges.subject_of(Scaled.apply, [X, 2.0, X + 1, None])
    assert subject.names == ("x", "y")
    assert wrong(subject, [X, X + 1]) == [] and second_order_wrong(subject, [X, X + 1]) == []


def test_of_tensors_those_that_require_a_gradient_are_inputs():
    x, w = torch.tensor(X), torch.tensor(X + 1, requires_grad=True)
    subject = bridges.subject_of(lambda x, w: x * w, [x, w])
    assert subject.names == ("w",) and subject.arrays[0].tolist() == (X + 1).tolist()
    assert wrong(subject, [X + 1]) == []


def test_results_that_are_not_used_get_no_cotangent():
    _, pull = bridges.subject_of(Scaled.apply, [X, 2.0, X]).pullback(X, X)
    assert [g.tolist() for g in pull([None, np.ones(3)])] == [[1.0] * 3] * 2
    assert pull([None, None]) == [None, None]


def test_integer_results_are_left_out():
    subject = bridges.subject_of(torch.sort, [X])
    assert len(subject.results(X)) == 1 and wrong(subject, [X]) == []


@pytest.mark.parametrize("f", [Cube.apply, lambda x: Cube.apply(x)], ids=["Function", "composite"])
def test_writing_into_the_upstream_gradient_is_seen(f):
    def doubling(ctx, g):
        g *= 2
        return right(ctx, g)

    faulty = cube(doubling).apply
    subject = from_torch(faulty if f is Cube.apply else lambda x: faulty(x), [X])
    for shared in (np.ones(3), np.ones((3, 2))[:, 0]):
        subject.pullback(X)[1]([shared])
        assert shared.tolist() == [2.0] * 3


def test_the_dtype_that_a_backward_returns_is_seen_though_the_engine_casts_it():
    faulty = cube(lambda ctx, g: right(ctx, g).float())
    (g,) = bridges.subject_of(faulty, [X]).pullback(X)[1]([np.ones(3)])
    assert g.dtype == np.float32
    composite = from_torch(lambda x: faulty.apply(x.exp()).sum(), [X])
    (step,) = composite.steps(X)
    assert step.subject.pullback(*step.arrays)[1]([np.ones(3)])[0].dtype == np.float32


def test_the_shape_and_number_of_gradients_are_seen():
    (g,) = bridges.subject_of(cube(lambda ctx, g: g.sum()), [X]).pullback(X)[1]([np.ones(3)])
    assert g.shape == ()
    (g,) = bridges.subject_of(cube(lambda ctx, g: g.expand(2, 1, 3)), [X]).pullback(X)[1]([np.ones(3)])
    assert g.tolist() == [2.0] * 3  # as the engine does
    with pytest.raises(tg.ShapeError, match="returned 0 gradients for 1"):
        bridges.subject_of(cube(lambda ctx, g: ()), [X]).pullback(X)[1]([np.ones(3)])
    with pytest.raises(tg.DtypeError, match="a gradient is a tensor or None, got float"):
        bridges.subject_of(cube(lambda ctx, g: 1.0), [X]).pullback(X)[1]([np.ones(3)])


def test_a_faulty_function_in_a_composite_is_a_step_of_its_own():
    faulty = cube(lambda ctx, g: 2 * right(ctx, g)).apply
    sound = Scaled.apply

    def composite(x):
        a, b = sound(torch.exp(x), 2.0, x)
        c = faulty(a)  # this line
        with torch.no_grad():
            faulty(b)
        return torch.tanh(c * b).sum()

    subject = from_torch(composite, [X])
    assert wrong(subject, [X]) == ["x"]
    first, second = subject.steps(X)
    assert [first.subject.name, second.subject.name] == ["Scaled", "Cube"]
    assert wrong(first.subject, first.arrays) == [] and wrong(second.subject, second.arrays) == ["x"]
    file, line = second.where.rsplit(":", 1)
    assert file == __file__ and int(line) == composite.__code__.co_firstlineno + 2
    assert np.allclose(second.arrays[0], 2 * np.exp(X) * X)


def test_the_check_names_the_faulty_function():
    faulty = cube(lambda ctx, g: 2 * g * ctx.saved_tensors[0] ** 2).apply
    report = check(from_torch(lambda x: torch.tanh(faulty(torch.exp(x))).sum()), X - 1)
    assert (report.cause.op, report.cause.diagnosis) == ("Cube", "factor")
    assert report.cause.where.startswith(f"{__file__}:")
    narrow = cube(lambda ctx, g: right(ctx, g).float()).apply
    report = check(lambda x: narrow(x.exp()).sum(), [torch.tensor(X - 1)])
    assert report.cause.op == "Cube" and "wrong dtype" in [one.diagnosis for one in report.culprits]


def test_the_check_finds_nothing_in_what_is_right():
    assert check(Cube.apply, [X]) and check(Modern, [torch.tensor(X)])
    assert check(Scaled.apply, [X, 2.0, X + 1, None])
    layers = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh()).double()
    assert check(layers, [torch.tensor(X)])
    assert check(torch.relu, [np.array([0.0, 1.0, -1.0])])


def test_steps_are_what_was_applied_before_anything_was_written_over():
    def composite(x):
        y = Cube.apply(x * 1.0)
        return y.mul_(2.0)

    (step,) = from_torch(composite, [X]).steps(X)
    assert np.array_equal(step.arrays[0], X)


def test_a_custom_op_is_a_step():
    name = "tensorgrad_tests::cube"
    op = torch.library.custom_op(name, lambda x: x**3, mutates_args=(), schema="(Tensor x) -> Tensor")
    op.register_autograd(
        lambda ctx, g: 2 * g * ctx.saved_tensors[0] ** 2,
        setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    )
    subject = bridges.subject_of(op, [X])
    assert subject.name == name and wrong(subject, [X]) == ["x"]
    assert subject.pushforward([X], [X]) is None
    (step,) = from_torch(lambda x: op(x.exp()).sum(), [X]).steps(X)
    assert step.subject.name == name and wrong(step.subject, step.arrays) == ["x"]


def test_what_pytorch_can_do_with_a_function_is_there():
    modern = bridges.subject_of(Modern, [X])
    assert forward_agrees(modern, [X]) and batching_agrees(modern, [X])
    assert second_order_wrong(modern, [X]) == []
    plain = bridges.subject_of(Cube, [X])
    assert forward_agrees(plain, [X]) is None and batching_agrees(plain, [X]) is None
    assert second_order_wrong(plain, [X]) == []
    native = from_torch(lambda a, b: torch.atan2(a, b.exp()), [X, X])
    assert forward_agrees(native, [X, X]) and batching_agrees(native, [X, X])
    assert second_order_wrong(native, [X, X]) == []


def test_own_forward_mode_and_batching_that_raise_are_not_excused():
    def refuse(*args):
        raise RuntimeError("no")

    rules = {"jvp": staticmethod(refuse), "vmap": staticmethod(refuse)}
    subject = bridges.subject_of(cube(right, setup=True, **rules), [X])
    with pytest.raises(RuntimeError, match="no"):
        subject.pushforward([X], [X])
    with pytest.raises(RuntimeError, match="no"):
        subject.batched([X], [X])


def test_second_order_is_checked_where_it_is_claimed():
    class Saving(torch.autograd.Function):  # pytorch#58509: what is kept on ctx has no graph
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.slope = 3 * x * x
            return x**3

        @staticmethod
        def backward(ctx, g):
            return g * ctx.slope

    assert second_order_wrong(bridges.subject_of(Saving, [X]), [X]) == ["x"]
    once = cube(torch.autograd.function.once_differentiable(right))
    assert bridges.subject_of(once, [X]).derived(1) is None
    in_numpy = cube(
        lambda ctx, g: torch.from_numpy(3 * g.detach().numpy() * ctx.saved_tensors[0].detach().numpy() ** 2)
    )
    assert wrong(bridges.subject_of(in_numpy, [X]), [X]) == []
    assert bridges.subject_of(in_numpy, [X]).derived(1) is None


@pytest.mark.parametrize(
    "x",
    [np.array(0.5), np.ones((0, 2)), np.ones((3, 2))[::-1, ::-1], np.broadcast_to(0.5, (2, 2)), X.astype(">f8"),
     np.asfortranarray(np.ones((2, 3)))],
    ids=["0-d", "empty", "reversed", "read-only", "byte order", "Fortran"],
)  # fmt: skip
def test_layouts(x):
    subject = bridges.subject_of(Cube, [x])
    assert wrong(subject, [x]) == []


def test_dtypes():
    for dtype in ("float16", "float32", "complex64", "complex128"):
        subject = bridges.subject_of(Cube, [X.astype(dtype)])
        (y,), pull = subject.pullback(X.astype(dtype))
        assert y.dtype == dtype and pull([y])[0].dtype == dtype
    z = X * (1 + 2j)
    assert wrong(from_torch(lambda z: torch.exp(z).conj() * z, [z]), [z]) == []
    with pytest.raises(tg.DtypeError, match="PyTorch has no"):
        bridges.subject_of(Cube, [X]).results(X.astype("longdouble"))


def test_results_that_are_no_tensors_are_refused():
    with pytest.raises(tg.DtypeError, match="no result is a floating array of PyTorch, it returned float"):
        from_torch(lambda x: 1.0, [X]).results(X)


def test_the_profile_function_is_put_back():
    import sys

    before = sys.getprofile()
    from_torch(lambda x: Cube.apply(x), [X]).steps(X)
    assert sys.getprofile() is before


@pytest.mark.parametrize(
    ("f", "peer"),
    [
        (tg.sin, torch.sin), (tg.special.erf, torch.special.erf), (tg.linalg.inv, torch.linalg.inv),
        (tg.power, torch.pow), (torch.nn.functional.gelu, torch.nn.functional.gelu), (np.sin, torch.sin),
    ],
)  # fmt: skip
def test_peers_are_found_by_name(f, peer):
    assert bridges.peer_of(f, "torch") is peer


def test_peers_are_compared():
    def softsign(x):
        return x / (1 + abs(x))

    ours = from_torch(softsign, [X])
    peer = bridges.peer_subject(softsign, "torch", [X])
    assert peer.name == "softsign" and bridges.compare(ours, peer, [X]) == []
    (found,) = bridges.compare(
        bridges.subject_of(cube(lambda ctx, g: g), [X]), from_torch(lambda x: x**3), [X]
    )
    assert found.input == "x" and found.clause == "agrees with PyTorch <lambda>"
    with pytest.raises(tg.DtypeError, match="no function named 'unheard_of'"):
        bridges.peer_of(type("F", (), {"__name__": "unheard_of"})(), "torch")


def test_the_check_compares_with_the_function_of_the_same_name():
    x, y = tg.tensor(X, requires_grad=True), tg.tensor(X + 1)
    for f, inputs in (
        (tg.sin, X),
        (tg.atan2, [x, y]),
        (tg.linalg.inv, [np.eye(3) + 0.1 * X]),
        (tg.power, [X + 1, 2.0]),
    ):
        report = check(f, inputs, against="torch")
        assert report and report.clauses[-1].name.startswith("agrees with PyTorch")
    assert check(Scaled, [X, 2.0, X + 1, None], against=Scaled.apply)
    assert check(Cube, [X], against=lambda x: x * x * x)
    report = check(tg.sin, X, against=torch.cos)
    assert report.cause.clause == "agrees with PyTorch cos" and report.cause.wrong == 3
