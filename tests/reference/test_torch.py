"""Values and gradients of every row against PyTorch, in float64 to ten digits.

The modules ``torch_<family>`` say what each op is called there (`TORCH`). What has no counterpart, and
where the two differ on purpose, is listed there with the reason; a row that is in none of the lists fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import checks
from tensorgrad.testing.samples import COMPOSED, ROWS, Kink, OpSamples, Sample
from tests.reference import (
    torch_activations,
    torch_choose,
    torch_core,
    torch_fft,
    torch_fused,
    torch_linalg_solve,
    torch_linalg_spectral,
    torch_losses,
    torch_more,
    torch_more_names,
    torch_pool,
    torch_sequences,
    torch_special_error,
    torch_special_gamma,
    torch_window,
)
from tests.reference.peer import torch

ALL = [*ROWS.values(), *COMPOSED.values()]
FAMILIES = (
    torch_core,
    torch_more,
    torch_more_names,
    torch_special_error,
    torch_special_gamma,
    torch_choose,
    torch_linalg_solve,
    torch_linalg_spectral,
    torch_window,
    torch_fft,
    torch_fused,
    torch_losses,
    torch_pool,
    torch_sequences,
    torch_activations,
)


def merged(name: str) -> dict[Any, Any]:
    """One of the tables, of all families; none is said twice."""
    tables = [getattr(family, name, {}) for family in FAMILIES]
    whole = {key: value for table in tables for key, value in table.items()}
    assert len(whole) == sum(len(table) for table in tables)
    return whole


TORCH: dict[str, Callable[..., Any]] = merged("TORCH")
WITHOUT_COUNTERPART: dict[str, str] = merged("WITHOUT_COUNTERPART")
DIFFERENT: dict[tuple[str, str], str] = merged("DIFFERENT")
SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = merged("SECOND_ORDER_DIFFERS")
KINKS_THAT_DIFFER: dict[tuple[str, str], str] = merged("KINKS_THAT_DIFFER")


def cases(which: Callable[[OpSamples, Sample], bool] = lambda row, sample: True) -> pytest.MarkDecorator:
    chosen = [
        (row, sample)
        for row in ALL
        for sample in row.samples
        if row.name in TORCH and (row.name, sample.label) not in DIFFERENT and which(row, sample)
    ]
    ids = [f"{row.name}-{sample.label}" for row, sample in chosen]
    return pytest.mark.parametrize(("row", "sample"), chosen, ids=ids)


def lift(a: Any, *, grad: bool = False) -> Any:
    """An array as a tensor of PyTorch's."""
    made = torch.from_numpy(np.array(a, order="C"))
    return made.requires_grad_() if grad else made


def listed(y: Any) -> list[Any]:
    return list(y) if isinstance(y, tuple | list) else [y]


def agree(ours: Any, theirs: Any) -> None:
    theirs = theirs.numpy(force=True)
    checks.close(ours, theirs, rtol=1e-10, atol=1e-12, what="ours and PyTorch's")


def test_every_row_is_compared_or_has_a_reason() -> None:
    names = {row.name for row in ALL}
    assert not set(TORCH) & set(WITHOUT_COUNTERPART)
    assert set(TORCH) | set(WITHOUT_COUNTERPART) == names
    labels = {(row.name, sample.label) for row in ALL for sample in row.samples}
    assert set(DIFFERENT) | set(SECOND_ORDER_DIFFERS) <= labels
    assert set(KINKS_THAT_DIFFER) <= {(row.name, kink.label) for row in ALL for kink in row.kinks}


@cases()
def test_values(row: OpSamples, sample: Sample) -> None:
    with np.errstate(all="ignore"):
        ours = listed(row(*sample.args, **sample.named()))
    theirs = listed(TORCH[row.name](*[lift(a) for a in sample.args], **sample.named()))
    for y, z in zip(ours, theirs, strict=True):
        agree(y, z)
        assert np.asarray(y).dtype.name == str(z.dtype).removeprefix("torch.")


@cases(lambda row, sample: sample.smooth and bool(checks.Case(row, sample).positions))
def test_gradients(row: OpSamples, sample: Sample) -> None:
    """First order, and the gradient of its product with another random vector."""
    case = checks.Case(row, sample)
    vs = case.cotangents()
    us = [checks.random_like(x, 50 + i) for i, x in enumerate(case.xs)]
    ours = checks.gradient(case.scalar, [*case.xs, *vs])[: len(case.xs)]
    second = checks.gradient(
        lambda *xs: checks.inner(us, checks.gradient_of(case.scalar, [*xs, *vs])[: len(xs)]), case.xs
    )
    args = [lift(a, grad=i in case.positions) for i, a in enumerate(sample.args)]
    xs = [args[i] for i in case.positions]
    ys = [
        y for y in listed(TORCH[row.name](*args, **sample.named())) if y.is_floating_point() or y.is_complex()
    ]
    theirs = torch.autograd.grad(
        ys, xs, [lift(v) for v in vs], create_graph=True, allow_unused=True, materialize_grads=True
    )
    for g, z in zip(ours, theirs, strict=True):
        agree(g, z)
    if (row.name, sample.label) in SECOND_ORDER_DIFFERS:
        return
    total = sum((torch.conj(lift(u)) * g).real.sum() for u, g in zip(us, theirs, strict=True))
    if not (isinstance(total, torch.Tensor) and total.requires_grad):
        assert all(not h.any() for h in second)
        return
    for g, z in zip(
        second, torch.autograd.grad(total, xs, allow_unused=True, materialize_grads=True), strict=True
    ):
        agree(g, z)


@pytest.mark.parametrize(
    ("row", "kink"),
    [(row, kink) for row in ALL for kink in row.kinks if (row.name, kink.label) not in KINKS_THAT_DIFFER],
    ids=lambda value: value.name if isinstance(value, OpSamples) else value.label,
)
def test_kinks(row: OpSamples, kink: Kink) -> None:
    xs = [lift(a, grad=True) for a in kink.args]
    y = TORCH[row.name](*xs, **kink.params).sum()
    for g, expected in zip(torch.autograd.grad(y, xs), kink.gradients, strict=True):
        np.testing.assert_allclose(g.numpy(), expected, rtol=1e-14, atol=0)


def test_a_small_training_run_takes_the_same_steps() -> None:
    """Two layers, softmax and cross-entropy, by hand on both sides: fifty steps, to the last digits."""
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((32, 5)), rng.integers(0, 3, 32)
    start = [rng.standard_normal(shape) * 0.5 for shape in [(5, 8), (8,), (8, 3), (3,)]]

    ours = [tg.tensor(p, requires_grad=True) for p in start]
    theirs = [lift(p, grad=True) for p in start]
    for _ in range(50):
        w1, b1, w2, b2 = ours
        scores = tg.tanh(tg.tensor(x) @ w1 + b1) @ w2 + b2
        loss = -tg.take_along_axis(tg.log_softmax(scores), labels[:, None], axis=1).mean()
        grads = tg.autograd.grad(loss, ours)
        with tg.no_grad():
            for p, g in zip(ours, grads, strict=True):
                p -= 0.5 * g

        v1, c1, v2, c2 = theirs
        other = torch.nn.functional.cross_entropy(torch.tanh(lift(x) @ v1 + c1) @ v2 + c2, lift(labels))
        others = torch.autograd.grad(other, theirs)
        with torch.no_grad():
            for q, h in zip(theirs, others, strict=True):
                q -= 0.5 * h
        assert loss.item() == pytest.approx(other.item(), rel=1e-10)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-9)
