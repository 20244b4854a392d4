"""Linear systems whose matrix is a function: ``matvec(x) = b``, differentiable in whatever takes part."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from .._config import GENERAL, WATCHED, get_mode, no_grad
from .._errors import ConvergenceError, DtypeError, GradientError, TraceError
from .._levels import open_levels
from .._primitive import Value
from .._specialise import plain
from .._tensor import Tensor, wrap
from .._tree import Tree, flatten, unflatten
from ..ops.linalg import solve as solve_matrix
from . import iterations
from .call_card import as_one_op
from .root import LinearMap, Root, attach, like, maps_of, zeros
from .strip import Flat, same_structure, strip, stripped
from .vmap import vmap

DENSE = 64
"""Up to how many unknowns ``solver="auto"`` makes a matrix."""

NUMBERS = (bool, int, float, complex)
ITERATIONS = {
    "gmres": iterations.gmres,
    "cg": iterations.conjugate_gradients,
    "neumann": iterations.neumann,
}


def linear_solve(
    matvec: Callable[[Any], Any],
    b: Any,
    *,
    solver: str | Callable[[LinearMap, Any], Any] = "auto",
    symmetric: bool = False,
    tol: float | None = None,
    max_iterations: int = 1000,
) -> Any:
    """Solve ``matvec(x) = b`` for ``x``, where ``matvec`` is a linear function.

    Args:
        matvec: a linear function of a container like ``b``; what it captures gets its derivative.
        b: the right side: an array or a tensor, or a container of them.
        solver: "dense" makes the matrix and factorises it; "gmres", "cg" (symmetric positive definite) and
            "neumann" (``sum (I - A)^k b``) only call ``matvec``; "auto" is "dense" up to 64 unknowns and "gmres"
            beyond. Or a function ``solver(matvec, b)`` of your own, which need not be differentiable; it also
            gets the transposed map.
        symmetric: whether ``matvec`` is its own transpose; "cg" says so.
        tol: how small the residual must be, relative to ``|b|``; by default 1.8e-12 in float64 and 6.4e-6 in
            float32 (eps ** 0.75). For a solver of your own it is checked against the square root of eps.
        max_iterations: how many calls of ``matvec`` an iteration may make.

    Returns:
        The solution, in the structure of ``b``. Derivatives of any order and in both modes solve one system
        more each; none goes through the iterations.

    Raises:
        ConvergenceError: the iteration did not reach ``tol``.
        LinalgError: the matrix is singular.
        ShapeError: ``matvec`` does not return the structure and shapes of ``b``.
        GradientError: ``matvec`` is not linear.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> w = np.array([2.0, 4.0])
        >>> tg.linear_solve(lambda x: w * x, np.array([2.0, 2.0]))
        array([1. , 0.5])
        >>> tg.grad(lambda w: tg.linear_solve(lambda x: w * x, np.array([2.0, 2.0])).sum())(w)
        array([-0.5  , -0.125])
    """
    if not callable(matvec):
        raise DtypeError(
            f"linear_solve: matvec is a {type(matvec).__name__}, and a linear function is needed, such as lambda x: a @ x; "
            "for a matrix there is tg.linalg.solve(a, b)"
        )
    leaves, tree = flatten(b)
    xs = [x if isinstance(x, Value) else stripped(x) for x in leaves]
    solve = solver_of("linear_solve", solver, tol, max_iterations)

    def checked(x: Any) -> Any:
        parts = [like(u, one) for u, one in zip(flatten(x)[0], xs, strict=True)]
        found, structure = flatten(matvec(unflatten(tree, parts)))
        same_structure("linear_solve", "the result of matvec", found, xs, tree, structure)
        return unflatten(tree, found)

    _check_linear(checked, xs, tree)
    back = checked if symmetric or solver == "cg" else transpose_at_zero(checked, xs, tree)
    found = flatten(solve(checked, back, unflatten(tree, xs)))[0]
    return unflatten(tree, [as_given(x, leaf) for x, leaf in zip(found, leaves, strict=True)])


def _check_linear(matvec: LinearMap, xs: list[Any], tree: Tree) -> None:
    """Raise if ``matvec(-2 x)`` is not ``-2 matvec(x)``; a linear function gives the same to the last bit, mostly.

    It is not asked where there are no numbers to look at: inside of transformations, and while somebody watches.
    """
    if open_levels() or get_mode() & (WATCHED | GENERAL):
        return
    with no_grad():
        probe = [
            wrap(plain(np.cos(np.arange(math.prod(x.shape))).reshape(x.shape).astype(x.dtype)), None)
            for x in xs
        ]
        once, twice = (flatten(matvec(unflatten(tree, [factor * x for x in probe])))[0] for factor in (1, -2))
    for a, b in zip(once, twice, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        if np.isfinite(a).all() and np.abs(b + 2 * a).max(initial=0) > np.abs(a).max(initial=0) * 1e-3:
            raise GradientError(
                "linear_solve: matvec is not linear, matvec(-2 x) differs from -2 matvec(x); leave out what does not "
                "depend on x, and for equations that are not linear take tg.custom_root"
            )


def as_given(x: Any, leaf: Any) -> Any:
    """An array for an array, unless a derivative goes on from it; a tensor for a Python number."""
    if isinstance(leaf, Value) or type(leaf) in NUMBERS:
        return x
    if not isinstance(x, Tensor) or x.level or x._node is not None:
        return x
    return np.array(x._d)[()]


def transpose_at_zero(matvec: LinearMap, xs: list[Any], tree: Tree) -> LinearMap:
    """The transpose of a linear function of containers like ``xs``."""
    return lambda g: maps_of(matvec, [zeros(x) for x in xs], tree)[1](g)


def solver_of(
    name: str, solver: Any, tol: float | None, limit: int
) -> Callable[[LinearMap, LinearMap, Any], Any]:
    """A differentiable solve ``(matvec, transposed, b)`` by the solver of that name."""
    if not callable(solver) and solver not in ("auto", "dense", *ITERATIONS):
        raise GradientError(
            f"{name}: solver is {solver!r}; take 'auto', 'dense', 'gmres', 'cg', 'neumann', or a function solver(matvec, b)"
        )

    def solve(matvec: LinearMap, transposed: LinearMap, b: Any) -> Any:
        leaves, tree = flatten(b)
        unknowns = sum(int(np.prod(x.shape)) * (2 if x.dtype.kind == "c" else 1) for x in leaves)
        if solver == "dense" or (solver == "auto" and unknowns <= DENSE):
            return dense(matvec, leaves, tree)
        how = "gmres" if solver == "auto" else solver

        def whole(bs: Any) -> list[Any]:
            x = as_one_op(
                name, bs, lambda cs: numerically(name, how, matvec, list(cs), tree, tol, limit), whole
            )

            def residual(x: Any) -> Any:
                return unflatten(tree, [a - c for a, c in zip(flatten(matvec(x))[0], bs, strict=True)])

            return attach(Root(name, residual, tree, solve, (matvec, transposed)), x)

        return unflatten(tree, whole(leaves))

    return solve


def numerically(
    name: str, solver: Any, matvec: LinearMap, leaves: list[Any], tree: Tree, tol: float | None, limit: int
) -> list[Any]:
    """The solution without derivatives."""
    right = leaves
    with no_grad():
        first = [strip(x) for x in flatten(matvec(unflatten(tree, right)))[0]]
    flat = Flat(name, right, tree, first)
    a, b = flat.function(matvec), flat.array(right)
    tol = iterations.default_tolerance(right) if tol is None else tol
    if not callable(solver):
        return flat.leaves(ITERATIONS[solver](a, b, tol, limit, name))

    def plainly(u: Any) -> Any:
        with no_grad():
            parts = [like(one, x) for one, x in zip(flatten(u)[0], right, strict=True)]
            found = flatten(matvec(unflatten(tree, parts)))[0]
            return unflatten(tree, [strip(one) for one in found])

    with no_grad():
        found = [strip(x) for x in flatten(solver(plainly, unflatten(tree, right)))[0]]
    x = flat.array([like(one, each) for one, each in zip(found, right, strict=True)])
    left, wanted = (
        iterations.length(a(x) - b),
        max(tol, float(np.sqrt(np.finfo(b.dtype).eps))) * iterations.length(b),
    )
    if not (left <= wanted).all():
        raise ConvergenceError(
            f"{name}: the solver returned what leaves a residual of {np.max(left):.2g} for a right side of "
            f"{np.max(iterations.length(b)):.2g}; it must solve matvec(x) = b also for the transposed map it is given"
        )
    return flat.leaves(x)


# ---- by a matrix


def dense(matvec: LinearMap, leaves: list[Any], tree: Tree) -> Any:
    """Solve by the matrix; differentiable as it is, since it is made of ops."""
    b, unravel = ravel(leaves)

    def column(v: Any) -> Any:
        return ravel(flatten(matvec(unflatten(tree, unravel(v))))[0])[0]

    basis = np.eye(b.shape[0], dtype=b.dtype)
    try:
        matrix = vmap(column, out_axes=1)(basis)
    except TraceError:  # control flow that looks at the tangent
        matrix = ops.stack([column(e) for e in basis], axis=1)
    return unflatten(tree, unravel(solve_matrix(matrix, b)))


def ravel(leaves: list[Any]) -> tuple[Any, Callable[[Any], list[Any]]]:
    """Leaves as one real vector, and the way back."""
    parts = []
    for x in leaves:
        flat = ops.reshape(x, (-1,))
        parts += [ops.real(flat), ops.imag(flat)] if x.dtype.kind == "c" else [flat]
    layout = [(x.shape, x.dtype) for x in leaves]

    def unravel(v: Any) -> list[Any]:
        found, at = [], 0
        for shape, dtype in layout:
            n = int(np.prod(shape))
            part = v[at : at + n]
            at += n
            if dtype.kind == "c":
                part = part + 1j * v[at : at + n]
                at += n
            found.append(ops.astype(ops.reshape(part, shape), dtype))
        return found

    return (parts[0] if len(parts) == 1 else ops.concatenate(parts)), unravel
