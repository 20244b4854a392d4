"""What holds for every test: seeds, Hypothesis profiles, and nothing left switched on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextvars import ContextVar

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import tensorgrad as tg
from tensorgrad import _config, _draws, _levels

# ci: the same examples on every run. A slow or busy machine is a failure in none of them.
COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", derandomize=True, max_examples=50, **COMMON)
settings.register_profile("dev", max_examples=30, **COMMON)
settings.register_profile("thorough", max_examples=2000, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def switched() -> dict[str, object]:
    """Every setting of this context that a test could leave changed for the tests after it."""
    found = [item for module in (_config, _draws, _levels) for item in vars(module).items()]
    settings_of_context = {name: value.get() for name, value in found if isinstance(value, ContextVar)}
    return {**settings_of_context, "NumPy's error handling": np.geterr()}


@pytest.fixture(autouse=True)
def nothing_is_left_switched() -> Iterator[None]:
    """Seed the default generator, and fail a test that leaves a mode, watcher, level, scope or dtype."""
    tg.manual_seed(0)
    before = switched()
    yield
    after = switched()
    left = [
        f"{name}: {before[name]} before, {after[name]} after"
        for name in before
        if before[name] != after[name]
    ]
    assert not left, "the test left something switched: " + "; ".join(left)
