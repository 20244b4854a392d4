"""The op that a call of a custom function becomes.

Each call has a card, made for it. The card asks the rules of the call to run, to pull cotangents back
and to push tangents forward, and holds what they return to the strict gate.

The forward function runs on plain values, unwatched. A tensor with a history that it took from
elsewhere than its arguments would lose its gradient, so that is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from .._config import TAPE, WATCHED, get_mode
from .._data import as_data, zero_like
from .._errors import DtypeError, RuleMissingError
from .._gates import gate, guarded
from .._levels import new_level
from .._primitive import Formula, Primitive, Value
from .._record import general, process
from .._specialise import ARRAYS
from .._tape import fill, pick
from .._tensor import Over, Tensor, pull, wrap
from .._tree import unflatten
from .._watch import Watcher, watchers, watching
from .call import BatchRules, Call, Rules, captured
from .inside import Inside
from .jvp import Dual, _parts, variable
from .strip import strip, stripped, unknown
from .transpose import check_linear, pull_through

RECENT = 8
"""Of how many runs a card keeps what the forward left. Only replays of a program run one card several times."""


def apply_rules(rules: Rules) -> Any:
    """Run a call as one op; the results have the structure that the function gave them."""
    call = rules.call
    if not call.dynamic:
        y = rules.run([])[0]
    else:
        y = process(CallCard(rules), tuple([call.leaves[i] for i in call.dynamic]), ())
    return unflatten(call.result_tree, y)


def as_one_op(name: str, leaves: Sequence[Any], run: Solver, whole: Solver) -> list[Any]:
    """What ``run`` makes of values without their derivatives; whoever watches or notes sees one op.

    Args:
        name: of the op.
        leaves: the values.
        run: computes from values without derivatives.
        whole: the same with derivatives; the op takes them from here when a program that holds it is run.
    """
    plain = [stripped(leaf) for leaf in leaves]
    if not get_mode() & WATCHED and not any(unknown(leaf) for leaf in plain):
        return run(plain)
    return [strip(y) for y in apply_rules(_Whole(Call(name, tuple(plain)), run, whole))]


Solver = Callable[[Sequence[Any]], list[Any]]


class _Whole(Rules):
    """A computation whose derivatives are those of another function."""

    def __init__(self, call: Call, function: Solver, whole: Solver) -> None:
        super().__init__(call)
        self.function = function
        self.whole = whole

    def run(self, xs: Sequence[Any]) -> tuple[list[Any], Any]:
        """Run it without derivatives."""
        return self.call.results(self.function(xs)), None

    def pull(self, kept: Any, g: Sequence[Any], xs: Sequence[Any]) -> list[Any]:
        """Pull back through the whole."""
        return pull_through(self.whole, xs, tuple(g))

    def push(self, xs: Sequence[Any], ts: Sequence[Any]) -> Sequence[Any]:
        """Push forward through the whole."""
        with new_level() as level:
            duals = [Dual(x, t, level) if x.dtype.kind in "fc" else x for x, t in zip(xs, ts, strict=True)]
            return [_parts(y, level)[1] for y in self.whole(duals)]


class CallCard(Primitive):
    """The card of one call. It lives as long as the call's node, so nothing is generated for it."""

    kind = "general"
    inputs = ("xs",)
    variadic = True
    params = ()
    defaults: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]
    several = True
    trusted = False
    # The names tell the engine what to save; `evaluate` and `pullback` below are what computes.
    formulas: ClassVar[dict[str, Formula]] = {"xs": Formula(lambda: None, ("g", "y", "xs"))}  # type: ignore[misc]
    tangents: ClassVar[dict[str, Formula]] = {"xs": Formula(lambda: None, ("t", "y", "xs"))}  # type: ignore[misc]
    saves = ("xs", "y", "outputs_", "xs_dtype")

    def __init__(self, rules: Rules) -> None:
        self.name = rules.call.name
        self.rules = rules
        self.left: list[tuple[Any, Any]] = []  # the first result of each run, and what it kept

    @property
    def op(self) -> Callable[..., Any]:  # type: ignore[override]
        """The op of this card."""
        return lambda *args: process(self, args, ())

    def shown(self, args: Any, params: Any, taped: int) -> Any:
        """For watchers that an entry of its own would tell: a call has none, and goes the general way."""
        return general(self, args, params)

    def __reduce__(self) -> Any:
        raise RuleMissingError(
            f"{self.name}: a call of a custom function cannot be pickled; its function is Python's"
        )

    def forward(self, *xs: Any) -> tuple[Any, ...]:
        """Run the call on plain arrays."""
        if get_mode() & WATCHED:
            with watching(_Inside(self.name, xs, watchers()), alone=True):
                results, kept = self.rules.run([_as_value(x) for x in xs])
        else:
            results, kept = self.rules.run([_as_value(x) for x in xs])
        y = tuple([_plain_result(self.name, one) for one in results])
        self.left = [*self.left[1 - RECENT :], (y[0], kept)]
        return y

    def batch(self, size: int, batched: Sequence[bool], args: Sequence[Any]) -> Any:
        """The calls of a batch, as one call."""
        return process(CallCard(BatchRules(self.rules, size, batched)), tuple(args), ())

    def evaluate(
        self, formula: Formula, args: Sequence[Any], params: Sequence[Any], *, y: Any, **extra: Any
    ) -> Any:
        """Cotangents of the inputs, or tangents of the results."""
        if "t" in extra:
            return self.push(args, extra["t"], y)
        g, wanted = extra["g"], extra.get("wanted", (True,) * len(args))
        return [c if w else None for c, w in zip(self.pull(g, y, args), wanted, strict=True)]

    def pullback(self, g: Any, edges: Any, saved: Any, shape: Any) -> tuple[Any, ...]:
        """One cotangent for each input, checked by the gate."""
        xs, y, layouts, dtypes = saved
        found = self.pull(guarded(fill(g, layouts)), y, xs)
        return tuple([
            None if edge is None else gate(self, self.rules.label(i), c, edge.shape, dtype)
            for i, (c, edge, dtype) in enumerate(zip(found, edges, dtypes, strict=True))
        ])  # fmt: skip

    def revive(self, saved: Any, edges: Any, node: Any, wrap: Any) -> tuple[Any, ...]:
        """What was saved, as tensors on the nodes that it came from."""
        xs, y, layouts, dtypes = saved
        xs = tuple([x if edge is None else wrap(x, edge) for x, edge in zip(xs, edges, strict=True)])
        return xs, tuple([wrap(one, pick(node, i, one)) for i, one in enumerate(y)]), layouts, dtypes

    def pull(self, g: Sequence[Any], y: Any, xs: Sequence[Any]) -> list[Any]:
        """The cotangents of the inputs, as the rules give them."""
        values = [_as_value(x) for x in xs]
        found = self.rules.pull(self.kept(y, xs), [_as_value(one) for one in g], values)
        return [_like(c, x) for c, x in zip(found, xs, strict=True)]

    def push(self, xs: Sequence[Any], ts: Sequence[Any], y: Sequence[Any]) -> list[Any]:
        """The tangents of the results: by a rule, or the transpose of the linear function ``g -> pull(g)``."""
        found = self.rules.push([_as_value(x) for x in xs], [_as_value(t) for t in ts])
        if found is None:
            found = self.transposed(xs, ts, y)
        plain = [np.asarray(t, r.dtype) if isinstance(t, float) else t for t, r in zip(found, y, strict=True)]
        return [_like(t, r) for t, r in zip(plain, y, strict=True)]

    def transposed(self, xs: Sequence[Any], ts: Sequence[Any], y: Sequence[Any]) -> list[Any]:
        """The tangents from the cotangents.

        Source:
            Townsend, A new trick for calculating Jacobian vector products, 2017.
        """
        with new_level() as level:
            seeds = [variable(r, level) for r in y]
            ends, directions = [], []
            for i, (c, x, t) in enumerate(zip(self.pull(seeds, y, xs), xs, ts, strict=True)):
                if c is None or x.dtype.kind not in "fc":
                    continue
                c = gate(self, self.rules.label(i), c, x.shape, x.dtype)
                if isinstance(c, Over) and c.level == level and c._node is not None:
                    ends.append(c)
                    directions.append(t)
            check_linear(self.name, "backward", "g", ends)
            found = (
                pull(ends, directions, frozenset([s._node for s in seeds]), retain=True)[0] if ends else {}
            )
        return [found.get(s._node, zero_like(s)) for s in seeds]

    def kept(self, y: Any, xs: Sequence[Any]) -> Any:
        """What the forward kept. Where values are tracked it runs again, so that this is tracked as well."""
        if not any(isinstance(x, Value) for x in xs):
            for first, kept in reversed(self.left):
                if first is y[0]:
                    return kept
        return self.rules.run([_as_value(x) for x in xs])[1]


