"""Implicit differentiation: solutions of equations as functions of what the equations depend on.

The solver runs on plain values and is not differentiated: memory does not grow with its iterations, and
it may be anything. The derivative is that of the solution itself, by the implicit function theorem; see
`root`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from .._config import no_grad
from .._errors import ConvergenceError, DtypeError, GradientError, LinalgError, ShapeError
from .._levels import opened
from .._primitive import Value
from .._tree import Tree, flatten, unflatten
from . import iterations
from .call_card import as_one_op
from .linear_solve import as_given, solver_of
from .root import LinearMap, Root, attach, like, maps_of
from .strip import Flat, as_tensor, same_structure, strip, strip_among, stripped

FIXED_POINTS = {"iteration": iterations.picard, "anderson": iterations.anderson}


def custom_root(
    f: Callable[..., Any],
    initial: Any,
    solve: Callable[[Callable[[Any], Any], Any], Any] | None = None,
    tangent_solve: Callable[[LinearMap, Any], Any] | None = None,
    *,
    args: tuple[Any, ...] = (),
    tol: float | None = None,
    max_iterations: int = 50,
    linear_solver: str = "auto",
) -> Any:
    """A root of ``f``, differentiable in everything that ``f`` depends on.

    Args:
        f: ``f(x, *args)`` returns what is to be zero, in the structure and shapes of ``x``. What it captures
            gets its derivative just as ``args`` do.
        initial: where the search begins: a number, an array, a tensor, or a container. It has no derivative.
        solve: ``solve(f, initial)`` returns the root. It is not differentiated, gets ``f`` of ``x`` alone and
            values without derivatives, and may leave the library (SciPy, a formula). By default Newton's method,
            which halves steps that do not help.
        tangent_solve: ``tangent_solve(matvec, b)`` solves the linear system of the derivative at the root; it is
            not differentiated, and also gets the transpose. By default as ``linear_solver`` says.
        args: further arguments of ``f``. In a `tg.trace` what comes from the program must be given here.
        tol: of Newton's method the length of the last step relative to ``1 + |x|``, by default eps ** 0.75
            (1.8e-12 in float64); of a ``solve`` of your own the size of ``f`` at what it returns, relative to
            ``1 + |x| + |f(initial)|``, by default the square root of eps.
        max_iterations: of Newton's method.
        linear_solver: as ``solver`` of `linear_solve`: "auto", "dense", "gmres", "cg", "neumann".

    Returns:
        The root, in the structure of ``initial``. Derivatives of any order and in both modes are those of
        the implicit function theorem, and cost one linear system each; under `vmap` every example has its root.

    Raises:
        ConvergenceError: no root was reached, or ``solve`` returned something that is none.
        LinalgError: the derivative of ``f`` at the root is singular, so that the root has none.
        ShapeError: ``f`` does not return the structure and shapes of ``x``.

    Example:
        >>> import tensorgrad as tg
        >>> def sqrt(a):
        ...     return tg.custom_root(lambda x: x * x - a, tg.ones_like(a))
        >>> tg.grad(sqrt)(4.0)
        tensor(0.25)

    Source:
        Blondel et al., Efficient and modular implicit differentiation, NeurIPS 2022.
    """
    name = "custom_root"
    for what, one in [("f", f), ("solve", solve)]:
        if one is not None and not callable(one):
            raise GradientError(
                f"{name}: {what} is a {type(one).__name__}; a function is needed: custom_root(f, initial)"
            )
    how = solver_of(name, tangent_solve or linear_solver, None, 1000)

    def residual(x: Any, *given: Any) -> Any:
        return f(x, *given)

    def search(start: list[Any], tree: Tree, plain: Callable[[Any], Any]) -> list[Any]:
        if solve is None:
            return by_newton(name, plain, start, tree, tol, max_iterations, linear_solver)
        before = [strip(one) for one in flatten(plain(unflatten(tree, start)))[0]]
        given, structure = flatten(solve(plain, unflatten(tree, start)))
        if structure.paths() != tree.paths():
            raise ShapeError(
                f"{name}: solve returned leaves at {structure.paths()}, initial has them at {tree.paths()}"
            )
        found = [like(strip(as_tensor(x)), one) for x, one in zip(given, start, strict=True)]
        after = [strip(one) for one in flatten(plain(unflatten(tree, found)))[0]]
        flat = Flat(name, found, tree, [*before, *after])
        left, x = iterations.size(flat.array(after)), flat.array(found)
        bound = float(np.sqrt(np.finfo(x.dtype).eps)) if tol is None else tol
        scale = iterations.size(flat.array(before))
        wanted = bound * (1 + iterations.size(x) + np.where(np.isfinite(scale), scale, 0))
        if not (left <= wanted).all():
            raise ConvergenceError(
                f"{name}: solve returned what is no root: |f| is {np.max(left):.2g} there, {np.min(wanted):.2g} is allowed; "
                "let it converge, or say by tol what is near enough"
            )
        return found

    return _solution(name, residual, initial, args, search, how)


def fixed_point(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    tol: float | None = None,
    max_iterations: int = 1000,
    solver: str | Callable[[Callable[[Any], Any], Any], Any] = "iteration",
    linear_solver: str | Callable[[LinearMap, Any], Any] = "auto",
    on_failure: Literal["raise", "warn"] = "raise",
) -> Any:
    """The ``x`` with ``f(x, *args) = x``, differentiable in everything that ``f`` depends on.

    Args:
        f: returns the structure and shapes of ``x``. What it captures gets its derivative just as ``args`` do.
        x0: where to start: a number, an array, a tensor, or a container. It has no derivative.
        args: further arguments of ``f``. In a `tg.trace` what comes from the program must be given here.
        tol: how far ``f(x)`` may be from ``x``, relative to ``1 + |x|``; by default eps ** 0.75, which is 1.8e-12 in
            float64 and 6.4e-6 in float32. Of an iteration that shrinks distances by the factor q, the error of
            ``x`` may be ``1 / (1 - q)`` times that.
        max_iterations: how many calls of ``f`` there may be ("newton": steps).
        solver: "iteration" applies ``f`` again and again, "anderson" accelerates that, "newton" needs no
            contraction; or a function ``solver(g, x0)`` that returns a root of ``g(x) = x - f(x)``.
        linear_solver: of the derivative's linear system, as ``solver`` of `linear_solve`. "neumann" is what
            differentiating the iteration backwards amounts to.
        on_failure: "warn" goes on with what was reached, with a RuntimeWarning.

    Returns:
        The fixed point, in the structure of ``x0``. Its derivatives do not go through the iterations.

    Raises:
        ConvergenceError: ``tol`` was not reached.
        LinalgError: ``I - df/dx`` is singular.
        ShapeError: ``f`` does not return the structure and shapes of ``x``.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> def kepler(mean, e):
        ...     return tg.fixed_point(lambda x: mean + e * tg.sin(x), mean)
        >>> e, mean = 0.3, np.float64(1.0)
        >>> x = kepler(mean, e)
        >>> bool(abs(tg.grad(kepler)(mean, e) * (1 - e * np.cos(x)) - 1) < 1e-12)
        True

    Source:
        Bai, Kolter and Koltun, Deep equilibrium models, NeurIPS 2019.
    """
    name = "fixed_point"
    if not callable(f):
        raise GradientError(
            f"{name}: the function comes first: fixed_point(f, x0); a {type(f).__name__} given"
        )
    if not callable(solver) and solver not in ("newton", *FIXED_POINTS):
        raise GradientError(
            f"{name}: solver is {solver!r}; take 'iteration', 'anderson', 'newton', or a function solver(g, x0)"
        )
    if on_failure not in ("raise", "warn"):
        raise GradientError(f"{name}: on_failure is {on_failure!r}; take 'raise' or 'warn'")
    how = solver_of(name, linear_solver, None, 1000)

    def residual(x: Any, *given: Any) -> Any:
        leaves, tree = flatten(f(x, *given))
        xs, structure = flatten(x)
        same_structure(name, "the result of f", leaves, xs, structure, tree)
        return unflatten(tree, [a - b for a, b in zip(xs, leaves, strict=True)])

    def search(start: list[Any], tree: Tree, plain: Callable[[Any], Any]) -> list[Any]:
        if solver == "newton":
            return by_newton(name, plain, start, tree, tol, min(max_iterations, 100), "auto")
        if callable(solver):
            found = custom_root(plain, unflatten(tree, start), solver, tol=tol)
            return [strip(x) for x in flatten(found)[0]]
        flat, g = _flat(name, plain, start, tree)
        x = flat.array(start)
        bound = iterations.default_tolerance(start) if tol is None else tol
        return flat.leaves(
            FIXED_POINTS[solver](lambda v: v - g(v), x, bound, max_iterations, name, on_failure == "warn")
        )

    return _solution(name, residual, x0, args, search, how)


# ---- parts


def _solution(
    name: str, residual: Callable[..., Any], initial: Any, args: tuple[Any, ...], search: Any, solve: Any
) -> Any:
    """Search without derivatives, then attach the derivative."""
    leaves, tree = flatten(initial)
    others, others_tree = flatten(args)
    places = [i for i, one in enumerate(others) if isinstance(one, Value | np.ndarray | np.generic)]
    outside = opened()  # a solver may differentiate what it is given, by levels of its own
    start = _start(name, leaves, tree, lambda x: residual(x, *args))

    def closed(given: Sequence[Any]) -> Callable[[Any], Any]:
        full = list(others)
        for i, one in zip(places, given, strict=True):
            full[i] = one
        arguments = unflatten(others_tree, full)

        def of_x(x: Any) -> Any:
            xs = [like(one, each) for one, each in zip(flatten(x)[0], start, strict=True)]
            found, structure = flatten(residual(unflatten(tree, xs), *arguments))
            same_structure(name, "the result of f", found, xs, tree, structure)
            return unflatten(tree, [like(one, x) for one, x in zip(found, xs, strict=True)])

        return of_x

    def run(values: Any) -> list[Any]:
        inner = closed(values[len(start) :])

        def plain(x: Any) -> Any:
            found, structure = flatten(inner(x))
            return unflatten(structure, [strip_among(one, outside) for one in found])

        with no_grad():
            found: list[Any] = search(list(values[: len(start)]), tree, plain)
            return found

    def whole(values: Sequence[Any]) -> list[Any]:
        x: list[Any] = as_one_op(name, values, run, whole)
        return attach(Root(name, closed(values[len(start) :]), tree, solve), x)

    found = whole([*start, *[others[i] for i in places]])
    if not any(isinstance(one, Value) for one in (*leaves, *others)):
        found = [as_given(y, leaf) for y, leaf in zip(found, leaves, strict=True)]
    return unflatten(tree, found)


def by_newton(
    name: str,
    f: Callable[[Any], Any],
    start: list[Any],
    tree: Tree,
    tol: float | None,
    limit: int,
    linear: str,
) -> list[Any]:
    """Newton's method on containers."""
    flat, g = _flat(name, f, start, tree)
    solve = solver_of(name, linear, None, 1000)
    x = flat.array(start)

    def solve_at(at: Any, b: Any) -> Any:
        matvec, transposed = maps_of(f, flat.leaves(at), tree)
        try:
            found = flatten(solve(matvec, transposed, unflatten(tree, flat.leaves(b))))[0]
        except LinalgError as error:
            raise LinalgError(
                f"{name}: the derivative is singular where Newton's method stands ({error}); start elsewhere, or give a "
                "solve of your own"
            ) from None
        return flat.array([strip(one) for one in found])

    bound = iterations.default_tolerance(start) if tol is None else tol
    return flat.leaves(iterations.newton(g, solve_at, x, bound, limit, name))


