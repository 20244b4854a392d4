"""What `tg.explain` shows: the parts of an explanation, patterns, long computations, and its errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.inspect._notation import latex, text
from tensorgrad.inspect._patterns import PATTERNS
from tensorgrad.inspect._simplify import RULES, simplify
from tensorgrad.inspect._symbols import Name, parse
from tensorgrad.nn import functional as F

from .reading import latex_value, text_value
from .test_explain_random import worked_out

RNG = np.random.default_rng(6)
X, Z, V, T = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 4)), RNG.normal(size=4), np.array([0, 3, 1, 1, 2])
P = np.exp(Z[::-1]) / np.exp(Z[::-1]).sum(1, keepdims=True)
A, W, Y, B = RNG.normal(size=(4, 4)), RNG.normal(size=3), RNG.normal(size=5), RNG.random(size=5)


def rows(labels: Any) -> Any:
    return tg.arange(5), labels


# name: function, arguments, and the closed form of the gradient by the first one
CASES: dict[str, tuple[Any, tuple[Any, ...], str]] = {
    "softmax, log, pick": (
        lambda z, t: -tg.log(F.softmax(z, -1))[rows(t)].mean(), (Z, T), "(softmax(z) - one_hot(t, 4)) / 5"),
    "softmax, pick, log": (
        lambda z, t: -tg.log(F.softmax(z, -1)[rows(t)]).mean(), (Z, T), "(softmax(z) - one_hot(t, 4)) / 5"),
    "log_softmax, pick": (
        lambda z, t: -tg.log_softmax(z)[rows(t)].sum(), (Z, T), "softmax(z) - one_hot(t, 4)"),
    "cross_entropy": (
        lambda z, t: F.cross_entropy(z, t, reduction="sum"), (Z, T), "softmax(z) - one_hot(t, 4)"),
    "probabilities": (
        lambda z, p: -(p * tg.log_softmax(z)).sum(-1).mean(), (Z, P), "(softmax(z) - p) / 5"),
    "binary cross-entropy": (
        lambda x, t: F.binary_cross_entropy(tg.sigmoid(x), t), (Y, B), "(sigmoid(x) - t) / 5"),
    "binary cross-entropy by hand": (
        lambda x, t: -(t * tg.log(tg.sigmoid(x)) + (1 - t) * tg.log(1 - tg.sigmoid(x))).mean(), (Y, B),
        "(sigmoid(x) - t) / 5"),
    "binary cross-entropy with logits": (
        lambda x, t: F.binary_cross_entropy_with_logits(x, t), (Y, B), "(sigmoid(x) - t) / 5"),
    "linear and squared errors": (
        lambda w, X, y: ((X @ w - y) ** 2).mean(), (W, X, Y), "2 / 5 * (X.T @ (X @ w - y))"),
    "logsumexp": (lambda x: tg.logsumexp(x), (V,), "softmax(x)"),
    "logsumexp by hand": (lambda x: tg.log(tg.exp(x).sum()), (V,), "softmax(x)"),
    "norm": (lambda x: tg.sqrt((x * x).sum()), (V,), "x / L"),
    "norm of linalg": (lambda x: tg.linalg.norm(x), (V,), "x / L"),
    "quadratic form": (lambda x, A: x @ A @ x, (V, A), "(A + A.T) @ x"),
    "quadratic form from the right": (lambda x, A: x @ (A @ x), (V, A), "(A + A.T) @ x"),
    "variance": (lambda x: tg.var(x), (V,), "(x - mean(x, keepdims=True)) / 2"),
    "unbiased variance": (lambda x: tg.var(x, correction=1), (V,), "2 / 3 * (x - mean(x, keepdims=True))"),
    "standardisation": (lambda x: ((x - x.mean()) / x.std())[0], (V,), ""),
    "logistic function": (lambda x: (1 / (1 + tg.exp(-x))).sum(), (V,), ""),
    "hyperbolic tangent": (lambda x: ((tg.exp(x) - tg.exp(-x)) / (tg.exp(x) + tg.exp(-x))).sum(), (V,), ""),
    "softmax by hand": (lambda x: (tg.exp(x) / tg.exp(x).sum())[1], (V,), ""),
    "softplus": (lambda x: tg.log(1 + tg.exp(x)).sum(), (V,), "sigmoid(x)"),
    "tanh": (lambda x: tg.tanh(x).sum(), (V,), "1 - tanh(x) ** 2"),
    "sigmoid": (lambda x: tg.sigmoid(x).sum(), (V,), ""),
    "relu": (lambda x: tg.relu(x).sum(), (V,), "relu(x) > 0"),
    "exp of log": (lambda x: tg.exp(tg.log(x)).sum(), (abs(V),), "ones(4)"),
    "log of exp": (lambda x: (tg.log(tg.exp(x)) ** 2).sum(), (V,), "2 * x"),
}  # fmt: skip


def explained(f: Any, args: tuple[Any, ...], **options: Any) -> tuple[Any, Any]:
    """The explanation of the gradient by the first argument, and the gradient."""
    first = tg.tensor(args[0], requires_grad=True)
    with tg.record(names=[]) as run:
        names = f.__code__.co_varnames
        tensors = [first, *[tg.tensor(x) for x in args[1:]]]
        result = f(*tensors)
    run._names = {}  # by the names of the function's arguments, not of variables here
    run._given = {key(x): name for x, name in zip(tensors, names, strict=False)}
    run._built = None
    return tg.explain(run, names[0], **options), tg.grad(f)(
        *[tg.tensor(x) for x in args]
    ).numpy() if result.ndim == 0 else None


def key(x: Any) -> Any:
    return x._node if x._node is not None else id(x._d)


@pytest.mark.parametrize("case", CASES)
def test_closed_forms(case: str) -> None:
    f, args, form = CASES[case]
    e, gradient = explained(f, args)
    names = f.__code__.co_varnames
    final = {line.name.by: line for line in (*e.local, *e.chain, *e.simplified) if hasattr(line.name, "by")}[
        names[0]
    ]
    if form:
        assert text(final.forms[-1]) == form
    for show, value in ((text, text_value), (latex, latex_value)):
        given = {show(Name(n)): np.asarray(x) for n, x in zip(names, args, strict=False)}
        given |= {show(Name("c1")): np.arange(5)}
        found = worked_out(e, given, show, value)
        assert np.allclose(found[names[0]], gradient, rtol=1e-10, atol=1e-13)


def test_every_pattern_is_met_by_a_case() -> None:
    met = {found.title for f, args, _ in CASES.values() for found in explained(f, args)[0].patterns}
    assert met == {pattern.title for pattern in PATTERNS}


def test_every_pattern_has_a_source() -> None:
    assert all(len(pattern.source) > 5 for pattern in PATTERNS)


# The others need an axis, or are about points where the formula is not used.
NUMERIC = [
    rule
    for rule in RULES
    if not any(word in rule[0] for word in ("softmax", "logsumexp", "&", "wins", "inf"))
]


@pytest.mark.parametrize(("pattern", "instead"), NUMERIC)
def test_rules_keep_the_value(pattern: str, instead: str) -> None:
    names = {"a": np.array(0.7), "b": np.array(0.3), "c": np.array(1.0), "x": np.array(0.2)}
    extra = {"rsqrt": lambda x: x**-0.5, "transpose": lambda x: x, "hypot": np.hypot, "isnan": np.isnan}
    table = {**names, **extra, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "log1p": np.log1p, "nan": np.nan,
             "one_minus_square": lambda x: 1 - x * x, "logaddexp": np.logaddexp, "where": np.where,
             "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "expit": lambda x: 1 / (1 + np.exp(-x)),
             "at_least": np.maximum, "at_most": np.minimum}  # fmt: skip
    assert np.allclose(eval(pattern, dict(table)), eval(instead, dict(table)))


# ---- what is shown


def test_a_neuron() -> None:
    w, b, x, t = [tg.tensor(v, requires_grad=v < 1) for v in (0.5, -0.25, 2.0, 1.0)]
    loss = (tg.sigmoid(w * x + b) - t) ** 2
    e = tg.explain(loss, [w, b])
    assert text(e.composed.forms[0]) == "(sigmoid(w * x + b) - t) ** 2"
    assert [str(line) for line in e.forward] == [
        "u = w * x", "v = u + b", "z = sigmoid(v)", "p = z - t", "loss = p ** 2"]  # fmt: skip
    assert [str(line) for line in e.local] == [
        "∂loss/∂p = 2 * p", "∂p/∂z = 1", "∂z/∂v = z * (1 - z)", "∂v/∂u = 1", "∂v/∂b = 1", "∂u/∂w = x"]  # fmt: skip
    assert [text(line.forms[0]) for line in e.chain] == [
        "∂loss/∂p * ∂p/∂z * ∂z/∂v * ∂v/∂u * ∂u/∂w", "∂loss/∂p * ∂p/∂z * ∂z/∂v * ∂v/∂b"]  # fmt: skip
    assert [str(line) for line in e.simplified] == [
        "dloss/dw = 2 * (z - t) * z * (1 - z) * x", "dloss/db = 2 * (z - t) * z * (1 - z)"]  # fmt: skip


def test_numbers_stand_in_the_formulas() -> None:
    w, x = tg.tensor(3.0, requires_grad=True), tg.tensor(2.0)
    y = w * w * x
    shown = str(tg.explain(y, values=True))
    assert "u = w ** 2 = 3 ** 2 = 9" in shown
    assert "y = u * x = 9 * 2 = 18" in shown
    assert "dy/dw = ∂y/∂u * ∂u/∂w = 2 * x * w = 2 * 6 = 12" in shown


def test_a_value_that_is_used_twice_has_two_paths() -> None:
    x = tg.tensor(0.5, requires_grad=True)
    y = tg.exp(x) * tg.sin(x)
    e = tg.explain(y)
    assert text(e.chain[0].forms[0]) == "∂y/∂v * ∂v/∂x + ∂y/∂u * ∂u/∂x"


def test_sums_that_undo_broadcasting_are_visible() -> None:
    graph = tg.trace(lambda X, b: ((X + b) ** 2).sum(), tg.tensor(X), tg.tensor(W))
    assert "dL/db = sum(dL/dU, axis=0)" in str(tg.explain(graph, "b"))


def test_a_result_with_axes_gets_a_gradient_that_arrives() -> None:
    graph = tg.trace(lambda x: tg.tanh(x), tg.tensor(V))
    e = tg.explain(graph)
    assert "dy/dx = G * ∂y/∂x = G * (1 - y ** 2)" in str(e)
    assert e.notes


def test_what_the_tape_dropped_is_named_if_a_variable_gives_the_result() -> None:
    X_, w = tg.tensor(X), tg.tensor(W, requires_grad=True)
    targets = tg.tensor(Y)
    loss = ((X_ @ w - targets) ** 2).mean()
    shown = str(tg.explain(loss))
    assert "v = u - targets" in shown or "u - targets" in shown
    assert "2 / 5 * (X_.T @ (X_ @ w - targets))" in shown


def test_what_nobody_knows_is_said_to_be_unknown() -> None:
    w = tg.tensor(W, requires_grad=True)
    loss = (w - tg.tensor(X)[0]).sum()
    assert "did not keep c1" in str(tg.explain(loss))


def test_detached_values_get_no_gradient() -> None:
    x = tg.tensor(V, requires_grad=True)
    with tg.record() as run:
        loss = (x * tg.exp(x).detach()).sum()
    e = tg.explain(loss)
    assert str(e.simplified[-1]) == "dloss/dx = detach(exp(x))"
    loss.backward()
    found = worked_out(e, {"x": V}, text, text_value)
    assert np.allclose(found["x"], x.grad.numpy())
    assert run is not None


def test_the_forms_of_an_explanation() -> None:
    w = tg.tensor(W, requires_grad=True)
    loss = (tg.tensor(X) @ w).sum()
    e = tg.explain(loss)
    assert e.to_text() == str(e) == repr(e)
    assert e._repr_markdown_() == e.to_markdown()
    assert e._repr_latex_() == e.to_latex()
    for shown in (e.to_markdown(), e.to_latex()):
        assert shown.count("{") == shown.count("}")
        assert shown.count(r"\left") == shown.count(r"\right")
        assert shown.count(r"\begin{aligned}") == shown.count(r"\end{aligned}") > 1
        assert shown.count("$$") % 2 == 0


def test_hostile_names_become_plain_ones() -> None:
    x = tg.tensor(2.0, requires_grad=True)
    loss = x * x
    for name in ("<script>", 'a"b', "lambda", "sum", "a\nb", "$x_{", "7", "fc1.weight", "\u202e"):
        e = tg.explain(loss, names={name: x})
        (given,) = e.given
        assert given.name.text.isidentifier()
        assert given.name.text not in ("lambda", "sum")
        assert "<" not in e.to_markdown()


def test_fused_ops_are_taken_apart() -> None:
    x = tg.tensor(X, requires_grad=True)
    with tg.record():
        loss = (F.layer_norm(x, (3,)) ** 3).sum()
        e = tg.explain(loss)
    loss.backward()
    found = worked_out(e, {"x": X}, text, text_value)
    assert np.allclose(found["x"], x.grad.numpy(), atol=1e-10)


# ---- size


@pytest.mark.parametrize("length", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_long_chain_is_shown_at_its_ends(length: int) -> None:
    x = tg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(length):
        y = tg.sin(y)
    e = tg.explain(y)
    assert e.omitted == length - 60
    assert len(e.forward) == 60
    assert f"{length - 60:,} steps between are not shown" in str(e)
    assert str(e.chain[-1]) == "dy/dx = dy/dt1 * ∂t1/∂x = dy/dt1 * cos(x)"


def test_shared_values_do_not_grow_the_formulas() -> None:
    x = tg.tensor(0.5, requires_grad=True)
    y = x
    for _ in range(40):
        y = tg.sin(y) * y
    e = tg.explain(y, limit=100)
    assert len(str(e)) < 20_000
    found = worked_out(e, {"x": np.array(0.5)}, text, text_value)
    y.backward()
    assert np.allclose(found["x"], x.grad.numpy())


# ---- errors


def test_errors() -> None:
    x = tg.tensor(2.0, requires_grad=True)
    y = x * x
    with pytest.raises(
        tg.GradientError, match=r"'?nothing'? is not a value that y was computed from; its values are x"
    ):
        tg.explain(y, "nothing")
    with pytest.raises(tg.GradientError, match="not a value"):
        tg.explain(y, tg.tensor(1.0))
    with pytest.raises(tg.DtypeError, match="tensor with a history, a run"):
        tg.explain(3)
    with pytest.raises(tg.NoGraphError):
        tg.explain(tg.tensor(1.0))
    z = tg.tensor(1 + 2j, requires_grad=True)
    with pytest.raises(tg.DtypeError, match="complex"):
        tg.explain(z * z)


def test_parsed_rules_are_simple_formulas() -> None:
    assert all(simplify(parse(instead)) is not None for _, instead in RULES)
