"""Values without their derivatives, as NumPy arrays: what an iteration runs on that nobody differentiates.

A value inside several transformations is a value in a value: a tensor of a gradient over a dual number over
a batch. `strip` takes the derivatives out and leaves the batches; `Flat` makes one vector for each example
of what is left, and of a function on containers a function on such vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops
from .._config import no_grad
from .._data import as_data
from .._errors import DtypeError, ShapeError
from .._primitive import Value
from .._specialise import ARRAYS
from .._tensor import Over, Tensor, wrap
from .._tree import Tree, flatten, unflatten
from .inside import Inside
from .jvp import Dual
from .vmap import Batched

EVERYTHING = 0.0
"""The level from which `strip` takes all derivatives, those of the tape as well."""


def strip(value: Any, level: float = EVERYTHING) -> Any:
    """A value without the derivatives of ``level`` and of those above; batches stay."""
    if isinstance(value, Batched):
        return Batched(strip(value.batch, level), value.level)
    if isinstance(value, Dual):
        return strip(value.primal, level) if value.level >= level else value
    if isinstance(value, Over):
        return strip(value._d, level) if value.level >= level else value
    if isinstance(value, Tensor) and level <= 0 and value._node is not None:
        return wrap(value._d, None)
    return value


def strip_among(value: Any, levels: frozenset[float]) -> Any:
    """A value without the derivatives of ``levels`` where they are outermost; those opened since stay."""
    if isinstance(value, Batched):
        return Batched(strip_among(value.batch, levels), value.level)
    while isinstance(value, Dual | Over) and value.level in levels:
        value = value.primal if isinstance(value, Dual) else value._d
    return value


def stripped(leaf: Any) -> Any:
    """A leaf of an argument as a tensor, or a batch of them, without derivatives."""
    return as_tensor(strip(leaf) if isinstance(leaf, Value) else as_data(leaf, copy=True))


def as_tensor(x: Any) -> Any:
    """Plain data as a tensor."""
    return wrap(x, None) if type(x) in ARRAYS else x


def unknown(value: Any) -> bool:
    """Whether a value has no numbers to look at, such as a tangent of `linearize`, which is not known yet."""
    return isinstance(value, Inside) and not isinstance(value, Batched | Dual)


def derivatives_of(value: Any) -> set[float]:
    """The levels at which a value has a derivative; 0 is the tape outside of all transformations."""
    found: set[float] = set()
    while isinstance(value, Value):
        if isinstance(value, Batched):
            value = value.batch
        elif isinstance(value, Dual):
            found.add(value.level)
            value = value.primal
        elif unknown(value):
            break
        else:
            if value._node is not None:  # type: ignore[attr-defined]
                found.add(value.level)
            value = value._d  # type: ignore[attr-defined]
    return found


def batches_of(values: Sequence[Any]) -> list[tuple[float, int]]:
    """The levels of the batches that values are in, highest first, and their sizes."""
    sizes: dict[float, int] = {}
    for value in values:
        while isinstance(value, Value):
            if isinstance(value, Batched):
                sizes[value.level] = value.batch.shape[0]
                value = value.batch
            elif unknown(value):
                break
            else:
                value = value.primal if isinstance(value, Dual) else value._d  # type: ignore[attr-defined]
    return sorted(sizes.items(), reverse=True)


def same_structure(
    name: str, what: str, leaves: Sequence[Any], like: Sequence[Any], tree: Tree, found: Tree
) -> None:
    """Raise if what a function returned does not have the structure and shapes of its argument."""
    if found.paths() != tree.paths():
        shown = (
            "None; does it lack a return?"
            if found.paths() == []
            else f"a container with {', '.join(found.paths())}"
        )
        if found.paths() == [""]:
            shown = "a single value"
        wanted = "a single value" if tree.paths() == [""] else f"a container with {', '.join(tree.paths())}"
        raise ShapeError(f"{name}: {what} is {shown}, the solution {wanted}; both need one structure")
    for one, x, path in zip(leaves, like, tree.paths(), strict=True):
        one = one if isinstance(one, Value) else as_data(one)
        if one.shape != x.shape:
            raise ShapeError(
                f"{name}: {what}{path} has shape {one.shape}, the solution {x.shape}; there must be as many equations as "
                "unknowns, in the same shape"
            )
        if one.dtype.kind == "c" and x.dtype.kind != "c":
            raise DtypeError(
                f"{name}: {what}{path} is {one.dtype}, the solution {x.dtype}; start at complex values, x.astype(complex)"
            )


class Flat:
    """Containers of values as NumPy arrays with one vector for each example, and back.

    Args:
        name: of the function, for messages.
        like: the leaves of the container, stripped.
        tree: its structure.
        others: further values whose batches take part.
    """

    def __init__(self, name: str, like: Sequence[Any], tree: Tree, others: Sequence[Any] = ()) -> None:
        self.name = name
        self.tree = tree
        self.shapes = [x.shape for x in like]
        self.dtypes = [x.dtype for x in like]
        self.real = np.result_type(np.float32, *[np.empty(0, d).real.dtype for d in self.dtypes])
        batches = batches_of((*like, *others))[::-1]
        self.levels = [level for level, _ in batches]
        self.batch = tuple([size for _, size in batches])

    @property
    def size(self) -> int:
        """How many real numbers an example has."""
        return sum(
            int(np.prod(s)) * (2 if d.kind == "c" else 1)
            for s, d in zip(self.shapes, self.dtypes, strict=True)
        )

    def array(self, leaves: Sequence[Any]) -> Any:
        """The vector of each example, (*batch, n); a complex number is two real ones."""
        parts = []
        for leaf, shape, dtype in zip(leaves, self.shapes, self.dtypes, strict=True):
            value = leaf if isinstance(leaf, Value) else as_data(leaf)
            for level, size in zip(reversed(self.levels), reversed(self.batch), strict=True):
                if isinstance(value, Batched) and value.level == level:
                    value = value.batch
                else:
                    value = ops.broadcast_to(value, (size, *value.shape))
            data = np.asarray(value._d if isinstance(value, Tensor) else value)
            flat = np.ascontiguousarray(data.reshape((*self.batch, int(np.prod(shape)))), dtype)
            parts.append(flat.view(flat.real.dtype) if dtype.kind == "c" else flat)
        return np.concatenate(parts, axis=-1, dtype=self.real)

    def leaves(self, vector: Any) -> list[Any]:
        """The leaves of the container that the vectors stand for."""
        found, at = [], 0
        for shape, dtype in zip(self.shapes, self.dtypes, strict=True):
            many = int(np.prod(shape)) * (2 if dtype.kind == "c" else 1)
            part = np.ascontiguousarray(vector[..., at : at + many])
            part = part.view(np.result_type(part.dtype, np.complex64)) if dtype.kind == "c" else part
            value: Any = wrap(np.array(part.reshape((*self.batch, *shape)), dtype)[()], None)
            for level in self.levels:
                value = Batched(value, level)
            found.append(value)
            at += many
        return found

    def function(self, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """``f`` of containers as a function of vectors; nothing of it is recorded."""

        def on_vectors(vector: Any) -> Any:
            with no_grad():
                leaves = flatten(f(unflatten(self.tree, self.leaves(vector))))[0]
                return self.array([strip(leaf) for leaf in leaves])

        return on_vectors
