"""Checks of derivatives, and the table of samples that describes every op to the tests."""

from __future__ import annotations

import importlib
import typing

from .bridges import from_autograd as from_autograd
from .bridges import from_jax as from_jax
from .bridges import from_torch as from_torch
from .check import check as check
from .check import check_vjp as check_vjp
from .contracts import CLAUSES as CLAUSES
from .domains import Domain as Domain
from .domains import probed as probed
from .gradcheck import gradcheck as gradcheck
from .gradcheck import gradgradcheck as gradgradcheck
from .opcheck import Outcome as Outcome
from .opcheck import opcheck as opcheck
from .report import Finding as Finding
from .report import Report as Report
from .subject import Pair as Pair
from .subject import Subject as Subject

if typing.TYPE_CHECKING:
    from . import strategies as strategies


def __getattr__(name: str) -> typing.Any:
    if name == "strategies":  # loads Hypothesis, an extra, so it loads when it is first asked for
        return importlib.import_module(f"{__name__}.strategies")
    raise AttributeError(f"module {__name__} has no attribute {name!r}")
