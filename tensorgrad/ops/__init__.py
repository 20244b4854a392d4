"""The cards: what each op computes and its mathematics, by family.

Everything in here is a function of arrays that knows nothing of tensors: a Tensor among the
arguments makes the op record, a dual number makes it push a tangent forward, and so on. A file
reads as a page of a table of derivatives.
"""

from __future__ import annotations

from .compare import all as all
from .compare import any as any
from .compare import argmax as argmax
from .compare import argmin as argmin
from .compare import argsort as argsort
from .compare import equal as equal
from .compare import greater as greater
from .compare import greater_equal as greater_equal
from .compare import isfinite as isfinite
from .compare import less as less
from .compare import less_equal as less_equal
from .compare import logical_and as logical_and
from .compare import logical_not as logical_not
from .compare import logical_or as logical_or
from .compare import not_equal as not_equal
from .contract import einsum as einsum
from .contract import matmul as matmul
from .dtype import astype as astype
from .dtype import conjugate as conjugate
from .dtype import imag as imag
from .dtype import real as real
from .dtype import stop_gradient as stop_gradient
from .elementwise import abs as abs
from .elementwise import add as add
from .elementwise import cos as cos
from .elementwise import divide as divide
from .elementwise import exp as exp
from .elementwise import log as log
from .elementwise import maximum as maximum
from .elementwise import minimum as minimum
from .elementwise import multiply as multiply
from .elementwise import negative as negative
from .elementwise import positive as positive
from .elementwise import power as power
from .elementwise import relu as relu
from .elementwise import sigmoid as sigmoid
from .elementwise import sign as sign
from .elementwise import sin as sin
from .elementwise import sqrt as sqrt
from .elementwise import square as square
from .elementwise import subtract as subtract
from .elementwise import tanh as tanh
from .elementwise import where as where
from .index import one_hot as one_hot
from .index import sort as sort
from .index import take_along_axis as take_along_axis
from .normalise import log_softmax as log_softmax
from .normalise import logsumexp as logsumexp
from .normalise import softmax as softmax
from .reduce import max as max
from .reduce import mean as mean
from .reduce import min as min
from .reduce import std as std
from .reduce import sum as sum
from .reduce import var as var
from .shape import broadcast_to as broadcast_to
from .shape import concat as concat
from .shape import expand_dims as expand_dims
from .shape import flip as flip
from .shape import matrix_transpose as matrix_transpose
from .shape import moveaxis as moveaxis
from .shape import permute_dims as permute_dims
from .shape import ravel as ravel
from .shape import reshape as reshape
from .shape import split as split
from .shape import squeeze as squeeze
from .shape import stack as stack
from .shape import sum_to as sum_to
from .shape import swapaxes as swapaxes
from .shape import transpose as transpose
from .window import correlate2d as correlate2d
