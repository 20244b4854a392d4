"""``python -m tensorgrad gradcheck``: what it finds by name, which inputs it takes, what it prints, how it ends."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tensorgrad
from tensorgrad.cli import main
from tensorgrad.testing import CLAUSES, command
from tensorgrad.testing.choose import Unusable, required

MODEL = """
import numpy as np
import tensorgrad as tg

@tg.elementwise
def cube(x):
    return x * x * x

cube.derivative(x=lambda x: 2 * x * x)

def model(x, w):
    h = tg.tanh(x @ w)
    return (cube(h) * 2).sum()

def right(x, axis=0):
    return tg.softmax(x, axis=axis)

def scaled(x, factor, *, shift):
    return tg.sqrt(x) * factor + shift

class Square(tg.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * x * g

class Layers:
    class inner:
        @staticmethod
        def double(x):
            return x * 2

def log_of_fraction(x):
    return tg.log(x) + tg.log(1 - x)

def three(x: tg.Tensor, w, b):
    assert b.ndim == 1
    return x @ w + b

def picky(x):
    raise ValueError("only on Sundays")

def whole(x):
    return tg.sum(x > 0)

def both(a, b):
    return a * b

def both_vjp(inputs, y, g):
    a, b = inputs
    return g * b, g * a

def both_wrong(inputs, y, g):
    a, b = inputs
    return g * b, -g * a

data = [np.array([[0.5, 1.0]]), np.array([[2.0], [3.0]])]

def make():
    return data

class Config:
    pass

number = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module in it, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (tmp_path / "model_of_test.py").write_text(MODEL, encoding="utf-8")
    return tmp_path


class Outcome:
    """The exit status of a command and what it printed."""

    def __init__(self, line: str) -> None:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            self.status = main(["gradcheck", *shlex.split(line)])
        self.out, self.err = out.getvalue(), err.getvalue()

    @property
    def report(self) -> Any:
        return json.loads(self.out)


# ---- what is checked


@pytest.mark.parametrize(
    "target",
    [
        "model_of_test:right",
        "model_of_test.py:right",
        "./model_of_test.py:right",
        "model_of_test:Square",
        "model_of_test:Square.apply",
        "model_of_test:Layers.inner.double",
        "tensorgrad:matmul",
        "tensorgrad.special:erf",
    ],
)
@pytest.mark.usefixtures("folder")
def test_right_gradients_end_with_0(target: str) -> None:
    done = Outcome(target)
    assert done.status == 0 and not done.err
    assert ": right in 14 clauses" in done.out.split("\n")[0]


@pytest.mark.usefixtures("folder")
def test_a_wrong_gradient_ends_with_1_and_names_line_and_source() -> None:
    done = Outcome("model_of_test.py:model")
    assert done.status == 1 and not done.err
    lines = done.out.split("\n")
    assert lines[0] == "model: wrong in 1 of 12 clauses; look at cube, model_of_test.py:13"
    assert lines[1] == "  x: float64[2, 3], w: float64[3, 4]"
    assert "    return (cube(h) * 2).sum()" in lines


@pytest.mark.usefixtures("folder")
def test_what_is_printed_repeats_the_check() -> None:
    done = Outcome("model_of_test:model --clause derivative")
    again = next(line for line in done.out.split("\n") if "# or: " in line).partition(
        "tensorgrad gradcheck "
    )[2]
    assert again == "model_of_test:model --shape 2,3 --shape 3,4 --seed 0 --clause derivative"
    first, second = [
        Outcome(f"{line} --json").report for line in ("model_of_test:model --clause derivative", again)
    ]
    assert first["findings"] == second["findings"]
    code = first["reproducer"].partition("\n\n# or:")[0]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(code, {})
    assert said.getvalue().split("\n")[0] == done.out.split("\n")[0]


@pytest.mark.usefixtures("folder")
def test_numpy_pairs() -> None:
    assert Outcome("model_of_test:both --vjp both_vjp").status == 0
    done = Outcome("model_of_test:both --vjp model_of_test:both_wrong")
    assert done.status == 1 and "sign flipped" in done.out
    assert "check_vjp(both, both_wrong, [a, b])" in done.out


def test_files_in_packages_and_files_whose_names_are_taken(folder: Path) -> None:
    package = folder / "pack_of_test" / "sub"
    package.mkdir(parents=True)
    for name in (package.parent, package):
        (name / "__init__.py").write_text("", encoding="utf-8")
    (package.parent / "base.py").write_text("factor = 2\n", encoding="utf-8")
    (package / "deep.py").write_text(
        "from ..base import factor\ndef f(x): return x * factor\n", encoding="utf-8"
    )
    (folder / "json.py").write_text("def f(x): return x * 3\n", encoding="utf-8")
    assert Outcome("pack_of_test/sub/deep.py:f").status == 0
    assert Outcome("pack_of_test.sub.deep:f").status == 0
    assert Outcome("json.py:f").status == 0


# ---- inputs


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "inputs"),
    [
        ("right", ["x: float64[2, 3]"]),
        ("right --dtype float32", ["x: float32[2, 3]"]),
        ("right --shape 4", ["x: float64[4]"]),
        ("both --shape '()'", ["a: float64[]", "b: float64[]"]),
        ("both --shape '' --shape 2,3", ["a: float64[]", "b: float64[2, 3]"]),
        ("three", ["x: float64[2, 3]", "w: float64[3, 4]", "b: float64[4]"]),
        ("both --dtype complex128 --clause derivative", ["a: complex128[2, 3]", "b: complex128[2, 3]"]),
        ("both --input [[1.0,2.0]] --input 3", ["a: float64[1, 2]", "b: float64[]"]),
        ("both --inputs model_of_test:data", ["a: float64[1, 2]", "b: float64[2, 1]"]),
        ("both --inputs model_of_test:make --fast", ["a: float64[1, 2]", "b: float64[2, 1]"]),
        ("scaled --set shift=2 --set factor=3", ["x: float64[2, 3]"]),
    ],
)
def test_inputs(line: str, inputs: list[str]) -> None:
    done = Outcome(f"model_of_test:{line} --json")
    assert done.status == 0, done.err
    assert done.report["inputs"] == inputs
    assert done.report["mode"] == ("fast" if "--fast" in line else "full")