# ---- what the forward function may see


class _Inside(Watcher):
    """Watches a forward function for the watchers outside, to whom it is one op."""

    def __init__(self, name: str, inputs: Sequence[Any], outside: Sequence[Watcher]) -> None:
        self.name = name
        self.inputs = {id(x) for x in inputs}
        self.made: list[Any] = []
        self.outside = outside

    def op(self, primitive: Any, args: Any, params: Any, result: Any, seconds: float) -> None:
        for arg in args:
            self.leave(arg, self.name)
        for one in result if isinstance(result, tuple) else (result,):
            if isinstance(one, Tensor) and not one.level:
                self.made.append(one._d)  # kept, so that the number stays that of this array
                self.inputs.add(id(one._d))

    def leave(self, value: Any, how: str) -> None:
        if isinstance(value, Tensor) and not value.level and id(value._d) not in self.inputs:
            for watcher in self.outside:
                watcher.reads(value, self.name)


def _plain_result(name: str, value: Any) -> Any:
    """A result of a forward as plain data."""
    while (
        isinstance(value, Tensor)
        and not isinstance(value, Inside)
        and (value._node is None or not get_mode() & TAPE)
    ):
        if not value.level:
            return value._d
        value = value._d
    if isinstance(value, Value):
        raise captured(name, value)
    try:
        return as_data(value, copy=True)
    except DtypeError as error:
        raise DtypeError(f"{name}: the forward returned what is no array of numbers: {error}") from None


def _as_value(x: Any) -> Any:
    """Arrays as tensors, so that a user's function sees what it was called with."""
    return wrap(x, None) if type(x) in ARRAYS else x


def _like(g: Any, x: Any) -> Any:
    """Plain data where there was plain data."""
    if isinstance(g, Tensor) and g.level == 0 and g._node is None and type(x) in ARRAYS:
        return g._d
    return g
