"""Tensors: values with a place in the graph.

A `Tensor` holds data (``_d``, an array, or a NumPy scalar where it has no axes) and the node that it
came from (``_node``, None if nothing is recorded). It is a value with identity: arithmetic makes new
tensors, ``x += v`` and ``x[i] = v`` give the same object a new value, and what was computed from the
old value keeps the old one.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _specialise, ops
from ._array import Array, check_become
from ._config import GENERAL, TAPE, WATCHED, enable_grad, get_default_dtype, get_mode, going_backward, no_grad
from ._data import as_data, as_data_like, keep
from ._errors import DtypeError, GradientError, NoGraphError, ShapeError
from ._explain import explain
from ._gates import gate, guarded, listed, refit, slope
from ._hooks import HookHandle, extra_of
from ._primitive import Primitive, Value
from ._record import Given, Recast, general, process, record, run, set_types
from ._specialise import FORWARD_ERRORS, RAW, plain
from ._tape import (
    PICK,
    Leaf,
    Node,
    Walk,
    accumulate,
    accumulation,
    fill,
    layouts_of,
    pick,
    settle,
    shapes_of,
    tick,
    walking,
)
from ._touched import about_to_write
from ._watch import show, watchers
from .ops import index as indexing

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Tensor(Array):
    """An array that remembers how it was computed.

    Args:
        data: a number, a nested list, an array or a tensor; it is copied.
        dtype: of the elements. Python floats become the default float (float32), integers int64, and
            an array keeps its own.
        requires_grad: whether gradients with respect to this tensor are wanted.

    Raises:
        DtypeError: the data is not numeric, or gradients are wanted of integers or booleans.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([2., 4., 6.])
    """

    __slots__ = ("__weakref__", "_d", "_node")
    _d: Any
    _node: Node | Leaf | None

    def __init__(self, data: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> None:
        self._d = as_data(data, dtype, copy=True)
        self._node = None
        if get_mode() & WATCHED:
            adopt(self._d)
        if requires_grad:
            self.requires_grad = True

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        mode = get_mode()
        if mode >= GENERAL:
            # Watchers know values by their arrays, so the array that a node saves must be one they were shown.
            args = tuple([fresh(np.array(arg)) if type(arg) is np.ndarray else arg for arg in args])
        began = perf_counter()
        result = record(primitive, args, params, 0, wrap, bool(mode & TAPE))
        if type(result) is Recast:
            return process(primitive, tuple(result), params)
        if mode & WATCHED:
            show(primitive, args, params, result, perf_counter() - began)
        return result

    @classmethod
    def from_nothing(cls, primitive: Primitive, params: tuple[Any, ...]) -> Tensor:
        """The result of an op without inputs, such as a random draw."""
        began = perf_counter()
        result = wrap(run(primitive, (), params), None)
        if get_mode() & WATCHED:
            show(primitive, (), params, result, perf_counter() - began)
        return result

    # ---- facts

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._d.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return self._d.dtype  # type: ignore[no-any-return]

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor. It can be set on tensors that were not computed."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if bool(wanted) == self.requires_grad:
            return
        if wanted:
            if self.dtype.kind not in "fc":
                raise DtypeError(
                    f"requires_grad: the tensor has dtype {self.dtype}; only floating and complex tensors have "
                    "gradients, convert by .astype first"
                )
            self._node = _frozen.pop(id(self), None) or Leaf(self.shape, self.dtype)
        elif type(self._node) is Leaf:
            # Its gradient, and graphs that lead to it, are there again when it is thawed.
            _frozen[id(self)] = self._node
            weakref.finalize(self, _frozen.pop, id(self), None)
            self._node = None
        else:
            raise GradientError("requires_grad: this tensor was computed from others; use .detach() instead")

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` and return the tensor."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was not computed from others with a recorded operation."""
        return type(self._node) is not Node

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The elements as a read-only array that shares memory; the same as ``.numpy()``."""
        return self.numpy()

    # ---- gradients

    @property
    def grad(self) -> Tensor | None:
        """The gradient that ``backward`` left here; None before, and for tensors that are not leaves."""
        node = self._node or _frozen.get(id(self))
        if type(node) is Leaf:
            with accumulation:
                node.private = False  # from now on somebody may hold it
                return node.grad  # type: ignore[no-any-return]
        return None if node is None or node.extra is None else node.extra.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        node = self._node or _frozen.get(id(self))
        if type(node) is not Leaf:
            raise GradientError("grad: only a leaf that requires a gradient has one that can be set")
        if value is not None:
            value = (
                value.detach() if isinstance(value, Tensor) else wrap(as_data_like(value, self.dtype), None)
            )
            check_become(self, value, "grad")
            value = ops.astype(value, self.dtype)
        with accumulation:
            node.private = False
            node.grad = value

    def backward(
        self, grad: Any = None, retain_graph: bool = False, create_graph: Literal[False] = False
    ) -> None:
        """Compute the gradient of this tensor with respect to every leaf, and add it to their ``.grad``.

        Args:
            grad: the cotangent to start from, of the shape of this tensor. May be left out if this
                tensor has one element: it is 1 then.
            retain_graph: keep the graph, so that backward can be called again.
            create_graph: refused. A ``.grad`` with a graph would be a cycle of references; use
                `tensorgrad.grad`, or ``tensorgrad.autograd.grad(..., create_graph=True)``.

        Raises:
            NoGraphError: nothing was recorded, or the graph was freed.
            MutatedError: a value that the formulas need was overwritten.
            ShapeError: ``grad`` does not have the shape of this tensor.
        """
        if create_graph:
            raise GradientError(
                "backward(create_graph=True): .grad never carries a graph; use tg.grad(f)(x), or "
                "tg.autograd.grad(y, x, create_graph=True)"
            )
        if self.level:
            super().backward()
        if self._node is None:
            raise NoGraphError(
                "backward: nothing was recorded for this tensor; mark an input by requires_grad=True, and compute "
                "outside of tg.no_grad()"
            )
        found, owned = pull_from([(self._node, seed_for(self, grad))], 0, retain=retain_graph, keep=True)
        for leaf, g in found.items():
            accumulate(leaf, g, wrap, own=leaf in owned)

    def register_hook(self, hook: Callable[[Tensor], Any]) -> HookHandle:
        """Call ``hook(grad)`` when the gradient of this tensor is known; what it returns replaces it.

        Args:
            hook: gets the whole gradient; returns None, or another gradient of the same shape.

        Returns:
            A handle; ``handle.remove()`` takes the hook away.

        Raises:
            GradientError: the tensor does not require a gradient.
        """
        if self._node is None:
            raise GradientError("register_hook: this tensor does not require a gradient")
        if not callable(hook):
            raise DtypeError(
                f"register_hook: a {type(hook).__name__} given; a function of the gradient is needed"
            )
        return HookHandle(extra_of(self._node).hooks, hook)

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor in ``.grad`` though it is not a leaf."""
        if self._node is None:
            raise GradientError("retain_grad: this tensor does not require a gradient")
        if not self.is_leaf:
            extra_of(self._node).keeps_grad = True

    def detach(self) -> Tensor:
        """The same value without history."""
        if self.level:
            return ops.stop_gradient(self)
        made = type(self)._share(self._d)
        if get_mode() & WATCHED:
            for watcher in watchers():
                watcher.detach(self, made, "detach")
        return made

    @classmethod
    def _share(cls, data: Any) -> Tensor:
        return wrap(data, None)

    def _leave(self, how: str) -> Any:
        """The plain data, for use outside; watchers are told, since they cannot follow it there."""
        if self.level:
            raise DtypeError(
                f"{how}: a value inside a transformation has no plain data; compute with tensors"
            )
        if get_mode() & WATCHED:
            for watcher in watchers():
                watcher.leave(self, how)
        return self._d

    # ---- new values for the same object

    def __setitem__(self, index: Any, value: Any) -> None:
        about_to_write(self)
        d, node, mode = self._d, self._node, get_mode()
        if (
            (node is None or (type(node) is Leaf and not mode))
            and mode < WATCHED
            and type(self) in PLAIN
            and type(d) is np.ndarray
            and holders(d) == SOLE
            and d.flags.writeable
            and d.base is None
        ):
            # Nobody else holds the array, so writing into it cannot be seen elsewhere.
            if type(value) in PLAIN and (value._node is None or not mode):
                value = value._d
            elif not isinstance(value, Value) and type(value) not in RAW:
                value = as_data_like(value, d.dtype)
            if type(value) in RAW:
                write_in_place(d, index if is_basic(index) else indexing.plain_index(index, d.shape), value)
                if node is not None:
                    node.seq = tick()
                return
        value = value if isinstance(value, Value) else as_data_like(value, self.dtype)
        self._check_writable("[...] =")
        self._become(indexing.written(self, value, index), "[...] =")

    def _become(self, new: Any, how: str) -> Tensor:
        """Give this object the value of ``new``, which must have its shape and fit its dtype."""
        self._check_writable(how)
        check_become(self, new, how)
        if not isinstance(new, Tensor) or new.level != self.level:
            new = Over(new, None, self.level) if self.level else wrap(new, None)
        if new.dtype != self.dtype:
            new = ops.astype(new, self.dtype)
        about_to_write(self)
        node = self._node
        if get_mode() & WATCHED and not self.level:
            for watcher in watchers():
                watcher.assign(self, new)
        self._d = new._d
        if type(node) is Leaf and not get_mode() & TAPE:
            node.seq = tick()
        else:
            self._node = new._node
        return self

    def _check_writable(self, how: str) -> None:
        node = self._node
        if node is None:
            return
        if type(node) is Leaf:
            if get_mode() & TAPE:
                raise GradientError(
                    f"{how}: this leaf requires a gradient, and writing to it would lose its place in the graph; for an "
                    "update write inside `with tg.no_grad():`, for a new value compute a new tensor (y = x + v), or write "
                    "to x.clone(), as in a function that is given to tg.grad"
                )
        elif not get_mode() & TAPE:
            raise GradientError(
                f"{how}: this tensor was computed from others, and under no_grad the write would not be recorded; "
                "write to x.detach(), or outside of no_grad"
            )

    # ---- looks

    def __repr__(self) -> str:
        facts = []
        if self.level:
            return f"tensor({self._d!r}, level={self.level:g})"
        if self.dtype not in (get_default_dtype(), np.int64, np.bool_) or not self.size:
            facts.append(f"dtype={self.dtype}")
        if type(self._node) is Node:
            facts.append(f"op={made_by(self._node)}")
        elif self._node is not None:
            facts.append("requires_grad=True")
        if not self.size and len(self.shape) > 1:
            facts.insert(0, f"shape={self.shape}")
        body = np.array2string(
            np.asarray(self._d), separator=", ", prefix="tensor(", threshold=200, edgeitems=3
        )
        head = "Parameter containing:\n" if type(self) is Parameter else ""
        return f"{head}tensor({', '.join([body, *facts])})"

    def _repr_html_(self) -> str:
        from html import escape

        facts = [f"shape {self.shape}", f"dtype {self.dtype}"]
        if type(self._node) is Node:
            facts.append(f"op {made_by(self._node)}")
        elif self._node is not None:
            facts.append("requires grad")
        body = escape(
            np.array2string(np.asarray(self._d), separator=", ", threshold=200)
            if not self.level
            else repr(self)
        )
        return (
            '<div style="font-family:monospace"><div style="opacity:.65">tensor &middot; '
            f'{escape(" · ".join(facts))}</div><pre style="margin:.2em 0">{body}</pre></div>'
        )

    # ---- copies

    def __copy__(self) -> Tensor:
        made: Tensor = object.__new__(type(self))
        made._d, made._node = self._d, self._node
        if type(self._node) is Leaf:
            made._node = Leaf(self.shape, self.dtype)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        self._check_portable("deepcopy")
        made = memo[id(self)] = _rebuild(type(self), np.array(self._leave("deepcopy")), self.requires_grad)
        if type(self._node) is Leaf and self._node.grad is not None and type(made._node) is Leaf:
            made._node.grad = tensor(self._node.grad)
        return made

    def __reduce__(self) -> Any:
        self._check_portable("pickle")
        return _rebuild, (type(self), np.asarray(self._leave("pickle")), self.requires_grad)

    def _check_portable(self, how: str) -> None:
        if self.level or not self.is_leaf:
            raise GradientError(
                f"{how}: this tensor was computed from others; copy x.detach(), or the leaves"
            )


