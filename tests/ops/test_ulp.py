"""Special functions against mpmath: at 200 points each here, at 10,000 in the campaign (``make campaigns``)."""

from __future__ import annotations

import pytest

from tests.ops import ulp_error, ulp_gamma
from tests.ops.ulp import Ulp, worst

CASES: list[Ulp] = [*ulp_error.CASES, *ulp_gamma.CASES]


def check(case: Ulp, count: int) -> None:
    error, where = worst(case, count)
    point = ", ".join(f"{x:.17g}" for x in where)
    print(f"| {case} | {count:,} | {error:.2f} | {point} |")
    assert error <= case.bound, f"{case}: {error:.2f} ulp at {point}; at most {case.bound} are promised"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_within_the_bound(case: Ulp) -> None:
    check(case, 200)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_within_the_bound_at_many_points(case: Ulp) -> None:
    check(case, 10_000)


def test_labels_tell_cases_apart() -> None:
    assert len({str(case) for case in CASES}) == len(CASES)
