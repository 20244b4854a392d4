"""Whole Jacobians, by columns in forward mode or by rows in reverse mode, many of them at once.

The function runs once, as a linear program (forward) or a record (reverse). What remains is linear, and
runs on a batch of basis vectors under `vmap`; ``chunk_size`` bounds how many at a time.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from .. import ops
from .._data import as_data
from .._errors import DtypeError, GradientError, ShapeError
from .._specialise import ARRAYS
from .._tensor import fresh
from .._tree import Tree, flatten, unflatten
from .grad import check_differentiable, check_function, positions_of, result_and_aux
from .like import from_tensors
from .linearize import linearize
from .vjp import vjp
from .vmap import vmap

MODES = ("auto", "forward", "reverse")


def jacobian(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    mode: Literal["auto", "forward", "reverse"] = "auto",
    *,
    chunk_size: int | None = None,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The function that computes the Jacobian of ``f``: the derivative of each output by each input.

    Args:
        f: takes arrays or tensors, or nested containers of them, and returns such.
        argnums: position of the argument, or positions of the arguments, to differentiate.
        has_aux: ``f`` returns ``(result, aux)``; the Jacobian function then returns ``(jacobian, aux)``.
        mode: ``"forward"`` computes a column for each input, ``"reverse"`` a row for each output; ``"auto"``
            runs ``f`` and takes what there is less of, which runs ``f`` a second time if that is forward mode.
        chunk_size: how many columns or rows to compute at a time, None for all at once. Memory grows with it:
            each intermediate value of ``f`` is held so many times.
        holomorphic: ``f`` is complex-differentiable; needed where complex numbers depend on complex numbers.

    Returns:
        A function of the same arguments. For an input of shape ``m`` and an output of shape ``n`` the Jacobian
        has shape ``n + m``; for containers its structure is that of the result, with the structure of the
        argument in place of each leaf. Arrays give arrays and tensors tensors.

    For real inputs an entry is dy/dx, complex where y is. For complex inputs and real outputs it is what `grad`
    gives, dy/da + i dy/db for x = a + i b; for both complex it is the complex derivative, which exists only
    where ``f`` is holomorphic.

    Raises:
        DtypeError: an input or output is not floating or complex; both are complex and ``holomorphic`` is not set.
        ShapeError: ``chunk_size`` is not positive.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
        array([[3., 0., 1.],
               [0., 3., 2.]])

    Source:
        Griewank and Walther, Evaluating Derivatives, 2008, chapters 3 and 7.
    """
    if mode not in MODES:
        raise GradientError(f"jacobian: mode is {mode!r}; {', '.join(map(repr, MODES))} are known")
    return jacobian_of("jacobian", f, argnums, has_aux, mode, chunk_size, holomorphic)


