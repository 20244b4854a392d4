"""Rows of what slides over an array: correlations and convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ...ops import window
from ...ops.window import correlation as cards
from .row import Fails, OpSamples, Sample, at, complex_normal, normal, row

# ---- references


def _visits(lengths: Any, extents: Any, stride: Any, padding: Any, dilation: Any) -> Iterator[Any]:
    """Every place, each element of the filter there, and the position it sees, if that is in the image."""
    for place in np.ndindex(*_counts(lengths, extents, stride, padding, dilation)):
        for element in np.ndindex(*extents):
            position = tuple(
                [
                    i * s + k * d - p
                    for i, s, k, d, (p, _) in zip(place, stride, element, dilation, padding, strict=True)
                ]
            )
            if all(0 <= i < n for i, n in zip(position, lengths, strict=True)):
                yield place, element, position


def _counts(lengths: Any, extents: Any, stride: Any, padding: Any, dilation: Any) -> list[int]:
    return [
        len(range(0, n + p + q - (k - 1) * d, s))
        for n, k, s, (p, q), d in zip(lengths, extents, stride, padding, dilation, strict=True)
    ]


def _links(filters: int, channels: int, groups: int) -> Iterator[tuple[int, int, int]]:
    """A filter, a channel of the image that it sees, and which one of its own this is."""
    for o, c in np.ndindex(filters, channels // groups):
        yield o, o // (filters // groups) * (channels // groups) + c, c


def _correlation(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    lengths, extents = x.shape[2:], w.shape[2:]
    counts = _counts(lengths, extents, stride, padding, dilation)
    y = np.zeros((x.shape[0], w.shape[0], *counts), np.result_type(x, w))
    for place, element, position in _visits(lengths, extents, stride, padding, dilation):
        for n in range(x.shape[0]):
            for o, c, own in _links(w.shape[0], x.shape[1], groups):
                y[(n, o, *place)] += x[(n, c, *position)] * w[(o, own, *element)]
    return y


def _spread(z: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: Any, lengths: Any) -> Any:
    x = np.zeros((z.shape[0], w.shape[1] * groups, *lengths), np.result_type(z, w))
    for place, element, position in _visits(lengths, w.shape[2:], stride, padding, dilation):
        for n in range(z.shape[0]):
            for o, c, own in _links(z.shape[1], x.shape[1], groups):
                x[(n, c, *position)] += z[(n, o, *place)] * w[(o, own, *element)]
    return x


def _filters(x: Any, z: Any, stride: Any, padding: Any, dilation: Any, groups: Any, extents: Any) -> Any:
    w = np.zeros((z.shape[1], x.shape[1] // groups, *extents), np.result_type(x, z))
    for place, element, position in _visits(x.shape[2:], extents, stride, padding, dilation):
        for n in range(x.shape[0]):
            for o, c, own in _links(z.shape[1], x.shape[1], groups):
                w[(o, own, *element)] += x[(n, c, *position)] * z[(n, o, *place)]
    return w


def _each(value: Any, rank: int) -> Any:
    return (value,) * rank if isinstance(value, int) else value


def _convolution(
    x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1
) -> Any:
    if x.ndim < w.ndim:
        return _convolution(x[None], w, bias, stride, padding, dilation, groups)[0]
    rank = w.ndim - 2
    stride, dilation = _each(stride, rank), _each(dilation, rank)
    if padding == "same":
        spans = [(k - 1) * d for k, d in zip(w.shape[2:], dilation, strict=True)]
        pads = [(s // 2, s - s // 2) for s in spans]
    else:
        pads = [(p, p) for p in _each(0 if padding == "valid" else padding, rank)]
    y = _correlation(x, w, stride, pads, dilation, groups)
    return y if bias is None else y + bias.reshape(-1, *[1] * rank)


def _transposed(
    x: Any,
    w: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> Any:
    """By its definition: each element adds its filter to a large image, which is cut at the end."""
    rank = w.ndim - 2
    stride, dilation, padding, more = [_each(v, rank) for v in (stride, dilation, padding, output_padding)]
    whole = [
        (n - 1) * s + (k - 1) * d + 1 + m
        for n, s, k, d, m in zip(x.shape[-rank:], stride, w.shape[2:], dilation, more, strict=True)
    ]
    y = np.zeros((x.shape[0], w.shape[1] * groups, *whole), np.result_type(x, w))
    for place in np.ndindex(*x.shape[2:]):
        for element in np.ndindex(*w.shape[2:]):
            to = [i * s + k * d for i, s, k, d in zip(place, stride, element, dilation, strict=True)]
            for n in range(x.shape[0]):
                for c, o, own in _links(x.shape[1], y.shape[1], groups):
                    y[(n, o, *to)] += x[(n, c, *place)] * w[(c, own, *element)]
    inner: Any = (..., *[slice(p, n - p) for p, n in zip(padding, whole, strict=True)])
    y = y[inner]
    return y if bias is None else y + bias.reshape(-1, *[1] * rank)


def _convolved(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = np.atleast_1d(a, v)
    n, m = sorted((len(a), len(v)))
    y = np.zeros(n + m - 1, np.result_type(a, v))
    for i, j in np.ndindex(len(a), len(v)):
        y[i + j] += a[i] * v[j]
    first, count = {"full": (0, n + m - 1), "same": ((n - 1) // 2, m), "valid": (n - 1, m - n + 1)}[mode]
    return y[first : first + count]


def _correlated(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = np.atleast_1d(a, v)
    n, m = len(a), len(v)
    every = {k: sum(a[i + k] * np.conj(v[i]) for i in range(m) if 0 <= i + k < n) for k in range(-m + 1, n)}
    first, last = {
        "full": (-m + 1, n),
        "same": (-(m // 2), n - m // 2) if n >= m else (n // 2 - m + 1, n // 2 + 1),
        "valid": (0, n - m + 1) if n >= m else (n - m, 1),
    }[mode]
    return np.array([every[k] for k in range(first, last)])


# ---- samples

ONE: dict[str, Any] = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
OVER: dict[str, Any] = {"stride": (3,), "padding": ((1, 0),), "dilation": (2,), "groups": 1}
PLANE: dict[str, Any] = {"stride": (1, 2), "padding": ((1, 0), (0, 1)), "dilation": (1, 2), "groups": 2}
SPACE: dict[str, Any] = {
    "stride": (1, 1, 1),
    "padding": ((0, 0), (0, 0), (1, 1)),
    "dilation": (1, 1, 1),
    "groups": 1,
}


def _trio(label: str, x: Any, w: Any, z: Any, how: dict[str, Any]) -> tuple[Sample, Sample, Sample]:
    rank = len(how["stride"])
    return (
        at(label, x, w, **how),
        at(label, z, w, **how, lengths=x.shape[-rank:]),
        at(label, x, z, **how, extents=w.shape[-rank:]),
    )


SAMPLES = [
    _trio("size 1", normal(1, 1, 1), normal(1, 1, 1, seed=1), normal(1, 1, 1, seed=2), ONE),
    _trio("axes", normal(2, 2, 2, 4), normal(4, 1, 2, 2, seed=1), normal(2, 4, 2, 2, seed=2), PLANE),
    _trio(
        "axes, three",
        normal(1, 1, 2, 2, 1),
        normal(1, 1, 1, 2, 2, seed=1),
        normal(1, 1, 2, 1, 2, seed=2),
        SPACE,
    ),
    _trio(
        "edge: elements left over", normal(1, 1, 7), normal(1, 1, 2, seed=1), normal(1, 1, 2, seed=2), OVER
    ),
    _trio("edge: no images", np.zeros((0, 2, 2)), normal(1, 2, 1), np.zeros((0, 1, 2)), ONE),
    _trio(
        "edge: complex",
        complex_normal(1, 1, 3),
        complex_normal(2, 1, 2, seed=1),
        complex_normal(1, 2, 2, seed=2),
        ONE,
    ),
]

ROWS: list[OpSamples] = [
    row(
        "correlation",
        *[trio[0] for trio in SAMPLES],
        reference=_correlation,
        errors=(
            Fails(
                lambda: cards.correlation(np.ones((1, 3, 3)), np.ones((1, 2, 2)), **ONE),
                ShapeError,
                r"correlation: .*\(1, 3, 3\).*\(1, 2, 2\)",
            ),
            Fails(
                lambda: cards.correlation(np.ones((1, 1, 1)), np.ones((1, 1, 2)), **ONE),
                ShapeError,
                r"correlation: .*does not fit",
            ),
        ),
    ),
    row(
        "correlation_spread",
        *[trio[1] for trio in SAMPLES],
        reference=_spread,
        errors=(
            Fails(
                lambda: cards.correlation_spread(np.ones((1, 3, 3)), np.ones((2, 1, 2)), **ONE, lengths=(4,)),
                ShapeError,
                r"correlation_spread: .*\(1, 3, 3\).*\(2, 1, 2\)",
            ),
            Fails(
                lambda: cards.correlation_spread(np.ones((1, 1, 1)), np.ones((1, 1, 2)), **ONE, lengths=(9,)),
                ShapeError,
                r"correlation_spread: .*\(1,\) places",
            ),
        ),
    ),
    row(
        "correlation_filters",
        *[trio[2] for trio in SAMPLES],
        reference=_filters,
        errors=(
            Fails(
                lambda: cards.correlation_filters(
                    np.ones((3, 1, 3)), np.ones((2, 1, 2)), **ONE, extents=(2,)
                ),
                ShapeError,
                r"correlation_filters: .*3 and 2 images",
            ),
            Fails(
                lambda: cards.correlation_filters(
                    np.ones((1, 1, 3)), np.ones((1, 1, 1)), **ONE, extents=(2,)
                ),
                ShapeError,
                r"correlation_filters: .*\(1,\) places",
            ),
        ),
    ),
]


def _misuses(op: Any, rank: int) -> tuple[Fails, ...]:
    """Calls of a convolution that must raise; the transposed ones take the same arguments."""
    x, w = np.ones((1, 2, *[3] * rank)), np.ones((2, 2, *[2] * rank))
    name = op.__name__
    cases: list[tuple[Any, Any, dict[str, Any], str]] = [
        (x[:, :1], w, {}, r"x has 1 channels and weight is for 2; x \(1, 1, 3"),
        (x[0, 0], w, {}, r"x \(N, C, .*are needed; x \(3"),
        (x, w[0], {}, r"x .* are needed; x .*weight \(2, 2"),
        (x, w, {"groups": 3}, "groups 3 must divide"),
        (x, w, {"groups": 0}, "groups is 0"),
        (x, w, {"stride": 0}, "stride is 0; .*each at least 1"),
        (x, w, {"dilation": (1,) * (rank + 1)}, "dilation is .*one number"),
        (x, w, {"padding": -1}, "padding is -1; .*each at least 0"),
        (x, w, {"bias": np.ones(3)}, r"bias has shape \(3,\); \(2,\) is needed"),
    ]
    calls = [
        Fails(lambda x=x, w=w, how=how: op(x, w, **how), ShapeError, f"{name}: {match}")  # type: ignore[misc]
        for x, w, how, match in cases
    ]
    return (*calls, Fails(lambda: op(x, w, stride=1.5), DtypeError, f"{name}: stride is 1.5"))


def _convolution_misuses(op: Any, rank: int) -> tuple[Fails, ...]:
    x, w = np.ones((1, 1, *[2] * rank)), np.ones((1, 1, *[3] * rank))
    name = op.__name__
    return (
        *_misuses(op, rank),
        Fails(lambda: op(x, w), ShapeError, rf"{name}: a window of \(3.* does not fit .*x \(1, 1, 2"),
        Fails(
            lambda: op(x, w, padding="same", stride=2), ShapeError, f"{name}: padding 'same' is for stride 1"
        ),
        Fails(lambda: op(x, w, padding="full"), ShapeError, f"{name}: padding is 'full'"),
    )


def _transposed_misuses(op: Any, rank: int) -> tuple[Fails, ...]:
    x, w = np.ones((1, 1, *[2] * rank)), np.ones((1, 1, *[2] * rank))
    name = op.__name__
    return (
        *_misuses(op, rank),
        Fails(lambda: op(x, w, output_padding=1), ShapeError, rf"{name}: output_padding \(1,.*must be less"),
        Fails(lambda: op(x, w, padding=2), ShapeError, rf"{name}: the result would have lengths \(-1"),
        Fails(lambda: op(x, w, padding="same"), DtypeError, f"{name}: padding is 'same'"),
    )


COMPOSED: list[OpSamples] = [
    row(
        "conv1d",
        at("size 1", normal(1, 1, 1), normal(1, 1, 1, seed=1)),
        at(
            "axes, settings", normal(2, 2, 5), normal(2, 1, 2, seed=1), normal(2, seed=2),
            stride=2, padding=1, dilation=2, groups=2,
        ),
        at("axes, no batch", normal(2, 4), normal(1, 2, 3, seed=1), padding="same"),
        at("edge: the window fits once", normal(1, 1, 3), normal(1, 1, 3, seed=1), padding="valid"),
        reference=_convolution,
        errors=_convolution_misuses(window.conv1d, 1),
        op=window.conv1d,
    ),
    row(
        "conv2d",
        at("size 1", normal(1, 1, 1, 1), normal(1, 1, 1, 1, seed=1)),
        at("axes", normal(1, 2, 4, 3), normal(2, 2, 2, 2, seed=1), stride=2, padding=1),
        at(
            "axes, settings", normal(1, 2, 3, 4), normal(2, 1, 2, 2, seed=1), normal(2, seed=2),
            stride=(2, 1), padding=(0, 1), dilation=(1, 2), groups=2,
        ),
        at("edge: the window fits once", normal(1, 1, 2, 3), normal(1, 1, 2, 3, seed=1)),
        reference=_convolution,
        errors=_convolution_misuses(window.conv2d, 2),
        op=window.conv2d,
    ),
    row(
        "conv3d",
        at("size 1", normal(1, 1, 1, 1, 1), normal(1, 1, 1, 1, 1, seed=1)),
        at("axes", normal(1, 1, 2, 1, 3), normal(2, 1, 2, 2, 2, seed=1), normal(2, seed=2), padding=(0, 1, 0)),
        at("edge: the window fits once", normal(1, 1, 1, 2, 1), normal(1, 1, 1, 2, 1, seed=1)),
        reference=_convolution,
        errors=_convolution_misuses(window.conv3d, 3),
        op=window.conv3d,
    ),
    row(
        "conv_transpose1d",
        at("size 1", normal(1, 1, 1), normal(1, 1, 1, seed=1)),
        at(
            "axes, settings", normal(2, 2, 2), normal(2, 1, 2, seed=1), normal(2, seed=2),
            stride=2, padding=1, output_padding=1, groups=2, dilation=2,
        ),
        at("edge: a whole step at the end", normal(1, 1, 2), normal(1, 1, 2, seed=1), output_padding=1, dilation=3),
        reference=_transposed,
        errors=_transposed_misuses(window.conv_transpose1d, 1),
        op=window.conv_transpose1d,
    ),
    row(
        "conv_transpose2d",
        at("size 1", normal(1, 1, 1, 1), normal(1, 1, 1, 1, seed=1)),
        at("axes", normal(1, 2, 2, 2), normal(2, 1, 2, 1, seed=1), normal(1, seed=2), stride=(2, 1), padding=(1, 0)),
        at(
            "edge: a whole step at the end", normal(1, 1, 2, 1), normal(1, 1, 2, 2, seed=1),
            output_padding=(1, 2), padding=(0, 1), dilation=(2, 3),
        ),
        reference=_transposed,
        errors=_transposed_misuses(window.conv_transpose2d, 2),
        op=window.conv_transpose2d,
    ),
    row(
        "conv_transpose3d",
        at("size 1", normal(1, 1, 1, 1, 1), normal(1, 1, 1, 1, 1, seed=1)),
        at("axes", normal(1, 1, 2, 1, 2), normal(1, 2, 1, 2, 2, seed=1), normal(2, seed=2), stride=(1, 1, 2)),
        at("edge: nothing overlaps", normal(1, 1, 2, 1, 1), normal(1, 1, 2, 1, 1, seed=1), stride=2),
        reference=_transposed,
        errors=_transposed_misuses(window.conv_transpose3d, 3),
        op=window.conv_transpose3d,
    ),
    row(
        "convolve",
        at("0-d", 2.0, 3.0),
        at("axes, two sequences", normal(4), normal(3, seed=1)),
        at("axes, same", normal(3), normal(4, seed=1), mode="same"),
        at("edge: complex", complex_normal(2), complex_normal(3, seed=1), mode="valid"),
        reference=_convolved,
        numpy=np.convolve,
        errors=(
            Fails(lambda: window.convolve(np.ones((2, 2)), np.ones(2)), ShapeError, r"convolve: a \(2, 2\)"),
            Fails(lambda: window.convolve(np.ones(2), np.ones(0)), ShapeError, r"convolve: .*v \(0,\)"),
            Fails(lambda: window.convolve(np.ones(2), np.ones(2), "all"), ShapeError, "convolve: mode is 'all'"),
        ),
        op=window.convolve,
    ),
    row(
        "correlate",
        at("size 1", normal(1), normal(1, seed=1)),
        at("axes, two sequences", normal(4), normal(2, seed=1)),
        at("axes, same", normal(3), normal(4, seed=1), mode="same"),
        at("edge: complex", complex_normal(2), complex_normal(3, seed=1), mode="full"),
        at("edge: complex, the second longer", complex_normal(1), complex_normal(2, seed=1)),
        reference=_correlated,
        numpy=np.correlate,
        errors=(
            Fails(lambda: window.correlate(np.ones((2, 2)), np.ones(2)), ShapeError, r"correlate: a \(2, 2\)"),
            Fails(lambda: window.correlate(np.ones(2), np.ones(0)), ShapeError, r"correlate: .*v \(0,\)"),
            Fails(lambda: window.correlate(np.ones(2), np.ones(2), "all"), ShapeError, "correlate: mode is 'all'"),
        ),
        op=window.correlate,
    ),
]  # fmt: skip
