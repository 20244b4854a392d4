"""The conformance table: what each op has been checked for, found by running the checks.

``python -m tensorgrad.testing.conformance`` prints it, for all ops or for those that are named, and exits
with 1 where a cell is failed or missing; ``--write docs/conformance.md`` writes the page.
"""

from __future__ import annotations

from .cells import STATES as STATES
from .cells import Cell as Cell
from .cells import Row as Row
from .cells import Table as Table
from .running import conformance as conformance
