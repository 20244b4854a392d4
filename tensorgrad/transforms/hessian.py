"""Second derivatives of functions that return one number: whole, or their product with a vector.

All of them differentiate the gradient. A product costs a few gradients, whatever the number of inputs: pull
the vector back through the record of the gradient. That multiplies with the transpose, which is the same
matrix unless somebody's own rule says otherwise; where a function has such rules `hvp` goes forward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .._errors import DtypeError
from .._levels import open_levels
from .._tape import collect
from .._tensor import Tensor
from .._tree import flatten, unflatten
from .grad import CLOSE_OVER, check_differentiable, check_function, differentiate
from .jacobian import jacobian_of
from .jvp import jvp
from .like import Like
from .vjp import vjp


def hessian(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function that computes the Hessian of ``f``: all second derivatives.

    Args:
        f: takes arrays or tensors, or nested containers of them, and returns one real number.
        argnums: position of the argument, or positions of the arguments, to differentiate.
        has_aux: ``f`` returns ``(number, aux)``; the Hessian function then returns ``(hessian, aux)``.
        chunk_size: how many rows to compute at a time, None for all at once; see `jacobian`.

    Returns:
        A function of the same arguments. For an argument of shape ``m`` the Hessian has shape ``m + m``; for
        containers its structure is that of the argument, with the same structure in place of each leaf:
        ``hessian(f)(p)["w"]["b"]`` has the shape of ``w`` and then that of ``b``.

    The gradient is recorded once, and its rows are computed together, not in a loop.

    Raises:
        ShapeError: ``f`` did not return a single number.
        DtypeError: the argument is complex, or holds something that has no gradient.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
        array([[4., 2.],
               [2., 0.]])

    Source:
        Griewank and Walther, Evaluating Derivatives, 2008, chapter 5; Pearlmutter, Fast exact multiplication by the
        Hessian, 1994.
    """
    check_function("hessian", f, argnums)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        _, aux, found = differentiate("hessian", f, argnums, has_aux, args, kwargs)
        _check_real("hessian", found)
        return (found, aux) if has_aux else found

    gradient.__name__ = getattr(f, "__name__", "f")
    return jacobian_of("hessian", gradient, argnums, has_aux, "reverse", chunk_size, False)


def hvp(f: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value of ``f``, and its Hessian times a vector, for the cost of a few gradients.

    Args:
        f: takes arrays or tensors, or nested containers of them, and returns one real number.
        primals: its arguments, as a tuple or list; or its only argument by itself, if that is neither.
        tangents: the vector: for each argument a value of the same structure and shapes, in the same form.
        has_aux: ``f`` returns ``(number, aux)``.

    Returns:
        ``(value, product)``, with ``has_aux`` ``(value, product, aux)``. The product is in the form of
        ``primals``: a tuple with one entry for each argument, or the entry alone.

    Raises:
        ShapeError: ``f`` did not return a single number; a tangent does not have the shape of its primal.
        DtypeError: a primal has no derivative, such as integers.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> x, v = np.array([1.0, 2.0]), np.array([1.0, 0.0])
        >>> tg.hvp(lambda x: (x ** 3).sum(), x, v)
        (np.float64(9.0), array([6., 0.]))
        >>> tg.hvp(lambda x, y: (x * y).sum(), (x, x), (v, 2 * v))[1]
        (array([2., 0.]), array([1., 0.]))

    Source:
        Pearlmutter, Fast exact multiplication by the Hessian, 1994.
    """
    check_function("hvp", f)
    xs, vs, alone = _arguments("hvp", "tangent", primals, tangents)
    own_rules = False

    def noted(*xs: Any) -> Any:
        nonlocal own_rules
        result = f(*xs)
        y = result[0] if has_aux and isinstance(result, tuple) and result else result
        if isinstance(y, Tensor) and y._node is not None:
            own_rules = not all(node.prim.trusted for node in collect([y._node])[0])
        return result

    gradient = _gradient("hvp", noted, len(xs), has_aux)
    product = None
    if not open_levels():
        _, pull, (value, aux) = vjp(gradient, *xs, has_aux=True)
        product = None if own_rules else pull(vs)
    if product is None:
        _, product, (value, aux) = jvp(gradient, xs, vs, has_aux=True)
    product = product[0] if alone else product
    return (value, product, aux) if has_aux else (value, product)


def vhp(f: Callable[..., Any], primals: Any, cotangents: Any, has_aux: bool = False) -> Any:
    """The value of ``f``, and a vector times its Hessian; see `hvp`, which is the same where `f` has no own rules.

    Args:
        f: takes arrays or tensors, or nested containers of them, and returns one real number.
        primals: its arguments, as a tuple or list; or its only argument by itself, if that is neither.
        cotangents: the vector, in the same form.
        has_aux: ``f`` returns ``(number, aux)``.

    Returns:
        ``(value, product)``, with ``has_aux`` ``(value, product, aux)``.

    Raises:
        ShapeError: ``f`` did not return a single number; a cotangent does not have the shape of its primal.
        DtypeError: a primal has no derivative, such as integers.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.vhp(lambda x: (x ** 3).sum(), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
        (np.float64(9.0), array([6., 0.]))
    """
    check_function("vhp", f)
    xs, vs, alone = _arguments("vhp", "cotangent", primals, cotangents)
    _, pull, (value, aux) = vjp(_gradient("vhp", f, len(xs), has_aux), *xs, has_aux=True)
    product = pull(vs)[0] if alone else pull(vs)
    return (value, product, aux) if has_aux else (value, product)


# ---- parts


def _gradient(name: str, f: Callable[..., Any], count: int, has_aux: bool) -> Callable[..., Any]:
    """The gradient by all arguments, and beside it the value and aux."""

    def gradient(*xs: Any) -> Any:
        value, aux, found = differentiate(name, f, tuple(range(count)), has_aux, xs, {})
        return found, (value, aux)

    return gradient


def _arguments(name: str, what: str, primals: Any, vectors: Any) -> tuple[Any, Any, bool]:
    """The arguments and the vector as tuples, and whether there is one argument that came by itself."""
    alone = not isinstance(primals, tuple | list)
    xs, vs = ((primals,), (vectors,)) if alone else (tuple(primals), vectors)
    leaves, tree = flatten(xs)
    for number, leaf in enumerate(leaves):
        check_differentiable(name, "primal ", leaf, tree, number, CLOSE_OVER)
    return xs, unflatten(tree, Like(name, f"the {what}", "the primal", tree, leaves).leaves_of(vs)), alone


def _check_real(name: str, found: Any) -> None:
    leaves, tree = flatten(found)
    for leaf, path in zip(leaves, tree.paths(), strict=True):
        if leaf.dtype.kind == "c":
            raise DtypeError(
                f"{name}: the argument{' at ' + path if path else ''} is complex, and one complex matrix cannot hold its "
                f"second derivatives; differentiate by its parts, tg.{name}(lambda a, b: f(a + 1j * b), argnums=(0, 1))"
            )
