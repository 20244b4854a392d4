"""Check a function and its derivative against everything that a derivative must keep to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from .._errors import DtypeError, GradcheckError
from .._tree import flatten
from . import bridges
from .comparison import Tolerance
from .contracts import CLAUSES, REPEATS
from .diagnose import raised
from .differences import entries
from .examination import Examination, NotApplicable
from .localise import HABITS, culprits
from .point import FAILURES, Point, RuleFailed, check_finite
from .recorded import Applied, Recorded
from .report import Clause, Finding, Report
from .reproducer import reproducer
from .subject import Pair, Subject

FULL = 1 << 18
"""Up to so many entries in a Jacobian, all of them are compared if the mode is not chosen."""


def check(
    f: Callable[..., Any] | Subject,
    inputs: Any,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    fast_mode: bool | None = None,
    nondet_tol: float = 0.0,
    clauses: Iterable[str] | None = None,
    localise: bool = True,
    against: Any = None,
    seed: int = 0,
) -> Report:
    """Check the derivative of ``f`` at a point, clause by clause, and name what is wrong.

    Args:
        f: takes tensors and returns a tensor, or a container of tensors; or a `Subject`; or a function of
            another library (`tensorgrad.testing.from_torch` says what tells it).
        inputs: the argument of ``f``, or a sequence of its arguments: tensors, arrays or floats, or containers
            of them. Each is differentiated, so each must be floating or complex. Where some are tensors
            that require a gradient, only these are, and the others are handed on.
        eps: a step for differences, relative to entries larger than 1. By default each entry has the step
            that tells most, and a bound of the error that is left.
        atol: absolute tolerance, besides that bound. By default it is derived from dtype and size.
        rtol: relative tolerance, besides that bound; by default two thirds of the digits of the dtype.
        fast_mode: compare random projections (True), each entry (False), or choose by size (None). A
            projection takes at most 20 evaluations an input. It shows every single wrong entry whose error
            is larger than the bound of the projection's own, about 1e-10 of the sum over all entries;
            several wrong entries would have to cancel in eight random projections at once.
        nondet_tol: how far two evaluations of the same may be apart.
        clauses: which of `CLAUSES` to check; all by default.
        localise: where something is wrong, check each op inside of ``f`` and name the one to blame.
        against: compare values and gradients with this too: a function of this library or of another, a
            `Subject`, or ``"torch"``, ``"jax"`` or ``"autograd"`` for its function with the name of ``f``.
        seed: of random cotangents and directions.

    Returns:
        A report: true if nothing was found, and a page of text if printed.

    Raises:
        DtypeError: an input cannot be differentiated in, or ``f`` returns nothing that has a gradient.
        GradcheckError: ``f`` is not finite at this point.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> bool(tg.testing.check(lambda a, b: tg.tanh(a) / b, [np.array([0.5, 1.0]), np.array([2.0, 4.0])]))
        True

        A derivative with a wrong factor in it, inside of something larger:

        >>> @tg.elementwise
        ... def cube(x):
        ...     return x * x * x
        >>> cube.derivative(x=lambda x: 2 * x * x)
        >>> report = tg.testing.check(lambda x: tg.tanh(cube(tg.exp(x))).sum(), np.array([-1.0, -2.0]))
        >>> report.cause.op, report.cause.diagnosis, round(report.cause.ratio, 6)
        ('cube', 'factor', 0.666667)
    """
    started = time.perf_counter()
    subject, arrays = subject_of(f, inputs)
    chosen = list(CLAUSES) if clauses is None else _known(clauses)
    options = {
        "eps": eps, "atol": atol, "rtol": rtol, "fast_mode": fast_mode, "nondet_tol": nondet_tol,
        "clauses": None if clauses is None else chosen, "localise": localise, "seed": seed,
    }  # fmt: skip
    defaults = check.__kwdefaults__ or {}
    changed = {name: value for name, value in options.items() if value != defaults[name]}
    repeat = reproducer(f, inputs, changed)  # before f has a chance to write to its inputs
    point = Point(subject, arrays)
    if not point.ys:
        raise DtypeError(
            f"gradcheck: {subject.name} returned nothing floating, so it has no gradient to check"
        )
    check_finite(subject.name, point.ys)
    columns = max([entries(a).size for a in point.arrays], default=0)
    fast = point.size * columns > FULL if fast_mode is None else fast_mode
    tolerance = Tolerance(atol, rtol, point.unit, eps)
    asked = frozenset(() if clauses is None else chosen)
    exam = Examination(point, tolerance, fast, seed, nondet_tol, asked)
    findings: list[Finding] = []
    verdicts = []
    for name in chosen:
        if name in REPEATS and any(one.clause == "derivative" for one in findings):
            verdicts.append(Clause(name, "skipped", "the derivative is wrong already"))
            continue
        with np.errstate(all="ignore"):
            found, verdict = _run(name, exam)
        findings += found
        verdicts.append(verdict)
        if any(one.diagnosis == "nondeterministic" for one in found):
            break  # nothing else can be told then
    if against is not None:
        peer = _peer(f, against, inputs, subject)
        found = bridges.compare(subject, peer, arrays, rtol, seed=seed)
        findings += found
        about = found[0].message if found else ""
        verdicts.append(Clause(f"agrees with {bridges.title(peer)}", "failed" if found else "ok", about))
    findings.sort(key=lambda one: one.clause not in HABITS)
    blamed: list[Finding] = []
    if localise and not isinstance(subject, Applied):
        with np.errstate(all="ignore"):
            steps = subject.steps(*arrays)
            blamed = culprits(steps, tolerance, seed, thorough=bool(findings)) if steps else []
        if blamed and not findings:
            findings.append(
                replace(blamed[0], op=subject.name, message=f"an op inside is at fault, {blamed[0].op}")
            )
    if findings and not blamed:
        with np.errstate(all="ignore"):
            exam.notes += subject.ends(*arrays)
    return Report(
        subject.name,
        tuple([_line(name, a) for name, a in zip(subject.names, point.arrays, strict=True)]),
        "fast" if fast else "full",
        tuple(verdicts),
        tuple(findings),
        tuple(blamed),
        tuple(dict.fromkeys(exam.notes)),
        seed,
        point.evaluations,
        point.suspected_after,
        time.perf_counter() - started,
        repeat,
    )


def check_vjp(
    f: Callable[..., Any],
    f_vjp: Callable[..., Any],
    inputs: Any,
    *,
    f_jvp: Callable[..., Any] | None = None,
    analytic: bool = False,
    **options: Any,
) -> Report:
    """Check a NumPy function and its hand-written derivative; no tensor is needed.

    Args:
        f: takes arrays and returns an array, or a tuple of arrays.
        f_vjp: ``f_vjp(inputs, y, g)`` returns a tuple with the gradient of each input, or the one gradient of
            the only input. ``inputs`` is the tuple of arrays, ``y`` the result and ``g`` its upstream gradient.
        inputs: an array, or a sequence of arrays.
        f_jvp: ``f_jvp(inputs, y, tangents)`` returns the tangent of the result.
        analytic: whether ``f`` takes complex numbers too, so that a complex step may tell its slope.
        options: of `check`.

    Example:
        >>> import numpy as np
        >>> from tensorgrad.testing import check_vjp
        >>> report = check_vjp(np.tanh, lambda inputs, y, g: g * (1 + y * y), np.array([0.1, 0.2, 0.5]))
        >>> report.ok, report.findings[0].message
        (False, 'the gradient of x is wrong in 3 of 3 entries')
    """
    arrays = [np.array(a) for a in (inputs if isinstance(inputs, list | tuple) else [inputs])]
    for i, a in enumerate(arrays):
        if a.dtype.kind not in "fc":
            raise DtypeError(f"check_vjp: input {i} is {a.dtype}; it must be floating or complex")
    return check(Pair(f, f_vjp, len(arrays), f_jvp=f_jvp, analytic=analytic), arrays, **options)


def subject_of(f: Callable[..., Any] | Subject, inputs: Any) -> tuple[Subject, list[Any]]:
    """What is checked, whatever host it belongs to, and its inputs as arrays."""
    foreign = bridges.subject_of(f, inputs)
    if foreign is not None:
        return foreign, foreign.arrays
    if isinstance(f, Subject):
        return f, [np.array(a) for a in (inputs if isinstance(inputs, list | tuple) else [inputs])]
    return Recorded.of(f, inputs)


def _peer(f: Any, against: Any, inputs: Any, subject: Subject) -> Subject:
    """What ``f`` is compared with, for the same inputs."""
    slots = subject.call.slots if isinstance(subject, bridges.Foreign) and subject.call else None
    if isinstance(subject, Recorded):
        leaves = flatten(tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,))[0]
        chosen = [i for i, leaf in enumerate(leaves) if getattr(leaf, "requires_grad", False)]
        slots = tuple(chosen or range(len(leaves)))
    return bridges.peer_subject(f, against, inputs, slots) or Recorded.of(against, inputs)[0]


def _known(clauses: Iterable[str]) -> list[str]:
    given = [clauses] if isinstance(clauses, str) else list(clauses)
    if unknown := [name for name in given if name not in CLAUSES]:
        raise GradcheckError(f"check: there is no clause {unknown[0]!r}; the clauses are {list(CLAUSES)}")
    return [name for name in CLAUSES if name in given]


def _run(name: str, exam: Examination) -> tuple[list[Finding], Clause]:
    try:
        found = list(CLAUSES[name](exam))
    except NotApplicable as why:
        return [], Clause(name, "skipped", str(why))
    except RuleFailed as error:
        if name == "form of the gradient":
            return [raised(exam.finding(name, str(error)), error)], Clause(name, "failed", str(error))
        return [], Clause(name, "skipped", str(error))
    except FAILURES as error:
        message = f"{type(error).__name__}: {error}"
        return [exam.finding(name, message)], Clause(name, "failed", message)
    return found, Clause(name, "failed" if found else "ok", found[0].message if found else "")


def _line(name: str, a: Any) -> str:
    return f"{name}: {a.dtype}{list(a.shape)}"