def _flat(
    name: str, f: Callable[[Any], Any], start: list[Any], tree: Tree
) -> tuple[Flat, Callable[[Any], Any]]:
    """The vectors of a function of containers; batches that only its results show take part."""
    flat = Flat(name, start, tree, flatten(f(unflatten(tree, start)))[0])
    return flat, flat.function(f)


def _start(name: str, leaves: list[Any], tree: Tree, residual: Callable[[Any], Any]) -> list[Any]:
    """Where to start, without derivatives; a Python number takes the dtype that the equation gives it."""
    weak = [type(leaf) in (int, float, complex) for leaf in leaves]
    start = [stripped(float(leaf) if type(leaf) is int else leaf) for leaf in leaves]
    if any(weak):
        with no_grad():
            found = flatten(residual(unflatten(tree, start)))[0]
        dtypes = [getattr(one, "dtype", x.dtype) for one, x in zip(found, start, strict=False)]
        start = [
            like(x, zeros_of(x.shape, dtype)) if w and dtype.kind in "fc" else x
            for x, w, dtype in zip(start, weak, dtypes, strict=False)
        ] + start[len(dtypes) :]
    for x in start:
        if x.dtype.kind not in "fc":
            raise DtypeError(
                f"{name}: it starts at values of dtype {x.dtype}; a solution is floating, start at x.astype(float)"
            )
    return start


def zeros_of(shape: tuple[int, ...], dtype: Any) -> Any:
    """Zeros as a tensor."""
    return as_tensor(np.zeros(shape, dtype)[()])
