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
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "lgamma",
    "multigammaln",
    "polygamma",
    "psi",
    "zeta",
]
