"""Values of parameters and constants as JSON, and back: what `tensorgrad.ir.json` writes between the equations.

`None`, booleans, strings, lists and ordinary numbers are themselves. All else is an object whose ``kind``
says what it is, so that a value comes back with its type: a tuple as a tuple, a ``float32`` as a ``float32``.
What is no data (a function, a generator of random numbers) is described in words, and comes back as `Described`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, isnan, prod
from typing import Any

import numpy as np

from .._tensor import Tensor, wrap

DEEPEST = 32
"""How deeply values may be nested in each other."""

EXACT = 2**53
"""Greater integers lose digits in programs whose only numbers are doubles; they are written as strings."""

LONGEST = 200
"""Characters of a description."""

Node = Any
"""What `json.loads` gives."""


@dataclass(frozen=True, slots=True)
class Described:
    """What stands in a graph that was read for a value that a file cannot hold: its type and some words."""

    type: str
    text: str

    def __repr__(self) -> str:
        return self.text


class Refused(Exception):
    """Something in a file is not as it should be; the place is put together on the way out."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.place = ""

    def inside(self, step: str | int) -> Refused:
        """The same, seen from one level further out."""
        self.place = (f"[{step}]" if isinstance(step, int) else f".{step}") + self.place
        return self


# ---- writing


def encoded(value: Any, most: int, depth: int = 0) -> Node:
    """A value as JSON; of arrays with more than ``most`` elements only a description."""
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return value if abs(value) <= EXACT else {"kind": "int", "value": str(value)}
    if kind is float:
        return value if isfinite(value) else {"kind": "float", "value": number(value)}
    if kind is complex:
        return {"kind": "complex", "value": [number(value.real), number(value.imag)]}
    if value is Ellipsis:
        return {"kind": "ellipsis"}
    if isinstance(value, np.dtype) and dtype_name(value):
        return {"kind": "dtype", "name": dtype_name(value)}
    if isinstance(value, np.generic) and dtype_name(value.dtype):
        return {"kind": "scalar", "dtype": dtype_name(value.dtype), "value": entry(value.item())}
    if isinstance(value, np.ndarray | Tensor):
        return _array(value, most) or _described(value)
    inside = None if depth >= DEEPEST else _container(value, lambda one: encoded(one, most, depth + 1))
    return _described(value) if inside is None else inside


def number(value: float) -> Node:
    """A float; those that JSON lacks are strings."""
    value = float(value)
    return value if isfinite(value) else "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"


def entry(value: Any) -> Node:
    """One element of an array: of a complex one the pair of its parts."""
    value = value.item() if isinstance(value, np.generic) else value
    if type(value) is bool:
        return value
    if type(value) is int:
        return value if abs(value) <= EXACT else str(value)
    return [number(value.real), number(value.imag)] if type(value) is complex else number(value)


def is_data(node: Node) -> bool:
    """Whether nothing in a value that was written is only described."""
    if isinstance(node, list):
        return all(map(is_data, node))
    return not isinstance(node, dict) or (node.get("kind") != "text" and all(map(is_data, node.values())))


@lru_cache(maxsize=256)
def dtype_name(dtype: np.dtype[Any]) -> str:
    """The name of a dtype of numbers, or the empty string."""
    if dtype.kind not in "biufc" or dtype.itemsize > (16 if dtype.kind == "c" else 8):
        return ""
    return dtype.name if dtype.isnative else dtype.str


def _container(value: Any, encode: Callable[[Any], Node]) -> Node:
    if isinstance(value, slice):
        return {"kind": "slice", "items": [encode(one) for one in (value.start, value.stop, value.step)]}
    if isinstance(value, tuple):
        items = [encode(one) for one in value]
        if hasattr(value, "_fields") and _records().get(type(value).__name__) is type(value):
            return {"kind": type(value).__name__, "items": items}
        return {"kind": "tuple", "items": items}
    if isinstance(value, dict):
        return {"kind": "dict", "items": [[encode(key), encode(one)] for key, one in value.items()]}
    if isinstance(value, set | frozenset):
        return {"kind": "set", "items": sorted(map(encode, value), key=repr)}
    return [encode(one) for one in value] if isinstance(value, list) else None


def _array(value: Any, most: int) -> Node:
    data = np.asarray(value._d) if isinstance(value, Tensor) else value
    if not dtype_name(data.dtype) or data.size > most:
        return None
    written = {
        "kind": "tensor" if isinstance(value, Tensor) else "array",
        "dtype": data.dtype.name,
        "shape": list(data.shape),
        "values": [entry(one) for one in data.ravel().tolist()],
    }
    return (
        {**written, "requires_grad": True} if isinstance(value, Tensor) and value.requires_grad else written
    )


