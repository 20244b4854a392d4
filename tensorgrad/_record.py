"""The general path of an op: any inputs, any level, watched or not.

The entries that `_specialise` writes handle plain tensors and arrays, and send everything else to
`process`. It finds the value with the highest level and lets that process the call; for a tensor
this is `record`, which does in plain Python what an entry does, and builds the same nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ops
from ._config import GENERAL, TAPE, WATCHED, ZEROS, get_default_dtype, get_mode
from ._data import as_data, as_data_like, keep, read_only
from ._draws import draw, open_batches
from ._errors import DtypeError, TensorgradError
from ._explain import explain
from ._levels import check_open, opened
from ._primitive import FORMULA_OF_KIND, Primitive, Value
from ._specialise import ARRAYS, FORWARD_ERRORS, RAW, SCALARS, plain, weak
from ._tape import Node, layouts_of, pick, shapes_of, tick
from ._writer import saved_names, shares_dtype
from ._zeros import absorbing
from .ops.dtype import numeric_dtype

LISTS = (list, tuple)


def process(card: Primitive, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """Apply an op that its entry does not handle itself: something else takes part, or somebody watches."""
    mode = get_mode()
    if WATCHED <= mode < GENERAL:
        return card.shown(
            args, params, mode & TAPE
        )  # which comes back to `general` where something else takes part
    return general(card, args, params)


def general(card: Primitive, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """Apply an op to anything: the value with the highest level decides what that means."""
    top: Value | None = None
    lists = False
    for arg in args:
        if isinstance(arg, Value):
            level = arg.level
            if level and level not in opened():
                check_open(level)
            if top is None or level > top.level:
                top = arg
        elif type(arg) not in RAW and isinstance(arg, LISTS):
            lists = True
    if lists:
        # Numbers in a list are as weak as they are alone.
        dtypes = {arg.dtype for arg in args if hasattr(arg, "dtype") and arg.dtype.kind in "fc"}
        like = dtypes.pop() if len(dtypes) == 1 else get_default_dtype()
        args = tuple([lift(card, arg, like) if isinstance(arg, LISTS) else arg for arg in args])
        return general(card, args, params)
    if list in map(type, params):
        params = tuple([tuple(p) if type(p) is list else p for p in params])
    if top is not None:
        return top.process(card, args, params)
    if not args:
        made = tensor_type.from_nothing
        return draw(card, params, made) if card.draws and open_batches() else made(card, params)
    if any(type(arg) in ARRAYS for arg in args):
        data = [operand(card, arg) for arg in args]
        if len(data) == 2:
            data = [weak(d, o) if type(d) is complex else d for d, o in zip(data, data[::-1], strict=True)]
        return run(card, data, params)
    # Python's numbers and lists become tensors.
    if card.broadcasts and len(args) == 2 and all(type(arg) in SCALARS for arg in args):
        args = tuple(
            as_data(list(args))
        )  # numbers are weak among each other too: 1 + 2.5 has the default float
    lifted = tuple([tensor_type(operand(card, arg)) for arg in args])
    return lifted[0].process(card, lifted, params)


def record(
    card: Primitive,
    args: tuple[Any, ...],
    params: tuple[Any, ...],
    level: float,
    make: Any,
    taping: bool,
) -> Any:
    """Apply an op to tensors of one level, and note it on the tape.

    Args:
        card: of the op.
        args: its inputs.
        params: its parameters, in the order of the card.
        level: whose tensors take part; whatever is lower is data.
        make: makes a tensor of this level from data and a node.
        taping: whether the tape is on.

    Returns:
        The result; or `Recast` arguments that the op must be applied to instead.
    """
    data, nodes, shared = [], [], False
    for arg in args:
        if isinstance(arg, Value) and arg.level == level:
            data.append(arg._d)  # type: ignore[attr-defined]
            nodes.append(arg._node)  # type: ignore[attr-defined]
            shared |= type(arg) is shared_type
        else:
            data.append(arg if isinstance(arg, Value) else operand(card, arg))
            nodes.append(None)
    if card.composite is not None and level and any(isinstance(d, Value) for d in data):
        return card.composite(*args, **dict(zip(card.params, params, strict=True)))
    if len(data) == 2:  # a number takes the dtype of what it is combined with, as in an entry
        data = [
            weak(d, other) if type(d) in SCALARS or type(d) is complex else d
            for d, other in zip(data, data[::-1], strict=True)
        ]
    if level:
        y = card.op(*data, **dict(zip(card.params, params, strict=True)))
    else:
        y = run(card, data, params)
    wanted = [taping and node is not None and card.formula_for(i) is not None for i, node in enumerate(nodes)]
    if not card.trusted and card.kind != "constant":
        for i, node in enumerate(nodes):
            if taping and node is not None and card.formula_for(i) is None:
                raise card.missing(FORMULA_OF_KIND[card.kind])
    if shared:
        make = _keeps_sharing(make, data)
    if card.several:
        if not any(wanted):
            return tuple([make(part, None) for part in y])
    elif not any(wanted) or y.dtype.kind not in "fc":
        return make(y, None)
    if mixed := _mixed(card, data, wanted, y):
        cast = [
            ops.astype(arg, mixed) if w and d.dtype != mixed else arg
            for arg, d, w in zip(args, data, wanted, strict=True)
        ]
        return Recast(cast)
    node = Node()
    node.prim = absorbing(card) if get_mode() & ZEROS else card
    node.edges = tuple([n if card.formula_for(i) is not None else None for i, n in enumerate(nodes)])
    private = [isinstance(arg, Value) and type(arg) is not shared_type for arg in args]
    node.saved = _saved(card, data, params, y, wanted, private)
    node.extra = None
    if card.several:
        node.shape = shapes_of(y)
        node.seq = tick()
        return tuple([make(part, pick(node, i, part)) for i, part in enumerate(y)])
    node.shape = y.shape
    node.seq = tick()
    return make(y, node)


class Recast(tuple[Any, ...]):
    """Arguments of mixed dtypes, cast to one by recorded operations."""

    __slots__ = ()


def _keeps_sharing(make: Any, data: Sequence[Any]) -> Any:
    """Make results that lie in the memory that somebody else may write to tensors that know it."""

    def made(y: Any, node: Any) -> Any:
        alias = type(y) is np.ndarray and any(
            type(d) is np.ndarray and np.may_share_memory(y, d) for d in data
        )
        return shared_type(y, node) if alias else make(y, node)

    return made


def operand(card: Primitive, arg: Any) -> Any:
    """Plain data of an argument that is not a tensor. A number stays one where its dtype is weak."""
    if (type(arg) in SCALARS or type(arg) is complex) and card.broadcasts and card.kind != "bilinear":
        return arg
    if isinstance(arg, np.ndarray) and arg.dtype.kind not in "biufc":
        raise DtypeError(
            f"{card.name}: cannot be applied to {card.input_of(0)} {arg.dtype}; numbers are needed"
        )
    try:
        return as_data(arg)
    except TensorgradError as error:
        raise type(error)(f"{card.name}: {error}") from None


def lift(card: Primitive, arg: Any, dtype: Any) -> Any:
    """A list as a tensor; its floats take ``dtype``."""
    try:
        data = as_data(arg)
        return tensor_type(as_data_like(arg, dtype) if data.dtype.kind in "fc" else data)
    except TensorgradError as error:
        raise type(error)(f"{card.name}: {error}") from None


def run(card: Primitive, data: Sequence[Any], params: Sequence[Any]) -> Any:
    """Call the forward of a card on arrays. What is not the library's own is held to a contract."""
    named = dict(zip(card.params, params, strict=True))
    if card.trusted:
        try:
            return card.forward(*data, **named)
        except FORWARD_ERRORS as error:
            raise explain(card, data, params, error) from None
    y = card.forward(*[read_only(d) for d in data], **named)
    if card.several:
        if not isinstance(y, tuple):
            raise DtypeError(
                f"{card.name}: the forward returned a {type(y).__name__}; a tuple of arrays is declared"
            )
        return tuple([_own_result(card, part, data) for part in y])
    return _own_result(card, y, data)


