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
from .layers.conv import Conv1d as Conv1d
from .layers.conv import Conv2d as Conv2d
from .layers.conv import Conv3d as Conv3d
from .layers.conv import ConvTranspose1d as ConvTranspose1d
from .layers.conv import ConvTranspose2d as ConvTranspose2d
from .layers.conv import ConvTranspose3d as ConvTranspose3d
from .layers.linear import Bilinear as Bilinear
from .layers.linear import LazyLinear as LazyLinear
from .layers.linear import Linear as Linear
from .layers.norm import BatchNorm1d as BatchNorm1d
from .layers.norm import BatchNorm2d as BatchNorm2d
from .layers.norm import BatchNorm3d as BatchNorm3d
from .layers.norm import GroupNorm as GroupNorm
from .layers.norm import InstanceNorm1d as InstanceNorm1d
from .layers.norm import InstanceNorm2d as InstanceNorm2d
from .layers.norm import InstanceNorm3d as InstanceNorm3d
from .layers.norm import LayerNorm as LayerNorm
from .layers.norm import LocalResponseNorm as LocalResponseNorm
from .layers.norm import RMSNorm as RMSNorm
from .module import Buffer as Buffer
from .module import Module as Module
