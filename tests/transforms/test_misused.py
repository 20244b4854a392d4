"""What users try first and what is wrong with it: errors that name the function, the argument and the way out."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn

X = np.array([1.0, 2.0, 3.0])
OF_FUNCTIONS = ["grad", "value_and_grad", "jacobian", "jacfwd", "jacrev", "hessian"]


def f(x):
    return (tg.sin(x) * x).sum()


@pytest.mark.parametrize("name", OF_FUNCTIONS)
@pytest.mark.parametrize(
    "x", [X, tg.tensor([1.0, 2.0]), 2.0, [1.0, 2.0]], ids=["array", "tensor", "float", "list"]
)
def test_the_point_given_to_the_transformation_is_noticed_at_once(name, x):
    with pytest.raises(tg.GradientError, match=rf"^{name}: argnums is a .*: tg\.{name}\(f\)\(x\)"):
        getattr(tg, name)(f, x)


@pytest.mark.parametrize("x", [X, tg.tensor([1.0, 2.0])], ids=["array", "tensor"])
def test_the_batch_given_to_vmap_is_noticed_at_once(x):
    with pytest.raises(tg.ShapeError, match=r"vmap: in_axes is an array.*tg\.vmap\(f\)\(x\)"):
        tg.vmap(f, x)


@pytest.mark.parametrize("name", OF_FUNCTIONS)
def test_a_value_instead_of_a_function(name):
    with pytest.raises(tg.DtypeError, match=f"^{name}: the first argument is the function .* float64 given"):
        getattr(tg, name)(f(X))


@pytest.mark.parametrize("name", ["jvp", "vjp", "linearize", "hvp", "vhp"])
def test_a_value_instead_of_a_function_at_a_point(name):
    rest = ((X,), (X,)) if name in ("jvp", "hvp", "vhp") else (X,)
    with pytest.raises(tg.DtypeError, match=f"^{name}: the first argument is the function"):
        getattr(tg, name)(f(X), *rest)


@pytest.mark.parametrize("name", [*OF_FUNCTIONS, "jvp", "vjp", "linearize", "hvp", "vhp"])
def test_a_forgotten_return(name):
    def forgot(x):
        tg.sin(x)

    point = ((X,), (X,)) if name in ("jvp", "hvp", "vhp") else (X,)
    transform = getattr(tg, name)
    with pytest.raises(tg.ShapeError, match=f"^{name}: the function returned None; does it lack a return"):
        transform(forgot)(X) if name in OF_FUNCTIONS else transform(forgot, *point)


def test_none_beside_results_is_fine():
    assert tg.jacobian(lambda x: {"y": x, "state": None})(X)["state"] is None
    assert tg.vmap(lambda x: None)(X) is None


def test_a_forgotten_has_aux():
    with pytest.raises(
        tg.ShapeError, match=r"grad: the function returned tuple; .*has_aux=True.*\(number, aux\)"
    ):
        tg.grad(lambda x: (x.sum(), x))(X)


def test_many_numbers_lead_to_the_jacobian():
    with pytest.raises(tg.ShapeError, match=r"grad: the function returned shape \(3,\).*tg\.jacobian"):
        tg.grad(tg.sin)(X)


def test_an_argument_by_keyword():
    with pytest.raises(tg.GradientError, match="by keyword is not differentiated"):
        tg.grad(f)(x=X)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (3, r"is 3 \(int\).* Write 3\.0"),
        (nn.Linear(2, 2), r"is a Linear;.*functional_call"),
        (iter([X]), "list_iterator;.*Make a list"),
        ("x", r"is 'x' \(str\)"),
    ],
    ids=["int", "module", "iterator", "str"],
)
def test_arguments_that_have_no_gradient(argument, message):
    with pytest.raises(tg.DtypeError, match=f"(?s)grad: argument .*{message}") as error:
        tg.grad(lambda p: 1.0)(argument)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (np.sum, r"np\.sum .* use tg\.sum"),
        (np.linalg.norm, r"np\.linalg\.norm .* use tg\.linalg\.norm"),
        (np.fft.fft, r"np\.fft\.fft .* use tg\.fft\.fft"),
        (np.savez, r"np\.savez .* use the function of tensorgrad"),
    ],
    ids=["sum", "norm", "fft", "savez"],
)
def test_functions_of_numpy_are_told_their_names_here(function, names):
    value = tg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(tg.DtypeError, match=f"{names}.*, or t.detach"):
        function(value) if function is not np.savez else np.savez("x", value)
    with pytest.raises(tg.DtypeError, match=names):
        tg.vmap(lambda x: function(x) if function is not np.savez else np.savez("x", x))(np.ones((2, 2)))


def test_a_list_of_numbers_is_no_batch():
    with pytest.raises(tg.ShapeError, match=r"vmap: argument \[0\]\[0\] .*np\.array\(x\)"):
        tg.vmap(lambda x: x * 2)([1.0, 2.0])


def test_writing_to_the_argument_of_a_function_that_grad_got():
    def doubled_first(x):
        x[0] = 2 * x[0]
        return x.sum()

    with pytest.raises(tg.GradientError, match=r"x\.clone\(\), as in a function that is given to tg\.grad"):
        tg.grad(doubled_first)(X)
    assert tg.grad(lambda x: doubled_first(x.clone()))(X).tolist() == [2, 1, 1]


# ---- memory, roots, derivatives of one's own


@pytest.mark.parametrize("solver", ["iteration", "anderson"])
def test_an_iteration_that_grows_without_bound_has_not_converged(solver):
    with np.errstate(all="ignore"), pytest.raises(tg.ConvergenceError, match="fixed_point: not converged"):
        tg.fixed_point(lambda x: x * x + 1, np.float32(2.0), solver=solver)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: tg.fixed_point(1.0, tg.cos),
            tg.GradientError,
            r"the function comes first: fixed_point\(f, x0\)",
        ),
        (lambda: tg.fixed_point(lambda x: None, 1.0), tg.ShapeError, "is None; does it lack a return"),
        (lambda: tg.custom_root(1.0, tg.cos), tg.GradientError, "custom_root: f is a float"),
        (lambda: tg.custom_root(tg.cos, 1.0, "newton"), tg.GradientError, "custom_root: solve is a str"),
        (
            lambda: tg.custom_root(lambda x: x["a"], {"a": X}),
            tg.ShapeError,
            r"is a single value, the solution a container with \['a'\]",
        ),
        (
            lambda: tg.linear_solve(np.eye(2), np.ones(2)),
            tg.DtypeError,
            r"matvec is a ndarray.*tg\.linalg\.solve",
        ),
        (
            lambda: tg.checkpoint_sequential(nn.Sequential(nn.Tanh()), 2, X),
            tg.ShapeError,
            r"segments is a ndarray.*checkpoint_sequential\(model, x, 2\)",
        ),
        (lambda: tg.plan_checkpoints([tg.sin], X, "4MB"), tg.GradientError, "a number of bytes"),
        (lambda: tg.scan(lambda c, x: (c + x, c), 0.0, [1.0, 2.0]), tg.ShapeError, r"np\.array\(xs\)"),
        (lambda: tg.custom_vjp(tg.sin, nondiff_argnums="x"), tg.GradientError, "nondiff_argnums has 'x'"),
        (lambda: tg.Function()(X), tg.GradientError, r"Function: .*call Function\.apply"),
    ],
    ids=[
        "swapped",
        "none",
        "root-swapped",
        "root-solver",
        "root-structure",
        "matvec",
        "sequential",
        "budget",
        "scan",
        "nondiff",
        "Function",
    ],
)
def test_what_was_given_in_the_wrong_place_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_complex_direction_of_real_numbers():
    with pytest.raises(
        tg.DtypeError, match="jvp: a tangent has dtype complex128, its primal float64; take its real"
    ):
        tg.jvp(tg.sin, (X,), (X * 1j,))


def test_structural_zeros_decorate_without_parentheses():
    @tg.structural_zeros
    def masked(x):
        return tg.where(x > 0, tg.sqrt(x), 0.0).sum()

    assert masked.__name__ == "masked"
    with np.errstate(divide="ignore"):
        assert tg.grad(masked)(np.array([0.0, 4.0])).tolist() == [0, 0.25]
        assert tg.grad(tg.structural_zeros(masked))(np.array([0.0, 4.0])).tolist() == [0, 0.25]
    with tg.structural_zeros() as entered:
        assert entered is None


def test_backward_from_a_complex_number():
    with pytest.raises(tg.ShapeError, match=r"complex64.*y\.abs\(\)\.sum\(\)\.backward"):
        tg.tensor([1j], requires_grad=True).sum().backward()
