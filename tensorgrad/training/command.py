"""``python -m tensorgrad train``: train a classifier of images, and write a report about it."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import data, metrics, nn
from .._errors import FileFormatError, ShapeError, TensorgradError
from .._io import save
from .._random import manual_seed
from ..data import DataLoader, TensorDataset, transforms
from . import report
from .averaging import WeightAverage
from .callback import Callback
from .checkpoint import PATTERN, Checkpoint
from .evaluation import evaluate, predict
from .history import History
from .logs import CSVLog
from .progress import Progress
from .recipes import RECIPES, Recipe
from .trainer import Trainer

RIGHT, REFUSED = 0, 2
"""Exit statuses."""


@dataclass(frozen=True)
class Task:
    """Images to learn, and images to be tested on.

    Attributes:
        name: of the data.
        train: images (N, C, H, W), float32, and labels.
        test: likewise.
        classes: the names.
        mirrored: whether an image and its mirror image are of one class.
    """

    name: str
    train: tuple[Any, Any]
    test: tuple[Any, Any]
    classes: tuple[str, ...]
    mirrored: bool


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        test_accuracy: the share of test images that are named rightly, by the model after its last epoch.
        test_loss: their mean cross-entropy.
        seconds: of training, this call's.
    """

    task: Task
    recipe: Recipe
    model: nn.Module
    history: History
    predictions: Any
    test_accuracy: float
    test_loss: float
    seconds: float
    seed: int
    command: str


def run(arguments: argparse.Namespace) -> int:
    """Train what the command line says, print the test accuracy, write the report.

    Returns:
        0, or 2 if the arguments or the data cannot be used.
    """
    try:
        check(arguments)
        recipe = changed(RECIPES[arguments.model], arguments)
        task = scaled(load(arguments.data, arguments.limit, download=arguments.download), recipe)
        prepare(arguments)
        outcome = train(
            task, recipe, seed=arguments.seed, out=arguments.out,
            resume=arguments.resume, command=command_line(arguments), say=say,
        )  # fmt: skip
    except (TensorgradError, OSError) as error:
        absent = isinstance(error, FileNotFoundError) and arguments.data in ("mnist", "fashion-mnist")
        hint = "; here: --download" if absent and not arguments.download else ""
        print(f"tensorgrad train: {error}{hint}", file=sys.stderr)
        return REFUSED
    page = arguments.out / "report.html"
    page.write_text(report.page(outcome), encoding="utf-8")
    (arguments.out / "result.json").write_text(json.dumps(facts(outcome), indent=2) + "\n", encoding="utf-8")
    save(outcome.model, arguments.out / "model.safetensors")
    say(f"test accuracy {outcome.test_accuracy:.4f}  loss {outcome.test_loss:.4f}  "
        f"({len(task.test[1]):,} images; trained for {outcome.seconds:.0f} s)")  # fmt: skip
    say(f"weights, checkpoints and report: {page}")
    return RIGHT


def train(
    task: Task,
    recipe: Recipe,
    *,
    seed: int,
    out: Path,
    resume: bool = False,
    command: str = "",
    say: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """Train one model by a recipe, and test it once, after the last epoch.

    Args:
        task: the data.
        recipe: the model and how it is trained.
        seed: of all that is drawn.
        out: the folder for checkpoints and the log.
        resume: whether to go on from the newest checkpoint there.
        command: what the report says it was made by.
        say: told what happens, a line at a time.
    """
    manual_seed(seed)
    images, labels = task.train
    classes = len(task.classes)
    model = recipe.model(images.shape[1:], classes, np.random.default_rng(seed))
    flip = recipe.flip and task.mirrored
    loader = DataLoader(
        TensorDataset(images, labels), recipe.batch_size, recipe.shuffle, generator=seed,
        transform=(lambda x, y: (transforms.random_flip(x), y)) if flip else None,
        drop_last=len(labels) > 1 and len(labels) % recipe.batch_size == 1,  # batch norm has no variance of one image
    )  # fmt: skip
    optimizer = recipe.optimizer(model.parameters(), recipe.lr)
    steps = recipe.epochs * len(loader)
    callbacks: list[Callback] = [WeightAverage(recipe.average)] if recipe.average is not None else []
    callbacks += [Checkpoint(out / "checkpoints", keep=2), CSVLog(out / "history.csv"), Progress()]
    trainer = Trainer(
        model, nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing), optimizer,
        metrics={"accuracy": metrics.Accuracy()},
        schedule=recipe.schedule(optimizer, recipe.lr, steps) if recipe.schedule else None,
        schedule_each="step", callbacks=callbacks,
    )  # fmt: skip
    if resume:
        trainer.resume(out / "checkpoints")
        say(f"going on after epoch {trainer.epoch}")
    count = sum(p.size for p in model.parameters())
    say(
        f"{task.name}: {len(labels):,} images to learn from, {len(task.test[1]):,} for the test; {count:,} parameters"
    )
    begin = time.perf_counter()
    trainer.fit(loader, recipe.epochs)
    seconds = time.perf_counter() - begin
    measured = evaluate(model, task.test, nn.CrossEntropyLoss(), {"accuracy": metrics.Accuracy()})
    return Outcome(
        task, recipe, model, trainer.history, predict(model, task.test[0]).numpy(), measured["accuracy"], measured["loss"],
        seconds, seed, command,
    )  # fmt: skip


