"""The peer that results are compared with; without it the modules that use it are skipped."""

from __future__ import annotations

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch says of its own imports is not ours
    torch = pytest.importorskip("torch")
