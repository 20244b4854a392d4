"""Values and gradients of every row against PyTorch, in float64 to ten digits.

`TORCH` says what each op is called there. What has no counterpart, and where the two differ on
purpose, is listed with the reason; a row that is in none of the lists fails.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import checks
from tensorgrad.testing.samples import COMPOSED, ROWS, Kink, OpSamples, Sample

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch says of its own imports is not ours
    torch = pytest.importorskip("torch")

ALL = [*ROWS.values(), *COMPOSED.values()]


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


def spread(z: Any, w: Any, stride: Any, padding: Any, extent: Any) -> Any:
    least = [
        (n - 1) * s - 2 * p + k for n, s, p, k in zip(z.shape[2:], stride, padding, w.shape[2:], strict=True)
    ]
    rest = tuple([n - m for n, m in zip(extent, least, strict=True)])
    return torch.nn.functional.conv_transpose2d(z, w, None, stride, padding, rest)


def filters(x: Any, z: Any, stride: Any, padding: Any, extent: Any) -> Any:
    shape = (z.shape[1], x.shape[1], *extent)
    return torch.nn.grad.conv2d_weight(x, shape, z, stride, padding)


def split(x: Any, sections: Any, axis: int = 0) -> Any:
    return torch.tensor_split(x, sections if isinstance(sections, int) else list(sections), dim=axis)


def argsort(x: Any, axis: int = -1, descending: bool = False) -> Any:
    return torch.argsort(x, dim=axis, descending=descending, stable=True)


def sort(x: Any, axis: int = -1, descending: bool = False) -> Any:
    return torch.sort(x, dim=axis, descending=descending, stable=True).values


TORCH: dict[str, Callable[..., Any]] = {
    "add": torch.add, "subtract": torch.subtract, "multiply": torch.multiply, "divide": torch.divide,
    "power": torch.pow, "negative": torch.negative, "positive": torch.positive, "square": torch.square,
    "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "sin": torch.sin, "cos": torch.cos,
    "tanh": torch.tanh, "sigmoid": torch.sigmoid, "abs": torch.abs, "maximum": torch.maximum,
    "minimum": torch.minimum, "relu": torch.relu, "where": torch.where, "sign": torch.sgn,
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
    "softmax": lambda x, axis=-1: torch.softmax(x, axis),
    "log_softmax": lambda x, axis=-1: torch.log_softmax(x, axis),
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
    "_correlate2d": lambda x, w, stride, padding: torch.nn.functional.conv2d(x, w, None, stride, padding),
    "correlate2d": lambda x, w, stride=1, padding=0: torch.nn.functional.conv2d(x, w, None, stride, padding),
    "_spread2d": spread, "_correlate2d_filters": filters,
}  # fmt: skip


WITHOUT_COUNTERPART = {
    "wins": "the slope of maximum; PyTorch has no name for it",
    "share": "the slope of max; PyTorch has no name for it",
    "winners": "which writes stay; PyTorch leaves the order of repeated writes open",
    "random": "other generators draw other numbers",
    "expand_dims": "PyTorch adds one axis at a time; reshape covers it",
}

NEGATIVE_STEP = "PyTorch has no negative steps"
ORDER = "PyTorch leaves the order of repeated writes open"
DIFFERENT: dict[tuple[str, str], str] = {
    ("getitem", "axes"): NEGATIVE_STEP,
    ("place", "axes"): NEGATIVE_STEP,
    ("setitem", "axes"): NEGATIVE_STEP,
    ("x[index]", "axes, array and number"): NEGATIVE_STEP,
    ("set_at", "axes, repeated: the last counts"): ORDER,
    ("set_at", "broadcast v"): ORDER,
    ("x[index] = v", "edge: repeated"): ORDER,
    ("sign", "edge: zeros, infinity, NaN"): "sign(NaN) is NaN here, as in NumPy, and 0 in PyTorch",
}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {
    (
        "power",
        "edge: exponents 0, 1, 2",
    ): "at b = 0 PyTorch cuts off the slope in a, and so d2y/(da db) = 1/a with it",
}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {
    ("logsumexp", "all -inf"): "0 here, so that an empty row does not spoil a sum; NaN in PyTorch",
    ("max", "NaN gets it"): "the NaN is the maximum, so it gets the gradient; PyTorch gives none or NaN",
    ("min", "NaN gets it"): "the NaN is the minimum, so it gets the gradient; PyTorch gives none or NaN",
}


def cases(which: Callable[[OpSamples, Sample], bool] = lambda row, sample: True) -> pytest.MarkDecorator:
    chosen = [
        (row, sample)
        for row in ALL
        for sample in row.samples
        if row.name in TORCH and (row.name, sample.label) not in DIFFERENT and which(row, sample)
    ]
    ids = [f"{row.name}-{sample.label}" for row, sample in chosen]
    return pytest.mark.parametrize(("row", "sample"), chosen, ids=ids)


def lift(a: Any, *, grad: bool = False) -> Any:
    """An array as a tensor of PyTorch's."""
    made = torch.from_numpy(np.array(a, order="C"))
    return made.requires_grad_() if grad else made


