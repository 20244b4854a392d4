"""PyTorch's names for checks of gradients: ``gradcheck`` and ``gradgradcheck``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._errors import GradcheckError, ShapeError
from .._tensor import Tensor
from .check import check, subject_of
from .comparison import away_from_zero
from .point import Point
from .subject import Subject

ALWAYS = (
    "deterministic", "derivative", "upstream unchanged", "inputs unchanged", "linear in the upstream gradient",
    "zero in, zero out",
)  # fmt: skip


def gradcheck(
    func: Callable[..., Any] | Subject,
    inputs: Any,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = True,
    check_batched_grad: bool = False,
    check_forward_ad: bool = False,
    fast_mode: bool | None = None,
    seed: int = 0,
) -> bool:
    """Check the gradients of a function against differences.

    An entry is right if analytic and numeric value are no further apart than the bound of the numeric
    error and the tolerances together. `check` does the same and more, and returns a report.

    Args:
        func: takes tensors and returns a tensor, or a container of tensors; or a `Subject`.
        inputs: the argument of ``func``, or a sequence of its arguments: tensors, arrays or floats, or
            containers of them. Each is differentiated, so each must be floating or complex; Python's
            floats become float64.
        eps: a step for differences, relative to entries larger than 1. By default each entry has a step
            of its own, the one that tells most.
        atol: absolute tolerance; by default derived from the dtype and from the size of the gradients.
        rtol: relative tolerance; by default two thirds of the digits of the dtype.
        raise_exception: raise where a gradient is wrong, instead of returning False.
        nondet_tol: how far two evaluations of the same may be apart.
        check_undefined_grad: check that a result that is not used counts as one with a zero gradient.
        check_grad_dtypes: check that gradients have the dtypes of the inputs.
        check_batched_grad: check that a batch gives what its examples give one by one.
        check_forward_ad: check forward mode too.
        fast_mode: compare random projections (True), every entry (False), or choose by size (None).
        seed: of random cotangents and directions.

    Returns:
        Whether everything agrees.

    Raises:
        GradcheckError: something is wrong. The message names the function, the input and its worst entry,
            both values, what the pattern of errors suggests, and the op to blame.
        DtypeError: an input is not floating, or ``func`` returns nothing that is.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.testing.gradcheck(lambda a, b: tg.tanh(a) / b, [np.array([0.5, 1.0]), np.array([2.0, 4.0])])
        True

        A derivative with a wrong factor in it:

        >>> @tg.elementwise
        ... def cube(x):
        ...     return x * x * x
        >>> cube.derivative(x=lambda x: 2 * x * x)
        >>> tg.testing.gradcheck(cube, [np.array([1.0, 2.0])])
        Traceback (most recent call last):
            ...
        tensorgrad._errors.GradcheckError: cube: the gradient of x is wrong in 2 of 2 entries
          worst      d result[1] / d x[1]
          analytic   8
          numeric    12
          ratio      0.666667
          diagnosis  factor: every entry is off by the same factor, 0.666667: look for a constant in the formula
    """
    chosen = {
        "unused results": check_undefined_grad,
        "form of the gradient": check_grad_dtypes,
        "batching": check_batched_grad,
        "forward mode": check_forward_ad,
    }
    clauses = [*ALWAYS, *[name for name, wanted in chosen.items() if wanted]]
    report = check(
        func, inputs, eps=eps, atol=atol, rtol=rtol, fast_mode=fast_mode, nondet_tol=nondet_tol, clauses=clauses,
        localise=raise_exception, seed=seed,
    )  # fmt: skip
    if raise_exception and not report:
        raise GradcheckError(report.summary())
    return report.ok


def gradgradcheck(
    func: Callable[..., Any] | Subject, inputs: Any, grad_outputs: Any = None, **options: Any
) -> bool:
    """Check the second derivatives of a function against differences of its gradients.

    Args:
        func: as for `gradcheck`.
        inputs: as for `gradcheck`.
        grad_outputs: a cotangent for each floating result; random ones by default. They are inputs of the
            gradient, and so are checked too.
        options: of `gradcheck`.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.testing.gradgradcheck(lambda x: tg.exp(x) * x, np.array([0.5, 1.0]))
        True
    """
    subject, arrays = subject_of(func, inputs)
    point = Point(subject, arrays)
    derived = subject.derived(len(point.ys))
    if derived is None:
        raise GradcheckError(f"gradgradcheck: the gradient of {subject.name} cannot be differentiated")
    if grad_outputs is None:
        rng = np.random.default_rng(options.get("seed", 0))
        cotangents = point.shaped(away_from_zero(rng, (point.size,)))
    else:
        cotangents = [
            _array(v) for v in (grad_outputs if isinstance(grad_outputs, list | tuple) else [grad_outputs])
        ]
        if [v.shape for v in cotangents] != [y.shape for y in point.ys]:
            raise ShapeError(
                f"gradgradcheck: grad_outputs have shapes {[v.shape for v in cotangents]}, the results "
                f"{[y.shape for y in point.ys]}; give one for each result, in its shape"
            )
    return gradcheck(derived, [*point.arrays, *cotangents], **options)


def _array(value: Any) -> Any:
    return np.asarray(value._d if isinstance(value, Tensor) else value)
