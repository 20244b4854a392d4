"""The search for inputs at which a gradient is wrong: what it must find, let pass, and say."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import Domain, Pair, opcheck, search, strategies
from tests.testing.mutants import MUTANTS, cube, cube_numpy, cube_vjp, product, right_vjp

REGION = ["x < -2", "x < -2, NumPy"]


def message(f: Callable[..., Any], **options: Any) -> str:
    """What the search says about a gradient that is wrong, or nothing."""
    try:
        opcheck(f, **options)
    except tg.GradcheckError as error:
        return str(error)
    return ""


def repeated(text: str) -> str:
    """What the code at the end of a message prints."""
    code = inspect.cleandoc(text[text.index("    import numpy") :])
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    return printed.getvalue()


def elements(text: str) -> int:
    """The number of elements of the input that a message shows."""
    arrays = eval(re.findall(r"(\[np\..*?\])(?:, clauses=.*)?\)\)$", text)[0], {"np": np})
    return max(x.size for x in arrays)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find, but do not make small; and probe a function once for all seeds."""
    monkeypatch.setattr(search, "PHASES", search.PHASES[:1])
    monkeypatch.setattr(search, "plainer", lambda case, wrong, domains: case)
    probe = functools.cache(lambda f, vjp, i, n: domain_of(search.Target(f, vjp), i, n))
    domain_of = search.domain_of
    monkeypatch.setattr(search, "domain_of", lambda target, i, n: probe(target.f, target.vjp, i, n))


# ---- what must be found


@pytest.mark.parametrize("name", REGION)
def test_a_rule_that_is_wrong_in_a_region_is_found_and_made_small(name: str) -> None:
    f, vjp = MUTANTS[name]
    assert all(elements(message(f, vjp=vjp, seed=seed)) <= 2 for seed in range(3))


@pytest.mark.parametrize("name", REGION)
def test_a_rule_that_is_wrong_in_a_region_is_found_whatever_the_seed(name: str, quick: None) -> None:
    f, vjp = MUTANTS[name]
    assert sum(bool(message(f, vjp=vjp, seed=seed)) for seed in range(20)) >= 19


@pytest.mark.parametrize("name", [name for name in MUTANTS if name not in REGION])
def test_what_is_wrong_at_special_inputs_only_is_found(name: str, quick: None) -> None:
    f, vjp = MUTANTS[name]
    assert all(message(f, vjp=vjp, seed=seed) for seed in range(5))


@pytest.mark.slow
def test_campaign() -> None:
    """Prints for each mutant how often it is found in 100 seeds, and the largest of the smallest inputs."""
    failed = []
    print(f"\n{'wrong only':20} found of 100  elements, at most")
    for name, (f, vjp) in MUTANTS.items():
        texts = [message(f, vjp=vjp, seed=seed) for seed in range(100)]
        found = [text for text in texts if text]
        most = max(map(elements, found), default=0)
        print(f"{name:20} {len(found):12}  {most}")
        failed += [name] * (len(found) < 95 or (name in REGION and most > 2))
    assert not failed


def test_a_narrow_region_is_found_because_the_rule_jumps_there(quick: None) -> None:
    def rule(inputs: Any, y: Any, g: Any) -> Any:
        (x,) = inputs
        return g * 2 * x * np.where((x > 6.3) & (x < 6.4), 0.9, 1.0)

    texts = [message(lambda x: x**2, vjp=rule, seed=seed) for seed in range(5)]
    assert all(texts)


# ---- what must pass


@pytest.mark.parametrize(
    "f",
    [
        tg.sin,
        tg.log,
        tg.relu,
        tg.asin,
        tg.divide,
        tg.maximum,
        tg.matmul,
        lambda *xs: tg.sum(xs[0] + 2 * xs[1]),
    ],
    ids=lambda f: f.__name__,
)
def test_right_gradients_pass(f: Callable[..., Any]) -> None:
    outcome = opcheck(f, max_examples=12, seed=3)
    assert f"{outcome.name}: gradients right at {outcome.examples} inputs" in str(outcome)
    assert outcome.examples >= 10


def test_a_right_pair_passes() -> None:
    assert opcheck(product, vjp=right_vjp, max_examples=20, seed=0).examples == 20


# ---- what is drawn


def test_a_declared_domain_is_kept() -> None:
    seen: list[float] = []

    def rule(inputs: Any, y: Any, g: Any) -> Any:
        seen.extend(inputs[0].ravel())
        return g / (inputs[0] - 2)

    opcheck(
        lambda x: np.log(x - 2),
        vjp=rule,
        domain=Domain(3, 4),
        max_examples=50,
        seed=0,
        clauses=["derivative"],
    )
    assert 3 < min(seen) < 3.01 and 3.99 < max(seen) < 4, "close to the ends, and never beyond"


def test_domains_are_probed() -> None:
    domains = search.domains_of(search.Target(lambda a, b: tg.log(a) / b, None), None)
    assert [(d.low, d.high, d.exclude) for d in domains] == [(0, np.inf, ()), (-np.inf, np.inf, (0,))]
    (domain,) = search.domains_of(search.Target(cube, None), None)
    assert domain == Domain(marks=[-2]), "the rule jumps there"


