"""Long recurrences: a loop over steps that keeps a few of its states and computes the rest again."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from .. import ops
from .._config import get_default_dtype, no_grad
from .._errors import DtypeError, GradientError, ShapeError, TensorgradError
from .._primitive import Value
from .._specialise import SCALARS
from .._tensor import Tensor, wrap
from .._touched import Touched
from .._tree import Tree, flatten, unflatten
from .checkpoint import checkpoint as forgetting

SHORT = 16  # steps that are not worth forgetting


def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    checkpoint: int | Literal["auto"] | None = "auto",
) -> tuple[Any, Any]:
    """Carry a state through steps: ``carry, y = f(carry, x)`` for each ``x`` along the first axis of ``xs``.

    The gradient is that of the loop, and its memory is that of the states between segments, and of one segment:
    a segment is run again when its gradient is asked for.

    Args:
        f: one step. It takes the state and the part of ``xs`` for this step, and returns the new state, of the same
            structure, shapes and dtypes, and what is to be kept of the step: an array, a tensor, a container of
            them, or None. It may read parameters from outside.
        init: the state before the first step: an array, a tensor, a number, or a nested container. A Python float
            takes the dtype of what it is scanned with.
        xs: what the steps get, of shape (steps, ...) each; None if they get nothing.
        length: the number of steps; needed only where ``xs`` is None.
        reverse: begin at the end of ``xs``. What is kept stands where its ``x`` stood.
        checkpoint: the number of steps in a segment. With "auto" it is the square root of their number, so that
            memory grows by that; chains of up to 16 steps are kept. With None nothing is forgotten.

    Returns:
        ``(carry, ys)``: the state after the last step, and what the steps returned, joined along a new first axis.

    Raises:
        ShapeError: lengths differ, or a step returned a state of another structure or shape.
        DtypeError: a step returned a state of another dtype.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> w = tg.tensor(0.5, dtype=float, requires_grad=True)
        >>> carry, ys = tg.scan(lambda h, x: (w * h + x, h), 0.0, np.ones(3))
        >>> carry, ys
        (tensor(1.75, dtype=float64, op=add), tensor([0. , 1. , 1.5], dtype=float64, op=concat))
        >>> carry.backward(); w.grad
        tensor(2., dtype=float64)

    Source:
        Griewank and Walther, Evaluating Derivatives, 2008, section 12.2.
    """
    loop = _Loop(f, init, xs, length, reverse)
    size = _segment(checkpoint, loop.length)
    carry = loop.init
    if not loop.length:
        return unflatten(loop.carry_tree, carry), loop.nothing()
    if size is None or size >= loop.length:
        carry, ys = loop.segment(carry, loop.xs, loop.length)
        return unflatten(loop.carry_tree, carry), unflatten(loop.y_tree, ys)
    cuts = list(range(size, loop.length, size))
    columns = [ops.split(x, cuts) if isinstance(x, Value) else np.split(x, cuts) for x in loop.xs]
    edges = [0, *cuts, loop.length]
    order = range(len(cuts) + 1)
    kept: list[Any] = [None] * len(order)
    for i in reversed(order) if reverse else order:
        rows = [column[i] for column in columns]
        carry, kept[i] = forgetting(_Segment(loop, rows, edges[i + 1] - edges[i]), carry)
    ys = [_joined(ops.concat, parts) for parts in zip(*kept, strict=True)]
    return unflatten(loop.carry_tree, carry), unflatten(loop.y_tree, ys)


class _Loop:
    """The steps of a scan, on the leaves of its containers."""

    def __init__(self, f: Any, init: Any, xs: Any, length: int | None, reverse: bool) -> None:
        if not callable(f):
            raise GradientError(
                f"scan: a {type(f).__name__} given; the step comes first: scan(f, init, xs), with f(carry, x) -> (carry, y)"
            )
        self.f, self.reverse = f, reverse
        self.xs, self.x_tree = flatten(xs)
        self.length = self._length(length)
        leaves, self.carry_tree = flatten(init)
        kinds = [x.dtype for x in [*leaves, *self.xs] if hasattr(x, "dtype") and x.dtype.kind in "fc"]
        floating = np.result_type(*kinds) if kinds else get_default_dtype()
        self.init = [_number(leaf, floating) for leaf in leaves]
        self.paths = self.carry_tree.paths()
        for leaf, path in zip(self.init, self.paths, strict=True):
            if not hasattr(leaf, "shape"):
                raise DtypeError(
                    f"scan: init{path} is a {type(leaf).__name__}; arrays, tensors and numbers can be carried"
                )
        self.layout = [(tuple(leaf.shape), leaf.dtype) for leaf in self.init]
        self.y_tree = Tree(None)

    def segment(self, carry: list[Any], xs: list[Any], count: int) -> tuple[list[Any], list[Any]]:
        """Some steps: the state after them, and what they returned, joined."""
        rows = [_rows(x) for x in xs]
        kept: list[Any] = [None] * count
        steps = range(count)
        for i, t in enumerate(reversed(steps) if self.reverse else steps):
            carry, kept[t], tree = self.step(carry, [row[t] for row in rows])
            if i and tree != self.y_tree:
                raise ShapeError(
                    f"scan: a step returned {_entries(tree)} to keep, and one before it {_entries(self.y_tree)}; all "
                    "steps must return the same structure"
                )
            self.y_tree = tree
        return carry, [_joined(ops.stack, column) for column in zip(*kept, strict=True)]

    def step(self, carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any], Tree]:
        """One step, its state checked."""
        result = self.f(unflatten(self.carry_tree, carry), unflatten(self.x_tree, x))
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise ShapeError(
                f"scan: the step returned a {type(result).__name__}; a pair is needed, (carry, y); y may be None"
            )
        leaves, tree = flatten(result[0])
        if tree != self.carry_tree:
            raise ShapeError(
                f"scan: the step returned a carry with {_entries(tree)}, and init has {_entries(self.carry_tree)}; "
                "return the same structure"
            )
        if [(getattr(one, "shape", None), getattr(one, "dtype", None)) for one in leaves] != self.layout:
            leaves = [self._checked(i, one) for i, one in enumerate(leaves)]
        return leaves, *flatten(result[1])

    def nothing(self) -> Any:
        """What no step at all returns, joined: arrays of length 0. A step on zeros tells their shapes."""
        touched = Touched()
        x = [
            np.zeros(x.shape[1:], x.dtype) if not isinstance(x, Tensor) else _zeros(x.shape[1:], x.dtype)
            for x in self.xs
        ]
        try:
            with no_grad(), np.errstate(all="ignore"), touched.noting():
                _, leaves, tree = self.step(self.init, x)
        finally:
            touched.put_back()
        empty = [np.empty((0, *np.shape(one)), getattr(one, "dtype", type(one))) for one in leaves]
        return unflatten(
            tree,
            [wrap(e, None) if isinstance(one, Value) else e for e, one in zip(empty, leaves, strict=True)],
        )

    def _length(self, length: int | None) -> int:
        found: dict[int, str] = {} if length is None else {length: "length"}
        for leaf, path in zip(self.xs, self.x_tree.paths(), strict=True):
            if not getattr(leaf, "shape", ()):
                raise ShapeError(
                    f"scan: xs{path} has no axis to go along; what is the same for all steps is read from outside, or "
                    "carried, and a list of numbers is made an array: np.array(xs)"
                )
            found.setdefault(leaf.shape[0], f"xs{path}")
        if len(found) != 1:
            lengths = ", ".join(f"{n} by {what}" for n, what in found.items())
            raise ShapeError(
                f"scan: the number of steps is {lengths or 'not known'}; "
                + ("all must agree" if found else "without xs give length")
            )
        if (count := next(iter(found))) < 0:
            raise ShapeError(f"scan: length is {count}; 0 or more is needed")
        return count

    def _checked(self, i: int, new: Any) -> Any:
        """A leaf of the state that a step returned; a number takes the dtype of the one before."""
        shape, dtype = self.layout[i]
        if type(new) in SCALARS or type(new) is complex:
            new = _number(new, dtype)
        path = f"carry{self.paths[i]}"
        if not hasattr(new, "shape"):
            raise DtypeError(f"scan: the step returned a {type(new).__name__} as {path}; an array is needed")
        if tuple(new.shape) != shape:
            raise ShapeError(
                f"scan: the step returned {path} of shape {tuple(new.shape)}, and it was {shape} before; a state keeps "
                "its shape (what grows is returned as y)"
            )
        if new.dtype != dtype:
            raise DtypeError(
                f"scan: the step returned {path} of dtype {new.dtype}, and it was {dtype} before; begin with "
                f"init{self.paths[i]} of dtype {new.dtype}, or convert by .astype in the step"
            )
        return new


class _Segment:
    """Some steps as a function of the state; what they go along is not copied."""

    __name__ = "a segment of scan"

    def __init__(self, loop: _Loop, xs: list[Any], count: int) -> None:
        self.loop, self.xs, self.count = loop, xs, count

    def __call__(self, carry: list[Any]) -> tuple[list[Any], list[Any]]:
        return self.loop.segment(carry, self.xs, self.count)


# ---- helpers


def _segment(checkpoint: Any, length: int) -> int | None:
    """How many steps a segment has; None to forget nothing."""
    if checkpoint is None or checkpoint is False:
        return None
    if checkpoint == "auto" or checkpoint is True:
        return math.ceil(math.sqrt(length)) if length > SHORT else None
    if not isinstance(checkpoint, int | np.integer) or checkpoint < 1:
        raise ShapeError(
            f"scan: checkpoint is {checkpoint!r}; a number of steps, 1 or more, 'auto', or None is needed"
        )
    return int(checkpoint)


def _rows(x: Any) -> Sequence[Any]:
    """The parts of an array along its first axis. Where they are recorded they come from one op, not from one each."""
    if not isinstance(x, Value):
        return x  # type: ignore[no-any-return]
    if type(x) is Tensor and x._node is None:
        return x  # type: ignore[return-value]
    return [ops.reshape(part, part.shape[1:]) for part in ops.split(x, len(x))]  # type: ignore[arg-type]


def _joined(join: Callable[..., Any], parts: Sequence[Any]) -> Any:
    """What the steps returned, along a new first axis, or what segments did, along the one they have."""
    try:
        return join(list(parts))
    except TensorgradError as error:
        raise ShapeError(f"scan: what the steps returned to keep cannot be joined: {error}") from None


def _number(leaf: Any, dtype: Any) -> Any:
    """A Python number as NumPy's, a float in ``dtype``."""
    if type(leaf) is float or (type(leaf) is complex and np.dtype(dtype).kind == "c"):
        return np.dtype(dtype).type(leaf)
    return np.asarray(leaf)[()] if type(leaf) in SCALARS or type(leaf) is complex else leaf


def _zeros(shape: tuple[int, ...], dtype: Any) -> Tensor:
    return wrap(np.zeros(shape, dtype)[()], None)


def _entries(tree: Tree) -> str:
    if tree.kind is None:
        return "a single value"
    return f"a {tree.kind.__name__} of {tree.paths()}" if tree.children else f"{tree.kind.__name__} (nothing)"
