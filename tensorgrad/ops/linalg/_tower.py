"""Cards that hold all derivatives of a function of matrices, so that each is exact at every order.

Such a card takes ``(a, *directions)`` and returns the derivative of its function at ``a`` along all the
directions, which it is linear in. Its tangent is then the same card with a direction more or another
one. If the derivative is symmetric in the directions and the cotangent too, as for a gradient or a
power series, so is its cotangent: ``g`` takes a place among the directions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._primitive import Op, declare
from ._matrices import full_batches


def tower(forward: Callable[..., Any], turned: Callable[[Any], Any], name: str) -> Op[Any]:
    """Declare the card.

    Args:
        forward: ``forward(a, *directions)`` on arrays.
        turned: what becomes of ``a`` and the directions in the cotangent, where ``g`` stays as it is.
        name: of the card.
    """
    card = declare(forward, "general", name=name)

    def pull(g: Any, operands: Any, wanted: Any) -> list[Any]:
        others = [turned(x) for x in operands]
        return [
            card(*(others if i == 0 else others[:i] + others[i + 1 :]), g) if w else None
            for i, w in enumerate(wanted)
        ]

    def push(t: Any, operands: Any) -> Any:
        total = card(*operands, t[0])
        for i in range(1, len(operands)):
            total = total + card(*operands[:i], t[i], *operands[i + 1 :])
        return total

    def batch(size: int, batched: Any, args: Any) -> Any:
        return card(*full_batches(size, batched, args))

    card.vjp(operands=pull)
    card.jvp(operands=push)
    card.batching(batch)
    return card
