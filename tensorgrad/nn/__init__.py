"""Neural networks: modules, layers, losses, initialisers, and functions by PyTorch's names."""

from __future__ import annotations

from .._tensor import Parameter as Parameter
from . import functional as functional
from . import utils as utils
from .call import functional_call as functional_call
from .containers import ModuleDict as ModuleDict
from .containers import ModuleList as ModuleList
from .containers import ParameterDict as ParameterDict
from .containers import ParameterList as ParameterList
from .containers import Sequential as Sequential
from .layers.attention import MultiheadAttention as MultiheadAttention
from .layers.embedding import Embedding as Embedding
from .layers.embedding import EmbeddingBag as EmbeddingBag
from .layers.linear import Bilinear as Bilinear
from .layers.linear import LazyLinear as LazyLinear
from .layers.linear import Linear as Linear
from .layers.recurrent import GRU as GRU
from .layers.recurrent import LSTM as LSTM
from .layers.recurrent import RNN as RNN
from .layers.recurrent import GRUCell as GRUCell
from .layers.recurrent import LSTMCell as LSTMCell
from .layers.recurrent import RNNBase as RNNBase
from .layers.recurrent import RNNCell as RNNCell
from .layers.recurrent import RNNCellBase as RNNCellBase
from .module import Buffer as Buffer
from .module import Module as Module
