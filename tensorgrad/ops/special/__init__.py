"""Special functions: of the error, gamma, beta and Bessel families, and what statistics makes of them.

Loaded on first use, so that importing tensorgrad stays light.
"""

from __future__ import annotations

from .bessel import i0 as i0
from .bessel import i0e as i0e
from .bessel import i1 as i1
from .bessel import i1e as i1e
from .beta import beta as beta
from .beta import betaln as betaln
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
from .gamma import digamma as digamma
from .gamma import gamma as gamma
from .gamma import gammaln as gammaln
from .gamma import lgamma as lgamma
from .gamma import multigammaln as multigammaln
from .gamma import polygamma as polygamma
from .gamma import psi as psi
from .incomplete import betainc as betainc
from .incomplete import gammainc as gammainc
from .incomplete import gammaincc as gammaincc
from .zeta import zeta as zeta

__all__ = [
    "beta",
    "betainc",
    "betaln",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "expit",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "lgamma",
    "log_expit",
    "log_ndtr",
    "logit",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "rel_entr",
    "xlog1py",
    "xlogy",
    "zeta",
]
