"""tensorgrad: write models as tensor expressions, see the computation graph, check your gradients.

>>> import tensorgrad as tg
>>> w = tg.tensor([1.0, -2.0], requires_grad=True)
>>> loss = (tg.tanh(w) ** 2).sum()
>>> loss.backward()
>>> w.grad.shape
(2,)
"""

import importlib as _importlib
import typing as _typing

import numpy as _numpy  # noqa: F401  (first: what NumPy loads it loads faster before anything of ours)

from . import autograd as autograd
from ._anomaly import detect_anomaly as detect_anomaly
from ._config import enable_grad as enable_grad
from ._config import get_default_dtype as get_default_dtype
from ._config import inference_mode as inference_mode
from ._config import is_grad_enabled as is_grad_enabled
from ._config import no_grad as no_grad
from ._config import scope as scope
from ._config import set_default_dtype as set_default_dtype
from ._config import set_grad_enabled as set_grad_enabled
from ._creation import arange as arange
from ._creation import bartlett as bartlett
from ._creation import blackman as blackman
from ._creation import empty as empty
from ._creation import empty_like as empty_like
from ._creation import eye as eye
from ._creation import from_dlpack as from_dlpack
from ._creation import from_numpy as from_numpy
from ._creation import full as full
from ._creation import full_like as full_like
from ._creation import geomspace as geomspace
from ._creation import hamming as hamming
from ._creation import hanning as hanning
from ._creation import identity as identity
from ._creation import kaiser as kaiser
from ._creation import linspace as linspace
from ._creation import logspace as logspace
from ._creation import ones as ones
from ._creation import ones_like as ones_like
from ._creation import tri as tri
from ._creation import zeros as zeros
from ._creation import zeros_like as zeros_like
from ._errors import AnomalyError as AnomalyError
from ._errors import ConvergenceError as ConvergenceError
from ._errors import DtypeError as DtypeError
from ._errors import FileFormatError as FileFormatError
from ._errors import GradcheckError as GradcheckError
from ._errors import GradientError as GradientError
from ._errors import IndexingError as IndexingError
from ._errors import LinalgError as LinalgError
from ._errors import LoopWarning as LoopWarning
from ._errors import MutatedError as MutatedError
from ._errors import NoGraphError as NoGraphError
from ._errors import RuleMissingError as RuleMissingError
from ._errors import ShapeError as ShapeError
from ._errors import StateDictError as StateDictError
from ._errors import TensorgradError as TensorgradError
from ._errors import TraceError as TraceError
from ._primitive import analytic as analytic
from ._primitive import bilinear as bilinear
from ._primitive import constant as constant
from ._primitive import elementwise as elementwise
from ._primitive import linear as linear
from ._primitive import primitive as primitive
from ._primitive import view as view
from ._random import default_generator as default_generator
from ._random import manual_seed as manual_seed
from ._random import normal as normal
from ._random import permutation as permutation
from ._random import rand as rand
from ._random import rand_like as rand_like
from ._random import randint as randint
from ._random import randn as randn
from ._random import randn_like as randn_like
from ._random import uniform as uniform
from ._tensor import Tensor as Tensor
from ._tensor import asarray as asarray
from ._tensor import tensor as tensor
from ._version import __version__ as __version__
from ._zeros import structural_zeros as structural_zeros
from .ops import LATE as _METHODS
from .ops import abs as abs
from .ops import acos as acos
from .ops import acosh as acosh
from .ops import add as add
from .ops import all as all
from .ops import allclose as allclose
from .ops import angle as angle
from .ops import any as any
from .ops import append as append
from .ops import argmax as argmax
from .ops import argmin as argmin
from .ops import argpartition as argpartition
from .ops import argsort as argsort
from .ops import argwhere as argwhere
from .ops import array_equal as array_equal
from .ops import array_equiv as array_equiv
from .ops import array_split as array_split
from .ops import asin as asin
from .ops import asinh as asinh
from .ops import astype as astype
from .ops import atan as atan
from .ops import atan2 as atan2
from .ops import atanh as atanh
from .ops import atleast_1d as atleast_1d
from .ops import atleast_2d as atleast_2d
from .ops import atleast_3d as atleast_3d
from .ops import average as average
from .ops import bincount as bincount
from .ops import bitwise_and as bitwise_and
from .ops import bitwise_count as bitwise_count
from .ops import bitwise_invert as bitwise_invert
from .ops import bitwise_left_shift as bitwise_left_shift
from .ops import bitwise_or as bitwise_or
from .ops import bitwise_right_shift as bitwise_right_shift
from .ops import bitwise_xor as bitwise_xor
from .ops import block as block
from .ops import block_diag as block_diag
from .ops import broadcast_arrays as broadcast_arrays
from .ops import broadcast_shapes as broadcast_shapes
from .ops import broadcast_to as broadcast_to
from .ops import cbrt as cbrt
from .ops import ceil as ceil
from .ops import choose as choose
from .ops import clip as clip
from .ops import column_stack as column_stack
from .ops import complex as complex
from .ops import compress as compress
from .ops import concat as concat
from .ops import concatenate as concatenate
from .ops import conjugate as conjugate
from .ops import copysign as copysign
from .ops import corrcoef as corrcoef
from .ops import cos as cos
from .ops import cosh as cosh
from .ops import count_nonzero as count_nonzero
from .ops import cov as cov
from .ops import cross as cross
from .ops import cummax as cummax
from .ops import cummin as cummin
from .ops import cumprod as cumprod
from .ops import cumsum as cumsum
from .ops import cumulative_prod as cumulative_prod
from .ops import cumulative_sum as cumulative_sum
from .ops import cumulative_trapezoid as cumulative_trapezoid
from .ops import deg2rad as deg2rad
from .ops import delete as delete
from .ops import diag as diag
from .ops import diag_embed as diag_embed
from .ops import diag_indices as diag_indices
from .ops import diagflat as diagflat
from .ops import diagonal as diagonal
from .ops import digitize as digitize
from .ops import divide as divide
from .ops import divmod as divmod
from .ops import dot as dot
from .ops import dsplit as dsplit
from .ops import dstack as dstack
from .ops import ediff1d as ediff1d
from .ops import einsum as einsum
from .ops import equal as equal
from .ops import exp as exp
from .ops import exp2 as exp2
from .ops import expand_dims as expand_dims
from .ops import expm1 as expm1
from .ops import extract as extract
from .ops import fill_diagonal as fill_diagonal
from .ops import flatnonzero as flatnonzero
from .ops import flip as flip
from .ops import fliplr as fliplr
from .ops import flipud as flipud
from .ops import float_power as float_power
from .ops import floor as floor
from .ops import floor_divide as floor_divide
from .ops import fmax as fmax
from .ops import fmin as fmin
from .ops import fmod as fmod
from .ops import gather as gather
from .ops import gcd as gcd
from .ops import gradient as gradient
from .ops import greater as greater
from .ops import greater_equal as greater_equal
from .ops import heaviside as heaviside
from .ops import histogram as histogram
from .ops import hsplit as hsplit
from .ops import hstack as hstack
from .ops import hypot as hypot
from .ops import imag as imag
from .ops import index_add as index_add
from .ops import index_copy as index_copy
from .ops import index_select as index_select
from .ops import indices as indices
from .ops import inner as inner
from .ops import insert as insert
from .ops import intersect1d as intersect1d
from .ops import isclose as isclose
from .ops import iscomplex as iscomplex
from .ops import isfinite as isfinite
from .ops import isin as isin
from .ops import isinf as isinf
from .ops import isnan as isnan
from .ops import isneginf as isneginf
from .ops import isposinf as isposinf
from .ops import isreal as isreal
from .ops import kron as kron
from .ops import kthvalue as kthvalue
from .ops import lcm as lcm
from .ops import lerp as lerp
from .ops import less as less
from .ops import less_equal as less_equal
from .ops import lexsort as lexsort
from .ops import log as log
from .ops import log1p as log1p
from .ops import log2 as log2
from .ops import log10 as log10
from .ops import log_softmax as log_softmax
from .ops import logaddexp as logaddexp
from .ops import logaddexp2 as logaddexp2
from .ops import logcumsumexp as logcumsumexp
from .ops import logical_and as logical_and
from .ops import logical_not as logical_not
from .ops import logical_or as logical_or
from .ops import logical_xor as logical_xor
from .ops import logsumexp as logsumexp
from .ops import masked_fill as masked_fill
from .ops import masked_select as masked_select
from .ops import matmul as matmul
from .ops import matrix_transpose as matrix_transpose
from .ops import max as max
from .ops import maximum as maximum
from .ops import mean as mean
from .ops import median as median
from .ops import meshgrid as meshgrid
from .ops import min as min
from .ops import minimum as minimum
from .ops import modf as modf
from .ops import moveaxis as moveaxis
from .ops import multiply as multiply
from .ops import nan_to_num as nan_to_num
from .ops import nanargmax as nanargmax
from .ops import nanargmin as nanargmin
from .ops import nancumprod as nancumprod
from .ops import nancumsum as nancumsum
from .ops import nanmax as nanmax
from .ops import nanmean as nanmean
from .ops import nanmedian as nanmedian
from .ops import nanmin as nanmin
from .ops import nanpercentile as nanpercentile
from .ops import nanprod as nanprod
from .ops import nanquantile as nanquantile
from .ops import nanstd as nanstd
from .ops import nansum as nansum
from .ops import nanvar as nanvar
from .ops import negative as negative
from .ops import nextafter as nextafter
from .ops import nonzero as nonzero
from .ops import not_equal as not_equal
from .ops import one_hot as one_hot
from .ops import outer as outer
from .ops import pad as pad
from .ops import partition as partition
from .ops import percentile as percentile
from .ops import permute_dims as permute_dims
from .ops import polar as polar
from .ops import positive as positive
from .ops import power as power
from .ops import prod as prod
from .ops import ptp as ptp
from .ops import put_along_axis as put_along_axis
from .ops import quantile as quantile
from .ops import rad2deg as rad2deg
from .ops import ravel as ravel
from .ops import ravel_multi_index as ravel_multi_index
from .ops import real as real
from .ops import reciprocal as reciprocal
from .ops import relu as relu
from .ops import remainder as remainder
from .ops import repeat as repeat
from .ops import reshape as reshape
from .ops import rint as rint
from .ops import roll as roll
from .ops import rollaxis as rollaxis
from .ops import rot90 as rot90
from .ops import round as round
from .ops import rsqrt as rsqrt
from .ops import scatter as scatter
from .ops import scatter_add as scatter_add
from .ops import scatter_reduce as scatter_reduce
from .ops import searchsorted as searchsorted
from .ops import select as select
from .ops import setdiff1d as setdiff1d
from .ops import sigmoid as sigmoid
from .ops import sign as sign
from .ops import signbit as signbit
from .ops import sin as sin
from .ops import sinc as sinc
from .ops import sinh as sinh
from .ops import softmax as softmax
from .ops import sort as sort
from .ops import split as split
from .ops import sqrt as sqrt
from .ops import square as square
from .ops import squeeze as squeeze
from .ops import stack as stack
from .ops import std as std
from .ops import stop_gradient as stop_gradient
from .ops import subtract as subtract
from .ops import sum as sum
from .ops import sum_to as sum_to
from .ops import swapaxes as swapaxes
from .ops import take as take
from .ops import take_along_axis as take_along_axis
from .ops import tan as tan
from .ops import tanh as tanh
from .ops import tensordot as tensordot
from .ops import tile as tile
from .ops import topk as topk
from .ops import transpose as transpose
from .ops import trapezoid as trapezoid
from .ops import tril as tril
from .ops import tril_indices as tril_indices
from .ops import trim_zeros as trim_zeros
from .ops import triu as triu
from .ops import triu_indices as triu_indices
from .ops import trunc as trunc
from .ops import union1d as union1d
from .ops import unique as unique
from .ops import unique_all as unique_all
from .ops import unique_counts as unique_counts
from .ops import unique_inverse as unique_inverse
from .ops import unique_values as unique_values
from .ops import unravel_index as unravel_index
from .ops import unstack as unstack
from .ops import vander as vander
from .ops import var as var
from .ops import vdot as vdot
from .ops import vecdot as vecdot
from .ops import view_as_complex as view_as_complex
from .ops import view_as_real as view_as_real
from .ops import vsplit as vsplit
from .ops import vstack as vstack
from .ops import where as where
from .transforms import Function as Function
from .transforms import backward as backward
from .transforms import checkpoint as checkpoint
from .transforms import checkpoint_sequential as checkpoint_sequential
from .transforms import custom_jvp as custom_jvp
from .transforms import custom_root as custom_root
from .transforms import custom_vjp as custom_vjp
from .transforms import fixed_point as fixed_point
from .transforms import grad as grad
from .transforms import hessian as hessian
from .transforms import hvp as hvp
from .transforms import jacfwd as jacfwd
from .transforms import jacobian as jacobian
from .transforms import jacrev as jacrev
from .transforms import jvp as jvp
from .transforms import linear_solve as linear_solve
from .transforms import linearize as linearize
from .transforms import plan_checkpoints as plan_checkpoints
from .transforms import scan as scan
from .transforms import value_and_grad as value_and_grad
from .transforms import vhp as vhp
from .transforms import vjp as vjp
from .transforms import vmap as vmap

