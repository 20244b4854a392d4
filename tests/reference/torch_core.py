"""What the ops of the core families are called in PyTorch, and where the two differ on purpose.

Other families have a module of their own beside this one; `test_torch` reads them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.reference.peer import torch


def reduction(f: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction of PyTorch's with NumPy's arguments; there, ``dim=()`` means all axes."""

    def call(x: Any, axis: Any = None, keepdims: bool = False, **settings: Any) -> Any:
        if axis == () or x.ndim == 0:
            axis, x, keepdims = 0, x[None], False
        axes = tuple(range(x.ndim)) if axis is None else axis
        return f(x, dim=axes, keepdim=keepdims, **settings)

    return call


def position(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis=None, keepdims=False: f(x, dim=axis, keepdim=keepdims and axis is not None)


def dtype_of(dtype: Any) -> Any:
    return getattr(torch, np.dtype(dtype).name)


def pair_of(axis: Any) -> Any:
    return (axis,) if isinstance(axis, int) else axis


def filled(pattern: Any, indices: Any) -> Any:
    gaps = iter(indices)
    return tuple([next(gaps) if type(item) is str else item for item in pattern])


def read(x: Any, index: Any) -> Any:
    return x[as_torch_index(index)]


def written(x: Any, v: Any, index: Any) -> Any:
    out = x.clone()
    out[as_torch_index(index)] = v
    return out


def placed(x: Any, index: Any, shape: Any) -> Any:
    return written(torch.zeros(shape, dtype=x.dtype), x, index)


def added(x: Any, *indices: Any, pattern: Any, shape: Any) -> Any:
    places = np.arange(np.prod(shape)).reshape(shape)[filled(pattern, [i.numpy() for i in indices])]
    flat = torch.zeros(int(np.prod(shape)), dtype=x.dtype)
    return flat.index_add(0, torch.from_numpy(np.ravel(places)), x.reshape(-1)).reshape(shape)


def as_torch_index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple([as_torch_index(i) for i in index])
    return torch.from_numpy(index) if isinstance(index, np.ndarray) else index


def split(x: Any, sections: Any, axis: int = 0) -> Any:
    return torch.tensor_split(x, sections if isinstance(sections, int) else list(sections), dim=axis)


def argsort(x: Any, axis: int | None = -1, descending: bool = False, stable: bool = True) -> Any:
    x, axis = (x.ravel(), 0) if axis is None else (x, axis)
    return torch.argsort(x, dim=axis, descending=descending, stable=True)


def sort(x: Any, axis: int = -1, descending: bool = False) -> Any:
    return torch.sort(x, dim=axis, descending=descending, stable=True).values


def along(f: Callable[..., Any]) -> Callable[..., Any]:
    """What runs along an axis; without one, the elements are a row."""
    return lambda x, axis=None: f(x.ravel(), 0) if axis is None else f(x, axis)


def with_initial(f: Callable[..., Any], start: float) -> Callable[..., Any]:
    def call(x: Any, axis: int = 0, include_initial: bool = False) -> Any:
        x = torch.atleast_1d(x)
        front = torch.full_like(x.sum(axis, keepdim=True), start)
        return torch.cat([front, f(x, axis)], axis) if include_initial else f(x, axis)

    return call


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    axes = range(x.ndim) if axis is None else pair_of(axis)
    for one in sorted([a % max(x.ndim, 1) for a in axes], reverse=True):
        x = torch.prod(x, one, keepdim=keepdims)
    return x


def log_softmax(x: Any, axis: int) -> Any:
    """PyTorch's own takes no complex numbers."""
    return x - torch.log(torch.sum(torch.exp(x), axis, keepdim=True))


def diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    return torch.diff(x, n, axis)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """By products: PyTorch's own cannot be differentiated twice, and its powers not at 0."""
    columns = [x * 0 + 1]
    while len(columns) < (x.shape[0] if N is None else N):
        columns.append(columns[-1] * x)
    return torch.stack(columns if increasing else columns[::-1], 1)


def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    return torch.repeat_interleave(x, repeats if isinstance(repeats, int) else torch.tensor(repeats), axis)


def row_wise(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of all elements, or of those along several axes, by one along the last axis."""

    def call(x: Any, axis: Any = None, keepdims: bool = False, **settings: Any) -> Any:
        axes = sorted([a % x.ndim for a in (range(x.ndim) if axis is None else pair_of(axis))])
        rest = [i for i in range(x.ndim) if i not in axes]
        y = f(torch.permute(x, (*rest, *axes)).reshape((*[x.shape[i] for i in rest], -1)), **settings)
        lead = y.ndim - len(rest)
        for a in axes if keepdims else ():
            y = y.unsqueeze(lead + a)
        return y

    return call


def quantile(x: Any, q: Any) -> Any:
    parts = torch.tensor(q, dtype=x.dtype)
    return torch.quantile(x, parts.ravel(), -1).reshape((*parts.shape, *x.shape[:-1]))


def average(x: Any, w: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    total = reduction(torch.sum)
    w = torch.ones_like(x) if w is None else w[:, None].expand(x.shape) if w.ndim < x.ndim else w
    return total(x * w, axis, keepdims) / total(w, axis, keepdims)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    return torch.tensordot(a, b, axes if isinstance(axes, int) else [pair_of(i) for i in axes])


def dot(a: Any, b: Any) -> Any:
    return a * b if not a.ndim or not b.ndim else tensordot(a, b, (a.ndim - 1, max(0, b.ndim - 2)))


def broadcast_vectors(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b, axis=-1: f(*torch.broadcast_tensors(a, b), dim=axis)


TORCH: dict[str, Callable[..., Any]] = {
    "add": torch.add, "subtract": torch.subtract, "multiply": torch.multiply, "divide": torch.divide,
    "power": torch.pow, "negative": torch.negative, "positive": torch.positive, "square": torch.square,
    "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "sin": torch.sin, "cos": torch.cos,
    "tanh": torch.tanh, "sigmoid": torch.sigmoid, "abs": torch.abs, "maximum": torch.maximum,
    "minimum": torch.minimum, "relu": torch.relu, "where": torch.where, "sign": torch.sgn,
    "direction": torch.sgn, "radius": lambda x: torch.sqrt(1 + x * x),
    "exp2": torch.exp2, "expm1": torch.expm1, "log1p": torch.log1p, "log2": torch.log2,
    "log10": torch.log10, "logaddexp": torch.logaddexp, "logaddexp2": torch.logaddexp2,
    "reciprocal": torch.reciprocal, "rsqrt": torch.rsqrt, "hypot": torch.hypot, "tan": torch.tan,
    "sinh": torch.sinh, "cosh": torch.cosh, "asin": torch.asin, "acos": torch.acos, "atan": torch.atan,
    "asinh": torch.asinh, "acosh": torch.acosh, "atanh": torch.atanh, "atan2": torch.atan2,
    "sinc": torch.sinc, "deg2rad": torch.deg2rad, "rad2deg": torch.rad2deg, "floor": torch.floor,
    "ceil": torch.ceil, "trunc": torch.trunc, "copysign": torch.copysign, "fmax": torch.fmax,
    "fmin": torch.fmin, "lerp": torch.lerp, "isnan": torch.isnan, "isinf": torch.isinf,
    "one_minus_square": lambda x: (1 - x) * (1 + x), "floor_divide": torch.floor_divide, "remainder": torch.remainder,
    "round": lambda x, decimals=0: torch.round(x, decimals=decimals),
    "clip": lambda x, *b, **s: torch.clip(x, *b, **s) if b or s else x,
    "at_least": lambda x, low: torch.clamp(x, min=low), "at_most": lambda x, high: torch.clamp(x, max=high),
    "nan_to_num": torch.nan_to_num,
    "equal": torch.eq, "not_equal": torch.ne, "less": torch.lt, "less_equal": torch.le, "greater": torch.gt,
    "greater_equal": torch.ge, "logical_and": torch.logical_and, "logical_or": torch.logical_or,
    "logical_not": torch.logical_not, "isfinite": torch.isfinite,
    "argmax": position(torch.argmax), "argmin": position(torch.argmin),
    "argsort": argsort,
    "any": reduction(torch.any), "all": reduction(torch.all),
    "cast": lambda x, dtype: x.to(dtype_of(dtype)), "truncate": lambda x, dtype: x.to(dtype_of(dtype)),
    "astype": lambda x, dtype: x.to(dtype_of(dtype)), "stop_gradient": lambda x: x.detach(),
    "real": torch.real, "imag": lambda x: torch.imag(x) if x.is_complex() else torch.zeros_like(x) * x,
    "conjugate": torch.conj,
    "sum": reduction(torch.sum), "max": reduction(torch.amax), "min": reduction(torch.amin),
    "mean": reduction(torch.mean),
    "var": reduction(lambda x, correction=0, **s: torch.var(x, correction=correction, **s)),
    "std": reduction(lambda x, correction=0, **s: torch.std(x, correction=correction, **s)),
    "softmax": lambda x, axis=-1: torch.exp(log_softmax(x, axis)) if x.is_complex() else torch.softmax(x, axis),
    "log_softmax": lambda x, axis=-1: log_softmax(x, axis) if x.is_complex() else torch.log_softmax(x, axis),
    "logsumexp": reduction(torch.logsumexp),
    "reshape": lambda x, shape: torch.reshape(x, (shape,) if isinstance(shape, int) else shape),
    "permute_dims": lambda x, axes: torch.permute(x, tuple(axes)),
    "broadcast_to": lambda x, shape: torch.broadcast_to(x, shape),
    "sum_to": lambda x, shape: x.sum_to_size(shape),
    "concat": lambda *arrays, axis: torch.cat(arrays, axis),
    "concat of a list": lambda *arrays, axis: (
        torch.cat(arrays, axis) if axis is not None else torch.cat([a.ravel() for a in arrays])
    ),
    "split": split, "split in parts": split,
    "transpose": lambda x, axes=None: torch.permute(x, tuple(range(x.ndim))[::-1] if axes is None else axes),
    "matrix_transpose": lambda x: x.mT,
    "swapaxes": lambda x, axis1, axis2: torch.swapaxes(x, axis1, axis2),
    "moveaxis": lambda x, source, destination: torch.moveaxis(x, source, destination),
    "squeeze": lambda x, axis=None: torch.squeeze(x) if axis is None else torch.squeeze(x, axis),
    "ravel": torch.ravel,
    "flip": lambda x, axis=None: torch.flip(x, tuple(range(x.ndim)) if axis is None else pair_of(axis)),
    "stack": lambda *arrays, axis: torch.stack(arrays, axis),
    "getitem": read, "place": placed, "setitem": written, "x[index]": read, "x[index] = v": written,
    "take_at": lambda x, *indices, pattern: x[filled(pattern, indices)],
    "add_at": added,
    "set_at": lambda x, v, *indices, pattern: written(x, v, filled(pattern, indices)),
    "take_along_axis": lambda x, indices, axis=-1: torch.take_along_dim(x, indices, axis),
    "add_along_axis": lambda x, indices, axis, shape: (
        torch.zeros(shape, dtype=x.dtype).scatter_add(axis, indices, x)
    ),
    "sort": sort,
    "one_hot": lambda labels, num_classes, dtype: (
        torch.nn.functional.one_hot(labels, num_classes).to(dtype_of(dtype))
    ),
    "matmul": torch.matmul,
    "einsum": lambda *operands, subscripts: torch.einsum(subscripts, *operands),
    "einsum in words": lambda *operands, subscripts: torch.einsum(subscripts, *operands),
    "prod": prod, "running_sum": torch.cumsum, "running_product": torch.cumprod,
    "cumsum": along(torch.cumsum), "cumprod": along(torch.cumprod),
    "cumulative_sum": with_initial(torch.cumsum, 0.0), "cumulative_prod": with_initial(torch.cumprod, 1.0),
    "cummax": lambda x, axis=-1: torch.cummax(x, axis).values,
    "cummin": lambda x, axis=-1: torch.cummin(x, axis).values,
    "diff": diff, "ptp": reduction(lambda x, **s: torch.amax(x, **s) - torch.amin(x, **s)),
    "concatenate": lambda *arrays, axis=0: torch.cat(arrays, axis),
    "hstack": lambda *arrays: torch.hstack(arrays), "vstack": lambda *arrays: torch.vstack(arrays),
    "dstack": lambda *arrays: torch.dstack(arrays),
    "unstack": lambda x, axis=0: torch.unbind(x, axis), "array_split": split,
    "atleast_1d": torch.atleast_1d, "atleast_2d": torch.atleast_2d, "atleast_3d": torch.atleast_3d,
    "broadcast_arrays": torch.broadcast_tensors,
    "meshgrid": lambda *arrays, indexing="xy": torch.meshgrid(*arrays, indexing=indexing),
    "tile": lambda x, repetitions: torch.tile(x, pair_of(repetitions)), "repeat": repeat,
    "roll": lambda x, shift, axis=None: (
        torch.roll(x, shift, axis) if not isinstance(axis, tuple) or isinstance(shift, tuple)
        else torch.roll(x, (shift,) * len(axis), axis)
    ),
    "rot90": lambda x, k=1, axes=(0, 1): torch.rot90(x, k, axes),
    "vander": vander,
    "tril": lambda x, k=0: torch.tril(x, k), "triu": lambda x, k=0: torch.triu(x, k),
    "diagonal": lambda x, offset=0, axis1=0, axis2=1: torch.diagonal(x, offset, axis1, axis2),
    "diag": lambda x, k=0: torch.diag(x, k),
    "joined": torch.view_as_complex, "complex": torch.complex, "polar": torch.polar, "view_as_real": torch.view_as_real,
    "view_as_complex": torch.view_as_complex, "diag_embed": torch.diag_embed, "block_diag": torch.block_diag,
    "dot": dot, "inner": torch.inner, "tensordot": tensordot, "kron": torch.kron,
    "vdot": lambda a, b: torch.vdot(a.ravel(), b.ravel()),
    "outer": lambda a, b: torch.outer(a.ravel(), b.ravel()),
    "vecdot": broadcast_vectors(torch.linalg.vecdot), "cross": broadcast_vectors(torch.linalg.cross),
    "count_nonzero": reduction(lambda x, dim, keepdim: torch.sum(x != 0, dim, keepdim)),
    "nansum": reduction(torch.nansum), "nanmean": reduction(torch.nanmean), "average": average,
    "median": row_wise(lambda x: torch.quantile(x, 0.5, -1)), "quantile": row_wise(quantile),
}  # fmt: skip


WITHOUT_COUNTERPART = {
    "nan_to_num of parts": "PyTorch has no gradient for complex numbers",
    "heaviside": "PyTorch has no gradient for the value at 0",
    "cbrt": "PyTorch has no cube root; a power of 1/3 refuses negative numbers",
    "sinc_slope": "the slopes of sinc; PyTorch has no name for them",
    "wins": "the slope of maximum; PyTorch has no name for it",
    "recurrence": "the slope of running products; PyTorch has no name for it",
    "leaders": "where the extremum so far stands; PyTorch counts the last of equal ones, this the first",
    "pad": "PyTorch pads the last axes of a batch only, and has no mode symmetric; NumPy's is the reference",
    "nanmax": "PyTorch has none",
    "nanmin": "PyTorch has none",
    "share": "the slope of max; PyTorch has no name for it",
    "winners": "which writes stay; PyTorch leaves the order of repeated writes open",
    "random": "other generators draw other numbers",
    "random_given": "other generators draw other numbers",
    "expand_dims": "PyTorch adds one axis at a time; reshape covers it",
}

NEGATIVE_STEP = "PyTorch has no negative steps"
ORDER = "PyTorch leaves the order of repeated writes open"
DIFFERENT: dict[tuple[str, str], str] = {
    ("polar", "edge: 0"): "PyTorch's slopes are 0 there: made from the result, divided by the absolute value",
    ("sinc", "edge: 0 and near it"): "PyTorch's slope loses its digits near 0",
    ("getitem", "axes"): NEGATIVE_STEP,
    ("place", "axes"): NEGATIVE_STEP,
    ("setitem", "axes"): NEGATIVE_STEP,
    ("x[index]", "axes, array and number"): NEGATIVE_STEP,
    ("set_at", "axes, repeated: the last counts"): ORDER,
    ("set_at", "broadcast v"): ORDER,
    ("x[index] = v", "edge: repeated"): ORDER,
    ("median", "complex"): "PyTorch has no quantiles of complex numbers",
    ("median", "edge: NaN, infinity"): "the infinity in the middle here, NaN in PyTorch",
    ("sign", "edge: zeros, infinity, NaN"): "sign(NaN) is NaN here, as in NumPy, and 0 in PyTorch",
}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {
    ("logaddexp", "edge: far apart, large"): "PyTorch gives NaN where the terms are far apart",
    (
        "power",
        "edge: exponents 0, 1, 2",
    ): "at b = 0 PyTorch cuts off the slope in a, and so d2y/(da db) = 1/a with it",
}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {
    ("cbrt", "0"): "PyTorch has no cube root",
    ("hypot", "(0, 0)"): "0 here, as for abs; NaN in PyTorch",
    ("logaddexp", "both -inf"): "0 here, as for logsumexp; NaN in PyTorch",
    ("logaddexp2", "both -inf"): "0 here, as for logsumexp; NaN in PyTorch",
    ("fmax", "equal, NaN"): "half to each of two equals, as for maximum; PyTorch gives all to the first",
    ("fmin", "equal, NaN"): "half to each of two equals, as for minimum; PyTorch gives all to the first",
    ("logsumexp", "all -inf"): "0 here, so that an empty row does not spoil a sum; NaN in PyTorch",
    ("prod", "underflow"): "the product of the others here; PyTorch divides by the element and gets 0",
    ("cummax", "the first of equal ones"): "the first here, the last in PyTorch",
    ("cummin", "the first of equal ones"): "the first here, the last in PyTorch",
    ("max", "NaN gets it"): "the NaN is the maximum, so it gets the gradient; PyTorch gives none or NaN",
    ("min", "NaN gets it"): "the NaN is the minimum, so it gets the gradient; PyTorch gives none or NaN",
}
