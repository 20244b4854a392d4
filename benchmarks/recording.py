"""What `tensorgrad.record` costs: switched off, with structure only, and with statistics.

The rows compare this library with itself, so they need no PyTorch. *Off* is the chain of small ops as it is,
against the same chain where everything that watchers need was taken out of the generated entries and of the
walk. *Structure* is operations, lines, module paths and times; *statistics* adds the frozen graph with
measurements of every value, every contribution and every gradient, which is when they are made.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad import _specialise, _tape, _writer

from .chains import OPS, backward, tanh_chain
from .harness import Case, Implementation

SIZES, BATCH = (784, 256, 128, 10), 128


def cases(torch: Any) -> Iterator[Case]:
    """Four rows with a bar and one without."""
    for shape in ((), (32, 32)):
        chain = f"50 x tanh(x*w + b) * 0.9, {shape}"
        yield Case(
            "recorder off", chain, partial(_chain, shape), {"no hooks": partial(_bare, shape)}, 1.02, per=OPS
        )
    chain = "50 x tanh(x*w + b) * 0.9, ()"
    step = f"MLP {'-'.join(map(str, SIZES))}, Adam, batch {BATCH}"
    yield Case(
        "structure on", chain, partial(_recorded_chain, ()), {"off": partial(_chain, ())}, 2.0, per=OPS
    )
    yield Case("structure on", step, partial(_step, _structure), {"off": partial(_step, None)}, 1.5)
    yield Case("statistics on", step, partial(_step, _statistics), {"off": partial(_step, None)}, 4.0)


def _chain(shape: tuple[int, ...]) -> Implementation:
    return backward(tg, tanh_chain, shape, False)


def _recorded_chain(shape: tuple[int, ...]) -> Implementation:
    return Implementation(partial(_structure, _chain(shape).run))


def _bare(shape: tuple[int, ...]) -> Implementation:
    """The same without a trace of watchers: entries that do not ask for them, a walk that does not tell them."""
    run = _chain(shape).run
    cards: list[Any] = [op.card for op in (tg.multiply, tg.add, tg.tanh)]  # type: ignore[attr-defined]
    run()
    ours = [(card.op.__code__, _entry_without_watchers(card)) for card in cards]
    walk = _tape.Walk.run
    bare = _walk_without_watchers()

    def stripped() -> Any:
        for card, (_, code) in zip(cards, ours, strict=True):
            card.op.__code__ = code
        _tape.Walk.run = bare  # type: ignore[method-assign]
        try:
            return run()
        finally:
            for card, (code, _) in zip(cards, ours, strict=True):
                card.op.__code__ = code
            _tape.Walk.run = walk  # type: ignore[method-assign]

    return Implementation(stripped)


def _entry_without_watchers(card: Any) -> Any:
    lines = _writer.entry(card).splitlines()
    asked = next(i for i, line in enumerate(lines) if line.strip() == "if mode_ > 1:")
    source = _specialise._closure(
        "\n".join(lines[:asked] + lines[asked + 2 :]), ["forward", "card", "op"], ["entry"]
    )
    return _specialise.compiled(card, source, "bare op")["make"](card.forward, card, card.op)[0].__code__


def _walk_without_watchers() -> Callable[..., Any]:
    """`Walk.run` without the lines about watching."""
    kept: list[str] = []
    deeper: int | None = None
    for line in textwrap.dedent(inspect.getsource(_tape.Walk.run)).splitlines():
        depth = len(line) - len(line.lstrip())
        if deeper is not None and depth > deeper:
            continue
        deeper = None
        if line.strip().startswith(("if watching:", "for watcher in watching:")):
            deeper = depth
        elif "watching = " not in line:
            kept.append(line.replace(" and not watching", ""))
    assert not any("watch" in line.partition("#")[0] for line in kept)
    space: dict[str, Any] = {}
    exec("from __future__ import annotations\n" + "\n".join(kept), vars(_tape), space)
    made: Callable[..., Any] = space["run"]
    return made


def _step(how: Callable[[Callable[[], Any]], Any] | None) -> Implementation:
    rng = np.random.default_rng(0)
    tg.manual_seed(0)
    a, b, c, d = SIZES
    model = tg.nn.Sequential(
        tg.nn.Linear(a, b), tg.nn.ReLU(), tg.nn.Linear(b, c), tg.nn.ReLU(), tg.nn.Linear(c, d)
    )
    optimizer = tg.optim.Adam(model.parameters())
    x = tg.tensor(rng.normal(size=(BATCH, a)).astype(np.float32))
    labels = tg.tensor(rng.integers(d, size=BATCH))

    def step() -> Any:
        optimizer.zero_grad()
        loss = tg.nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    return Implementation(step if how is None else partial(how, step))


def _structure(work: Callable[[], Any]) -> Any:
    with tg.record(statistics=False):
        return work()


def _statistics(work: Callable[[], Any]) -> Any:
    with tg.record() as run:
        result = work()
    assert run.graph.stats
    return result
