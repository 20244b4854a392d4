"""Looking into a computation: what a gradient is made of."""

from __future__ import annotations

from .explanation import Explanation as Explanation
from .explanation import explain as explain
