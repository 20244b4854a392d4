"""Asking about a recorded computation: why a gradient is what it is."""

from __future__ import annotations

from .asking import why as why
from .explanation import Explanation as Explanation
from .explanation import explain as explain
from .why_causes import CAUSES as CAUSES
from .why_diagnosis import Diagnosis as Diagnosis
