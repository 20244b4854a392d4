"""Checks of derivatives, and the table of samples that describes every op to the tests."""

from __future__ import annotations

import importlib
import typing

from .domains import Domain as Domain
from .domains import probed as probed
from .gradcheck import gradcheck as gradcheck
from .opcheck import Outcome as Outcome
from .opcheck import opcheck as opcheck

if typing.TYPE_CHECKING:
    from . import strategies as strategies


def __getattr__(name: str) -> typing.Any:
    if name == "strategies":  # loads Hypothesis, an extra, so it loads when it is first asked for
        return importlib.import_module(f"{__name__}.strategies")
    raise AttributeError(f"module {__name__} has no attribute {name!r}")
