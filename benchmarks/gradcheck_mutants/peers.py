"""What the gradient checkers of PyTorch, JAX and HIPS autograd say of a NumPy function and its derivative.

Each `Peer` builds the function in its own library, hands it to that library's checker with its default
tolerances, and tells whether it complained: True, False, or None where the function, or its fault, cannot be
expressed there. Run ``python -m benchmarks.gradcheck_mutants.peers`` for the table of the design notes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

from tensorgrad.testing.subject import Pair

from .hosts import faults, in_hips, in_jax, in_torch, writes

Peer = Callable[[Pair, Sequence[Any]], bool | None]

SEED = 0


def torch_slow(pair: Pair, arrays: Sequence[Any]) -> bool | None:
    """``torch.autograd.gradcheck``: every entry of the Jacobian."""
    return _torch(pair, arrays, fast_mode=False)


def torch_fast(pair: Pair, arrays: Sequence[Any]) -> bool | None:
    """``torch.autograd.gradcheck`` with ``fast_mode=True``: one random projection."""
    return _torch(pair, arrays, fast_mode=True)


def jax_check_grads(pair: Pair, arrays: Sequence[Any]) -> bool | None:
    """``jax.test_util.check_grads`` in reverse mode.

    None for a derivative that writes into an array which it is given: JAX's arrays cannot be written into.
    """
    if not _is_double(arrays) or writes(pair, arrays):
        return None
    import jax
    from jax.test_util import check_grads

    with _double(jax):
        return _complains(lambda: check_grads(in_jax(pair), [np.array(a) for a in arrays], 1, modes=["rev"]))


def hips_check_grads(pair: Pair, arrays: Sequence[Any]) -> bool | None:
    """``autograd.test_util.check_grads`` in reverse mode."""
    if not _is_double(arrays):
        return None
    from autograd.test_util import check_grads

    places = tuple(range(len(arrays))) if len(arrays) > 1 else 0
    checked = check_grads(in_hips(pair), places, modes=["rev"], order=1)
    return _complains(lambda: checked(*[np.array(a) for a in arrays]))


PEERS: dict[str, Peer] = {
    name: peer
    for name, peer, needs in (
        ("torch slow", torch_slow, "torch"),
        ("torch fast", torch_fast, "torch"),
        ("jax check_grads rev", jax_check_grads, "jax"),
        ("HIPS check_grads rev", hips_check_grads, "autograd"),
    )
    if find_spec(needs)
}
"""The peers that are installed, by name."""


# ---- parts


def _torch(pair: Pair, arrays: Sequence[Any], **options: Any) -> bool | None:
    if not _is_double(arrays) or not all(np.size(a) for a in arrays):  # gradcheck refuses to look at nothing
        return None
    import torch

    inputs = [torch.from_numpy(np.array(a, order="C")).requires_grad_() for a in arrays]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return _complains(lambda: torch.autograd.gradcheck(in_torch(pair).apply, inputs, **options))


def _complains(check: Callable[[], Any]) -> bool:
    """Whether a checker raises or returns False."""
    state = np.random.get_state()  # noqa: NPY002 - HIPS autograd draws from this one
    np.random.seed(SEED)  # noqa: NPY002
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return check() is False
    except Exception:
        return True
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _is_double(arrays: Sequence[Any]) -> bool:
    """Whether the peers' default tolerances are meant for these inputs."""
    return bool(arrays) and all(np.asarray(a).dtype.name in ("float64", "complex128") for a in arrays)


@contextmanager
def _double(jax: Any) -> Iterator[None]:
    from jax import experimental

    with experimental.enable_x64() if hasattr(experimental, "enable_x64") else jax.enable_x64(True):
        yield


# ---- the table


def main() -> None:
    """Print how many of the trials each peer complains in."""
    from tensorgrad.testing import check_vjp

    def ours(pair: Pair, arrays: Sequence[Any]) -> bool:
        return not check_vjp(pair.f, pair.f_vjp, list(arrays))

    checkers: dict[str, Peer] = {"tensorgrad": ours, **PEERS}
    print("| fault | shape | " + " | ".join(checkers) + " |\n|" + "---|" * (len(checkers) + 2))
    for shape, trials in (((3, 3), 40), ((20, 20), 40)):
        for fault in faults(np.random.default_rng(0), shape):
            cells = []
            for name, checker in checkers.items():
                count = 5 if shape == (20, 20) and name == "torch slow" else trials
                found = []
                for seed in range(count):
                    rng = np.random.default_rng(seed)
                    x = rng.standard_normal(shape)
                    found.append(checker(Pair(lambda x: x**3, faults(rng, shape)[fault], 1), [x]))
                cells.append("n/a" if None in found else f"{sum(map(bool, found))}/{count}")
            print(f"| {fault} | {shape[0]}x{shape[1]} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
