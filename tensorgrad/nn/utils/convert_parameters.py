"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ... import ops
from ..._errors import DtypeError, ShapeError
from ..._tensor import Tensor, overwrite


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters in one vector, differentiable.

    Args:
        parameters: as ``model.parameters()`` gives them.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.utils.parameters_to_vector([tg.tensor([[1.0, 2.0]]), tg.tensor([3.0])])
        tensor([1., 2., 3.])
    """
    listed = list(parameters)
    if not listed:
        raise ValueError("parameters_to_vector: there are no parameters")
    joined: Tensor = ops.concat([ops.reshape(p, (-1,)) for p in listed])
    return joined


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into parameters, in their order; the parameters stay the same objects.

    Args:
        vec: of as many elements as the parameters have together.
        parameters: leaves, as ``model.parameters()`` gives them.

    Raises:
        ShapeError: the vector has another length. Nothing has changed then.

    Example:
        >>> import tensorgrad as tg
        >>> w, b = tg.nn.Parameter([[0.0, 0.0]]), tg.nn.Parameter([0.0])
        >>> tg.nn.utils.vector_to_parameters(tg.tensor([1.0, 2.0, 3.0]), [w, b])
        >>> w.detach(), b.detach()
        (tensor([[1., 2.]]), tensor([3.]))
    """
    listed = list(parameters)
    values = np.array(vec.detach().numpy() if isinstance(vec, Tensor) else vec)
    wanted = sum(p.size for p in listed)
    if values.shape != (wanted,):
        raise ShapeError(
            f"vector_to_parameters: the vector has shape {values.shape}, and the parameters have {wanted} elements"
        )
    if values.dtype.kind == "c" and any(p.dtype.kind != "c" for p in listed):
        raise DtypeError(f"vector_to_parameters: a vector of {values.dtype} would lose its imaginary part")
    start = 0
    for p in listed:
        overwrite(p, values[start : start + p.size].reshape(p.shape), "vector_to_parameters")
        start += p.size
