"""Search the inputs at which a gradient is wrong, and show the smallest one."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import GradcheckError
from .call import Call
from .check import check, check_vjp
from .domains import Domain
from .plugged import plugin
from .report import Report

if TYPE_CHECKING:
    from .search import Case, Target

MAX_EXAMPLES = 100
"""How many inputs are checked, unless it is said otherwise."""

FEW = ("derivative", "form of the gradient")
"""The clauses that are checked at each input."""

THOROUGH = 10
"""So many times more with ``--tensorgrad-thorough``."""


@dataclass(frozen=True)
class Outcome:
    """A search that found nothing.

    Attributes:
        name: of the function.
        examples: how many inputs were checked.
        not_finite: how many more were drawn at which the function is not finite.
        refused: how many more the function did not take.
        seed: repeats the search.
    """

    name: str
    examples: int
    not_finite: int
    refused: int
    seed: int

    def __str__(self) -> str:
        more = f", not finite at {self.not_finite}" if self.not_finite else ""
        more += f", refused {self.refused}" if self.refused else ""
        return f"{self.name}: gradients right at {self.examples} inputs{more} (seed {self.seed})"


def opcheck(
    f: Callable[..., Any] | None = None,
    /,
    *,
    inputs: Sequence[Any] | None = None,
    domain: Domain | Sequence[Domain] | None = None,
    vjp: Callable[..., Any] | None = None,
    dtype: Any = np.float64,
    max_examples: int = MAX_EXAMPLES,
    seed: int | None = None,
    derandomize: bool | None = None,
    **options: Any,
) -> Any:
    """Search inputs at which the gradients of ``f`` are wrong: shapes, layouts and values.

    `check` says whether gradients are right at one input. This draws many: broadcast shapes, axes of
    length 1 and 0, 0-d arrays, ties, values near 0, near the ends of the domain and near kinks, small and
    large ones, and arrays that are not contiguous. A function is evaluated at single numbers beforehand
    to find its domain and its kinks, and so is its derivative rule. An input that fails is made as small
    and plain as possible before it is shown. What ``f`` does not take (where it raises a ValueError,
    TypeError, IndexError or ArithmeticError), or where it is not finite, is left out.

    Without ``f`` it is a decorator that turns a function into a test for pytest. It needs the extra
    ``tensorgrad[testing]``.

    Args:
        f: takes tensors, or arrays if ``vjp`` is given, and returns one or several. Functions of other libraries
            and a `Subject` do as well, as with `check`.
        inputs: a Hypothesis strategy for each argument, such as those of `tensorgrad.testing.strategies`.
            By default as many arrays as ``f`` has parameters without a default value.
        domain: where the values lie, for all arguments or a sequence with one for each; found by
            evaluation if not given.
        vjp: the derivative of a NumPy function, as for `check_vjp`.
        dtype: of the arrays that are drawn.
        max_examples: how many inputs to check.
        seed: repeats a search. By default a new one each time, or 0 if ``derandomize``.
        derandomize: the same inputs on each run; by default what the Hypothesis profile says.
        **options: those of `check`, such as ``atol``.

    Returns:
        An `Outcome`, or the decorator.

    Raises:
        GradcheckError: a gradient is wrong. The message has the report of `check` at the smallest input,
            and code that repeats it.
        ValueError: none of the inputs drawn suits ``f``, or its number of arguments is not known.

    Example:
        >>> import tensorgrad as tg
        >>> from tensorgrad.testing import Domain, opcheck
        >>> print(opcheck(lambda x, y: tg.exp(x) * y, max_examples=20, seed=0))
        <lambda>: gradients right at 20 inputs (seed 0)

        >>> @opcheck(domain=Domain(-3, 3), max_examples=20)
        ... def test_sine(x):
        ...     return tg.sin(x)
        >>> test_sine()
    """
    __tracebackhide__ = True
    search = partial(
        _search, inputs=inputs, domain=domain, vjp=vjp, dtype=np.dtype(dtype), max_examples=max_examples,
        seed=seed, derandomize=derandomize, options=options,
    )  # fmt: skip
    return partial(_as_test, search) if f is None else search(f)


def _as_test(search: Callable[..., Outcome], f: Callable[..., Any]) -> Callable[..., None]:
    """A function without parameters, for pytest would take them for fixtures; a method keeps ``self``."""
    method = next(iter(inspect.signature(f).parameters), None) == "self"

    def test(*self: Any) -> None:
        __tracebackhide__ = True
        search(f.__get__(self[0]) if method else f)

    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(test, name, getattr(f, name))
    test.__dict__.update(vars(f))  # the marks of pytest
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)] if method else []
    test.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return test


# ---- the search


def _search(
    f: Callable[..., Any],
    *,
    inputs: Sequence[Any] | None,
    domain: Domain | Sequence[Domain] | None,
    vjp: Callable[..., Any] | None,
    dtype: np.dtype[Any],
    max_examples: int,
    seed: int | None,
    derandomize: bool | None,
    options: dict[str, Any],
) -> Outcome:
    __tracebackhide__ = True
    from . import search

    target, run = search.Target(f, vjp), plugin()
    thorough = run is not None and run.thorough
    domains = [] if inputs is not None else search.domains_of(target, domain)
    groups = search.st.tuples(*inputs) if inputs is not None else search.groups_for(target, domains, dtype)
    seed = search.seed_for(seed, derandomize)
    refusals: list[str] = []
    examples = filled = 0

    def wrong(case: Case) -> bool:
        nonlocal examples, filled
        if refusal := target.refusal(*case.arrays):
            refusals.append(refusal)
            raise search.Unsuitable
        examples += 1
        filled += all(np.size(x) for x in case.arrays)
        return not _report(call_of(case), options, in_full=thorough or case.in_full)

    def call_of(case: Case) -> Call:
        return Call(f, vjp, case.arrays, case.layouts)

    try:
        budget = max_examples * (THOROUGH if thorough else 1)
        found = search.smallest(search.cases(target, groups), wrong, seed=seed, examples=budget)
    except search.Unsuitable:
        found = None
    if not filled and found is None:  # without elements everything is finite
        raise ValueError(_nothing_suits(target, refusals))
    if found is not None and domains:
        found = search.plainer(found, wrong, domains)
    text = "" if found is None else _failure(call_of(found), options, seed)
    if run is not None:
        run.record({"name": target.name, "ok": not text, "examples": examples, "text": text})
    if text:
        raise GradcheckError(text)
    elsewhere = refusals.count("not finite")
    return Outcome(target.name, examples, elsewhere, len(refusals) - elsewhere, seed)


def _report(call: Call, options: dict[str, Any], *, in_full: bool, localise: bool = False) -> Report:
    """The report of `check`."""
    own = {} if in_full else {"clauses": FEW}
    f, *vjp = call.functions
    chosen = {"localise": localise, **own, **options}
    with np.errstate(all="ignore"):
        if vjp:
            return check_vjp(f, vjp[0], call.inputs, **chosen)
        return check(f, call.inputs, **chosen)


# ---- messages


def _nothing_suits(target: Target, refusals: Sequence[str]) -> str:
    often = max(set(refusals), key=refusals.count, default="")
    why = "is finite at none of them" if often == "not finite" else f"refused them: {often}"
    return (
        f"opcheck: no input drawn suits {target.name}, which {why}. Say what it takes, with domain= or with "
        "a strategy for each argument, such as inputs=[strategies.arrays(shape=(3, 3))]"
    )


def _failure(call: Call, options: dict[str, Any], seed: int) -> str:
    """The report at the smallest case, and how to repeat it."""
    if not call.plain:
        # Other clauses would call the function at other shapes, which may not have this layout.
        options = {"clauses": FEW, **options}
    report = _report(call, options, in_full=True, localise=True)
    page = dataclasses.replace(report, reproducer="")  # the call below has the layouts too
    return f"{page}\n\nThe smallest input found (seed {seed}). To repeat it:\n\n{call.code(options)}"
