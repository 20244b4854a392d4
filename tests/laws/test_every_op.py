"""Laws over programs made of the whole table of ops, each op at least once."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import tensorgrad as tg
from tensorgrad.testing.samples import COMPOSED, ROWS
from tests.laws.programs import ALL, Program, is_smooth, points, share_of_examples
from tests.laws.rows import LEFT_OUT, instruction, names, pick
from tests.laws.test_derivatives import differences, on_tensors

ROW_NAMES = [name for name in [*ROWS, *COMPOSED] if name not in LEFT_OUT]
LENGTH = 6
PARTS = -(-len(ROW_NAMES) // LENGTH)


@functools.cache
def steps(part: int) -> tuple[tuple[str, int, int], ...]:
    """Every ``PARTS``-th row by a sample of it, each applied to one of the last values and to any."""
    generator = np.random.default_rng(part)
    found: list[tuple[str, int, int]] = []
    for row in ROW_NAMES[part::PARTS]:
        i, j, k = map(int, generator.integers(2**16, size=3))
        found.append((pick(row, i), len(found) + 1 - j % 2, k))
    return tuple(found)


@pytest.mark.parametrize("part", range(PARTS))
def test_all_transformations_agree(part: int) -> None:
    check(Program(steps(part)), part)


def test_every_row_takes_part() -> None:
    used = {name.partition(": ")[0] for part in range(PARTS) for name, _, _ in steps(part)}
    assert used | set(LEFT_OUT) == {*ROWS, *COMPOSED}
    assert not used & set(LEFT_OUT)
    assert all(reason for reason in LEFT_OUT.values())


@given(st.data())
@share_of_examples(10)
def test_random_programs(data: Any) -> None:
    check(data.draw(of_any_ops()), 0)


@pytest.mark.slow
@pytest.mark.parametrize("row", ROW_NAMES)
def test_each_sample(row: str) -> None:
    for seed, name in enumerate(names(row)):
        if instruction(name).way:
            check(Program(((name, 0, 1), ("sin", 2, 0), (name, 2, 3))), seed)


@pytest.mark.slow
@settings(max_examples=3000, derandomize=True, deadline=None)
@given(st.data())
def test_many_random_programs(data: Any) -> None:
    check(data.draw(of_any_ops()), 0)


@st.composite
def of_any_ops(draw: Any) -> Program:
    """Programs of the instructions written by hand and those of the table."""
    step = st.tuples(
        st.sampled_from(sorted(ALL)) | st.builds(pick, st.sampled_from(ROW_NAMES), st.integers(0, 5)),
        st.integers(0, 7),
        st.integers(0, 7),
    )
    return Program(tuple(draw(st.lists(step, min_size=1, max_size=5))))


@np.errstate(all="ignore")  # some samples hold infinities
def check(program: Program, seed: int) -> None:
    """First and second derivatives, recorded, batched and by differences, in as few runs as show all."""
    x, v, w = points(seed)
    y, _, _ = points(seed + 1000)

    def f(x: Any) -> Any:
        return program(x, w)

    def reverse_over_reverse(x: Any) -> Any:
        return tg.grad(lambda x: (tg.grad(f)(x) * v).sum())(x)

    def forward_over_reverse(x: Any) -> Any:
        return tg.jvp(tg.grad(f), (x,), (v,))

    value, slope = tg.jvp(f, (x,), (v,))
    recorded = tg.trace(forward_over_reverse, tg.tensor(y))
    gradient, turn = [np.asarray(one) for one in recorded(tg.tensor(x))]
    batch = tg.vmap(reverse_over_reverse)(np.stack([x, y]))
    reverse_over_forward = tg.grad(lambda x: tg.jvp(f, (x,), (v,))[1])(x)

    size = max(1.0, float(np.abs(turn).max()))
    near = {"rtol": 1e-9, "atol": 1e-10 * size}
    assert_allclose(value, f(tg.tensor(x)), rtol=1e-12)
    assert_allclose(gradient @ v, slope, err_msg="<grad, v> and the tangent", **near)
    assert_allclose(gradient, tg.grad(f)(x), err_msg="gradient, replayed", **near)
    assert_allclose(turn, reverse_over_forward, err_msg="forward over reverse, replayed", **near)
    assert_allclose(batch[0], reverse_over_forward, err_msg="reverse over reverse, in a batch", **near)
    assert_allclose(recorded(tg.tensor(y))[1], batch[1], err_msg="the other example", **near)
    if all(is_smooth(name) for name, _, _ in program.instructions):
        h = 1e-5
        rough = {"rtol": 1e-6, "atol": 1e-6 * size}
        assert_allclose(slope, differences(on_tensors(f), x, v, h), err_msg="slope", **rough)
        ends = [tg.grad(f)(x + s * h * v) for s in (1, -1)]
        assert_allclose(turn, (ends[0] - ends[1]) / (2 * h), err_msg="difference of gradients", **rough)
