"""A row and a sample as a function of what is differentiated, and helpers to compare values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._primitive import registry
from .._tensor import Tensor, asarray, tensor
from ..autograd import grad as gradients
from .recorded import inner
from .samples import OpSamples, Sample


class Case:
    """A row and a sample: the op as a function of the arguments that are differentiated."""

    def __init__(self, row: OpSamples, sample: Sample) -> None:
        self.row = row
        self.sample = sample
        self.args = sample.args
        card = registry.get(row.name)
        self.positions = [
            i
            for i in sample.positions()
            if card is None or row.op is not None or card.formula_for(i) is not None
        ]
        self.xs = [self.args[i] for i in self.positions]

    def call(self, *args: Any) -> list[Any]:
        """Apply the op to all arguments; its results as a list."""
        y = self.row(*args, **self.sample.named())
        return list(y) if isinstance(y, tuple) else [y]

    def of(self, *xs: Any) -> list[Any]:
        """Apply the op with ``xs`` in place of the arguments that are differentiated."""
        args = list(self.args)
        for i, x in zip(self.positions, xs, strict=True):
            args[i] = x
        return self.call(*args)

    def cotangents(self) -> list[Any]:
        """A random cotangent for each floating result."""
        floating = [y for y in self.of(*self.xs) if y.dtype.kind in "fc"]
        return [random_like(y, seed) for seed, y in enumerate(floating)]

    def scalar(self, *zs: Any) -> Any:
        """``F``: the results times cotangents, added up; ``zs`` are the ``xs``, then the cotangents."""
        xs, vs = zs[: len(self.xs)], zs[len(self.xs) :]
        return inner(vs, [y for y in self.of(*xs) if y.dtype.kind in "fc"])


# ---- gradients


def gradient(function: Callable[..., Any], zs: Sequence[Any]) -> list[Any]:
    """The gradients of a scalar function at arrays, as arrays."""
    return [g._d for g in gradient_of(function, [tensor(z, requires_grad=True) for z in zs], create=False)]


def gradient_of(function: Callable[..., Any], zs: Sequence[Any], *, create: bool = True) -> list[Any]:
    """The gradients at tensors, as tensors that can be differentiated again; 0 where there is none."""
    variables = [
        z if isinstance(z, Tensor) and z.requires_grad else tensor(z, requires_grad=True) for z in zs
    ]
    y = function(*variables)
    if not (isinstance(y, Tensor) and y.requires_grad):
        return [tensor(np.zeros(z.shape, z.dtype)) for z in variables]
    found = gradients(y, variables, create_graph=create, allow_unused=True)
    return [
        tensor(np.zeros(z.shape, z.dtype)) if g is None else g for g, z in zip(found, variables, strict=True)
    ]


def raw(value: Any) -> Any:
    """The array of a tensor, or the array itself."""
    return value._d if isinstance(value, Tensor) else value


def close(a: Any, b: Any, *, rtol: float, atol: float, what: str) -> None:
    """Assert that two values agree, shape included; NaN agrees with NaN."""
    x, y = np.asarray(raw(a)), np.asarray(raw(b))
    assert x.shape == y.shape, f"{what}: shapes {x.shape} and {y.shape}"
    np.testing.assert_allclose(x, y, rtol=rtol, atol=atol, err_msg=what)


def random_like(y: Any, seed: int) -> Any:
    """Normal numbers in the shape and dtype of ``y``."""
    rng = np.random.default_rng((seed, *np.shape(y)))
    made = np.asarray(rng.standard_normal(np.shape(y)))
    if np.asarray(y).dtype.kind == "c":
        made = made + 1j * rng.standard_normal(np.shape(y))
    return made.astype(np.asarray(y).dtype)


def vary(a: Any, k: int) -> Any:
    """Other arguments of the same kind: floats nearer to 0 (ties stay ties), integers in another order."""
    if k == 0:
        return a
    if a.dtype.kind in "fc":
        return a * (1 - k / 4)
    if a.dtype.kind == "b":
        return ~a if k == 1 else a
    return np.flip(a) if k == 1 else np.roll(a, 1)


def narrow(a: Any, dtype: str) -> Any:
    """A floating array in another dtype, a complex one in the complex dtype of that size, if there is one."""
    if a.dtype.kind not in "fc":
        return a
    if a.dtype.kind == "c":
        return None if dtype == "float16" else a.astype(np.result_type(dtype, np.complex64))
    with np.errstate(over="ignore", under="ignore"):
        return a.astype(dtype)


def value_and_gradients(case: Case, args: Sequence[Any], vs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """The results and the gradients for given cotangents, with tensors over the memory of ``args``."""
    shared = [asarray(a, copy=False) if a.ndim else tensor(a) for a in args]
    variables = [shared[i].requires_grad_() for i in case.positions]
    with np.errstate(all="ignore"):
        results = case.call(*shared)
        floating = [y for y in results if y.dtype.kind in "fc"]
        tracked = [(y, v) for y, v in zip(floating, vs, strict=True) if y.requires_grad]
        if not tracked:
            return [y._d for y in results], [np.zeros(x.shape, x.dtype) for x in variables]
        ys, seeds = zip(*tracked, strict=True)
        found = gradients(list(ys), variables, list(seeds), allow_unused=True)
    zero = [np.zeros(x.shape, x.dtype) if g is None else g._d for x, g in zip(variables, found, strict=True)]
    return [y._d for y in results], zero
