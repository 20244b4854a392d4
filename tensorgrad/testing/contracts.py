"""What a derivative must keep to besides its values, clause by clause.

A clause is a function of an `Examination` that returns what it found: nothing, findings, or why it does
not apply. `CLAUSES` names them in the order in which they are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .comparison import apart, away_from_zero
from .diagnose import described, raised
from .differences import entries, joined
from .examination import LOOSE, NOISY, Examination, NotApplicable, joined_gradients, pulled, quietly, same
from .layouts import SAME_VALUES, laid_out
from .point import FAILURES, Point, RuleFailed, shifted
from .report import Finding
from .slopes import central_slope

FULL_SECOND_ORDER = 4096
"""Up to so many entries in the Jacobian of the gradient, second order is checked entry by entry if asked for.

Otherwise projections decide whether there is anything to look at, which is several times faster.
"""


Outcome = Iterator[Finding]
Check = Callable[[Examination], Outcome]


def derivative(exam: Examination) -> Outcome:
    """The gradient of each input equals differences."""
    point = exam.point
    try:
        if not point.size:  # no row of the Jacobian would call the rule
            pulled(point, point.pullback(), exam.cotangents())
        exam.comparisons = exam.compared(point, every_entry=not exam.fast)
    except RuleFailed as error:
        point.suspect()
        yield raised(exam.finding("derivative", str(error)), error)
        return
    for one in exam.comparisons:
        exam.notes += [note for note in one.kinks.values() if note]
    for one in sorted(exam.comparisons, key=lambda one: -one.severity):
        if one.wrong.any():
            yield described(point, one, exam.finding("derivative", ""))


def deterministic(exam: Examination) -> Outcome:
    """The same inputs give the same results, and the same cotangents the same gradients."""
    point = exam.point
    first, second = joined(point.ys), point.row(point.arrays)
    if np.abs(first - second).max(initial=0) > exam.nondet_tol:
        yield exam.finding(
            "deterministic",
            "two evaluations at the same inputs differ, so differences say nothing; fix its random numbers, for "
            "example by a generator made inside",
            diagnosis="nondeterministic",
        )
        return
    one, two = [pulled(point, point.pullback(), exam.cotangents()) for _ in range(2)]
    if apart(one, two, exam.nondet_tol).any() and not np.isnan(one).any():
        yield exam.finding(
            "deterministic",
            "two backward passes over the same values give other gradients",
            diagnosis="nondeterministic",
        )


def inputs_unchanged(exam: Examination) -> Outcome:
    """Neither pass writes to an input or a result."""
    point = exam.point
    arrays = [np.array(a) for a in point.arrays]
    own = Point.__new__(Point)
    own.__dict__.update(point.__dict__, arrays=arrays)
    pull = own.pullback()
    for i, (a, b) in enumerate(zip(arrays, point.arrays, strict=True)):
        if a.tobytes() != b.tobytes():
            name = point.subject.names[i]
            yield exam.finding("inputs unchanged", f"the forward pass writes to {name}", input=name)
            return
    quietly(pull, exam.cotangents())
    for i, (a, b) in enumerate(zip(arrays, point.arrays, strict=True)):
        if a.tobytes() != b.tobytes():
            name = point.subject.names[i]
            yield exam.finding(
                "inputs unchanged",
                f"the backward pass writes to {name}",
                input=name,
                diagnosis="upstream mutated",
            )


def upstream_unchanged(exam: Examination) -> Outcome:
    """The backward pass does not write to the cotangents that it is given, nor to what it saved."""
    point = exam.point
    pull, vs = point.pullback(), exam.cotangents()
    before = [v.tobytes() for v in vs]
    try:
        first = pulled(point, pull, vs)
    except RuleFailed as error:
        if "read-only" in str(error):
            yield exam.finding(
                "upstream unchanged",
                f"the backward pass writes to what it was given: {error}",
                diagnosis="upstream mutated",
                hint="others hold these arrays too; compute a new one: 2 * g instead of g *= 2",
            )
            return
        raise
    if [v.tobytes() for v in vs] != before:
        yield exam.finding(
            "upstream unchanged",
            "the backward pass writes to its upstream gradient, which others hold too",
            diagnosis="upstream mutated",
            hint="compute a new array: 2 * g instead of g *= 2",
        )
        return
    second = pulled(point, pull, exam.cotangents())
    if same(first, second, point.unit):
        return
    third, fourth = [pulled(point, point.pullback(), exam.cotangents()) for _ in range(2)]
    if same(third, fourth, point.unit):
        yield exam.finding(
            "upstream unchanged",
            "a second backward pass through the same record gives another gradient: the first wrote to what was saved",
            diagnosis="upstream mutated",
        )
    else:
        yield exam.finding(
            "upstream unchanged",
            "each backward pass gives another gradient",
            diagnosis="nondeterministic",
        )


def linear(exam: Examination) -> Outcome:
    """The gradient is linear in the upstream gradient: f'(a u + b v) = a f'(u) + b f'(v)."""
    point, rng = exam.point, exam.rng()
    u, v = [away_from_zero(rng, (point.size,)) for _ in range(2)]
    pull = point.pullback()
    a, b = 0.7, -1.3  # powers of two would commute with rounding
    parts = [pulled(point, pull, point.shaped(w)) for w in (u, v, a * u + b * v)]
    expected = a * parts[0] + b * parts[1]
    size = abs(a * parts[0]) + abs(b * parts[1])
    off = apart(parts[2], expected, LOOSE * point.unit * (size + size.max(initial=0)) + NOISY * exam.noise[1])
    if off.any() and np.isfinite(expected).all():
        share = float((np.abs(parts[2] - expected)[off] / size[off]).max())
        rounding = share < 4e-3
        yield exam.finding(
            "linear in the upstream gradient",
            "the gradient of a u + b v is not a times that of u plus b times that of v"
            + (f", by {share:.0e} of it" if rounding else ""),
            wrong=int(off.sum()),
            total=off.size,
            diagnosis="precision loss" if rounding else "missing upstream factor",
            hint="look for a narrow dtype or a cancellation in the formula"
            if rounding
            else "multiply by g, and by nothing that depends on g",
        )


