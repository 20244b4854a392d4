"""The pytest plugin, in runs of pytest of its own: as it is for users, whether it is installed or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).parents[2]

CHECKS = """
import numpy as np
import pytest
import tensorgrad as tg
from tensorgrad.testing import Domain, opcheck

@tg.elementwise
def cube(x):
    return x * x * x

cube.derivative(x=lambda x: 2 * x * x)

def test_right(gradcheck):
    assert gradcheck(lambda x: tg.tanh(x) * x, np.array([0.5, 1.0])).ok

def test_wrong(gradcheck):
    gradcheck(cube, np.array([1.0, 2.0]))

def test_pair(gradcheck):
    gradcheck(lambda x: x**3, 2.0, vjp=lambda inputs, y, g: 3 * inputs[0] ** 2 * g)

@opcheck(domain=Domain(-3, 3), max_examples=10, seed=0)
def test_sine(x):
    return tg.sin(x)

@pytest.mark.filterwarnings("error")
@opcheck(max_examples=10, seed=0)
def test_cube(x):
    "Of a number."
    return cube(x)

class TestMethods:
    power = 2

    @opcheck(max_examples=5, seed=0)
    def test_method(self, x):
        return tg.exp(x) ** self.power

def test_nothing():
    pass
"""


def pytest_run(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a file with this text, with our plugin and no others that may be installed."""
    file = folder / "test_user.py"
    file.write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [
        sys.executable, "-m", "pytest", "-p", "pytest_tensorgrad", "-p", "no:cacheprovider",
        "-c", os.devnull, "--rootdir", str(folder), *options, str(file),
    ]  # fmt: skip
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_run_shows_what_is_wrong_and_counts(tmp_path: Path) -> None:
    """With workers, which send what they found to the main process."""
    done = pytest_run(tmp_path, CHECKS, "--junit-xml=report.xml", "-W", "error", "-p", "xdist", "-n", "2")
    out = done.stdout
    assert "tensorgrad: 6 gradients checked, 2 wrong" in out and "2 failed, 5 passed" in out, (
        out + done.stderr
    )
    # The report as text, at the line of the test, without a frame of ours.
    assert ">       gradcheck(cube, np.array([1.0, 2.0]))" in out
    assert "the gradient of x is wrong in 2 of 2 entries" in out and "diagnosis" in out
    assert "pytest_tensorgrad.py" not in out and "opcheck.py" not in out and "hypothesis" not in out
    assert "print(check(" in out, "code that repeats it"
    # The reports are in the XML, and a test without a check has none.
    found: dict[str, list[bool]] = {}
    for case in xml.etree.ElementTree.parse(tmp_path / "report.xml").iter("testcase"):
        values = [p.get("value") for p in case.iter("property") if p.get("name") == "tensorgrad"]
        found[str(case.get("name"))] = [json.loads(str(value))["ok"] for value in values]
    assert found == {
        "test_right": [True], "test_wrong": [False], "test_pair": [True], "test_sine": [True],
        "test_cube": [False], "test_method": [True], "test_nothing": [],
    }  # fmt: skip


def test_thorough_checks_more(tmp_path: Path) -> None:
    text = """
from tensorgrad.testing import Domain, opcheck

def test_counted():
    print("counted", opcheck(lambda x: x * x, domain=Domain(-3, 3), max_examples=3, seed=0).examples)
"""
    out = pytest_run(tmp_path, text, "-s", "--tensorgrad-thorough").stdout
    assert "counted 30" in out and "tensorgrad: 1 gradient checked, 0 wrong" in out, out


def test_nothing_is_imported_and_nothing_is_said_where_nothing_is_checked(tmp_path: Path) -> None:
    text = """
import sys

def test_that_has_nothing_to_do_with_it():
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert "pytest_tensorgrad" in loaded
    assert not {"tensorgrad", "numpy", "hypothesis"} & loaded
"""
    done = pytest_run(tmp_path, text)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "tensorgrad:" not in done.stdout
    assert (
        "A function that fails the test if a gradient is wrong"
        in pytest_run(tmp_path, "", "--fixtures").stdout
    )


def test_the_package_announces_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["entry-points"]["pytest11"] == {"tensorgrad": "pytest_tensorgrad"}
    targets = project["tool"]["hatch"]["build"]["targets"]
    for target in ("wheel", "sdist"):
        assert "pytest_tensorgrad.py" in targets[target]["only-include"]
