"""The gallery in docs/ is what its program makes now."""

from __future__ import annotations

import importlib.util
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "docs" / "gallery"
SOON_MADE = ("neuron", "modules_folded", "explain")


@pytest.fixture(scope="module")
def gallery() -> Any:
    path = FOLDER.parents[1] / "tools" / "gallery.py"
    spec = importlib.util.spec_from_file_location("gallery", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Data classes look up their module by name.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "gallery", module)
        spec.loader.exec_module(module)
    return module


def test_files_are_those_that_the_program_writes(gallery: Any) -> None:
    made = dict(gallery.made(set(SOON_MADE)))
    assert len(made) == len(SOON_MADE) + 1
    for name, text in made.items():
        assert text == (FOLDER / name).read_text(encoding="utf-8"), f"{name}: run `make gallery`"


def test_pages_are_current(gallery: Any) -> None:
    assert gallery.page() == (FOLDER / "README.md").read_text(encoding="utf-8"), "run `make gallery`"
    assert gallery.sheet() == (FOLDER / "both.html").read_text(encoding="utf-8"), "run `make gallery`"


def test_every_picture_is_there_and_of_a_size_to_keep(gallery: Any) -> None:
    _, entries = gallery.entries()
    files = [file for file in FOLDER.iterdir() if file.is_file()]
    assert len(entries) >= 20 and all(entry.heading and entry.words and entry.code for entry in entries)
    assert {file.stem for file in files if file.suffix in {".svg", ".txt", ".mmd"}} <= {
        e.name for e in entries
    }
    assert max(file.stat().st_size for file in files) < 1_000_000
    assert sum(file.stat().st_size for file in files) < 2_000_000
    for file in files:
        if file.suffix == ".svg":
            assert ET.parse(file).getroot().tag.endswith("svg")
            assert "prefers-color-scheme:dark" in file.read_text(encoding="utf-8")


def test_nothing_of_the_machine_is_in_the_files(gallery: Any) -> None:
    home = str(FOLDER.parents[1])
    for file in FOLDER.glob("*.*"):
        if file.suffix in {".svg", ".html", ".txt", ".md", ".json"}:
            assert home not in file.read_text(encoding="utf-8"), file.name


def test_times_are_kept(gallery: Any, tmp_path: Path) -> None:
    """A picture has the times of the file, whatever this machine takes."""
    name, kept = "cost", json.loads((FOLDER / "times.json").read_text(encoding="utf-8"))
    kept[name][0] = [0.125 for _ in kept[name][0]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "TIMES", tmp_path / "times.json")
        gallery.TIMES.write_text(json.dumps(kept), encoding="utf-8")
        (_, picture), (_, times) = gallery.made({name})
    assert picture.count(">125 ms<") == len(kept[name][0]) and json.loads(times) == kept
