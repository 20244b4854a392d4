"""Record what a block of ordinary code computes: `record`, and the `Run` that it gives.

While the block runs, each operation is written down with the code object and the instruction that called it,
the arrays and nodes that it got and made, and its time; each backward pass with the cotangents of every node.
Lines, statistics and everything else are worked out when somebody asks for the graph.
"""

from __future__ import annotations

import weakref
from bisect import bisect_left
from collections.abc import Mapping
from contextlib import AbstractContextManager
from itertools import count
from operator import attrgetter
from types import FrameType
from typing import Any

import numpy as np

from .._config import TAPE, direction, get_mode, open_scopes
from .._errors import TraceError
from .._primitive import Value
from .._record import Given
from .._tape import tick
from .._tensor import Tensor
from .._tree import flatten
from .._watch import Watcher, watching
from .._where import user_frame, variables
from .builder import Applied, Arrays, Assigned, Builder, Cut, Place, Swept, measure, without_collector
from .graph import Graph, Var
from .tape import events, label

_runs: weakref.WeakSet[Run]
_numbers = count(1).__next__
MOST_FRAMES = 10_000
_time = attrgetter("seq")


class record:
    """Record what runs in a ``with`` block, to look at it afterwards.

    Args:
        statistics: measure values and gradients (when the graph is asked for).
        values: keep all entries of arrays of at most this size in the graph.
        names: labels for tensors, as a nested container or a module: ``{"w": w}``. Tensors that variables of
            your functions hold, and the parameters of modules that are called, have those names anyway.

    Returns:
        A context that gives a `Run`. All arrays that the block computes stay alive as long as the run, so
        record a training step, not an epoch.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
        >>> with tg.record() as run:
        ...     loss = (w * w).sum()
        ...     loss.backward()
        >>> print(run.graph)
        program():
          captured %0 w: float32[2]
          %1: float32[2] = multiply(%0, %0)
          %2 loss: float32[] = sum(%1)
          return %2
        >>> run.gradients()[0]
        array([2., 4.], dtype=float32)
    """

    def __init__(self, *, statistics: bool = True, values: int = 64, names: Any = None) -> None:
        self.run = Run(statistics, values, names)
        self._watch: AbstractContextManager[None] | None = None

    def __enter__(self) -> Run:
        if self._watch is not None:
            raise TraceError("record: this recording is open already; make another, tg.record()")
        self.run._log.began = tick()
        self._watch = watching(self.run._log)
        self._watch.__enter__()
        return self.run

    def __exit__(self, *exception: Any) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.__exit__(*exception)
        self.run._close(user_frame(2))


