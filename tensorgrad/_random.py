"""Random tensors, drawn from a generator of the current thread or task.

NumPy's global state is never touched. Each function takes ``generator=``; without, it uses the
default of the context, which `manual_seed` sets and a new thread starts afresh. A traced draw is
an operation: a replay draws again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from ._config import get_default_dtype
from ._creation import checked_shape
from ._errors import DtypeError, ShapeError
from ._primitive import Value, declare
from ._specialise import plain
from ._tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Shape = int | Sequence[int]
if TYPE_CHECKING:  # numpy.random is loaded when the first number is drawn
    Generator = np.random.Generator

_default: ContextVar[Generator | None] = ContextVar("tensorgrad_generator", default=None)


def manual_seed(seed: int) -> Generator:
    """Start the default generator of this thread or task from a seed, and return it.

    Args:
        seed: an integer, 0 or more. The same seed gives the same numbers.

    Example:
        >>> import tensorgrad as tg
        >>> _ = tg.manual_seed(0); a = tg.randn(3)
        >>> _ = tg.manual_seed(0); b = tg.randn(3)
        >>> bool((a == b).all())
        True
    """
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ShapeError(f"manual_seed: {seed!r} given; an integer of 0 or more is needed")
    made = np.random.default_rng(int(seed))
    _default.set(made)
    return made


def default_generator() -> Generator:
    """The generator that random functions use here when none is given."""
    found = _default.get()
    if found is None:
        found = np.random.default_rng()
        _default.set(found)
    return found


def rand(
    *shape: Any,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform numbers in [0, 1)."""
    return uniform(0.0, 1.0, _shape(shape), generator=generator, dtype=dtype, requires_grad=requires_grad)


def randn(
    *shape: Any,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from the standard normal distribution."""
    return normal(0.0, 1.0, _shape(shape), generator=generator, dtype=dtype, requires_grad=requires_grad)


def uniform(
    low: float = 0.0,
    high: float = 1.0,
    size: Shape = (),
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform numbers in [low, high).

    Raises:
        ShapeError: ``high`` is less than ``low``.
    """
    if not high >= low:
        raise ShapeError(f"uniform: high {high} is less than low {low}")
    return _draw("uniform", (low, high), size, generator, _floating(dtype)).requires_grad_(requires_grad)


def normal(
    mean: float = 0.0,
    std: float = 1.0,
    size: Shape = (),
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from a normal distribution.

    Raises:
        ShapeError: ``std`` is negative.
    """
    if not std >= 0:
        raise ShapeError(f"normal: std {std} is negative")
    return _draw("normal", (mean, std), size, generator, _floating(dtype)).requires_grad_(requires_grad)


def randint(low: int, high: int, size: Shape = (), *, generator: Generator | None = None) -> Tensor:
    """Integers in [low, high)."""
    if high <= low:
        raise ShapeError(f"randint: high {high} must be greater than low {low}")
    return _draw("integers", (low, high), size, generator, np.dtype(np.int64))


def permutation(n: int, *, generator: Generator | None = None) -> Tensor:
    """The integers from 0 to ``n - 1`` in random order."""
    if n < 0:
        raise ShapeError(f"permutation: n is {n}; a count of 0 or more is needed")
    return _draw("permutation", (n,), (), generator, np.dtype(np.int64))


def _random(*, law: str, arguments: tuple[Any, ...], size: Shape, generator: Any, dtype: Any) -> Any:
    """Numbers drawn from a generator. An op without inputs, so that a recorded program draws again."""
    source = default_generator() if generator is None else generator
    if law == "permutation":
        return source.permutation(*arguments).astype(dtype)
    drawn = np.asarray(getattr(source, law)(*arguments, size=size)).astype(dtype)
    if law == "uniform":  # rounding to a narrower dtype may reach the upper end
        np.minimum(drawn, np.nextafter(dtype.type(arguments[1]), dtype.type(arguments[0])), out=drawn)
    return plain(drawn)


random = declare(_random, "constant", name="random")


def _draw(
    law: str, arguments: tuple[Any, ...], size: Shape, generator: Generator | None, dtype: Any
) -> Tensor:
    if generator is not None and not isinstance(generator, np.random.Generator):
        raise DtypeError(
            f"generator: a {type(generator).__name__} given; make one by np.random.default_rng(seed), or use manual_seed"
        )
    if any(isinstance(one, Value) for one in arguments):
        raise DtypeError(
            f"{law}: numbers are needed; for a law that depends on tensors write m + s * tg.randn(...)"
        )
    size = checked_shape(law, size)
    return random(law=law, arguments=arguments, size=size, generator=generator, dtype=dtype)  # type: ignore[call-overload,no-any-return]


def _floating(dtype: DTypeLike | None) -> np.dtype[Any]:
    chosen = np.dtype(dtype or get_default_dtype())
    if chosen.kind != "f":
        raise DtypeError(f"random numbers of dtype {chosen} are not drawn; choose a floating dtype")
    return chosen


def _shape(shape: tuple[Any, ...]) -> Shape:
    return shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