def _described(value: Any) -> Node:
    """Words for what is no data, the same in each run."""
    if isinstance(value, Described):
        return {"kind": "text", "type": value.type, "text": value.text}
    kind = type(value)
    try:
        if isinstance(value, np.ndarray | Tensor):
            text = f"{value.dtype} array {tuple(value.shape)}"
        elif callable(value) and hasattr(value, "__qualname__"):
            text = f"{value.__module__}.{value.__qualname__}"
        else:
            text = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))
    except Exception:  # a __repr__ of somebody else's, which may do anything
        text = kind.__qualname__
    return {"kind": "text", "type": f"{kind.__module__}.{kind.__qualname__}", "text": text[:LONGEST]}


# ---- reading


def decoded(node: Node, depth: int = 0) -> Any:
    """The value that was written; a `Refused` if nothing could have been."""
    kind = type(node)
    if node is None or kind is bool or kind is str:
        return node
    if kind is int or kind is float:
        return small(node) if kind is int else finite(node)
    if depth > DEEPEST:
        raise Refused(f"values are nested more than {DEEPEST} levels deep")
    if kind is list:
        return each(node, lambda one: decoded(one, depth + 1))
    name = node.get("kind")
    read = _READERS.get(name) if type(name) is str else None
    if read is not None:
        return read(node, depth)
    record = _records().get(name) if type(name) is str else None
    if record is None:
        raise Refused(f"{short(name)} is no kind of value").inside("kind")
    return record(*_items(node, depth, len(record._fields)))


def each(nodes: Iterable[Node], read: Callable[[Node], Any]) -> list[Any]:
    """Read a list; a refusal names the place in it."""
    found: list[Any] = []
    for node in nodes:
        try:
            found.append(read(node))
        except Refused as refusal:
            raise refusal.inside(len(found)) from None
    return found


def tuple_of(read: Callable[[Node], Any]) -> Callable[[Node], tuple[Any, ...]]:
    """A reader of arrays."""
    return lambda nodes: tuple(each(array_of(nodes), read))


def pair_of(first: Callable[[Node], Any], second: Callable[[Node], Any]) -> Callable[[Node], tuple[Any, Any]]:
    """A reader of arrays of two."""

    def read(node: Node) -> tuple[Any, Any]:
        if len(array_of(node)) != 2:
            raise Refused("a pair should stand here")
        return first(node[0]), second(node[1])

    return read


def fields(node: Node, **readers: Callable[[Node], Any]) -> list[Any]:
    """Read the fields of an object besides its ``kind``; all must be there, and no others."""
    if extra := sorted(node.keys() - readers.keys() - {"kind"}):
        raise Refused(f"{short(extra[0])} is no field here; known are {', '.join(readers)}")
    return [field(node, name, read) for name, read in readers.items()]


def field(node: Node, name: str, read: Callable[[Node], Any]) -> Any:
    """Read one field of an object."""
    if name not in node:
        raise Refused(f"the field {name!r} is missing")
    try:
        return read(node[name])
    except Refused as refusal:
        raise refusal.inside(name) from None


def typed(kind: type, words: str) -> Callable[[Node], Any]:
    """A reader that takes one type of JSON."""

    def read(node: Node) -> Any:
        if type(node) is not kind:
            raise Refused(f"{short(node)} stands where {words} should")
        return node

    return read


string = typed(str, "a string")
boolean = typed(bool, "true or false")
array_of = typed(list, "an array")
object_of = typed(dict, "an object")


def count(node: Node) -> int:
    """A number of things."""
    if type(node) is not int or not 0 <= node < 2**63:
        raise Refused(f"{short(node)} stands where an integer from 0 to 2**63 - 1 should")
    return node


def small(node: int) -> int:
    """An integer that all programs read alike."""
    if abs(node) > EXACT:
        raise Refused(f"an integer beyond 2**53 is written as a string, {short(node)} is not")
    return node


def finite(node: float) -> float:
    """A float that JSON has; ``1e999`` is none."""
    if not isfinite(node):
        raise Refused("a number is beyond the range of doubles")
    return node


def number_of(node: Node) -> float:
    """The inverse of `number`."""
    if type(node) is str and node in ("NaN", "Infinity", "-Infinity"):
        return float(node)
    if type(node) is float or type(node) is int:
        return finite(node) if type(node) is float else float(small(int(node)))
    raise Refused(f"{short(node)} stands where a number should")


def entry_of(node: Node) -> Any:
    """The inverse of `entry`."""
    if type(node) is bool:
        return node
    if type(node) is int:
        return small(node)
    if type(node) is list:
        return _complex(node)
    return _long(node) if type(node) is str and re.fullmatch(r"-?[0-9]{1,20}", node) else number_of(node)


def shape_of(node: Node) -> tuple[int, ...]:
    """The length of each axis."""
    if len(array_of(node)) > 64:
        raise Refused(f"a shape has {len(node):,} axes; arrays have at most 64")
    return tuple(each(node, count))


