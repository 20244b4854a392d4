"""Iterations in NumPy on one vector for each example, (*batch, n): fixed points, roots, linear systems.

Each ends when every example has converged, and raises `ConvergenceError` if that does not happen.
An example that has converged stays where it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._errors import ConvergenceError

Map = Callable[[Any], Any]


def default_tolerance(xs: Sequence[Any]) -> float:
    """1.8e-12 in float64, 6.4e-6 in float32: well above rounding, well below what gradients notice.

    Of the coarsest dtype of ``xs``: what joins them into one vector may have widened it.
    """
    return float(max([float(np.finfo(x.dtype).eps) for x in xs], default=0.0) ** 0.75)


def size(x: Any) -> Any:
    """The largest entry of each example."""
    return np.abs(x).max(axis=-1, initial=0.0)


def length(x: Any) -> Any:
    """The Euclidean length of each example."""
    return np.sqrt((x * x).sum(axis=-1))


def give_up(name: str, iterations: int, left: Any, wanted: Any, hint: str) -> ConvergenceError:
    """The error for an iteration that did not get there."""
    bad = ~(left <= wanted)
    many = f" in {int(bad.sum())} of {bad.size} examples" if bad.ndim else ""
    worst = "NaN" if np.isnan(left).any() else f"{np.max(left):.2g}"
    return ConvergenceError(
        f"{name}: not converged{many} after {iterations} iterations, {worst} is left and {np.min(wanted):.2g} wanted; {hint}"
    )


def warned(error: ConvergenceError, x: Any) -> Any:
    """Go on with ``x``, unless it is no number."""
    if not np.isfinite(x).all():
        raise error
    warnings.warn(str(error), RuntimeWarning, stacklevel=2)
    return x


def raised(error: ConvergenceError) -> Any:
    """Do not."""
    raise error


# ---- fixed points


def picard(f: Map, x: Any, tol: float, limit: int, name: str, warn: bool = False) -> Any:
    """Apply ``f`` again and again."""
    done = np.zeros(x.shape[:-1], bool)
    left = wanted = size(x)
    for _ in range(limit):
        new = f(x)
        left, wanted = size(new - x), tol * (1 + size(new))
        x = np.where(done[..., None], x, new)
        done = done | (np.isfinite(left) & (left <= wanted))  # far out both are infinite
        if done.all():
            return x
        if not np.isfinite(left[~done]).all() if done.ndim else not np.isfinite(left):
            break
    error = give_up(
        name, limit, np.where(done, 0, left), wanted, "is it a contraction? see solver='anderson', 'newton'"
    )
    return warned(error, x) if warn else raised(error)


def anderson(f: Map, x: Any, tol: float, limit: int, name: str, warn: bool = False, memory: int = 5) -> Any:
    """Anderson's acceleration: the combination of the last points whose residuals cancel best.

    Source:
        Walker and Ni, Anderson acceleration for fixed-point iterations, SIAM J. Numer. Anal. 49, 2011.
    """
    xs: list[Any] = []
    fs: list[Any] = []
    done = np.zeros(x.shape[:-1], bool)
    left = wanted = size(x)
    for _ in range(limit):
        new = f(x)
        left, wanted = size(new - x), tol * (1 + size(new))
        done = done | (np.isfinite(left) & (left <= wanted))  # far out both are infinite
        if done.all():
            return new
        if not np.isfinite(np.where(done, 0, left)).all():
            break
        xs, fs = [*xs[-memory:], x], [*fs[-memory:], new]
        step = new
        if len(xs) > 1:
            r = np.stack([b - a for a, b in zip(xs, fs, strict=True)], axis=-1)
            dr, df = np.diff(r, axis=-1), np.diff(np.stack(fs, axis=-1), axis=-1)
            weights = least_squares(dr, r[..., -1])
            step = new - (df @ weights[..., None])[..., 0]
        x = np.where(done[..., None], x, step)
    error = give_up(name, limit, np.where(done, 0, left), wanted, "start nearer, or see solver='newton'")
    return warned(error, x) if warn else raised(error)


def least_squares(a: Any, b: Any) -> Any:
    """The shortest ``w`` with the smallest ``|a w - b|``, for each example."""
    return (np.linalg.pinv(a, rcond=float(np.finfo(a.dtype).eps) * 1e2) @ b[..., None])[..., 0]


# ---- roots


def newton(f: Map, solve_at: Callable[[Any, Any], Any], x: Any, tol: float, limit: int, name: str) -> Any:
    """Newton's method; a step that does not make ``|f|`` smaller is halved.

    Args:
        f: the residual.
        solve_at: ``solve_at(x, b)`` solves the linear system of the derivative at ``x``.
        x: where to start.
        tol: the length of the last step, relative to ``1 + |x|``.
        limit: how many steps there may be.
        name: for messages.
    """
    y = f(x)
    done = np.zeros(x.shape[:-1], bool)
    left = wanted = size(y)
    for _ in range(limit):
        step = np.where(done[..., None], 0, solve_at(x, y))
        left, wanted = size(step), tol * (1 + size(x))
        if not np.isfinite(left).all():
            break
        last = left <= wanted
        scale = np.ones(x.shape[:-1], x.dtype)
        for _ in range(30):
            new = x - scale[..., None] * step
            moved = f(new)
            worse = ~(length(moved) <= length(y)) & ~done & ~last
            if not worse.any():
                break
            scale = np.where(worse, scale / 2, scale)
        # The last step is taken whole, if it is not down to rounding.
        keep = done | ~(np.isfinite(moved).all(axis=-1))
        x, y = np.where(keep[..., None], x, new), np.where(keep[..., None], y, moved)
        done = done | last
        if done.all():
            return x
    raise give_up(
        name, limit, np.where(done, 0, left), wanted, "start nearer to the root, or give a solve of your own"
    )


# ---- linear systems


def gmres(a: Map, b: Any, tol: float, limit: int, name: str, restart: int = 40) -> Any:
    """GMRES with restarts: the smallest residual in the Krylov space.

    Source:
        Saad and Schultz, GMRES, SIAM J. Sci. Stat. Comput. 7, 1986.
    """
    x = np.zeros_like(b)
    r, wanted = b, tol * length(b)
    count = 0
    while True:
        left = length(r)
        if (left <= wanted).all():
            return x
        if count >= limit or not np.isfinite(left).all():
            raise give_up(
                name,
                count,
                left,
                wanted,
                "is the system singular? see solver='dense', or raise max_iterations",
            )
        start = np.where(left > 0, left, 1)
        basis = [r / start[..., None]]
        images: list[Any] = []
        for _ in range(min(restart, b.shape[-1], limit - count)):
            image = a(basis[-1])
            images.append(image)
            count += 1
            new = image
            for _ in range(2):  # once more against rounding
                for q in basis:
                    new = new - (q * new).sum(axis=-1, keepdims=True) * q
            norm = length(new)
            small = norm <= np.finfo(b.dtype).eps * 10 * length(image)
            if small.all():
                break
            basis.append(np.where(small[..., None], 0, new / np.where(small, 1, norm)[..., None]))
            if count % 5 == 0:
                span = np.stack(images, axis=-1)
                if (length(r - (span @ least_squares(span, r)[..., None])[..., 0]) <= wanted / 2).all():
                    break
        span = np.stack(images, axis=-1)
        weights = least_squares(span, r)
        change = (np.stack(basis[: len(images)], axis=-1) @ weights[..., None])[..., 0]
        before, x = left, x + change
        r = b - a(x)
        if (length(r) >= before)[before > wanted].all():
            raise give_up(
                name,
                count,
                length(r),
                wanted,
                "it gets no smaller: the system is singular, or tol too small",
            )


def conjugate_gradients(a: Map, b: Any, tol: float, limit: int, name: str) -> Any:
    """Conjugate gradients, for a symmetric positive definite system.

    Source:
        Hestenes and Stiefel, Methods of conjugate gradients, J. Res. Nat. Bur. Stand. 49, 1952.
    """
    x, r = np.zeros_like(b), b
    p, rr, wanted = r, (r * r).sum(axis=-1), tol * length(b)
    for _ in range(limit):
        if (np.sqrt(rr) <= wanted).all():
            break
        image = a(p)
        curve = (p * image).sum(axis=-1)
        active = np.sqrt(rr) > wanted
        if (active & ~(curve > 0)).any():
            raise ConvergenceError(
                f"{name}: the system is not positive definite; take solver='gmres' or 'dense'"
            )
        alpha = np.where(active, rr / np.where(active, curve, 1), 0)
        x, r = x + alpha[..., None] * p, r - alpha[..., None] * image
        new = (r * r).sum(axis=-1)
        p = r + (new / np.where(rr > 0, rr, 1))[..., None] * p
        rr = new
    left = length(b - a(x))
    if not (left <= 10 * wanted).all():
        raise give_up(name, limit, left, wanted, "raise max_iterations, or take solver='gmres' or 'dense'")
    return x


def neumann(a: Map, b: Any, tol: float, limit: int, name: str) -> Any:
    """The series ``sum (I - a)^k b``; it converges where ``x -> x - a x`` is a contraction."""
    scale = np.where(length(b) > 0, length(b), 1)[..., None]
    return scale * picard(lambda x: x + (b / scale - a(x)), b / scale, tol, limit, name)
