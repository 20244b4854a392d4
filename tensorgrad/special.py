"""Special functions: of the error, gamma, beta and Bessel families, and what statistics makes of them."""

from .ops.special import *  # noqa: F403
from .ops.special import __all__ as __all__
