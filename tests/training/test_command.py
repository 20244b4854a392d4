"""``python -m tensorgrad train``: what it writes, how it goes on, and what it refuses."""

from __future__ import annotations

import gzip
import json
import shutil
import struct
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import metrics
from tensorgrad.cli import main
from tensorgrad.training import command
from tensorgrad.training.recipes import RECIPES


class Tags(HTMLParser):
    """Checks that what is opened is closed, and keeps headings."""

    VOID = frozenset({"meta", "br", "img", "link", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


WORDS = ["train", "--data", "digits", "--model", "mlp", "--epochs", "2", "--limit", "320", "--out"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("train") / "run"
    assert main([*WORDS, str(out)]) == 0
    return out


def files(folder: Path) -> dict[str, Any]:
    rows = (folder / "history.csv").read_text(encoding="utf-8")
    return {name: value.tolist() for name, value in tg.load(folder / "model.safetensors").items()} | {
        "": rows
    }


def test_a_run_leaves_a_report_figures_and_weights(finished: Path) -> None:
    report = Tags((finished / "report.html").read_text(encoding="utf-8"))
    assert report.headings == [
        "Learning curves", "What is taken for what", "By class", "Surest mistakes", "The model", "To repeat it",
    ]  # fmt: skip
    result = json.loads((finished / "result.json").read_text(encoding="utf-8"))
    assert (
        result["command"]
        == "python -m tensorgrad train --data digits --model mlp --epochs 2 --limit 320 --seed 0"
    )
    assert (result["data"], result["epochs"], result["seed"]) == ("digits", 2, 0)

    recipe = RECIPES["mlp"]
    task = command.scaled(command.load("digits", 320), recipe)
    model = recipe.model((1, 8, 8), 10, np.random.default_rng(7))
    model.load_state_dict(tg.load(finished / "model.safetensors"))
    measured = tg.evaluate(model, task.test, metrics={"accuracy": metrics.Accuracy()})
    assert measured["accuracy"] == result["test_accuracy"] > 0.5


def test_a_run_that_was_cut_goes_on_bit_for_bit(finished: Path, tmp_path: Path, capsys: Any) -> None:
    cut = tmp_path / "run"
    shutil.copytree(finished, cut)
    for name in ("result.json", "report.html", "model.safetensors", "history.csv"):
        (cut / name).unlink()
    newest = max((cut / "checkpoints").iterdir())
    newest.unlink()
    assert main([*WORDS, str(cut)]) == 2
    assert "has a run that has not come to its end; go on with it by --resume" in capsys.readouterr().err
    assert main([*WORDS, str(cut), "--resume"]) == 0
    assert "going on after epoch 1" in capsys.readouterr().out
    assert files(cut) == files(finished)
    assert main([*WORDS, str(cut), "--resume"]) == 0  # there is nothing left to train
    assert files(cut) == files(finished)
    assert main([*WORDS, str(cut), "--resume", "--seed", "1"]) == 2
    assert (
        "is another one, repeat its command: python -m tensorgrad train --data digits"
        in capsys.readouterr().err
    )
    assert main([*WORDS, str(cut), "--epochs", "1"]) == 0  # a finished run makes way
    assert len(list((cut / "checkpoints").iterdir())) == 1


def write_idx(folder: Path, images: Any, labels: Any, name: str) -> None:
    for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
        head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        with gzip.open(folder / f"{name}-{kind}-ubyte.gz", "wb") as file:
            file.write(head + array.astype(np.uint8).tobytes())


def test_a_folder_of_idx_files_is_data(tmp_path: Path, capsys: Any) -> None:
    draws = np.random.default_rng(0)
    for name, count in (("train", 40), ("t10k", 20)):
        labels = np.arange(count) % 10
        write_idx(tmp_path, draws.integers(0, 255, (count, 28, 28)), labels, name)
    out = tmp_path / "out"
    words = ["train", "--data", str(tmp_path), "--model", "book", "--epochs", "1", "--limit", "32"]
    assert main([*words, "--out", str(out)]) == 0
    assert "32 images to learn from, 20 for the test" in capsys.readouterr().out
    assert json.loads((out / "result.json").read_text(encoding="utf-8"))["data"] == tmp_path.name
    assert tg.load(out / "model.safetensors")["5.weight"].shape == (10, 128)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(b"no gzip")
    assert main([*words, "--out", str(out)]) == 2
    assert "t10k-labels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--data", "nowhere"],
            "--data is nowhere: no folder, and not one of digits, mnist and fashion-mnist",
        ),
        (["--out", __file__], "a file; a folder is needed"),
        (["--epochs", "0"], "--epochs is 0; at least 1"),
        (["--limit", "0"], "--limit is 0"),
        (["--batch-size", "-3"], "--batch-size is -3"),
        (["--lr", "nan"], "--lr is nan; a number above 0"),
        (["--seed", "-1"], "-1 given"),
        (["--resume"], "no checkpoint"),
    ],
)
def test_what_cannot_be_used_is_said(words: list[str], message: str, tmp_path: Path, capsys: Any) -> None:
    assert main(["train", "--epochs", "1", "--limit", "64", "--out", str(tmp_path / "run"), *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("tensorgrad train: ")
    assert message in said
    assert len(said.splitlines()) == 1


def test_images_without_anything_on_them_stay_finite() -> None:
    task = command.load("digits", 10)
    blank = command.replace(task, train=(np.zeros_like(task.train[0]), task.train[1]))
    assert np.isfinite(command.scaled(blank, RECIPES["mlp"]).test[0]).all()
