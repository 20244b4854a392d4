"""Looking at what stays alive."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_off() -> Iterator[None]:
    """No garbage is collected by itself, and the collector sees only what is made from here on.

    Everything older is set aside, since a walk over the objects of a whole test run takes a second.
    """
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()
