"""Neural networks: modules, layers, losses, initialisers, and functions by PyTorch's names."""

from __future__ import annotations

from .._tensor import Parameter as Parameter
from . import functional as functional
from .call import functional_call as functional_call
from .containers import ModuleDict as ModuleDict
from .containers import ModuleList as ModuleList
from .containers import ParameterDict as ParameterDict
from .containers import ParameterList as ParameterList
from .containers import Sequential as Sequential
from .layers.linear import Bilinear as Bilinear
from .layers.linear import LazyLinear as LazyLinear
from .layers.linear import Linear as Linear
from .module import Buffer as Buffer
from .module import Module as Module
