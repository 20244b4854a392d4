"""Test accuracy on the real Fashion-MNIST, over several seeds.

``python -m benchmarks.accuracy --data FOLDER`` trains each recipe of ``python -m tensorgrad train`` with seeds
0, 1 and 2, prints the figure of each run as it ends, and puts the table into docs/results.md. ``--models mlp``
trains one recipe only; ``--results FILE`` keeps what was run, and a run that is in it is not run again.

A model is tested once, after its last epoch: no choice is made on the test images.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from tensorgrad._environment import report
from tensorgrad.training import command
from tensorgrad.training.recipes import RECIPES

from .sections import fill

PAGE = Path(__file__).parent.parent / "docs" / "results.md"
SECTION = "fashion-mnist"
GOALS = {"mlp": 0.90, "cnn": 0.93, "book": 0.87}
ABOUT = """## Fashion-MNIST

Accuracy on the 10,000 test images of the real files, measured once, after the last epoch. Each row is one run of the
command in it; `python -m benchmarks.accuracy --data FOLDER` runs all and writes this part of the page.
"""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--data", default="fashion-mnist", help="the folder with the four files")
    parser.add_argument("--models", nargs="+", default=list(GOALS), choices=sorted(RECIPES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--results", type=Path, help="a JSON file with runs, to read and to add to")
    arguments = parser.parse_args(argv)
    runs = (
        json.loads(arguments.results.read_text()) if arguments.results and arguments.results.exists() else []
    )
    for model in arguments.models:
        for seed in arguments.seeds:
            if any((one["model"], one["seed"]) == (model, seed) for one in runs):
                continue
            runs.append(run(arguments.data, model, seed))
            if arguments.results:
                arguments.results.write_text(json.dumps(runs, indent=2) + "\n")
    runs.sort(key=lambda one: (list(GOALS).index(one["model"]), one["seed"]))
    fill(PAGE, SECTION, page(runs))


def run(folder: str, model: str, seed: int) -> dict[str, Any]:
    """Train one model, print its figure, and return the facts."""
    recipe = RECIPES[model]
    task = command.scaled(command.load(folder), recipe)
    repeat = f"python -m tensorgrad train --data fashion-mnist --model {model} --seed {seed}"
    with tempfile.TemporaryDirectory() as out:
        outcome = command.train(task, recipe, seed=seed, out=Path(out), command=repeat, say=command.say)
    found = {"model": model, **command.facts(outcome), "machine": machine()}
    command.say(f"{repeat}: {found['test_accuracy']:.4f} in {found['seconds']:.0f} s")
    return found


def machine() -> str:
    """What the time of a run depends on."""
    wanted = ("Python", "NumPy", "BLAS", "cores", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return "\n".join(line for line in report().splitlines() if line.startswith(wanted))


def page(runs: Sequence[dict[str, Any]]) -> str:
    """The section of the page."""
    parts = [ABOUT]
    for model, goal in GOALS.items():
        mine = [one for one in runs if one["model"] == model]
        if not mine:
            continue
        accuracy = mean(one["test_accuracy"] for one in mine)
        parts.append(f"### `{model}`: {accuracy:.2%} in the mean of {len(mine)} seeds\n")
        parts.append(f"{RECIPES[model].describe}; {mine[0]['parameters']:,} parameters, {mine[0]['epochs']} epochs. "
                     f"Goal: {goal:.0%}.\n")  # fmt: skip
        parts.append("| command | test accuracy | test loss | training |\n|---|---|---|---|")
        parts += [
            f"| `{one['command']}` | {one['test_accuracy']:.2%} | {one['test_loss']:.4f} | {one['seconds']:.0f} s |"
            for one in mine
        ]
        parts.append("")
    parts.append(f"```text\n{runs[-1]['machine']}\n```")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
