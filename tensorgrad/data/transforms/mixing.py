"""Parts of images left out, and samples mixed with one another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._config import get_default_dtype
from ..._errors import ShapeError
from .._draws import Draws, as_generator
from ._arrays import Size, checked_fill, height_width, images_of, like, raw_of
from .numbers import checked_labels, one_hot


def cutout(x: Any, size: Size, fill: float = 0.0, *, generator: Draws = None) -> Any:
    """Each image with a box painted over, whose middle is anywhere in it.

    Args:
        x: images ``(N, ..., H, W)``.
        size: of the box, of which a part may be outside: a side, or height and width.
        fill: the value that the box gets.
        generator: a seed or a generator.

    Source:
        T. DeVries and G. W. Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017.
    """
    raw = images_of("cutout", x)
    height, width = height_width("cutout", size)
    inside = _boxes(raw, np.full(len(raw), height), np.full(len(raw), width), as_generator(generator))
    return like(x, np.where(inside, raw.dtype.type(checked_fill("cutout", raw, fill)), raw))


def mixup(
    x: Any, y: Any, alpha: float = 0.2, num_classes: int | None = None, *, generator: Draws = None
) -> tuple[Any, Any]:
    """Each sample mixed with another one of the batch, and its target likewise.

    Args:
        x: samples ``(N, ...)``; whole numbers become floats.
        y: labels ``(N,)``, which become probabilities, or rows of probabilities ``(N, classes)``.
        alpha: the share of a sample comes from the Beta distribution of (alpha, alpha).
        num_classes: needed where ``y`` holds labels.
        generator: a seed or a generator.

    Returns:
        Samples, and the probabilities of their classes.

    Source:
        H. Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018.
    """
    raw, target = raw_of(x), _probabilities("mixup", x, y, num_classes)
    draw = as_generator(generator)
    share, other = _shares("mixup", alpha, len(raw), draw), draw.permutation(len(raw))
    floats = raw if raw.dtype.kind == "f" else raw.astype(get_default_dtype())
    return like(x, _blend(floats, floats[other], share)), like(y, _blend(target, target[other], share))


def cutmix(
    x: Any, y: Any, alpha: float = 1.0, num_classes: int | None = None, *, generator: Draws = None
) -> tuple[Any, Any]:
    """Each image with a box from another one of the batch, and its target mixed in proportion to the area.

    Args:
        x: images ``(N, ..., H, W)``.
        y: labels ``(N,)``, which become probabilities, or rows of probabilities ``(N, classes)``.
        alpha: the share that an image keeps comes from the Beta distribution of (alpha, alpha).
        num_classes: needed where ``y`` holds labels.
        generator: a seed or a generator.

    Returns:
        Images, and the probabilities of their classes.

    Source:
        S. Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features,
        ICCV 2019.
    """
    raw, target = images_of("cutmix", x), _probabilities("cutmix", x, y, num_classes)
    draw = as_generator(generator)
    side = np.sqrt(1 - _shares("cutmix", alpha, len(raw), draw))
    other = draw.permutation(len(raw))
    height, width = raw.shape[-2:]
    inside = _boxes(raw, np.rint(side * height).astype(int), np.rint(side * width).astype(int), draw)
    kept = 1 - inside.reshape(len(raw), height * width).mean(axis=1)
    return like(x, np.where(inside, raw[other], raw)), like(y, _blend(target, target[other], kept))


def _boxes(raw: NDArray[Any], heights: Any, widths: Any, draw: np.random.Generator) -> NDArray[np.bool_]:
    """For each image, which pixels are in a box of the given size about a random one."""
    spans = []
    for length, sizes in ((raw.shape[-2], heights), (raw.shape[-1], widths)):
        first = (draw.integers(length, size=len(raw)) - sizes // 2)[:, None]
        pixel = np.arange(length)
        spans.append((pixel >= first) & (pixel < first + sizes[:, None]))
    inside: NDArray[np.bool_] = spans[0][:, :, None] & spans[1][:, None, :]
    return inside.reshape(len(raw), *[1] * (raw.ndim - 3), *raw.shape[-2:])


def _probabilities(what: str, x: Any, y: Any, num_classes: int | None) -> NDArray[Any]:
    target, count = raw_of(y), len(raw_of(x))
    if target.ndim == 1 and target.dtype.kind in "iu":
        if num_classes is None:
            raise ShapeError(f"{what}: y holds labels; num_classes is needed")
        target = one_hot(checked_labels(what, target, num_classes), num_classes)
    if target.dtype.kind != "f" or target.ndim != 2 or len(target) != count:
        raise ShapeError(
            f"{what}: y of shape {target.shape} and dtype {target.dtype}; {count} labels or rows of probabilities are needed"
        )
    return target


def _shares(what: str, alpha: float, count: int, draw: np.random.Generator) -> NDArray[np.float64]:
    if not alpha > 0:
        raise ShapeError(f"{what}: alpha={alpha} given; it must be above 0")
    return draw.beta(alpha, alpha, count)


def _blend(one: NDArray[Any], other: NDArray[Any], share: NDArray[Any]) -> NDArray[Any]:
    share = share.reshape(-1, *[1] * (one.ndim - 1))
    mixed: NDArray[Any] = share.astype(one.dtype) * one + (1 - share).astype(one.dtype) * other
    return mixed
