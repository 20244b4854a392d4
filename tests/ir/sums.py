"""What must hold of every recorded backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np


def check_sums(run: Any) -> int:
    """For each value that a pass reached: contributions and seeds sum to the gradient. How many there were."""
    for k, one in enumerate(run.graph.passes):
        sums: dict[int, Any] = {}
        for (var, stats), g in zip(one.seeds, [run.gradients(k)[v.index] for v, _ in one.seeds], strict=True):
            alone = not any(c.target == var for s in one.steps for c in s.contributions)
            sums[var.index] = g if alone else np.reshape(stats.values, stats.shape)
        for step, arrays in zip(one.steps, run.contributions(k), strict=True):
            for given, array in zip(step.contributions, arrays, strict=True):
                assert run.graph.equations[step.equation].inputs[given.position] == given.target
                old = sums.get(given.target.index)
                sums[given.target.index] = array if old is None else old + array
        found = run.gradients(k)
        assert set(found) == set(sums) == set(one.gradients)
        for index, total in sums.items():
            if index not in one.replaced:
                one_by_one, at_once = np.asarray(total), np.asarray(found[index])
                finite = np.isfinite(at_once)
                assert np.array_equal(one_by_one[~finite], at_once[~finite], equal_nan=True), index
                scale = np.abs(at_once[finite]).max(initial=1e-300)
                assert np.abs(one_by_one[finite] - at_once[finite]).max(initial=0) <= 1e-12 * scale, index
    return sum(len(one.gradients) for one in run.graph.passes)
