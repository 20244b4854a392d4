"""Orthonormal columns: the QR decomposition."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..._errors import ShapeError
from ..._primitive import declare
from ..diagonals import tril, triu
from ..dtype import real
from ..shape import concat
from ._matrices import adjoint
from ._spectra import closed, divided, opened
from .singular import completed

# ---- the card


def _reduced(a: Any, /) -> tuple[Any, Any]:
    """Orthonormal columns times upper triangles, of matrices with at least as many rows as columns."""
    return tuple(np.linalg.qr(a))  # type: ignore[return-value]


_qr = declare(_reduced, "general", several=True, name="qr")
_qr.vjp(a=lambda g, y: _qr_pull(*g, *y))
_qr.batching(lambda size, batched, args: _qr(args[0]))


def _qr_pull(gq: Any, gr: Any, q: Any, r: Any) -> Any:
    """The diagonal of ``r`` is real, for complex matrices too: so LAPACK chooses the phases."""
    gr = triu(gr)
    within = adjoint(q) @ gq
    x = within - gr @ adjoint(r)
    turned = q @ (tril(x, k=-1) - adjoint(triu(x, k=1)) + _phases(x))
    if q.shape[-2] > q.shape[-1]:
        turned = turned + (gq - q @ within)
    wrong = "the first columns of some matrix are linearly dependent"
    # What R gets does not depend on how small its elements are: kept apart, it is not lost beside the rest.
    return q @ gr + adjoint(divided("qr", wrong, r, adjoint(turned)))


def _phases(x: Any) -> Any:
    """The imaginary part of the diagonal."""
    return np.eye(x.shape[-1], dtype=x.dtype) * (x - real(x)) if x.dtype.kind == "c" else 0


# ---- the public function


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Any
    R: Any


def qr(a: Any, /, mode: str = "reduced") -> Any:
    """Orthonormal columns times an upper triangle: ``a = Q @ R``.

    The gradient needs the first ``min(M, N)`` columns of ``a`` to be linearly independent. In mode "complete"
    the columns of ``Q`` beyond the first N are some basis of the rest of the space; their gradient is that
    of any function which does not depend on the choice of basis.

    The diagonal of ``R`` is real, and LAPACK chooses its signs. They jump where a column needs no reflection,
    as in a triangle or a real number in a complex matrix: there the gradient is that of the factors with the
    signs that they have at ``a``.

    Args:
        a: matrices ``(..., M, N)``.
        mode: "reduced", "complete" or "r".

    Returns:
        ``(Q, R)``: ``(..., M, K)`` and ``(..., K, N)``, with ``K = min(M, N)``, or ``K = M`` in mode "complete";
        in mode "r", ``R`` alone, as in mode "reduced".

    Raises:
        ShapeError: there are fewer than two axes, or there is no such mode.
        LinalgError: a gradient is wanted where the columns are dependent, and there is none.

    Example:
        >>> import tensorgrad as tg
        >>> tg.abs(tg.linalg.qr(tg.tensor([[3.0], [4.0]])).R)
        tensor([[5.]])

    Source:
        Walter and Lehmann, Algorithmic differentiation of linear algebra functions with application in optimum
        experimental design, 2010, section 2.3; for wide matrices Roberts and Roberts, QR and LQ
        decomposition matrix backpropagation algorithms for square, wide, and deep matrices, 2020.
    """
    if mode not in ("reduced", "complete", "r"):
        raise ShapeError(f"qr: mode is {mode!r}; it is 'reduced', 'complete' or 'r'")
    x = opened("qr", a)
    m, n = x.shape[-2:]
    q, r = _qr(x[..., :m])
    if n > m:
        r = concat([r, adjoint(q) @ x[..., m:]], axis=-1)
    if mode == "complete" and m > n:
        q = completed(q)
        r = concat([r, np.zeros((*r.shape[:-2], m - n, n), r.dtype)], axis=-2)
    return closed(r, a) if mode == "r" else QRResult(closed(q, a), closed(r, a))