def jacfwd(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The same as `jacobian` in forward mode: for fewer inputs than outputs.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.jacfwd(lambda t: tg.stack([tg.cos(t), tg.sin(t)]))(np.float64(0.0))
        array([-0.,  1.])
    """
    return jacobian_of("jacfwd", f, argnums, has_aux, "forward", chunk_size, holomorphic)


def jacrev(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The same as `jacobian` in reverse mode: for fewer outputs than inputs.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.jacrev(lambda p: (p["w"] ** 2).sum())({"w": np.array([1.0, 2.0])})
        {'w': array([2., 4.])}
    """
    return jacobian_of("jacrev", f, argnums, has_aux, "reverse", chunk_size, holomorphic)


def jacobian_of(
    name: str,
    f: Callable[..., Any],
    argnums: int | Sequence[int],
    has_aux: bool,
    mode: str,
    chunk_size: int | None,
    holomorphic: bool,
) -> Callable[..., Any]:
    """The Jacobian function; ``name`` is the transformation that errors speak of."""
    check_function(name, f, argnums)
    if chunk_size is not None and (not isinstance(chunk_size, int) or chunk_size < 1):
        raise ShapeError(f"{name}: chunk_size is {chunk_size!r}; a positive integer or None is needed")

    @functools.wraps(f)
    def jacobian_function(*args: Any, **kwargs: Any) -> Any:
        positions = positions_of(name, argnums, args)
        picked = tuple([args[i] for i in positions])

        def at(*picked: Any) -> tuple[Any, Any]:
            full = list(args)
            for i, argument in zip(positions, picked, strict=True):
                full[i] = argument
            return result_and_aux(name, f(*full, **kwargs), has_aux)

        leaves, tree = flatten(picked)
        for number, leaf in enumerate(leaves):
            check_differentiable(name, "argument ", leaf, tree, number)
        inputs = [_layout(leaf) for leaf in leaves]
        linear, forward = None, mode == "forward"
        if not forward:
            y, linear, aux = vjp(at, *picked, has_aux=True)
            count = sum(math.prod(one.shape) for one in map(_layout, flatten(y)[0]))
            forward = mode == "auto" and sum(one.size for one in inputs) < count
        if forward:
            y, linear, aux = linearize(at, *picked, has_aux=True)
        results, y_tree = flatten(y)
        outputs = [_layout(leaf) for leaf in results]
        _check_outputs(name, inputs, outputs, y_tree.paths(), holomorphic)
        if forward:
            blocks = _by_columns(linear, tree, inputs, outputs, chunk_size)
        else:
            blocks = _by_rows(linear, y_tree, inputs, outputs, chunk_size)
        if from_tensors(leaves):
            blocks = [[fresh(b) if type(b) in ARRAYS else b for b in row] for row in blocks]
        rows = [unflatten(tree, row) for row in blocks]
        found = unflatten(y_tree, [row[0] for row in rows] if isinstance(argnums, int) else rows)
        return (found, aux) if has_aux else found

    return jacobian_function


# ---- by columns, by rows


class Layout(NamedTuple):
    """Shape and dtype of a leaf."""

    shape: tuple[int, ...]
    dtype: Any

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def is_complex(self) -> bool:
        """Whether the elements are complex."""
        return bool(self.dtype.kind == "c")


class Part(NamedTuple):
    """Basis vectors of one leaf, times a factor."""

    leaf: int
    factor: complex


def _by_columns(
    push: Any, tree: Tree, inputs: list[Layout], outputs: list[Layout], chunk: int | None
) -> list[list[Any]]:
    """Push a tangent for each input, and for a complex one that a real output depends on also i times it."""
    real = not all(out.is_complex for out in outputs)
    parts = [Part(i, 1) for i in range(len(inputs))]
    parts += [Part(i, 1j) for i, one in enumerate(inputs) if one.is_complex and real]
    columns = _batched(lambda t: push(*t), tree, inputs, parts, outputs, chunk)
    blocks = []
    for out, found in zip(outputs, columns, strict=True):
        row = []
        for i, given in enumerate(inputs):
            block = found[Part(i, 1)]
            if given.is_complex and not out.is_complex:
                block = block + 1j * found[Part(i, 1j)]
            row.append(ops.reshape(ops.moveaxis(block, 0, -1), (*out.shape, *given.shape)))
        blocks.append(row)
    return blocks


def _by_rows(
    pull: Any, y_tree: Tree, inputs: list[Layout], outputs: list[Layout], chunk: int | None
) -> list[list[Any]]:
    """Pull a cotangent for each output, and for a complex one that depends on a real input also i times it."""
    real = not all(one.is_complex for one in inputs)
    parts = [Part(i, 1) for i in range(len(outputs))]
    parts += [Part(i, 1j) for i, out in enumerate(outputs) if out.is_complex and real]
    rows = _batched(pull, y_tree, outputs, parts, inputs, chunk)
    blocks = []
    for i, out in enumerate(outputs):
        row = []
        for given, found in zip(inputs, rows, strict=True):
            block = found[Part(i, 1)]
            if out.is_complex:  # pulling multiplies with the conjugate of the derivative
                block = ops.conjugate(block) if given.is_complex else block + 1j * found[Part(i, 1j)]
            row.append(ops.reshape(block, (*out.shape, *given.shape)))
        blocks.append(row)
    return blocks


def _batched(
    linear: Any, tree: Tree, given: list[Layout], parts: list[Part], results: list[Layout], chunk: int | None
) -> list[dict[Part, Any]]:
    """Apply a linear function to the basis vectors of ``parts``: for each leaf of its result, the images by part."""
    total = sum(given[part.leaf].size for part in parts)
    if not total:
        return [{part: np.zeros((0, *one.shape), one.dtype) for part in parts} for one in results]
    run = vmap(lambda one: linear(one))
    found = []
    for start in range(0, total, chunk or total):
        basis = _basis(given, parts, start, min(start + (chunk or total), total))
        found.append(flatten(run(unflatten(tree, basis)))[0])
    images = found[0] if len(found) == 1 else [ops.concat(one) for one in zip(*found, strict=True)]
    by_part: list[dict[Part, Any]] = [{} for _ in images]
    start = 0
    for part in parts:
        stop = start + given[part.leaf].size
        for image, named in zip(images, by_part, strict=True):
            named[part] = image if stop - start == total else image[start:stop]
        start = stop
    return by_part


def _basis(given: list[Layout], parts: list[Part], start: int, stop: int) -> list[Any]:
    """The basis vectors from ``start`` to ``stop``, for each leaf stacked along a first axis."""
    made = [np.zeros((stop - start, one.size), one.dtype) for one in given]
    first = 0
    for leaf, factor in parts:
        rows = np.arange(max(first, start), min(first + given[leaf].size, stop))
        made[leaf][rows - start, rows - first] = factor
        first += given[leaf].size
    return [array.reshape(-1, *one.shape) if array.size else np.zeros((stop - start, *one.shape), one.dtype)
            for array, one in zip(made, given, strict=True)]  # fmt: skip


# ---- arguments


def _layout(leaf: Any) -> Layout:
    leaf = leaf if hasattr(leaf, "dtype") else as_data(leaf)
    return Layout(leaf.shape, leaf.dtype)


def _check_outputs(
    name: str, inputs: list[Layout], outputs: list[Layout], paths: list[str], holomorphic: bool
) -> None:
    for out, path in zip(outputs, paths, strict=True):
        at = f" at {path}" if path else ""
        if out.dtype.kind not in "fc":
            raise DtypeError(
                f"{name}: the result{at} has dtype {out.dtype} and no derivative; return it as aux, with has_aux=True"
            )
        if out.is_complex and not holomorphic and any(one.is_complex for one in inputs):
            raise DtypeError(
                f"{name}: an argument is complex, and so is the result{at} {list(out.shape)}; pass holomorphic=True if "
                "the function is complex-differentiable, or else differentiate its real and imaginary part, "
                "lambda x: [f(x).real, f(x).imag]"
            )