# NumPy's other names, each for the same object.
absolute = abs
amax = max
amin = min
arccos = acos
arccosh = acosh
arcsin = asin
arcsinh = asinh
arctan = atan
arctan2 = atan2
arctanh = atanh
around = round
bitwise_not = bitwise_invert
conj = conjugate
degrees = rad2deg
fix = trunc
invert = bitwise_invert
left_shift = bitwise_left_shift
mod = remainder
pow = power
radians = deg2rad
right_shift = bitwise_right_shift
true_divide = divide

if _typing.TYPE_CHECKING:
    from . import data as data
    from . import fft as fft
    from . import inspect as inspect
    from . import ir as ir
    from . import linalg as linalg
    from . import metrics as metrics
    from . import nn as nn
    from . import optim as optim
    from . import random as random
    from . import special as special
    from . import testing as testing
    from . import training as training
    from . import viz as viz
    from ._io import load as load
    from ._io import save as save
    from .inspect import attribute as attribute
    from .inspect import explain as explain
    from .inspect import why as why
    from .inspect.either import diff as diff
    from .ir import record as record
    from .ir import trace as trace
    from .ops.distances import cdist as cdist
    from .ops.distances import dist as dist
    from .ops.distances import pdist as pdist
    from .ops.formulas import matvec as matvec
    from .ops.formulas import polyval as polyval
    from .ops.formulas import unwrap as unwrap
    from .ops.formulas import vecmat as vecmat
    from .ops.linalg import norm as norm
    from .ops.rearrange import cartesian_prod as cartesian_prod
    from .ops.rearrange import combinations as combinations
    from .ops.rearrange import index_fill as index_fill
    from .ops.rearrange import resize as resize
    from .ops.rearrange import setxor1d as setxor1d
    from .ops.rearrange import unflatten as unflatten
    from .ops.rearrange import unique_consecutive as unique_consecutive
    from .ops.special import digamma as digamma
    from .ops.special import erf as erf
    from .ops.special import erfc as erfc
    from .ops.special import erfinv as erfinv
    from .ops.special import i0 as i0
    from .ops.special import lgamma as lgamma
    from .ops.special import logit as logit
    from .ops.special import polygamma as polygamma
    from .ops.special import xlogy as xlogy
    from .ops.standard import bool as bool
    from .ops.standard import can_cast as can_cast
    from .ops.standard import complex64 as complex64
    from .ops.standard import complex128 as complex128
    from .ops.standard import e as e
    from .ops.standard import euler_gamma as euler_gamma
    from .ops.standard import finfo as finfo
    from .ops.standard import float16 as float16
    from .ops.standard import float32 as float32
    from .ops.standard import float64 as float64
    from .ops.standard import iinfo as iinfo
    from .ops.standard import inf as inf
    from .ops.standard import int8 as int8
    from .ops.standard import int16 as int16
    from .ops.standard import int32 as int32
    from .ops.standard import int64 as int64
    from .ops.standard import isdtype as isdtype
    from .ops.standard import nan as nan
    from .ops.standard import newaxis as newaxis
    from .ops.standard import pi as pi
    from .ops.standard import result_type as result_type
    from .ops.standard import uint8 as uint8
    from .ops.standard import uint16 as uint16
    from .ops.standard import uint32 as uint32
    from .ops.standard import uint64 as uint64
    from .ops.window import convolve as convolve
    from .ops.window import correlate as correlate
    from .ops.window import interp as interp
    from .ops.window import sliding_window_view as sliding_window_view
    from .ops.window.sliding import unfold as unfold
    from .random import bernoulli as bernoulli
    from .random import multinomial as multinomial
    from .random import poisson as poisson
    from .training import Trainer as Trainer
    from .training import evaluate as evaluate
    from .training import fit as fit
    from .training import predict as predict
    from .viz import graph as graph

