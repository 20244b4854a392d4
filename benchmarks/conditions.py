"""What a timing depends on: made the same for every run, and written above its figures."""

from __future__ import annotations

import datetime
import gc
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad._environment import SKEWING_VARIABLES, THREAD_VARIABLES, _blas

from .harness import PATIENCE

_DROPPED = "TENSORGRAD_BENCHMARKS_DROPPED"
"""Set in the process that does the timing: the variables that were taken out of its environment."""


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """One thread per library, and OpenBLAS left to find out about the machine by itself.

    Some machines export variables that force OpenBLAS to kernels of an older CPU, which halves the speed of
    its matrix products. What is measured under them is the variable.
    """
    kept = {name: value for name, value in given.items() if name not in SKEWING_VARIABLES}
    dropped = ", ".join(f"{name}={given[name]}" for name in SKEWING_VARIABLES if name in given)
    return {**kept, **dict.fromkeys(THREAD_VARIABLES, "1"), _DROPPED: dropped}


def enter() -> None:
    """Go on in a process with that environment, on one core, with the garbage collector on.

    BLAS libraries read their variables when they are loaded, so they must be set before Python starts.
    """
    if _DROPPED not in os.environ:
        raise SystemExit(subprocess.call([sys.executable, *sys.orig_argv[1:]], env=environment(os.environ)))
    gc.enable()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def load_torch() -> Any:
    """PyTorch with one thread, or None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    return torch


def header(torch: Any, rounds: int) -> list[tuple[str, str]]:
    """Date, machine, versions and method: the lines above the figures."""
    method = (
        f"medians of {rounds} rounds (up to {PATIENCE * rounds} where a bar lies between the quartiles); "
        "in each, all implementations of a row run in turn"
    )
    return [
        ("date", datetime.date.today().isoformat()),
        ("CPU", f"{_cpu()}, {os.cpu_count()} cores{_load()}"),
        ("Python", f"{platform.python_version()}, garbage collector {'on' if gc.isenabled() else 'OFF'}"),
        ("NumPy", f"{np.__version__}, " + ", ".join(value for _, value in _blas())),
        ("torch", "not installed: the times are ours alone" if torch is None else _torch_line(torch)),
        ("threads", ", ".join(f"{name}={os.environ.get(name, 'not set')}" for name in THREAD_VARIABLES)),
        ("core", _affinity()),
        ("dropped", os.environ.get(_DROPPED) or f"nothing ({' and '.join(SKEWING_VARIABLES)} were not set)"),
        ("times", method),
        ("ratio", "ours / the peer's round by round: median and quartiles of these ratios"),
    ]


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _load() -> str:
    return f", load {os.getloadavg()[0]:.1f} when the run began" if hasattr(os, "getloadavg") else ""


def _torch_line(torch: Any) -> str:
    blas = "MKL" if torch.backends.mkl.is_available() else "BLAS not MKL"
    return (
        f"{torch.__version__}, {blas}, {torch.backends.cpu.get_cpu_capability()} kernels, "
        f"{torch.get_num_threads()} thread"
    )


def _affinity() -> str:
    if not hasattr(os, "sched_getaffinity"):
        return "not pinned: this system offers no way to"
    cores = sorted(os.sched_getaffinity(0))
    return f"pinned to core {cores[0]}" if len(cores) == 1 else f"not pinned: {len(cores)} cores usable"