@pytest.mark.usefixtures("folder")
def test_numbers_are_moved_into_the_domain_and_the_report_says_so() -> None:
    done = Outcome("model_of_test:log_of_fraction")
    assert done.status == 0
    assert "the inputs were chosen: numbers from 0.1 to 0.9 of shape (2, 3), seed 0" in " ".join(
        done.out.split()
    )
    assert "the inputs were chosen" not in Outcome("model_of_test:right --shape 2").out


@pytest.mark.usefixtures("folder")
def test_low_high_and_seed() -> None:
    lines = [
        f"model_of_test:log_of_fraction --shape 2 --low 0.5 --high 0.6 --seed {n} --json" for n in (1, 1, 2)
    ]
    found = [Outcome(line).report["reproducer"] for line in lines]
    assert found[0] == found[1] != found[2] and found[0].count("0.5") >= 2


def test_parameters() -> None:
    def names(f: Any) -> list[str]:
        return [one.name for one in required(f)]

    assert names(lambda x, w, b=0, *rest, c=1, **more: x) == ["x", "w"]
    assert names(lambda *xs: xs) == ["xs_0", "xs_1"]
    for f in (lambda: 0, lambda x, *, k: x, lambda a=1: a):
        with pytest.raises(Unusable, match=r"--set k=|nothing to differentiate in"):
            required(f)

    def annotated(x: Any, axis: int) -> Any: ...

    with pytest.raises(Unusable, match="--set axis="):
        required(annotated)


