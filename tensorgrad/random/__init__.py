"""Laws to draw from, and where a law is smooth in its parameters, gradients through the draw.

A draw is a function of its parameters and of noise that does not depend on them: a location plus a scale
times standard noise, or the number at a fixed level of the distribution function (`gamma`, `beta`). Either
way the gradient of a mean over draws estimates the gradient of the expectation. Draws that are whole
numbers have no such gradient, and none flows.

Each function takes ``size`` (by default the shape of the parameters together), ``generator`` (by default that
of this thread or task, see `manual_seed`) and, where the numbers are floating, ``dtype``.
"""

from __future__ import annotations

from .._random import default_generator as default_generator
from .._random import manual_seed as manual_seed
from .._random import normal as normal
from .._random import permutation as permutation
from .._random import rand as rand
from .._random import rand_like as rand_like
from .._random import randint as randint
from .._random import randn as randn
from .._random import randn_like as randn_like
from .._random import uniform as uniform
from .counts import bernoulli as bernoulli
from .counts import binomial as binomial
from .counts import categorical as categorical
from .counts import choice as choice
from .counts import geometric as geometric
from .counts import multinomial as multinomial
from .counts import poisson as poisson
from .located import cauchy as cauchy
from .located import exponential as exponential
from .located import gumbel as gumbel
from .located import laplace as laplace
from .located import logistic as logistic
from .located import lognormal as lognormal
from .located import truncated_normal as truncated_normal
from .located import weibull as weibull
from .shaped import beta as beta
from .shaped import chisquare as chisquare
from .shaped import dirichlet as dirichlet
from .shaped import gamma as gamma
from .shaped import standard_t as standard_t
