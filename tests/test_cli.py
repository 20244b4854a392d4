"""The command line, and what `env` says of the machine."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tensorgrad
import tensorgrad.demo
from tensorgrad import _environment
from tensorgrad.cli import main


def facts(text: str) -> dict[str, str]:
    """The report's lines as name and value."""
    rows = [line.partition("  ") for line in text.splitlines() if not line.startswith("warning")]
    return {name: value.strip() for name, _, value in rows}


def test_env_prints_versions_blas_and_cores(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env"]) == 0
    said = facts(capsys.readouterr().out)
    assert said["tensorgrad"] == tensorgrad.__version__
    assert said["Python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert said["NumPy"] == np.__version__
    assert np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"] in said["BLAS"]
    assert said["cores"].endswith(f"of {os.cpu_count()}")


def test_env_runs_as_a_module_from_another_folder(tmp_path: Path) -> None:
    root = str(Path(tensorgrad.__file__).parents[1])
    command = [sys.executable, "-m", "tensorgrad", "env"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert facts(done.stdout)["tensorgrad"] == tensorgrad.__version__


def test_both_ways_of_asking_the_blas_agree() -> None:
    pytest.importorskip("threadpoolctl")
    if asked := _environment._ask_openblas():
        assert asked[0] in _environment._blas_at_run_time()


def test_openblas_names_its_architecture_where_numpy_has_it() -> None:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    if "scipy-openblas" not in blas:
        pytest.skip(f"NumPy was built with {blas}")
    [(architecture, threads)] = _environment._ask_openblas()
    assert architecture.isalnum() and threads >= 1


def test_env_shows_thread_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    said = facts(_environment.report())
    assert said["OMP_NUM_THREADS"] == "3"
    assert said["MKL_NUM_THREADS"] == "not set"


@pytest.mark.parametrize("name", ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"])
def test_env_warns_of_variables_that_skew_timings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in _environment.SKEWING_VARIABLES:
        monkeypatch.delenv(other, raising=False)
    assert "warning" not in _environment.report()
    monkeypatch.setenv(name, "Haswell")
    assert f"warning: {name}=Haswell is set" in _environment.report().splitlines()[-1]


STATED = [
    "numpy>=2.1",
    'llvmlite>=0.43; extra == "jit"',
    "there-is-none>=1; extra == 'viz'",
    'tensorgrad[testing]; extra == "dev"',
    'pytest>=8; python_version > "3" and extra == "dev"',
]


def test_extras_are_those_of_the_metadata_found_or_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"numpy": "2.4.6", "pytest": "9.2.0"}

    def version(name: str) -> str:
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(importlib.metadata, "requires", lambda name: STATED)
    monkeypatch.setattr(importlib.metadata, "version", version)
    said = facts(_environment.report())
    assert said["required"] == "numpy 2.4.6"
    assert said["extra jit"] == "llvmlite missing"
    assert said["extra viz"] == "there-is-none missing"
    assert said["extra dev"] == "pytest 9.2.0"


def test_env_says_so_where_the_package_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert "not installed here" in facts(_environment.report())["extras"]


@pytest.mark.parametrize(("words", "folder"), [([], "tensorgrad-demo"), (["--out", "here"], "here")])
def test_demo_gets_the_folder(words: list[str], folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(tensorgrad.demo, "main", given.append)
    assert main(["demo", *words]) == 0
    assert given == [Path(folder)]


def test_version_and_wrong_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"tensorgrad {tensorgrad.__version__}\n"
    with pytest.raises(SystemExit, match="2"):
        main(["dance"])
    assert "choose from" in capsys.readouterr().err