class Parameter(Tensor):
    """A leaf that is trained: a tensor that requires a gradient from the start.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.Parameter([0.5, 1.5]).requires_grad
        True
    """

    __slots__ = ()

    def __init__(self, data: Any, dtype: DTypeLike | None = None, requires_grad: bool = True) -> None:
        super().__init__(data, dtype, requires_grad)


class Shared(Tensor):
    """A tensor over memory that somebody else may write to; nodes save copies of it."""

    __slots__ = ()

    def __init__(self, data: Any, node: Any = None) -> None:
        self._d = data
        self._node = node

    @classmethod
    def _share(cls, data: Any) -> Tensor:
        return Shared(data)


class Over(Tensor):
    """A tensor inside another transformation: its data is a value of a lower level."""

    __slots__ = ("always", "level")
    level: float
    always: Any  # true where it is recorded also under no_grad: a variable to transpose with, or `Around`

    def __init__(self, data: Any, node: Any, level: float, always: Any = False) -> None:
        self._d = data
        self._node = node
        self.level = level
        self.always = always

    @property
    def under(self) -> Any:
        return self._d

    def _alike(self, data: Any) -> Any:
        return Over(data, None, self.level, self.always)

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        level, always = self.level, self.always
        taping = bool(always or get_mode() & TAPE)
        result = record(primitive, args, params, level, lambda d, node: Over(d, node, level, always), taping)
        return process(primitive, tuple(result), params) if type(result) is Recast else result

    def _leave(self, how: str) -> Any:
        return (
            self._d._leave(how)
            if how == "bool" and isinstance(self._d, Array)
            else super(Tensor, self)._leave(how)
        )


