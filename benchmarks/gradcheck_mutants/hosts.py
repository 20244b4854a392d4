"""A NumPy function and its derivative as a function of PyTorch, JAX and HIPS autograd.

What is checked there is what the pair does, mistakes included. ``python -m benchmarks.gradcheck_mutants.hosts``
plants the same faults in each library and prints how many of them `tensorgrad.testing.check` finds there. Left
out is what cannot be expressed: JAX's arrays cannot be written into and it keeps to single precision, and
PyTorch takes a sum over broadcast axes that a derivative forgets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from tensorgrad.testing import CLAUSES, check, check_vjp, from_autograd, from_jax, from_torch
from tensorgrad.testing.subject import Pair, listed

from .published import PUBLISHED

Vjp = Callable[[tuple[Any, ...], Any, Any], Any]


def in_torch(pair: Pair) -> Any:
    """The pair as a ``torch.autograd.Function``."""
    import torch

    class Function(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, *xs: Any) -> Any:
            ctx.inputs = tuple([x.numpy() for x in xs])
            ctx.y = pair.f(*ctx.inputs)
            ys = tuple([torch.from_numpy(np.array(one)) for one in listed(ctx.y)])
            return ys if isinstance(ctx.y, tuple | list) else ys[0]

        @staticmethod
        def backward(ctx: Any, *gs: Any) -> Any:
            upstream = tuple([g.resolve_conj().numpy() for g in gs])
            several = isinstance(ctx.y, tuple | list)
            found = listed(pair.f_vjp(ctx.inputs, ctx.y, upstream if several else upstream[0]))
            # A copy: PyTorch adds in place to a gradient of memory that it believes to be shared with nobody.
            return tuple([None if g is None else torch.from_numpy(np.array(g, order="C")) for g in found])

    return Function


def in_jax(pair: Pair) -> Any:
    """The pair as a ``jax.custom_vjp``; `check_grads` runs it with numbers, so it needs no callbacks."""
    import jax

    def results(*xs: Any) -> Any:
        inputs = tuple([np.array(x) for x in xs])
        return inputs, pair.f(*inputs)

    def to_jax(y: Any) -> Any:
        return tuple(map(jax.numpy.asarray, y)) if isinstance(y, tuple | list) else jax.numpy.asarray(y)

    @jax.custom_vjp
    def f(*xs: Any) -> Any:
        return to_jax(results(*xs)[1])

    def backward(saved: Any, g: Any) -> Any:
        inputs, y = saved
        upstream = tuple([np.conj(v) for v in g]) if isinstance(g, tuple) else np.conj(g)
        found = listed(pair.f_vjp(inputs, y, upstream))
        return tuple([None if one is None else jax.numpy.asarray(np.conj(one)) for one in found])

    def forward(*xs: Any) -> Any:
        inputs, y = results(*xs)
        return to_jax(y), (inputs, y)

    f.defvjp(forward, backward)
    return f


def in_hips(pair: Pair) -> Any:
    """The pair as a primitive of HIPS autograd."""
    from autograd.extend import defvjp_argnums, primitive

    @primitive
    def f(*xs: Any) -> Any:
        y = pair.f(*xs)
        return tuple(y) if isinstance(y, list) else y

    def vjp(argnums: Sequence[int], y: Any, xs: Any, options: Any) -> Any:
        def pull(g: Any) -> Any:
            upstream = tuple([conjugate(v) for v in g]) if isinstance(g, tuple | list) else conjugate(g)
            found = listed(pair.f_vjp(tuple(xs), y, upstream))
            return tuple([np.zeros_like(xs[i]) if found[i] is None else conjugate(found[i]) for i in argnums])

        return pull

    defvjp_argnums(f, vjp)
    return f


def writes(pair: Pair, arrays: Sequence[Any]) -> bool:
    """Whether the derivative writes into its inputs or its upstream gradient."""
    xs = tuple([np.array(a) for a in arrays])
    try:
        y = pair.f(*xs)
        gs = tuple([np.ones_like(one) for one in listed(y)])
        before = [a.tobytes() for a in (*xs, *gs)]
        pair.f_vjp(xs, y, gs if isinstance(y, tuple | list) else gs[0])
    except Exception:
        return False
    return [a.tobytes() for a in (*xs, *gs)] != before


def conjugate(array: Any) -> Any:
    """The conjugate; of a real array the array itself."""
    return np.conj(array) if np.iscomplexobj(array) else array


HOSTS: dict[str, tuple[Callable[[Pair], Any], Callable[..., Any]]] = {
    name: (build, subject)
    for name, build, subject in (
        ("torch", in_torch, from_torch), ("jax", in_jax, from_jax), ("autograd", in_hips, from_autograd)
    )
    if find_spec(name)
}  # fmt: skip
"""How to build a pair, and how to make a subject of it, in each library that is installed."""


def faults(rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Callable[..., Any]]:
    """Derivatives of a cube with the faults of the design notes."""
    entry = tuple([int(rng.integers(n)) for n in shape])

    def right(inputs: Any, y: Any, g: Any) -> Any:
        return 3 * g * inputs[0] ** 2

    def scaled(factor: float) -> Callable[..., Any]:
        def entry_scaled(inputs: Any, y: Any, g: Any) -> Any:
            found = right(inputs, y, g)
            found[entry] *= factor
            return found

        return entry_scaled

    def region(inputs: Any, y: Any, g: Any) -> Any:
        return np.where(inputs[0] < -2, 2.0, 1.0) * right(inputs, y, g)

    def doubling(inputs: Any, y: Any, g: Any) -> Any:
        found = right(inputs, y, g)
        g *= 2
        return found

    return {
        "none (a complaint is a false alarm)": right,
        "one entry +10 %": scaled(1.1),
        "one entry +1 %": scaled(1.01),
        "wrong where x < -2": region,
        "backward doubles its upstream gradient in place": doubling,
        "returns float32 for float64": lambda inputs, y, g: right(inputs, y, g).astype(np.float32),
    }


AS_GIVEN = [name for name in CLAUSES if name not in ("broadcast inputs", "small shapes")]
"""The clauses that look at inputs of the given shapes; what was published was about these."""


def instances() -> Iterator[tuple[str, Pair, list[Any], bool]]:
    """Faults of a cube and bugs that were published: name, pair, arrays, and whether it is in fact right."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x = np.append(rng.standard_normal((3, 3)), [[-2.5, 1.0, 2.0]], axis=0)
        for name, vjp in faults(rng, (4, 3)).items():
            yield f"cube: {name}", Pair(lambda x: x**3, vjp, 1), [x], name.startswith("none")
    for k, bug in enumerate(PUBLISHED):
        for vjp, right in ((bug.f_vjp, False), (bug.right_vjp, True)):
            arrays = [np.array(x) for x in bug.inputs(np.random.default_rng((0, k)))]
            yield bug.name, Pair(bug.f, vjp, len(arrays)), arrays, right


