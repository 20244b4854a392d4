"""A function near one point, as a linear program that runs without the function.

The function runs once on dual numbers. Their tangents are `Slot` values, which compute with zeros, so that
shapes and dtypes are known, and note each op that is applied to them: the card, its parameters, and for
each input the slot or the constant that stood there. What the result needs of these notes is the program;
to call it is to apply the same ops to other tangents, of whatever kind these are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops
from .._array import check_become
from .._data import as_data, zero_like
from .._errors import GradientError, MutatedError, ShapeError, TraceError
from .._levels import new_level
from .._primitive import Primitive, Value
from .._specialise import ARRAYS
from .._tape import Leaf, tick
from .._tensor import Tensor, fresh, watched
from .._tree import Tree, flatten, map_leaves, unflatten
from .grad import CLOSE_OVER, check_differentiable, check_function, private, result_and_aux
from .inside import Inside
from .jvp import Dual, apply
from .like import Like
from .vjp import frozen, vjp


def linearize(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of ``f``, and its derivative at ``primals`` as a linear function that does not run ``f`` again.

    Args:
        f: takes arrays or tensors, or nested containers of them, and returns such.
        primals: its arguments, the point.
        has_aux: ``f`` returns ``(result, aux)``; ``aux`` is handed on and not differentiated.

    Returns:
        ``(y, f_jvp)``, with ``has_aux`` ``(y, f_jvp, aux)``. ``f_jvp(*tangents)`` takes a direction for each
        argument, of its structure, shapes and dtypes, and returns the tangent of ``y``, the same as
        `jvp` at this point. ``f_jvp.transpose(cotangent)`` is the other way, as of `vjp`; ``print(f_jvp)``
        shows the program. It keeps the values that its ops need, and nothing else of ``f``.

    Raises:
        ShapeError: a tangent does not have the structure or shape of its primal.
        DtypeError: a primal has no derivative, such as integers.
        MutatedError: a tensor that ``f`` used was written to before ``f_jvp`` was called.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> y, f_jvp = tg.linearize(lambda x: tg.sin(x) * 2, np.array([0.0, 1.0]))
        >>> f_jvp(np.array([1.0, 0.0]))
        array([2., 0.])
        >>> print(f_jvp)
        linear function with 2 equations: float64[2] -> float64[2]
          t1 = multiply(t0, float64[2])
          t2 = multiply(t1, 2)
          return t2

    Source:
        Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; Frostig, Johnson, Maclaurin, Paszke and Radul,
        Decomposing reverse-mode automatic differentiation, 2021.
    """
    check_function("linearize", f)
    leaves, tree = flatten(primals)
    for number, leaf in enumerate(leaves):
        check_differentiable("linearize", "primal ", leaf, tree, number, CLOSE_OVER)
    data = [frozen(leaf) if isinstance(leaf, Value) else as_data(leaf, copy=True) for leaf in leaves]
    notes = Notes(len(data))
    with new_level() as below, new_level() as level:
        slots = [Slot(zero_like(d), i, notes, below) for i, d in enumerate(data)]
        duals = [Dual(watched(d), slot, level) for d, slot in zip(data, slots, strict=True)]
        y, aux = result_and_aux("linearize", f(*unflatten(tree, duals)), has_aux)
        outputs, y_tree = flatten(y)
        pairs = [_parts(leaf, level, below) for leaf in outputs]
        aux = map_leaves(lambda leaf: _parts(leaf, level, below)[0], aux)
    values = [value for value, _ in pairs]
    program = Linear(
        Like("linearize", "the tangent", "the primal", tree, data),
        notes,
        y_tree,
        [place for _, place in pairs],
        values,
    )
    y = unflatten(y_tree, [private(value) if type(value) in ARRAYS else value for value in values])
    return (y, program, aux) if has_aux else (y, program)