def zero(exam: Examination) -> Outcome:
    """A zero upstream gradient gives zero."""
    point = exam.point
    if not np.isfinite(pulled(point, point.pullback(), exam.cotangents())).all():
        raise NotApplicable("the gradient is not finite here")
    found = pulled(point, point.pullback(), point.shaped(np.zeros(point.size)))
    if found.any():
        yield exam.finding(
            "zero in, zero out",
            "a zero upstream gradient gives a gradient that is not zero",
            diagnosis="missing upstream factor" if np.isfinite(found).all() else "not finite",
        )


def form(exam: Examination) -> Outcome:
    """Each gradient has the shape and dtype of its input, and memory that does not overlap itself."""
    point = exam.point
    found = quietly(point.pullback(), exam.cotangents())
    pulled(point, lambda _: found, [])  # raises where a shape is wrong
    for name, x, g in zip(point.subject.names, point.arrays, found, strict=True):
        if g is None:
            continue
        g = np.asarray(g)
        if g.dtype != x.dtype:
            yield exam.finding(
                "form of the gradient",
                f"the gradient of {name} is {g.dtype}, the input is {x.dtype}",
                input=name,
                diagnosis="wrong dtype",
                hint=f"return g's own dtype, for example by .astype({name}.dtype)",
            )
        elif (
            g.size
            and g.flags.writeable
            and any(n > 1 and s == 0 for n, s in zip(g.shape, g.strides, strict=True))
        ):
            yield exam.finding(
                "form of the gradient",
                f"the gradient of {name} overlaps itself in memory and may be written to; return a copy",
                input=name,
            )


