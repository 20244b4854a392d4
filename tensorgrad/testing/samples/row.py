"""What a row of the table is made of, and helpers to write rows and references with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np

from ..._primitive import registry

Function = Callable[..., Any]


@dataclass(frozen=True)
class Sample:
    """Arguments to call an op with.

    Attributes:
        label: what is special about it, in a word or two; test ids show it. It starts with ``0-d`` or
            ``size 1``, with ``broadcast`` or ``axes``, or with ``edge``: a row has one of each.
        args: what stands before the parameters; floating and complex arrays are differentiated.
        params: the parameters by name. A value of type `Fresh` is made anew for each call.
        smooth: whether the op is differentiable here and nearby, so that differences say something.
        complex_step: whether the forward also takes complex numbers here without losing digits.
        wrt: the positions to differentiate in, where not all floating ones are meant.
    """

    label: str
    args: tuple[Any, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    smooth: bool = True
    complex_step: bool = True
    wrt: tuple[int, ...] | None = None

    def named(self) -> dict[str, Any]:
        """The parameters of one call."""
        return {name: p.make() if isinstance(p, Fresh) else p for name, p in self.params.items()}

    def positions(self) -> tuple[int, ...]:
        """The arguments to differentiate in."""
        floating = [i for i, a in enumerate(self.args) if is_floating(a)]
        return tuple(floating) if self.wrt is None else self.wrt


@dataclass(frozen=True)
class Fresh:
    """A parameter that a call uses up, such as a generator."""

    make: Callable[[], Any]


@dataclass(frozen=True)
class Kink:
    """A point where the derivative is a convention: the gradients of the sum of the result there."""

    label: str
    args: tuple[Any, ...]
    gradients: tuple[Any, ...]
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fails:
    """A call that must raise, with a message that names the op and says what is wrong."""

    call: Callable[[], Any]
    raises: type[Exception]
    match: str


@dataclass(frozen=True)
class OpSamples:
    """One row: an op, arguments for it, and what must come out.

    Attributes:
        name: of the op.
        samples: at least three, see `Sample`.
        reference: computes the same from arrays in another way, preferably by plain loops.
        errors: calls that must raise.
        numpy: NumPy's own function, whose result dtype and values are followed for integers and
            booleans, errors included. None where NumPy has no such function, or its rule is another.
        kinks: points where the derivative is a convention.
        op: the function; for a primitive it is the op of the card.
        keeps_dtype: whether a floating result has the dtype of the floating inputs.
    """

    name: str
    samples: tuple[Sample, ...]
    reference: Function
    errors: tuple[Fails, ...]
    numpy: Function | None = None
    kinks: tuple[Kink, ...] = ()
    op: Function | None = None
    keeps_dtype: bool = True

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Apply the op."""
        return (registry[self.name].op if self.op is None else self.op)(*args, **params)


def row(
    name: str,
    *samples: Sample,
    reference: Function,
    errors: tuple[Fails, ...] | Fails,
    numpy: Function | None = None,
    kinks: tuple[Kink, ...] = (),
    op: Function | None = None,
    keeps_dtype: bool = True,
) -> OpSamples:
    """Write a row."""
    some = (errors,) if isinstance(errors, Fails) else errors
    return OpSamples(name, samples, reference, some, numpy, kinks, op, keeps_dtype)


def at(
    label: str,
    /,
    *args: Any,
    smooth: bool = True,
    complex_step: bool = True,
    wrt: tuple[int, ...] | None = None,
    **params: Any,
) -> Sample:
    """Write a sample; numbers become arrays without axes."""
    return Sample(label, tuple([_array(a) for a in args]), params, smooth, complex_step, wrt)


def kink(label: str, /, *args: Any, gradients: tuple[Any, ...], **params: Any) -> Kink:
    """Write a kink."""
    return Kink(label, tuple([_array(a) for a in args]), gradients, params)


# ---- arguments


def normal(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Numbers from the normal distribution, the same for the same shape and seed."""
    return _rng("normal", shape, seed).standard_normal(shape)


def between(low: float, high: float, *shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Numbers from ``low`` to ``high``."""
    return _rng("between", shape, seed).uniform(low, high, shape)


def complex_normal(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Complex numbers."""
    made: np.ndarray[Any, Any] = normal(*shape, seed=seed) + 1j * normal(*shape, seed=seed + 1000)
    return made


def spread(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Numbers of which no two are closer than 0.2, in random order: no ties and no kinks between them."""
    n = math.prod(shape)
    order = _rng("spread", shape, seed).permutation(n)
    made: np.ndarray[Any, Any] = (order.reshape(shape) - n / 2 + 0.25) * 0.3
    return made


def is_floating(value: Any) -> bool:
    """Whether a value is an array that can be differentiated in."""
    return isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fc"


def _rng(*seed: Any) -> np.random.Generator:
    return np.random.default_rng(crc32(repr(seed).encode()))


def _array(value: Any) -> Any:
    return np.array(value) if isinstance(value, bool | int | float | complex) else value


# ---- references


def each(f: Callable[..., Any], dtype: Any = float) -> Function:
    """Apply a function of Python numbers to each element, or each group of elements that broadcast."""

    def reference(*args: Any) -> Any:
        wanted = complex if dtype is float and any(np.iscomplexobj(a) for a in args) else dtype
        arrays = np.broadcast_arrays(*args)
        out = np.zeros(arrays[0].shape, wanted)
        for index in np.ndindex(out.shape):
            out[index] = f(*[a[index].item() for a in arrays])
        return out

    return reference


def over_axes(f: Callable[[list[Any]], Any], dtype: Any = None) -> Function:
    """Reduce by a function of a list of Python numbers."""

    def reference(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
        gone = {a % x.ndim for a in axes if x.ndim}
        out = np.zeros([1 if i in gone else n for i, n in enumerate(x.shape)], dtype or x.dtype)
        for index in np.ndindex(out.shape):
            out[index] = f(
                x[tuple([slice(None) if i in gone else k for i, k in enumerate(index)])].ravel().tolist()
            )
        return out if keepdims else out.reshape([n for i, n in enumerate(x.shape) if i not in gone])

    return reference


def rows_along(x: Any, axis: int) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """Each row of ``x`` along an axis: the index that reads it, and its elements as Python numbers."""
    axis %= x.ndim
    for index in np.ndindex(*[n for i, n in enumerate(x.shape) if i != axis]):
        place = (*index[:axis], slice(None), *index[axis:])
        yield place, x[place].tolist()


def along(f: Callable[[list[Any]], Any], dtype: Any = None) -> Callable[[Any, int], Any]:
    """Replace each row along an axis by a function of it."""

    def reference(x: Any, axis: int = -1) -> Any:
        out = np.zeros(x.shape, dtype or x.dtype)
        for place, values in rows_along(x, axis):
            out[place] = f(values)
        return out

    return reference
