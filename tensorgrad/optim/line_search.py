"""The search for a step length that fulfils the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Trial = Callable[[float], tuple[float, Any]]


@dataclass
class Point:
    """A step length, with the loss, the gradient and the slope along the direction there."""

    t: float
    loss: float
    gradient: Any
    slope: float


def strong_wolfe(
    trial: Trial,
    t: float,
    direction: Any,
    loss: float,
    gradient: Any,
    slope: float,
    *,
    evaluations: int,
    tolerance: float,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> tuple[float, Any, float, int]:
    """Find a step that lowers the loss enough and leaves a flat enough slope.

    Two phases: lengthen the step until an interval is known to hold such a point, then narrow it by
    cubic interpolation.

    Args:
        trial: gives the loss and the gradient at a step length.
        t: the first step length to try.
        direction: along which steps are made.
        loss: at step 0.
        gradient: at step 0.
        slope: at step 0, negative.
        evaluations: the most trials after the first one.
        tolerance: an interval whose ends are nearer than this is not narrowed.
        c1: how much of the decrease that the slope promises is wanted.
        c2: how much of the slope may be left.

    Returns:
        The loss, the gradient and the step length that were found, and how many trials it took.

    Source: Nocedal and Wright, Numerical optimization, 2006, algorithms 3.5 and 3.6.
    """

    def at(length: float) -> Point:
        value, g = trial(length)
        return Point(length, value, g, float(g @ direction))

    def too_high(point: Point) -> bool:
        return point.loss > loss + c1 * point.t * slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -c2 * slope

    start = before = Point(0.0, loss, gradient, slope)
    now = at(t)
    trials = 0
    while trials < evaluations:
        if too_high(now) or (trials > 1 and now.loss >= before.loss) or (now.slope >= 0 and not flat(now)):
            break
        if flat(now):
            return now.loss, now.gradient, now.t, trials + 1
        longer = cubic_minimum(before, now, (now.t + 0.01 * (now.t - before.t), now.t * 10))
        before, now = now, at(longer)
        trials += 1
    else:
        before = start
    ends = [before, now]
    low = _lower(ends)

    stalled = False
    reach = float(np.abs(direction).max())
    while trials < evaluations and abs(ends[1].t - ends[0].t) * reach >= tolerance and ends[0].t != ends[1].t:
        shortest, longest = sorted(end.t for end in ends)
        t = cubic_minimum(ends[0], ends[1], (shortest, longest))
        margin = 0.1 * (longest - shortest)
        if min(longest - t, t - shortest) < margin:  # little progress: the second time in a row it is forced
            if stalled or t >= longest or t <= shortest:
                t = longest - margin if abs(t - longest) < abs(t - shortest) else shortest + margin
                stalled = False
            else:
                stalled = True
        else:
            stalled = False
        now = at(t)
        trials += 1
        if too_high(now) or now.loss >= ends[low].loss:
            ends[1 - low] = now
            low = _lower(ends)
        else:
            done = flat(now)
            if not done and now.slope * (ends[1 - low].t - ends[low].t) >= 0:
                ends[1 - low] = ends[low]
            ends[low] = now
            if done:
                break
    best = ends[low]
    return best.loss, best.gradient, best.t, trials + 1


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float]) -> float:
    """Where the cubic through two points with their slopes is least, within bounds; their middle if nowhere."""
    if a.t > b.t:
        a, b = b, a
    if a.t == b.t:
        return sum(bounds) / 2
    c = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = c * c - a.slope * b.slope
    if not square >= 0:
        return sum(bounds) / 2
    root = math.sqrt(square)
    above, below = b.slope + root - c, b.slope - a.slope + 2 * root
    share = above / below if below else math.copysign(math.inf, above)
    return min(max(b.t - (b.t - a.t) * share, bounds[0]), bounds[1])


def _lower(ends: list[Point]) -> int:
    return 0 if ends[0].loss <= ends[1].loss else 1
