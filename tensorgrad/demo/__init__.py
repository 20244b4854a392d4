"""The demo: ``python -m tensorgrad demo``.

Read `classifier` first: a model that learns to read digits, in nothing but tensor expressions. Then
`custom_op`, an op of one's own with its derivative checked. `pictures` draws what came of it.
"""

from __future__ import annotations

import sys
import textwrap
import time
from pathlib import Path
from typing import TextIO

from . import pictures
from .classifier import Epoch, load, train, validate
from .custom_op import check, swish, wrong_swish

NOISES = (0.0, 0.1, 0.2, 0.3)


def main(out_dir: Path, epochs: int = 60) -> None:
    """Train, draw, check, and say where the pictures are.

    Args:
        out_dir: the folder for the pictures; it is made if it is not there.
        epochs: how long to train.
    """
    start = time.perf_counter()
    out_dir.mkdir(parents=True, exist_ok=True)
    train_set, test_set = load()

    say("\n1. A classifier of handwritten digits, in plain tensor expressions\n")
    say(f"   {len(train_set):,} images of 8x8 pixels to learn from, {len(test_set)} held out for the test.")
    say("   How much noise should training add to the images? To choose, learn from")
    say("   four fifths of the first, and measure the accuracy on the other fifth:\n")
    accuracy = {}
    for noise in NOISES:
        accuracy[noise] = validate(train_set, noise, epochs // 2)
        say(f"     noise {noise}   {percent(accuracy[noise])}")
    noise = max(NOISES, key=accuracy.__getitem__)
    say(f"\n   Now learn from all {len(train_set):,}, with noise {noise}:\n")
    params, history = train(train_set, test_set, noise, epochs, Progress(sys.stdout))
    share = history[-1].test_accuracy
    say(f"\n   {percent(share).strip()} of the held-out digits are read rightly: "
        f"{round(share * len(test_set))} of {len(test_set)}.")  # fmt: skip

    say("\n2. The graph of one training step\n")
    graph = pictures.training_step(train_set)
    backward = sum(equation.direction == "backward" for equation in graph.equations)
    say(f"   {len(graph.equations)} operations, {backward} of them backward.")

    say("\n3. An op of our own, with its derivative checked\n")
    say("   swish(x) = x / (1 + exp(-x)): " + (check(swish) or "derivative and difference quotients agree."))
    say("   With a deliberate slip in the derivative, the checker says:\n")
    say(textwrap.indent(check(wrong_swish), "     "))

    files = {
        "training-step.svg": pictures.step_picture(graph),
        "learning-curve.svg": pictures.learning_curve(history),
        "misread-digits.html": pictures.hardest_digits(params, test_set),
    }
    say(f"\nDone in {time.perf_counter() - start:.1f} s. Open in a browser:\n")
    for name, text in files.items():
        path = out_dir / name
        path.write_text(text, encoding="utf-8")
        say(f"   {path}")
    say()


class Progress:
    """One line that is rewritten in place on a terminal; elsewhere, such as in a log, a line now and then."""

    def __init__(self, stream: TextIO, every: int = 10) -> None:
        self.stream = stream
        self.every = every

    def __call__(self, epoch: int, epochs: int, measured: Epoch) -> None:
        """Show what was measured after an epoch."""
        facts = (
            f"loss {measured.train_loss:.4f}   train {percent(measured.train_accuracy)}"
            f"   test {percent(measured.test_accuracy)}"
        )
        last = epoch == epochs
        if self.stream.isatty():
            done = 20 * epoch // epochs
            bar = "#" * done + "." * (20 - done)
            line = f"\r   epoch {epoch:{len(str(epochs))}}/{epochs} {bar} {facts}"
            self.stream.write(line + ("\n" if last else ""))
        elif last or epoch % self.every == 0:
            self.stream.write(f"     epoch {epoch:{len(str(epochs))}}/{epochs}   {facts}\n")
        self.stream.flush()


def percent(share: float) -> str:
    """A share for people: ``98.6 %``, as wide as ``100.0 %``."""
    return f"{share:6.1%}".replace("%", " %")


def say(text: str = "") -> None:
    """Print at once, also where the output is a pipe."""
    print(text, flush=True)
