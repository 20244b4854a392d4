"""How to call each function that NumPy has as well, and where the answers differ on purpose.

`CALLS` makes random arguments for a function; a new one is added by a line. `DIFFERENT` has what differs
from NumPy with the reason, and `LEFT_OUT` the names that have no line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

BOOL, INTS, FLOATS, COMPLEX = "?", "bhilB", "efd", "FD"
REAL, NUMBERS, ALL = BOOL + INTS + FLOATS, INTS + FLOATS + COMPLEX, BOOL + INTS + FLOATS + COMPLEX
SHAPES = [(), (1,), (3,), (0,), (2, 3), (3, 1), (2, 0), (1, 2, 2), (3, 3)]
RTOL = {"e": 4e-3, "f": 2e-5, "d": 1e-12, "F": 2e-5, "D": 1e-12}


class Draw:
    """Random arguments for one call."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def one(self, choices: Sequence[Any]) -> Any:
        return choices[self.int(0, len(choices) - 1)]

    def int(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def flag(self) -> bool:
        return self.one([False, True])

    def shape(self, ndim: int | None = None, least: int = 0) -> tuple[int, ...]:
        return self.one([s for s in SHAPES if (len(s) >= least if ndim is None else len(s) == ndim)])

    def array(self, kinds: str = REAL, shape: Any = None, *, least: int = 0, wild: bool = True) -> Any:
        """Of a random dtype, shape and layout; ``wild`` ones have NaN and infinities in them."""
        dtype = np.dtype(self.one(kinds))
        shape = self.shape(least=least) if shape is None else shape
        layout = self.one(["plain", "plain", "reversed", "transposed", "stepped", "repeated"])
        if layout == "transposed":
            return self.values(dtype, shape[::-1], wild).T
        if layout == "stepped" and shape:
            return self.values(dtype, (*shape[:-1], shape[-1] * 2), wild)[..., ::2]
        if layout == "reversed" and shape:
            return self.values(dtype, shape, wild)[::-1]
        if layout == "repeated" and shape:
            return np.broadcast_to(self.values(dtype, (1, *shape[1:]), wild), shape)
        return self.values(dtype, shape, wild)

    def values(self, dtype: Any, shape: Any, wild: bool = True) -> Any:
        if dtype.kind == "b":
            return self.rng.random(shape) < 0.5
        if dtype.kind in "iu":
            return self.rng.integers(0 if dtype.kind == "u" else -3, 5, shape).astype(dtype)
        ties = self.rng.integers(-2, 3, shape)
        x = np.where(self.rng.random(shape) < 0.5, ties, self.rng.normal(size=shape) * 2)
        if dtype.kind == "c":
            return (x + 1j * self.rng.normal(size=shape)).astype(dtype)
        if wild and self.rng.random() < 0.2:
            x = np.where(
                self.rng.random(shape) < 0.3, self.rng.choice([np.nan, np.inf, -np.inf, -0.0], shape), x
            )
        return x.astype(dtype)

    def axis(self, x: Any) -> int:
        """An axis of x, now and then one that is not there."""
        n = np.ndim(x)
        return self.int(-n - 1, n) if self.rng.random() < 0.1 else self.int(-n, n - 1) if n else 0

    def axis_or_none(self, x: Any) -> Any:
        return None if self.rng.random() < 0.3 else self.axis(x)

    def axes(self, x: Any) -> Any:
        """None, an axis, or several."""
        if self.rng.random() < 0.5:
            return self.axis_or_none(x)
        return tuple(self.axis(x) for _ in range(self.int(0, min(2, np.ndim(x)))))

    def pair(self, kinds: str = REAL, **how: Any) -> tuple[Any, Any]:
        """Two arrays that mostly broadcast together; one may be a number of Python's."""
        a = self.array(kinds, **how)
        shape = self.one([a.shape, (), (1,) * a.ndim, a.shape[1:], (2, *a.shape), (4,)])
        b: Any = self.array(kinds, shape, **how)
        if self.rng.random() < 0.15:
            b = b.ravel()[0].item() if b.size else 1
        return (a, b) if self.rng.random() < 0.7 else (b, a)


def call(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def unary(kinds: str = ALL) -> Callable[[Draw], Any]:
    return lambda d: call(d.array(kinds))


def binary(kinds: str = REAL) -> Callable[[Draw], Any]:
    return lambda d: call(*d.pair(kinds))


def reducing(kinds: str = ALL) -> Callable[[Draw], Any]:
    return lambda d: call(x := d.array(kinds), axis=d.axes(x), keepdims=d.flag())


def along(kinds: str = ALL) -> Callable[[Draw], Any]:
    return lambda d: call(x := d.array(kinds), d.axis_or_none(x))


def names(text: str) -> list[str]:
    return text.split()


def between(top: float) -> Callable[[Draw], Any]:
    methods = ["linear", "lower", "higher", "midpoint", "nearest", "median_unbiased", "hazen"]
    return lambda d: call(
        x := d.array(REAL),
        d.one([0, 0.25 * top, [0.5 * top, top]]),
        axis=d.axes(x),
        keepdims=d.flag(),
        method=d.one(methods),
    )


CALLS: dict[str, Callable[[Draw], Any]] = {}
for _name in names(
    "abs absolute acos acosh angle arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh "
    "conj conjugate cos cosh exp exp2 expm1 imag iscomplex isfinite isinf isnan isreal log log10 log1p "
    "log2 negative positive real reciprocal rint sign sin sinc sinh sqrt square tan tanh"
):
    CALLS[_name] = unary()
for _name in names(
    "cbrt ceil deg2rad degrees fix floor i0 isneginf isposinf modf rad2deg radians signbit trunc"
):
    CALLS[_name] = unary(REAL)
for _name in names("bitwise_count bitwise_invert bitwise_not invert logical_not"):
    CALLS[_name] = unary()
for _name in names("add divide equal multiply not_equal power pow subtract true_divide float_power"):
    CALLS[_name] = binary(ALL)
for _name in names(
    "arctan2 atan2 copysign divmod floor_divide fmod heaviside hypot logaddexp logaddexp2 mod nextafter remainder"
):
    CALLS[_name] = binary(REAL)
for _name in names(
    "fmax fmin greater greater_equal less less_equal logical_and logical_or logical_xor maximum minimum"
):
    CALLS[_name] = binary(ALL)
for _name in names(
    "bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor gcd lcm left_shift right_shift"
):
    CALLS[_name] = binary(BOOL + INTS)
for _name in names(
    "all any amax amin max mean min prod ptp sum median nansum nanmax nanmin nanmean nanprod nanmedian"
):
    CALLS[_name] = reducing(ALL)
for _name in names("std var nanstd nanvar"):
    CALLS[_name] = lambda d: call(x := d.array(ALL), axis=d.axes(x), ddof=d.int(0, 1), keepdims=d.flag())
for _name in names("argmax argmin nanargmax nanargmin"):
    CALLS[_name] = lambda d: call(x := d.array(ALL), axis=d.axis_or_none(x), keepdims=d.flag())
for _name in names("cumprod cumsum nancumprod nancumsum"):
    CALLS[_name] = along()
for _name in names("cumulative_prod cumulative_sum"):
    CALLS[_name] = lambda d: call(x := d.array(ALL), axis=d.axis_or_none(x), include_initial=d.flag())
for _name, _top in (("percentile", 100), ("nanpercentile", 100), ("quantile", 1), ("nanquantile", 1)):
    CALLS[_name] = between(_top)
for _name in names(
    "ravel transpose matrix_transpose fliplr flipud atleast_1d atleast_2d atleast_3d squeeze argwhere"
):
    CALLS[_name] = unary()
for _name in names("nonzero flatnonzero trim_zeros unique_all unique_counts unique_inverse unique_values"):
    CALLS[_name] = unary()
for _name in names("union1d intersect1d setdiff1d"):
    CALLS[_name] = lambda d: call(d.array(ALL), d.array(ALL))
for _name in names("tril triu diag diagflat"):
    CALLS[_name] = lambda d: call(d.array(ALL), d.int(-2, 2))
for _name in names("hstack vstack dstack column_stack"):
    CALLS[_name] = lambda d: call(list(d.pair(ALL)))
for _name in names("hsplit vsplit dsplit"):
    CALLS[_name] = lambda d: call(d.array(ALL), d.one([1, 2, 3, [1], [1, 2], (2, 1), [-1]]))
for _name in names("split array_split"):
    CALLS[_name] = lambda d: call(x := d.array(ALL), d.one([1, 2, 3, [1], [1, 2], [-1], [2, 5]]), d.axis(x))
for _name in names("inner dot vdot outer kron matmul vecdot"):
    CALLS[_name] = lambda d: call(*d.pair(ALL, wild=False))
for _name in names("convolve correlate"):
    CALLS[_name] = lambda d: call(
        *[d.array(NUMBERS, (d.int(1, 4),), wild=False) for _ in "av"], d.one(["full", "same", "valid"])
    )
for _name in names("bartlett blackman hamming hanning"):
    CALLS[_name] = lambda d: call(d.int(-1, 6))
for _name in names("tril_indices triu_indices"):
    CALLS[_name] = lambda d: call(d.int(0, 4), d.int(-2, 2), d.one([None, 0, 2, 5]))
for _name in names("isclose allclose"):
    CALLS[_name] = lambda d: call(*d.pair(ALL), d.one([1e-5, 0.5]), d.one([1e-8, 1]), d.flag())
for _name in names("concat concatenate"):
    CALLS[_name] = lambda d: call(list(p := d.pair(ALL)), d.axis_or_none(p[0]))
for _name in names("partition argpartition"):
    CALLS[_name] = lambda d: call(x := d.array(ALL), d.int(-2, 1), axis=d.axis_or_none(x))
for _name in names("ones zeros"):
    CALLS[_name] = lambda d: call(
        d.one([3, (), (2, 0), [1, 2], np.int64(2)]), dtype=d.one(["f", "d", bool, np.int8])
    )
for _name in names("ones_like zeros_like"):
    CALLS[_name] = lambda d: call(d.array(ALL), dtype=d.one([None, "d", bool]))

CALLS |= {
    "append": lambda d: call(x := d.array(ALL), d.array(ALL), axis=d.axis_or_none(x)),
    "arange": lambda d: call(d.one([0, 1, 2.5]), d.one([None, 3, 4.5, -2]), d.one([1, 2, -1, 0.3]), dtype=d.one("dl")),
    "argsort": lambda d: call(x := d.array(ALL), axis=d.axis_or_none(x), stable=True),
    "around": lambda d: call(d.array(ALL), d.int(-1, 2)),
    "array_equal": lambda d: call(*d.pair(ALL), equal_nan=d.flag()),
    "array_equiv": binary(ALL),
    "astype": lambda d: call(d.array(ALL, wild=False), d.one(["e", "f", "d", "l", "B", "?", "D", float, int])),
    "average": lambda d: call(x := d.array(ALL), d.axis_or_none(x), d.one([None, d.array(REAL, x.shape)]), d.flag()),
    "bincount": lambda d: call(d.array("BlH?f", d.shape(1)), minlength=d.int(0, 5)),
    "block": lambda d: call([[d.array(ALL, (2, 1)), d.array(ALL, (2, 2))], [d.array(ALL, (1, 3))]]),
    "broadcast_arrays": binary(ALL),
    "broadcast_shapes": lambda d: call(d.shape(), d.shape(), d.one([2, (1,), ()])),
    "broadcast_to": lambda d: call(x := d.array(ALL), d.one([(2, *x.shape), x.shape, 3, [2, 3], (0,), (-1,)])),
    "choose": lambda d: call(d.array("lB?", (3,)), [d.array(NUMBERS, s) for s in [(3,), (1,), (2, 3), ()]],
                             mode=d.one(["raise", "wrap", "clip"])),
    "clip": lambda d: call(d.array(ALL), *d.one([(-1, 1), (None, 1), (0, None), (1, -1), (np.float32(-1), 2.5)])),
    "compress": lambda d: call(d.array("?", d.shape(1)), x := d.array(ALL), d.axis_or_none(x)),
    "copysign": binary(REAL),
    "corrcoef": lambda d: call(d.array(NUMBERS, wild=False), rowvar=d.flag()),
    "cov": lambda d: call(d.array(NUMBERS, wild=False), rowvar=d.flag(), ddof=d.one([None, 0, 1]), bias=d.flag()),
    "count_nonzero": reducing(ALL),
    "cross": lambda d: call(d.array(NUMBERS, d.one([(3,), (2, 3), (2,)])), d.array(NUMBERS, d.one([(3,), (2, 3)]))),
    "delete": lambda d: call(x := d.array(ALL), d.one([0, -1, [0], [0, 0], slice(0, 2), slice(None, None, -2), 5, []]),
                             d.axis_or_none(x)),
    "diag_indices": lambda d: call(d.int(0, 4), d.int(1, 3)),
    "diagonal": lambda d: call(x := d.array(ALL, least=1), d.int(-2, 2), d.axis(x), d.axis(x)),
    "diff": lambda d: call(x := d.array(ALL), d.int(-1, 3), d.axis(x), **d.one([{}, {"prepend": 0}, {"append": 1}])),
    "digitize": lambda d: call(d.array(REAL), d.one([[0, 1, 2], [2.0, 1.0], [], [1, 0, 1]]), d.flag()),
    "ediff1d": lambda d: call(d.array(NUMBERS), d.one([None, 1, [1, 2]]), d.one([None, 0])),
    "einsum": lambda d: call(d.one(["ij,jk", "ij,ji->", "ij,ij->i", "ii,jk", "i...,j...->...ij", "ij,kj->ki"]),
                             d.array(NUMBERS, (2, 3), wild=False), d.array(NUMBERS, d.one([(3, 2), (2, 3)]), wild=False)),
    "expand_dims": lambda d: call(x := d.array(ALL), d.one([0, -1, (0, 1), [0, -1], 2, (0, 0), x.ndim])),
    "extract": lambda d: call(d.array("?l"), d.array(ALL)),
    "eye": lambda d: call(d.int(0, 3), d.one([None, 2, 0]), k=d.int(-2, 2), dtype=d.one(["d", bool])),
    "flip": lambda d: call(x := d.array(ALL), d.axes(x)),
    "full": lambda d: call(d.shape(), d.one([1, 2.5, True]), dtype=d.one("dfl")),
    "full_like": lambda d: call(d.array(ALL), d.one([0, 1, 2.5])),
    "geomspace": lambda d: call(1.0, d.one([2.0, 100]), d.int(0, 4), endpoint=d.flag(), dtype="d"),
    "gradient": lambda d: call(x := d.array(NUMBERS, d.one([(3,), (3, 4), (2,), (1,)])), *d.one([(), (2.0,), (0.5,)]),
                               axis=d.axes(x), edge_order=d.int(1, 2)),
    "histogram": lambda d: call(d.array(REAL), d.one([2, 3, [0, 1, 2]]), d.one([None, (-1, 3)]), density=d.flag()),
    "identity": lambda d: call(d.int(0, 3), dtype=d.one(["d", bool])),
    "indices": lambda d: call(d.shape(), sparse=d.flag()),
    "insert": lambda d: call(x := d.array(ALL), d.one([0, -1, [0, 1], [1, 1], 5, slice(0, 2)]), d.one([0, 1.5, [1, 2]]),
                             d.axis_or_none(x)),
    "interp": lambda d: call(d.array(REAL), [-1.0, 0.0, 2.0], d.array("fdl", (3,)), *d.one([(), (0, 1)])),
    "isin": lambda d: call(d.array(ALL), d.array(ALL), invert=d.flag()),
    "kaiser": lambda d: call(d.int(0, 5), d.one([0, 2.5, 14])),
    "lexsort": lambda d: call(d.array(ALL), axis=d.one([-1, 0])),
    "linspace": lambda d: call(0, d.one([1, 2.5, [1, 2]]), d.int(0, 4), endpoint=d.flag(), dtype="d"),
    "logspace": lambda d: call(0, d.one([1, 2.5]), d.int(0, 4), endpoint=d.flag(), base=d.one([2.0, 10.0]),
                              dtype="d"),
    "matvec": lambda d: call(d.array(NUMBERS, d.one([(2, 3), (2, 2, 3)]), wild=False), d.array(NUMBERS, (3,), wild=False)),
    "meshgrid": lambda d: call(d.array(ALL), d.array(ALL), indexing=d.one(["xy", "ij"])),
    "moveaxis": lambda d: call(d.array(ALL), *d.one([(0, -1), (-1, 0), ((0, 1), (1, 0)), ([0], [1]),
                                                         ((0, 0), (1, 0))])),
    "nan_to_num": lambda d: call(d.array(ALL), **d.one([{}, {"nan": 1.5}, {"posinf": 2, "neginf": -2}])),
    "pad": lambda d: call(d.array(ALL), d.one([0, 1, (1, 2), ((1, 0), (0, 2)), [[1, 2]], -1]),
                          d.one(["constant", "edge", "reflect", "symmetric", "wrap"])),
    "permute_dims": lambda d: call(d.array(ALL), d.one([(0,), (1, 0), (-1, 0), (0, 0), (), (2, 0, 1), [1, 0]])),
    "polyval": lambda d: call(d.array(NUMBERS, d.shape(1), wild=False), d.array(NUMBERS, wild=False)),
    "ravel_multi_index": lambda d: call((d.array("l", (3,)), d.array("lB", (3,))), (3, 4),
                                        mode=d.one(["raise", "wrap", "clip"])),
    "repeat": lambda d: call(x := d.array(ALL), d.one([0, 2, [1, 2], [1, 0, 2], [2], -1]), d.axis_or_none(x)),
    "resize": lambda d: call(d.array(ALL), d.one([3, (2, 2), (0,), [5]])),
    "setxor1d": lambda d: call(d.array(ALL), d.array(ALL)),
    "reshape": lambda d: call(d.array(ALL), d.one([-1, (1, -1), (3, 2), [-1, 1], (), (0,), (-1, -1), 3, np.int64(1)])),
    "roll": lambda d: call(x := d.array(ALL), d.one([1, -4, (1, 2), 0]), d.axes(x)),
    "rollaxis": lambda d: call(x := d.array(ALL), d.axis(x), d.int(0, 2)),
    "rot90": lambda d: call(d.array(ALL), d.int(-1, 5), d.one([(0, 1), (1, 0), (-1, -2), (0, 0)])),
    "round": lambda d: call(d.array(ALL), d.int(-1, 2)),
    "searchsorted": lambda d: call(np.sort(d.array(ALL, d.shape(1))), d.array(ALL), d.one(["left", "right"])),
    "select": lambda d: call([d.array("?", s := d.shape()), d.array("?", s)], [d.array(ALL, s), d.array(ALL, ())],
                             d.one([0, 1.5])),
    "sort": lambda d: call(x := d.array(ALL), d.axis_or_none(x)),
    "stack": lambda d: call(list(p := d.pair(ALL)), d.axis(p[0])),
    "swapaxes": lambda d: call(x := d.array(ALL), d.axis(x), d.axis(x)),
    "squeeze": lambda d: call(x := d.array(ALL), d.axes(x)),
    "take": lambda d: call(x := d.array(ALL), d.one([0, -1, [0, 1], [[0], [-1]], 7, []]), axis=d.axis_or_none(x),
                           mode=d.one(["raise", "wrap", "clip"])),
    "take_along_axis": lambda d: call(x := d.array(ALL, least=1), d.array("lB", x.shape) % 2, d.axis_or_none(x)),
    "tensordot": lambda d: call(d.array(NUMBERS, (2, 3), wild=False), d.array(NUMBERS, d.one([(3, 2), (2, 3)]), wild=False),
                                d.one([0, 1, 2, ([0], [0]), ([0, 1], [1, 0]), (0, 1), 3, [1, -2]])),
    "tile": lambda d: call(d.array(ALL), d.one([2, (2, 1), [1, 2, 1], 0, (), -1])),
    "transpose": lambda d: call(d.array(ALL), d.one([None, (1, 0), [0, 1], (-1, 0), (0, 0), (0,), (2, 1, 0)])),
    "trapezoid": lambda d: call(y := d.array(ALL), **d.one([{}, {"dx": 0.5}, {"x": d.array(FLOATS, y.shape[-1:])}])),
    "tri": lambda d: call(d.int(0, 3), d.one([None, 2]), d.int(-1, 2), dtype="d"),
    "unique": lambda d: call(x := d.array(ALL), axis=d.axis_or_none(x), return_index=(f := d.flag()), return_counts=f),
    "unravel_index": lambda d: call(d.one([0, 5, [0, 3], -1, 6, 1.5]), d.one([(2, 3), (6,), 6])),
    "unstack": lambda d: call(x := d.array(ALL), axis=d.axis(x)),
    "unwrap": lambda d: call(x := d.array(REAL, wild=False), axis=d.axis(x)),
    "vecmat": lambda d: call(d.array(NUMBERS, (3,), wild=False), d.array(NUMBERS, d.one([(3, 2), (2, 3, 2)]), wild=False)),
    "vander": lambda d: call(d.array(NUMBERS), d.one([None, 0, 2, 4]), d.flag()),
    "where": lambda d: call(d.array("?l"), *d.pair(ALL)) if d.int(0, 3) else call(d.array("?l")),
}  # fmt: skip

# ---- where we differ


def refused(text: str) -> Callable[..., bool]:
    """We raise, with this in the message, and NumPy does not."""
    return lambda args, theirs, ours: isinstance(ours, Exception) and text in str(ours)


def accepted(args: Any, theirs: Any, ours: Any) -> bool:
    """NumPy raises, and we do not."""
    return isinstance(theirs, Exception) and not isinstance(ours, Exception)


def other_dtype(args: Any, theirs: Any, ours: Any) -> bool:
    """The values are the same to the digits of the narrower dtype."""
    return all(a.shape == b.shape and near(a, b) for a, b in both(theirs, ours))


def same_elements(args: Any, theirs: Any, ours: Any) -> bool:
    """The elements are the same, in another order."""
    return all(
        np.array_equal(np.sort(a, None), np.sort(b, None), equal_nan=True) for a, b in both(theirs, ours)
    )


def same_shape(args: Any, theirs: Any, ours: Any) -> bool:
    """The shapes are the same."""
    return all(a.shape == b.shape for a, b in both(theirs, ours))


def finite_here(args: Any, theirs: Any, ours: Any) -> bool:
    """NumPy has a NaN where we have none."""
    return all(a.shape == b.shape and near(a[~np.isnan(a)], b[~np.isnan(a)]) for a, b in both(theirs, ours))


def nan_here(args: Any, theirs: Any, ours: Any) -> bool:
    """We have a NaN where NumPy has none."""
    return finite_here(args, ours, theirs)


def of_a_number(args: Any, theirs: Any, ours: Any) -> bool:
    """Among the arguments is a number of Python's, and values are the same to the digits of float32."""
    flat = [*args, *[one for few in args if isinstance(few, list) for one in few]]
    return any(type(one) in (int, float, complex) for one in flat) and all(
        a.shape == b.shape and near(a.astype("F"), b.astype("F")) for a, b in both(theirs, ours)
    )


def with_nan(args: Any, theirs: Any, ours: Any) -> bool:
    """There is a NaN among the elements."""
    return bool(np.isnan(args[0]).any())


def of_booleans(args: Any, theirs: Any, ours: Any) -> bool:
    """The first argument is boolean."""
    return bool(args[0].dtype == np.bool_)


def of_nothing(args: Any, theirs: Any, ours: Any) -> bool:
    """The first argument has no elements."""
    return bool(args[0].size == 0)


def both(theirs: Any, ours: Any) -> list[tuple[Any, Any]]:
    none = isinstance(theirs, Exception) or isinstance(ours, Exception) or len(theirs) != len(ours)
    return [(np.zeros(1), np.ones(2))] if none else list(zip(theirs, ours, strict=True))


def near(a: Any, b: Any) -> bool:
    """Whether elements are the same, to the digits of the narrower dtype."""
    tolerance = max(RTOL.get(a.dtype.char, 0), RTOL.get(b.dtype.char, 0))
    with np.errstate(all="ignore"):
        if tolerance:
            return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True))
        return np.array_equal(a, b)


