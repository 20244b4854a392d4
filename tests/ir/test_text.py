"""A program as text: what it looks like, to the letter."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad import ir


def check(graph: Any, expected: str) -> None:
    assert str(graph) == expected.strip("\n").rstrip()
    assert ir.text(graph) == str(graph)


def test_a_function() -> None:
    check(
        tg.trace(lambda x, y: (x * y + 1).sum(0), tg.ones((2, 3)), tg.ones(3)),
        """
program(%0 x: float32[2,3], %1 y: float32[3]):
  %2: float32[2,3] = multiply(%0, %1)
  %4: float32[2,3] = add(%2, 1)
  %5: float32[3] = sum(%4, axis=0)
  return %5
""",
    )


def test_several_results_constants_and_containers() -> None:
    def f(x: Any, rows: Any) -> Any:
        left, right = tg.split(x, [1], axis=1)
        chosen = tg.where(np.array([[True], [False]]), left.astype("float64"), -1.0)
        return {"chosen": chosen, "part": x[..., None, 1:], "rows": x[rows], "rest": [right, None, 2.5]}

    check(
        tg.trace(f, tg.ones((2, 3)), tg.tensor([0, 1])),
        """
program(%0 x: float32[2,3], %1 rows: int64[2]):
  constant %5: bool[2,1]
  %2: float32[2,1], %3: float32[2,2] = split(%0, sections=(1,), axis=1)
  %4: float64[2,1] = cast(%2, dtype=float64)
  %7: float64[2,1] = where(%5, %4, -1.0)
  %8: float32[2,1,2] = getitem(%0, index=(Ellipsis, None, slice(1, None, None)))
  %9: float32[2,3] = take_at(%0, %1, pattern=('array',))
  return %7, %8, %9, %3, 2.5
""",
    )


def test_a_training_step() -> None:
    w = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)

    def step(x: Any) -> Any:
        nonlocal w
        w.grad = None
        with tg.scope("net"), tg.scope("layer"):
            y = tg.tanh(x @ w)
        loss = (y * y).mean()
        loss.backward()
        with tg.no_grad():
            w -= 0.5 * w.grad
        return loss

    printed = str(tg.trace(step, tg.ones((3, 2)))).splitlines()
    assert printed[0] == "program(%0 x: float32[3,2]):"
    assert printed[1].startswith("  captured %1") and printed[1].endswith(": float32[2,2]")
    assert "captured" not in "".join(printed[2:]), "a number that was saved is no captured tensor"
    forward = [line for line in printed if "'" not in line]
    backward = [line for line in printed if "'" in line]
    assert [line for line in forward if line.endswith("  # net/layer")] == forward[2:4]
    assert "tanh(" in forward[3]
    assert backward and printed.index(backward[0]) > printed.index(forward[5])
    data, grad = printed[-3:-1]
    assert grad.startswith("  %1.grad <- %") and data.startswith("  %1[...] <- %")
    assert printed[-1].startswith("  return %")


def test_the_empty_program_and_the_identity() -> None:
    check(tg.trace(lambda x: x, tg.ones(2)), "program(%0 x: float32[2]):\n  return %0")
    check(tg.trace(lambda: None), "program():\n  return")


def test_arguments_are_named_after_the_parameters() -> None:
    def f(params: Any, *rest: Any) -> Any:
        return params["w"] * rest[0] + params["layers"][1] * rest[1]

    one = tg.ones(2)
    first = str(tg.trace(f, {"w": one, "layers": [one, one]}, one, one)).splitlines()[0]
    names = [part.split(":")[0].split()[1] for part in first.removeprefix("program(").split(", ")]
    assert len(set(names)) == 5
    assert "w" in names[0] and "layers" in names[1] and "rest" in names[3] + names[4]


def test_long_parameters_are_cut() -> None:
    lines = str(tg.trace(lambda x: x.reshape(*[1] * 40, 2), tg.ones(2))).splitlines()
    argument = lines[1].partition("shape=")[2]
    assert argument.endswith("...)") and len(argument) < 70


def test_numbers_stand_where_they_are_used() -> None:
    def f(x: Any) -> Any:
        return x * True + 1j * x - np.float64(0.5) + tg.where(x > 0, np.int64(3), x)

    printed = str(tg.trace(f, tg.ones(2)))
    for number in ("True", "1j", "0.5", "3"):
        assert number in printed
    assert "constant" not in printed


def test_text_is_the_same_every_time() -> None:
    def f(x: Any) -> Any:
        return tg.grad(lambda v: (tg.softmax(v * x) ** 2).sum())(x)

    assert str(tg.trace(f, tg.ones(3))) == str(tg.trace(f, tg.ones(3)))