def listed(y: Any) -> list[Any]:
    return list(y) if isinstance(y, tuple | list) else [y]


def agree(ours: Any, theirs: Any) -> None:
    theirs = theirs.numpy(force=True)
    checks.close(ours, theirs, rtol=1e-10, atol=1e-12, what="ours and PyTorch's")


def test_every_row_is_compared_or_has_a_reason() -> None:
    names = {row.name for row in ALL}
    assert not set(TORCH) & set(WITHOUT_COUNTERPART)
    assert set(TORCH) | set(WITHOUT_COUNTERPART) == names
    labels = {(row.name, sample.label) for row in ALL for sample in row.samples}
    assert set(DIFFERENT) | set(SECOND_ORDER_DIFFERS) <= labels
    assert set(KINKS_THAT_DIFFER) <= {(row.name, kink.label) for row in ALL for kink in row.kinks}


@cases()
def test_values(row: OpSamples, sample: Sample) -> None:
    with np.errstate(all="ignore"):
        ours = listed(row(*sample.args, **sample.named()))
    theirs = listed(TORCH[row.name](*[lift(a) for a in sample.args], **sample.named()))
    for y, z in zip(ours, theirs, strict=True):
        agree(y, z)
        assert np.asarray(y).dtype.name == str(z.dtype).removeprefix("torch.")


@cases(lambda row, sample: sample.smooth and bool(checks.Case(row, sample).positions))
def test_gradients(row: OpSamples, sample: Sample) -> None:
    """First order, and the gradient of its product with another random vector."""
    case = checks.Case(row, sample)
    vs = case.cotangents()
    us = [checks.random_like(x, 50 + i) for i, x in enumerate(case.xs)]
    ours = checks.gradient(case.scalar, [*case.xs, *vs])[: len(case.xs)]
    second = checks.gradient(
        lambda *xs: checks.inner(us, checks.gradient_of(case.scalar, [*xs, *vs])[: len(xs)]), case.xs
    )
    args = [lift(a, grad=i in case.positions) for i, a in enumerate(sample.args)]
    xs = [args[i] for i in case.positions]
    ys = [
        y for y in listed(TORCH[row.name](*args, **sample.named())) if y.is_floating_point() or y.is_complex()
    ]
    theirs = torch.autograd.grad(
        ys, xs, [lift(v) for v in vs], create_graph=True, allow_unused=True, materialize_grads=True
    )
    for g, z in zip(ours, theirs, strict=True):
        agree(g, z)
    if (row.name, sample.label) in SECOND_ORDER_DIFFERS:
        return
    total = sum((torch.conj(lift(u)) * g).real.sum() for u, g in zip(us, theirs, strict=True))
    if not (isinstance(total, torch.Tensor) and total.requires_grad):
        assert all(not h.any() for h in second)
        return
    for g, z in zip(
        second, torch.autograd.grad(total, xs, allow_unused=True, materialize_grads=True), strict=True
    ):
        agree(g, z)


@pytest.mark.parametrize(
    ("row", "kink"),
    [(row, kink) for row in ALL for kink in row.kinks if (row.name, kink.label) not in KINKS_THAT_DIFFER],
    ids=lambda value: value.name if isinstance(value, OpSamples) else value.label,
)
def test_kinks(row: OpSamples, kink: Kink) -> None:
    xs = [lift(a, grad=True) for a in kink.args]
    y = TORCH[row.name](*xs, **kink.params).sum()
    for g, expected in zip(torch.autograd.grad(y, xs), kink.gradients, strict=True):
        np.testing.assert_allclose(g.numpy(), expected, rtol=1e-14, atol=0)


def test_a_small_training_run_takes_the_same_steps() -> None:
    """Two layers, softmax and cross-entropy, by hand on both sides: fifty steps, to the last digits."""
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((32, 5)), rng.integers(0, 3, 32)
    start = [rng.standard_normal(shape) * 0.5 for shape in [(5, 8), (8,), (8, 3), (3,)]]

    ours = [tg.tensor(p, requires_grad=True) for p in start]
    theirs = [lift(p, grad=True) for p in start]
    for _ in range(50):
        w1, b1, w2, b2 = ours
        scores = tg.tanh(tg.tensor(x) @ w1 + b1) @ w2 + b2
        loss = -tg.take_along_axis(tg.log_softmax(scores), labels[:, None], axis=1).mean()
        grads = tg.autograd.grad(loss, ours)
        with tg.no_grad():
            for p, g in zip(ours, grads, strict=True):
                p -= 0.5 * g

        v1, c1, v2, c2 = theirs
        other = torch.nn.functional.cross_entropy(torch.tanh(lift(x) @ v1 + c1) @ v2 + c2, lift(labels))
        others = torch.autograd.grad(other, theirs)
        with torch.no_grad():
            for q, h in zip(theirs, others, strict=True):
                q -= 0.5 * h
        assert loss.item() == pytest.approx(other.item(), rel=1e-10)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-9)