class Equation:
    """One op of a linear program.

    Attributes:
        card: of the op.
        params: its parameters, by name.
        slots: the places of the inputs, None where a constant stands.
        constants: what stands there, None at the places.
        results: the places of the results.
        free: the places that nobody reads after this.
    """

    __slots__ = ("card", "constants", "free", "params", "results", "slots")

    def __init__(
        self,
        card: Primitive,
        slots: tuple[int | None, ...],
        constants: tuple[Any, ...],
        params: dict[str, Any],
        results: tuple[int, ...],
    ) -> None:
        self.card, self.slots, self.constants, self.params, self.results = (
            card,
            slots,
            constants,
            params,
            results,
        )
        self.free: tuple[int, ...] = ()

    def __str__(self) -> str:
        given = [
            f"t{slot}" if slot is not None else _shown(constant)
            for slot, constant in zip(self.slots, self.constants, strict=True)
        ]
        given += [f"{name}={value!r}" for name, value in self.params.items()]
        return f"{', '.join(f't{place}' for place in self.results)} = {self.card.name}({', '.join(given)})"


class Notes:
    """The equations so far, and how many places there are."""

    def __init__(self, size: int) -> None:
        self.equations: list[Equation] = []
        self.size = size


class Linear:
    """A linear function as a list of equations; what `linearize` returns.

    Attributes:
        equations: the ops, in the order in which they run.
    """

    def __init__(
        self, tangents: Like, notes: Notes, tree: Tree, places: list[int | None], values: list[Any]
    ) -> None:
        self._tangents = tangents
        self._tree = tree
        self._zeros = [zero_like(value) if hasattr(value, "dtype") else 0.0 for value in values]
        self._tensors = [isinstance(value, Tensor) and not value.level for value in values]
        self._result = Like("linearize", "the cotangent", "the result", tree, values)
        self._made = tick()
        self.equations, self._outputs = _needed(notes.equations, places, len(tangents.layouts))
        self._held = _hold(self.equations)
        self._pull: Any = None

    def __call__(self, *tangents: Any) -> Any:
        """The tangent of the result for a direction of each argument."""
        if (count := len(self._tangents.tree.children)) != len(tangents):
            raise ShapeError(
                f"linearize: {len(tangents)} tangents were given for {count} arguments; give one for each, zeros where "
                "an argument stays"
            )
        if any(leaf.seq > self._made for leaf in self._held):
            raise MutatedError(
                "linearize: a tensor that the function used was written to after it ran, so the tangent would be wrong; "
                "call f_jvp before the update, or linearize again after it"
            )
        env: dict[int, Any] = dict(enumerate(self._tangents.leaves_of(tangents)))
        for equation in self.equations:
            args = [
                constant if slot is None else env[slot]
                for slot, constant in zip(equation.slots, equation.constants, strict=True)
            ]
            y = equation.card.op(*args, **equation.params)
            if equation.card.several:
                env.update(zip(equation.results, y, strict=True))
            else:
                env[equation.results[0]] = y
            del args, y
            for place in equation.free:
                del env[place]
        found = [
            zero if place is None else env[place]
            for place, zero in zip(self._outputs, self._zeros, strict=True)
        ]
        return unflatten(self._tree, [_out(t, lift) for t, lift in zip(found, self._tensors, strict=True)])

    def transpose(self, cotangent: Any) -> tuple[Any, ...]:
        """For a cotangent of the result one gradient for each argument, as ``pull`` of `vjp`."""
        if self._pull is None:
            zeros = [
                fresh(np.zeros(*layout)) if any(self._tensors) else np.zeros(*layout)
                for layout in self._tangents.layouts
            ]
            self._pull = vjp(self, *unflatten(self._tangents.tree, zeros))[1]
        return self._pull(cotangent)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<linear function with {self._count}: {self._tangents} -> {self._result}>"

    def __str__(self) -> str:
        outputs = ", ".join("0" if place is None else f"t{place}" for place in self._outputs)
        return "\n  ".join([repr(self)[1:-1], *map(str, self.equations), f"return {outputs}"])

    @property
    def _count(self) -> str:
        return f"{len(self.equations)} equation{'s' * (len(self.equations) != 1)}"


