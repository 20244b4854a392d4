"""What is switched on, for the current thread or task: recording, watchers, scopes, dtypes.

Everything here lives in context variables. A new thread starts with the defaults, an asyncio task
inherits a copy, and an exception leaves nothing switched.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import numpy as np

from ._blocks import within
from ._errors import DtypeError

F = TypeVar("F", bound=Callable[..., Any])

# One integer, because every op reads it once: bit 0 says that operations are recorded for
# gradients, bit 1 that somebody watches them (see `_watch`), bit 2 that some watcher is not light,
# bit 3 that zeros win in the products of derivatives (see `_zeros`).
TAPE = 1
WATCHED = 2
GENERAL = 4
ZEROS = 8
_mode: ContextVar[int] = ContextVar("tensorgrad_mode", default=TAPE)
get_mode = _mode.get

_scopes: ContextVar[tuple[str, ...]] = ContextVar("tensorgrad_scopes", default=())
_direction: ContextVar[Literal["forward", "backward"]] = ContextVar("tensorgrad_direction", default="forward")
_float32 = np.dtype(np.float32)
_default_dtype: ContextVar[np.dtype[Any]] = ContextVar("tensorgrad_default_dtype", default=_float32)

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


# ---- recording for gradients


class Switch:
    """A context that sets one bit of the mode; also a decorator.

    It may be entered again while it is open, and by several threads at once: the tokens of the
    context variable tell which entry is whose.
    """

    def __init__(self, enabled: bool, bit: int = TAPE) -> None:
        self._enabled, self._bit = bool(enabled), bit
        self._tokens: list[Token[int]] = []

    def __enter__(self) -> None:
        self._tokens.append(set_bit(self._enabled, self._bit))

    def __exit__(self, *exception: object) -> None:
        for token in reversed(self._tokens):
            try:
                _mode.reset(token)
            except ValueError:
                continue  # another thread's, or another task's
            self._tokens.remove(token)
            return
        # Closed elsewhere than it was opened, as a generator that is finished by another thread.
        if self._tokens:
            self._tokens.pop()

    def __call__(self, function: F) -> F:
        return cast(F, _decorate(self._enabled, self._bit, function))


class set_grad_enabled(Switch):
    """Switch recording for gradients on or off, at once or for a ``with`` block.

    Args:
        enabled: whether operations are recorded from here on.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor(2.0, requires_grad=True)
        >>> with tg.set_grad_enabled(False):
        ...     y = x * x
        >>> y.requires_grad
        False
    """

    def __init__(self, enabled: bool) -> None:
        super().__init__(enabled)
        self._tokens.append(set_bit(self._enabled))
        self._called = True

    def __enter__(self) -> None:
        if self._called:  # `with set_grad_enabled(...)`: it was switched a moment ago
            self._called = False
        else:
            super().__enter__()

    def __call__(self, function: F) -> F:
        self.__exit__()  # used as a decorator: it must switch nothing now
        return super().__call__(function)


class no_grad(Switch):
    """Do not record operations for gradients, in a ``with`` block or a decorated function.

    Parameters may be written to in place here; that is how an update step is made.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
        >>> (w * w).sum().backward()
        >>> with tg.no_grad():
        ...     w -= 0.1 * w.grad
        >>> w
        tensor([0.8, 1.6], requires_grad=True)
    """

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(Switch):
    """Record operations for gradients, also inside ``no_grad``. A context and a decorator."""

    def __init__(self) -> None:
        super().__init__(True)


inference_mode = no_grad


def is_grad_enabled() -> bool:
    """Whether operations are recorded for gradients here."""
    return bool(get_mode() & TAPE)


# ---- scopes


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Name a part of the computation; pictures and error messages show the path.

    Example:
        >>> import tensorgrad as tg
        >>> def f(x):
        ...     with tg.scope("encoder"):
        ...         return x * 2
        >>> tg.trace(f, tg.ones(3)).equations[0].scope
        'encoder'
    """
    before = _scopes.get()
    _scopes.set((*before, name))
    try:
        yield
    finally:
        _scopes.set(before)


