"""``python -m tensorgrad graph``: every kind of target and ending, and what it says to mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tensorgrad import ir
from tensorgrad.cli import main

PROGRAM = """
import tensorgrad as tg
from tensorgrad import nn

w = tg.tensor([1.0, 2.0], requires_grad=True)
picture = tg.graph(w * 3, title="three")


def loss():
    h = tg.tanh(w * 2)
    return h.sum()


def product(x, y):
    return (x @ y).sum()


def mean(*xs):
    return sum(x.mean() for x in xs)


class Net(nn.Module):
    def __init__(self):
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.second(nn.functional.relu(self.first(x)))


class Sized(nn.Module):
    def __init__(self, n):
        self.n = n


net = Net()


def trains():
    value = net(tg.ones((2, 3))).sum()
    value.backward()
    return value


def bad():
    return w * tg.ones(3)


def arrays():
    return 3.0
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "drawn_program.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "drawn_program.py"


def graph_of(file: Path, *words: str) -> ir.Graph:
    target, *rest = words
    assert main(["graph", f"{file}:{target}", "-o", "out.json", *rest]) == 0
    return ir.from_json(Path("out.json").read_text(encoding="utf-8"))


def test_a_function_with_names_and_gradients(file: Path) -> None:
    found = graph_of(file, "loss")
    assert [e.op for e in found.equations] == ["multiply", "tanh", "sum"]
    assert [v.label for v in found.captured] == ["w"] and found.equations[1].outputs[0].label == "h"
    assert len(found.passes) == 1 and found.captured[0].index in found.passes[0].gradients
    assert not graph_of(file, "loss", "--forward").passes


def test_inputs_by_shape_and_by_number(file: Path) -> None:
    both = graph_of(file, "product", "--shape", "3,3")
    assert [v.shape for v in both.captured] == [(3, 3), (3, 3)]
    each = graph_of(file, "product", "--shape", "2,3", "--shape", "3,4", "--dtype", "float64", "--seed", "1")
    assert [(v.shape, v.dtype) for v in each.captured] == [((2, 3), "float64"), ((3, 4), "float64")]
    numbers = graph_of(file, "product", "--input", "[[1.0, 2.0]]", "--input", "[[3.0], [4.0]]")
    assert numbers.stats[numbers.outputs[0].index].values == (11.0,)
    assert len(graph_of(file, "mean", "--shape", "3", "--shape", "4").captured) == 2


@pytest.mark.parametrize("target", ["Net", "net"])
def test_a_model_or_its_class(file: Path, target: str) -> None:
    found = graph_of(file, target, "--shape", "1,3")
    assert [e.scope for e in found.equations] == ["Net/first", "Net", "Net/second"]
    assert len(found.passes) == 1


def test_a_function_that_goes_backward_itself_is_not_asked_to_again(file: Path) -> None:
    assert len(graph_of(file, "trains").passes) == 1


def test_a_picture_that_is_there_already(file: Path) -> None:
    assert [e.op for e in graph_of(file, "picture").equations] == ["multiply"]


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.html", "<!doctype html"),
        ("a.svg", "<"),
        ("a.dot", "digraph"),
        ("a.gv", "digraph"),
        ("a.mmd", "flowchart"),
        ("a.txt", ""),
        ("a.json", "{"),
    ],
)
def test_the_ending_says_what_is_written(file: Path, name: str, begins: str, capsys: Any) -> None:
    words = [
        "graph",
        f"{file}:loss",
        "-o",
        name,
        "--passes",
        "both",
        "--show",
        "shapes,time",
        "--title",
        "my loss",
    ]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"wrote {name}: 3 operations")
    written = Path(name).read_text(encoding="utf-8")
    assert written.lower().lstrip().startswith(begins) and "tanh" in written
    if name.endswith("json"):
        json.loads(written)
    else:
        assert "my loss" in written


def test_without_a_file_the_graph_is_printed(
    file: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["graph", f"{file}:loss"]) == 0
    said = capsys.readouterr().out
    assert "tanh" in said and "multiply" in said and max(map(len, said.splitlines())) <= 60


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["product"], "takes x, y, and 0 given; give --shape 3,4 for each"),
        (["loss", "--shape", "3"], "takes no arguments, and 1 given"),
        (["product", "--shape", "3", "--input", "1.0"], "either --input for each input, or --shape"),
        (["bad"], "raised ShapeError: multiply: a (2,) and b (3,) do not broadcast"),
        (["arrays"], "ran no operation on tensors"),
        (["lost"], "has no 'lost': did you mean loss?"),
        (["Sized"], "is a class whose objects need arguments"),
        (["loss", "-o", "a.xyz"], "-o a.xyz: the ending says what to write; it is one of .html, .svg"),
        (["loss", "-o", "missing/a.json"], "missing"),
        (["loss", "--depth", "-1", "-o", "a.svg"], "depth is -1"),
        (["loss", "--show", "colours", "-o", "a.svg"], "colours"),
        (["product", "--shape", "a"], "--shape takes sizes such as 3,4"),
    ],
)
def test_mistakes_are_said_in_one_line(file: Path, words: list[str], message: str, capsys: Any) -> None:
    assert main(["graph", f"{file}:{words[0]}", *words[1:]]) == 2
    said = capsys.readouterr().err
    assert said.startswith("tensorgrad graph: ") and message in said and len(said.splitlines()) == 1
    assert not list(Path().glob("a.*"))
