"""The checker as a whole: what it finds in its modes, whom it blames, and what it says of bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import Report, check, check_vjp, gradcheck, gradgradcheck

X = np.linspace(0.5, 2.0, 6).reshape(2, 3)


def faulty(name: str = "cube", factor: float = 2.0) -> Any:
    def forward(x: Any) -> Any:
        return x * x * x

    forward.__name__ = name
    op = tg.elementwise(forward)
    op.derivative(x=lambda x: factor * x * x)
    return op


# ---- modes


def one_in(n: int, size: float, seed: int, *, scalar: bool) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    x, wrong = rng.standard_normal(n), int(rng.integers(n))

    def rule(inputs: Any, y: Any, g: Any) -> Any:
        found = g * 2 * np.sin(inputs[0]) * np.cos(inputs[0])
        found[wrong] *= 1 + size
        return found

    return (lambda x: np.sum(np.sin(x) ** 2)) if scalar else (lambda x: np.sin(x) ** 2), rule, x


@pytest.mark.parametrize("scalar", [False, True], ids=["10,000 results", "one result"])
def test_one_wrong_entry_in_10_000_is_found_by_20_evaluations(scalar: bool) -> None:
    """A relative error of 1e-4, 100 seeds; looking for the entry afterwards takes some more."""
    most = 0
    for seed in range(100):
        f, rule, x = one_in(10_000, 1e-4, seed, scalar=scalar)
        calls = 0

        def counted(x: Any, f: Any = f) -> Any:
            nonlocal calls
            calls += 1
            return f(x)

        report = check_vjp(counted, rule, x, fast_mode=True, clauses=["derivative"], seed=seed)
        assert not report.ok
        assert report.findings[0].ratio == pytest.approx(1.0001, rel=1e-6)
        most = max(most, report.suspected_after)
        assert calls == report.evaluations
    assert most <= 20


def test_the_fast_mode_lets_right_gradients_pass() -> None:
    for seed in range(100):
        f, rule, x = one_in(400, 0.0, seed, scalar=seed % 2 == 0)
        report = check_vjp(f, rule, x, fast_mode=True, clauses=["derivative"], seed=seed)
        assert report.ok
        assert report.evaluations <= 20


@pytest.mark.parametrize("fast_mode", [False, True], ids=["full", "fast"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "complex128", "complex64"])
def test_dtypes_need_no_tolerances(dtype: str, fast_mode: bool) -> None:
    x = X.astype(dtype) * (1 + 0.5j if dtype.startswith("complex") else 1)
    assert check(lambda x: tg.exp(x) * x / 3, [x], fast_mode=fast_mode).ok
    assert not check(faulty(), [x], fast_mode=fast_mode).ok
    assert check(faulty(factor=3.0), [x], fast_mode=fast_mode).ok


def test_the_mode_is_chosen_by_size() -> None:
    assert check(tg.sin, X, clauses="derivative").mode == "full"
    assert check(tg.sin, np.ones(600), clauses="derivative").mode == "fast"
    assert check(lambda x: x.sum(), np.ones(600), clauses="derivative").mode == "full"


def test_tolerances_and_steps_can_be_given() -> None:
    off = faulty(factor=3.0003)
    assert not gradcheck(off, X, raise_exception=False)
    assert gradcheck(off, X, rtol=1e-3)
    assert gradcheck(off, X, atol=1e-2, fast_mode=True)
    assert gradcheck(off, X, eps=1e-6, atol=1e-5, rtol=1e-3)
    assert not gradcheck(off, X, eps=1e-6, atol=1e-6, rtol=1e-6, raise_exception=False)
    assert not gradcheck(off, X, eps=1e-6, atol=1e-6, rtol=1e-6, raise_exception=False, fast_mode=True)


# ---- the op to blame


def test_the_op_is_named_with_its_line_and_cause() -> None:
    cube = faulty()
    report = check(lambda x: tg.tanh(cube(tg.exp(x))).sum(), np.array([-1.0, -2.0]))
    cause = report.cause
    assert cause is not None
    assert (cause.op, cause.diagnosis, cause.input) == ("cube", "factor", "x")
    file, _, line = cause.where.rpartition(":")
    assert Path(file).name == "test_check.py"
    assert "tanh(cube(" in Path(file).read_text().splitlines()[int(line) - 1]
    assert "culprit    cube, called at " in report.summary()


def test_one_bad_op_among_200_is_named() -> None:
    cube = faulty("wobble", 2.9)
    w = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]

    def f(x: Any) -> Any:
        for i in range(200):
            x = cube(x) + 1.0 if i == 120 else (tg.tanh, tg.sin, lambda x: x @ w, tg.arctan)[i % 4](x) * 1.3
        return x

    report = check(f, np.random.default_rng(1).standard_normal((3, 4)), clauses=["derivative"])
    assert not report.ok
    assert {one.op for one in report.culprits} == {"wobble"}


@pytest.mark.parametrize("kind", ["custom_vjp", "Function", "primitive"])
def test_ops_of_every_kind_are_named(kind: str) -> None:
    if kind == "custom_vjp":

        @tg.custom_vjp
        def swish(x: Any) -> Any:
            return x * tg.sigmoid(x)

        swish.defvjp(lambda x: (x * tg.sigmoid(x), x), lambda x, g: (g * tg.sigmoid(x),))
        op: Any = swish
    elif kind == "Function":

        class swish_function(tg.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return x * tg.sigmoid(x)

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                return g * tg.sigmoid(ctx.saved_tensors[0])

        op = swish_function.apply
    else:

        @tg.primitive
        def swish_card(x: Any, /) -> Any:
            return x / (1 + np.exp(-x))

        swish_card.vjp(x=lambda g, x: g * tg.sigmoid(x))
        op = swish_card
    report = check(lambda x: tg.exp(op(tg.sin(x))), X)
    assert report.cause is not None
    assert report.cause.op.startswith("swish")


def test_a_rule_that_writes_to_its_upstream_gradient_is_named_although_values_are_right() -> None:
    """PyTorch's checker passes this one: the slope is right, and a sibling gets the wrong gradient."""

    @tg.primitive
    def double(x: Any, /) -> Any:
        return 2 * x

    def rule(g: Any) -> Any:
        g *= 2
        return g

    double.vjp(x=rule)
    report = check(lambda x: tg.exp(double(x)), X)
    assert report.cause is not None
    assert (report.cause.op, report.cause.diagnosis) == ("double", "upstream mutated")