class Slot(Inside):
    """A tangent that is not known yet: zeros that note what is computed from them."""

    __slots__ = ("level", "notes", "place", "value")
    level: float

    def __init__(self, value: Any, place: int, notes: Notes, level: float) -> None:
        self.value = value
        self.place = place
        self.notes = notes
        self.level = level

    @property
    def under(self) -> Any:
        """The zeros."""
        return self.value

    def __repr__(self) -> str:
        return f"Slot({self.place}, {self.value.dtype}{list(self.value.shape)}, level={self.level:g})"

    def __bool__(self) -> bool:
        raise TraceError(
            "linearize: a tangent was asked whether it is true, and it is not known yet; a rule of tg.custom_jvp must "
            "be linear in its tangents, without if"
        )

    def _become(self, new: Any, how: str) -> Slot:
        check_become(self, new, how)
        if not (isinstance(new, Slot) and new.level == self.level):
            new = ops.add(ops.multiply(self, 0.0), new)
        self.value, self.place = new.value, new.place
        return self

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
        """Apply an op to values of this level, and note it."""
        mine = [isinstance(arg, Slot) and arg.level == self.level for arg in args]
        data = [arg.value if own else arg for arg, own in zip(args, mine, strict=True)]
        # 0 times an infinite derivative says nothing about the tangents to come.
        with np.errstate(all="ignore"):
            y = apply(primitive, data, params)
        results = y if primitive.several else (y,)
        places = tuple(range(self.notes.size, self.notes.size + len(results)))
        self.notes.size += len(results)
        self.notes.equations.append(
            Equation(
                primitive,
                tuple([arg.place if own else None for arg, own in zip(args, mine, strict=True)]),
                tuple([None if own else arg for arg, own in zip(args, mine, strict=True)]),
                dict(zip(primitive.params, params, strict=True)),
                places,
            )
        )
        made = [
            Slot(part, place, self.notes, self.level) for part, place in zip(results, places, strict=True)
        ]
        return tuple(made) if primitive.several else made[0]


# ---- parts


def _parts(leaf: Any, level: float, below: float) -> tuple[Any, int | None]:
    """The value of a leaf of the result, and the place of its tangent, None for zero."""
    if not (isinstance(leaf, Dual) and leaf.level == level):
        return (leaf if isinstance(leaf, Value) else as_data(leaf)), None
    primal, tangent = leaf.primal, leaf.tangent
    if isinstance(tangent, Slot) and tangent.level == below:
        return primal, tangent.place
    if not isinstance(tangent, Value) and np.any(tangent):
        raise GradientError(
            "linearize: the tangent of the result does not depend on those of the arguments and is not zero; a rule of "
            "tg.custom_jvp must be linear in its tangents"
        )
    return primal, None


def _needed(
    equations: list[Equation], outputs: Sequence[int | None], inputs: int
) -> tuple[list[Equation], list[int | None]]:
    """The equations that lead to the outputs, places counted anew; each says what nobody reads after it."""
    alive = {place for place in outputs if place is not None}
    kept = []
    for equation in reversed(equations):
        if alive.isdisjoint(equation.results):
            continue
        read = {slot for slot in equation.slots if slot is not None}
        unread = [place for place in equation.results if place not in alive]
        equation.free = (*(read - alive), *unread)
        alive |= read
        kept.append(equation)
    kept.reverse()
    old = [*range(inputs), *(place for equation in kept for place in equation.results)]
    new: dict[int | None, Any] = {None: None, **{place: i for i, place in enumerate(old)}}
    for equation in kept:
        equation.slots = tuple([new[slot] for slot in equation.slots])
        equation.results = tuple([new[place] for place in equation.results])
        equation.free = tuple(sorted([new[place] for place in equation.free]))
    return kept, [new[place] for place in outputs]


def _hold(equations: Sequence[Equation]) -> set[Leaf]:
    """Keep the constants as they are now, whatever is written to them; the leaves among them."""
    leaves: set[Leaf] = set()
    copies: dict[int, Any] = {}  # by identity: the equations hold the first of each until the end
    originals = []

    def held(value: Any) -> Any:
        if type(value) is not np.ndarray and not isinstance(value, Value):
            return value
        if id(value) not in copies:
            node = getattr(value, "_node", None)
            if type(node) is Leaf:
                leaves.add(node)
            copies[id(value)] = frozen(value) if isinstance(value, Value) else value.copy()
            originals.append(value)
        return copies[id(value)]

    for equation in equations:
        equation.constants = tuple([held(constant) for constant in equation.constants])
    return leaves


def _out(t: Any, lift: bool) -> Any:
    if type(t) not in ARRAYS:
        return t
    return fresh(private(t)) if lift else private(t)


def _shown(constant: Any) -> str:
    if constant is None or not hasattr(constant, "dtype"):
        return repr(constant)
    if constant.shape == () and not isinstance(constant, Value):
        return f"{constant:.6g}"
    return f"{constant.dtype}{list(constant.shape)}"