def scope_path() -> str:
    """The open scopes, outermost first, joined by ``/``."""
    return "/".join(_scopes.get())


open_scopes = _scopes.get


@contextmanager
def going_backward() -> Iterator[None]:
    """Mark the operations in the block as part of a backward pass."""
    before = _direction.get()
    _direction.set("backward")
    try:
        yield
    finally:
        _direction.set(before)


def direction() -> Literal["forward", "backward"]:
    """Which pass an operation belongs to here."""
    return _direction.get()


# ---- dtypes


def set_default_dtype(dtype: DTypeLike) -> None:
    """Set the dtype that Python floats get when they become tensors (at first float32).

    Args:
        dtype: float16, float32 or float64.

    Raises:
        DtypeError: it is not one of these.
    """
    try:
        chosen = np.dtype(dtype)
    except TypeError:
        chosen = np.dtype(object)
    if chosen.kind != "f" or chosen.itemsize > 8:
        raise DtypeError(f"set_default_dtype: {dtype!r} given; choose float16, float32 or float64")
    _default_dtype.set(chosen)


def get_default_dtype() -> np.dtype[Any]:
    """The dtype that Python floats get when they become tensors."""
    return _default_dtype.get()


# ---- helpers


def set_watched(bits: int) -> None:
    """Set what the mode says about watchers, and leave the rest."""
    _mode.set(within(get_mode(), get_mode() & (TAPE | ZEROS) | bits & (WATCHED | GENERAL)))


def set_bit(enabled: bool, bit: int = TAPE) -> Token[int]:
    """Set one bit of the mode; what is returned undoes it by `undo`."""
    mode = get_mode()
    return _mode.set(within(mode, mode | bit if enabled else mode & ~bit, bit == TAPE))


undo = _mode.reset


class _Body:
    """The mode inside a function that runs in pieces: a generator, or an asynchronous one.

    Around each piece the mode is what it was at the end of the piece before, so that contexts which
    the body itself opens neither reach the caller nor get lost.
    """

    def __init__(self, enabled: bool, bit: int) -> None:
        self._enabled, self._bit = enabled, bit
        self._inside: int | None = None

    def __enter__(self) -> None:
        self._outside = get_mode()
        if self._inside is None:
            set_bit(self._enabled, self._bit)
        else:
            mode = self._inside if self._bit == TAPE else self._outside
            _mode.set(within(mode, self._outside & ~self._bit | self._inside & self._bit))

    def __exit__(self, *exception: object) -> None:
        self._inside = get_mode()
        _mode.set(self._outside)


def _decorate(enabled: bool, bit: int, function: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            body, piece = function(*args, **kwargs), _Body(enabled, bit)
            resume: Callable[[], Any] = functools.partial(next, body)
            while True:
                try:
                    with piece:
                        item = resume()
                except StopIteration as stop:
                    return stop.value
                try:
                    resume = functools.partial(body.send, (yield item))
                except GeneratorExit:
                    with piece:
                        body.close()
                    raise
                except BaseException as error:
                    resume = functools.partial(body.throw, error)

        return generator

    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def stream(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            body, piece = function(*args, **kwargs), _Body(enabled, bit)
            resume: Callable[[], Any] = body.__anext__
            while True:
                try:
                    with piece:
                        item = await resume()
                except StopAsyncIteration:
                    return
                try:
                    resume = functools.partial(body.asend, (yield item))
                except GeneratorExit:
                    with piece:
                        await body.aclose()
                    raise
                except BaseException as error:
                    resume = functools.partial(body.athrow, error)

        return stream

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with Switch(enabled, bit):
                return await function(*args, **kwargs)

        return coroutine

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with Switch(enabled, bit):
            return function(*args, **kwargs)

    return call
