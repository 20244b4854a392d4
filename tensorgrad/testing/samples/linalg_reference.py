"""Matrices to take samples from, and what the rows of linear algebra are compared with: by hand, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from .row import complex_normal, normal


def regular(*shape: int, seed: int = 0) -> Any:
    """Well conditioned matrices: a few times the identity, and normal numbers."""
    return normal(*shape, seed=seed) + 3 * np.eye(shape[-1])


def complex_regular(*shape: int, seed: int = 0) -> Any:
    """The same with complex numbers."""
    return complex_normal(*shape, seed=seed) + 4 * np.eye(shape[-1])


def positive(*shape: int, seed: int = 0) -> Any:
    """Positive definite matrices."""
    a = normal(*shape, seed=seed)
    return a @ a.swapaxes(-1, -2) + np.eye(shape[-1])


def complex_positive(*shape: int, seed: int = 0) -> Any:
    """The same with complex numbers."""
    a = complex_normal(*shape, seed=seed)
    return a @ a.conj().swapaxes(-1, -2) + np.eye(shape[-1])


def gauss_jordan(a: Any, b: Any) -> Any:
    """Solve by elimination with the largest pivot, row by row."""
    n = len(a)
    rows = [[*map(complex, a[i].tolist()), *map(complex, b[i].tolist())] for i in range(n)]
    for j in range(n):
        best = max(range(j, n), key=lambda i: abs(rows[i][j]))
        rows[j], rows[best] = rows[best], rows[j]
        rows[j] = [value / rows[j][j] for value in rows[j]]
        for i in range(n):
            if i != j:
                factor = rows[i][j]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[j], strict=True)]
    return np.array([row[n:] for row in rows]).reshape(b.shape)


def solve(a: Any, b: Any) -> Any:
    """Solve each system by elimination."""
    if b.ndim == 1:
        return solve(a, b[:, None])[..., 0]
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (a, b))
    out = np.zeros(b.shape, complex)
    for index in np.ndindex(batch):
        out[index] = gauss_jordan(a[index], b[index])
    return out if np.iscomplexobj(a) or np.iscomplexobj(b) else out.real


def inv(a: Any) -> Any:
    """Solve for the columns of the identity."""
    return solve(a, np.eye(a.shape[-1]))


def triangle_of(a: Any, upper: bool, unitriangular: bool = False) -> Any:
    """The part of a matrix that `solve_triangular` reads."""
    part = np.triu(a) if upper else np.tril(a)
    return part * (1 - np.eye(a.shape[-1])) + np.eye(a.shape[-1]) if unitriangular else part


def solve_triangular(a: Any, b: Any, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """Solve with one triangle of ``a``."""
    part = triangle_of(a, upper, unitriangular)
    return solve(part, b) if left else solve(part.swapaxes(-1, -2), b.swapaxes(-1, -2)).swapaxes(-1, -2)


def det(a: Any) -> Any:
    """By expansion along the first row."""
    n = a.shape[-1]
    if n == 0:
        return np.ones(a.shape[:-2], a.dtype)
    rest = [det(a[..., 1:, [k for k in range(n) if k != j]]) for j in range(n)]
    return np.asarray(sum((-1) ** j * a[..., 0, j] * rest[j] for j in range(n)))


def cofactors(*operands: Any) -> Any:
    """Cofactors by minors; of sums of directions, of which the part linear in each is taken."""
    a, *directions = operands
    if directions:
        *others, last = directions
        # A polynomial of degree n - 1 along a line: differences of so many points give its slope.
        n = a.shape[-1]
        points = np.arange(n) - (n - 1) / 2
        values = np.stack([cofactors(a + h * last, *others) for h in points])
        weights = np.linalg.inv(np.vander(points, increasing=True))[1] if n > 1 else np.zeros(n)
        return np.tensordot(weights, values, 1)
    n = a.shape[-1]
    out = np.zeros_like(a)
    for i in range(n):
        for j in range(n):
            rows, columns = ([k for k in range(n) if k != m] for m in (i, j))
            out[..., i, j] = (-1) ** (i + j) * det(a[..., rows, :][..., columns])
    return out


def slogdet(a: Any) -> Any:
    """From the determinant itself."""
    value = det(a)
    return value / np.abs(value), np.log(np.abs(value))


def cholesky(a: Any, upper: bool = False) -> Any:
    """Column by column."""
    out = np.zeros(a.shape, a.dtype)
    for index in np.ndindex(a.shape[:-2]):
        x, low = a[index], out[index]
        for j in range(len(x)):
            low[j, j] = np.sqrt(x[j, j].real - sum(abs(low[j, k]) ** 2 for k in range(j)))
            for i in range(j + 1, len(x)):
                low[i, j] = (x[i, j] - sum(low[i, k] * low[j, k].conj() for k in range(j))) / low[j, j]
    return out.conj().swapaxes(-1, -2) if upper else out


def squared(low: Any, upper: bool) -> Any:
    """The matrix that has the factor ``low``."""
    other = low.conj().swapaxes(-1, -2)
    return other @ low if upper else low @ other


def lu(a: Any) -> tuple[Any, ...]:
    """Row by row, by the formula of Doolittle."""
    *lead, m, n = a.shape
    k = min(m, n)
    p, low, u = (np.zeros((*lead, *shape), a.dtype) for shape in ((m, m), (m, k), (k, n)))
    for index in np.ndindex(*lead):
        rows: list[Any] = [(i, list(map(complex, a[index][i].tolist())), []) for i in range(m)]
        for j in range(k):
            best = max(range(j, m), key=lambda i: abs(rows[i][1][j].real) + abs(rows[i][1][j].imag))
            rows[j], rows[best] = rows[best], rows[j]
            pivot = rows[j][1]
            for i in range(j + 1, m):
                factor = rows[i][1][j] / pivot[j] if pivot[j] else 0
                rows[i][2].append(factor)
                rows[i][1][:] = [x - factor * y for x, y in zip(rows[i][1], pivot, strict=True)]
        for i, (source, remains, factors) in enumerate(rows):
            p[(*index, source, i)] = 1
            for j in range(k):
                factor = 1 if i == j else factors[j] if j < min(i, len(factors)) else 0
                low[(*index, i, j)] = factor if np.iscomplexobj(a) else np.real(factor)
            for j in range(i, n if i < k else 0):
                u[(*index, i, j)] = remains[j] if np.iscomplexobj(a) else remains[j].real
    return p, low, u


def power(a: Any, n: int) -> Any:
    """One factor after the other."""
    base = inv(a) if n < 0 else a
    out = np.zeros(a.shape, base.dtype) + np.eye(a.shape[-1], dtype=base.dtype)
    for _ in range(abs(n)):
        out = out @ base
    return out


def matrix_exp(*operands: Any) -> Any:
    """The power series, of a block matrix that has a direction above its diagonal, for each."""
    a, *directions = operands
    n = a.shape[-1]
    for direction in directions:
        count = a.shape[-1] // n
        beside = np.kron(np.eye(count), direction)
        a = np.block([[a, beside], [np.zeros_like(a), a]])
    term = total = np.eye(a.shape[-1]) + 0 * a
    for k in range(1, 60):
        term = term @ a / k
        total = total + term
    return total[..., :n, a.shape[-1] - n :]


def multi_dot(*arrays: Any) -> Any:
    """One factor after the other."""
    out = arrays[0]
    for one in arrays[1:]:
        out = out @ one
    return out


def trace(x: Any, offset: int = 0) -> Any:
    """Add up the diagonal."""
    rows, columns = x.shape[-2:]
    out = np.zeros(x.shape[:-2], x.dtype)
    for i in range(rows):
        if 0 <= i + offset < columns:
            out = out + x[..., i, i + offset]
    return np.asarray(out)
