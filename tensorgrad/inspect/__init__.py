"""Asking about computations: why a gradient is what it is, how it is derived, what differs between two."""

from __future__ import annotations

from .asking import why as why
from .attributing import attribute as attribute
from .attribution import Attribution as Attribution
from .attribution import Conflicts as Conflicts
from .attribution import Part as Part
from .diff import Change as Change
from .diff import Difference as Difference
from .divergence import Divergence as Divergence
from .explanation import Explanation as Explanation
from .explanation import explain as explain
from .why_causes import CAUSES as CAUSES
from .why_diagnosis import Diagnosis as Diagnosis
