"""What a tangent or a cotangent must look like: the structure, shapes and dtypes of what it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import ops
from .._data import as_data_like
from .._errors import DtypeError, ShapeError
from .._primitive import Value
from .._tensor import Tensor
from .._tree import Tree, flatten_like


def from_tensors(leaves: Sequence[Any]) -> bool:
    """Whether arrays among the results of these arguments are to become tensors."""
    return any(
        (isinstance(leaf, Tensor) and not leaf.level) or type(leaf) in (int, float, complex)
        for leaf in leaves
    )


class Like:
    """The structure, shapes and dtypes of some leaves.

    Args:
        name: of the transformation, for errors.
        what: is held to it, such as "the cotangent".
        whose: it belongs to, such as "the result".
        tree: the structure.
        leaves: the values.
    """

    def __init__(self, name: str, what: str, whose: str, tree: Tree, leaves: Sequence[Any]) -> None:
        self.name, self.what, self.whose, self.tree = name, what, whose, tree
        self.layouts = [
            (leaf.shape, leaf.dtype) if hasattr(leaf, "dtype") else ((), as_data_like(leaf, float).dtype)
            for leaf in leaves
        ]

    def leaves_of(self, value: Any) -> list[Any]:
        """The leaves of ``value``, each in the dtype that it must have; arrays are copied."""
        given = flatten_like(self.tree, value, f"{self.name}: {self.what}")
        return [
            self._fitted(leaf, layout[0], layout[1], path)
            for leaf, layout, path in zip(given, self.layouts, self.tree.paths(), strict=True)
        ]

    def _fitted(self, leaf: Any, shape: tuple[int, ...], dtype: Any, path: str) -> Any:
        leaf = leaf if isinstance(leaf, Value) else as_data_like(leaf, dtype)
        at = f" at {path}" if path else ""
        if leaf.shape != shape:
            raise ShapeError(
                f"{self.name}: {self.what}{at} has shape {leaf.shape}, {self.whose} {shape}; they must be the same"
            )
        if leaf.dtype.kind == "c" and dtype.kind != "c":
            raise DtypeError(
                f"{self.name}: {self.what}{at} has dtype {leaf.dtype}, {self.whose} {dtype}; take its real part"
            )
        return ops.astype(leaf, dtype) if leaf.dtype != dtype and dtype.kind in "fc" else leaf

    def __str__(self) -> str:
        shown = [f"{dtype}{list(shape)}" for shape, dtype in self.layouts[:3]]
        more = len(self.layouts) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")
