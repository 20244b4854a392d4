"""Every op on every sample of the table: recorded, it gives the same bits, and contributions that sum to gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad._primitive import registry
from tensorgrad.testing.case import Case
from tensorgrad.testing.samples import COMPOSED, ROWS, OpSamples
from tests.ir.sums import check_sums

ALL = [*ROWS.values(), *COMPOSED.values()]


def computed(case: Case) -> tuple[list[Any], list[Any]]:
    """The results, and the gradients that come from cotangents which differ from entry to entry."""
    args = list(case.args)
    for i in case.positions:
        args[i] = tg.tensor(args[i], requires_grad=True)
    tg.manual_seed(0)
    results = case.call(*args)
    tracked = [y for y in results if isinstance(y, tg.Tensor) and y.requires_grad]
    for k, y in enumerate(tracked):
        g = np.cos(np.arange(y.size) + k).reshape(y.shape).astype(y.dtype)
        y.backward(g, retain_graph=k + 1 < len(tracked))
    return results, [args[i].grad for i in case.positions]


def same_bits(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    a, b = (np.asarray(one.detach() if isinstance(one, tg.Tensor) else one) for one in (a, b))
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_recorded_it_is_the_same(row: OpSamples) -> None:
    for sample in row.samples:
        case = Case(row, sample)
        with np.errstate(all="ignore"):
            alone = computed(case)
            with tg.record(values=1000) as run:
                seen = computed(case)
        for a, b in zip([*alone[0], *alone[1]], [*seen[0], *seen[1]], strict=True):
            assert type(a) is type(b) and same_bits(a, b), sample.label
        assert len(run.graph.passes) == sum(isinstance(y, tg.Tensor) and y.requires_grad for y in seen[0])
        check_sums(run)
        card = registry.get(row.name)
        if row.op is None and card is not None and any(isinstance(y, tg.Tensor) for y in seen[0]):
            assert row.name in [e.op for e in run.graph.equations], sample.label