class Run:
    """What a block computed: made by `record`, drawn by `tensorgrad.graph`, asked by `tensorgrad.why`.

    Attributes:
        number: later runs have higher ones.
    """

    def __init__(self, statistics: bool = True, values: int = 64, names: Any = None) -> None:
        self.number = _numbers()
        self._log = _Log()
        self._statistics, self._values = statistics, values
        self._names: dict[Any, str] = {}
        self._closed = False
        self._given = named(names)
        self._built: tuple[Any, Graph, Arrays, Builder] | None = None
        _runs.add(self)

    @property
    def graph(self) -> Graph:
        """All that was recorded so far, frozen."""
        return self._build()[1]

    @property
    def arrays(self) -> Mapping[int, Any]:
        """The value of each variable of `graph`, by its number."""
        return self._build()[2].values

    def gradients(self, k: int = -1) -> Mapping[int, Any]:
        """The gradients of a backward pass, by the number of the variable.

        Args:
            k: which pass, counted from 0; the last by default.

        Raises:
            TraceError: no such pass was recorded.
        """
        return self._build()[2].gradients[self._pass(k)]

    def contributions(self, k: int = -1) -> list[tuple[Any, ...]]:
        """What each step of a backward pass contributed: arrays in the order of ``graph.passes[k].steps``."""
        return self._build()[2].contributions[self._pass(k)]

    def var(self, x: Any) -> Var | None:
        """The variable that stands for the value that a tensor has now; None if the run has not seen it."""
        builder = self._build()[3]
        if not isinstance(x, Tensor):
            return None
        known = builder.of_node.get(x._node) if x._node is not None else None
        return known or builder.of_array.get(id(x._d))

    def versions(self, x: Any) -> list[Var]:
        """The variables that stand for the values that a tensor had, oldest first; a write makes a new one."""
        nodes = self._build()[3].node_of
        found = [v for v in self.graph.variables if x._node is not None and nodes.get(v.index) is x._node]
        now = self.var(x)
        return found if now is None or now in found else [*found, now]

    def node(self, var: Var) -> Any:
        """The node of the tape that a variable belongs to; None where no gradient flows."""
        return self._build()[3].node_of.get(var.index)

    @property
    def modules(self) -> tuple[Any, ...]:
        """The modules that were called, each once, and not those inside of others."""
        return tuple(dict.fromkeys(self._log.modules))

    def __repr__(self) -> str:
        operations = sum(type(event) is tuple for event in self._log.events)
        passes = len(self._log.passes)
        return (
            f"<Run of {operations} operation{'s' * (operations != 1)} and {passes} backward "
            f"pass{'es' * (passes != 1)}; tg.graph(run) draws it>"
        )

    # ---- how it is made

    def _pass(self, k: int) -> int:
        recorded = len(self._log.passes)
        if not -recorded <= k < recorded:
            raise TraceError(
                f"run: backward pass {k} was asked for and {recorded} were recorded; call backward inside the "
                "`with tg.record()` block"
            )
        return k

    def _build(self) -> tuple[Any, Graph, Arrays, Builder]:
        log = self._log
        size = (len(log.events), len(log.outside), len(log.passes), sum(len(p.nodes) for p in log.passes))
        if self._built is None or self._built[0] != size:
            here = {} if self._closed else named_locals(user_frame(3))
            names = {**log.variables(), **here, **log.parameters(), **self._names, **self._given}
            builder = Builder(names, measure(self._values) if self._statistics else None)
            with without_collector():
                for event in (*log.outside, *log.events):
                    builder.add(_applied(event) if type(event) is tuple else event)
                self._built = (size, *builder.graph(log.passes), builder)
        return self._built

    def _close(self, frame: FrameType | None) -> None:
        """The block has ended: tensors are called by the variables that hold them in its frame."""
        self._closed = True
        # A parameter's path says more than the variable of a loop that went over the parameters.
        self._names = {**self._log.variables(), **named_locals(frame), **self._log.parameters()}
        self._log.frames, self._log.frame = [], None


def runs() -> list[Run]:
    """The runs that somebody still holds, the newest first."""
    return sorted(_runs, key=lambda one: -one.number)


def run_of(x: Any) -> Run | None:
    """The newest of those that has seen a tensor."""
    return next((run for run in runs() if run.var(x) is not None), None)


def named(names: Any) -> dict[Any, str]:
    """Labels by node, or by the identity of the array, from a nested container of tensors or a module."""
    if names is None:
        return {}
    if hasattr(names, "named_parameters"):
        names = dict([*names.named_parameters(), *names.named_buffers()])
        return {key(x): path for path, x in names.items()}
    leaves, tree = flatten(names)
    return {
        key(x): label(path)
        for x, path in zip(leaves, tree.paths(), strict=True)
        if isinstance(x, Tensor) and not x.level
    }


def named_locals(frame: FrameType | None) -> dict[Any, str]:
    """The same from the variables of a frame, and the globals that it mentions; of two names the first counts."""
    found: dict[Any, str] = {}
    for name, x in variables(frame).items():
        if isinstance(x, Tensor) and not x.level:
            found.setdefault(key(x), name)
    return found


def key(x: Tensor) -> Any:
    """What a tensor's value is known by: its node, or the identity of its array."""
    return x._node if x._node is not None else id(x._d)


