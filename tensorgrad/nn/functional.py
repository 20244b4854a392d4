"""Functions of neural networks by PyTorch's names and arguments, without parameters of their own."""

from __future__ import annotations

from ..ops.window import conv1d as conv1d
from ..ops.window import conv2d as conv2d
from ..ops.window import conv3d as conv3d
from ..ops.window import conv_transpose1d as conv_transpose1d
from ..ops.window import conv_transpose2d as conv_transpose2d
from ..ops.window import conv_transpose3d as conv_transpose3d
from ..ops.window.columns import fold as fold
from ..ops.window.columns import unfold as unfold
