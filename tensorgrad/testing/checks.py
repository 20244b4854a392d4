"""What every row of the table of samples goes through; each check is a function that asserts.

A check takes a row and one of its samples. Derivatives of all orders are checked on one scalar
function, ``F(x, v) = sum(v * op(x))``: its gradient in ``x`` is the cotangent that the op returns for
``v``, and since ``v`` is a variable like ``x``, the second order of ``F`` also transposes the
transpose. Higher orders are checked in random directions, where one difference of gradients stands
for a whole row of the Hessian.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from .. import ops
from .._errors import TensorgradError
from .._primitive import registry
from .._tensor import Tensor, tensor
from ..autograd import grad as gradients
from ..ir import trace as tracing
from ..transforms import grad, jvp, vmap
from ..transforms.batched import looped
from .case import (
    Case,
    close,
    gradient,
    gradient_of,
    narrow,
    random_like,
    raw,
    value_and_gradients,
    vary,
)
from .differences import central, complex_step, entries, joined, step_for
from .layouts import SAME_VALUES, laid_out
from .recorded import inner
from .rules import REASONS
from .samples import Fails, Kink, OpSamples, Sample, is_floating

EPS = step_for(np.dtype(np.float64))
TOLERANCE = {"float64": 1e-12, "float32": 1e-4, "float16": 3e-2}


# ---- values


def forward(row: OpSamples, sample: Sample) -> None:
    """The op equals its reference; arrays give arrays and tensors give tensors."""
    case = Case(row, sample)
    expected = row.reference(*case.args, **sample.named())
    expected = list(expected) if isinstance(expected, tuple) else [expected]
    plain = np.ndarray | np.generic
    for make, kind in ((lambda a: a, plain), (lambda a: a[()], plain), (tensor, Tensor)):
        results = case.call(*[make(a) for a in case.args])
        assert len(results) == len(expected)
        for y, z in zip(results, expected, strict=True):
            # An op without inputs makes tensors by itself.
            assert isinstance(y, kind) or not case.args, f"{type(y).__name__} for arguments made by {make}"
            close(y, z, rtol=1e-12, atol=1e-13, what="result and reference")
            assert np.asarray(raw(y)).dtype.kind == np.asarray(z).dtype.kind


def batching(row: OpSamples, sample: Sample) -> None:
    """`vmap` equals a loop, and is none: arguments batched and not, along every axis, and the gradients."""
    case = Case(row, sample)
    stacks = [np.stack([a, vary(a, 1), vary(a, 2)], axis=-1) for a in case.args]
    many, before = len(stacks), dict(looped)
    masks = set(itertools.product([False, True], repeat=many)) if many <= 3 else set()
    masks |= {tuple([j == i for j in range(many)]) for i in range(many)} | {(True,) * many}
    for number, mask in enumerate(sorted(masks - {(False,) * many})):
        axes = [-1 - number % stack.ndim if own else None for stack, own in zip(stacks, mask, strict=True)]
        args = [
            a if axis is None else np.moveaxis(stack, -1, axis)
            for stack, a, axis in zip(stacks, case.args, axes, strict=True)
        ]
        singles = [
            [s[..., k] if own else a for s, a, own in zip(stacks, case.args, mask, strict=True)]
            for k in range(3)
        ]
        together = vmap(lambda *xs: tuple(case.call(*xs)), in_axes=axes)(*args)
        loop = zip(*[case.call(*single) for single in singles], strict=True)
        for y, parts in zip(together, loop, strict=True):
            close(
                y, np.stack([raw(p) for p in parts]), rtol=1e-12, atol=1e-13, what=f"batch of {mask} and loop"
            )
    if case.positions and sample.smooth:
        pull = grad(case.scalar, argnums=tuple(range(len(case.xs))))
        xs = [stacks[i] for i in case.positions]
        vs = case.cotangents()
        together = vmap(pull, in_axes=[-1] * len(xs) + [None] * len(vs))(*xs, *vs)
        loop = zip(*[pull(*[x[..., k] for x in xs], *vs) for k in range(3)], strict=True)
        for y, parts in zip(together, loop, strict=True):
            close(y, np.stack(parts), rtol=1e-10, atol=1e-12, what="batch of gradients and loop")
    found = {name for name, count in looped.items() if count != before.get(name, 0)}
    assert all((name, "batch") in REASONS for name in found), f"run example by example: {sorted(found)}"


def replay(row: OpSamples, sample: Sample) -> None:
    """A recorded program, run on other arguments, equals the call; so does that of the gradient."""
    case = Case(row, sample)
    others = [vary(a, 1) for a in case.args]
    graph = tracing(lambda *args: tuple(case.call(*args)), *case.args)
    for y, z in zip(graph(*others), case.call(*others), strict=True):
        close(y, z, rtol=1e-13, atol=0, what="replay and call")
    if case.positions and sample.smooth:
        pull = grad(case.scalar, argnums=tuple(range(len(case.xs))))
        vs = case.cotangents()
        graph = tracing(pull, *case.xs, *vs)
        xs = [vary(x, 1) for x in case.xs]
        for y, z in zip(graph(*xs, *vs), pull(*xs, *vs), strict=True):
            close(y, z, rtol=1e-12, atol=1e-13, what="replay and call of the gradient")


def layouts(row: OpSamples, sample: Sample) -> None:
    """Strides do not matter: Fortran order, every second element, negative strides, read-only memory."""
    for name in SAME_VALUES:
        in_layout(row, sample, name)


def in_layout(row: OpSamples, sample: Sample, name: str) -> None:
    """Arrays in another layout, cotangents too, give what plain ones give."""
    case = Case(row, sample)
    vs = case.cotangents()
    plain, plain_grads = value_and_gradients(case, case.args, vs)
    args, seeds = [[laid_out(a, name) if a.ndim else a for a in some] for some in (case.args, vs)]
    for y, z in zip(case.call(*args), plain, strict=True):
        close(y, z, rtol=1e-13, atol=1e-14, what=f"{name} arrays and plain ones")
    values, grads = value_and_gradients(case, args, seeds)
    for y, z in zip([*values, *grads], [*plain, *plain_grads], strict=True):
        close(y, z, rtol=1e-13, atol=1e-14, what=f"{name} tensors and plain ones")


def unchanged(row: OpSamples, sample: Sample) -> None:
    """Neither the forward nor the backward pass writes to an argument or a cotangent."""
    case = Case(row, sample)
    vs = case.cotangents()
    held = [*case.args, *vs]
    before = [a.tobytes() for a in held]
    value_and_gradients(case, case.args, vs)
    case.call(*case.args)
    assert [a.tobytes() for a in held] == before


# ---- dtypes


def dtypes(row: OpSamples, sample: Sample) -> None:
    """The result has the dtype of the inputs, and each gradient the dtype and shape of its input."""
    for dtype in TOLERANCE:
        if written_in(sample, dtype):
            in_dtype(row, sample, dtype)


def written_in(sample: Sample, dtype: str) -> bool:
    """Whether the arguments can be written in a floating dtype: none overflows, none is complex in float16."""
    args = [narrow(a, dtype) for a in sample.args]
    return not any(a is None or not _same_finite(a, b) for a, b in zip(args, sample.args, strict=True))


def in_dtype(row: OpSamples, sample: Sample, dtype: str) -> None:
    """`dtypes` for one of the keys of `TOLERANCE`."""
    exact = Case(row, sample)
    kinds = [np.asarray(y).dtype for y in exact.call(*exact.args)]
    vs = exact.cotangents()
    args = [narrow(a, dtype) for a in exact.args]
    with np.errstate(all="ignore") if not sample.smooth else nullcontext():
        results = exact.call(*args)
    for y, kind in zip(results, kinds, strict=True):
        wanted = _of_size(np.zeros((), kind), dtype).dtype if row.keeps_dtype and kind.kind in "fc" else kind
        assert y.dtype == wanted, f"{dtype} inputs give a result of {y.dtype}, not {wanted}"
    _gradients_fit(exact, args, [_of_size(v, dtype) if row.keeps_dtype else v for v in vs], TOLERANCE[dtype])


def mixed_dtypes(row: OpSamples, sample: Sample) -> None:
    """Inputs of different dtypes: each gradient has the dtype of its own input."""
    exact = Case(row, sample)
    for narrowed in exact.positions:
        args = [narrow(a, "float32") if i == narrowed else a for i, a in enumerate(exact.args)]
        if not _same_finite(args[narrowed], exact.args[narrowed]):
            continue
        with np.errstate(all="ignore"):
            results = [y for y in exact.call(*args) if y.dtype.kind in "fc"]
        vs = [random_like(y, seed) for seed, y in enumerate(results)]
        _gradients_fit(exact, args, vs, TOLERANCE["float32"])


def _gradients_fit(exact: Case, args: Sequence[Any], vs: Sequence[Any], tolerance: float) -> None:
    """Gradients at ``args`` have their dtypes and shapes, and nearly the values of double precision."""
    row, sample = exact.row, exact.sample
    case = Case(row, Sample(sample.label, tuple(args), sample.params, wrt=sample.wrt))
    _, grads = value_and_gradients(case, args, vs)
    for x, g in zip(case.xs, grads, strict=True):
        assert g.dtype == x.dtype, f"the gradient of a {x.dtype} input is {g.dtype}"
        assert g.shape == x.shape
    if not sample.smooth:
        return
    wide, seeds = ([narrow(a, "float64") for a in some] for some in (args, vs))
    _, precise = value_and_gradients(exact, wide, seeds)
    for g, z in zip(grads, precise, strict=True):
        size = float(np.abs(z).max(initial=1.0))
        close(g, z, rtol=0, atol=tolerance * size, what=f"{g.dtype} gradient and float64")


def integers(row: OpSamples, sample: Sample) -> None:
    """Integers and booleans give what NumPy's own function gives, dtype and errors included."""
    assert row.numpy is not None
    for dtype in ("int64", "int32", "uint8", "bool"):
        args = [whole(a, dtype) if is_floating(a) else a for a in sample.args]
        try:
            expected = row.numpy(*args, **sample.named())
        except (TypeError, ValueError) as error:
            try:
                row(*args, **sample.named())
            except (TypeError, ValueError):
                continue
            raise AssertionError(f"NumPy raises {error!r} for {dtype}, the op does not") from None
        results = row(*args, **sample.named())
        pairs = zip(results, expected, strict=True) if isinstance(results, tuple) else [(results, expected)]
        for y, z in pairs:
            kind = np.asarray(z).dtype  # some of NumPy's functions give Python's numbers
            assert y.dtype == kind, f"{dtype} gives {y.dtype}, with NumPy {kind}"
            close(y, z, rtol=1e-6, atol=0, what=f"result for {dtype} and NumPy's")


