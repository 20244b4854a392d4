"""``python -m benchmarks.why_pathologies``: does `tensorgrad.why` name the op, and is it silent where nothing is wrong?

Each kind of pathology is planted in random programs (`why_programs`), and `why` is asked about a parameter before
it. It is right if its verdict and cause are of those that the kind allows, and the line is the planted one. Healthy
programs of several architectures must give ``"ok"``. The seed is the date unless given; the exit status is 1 where a
limit is missed: 90 % of all, 75 % of each kind, no accusation.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

import tensorgrad as tg

from .why_healthy import healthy
from .why_kinds import KINDS
from .why_programs import Program, plan, written

OVERALL, EACH = 0.90, 0.75


# ---- the campaign


@dataclass(frozen=True)
class Answer:
    """What came of one program."""

    kind: str
    program: Program
    diagnosis: Any
    right: bool


def instance(name: str, seed: tuple[int, ...]) -> Program:
    """A program with a pathology of a kind."""
    made = plan(np.random.default_rng(seed))
    KINDS[name].plant(made)
    return written(made, f"/generated/{name.replace(' ', '_')}_{'_'.join(map(str, seed))}.py")


def asked(name: str, seed: tuple[int, ...]) -> Answer:
    """Run a planted program, and judge what `why` says."""
    program = instance(name, seed)
    target, space = program.run()
    found = tg.why(target)
    del space
    expected = KINDS[name]
    line = found.position.line if found.position is not None else 0
    right = found.verdict in expected.verdicts and found.cause in expected.causes
    return Answer(name, program, found, right and (not program.line or line == program.line))


def campaign(seed: int, instances: int) -> list[Answer]:
    """As many planted programs as wanted, the kinds in turn."""
    names = list(KINDS)
    return [asked(names[i % len(names)], (seed, i)) for i in range(instances)]


def accusations(seed: int, graphs: int) -> list[tuple[str, Any]]:
    """What is said about healthy programs and should not be."""
    found = []
    for i in range(graphs):
        name, answer = healthy((seed, i))
        if not answer.ok:
            found.append((name, answer))
    return found


def table(answers: list[Answer]) -> str:
    """Found of planted, for each kind."""
    lines = [f"{'kind':<40}{'found':>6}{'of':>5}"]
    for name in KINDS:
        mine = [answer.right for answer in answers if answer.kind == name]
        if mine:
            lines.append(f"{name:<40}{sum(mine):>6}{len(mine):>5}{'' if sum(mine) == len(mine) else '  <'}")
    right = sum(answer.right for answer in answers)
    return "\n".join(
        [
            *lines,
            f"{f'all, {len(KINDS)} kinds':<40}{right:>6}{len(answers):>5}  {100 * right / len(answers):.1f} %",
        ]
    )


def missed(answers: list[Answer], accused: list[Any]) -> list[str]:
    """The limits that do not hold, in words."""
    failed = [f"{len(accused)} healthy programs accused: {accused[0]}"] if accused else []
    if sum(answer.right for answer in answers) < OVERALL * len(answers):
        failed.append(f"less than {100 * OVERALL:.0f} % of all found")
    for name in KINDS:
        mine = [answer.right for answer in answers if answer.kind == name]
        if sum(mine) < EACH * len(mine):
            failed.append(f"{name}: {sum(mine)} of {len(mine)} found")
    return failed


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.why_pathologies", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(datetime.date.today().strftime("%Y%m%d")))
    parser.add_argument("--instances", type=int, default=400)
    parser.add_argument("--healthy", type=int, default=500)
    parser.add_argument(
        "--misses", action="store_true", help="show the programs that were not found, and the answers"
    )
    options = parser.parse_args(arguments)
    print(f"seed {options.seed} (the date of the run, unless given)", flush=True)
    started = time.perf_counter()
    answers = campaign(options.seed, options.instances)
    print(table(answers), flush=True)
    accused = accusations(options.seed, options.healthy)
    print(f"\nhealthy programs accused: {len(accused)} of {options.healthy} (required 0)")
    print(f"{time.perf_counter() - started:.0f} s in all")
    if options.misses:
        for answer in answers:
            if not answer.right:
                print(
                    f"\n--- {answer.kind}, line {answer.program.line}\n{answer.program.text}\n{answer.diagnosis}"
                )
        for name, diagnosis in accused:
            print(f"\n--- healthy {name}\n{diagnosis}")
    failed = missed(answers, accused)
    for line in failed:
        print("MISSED:", line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
