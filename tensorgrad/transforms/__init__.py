"""Functions of functions: gradients, tangents, batches, and ops made of whole functions."""

from __future__ import annotations

from .checkpoint import checkpoint as checkpoint
from .custom import Function as Function
from .custom import custom_jvp as custom_jvp
from .custom import custom_vjp as custom_vjp
from .grad import backward as backward
from .grad import grad as grad
from .grad import value_and_grad as value_and_grad
from .hessian import hessian as hessian
from .hessian import hvp as hvp
from .hessian import vhp as vhp
from .jacobian import jacfwd as jacfwd
from .jacobian import jacobian as jacobian
from .jacobian import jacrev as jacrev
from .jvp import jvp as jvp
from .linearize import linearize as linearize
from .scan import scan as scan
from .vjp import vjp as vjp
from .vmap import vmap as vmap