# ---- derivatives


def first(row: OpSamples, sample: Sample) -> None:
    """The gradient equals differences; where the op takes complex numbers, to nearly all digits."""
    case = Case(row, sample)
    vs = case.cotangents()
    found = gradient(case.scalar, [*case.xs, *vs])
    row_of_vs = joined(vs)
    card = registry.get(row.name)
    real = all(z.dtype.kind == "f" for z in (*case.xs, *vs))
    exact = row.op is None and card is not None and card.analytic and sample.complex_step and real
    for i, g in enumerate(found[: len(case.xs)]):
        jacobian = (
            complex_step(case.of, case.xs, i) if exact else central(_floating(case.of), case.xs, i, EPS)
        )
        close(
            entries(g), row_of_vs @ jacobian, rtol=1e-11 if exact else 1e-6, atol=1e-11 if exact else 1e-7,
            what=f"gradient of argument {case.positions[i]} and {'complex step' if exact else 'differences'}",
        )  # fmt: skip
    for v, y in zip(
        found[len(case.xs) :], [y for y in case.of(*case.xs) if y.dtype.kind in "fc"], strict=True
    ):
        close(v, y, rtol=1e-12, atol=1e-13, what="gradient of the cotangent and result")


def second(row: OpSamples, sample: Sample) -> None:
    """A Hessian-vector product equals a difference of gradients."""
    _order(row, sample, 2)


