"""Random tensors, drawn from a generator of the current thread or task.

NumPy's global state is never touched. Each function takes ``generator=``; without, it uses the
default of the context, which `manual_seed` sets and a new thread starts afresh. A traced draw is
an operation: a replay draws again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from . import ops
from ._config import get_default_dtype
from ._creation import checked_shape, shaped
from ._draws import check_draw, drawn, open_batches
from ._errors import DtypeError, ShapeError, TraceError
from ._primitive import Value, declare
from ._specialise import plain
from ._tensor import Tensor, asarray, tensor
from ._touched import about_to_draw
from .ops.shape import normalise_axis

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Shape = int | Sequence[int]
if TYPE_CHECKING:  # numpy.random is loaded when the first number is drawn
    Generator = np.random.Generator
    Size = Shape | None

BLOCK = 2**16  # elements of a mask that are drawn at once: what is drawn stays in the cache

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
    about_to_draw(found)
    return found


def source_of(generator: Generator | None) -> Generator:
    """The generator to draw from: the given one, or the default."""
    if generator is None:
        return default_generator()
    about_to_draw(generator)
    return generator


@contextmanager
def default_generator_set(generator: Generator) -> Iterator[None]:
    """Make ``generator`` the default of this thread or task for a block."""
    token = _default.set(generator)
    try:
        yield
    finally:
        _default.reset(token)


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


def rand_like(x: Any, *, generator: Generator | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Uniform numbers in [0, 1), in the shape and dtype of ``x``."""
    x = shaped("rand_like", x)
    return uniform(0.0, 1.0, x.shape, generator=generator, dtype=dtype or x.dtype)


