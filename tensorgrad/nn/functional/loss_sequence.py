"""The loss of sequences whose alignment is not known."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._errors import DtypeError, IndexingError, ShapeError
from ...ops import divide, equal, expand_dims, fused, squeeze, where
from ...ops.positions import known
from ...ops.shape import lifted
from .loss_parts import floating, reduced


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Minus the logarithm of the probability of a sequence of labels, over all its alignments with the frames.

    An alignment names a label or the blank in each frame; it says the sequence that is left when repetitions
    and then blanks are dropped. The gradient is the one in ``log_probs`` as they are. PyTorch's supposes that
    they come from log_softmax; behind log_softmax both are the same.

    Args:
        log_probs: logarithms of probabilities ``(T, N, C)``, or ``(T, C)`` for one sequence.
        targets: labels other than the blank, ``(N, S)``, of which ``target_lengths`` count; or those of all
            sequences one behind the other; or ``(S,)`` for one sequence.
        input_lengths: how many frames each sequence has, ``(N,)`` or one number.
        target_lengths: how many labels each sequence has, ``(N,)`` or one number.
        blank: the class that is no label.
        reduction: 'none', 'sum', or 'mean': over the sequences, each loss divided by the number of its labels.
        zero_infinity: whether sequences with too many labels for their frames, which cost infinitely much,
            count 0. Their gradient is 0 in any case.

    Raises:
        IndexingError: a label is negative, not below C, or the blank.
        ShapeError: shapes or lengths do not fit.
        DtypeError: ``log_probs`` are not floating, or labels or lengths no integers.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> frames = tg.log(tg.full((2, 1, 2), 0.5))
        >>> tg.nn.functional.ctc_loss(frames, [[1]], [2], [1]).item()  # -log(3 / 4): 1 1, 1 blank, blank 1
        0.287682...

    Source:
        A. Graves et al., Connectionist temporal classification, 2006.
    """
    name = "ctc_loss"
    x = floating(name, "log_probs", log_probs)
    if x.ndim not in (2, 3) or not x.shape[0] or not x.shape[-1]:
        raise ShapeError(f"{name}: log_probs has shape {x.shape}; (T, N, C) or (T, C) is needed")
    single, x = x.ndim == 2, x if x.ndim == 3 else expand_dims(x, axis=1)
    frames, n, count = x.shape
    if not 0 <= blank < count:
        raise IndexingError(f"{name}: blank is {blank}; there are {count} classes, from 0 to {count - 1}")
    used = _lengths(name, "input_lengths", input_lengths, n, frames)
    lengths = _lengths(name, "target_lengths", target_lengths, n, None)
    labels = _labels(name, _integers(name, "targets", targets), lengths, single, count, blank)
    losses = fused.ctc(labels, used, lengths, x, blank=blank)
    if zero_infinity:
        losses = where(equal(losses, np.inf), 0, losses)
    if reduction == "mean":
        losses = divide(losses, np.maximum(lengths, 1).astype(losses.dtype))
    return reduced(name, squeeze(losses, axis=0) if single else losses, reduction)


def _labels(loss: str, targets: Any, lengths: Any, single: bool, count: int, blank: int) -> Any:
    """The labels as a matrix with a row for each sequence; what is behind its length is the blank."""
    n, most = len(lengths), int(lengths.max(initial=0))
    place = np.arange(most)
    if targets.ndim == 1 and not single:
        if targets.size != lengths.sum():
            raise ShapeError(
                f"{loss}: {targets.size} targets in a row for target_lengths with sum {lengths.sum()}"
            )
        index = (np.cumsum(lengths) - lengths)[:, None] + place
    else:
        wide = targets[None] if single and targets.ndim == 1 else targets
        if wide.ndim != 2 or len(wide) != n:
            raise ShapeError(
                f"{loss}: targets has shape {targets.shape}; (N, S) with N = {n}, or (S,), is needed"
            )
        if wide.shape[1] < most:
            raise ShapeError(f"{loss}: targets {targets.shape}, but a target length is {most}")
        index = np.arange(n)[:, None] * wide.shape[1] + place
    valid = place < lengths[:, None]
    labels = np.full(valid.shape, blank, np.intp)
    labels[valid] = targets.reshape(-1)[index[valid]]
    bad = valid & ((labels < 0) | (labels >= count) | (labels == blank))
    if bad.any():
        i, k = (int(found[0]) for found in np.nonzero(bad))
        raise IndexingError(
            f"{loss}: label {labels[i, k]} at {(i, k)}; there are {count} classes, from 0 to {count - 1}, and {blank} is "
            "the blank"
        )
    return labels


def _lengths(loss: str, name: str, given: Any, n: int, most: int | None) -> Any:
    found = _integers(loss, name, given)
    if found.shape not in ((), (n,)):
        raise ShapeError(
            f"{loss}: {name} has shape {found.shape}; ({n},) is needed, a number for each sequence"
        )
    found = np.broadcast_to(found, (n,)).astype(np.intp)
    if np.any(found < 0) or (most is not None and np.any(found > most)):
        bound = "" if most is None else f", and {most} is the number of frames"
        raise ShapeError(f"{loss}: {name} run from {found.min()} to {found.max()}; 0 is the least{bound}")
    return found


def _integers(loss: str, name: str, given: Any) -> Any:
    found = known(loss, lifted(loss, given) if hasattr(given, "dtype") else np.asarray(given))
    if found.dtype.kind not in "iu" and found.size:
        raise DtypeError(f"{loss}: {name} has dtype {found.dtype}; integers are needed")
    return found.astype(np.intp)
