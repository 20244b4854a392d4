"""Compare values and gradients with those of another implementation, such as PyTorch's op of the same name."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..._errors import DtypeError
from ..report import Finding
from ..subject import Subject
from .host import imported

_PLACES = {
    "torch": {
        "linalg": ("torch.linalg",),
        "fft": ("torch.fft",),
        "special": ("torch.special",),
        "functional": ("torch.nn.functional", "torch"),
        "": ("torch", "torch.special", "torch.nn.functional", "torch.linalg", "torch.fft"),
    },
    "jax": {
        "linalg": ("jax.numpy.linalg",),
        "fft": ("jax.numpy.fft",),
        "special": ("jax.scipy.special",),
        "functional": ("jax.nn", "jax.numpy"),
        "": ("jax.numpy", "jax.scipy.special", "jax.nn", "jax.lax", "jax.numpy.linalg", "jax.numpy.fft"),
    },
    "autograd": {
        "linalg": ("autograd.numpy.linalg",),
        "fft": ("autograd.numpy.fft",),
        "special": ("autograd.scipy.special",),
        "": ("autograd.numpy", "autograd.scipy.special", "autograd.numpy.linalg", "autograd.numpy.fft"),
    },
}
"""The modules that each host keeps functions in, by the part of this library that a function is from."""

_OTHER_NAMES = {
    "torch": {"power": "pow", "concat": "cat", "permute_dims": "permute", "conjugate": "conj"},
    "jax": {},
    "autograd": {"concat": "concatenate", "permute_dims": "transpose", "pow": "power"},
}


def peer_of(f: Any, host: str) -> Callable[..., Any]:
    """The function of another library that has the name of ``f``.

    Args:
        f: a function or op of this library or of NumPy, or any callable with such a name. The part of a library
            that it is from (``linalg``, ``special``, ``fft``, ``nn.functional``) is looked into first.
        host: ``"torch"``, ``"jax"`` or ``"autograd"``.

    Raises:
        ModuleNotFoundError: the library is not installed.
        DtypeError: it is not one of the three, or it has no function of that name.
    """
    if host not in _PLACES:
        raise DtypeError(f"against={host!r}: give 'torch', 'jax', 'autograd', a callable or a subject")
    name = str(getattr(f, "__name__", getattr(f, "name", "")))
    imported(host)
    found = _found(f, name, host)
    if found is None:
        raise DtypeError(f"against={host!r}: {host} has no function named {name!r}; give the function itself")
    return found


def compare(
    subject: Subject, peer: Subject, arrays: Sequence[Any], rtol: float | None = None, *, seed: int = 0
) -> list[Finding]:
    """Where values, or gradients for a random cotangent, differ from those of a peer.

    Two numbers agree if they differ by at most ``rtol`` times the largest of their array (NaN agrees with NaN,
    an infinity with itself). Agreement means that the two do the same, not that both are right; at a kink
    they may have chosen different slopes.

    Args:
        subject: what is checked.
        peer: what it is compared with, with the same inputs and results.
        arrays: the inputs at which.
        rtol: by default the square root of the rounding of the narrowest dtype, about 1.5e-8 for float64.
        seed: of the cotangents.

    Returns:
        A finding for each result and each gradient that differs; its ``numeric`` is the peer's number.
    """
    ours, pull = subject.pullback(*arrays)
    theirs, pull_peer = peer.pullback(*[np.array(a) for a in arrays])
    who = title(peer)
    if len(ours) != len(theirs):
        message = f"{subject.name} has {len(ours)} results, {who} has {len(theirs)}"
        return [Finding(f"agrees with {who}", subject.name, message)]
    tolerance = _tolerance([*arrays, *ours]) if rtol is None else rtol
    found = [
        _differing(subject.name, who, f"result[{i}]", "", a, b, tolerance)
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True))
    ]
    if not any(found):
        cotangents = _cotangents(ours, seed)
        gradients = pull([np.array(g) for g in cotangents])
        expected = pull_peer([g.astype(y.dtype) for g, y in zip(cotangents, theirs, strict=True)])
        found += [
            _differing(
                subject.name, who, f"gradient of {name}", name, _filled(a, x), _filled(b, x), tolerance
            )
            for name, x, a, b in zip(subject.names, arrays, gradients, expected, strict=True)
        ]
    return [one for one in found if one is not None]


def title(peer: Subject) -> str:
    """The name of a peer, after that of its library."""
    return f"{getattr(peer, 'host', '')} {peer.name}".strip()


def _found(f: Any, name: str, host: str) -> Callable[..., Any] | None:
    places = _PLACES[host]
    parts = str(getattr(f, "__module__", "") or "").split(".")
    first = [module for part in parts for module in places.get(part, ())]
    for place in dict.fromkeys([*first, *places[""]]):
        try:
            module = importlib.import_module(place)
        except ModuleNotFoundError:  # autograd.scipy where there is no SciPy
            continue
        for own in (_OTHER_NAMES[host].get(name, name), name):
            candidate = getattr(module, own, None)
            if callable(candidate) and not isinstance(candidate, type):
                return candidate  # type: ignore[no-any-return]
    return None


def _differing(op: str, who: str, what: str, name: str, a: Any, b: Any, tolerance: float) -> Finding | None:
    """The finding for two arrays, or None if they agree."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        message = f"{what} has shape {a.shape}, that of {who} has {b.shape}"
        return Finding(f"agrees with {who}", op, message, input=name)
    finite = np.abs(np.concatenate([a.ravel(), b.ravel()]))
    scale = float(finite[np.isfinite(finite)].max(initial=0.0))
    with np.errstate(invalid="ignore"):
        apart = np.abs(a - b)
    same = (a == b) | (np.isnan(a) & np.isnan(b)) | (apart <= tolerance * scale)
    if same.all():
        return None
    errors = np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
    worst = np.unravel_index(int(errors.argmax()), a.shape)
    at = ", ".join([str(int(i)) for i in worst])
    ours, theirs = (complex(x[worst]) for x in (a, b))
    return Finding(
        f"agrees with {who}", op,
        f"{what} differs from that of {who} in {int((~same).sum())} of {a.size} entries",
        input=name, place=f"{what}[{at}]" if at else what,
        analytic=_number(ours), numeric=_number(theirs), bound=tolerance * scale,
        wrong=int((~same).sum()), total=a.size,
    )  # fmt: skip


def _number(value: complex) -> float:
    """The real part, or what tells a complex number best in one: its modulus."""
    return value.real if value.imag == 0 or math.isnan(value.imag) else abs(value)


def _tolerance(arrays: Sequence[Any]) -> float:
    return math.sqrt(max([float(np.finfo(np.asarray(a).dtype).eps) for a in arrays]))


def _filled(gradient: Any, x: Any) -> Any:
    return np.zeros_like(x) if gradient is None else gradient


def _cotangents(results: Sequence[Any], seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    drawn = [rng.standard_normal(y.shape) + 1j * rng.standard_normal(y.shape) for y in results]
    return [
        np.asarray(g if y.dtype.kind == "c" else g.real).astype(y.dtype)
        for g, y in zip(drawn, results, strict=True)
    ]
