"""What `tensorgrad.structural_zeros` costs: switched off, around the backward pass, and around all of it.

The rows compare this library with itself, so they need no PyTorch. *Off* is recording and backward as they are,
against the same where the walk does not ask whether the rule is on; the entries of ops ask nothing for it. *On* is the
rule around the backward pass alone, or around all, against the program as it is. Nothing is masked, as in most
steps of a training, so what is paid for is the look at each cotangent, and where it records the general path.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad import _tape

from .chains import OPS, leaves, tanh_chain
from .harness import Case, Implementation

Context = Callable[[], AbstractContextManager[Any]]
QUESTION = "zeros = get_mode() & ZEROS\n", "\n"
ANSWER = "card = absorbing(node.prim) if zeros else node.prim\n", "card = node.prim\n"


def cases(torch: Any) -> Iterator[Case]:
    """The rule switched off, with a bar; then its price, without one."""
    for shape in ((), (32, 32)):
        chain = f"50 x tanh(x*w + b) * 0.9, {shape}"
        yield Case(
            "zeros off", chain, partial(_chain, shape), {"never asked": partial(_bare, shape)}, 1.05, per=OPS
        )
    for shape in ((), (32, 32), (256, 256)):
        chain = f"50 x tanh(x*w + b) * 0.9, {shape}"
        off = {"off": partial(_chain, shape)}
        yield Case(
            "zeros around backward", chain, partial(_chain, shape, back=tg.structural_zeros), off, per=OPS
        )
        yield Case("zeros around all", chain, partial(_chain, shape, whole=tg.structural_zeros), off, per=OPS)


def _chain(
    shape: tuple[int, ...], whole: Context = nullcontext, back: Context = nullcontext
) -> Implementation:
    inputs = leaves(tg, shape)
    seed = tg.tensor(np.ones(shape, np.float32))

    def run() -> Any:
        for leaf in inputs:
            leaf.grad = None
        with whole():
            y = tanh_chain(tg, *inputs)
            with back():
                y.backward(seed)
        return y, [leaf.grad for leaf in inputs]

    return Implementation(run)


def _bare(shape: tuple[int, ...]) -> Implementation:
    """The same with a walk that knows nothing of the rule."""
    run, walk = _chain(shape).run, _tape.Walk.run
    source = "from __future__ import annotations\n" + textwrap.dedent(inspect.getsource(walk))
    for old, new in (QUESTION, ANSWER):
        assert old in source
        source = source.replace(old, new)
    space: dict[str, Any] = {}
    exec(source, vars(_tape), space)

    def bare() -> Any:
        _tape.Walk.run = space["run"]  # type: ignore[method-assign]
        try:
            return run()
        finally:
            _tape.Walk.run = walk  # type: ignore[method-assign]

    return Implementation(bare)
