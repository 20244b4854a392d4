"""Recording on and off in coroutines, tasks and threads: each has its own, and none disturbs another."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import numpy as np
import pytest

import tensorgrad as tg

on = tg.is_grad_enabled


def records():
    return (tg.tensor(1.0, requires_grad=True) * 2).requires_grad


# ---- coroutines and tasks


def test_decorated_coroutines_and_async_generators():
    @tg.no_grad()
    async def coroutine():
        before = on()
        await asyncio.sleep(0)
        return before, on()

    @tg.no_grad()
    async def generate():
        yield on()
        await asyncio.sleep(0)
        yield on()

    async def main():
        got = await coroutine()
        pieces = [(inside, on()) async for inside in generate()]
        return got, pieces, on()

    assert asyncio.run(main()) == ((False, False), [(False, True), (False, True)], True)


def test_tasks_are_independent():
    shared = tg.no_grad()

    async def worker(off, delays):
        seen = []
        for delay in delays:
            if off:
                with shared:
                    await asyncio.sleep(delay)
                    seen.append(on())
            else:
                await asyncio.sleep(delay)
                seen.append(on())
            seen.append(on())
        return seen

    async def main():
        return await asyncio.gather(
            *[worker(i % 2 == 0, [0.001 * ((i * 7 + k) % 5) for k in range(5)]) for i in range(8)]
        )

    for i, seen in enumerate(asyncio.run(main())):
        assert seen == ([False, True] * 5 if i % 2 == 0 else [True] * 10)
    assert on()


def test_a_task_inherits_the_mode_and_cannot_change_its_parents():
    async def child():
        before = on()
        tg.set_grad_enabled(not before)
        return before

    async def main():
        with tg.no_grad():
            got = await asyncio.gather(child(), child())
            return got, on()

    assert asyncio.run(main()) == ([False, False], False) and on()


def test_a_context_that_is_closed_elsewhere_harms_nobody():
    switch = tg.no_grad()
    contextvars.copy_context().run(switch.__enter__)
    switch.__exit__(None, None, None)
    assert on()
    with switch:
        assert not on()
    assert on()

    def generate():
        with tg.no_grad():
            yield on()

    g = generate()
    worker = threading.Thread(target=next, args=(g,))
    worker.start()
    worker.join()
    g.close()
    assert on() and records()


# ---- threads


def in_thread(f, context=None):
    found = []
    worker = threading.Thread(target=lambda: found.append((context or contextvars.Context()).run(f)))
    worker.start()
    worker.join(30)
    assert found, "the thread failed"
    return found[0]


def test_a_new_thread_starts_with_gradients_on():
    with tg.no_grad():
        assert in_thread(on) and in_thread(records)
    assert in_thread(lambda: (tg.set_grad_enabled(False), on())[1]) is False
    assert on()


def test_one_object_is_shared_by_threads_that_enter_and_leave_in_turn():
    shared, steps, wrong = tg.no_grad(), [threading.Event() for _ in range(5)], []

    def first():
        with shared:
            steps[0].set()
            steps[1].wait(10)
            wrong.append(on())
        wrong.append(not on())
        steps[2].set()

    def second():
        steps[0].wait(10)
        with shared:
            steps[1].set()
            steps[2].wait(10)
            wrong.append(on())
        wrong.append(not on())

    workers = [threading.Thread(target=f) for f in (first, second)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert wrong == [False] * 4 and on()


def test_one_decorated_function_in_many_threads():
    wrong = []

    @tg.no_grad()
    def inside():
        return on() or records()

    def work():
        wrong.extend(1 for _ in range(300) if inside() or not on())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert not wrong and on()


def test_default_dtype_is_of_the_thread_too():
    tg.set_default_dtype("float64")
    try:
        assert in_thread(tg.get_default_dtype) == np.float32
    finally:
        tg.set_default_dtype("float32")
    with pytest.raises(tg.DtypeError, match="float16, float32 or float64"):
        tg.set_default_dtype("int64")
    assert tg.get_default_dtype() == np.float32