class _Log(Watcher):
    """Writes down, as fast as it can, what it is told."""

    light = True
    keeps = True

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.outside: list[Any] = []  # operations from before, that a backward pass came through
        self.passes: list[Swept] = []
        self.owners: set[Any] = set()  # the nodes of these
        self.began = tick()
        self.walk: Any = None  # the newest, and where its steps go; others are in `open`
        self.steps: list[Any] = []
        self.open: dict[Any, list[Any]] = {}
        self.modules: list[Any] = []
        self.frame: FrameType | None = None  # the last that called, and all: for the names of their variables
        self.frames: list[FrameType] = []

    def note(
        self, primitive: Any, data: Any, nodes: Any, params: Any, result: Any, taped: int, seconds: float
    ) -> None:
        if type(result) is Tensor:
            owner: Any = result._node
            made: Any = _data(result) if type(result._d) is np.bool_ else result._d
        else:
            made = [(_data(one), one._node) for one in result]
            owner = next((node.edges[0] for _, node in made if node is not None), None)
        frame = user_frame(4)  # of note, the twin, `process`, the entry
        if frame is not self.frame and frame is not None and len(self.frames) < MOST_FRAMES:
            self.frames.append(frame)
        self.frame = frame
        code, instruction = (None, 0) if frame is None else (frame.f_code, frame.f_lasti)
        # Flat: what a long run keeps alive, the garbage collector looks at again and again.
        self.events.append(
            (primitive, data, nodes, params, made, owner, None if owner is None else owner.saved,
             code, instruction, open_scopes(), direction(), taped, seconds)
        )  # fmt: skip

    def op(self, primitive: Any, args: Any, params: Any, result: Any, seconds: float) -> None:
        data = tuple([_data(arg) if isinstance(arg, Tensor) else Given(arg) for arg in args])
        nodes = tuple([arg._node if isinstance(arg, Tensor) else None for arg in args])
        self.note(primitive, data, nodes, params, result, get_mode() & TAPE, seconds)

    def start(self, walk: Any, roots: Any, order: Any) -> None:
        if any(isinstance(g, Value) and g.level for _, g in roots):
            return  # operations of a lower level will be shown themselves
        self.passes.append(Swept([(node, g) for node, g in roots], []))
        self.walk, self.steps = walk, self.passes[-1].nodes
        self.open[walk] = self.steps
        older = order[: bisect_left(order, self.began, key=_time)]  # than the recording
        new = [node for node in older if node not in self.owners]
        self.outside += events(new)
        self.owners.update(new)

    def backward(self, walk: Any, node: Any, cotangent: Any, results: Any, seconds: float) -> None:
        steps = self.steps if walk is self.walk else self.open.get(walk)
        if steps is not None:
            hooked = node.extra is not None and bool(node.extra.hooks)
            steps.append((node, cotangent, results, seconds, hooked))

    def assign(self, target: Any, value: Any) -> None:
        self.events.append(Assigned(target._d, target._node, value._d, value._node))

    def detach(self, value: Any, result: Any, how: str) -> None:
        self._cut(value, result._d, how)

    def leave(self, value: Any, how: str) -> None:
        if how == "optimizer.step":
            return  # the update itself is not recorded; that each parameter takes part says nothing
        self._cut(value, None, how)

    def enter(self, module: Any, name: str) -> None:
        self.modules.append(module)

    def variables(self) -> dict[Any, str]:
        """What the variables of the functions that ran hold."""
        found: dict[Any, str] = {}
        for frame in dict.fromkeys(self.frames):
            found = {**named_locals(frame), **found}
        return found

    def parameters(self) -> dict[Any, str]:
        """The parameters of all modules that were called, by their paths."""
        found: dict[Any, str] = {}
        for module in dict.fromkeys(self.modules):
            found = {**named(module), **found}
        return found

    def _cut(self, value: Any, result: Any, how: str) -> None:
        frame = user_frame(3)
        place: Place = None if frame is None else (frame.f_code, frame.f_lasti)
        self.events.append(Cut(_data(value), value._node, result, how, place, open_scopes()))


def _applied(event: tuple[Any, ...]) -> Applied:
    primitive, data, nodes, params, made, owner, saved, code, instruction, *rest = event
    results = tuple(made) if type(made) is list else ((made, owner),)
    return Applied(primitive, data, nodes, params, results, owner, saved, code and (code, instruction), *rest)


def _data(tensor: Any) -> Any:
    if type(tensor._d) is np.bool_:  # there are only two of these, so identity would not tell values apart
        tensor._d = np.array(tensor._d)
    return tensor._d


_runs = weakref.WeakSet()