def third(row: OpSamples, sample: Sample) -> None:
    """The derivative of a Hessian-vector product equals a difference of those."""
    _order(row, sample, 3)


def forward_mode(row: OpSamples, sample: Sample) -> None:
    """``jvp`` equals differences, is adjoint to the gradient, and goes over and under reverse mode."""
    case = Case(row, sample)
    ts = [random_like(x, 10 + i) for i, x in enumerate(case.xs)]
    vs = case.cotangents()
    of = _floating(case.of)
    values, tangents = jvp(lambda *xs: tuple(of(*xs)), tuple(case.xs), tuple(ts))
    for y, t, z in zip(values, tangents, of(*case.xs), strict=True):
        close(y, z, rtol=1e-12, atol=1e-13, what="value beside the tangent and result")
        assert t.dtype == z.dtype and t.shape == z.shape
    up, down = (joined(of(*[x + s * EPS * t for x, t in zip(case.xs, ts, strict=True)])) for s in (1, -1))
    close(joined(tangents), (up - down) / (2 * EPS), rtol=1e-6, atol=1e-7, what="tangent and difference")
    found = gradient(case.scalar, [*case.xs, *vs])[: len(case.xs)]
    close(
        joined(vs) @ joined(tangents),
        joined(found) @ joined(ts),
        rtol=1e-11,
        atol=1e-11,
        what="<v, Jt> and <J'v, t>",
    )
    numbers = tuple(range(len(case.xs)))
    product = gradient(lambda *xs: inner(ts, gradient_of(case.scalar, [*xs, *vs])[: len(xs)]), case.xs)
    _, over = jvp(lambda *xs: grad(case.scalar, numbers)(*xs, *vs), tuple(case.xs), tuple(ts))
    close(
        joined(over),
        joined(product),
        rtol=1e-10,
        atol=1e-11,
        what="forward over reverse and reverse over reverse",
    )
    under = grad(lambda *xs: inner(vs, jvp(lambda *zs: tuple(of(*zs)), xs, tuple(ts))[1]), numbers)(*case.xs)
    close(
        joined(under),
        joined(product),
        rtol=1e-10,
        atol=1e-11,
        what="reverse over forward and reverse over reverse",
    )


