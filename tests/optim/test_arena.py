"""The memory behind the parameters: views of one array, and values all the same."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.optim import arena, elementwise

SHAPES = [(3, 4), (), (5,), (2, 3), (0,)]


def parameters(dtype: Any = np.float64, shapes: list[tuple[int, ...]] = SHAPES) -> list[Any]:
    rng = np.random.default_rng(1)
    return [tg.nn.Parameter(rng.normal(size=shape).astype(dtype)) for shape in shapes]


def fill(ps: list[Any], seed: int = 2) -> None:
    rng = np.random.default_rng(seed)
    for p in ps:
        p.grad = rng.normal(size=p.shape).astype(p.dtype)


def values(ps: list[Any]) -> list[Any]:
    return [np.array(p.numpy()) for p in ps]


def same(a: list[Any], b: list[Any]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def adam(p: Any, steps: int, seed: int = 2, **options: Any) -> None:
    optimizer = tg.optim.Adam(p, lr=0.1, **options)
    for step in range(steps):
        fill(p, seed + step)
        optimizer.step()


# ---- one stretch of memory


def test_parameters_become_neighbours_that_begin_at_cache_lines() -> None:
    ps = parameters()
    before = ps[0].numpy().copy()
    optimizer = tg.optim.Adam(ps)
    assert not np.shares_memory(ps[0].numpy(), ps[2].numpy())
    fill(ps)
    optimizer.step()
    arrays = [p._d for p in ps if p.ndim and p.size]
    assert len({id(one.base) for one in arrays}) == 1
    assert all(one.ctypes.data % arena.ALIGNMENT == 0 and one.flags.c_contiguous for one in arrays)
    assert type(ps[1]._d) is np.float64
    assert not np.array_equal(ps[0].numpy(), before)


def test_the_usual_case_is_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ps = parameters()
    optimizer = tg.optim.Adam(ps)
    runs: list[int] = []
    advance = elementwise.Elementwise._advance
    monkeypatch.setattr(
        elementwise.Elementwise,
        "_advance",
        lambda self, group, run: (runs.append(len(run)), advance(self, group, run)),
    )
    fill(ps)
    optimizer.step()
    optimizer.step()
    assert runs == [5, 5]
    ps[2].grad = None
    optimizer.step()
    assert runs[2:] == [2, 2]
    fill(ps)
    optimizer.step()  # the one left out is a step behind
    assert runs[4:] == [2, 1, 2]


def test_arrays_stay_where_they_are_while_nobody_looks() -> None:
    ps = parameters()
    optimizer = tg.optim.SGD(ps, lr=0.1)
    fill(ps)
    optimizer.step()
    before = ps[0]._d
    optimizer_memory = before.ctypes.data
    del before
    optimizer.step()
    assert ps[0]._d.ctypes.data == optimizer_memory


@pytest.mark.parametrize("size", [1, 7])
def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    whole, cut = parameters(), parameters()
    adam(whole, 4, weight_decay=0.1, amsgrad=True, maximize=True)
    monkeypatch.setattr(elementwise, "BLOCK", size)
    monkeypatch.setattr(elementwise, "ALONE", 6)
    adam(cut, 4, weight_decay=0.1, amsgrad=True, maximize=True)
    assert same(values(whole), values(cut))


@pytest.mark.parametrize(
    "name",
    ["SGD", "Adagrad", "Adadelta", "RMSprop", "Adam", "Adamax", "NAdam", "RAdam", "Rprop", "ASGD", "Lion"],
)
def test_all_at_once_is_each_alone(name: str) -> None:
    together, alone = parameters(), parameters()
    make = getattr(tg.optim, name)
    one, many = make(together, lr=0.1), [make([p], lr=0.1) for p in alone]
    for step in range(5):
        fill(together, step)
        fill(alone, step)
        for ps in (together, alone):
            ps[step % 5].grad = None
        one.step()
        for optimizer in many:
            optimizer.step()
    assert same(values(together), values(alone))
    assert same([together[0].grad is None], [alone[0].grad is None])


def test_gradients_of_any_layout_are_read_and_left_alone() -> None:
    p, q = tg.nn.Parameter(np.ones((2, 3))), tg.nn.Parameter(np.ones((2, 3)))
    strided = np.arange(12.0).reshape(3, 4)[:, ::2].T
    (p * np.broadcast_to(2.0, (2, 3))).sum().backward()
    q.grad = tg.asarray(strided, copy=False)
    optimizer = tg.optim.SGD([p, q], lr=1.0, weight_decay=1.0, maximize=True)
    optimizer.step()
    np.testing.assert_array_equal(p.numpy(), np.full((2, 3), 2.0))  # 1 - (-2 + 1)
    np.testing.assert_array_equal(q.numpy(), strided)
    np.testing.assert_array_equal(p.grad.numpy(), np.full((2, 3), 2.0))
    np.testing.assert_array_equal(q.grad.numpy(), strided)


@pytest.mark.parametrize("shape", [(2, 3), ()])
def test_the_gradient_of_a_single_parameter_is_read_where_it_lies(shape: tuple[int, ...]) -> None:
    p = tg.nn.Parameter(np.ones(shape))
    p.grad = np.full(shape, 2.0)
    tg.optim.SGD([p], lr=1.0, weight_decay=1.0, maximize=True).step()
    np.testing.assert_array_equal(p.numpy(), np.full(shape, 2.0))
    np.testing.assert_array_equal(p.grad.numpy(), np.full(shape, 2.0))


def test_dtypes_have_arenas_of_their_own() -> None:
    ps = [*parameters(np.float32), *parameters(np.float64), *parameters(np.float16)]
    mixed, alone = [tg.nn.Parameter(p.numpy()) for p in ps], [tg.nn.Parameter(p.numpy()) for p in ps]
    optimizer, others = tg.optim.Adam(mixed, lr=0.1), [tg.optim.Adam([p], lr=0.1) for p in alone]
    fill(mixed)
    fill(alone)
    optimizer.step()
    for other in others:
        other.step()
    assert same(values(mixed), values(alone))
    assert [p.dtype for p in mixed] == [p.dtype for p in ps]


# ---- values all the same


@pytest.mark.parametrize(
    "look",
    [
        lambda p: p.numpy(),
        lambda p: p.detach(),
        lambda p: np.asarray(p.detach()),
        lambda p: p.detach().T[1:],
        lambda p: copy.copy(p),
    ],
)
def test_what_was_looked_at_keeps_its_value(look: Any) -> None:
    ps = parameters()
    optimizer = tg.optim.SGD(ps, lr=0.1, momentum=0.9)
    for step in range(3):
        fill(ps, step)
        seen = look(ps[0])
        before = np.array(seen)
        optimizer.step()
        np.testing.assert_array_equal(np.asarray(seen), before)
    quiet = parameters()
    optimizer = tg.optim.SGD(quiet, lr=0.1, momentum=0.9)
    for step in range(3):
        fill(quiet, step)
        optimizer.step()
    assert same(values(ps), values(quiet))


def test_a_graph_from_before_the_step_is_stale() -> None:
    w = tg.nn.Parameter([1.0, 2.0])
    optimizer = tg.optim.Adam([w])
    for _ in range(2):
        loss = (w * w).sum()
        w.grad = [1.0, 1.0]
        optimizer.step()
        with pytest.raises(tg.MutatedError, match="written to"):
            loss.backward()


def test_a_graph_that_needs_an_older_value_of_a_detached_parameter_has_it() -> None:
    w, x = tg.nn.Parameter([2.0]), tg.tensor([5.0], requires_grad=True)
    optimizer = tg.optim.SGD([w], lr=1.0)
    for _ in range(2):
        before = w.item()
        y = x * w.detach()
        w.grad = [1.0]
        optimizer.step()
        x.grad = None
        y.sum().backward()
        assert x.grad is not None
        assert x.grad.item() == before and w.item() == before - 1


def test_a_parameter_left_out_is_no_write() -> None:
    w, frozen = tg.nn.Parameter([1.0]), tg.nn.Parameter([2.0])
    optimizer = tg.optim.SGD([w, frozen], lr=0.1)
    fill([w, frozen])
    optimizer.step()
    frozen.requires_grad = False
    held = frozen.item()
    fill([w])
    optimizer.step()
    assert frozen.item() == held
    frozen.requires_grad = True
    frozen.grad = None
    y = (frozen * frozen).sum()
    optimizer.step()
    y.backward()  # nothing was written to it since
    assert frozen.grad is not None


# ---- other writers


def rebind(p: Any) -> None:
    with tg.no_grad():
        p[...] = p * 0.5


def add(p: Any) -> None:
    with tg.no_grad():
        p += 1.0


def replace(p: Any) -> None:
    tg.optim.Optimizer.write(p, np.full(p.shape, 3.0))


@pytest.mark.parametrize("write", [rebind, add, replace])
def test_a_new_value_from_elsewhere_is_where_the_next_step_starts(write: Any) -> None:
    ps, qs = parameters(), parameters()
    first, second = tg.optim.Adam(ps, lr=0.1), [tg.optim.Adam([q], lr=0.1) for q in qs]
    for step in range(4):
        fill(ps, step)
        fill(qs, step)
        first.step()
        for optimizer in second:
            optimizer.step()
        for one in (*ps[:3], *qs[:3]):
            write(one)
    fill(ps)
    fill(qs)
    first.step()
    for optimizer in second:
        optimizer.step()
    assert same(values(ps), values(qs))
    assert same([ps[0]._d.base is ps[2]._d.base], [True])


def test_two_optimizers_share_a_parameter() -> None:
    shared, a, b = (tg.nn.Parameter([1.0, 2.0]) for _ in range(3))
    by_hand = np.array([1.0, 2.0])
    first, second = tg.optim.SGD([a, shared], lr=0.5), tg.optim.SGD([shared, b], lr=0.25)
    for _ in range(3):
        fill([a, b])
        shared.grad = [1.0, -1.0]
        first.step()
        by_hand -= 0.5 * np.array([1.0, -1.0])
        np.testing.assert_array_equal(shared.numpy(), by_hand)
        second.step()
        by_hand -= 0.25 * np.array([1.0, -1.0])
        np.testing.assert_array_equal(shared.numpy(), by_hand)


def test_a_conversion_after_the_first_step_is_an_error_and_changes_nothing() -> None:
    ps = parameters()
    optimizer = tg.optim.Adam([{"params": ps[:1]}, {"params": ps[1:]}], lr=0.1)
    fill(ps)
    optimizer.step()
    last = ps[3]
    ps[3]._d = ps[3]._d.astype(np.float32)
    before = values(ps)
    with pytest.raises(tg.DtypeError, match="became float32 \\(2, 3\\) after its first step"):
        optimizer.step()
    assert same(values(ps), before)
    assert last is ps[3]


def test_a_frozen_parameter_may_be_converted() -> None:
    ps = parameters()
    optimizer = tg.optim.Adam(ps, lr=0.1)
    fill(ps)
    optimizer.step()
    ps[3].requires_grad = False
    ps[3]._d = ps[3]._d.astype(np.float16)
    half = ps[3].numpy().copy()
    for _ in range(2):
        held = ps[0].numpy()  # makes the arena move
        fill([ps[0]])
        optimizer.step()
    assert ps[3].dtype == np.float16 and np.array_equal(ps[3].numpy(), half)
    assert not np.array_equal(ps[0].numpy(), held)


# ---- copies


def test_deep_copies_and_pickles_go_on_by_themselves() -> None:
    ps = parameters()
    optimizer = tg.optim.Adam(ps, lr=0.1, amsgrad=True)
    fill(ps)
    optimizer.step()
    before = values(ps)
    copies = [copy.deepcopy((ps, optimizer)), pickle.loads(pickle.dumps((ps, optimizer)))]
    fill(ps, 3)
    optimizer.step()
    for qs, other in copies:
        assert same(values(qs), before)
        assert other.param_groups[0]["params"][0] is qs[0]
        fill(qs, 3)
        other.step()
        assert same(values(qs), values(ps))


def test_parameters_outlive_their_optimizer() -> None:
    ps = parameters()
    adam(ps, 2)
    adam(ps, 2, seed=4)
    again = parameters()
    adam(again, 2)
    adam([tg.nn.Parameter(p.numpy()) for p in again], 0)
    fresh = [tg.nn.Parameter(p.numpy()) for p in again]
    adam(fresh, 2, seed=4)
    assert same(values(ps), values(fresh))


def test_watchers_are_told_that_they_cannot_follow() -> None:
    w = tg.nn.Parameter([1.0])
    optimizer = tg.optim.SGD([w])

    def program(x: Any) -> Any:
        (w * x).sum().backward()
        optimizer.step()
        return x

    with pytest.raises(tg.TraceError, match=r"optimizer\.step"):
        tg.trace(program, tg.ones(1))
    w.grad = None
    with tg.detect_anomaly():
        (w * w).sum().backward()
        optimizer.step()
    assert w.item() == pytest.approx(1 - 2e-3)
