"""A softmax over very many classes, in clusters: rare classes cost little."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..._errors import ShapeError
from ...ops import argmax, concat, index_add, log_softmax, losses, mean, negative, take, take_along_axis
from ...ops.positions import known
from ...ops.shape import lifted
from ..containers import ModuleList, Sequential
from ..functional.loss_parts import floating
from ..module import Module
from .linear import Linear

if TYPE_CHECKING:
    from numpy.random import Generator


class AdaptiveResult(NamedTuple):
    """The logarithm of the probability of each label, and minus their mean."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """A layer that scores many classes, sorted from frequent to rare, and the loss of its labels.

    The head scores the first ``cutoffs[0]`` classes, and one more score for each cluster of rarer ones. A cluster
    is looked into only for examples whose label lies in it, through a projection to fewer features.

    Args:
        in_features: the length of the last axis of the input.
        n_classes: how many classes there are.
        cutoffs: where the clusters begin, ascending, from 1 to ``n_classes - 1``.
        div_value: cluster i has ``in_features / div_value ** (i + 1)`` features, rounded down.
        head_bias: whether the head has a bias.
        dtype: of the parameters; the default float if None.
        generator: to draw the parameters from.

    Raises:
        ShapeError: the cutoffs do not ascend, or lie outside of the classes.

    Example:
        >>> import tensorgrad as tg
        >>> layer = tg.nn.AdaptiveLogSoftmaxWithLoss(8, 100, [10, 50])
        >>> layer(tg.ones((3, 8)), [0, 70, 20]).output.shape, layer.log_prob(tg.ones((3, 8))).shape
        ((3,), (3, 100))

    Source:
        E. Grave et al., Efficient softmax approximation for GPUs, 2017.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        ends = [*cutoffs, n_classes]
        if len(ends) < 2 or min(ends) < 1 or any(a >= b or a % 1 for a, b in pairwise(ends)):
            raise ShapeError(
                f"AdaptiveLogSoftmaxWithLoss: cutoffs {list(cutoffs)} for {n_classes} classes; they are integers that "
                "ascend, from 1 or more to less than that"
            )
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, ends
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = ends[0], len(ends) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, dtype=dtype, generator=generator)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            narrow = int(in_features // div_value ** (i + 1))
            down = Linear(in_features, narrow, bias=False, dtype=dtype, generator=generator)
            up = Linear(narrow, ends[i + 1] - ends[i], bias=False, dtype=dtype, generator=generator)
            self.tail.append(Sequential(down, up))

    def forward(self, input: Any, target: Any) -> AdaptiveResult:
        """The logarithms of the probabilities of labels ``(N,)`` for inputs ``(N, in_features)``, and their loss."""
        name = "AdaptiveLogSoftmaxWithLoss"
        x, given = floating(name, "input", input), lifted(name, target)
        if x.ndim not in (1, 2) or given.shape != x.shape[:-1]:
            raise ShapeError(
                f"{name}: input {x.shape} and target {given.shape}; (N, {self.in_features}) and (N,) are needed"
            )
        labels = np.atleast_1d(known(name, losses.class_positions(given, self.n_classes, None, name)))
        rows = x if x.ndim == 2 else x[None]
        cluster = np.searchsorted(self.cutoffs, labels, side="right")  # 0 is the shortlist
        gate = np.where(cluster > 0, self.shortlist_size + cluster - 1, labels)
        output = take_along_axis(log_softmax(self.head(rows)), gate[:, None], 1)[:, 0]
        for i, tail in enumerate(self.tail):
            (members,) = np.nonzero(cluster == i + 1)
            if members.size:
                within = (labels[members] - self.cutoffs[i])[:, None]
                inner = log_softmax(tail(take(rows, members, axis=0)))
                output = index_add(output, 0, members, take_along_axis(inner, within, 1)[:, 0])
        output = output if x.ndim == 2 else output[0]
        return AdaptiveResult(output, negative(mean(output)))

    def log_prob(self, input: Any) -> Any:
        """The logarithms of the probabilities of all classes, ``(N, n_classes)``."""
        head = log_softmax(self.head(input))
        parts = [head[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            place = self.shortlist_size + i
            parts.append(head[:, place : place + 1] + log_softmax(tail(input)))
        return concat(parts, axis=1)

    def predict(self, input: Any) -> Any:
        """The class with the highest probability for each row."""
        return argmax(self.log_prob(input), axis=1)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, n_classes={self.n_classes}, cutoffs={self.cutoffs[:-1]}"