def load(name: str, limit: int | None = None, *, download: bool = False) -> Task:
    """The images of a data set by its name or folder, with pixels from 0 to 1.

    Args:
        name: ``digits``, ``mnist``, ``fashion-mnist``, or a folder with the files of such a set.
        limit: use the first so many training images only.
        download: fetch the files first, if they are not there.

    Raises:
        TensorgradError: the files are missing or damaged.
    """
    if name == "digits":
        images, labels = data.load_digits()
        x, x_test, y, y_test = data.train_test_split(
            images, labels, test_size=0.2, stratify=labels, generator=0
        )
        sets = data.ImageSets((x, y), (x_test, y_test), tuple("0123456789"))
        largest = 16
    else:
        sets, largest = _from_files(name, download), 255
    (x, y), test = sets.train, sets.test
    train_set = x[:limit], y[:limit]
    mirrored = sets.classes == data.FASHION_CLASSES
    return Task(
        Path(name).resolve().name, _ready(train_set, largest), _ready(test, largest), sets.classes, mirrored
    )


def scaled(task: Task, recipe: Recipe) -> Task:
    """The task with its pixels as a recipe wants them."""
    x = task.train[0]
    mean, std = (0.5, 0.5) if recipe.symmetric else (float(x.mean()), float(x.std()))
    std = std or 1.0  # of images without anything on them
    return replace(
        task,
        train=((task.train[0] - np.float32(mean)) / np.float32(std), task.train[1]),
        test=((task.test[0] - np.float32(mean)) / np.float32(std), task.test[1]),
    )


def changed(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    """The recipe with what the command line says otherwise."""
    given = {name: getattr(arguments, name) for name in ("epochs", "batch_size", "lr")}
    return replace(recipe, **{name: value for name, value in given.items() if value is not None})


def check(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be, before any data is read.

    Raises:
        ShapeError: the first such argument.
        FileExistsError: the folder to write to is a file.
    """
    for name in ("epochs", "batch_size", "limit"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise ShapeError(f"--{name.replace('_', '-')} is {value}; at least 1 is needed")
    if arguments.out.exists() and not arguments.out.is_dir():
        raise FileExistsError(
            f"--out is {arguments.out}, a file; a folder is needed, which is made if it is not there"
        )
    if arguments.lr is not None and not 0 < arguments.lr < math.inf:
        raise ShapeError(f"--lr is {arguments.lr}; a number above 0 is needed")


def prepare(arguments: argparse.Namespace) -> None:
    """Make the folder of a run: the command is kept in it, so that only the same one can go on with it.

    A run that came to its end is replaced by a new one; one that did not is left alone.

    Raises:
        ShapeError: to be resumed is a run with other settings.
        FileExistsError: there is a run that has not come to its end.
    """
    folder, command = arguments.out, command_line(arguments)
    kept, result, files = folder / "command.txt", folder / "result.json", folder / "checkpoints"
    if arguments.resume:
        before = kept.read_text(encoding="utf-8").strip() if kept.exists() else command
        if before != command:
            raise ShapeError(
                f"--resume: the run in {folder} is another one, repeat its command: {before} --resume"
            )
        return
    if result.exists():
        result.unlink()
        for file in files.glob(PATTERN):
            file.unlink()
    elif any(files.glob(PATTERN)):
        raise FileExistsError(
            f"{folder} has a run that has not come to its end; go on with it by --resume, choose another --out, or "
            "delete the folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_text(command + "\n", encoding="utf-8")


def command_line(arguments: argparse.Namespace) -> str:
    """The command that repeats a run."""
    words = ["python", "-m", "tensorgrad", "train", "--data", arguments.data, "--model", arguments.model]
    for name in ("epochs", "batch_size", "lr", "limit"):
        if getattr(arguments, name) is not None:
            words += [f"--{name.replace('_', '-')}", str(getattr(arguments, name))]
    return shlex.join([*words, "--seed", str(arguments.seed)])


def facts(outcome: Outcome) -> dict[str, Any]:
    """The figures of a run, for JSON."""
    return {
        "command": outcome.command,
        "data": outcome.task.name,
        "seed": outcome.seed,
        "epochs": len(outcome.history),
        "test_accuracy": outcome.test_accuracy,
        "test_loss": outcome.test_loss,
        "seconds": round(outcome.seconds, 1),
        "parameters": sum(p.size for p in outcome.model.parameters()),
    }


def say(line: str) -> None:
    """Print at once, also where the output is a pipe."""
    print(line, flush=True)


def _from_files(name: str, download: bool) -> data.ImageSets:
    """The set of a name, or what a folder has: Fashion-MNIST, or any other set in four files of that kind."""
    if name == "mnist":
        return data.load_mnist(download=download)
    if name == "fashion-mnist":
        return data.load_fashion_mnist(download=download)
    if not Path(name).is_dir():
        raise FileNotFoundError(
            f"--data is {name}: no folder, and not one of digits, mnist and fashion-mnist"
        )
    try:
        return data.load_fashion_mnist(name, download=download)
    except FileFormatError:  # another set, with classes of other names
        return data.load_mnist(name)


def _ready(part: tuple[Any, Any], largest: int) -> tuple[Any, Any]:
    images, labels = part
    return (images[:, None] / np.float32(largest)).astype(np.float32), labels
