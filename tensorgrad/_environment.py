"""What a result or a timing depends on, as text: ``python -m tensorgrad env`` prints it."""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._version import __version__

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SKEWING_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables that override what OpenBLAS finds out about the machine; speed measured under them is theirs."""


def report() -> str:
    """Versions, BLAS, threads and extras, one fact a line, for people to read and to paste.

    Nothing heavy is imported: extras are looked up by their installed version only.

    Example:
        >>> print(report())
        tensorgrad            ...
        Python                ...
        platform              ...
        NumPy                 ...
        BLAS                  ...
        cores                 ...
        OMP_NUM_THREADS       ...
    """
    lines = [f"{name:<22}{value}" for name, value in (*_system(), *_blas(), *_threads(), *_packages())]
    warnings = [
        f"warning: {name}={os.environ[name]} is set. It overrides what OpenBLAS finds out about this "
        "machine; unset it before you time anything."
        for name in SKEWING_VARIABLES
        if name in os.environ
    ]
    return "\n".join(lines + warnings)


def _system() -> Iterator[tuple[str, str]]:
    libc = " ".join(platform.libc_ver()).strip()
    yield "tensorgrad", __version__
    yield "Python", f"{platform.python_version()} ({platform.python_implementation()})"
    yield "platform", f"{platform.system()} {platform.machine()}" + (f" ({libc})" if libc else "")
    yield "NumPy", np.__version__


def _blas() -> Iterator[tuple[str, str]]:
    config: dict[str, Any] = np.show_config(mode="dicts")  # type: ignore[assignment]
    built = config.get("Build Dependencies", {}).get("blas", {})
    yield "BLAS", f"{built.get('name', 'unknown')} {built.get('version', '')}".strip()
    for architecture, threads in _blas_at_run_time():
        yield "BLAS runs", f"kernels for {architecture}, {threads} threads"


def _blas_at_run_time() -> list[tuple[str, int]]:
    """Architecture and number of threads of the BLAS that is loaded; empty where it does not tell."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return _ask_openblas()
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return [(pool.get("architecture", "an unnamed architecture"), pool["num_threads"]) for pool in pools]


def _ask_openblas() -> list[tuple[str, int]]:
    # A symbol is looked up in what the library was linked with too, so this finds the OpenBLAS in use.
    library = ctypes.CDLL(importlib.import_module("numpy._core._multiarray_umath").__file__)
    for name in ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}"):
        try:
            corename, threads = library[name.format("get_corename")], library[name.format("get_num_threads")]
        except AttributeError:
            continue
        corename.restype = ctypes.c_char_p
        return [(corename().decode(), threads())]
    return []


def _threads() -> Iterator[tuple[str, str]]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield "cores", f"{usable} usable of {os.cpu_count()}"
    for name in THREAD_VARIABLES:
        yield name, os.environ.get(name, "not set")


def _packages() -> Iterator[tuple[str, str]]:
    groups = _requirements()
    if groups is None:
        yield "extras", "not known: tensorgrad is not installed here, it runs from a folder"
        return
    for name, packages in groups.items():
        yield f"extra {name}" if name else "required", ", ".join(_found(package) for package in packages)
    yield "Graphviz", _dot()


def _requirements() -> dict[str, list[str]] | None:
    """Package names by extra, as the installed metadata states them; the extra "" are the required ones."""
    try:
        stated = importlib.metadata.requires("tensorgrad") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    groups: dict[str, list[str]] = {}
    for one in stated:
        package, extra = re.match(r"[\w.-]+", one), re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", one)
        if package and package[0] != "tensorgrad":
            groups.setdefault(extra[1] if extra else "", []).append(package[0])
    return groups


def _found(package: str) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{package} missing"


def _dot() -> str:
    if not (program := shutil.which("dot")):
        return "dot missing (pictures are then laid out without it)"
    try:
        said = subprocess.run([program, "-V"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"dot does not run: {error}"
    return (said.stderr or said.stdout).strip()
