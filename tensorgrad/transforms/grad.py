"""Reverse-mode gradients of functions."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import ops
from .._config import enable_grad, is_grad_enabled
from .._data import as_data, zero_like
from .._errors import DtypeError, GradientError, NoGraphError, ShapeError
from .._levels import new_level, open_levels
from .._primitive import Value
from .._tape import Leaf, collect, is_closed, settle, tick
from .._tensor import Over, Tensor, pull, seed_for, wrap
from .._tree import Tree, flatten, map_leaves, unflatten
from .around import recorded_here
from .inside import Inside

_OF_MANY = {"grad": ", or take tg.jacobian for all of them"}
CLOSE_OVER = "Bind what is not differentiated beforehand: lambda x: f(x, n)"


def grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that computes the gradient of ``f``.

    Args:
        f: takes arrays or tensors, or nested containers of them, and returns one real number.
        argnums: position of the argument, or positions of the arguments, to differentiate.
        has_aux: ``f`` returns ``(number, aux)``; the gradient function then returns ``(gradient, aux)``.

    Returns:
        A function of the same arguments. Its result has the structure of the argument; arrays give
        arrays and tensors give tensors; an argument that the result does not depend on gives zeros.

    Raises:
        ShapeError: ``f`` did not return a single number.
        DtypeError: the argument holds something that has no gradient, such as integers.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.grad(lambda x: (x ** 3).sum())(np.array([1.0, 2.0]))
        array([ 3., 12.])
        >>> tg.grad(tg.grad(tg.sin))(0.5) == -tg.sin(0.5)
        tensor(True)
    """
    check_function("grad", f, argnums)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        _, aux, found = differentiate("grad", f, argnums, has_aux, args, kwargs)
        return (found, aux) if has_aux else found

    return gradient


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that computes ``f`` and its gradient; see `grad`.

    Returns:
        A function that returns ``(value, gradient)``, with ``has_aux`` ``((value, aux), gradient)``.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.value_and_grad(lambda p: (p["w"] * 3).sum())({"w": np.array([1.0, 2.0])})
        (np.float64(9.0), {'w': array([3., 3.])})
    """
    check_function("value_and_grad", f, argnums)

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        y, aux, found = differentiate("value_and_grad", f, argnums, has_aux, args, kwargs)
        return ((y, aux), found) if has_aux else (y, found)

    return value_and_gradient


def backward(y: Any, grad: Any = None, retain_graph: bool = False) -> None:
    """The same as ``y.backward(...)``, for those who prefer functions."""
    if not isinstance(y, Tensor):
        raise NoGraphError(
            f"backward: {type(y).__name__} has no graph: functions of plain arrays give plain arrays. Make an input a "
            "tensor, tg.tensor(x, requires_grad=True), or use tg.grad(f)(x)"
        )
    y.backward(grad, retain_graph)


def gradients(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``, without touching any ``.grad``.

    Args:
        outputs: one tensor, or a sequence.
        inputs: one tensor, or a sequence; they need not be leaves.
        grad_outputs: the cotangent of each output; None stands for 1 where an output is one number.
        create_graph: record the computation, so that the gradients can be differentiated.
        retain_graph: keep the graph for another backward; by default as ``create_graph``.
        allow_unused: give None for an input that no output depends on, instead of an error.

    Raises:
        GradientError: an input does not require a gradient, or was not used.
        NoGraphError: no output was recorded, or the graph was freed.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor(3.0, requires_grad=True)
        >>> (dx,) = tg.autograd.grad(x ** 3, x, create_graph=True)
        >>> tg.autograd.grad(dx, x)
        (tensor(18.),)
    """
    ys: list[Any] = [outputs] if isinstance(outputs, Value) else list(outputs)
    xs: list[Any] = [inputs] if isinstance(inputs, Value) else list(inputs)
    one = Value | np.ndarray | np.generic | float | int
    given = [grad_outputs] if grad_outputs is None or isinstance(grad_outputs, one) else list(grad_outputs)
    seeds = [None] * len(ys) if grad_outputs is None else given
    if len(seeds) != len(ys):
        raise ShapeError(f"autograd.grad: {len(ys)} outputs and {len(seeds)} grad_outputs; give one for each")
    for i, x in enumerate(xs):
        if not isinstance(x, Tensor) or x._node is None:
            raise GradientError(f"autograd.grad: input {i} does not require a gradient")
    tracked = [
        (y, g) for y, g in zip(ys, seeds, strict=True) if isinstance(y, Tensor) and y._node is not None
    ]
    if any(isinstance(y, Inside) for y in ys):
        raise NoGraphError(
            "autograd.grad: an output belongs to an open tg.vmap or tg.jvp; inside of one use tg.grad(f), or compute "
            "the gradient of what it returns"
        )
    if not tracked:
        raise NoGraphError(
            "autograd.grad: no output was recorded; mark an input by requires_grad=True, and compute outside of tg.no_grad()"
        )
    retain = create_graph if retain_graph is None else retain_graph
    found, _ = pull(
        [y for y, _ in tracked],
        [seed_for(y, g) for y, g in tracked],
        frozenset([x._node for x in xs]),
        retain=retain,
        create=create_graph,
    )
    if not allow_unused and (unused := [i for i, x in enumerate(xs) if x._node not in found]):
        inside = "; inside of a transformation use tg.grad(f)" if ys[0].level else ""
        raise GradientError(
            f"autograd.grad: no output depends on input {unused[0]} {xs[unused[0]].shape}; pass allow_unused=True to "
            f"get None for it{inside}"
        )
    return tuple([_as_tensor(found[x._node], x) if x._node in found else None for x in xs])