# ---- what cannot be checked


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "name a function: package.module:function"),
        (
            "model_of_test",
            "'model_of_test' names no function; write model_of_test:function. Its functions are: cube",
        ),
        (":f", "':f' names no module"),
        ("model_of_test:modle", "did you mean model or whole?"),
        ("model_of_test:Layers.outer", "Layers has no 'outer': it has inner"),
        ("model_of_test:number", "is of type int, not a function"),
        ("model_of_test:Config", "is a class; name a function"),
        ("no_such_module:f", "there is no module no_such_module"),
        ("no_such_file.py:f", "there is no file no_such_file.py"),
        ("model_of_test:picky", "ValueError: only on Sundays (model_of_test.py:46)"),
        (
            "model_of_test:picky --shape 2",
            "the inputs are refused, with normal numbers of shape (2,): ValueError",
        ),
        ("model_of_test:picky --input 2", "refuses its inputs: ValueError: only on Sundays"),
        ("model_of_test:whole", "it returns nothing floating"),
        ("model_of_test:scaled", "give it by --set shift=..."),
        ("model_of_test:scaled --set shift", "--set takes NAME=VALUE"),
        ("model_of_test:both --vjp number", "is of type int, not a function"),
        ("model_of_test:both --shape 2 --shape 2 --shape 2", "3 shapes are given for 2 inputs (a, b)"),
        ("model_of_test:both --shape 2,a", "--shape takes sizes such as 3,4"),
        ("model_of_test:both --input __import__('os')", "is no literal"),
        ("model_of_test:both --input 1 --inputs model_of_test:data", "not both"),
        ("model_of_test:both --input 1 --shape 1", "not both"),
        ("model_of_test:both --inputs model_of_test:picky", "picky() raised TypeError"),
        ("model_of_test:log_of_fraction --low 2 --high 3", "not finite at these inputs"),
        ("model_of_test:right --dtype int64", "--dtype int64: gradients belong to floating and complex"),
        ("model_of_test:right --dtype nope", "--dtype nope: "),
        (
            "model_of_test:right --clause derivatives",
            "there is no clause 'derivatives'; did you mean 'derivative'?",
        ),
    ],
)
def test_what_cannot_be_checked_ends_with_2_and_says_why(line: str, said: str) -> None:
    done = Outcome(line)
    assert done.status == 2 and not done.out
    assert said in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "import numpy\n\nimport no_such_package\n",
            "ModuleNotFoundError: No module named 'no_such_package' (broken.py:3)",
        ),
        ("def f(:\n", "SyntaxError: "),
        ("import sys\nsys.exit('bye')\n", "SystemExit: bye (broken.py:2)"),
        ("def g():\n    return 1 / 0\ng()\n", "ZeroDivisionError: division by zero (broken.py:2)"),
    ],
)
def test_a_module_that_raises_is_told_apart_from_one_that_is_missing(
    folder: Path, text: str, said: str
) -> None:
    (folder / "broken.py").write_text(text, encoding="utf-8")
    done = Outcome("broken.py:f")
    assert done.status == 2
    assert f"broken.py cannot be imported: {said}" in done.err and "(broken.py:" in done.err


def test_a_failure_of_the_check_itself_is_no_verdict(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: Any, **options: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(command, "check", fails)
    done = Outcome("model_of_test:right")
    assert done.status == 2 and "Traceback" in done.err and "the check itself failed" in done.err


# ---- what is printed


def test_the_clauses_are_listed() -> None:
    done = Outcome("--list-clauses")
    assert done.status == 0
    assert [line.partition("  ")[0] for line in done.out.splitlines()] == list(CLAUSES)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_on_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert command.coloured(Terminal()) and not command.coloured(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not command.coloured(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not command.coloured(Terminal())


def test_a_stream_that_lacks_characters_gets_what_it_can_show(folder: Path) -> None:
    (folder / "greek.py").write_text(
        "import model_of_test as m\ndef f(x): return m.cube(x) # δ\n", encoding="utf-8"
    )
    root = str(Path(tensorgrad.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "PYTHONIOENCODING": "ascii", "COLUMNS": "70"}
    line = [sys.executable, "-m", "tensorgrad", "gradcheck", "greek.py:f", "--clause", "derivative"]
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "return m.cube(x) # \\u03b4" in done.stdout
    page = done.stdout.partition("repeat it:")[0].split("\n")
    assert max(map(len, page[1:])) <= 70
