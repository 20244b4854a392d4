"""Anomaly mode: the first NaN or infinity is found, and named with its op, place and values."""

from __future__ import annotations

import inspect
import sys

import numpy as np
import pytest

import tensorgrad as tg

NAN, INF = float("nan"), float("inf")


def leaf(data):
    return tg.tensor(data, requires_grad=True)


def next_line():
    return f"{__file__}:{inspect.currentframe().f_back.f_lineno + 1}"


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("log", lambda: tg.log(tg.tensor([1.0, 0.0]))),
        ("log", lambda: tg.log(tg.tensor(0.0))),
        ("log", lambda: tg.log(0.0)),
        ("sqrt", lambda: leaf([-1.0]).sqrt()),
        ("divide", lambda: tg.tensor([1.0]) / 0),
        ("divide", lambda: np.zeros(2) / tg.tensor([1.0, 0.0])),
        ("exp", lambda: tg.exp(tg.tensor(np.float16(20.0)))),
        ("multiply", lambda: tg.tensor([complex(INF, 1)]) * 2),
        ("power", lambda: tg.tensor([0.0]) ** -1),
        ("sum", lambda: tg.tensor([3e38, 3e38]).sum()),
        ("setitem", lambda: tg.zeros(3).__setitem__(0, NAN)),
        ("add", lambda: tg.zeros(3).__iadd__(INF)),
        ("log", lambda: tg.vmap(tg.log)(tg.tensor([0.0, 4.0]))),
        ("log", lambda: tg.vmap(tg.log)(np.array([0.0, 4.0]))),
        ("log", lambda: tg.jvp(tg.log, (np.array(0.0),), (np.array(1.0),))),
        ("log", lambda: tg.grad(lambda x: tg.log(x).sum())(np.array([0.0]))),
    ],
)
def test_the_forward_op_is_named(name, run):
    with tg.detect_anomaly(), pytest.raises(tg.AnomalyError, match=rf"^{name}: the result is not finite in"):
        run()


def test_the_message_names_line_scope_and_values():
    x = leaf([[1.0, 0.0], [-1.0, 2.0]])
    with tg.detect_anomaly(), tg.scope("encoder"), tg.scope("head"):
        where = next_line()
        error = pytest.raises(tg.AnomalyError, lambda: tg.log(x))  # noqa: RUF061  (on one line)
    text = str(error.value)
    assert where in text and "encoder/head" in text
    assert "2 of 4 entries" in text and "(0, 1): -inf" in text and "(1, 0): nan" in text
    assert isinstance(error.value, FloatingPointError)


@pytest.mark.parametrize(
    ("name", "f", "at"),
    [
        ("sqrt", lambda x: tg.sqrt(x), [0.0, 4.0]),
        ("power", lambda x: x**0.5, [0.0, 4.0]),
        ("sqrt", lambda x: tg.exp(tg.sqrt(x)) * 2, [0.0, 1.0]),
    ],
)
def test_a_gradient_is_found_where_its_forward_stood(name, f, at):
    x = leaf(at)
    with np.errstate(all="ignore"), tg.detect_anomaly():
        loss = f(x).sum()
        with pytest.raises(
            tg.AnomalyError, match=rf"^backward of {name}: the gradient of \w+ is not finite"
        ) as error:
            loss.backward()
    assert str(error.value).endswith(f"{__file__}:{f.__code__.co_firstlineno}")
    assert x.grad is None


def test_a_graph_from_outside_the_block_and_a_bad_cotangent():
    x = leaf([0.0, 4.0])
    loss = tg.sqrt(x).sum()
    with tg.detect_anomaly(), pytest.raises(tg.AnomalyError, match=r"backward of sqrt.*outside the block"):
        loss.backward()
    with tg.detect_anomaly(), pytest.raises(tg.AnomalyError, match="backward of multiply"):
        (x * 2).backward(np.array([NAN, 1.0]))
    assert x.grad is None


def test_second_order_and_several_results():
    with tg.detect_anomaly(), pytest.raises(tg.AnomalyError):
        tg.grad(lambda v: tg.grad(lambda u: tg.sqrt(u).sum())(v).sum())(np.array([0.0, 4.0]))
    x = leaf([0.0, 4.0])
    with tg.detect_anomaly():
        a, b = tg.split(tg.sqrt(x), 2)
        loss = (a + b).sum()
        with pytest.raises(tg.AnomalyError, match="backward of sqrt"):
            loss.backward()


def test_what_is_looked_for_can_be_chosen():
    minus_inf, nan = tg.tensor([0.0]), tg.tensor([-1.0])
    with tg.detect_anomaly(infinity=False):
        assert tg.log(minus_inf).item() == -INF
        with pytest.raises(tg.AnomalyError, match="nan"):
            tg.log(nan)
    with tg.detect_anomaly(nan=False):
        assert np.isnan(tg.log(nan).item())
        with pytest.raises(tg.AnomalyError, match="inf"):
            tg.log(minus_inf)


def test_finite_work_is_not_disturbed():
    x = leaf([1.0, 2.0])
    with tg.detect_anomaly():
        y = (tg.log(x) * tg.tensor([1, 2]) + tg.zeros((0, 2)).sum()).sum()
        assert (x > 1).tolist() == [False, True] and tg.argmax(x).item() == 1
        y.backward()
        w = tg.tensor([1.0])
        w[0] = 5.0
        assert tg.tensor([NAN]).shape == (1,)
    assert x.grad.tolist() == [1, 1] and w.item() == 5


def test_it_ends_with_the_block_and_nests():
    with np.errstate(all="ignore"):
        with tg.detect_anomaly():
            with tg.detect_anomaly(nan=False):
                pass
            with pytest.raises(tg.AnomalyError):
                tg.log(tg.tensor(-1.0))
        with pytest.raises(ZeroDivisionError), tg.detect_anomaly():
            raise ZeroDivisionError
        assert tg.log(tg.tensor(0.0)).item() == -INF

        @tg.detect_anomaly()
        def f(x):
            return tg.log(x)

        with pytest.raises(tg.AnomalyError):
            f(tg.tensor(0.0))
        assert f(tg.tensor(1.0)).item() == 0


def test_it_costs_nothing_when_off():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    seen = []
    sys.setprofile(lambda frame, event, arg: seen.append(frame.f_code.co_filename))
    try:
        y = x * x
        y.sum().backward()
    finally:
        sys.setprofile(None)
    assert not any(file.endswith("tensorgrad/_anomaly.py") for file in seen) and seen
