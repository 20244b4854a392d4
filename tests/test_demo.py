"""The demo: what it learns, draws, checks and says."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import demo
from tensorgrad.data import load_digits
from tensorgrad.demo import classifier, custom_op, pictures
from tensorgrad.demo.classifier import Epoch


@pytest.fixture(scope="module")
def digits() -> tuple[classifier.Examples, classifier.Examples]:
    return classifier.load()


def test_no_digit_is_both_learned_from_and_tested_on(digits: tuple[classifier.Examples, ...]) -> None:
    train, test = digits
    assert (len(train), len(test)) == (1437, 360)
    images, labels = load_digits()
    everything = np.concatenate([train.images, test.images])
    rows = np.column_stack([everything * 16, np.concatenate([train.labels, test.labels])])
    given = np.column_stack([images.reshape(-1, 64), labels])
    assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, given.tolist()))


def test_the_classifier_reads_97_percent_of_the_held_out_digits(
    digits: tuple[classifier.Examples, classifier.Examples],
) -> None:
    params, history = classifier.train(*digits, noise=0.2)
    assert history[-1].test_accuracy >= 0.97
    # The figures are those of the parameters that are handed out, found again with NumPy alone.
    w1, b1, w2, b2 = (params[name].numpy() for name in ("w1", "b1", "w2", "b2"))
    test = digits[1]
    read = (np.maximum(test.images @ w1 + b1, 0) @ w2 + b2).argmax(axis=1)
    assert (read == test.labels).mean() == pytest.approx(history[-1].test_accuracy)


def test_validation_looks_at_its_own_fifth_only(digits: tuple[classifier.Examples, ...]) -> None:
    train = digits[0][:500]
    spoiled = classifier.Examples(
        train.images, np.where(np.arange(500) < 400, train.labels, 9 - train.labels)
    )
    assert classifier.validate(train, 0.1, epochs=10) > 0.8
    assert classifier.validate(spoiled, 0.1, epochs=10) < 0.2


def test_one_step_is_gradient_descent_with_momentum(digits: tuple[classifier.Examples, ...]) -> None:
    batch = digits[0][:32]
    params = classifier.new_parameters(np.random.default_rng(0))
    momentum = {name: tg.zeros_like(parameter) for name, parameter in params.items()}
    before = {name: parameter.numpy().copy() for name, parameter in params.items()}

    def loss(values: classifier.Tensors) -> tg.Tensor:
        return classifier.cross_entropy(classifier.scores(values, batch.images), batch.labels)

    gradients = tg.grad(loss)(before)
    first = classifier.step(params, momentum, batch.images, batch.labels, rate=0.5)
    for name, parameter in params.items():
        np.testing.assert_allclose(
            parameter.numpy(), before[name] - 0.5 * gradients[name], rtol=1e-5, atol=1e-7
        )
    assert classifier.step(params, momentum, batch.images, batch.labels, rate=0.5).item() < first.item()


def test_the_drawn_step_is_the_one_that_trains(digits: tuple[classifier.Examples, ...]) -> None:
    batch = digits[0][: classifier.BATCH]
    graph = pictures.training_step(digits[0])
    assert {equation.direction for equation in graph.equations} == {"forward", "backward"}
    assert {write.slot for write in graph.writes} == {"data", "grad"}
    # Recording took a step, so what the replay returns is the loss of a second one.
    params = classifier.new_parameters(np.random.default_rng(0))
    momentum = {name: tg.zeros_like(parameter) for name, parameter in params.items()}
    classifier.step(params, momentum, batch.images, batch.labels, 0.1)
    second = classifier.step(params, momentum, batch.images, batch.labels, 0.1)
    np.testing.assert_allclose(graph(batch.images, batch.labels), second.numpy(), rtol=1e-5)


def test_the_checker_passes_the_op_and_names_what_is_wrong_with_the_other() -> None:
    assert custom_op.check(custom_op.swish) == ""
    said = custom_op.check(custom_op.wrong_swish)
    assert said.startswith("wrong_swish: ")
    assert re.search(r"x\[\d\]", said), "the entry is not named"
    worst = float(re.search(r"analytic +(\S+)", said)[1]), float(re.search(r"numeric +(\S+)", said)[1])  # type: ignore[index]
    entry = int(re.search(r"/ d x\[(\d)\]", said)[1])  # type: ignore[index]
    x = np.linspace(-3.0, 3.0, 7)[entry]
    s = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(worst, (x * s - (1 - x * s) * s, s + x * s * (1 - s)), rtol=1e-4)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


MEASURED = Epoch(0.5, 0.9, 0.6, 0.8125)


def test_progress_rewrites_one_line_on_a_terminal() -> None:
    stream = Terminal()
    report = demo.Progress(stream)
    for epoch in range(1, 41):
        report(epoch, 40, MEASURED)
    lines = stream.getvalue().split("\r")
    assert lines[0] == "" and len(lines) == 41
    assert len({len(line.rstrip("\n")) for line in lines[1:]}) == 1, "a shorter line leaves old text behind"
    assert max(map(len, lines)) < 80
    assert stream.getvalue().count("\n") == 1 and stream.getvalue().endswith("\n")
    assert "81.2 %" in lines[1]


def test_progress_is_a_few_plain_lines_in_a_log() -> None:
    stream = io.StringIO()
    report = demo.Progress(stream, every=10)
    for epoch in range(1, 26):
        report(epoch, 25, MEASURED)
    assert "\r" not in stream.getvalue()
    assert re.findall(r"epoch (\d+)/25", stream.getvalue()) == ["10", "20", "25"]


def test_the_whole_demo_writes_its_pictures_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    demo.main(Path("pictures"), epochs=2)
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) < 80
    said.encode("ascii")  # so that any terminal and any log can show it
    written = sorted(Path("pictures").iterdir())
    assert [path.name for path in written] == [
        "learning-curve.svg",
        "misread-digits.html",
        "training-step.svg",
    ]
    for path in written:
        assert str(path) in said
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".svg":
            assert ET.fromstring(text).tag.endswith("svg")
        else:
            HTMLParser().feed(text)
    shown = re.search(r"(\d+) of 360 digits misread", Path("pictures/misread-digits.html").read_text("utf-8"))
    right = re.search(r"(\d+) of 360\.", said)
    assert shown and right and int(shown[1]) + int(right[1]) == 360