def fresh(exam: Examination) -> Outcome:
    """A call elsewhere, before or between the passes, does not change the gradient."""
    point = exam.point
    expected = pulled(point, point.pullback(), exam.cotangents())
    others = _elsewhere(exam)
    if not others:
        raise NotApplicable("no other point was found at which the function may be called")
    for call in others:
        stale = []
        for backward in (False, True):
            pull = point.pullback()
            call(backward)
            stale.append(pulled(point, pull, exam.cotangents()))  # before the function is called here again
            stale.append(pulled(point, point.pullback(), exam.cotangents()))
        if not all(exam.same_gradients(expected, one) for one in stale):
            yield exam.finding(
                "independent of other calls",
                "a call at other inputs changes the gradient at these",
                diagnosis="stale value",
                hint="what the backward pass needs belongs to the call, not to the function: save it anew each time",
            )
            return


def unused(exam: Examination) -> Outcome:
    """A result that is not used counts as one with a zero upstream gradient."""
    point = exam.point
    if len(point.ys) < 2:
        raise NotApplicable("one result only")
    vs = exam.cotangents()
    for i in range(len(vs)):
        pull = point.pullback()
        none = [v if j == i else None for j, v in enumerate(vs)]
        zeros = [v if j == i else np.zeros_like(v) for j, v in enumerate(vs)]
        if not exam.same_gradients(pulled(point, pull, none), pulled(point, pull, zeros)):
            yield exam.finding(
                "unused results",
                f"with result {i} alone the gradient is another than with zeros for the rest",
            )
            return


def accumulates(exam: Examination) -> Outcome:
    """An input that is used twice gets the sum of both gradients."""
    point, vs = exam.point, exam.cotangents()
    doubled = point.subject.accumulated(point.arrays, vs)
    if doubled is None:
        raise NotApplicable("no engine that accumulates")
    expected = pulled(point, point.pullback(), vs)
    found = joined_gradients(point, doubled)
    if not exam.same_gradients(found, expected):
        yield exam.finding("used twice", "an input that is used twice does not get the sum of both gradients")


def layouts(exam: Examination) -> Outcome:
    """Strides do not matter: Fortran order, gaps, negative strides, memory that is read-only."""
    point = exam.point
    if not any(x.size for x in point.arrays):
        raise NotApplicable("no elements")
    expected = pulled(point, point.pullback(), exam.cotangents())
    for what in SAME_VALUES:
        arrays, vs = [
            [laid_out(a, what) if a.ndim else a for a in some] for some in (point.arrays, exam.cotangents())
        ]
        try:
            moved = Point(point.subject, arrays)
            found = pulled(moved, moved.pullback(), vs)
        except (*FAILURES, RuleFailed) as error:
            yield exam.finding("memory layouts", f"inputs in {what} layout: {type(error).__name__}: {error}")
            return
        results = exam.same_results(joined(moved.ys), joined(point.ys))
        if not results or not exam.same_gradients(found, expected):
            yield exam.finding(
                "memory layouts",
                f"inputs in {what} layout give another {'gradient' if results else 'result'}",
                hint="look for .reshape, .ravel(order='K'), .base, .data or as_strided",
            )
            return


def sizes(exam: Examination) -> Outcome:
    """Inputs of one element, without axes and without elements are right too, where the function takes them."""
    yield from _variants(exam, "small shapes", _resized(exam.point.arrays), "inputs")


def broadcasting(exam: Examination) -> Outcome:
    """Where an input may have an axis of length 1 instead, its gradient is summed over that axis."""
    if len(exam.point.arrays) < 2:
        raise NotApplicable("one input only")
    shapes = [y.shape for y in exam.point.ys]
    yield from _variants(exam, "broadcast inputs", _thinned(exam.point.arrays), "inputs", shapes)