@lru_cache(maxsize=256)
def known_dtype(name: str) -> np.dtype[Any]:
    """A dtype of numbers by its name."""
    try:
        found = np.dtype(name) if re.fullmatch(r"[<>]?[a-z][a-z0-9]{0,12}", name) else None
    except TypeError:
        found = None
    if found is None or found.kind not in "biufc":
        raise Refused(f"{short(name)} is no dtype of numbers")
    return found


def short(node: Node) -> str:
    """What was found, in a few safe characters."""
    return ascii(node) if len(ascii(node)) <= 40 else ascii(node)[:37] + "..." if isinstance(node, str) else (
        f"a long {'integer' if isinstance(node, int) else type(node).__name__}"
    )  # fmt: skip


def _dtype(node: Node) -> np.dtype[Any]:
    found = known_dtype(string(node))
    if not dtype_name(found):
        raise Refused(f"{short(node)} is not the same on all machines")
    return found


def _items(node: Node, depth: int, size: int | None = None) -> list[Any]:
    (items,) = fields(node, items=lambda nodes: each(array_of(nodes), lambda one: decoded(one, depth + 1)))
    if size is not None and len(items) != size:
        raise Refused(f"{len(items)} items stand where {size} should")
    return list(items)


def _dict(node: Node, depth: int) -> dict[Any, Any]:
    pairs = _items(node, depth)
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise Refused("an item is not a pair of key and value")
    try:
        return dict(pairs)
    except TypeError:
        raise Refused("a list or an array stands where a key should") from None


def _set(node: Node, depth: int) -> frozenset[Any]:
    try:
        return frozenset(_items(node, depth))
    except TypeError:
        raise Refused("a list or an array stands in a set") from None


def _slice(node: Node, depth: int) -> slice:
    return slice(*_items(node, depth, 3))


def _scalar(node: Node, depth: int) -> Any:
    dtype, value = fields(node, dtype=_dtype, value=entry_of)
    return _filled([value], (), dtype)[()]


def _array_from(node: Node, depth: int) -> Any:
    return _filled(
        *fields(node, values=lambda one: each(array_of(one), entry_of), shape=shape_of, dtype=_dtype)
    )


def _tensor_from(node: Node, depth: int) -> Tensor:
    tracked = field(node, "requires_grad", boolean) if "requires_grad" in node else False
    tensor = wrap(_array_from({k: v for k, v in node.items() if k != "requires_grad"}, depth), None)
    if tracked and tensor.dtype.kind not in "fc":
        raise Refused(f"a tensor of {tensor.dtype} has no gradient").inside("requires_grad")
    return tensor.requires_grad_() if tracked else tensor


def _filled(values: list[Any], shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    if len(values) != prod(shape):
        raise Refused(f"{len(values):,} values are given for an array of shape {short(shape)}")
    wanted = {"b": (bool,), "i": (int,), "u": (int,), "f": (float, int), "c": (complex,)}[dtype.kind]
    if wrong := [value for value in values if type(value) not in wanted]:
        raise Refused(f"{short(wrong[0])} is no entry of an array of {dtype}")
    try:
        return np.array(values, dtype).reshape(shape)
    except (OverflowError, ValueError) as error:
        raise Refused(f"no array of {dtype} and shape {short(shape)}: {error}") from None


def _complex(node: Node) -> complex:
    return complex(*pair_of(number_of, number_of)(node))


def _long(node: Node) -> int:
    if not re.fullmatch(r"-?[0-9]{1,4000}", string(node)):
        raise Refused(f"{short(node)} is no integer")
    return int(node)


def _not_finite(node: Node) -> float:
    if type(node) is not str:
        raise Refused("a finite number stands where it need not be an object")
    return number_of(node)


_READERS: dict[str, Callable[[Node, int], Any]] = {
    "int": lambda node, depth: fields(node, value=_long)[0],
    "float": lambda node, depth: fields(node, value=_not_finite)[0],
    "complex": lambda node, depth: fields(node, value=_complex)[0],
    "ellipsis": lambda node, depth: fields(node) or Ellipsis,
    "dtype": lambda node, depth: fields(node, name=_dtype)[0],
    "tuple": lambda node, depth: tuple(_items(node, depth)),
    "slice": _slice,
    "dict": _dict,
    "set": _set,
    "scalar": _scalar,
    "array": _array_from,
    "tensor": _tensor_from,
    "text": lambda node, depth: Described(*fields(node, type=string, text=string)),
}


@lru_cache(maxsize=1)
def _records() -> dict[str, Any]:
    """The library's own records among the parameters of its ops, by name."""
    from ..ops.window.along import Window
    from ..ops.window.resample import Plan

    return {"Window": Window, "Plan": Plan}
