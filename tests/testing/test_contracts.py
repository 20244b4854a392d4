"""One mutant for each clause of the contract: that clause finds it, and the right rule passes all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import CLAUSES, Pair, Subject, check
from tensorgrad.testing.recorded import Recorded

X = np.linspace(0.5, 2.0, 6).reshape(2, 3)
ROW = np.array([0.3, -0.4, 0.9])
TICK = itertools.count()


def pair(f: Callable[..., Any], f_vjp: Callable[..., Any], count: int = 1, **more: Any) -> Pair:
    return Pair(f, f_vjp, count, **more)


def square(x: Any) -> Any:
    return x * x


class Remembering:
    """A square whose rule uses what the last call left behind."""

    def __call__(self, x: Any) -> Any:
        self.x = x
        return x * x

    def pull(self, inputs: Any, y: Any, g: Any) -> Any:
        return 2 * self.x * g


class Changed(Recorded):
    """A right function of tensors, one of whose ways of computing is spoilt."""

    def __init__(self, f: Callable[..., Any], *names: str, **spoilt: Callable[[Any], Any]) -> None:
        super().__init__(lambda values: f(*values), f.__name__, names)
        self.spoilt = spoilt

    def pushforward(self, arrays: Any, tangents: Any) -> Any:
        return self._spoil("pushforward", super().pushforward(arrays, tangents))

    def batched(self, stacks: Any, cotangents: Any) -> Any:
        return self._spoil("batched", super().batched(stacks, cotangents))

    def accumulated(self, arrays: Any, cotangents: Any) -> Any:
        return self._spoil("accumulated", super().accumulated(arrays, cotangents))

    def _spoil(self, name: str, value: Any) -> Any:
        return self.spoilt[name](value) if name in self.spoilt else value


def doubled_in_place(inputs: Any, y: Any, g: Any) -> Any:
    g *= 2
    return g * inputs[0]


def saved_in_place(inputs: Any, y: Any, g: Any) -> Any:
    found = 2 * inputs[0] * g
    inputs[0][...] = 0
    return found


def sum_of_gaps(x: Any) -> Any:
    return (x.base if x.base is not None and x.base.size == x.size else x) * 1.0


def second_wrong() -> Any:
    """Right at first order, but the derivative of the derivative is cut."""

    @tg.elementwise
    def cube(x: Any) -> Any:
        return x * x * x

    cube.derivative(x=lambda x: tg.stop_gradient(3 * x * x))
    return cube


def unsummed(inputs: Any, y: Any, g: Any) -> Any:
    """One slice in place of the sum over the first axis."""
    a, b = inputs
    gb = g * a
    return g * b, gb if b.shape == gb.shape else gb[:1] if b.shape == gb[:1].shape else gb.sum(
        1, keepdims=True
    )


def wrong_when_single(inputs: Any, y: Any, g: Any) -> Any:
    (x,) = inputs
    return g * np.exp(x) * (2 if x.size == 1 else 1)


class Forgetful(Pair):
    """Takes a result that is not used for one whose upstream gradient is 1."""

    def pullback(self, *arrays: Any) -> Any:
        ys, pull = super().pullback(*arrays)
        return ys, lambda vs: pull([np.ones_like(y) if v is None else v for v, y in zip(vs, ys, strict=True)])


MUTANTS: dict[str, tuple[Subject, list[Any]]] = {
    "deterministic": (pair(square, lambda i, y, g: 2 * i[0] * g * (1 + 1e-6 * next(TICK))), [X]),
    "derivative": (pair(square, lambda i, y, g: 1.9 * i[0] * g), [X]),
    "form of the gradient": (
        pair(square, lambda i, y, g: (2 * i[0] * g).astype(np.float32)),
        [np.array([0.5, 1.0])],
    ),
    "upstream unchanged": (pair(square, doubled_in_place), [X]),
    "inputs unchanged": (pair(square, saved_in_place), [X]),
    "independent of other calls": (pair(remember := Remembering(), remember.pull), [X]),
    "linear in the upstream gradient": (pair(square, lambda i, y, g: 2 * i[0] * np.abs(g)), [X]),
    "zero in, zero out": (pair(square, lambda i, y, g: 2 * i[0] * g + 1e-3), [X]),
    "unused results": (Forgetful(lambda x: (1.0 * x, 1.0 * x), lambda i, y, g: g[0] + g[1], 1), [X]),
    "used twice": (Changed(tg.exp, "x", accumulated=lambda gs: [g / 2 for g in gs]), [X]),
    "memory layouts": (pair(square, lambda i, y, g: 2 * i[0] * np.ravel(g, "K").reshape(g.shape)), [X]),
    "broadcast inputs": (pair(lambda a, b: a * b, unsummed, 2), [X, X[::-1].copy()]),
    "small shapes": (pair(np.exp, wrong_when_single), [X]),
    "forward mode": (Changed(tg.exp, "x", pushforward=lambda ts: [2 * t for t in ts]), [X]),
    "batching": (
        Changed(tg.exp, "x", batched=lambda found: (found[0], [g[::-1] for g in found[1]])),
        [X],
    ),
    "second order": (Changed(second_wrong(), "x"), [X]),
}


def test_every_clause_has_a_mutant() -> None:
    assert list(MUTANTS) == list(CLAUSES)


@pytest.mark.parametrize("clause", CLAUSES)
def test_the_mutant_of_a_clause_is_found_by_that_clause(clause: str) -> None:
    subject, inputs = MUTANTS[clause]
    report = check(subject, inputs, clauses=[clause])
    assert not report.ok
    assert [one.clause for one in report.findings] == [clause]
    assert [one.verdict for one in report.clauses] == ["failed"]
    assert not check(subject, inputs).ok


def test_right_functions_keep_every_clause() -> None:
    right = [
        (lambda x: tg.exp(x), [X]),
        (lambda a, b: tg.tanh(a * b), [X, X[::-1].copy()]),
        (lambda a, b: (tg.tanh(a) @ b, a.sum(axis=0)), [X, X.T.copy()]),
        (lambda p: {"y": p["w"] * X + p["b"]}, {"w": 2.0, "b": tg.tensor(ROW)}),
    ]
    for f, inputs in right:
        report = check(f, inputs)
        assert report.ok, str(report)
        verdicts = {one.name: one.verdict for one in report.clauses}
        assert set(verdicts) == set(CLAUSES)
        assert set(verdicts.values()) <= {"ok", "skipped"}


def test_a_right_pair_keeps_every_clause() -> None:
    subject = pair(
        lambda a, b: np.sin(a) @ b,
        lambda i, y, g: ((g @ i[1].T) * np.cos(i[0]), np.sin(i[0]).T @ g),
        2,
        f_jvp=lambda i, y, ts: (np.cos(i[0]) * ts[0]) @ i[1] + np.sin(i[0]) @ ts[1],
    )
    report = check(subject, [X, X.T.copy()])
    assert report.ok, str(report)
    assert {one.name: one.verdict for one in report.clauses}["forward mode"] == "ok"


def test_a_rule_for_one_shape_is_not_accused_at_others_unless_asked() -> None:
    def rule(inputs: Any, y: Any, g: Any) -> Any:
        return g * inputs[1], g * inputs[0]

    report = check(Pair(lambda a, b: a * b, rule, 2), [X, X[::-1].copy()])
    assert report.ok
    assert any("its derivative rule does not" in note for note in report.notes)
    assert not check(Pair(lambda a, b: a * b, rule, 2), [X, X[::-1].copy()], clauses="broadcast inputs").ok


def test_empty_arrays_numbers_and_single_elements_pass() -> None:
    for inputs in ([np.zeros((0, 3)), np.ones(3)], [0.5, 2.0], [np.ones((1, 1)), np.ones(1)]):
        assert check(lambda a, b: tg.exp(a) * b, inputs).ok
