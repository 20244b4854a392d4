"""Threads that share leaves or graphs: no update is lost, and a result is right or a clear error."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import _tape


def leaf(data, dtype=None):
    return tg.tensor(data, dtype, requires_grad=True)


def run_together(*works):
    """Run functions in threads that start at the same moment; what they raised, in order."""
    barrier, errors = threading.Barrier(len(works)), [None] * len(works)

    def start(i, work):
        barrier.wait(20)
        try:
            work()
        except BaseException as error:
            errors[i] = error

    workers = [threading.Thread(target=start, args=pair) for pair in enumerate(works)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert not worker.is_alive()
    return errors


@pytest.fixture(autouse=True)
def switch_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("shape", [(), (3,), (50, 50)])
def test_no_update_of_a_shared_leaf_is_lost(shape):
    x = leaf(np.ones(shape))
    repeats, threads = 200, 4

    def work():
        for _ in range(repeats):
            (x * 2 + x).sum().backward()
            assert x.grad is not None  # a gradient that somebody has seen is replaced, not added to

    assert run_together(*[work] * threads) == [None] * threads
    assert np.all(x.grad.numpy() == 3 * repeats * threads)


def test_no_update_is_lost_while_others_read_the_gradient():
    x = leaf(np.zeros(100))
    x.grad = np.zeros(100)
    torn, stop = [], threading.Event()

    def work():
        for _ in range(300):
            (x * 1).sum().backward()
        stop.set()

    def read():
        while not stop.is_set():
            held = x.grad
            first = held.numpy().copy()
            if first.min() != first.max() or not np.array_equal(first, held.numpy()):
                torn.append(first)

    assert run_together(work, read) == [None, None]
    assert not torn and np.all(x.grad.numpy() == 300)


class Interrupted(np.ndarray):
    """An array that lets another thread run in the middle of being added."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        self.meanwhile()
        return getattr(ufunc, method)(*[np.asarray(one) for one in inputs], **kwargs)


def test_a_gradient_handed_out_while_another_thread_adds_to_it_is_not_changed_later():
    x, seen, readers = leaf(np.ones(3)), [], []

    def read():
        held = x.grad
        seen.append((held, held.tolist()))

    def meanwhile():
        readers.append(threading.Thread(target=read))
        readers[0].start()
        readers[0].join(0.2)  # with a lock it waits until the gradient has arrived

    (x * 1).sum().backward()
    g = np.ones(3).view(Interrupted)
    g.meanwhile = meanwhile
    _tape.accumulate(x._node, g, None, own=False)
    readers[0].join(10)
    (x * 5).sum().backward()
    ((held, then),) = seen
    assert held.tolist() == then and then in ([1, 1, 1], [2, 2, 2])
    assert x.grad.tolist() == [7, 7, 7]


@pytest.mark.parametrize("seen_before", [True, False])
def test_an_update_in_the_middle_of_another_is_not_lost(seen_before):
    x, others = leaf(np.ones(3)), []

    def meanwhile():
        others.append(threading.Thread(target=lambda: (x * 10).sum().backward()))
        others[0].start()
        others[0].join(0.2)

    (x * 1).sum().backward()
    if seen_before:
        assert x.grad is not None
    g = np.ones(3).view(Interrupted)
    g.meanwhile = meanwhile
    _tape.accumulate(x._node, g, lambda data, node: tg.tensor(data), own=False)
    others[0].join(10)
    assert x.grad.tolist() == [12, 12, 12]


def test_threads_with_leaves_of_their_own_do_not_disturb_each_other():
    def work(seed):
        def run():
            x = leaf(np.full(4, float(seed)))
            for _ in range(200):
                (g,) = tg.autograd.grad((x * x * x).sum(), x, create_graph=True)
                (gg,) = tg.autograd.grad(g.sum(), x)
                assert np.array_equal(gg.numpy(), 6 * x.numpy())

        return run

    assert run_together(*[work(i + 1) for i in range(4)]) == [None] * 4


