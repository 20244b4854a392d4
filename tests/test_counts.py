"""What an op costs, counted and not timed: Python calls, NumPy calls and objects that the collector tracks.

The figures are upper limits of today's engine. One that is exceeded is a slower engine; one that can be
lowered should be. ``pytest -s tests/test_counts.py`` prints them.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tests.collector import collector_off

NUMPY = str(Path(np.__file__).parent)


class Counted(np.ndarray):
    """An array that notes each NumPy function that computes with it."""

    log: list[str] = []  # noqa: RUF012  (one log for all of them is meant)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        Counted.log.append(ufunc.__name__)
        got = getattr(ufunc, method)(
            *[np.asarray(i) if isinstance(i, Counted) else i for i in inputs], **kwargs
        )
        return got.view(Counted) if isinstance(got, np.ndarray) else got

    def __array_function__(self, func, types, args, kwargs):
        Counted.log.append(func.__name__)
        return super().__array_function__(func, types, args, kwargs)


def leaf(kind=np.ndarray):
    made = tg.tensor(np.ones((4, 4)), requires_grad=True)
    made._d = made._d.view(kind)
    return made


def calls_of(f):
    """Python and C functions that ``f`` calls, without itself and without what NumPy calls of its own."""
    python, c = Counter(), Counter()

    def note(frame, event, arg):
        if frame.f_code.co_filename.startswith(NUMPY):
            return
        if event == "call":
            python[frame.f_code.co_qualname] += 1
        elif event == "c_call":
            c[getattr(arg, "__qualname__", str(arg))] += 1

    sys.setprofile(note)
    try:
        f()
    finally:
        sys.setprofile(None)
    python[f.__code__.co_qualname] -= 1
    c["setprofile"] -= 1
    return python, c


def numpy_calls_of(f):
    Counted.log.clear()
    f()
    return list(Counted.log)


def tracked_by(make, n=100):
    """How many objects of the collector's a call of ``make`` leaves, with its result kept."""
    make()
    kept = [None] * n
    with collector_off():
        before = len(gc.get_objects())
        for i in range(n):
            kept[i] = make()
        return (len(gc.get_objects()) - before) / n


def pull(y):
    node, g = y._node, np.ones(y.shape, y.dtype).view(type(y._d) if y.shape else np.ndarray)
    return lambda: node.prim.pullback(g, node.edges, node.saved, node.shape)


# op: Python calls to record it and to pull back through it, NumPy calls for each, tracked objects.
OPS = {
    "x + w": (lambda x, w: x + w, 2, 1, 1, 0, 4),
    "x - w": (lambda x, w: x - w, 2, 1, 1, 1, 4),
    "x * w": (lambda x, w: x * w, 2, 3, 1, 2, 5),
    "x * 0.9": (lambda x, w: x * 0.9, 2, 2, 1, 1, 5),
    "0.9 * x": (lambda x, w: 0.9 * x, 3, 2, 1, 1, 5),
    "x / w": (lambda x, w: x / w, 2, 3, 1, 5, 5),
    "-x": (lambda x, w: -x, 2, 1, 1, 1, 4),
    "x ** 2": (lambda x, w: x**2, 3, 2, 1, 2, 5),
    "exp": (lambda x, w: tg.exp(x), 2, 2, 1, 1, 5),
    "log": (lambda x, w: tg.log(x), 2, 2, 1, 2, 5),
    "tanh": (lambda x, w: tg.tanh(x), 2, 2, 1, 3, 5),
    "maximum": (lambda x, w: tg.maximum(x, w), 2, 7, 1, 2, 5),
    "x @ w": (lambda x, w: x @ w, 2, 13, 3, 1, 7),
    "sum": (lambda x, w: x.sum(), 3, 7, 1, 0, 5),
    "sum(0)": (lambda x, w: x.sum(0), 3, 11, 1, 0, 6),
    "softmax": (lambda x, w: tg.softmax(x, axis=1), 2, 5, 5, 3, 5),
    "reshape": (lambda x, w: x.reshape(16), 3, 4, 0, 0, 6),
    "transpose": (lambda x, w: x.T, 10, 5, 0, 0, 6),
    "x[0]": (lambda x, w: x[0], 6, 4, 0, 0, 7),
    "x[[0, 1]]": (lambda x, w: x[[0, 1]], 11, 6, 1, 0, 8),
    "concat": (lambda x, w: tg.concat([x, w]), 5, 8, 3, 0, 8),
    "split": (lambda x, w: tg.split(x, 2), 23, None, 0, None, 23),
}


