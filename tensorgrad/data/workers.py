"""Work done ahead by threads, with the results in order."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LOOK = 0.2  # seconds; where waiting for a lock holds back Ctrl-C (Windows), it is seen this soon


def ordered_map(
    function: Callable[[Item], Result], items: Iterator[Item], workers: int, ahead: int
) -> Iterator[Result]:
    """``function`` of each item, in order; threads compute up to ``ahead`` results before they are asked for.

    The threads work in copies of the caller's context, and what a call raises is raised here, at its turn
    and with its traceback. They end with the iterator: exhausted, closed or forgotten. They are not waited
    for, and are daemons, so that Ctrl-C ends a program whatever its data set is waiting for.
    """
    tasks: SimpleQueue[tuple[Future[Result], Callable[[], Result]] | None] = SimpleQueue()
    pending: deque[Future[Result]] = deque()

    def submit() -> None:
        future: Future[Result] = Future()
        try:
            item = next(items)
        except StopIteration:
            return
        except Exception as error:  # comes after the results before it, as it does without threads
            future.set_exception(error)
        else:
            tasks.put((future, lambda: function(item)))
        pending.append(future)

    def take() -> Result:
        future = pending.popleft()
        while not future.done():
            wait([future], timeout=LOOK)
        result = future.result()
        submit()
        return result

    try:
        for number in range(workers):
            run = contextvars.copy_context().run
            name = f"tensorgrad-data-{number}"
            threading.Thread(target=run, args=(_work, tasks), name=name, daemon=True).start()
        for _ in range(ahead):
            submit()
        while pending:
            yield take()
    finally:
        for left in pending:
            left.cancel()
        for _ in range(workers):
            tasks.put(None)


def _work(tasks: SimpleQueue[Any]) -> None:
    while (task := tasks.get()) is not None:
        future, call = task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(call())
            except BaseException as error:  # SystemExit too: it is the caller's to act upon
                future.set_exception(error)
        del task, future, call  # or a batch would stay alive while the thread waits
