"""Run the mutation suite of the gradient checker and print its tables: ``python -m benchmarks.gradcheck_mutants``."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import sys
import time
from pathlib import Path

from tensorgrad.testing import check

from . import runs, tables
from .generator import clean, mutant
from .judge import judge


def main(arguments: list[str] | None = None) -> int:
    """Run the suite and print its tables; 1 where a limit is missed."""
    options = _options(arguments)
    if options.only:
        return _one(options.only)
    seed, peers = options.seed, options.peers
    print(f"seed {seed} (the date of the run, unless given)", flush=True)
    started = time.perf_counter()
    jobs: list[runs.Job] = [("mutant", seed, k, peers) for k in range(options.instances)]
    jobs += [("clean", seed, k, False) for k in range(options.clean)]
    verdicts, accused, by_peers, worst = [], [], {}, 0.0
    for job, verdict, found in runs.run(jobs, options.processes):
        worst = max(worst, verdict.seconds)
        if job[0] == "mutant":
            verdicts.append(verdict)
            by_peers[verdict.number] = found
        elif verdict.found:
            accused.append(verdict)
    verdicts.sort(key=lambda one: one.number)
    told = runs.published(seed, peers)
    print(tables.mutants(verdicts, by_peers))
    print(f"\nclean graphs accused: {len(accused)} of {options.clean} (required 0)\n")
    if told:
        print(tables.published(told))
    seconds = time.perf_counter() - started
    print(f"\n{seconds:.0f} s in all, the longest check {worst:.2f} s")
    if options.misses:
        print(tables.misses([*verdicts, *accused], seed))
    if options.json:
        figures = {
            "seed": seed, "seconds": seconds, "clean": options.clean, "shares": tables.shares(verdicts),
            "mutants": [{**dataclasses.asdict(v), "peers": by_peers[v.number]} for v in verdicts],
            "accused": [dataclasses.asdict(v) for v in accused],
            "published": [dataclasses.asdict(one) for one in told],
        }  # fmt: skip
        Path(options.json).write_text(json.dumps(figures, indent=1))
    failed = tables.missed(verdicts, accused, told)
    for line in failed:
        print("MISSED:", line)
    return 1 if failed else 0


def _one(which: str) -> int:
    """Check one instance, ``SEED:NUMBER`` or ``SEED:NUMBER:clean``, and print the whole report."""
    seed, number, *rest = which.split(":")
    make = clean if rest == ["clean"] else mutant
    instance = make(int(seed), int(number))
    if instance.planted is not None and instance.operator is not None:
        print(f"fault: {instance.operator.label} ({instance.operator.sentence})")
        print(
            f"input: number {instance.planted.position} of {instance.card}; trusted: {instance.planted.trusted}"
        )
    graph = instance.graph
    print(f"op: {instance.card}, sample {graph.point.label!r}, layer {graph.place} of {graph.depth}")
    print(f"arguments: {[a.shape for a in graph.arguments()]}, inputs: {[x.shape for x in instance.inputs]}")
    print(judge(instance, check))
    print(check(make(int(seed), int(number)).function, instance.inputs))
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradcheck_mutants", description=__doc__)
    today = int(datetime.date.today().strftime("%Y%m%d"))
    parser.add_argument("--seed", type=int, default=today, help="of all draws; the date if not given")
    parser.add_argument("--instances", type=int, default=640, help="faults to plant")
    parser.add_argument("--clean", type=int, default=2000, help="graphs without a fault")
    parser.add_argument("--peers", action="store_true", help="let the peers look at the same instances")
    parser.add_argument("--json", metavar="FILE", help="write every verdict")
    parser.add_argument("--misses", action="store_true", help="list what was not found, named or diagnosed")
    parser.add_argument(
        "--only", metavar="SEED:NUMBER", help="one instance, with its report (SEED:NUMBER:clean)"
    )
    parser.add_argument("--processes", type=int, default=runs.PROCESSES)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