PLAIN = (Tensor, Parameter)


# The leaves of tensors whose requires_grad was switched off, by the identity of the tensor.
_frozen: dict[int, Leaf] = {}


# ---- making tensors


def tensor(data: Any, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Make a tensor of a copy of ``data``; see `Tensor`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.tensor([[1, 2], [3, 4]])
        tensor([[1, 2],
                [3, 4]])
    """
    return Tensor(data, dtype, requires_grad)


def asarray(data: Any, dtype: DTypeLike | None = None, *, copy: bool | None = None) -> Tensor:
    """Make a tensor of ``data``, or return it if it is one of that dtype already.

    Args:
        data: a number, a nested list, an array or a tensor.
        dtype: of the elements; by default its own.
        copy: False shares the memory of an array, also with what is written to it later: operations
            see the new values, and what they save for gradients is a copy. Otherwise it is copied.

    Raises:
        ValueError: a copy is needed and ``copy`` is False.
    """
    if isinstance(data, Tensor):
        same = dtype is None or data.dtype == np.dtype(dtype)
        if copy is False and not same:
            raise ValueError(f"asarray: {data.dtype} cannot become {np.dtype(dtype)} without a copy")
        moved = data if same else ops.astype(data, dtype)
        return moved.clone() if copy and same else moved
    if copy is False:
        if (
            type(data) is not np.ndarray
            or (dtype is not None and data.dtype != np.dtype(dtype))
            or not data.ndim
        ):
            raise ValueError(
                "asarray: memory can be shared only with an array of that dtype that has an axis"
            )
        if not data.dtype.isnative:
            raise ValueError(f"asarray: {data.dtype} in another byte order cannot be shared, only copied")
        return Shared(as_data(data, copy=False))
    return Tensor(data, dtype)


def wrap(data: Any, node: Any) -> Tensor:
    """A tensor of data that nobody else writes to, and its node."""
    made = object.__new__(Tensor)
    made._d = data
    made._node = node
    return made


def fresh(data: Any) -> Tensor:
    """A tensor of data made a moment ago; whoever watches learns that it does not come from outside."""
    if get_mode() & WATCHED:
        adopt(data)
    return wrap(data, None)


def watched(value: Any) -> Any:
    """Plain data as a tensor while somebody watches, since operations on plain data are not shown."""
    return fresh(value) if get_mode() & WATCHED and not isinstance(value, Value) else value


def adopt(data: Any) -> None:
    """Tell the watchers of plain data that takes part from here on."""
    for watcher in watchers():
        watcher.adopt(data)


def overwrite(x: Tensor, value: Any, how: str) -> None:
    """Give a tensor that was not computed new data of its shape: what loads and initialises parameters does.

    Its memory is used again only if nobody else can see it; an array or a tensor that shares it keeps the old value.
    A graph that saved the old value of a leaf is stale from here on, and says so.
    """
    if not x.is_leaf:
        raise GradientError(f"{how}: this tensor was computed from others; only a leaf can be overwritten")
    about_to_write(x)
    if get_mode() & WATCHED:
        x._leave(how)
    d = x._d
    if type(d) is np.ndarray and d.base is None and d.flags.writeable and holders(d) == SOLE:
        d[...] = value
    else:
        made = np.empty(x.shape, x.dtype)
        made[...] = value
        x._d = plain(made)
    if type(x._node) is Leaf:
        x._node.seq = tick()


def _rebuild(kind: type[Tensor], data: Any, requires_grad: bool) -> Tensor:
    made: Tensor = object.__new__(Parameter if issubclass(kind, Parameter) else Tensor)
    made._d = plain(data)
    made._node = Leaf(made.shape, made.dtype) if requires_grad else None
    return made


def _constants(results: Sequence[Any]) -> tuple[Tensor, ...]:
    return tuple([wrap(result, None) for result in results])


def _picks(node: Node, results: Sequence[Any]) -> tuple[Tensor, ...]:
    return tuple([wrap(result, pick(node, i, result)) for i, result in enumerate(results)])


# ---- backward, from tensors to tensors


def pull(
    outputs: Sequence[Tensor],
    cotangents: Sequence[Any],
    stop: frozenset[Any] = frozenset(),
    *,
    retain: bool = False,
    create: bool = False,
    keep: bool = False,
    collected: Any = None,
) -> tuple[dict[Any, Any], set[Any]]:
    """Walk back from tensors of one level.

    Returns:
        The cotangent of each leaf or stop that was reached, and those of them that nobody else holds.
        They are tensors if the pass was recorded or watched, and plain data if not.
    """
    pairs = [(y._node, g) for y, g in zip(outputs, cotangents, strict=True) if y._node is not None]
    return pull_from(
        pairs, outputs[0].level, stop, retain=retain, create=create, keep=keep, collected=collected
    )


def pull_from(
    pairs: Sequence[tuple[Any, Any]],
    level: float,
    stop: frozenset[Any] = frozenset(),
    *,
    retain: bool = False,
    create: bool = False,
    keep: bool = False,
    collected: Any = None,
) -> tuple[dict[Any, Any], set[Any]]:
    """Walk back from nodes of one level, each with its cotangent; see `pull`.

    A cotangent may be of a level that was opened after the nodes were recorded.
    """
    make = wrap if not level else lambda data, node: Over(data, node, level)
    watched = not level and bool(get_mode() & WATCHED) and any(one.sees_formulas for one in watchers())
    walk = Walk(make, retain=retain, create=create, show=fresh if watched else None, keep=keep)
    lift = fresh if watched else lambda g: make(g, None)
    if walk.tensors:
        pairs = [(node, g if isinstance(g, Value) and g.level >= level else lift(g)) for node, g in pairs]
    elif not level:
        pairs = [(node, g._d if isinstance(g, Tensor) and not g.level else g) for node, g in pairs]
    plain = not level
    for _, g in pairs:
        plain = plain and not (isinstance(g, Value) and g.level)
    mode: AbstractContextManager[None] = (
        enable_grad() if create else no_grad() if plain else nullcontext()  # levels may be recording
    )
    token = walking.set(walk)
    try:
        with mode, going_backward() if walk.tensors else nullcontext():
            return walk.run(pairs, stop, collected), walk.owned
    finally:
        walking.reset(token)


def seed_for(y: Tensor, grad: Any) -> Any:
    """The cotangent to start from: ``grad``, copied if it is an array of the user's, or 1."""
    if grad is None:
        if y.size != 1 or y.dtype.kind == "c":
            raise ShapeError(
                f"backward: y has shape {y.shape} and dtype {y.dtype}; pass a cotangent of that shape, y.backward(g), or "
                f"reduce to one real number first, {'y.abs()' if y.dtype.kind == 'c' else 'y'}.sum().backward()"
            )
        return np.ones(y.shape, y.dtype) if y.shape else y.dtype.type(1)
    g = grad if isinstance(grad, Value) else as_data_like(grad, y.dtype)
    if g.shape != y.shape:
        raise ShapeError(
            f"backward: y has shape {y.shape} and the cotangent {g.shape}; give one of the shape of y"
        )
    if g.dtype.kind == "c" and y.dtype.kind != "c":
        raise DtypeError(f"backward: y has dtype {y.dtype} and the cotangent {g.dtype}; take its real part")
    return settle(g, y.dtype)


def made_by(node: Node) -> str:
    """The name of the op that made a tensor, for people."""
    if node.prim is PICK:
        return made_by(node.edges[0]) if node.edges else "several"
    return str(node.prim.name)


# ---- writing in place


def write_in_place(d: Any, index: Any, value: Any) -> None:
    """``d[index] = value`` by NumPy, held to the same rules as `tensorgrad.ops.index.setitem`."""
    try:
        indexing.check_fits(value, d.dtype)
        d[index] = value
    except FORWARD_ERRORS as error:
        indexing.parse(index, d.shape)  # says it better, if the index is at fault
        raise explain(indexing.setitem.card, (d, value), (index,), error) from None


def is_basic(index: Any) -> bool:
    """Whether an index is made of integers, slices and ``...`` only, and needs no look at the data."""
    return type(index) in BASIC or (type(index) is tuple and all(type(one) in BASIC for one in index))


BASIC = (int, slice, type(...))


def holders(_data: Any) -> int:
    """How many references to an array exist, counted the same way every time."""
    return sys.getrefcount(_data)


def _sole() -> int:
    """The count for an array that only one tensor holds, measured as `Tensor.__setitem__` measures it."""
    probe = wrap(np.zeros(1), None)
    d = probe._d
    return holders(d)


# Free-threaded builds count references by thread, and a count proves nothing there: always copy.
SOLE = _sole() if getattr(sys, "_is_gil_enabled", lambda: True)() else -1


# ---- the names that generated text reads

set_types(Tensor, Shared)
_specialise.install(
    Tensor=Tensor, Parameter=Parameter, Node=Node, process=process, general=general, watchers=watchers,
    Given=Given, clock=perf_counter, explain=explain, tick=tick, keep=keep, sum_to_=ops.sum_to,
    refit_=refit, gate_=gate, constants=_constants, pick=pick, picks=_picks, shapes_of=shapes_of,
    layouts_of=layouts_of, slope_=slope, listed_=listed, guarded_=guarded, fill_=fill,
    conjugate_=ops.conjugate,
)  # fmt: skip
