"""Distance and angle of two vectors, as modules."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..module import Module


class CosineSimilarity(Module):
    """`functional.cosine_similarity` as a module.

    Args:
        dim: the axis that the vectors lie along.
        eps: shorter vectors are divided by this instead of their length.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Any:
        """The cosines of the angles between the vectors."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """`functional.pairwise_distance` as a module.

    Args:
        p: the order of the norm.
        eps: added to each difference.
        keepdim: keep the last axis with length 1.
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        """The distances of the vectors."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
