"""Does the package work when it is installed, and not only where it is written?

Builds the source archive and from it the wheel, installs the wheel in a new environment that has nothing
else, and there imports it, looks for its data files, prints `env` and runs the demo, with warnings as
errors. Nothing is left behind.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

INSTALLED = """
import pathlib, sys
from importlib import metadata

import tensorgrad
from tensorgrad.data import load_digits

place = pathlib.Path(tensorgrad.__file__).resolve().parent
new = pathlib.Path(sys.prefix).resolve()
assert new in place.parents, f"imported from {place}, which is not in the new environment"
assert tensorgrad.__version__ == metadata.version("tensorgrad")
assert (place / "py.typed").is_file(), "py.typed is missing: type checkers would ignore the package"
assert load_digits()[0].shape == (1797, 8, 8)
(plugin,) = [one.value for one in metadata.entry_points(group="pytest11") if one.name == "tensorgrad"]
assert (place.parent / f"{plugin}.py").is_file(), "pytest would look for the plugin and not find it"
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        wheel = build(work / "dist")
        check_contents(wheel)
        print(f"{wheel.name}: {wheel.stat().st_size / 1024:,.0f} KB", flush=True)

        venv.create(work / "env", with_pip=True)
        python = work / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=work)
        run(python, "-W", "error", "-c", INSTALLED, cwd=work)
        run(python, "-W", "error", "-m", "tensorgrad", "env", cwd=work)
        run(python, "-W", "error", "-m", "tensorgrad", "demo", "--out", work / "pictures", cwd=work)
        pictures = sorted(path.name for path in (work / "pictures").rglob("*") if path.is_file())
        if not any(name.endswith(".svg") for name in pictures):
            raise SystemExit(f"the demo wrote no SVG picture, only {pictures}")
        print("wheel test passed; the demo wrote", ", ".join(pictures))


def build(folder: Path) -> Path:
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, quiet=True)
    return next(folder.glob("*.whl"))


def check_contents(wheel: Path) -> None:
    """The wheel holds the package as it is in the repository, and nothing that lies about."""
    plugin = ROOT / "pytest_tensorgrad.py"
    files = [path.relative_to(ROOT) for path in (plugin, *(ROOT / "tensorgrad").rglob("*")) if path.is_file()]
    here = {
        path.as_posix()
        for path in files
        if not any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    }
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    if inside != here:
        lacks, surplus = sorted(here - inside), sorted(inside - here)
        raise SystemExit(f"the wheel lacks {lacks} and should not have {surplus}")


def run(*command: str | Path, cwd: Path | None = None, quiet: bool = False) -> None:
    # The environment under test must not see the checkout.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment, text=True, capture_output=quiet)
    if done.returncode:
        print((done.stdout or "") + (done.stderr or ""), file=sys.stderr)
        raise SystemExit(f"wheel test failed ({done.returncode}) at: {' '.join(words)[:200]}")


if __name__ == "__main__":
    main()
