"""Functions of tensors as subjects, and the ops that they apply as subjects of their own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops
from .._config import enable_grad, no_grad
from .._errors import DtypeError, LoopWarning
from .._primitive import Primitive, Value
from .._specialise import plain
from .._tape import Parts
from .._tensor import Tensor, asarray, tensor
from .._tree import Tree, flatten, unflatten
from .._watch import Watcher, watching
from .._where import user_position
from ..autograd import grad as gradients
from ..transforms import grad, jvp, vmap
from .subject import Arrays, Pullback, Step, Subject, argument_names

NARROW = ("float16", "float32", "float64", "complex64", "complex128")


class Recorded(Subject):
    """A function of tensors, its derivative recorded by the library.

    Args:
        call: takes a list of tensors and returns what the function returns for them.
        name: of the function.
        names: of its inputs.
    """

    def __init__(self, call: Callable[[Sequence[Any]], Any], name: str, names: Sequence[str]) -> None:
        self.call = call
        self.name = name
        self.names = tuple(names)

    @classmethod
    def of(cls, f: Callable[..., Any], inputs: Any) -> tuple[Recorded, list[Any]]:
        """The subject of ``f``, and its inputs as arrays.

        Where some inputs are tensors that require a gradient and others are not, only the first are
        differentiated, and the others handed on as they are.

        Raises:
            DtypeError: an input cannot be differentiated in, or there is none.
        """
        args = tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,)
        leaves, tree = flatten(args)
        paths = [
            path
            for name, child in zip(argument_names(f, len(args)), tree.children, strict=True)
            for path in child.paths(name)
        ]
        title = getattr(f, "__name__", type(f).__name__)
        if not leaves:
            raise DtypeError(f"gradcheck: no inputs given for {title}; pass its arguments as a sequence")
        for leaf, path in zip(leaves, paths, strict=True):
            if isinstance(leaf, Value) and not isinstance(leaf, Tensor):
                raise DtypeError(
                    f"gradcheck: input {path} belongs to an open transformation; check outside of it"
                )
        chosen = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.requires_grad]
        chosen = chosen or list(range(len(leaves)))
        arrays = [_floating_input(leaves[i], paths[i]) for i in chosen]
        subject = cls(_caller(f, tree, leaves, chosen), title, [paths[i] for i in chosen])
        subject.analytic = subject.accepts_complex(*arrays)
        # What is made of several ops may be meant for one shape only; an op answers for all that it takes.
        subject.single = subject.general = len(subject._cards(*arrays)) == 1
        return subject, arrays

    def results(self, *arrays: Any) -> list[Any]:
        """The floating results."""
        return [_raw(y) for y in self._floating([_leaf(a) for a in arrays])]

    def pullback(self, *arrays: Any) -> tuple[list[Any], Pullback]:
        """The floating results, and a backward pass through what was recorded."""
        with enable_grad():
            variables = [_leaf(a).requires_grad_() for a in arrays]
            ys = self._floating(variables)
        tracked = [i for i, y in enumerate(ys) if isinstance(y, Tensor) and y.requires_grad]

        def pull(cotangents: Sequence[Any]) -> list[Any]:
            used = [i for i in tracked if cotangents[i] is not None]
            if not used:
                return [None] * len(variables)
            found = gradients(
                [ys[i] for i in used],
                variables,
                [tensor(cotangents[i]) for i in used],
                retain_graph=True,
                allow_unused=True,
            )
            return [None if g is None else g._d for g in found]

        return [_raw(y) for y in ys], pull

    def pushforward(self, arrays: Arrays, tangents: Arrays) -> list[Any] | None:
        """The tangents by `tensorgrad.jvp`."""
        _, found = jvp(
            lambda *xs: tuple(self._floating(xs)),
            tuple([tensor(a) for a in arrays]),
            tuple([tensor(t) for t in tangents]),
        )
        return [_raw(t) for t in found]

    def batched(self, stacks: Arrays, cotangents: Arrays) -> tuple[list[Any], list[Any]] | None:
        """Results and gradients by `tensorgrad.vmap`."""
        n = len(stacks)

        def both(*values: Any) -> tuple[Any, ...]:
            xs, vs = values[:n], values[n:]
            return (*self._floating(xs), *_gradients_inside(self._floating, xs, vs))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LoopWarning)  # right is all that is asked here
            found = vmap(both)(*[tensor(s) for s in (*stacks, *cotangents)])
        parts = [_raw(y) for y in found]
        return parts[: len(parts) - n], parts[len(parts) - n :]

    def accumulated(self, arrays: Arrays, cotangents: Arrays) -> list[Any] | None:
        """Gradients where each input is used twice, half of the weight on each use."""
        with enable_grad():
            variables = [tensor(a, requires_grad=True) for a in arrays]
            total = inner(
                [tensor(v) for v in (*cotangents, *cotangents)],
                [*self._floating(variables), *self._floating(variables)],
            )
        if not (isinstance(total, Tensor) and total.requires_grad):
            return None
        found = gradients(total, variables, allow_unused=True)
        return [None if g is None else g._d / 2 for g in found]

    def derived(self, results: int) -> Subject | None:
        """From inputs and cotangents to gradients."""
        n = len(self.names)
        upstream = ["g"] if results == 1 else [f"g[{i}]" for i in range(results)]

        def gradient(values: Sequence[Any]) -> Any:
            return _gradients_inside(self._floating, values[:n], values[n:])

        return Recorded(gradient, f"gradient of {self.name}", [*self.names, *upstream])

    def steps(self, *arrays: Any) -> list[Step]:
        """The ops on the way from the inputs to the results."""
        return self.record(*arrays).steps

    def ends(self, *arrays: Any) -> list[str]:
        """Ops without a derivative on the way, and places where a value leaves the library."""
        record = self.record(*arrays)
        return [f"no gradient passes {one}" for one in dict.fromkeys((*record.blocked, *record.left))]

    def record(self, *arrays: Any) -> _Record:
        """Run the function and write down which ops it applied to what."""
        record = _Record()
        with enable_grad():
            variables = [tensor(a, requires_grad=True) for a in arrays]
        for one in variables:
            record.follow(one)
        with np.errstate(all="ignore"), enable_grad(), watching(record):
            self.call(variables)
        return record

    def accepts_complex(self, *arrays: Any) -> bool:
        """Whether every op on the way is complex-differentiable by its card."""
        cards = self._cards(*arrays)
        if any(np.asarray(a).dtype.kind == "c" for a in arrays) or not cards:
            return False
        if not all(card.analytic for card in cards):
            return False
        try:
            with np.errstate(all="ignore"):
                self.results(*[np.asarray(a).astype(np.complex128) for a in arrays])
        except Exception:
            return False
        return True

    def _cards(self, *arrays: Any) -> list[Primitive]:
        """The cards of the ops on the way; none if a value leaves the library."""
        try:
            record = self.record(*arrays)
        except Exception:
            return []  # it will be reported where the function is evaluated
        return [] if record.left else record.cards

    def _floating(self, values: Sequence[Any]) -> list[Any]:
        leaves, _ = flatten(self.call(values))
        return [y for y in leaves if np.dtype(getattr(y, "dtype", type(y))).kind in "fc"]


class Applied(Recorded):
    """One op, as it was applied: a function of those arguments that depend on the inputs."""

    single = True

    def __init__(
        self, card: Primitive, args: Sequence[Any], params: tuple[Any, ...], positions: Sequence[int]
    ) -> None:
        named = dict(zip(card.params, params, strict=True))

        def call(values: Sequence[Any]) -> Any:
            full = list(args)
            for i, value in zip(positions, values, strict=True):
                full[i] = value
            return card.op(*full, **named)

        many = len(args) > len(card.inputs)
        names = [card.input_of(i) + (f"[{i}]" if many else "") for i in positions]
        super().__init__(call, card.name, names)
        self.card, self.params, self.positions = card, named, tuple(positions)
        self.analytic = card.analytic

    def pullback(self, *arrays: Any) -> tuple[list[Any], Pullback]:
        """The results, and the card's own pullback.

        Nothing comes between: what the formulas return is not cast, and what they are given cannot be
        written to. Where an argument was cast first, the node is not the card's, and backward is run.
        """
        with enable_grad():
            variables = [tensor(a, requires_grad=True) for a in arrays]
            ys = self._floating(variables)
        ends: dict[int, Any] = {
            i: y._node for i, y in enumerate(ys) if isinstance(y, Tensor) and y._node is not None
        }
        index = {i: n.saved[0] if self.card.several else 0 for i, n in ends.items() if n.saved}
        nodes = {n.edges[0] if self.card.several else n for n in ends.values()}
        node: Any = nodes.pop() if len(nodes) == 1 else None
        if getattr(node, "prim", None) is not self.card:
            return super().pullback(*arrays)
        for held in (*[one._d for one in (*variables, *ys)], *node.saved):
            _protect(held)

        def pull(cotangents: Sequence[Any]) -> list[Any]:
            given = {i: _protect(np.array(cotangents[i])) for i in ends if cotangents[i] is not None}
            if not given:
                return [None] * len(arrays)
            g = Parts({index[i]: v for i, v in given.items()}) if self.card.several else plain(given[0])
            with no_grad():
                found = node.prim.pullback(g, node.edges, node.saved, node.shape)
            return [_fitted(found[i], a) for i, a in zip(self.positions, arrays, strict=True)]

        return [_raw(y) for y in ys], pull


class _Record(Watcher):
    """Writes down the ops on values that depend on the inputs."""

    def __init__(self) -> None:
        self.cards: list[Primitive] = []
        self.steps: list[Step] = []
        self.blocked: list[str] = []
        self.left: list[str] = []
        self._followed: set[int] = set()
        self._held: list[Any] = []

    def follow(self, value: Any) -> None:
        """Take a value for one that depends on the inputs."""
        self._followed.add(id(value._d))
        self._held.append(value._d)

    def op(
        self, card: Primitive, args: tuple[Any, ...], params: tuple[Any, ...], result: Any, seconds: float
    ) -> None:
        """Write an op down, if an argument depends on the inputs."""
        # What has no axes is a NumPy scalar, known by its identity only before it becomes an array.
        moved = [i for i, arg in enumerate(args) if id(getattr(arg, "_d", arg)) in self._followed]
        data = [_raw(arg) for arg in args]
        if not moved:
            return
        for part in result if isinstance(result, tuple) else (result,):
            if isinstance(part, Tensor):
                self.follow(part)
        self.cards.append(card)
        where = user_position()
        positions = [i for i in moved if card.formula_for(i) is not None and data[i].dtype.kind in "fc"]
        if positions:
            # Arrays are copied: the function may write to them later.
            kept = [np.array(d) if isinstance(d, np.ndarray) else d for d in data]
            step = Applied(card, kept, params, positions)
            self.steps.append(Step(step, tuple([kept[i] for i in positions]), where))
        elif any(data[i].dtype.kind in "fc" for i in moved):
            self.blocked.append(f"{card.name}, called at {where}")

    def leave(self, value: Any, how: str) -> None:
        """Note where a value that depends on the inputs left the library."""
        if id(value._d) in self._followed:
            self.left.append(f"{how} at {user_position()}")


# ---- helpers


def inner(us: Sequence[Any], ys: Sequence[Any]) -> Any:
    """The real inner product of lists of values, ``Re(sum(conj(u) * y))``."""
    total: Any = 0.0
    for u, y in zip(us, ys, strict=True):
        product = u * y if y.dtype.kind == "f" else ops.real(ops.conjugate(u) * y)
        total = total + ops.sum(product)
    return total


def _caller(
    f: Callable[..., Any], tree: Tree, leaves: Sequence[Any], chosen: Sequence[int]
) -> Callable[[Sequence[Any]], Any]:
    def call(values: Sequence[Any]) -> Any:
        full = list(leaves)
        for i, value in zip(chosen, values, strict=True):
            full[i] = value
        return f(*unflatten(tree, full))

    return call


def _floating_input(leaf: Any, path: str) -> Any:
    value = leaf._d if isinstance(leaf, Tensor) else leaf
    array = np.array(value, np.float64 if type(value) is float else None)
    if array.dtype.name not in NARROW:
        raise DtypeError(
            f"gradcheck: input {path} is {array.dtype}; each input is differentiated, so it must be floating "
            "or complex. Bind others beforehand: gradcheck(lambda x: f(x, index), [x])"
        )
    return array


def _gradients_inside(
    floating: Callable[[Sequence[Any]], list[Any]], xs: Sequence[Any], vs: Sequence[Any]
) -> tuple[Any, ...]:
    """Gradients of the results times cotangents, at tensors of any level, differentiable again."""
    n = len(xs)
    pull = grad(lambda *zs: inner(zs[n:], floating(zs[:n])), argnums=tuple(range(n)))
    return tuple(pull(*xs, *vs))


def _protect(a: Any) -> Any:
    """The array, or each of a tuple, safe from being written to; NumPy's scalars are."""
    if isinstance(a, np.ndarray):
        a.flags.writeable = False
    elif isinstance(a, tuple):
        for one in a:
            _protect(one)
    return a


def _fitted(c: Any, a: Any) -> Any:
    """A cotangent as the engine hands it on: real for a real input; a wider dtype is cast, a narrower one kept."""
    if c is None:
        return None
    c = np.asarray(c)
    if c.dtype.kind == "c" and a.dtype.kind != "c":
        c = c.real
    return c.astype(a.dtype) if c.dtype.itemsize > a.dtype.itemsize else c


def _leaf(a: Any) -> Any:
    """A tensor of an array; one that is not contiguous keeps its strides."""
    shared = isinstance(a, np.ndarray) and a.ndim > 0 and not a.flags.c_contiguous and a.flags.writeable
    return asarray(a, copy=False) if shared else tensor(a)


def _raw(y: Any) -> Any:
    return np.asarray(y._d if isinstance(y, Tensor) else y)
