"""At a kink any slope between those of both sides passes, and the report says what is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import check, check_vjp

TIES = np.array([[1.0, 1.0, -2.0], [0.5, 3.0, 3.0]])
AT_ZERO = np.array([0.0, 1.5, -1.0, 0.0])

KINKS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "relu": (tg.nn.functional.relu if hasattr(tg.nn.functional, "relu") else tg.relu, [AT_ZERO]),
    "abs": (tg.abs, [AT_ZERO]),
    "sign": (tg.sign, [AT_ZERO]),
    "max": (lambda x: tg.max(x, axis=1), [TIES]),
    "max of all": (tg.max, [np.zeros(4)]),
    "min": (lambda x: tg.min(x, axis=0), [np.ones((3, 2))]),
    "maximum": (tg.maximum, [AT_ZERO, np.zeros(4)]),
    "minimum": (tg.minimum, [TIES, TIES.copy()]),
    "clip": (lambda x: tg.clip(x, -1.0, 1.5), [AT_ZERO]),
    "max_pool2d": (lambda x: tg.nn.functional.max_pool2d(x, 2), [np.ones((1, 1, 4, 4))]),
    "sort": (tg.sort, [np.array([0.5, 0.0, 0.5, 0.0])]),
    "median": (tg.median, [np.array([0.5, 0.0, 0.5, 1.0])]),
    "median, odd": (tg.median, [np.array([0.5, 0.0, 0.5])]),
    "norm": (tg.linalg.norm, [np.zeros(3)]),
    "floor": (tg.floor, [np.array([0.0, 1.0, 0.5])]),
    "round": (tg.round, [np.array([0.5, 1.5, 0.2])]),
    "relu of relu": (lambda x: tg.relu(tg.relu(x)), [AT_ZERO]),
    "hinge": (
        lambda x, y: tg.sum(tg.maximum(1 - x * y, 0)),
        [np.array([1.0, -1.0, 2.0]), np.array([1.0, -1.0, 1.0])],
    ),
}


@pytest.mark.parametrize("fast_mode", [False, True], ids=["full", "fast"])
@pytest.mark.parametrize("name", KINKS)
def test_no_false_alarm_at_a_kink(name: str, fast_mode: bool) -> None:
    f, inputs = KINKS[name]
    report = check(f, inputs, fast_mode=fast_mode)
    assert report.ok, str(report)


@pytest.mark.parametrize(
    "name", ["relu", "abs", "max", "maximum", "clip", "max_pool2d", "sort", "median, odd", "norm"]
)
def test_the_report_has_both_slopes(name: str) -> None:
    f, inputs = KINKS[name]
    notes = check(f, inputs, clauses=["derivative"]).notes
    assert any(
        "not differentiable at" in note and "from below" in note and "from above" in note for note in notes
    )


def relu_with(slope_at_0: float) -> Any:
    def pull(inputs: Any, y: Any, g: Any) -> Any:
        return g * np.where(inputs[0] == 0, slope_at_0, inputs[0] > 0)

    return lambda x: np.maximum(x, 0), pull


@pytest.mark.parametrize("fast_mode", [False, True], ids=["full", "fast"])
@pytest.mark.parametrize("slope", [0.0, 0.25, 0.5, 1.0])
def test_every_subgradient_passes(slope: float, fast_mode: bool) -> None:
    f, pull = relu_with(slope)
    report = check_vjp(f, pull, AT_ZERO, fast_mode=fast_mode)
    assert report.ok
    assert "0 from below and 1 from above" in " ".join(report.notes) or (fast_mode and slope == 0.5)


@pytest.mark.parametrize("fast_mode", [False, True], ids=["full", "fast"])
@pytest.mark.parametrize("slope", [-0.2, 1.1, 7.0, np.nan])
def test_what_is_outside_is_found(slope: float, fast_mode: bool) -> None:
    f, pull = relu_with(slope)
    report = check_vjp(f, pull, AT_ZERO, fast_mode=fast_mode)
    assert not report.ok
    assert report.findings[0].place in ("d result[0] / d x[0]", "d result[3] / d x[3]")


def test_a_kink_close_to_the_point_is_no_kink_at_the_point() -> None:
    x = np.array([1e-5, -1e-5, 2e-4, 0.3])
    assert check(tg.relu, x).ok
    f, pull = relu_with(0.0)
    assert check_vjp(f, pull, x).ok
    assert not check_vjp(f, lambda inputs, y, g: 0.9 * pull(inputs, y, g), x)


def test_the_edge_of_the_domain_is_compared_from_one_side() -> None:
    x = np.array([0.0, 1.0])
    report = check_vjp(lambda x: x**1.5, lambda inputs, y, g: g * 1.5 * np.sqrt(inputs[0]), x)
    assert report.ok
    assert any("edge of the domain" in note for note in report.notes)
    assert not check_vjp(lambda x: x**1.5, lambda inputs, y, g: g * (1.5 * np.sqrt(inputs[0]) + 1), x)


def test_a_function_whose_slopes_cancel_is_wrong_although_each_op_is_right() -> None:
    """relu(x) - relu(-x) is x, but 0 is the slope of both at 0: the rule of sums does not hold at kinks."""
    report = check(lambda x: tg.relu(x) - tg.relu(-x), np.array([0.0, 1.0]))
    assert not report.ok
    assert report.findings[0].place == "d result[0] / d x[0]"
    assert not report.culprits