def forward_mode(exam: Examination) -> Outcome:
    """The tangent equals differences, and is adjoint to the gradient: <v, J t> = <J' v, t>."""
    point, rng, vs = exam.point, exam.rng(), exam.cotangents()
    flat = [away_from_zero(rng, (entries(x).size,)) for x in point.arrays]
    ts = [
        t.astype(entries(x).dtype).view(x.dtype).reshape(x.shape)
        for t, x in zip(flat, point.arrays, strict=True)
    ]
    found = point.subject.pushforward(point.arrays, ts)
    if found is None:
        raise NotApplicable("no forward mode")
    tangent = joined(found)
    gradient = pulled(point, point.pullback(), vs)
    left, right = joined(vs) * tangent, gradient * np.concatenate([np.zeros(0), *flat])
    size = max(float(np.abs(left).sum()), float(np.abs(right).sum()))
    noise = NOISY * (
        exam.noise[0] * float(np.abs(joined(vs)).sum()) + exam.noise[1] * float(np.abs(right).sum())
    )
    if bool(apart(left.sum(), right.sum(), LOOSE * point.unit * size + noise)):
        slope = central_slope(_joint_line(point, flat), point.unit)
        close = ~apart(
            tangent, slope.value, 4 * slope.error + exam.tolerance.relative * np.abs(slope.value).max()
        )
        yield exam.finding(
            "forward mode",
            f"<v, J t> is {left.sum():.9g} and <J' v, t> is {right.sum():.9g}: forward and reverse mode differ, and "
            + ("reverse mode is wrong" if bool(np.all(close)) else "forward mode is wrong"),
            analytic=float(left.sum()),
            numeric=float(right.sum()),
        )


def batching(exam: Examination) -> Outcome:
    """A batch of examples gives what each gives by itself."""
    point, vs = exam.point, exam.cotangents()
    examples = [[x * x.dtype.type(k) for x in point.arrays] for k in (1, 0.9375, 0.875)]
    stacks = [np.stack(some) for some in zip(*examples, strict=True)]
    singles = [Point(point.subject, some) for some in examples]
    if any([y.shape for y in one.ys] != [y.shape for y in point.ys] for one in singles):
        raise NotApplicable("shapes of the results depend on values")
    found = point.subject.batched(stacks, [np.stack([v] * 3) for v in vs])
    if found is None:
        raise NotApplicable("no batching")
    ys, gs = found
    for k, one in enumerate(singles):
        expected = pulled(one, one.pullback(), vs)
        result = exam.same_results(joined([y[k] for y in ys]), joined(one.ys))
        if not result or not exam.same_gradients(joined_gradients(one, [g[k] for g in gs]), expected):
            yield exam.finding(
                "batching",
                f"a batch gives another {'gradient' if result else 'result'} than its examples one by one",
            )
            return


def second_order(exam: Examination) -> Outcome:
    """The gradient of the gradient equals differences of the gradient."""
    point = exam.point
    derived = point.subject.derived(len(point.ys))
    if derived is None:
        raise NotApplicable("the gradient is not differentiable here")
    gradient = Point(derived, [*point.arrays, *exam.cotangents()])
    if not all(np.isfinite(y).all() for y in gradient.ys):
        raise NotApplicable("the gradient times a random number is not finite here")
    columns = sum(entries(a).size for a in gradient.arrays)
    asked = "second order" in exam.asked and gradient.size * columns <= FULL_SECOND_ORDER
    for one in exam.compared(gradient, every_entry=asked):
        if one.wrong.any():
            yield described(gradient, one, Finding("second order", point.subject.name, ""))
            return


CLAUSES: dict[str, Check] = {
    "deterministic": deterministic,
    "derivative": derivative,
    "form of the gradient": form,
    "upstream unchanged": upstream_unchanged,
    "inputs unchanged": inputs_unchanged,
    "independent of other calls": fresh,
    "linear in the upstream gradient": linear,
    "zero in, zero out": zero,
    "unused results": unused,
    "used twice": accumulates,
    "memory layouts": layouts,
    "broadcast inputs": broadcasting,
    "small shapes": sizes,
    "forward mode": forward_mode,
    "batching": batching,
    "second order": second_order,
}
"""Every clause by name, in the order in which they are checked."""

REPEATS = ("broadcast inputs", "small shapes", "second order")
"""Clauses that compare derivatives again: where the derivative is wrong already, they add nothing."""


