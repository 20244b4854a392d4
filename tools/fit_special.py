"""Compute the polynomials behind the error functions: writes tensorgrad/ops/special/_error_tables.py.

Run it from the repository root: ``python tools/fit_special.py``. It needs mpmath, takes some seconds and gives
the same file every time.

Each table interpolates a smooth function at Chebyshev nodes, which is within a small factor of the best
polynomial, with 60 digits and the least degree whose error is below `GOAL`, and is then written out in powers.
What is infinite in length is mapped to [-1, 1] by ``t = (x - k) / (x + k)``, as Schonfelder (1978) does it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mpmath import mp, mpf

TARGET = Path(__file__).resolve().parents[1] / "tensorgrad" / "ops" / "special" / "_error_tables.py"
GOAL = mpf(2) ** -57
mp.dps = 60

Function = Callable[[Any], Any]


# ---- what is fitted


def erfcx(x: Any) -> Any:
    """exp(x^2) erfc(x) for x >= 0; far out by the continued fraction, DLMF 7.9.1."""
    if x < 12:
        return mp.exp(x * x) * mp.erfc(x)
    tail = mpf(0)
    for m in range(400, 0, -1):
        tail = mpf(m) / 2 / (x + tail)
    return 1 / mp.sqrt(mp.pi) / (x + tail)


def erfcinv_of(w: Any) -> Any:
    """The x with erfc(x) = exp(-w^2), by Newton's method on the logarithm."""
    x = mp.sqrt(max(w * w - mp.log(1 + mp.sqrt(mp.pi) * w), mpf(1) / 10))
    for _ in range(60):
        value = erfcx(x)
        step = (mp.log(value) - x * x + w * w) * value * mp.sqrt(mp.pi) / 2
        x += step
        if abs(step) < mpf(10) ** -50:
            return x
    raise ArithmeticError(f"no erfcinv at {w}")


def of_square(f: Function, first: Any) -> Function:
    """f(x) / x - 1 as a function of x^2; ``first`` is its value at 0."""
    return lambda z: f(mp.sqrt(z)) / mp.sqrt(z) - 1 if z else first


def mapped(f: Function, k: Any) -> Function:
    """f(x) as a function of t = (x - k) / (x + k)."""
    return lambda t: f(k * (1 + t) / (1 - t))


def ends(low: Any, high: Any, k: Any) -> tuple[Any, Any]:
    return (low - k) / (low + k), (high - k) / (high + k)


# ---- fitting


def fit(f: Function, low: Any, high: Any) -> list[float]:
    """Coefficients of the polynomial in t for f on [low, high], the highest power first."""
    low, high = mpf(low), mpf(high)
    degree = 4
    # Two coefficients: every other one may be small by symmetry.
    while max(abs(c) for c in chebyshev(f, low, high, degree)[-2:]) > GOAL:
        degree += 1
    return [float(c) for c in reversed(powers(chebyshev(f, low, high, degree), low, high))]


def chebyshev(f: Function, low: Any, high: Any, degree: int) -> list[Any]:
    """The coefficients of the interpolating polynomial in Chebyshev polynomials on [low, high]."""
    n = degree + 1
    angles = [mp.pi * (i + mpf(1) / 2) / n for i in range(n)]
    values = [remembered(f, low + (high - low) * (1 + mp.cos(a)) / 2) for a in angles]
    found = [
        2 * mp.fsum(v * mp.cos(j * a) for v, a in zip(values, angles, strict=True)) / n for j in range(n)
    ]
    return [found[0] / 2, *found[1:]]


_values: dict[Any, Any] = {}


def remembered(f: Function, t: Any) -> Any:
    if (f, t) not in _values:
        _values[f, t] = f(t)
    return _values[f, t]


def powers(c: list[Any], low: Any, high: Any) -> list[Any]:
    """Chebyshev's form on [low, high] in powers of t, the constant first."""
    scale, shift = 2 / (high - low), -(high + low) / (high - low)

    def times_u(p: list[Any]) -> list[Any]:
        out = [shift * a for a in p] + [mpf(0)]
        for i, a in enumerate(p):
            out[i + 1] += scale * a
        return out

    def add(p: list[Any], q: list[Any], factor: Any) -> list[Any]:
        n = max(len(p), len(q))
        p, q = p + [mpf(0)] * (n - len(p)), q + [mpf(0)] * (n - len(q))
        return [a + factor * b for a, b in zip(p, q, strict=True)]

    before, now = [mpf(1)], times_u([mpf(1)])
    total = add([c[0]], now, c[1])
    for factor in c[2:]:
        before, now = now, add([2 * a for a in times_u(now)], before, -1)
        total = add(total, now, factor)
    return total


# ---- the tables


SPLIT, LAST = mpf(4), mpf(28)

TABLES: list[tuple[str, str, Function, Any, Any]] = [
    ("ERF", "erf(x) / x - 1 in x**2, for abs(x) <= 1", of_square(mp.erf, 2 / mp.sqrt(mp.pi) - 1), 0, 1),
    (
        "ERFCX",
        "erfcx(x) * (x + 1/2) in t = (x - 3) / (x + 3), for x >= 0",
        mapped(lambda x: erfcx(x) * (x + mpf(1) / 2), mpf(3)),
        -1,
        1,
    ),
    (
        "MILLS",
        "erfcx(x / sqrt(2)) / 2 * (x + 3/4) in t = (x - 4) / (x + 4), for x >= 0",
        mapped(lambda x: erfcx(x / mp.sqrt(2)) / 2 * (x + mpf(3) / 4), mpf(4)),
        -1,
        1,
    ),
    (
        "ERFINV",
        "erfinv(y) / y - 1 in y**2, for y**2 <= 0.4",
        of_square(mp.erfinv, mp.sqrt(mp.pi) / 2 - 1),
        0,
        "0.4",
    ),
    (
        "ERFCINV_NEAR",
        "x - w, where erfc(x) = exp(-w**2), in t = (w - 2) / (w + 2), for 1 <= w <= 4",
        mapped(lambda w: erfcinv_of(w) - w, mpf(2)),
        *ends(mpf(1), SPLIT, mpf(2)),
    ),
    (
        "ERFCINV_FAR",
        "the same in t = (w - 10.5) / (w + 10.5), for 4 <= w <= 28",
        mapped(lambda w: erfcinv_of(w) - w, mpf("10.5")),
        *ends(SPLIT, LAST, mpf("10.5")),
    ),
]


def main() -> None:
    lines = [
        '"""Polynomials behind the error functions, the highest power first; made by tools/fit_special.py."""'
    ]
    lines += ["", "from __future__ import annotations"]
    for name, what, f, low, high in TABLES:
        found = fit(f, low, high)
        lines += ["", f"# {what}", f"{name} = ("]
        lines += [f"    {c!r}," for c in found] + [")"]
        print(f"{name}: degree {len(found) - 1}")
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