# ---- the two ways to run


def differentiate(
    name: str, f: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool, args: Any, kwargs: Any
) -> tuple[Any, Any, Any]:
    """The value of ``f``, what it returned besides, and the gradient in the structure of the arguments.

    Errors speak of the transformation ``name``.
    """
    positions = positions_of(name, argnums, args)
    leaves, tree = flatten(tuple([args[i] for i in positions]))
    for number, leaf in enumerate(leaves):
        check_differentiable(name, "argument ", leaf, tree, number)
    recording = is_grad_enabled()
    if open_levels():
        with new_level() as level:
            y, aux, found = _by_level(name, f, args, kwargs, positions, leaves, tree, has_aux, level)
    else:
        with enable_grad():
            y, aux, found = _on_one_tape(name, f, args, kwargs, positions, leaves, tree, has_aux, recording)
    result = unflatten(tree, found)
    gradients = result[0] if isinstance(argnums, int) else result
    return y, aux, gradients


def _on_one_tape(
    name: str,
    f: Any,
    args: Any,
    kwargs: Any,
    positions: Any,
    leaves: list[Any],
    tree: Any,
    has_aux: bool,
    recording: bool,
) -> tuple[Any, Any, list[Any]]:
    """With no other transformation open, everything is on one tape, and nodes tell variables apart.

    A captured tensor that requires a gradient, or an argument that has a history, means that the
    gradient will be differentiated in turn: then the backward pass is recorded.
    """
    variables, own, outer = [], [], False
    for leaf in leaves:
        if isinstance(leaf, Tensor) and leaf._node is not None:
            variables.append(ops.positive(leaf))
            outer = True
        else:
            data = leaf._d if isinstance(leaf, Tensor) else as_data(leaf, copy=True)
            own.append(Leaf(data.shape, data.dtype))
            variables.append(wrap(data, own[-1]))
    ends = [v._node for v in variables]  # taken now: the function may write to its arguments
    y, aux = _call(name, f, args, kwargs, positions, variables, tree, has_aux)
    for leaf in own:
        leaf.closed = tick()
    plain = not any(isinstance(leaf, Tensor) or type(leaf) in (int, float, complex) for leaf in leaves)
    if not isinstance(y, Tensor) or y._node is None:
        zeros = [zero_like(v) for v in variables]
        return (
            hand_out(y, plain),
            hand_out_all(aux, plain),
            zeros if plain else [wrap(z, None) for z in zeros],
        )
    mine = frozenset(ends)
    collected = collect([y._node])
    outer = recording and (outer or not all(map(is_closed, collected[1] - mine)))
    found, _ = pull([y], [seed_for(y, None)], mine, retain=True, create=outer, collected=collected)
    results = []
    for v, end in zip(variables, ends, strict=True):
        g = found.get(end)
        g = zero_like(v) if g is None else settle(g, v.dtype)
        results.append(
            g if isinstance(g, Tensor) else private(g) if plain and not outer else wrap(private(g), None)
        )
    if outer:
        return y, aux, results
    return hand_out(y, plain), hand_out_all(aux, plain), results


def _by_level(
    name: str,
    f: Any,
    args: Any,
    kwargs: Any,
    positions: Any,
    leaves: list[Any],
    tree: Any,
    has_aux: bool,
    level: int,
) -> tuple[Any, Any, list[Any]]:
    """Inside another transformation the variables stand above it, so that it cannot mix them up."""
    data = [leaf if isinstance(leaf, Value) else as_data(leaf, copy=True) for leaf in leaves]
    # Under no_grad only this level is recorded, and not in a no_grad of the function's own.
    variables = [Over(d, Leaf(d.shape, d.dtype), level, always=recorded_here()) for d in data]
    ends = [v._node for v in variables]  # taken now: the function may write to its arguments
    y, aux = _call(name, f, args, kwargs, positions, variables, tree, has_aux)
    if not isinstance(y, Over) or y.level != level or y._node is None:
        lower = y._d if isinstance(y, Over) and y.level == level else y
        return lower, lowered(aux, level), [zero_like(d) for d in data]
    found, _ = pull([y], [seed_for(y, None)], frozenset(ends), retain=True)
    results = []
    for v, end in zip(variables, ends, strict=True):
        g = found.get(end)
        results.append(zero_like(v) if g is None else settle(g, v.dtype))
    return y._d, lowered(aux, level), results


