"""What the ops of this family are called in PyTorch, and where the two differ on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch
from tests.reference.torch_core import along, prod, row_wise


def slopes(x: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    steps = [s.detach() if s.ndim else s.item() for s in spacing]
    if any(s.ndim for s in spacing):  # then places along each axis
        pairs = zip(steps, x.shape, strict=True)
        steps = [s if torch.is_tensor(s) else torch.arange(n, dtype=x.dtype) * s for s, n in pairs]
    given = {"spacing": steps if any(s.ndim for s in spacing) else steps[0]} if steps else {}
    return torch.gradient(x, dim=axis, edge_order=edge_order, **given)


def cov(
    x: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, **weights: Any
) -> Any:
    x = torch.atleast_2d(x if rowvar else x.T)
    x = x if y is None else torch.cat([x, torch.atleast_2d(y)])
    weights = {k: torch.from_numpy(w) for k, w in weights.items()}
    return torch.cov(x, correction=(0 if bias else 1) if ddof is None else ddof, **weights)


def in_dtype(f: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Any, dtype: str, axis: int = 0) -> Any:
        return f(x.trunc() if dtype == "int64" else x, axis, dtype=getattr(torch, dtype))

    return call


TORCH: dict[str, Callable[..., Any]] = {
    "sum in a dtype": in_dtype(torch.sum), "prod in a dtype": in_dtype(torch.prod),
    "cumsum in a dtype": in_dtype(torch.cumsum), "cumprod in a dtype": in_dtype(torch.cumprod),
    "cumulative_sum in a dtype": in_dtype(torch.cumsum),
    "cumulative_prod in a dtype": in_dtype(torch.cumprod),
    "bitwise_and": torch.bitwise_and, "bitwise_or": torch.bitwise_or, "bitwise_xor": torch.bitwise_xor,
    "bitwise_invert": torch.bitwise_not, "bitwise_left_shift": torch.bitwise_left_shift,
    "bitwise_right_shift": torch.bitwise_right_shift, "gcd": torch.gcd, "lcm": torch.lcm,
    "logical_xor": torch.logical_xor,
    "isclose": lambda a, b, **params: torch.isclose(*torch.broadcast_tensors(a, b), **params),
    "allclose": lambda a, b, **params: torch.isclose(*torch.broadcast_tensors(a, b), **params).all(),
    "isreal": torch.isreal, "isposinf": torch.isposinf, "isneginf": torch.isneginf,
    "iscomplex": lambda x: ~torch.isreal(x), "fmod": torch.fmod, "signbit": torch.signbit,
    "nextafter": torch.nextafter, "rint": torch.round, "float_power": torch.float_power,
    "nanprod": lambda x, **params: prod(torch.where(x.isnan(), 1, x), **params),
    "nancumsum": lambda x, axis=None: along(torch.cumsum)(torch.where(x.isnan(), 0, x), axis),
    "nancumprod": lambda x, axis=None: along(torch.cumprod)(torch.where(x.isnan(), 1, x), axis),
    "nanmedian": row_wise(lambda x: torch.nanquantile(x, 0.5, -1)),
    "running_logsumexp": torch.logcumsumexp, "logcumsumexp": along(torch.logcumsumexp),
    "diff with ends": lambda x, prepend=None, append=None, n=1, axis=-1: torch.diff(
        x, n, axis, **{k: v if v.ndim else v.expand(x.narrow(axis, 0, 1).shape)
                       for k, v in (("prepend", prepend), ("append", append)) if v is not None}
    ),
    "trapezoid": lambda y, x=None, dx=1.0, axis=-1: torch.trapezoid(
        y, dim=axis, **({"dx": dx} if x is None else {"x": x})
    ),
    "cumulative_trapezoid": lambda y, x=None, dx=1.0, axis=-1: torch.cumulative_trapezoid(
        y, dim=axis, **({"dx": dx} if x is None else {"x": x})
    ),
    "gradient": slopes, "cov": cov,
    "corrcoef": lambda x, rowvar=True: torch.corrcoef(x if rowvar else x.T),
    "append": lambda x, v, axis=None: (
        torch.cat([x.ravel(), v.ravel()]) if axis is None else torch.cat([x, v], axis)
    ),
    "column_stack": lambda *arrays: torch.column_stack(arrays),
    "fliplr": torch.fliplr, "flipud": torch.flipud, "diagflat": lambda x, k=0: torch.diagflat(x, k),
    "hsplit": lambda x, sections: torch.hsplit(x, sections),
    "vsplit": lambda x, sections: torch.vsplit(x, sections),
    "dsplit": lambda x, sections: torch.dsplit(x, sections),
    "angle": lambda x, deg=False: torch.rad2deg(torch.angle(x)) if deg else torch.angle(x),
}  # fmt: skip

WITHOUT_COUNTERPART: dict[str, str] = {
    "rollaxis": "PyTorch has none; moveaxis is compared",
    "delete": "PyTorch has none",
    "insert": "PyTorch has none",
    "fill_diagonal": "PyTorch writes in place, and only one number",
    "block": "PyTorch has none; concat is compared",
    "nanvar": "PyTorch has none",
    "nanstd": "PyTorch has none",
    "percentile": "PyTorch has none; quantile is compared",
    "nanquantile": "PyTorch has only the simple methods; NumPy's is the reference",
    "nanpercentile": "PyTorch has none",
    "ediff1d": "PyTorch has none; diff is compared",
    "bitwise_count": "PyTorch counts no bits",
    "array_equal": "torch.equal gives a bool, and knows no NaN that equals itself",
    "array_equiv": "PyTorch has none",
    "divmod": "PyTorch has the two by themselves",
    "modf": "PyTorch has only the fraction, and NaN for that of infinity",
}

NO_PLACES = "PyTorch has no gradient for the places"
DIFFERENT: dict[tuple[str, str], str] = {
    **{
        (f"{name} in a dtype", "axes, complex"): "PyTorch cannot go back from complex to real there"
        for name in ("sum", "prod", "cumsum", "cumprod", "cumulative_sum", "cumulative_prod")
    },
    ("nanmedian", "edge: NaN"): "the infinity here, NaN in PyTorch",
    ("gradient", "axes, a distance"): NO_PLACES,
    ("gradient", "axes, both ways"): NO_PLACES,
    ("gradient", "axes, places, second order"): NO_PLACES,
    ("gradient", "edge: falling places"): NO_PLACES,
}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {
    ("running_logsumexp", "-inf in front"): "0 here, as for logsumexp; NaN in PyTorch",
}
