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
from .jvp import jvp as jvp
from .scan import scan as scan
from .vmap import vmap as vmap
