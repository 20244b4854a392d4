"""The peer that results are compared with."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch says of its own imports is not ours
    import torch as torch
