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
from ._config import TAPE, get_default_dtype, get_mode, watchers
from ._errors import DtypeError, GradientError, IndexingError, ShapeError, TensorgradError
from ._primitive import Primitive, Value
from ._specialise import ARRAYS, FORWARD_ERRORS, RAW, SCALARS, saved_names
from ._tape import Node, layouts_of, pick, shapes_of, tick


def process(card: Primitive, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """Apply an op to anything: the value with the highest level decides what that means."""
    top: Value | None = None
    for arg in args:
        if isinstance(arg, Value) and (top is None or arg.level > top.level):
            top = arg
    params = tuple([tuple(p) if type(p) is list else p for p in params])
    if top is not None:
        return top.process(card, args, params)
    if all(type(arg) in RAW for arg in args) and any(type(arg) in ARRAYS for arg in args):
        return run(card, args, params)
    # Python's numbers and lists become tensors.
    lifted = tuple([tensor_type(arg) for arg in args])
    return lifted[0].process(card, lifted, params)


def record(
    card: Primitive, args: tuple[Any, ...], params: tuple[Any, ...], level: float, make: Any
) -> Any:
    """Apply an op to tensors of one level, and note it on the tape if it is on.

    Args:
        level: whose tensors take part; whatever is lower is data.
        make: makes a tensor of this level from data and a node.
    """
    data, nodes, shared = [], [], False
    for arg in args:
        if isinstance(arg, Value) and arg.level == level:
            data.append(arg._d)  # type: ignore[attr-defined]
            nodes.append(arg._node)  # type: ignore[attr-defined]
            shared |= type(arg) is shared_type
        else:
            data.append(arg if isinstance(arg, Value) or type(arg) in RAW else as_data(arg))
            nodes.append(None)
    y = run(card, data, params) if level == 0 else card.op(*data, **dict(zip(card.params, params, strict=True)))
    wanted = [
        node is not None and card.formula_for(i) is not None and bool(get_mode() & TAPE)
        for i, node in enumerate(nodes)
    ]
    if card.several:
        if not any(wanted):
            return tuple([make(part, None) for part in y])
    elif not any(wanted) or y.dtype.kind not in "fc":
        return (shared_type if shared and card.view else make)(y, None)
    if mixed := _mixed(card, data, wanted, y):
        cast = [ops.astype(arg, mixed) if w and d.dtype != mixed else arg for arg, d, w in zip(args, data, wanted, strict=True)]
        return process(card, tuple(cast), params)
    node = Node()
    node.prim = card
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
    return (shared_type if shared and card.view else make)(y, node)


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
            raise DtypeError(f"{card.name}: the forward returned a {type(y).__name__}; a tuple of arrays is declared")
        return tuple([_own_result(card, part, data) for part in y])
    return _own_result(card, y, data)


def show(card: Primitive, args: tuple[Any, ...], params: tuple[Any, ...], result: Any) -> None:
    """Show an operation to whoever watches this thread."""
    for watcher in watchers():
        watcher.op(card, args, params, result)


def explain(card: Primitive, data: Sequence[Any], params: Sequence[Any], error: Exception) -> Exception:
    """Our error for one that NumPy raised: the op, its arguments with shapes and dtypes, what is wrong."""
    if isinstance(error, TensorgradError):
        return error
    shapes = [getattr(d, "shape", ()) for d in data]
    names = [card.input_of(i) for i in range(len(data))]
    if isinstance(error, TypeError):
        inputs = ", ".join(f"{n} {getattr(d, 'dtype', type(d).__name__)}" for n, d in zip(names, data, strict=True))
        return DtypeError(f"{card.name}: cannot be applied to {inputs} ({_first_line(error)})")
    inputs = " and ".join(f"{n} {s}" for n, s in zip(names, shapes, strict=True))
    if card.broadcasts and isinstance(error, ValueError) and len(data) > 1:
        return ShapeError(
            f"{card.name}: {inputs} do not broadcast; lengths must be equal or 1, counted from the last axis"
        )
    settings = "".join(f", {n}={p!r}" for n, p in zip(card.params, params, strict=True))
    kind = IndexingError if isinstance(error, IndexError) and not isinstance(error, ValueError) else ShapeError
    if isinstance(error, OverflowError):
        kind = DtypeError  # type: ignore[assignment]
    return kind(f"{card.name}: {inputs}{settings}: {_first_line(error)}")


# ---- data


def as_data(value: Any, dtype: Any = None, *, copy: bool | None = None) -> Any:
    """Plain data of what a user gave: an array, or a NumPy scalar where it has no axes.

    Python floats become the default float; an array or a NumPy scalar keeps its dtype.

    Raises:
        DtypeError: it is not numeric, is masked, or is a list with tensors in it that have a history.
    """
    if isinstance(value, Value):
        if value.level > 0:
            raise DtypeError(f"a value of a transformation cannot become plain data: {value!r}")
        value = value._d  # type: ignore[attr-defined]
    elif isinstance(value, np.ma.MaskedArray):
        raise DtypeError("a masked array was given, and its mask would be lost; fill it first: a.filled(0)")
    elif isinstance(value, list | tuple) and _holds_tracked(value):
        raise GradientError("a list of tensors was given, and their history would be lost; use tg.stack(list)")
    try:
        made = np.array(value, dtype, copy=copy, order="C" if copy else "K")
    except (ValueError, TypeError) as error:
        raise DtypeError(f"{type(value).__name__} cannot become a tensor: {_first_line(error)}") from None
    if made.dtype.kind not in "biufc" or made.dtype.itemsize > (16 if made.dtype.kind == "c" else 8):
        raise DtypeError(
            f"{type(value).__name__} with dtype {made.dtype} cannot become a tensor; "
            "booleans, integers, floats and complex numbers can"
        )
    if dtype is None and made.dtype.kind in "fc" and _python_numbers(value):
        default = get_default_dtype()
        made = made.astype(default if made.dtype.kind == "f" else np.result_type(default, np.complex64))
    if not made.dtype.isnative:
        made = made.astype(made.dtype.newbyteorder("="))
    return made if made.ndim else made[()]


def read_only(data: Any) -> Any:
    """A view that cannot be written to; NumPy scalars as they are."""
    if type(data) is not np.ndarray:
        return data
    seen = data.view()
    seen.flags.writeable = False
    return seen


def keep(data: Any) -> Any:
    """What a node may save of an array that the user holds: a copy, which later writes do not reach."""
    return data.copy() if type(data) is np.ndarray else data


# ---- helpers


def _mixed(card: Primitive, data: Sequence[Any], wanted: Sequence[bool], y: Any) -> Any:
    """The dtype that inputs must be cast to so that each cotangent has the dtype of its input."""
    if card.kind in ("general", "constant") or card.several or len(card.formulas) + card.variadic < 2:
        return None
    return y.dtype if any(w and d.dtype != y.dtype for d, w in zip(data, wanted, strict=True)) else None


def _saved(
    card: Primitive, data: Sequence[Any], params: Sequence[Any], y: Any, wanted: Sequence[bool], private: Sequence[bool]
) -> tuple[Any, ...]:
    asked = {
        name for i, w in enumerate(wanted) if w for name in card.formula_for(i).names  # type: ignore[union-attr]
    }
    values: dict[str, Any] = {"y": y, **dict(zip(card.params, params, strict=True))}
    if card.several:
        values["outputs_"] = layouts_of(y)
    held = [d if own else keep(d) for d, own in zip(data, private, strict=True)]
    for i, name in enumerate(card.inputs):
        many = card.variadic and i == len(card.inputs) - 1
        mine: Any = tuple(held[i:]) if many else held[i]
        values[name] = mine if name in asked else None
        values[f"{name}_shape"] = tuple([np.shape(d) for d in data[i:]]) if many else _shape(data[i])
        values[f"{name}_dtype"] = tuple([_dtype(d) for d in data[i:]]) if many else _dtype(data[i])
    return tuple([values[name] for name in saved_names(card)])


def _shape(d: Any) -> Any:
    return d.shape if hasattr(d, "shape") else ()


def _dtype(d: Any) -> Any:
    return d.dtype if hasattr(d, "dtype") else np.result_type(d)


def _own_result(card: Primitive, y: Any, data: Sequence[Any]) -> Any:
    if isinstance(y, Value):
        raise DtypeError(f"{card.name}: the forward returned a tensor; it gets arrays and must return an array")
    if type(y) in SCALARS:
        y = np.asarray(y, next((d.dtype for d in data if type(d) in ARRAYS), None))
    if not isinstance(y, np.ndarray | np.generic):
        raise DtypeError(f"{card.name}: the forward returned a {type(y).__name__}; an array is needed")
    if not card.view and type(y) is np.ndarray and any(type(d) is np.ndarray and np.may_share_memory(y, d) for d in data):
        y = y.copy()
    return y if y.ndim else y[()]


def _holds_tracked(items: Sequence[Any]) -> bool:
    return any(
        _holds_tracked(item)
        if isinstance(item, list | tuple)
        else isinstance(item, Value) and getattr(item, "_node", item) is not None
        for item in items
    )


def _python_numbers(value: Any) -> bool:
    """Whether a number or a nested list holds Python's numbers only, whose dtype is ours to choose."""
    if isinstance(value, list | tuple):
        return all(_python_numbers(item) for item in value)
    return type(value) in SCALARS


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


tensor_type: Any = None
shared_type: Any = None


def set_types(tensor: Any, shared: Any) -> None:
    """Told by `_tensor` which classes to make; nothing down here imports it."""
    global tensor_type, shared_type
    tensor_type, shared_type = tensor, shared
