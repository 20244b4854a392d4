"""The kinds of fault: each makes a wrong derivative of a right one, and says what the diagnosis must be.

An operator's ``make(rng, call)`` draws a fault for one call of a derivative, or returns None where it has
nothing to get wrong: there is no transposing a vector. What is drawn depends on the arrays of that
call (which entry, which threshold), so the fault belongs to the point where it is planted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad._writer import saved_names

from .faults import Call, Wrong, array_of

Make = Callable[[np.random.Generator, Call], Wrong | None]


@dataclass(frozen=True)
class Operator:
    """A kind of fault.

    Attributes:
        label: the diagnosis, one of `tensorgrad.testing.report.LABELS`.
        sentence: what is wrong.
        make: draws a fault.
        kept: whether the fault is in what a call leaves behind, rather than in the values of the gradient
            of a single call.
        gated: whether it may also be planted as an op of the user's, which the engine guards.
    """

    label: str
    sentence: str
    make: Make
    kept: bool = False
    gated: bool = True


def sign_flipped(rng: np.random.Generator, call: Call) -> Wrong | None:
    """The gradient with the other sign."""
    return lambda call: -1 * call.right()


def factor(rng: np.random.Generator, call: Call) -> Wrong | None:
    """The gradient times a number, but one that says something else: 1/n of n that were added up."""
    n = call.x.size
    choices = [0.5, 2.0, 3.0, 0.99, 1.01, 1.001, 0.1, 1 / max(n, 2), float(max(n, 2))]
    k = float(rng.choice(choices))
    taken = [1 / m for m in _counts(call)] + [m / (m + s) for m in _counts(call) for s in (-1, 1) if m + s]
    return None if any(abs(k - one) < 1e-9 for one in taken) else lambda call: k * call.right()


def transposed(rng: np.random.Generator, call: Call) -> Wrong | None:
    """The cotangent or the gradient with its last two axes exchanged, read into the old shape."""
    if rng.random() < 0.5:
        if _matrix(call.x):
            return lambda call: _transpose(call.right())
        return None
    return _on_g(call, _transpose, _matrix)


def missing_sum(rng: np.random.Generator, call: Call) -> Wrong | None:
    """The gradient of a broadcast input takes one part, the mean, or all parts, and not their sum."""
    card, small = call.card, call.x.shape
    if card.several or not (card.broadcasts or card.name == "broadcast_to"):
        return None
    big = call.values["y"].shape
    if card.kind == "bilinear" and len(small) >= 2 and card.name == "matmul":
        big = (*big[:-2], *small[-2:])
    if big == small or len(big) < len(small):
        return None

    def parts(call: Call) -> Any:
        return call.g if card.name == "broadcast_to" else call.right(shape=big)

    try:
        if parts(call).shape != big:
            return None
    except Exception:  # the formula adds up by itself
        return None
    way = str(rng.choice(["part", "mean"] + ["all"] * (card.name == "broadcast_to")))
    if way == "all":
        return parts
    if way == "mean":
        share = call.x.size / np.prod(big)
        return lambda call: call.right() * share
    index: list[Any] = [0] * (len(big) - len(small))
    for have, full in zip(small, big[len(index) :], strict=True):
        k = int(rng.integers(full))
        index.append(slice(k, k + 1) if have != full else slice(None))
    return lambda call: parts(call)[tuple(index)]


def wrong_axis(rng: np.random.Generator, call: Call) -> Wrong | None:
    """The formula for another axis, or with the cotangent read backwards along one."""
    axis = call.values.get("axis")
    if isinstance(axis, int) and call.x.ndim >= 2 and rng.random() < 0.7:
        shape = call.x.shape
        others = [i for i in range(len(shape)) if i != axis % len(shape) and shape[i] == shape[axis]]
        if others:
            other = int(rng.choice(others))
            return lambda call: call.right(axis=other)
    turn = _along(rng, call, lambda a, axis: tg.flip(a, axis=axis))
    return turn


def off_by_one(rng: np.random.Generator, call: Call) -> Wrong | None:
    """Shifted by one along an axis; n - 1 or n + 1 for a count of n; the exponent of a power off by one."""
    if call.card.name in ("power", "square", "sqrt", "cbrt", "reciprocal") and rng.random() < 0.5:
        up = rng.random() < 0.5
        return lambda call: call.right() * call.x if up else call.right() / call.x
    n = _added_up(call)
    if n > 2 and rng.random() < 0.25:
        step = int(rng.choice([-1, 1]))
        return lambda call: call.right() * (n / (n + step))
    step = int(rng.choice([-1, 1]))
    return _along(rng, call, lambda a, axis: tg.roll(a, step, axis=axis))


def stale_value(rng: np.random.Generator, call: Call) -> Wrong | None:
    """The formula reads what an earlier backward pass saved, or what the latest forward pass left."""
    names = [n for n in (*call.card.inputs, "y") if n in saved_names(call.card)]
    if not names:
        return None
    kept: dict[str, Any] = {}

    def latest(call: Call) -> Any:
        return call.right(**_fitting(call, {n: call.seen[n] for n in names if n in call.seen}))

    def previous(call: Call) -> Any:
        now = {n: call.values[n] for n in names}
        if not _plain(list(now.values())):
            return call.right()
        used = dict(kept)
        kept.update(now)
        return call.right(**_fitting(call, used))

    return previous if rng.random() < 0.5 else latest


def wrong_mask(rng: np.random.Generator, call: Call) -> Wrong | None:
    """Zero where the gradient is not, and the other way round."""
    if call.card.several:
        return None

    def passes(call: Call) -> Any:
        generic = 1 + np.arange(call.g.size).reshape(call.g.shape) / 7
        return array_of(call.right(g=generic)) != 0

    if passes(call).all() or not passes(call).any():
        return None

    def wrong(call: Call) -> Any:
        g, x = call.g, call.x
        if g.shape == x.shape:
            fill = g
        elif call.card.broadcasts and g.size > x.size:
            fill = tg.sum_to(g, x.shape)
        else:
            fill = g.sum() / g.size
        return tg.where(passes(call), 0.0, fill + x * 0)

    return wrong


def wrong_in_a_region(rng: np.random.Generator, call: Call) -> Wrong | None:
    """Wrong only where the input is below a threshold."""
    x = np.sort(np.real(array_of(call.x)).ravel())
    if x.size < 4:
        return None
    k = int(rng.integers(2, max(3, int(0.7 * x.size))))
    threshold = float(x[k - 1] + x[k]) / 2
    if x[k] - x[k - 1] < 1e-3:
        return None
    times = float(rng.choice([0.5, 2.0, -1.0, 0.0]))

    def wrong(call: Call) -> Any:
        c, x = call.right(), call.x
        return tg.where((tg.real(x) if x.dtype.kind == "c" else x) < threshold, times * c, c)

    return wrong


def upstream_mutated(rng: np.random.Generator, call: Call) -> Wrong | None:
    """Right, but the formula writes to the cotangent, or to what was saved for it."""
    saved = [n for n in (*call.card.inputs, "y") if n in saved_names(call.card)]
    saved = [n for n in saved if type(call.values[n]) is np.ndarray and call.values[n].ndim]
    name = str(rng.choice(saved)) if saved and rng.random() < 0.25 else ""
    times = 0.99 if name else float(rng.choice([2.0, 0.5, 0.0]))
    if not name and not any(type(g) is np.ndarray and g.ndim and g.dtype.kind in "fc" for g in _gs(call)):
        return None

    def wrong(call: Call) -> Any:
        c = call.right() * 1
        for a in [call.values[name]] if name else _gs(call):
            if type(a) is np.ndarray and a.dtype.kind in "fc":
                np.multiply(a, times, out=a)
        return c

    wrong.shares = not name  # type: ignore[attr-defined]
    return wrong


def wrong_dtype(rng: np.random.Generator, call: Call) -> Wrong | None:
    """A float32 gradient of a float64 input."""
    narrow = np.complex64 if call.x.dtype.kind == "c" else np.float32
    return lambda call: tg.astype(call.right(), narrow)


def missing_path(rng: np.random.Generator, call: Call) -> Wrong | None:
    """An input that gets no gradient, or zeros."""
    return (lambda call: None) if rng.random() < 0.5 else (lambda call: call.x * 0)


def missing_upstream_factor(rng: np.random.Generator, call: Call) -> Wrong | None:
    """The derivative itself, as if the cotangent were 1."""
    return lambda call: call.right(
        g=tuple([g * 0 + 1 for g in call.g]) if call.card.several else call.g * 0 + 1
    )


def precision_loss(rng: np.random.Generator, call: Call) -> Wrong | None:
    """Computed in float32 or float16 and returned as float64."""
    dtype = str(rng.choice(["float32", "float16"]))

    def narrow(a: Any) -> Any:
        if isinstance(a, tuple):
            return tuple([narrow(one) for one in a])
        if not hasattr(a, "dtype") or a.dtype.kind not in "fc":
            return a
        return tg.astype(a, np.complex64 if a.dtype.kind == "c" else dtype)

    def wrong(call: Call) -> Any:
        names = (*call.card.inputs, "y")
        c = call.right(g=narrow(call.g), **{n: narrow(call.values[n]) for n in names})
        return tg.astype(c, call.x.dtype)

    return wrong


def single_entry(rng: np.random.Generator, call: Call) -> Wrong | None:
    """One entry off by a share, drawn between 1e-4 and 0.3."""
    c = np.abs(array_of(call.right()))
    large = np.flatnonzero(c > 0.1 * c.max(initial=0.0))
    if c.size < 4 or not large.size:
        return None
    mask = np.ones(c.shape)
    mask.flat[int(rng.choice(large))] += float(rng.choice([-1, 1])) * 10 ** rng.uniform(-4, -0.5)
    return lambda call: call.right() * mask


def not_finite(rng: np.random.Generator, call: Call) -> Wrong | None:
    """NaN or infinity in one entry."""
    mask = np.zeros(call.x.shape)
    if not mask.size:
        return None
    mask.flat[int(rng.integers(mask.size))] = float(rng.choice([np.nan, np.inf]))
    return lambda call: call.right() + mask


def nondeterministic(rng: np.random.Generator, call: Call) -> Wrong | None:
    """Another gradient at each call."""
    noise = np.random.default_rng(int(rng.integers(2**32)))
    size = float(rng.choice([0.1, 0.01]))
    return lambda call: call.right() * (1 + size * noise.standard_normal(call.x.shape))


OPERATORS = (
    Operator("sign flipped", "returns -c for c", sign_flipped),
    Operator("factor", "returns k c: 0.5, 2, 3, 0.99, 1.01, 1.001, 0.1, n or 1/n", factor),
    Operator("transposed", "cotangent or gradient read in the other order of two axes", transposed),
    Operator("missing sum", "a broadcast input gets one part, the mean, or all parts", missing_sum),
    Operator("wrong axis", "another axis, or the cotangent backwards along its axis", wrong_axis),
    Operator("off by one", "shifted by one, n - 1 for n, an exponent off by one", off_by_one),
    Operator("stale value", "reads what an earlier call saved", stale_value, kept=True),
    Operator("wrong mask", "zero where it should not be, and the other way round", wrong_mask),
    Operator("wrong in a region", "wrong only where the input is below a threshold", wrong_in_a_region),
    Operator(
        "upstream mutated", "writes to g, or to a saved array", upstream_mutated, kept=True, gated=False
    ),
    Operator("wrong dtype", "float32 for float64", wrong_dtype),
    Operator("missing path", "an input gets None or zeros", missing_path),
    Operator("missing upstream factor", "the derivative, not times g", missing_upstream_factor),
    Operator("precision loss", "computed in float32 or float16", precision_loss),
    Operator("single entry", "one entry off by 1e-4 to 0.3 of it", single_entry),
    Operator("not finite", "NaN or infinity in one entry", not_finite),
    Operator("nondeterministic", "another gradient at each call", nondeterministic, kept=True),
)
"""All kinds of fault; an instance takes them in turn."""


# ---- parts


def _matrix(a: Any) -> bool:
    return a.ndim >= 2 and min(a.shape[-2:]) > 1


def _transpose(a: Any) -> Any:
    return tg.reshape(tg.swapaxes(a, -1, -2), a.shape)


def _gs(call: Call) -> list[Any]:
    return list(call.g) if call.card.several else [call.g]


def _on_g(call: Call, change: Callable[[Any], Any], fits: Callable[[Any], bool]) -> Wrong | None:
    """A fault that changes the cotangent first: that of the first result where it can."""
    chosen = next((i for i, g in enumerate(_gs(call)) if g.dtype.kind in "fc" and fits(g)), None)
    if chosen is None:
        return None

    def wrong(call: Call) -> Any:
        gs = [change(g) if i == chosen else g for i, g in enumerate(_gs(call))]
        return call.right(g=tuple(gs) if call.card.several else gs[0])

    return wrong


def _along(rng: np.random.Generator, call: Call, change: Callable[[Any, int], Any]) -> Wrong | None:
    """A fault that moves entries along an axis of length 3 or more, of the cotangent or of the gradient."""
    of_g = [axes for g in _gs(call) if g.dtype.kind in "fc" and (axes := _long_axes(g))]
    if of_g and rng.random() < 0.7:
        axis = int(rng.choice(of_g[0]))
        return _on_g(call, lambda g: change(g, axis), lambda g: axis in _long_axes(g))
    if axes := _long_axes(call.x):
        axis = int(rng.choice(axes))
        return lambda call: change(call.right(), axis)
    return None


def _long_axes(a: Any) -> list[int]:
    return [i for i, n in enumerate(a.shape) if n >= 3]


def _counts(call: Call) -> list[float]:
    """How many entries were added up, or broadcast to: what a factor may come from."""
    found = set()
    for y in call.values["y"] if call.card.several else [call.values["y"]]:
        found |= {y.size / max(call.x.size, 1), call.x.size / max(y.size, 1)}
    return [n for n in found if n > 1 and n == int(n)]


def _added_up(call: Call) -> int:
    """How many entries of the input go into each one of the only result."""
    size = 0 if call.card.several else call.values["y"].size
    return call.x.size // size if size and call.x.size % size == 0 else 0


def _fitting(call: Call, used: dict[str, Any]) -> dict[str, Any]:
    """Values of another call, where they have the shapes of this one."""
    same = all(np.shape(used[n]) == np.shape(call.values[n]) for n in used if not isinstance(used[n], tuple))
    return used if same and _plain([*used.values(), *[call.values[n] for n in used]]) else {}


def _plain(values: list[Any]) -> bool:
    flat = [one for v in values for one in (v if isinstance(v, tuple) else (v,))]
    return all(isinstance(v, np.ndarray | np.generic) for v in flat)
