"""Rows of what slides over an array: correlations and convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._errors import DtypeError, ShapeError
from ...ops import window
from ...ops.window import columns, sliding
from ...ops.window import correlation as cards
from . import window_loops as loops
from .row import Fails, OpSamples, Sample, at, complex_normal, normal, row

# ---- samples

ONE: dict[str, Any] = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
OVER: dict[str, Any] = {"stride": (3,), "padding": ((1, 0),), "dilation": (2,), "groups": 1}
STEPS: dict[str, Any] = {"stride": (2,), "padding": ((1, 0),), "dilation": (1,), "groups": 1}
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
    _trio("channels last", normal(1, 8, 3), normal(2, 8, 2, seed=1), normal(1, 2, 2, seed=2), ONE),
    _trio("channels last, strides", normal(1, 8, 3), normal(1, 8, 2, seed=1), normal(1, 1, 2, seed=2), STEPS),
]

ROWS: list[OpSamples] = [
    row(
        "correlation",
        *[trio[0] for trio in SAMPLES],
        reference=loops.correlation,
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
        reference=loops.spread,
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
        reference=loops.filters,
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

ROWS += [
    row(
        "windows",
        at("size 1", normal(1), extents=(1,), axes=(0,), step=(1,), dilation=(1,)),
        at("axes", normal(4, 2), extents=(2,), axes=(0,), step=(1,), dilation=(2,)),
        at("axes, two", normal(2, 3), extents=(2, 1), axes=(1, 0), step=(1, 1), dilation=(1, 1)),
        at("edge: elements left over", normal(6), extents=(2,), axes=(0,), step=(3,), dilation=(1,)),
        reference=loops.windows,
        errors=Fails(
            lambda: sliding.windows(np.ones(2), (3,), (0,), (1,), (1,)), ShapeError, r"windows: x \(2,\).*fit"
        ),
    ),
    row(
        "overlap_add",
        at("size 1", normal(1, 1), shape=(1,), axes=(0,), step=(1,), dilation=(1,)),
        at("axes", normal(2, 2, 2), shape=(4, 2), axes=(0,), step=(1,), dilation=(2,)),
        at("axes, two", normal(2, 2, 2, 1), shape=(2, 3), axes=(1, 0), step=(1, 1), dilation=(1, 1)),
        at("edge: empty", np.zeros((1, 0, 1)), shape=(1, 0), axes=(0,), step=(1,), dilation=(1,)),
        at("edge: elements left over", normal(2, 2), shape=(6,), axes=(0,), step=(3,), dilation=(1,)),
        reference=loops.overlap_added,
        errors=Fails(
            lambda: sliding.overlap_add(np.ones((3, 2)), (3,), (0,), (1,), (1,)),
            ShapeError,
            r"overlap_add: x \(3, 2\).*are not those",
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
        (x, w, {"stride": 0}, "stride is 0; .*at least 1"),
        (x, w, {"dilation": (1,) * (rank + 1)}, "dilation is .*needed"),
        (x, w, {"padding": -1}, "padding is -1; .*at least 0"),
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
        reference=loops.convolution,
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
        reference=loops.convolution,
        errors=_convolution_misuses(window.conv2d, 2),
        op=window.conv2d,
    ),
    row(
        "conv3d",
        at("size 1", normal(1, 1, 1, 1, 1), normal(1, 1, 1, 1, 1, seed=1)),
        at("axes", normal(1, 1, 2, 1, 3), normal(2, 1, 2, 2, 2, seed=1), normal(2, seed=2), padding=(0, 1, 0)),
        at("edge: the window fits once", normal(1, 1, 1, 2, 1), normal(1, 1, 1, 2, 1, seed=1)),
        reference=loops.convolution,
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
        reference=loops.transposed,
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
        reference=loops.transposed,
        errors=_transposed_misuses(window.conv_transpose2d, 2),
        op=window.conv_transpose2d,
    ),
    row(
        "conv_transpose3d",
        at("size 1", normal(1, 1, 1, 1, 1), normal(1, 1, 1, 1, 1, seed=1)),
        at("axes", normal(1, 1, 2, 1, 2), normal(1, 2, 1, 2, 2, seed=1), normal(2, seed=2), stride=(1, 1, 2)),
        at("edge: nothing overlaps", normal(1, 1, 2, 1, 1), normal(1, 1, 2, 1, 1, seed=1), stride=2),
        reference=loops.transposed,
        errors=_transposed_misuses(window.conv_transpose3d, 3),
        op=window.conv_transpose3d,
    ),
    row(
        "convolve",
        at("0-d", 2.0, 3.0),
        at("axes, two sequences", normal(4), normal(3, seed=1)),
        at("axes, same", normal(3), normal(4, seed=1), mode="same"),
        at("edge: complex", complex_normal(2), complex_normal(3, seed=1), mode="valid"),
        reference=loops.convolved,
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
        reference=loops.correlated,
        numpy=np.correlate,
        errors=(
            Fails(lambda: window.correlate(np.ones((2, 2)), np.ones(2)), ShapeError, r"correlate: a \(2, 2\)"),
            Fails(lambda: window.correlate(np.ones(2), np.ones(0)), ShapeError, r"correlate: .*v \(0,\)"),
            Fails(lambda: window.correlate(np.ones(2), np.ones(2), "all"), ShapeError, "correlate: mode is 'all'"),
        ),
        op=window.correlate,
    ),
    row(
        "sliding_window_view",
        at("size 1", normal(1), window_shape=1),
        at("axes", normal(2, 3), window_shape=(1, 2)),
        at("axes, one", normal(3, 2), window_shape=2, axis=-2),
        at("edge: one window", complex_normal(3), window_shape=(3,)),
        reference=loops.slid,
        numpy=np.lib.stride_tricks.sliding_window_view,
        errors=(
            Fails(
                lambda: window.sliding_window_view(np.ones(2), 3),
                ShapeError,
                r"sliding_window_view: a window of \(3,\) .* x \(2,\)",
            ),
            Fails(
                lambda: window.sliding_window_view(np.ones((2, 2)), 1),
                ShapeError,
                "sliding_window_view: window_shape is",
            ),
            Fails(
                lambda: window.sliding_window_view(np.ones(2), 1, axis=1),
                ShapeError,
                "sliding_window_view: axis 1",
            ),
        ),
        op=window.sliding_window_view,
    ),
    row(
        "unfold of an axis",
        at("size 1", normal(1), axis=0, size=1, step=1),
        at("axes", normal(2, 5), axis=-1, size=2, step=2),
        at("edge: elements left over", normal(5), axis=0, size=2, step=4),
        reference=lambda x, axis, size, step: loops.windows(x, (size,), (axis % x.ndim,), (step,), (1,)),
        errors=(
            Fails(lambda: sliding.unfold(np.ones(2), 0, 3, 1), ShapeError, r"unfold: a window of 3 .* x \(2,\)"),
            Fails(lambda: sliding.unfold(np.ones(2), 0, 1, 0), ShapeError, "unfold: step is 0"),
        ),
        op=sliding.unfold,
    ),
    row(
        "unfold",
        at("size 1", normal(1, 1, 1, 1), kernel_size=1),
        at("axes", normal(2, 2, 2, 3), kernel_size=(1, 2), padding=(1, 0), stride=(2, 1)),
        at("axes, no batch", normal(1, 3, 4), kernel_size=2, dilation=(2, 1)),
        at("edge: one window", normal(1, 1, 2, 2), kernel_size=2, stride=3),
        reference=loops.unfolded,
        errors=(
            Fails(lambda: columns.unfold(np.ones((2, 2)), 1), ShapeError, r"unfold: x has shape \(2, 2\)"),
            Fails(lambda: columns.unfold(np.ones((1, 2, 2)), 3), ShapeError, r"unfold: a window of \(3, 3\)"),
            Fails(lambda: columns.unfold(np.ones((1, 2, 2)), 1, padding=-1), ShapeError, "unfold: padding is -1"),
        ),
        op=columns.unfold,
    ),
    row(
        "fold",
        at("size 1", normal(1, 1, 1), output_size=1, kernel_size=1),
        at("axes", normal(2, 4, 4), output_size=(2, 3), kernel_size=(1, 2), padding=(1, 0), stride=(2, 1)),
        at("axes, no batch", normal(4, 3), output_size=(3, 4), kernel_size=2, dilation=(2, 1)),
        at("edge: one window", normal(1, 4, 1), output_size=2, kernel_size=2, stride=3),
        reference=loops.folded,
        errors=(
            Fails(lambda: columns.fold(np.ones(4), 2, 1), ShapeError, r"fold: x has shape \(4,\)"),
            Fails(lambda: columns.fold(np.ones((4, 2)), 2, 2), ShapeError, r"fold: x .* 4 elements .*, 1 of"),
            Fails(lambda: columns.fold(np.ones((4, 2)), 2, 3), ShapeError, r"fold: a window of \(3, 3\)"),
        ),
        op=columns.fold,
    ),
]  # fmt: skip
