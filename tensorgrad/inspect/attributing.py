"""`attribute`: who moved this weight? A gradient as the sum of the parts that made it.

Each way to split is in a module of its own (`attribute_terms`, `attribute_samples`, `attribute_uses`, `attribute_paths`),
all made of one labelled backward pass (`attribute_walk`). What they find is an `Attribution`.
"""

from __future__ import annotations

from typing import Any

from .._errors import GradientError
from .._tree import unflatten
from .._where import user_frame
from .attribute_case import Case, Split, case_of
from .attribute_paths import by_path
from .attribute_samples import by_sample
from .attribute_terms import by_term
from .attribute_uses import by_use
from .attribute_walk import quietly
from .attribution import Attribution, Part, measured

OPTIONS = {"term": {"terms"}, "sample": {"samples", "axis"}, "use": set[str](), "path": {"through", "limit"}}
"""What each way to split reads besides ``top``."""

LIMIT = 256


def attribute(
    loss: Any,
    param: Any,
    by: str = "term",
    *,
    terms: Any = None,
    samples: Any = None,
    axis: int | None = None,
    through: Any = None,
    limit: int | None = None,
    top: int | None = None,
) -> Attribution:
    """Say who moved a weight: split its gradient by term, sample, use or path. Parts and remainder sum to the whole.

    It reads the tape, which stays as it is: nothing is freed, no ``.grad`` changes, hooks are not run (what is split is
    the gradient before them). A run of `tensorgrad.record` adds modules, lines and names.

    - ``"term"``: a part for each term of the loss. Sums, differences, constant factors and lists that are summed or
      averaged are taken apart; what a variable of yours holds is one term.
    - ``"sample"``: a part for each example. The cotangent of the losses of the samples is cut into its rows, and each
      walks back by itself. Without operations across samples that is the gradient of each sample's own loss, times
      its weight in the loss. With them (a batch norm) it is what came back from the sample's loss, through whichever
      samples; it still sums to the whole.
    - ``"use"``: a part for each operation that reads the parameter, or a view of it.
    - ``"path"``: a part for each sequence of places that paths from the parameter to the loss go through.

    Args:
        loss: a tensor with one element; or a container of such, whose sum is split.
        param: a tensor, a container of tensors, or a module. It need not be a leaf.
        by: ``"term"``, ``"sample"``, ``"use"`` or ``"path"``.
        terms: the terms, as a container of tensors on the way whose keys are names. A gradient counts for the first that it
            meets on the way from the loss; what meets none is the remainder.
        samples: the tensor with an entry, or a row, for each sample, or several with one batch; by default what the loss
            is a sum or mean of. What comes to the parameter around it, such as a penalty, is the remainder.
        axis: the axis of the samples, 0 by default.
        through: the places: tensors, modules, names of your variables or of modules, in a list, or in a dict with names
            for them. By default the modules of the recorded run, or else the caller's variables. A module without a
            run is the operations that read its parameters.
        limit: at no node are more paths kept apart than this, 256 by default; if more meet, the weakest there are added
            up for good. So all parts are exact, and those with the greatest norm are certainly found where no
            more than ``limit`` meet anywhere.
        top: keep so many samples or paths, those with the greatest norm, and put the others into the remainder. Of many
            samples of a large model only these are held in memory.

    Returns:
        The parts, measured against the whole: print it.

    Raises:
        GradientError: the loss does not depend on the parameter; it is not clear where the samples are; a place is
            not on the way; or an option belongs to another ``by``.
        NoGraphError: the loss has no history, or it was freed.
        MutatedError: a parameter was written to after the loss was computed.
        ShapeError: the loss is not one number, or there is no such batch axis.
        DtypeError: something is not a tensor, or the loss is complex.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> w = tg.tensor(np.array([3.0, -1.0]), requires_grad=True)
        >>> fit = ((w - 1.0) ** 2).sum()
        >>> penalty = 0.5 * (w ** 2).sum()
        >>> loss = fit + penalty
        >>> found = tg.attribute(loss, w)
        >>> [(part.label, part.gradient.tolist()) for part in found.parts]
        [('fit', [4.0, -4.0]), ('penalty', [3.0, -1.0])]
        >>> print(found)
        gradient of loss in w, by term
        term      norm    share  ...
    """
    frame = user_frame(2)
    _check(by, {"terms": terms, "samples": samples, "axis": axis, "through": through, "limit": limit}, top)
    with quietly():
        case = case_of(loss, param, frame)
        split = _split(case, by, terms, samples, 0 if axis is None else axis, through, limit or LIMIT, top)
        found = _attribution(case, by, split, case.total())
    return found.top(top) if top is not None and len(found.parts) > top else found


# ---- parts


def _split(
    case: Case, by: str, terms: Any, samples: Any, axis: int, through: Any, limit: int, top: int | None
) -> Split:
    if by == "term":
        return by_term(case, terms)
    if by == "sample":
        return by_sample(case, samples, axis, top)
    return by_use(case) if by == "use" else by_path(case, through, top, limit)


def _attribution(case: Case, by: str, split: Split, total: list[Any]) -> Attribution:
    def part(label: str, gradients: list[Any], key: Any = None, note: str = "") -> Part:
        return Part(label, unflatten(case.tree, gradients), 0.0, 0.0, 0.0, key, note)

    parts = [part(piece.label, piece.gradients, piece.key, piece.note) for piece in split.pieces]
    rest = None if split.remainder is None else part(split.rest, split.remainder)
    return measured(by, parts, rest, unflatten(case.tree, total), case.param_names, case.loss_name)


def _check(by: str, options: dict[str, Any], top: int | None) -> None:
    if by not in OPTIONS:
        raise GradientError(f"attribute: by is {by!r}; give one of {', '.join(map(repr, OPTIONS))}")
    for name, value in options.items():
        if value is not None and name not in OPTIONS[by]:
            owner = next(one for one, known in OPTIONS.items() if name in known)
            raise GradientError(f"attribute: {name}= belongs to by={owner!r}, and by is {by!r}")
    for name, value in (("top", top), ("limit", options["limit"])):
        if value is not None and value < 1:
            raise GradientError(f"attribute: {name} is {value}; give at least 1")
