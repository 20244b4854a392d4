"""Linear algebra: solving, factorising, and measuring matrices, one or a whole batch."""

from .ops.linalg import *  # noqa: F403
from .ops.linalg import __all__ as __all__