def _order(row: OpSamples, sample: Sample, order: int) -> None:
    case = Case(row, sample)
    function: Callable[..., Any] = case.scalar
    zs = [*case.xs, *case.cotangents()]
    for step in range(order - 1):
        lower = function
        us = [random_like(z, 20 + 10 * step + i) for i, z in enumerate(zs)]
        if step == order - 2:
            ends = [gradient(lower, [z + s * EPS * u for z, u in zip(zs, us, strict=True)]) for s in (1, -1)]
            numeric = (joined(ends[0]) - joined(ends[1])) / (2 * EPS)
        function = _projected(lower, us)
    analytic = joined(gradient(function, zs))
    size = float(np.abs(numeric).max(initial=1.0))
    close(analytic, numeric, rtol=1e-5, atol=1e-7 * size, what=f"derivative of order {order} and difference")


def _projected(function: Callable[..., Any], us: Sequence[Any]) -> Callable[..., Any]:
    return lambda *zs: inner(us, gradient_of(function, zs))


def kinks(row: OpSamples, kink: Kink) -> None:
    """Where the derivative is a convention it is the one of the row, in reverse and in forward mode."""
    xs = [tensor(a, requires_grad=True) for a in kink.args]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = gradients(ops.sum(row(*xs, **kink.params)), xs)
    for g, expected in zip(found, kink.gradients, strict=True):
        np.testing.assert_allclose(raw(g), expected, rtol=1e-14, atol=0)
    if all(np.isfinite(g).all() for g in kink.gradients):
        ts = [random_like(a, i) for i, a in enumerate(kink.args)]
        _, tangent = jvp(lambda *zs: ops.sum(row(*zs, **kink.params)), kink.args, ts)
        moved = sum(np.sum(g * t) for g, t in zip(kink.gradients, ts, strict=True))
        close(tangent, moved, rtol=1e-6, atol=1e-12, what="tangent and the gradients of the row")


# ---- messages


def errors(row: OpSamples, fails: Fails) -> None:
    """A bad call raises an error of ours, with the message that the row expects."""
    raised: Exception | None = None
    try:
        fails.call()
    except fails.raises as error:
        raised = error
    assert raised is not None, f"{row.name}: a call that must raise {fails.raises.__name__} returned"
    assert isinstance(raised, TensorgradError), f"{type(raised).__name__} is not one of our errors"
    assert re.search(fails.match, str(raised)), f"{fails.match!r} is not found in: {raised}"


# ---- parts


def _floating(f: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    return lambda *xs: [y for y in f(*xs) if y.dtype.kind in "fc"]


def _of_size(a: Any, dtype: str) -> Any:
    """A result in another dtype; there is no complex number of the size of float16."""
    narrowed = narrow(a, dtype)
    return a.astype(np.complex64) if narrowed is None else narrowed


def _same_finite(a: Any, b: Any) -> bool:
    return np.array_equal(np.isfinite(a), np.isfinite(b))


def whole(a: Any, dtype: str) -> Any:
    """Small integers, or booleans, in the shape of an array."""
    return (
        np.arange(a.size).reshape(a.shape) % (2 if dtype == "bool" else 3) + 1 - (dtype == "bool")
    ).astype(dtype)