def randn_like(x: Any, *, generator: Generator | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Numbers from the standard normal distribution, in the shape and dtype of ``x``."""
    x = shaped("randn_like", x)
    return normal(0.0, 1.0, x.shape, generator=generator, dtype=dtype or x.dtype)


def uniform(
    low: Any = 0.0,
    high: Any = 1.0,
    size: Shape | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform numbers in [low, high), differentiable in both; rounding may reach ``high`` where it is no number.

    Args:
        low: the least number: a number, or an array or tensor of one for each element.
        high: the bound above, likewise.
        size: the shape; by default that of ``low`` and ``high`` broadcast together.
        generator: the source, by default that of this thread or task.
        dtype: of the elements, by default that of ``low`` and ``high``, or the default float.
        requires_grad: whether gradients flow to the result, if it is a leaf.

    Raises:
        ShapeError: ``high`` is less than ``low``, or both do not fit ``size``.

    Example:
        >>> import tensorgrad as tg
        >>> high = tg.tensor([1.0, 100.0], requires_grad=True)
        >>> tg.uniform(0, high, (3, 2)).shape
        (3, 2)
    """
    check("uniform", "high is not low or more", lambda low, high: high >= low, low, high)
    if numbers(low, high):
        made = draw("uniform", (low, high), () if size is None else size, generator, floating(dtype))
    else:
        low, high = parameters("uniform", low, high, dtype=dtype)
        unit = draw("uniform", (0.0, 1.0), shape_of("uniform", size, low, high), generator, low.dtype)
        made = ops.lerp(low, high, unit)
    return made.requires_grad_() if requires_grad else made


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Shape | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from a normal distribution, differentiable in its mean and standard deviation.

    Args:
        mean: a number, or an array or tensor of one for each element.
        std: the standard deviation, 0 or more, likewise.
        size: the shape; by default that of ``mean`` and ``std`` broadcast together.
        generator: the source, by default that of this thread or task.
        dtype: of the elements, by default that of ``mean`` and ``std``, or the default float.
        requires_grad: whether gradients flow to the result, if it is a leaf.

    Raises:
        ShapeError: ``std`` is negative, or the parameters do not fit ``size``.

    Example:
        >>> import tensorgrad as tg
        >>> mean = tg.tensor([0.0, 10.0], requires_grad=True)
        >>> tg.normal(mean, 0.1).sum().backward()
        >>> mean.grad
        tensor([1., 1.])
    """
    check("normal", "std is negative", lambda std: std >= 0, std)
    if numbers(mean, std):
        made = draw("normal", (mean, std), () if size is None else size, generator, floating(dtype))
    else:
        mean, std = parameters("normal", mean, std, dtype=dtype)
        unit = draw("normal", (0.0, 1.0), shape_of("normal", size, mean, std), generator, mean.dtype)
        made = ops.add(mean, ops.multiply(std, unit))
    return made.requires_grad_() if requires_grad else made


def randint(low: int, high: int, size: Shape = (), *, generator: Generator | None = None) -> Tensor:
    """Integers in [low, high)."""
    if not numbers(low, high) or high <= low:
        raise ShapeError(f"randint: high {high} must be a number greater than low {low}")
    return draw("integers", (low, high), size, generator, np.dtype(np.int64))


def permutation(x: Any, *, axis: int = 0, generator: Generator | None = None) -> Tensor:
    """The integers from 0 to ``x - 1`` in random order, or the parts of an array along an axis.

    Args:
        x: a count of 0 or more, or an array or tensor with at least one axis.
        axis: along which an array is put in another order.
        generator: the source, by default that of this thread or task.

    Example:
        >>> import tensorgrad as tg
        >>> sorted(tg.permutation(3).tolist())
        [0, 1, 2]
    """
    if hasattr(x, "ndim") and x.ndim:
        axis = normalise_axis("permutation", axis, x.ndim)
        order = permutation(x.shape[axis], generator=generator)
        return cast(Tensor, asarray(x)[(slice(None),) * axis + (order,)])
    if not hasattr(x, "__index__") or x < 0:
        raise ShapeError(
            f"permutation: {x!r} given; a count of 0 or more is needed, or an array with an axis"
        )
    return draw("permutation", (int(x),), (), generator, np.dtype(np.int64))


# ---- what draws are made of; `random` has the other laws


def _random(*, law: str, arguments: tuple[Any, ...], size: Shape, generator: Any, dtype: Any) -> Any:
    """Numbers drawn from a generator. An op without inputs, so that a recorded program draws again."""
    source = source_of(generator)
    if law == "permutation":
        if not size:
            return source.permutation(*arguments).astype(dtype)
        return source.permuted(np.tile(np.arange(*arguments, dtype=dtype), (*size, 1)), axis=-1)  # type: ignore[misc]
    drawn = np.asarray(getattr(source, law)(*arguments, size=size)).astype(dtype)
    if law == "uniform":  # rounding to a narrower dtype may reach the upper end
        np.minimum(drawn, np.nextafter(dtype.type(arguments[1]), dtype.type(arguments[0])), out=drawn)
    return plain(drawn)


random = declare(_random, "constant", name="random")
random.card.draws = True


def _random_mask(*, keep: float, size: tuple[int, ...], generator: Any) -> Any:
    """True with probability ``keep``, else False. An op without inputs, so that a recorded program draws again."""
    source = source_of(generator)
    whole, rest = int(keep * 2**16), keep * 2**16 % 1
    mask = np.empty(prod(size), bool)
    for start in range(0, mask.size, BLOCK):
        part = mask[start : start + BLOCK]
        # Four elements share one draw, which is faster than floats; where 16 bits cannot tell, more decide.
        drawn = source.integers(-(2**63), 2**63, -(-part.size // 4)).astype("<i8", copy=False)
        bits = drawn.view("<u2")[: part.size]
        np.less(bits, whole, out=part)
        if rest:
            open_ = np.flatnonzero(bits == whole)
            part[open_] = source.random(open_.size) < rest
    return plain(mask.reshape(size))


random_mask = declare(_random_mask, "constant", name="random_mask")
random_mask.card.draws = True


def draw(
    law: str, arguments: tuple[Any, ...], size: Shape, generator: Generator | None, dtype: np.dtype[Any]
) -> Tensor:
    """Numbers from a law with plain numbers as parameters; ``law`` is NumPy's name."""
    check_generator(generator)
    size = checked_shape(law, size)
    return random(law=law, arguments=arguments, size=size, generator=generator, dtype=dtype)  # type: ignore[call-overload,no-any-return]


def _random_given(*parameters: Any, law: str, shape: Any, generator: Any, dtype: Any) -> Any:
    """Numbers drawn from a law with a parameter for each element, broadcast to ``shape``."""
    source = source_of(generator)
    return plain(np.asarray(getattr(source, law)(*parameters, size=shape)).astype(dtype))


random_given = declare(_random_given, "constant", name="random_given")


@random_given.batching
def _random_given_batch(size: int, batched: Any, args: Any, shape: Any, **settings: Any) -> Any:
    args = [
        ops.reshape(a, (size, *[1] * (len(shape) + 1 - a.ndim), *a.shape[1:])) if b else a
        for a, b in zip(args, batched, strict=True)
    ]
    return random_given(*args, shape=(size, *shape), **settings)


def draw_given(
    law: str, given: tuple[Any, ...], size: Shape | None, generator: Generator | None, dtype: Any
) -> Tensor:
    """Numbers from a law with an array or tensor for each parameter; no gradient flows to these."""
    check_generator(generator)
    shape = shape_of(law, size, *given)
    settings = {"law": law, "generator": generator, "dtype": np.dtype(dtype)}
    if not open_batches():
        return random_given(*given, shape=shape, **settings)  # type: ignore[no-any-return]
    levels = {level for one in given for level in _levels_of(one)}
    if not levels:
        return drawn(law, shape, lambda size: random_given(*given, shape=size, **settings))  # type: ignore[no-any-return]
    if any(batch.randomness == "same" and (batch.level in levels or batch.kept) for batch in open_batches()):
        raise TraceError(
            f'{law}: under tg.vmap(..., randomness="same") its parameters must be the same for all examples too, and '
            'chunk_size None; choose randomness="different", or draw outside'
        )
    # What is added makes a draw for each example also where the parameters are the same for all.
    zero = drawn(law, (), lambda size: tensor(np.zeros(size, given[0].dtype)))
    return random_given(ops.add(given[0], zero), *given[1:], shape=shape, **settings)  # type: ignore[no-any-return]


def host_generator(op: str, generator: Generator | None) -> Generator:
    """The generator for numbers that no operation draws, and which the examples of a batch therefore share."""
    check_generator(generator)
    check_draw(op)
    if any(batch.randomness != "same" or batch.kept for batch in open_batches()):
        raise TraceError(
            f"{op}: it draws numbers that all examples share; call it outside of tg.vmap, or under "
            'tg.vmap(f, randomness="same") without chunk_size'
        )
    return source_of(generator)


def floating(dtype: DTypeLike | None) -> np.dtype[Any]:
    """The dtype of a draw, by default the default float."""
    chosen = np.dtype(dtype or get_default_dtype())
    if chosen.kind != "f":
        raise DtypeError(f"random numbers of dtype {chosen} are not drawn; choose a floating dtype")
    return chosen


def numbers(*given: Any) -> bool:
    """Whether all parameters are Python's numbers, or NumPy's integers; NumPy's other scalars have a dtype to keep."""
    return all(
        isinstance(one, int | float | np.integer) and not isinstance(one, np.floating) for one in given
    )


def parameters(op: str, *given: Any, dtype: DTypeLike | None = None) -> list[Any]:
    """The parameters of a law as tensors of one floating dtype."""
    lifted = [as_value(one) for one in given]
    own = [one for one, raw in zip(lifted, given, strict=True) if not numbers(raw)]
    kind = np.dtype(dtype) if dtype else np.result_type(*[one.dtype for one in own or lifted])
    if kind.kind in "iub":
        kind = get_default_dtype()
    if kind.kind != "f":
        raise DtypeError(f"{op}: parameters of dtype {kind}; floating ones are needed")
    return [one if one.dtype == kind else ops.astype(one, kind) for one in lifted]


def as_value(x: Any) -> Any:
    """A parameter as a tensor, or as the value of a transformation that it is."""
    return x if isinstance(x, Value) else tensor(x)


def shape_of(op: str, size: Shape | None, *given: Any) -> tuple[int, ...]:
    """The shape of a draw: ``size``, to which the parameters must broadcast, or theirs together."""
    shapes = [one.shape for one in given]
    wanted = None if size is None else checked_shape(op, size)
    try:
        together = np.broadcast_shapes(*shapes)
        if wanted is None or np.broadcast_shapes(together, wanted) == wanted:
            return together if wanted is None else wanted
    except ValueError:
        pass
    raise ShapeError(f"{op}: parameters of shapes {shapes} do not fit size {size}")


def check(op: str, wrong: str, holds: Any, *given: Any) -> None:
    """Raise unless the parameters keep to their range; values of a transformation pass."""
    if any(isinstance(one, Value) and one.level for one in given):
        return
    raw = [one._d if isinstance(one, Tensor) else np.asarray(one) for one in given]
    if not all(one.dtype.kind in "biuf" for one in raw):
        raise DtypeError(
            f"{op}: parameters of dtypes {[str(one.dtype) for one in raw]}; real numbers are needed"
        )
    if not np.all(holds(*raw)):
        shown = ", ".join(np.array2string(one, threshold=4, edgeitems=2) for one in raw)
        raise ShapeError(f"{op}: {wrong}: {shown}")


def check_generator(generator: Any) -> None:
    """Raise unless this is a generator of NumPy's, or None."""
    if generator is not None and not isinstance(generator, np.random.Generator):
        raise DtypeError(
            f"generator: a {type(generator).__name__} given; make one by np.random.default_rng(seed), or use manual_seed"
        )


def _levels_of(value: Any) -> Iterator[float]:
    """The levels of the transformations that a value belongs to, highest first."""
    while isinstance(value, Value) and value.level:
        yield value.level
        value = value.under


def _shape(shape: tuple[Any, ...]) -> Shape:
    return shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
