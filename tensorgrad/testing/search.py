"""What `tensorgrad.testing.opcheck` draws: inputs that suit a function, found by trying it.

The function is evaluated at single numbers to find where it is finite and where it has kinks, and at a few
shapes to find which it takes. Its derivative rule is evaluated likewise: where the rule jumps and the
function does not, a formula switches to another one, and that is a place to look at.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from .._config import enable_grad
from .._tensor import Tensor, tensor
from .._tree import flatten
from . import bridges
from .check import subject_of
from .domains import NICE, Domain, marks, probed
from .layouts import layouts_of
from .strategies import Draw, arrays, broadcastable, hypothesis
from .subject import Subject, listed

st = hypothesis.strategies

IN_FULL = 10
"""One input in so many is checked on all clauses, the others on the derivative alone."""

BASES = (1.0, 0.5, 2.0, -1.0)
"""What the other arguments are while the domain of one is looked for."""

PHASES = (hypothesis.Phase.generate, hypothesis.Phase.shrink)
"""What Hypothesis does: no examples of an earlier run, for a seed must mean the same everywhere."""

ROUND = 10
"""So many examples are drawn before Hypothesis begins anew: it likes to vary what it has drawn already."""

FEW_ELEMENTS = 8
"""Up to so many elements of an array, plainer numbers are tried for each in the end."""

REFUSED = (ValueError, TypeError, IndexError, ArithmeticError)
"""What a function raises on inputs that it does not take."""


class Target:
    """The function whose gradients are searched.

    Args:
        f: takes tensors, or arrays if ``vjp`` is given; or a function of another library, or a subject.
        vjp: the derivative of a NumPy function.
    """

    def __init__(self, f: Callable[..., Any] | Subject, vjp: Callable[..., Any] | None) -> None:
        self.f: Any = f
        self.vjp = vjp
        self.name = f.name if isinstance(f, Subject) else getattr(f, "__name__", type(f).__name__)
        self.foreign = isinstance(f, Subject) or (vjp is None and bridges.host_of(f) is not None)

    def layouts_of(self, x: Any) -> list[str]:
        """The layouts to try for an input: all values of a NumPy function's must count, so none repeats them."""
        if self.foreign:
            return ["C"]
        leave_out = "read-only" if self.vjp is None else "broadcast"
        return [name for name in layouts_of(x) if name != leave_out]

    def arity(self) -> int:
        """The number of parameters that have no default value; two for ``*args``.

        Raises:
            ValueError: the function has no signature, or takes nothing.
        """
        if isinstance(self.f, Subject):
            return len(self.f.names)
        try:
            parameters = list(inspect.signature(self.f).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        required = [p for p in positional if p.default is p.empty]
        several = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        n = len(required) or len(positional[:1]) or 2 * several
        if not n:
            raise ValueError(
                f"opcheck: the arguments of {self.name} are not known; give a strategy for each, as "
                "inputs=[strategies.arrays(), ...]"
            )
        return n

    def results(self, *inputs: Any) -> list[Any]:
        """What the function returns, as far as it is floating, as arrays."""
        with np.errstate(all="ignore"):
            if self.foreign:
                found = subject_of(self.f, list(inputs))[0].results(*inputs)
            elif self.vjp is not None:
                found = listed(self.f(*inputs))
            else:
                found, _ = flatten(self.f(*[tensor(x) if isinstance(x, np.ndarray) else x for x in inputs]))
        plain = [np.asarray(y._d if isinstance(y, Tensor) else y) for y in found]
        return [y for y in plain if y.dtype.kind in "fc"]

    def rule(self, *inputs: Any) -> list[Any]:
        """The gradients of the sum of the results."""
        with np.errstate(all="ignore"):
            if self.foreign:
                ys, pull = subject_of(self.f, list(inputs))[0].pullback(*inputs)
                return [0.0 if g is None else g for g in pull([np.ones_like(y) for y in ys])]
            if self.vjp is not None:
                y = self.f(*inputs)
                ones = [np.ones_like(one) for one in listed(y)]
                return listed(self.vjp(inputs, y, tuple(ones) if isinstance(y, tuple | list) else ones[0]))
            with enable_grad():
                variables = [tensor(x, requires_grad=True) for x in inputs]
                leaves, _ = flatten(self.f(*variables))
                total = sum(y.sum() for y in leaves if isinstance(y, Tensor) and y.requires_grad)
            if isinstance(total, Tensor):
                total.backward()
            return [np.zeros(x.shape) if x.grad is None else x.grad.numpy() for x in variables]

    def refusal(self, *inputs: Any) -> str:
        """Why the function cannot be checked there, or the empty string."""
        try:
            ys = self.results(*inputs)
        except REFUSED as error:
            return f"{type(error).__name__}: {error}"
        return "" if all(np.isfinite(y).all() for y in ys) else "not finite"


@dataclass(frozen=True)
class Case:
    """Inputs that were drawn, and whether all clauses are to be checked there."""

    arrays: tuple[Any, ...]
    layouts: tuple[str, ...]
    in_full: bool


# ---- searching


class Unsuitable(Exception):
    """Says that an input is none for the function, and is to be left out."""


class _Wrong(Exception):
    """Tells Hypothesis that a case is one."""


def smallest(
    of: st.SearchStrategy[Case], wrong: Callable[[Case], bool], *, seed: int, examples: int
) -> Case | None:
    """The smallest case that is wrong among those found, or None.

    Args:
        of: draws the cases.
        wrong: says whether a case is wrong, and raises `Unsuitable` if it is not one.
        seed: repeats the search.
        examples: how many suitable cases to try.

    Raises:
        Unsuitable: no case drawn was suitable.
    """
    suitable = False
    for start in range(0, examples, ROUND):
        try:
            found = _round(of, wrong, f"{seed}:{start}", min(ROUND, examples - start))
        except hypothesis.errors.Unsatisfiable:
            continue
        suitable = True
        if found is not None:
            return found
    if not suitable:
        raise Unsuitable
    return None


def _round(
    of: st.SearchStrategy[Case], wrong: Callable[[Case], bool], seed: str, examples: int
) -> Case | None:
    found: list[Case] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples, database=None, deadline=None, print_blob=False, report_multiple_bugs=False,
        phases=PHASES, suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(of)
    def trial(case: Case) -> None:
        try:
            is_wrong = wrong(case)
        except Unsuitable:
            hypothesis.reject()
        if is_wrong:
            found.append(case)
            raise _Wrong

    try:
        trial()
    except (_Wrong, hypothesis.errors.Flaky):
        return found[-1]  # the last one that Hypothesis tries is the smallest
    return None


def plainer(case: Case, wrong: Callable[[Case], bool], domains: Sequence[Domain]) -> Case:
    """The same case with plainer numbers from the domains, as far as it stays wrong.

    Hypothesis is done where the next numbers are right, whatever comes after them.
    """

    def stays(other: Case) -> bool:
        try:
            return wrong(other)
        except Unsuitable:
            return False

    for which, (array, domain) in enumerate(zip(case.arrays, domains, strict=True)):
        for place in np.ndindex(array.shape if array.size <= FEW_ELEMENTS else 0):
            now = case.arrays[which][place]
            for x in NICE[: NICE.index(now)] if now in NICE else NICE:
                changed = case.arrays[which].copy()
                changed[place] = x
                other = replace(case, arrays=(*case.arrays[:which], changed, *case.arrays[which + 1 :]))
                if x in domain and stays(other):
                    case = other
                    break
    return case


def seed_for(given: int | None, derandomize: bool | None) -> int:
    """The seed of a search: the given one, always the same one, or a new one."""
    if given is not None:
        return given
    if derandomize is None:
        profile = hypothesis.settings.default
        derandomize = profile is not None and profile.derandomize
    return 0 if derandomize else random.SystemRandom().randrange(2**32)


# ---- drawing


@st.composite
def cases(draw: Draw, target: Target, groups: st.SearchStrategy[Sequence[Any]]) -> Case:
    """Inputs from a strategy for all of them, in layouts drawn for each."""
    group = tuple(draw(groups))
    if draw(st.sampled_from([False] * (IN_FULL - 1) + [True])):
        return Case(group, ("C",) * len(group), True)  # one of the clauses looks at layouts
    ways = [target.layouts_of(x) if isinstance(x, np.ndarray) else ["C"] for x in group]
    # The first that differs from C is where most mistakes show: the order of axes, or else gaps.
    return Case(group, tuple(draw(st.sampled_from(["C", *names, *names[1:2]])) for names in ways), False)


def domains_of(target: Target, given: Domain | Sequence[Domain] | None) -> list[Domain]:
    """The domain of each argument: those given, or what probing finds."""
    n = target.arity()
    if given is None:
        return [domain_of(target, i, n) for i in range(n)]
    domains = list(given) if isinstance(given, Sequence) else [given] * n
    if len(domains) != n:
        raise ValueError(f"opcheck: {target.name} has {n} inputs, but {len(domains)} domains are given")
    return domains


def groups_for(
    target: Target, domains: Sequence[Domain], dtype: np.dtype[Any]
) -> st.SearchStrategy[Sequence[Any]]:
    """Groups of arrays that the function takes, as far as a few trials show."""
    n = len(domains)
    if n == 1:
        return arrays(dtype=dtype, domain=domains[0]).map(lambda x: (x,))
    families: list[tuple[list[tuple[int, ...]], st.SearchStrategy[Any]]] = [
        ([(2, 3), (3,), *[()] * (n - 2)], broadcastable(n, dtype, domains)),
        ([(3, 3)] * n, _matrices(n, dtype, domains, square=True)),
        ([(i + 1, i + 2) for i in range(n)], _matrices(n, dtype, domains, square=False)),
    ]
    taken = [family for shapes, family in families if any(_takes(target, shapes, base) for base in BASES)]
    if len(taken) == 3 or not taken:
        taken = [family for _, family in families]
    elif taken[0] is families[0][1]:
        taken = taken[:1]  # what broadcasts takes square matrices, too
    return st.one_of(*taken)


@st.composite
def _matrices(
    draw: Draw, n: int, dtype: np.dtype[Any], domains: Sequence[Domain], square: bool
) -> tuple[Any, ...]:
    """Matrices that can be multiplied with each other in a row."""
    sides = draw(st.lists(st.integers(1, 3), min_size=n + 1, max_size=n + 1))
    if square:
        sides = sides[:1] * (n + 1)
    return tuple(
        draw(arrays(shape, dtype, domain)) for shape, domain in zip(pairwise(sides), domains, strict=True)
    )


def _takes(target: Target, shapes: Sequence[tuple[int, ...]], base: float) -> bool:
    return target.refusal(*[np.full(shape, base) for shape in shapes]) in ("", "not finite")


# ---- probing


def domain_of(target: Target, which: int, n: int) -> Domain:
    """The domain of one argument, with what is worth a close look: bends of the function and of its rule."""
    shape = next((s for s in ((), (1,), (1, 1), (2, 2)) if _takes(target, [s] * n, 1.0)), ())
    found = []
    for base in BASES if n > 1 else BASES[:1]:

        def inputs(x: float, base: float = base) -> list[Any]:
            return [np.full(shape, x if i == which else base) for i in range(n)]

        if all(target.refusal(*inputs(x)) for x in BASES):
            continue  # nothing to be learned beside this one
        domain = probed(lambda x, at=inputs: _total(target.results(*at(x))))  # type: ignore[misc]
        jumps = marks(lambda x, at=inputs: _total(target.rule(*at(x))[which : which + 1]))  # type: ignore[misc]
        found.append(Domain(domain.low, domain.high, domain.exclude, [*domain.marks, *jumps]))
    if not found:
        return Domain()
    low, high = min(d.low for d in found), max(d.high for d in found)
    common = set.intersection(*[set(d.exclude) for d in found])
    places = {x for d in found for x in d.marks if low < x < high and x not in common}
    return Domain(low, high, sorted(common), sorted(places, key=abs)[:20])


def _total(ys: Sequence[Any]) -> float:
    return float(sum(np.sum(np.real(y)) for y in ys))