# ---- parts


def _elsewhere(exam: Examination) -> list[Callable[[bool], None]]:
    """Calls at other inputs, forward and where asked for backward too.

    Each entry moves by a share of its own, and entries change places and signs: what a rule keeps may be a
    ratio or a mask.
    """
    point, rng = exam.point, exam.rng()
    shares = [rng.uniform(0.8, 0.95, x.shape).astype(entries(x).dtype) for x in point.arrays]
    places = [
        [np.flip(x) * s for x, s in zip(point.arrays, shares, strict=True)],
        [-x for x in point.arrays],
        [x * x.dtype.type(0.875) for x in point.arrays],
    ]

    def to(arrays: Sequence[Any]) -> Callable[[bool], None]:
        def call(backward: bool) -> None:
            with np.errstate(all="ignore"):
                _, pull = point.subject.pullback(*arrays)
                if backward:
                    pull(exam.cotangents())

        return call

    found: list[Callable[[bool], None]] = []
    for k, arrays in enumerate(places):
        if k == 2 and found:
            break  # the nearest is for functions that take nothing farther away
        try:
            to(arrays)(True)
        except FAILURES:
            continue
        found.append(to(arrays))
    return found


def _variants(
    exam: Examination, clause: str, variants: Iterator[tuple[str, list[Any]]], what: str, shapes: Any = None
) -> Outcome:
    """Compare the derivative at inputs of other shapes, as far as the function takes them."""
    taken = 0
    for label, arrays in variants:
        try:
            point = Point(exam.point.subject, arrays)
        except FAILURES:
            continue
        if shapes is not None and [y.shape for y in point.ys] != shapes:
            continue
        if not all(np.isfinite(y).all() for y in point.ys):
            continue
        taken += 1
        try:
            found = exam.compared(point, every_entry=point.size * sum(a.size for a in arrays) <= 1024)
        except RuleFailed as error:
            if exam.point.subject.general or clause in exam.asked:
                yield raised(exam.finding(clause, f"{what} {label}: {error}"), error)
                return
            exam.notes.append(f"the function takes {what} {label}, its derivative rule does not: {error}")
            continue
        for one in found:
            if one.wrong.any():
                finding = described(point, one, exam.finding(clause, ""))
                yield replace(finding, message=f"{what} {label}: {finding.message}")
                return
    if not taken:
        raise NotApplicable("the function takes no such shapes")


def _resized(arrays: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    tried = {tuple([a.shape for a in arrays])}
    cuts: dict[str, Callable[[Any], Any]] = {
        "of one element": lambda a: a[tuple([slice(0, 1)] * a.ndim)],
        "without axes": lambda a: a[(0,) * a.ndim] if a.size else a,
        "without elements": lambda a: a[:0] if a.ndim else a,
    }
    for label, cut in cuts.items():
        variant = [np.array(cut(a)) for a in arrays]
        shapes = tuple([a.shape for a in variant])
        if shapes not in tried:
            tried.add(shapes)
            yield label, variant


def _thinned(arrays: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    for i, a in enumerate(arrays):
        for axis in range(a.ndim):
            if a.shape[axis] > 1:
                cut = np.array(np.take(a, [0], axis))
                shapes = ", ".join(str(b.shape) for b in (*arrays[:i], cut, *arrays[i + 1 :]))
                yield f"of shapes {shapes}", [*arrays[:i], cut, *arrays[i + 1 :]]
        if a.ndim and a.shape[0]:
            cut = np.array(a[0])
            shapes = ", ".join(str(b.shape) for b in (*arrays[:i], cut, *arrays[i + 1 :]))
            yield f"of shapes {shapes}", [*arrays[:i], cut, *arrays[i + 1 :]]


def _joint_line(point: Point, directions: Sequence[Any]) -> Callable[[float], Any]:
    return lambda t: point.row([shifted(x, t, d) for x, d in zip(point.arrays, directions, strict=True)])
