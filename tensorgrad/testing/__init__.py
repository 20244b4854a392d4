"""Checks of derivatives, and the table of samples that describes every op to the tests.

Where to read on, from the inside out:

- `slopes`, `columns`: numeric derivatives that bound their own error; `differences`: plain ones.
- `subject`, `point`: what is checked, and where; `recorded`: functions of tensors, `bridges`: of other libraries.
- `comparison`, `compare`, `second_look`: a derivative beside numeric slopes, and doubts before an accusation.
- `examination`, `contracts`: the clauses that a derivative must keep to.
- `diagnose`, `rearranged`, `error_map`, `localise`: what kind of mistake it is, and which op makes it.
- `check`, `gradcheck`: all of it together. `report`, `page`, `notebook`, `source`, `reproducer`: the outcome for people.
- `opcheck`, `search`, `strategies`, `domains`, `layouts`, `call`: inputs that are searched; `plugged`: pytest's side.
- `command`, `target`, `choose`: the command line.
- `snapshots`: graphs as golden files.
- `samples`, `case`, `checks`, `conformance`: the library's own ops.
"""

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
from .snapshots import assert_graph_matches as assert_graph_matches
from .subject import Pair as Pair
from .subject import Subject as Subject

if typing.TYPE_CHECKING:
    from . import strategies as strategies


def __getattr__(name: str) -> typing.Any:
    if name == "strategies":  # loads Hypothesis, an extra, so it loads when it is first asked for
        return importlib.import_module(f"{__name__}.strategies")
    raise AttributeError(f"module {__name__} has no attribute {name!r}")
