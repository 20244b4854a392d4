"""The laws notice faults: in the rules of an op, and in how transformations tell each other's values apart."""

from __future__ import annotations

import functools
import importlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad import _levels
from tensorgrad._primitive import registry
from tests.laws import test_every_op, test_words
from tests.laws.programs import Program
from tests.laws.rows import pick
from tests.laws.words import LETTERS
from tests.planted import WRONG, planted, spoil

# The functions hide the modules of the same names.
grad, jvp, vmap = (
    importlib.import_module(f"tensorgrad.transforms.{name}") for name in ("grad", "jvp", "vmap")
)

NEW_BATCH = vmap.new_batch


def check_op(name: str) -> None:
    test_every_op.check(Program(((pick(name, 1), 0, 1), ("sin", 2, 0))), 1)


RULES = [
    ("tanh", "formulas", "x", "factor"),
    ("matmul", "formulas", "b", "sign"),
    ("take_along_axis", "formulas", "x", "zero"),
    ("window_sum", "formulas", "x", "factor"),
    ("cholesky", "tangents", "a", "factor"),
    ("softmax", "tangents", "x", "sign"),
    ("logsumexp", "tangents", "x", "zero"),
]


@pytest.mark.parametrize(("op", "table", "name", "which"), RULES)
def test_a_wrong_rule(op: str, table: str, name: str, which: str) -> None:
    card = registry[op]
    with planted(card, getattr(card, table), name, WRONG[which]), pytest.raises(AssertionError):
        check_op(op)
    check_op(op)


@pytest.mark.parametrize("op", ["tanh", "cholesky", "logsumexp"])
def test_a_rule_that_is_right_at_first_order_only(op: str) -> None:
    card = registry[op]
    name = card.inputs[0]
    with planted(card, card.formulas, name, tg.stop_gradient), pytest.raises(AssertionError):
        check_op(op)


@pytest.mark.parametrize("op", ["running_sum", "einsum", "take_along_axis", "eigh"])
def test_a_wrong_batching_rule(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right: Any = registry[op].batch
    wrong = functools.partial(tg.flip, axis=0)  # the examples change places
    monkeypatch.setattr(registry[op], "batch", lambda *args, **params: spoil(right(*args, **params), wrong))
    with pytest.raises(AssertionError):
        check_op(op)


# ---- faults of the engine


@contextmanager
def one_level_for_all() -> Iterator[int]:
    """What `new_level` would be without numbers of its own for each transformation."""
    level = 10**9
    token = _levels._open.set(_levels._open.get() | {level})
    try:
        yield level
    finally:
        _levels._open.reset(token)


@contextmanager
def one_level_for_all_batches(*args: Any) -> Iterator[int]:
    """The same for `new_batch`."""
    numbers, _levels._numbers = _levels._numbers, lambda: 10**9
    try:
        opening = NEW_BATCH(*args)
        level = opening.__enter__()
    finally:
        _levels._numbers = numbers
    try:
        yield level
    finally:
        opening.__exit__(None, None, None)


def without_history(pull: Any) -> Callable[..., Any]:
    """Gradients that cannot be differentiated."""
    return lambda *args, **options: pull(*args, **options | {"create": False})


def forgetting(cls: type[Any]) -> Callable[..., Any]:
    """A `process` that takes the values of lower levels for those of its own."""
    right = cls.process

    def process(self: Any, primitive: Any, args: Any, params: Any) -> Any:
        mine = [type(self)(*parts_of(arg), self.level) if isinstance(arg, cls) else arg for arg in args]
        return right(self, primitive, tuple(mine), params)

    def parts_of(value: Any) -> tuple[Any, ...]:
        return (value.primal, value.tangent) if cls is jvp.Dual else (value.batch,)

    return process


def constant_primal(pairs: Any) -> Callable[..., Any]:
    """The value beside a tangent without the history that it has in transformations further out."""

    def parts(leaf: Any, level: int) -> Any:
        p, t = pairs(leaf, level)
        return tg.stop_gradient(p), tg.stop_gradient(t)

    return parts


ENGINE: dict[str, tuple[Any, str, Any]] = {
    "one level for all jvps": (jvp, "new_level", one_level_for_all),
    "one level for all vmaps": (vmap, "new_batch", one_level_for_all_batches),
    "one level for all grads": (grad, "new_level", one_level_for_all),
    "duals of different levels mixed": (jvp.Dual, "process", forgetting(jvp.Dual)),
    "batches of different levels mixed": (vmap.Batched, "process", forgetting(vmap.Batched)),
    "tangents without history": (jvp, "_parts", constant_primal(jvp._parts)),
    "gradients without history": (grad, "pull", without_history(grad.pull)),
}


@pytest.mark.parametrize("fault", ENGINE)
def test_a_fault_of_the_engine(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*ENGINE[fault])
    words = [word for k in (2, 3) for word in itertools.product(LETTERS, repeat=k)]
    assert any(not holds(word) for word in [("vmap of points",), *words])


def holds(word: tuple[str, ...]) -> bool:
    try:
        test_words.check(word, "multiply: axes")
    except (AssertionError, tg.TensorgradError):
        return False
    return True
