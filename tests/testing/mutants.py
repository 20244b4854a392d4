"""Functions whose derivative is wrong only at inputs that nobody tries by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorgrad as tg


@tg.elementwise
def cube(x: Any, /) -> Any:
    return x * x * x


cube.derivative(x=lambda x: 3 * x * x * tg.where(x < -2, 0.9, 1.0))


def cube_numpy(x: Any) -> Any:
    return x**3


def cube_vjp(inputs: Any, y: Any, g: Any) -> Any:
    (x,) = inputs
    return g * np.where(x < -2, 0.9, 1.0) * 3 * x**2


def product(a: Any, b: Any) -> Any:
    return a * b


def fitted(g: Any, shape: tuple[int, ...]) -> Any:
    """The gradient of a broadcast array: the sum over what was broadcast."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1 != g.shape[i]), keepdims=True)


def right_vjp(inputs: Any, y: Any, g: Any) -> Any:
    a, b = inputs
    return fitted(g * b, a.shape), fitted(g * a, b.shape)


def broadcast_vjp(inputs: Any, y: Any, g: Any) -> Any:
    """An axis of length 1 gets the first entry of the gradient instead of the sum."""
    a, b = inputs
    found = []
    for x, other in ((a, b), (b, a)):
        d = g * other
        d = d.sum(axis=tuple(range(d.ndim - x.ndim)))
        for axis, n in enumerate(x.shape):
            d = d.take([0], axis) if n == 1 != d.shape[axis] and d.shape[axis] else d
        found.append(d if d.shape == x.shape else fitted(d, x.shape))
    return tuple(found)


def sine(x: Any) -> Any:
    return np.sin(x)


def empty_vjp(inputs: Any, y: Any, g: Any) -> Any:
    """Without elements the gradient has lost its axes."""
    (x,) = inputs
    return g * np.cos(x) if x.size else np.zeros(0).reshape((0,) * 4)


def memory_vjp(inputs: Any, y: Any, g: Any) -> Any:
    """Takes the elements in the order of memory."""
    (x,) = inputs
    return g * np.cos(x.ravel(order="K")).reshape(x.shape)


def base_vjp(inputs: Any, y: Any, g: Any) -> Any:
    """Takes the array that a view is a part of for the view."""
    (x,) = inputs
    whole = x if x.base is None else x.base.reshape(-1)[: x.size].reshape(x.shape)
    return g * np.cos(whole)


def ties_vjp(inputs: Any, y: Any, g: Any) -> Any:
    """Wrong where two elements are equal, though the function is as smooth there as elsewhere."""
    (x,) = inputs
    return g * np.cos(x) * (0.5 if len(np.unique(x)) < x.size else 1.0)


def near_zero_vjp(inputs: Any, y: Any, g: Any) -> Any:
    (x,) = inputs
    return g * np.cos(x) * np.where(np.abs(x) < 1e-3, 0.5, 1.0)


def zero_dims_vjp(inputs: Any, y: Any, g: Any) -> Any:
    (x,) = inputs
    return g * np.cos(x) * (2 if x.ndim == 0 else 1)


MUTANTS: dict[str, tuple[Any, Any]] = {
    "x < -2": (cube, None),
    "x < -2, NumPy": (cube_numpy, cube_vjp),
    "axis of length 1": (product, broadcast_vjp),
    "no elements": (sine, empty_vjp),
    "order of memory": (sine, memory_vjp),
    "base of a view": (sine, base_vjp),
    "ties": (sine, ties_vjp),
    "near 0": (sine, near_zero_vjp),
    "0-d": (sine, zero_dims_vjp),
}
"""What is wrong, the function, and its derivative if it is one of NumPy."""
