"""What the checker says of an instance: found, named, and with the right diagnosis."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorgrad._errors import TensorgradError
from tensorgrad.testing.report import Report

from .generator import Instance

Check = Callable[..., Report]


@dataclass(frozen=True)
class Verdict:
    """The outcome for one instance.

    Attributes:
        number: of the instance.
        operator: its kind of fault; the empty string for a clean graph.
        card: the op of interest.
        depth: of the graph.
        place: of the op in it.
        found: whether anything is reported.
        named: whether the op is named first.
        diagnosed: whether the first answer has the operator's label.
        said: op and label of the first answer, and its message.
        seconds: the check took.
    """

    number: int
    operator: str
    card: str
    depth: int
    place: int
    found: bool
    named: bool
    diagnosed: bool
    said: str
    seconds: float


def judge(instance: Instance, check: Check, **options: Any) -> Verdict:
    """Run the checker on an instance.

    An error that the check raises by itself, rather than reporting it, is counted as found, and as named
    where the message begins with the op's name; it carries no diagnosis.
    """
    start = time.perf_counter()
    named = diagnosed = False
    label = instance.operator.label if instance.operator else ""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            report = check(instance.function, instance.inputs, **options)
    except TensorgradError as error:
        found, said = True, f"raised {type(error).__name__}: {error}"
        named = str(error).startswith(f"{instance.card}:")
    except Exception as error:  # a check that breaks is no verdict, but the run goes on
        found, said = instance.operator is None, f"broke by {type(error).__name__}: {error}"
    else:
        found, cause = not report.ok, report.cause
        said = (
            "nothing" if cause is None else f"{cause.op}, {cause.diagnosis or cause.clause}: {cause.message}"
        )
        if cause is not None:
            named = cause.op == instance.card and _is_planted_there(cause.where)
            diagnosed = cause.diagnosis == label
    return Verdict(
        instance.number, label, instance.card, instance.graph.depth, instance.graph.place,
        found, found and named, found and diagnosed, " ".join(said.split()), time.perf_counter() - start,
    )  # fmt: skip


def _is_planted_there(where: str) -> bool:
    """Whether a position is that of the faulty op, not of a neighbour with the same name; unknown is no fault."""
    return not where or "graphs.py" not in where or "points.py" in where
