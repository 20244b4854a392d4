"""What the tests of the bridges hold the derivatives of other libraries against."""

from __future__ import annotations

import numpy as np

from tensorgrad.testing.differences import central, joined


def wrong(subject, arrays, rtol=1e-6):
    """The names of the inputs whose gradients differ from central differences."""
    ys, pull = subject.pullback(*arrays)
    gs = drawn(ys)
    slopes = [joined(gs) @ central(subject.results, arrays, i, 1e-6) for i in range(len(arrays))]
    found = [joined([np.zeros_like(a) if g is None else g]) for g, a in zip(pull(gs), arrays, strict=True)]
    return [
        name
        for name, g, slope in zip(subject.names, found, slopes, strict=True)
        if not np.allclose(g, slope, rtol=rtol, atol=1e-8)
    ]


def second_order_wrong(subject, arrays):
    """The same for the gradient of the gradient; None if there is none."""
    second = subject.derived(len(subject.results(*arrays)))
    return None if second is None else wrong(second, [*arrays, *drawn(subject.results(*arrays))])


def forward_agrees(subject, arrays):
    """Whether forward mode is the adjoint of reverse mode; None without one."""
    ys, pull = subject.pullback(*arrays)
    ts, gs = drawn(arrays), drawn(ys)
    pushed = subject.pushforward(arrays, ts)
    return (
        None
        if pushed is None
        else bool(np.isclose(joined(pushed) @ joined(gs), joined(ts) @ joined(pull(gs))))
    )


def batching_agrees(subject, arrays):
    """Whether results and gradients of a stack are those of its members; None without batching."""
    stacks = [np.stack([a, 0.5 * a, a + 0.25]) for a in arrays]
    pulled = [subject.pullback(*[np.asarray(a) for a in member]) for member in zip(*stacks, strict=True)]
    ys = [np.stack(members) for members in zip(*[one for one, _ in pulled], strict=True)]
    gs = drawn(ys)
    gradients = [pull([np.asarray(g[i]) for g in gs]) for i, (_, pull) in enumerate(pulled)]
    expected = [*ys, *[np.stack(members) for members in zip(*gradients, strict=True)]]
    found = subject.batched(stacks, gs)
    return None if found is None else all(map(np.allclose, [*found[0], *found[1]], expected))


def drawn(arrays):
    """Random arrays of the shapes and dtypes of others."""
    rng = np.random.default_rng(0)
    pairs = [(rng.standard_normal(a.shape) + 1j * rng.standard_normal(a.shape), a) for a in arrays]
    return [np.asarray(z if a.dtype.kind == "c" else z.real).astype(a.dtype) for z, a in pairs]
