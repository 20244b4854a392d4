"""Every script in examples/ is short, runs by itself, in seconds, and says something.

Those that train have an option ``--small``, which needs no data besides what comes with the library.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
LIMIT_S = 60


def run(script: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", str(script), "--small"],
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TENSORGRAD_DATA": str(cwd),
        },
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_script(script: Path, tmp_path: Path) -> None:
    done = run(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert 2 <= len(done.stdout.splitlines()) <= 40
    assert not re.search(r"\bnan\b", done.stdout)
    for picture in tmp_path.glob("*.svg"):
        assert ET.parse(picture).getroot().tag.endswith("svg")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_scripts_are_short_and_introduce_themselves(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 100
    assert lines[0].startswith('"""')


def test_the_table_lists_each_script_once() -> None:
    table = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[\w+\.py\]\((\w+\.py)\)", table, re.MULTILINE)
    assert sorted(listed) == [script.name for script in SCRIPTS]


def test_a_failing_script_is_noticed(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("import tensorgrad as tg\ntg.tensor('text')\n", encoding="utf-8")
    assert run(script, tmp_path).returncode != 0


def test_micrograd_keeps_its_promise() -> None:
    """Eighty lines, and gradients that agree with ours to rounding."""
    script = ROOT / "examples" / "micrograd_in_80_lines.py"
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 80
    last = run(script, ROOT).stdout.splitlines()[-1]
    assert float(last.split()[-1]) < 1e-14