class Given:
    """Data of an input that was no tensor, as a watcher may keep it."""

    __slots__ = ("data",)

    def __init__(self, data: Any) -> None:
        self.data = keep(data) if type(data) is np.ndarray else data


# ---- helpers


def _mixed(card: Primitive, data: Sequence[Any], wanted: Sequence[bool], y: Any) -> Any:
    """The dtype that inputs must be cast to so that each cotangent has the dtype of its input."""
    if not shares_dtype(card):
        return None
    return y.dtype if any(w and d.dtype != y.dtype for d, w in zip(data, wanted, strict=True)) else None


def _saved(
    card: Primitive,
    data: Sequence[Any],
    params: Sequence[Any],
    y: Any,
    wanted: Sequence[bool],
    private: Sequence[bool],
) -> tuple[Any, ...]:
    asked = {
        name
        for i, w in enumerate(wanted)
        if w
        for name in card.formula_for(i).names  # type: ignore[union-attr]
    }
    values: dict[str, Any] = {"y": y, **dict(zip(card.params, params, strict=True))}
    if card.several:
        values["outputs_"] = layouts_of(y)
    held = [d if own else keep(d) for d, own in zip(data, private, strict=True)]
    for i, name in enumerate(card.inputs):
        many = card.variadic and i == len(card.inputs) - 1
        mine: Any = tuple(held[i:]) if many else held[i]
        values[name] = mine if name in asked else None
        values[f"{name}_shape"] = tuple([_shape(d) for d in data[i:]]) if many else _shape(data[i])
        values[f"{name}_dtype"] = tuple([_dtype(d) for d in data[i:]]) if many else _dtype(data[i])
    return tuple([values[name] for name in saved_names(card)])


def _shape(d: Any) -> Any:
    return d.shape if hasattr(d, "shape") else ()


def _dtype(d: Any) -> Any:
    return d.dtype if hasattr(d, "dtype") else np.result_type(d)


def _own_result(card: Primitive, y: Any, data: Sequence[Any]) -> Any:
    """What somebody else's forward returned, as an array that nobody else holds."""
    if type(y) in SCALARS or type(y) is complex:
        y = np.asarray(y, next((d.dtype for d in data if type(d) in ARRAYS), None))
    if not isinstance(y, np.ndarray | np.generic) or isinstance(y, np.ma.MaskedArray):
        what = "a tensor, but it gets arrays" if isinstance(y, Value) else f"a {type(y).__name__}"
        raise DtypeError(f"{card.name}: the forward returned {what}; it must return an array of numbers")
    numeric_dtype(y.dtype, f"{card.name}: the forward's result")
    if card.adopted:
        return plain(y)
    shares = card.view and any(type(d) is np.ndarray and np.may_share_memory(y, d) for d in data)
    return plain(np.asarray(y) if shares else np.array(y))


tensor_type: Any = None
shared_type: Any = None


def set_types(tensor: Any, shared: Any) -> None:
    """Told by `_tensor` which classes to make; nothing down here imports it."""
    global tensor_type, shared_type
    tensor_type, shared_type = tensor, shared
