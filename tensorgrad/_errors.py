"""The exceptions of this library; each is also the built-in error that a caller would expect.

::

    TensorgradError
    ├── ShapeError      (ValueError)           shapes, axes or sizes that do not fit
    ├── IndexingError   (IndexError)           an index outside its axis
    ├── DtypeError      (TypeError)            a dtype or kind of value that cannot be used here
    ├── LinalgError     (LinAlgError of NumPy) a matrix that cannot be inverted or factorised
    ├── ConvergenceError (ArithmeticError)     an iteration that did not arrive
    ├── GradientError   (RuntimeError)         a derivative that cannot be had
    │   ├── NoGraphError                       nothing was recorded, or it was freed
    │   └── MutatedError                       a saved value was overwritten before backward
    ├── RuleMissingError (NotImplementedError) an op without the formula that was asked for
    ├── TraceError      (RuntimeError)         a computation that a recorded program cannot hold
    ├── StateDictError  (RuntimeError, ValueError) a saved state that does not fit
    ├── FileFormatError (ValueError)           a file that is truncated, damaged, or of another kind
    ├── AnomalyError    (FloatingPointError)   a NaN or an infinity, found by ``detect_anomaly``
    └── GradcheckError  (AssertionError)       a formula that disagrees with finite differences

A message says what failed, names the op and its arguments with their shapes or dtypes, and ends
with the way out. ``LoopWarning`` (UserWarning) is no error: a batch that ran example by example.
"""

from __future__ import annotations

import numpy as np


class TensorgradError(Exception):
    """Base of every error that this library raises on its own account."""


class ShapeError(TensorgradError, ValueError):
    """Shapes, axes or sizes do not fit together."""


class IndexingError(TensorgradError, IndexError):
    """An index lies outside its axis, or has a form that cannot be used."""


class DtypeError(TensorgradError, TypeError):
    """A dtype, or a kind of value, cannot be used here."""


class LinalgError(TensorgradError, np.linalg.LinAlgError):
    """A matrix cannot be inverted or factorised, or an iteration on it does not converge."""


class ConvergenceError(TensorgradError, ArithmeticError):
    """An iteration did not arrive at a solution."""


class GradientError(TensorgradError, RuntimeError):
    """A derivative cannot be had, or a formula returned one that does not fit."""


class NoGraphError(GradientError):
    """Nothing was recorded for this tensor, or its graph was freed by an earlier backward."""


class MutatedError(GradientError):
    """A value that the backward pass needs was overwritten after it was saved."""


class RuleMissingError(TensorgradError, NotImplementedError):
    """An op lacks the formula that a transformation asked for."""


class TraceError(TensorgradError, RuntimeError):
    """A computation cannot be written down as a program that replays."""


class StateDictError(TensorgradError, RuntimeError, ValueError):
    """A saved state does not fit the module or optimizer that it is loaded into."""


class FileFormatError(TensorgradError, ValueError):
    """A file or a download is truncated, damaged, or of another kind than it should be."""


class AnomalyError(TensorgradError, FloatingPointError):
    """A NaN or an infinity appeared while ``detect_anomaly`` was watching."""


class GradcheckError(TensorgradError, AssertionError):
    """An analytic derivative disagrees with the numerical one."""


class LoopWarning(UserWarning):
    """An op without a batching rule ran example by example under ``vmap``: right, and slow."""