Difference = tuple[str, Callable[..., bool], str]
EVERYWHERE = ("an array without axes has no axis 0", refused("for 0 axes"))
TABLE: list[Difference] = [
    ("angle i0", other_dtype, "of 8-bit and 16-bit integers: computed in the dtype that NumPy's sin gives, or wider"),
    ("i0", finite_here, "i0(inf) is inf"),
    ("median nanmedian nanpercentile nanquantile", refused("of no elements"), "not a NaN with a warning"),
    ("median percentile quantile", accepted, "NumPy cannot reshape what it found in empty arrays over no axes"),
    ("nanpercentile nanquantile", of_nothing, "NumPy loses the axis of q where there are no elements"),
    ("percentile quantile nanpercentile nanquantile", refused("boolean"), "there is nothing between False and True"),
    ("percentile quantile nanpercentile nanquantile", other_dtype, "floats keep their dtype, integers become float64"),
    ("percentile quantile nanpercentile nanquantile", finite_here, "the mean of -inf and -inf is -inf"),
    ("diff", refused("diff: axis"), "NumPy does not look at the axis where n is 0"),
    ("cov corrcoef interp vander trapezoid", other_dtype, "float32 stays float32"),
    ("bartlett blackman hamming hanning kaiser", other_dtype, "made in the default float"),
    ("bartlett blackman hamming hanning", refused("0 or more"), "a negative length is a mistake"),
    ("hstack vstack dstack column_stack stack inner dot vdot outer kron broadcast_arrays", of_a_number,
     "Python's numbers are weak, or become the default float"),
    ("diff", same_shape, "what is put before or behind it is weak, so that uint8 stays uint8, and wraps"),
    ("nanargmax nanargmin", with_nan, "beside infinities NumPy gives the position of a NaN"),
    ("trim_zeros", refused("one axis is needed"), "for one axis, as NumPy before 2.2"),
    ("tril triu", refused("two axes or more"), "NumPy makes a matrix of a row"),
    ("unique_values", same_elements, "ours are sorted"),
    ("partition argpartition", same_elements, "any order on both sides is a partition; ours is the sorted one"),
    ("argpartition", same_shape, "the same"),
    ("partition argpartition", refused("of length 0"), "no element can be the first of none"),
    ("average", accepted, "over an axis of no elements: NaN, as the mean"),
    ("bincount choose", refused("dtype bool"), "a boolean is not a position"),
    ("cross", refused("three each are needed"), "deprecated in NumPy 2"),
    ("ediff1d", accepted, "a list is as weak as the numbers in it"),
    ("interp", nan_here, "at a knot beside a value that is not finite"),
    ("lexsort", refused("keys"), "a number is no sequence of keys"),
    ("meshgrid", refused("1-D arrays"), "as the Array API; NumPy flattens without a word"),
    ("pad roll", accepted, "over no axes there is nothing that could be wrong"),
    ("polyval", of_nothing, "no coefficients have a dtype, too"),
    ("resize", refused("0 elements"), "NumPy fills up with zeros"),
    ("tile", refused("repetitions"), "a negative number of repetitions is a mistake"),
    ("trapezoid", of_booleans, "NumPy adds booleans by or, and loses half of the area"),
    ("where", refused("missing 2 required"), "of a condition alone it is `nonzero`"),
]  # fmt: skip
DIFFERENT: dict[str, list[Callable[..., bool]]] = {}
for _names, _predicate, _reason in TABLE:
    for _name in names(_names):
        DIFFERENT.setdefault(_name, []).append(_predicate)

RESULTS_BY_VALUE = names(
    "argwhere bincount compress extract flatnonzero histogram intersect1d nonzero setdiff1d trim_zeros union1d unique "
    "unique_all unique_counts unique_inverse unique_values delete setxor1d"
)
"""The shape of their results depends on values, so traces and `vmap` may refuse them."""

LEFT_OUT = {
    "asarray": "a list becomes the default float",
    "can_cast": "of dtypes",
    "empty": "its elements are arbitrary",
    "empty_like": "its elements are arbitrary",
    "fill_diagonal": "NumPy's writes to its argument, ours gives a new array",
    "from_dlpack": "it takes over what another library made",
    "isdtype": "of dtypes",
    "load": "reads safetensors, not .npy",
    "save": "writes safetensors, not .npy; the value stands first",
    "put_along_axis": "NumPy's writes to its argument, ours gives a new array",
    "result_type": "of dtypes",
    "trace": "ours records a program",
}