def test_clean_graphs_accuse_nobody() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        w = rng.standard_normal((3, 3))
        report = check(
            lambda x, w=w: tg.softmax(tg.relu(x @ w) + tg.sin(x), axis=1).max(axis=0),
            rng.standard_normal((2, 3)),
        )
        assert report.ok, str(report)
        assert not report.culprits


# ---- what is said


def test_the_report_is_text_and_data() -> None:
    report = check(faulty(), X)
    text, data = str(report), json.loads(report.to_json())
    assert "cube" in text
    assert "factor" in text
    assert data["ok"] is False
    assert data["findings"][0]["clause"] == "derivative"
    assert data["findings"][0]["diagnosis"] == "factor"
    assert {one["name"] for one in data["clauses"]} >= {"derivative", "second order"}
    assert "cube" in report._repr_html_()
    assert bool(check(tg.sin, X))
    assert isinstance(check(tg.sin, X), Report)


def test_the_same_seed_gives_the_same_report() -> None:
    one, two = [check(faulty(), X, seed=5).to_dict() for _ in range(2)]
    one.pop("seconds"), two.pop("seconds")
    assert one == two


@pytest.mark.parametrize(
    ("f", "inputs", "match"),
    [
        (lambda x: x, [np.array([1, 2])], "must be floating or complex"),
        (lambda x: x > 1, [X], "returned nothing floating"),
        (lambda x: "text", [X], "returned nothing floating"),
        (lambda x: None, [X], "returned nothing floating"),
        (lambda: 1.0, [], "pass its arguments as a sequence"),
        (tg.log, [np.array([0.0, 1.0])], "choose inputs inside the domain"),
        (tg.sin, [np.array([np.nan])], "choose inputs inside the domain"),
    ],
)
def test_bad_input_gets_a_sentence(f: Any, inputs: Any, match: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(tg.TensorgradError, match=match):
        check(f, inputs)


def test_a_function_that_differs_from_call_to_call_gets_a_sentence() -> None:
    report = check(lambda x: x * tg.randn(3), X)
    assert not report.ok
    assert "fix its random numbers" in report.findings[0].message
    assert gradcheck(lambda x: x + 1e-9 * tg.randn(3), X, nondet_tol=1e-6, rtol=1e-3, atol=1e-3)


def test_a_way_out_of_the_library_is_a_missing_path() -> None:
    report = check(lambda x: tg.sin(x) * tg.stop_gradient(x), X)
    assert not report.ok
    assert not report.culprits
    assert any("no gradient passes stop_gradient, called at" in note for note in report.notes)
    report = check(lambda x: x.numpy() * 2.0, X)
    assert not report.ok
    assert any("no gradient passes" in note and "numpy()" in note for note in report.notes)


def test_a_rule_that_writes_to_a_saved_constant_is_found() -> None:
    @tg.primitive
    def times(x: Any, c: Any, /) -> Any:
        return x * c

    def rule(g: Any, c: Any) -> Any:
        found = g * c
        c *= 2
        return found

    times.vjp(x=rule, c=lambda g, x: g * x)
    constant = np.full((2, 3), 3.0)
    report = check(lambda x: tg.sin(times(x, constant)), X)
    assert not report.ok
    assert report.cause is not None and report.cause.diagnosis == "upstream mutated"


def test_clauses_that_do_not_exist() -> None:
    with pytest.raises(tg.GradcheckError, match="there is no clause 'values'"):
        check(tg.sin, X, clauses=["values"])


def test_only_tensors_that_require_a_gradient_are_checked_if_some_do() -> None:
    a, b = tg.tensor(X, requires_grad=True), tg.tensor(X)
    assert check(lambda a, b: a * tg.stop_gradient(b), [a, b]).ok
    assert not check(lambda a, b: a * tg.stop_gradient(b), [X, X]).ok
    index = np.array([1, 0])
    assert check(lambda x, index: x[index], [a, index]).ok


# ---- second order


def test_gradgradcheck() -> None:
    assert gradgradcheck(lambda a, b: tg.exp(a) * b, [X, X])
    assert gradgradcheck(lambda x: (tg.sin(x), x.sum() ** 2), X)
    assert gradgradcheck(tg.exp, X, np.ones((2, 3)))
    with pytest.raises(tg.ShapeError, match="give one for each result"):
        gradgradcheck(tg.exp, X, np.ones(3))

    @tg.elementwise
    def cube(x: Any) -> Any:
        return x * x * x

    cube.derivative(x=lambda x: tg.stop_gradient(3 * x * x))
    assert gradcheck(cube, X)
    with pytest.raises(tg.GradcheckError, match="gradient of cube: the gradient of x is wrong"):
        gradgradcheck(cube, X)
    assert not gradgradcheck(cube, X, raise_exception=False)
