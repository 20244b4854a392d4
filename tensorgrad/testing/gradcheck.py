"""Compare the gradients of a function with finite differences, entry by entry."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._config import enable_grad
from .._errors import DtypeError, GradcheckError
from .._primitive import Value
from .._tensor import Tensor, tensor
from .._tree import Tree, flatten, unflatten
from ..autograd import grad as gradients
from .differences import central, entries, joined, step_for

TOLERANCES = {"float64": (1e-6, 1e-4), "float32": (1e-3, 1e-2), "float16": (5e-2, 5e-2)}
"""``(atol, rtol)`` by the narrowest dtype among the inputs: what central differences can tell apart there."""

FULL_JACOBIAN = 64
"""Up to so many entries in the results, each is checked by itself; beyond that only random sums of them."""

RANDOM_SUMS = 4


def gradcheck(
    f: Callable[..., Any],
    inputs: Any,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
) -> bool:
    """Check the gradients of ``f`` against central differences.

    An entry is right if ``|analytic - numeric| <= atol + rtol * |numeric|``. Each input entry costs
    two evaluations of ``f``, so keep inputs small; and keep them away from kinks by more than ``eps``.

    Args:
        f: takes tensors and returns a tensor, or a container of tensors.
        inputs: the argument of ``f``, or a sequence of its arguments: tensors, arrays or floats, or
            containers of them. Each is differentiated, so each must be floating or complex; double
            precision (float64, complex128) is best, and is what Python's floats become here.
        eps: the step, relative to entries larger than 1. By default 6e-6 for float64, 5e-3 for float32.
        atol: absolute tolerance, by default 1e-6 for float64 and 1e-3 for float32.
        rtol: relative tolerance, by default 1e-4 for float64 and 1e-2 for float32.
        raise_exception: raise where a gradient is wrong, instead of returning False.

    Returns:
        Whether every gradient agrees.

    Raises:
        GradcheckError: a gradient disagrees. The message names the function, the input and its worst
            entry, both values, and what the ratio suggests.
        DtypeError: an input is not floating, or ``f`` returns nothing that is.

    Example:
        >>> import numpy as np, tensorgrad as tg
        >>> tg.testing.gradcheck(lambda a, b: tg.tanh(a) / b, [np.array([0.5, 1.0]), np.array([2.0, 4.0])])
        True

        A derivative with a wrong factor in it:

        >>> @tg.elementwise
        ... def cube(x):
        ...     return x * x * x
        >>> cube.derivative(x=lambda x: 2 * x * x)
        >>> tg.testing.gradcheck(cube, [np.array([1.0, 2.0])])
        Traceback (most recent call last):
            ...
        tensorgrad._errors.GradcheckError: cube: the gradient of x is wrong in 2 of 2 entries
          worst     d result[1] / d x[1]
          analytic  8
          numeric   12
          ratio     0.666667
          hint      every entry is off by the same factor, 0.666667: look for a constant in the formula
    """
    case = _Case.of(f, inputs)
    dtypes = [entries(x).dtype for x in case.arrays]
    narrowest = min(dtypes, key=lambda d: d.itemsize)
    own_atol, own_rtol = TOLERANCES[narrowest.name]
    atol, rtol = own_atol if atol is None else atol, own_rtol if rtol is None else rtol
    outputs = case.outputs(*case.arrays)
    _check_outputs(case, outputs)
    cotangents = _cotangents(outputs)
    analytic = case.pulled(cotangents)
    flat = np.stack([joined(row) for row in cotangents])
    again = case.pulled(cotangents[-1:])
    if any(not np.array_equal(a[-1:], b, equal_nan=True) for a, b in zip(analytic, again, strict=True)):
        raise GradcheckError(f"{case.title}: two backward passes over the same values give other gradients")
    findings = []
    for i, (name, dtype) in enumerate(zip(case.names, dtypes, strict=True)):
        jacobian = central(case.outputs, case.arrays, i, step_for(dtype) if eps is None else eps)
        finding = _Finding(name, case.arrays[i], outputs, analytic[i], flat, jacobian, atol, rtol)
        if finding.wrong.any():
            findings.append(finding)
    if findings and raise_exception:
        raise GradcheckError(_report(case.title, findings))
    return not findings


@dataclass
class _Case:
    """A function and the arrays that it is checked at."""

    f: Callable[..., Any]
    title: str
    arrays: list[Any]
    names: list[str]
    tree: Tree

    @classmethod
    def of(cls, f: Callable[..., Any], inputs: Any) -> _Case:
        args = tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,)
        leaves, tree = flatten(args)
        names = [
            path for name, child in zip(_argument_names(f, len(args)), tree.children, strict=True)
            for path in child.paths(name)
        ]  # fmt: skip
        title = getattr(f, "__name__", type(f).__name__)
        if not leaves:
            raise DtypeError(f"gradcheck: no inputs given for {title}; pass its arguments as a sequence")
        return cls(f, title, [_input(x, n) for x, n in zip(leaves, names, strict=True)], names, tree)

    def outputs(self, *arrays: Any) -> list[Any]:
        """What ``f`` returns for these values, as far as it is floating."""
        results = self.call([tensor(x) for x in arrays])
        return [np.asarray(y._d if isinstance(y, Tensor) else y) for y in results]

    def pulled(self, cotangents: Sequence[Sequence[Any]]) -> list[np.ndarray[Any, Any]]:
        """For each input its gradients, a row for each set of cotangents."""
        with enable_grad():
            variables = [tensor(x, requires_grad=True) for x in self.arrays]
            results = self.call(variables)
        tracked = [i for i, y in enumerate(results) if isinstance(y, Tensor) and y.requires_grad]
        rows: list[list[Any]] = [[] for _ in variables]
        for vs in cotangents:
            found = [None] * len(variables) if not tracked else gradients(
                [results[i] for i in tracked], variables, [vs[i] for i in tracked],
                retain_graph=True, allow_unused=True,
            )  # fmt: skip
            for row, x, g in zip(rows, self.arrays, found, strict=True):
                row.append(joined([np.zeros_like(x) if g is None else g._d]))
        return [np.stack(row) for row in rows]

    def call(self, tensors: Sequence[Tensor]) -> list[Any]:
        leaves, _ = flatten(self.f(*unflatten(self.tree, tensors)))
        return [y for y in leaves if np.dtype(getattr(y, "dtype", type(y))).kind in "fc"]


@dataclass
class _Finding:
    """One input: its gradients both ways, a row for each cotangent, and what is wrong with them."""

    name: str
    value: Any
    outputs: list[Any]
    analytic: np.ndarray[Any, Any]
    cotangents: np.ndarray[Any, Any]
    jacobian: np.ndarray[Any, Any]
    atol: float
    rtol: float

    def __post_init__(self) -> None:
        v, jacobian = self.cotangents, self.jacobian
        with np.errstate(invalid="ignore"):
            self.numeric = v @ jacobian
            # For a unit vector this is atol + rtol * |numeric|; errors in a sum add up like random ones.
            length = np.linalg.norm(v, axis=1)[:, None]
            allowed = self.atol * length + self.rtol * np.sqrt(v**2 @ jacobian**2)
            distance = np.abs(self.analytic - self.numeric)
            error = np.where(distance == 0, 0, distance / allowed)  # a result without elements allows nothing
        self.error = np.where(np.isfinite(error), error, np.inf)
        self.wrong = self.error > 1

    def lines(self) -> list[str]:
        # An entry by itself says more than a random sum of entries, if there is one that is wrong.
        error = self.error[:-RANDOM_SUMS] if self.wrong[:-RANDOM_SUMS].any() else self.error
        row, column = np.unravel_index(int(np.argmax(error)), error.shape)
        a, n = float(self.analytic[row, column]), float(self.numeric[row, column])
        of = _place(self.name, self.value, int(column))
        return [
            f"worst     d {self.result(int(row))} / d {of}",
            f"analytic  {a:.6g}",
            f"numeric   {n:.6g}",
            f"ratio     {a / n:.6g}" if abs(n) > self.atol else "ratio     none, the numeric one is 0",
            *[f"hint      {hint}" for hint in [self.hint()] if hint],
        ]

    def result(self, row: int) -> str:
        """What a row of the gradients belongs to: an entry of a result, or a random sum of all of them."""
        units = len(self.analytic) - RANDOM_SUMS
        for i, y in enumerate(self.outputs if row < units else ()):
            if row < entries(y).size:
                return _place("result" if len(self.outputs) == 1 else f"result {i}", y, row)
            row -= entries(y).size
        return "(a random sum of the results)"

    def hint(self) -> str:
        """What the pattern of the ratios suggests."""
        if not np.isfinite(self.analytic).all():
            return "the formula gives a value that is not finite: look for a division by 0 or an overflow"
        if not np.isfinite(self.numeric).all():
            return "the function is not finite beside this input: move it away from the edge of the domain"
        small = self.atol + self.rtol * np.abs(self.numeric).max()
        loud = np.abs(self.numeric) > small
        if not loud.any():
            return "the gradient should be 0"
        if (np.abs(self.analytic) <= small).all():
            return "the gradient is missing: a formula gives 0, or the way leaves the library (.numpy())"
        ratios = self.analytic[loud] / self.numeric[loud]
        k = float(np.median(ratios))
        same = (np.abs(ratios - k) <= 10 * self.rtol * abs(k)).all()
        if same and (np.abs(self.analytic[~loud]) <= 2 * small).all():
            if abs(k + 1) <= 10 * self.rtol:
                return "every entry has the opposite sign: look for a minus in the formula"
            return f"every entry is off by the same factor, {k:.6g}: look for a constant in the formula"
        entry = loud.any(axis=0)
        if right := int((entry & ~self.wrong.any(axis=0)).sum()):
            return f"{right} of {int(entry.sum())} that are not 0 agree: look at what sets the others apart"
        return ""


def _report(title: str, findings: Sequence[_Finding]) -> str:
    worst = max(findings, key=lambda one: float(one.error.max()))
    columns = worst.wrong.any(axis=0)
    head = f"{title}: the gradient of {worst.name} is wrong in {int(columns.sum())} of {columns.size} entries"
    others = [one.name for one in findings if one is not worst]
    also = [f"also      {', '.join(others)}"] if others else []
    return "\n  ".join([head, *worst.lines(), *also])


def _check_outputs(case: _Case, outputs: Sequence[Any]) -> None:
    if not outputs:
        raise DtypeError(f"gradcheck: {case.title} returned nothing floating, so it has no gradient to check")
    for i, y in enumerate(outputs):
        if not np.isfinite(y).all():
            raise GradcheckError(
                f"{case.title}: result {i} is not finite at these inputs, so differences say nothing; choose "
                "inputs inside the domain"
            )
    again = case.outputs(*case.arrays)
    if any(not np.array_equal(y, z) for y, z in zip(outputs, again, strict=True)):
        raise GradcheckError(
            f"{case.title}: two evaluations at the same inputs differ, so differences say nothing; fix its "
            "random numbers, for example by a generator made inside"
        )


def _cotangents(outputs: Sequence[Any]) -> list[list[Any]]:
    """The unit vectors in the space of the results, unless it is large, and a few random vectors.

    Random ones are always among them: a formula that forgets to multiply by ``g`` passes where g is 1.
    """
    size = sum(entries(y).size for y in outputs)
    units = np.eye(size if size <= FULL_JACOBIAN else 0, size)
    rows = np.concatenate([units, np.random.default_rng(0).standard_normal((RANDOM_SUMS, size))])
    ends = np.cumsum([entries(y).size for y in outputs])[:-1]
    return [[_shaped(part, y) for part, y in zip(np.split(row, ends), outputs, strict=True)] for row in rows]


def _shaped(flat: Any, like: Any) -> Any:
    return flat.astype(entries(like).dtype).view(like.dtype).reshape(like.shape)


def _input(leaf: Any, name: str) -> Any:
    if isinstance(leaf, Value) and not isinstance(leaf, Tensor):
        raise DtypeError(f"gradcheck: input {name} belongs to an open transformation; check outside of it")
    value = leaf._d if isinstance(leaf, Tensor) else leaf
    array = np.array(value, np.float64 if type(value) is float else None)
    if array.dtype.name not in (*TOLERANCES, "complex64", "complex128"):
        raise DtypeError(
            f"gradcheck: input {name} is {array.dtype}; each input is differentiated, so it must be floating "
            "or complex. Bind others beforehand: gradcheck(lambda x: f(x, index), [x])"
        )
    return array


def _argument_names(f: Callable[..., Any], n: int) -> list[str]:
    """The names of the first ``n`` positional parameters of ``f``."""
    names: list[str] = []
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    for one in parameters:
        if one.kind is one.VAR_POSITIONAL:
            names += [f"{one.name}[{i}]" for i in range(n - len(names))]
        elif one.kind is not one.KEYWORD_ONLY:
            names.append(one.name)
    return [*names, *[f"input {i}" for i in range(len(names), n)]][:n]


def _place(name: str, value: Any, entry: int) -> str:
    """An entry of an array, for people: ``x[0, 2]``."""
    pairs = np.asarray(value).dtype.kind == "c"
    index = np.unravel_index(entry // 2 if pairs else entry, np.shape(value))
    part = (" (real part)", " (imaginary part)")[entry % 2] if pairs else ""
    return name + (f"[{', '.join(str(int(i)) for i in index)}]" if index else "") + part