def test_one_graph_walked_by_two_threads_is_right_or_an_error():
    successes = 0
    for _ in range(60):
        x = leaf(np.ones(3))
        y = x
        for _ in range(30):
            y = tg.sin(y) * x
        loss = y.sum()
        wanted = tg.autograd.grad(loss, x, retain_graph=True)[0].numpy()
        errors = run_together(loss.backward, loss.backward)
        done = errors.count(None)
        assert all(error is None or isinstance(error, tg.NoGraphError) for error in errors)
        if done:
            assert np.allclose(x.grad.numpy(), wanted * done)
        else:
            assert x.grad is None
        successes += done
    assert successes


def test_a_retained_graph_may_be_walked_by_many_threads():
    x = leaf(np.ones(3))
    y = (tg.tanh(x * 2) * x).sum()
    (wanted,) = tg.autograd.grad(y, x, retain_graph=True)

    def work():
        for _ in range(50):
            y.backward(retain_graph=True)

    assert run_together(*[work] * 4) == [None] * 4
    assert np.allclose(x.grad.numpy(), 200 * wanted.numpy())


def test_a_captured_parameter_is_shared_by_transformations_in_threads():
    w = leaf([2.0, 3.0])

    def work():
        for _ in range(60):
            got = tg.vmap(tg.grad(lambda v: (v * v * w.detach()).sum()))(np.ones((3, 2)))
            assert np.array_equal(np.asarray(got), [[4.0, 6.0]] * 3)
            assert tg.grad(lambda v: (w * v).sum() ** 2)(tg.tensor([1.0, 1.0])).tolist() == [20, 30]

    assert run_together(*[work] * 3) == [None] * 3


def test_an_op_may_be_specialised_by_several_threads_at_once():
    for _ in range(20):

        @tg.elementwise
        def fresh(a, b, /, scale=1.0):
            return a * b * scale

        fresh.derivative(a=lambda b, scale: b * scale, b=lambda a, scale: a * scale)

        def work(fresh=fresh):
            a, b = leaf([2.0]), leaf([3.0])
            fresh(a, b, scale=2.0).sum().backward()
            assert (a.grad.tolist(), b.grad.tolist()) == ([6], [4])

        assert run_together(*[work] * 4) == [None] * 4


def test_default_generators_and_seeds_are_of_the_thread():
    def draws(seed):
        def work():
            tg.manual_seed(seed)
            found[seed].append([tg.randn(3).tolist() for _ in range(50)])

        return work

    found = {1: [], 2: []}
    mine = tg.default_generator()
    for _ in range(2):
        assert run_together(draws(1), draws(2)) == [None, None]
    assert found[1][0] == found[1][1] and found[2][0] == found[2][1] and found[1][0] != found[2][0]
    assert tg.default_generator() is mine
    unseeded = []
    run_together(*[lambda: unseeded.append(tg.randn(3).tolist())] * 4)
    assert len({tuple(u) for u in unseeded}) == 4


def test_hooks_watchers_and_scopes_of_one_thread_are_not_seen_by_another():
    stop, inside = threading.Event(), threading.Event()

    def watched():
        with tg.detect_anomaly(), tg.scope("mine"):
            inside.set()
            stop.wait(20)

    def free():
        inside.wait(20)
        try:
            with np.errstate(all="ignore"):
                assert np.isnan((tg.tensor([np.nan]) * 2).item())
            assert tg.trace(lambda x: x * 2, tg.ones(1)).equations[0].scope == ""
        finally:
            stop.set()

    assert run_together(watched, free) == [None, None]


def test_training_steps_in_threads_reproduce_those_of_one():
    def train(seed):
        tg.manual_seed(seed)
        w = tg.nn.Parameter(tg.randn(3, 1, dtype="float64"))
        for _ in range(30):
            x = tg.randn(8, 3, dtype="float64")
            ((x @ w - 1) ** 2).mean().backward()
            with tg.no_grad():
                w -= 0.1 * w.grad
                w.grad = None
        return w.tolist()

    alone = [train(seed) for seed in range(3)]
    together = {}
    assert run_together(*[lambda s=s: together.update({s: train(s)}) for s in range(3)]) == [None] * 3
    assert [together[s] for s in range(3)] == alone
