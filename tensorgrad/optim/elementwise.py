"""The updates that work element by element, run over all parameters at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from .._errors import DtypeError, ShapeError
from .._specialise import plain
from .._tape import Leaf, tick
from .._tensor import Tensor, tensor
from .arena import Arena, Array, Slot, Status
from .optimizer import Closure, Group, Optimizer, copied, fitted

BLOCK = 1 << 16
"""So many elements of a large update are taken at a time, so that they stay in the cache between calls."""
ALONE = 1 << 17
"""A parameter with this many elements is a run of its own, which reads the gradient where it lies."""

State = Mapping[str, Array]
Update = Callable[[Array, Array, State, Sequence[Array]], None]


class Elementwise(Optimizer):
    """Base of the optimizers whose update treats each element alike.

    A subclass says which `arrays` it keeps for each parameter, with which `numbers` a parameter begins, and
    by `rule` how they change. Weight decay and ``maximize`` are applied before the rule sees the gradient:
    ``g + weight_decay * p``, or ``p * (1 - lr * weight_decay)`` where the group says
    ``decoupled_weight_decay``.

    Parameters of one dtype share an `Arena`, which they move to at their first step. A rule runs over the
    longest stretches of it whose parameters have gradients and equal numbers, so in the usual case once.
    """

    unsaved: ClassVar = Optimizer.unsaved | {"_loaded", "_places", "_work"}
    optional: ClassVar[frozenset[str]] = frozenset()
    """States that a parameter has only since an option asked for them."""

    # ---- what a subclass writes

    def arrays(self, group: Group) -> dict[str, float]:
        """The names of the states of a parameter, each with the value that fills it in the beginning."""
        return {}

    def numbers(self, group: Group) -> dict[str, float]:
        """What a parameter remembers besides its states, as it is in the beginning."""
        return {"step": 0}

    def rule(self, group: Group, numbers: dict[str, float], held: frozenset[str]) -> Update:
        """One step: move ``numbers`` on, and return what is to be done to the arrays.

        Args:
            group: the options.
            numbers: of the parameters at hand; changed in place.
            held: the states that they had before this step; the others have just been filled.

        Returns:
            A function ``update(p, g, state, work)`` of flat real arrays. It changes ``p`` and the arrays of
            ``state`` in place, leaves ``g`` alone, and may write to the three arrays of ``work``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define rule")

    # ---- a step

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters once by their gradients.

        Args:
            closure: clears the gradients, computes the loss, calls backward and returns the loss.

        Returns:
            What the closure returned, or None.
        """
        loss = self._evaluate(closure)
        runs = [(group, self._runs(self._ready(group))) for group in self.param_groups]
        with np.errstate(all="ignore"):  # what overflows shows in the parameters, and a step never warns
            for group, stretches in runs:
                for run in stretches:
                    self._advance(group, run)
        return loss

    def _ready(self, group: Group) -> list[Slot]:
        """The slots of the parameters that have gradients; new parameters get theirs."""
        places = self._places
        trained = []
        for p in group["params"]:
            node = p._node
            if type(node) is Leaf and node.grad is not None:
                trained.append(p)
        new = [p for p in trained if id(p) not in places]
        if new:
            self._place(group, new)
        slots = [places[id(p)] for p in trained]
        for slot in slots:
            if not slot.fits():
                p = slot.parameter
                raise DtypeError(
                    f"{type(self).__name__}: a parameter became {p.dtype} {p.shape} after its first step, and its "
                    f"state is {slot.arena.dtype} {slot.shape}; make the optimizer after such a conversion"
                )
        for arena in {id(slot.arena): slot.arena for slot in slots}.values():
            arena.refresh()
        return slots

    def _place(self, group: Group, parameters: list[Tensor]) -> None:
        """Move parameters into arenas, one for each dtype, with the state that was loaded for them."""
        by_dtype: dict[Any, list[Tensor]] = {}
        for p in parameters:
            by_dtype.setdefault(p.dtype, []).append(p)
        begin = Status(self.numbers(group), frozenset())
        for members in by_dtype.values():
            loaded = [self._loaded.pop(p, {}) for p in members]
            arena = Arena(members, [_status(entry) if entry else begin for entry in loaded])
            for slot, entry in zip(arena.slots, loaded, strict=True):
                self._places[id(slot.parameter)] = slot
                for name in slot.status.held:
                    slot.shaped(arena.state(name))[...] = entry[name]

    def _runs(self, slots: list[Slot]) -> Iterator[list[Slot]]:
        """Stretches of neighbours with equal status."""
        run: list[Slot] = []
        for slot in slots:
            if run:
                last = run[-1]
                if (
                    slot.arena is not last.arena
                    or slot.index != last.index + 1
                    or not slot.status.matches(last.status)
                    or max(slot.stop - slot.start, last.stop - last.start) >= ALONE
                ):
                    yield run
                    run = []
            run.append(slot)
        if run:
            yield run

    def _advance(self, group: Group, run: list[Slot]) -> None:
        """Update the parameters of one run."""
        # A schedule may have left a float64 of NumPy's, which would not be a weak number.
        group = {**group, "lr": float(group["lr"])}
        arena, status = run[0].arena, run[0].status
        low, high = run[0].start, run[-1].stop
        numbers, initial = dict(status.numbers), self.arrays(group)
        state = {name: arena.state(name)[low:high] for name in initial}
        for name in initial.keys() - status.held:
            state[name].fill(initial[name])
        update = self._with_decay(group, self.rule(group, numbers, status.held))
        p, g = arena.values[low:high], self._gradient(run)
        work = self._scratch(arena.real, min(high - low, BLOCK))
        if high - low <= BLOCK:
            update(p, g, state, work)
        else:
            for i in range(0, high - low, BLOCK):
                part = slice(i, min(i + BLOCK, high - low))
                cut = {name: values[part] for name, values in state.items()}
                update(p[part], g[part], cut, [w[: part.stop - i] for w in work])
        after = Status(numbers, status.held | initial.keys())
        for slot in run:
            slot.status = after
            slot.parameter._node.seq = tick()
            if not slot.view.ndim:
                slot.parameter._d = plain(slot.view)

    @staticmethod
    def _gradient(run: list[Slot]) -> Array:
        """The gradients of a run, side by side."""
        arena = run[0].arena
        if len(run) == 1:
            return np.ravel(run[0].parameter._node.grad._d).view(arena.real)
        for slot in run:
            np.copyto(slot.gradient, slot.parameter._node.grad._d)
        return arena.gradients[run[0].start : run[-1].stop]

    @staticmethod
    def _with_decay(group: Group, update: Update) -> Update:
        """The update of a rule, after the weight decay and with the sign that the group asks for."""
        maximize, decay = group.get("maximize", False), group.get("weight_decay", 0)
        if not maximize and not decay:
            return update
        decoupled = group.get("decoupled_weight_decay", False)

        def decayed(p: Array, g: Array, state: State, work: Sequence[Array]) -> None:
            a, changed = work[0], work[-1]
            if maximize:
                g = np.negative(g, out=changed)
            if decay and decoupled:
                p *= 1 - group["lr"] * decay
            elif decay:
                np.multiply(p, decay, out=a)
                g = np.add(g, a, out=changed)
            update(p, g, state, work)

        return decayed

    def _scratch(self, dtype: np.dtype[Any], size: int) -> list[Array]:
        """Arrays to compute in, the same ones in each step: three for the rule, and one for the decay."""
        if (dtype, size) not in self._work:
            self._work[dtype, size] = [np.empty(size, dtype) for _ in range(4)]
        return self._work[dtype, size]

    # ---- state, as others see it

    @property
    def state(self) -> Mapping[Tensor, Mapping[str, Any]]:
        """A copy of what is kept for each parameter, by parameter; `load_state_dict` puts in another."""
        return States(self)

    def _entry(self, p: Tensor) -> dict[str, Any]:
        slot = self._places.get(id(p))
        if slot is None:
            return dict(copied(self._loaded.get(p, {})))
        arrays = {name: tensor(slot.shaped(slot.arena.states[name])) for name in sorted(slot.status.held)}
        return {**slot.status.numbers, **arrays}

    def _taken(self, who: str, p: Tensor, group: Group, entry: Mapping[str, Any]) -> dict[str, Any]:
        numbers, needed = self.numbers(group), {*self.numbers(group), *self.arrays(group)}
        taken = {name: value for name, value in entry.items() if value is not None}
        if unknown := sorted(taken.keys() - needed - self.optional):
            raise ValueError(f"{who} has state {unknown[0]!r}, which {type(self).__name__} does not keep")
        if missing := sorted(needed - taken.keys() - self.optional):
            raise ValueError(f"{who} lacks the state {missing[0]!r}")
        for name, value in taken.items():
            array = fitted(value, p.dtype) if name not in numbers else np.asarray(value)
            shape = () if name in numbers else p.shape
            if np.shape(array) != shape:
                raise ShapeError(
                    f"{who}: the state {name!r} has shape {np.shape(array)} and must have {shape}"
                )
            taken[name] = type(numbers[name])(array.item()) if name in numbers else array
        return taken

    def _take(self, groups: list[Group], state: Any) -> None:
        self.param_groups = groups
        self._loaded: dict[Tensor, dict[str, Any]] = state
        self._places: dict[int, Slot] = {}
        self._work: dict[Any, list[Array]] = {}


class States(Mapping[Tensor, Mapping[str, Any]]):
    """The states of an optimizer by parameter; each look is a copy."""

    def __init__(self, optimizer: Elementwise) -> None:
        self._optimizer = optimizer

    def __getitem__(self, p: Tensor) -> Mapping[str, Any]:
        entry = self._optimizer._entry(p)
        if not entry:
            raise KeyError("the optimizer has no state of this parameter")
        return MappingProxyType(entry)

    def __iter__(self) -> Iterator[Tensor]:
        return iter([p for p in self._optimizer._all() if self._optimizer._entry(p)])

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _status(entry: Mapping[str, Any]) -> Status:
    """The status of a parameter whose state was loaded."""
    arrays = frozenset(name for name, value in entry.items() if isinstance(value, np.ndarray))
    return Status({name: value for name, value in entry.items() if name not in arrays}, arrays)
