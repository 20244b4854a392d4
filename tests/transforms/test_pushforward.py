"""The rules written for plain arrays give what the general path gives, on every sample of the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg
from tensorgrad._primitive import registry
from tensorgrad.testing.case import Case, random_like
from tensorgrad.testing.samples import COMPOSED, ROWS, OpSamples
from tensorgrad.transforms._pushforward import text
from tensorgrad.transforms.jvp import Dual, _any_level

ALL = [*ROWS.values(), *COMPOSED.values()]


def by_any_level(self: Any, primitive: Any, args: Any, params: Any) -> Any:
    if primitive.composite is not None:
        return primitive.composite(*args, **dict(zip(primitive.params, params, strict=True)))
    return _any_level(primitive, args, params, self.level)


def pushed(case: Case, which: tuple[int, ...], make: Any) -> list[Any]:
    """Values and tangents of the results where the inputs ``which`` have tangents."""

    def f(*xs: Any) -> Any:
        args = list(case.args)
        for i, x in zip([case.positions[k] for k in which], xs, strict=True):
            args[i] = x
        return tuple(case.call(*args))

    tg.manual_seed(0)
    xs = [case.xs[k] for k in which]
    ts = [random_like(x, 10 + k) for k, x in zip(which, xs, strict=True)]
    with np.errstate(all="ignore"):
        values, tangents = tg.jvp(f, tuple(map(make, xs)), tuple(map(make, ts)))
    return [*values, *tangents]


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_both_paths_agree(row: OpSamples, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, sample in enumerate(row.samples):
        make = (np.asarray, tg.tensor)[number % 2]
        case = Case(row, sample)
        everything = tuple(range(len(case.xs)))
        for which in {everything, *[(k,) for k in everything]} if everything else ():
            fast = pushed(case, which, make)
            with monkeypatch.context() as patch:
                patch.setattr(Dual, "process", by_any_level)
                slow = pushed(case, which, make)
            for a, b in zip(fast, slow, strict=True):
                assert type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape, sample.label
                assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-14, err_msg=sample.label)


def test_most_ops_have_a_written_rule() -> None:
    x = np.linspace(0.1, 0.9, 4).reshape(2, 2)
    tg.jvp(lambda x: tg.sin(x) * x @ x, (x,), (x,))
    for name in ("sin", "multiply", "matmul"):
        assert registry[name].pushforward.__name__ == "pushforward"  # type: ignore[union-attr]
    assert "multiply(" in text(registry["sin"])


def test_a_number_beside_an_array_stays_weak() -> None:
    x = np.array([1.0, 2.0], np.float32)
    y, t = tg.jvp(lambda x: 2.5 / (1 + x), (x,), (x,))
    assert y.dtype == t.dtype == np.float32
    assert_allclose(t, -2.5 * x / (1 + x) ** 2, rtol=1e-6)


def test_recorded_tensors_stay_in_the_graph() -> None:
    w = tg.tensor([3.0, 4.0], requires_grad=True)
    x = tg.tensor([1.0, 2.0])
    _, t = tg.jvp(lambda x: (w * x).sum(), (x,), (x,))
    t.backward()
    assert_allclose(w.grad, x)
    with tg.no_grad():
        assert not tg.jvp(lambda x: (w * x).sum(), (x,), (x,))[1].requires_grad


def test_results_may_be_written_to() -> None:
    x, t = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    (a, b, c), (da, db, dc) = tg.jvp(lambda x: (x, x + 1, x[::-1]), (x,), (t,))
    for one in (a, b, c, da, db, dc):
        one[...] = 0.0
    (a, b), (da, db) = tg.jvp(lambda x: (x + 1, x + 2), (x,), (t,))
    da[...] = 0.0
    assert_allclose(db, [3.0, 4.0])
    assert_allclose(x, [1.0, 2.0])
    assert_allclose(t, [3.0, 4.0])
