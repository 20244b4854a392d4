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
from .layers.loss import BCELoss as BCELoss
from .layers.loss import BCEWithLogitsLoss as BCEWithLogitsLoss
from .layers.loss import CategoricalCrossEntropyLoss as CategoricalCrossEntropyLoss
from .layers.loss import ClippedBCELoss as ClippedBCELoss
from .layers.loss import CosineEmbeddingLoss as CosineEmbeddingLoss
from .layers.loss import CrossEntropyLoss as CrossEntropyLoss
from .layers.loss import CTCLoss as CTCLoss
from .layers.loss import DiceLoss as DiceLoss
from .layers.loss import GaussianNLLLoss as GaussianNLLLoss
from .layers.loss import HingeEmbeddingLoss as HingeEmbeddingLoss
from .layers.loss import HuberLoss as HuberLoss
from .layers.loss import InfoNCELoss as InfoNCELoss
from .layers.loss import KLDivLoss as KLDivLoss
from .layers.loss import L1Loss as L1Loss
from .layers.loss import LogCoshLoss as LogCoshLoss
from .layers.loss import MarginRankingLoss as MarginRankingLoss
from .layers.loss import MSELoss as MSELoss
from .layers.loss import MultiLabelMarginLoss as MultiLabelMarginLoss
from .layers.loss import MultiLabelSoftMarginLoss as MultiLabelSoftMarginLoss
from .layers.loss import MultiMarginLoss as MultiMarginLoss
from .layers.loss import NLLLoss as NLLLoss
from .layers.loss import PoissonNLLLoss as PoissonNLLLoss
from .layers.loss import SigmoidFocalLoss as SigmoidFocalLoss
from .layers.loss import SmoothL1Loss as SmoothL1Loss
from .layers.loss import SoftMarginLoss as SoftMarginLoss
from .layers.loss import SoftmaxFocalLoss as SoftmaxFocalLoss
from .layers.loss import TripletMarginLoss as TripletMarginLoss
from .layers.loss import TripletMarginWithDistanceLoss as TripletMarginWithDistanceLoss
from .layers.similarity import CosineSimilarity as CosineSimilarity
from .layers.similarity import PairwiseDistance as PairwiseDistance
from .module import Buffer as Buffer
from .module import Module as Module
from .overview import summary as summary
