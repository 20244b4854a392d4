"""What the ops of this family are called in PyTorch, and where the two differ on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch


def take(x: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    x, axis = (x.ravel(), 0) if axis is None else (x, axis)
    n = x.shape[axis]
    place = torch.clip(indices, 0, n - 1) if mode == "clip" else indices % n
    return x[(*[slice(None)] * axis, place)]


def cut(src: Any, index: Any) -> Any:
    """The part of ``src`` that is used; PyTorch's gradients want no other."""
    return src[tuple([slice(n) for n in index.shape])]


def put_along_axis(x: Any, values: Any, indices: Any, axis: Any) -> Any:
    if axis is None:
        return put_along_axis(x.ravel(), values, indices, 0).reshape(x.shape)
    shape = [m if i == axis else n for i, (n, m) in enumerate(zip(x.shape, indices.shape, strict=True))]
    return torch.scatter(x, axis, indices.expand(shape), values.expand(shape))


def topk(x: Any, k: int, axis: int = -1, largest: bool = True) -> Any:
    return tuple(torch.topk(x, k, axis, largest))


def sorted_along(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, kth, axis=-1: f(x.ravel(), dim=0) if axis is None else f(x, dim=axis)


def searchsorted(a: Any, v: Any, sorter: Any = None, side: str = "left") -> Any:
    return torch.searchsorted(a, v, sorter=None if sorter is None else torch.tensor(sorter), side=side)


def bincount(x: Any, weights: Any = None, length: int = 0) -> Any:
    counts = torch.zeros(length, dtype=torch.int64 if weights is None else weights.dtype)
    return counts.index_add(0, x, torch.ones_like(x) if weights is None else weights)


TORCH: dict[str, Callable[..., Any]] = {
    "take": take,
    "index_select": lambda x, index, axis: torch.index_select(x, axis, index),
    "gather": lambda x, index, axis: torch.gather(x, axis, index),
    "choose": lambda a, b, x, mode="raise": torch.where(x % 2 == 0, a, b),
    "select": lambda a, b, p, q: torch.where(p, a, torch.where(q, b, torch.tensor(7.0, dtype=a.dtype))),
    "masked_fill": lambda x, value, mask: torch.where(mask, value, x),
    "masked_select": lambda x, mask: torch.masked_select(x, torch.tensor(mask)),
    "compress": lambda x, condition, axis=None: torch.index_select(
        x.ravel() if axis is None else x, axis or 0, torch.tensor(condition).nonzero().ravel()
    ),
    "extract": lambda x, condition: torch.masked_select(x, torch.tensor(condition).bool()),
    "put_along_axis": put_along_axis,
    "scatter": lambda x, src, index, axis: torch.scatter(x, axis, index, cut(src, index)),
    "scatter_add": lambda x, src, index, axis: torch.scatter_add(x, axis, index, cut(src, index)),
    "scatter_reduce": lambda x, src, index, axis, reduce, include_self=True: torch.scatter_reduce(
        x, axis, index, cut(src, index), reduce, include_self=include_self
    ),
    "index_add": lambda x, src, index, axis: torch.index_add(x, axis, index, src),
    "index_copy": lambda x, src, index, axis: torch.index_copy(x, axis, index, src),
    "topk": topk,
    "kthvalue": lambda x, k, axis: tuple(torch.kthvalue(x, k, axis)),
    "partition": sorted_along(lambda x, dim: torch.sort(x, dim=dim).values),
    "argpartition": sorted_along(torch.argsort),
    "insertion": searchsorted,
    "searchsorted": searchsorted,
    "digitize": lambda x, bins, right=False: torch.bucketize(x, torch.tensor(bins).to(x), right=not right),
    "isin": lambda x, some, invert=False: torch.isin(x, some, invert=invert),
    "bincount": bincount,
    "bincount without weights": bincount,
    "unravel_index": lambda indices, shape: torch.unravel_index(indices, shape),
}

WITHOUT_COUNTERPART: dict[str, str] = {
    "positions": "the check of indices; in PyTorch it is part of each op",
    "best_number": "PyTorch has no nanargmax",
    "nanargmax": "PyTorch has none",
    "nanargmin": "PyTorch has none",
    "lexsort": "PyTorch has none",
    "histogram": "PyTorch's has no gradient for the weights",
    "ravel_multi_index": "PyTorch has none",
}

ORDER = "PyTorch leaves the order of repeated writes open"
NAN = "NaN is the largest number here, as in NumPy; PyTorch puts it behind all others"
DIFFERENT: dict[tuple[str, str], str] = {
    ("put_along_axis", "axes, repeated: the last counts"): ORDER,
    ("scatter", "axes, repeated: the last counts"): ORDER,
    ("index_copy", "axes, repeated: the last counts"): ORDER,
    ("topk", "edge: ties and NaN"): "of equal ones the first here; PyTorch leaves it open",
    ("kthvalue", "edge: ties and NaN"): "of equal ones the first here; PyTorch leaves it open",
    ("insertion", "edge: NaN, infinities"): NAN,
    ("insertion", "edge: NaN, right"): NAN,
    (
        "scatter_reduce",
        "axes, prod without self",
    ): "PyTorch cannot differentiate a product of two zeros twice",
    ("digitize", "edge: descending"): "PyTorch's edges ascend",
}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {}