_ON_FIRST_USE = {
    "data",
    "fft",
    "inspect",
    "ir",
    "linalg",
    "metrics",
    "nn",
    "optim",
    "random",
    "special",
    "testing",
    "training",
    "viz",
}
_STANDARD = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128 "
    "e euler_gamma inf nan newaxis pi can_cast finfo iinfo isdtype result_type"
)
# Public here, but loaded with their module: importing tensorgrad stays light. Types see the list above.
_LATE = {"graph": "viz", "record": "ir", "trace": "ir", "load": "_io", "save": "_io"}
_LATE |= {"diff": "inspect.either", **dict.fromkeys(["attribute", "explain", "why"], "inspect")}
_LATE |= dict.fromkeys(["Trainer", "evaluate", "fit", "predict"], "training")
_LATE |= {name: f"ops.{module}" for name, module in _METHODS.items()}
_LATE |= dict.fromkeys(["polygamma"], "ops.special")
_LATE |= dict.fromkeys(["cdist", "dist", "pdist"], "ops.distances")
_LATE |= dict.fromkeys(["matvec", "polyval", "unwrap", "vecmat"], "ops.formulas")
_LATE |= dict.fromkeys(
    ["cartesian_prod", "combinations", "resize", "setxor1d", "unique_consecutive"],
    "ops.rearrange",
)
_LATE |= dict.fromkeys(_STANDARD.split(), "ops.standard")
_LATE |= dict.fromkeys(["convolve", "correlate", "interp", "sliding_window_view"], "ops.window")
_LATE |= dict.fromkeys(["bernoulli", "multinomial", "poisson"], "random")


def __getattr__(name: str) -> _typing.Any:
    """Load a subpackage, or a function of one, when it is first asked for."""
    if name in _ON_FIRST_USE:
        return _importlib.import_module(f"{__name__}.{name}")
    if name in _LATE:
        found = getattr(_importlib.import_module(f"{__name__}.{_LATE[name]}"), name)
        globals()[name] = found
        return found
    from ._names import missing

    raise missing(f"module {__name__!r}", name, __dir__())


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_FIRST_USE, *_LATE})