def test_strategies_may_be_given() -> None:
    shapes: set[tuple[int, ...]] = set()

    def f(x: Any, n: Any) -> Any:
        shapes.add(x.shape)
        return tg.linalg.inv(x + 30 * tg.eye(2)) * n

    given = [strategies.arrays(shape=(2, 2)), strategies.arrays(shape=())]
    opcheck(f, inputs=given, max_examples=10, seed=0, clauses=["derivative"])
    assert shapes == {(2, 2)}


def test_dtype_is_what_was_asked_for() -> None:
    seen = set()

    def f(x: Any) -> Any:
        seen.add(x.dtype.name)
        return x * x

    opcheck(f, dtype=np.float32, domain=Domain(-2, 2), max_examples=10, seed=0, clauses=["derivative"])
    assert seen <= {"float32", "complex64", "complex128"} and "float32" in seen


def test_a_seed_repeats_a_search_and_others_do_not() -> None:
    def drawn(**options: Any) -> list[str]:
        seen: list[str] = []

        def f(x: Any) -> Any:
            seen.append(str(x))
            return x * 2

        opcheck(f, max_examples=20, clauses=["derivative"], **options)
        return seen

    assert drawn(seed=1) == drawn(seed=1) != drawn(seed=2)
    assert drawn(derandomize=True) == drawn(derandomize=True)
    assert drawn(derandomize=False) != drawn(derandomize=False)


# ---- what is said


def test_the_message_has_the_report_and_code_that_repeats_it() -> None:
    text = message(cube_numpy, vjp=cube_vjp, seed=0)
    assert "wrong" in text and "analytic" in text and "(seed 0)" in text
    assert "from tests.testing.mutants import cube_vjp" in text and "[np.array(-3.0)]" in text
    assert "analytic   24.3" in repeated(text) and "numeric    27" in repeated(text)


def test_the_code_repeats_the_layout() -> None:
    f, vjp = MUTANTS["base of a view"]
    texts = [message(f, vjp=vjp, seed=seed) for seed in range(3)]
    laid_out = [text for text in texts if "lambda" in text]
    assert laid_out, "found by a layout that was drawn, not by the clause on layouts"
    assert all("wrong in" in repeated(text) for text in texts)


def test_tensors_are_laid_out_too() -> None:
    @tg.primitive
    def sine(x: Any, /) -> Any:
        return np.sin(x)

    seen: set[bool] = set()

    def rule(g: Any, x: Any) -> Any:
        seen.add(np.asarray(getattr(x, "_d", x)).flags.c_contiguous)
        return g * tg.cos(x)

    sine.vjp(x=rule)
    opcheck(sine, max_examples=40, seed=0, clauses=["derivative"])
    assert seen == {True, False}


def test_what_cannot_be_searched_is_explained() -> None:
    with pytest.raises(ValueError, match=r"is finite at none of them.*domain="):
        opcheck(lambda x: x * np.nan, max_examples=5)
    with pytest.raises(ValueError, match=r"refused them: ShapeError.*inputs="):
        opcheck(lambda x: tg.reshape(x, (7, 11)), max_examples=5)
    with pytest.raises(ValueError, match="arguments of <lambda> are not known"):
        opcheck(lambda: 0)
    with pytest.raises(ValueError, match="2 inputs, but 1 domains"):
        opcheck(tg.multiply, domain=[Domain()])


def test_without_hypothesis_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "hypothesis"]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("search", "strategies"):
        monkeypatch.delitem(sys.modules, f"tensorgrad.testing.{name}")
        monkeypatch.delattr(tg.testing, name)
    with pytest.raises(ImportError, match=r"pip install 'tensorgrad\[testing\]'"):
        opcheck(tg.sin)


# ---- functions of others


def test_a_subject_is_searched() -> None:
    wrong = Pair(cube_numpy, cube_vjp, 1)
    assert "np.array(-3.0)" in message(wrong, seed=0)


def test_a_function_of_pytorch_is_searched() -> None:
    torch = pytest.importorskip("torch")

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 3 * x**2 * torch.where(x < -2, 0.9, 1.0)

    text = message(Cube, inputs=[strategies.arrays()], seed=0)
    assert "gradient" in text and "[np.array(" in text


# ---- tests for pytest


@opcheck(domain=Domain(-3, 3), max_examples=5)
def test_of_a_function(x: Any) -> Any:
    """This is collected and run by pytest itself."""
    return tg.tanh(x)


class TestMethods:
    @opcheck(max_examples=5, domain=Domain(-3, 3))
    def test_of_a_method(self, a: Any, b: Any) -> Any:
        return a * b + isinstance(self, TestMethods)


def test_a_decorated_function_looks_like_a_test() -> None:
    assert not inspect.signature(test_of_a_function).parameters
    assert test_of_a_function.__doc__ and "collected" in test_of_a_function.__doc__

    @pytest.mark.slow
    def marked(x: Any) -> Any:
        return x

    assert [mark.name for mark in opcheck(seed=0)(marked).pytestmark] == ["slow"]
