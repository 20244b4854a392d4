"""Functions of functions: gradients, tangents, batches, and ops made of whole functions."""

from __future__ import annotations

from .checkpoint import checkpoint as checkpoint
from .custom import Function as Function
from .custom import custom_jvp as custom_jvp
from .custom import custom_vjp as custom_vjp
from .cuts import CheckpointPlan as CheckpointPlan
from .cuts import checkpoint_sequential as checkpoint_sequential
from .cuts import plan_checkpoints as plan_checkpoints
from .grad import backward as backward
from .grad import grad as grad
from .grad import value_and_grad as value_and_grad
from .hessian import hessian as hessian
from .hessian import hvp as hvp
from .hessian import vhp as vhp
from .implicit import custom_root as custom_root
from .implicit import fixed_point as fixed_point
from .jacobian import jacfwd as jacfwd
from .jacobian import jacobian as jacobian
from .jacobian import jacrev as jacrev
from .jvp import jvp as jvp
from .linear_solve import linear_solve as linear_solve
from .linearize import linearize as linearize
from .scan import scan as scan
from .vjp import vjp as vjp
from .vmap import vmap as vmap
