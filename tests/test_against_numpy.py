"""Every function that NumPy has under the same name gives what NumPy gives: value, shape and dtype, or an error.

The arguments come from `numpy_calls`. They go to our function as arrays, as tensors, to the method of that
name, through a trace that is replayed with other values, and in a batch.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.reference.numpy_calls import CALLS, DIFFERENT, EVERYWHERE, LEFT_OUT, RESULTS_BY_VALUE, Draw, near

# What NumPy gives for unusual arguments changed until 2.4.
pytestmark = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="compared with NumPy 2.4"
)


def outcome(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The results of a call in a list, or its exception."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return leaves(f(*args, **kwargs))
        except Exception as error:
            return error


def leaves(result: Any) -> list[Any]:
    if isinstance(result, tuple | list):
        return [leaf for one in result for leaf in leaves(one)]
    return [np.asarray(result)]


def mapped(f: Callable[[Any], Any], value: Any) -> Any:
    """The arguments with ``f`` applied to each array in them."""
    if isinstance(value, list | tuple):
        return type(value)(mapped(f, one) for one in value)
    return f(value) if isinstance(value, np.ndarray) else value


def disagreement(theirs: Any, ours: Any) -> str:
    """What is different between two outcomes; nothing if they agree."""
    if isinstance(ours, Exception):
        if not isinstance(theirs, Exception):
            return f"we raise {type(ours).__name__}: {ours}"
        fine = isinstance(ours, tg.TensorgradError) or "positional argument" in str(ours)
        return "" if fine else f"both raise, but our error is {type(ours).__name__}: {ours}"
    if isinstance(theirs, Exception):
        return f"NumPy raises {type(theirs).__name__}: {theirs}"
    if len(theirs) != len(ours):
        return f"{len(ours)} results, not {len(theirs)}"
    for a, b in zip(theirs, ours, strict=True):
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return f"{b.dtype} {b.shape}, not {a.dtype} {a.shape}"
        if not near(a, b):
            return f"{b}, not {a}"
    return ""


def check(name: str, how: str, args: Any, kwargs: Any, theirs: Any, ours: Any) -> None:
    wrong = disagreement(theirs, ours)
    if wrong and not any(allows(args, theirs, ours) for allows in (*DIFFERENT.get(name, []), EVERYWHERE[1])):
        given = ", ".join([*map(repr, args), *[f"{k}={v!r}" for k, v in kwargs.items()]])
        pytest.fail(f"{name}({given}) {how}: {wrong}")


@pytest.mark.parametrize("name", CALLS)
def test_numpy_says_the_same(name: str) -> None:
    for seed in range(N1):
        compare(name, *CALLS[name](Draw(seed)))


def compare(name: str, args: Any, kwargs: Any) -> None:
    theirs = outcome(getattr(np, name), *args, **kwargs)
    check(name, "of arrays", args, kwargs, theirs, outcome(getattr(tg, name), *args, **kwargs))
    tensors = mapped(tg.tensor, args)
    check(name, "of tensors", args, kwargs, theirs, outcome(getattr(tg, name), *tensors, **kwargs))
    if isinstance(tensors[0], tg.Tensor) and name in METHODS:
        check(
            name,
            "as a method",
            args,
            kwargs,
            theirs,
            outcome(getattr(tensors[0], name), *tensors[1:], **kwargs),
        )


N1, N2 = 30, 8
METHODS = {name for name in CALLS if hasattr(tg.Tensor, name)} - {"real", "imag"}


@pytest.mark.parametrize("name", CALLS)
def test_traces_and_batches_say_the_same(name: str) -> None:
    for seed in range(N2):
        draw = Draw(seed)
        compare_with_singles(name, draw, *CALLS[name](draw))


def compare_with_singles(name: str, draw: Draw, args: Any, kwargs: Any) -> None:
    """A replay with other values, and a batch of them, against calls one by one."""
    f, arrays = of_arrays(getattr(tg, name), args, kwargs)
    others = [[shuffled(draw.rng, name, x) for x in arrays] for _ in range(2)]
    singles = [outcome(f, *values) for values in others]
    if not arrays or any(isinstance(one, Exception) for one in [outcome(f, *arrays), *singles]):
        return
    replayed = outcome(lambda: tg.trace(f, *arrays)(*others[0]))
    axes = [draw.int(-x.ndim - 1, x.ndim) for x in arrays]
    stacked = [np.stack(pair, axis) for *pair, axis in zip(*others, axes, strict=True)]
    batched = outcome(tg.vmap(f, in_axes=tuple(axes)), *stacked)
    if name in RESULTS_BY_VALUE and isinstance(replayed, tg.TensorgradError):
        assert isinstance(batched, tg.TensorgradError)
        return
    check(name, "replayed", args, kwargs, singles[0], replayed)
    check(
        name, f"in a batch, {axes=}", args, kwargs, [np.stack(p) for p in zip(*singles, strict=True)], batched
    )


def of_arrays(f: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Callable[..., Any], list[Any]]:
    """A function of the arrays among the arguments, and these arrays."""
    arrays: list[Any] = []
    mapped(lambda x: arrays.append(np.array(x)), args)

    def call(*values: Any) -> Any:
        rest = iter(values)
        return f(*mapped(lambda _: next(rest), args), **kwargs)

    return call, arrays


def shuffled(rng: Any, name: str, x: Any) -> Any:
    """The elements in another order, so that all that holds of them holds still."""
    return x if name == "searchsorted" else rng.permutation(x.ravel()).reshape(x.shape)


def test_every_common_name_is_covered() -> None:
    """A name is in the table, or there is a reason why not."""
    functions = [n for n in dir(np) if n[0] != "_" and callable(getattr(np, n)) and hasattr(tg, n)]
    common = {n for n in functions if not isinstance(getattr(np, n), type)}
    assert sorted(common) == sorted([*CALLS, *LEFT_OUT])
    assert {*DIFFERENT, *RESULTS_BY_VALUE} <= set(CALLS)
