"""Checks of derivatives, and the table of samples that describes every op to the tests."""

from __future__ import annotations

from .bridges import from_autograd as from_autograd
from .bridges import from_jax as from_jax
from .bridges import from_torch as from_torch
from .check import check as check
from .check import check_vjp as check_vjp
from .contracts import CLAUSES as CLAUSES
from .gradcheck import gradcheck as gradcheck
from .gradcheck import gradgradcheck as gradgradcheck
from .report import Finding as Finding
from .report import Report as Report
from .subject import Pair as Pair
from .subject import Subject as Subject
