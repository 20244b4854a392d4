"""What slides over an array: correlation and convolution, pooling, folding, interpolation.

Loaded on first use, so that importing tensorgrad stays light.
"""

from __future__ import annotations

from .convolution import conv1d as conv1d
from .convolution import conv2d as conv2d
from .convolution import conv3d as conv3d
from .convolution import conv_transpose1d as conv_transpose1d
from .convolution import conv_transpose2d as conv_transpose2d
from .convolution import conv_transpose3d as conv_transpose3d
from .sequences import convolve as convolve
from .sequences import correlate as correlate
from .sliding import sliding_window_view as sliding_window_view
