"""The losses as modules: each keeps the settings of a function of `tensorgrad.nn.functional`, and calls it.

Arguments and defaults are PyTorch's, but for ``size_average`` and ``reduce``, which it has deprecated: what
stands behind them is given by keyword. A ``weight`` or ``pos_weight`` is a buffer, and so part of the state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from .. import functional as F
from ..module import Buffer, Module


class Loss(Module):
    """Base of the losses: a function, and settings for it.

    Attributes:
        function: what is called with the inputs and, by keyword, the settings.

    Example:
        >>> import tensorgrad as tg
        >>> loss = tg.nn.CrossEntropyLoss(label_smoothing=0.1)
        >>> loss, loss(tg.tensor([[0.0, 0.0]]), [1]).item()
        (CrossEntropyLoss(ignore_index=-100, reduction='mean', label_smoothing=0.1), 0.693147...)
    """

    function: ClassVar[Callable[..., Any]]

    def __init__(self, **settings: Any) -> None:
        self.settings = tuple(settings)
        for name, value in settings.items():
            setattr(self, name, Buffer(value) if name in ("weight", "pos_weight") else value)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """Call the function on the inputs."""
        settings = {name: getattr(self, name) for name in self.settings}
        return type(self).function(*inputs, **named, **settings)

    def extra_repr(self) -> str:
        """The settings, without what is not set and without tensors."""
        shown = [(name, getattr(self, name)) for name in self.settings if name not in self._buffers]
        return ", ".join(f"{name}={value!r}" for name, value in shown if value is not None)


# ---- errors of numbers


class MSELoss(Loss):
    """`functional.mse_loss` as a module."""

    function = staticmethod(F.mse_loss)

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class L1Loss(Loss):
    """`functional.l1_loss` as a module."""

    function = staticmethod(F.l1_loss)

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class HuberLoss(Loss):
    """`functional.huber_loss` as a module."""

    function = staticmethod(F.huber_loss)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction, delta=delta)


class SmoothL1Loss(Loss):
    """`functional.smooth_l1_loss` as a module."""

    function = staticmethod(F.smooth_l1_loss)

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction, beta=beta)


class LogCoshLoss(Loss):
    """`functional.log_cosh_loss` as a module."""

    function = staticmethod(F.log_cosh_loss)

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class KLDivLoss(Loss):
    """`functional.kl_div` as a module."""

    function = staticmethod(F.kl_div)

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction, log_target=log_target)


class PoissonNLLLoss(Loss):
    """`functional.poisson_nll_loss` as a module."""

    function = staticmethod(F.poisson_nll_loss)

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(log_input=log_input, full=full, eps=eps, reduction=reduction)


class GaussianNLLLoss(Loss):
    """`functional.gaussian_nll_loss` as a module."""

    function = staticmethod(F.gaussian_nll_loss)

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(full=full, eps=eps, reduction=reduction)


# ---- classes


class CrossEntropyLoss(Loss):
    """`functional.cross_entropy` as a module."""

    function = staticmethod(F.cross_entropy)

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(
            weight=weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
        )


class NLLLoss(Loss):
    """`functional.nll_loss` as a module."""

    function = staticmethod(F.nll_loss)

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction)


class CategoricalCrossEntropyLoss(Loss):
    """`functional.categorical_cross_entropy` as a module."""

    function = staticmethod(F.categorical_cross_entropy)

    def __init__(self, *, clip: float = 1e-7, reduction: str = "mean") -> None:
        super().__init__(clip=clip, reduction=reduction)


class SoftmaxFocalLoss(Loss):
    """`functional.softmax_focal_loss` as a module."""

    function = staticmethod(F.softmax_focal_loss)

    def __init__(
        self, gamma: float = 2.0, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(gamma=gamma, weight=weight, ignore_index=ignore_index, reduction=reduction)


class MultiMarginLoss(Loss):
    """`functional.multi_margin_loss` as a module."""

    function = staticmethod(F.multi_margin_loss)

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
    ) -> None:
        super().__init__(p=p, margin=margin, weight=weight, reduction=reduction)


class MultiLabelMarginLoss(Loss):
    """`functional.multilabel_margin_loss` as a module."""

    function = staticmethod(F.multilabel_margin_loss)

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class CTCLoss(Loss):
    """`functional.ctc_loss` as a module."""

    function = staticmethod(F.ctc_loss)

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(blank=blank, reduction=reduction, zero_infinity=zero_infinity)


# ---- yes or no


class BCELoss(Loss):
    """`functional.binary_cross_entropy` as a module."""

    function = staticmethod(F.binary_cross_entropy)

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)


class BCEWithLogitsLoss(Loss):
    """`functional.binary_cross_entropy_with_logits` as a module."""

    function = staticmethod(F.binary_cross_entropy_with_logits)

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(weight=weight, reduction=reduction, pos_weight=pos_weight)


class ClippedBCELoss(Loss):
    """`functional.clipped_binary_cross_entropy` as a module."""

    function = staticmethod(F.clipped_binary_cross_entropy)

    def __init__(self, *, clip: float = 1e-7, reduction: str = "mean") -> None:
        super().__init__(clip=clip, reduction=reduction)


class MultiLabelSoftMarginLoss(Loss):
    """`functional.multilabel_soft_margin_loss` as a module."""

    function = staticmethod(F.multilabel_soft_margin_loss)

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)


class SigmoidFocalLoss(Loss):
    """`functional.sigmoid_focal_loss` as a module."""

    function = staticmethod(F.sigmoid_focal_loss)

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0, *, reduction: str = "mean") -> None:
        super().__init__(alpha=alpha, gamma=gamma, reduction=reduction)


class DiceLoss(Loss):
    """`functional.dice_loss` as a module."""

    function = staticmethod(F.dice_loss)

    def __init__(self, *, smooth: float = 1.0, squared: bool = True, reduction: str = "mean") -> None:
        super().__init__(smooth=smooth, squared=squared, reduction=reduction)


class SoftMarginLoss(Loss):
    """`functional.soft_margin_loss` as a module."""

    function = staticmethod(F.soft_margin_loss)

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


# ---- pairs and triplets


class HingeEmbeddingLoss(Loss):
    """`functional.hinge_embedding_loss` as a module."""

    function = staticmethod(F.hinge_embedding_loss)

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class MarginRankingLoss(Loss):
    """`functional.margin_ranking_loss` as a module."""

    function = staticmethod(F.margin_ranking_loss)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class CosineEmbeddingLoss(Loss):
    """`functional.cosine_embedding_loss` as a module."""

    function = staticmethod(F.cosine_embedding_loss)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class TripletMarginLoss(Loss):
    """`functional.triplet_margin_loss` as a module."""

    function = staticmethod(F.triplet_margin_loss)

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin=margin, p=p, eps=eps, swap=swap, reduction=reduction)


class TripletMarginWithDistanceLoss(Loss):
    """`functional.triplet_margin_with_distance_loss` as a module."""

    function = staticmethod(F.triplet_margin_with_distance_loss)

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(distance_function=distance_function, margin=margin, swap=swap, reduction=reduction)


class InfoNCELoss(Loss):
    """`functional.info_nce_loss` as a module."""

    function = staticmethod(F.info_nce_loss)

    def __init__(self, *, temperature: float = 0.1, reduction: str = "mean") -> None:
        super().__init__(temperature=temperature, reduction=reduction)
