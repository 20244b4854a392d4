"""What slides over an array: correlation and convolution, pooling, folding, interpolation.

Loaded on first use, so that importing tensorgrad stays light.
"""

from __future__ import annotations

from .adaptive import adaptive_avg_pool1d as adaptive_avg_pool1d
from .adaptive import adaptive_avg_pool2d as adaptive_avg_pool2d
from .adaptive import adaptive_avg_pool3d as adaptive_avg_pool3d
from .adaptive import adaptive_max_pool1d as adaptive_max_pool1d
from .adaptive import adaptive_max_pool2d as adaptive_max_pool2d
from .adaptive import adaptive_max_pool3d as adaptive_max_pool3d
from .average import avg_pool1d as avg_pool1d
from .average import avg_pool2d as avg_pool2d
from .average import avg_pool3d as avg_pool3d
from .average import lp_pool1d as lp_pool1d
from .average import lp_pool2d as lp_pool2d
from .average import lp_pool3d as lp_pool3d
from .convolution import conv1d as conv1d
from .convolution import conv2d as conv2d
from .convolution import conv3d as conv3d
from .convolution import conv_transpose1d as conv_transpose1d
from .convolution import conv_transpose2d as conv_transpose2d
from .convolution import conv_transpose3d as conv_transpose3d
from .interpolate import interp as interp
from .interpolate import interpolate as interpolate
from .pool import max_pool1d as max_pool1d
from .pool import max_pool2d as max_pool2d
from .pool import max_pool3d as max_pool3d
from .pool import max_unpool1d as max_unpool1d
from .pool import max_unpool2d as max_unpool2d
from .pool import max_unpool3d as max_unpool3d
from .sequences import convolve as convolve
from .sequences import correlate as correlate
from .sliding import sliding_window_view as sliding_window_view
