"""Functions of neural networks by PyTorch's names and arguments, without parameters of their own."""

from __future__ import annotations

from ...ops.window import adaptive_avg_pool1d as adaptive_avg_pool1d
from ...ops.window import adaptive_avg_pool2d as adaptive_avg_pool2d
from ...ops.window import adaptive_avg_pool3d as adaptive_avg_pool3d
from ...ops.window import adaptive_max_pool1d as adaptive_max_pool1d
from ...ops.window import adaptive_max_pool2d as adaptive_max_pool2d
from ...ops.window import adaptive_max_pool3d as adaptive_max_pool3d
from ...ops.window import avg_pool1d as avg_pool1d
from ...ops.window import avg_pool2d as avg_pool2d
from ...ops.window import avg_pool3d as avg_pool3d
from ...ops.window import conv1d as conv1d
from ...ops.window import conv2d as conv2d
from ...ops.window import conv3d as conv3d
from ...ops.window import conv_transpose1d as conv_transpose1d
from ...ops.window import conv_transpose2d as conv_transpose2d
from ...ops.window import conv_transpose3d as conv_transpose3d
from ...ops.window import interpolate as interpolate
from ...ops.window import lp_pool1d as lp_pool1d
from ...ops.window import lp_pool2d as lp_pool2d
from ...ops.window import lp_pool3d as lp_pool3d
from ...ops.window import max_pool1d as max_pool1d
from ...ops.window import max_pool2d as max_pool2d
from ...ops.window import max_pool3d as max_pool3d
from ...ops.window import max_unpool1d as max_unpool1d
from ...ops.window import max_unpool2d as max_unpool2d
from ...ops.window import max_unpool3d as max_unpool3d
from ...ops.window.columns import fold as fold
from ...ops.window.columns import unfold as unfold
from .attention import multi_head_attention_forward as multi_head_attention_forward
from .attention import scaled_dot_product_attention as scaled_dot_product_attention
from .embedding import embedding as embedding
from .embedding import embedding_bag as embedding_bag
from .linear import bilinear as bilinear
from .linear import linear as linear
from .positional import rotary_embedding as rotary_embedding
from .positional import sinusoidal_positions as sinusoidal_positions
from .recurrent import gru as gru
from .recurrent import gru_cell as gru_cell
from .recurrent import lstm as lstm
from .recurrent import lstm_cell as lstm_cell
from .recurrent import rnn_relu as rnn_relu
from .recurrent import rnn_relu_cell as rnn_relu_cell
from .recurrent import rnn_tanh as rnn_tanh
from .recurrent import rnn_tanh_cell as rnn_tanh_cell
