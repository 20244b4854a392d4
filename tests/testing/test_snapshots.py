"""`assert_graph_matches`: golden files of graphs, and the options of the pytest plugin for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.testing import assert_graph_matches
from tensorgrad.testing.snapshots import file_name, snapshot, unused

ROOT = Path(__file__).parents[2]

TESTS = """
import tensorgrad as tg
from tensorgrad.testing import assert_graph_matches
from helper import checked

OP = tg.{op}

def test_one():
    assert_graph_matches(tg.trace(lambda x: OP(x).sum(), tg.ones(3)), "one")

def test_through_a_helper():
    checked(tg.trace(OP, tg.ones(2)))
"""


def loss(x: Any) -> Any:
    with tg.scope("head"):
        return (tg.tanh(x) * 2).sum(axis=0)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "TENSORGRAD_UPDATE_GRAPHS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("plain")
def test_a_missing_file_is_written_and_a_change_fails(tmp_path: Path) -> None:
    graph = tg.trace(loss, tg.ones(3))
    assert_graph_matches(graph, "loss", folder=tmp_path)
    assert (tmp_path / "loss.txt").read_text() == snapshot(graph)
    assert_graph_matches(graph, "loss", folder=tmp_path)
    other = tg.trace(lambda x: tg.relu(loss(x)), tg.ones(3))
    with pytest.raises(AssertionError) as caught:
        assert_graph_matches(other, "loss", folder=tmp_path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "the graph 'loss' is not the accepted one"
    assert "+relu1: float32[] = relu(sum1)" in lines and "-return sum1" in lines and "+return relu1" in lines
    assert "pytest --update-graphs" in lines[-1] and "TENSORGRAD_UPDATE_GRAPHS=1" in lines[-1]
    assert (tmp_path / "loss.txt").read_text() == snapshot(graph), "a failure changes nothing"
    assert_graph_matches(other, "loss", folder=tmp_path, update=True)
    assert_graph_matches(other, "loss", folder=tmp_path)


@pytest.mark.usefixtures("plain")
def test_in_ci_a_missing_file_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    graph = tg.trace(loss, tg.ones(3))
    with pytest.raises(AssertionError, match="has no accepted file, and in CI none is written"):
        assert_graph_matches(graph, "loss", folder=tmp_path)
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("TENSORGRAD_UPDATE_GRAPHS", "1")
    assert_graph_matches(graph, "loss", folder=tmp_path)
    assert (tmp_path / "loss.txt").exists()


def test_the_text_names_variables_by_their_ops() -> None:
    assert snapshot(tg.trace(loss, tg.ones(3))) == (
        "x: float32[3] = input\n"
        "tanh1: float32[3] = tanh(x)  # head\n"
        "multiply1: float32[3] = multiply(tanh1, 2)  # head\n"
        "sum1: float32[] = sum(multiply1, axis=0)  # head\n"
        "return sum1\n"
    )


def test_what_changes_from_run_to_run_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    def run(scale: float) -> Any:
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        with tg.record() as found:
            loss(x * tg.tensor([scale, 1.0])).backward()
        return found

    first, second = run(1.0), run(2.0)
    assert_graph_matches(first, "run", folder=tmp_path, update=True)
    assert_graph_matches(second, "run", folder=tmp_path, update=False)
    assert "test_snapshots.py:" in snapshot(first.graph, ["positions"])
    assert "test_snapshots.py:" not in snapshot(first.graph) and "norm" not in snapshot(first.graph)
    assert_graph_matches(first, "values", folder=tmp_path, update=True, include=["values"])
    with pytest.raises(AssertionError, match="norm"):
        assert_graph_matches(second, "values", folder=tmp_path, update=False, include=["values"])
    with pytest.raises(ValueError, match=r"include has \['times'\]"):
        assert_graph_matches(first, "run", folder=tmp_path, include=["times"])
    with pytest.raises(TypeError, match=r"assert_graph_matches: what is a function; .* traced"):
        assert_graph_matches(loss, "run", folder=tmp_path)


@given(st.lists(st.text(max_size=30), min_size=2, max_size=6, unique=True))
def test_names_are_safe_and_told_apart(names: list[str]) -> None:
    files = [file_name(name) for name in names]
    assert len(set(files)) == len(names)
    for file in files:
        assert file and len(file) <= 100 and file[0] != "." and not set(file) & set('/\\:*?"<>|\n\x00 %')
        assert file.isascii() and file.lower() not in ("con", "nul", "aux", "prn", "com1")


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", "con", "NUL.txt", "a" * 300, "ends.", "\ud800"]
)
def test_hostile_names(name: str, tmp_path: Path) -> None:
    path = (tmp_path / f"{file_name(name)}.txt").resolve()
    assert path.parent == tmp_path.resolve() and len(path.name) < 120 and path.stem.lower() != "con"


def pytest_run(folder: Path, *options: str, **environment: str) -> str:
    env = {k: v for k, v in os.environ.items() if k not in ("CI", "TENSORGRAD_UPDATE_GRAPHS")}
    env |= {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        **environment,
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "pytest_tensorgrad",
        "-q",
        "-p",
        "no:cacheprovider",
        *options,
    ]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout + done.stderr


def test_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(
        "from tensorgrad.testing import assert_graph_matches\n"
        "def checked(graph):\n    assert_graph_matches(graph, 'by a helper')\n"
    )
    test = tmp_path / "test_user.py"
    test.write_text(TESTS.format(op="exp"))
    assert "2 failed" in pytest_run(tmp_path, CI="1")
    assert "2 passed" in pytest_run(tmp_path)
    folder = tmp_path / "__graphs__" / "test_user"
    assert sorted(path.name for path in folder.iterdir()) == [f"{file_name('by a helper')}.txt", "one.txt"]

    test.write_text(TESTS.format(op="sin"))
    output = pytest_run(tmp_path)
    assert "2 failed" in output and "+sin1: float32[3] = sin(x)" in output and "--update-graphs" in output
    assert "snapshots.py" not in output.replace("test_snapshots", ""), "no line of ours in the traceback"
    (folder / "old.txt").write_text("")
    output = pytest_run(tmp_path, "--update-graphs")
    assert "2 passed" in output and "old.txt" not in output
    output = pytest_run(tmp_path, "--unused-graphs", CI="1")
    assert "2 passed" in output and "one.txt" not in output
    assert f"no test asked for the graph {folder / 'old.txt'}" in output


def test_unused_looks_only_into_folders_of_graphs(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("")
    assert unused([tmp_path / "asked.txt"]) == []