@pytest.mark.parametrize("name", OPS)
def test_cost_of_an_op(name):
    f, record, back, numpy_record, numpy_back, tracked = OPS[name]
    x, w = leaf(), leaf()
    f(x, w)
    python = calls_of(lambda: f(x, w))[0].total() - 1  # without the lambda that stands in the table
    objects = tracked_by(lambda: f(x, w))
    cx, cw = leaf(Counted), leaf(Counted)
    forward = numpy_calls_of(lambda: f(cx, cw))
    report = [f"{name}: record {python} calls, NumPy {forward}, {objects:g} objects"]
    assert python <= record and len(forward) <= numpy_record and objects <= tracked
    if back is not None:
        walk = pull(f(x, w))
        walk()
        python = calls_of(walk)[0].total()
        backward = numpy_calls_of(pull(f(cx, cw)))
        report.append(f"pullback {python} calls, NumPy {backward}")
        assert python <= back and len(backward) <= numpy_back
    print("; ".join(report))


def test_an_elementwise_op_is_one_entry_and_one_forward():
    x, w = leaf(), leaf()
    for f in (lambda: x * w, lambda: x + 1.0, lambda: tg.tanh(x)):
        f()
        python, c = calls_of(f)
        assert python.total() == 2
        assert c["ContextVar.get"] == 1 and c["object.__new__"] == 2 and c.total() <= 3
        with tg.no_grad():
            python, c = calls_of(f)
        assert python.total() == 2 and c["object.__new__"] == 1 and c.total() <= 2
    array = np.ones(3)
    tg.multiply(array, array)
    python, c = calls_of(lambda: tg.multiply(array, array))
    assert python.total() == 2 and c["object.__new__"] == 0


def chain(n, x, w):
    y = x
    for _ in range(n):
        y = tg.tanh(y * w + w) * 0.9
    return y.sum()


def test_cost_of_a_backward_step_on_top_of_the_pullbacks():
    x, w = leaf(), tg.tensor(np.ones((4, 4)))
    chain(1, x, w).backward()
    short, long = chain(10, x, w), chain(60, x, w)
    counts = [calls_of(y.backward) for y in (short, long)]
    python = counts[1][0] - counts[0][0]
    c = counts[1][1] - counts[0][1]
    ops = 50 * 4
    print(f"backward per op: {python.total() / ops} Python calls {dict(python)}, {c.total() / ops} of C")
    # 4 pullbacks and 3 formulas (`add` has none) for 4 ops, and nothing else in Python.
    assert python.total() == 50 * (4 + 3) and set(python) == {"make.<locals>.pullback", "<lambda>"}
    assert c.total() / ops <= 5.3


def test_fixed_cost_of_backward():
    x = leaf()
    y = x.sum()
    y.backward()
    y = x.sum()
    python, c = calls_of(y.backward)
    print(f"backward of one op: {python.total()} Python calls, {c.total()} of C")
    assert python.total() <= 33


def test_numpy_calls_of_a_whole_chain():
    x, w = leaf(Counted), tg.tensor(np.ones((4, 4)))
    forward = Counter(numpy_calls_of(lambda: chain(10, x, w)))
    assert forward == {"multiply": 20, "tanh": 10, "add": 11}
    y = chain(10, x, w)
    backward = Counter(numpy_calls_of(y.backward))
    print(f"backward of 40 ops: {dict(backward)}")
    # Per round: y * y, 1 - y * y and g times it, g * 0.9, g * w. No additions: each value is used once.
    assert backward["multiply"] <= 40 and backward["subtract"] <= 10 and backward["add"] == 0


def test_objects_of_a_recorded_chain_and_of_one_that_is_not():
    x, w = leaf(), tg.tensor(np.ones((4, 4)))
    per_round = (tracked_by(lambda: chain(30, x, w)) - tracked_by(lambda: chain(10, x, w))) / 20
    print(f"a recorded round of 4 ops: {per_round} objects")
    assert per_round <= 15  # a node, its edges and what it saved for each, and the shapes
    with tg.no_grad():
        assert tracked_by(lambda: chain(30, x, w)) == 1


def test_a_backward_leaves_only_gradients():
    x, w = leaf(), leaf()

    def step():
        x.grad = w.grad = None
        chain(5, x, w).backward()

    with collector_off():
        step()
        before = len(gc.get_objects())
        for _ in range(50):
            step()
        assert len(gc.get_objects()) - before <= 1


def test_a_gradient_that_arrives_often_is_added_up_in_place():
    x = tg.tensor(np.ones((4, 4)), requires_grad=True)
    arrays = set()
    for _ in range(20):
        (x * 2).sum().backward()
        arrays.add(id(x._node.grad._d))
    assert len(arrays) == 1
    y = x * 1
    for _ in range(30):
        y = y + x * 2
    python, _ = calls_of(y.sum().backward)
    assert python["own_copy"] + python["keep"] <= 1