def main() -> None:
    """Print how many faults are found in each library, and how often with the diagnosis that NumPy gets."""
    told: dict[str, list[tuple[bool, str | None, str | None]]] = {"NumPy": [], **{name: [] for name in HOSTS}}
    for _, pair, arrays, right in instances():
        ours = _said(check_vjp(pair.f, pair.f_vjp, arrays, clauses=AS_GIVEN))
        told["NumPy"].append((right, ours, ours))
        for name, (build, subject) in HOSTS.items():
            if expressible(name, pair, arrays):
                told[name].append((right, ours, _said(check(subject(build(pair)), arrays, clauses=AS_GIVEN))))
    print("| where | faults found | same diagnosis as in NumPy | right ones accused |\n|---|---|---|---|")
    for name, rows in told.items():
        faulty = [(ours, said) for right, ours, said in rows if not right]
        found = sum(said is not None for _, said in faulty)
        same = sum(ours == said for ours, said in faulty)
        accused = sum(said is not None for right, _, said in rows if right)
        print(f"| {name} | {found} of {len(faulty)} | {same} | {accused} of {len(rows) - len(faulty)} |")


def expressible(host: str, pair: Pair, arrays: Sequence[Any]) -> bool:
    """Whether what the derivative does is what it does in that library."""
    if host == "jax":
        return not writes(pair, arrays) and all(a.dtype.name in ("float64", "complex128") for a in arrays)
    if host == "torch":
        y = pair.f(*arrays)
        gs = tuple([np.ones_like(one) for one in listed(y)])
        found = listed(
            pair.f_vjp(tuple(map(np.array, arrays)), y, gs if isinstance(y, tuple | list) else gs[0])
        )
        return all(g is None or np.size(g) <= np.size(x) for g, x in zip(found, arrays, strict=True))
    return True


def _said(report: Any) -> str | None:
    """The diagnosis of a report, None if nothing was found."""
    return report.cause and (report.cause.diagnosis or report.cause.clause)


if __name__ == "__main__":
    main()
