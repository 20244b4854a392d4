"""Run the suite: instances in two processes, published bugs, and peers."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorgrad.testing import Pair, check, check_vjp

from .generator import clean, mutant
from .judge import Verdict, judge

PROCESSES = 2


@dataclass(frozen=True)
class Told:
    """What was found about one published bug.

    Attributes:
        name: of the bug.
        issue: its thread.
        label: the diagnosis that it should get.
        found: whether the faulty derivative was found, by the check and by each peer that can express it.
        said: the diagnosis that it got.
        accused: whether the right derivative was accused.
    """

    name: str
    issue: str
    label: str
    found: dict[str, bool | None]
    said: str
    accused: bool


Job = tuple[str, int, int, bool]
"""``("mutant" or "clean", seed, number, whether peers look too)``."""


def run(jobs: Iterable[Job], processes: int = PROCESSES) -> Iterator[tuple[Job, Verdict, dict[str, Any]]]:
    """Do the jobs, in any order."""
    jobs = list(jobs)
    if processes == 1 or not hasattr(os, "fork"):
        yield from map(do, jobs)
        return
    # Forked before anything starts threads; peers are imported in the children only.
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        yield from pool.imap_unordered(do, jobs, chunksize=4)


def do(job: Job) -> tuple[Job, Verdict, dict[str, Any]]:
    """One instance: what the checker says, and whether each peer finds it."""
    kind, seed, number, with_peers = job
    make = mutant if kind == "mutant" else clean
    verdict = judge(make(seed, number), check)
    found: dict[str, Any] = {}
    if with_peers:
        for name, peer in peers().items():
            instance = make(seed, number)  # anew: a fault may remember earlier calls
            found[name] = finds(peer, *instance.pair(), instance.inputs)
            if verdict.operator == "upstream mutated" and verdict.depth == 1:
                found[name] = None  # the engine's own copy is written to, and the pair shows nothing of it
    return job, verdict, found


def finds(peer: Any, f: Any, f_vjp: Any, arrays: Any) -> bool | None:
    """Whether a peer's checker complains of a derivative; None where it cannot be expressed there."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            told: bool | None = peer(Pair(f, f_vjp, len(arrays)), arrays)
        except Exception:  # whatever it is, the user hears of it
            return True
    return told


def peers() -> dict[str, Any]:
    """The peers' checkers that are installed: from a pair and arrays to whether it complains."""
    return dict(_optional("peers", "PEERS", {}))


def published(seed: int, with_peers: bool) -> list[Told]:
    """Every published bug, and its right derivative beside it."""
    told = []
    for k, bug in enumerate(_optional("published", "PUBLISHED", ())):
        arrays = [np.asarray(x) for x in bug.inputs(np.random.default_rng((seed, 5, k)))]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = check_vjp(bug.f, bug.f_vjp, arrays)
            right = check_vjp(bug.f, bug.right_vjp, arrays)
        found: dict[str, bool | None] = {"tensorgrad": not report.ok}
        if with_peers:
            found |= {name: finds(peer, bug.f, bug.f_vjp, arrays) for name, peer in peers().items()}
        said = report.cause.diagnosis or report.cause.clause if report.cause else "nothing"
        told.append(Told(bug.name, bug.issue, bug.label, found, said, not right.ok))
    return told


def _optional(module: str, name: str, default: Any) -> Any:
    try:
        return getattr(importlib.import_module(f"{__package__}.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name != f"{__package__}.{module}":
            raise
        return default
