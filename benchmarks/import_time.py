"""``import tensorgrad`` against ``import numpy``, each in a fresh process.

What is timed is the import statement, by the new process itself: starting Python is not part of it. One
process of each kind runs first, so that compiled modules lie ready for both.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .harness import Case, Implementation, Run

MUST = 1.4
ROOT = Path(__file__).parent.parent


def cases(torch: Any) -> Iterator[Case]:
    """One row."""
    peers = {"numpy": partial(_importing, "numpy")}
    yield Case("import tensorgrad", "", partial(_importing, "tensorgrad"), peers, MUST, stopwatch=_told)


def _importing(module: str) -> Implementation:
    code = f"from time import perf_counter as now; t = now(); import {module}; print(now() - t)"
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def run() -> float:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=True)
        return float(done.stdout)

    return Implementation(run, check=lambda: () if run() > 0 else None)


def _told(run: Run, repetitions: int) -> float:
    return float(sum(run() for _ in range(repetitions)))
