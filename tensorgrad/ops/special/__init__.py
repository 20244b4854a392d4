"""Special functions: of the error, gamma, beta and Bessel families, and what statistics makes of them.

Loaded on first use, so that importing tensorgrad stays light.
"""

from __future__ import annotations

from .error import entr as entr
from .error import erf as erf
from .error import erfc as erfc
from .error import erfcinv as erfcinv
from .error import erfcx as erfcx
from .error import erfinv as erfinv
from .error import expit as expit
from .error import log_expit as log_expit
from .error import log_ndtr as log_ndtr
from .error import logit as logit
from .error import ndtr as ndtr
from .error import ndtri as ndtri
from .error import rel_entr as rel_entr
from .error import xlog1py as xlog1py
from .error import xlogy as xlogy

__all__ = [
    "entr",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "expit",
    "log_expit",
    "log_ndtr",
    "logit",
    "ndtr",
    "ndtri",
    "rel_entr",
    "xlog1py",
    "xlogy",
]
