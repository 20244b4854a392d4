"""Gradients of complex numbers against PyTorch: every op that takes them, on the samples of its row made complex.

`test_torch` compares the samples as they are, and few rows have complex ones. What PyTorch lacks is in `NOT_THERE`,
so that no op drops out unseen.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from tensorgrad._errors import TensorgradError
from tensorgrad.testing import checks
from tensorgrad.testing.conformance import variants
from tensorgrad.testing.samples import OpSamples, Sample
from tests.reference.peer import torch
from tests.reference.test_torch import ALL, DIFFERENT, TORCH, agree, lift, listed

ENOUGH, TRIES = 2, 8

NOT_THERE = {
    "no order of complex numbers": "maximum minimum at_least at_most fmax fmin max min clip sort topk kthvalue partition "
    "cummax cummin ptp median nanmedian",
    "no complex numbers": "joined rint softmax_cross_entropy batch_norm nansum nanmean max_unpool1d max_unpool2d "
    "max_unpool3d avg_pool1d avg_pool2d avg_pool3d interpolate cdist pdist",
    "no gradient of complex numbers": "nan_to_num scatter_reduce",
    "an error where the phase of a vector counts; functions of the matrix are compared": "eigh svd",
}
"""Rows of which PyTorch computes no complex sample that we compute, by what it has instead of a result."""

ONLY_HERE = {name for names in NOT_THERE.values() for name in names.split()}


def complex_samples(row: OpSamples) -> list[Sample]:
    """Samples with complex arguments that are differentiable, as far as the op accepts them."""
    own = [s for s in row.samples if any(a.dtype.kind == "c" for a in s.args)]
    found = []
    for sample in islice([*own, *variants.complex_numbers(row)], TRIES):
        origin = sample.label.partition(" of '")[2].rstrip("'") or sample.label
        known = (row.name, origin) in DIFFERENT
        if known or not sample.smooth or not checks.Case(row, sample).positions:
            continue
        try:
            results = checks.Case(row, sample).call(*sample.args)
        except (TensorgradError, np.exceptions.ComplexWarning):
            continue
        if any(np.asarray(checks.raw(y)).dtype.kind in "fc" for y in results):
            found.append(sample)
    return found


def compare(row: OpSamples, sample: Sample) -> bool:
    """Whether PyTorch has a gradient here; if it has, it is ours."""
    case = checks.Case(row, sample)
    vs = case.cotangents()
    args = [lift(a, grad=i in case.positions) for i, a in enumerate(sample.args)]
    xs = [args[i] for i in case.positions]
    try:
        ys = [
            y
            for y in listed(TORCH[row.name](*args, **sample.named()))
            if y.is_floating_point() or y.is_complex()
        ]
        theirs = torch.autograd.grad(ys, xs, [lift(v) for v in vs], allow_unused=True, materialize_grads=True)
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        return False
    ours = checks.gradient(case.scalar, [*case.xs, *vs])[: len(case.xs)]
    for g, z in zip(ours, theirs, strict=True):
        agree(g, z)
    return True


@pytest.mark.parametrize("row", [row for row in ALL if row.name in TORCH], ids=lambda row: row.name)
def test_gradients(row: OpSamples) -> None:
    samples = complex_samples(row)
    if not samples:
        return
    compared = 0
    for sample in samples:
        with np.errstate(all="ignore"):
            compared += compare(row, sample)
        if compared == ENOUGH:
            break
    assert (compared == 0) == (row.name in ONLY_HERE), f"{compared} of {len(samples)} samples were compared"


def test_the_list_names_rows() -> None:
    assert {row.name for row in ALL if row.name in TORCH} >= ONLY_HERE