def _call(
    name: str, f: Any, args: Any, kwargs: Any, positions: Any, variables: list[Any], tree: Any, has_aux: bool
) -> tuple[Any, Any]:
    replaced = list(args)
    for i, argument in zip(positions, unflatten(tree, variables), strict=True):
        replaced[i] = argument
    y, aux = result_and_aux(name, f(*replaced, **kwargs), has_aux, "number")
    shape = getattr(y, "shape", None if not isinstance(y, int | float) else ())
    if shape is None or math.prod(shape) != 1:
        what = f"shape {shape}" if shape is not None else type(y).__name__
        way_out = (
            ", and has_aux=True hands on what is returned beside it: (number, aux)"
            if isinstance(y, tuple)
            else f", reduce it by .sum() or .mean(){_OF_MANY.get(name, '')}"
        )
        raise ShapeError(f"{name}: the function returned {what}; one number is needed{way_out}")
    if isinstance(y, Value) and y.dtype.kind == "c":
        raise DtypeError(
            f"{name}: the function returned a complex number; take its real part or absolute value"
        )
    return y, aux


def check_function(name: str, f: Any, argnums: Any = 0) -> None:
    """Raise unless ``f`` is a function and ``argnums`` may be positions: ``grad(f, x)`` is neither JAX nor this."""
    if not callable(f):
        raise DtypeError(
            f"{name}: the first argument is the function to transform, and not what it returns; {type(f).__name__} given"
        )
    if not all(isinstance(i, int) for i in (argnums if isinstance(argnums, Sequence) else (argnums,))):
        shown = f"{argnums!r}" if isinstance(argnums, str) else f"a {type(argnums).__name__}"
        raise GradientError(
            f"{name}: argnums is {shown}; a position, or several, is needed. The arguments of the function come after: "
            f"tg.{name}(f)(x)"
        )


def result_and_aux(name: str, result: Any, has_aux: bool, what: str = "result") -> tuple[Any, Any]:
    """What the function returned, apart."""
    if has_aux and not (isinstance(result, tuple) and len(result) == 2):
        raise GradientError(f"{name}: with has_aux=True the function must return ({what}, aux)")
    y, aux = result if has_aux else (result, None)
    if y is None:
        raise ShapeError(f"{name}: the function returned None; does it lack a return?")
    return y, aux


def positions_of(name: str, argnums: int | Sequence[int], args: Sequence[Any]) -> tuple[int, ...]:
    """The positions that ``argnums`` names, counted from the first of ``args``."""
    positions = tuple(argnums) if isinstance(argnums, Sequence) else (argnums,)
    if wrong := [i for i in positions if not -len(args) <= i < len(args)]:
        raise GradientError(
            f"{name}: argnums names argument {wrong[0]}, but {len(args)} were given by position; what is given by keyword "
            "is not differentiated"
        )
    positions = tuple([i % len(args) for i in positions])
    if len(set(positions)) != len(positions):
        raise GradientError(f"{name}: argnums {argnums} names an argument twice")
    return positions


def check_differentiable(
    name: str, what: str, leaf: Any, tree: Tree, number: int, way_out: str = "Choose others by argnums"
) -> None:
    """Raise unless a leaf of the arguments is of a kind that has derivatives."""
    dtype = getattr(leaf, "dtype", None)
    if dtype is None:
        if isinstance(leaf, bool | int) or not isinstance(leaf, float | complex):
            shown = (
                f"{leaf!r} ({type(leaf).__name__})"
                if isinstance(leaf, int | str)
                else f"a {type(leaf).__name__}"
            )
            if type(leaf) is int:
                way_out = f"Write {leaf}.0. {way_out}"
            elif hasattr(leaf, "named_parameters"):
                way_out = "Differentiate by its weights: lambda w, x: tg.nn.functional_call(model, w, x)"
            elif isinstance(leaf, Iterator):
                way_out = "Make a list of it"
            raise DtypeError(
                f"{name}: {what}{tree.paths()[number]} is {shown}; floats, arrays and tensors can be differentiated. "
                f"{way_out}"
            )
    elif dtype.kind not in "fc":
        raise DtypeError(
            f"{name}: {what}{tree.paths()[number]} has dtype {dtype}; only floating and complex ones have gradients"
        )


def private(g: Any) -> Any:
    """A copy of an array that somebody else may hold."""
    return np.array(g, order="C") if type(g) is np.ndarray else g


def hand_out(y: Any, plain: bool) -> Any:
    """A result without the graph that was only made for the gradient; an array, if the arguments were arrays."""
    if not isinstance(y, Tensor) or y.level:
        return y
    return private(y._d) if plain else y.detach()


def hand_out_all(aux: Any, plain: bool) -> Any:
    """The same for each leaf of a container."""
    return map_leaves(lambda one: hand_out(one, plain), aux)


def _as_tensor(g: Any, x: Tensor) -> Tensor:
    g = settle(g, x.dtype)
    if isinstance(g, Tensor) and g.level == x.level:
        return g
    return Over(g, None, x.level) if x.level else wrap(private(g), None)


def lowered(aux: Any, level: int) -> Any:
    """What stands below the tensors of a level that is about to end."""
    leaves, tree = flatten(aux)
    return unflatten(
        tree, [one._d if isinstance(one, Over) and one.level == level else one for one in leaves]
    )
