"""What ships with the package, what an import loads, and that what the README shows runs."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import tensorgrad
from tensorgrad.data import load_digits

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_digits_are_the_uci_test_set() -> None:
    images, labels = load_digits()
    assert images.shape == (1797, 8, 8) and images.dtype == np.uint8
    assert labels.shape == (1797,) and labels.dtype == np.int64
    assert (images.min(), images.max()) == (0, 16)
    # The counts that UCI publishes for optdigits.tes.
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    digest = hashlib.sha256(images.tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    assert digest == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_digits_are_fresh_arrays() -> None:
    images, labels = load_digits()
    images[:] = 0
    labels[:] = 0
    assert load_digits()[0].any() and load_digits()[1].any()


def test_digits_are_small_and_py_typed_is_there() -> None:
    assert len(files("tensorgrad.data").joinpath("digits.npz").read_bytes()) < 60_000
    assert files("tensorgrad").joinpath("py.typed").is_file()


def modules_after(statement: str) -> set[str]:
    """What is in sys.modules of a new process after one statement."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_loads_numpy_the_standard_library_and_itself_only() -> None:
    new = modules_after("import tensorgrad") - modules_after("import numpy")
    packages = {name.partition(".")[0] for name in new}
    assert packages - sys.stdlib_module_names == {"tensorgrad"}


def test_import_leaves_subpackages_for_later() -> None:
    later = {"nn", "optim", "viz", "testing", "data", "demo", "cli", "_environment"}
    loaded = {name.removeprefix("tensorgrad.") for name in modules_after("import tensorgrad")}
    assert not later & loaded


def test_env_imports_no_extra() -> None:
    new = modules_after("from tensorgrad._environment import report; report()")
    assert not {"torch", "sklearn", "matplotlib", "onnx", "pygraphviz", "llvmlite", "pytest"} & new


def test_requirements_are_the_promised_ones() -> None:
    project = PROJECT["project"]
    assert project["requires-python"] == ">=3.11"
    required = {re.split(r"[<>=]", one)[0] for one in project["dependencies"]}
    assert required == {"numpy", "graphviz", "safetensors"}
    promised = {"jit", "testing", "viz", "onnx", "sklearn", "plot", "tensorboard", "peers", "dev"}
    assert promised <= set(project["optional-dependencies"])


def test_version_is_stated_once() -> None:
    stated = re.search(r'^__version__ = "(.+)"$', (ROOT / "tensorgrad" / "_version.py").read_text(), re.M)
    assert stated and tensorgrad.__version__ == stated[1]
    assert "version" in PROJECT["project"]["dynamic"]
    assert f"## {stated[1]}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def blocks(page: str) -> list[str]:
    """The Python blocks of a page, in order."""
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)


def test_readme_code_runs(tmp_path: Path) -> None:
    code = blocks("README.md")
    assert len(code) >= 2
    script = tmp_path / "readme.py"
    script.write_text("\n".join(code), encoding="utf-8")
    command = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_make_targets_that_pages_name_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"\bmake (?:[A-Z_]+=\S+ )*([a-z-]+)", "\n".join(code_of(page))))
    assert named and named <= targets


def code_of(page: str) -> list[str]:
    """What a page sets in code: fenced blocks and words between backquotes."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"```.*?```|`[^`\n]+`", text, re.S)
